"""Debian packages: what is installed, whose files are whose, and what an advisory says of them."""

from urllib.parse import unquote

import pytest

import advisories
import evidence as ev
import scanner
from tarkit import file, whiteout

SITE = ev.DIST


def debs(scan_layers, *paragraphs, **more):
    result = scan_layers([ev.os_release(), ev.dpkg(*paragraphs)], **more)
    assert result.code == 0, result
    return result


KEPT = ev.deb("kept", "1.0-1")
STATES = {
    "install ok installed": True, "hold ok installed": True, "install reinstreq installed": True,
    "deinstall ok installed": True, "install ok triggers-awaited": True, "install ok triggers-pending": True,
    "deinstall ok config-files": False, "purge ok not-installed": False, "unknown ok not-installed": False,
    "install ok half-installed": False, "install reinstreq half-installed": False,
}


@pytest.mark.parametrize("state", STATES)
def test_only_installed_states(scan_layers, state):
    result = debs(scan_layers, KEPT, ev.deb("curl", "7.88.1-10", status=state))
    assert result.packages("deb") == [("curl", "7.88.1-10")] * STATES[state] + [("kept", "1.0-1")]


# installed version, Source field, (source name, source version)
SOURCES = [
    ("3.0.11-1~deb12u2", None, ("libssl3", "3.0.11-1~deb12u2")),
    ("3.0.11-1~deb12u2", "openssl", ("openssl", "3.0.11-1~deb12u2")),
    ("3.0.11-1+b2", "openssl (3.0.11-1)", ("openssl", "3.0.11-1")),
    ("1:9.2-2", "shadow (1:4.13+dfsg1-1)", ("shadow", "1:4.13+dfsg1-1")),
]


@pytest.mark.parametrize("version,source,expected", SOURCES)
def test_source_package(scan_layers, version, source, expected):
    component = debs(scan_layers, ev.deb("libssl3", version, source)).component("libssl3")
    assert component["version"] == version
    assert (component["source"]["name"], component["source"]["version"]) == expected


@pytest.mark.parametrize("written,told", [("1:1.2.13-1", "1:1.2.13-1"), ("0:1.2-1", "1.2-1"), ("1.0", "1.0"),
                                          ("2.36-9+deb12u9~x", "2.36-9+deb12u9~x")])
def test_versions_are_whole(scan_layers, written, told):
    component = debs(scan_layers, ev.deb("zlib1g", written)).component("zlib1g")
    assert component["version"] == told
    purl, _, qualifiers = component["purl"].partition("?")
    assert unquote(purl) == f"pkg:deb/debian/zlib1g@{told}"
    assert "arch=amd64" in qualifiers


def test_two_architectures(scan_layers):
    """B15: two components, told apart by the architecture in their purl."""
    more = "Multi-Arch: same\n"
    result = debs(scan_layers, ev.deb("libc6", "2.36-9", "glibc", more=more),
                  ev.deb("libc6", "2.36-9", "glibc", "i386", more=more))
    assert result.packages("deb") == [("libc6", "2.36-9")] * 2
    purls = sorted(c["purl"] for c in result.report["components"])
    assert ["arch=amd64" in purls[0], "arch=i386" in purls[1]] == [True, True]


PARAGRAPHS = {
    "fields in another order": "Version: 1.0\nArchitecture: amd64\nStatus: install ok installed\nPackage: app\n",
    "fields in other case": "package: app\nstatus: install ok installed\nARCHITECTURE: amd64\nversion: 1.0\n",
    "no space after the colon": "Package:app\nStatus:install ok installed\nVersion:1.0\nArchitecture:amd64\n",
    "trailing spaces": "Package: app  \nStatus: install ok installed \nVersion: 1.0\t\nArchitecture: amd64\n",
    "conffiles that look like fields": ev.deb("app", "1.0", more="Conffiles:\n /etc/x 0123\n Version: 9\n Package: y\n"),
    "bytes that are no UTF-8": ev.deb("app", "1.0", maintainer="J?rgen").replace("J?rgen", "J\udcfcrgen <j@debian.org>"),
    "very long description": ev.deb("app", "1.0") + " word" * 300000 + "\n",
}


@pytest.mark.parametrize("name", PARAGRAPHS)
def test_paragraph(scan_layers, name):
    text = "\n".join([ev.deb("before", "1"), PARAGRAPHS[name], ev.deb("later", "2")])
    result = scan_layers([ev.os_release(), file(ev.STATUS, text.encode("utf-8", "surrogateescape"))])
    assert result.packages("deb") == [("app", "1.0"), ("before", "1"), ("later", "2")]
    assert result.code == 0, result


@pytest.mark.parametrize("between", ["\n\n", "\n\n\n\n", "\n \t\n"])
def test_lines_between_paragraphs(scan_layers, between):
    text = "\n" + between.join(ev.deb(n, "1").rstrip("\n") for n in ("a1", "b1", "c1"))
    result = scan_layers([ev.os_release(), file(ev.STATUS, text)])
    assert result.packages("deb") == [("a1", "1"), ("b1", "1"), ("c1", "1")]


def test_distroless(scan_layers):
    """status.d: a file a package without a Status field, no folders, os-release in usr/lib."""
    one = ev.deb("base-files", "12.4").replace("Status: install ok installed\n", "")
    two = ev.deb("libssl3", "3.0.11-1", "openssl").replace("Status: install ok installed\n", "")
    result = scan_layers([file("var/lib/dpkg/status.d/base-files", one), ev.os_release(path="usr/lib/os-release")],
                         [file("var/lib/dpkg/status.d/libssl3", two), file("var/lib/dpkg/status.d/libssl3.md5sums", "0 x\n")])
    assert result.components() == {("deb", "base-files", "12.4", 0), ("deb", "libssl3", "3.0.11-1", 1)}
    assert result.ids() == {"CVE-2024-0021"}
    assert result.report["image"]["os"]["id"] == "debian"


def test_status_and_status_d_together(scan_layers):
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT), file("var/lib/dpkg/status.d/other", ev.deb("other", "2"))])
    assert result.packages("deb") == [("kept", "1.0-1"), ("other", "2")]


def test_backup_of_the_status_is_not_read(scan_layers):
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT), ev.dpkg(ev.deb("old", "1"), path="var/lib/dpkg/status-old"),
                          ev.dpkg(ev.deb("older", "1"), path="var/backups/dpkg.status.0")])
    assert result.packages("deb") == [("kept", "1.0-1")]


def test_removed_in_a_later_layer(scan_layers):
    curl = ev.deb("curl", "7.88.1-10")
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT, curl)],
                         [ev.dpkg(KEPT, curl.replace("install ok installed", "deinstall ok config-files"))])
    assert result.packages("deb") == [("kept", "1.0-1")]
    assert result.findings() == set()


# -- Python that a package of the distribution owns -----------------------------------------------------

EGG = f"{SITE}/crit_fixed-1.0.egg-info/PKG-INFO"
OWNED = file(EGG, ev.metadata("crit-fixed", "1.0"))
PYTHON_DEB = ev.deb("python3-crit", "1.0-2+deb12u1", source="crit")
VENDOR_DEB = ev.deb("vendor-agent", "7.0-1", maintainer="Vendor <packages@vendor.example>")
LISTS = {
    "list": ev.owned("python3-crit", "usr", SITE, EGG),
    "list with the architecture (B15)": ev.owned("python3-crit:amd64", "usr", SITE, EGG),
    "md5sums": file("var/lib/dpkg/info/python3-crit.md5sums", f"d41d8cd98f00b204e9800998ecf8427e  {EGG}\n"),
}


@pytest.mark.parametrize("name", LISTS)
def test_owned_by_the_distribution(scan_layers, name):
    """B22, for Debian: its own word counts for what it made, and it says that this is fixed."""
    result = scan_layers([ev.os_release(), ev.dpkg(PYTHON_DEB), LISTS[name], OWNED])
    assert result.components() == {("deb", "python3-crit", "1.0-2+deb12u1", 0)}
    assert result.findings() == set()


def test_owned_but_not_judged(scan_layers, make_store):
    """Where the store has nothing for the distribution, what upstream says is all that there is."""
    db = make_store([advisories.pypi("CVE-2024-0001", "crit-fixed", "2.0", "CRITICAL")])
    result = scan_layers([ev.os_release(), ev.dpkg(PYTHON_DEB), LISTS["list"], OWNED], db=db)
    assert result.packages() == [("crit-fixed", "1.0"), ("python3-crit", "1.0-2+deb12u1")]
    assert result.ids() == {"CVE-2024-0001"}


def test_owned_but_of_another_release(scan_layers, make_store):
    """A feed for Debian 13 does not judge a Debian 12."""
    db = make_store([advisories.pypi("CVE-2024-0001", "crit-fixed", "2.0", "CRITICAL"),
                     advisories.debian("DEBIAN-CVE-2024-5", "curl", "9", release="13")])
    result = scan_layers([ev.os_release(), ev.dpkg(PYTHON_DEB), LISTS["list"], OWNED], db=db)
    assert result.ids() == {"CVE-2024-0001"}


def test_ownership_across_layers(scan_layers):
    """The list may be in another layer than the file."""
    result = scan_layers([ev.os_release(), ev.dpkg(PYTHON_DEB), OWNED], [LISTS["list"]])
    assert result.packages() == [("python3-crit", "1.0-2+deb12u1")]


def test_not_owned(scan_layers):
    """The same package by pip beside the distribution's: that one is reported."""
    result = scan_layers([ev.os_release(), ev.dpkg(PYTHON_DEB), LISTS["list"], OWNED], ev.dist_info("crit-fixed", "1.5"))
    assert result.components("pypi") == {("pypi", "crit-fixed", "1.5", 1)}
    assert result.findings() == {("CVE-2024-0001", "crit-fixed", "1.5", 1)}


def test_owner_was_removed(scan_layers):
    """Files that a removed package left behind are nobody's."""
    gone = PYTHON_DEB.replace("install ok installed", "deinstall ok config-files")
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT, PYTHON_DEB), LISTS["list"], OWNED],
                         [ev.dpkg(KEPT, gone), whiteout("var/lib/dpkg/info/python3-crit.list")])
    assert result.packages("pypi") == [("crit-fixed", "1.0")]


def test_a_vendors_deb(scan_layers):
    """What a vendor packed into its own deb was not made by the distribution: it is reported."""
    path = "opt/agent/embedded/lib/python3.11/site-packages/crit_fixed-1.0.dist-info/METADATA"
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT, VENDOR_DEB), ev.owned("vendor-agent", "opt", path),
                          file(path, ev.metadata("crit-fixed", "1.0"))])
    assert result.packages() == [("crit-fixed", "1.0"), ("kept", "1.0-1"), ("vendor-agent", "7.0-1")]
    assert result.ids() == {"CVE-2024-0001"}


# -- what the distribution says ---------------------------------------------------------------------------

AFFECTED = {
    "before the fix": ("3.0.11-1~deb12u2", True), "the fix": ("3.0.15-1~deb12u1", False),
    "before the fix by its tilde": ("3.0.15-1~deb12u1~rc1", True), "after it": ("3.0.15-1", False),
    "larger epoch": ("1:0.9-1", False), "rebuilt": ("3.0.15-1~deb12u1+b1", False),
}


@pytest.mark.parametrize("name", AFFECTED)
def test_fixed_in(scan_layers, name):
    version, affected = AFFECTED[name]
    result = debs(scan_layers, ev.deb("libssl3", version, "openssl"), ev.deb("openssl", version))
    assert result.ids() == ({"CVE-2024-0021"} if affected else set())
    # One finding for each of the two binary packages of the source.
    assert len(result.report["findings"]) == 2 * affected


def test_source_version_counts(scan_layers):
    """A binary package whose own version is another than its source's."""
    result = debs(scan_layers, ev.deb("libssl3", "9:9-9", "openssl (3.0.11-1)"),
                  ev.deb("libnew", "0.1-1", "openssl (3.0.15-1)"))
    assert result.findings() == {("CVE-2024-0021", "libssl3", "9:9-9", 0)}


def test_finding_names_all_ids(scan_layers):
    finding = debs(scan_layers, ev.deb("openssl", "3.0.11-1")).finding("CVE-2024-0021")
    assert finding["aliases"] == ["DEBIAN-CVE-2024-0021"]
    assert finding["fixed"] == ["3.0.15-1~deb12u1"] and finding["severity"] == "HIGH"


def test_another_release(scan_layers):
    """Debian 12's advisories say nothing of Debian 13, nor of what is built on Debian."""
    trixie = ev.DEBIAN.replace('"12"', '"13"').replace("bookworm", "trixie")
    result = scan_layers([ev.os_release(trixie), ev.dpkg(ev.deb("openssl", "3.0.11-1"))], args=["--allow-unjudged"])
    assert result.findings() == set()


GATE = ["--exit-code", "1"]


@pytest.mark.parametrize("args,code", [
    ([], 0), (GATE, 0), ([*GATE, "--severity", "HIGH,CRITICAL"], 0), (["--fail-on", "LOW"], 0),
    ([*GATE, "--severity", "NEGLIGIBLE"], 1), ([*GATE, "--severity", "CRITICAL,NEGLIGIBLE"], 1)])
def test_unimportant(scan_layers, args, code):
    """B53: shown as negligible; it closes no gate unless it was asked for by name."""
    result = scan_layers([ev.os_release(), ev.dpkg(ev.deb("login", "1:4.13+dfsg1-1", "shadow"))], args=args)
    assert result.code == code, result
    if "--severity" not in args:
        assert result.finding("CVE-2024-0022")["severity"] == "NEGLIGIBLE"


def test_unimportant_is_seen(scan_layers, store, tmp_path):
    finding = debs(scan_layers, ev.deb("login", "1:4.13+dfsg1-1", "shadow")).finding("CVE-2024-0022")
    assert finding["fixed"] == [] and finding["status"] != "fixed"


def test_kernel_headers(scan_layers):
    """B55: headers hold no kernel code: set aside, with the reason, and no gate closes."""
    result = scan_layers([ev.os_release(), ev.dpkg(ev.deb("linux-libc-dev", "6.1.55-1", "linux"))], args=GATE)
    assert result.code == 0, result
    assert result.findings() == set()
    set_aside, = result.report["suppressed"]
    assert set_aside["id"] == "CVE-2024-0023" and set_aside["name"] == "linux-libc-dev"
    assert set_aside["reason"]


def test_the_kernel_itself(scan_layers):
    result = scan_layers([ev.os_release(), ev.dpkg(ev.deb("linux-image-6.1.0-13-amd64", "6.1.55-1", "linux"))], args=GATE)
    assert result.code == 1 and result.ids() == {"CVE-2024-0023"}


def test_thousands_of_packages(scan_layers, make_store):
    db = make_store([advisories.debian(f"DEBIAN-CVE-2024-{n}", f"p{n}", "2.0", "HIGH", upstream=[f"CVE-2024-{n}"])
                     for n in range(1000, 6000, 5)])
    result = scan_layers([ev.os_release(), ev.dpkg(*(ev.deb(f"p{n}", "1.0") for n in range(1000, 6000)))], db=db)
    assert len(result.report["components"]) == 5000
    assert result.ids() == {f"CVE-2024-{n}" for n in range(1000, 6000, 5)}


def test_broken_status_is_not_clean(scan_layers):
    """B27, for dpkg: a database that cannot be read is an error that names file and layer."""
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT)], [file(ev.STATUS, b"\x7fELF\2\1\1" + bytes(range(256)) * 20)])
    assert result.code == 3, result
    assert any(error["layer"] == 1 and ev.STATUS in (error["path"] or "") for error in result.errors), result.errors


@pytest.mark.parametrize("paragraph", ["Package: app\nStatus: install ok installed\nArchitecture: amd64\n",
                                       "Status: install ok installed\nVersion: 1.0\n"])
def test_paragraph_without_name_or_version(scan_layers, paragraph):
    result = scan_layers([ev.os_release(), ev.dpkg(KEPT, paragraph)])
    assert result.code == 3 and ev.STATUS in result.complaints(), result
    assert ("kept", "1.0-1") in result.packages("deb")


def test_root_folder(tmp_path, store):
    for entry in [ev.os_release(), ev.dpkg(PYTHON_DEB, ev.deb("openssl", "3.0.11-1")), LISTS["list"], OWNED]:
        (tmp_path / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / entry.path).write_bytes(entry.data)
    result = scanner.scan(tmp_path, command="rootfs", db=store)
    assert result.packages() == [("openssl", "3.0.11-1"), ("python3-crit", "1.0-2+deb12u1")]
    assert result.ids() == {"CVE-2024-0021"}
