"""Archives within an image's files: whoever wrote one, a secret in it is found, or the archive is told by name among what
was not judged. Never neither."""

import io
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import zipapp
import zipfile
import zlib

import pytest

import archivekit as ak
import imagekit
import scanner
import secretkit as sk
from tarkit import file

GH = sk.github(seed="archives")
LINE = f"T={GH}\n".encode()
SECRET = {"conf/keys.env": LINE}
OTHERS = {"a.txt": b"nothing here\n" * 30, **SECRET, "z/end.txt": b"and nothing there\n"}


@pytest.fixture(scope="session")
def look(tmp_path_factory):
    """{name: (paths where a secret was found, {path: why it was not opened})} of {name: bytes}; no error may come of any."""
    build = pathlib.Path(scanner.binary()).parent
    program = build / "tests" / "secret_look"
    if not program.is_file():
        pytest.skip(f"{program} is not there: this build has no tests")
    folder = tmp_path_factory.mktemp("looks")

    def run(files, spill=True):
        (folder / "files").mkdir()
        for name, content in files.items():
            (folder / "files" / name).write_bytes(content)
        args = [program, build / "secrets.hs", *([folder / "spill"] if spill else [])]
        done = subprocess.run(args, input="".join(f"{name}\n" for name in files), cwd=folder / "files", capture_output=True, text=True,
                              errors="replace", timeout=500)
        shutil.rmtree(folder / "files")
        assert done.returncode == 0, (done.returncode, done.stderr[-3000:], done.stdout[-300:])
        results = {}
        for line in done.stdout.split("\n")[:-1]:
            what, _, rest = line.partition(" ")
            assert what != "error", line
            path, _, why = rest.partition("\t")
            if what == "looked":
                current = results[path] = (set(), {})
            elif what == "found":
                current[0].add(path)
            else:
                current[1][path] = "; ".join(filter(None, (current[1].get(path), why)))
        assert list(results) == list(files)
        return results
    return run


def one(look, content, name="x"):
    return look({name: content})[name]


# -- writers --------------------------------------------------------------------------------------------

def zipapp_of(tmp_path, compressed):
    source = tmp_path / f"app{compressed}"
    (source / "conf").mkdir(parents=True)
    (source / "__main__.py").write_text("print()\n")
    (source / "conf" / "keys.env").write_bytes(LINE)
    zipapp.create_archive(source, tmp_path / f"{compressed}.pyz", "/usr/bin/env python3", compressed=compressed)
    return (tmp_path / f"{compressed}.pyz").read_bytes()


SCRIPT = b"#!/bin/sh\n" + b"# a long remark\n" * 300 + b'exec java -jar "$0" "$@"\n'
PROGRAM = pathlib.Path("/bin/true").read_bytes()


def written(tmp_path):
    """{name: archive}, the secret of each in conf/keys.env."""
    python = {f"python-{name}{'-piped' if piped else ''}.zip": ak.zip_of(OTHERS, method, ak.Pipe() if piped else None)
              for name, method in (("stored", 0), ("deflated", 8), ("bzip2", 12), ("lzma", 14)) for piped in (False, True)}
    plain = ak.zip_of(OTHERS)
    return {
        **python,
        "python-zip64.zip": ak.zip_of(OTHERS, zip64=True),
        "python-zip64-piped.zip": ak.zip_of(OTHERS, out=ak.Pipe(), zip64=True),
        "comment.zip": ak.zip_of(OTHERS, comment=b"PK\5\6 is no end" * 100),
        "xz.zip": ak.by_hand(OTHERS, 95),
        "xz-behind.zip": ak.by_hand(OTHERS, 95, 8, sizes=False),
        "java.jar": ak.java(OTHERS),
        "torch.pt": ak.torch({"archive/data.pkl": b"nothing", "archive/data/0": os.urandom(5000), "archive/data/1": b"", **OTHERS}),
        "zipapp.pyz": zipapp_of(tmp_path, False),
        "zipapp-deflated.pyz": zipapp_of(tmp_path, True),
        "script.jar": SCRIPT + plain,
        "script-counted.jar": ak.by_hand(OTHERS, 8, front=SCRIPT),
        "program": PROGRAM + plain,
        "program-counted": ak.by_hand(OTHERS, 8, front=PROGRAM),
        "setup.exe": b"MZ" + bytes(4000) + b"PK\3\4 is in it, too" + bytes(100) + plain,
        "extension.crx": b"Cr24" + struct.pack("<3L", 3, 12, 0) + plain,
        "module.jmod": b"JM\1\0" + plain,
        "marked.zip": b"PK\7\x08" + plain,
        "gaps.zip": ak.by_hand(OTHERS, 8, between=b"what is this?"),
        "offsets-without-front.zip": ak.by_hand(OTHERS, 8, front=b"#!x\n", counted=False),
        "empty-folders.zip": ak.zip_of([("conf/", b""), *SECRET.items()]),
        "twice.zip": ak.zip_of([("conf/keys.env", b"nothing"), *SECRET.items()]),
        "tar.tar": ak.tar_of(OTHERS),
        **{f"tar.{kind}": ak.tar_of(OTHERS, f"w:{kind}") for kind in ("gz", "bz2", "xz")},
        "ar.a": ak.ar_of(OTHERS),
        "long-names.a": ak.ar_of({"of-more-than-sixteen-letters.txt": b"odd", **SECRET}),
        "newc.cpio": ak.cpio_of(OTHERS),
        "odc.cpio": ak.cpio_of(OTHERS, "odc"),
        "tar-of-cpio.tar": ak.tar_of({"a": b"b"}) + ak.cpio_of(SECRET),
    }


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_writers(look, tmp_path):
    archives = written(tmp_path)
    for spill in (True, False):
        for name, (found, told) in look(archives, spill).items():
            assert found == {f"{name}!conf/keys.env"}, (name, spill, found, told)
            assert told == {}, (name, spill)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_writers_in_an_image(tmp_path):
    """The same in a worker that is closed in, each of them twice more packed."""
    archives = written(tmp_path)
    files = [file(f"d/{name}.{kind}", ak.squeezed(content, kind)) for name, content in archives.items() for kind in ("gz", "xz", "bz2", "lzma")]
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_25(imagekit.image_of(files)))
    result = scanner.scan(path, "--scanners", "secret")
    assert result.code == 0 and result.report["errors"] == [] and result.report["unjudged"] == [], result
    places = [place for _, place in sk.places(result.report)]
    listed = {place["path"] for place in places}
    every = sum(secret["more_places"] for secret in result.report["secrets"]) + len(places)
    assert every == len(files) and listed <= {f"d/{name}.{kind}!conf/keys.env" for name in archives for kind in ("gz", "xz", "bz2", "lzma")}


@pytest.mark.skipif(not shutil.which("jar"), reason="no JDK is here: java.jar of test_writers stands for it")
@pytest.mark.parametrize("flags", ["cfM", "cf0M", "cf"])
def test_jar(look, tmp_path, flags):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "keys.env").write_bytes(LINE)
    subprocess.run(["jar", flags, "x.jar", "conf"], cwd=tmp_path, check=True, timeout=120)
    assert one(look, (tmp_path / "x.jar").read_bytes()) == ({"x!conf/keys.env"}, {})


@pytest.mark.skipif(not shutil.which("zip"), reason="Info-ZIP is not there: apt install zip")
@pytest.mark.parametrize("args, stdin", [
    (["x.zip", "-r", "conf"], None), (["x.zip", "-0", "-fd", "-r", "conf"], None), (["x.zip", "-fd", "-fz", "-r", "conf"], None),
    (["x.zip", "-Z", "bzip2", "-r", "conf"], None), (["-", "-r", "conf"], None), (["-", "-"], LINE), (["-fz-", "-", "-"], LINE),
    (["x.zip", "-P", "word", "-r", "conf"], None)])
def test_info_zip(look, tmp_path, args, stdin):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "keys.env").write_bytes(LINE)
    done = subprocess.run(["zip", "-q", *args], cwd=tmp_path, check=True, timeout=60, input=stdin, stdout=subprocess.PIPE)
    content = (tmp_path / "x.zip").read_bytes() if args[0] == "x.zip" else done.stdout
    if "-P" in args:
        assert one(look, content) == (set(), {"x!conf/keys.env": "encrypted"})
    else:
        assert one(look, content) == ({"x!-" if stdin else "x!conf/keys.env"}, {})


@pytest.mark.skipif(not shutil.which("zip"), reason="Info-ZIP is not there: apt install zip")
def test_split_zip(look, tmp_path):
    """Parts in several files: the first and the last are told; nothing says of those between what they are."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "keys.env").write_bytes(LINE + os.urandom(150000))
    subprocess.run(["zip", "-q", "-s", "64k", "x.zip", "-r", "conf"], cwd=tmp_path, check=True, timeout=60)
    parts = {path.name: path.read_bytes() for path in tmp_path.glob("x.z*")}
    results = look(parts)
    assert len(parts) > 1 and results["x.z01"][0] and results["x.z01"][1] and results["x.zip"][1], results


def test_torch_storages(look):
    """The numbers of a model are not looked at, wherever their member ends; the rest is."""
    content = ak.torch({"archive/data.pkl": LINE, "archive/data/0": LINE, "archive/data/17": b"PK\7\x08" + LINE, "archive/code/x.py": LINE})
    assert one(look, content) == ({"x!archive/data.pkl", "x!archive/code/x.py"}, {})


def test_larger_than_is_kept(look, tmp_path):
    """A checkpoint of more than LIMIT_SECRET_SPOOL_BYTES is read as it comes, by what follows its members."""
    size, zeros = 600 << 20, bytes(1 << 20)
    crc = 0
    for _ in range(size >> 20):
        crc = zlib.crc32(zeros, crc)
    first, last = ak.local(b"m/data.pkl", LINE, 0, 0x808, sizes=False), ak.local(b"m/code.py", LINE, 0, 0x808, sizes=False)
    head = ak.local(b"m/data/0", b"", 0, 0x808, sizes=False, descriptor=b"")
    with open(tmp_path / "x", "wb") as out:
        out.write(first + head)
        out.seek(size, os.SEEK_CUR)
        out.write(b"PK\7\x08" + struct.pack("<3L", crc, size, size) + last)
        entries = (ak.listed(b"m/data.pkl", LINE, 0, 0, 0x808)
                   + ak.listed(b"m/data/0", b"", len(first), 0, 0x808, crc=crc)
                   + ak.listed(b"m/code.py", LINE, len(first + head) + size + 16, 0, 0x808))
        out.write(entries + ak.end(3, len(entries), len(first + head) + size + 16 + len(last)))
    result = scanner.run("secret", tmp_path / "x", "-f", "json")
    report = scanner.json.loads(result.stdout)
    assert {place["path"].rpartition("!")[2] for _, place in sk.places(report)} == {"m/data.pkl", "m/code.py"}, result
    assert report["unjudged"] == [] and report["errors"] == []


# -- what the directory does not say ------------------------------------------------------------------------

def hidden():
    """{name: (archive, paths where it is found, a word of why it is told, or None)}."""
    member = ak.local(b"conf/keys.env", LINE, 8)
    other = ak.local(b"a.txt", b"nothing", 8)
    entry = ak.listed(b"a.txt", b"nothing", 0, 8)
    inside = {"!conf/keys.env"}

    def closed(content, at=0, entries=entry, count=1, **more):
        return content + entries + ak.end(count, len(entries), len(content) + at, **more)
    renamed = ak.local(b"conf/keys.env", LINE, 8)
    return {
        "unnamed-between": (closed(other + member), inside, None),
        "unnamed-in-front": (closed(member + other, entries=ak.listed(b"a.txt", b"nothing", len(member), 8)), inside, None),
        "unnamed-behind": (closed(other) + member, inside, None),
        "two-zips": (ak.zip_of(SECRET) + ak.zip_of({"a": b"b"}), inside, None),
        "plain-between": (closed(other + LINE), {""}, None),
        "plain-behind": (closed(other) + LINE, {""}, None),
        "in-the-comment": (ak.zip_of({"a": b"b"}, comment=LINE), {""}, None),
        "other-name": (closed(renamed, entries=ak.listed(b"conf/kezs.env", LINE, 0, 8)), {"!conf/keys.env", "!conf/kezs.env"}, "disagree"),
        "other-method": (closed(ak.local(b"conf/keys.env", LINE, 0), entries=ak.listed(b"conf/keys.env", LINE, 0, 8, packed=LINE)),
                         inside, "disagree"),
        "other-size": (closed(ak.local(b"conf/keys.env", LINE * 9, 0), entries=ak.listed(b"conf/keys.env", b"T", 0, 0)), inside | {""}, "disagree"),
        "not-there": (closed(member, entries=ak.listed(b"conf/keys.env", LINE, 7, 8)), inside, "not where the directory says"),
        "bytes-behind-deflate": (closed(ak.local(b"a.txt", b"nothing", 8, packed=ak.pack(b"nothing", 8) + LINE),
                                        entries=ak.listed(b"a.txt", b"nothing", 0, 8, packed=ak.pack(b"nothing", 8) + LINE)), {""}, None),
        "more-members-told": (closed(member, entries=ak.listed(b"conf/keys.env", LINE, 0, 8), count=9), inside, "not as many members"),
        "no-directory": (member, inside, "directory at its end is missing"),
        "no-end": (closed(member, entries=ak.listed(b"conf/keys.env", LINE, 0, 8))[:-4], inside, "directory at its end is missing"),
        "text-in-front": (b"hello\n" + ak.zip_of(SECRET), set(), "a zip at its end"),
        "encrypted": (ak.local(b"a", b"xyz", flags=1) + ak.listed(b"a", b"xyz", 0, flags=1) + ak.end(1, 47, 34), set(), "encrypted"),
        "encrypted-behind": (ak.local(b"a", b"xyz", flags=9, sizes=False) + member, inside, "encrypted"),
        "unknown-method": (ak.local(b"a", b"xyz", 97, packed=b"xyz") + member, inside, "method"),
    }


@pytest.mark.parametrize("name", hidden())
def test_hidden(look, name):
    content, paths, why = hidden()[name]
    found, told = one(look, content)
    assert found == {f"x{path}" for path in paths}, told
    assert bool(told) == bool(why) and (not why or any(why in text for text in told.values())), told


# -- how deep ----------------------------------------------------------------------------------------------

WRAPPERS = {
    "zip": lambda content: ak.zip_of({"in": content}), "gz": lambda content: ak.squeezed(content, "gz"),
    "xz": lambda content: ak.squeezed(content, "xz"), "bz2": lambda content: ak.squeezed(content, "bz2"),
    "tar": lambda content: ak.tar_of({"in": content}), "ar": lambda content: ak.ar_of({"in": content}),
    "cpio": lambda content: ak.cpio_of({"in": content}), "stored": lambda content: ak.zip_of({"in": content}, ak.STORED),
}


def test_deep(look):
    """Eight deep is found, nine deep told."""
    kinds = list(WRAPPERS)
    archives = {}
    for turn in range(len(kinds)):
        content = LINE
        for at in range(9):
            content = WRAPPERS[kinds[(turn + at) % len(kinds)]](content)
            archives[f"{turn}-{at + 1}"] = content
    for spill in (True, False):
        for name, (found, told) in look(archives, spill).items():
            depth = int(name[-1])
            assert bool(found) or depth == 9, (name, told)
            assert bool(told) == (depth == 9) and all("LIMIT_SECRET_ARCHIVE_DEPTH" in why for why in told.values()), (name, told)


def test_deep_memory(tmp_path):
    """Eight of one kind in each other, each with as large a dictionary as it asks for, in a worker's memory."""
    content = b"words and more of them\n" * 10000 + LINE
    for _ in range(8):
        content = ak.lzma.compress(content, filters=[{"id": ak.lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 << 20}])
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_25(imagekit.image_of([file("a.xz", content), file("b.env", LINE)])))
    result = scanner.scan(path, "--scanners", "secret")
    assert result.report["errors"] == [] and {place["path"] for _, place in sk.places(result.report)} == {"b.env"}, result
    assert "LIMIT_SECRET_UNPACK_MEMORY" in result.report["unjudged"][0]["reason"]


# -- damage ------------------------------------------------------------------------------------------------

def damaged():
    """{name: (file, whether the secret is found, a word of why it is told)}."""
    gz = ak.squeezed(LINE, "gz")
    bad_sum = bytearray(gz)
    bad_sum[-6] ^= 1
    bad_zip = bytearray(ak.zip_of(SECRET))
    bad_zip[14] ^= 1
    bad_zip[bad_zip.index(b"PK\1\2") + 16] ^= 1
    noise = sk.letters(4000, seed="noise").encode()
    broken = bytearray(ak.zip_of({"k.env": LINE + noise}))
    broken[2000:2040] = b"\xff" * 40
    tar = bytearray(ak.tar_of({"a": b"b", "k.env": LINE, "c": b"d"}))
    tar[1024 + 1024 + 148] ^= 1
    return {
        "bad-sum.gz": (bytes(bad_sum), True, "checksum"),
        "behind.gz": (ak.squeezed(b"nothing", "gz") + LINE, True, "follow its end"),
        "zeros-behind.gz": (gz + bytes(1000), True, None),
        "two.gz": (ak.squeezed(b"nothing\n", "gz") + gz, True, None),
        "cut.gz": (gz[:-2], True, "before its own end"),
        "behind.xz": (ak.squeezed(b"nothing", "xz") + LINE, True, "follow its end"),
        "two.xz": (ak.squeezed(b"nothing\n", "xz") + bytes(8) + ak.squeezed(LINE, "xz"), True, None),
        "two.bz2": (ak.squeezed(b"nothing\n", "bz2") + ak.squeezed(LINE, "bz2"), True, None),
        "cut.xz": (ak.squeezed(LINE + noise, "xz")[:-20], True, "before its own end"),
        "bad-sum.zip": (bytes(bad_zip), True, "checksum"),
        "broken.zip": (bytes(broken), True, "damaged"),
        "broken.tar": (bytes(tar), True, "damaged"),
        "cut.tar": (ak.tar_of({"k.env": LINE + b"x" * 600})[:700], True, "damaged"),
        "cut.a": (ak.ar_of({"k.env": LINE + b"x" * 600})[:300], True, "damaged"),
        "cut.cpio": (ak.cpio_of({"k.env": LINE + b"x" * 600})[:300], True, "damaged"),
        "7z": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(50), False, "7z"),
        "rar": (b"Rar!\x1a\x07\1\0" + bytes(50), False, "rar"),
        "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7" + bytes(50), False, "lz4"),
        "Z": (b"\x1f\x9d\x90" + bytes(50), False, "compress"),
        "lz": (b"LZIP\1\x0c" + bytes(50), False, "lzip"),
        "lzo": (b"\x89LZO\0\r\n\x1a\n" + bytes(50), False, "lzop"),
        "cab": (b"MSCF" + bytes(4) + struct.pack("<4L", 100, 0, 44, 0) + b"\3\1" + bytes(50), False, "cab"),
        "rpm": (b"\xed\xab\xee\xdb\3\0\0\0" + bytes(100), False, "rpm"),
        "squashfs": (b"hsqs" + bytes(24) + b"\4\0\0\0" + bytes(100), False, "squashfs"),
    }


@pytest.mark.parametrize("name", damaged())
def test_damaged(look, name):
    content, has, why = damaged()[name]
    found, told = one(look, content)
    assert bool(found) == has, told
    assert bool(told) == bool(why) and (not why or all(why in text for text in told.values())), told


def test_no_false_alarm(look):
    """The first bytes of a magic, and text that speaks of one."""
    assert one(look, b"7z is a program\n")[1] == {}
    for content in (b"Rar! he said\n", b"BZh9 is a header\n", b"LZIP, lzop and MSCF\n", b"\x1f\x9d\xff", b"\x04\x22\x4d\x18\xff\xff", b"hsqs\n",
                    b"PK\5\6 alone", b"070707 is a number\n", b"#!/bin/sh\necho PK\3\4\n", b"MZ" + b"PK\3\4" * 90, b"]\0\0\0\1" + bytes(40)):
        assert one(look, content) == (set(), {}), content


SMALL = {
    "deflated.zip": ak.zip_of({"k.env": LINE, "z": b"end"}), "stored.zip": ak.zip_of({"k.env": LINE}, ak.STORED),
    "java.jar": ak.java({"k.env": LINE, "z": b"end"}), "torch.pt": ak.torch({"m/data.pkl": LINE, "m/data/0": b"12345678"}),
    "lzma.zip": ak.zip_of({"k.env": LINE}, zipfile.ZIP_LZMA), "script.pyz": b"#!x\n" + ak.zip_of({"k.env": LINE}),
    "x.gz": ak.squeezed(LINE, "gz"), "x.xz": ak.squeezed(LINE, "xz"), "x.bz2": ak.squeezed(LINE, "bz2"), "x.lzma": ak.squeezed(LINE, "lzma"),
    "x.tar": ak.tar_of({"k.env": LINE}), "x.tgz": ak.tar_of({"k.env": LINE}, "w:gz"), "x.a": ak.ar_of({"k.env": LINE}),
    "x.cpio": ak.cpio_of({"k.env": LINE}), "zip.gz": ak.squeezed(ak.zip_of({"k.env": LINE}), "gz"),
}
# So many first bytes say what it is.
MAGIC = {"gz": 3, "tgz": 3, "xz": 6, "bz2": 10, "lzma": 14, "tar": 262, "a": 9, "cpio": 110, "zip": 4, "jar": 4, "pt": 4, "pyz": 34}


@pytest.mark.parametrize("name", SMALL)
def test_every_length(look, name):
    """Cut anywhere: found or told, from where on it can be known what it is."""
    whole = SMALL[name]
    step = 1 if len(whole) < 1200 else 7
    lengths = range(MAGIC[name.rpartition(".")[2]], len(whole), step)
    for cut, (found, told) in look({str(length): whole[:length] for length in lengths}).items():
        assert found or told, (name, cut)


@pytest.mark.parametrize("name", ["deflated.zip", "stored.zip", "java.jar", "torch.pt", "script.pyz", "x.gz", "x.xz", "zip.gz"])
def test_every_byte(look, name):
    """Any byte other than it was: found or told."""
    whole = SMALL[name]
    start = MAGIC[name.rpartition(".")[2]] if name[0] == "x" or name == "zip.gz" else 0
    copies = {}
    for at in range(start, len(whole)):
        for mask in (1, 0x80):
            copies[f"{at}-{mask}"] = whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1:]
    for at, (found, told) in look(copies).items():
        byte = int(at.partition("-")[0])
        in_secret = LINE in whole and whole.index(LINE) <= byte < whole.index(LINE) + len(LINE)
        assert found or told or in_secret, (name, at)


# -- limits ------------------------------------------------------------------------------------------------

def test_limits_are_no_errors(tmp_path):
    """What passes a limit stands among what was not judged; what is beside it is found."""
    bomb = ak.squeezed(ak.squeezed(bytes(200 << 20), "xz"), "gz")
    quoted = b"".join(ak.listed(b"%d" % i, b"", 0, 8, packed=bytes(60 << 20), size=60 << 20) for i in range(200))
    many = ak.local(b"0", bytes(60 << 20), 8)
    many += quoted + ak.end(200, len(quoted), len(many))
    files = [file("a/bomb.xz.gz", bomb), file("b/many.zip", many), file("c.env", LINE)]
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_25(imagekit.image_of(files)))
    result = scanner.scan(path, "--scanners", "secret")
    assert result.code == 0 and result.report["errors"] == [], result
    assert {place["path"] for _, place in sk.places(result.report)} == {"c.env"}
    assert result.report["unjudged"][0]["count"] >= 2, result.report["unjudged"]


def test_too_many_members(look):
    """Of an archive with more than LIMIT_SECRET_ARCHIVE_MEMBERS, and of what is in it up to there."""
    count = 1_000_001
    ar = b"!<arch>\n" + ak.ar_of(SECRET)[8:] + ak.ar_of({"a": b""})[8:] * count
    first = ak.local(b"conf/keys.env", LINE)
    entries, members = ak.listed(b"conf/keys.env", LINE, 0) + ak.listed(b"a", b"", len(first)) * count, first + ak.local(b"a", b"")
    results = look({"x": ar, "y": members + entries + ak.end(0xffff, len(entries), len(members))})
    for name in "xy":
        found, told = results[name]
        assert found >= {f"{name}!conf/keys.env"} and "LIMIT_SECRET_ARCHIVE_MEMBERS" in told[name], (name, told.get(name))


def test_garbage_is_told_once(look):
    """Of what begins as a zip and is none."""
    for content in (b"PK\3\4" + bytes(range(256)) * 20, b"PK\3\4" + bytes(100) + b"PK\3\4" + bytes(100)):
        assert one(look, content) == (set(), {"x": "damaged: the directory at its end is missing"})


def test_holes_cost_nothing(look):
    """A sparse file of 60 GB in a tar, as Go's tests have one."""
    head = bytearray(512)
    head[0:4], head[100:108], head[156:157], head[257:265] = b"file", b"0000644\0", b"S", b"ustar  \0"
    size = len(LINE)
    head[124:136] = b"%011o\0" % size
    head[386:410] = (1 << 95 | 60 << 30).to_bytes(12, "big") + b"%011o\0" % size
    head[483:495] = (1 << 95 | (60 << 30) + size).to_bytes(12, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    assert one(look, bytes(head) + LINE + bytes(512 - size + 1024)) == ({"x!file"}, {})
