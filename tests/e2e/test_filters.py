"""Filters that people bring along from other scanners: each takes out what it says, with a reason, and nothing unseen."""

import json

import pytest

import advisories
import evidence as ev
import imagekit
import scanner
import secretkit
from tarkit import file

PACKAGES = ["crit-fixed", "high-unfixed"]
DEBS = ev.dpkg(ev.deb("libssl3", "3.0.11-1~deb12u2", source="openssl"), ev.deb("curl", "7.88.1-10+deb12u4"))
LAYERS = [[ev.os_release(), DEBS], [entry for name in PACKAGES for entry in ev.dist_info(name, "1.0")], ev.dist_info("low-fixed", "1.0", site="opt/a/lib"),
          [file("opt/a/.env", f"GITHUB_TOKEN={secretkit.github()}\n")]]
FOUND = {"libssl3", "curl", "crit-fixed", "high-unfixed", "low-fixed"}


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return imagekit.write_archive(tmp_path_factory.mktemp("filters") / "i.tar", imagekit.files_docker_old(imagekit.image_of(*LAYERS)))


@pytest.mark.parametrize("args, left_out, by", [
    (["--pkg-types", "os"], {"crit-fixed", "high-unfixed", "low-fixed"}, "--pkg-types"),
    (["--pkg-types", "library"], {"libssl3", "curl"}, "--pkg-types"),
    (["--pkg-types", "os", "--vuln-type", "os,library"], set(), None),
    (["--ignore-status", "affected"], {"high-unfixed"}, "--ignore-status"),
    (["--ignore-status", "fixed,will_not_fix"], FOUND - {"high-unfixed"}, "--ignore-status"),
    (["--ignore-status", "fixed", "--ignore-states", "not-fixed"], FOUND, "--ignore-status"),
    (["--ignore-states", "wont-fix"], set(), None),
    (["--only-notfixed"], FOUND - {"high-unfixed"}, "--only-notfixed"),
    (["--skip-dirs", "/opt"], {"low-fixed", "secret"}, "--skip-dirs"), (["--skip-dirs", "opt/a/"], {"low-fixed", "secret"}, "--skip-dirs"),
    (["--skip-dirs", "opt/*"], {"low-fixed", "secret"}, "--skip-dirs"), (["--skip-dirs", "**/site-packages"], {"crit-fixed", "high-unfixed"}, "--skip-dirs"),
    (["--skip-dirs", "a"], set(), None), (["--skip-dirs", "opt/a/.env"], set(), None), (["--skip-files", "opt"], set(), None),
    (["--skip-files", "**/.env"], {"secret"}, "--skip-files"), (["--skip-files", "x,opt/**"], {"low-fixed", "secret"}, "--skip-files"),
    (["--exclude", "./opt/**"], {"low-fixed", "secret"}, "--exclude"), (["--exclude", "/opt"], {"low-fixed", "secret"}, "--exclude"),
    (["--skip-files", "var/lib/dpkg/*"], {"libssl3", "curl"}, "--skip-files"), (["--exclude", "**/{.env,status}"], {"libssl3", "curl", "secret"}, "--exclude"),
])
def test_what_is_taken_out(image, store, args, left_out, by):
    result = scanner.scan(image, *args, db=store)
    suppressed = result.report["suppressed"]
    assert {f.get("name", "secret") for f in suppressed} == left_out and {f["by"] for f in suppressed} <= {by}
    assert {f["name"] for f in result.report["findings"]} == FOUND - left_out and all(f["reason"] for f in suppressed)
    assert len(result.report["secrets"]) == ("secret" not in left_out)
    assert {c["name"] for c in result.report["components"]} == FOUND, "components stay"
    gated = scanner.scan(image, *args, "--exit-code", "1", db=store)
    assert gated.code == (1 if FOUND - left_out or result.report["secrets"] else 0)


def test_a_component_in_two_places(scan_layers):
    """It goes only when both places are left out."""
    layer = [*ev.base(), *ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("crit-fixed", "1.0", site="opt/lib")]
    count = len(scan_layers(layer).report["findings"])
    one = scan_layers(layer, args=["--skip-dirs", "opt"])
    assert one.report["findings"] and not scan_layers(layer, args=["--skip-dirs", "opt,usr"]).report["findings"]
    assert count == len(one.report["findings"]) + len(one.report["suppressed"])


@pytest.mark.parametrize("types, code", [("os", 3), ("library", 1), ("os,library", 3)])
def test_what_is_not_asked_for_need_not_be_judged(scan_layers, types, code):
    layer = [ev.os_release(ev.UBUNTU), ev.dpkg(ev.deb("curl", "7.81.0-1ubuntu1.10")), *ev.dist_info("crit-fixed", "1.0")]
    result = scan_layers(layer, args=["--pkg-types", types, "--exit-code", "1"])
    assert result.code == code and "not judged" in " ".join(result.verdict["reasons"]), result


EOL = {"debian": {"category": "os", "identifiers": [], "releases": [
    {"releaseCycle": "12", "eol": "2024-06-10", "codename": "x"}, {"releaseCycle": "13", "eol": "2999-01-01", "codename": "y"}]}}


@pytest.mark.parametrize("version, args, code", [
    ("12", ["--exit-on-eol", "7"], 7), ("13", ["--exit-on-eol", "7"], 0), ("12", [], 0), ("12", ["--exit-on-eol", "7", "--exit-code", "9"], 7),
    ("13", ["--exit-on-eol", "7", "--exit-code", "9"], 9), ("11", ["--exit-on-eol", "7"], 7), ("11", ["--exit-on-eol", "7", "--allow-unjudged"], 0)])
def test_end_of_life(tmp_path, make_store, scan_layers, version, args, code):
    dates = tmp_path / "eol.json"
    dates.write_text(json.dumps(EOL))
    records = [advisories.debian("DEBIAN-CVE-1-1", "curl", "9", "HIGH", release=release) for release in ("11", "12", "13")]
    layer = [ev.os_release(ev.DEBIAN.replace('"12"', f'"{version}"')), DEBS]
    result = scan_layers(layer, args=args, db=make_store([*records, *advisories.STANDARD], dates))
    assert result.code == code, result
    assert code != 7 or "end of life" in " ".join(result.verdict["reasons"])


@pytest.mark.parametrize("written", ["debian:12", "debian/12", "debian@12", "debian-12"])
def test_distribution_by_hand(scan_layers, written):
    layer = [DEBS, *ev.dist_info("low-fixed", "1.0")]
    assert scan_layers(layer).ids() == {"CVE-2024-0004"}
    result = scan_layers(layer, args=["--distro", written, "--exit-code", "1"])
    assert result.code == 1 and result.ids() == {"CVE-2024-0004", "CVE-2024-0021", "CVE-2024-0024"}
    assert result.report["image"]["os"]["id"] == "debian" and "--distro" in result.report["image"]["os"]["name"]
    assert scan_layers([ev.os_release(ev.UBUNTU), DEBS], args=["--distro", written]).ids() == {"CVE-2024-0021", "CVE-2024-0024"}


def test_name(image, store):
    assert scanner.scan(image, "--name", "shop/app", db=store).report["image"]["name"] == "shop/app"


def test_nearer_places_go_first(image, store):
    """A pattern of the command line takes the place of the environment's, one of another option does not."""
    env = {"PLIMSOLL_SKIP_DIRS": "usr", "PLIMSOLL_IGNORE_STATUS": "fixed"}
    names = {f["name"] for f in scanner.scan(image, "--skip-dirs", "opt", "--ignore-status", "affected", db=store, env=env).report["findings"]}
    assert names == {"libssl3", "curl", "crit-fixed"}
    names = {f["name"] for f in scanner.scan(image, "--skip-files", "opt/**", "--ignore-status", "end_of_life", db=store, env=env).report["findings"]}
    assert names == {"libssl3", "curl"}


@pytest.mark.parametrize("args", [["--skip-dirs", ","], ["--skip-dirs", "a{b"], ["--exclude", "[x"], ["--ignore-status", "open"], ["--pkg-types", ""],
                                  ["--skip-files", ",".join("x" * 65)], ["--exit-on-eol", "2"], ["--distro", ":12"]])
def test_wrong(image, store, args):
    result = scanner.run("image", "--input", image, "--db", store, *args)
    assert result.code == 2 and args[0].strip("-").rstrip("s") in result.stderr, result
