"""Images under a test's control: layers, compressions, and the archive forms of docker and OCI.

An `Image` is a list of layer tars with what its config says. `files_*` give the files of an archive
as {name: bytes or Entry}, in their order, so that a hostile test can change one of them;
`write_archive` and `write_folder` put them on disk.
"""

import gzip
import hashlib
import json
import pathlib
import struct
import zlib
from dataclasses import dataclass, field

import zstandard

import tarkit
from tarkit import tar_of

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MEDIA = {"none": LAYER, "gzip": LAYER + "+gzip", "zstd": LAYER + "+zstd"}
CREATED = "2024-01-02T03:04:05Z"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def dumps(value):
    return json.dumps(value, separators=(",", ":")).encode()


# -- compressions ---------------------------------------------------------------------------------

def _halves(data, parts=3):
    step = len(data) // parts + 1
    return [data[at:at + step] for at in range(0, len(data), step)] or [b""]


def gzip_member(data, extra=b"", name=b"", comment=b"", header_crc=False, level=6):
    flags = (4 if extra else 0) | (8 if name else 0) | (16 if comment else 0) | (2 if header_crc else 0)
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff"
    head += struct.pack("<H", len(extra)) + extra if extra else b""
    head += (name + b"\0" if name else b"") + (comment + b"\0" if comment else b"")
    head += struct.pack("<H", zlib.crc32(head) & 0xffff) if header_crc else b""
    body = zlib.compressobj(level, zlib.DEFLATED, -15)
    packed = body.compress(data) + body.flush()
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data) & 0xffffffff)


def zstd_frame(data, **options):
    return zstandard.ZstdCompressor(level=3, **options).compress(data)


def zstd_skippable(data=b"plimsoll"):
    return struct.pack("<II", 0x184D2A53, len(data)) + data


COMPRESSIONS = {
    "none": lambda data: data,
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "gzip-stored": lambda data: gzip_member(data, level=0),
    "gzip-members": lambda data: b"".join(map(gzip_member, _halves(data))),
    "gzip-empty-members": lambda data: gzip_member(b"") + gzip_member(data) + gzip_member(b""),
    "gzip-fextra": lambda data: gzip_member(data, b"BC\x02\0\x01\x02", b"layer.tar", b"note", True),
    "zstd": zstd_frame,
    "zstd-no-size": lambda data: zstd_frame(data, write_content_size=False, write_checksum=True),
    "zstd-frames": lambda data: b"".join(map(zstd_frame, _halves(data))),
    "zstd-skippable": lambda data: zstd_skippable() + b"".join(
        zstd_frame(part) + zstd_skippable(b"") for part in _halves(data, 2)),
}


def compress(data, how):
    return COMPRESSIONS[how](data)


def family(how):
    return how.partition("-")[0]


# -- images -----------------------------------------------------------------------------------------

@dataclass
class Image:
    layers: list                       # uncompressed tars, bottom first
    tags: tuple = ("app:1",)
    history: list | None = None        # as in the config; None makes one RUN line a layer
    platform: str = "linux/amd64"
    compression: str | list = "none"   # one word for all layers, or one for each
    config: dict = field(default_factory=dict)
    diff_ids: list | None = None       # where they shall not be the right ones
    annotations: dict | None = None    # of the manifest
    media_type: str | None = None      # of every layer, where it shall not be the right one

    def ways(self):
        return [self.compression] * len(self.layers) if isinstance(self.compression, str) \
            else self.compression

    def blobs(self):
        return [compress(tar, how) for tar, how in zip(self.layers, self.ways())]

    def config_bytes(self):
        system, _, rest = self.platform.partition("/")
        architecture, _, variant = rest.partition("/")
        lines = self.history if self.history is not None else [run(f"step {n}") for n in range(len(self.layers))]
        config = {"architecture": architecture, "os": system, "created": CREATED,
                  **({"variant": variant} if variant else {}),
                  "config": {"Env": ["PATH=/usr/bin"], "Cmd": ["sh"]},
                  "rootfs": {"type": "layers", "diff_ids": self.diff_ids or [sha256(t) for t in self.layers]},
                  "history": lines}
        return dumps({**config, **self.config})


def image_of(*layers, **more):
    """An image of lists of entries."""
    return Image([tar_of(layer) if isinstance(layer, list) else layer for layer in layers], **more)


def run(command, empty=False):
    """A RUN line of history as BuildKit writes it."""
    return _line(f"RUN /bin/sh -c {command} # buildkit", empty)


def legacy_run(command, empty=False):
    """A RUN line of history as the old builder writes it."""
    return _line(f"/bin/sh -c {command}", empty)


def nop(text, empty=True):
    """Any other line of the old builder."""
    return _line(f"/bin/sh -c #(nop) {text}", empty)


def line(text, empty=True):
    """Any other line of BuildKit."""
    return _line(text, empty)


def _line(text, empty):
    return {"created": CREATED, "created_by": text, **({"empty_layer": True} if empty else {})}


# -- docker save before 25 ----------------------------------------------------------------------------

def files_docker_old(*images, folders=True):
    """A folder a layer; a layer that was there before is a symlink, as docker writes it."""
    files, manifest, repositories, written = {}, [], {}, {}
    for number, image in enumerate(images):
        names = []
        for index, blob in enumerate(image.blobs()):
            ident = hashlib.sha256(f"{number} {index} {sha256(blob)}".encode()).hexdigest()
            if folders:
                files[ident] = tarkit.folder(ident)
            files[f"{ident}/VERSION"] = b"1.0"
            files[f"{ident}/json"] = dumps({"id": ident})
            names.append(f"{ident}/layer.tar")
            first = written.setdefault(sha256(blob), names[-1])
            files[names[-1]] = blob if first == names[-1] else tarkit.symlink(names[-1], "../" + first)
        config = image.config_bytes()
        name = sha256(config)[7:] + ".json"
        files[name] = config
        manifest.append({"Config": name, "RepoTags": list(image.tags) or None, "Layers": names})
        for tag in image.tags:
            repository, _, version = tag.rpartition(":")
            repositories.setdefault(repository, {})[version] = names[-1].partition("/")[0] if names else ""
    files["manifest.json"] = dumps(manifest)
    files["repositories"] = dumps(repositories)
    return files


# -- OCI layout, and docker save from 25 on -------------------------------------------------------------

def blob_name(digest):
    return "blobs/" + digest.replace(":", "/")


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": sha256(data), "size": len(data), **more}


def manifest_bytes(image):
    blobs, config = image.blobs(), image.config_bytes()
    layers = [descriptor(image.media_type or MEDIA[family(how)], blob)
              for blob, how in zip(blobs, image.ways())]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config), "layers": layers}
    return dumps({**manifest, **({"annotations": image.annotations} if image.annotations else {})})


def image_blobs(image):
    """All that an image puts under blobs/, its manifest last."""
    return [*image.blobs(), image.config_bytes(), manifest_bytes(image)]


def platform_of(image):
    system, _, rest = image.platform.partition("/")
    architecture, _, variant = rest.partition("/")
    return {"architecture": architecture, "os": system, **({"variant": variant} if variant else {})}


def manifest_descriptor(image, name=None, platform=True, **more):
    notes = {"org.opencontainers.image.ref.name": name} if name else {}
    return descriptor(MANIFEST, manifest_bytes(image), **({"platform": platform_of(image)} if platform else {}),
                      **({"annotations": notes} if notes else {}), **more)


def attestation(image):
    """An attestation manifest about `image`: its blobs, manifest last, and its descriptor."""
    statement = dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": []})
    config = dumps({"architecture": "unknown", "os": "unknown", "config": {},
                    "rootfs": {"type": "layers", "diff_ids": [sha256(statement)]}})
    manifest = dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, config),
                      "layers": [descriptor("application/vnd.in-toto+json", statement)]})
    notes = {"vnd.docker.reference.type": "attestation-manifest",
             "vnd.docker.reference.digest": sha256(manifest_bytes(image))}
    return [statement, config, manifest], descriptor(
        MANIFEST, manifest, platform={"architecture": "unknown", "os": "unknown"}, annotations=notes)


def index_bytes(manifests):
    return dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})


def files_oci(*images, index=None, more_blobs=(), names=True, platform=True):
    """An OCI layout. `index` replaces the one that lists the images with their ref names."""
    blobs = [blob for image in images for blob in image_blobs(image)] + list(more_blobs)
    files = {"oci-layout": dumps({"imageLayoutVersion": "1.0.0"})}
    files |= {blob_name(sha256(blob)): blob for blob in blobs}
    entries = [manifest_descriptor(image, (image.tags or (None,))[0] if names else None, platform)
               for image in images]
    files["index.json"] = index if index is not None else index_bytes(entries)
    return files


def files_docker_25(*images):
    """What Docker 25 and later write: an OCI layout with docker's manifest.json beside it."""
    files = files_oci(*images)
    entries = [{"Config": blob_name(sha256(image.config_bytes())), "RepoTags": list(image.tags),
                "Layers": [blob_name(sha256(blob)) for blob in image.blobs()]} for image in images]
    return {"blobs": tarkit.folder("blobs"), "blobs/sha256": tarkit.folder("blobs/sha256"),
            **files, "manifest.json": dumps(entries)}


# -- on disk ----------------------------------------------------------------------------------------------

def archive_bytes(files, form="ustar", prefix=""):
    entries = [item if isinstance(item, tarkit.Entry) else tarkit.file(name, item)
               for name, item in files.items()]
    return tar_of(tarkit.at(prefix, entries) if prefix else entries, form)


def write_archive(path, files, whole="none", **options):
    path = pathlib.Path(path)
    path.write_bytes(compress(archive_bytes(files, **options), whole))
    return path


def write_folder(path, files):
    path = pathlib.Path(path)
    path.mkdir(parents=True, exist_ok=True)
    for name, item in files.items():
        if not isinstance(item, tarkit.Entry):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(item)
    return path
