"""The JSON report's schema: valid, strict, the promised keys in it, and what the program really writes."""

import copy
import functools
import json
import re

import jsonschema
import pytest

import evidence as ev
import imagekit
import scanner
import secretkit
from tarkit import file, whiteout

# What tools outside the project rely on: keys that stand in the report from the first version on.
PROMISED = {
    "": "schema_version image components findings secrets misconfigurations suppressed errors verdict store",
    "image": "name digest platform os layers",
    "image.os": "id version_id name end_of_life",
    "image.layers[]": "index digest diff_id size instruction base",
    "components[]": "ref type name version purl layer locations source",
    "components[].source": "name version",
    "findings[]": "id aliases severity score vector component name installed fixed status layer instruction base "
                  "sources epss kev",
    "secrets[]": "rule severity title path line column variable layer instruction deleted match fingerprint places",
    "misconfigurations[]": "id severity title path line layer resolution",
    "suppressed[]": "id aliases severity score vector component name installed fixed status layer instruction base "
                    "sources epss kev reason by until",
    "errors[]": "where layer path message",
    "verdict": "pass exit_code reasons",
    "store": "built age_days ecosystems",
}
SEVERITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "NEGLIGIBLE", "UNKNOWN"]
STATUSES = ["affected", "fixed", "not_affected", "will_not_fix", "fix_deferred", "end_of_life",
            "under_investigation", "unknown"]


@functools.cache
def schema():
    return json.loads(scanner.SCHEMA.read_text())


def validator():
    return jsonschema.Draft202012Validator(schema())


def resolve(node):
    """What a node of the schema stands for: references followed, the object of "an object or null"."""
    while "$ref" in node or "anyOf" in node or "oneOf" in node:
        if "oneOf" in node:  # findings and secrets among what is suppressed
            node = node["oneOf"][0]
            continue
        if "anyOf" in node:
            node = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
            continue
        at = schema()
        for part in node["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        node = at
    return node


def at_place(place):
    """The part of the schema for "image.layers[]"."""
    node = schema()
    for part in filter(None, place.split(".")):
        node = resolve(resolve(node)["properties"][part.removesuffix("[]")])
        if part.endswith("[]"):
            node = node["items"]
    return resolve(node)


def objects(node, path="$"):
    """Every part of the schema that describes an object."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from objects(item, f"{path}[{number}]")
    elif isinstance(node, dict):
        if node.get("type") == "object":
            yield path, node
        for key, value in node.items():
            yield from objects(value, f"{path}.{key}")


def keys_of(value, place=""):
    """{place: keys} of a report; of a list's items all together."""
    found = {}
    if isinstance(value, dict):
        found[place] = set(value)
        for key, inner in value.items():
            if place == "store" and key == "ecosystems":
                inner = list(inner.values())
            for where, keys in keys_of(inner, f"{place}.{key}".lstrip(".")).items():
                found.setdefault(where, set()).update(keys)
    elif isinstance(value, list):
        for item in value:
            for where, keys in keys_of(item, place + "[]").items():
                found.setdefault(where, set()).update(keys)
    return found


def test_schema_is_valid():
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema())


def test_schema_is_strict():
    """No object allows for keys that it does not name, and none may be missing but the statistics."""
    for path, node in objects(schema()):
        more = node.get("additionalProperties")
        if path.endswith(".ecosystems"):  # its keys are names of ecosystems
            assert isinstance(more, dict), path
            continue
        assert more is False, f"{path} allows for more keys"
        optional = {"stats"} if path == "$" else set()
        assert set(node["properties"]) - set(node["required"]) == optional, path


@pytest.mark.parametrize("place", PROMISED)
def test_promised_keys(place):
    missing = set(PROMISED[place].split()) - set(at_place(place)["properties"])
    assert not missing, f"{place or 'the report'} lacks {missing}"


def test_promised_values():
    for place in ("findings[]", "suppressed[]", "secrets[]", "misconfigurations[]"):
        assert resolve(at_place(place)["properties"]["severity"])["enum"] == SEVERITIES
    assert at_place("findings[]")["properties"]["status"]["enum"] == STATUSES


def test_promise_is_the_shared_one():
    """Where the page that promises them lies beside the repository: every key in it is in the schema."""
    page = scanner.REPO.parent / "shared" / "report.md"
    if not page.is_file():
        pytest.skip(f"{page} is not there")
    for first, meaning in re.findall(r"(?m)^\| (`.*?) \| (.*) \|$", page.read_text()):
        for name in re.findall(r"`([a-z_.\[\]]+)`", first):
            node = at_place(name)
            shape = re.match(r"`(\{.*?\})`", meaning)
            keys = re.findall(r'"([a-z_]+)"', re.sub(r'"source":\{.*?\}', '"source"', shape[1])) if shape else []
            assert set(keys) <= set(node.get("properties", {})), name


# -- what the program writes ----------------------------------------------------------------------------

LAYERS = [
    [*ev.base(), *ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("gone", "1.0"),
     ev.dpkg(ev.deb("base-files", "12.4+deb12u9"), ev.deb("libssl3", "3.0.11-1~deb12u2", source="openssl"))],
    [*ev.dist_info("high-unfixed", "1.0"), *ev.dist_info("unknown-fixed", "1.0"), *ev.conda_with_files("zlib", "1.3")],
    [whiteout(f"{ev.SITE}/gone-1.0.dist-info"), file("srv/odd\x1b[31m\x80name", "x"),
     file("srv/token.env", "HF_TOKEN=" + secretkit.token("huggingface-token") + "\n"),
     file("srv/allowed.env", "HF_TOKEN=" + secretkit.token("huggingface-token", 1) + "  # plimsoll:allow\n")],
]


@pytest.fixture(scope="module")
def files():
    return imagekit.files_docker_old(imagekit.image_of(*LAYERS))


@pytest.fixture
def image(tmp_path, files):
    return imagekit.write_archive(tmp_path / "image.tar", files)


@pytest.fixture
def cut(tmp_path, files):
    """The same image with a layer that ends too early."""
    cut = dict(files)
    last = [name for name in cut if name.endswith("layer.tar")][-1]
    cut[last] = cut[last][:700]
    return imagekit.write_archive(tmp_path / "cut.tar", cut)


@pytest.fixture
def reports(tmp_path, image, cut, store):
    """Reports of every kind. scanner.scan holds each against the schema; here they are looked at once more."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "os-release").write_text('ID=ubuntu\nVERSION_ID="20.04"\nPRETTY_NAME="Ubuntu 20.04"\n')
    gate = ["--severity", "CRITICAL", "--ignore-unfixed", "--exit-code", "1"]
    runs = {
        "plain": (0, scanner.scan(image, db=store)),
        "gate": (3, scanner.scan(image, *gate, db=store)),  # conda's zlib cannot be judged
        "gate, allowed": (1, scanner.scan(image, *gate, "--allow-unjudged", db=store)),
        "stats": (0, scanner.scan(image, "--stats", db=store)),
        "cut": (3, scanner.scan(cut, db=store)),
        "no file": (3, scanner.scan(tmp_path / "nothing.tar", db=store)),
        "no store": (3, scanner.scan(image, db=tmp_path / "nothing.db")),
        "rootfs": (0, scanner.scan(root, command="rootfs", db=store)),
    }
    for name, (code, result) in runs.items():
        assert result.code == code, f"{name}: {result!r}"
        assert result.report is not None, f"{name}: no report"
    return {name: result.report for name, (_, result) in runs.items()}


def test_reports_are_valid(reports):
    for name, report in reports.items():
        problems = [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(report)]
        assert not problems, f"{name}: " + "\n".join(problems)


def test_every_key_is_written(reports):
    """The schema has no key that the program never writes; what is not there yet is named here."""
    written = {}
    for report in reports.values():
        for place, keys in keys_of(report).items():
            written.setdefault(place, set()).update(keys)
    for place, keys in written.items():
        if place == "store.ecosystems":
            continue
        node = at_place("store")["properties"]["ecosystems"]["additionalProperties"] \
            if place == "store.ecosystems[]" else at_place(place.replace("suppressed[].places", "secrets[].places"))
        expected = set(node["properties"])
        if place == "suppressed[]":
            expected |= set(schema()["$defs"]["suppressedSecret"]["properties"])
        assert keys == expected, place
    not_yet = {"misconfigurations[]"}
    assert {place for place in PROMISED if place not in written} == not_yet


CHANGES = {
    "a key too many": lambda report: report.update(extra=1),
    "a finding's key too many": lambda report: report["findings"][0].update(extra=1),
    "a key missing": lambda report: report.pop("errors"),
    "a layer's key missing": lambda report: report["image"]["layers"][0].pop("base"),
    "a severity in lower case": lambda report: report["findings"][0].update(severity="high"),
    "a number as text": lambda report: report["findings"][0].update(layer="1"),
    "a digest without its algorithm": lambda report: report["image"].update(digest="0" * 64),
    "a digest in capitals": lambda report: report["image"].update(digest="sha256:" + "A" * 64),
    "a pass with another code": lambda report: report["verdict"].update(exit_code=1),
    "a pass that is not complete": lambda report: report["verdict"].update(complete=False),
    "another version of the form": lambda report: report.update(schema_version="2.0.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_wrong_reports_are_refused(image, store, change):
    report = copy.deepcopy(scanner.scan(image, db=store).report)
    assert validator().is_valid(report)
    CHANGES[change](report)
    assert not validator().is_valid(report)


# -- the page -------------------------------------------------------------------------------------------

def page():
    return (scanner.REPO / "docs" / "report.md").read_text()


def test_example_in_the_page_is_valid():
    [example] = re.findall(r"(?s)```json\n(.*?)```", page())
    problems = [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(json.loads(example))]
    assert not problems, problems


def test_page_names_every_key():
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`\n]+)`", page().split("## An example")[0]))))
    for path, node in objects(schema()):
        missing = set(node.get("properties", {})) - words
        # Those of kinds that are always empty are not explained yet.
        if "misconfiguration" in path:
            continue
        assert not missing, f"docs/report.md does not explain {missing} ({path})"
