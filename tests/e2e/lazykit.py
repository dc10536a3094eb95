"""Layers with a table of contents, made after the formats' own descriptions.

eStargz: containerd/stargz-snapshotter, docs/estargz.md. zstd:chunked: containers/storage, pkg/chunked.
`make_estargz` and `make_zstd_chunked` turn a tar into a blob and the annotations of its descriptor;
`change(toc)` may spoil the table before it is packed. `LazyImage` is an image of such layers.
"""

import gzip
import io
import json
import re
import struct
import tarfile
import zlib

import imagekit
from imagekit import sha256, zstd_frame

TOC_DIGEST = "containerd.io/snapshot/stargz/toc.digest"
CHECKSUM = "io.github.containers.zstd-chunked.manifest-checksum"
POSITION = "io.github.containers.zstd-chunked.manifest-position"
TYPES = {tarfile.REGTYPE: "reg", tarfile.AREGTYPE: "reg", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink",
         tarfile.LNKTYPE: "hardlink", tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "block", tarfile.FIFOTYPE: "fifo"}


def gzip_member(data, level=6):
    """As Go's compress/gzip writes it: no name, no time."""
    body = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = body.compress(data) + body.flush()
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + packed
            + struct.pack("<II", zlib.crc32(data), len(data) & 0xffffffff))


def members_of(tar_bytes):
    """(TarInfo, where its headers begin, where its content begins) of each entry."""
    end = 0
    with tarfile.open(fileobj=io.BytesIO(tar_bytes), mode="r:") as tar:
        for info in tar:
            yield info, end, info.offset_data
            end = info.offset_data + (-(-info.size // 512) * 512 if info.isreg() else 0)


def common(info):
    item = {"name": info.name + "/" * info.isdir(), "type": TYPES[info.type], "mode": info.mode, "uid": info.uid,
            "gid": info.gid, "modtime": "2023-11-14T22:13:20Z"}
    if info.issym() or info.islnk():
        item["linkName"] = info.linkname
    if info.isreg() and info.size:
        item["size"] = info.size
    return item


def pieces(data, chunk):
    return [(at, data[at:at + chunk]) for at in range(0, len(data), chunk)]


class Packer:
    """A row of gzip members; what is added before `begin` goes into the one at hand."""

    def __init__(self):
        self.blob, self.open, self.at = bytearray(), bytearray(), 0

    def begin(self):
        if self.open:
            self.blob += gzip_member(self.open)
        self.open, self.at = bytearray(), len(self.blob)

    def add(self, data):
        """Where it lies: (offset of its member, offset in what that unpacks to)."""
        inside = len(self.open)
        self.open += data
        return self.at, inside


def make_estargz(tar_bytes, chunk=4 << 20, smallest=0, change=None, digest=None, footer_offset=None):
    """`smallest`: a member takes in files until it has so many bytes, as with estargz' MinChunkSize."""
    packer, items, end = Packer(), [], 0
    for info, head, content in members_of(tar_bytes):
        data = tar_bytes[content:content + info.size] if info.isreg() else b""
        packer.add(tar_bytes[end:content])
        end = content + len(data)
        first = common(info)
        if not data:
            items.append(first)
            continue
        first["digest"] = sha256(data)
        for at, piece in pieces(data, chunk):
            if len(packer.open) > smallest or not smallest:
                packer.begin()
            offset, inside = packer.add(piece)
            item = first if at == 0 else {"name": first["name"], "type": "chunk", "chunkOffset": at}
            item |= {"offset": offset, "chunkDigest": sha256(piece), "NumLink": 0}
            if inside:
                item["innerOffset"] = inside
            if len(piece) == chunk:
                item["chunkSize"] = chunk
            items.append(item)
    packer.add(tar_bytes[end:end + (-end % 512)])  # the end's mark comes behind the TOC
    packer.begin()
    toc = {"version": 1, "entries": items}
    toc = change(toc) or toc if change else toc
    text = toc if isinstance(toc, bytes) else json.dumps(toc, indent="\t").encode()
    where = len(packer.blob)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo("stargz.index.json")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    blob = bytes(packer.blob) + gzip_member(buffer.getvalue()) + estargz_footer(where if footer_offset is None else footer_offset)
    return blob, {TOC_DIGEST: digest or sha256(text)}


def estargz_footer(offset):
    field = b"%016xSTARGZ" % offset
    footer = (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", len(field) + 4) + b"SG" + struct.pack("<H", len(field)) + field
              + b"\x01\0\0\xff\xff" + bytes(8))
    assert len(footer) == 51
    return footer


def zstd_skippable(data):
    return struct.pack("<II", 0x184D2A50, len(data)) + data


def zeros_apart(data, chunk, hole=1024):
    """As containers/storage: runs of 1024 zeros and more are chunks of their own."""
    out, at = [], 0
    for run in re.finditer(b"\\0{%d,}" % hole, data):
        out += [(at + n, piece, "") for n, piece in pieces(data[at:run.start()], chunk)]
        out.append((run.start(), run.group(), "zeros"))
        at = run.end()
    return out + [(at + n, piece, "") for n, piece in pieces(data[at:], chunk)]


def make_zstd_chunked(tar_bytes, chunk=64 << 10, change=None, digest=None, position=None):
    blob, items, end = bytearray(), [], 0
    for info, head, content in members_of(tar_bytes):
        data = tar_bytes[content:content + info.size] if info.isreg() else b""
        if content > end:
            blob += zstd_frame(tar_bytes[end:content])
        end = content + len(data)
        first = common(info) | ({"xattrs": {"user.x": "eA=="}} if info.isdir() else {})
        items.append(first)
        if not data:
            continue
        parts = zeros_apart(data, chunk)
        first |= {"digest": sha256(data), "offset": len(blob)}
        for number, (at, piece, kind) in enumerate(parts):
            item = first
            if number:
                item = {"type": "chunk", "name": first["name"], "offset": len(blob), "chunkOffset": at}
                items.append(item)
            if len(parts) > 1:
                item |= {"chunkSize": len(piece), "chunkDigest": sha256(piece)} | ({"chunkType": kind} if kind else {})
            blob += zstd_frame(piece)
        first["endOffset"] = len(blob)
    blob += zstd_frame(tar_bytes[end:])
    toc = {"version": 1, "entries": items}
    toc = change(toc) or toc if change else toc
    text = toc if isinstance(toc, bytes) else json.dumps(toc, separators=(",", ":")).encode()
    packed = zstd_frame(text)
    where = len(blob) + 8
    numbers = (where, len(packed), len(text), 1)
    blob += zstd_skippable(packed) + zstd_skippable(struct.pack("<4Q", *numbers) + b"GnUlInUx")
    return bytes(blob), {CHECKSUM: digest or sha256(packed), POSITION: position or ":".join(map(str, numbers))}


MAKERS = {"estargz": (make_estargz, "gzip"), "zstd:chunked": (make_zstd_chunked, "zstd")}


def whole_tar(blob, how):
    """What a reader sees that knows nothing of the table."""
    if how == "none":
        return blob
    if how == "zstd":
        import zstandard
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(blob), read_across_frames=True)
        return reader.read()
    return gzip.decompress(blob)


class LazyImage(imagekit.Image):
    """An image whose layers are given as (blob, annotations, "gzip" or "zstd")."""

    def __init__(self, *made, **more):
        super().__init__([whole_tar(blob, how) for blob, _, how in made],
                         compression=[how for _, _, how in made], **more)
        self.made = made

    def blobs(self):
        return [blob for blob, _, _ in self.made]

    def manifest(self):
        config = self.config_bytes()
        layers = [imagekit.descriptor(imagekit.MEDIA[how], blob, annotations=notes) for blob, notes, how in self.made]
        return {"schemaVersion": 2, "mediaType": imagekit.MANIFEST,
                "config": imagekit.descriptor(imagekit.CONFIG, config), "layers": layers}


def lazy_layer(kind, tar_bytes, **more):
    make, how = MAKERS[kind]
    return (*make(tar_bytes, **more), how)


def files_of(image, replace=None):
    """An OCI layout of a LazyImage; `replace` are blobs that lie there in place of the right ones."""
    manifest = imagekit.dumps(image.manifest())
    blobs = {imagekit.blob_name(sha256(blob)): blob for blob in [*image.blobs(), image.config_bytes(), manifest]}
    entry = imagekit.descriptor(imagekit.MANIFEST, manifest, platform=imagekit.platform_of(image),
                                annotations={"org.opencontainers.image.ref.name": image.tags[0]})
    return {"oci-layout": imagekit.dumps({"imageLayoutVersion": "1.0.0"}), **blobs, **(replace or {}),
            "index.json": imagekit.index_bytes([entry])}
