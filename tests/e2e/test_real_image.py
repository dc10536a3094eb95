"""The second thing that the project must show: on an image that was built as users build them, all
packages and all findings are those that the package managers and the advisories themselves name."""

import json

import pytest
from packaging.utils import canonicalize_name

import oracle
import realimage
import scanner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600),
              pytest.mark.skipif(realimage.cannot() is not None, reason=f"no real image: {realimage.cannot()}")]
OSV = realimage.feeds() / "osv"


@pytest.fixture(scope="module")
def real():
    return realimage.made()


@pytest.fixture(scope="module")
def facts(real):
    return json.loads((real / "facts.json").read_text())


@pytest.fixture(scope="module")
def full_store(make_store):
    """All that is needed to judge this image, imported from the feeds as they are published."""
    return make_store([], OSV / "PyPI" / "all.zip", OSV / "Debian" / "all.zip")


@pytest.fixture(scope="module")
def scans(real, full_store):
    """form → the scan of that form of the image, done once."""
    known = {}

    def get(form):
        if form not in known:
            known[form] = scanner.scan(real / form, db=full_store, timeout=300)
            assert known[form].code == 0, known[form]
        return known[form]
    return get


def debs(step):
    """(name, version), architecture left out."""
    return {(name.partition(":")[0], version) for name, version, *_ in step["deb"]}


def pythons(step):
    """(name, version, path of the metadata folder) of what no deb of Debian's owns."""
    return {(canonicalize_name(name), version, path.lstrip("/"))
            for python in step["pypi"].values() for name, version, path, owner in python["found"] if not owner}


def origins(facts, of):
    """{package: layer}: the first layer of the last unbroken row of layers that have it."""
    held = [of(step) for step in facts["steps"]]
    found = {}
    for package in held[-1]:
        layer = len(held) - 1
        while layer and package in held[layer - 1]:
            layer -= 1
        found[package] = layer
    return found


def test_the_recipe_did_what_it_says(facts):
    """The image holds what makes it a test: removals, an upgrade, later additions, Python owned by debs."""
    steps, last = facts["steps"], facts["steps"][-1]
    names = [{name for name, _ in debs(step)} for step in steps]
    assert "curl" in names[0] and "curl" not in names[-1]
    assert "sqlite3" not in names[0] and "sqlite3" in names[-1]
    versions = [{v for n, v, _ in pythons(step) if n == "jinja2"} for step in steps]
    assert {"2.10"} in versions and versions[-1] == {"3.0.0"}
    tqdm = [any(n == "tqdm" for n, *_ in pythons(step)) for step in steps]
    assert True in tqdm and not tqdm[-1]
    assert any(owner for python in last["pypi"].values() for *_, owner in python["found"])
    # pip and importlib agree about what is there (pip hides nothing from --format=json).
    for python in last["pypi"].values():
        assert {canonicalize_name(n) for n, _ in python["list"]} == {canonicalize_name(n) for n, *_ in python["found"]}


@pytest.mark.parametrize("form", realimage.FORMS)
def test_debs_equal_dpkg_query(scans, facts, form):
    assert {(n, v) for n, v in scans(form).packages("deb")} == debs(facts["steps"][-1])
    assert len(scans(form).packages("deb")) == len(facts["steps"][-1]["deb"])


@pytest.mark.parametrize("form", realimage.FORMS)
def test_python_equals_pip_list(scans, facts, form):
    """What pip lists, but for what Debian's own packages own: that is judged as Debian's."""
    told = {(c["name"], c["version"], path.rpartition("/")[0]) for c in scans(form).report["components"]
            if c["type"] == "pypi" for path in scanner.paths_of(c)}
    assert told == pythons(facts["steps"][-1])


def test_sources_equal_dpkg_query(scans, facts):
    expected = {(name.partition(":")[0], source, version) for name, _, source, version in facts["steps"][-1]["deb"]}
    told = {(c["name"], *((c["source"]["name"], c["source"]["version"]) if c["source"] else (c["name"], c["version"])))
            for c in scans("image.tar").report["components"] if c["type"] == "deb"}
    assert told == expected


def findings_of(scan, kind):
    kinds = {c["ref"]: c["type"] for c in scan.report["components"]}
    return [f for f in scan.report["findings"] if kinds[f["component"]] == kind]


def test_python_findings_equal_the_oracle(scans, facts):
    packages = {(name, version) for name, version, _ in pythons(facts["steps"][-1])}
    expected = oracle.python_findings(OSV / "PyPI" / "all.zip", packages)
    assert len(expected) > 30, "an old stack has known vulnerabilities"
    assert not oracle.differences(expected, findings_of(scans("image.tar"), "pypi"))


def test_debian_findings_equal_the_oracle(scans, facts):
    packages = {(name.partition(":")[0], source, version) for name, _, source, version in facts["steps"][-1]["deb"]}
    expected = oracle.debian_findings(OSV / "Debian" / "all.zip", packages, "12")
    assert expected, "packages of a Debian that is not the newest have fixed vulnerabilities"
    report = scans("image.tar").report
    set_aside = [f for f in report["suppressed"] if f.get("name", "").startswith("linux-")]
    assert not oracle.differences(expected, findings_of(scans("image.tar"), "deb") + set_aside)


@pytest.mark.parametrize("form", realimage.FORMS)
def test_layers(scans, facts, form):
    """Each component, and with it each finding, comes from the layer whose step brought it."""
    result = scans(form)
    assert result.components("deb") == {("deb", *package, layer) for package, layer in origins(facts, debs).items()}
    wanted = origins(facts, lambda step: pythons(step))
    told = {(c["name"], c["version"], path.rpartition("/")[0]): c["layer"] for c in result.report["components"]
            if c["type"] == "pypi" and len(c["locations"]) == 1 for path in scanner.paths_of(c)}
    assert told == {package: layer for package, layer in wanted.items() if package in told} and told
    layers = {c["ref"]: c["layer"] for c in result.report["components"]}
    assert all(f["layer"] == layers[f["component"]] for f in result.report["findings"])


def test_instructions(scans, facts):
    """A finding's instruction is the Dockerfile line that brought its package."""
    result = scans("image.tar")
    steps = {f["name"]: f["instruction"] for f in result.report["findings"]}
    assert "pip install --no-cache-dir flask" in steps["flask"]
    assert "--upgrade jinja2==3.0.0" in steps["jinja2"]
    assert "python3 -m venv /opt/venv" in steps["transformers"]
    assert len(result.report["image"]["layers"]) == len(facts["steps"])


@pytest.mark.parametrize("form", realimage.FORMS[1:])
def test_the_same_in_every_form(scans, form):
    first, other = scans("image.tar"), scans(form)
    assert first.components() == other.components()
    assert first.findings() == other.findings()
    assert [l["diff_id"] for l in first.report["image"]["layers"]] == [l["diff_id"] for l in other.report["image"]["layers"]]
