"""Running the program under test, and what its report says."""

import functools
import json
import os
import pathlib
import resource
import subprocess
import sys
from collections import namedtuple

import jsonschema

REPO = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = REPO / "docs" / "report.schema.json"
EXIT_CODES = {0, 1, 2, 3}
MIB = 1 << 20
Usage = namedtuple("Usage", "peak cpu")


def binary():
    return os.environ.get("PLIMSOLL", str(REPO / "build" / "test" / "plimsoll"))


@functools.cache
def sanitized():
    """Whether the program was built with a sanitizer: memory is not measured then."""
    return b"__asan_init" in pathlib.Path(binary()).read_bytes()


@functools.cache
def has_hooks():
    """Whether the program was built with the hooks that make a worker misbehave."""
    return b"PLIMSOLL_TEST_WORKER" in pathlib.Path(binary()).read_bytes()


@functools.cache
def _validator():
    if not SCHEMA.is_file():
        return None
    schema = json.loads(SCHEMA.read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def environment(extra=None):
    """The caller's environment without what would steer the program."""
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith("PLIMSOLL_") and key not in ("NO_COLOR", "COLUMNS")}
    return {**kept, "LC_ALL": "C.UTF-8", "PLIMSOLL_NO_CACHE": "1", **(extra or {})}


def paths_of(component):
    """The paths where a component lies, without leading slash."""
    return {(place if isinstance(place, str) else place["path"]).lstrip("/") for place in component["locations"]}


class Result:
    """One run: exit code, both outputs, the report where there is one, what it used."""

    def __init__(self, code, stdout, stderr, report=None, usage=None):
        self.code, self.out, self.err = code, stdout, stderr
        self.stdout = stdout.decode("utf-8", "replace")
        self.stderr = stderr.decode("utf-8", "replace")
        self.report, self.usage = report, usage

    def __repr__(self):
        return f"exit {self.code}\n--- stderr\n{self.stderr[-3000:]}\n--- stdout\n{self.stdout[-3000:]}"

    # The report in forms that compare well.

    def components(self, *kinds):
        """{(type, name, version, layer)}; all types, or those named."""
        return {(c["type"], c["name"], c["version"], c["layer"]) for c in self.report["components"]
                if not kinds or c["type"] in kinds}

    def packages(self, *kinds):
        """A sorted list of (name, version), so that what is there twice shows."""
        return sorted((c["name"], c["version"]) for c in self.report["components"]
                      if not kinds or c["type"] in kinds)

    def findings(self):
        return {(f["id"], f["name"], f["installed"], f["layer"]) for f in self.report["findings"]}

    def ids(self):
        return {f["id"] for f in self.report["findings"]}

    def finding(self, ident):
        found = [f for f in self.report["findings"] if f["id"] == ident]
        assert len(found) == 1, f"{len(found)} findings {ident}\n{self!r}"
        return found[0]

    def component(self, name):
        found = [c for c in self.report["components"] if c["name"] == name]
        assert len(found) == 1, f"{len(found)} components {name}\n{self!r}"
        return found[0]

    @property
    def errors(self):
        return self.report["errors"]

    @property
    def verdict(self):
        return self.report["verdict"]

    def complaints(self):
        """All that was said to have gone wrong, in either place."""
        told = [" ".join(str(part) for part in e.values()) for e in self.errors] if self.report else []
        return "\n".join([*told, self.stderr])


def _sample(report):
    """The same report with the middle of very long lists left out: validating them takes minutes."""
    return {key: value[:200] + value[200:][-200:] if isinstance(value, list) else value for key, value in report.items()}


def _report_in(text):
    """The JSON report in `text`; it must be whole, valid, and agree with itself."""
    report = json.loads(text)
    if validator := _validator():
        problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
                    for e in validator.iter_errors(_sample(report))]
        assert not problems, "the report breaks docs/report.schema.json:\n" + "\n".join(problems[:10])
    refs = [c["ref"] for c in report["components"]]
    assert len(refs) == len(set(refs)), "two components have the same ref"
    assert {f["component"] for f in report["findings"]} <= set(refs), "a finding without its component"
    pairs = [(f["id"], f["component"]) for f in report["findings"]]
    assert len(pairs) == len(set(pairs)), "one vulnerability twice on one component"
    return report


def run(*args, env=None, timeout=60, cwd=None, stdin=subprocess.DEVNULL, **more):
    """Run the program with just these arguments. Its parent process must never crash."""
    done = subprocess.run([binary(), *map(str, args)], capture_output=True, stdin=stdin, timeout=timeout,
                          env=environment(env), cwd=cwd, **more)
    assert done.returncode >= 0, f"killed by signal {-done.returncode}\n{done.stderr[-3000:]!r}"
    return Result(done.returncode, done.stdout, done.stderr)


# Forked from a small process, so that the peak is the program's own and not this Python's.
_MEASURE = """
import json, os, resource, sys
out, argv = sys.argv[1], sys.argv[2:]
pid = os.fork()
if pid == 0:
    os.execv(argv[0], argv)
_, status, used = os.wait4(pid, 0)
with open(out, 'w') as file:
    json.dump([used.ru_maxrss * 1024, used.ru_utime + used.ru_stime], file)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
"""


def run_measured(work, *args, env=None, timeout=120):
    """As run(), with the peak memory of the largest process and the CPU seconds of all."""
    out = pathlib.Path(work) / "usage.json"
    done = subprocess.run([sys.executable, "-ISc", _MEASURE, out, binary(), *map(str, args)],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, env=environment(env))
    assert done.returncode < 128, f"killed by signal {done.returncode - 128}\n{done.stderr[-3000:]!r}"
    return Result(done.returncode, done.stdout, done.stderr, usage=Usage(*json.loads(out.read_text())))


def scan(image, *args, db=None, command="image", how=run, **more):
    """Scan `image` (what follows `--input`, or the folder for rootfs) and read the JSON report.

    A run that ends in 0, 1 or a gate's own code has a whole report without errors; one that ends in 3
    says why."""
    target = ["--input", image] if command == "image" else [image]
    store = ["--db", db] if db else []
    result = how(command, *target, "-f", "json", *store, *args, **more)
    if result.out.strip():
        result.report = _report_in(result.stdout)
        assert result.verdict["exit_code"] == result.code, result
        assert result.verdict["pass"] == (result.code == 0), result
        assert result.code != 3 or result.errors, f"exit 3 without errors[]\n{result!r}"
    assert result.code != 3 or result.stderr.strip(), f"exit 3 without a word on stderr\n{result!r}"
    return result


def limit_memory(mib):
    """For preexec_fn: a hard limit on the address space."""
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB))
