"""plimsoll and the others that look for secrets: how each is run, and what its report says."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field


@dataclass
class Taken:
    """What a command took, its children included."""
    seconds: float
    cpu: float
    exit_code: int
    said: str


@dataclass
class Found:
    """A finding, without the value. `severity` is the scanner's own word: two of them have none, and
    say how sure they are."""
    rule: str
    severity: str
    path: str
    line: int | None
    reason: str | None = None  # why it does not count, where it does not


@dataclass
class Row:
    scanner: str
    target: str
    taken: Taken
    found: list = field(default_factory=list)
    suppressed: list = field(default_factory=list)
    distinct: int | None = None  # values among those found, where the scanner tells
    errors: list = field(default_factory=list)


def measured(command):
    """Runs a command: wall time, and the processor's time of it and of all it waited for."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    return Taken(seconds, used.ru_utime + used.ru_stime, child.returncode, text)


class Scanner:
    """One that is there. `codes` are the exit codes of a scan that went to its end."""
    codes = (0,)
    takes_images = False

    def __init__(self, program):
        self.program = program

    def version(self):
        done = subprocess.run([self.program, "--version"], capture_output=True, text=True)
        return (done.stdout.strip() or done.stderr.strip()).splitlines()[0].split()[-1]

    def warm(self, folder):
        """What is done once a machine, before anything is measured."""

    def scan(self, target, work):
        """Gives a row. `target` is a folder, or an archive of an image."""
        out = pathlib.Path(work) / f"{self.name}.json"
        out.unlink(missing_ok=True)
        taken = measured(self.command(target, out))
        if taken.exit_code not in self.codes or not out.is_file():
            raise RuntimeError(f"{self.name} failed (exit code {taken.exit_code}): {taken.said[-2000:]}")
        row = Row(self.name, "image" if target.is_file() else "folder", taken)
        values = set()
        for found, value in self.read(json.loads(out.read_bytes()), row):
            found.path = found.path.removeprefix(f"{target}/").lstrip("/")
            (row.suppressed if found.reason else row.found).append(found)
            if not found.reason:
                values.add(value)
        row.distinct = None if None in values else len(values)
        out.unlink()  # like what was said, it may have what was found in it
        taken.said = ""
        return row


class Plimsoll(Scanner):
    name, codes, takes_images = "plimsoll", (0, 3), True

    def command(self, target, out):
        kind = "image" if target.is_file() else "rootfs"
        return [self.program, kind, target, "-q", "--no-cache", "--scanners", "secret", "-f", "json", "-o", out]

    def read(self, report, row):
        row.errors = [f"{error.get('path')}: {error.get('message')}" for error in report["errors"]]
        for one in [*report["secrets"], *report["suppressed"]]:
            if "rule" in one:  # the others are vulnerabilities
                found = Found(one["rule"], one["severity"], one["path"], one["line"], one.get("reason"))
                yield found, one["fingerprint"]


class Kingfisher(Scanner):
    name, codes = "kingfisher", (0, 200)

    def command(self, target, out):
        return [self.program, "scan", target, "--no-validate", "--no-update-check", "-f", "json", "-o", out]

    def warm(self, folder):
        # It compiles its rules once, and keeps them.
        measured(self.command(folder, "/dev/null"))

    def read(self, report, row):
        for one in report["findings"]:
            there = one["finding"]
            yield Found(one["rule"]["id"], there["confidence"], there["path"], there["line"]), there["snippet"]


class Betterleaks(Scanner):
    name, codes = "betterleaks", (0, 1)

    def command(self, target, out):
        return [self.program, target, "--no-banner", "--no-color", "-s", "-l", "error", "-o", out]

    def read(self, report, row):
        for one in report["findings"] or []:
            there = one["location"]
            yield Found(one["rule_id"], one["confidence"], there["path"], there.get("start_line")), one["match"]["value"]


class Trivy(Scanner):
    name, takes_images = "trivy", True

    def command(self, target, out):
        kind = ["image", "--input", target] if target.is_file() else ["rootfs", target]
        return [self.program, *kind, "--cache-backend", "memory", "--skip-version-check", "--quiet", "--timeout", "60m",
                "--scanners", "secret", "-f", "json", "-o", out]

    def read(self, report, row):
        for result in report.get("Results") or []:
            for one in result.get("Secrets") or []:
                yield Found(one["RuleID"], one["Severity"], result["Target"], one["StartLine"]), None


def trivy():
    """Trivy, if it is on the PATH or where `go install` puts it."""
    program = shutil.which("trivy") or shutil.which("trivy", path=str(pathlib.Path.home() / "go/bin"))
    return Trivy(program) if program else None
