"""One secret, once: the same value is one secret with all its places, wherever it stands and whatever rules found
it; what is said of it, and what takes it away."""

import base64
import csv
import io
import json
import re

import jsonschema
import pytest

import imagekit
import scanner
import secretkit as sk
from tarkit import file, folder, opaque, whiteout
from test_formats import check_sarif, problems, schema
from test_secrets import GH as TOKEN, HF as SHOWN, elf, loose, notebook, tar_gz, zip_of

HF, GH = sk.token("huggingface-token", "once"), sk.github(seed="once")
SITE = "usr/lib/python3/dist-packages/p"


def write(tmp_path, *layers, name="image.tar", **more):
    return imagekit.write_archive(tmp_path / name, imagekit.files_docker_25(imagekit.image_of(*layers, **more)))


def scan(path, *args, **more):
    result = scanner.scan(path, "--scanners", "secret", *args, **more)
    for secret in result.report["secrets"] + result.report["suppressed"]:
        first = {key: value for key, value in secret["places"][0].items() if key != "reason"}
        assert first == {key: secret[key] for key in first}, "the first place is not the secret's own"
        told = [json.dumps({**place, "reason": None}) for place in secret["places"]]
        assert len(set(told)) == len(told), "one place twice"
        assert secret["fingerprints"][0] == secret["fingerprint"]
        counts = [place["reason"] is None for place in secret["places"]]
        assert counts == sorted(counts, reverse=True), "a place that does not count before one that does"
    return result


def places(secret, *keys):
    return [tuple(place[key] for key in keys) if len(keys) > 1 else place[keys[0]] for place in secret["places"]]


def only(result):
    [secret] = result.report["secrets"]
    return secret


# -- config and history --------------------------------------------------------------------------------------

def test_two_variables_of_one_rule(tmp_path):
    """Row S12: each once, with its name, in the config and in the history that tells of it."""
    one, other = "k7Wq9-x2LmP4zT", "Vb3_nR8yHq1-Jd"
    history = [imagekit.nop("ADD file:abc in /", empty=False), imagekit.line("WORKDIR /app"), imagekit.line("EXPOSE 80"),
               imagekit.line(f"ENV DB_PASSWORD={one}"), imagekit.line(f"ENV REDIS_PASSWORD={other}")]
    config = {"config": {"Env": ["PATH=/bin", f"DB_PASSWORD={one}", f"REDIS_PASSWORD={other}"]}}
    path = write(tmp_path, [file("a", "x")], history=history, config=config)
    result = scan(path, "--exit-code", "1")
    first, second = result.report["secrets"]
    assert first["rule"] == second["rule"] and first["fingerprint"] != second["fingerprint"]
    assert places(first, "path", "variable") == [("config:Env", "DB_PASSWORD"), ("history:3", "DB_PASSWORD")]
    assert places(second, "path", "variable") == [("config:Env", "REDIS_PASSWORD"), ("history:4", "REDIS_PASSWORD")]
    assert result.verdict["reasons"] == ["2 secrets"]
    table = scanner.run("image", "--input", path, "--scanners", "secret").stdout
    for name, entry in (("DB_PASSWORD", 3), ("REDIS_PASSWORD", 4)):
        assert f"config:Env ({name})" in table and f"also in history:{entry} ({name})" in table
    assert "2 secrets." in table


@pytest.mark.parametrize("text, name", {
    "ENV T={}": "T", "/bin/sh -c #(nop)  ENV A=1 T_2={} B=2": "T_2", "ARG T={}": "T", "RUN |2 A=1 T={} /bin/sh -c make # buildkit": "T",
    "RUN /bin/sh -c export T={}; make": "T", "RUN /bin/sh -c A=1;T={} make": "T", 'ENV T="{}"': "T", "RUN sh -c 'T={} make'": "T",
    "ENV URL=https://x.example/?t={}": "URL", "RUN /bin/sh -c curl https://x.example/?t={}": None, "RUN curl -H 'X: {}'": None,
    "RUN tool --token={}": None, "RUN tool --token {}": None, "ENV 1T={}": None, f"ENV {'N' * 256}={{}}": "N" * 256, f"ENV {'N' * 257}={{}}": None,
    "ENV a b={}": "b", "ENV ={}": None, "ENV T\tU={}": "U", "COPY x y # T = {}": None, "T={}": "T", "{}": None, "ENV A=1 \\\n  T={}": "T",
}.items())
def test_names_in_history(tmp_path, text, name):
    path = write(tmp_path, [file("a", "x")], history=[imagekit.line(text.format(HF), empty=False)])
    assert places(only(scan(path)), "path", "variable", "layer") == [("history:0", name, 0)]


@pytest.mark.parametrize("entry, name", {
    "T={}": "T", "A.b-C=x {} y": "A.b-C", "a b={}": None, "{}": None, "={}": None, "T": None, "É={}": None, "U=https://x.example/?t={}&u=1": "U",
}.items())
def test_names_in_the_environment(tmp_path, entry, name):
    entries = [entry.format(HF)] if "{}" in entry else [f"X={HF}"]
    secret = only(scan(write(tmp_path, [file("a", "x")], config={"config": {"Env": entries}})))
    assert places(secret, "path", "variable") == [("config:Env", name if "{}" in entry else "X")]


def test_names_elsewhere(tmp_path):
    tokens = {key: sk.token("huggingface-token", key) for key in ("label", "cmd", "build")}
    config = {"config": {"Labels": {"note": tokens["label"]}, "Cmd": ["sh", "-c", f"T={tokens['cmd']} serve"],
                         "OnBuild": [f"ENV B={tokens['build']}"]}}
    result = scan(write(tmp_path, [file("a", "x")], config=config))
    assert {place for secret in result.report["secrets"] for place in places(secret, "path", "variable")} == {
        ("config:Labels", None), ("config:Cmd", "T"), ("config:OnBuild", "B")}


def test_one_value_in_two_variables(tmp_path):
    config = {"config": {"Env": [f"B={HF}", f"A={HF}", f"B={HF}"]}}
    path = write(tmp_path, [file("a", "x")], history=[imagekit.line(f"ENV B={HF} A={HF}", empty=False)], config=config)
    assert places(only(scan(path)), "path", "variable") == [
        ("config:Env", "A"), ("config:Env", "B"), ("history:0", "A"), ("history:0", "B")]


def test_file_config_and_history(tmp_path):
    """A file tells more than the config, and that more than history; the rest of it is all the same."""
    history = [imagekit.run("x"), imagekit.line(f"ARG T={HF}"), imagekit.run("y"), *[imagekit.line("EXPOSE 1")] * 7, imagekit.line(f"ENV T={HF}")]
    path = write(tmp_path, [file("a", "x")], [file("srv/.env", f"A=1\nT={HF}\n")], history=history, config={"config": {"Env": [f"T={HF}"]}})
    secret = only(scan(path))
    assert places(secret, "path", "line", "column", "variable", "layer", "instruction", "base", "deleted") == [
        ("srv/.env", 2, 3, None, 1, "RUN y", None, False), ("config:Env", None, None, "T", None, None, None, False),
        ("history:1", None, None, "T", None, None, None, False), ("history:10", None, None, "T", None, None, None, False)]


# -- layers --------------------------------------------------------------------------------------------------

def test_copy_in_a_later_layer(tmp_path):
    path = write(tmp_path, [file("a/.env", f"T={HF}\n")], [file("b/.env", f"#\nT={HF}\n")])
    assert places(only(scan(path)), "path", "line", "layer", "deleted") == [("a/.env", 1, 0, False), ("b/.env", 2, 1, False)]


def test_written_over(tmp_path):
    """The same file again: what is there now tells it."""
    path = write(tmp_path, [file("a/.env", f"T={HF}\n")], [file("a/.env", f"T={HF}\n")], [file("a/.env", f"U=1\nT={HF}\n")])
    assert places(only(scan(path)), "layer", "line", "deleted", "deleted_in") == [
        (2, 2, False, None), (0, 1, True, 1), (1, 1, True, 2)]


def test_deleted_and_kept(tmp_path):
    path = write(tmp_path, [file("a/gone", HF), file("b/in", HF)], [whiteout("a/gone"), file("c/kept", HF)], [folder("b"), opaque("b")])
    secret = only(scan(path))
    assert places(secret, "path", "layer", "deleted_in") == [("c/kept", 1, None), ("a/gone", 0, 1), ("b/in", 0, 2)]
    assert secret["deleted"] is False
    table = scanner.run("image", "--input", path, "--scanners", "secret").stdout
    assert "also in a/gone:1:1 (layer 0, deleted in layer 1)" in table and "Deleted in layer" not in table


def test_deleted_everywhere(tmp_path):
    path = write(tmp_path, [file("a/gone", HF)], [file("a/other", HF)], [whiteout("a/gone"), whiteout("a/other")])
    assert places(only(scan(path)), "path", "layer", "deleted", "deleted_in") == [("a/gone", 0, True, 2), ("a/other", 1, True, 2)]


# -- files of every kind ---------------------------------------------------------------------------------------

def test_lines_of_one_file(tmp_path):
    secret = only(scan(write(tmp_path, [file("log", f"GET {HF}\nx\nGET {HF} and {HF}\n")])))
    assert places(secret, "line", "column") == [(1, 5), (3, 5), (3, 47)]


def test_kinds_of_files(tmp_path):
    """In notebooks, archives, git, base64, UTF-16, programs: one value is one secret."""
    text, git = f"H={SHOWN}\nT={TOKEN}\n", ".git/objects/ab/" + "c" * 38
    manifest = f"apiVersion: v1\nkind: Secret\ndata:\n  t: {base64.b64encode(TOKEN.encode()).decode()}\n"
    files = {"nb.ipynb": notebook(), "app.whl": zip_of({"a.py": text, "b.py": text}), "in.zip": zip_of({"in.tgz": tar_gz({"x/.env": text.encode()})}),
             git: loose(f"T={TOKEN}\n".encode()), "secret.yaml": manifest, "utf16.txt": ("\ufeff" + text).encode("utf-16-le"),
             "lib.so": elf(TOKEN.encode()), "twice.so": elf(TOKEN.encode() + b"\0" + TOKEN.encode())}
    path = write(tmp_path, [file(f"srv/{name}", data) for name, data in files.items()])
    found = {secret["rule"]: places(secret, "path", "line", "cell") for secret in scan(path).report["secrets"]}
    assert set(found) == {"huggingface-token", "github-personal-token", "aws-access-key"}
    assert found["huggingface-token"] == [("srv/app.whl!a.py", 1, None), ("srv/app.whl!b.py", 1, None), ("srv/in.zip!in.tgz!x/.env", 1, None),
                                          ("srv/nb.ipynb", 26, 2), ("srv/utf16.txt", 1, None)]
    assert found["github-personal-token"] == [
        (f"srv/{git}", 1, None), ("srv/app.whl!a.py", 2, None), ("srv/app.whl!b.py", 2, None), ("srv/in.zip!in.tgz!x/.env", 2, None),
        ("srv/lib.so", None, None), ("srv/secret.yaml", 4, None), ("srv/twice.so", None, None), ("srv/utf16.txt", 2, None)]


def test_cells_of_one_notebook(tmp_path):
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": [f"t = '{HF}'\n"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [f"token {HF}\n"]}]}
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell, {"cell_type": "markdown", "metadata": {}, "source": ["x"]}, cell]}, indent=1)
    assert places(only(scan(write(tmp_path, [file("nb.ipynb", text)]))), "cell") == [1, 1, 3, 3]


def test_key_in_one_line_and_in_many(tmp_path):
    """Line ends, and how they are written, make no other key of it; another key is another."""
    key, other = sk.pem("PRIVATE KEY", "once"), sk.pem("PRIVATE KEY", "other")
    path = write(tmp_path, [file("a.pem", key), file("b.pem", key.replace("\n", "\r\n")), file("c.pem", other)],
                 config={"config": {"Env": ["KEY=" + key.replace("\n", "\\n")]}})
    found = scan(path).report["secrets"]
    assert sorted(places(secret, "path") for secret in found) == [["a.pem", "b.pem", "config:Env"], ["c.pem"]]


# -- rules -----------------------------------------------------------------------------------------------------

OWN = """
enable-builtin-rules: [jwt]
rules:
  - {id: sure, title: A sure one, severity: LOW, regex: 'sure-(?P<v>[a-z0-9]{16})', secret-group-name: v}
  - {id: vague, title: A vague one, severity: HIGH, regex: 'vague-(?P<v>[a-z0-9]{16})', secret-group-name: v}
"""
VALUE = sk.letters(16, "abcdefghijkmnpqrstuvwxyz23456789", "own")


@pytest.fixture
def own(tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text(OWN)
    return ["--secret-config", config]


def test_two_rules_one_value(tmp_path, own):
    """By the surer of them, as bad as the worse; each fingerprint stands in the report."""
    both = only(scan(write(tmp_path, [file("a", f"vague-{VALUE}")], [file("b", f"sure-{VALUE}")]), *own))
    assert (both["rule"], both["title"], both["severity"]) == ("sure", "A sure one", "HIGH")
    assert places(both, "path") == ["a", "b"]
    vague = only(scan(write(tmp_path, [file("a", f"vague-{VALUE}")]), *own))
    sure = only(scan(write(tmp_path, [file("a", f"sure-{VALUE}")]), *own))
    assert both["fingerprints"] == [sure["fingerprint"], vague["fingerprint"]]
    assert (vague["severity"], sure["severity"]) == ("HIGH", "LOW")


@pytest.mark.parametrize("known", ["vague", "sure", "both", "old"])
@pytest.mark.parametrize("now", ["vague", "sure", "both"])
def test_baseline_by_any_rule(tmp_path, own, known, now):
    """A baseline knows a value by each rule that found it then; one of the first form by the rule that it names."""
    texts = {"vague": [file("a", f"vague-{VALUE}")], "sure": [file("b", f"sure-{VALUE}")]}
    layers = {**{name: [entry] for name, entry in texts.items()}, "both": list(texts.values())}
    if known == "old":
        report = scan(write(tmp_path, *layers["vague"]), *own).report
        report["secrets"] = [{key: value for key, value in report["secrets"][0].items() if key in ("rule", "path", "fingerprint")}]
    else:
        report = scan(write(tmp_path, *layers[known]), *own).report
    (tmp_path / "known.json").write_text(json.dumps(report))
    result = scan(write(tmp_path, *layers[now]), *own, "--secret-baseline", tmp_path / "known.json", "--exit-code", "1")
    is_known = now in (known, "both") or known == "both" or (known == "old" and now == "vague")
    assert (result.code, len(result.report["suppressed"])) == ((0, 1) if is_known else (1, 0))


# -- what takes it away ------------------------------------------------------------------------------------------

def test_test_data_and_app(tmp_path):
    """One place among a package's tests and one of the image's own: it counts, and that one leads."""
    path = write(tmp_path, [file(f"{SITE}/tests/x.py", f"T = '{HF}'\n")], [file("z/x.py", f"T = '{HF}'\n")])
    result = scan(path, "--exit-code", "1")
    secret = only(result)
    assert places(secret, "path", "reason") == [("z/x.py", None), (f"{SITE}/tests/x.py", "test data or an example of an installed package")]
    assert result.code == 1 and secret["layer"] == 1 and result.report["suppressed"] == []
    table = scanner.run("image", "--input", path, "--scanners", "secret").stdout
    assert f"also in {SITE}/tests/x.py:1:6 (layer 0, not counted)" in table


def test_all_of_it_test_data(tmp_path):
    path = write(tmp_path, [file(f"{SITE}/tests/x.py", f"T = '{HF}'\n"), file(f"{SITE}/examples/x.py", f"T = '{HF}'\n")])
    result = scan(path, "--exit-code", "1")
    assert result.code == 0 and result.report["secrets"] == []
    [secret] = result.report["suppressed"]
    assert places(secret, "path") == [f"{SITE}/examples/x.py", f"{SITE}/tests/x.py"] and secret["by"] == "plimsoll"


def test_remark_in_one_line(tmp_path):
    path = write(tmp_path, [file("a", f"T={HF}  # plimsoll:allow\n"), file("b", f"T={HF}\n")])
    assert places(only(scan(path)), "path", "reason") == [("b", None), ("a", "allowed by a remark in its line")]


IGNORED = {  # entries of an ignore file → which places still count, and how many of the entries are for something
    "path: a/**": (["b/x", "config:Env"], 1),
    "path: b/x": (["a/x", "config:Env"], 1),
    "path: [a/x, b/x]": (["config:Env"], 1),
    "path: config:Env": (["a/x", "b/x"], 1),
    "path: [a/x, b/x, 'config:*']": ([], 1),
    "id: huggingface-token": ([], 1),
    "fingerprint: FINGERPRINT": ([], 1),
    "id: huggingface-token\n  path: a/x": (["b/x", "config:Env"], 1),
    "id: github-personal-token": (["a/x", "b/x", "config:Env"], 0),
    "path: c": (["a/x", "b/x", "config:Env"], 0),
    "path: a/x\n  until: 2020-01-01": (["a/x", "b/x", "config:Env"], 1),
}


@pytest.mark.parametrize("entry", IGNORED)
def test_ignore_files(tmp_path, entry):
    """An entry with a path is for the places there: the others still count."""
    counting, used = IGNORED[entry]
    path = write(tmp_path, [file("a/x", HF)], [file("b/x", HF)], config={"config": {"Env": [f"T={HF}"]}})
    fingerprint = only(scan(path))["fingerprint"]
    (tmp_path / "ignore.yaml").write_text(f"ignore:\n- {entry.replace('FINGERPRINT', fingerprint)}\n  reason: we know\n")
    result = scan(path, "--ignorefile", tmp_path / "ignore.yaml", "--exit-code", "1")
    [secret] = result.report["secrets"] + result.report["suppressed"]
    assert [place["path"] for place in secret["places"] if place["reason"] is None] == counting
    assert bool(result.report["secrets"]) == bool(counting) == (result.code == 1)
    assert [e["findings"] for e in result.report["exceptions"]] == [used]
    if not counting:
        assert secret["reason"] == "we know" and secret["by"].endswith("ignore.yaml:2")


def test_ignored_by_rule(tmp_path, own):
    """By the surest rule the secret is meant; by another only what that rule found."""
    path = write(tmp_path, [file("a", f"vague-{VALUE}")], [file("b", f"sure-{VALUE}")])
    (tmp_path / "ignore.yaml").write_text("ignore:\n- id: vague\n  reason: too vague\n")
    assert places(only(scan(path, *own, "--ignorefile", tmp_path / "ignore.yaml")), "path", "reason") == [("b", None), ("a", "too vague")]
    (tmp_path / "ignore.yaml").write_text("ignore:\n- id: sure\n  reason: revoked\n")
    assert scan(path, *own, "--ignorefile", tmp_path / "ignore.yaml").report["secrets"] == []


def test_two_reasons(tmp_path):
    """Where each place is taken away by another, it is suppressed for the first one's reason."""
    path = write(tmp_path, [file(f"{SITE}/tests/x.py", HF), file("a/x", HF), file("b/x", HF)])
    (tmp_path / "ignore.yaml").write_text("ignore:\n- path: b/x\n  reason: we know\n")
    result = scan(path, "--ignorefile", tmp_path / "ignore.yaml", "--skip-dirs", "a", "--exit-code", "1")
    [secret] = result.report["suppressed"]
    assert result.code == 0 and secret["by"] == "--skip-dirs"
    assert [(place, bool(why)) for place, why in places(secret, "path", "reason")] == [("a/x", True), ("b/x", True), (f"{SITE}/tests/x.py", True)]


@pytest.mark.parametrize("args, counting", [(["--skip-dirs", "a"], ["b/x", "config:Env", "history:0"]), (["--skip-files", "**/x"], ["config:Env", "history:0"]),
                                            (["--exclude", "**"], ["config:Env", "history:0"]), (["--severity", "LOW"], None)])
def test_filters(tmp_path, args, counting):
    """Filters of paths are for files: what stands in the config and in history is none."""
    path = write(tmp_path, [file("a/x", HF)], [file("b/x", HF)], history=[imagekit.line(f"RUN T={HF} make", empty=False), imagekit.run("x")],
                 config={"config": {"Env": [f"T={HF}"]}})
    result = scan(path, *args, "--exit-code", "1")
    if counting is None:
        assert result.code == 0 and [s["by"] for s in result.report["suppressed"]] == ["--severity"]
        return
    assert [p["path"] for p in only(result)["places"] if p["reason"] is None] == counting and result.code == 1


# -- many ----------------------------------------------------------------------------------------------------------

def test_many_places(tmp_path):
    """The first hundred are listed, all are counted, and all count: that those listed are excepted is not enough."""
    path = write(tmp_path, [file(f"srv/{number:03}.env", f"T={HF}\n") for number in range(150)])
    result = scan(path)
    secret = only(result)
    assert places(secret, "path") == [f"srv/{number:03}.env" for number in range(100)] and secret["more_places"] == 50
    (tmp_path / "ignore.yaml").write_text("ignore:\n- path: 'srv/{0*,10[0-9]*,11*,12*,13*,140*}'\n  reason: we know\n")
    result = scan(path, "--ignorefile", tmp_path / "ignore.yaml", "--exit-code", "1")
    assert result.code == 1 and only(result)["path"] == "srv/141.env"
    table = scanner.run("image", "--input", path, "--scanners", "secret").stdout
    assert "srv/000.env:1:3" in table and "also in srv/003.env:1:3 (layer 0)" in table and "and in 146 more places" in table
    assert "srv/004" not in table


def test_many_of_one_file(tmp_path):
    """A file's limit is as before; what is beyond it is told once."""
    secret = only(scan(write(tmp_path, [file("log", f"T={HF}\n" * 250), file("other", HF)])))
    assert len(secret["places"]) + secret["more_places"] == 101 and secret["more_in_file"] == 150


@pytest.mark.skipif(not scanner.has_hooks(), reason="the program was built without test hooks (meson -Dtest_hooks=true)")
def test_in_whatever_order(tmp_path):
    """Who found it, and when, makes no difference."""
    entries = [file(f"srv/{number}.env", f"T={sk.token('huggingface-token', number % 7)}\nG={sk.github(seed=number % 5)}\n") for number in range(90)]
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(entries, entries[::-1])))
    reports = [scan(path, env={"PLIMSOLL_TEST_HELPERS": str(count)}).report["secrets"] for count in (0, 1, 5)]
    assert len(reports[0]) == 12 and reports[0] == reports[1] == reports[2]


# -- other reports ---------------------------------------------------------------------------------------------------

SECRET_NAME = sk.token("huggingface-token", "a name")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A secret in six places, and one that is the name of a variable; in every format that has secrets."""
    tmp_path = tmp_path_factory.mktemp("formats")
    history = [imagekit.run("x"), imagekit.line(f"ENV T={HF}"), imagekit.run("y"), imagekit.line(f"ENV {SECRET_NAME}={GH}")]
    path = write(tmp_path, [file("srv/a b.env", f"T={HF}\n")], [file("srv/b.env", f"\n U={HF}\n"), file("srv/a.zip", zip_of({"c": HF})), whiteout("srv/a b.env")],
                 history=history, config={"config": {"Env": [f"T={HF}", f"{SECRET_NAME}={GH}"]}})
    forms = ["json", "table", "sarif", "csv", "junit", "gitlab", "github", "markdown", "html", "openmetrics", "trivy"]
    args = [arg for form in forms for arg in ("-f", f"{form}={tmp_path / form}")]
    result = scanner.run("image", "--input", path, "--scanners", "secret", "--exit-code", "1", "-v", *args)
    assert result.code == 1, result
    return {"said": result.stdout + result.stderr, **{form: (tmp_path / form).read_text() for form in forms}}


def test_no_value_is_shown(reports):
    """Not as a variable's name either, nor whatever names the value by itself."""
    for form, text in reports.items():
        for value in (HF, GH, SECRET_NAME):
            assert value not in text and base64.b64encode(value.encode()).decode()[:-4] not in text, form
    assert "identity" not in reports["json"]


def test_the_name_that_is_a_secret(reports):
    found = {secret["match"]: secret for secret in json.loads(reports["json"])["secrets"]}
    assert len(found) == 3
    for value in (GH, SECRET_NAME):
        [secret] = [secret for match, secret in found.items() if match.startswith(value[:3]) and value.endswith(match[-4:])]
        assert places(secret, "path", "variable") == [("config:Env", None), ("history:3", None)]


def test_sarif(reports):
    """One result, with its first place as the location and the others beside it."""
    log = json.loads(reports["sarif"])
    assert not problems(schema("sarif-2.1.0-rtm.5.json", jsonschema.Draft4Validator), log)
    [result] = [result for result in check_sarif(log)["results"] if f"…{HF[-4:]})" in result["message"]["text"]]
    assert result["properties"]["places"] == 5
    uri = lambda place: place["physicalLocation"]["artifactLocation"]["uri"]
    assert [uri(place) for place in result["locations"]] == ["srv/a.zip"]
    assert [uri(place) for place in result["relatedLocations"]] == ["srv/b.env", "srv/a%20b.env", "config%3AEnv", "history%3A1"]
    assert [place["id"] for place in result["relatedLocations"]] == [1, 2, 3, 4]
    assert [place["message"]["text"] for place in result["relatedLocations"]] == [
        "srv/b.env:2:4 (layer 1)", "srv/a b.env:1:3 (layer 0, deleted in layer 1)", "config:Env (T)", "history:1 (T)"]
    assert result["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 2


def test_csv(reports):
    rows = [row for row in csv.DictReader(io.StringIO(reports["csv"])) if row["kind"] == "secret"]
    assert len(rows) == 3
    [row] = [row for row in rows if row["location"] == "srv/a.zip!c"]
    assert row["places"] == "srv/a.zip!c:1:1 (layer 1); srv/b.env:2:4 (layer 1); srv/a b.env:1:3 (layer 0, deleted in layer 1); config:Env (T); history:1 (T)"
    assert {row["variable"] for row in rows} == {""}


def test_words(reports):
    also = "Also in srv/b.env:2:4 (layer 1), srv/a b.env:1:3 (layer 0, deleted in layer 1), config:Env (T) and 1 more place."
    for form in ("junit", "gitlab", "github", "html", "sarif"):
        assert also in reports[form], form
    assert "`srv/a.zip!c:1:1` and 4 more places" in reports["markdown"]
    assert "also in config:Env (T)\n" in reports["table"] and "and in 1 more place\n" in reports["table"]


def test_each_is_one(reports):
    """Three secrets, not one for each place."""
    assert len(json.loads(reports["json"])["secrets"]) == 3 and "3 secrets." in reports["table"]
    assert reports["junit"].count("<failure") == 3 and reports["github"].count("::error ") == 3
    assert sum(int(n) for n in re.findall(r"(?m)^plimsoll_secrets\{.*\} (\d+)$", reports["openmetrics"])) == 3
    assert sum(len(r.get("Secrets", [])) for r in json.loads(reports["trivy"])["Results"]) == 3
    assert len(re.findall(r"(?m)^Secret: |\"Secret: ", reports["gitlab"])) == 3


def test_layers_of_the_page(reports):
    """A layer's row counts a secret once, and each layer that has it."""
    rows = dict(re.findall(r'<tr id="layer-(\d)">.*?data-label="Secrets">(?:<span[^>]*>)?(\w+)', reports["html"], re.S))
    assert rows == {"0": "1", "1": "1"}


# -- other commands -----------------------------------------------------------------------------------------------------

def test_compare(tmp_path):
    """In how many places it stands makes no difference; a report of the first form is like one of now."""
    few = write(tmp_path, [file("a", HF)], name="few.tar")
    many = write(tmp_path, [file("b", HF)], [file("c", HF)], config={"config": {"Env": [f"T={HF}", f"G={GH}"]}}, name="many.tar")
    told = json.loads(scanner.run("compare", few, many, "--scanners", "secret", "-f", "json").stdout)["changes"]
    assert [len(told["secrets"][how]) for how in ("new", "fixed", "unchanged")] == [1, 0, 1]
    assert told["totals"]["secrets"]["before"] == 1 and told["totals"]["secrets"]["after"] == 2
    report = scan(many).report
    report["schema_version"] = "1.0.0"
    keys = ("rule", "severity", "title", "match", "fingerprint", "more_in_file", "advice")
    report["secrets"] = [{**{key: secret[key] for key in keys}, **{key: value for key, value in place.items() if key not in ("reason", "variable", "base")}}
                         for secret, place in sk.places(report)]
    assert len(report["secrets"]) == 4
    (tmp_path / "old.json").write_text(json.dumps(report))
    told = json.loads(scanner.run("compare", tmp_path / "old.json", many, "--scanners", "secret", "-f", "json").stdout)["changes"]
    assert [len(told["secrets"][how]) for how in ("new", "fixed", "unchanged")] == [0, 0, 2]
    assert told["totals"]["secrets"]["before"] == 2


def test_context_is_told_of_every_file(tmp_path):
    """What a build would send is judged file by file: each needs its line."""
    for name in ("a.env", "d/b.env", "d/c.env"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"T={HF}\n")
    (tmp_path / ".dockerignore").write_text("a.env\n")
    told = json.loads(scanner.run("context", tmp_path, "-f", "json").stdout)
    assert sorted(s["path"] for s in told["secrets"]) == sorted(told["dockerignore"]) == ["d/b.env", "d/c.env"]


def test_folders(tmp_path):
    (tmp_path / "d").mkdir()
    for name in ("d/a.env", "d/b.env"):
        (tmp_path / name).write_text(f"T={HF}\n")
    result = scanner.run("secret", tmp_path, "--exit-code", "1")
    assert result.code == 1 and "d/a.env:1:3" in result.stdout and "also in d/b.env:1:3\n" in result.stdout and "1 secret." in result.stdout
