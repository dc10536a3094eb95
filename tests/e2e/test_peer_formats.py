"""Reports in Trivy's and Grype's JSON: what reads theirs reads ours, and they say what our own says."""

import dataclasses
import json
import re

import pytest

import advisories
import imagekit
import peerkit
import realimage
import scanner
import secretkit
from evidence import deb, dist_info, dpkg, os_release
from tarkit import file

ODD = "a\"b'<script>alert(1)<\\script>\x1b[31m\r\n\u202e&amp;"  # in paths and instructions


def raw(entries):
    """The entries with paths that are not UTF-8."""
    return [dataclasses.replace(entry, path=entry.path.encode(errors="surrogateescape")) for entry in entries]


LAYERS = {
    "empty": [[]],
    "small": [[os_release(), dpkg(deb("base-files", "12.4+deb12u9"), deb("libssl3", "3.0.11-1~deb12u2", source="openssl"), deb("login", "1:4.13+dfsg1-1+b1", source="shadow (1:4.13+dfsg1-1)"))],
              dist_info("crit-fixed", "1.0") + dist_info("high-unfixed", "1.0") + dist_info("low-fixed", "1.0"),
              [file("srv/.env", f"GITHUB_TOKEN={secretkit.github()}\n")]],
    "odd": [[os_release('ID="deb\\"ian"\nVERSION_ID="1<2"\nNAME=x\n'), file("var/lib/dpkg/status", (deb("x\"y", "1<2>&") + "\n" + deb("b\udcff", "1")).encode(errors="surrogateescape"))],
            dist_info("crit-fixed", "1.0", site=f"opt/{ODD}/site-packages"),
            raw(dist_info("high-fixed", "1.0", site="opt/\udcff\udcfe/site-packages", record=False)),
            [file(f"srv/{ODD}/.env", f"GITHUB_TOKEN={secretkit.github()}\n")]],
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory, store):
    """{name of the image: {format: report}}, all from one scan each."""
    made = {}
    for name, layers in LAYERS.items():
        folder = tmp_path_factory.mktemp("formats")
        image = imagekit.image_of(*layers, history=[imagekit.run(f"step {n} {ODD if name == 'odd' else ''}") for n in range(len(layers))],
                                  config={"config": {"Env": [f"TOKEN={secretkit.github(seed=5)}"], "Labels": {"x": "y"}}})
        path = imagekit.write_archive(folder / "i.tar", imagekit.files_docker_old(image))
        outs = {form: folder / f"{form}.json" for form in ("json", "trivy", "grype")}
        result = scanner.run("image", "--input", path, "--db", store, *[f"--format={form}={out}" for form, out in outs.items()], "--ignore-unfixed",
                             env={"SOURCE_DATE_EPOCH": "1700000000"})
        assert result.code == 0, result
        made[name] = {form: json.loads(out.read_text()) for form, out in outs.items()}
        made[name]["paths"] = outs
    return made


@pytest.mark.parametrize("name", LAYERS)
def test_trivy_says_what_our_own_says(reports, name):
    own, trivy = reports[name]["json"], reports[name]["trivy"]
    assert trivy["SchemaVersion"] == 2 and trivy["ArtifactType"] == "container_image" and trivy["CreatedAt"] == "2023-11-14T22:13:20Z"
    diff_ids = [layer["diff_id"] for layer in own["image"]["layers"]]
    assert trivy["Metadata"]["DiffIDs"] == diff_ids == trivy["Metadata"]["ImageConfig"]["rootfs"]["diff_ids"]
    assert peerkit.trivy_findings(trivy) == {(f["id"], f["name"], f["installed"], diff_ids[f["layer"]]) for f in own["findings"]}
    told = [(s["RuleID"], s["Match"]) for r in trivy["Results"] for s in r.get("Secrets", [])]
    assert sorted(told) == sorted((s["rule"], s["match"]) for s in own["secrets"])
    assert sum(len(r.get("Packages", [])) for r in trivy["Results"]) == len(own["components"])
    hidden = [m for r in trivy["Results"] for m in r.get("ExperimentalModifiedFindings", [])]
    assert sorted((m["Statement"], m["Source"]) for m in hidden) == sorted((s["reason"], s["by"]) for s in own["suppressed"])


@pytest.mark.parametrize("name", LAYERS)
def test_grype_says_what_our_own_says(reports, name):
    own, grype = reports[name]["json"], reports[name]["grype"]
    for key, ours in (("matches", "findings"), ("ignoredMatches", "suppressed")):
        cves = {(next((r["id"] for r in m["relatedVulnerabilities"]), m["vulnerability"]["id"]), m["artifact"]["purl"]) for m in grype[key]}
        assert cves == {(f["id"], f["component"]) for f in own[ours] if "component" in f}
    assert all(m["appliedIgnoreRules"][0]["reason"] for m in grype["ignoredMatches"])
    assert [layer["digest"] for layer in grype["source"]["target"]["layers"]] == [layer["diff_id"] for layer in own["image"]["layers"]]


def test_grype_has_ids_as_grype_has_them(tmp_path, store):
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(*LAYERS["small"])))
    ids = {}
    for flag in ((), ("--by-cve",)):
        result = scanner.run(f"docker-archive:{path}", "-q", "-o", "grype", "--db", store, *flag)
        ids[flag] = {m["vulnerability"]["id"] for m in json.loads(result.stdout)["matches"]}
    assert "GHSA-aaaa-bbbb-0001" in ids[()] and "CVE-2024-0001" not in ids[()] and "CVE-2024-0021" in ids[()]
    assert "CVE-2024-0001" in ids["--by-cve",] and not [one for one in ids["--by-cve",] if one.startswith("GHSA")]


@pytest.mark.parametrize("name", LAYERS)
def test_no_secret_is_in_them(reports, name):
    for form in ("trivy", "grype"):
        text = reports[name]["paths"][form].read_text()
        assert secretkit.github() not in text and secretkit.github(seed=5) not in text
        assert "\x1b" not in text


@pytest.mark.parametrize("form", ["trivy", "grype"])
def test_the_same_twice(tmp_path, store, form):
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(*LAYERS["odd"])))
    runs = {scanner.run("image", "--input", path, "-q", "-f", form, "--db", store, env={"SOURCE_DATE_EPOCH": "1700000000"}).out for _ in range(2)}
    assert len(runs) == 1 and runs.pop()


def test_packages_are_left_out_when_asked(tmp_path, store):
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(*LAYERS["small"])))
    result = scanner.run("image", "--input", path, "-q", "-f", "trivy-json", "--list-all-pkgs=false", "--db", store)
    results = json.loads(result.stdout)["Results"]
    assert results and not [r for r in results if "Packages" in r]


# -- the tools themselves -------------------------------------------------------------------------

needs_trivy = pytest.mark.skipif(not peerkit.program("trivy"), reason="trivy is not on the PATH")


@needs_trivy
@pytest.mark.parametrize("form", ["table", "sarif", "cyclonedx", "spdx-json", "json"])
@pytest.mark.parametrize("name", LAYERS)
def test_trivy_reads_it(reports, name, form):
    own = reports[name]["json"]
    done = peerkit.run(peerkit.program("trivy"), "convert", "--format", form, "--scanners", "vuln,secret", reports[name]["paths"]["trivy"])
    assert done.returncode == 0, done.stderr.decode()
    told = done.stdout.decode()
    if form in ("table", "sarif", "json"):
        assert {f["id"] for f in own["findings"]} <= set(re.findall(r"CVE-[\d-]+\d", told))
    if form == "sarif":
        assert len(json.loads(told)["runs"][0]["results"]) == len(own["findings"]) + len(own["secrets"])
    if form == "json":
        assert peerkit.trivy_findings(json.loads(told)) == peerkit.trivy_findings(reports[name]["trivy"])


@needs_trivy
def test_trivy_shows_what_is_suppressed(reports):
    done = peerkit.run(peerkit.program("trivy"), "convert", "--format", "table", "--show-suppressed", reports["small"]["paths"]["trivy"])
    assert "CVE-2024-0012" in done.stdout.decode() and "no version that repairs it is known" in done.stdout.decode()


@pytest.mark.skipif(not peerkit.program("grype"), reason="grype is not on the PATH")
def test_grype_explains_it(reports):
    with open(reports["small"]["paths"]["grype"]) as report:
        done = peerkit.run(peerkit.program("grype"), "explain", "--id", "CVE-2024-0001", stdin=report)
    told = done.stdout.decode()
    assert done.returncode == 0 and "crit-fixed, version: 1.0" in told and "GHSA-aaaa-bbbb-0001" in told, done


# Keys that Trivy writes for the same image and we do not, and why.
NOT_OURS = {
    "Metadata.Size": "the size unpacked is not known of what was seeked over", "Metadata.Layers[].Size": "likewise",
    "Metadata.Reference": "the tags say it",
    "Metadata.ImageConfig.config.Cmd[]": "could hold secrets", "Metadata.ImageConfig.config.Env[]": "could hold secrets",
    "Results[].Packages[].AnalyzedBy": "inner name of theirs", "Results[].Packages[].Repository.Class": "not known",
    "Results[].Secrets[].Code.Lines": "the secret's surroundings are not kept", "Results[].Secrets[].Offset": "line and column are",
    **{f"{path}.Digest": "docker save does not name it" for path in (
        "Metadata.Layers[]", "Results[].Packages[].Layer", "Results[].Vulnerabilities[].Layer", "Results[].Secrets[].Layer")},
}


def keys(value, path=""):
    """Where in the document something stands, and of which type."""
    if isinstance(value, dict) and value:
        return set().union(*(keys(part, f"{path}.{key}".lstrip(".")) for key, part in value.items()))
    if isinstance(value, list) and value:
        return set().union(*(keys(part, f"{path}[]") for part in value))
    return {(path, type(value).__name__)}


# Keys that Grype writes for the same image and we do not.
NOT_OURS_OF_GRYPE = {
    "matches[].vulnerability.risk": "a number of their own", "matches[].artifact.cpes[]": "guessed from names", "source.target.manifest": "not kept",
    "source.target.config": "could hold secrets", "descriptor.db.status.schemaVersion": "of their database", "descriptor.db.status.from": "likewise",
    "descriptor.db.status.path": "likewise", "matches[].vulnerability.urls": "one with entries", "matches[].relatedVulnerabilities[].urls": "one with entries",
    "distro.idLike": "one with no entries", "matches[].artifact.licenses": "one with no entries",
}


@pytest.mark.skipif(not peerkit.program("grype"), reason="grype is not on the PATH")
def test_same_form_as_grype(tmp_path, tmp_path_factory, store):
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(*LAYERS["small"])))
    done, theirs = peerkit.Grype(tmp_path_factory.mktemp("grype"), advisories.STANDARD).image(f"docker-archive:{path}")
    ours = json.loads(scanner.run(f"docker-archive:{path}", "-q", "-o", "grype", "--db", store, "--scanners", "vuln").stdout)
    told, known = keys(theirs), {path for path, _ in keys(ours)}
    missing = {path for path, _ in told if path not in known and not path.startswith(("descriptor.configuration", "descriptor.db.providers"))}
    assert missing <= NOT_OURS_OF_GRYPE.keys(), (missing, done)
    kinds = [{(path, kind) for path, kind in keys(side) if path in known and path in {path for path, _ in told}} for side in (theirs, ours)]
    assert kinds[0] == kinds[1]


@pytest.fixture(scope="module")
def both(tmp_path_factory, make_store):
    """The same image and facts, by Trivy and by us."""
    if reason := peerkit.why_not("trivy"):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("both")
    layers = [[os_release(), file("etc/debian_version", "12.5\n"), dpkg(deb("base-files", "12.4+deb12u9"), deb("curl", "7.88.1-10+deb12u4"), deb("libc6", "2.36-9+deb12u4", source="glibc"),
                             deb("login", "1:4.13+dfsg1-1+b1", source="shadow (1:4.13+dfsg1-1)"))],
              dist_info("jinja2", "2.10") + dist_info("pillow", "9.3.0"), [file("srv/.env", f"GITHUB_TOKEN={secretkit.github()}\n")]]
    path = imagekit.write_archive(folder / "i.tar", imagekit.files_docker_old(imagekit.image_of(*layers, compression="gzip")))
    _, theirs = peerkit.Trivy(tmp_path_factory.mktemp("trivy")).image(path)
    facts = realimage.feeds() / "osv"
    result = scanner.run("image", "--input", path, "-f", "trivy", "--db", make_store([], facts / "PyPI", facts / "Debian"))
    return theirs, json.loads(result.stdout)


def test_same_form_as_trivy(both):
    theirs, ours = both
    missing = {path for path, _ in keys(theirs) - keys(ours)} - NOT_OURS.keys()
    assert not {path for path in missing if not path.startswith("Results[].Secrets[].Code")}
    both_have = {path for path, _ in keys(theirs)} & {path for path, _ in keys(ours)}
    kinds = [{(path, kind) for path, kind in keys(side) if path in both_have and kind != "NoneType"} for side in both]
    assert kinds[0] == kinds[1]


def test_same_content_as_trivy(both):
    theirs, ours = both
    assert [(r["Class"], r.get("Type")) for r in theirs["Results"]] == [(r["Class"], r.get("Type")) for r in ours["Results"]]
    different = {ident for ident, *_ in peerkit.trivy_findings(theirs) ^ peerkit.trivy_findings(ours)}
    assert different <= peerkit.JOINED.keys()

    def by_id(report, *names):
        return {(v["VulnerabilityID"], v["PkgName"]): [v.get(name) for name in names] for r in report["Results"]
                for v in r.get("Vulnerabilities", []) if v["VulnerabilityID"] not in peerkit.JOINED}
    same = ("InstalledVersion", "Status", "PkgID")
    assert by_id(theirs, *same) == by_id(ours, *same)

    def packages(report, *names):
        return sorted([str(p.get(name)) for name in names] for r in report["Results"] for p in r.get("Packages", []))
    same = ("Name", "Version", "Release", "Epoch", "Arch", "SrcName", "SrcVersion", "SrcRelease", "SrcEpoch", "FilePath")
    assert packages(theirs, *same) == packages(ours, *same)
