"""Secrets in git's objects (gitformat-loose, gitformat-pack): whatever real git makes of a history, each key that
was ever committed is found, before it is packed and after."""

import collections
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import zipfile
import zlib

import pytest

import scanner
import secretkit as sk

if not shutil.which("git"):
    pytest.skip("git is not there: apt install git", allow_module_level=True)

HISTORIES = 100
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
               "LC_ALL": "C", **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                                 for what, value in (("NAME", "a"), ("EMAIL", "a@b"), ("DATE", "1700000000 +0000"))}}


def git(folder, *args, stdin=b""):
    done = subprocess.run(["git", "-c", "gc.auto=0", "-c", "fastimport.unpackLimit=100000", *map(str, args)], cwd=folder, input=stdin, capture_output=True,
                          env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, (args, done.stderr)
    return done.stdout


def knows_sha256():
    done = subprocess.run(["git", "init", "-q", "--object-format=sha256", "--bare", "/dev/null/x"], capture_output=True, env=ENVIRONMENT)
    return b"unknown option" not in done.stderr


def secrets_in(folder, *args):
    """The report of all files below the folder, each place of a secret by itself; nothing may have gone wrong."""
    result = scanner.run("secret", folder, "-f", "json", *args)
    assert result.code == 0, result
    report = json.loads(result.stdout)
    assert report["errors"] == [], report["errors"]
    report["secrets"] = [{**secret, **place} for secret in report["secrets"] for place in secret["places"]]
    return report


def fingerprints(tmp_path, keys):
    """{key: fingerprint}, from a plain file."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for number, key in enumerate(keys):
        (folder / f"{number}.env").write_text(f"{key}\n")
    found = {int(pathlib.Path(s["path"]).stem): s["fingerprint"] for s in secrets_in(folder)["secrets"]}
    assert sorted(found) == list(range(len(keys))), "a key is not found even in a plain file"
    return {key: found[number] for number, key in enumerate(keys)}


# -- histories ------------------------------------------------------------------------------------------

def a_key(rng):
    seed = rng.getrandbits(60)
    return rng.choice([lambda: f"TOKEN={sk.github(seed=seed)}", lambda: f"hub_token: {sk.token('huggingface-token', seed)}",
                       lambda: f'password = "{sk.letters(16, seed=seed)}{rng.randrange(10, 99)}xK4"', lambda: f"id {sk.aws(seed)[0]} of AWS"])()


def a_line(rng):
    return " ".join(sk.letters(rng.randrange(2, 9), sk.LETTERS, rng.getrandbits(60)) for _ in range(rng.randrange(1, 9)))


class File:
    """A text that grows, in which keys come, go and change."""

    def __init__(self, rng, path, first):
        self.rng, self.path, self.first = rng, path, first
        self.lines = [a_line(rng) for _ in range(rng.randrange(20, 400))]
        self.keys = []

    def step(self):
        rng = self.rng
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(self.lines) + 1)
            self.lines[at:at] = [a_line(rng) for _ in range(rng.randrange(1, 20))]
        held = [line for line in self.lines if line in self.keys]
        choice = rng.randrange(4)
        if held and choice == 0:
            self.lines.remove(held[0])
        elif held and choice == 1:
            self.lines[self.lines.index(held[0])] = self.new_key()
        elif choice > 1:
            self.lines.insert(rng.randrange(len(self.lines) + 1), self.new_key())

    def clean(self):
        self.lines = [line for line in self.lines if line not in self.keys]

    def new_key(self):
        self.keys.append(a_key(self.rng))
        return self.keys[-1]

    def data(self):
        return self.first + "\n".join(self.lines).encode() + b"\n"


def commit(files, number):
    """As `git fast-import` reads it."""
    out = [b"commit refs/heads/main\ncommitter a <a@b> %d +0000\ndata 1\n%c\n" % (1700000000 + number, 97 + number % 26)]
    for path, data in files.items():
        out.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    return b"".join(out)


def history(number):
    """A stream for fast-import, and every key that was ever in it."""
    rng = sk.dice(f"history {number}")
    files = [File(rng, path, bytes([(3 * number + i) % 256])) for i, path in enumerate(("app.env", "conf/prod/settings.txt", "src/main.c"))]
    stream = [commit({file.path: file.data() for file in files}, 0)]
    for step in range(1, rng.randrange(4, 9)):
        changed = rng.sample(files, rng.randrange(1, 3))
        for file in changed:
            file.step()
        stream.append(commit({file.path: file.data() for file in changed}, step))
    for file in files:
        file.clean()
    stream.append(commit({file.path: file.data() for file in files}, 20))
    return b"".join(stream), [key for file in files for key in file.keys]


def pack_by_id(folder):
    """Deltas that name their base by its id, not by its place in the pack."""
    objects = git(folder, "rev-list", "--objects", "--all", "--no-object-names")
    packs = git(folder, "rev-parse", "--git-path", "objects/pack").decode().strip()
    git(folder, "pack-objects", "--no-reuse-delta", "-q", f"{packs}/pack", stdin=objects)
    git(folder, "prune-packed", "-q")


def rename(folder):
    git(folder, "repack", "-adq")
    packs = folder / git(folder, "rev-parse", "--git-path", "objects/pack").decode().strip()
    pack, = packs.glob("*.pack")
    pack.chmod(0o644)
    pack.rename(folder / "data.bin")
    for rest in folder.iterdir():
        if rest != folder / "data.bin":
            shutil.rmtree(rest) if rest.is_dir() else rest.unlink()


WAYS = {
    "gc": lambda folder: git(folder, "gc", "-q"),
    "aggressive": lambda folder: git(folder, "gc", "-q", "--aggressive"),
    "deep": lambda folder: git(folder, "repack", "-adfq", "--depth=4000", "--window=50"),
    "flat": lambda folder: git(folder, "repack", "-adfq", "--depth=1", "--window=3"),
    "no deltas": lambda folder: git(folder, "repack", "-adfq", "--window=0"),
    "anew": lambda folder: git(folder, "-c", "pack.compression=9", "repack", "-adFq", "--depth=2", "--window=20"),
    "stored": lambda folder: git(folder, "-c", "pack.compression=0", "repack", "-adFq"),
    "by id": pack_by_id,
    "renamed": rename,
}


def counted(folder):
    """How often each type of object is stored in the packs below the folder: 6 and 7 are deltas."""
    types = collections.Counter()
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        if data[:4] != b"PACK":
            continue
        at, pack = 12, memoryview(data)
        for _ in range(int.from_bytes(data[8:12], "big")):
            types[kind := data[at] >> 4 & 7] += 1
            while data[at] & 0x80:
                at += 1
            at += 1
            if kind == 6:
                while data[at] & 0x80:
                    at += 1
                at += 1
            if kind == 7:
                at += 32 if "sha256" in str(path) else 20
            inflating = zlib.decompressobj()
            inflating.decompress(pack[at:])
            at = len(data) - len(inflating.unused_data)
    return types


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """The folders before and after packing, the keys of each history, and their fingerprints."""
    base = tmp_path_factory.mktemp("histories")
    ways, all_keys, empty = list(WAYS), {}, {}
    for bare in (0, 1):
        for sha256 in (False, *([True] if knows_sha256() else [])):
            folder = empty[bare, sha256] = base / f"empty-{bare}-{sha256}"
            folder.mkdir()
            git(folder, "init", "-q", "--template=", *(["--bare"] if bare else []), *(["--object-format=sha256"] if sha256 else []))
    for number in range(HISTORIES):
        stream, keys = history(number)
        sha256 = number % 5 == 4 and knows_sha256()
        name = f"{number:02}-{'sha256' if sha256 else 'sha1'}-{ways[number % len(ways)].replace(' ', '-')}"
        loose, packed = base / "before" / name, base / "after" / name
        shutil.copytree(empty[number % 2, sha256], loose)
        git(loose, "fast-import", "--quiet", stdin=stream)
        shutil.copytree(loose, packed, copy_function=os.link)
        WAYS[ways[number % len(ways)]](packed)
        all_keys[name] = keys
    return base, all_keys, fingerprints(base, [key for keys in all_keys.values() for key in keys])


def missed(folder, keys, prints):
    """{history: keys that nothing in its folder has}."""
    found = collections.defaultdict(set)
    for secret in secrets_in(folder)["secrets"]:
        found[secret["path"].split("/")[0]].add(secret["fingerprint"])
    left = {name: [key for key in wanted if prints[key] not in found[name]] for name, wanted in keys.items()}
    return {name: keys for name, keys in left.items() if keys}


def test_histories_as_they_are_committed(histories):
    base, keys, prints = histories
    assert sum(map(len, keys.values())) > 3 * HISTORIES
    assert not list((base / "before").rglob("*.pack"))
    assert missed(base / "before", keys, prints) == {}


def test_histories_packed(histories):
    base, keys, prints = histories
    types = counted(base / "after")
    assert types[6] > 500 and types[7] > 50, types
    left = [path for path in (base / "after").rglob("objects/??/*")]
    assert left == [], "not all of it is packed"
    assert missed(base / "after", keys, prints) == {}


# -- loose objects --------------------------------------------------------------------------------------

def empty_repository(folder, *args):
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "--template=", "--initial-branch=main", *args)
    return folder


def beginnings():
    """Every first byte, and every pair by which a text could be taken for zlib's header."""
    yield from (bytes([first]) for first in range(256))
    yield from (bytes([first, second]) for first in range(0x08, 0x80, 0x10) for second in range(256)
                if (first << 8 | second) % 31 == 0)
    yield from (b"HF_", b"hub_", b"8: ", b"(x", b"Xyz", b"x^2 ", b"blob 7\0", b"tree 1\0", b"commit 9\0")


@pytest.mark.parametrize("format", ["sha1", "sha256"])
def test_first_bytes_of_loose_objects(tmp_path, format):
    """S3: what is in a loose object is never taken for one, whatever it begins with."""
    if format == "sha256" and not knows_sha256():
        pytest.skip("this git has no SHA-256 repositories")
    repository = empty_repository(tmp_path / "all" / "r", f"--object-format={format}")
    texts = [start + f"TOKEN={sk.github(seed=number)}\n".encode() for number, start in enumerate(beginnings())]
    for number, text in enumerate(texts):
        (tmp_path / str(number)).write_bytes(text)
    names = git(repository, "hash-object", "-w", "--no-filters", "--stdin-paths",
                stdin="".join(f"{tmp_path}/{number}\n" for number in range(len(texts))).encode()).decode().split()
    assert len(set(names)) == len(texts) > 300
    found = {secret["path"] for secret in secrets_in(tmp_path / "all")["secrets"] if secret["rule"] == "github-personal-token"}
    left = [texts[number][:8] for number, name in enumerate(names) if f"r/.git/objects/{name[:2]}/{name[2:]}" not in found]
    assert left == []


def test_loose_objects_of_every_type(tmp_path):
    """Messages of commits and tags are text; trees hold names, and are nothing else."""
    keys = [sk.github(seed=seed) for seed in range(3)]
    repository = empty_repository(tmp_path / "r")
    (repository / "a.txt").write_text(f"{keys[0]}\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", f"remove {keys[1]}")
    git(repository, "tag", "-a", "v1", "-m", f"with {keys[2]}")
    (repository / "a.txt").unlink()
    before = {s["fingerprint"] for s in secrets_in(repository)["secrets"]}
    git(repository, "repack", "-adq")
    git(repository, "prune-packed", "-q")
    report = secrets_in(repository)
    assert len(before) == 3 and {s["fingerprint"] for s in report["secrets"]} == before
    names = {re.sub("[0-9a-f]{10}", "ID", s["path"].split("!")[1]) for s in report["secrets"] if "!" in s["path"]}
    assert names == {"ID/a.txt", "commit ID", "tag ID"}


def loose(content, kind=b"blob", size=None):
    return zlib.compress(b"%s %d\0" % (kind, len(content) if size is None else size) + content)


def test_damaged_loose_objects(tmp_path):
    """What can be read is looked at; the rest is told, and is no error."""
    text = f"T={sk.github()}\n".encode()
    noise = b"".join(b"%d %s\n" % (i, sk.letters(50, seed=i).encode()) for i in range(3000))
    objects = {"cut": loose(text + noise)[:-500], "flipped": loose(text + noise), "short": loose(text, size=5), "whole": loose(text),
               "long": loose(text, size=500), "no-header": zlib.compress(text), "stream": b"(" + text, "beyond": loose(text) + b"rest"}
    middle = len(objects["flipped"]) * 3 // 4
    objects["flipped"] = objects["flipped"][:middle] + b"\xff" * 20 + objects["flipped"][middle + 20:]
    for number, (name, data) in enumerate(objects.items()):
        folder = tmp_path / name / ".git" / "objects" / "ab"
        folder.mkdir(parents=True)
        (folder / ("c" * 38)).write_bytes(data)
    report = secrets_in(tmp_path)
    assert {s["path"].split("/")[0] for s in report["secrets"]} == set(objects)
    told, = [entry for entry in report["unjudged"] if entry["what"] == "archives"]
    assert told["components"] == 4 and "damaged" in told["reason"], told


# -- packs ----------------------------------------------------------------------------------------------

def packs_of(folder):
    return sorted(folder.rglob("*.pack"))


def test_passwords_of_one_line(tmp_path):
    """S4: of five passwords of one line, changed in turn, five are found, loose and packed."""
    repository = empty_repository(tmp_path / "r")
    rest = [f"option_{number} = {sk.letters(30, sk.LETTERS, number)}" for number in range(400)]
    stream = b"".join(commit({"app.env": "\n".join([*rest[:200], f"password = \"{sk.letters(17, seed=step)}7xK\"",
                                                    *rest[200:300 + 20 * step]]).encode()}, step) for step in range(5))
    git(repository, "fast-import", "--quiet", stdin=stream)
    before = {s["fingerprint"] for s in secrets_in(repository)["secrets"]}
    assert len(before) == 5 and not packs_of(repository)
    git(repository, "gc", "-q", "--aggressive")
    assert counted(repository)[6] >= 4
    after = secrets_in(repository)["secrets"]
    assert len(after) == 5 and {s["fingerprint"] for s in after} == before
    assert {s["line"] for s in after} == {201}
    assert {s["path"].split("!")[1][10:] for s in after} == {"/app.env"}


@pytest.mark.parametrize("kind", ["by place", "by id"])
def test_lines_and_versions_of_a_large_file(tmp_path, kind):
    """A key that a hundred versions have is told once; one that only an old version has is told at its line."""
    repository = empty_repository(tmp_path / "r")
    rng = sk.dice("large")
    lines = [a_line(rng) for _ in range(6000)]
    stays, keys, stream = f"T={sk.github(seed=1)}", {}, []
    lines[3000] = stays
    for step in range(100):
        lines[rng.randrange(2000)] = a_line(rng)
        version = list(lines)
        if step % 9 == 0:
            key = f"K={sk.github(seed=100 + step)}"
            at = rng.randrange(len(lines))
            version.insert(at, key)
            keys[key] = at + 1
        stream.append(commit({"conf/big.txt": ("\n".join(version) + "\n").encode()}, step))
        lines.insert(rng.randrange(3100, len(lines)), a_line(rng))
    git(repository, "fast-import", "--quiet", stdin=b"".join(stream))
    pack_by_id(repository) if kind == "by id" else git(repository, "repack", "-adfq", "--depth=200", "--window=5")
    prints = fingerprints(tmp_path, [stays, *keys])
    found = secrets_in(repository)["secrets"]
    assert counted(repository)[7 if kind == "by id" else 6] > 90
    assert sorted(s["fingerprint"] for s in found) == sorted(prints.values())
    for secret in found:
        blob = git(repository, "cat-file", "blob", secret["path"].split("!")[1].split("/")[0]).decode().split("\n")
        key, = [key for key, one in prints.items() if one == secret["fingerprint"]]
        assert blob[secret["line"] - 1] == key and secret["column"] == 3


def test_rules_for_certain_files(tmp_path):
    """What one file has of another was looked through as the other's: a rule may be for this one alone."""
    repository = empty_repository(tmp_path / "r")
    lines = "".join(f"option_{number} = {sk.letters(30, sk.LETTERS, number)}\n" for number in range(2000))
    text = lines + f"key {sk.letters(30, 'ABC')}\n" + lines[::-1]
    files = {"a/first.txt": text, "b/prod.env": "one more line\n" + text, "c/last.txt": text + "and another\n"}
    git(repository, "fast-import", "--quiet", stdin=commit({path: data.encode() for path, data in files.items()}, 0))
    git(repository, "repack", "-adfq")
    git(repository, "prune-packed", "-q")
    assert counted(repository)[6] >= 2
    config = tmp_path / "rules.yaml"
    config.write_text("enable-builtin-rules: []\nrules:\n- {id: own, title: own, severity: HIGH, regex: 'key [ABC]{30}', path: 'prod[.]env$'}\n")
    found = secrets_in(repository, "--secret-config", config)["secrets"]
    assert [s["path"].split("!")[1][10:] for s in found if s["rule"] == "own"] == ["/b/prod.env"]


def test_kinds_within_a_pack(tmp_path):
    """A file of a pack is looked through as one of its kind, by its own name."""
    repository = empty_repository(tmp_path / "r")
    keys = [sk.github(seed=seed) for seed in range(6)]
    cells = {"nbformat": 4, "cells": [{"cell_type": "code", "source": ["x = 1\n", f"t = '{keys[0]}'\n"], "outputs": []}]}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("in/side.env", f"T={keys[1]}\n")
    files = {"nb/a.ipynb": json.dumps(cells).encode(), "lib/b.whl": out.getvalue(), "model/data/17": f"T={keys[2]}\n".encode(),
             "wide.txt": f"\ufeffkey {keys[3]}\r\n".encode("utf-16-le"), "objects/ab/" + "c" * 38: loose(f"T={keys[4]}\n".encode()),
             "lib.so": b"\x7fELF\2\1\1" + bytes(200) + keys[5].encode() + bytes(200)}
    git(repository, "fast-import", "--quiet", stdin=commit(files, 0))
    git(repository, "repack", "-adq")
    git(repository, "prune-packed", "-q")
    found = {s["path"].split("!", 1)[1][11:]: s for s in secrets_in(repository)["secrets"]}
    assert {*files} - {*found} == {"lib/b.whl"} and "lib/b.whl!in/side.env" in found, found.keys()
    assert found["nb/a.ipynb"]["cell"] == 1


def test_only_what_is_there(tmp_path):
    """A shallow clone, and one without a history: no more than its objects have."""
    repository = empty_repository(tmp_path / "r")
    files = [{"a.env": f"T={sk.github(seed=step)}\n".encode() + b"line\n" * step} for step in range(4)]
    git(repository, "fast-import", "--quiet", stdin=b"".join(commit(data, step) for step, data in enumerate(files)))
    git(tmp_path, "clone", "-q", "--bare", "--depth=1", f"file://{repository}", "shallow")
    git(tmp_path, "clone", "-q", "--mirror", f"file://{repository}", "whole")
    for clone in ("shallow", "whole"):
        git(tmp_path / clone, "repack", "-adq")
        assert packs_of(tmp_path / clone)
    prints = fingerprints(tmp_path, [f"T={sk.github(seed=step)}" for step in range(4)])
    assert {s["fingerprint"] for s in secrets_in(tmp_path / "shallow")["secrets"]} == {prints[f"T={sk.github(seed=3)}"]}
    assert {s["fingerprint"] for s in secrets_in(tmp_path / "whole")["secrets"]} == set(prints.values())


def told_in(report):
    return [entry["reason"] for entry in report["unjudged"] if entry["what"] == "archives"]


def test_thin_pack(tmp_path):
    """Without its base a delta is looked at as it is stored, and that is told."""
    repository = empty_repository(tmp_path / "r")
    rest = b"".join(b"%s\n" % sk.letters(60, seed=number).encode() for number in range(300))
    keys = [f"T={sk.github(seed=step)}\n" for step in range(2)]
    git(repository, "fast-import", "--quiet", stdin=commit({"a": rest}, 0))
    git(repository, "fast-import", "--quiet", "--force", stdin=commit({"a": rest}, 0) + commit({"a": rest + keys[0].encode() + rest[:600]}, 1))
    first = git(repository, "rev-list", "--max-parents=0", "main").decode().strip()
    pack = git(repository, "pack-objects", "--thin", "--stdout", "--revs", "-q", stdin=f"main\n^{first}\n".encode())
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "x.pack").write_bytes(pack)
    assert counted(tmp_path / "s")[7] == 1
    report = secrets_in(tmp_path / "s")
    assert {s["fingerprint"] for s in report["secrets"]} == {fingerprints(tmp_path, keys)[keys[0]]}
    assert any("x.pack" in reason and "base is not in it" in reason for reason in told_in(report)), report["unjudged"]


def test_damaged_packs(tmp_path):
    """Cut or changed anywhere: what could be read is found, the damage is told, and nothing is an error."""
    repository = empty_repository(tmp_path / "r")
    stream, keys = history(5)
    git(repository, "fast-import", "--quiet", stdin=stream)
    git(repository, "repack", "-adfq")
    pack = packs_of(repository)[0].read_bytes()
    rng = sk.dice("damage")
    (tmp_path / "d").mkdir()
    cuts = [12, 13, 14, 20, len(pack) - 21, *(rng.randrange(12, len(pack) - 20) for _ in range(30))]
    for cut in cuts:
        (tmp_path / "d" / f"cut-{cut}.pack").write_bytes(pack[:cut])
    for number in range(30):
        at = rng.randrange(8, len(pack) - 20)
        (tmp_path / "d" / f"flip-{at}.pack").write_bytes(pack[:at] + bytes([pack[at] ^ rng.randrange(1, 256)]) + pack[at + 1:])
    report = secrets_in(tmp_path / "d")
    told, = [entry for entry in report["unjudged"] if entry["what"] == "archives"]
    assert told["components"] >= len(set(cuts)), told
    almost = {s["fingerprint"] for s in report["secrets"] if s["path"].startswith(f"cut-{len(pack) - 21}.")}
    assert len(almost) >= len(set(keys)) - 1


def numbers(count):
    """As sizes in deltas are written."""
    out = bytearray()
    while count > 127:
        out.append(count & 127 | 128)
        count >>= 7
    return bytes(out) + bytes([count])


def entry(kind, content, before=b""):
    head, size = kind << 4 | len(content) & 15, len(content) >> 4
    return bytes([head | (128 if size else 0)]) + (numbers(size) if size else b"") + before + zlib.compress(content, 9)


def test_bomb_of_deltas(tmp_path):
    """Some KB of deltas that say that each makes 32 MB: it ends, the rest is told, what else is there is found."""
    size = 16 << 20
    base = entry(3, b"x" * size)
    grown = numbers(size) + numbers(2 * size) + b"\xf0\xff\xff\xff" * 2 + b"\x02xx"
    offsets, pack = [12], b"PACK\0\0\0\2" + (2000 + 2).to_bytes(4, "big") + base
    for _ in range(2000):
        back, named = len(pack) - offsets[0], []
        named.append(back & 127)
        while back := back >> 7:
            back -= 1
            named.append(back & 127 | 128)
        pack += entry(6, grown, bytes(reversed(named)))
    pack += entry(3, f"T={sk.github()}\n".encode())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.pack").write_bytes(pack + bytes(20))
    assert len(pack) < 200_000
    report = secrets_in(tmp_path / "b")
    assert [s["rule"] for s in report["secrets"]] == ["github-personal-token"]
    assert any("beyond what is put together" in reason for reason in told_in(report)), report["unjudged"]


def test_pack_in_an_image(tmp_path):
    """In a worker's cage, larger than what stays in memory: through its spill file."""
    import imagekit
    from tarkit import file
    repository = empty_repository(tmp_path / "r")
    rng = sk.dice("image")
    noise = {f"n{number}": bytes(rng.getrandbits(8) | 1 for _ in range(200_000)) for number in range(10)}
    steps = [commit({**noise, "conf/app.env": f"T={sk.github(seed=1)}\n".encode()}, 0), commit({"conf/app.env": b"clean\n"}, 1)]
    git(repository, "fast-import", "--quiet", stdin=b"".join(steps))
    git(repository, "repack", "-adq")
    pack, = packs_of(repository)
    assert pack.stat().st_size > 1 << 20
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_25(imagekit.image_of(
        [file(f"srv/.git/objects/pack/{pack.name}", pack.read_bytes())])))
    for env in ({}, {"TMPDIR": "/nonexistent"}):
        result = scanner.scan(path, "--scanners", "secret", env=env)
        assert result.code == 0, result
        secret, = result.report["secrets"]
        assert re.fullmatch(f"srv/.git/objects/pack/{pack.name}![0-9a-f]{{10}}/conf/app.env", secret["path"])
