"""os-release, its places and forms, and distributions past their end of life."""

import json

import pytest

import advisories
import evidence as ev
import scanner
from tarkit import file, symlink, whiteout

STATUS = ev.dpkg(ev.deb("openssl", "3.0.11-1"))
ETC, USR = "etc/os-release", "usr/lib/os-release"

# name: (layers without the package database, (id, version_id) or None)
PLACES = {
    "etc": ([[ev.os_release()]], ("debian", "12")),
    "usr/lib only": ([[ev.os_release(path=USR)]], ("debian", "12")),
    "symlink": ([[ev.os_release(path=USR), symlink(ETC, "../usr/lib/os-release")]], ("debian", "12")),
    "absolute symlink": ([[symlink(ETC, "/usr/lib/os-release"), ev.os_release(path=USR)]], ("debian", "12")),
    "symlink in a later layer": ([[ev.os_release(path=USR)], [symlink(ETC, "../usr/lib/os-release")]], ("debian", "12")),
    "symlink over a merged usr": (
        [[ev.os_release(path="usr/lib/os-release"), symlink("lib", "usr/lib"), symlink(ETC, "/lib/os-release")]], ("debian", "12")),
    "symlink to somewhere else": ([[ev.os_release(path="usr/share/os"), symlink(ETC, "/usr/share/os")]], ("debian", "12")),
    "symlink to nothing, usr/lib there": (
        [[symlink(ETC, "nowhere"), ev.os_release(path=USR)]], ("debian", "12")),
    "etc goes before usr/lib": (
        [[ev.os_release(), ev.os_release(ev.UBUNTU, USR)]], ("debian", "12")),
    "changed by a later layer": ([[ev.os_release(ev.UBUNTU)], [ev.os_release()]], ("debian", "12")),
    "taken away": ([[ev.os_release()], [whiteout(ETC)]], None),
    "missing": ([[]], None),
    "empty": ([[ev.os_release("")]], ("linux", None)),
}

TEXTS = {
    "no quotes": "ID=debian\nVERSION_ID=12\n",
    "double quotes": 'ID="debian"\nVERSION_ID="12"\n',
    "single quotes": "ID='debian'\nVERSION_ID='12'\n",
    "escaped": 'NAME="a \\"b\\" \\$c"\nID="deb\\ian"\nVERSION_ID="12"\n',
    "comments and empty lines": "# ID=x\n\n  \nID=debian\n#VERSION_ID=9\nVERSION_ID=12\n",
    "spaces at the end": "ID=debian  \nVERSION_ID=12\t\n",
    "CRLF": "ID=debian\r\nVERSION_ID=12\r\n",
    "no newline at the end": "VERSION_ID=12\nID=debian",
    "the last one counts": "ID=x\nVERSION_ID=9\nID=debian\nVERSION_ID=12\n",
    "names that end alike": "VARIANT_ID=x\nBUILD_VERSION_ID=9\nID=debian\nVERSION_ID=12\nIMAGE_ID=y\n",
}


def os_of(result):
    told = result.report["image"]["os"] or {}
    return told.get("id"), told.get("version_id")


@pytest.mark.parametrize("name", PLACES)
def test_place(scan_layers, name):
    layers, expected = PLACES[name]
    result = scan_layers([STATUS, *layers[0]], *layers[1:])
    assert result.code == 0, result
    # The specification's default id is "linux"; nothing is as good a word for an empty file.
    assert os_of(result) == (expected or (None, None)) or name == "empty" and os_of(result) == (None, None)
    assert result.packages("deb") == [("openssl", "3.0.11-1")], "listed whether or not the system is known (B31)"
    assert result.ids() == ({"CVE-2024-0021"} if expected == ("debian", "12") else set())


@pytest.mark.parametrize("links", [[symlink(ETC, "os-release")],
                                   [symlink(ETC, "../usr/lib/os-release"), symlink(USR, "../../etc/os-release")]])
def test_loop_of_links(scan_layers, links):
    """Cannot be read, which is said; the packages are listed all the same."""
    result = scan_layers([STATUS, *links])
    assert result.code in (0, 3) and (result.code == 0 or "os-release" in result.complaints()), result
    assert os_of(result) == (None, None)
    assert result.packages("deb") == [("openssl", "3.0.11-1")]


@pytest.mark.parametrize("name", TEXTS)
def test_text(scan_layers, name):
    result = scan_layers([STATUS, ev.os_release(TEXTS[name])])
    # A backslash in double quotes stands before the character that is meant.
    assert os_of(result) == (("debian", "12") if name != "escaped" else (os_of(result)[0], "12"))
    assert name == "escaped" or result.ids() == {"CVE-2024-0021"}


def test_no_version(scan_layers):
    """Debian's testing has none: known as Debian, but there is nothing to judge it by."""
    result = scan_layers([STATUS, ev.os_release("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"\n")])
    assert os_of(result) == ("debian", None)
    assert result.findings() == set()


def test_names(scan_layers):
    told = scan_layers([STATUS, ev.os_release()]).report["image"]["os"]
    assert told["name"] == "Debian GNU/Linux 12 (bookworm)"


def eol(version, date):
    """End-of-life dates in the form in which endoflife.date publishes them."""
    return {"debian": {"category": "os", "identifiers": [], "releases": [
        {"releaseCycle": version, "eol": date, "codename": "x"}]}}


@pytest.mark.parametrize("date,past", [("2016-01-01", True), ("2999-01-01", False)])
def test_end_of_life(tmp_path, scan_layers, make_store, date, past):
    dates = tmp_path / "eol.json"
    dates.write_text(json.dumps(eol("12", date)))
    db = make_store(advisories.STANDARD, dates)
    result = scan_layers([STATUS, ev.os_release()], db=db)
    told = result.report["image"]["os"]["end_of_life"]
    assert bool(told) == past if isinstance(told, bool) else told == date
    table = scanner.run("image", "--input", tmp_path / "image0.tar", "--db", db)
    lines = [line for line in table.stdout.lower().splitlines() if "end of life" in line.replace("-", " ")]
    assert len(lines) == past, table


def test_end_of_life_is_unknown(scan_layers):
    assert scan_layers([STATUS, ev.os_release()]).report["image"]["os"]["end_of_life"] is None


def test_a_file_that_is_no_os_release(scan_layers):
    result = scan_layers([STATUS, file(ETC, b"\0\1\2" * 5000)], args=["--exit-code", "1"])
    assert result.code == 3, "packages that nothing can judge are never clean"
