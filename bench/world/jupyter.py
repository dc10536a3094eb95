"""A whole image of jupyterlab, bokeh, gradio, tensorboard and mlflow, secrets and vulnerabilities together:
plimsoll beside Trivy in one run.

Twice: with the packages where pip puts them, and in a virtual environment, since Trivy looks for no
secrets below /usr/local/lib/python3.*.
"""

import json
import os
import pathlib
import shutil
import tempfile

import images
import measure as bench
import tables
import world as content
from world import imageparts

BOTH, AIM = "vuln,secret", 25
DEBS = ["ca-certificates", "netbase", "python3", "tzdata"]
WANTED = "jupyterlab bokeh gradio tensorboard mlflow"
VENV = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"
HEAD = ["image", "size", "findings, secrets", "plimsoll", "Trivy", "Trivy ÷ plimsoll"]
PLACES = {"jupyter": "usr/local", "jupyter-venv": "opt/venv"}


def _packages(folder, pip):
    """The wheels, installed below usr/local."""
    def make(tree):
        wanted = content.listed("jupyter.txt")
        content.say(f"installing {WANTED} ({len(wanted)} wheels)")
        install = [pip, *content.PIP, "--only-binary=:all:", "--root", tree, "--prefix", "/usr/local"]
        content.at_once(lambda some: content.quietly([*install, *some]), content.shares(wanted, content.AT_ONCE))
    return content.made(folder / "jupyter", make)


def _image(folder, pip, name, place):
    out = folder / f"{name}.tar"
    if out.is_file():
        return out
    packages = _packages(folder, pip)
    with tempfile.TemporaryDirectory(prefix="jupyter-", dir=folder) as work:
        work = pathlib.Path(work)
        base, tree, layer = work / "0.tar", work / "tree", work / "1.tar"
        content.say("making a Debian root")
        imageparts.debian_root(base, DEBS, work)
        (tree / place).parent.mkdir(parents=True)
        content.quietly(["cp", "-al", packages / "usr/local", tree / place])
        if place == "opt/venv":
            (tree / place / "pyvenv.cfg").write_text(VENV)
        content.tar_of(tree, layer)
        lines = [*imageparts.base_lines(), imageparts.run_line(f"pip install {WANTED}")]
        imageparts.docker_archive(out, [base, layer], lines, f"plimsoll-{name}:latest")
    return out


def _told(plimsoll, target):
    """How many of either kind plimsoll reports."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        bench.run([plimsoll, "image", target, "--no-cache", "-q", "--scanners", BOTH, "-f", "json", "-o", out.name])
        report = json.load(open(out.name))
    return len(report["findings"]), len(report["secrets"])


def _row(name, target, program, runs):
    plimsoll, trivy = bench.Plimsoll(program, BOTH), bench.Peer("trivy", BOTH).command(target)
    findings, secrets = _told(program, target)
    taken = bench.seconds(plimsoll.cold(target), runs)
    row = [name, bench.size(target.stat().st_size), f"{findings}, {secrets}", f"{taken:.2f} s"]
    if not trivy:
        return [*row, "not there", "—"], None
    content.say(f"Trivy, {target}")
    peer = bench.seconds(trivy, runs, warm=False)
    return [*row, f"{peer:.2f} s", f"{peer / taken:.1f}×"], peer / taken


def measure(folder, pip, program, runs):
    """Prints the table; gives the exit code."""
    imageparts.need("mmdebstrap")
    os.environ["PATH"] += f":{pathlib.Path.home() / 'go/bin'}"
    if not shutil.which("trivy"):
        content.say("Trivy is neither on the PATH nor in ~/go/bin: no row of it")
    elif not (images.SHARED / "peers/trivy.db.zst").is_file():
        content.say(f"{images.SHARED}/peers has no database for Trivy ($PLIMSOLL_SHARED says where): no row of it")
    images.FOLDER.mkdir(parents=True, exist_ok=True)
    rows, missed = [], []
    for name, place in PLACES.items():
        row, ratio = _row(f"/{place}", _image(folder, pip, name, place), program, runs)
        rows.append(row)
        if ratio is not None and ratio < AIM:
            missed.append(f"/{place}: only {ratio:.1f} times faster than Trivy")
    print(tables.table(HEAD, rows))
    print("\n".join(f"MISSED: {line}" for line in missed), end="\n" if missed else "")
    return 1 if missed else 0
