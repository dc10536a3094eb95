"""plimsoll.yaml: what goes before what, what is refused, and that it is never read unseen; variables of other tools."""

import json

import pytest

import imagekit
import scanner
from evidence import base, dist_info
from test_gate import IMAGES

MIXED = [*base(), *[entry for name, *_ in IMAGES["mixed"] for entry in dist_info(name, "1.0")]]


@pytest.fixture
def here(tmp_path, store):
    """here(yaml, *args, env=…): a scan in a folder with that plimsoll.yaml."""
    folder = tmp_path / "here"
    folder.mkdir()
    imagekit.write_archive(folder / "i.tar", imagekit.files_docker_old(imagekit.image_of(MIXED)))

    def run(text, *args, name="plimsoll.yaml", **more):
        if text is not None:
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return scanner.run("image", "--input", "i.tar", "--db", store, *args, cwd=folder, **more)
    run.folder = folder
    return run


def severities(result):
    return {finding["severity"] for finding in json.loads(result.stdout)["findings"]}


def test_it_is_read_and_said(here):
    result = here("severity: [HIGH, CRITICAL]\nignore-unfixed: true\nformat: json\nexit-code: 1\n")
    assert result.code == 1 and severities(result) == {"HIGH"}, result
    assert f"options were read from {here.folder}/plimsoll.yaml: severity, ignore-unfixed, format, exit-code" in result.stderr
    assert "options were read" not in here(None, "-q").stderr


def test_order(here):
    text = "severity: LOW\nformat: json\n"
    assert severities(here(text)) == set()
    assert severities(here(text, env={"PLIMSOLL_SEVERITY": "HIGH"})) == {"HIGH"}
    assert severities(here(text, "--severity", "CRITICAL", env={"PLIMSOLL_SEVERITY": "HIGH"})) == {"CRITICAL"}
    assert here(text, "-f", "table").stdout[0] != "{"


@pytest.mark.parametrize("value", ["false", "no", "off", "0"])
def test_a_switch_of_the_file_can_be_turned_off(here, value):
    text = "ignore-unfixed: true\nformat: json\n"
    assert severities(here(text)) == {"HIGH"}
    assert severities(here(text, env={"PLIMSOLL_IGNORE_UNFIXED": value})) == {"CRITICAL", "HIGH", "MEDIUM"}
    assert severities(here(text, "--ignore-unfixed=false")) == {"CRITICAL", "HIGH", "MEDIUM"}


@pytest.mark.parametrize("how", ["--config", "-c", "PLIMSOLL_CONFIG"])
def test_named(here, how):
    args, env = ([], {how: "own.yaml"}) if how.startswith("P") else ([how, "own.yaml"], {})
    here("severity: LOW\n", "--plan")  # lies there, and is not what is named
    result = here("severity: HIGH\nformat: json=out.json\nquiet: true\n", *args, name="own.yaml", env=env)
    report = json.loads((here.folder / "out.json").read_text())
    assert result.code == 0 and {f["severity"] for f in report["findings"]} == {"HIGH"} and not result.stderr


def test_none(here):
    result = here("severity: LOW\n", "--config", "/dev/null", "-f", "json")
    assert len(severities(result)) == 3 and "options were read" not in result.stderr


@pytest.mark.parametrize("text", [
    "format: json\nfilter-paths: ['opt/**']\n", "severity: HIGH\nseverities: LOW\n", "format: json\nvulnerability:\n  type: os\n",
    "format: json\nhelp: true\n", "format: json\nconfig: x\n", "format: json\ncompliance: x\n"])
def test_unknown_keys(here, text):
    result = here(text)
    assert result.code == 2 and "plimsoll.yaml, line " in result.stderr and "there is no option" in result.stderr, result
    assert not result.stdout


@pytest.mark.parametrize("text", [
    "severity: [HIGH\n", "- severity\n", "severity: {HIGH: true}\n", "severity: [[HIGH]]\n", "severity: HIGHEST\n", "ignore-unfixed: maybe\n",
    "ignore-unfixed: [true]\n", "severity: HIGH\nseverity: LOW\n", "severity: HIGH\n---\nexit-code: 0\n", "severity: \"HI\\0GH\"\n",
    "exit-code: 2\n", "[" * 5000, "a: &a [x]\nb: [" + "*a," * 5000 + "]\n", "x" * (65 << 10), b"\xff\xfe\0severity", b"severity: \xff\n",
    "? [a]\n: b\n", "!!python/object:os.system x\n", "--- &a\nseverity: *a\n", "\x1b]0;owned\x07: 1\n"])
def test_hostile(here, text):
    result = here(text)
    assert result.code == 2 and result.stderr and not result.stdout, result
    assert "\x1b" not in result.stderr and len(result.stderr) < 4000


@pytest.mark.parametrize("key, value", [
    ("output", "x.json"), ("file", "x.json"), ("format", "json=x.json"), ("format", "[table, json=x.json]"), ("db", "evil.db"),
    ("cache-dir", "x"), ("insecure", "true"), ("ca-cert", "x.pem"), ("username", "x"), ("registry-mirror", "docker.io=http://evil.example"),
    ("docker-host", "tcp://evil.example"), ("quiet", "true"), ("no-verify", "true"), ("password", "x"), ("registry-token", "x")])
def test_what_only_a_named_file_may_say(here, key, value):
    result = here(f"severity: HIGH\n{key}: {value}\n")
    assert result.code == 2 and "line 2" in result.stderr and "--config" in result.stderr, result
    assert sorted(p.name for p in here.folder.iterdir()) == ["i.tar", "plimsoll.yaml"]


def test_keys_of_other_commands_are_passed_over(here, store):
    result = here("severity: HIGH\nfacts-only: true\nformat: json\n", "-q")
    assert result.code == 0 and severities(result) == {"HIGH"}
    told = scanner.run("db", "status", "--db", store, "-f", "table", cwd=here.folder)
    assert told.code == 0 and told.stderr.rstrip().endswith("plimsoll.yaml: format"), told


def test_what_is_no_file_is_not_read(here):
    (here.folder / "plimsoll.yaml").mkdir()
    assert here(None).code == 0
    assert here(None, "--config", "plimsoll.yaml").code == 2 and here(None, "--config", "gone.yaml").code == 2


def test_variables_of_other_tools(here):
    env = {"TRIVY_SEVERITY": "HIGH", "GRYPE_FAIL_ON_SEVERITY": "low", "TRIVY_IGNORE_UNFIXED": "true", "TRIVY_CACHE_BACKEND": "fs",
           "TRIVY_NONSENSE": "1", "GRYPE_CHECK_FOR_APP_UPDATE": "false", "TRIVY_PASSWORD": "hunter2", "TRIVY_NO_PROGRESS": "true", "TRIVY_FORMAT": ""}
    result = here(None, "-f", "json", env=env)
    assert result.code == 0 and len(severities(result)) == 3
    told = [line for line in result.stderr.splitlines() if "is not read" in line]
    pairs = {tuple(word for word in line.split() if "_" in word) for line in told}
    assert pairs == {("TRIVY_SEVERITY", "PLIMSOLL_SEVERITY"), ("GRYPE_FAIL_ON_SEVERITY", "PLIMSOLL_FAIL_ON"),
                     ("TRIVY_IGNORE_UNFIXED", "PLIMSOLL_IGNORE_UNFIXED"), ("TRIVY_CACHE_BACKEND", "PLIMSOLL_CACHE_BACKEND"),
                     ("TRIVY_PASSWORD", "PLIMSOLL_PASSWORD")}
    assert "hunter2" not in result.stderr and len(told) == 5
