"""Real container engines of our own for the tests: dockerd, podman, containerd, docker-registry, each with its data
in one temporary folder, none touching what this machine runs.

`Machine` starts each of them when it is first asked for, and stops them all when it is closed: afterwards no process
and no mount of theirs is left. The session fixture `machine` shares one; a part that is not there skips the test.
"""

import contextlib
import ctypes
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import pytest

import imagekit
import registrykit
import scanner
import tarkit

CAP_SYS_ADMIN = 21
PR_SET_PDEATHSIG = 1
# What would lead any of these programs, or plimsoll, to an engine that is not the kit's.
STEERING = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "CONTAINER_HOST",
            "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "CONTAINERD_ADDRESS", "CONTAINERD_NAMESPACE", "XDG_RUNTIME_DIR",
            "REGISTRY_AUTH_FILE", "STORAGE_DRIVER")
_prctl = ctypes.CDLL(None).prctl


def may_mount():
    """Whether this is root with the right to mount, which every engine needs."""
    if os.geteuid() != 0:
        return False
    held = next(line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    return bool(int(held.split()[1], 16) >> CAP_SYS_ADMIN & 1)


def need(*programs, root=True):
    """Skips the test where it cannot be made."""
    if root and not may_mount():
        pytest.skip("needs root with the right to mount")
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"not installed: {', '.join(missing)}")


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if name not in STEERING}
    return {**kept, "LC_ALL": "C.UTF-8", **{name: str(value) for name, value in more.items()}}


def run(*command, env=None, **more):
    """Runs a program that has to succeed; its output."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
                          env=env or environment(), **more)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\nexit {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout.strip()


def _die_with_us():
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


# -- what would be left behind --------------------------------------------------------------------------

def mounts_below(folder):
    """Mount points in a folder, the deepest first."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return sorted((p for p in points if p.startswith(f"{folder}/")), key=len, reverse=True)


def processes_of(folder):
    """{number: command line} of processes that work with a folder."""
    found, mark = {}, str(folder).encode()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes()
            if mark in line and int(process.name) != os.getpid():
                found[int(process.name)] = line.replace(b"\0", b" ").decode("utf-8", "replace")
    return found


def _gone(ask, folder, seconds=10):
    """Waits until there is nothing any more; what there still is."""
    end = time.monotonic() + seconds
    while (left := ask(folder)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


class Machine:
    """All engines that a machine may have, in `folder`."""

    def __init__(self):
        # A short path (a socket's may have 107 bytes), that other users may go through, as /run is.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="plimsoll-engines-", dir="/tmp"))
        self.folder.chmod(0o711)
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        left = self.close()
        assert not left, f"the engines have left behind {left}"

    def close(self):
        """Stops what runs, the last first; gives what was left behind, and removes it all the same."""
        for process in reversed(self.running):
            self._stop(process)
        processes = _gone(processes_of, self.folder)
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        # containers/storage mounts its own folder onto itself and lets it stay so; all else is a leftover.
        usual = {str(self.podman_folder / "root/overlay"), str(self.empty_storage / "overlay")}
        mounts = [point for point in mounts_below(self.folder) if point not in usual]
        for point in mounts_below(self.folder):
            subprocess.run(["umount", point], capture_output=True)
        for point in _gone(mounts_below, self.folder, 1):
            subprocess.run(["umount", "--lazy", point], capture_output=True)
        if not mounts_below(self.folder):  # else the removal would go through them
            shutil.rmtree(self.folder, ignore_errors=True)
        return [*processes.values(), *mounts, *([str(self.folder)] if self.folder.exists() else [])]

    @staticmethod
    def _stop(process):
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def start(self, name, *command, env, ready):
        """Starts a daemon and waits until ready() is true."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as output:
            process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       env=env, preexec_fn=_die_with_us)
        self.running.append(process)
        end = time.monotonic() + 60
        while not ready():
            assert process.poll() is None and time.monotonic() < end, f"{name} did not start\n{log.read_text()[-4000:]}"
            time.sleep(0.05)

    # -- what the programs, and plimsoll, are told of where things are -----------------------------------------

    @functools.cached_property
    def empty_storage(self):
        (self.folder / "empty").mkdir()
        return self.folder / "empty"

    @functools.cached_property
    def podman_folder(self):
        folder = self.folder / "podman"
        folder.mkdir()
        (folder / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n')
        (folder / "empty.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.empty_storage}"\nrunroot = "{folder}/none"\n')
        (folder / "containers.conf").write_text(
            f'[engine]\ntmp_dir = "{folder}/tmp"\nstatic_dir = "{folder}/root/libpod"\nvolume_path = "{folder}/volumes"\n'
            f'events_logger = "none"\n[network]\nnetwork_config_dir = "{folder}/networks"\n')
        (folder / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        return folder

    def storage_environment(self, **more):
        return environment(CONTAINERS_STORAGE_CONF=self.podman_folder / "storage.conf",
                           CONTAINERS_CONF=self.podman_folder / "containers.conf", **more)

    @functools.cached_property
    def user(self):
        """Where plimsoll looks when no engine is to be found: a home of its own, and sockets that are not there."""
        home = self.folder / "home"
        for path in (home / ".docker", home / "run"):
            path.mkdir(parents=True)
        return {"HOME": str(home), "XDG_RUNTIME_DIR": f"{home}/run", "DOCKER_CONFIG": f"{home}/.docker",
                "XDG_CACHE_HOME": f"{home}/cache", "XDG_CONFIG_HOME": f"{home}/config", "XDG_DATA_HOME": f"{home}/data",
                "DOCKER_HOST": f"unix://{home}/run/no-docker.sock", "CONTAINER_HOST": f"unix://{home}/run/no-podman.sock",
                "CONTAINERD_ADDRESS": f"{home}/run/no-containerd.sock", "DOCKER_CONTEXT": "", "DOCKER_TLS_VERIFY": "",
                "DOCKER_CERT_PATH": "", "CONTAINERD_NAMESPACE": "", "REGISTRY_AUTH_FILE": "",
                "PLIMSOLL_TEST_BACKOFF_MS": "1",
                "CONTAINERS_STORAGE_CONF": str(self.podman_folder / "empty.conf")}

    @property
    def everything(self):
        """The environment of a user on whose machine every engine runs."""
        return {**self.user, "DOCKER_HOST": self.docker.address, "CONTAINER_HOST": self.podman.address,
                "CONTAINERD_ADDRESS": self.containerd.address,
                "CONTAINERS_STORAGE_CONF": str(self.podman_folder / "storage.conf")}

    # -- the engines -----------------------------------------------------------------------------------------

    @functools.cached_property
    def docker(self):
        need("dockerd", "docker", "containerd", "openssl")
        return Docker(self)

    @functools.cached_property
    def podman(self):
        need("podman", "skopeo")
        return Podman(self)

    @functools.cached_property
    def containerd(self):
        need("containerd", "ctr")
        return Containerd(self)

    @functools.cached_property
    def registry(self):
        need("docker-registry", "skopeo", root=False)
        return Registry(self)


class Docker:
    """dockerd on a socket, and on a port with TLS that asks for a client's certificate."""

    def __init__(self, machine):
        self.folder = folder = machine.folder / "docker"
        folder.mkdir()
        self.socket, self.port = folder / "docker.sock", registrykit.closed_port()
        self.address, self.secure_address = f"unix://{self.socket}", f"tcp://127.0.0.1:{self.port}"
        self.environment = environment(DOCKER_HOST=self.address, DOCKER_CONFIG=folder / "config")
        self.certificates = self._certificates()
        server = folder / "server"
        machine.start("dockerd", "dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec", "-p", folder / "pid",
                      "-H", self.address, "-H", self.secure_address, "--tlsverify", "--tlscacert", server / "ca.pem",
                      "--tlscert", server / "cert.pem", "--tlskey", server / "key.pem", "--iptables=false", "--bridge=none",
                      "--containerd-namespace", f"kit-{os.getpid()}", "--containerd-plugins-namespace", f"kit-plugins-{os.getpid()}",
                      env=environment(), ready=self._answers)

    def _answers(self):
        return subprocess.run(["docker", "version"], env=self.environment, capture_output=True).returncode == 0

    def _certificates(self):
        """Folders as docker wants them (ca.pem, cert.pem, key.pem), for the server and for a client; the latter."""
        authority = registrykit.Authority(self.folder / "authority")
        for side in ("server", "client"):
            (self.folder / side).mkdir()
            certificate, key = authority.issue() if side == "server" else authority.issue("DNS:client")
            for source, name in ((authority.certificate, "ca.pem"), (certificate, "cert.pem"), (key, "key.pem")):
                shutil.copy(source, self.folder / side / name)
        return self.folder / "client"

    def __call__(self, *args, **more):
        return run("docker", *args, env={**self.environment, **more})

    @functools.cached_property
    def in_place(self):
        """Whether it keeps its layers as plimsoll can read them in place (not where overlayfs cannot be had)."""
        return self("info", "--format", "{{.Driver}}") == "overlay2"


class Podman:
    """A containers/storage of its own, and podman's service on a socket."""

    def __init__(self, machine):
        self.machine, self.folder = machine, machine.podman_folder
        self.environment = machine.storage_environment()
        self.socket = self.folder / "podman.sock"
        self.address = f"unix://{self.socket}"
        machine.start("podman", "podman", "system", "service", "--time=0", self.address, env=self.environment, ready=self._answers)

    def _answers(self):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.socket))
            return True

    def __call__(self, *args):
        return run("podman", *args, env=self.environment)

    def load(self, archive, name):
        run("skopeo", "copy", "--quiet", "--insecure-policy", f"docker-archive:{archive}", f"containers-storage:{name}",
            env=self.environment)


class Containerd:
    """containerd with what keeps images, and nothing that runs them."""

    def __init__(self, machine):
        self.folder = folder = machine.folder / "containerd"
        folder.mkdir()
        self.address = f"{folder}/containerd.sock"
        (folder / "config.toml").write_text(
            f'version = 2\nroot = "{folder}/root"\nstate = "{folder}/state"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", '
            '"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]\n'
            f'[grpc]\naddress = "{self.address}"\n[ttrpc]\naddress = "{self.address}.ttrpc"\n')
        machine.start("containerd", "containerd", "--config", folder / "config.toml", env=environment(), ready=self._answers)

    def _answers(self):
        return subprocess.run(["ctr", "--address", self.address, "--connect-timeout", "1s", "version"],
                              capture_output=True).returncode == 0

    def load(self, archive, namespace="default"):
        run("ctr", "--address", self.address, "--namespace", namespace, "images", "import", "--no-unpack", archive)


class Registry:
    """Debian's docker-registry without TLS; test_real_registry.py has it with."""

    def __init__(self, machine):
        folder = machine.folder / "registry"
        folder.mkdir()
        self.host = f"127.0.0.1:{registrykit.closed_port()}"
        config = {"version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
                  "storage": {"filesystem": {"rootdirectory": str(folder / "store")}}, "http": {"addr": self.host, "secret": "kit"}}
        (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        machine.start("registry", "docker-registry", "serve", folder / "config.yml", env=environment(OTEL_TRACES_EXPORTER="none"),
                      ready=self._answers)

    def _answers(self):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with contextlib.suppress(OSError), opener.open(f"http://{self.host}/v2/", timeout=5) as answer:
            return answer.status == 200

    def push(self, source, name, *args):
        run("skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false", *args, source, f"docker://{self.host}/{name}")
        return f"{self.host}/{name}"


@pytest.fixture(scope="session")
def machine():
    with Machine() as started:
        yield started


# -- images by other hands ---------------------------------------------------------------------------------

def apply(root, layer):
    """What a layer says, done to a root folder: what a build step does there."""
    root = pathlib.Path(root)
    for entry in layer:
        parent, _, name = entry.path.rpartition("/")
        if name == ".wh..wh..opq":
            for child in (root / parent).iterdir():
                _remove(child)
        elif name.startswith(".wh."):
            _remove(root / parent / name[4:])
    for entry in layer:
        path = root / entry.path
        if ".wh." in entry.path:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.type == tarkit.DIR:
            path.mkdir(exist_ok=True)
        elif entry.type == tarkit.SYMLINK:
            path.symlink_to(entry.link)
        elif entry.type == tarkit.HARDLINK:
            os.link(root / entry.link, path)
        else:
            path.unlink(missing_ok=True)
            path.write_bytes(entry.data)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def steps(layers, history):
    """[(layer, its history line's text, the words of the CMD lines right before it)], bottom first."""
    found, commands, rest = [], [], list(layers)
    for line in history:
        if not line.get("empty_layer"):
            found.append((rest.pop(0), line["created_by"], commands))
            commands = []
        elif "CMD" in line["created_by"]:
            commands = [*commands, "sh"]
    assert not rest
    return found


def buildah_image(machine, name, layers, history):
    """Built by buildah in the storage that podman uses, a commit for each layer."""
    need("buildah")
    env = machine.storage_environment(BUILDAH_HISTORY="true")
    buildah = functools.partial(run, "buildah", env=env)
    policy, base = machine.podman_folder / "policy.json", "scratch"
    for layer, text, commands in steps(layers, history):
        container = buildah("from", "--pull-never", "--signature-policy", policy, base)
        for command in commands:
            buildah("config", "--add-history", "--cmd", command, container)
        apply(buildah("mount", container), layer)
        buildah("umount", container)
        buildah("config", "--created-by", text, container)
        base = buildah("commit", "--quiet", "--rm", "--signature-policy", policy, container, name)
    return name


def umoci_image(folder, layers, history):
    """Made by umoci: an OCI layout in `folder`."""
    need("umoci")
    layout, image = folder / "layout", f"{folder / 'layout'}:app"
    folder.mkdir(parents=True)
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", image)
    for number, (layer, text, commands) in enumerate(steps(layers, history)):
        for command in commands:
            run("umoci", "config", "--image", image, "--config.cmd", command, "--history.created_by", f'CMD ["{command}"]')
        bundle = folder / f"bundle{number}"
        run("umoci", "unpack", "--image", image, bundle)
        apply(bundle / "rootfs", layer)
        run("umoci", "repack", "--image", image, "--history.created_by", text, bundle)
        shutil.rmtree(bundle)
    return layout


def files_for_containerd(image, name):
    """An OCI archive's files that `ctr images import` puts under that name."""
    notes = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    return imagekit.files_oci(image, index=imagekit.index_bytes([imagekit.manifest_descriptor(image, annotations=notes)]))


# -- plimsoll as another user ----------------------------------------------------------------------------------

NOBODY = 65534


def as_nobody():
    """Arguments of subprocess for a user to whom nothing belongs; nothing where this is no root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def binary_for_all(folder):
    """A copy of the program that every user can start."""
    copy = pathlib.Path(folder) / "plimsoll"
    if not copy.exists():
        shutil.copy(scanner.binary(), copy)
        copy.chmod(0o755)
    return copy
