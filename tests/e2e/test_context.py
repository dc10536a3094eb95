"""plimsoll context: .dockerignore as moby's patternmatcher reads it, what --write writes, and what it cannot."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

import pytest

import ignorekit
import scanner
import secretkit as sk

HF = sk.token("huggingface-token")
TOOLS = pathlib.Path(__file__).resolve().parents[1] / "tools"


def write(folder, path, text=f"T={HF}\n"):
    """A file with a secret."""
    place = os.path.join(os.fsencode(folder), os.fsencode(path))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def context(folder, *args, **more):
    return scanner.run("context", str(folder), *args, **more)


def told(folder, *args, code=0):
    result = context(folder, "-f", "json", *args)
    assert result.code == code, result
    assert HF not in result.stdout
    return json.loads(result.stdout)


def sent(folder, *args, **more):
    """The paths of the files with secrets that would be sent."""
    return sorted({secret["path"] for secret in told(folder, *args, **more)["secrets"]})


# -- the judge ------------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def moby(tmp_path_factory):
    if not shutil.which("go"):
        pytest.skip("go is not installed: moby's patternmatcher cannot be built")
    out = tmp_path_factory.mktemp("go") / "patternmatcher"
    done = subprocess.run(["go", "build", "-mod=readonly", "-o", out, "."], cwd=TOOLS / "patternmatcher", capture_output=True,
                          text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"moby's patternmatcher cannot be built: {done.stderr[-300:]}")
    return ignorekit.Judge(out)


@pytest.fixture(scope="session")
def own():
    program = pathlib.Path(scanner.binary()).parent / "tests" / "dockerignore_match"
    if not program.is_file():
        pytest.skip(f"{program} is not there: this build has no tests")
    return ignorekit.Judge(program)


@pytest.fixture
def dice(request):
    """Another seed each time; PLIMSOLL_TEST_SEED has an old one again."""
    seed = os.environ.get("PLIMSOLL_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    sys.stderr.write(f"{request.node.name}: PLIMSOLL_TEST_SEED={seed}\n")
    return random.Random(seed + request.node.name)


def differences(cases, left, right):
    return [(text, [(path, a, b) for path, a, b in zip(paths, x, y) if a != b] if "refused" not in (x, y) else (x, y))
            for (text, paths), x, y in zip(cases, left, right) if x != y]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_as_moby_reads_it(moby, own, dice):
    """2,000 generated files with trees: each path is left out, sent, or an error for both."""
    cases = [ignorekit.case(dice) for _ in range(2000)]
    theirs = moby.ask(cases)
    found = differences(cases, theirs, own.ask(cases))
    assert not found, f"{len(found)} of {len(cases)}: {found[:5]}"
    answers = [answer for one in theirs if one != "refused" for answer in one]
    for answer, least in {"11": 1000, "00": 5000, "!!": 100}.items():
        assert answers.count(answer) >= least, f"the generator makes too few of {answer}"


LONG = 1 << 16


def edges():
    """Texts that a generator does not come to, and paths."""
    yield from ((b"a\n" + b"b" * (LONG + more) + end, [b"a", b"b" * 9]) for more in (-1, 0) for end in (b"", b"\n", b"\r\n"))
    yield b"*a" * 300, [b"a" * 4000, b"a" * 400 + b"/b"]
    yield b"**/a" * 300, [b"a/" * 100 + b"b", b"a/" * 400 + b"a"]
    yield from ((text, [b"a" * count for count in (1, 2, 4, 6, 1000, 1001)])
                for text in (b"a{1000}*", b"a{1001}*", b"a{2}{3}*", b"a{2}\\Q\\E{3}*", b"a{2}\\Q\\E{501}*", b"a{0}\\Q\\E{1000}*", b"|{2}*", b"^{2}*",
                             b"a{,2}*", b"a{02}*", b"a{2,1}*", b"a{1,999999999999}*", b"a{2,}\\z*", b"\\Qa*", b"a*\\", b"?\\101", b"?|\\Ba"))
    yield from ((text, [b"a", b"a/b", b"a/b/c", b"b"]) for text in (b"a/b\n!a", b"a\n!a/b\na", b"*\n!a\na/b", b"!", b"! ", b"!/", b"/", b"/.", b"..",
                                                                   b"!..", b"/../a", b"/!a", b"\n\n", b"", b"\xef\xbb\xbf\xef\xbb\xbf**", b"a/../b/"))


def test_edges_as_moby_reads_them(moby, own):
    cases = list(edges())
    assert differences(cases, moby.ask(cases), own.ask(cases)) == []


HARMLESS = [name for name in ignorekit.NAMES if name not in ("Dockerfile", ".git", "config") and name.isprintable()]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", range(8))
def test_command_as_moby_reads_it(tmp_path, moby, dice, number):
    """The same with real trees: what moby's matcher does not leave out is a secret that is sent, and after
    --write nothing is, for moby and for plimsoll."""
    for round_ in range(15):
        folder = tmp_path / str(round_)
        text, paths = ignorekit.case(dice, HARMLESS)
        paths = [path for path in paths if not any(other.startswith(path + b"/") for other in paths)]
        for path in paths:
            write(folder, path)
        write(folder, ".dockerignore", text)
        answer = moby.ask([(text, paths)])[0]
        if answer == "refused" or any("!" in one for one in answer):
            assert context(folder).code == 3, text
            continue
        assert sent(folder) == sorted(path.decode() for path, one in zip(paths, answer) if one[0] == "0"), text
        assert told(folder, "--write")["not_left_out"] == []
        assert sent(folder) == [], text
        written = (folder / ".dockerignore").read_bytes()
        # What was left out before stays as it was, also for clients of another age.
        assert all(one[0] == "1" for one in moby.ask([(written, paths)])[0]), written


# -- rows of S14 and their kind -----------------------------------------------------------------------------

READ = [
    ("*\n!**.pem", ["a.pem", "d/b.pem", "c.env"], ["a.pem", "d/b.pem"]),
    ("*\n!key[!0-9].pem", ["key!.pem", "key7.pem", "keya.pem", "key[.pem"], ["key!.pem", "key7.pem"]),
    ("*\n!key[^0-9].pem", ["key!.pem", "key7.pem", "keya.pem"], ["key!.pem", "keya.pem"]),
    ("*\n!schl?ssel.pem", ["schlüssel.pem", "schlssel.pem", "schl日ssel.pem"], ["schlüssel.pem", "schl日ssel.pem"]),
    ("*\n![é-ý].pem", ["ü.pem", "u.pem"], ["ü.pem"]),
    ("d\n!d/e/a.env", ["d/a.env", "d/e/a.env", "d/e/b.env"], ["d/e/a.env"]),
    ("*\n!d\nd/e", ["a.env", "d/a.env", "d/e/a.env"], ["d/a.env"]),
    ("a.env/\n", ["a.env", "d/a.env"], ["d/a.env"]),
    ("{a,b}.env\n{a}*", ["a.env", "b.env", "{a}.env"], ["a.env", "b.env"]),
    ("a|b*", ["a.env", "b.env", "cb", "c"], ["c"]),
    ("\\*.env", ["*.env", "a.env"], ["a.env"]),
    ("\\#a\n#b", ["#a", "#b"], ["#b"]),
    ("\ufeffa.env", ["a.env"], []),
    ("a.env\r\nb.env \t\r\n", ["a.env", "b.env", "b.env "], ["b.env "]),
    ("**/x\n", ["x", "d/x", "d/e/x", "dx"], ["dx"]),
    ("d/**/x", ["d/x", "d/e/x", "d/ex"], ["d/ex"]),
    ("[[:digit:]]*\n\\d.env", ["1", "1.env", "d.env"], ["d.env"]),
]


@pytest.mark.parametrize("ignore, files, expected", READ, ids=[row[0] for row in READ])
def test_patterns(tmp_path, ignore, files, expected):
    for path in files:
        write(tmp_path, path)
    write(tmp_path, ".dockerignore", ignore)
    assert sent(tmp_path) == sorted(expected)


@pytest.mark.parametrize("ignore, words", {
    "a\nx[": [":2:", "x[", "no pattern"], "!": ["!", "no pattern"], "[]a]": ["no pattern"], "[a-": ["no pattern"], "a*\\y": ["no pattern"],
    "\\é*": ["no pattern"], "*\n!\\pL": [":2:", "\\p"], "x\n" + "a" * 65536: [":2:", "65535"], "a" * (1 << 20) + "\n": ["limit of 1048576"],
    "a\n" * (1 << 19) + "a": ["limit"], "*a{1000}\n" * 1000: ["limit"], "x|" * 20000 + "x*": ["limit"]}.items(), ids=lambda value: str(value)[:12])
def test_wrong_patterns(tmp_path, ignore, words):
    """What no builder takes, or takes more than the limits, is an error: a gate does not pass."""
    write(tmp_path, "a" * 250 + "/" + "a" * 250 + "/" + "a" * 250 + "/b.env")
    write(tmp_path, ".dockerignore", ignore)
    result = context(tmp_path, "--exit-code", "1")
    assert result.code == 3 and not result.stdout, result
    assert all(word in result.stderr for word in [".dockerignore", *words]), result


def test_wrong_pattern_that_is_never_asked(tmp_path):
    """Builders do not look at what could change nothing."""
    write(tmp_path, "a.env")
    write(tmp_path, ".dockerignore", "!a*\\y\n")
    assert sent(tmp_path) == ["a.env"]


def test_older_clients(tmp_path):
    """They do not see that the last line leaves out a file in the folder: said, though others do."""
    write(tmp_path, "d/a.env")
    write(tmp_path, ".dockerignore", "d\n!d/a.env\nd\n")
    result = context(tmp_path, "--exit-code", "1")
    assert result.code == 0 and "older clients" in result.stderr and "d/a.env" in result.stderr, result


# -- rows of S15 and their kind -----------------------------------------------------------------------------

def test_own_ignore_file_goes_first(tmp_path):
    write(tmp_path, "a.env")
    write(tmp_path, "b.env")
    write(tmp_path, ".dockerignore", "*.env\n")
    assert sent(tmp_path) == []
    write(tmp_path, "Dockerfile.dockerignore", "b.env\n")
    assert sent(tmp_path) == ["a.env"]
    assert told(tmp_path)["ignore_file"].endswith("/Dockerfile.dockerignore")
    result = context(tmp_path, "--write", "--exit-code", "1")
    assert result.code == 0 and f"Added to {tmp_path}/Dockerfile.dockerignore:\n  a.env\n" in result.stdout, result
    assert (tmp_path / ".dockerignore").read_text() == "*.env\n" and sent(tmp_path) == []
    write(tmp_path, "Dockerfile.dockerignore", "")
    assert sent(tmp_path) == ["a.env", "b.env"]


@pytest.mark.parametrize("dockerfile, ignore, counts", [
    (None, "Dockerfile.dockerignore", True), ("Dockerfile", "Dockerfile.dockerignore", True), ("dockerfile", "Dockerfile.dockerignore", True),
    ("Containerfile", "Containerfile.dockerignore", True), ("Containerfile", "Dockerfile.dockerignore", False),
    ("Dockerfile", "Containerfile.dockerignore", False)])
def test_which_ignore_file(tmp_path, dockerfile, ignore, counts):
    if dockerfile:
        write(tmp_path, dockerfile, "FROM x\n")
    write(tmp_path, "a.env")
    write(tmp_path, ignore, "a.env\n")
    assert sent(tmp_path) == ([] if counts else ["a.env"])


def test_named_dockerfile(tmp_path):
    """It is the one that a builder reads in any case; another one is a file like all others."""
    folder = tmp_path / "context"
    write(folder, "a.env")
    write(folder, "Dockerfile", f"FROM x\nENV T={HF}\n")
    write(folder, "docker/dev.Dockerfile", f"FROM x\nARG T={HF}\n")
    write(folder, "docker/dev.Dockerfile.dockerignore", "a.env\nDockerfile\ndocker\n")
    named = ("--dockerfile", str(folder / "docker" / "dev.Dockerfile"))
    assert sent(folder, *named) == ["docker/dev.Dockerfile"]
    assert [file["path"] for file in told(folder, *named)["not_left_out"]] == ["docker/dev.Dockerfile"]
    outside = tmp_path / "else" / "Dockerfile"
    write(tmp_path, "else/Dockerfile", f"FROM x\nENV T={HF}\n")
    report = told(folder, "--dockerfile", str(outside))
    assert str(outside) in [secret["path"] for secret in report["secrets"]]
    assert [file["path"] for file in report["not_left_out"]] == [str(outside)]
    assert "Dockerfile" in report["dockerignore"]
    assert context(folder, "--dockerfile", str(tmp_path / "none")).code == 3


@pytest.mark.parametrize("name", ["Dockerfile", "dockerfile", "Containerfile"])
def test_secret_in_the_dockerfile(tmp_path, name):
    """No line leaves it out, since the builder reads it: the advice is another, and the gate stays shut."""
    write(tmp_path, name, f"FROM x\nENV HF_TOKEN={HF}\n")
    write(tmp_path, "a.env")
    write(tmp_path, ".dockerignore", f"{name}\n")
    report = told(tmp_path, "--exit-code", "1", code=1)
    assert report["dockerignore"] == ["a.env"]
    advice, = report["not_left_out"]
    assert advice["path"] == name and "--mount=type=secret" in advice["advice"] and "ENV" in advice["advice"]
    result = context(tmp_path, "--write", "--exit-code", "1")
    assert result.code == 1 and f"\n{name}: " in result.stdout and "--mount=type=secret" in result.stdout, result
    assert (tmp_path / ".dockerignore").read_text().splitlines()[-1] == "a.env"
    result = context(tmp_path, "--write", "--exit-code", "1")
    assert result.code == 1 and "Nothing was written." in result.stdout, result
    assert sent(tmp_path) == [name]


def test_linked_dockerfile(tmp_path):
    """What the link leads to is the Dockerfile."""
    write(tmp_path, "docker/Dockerfile", f"FROM x\nENV HF_TOKEN={HF}\n")
    (tmp_path / "Dockerfile").symlink_to("docker/Dockerfile")
    report = told(tmp_path)
    assert report["dockerignore"] == [] and [file["path"] for file in report["not_left_out"]] == ["docker/Dockerfile"]


def test_secret_in_the_ignore_file(tmp_path):
    write(tmp_path, ".dockerignore", f"# T={HF}\n.dockerignore\n")
    report = told(tmp_path, "--write", "--exit-code", "1", code=1)
    assert report["dockerignore"] == [] and not report["written"]
    assert [file["path"] for file in report["not_left_out"]] == [".dockerignore"]


AWKWARD = [b"#.env#", b"!keep.env", b" x.env", b"x.env ", b"\tx", b"x\r", "\u00a0x.env\u3000".encode(), "\ufeffx".encode(), "\u2003".encode(),
           b"a\\b.env", b"a\\", b"*.env", b"?.env", b"[a].env", b"]", b"a^b", b"^a*", b"a|b", b"{a}", b"a{2}", b"$(x)+.env", b"d/#.env",
           b"d/!x", b"d/ x /y", b"caf\xe9.env", b"\xff", b"\xe9*", "schlüssel.pem".encode(), b"**", b"-", b".git/config", b"...", b"a\x1bb"]


@pytest.mark.parametrize("before", ["", "*.pem", "*\n!**", "!**\n# end", "**\n!*\n!**/config\n"], ids=repr)
def test_written_lines_leave_out(tmp_path, before, moby):
    """Whatever the name, and whatever stands before: for moby's matcher and for plimsoll."""
    for path in AWKWARD:
        write(tmp_path, path)
        write(tmp_path, path + b".not", "nothing\n")
    write(tmp_path, ".dockerignore", before)
    twins = moby.ask([(before.encode(), [path + b".not" for path in AWKWARD])])[0]
    report = told(tmp_path, "--write")
    assert report["written"] and report["not_left_out"] == []
    assert told(tmp_path)["secrets"] == []
    written = (tmp_path / ".dockerignore").read_bytes()
    assert written.startswith(before.encode())
    assert moby.ask([(written, AWKWARD)])[0] == ["11"] * len(AWKWARD), written
    assert moby.ask([(written, [path + b".not" for path in AWKWARD if not path.startswith(b".git")])])[0] == [
        answer for path, answer in zip(AWKWARD, twins) if not path.startswith(b".git")], "other files are left out"


def test_line_end_in_a_name(tmp_path):
    """No line can name it: said, and the gate stays shut."""
    write(tmp_path, "a\nb.env")
    write(tmp_path, "c.env")
    result = context(tmp_path, "--write", "--exit-code", "1")
    assert result.code == 1 and "a\\x0ab.env: no line can name it" in result.stdout, result
    assert (tmp_path / ".dockerignore").read_text().splitlines() == ["# secrets (plimsoll context)", "c.env"]
    assert sent(tmp_path) == ["a\nb.env"]


def test_write_says_what_it_wrote(tmp_path):
    write(tmp_path, "a.env")
    write(tmp_path, ".dockerignore", "b.env")
    before = context(tmp_path)
    assert f"Lines for {tmp_path}/.dockerignore (--write adds them):\n  a.env\n" in before.stdout, before
    assert (tmp_path / ".dockerignore").read_text() == "b.env"
    report = told(tmp_path)
    assert report["dockerignore"] == ["a.env"] and report["written"] is False
    after = context(tmp_path, "--write")
    assert f"Added to {tmp_path}/.dockerignore:\n  a.env\n" in after.stdout, after
    assert (tmp_path / ".dockerignore").read_text() == "b.env\n# secrets (plimsoll context)\na.env\n"
    last = context(tmp_path, "--write")
    assert "No secret is among them.\nNothing was written.\n" in last.stdout, last
    assert (tmp_path / ".dockerignore").read_text() == "b.env\n# secrets (plimsoll context)\na.env\n"


def test_linked_folder(tmp_path):
    write(tmp_path / "context", "a.env")
    write(tmp_path / "context", ".dockerignore", "a.env\n")
    (tmp_path / "link").symlink_to("context")
    for name in ("link", "link/", "context//", "./context/."):
        result = scanner.run("context", name, "-f", "json", cwd=tmp_path)
        report = json.loads(result.stdout)
        assert (report["files"], report["files_left_out"], report["secrets"]) == (1, 1, []), name


def test_links_of_others(tmp_path):
    """A repository's link neither has another file read as an ignore file nor written to."""
    folder, other = tmp_path / "context", tmp_path / "other"
    write(folder, "a.env")
    other.write_text("a.env\n")
    (folder / ".dockerignore").symlink_to(other)
    result = context(folder, "--exit-code", "1")
    assert result.code == 1 and "link" in result.stderr, result
    assert context(folder, "--write").code == 3
    assert other.read_text() == "a.env\n"
    (folder / ".dockerignore").unlink()
    write(folder, "ignored", "a.env\n")
    (folder / ".dockerignore").symlink_to("ignored")
    assert sent(folder) == []
    write(folder, "b.env")
    result = context(folder, "--write")
    assert result.code == 3 and "link" in result.stderr and (folder / "ignored").read_text() == "a.env\n", result
