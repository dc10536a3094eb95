"""The verdict: a table of severities × unfixed × gate × broken layer, and what is never clean."""

import itertools
import json
import os
import re
import resource
import signal
import subprocess

import pytest

import advisories
import evidence as ev
import imagekit
import scanner
from tarkit import file, tar_of

ORDER = ["UNKNOWN", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL"]

# name: packages of the image, as (name, severity, has a fix)
IMAGES = {
    "nothing": [],
    "low": [("low-fixed", "LOW", True)],
    "unfixed critical": [("crit-unfixed", "CRITICAL", False)],
    "unknown": [("unknown-fixed", "UNKNOWN", True)],
    "mixed": [("crit-unfixed", "CRITICAL", False), ("high-fixed", "HIGH", True), ("medium-unfixed", "MEDIUM", False)],
    "all": [(f"{short}-{state}", severity, state == "fixed") for state in ("fixed", "unfixed")
            for short, severity in (("crit", "CRITICAL"), ("high", "HIGH"), ("medium", "MEDIUM"), ("low", "LOW"))],
}
SEVERITIES = [None, "CRITICAL", "HIGH,CRITICAL", "LOW,MEDIUM", "UNKNOWN"]
GATES = [[], ["--exit-code", "0"], ["--exit-code", "1"], ["--exit-code", "42"], ["--fail-on", "CRITICAL"],
         ["--fail-on", "HIGH"], ["--fail-on", "LOW"], ["--fail-on", "HIGH", "--exit-code", "9"]]


def expected_code(packages, severities, ignore_unfixed, gate, broken):
    """The rule in a few lines: what is left after the filters, then the gate, but a broken layer first."""
    if broken:
        return 3
    left = [severity for _, severity, fixed in packages
            if (severities is None or severity in severities.split(",")) and (fixed or not ignore_unfixed)]
    options = dict(zip(gate[::2], gate[1::2]))
    if "--fail-on" in options:
        left = [severity for severity in left if ORDER.index(severity) >= ORDER.index(options["--fail-on"])]
    code = int(options.get("--exit-code", 1 if "--fail-on" in options else 0))
    return code if left else 0


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An archive for each row of IMAGES, whole and with a layer that ends in the middle."""
    folder, made = tmp_path_factory.mktemp("gate"), {}
    for name, packages in IMAGES.items():
        layers = [tar_of(ev.base()), tar_of([e for package, *_ in packages for e in ev.dist_info(package, "1.0")]),
                  tar_of([file("srv/data", os.urandom(4000))])]
        for broken in (False, True):
            image = imagekit.Image(layers, compression="gzip")
            files = imagekit.files_docker_old(image)
            if broken:
                last = [n for n in files if n.endswith("layer.tar")][-1]
                files[last] = files[last][:2000]
            made[name, broken] = imagekit.write_archive(folder / f"{name}-{broken}.tar", files)
    return made


@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
@pytest.mark.parametrize("name", IMAGES)
def test_table(images, store, name, broken):
    wrong = []
    for severities, ignore, gate in itertools.product(SEVERITIES, (False, True), GATES):
        args = [*(["--severity", severities] if severities else []), *(["--ignore-unfixed"] if ignore else []), *gate]
        result = scanner.scan(images[name, broken], *args, db=store)
        want = expected_code(IMAGES[name], severities, ignore, gate, broken)
        if result.code != want or result.verdict["pass"] != (want == 0) or bool(result.errors) != broken \
                or (want and not result.verdict["reasons"]):
            wrong.append(f"{' '.join(args) or 'no options'}: exit {result.code}, expected {want}; "
                         f"verdict {result.verdict}, errors {result.errors}")
    assert not wrong, "\n".join(wrong)


def test_broken_layer_keeps_the_others(images, store):
    result = scanner.scan(images["mixed", True], db=store)
    assert result.code == 3
    assert result.ids() == {"CVE-2024-0002", "CVE-2024-0011", "CVE-2024-0013"}
    assert {error["layer"] for error in result.errors} == {2}


def test_nothing_is_dropped_in_silence(images, store):
    """What a filter takes out of the findings stands in suppressed[], with a reason."""
    everything = scanner.scan(images["all", False], db=store).ids()
    assert len(everything) == 8
    for args in (["--severity", "HIGH"], ["--ignore-unfixed"], ["--severity", "LOW", "--ignore-unfixed"]):
        report = scanner.scan(images["all", False], *args, db=store).report
        kept, taken = ({f["id"] for f in report[key]} for key in ("findings", "suppressed"))
        assert kept | taken == everything and not kept & taken and taken, args
        assert all(f["reason"] for f in report["suppressed"])


@pytest.mark.parametrize("written", ["high,critical", "HIGH,critical", "CRITICAL,HIGH", "High"])
def test_severities_in_any_case(images, store, written):
    result = scanner.scan(images["mixed", False], "--severity", written, "--exit-code", "1", db=store)
    assert result.code == 1 and "CVE-2024-0002" in result.ids()


# -- what the store cannot judge ------------------------------------------------------------------------

UBUNTU = [ev.os_release(ev.UBUNTU), ev.dpkg(ev.deb("curl", "7.81.0-1ubuntu1.10"), ev.deb("bash", "5.1-6ubuntu1"))]
NO_OS = [ev.dpkg(ev.deb("curl", "7.81.0-1"), ev.deb("bash", "5.1-6"))]
ONLY_PYTHON = ev.dist_info("app", "1.0")
UNJUDGED = {
    "Ubuntu, store without Ubuntu": (UBUNTU, advisories.STANDARD, 2),
    "no os-release": (NO_OS, advisories.STANDARD, 2),
    "empty os-release": ([*NO_OS, ev.os_release("")], advisories.STANDARD, 2),
    "unknown distribution": ([*NO_OS, ev.os_release("ID=plan9\nVERSION_ID=4\n")], advisories.STANDARD, 2),
    "another release": ([*NO_OS, ev.os_release(ev.DEBIAN.replace('"12"', '"14"'))], advisories.STANDARD, 2),
    "Python, store without PyPI": ([*ev.base(), *ONLY_PYTHON], [advisories.debian("DEBIAN-CVE-1-1", "x", "1")], 1),
    "one of two ecosystems": ([*UBUNTU, *ONLY_PYTHON], advisories.STANDARD, 2),
}


@pytest.fixture(scope="module")
def store_for(make_store):
    """One store for each list of advisories that the table names."""
    made = {}

    def get(records):
        return made.setdefault(id(records), None) or made.__setitem__(id(records), make_store(records)) or made[id(records)]
    return get


@pytest.mark.parametrize("name", UNJUDGED)
def test_unjudged_is_never_clean(tmp_path, scan_layers, store_for, name):
    entries, records, count = UNJUDGED[name]
    for gate, allow, code in itertools.product(([], ["--exit-code", "1"], ["--fail-on", "CRITICAL"]), (False, True), (None,)):
        result = scan_layers(entries, args=[*gate, *(["--allow-unjudged"] if allow else [])], db=store_for(records))
        code = 3 if gate and not allow else 0
        assert result.code == code, (gate, allow, result)
        assert sum(part["components"] for part in result.report["unjudged"]) == count, result
        assert all(part["reason"] for part in result.report["unjudged"]), result
        assert code == 0 or "judged" in " ".join(result.verdict["reasons"]), result
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(entries)))
    told = scanner.run("image", "--input", path, "--db", store_for(records)).stdout
    assert re.search(rf"not judged:? {count}\b|\b{count}\b.* not judged", told, re.I), f"it has to say that {count} packages were not judged\n{told}"
    assert "no " in name or "empty" in name or "db import" in told, f"it has to say how to get the data\n{told}"


def test_unjudged_does_not_hide_a_finding(scan_layers):
    """Both at once: what was found still is there, and the result is not trusted."""
    layer = [*UBUNTU, *ev.dist_info("crit-fixed", "1.0")]
    assert scan_layers(layer, args=["--exit-code", "1"]).code == 3
    result = scan_layers(layer, args=["--exit-code", "1", "--allow-unjudged"])
    assert result.code == 1 and result.ids() == {"CVE-2024-0001"}


@pytest.mark.parametrize("entries", [[ev.os_release()], [ev.os_release(), ev.dpkg("")], [ev.os_release(), file(ev.STATUS, "")]])
def test_a_distribution_without_packages_is_not_clean(scan_layers, entries):
    """Row 19: a Debian with no package at all is one whose database was lost."""
    result = scan_layers(entries, args=["--exit-code", "1"])
    assert result.code == 3, result


def test_an_image_of_nothing_known_is_not_clean(scan_layers):
    """FROM scratch with one static program: nothing in it could be judged, so a gate does not pass."""
    layer = [file("bin/app", b"\x7fELF")]
    assert scan_layers(layer, args=["--exit-code", "1"]).code == 3
    assert scan_layers(layer, args=["--exit-code", "1", "--allow-unjudged"]).code == 0
    assert scan_layers(layer).code == 0


STORES = {
    "not there": lambda path: None,
    "empty file": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"this is no database" * 300),
    "a folder": lambda path: path.mkdir(),
    "another database": lambda path: subprocess.run(
        ["python3", "-c", f"import sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('create table t (x)'); c.commit()"], check=True),
}


@pytest.mark.parametrize("allow", [False, True])
@pytest.mark.parametrize("kind", STORES)
def test_no_store_is_never_clean(images, tmp_path, kind, allow):
    path = tmp_path / "no-store.db"
    STORES[kind](path)
    for gate in ([], ["--exit-code", "1"]):
        result = scanner.scan(images["all", False], *gate, *(["--allow-unjudged"] if allow else []), db=path)
        assert result.code == 3, result
        assert "no-store.db" in result.complaints()
    assert kind != "not there" or not path.exists(), "a scan makes no store"


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_store(images, store, tmp_path, part):
    whole = store.read_bytes()
    cut = tmp_path / "cut.db"
    cut.write_bytes(whole[:int(len(whole) * part)])
    result = scanner.scan(images["all", False], "--exit-code", "1", db=cut)
    assert result.code == 3 or result.code == 1 and len(result.ids()) == 8, result


# -- options, from both sides -----------------------------------------------------------------------------

@pytest.mark.parametrize("env,args,code", [
    ({}, [], 0), ({"PLIMSOLL_EXIT_CODE": "5"}, [], 5), ({"PLIMSOLL_EXIT_CODE": "5"}, ["--exit-code", "6"], 6),
    ({"PLIMSOLL_EXIT_CODE": "5"}, ["--exit-code", "0"], 0), ({"PLIMSOLL_FAIL_ON": "HIGH"}, [], 1),
    ({"PLIMSOLL_FAIL_ON": "HIGH", "PLIMSOLL_IGNORE_UNFIXED": "1"}, ["--severity", "CRITICAL"], 0),
    ({"PLIMSOLL_FAIL_ON": "HIGH", "PLIMSOLL_IGNORE_UNFIXED": "0"}, ["--severity", "CRITICAL"], 1),
    ({"PLIMSOLL_SEVERITY": "LOW", "PLIMSOLL_EXIT_CODE": "1"}, [], 0),
    ({"PLIMSOLL_SEVERITY": "LOW,MEDIUM", "PLIMSOLL_EXIT_CODE": "1"}, [], 1),
    ({"PLIMSOLL_SEVERITY": "LOW", "PLIMSOLL_EXIT_CODE": "1"}, ["--severity", "HIGH"], 1)])
def test_environment(images, store, env, args, code):
    """Every option also from the environment; the command line goes first."""
    assert scanner.scan(images["mixed", False], *args, db=store, env=env).code == code


def test_environment_names_store_and_input(images, store):
    env = {"PLIMSOLL_DB": str(store), "PLIMSOLL_INPUT": str(images["mixed", False]), "PLIMSOLL_FORMAT": "json"}
    done = scanner.run("image", env=env)
    assert done.code == 0, done
    assert len(json.loads(done.stdout)["findings"]) == 3


def test_allow_unjudged_from_the_environment(scan_layers, tmp_path, store):
    path = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(UBUNTU)))
    assert scanner.scan(path, "--exit-code", "1", db=store, env={"PLIMSOLL_ALLOW_UNJUDGED": "1"}).code == 0


INPUT = ["image", "--input", "x.tar"]
WRONG = [  # arguments, environment, what the message has to name
    (["image"], {}, "input"),
    ([*INPUT, "--nonsense"], {}, "--nonsense"), ([*INPUT, "-Z"], {}, "-Z"), ([*INPUT, "--severity"], {}, "--severity"),
    ([*INPUT, "--severity", "HIGH,BAD"], {}, "BAD"), ([*INPUT, "--severity", ""], {}, "severity"),
    ([*INPUT, "--fail-on", "SOMETIMES"], {}, "SOMETIMES"), ([*INPUT, "-f", "xml2"], {}, "xml2"),
    ([*INPUT, "--exit-code", "x"], {}, "exit-code"), ([*INPUT, "--exit-code", "-1"], {}, "exit-code"),
    ([*INPUT, "--exit-code", "256"], {}, "exit-code"), ([*INPUT, "--exit-code", "1x"], {}, "exit-code"),
    ([*INPUT, "--exit-code", ""], {}, "exit-code"), ([*INPUT, "--exit-code", "99999999999999999999"], {}, "exit-code"),
    ([*INPUT, "--platform", "amd64/linux/x/y"], {}, "platform"), ([*INPUT, "--platform", ""], {}, "platform"),
    ([*INPUT, "second.tar"], {}, "one image"), (["image", "a.tar", "b.tar"], {}, "one image"), (["rootfs"], {}, "rootfs"),
    (["db"], {}, "db"), (["db", "nonsense"], {}, "nonsense"), (["db", "import"], {}, "import"),
    (INPUT, {"PLIMSOLL_SEVERITY": "BAD"}, "PLIMSOLL_SEVERITY"), (INPUT, {"PLIMSOLL_EXIT_CODE": "x"}, "PLIMSOLL_EXIT_CODE"),
    (INPUT, {"PLIMSOLL_FAIL_ON": "x"}, "PLIMSOLL_FAIL_ON"), (INPUT, {"PLIMSOLL_IGNORE_UNFIXED": "perhaps"}, "PLIMSOLL_IGNORE_UNFIXED"),
]


def test_what_is_no_command_is_an_image():
    """`plimsoll NAME`: looked for; and when nobody has it, the thought that a command was meant."""
    result = scanner.run("nonsense", "--image-src", "podman", env={"CONTAINERS_STORAGE_CONF": "/dev/null", "HOME": "/nowhere"})
    assert result.code == 3 and 'cannot get "nonsense"' in result.stderr and "--help" in result.stderr, result


@pytest.mark.parametrize("args,env,named", WRONG, ids=[" ".join([*map(repr, e.items())] + a) or "nothing" for a, e, _ in WRONG])
def test_wrong_usage(tmp_path, args, env, named):
    result = scanner.run(*args, env=env, cwd=tmp_path)
    assert result.code == 2, result
    assert named in result.stderr, result
    assert result.stdout == "", "wrong usage says nothing on stdout"


def test_no_argument_at_all():
    result = scanner.run()
    assert result.code == 2 and "plimsoll image" in result.stdout + result.stderr, result


@pytest.mark.parametrize("args", [["--help"], ["image", "--help"], ["rootfs", "--help"], ["db", "--help"], ["--version"]])
def test_help_is_no_error(args):
    result = scanner.run(*args)
    assert result.code == 0 and result.stdout.strip() and not result.stderr, result


def test_help_names_the_options():
    text = scanner.run("image", "--help").stdout
    for option in ("--input", "--platform", "--image", "--base-image", "--db", "--format", "--output", "--severity", "--ignore-unfixed",
                   "--exit-code", "--fail-on", "--allow-unjudged", "--no-verify", "--quiet", "--verbose", "--stats"):
        assert option in text, option


# -- the report's way out ---------------------------------------------------------------------------------------

@pytest.fixture
def out_folder(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_output_file(images, store, out_folder):
    out = out_folder / "report.json"
    result = scanner.run("image", "--input", images["mixed", False], "--db", store, "-f", "json", "-o", out, "--exit-code", "1")
    assert result.code == 1
    assert result.stdout == "", "what goes to a file does not go to stdout as well"
    assert len(json.loads(out.read_text())["findings"]) == 3
    assert os.listdir(out_folder) == ["report.json"], "nothing is left beside it"
    assert out.read_bytes() == scanner.scan(images["mixed", False], "--exit-code", "1", db=store).out


def test_output_replaces_what_was_there(images, store, out_folder):
    out = out_folder / "report.json"
    out.write_text("x" * 10_000_000)
    assert scanner.run("image", "--input", images["mixed", False], "--db", store, "-f", "json", "-o", out).code == 0
    assert len(json.loads(out.read_text())["findings"]) == 3


def test_output_of_a_broken_scan_says_so(images, store, out_folder):
    out = out_folder / "report.json"
    assert scanner.run("image", "--input", images["mixed", True], "--db", store, "-f", "json", "-o", out).code == 3
    report = json.loads(out.read_text())
    assert report["errors"] and report["verdict"]["pass"] is False


def _little_room():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


@pytest.mark.parametrize("before", [None, "the old report"])
def test_output_that_cannot_be_written_whole(images, store, out_folder, before):
    """The disk is full half way: exit 3, and the old file or none, never half a report."""
    out = out_folder / "report.json"
    if before:
        out.write_text(before)
    result = scanner.run("image", "--input", images["all", False], "--db", store, "-f", "json", "-o", out, preexec_fn=_little_room)
    assert result.code == 3 and "report.json" in result.stderr, result
    assert (out.read_text() if out.exists() else None) == before
    assert os.listdir(out_folder) == (["report.json"] if before else [])


@pytest.mark.parametrize("target", ["missing/report.json", ".", "file/report.json"])
def test_output_to_nowhere(images, store, out_folder, target):
    (out_folder / "file").write_text("")
    result = scanner.run("image", "--input", images["low", False], "--db", store, "-f", "json", "-o", out_folder / target)
    assert result.code in (2, 3) and str(out_folder) in result.stderr, result


@pytest.mark.parametrize("form", ["table", "json"])
def test_stdout_that_takes_nothing(images, store, form):
    """A report that could not be said is not a clean one."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([scanner.binary(), "image", "--input", images["all", False], "--db", store, "-f", form],
                              stdout=full, stderr=subprocess.PIPE, env=scanner.environment(), timeout=60)
    assert done.returncode == 3 and done.stderr


def test_quiet(images, store):
    """Nothing on stderr when all went well; errors are said all the same."""
    assert scanner.scan(images["mixed", False], "--quiet", db=store).stderr == ""
    broken = scanner.scan(images["mixed", True], "--quiet", db=store)
    assert broken.code == 3 and broken.stderr


def test_stats(images, store):
    """--stats tells of bytes, layers, entries, time and memory, and changes nothing else."""
    plain, told = (scanner.scan(images["mixed", False], *args, db=store) for args in ([], ["--stats"]))
    assert told.out == plain.out or json.loads(told.out)["findings"] == json.loads(plain.out)["findings"]
    for word in ("bytes", "layers", "entries", "memory"):
        assert word in (told.stderr + told.stdout).lower(), word
