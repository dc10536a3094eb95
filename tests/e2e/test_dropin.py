"""Command lines of Trivy's and Grype's documentation, by the real tools and by plimsoll, on one image and the same facts:
the exit code and what is found are the same, or a table here says why they are not."""

import json
import zipfile

import pytest

import advisories
import imagekit
import peerkit
import realimage
import scanner
import secretkit
from evidence import deb, dist_info, dpkg, os_release
from tarkit import file, folder

DEBS = [deb("base-files", "12.4+deb12u5"), deb("curl", "7.88.1-10+deb12u4"), deb("libssl3", "3.0.11-1~deb12u2", source="openssl"),
        deb("libc6", "2.36-9+deb12u4", source="glibc"), deb("login", "1:4.13+dfsg1-1+b1", source="shadow (1:4.13+dfsg1-1)")]
DEB_SOURCES = ["base-files", "curl", "openssl", "glibc", "shadow"]
PYTHON = {"jinja2": "2.10", "requests": "2.19.1", "pillow": "9.3.0"}


# -- Trivy ------------------------------------------------------------------------------------------

# What follows `trivy image` and `plimsoll image`.
TRIVY_LINES = [
    "", "--severity HIGH,CRITICAL", "-s CRITICAL", "--severity HIGH --exit-code 1", "--severity CRITICAL --exit-code 1 --scanners vuln",
    "--exit-code 0", "--exit-code 1", "--exit-code 42 --scanners vuln", "--ignore-unfixed", "--ignore-unfixed --exit-code 1 --severity HIGH,CRITICAL",
    "--pkg-types os", "--pkg-types library --exit-code 1", "--pkg-types os,library", "--vuln-type library", "--ignore-status affected",
    "--ignore-status fixed --scanners vuln --exit-code 1", "--ignore-status will_not_fix,end_of_life", "--ignore-status fixed,affected --scanners vuln --exit-code 1",
    "--skip-dirs usr/local/lib", "--skip-dirs /usr/local/lib/python3.11/site-packages", "--skip-dirs **/site-packages --exit-code 1 --scanners vuln",
    "--skip-files **/jinja2-2.10.dist-info/METADATA", "--skip-files var/lib/dpkg/status --scanners vuln --exit-code 3", "--scanners vuln", "--scanners secret",
    "--scanners vuln,secret --exit-code 1", "--scanners secret --exit-code 1", "--exit-on-eol 4", "--list-all-pkgs", "--list-all-pkgs=false",
    "--detection-priority precise", "--timeout 5m0s", "--no-progress --debug", "--offline-scan --skip-java-db-update", "--parallel 1", "--db-repository registry.example/db",
    "--dependency-tree=false", "--image-config-scanners secret", "--pkg-relationships unknown,direct,indirect", "--cache-backend memory", "--show-suppressed",
    "--severity SEVERE", "--exit-code many", "--no-such-flag", "--scanners nothing", "--ignore-status gone", "--pkg-types kernel",
]
# Exit codes that differ: (Trivy's, ours, why).
USAGE = (1, 2, "wrong usage has a code of its own")
TRIVY_CODES = {
    "--severity SEVERE": USAGE, "--exit-code many": USAGE, "--no-such-flag": USAGE, "--scanners nothing": USAGE, "--ignore-status gone": USAGE, "--pkg-types kernel": USAGE,
    "--skip-files var/lib/dpkg/status --scanners vuln --exit-code 3": (3, 2, "3 says that a scan went wrong, so no gate ends with it"),
    "--exit-on-eol 4": (0, 4, "Trivy counts the years of extended support, the feed here does not: Debian 12 ended on 2026-07-11"),
}


@pytest.fixture(scope="module")
def trivy(tmp_path_factory):
    if reason := peerkit.why_not("trivy"):
        pytest.skip(reason)
    return peerkit.Trivy(tmp_path_factory.mktemp("trivy"))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """Real packages in real versions, as dpkg and pip leave them."""
    layers = [[os_release(), file("etc/debian_version", "12.5\n"), dpkg(*DEBS)], folders("usr/local/lib/python3.11/site-packages") + [e for name, version in PYTHON.items() for e in dist_info(name, version)],
              [file("srv/.env", f"GITHUB_TOKEN={secretkit.github()}\n")]]
    return imagekit.write_archive(tmp_path_factory.mktemp("dropin") / "i.tar", imagekit.files_docker_old(imagekit.image_of(*layers, compression="gzip")))


def folders(path):
    """The folders on the way to it: Trivy leaves out what is below one that it has seen."""
    parts = path.split("/")
    return [folder("/".join(parts[:count])) for count in range(1, len(parts) + 1)]


def facts_of(folder):
    """The advisories on these packages, every severity HIGH, as they are in the peers' database."""
    for feed, names in (("PyPI", PYTHON), ("Debian", DEB_SOURCES)):
        marks = [f'"name": "{name}"'.encode() for name in names] + [f'"name":"{name}"'.encode() for name in names]
        with zipfile.ZipFile(realimage.feeds() / "osv" / feed / "all.zip") as archive:
            for name in archive.namelist():
                text = archive.read(name)
                if not any(mark in text.lower() for mark in marks):
                    continue
                record = json.loads(text)
                record["severity"] = [{"type": "CVSS_V3", "score": advisories.VECTORS["HIGH"]}]
                for affected in record["affected"]:
                    affected.pop("ecosystem_specific", None)
                    affected.pop("severity", None)
                (folder / name.replace("/", "_")).write_text(json.dumps(record))
    return folder


@pytest.fixture(scope="module")
def same_facts(tmp_path_factory, make_store):
    return make_store([], facts_of(tmp_path_factory.mktemp("facts")), realimage.feeds() / "eol")


@pytest.mark.parametrize("line", TRIVY_LINES)
def test_trivy(trivy, image, same_facts, tmp_path, line):
    theirs, report = trivy.image(image, *line.split())
    out = tmp_path / "ours.json"
    ours = scanner.run("image", "--input", image, "--db", same_facts, "-q", "-f", "trivy", "-o", out, *line.split())
    codes = TRIVY_CODES.get(line, (theirs.returncode, theirs.returncode, "they agree"))
    assert (theirs.returncode, ours.code) == codes[:2], (codes[2], theirs.stderr.decode()[-500:], ours)
    if report is None or not out.is_file():
        assert line in TRIVY_CODES, (report is None, ours)
        return
    different = peerkit.trivy_findings(report) ^ peerkit.trivy_findings(json.loads(out.read_text()))
    assert {ident for ident, *_ in different} <= peerkit.JOINED.keys()


def test_trivy_finds_something(trivy, image):
    """The lines above would agree on an empty report as well."""
    findings = peerkit.trivy_findings(trivy.image(image)[1])
    assert len(findings) > 100 and {name for _, name, *_ in findings} >= {"curl", "login", "jinja2"}


# -- Grype ------------------------------------------------------------------------------------------

# What follows `grype IMAGE` and `plimsoll IMAGE`.
GRYPE_LINES = [
    "", "--fail-on high", "-f critical --only-fixed", "-f low --ignore-states fixed,not-fixed", "--fail-on negligible --only-notfixed",
    "--ignore-states fixed", "--by-cve", "--exclude /usr/local/** -f high", "--exclude /var/lib/dpkg/**", "-s squashed --add-cpes-if-none --name shop -v", "--fail-on severe",
]
GATE = (2, 1, "Grype ends with 2 where the gate closes, which is wrong usage here")
GRYPE_CODES = {
    "--fail-on high": GATE, "-f critical --only-fixed": GATE, "--fail-on negligible --only-notfixed": GATE, "--exclude /usr/local/** -f high": GATE,
    "--fail-on severe": (1, 2, "wrong usage has a code of its own"),
}


@pytest.fixture(scope="module")
def grype(tmp_path_factory):
    if not peerkit.program("grype"):
        pytest.skip("grype is not on the PATH (../shared/peers/README.md says how to get it)")
    return peerkit.Grype(tmp_path_factory.mktemp("grype"), advisories.STANDARD)


@pytest.fixture(scope="module")
def standard(tmp_path_factory):
    """What advisories.STANDARD speaks of."""
    python = [f"{short}-{state}" for short in ("crit", "high", "medium", "low", "unknown") for state in ("fixed", "unfixed")]
    layers = [[os_release(), file("etc/debian_version", "12.5\n"), dpkg(*DEBS)], [e for name in python for e in dist_info(name, "1.0")]]
    return imagekit.write_archive(tmp_path_factory.mktemp("standard") / "i.tar", imagekit.files_docker_old(imagekit.image_of(*layers)))


@pytest.mark.parametrize("line", GRYPE_LINES)
def test_grype(grype, standard, store, line):
    theirs, report = grype.image(f"docker-archive:{standard}", *line.split())
    ours = scanner.run(f"docker-archive:{standard}", "--db", store, "-o", "grype", *line.split())
    codes = GRYPE_CODES.get(line, (theirs.returncode, theirs.returncode, "they agree"))
    assert (theirs.returncode, ours.code) == codes[:2], (codes[2], theirs.stderr.decode()[-500:], ours)
    if report is None or not ours.stdout:
        assert line in GRYPE_CODES, (report is None, ours)
        return
    ours = json.loads(ours.stdout)
    assert peerkit.grype_findings(report) == peerkit.grype_findings(ours)
    details = [{(m["vulnerability"]["id"], m["artifact"]["name"]): (
        m["vulnerability"]["severity"], m["vulnerability"]["namespace"], m["vulnerability"]["fix"]["state"], m["vulnerability"]["fix"]["versions"],
        m["matchDetails"][0]["type"], m["artifact"]["type"], m["artifact"]["upstreams"], sorted(r["id"] for r in m["relatedVulnerabilities"]))
        for m in side["matches"]} for side in (report, ours)]
    assert details[0] == details[1]
