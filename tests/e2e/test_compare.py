"""plimsoll compare: what is paired with what, gates, saved reports against images, ranking, and what is
never trusted."""

import copy
import functools
import html.parser
import json
import os
import pathlib
import re

import jsonschema
import pytest

import evidence as ev
import imagekit
import realimage
import scanner
import secretkit
import slimimage
from tarkit import file

SCHEMA = scanner.REPO / "docs" / "compare.schema.json"
SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", "UNKNOWN"]


@functools.cache
def validator():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def compare(*args, db=None, code=None, env=None):
    """Run with -f json; what is written is held against the schema and against itself."""
    result = scanner.run("compare", *args, *(["--db", db] if db else []), "-f", "json", env=env)
    assert code is None or result.code == code, result
    if result.code == 2:
        return result
    result.report = json.loads(result.out)
    problems = [f"{e.json_path}: {e.message[:200]}" for e in validator().iter_errors(result.report)]
    assert not problems, "\n".join(problems)
    verdict = result.report["verdict"]
    assert verdict["exit_code"] == result.code and verdict["pass"] == (result.code == 0), result
    assert bool(verdict["reasons"]) or result.code == 0, result
    if result.report["changes"]:
        agrees(result.report)
    return result


def agrees(report):
    """Before is what is gone and what stayed; after is what stayed and what is new."""
    changes = report["changes"]
    for part, gone, stayed, new in (("findings", ["fixed"], ["unchanged"], ["new"]),
                                    ("secrets", ["fixed"], ["unchanged"], ["new"]),
                                    ("packages", ["removed"], ["upgraded", "downgraded", "changed", "unchanged"], ["added"])):
        counts = {key: len(value) for key, value in changes[part].items()}
        both, total = sum(counts[key] for key in stayed), changes["totals"][part]
        assert total["before"] == both + counts[gone[0]] and total["after"] == both + counts[new[0]], (part, counts, total)
    for number in changes["totals"].values():
        before, after, percent = number["before"], number["after"], number["percent"]
        assert percent is None if before == 0 and after else abs(percent - 100 * (after - before) / (before or 1)) <= 0.051, number


# -- reports made by hand -------------------------------------------------------------------------------

def component(text):
    """Of "pypi/name@1.0" or "deb/name@1:2.0-1 arch"."""
    text, _, arch = text.partition(" ")
    kind, _, rest = text.partition("/")
    name, _, version = rest.rpartition("@")
    purl = f"pkg:{kind}/{name}@{version}" + (f"?arch={arch}" if arch else "")
    return {"ref": purl, "type": kind, "name": name, "version": version, "architecture": arch or None, "purl": purl,
            "layer": 0, "locations": ["x"], "source": None, "installer": None, "direct_url": None, "contains": []}


def finding(text, **more):
    """Of "CVE-1=GHSA-1 HIGH pypi/name@1.0 1.2", the fix may be left out."""
    ids, severity, package, *fixed = text.split()
    ident, *aliases = ids.split("=")
    part = component(package)
    return {"id": ident, "aliases": aliases, "severity": severity, "score": None, "vector": None, "severity_source": None,
            "component": part["ref"], "name": part["name"], "installed": part["version"], "fixed": fixed,
            "status": "fixed" if fixed else "affected", "layer": 0, "instruction": None, "base": None, "sources": [{"ecosystem": "PyPI", "id": ident}],
            "epss": None, "epss_percentile": None, "kev": False, **more}


def secret(fingerprint, *others, severity="HIGH"):
    place = {"path": f"srv/{fingerprint}", "line": 1, "column": 1, "cell": None, "variable": None, "layer": 0,
             "instruction": None, "base": None, "deleted": False, "deleted_in": None}
    return {"rule": "r", "severity": severity, "title": "a token", **place, "match": "x*", "fingerprint": fingerprint,
            "fingerprints": [fingerprint, *others], "more_in_file": 0, "advice": None,
            "places": [{**place, "reason": None}], "more_places": 0}


def old_secret(fingerprint):
    """As the first reports had it, which had each place by itself."""
    return {key: value for key, value in secret(fingerprint).items()
            if key not in ("variable", "base", "fingerprints", "places", "more_places")}


def report(packages=(), findings=(), *, secrets=(), suppressed=(), size=1000, created="2026-01-02T03:04:05Z", **more):
    """A whole report; packages of findings need not be named again."""
    findings = [f if isinstance(f, dict) else finding(f) for f in findings]
    parts = {p["ref"]: p for p in map(component, packages)}
    for one in [*findings, *(s for s in suppressed if "component" in s)]:
        parts.setdefault(one["component"], component(one["component"].removeprefix("pkg:")))
    return {
        "schema_version": "1.1.0", "scanners": ["vuln", "secret"],
        "image": {"name": "app:1", "tags": [], "digest": None, "config_digest": None, "platform": "linux/amd64",
                  "created": created, "base_name": None, "base_digest": None,
                  "os": {"id": "debian", "version_id": "12", "name": "Debian 12", "end_of_life": None},
                  "layers": [{"index": 0, "digest": None, "diff_id": None, "size": size, "instruction": None, "base": None}]},
        "components": list(parts.values()), "findings": findings, "secrets": list(secrets), "misconfigurations": [],
        "suppressed": list(suppressed), "exceptions": [], "unjudged": [], "errors": [],
        "verdict": {"pass": True, "exit_code": 0, "complete": True, "reasons": []},
        "store": {"built": "2026-01-01T00:00:00Z", "age_days": 0, "starter": False, "ecosystems": {}}, **more}


@pytest.fixture
def save(tmp_path):
    """save(report, …) writes each to a file and gives the paths."""
    def write(*reports):
        paths = []
        for number, one in enumerate(reports):
            paths.append(tmp_path / f"{number}.json")
            paths[-1].write_text(one if isinstance(one, str) else json.dumps(one))
        return paths
    return write


def test_the_reports_made_by_hand_are_like_plimsolls():
    schema = json.loads(scanner.SCHEMA.read_text())
    made = report(["deb/a@1 amd64"], ["CVE-1 HIGH pypi/b@1 2"], secrets=[secret("f")])
    problems = list(jsonschema.Draft202012Validator(schema).iter_errors(made))
    assert not problems, problems


# -- packages ---------------------------------------------------------------------------------------------

# before, after: what became of it, as "how name before>after"
PACKAGES = [
    ("pypi/a@1.0", "pypi/a@1.0", "unchanged a 1.0>1.0"),
    ("pypi/a@1.0", "", "removed a 1.0>"),
    ("", "pypi/a@1.0", "added a >1.0"),
    ("pypi/a@1.9", "pypi/a@1.10", "upgraded a 1.9>1.10"),
    ("pypi/a@1.10", "pypi/a@1.9", "downgraded a 1.10>1.9"),
    ("pypi/a@2.0rc1", "pypi/a@2.0", "upgraded a 2.0rc1>2.0"),
    ("pypi/a@1.0", "pypi/a@1.0.0", "unchanged a 1.0>1.0.0"),
    ("pypi/a@1!1.0", "pypi/a@2.0", "downgraded a 1!1.0>2.0"),
    ("deb/a@1:1.0-1", "deb/a@2.0-1", "downgraded a 1:1.0-1>2.0-1"),
    ("deb/a@1.0~rc1-1", "deb/a@1.0-1", "upgraded a 1.0~rc1-1>1.0-1"),
    ("npm/a@1.2.3", "npm/a@1.10.0", "upgraded a 1.2.3>1.10.0"),
    ("conda/a@1.9", "conda/a@1.10", "upgraded a 1.9>1.10"),
    ("conda/a@1.1.1w", "conda/a@3.0.1", "changed a 1.1.1w>3.0.1"),      # an order that nobody here knows
    ("generic/a@1", "generic/a@2", "changed a 1>2"),
    ("pypi/a@nonsense", "pypi/a@1.0", "changed a nonsense>1.0"),
    ("pypi/a@1.0", "npm/a@1.0", "removed a 1.0>; added a >1.0"),        # another type is another package
    # several of one name: what is identical first, then as little as can be goes down
    ("pypi/a@1.0, pypi/a@2.0", "pypi/a@2.0, pypi/a@3.0", "upgraded a 1.0>3.0; unchanged a 2.0>2.0"),
    ("pypi/a@1.0, pypi/a@2.0", "pypi/a@3.0", "removed a 1.0>; upgraded a 2.0>3.0"),
    ("pypi/a@1.0, pypi/a@5.0", "pypi/a@2.0", "removed a 5.0>; upgraded a 1.0>2.0"),
    ("pypi/a@1.0, pypi/a@5.0", "pypi/a@2.0, pypi/a@6.0", "upgraded a 1.0>2.0; upgraded a 5.0>6.0"),
    ("pypi/a@3.0", "pypi/a@1.0, pypi/a@2.0", "added a >1.0; downgraded a 3.0>2.0"),
    # architectures: the same one first, another rather than none
    ("deb/a@1 amd64", "deb/a@1 arm64", "unchanged a 1>1"),
    ("deb/a@1 amd64, deb/a@1 i386", "deb/a@2 amd64, deb/a@1 i386", "upgraded a 1>2; unchanged a 1>1"),
    ("deb/a@1 amd64", "deb/a@1 i386, deb/a@2 amd64", "added a >1; upgraded a 1>2"),
    ("deb/a@1 amd64, deb/a@1 i386", "deb/a@2 i386, deb/a@3 amd64", "upgraded a 1>2; upgraded a 1>3"),
]


@pytest.mark.parametrize("before,after,expected", PACKAGES)
def test_packages(save, before, after, expected):
    sides = [report([p for p in text.split(", ") if p]) for text in (before, after)]
    result = compare(*save(*sides), code=0)
    found = [f"{how} {p['name']} {p['before'] or ''}>{p['after'] or ''}"
             for how, packages in result.report["changes"]["packages"].items() for p in packages]
    assert sorted(found) == sorted(expected.split("; "))
    # Whatever order they stand in.
    for side in sides:
        side["components"].reverse()
    assert compare(*save(*sides)).report == result.report


# -- findings ---------------------------------------------------------------------------------------------

FINDINGS = [
    # before, after: what became of them, as "how id before>after"
    (["CVE-1 HIGH pypi/a@1.0"], ["CVE-1 HIGH pypi/a@1.0"], ["unchanged CVE-1 1.0>1.0"]),
    (["CVE-1 HIGH pypi/a@1.0"], ["CVE-1 LOW pypi/a@1.5 2.0"], ["unchanged CVE-1 1.0>1.5"]),
    (["CVE-1=GHSA-1 HIGH pypi/a@1.0"], ["GHSA-1 HIGH pypi/a@1.0"], ["unchanged GHSA-1 1.0>1.0"]),
    (["GHSA-1 HIGH pypi/a@1.0"], ["CVE-1=X-1=GHSA-1 HIGH pypi/a@1.0"], ["unchanged CVE-1 1.0>1.0"]),
    (["CVE-1=GHSA-1 HIGH pypi/a@1.0"], ["CVE-2=GHSA-1 HIGH pypi/a@1.0"], ["unchanged CVE-2 1.0>1.0"]),
    (["CVE-1 HIGH pypi/a@1.0"], ["CVE-1 HIGH pypi/b@1.0"], ["fixed CVE-1 1.0>", "new CVE-1 >1.0"]),
    (["CVE-1 HIGH pypi/a@1.0"], ["CVE-1 HIGH npm/a@1.0"], ["fixed CVE-1 1.0>", "new CVE-1 >1.0"]),
    (["CVE-1 HIGH pypi/a@1.0"], ["CVE-2 HIGH pypi/a@1.0"], ["fixed CVE-1 1.0>1.0", "new CVE-2 1.0>1.0"]),
    # each copy of a package counts; what is identical pairs first
    (["CVE-1 HIGH pypi/a@1.0", "CVE-1 HIGH pypi/a@2.0"], ["CVE-1 HIGH pypi/a@2.0"],
     ["fixed CVE-1 1.0>", "unchanged CVE-1 2.0>2.0"]),
    (["CVE-1 HIGH pypi/a@1.0"], ["CVE-1 HIGH pypi/a@1.0", "CVE-1 HIGH pypi/a@2.0"],
     ["new CVE-1 >2.0", "unchanged CVE-1 1.0>1.0"]),
]


@pytest.mark.parametrize("before,after,expected", FINDINGS)
def test_findings(save, before, after, expected):
    result = compare(*save(report(findings=before), report(findings=after)), code=0)
    found = [f"{how} {f['id']} {f['before'] or ''}>{f['after'] or ''}"
             for how, findings in result.report["changes"]["findings"].items() for f in findings]
    assert sorted(found) == sorted(expected)


def test_what_fixed_a_finding(save):
    """Gone with its package, or by an upgrade of it."""
    before = report(findings=["CVE-1 HIGH pypi/a@1.0 2.0", "CVE-2 HIGH pypi/b@1.0"])
    told = {f["id"]: f["after"] for f in compare(*save(before, report(["pypi/a@2.0"]))).report["changes"]["findings"]["fixed"]}
    assert told == {"CVE-1": "2.0", "CVE-2": None}


@pytest.mark.parametrize("before, after, expected", [
    ([secret("a"), secret("b"), secret("b")], [secret("b"), secret("c")], (["c"], ["a"], ["b"])),
    ([old_secret("a"), old_secret("b"), old_secret("b")], [secret("b"), secret("c")], (["c"], ["a"], ["b"])),
    # Another rule is the surest now: the value is the same.
    ([secret("a", "b")], [secret("b")], ([], [], ["b"])),
    ([secret("a")], [secret("b", "a")], ([], [], ["b"])),
    ([secret("a", "x")], [secret("b", "x")], ([], [], ["b"])),
    ([old_secret("a"), old_secret("b"), old_secret("c")], [secret("a", "b")], ([], ["c"], ["a"])),
])
def test_secrets_by_fingerprint(save, before, after, expected):
    result = compare(*save(report(secrets=before), report(secrets=after)))
    told = {how: [s["fingerprint"] for s in found] for how, found in result.report["changes"]["secrets"].items()}
    assert told == dict(zip(("new", "fixed", "unchanged"), expected))


@pytest.mark.parametrize("known", [secret("a"), old_secret("a"), secret("x", "a"), secret("b")])
def test_a_baseline_knows_any_fingerprint(save, known):
    """Whichever rule is the surest, now or then."""
    paths = save(report(), report(secrets=[secret("b", "a")]), report(secrets=[known]))
    assert compare(*paths[:2], "--max-new", "high", code=1).report["changes"]["totals"]["secrets"]["after"] == 1
    told = compare(*paths[:2], "--max-new", "high", "--secret-baseline", paths[2], code=0)
    assert told.report["changes"]["totals"]["secrets"]["after"] == 0


def test_origins(save):
    """Which findings came from the base image, where it is known."""
    side = report(findings=["CVE-1 HIGH pypi/a@1", dict(finding("CVE-2 HIGH pypi/b@1"), layer=1)])
    side["image"]["layers"] = [{**side["image"]["layers"][0], "index": i, "base": i == 0} for i in range(2)]
    result = compare(*save(side, side), code=0)
    assert [(s["findings"]["in_base"], s["findings"]["in_own_layers"]) for s in result.report["sides"]] == [(1, 1)] * 2
    assert [(f["id"], f["base"]) for f in result.report["changes"]["findings"]["unchanged"]] == [("CVE-1", True), ("CVE-2", False)]
    told = scanner.run("compare", *save(side, side)).stdout
    assert "from the base image" in told and "own layers" in told


# -- gates --------------------------------------------------------------------------------------------------

HIGH = "CVE-1 HIGH pypi/a@1 2"
OTHERS = ["CVE-2 CRITICAL pypi/b@1 2", "CVE-3 LOW pypi/c@1", "CVE-4 UNKNOWN pypi/d@1"]
GATES = [  # before, after, arguments, exit code
    ([HIGH], [HIGH], ["--max-new", "low"], 0),
    ([], [HIGH], [], 0),
    ([], [HIGH], ["--max-new", "high"], 1),
    ([], [HIGH], ["--max-new", "HIGH=1"], 0),
    ([], [HIGH], ["--max-new", "critical"], 0),
    ([], [HIGH, *OTHERS], ["--max-new", "medium=1"], 1),
    ([], [HIGH, *OTHERS], ["--max-new", "medium=2"], 0),
    ([], [HIGH, *OTHERS], ["--max-new", "negligible=3"], 0),  # UNKNOWN is of no severity that a gate stops at
    ([], [HIGH, *OTHERS], ["--max-new", "high", "--severity", "LOW"], 0),
    ([], OTHERS[1:2], ["--max-new", "low", "--ignore-unfixed"], 0),
    ([HIGH, *OTHERS], [HIGH, OTHERS[0]], ["--min-reduction", "50"], 0),
    ([HIGH, *OTHERS], [HIGH, OTHERS[0]], ["--min-reduction", "51"], 1),
    ([HIGH, *OTHERS], [HIGH, OTHERS[0]], ["--min-reduction", "50%"], 0),
    ([HIGH], [], ["--min-reduction", "100"], 0),
    ([HIGH], [HIGH], ["--min-reduction", "0"], 0),
    ([HIGH], [HIGH, OTHERS[0]], ["--min-reduction", "0"], 1),
    ([], [], ["--min-reduction", "100"], 0),
    ([], [HIGH], ["--min-reduction", "0"], 1),
    ([HIGH, *OTHERS], [HIGH, OTHERS[0]], ["--min-reduction", "50", "--severity", "HIGH"], 1),
    ([HIGH, OTHERS[1]], [OTHERS[0]], ["--min-reduction", "50", "--max-new", "high"], 1),
]


@pytest.mark.parametrize("before,after,args,code", GATES)
def test_gates(save, before, after, args, code):
    compare(*save(report(findings=before), report(findings=after)), *args, code=code)


def test_a_new_secret_closes_the_gate(save):
    paths = save(report(), report(secrets=[secret("a")]))
    assert compare(*paths, "--max-new", "high").code == 1
    assert compare(*paths, "--max-new", "high=1").code == 0
    assert compare(*paths, "--max-new", "critical").code == 0
    assert compare(*paths, "--max-new", "low", "--scanners", "vuln").code == 0


UNJUDGED = [{"what": "ubuntu 22.04", "components": 2, "reason": "no advisories"}]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("gate", [["--max-new", "high"], ["--min-reduction", "50"]])
def test_what_was_not_judged_passes_no_gate(save, gate, which):
    sides = [report(findings=[HIGH]), report()]
    sides[which]["unjudged"] = UNJUDGED
    paths = save(*sides)
    assert compare(*paths).code == 0
    assert "2 components of ubuntu 22.04" in " ".join(compare(*paths, *gate, code=3).report["verdict"]["reasons"])
    assert compare(*paths, *gate, "--allow-unjudged").code == 0
    assert "NOT JUDGED" in scanner.run("compare", *paths).stdout


WRONG = [(["a.json"], "compare"), ([], "compare"), (["a", "b", "--max-new", "worst"], "worst"), (["a", "b", "--max-new", "high=x"], "high=x"),
         (["a", "b", "--max-new", "unknown"], "unknown"), (["a", "b", "--min-reduction", "101"], "101"),
         (["a", "b", "--min-reduction", "x"], "--min-reduction"), (["a", "b", "c", "--max-new", "high"], "two"),
         (["a", "b", "-f", "sarif"], "sarif"), (["a", "b", "-f", "json", "-f", "html"], "same place"), (["a", "b", "-f", "json="], "json="),
         (["a", "b", "--exit-code", "1"], "--exit-code"), (["a", "b", "--fail-on", "high"], "--fail-on")]


@pytest.mark.parametrize("args,named", WRONG)
def test_wrong_usage(tmp_path, args, named):
    result = scanner.run("compare", *args, cwd=tmp_path)
    assert result.code == 2 and named in result.stderr and not result.stdout, result


# -- images, and their saved reports ------------------------------------------------------------------------

@pytest.fixture(scope="module")
def images(tmp_path_factory, store):
    """Two images and their reports: {"a.tar", "b.tar", "a.json", "b.json"}, and c, of nothing but a Debian."""
    folder = tmp_path_factory.mktemp("compare")
    token = file("srv/token.env", "HF_TOKEN=" + secretkit.token("huggingface-token") + "\n")
    layers = {
        "a": [[*ev.base(), *ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("medium-unfixed", "1.0")],
              [*ev.dist_info("high-fixed", "1.0"), *ev.dist_info("gone", "1.0"), token, file("srv/odd\x1b[31m\x80", "x")]],
        "b": [[*ev.base(), *ev.dist_info("crit-fixed", "2.0"), *ev.dist_info("high-fixed", "1.5")],
              [*ev.dist_info("low-fixed", "1.0"), *ev.dist_info("medium-unfixed", "0.9")]],
        "c": [ev.base()],
    }
    made = {}
    for name, parts in layers.items():
        made[f"{name}.tar"] = imagekit.write_archive(folder / f"{name}.tar", imagekit.files_docker_old(imagekit.image_of(*parts, compression="gzip")))
        made[f"{name}.json"] = folder / f"{name}.json"
        done = scanner.run("image", "--input", made[f"{name}.tar"], "--db", store, "-f", f"json={made[f'{name}.json']}")
        assert done.code == 0, done
    return made


def without_names(report):
    """What does not depend on how a side was given."""
    kept = copy.deepcopy(report)
    for side in kept["sides"]:
        for key in ("name", "kind", "image"):
            side.pop(key)
    kept["notes"] = [note.partition(": ")[2] for note in kept["notes"]]
    return kept


@pytest.mark.parametrize("args", [[], ["--severity", "HIGH,CRITICAL"], ["--ignore-unfixed"], ["--max-new", "low"], ["--min-reduction", "50"],
                                  ["--scanners", "secret"], ["--scanners", "vuln"]], ids=" ".join)
def test_saved_reports_give_what_images_give(images, store, args):
    names = [("a.tar", "b.tar"), ("a.json", "b.json"), ("a.json", "b.tar")]
    results = [compare(*(images[n] for n in pair), *args, db=store) for pair in names]
    assert len({r.code for r in results}) == 1
    for other in results[1:]:
        assert without_names(other.report) == without_names(results[0].report)


def test_images(images, store):
    result = compare(images["a.tar"], images["b.tar"], db=store, code=0)
    changes = result.report["changes"]
    assert {f["id"] for f in changes["findings"]["fixed"]} == {"CVE-2024-0001"}
    assert {f["id"] for f in changes["findings"]["new"]} == {"CVE-2024-0004"}
    assert {(f["id"], f["before"], f["after"]) for f in changes["findings"]["unchanged"]} == {
        ("CVE-2024-0002", "1.0", "1.5"), ("CVE-2024-0013", "1.0", "0.9")}
    assert [s["path"] for s in changes["secrets"]["fixed"]] == ["srv/token.env"]
    sides = result.report["sides"]
    assert [s["layers"] for s in sides] == [2, 2] and all(s["created"] == imagekit.CREATED[:10] for s in sides)
    assert sides[0]["size"] == sum(layer["size"] for layer in json.loads(images["a.json"].read_text())["image"]["layers"])


@pytest.mark.parametrize("kept", [["--severity", "CRITICAL"], ["--ignore-unfixed"]], ids=" ".join)
def test_filters_are_those_of_the_comparison(images, store, tmp_path, kept):
    """A report that was saved with filters is no smaller than the image."""
    saved = tmp_path / "filtered.json"
    assert scanner.run("image", "--input", images["a.tar"], "--db", store, "-f", f"json={saved}", *kept).code == 0
    assert json.loads(saved.read_text())["suppressed"]
    for args in ([], ["--severity", "HIGH"]):
        result = compare(images["a.tar"], saved, *args, db=store, code=0)
        assert result.report["changes"]["totals"]["findings"]["percent"] == 0
        assert not result.report["changes"]["findings"]["new"] and not result.report["changes"]["findings"]["fixed"]


def test_what_is_suppressed_does_not_count(save):
    one = {**finding("CVE-9 CRITICAL pypi/z@1"), "reason": "not reachable", "by": ".plimsollignore.yaml", "until": None}
    result = compare(*save(report(), report(suppressed=[one])), "--max-new", "low", code=0)
    assert result.report["sides"][1]["suppressed"] == 1
    assert any("1 more is suppressed" in note for note in result.report["notes"])


def test_a_baseline_of_secrets(images, store):
    """What is known already counts on neither side, saved or not."""
    for side in ("a.tar", "a.json"):
        result = compare(images["c.json"], images[side], "--secret-baseline", images["a.json"], "--max-new", "critical=1", db=store, code=0)
        assert result.report["changes"]["totals"]["secrets"]["after"] == 0 and result.report["sides"][1]["suppressed"] == 1


def test_notes_on_what_makes_numbers_differ(save):
    other = report()
    other["store"]["built"], other["image"]["platform"] = "2026-05-01T00:00:00Z", "linux/arm64"
    notes = " ".join(compare(*save(report(), other)).report["notes"])
    assert "different dates" in notes and "different platforms" in notes


# -- what is not to be trusted --------------------------------------------------------------------------------

def test_an_image_that_is_not_there(images, store, tmp_path):
    for pair in ([images["a.tar"], tmp_path / "no.tar"], [tmp_path / "no.tar", images["a.tar"]]):
        result = compare(*pair, "--min-reduction", "0", "--max-new", "critical=99", db=store, code=3)
        assert "no.tar" in result.stderr and result.report["changes"] is None
        told = scanner.run("compare", *pair, "--db", store)
        assert "do not rely on it" in " ".join(told.stdout.split()) and "-100" not in told.stdout, told


def test_a_broken_layer(store, images, tmp_path):
    files = imagekit.files_docker_old(imagekit.image_of(ev.base(), [file("x", os.urandom(3000))], compression="gzip"))
    last = [name for name in files if name.endswith("layer.tar")][-1]
    files[last] = files[last][:1000]
    cut = imagekit.write_archive(tmp_path / "cut.tar", files)
    compare(images["a.tar"], cut, "--min-reduction", "50", db=store, code=3)
    saved = tmp_path / "cut.json"
    assert scanner.run("image", "--input", cut, "--db", store, "-f", f"json={saved}").code == 3
    result = compare(images["a.json"], saved, "--min-reduction", "50", code=3)
    assert "cut.json" in result.stderr and "layer 1" in result.stderr


def test_a_report_that_did_not_look(save):
    """Nothing found where nothing was looked for is no reduction."""
    for scanners, args in ((["secret"], []), (["vuln"], []), ([], ["--scanners", "vuln"])):
        result = compare(*save(report(findings=[HIGH]), report(scanners=scanners)), *args, "--min-reduction", "50", code=3)
        assert "without looking for" in result.stderr
    assert compare(*save(report(), report(scanners=["vuln"])), "--scanners", "vuln").code == 0
    assert compare(*save(report(), report(store=None)), code=3)
    first = report()  # as the first version wrote it
    del first["scanners"], first["image"]["created"]
    assert compare(*save(report(), first)).code == 0


def places(value, path=()):
    """All places in a report but those that are not read."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


NOT_READ = {"score", "vector", "severity_source", "name", "installed", "status", "instruction", "sources", "epss", "epss_percentile",
            "purl", "layer", "locations", "source", "installer", "direct_url", "contains", "tags", "config_digest", "base_name", "base_digest",
            "id", "version_id", "index", "diff_id", "line", "column", "cell", "deleted", "deleted_in", "match", "more_in_file", "advice",
            "misconfigurations", "exceptions", "scanners", "created", "pass", "exit_code", "reasons", "age_days", "starter", "ecosystems", "ecosystem", "until", "reason",
            "by", "where", "path", "digest", "variable", "more_places"}
READ_ALL_THE_SAME = {("image", "name"), ("components", 0, "name"), ("findings", 0, "id"), ("findings", 0, "layer"), ("secrets", 0, "path"),
                     ("unjudged", 0, "reason"), ("image", "digest"), ("image", "os", "name")}


def damage(report, path, value):
    """A copy with something else (or, for ..., nothing) at that place."""
    damaged = copy.deepcopy(report)
    at = damaged
    for part in path[:-1]:
        at = at[part]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return damaged


def test_damaged_reports(save):
    """Whatever is missing or of another kind is said; nothing of it looks like an image without findings."""
    whole = report(["deb/a@1 amd64"], [HIGH], secrets=[secret("f")], unjudged=UNJUDGED)
    assert compare(*save(whole, whole)).code == 0
    wrong, tried = [], 0
    for path in places(whole):
        if path[-1] in NOT_READ and path not in READ_ALL_THE_SAME or path[0:3:2] in (("findings", "base"), ("secrets", "base")):
            continue
        if "places" in path:
            continue
        for value in (..., 17.5):
            if path[0] in ("schema_version", "verdict") and len(path) == 1 and value is ...:
                continue  # then it is no report at all
            if path[-1] == "fingerprints" and value is ...:
                continue  # the first reports did not have them
            tried += 1
            result = compare(*save(whole, damage(whole, path, value)))
            if result.code != 3 or "not whole" not in result.stderr or str(path[-1]) not in result.stderr:
                wrong.append((path, value, result))
    assert tried > 50 and not wrong, wrong


CONTENTS = {
    "cut": (lambda text: text[:len(text) // 2], "not valid JSON"),
    "empty object": (lambda text: "{}", "nor a report of plimsoll"),
    "another's": (lambda text: '{"Results": []}', "nor a report of plimsoll"),
    "a key twice": (lambda text: text.replace('"findings"', '"findings": [], "findings"', 1), "duplicate"),
    "deep": (lambda text: '{"a":' * 100 + "1" + "}" * 100, "nested"),
    "a later form": (lambda text: text.replace('"schema_version": "1.1.0"', '"schema_version": "2.0.0"'), "2.0.0"),
    "a component twice": (lambda text: text.replace('"components": [', '"components": [' + json.dumps(component("pypi/a@1")) + ","), "ref"),
    "a finding of nothing": (lambda text: text.replace('"component": "pkg:pypi/a@1"', '"component": "pkg:pypi/q@1"'), "component"),
    "a layer that is not there": (lambda text: text.replace('"kev": false', '"kev": false, "more": 1').replace('"layer": 0, "instruction"', '"layer": 7, "instruction"'), "layer"),
    "a severity that is none": (lambda text: text.replace('"HIGH"', '"HIHG"'), "severity"),
    "complete, with errors": (lambda text: text.replace('"errors": []', '"errors": [{"where": "image", "layer": null, "path": null, "message": "m"}]'), "complete"),
    "sizes beyond counting": (lambda text: text.replace('"size": 1000', '"size": 9223372036854775808'), "JSON"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_report(save, kind):
    make, said = CONTENTS[kind]
    result = compare(*save(report(), make(json.dumps(report(findings=[HIGH])))), "--max-new", "low", code=3)
    assert said in result.stderr and "1.json" in result.stderr, result


def test_a_comparison_is_no_report(images, store, tmp_path):
    out = tmp_path / "comparison.json"
    assert scanner.run("compare", images["a.json"], images["b.json"], "-f", "json", "-o", out).code == 0
    assert compare(images["a.json"], out, code=3)


# -- three and more ------------------------------------------------------------------------------------------

def ranked(save, *sides, args=()):
    result = compare(*save(*sides), *args)
    assert result.report["changes"] is None and sorted(result.report["ranking"]["order"]) == list(range(len(sides)))
    return result.report["ranking"]["order"], result.report["ranking"]["reason"], result


RANKINGS = [  # sides, best first in this order; what the reason names
    ([report(), report(findings=[HIGH]), report(findings=[OTHERS[0]])], "HIGH"),
    ([report(findings=[HIGH, OTHERS[1]]), report(findings=[HIGH, "CVE-9 MEDIUM pypi/m@1"]), report(findings=[OTHERS[0]])], "MEDIUM"),
    ([report(findings=[HIGH]), report(findings=["CVE-1 HIGH pypi/a@1"]), report(findings=[OTHERS[0]])], "no upgrade"),
    ([report(findings=[HIGH]), report(findings=[{**finding(HIGH), "kev": True}]), report(findings=[OTHERS[0]])], "exploited"),
    ([report(size=1), report(size=2), report(size=3)], "smaller"),
    ([report(), report(["pypi/a@1"]), report(["pypi/a@1", "pypi/b@1"])], "packages"),
    ([report(created="2026-03-01T00:00:00Z"), report(created="2026-02-01T00:00:00Z"), report(created="1970-01-01T00:00:00Z")], "later"),
    ([report(), report(), report()], "given before"),
    ([report(findings=OTHERS[:1]), report(unjudged=UNJUDGED), report(errors=[{"where": "image", "layer": None, "path": None, "message": "m"}],
                                                                     verdict={"pass": False, "exit_code": 3, "complete": False, "reasons": []})], "judged"),
]


@pytest.mark.parametrize("sides,named", RANKINGS, ids=[named for _, named in RANKINGS])
def test_ranking(save, sides, named):
    order, reason, result = ranked(save, *sides)
    assert order == [0, 1, 2] and named in reason, (order, reason)
    assert result.code == (3 if any(side["errors"] for side in sides) else 0)
    if named != "given before":
        order, again, _ = ranked(save, *reversed(sides))
        assert order == [2, 1, 0] and again == reason


def test_ranking_by_end_of_life(save):
    old, new = report(), report()
    old["image"]["os"]["end_of_life"], new["image"]["os"]["end_of_life"] = "2020-01-01", "2999-01-01"
    order, reason, result = ranked(save, old, old, new)
    assert order == [2, 0, 1] and "updates" in reason
    assert [s["is_end_of_life"] for s in result.report["sides"]] == [True, True, False]
    epoch = {"SOURCE_DATE_EPOCH": "1500000000"}  # 2017
    assert not any(s["is_end_of_life"] for s in compare(*save(old, old, new), env=epoch).report["sides"])


def test_ranking_of_images(images, store):
    told = scanner.run("compare", images["a.tar"], images["b.json"], images["c.tar"], "--db", store)
    assert told.code == 0, told
    assert re.findall(r"(?m)^ +(\d) +\S+/(\w)\.", told.stdout) == [("1", "c"), ("2", "b"), ("3", "a")]
    assert "c.tar: it has fewer HIGH findings than the next (0 against 1)" in told.stdout


# -- forms -----------------------------------------------------------------------------------------------------

FORMATS = ["table", "json", "markdown", "html"]
ODD = ["<script>alert(1)</script>", "a|b`c``d", "new\nline", "\x1b[31mred\x07", "\u202eevil", "\"quoted\" 'too' &amp;", "@octocat #1 [x](http://y)",
       "](javascript:alert(1))", "www.example.org", "</style></title>", "日本語", "\ufffd", "x" * 3000]


def hostile():
    sides = []
    for version in ("1.0", "2.0"):
        side = report()
        for number, odd in enumerate(ODD):
            part = {**component(f"pypi/p{number}@{version}"), "name": odd, "version": version + odd}
            side["components"].append(part)
            side["findings"].append({**finding(f"CVE-{number}-{version} HIGH pypi/p{number}@{version}"), "id": f"CVE-{number}-{version}{odd}", "fixed": [odd]})
            side["secrets"].append({**secret(f"{number} {version}"), "title": odd, "path": odd})
        side["image"]["name"], side["image"]["os"]["name"] = ODD[0] + ODD[2], ODD[3] + ODD[6]
        side["unjudged"] = [{"what": odd, "components": 1, "reason": odd} for odd in ODD]
        sides.append(side)
    return sides


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("sides", [2, 3])
@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names(save, form, sides):
    made = hostile()
    result = scanner.run("compare", *save(*made, made[0])[:sides], "-f", form)
    assert result.code == 0, result
    text = result.out.decode("utf-8")  # valid, whatever the names are
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    if form == "html":
        page = Page()
        page.feed(text)
        assert page.tags <= {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "strong", "ul", "li", "div", "table",
                             "thead", "tbody", "tr", "th", "td", "details", "summary", "footer"}
        assert page.attributes <= {"lang", "charset", "name", "content", "http-equiv", "class", "scope"}
        assert sides == 3 or any("<script>alert(1)</script>" in part for part in page.text)
        assert "prefers-color-scheme: dark" in text and "http" not in text.replace("http-equiv", "").replace("http://y", "")
    if form == "markdown":
        bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)  # what stands in no code span
        assert "<script" not in bare.replace("\\<script", "") and not re.search(r"@octocat|(?<!\\)\]\(", bare), bare
        assert not re.search(r"(?<!\\)://|(?i:www)(?<!\\)\.", bare), "GitHub makes links of these"
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 4 + (sides == 2)
    if form == "json":
        jsonschema.validate(json.loads(text), json.loads(SCHEMA.read_text()))


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_again(images, store, form):
    runs = [scanner.run("compare", images["a.tar"], images["b.tar"], "--db", store, "-f", form).out for _ in range(2)]
    assert runs[0] == runs[1] and runs[0].endswith(b"\n")


def test_several_forms_at_once(save, tmp_path):
    paths, page, note = save(report(), report(findings=[HIGH])), tmp_path / "x.html", tmp_path / "x.md"
    result = scanner.run("compare", *paths, "-f", f"html={page}", "-f", f"markdown={note}", "-f", "json", "--max-new", "high")
    assert result.code == 1 and json.loads(result.out)["verdict"]["exit_code"] == 1
    assert "Does not pass" in page.read_text() and "**Does not pass" in note.read_text()
    assert json.loads(scanner.run("compare", *paths, "-o", "json").out)  # Grype's way
    out = tmp_path / "out.txt"
    assert scanner.run("compare", *paths, "-o", out).stdout == "" and "New findings (1)" in out.read_text()


def test_long_lists_are_cut_for_people_only(save, tmp_path):
    paths = save(report(), report(findings=[f"CVE-{n} HIGH pypi/a{n}@1" for n in range(90)]))
    for form, all_of_them in (("table", False), ("markdown", False), ("html", True), ("json", True)):
        text = scanner.run("compare", *paths, "-f", form).stdout
        assert (len(set(re.findall(r"CVE-\d+\b", text))) == 90) == all_of_them, form
        assert all_of_them or "and 50 more" in text


def test_many_findings(save):
    """20,000 on each side, in little time: pairing does not take the square of it."""
    sides = [report(findings=[f"CVE-{n + shift} HIGH pypi/a{(n + shift) % 500}@{1 + shift}" for n in range(20000)]) for shift in (0, 100)]
    done = scanner.run("compare", *save(*sides), "-f", "json", timeout=20 if scanner.sanitized() else 5)
    changes = json.loads(done.out)["changes"]["findings"]
    assert [len(changes[how]) for how in ("new", "fixed", "unchanged")] == [100, 100, 19900]


# -- a real pair -----------------------------------------------------------------------------------------------

@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(realimage.cannot() is not None, reason=f"no real image: {realimage.cannot()}")
@pytest.mark.skipif(bool(os.environ.get("PLIMSOLL_SANITIZED")), reason="the plain build shows it")
def test_real_pair():
    """The fourth thing that the project must show of reports: from a fat Python base to a slim one."""
    fat, slim = realimage.made() / "image.tar", slimimage.made()
    starter = pathlib.Path(scanner.binary()).parent / "starter.db"
    gates = ["--min-reduction", "50", "--max-new", "high", "--scanners", "vuln"]
    result = compare(fat, slim, *gates, db=starter, code=0)
    changes = result.report["changes"]
    totals = changes["totals"]
    assert totals["findings"]["before"] > 200 and totals["findings"]["percent"] <= -50
    assert totals["CRITICAL"]["after"] < totals["CRITICAL"]["before"] and totals["size"]["percent"] < -30
    assert {"python3-pip", "openssl"} <= {p["name"] for p in changes["packages"]["removed"]}
    assert ("jinja2", "3.0.0") in {(p["name"], p["before"]) for p in changes["packages"]["upgraded"]}
    assert totals["packages"]["after"] == changes["totals"]["packages"]["before"] - len(changes["packages"]["removed"]) + len(changes["packages"]["added"])
    # The other way round nothing passes, and 99% is more than it is.
    compare(slim, fat, *gates, db=starter, code=1)
    compare(fat, slim, "--min-reduction", "99", "--scanners", "vuln", db=starter, code=1)


@pytest.mark.parametrize("form", ["cyclonedx", "cyclonedx-xml", "spdx", "spdx-tag-value", "spdx3"])
def test_an_sbom_is_a_side(tmp_path, store, form):
    """The image's own SBOM beside it: nothing has changed, and that of another shows what has."""
    def image(name, *packages):
        layers = [ev.base(), [e for p in packages for e in ev.dist_info(p, "1.0")]]
        return imagekit.write_archive(tmp_path / name, imagekit.files_docker_old(imagekit.image_of(*layers)))
    old, new = image("old.tar", "crit-fixed", "low-fixed"), image("new.tar", "low-fixed")
    sbom = tmp_path / f"old.{form}"
    assert scanner.run("sbom", old, "-f", f"{form}={sbom}").code == 0
    same = scanner.run("compare", old, sbom, "--db", store, "--max-new", "low", "-f", "json")
    assert same.code == 0, same
    less = json.loads(scanner.run("compare", sbom, new, "--db", store, "-f", "json").stdout)
    found = less["changes"]["findings"]
    assert [f["id"] for f in found["fixed"]] == ["CVE-2024-0001"] and not found["new"], found
