"""Layers with a table of contents (eStargz, zstd:chunked): the same findings as of the plain layer, from few of
its bytes; and what is wrong with a table or a chunk is told, never passed over."""

import json
import pathlib
import random
import shutil
import subprocess

import pytest

import evidence as ev
import imagekit
import lazykit
import registrykit as kit
import scanner
import tarkit
from lazykit import LazyImage, files_of, lazy_layer
from tarkit import file, folder, hardlink, symlink, tar_of, whiteout
from test_registry import home, registry, serve  # noqa: F401

KINDS = list(lazykit.MAKERS)
WAYS = {"plain": ("estargz", {}), "chunks": ("estargz", {"chunk": 100}), "small-chunks": ("estargz", {"chunk": 7, "smallest": 50}),
        "one-member": ("estargz", {"smallest": 1 << 20}),
        "zstd": ("zstd:chunked", {}), "zstd-chunks": ("zstd:chunked", {"chunk": 100})}
LAYERS = [
    ev.base() + ev.dist_info("crit-fixed", "1.0") + [folder("srv"), file("srv/empty"), file("srv/x", "x" * 5000)],
    ev.dist_info("high-unfixed", "3.1") + [symlink("opt/link", "../srv"), hardlink("srv/y", "srv/x"), whiteout("srv/x")],
    [file("var/lib/dpkg/status", "\n".join([ev.deb("base-files", "12.4+deb12u9"), ev.deb("libssl3", "3.0.11-1~deb12u2", "openssl")])),
     file("srv/zeros", bytes(9000) + b"x" + bytes(3000))],
    [whiteout(ev.SITE + "/crit_fixed-1.0.dist-info")],
]


def scan_image(tmp_path, store, image, *args, replace=None, as_folder=False):
    files = files_of(image, replace)
    path = imagekit.write_folder(tmp_path / "layout", files) if as_folder \
        else imagekit.write_archive(tmp_path / "image.tar", files)
    return scanner.scan(path, *args, db=store)


def plain(tmp_path, store, layers):
    image = imagekit.image_of(*layers, compression="gzip")
    result = scanner.scan(imagekit.write_archive(tmp_path / "plain.tar", imagekit.files_oci(image)), db=store)
    assert result.code == 0, result
    return result


def assert_alike(result, expected):
    assert result.code == expected.code, result
    for part in ("components", "findings", "errors"):
        assert result.report[part] == expected.report[part], result


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("as_folder", [False, True], ids=["archive", "folder"])
def test_as_the_plain_image(tmp_path, store, way, as_folder):
    kind, options = WAYS[way]
    expected = plain(tmp_path, store, LAYERS)
    image = LazyImage(*(lazy_layer(kind, tar_of(layer), **options) for layer in LAYERS))
    result = scan_image(tmp_path, store, image, "-v", as_folder=as_folder)
    assert_alike(result, expected)
    assert "by its table of contents" in result.stderr
    whole = scan_image(tmp_path, store, image, "-v", "--no-lazy", as_folder=as_folder)
    assert_alike(whole, expected)
    assert "by its table of contents" not in whole.stderr


@pytest.mark.parametrize("way", WAYS)
def test_from_a_registry(tmp_path, store, registry, home, way):  # noqa: F811
    kind, options = WAYS[way]
    expected = plain(tmp_path, store, LAYERS)
    image = LazyImage(*(lazy_layer(kind, tar_of(layer), **options) for layer in LAYERS))
    registry.push(image, "app", "1", change=lambda _: image.manifest())
    for args in ([], ["--no-lazy"]):
        result = kit.scan_name(f"{registry.host}/app:1", *args, home=home, db=store)
        assert_alike(result, expected)


def junk(count, size):
    maker = random.Random(7)
    return [file(f"srv/junk/{n}", maker.randbytes(size)) for n in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_little_is_read(tmp_path, store, registry, home, kind):  # noqa: F811
    """50 MB that no reader asks for, before and behind what they do: under 5 % of it comes."""
    entries = junk(25, 1 << 20) + LAYERS[0] + junk(25, 1 << 20)
    layer = lazy_layer(kind, tar_of(entries))
    image = LazyImage(layer)
    result = scan_image(tmp_path, store, image, "--stats")
    assert result.code == 0 and result.ids() == {"CVE-2024-0001"}, result
    assert result.report["stats"]["bytes_read"] < len(layer[0]) / 20
    registry.push(image, "app", "1", change=lambda _: image.manifest())
    result = kit.scan_name(f"{registry.host}/app:1", "--stats", home=home, db=store)
    assert result.code == 0 and result.ids() == {"CVE-2024-0001"}, result
    assert result.report["stats"]["bytes_read"] < len(layer[0]) / 20
    assert len(registry.requests("layer", "GET")) < 12


@pytest.mark.parametrize("kind", KINDS)
def test_many_files(tmp_path, store, kind):
    """Thousands of entries, and packages all over them."""
    entries = []
    for number in range(1000):
        entries += ev.dist_info(f"package-{number}", "1.0") + [file(f"srv/{number}/{n}", f"{n}") for n in range(5)]
    entries += ev.base()
    path = imagekit.write_archive(tmp_path / "image.tar", files_of(LazyImage(lazy_layer(kind, tar_of(entries)))))
    result = scanner.run_measured(tmp_path, "image", "--input", path, "-f", "json", "--db", store)
    assert result.code == 0, result
    assert len(json.loads(result.stdout)["components"]) == 1001
    assert scanner.sanitized() or result.usage.cpu < 5


def test_links_lead_to_another_round(tmp_path, store):
    """A package database behind a symlink: the layer is read twice."""
    moved = [file("srv/db/status", ev.deb("libssl3", "3.0.11-1~deb12u2", "openssl")), symlink("var/lib/dpkg", "../../srv/db"), ev.os_release()]
    expected = plain(tmp_path, store, [moved])
    assert ("deb", "libssl3", "3.0.11-1~deb12u2", 0) in expected.components()
    for kind in KINDS:
        assert_alike(scan_image(tmp_path, store, LazyImage(lazy_layer(kind, tar_of(moved)))), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_climbing_paths(tmp_path, store, kind):
    entries = ev.base() + [file("../../up", "x"), hardlink("srv/l", "../../etc/os-release")]
    want = scanner.scan(imagekit.write_archive(tmp_path / "plain.tar", imagekit.files_oci(imagekit.image_of(entries))), db=store)
    assert want.code == 3 and "climbs above" in str(want.errors), want
    result = scan_image(tmp_path, store, LazyImage(lazy_layer(kind, tar_of(entries))))
    assert result.code == 3 and result.components() == want.components(), result
    assert sorted((e["layer"], e["path"]) for e in result.errors) == sorted((e["layer"], e["path"]) for e in want.errors)
    assert str(result.errors).count("climbs above") == 2, result


# -- what is wrong ------------------------------------------------------------------------------------

def first_file(toc):
    return next(item for item in toc["entries"] if item.get("size"))


def wanted(toc):
    return next(item for item in toc["entries"] if item["name"].endswith("METADATA"))


def changed(**fields):
    def change(toc):
        wanted(toc).update(fields)
    return change


def overlapping(toc):
    files = [item for item in toc["entries"] if item.get("size")]
    for item in files[1:]:
        item["offset"] = files[0]["offset"]
    for item in files:
        item.pop("endOffset", None)


def without(*keys):
    def change(toc):
        for key in keys:
            wanted(toc).pop(key, None)
    return change


def swapped(toc):
    at = [n for n, item in enumerate(toc["entries"]) if item.get("size")]
    one, two = toc["entries"][at[0]], toc["entries"][at[1]]
    toc["entries"][at[0]], toc["entries"][at[1]] = two, one


def text(data):
    return lambda toc: data


def many(count):
    """So many entries in as few bytes as can be."""
    return lambda toc: b'{"version":1,"entries":[' + b'{"type":"dir","name":""},' * (count - 1) + b'{"type":"dir","name":""}]}'


OTHER = "sha256:" + "0" * 64
# change of the table: a word of what is told
WRONG = {
    "other-chunk": (changed(digest=OTHER, chunkDigest=OTHER), "digest"),
    "no-chunk-digest": (without("digest", "chunkDigest"), "no digest"),
    "odd-chunk-digest": (changed(digest="md5:00", chunkDigest="md5:00"), "no digest"),
    "overlap": (overlapping, "overlap"),
    "unsorted": (swapped, "order"),
    "beyond": (changed(offset=1 << 40, endOffset=1 << 41), "behind the end"),
    "huge-offset": (changed(offset=(1 << 63) - 1), "behind the end"),
    "no-offset": (without("offset"), "not said where"),
    "negative": (changed(offset=-1), "not a whole number"),
    "negative-size": (changed(size=-5), "not a whole number"),
    "fraction": (changed(size=1.5), "not a whole number"),
    "too-large": (changed(size=1 << 64), "not a whole number"),
    "size-more": (changed(size=1 << 20), "digest|ends before"),
    "size-limit": (changed(size=1 << 40), "limit"),
    "size-less": (changed(size=3), "digest"),
    "chunk-more": (changed(chunkSize=1 << 20), "follow"),
    "chunk-less": (changed(chunkSize=3), "add up"),
    "chunk-place": (changed(chunkOffset=3), "follow"),
    "inside": (changed(innerOffset=1 << 30), "before it should|before its|overlap|ends"),
    "text-as-number": (changed(size="5"), "not a whole number"),
    "number-as-text": (changed(name=5), "string"),
    "type": (changed(type="socket"), "type"),
    "chunk-alone": (lambda toc: toc["entries"].insert(0, {"type": "chunk", "name": "x", "offset": 5, "chunkSize": 5}), "behind the file"),
    "chunk-of-another": (lambda toc: toc["entries"].insert(1, {"type": "chunk", "name": "x", "offset": 5, "chunkSize": 5}), "behind the file"),
    "case": (changed(Name="x"), "upper and lower case"),
    "case-entries": (lambda toc: toc.update(Entries=[]), "upper and lower case"),
    "twice": (text(b'{"version":1,"entries":[{"name":"a","name":"b","type":"dir"}]}'), "twice"),
    "entries-twice": (text(b'{"version":1,"entries":[],"entries":[]}'), "twice"),
    "version": (lambda toc: toc.update(version=2), "version"),
    "no-version": (lambda toc: toc.pop("version") and None, "version"),
    "no-entries": (lambda toc: toc.pop("entries") and None, "no entries"),
    "deep": (text(b'{"version":1,"entries":' + b"[" * 100000 + b"]" * 100000 + b"}"), "object was expected|deeper"),
    "deep-value": (text(b'{"version":1,"entries":[{"name":"a","xattrs":' + b"[" * 9999 + b"]" * 9999 + b"}]}"), "deeper"),
    "cut-json": (text(b'{"version":1,"entries":[{"name":"a'), "no end"),
    "more-json": (text(b'{"version":1,"entries":[]}{}'), "follows"),
    "empty": (text(b" "), "expected"),
    "path": (changed(name="x" * 5000), "limit"),
    "entries": (many(4000001), "limit|4000000"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", WRONG)
def test_wrong_table(tmp_path, store, kind, name):
    """The table has the digest that the manifest names: whoever made the image made it wrong."""
    change, words = WRONG[name]
    good = ev.base() + ev.dist_info("high-fixed", "1.0")
    layers = [lazy_layer(kind, tar_of(good)), lazy_layer(kind, tar_of(LAYERS[0]), change=change)]
    result = scan_image(tmp_path, store, LazyImage(*layers))
    assert result.code == 3, result
    assert [e for e in result.errors if e["layer"] == 1], result
    assert any(word in json.dumps(result.errors) for word in words.split("|")), result
    assert "signal" not in str(result.errors) and "worker" not in str(result.errors), result
    assert "CVE-2024-0002" in result.ids()
    whole = scan_image(tmp_path, store, LazyImage(*layers), "--no-lazy")
    assert whole.code == 0 and {"CVE-2024-0001", "CVE-2024-0002"} <= whole.ids(), whole


SPOILT = {
    "other-digest": lambda kind, tar: lazy_layer(kind, tar, digest=OTHER),
    "footer": lambda kind, tar: lazy_layer(kind, tar, **(
        {"footer_offset": 1 << 40} if kind == "estargz" else {"position": f"{1 << 40}:100:100:1"})),
    "footer-near": lambda kind, tar: lazy_layer(kind, tar, **(
        {"footer_offset": 5} if kind == "estargz" else {"position": "5:100:100:1"})),
    "unpacked": lambda kind, tar: lazy_layer(kind, tar, **(
        {"footer_offset": (1 << 64) - 1} if kind == "estargz" else {"position": f"{(1 << 64) - 1}:100:100:1"})),
    "bomb": lambda kind, tar: lazy_layer(kind, tar, change=lambda _: b" " * (200 << 20)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SPOILT)
def test_no_such_table(tmp_path, store, kind, name):
    layer = SPOILT[name](kind, tar_of(LAYERS[0]))
    result = scan_image(tmp_path, store, LazyImage(layer))
    assert result.code == 3, result
    assert [e for e in result.errors if e["layer"] == 0 and "table of contents" in e["message"] or "footer" in e["message"]], result
    assert "worker" not in str(result.errors), result


def spoil(blob, at):
    return blob[:at] + bytes([blob[at] ^ 0xff]) + blob[at + 1:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("remote", [False, True], ids=["archive", "registry"])
@pytest.mark.parametrize("fault", ["cut", "short", "chunk", "table"])
def test_changed_on_its_way(tmp_path, store, registry, home, kind, remote, fault):  # noqa: F811
    """The layer is not the one that the manifest names."""
    layer = lazy_layer(kind, tar_of(LAYERS[0]))
    image, blob = LazyImage(layer), layer[0]
    toc = blob.rindex(b"\x1f\x8b\x08\0") if kind == "estargz" else int(layer[1][lazykit.POSITION].split(":")[0])
    bad = {"cut": blob[:-200], "short": blob[:-1], "table": spoil(blob, toc + 60),
           "chunk": blob[:20] + bytes(toc - 20) + blob[toc:]}[fault]
    if remote:
        registry.push(image, "app", "1", change=lambda _: image.manifest())
        registry.blobs[imagekit.sha256(blob)] = bad
        result = kit.scan_name(f"{registry.host}/app:1", home=home, db=store)
    else:
        result = scan_image(tmp_path, store, image, replace={imagekit.blob_name(imagekit.sha256(blob)): bad})
    if remote and fault == "short" and kind == "zstd:chunked":
        # Its last byte is none of those that are asked for, and all that are have their digests.
        assert result.code == 0 and "CVE-2024-0001" in result.ids(), result
        return
    assert result.code == 3, result
    assert result.errors and all(e["layer"] == 0 for e in result.errors), result


@pytest.mark.parametrize("kind", KINDS)
def test_bomb_in_a_chunk(tmp_path, store, kind):
    """A chunk that unpacks to far more than it should: only what the table says is unpacked."""
    blob, notes, how = lazy_layer(kind, tar_of(ev.base() + [file(ev.SITE + "/a-1.dist-info/METADATA", "Name: a\nVersion: 1\n" + "\n" * (80 << 20))]))
    result = scan_image(tmp_path, store, LazyImage((blob, notes, how)))
    assert result.code in (0, 3), result
    assert "worker" not in str(result.errors), result


def test_annotations_of_another_layer(tmp_path, store):
    """Packed anew, the annotations left as they were: the layer's type says what it is."""
    tar = tar_of(LAYERS[0])
    notes = lazykit.make_estargz(tar)[1] | lazykit.make_zstd_chunked(tar)[1]
    for how in ("none", "zstd", "gzip"):
        result = scan_image(tmp_path, store, LazyImage((imagekit.compress(tar, how), notes, how)))
        ends_well = how == "none"  # of a type that has no table; else the digest of the table tells
        assert (result.code == 0) == ends_well, result
        assert "CVE-2024-0001" in result.ids() or not ends_well, result


# -- as others make them ----------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def stargz_tool(tmp_path_factory):
    if not shutil.which("go"):
        pytest.skip("go is not installed: stargz-snapshotter's library cannot be built")
    out = tmp_path_factory.mktemp("go") / "estargz"
    source = pathlib.Path(__file__).resolve().parents[1] / "tools" / "estargz"
    done = subprocess.run(["go", "build", "-mod=readonly", "-o", out, "."], cwd=source, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"stargz-snapshotter's library cannot be built: {done.stderr[-300:]}")
    return out


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("args", [[], ["-chunk", "100"], ["-chunk", "100", "-min-chunk", "300"], ["-min-chunk", "100000"],
                                  ["-zstd"], ["-zstd", "-chunk", "100"]], ids=" ".join)
def test_of_stargz_snapshotter(tmp_path, store, stargz_tool, args):
    expected = plain(tmp_path, store, LAYERS)
    made = []
    for layer in LAYERS:
        done = subprocess.run([stargz_tool, *args], input=tar_of(layer), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        made.append((done.stdout, json.loads(done.stderr), "zstd" if "-zstd" in args else "gzip"))
    result = scan_image(tmp_path, store, LazyImage(*made), "-v")
    assert_alike(result, expected)
    assert result.stderr.count("by its table of contents") == len(LAYERS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_of_containers_storage(tmp_path, store):
    """zstd:chunked as skopeo makes it."""
    if not shutil.which("skopeo"):
        pytest.skip("skopeo is not installed")
    entries = LAYERS[0] + LAYERS[2] + junk(20, 100000)
    expected = plain(tmp_path, store, [entries])
    source = imagekit.write_archive(tmp_path / "docker.tar", imagekit.files_docker_old(imagekit.image_of(entries)))
    done = subprocess.run(["skopeo", "--insecure-policy", "copy", "--format", "oci", "--dest-compress", "--dest-compress-format",
                           "zstd:chunked", f"docker-archive:{source}", f"oci:{tmp_path / 'made'}:app:1"],
                          capture_output=True, text=True, timeout=120)
    if done.returncode or "zstd-chunked" not in "".join(p.read_text("latin-1") for p in (tmp_path / "made/blobs/sha256").iterdir()):
        pytest.skip(f"this skopeo makes no zstd:chunked: {done.stderr[-300:]}")
    result = scanner.scan(tmp_path / "made", "-v", db=store)
    assert_alike(result, expected)
    assert "by its table of contents" in result.stderr
