"""Ignore files: a table of file, what it hides, why, and what is said of each entry."""

import datetime
import functools
import json
import os
import pathlib
import subprocess

import pytest

import evidence as ev
import imagekit
import scanner
import secretkit
from tarkit import file

TODAY = "2026-06-15"
SITE = ev.SITE
# Packages of the image and what is found in them.
CRIT, HIGH, LOW, UNFIXED = "CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0004", "CVE-2024-0012"
SSL, CURL = "CVE-2024-0021", "CVE-2024-0024"
ALL = {CRIT, HIGH, LOW, UNFIXED, SSL, CURL}
TOKEN, FIRST = secretkit.github(), "app/one.env"


def layers():
    debian = [ev.os_release(), ev.dpkg(ev.deb("libssl3", "3.0.11-1~deb12u2", "openssl"), ev.deb("curl", "7.88.1-10"))]
    python = [e for name in ("crit-fixed", "high-fixed", "low-fixed", "high-unfixed") for e in ev.dist_info(name, "1.0")]
    python += ev.dist_info("low-fixed", "1.0", site="opt/venv/lib/python3.11/site-packages")
    secrets = [file(FIRST, f"TOKEN={TOKEN}\n"), file("app/two.env", f"TOKEN={secretkit.github(seed=1)}\n")]
    return debian, python, secrets


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    made = imagekit.image_of(*layers(), tags=("ghcr.io/me/app:1.2",))
    return imagekit.write_archive(tmp_path_factory.mktemp("ignore") / "image.tar", imagekit.files_docker_old(made))


@pytest.fixture
def scan(image, store, tmp_path):
    """scan({name: text}, *args): in a folder of its own that holds these files."""
    def run(files, *args, secrets=False, today=TODAY, env=None, **more):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        looked_for = [] if secrets else ["--scanners", "vuln"]
        return scanner.scan(image, *looked_for, *args, db=store, cwd=tmp_path,
                            env={"PLIMSOLL_TEST_TODAY": today, **(env or {})}, **more)
    return run


needs_hooks = pytest.mark.skipif(not scanner.has_hooks(), reason="the program was built without test hooks: no date of its own")


def hidden(result):
    return {s["id"]: (s["reason"], s["by"], s["until"]) for s in result.report["suppressed"]}


def states(result):
    return [(e["line"], e["id"], e["state"], e["findings"]) for e in result.report["exceptions"]]


OWN, PLAIN, TRIVY, GRYPE = ".plimsollignore.yaml", ".trivyignore", ".trivyignore.yaml", ".grype.yaml"
entry = "ignore:\n- reason: why\n  ".__add__
trivy = "vulnerabilities:\n- id: CVE-2024-0002\n  ".__add__
grype = "ignore:\n- ".__add__
NO_REASON = "named in {}, without a reason"
PYTHON = {CRIT, HIGH, LOW, UNFIXED}

# (file, its text, what it hides)
HIDES = [
    # .trivyignore
    (PLAIN, CRIT, {CRIT}),
    (PLAIN, "GHSA-aaaa-bbbb-0001", {CRIT}),
    (PLAIN, "DEBIAN-CVE-2024-0021", {SSL}),
    (PLAIN, f"# a comment\n\n  {CRIT}  \r\n{HIGH} # why\n#{LOW}\n", {CRIT, HIGH}),
    (PLAIN, f"{CRIT} exp:2026-06-16\n{HIGH}\texp:2099-01-01", {CRIT, HIGH}),
    (PLAIN, f"{CRIT} exp:2026-06-15\n{HIGH} exp:2026-06-14", set()),
    (PLAIN, "CVE-2024-*\ncve-2024-0001\nCVE-2024-000\nCVE-2024-00011\n", set()),
    (PLAIN, f"\ufeff{CRIT}", {CRIT}),
    (PLAIN, "", set()),
    # .trivyignore.yaml
    (TRIVY, trivy("statement: why"), {HIGH}),
    (TRIVY, trivy("paths: ['usr/local/**']"), {HIGH}),
    (TRIVY, trivy("paths: ['usr/local/*']"), set()),
    (TRIVY, trivy("paths: ['**/METADATA']"), {HIGH}),
    (TRIVY, trivy("paths: ['usr/*/lib/python3.1?/site-packages/{high,x}_[a-f]*.dist-info/METADATA']"), {HIGH}),
    (TRIVY, trivy("paths: [elsewhere, 'usr/**']"), {HIGH}),
    (TRIVY, trivy("purls: ['pkg:pypi/high-fixed']"), {HIGH}),
    (TRIVY, trivy("purls: ['pkg:pypi/High_Fixed@1.0']"), {HIGH}),
    (TRIVY, trivy("purls: ['pkg:pypi/high-fixed@1.1', 'pkg:npm/high-fixed']"), set()),
    (TRIVY, trivy("purls: ['pkg:pypi/high-fixed?a=b']"), set()),
    (TRIVY, trivy("purls: ['pkg:pypi/high-fixed']\n  paths: [x]"), set()),
    (TRIVY, trivy("expired_at: 2026-06-16"), {HIGH}),
    (TRIVY, trivy("expired_at: 2026-06-15"), set()),
    (TRIVY, trivy("expired_at: 2026-06-16T00:00:00Z"), {HIGH}),
    (TRIVY, f"secrets:\n- id: {HIGH}\nlicenses:\n- id: {HIGH}\nmisconfigurations:\n- id: {HIGH}\n", set()),
    (TRIVY, f"vulnerabilities:\n- id: {SSL}\n  purls: ['pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.5']", {SSL}),
    (TRIVY, f"vulnerabilities:\n- id: {SSL}\n  purls: ['pkg:deb/debian/libssl3?distro=debian-11']", set()),
    # .grype.yaml
    (GRYPE, grype("vulnerability: CVE-2024-0001"), {CRIT}),
    (GRYPE, grype("vulnerability: GHSA-aaaa-bbbb-0001\n  include-aliases: true\n  reason: why"), {CRIT}),
    (GRYPE, "check-for-app-update: false\nfail-on-severity: high\n", set()),
    (GRYPE, "ignore: []", set()),
    (GRYPE, grype("package: {name: crit-fixed}"), {CRIT}),
    (GRYPE, grype("package: {name: 'high-.*'}"), {HIGH, UNFIXED}),
    (GRYPE, grype("package: {name: 'crit'}"), set()),
    (GRYPE, grype("package: {name: 'CRIT-(fixed|x)', version: '1.0'}"), {CRIT}),
    (GRYPE, grype("package: {name: 'crit-fixed', version: '1.'}"), set()),
    (GRYPE, grype("package: {type: python}"), PYTHON),
    (GRYPE, grype("package: {language: python}"), PYTHON),
    (GRYPE, grype("package: {type: deb}"), {SSL, CURL}),
    (GRYPE, grype("package: {type: npm}"), set()),
    (GRYPE, grype("package: {type: deb, language: python}"), set()),
    (GRYPE, grype("package: {location: '/usr/local/**'}"), {CRIT, HIGH, UNFIXED}),
    (GRYPE, grype("package: {upstream-name: 'open.*'}"), {SSL}),
    (GRYPE, grype("match-type: exact-indirect-match"), {SSL}),
    (GRYPE, grype("namespace: debian:distro:debian:12"), {SSL, CURL}),
    (GRYPE, grype("namespace: github:language:python\n  fix-state: fixed"), {CRIT, HIGH, LOW}),
    (GRYPE, grype("fix-state: not-fixed"), {UNFIXED}),
    (GRYPE, grype("fix-state: wont-fix\n- fix-state: unknown\n- match-type: cpe-match\n- vex-status: not_affected"), set()),
    (GRYPE, grype("vulnerability: CVE-2024-0001\n  fix-state: ''\n  package: {name: ''}"), {CRIT}),
    # plimsoll's own
    (OWN, entry("id: CVE-2024-0001"), {CRIT}),
    (OWN, entry("id: [CVE-2024-0001, CVE-2024-0024]"), {CRIT, CURL}),
    (OWN, entry("id: CVE-2024-*"), set()),
    (OWN, entry("package: high-*"), {HIGH, UNFIXED}),
    (OWN, entry("package: high-*\n  id: CVE-2024-0012"), {UNFIXED}),
    (OWN, entry("package: high-*\n  version: '2.*'"), set()),
    (OWN, entry("package: '*-fixed'\n  version: 1.*"), {CRIT, HIGH, LOW}),
    (OWN, entry("path: /usr/local/**"), {CRIT, HIGH, UNFIXED}),  # low-fixed also lies in a venv
    (OWN, entry("path: ['usr/local/**', 'opt/venv/**']"), PYTHON),
    (OWN, entry("package: curl\n  image: ghcr.io/me/app:*"), {CURL}),
    (OWN, entry("package: curl\n  image: ghcr.io/me/*:1.3"), set()),
    (OWN, entry("package: curl\n  image: '*'"), {CURL}),
    (OWN, entry("package: curl\n  until: 2026-06-16"), {CURL}),
    (OWN, entry("package: curl\n  until: 2026-06-15"), set()),
    ("plimsollignore.yaml", entry("package: curl"), {CURL}),
    (".grype/config.yaml", grype("package: {name: curl}"), {CURL}),
    (".trivyignore.yml", trivy(""), {HIGH}),
]


@needs_hooks
@pytest.mark.parametrize("number", range(len(HIDES)), ids=lambda n: f"{HIDES[n][0]} {HIDES[n][1]!r}"[:90])
def test_hides(scan, number):
    name, text, expected = HIDES[number]
    result = scan({name: text})
    assert result.code == 0 and set(hidden(result)) == expected and result.ids() == ALL - expected, result
    for reason, by, _ in hidden(result).values():
        assert reason in ("why", NO_REASON.format(name)) and by.startswith(f"{name}:"), result
    for state in (e["state"] for e in result.report["exceptions"]):
        assert state != "applied" or expected


# (file, its text, what the message must say)
WRONG = [
    (PLAIN, f"{HIGH}\n{CRIT} exp:tomorrow\n", "line 2", "tomorrow"),
    (PLAIN, f"{CRIT} exp:2026-02-30\n", "line 1", "2026-02-30"),
    (PLAIN, f"{CRIT} exp:2026-1-1\n", "line 1", "2026-1-1"),
    (PLAIN, f"exp:2027-01-01 {CRIT}\n", "line 1", "first"),
    (PLAIN, b"CVE-2024-0001\n\xff\xfe\n", PLAIN, "UTF-8"),
    (PLAIN, b"CVE-2024-0001\0\n", PLAIN, "UTF-8"),
    (PLAIN, "#" * (1 << 20) + "\n", PLAIN, "limit"),
    (TRIVY, "vulnerabilities:\n- paths: [x]\n", "line 2", "id"),
    (TRIVY, "vulnerabilities:\n- CVE-2024-0001\n", "line 2", "key"),
    (TRIVY, "vulnerabilities: CVE-2024-0001\n", "line 1", "list"),
    (TRIVY, trivy("purls: [nonsense]"), "line 3", "nonsense"),
    (TRIVY, trivy("paths: ['a[']"), "line 3", "bracket"),
    (TRIVY, trivy("paths: []"), "line 3", "empty"),
    (TRIVY, trivy("expired_at: 2099-13-01"), "line 3", "2099-13-01"),
    (TRIVY, trivy("expire_at: 2099-12-01"), "line 3", "expire_at"),
    (TRIVY, trivy("id: CVE-1"), "line 3", "twice"),
    (TRIVY, "vulnerability:\n- id: CVE-2024-0001\n", "line 2", "vulnerability"),
    (TRIVY, "vulnerabilities:\n- id: [\n", "line", "YAML"),
    (TRIVY, "secrets:\n- id: a\n---\nsecrets:\n- id: b\n", "line 4", "second"),
    (GRYPE, grype("reason: all of it"), "line 2", "everything"),
    (GRYPE, grype("package: {}"), "line 2", "everything"),
    (GRYPE, grype("package: {nme: curl}"), "line 2", "nme"),
    (GRYPE, grype("package: {name: '('}"), "line 2", "expression"),
    (GRYPE, grype("vulnerabilty: CVE-2024-0001\n  package: {name: curl}"), "line 2", "vulnerabilty"),
    (GRYPE, grype("package: curl"), "line 2", "package"),
    (OWN, "ignore:\n- id: CVE-2024-0001\n", "line 2", "reason"),
    (OWN, "ignore:\n- id: CVE-2024-0001\n  reason: ''\n", "line 2", "reason"),
    (OWN, "ignore:\n- {id: CVE-2024-0001, reason: r}\n- reason: only this\n", "line 3", "everything"),
    (OWN, entry("image: '**'"), "line 2", "image"),
    (OWN, entry("id: CVE-2024-0001\n  untl: 2027-01-01"), "line 4", "untl"),
    (OWN, entry("id: CVE-2024-0001\n  until: next year"), "line 4", "next year"),
    (OWN, entry("id: {a: b}"), "line 3", "text"),
    (OWN, "exceptions:\n- id: CVE-2024-0001\n", "line 2", "exceptions"),
    (OWN, "- id: CVE-2024-0001\n  reason: r\n", "line 1", "ignore"),
    (OWN, "ignore:\n" + "- {id: a, reason: b}\n" * 20001, "line 20002", "limit"),
    (OWN, "ignore: &a\n- *a\n", "line 1", "key"),
    (OWN, "[" * 1000000, "line 1", "deeper"),
    (OWN, "ignore:\n" + "".join(" " * n + "-\n" for n in range(70)), "line 6", "deeper"),
]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda n: f"{WRONG[n][0]} {WRONG[n][1]!r}"[:90])
def test_what_cannot_be_understood(scan, number):
    """Found in the folder: exit 3; named on the command line: a wrong usage. Never a pass."""
    name, text, *told = WRONG[number]
    result = scan({name: text})
    assert result.code == 3 and all(part in result.complaints() for part in (name, *told)), result
    assert [e["where"] for e in result.errors] == ["policy"] and "policy" != result.verdict["reasons"]
    named = scan({name: text}, "--ignorefile", name)
    assert named.code == 2 and named.out == b"" and all(part in named.stderr for part in (name, *told)), named


def test_what_cannot_be_read(scan, tmp_path):
    assert "nothere" in (result := scan({}, "--ignorefile", "nothere")).stderr and result.code == 2
    os.mkdir(tmp_path / PLAIN)
    assert (result := scan({})).code == 3 and PLAIN in result.complaints()
    assert scan({}, "--ignorefile", "/dev/null").code == 0, "another is named: those here are not read"


def test_named_files(scan, tmp_path):
    """--ignorefile, more than once, instead of what lies there; its form is told by name and content."""
    files = {PLAIN: HIGH, "a.txt": CRIT, "b.yaml": entry("id: CVE-2024-0004"), "c.yml": "secrets: []\n" + trivy(""),
             "d.yaml": grype("vulnerability: CVE-2024-0021"), "e": "ignore:\n- package: {name: curl}\n",
             "my-grype.yaml": grype("package:\n    name: curl")}
    assert set(hidden(scan(files))) == {HIGH}
    for names, expected in (("a.txt", {CRIT}), ("b.yaml", {LOW}), ("c.yml", {HIGH}), ("d.yaml", {SSL}), ("e", {CURL}),
                            ("my-grype.yaml", {CURL}), ("a.txt b.yaml d.yaml", {CRIT, LOW, SSL})):
        args = [arg for name in names.split() for arg in ("--ignorefile", name)]
        assert set(hidden(scan({}, *args))) == expected, names
    assert set(hidden(scan({}, "--ignore-file=a.txt"))) == {CRIT}
    assert set(hidden(scan({}, env={"PLIMSOLL_IGNOREFILE": "a.txt"}))) == {CRIT}
    assert set(hidden(scan({}, "--ignorefile", "b.yaml", env={"PLIMSOLL_IGNOREFILE": "a.txt"}))) == {LOW}
    (tmp_path / "vex.json").write_text('{"@context": "https://openvex.dev/ns", "statements": []}')
    assert "--vex" in scan({}, "--ignorefile", "vex.json").stderr


def test_reasons(scan):
    text = f"# accepted,\n# by the team\n{CRIT}\n{HIGH}\n\n# of nothing\n\n{LOW}\n{SSL} exp:2099-01-01 # until then\n"
    result = scan({PLAIN: text})
    assert hidden(result) == {CRIT: ("accepted, by the team", ".trivyignore:3", None), HIGH: ("accepted, by the team", ".trivyignore:4", None),
                              LOW: (NO_REASON.format(PLAIN), ".trivyignore:8", None), SSL: ("until then", ".trivyignore:9", "2099-01-01")}


@needs_hooks
def test_states(scan):
    """What has run out hides nothing any more and is said; what is for nothing is said; all files count together."""
    files = {PLAIN: f"{CRIT}\n{HIGH} exp:2026-01-01\nCVE-1999-0001\n",
             TRIVY: f"secrets:\n- id: x\nmisconfigurations:\n- id: y\nvulnerabilities:\n- id: {CRIT}\n- id: {SSL}\n",
             OWN: "ignore:\n- {package: c*, reason: two of them, until: 2026-12-31}\n"}
    result = scan(files)
    assert set(hidden(result)) == {CRIT, CURL, SSL}
    assert states(result) == [(2, "package c*", "applied", 2), (1, CRIT, "applied", 1), (2, HIGH, "expired", 1),
                              (3, "CVE-1999-0001", "unused", 0), (2, "x", "skipped", 0), (4, "y", "skipped", 0),
                              (6, CRIT, "applied", 1), (7, SSL, "applied", 1)]
    assert hidden(result)[CRIT] == ("two of them", f"{OWN}:2", "2026-12-31"), "the first that says so"
    assert result.report["exceptions"][2] == {"file": PLAIN, "line": 2, "id": HIGH, "reason": None, "until": "2026-01-01",
                                              "state": "expired", "findings": 1}
    for told in (f"{PLAIN}: 1 of 3", f"{TRIVY}: 2 of 4", f"{OWN}: 1 of 1 exception took effect, on 2 findings",
                 f"{PLAIN}:2: the exception for {HIGH} has run out (2026-01-01)", f"{PLAIN}:3: the exception for CVE-1999-0001 is for nothing"):
        assert told in result.stderr, result
    assert scan({}, "--quiet").stderr == ""
    # Not the reproducible date of reports, but today's, decides.
    assert states(scan({}, env={"SOURCE_DATE_EPOCH": "1000000000"})) == states(result)
    assert states(scan({}, today="2025-12-31"))[2] == (2, HIGH, "applied", 1)


def test_the_gate_comes_after(scan):
    assert scan({PLAIN: CRIT}, "--fail-on", "CRITICAL").code == 1  # curl's
    assert scan({PLAIN: f"{CRIT}\n{CURL}"}, "--fail-on", "CRITICAL").code == 0
    assert scan({PLAIN: "\n".join(ALL)}, "--exit-code", "1").code == 0
    assert scan({PLAIN: "\n".join(ALL - {LOW})}, "--exit-code", "1").code == 1


def test_an_exception_goes_before_a_filter(scan):
    result = scan({PLAIN: CRIT}, "--severity", "LOW", "--ignore-unfixed")
    assert hidden(result)[CRIT][1] == ".trivyignore:1" and hidden(result)[HIGH][1] == "--severity"


@pytest.mark.parametrize("name,text,paths", [
    (PLAIN, "github-token", {FIRST, "app/two.env"}), (TRIVY, "secrets:\n- id: github-token\n  paths: [app/one.env]", {FIRST}),
    (TRIVY, "vulnerabilities:\n- id: github-token", set()), (OWN, entry("path: app/t*"), {"app/two.env"}),
    (OWN, entry("id: github-token\n  path: app/**\n  until: 2099-01-01"), {FIRST, "app/two.env"}), (OWN, entry("fingerprint: FINGERPRINT"), {FIRST}),
    (OWN, entry("path: app/**\n  package: curl"), set()), (GRYPE, grype("vulnerability: github-token"), set())])
def test_secrets(scan, name, text, paths):
    found = {s["path"]: s for s in scan({}, secrets=True).report["secrets"]}
    rule = found[FIRST]["rule"]
    text = text.replace("github-token", rule).replace("FINGERPRINT", found[FIRST]["fingerprint"])
    result = scan({name: text}, "--fail-on", "LOW", secrets=True)
    taken = {s["path"]: s for s in result.report["suppressed"] if "rule" in s}
    assert set(taken) == paths and {s["path"] for s in result.report["secrets"]} == set(found) - paths, result
    assert all(s["by"] == f"{name}:{1 if name == PLAIN else 2}" for s in taken.values())
    assert all(s["until"] == ("2099-01-01" if "until" in text else None) for s in taken.values())


def test_plimsoll_secret_takes_them(tmp_path):
    (tmp_path / "one.env").write_text(f"TOKEN={TOKEN}\n")
    assert scanner.run("secret", ".", "--exit-code", "1", cwd=tmp_path).code == 1
    (tmp_path / OWN).write_text(entry("path: one.env"))
    result = scanner.run("secret", ".", "--exit-code", "1", cwd=tmp_path)
    assert result.code == 0 and "1 more is excepted" in result.stdout, result


@needs_hooks
def test_table(scan, image, store, tmp_path):
    scan({PLAIN: f"# why\n{CRIT} exp:2099-01-01\n{HIGH} exp:2026-01-01\nCVE-1999-0001\n"})

    def table(*args):
        env = {"PLIMSOLL_TEST_TODAY": TODAY}
        return scanner.run("image", "--input", image, "--db", store, *args, cwd=tmp_path, env=env).stdout
    short, long = table(), table("--show-suppressed")
    assert "1 more is excepted in an ignore file (--show-suppressed lists them)." in short and CRIT not in short
    assert f"The exception for {HIGH} (.trivyignore:3) has run out on 2026-01-01" in short
    assert "1 exception is for nothing that was found" in short and "CVE-1999-0001" not in short
    assert f"  CRITICAL    {CRIT}  crit-fixed 1.0\n            why\n            by .trivyignore:2, until 2099-01-01\n" in long
    assert "The exception for CVE-1999-0001 (.trivyignore:4) is for nothing that was found." in long


def test_hostile_texts_are_made_safe(scan, image, store, tmp_path):
    scan({OWN: 'ignore:\n- id: CVE-2024-0001\n  reason: "a\\e[31m\\nb<script>\\u202e"\n'})
    result = scanner.run("image", "--input", image, "--db", store, "--show-suppressed", cwd=tmp_path)
    assert "\x1b" not in result.stdout and "\\x1b[31m\\x0ab<script>\\u202e" in result.stdout, result.stdout


# -- Trivy on the same files and facts ------------------------------------------------------------------------------

TRIVY_BINARY = pathlib.Path("/root/go/bin/trivy")
PEERS = scanner.REPO.parent / "shared" / "peers"


@functools.cache
def peers_cache():
    """A cache folder for Trivy with the shared facts, or None."""
    if not TRIVY_BINARY.is_file() or not (PEERS / "trivy.db.zst").is_file():
        return None
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "plimsoll-peers"
    (folder / "db").mkdir(parents=True, exist_ok=True)
    if not (folder / "db" / "trivy.db").is_file():
        subprocess.run(["zstd", "-dqf", PEERS / "trivy.db.zst", "-o", folder / "db" / "trivy.db"], check=True)
    dates = {"Version": 2, "NextUpdate": "2099-01-01T00:00:00Z", "UpdatedAt": "2026-11-24T00:00:00Z", "DownloadedAt": "2026-11-24T00:00:00Z"}
    (folder / "db" / "metadata.json").write_text(json.dumps(dates))
    return folder


def with_trivy(image, folder, *args):
    """Suppressed ids of flask as Trivy has them."""
    out = folder / "trivy.json"
    subprocess.run([TRIVY_BINARY, "image", "--input", image, "--cache-dir", peers_cache(), "--cache-backend", "memory",
                    "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--quiet", "--scanners", "vuln",
                    "-f", "json", "-o", out, "--show-suppressed", *args], check=True, cwd=folder, timeout=60, capture_output=True)
    results = json.loads(out.read_text())["Results"]
    return {m["Finding"]["VulnerabilityID"] for r in results for m in r.get("ExperimentalModifiedFindings") or []}


def with_plimsoll(image, folder, *args):
    starter = pathlib.Path(scanner.binary()).parent / "starter.db"
    result = scanner.scan(image, "--scanners", "vuln", *args, db=starter, cwd=folder)
    return {s["id"] for s in result.report["suppressed"]}


@pytest.fixture
def flask(tmp_path):
    if not peers_cache():
        pytest.skip("Trivy or ../shared/peers/trivy.db.zst is not there: nothing to compare with")
    made = imagekit.image_of(ev.base(), ev.dist_info("flask", "0.12.2"))
    return imagekit.write_archive(tmp_path / "flask.tar", imagekit.files_docker_old(made))


def day(number):
    return (datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(number)).isoformat()


ONE, TWO, THREE = "CVE-2019-1010083", "CVE-2018-1000656", "CVE-2023-30861"


def test_as_trivy_has_it(flask, tmp_path):
    """Both hide the same, entry by entry."""
    for name, text in (
            (PLAIN, f"# c\n{ONE}\n\n {TWO} exp:{day(1)} # x\n{THREE} exp:{day(0)}\nCVE-2026-*\n"),
            (PLAIN, f"{ONE} exp:{day(-1)}\n{TWO} other words\n#{THREE}\n"),
            (TRIVY, f"vulnerabilities:\n- id: {ONE}\n  paths: ['**/METADATA']\n- id: {TWO}\n  paths: [usr/local]\n"
                    f"- id: {THREE}\n  purls: ['pkg:pypi/Flask@0.12.2']\n"),
            (TRIVY, f"vulnerabilities:\n- id: {ONE}\n  purls: ['pkg:pypi/flask@0.12.3']\n- id: {TWO}\n  expired_at: {day(1)}\n"
                    f"- id: {THREE}\n  expired_at: {day(0)}\n")):
        (tmp_path / name).write_text(text)
        mine, its = (how(flask, tmp_path, "--ignorefile", name) for how in (with_plimsoll, with_trivy))
        assert mine == its and its, text
