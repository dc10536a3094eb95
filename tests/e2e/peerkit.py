"""Real Trivy and Grype, where they are on this machine, on the facts of ../shared."""

import functools
import json
import os
import pathlib
import shutil
import subprocess

import realimage
import scanner

SHARED = scanner.REPO.parent / "shared"


@functools.cache
def program(name):
    """Its path: on the PATH, or where `go install` puts it."""
    places = os.pathsep.join([os.environ.get("PATH", ""), str(pathlib.Path("~/go/bin").expanduser())])
    return shutil.which(name, path=places)


def why_not(name):
    """Why the tool cannot be compared with, or None."""
    if not program(name):
        return f"{name} is not on the PATH (../shared/peers/README.md says how to get it)"
    if not (SHARED / "peers/trivy.db.zst").is_file():
        return f"{SHARED}/peers/trivy.db.zst is not there"
    if not shutil.which("zstd"):
        return "zstd is not on the PATH"
    return None if realimage.feeds().is_dir() else f"{realimage.feeds()} is not there"


def run(*command, timeout=60, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, timeout=timeout,
                          stdin=more.pop("stdin", subprocess.DEVNULL), **more)


class Trivy:
    """Trivy with a database of the same facts, without a network."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "db").mkdir()
        subprocess.run(["zstd", "-dqf", SHARED / "peers/trivy.db.zst", "-o", folder / "db/trivy.db"], check=True)
        (folder / "db/metadata.json").write_text(json.dumps({
            "Version": 2, "NextUpdate": "2099-01-01T00:00:00Z", "UpdatedAt": "2026-11-24T00:00:00Z",
            "DownloadedAt": "2026-11-24T00:00:00Z"}))

    def image(self, path, *args):
        """Exit code and report of `trivy image --input PATH ARGS`."""
        out = self.folder / "report.json"
        out.unlink(missing_ok=True)
        done = run(program("trivy"), "image", "--input", path, "--cache-dir", self.folder, "--cache-backend", "memory",
                   "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--quiet",
                   "-f", "json", "-o", out, *args)
        return done, json.loads(out.read_text()) if out.is_file() else None

    def convert(self, path, form):
        done = run(program("trivy"), "convert", "--format", form, "--scanners", "vuln,secret", path)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


def trivy_findings(report):
    """{(id, package, version, layer's diff ID)}, names in PyPI's normal form."""
    return {(v["VulnerabilityID"], v["PkgName"].lower().replace("_", "-"), v["InstalledVersion"], v["Layer"]["DiffID"])
            for result in report.get("Results", []) for v in result.get("Vulnerabilities", [])}


def grype_findings(report, key="matches"):
    return {(m["vulnerability"]["id"], m["artifact"]["name"], m["artifact"]["version"]) for m in report[key]}
