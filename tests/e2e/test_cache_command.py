"""`plimsoll cache status` and `cache clear`: what they count, what they remove, what they refuse."""

import hashlib
import json
import os
import time

import pytest
import scanner


def record_name(key):
    return hashlib.sha256(key.encode()).hexdigest()


def fill(folder, **sizes):
    """Files where records lie, of these sizes. Neither command looks into them."""
    layers = folder / "layers"
    layers.mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    for key, size in sizes.items():
        (layers / record_name(key)).write_bytes(bytes(size))
    return layers


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def status(folder, *args, **more):
    done = scanner.run("cache", "status", "--cache-dir", folder, "-f", "json", *args, **more)
    assert done.code == 0, done
    return json.loads(done.stdout)


def dead_process():
    process = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(process, 0)
    return process


# -- status -------------------------------------------------------------------------------------------

def test_nothing_there(folder):
    assert status(folder) == {"path": str(folder), "records": 0, "bytes": 0, "leftovers": 0, "oldest": None}
    done = scanner.run("cache", "status", "--cache-dir", folder)
    assert (done.code, done.stdout, done.stderr) == (0, f"{folder}: 0 records\n", "")
    assert not folder.exists()


def test_status(folder):
    layers = fill(folder, a=1000, b=2000, c=0)
    (layers / "README").write_text("not a record")
    os.utime(layers / record_name("b"), (0, 1700000000))
    assert status(folder) == {"path": str(folder), "records": 3, "bytes": 3000, "leftovers": 0,
                              "oldest": "2023-11-14T22:13:20Z"}
    done = scanner.run("cache", "status", "--cache-dir", folder)
    assert done.stdout == f"{folder}: 3 records, 2.9 KiB, the least recently used of 2023-11-14\n"


def test_leftovers(folder):
    layers = fill(folder, a=10)
    (layers / f"partial-{dead_process()}-0123").write_text("x")
    (layers / f"partial-{os.getpid()}-0123").write_text("x")
    assert status(folder)["leftovers"] == 1
    done = scanner.run("cache", "status", "--cache-dir", folder)
    assert "\n1 unfinished file of processes that were killed" in done.stdout
    old = time.time() - 7200
    os.utime(layers / f"partial-{os.getpid()}-0123", (old, old))
    assert status(folder)["leftovers"] == 2


def test_output(folder, tmp_path):
    fill(folder, a=10)
    done = scanner.run("cache", "status", "--cache-dir", folder, "-f", "json", "-o", tmp_path / "out")
    assert (done.code, done.stdout) == (0, "")
    assert json.loads((tmp_path / "out").read_text())["records"] == 1


def test_hostile_name(tmp_path):
    """A folder's name plays no tricks with the terminal."""
    folder = tmp_path / "x\x1b[31m"
    fill(folder, a=10)
    for command in ("status", "clear"):
        done = scanner.run("cache", command, "--cache-dir", folder)
        assert done.code == 0 and b"\x1b" not in done.out, done


# -- where it is --------------------------------------------------------------------------------------

@pytest.mark.parametrize("variables, place", [
    ({"XDG_CACHE_HOME": "{tmp}/xdg"}, "xdg/plimsoll"),
    ({"XDG_CACHE_HOME": "relative"}, "home/.cache/plimsoll"),
    ({"XDG_CACHE_HOME": ""}, "home/.cache/plimsoll"),
    ({"PLIMSOLL_CACHE_DIR": "{tmp}/own"}, "own"),
])
def test_place(tmp_path, variables, place):
    fill(tmp_path / place, a=10)
    env = {"HOME": f"{tmp_path}/home"} | {name: value.format(tmp=tmp_path) for name, value in variables.items()}
    done = scanner.run("cache", "status", "-f", "json", env=env)
    assert json.loads(done.stdout)["path"] == str(tmp_path / place)
    assert json.loads(done.stdout)["records"] == 1


def test_no_home():
    done = scanner.run("cache", "status", env={"HOME": "", "XDG_CACHE_HOME": ""})
    assert done.code == 2 and "--cache-dir" in done.stderr, done


# -- clear --------------------------------------------------------------------------------------------

def test_clear(folder):
    layers = fill(folder, a=1000, b=2000)
    (layers / f"partial-{dead_process()}-0123").write_text("x")
    kept = {"README", f"partial-{os.getpid()}-0123"}
    for name in kept:
        (layers / name).write_text("x")
    done = scanner.run("cache", "clear", "--cache-dir", folder)
    assert (done.code, done.stdout, done.stderr) == (0, f"{folder}: removed 2 records, 2.9 KiB\n", "")
    assert set(os.listdir(layers)) == kept
    done = scanner.run("cache", "clear", "--cache-dir", folder)
    assert (done.code, done.stdout) == (0, f"{folder}: removed 0 records\n")


def test_clear_many_quietly(folder):
    fill(folder, **{str(number): 1 for number in range(5000)})
    assert status(folder)["records"] == 5000
    done = scanner.run("cache", "clear", "--cache-dir", folder, "--quiet")
    assert (done.code, done.out, done.err) == (0, b"", b"")
    assert status(folder)["records"] == 0


def test_clear_nothing(folder):
    done = scanner.run("cache", "clear", "--cache-dir", folder)
    assert (done.code, done.stdout) == (0, f"{folder}: removed 0 records\n")
    assert not folder.exists()


# -- what is refused ----------------------------------------------------------------------------------

def others_write(folder):
    folder.chmod(0o777)


def others_write_below(folder):
    (folder / "layers").chmod(0o770)


def linked(folder):
    folder.rename(folder.with_name("real"))
    folder.symlink_to("real")


def linked_below(folder):
    (folder / "layers").rename(folder.with_name("real"))
    (folder / "layers").symlink_to("../real")


def owned_by_another(folder):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    os.chown(folder / "layers", 12345, -1)


@pytest.mark.parametrize("command", ["status", "clear"])
@pytest.mark.parametrize("spoil, words", [
    (others_write, "others can write"), (others_write_below, "others can write"),
    (linked, "link"), (linked_below, "link"), (owned_by_another, "another user")])
def test_refused(folder, command, spoil, words):
    """What others may have put there is neither counted nor removed."""
    fill(folder, a=10)
    spoil(folder)
    done = scanner.run("cache", command, "--cache-dir", folder)
    assert (done.code, done.stdout) == (3, ""), done
    assert words in done.stderr and str(folder) in done.stderr, done
    assert (folder / "layers" / record_name("a")).exists()


@pytest.mark.parametrize("command", ["status", "clear"])
def test_no_folder(tmp_path, command):
    (tmp_path / "file").write_text("x")
    done = scanner.run("cache", command, "--cache-dir", tmp_path / "file")
    assert done.code == 3 and "no folder" in done.stderr, done


# -- the command line ---------------------------------------------------------------------------------

def test_without_command():
    done = scanner.run("cache")
    assert (done.code, done.stdout) == (2, "") and "cache status" in done.stderr, done
    done = scanner.run("cache", "--help")
    assert done.code == 0 and "cache clear" in done.stdout, done
    for group, names in (("cache", "cache status, cache clear"), ("db", "db import, db update, db status, db export-facts")):
        done = scanner.run(group, "frobnicate")
        assert done.code == 2 and f'"{group} frobnicate"; there is {names}\n' in done.stderr, done


@pytest.mark.parametrize("command", ["status", "clear"])
def test_words(folder, command):
    done = scanner.run("cache", command, "--cache-dir", folder, "word")
    assert done.code == 2 and f"cache {command} takes no arguments" in done.stderr, done


@pytest.mark.parametrize("size", ["", "x", "-1", "1.5G", "5GB", "5iB", "G", " 5", "5 ", "16777216T", "99999999999999999999"])
def test_bad_size(tmp_path, size):
    done = scanner.run("rootfs", f"--cache-size={size}", tmp_path / "none")
    assert done.code == 2 and f'--cache-size: "{size}" is no size' in done.stderr, done


@pytest.mark.parametrize("size", ["0", "1000", "1k", "500M", "2G", "2g", "2GiB", "16777215T"])
def test_good_size(tmp_path, size):
    done = scanner.run("rootfs", f"--cache-size={size}", tmp_path / "none")
    assert done.code == 3 and "--cache-size" not in done.stderr, done


def test_options():
    """A scan takes all three; the commands take the folder only."""
    for command in (["image"], ["rootfs"]):
        listed = scanner.run(*command, "--help").stdout
        assert all(name in listed for name in ("--cache-dir", "--cache-size", "--no-cache")), command
    for command in (["cache", "status"], ["cache", "clear"]):
        listed = scanner.run(*command, "--help").stdout
        assert "--cache-dir" in listed and "--no-cache" not in listed and "--db" not in listed, command
    assert "--cache-dir" not in scanner.run("db", "status", "--help").stdout
    for shell in ("bash", "zsh", "fish"):
        assert "cache" in scanner.run("generate", shell).stdout.split(), shell
