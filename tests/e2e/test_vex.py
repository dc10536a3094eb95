"""VEX: a table of statements and what they hide, in OpenVEX, CycloneDX and CSAF; and OpenVEX as it is written."""

import itertools
import json

import jsonschema
import pytest

import evidence as ev
import imagekit
import scanner
import test_ignore
from test_ignore import ALL, CRIT, CURL, HIGH, LOW, SSL, UNFIXED, flask  # noqa: F401  (flask is a fixture)

SCHEMA = scanner.REPO / "tests" / "data" / "schemas" / "openvex-0.2.0.json"
IMAGE = "pkg:oci/app?repository_url=ghcr.io%2Fme%2Fapp"
LABEL = "vulnerable_code_not_in_execute_path"
PYTHON = test_ignore.PYTHON


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    made = imagekit.image_of(*test_ignore.layers(), tags=("ghcr.io/me/app:1.2",))
    return imagekit.write_archive(tmp_path_factory.mktemp("vex") / "image.tar", imagekit.files_docker_old(made))


@pytest.fixture(scope="module")
def digest():
    made = imagekit.image_of(*test_ignore.layers(), tags=("ghcr.io/me/app:1.2",))
    return imagekit.sha256(made.config_bytes())


@pytest.fixture
def scan(image, store, tmp_path):
    """scan([documents], *args)"""
    numbers = itertools.count()

    def run(documents, *args, secrets=False, target=None, **more):
        for document in documents:
            path = tmp_path / f"vex-{next(numbers)}.json"
            path.write_text(document if isinstance(document, str) else json.dumps(document))
            args += ("--vex", path)
        return scanner.scan(target or image, "--scanners", "vuln", *args, db=store, cwd=tmp_path, **more)
    return run


def hidden(result):
    return {s["id"]: s["reason"] for s in result.report["suppressed"]}


def openvex(*statements, **more):
    return {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://openvex.dev/docs/example/vex-1", "author": "a",
            "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": list(statements), **more}


def says(name, *products, status="not_affected", when=None, aliases=(), parts=(), **more):
    if status == "not_affected" and not more:
        more = {"justification": LABEL}
    things = [{"@id": p} if isinstance(p, str) else p for p in products]
    if parts:
        things = [{**thing, "subcomponents": [{"@id": part} for part in parts]} for thing in things]
    return {"vulnerability": {"name": name, "aliases": list(aliases)}, "products": things, "status": status,
            **({"timestamp": when} if when else {}), **more}


CRIT_PURL, SSL_PURL = "pkg:pypi/crit-fixed@1.0", "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12"
MAY, JUNE = "2024-05-01T00:00:00Z", "2024-06-01T00:00:00.5+02:00"

# name: (statements, what they hide)
OPENVEX = {
    "a package": ([says(CRIT, CRIT_PURL)], {CRIT}),
    "any version of it": ([says(CRIT, "pkg:pypi/crit-fixed")], {CRIT}),
    "its name in another form": ([says(CRIT, "pkg:pypi/Crit_Fixed")], {CRIT}),
    "by identifier": ([says(CRIT, {"@id": "urn:x", "identifiers": {"purl": CRIT_PURL}})], {CRIT}),
    "another version": ([says(CRIT, "pkg:pypi/crit-fixed@1.1")], set()),
    "a local version": ([says(CRIT, "pkg:pypi/crit-fixed@1.0+x.1")], set()),
    "another type": ([says(CRIT, "pkg:npm/crit-fixed@1.0")], set()),
    "a qualifier too many": ([says(CRIT, "pkg:pypi/crit-fixed@1.0?a=b")], set()),
    "deb with qualifiers": ([says(SSL, SSL_PURL)], {SSL}),
    "deb without them": ([says(SSL, "pkg:deb/debian/libssl3@3.0.11-1~deb12u2")], {SSL}),
    "deb encoded, of a point release": ([says(SSL, "pkg:deb/debian/libssl3@3.0.11-1%7Edeb12u2?distro=debian-12.5")], {SSL}),
    "deb of another architecture": ([says(SSL, "pkg:deb/debian/libssl3?arch=arm64")], set()),
    "deb of another release": ([says(SSL, "pkg:deb/debian/libssl3?distro=debian-11")], set()),
    "deb of another distribution": ([says(SSL, "pkg:deb/ubuntu/libssl3")], set()),
    "by an alias": ([says("GHSA-aaaa-bbbb-0001", CRIT_PURL)], {CRIT}),
    "by an alias of the statement": ([says("X-1", CRIT_PURL, aliases=[CRIT])], {CRIT}),
    "by another id": ([says("CVE-2024-00011", CRIT_PURL)], set()),
    "the image": ([says(CRIT, IMAGE), says(SSL, IMAGE)], {CRIT, SSL}),
    "the image by its name": ([says(CRIT, "ghcr.io/me/app:1.2")], {CRIT}),
    "another image": ([says(CRIT, "ghcr.io/me/app:1.3", "pkg:oci/other", "pkg:oci/app?repository_url=ghcr.io/you/app")], set()),
    "the image by name and tag": ([says(CRIT, "pkg:oci/app?tag=1.2")], {CRIT}),
    "the image with another tag": ([says(CRIT, "pkg:oci/app?tag=1.3"), says(SSL, "pkg:oci/app@sha256%3A00")], set()),
    "the image for its architecture": ([says(CRIT, "pkg:oci/app?arch=amd64"), says(SSL, "pkg:oci/app?arch=arm64")], {CRIT}),
    "the image in docker's form": ([says(CRIT, "pkg:docker/me/app@1.2"), says(SSL, "pkg:docker/you/app@1.2")], {CRIT}),
    "a part of the image": ([says(CRIT, IMAGE, parts=["pkg:pypi/crit-fixed"])], {CRIT}),
    "a part of another image": ([says(CRIT, "pkg:oci/other", parts=["pkg:pypi/crit-fixed"])], set()),
    "another part": ([says(CRIT, IMAGE, parts=["pkg:pypi/high-fixed", "pkg:pypi/crit-fixed@2.0"])], set()),
    "one of several parts": ([says(CRIT, IMAGE, parts=["pkg:pypi/high-fixed", CRIT_PURL])], {CRIT}),
    "a part of itself": ([says(CRIT, CRIT_PURL, parts=[CRIT_PURL])], {CRIT}),
    # Nothing tells that only high-fixed uses it (aquasecurity/trivy PR 9465).
    "a part of another package": ([says(CRIT, "pkg:pypi/high-fixed", parts=[CRIT_PURL])], set()),
    "fixed": ([says(CRIT, CRIT_PURL, status="fixed")], {CRIT}),
    "affected": ([says(CRIT, CRIT_PURL, status="affected", action_statement="do")], set()),
    "under investigation": ([says(CRIT, CRIT_PURL, status="under_investigation")], set()),
    "later it is not": ([says(CRIT, CRIT_PURL, status="affected", when=MAY), says(CRIT, CRIT_PURL, when=JUNE)], {CRIT}),
    "later it is": ([says(CRIT, CRIT_PURL, when=MAY), says(CRIT, CRIT_PURL, status="affected", when=JUNE)], set()),
    "later, in the other order": ([says(CRIT, CRIT_PURL, status="affected", when=JUNE), says(CRIT, CRIT_PURL, when=MAY)], set()),
    "later in its own time zone": ([says(CRIT, CRIT_PURL, when="2024-05-01T23:00:00-05:00"),
                                    says(CRIT, CRIT_PURL, status="affected", when="2024-05-02T03:00:00Z")], {CRIT}),
    "the document is the youngest": ([says(CRIT, CRIT_PURL, status="affected"), says(CRIT, CRIT_PURL, when="2023-01-01T00:00:00Z")], set()),
    "at once: the careful one": ([says(CRIT, CRIT_PURL), says(CRIT, CRIT_PURL, status="affected")], set()),
    "later for another package": ([says(CRIT, CRIT_PURL, when=MAY), says(CRIT, "pkg:pypi/x", status="affected", when=JUNE)], {CRIT}),
    "later by an alias": ([says(CRIT, CRIT_PURL, when=MAY), says("GHSA-aaaa-bbbb-0001", IMAGE, status="affected", when=JUNE)], set()),
    "0.0.1": ([{"vulnerability": CRIT, "products": [CRIT_PURL, "pkg:oci/x"], "status": "not_affected"}], {CRIT}),
    "0.0.1 with parts": ([{"vulnerability": CRIT, "products": [IMAGE], "subcomponents": [CRIT_PURL], "status": "not_affected"},
                          {"vulnerability": SSL, "products": [IMAGE], "subcomponents": [CRIT_PURL], "status": "not_affected"}], {CRIT}),
    "no product": ([{"vulnerability": {"name": CRIT}, "status": "not_affected"}], set()),
    "nothing": ([], set()),
}


@pytest.mark.parametrize("name", OPENVEX)
def test_openvex(scan, name):
    statements, expected = OPENVEX[name]
    result = scan([openvex(*statements)])
    assert set(hidden(result)) == expected and result.code == 0, result
    assert result.ids() == ALL - expected
    assert "vex-0.json: OpenVEX, " in result.stderr


def test_the_image_by_digest(scan, digest):
    purl = "pkg:oci/whatever@" + digest.replace(":", "%3A")
    assert set(hidden(scan([openvex(says(CRIT, purl), says(SSL, {"hashes": {"sha-256": digest[7:]}}), says(CURL, f"x@{digest}"))]))) \
        == {CRIT, SSL, CURL}


def test_reasons_and_status(scan):
    text = "it is compiled out"
    result = scan([openvex(says(CRIT, IMAGE), says(SSL, IMAGE, impact_statement=text, status_notes="as of 1.2"), says(HIGH, IMAGE, status="fixed"),
                           says(CURL, IMAGE, justification="component_not_present", impact_statement=text),
                           says(LOW, IMAGE, status="under_investigation"), says(UNFIXED, IMAGE, status="affected", action_statement="do"))])
    fixed = hidden(result).pop(HIGH)
    assert fixed.startswith("fixed, as ") and fixed.endswith("vex-0.json says without a reason")
    assert hidden(result) == {CRIT: f"not affected: {LABEL}", SSL: f"not affected: {text}; as of 1.2", HIGH: fixed,
                              CURL: f"not affected: component_not_present; {text}"}
    assert result.finding(LOW)["status"] == "under_investigation" and result.finding(UNFIXED)["status"] == "affected"
    assert {s["by"].rpartition("/")[2] for s in result.report["suppressed"]} == {f"vex-0.json (statement {n})" for n in (1, 2, 3, 4)}
    assert "6 statements; 6 findings spoken of, 4 not affected or fixed" in result.stderr


# -- CycloneDX ---------------------------------------------------------------------------------------------------

def cyclonedx(*vulnerabilities, version="1.6", **more):
    return {"bomFormat": "CycloneDX", "specVersion": version, "version": 1, "vulnerabilities": list(vulnerabilities), **more}


def analysed(name, state, *refs, versions=None, **more):
    analysis = {"analysis": {"state": state, **more.pop("analysis", {})}} if state else {}
    return {"id": name, **analysis, "affects": [{"ref": r, **({"versions": versions} if versions else {})} for r in refs], **more}


LINK = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#"
COMPONENTS = {"components": [{"type": "library", "name": "outer", "bom-ref": "1", "components": [
    {"type": "library", "name": "crit-fixed", "version": "1.0", "bom-ref": "c", "purl": CRIT_PURL}]}]}
SUBJECT = {"metadata": {"component": {"type": "container", "name": "ghcr.io/me/app", "version": "1.2", "bom-ref": "img"}}}
CYCLONEDX = {
    "a package URL": (cyclonedx(analysed(CRIT, "not_affected", CRIT_PURL)), {CRIT}),
    "1.4": (cyclonedx(analysed(CRIT, "not_affected", CRIT_PURL), version="1.4"), {CRIT}),
    "1.7": (cyclonedx(analysed(CRIT, "false_positive", CRIT_PURL), version="1.7"), {CRIT}),
    "resolved": (cyclonedx(analysed(CRIT, "resolved", CRIT_PURL), analysed(SSL, "resolved_with_pedigree", SSL_PURL)), {CRIT, SSL}),
    "exploitable": (cyclonedx(analysed(CRIT, "exploitable", CRIT_PURL)), set()),
    "in triage": (cyclonedx(analysed(CRIT, "in_triage", CRIT_PURL)), set()),
    "no analysis": (cyclonedx(analysed(CRIT, None, CRIT_PURL)), set()),
    "a BOM-Link": (cyclonedx(analysed(CRIT, "not_affected", LINK + CRIT_PURL)), {CRIT}),
    "a BOM-Link, encoded": (cyclonedx(analysed(CRIT, "not_affected", LINK + "pkg%3Apypi%2Fcrit-fixed%401.0")), {CRIT}),
    "a BOM-Link to what nobody knows": (cyclonedx(analysed(CRIT, "not_affected", LINK + "c7")), set()),
    "a bom-ref": (cyclonedx(analysed(CRIT, "not_affected", "c"), **COMPONENTS), {CRIT}),
    "a bom-ref of another": (cyclonedx(analysed(CRIT, "not_affected", "1"), **COMPONENTS), set()),
    "a bom-ref without its component": (cyclonedx(analysed(CRIT, "not_affected", "c")), set()),
    "the image": (cyclonedx(analysed(CRIT, "not_affected", "img"), **SUBJECT), {CRIT}),
    "the image, not said": (cyclonedx(analysed(CRIT, "not_affected"), **SUBJECT), {CRIT}),
    "nothing, not said": (cyclonedx(analysed(CRIT, "not_affected")), set()),
    "by a reference": (cyclonedx(analysed("X", "not_affected", CRIT_PURL, references=[{"id": CRIT, "source": {}}])), {CRIT}),
    "a version": (cyclonedx(analysed(CRIT, "not_affected", "pkg:pypi/crit-fixed", versions=[{"version": "1.0"}])), {CRIT}),
    "other versions": (cyclonedx(analysed(CRIT, "not_affected", "pkg:pypi/crit-fixed", versions=[{"version": "1.1"}, {"range": "vers:pypi/<2"}])), set()),
    "an unaffected version": (cyclonedx(analysed(CRIT, "exploitable", "pkg:pypi/crit-fixed",
                                                 versions=[{"version": "1.0", "status": "unaffected"}, {"version": "0.9"}])), {CRIT}),
    "an affected version": (cyclonedx(analysed(CRIT, None, "pkg:pypi/crit-fixed", versions=[{"version": "1.0", "status": "affected"}])), set()),
    "later": (cyclonedx(analysed(CRIT, "not_affected", CRIT_PURL, analysis={"lastUpdated": JUNE}), analysed(CRIT, "exploitable", CRIT_PURL, updated=MAY)), {CRIT}),
    "earlier": (cyclonedx(analysed(CRIT, "not_affected", CRIT_PURL, analysis={"lastUpdated": MAY}), analysed(CRIT, "exploitable", CRIT_PURL, updated=JUNE)), set()),
}


@pytest.mark.parametrize("name", CYCLONEDX)
def test_cyclonedx(scan, name):
    document, expected = CYCLONEDX[name]
    result = scan([document])
    assert set(hidden(result)) == expected and result.code == 0, result


def test_cyclonedx_reason(scan):
    result = scan([cyclonedx(analysed(CRIT, "not_affected", CRIT_PURL, analysis={"justification": "code_not_reachable", "detail": "never called"}))])
    assert hidden(result) == {CRIT: "not affected: code_not_reachable; never called"}


# -- CSAF --------------------------------------------------------------------------------------------------------

def product(ident, purl=None, **helper):
    helper |= {"purl": purl} if purl else {}
    return {"name": ident, "product_id": ident, **({"product_identification_helper": helper} if helper else {})}


TREE = {"branches": [{"category": "vendor", "name": "v", "branches": [
            {"category": "product_version", "name": "1.0", "product": product("crit", CRIT_PURL)},
            {"category": "product_version", "name": "3", "product": product("ssl", "pkg:deb/debian/libssl3")}]}],
        "full_product_names": [product("image", IMAGE), product("named"), product("other", "pkg:oci/other"),
                               product("two", None, purls=["pkg:npm/x", "pkg:deb/debian/curl"])],
        "product_groups": [{"group_id": "g", "product_ids": ["crit", "ssl"]}],
        "relationships": [{"category": "default_component_of", "product_reference": part, "relates_to_product_reference": whole,
                           "full_product_name": product(f"{whole}:{part}")}
                          for part, whole in (("crit", "image"), ("crit", "other"), ("crit", "named"), ("ssl", "image"))]}


def csaf(*vulnerabilities, tree=TREE, version="2.0", when=MAY):
    return {"document": {"category": "csaf_vex", "csaf_version": version, "tracking": {"current_release_date": when}},
            "product_tree": tree, "vulnerabilities": list(vulnerabilities)}


def listed(cve, more=None, **lists):
    return {**({"cve": cve} if cve else {}), "product_status": lists, **(more or {})}


CSAF = {
    "not affected": (csaf(listed(CRIT, known_not_affected=["crit"])), {CRIT}),
    "2.1, several package URLs": (csaf(listed(CURL, known_not_affected=["two"]), version="2.1"), {CURL}),
    "fixed": (csaf(listed(CRIT, fixed=["crit"]), listed(SSL, first_fixed=["ssl"])), {CRIT, SSL}),
    "affected": (csaf(listed(CRIT, known_affected=["crit"]), listed(SSL, under_investigation=["ssl"])), set()),
    "recommended says nothing": (csaf(listed(CRIT, recommended=["crit"])), set()),
    "affected and not": (csaf(listed(CRIT, known_affected=["crit"], known_not_affected=["crit"])), set()),
    "the image": (csaf(listed(CRIT, known_not_affected=["image"]), listed(CURL, known_not_affected=["other"])), {CRIT}),
    "only named": (csaf(listed(CRIT, known_not_affected=["named", "nothere"])), set()),
    "a component of the image": (csaf(listed(CRIT, known_not_affected=["image:crit"]), listed(SSL, known_not_affected=["image:crit"])), {CRIT}),
    "a component of others": (csaf(listed(CRIT, known_not_affected=["other:crit", "named:crit"])), set()),
    "by another id": (csaf(listed(None, {"ids": [{"system_name": "GitHub", "text": "GHSA-aaaa-bbbb-0001"}]}, known_not_affected=["crit"])), {CRIT}),
    "no products": (csaf(listed(CRIT, known_not_affected=["crit"]), tree={}), set()),
}


@pytest.mark.parametrize("name", CSAF)
def test_csaf(scan, name):
    document, expected = CSAF[name]
    result = scan([document])
    assert set(hidden(result)) == expected and result.code == 0, result


def test_csaf_reasons(scan):
    result = scan([csaf(listed(CRIT, {"flags": [{"label": LABEL, "product_ids": ["crit"]}, {"label": "x", "product_ids": ["ssl"]}],
                                      "threats": [{"category": "impact", "details": "never called", "group_ids": ["g"]},
                                                  {"category": "exploit_status", "details": "no", "product_ids": ["crit"]}]}, known_not_affected=["crit"]),
                        listed(SSL, {"remediations": [{"category": "vendor_fix", "details": "in 3.0.16", "product_ids": ["ssl"]}]}, fixed=["ssl"]))])
    assert hidden(result) == {CRIT: f"not affected: {LABEL}; never called", SSL: "fixed: in 3.0.16"}


# -- several documents, folders, what is wrong ---------------------------------------------------------------------

def test_documents_together(scan):
    """Whatever their forms and order: the later word counts."""
    old, new = csaf(listed(CRIT, known_not_affected=["crit"]), when=MAY), openvex(says(CRIT, CRIT_PURL, status="affected"), timestamp=JUNE)
    for documents in itertools.permutations([old, new]):
        assert hidden(scan(documents)) == {}
    assert set(hidden(scan([cyclonedx(analysed(SSL, "not_affected", SSL_PURL)), old]))) == {CRIT, SSL}
    wrapped = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://openvex.dev/ns/v0.2.0", "predicate": openvex(says(CRIT, IMAGE))}
    assert set(hidden(scan([wrapped]))) == {CRIT}


def test_folder(scan, tmp_path):
    folder = tmp_path / "all"
    (folder / "b" / "c").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name, text in (("a.json", json.dumps(openvex(says(CRIT, IMAGE)))), ("b/c/d.vex", json.dumps(csaf(listed(SSL, fixed=["ssl"])))),
                       ("README.md", "#"), (".git/x.json", "no"), ("b/x.csaf", json.dumps(csaf()))):
        (folder / name).write_text(text)
    result = scan([], "--vex", "all")
    assert {s["id"]: s["by"] for s in result.report["suppressed"]} == {CRIT: "all/a.json (statement 1)", SSL: "all/b/c/d.vex (statement 1)"}
    said = [line.split()[1] for line in result.stderr.splitlines() if "statement" in line]
    assert said == ["all/a.json:", "all/b/c/d.vex:", "all/b/x.csaf:"], "in the order of names"
    (folder / "z.json").write_text("{}")
    assert "all/z.json" in (broken := scan([], "--vex", "all")).stderr and broken.code == 2
    deep = tmp_path / "deep"
    deep.joinpath(*["d"] * 20).mkdir(parents=True)
    assert "deeper" in (result := scan([], "--vex", "deep")).stderr and result.code == 2
    (tmp_path / "empty").mkdir()
    assert "no VEX document" in scan([], "--vex", "empty").stderr


WRONG = {
    "empty": ("", "JSON"), "cut": (json.dumps(openvex(says(CRIT, IMAGE)))[:-9], "JSON"), "no object": ("[]", "no VEX document"),
    "another form": ('{"spdxVersion": "SPDX-2.3"}', "no VEX document"), "two": (json.dumps(openvex()) * 2, "JSON"),
    "deep": ("[" * 100000 + "]" * 100000, "deeper"), "bytes": ("\0" * 10, "JSON"),
    "a status nobody knows": (openvex(says(CRIT, IMAGE), says(SSL, IMAGE, status="perhaps")), "statement 2"),
    "no statements": ({"@context": "https://openvex.dev/ns"}, "statements"),
    "a state nobody knows": (cyclonedx(analysed(CRIT, "fine", CRIT_PURL)), "fine"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_understood(scan, name):
    document, told = WRONG[name]
    result = scan([document])
    assert result.code == 2 and result.out == b"" and "vex-0.json" in result.stderr and told in result.stderr, result


def test_what_is_not_there(scan):
    assert "nothere.json" in (result := scan([], "--vex", "nothere.json")).stderr and result.code == 2


@pytest.mark.parametrize("statements", [[1, None, "x", [], {}], [{"status": "fixed", "vulnerability": 3, "products": "x"}],
                                        [{"status": "fixed", "vulnerability": {"name": 1, "aliases": [2, {}]}, "products": [1, None, {"subcomponents": {}}]}]])
def test_statements_of_another_kind(scan, statements):
    """What is no statement hides nothing."""
    result = scan([openvex(*statements)])
    assert result.code in (0, 2) and not (result.report and result.report["suppressed"]), result


def test_the_gate_comes_after(scan, tmp_path):
    """Cases B71 and B72: VEX counts for the gate, and goes together with ignore files."""
    document = openvex(says(CRIT, IMAGE))
    assert scan([document], "--fail-on", "CRITICAL").code == 1  # curl's
    (tmp_path / ".grype.yaml").write_text(f"ignore:\n- vulnerability: {CURL}\n  reason: r\n- vulnerability: {CRIT}\n  reason: r\n")
    result = scan([document], "--fail-on", "CRITICAL")
    assert result.code == 0 and hidden(result) == {CRIT: f"not affected: {LABEL}", CURL: "r"}


def test_grype_rules_that_ask_for_vex(scan, tmp_path):
    (tmp_path / ".grype.yaml").write_text("ignore:\n- vex-status: under_investigation\n  reason: r\n- vex-status: not_affected\n  vex-justification: x\n")
    result = scan([openvex(says(CRIT, IMAGE, status="under_investigation"), says(SSL, IMAGE))])
    assert hidden(result) == {CRIT: "r", SSL: f"not affected: {LABEL}"}
    assert [(e["id"], e["state"]) for e in result.report["exceptions"]] == [
        ("vex-status under_investigation", "applied"), ("vex-status not_affected, vex-justification x", "unused")]


# -- OpenVEX as it is written --------------------------------------------------------------------------------------

def validate(document):
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return [f"{e.json_path}: {e.message[:200]}" for e in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def written(scan, tmp_path, documents, *args, **more):
    result = scan(documents, "-f", f"openvex={tmp_path / 'out.json'}", *args, **more)
    return result, json.loads((tmp_path / "out.json").read_text())


def test_round_trip(scan, tmp_path, digest):
    """What is written and read back hides the same; so does what is written of that."""
    (tmp_path / ".trivyignore").write_text(f"# \"why\" <script>\n{CRIT}\n{CURL}\n")
    first, document = written(scan, tmp_path, [openvex(says(SSL, IMAGE), says(HIGH, IMAGE, status="fixed"), says(LOW, IMAGE, status="under_investigation"))])
    assert validate(document) == []
    (tmp_path / ".trivyignore").unlink()
    second, again = written(scan, tmp_path, [document])
    third, _ = written(scan, tmp_path, [again])
    assert set(hidden(first)) == set(hidden(second)) == set(hidden(third)) == {CRIT, SSL, CURL, HIGH}
    assert document["statements"] == again["statements"] and document["@id"] == again["@id"]
    assert hidden(third)[CRIT] == 'not affected: "why" <script>' and second.finding(LOW)["status"] == "under_investigation"
    told = {s["vulnerability"]["name"]: s for s in document["statements"]}
    assert {name: s["status"] for name, s in told.items()} == {
        CRIT: "not_affected", CURL: "not_affected", SSL: "not_affected", HIGH: "fixed", LOW: "under_investigation", UNFIXED: "affected"}
    assert told[CRIT]["impact_statement"] == '"why" <script>' and told[SSL]["justification"] == LABEL
    assert told[CRIT]["vulnerability"]["aliases"] == ["GHSA-aaaa-bbbb-0001"]
    assert told[UNFIXED]["action_statement"] == "no version of high-unfixed that repairs it is known"
    assert told[CRIT]["products"] == [{"@id": "pkg:oci/app@" + digest.replace(":", "%3A") + "?arch=amd64&repository_url=ghcr.io/me/app&tag=1.2",
                                       "subcomponents": [{"@id": CRIT_PURL}]}]


def test_written_twice(scan, tmp_path):
    texts = []
    for _ in range(2):
        written(scan, tmp_path, [], env={"SOURCE_DATE_EPOCH": "1700000000"})
        texts.append((tmp_path / "out.json").read_bytes())
    assert texts[0] == texts[1] and b'"timestamp": "2023-11-14T22:13:20Z"' in texts[0]
    document = json.loads(texts[0])
    assert {s["action_statement"] for s in document["statements"] if s["vulnerability"]["name"] == CRIT} == {"upgrade crit-fixed to 2.0"}


def test_filters_are_not_stated(scan, tmp_path):
    _, document = written(scan, tmp_path, [openvex(says(HIGH, IMAGE, status="under_investigation"))], "--severity", "CRITICAL")
    assert {s["vulnerability"]["name"] for s in document["statements"]} == {CRIT, CURL}


def test_an_exception_for_some_places(scan, tmp_path, store):
    """One package at two places, excepted at one: VEX has no paths, so it stays affected."""
    made = imagekit.image_of(ev.base(), ev.dist_info("crit-fixed", "1.0"), ev.dist_info("crit-fixed", "1.0", site="opt/v/lib/python3.11/site-packages"))
    path = imagekit.write_archive(tmp_path / "two.tar", imagekit.files_docker_old(made))
    (tmp_path / ".trivyignore.yaml").write_text(f"vulnerabilities:\n- id: {CRIT}\n  paths: ['usr/**']\n")
    _, document = written(scan, tmp_path, [], target=path)
    assert [s["status"] for s in document["statements"]] == ["affected"]


def test_hostile_and_empty(tmp_path, store, make_store, scan):
    import advisories
    nasty = make_store([advisories.pypi("X-\"<script>\n\u202e1", "crit-fixed", "2.0\"\n", "HIGH", aliases=["A\t\"'"])])
    made = imagekit.image_of(ev.base(), ev.dist_info("crit-fixed", "1.0"), tags=())
    path = imagekit.write_archive(tmp_path / "we ird & <name>.tar", imagekit.files_docker_old(made))
    out = tmp_path / "out.json"
    for db, count in ((nasty, 1), (make_store([advisories.pypi("CVE-1-1", "other", "1")]), 0)):
        assert scanner.run("image", "--input", path, "--db", db, "-f", f"openvex={out}", "-q").code in (0, 3)
        # The schema wants one statement at the least: where nothing was found there is none to make, and no file.
        assert out.exists() == bool(count)
        if count:
            document = json.loads(out.read_text())
            assert len(document["statements"]) == count and validate(document) == []
    said = scanner.run("image", "--input", path, "--db", db, "-f", "openvex")
    assert said.code == 0 and not said.stdout and "nothing to state" in said.stderr
    assert scan([document], target=path).code == 0


def test_root_folder(tmp_path, store):
    """No image: the folder's name stands for it, there and back."""
    root = tmp_path / "root"
    for entry in [*ev.base(), *ev.dist_info("crit-fixed", "1.0")]:
        target = root / entry.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(entry.data)
    (tmp_path / ".trivyignore").write_text(CRIT)
    out = tmp_path / "out.json"
    assert scanner.run("rootfs", root, "--db", store, "-f", f"openvex={out}", cwd=tmp_path).code == 0
    document = json.loads(out.read_text())
    assert validate(document) == [] and document["statements"][0]["products"][0]["@id"] == "pkg:generic/root"
    result = scanner.scan(root, "--vex", out, db=store, command="rootfs")
    assert set(hidden(result)) == {CRIT}


def test_a_package_that_holds_another(scan, tmp_path):
    """A vendor's deb has the files of a Python distribution: what is said of the deb is said of them."""
    dist = ev.dist_info("crit-fixed", "1.0", site=ev.DIST)
    debs = ev.dpkg(ev.deb("base-files", "12"), ev.deb("tool", "3-1", maintainer="Vendor <v@vendor.example>"))
    made = imagekit.image_of([ev.os_release(), debs, ev.owned("tool", *(entry.path for entry in dist)), *dist])
    path = imagekit.write_archive(tmp_path / "held.tar", imagekit.files_docker_old(made))
    for product, parts, expected in (("pkg:deb/debian/tool@3-1", [], {CRIT}), ("pkg:deb/debian/tool", [CRIT_PURL], {CRIT}),
                                     ("pkg:deb/debian/tool@3-2", [], set()), ("pkg:deb/debian/base-files", [CRIT_PURL], set())):
        assert set(hidden(scan([openvex(says(CRIT, product, parts=parts))], target=path))) == expected, (product, parts)


def test_an_sbom_of_the_image(scan, store, image, tmp_path):
    """What was written of the image counts for its SBOM, and a BOM-Link into that SBOM for the image."""
    (tmp_path / ".trivyignore").write_text(f"{CRIT}\n{SSL}\n")
    first, document = written(scan, tmp_path, [], "-f", f"cyclonedx={tmp_path / 'sbom.json'}")
    (tmp_path / ".trivyignore").unlink()
    (tmp_path / "vex.json").write_text(json.dumps(document))
    done = scanner.run("sbom", "scan", tmp_path / "sbom.json", "--vex", tmp_path / "vex.json", "--db", store, "-f", "json", cwd=tmp_path)
    assert {s["id"] for s in json.loads(done.stdout)["suppressed"]} == {CRIT, SSL} == set(hidden(first)), done
    sbom = json.loads((tmp_path / "sbom.json").read_text())
    ref = next(c["bom-ref"] for c in sbom["components"] if c["name"] == "crit-fixed")
    link = sbom["serialNumber"].replace("urn:uuid:", "urn:cdx:") + f"/{sbom['version']}#{ref}"
    assert set(hidden(scan([cyclonedx(analysed(CRIT, "not_affected", link))]))) == {CRIT}


# -- Trivy on the same documents and facts -------------------------------------------------------------------------

def test_as_trivy_has_it(flask, tmp_path):  # noqa: F811
    one, two, three, purl = test_ignore.ONE, test_ignore.TWO, test_ignore.THREE, "pkg:pypi/flask@0.12.2"
    for document in (
            openvex(says(one, purl), says(two, "pkg:pypi/flask", status="fixed"), says(three, "pkg:pypi/flask@0.12.3")),
            openvex(says("X", purl, aliases=[one]), says(two, purl, parts=[purl]), says(three, purl, when=MAY),
                    says(three, purl, status="affected", when=JUNE, action_statement="a")),
            openvex(says(one, {"identifiers": {"purl": purl}}), says(two, purl, status="under_investigation"), says(three, "pkg:pypi/x", parts=[purl])),
            csaf(listed(one, known_not_affected=["f"]), listed(two, fixed=["f"]), listed(three, known_affected=["f"]),
                 tree={"full_product_names": [product("f", purl)]})):
        path = tmp_path / "doc.json"
        path.write_text(json.dumps(document))
        mine, its = (how(flask, tmp_path, "--vex", path) for how in (test_ignore.with_plimsoll, test_ignore.with_trivy))
        assert mine == its and its, document
