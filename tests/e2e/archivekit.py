"""Archives as their writers make them, byte by byte where no writer is at hand."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib

DEFLATED, STORED = zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED


class Pipe(io.RawIOBase):
    """Something that cannot be sought in: writers put sizes behind the content then."""

    def __init__(self):
        super().__init__()
        self.data = b""

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def zip_of(files, method=DEFLATED, out=None, comment=b"", zip64=False):
    """By Python's zipfile; of a list of (name, content) names may come twice."""
    out = out or io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            with archive.open(zipfile.ZipInfo(name) if method == STORED else _info(name, method), "w", force_zip64=zip64) as member:
                member.write(content)
        archive.comment = comment
    return out.data if isinstance(out, Pipe) else out.getvalue()


def _info(name, method):
    info = zipfile.ZipInfo(name)
    info.compress_type = method
    return info


def tar_of(files, mode="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def ar_of(files):
    """ar(5), with GNU's table for long names."""
    table, members = b"", b""
    for name, content in files.items():
        field = name.encode() + b"/"
        if len(field) > 16:
            field, table = b"/%d" % len(table), table + field + b"\n"
        members += b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (field, 0, 0, 0, b"100644", len(content))
        members += content + b"\n" * (len(content) % 2)
    if table:
        members = b"%-48s%-10d`\n" % (b"//", len(table)) + table + b"\n" * (len(table) % 2) + members
    return b"!<arch>\n" + members


def cpio_of(files, kind="newc"):
    out = b""
    for name, content in [*files.items(), ("TRAILER!!!", b"")]:
        name = name.encode() + b"\0"
        if kind == "odc":
            out += b"070707" + b"000001" * 7 + b"%011o%06o%011o" % (0, len(name), len(content)) + name + content
            continue
        head = b"070701" + b"%08X" * 13 % (1, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0) + name
        out += head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
    return out


# -- zip, byte by byte (APPNOTE 6.3.10, 4.3) ---------------------------------------------------------------

def local(name, content, method=0, flags=0, sizes=True, extra=b"", packed=None, crc=None, descriptor=None):
    """A member: its header, its content, and what follows it."""
    packed = pack(content, method) if packed is None else packed
    crc = zlib.crc32(content) if crc is None else crc
    told = (crc, len(packed), len(content)) if sizes else (0, 0, 0)
    head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 0, *told, len(name), len(extra))
    if descriptor is None:
        descriptor = b"PK\7\x08" + struct.pack("<3L", crc, len(packed), len(content)) if flags & 8 else b""
    return head + name + extra + packed + descriptor


def listed(name, content, offset, method=0, flags=0, packed=None, crc=None, comment=b"", extra=b"", size=None):
    """Its entry in the directory."""
    packed = pack(content, method) if packed is None else packed
    crc = zlib.crc32(content) if crc is None else crc
    return struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, method, 0, 0, crc, len(packed), len(content) if size is None else size,
                       len(name), len(extra), len(comment), 0, 0, 0, offset) + name + extra + comment


def end(count, size, offset, comment=b"", disk=0):
    return struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, count, count, size, offset, len(comment)) + comment


def end64(count, size, offset, at):
    return (struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
            + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1))


def pack(content, method):
    if method == 8:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()
    return {0: lambda c: c, 12: bz2.compress, 95: lzma.compress}[method](content)


def by_hand(files, method=0, flags=0, sizes=True, front=b"", between=b"", counted=True):
    """A zip whose offsets count from the file's start, or from its own."""
    out, directory = front, b""
    for name, content in files.items():
        at = len(out) - (0 if counted else len(front))
        out += local(name.encode(), content, method, flags, sizes) + between
        directory += listed(name.encode(), content, at, method, flags)
    at = len(out) - (0 if counted else len(front))
    return out + directory + end(len(files), len(directory), at)


def java(files):
    """As java.util.zip.ZipOutputStream writes: sizes behind the content, names in UTF-8."""
    return by_hand(files, 8, 0x808, sizes=False)


def torch(files):
    """As torch.save does (PyTorchStreamWriter on miniz, compared with a file of the silero-vad wheel): stored, sizes behind
    the content, which is aligned to 64 bytes by an extra field, no size for what is empty, zip64's end record always."""
    out, directory = b"", b""
    for name, content in files.items():
        name = name.encode()
        flags = 0x808 if content else 0x800
        padding = -(len(out) + 30 + len(name) + 4) % 64
        extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
        at = len(out)
        out += local(name, content, 0, flags, sizes=False, extra=extra)
        directory += listed(name, content, at, 0, flags)
    at = len(out) + len(directory)
    return out + directory + end64(len(files), len(directory), len(out), at) + end(len(files), len(directory), len(out))


def squeezed(content, kind):
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
            "lzma": lambda c: lzma.compress(c, format=lzma.FORMAT_ALONE)}[kind](content)
