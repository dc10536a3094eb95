"""What the world is made of, as it is installed: Debian packages as dpkg leaves them, wheels by pip,
packages by npm. Each part is fetched and made once, below one folder, and stays.

    debs/ wheels/           what was fetched (npm keeps its own cache)
    deb/ pip/ npm/          the parts, each a tree as it lies in an image: one layer
    root/                   the three as one root file system (hard links)
    world.tar               the three as an image of three uncompressed layers
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

import debian

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
import imageparts  # noqa: E402

PYTHON = (3, 11)
SITE = f"usr/local/lib/python{PYTHON[0]}.{PYTHON[1]}/site-packages"
PARTS = ("deb", "pip", "npm")
APP = "app"
# Sparse archives of the Go compiler's tests that say they hold 60 GB of zeros each: plimsoll says that it looks
# into no such thing, betterleaks reads them for an hour.
LEFT_OUT = ("usr/share/go-1.19/src/archive/tar/testdata/gnu-sparse-big.tar",
            "usr/share/go-1.19/src/archive/tar/testdata/pax-sparse-big.tar")
AT_ONCE = os.cpu_count() or 2
PIP = ["install", "--quiet", "--no-deps", "--ignore-installed", "--no-warn-conflicts", "--root-user-action=ignore"]
NPM = ["npm", "install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"]


def listed(name):
    """The lines of a list, without its remarks."""
    lines = (HERE / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def say(text):
    print(f"… {text}", file=sys.stderr, flush=True)


def quietly(command, **more):
    """A command that has to succeed; what it said is shown where it does not."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **more)
    if done.returncode:
        sys.exit(f"{command[0]} failed (exit code {done.returncode}):\n{done.stdout[-3000:]}")


def at_once(work, lists):
    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(work, lists))


def made(path, make):
    """A tree that `make` fills, whole or not at all."""
    if not path.exists():
        partial = path.with_name(path.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        make(partial)
        partial.rename(path)
    return path


def tar_of(tree, out):
    """The tree as an uncompressed layer."""
    with open(out, "wb") as file:
        subprocess.run(["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", f"--mtime=@{imageparts.EPOCH}",
                        "--format=posix", "--pax-option=delete=atime,delete=ctime,delete=mtime", "-C", tree, "-c", "."],
                       stdout=file, check=True)


def archive_of(trees, history, out, work):
    """An image of these trees, one uncompressed layer each, as `docker save` writes it."""
    if out.is_file():
        return out
    layers = [work / f"{out.stem}.{number}.layer" for number, _ in enumerate(trees)]
    for tree, layer in zip(trees, layers):
        say(f"the layer of {tree}")
        tar_of(tree, layer)
    imageparts.docker_archive(out, layers, history, f"plimsoll-{out.stem}:latest")
    for layer in layers:
        layer.unlink()
    return out


def count(tree):
    """How many files a tree has, and of how many bytes."""
    files, size, waiting = 0, 0, [tree]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                files, size = files + 1, size + entry.stat(follow_symlinks=False).st_size
    return files, size


def read_through(target):
    """Into the page cache, so that no scanner pays for being first."""
    subprocess.run(["find", target, "-type", "f", "-exec", "cat", "{}", "+"], stdout=subprocess.DEVNULL, check=True)


class World:
    def __init__(self, folder, pip):
        self.folder, self.pip = folder, pip

    def parts(self):
        """The three trees, made where they are not there yet."""
        return [made(self.folder / name, getattr(self, "_make_" + name)) for name in PARTS]

    def _make_deb(self, tree):
        wanted = listed("debian.txt")
        say(f"fetching and unpacking {len(wanted)} Debian packages")
        paths, other = debian.download(wanted, self.folder / "debs")
        if other:
            say(f"{len(other)} have been replaced by newer versions since: {' '.join(other)}")
        debian.install(paths, tree)
        for name in LEFT_OUT:
            (tree / name).unlink(missing_ok=True)

    def _make_pip(self, tree):
        wanted = listed("wheels.txt")
        say(f"fetching {len(wanted)} wheels")
        wheels = self.folder / "wheels"
        fetch = [self.pip, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", wheels]
        at_once(lambda some: quietly([*fetch, *some]), shares(self._not_in(wheels, wanted), 4 * AT_ONCE))
        say("installing them")
        paths = sorted(wheels.glob("*.whl"))
        at_once(lambda some: quietly([self.pip, *PIP, "--root", tree, "--prefix", "/usr/local", *some]),
                shares([path for path in paths if pinned(path) in set(wanted)], AT_ONCE))

    @staticmethod
    def _not_in(wheels, wanted):
        there = {pinned(path) for path in wheels.glob("*.whl")}
        return [one for one in wanted if one not in there]

    def _make_npm(self, tree):
        wanted = listed("npm.txt")
        say(f"fetching and installing {len(wanted)} npm packages, with what they need")
        (tree / APP).mkdir()
        (tree / APP / "package.json").write_text('{"name": "world", "version": "1.0.0", "private": true}\n')
        quietly([*NPM, "--cache", self.folder / "npm-cache", *wanted], cwd=tree / APP)

    def root(self):
        """The three as one root file system."""
        def join(target):
            for part in self.parts():
                quietly(["cp", "-al", "--no-target-directory", part, target])
        return made(self.folder / "root", join)

    def image(self):
        lines = [*imageparts.base_lines(), imageparts.run_line("pip install -r requirements.txt"),
                 imageparts.run_line("npm install")]
        return archive_of(self.parts(), lines, self.folder / "world.tar", self.folder)


def pinned(wheel):
    """A wheel's line in a list: `name==version`."""
    name, version = wheel.name.split("-")[:2]
    return f"{name.replace('_', '-').replace('.', '-').lower()}=={version}"


def shares(items, number):
    """The items in so many lists, none of them empty."""
    return [share for share in (items[start::number] for start in range(number)) if share]
