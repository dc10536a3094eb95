"""Python packages as pip, setuptools and conda leave them, and what only looks like one."""

import pytest

import advisories
import evidence as ev
import scanner
from tarkit import at, file, folder, whiteout

SITE = ev.SITE


def python_of(scan_layers, *entries, **more):
    result = scan_layers([*ev.base(), *entries], **more)
    assert result.code == 0, result
    return result.packages("pypi")


# name: (path, text of the file, what is reported)
FILES = {
    "dist-info": (f"{SITE}/app-1.0.dist-info/METADATA", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "egg-info folder": (f"{SITE}/app-1.0-py3.11.egg-info/PKG-INFO", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "egg-info folder without a version": (f"{ev.DIST}/app.egg-info/PKG-INFO", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "egg-info file": (f"{ev.DIST}/app-1.0.egg-info", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "METADATA in egg-info (B16)": (
        "usr/local/aws-cli/v2/2.1.39/dist/cryptography-3.3.2-py3.8.egg-info/METADATA",
        ev.metadata("cryptography", "3.3.2"), [("cryptography", "3.3.2")]),
    "PKG-INFO in dist-info (B16)": (f"{SITE}/app-1.0.dist-info/PKG-INFO", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "venv": ("srv/venv/lib/python3.9/site-packages/app-1.0.dist-info/METADATA", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "user folder": ("home/jo/.local/lib/python3.11/site-packages/app-1.0.dist-info/METADATA",
                    ev.metadata("app", "1.0"), [("app", "1.0")]),
    "pip --target": ("function/app-1.0.dist-info/METADATA", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "at the root": ("app-1.0.dist-info/METADATA", ev.metadata("app", "1.0"), [("app", "1.0")]),
    "name with spaces in its path": ("opt/my app/app-1.0.dist-info/METADATA", ev.metadata("app", "1.0"), [("app", "1.0")]),
    # How a header is read.
    "UTF-8 author": (f"{SITE}/app.dist-info/METADATA", "Author: Jürgen Öz 日本\nName: app\nVersion: 1.0\n", [("app", "1.0")]),
    "latin-1 author": (f"{SITE}/app.dist-info/METADATA", b"Author: J\xfcrgen \xd6z\nName: app\nVersion: 1.0\n", [("app", "1.0")]),
    "byte order mark": (f"{SITE}/app.dist-info/METADATA", "\ufeffName: app\nVersion: 1.0\n", [("app", "1.0")]),
    "CRLF": (f"{SITE}/app.dist-info/METADATA", "Metadata-Version: 2.1\r\nName: app\r\nVersion: 1.0\r\n\r\nx", [("app", "1.0")]),
    "no newline at the end": (f"{SITE}/app.dist-info/METADATA", "Name: app\nVersion: 1.0", [("app", "1.0")]),
    "headers in other case": (f"{SITE}/app.dist-info/METADATA", "name: app\nVERSION: 1.0\n", [("app", "1.0")]),
    "no space after the colon": (f"{SITE}/app.dist-info/METADATA", "Name:app\nVersion:1.0\n", [("app", "1.0")]),
    "spaces around": (f"{SITE}/app.dist-info/METADATA", "Name: \t app \nVersion:  1.0\t\n", [("app", "1.0")]),
    "folded summary that looks like a header": (
        f"{SITE}/app.dist-info/METADATA", "Summary: a\n Version: 9\n\tName: b\nName: app\nVersion: 1.0\n", [("app", "1.0")]),
    "body that looks like headers": (
        f"{SITE}/app.dist-info/METADATA", "Name: app\nVersion: 1.0\n\nName: other\nVersion: 2.0\n", [("app", "1.0")]),
    "header that ends alike": (
        f"{SITE}/app.dist-info/METADATA", "Author-Name: x\nMetadata-Version: 2.1\nName: app\nVersion: 1.0\n", [("app", "1.0")]),
    "30 KB of headers first": (
        f"{SITE}/app.dist-info/METADATA", "Classifier: x\n" * 2200 + "Name: app\nVersion: 1.0\n", [("app", "1.0")]),
    "2 MB of description": (
        f"{SITE}/app.dist-info/METADATA", "Name: app\nVersion: 1.0\n\n" + "text " * 400000, [("app", "1.0")]),
    "egg-info file that is empty": (f"{SITE}/app-1.0.egg-info", "", [("app", "1.0")]),
    # What only looks like a package.
    "METADATA elsewhere": ("usr/share/app/METADATA", ev.metadata("app", "1.0"), []),
    "another file of the folder": (f"{SITE}/app-1.0.dist-info/METADATA.bak", ev.metadata("app", "1.0"), []),
    "deeper in the folder": (f"{SITE}/app-1.0.dist-info/licenses/METADATA", ev.metadata("app", "1.0"), []),
    "folder whose name goes on": (f"{SITE}/app-1.0.dist-info-old/METADATA", ev.metadata("app", "1.0"), []),
}


@pytest.mark.parametrize("name", FILES)
def test_file(scan_layers, name):
    path, text, expected = FILES[name]
    result = scan_layers([*ev.base(), file(path, text)])
    assert result.packages("pypi") == expected
    if expected:
        assert result.code == 0, result
        assert scanner.paths_of(result.component(expected[0][0])) == {path}


NAMES = [("Flask", "flask"), ("zope.interface", "zope-interface"), ("Flask_SQLAlchemy", "flask-sqlalchemy"),
         ("ruamel.yaml.clib", "ruamel-yaml-clib"), ("a-_.b", "a-b"), ("PyYAML", "pyyaml"), ("backports.zoneinfo", "backports-zoneinfo")]


@pytest.mark.parametrize("written,normal", NAMES)
def test_names_are_normalised(scan_layers, make_store, written, normal):
    """PEP 503, on both sides: in the image and in the advisory."""
    db = make_store([advisories.pypi("CVE-2024-1", written.upper(), "2.0", "HIGH"),
                     advisories.debian("DEBIAN-CVE-2024-9", "nothing", "1")])
    result = scan_layers([*ev.base(), *ev.dist_info(written, "1.0")], db=db)
    assert result.packages("pypi") == [(normal, "1.0")]
    assert result.component(normal)["purl"] == f"pkg:pypi/{normal}@1.0"
    assert result.ids() == {"CVE-2024-1"}


@pytest.mark.parametrize("text", ["Metadata-Version: 2.1\nVersion: 1.0\n", "Metadata-Version: 2.1\nName: app\n",
                                  "Name:\nVersion:\n", "", "\0\0\0\0", "Name: app\nVersion: \n"])
def test_what_cannot_be_identified_is_said(scan_layers, text):
    """Row 17: found by the name of its folder, or said to be unreadable, but not lost in silence."""
    result = scan_layers([*ev.base(), file(f"{SITE}/app-1.0.dist-info/METADATA", text),
                          *ev.dist_info("kept", "2.0")])
    packages = result.packages("pypi")
    assert ("kept", "2.0") in packages
    assert ("app", "1.0") in packages or "app-1.0.dist-info" in result.complaints(), result


HIDDEN = {
    "300 KB of headers first": "Classifier: x\n" * 22000 + "Name: crit-fixed\nVersion: 1.0\n",
    "no version": "Name: crit-fixed\n", "empty": "", "a version that is none": "Name: crit-fixed\nVersion: one point zero\n",
}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("folder_name", ["crit_fixed.dist-info", "crit_fixed-1.0.dist-info"])
def test_a_version_that_is_hidden_is_never_clean(scan_layers, name, folder_name):
    """Row 17: a vulnerable package whose version is made hard to read passes no gate."""
    result = scan_layers([*ev.base(), file(f"{SITE}/{folder_name}/METADATA", HIDDEN[name])], args=["--exit-code", "1"])
    assert result.code in (1, 3), result


def test_one_package_with_all_its_files(scan_layers):
    """METADATA, RECORD, INSTALLER, direct_url.json and an sbom make one component."""
    inner = f"{SITE}/app-1.0.dist-info"
    entries = [*ev.dist_info("app", "1.0"), file(f"{inner}/direct_url.json", '{"url": "file:///src", "dir_info": {}}'),
               file(f"{inner}/WHEEL", "Wheel-Version: 1.0\n"), file(f"{inner}/top_level.txt", "app\n"),
               file(f"{inner}/licenses/LICENSE", "text")]
    assert python_of(scan_layers, *entries) == [("app", "1.0")]


def test_several_environments(scan_layers):
    """The same name in three places: each version is there, and every place is named."""
    places = {"usr/local/lib/python3.11/site-packages": "1.0", "srv/a/lib/python3.11/site-packages": "1.1",
              "home/jo/.local/lib/python3.11/site-packages": "1.1", "root/.venv/lib/python3.12/site-packages": "1.2"}
    result = scan_layers([*ev.base(), *(e for site, v in places.items() for e in ev.dist_info("app", v, site))])
    assert {v for _, v in result.packages("pypi")} == {"1.0", "1.1", "1.2"}
    told = {path: c["version"] for c in result.report["components"] if c["type"] == "pypi" for path in scanner.paths_of(c)}
    assert told == {f"{site}/app-{v}.dist-info/METADATA": v for site, v in places.items()}


def test_findings_in_every_environment(scan_layers):
    result = scan_layers([*ev.base(), *ev.dist_info("crit-fixed", "1.0", "srv/a")], ev.dist_info("crit-fixed", "1.1", "srv/b"),
                         ev.dist_info("crit-fixed", "2.0", "srv/c"))
    assert result.findings() == {("CVE-2024-0001", "crit-fixed", "1.0", 0), ("CVE-2024-0001", "crit-fixed", "1.1", 1)}


def test_upgrade_in_a_later_layer(scan_layers):
    """As pip does it: the old dist-info is whited out, the new one is beside it."""
    result = scan_layers([*ev.base(), *ev.dist_info("crit-fixed", "1.0")],
                         [whiteout(f"{SITE}/crit_fixed-1.0.dist-info"), *ev.dist_info("crit-fixed", "2.0")])
    assert result.components("pypi") == {("pypi", "crit-fixed", "2.0", 1)}
    assert result.findings() == set()


def test_leading_dot_slash_and_folders(scan_layers):
    entries = [folder("./usr"), folder("./usr/local"), *at("./", ev.dist_info("app", "1.0"))]
    assert python_of(scan_layers, *entries) == [("app", "1.0")]


# -- which versions are affected -----------------------------------------------------------------------

# name: (installed, advisory, affected?)
VERSIONS = {
    "certifi, leading zero in the fix (B17)": ("2022.12.7", {"fixed": "2022.12.07"}, False),
    "certifi, one before": ("2022.12.6", {"fixed": "2022.12.07"}, True),
    "twisted, fixed in the candidate (B17)": ("22.10.0", {"fixed": "22.10.0rc1"}, False),
    "candidate before the fix": ("22.10.0rc1", {"fixed": "22.10.0"}, True),
    "torch with a local version (B18)": ("2.0.1+cu118", {"last_affected": "2.0.1"}, True),
    "torch, local version after the last affected": ("2.0.2+cu118", {"last_affected": "2.0.1"}, False),
    "torch, local version of the fix": ("2.0.1+cu118", {"fixed": "2.0.1"}, False),
    "listed version, installed with a local part (B18)": ("2.0.1+cu118", {"versions": ["2.0.1"], "introduced": "99"}, True),
    "listed version with zeros": ("1.0", {"versions": ["1.0.0"], "introduced": "99"}, True),
    "not listed, range ended": ("1.1", {"versions": ["1.0"], "fixed": "1.1"}, False),
    "fix itself": ("2.0", {"fixed": "2.0"}, False),
    "fix written otherwise": ("2", {"fixed": "2.0.0"}, False),
    "before the introduction": ("0.9", {"introduced": "1.0", "fixed": "2.0"}, False),
    "at the introduction": ("1.0", {"introduced": "1.0", "fixed": "2.0"}, True),
    "post release of the fix": ("2.0.post1", {"fixed": "2.0"}, False),
    "development release of the fix": ("2.0.dev3", {"fixed": "2.0"}, True),
    "epoch": ("1!0.1", {"fixed": "9.0"}, False),
    "without an end": ("77.7", {}, True),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_affected(scan_layers, make_store, name):
    installed, what, affected = VERSIONS[name]
    what = {"fixed": None, **what}
    db = make_store([advisories.pypi("CVE-2024-1", "app", severity="HIGH", **what),
                     advisories.debian("DEBIAN-CVE-2024-9", "nothing", "1")])
    result = scan_layers([*ev.base(), *ev.dist_info("app", installed)], db=db)
    assert result.ids() == ({"CVE-2024-1"} if affected else set()), result


def test_withdrawn_advisory(scan_layers, make_store):
    """B43, for Python: what was withdrawn is no finding."""
    db = make_store([advisories.pypi("CVE-2024-1", "app", "2.0", "HIGH", withdrawn="2024-06-01T00:00:00Z"),
                     advisories.pypi("CVE-2024-2", "app", "2.0", "HIGH")])
    result = scan_layers([*ev.base(), *ev.dist_info("app", "1.0")], args=["--allow-unjudged"], db=db)
    assert result.ids() == {"CVE-2024-2"}


def test_several_ranges(scan_layers, make_store):
    record = advisories.pypi("CVE-2024-1", "app", "1.5", "HIGH", introduced="1.0")
    record["affected"][0]["ranges"].append(
        {"type": "ECOSYSTEM", "events": [{"introduced": "2.0"}, {"fixed": "2.5"}]})
    record["affected"][0]["ranges"].append(
        {"type": "GIT", "repo": "https://example.org/x", "events": [{"introduced": "0"}]})
    db = make_store([record])
    versions = {"0.9": False, "1.0": True, "1.5": False, "1.9": False, "2.0": True, "2.4": True, "2.5": False}
    entries = [e for v in versions for e in ev.dist_info("app", v, f"srv/{v}")]
    result = scan_layers([*ev.base(), *entries], db=db)
    assert {f["installed"] for f in result.report["findings"]} == {v for v, hit in versions.items() if hit}
    assert all("1.5" in f["fixed"] or "2.5" in f["fixed"] for f in result.report["findings"])


def test_one_finding_for_all_ids(scan_layers, make_store):
    """CVE, GHSA and PYSEC of one flaw are one finding: the CVE's, and the others are listed."""
    db = make_store([
        advisories.pypi("PYSEC-2024-7", "app", "2.0", aliases=["CVE-2024-7", "GHSA-aaaa-bbbb-cccc"]),
        advisories.pypi("GHSA-aaaa-bbbb-cccc", "app", "2.0", "HIGH", aliases=["CVE-2024-7"]),
        advisories.pypi("GHSA-dddd-eeee-ffff", "app", "3.0", "LOW")])
    result = scan_layers([*ev.base(), *ev.dist_info("app", "1.0")], db=db)
    assert result.ids() == {"CVE-2024-7", "GHSA-dddd-eeee-ffff"}
    finding = result.finding("CVE-2024-7")
    assert set(finding["aliases"]) == {"PYSEC-2024-7", "GHSA-aaaa-bbbb-cccc"}
    assert finding["severity"] == "HIGH" and finding["score"] == 7.5, "the vector is the GHSA's"
    assert finding["fixed"] == ["2.0"]


SCORES = [("CRITICAL", 9.8), ("HIGH", 7.5), ("MEDIUM", 6.1), ("LOW", 2.2)]


@pytest.mark.parametrize("severity,score", SCORES)
def test_severity_from_the_vector(scan_layers, severity, score):
    result = scan_layers([*ev.base(), *ev.dist_info(f"{severity.lower().replace('critical', 'crit')}-fixed", "1.0")])
    finding, = result.report["findings"]
    assert (finding["severity"], finding["score"], finding["vector"]) == (severity, score, advisories.VECTORS[severity])
    assert finding["status"] == "fixed" and finding["fixed"] == ["2.0"]


def test_unknown_severity(scan_layers):
    finding = scan_layers([*ev.base(), *ev.dist_info("unknown-unfixed", "1.0")]).finding("CVE-2024-0015")
    assert (finding["severity"], finding["score"], finding["vector"]) == ("UNKNOWN", None, None)
    assert (finding["status"], finding["fixed"]) == ("affected", [])
