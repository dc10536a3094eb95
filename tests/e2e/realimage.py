"""A real image, made as a user makes one: a Debian root of mmdebstrap, `docker build` with RUN lines
that install, upgrade and remove real packages, `docker save`. Beside it what the package managers
themselves say is installed, after each step. Made once and kept in a cache folder."""

import contextlib
import fcntl
import functools
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import scanner

sys.path.insert(0, str(scanner.REPO / "scripts"))
import imageparts  # noqa: E402

PROGRAMS = ("mmdebstrap", "dockerd", "docker", "skopeo", "dpkg")
DEBS = ["ca-certificates", "curl", "openssl", "python3", "python3-pip", "python3-requests", "python3-venv"]
LATER_DEB = "sqlite3"
WEB = ["flask==1.0", "jinja2==2.10", "werkzeug==0.15.2", "requests==2.19.1", "urllib3==1.23"]
MODELS = ["transformers==4.30.0", "numpy==1.24.1", "pillow==9.3.0", "requests==2.28.0", "protobuf==3.20.1"]
NEWER = ["jinja2==3.0.0"]
DOCKERFILE = f"""
FROM root
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1
ARG PIP_FIND_LINKS
ARG PIP_NO_INDEX=1
RUN pip install --no-cache-dir {' '.join(WEB)}
RUN true
RUN apt-get purge -y --auto-remove curl
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir {' '.join(MODELS)}
RUN dpkg -i /srv/*.deb && rm /srv/*.deb
RUN pip install --no-cache-dir --upgrade {' '.join(NEWER)}
RUN /opt/venv/bin/pip uninstall -y tqdm && rm -rf /root/.cache
CMD ["/opt/venv/bin/python"]
"""
# Run inside, in every environment: what Python itself finds, where, and which deb owns it.
ASK_PYTHON = """
import importlib.metadata, json, subprocess
found = []
for one in importlib.metadata.distributions():
    path = str(one._path)
    owner = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True).stdout.partition(":")[0]
    found.append([one.metadata["Name"], one.version, path, owner])
print(json.dumps(found))
"""
ASK = r"""set -e
dpkg-query -W -f '${db:Status-Status} ${binary:Package} ${Version} ${source:Package} ${source:Version}\n'
for python in /usr/bin/python3 /opt/venv/bin/python; do
    if [ -x $python ]; then echo "== $python"; $python -m pip list --format=json 2>/dev/null; $python -c "$ASK_PYTHON"; fi
done
"""


def cannot():
    """Why this machine cannot make the image, or None."""
    if os.getuid() != 0:
        return "needs root"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"needs {', '.join(missing)}"
    return None if feeds().is_dir() else f"needs the advisories in {feeds()}"


def feeds():
    return pathlib.Path(os.environ.get("PLIMSOLL_FEEDS", scanner.REPO.parent / "shared" / "feeds"))


def recipe():
    parts = [DOCKERFILE, ASK, ASK_PYTHON, " ".join(DEBS), pathlib.Path(imageparts.__file__).read_text(),
             pathlib.Path(__file__).read_text()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def cache_folder():
    home = os.environ.get("PLIMSOLL_TEST_CACHE", "~/.cache/plimsoll-tests")
    return pathlib.Path(home).expanduser() / f"real-{recipe()}"


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


@contextlib.contextmanager
def docker_daemon(work):
    """A docker daemon of our own that touches no network rule and no other daemon's folders."""
    address = f"unix://{work}/docker.sock"
    command = ["dockerd", "--data-root", work / "data", "--exec-root", work / "exec", "--pidfile", work / "docker.pid",
               "--host", address, "--iptables=false", "--bridge=none", "--containerd-namespace", f"plimsoll-{os.getpid()}"]
    with open(work / "dockerd.log", "w") as log:
        daemon = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    docker = functools.partial(run, "docker", env={**os.environ, "DOCKER_HOST": address, "DOCKER_BUILDKIT": "0",
                                                   "DOCKER_CONFIG": str(work)})
    try:
        for _ in range(300):
            if daemon.poll() is not None:
                raise RuntimeError("dockerd did not start\n" + (work / "dockerd.log").read_text()[-3000:])
            with contextlib.suppress(RuntimeError):
                docker("version")
                break
            time.sleep(0.1)
        yield docker
    finally:
        daemon.terminate()
        daemon.wait(60)
        for mounted in (work / "exec" / "netns").glob("*"):
            subprocess.run(["umount", "--lazy", str(mounted)], capture_output=True)


@contextlib.contextmanager
def wheel_server(folder):
    """Serve wheels to the build on the loopback interface; gives the address."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.func.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()


def make_root(work):
    """The base image's root, with one deb more in /srv that a later step installs."""
    fetch = f'--customize-hook=chroot "$1" sh -c "cd /srv && apt-get -qq -o APT::Sandbox::User=root download {LATER_DEB}"'
    imageparts.debian_root(work / "root.tar", DEBS, work, extra=[fetch])


def fetch_wheels(work):
    for wanted in (WEB, MODELS, NEWER):
        run(*imageparts.pip_command(), "download", "--quiet", "--disable-pip-version-check", "--dest", work / "wheels",
            *imageparts.wheel_options(), *wanted)


def inventory(docker, image):
    """What dpkg and every Python in there say: {"deb": […], "pypi": {python: {"list", "found"}}}."""
    text = docker("run", "--rm", "--network", "none", "-e", f"ASK_PYTHON={ASK_PYTHON}", image, "sh", "-c", ASK)
    debs, *pythons = text.split("== ")
    told = {}
    for part in pythons:
        python, listed, found = part.strip().split("\n")
        told[python] = {"list": [[p["name"], p["version"]] for p in json.loads(listed)], "found": json.loads(found)}
    lines = (line.split(" ") for line in debs.strip().splitlines())
    return {"deb": [rest for status, *rest in lines if status == "installed"], "pypi": told}


def steps(docker, image):
    """The intermediate image after each layer, bottom first, by `docker history`."""
    by_count = {}
    for ident in docker("history", "--no-trunc", "--quiet", image).split():
        layers = json.loads(docker("inspect", "--format", "{{json .RootFS.Layers}}", ident))
        by_count.setdefault(len(layers), ident)  # the newest of those with as many layers
    return [by_count[count] for count in sorted(by_count)]


def build(work):
    """Make image.tar and facts.json in `work`."""
    with docker_daemon(work) as docker, wheel_server(work / "wheels") as address:
        docker("import", work / "root.tar", "root")
        (work / "context").mkdir()
        (work / "context" / "Dockerfile").write_text(DOCKERFILE)
        docker("build", "--network", "host", "--build-arg", f"PIP_FIND_LINKS={address}", "--tag", "shop/app:1.0", work / "context")
        docker("save", "--output", work / "image.tar", "shop/app:1.0")
        facts = {"steps": [inventory(docker, ident) for ident in steps(docker, "shop/app:1.0")],
                 "history": docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", "shop/app:1.0").splitlines()[::-1]}
    (work / "facts.json").write_text(json.dumps(facts, indent=1))


def copies(work):
    """The same image as skopeo and tar give it: four OCI forms, two compressions."""
    for number, how in enumerate(("gzip", "zstd")):
        folder = work / f"oci-{how}"
        run("skopeo", "copy", "--quiet", "--insecure-policy", "--dest-compress-format", how, "--dest-compress-level", "1",
            f"docker-archive:{work}/image.tar", f"oci:{folder}:app:1")
        run("skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{folder}:app:1", f"oci-archive:{work}/oci-{how}.tar:app:1")


FORMS = ["image.tar", "oci-gzip", "oci-gzip.tar", "oci-zstd", "oci-zstd.tar"]


def made():
    """The folder with the image in all FORMS and facts.json; makes it if it is not there yet."""
    target = cache_folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w") as lock:  # another pytest worker may be at it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "facts.json").is_file():
            for old in target.parent.glob("real-*"):
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix="plimsoll-real-") as folder:
                work = pathlib.Path(folder)
                downloads = threading.Thread(target=fetch_wheels, args=(work,))
                downloads.start()
                make_root(work)
                downloads.join()
                build(work)
                copies(work)
                half = target.with_suffix(".half")
                shutil.rmtree(half, ignore_errors=True)
                half.mkdir()
                for name in [*FORMS, "facts.json"]:
                    shutil.move(work / name, half / name)
                half.rename(target)
    return target
