"""Scans that share a cache of layer records: what is not read again, and what must never be taken from it."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import daemonkit
import evidence as ev
import imagekit
import registrykit
import scanner
from tarkit import file, symlink

pytestmark = pytest.mark.timeout(180)
SETTLED = 2.2  # seconds after which a file that was not changed is known by its place and times

noise = random.Random(6)


def layer(name, version, *more):
    """A layer with a package and so many bytes, which do not pack, that its being read shows."""
    return [*ev.dist_info(name, version), *more, file(f"srv/{name}-{version}", noise.randbytes(200_000))]


BASE = [*ev.base(), *layer("low-fixed", "1.0")]
APP = layer("high-fixed", "1.0")
OWN = layer("crit-fixed", "1.0")
OTHER = layer("crit-unfixed", "6.6")
DEBS = [ev.os_release(), symlink("var/lib/dpkg", "../../usr/lib/db"),
        ev.dpkg(ev.deb("libssl3", "3.0.11-1~deb12u2", source="openssl"), path="usr/lib/db/status")]

FORMS = {
    "docker-archive": lambda path, image: imagekit.write_archive(path, imagekit.files_docker_old(image)),
    "oci-dir": lambda path, image: imagekit.write_folder(path, imagekit.files_oci(image)),
    "oci-archive": lambda path, image: imagekit.write_archive(path, imagekit.files_oci(image)),
}


def ask(image, cache, *args, db=None, env=None, **more):
    """A scan of `image` that uses the cache; None: the one of the environment."""
    place = ["--cache-dir", cache] if cache else []
    store = ["--db", db] if db else []
    result = scanner.run("image", image, "-f", "json", "--verbose", *place, *store, *args, env={"PLIMSOLL_NO_CACHE": "", **(env or {})}, **more)
    if result.out.strip():
        result.report = scanner._report_in(result.stdout)
        assert result.verdict["exit_code"] == result.code, result
    return result


def cold(image, db, *args):
    """The same without any cache."""
    return ask(image, None, "--no-cache", *args, db=db)


def from_cache(result):
    return {int(number) for number in re.findall(r"layer (\d+): its record was in the cache", result.stderr)}


def same(result, other):
    """Byte for byte the same report, and the same verdict."""
    assert result.out == other.out and result.code == other.code, f"{result!r}\n--- and\n{other!r}"


def records(cache):
    return sorted((pathlib.Path(cache) / "layers").glob("*"))


def status(cache, **more):
    done = scanner.run("cache", "status", "--cache-dir", cache, "-f", "json", **more)
    assert done.code == 0, done
    return json.loads(done.stdout)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def write(tmp_path):
    """write(name, [layers], form) makes an image; its path."""
    def make(name, layers, form="oci-dir", **more):
        image = layers if isinstance(layers, imagekit.Image) else imagekit.image_of(*layers, **{"compression": "gzip", **more})
        return FORMS[form](tmp_path / name, image)
    return make


# -- what is not read again -----------------------------------------------------------------------------------

@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("form", FORMS)
def test_second_scan_reads_no_layer(write, cache, store, form, compression):
    image = imagekit.image_of(BASE, APP, OWN, compression=compression)
    path = write("image", image, form)
    if compression == "none":
        time.sleep(SETTLED)  # not hashed, so known by its place
    first, second = ask(path, cache, "--stats", db=store), ask(path, cache, "--stats", db=store)
    assert (first.code, from_cache(first), from_cache(second)) == (0, set(), {0, 1, 2}), (first, second)
    read = [result.report.pop("stats")["bytes_read"] for result in (first, second)]
    assert first.report == second.report
    assert read[1] < 50_000, read
    assert compression == "none" or read[0] > sum(map(len, image.blobs())), read
    same(ask(path, cache, db=store), cold(path, store))


@pytest.mark.parametrize("whole", ["gzip", "zstd"])
def test_packed_archive(tmp_path, cache, store, whole):
    """It has to be unpacked each time; the report is the same."""
    files = imagekit.files_docker_old(imagekit.image_of(BASE, APP, OWN))
    path = imagekit.write_archive(tmp_path / "image.tar", files, whole=whole)
    before = cold(path, store)
    for _ in range(3):
        same(ask(path, cache, db=store), before)


def test_registry_is_asked_for_no_layer(cache, store):
    with registrykit.Registry() as registry:
        registry.push(imagekit.image_of(BASE, APP, OWN, compression="gzip"), "app", "1")
        name = f"registry:{registry.host}/app:1"
        first = ask(name, cache, "--insecure", db=store)
        assert first.code == 0 and len(registry.layers_fetched()) == 3, first
        registry.log.clear()
        second = ask(name, cache, "--insecure", db=store)
        assert registry.layers_fetched() == [] and from_cache(second) == {0, 1, 2}, second
        same(second, first)


def test_shared_layers(write, cache, store):
    """An image on layers that are known reads its own only, whatever they are packed in."""
    one = write("one", [BASE, APP, OWN])
    image = imagekit.image_of(BASE, APP, OTHER, compression="zstd")
    two = write("two", image, "oci-archive")
    ask(one, cache, db=store)
    result = ask(two, cache, "--stats", db=store)
    assert from_cache(result) == {0, 1}, result
    own = len(image.blobs()[2])
    assert own <= result.report["stats"]["bytes_read"] < own + 50_000, result
    same(ask(two, cache, db=store), cold(two, store))
    assert len(records(cache)) == 4


def test_from_one_source_to_another(write, cache, store):
    """What was read from the registry need not be read from a file, and the other way round."""
    path = write("image", [BASE, APP, OWN], "docker-archive")
    with registrykit.Registry() as registry:
        registry.push(imagekit.image_of(BASE, APP, OTHER, compression="zstd"), "app", "1")
        assert ask(f"registry:{registry.host}/app:1", cache, "--insecure", db=store).code == 0
        result = ask(path, cache, db=store)
        assert from_cache(result) == {0, 1}, result
        same(result, cold(path, store))


def test_order_of_layers(write, cache, store):
    """A record knows nothing of where its layer stands."""
    one, two = write("one", [BASE, APP, OWN]), write("two", [BASE, OWN, APP])
    ask(one, cache, db=store)
    result = ask(two, cache, db=store)
    assert from_cache(result) == {0, 1, 2}, result
    same(result, cold(two, store))


def test_no_cache(write, cache, store):
    path = write("image", [BASE, APP])
    ask(path, cache, "--no-cache", db=store)
    assert not cache.exists()
    ask(path, cache, db=store)
    before = [(p.name, p.stat().st_mtime_ns) for p in records(cache)]
    assert from_cache(ask(path, cache, "--no-cache", db=store)) == set()
    assert [(p.name, p.stat().st_mtime_ns) for p in records(cache)] == before


def test_whose_files_they_are(write, tmp_path, store):
    """In the user's cache folder, and for nobody else to see, whatever the umask."""
    path = write("image", [BASE, APP])
    before = os.umask(0)
    try:
        result = ask(path, None, db=store, env={"XDG_CACHE_HOME": str(tmp_path / "xdg")})
    finally:
        os.umask(before)
    assert result.code == 0, result
    layers = tmp_path / "xdg" / "plimsoll" / "layers"
    assert len(list(layers.iterdir())) == 2
    assert [p.stat().st_mode & 0o777 for p in (layers.parent, layers, *layers.iterdir())] == [0o700, 0o700, 0o600, 0o600]


# -- what a record depends on --------------------------------------------------------------------------------------

def test_redirects_are_part_of_the_key(write, cache, store):
    """The same layer, once with a link to the database and once without: each finds what it would without a cache."""
    database = DEBS[2:]
    linked = write("linked", [BASE[:1], database, DEBS[:2]])
    plain = write("plain", [BASE[:1], database])
    expected = {path: cold(path, store) for path in (linked, plain)}
    assert expected[linked].packages("deb") == [("libssl3", "3.0.11-1~deb12u2")] and expected[plain].packages("deb") == []
    for order in ((linked, plain), (plain, linked)):
        shutil.rmtree(cache, ignore_errors=True)
        for path in order * 3:
            same(ask(path, cache, db=store), expected[path])


def test_another_version(write, tmp_path, cache, store):
    """A program whose records have another format neither takes these nor gives its own."""
    program = pathlib.Path(scanner.binary()).read_bytes()
    if program.count(b"record %d\0") != 1:
        pytest.skip("the format's number is not to be found in the program")
    other = tmp_path / "other"
    other.write_bytes(program.replace(b"record %d\0", b"recorD %d\0"))
    other.chmod(0o755)
    path = write("image", [BASE, APP])
    before = cold(path, store)
    for programs in ((scanner.binary(), other), (other, scanner.binary())):
        shutil.rmtree(cache, ignore_errors=True)
        for known in (set(), {0, 1}):
            for one in programs:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("PLIMSOLL", str(one))
                    result = ask(path, cache, db=store)
                assert from_cache(result) == known
                same(result, before)
        # The copy has no compiled rules beside it: it keeps its own there.
        assert len(records(cache)) == 5


@pytest.mark.parametrize("wait", [0, SETTLED])
@pytest.mark.parametrize("how", ["over it", "in its place"])
def test_file_changed_behind_its_back(tmp_path, cache, store, how, wait):
    """Uncompressed layers are known by their place: not when other bytes, as many and as old, lie there."""
    path = tmp_path / "image.tar"

    def write(version):
        files = imagekit.files_docker_old(imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", version)]))
        if how == "in its place":
            path.unlink(missing_ok=True)
        path.write_bytes(imagekit.archive_bytes(files))
        os.utime(path, (1_700_000_000, 1_700_000_000))

    for version in ("1.1", "1.2", "1.3"):
        write(version)
        time.sleep(wait)
        for _ in range(2):
            assert ask(path, cache, db=store).packages("pypi") == [("crit-fixed", version)]


# -- poison ----------------------------------------------------------------------------------------------------

def poisoned(compression="gzip"):
    """An image whose topmost layer says that it is OWN, and is OTHER."""
    right = imagekit.image_of(BASE, OWN)
    return imagekit.image_of(BASE, OTHER, compression=compression, diff_ids=[imagekit.sha256(tar) for tar in right.layers])


def not_hashed(form, compression):
    """Uncompressed layers in a file are seeked through: their diff ID is not computed, which --verbose says. In an
    OCI layout it has to be the digest, which shows without."""
    return compression == "none" and form == "docker-archive"


@pytest.mark.parametrize("options", [[], ["--no-verify"], ["--no-lazy"]], ids=["", "no-verify", "no-lazy"])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("form", FORMS)
def test_wrong_diff_id(write, cache, store, form, compression, options):
    """Never kept under it: the image that has that layer is scanned rightly with the same cache."""
    bad, good = write("bad", poisoned(compression), form), write("good", [BASE, OWN], form, compression=compression)
    if compression == "none":
        time.sleep(SETTLED)
    passes = "--no-verify" in options or not_hashed(form, compression)
    for _ in range(2):
        result = ask(bad, cache, *options, db=store)
        assert result.code == (0 if passes else 3), result
        assert passes or "diff ID" in result.complaints(), result
        assert ("crit-fixed", "1.0") not in result.packages("pypi"), result
    for more in ([], options):
        result = ask(good, cache, *more, db=store)
        assert result.code == 0 and ("crit-fixed", "1.0") in result.packages("pypi"), result
        same(result, cold(good, store))


@pytest.mark.parametrize("options", [[], ["--no-verify"]], ids=["", "no-verify"])
def test_wrong_diff_id_from_a_registry(cache, store, options):
    with registrykit.Registry() as registry:
        registry.push(poisoned(), "bad", "1")
        registry.push(imagekit.image_of(BASE, OWN, compression="gzip"), "good", "1")
        for _ in range(2):
            result = ask(f"registry:{registry.host}/bad:1", cache, "--insecure", *options, db=store)
            assert result.code == (0 if options else 3), result
        name = f"registry:{registry.host}/good:1"
        same(ask(name, cache, "--insecure", db=store), cold(name, store, "--insecure"))


@pytest.mark.parametrize("whole", ["gzip", "zstd"])
def test_wrong_diff_id_in_a_packed_archive(tmp_path, cache, store, whole):
    bad, good = (imagekit.write_archive(tmp_path / name, imagekit.files_docker_old(image), whole=whole) for name, image in (
        ("bad.tar", poisoned("none")), ("good.tar", imagekit.image_of(BASE, OWN))))
    result = ask(bad, cache, db=store)
    assert result.code == 3 and "diff ID" in result.complaints(), result
    same(ask(good, cache, db=store), cold(good, store))
    assert ask(bad, cache, "--no-verify", db=store).code == 0
    same(ask(good, cache, db=store), cold(good, store))


@pytest.mark.parametrize("options", [[], ["--no-verify"]], ids=["", "no-verify"])
@pytest.mark.parametrize("kind", ["estargz", "zstd:chunked"])
def test_wrong_table_of_contents(cache, store, kind, options):
    """A layer that names another's table of contents: what was found in it is never taken for the other's."""
    told = imagekit.sha256(b"a table of contents")
    notes = {"containerd.io/snapshot/stargz/toc.digest": told} if kind == "estargz" else {
        "io.github.containers.zstd-chunked.manifest-checksum": told, "io.github.containers.zstd-chunked.manifest-position": "100:100:100:1"}

    def change(manifest):
        manifest["layers"][-1]["annotations"] = notes
    with registrykit.Registry() as registry:
        for name, top in (("bad", OTHER), ("good", OWN)):
            registry.push(imagekit.image_of(BASE, top, compression="gzip" if kind == "estargz" else "zstd"), name, "1", change=change)
        before = cold(f"registry:{registry.host}/good:1", store, "--insecure")
        for _ in range(2):
            ask(f"registry:{registry.host}/bad:1", cache, "--insecure", *options, db=store)
        result = ask(f"registry:{registry.host}/good:1", cache, "--insecure", db=store)
        assert ("crit-unfixed", "6.6") not in result.packages("pypi"), result
        same(result, before)


def test_layer_that_cannot_be_read_is_not_kept(write, tmp_path, cache, store):
    """A cut layer is an error each time; the whole one is read when it is there."""
    path = write("image", [BASE, OWN])
    blob = tmp_path / "image" / imagekit.blob_name(imagekit.sha256(imagekit.image_of(BASE, OWN, compression="gzip").blobs()[1]))
    whole = blob.read_bytes()
    blob.write_bytes(whole[:len(whole) // 2])
    for _ in range(2):
        result = ask(path, cache, db=store)
        assert result.code == 3 and 1 not in from_cache(result), result
    blob.write_bytes(whole)
    same(ask(path, cache, db=store), cold(path, store))


@pytest.mark.skipif(not scanner.has_hooks(), reason="the program was built without its test hooks")
def test_worker_that_ends_badly_keeps_nothing(write, cache, store):
    path = write("image", [BASE, OWN])
    for how in ("garbage", "half", "segv"):
        result = ask(path, cache, db=store, env={"PLIMSOLL_TEST_WORKER": f"1:{how}"})
        assert result.code == 3 and 1 not in from_cache(result), result
        assert status(cache)["records"] <= 1, how
    same(ask(path, cache, db=store), cold(path, store))


# -- files that are damaged -------------------------------------------------------------------------------------------

def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1:]


def fifo(path):
    path.unlink()
    os.mkfifo(path)


def link(path):
    path.rename(path.parent.parent / path.name)
    path.symlink_to(f"../{path.name}")


def directory(path):
    path.unlink()
    path.mkdir()


def sparse(path):
    os.truncate(path, 1 << 40)


DAMAGES = {
    **{name: lambda path, change=change: path.write_bytes(change(path.read_bytes())) for name, change in {
        "empty": lambda data: b"", "cut": lambda data: data[:len(data) // 2], "one byte less": lambda data: data[:-1],
        "one byte more": lambda data: data + b"\0", "garbage": lambda data: b"\xa5" * len(data), "zeros": lambda data: bytes(len(data)),
        "a bit in the magic": lambda data: flipped(data, 0), "a bit in the length": lambda data: flipped(data, 25),
        "a bit in the key": lambda data: flipped(data, 40), "a bit in the middle": lambda data: flipped(data, len(data) * 2 // 3),
        "a bit in the checksum": lambda data: flipped(data, len(data) - 3)}.items()},
    "a pipe": fifo, "a link": link, "a folder": directory, "a terabyte of holes": sparse,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged(write, cache, store, damage):
    """Taken as not there, without a word to the user, and made anew."""
    path = write("image", [BASE, APP, OWN])
    before = ask(path, cache, db=store)
    for record in records(cache):
        DAMAGES[damage](record)
    result = ask(path, cache, db=store, timeout=20)
    assert from_cache(result) == set() and result.stderr == before.stderr, result
    same(result, before)
    again = ask(path, cache, db=store)
    assert damage == "a folder" or from_cache(again) == {0, 1, 2}, again
    same(again, before)


def test_one_record_in_the_place_of_another(write, cache, store):
    """Whole, and of this program: but a record says whose it is."""
    path = write("image", [BASE, APP, OWN])
    before = ask(path, cache, db=store)
    names = records(cache)
    for source, target in zip(names, [*names[1:], names[0]]):
        source.rename(f"{target}.new")
    for name in names:
        pathlib.Path(f"{name}.new").rename(name)
    result = ask(path, cache, db=store)
    assert from_cache(result) == set(), result
    same(result, before)


# -- whose cache it is ----------------------------------------------------------------------------------------------------

def mine_no_more(path):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.chown(path, daemonkit.NOBODY, -1)


def group_may_write(path):
    path.chmod(path.stat().st_mode | 0o020)


def others_may_write(path):
    path.chmod(path.stat().st_mode | 0o002)


def behind_a_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("below", [False, True], ids=["the folder", "its layers"])
@pytest.mark.parametrize("spoil", [mine_no_more, group_may_write, others_may_write, behind_a_link])
def test_others_could_have_written_it(write, cache, store, spoil, below):
    """Not used: neither read nor written, said once; the scan goes on and decides the exit code."""
    path, more = write("image", [BASE, APP]), write("more", [BASE, OWN])
    before = ask(path, cache, db=store)
    spoil(cache / "layers" if below else cache)
    held = [(p.name, p.stat().st_mtime_ns) for p in records(cache)]
    result = ask(path, cache, db=store)
    assert from_cache(result) == set() and result.stderr.count("the cache is not used") == 1, result
    same(result, before)
    assert ask(more, cache, "--fail-on", "CRITICAL", db=store).code == 1
    quiet = scanner.run("image", path, "--cache-dir", cache, "--db", store, "--quiet", env={"PLIMSOLL_NO_CACHE": ""})
    assert (quiet.code, quiet.stderr) == (0, ""), quiet
    assert [(p.name, p.stat().st_mtime_ns) for p in records(cache)] == held


@pytest.mark.parametrize("spoil", [mine_no_more, group_may_write, others_may_write])
def test_others_could_have_written_a_record(write, cache, store, spoil):
    path = write("image", [BASE, APP, OWN])
    before = ask(path, cache, db=store)
    spoil(records(cache)[0])
    result = ask(path, cache, db=store)
    assert len(from_cache(result)) == 2, result
    same(result, before)
    assert len(from_cache(ask(path, cache, db=store))) == 3, "made anew"


@pytest.fixture
def commons():
    """A folder that any user may go into, with the program in it."""
    with tempfile.TemporaryDirectory(prefix="plimsoll-commons-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield folder


def as_nobody(commons, image, cache, store, *args):
    """ask() by a user who is not root, to whom the cache belongs."""
    for source in (image, store):
        if not (commons / source.name).exists():
            (shutil.copytree if source.is_dir() else shutil.copy)(source, commons / source.name)
            for path in (commons / source.name, *(commons / source.name).rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
    if os.geteuid() == 0 and cache.exists():
        for path in (cache, *cache.rglob("*")):
            os.chown(path, daemonkit.NOBODY, daemonkit.NOBODY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLIMSOLL", str(daemonkit.binary_for_all(commons)))
        return ask(commons / image.name, cache, *args, db=commons / store.name, cwd="/", **daemonkit.as_nobody())


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("below", [False, True], ids=["the folder", "its layers"])
def test_read_only(write, commons, store, full, below):
    """A cache folder that cannot be written to: said, and the scan is as without."""
    path, cache = write("image", [BASE, APP]), commons / "cache"
    if full:
        ask(path, cache, db=store)
    (cache / "layers").mkdir(mode=0o700, parents=True, exist_ok=True)
    (cache / "layers" if below else cache).chmod(0o500)
    if not below:
        (cache / "layers").chmod(0o500)
    held = {p.name: p.read_bytes() for p in records(cache)}
    result = as_nobody(commons, path, cache, store)
    assert result.code == 0, result
    assert from_cache(result) or "the cache is not used" in result.stderr, result
    same(result, as_nobody(commons, path, cache, store, "--no-cache"))
    assert {p.name: p.read_bytes() for p in records(cache)} == held


def test_no_room_to_make_it(write, commons, store):
    """Nor can the folder be made."""
    path = write("image", [BASE, APP])
    (commons / "closed").mkdir(mode=0o555)
    result = as_nobody(commons, path, commons / "closed" / "cache", store)
    if os.geteuid() != 0:
        (commons / "closed").chmod(0o755)
    assert result.code == 0 and "the cache is not used" in result.stderr, result


def test_full_disk(write, commons, store):
    """No room for a record: the report is whole, and nothing half is left."""
    path, cache = write("image", [BASE, APP]), commons / "cache"
    daemonkit.need("mount")
    cache.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=0700", "plimsoll-test", cache], check=True)
    try:
        (cache / "layers").mkdir(mode=0o700)
        (cache / "filler").write_bytes(b"x" * 4096)
        with pytest.raises(OSError):
            (cache / "more").write_bytes(b"x" * (1 << 20))
        for _ in range(2):
            same(ask(path, cache, db=store), cold(path, store))
        assert status(cache)["leftovers"] == 0
        assert not [p for p in records(cache) if p.name.startswith("partial-")]
    finally:
        subprocess.run(["umount", cache], check=True)


def test_no_home(write, tmp_path, store, monkeypatch):
    """Without a place for a cache there is none, and nothing else is touched."""
    path = write("image", [BASE, APP])
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "here").mkdir()
    for env in ({}, {"HOME": "", "XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "relative"}):
        result = ask(path, None, db=store, env=env, cwd=tmp_path / "here")
        assert from_cache(result) == set(), result
        same(result, cold(path, store))
    assert list((tmp_path / "here").iterdir()) == []


def test_home_that_is_not_there(write, store):
    path = write("image", [BASE, APP])
    result = ask(path, None, db=store, env={"HOME": "/proc/nobody", "XDG_CACHE_HOME": ""})
    assert result.stderr.count("the cache is not used") == 1, result
    same(result, cold(path, store))


# -- --no-verify ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_no_verify(write, cache, store, form, compression):
    """Whatever was scanned before in whatever way: each scan says what it would without a cache."""
    bad, good = write("bad", poisoned(compression), form), write("good", [BASE, OWN], form, compression=compression)
    if compression == "none":
        time.sleep(SETTLED)
    asked = [(bad, ["--no-verify"]), (good, []), (good, ["--no-verify"])]
    expected = {(path, *args): cold(path, store, *args) for path, args in asked}
    assert all(result.code == 0 for result in expected.values())
    assert ("crit-unfixed", "6.6") in expected[bad, "--no-verify"].packages("pypi")
    for order in (asked, asked[::-1], asked[1:] + asked[:1]):
        shutil.rmtree(cache, ignore_errors=True)
        for path, args in [*order, *order]:
            same(ask(path, cache, *args, db=store), expected[path, *args])


def test_no_verify_keeps_nothing_as_verified(write, cache, store):
    path = write("image", [BASE, OWN])
    ask(path, cache, "--no-verify", db=store)
    assert from_cache(ask(path, cache, db=store)) == set()


# -- how much is kept ---------------------------------------------------------------------------------------------------------

def large(number):
    """A layer whose record has some size."""
    return [*ev.base(), ev.dpkg(*(ev.deb(f"package-{number}-{n}", f"1.{n}") for n in range(150)))]


def test_cache_size(write, cache, store):
    """Never more than that; what was used least recently goes first, what was used lately stays."""
    images = [write(f"image{n}", [large(n)]) for n in range(10)]
    ask(images[0], cache, db=store)
    one = status(cache)["bytes"]
    most = one * 5 + one // 2
    for image in images:
        assert ask(image, cache, "--cache-size", most, db=store).code == 0
        assert status(cache)["bytes"] <= most
    assert status(cache)["records"] >= 4
    assert from_cache(ask(images[9], cache, "--cache-size", most, db=store)) == {0}
    assert from_cache(ask(images[0], cache, "--cache-size", most, db=store)) == set()

    shutil.rmtree(cache)
    for age, image in enumerate(images[:5]):
        known = set(records(cache)) if cache.exists() else set()
        ask(image, cache, db=store)
        (new,) = set(records(cache)) - known
        os.utime(new, (time.time() - 7200 + age * 600,) * 2)
    assert from_cache(ask(images[0], cache, "--cache-size", most, db=store)) == {0}, "which marks it as used"
    ask(images[5], cache, "--cache-size", most, db=store)
    assert status(cache)["bytes"] <= most
    assert from_cache(ask(images[1], cache, "--no-cache", db=store)) == set()
    left = [n for n in range(6) if from_cache(ask(images[n], cache, db=store))]
    assert 0 in left and 5 in left and 1 not in left, left


@pytest.mark.parametrize("size", ["0", "1", "1k"])
def test_cache_too_small_for_anything(write, cache, store, size):
    path = write("image", [large(1)])
    for _ in range(2):
        same(ask(path, cache, "--cache-size", size, db=store), cold(path, store))
    assert status(cache)["records"] == 0


# -- many at once ----------------------------------------------------------------------------------------------------------------

SCANS, AT_ONCE, KILLED = 200, 24, 30


def storm_images(write):
    """Four that share layers, with records of some size, and one whose layers are read again for a link."""
    layers = [large(n) for n in range(6)]
    return [write("a", [layers[0], layers[1], layers[2]]), write("b", [layers[0], layers[1], layers[3]], "oci-archive", compression="zstd"),
            write("c", [layers[0], layers[4], layers[5], OWN], "docker-archive"), write("d", [layers[2], layers[1], layers[0]]),
            write("e", [BASE[:1], DEBS[2:], DEBS[:2], layers[4]])]


@pytest.mark.slow
def test_two_hundred_at_once(write, cache, store):
    """One cache for all, some killed at any moment: whoever ends says the same as alone and without a cache."""
    images = storm_images(write)
    begun = time.monotonic()
    expected = [cold(image, store) for image in images]
    alone = (time.monotonic() - begun) / len(images)
    chance = random.Random(200)
    doomed = set(chance.sample(range(SCANS), KILLED))
    # With 24 on a few cores each takes longer than alone: the moments are spread over all that it does.
    moments = {number: chance.uniform(0, alone * 4) for number in doomed}
    environment = scanner.environment({"PLIMSOLL_NO_CACHE": ""})

    def scan(number):
        which = number % len(images)
        process = subprocess.Popen([scanner.binary(), "image", images[which], "-f", "json", "--verbose", "--cache-dir", cache, "--db", store],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        if number in doomed:
            try:
                process.wait(moments[number])
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        return which, process.returncode, out, err

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(scan, range(SCANS)))
    killed = [number for number, end in enumerate(ended) if end[1] == -signal.SIGKILL]
    assert set(killed) <= doomed and len(killed) >= KILLED // 3, killed
    for number, (which, code, out, err) in enumerate(ended):
        if number not in killed:
            assert code == expected[which].code and out == expected[which].out, (number, which, code, err[-2000:])
            assert b"the cache is not used" not in err, err
    assert any(b"in the cache" in err for _, _, _, err in ended)
    assert daemonkit._gone(daemonkit.processes_of, cache) == {}, "workers die with their parent"

    after = status(cache)
    assert 0 < after["records"] <= 30 and after["bytes"] > 0, after
    for image, before in zip(images, expected):
        result = ask(image, cache, db=store)
        assert len(from_cache(result)) == len(result.report["image"]["layers"]), result
        same(result, before)
    # What killed ones have left goes with the next scan that keeps something.
    dead = subprocess.Popen(["true"])
    dead.wait()
    (cache / "layers" / f"partial-{dead.pid}-0123456789abcdef").write_bytes(b"half a record")
    assert status(cache)["leftovers"] == after["leftovers"] + 1
    ask(write("next", [large(7)]), cache, db=store)
    assert status(cache)["leftovers"] == 0
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in records(cache)), records(cache)


@pytest.mark.slow
def test_at_once_with_trimming_and_clearing(write, cache, store):
    """The cache is emptied and trimmed under their hands: the reports stay the same."""
    images = storm_images(write)
    expected = [cold(image, store) for image in images]

    def scan(number):
        if number % 10 == 9:
            done = scanner.run("cache", "clear", "--cache-dir", cache)
            assert done.code == 0, done
        result = ask(images[number % 5], cache, *(["--cache-size", "60k"] if number % 3 == 0 else []), db=store)
        same(result, expected[number % 5])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(scan, range(60)))
    assert status(cache)["leftovers"] == 0
    assert all(re.fullmatch(r"[0-9a-f]{64}", path.name) for path in records(cache)), records(cache)
