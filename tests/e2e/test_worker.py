"""The worker: killed, stopped, or misbehaving, it costs its own layer and nothing else."""

import json
import os
import pathlib
import signal
import subprocess
import time
import uuid

import pytest

import evidence as ev
import imagekit
import scanner

pytestmark = pytest.mark.skipif(not scanner.has_hooks(), reason="the program was built without test hooks (meson -Dtest_hooks=true)")

# action: words of which one has to stand in the message (what the kernel or the parent stopped)
CLOSED = ("not allowed", "forbidden", "sandbox", "SIGSYS", "system call")
ACTIONS = {
    "open": CLOSED, "socket": CLOSED, "exec": CLOSED,
    "alloc": ("memory",), "loop": ("CPU", "time", "second"), "hang": ("time", "second", "answer"),
    "garbage": ("record", "garbage", "understand"), "half": ("record", "half", "short", "ended", "cut"),
    "segv": ("SEGV", "Segmentation", "signal 11"), "abort": ("ABRT", "Abort", "signal 6"),
    "kill": ("KILL", "signal 9"), "stop": ("STOP", "time", "signal 19"),
}
FATAL = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS,
         signal.SIGFPE, signal.SIGKILL, signal.SIGUSR1, signal.SIGSEGV, signal.SIGUSR2, signal.SIGALRM,
         signal.SIGTERM, signal.SIGSTKFLT, signal.SIGXCPU, signal.SIGXFSZ, signal.SIGVTALRM, signal.SIGPROF,
         signal.SIGIO, signal.SIGPWR, signal.SIGSYS, signal.SIGRTMIN, signal.SIGRTMAX]
# These stop a process, or may be ignored by it; then the clock ends it.
SLOW = [signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE]
PACKAGES = {0: "crit-fixed", 1: "high-fixed", 2: "medium-fixed", 3: "low-fixed"}
IDS = {0: "CVE-2024-0001", 1: "CVE-2024-0002", 2: "CVE-2024-0003", 3: "CVE-2024-0004"}


@pytest.fixture(params=["none", "gzip"])
def image(request, tmp_path):
    layers = [ev.dist_info(name, "1.0") for name in PACKAGES.values()]
    layers[0] += ev.base()
    made = imagekit.image_of(*layers, compression=request.param)
    return imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(made))


@pytest.fixture
def mark():
    """A mark in the environment by which all processes of one scan are known."""
    return {"PLIMSOLL_TEST_MARK": uuid.uuid4().hex}


def processes(mark):
    """The processes that carry the mark."""
    wanted, found = f"PLIMSOLL_TEST_MARK={mark['PLIMSOLL_TEST_MARK']}".encode(), []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (path / "environ").read_bytes():
                found.append(int(path.name))
        except OSError:  # it ended meanwhile, or is a zombie
            continue
    return found


def assert_only_this_layer_is_lost(result, lost, words):
    assert result.code == 3, result
    assert result.ids() == {ident for layer, ident in IDS.items() if layer != lost}, result
    assert {error["layer"] for error in result.errors} == {lost}, result.errors
    text = " ".join(error["message"] for error in result.errors)
    assert any(word.lower() in text.lower() for word in words), f"the cause is not told: {text}"
    assert f"layer {lost}" in result.complaints().lower(), result


@pytest.mark.parametrize("layer", [0, 2, 3])
@pytest.mark.parametrize("action", ACTIONS)
def test_misbehaviour(image, store, mark, action, layer):
    if action == "alloc" and scanner.sanitized():
        pytest.skip("a sanitizer's own address space leaves no room for a limit on it")
    seconds = {"PLIMSOLL_TEST_WORKER_SECONDS": "1"} if action in ("loop", "hang", "stop") else {}
    began = time.monotonic()
    result = scanner.scan(image, db=store, env={"PLIMSOLL_TEST_WORKER": f"{layer}:{action}", **seconds, **mark}, timeout=60)
    # A sanitizer opens files itself: there the call fails (code 91) in place of ending the process.
    denied = ("code 91",) if action == "open" and scanner.sanitized() else ()
    assert_only_this_layer_is_lost(result, layer, ACTIONS[action] + denied)
    assert time.monotonic() - began < 30, "it took too long to notice"
    assert not processes(mark), "a process was left behind"


def _default_signals():
    """A job in the background inherits some signals as ignored; here they have to mean something."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def start_hanging(image, store, mark, layer, seconds=20):
    """Start a scan whose worker of `layer` hangs; give it and that worker's pid."""
    env = scanner.environment({"PLIMSOLL_TEST_WORKER": f"{layer}:hang", "PLIMSOLL_TEST_WORKER_SECONDS": str(seconds), **mark})
    scan = subprocess.Popen([scanner.binary(), "image", "--input", image, "--db", store, "-f", "json"], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                            preexec_fn=_default_signals)
    steady, last = 0, None
    for _ in range(400):
        time.sleep(0.01)
        others = [pid for pid in processes(mark) if pid != scan.pid]
        steady = steady + 1 if len(others) == 1 and others == last else 0
        last = others
        if steady >= 5:
            return scan, others[0]
    scan.kill()
    raise AssertionError("no worker was left hanging")


def finish(scan):
    out, err = scan.communicate(timeout=40)
    assert scan.returncode >= 0, f"the parent was killed too\n{err!r}"
    result = scanner.Result(scan.returncode, out, err)
    result.report = json.loads(out)
    return result


@pytest.mark.parametrize("number", [*FATAL, *SLOW], ids=lambda n: getattr(n, "name", str(n)))
def test_any_signal(tmp_path, store, mark, number):
    """Sent from outside to a worker that is at work."""
    layers = [ev.dist_info(name, "1.0") for name in PACKAGES.values()]
    layers[0] += ev.base()
    image = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(*layers)))
    scan, worker = start_hanging(image, store, mark, 1, seconds=2 if number in SLOW else 20)
    os.kill(worker, number)
    name = getattr(number, "name", "signal")
    assert_only_this_layer_is_lost(finish(scan), 1, (name, signal.strsignal(number) or name, "signal", "stopped", "second"))
    assert not processes(mark), "a process was left behind"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name)
def test_parent_ends_and_so_do_its_workers(tmp_path, store, mark, number):
    image = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(ev.base(), ev.dist_info("a", "1"))))
    scan, worker = start_hanging(image, store, mark, 1)
    scan.send_signal(number)
    scan.communicate(timeout=20)
    assert scan.returncode != 0
    for _ in range(200):
        if not processes(mark):
            break
        time.sleep(0.01)
    assert not processes(mark), f"worker {worker} outlived its parent"


def test_all_workers_die(image, store, mark):
    """No layer at all could be read: an empty report that says so."""
    made = imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", "1.0")])
    single = imagekit.write_archive(image.parent / "one.tar", imagekit.files_docker_old(made))
    result = scanner.scan(single, "--exit-code", "1", db=store, env={"PLIMSOLL_TEST_WORKER": "0:segv", **mark})
    assert result.code == 3 and result.report["components"] == [] and result.verdict["pass"] is False


def test_hooks_alone_change_nothing(image, store):
    plain = scanner.scan(image, db=store)
    other = scanner.scan(image, db=store, env={"PLIMSOLL_TEST_WORKER": "77:kill", "PLIMSOLL_TEST_WORKER_SECONDS": "20"})
    assert plain.code == other.code == 0
    assert plain.findings() == other.findings()


def test_no_file_is_left(image, store, tmp_path):
    """A worker that dies while it holds a spilled file leaves nothing in the temporary folder."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for action in ("kill", "abort", "half"):
        scanner.scan(image, db=store, env={"PLIMSOLL_TEST_WORKER": f"1:{action}", "TMPDIR": str(temporary)})
    assert os.listdir(temporary) == []
