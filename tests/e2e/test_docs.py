"""The documents say what is so: commands, options, make targets, files and limits that they name exist."""

import functools
import pathlib
import re

import pytest

import scanner

REPO = scanner.REPO
OUTSIDE = ("http://", "https://", "#", "mailto:")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def documents():
    """The Markdown files of the repository."""
    places = [REPO, REPO / "docs", REPO / "data", REPO / "bench", REPO / "packaging"]
    return sorted(path for place in places for path in place.glob("*.md"))


def text(name):
    return (REPO / name).read_text()


@functools.cache
def help_of(command):
    result = scanner.run(*command.split(), "--help")
    assert result.code == 0, result
    return result.stdout


@functools.cache
def commands():
    """The names that the general help lists, the longest first."""
    listed = help_of("").split("Commands:\n")[1].split("\n\n")[0]
    names = [re.match(r"  (\S+(?: \S+)?)  ", line)[1] for line in listed.splitlines()]
    return sorted(names, key=len, reverse=True)


def flags_in(words):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", words))


def options_of(command):
    return flags_in("\n".join(re.findall(r"(?m)^  (?:-\w, |    )(--\S+)", help_of(command))))


def is_taken(command, flag):
    """Whether the program takes a flag that its help does not list."""
    return scanner.run(*command.split(), flag, "--help").code == 0


def plimsoll_lines(words):
    """Every use of the program: lines of indented or fenced blocks, and code in the text."""
    blocks = re.findall(r"(?m)^(?: {4,}|\$ ).*$", words)
    lines = [re.sub(r"^\W*(?:run: )?", "", line) for line in blocks]
    spans = re.findall(r"`([^`\n]+)`", words)
    return [line for line in lines + spans if re.match(r"plimsoll [a-z-]", line)]


def test_there_are_documents():
    names = {str(path.relative_to(REPO)) for path in documents()}
    assert {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/report.md",
            "docs/limits.md", "docs/store.md", "data/README.md"} <= names
    assert (REPO / "NOTICE").is_file() and (REPO / "LICENSE").is_file()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/report.md"])
def test_commands_and_flags(name):
    """What follows `plimsoll` is a command, and each of its flags stands in that command's help."""
    lines = plimsoll_lines(text(name))
    assert lines or name != "README.md"
    for line in lines:
        words = line.removeprefix("plimsoll ")
        command = next((c for c in commands() if re.match(rf"{c}\b", words)), None)
        if command is None:
            assert words.split()[0] in ("COMMAND", "--help", "--version", "help", "version"), f"{name}: {line}"
            continue
        unknown = flags_in(words) - options_of(command)
        assert not unknown, f"{name}: `plimsoll {command}` has no {unknown}: {line}"


def test_flags_in_the_text():
    """A flag that README's text names exists; in the table of other programs that is its right column."""
    known = set().union(*(options_of(command) for command in commands())) | {"--version"}
    words, rows = [], []
    for line in text("README.md").splitlines():
        (rows if line.startswith("|") else words).append(line)
    for line in rows:
        cells = line.split(" | ")
        words.append(" ".join(cells[1:]) if len(cells) == 2 else line)
    for span in re.findall(r"`(--[^`\n]+)`", "\n".join(words)):
        for flag in flags_in(span) - known:
            assert is_taken("image", flag), f"README.md names {flag}, which there is not"


def test_every_option_is_in_the_help():
    """The other way round: README names every command, and each option that makes a gate."""
    readme = text("README.md")
    for command in commands():
        if command != "db export-facts":  # for those who make the starter store
            assert f"plimsoll {command}" in readme, command
    for flag in ("--severity", "--ignore-unfixed", "--exit-code", "--fail-on", "--allow-unjudged"):
        assert flag in readme and flag in options_of("image"), flag


def test_environment_names():
    """PLIMSOLL_ names stand in the man page, which is made from the option table."""
    manual = scanner.run("generate", "man").stdout
    for name in ("README.md", "docs/report.md", "SECURITY.md"):
        for variable in set(re.findall(r"\bPLIMSOLL_[A-Z_]*[A-Z]", text(name))):
            assert f"({variable})" in manual, f"{name} names {variable}"


def test_exit_codes():
    """README's table of exit codes has those of the help."""
    listed = dict(re.findall(r"(?m)^  (\d)  (.+)$", help_of("").split("Exit codes:")[1]))
    table = dict(re.findall(r"(?m)^\| (\d)(?:, or N)? \| (.+?) \|$", text("README.md")))
    assert listed.keys() == table.keys() == {"0", "1", "2", "3"}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(REPO)))
def test_links(path):
    """Files that a document links to, or names as a path of the repository, are there."""
    words = path.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", words):
        if not target.startswith(OUTSIDE):
            assert (path.parent / target.split("#")[0]).exists(), f"{path.name} links to {target}"
    for target in re.findall(r"`((?:src|tests|scripts|docs|data|bench)/[\w./-]*\w)`", words):
        if not re.search(r"NAME|…", target):
            assert (REPO / target).exists(), f"{path.name} names {target}"


def test_headers_of_the_architecture():
    """The headers that ARCHITECTURE.md gives for each folder are there, and no folder is left out."""
    words = text("ARCHITECTURE.md")
    folders = {path.name for path in (REPO / "src").iterdir() if path.is_dir()}
    named = re.findall(r"(?ms)^\*\*`src/(\w+)`\*\*(.*?)(?=^\*\*`src/|^## )", words)
    assert {folder for folder, _ in named} == folders
    for folder, paragraph in named:
        for name in re.findall(r"`([\w/]+\.[ch])`", paragraph):
            assert list((REPO / "src").rglob(name)), f"src/{folder}: {name}"
    for name in re.findall(r"`([a-z]+/[\w/]+\.h)`", words):
        assert any((REPO / place / name).is_file() for place in ("src", "")), name


def test_make_targets():
    makefile = text("Makefile")
    targets = set(re.findall(r"(?m)^([\w-]+(?: [\w-]+)*):(?!=)", makefile))
    targets = {word for words in targets for word in words.split()}
    for path in documents():
        for target in re.findall(r"(?m)(?:`|^ {4})make ([a-z-]+)", path.read_text()):
            assert target in targets, f"{path.name} names `make {target}`"


# -- limits ---------------------------------------------------------------------------------------------

@functools.cache
def limits():
    """{name: value} of base/limits.h."""
    known = {}
    for name, value in re.findall(r"(?m)^#define (LIMIT_\w+) +(\(.*?\)|\w+)", text("src/base/limits.h")):
        value = re.sub(r"LIMIT_\w+", lambda match: str(known[match[0]]), value)
        known[name] = eval(re.sub(r"(?<=\d)ULL\b", "", value), {"__builtins__": {}})  # digits and '*' only
    return {name: value for name, value in known.items() if name not in {f"LIMIT_{u.upper()}" for u in UNITS}}


def documented():
    """{name: value} of the tables in docs/limits.md."""
    found = {}
    for name, number, unit in re.findall(r"(?m)^\| `(LIMIT_\w+)` \| ([\d,]+)(?: (\w+))? \|", text("docs/limits.md")):
        assert name not in found, f"{name} stands there twice"
        found[name] = int(number.replace(",", "")) * UNITS.get(unit, 1)
    return found


def test_limits():
    """docs/limits.md has each limit of limits.h with its value, and no other."""
    assert len(limits()) > 30
    assert documented() == limits()


def test_limits_are_used():
    """A limit that nothing looks at is none."""
    code = "\n".join(path.read_text() for path in (REPO / "src").rglob("*.c"))
    unused = [name for name in limits() if not re.search(rf"\b{name}\b", code)]
    assert not unused, unused


def test_sizes():
    """What is read first is kept short."""
    for name, most in (("README.md", 220), ("ARCHITECTURE.md", 250)):
        assert len(text(name).splitlines()) <= most, name


def test_plain_words():
    """Paths of documents are those of the repository: none of the machine that they were written on."""
    for path in [*documents(), pathlib.Path(REPO / "NOTICE")]:
        assert not re.search(r"(?<![\w.])/(?:work|root)/", path.read_text()), path.name
