"""SBOMs: valid by the official schemas, the same findings when read back, and hostile ones."""

import collections
import json
import os
import pathlib
import shutil
import subprocess

import jsonschema
import pytest

import advisories
import evidence as ev
import imagekit
import scanner
from tarkit import file

FORMATS = [*(f"cyclonedx@{v}" for v in ("1.4", "1.5", "1.6", "1.7")),
           *(f"cyclonedx-xml@{v}" for v in ("1.4", "1.5", "1.6", "1.7")), "spdx", "spdx-tag-value", "spdx3"]
EPOCH = {"SOURCE_DATE_EPOCH": "1764374400"}
RECORDS = [
    *advisories.STANDARD,
    advisories.debian("DEBIAN-CVE-2024-0100", "glibc", "2.36-9+deb12u9", "HIGH", upstream=["CVE-2024-0100"]),
    advisories.debian("DEBIAN-CVE-2024-0101", "python-wheelhouse", "9.0", "LOW", upstream=["CVE-2024-0101"]),
    advisories.debian("DEBIAN-CVE-2024-0102", "epochal", "2:3.0-1", "MEDIUM", upstream=["CVE-2024-0102"]),
]
NASTY = ["<script>alert(1)</script>", "a\"b'c", "line\nbreak", "tab\there", "bell\x07", "\u202egnp.exe", "a|b,c;d",
         "</text>", "]]>", "-->", "é", "x" * 300, "&amp;", "{{x}}", "$(id)", "=cmd()", "%41%00", "a@b", "a?b#c"]


def images():
    """name: layers"""
    site = "opt/conda/lib/python3.11/site-packages"
    small = [
        [ev.os_release(), file("etc/debian_version", "12.5\n"), ev.dpkg(
            ev.deb("libc6", "2.36-9+deb12u4", "glibc"), ev.deb("libc-bin", "2.36-9+deb12u4", "glibc"),
            ev.deb("epochal", "2:2.0-1"), ev.deb("python3-wheelhouse", "1.0-1", "python-wheelhouse (1.0-1)"))],
        [*ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("high-unfixed", "1.0"),
         ev.conda("medium-fixed", "1.0", files=["lib/python3.11/site-packages/medium_fixed-1.0.dist-info/METADATA"]),
         *ev.dist_info("medium-fixed", "1.0", site=site)],
        ev.dist_info("low-fixed", "1.5", site="srv/app/site-packages"),
    ]
    hostile = [ev.base()]
    hostile.append([e for i, name in enumerate(NASTY)
                    for e in [file(f"usr/lib/python3/dist-packages/p{i}-1.dist-info/METADATA",
                                   b"Metadata-Version: 2.1\nName: " + name.replace("\n", "\n ").encode()
                                   + b"\nVersion: 1." + name.replace("\n", " ").encode() + b"\nLicense-Expression: "
                                   + name.replace("\n", " ").encode() + b"\n")]])
    hostile.append([file(f"srv/\udcff<b>{i}\n/x-1.dist-info/METADATA".encode("utf-8", "surrogateescape"),
                         b"Metadata-Version: 2.1\nName: bytes\xff\xfe\nVersion: \xff1\n") for i in range(2)])
    return {"small": small, "empty": [[file("etc/hostname", b"x")]], "hostile": hostile}


@pytest.fixture(scope="module")
def store(make_store):
    return make_store(RECORDS)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sbom")
    made = {}
    for name, layers in images().items():
        image = imagekit.image_of(*layers)
        made[name] = imagekit.write_archive(folder / f"{name}.tar", imagekit.files_docker_old(image))
    return made


def ending(form):
    return "xml" if "xml" in form else "spdx" if "tag" in form else "json"


@pytest.fixture(scope="module")
def written(archives, store, tmp_path_factory):
    """(image, format, with vulnerabilities) → file; all formats of one run."""
    folder, made = tmp_path_factory.mktemp("written"), {}
    for name, archive in archives.items():
        for more in ((), ("--scanners", "vuln")):
            files = {form: folder / f"{name}-{len(more)}-{form.replace('@', '-')}.{ending(form)}" for form in FORMATS}
            args = [a for form, path in files.items() for a in ("-f", f"{form}={path}")]
            done = scanner.run("image", "-i", archive, "--db", store, *args, *more, env=EPOCH)
            assert done.code == 0 and not done.stdout, done
            made |= {(name, form, bool(more)): path for form, path in files.items()}
    return made


def a_few_elements(document):
    """Each type twice, lists cut: the schema tries all its types on every element and every reference, which
    takes minutes for many."""
    seen = collections.Counter()
    kept = []
    for element in document["@graph"]:
        seen[element["type"]] += 1
        if seen[element["type"]] <= 2:
            kept.append({key: value[:1] if isinstance(value, list) else value for key, value in element.items()})
    return {**document, "@graph": kept}


def against_schema(name, path, part=lambda document: document):
    schema = json.loads((scanner.REPO / f"tests/data/schemas/{name}.json").read_text())
    kind = jsonschema.validators.validator_for(schema)
    return [f"{list(e.absolute_path)}: {e.message[:300]}" for e in kind(schema).iter_errors(part(json.loads(path.read_text())))]


def problems_of(path, form):
    """What the official validators have to say of it."""
    kind, _, version = form.partition("@")
    if kind.startswith("cyclonedx"):
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
        from cyclonedx.validation.xml import XmlValidator
        schema = SchemaVersion["V" + version.replace(".", "_")]
        problem = (XmlValidator if "xml" in kind else JsonStrictValidator)(schema).validate_str(path.read_text())
        return [] if problem is None else [str(problem)[:500]]
    if kind == "spdx3":
        from spdx_python_model import v3_0_1
        objects = v3_0_1.SHACLObjectSet()
        with open(path) as stream:
            v3_0_1.JSONLDDeserializer().read(stream, objects)
        return against_schema("spdx-3.0.1", path, a_few_elements) + [f"nothing has the id {i}" for i in objects.missing_ids]
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
    twin = path if path.suffix != ".json" else path.with_suffix(".spdx.json")
    if twin != path:
        shutil.copy(path, twin)
    return (against_schema("spdx-2.3", path) if path.suffix == ".json" else []) \
        + [m.validation_message for m in validate_full_spdx_document(parse_file(str(twin)))]


@pytest.mark.parametrize("name", ["small", "empty", "hostile"])
@pytest.mark.parametrize("form", FORMATS)
def test_valid(written, name, form):
    plain, full = written[name, form, False], written[name, form, True]
    assert problems_of(plain, form) == []
    assert full.read_bytes() == plain.read_bytes() or problems_of(full, form) == []


def facts(result):
    return {(f["id"], f["name"], f["installed"], tuple(f["fixed"]), f["severity"], f["status"], f["layer"],
             f["instruction"], f["base"]) for f in result.report["findings"]}


def read_back(path, store, *args):
    done = scanner.run("sbom", "scan", path, "--db", store, "-f", "json", *args)
    done.report = json.loads(done.stdout)
    return done


@pytest.mark.parametrize("form", FORMATS)
def test_same_findings(written, archives, store, form):
    """Image → SBOM → scan is the image's own scan, with layers and instructions."""
    image = scanner.scan(archives["small"], db=store)
    assert len(facts(image)) >= 8
    back = read_back(written["small", form, False], store)
    assert back.code == 0 and facts(back) == facts(image)
    assert back.components() == image.components()
    assert [dict(l, size=0) for l in back.report["image"]["layers"]] \
        == [dict(l, size=0) for l in image.report["image"]["layers"]]
    assert back.report["image"]["os"] == image.report["image"]["os"]
    gate = scanner.run("sbom", "scan", written["small", form, False], "--db", store, "--fail-on", "critical")
    assert gate.code == 1


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_come_back(written, archives, store, form):
    image = scanner.scan(archives["hostile"], db=store)
    back = read_back(written["hostile", form, False], store)
    assert back.code == 0 and len(back.report["components"]) == len(image.report["components"])
    assert {c["purl"] for c in back.report["components"]} == {c["purl"] for c in image.report["components"]}


@pytest.mark.parametrize("form", FORMATS)
def test_same_bytes(written, archives, store, form):
    again = scanner.run("image", "-i", archives["small"], "--db", store, "-f", form, env=EPOCH)
    assert again.out == written["small", form, False].read_bytes()


def test_nothing_to_judge_is_not_clean(written, store):
    done = read_back(written["empty", "cyclonedx@1.7", False], store, "--exit-code", "1")
    assert done.code == 3 and done.report["unjudged"]


def test_broken_image_stays_broken(tmp_path, store):
    """What could not be read stands in the SBOM, and its scan does not pass."""
    image = imagekit.image_of(*images()["small"], compression="gzip")
    files = imagekit.files_docker_old(image)
    last = [n for n in files if n.endswith("layer.tar")][-1]
    files[last] = files[last][:60]
    path = imagekit.write_archive(tmp_path / "broken.tar", files)
    for form in ("cyclonedx", "spdx", "spdx-tag-value", "spdx3"):
        out = tmp_path / f"{form}.out"
        assert scanner.run("sbom", "-i", path, "-f", f"{form}={out}", "--db", store).code == 3
        back = read_back(out, store)
        assert back.code == 3 and back.report["errors"], form


def test_vulnerabilities_stand_in_it_on_demand(written):
    plain = json.loads(written["small", "cyclonedx@1.7", False].read_text())
    assert "vulnerabilities" not in plain
    full = json.loads(written["small", "cyclonedx@1.7", True].read_text())
    found = {v["id"]: v for v in full["vulnerabilities"]}
    assert found["CVE-2024-0001"]["ratings"][0]["severity"] == "critical"
    refs = {c["bom-ref"] for c in full["components"]}
    assert all(a["ref"] in refs for v in full["vulnerabilities"] for a in v["affects"])
    assert "2.0" in found["CVE-2024-0001"]["recommendation"]


@pytest.mark.parametrize("form", FORMATS)
def test_convert(written, store, tmp_path, form):
    """Each format into each other; what is judged stays the same."""
    want = facts(read_back(written["small", form, False], store))
    for target in ("cyclonedx", "cyclonedx-xml@1.4", "spdx", "spdx-tag-value", "spdx3"):
        out = tmp_path / f"out-{target}"
        done = scanner.run("sbom", "convert", written["small", form, False], "-f", target, "-o", out)
        assert done.code == 0, done
        assert facts(read_back(out, store)) == want, target


def test_ways_to_name_one(written, store):
    path = written["small", "spdx", False]
    want = facts(read_back(path, store))
    for args in (["sbom", path], ["sbom:" + str(path)], ["image", path], [path]):
        done = scanner.run(*args, "--db", store, "-f", "json")
        done.report = json.loads(done.stdout)
        assert facts(done) == want, args
    with open(path) as stream:
        done = scanner.run("sbom", "scan", "-", "--db", store, "-f", "json", stdin=stream)
    done.report = json.loads(done.stdout)
    assert facts(done) == want


def test_statement(written, store, tmp_path):
    """In an in-toto statement, bare and in an envelope, as BuildKit and cosign attach it; of any size."""
    import base64
    document = json.loads(written["small", "spdx", False].read_text())
    document["comment"] = "filler " * 20_000
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
                 "subject": [], "predicate": document}
    envelope = {"payloadType": "application/vnd.in-toto+json", "signatures": [],
                "payload": base64.b64encode(json.dumps(statement).encode()).decode()}
    want = facts(read_back(written["small", "spdx", False], store))
    for i, text in enumerate((statement, envelope)):
        (tmp_path / f"{i}.json").write_text(json.dumps(text))
        assert facts(read_back(tmp_path / f"{i}.json", store)) == want


def test_merge_validate_score(written, tmp_path, store):
    a, b = written["small", "cyclonedx@1.7", False], written["empty", "spdx", False]
    done = scanner.run("sbom", "merge", a, b, a, "-f", "spdx", "-o", tmp_path / "all.json")
    assert done.code == 0, done
    assert facts(read_back(tmp_path / "all.json", store)) == facts(read_back(a, store))
    assert scanner.run("sbom", "validate", a).code == 0
    score = json.loads(scanner.run("sbom", "score", a, "-f", "json").stdout)
    minimum = [e for e in score["elements"] if e["ntia_minimum"]]
    assert len(minimum) == 7 and 50 < score["score"] < 100
    broken = json.loads(a.read_text())
    broken["components"][1]["type"] = "nonsense"
    broken["components"][2]["purl"] = "not a purl"
    broken["components"].append(broken["components"][3])
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    done = scanner.run("sbom", "validate", tmp_path / "broken.json", "-f", "json")
    assert done.code == 1 and len(json.loads(done.stdout)["faults"]) == 3, done


def test_two_distributions_are_not_merged(written, tmp_path):
    a = written["small", "cyclonedx@1.7", False]
    (tmp_path / "b.json").write_text(a.read_text().replace('"value": "debian"', '"value": "ubuntu"'))
    done = scanner.run("sbom", "merge", a, tmp_path / "b.json")
    assert done.code == 3 and "advisories of the other" in done.stderr


# --- what is no SBOM, or a bad one ----------------------------------------------------------------

LAUGHS = ('<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY a "aaaaaaaaaa">'
          + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12))
          + ']><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>&m;</components></bom>')
BAD = {
    "empty": ("", "no SBOM"),
    "text": ("hello", "no SBOM"),
    "other json": ('{"a": 1}', "no SBOM"),
    "list": ("[]", "no SBOM"),
    "version": ('{"bomFormat":"CycloneDX","specVersion":"9.9"}', "1.2 to 1.7"),
    "spdx version": ('{"spdxVersion":"SPDX-1.0"}', "SPDX-2.2"),
    "spdx3": ('{"@graph": []}', "no version"),
    "components": ('{"bomFormat":"CycloneDX","specVersion":"1.6","components":{}}', "no list"),
    "artifacts": ('{"artifacts":{}}', "no list"),
    "deep json": ('{"bomFormat":"CycloneDX","specVersion":"1.6","components":' + "[" * 5000 + "]" * 5000 + "}", "deep"),
    "deep components": ('{"bomFormat":"CycloneDX","specVersion":"1.6","components":'
                        + '[{"type":"library","name":"a","components":' * 110 + "[]" + "}]" * 110 + "}", "deeper"),
    "xml root": ("<html></html>", "CycloneDX"),
    "xml cut": ('<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>', "XML"),
    "xml deep": ('<bom xmlns="http://cyclonedx.org/schema/bom/1.6">' + "<components><component>" * 300, "deeper"),
    "xml entities": (LAUGHS, "document type"),
    "xml file": ('<!DOCTYPE bom [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                 '<bom xmlns="http://cyclonedx.org/schema/bom/1.6">&x;</bom>', "document type"),
    "tag-value cut": ("SPDXVersion: SPDX-2.3\nPackageName: a\nPackageSourceInfo: <text>abc", "does not end"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad(tmp_path, name):
    text, says = BAD[name]
    path = tmp_path / "bad.json"
    path.write_text(text)
    for command in (["sbom", "scan"], ["sbom", "convert"], ["sbom", "validate"]):
        done = scanner.run(*command, path)
        assert done.code == 3 and says in done.stderr and "bad.json" in done.stderr, (command, done)


def test_cut_anywhere(written, tmp_path, store):
    """A part of an SBOM is an error, or has no fewer errors than components are missing: never less, unsaid."""
    for form in ("cyclonedx@1.7", "cyclonedx-xml@1.7", "spdx", "spdx3"):
        whole = written["small", form, False].read_bytes()
        for part in range(1, 12):
            path = tmp_path / "cut"
            path.write_bytes(whole[:len(whole) * part // 12])
            done = scanner.run("sbom", "scan", path, "--db", store)
            assert done.code == 3, (form, part, done)


def test_odd_values(tmp_path, store):
    """Wrong types, huge numbers, unknown layers, owners in a circle: read as far as they make sense."""
    component = {"type": "library", "bom-ref": "x", "name": "crit-fixed", "version": "1.0", "purl": "pkg:pypi/crit-fixed@1.0"}
    properties = [{"name": f"plimsoll:{n}", "value": v} for n, v in (
        ("layer", "99999999999999999999"), ("layer", "499"), ("owner", "pkg:pypi/crit-fixed@1.0"),
        ("owner:vendor", "pkg:pypi/crit-fixed@1.0"), ("contains", "@"), ("contains", "/@"), ("location", ""), ("ref", ""))]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": 5, "metadata": {"component": {
        "name": ["x"], "properties": [{"name": "plimsoll:layer:499", "value": ""}, {"name": "plimsoll:layer:-1", "value": "x"},
                                      {"name": "plimsoll:layer:500", "value": "a b c d"}, {"name": 3}, "x", None]}},
        "components": [component, {**component, "bom-ref": "y", "properties": properties, "purl": "pkg:pypi/Crit_Fixed@1.0"},
                       None, 5, [], {"type": "library", "name": "n" * 5000},
                       {"type": "library", "name": "z", "purl": "pkg:deb/debian/z@1?distro=debian-12&epoch=7&arch=%zz"}],
        "dependencies": "none"}
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document))
    done = read_back(path, store)
    assert done.code == 0, done
    assert [f["id"] for f in done.report["findings"]].count("CVE-2024-0001") == 2
    assert ("deb", "z", "7:1", 0) in {(c["type"], c["name"], c["version"], c["layer"]) for c in done.report["components"]}


# --- the peers' SBOMs -----------------------------------------------------------------------------

def tool(name):
    found = shutil.which(name) or shutil.which(name, path=str(pathlib.Path.home() / "go/bin"))
    if not found:
        pytest.skip(f"{name} is not on the PATH (../shared/peers/README.md says how to install it)")
    return found


@pytest.mark.parametrize("form", ["cyclonedx-json", "cyclonedx-xml", "spdx-json", "spdx-tag-value", "syft-json"])
def test_of_syft(archives, store, tmp_path, form):
    out = tmp_path / "syft.out"
    subprocess.run([tool("syft"), "-q", f"docker-archive:{archives['small']}", "-o", f"{form}={out}"], check=True,
                   env={**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}, capture_output=True, timeout=120)
    compare_with_image(archives, store, out)


@pytest.mark.parametrize("form", ["cyclonedx", "spdx-json", "spdx"])
def test_of_trivy(archives, store, tmp_path, form):
    out = tmp_path / "trivy.out"
    subprocess.run([tool("trivy"), "image", "--input", archives["small"], "--cache-dir", tmp_path / "cache",
                    "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--quiet",
                    "-f", form, "-o", out], check=True, capture_output=True, timeout=120)
    compare_with_image(archives, store, out)


def compare_with_image(archives, store, out):
    """The same findings by id and package; but what only plimsoll knows is not in them: which Python
    distribution a conda package holds (its findings stand under the distribution, where one is listed)."""
    def of(result):
        return {(f["id"], f["name"], f["installed"]) for f in result.report["findings"]}
    image, back = scanner.scan(archives["small"], db=store), read_back(out, store)
    conda = {f for f in of(image) if f[1] == "medium-fixed"}
    assert of(image) - conda == of(back) - conda


def test_other_languages(make_store, tmp_path):
    """Go, npm and Rust packages are judged by name and version, as their purls have them."""
    store = make_store([
        advisories.advisory("GO-2024-1", "Go", "github.com/BurntSushi/toml", "1.2.0", "HIGH"),
        advisories.advisory("GO-2024-2", "Go", "stdlib", "1.22.1", "HIGH"),
        advisories.advisory("GHSA-npm", "npm", "@scope/left", "3.0.0", "LOW"),
        advisories.advisory("RUSTSEC-1", "crates.io", "smallvec", "1.6.1", "MEDIUM")])
    purls = ["pkg:golang/github.com/BurntSushi/toml@v1.1.0", "pkg:golang/stdlib@go1.22.0", "pkg:npm/%40scope/left@2.9.9",
             "pkg:cargo/smallvec@1.6.0", "pkg:golang/github.com/BurntSushi/toml@v1.2.0", "pkg:npm/%40scope/left@3.0.0"]
    path = tmp_path / "languages.json"
    path.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
        {"type": "library", "bom-ref": purl, "name": "x", "version": purl.partition("@v")[2] or "1", "purl": purl} for purl in purls]}))
    done = read_back(path, store, "--exit-code", "1")
    assert done.ids() == {"GO-2024-1", "GO-2024-2", "GHSA-npm", "RUSTSEC-1"} and len(done.report["findings"]) == 4, done
    assert done.code == 1 and not done.report["unjudged"]


def test_under_any_worker_order(archives, store):
    """One core or two, the layers' records come in another order: the same bytes."""
    outputs = {}
    for form in ("json", "cyclonedx", "spdx", "table"):
        for prefix in ([], ["taskset", "-c", "0"]):
            done = subprocess.run([*prefix, scanner.binary(), "image", "-i", archives["small"], "--db", store, "-f", form],
                                  capture_output=True, env=scanner.environment(EPOCH), check=True)
            outputs.setdefault(form, set()).add(done.stdout)
    assert {form: len(texts) for form, texts in outputs.items()} == dict.fromkeys(outputs, 1)


# --- what a hostile reader found ------------------------------------------------------------------

def cyclonedx(*components, **more):
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components), **more}


def library(name, version=None, purl=None, **more):
    return {"type": "library", "name": name, **({"version": version} if version else {}), **({"purl": purl} if purl else {}), **more}


NOTED = [{"name": "x", "value": "y"}]
BAD_PACKAGE = library("crit-fixed", "1.0", "pkg:pypi/crit-fixed@1.0")
# name: (document, exit code of a gate, ids found)
ODD = {
    "versions beside the purl": (cyclonedx(library("crit-fixed", "3.0", "pkg:pypi/crit-fixed", properties=NOTED),
                                           library("crit-fixed", "1.0", "pkg:pypi/crit-fixed", properties=NOTED)), 1, {"CVE-2024-0001"}),
    "no purl": (cyclonedx(library("openssl", "1.0.1")), 3, set()),
    "application": (cyclonedx({"type": "application", "name": "openssl", "version": "1.0.1"}), 3, set()),
    "odd type": (cyclonedx({**BAD_PACKAGE, "type": "Library"}), 1, {"CVE-2024-0001"}),
    "in the root": (cyclonedx(metadata={"component": {"type": "application", "name": "app", "components": [BAD_PACKAGE]}}), 1, {"CVE-2024-0001"}),
    "the root": (cyclonedx(metadata={"component": BAD_PACKAGE}), 1, {"CVE-2024-0001"}),
    "a lock file": (cyclonedx({"type": "application", "name": "poetry.lock", "properties": [
        {"name": "aquasecurity:trivy:Class", "value": "lang-pkgs"}]}, library("crit-fixed", "3.0", "pkg:pypi/crit-fixed@3.0")), 0, set()),
    "two distributions": (cyclonedx(library("libc6", "2.36-9+deb12u9", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?distro=debian-12&upstream=glibc"),
                                    library("curl", "7", "pkg:deb/ubuntu/curl@7?distro=ubuntu-22.04")), 3, set()),
    "SPDX container with a purl": ({"spdxVersion": "SPDX-2.3", "packages": [
        {"SPDXID": "SPDXRef-1", "name": "crit-fixed", "primaryPackagePurpose": "CONTAINER", "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:pypi/crit-fixed@1.0"}]}]}, 1, {"CVE-2024-0001"}),
    "SPDX without id": ({"spdxVersion": "SPDX-2.3", "packages": [{"name": "openssl", "versionInfo": "1"}]}, 3, set()),
}


@pytest.mark.parametrize("name", ODD)
def test_nothing_is_dropped_unsaid(store, tmp_path, name):
    document, code, ids = ODD[name]
    (tmp_path / "x.json").write_text(json.dumps(document))
    done = read_back(tmp_path / "x.json", store, "--exit-code", "1")
    assert (done.code, done.ids()) == (code, ids), done


def test_ambiguous_documents_are_refused(store, tmp_path):
    twice = json.dumps(cyclonedx(BAD_PACKAGE))[:-1] + ', "components": []}'
    space = "http://cyclonedx.org/schema/bom/1.6"
    part = "<components><component type='library'><name>x</name></component></components>"
    for text in (twice, f"<bom xmlns='{space}'>{part}{part}</bom>"):
        (tmp_path / "x").write_text(text)
        assert scanner.run("sbom", "scan", tmp_path / "x", "--db", store).code == 3
    (tmp_path / "x").write_text(f"<bom xmlns='{space}'>{part}<e:components xmlns:e='urn:x'/></bom>")
    assert len(read_back(tmp_path / "x", store).report["components"]) == 1


def test_merge_keeps_what_has_no_purl(tmp_path):
    for name in ("openssl", "zlib"):
        (tmp_path / name).write_text(json.dumps(cyclonedx(library(name, "1"))))
    done = scanner.run("sbom", "merge", tmp_path / "openssl", tmp_path / "zlib")
    assert {c["name"] for c in json.loads(done.stdout)["components"]} == {"openssl", "zlib"}


def test_validate_checks_references(tmp_path):
    (tmp_path / "x").write_text(json.dumps(cyclonedx(BAD_PACKAGE, dependencies=[{"ref": "nope", "dependsOn": ["nada"]}])))
    done = scanner.run("sbom", "validate", tmp_path / "x", "-f", f"json={tmp_path / 'out'}")
    assert done.code == 1 and len(json.loads((tmp_path / "out").read_text())["faults"]) == 2


@pytest.mark.parametrize("args, says", [
    (["sbom", "scan", "S", "--scanners", "secret"], "nothing of secrets"),
    (["sbom", "I", "--scanners", "vuln,secret"], "no place for secrets"),
    (["image", "I", "--plan", "--exit-code", "1"], "--plan"),
    (["image", "S", "--plan"], "--plan"),
    (["image", "I", "-f", "json=a.json", "-f", "csv=a.json"], "a.json"),
    (["compare", "S", "I", "--scanners", "secret"], "nothing of secrets"),
])
def test_what_makes_no_sense_is_said(written, archives, args, says):
    names = {"S": written["small", "spdx", False], "I": archives["small"]}
    done = scanner.run(*[names.get(a, a) for a in args])
    assert done.code == 2 and says in done.stderr, done


def test_gates_hold_for_sboms(written, archives, store):
    """End of life and the store's age are looked at, also when only an SBOM is written."""
    done = scanner.run("sbom", archives["small"], "--db", store, "--db-max-age", "1d")
    assert done.code in (0, 3) and (done.code == 3 or "advisor" not in done.stderr)
    known = scanner.run("sbom", archives["small"], "--db", "/nonexistent.db", "--db-max-age", "1d")
    assert known.code == 3, known


def test_no_secret_of_an_instruction(tmp_path, store):
    """Whatever is looked for: an instruction in which a secret stands is never shown with it."""
    import secretkit
    token = secretkit.github(seed="sbom")
    image = imagekit.image_of(ev.base(), history=[imagekit.run(f"curl -H 'Authorization: token {token}' https://x.test")])
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(image))
    for args in ([["sbom", path, "-f", form] for form in FORMATS]
                 + [["image", path, "--scanners", "vuln", "-f", form] for form in ("json", "table", "trivy", "sarif", "html", "csv")]):
        done = scanner.run(*args, "--db", store)
        assert token not in done.stdout and done.code == 0, args


def test_no_credentials_of_a_channel(tmp_path, store):
    entries = [ev.conda(f"c{i}", "1.0", channel=url) for i, url in enumerate((
        "https://user:hunter2@conda.example/priv/linux-64", "https://conda.example/t/tk-123456/priv/linux-64"))]
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of([*ev.base(), *entries])))
    for form in FORMATS:
        text = scanner.run("sbom", path, "-f", form).stdout
        assert "hunter2" not in text and "tk-123456" not in text and "priv" in text, form


def test_what_vex_says_stands_in_cyclonedx(archives, store, tmp_path):
    """Each status in CycloneDX's words; an exception of ours, which says nothing of how it is, without a state."""
    (tmp_path / "vex.json").write_text(json.dumps({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "x", "author": "a", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{"vulnerability": {"name": cve}, "products": [{"@id": purl}], "status": status, **more} for cve, purl, status, more in (
            ("CVE-2024-0001", "pkg:pypi/crit-fixed", "not_affected", {"justification": "vulnerable_code_not_in_execute_path"}),
            ("CVE-2024-0012", "pkg:pypi/high-unfixed", "under_investigation", {}),
            ("CVE-2024-0100", "pkg:deb/debian/libc6", "fixed", {}))]}))
    (tmp_path / ".plimsollignore.yaml").write_text("ignore:\n  - id: CVE-2024-0004\n    reason: accepted\n    until: 2999-01-01\n")
    for form in FORMATS[:8]:
        out = tmp_path / "out"
        done = scanner.run("image", "-i", archives["small"], "--db", store, "--scanners", "vuln", "--vex", "vex.json", "-f", f"{form}={out}",
                           cwd=tmp_path)
        assert done.code == 0 and problems_of(out, form) == [], form
        if "xml" in form:
            continue
        said = {(v["id"], v["affects"][0]["ref"].partition("@")[0]): v.get("analysis") for v in json.loads(out.read_text())["vulnerabilities"]}
        assert said["CVE-2024-0001", "pkg:pypi/crit-fixed"]["state"] == "not_affected"
        assert said["CVE-2024-0001", "pkg:pypi/crit-fixed"]["justification"] == "code_not_reachable"
        assert said["CVE-2024-0012", "pkg:pypi/high-unfixed"] == {"state": "in_triage"}
        assert said["CVE-2024-0100", "pkg:deb/debian/libc6"]["state"] == "resolved"
        assert said["CVE-2024-0100", "pkg:deb/debian/libc-bin"] is None
        assert said["CVE-2024-0004", "pkg:pypi/low-fixed"] == {"detail": "accepted"}
