"""Bad input: cut, flipped, lied about, cyclic, enormous. Exit 3 with the file and the layer named; the
parent never crashes, memory and time are bounded, and nothing broken ever looks clean.

PLIMSOLL_TEST_SCALE multiplies how many cuts and flips are tried (1 in CI, less with a sanitizer)."""

import functools
import json
import os
import pathlib
import random
import struct

import pytest

import evidence as ev
import imagekit
import scanner
import tarkit
from imagekit import Image, blob_name, dumps, sha256
from tarkit import file, folder, hardlink, raw, symlink, tar_of

SCALE = float(os.environ.get("PLIMSOLL_TEST_SCALE", "0.3" if scanner.sanitized() else "1"))
GATE = ("--exit-code", "1")
MEMORY = 128 * scanner.MIB
CPU_SECONDS = 10
GIB = 1 << 30
LAYERS = [[*ev.base(), *ev.dist_info("crit-fixed", "1.0")],
          [ev.dpkg(ev.deb("base-files", "12.4+deb12u9"), ev.deb("openssl", "3.0.11-1")), *ev.dist_info("high-unfixed", "2.0")]]
IDS = {"CVE-2024-0001", "CVE-2024-0012", "CVE-2024-0021"}


def the_image(compression="gzip", **more):
    return imagekit.image_of(*LAYERS, compression=compression, **more)


def chance(what):
    """Random numbers with a seed that is told and can be given again."""
    seed = int(os.environ.get("PLIMSOLL_TEST_SEED", random.SystemRandom().randrange(10 ** 9)))
    return random.Random(f"{seed} {what}"), seed


def refused(result, *named):
    """It could not be read, this was said, and each of `named` stands in what was said."""
    assert result.code == 3, result
    for word in named:
        assert word in result.complaints(), f"{word!r} is not named\n{result!r}"


def scan_bytes(tmp_path, store, data, *args, name="image.tar", **more):
    path = tmp_path / name
    path.write_bytes(data)
    return scanner.scan(path, *GATE, *args, db=store, **more)


def scan_layer(tmp_path, store, layer, *args, compression="none", how=scanner.run, **more):
    """Scan an image whose layer 1 is `layer` (entries or bytes); layer 0 has a finding that must survive."""
    made = Image([tar_of(LAYERS[0]), layer if isinstance(layer, bytes) else tar_of(layer)], compression=compression)
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(made))
    return scanner.scan(path, *GATE, *args, db=store, how=how, **more)


def layer_refused(result, *named):
    """Layer 1 was refused, and it alone."""
    refused(result, *named)
    assert {error["layer"] for error in result.errors} == {1}, result.errors
    assert "CVE-2024-0001" in result.ids(), "what the other layer holds is still told"


# -- cut and flipped ---------------------------------------------------------------------------------------

def archives():
    """name: bytes of a good archive; all of them give IDS and close the gate."""
    old, new, oci = imagekit.files_docker_old, imagekit.files_docker_25, imagekit.files_oci
    made = {"old none": (old, "none", "none"), "old gzip": (old, "gzip", "none"), "old zstd": (old, "zstd", "none"),
            "docker 25 gzip": (new, "gzip", "none"), "oci gzip": (oci, "gzip", "none"), "oci zstd-frames": (oci, "zstd-frames", "none"),
            "oci gzip-members": (oci, "gzip-members", "none"), "old none.gz": (old, "none", "gzip"),
            "old none.zst": (old, "none", "zstd"), "oci gzip.gz-members": (oci, "gzip", "gzip-members"),
            "oci zstd.zst-frames": (oci, "zstd", "zstd-frames")}
    return {name: imagekit.compress(imagekit.archive_bytes(make(the_image(inner))), whole)
            for name, (make, inner, whole) in made.items()}


ARCHIVES = archives()


@pytest.mark.parametrize("name", ARCHIVES)
def test_fixture_closes_the_gate(tmp_path, store, name):
    result = scan_bytes(tmp_path, store, ARCHIVES[name])
    assert result.code == 1 and result.ids() == IDS


def cuts(data, rng):
    """Lengths to cut to: the first bytes, around each block, the last bytes, and some at random."""
    wanted = {*range(0, 20), *range(len(data) - 20, len(data))}
    blocks = range(512, len(data), 512)
    wanted |= {at + by for at in rng.sample(blocks, min(len(blocks), int(40 * SCALE))) for by in (-1, 0, 1)}
    wanted |= {rng.randrange(len(data)) for _ in range(int(60 * SCALE))}
    return sorted(at for at in wanted if 0 <= at < len(data))


@pytest.mark.parametrize("name", ARCHIVES)
def test_truncated_archive(tmp_path, store, name):
    """Row 11: never clean. Where the cut loses nothing (the tar's last zeros) all findings are told."""
    data = ARCHIVES[name]
    rng, seed = chance(name)
    for length in cuts(data, rng):
        result = scan_bytes(tmp_path, store, data[:length])
        assert result.code in (1, 3), f"cut to {length} (seed {seed})\n{result!r}"
        if result.code == 1:
            assert result.ids() == IDS, f"cut to {length}: some findings are gone\n{result!r}"
        else:
            assert "image.tar" in result.complaints(), f"cut to {length}: the file is not named\n{result!r}"


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("compression", ["gzip", "gzip-members", "gzip-fextra", "zstd", "zstd-frames", "zstd-skippable", "none"])
def test_truncated_layer(tmp_path, store, compression, verify):
    """The archive is whole, but a layer in it ends too soon."""
    whole = tar_of(LAYERS[1])
    blob = imagekit.compress(whole, compression)
    rng, seed = chance(compression)
    for length in cuts(blob, rng):
        # Without an end mark a tar may stop between two entries; what is lost then only a digest can tell.
        if compression == "none" and (length % 512 == 0 or length > len(whole) - 1024):
            continue
        made = imagekit.files_docker_old(the_image(compression))
        last = [n for n in made if n.endswith("layer.tar")][-1]
        made[last] = blob[:length]
        result = scan_bytes(tmp_path, store, imagekit.archive_bytes(made), *([] if verify else ["--no-verify"]))
        if result.code == 1 and not verify:
            assert result.ids() == IDS, f"cut to {length} (seed {seed})\n{result!r}"
        elif result.code == 1:  # a skippable frame or an empty member at the end may be lost
            assert result.ids() == IDS and compression in ("zstd-skippable",), f"cut to {length} (seed {seed})\n{result!r}"
        else:
            layer_refused(result, "layer 1")


def flipped(data, rng):
    """One of: a bit, a byte, eight bytes, or a number field with an extreme in it."""
    out = bytearray(data)
    at = rng.randrange(len(out))
    kind = rng.randrange(4)
    if kind == 0:
        out[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        out[at] = rng.choice([0, 255, 127, 128, out[at] ^ 0x20])
    elif kind == 2:
        out[at:at + 8] = rng.randbytes(min(8, len(out) - at))
    else:
        value = rng.choice([0, 1, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 63 - 1, 2 ** 64 - 1])
        out[at:at + 8] = rng.choice([value.to_bytes(8, "little"), value.to_bytes(8, "big")])[:len(out) - at]
    return bytes(out)


@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("name", ARCHIVES)
def test_flipped_archive(tmp_path, store, name, part):
    """Row 12. What a digest guards is never clean; an uncompressed layer that was seeked through is not
    guarded, so a change in it may change what it says, but nothing may crash."""
    rng, seed = chance((name, part))
    guarded = "gzip" in name.split(".")[0] or "zstd" in name.split(".")[0] or "." in name
    for number in range(int(150 * SCALE)):
        data = flipped(ARCHIVES[name], rng)
        if data == ARCHIVES[name]:
            continue
        result = scan_bytes(tmp_path, store, data, timeout=20)
        assert result.code in ((1, 3) if guarded else (0, 1, 3)), f"flip {number} (seed {seed})\n{result!r}"
        if result.code == 1 and guarded:
            assert result.ids() == IDS, f"flip {number} (seed {seed})\n{result!r}"


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_flipped_layer_behind_no_verify(tmp_path, store, compression):
    """With nothing to guard it the parsers see every kind of damage; none of them may fall over."""
    rng, seed = chance(compression)
    plain = tar_of(LAYERS[1])
    for number in range(int(150 * SCALE)):
        blob = flipped(imagekit.compress(plain, compression), rng) if number % 2 else \
            imagekit.compress(flipped(plain, rng), compression)
        made = imagekit.files_docker_old(the_image(compression))
        made[[n for n in made if n.endswith("layer.tar")][-1]] = blob
        result = scan_bytes(tmp_path, store, imagekit.archive_bytes(made), "--no-verify", timeout=20)
        assert result.code in (1, 3), f"flip {number} (seed {seed})\n{result!r}"
        assert "CVE-2024-0001" in result.ids(), f"flip {number} (seed {seed}): the good layer's finding is gone\n{result!r}"


# -- sizes, numbers and headers that lie ----------------------------------------------------------------------

APP = "srv/app.dist-info/METADATA"
TEXT = ev.metadata("app", "1.0").encode()


LIES = {  # name: bytes of layer 1
    "1 TB claimed": tar_of([file(APP, TEXT, claimed=10 ** 12)]),
    "1 TB claimed by what nobody reads": tar_of([file("srv/data", TEXT, claimed=10 ** 12)]),
    "more than the layer": tar_of([file(APP, TEXT, claimed=10 ** 6)]),
    "size is negative": tarkit.header(APP, size_field=b"\xff" * 11 + b"\xf0") + tarkit.pad(TEXT) + b"\0" * 1024,
    "size is huge": tarkit.header(APP, size_field=b"\x80" + b"\xff" * 11) + tarkit.pad(TEXT) + b"\0" * 1024,
    "size of 2⁶³": tarkit.header(APP, size_field=b"\x80\0\0\0" + (2 ** 63).to_bytes(8, "big")) + tarkit.pad(TEXT),
    "size is no number": tarkit.header(APP, size_field=b"9z*!size*!\0\0") + tarkit.pad(TEXT) + b"\0" * 1024,
    "checksum is wrong": bytes([tar_of([file(APP, TEXT)])[0] ^ 1]) + tar_of([file(APP, TEXT)])[1:],
    "checksum is no number": (lambda b: b[:148] + b"zzzzzzzz" + b[156:])(tar_of([file(APP, TEXT)])),
    "random bytes": random.Random(1).randbytes(20000),
    "text": b"this is no tar archive at all\n" * 500,
    "one byte": b"x",
    "pax size is no number": tar_of([raw(tarkit.pax_header([("size", "12x")])), file(APP, TEXT)]),
    "pax size is negative": tar_of([raw(tarkit.pax_header([("size", "-1")])), file(APP, TEXT)]),
    "pax size is 2⁷⁰": tar_of([raw(tarkit.pax_header([("size", str(2 ** 70))])), file(APP, TEXT)]),
    "pax record's length lies": tar_of([raw(tarkit.header("x", 30, "x") + tarkit.pad(b"999 path=/etc/passwd\n")), file(APP, TEXT)]),
    "pax record's length is 0": tar_of([raw(tarkit.header("x", 12, "x") + tarkit.pad(b"0 path=abcd\n")), file(APP, TEXT)]),
    "pax record without =": tar_of([raw(tarkit.header("x", 10, "x") + tarkit.pad(b"10 pathab\n")), file(APP, TEXT)]),
    "pax header at the end": tar_of([file(APP, TEXT), raw(tarkit.pax_header([("path", "x")]))]),
    "pax of 1 GiB claimed": tarkit.header("x", GIB, "x") + b"a" * 4096,
    "long name of 1 GiB claimed": tarkit.header("././@LongLink", GIB, "L", form="gnu") + b"a" * 4096,
    "long name of 2 MiB": tarkit.gnu_long("L", "a" * (2 << 20)) + tar_of([file(APP, TEXT)]),
    "pax of 2 MiB": tarkit.pax_header([("comment", "a" * (2 << 20))]) + tar_of([file(APP, TEXT)]),
    "long name at the end": tar_of([file(APP, TEXT), raw(tarkit.gnu_long("L", "x" * 200))]),
    "sparse of 1 EB": tar_of([tarkit.sparse_pax(APP, [(0, TEXT)], 10 ** 18, "1.0")]),
    "sparse of 1 PB, old form": tar_of([tarkit.sparse_gnu(APP, [(0, TEXT)], 10 ** 15)]),
    "sparse chunks overlap": tar_of([tarkit.sparse_pax(APP, [(0, b"a" * 1024), (512, b"b" * 512)], 2048, "1.0")]),
    "sparse chunks go backwards": tar_of([tarkit.sparse_gnu(APP, [(4096, b"a" * 512), (0, b"b" * 512)], 8192)]),
    "sparse chunk behind the end": tar_of([tarkit.sparse_pax(APP, [(0, b"a" * 512), (9000, b"b" * 512)], 1000, "0.1")]),
    "sparse map is text": tar_of([raw(tarkit.pax_header([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", APP),
                                                           ("GNU.sparse.realsize", "9")]) + tarkit.header("x", 512) + b"x\n" * 256)]),
    "sparse map of a billion": tar_of([raw(tarkit.pax_header([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", APP),
                                                               ("GNU.sparse.realsize", "9")]) + tarkit.header("x", 512)
                                           + b"1000000000\n".ljust(512, b"0"))]),
    "path of 5,000 bytes": tar_of([file("a/" * 2500 + "app.dist-info/METADATA", TEXT)], "pax"),
}


@pytest.mark.parametrize("name", LIES)
def test_lie_in_a_layer(tmp_path, store, name):
    result = scan_layer(tmp_path, store, LIES[name], how=functools.partial(scanner.run_measured, tmp_path))
    layer_refused(result, "layer 1", "image.tar")
    assert result.usage.cpu < CPU_SECONDS
    assert scanner.sanitized() or result.usage.peak < MEMORY


@pytest.mark.parametrize("name", ["more than the layer", "size is negative", "checksum is wrong", "pax size is no number", "1 TB claimed"])
def test_lie_in_a_compressed_layer(tmp_path, store, name):
    for compression in ("gzip", "zstd"):
        layer_refused(scan_layer(tmp_path, store, LIES[name], compression=compression), "layer 1")


@pytest.mark.parametrize("name", ["1 TB claimed", "size is negative", "size is no number", "checksum is wrong", "pax of 1 GiB claimed",
                                  "pax size is 2⁷⁰", "random bytes", "one byte"])
def test_lie_in_the_archive(tmp_path, store, name):
    """The same in the archive itself, in front of a good image."""
    refused(scan_bytes(tmp_path, store, LIES[name] + ARCHIVES["old gzip"]), "image.tar")


GZIP, ZSTD = imagekit.compress(tar_of(LAYERS[1]), "gzip"), imagekit.compress(tar_of(LAYERS[1]), "zstd")
PACKED = {
    "gzip: wrong CRC": GZIP[:-8] + b"\1\2\3\4" + GZIP[-4:],
    "gzip: wrong length": GZIP[:-4] + b"\xff\xff\xff\x7f",
    "gzip: unknown method": GZIP[:2] + b"\x07" + GZIP[3:],
    "gzip: reserved flags": GZIP[:3] + b"\xe0" + GZIP[4:],
    "gzip: FEXTRA to the end": GZIP[:3] + b"\x04" + GZIP[4:10] + b"\xff\xff",
    "gzip: name without an end": GZIP[:3] + b"\x08" + GZIP[4:10] + b"a" * 70000,
    "gzip: header alone": GZIP[:10],
    "gzip: garbage behind it": GZIP + b"garbage that is no member",
    "gzip: block of type 3": GZIP[:10] + b"\x07" + GZIP[11:],
    "gzip: second member cut": GZIP + GZIP[:30],
    "zstd: garbage behind it": ZSTD + b"garbage that is no frame",
    "zstd: wrong checksum": imagekit.compress(tar_of(LAYERS[1]), "zstd-no-size")[:-4] + b"\1\2\3\4",
    "zstd: window of 2 GiB": b"\x28\xb5\x2f\xfd\x00" + bytes([21 << 3]) + b"\x01\0\0",
    "zstd: dictionary": b"\x28\xb5\x2f\xfd\x23\x39\x05\x04" + ZSTD[6:],
    "zstd: skippable frame of 4 GiB": struct.pack("<II", 0x184D2A50, 0xffffffff) + b"abc",
    "zstd: magic alone": ZSTD[:4],
    "xz": b"\xfd7zXZ\x00\x00\x04" + b"\0" * 100,
    "bzip2": b"BZh91AY&SY" + b"\0" * 100,
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", PACKED)
def test_broken_compression(tmp_path, store, name, verify):
    files = imagekit.files_docker_old(the_image())
    files[[n for n in files if n.endswith("layer.tar")][-1]] = PACKED[name]
    result = scan_bytes(tmp_path, store, imagekit.archive_bytes(files), *([] if verify else ["--no-verify"]))
    layer_refused(result, "layer 1")


# -- bombs ------------------------------------------------------------------------------------------------------

def zeros(how, size, piece=64 << 20):
    """`size` zeros, packed piece by piece: each piece is a member or frame of its own."""
    member = (lambda n: imagekit.gzip_member(b"\0" * n, level=9)) if how == "gzip" else \
        (lambda n: imagekit.zstd_frame(b"\0" * n))
    return member(piece) * (size // piece) + (member(size % piece) if size % piece else b"")


def packed_blob(how, head, filler_size):
    return (imagekit.gzip_member(head) if how == "gzip" else imagekit.zstd_frame(head)) + zeros(how, filler_size)


def many_entries(count, how):
    """`count` entries in members of 20,000 with the same names."""
    piece = tar_of([file(f"f{n}") for n in range(20000)], end=False)
    return imagekit.compress(piece, how) * (count // 20000) + imagekit.compress(b"\0" * 1024, how)


BOMBS = {  # name: the packed blob of layer 1, and what must be named besides the layer
    "gzip, 30 GiB in one file": lambda: packed_blob("gzip", tarkit.header("f", 30 * GIB), 30 * GIB),
    "gzip, 30 GiB in what is read": lambda: packed_blob("gzip", tarkit.header(APP, 30 * GIB), 30 * GIB),
    "gzip, 50 GiB behind the end": lambda: packed_blob("gzip", b"\0" * 1024, 50 * GIB),
    "zstd, 100 GiB in one file": lambda: packed_blob("zstd", tarkit.header("f", 100 * GIB), 100 * GIB),
    "zstd, 30 GiB in what is read": lambda: packed_blob("zstd", tarkit.header("opt/conda/conda-meta/a.json", 30 * GIB), 30 * GIB),
    "zstd, 60 GiB behind the end": lambda: packed_blob("zstd", b"\0" * 1024, 60 * GIB),
    "gzip, pax header of 1 GiB": lambda: packed_blob("gzip", tarkit.header("x", GIB, "x") + b"1073741000 path=", GIB),
    "zstd, long name of 1 GiB": lambda: packed_blob("zstd", tarkit.header("././@LongLink", GIB, "L", form="gnu"), GIB),
    "zstd, global header of 1 GiB": lambda: packed_blob("zstd", tarkit.header("x", GIB, "g"), GIB),
    "zstd, 5 million entries": lambda: many_entries(5_000_000, "zstd"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(tmp_path, store, name):
    """Row 7: within 10 s of CPU and 128 MiB, nothing on disk, a limit named, exit 3."""
    blob = BOMBS[name]()
    assert len(blob) < 64 << 20, "a bomb is small before it goes off"
    made = the_image()
    files = imagekit.files_docker_old(made)
    files[[n for n in files if n.endswith("layer.tar")][-1]] = blob
    path = imagekit.write_archive(tmp_path / "image.tar", files)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    result = scanner.scan(path, *GATE, db=store, env={"TMPDIR": str(temporary)},
                          how=functools.partial(scanner.run_measured, tmp_path))
    layer_refused(result, "layer 1", "limit")
    assert result.usage.cpu < CPU_SECONDS * (4 if scanner.sanitized() else 1)
    assert scanner.sanitized() or result.usage.peak < MEMORY
    assert os.listdir(temporary) == []


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_bombed_archive(tmp_path, store, how):
    """The whole archive is the bomb."""
    data = packed_blob(how, tarkit.header("manifest.json", 30 * GIB), 30 * GIB)
    result = scan_bytes(tmp_path, store, data, how=functools.partial(scanner.run_measured, tmp_path))
    refused(result, "image.tar", "limit")
    assert result.usage.cpu < CPU_SECONDS * (4 if scanner.sanitized() else 1)
    assert scanner.sanitized() or result.usage.peak < MEMORY


def test_a_million_entries_are_fine(tmp_path, store):
    """Large, but no bomb: read within the memory, and its package is found."""
    blob = imagekit.compress(tar_of(ev.dist_info("high-fixed", "1.0"), end=False), "gzip") + many_entries(1_000_000, "gzip")
    files = imagekit.files_docker_old(the_image())
    files[[n for n in files if n.endswith("layer.tar")][-1]] = blob
    path = imagekit.write_archive(tmp_path / "image.tar", files)
    result = scanner.scan(path, *GATE, "--no-verify", db=store, how=functools.partial(scanner.run_measured, tmp_path))
    assert result.code == 1 and result.ids() == {"CVE-2024-0001", "CVE-2024-0002"}, result
    assert scanner.sanitized() or result.usage.peak < MEMORY


def test_thousands_of_packages_in_bounded_memory(tmp_path, store):
    entries = [e for n in range(20000) for e in ev.dist_info(f"pkg{n}", "1.0", record=False, installer=None)]
    result = scan_layer(tmp_path, store, entries, how=functools.partial(scanner.run_measured, tmp_path))
    assert result.code == 1 and len(result.packages("pypi")) == 20001
    assert scanner.sanitized() or result.usage.peak < MEMORY


def test_large_database_is_spilled(tmp_path, store):
    """A status file of 60 MB: read whole, but never held whole in memory as a copy for each reader."""
    text = "\n".join(ev.deb(f"p{n}", "1.0", more="Depends: " + "x, " * 300 + "y\n") for n in range(50000))
    result = scan_layer(tmp_path, store, [file(ev.STATUS, text)], how=functools.partial(scanner.run_measured, tmp_path))
    assert len(result.packages("deb")) == 50000
    assert scanner.sanitized() or result.usage.peak < MEMORY


# -- manifests and indexes -----------------------------------------------------------------------------------------

def changed(files, name, change):
    """The same files with one of them changed: bytes → bytes, None → left out."""
    return {n: (change(item) if n == name else item) for n, item in files.items() if n != name or change is not None}


DEEP = b"[" * 1_000_000
OLD_MANIFESTS = {
    "empty": b"", "no JSON": b"hello", "cut": b'[{"Config":"x.json","Layers":[', "an object": b"{}", "empty list": b"[]", "null": b"null",
    "a list of numbers": b"[1]", "no config": b'[{"Layers":[]}]', "config missing": b'[{"Config":"gone.json","RepoTags":["a:1"],"Layers":[]}]',
    "layers are text": b'[{"Config":"x.json","Layers":"y"}]', "layer missing": None, "deep": DEEP, "NUL": b"\0" * 100,
    "deep in a key": b'[{"x":' + DEEP, "5 MiB": b'[{"x":"' + b"a" * (5 << 20) + b'"}]', "bad UTF-8": b'[{"Config":"\xff\xfe"}]',
}


@pytest.mark.parametrize("name", OLD_MANIFESTS)
def test_docker_manifest(tmp_path, store, name):
    files = imagekit.files_docker_old(the_image())
    if name == "layer missing":
        gone = [n for n in files if n.endswith("layer.tar")][-1]
        files = changed(files, gone, None)
    else:
        files["manifest.json"] = OLD_MANIFESTS[name]
    result = scan_bytes(tmp_path, store, imagekit.archive_bytes(files))
    refused(result, "image.tar", gone.partition("/")[0] if name == "layer missing" else "")


def test_no_manifest(tmp_path, store):
    for name in ("manifest.json", "index.json"):
        make = imagekit.files_docker_old if name == "manifest.json" else imagekit.files_oci
        refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(changed(make(the_image()), name, None))), "image.tar")


@pytest.mark.parametrize("name", [n for n, text in OLD_MANIFESTS.items() if text is not None])
@pytest.mark.parametrize("which", ["config", "index.json", "manifest", "docker config"])
def test_oci_documents(tmp_path, store, which, name):
    """Each document of an image in each way of being wrong, with digests that fit."""
    image, text = the_image(), OLD_MANIFESTS[name]
    if which == "index.json":
        files = imagekit.files_oci(image, index=text)
    elif which == "docker config":
        files = imagekit.files_docker_old(image)
        config = next(n for n in files if n.endswith(".json") and len(n) == 69)
        renamed = sha256(text)[7:] + ".json"
        files = {**changed(files, config, None), renamed: text,
                 "manifest.json": files["manifest.json"].replace(config.encode(), renamed.encode())}
    else:
        manifest = text
        if which == "config":
            whole = json.loads(imagekit.manifest_bytes(image))
            manifest = dumps({**whole, "config": imagekit.descriptor(imagekit.CONFIG, text)})
        index = imagekit.index_bytes([imagekit.descriptor(imagekit.MANIFEST, manifest, platform={"os": "linux", "architecture": "amd64"})])
        files = imagekit.files_oci(image, index=index, more_blobs=[text, manifest])
    result = scan_bytes(tmp_path, store, imagekit.archive_bytes(files))
    refused(result, "image.tar")


def without_layers(field):
    """An image whose config or manifest says that it has no layers, or fewer than the other says."""
    image = the_image()
    if field == "config":
        return imagekit.files_oci(imagekit.image_of(*LAYERS, compression="gzip", diff_ids=[sha256(tar_of(LAYERS[0]))]))
    manifest = json.loads(imagekit.manifest_bytes(image))
    manifest["layers"] = manifest["layers"][:1]
    text = dumps(manifest)
    return imagekit.files_oci(image, index=imagekit.index_bytes([imagekit.descriptor(imagekit.MANIFEST, text)]), more_blobs=[text])


@pytest.mark.parametrize("field", ["config", "manifest"])
def test_config_and_manifest_disagree(tmp_path, store, field):
    """As many diff IDs as layers, or something is hidden."""
    refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(without_layers(field))))


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
@pytest.mark.parametrize("form", ["tar", "folder"])
def test_missing_blob(tmp_path, store, which, form):
    image = the_image()
    blob = {"manifest": imagekit.manifest_bytes(image), "config": image.config_bytes(), "layer": image.blobs()[1]}[which]
    files = changed(imagekit.files_oci(image), blob_name(sha256(blob)), None)
    path = imagekit.write_folder(tmp_path / "layout", files) if form == "folder" else imagekit.write_archive(tmp_path / "layout", files)
    for args in ((), ("--no-verify",)):
        refused(scanner.scan(path, *GATE, *args, db=store), "layout", sha256(blob)[7:19])


def test_indexes_in_indexes(tmp_path, store):
    """An index in an index is normal, a hundred of them are not."""
    image = the_image()
    text, blobs = imagekit.index_bytes([imagekit.manifest_descriptor(image)]), []
    for _ in range(100):
        blobs.append(text)
        text = imagekit.index_bytes([imagekit.descriptor(imagekit.INDEX, text)])
    refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(imagekit.files_oci(image, index=text, more_blobs=blobs))), "image.tar")


def test_index_that_holds_itself(tmp_path, store):
    loop = "sha256:" + "ab" * 32
    text = dumps({"schemaVersion": 2, "mediaType": imagekit.INDEX, "manifests": [{"mediaType": imagekit.INDEX, "digest": loop, "size": 1}]})
    files = {**imagekit.files_oci(the_image(), index=text), blob_name(loop): text}
    for args in ((), ("--no-verify",)):
        refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files), *args), "image.tar")


def test_wide_index(tmp_path, store):
    """Each index names the next one many times over: work must not multiply."""
    image = the_image()
    text, blobs = imagekit.index_bytes([imagekit.manifest_descriptor(image)]), []
    for _ in range(6):
        blobs.append(text)
        text = imagekit.index_bytes([imagekit.descriptor(imagekit.INDEX, text)] * 300)
    result = scan_bytes(tmp_path, store, imagekit.archive_bytes(imagekit.files_oci(image, index=text, more_blobs=blobs)),
                        how=functools.partial(scanner.run_measured, tmp_path))
    assert result.code in (1, 3), result
    assert scanner.sanitized() or result.usage.peak < MEMORY and result.usage.cpu < CPU_SECONDS, result.usage


@pytest.mark.parametrize("count", [600, 100_000])
def test_too_many_layers(tmp_path, store, count):
    """The limit is 500: more are refused, not cut off."""
    layer = tar_of([])
    made = imagekit.files_oci(Image([tar_of(LAYERS[0]), layer]))
    manifest = json.loads(imagekit.manifest_bytes(Image([layer])))
    config = dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [sha256(layer)] * count}})
    text = dumps({**manifest, "config": imagekit.descriptor(imagekit.CONFIG, config), "layers": manifest["layers"] * count})
    files = {**made, blob_name(sha256(config)): config, blob_name(sha256(text)): text,
             "index.json": imagekit.index_bytes([imagekit.descriptor(imagekit.MANIFEST, text)])}
    refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "image.tar", "limit" if count == 600 else "")


# -- digests -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("kind", ["oci", "docker-old"])
def test_wrong_diff_id(tmp_path, store, kind, compression):
    make = imagekit.files_oci if kind == "oci" else imagekit.files_docker_old
    files = make(the_image(compression, diff_ids=[sha256(tar_of(LAYERS[0])), sha256(b"something else")]))
    layer_refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "layer 1", sha256(b"something else"), sha256(tar_of(LAYERS[1])))
    trusting = scan_bytes(tmp_path, store, imagekit.archive_bytes(files), "--no-verify")
    assert trusting.code == 1 and trusting.ids() == IDS


@pytest.mark.parametrize("compression", ["gzip", "zstd-skippable"])
def test_wrong_blob_digest(tmp_path, store, compression):
    """Other bytes under that name, as many of them, and what is in them is the same."""
    image = the_image(compression)
    files, was = imagekit.files_oci(image), sha256(image.blobs()[1])
    blob = bytearray(files[blob_name(was)])
    blob[8] ^= 0x02  # gzip's hint of its own effort; a byte of a skippable frame
    files[blob_name(was)] = bytes(blob)
    layer_refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "layer 1", was, sha256(bytes(blob)))
    trusting = scan_bytes(tmp_path, store, imagekit.archive_bytes(files), "--no-verify")
    assert trusting.code == 1 and trusting.ids() == IDS


@pytest.mark.parametrize("which", ["manifest", "config"])
@pytest.mark.parametrize("form", ["tar", "folder"])
def test_wrong_document_digest(tmp_path, store, which, form):
    image = the_image()
    files = imagekit.files_oci(image)
    text = imagekit.manifest_bytes(image) if which == "manifest" else image.config_bytes()
    files[blob_name(sha256(text))] = text + b" "
    path = imagekit.write_folder(tmp_path / "layout", files) if form == "folder" else imagekit.write_archive(tmp_path / "i.tar", files)
    refused(scanner.scan(path, *GATE, db=store), "digest")
    assert scanner.scan(path, *GATE, "--no-verify", db=store).code == 1


def test_size_in_the_descriptor(tmp_path, store):
    image = the_image()
    manifest = json.loads(imagekit.manifest_bytes(image))
    manifest["layers"][1]["size"] += 1
    text = dumps(manifest)
    files = imagekit.files_oci(image, index=imagekit.index_bytes([imagekit.descriptor(imagekit.MANIFEST, text)]), more_blobs=[text])
    refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "image.tar", "layer 1")


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:zz", "md5:" + "a" * 32, "sha256:../../../../etc/passwd", "sha256:" + "A" * 64,
                                    "sha256:" + "a" * 63, "sha256:" + "a" * 65, "../" * 8 + "etc/passwd", "x" * 100000])
def test_digest_that_is_none(tmp_path, store, digest):
    image = the_image()
    manifest = json.loads(imagekit.manifest_bytes(image))
    manifest["layers"][1]["digest"] = digest
    text = dumps(manifest)
    files = imagekit.files_oci(image, index=imagekit.index_bytes([imagekit.descriptor(imagekit.MANIFEST, text)]), more_blobs=[text])
    for args in ((), ("--no-verify",)):
        refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files), *args))
        refused(scanner.scan(imagekit.write_folder(tmp_path / "layout", files), *GATE, *args, db=store))


def test_uncompressed_layers_are_not_hashed_and_this_is_said(tmp_path, store):
    data = ARCHIVES["old none"]
    talk = scan_bytes(tmp_path, store, data, "--verbose").stderr.lower()
    assert "not hashed" in talk or "not verified" in talk or "not checked" in talk, talk


# -- links and paths --------------------------------------------------------------------------------------------------

CANARY = "ID=canary\nVERSION_ID=666\n"


@pytest.fixture
def canary(tmp_path):
    """A folder on the host with an os-release and a package database that nobody may read."""
    home = tmp_path / "host"
    for entry in (file("os-release", CANARY), file("dpkg/status", ev.deb("canary-deb", "6.6.6")),
                  *ev.dist_info("canary-py", "6.6.6", "site")):
        (home / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (home / entry.path).write_bytes(entry.data)
    return home


def unharmed(result, canary):
    assert result.code in (0, 1, 3)
    assert "canary" not in json.dumps(result.report["image"]["os"]), result
    assert not [c for c in result.report["components"] if "canary" in c["name"]], result
    assert sorted(p.name for p in canary.rglob("*") if p.is_file()) == ["INSTALLER", "METADATA", "RECORD", "os-release", "status"]
    assert (canary / "os-release").read_text() == CANARY


def escapes(canary):
    up = "../" * 30
    return {
        "os-release links out": [symlink("etc/os-release", str(canary / "os-release"))],
        "os-release links out, relative": [symlink("etc/os-release", up + str(canary / "os-release")[1:])],
        "database links out": [symlink("var/lib/dpkg", str(canary / "dpkg"))],
        "hardlink out": [hardlink("etc/os-release", str(canary / "os-release"))],
        "hardlink out, relative": [hardlink("etc/os-release", up + str(canary / "os-release")[1:])],
        "entry goes up": [file(up + str(canary / "os-release")[1:], "ID=x\n")],
        "absolute entry": [file(str(canary / "os-release"), "ID=x\n")],
        "entry through a link": [symlink("out", str(canary)), file("out/os-release", "ID=x\n")],
        "whiteout goes up": [file(up + str(canary)[1:] + "/.wh.os-release")],
        "whiteout of ..": [file("etc/.wh...")],
        "whiteout of nothing": [file("etc/.wh.")],
        "package goes up": [file("../" * 3 + APP, TEXT)],
        "/proc/self/fd": [symlink("etc/os-release", "/proc/self/fd/3"), symlink("var/lib/dpkg/status", "/proc/self/environ")],
        "devices": [tarkit.Entry("etc/os-release", type=tarkit.CHAR), tarkit.Entry("var/lib/dpkg/status", type=tarkit.FIFO),
                    tarkit.Entry(APP, type=tarkit.BLOCKDEV)],
    }


@pytest.mark.parametrize("name", escapes(pathlib.Path("/x")))
def test_paths_that_lead_out(tmp_path, store, canary, name):
    """Row 21: nothing on the host is read or written."""
    result = scan_layer(tmp_path, store, escapes(canary)[name])
    unharmed(result, canary)
    assert all(".." not in path.split("/") for c in result.report["components"] for path in scanner.paths_of(c))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../../../../../../etc/passwd", "layer.tar", "../gone/layer.tar"])
def test_layer_is_a_link_out_of_the_archive(tmp_path, store, target):
    """The symlinks of `docker save` lead to other layers; these lead out, to themselves, or to nothing."""
    files = imagekit.files_docker_old(the_image())
    last = [n for n in files if n.endswith("layer.tar")][-1]
    for item in (symlink(last, target), hardlink(last, target)):
        files[last] = item
        refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "image.tar")


def test_layers_that_link_to_each_other(tmp_path, store):
    files = imagekit.files_docker_old(the_image())
    first, second = [n for n in files if n.endswith("layer.tar")]
    files[first], files[second] = symlink(first, "../" + second), symlink(second, "../" + first)
    refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "image.tar")


def test_chain_of_links_between_layers(tmp_path, store):
    files = imagekit.files_docker_old(the_image())
    last = [n for n in files if n.endswith("layer.tar")][-1]
    for n in range(1000):
        files[f"l{n}"] = symlink(f"l{n}", f"l{n + 1}")
    files[last] = symlink(last, "../l0")
    refused(scan_bytes(tmp_path, store, imagekit.archive_bytes(files)), "image.tar")


@pytest.mark.parametrize("where", ["layout", "blobs", "blobs/sha256", "blob", "index.json"])
def test_layout_folder_with_links(tmp_path, store, where):
    """A folder is the user's own and links in it may be followed; loops end in an error."""
    files = imagekit.files_oci(the_image())
    layout = imagekit.write_folder(tmp_path / "layout", files)
    target = {"layout": layout, "blob": next(p for p in (layout / "blobs/sha256").iterdir())}.get(where, layout / where)
    target.rename(tmp_path / "moved")
    target.symlink_to(target)
    refused(scanner.scan(layout, *GATE, db=store), "layout")


LOOPS = {
    "link to itself": [symlink("lib", "lib"), file("lib/app.dist-info/METADATA", TEXT)],
    "two links": [symlink("a", "b"), symlink("b", "a"), file("a/app.dist-info/METADATA", TEXT)],
    "link to its own inside": [symlink("lib", "lib/lib"), file("lib/x", "x")],
    "chain of 5,000 links": [*(symlink(f"l{n}", f"l{n + 1}") for n in range(5000)), file("l0/app.dist-info/METADATA", TEXT)],
    "links that double": [*(symlink(f"d{n}", f"d{n + 1}/d{n + 1}") for n in range(60)), file("d0/app.dist-info/METADATA", TEXT)],
    "link to the root": [symlink("self", "."), file("self/self/self/app.dist-info/METADATA", TEXT)],
    "hardlinks in a ring": [hardlink("a.dist-info/METADATA", "b.dist-info/METADATA"), hardlink("b.dist-info/METADATA", "a.dist-info/METADATA")],
    "hardlink to itself": [hardlink(APP, APP)],
    "hardlink to nothing": [hardlink(APP, "gone")],
    "hardlink to a folder": [folder("srv"), hardlink(APP, "srv")],
    "hardlink to a symlink": [symlink("s", APP), hardlink("x.dist-info/METADATA", "s"), file(APP, TEXT)],
}


@pytest.mark.parametrize("name", LOOPS)
def test_links_in_circles(tmp_path, store, name):
    """It ends soon, what else the image holds is told, and what a link hides is not clean."""
    result = scan_layer(tmp_path, store, LOOPS[name], timeout=20)
    assert result.code in (1, 3), result
    assert "CVE-2024-0001" in result.ids()


def test_deep_paths(tmp_path, store):
    entries = [file("/".join("d" * 1 for _ in range(1500)) + f"/{n}.dist-info/METADATA", TEXT) for n in range(50)]
    result = scan_layer(tmp_path, store, tar_of(entries, "pax"), timeout=20)
    assert result.code in (1, 3), result


# -- names that play with a terminal -----------------------------------------------------------------------------------

PAYLOADS = {
    "colour": "\x1b[31mred", "title": "\x1b]0;title\x07", "clear": "\x1b[2J\x1b[H", "C1": "\x9b31m", "bell": "\x07", "backspace": "a\x08b",
    "carriage return": "real\rfake", "line": "a\n::error::fake", "right to left": "\u202etxt.exe\u202c", "isolate": "\u2066x\u2069",
    "NUL": "a\x00b", "delete": "a\x7fb", "zero width": "a\u200bb", "tag": "a\U000e0041b", "line separator": "a\u2028b", "bad UTF-8": "a\udcff\udcfeb",
}
FORBIDDEN = [b"\x1b", b"\x07", b"\x08", b"\x7f", b"\r", b"\0", *(chr(c).encode() for c in (
    0x9b, 0x200b, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2028, 0x2029, 0x2066, 0x2067, 0x2068, 0x2069, 0xe0041))]


def poisoned(payload):
    """An image that says `payload` wherever an image can say something, and has findings there."""
    safe = payload.encode("utf-8", "surrogateescape")
    text = b"Name: crit-unfixed\nVersion: 1.0" + safe.replace(b"\n", b" ") + b"\n"
    one = [*ev.base(), tarkit.Entry(b"srv/" + safe + b"/crit_unfixed.dist-info/METADATA", text),
           *ev.dist_info("high-fixed", "1.0", "srv/plain"), tarkit.Entry(b"opt/conda/conda-meta/" + safe + b".json", b"{")]
    two = [ev.os_release(ev.DEBIAN.replace("bookworm)", "bookworm " + payload.replace("\n", " ").encode("utf-8", "replace").decode() + ")")),
           tarkit.Entry(ev.STATUS, (ev.deb("base-files", "1") + "\n").encode() + b"Package: openssl\nStatus: install ok installed\n"
                        b"Architecture: amd64\nVersion: 3.0.1-1" + safe.replace(b"\n", b" ") + b"\nMaintainer: " + safe.replace(b"\n", b" ") + b"\n")]
    words = payload.encode("utf-8", "replace").decode()
    return imagekit.image_of(tar_of(one, "pax"), tar_of(two), tags=(f"app{words}:1",),
                             history=[imagekit.run(f"echo {words}"), imagekit.nop(f"COPY {words} in /", empty=False)])


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_control_characters_get_out(tmp_path, store, name):
    """Row 23: inert in every format and on stderr, whether or not such an image can be read."""
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(poisoned(PAYLOADS[name])))
    for form in ("table", "json"):
        result = scanner.run("image", "--input", path, "--db", store, "-f", form, "--verbose")
        assert result.code in (0, 1, 3), result
        for bad in FORBIDDEN if form == "table" else FORBIDDEN[:6]:
            assert bad not in result.out, (form, bad)
        for bad in FORBIDDEN:
            assert bad not in result.err, (form, bad)
        result.out.decode(), result.err.decode()
        lines = (result.stdout if form == "table" else "").splitlines() + result.stderr.splitlines()
        assert not [text for text in lines if text.lstrip().startswith("::error")], "a CI runner would obey this"
    assert json.loads(result.out)["findings"], "the poisoned image's findings are told"


def test_names_of_files_on_the_command_line(tmp_path, store):
    path = tmp_path / "a\x1b[31m\nb.tar"
    result = scanner.run("image", "--input", path, "--db", store)
    assert result.code == 3
    assert b"\x1b" not in result.err + result.out


# -- what is no image at all ------------------------------------------------------------------------------------------------

def nothing_there(path):
    """The path is left as it is: not there."""


def make_random(path):
    path.write_bytes(random.Random(2).randbytes(100_000))


NO_IMAGES = {
    "not there": nothing_there, "empty file": lambda p: p.write_bytes(b""), "one byte": lambda p: p.write_bytes(b"x"),
    "random": make_random, "empty folder": lambda p: p.mkdir(), "folder of something else": lambda p: (p.mkdir(), (p / "a").write_text("b")),
    "a plain tar": lambda p: p.write_bytes(tar_of([file("a", "b")])), "empty tar": lambda p: p.write_bytes(tar_of([])),
    "zeros": lambda p: p.write_bytes(b"\0" * 100_000), "a gzip of nothing": lambda p: p.write_bytes(imagekit.gzip_member(b"")),
    "a gzip of text": lambda p: p.write_bytes(imagekit.gzip_member(b"hello " * 1000)), "zip": lambda p: p.write_bytes(b"PK\x03\x04" + b"\0" * 500),
    "ELF": lambda p: p.write_bytes(pathlib.Path("/bin/true").read_bytes()), "only oci-layout": lambda p: imagekit.write_folder(
        p, {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}), "index of nothing": lambda p: imagekit.write_folder(
        p, {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": imagekit.index_bytes([])}),
}


@pytest.mark.parametrize("name", NO_IMAGES)
def test_no_image(tmp_path, store, name):
    path = tmp_path / "thing-of-mine"
    NO_IMAGES[name](path)
    for gate in ((), GATE):
        result = scanner.scan(path, *gate, db=store, timeout=10)
        refused(result, "thing-of-mine")
        assert len(result.stderr.splitlines()) <= 6, "a person reads this"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_unreadable(tmp_path, store):
    path = tmp_path / "thing-of-mine"
    path.write_bytes(ARCHIVES["old gzip"])
    path.chmod(0)
    done = scanner.run("image", "--input", path, "--db", store, user=65534, group=65534, extra_groups=[])
    assert done.code == 3 and "thing-of-mine" in done.stderr and "ermission" in done.stderr, done


@pytest.mark.parametrize("command,kind", [("rootfs", "not there"), ("rootfs", "empty file"), ("rootfs", "random")])
def test_no_root_folder(tmp_path, store, command, kind):
    path = tmp_path / "thing-of-mine"
    NO_IMAGES[kind](path)
    refused(scanner.scan(path, *GATE, db=store, command=command), "thing-of-mine")


# -- a root folder is hostile too ---------------------------------------------------------------------------------------------

@pytest.fixture
def root(tmp_path):
    home = tmp_path / "root"
    for entry in [*ev.base(), *ev.dist_info("crit-fixed", "1.0")]:
        (home / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (home / entry.path).write_bytes(entry.data)
    return home


def replace_with_link(path, target):
    if path.is_dir():
        path.rename(path.with_name("moved"))
    else:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("name,target", [("etc/os-release", "os-release"), ("var/lib/dpkg", "dpkg"), ("usr/lib/python3", "site")])
@pytest.mark.parametrize("relative", [False, True])
def test_root_folder_with_links_out(root, store, canary, name, target, relative):
    where = canary / target
    replace_with_link(root / name, os.path.relpath(where, (root / name).parent) if relative else where)
    result = scanner.scan(root, *GATE, db=store, command="rootfs")
    unharmed(result, canary)
    assert "CVE-2024-0001" in result.ids()


def test_root_folder_with_absolute_links_inside(root, store):
    """An absolute link in a root means that root, as it will when it runs."""
    (root / "usr/share").mkdir(parents=True, exist_ok=True)
    (root / "etc/os-release").rename(root / "usr/share/os")
    (root / "etc/os-release").symlink_to("/usr/share/os")
    result = scanner.scan(root, *GATE, db=store, command="rootfs")
    assert result.report["image"]["os"]["id"] == "debian"


def test_root_folder_with_pipes(root, store):
    """A FIFO where a file should be is not waited for."""
    for name in ("var/lib/dpkg/status", f"{ev.SITE}/app-1.0.dist-info/METADATA", "etc/os-release"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).unlink(missing_ok=True)
        os.mkfifo(root / name)
    result = scanner.scan(root, *GATE, db=store, command="rootfs", timeout=20)
    assert result.code in (1, 3) and "CVE-2024-0001" in result.ids(), result


def test_root_folder_with_loops(root, store):
    (root / "loop").symlink_to(".")
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    result = scanner.scan(root, *GATE, db=store, command="rootfs", timeout=20)
    assert result.code == 1 and result.ids() == {"CVE-2024-0001"}, result


def test_deep_root_folder(root, store):
    """Folders deeper than a path can be long."""
    here = os.open(root, os.O_RDONLY)
    for _ in range(600):
        os.mkdir("d" * 20, dir_fd=here)
        inner = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    result = scanner.scan(root, *GATE, db=store, command="rootfs", timeout=20)
    assert result.code in (1, 3) and "CVE-2024-0001" in result.ids(), result
