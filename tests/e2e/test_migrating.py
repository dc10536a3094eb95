"""docs/migrating.md: each flag of the tools is in its table, and the table says what is so."""

import re

import pytest

import imagekit
import scanner
from evidence import base

TOOLS = {"trivy": "trivy image", "grype": "grype"}
# A value that each flag takes, where "x" is none.
VALUES = {
    "--cache-backend": "memory", "--detection-priority": "precise", "--distro": "debian:12", "--exit-code": "1", "--exit-on-eol": "1",
    "--fail-on": "high", "--format": "json", "--ignore-states": "wont-fix", "--ignore-status": "will_not_fix", "--image-config-scanners": "secret",
    "--image-src": "docker", "--output": "json", "--pkg-relationships": "unknown,direct", "--pkg-types": "os",
    "--platform": "linux/amd64", "--scanners": "vuln", "--scope": "squashed", "--sbom-sources": "oci", "--severity": "HIGH,CRITICAL", "--timeout": "5m0s",
    "--vuln-severity-source": "auto",
}


def flags():
    lines = (scanner.REPO / "tests/data/peer_flags.txt").read_text().splitlines()[1:]
    return {(tool, flag): "".join(letter) for tool, flag, *letter in map(str.split, lines)}


def table():
    """{(tool, flag): (letter, what the table says)}"""
    rows, tool = {}, None
    for line in (scanner.REPO / "docs/migrating.md").read_text().splitlines():
        if heading := re.match(r"### Flags of `(\w+)", line):
            tool = heading[1]
        elif row := re.match(r"\| `(--[a-z-]+)`(?:, `-(\w)`)? \| (.+?) \|", line):
            assert (tool, row[1]) not in rows, line
            rows[tool, row[1]] = (row[2] or "", row[3])
    return rows


def test_every_flag_is_in_the_table():
    assert {key: letter for key, (letter, _) in table().items()} == flags()


def attempts(flag):
    """As a switch, and with a value: which of them it is the help does not say."""
    value = VALUES.get(flag, "x")
    return [[flag, "--help"], [f"{flag}={value}", "--help"]]


@pytest.mark.parametrize("tool, flag", sorted(flags()))
def test_the_table_says_what_is_so(tool, flag):
    letter, here = table()[tool, flag]
    runs = [scanner.run("image", *words) for words in attempts(flag)]
    taken = any(run.code == 0 and "Usage:" in run.stdout for run in runs)
    told = "\n".join(run.stderr for run in runs)
    if here in ("same", "ignored"):
        assert taken, told
        if letter and letter != "h":
            value = [] if flag in ("--quiet", "--verbose", "--debug") else [VALUES.get(flag, "x")]
            assert scanner.run("image", f"-{letter}", *value, "--help").code == 0
    elif here in ("no", "not yet"):
        assert not taken and "is not what plimsoll can do" in told, told
    else:
        assert not taken and re.fullmatch(r"`[\w -]+`", here), (here, told)
        assert flag == "--version" or "is not what plimsoll can do" in told, told


@pytest.mark.parametrize("flag, value", [
    ("--detection-priority", "comprehensive"), ("--scope", "all-layers"), ("-s", "all-layers"), ("--vuln-severity-source", "nvd"),
    ("--pkg-relationships", "direct"), ("--image-config-scanners", "secret,misconfig"), ("--cache-backend", "redis://localhost"),
    ("--scanners", "vuln,misconfig"), ("--pkg-types", "os,sbom"), ("--ignore-status", "gone"), ("--skip-files", "a[b"),
    ("--distro", "debian"), ("--exit-on-eol", "3"), ("--platform", "riscv128")])
def test_values_that_cannot_be_honoured(flag, value):
    result = scanner.run("image", flag, value, "x.tar")
    assert result.code == 2 and value.split(",")[-1] in result.stderr and "there is no option" not in result.stderr, result


def test_a_switch_that_is_off_asks_for_nothing():
    assert scanner.run("image", "--dependency-tree=false", "--license-full=false", "--help").code == 0


def test_flags_of_others_are_not_in_the_help():
    told = scanner.run("image", "--help").stdout
    assert "--skip-dirs" in told and "--vuln-type" not in told and "--compliance" not in told


@pytest.mark.parametrize("scheme", ["docker-archive:", "oci-archive:", "oci-dir:", "oci:", "dir:", ""])
def test_schemes(tmp_path, store, scheme):
    image = imagekit.image_of(base())
    if scheme == "dir:":
        (tmp_path / "root").mkdir()
        target = tmp_path / "root"
    elif scheme in ("oci-dir:", "oci:"):
        target = imagekit.write_folder(tmp_path / "oci", imagekit.files_oci(image))
    else:
        files = imagekit.files_oci(image) if scheme == "oci-archive:" else imagekit.files_docker_old(image)
        target = imagekit.write_archive(tmp_path / "i.tar", files)
    result = scanner.run("-q", f"{scheme}{target}", "--db", store, "-o", "json")
    assert result.code == 0 and result.stdout.startswith("{"), result


@pytest.mark.parametrize("name", ["file:x", "singularity:x.sif", "purl:x", "pkg:deb/debian/x@1", "cpe:/a:x:x:1", "cpes:x", "zarf:x"])
def test_schemes_that_are_not_read(name):
    result = scanner.run(name)
    assert result.code == 2 and "nothing that plimsoll scans" in result.stderr, result
