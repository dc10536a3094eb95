"""What the image-making scripts share: a Debian root from the machine's own apt sources, trees of
real wheels, and a writer of docker-archives. Only the standard library, and nothing is installed."""

import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

SUITE = "bookworm"
PYTHON = "3.11"
SITE = "usr/local/lib/python3.11/dist-packages"
EPOCH = 1700000000
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def need(*programs):
    """Stop with one clear line if a program that is needed is not there."""
    for program in programs:
        if not shutil.which(program):
            sys.exit(f"{sys.argv[0]}: needs {program}, which is not installed "
                     f"(on Debian: apt-get install {program})")


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **more):
    """Run a program that has to succeed; it has said itself what went wrong if it does not."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, **more)
    if done.returncode:
        sys.exit(f"{sys.argv[0]}: {command[0]} failed (exit code {done.returncode})")


# -- Debian -----------------------------------------------------------------------------------

def _lines_of_suite(text, suite):
    return [line for line in text.splitlines()
            if line.startswith("deb ") and suite in re.sub(r"\[.*?\]", "", line).split()]


def _stanzas_of_suite(text, suite):
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        stanza = re.sub(r"(?m)^#.*\n?", "", stanza).strip()
        suites = re.search(r"(?m)^Suites:(.*)$", stanza)
        if suites and suite in suites[1].split():
            found.append(stanza.replace(suites[0], f"Suites: {suite}"))
    return found


def apt_sources(folder, suite=SUITE, apt=pathlib.Path("/etc/apt")):
    """The machine's own apt sources of this suite as files under `folder`. Without its security and
    update suites: images are dated, and a scanner is to find that. None: the machine has none (it is
    no Debian of that release), and mmdebstrap's default has to serve."""
    lines, stanzas = [], []
    for path in sorted([apt / "sources.list", *apt.glob("sources.list.d/*")]):
        if path.suffix == ".list" and path.is_file():
            lines += _lines_of_suite(path.read_text(), suite)
        elif path.suffix == ".sources":
            stanzas += _stanzas_of_suite(path.read_text(), suite)
    found = []
    for name, parts, glue in (("s.list", lines, "\n"), ("s.sources", stanzas, "\n\n")):
        if parts:
            path = pathlib.Path(folder) / name
            path.write_text(glue.join(parts) + "\n")
            found.append(str(path))
    return found or None


def debian_root(out, include, workdir, suite=SUITE, extra=()):
    """Make a minimal Debian root (tar or folder, by the name `out`) with real packages."""
    need("mmdebstrap")
    sources = apt_sources(workdir, suite)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(include),
               '--aptopt=Acquire::Languages "none"', "--dpkgopt=force-unsafe-io",
               "--dpkgopt=path-exclude=/usr/share/man/*",
               "--dpkgopt=path-exclude=/usr/share/locale/*", *extra]
    if sources is None and os.path.exists(KEYRING):
        command.append("--keyring=" + KEYRING)
    command += [suite, str(out), *(sources or [])]
    run(command, env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C.UTF-8"})


# -- Python -----------------------------------------------------------------------------------

def pip_command():
    """A pip of this machine: the one of the Python that runs this, else the first on the PATH."""
    for python in (sys.executable, "/usr/bin/python3", "python3"):
        probe = subprocess.run([python, "-m", "pip", "--version"], capture_output=True)
        if probe.returncode == 0:
            return [python, "-m", "pip"]
    return sys.exit(f"{sys.argv[0]}: needs pip (on Debian: apt-get install python3-pip)")


def wheel_options(python=PYTHON):
    # Wheels of the image's Python and glibc, whatever runs on the host.
    platforms = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64",
                 "manylinux2010_x86_64", "manylinux1_x86_64"]
    return ["--only-binary=:all:", "--implementation=cp", "--python-version=" + python,
            *("--platform=" + platform for platform in platforms)]


def pip_tree(target, requirements, deps=True):
    """Install real wheels, as pip does it, into the site-packages folder `target`."""
    command = [*pip_command(), "install", "--quiet", "--no-compile", "--no-cache-dir",
               "--disable-pip-version-check", "--root-user-action=ignore", "--no-warn-conflicts",
               "--target=" + str(target), *wheel_options(), *requirements]
    if not deps:
        command.append("--no-deps")
    run(command)


# -- layers and archives ----------------------------------------------------------------------

def _neutral(info):
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = EPOCH
    return info


def _parents(tar, prefix):
    parts = prefix.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        info = tarfile.TarInfo("/".join(parts[:depth]))
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(_neutral(info))


def tree_layer(out, tree, prefix, whiteouts=()):
    """Write the folder `tree` as a layer under `prefix`; `whiteouts` are paths that it takes away."""
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as tar:
        _parents(tar, prefix)
        for path in whiteouts:
            folder, _, name = path.rpartition("/")
            tar.addfile(_neutral(tarfile.TarInfo(f"{folder}/.wh.{name}")))
        for path in sorted(pathlib.Path(tree).rglob("*")):
            name = f"{prefix}/{path.relative_to(tree)}"
            tar.add(path, arcname=name, recursive=False, filter=_neutral)


def _digest(path):
    state = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            state.update(block)
    return state.hexdigest()


def image_config(diff_ids, history, env=("PATH=/usr/local/bin:/usr/bin:/bin",)):
    return {"architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z",
            "config": {"Env": list(env), "Cmd": ["python3"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest for digest in diff_ids]},
            "history": [{"created": "2023-11-14T22:13:20Z", **entry} for entry in history]}


def docker_archive(out, layers, history, tag, diff_ids=None):
    """Write layer files (tar, or compressed when `diff_ids` are given) as `docker save` does. The
    archive appears whole or not at all."""
    diff_ids = diff_ids or [_digest(layer) for layer in layers]
    config = json.dumps(image_config(diff_ids, history), separators=(",", ":")).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    names = [f"{digest}/layer.tar" for digest in diff_ids]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": names}]).encode()
    part = f"{out}.part"
    with tarfile.open(part, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, layer in zip(names, layers):
            tar.add(layer, arcname=name, filter=_neutral)
        for name, data in ((config_name, config), ("manifest.json", manifest)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(_neutral(info), io.BytesIO(data))
    os.replace(part, out)


def run_line(command):
    return {"created_by": f"RUN /bin/sh -c {command} # buildkit", "comment": "buildkit.dockerfile.v0"}


def base_lines():
    """The history of a root file system that somebody else made: one layer and an empty one."""
    return [{"created_by": f"/bin/sh -c #(nop) ADD file:{SUITE} in / "},
            {"created_by": '/bin/sh -c #(nop)  CMD ["bash"]', "empty_layer": True}]
