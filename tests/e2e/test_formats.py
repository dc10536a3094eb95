"""The formats for pipelines: each by its official schema or a tool that reads it, on a small image, an empty one,
a hostile one and a broken one; their limits; and that the same scan makes the same bytes."""

import base64
import csv
import gzip
import io
import json
import random
import re
import uuid
from collections import Counter

import jsonschema
import pytest
from lxml import etree, html
from markdown_it import MarkdownIt
from prometheus_client.openmetrics import parser as openmetrics

import advisories
import evidence as ev
import formatkit as kit
import imagekit
import scanner
import secretkit as sk
from tarkit import tar_of

SCHEMAS = scanner.REPO / "tests" / "data" / "schemas"
TEMPLATES = scanner.REPO / "docs" / "templates"
FORMATS = ["sarif", "junit", "gitlab", "github", "markdown", "csv", "openmetrics"]
IMAGES = ["standard", "empty", "hostile", "broken"]
EPOCH = {"SOURCE_DATE_EPOCH": "1790000000"}
MARKS = ["ghp_", "hf_"]  # how the planted secrets begin


@pytest.fixture(scope="module")
def kit_store(make_store):
    return make_store(kit.RECORDS)


@pytest.fixture(scope="module")
def scans(tmp_path_factory, kit_store):
    """{image: {format: text}}, all formats from one scan; "json" parsed, "code" what it ended with."""
    made = {}
    for name in IMAGES:
        folder = tmp_path_factory.mktemp(name)
        args = [arg for form in [*FORMATS, "json"] for arg in ("-f", f"{form}={folder / form}")]
        args += ["--ignore-unfixed"] if name == "standard" else []
        done = scanner.run("image", "--input", getattr(kit, name)(folder), "--db", kit_store, *args, env=EPOCH)
        assert done.code == (3 if name == "broken" else 0) and done.stdout == "", done
        made[name] = {form: (folder / form).read_bytes().decode() for form in FORMATS}
        made[name]["json"] = json.loads((folder / "json").read_text())
        made[name]["path"] = next(folder.glob("*.tar"))
    return made


def schema(name, kind):
    return kind(json.loads((SCHEMAS / name).read_text()))


def problems(validator, value):
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(value)]


def keys(report, what="findings"):
    return Counter((f["id"], f["name"]) for f in report[what] if "id" in f)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", IMAGES)
def test_text_is_harmless(scans, name, form):
    """No control character and nothing invisible that is not the format's own; no secret in clear."""
    text = scans[name][form].replace("\r\n", "\n") if form == "csv" else scans[name][form]
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ufffd]", text)
    for mark in MARKS:
        assert not re.search(mark + r"\w{12}", text)


# -- SARIF ------------------------------------------------------------------------------------------------

def check_sarif(log):
    """What GitHub asks for beyond the schema."""
    run, = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) <= 25000
    for rule in rules:
        assert re.fullmatch(r"\d+\.\d", rule["properties"]["security-severity"])
        assert len(rule["properties"]["tags"]) <= 10 and "security" in rule["properties"]["tags"]
        assert rule["help"]["text"] and rule["help"]["markdown"]
        assert len(rule["shortDescription"]["text"]) <= 1024 and len(rule["fullDescription"]["text"]) <= 1024
    assert len(run["results"]) <= 25000
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert re.fullmatch(r"(?:[\w.~/-]|%[0-9A-F]{2})+", uri, re.A) and not uri.startswith("/"), uri
        assert place["region"]["startLine"] >= 1
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints), "two results that GitHub would take for one"
    return run


@pytest.mark.parametrize("name", IMAGES)
def test_sarif(scans, name):
    log, report = json.loads(scans[name]["sarif"]), scans[name]["json"]
    assert not problems(schema("sarif-2.1.0-rtm.5.json", jsonschema.Draft4Validator), log)
    run = check_sarif(log)
    assert Counter(r["ruleId"] for r in run["results"] if not r.get("suppressions")) == \
        Counter([f["id"] for f in report["findings"]] + [s["rule"] for s in report["secrets"]])
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] == (name != "broken")
    notes = [n["message"]["text"] for n in invocation["toolExecutionNotifications"] if n["level"] == "error"]
    assert notes == [e["message"] for e in report["errors"]]


def test_sarif_says_what_is_known(scans):
    run = json.loads(scans["standard"]["sarif"])["runs"][0]
    of = {}
    for result in run["results"]:
        of.setdefault(result["ruleId"], []).append(result)
    first = of["CVE-2024-0001"][0]
    assert first["level"] == "error" and first["suppressions"] == []
    for word in ("crit-fixed", "1.0", "2.0", "Layer 0", "ADD file:abc"):
        assert word in first["message"]["text"], word
    rule = run["tool"]["driver"]["rules"][first["ruleIndex"]]
    assert rule["properties"]["security-severity"] == "9.8" and rule["helpUri"].endswith("CVE-2024-0001")
    assert of["CVE-2024-0003"][0]["level"] == "warning" and of["CVE-2024-0005"][0]["level"] == "note"
    hidden = of["CVE-2024-0011"][0]["suppressions"]
    assert hidden[0]["kind"] == "external" and "ignore-unfixed" in hidden[0]["justification"]
    region = of["github-personal-token"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"]) == (2, 7)
    assert "Deleted in layer 2" in of["huggingface-token"][0]["message"]["text"]
    levels = [["error", "warning", "note"].index(r["level"]) for r in run["results"] if not r["suppressions"]]
    assert levels == sorted(levels), "the most severe first"


def test_sarif_fingerprints_stay(tmp_path, scans, kit_store):
    """Another layer above and another name of the archive are no other findings."""
    again = scanner.run("image", "--input", kit.standard(tmp_path, "other.tar"), "--db", kit_store, "-f", "sarif")
    prints = [{r["partialFingerprints"]["primaryLocationLineHash"] for r in json.loads(text)["runs"][0]["results"]}
              for text in (scans["standard"]["sarif"], again.stdout)]
    assert prints[0] == prints[1]


def test_sarif_of_a_folder(tmp_path):
    """Paths are those of the checkout, so that GitHub shows the lines."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a b.env").write_text(f"A=1\nTOKEN={sk.github()}\n")
    log = json.loads(scanner.run("secret", tmp_path, "-f", "sarif").stdout)
    assert not problems(schema("sarif-2.1.0-rtm.5.json", jsonschema.Draft4Validator), log)
    result, = check_sarif(log)["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "conf/a%20b.env"},
        "region": {"startLine": 2, "startColumn": 7, "endLine": 2, "endColumn": 8}}


def _many(packages, ids, severities):
    """Advisories that each speak of all the packages."""
    for number in range(ids):
        record = advisories.pypi(f"CVE-2023-{number:05}", "x", "2.0", severities[number % len(severities)])
        affected = record["affected"][0]
        record["affected"] = [{**affected, "package": {"ecosystem": "PyPI", "name": name}} for name in packages]
        yield record
    yield advisories.debian("DEBIAN-CVE-2023-1", "other", "1")


def test_limits(tmp_path, make_store):
    """26,000 findings are more than SARIF, a comment and a step hold."""
    folder, packages = tmp_path, [f"package-{number}" for number in range(200)]
    store = make_store(list(_many(packages, 130, ["LOW", "CRITICAL", "MEDIUM", "HIGH"])))
    layer = [*ev.base(), *(e for name in packages for e in ev.dist_info(name, "1.0", record=False, installer=None))]
    image = imagekit.write_archive(folder / "large.tar", imagekit.files_docker_old(imagekit.image_of(layer)))
    args = [arg for form in ("sarif", "markdown", "github") for arg in ("-f", f"{form}={folder / form}")]
    done = scanner.run("image", "--input", image, "--db", store, *args)
    assert done.code == 0, done
    _check_sarif_limit((folder / "sarif").read_text())
    _check_github_limit((folder / "github").read_text())
    _check_markdown_limit((folder / "markdown").read_text())


def _check_sarif_limit(text):
    run = check_sarif(json.loads(text))
    assert len(run["results"]) == 25000
    left = Counter(result["properties"]["severity"] for result in run["results"])
    assert left == {"CRITICAL": 6600, "HIGH": 6400, "MEDIUM": 6400, "LOW": 5600}
    note, = run["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "warning" and "1000 of 26000" in note["message"]["text"]


def test_sarif_limit_of_bytes(tmp_path, make_store):
    """Paths that cannot be packed well make it too large long before there are 25,000."""
    dice, packages = random.Random(1), [f"package-{number}" for number in range(4500)]
    store = make_store(list(_many(packages, 1, ["HIGH"])))
    layer = list(ev.base())
    for name in packages:
        path = "/".join(base64.urlsafe_b64encode(dice.randbytes(180)).decode().strip("=") for _ in range(15))
        layer += ev.dist_info(name, "1.0", site=path, record=False, installer=None)
    image = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(tar_of(layer, "pax"))))
    done = scanner.run("image", "--input", image, "--db", store, "-f", "sarif")
    run = check_sarif(json.loads(done.stdout))
    assert 1000 < len(run["results"]) < 4500
    assert 6_000_000 < len(gzip.compress(done.out, 6)) <= 10_000_000
    assert "left out" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


# -- JUnit --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", IMAGES)
def test_junit(scans, name):
    report = scans[name]["json"]
    tree = etree.fromstring(scans[name]["junit"].encode())
    xsd = etree.XMLSchema(etree.parse(str(SCHEMAS / "junit-10.xsd")))
    xsd.assertValid(tree)
    for suite in tree:
        for attribute, path in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error"),
                                ("skipped", "testcase/skipped")):
            assert int(suite.get(attribute)) == len(suite.findall(path)), attribute
        assert len(suite), "a suite without a test is an error for Jenkins"
    assert int(tree.get("failures")) == len(report["findings"]) + len(report["secrets"])
    assert [e.get("message") for e in tree.iter("error")] == [e["message"] for e in report["errors"]]
    skipped = len(tree.findall("testsuite/testcase/skipped"))
    assert skipped == len(report["suppressed"]) + len(report["unjudged"])
    assert {case.get("name") for case in tree.iter("testcase") if case.find("failure") is not None} == \
        {f"[{f['severity']}] {f.get('id') or f['rule']}" for f in report["findings"] + report["secrets"]}


# -- GitLab -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", IMAGES)
def test_gitlab(scans, name):
    made, report = json.loads(scans[name]["gitlab"]), scans[name]["json"]
    assert not problems(schema("gitlab-container-scanning-15.0.7.json", jsonschema.Draft7Validator), made)
    found = made["vulnerabilities"]
    assert Counter(v["identifiers"][0]["value"] for v in found) == Counter(f["id"] for f in report["findings"])
    assert len({uuid.UUID(v["id"]) for v in found}) == len(found)
    assert made["scan"]["start_time"] == "2026-09-21T14:13:20"
    assert made["scan"]["status"] == ("failure" if name == "broken" else "success")
    said = Counter(m["value"].partition(":")[0] for m in made["scan"]["messages"])
    assert said["Secret"] == len(report["secrets"]) and said["Suppressed"] == len(report["suppressed"])


def test_gitlab_says_what_is_known(scans):
    found = {v["identifiers"][0]["value"]: v for v in json.loads(scans["standard"]["gitlab"])["vulnerabilities"]}
    one = found["CVE-2024-0001"]
    assert one["severity"] == "Critical" and one["solution"] == "Upgrade crit-fixed to 2.0."
    assert one["location"]["dependency"] == {"package": {"name": "crit-fixed"}, "version": "1.0"}
    assert one["location"]["operating_system"] == "debian 12"
    assert [i["type"] for i in one["identifiers"]] == ["cve", "ghsa"]
    assert one["details"]["layer"]["value"].startswith("Layer 0") and one["description"] == "more about crit-fixed"
    assert found["CVE-2024-0005"]["severity"] == "Unknown"


# -- GitHub's annotations -----------------------------------------------------------------------------------

def annotations(text):
    """As the runner reads them: [(level, {property: value}, message)]."""
    assert text.endswith("\n") and "\r" not in text
    made = []
    for line in text[:-1].split("\n"):
        level, listed, message = re.fullmatch(r"::(error|warning|notice) ([^:]*?)::(.*)", line).groups()
        given = dict(part.split("=", 1) for part in listed.split(","))
        for escape, byte in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            given = {key: value.replace(escape, byte) for key, value in given.items()}
        made.append((level, given, message.replace("%25", "%")))
    return made


@pytest.mark.parametrize("name", IMAGES)
def test_github(scans, name):
    made, report = annotations(scans[name]["github"]), scans[name]["json"]
    assert all(set(given) <= {"title", "file", "line", "col"} for _, given, _ in made)
    shown = len(report["findings"]) + len(report["secrets"]) + len(report["errors"]) + len(report["unjudged"])
    assert len(made) == shown + 1 and "left out" not in made[-1][2]
    assert ("does not pass" in made[-1][2]) == (name == "broken")
    if name == "hostile":
        files = {given["file"] for _, given, _ in made if "CVE-2024-0099" in given["title"]}
        assert files == {r"srv/\xff\xfe a\x0a::error::b/,;" + "\"'<img src=x onerror=alert(1)>&|`*_[x](javascript:alert(1))"
                         r" @octocat www.evil.example %41\x1b[31m/evil_title-1.0+x.y.dist-info/METADATA"}


def _check_github_limit(text):
    made = annotations(text)
    assert Counter(level for level, *_ in made) == {"error": 10, "warning": 10, "notice": 10}
    assert all("(critical)" in given["title"] for level, given, _ in made if level == "error")
    assert "25971 are left out" in made[-1][2] and "26000 findings" in made[-1][2]


# -- Markdown -----------------------------------------------------------------------------------------------

TAGS = {"h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "a", "details", "summary", "ul", "li", "strong",
        "sub", "div"}


def rendered(text):
    """The HTML that it makes, with tables as GitHub has them."""
    made = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    return html.fragment_fromstring(made, create_parent="div")


@pytest.mark.parametrize("name", IMAGES)
def test_markdown(scans, name):
    """What is in the image is shown as it stands, and nothing of it acts."""
    report, tree = scans[name]["json"], rendered(scans[name]["markdown"])
    assert {e.tag for e in tree.iter()} <= TAGS, "a tag that is not ours"
    for element in tree.iter():
        assert set(element.attrib) <= ({"href"} if element.tag == "a" else {"style"}), "an attribute that is not ours"
    assert all(a.get("href").startswith("https://nvd.nist.gov/vuln/detail/CVE-") for a in tree.iter("a"))
    codes = [code.text for code in tree.iter("code")]
    rows = [[cell.text_content() for cell in row.iter("td")] for row in tree.iter("tr")]
    assert Counter((row[1], row[2]) for row in rows if len(row) == 6) == keys(report)
    assert Counter(row[1] for row in rows if len(row) == 5) == Counter(s["title"] for s in report["secrets"])
    for code in list(tree.iter("code")):
        code.text = ""
    plain = tree.text_content()
    assert not re.search(r"@\w|#\d|www\.|://", plain), "a mention, a reference or an address"
    if name == "hostile":
        assert kit.EVIL_NAME in codes
    heading = tree.find("h3").text_content()
    assert heading.endswith("could not be judged" if name == "broken" else "passes")
    assert all(e["message"][:20] in plain for e in report["errors"])
    assert len([li for li in tree.findall("details/ul/li")]) == len(report["suppressed"])


def _check_markdown_limit(text):
    assert 60000 < len(text.encode()) <= 65536
    tree = rendered(text)
    rows = [[cell.text_content() for cell in row.iter("td")] for row in tree.iter("tr")]
    rows = [row for row in rows if len(row) == 6]
    assert {row[0] for row in rows} == {"critical"} and len(rows) > 200
    assert len(tree.find("details").findall(".//tr")) == len(rows) - 20 + 1, "above 20 they are folded"
    assert f"{26000 - len(rows)} rows are left out" in text


# -- CSV ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", IMAGES)
def test_csv(scans, name):
    text, report = scans[name]["csv"], scans[name]["json"]
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert all(None not in row and None not in row.values() for row in rows), "a row of another length"
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(tuple("=+-@\t\r\n")), cell
    kinds = Counter((row["kind"], row["state"]) for row in rows)
    assert kinds["vulnerability", "open"] == len(report["findings"])
    assert kinds["secret", "open"] == len(report["secrets"])
    assert kinds["error", ""] == len(report["errors"]) and kinds["unjudged", ""] == len(report["unjudged"])
    assert sum(count for (_, state), count in kinds.items() if state == "suppressed") == len(report["suppressed"])
    if name == "hostile":
        assert {"'=cmd|'/c calc'!A1", "'@octocat", kit.EVIL_NAME} <= {row["package"] for row in rows}
        assert "'=1+1" in {row["installed"] for row in rows}
    if name == "standard":
        one = next(row for row in rows if row["id"] == "CVE-2024-0001")
        assert (one["severity"], one["score"], one["package"], one["fixed"], one["layer"]) == \
            ("CRITICAL", "9.8", "crit-fixed", "2.0", "0")
        assert next(row for row in rows if row["id"] == "huggingface-token")["deleted_in"] == "2"
        assert {row["reason"] for row in rows if row["state"] == "suppressed"} != {""}


# -- OpenMetrics --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", IMAGES)
def test_openmetrics(scans, name):
    text, report = scans[name]["openmetrics"], scans[name]["json"]
    assert text.endswith("# EOF\n")
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(text)}
    values = {key: sum(sample.value for sample in family.samples) for key, family in families.items()}
    assert values["plimsoll_findings"] == len(report["findings"]) and values["plimsoll_secrets"] == len(report["secrets"])
    assert values["plimsoll_suppressed"] == len(report["suppressed"]) and values["plimsoll_errors"] == len(report["errors"])
    assert values["plimsoll_components"] == len(report["components"])
    assert values["plimsoll_scan_pass"] == report["verdict"]["pass"]
    assert all(sample.labels["image"] == report["image"]["name"] for f in families.values() for sample in f.samples)
    high = [s.value for s in families["plimsoll_findings"].samples
            if s.labels["severity"] == "high" and s.labels["fixable"] == "true"]
    assert len(high) == 3 and sum(high) == sum(f["severity"] == "HIGH" and bool(f["fixed"]) for f in report["findings"])


def test_a_name_that_is_hostile_in_a_label(tmp_path, kit_store):
    path = tmp_path / 'a"b\\c\nd.tar'
    path.write_bytes(kit.empty(tmp_path).read_bytes())
    done = scanner.run("image", "--input", path, "--db", kit_store, "-f", "prometheus")
    families = list(openmetrics.text_string_to_metric_families(done.stdout))
    assert families[0].samples[0].labels["image"].endswith('a"b\\c\\x0ad.tar')


# -- templates ----------------------------------------------------------------------------------------------

def fill(image, store, template, *args, **more):
    return scanner.run("image", "--input", image, "--db", store, "--format", "template", "--template", template, *args, **more)


@pytest.mark.parametrize("name", IMAGES)
def test_template_examples(scans, kit_store, name):
    report, path = scans[name]["json"], scans[name]["path"]
    args = ["--ignore-unfixed"] if name == "standard" else []
    done = fill(path, kit_store, f"@{TEMPLATES / 'findings.html'}", *args)
    tree = html.document_fromstring(done.stdout)
    assert not list(tree.iter("script", "img")) and len(tree.findall(".//h1")) == 1
    rows = [[cell.text_content().strip() for cell in row.iter("td")] for row in tree.iter("tr")]
    assert Counter((row[1], row[2]) for row in rows if row) == keys(report)
    done = fill(path, kit_store, TEMPLATES / "message.json", *args)
    assert len(json.loads(done.stdout)["lines"]) == len(report["findings"])


@pytest.mark.parametrize("ending,cell", [
    ("txt", "{name}"), ("txt.tpl", "{name}"), ("csv", "\"we\"\"ird|<script>alert(1)</script>&amp;@octocat #1 [x](http://evil.example)"
                                               " `tick` ${{{{ x }}}}\""),
    ("xml", "we&#34;ird|&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;@octocat #1 [x](http://evil.example) `tick` ${{{{ x }}}}"),
    ("html.mustache", "we&#34;ird|&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;@octocat #1 [x](http://evil.example)"
                      " `tick` ${{{{ x }}}}"),
    ("json", 'we\\"ird|<script>alert(1)</script>&amp;@octocat #1 [x](http://evil.example) `tick` ${{{{ x }}}}')])
def test_template_escapes(tmp_path, scans, kit_store, ending, cell):
    template = tmp_path / f"t.{ending}"
    template.write_text("{{#findings}}\n{{name}}\n{{/findings}}\n")
    done = fill(scans["hostile"]["path"], kit_store, template)
    assert cell.format(name=kit.EVIL_NAME) in done.stdout.split("\n"), done


def test_template_markdown(tmp_path, scans, kit_store):
    template = tmp_path / "t.md"
    template.write_text("{{#findings}}\n| {{name}} | {{instruction}} | {{installed}} |\n{{#-first}}\n|---|---|---|\n{{/-first}}\n"
                        "{{/findings}}\n")
    tree = rendered(fill(scans["hostile"]["path"], kit_store, template).stdout)
    assert {e.tag for e in tree.iter()} <= TAGS - {"a", "code", "h3"}
    rows = [[cell.text_content().replace("\u200b", "") for cell in row] for row in tree.iter("tr")]
    assert kit.EVIL_NAME in {row[0] for row in rows} and {len(row) for row in rows} == {3}
    assert not re.search(r"@\w|#\d|www\.|://", tree.text_content())


WRONG = [(["--format", "template"], "--template FILE"),
         (["--format", "template", "--template", "missing.tpl"], "missing.tpl"),
         (["--format", "template", "--template", "@missing.tpl"], "missing.tpl"),
         (["--format", "template", "--template", "open.tpl"], "open.tpl, line 2"),
         (["--format", "template", "--template", "go.tpl"], "Mustache"),
         (["--format", "template", "--template", "large.tpl"], "large.tpl"),
         (["--format", "template", "--template", "."], "--template")]


@pytest.mark.parametrize("args,named", WRONG)
def test_template_that_is_none(tmp_path, args, named):
    (tmp_path / "open.tpl").write_text("a\n{{#findings}}")
    (tmp_path / "go.tpl").write_text("{{ range .Results }}{{ .Target }}{{ end }}")
    with open(tmp_path / "large.tpl", "w") as file:
        file.truncate((4 << 20) + 1)
    done = scanner.run("image", "--input", "x.tar", *args, cwd=tmp_path)
    assert done.code == 2 and named in done.stderr and done.stdout == "", done


def test_template_that_never_ends(tmp_path, scans, kit_store):
    """Lists in lists: an error that names the limit, and no half report."""
    template, out = tmp_path / "t.txt", tmp_path / "out.txt"
    template.write_text("{{#components}}" * 8 + "x" + "{{/components}}" * 8)
    done = fill(scans["standard"]["path"], kit_store, template, "-f", f"json={tmp_path / 'r.json'}", "-o", out)
    assert done.code == 3 and "LIMIT_TEMPLATE_STEPS" in done.stderr and not out.exists(), done
    assert json.loads((tmp_path / "r.json").read_text())["findings"], "the other report is written all the same"


# -- the same again -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["standard", "hostile"])
def test_same_bytes(tmp_path, scans, kit_store, name):
    """Twice, and with a cache that is new or used."""
    for place in ("fresh", "reused"):
        folder = tmp_path / place
        folder.mkdir()
        args = [arg for form in FORMATS for arg in ("-f", f"{form}={folder / form}")]
        args += ["--ignore-unfixed"] if name == "standard" else []
        done = scanner.run("image", "--input", scans[name]["path"], "--db", kit_store, "--cache-dir", tmp_path / "cache",
                           *args, env={**EPOCH, "PLIMSOLL_NO_CACHE": "0"})
        assert done.code == 0, done
        for form in FORMATS:
            assert (folder / form).read_bytes().decode() == scans[name][form], (place, form)


@pytest.mark.parametrize("alias,name", [("md", "markdown"), ("prometheus", "openmetrics")])
def test_aliases(scans, kit_store, alias, name):
    done = scanner.run("image", "--input", scans["empty"]["path"], "--db", kit_store, "-f", alias, env=EPOCH)
    assert done.stdout == scans["empty"][name]


@pytest.mark.parametrize("form", FORMATS)
def test_an_image_that_is_not_there(tmp_path, form):
    """Exit 3, and a report that nobody takes for a clean one."""
    done = scanner.run("image", "--input", tmp_path / "missing.tar", "-f", form)
    assert done.code == 3, done
    clean = {"sarif": '"executionSuccessful": true', "junit": 'errors="0" time="0">\n  <testsuite ', "gitlab": '"success"',
             "github": ": passes", "markdown": " passes", "openmetrics": "plimsoll_errors 0"}
    assert done.stdout and (form == "csv" or clean[form] not in done.stdout), done
    assert "missing.tar" in done.stdout


@pytest.mark.parametrize("name, file", [("sub", "sub/x.env"), ("./sub/", "sub/x.env"), (".", "sub/x.env"), ("sub/x.env", "sub/x.env")])
def test_a_folder_of_the_checkout(tmp_path, name, file):
    """Annotations and SARIF name files as the checkout knows them, however the folder was named."""
    import secretkit
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.env").write_text(f"T={secretkit.github(seed=5)}\n")
    assert f"file={file}," in scanner.run("secret", name, "-f", "github", cwd=tmp_path).stdout
    sarif = json.loads(scanner.run("secret", name, "-f", "sarif", cwd=tmp_path).stdout)
    assert [r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in sarif["runs"][0]["results"]] == [file]
