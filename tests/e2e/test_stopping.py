"""Being told to stop, and running out of time: at once, nothing left behind, never a clean exit."""

import os
import pathlib
import signal
import subprocess
import time

import pytest

import advisories
import evidence as ev
import imagekit
import registrykit as kit
import scanner

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def children_of(pid):
    try:
        return [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def start(*args, env=None):
    """In the foreground's ways: SIGINT is not ignored, as it is for what a shell puts in the background."""
    def as_in_the_foreground():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
    return subprocess.Popen([scanner.binary(), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=scanner.environment(env), preexec_fn=as_in_the_foreground)


def wait_for(condition, seconds=10):
    for _ in range(int(seconds * 50)):
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def stalled(tmp_path):
    """A registry whose layers never end, and the arguments of a scan that waits for them."""
    image = imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", "1.0")], compression="gzip")
    with kit.Registry() as registry:
        registry.push(image, "app", "1")
        registry.misbehave("layer", kit.stall(after=50))
        out, temporary = tmp_path / "out", tmp_path / "tmp"
        out.mkdir()
        temporary.mkdir()
        registry.out, registry.temporary = out, temporary
        registry.scan = ["image", f"registry:{registry.host}/app:1", "-o", out / "report.json", "-f", "json",
                         "--cache-dir", tmp_path / "cache"]
        registry.env = {"TMPDIR": str(temporary), "PLIMSOLL_NO_CACHE": "", "HOME": str(tmp_path)}
        yield registry


@pytest.mark.parametrize("number", SIGNALS)
def test_signals(stalled, store, number, tmp_path):
    child = start(*stalled.scan, "--db", store, env=stalled.env)
    assert wait_for(lambda: stalled.requests("layer") and len(children_of(child.pid)) >= 2), "worker and feeder run"
    workers = children_of(child.pid)
    began = time.monotonic()
    child.send_signal(number)
    _, err = child.communicate(timeout=10)
    assert child.returncode == SIGNALS[number], err
    assert time.monotonic() - began < 1
    assert wait_for(lambda: not any(map(alive, workers)), 2), "its children are gone with it"
    assert list(stalled.out.iterdir()) == [] and list(stalled.temporary.iterdir()) == []
    assert not list((tmp_path / "cache").rglob("partial-*")), "nothing in the cache is half-written"


def test_ignored_by_whoever_starts_it(stalled, store):
    """As with nohup: a signal that is ignored on the way in stays so."""
    child = subprocess.Popen([scanner.binary(), *map(str, stalled.scan), "--db", store, "--timeout", "2s"], env=scanner.environment(stalled.env),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert wait_for(lambda: stalled.requests("layer"))
    child.send_signal(signal.SIGHUP)
    child.communicate(timeout=10)
    assert child.returncode == 3


@pytest.mark.parametrize("limit,seconds", [("1s", 1), ("1500ms", 1.5), ("2", 2)])
def test_timeout(stalled, store, limit, seconds):
    began = time.monotonic()
    child = start(*stalled.scan, "--db", store, "--timeout", limit, "--fail-on", "low", env=stalled.env)
    _, err = child.communicate(timeout=20)
    took = time.monotonic() - began
    assert child.returncode == 3 and b"--timeout" in err, err
    assert seconds - 0.1 <= took < seconds + (3 if scanner.sanitized() else 1)
    report = stalled.out / "report.json"
    assert report.is_file() and '"complete": false' in report.read_text(), "what was found until then is said"


@pytest.mark.parametrize("text", ["", "5x", "m", "-1s", "1.5s", "1h-", "99999999999999999999s"])
def test_times_that_are_none(tmp_path, text):
    result = scanner.run("image", tmp_path, "--timeout", text)
    assert result.code == (2 if text else 3), result


def test_stopped_while_a_store_is_made(tmp_path):
    """An import that is stopped leaves the store that was there, and no file beside it."""
    feed = advisories.write(tmp_path / "feed", [advisories.pypi(f"CVE-2024-{n}", f"p{n}", "2.0", details="x" * 2000) for n in range(10000, 16000)])
    store = tmp_path / "own/store.db"
    store.parent.mkdir()
    first = advisories.write(tmp_path / "first", advisories.STANDARD)
    assert scanner.run("db", "import", "--db", store, first).code == 0
    before = store.read_bytes()
    for delay in (0.02, 0.05, 0.1, 0.2):
        child = start("db", "import", "--db", store, feed)
        time.sleep(delay)
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
        assert child.returncode in (0, 130)
        assert os.listdir(store.parent) == ["store.db"]
        if child.returncode == 130:
            assert store.read_bytes() == before
        assert scanner.run("db", "status", "--db", store).code == 0
        before = store.read_bytes()
