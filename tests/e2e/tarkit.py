"""Tar written byte by byte, so that a test decides what stands in each field.

An `Entry` is what a layer says of one path; `tar_of(entries, form)` renders a list of them. `raw`
entries are passed through as they are, for headers that no writer would make.
"""

from dataclasses import dataclass, replace

BLOCK = 512
FILE, HARDLINK, SYMLINK, CHAR, BLOCKDEV, DIR, FIFO = "0", "1", "2", "3", "4", "5", "6"
FORMS = ("v7", "ustar", "gnu", "pax")


@dataclass(frozen=True)
class Entry:
    path: str | bytes
    data: bytes = b""
    type: str = FILE
    link: str | bytes = ""
    mode: int = 0o644
    mtime: int = 1700000000
    claimed: int | None = None  # the size that the header tells, where it lies
    raw: bytes | None = None    # the whole entry, ready made


def file(path, data="", **more):
    return Entry(path, data.encode() if isinstance(data, str) else data, **more)


def folder(path):
    return Entry(path, type=DIR, mode=0o755)


def symlink(path, target):
    return Entry(path, type=SYMLINK, link=target, mode=0o777)


def hardlink(path, target):
    return Entry(path, type=HARDLINK, link=target)


def whiteout(path):
    parent, _, name = path.rpartition("/")
    return file(f"{parent}/.wh.{name}" if parent else f".wh.{name}")


def opaque(path):
    return file(f"{path}/.wh..wh..opq" if path else ".wh..wh..opq")


def raw(data):
    return Entry("", raw=data)


def _bytes(text):
    return text.encode() if isinstance(text, str) else text


def pad(data):
    return data + b"\0" * (-len(data) % BLOCK)


def number(value, width):
    """A numeric field: octal where it fits, else base-256 (GNU)."""
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return bytes([0x80 if value >= 0 else 0xff]) + (value % 256 ** (width - 1)).to_bytes(width - 1, "big")


def header(name, size=0, kind=FILE, link=b"", mode=0o644, form="ustar", prefix=b"", mtime=1700000000,
           tail=None, size_field=None):
    """One header block; its checksum is right whatever the fields say."""
    name, link = _bytes(name), _bytes(link)
    magic = {"v7": b"\0" * 8, "gnu": b"ustar  \0"}.get(form, b"ustar\x0000")
    kind = b"\0" if form == "v7" and kind == FILE else kind.encode("latin-1")
    block = bytearray(
        name[:100].ljust(100, b"\0") + number(mode, 8) + number(0, 8) + number(0, 8)
        + (size_field or number(size, 12)) + number(mtime, 12) + b" " * 8 + kind
        + link[:100].ljust(100, b"\0") + magic
        + (b"\0" * 80 if form == "v7" else b"root".ljust(32, b"\0") * 2 + number(0, 8) * 2))
    block += (tail if tail is not None else prefix.ljust(155, b"\0")).ljust(BLOCK - len(block), b"\0")
    return checksummed(block)


def checksummed(block):
    block = bytearray(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax_record(key, value):
    body = b" " + _bytes(key) + b"=" + _bytes(value) + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def pax_header(records, kind="x"):
    data = b"".join(pax_record(key, value) for key, value in records)
    return header("PaxHeaders/x", len(data), kind) + pad(data)


def gnu_long(kind, value):
    value = _bytes(value) + b"\0"
    return header("././@LongLink", len(value), kind, form="gnu") + pad(value)


def _split(name):
    """ustar's name and prefix fields for a long path."""
    if len(name) <= 100:
        return name, b""
    cut = name.rfind(b"/", 0, 156)
    assert cut > 0 and len(name) - cut - 1 <= 100, "this path does not fit ustar"
    return name[cut + 1:], name[:cut]


def entry_bytes(entry, form="ustar"):
    if entry.raw is not None:
        return entry.raw
    name, link = _bytes(entry.path), _bytes(entry.link)
    if entry.type == DIR and not name.endswith(b"/"):
        name += b"/"
    size = len(entry.data) if entry.claimed is None else entry.claimed
    before, prefix = b"", b""
    if form == "gnu":
        before += gnu_long("K", link) if len(link) > 100 else b""
        before += gnu_long("L", name) if len(name) > 100 else b""
    elif form == "pax":
        # All three are told in the extended header, and the ustar fields hold something else.
        records = [("path", name)] + ([("linkpath", link)] if link else [])
        records += [("size", str(size))] if entry.data else []
        before, name, link = pax_header(records), b"cut-" + name[-20:], link and b"cut"
        size = 0 if entry.data else size
    elif form == "ustar":
        name, prefix = _split(name)
    return before + header(name, size, entry.type, link, entry.mode, form, prefix, entry.mtime) + pad(entry.data)


def tar_of(entries, form="ustar", end=True):
    return b"".join(entry_bytes(entry, form) for entry in entries) + (b"\0" * 2 * BLOCK if end else b"")


# -- sparse forms: data with holes ---------------------------------------------------------------

def _chunks(parts, size):
    """(offset, data) parts, closed by an empty one at the end as GNU tar writes it. Readers disagree
    about chunks that are no whole blocks, and no writer makes them but as the last."""
    assert all(len(data) % BLOCK == 0 for _, data in parts[:-1])
    return list(parts) + ([] if parts and parts[-1][0] + len(parts[-1][1]) == size else [(size, b"")])


def _stored(parts):
    return b"".join(data for _, data in parts)


def sparse_gnu(path, parts, size):
    """The old GNU form: type S, four chunks in the header, the rest in blocks behind it."""
    chunks, data = _chunks(parts, size), _stored(parts)
    pairs = [number(at, 12) + number(len(piece), 12) for at, piece in chunks]
    head, rest = pairs[:4], pairs[4:]
    tail = b"\0" * 41 + b"".join(head).ljust(96, b"\0") + (b"\1" if rest else b"\0") + number(size, 12)
    out = header(path, len(data), "S", form="gnu", tail=tail)
    while rest:
        block, rest = rest[:21], rest[21:]
        out += (b"".join(block).ljust(504, b"\0") + (b"\1" if rest else b"\0")).ljust(BLOCK, b"\0")
    return raw(out + pad(data))


def sparse_pax(path, parts, size, version):
    """The three pax forms, 0.0, 0.1 and 1.0."""
    chunks, data = _chunks(parts, size), _stored(parts)
    flat = [n for at, piece in chunks for n in (at, len(piece))]
    if version == "0.0":
        records = [("GNU.sparse.size", str(size)), ("GNU.sparse.numblocks", str(len(chunks)))]
        for at, piece in chunks:
            records += [("GNU.sparse.offset", str(at)), ("GNU.sparse.numbytes", str(len(piece)))]
        return raw(pax_header(records) + header(path, len(data)) + pad(data))
    if version == "0.1":
        records = [("GNU.sparse.size", str(size)), ("GNU.sparse.numblocks", str(len(chunks))),
                   ("GNU.sparse.map", ",".join(map(str, flat))), ("GNU.sparse.name", path)]
        return raw(pax_header(records) + header("GNUSparseFile.0/x", len(data)) + pad(data))
    records = [("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"),
               ("GNU.sparse.name", path), ("GNU.sparse.realsize", str(size))]
    table = pad("".join(f"{n}\n" for n in [len(chunks), *flat]).encode())
    return raw(pax_header(records) + header("GNUSparseFile.0/x", len(table) + len(data)) + table + pad(data))


def at(prefix, entries):
    """The same entries with another beginning of their paths: './', '/', 'x/'."""
    return [entry if entry.raw is not None else replace(entry, path=prefix + entry.path)
            for entry in entries]
