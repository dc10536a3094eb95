"""Secrets: planted of every kind in every place, decoys beside them; what is found, what is said, and that
no secret is ever shown."""

import base64
import gzip
import io
import json
import os
import re
import subprocess
import zipfile
import zlib

import pytest

import archivekit
import imagekit
import scanner
import secretkit as sk
from tarkit import file, folder, opaque, whiteout


def scan(path, *args, **more):
    return scanner.scan(path, "--scanners", "secret", *args, **more)


def image(tmp_path, *layers, name="image.tar", **more):
    return imagekit.write_archive(tmp_path / name, imagekit.files_docker_25(imagekit.image_of(*layers, **more)))


def found(result):
    """{(rule, path)} of what counts, each place of it."""
    assert result.report is not None, result
    return {(secret["rule"], place["path"]) for secret, place in sk.places(result.report)}


def paths(result):
    return {path for _, path in found(result)}


# -- rules ----------------------------------------------------------------------------------------------

def test_rules_pass_their_own_examples():
    result = scanner.run("rules", "test")
    assert result.code == 0, result
    assert re.search(r"(\d+) rules, \d+ examples, 0 wrong", result.stdout)


def test_rules_have_what_is_promised():
    assert len(sk.rules()) >= 200
    for rule in sk.rules().values():
        assert rule["good"] and rule["bad"] + rule["other"], rule["id"]
        assert rule["revoke"] or rule["advice"], rule["id"]
        assert rule["severity"] in ("CRITICAL", "HIGH", "MEDIUM", "LOW"), rule["id"]


def test_no_secret_stands_in_the_repository():
    """Examples are shapes: the rules' own files hold nothing that their rules find."""
    result = scanner.run("secret", str(scanner.REPO / "rules"), "-f", "json")
    assert json.loads(result.stdout)["secrets"] == []


# -- every rule, planted ---------------------------------------------------------------------------------

def planted():
    """[(rule, path, text)] of all good examples; [(rule, path, text)] of all bad ones."""
    good, bad = [], []
    for rule in sk.rules().values():
        for kind, into in (("good", good), ("bad", bad)):
            for number, text in enumerate(rule[kind]):
                into.append((rule["id"], *sk.place(rule, f"srv/{kind}/{rule['id']}-{number}", text)))
    return good, bad


def test_recall_and_precision(tmp_path):
    """Some hundreds of secrets over three layers, two of them deleted again, with decoys beside them."""
    good, bad = planted()
    layers = [[], [], []]
    for number, (_, path, text) in enumerate(good):
        layers[number % 3].append(file(path, text))
    layers[0] += [file(path, text) for _, path, text in bad]
    layers[2] += [whiteout(path) for _, path, _ in good[0:90:3]]
    result = scan(image(tmp_path, *layers, compression="gzip"), "-v")
    assert result.code == 0, result
    hits, where = found(result), paths(result)
    missed = [(rule, path) for rule, path, _ in good if path not in where]
    assert len(missed) <= len(good) // 100, missed
    # As its own rule, or as the same thing by another: at least it is found.
    named = sum((rule, path) in hits for rule, path, _ in good)
    assert named >= len(good) * 9 // 10, [rule for rule, path, _ in good if (rule, path) not in hits]
    wrong = [(rule, path) for rule, path in hits if path in {path for _, path, _ in bad}]
    assert len(wrong) * 100 <= len(hits), wrong
    by_path = {place["path"]: place for _, place in sk.places(result.report)}
    for _, path, _ in good[0:90:3]:
        assert by_path[path]["deleted"] and by_path[path]["deleted_in"] == 2 and by_path[path]["layer"] == 0
    assert not any(by_path[path]["deleted"] for _, path, _ in good[1::3] if path in by_path)
    shown = result.stdout + result.stderr
    for _, path, text in good:
        core = sk.core(text)
        if path in by_path and core and len(core) >= 20:
            assert core not in shown, path
            assert base64.b64encode(core.encode()).decode().rstrip("=")[:-1] not in shown, path


# -- places ---------------------------------------------------------------------------------------------

HF, GH, AWS = sk.token("huggingface-token", 1), sk.github(seed=1), sk.aws(1)


def notebook():
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n"]},
        {"cell_type": "code", "metadata": {}, "execution_count": 1,
         "source": ["import os\n", f"os.environ[\"AWS_SECRET_ACCESS_KEY\"] = \"{AWS[1]}\"\n"],
         "outputs": [{"output_type": "stream", "name": "stdout", "text": [f"token {HF}\n"]}]}]}, indent=1)


def zip_of(files, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tar_gz(files):
    return archivekit.tar_of(files, "w:gz")


def loose(text):
    return zlib.compress(b"blob %d\0" % len(text) + text)


def elf(text):
    return b"\x7fELF\2\1\1" + b"\0" * 300 + text + b"\0" * 300


def sqlite(text):
    return b"SQLite format 3\0" + b"\0" * 200 + text + b"\0" * 100


def secret_manifest():
    key = base64.b64encode(sk.pem(seed=3).encode()).decode()
    return f"apiVersion: v1\nkind: Secret\ndata:\n  tls.key: {key}\n"


def safetensors(text):
    head = json.dumps({"__metadata__": {"token": text}, "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(head).to_bytes(8, "little") + head + b"\0\0\0\0"


PLACES = {
    "srv/plain.txt": (f"x {HF} y\n", "srv/plain.txt"),
    "srv/one-line.json": ('{"service":"s","operation":"a.b","auth_token":"%s"}' % sk.jwt(), "srv/one-line.json"),
    "srv/grafana.env": (f"GRAFANA_TOKEN={sk.jwt(2)}\n", "srv/grafana.env"),
    "srv/nb.ipynb": (notebook(), "srv/nb.ipynb"),
    "srv/utf16.txt": (("\ufeff" + f"key {HF}\r\n").encode("utf-16-le"), "srv/utf16.txt"),
    "srv/utf16be.txt": (f"key {HF} and more text\r\n".encode("utf-16-be"), "srv/utf16be.txt"),
    "srv/secret.yaml": (secret_manifest(), "srv/secret.yaml"),
    "srv/account.env": ("SA=" + base64.b64encode(json.dumps({
        "type": "service_account", "private_key": sk.pem("PRIVATE KEY", 4), "client_email": "a@p.iam.gserviceaccount.com",
    }).encode()).decode() + "\n", "srv/account.env"),
    "srv/app.whl": (zip_of({"app/settings.py": f'T = "{GH}"\n'}), "srv/app.whl!app/settings.py"),
    "srv/stored.zip": (zip_of({"a/b.env": f"T={GH}\n"}, zipfile.ZIP_STORED), "srv/stored.zip!a/b.env"),
    "srv/nested.zip": (zip_of({"in.tgz": tar_gz({"x/.env": f"T={GH}\n".encode()})}), "srv/nested.zip!in.tgz!x/.env"),
    "srv/app.tar.gz": (tar_gz({"conf/.env": f"HF={HF}\n".encode()}), "srv/app.tar.gz!conf/.env"),
    "srv/log.gz": (gzip.compress(f"GET {HF}\n".encode()), "srv/log.gz"),
    "srv/.git/objects/ab/" + "c" * 38: (loose(f"T={GH}\n".encode()), "srv/.git/objects/ab/" + "c" * 38),
    "srv/lib.so": (elf(GH.encode()), "srv/lib.so"),
    "srv/mod.pyc": (b"\xa7\r\r\n\0\0\0\0\0\0\0\0z3" + HF.encode() + b"r\x01\0\0\0", "srv/mod.pyc"),
    "srv/db.sqlite": (sqlite(GH.encode()), "srv/db.sqlite"),
    "srv/model.safetensors": (safetensors(HF), "srv/model.safetensors"),
    "root/.docker/config.json": (json.dumps({"auths": {"r.example.com": {
        "auth": base64.b64encode(f"bob:{sk.letters(20)}".encode()).decode()}}}), "root/.docker/config.json"),
    "root/.netrc": (f"machine api.wandb.ai\n  login user\n  password {sk.token('wandb-api-key')}\n", "root/.netrc"),
    "root/.git-credentials": (f"https://bob:{sk.letters(20)}@git.example.org\n", "root/.git-credentials"),
    "root/.pypirc": (f"[pypi]\nusername = __token__\npassword = {sk.letters(24)}\n", "root/.pypirc"),
    "root/.bash_history": (f"curl -H 'Authorization: Bearer {sk.letters(40)}' https://x\n", "root/.bash_history"),
    "root/.ssh/id_rsa": (sk.pem(seed=9), "root/.ssh/id_rsa"),
    "srv/escaped.js": (f'var a = "x\\n{HF}\\n";\n', "srv/escaped.js"),
    "srv/crlf.env": (f"HF_TOKEN={HF}\r\nOTHER=1\r\n", "srv/crlf.env"),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    entries = [file(path, data) for path, (data, _) in PLACES.items()]
    return scan(image(tmp_path_factory.mktemp("places"), entries))


@pytest.mark.parametrize("path", PLACES)
def test_place(places, path):
    assert places.code == 0, places
    assert PLACES[path][1] in paths(places), sorted(paths(places))


def test_notebook_cells(places):
    cells = {secret["rule"]: place["cell"] for secret, place in sk.places(places.report) if place["path"] == "srv/nb.ipynb"}
    assert cells == {"aws-access-key": 2, "huggingface-token": 2}


def test_one_finding_for_one_key(places):
    """A service account is that, not a private key as well."""
    rules = [secret["rule"] for secret, place in sk.places(places.report) if place["path"] == "srv/account.env"]
    assert rules == ["gcp-service-account"]


def test_lines_and_columns(tmp_path):
    text = "one\n\ttwo " + HF + "\n" + "x" * 300000 + "\n" + "three=" + GH + "\n"
    result = scan(image(tmp_path, [file("a.txt", text)]))
    assert [(s["rule"], s["line"], s["column"]) for s in result.report["secrets"]] == \
        [("huggingface-token", 2, 6), ("github-personal-token", 4, 7)]


@pytest.mark.parametrize("at", [*range(65400, 65540, 13), *range(131000, 131080, 7), *range(262100, 262150, 7), 300000, 524270])
def test_across_pieces(tmp_path, at):
    """Wherever the pieces of a stream end, a secret over their seam is found, once."""
    data = ("word " * (at // 5 + 1))[:at - 1] + " " + HF + " " + "more " * 60000
    result = scan(image(tmp_path, [file("a.txt", data)], compression="gzip"))
    assert [(s["rule"], s["column"]) for s in result.report["secrets"]] == [("huggingface-token", at + 1)]


def test_deleted_and_overwritten(tmp_path):
    result = scan(image(
        tmp_path, [file("a/gone.env", f"T={HF}"), file("a/over.env", f"T={GH}"), file("b/opaque.env", f"T={HF}"), file("kept.env", f"T={HF}")],
        [whiteout("a/gone.env"), file("a/over.env", "T=none")], [folder("b"), opaque("b")]))
    state = {p["path"]: (p["layer"], p["deleted"], p["deleted_in"]) for _, p in sk.places(result.report)}
    assert state == {"a/gone.env": (0, True, 1), "a/over.env": (0, True, 1), "b/opaque.env": (0, True, 2),
                     "kept.env": (0, False, None)}
    table = scanner.run("image", "--input", str(tmp_path / "image.tar"), "--scanners", "secret")
    assert "Deleted in layer 1, still readable in layer 0" in table.stdout


# -- config and history ------------------------------------------------------------------------------------

def test_config_and_history(tmp_path):
    tokens = {name: sk.token("huggingface-token", name) for name in ("env", "label", "cmd", "legacy", "buildkit", "curl", "health")}
    history = [imagekit.line(f"RUN |1 TOKEN={tokens['buildkit']} /bin/sh -c pip install x # buildkit", empty=False),
               imagekit.line(f"|2 A=1 PASS={tokens['legacy']} /bin/sh -c make", empty=True),
               imagekit.line(f"RUN /bin/sh -c curl -H 'X: {tokens['curl']}' https://x # buildkit", empty=False)]
    config = {"config": {"Env": ["PATH=/bin", f"HF_TOKEN={tokens['env']}"], "Labels": {"note": tokens["label"]},
                         "Cmd": ["serve", "--token", tokens["cmd"]],
                         "Healthcheck": {"Test": ["CMD", "curl", f"https://x/?t={tokens['health']}"]}}}
    path = image(tmp_path, [file("a", "x")], [file("b", "x")], history=history, config=config)
    result = scan(path)
    assert {(s["path"], s["layer"]) for s in result.report["secrets"]} == {
        ("config:Env", None), ("config:Labels", None), ("config:Cmd", None), ("config:Test", None),
        ("history:0", 0), ("history:1", None), ("history:2", 1)}
    for form in ("json", "table"):
        shown = scanner.run("image", "--input", str(path), "-f", form, "--scanners", "vuln,secret", "-v")
        for token in tokens.values():
            assert token not in shown.stdout + shown.stderr, form
    assert "…" in result.report["image"]["layers"][1]["instruction"]


def test_password_in_env(tmp_path):
    path = image(tmp_path, [file("a", "x")], config={"config": {"Env": ["DB_PASSWORD=k7Wq9-x2LmP4zT", "POSTGRES_PASSWORD=postgres"]}})
    assert [(s["rule"], s["match"]) for s in scan(path).report["secrets"]] == [("generic-password-env", "…")]


# -- what is none ----------------------------------------------------------------------------------------

DECOYS = {
    "README.md": "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n",
    "docs.txt": "export HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nAWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n",
    "aws.txt": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    "env.sh": "export TOKEN=${HF_TOKEN}\nexport PASSWORD=$(cat /run/secrets/x)\nDB_PASSWORD=changeme\n",
    "code.py": 'password = os.environ["DB_PASSWORD"]\napi_key = "your-api-key-goes-here"\ntoken = get_token(request)\n',
    "settings.py": 'TOKEN_URL = "https://login.example.org/oauth2/v2.0/token"\nSECRET_NAME = "projects/p/secrets/s"\n',
    "lock.json": '{"integrity": "sha512-' + sk.letters(86, sk.BASE62 + "+/") + '==", "sha": "' + sk.token("wandb-api-key") + '"}\n',
    "wrong-checksum.txt": "ghp_" + sk.letters(30) + "000000\n",
    "url.txt": "postgresql://user:password@localhost/db\nhttps://user:pass@example.com/\nhttp://host:8080/a@b\n",
    "cert.pem": sk.pem("CERTIFICATE"),
    "public.pem": sk.pem("PUBLIC KEY"),
    "uuid.txt": "id: 6f1c2e3d-4b5a-4978-8695-a4b3c2d1e0f9\n",
    "words.txt": "mask_description_and_keyword_arguments_of_the_tokenizer_configuration\n",
    "css.css": ".token-string{color:#a6e22e}.password-field{width:100%}\n",
}


@pytest.mark.parametrize("name", DECOYS)
def test_decoys(tmp_path, name):
    (tmp_path / name).write_text(DECOYS[name])
    result = scanner.run("secret", str(tmp_path / name), "-f", "json")
    assert json.loads(result.stdout)["secrets"] == []


def test_allowed_in_its_line_and_test_data(tmp_path):
    result = scan(image(tmp_path, [
        file("a.py", f'K = "{HF}"  # plimsoll:allow\nL = "{GH}"\n'),
        file("usr/lib/python3/dist-packages/x/tests/key.pem", sk.pem()),
        file("app/tests/key.pem", sk.pem(seed=2))]))
    assert found(result) == {("github-personal-token", "a.py"), ("private-key", "app/tests/key.pem")}
    assert {(s["rule"], s["by"]) for s in result.report["suppressed"]} == \
        {("huggingface-token", "plimsoll:allow"), ("private-key", "plimsoll")}


# -- gate, scanners, memory ----------------------------------------------------------------------------------

def test_gate(tmp_path, store):
    clean, dirty = image(tmp_path, [file("a", "x")], name="clean.tar"), image(tmp_path, [file("a", HF)], name="dirty.tar")
    assert scan(clean, "--exit-code", "1").code == 0
    assert scan(dirty, "--exit-code", "1").code == 1
    assert scan(dirty, "--exit-code", "5").code == 5
    assert scan(dirty, "--fail-on", "critical").code == 1
    assert scan(dirty, "--severity", "LOW", "--exit-code", "1").code == 0
    assert scanner.scan(dirty, "--scanners", "vuln", db=store).report["secrets"] == []
    assert len(scanner.scan(dirty, db=store).report["secrets"]) == 1
    assert scanner.run("image", "--input", str(dirty), "--scanners", "secrets").code == 2


def test_cache_holds_no_secret(tmp_path, monkeypatch):
    monkeypatch.delenv("PLIMSOLL_NO_CACHE", raising=False)
    cache = tmp_path / "cache"
    path = image(tmp_path, [file("a.env", f"T={HF}\nP={GH}\n")], compression="gzip", config={"config": {"Env": [f"X={GH}"]}})
    args = ["image", "--input", str(path), "--scanners", "secret", "-f", "json", "--cache-dir", str(cache)]
    environment = {key: value for key, value in scanner.environment().items() if key != "PLIMSOLL_NO_CACHE"}
    outputs = [subprocess.run([scanner.binary(), *args], capture_output=True, env=environment) for _ in range(2)]
    assert outputs[0].stdout == outputs[1].stdout and len(sk.places(json.loads(outputs[0].stdout))) == 3
    files = [where for where in cache.rglob("*") if where.is_file()]
    assert files
    for where in files:
        data = where.read_bytes()
        for token in (HF, GH):
            assert token.encode() not in data and base64.b64encode(token.encode())[:-4] not in data


def test_fingerprints(tmp_path):
    one = scan(image(tmp_path, [file("a", HF), file("b", f"x{' ' * 99}{HF}"), file("c", sk.token("huggingface-token", 77))]))
    prints = {place["path"]: secret["fingerprint"] for secret, place in sk.places(one.report)}
    assert prints["a"] == prints["b"] != prints["c"]
    assert all(re.fullmatch(r"[0-9a-f]{32}", text) for text in prints.values())


def test_baseline(tmp_path):
    """What a report has is known; what is new counts. A file that is none stops the gate."""
    old = image(tmp_path, [file("a.env", f"T={HF}\n")], name="old.tar")
    new = image(tmp_path, [file("b.env", f"T={HF}\nU={GH}\n")], name="new.tar")
    known = tmp_path / "known.json"
    assert scan(old, "-o", str(known)).code == 0
    result = scan(new, "--secret-baseline", str(known), "--exit-code", "1")
    assert result.code == 1 and found(result) == {("github-personal-token", "b.env")}
    assert [(s["rule"], s["by"]) for s in result.report["suppressed"]] == [("huggingface-token", "--secret-baseline")]
    assert scan(old, "--secret-baseline", str(known), "--exit-code", "1").code == 0
    for text in ("{", "[]", '{"secrets": {}}', '{"secrets": [{}]}', '{"secrets": [1]}'):
        known.write_text(text)
        assert scan(old, "--secret-baseline", str(known)).code == 3, text
    assert scan(old, "--secret-baseline", str(tmp_path / "none.json")).code == 3


OWN = r"""
rules:
  - id: acme-token
    title: Acme token
    severity: HIGH
    category: acme
    keywords: [acme]
    regex: (?i)acme_(?P<key>token|key)\s*=\s*['"](?P<value>[a-z0-9]{12,20})['"]
    secret-group-name: value
    path: .*\.conf$
    allow-rules:
      - id: staging
        regex: ^stag
allow-rules:
  - id: vendored
    path: (^|/)vendor/
disable-rules:
  - github-personal-token
"""


def test_own_rules(tmp_path):
    """trivy-secret.yaml: own rules, what they and all are allowed, what of plimsoll's is left out."""
    config = tmp_path / "trivy-secret.yaml"
    config.write_text(OWN)
    path = image(tmp_path, [file("a.conf", 'x\n ACME_KEY = "abcdef123456"\nacme_token="stag12345678"\n'),
                            file("a.txt", 'acme_key = "abcdef123456"\n'), file("vendor/x.env", f"T={HF}\n"),
                            file("b.env", f"T={HF}\nU={GH}\n")])
    result = scan(path, "--secret-config", str(config))
    assert {(s["rule"], s["path"]) for s in result.report["secrets"]} == {("acme-token", "a.conf"), ("huggingface-token", "b.env")}, result
    [own] = [s for s in result.report["secrets"] if s["rule"] == "acme-token"]
    assert (own["severity"], own["title"], own["line"], own["column"]) == ("HIGH", "Acme token", 2, 14)
    assert {(s["path"], s["reason"]) for s in result.report["suppressed"]} == {("a.conf", "allowed by staging of --secret-config")}
    assert {p["path"]: p["reason"] for s, p in sk.places(result.report) if s["rule"] == "huggingface-token"} == {
        "b.env": None, "vendor/x.env": "allowed by vendored of --secret-config"}
    config.write_text("enable-builtin-rules: [jwt]\n")
    assert found(scan(path, "--secret-config", str(config))) == set()


GITLEAKS = r"""
# a comment
title = "own"

[extend]
useDefault = true
disabledRules = ["github-personal-token"]

[[rules]]
id = "acme-token"
description = "Acme token"
regex = '''(?i)acme_(?P<key>token|key)[ ]*=[ ]*[(\[]?['"]([a-z0-9]{12,20})['"]'''
secretGroup = 2
entropy = 2.5
keywords = ["acme"]
  [rules.allowlist]
  stopwords = ["stag.1"]

[[rules]]
id = "first-group"
regex = "widget-([0-9]{8})"
path = '''\.conf$'''
[[rules.allowlists]]
regexes = ['^1+$']

[allowlist]
paths = [
  "(^|/)vendor/", # those
]
"""


def test_rules_of_gitleaks(tmp_path):
    config = tmp_path / "gitleaks.toml"
    config.write_text(GITLEAKS)
    path = image(tmp_path, [file("a.conf", 'ACME_KEY = "abcdef123456"\nacme_token="stag.1"\nacme_key = "aaaaaaaaaaab"\nwidget-20304050 widget-11111111\n'),
                            file("a.txt", "widget-20304050\n"), file("vendor/x.env", f"T={HF}\n"), file("b.env", f"T={HF}\nU={GH}\n")])
    result = scan(path, "--secret-config", str(config))
    assert {(s["rule"], s["path"], s["line"]) for s in result.report["secrets"]} == {
        ("acme-token", "a.conf", 1), ("first-group", "a.conf", 4), ("huggingface-token", "b.env", 1)}, result
    config.write_text(GITLEAKS.replace("useDefault = true", "useDefault = false"))
    assert {rule for rule, _ in found(scan(path, "--secret-config", str(config)))} == {"acme-token", "first-group"}
    for text in ("[[rules]]\nregex = 'a'\n", "a = ", "[a", "a = 1\na = 2\n", "a = \"x", "[[rules]]\nid='a'\nregex='('\n", "a = [1 2]", "\xff = 1"):
        config.write_bytes(text.encode("latin-1"))
        assert scan(path, "--secret-config", str(config)).code == 3, text


@pytest.mark.parametrize("text, word", {
    "rules: [": "no YAML", "- a": "configuration", "rules: [{id: a}]": "regex", "rules: [{id: a, regex: 'a('}]": "rule a",
    "rules: [{id: a, regex: b, severity: BAD}]": "severity", "allow-rules: [{id: a}]": "allow rule",
    "allow-rules: [{id: a, path: '['}]": "a"}.items())
def test_wrong_rules(tmp_path, text, word):
    """A file that cannot be read is an error, not a scan without it."""
    config = tmp_path / "own.yaml"
    config.write_text(text)
    result = scan(image(tmp_path, [file("a", HF)]), "--secret-config", str(config))
    assert result.code == 3 and word in result.stderr, result


IGNORES = {
    "": [], "*": ["a.env", "d/a.env", "d/e/a.env", ".git/config"], "a.env": ["a.env"], "/a.env": ["a.env"], "*.env": ["a.env"],
    "**/*.env": ["a.env", "d/a.env", "d/e/a.env"], "d": ["d/a.env", "d/e/a.env"], "d/": ["d/a.env", "d/e/a.env"],
    "d/*": ["d/a.env", "d/e/a.env"], "*/a.env": ["d/a.env"], "**/e/*": ["d/e/a.env"], "**": ["a.env", "d/a.env", "d/e/a.env", ".git/config"],
    "*\n!a.env": ["d/a.env", "d/e/a.env", ".git/config"], "d\n!d/e": ["d/a.env"], "!a.env\n*.env": ["a.env"], "#a.env": [],
    "?.env": ["a.env"], "[a-c].env": ["a.env"], "x/../a.env": ["a.env"], " a.env ": ["a.env"], ".git": [".git/config"], "./d/e": ["d/e/a.env"],
}


@pytest.mark.parametrize("ignore", IGNORES)
def test_dockerignore(tmp_path, ignore):
    """As docker build reads it: what is left out is no secret that is sent."""
    everything = ["a.env", "d/a.env", "d/e/a.env", ".git/config"]
    for path in everything:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"T={HF}\n")
    (tmp_path / ".dockerignore").write_text(ignore)
    result = scanner.run("context", str(tmp_path), "-f", "json", "--exit-code", "1")
    told = json.loads(result.stdout)
    sent = sorted(set(everything) - set(IGNORES[ignore]))
    assert sorted(s["path"] for s in told["secrets"]) == sent
    assert told["files"] == len(sent) + 1 and told["files_left_out"] == len(IGNORES[ignore])
    assert result.code == (1 if sent else 0)
    assert scanner.run("context", str(tmp_path), "--write").code == 0
    again = json.loads(scanner.run("context", str(tmp_path) + "/", "-f", "json").stdout)
    assert again["secrets"] == [] and HF not in result.stdout


def test_pipe_and_file(tmp_path):
    result = subprocess.run([scanner.binary(), "secret", "-", "-f", "json"], input=f"T={HF}\n".encode(), capture_output=True,
                            env=scanner.environment())
    assert [s["rule"] for s in json.loads(result.stdout)["secrets"]] == ["huggingface-token"]
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "x.env").write_text(f"T={HF}\n")
    result = scanner.run("secret", str(tmp_path), "-f", "json", "--exit-code", "1")
    assert result.code == 1 and [s["path"] for s in json.loads(result.stdout)["secrets"]] == ["dev/x.env"]
    assert scanner.run("secret", str(tmp_path / "nothing")).code == 3
    assert scanner.run("secret").code == 2


# -- hostile -----------------------------------------------------------------------------------------------

def test_all_matches(tmp_path):
    """A file that is all secrets: the first ones are listed, the rest counted."""
    text = "".join(f"T{n}={sk.token('huggingface-token', n)}\n" for n in range(700))
    result = scan(image(tmp_path, [file("all.env", text)]))
    assert len(result.report["secrets"]) == 100
    assert sum(s["more_in_file"] for s in result.report["secrets"]) == 600


def test_long_line(tmp_path):
    """A line of 60 MB with a secret at its end, in little memory."""
    (tmp_path / "line.js").write_text("a=1;" * (15 << 20) + f'k="{HF}"')
    result = scanner.run("secret", str(tmp_path), "-f", "json", "--stats")
    report = json.loads(result.stdout)
    assert [(s["line"], s["column"]) for s in report["secrets"]] == [(1, 4 * (15 << 20) + 4)]
    if not scanner.sanitized():
        assert report["stats"]["worker_peak_memory"] < 100 << 20


DAMAGED = {
    "cut.zip": zip_of({"a.env": f"T={HF}\n" * 50, "b.env": f"T={GH}\n"})[:120],
    "garbage.zip": b"PK\3\4" + bytes(range(256)) * 20,
    "cut.tgz": tar_gz({"a": os.urandom(5000)})[:900],
    "bad.gz": b"\x1f\x8b\x08\0\0\0\0\0\0\3" + b"\xff" * 500,
    "pack.pack": b"PACK\0\0\0\2\0\0\0\7" + b"\x95\x0a" + b"\xff" * 100,
    "bad.ipynb": b'{"cells": [{"source": ["' + b"\\u" * 50,
    "deep.ipynb": b'{"cells":' + b"[" * 5000,
    "odd.safetensors": (1 << 23).to_bytes(8, "little") + b"{" + b"x" * 100,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(tmp_path, name):
    """Damage in a file is no error of the image; what stands beside it is found."""
    result = scan(image(tmp_path, [file(f"a/{name}", DAMAGED[name]), file("b.env", f"T={GH}\n")]))
    assert result.code == 0 and ("github-personal-token", "b.env") in found(result), result


def test_bomb(tmp_path):
    """An archive that unpacks to more than it may stands by name among what was not judged."""
    bomb = gzip.compress(b"\0" * (200 << 20), 9)
    result = scan(image(tmp_path, [file("a/bomb.gz", gzip.compress(bomb, 9)), file("b.env", f"T={GH}\n")]))
    assert ("github-personal-token", "b.env") in found(result)
    assert result.code == 0 and result.report["errors"] == []
    assert [u for u in result.report["unjudged"] if "a/bomb.gz" in u["reason"] and "decompression bomb" in u["reason"]], result


def test_loose_object_is_text(tmp_path):
    """The header of a loose object ends in a NUL; what follows is looked at as the text that it is."""
    result = scan(image(tmp_path, [file(".git/objects/ab/" + "c" * 38, loose(f"key {AWS[0]}\n".encode()))]))
    assert {rule for rule, _ in found(result)} == {"aws-access-key-id"}
