"""Running plimsoll and its peers, and what they take: seconds, and memory of all processes together."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from images import FOLDER, SHARED


def run(command, **more):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **more)


def seconds(command, runs, warm=True, **more):
    """The median of so many runs, by default after one that warms the page cache."""
    if warm:
        run(command, **more)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run(command, **more)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def size(number):
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number /= 1024
    return f"{number:.2f} GiB"


def _shares(pid):
    """Bytes of memory of a process and those below it; what several share is divided among them."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            for line in open(f"/proc/{one}/smaps_rollup"):
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for task in os.listdir(f"/proc/{one}/task"):
                waiting += open(f"/proc/{one}/task/{task}/children").read().split()
        except OSError:
            pass
    return total


def peak_of_all(command, **more):
    """The most that a command and its children took together, looked at every 20 ms."""
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    peak = 0
    while child.poll() is None:
        peak = max(peak, _shares(child.pid))
        time.sleep(0.02)
    return peak


class Plimsoll:
    """The program under test. Cold: no cached layers; warm: all of them."""

    def __init__(self, path, scanners="vuln"):
        self.path, self.scanners = path, scanners

    def _command(self, target, *args):
        return [self.path, "image", target, "-q", "-f", "json", "-o", FOLDER / "out.json", "--scanners", self.scanners, *args]

    def cold(self, target):
        return self._command(target, "--no-cache")

    def warm(self, target):
        return self._command(target, "--cache-dir", FOLDER / "cache")

    def figures(self, target):
        """What it says itself of bytes and memory, and the most that all its processes took."""
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            # By way of a small process: the kernel counts what its parent had as a process' own peak.
            run(["sh", "-c", '"$@"; exit $?', "sh", self.path, "image", target, "--no-cache", "--scanners", self.scanners,
                 "--stats", "-f", "json", "-o", out.name])
            report = json.load(open(out.name))
        told = report["stats"]
        stored = told["image_bytes"] or sum(layer["size"] for layer in report["image"]["layers"])
        return {"bytes": stored, "read": told["bytes_read"], "unpacked": told["bytes_unpacked"],
                "peak": max(told["parent_peak_memory"], told["worker_peak_memory"]),
                "all": peak_of_all(self.cold(target))}


class Peer:
    """Trivy or Syft, on the same facts (../shared/peers/README.md), without cached layers."""

    def __init__(self, name, scanners="vuln"):
        self.name, self.scanners = name, scanners

    def environment(self):
        return {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false", "TRIVY_NON_SSL": "true",
                "SYFT_REGISTRY_INSECURE_USE_HTTP": "true"}

    def command(self, target):
        if not shutil.which(self.name) or (self.name == "syft" and self.scanners != "vuln"):
            return None
        is_file = isinstance(target, pathlib.Path)
        if self.name == "syft":
            where = f"docker-archive:{target}" if is_file else f"registry:{target}"
            return ["syft", "-q", where, "-o", f"syft-json={FOLDER / 'syft.json'}"]
        cache = self._database()
        where = ["--input", target] if is_file else ["--image-src", "remote", target]
        return cache and ["trivy", "image", *where, "--cache-dir", cache, "--cache-backend", "memory",
                          "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan",
                          "--quiet", "--scanners", self.scanners, "-f", "json", "-o", FOLDER / "trivy.json"]

    def _database(self):
        packed, cache = SHARED / "peers/trivy.db.zst", FOLDER / "trivy"
        if not packed.is_file() or not shutil.which("zstd"):
            return None
        if not (cache / "db/trivy.db").is_file():
            (cache / "db").mkdir(parents=True, exist_ok=True)
            run(["zstd", "-dqf", packed, "-o", cache / "db/trivy.db"])
            (cache / "db/metadata.json").write_text(json.dumps({
                "Version": 2, "NextUpdate": "2099-01-01T00:00:00Z", "UpdatedAt": "2026-11-24T00:00:00Z",
                "DownloadedAt": "2026-11-24T00:00:00Z"}))
        return cache
