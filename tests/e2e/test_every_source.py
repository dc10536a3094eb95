"""One image in every place and every compression: always the same components, findings and origins.

The engines, the registry and the programs that make the other forms are the real ones (daemonkit). What they are
wanted for: docker.io, podman, buildah, skopeo, umoci, containerd, docker-registry; without one its cases are skipped.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

import daemonkit
import evidence as ev
import imagekit
import registrykit
import scanner
from daemonkit import machine, run  # noqa: F401
from tarkit import file, folder, hardlink, opaque, symlink, whiteout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

# -- the image ---------------------------------------------------------------------------------------------

DATABASE, OLD, NEW = "usr/lib/sysimage/dpkg", "opt/old/lib/python3.11/site-packages", "opt/releases/2/site-packages"
VENV = "opt/venv/lib/python3.11/site-packages"


def dpkg(*paragraphs):
    return ev.dpkg(ev.deb("base-files", "12.4+deb12u9"), *paragraphs, path=f"{DATABASE}/status")


def folders(*paths):
    """Each of them and all above, once, the uppermost first."""
    return [folder(path) for path in sorted({path[:at] for path in paths for at in range(1, len(path) + 1) if path[at:at + 1] in ("", "/")})]


OPENSSL = ev.deb("libssl3", "3.0.11-1~deb12u2", source="openssl")
LAYERS = [
    # A Debian whose database lies behind a link to a folder, as os-release does behind one to a file.
    [*folders("etc", "var/lib", DATABASE, ev.SITE, "tmp"), symlink("lib", "usr/lib"), symlink("var/lib/dpkg", f"../../{DATABASE}"),
     ev.os_release(path="usr/lib/os-release"), symlink("etc/os-release", "../usr/lib/os-release"),
     dpkg(OPENSSL, ev.deb("curl", "7.88.1-10+deb12u5"), ev.deb("passwd", "1:4.13+dfsg1-1", source="shadow")),
     *ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("high-fixed", "1.0"), file("tmp/note", "of the first layer")],
    # The application: a virtual environment, a hard link as its evidence, a folder that goes later, one behind a link.
    [*folders(f"{VENV}/medium_fixed-1.5.dist-info", OLD, "opt/releases/1", "opt/cas", "srv"), file("srv/big", bytes(range(256)) * 2000),
     *ev.dist_info("high-unfixed", "3.1", site=VENV), *ev.dist_info("low-fixed", "1.0", site=OLD),
     *ev.dist_info("medium-unfixed", "0.5", site=OLD),
     file("opt/cas/0f3a", ev.metadata("medium-fixed", "1.5")),
     hardlink(f"{VENV}/medium_fixed-1.5.dist-info/METADATA", "opt/cas/0f3a"), symlink("opt/current", "releases/2")],
    # An opaque folder with something new in it, packages upgraded, removed, and one that takes a file's place.
    [*folders(OLD, "usr/lib"), opaque("opt/old"), *ev.dist_info("low-unfixed", "2.0", site=OLD), whiteout(f"{ev.SITE}/high_fixed-1.0.dist-info"), whiteout("tmp/note"),
     dpkg(OPENSSL, ev.deb("curl", "7.88.1-10+deb12u9"))],
    # One version over another, as pip does it; a folder that the link of a layer below has named before it was there.
    [*folders(NEW), whiteout(f"{ev.SITE}/crit_fixed-1.0.dist-info"), *ev.dist_info("crit-fixed", "1.5"),
     *ev.dist_info("crit-unfixed", "7.0", site=NEW)],
    # Only a removal.
    [whiteout("srv/big")],
]
HISTORY = [
    imagekit.nop("ADD file:0123 in / ", empty=False), imagekit.nop('CMD ["sh"]'), imagekit.line("ENV A=1"),
    imagekit.run("pip install high-unfixed medium-fixed"), imagekit.line("LABEL b=2"), imagekit.line("WORKDIR /srv"),
    imagekit.line("COPY new /opt/old # buildkit", empty=False), imagekit.legacy_run("pip install -U crit-fixed"),
    imagekit.run("rm /srv/big"),
]
IN = ["ADD file:0123 in /", "RUN pip install high-unfixed medium-fixed", "COPY new /opt/old", "RUN pip install -U crit-fixed"]


def site(base, name, version):
    return (f"{base}/{name.replace('-', '_')}-{version}.dist-info/METADATA",)


COMPONENTS = sorted([
    ("deb", "base-files", "12.4+deb12u9", 0), ("deb", "libssl3", "3.0.11-1~deb12u2", 0), ("deb", "curl", "7.88.1-10+deb12u9", 2),
    ("pypi", "crit-fixed", "1.5", 3, *site(ev.SITE, "crit-fixed", "1.5")),
    ("pypi", "high-unfixed", "3.1", 1, *site(VENV, "high-unfixed", "3.1")),
    ("pypi", "medium-fixed", "1.5", 1, *site(VENV, "medium-fixed", "1.5")),
    ("pypi", "low-unfixed", "2.0", 2, *site(OLD, "low-unfixed", "2.0")),
    ("pypi", "crit-unfixed", "7.0", 3, *site(NEW, "crit-unfixed", "7.0"))])
# id, name, installed, layer, instruction, base
FINDINGS = sorted([
    ("CVE-2024-0021", "libssl3", "3.0.11-1~deb12u2", 0, IN[0], True),
    ("CVE-2024-0012", "high-unfixed", "3.1", 1, IN[1], False), ("CVE-2024-0003", "medium-fixed", "1.5", 1, IN[1], False),
    ("CVE-2024-0014", "low-unfixed", "2.0", 2, IN[2], False),
    ("CVE-2024-0001", "crit-fixed", "1.5", 3, IN[3], False), ("CVE-2024-0011", "crit-unfixed", "7.0", 3, IN[3], False)])
ORIGINS = [(*finding[:5], None) for finding in FINDINGS]  # without a word of the base image
BASE = [True] + [False] * 4  # of the layers, where the base image is named


def the_image(**more):
    return imagekit.image_of(*LAYERS, history=HISTORY, **more)


def components(report):
    """What a component is and where it comes from; the place of a deb is the database, by whichever of its names."""
    return sorted((c["type"], c["name"], c["version"], c["layer"], *(c["locations"] if c["type"] == "pypi" else ()))
                  for c in report["components"])


def findings(report):
    return sorted((f["id"], f["name"], f["installed"], f["layer"], f["instruction"], f["base"]) for f in report["findings"])


# -- where it is: each gives (IMAGE, options, environment), and a word of --verbose that tells the way -------------------

class Everywhere:
    """The image, brought to one place after the other; each only when a test asks for it."""

    def __init__(self, machine, work):  # noqa: F811
        self.machine, self.work, self.made = machine, work, {}

    def once(self, key, make, *args):
        """What make(*args) gave the first time. A test that is skipped there is skipped each time."""
        if key not in self.made:
            self.made[key] = make(*args)
        return self.made[key]

    # -- files

    def archive(self, compression="none", whole="none"):
        path = self.work / f"docker-{compression}-{whole}.tar"
        return self.once(path, lambda: imagekit.write_archive(
            path, imagekit.files_docker_old(the_image(tags=("kit/app:1",), compression=compression)), whole=whole))

    def base(self):
        path = self.work / "base.tar"
        return self.once(path, lambda: imagekit.write_archive(
            path, imagekit.files_docker_old(imagekit.image_of(LAYERS[0], tags=("base:1",)))))

    def oci_folder(self, compression):
        path = self.work / f"oci-{compression}"
        return self.once(path, lambda: imagekit.write_folder(path, imagekit.files_oci(the_image(compression=compression))))

    def oci_archive(self, compression, whole="none"):
        path = self.work / f"oci-{compression}-{whole}.tar"
        return self.once(path, lambda: imagekit.write_archive(
            path, imagekit.files_oci(the_image(compression=compression)), whole=whole))

    def through_skopeo(self, kind, *args):
        daemonkit.need("skopeo", root=False)
        target = self.work / f"skopeo-{kind}-{'-'.join(args).replace(':', '-')}"  # a colon would begin a tag
        run("skopeo", "copy", "--quiet", "--insecure-policy", *args, f"docker-archive:{self.archive()}", f"{kind}:{target}:kit/app:1")
        return target

    def docker_save(self):
        self.docker()
        self.machine.docker("save", "-o", self.work / "save.tar", "kit/app:1")
        return self.work / "save.tar"

    def podman_save(self, form):
        self.podman()
        target = self.work / f"podman-{form}"
        self.machine.podman("save", "--quiet", "--format", form, "-o", target, "localhost/kit/app:1")
        return target

    def containerd_export(self):
        self.containerd("zstd", "default")
        target = self.work / "ctr.tar"
        run("ctr", "--address", self.machine.containerd.address, "images", "export", target, "docker.io/kit/zstd:1")
        return target

    # -- engines

    def docker(self):
        self.once("docker", lambda: self.machine.docker("load", "-q", "-i", self.archive("gzip")))
        return self.machine.docker

    def podman(self):
        self.once("podman", lambda: self.machine.podman.load(self.archive(), "localhost/kit/app:1"))
        return self.machine.podman

    def containerd(self, compression, namespace):
        name = f"docker.io/kit/{compression}:1"

        def load():
            image = the_image(compression=compression)
            self.machine.containerd.load(imagekit.write_archive(
                self.work / f"ctr-{compression}-{namespace}.tar", daemonkit.files_for_containerd(image, name)), namespace)
        self.once((name, namespace), load)
        return name

    def registry(self, name, source, *args):
        return self.once(name, lambda: self.machine.registry.push(source, name, *args))

    def built_by_buildah(self):
        name = "localhost/kit/built:1"
        return self.once(name, lambda: daemonkit.buildah_image(self.machine, name, LAYERS, HISTORY))

    def made_by_umoci(self):
        return self.once("umoci", lambda: daemonkit.umoci_image(self.work / "umoci", LAYERS, HISTORY))


@pytest.fixture(scope="session")
def everywhere(machine, tmp_path_factory):  # noqa: F811
    return Everywhere(machine, tmp_path_factory.mktemp("everywhere"))


def docker_in_place(all_, **env):
    docker = all_.docker()
    if not docker.in_place:
        pytest.skip("dockerd cannot use overlay2 here")
    return {"DOCKER_HOST": docker.address, **env}


def docker_context(all_, name, words, **env):
    """Contexts are made by docker itself, in the kit's folder of docker's settings."""
    all_.docker()
    all_.once(name, lambda: all_.machine.docker("context", "create", name, "--docker", words, DOCKER_HOST=""))
    return {"DOCKER_HOST": "", "DOCKER_CONFIG": str(all_.machine.docker.folder / "config"), **env}


def docker_secure(all_):
    return {"DOCKER_HOST": all_.docker().secure_address, "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(all_.machine.docker.certificates)}


def secure_context(all_):
    docker = all_.docker()
    pems = ",".join(f"{word}={docker.certificates}/{word}.pem" for word in ("ca", "cert", "key"))
    return docker_context(all_, "secure", f"host={docker.secure_address},{pems}", DOCKER_CONTEXT="secure")


def current_context(all_):
    """`docker context use`, written down in a config.json."""
    env = docker_context(all_, "plain", f"host={all_.docker().address}")
    all_.once("use", lambda: all_.machine.docker("context", "use", "plain", DOCKER_HOST=""))
    assert json.loads((all_.machine.docker.folder / "config" / "config.json").read_text())["currentContext"] == "plain"
    return env


def podman_storage(all_, **env):
    all_.podman()
    return {"CONTAINERS_STORAGE_CONF": str(all_.machine.podman_folder / "storage.conf"), **env}


def podman_socket(all_):
    return {"CONTAINER_HOST": all_.podman().address}


def at_containerd(all_, **env):
    return {"CONTAINERD_ADDRESS": all_.machine.containerd.address, **env}


def id_of(all_):
    return all_.docker()("inspect", "--format", "{{.Id}}", "kit/app:1")


def in_registry(all_, name, source, *args):
    return f"registry:{all_.registry(name, source, *args)}", ["--insecure"]


def pushed(form, compression):
    """A case: pushed by skopeo as that."""
    return lambda a: in_registry(a, f"{form}:{compression.replace(':', '-')}", f"docker-archive:{a.archive()}",
                                 "--format", form, "--dest-compress-format", compression)


# name: (what tells the way in --verbose, a function that brings the image there and gives [IMAGE, options, environment])
CASES = {
    **{f"docker-archive, layers {c}": ("", lambda a, c=c: [f"docker-archive:{a.archive(c)}"]) for c in imagekit.COMPRESSIONS},
    **{f"docker-archive, packed by {c}": ("", lambda a, c=c: [a.archive(whole=c)]) for c in ("gzip", "zstd")},
    **{f"oci-dir, layers {c}": ("", lambda a, c=c: [f"oci-dir:{a.oci_folder(c)}"]) for c in imagekit.COMPRESSIONS},
    **{f"oci-archive, layers {c}": ("", lambda a, c=c: [f"oci-archive:{a.oci_archive(c)}"]) for c in imagekit.COMPRESSIONS},
    **{f"oci-archive, packed by {c}": ("", lambda a, c=c: [a.oci_archive("gzip", c)]) for c in ("gzip", "zstd")},
    **{f"{kind} by skopeo, layers {c}": ("", lambda a, kind=kind, c=c: [a.through_skopeo(kind, "--dest-compress-format", c)])
       for kind in ("oci", "oci-archive") for c in ("gzip", "zstd")},
    "docker-archive by skopeo": ("", lambda a: [a.through_skopeo("docker-archive")]),
    "docker save": ("", lambda a: [a.docker_save()]),
    **{f"podman save, {form}": ("", lambda a, form=form: [a.podman_save(form)]) for form in ("docker-archive", "oci-archive", "oci-dir")},
    "ctr images export": ("", lambda a: [a.containerd_export()]),
    "docker in place": ("overlay2 folders", lambda a: ["docker:kit/app:1", [], docker_in_place(a)]),
    "docker in place, by name alone": ("overlay2 folders", lambda a: ["kit/app:1", [], docker_in_place(a)]),
    "docker in place, by full name": ("overlay2 folders", lambda a: ["docker.io/kit/app:1", [], docker_in_place(a)]),
    "docker in place, by id": ("overlay2 folders", lambda a: [f"docker:{id_of(a)}", [], docker_in_place(a)]),
    "docker in place, by short id": ("overlay2 folders", lambda a: [id_of(a)[7:19], [], docker_in_place(a)]),
    "docker exported": ("Docker's export (unix:", lambda a: ["docker:kit/app:1", ["--platform", "linux/amd64"], {"DOCKER_HOST": a.docker().address}]),
    "docker exported, by id": ("Docker's export (unix:", lambda a: [f"docker:{id_of(a)}", ["--platform", "linux/amd64"], {"DOCKER_HOST": a.docker().address}]),
    "docker by TCP with TLS": ("Docker's export (tcp:", lambda a: ["docker:kit/app:1", [], docker_secure(a)]),
    "docker by DOCKER_CONTEXT": ("overlay2 folders", lambda a: [
        "docker:kit/app:1", [], {**docker_in_place(a), **docker_context(a, "named", f"host={a.docker().address}", DOCKER_CONTEXT="named")}]),
    "docker by a context with TLS": ("Docker's export (tcp:", lambda a: ["docker:kit/app:1", [], secure_context(a)]),
    "docker by the current context": ("overlay2 folders", lambda a: ["docker:kit/app:1", [], {**docker_in_place(a), **current_context(a)}]),
    "podman in place": ("containers/storage", lambda a: ["podman:kit/app:1", [], podman_storage(a)]),
    "podman in place, by full name": ("containers/storage", lambda a: ["podman:localhost/kit/app:1", [], podman_storage(a)]),
    "podman in place, by short id": ("containers/storage", lambda a: [f"podman:{id_of(a)[7:19]}", [], podman_storage(a)]),
    "podman in place, by name alone": ("containers/storage", lambda a: ["localhost/kit/app:1", [], podman_storage(a)]),
    "podman by its socket": ("Podman's export", lambda a: ["podman:localhost/kit/app:1", [], podman_socket(a)]),
    **{f"containerd, {space}, layers {c}": ("content store", lambda a, space=space, c=c: [
        f"containerd:{a.containerd(c, space)}", [], at_containerd(a)])
       for space, c in (("default", "gzip"), ("default", "zstd"), ("default", "none"), ("k8s.io", "gzip"), ("k8s.io", "zstd-frames"))},
    "containerd, as docker names it": ("content store", lambda a: [
        a.containerd("gzip", "default").removeprefix("docker.io/"), [], at_containerd(a)]),
    "containerd, namespace by variable": ("content store", lambda a: [
        f"containerd:{a.containerd('gzip-members', 'k8s.io')}", [], at_containerd(a, CONTAINERD_NAMESPACE="k8s.io")]),
    "containerd, namespace and address by option": ("content store", lambda a: [
        f"containerd:{a.containerd('gzip-members', 'k8s.io')}",
        ["--containerd-namespace", "k8s.io", "--containerd-address", a.machine.containerd.address]]),
    **{f"registry, {form}, {c}": ("", pushed(form, c)) for form, c in (
        ("oci", "gzip"), ("oci", "zstd"), ("oci", "zstd:chunked"), ("v2s2", "gzip"))},
    "registry, oci, zstd:chunked, read whole": ("", lambda a: [pushed("oci", "zstd:chunked")(a)[0], ["--insecure", "--no-lazy"]]),
    "oci by skopeo, layers zstd:chunked": ("", lambda a: [a.through_skopeo("oci", "--dest-compress-format", "zstd:chunked")]),
    "registry, layers uncompressed": ("", lambda a: in_registry(
        a, "plain:1", f"oci:{a.oci_folder('none')}:app:1", "--dest-decompress")),
    "registry, by name alone": ("", lambda a: [in_registry(a, "oci:gzip-alone", f"docker-archive:{a.archive()}")[0].removeprefix("registry:"), ["--insecure"]]),
    "buildah, in place": ("containers/storage", lambda a: [f"podman:{a.built_by_buildah()}", [], podman_storage(a)]),
    "buildah, by podman's socket": ("Podman's export", lambda a: [f"podman:{a.built_by_buildah()}", [], podman_socket(a)]),
    "buildah push to a folder": ("", lambda a: [buildah_push(a)]),
    "buildah push to the registry": ("", lambda a: in_registry_by_buildah(a)),
    "umoci": ("", lambda a: [f"oci-dir:{a.made_by_umoci()}"]),
    "umoci, in the registry": ("", lambda a: in_registry(a, "umoci:1", f"oci:{a.made_by_umoci()}:app")),
}


def buildah_push(all_):
    target = all_.work / "buildah"
    run("buildah", "push", "--quiet", "--signature-policy", all_.machine.podman_folder / "policy.json", all_.built_by_buildah(),
        f"oci:{target}:app", env=all_.machine.storage_environment())
    return target


def in_registry_by_buildah(all_):
    name = f"{all_.machine.registry.host}/built:1"
    run("buildah", "push", "--quiet", "--signature-policy", all_.machine.podman_folder / "policy.json", "--tls-verify=false",
        all_.built_by_buildah(), f"docker://{name}", env=all_.machine.storage_environment())
    return f"registry:{name}", ["--insecure"]


def ask(machine, name, *args, db=None, env=None, **more):  # noqa: F811
    """`plimsoll image NAME` by a user who has no engine but what `env` tells of."""
    store = ["--db", db] if db else []
    result = scanner.run("image", name, "-f", "json", *store, *args, env={**machine.user, **(env or {})}, **more)
    if result.out.strip():
        result.report = scanner._report_in(result.stdout)
        assert result.verdict["exit_code"] == result.code, result
    return result


def scan_case(machine, store, more, name, args=(), env=None):  # noqa: F811
    return ask(machine, name, "--verbose", *more, *args, db=store, env=env)


@pytest.mark.parametrize("case", CASES)
def test_every_source(everywhere, store, case):
    way, bring = CASES[case]
    made_anew = "buildah" in case or "umoci" in case  # with layers of the same content, but not the same bytes
    more = [] if made_anew else ["--base-image", everywhere.base()]
    result = scan_case(everywhere.machine, store, more, *bring(everywhere))
    assert result.code == 0, result
    assert not result.errors and not result.report["unjudged"], result
    assert components(result.report) == COMPONENTS
    assert findings(result.report) == (ORIGINS if made_anew else FINDINGS)
    layers = result.report["image"]["layers"]
    assert len(layers) == len(LAYERS) and result.report["image"]["platform"] == "linux/amd64"
    assert way in result.stderr, f"not by {way!r}\n{result!r}"
    if not made_anew:
        assert [layer["base"] for layer in layers] == BASE
        assert [layer["diff_id"] for layer in layers] == [imagekit.sha256(tar) for tar in the_image().layers]


# -- who has it ------------------------------------------------------------------------------------------------

ORDER = ("docker", "podman", "containerd", "registry")


@pytest.fixture(scope="session")
def shared_name(everywhere):
    """One name that each place has, with another version of a package in each: 1.1 in docker … 1.4 in the registry."""
    machine = everywhere.machine  # noqa: F811
    name = f"{machine.registry.host}/kit/shared:1"
    for number, place in enumerate(ORDER, 1):
        image = imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", f"1.{number}")], tags=(name,))
        path = imagekit.write_archive(everywhere.work / f"shared-{place}.tar", imagekit.files_docker_old(image))
        if place == "docker":
            machine.docker("load", "-q", "-i", path)
        elif place == "podman":
            machine.podman.load(path, name)
        elif place == "containerd":
            machine.containerd.load(imagekit.write_archive(path, daemonkit.files_for_containerd(image, name)))
        else:
            machine.registry.push(f"docker-archive:{path}", "kit/shared:1")
    return name


@pytest.mark.parametrize("order", [None, "docker", "podman", "containerd", "registry", "registry,docker", "containerd, podman", "podman,docker,registry",
                                   "remote,docker"])
def test_order_of_places(machine, store, shared_name, order):  # noqa: F811
    args = ["--image-src", order] if order else []
    result = ask(machine, shared_name, "--insecure", *args, db=store, env=machine.everything)
    assert result.code == 0, result
    first = (order or "docker").partition(",")[0].replace("remote", "registry")
    assert result.packages("pypi") == [("crit-fixed", f"1.{ORDER.index(first) + 1}")], result


def test_each_place_outright(machine, store, shared_name):  # noqa: F811
    """PLACE:NAME asks that one, whatever --image-src says."""
    for number, place in enumerate(ORDER, 1):
        result = ask(machine, f"{place}:{shared_name}", "--insecure", "--image-src", "docker", db=store, env=machine.everything)
        assert result.packages("pypi") == [("crit-fixed", f"1.{number}")], (place, result)


@pytest.mark.parametrize("running", [0, 1, 2, 3])
def test_the_next_that_runs(machine, store, shared_name, running):  # noqa: F811
    """Without a word about the order, the first of the engines that is there."""
    missing = ("DOCKER_HOST", "CONTAINER_HOST", "CONTAINERD_ADDRESS")[:running]
    env = {**machine.everything, **{name: machine.user[name] for name in missing}}
    if running >= 2:
        env["CONTAINERS_STORAGE_CONF"] = machine.user["CONTAINERS_STORAGE_CONF"]
    result = ask(machine, shared_name, "--insecure", db=store, env=env)
    assert result.packages("pypi") == [("crit-fixed", f"1.{running + 1}")], result


def test_only_podman_has_it(machine, everywhere, store):  # noqa: F811
    """With all daemons up, the others are asked and do not have it."""
    everywhere.podman()
    result = ask(machine, "localhost/kit/app:1", "--insecure", db=store, env=machine.everything)
    assert (result.code, findings(result.report)) == (0, ORIGINS), result


def test_only_a_namespace_has_it(machine, everywhere, store):  # noqa: F811
    """Found in whichever namespace it is; refused in another, which is named."""
    name, env = everywhere.containerd("zstd-frames", "k8s.io"), at_containerd(everywhere)
    assert findings(ask(machine, f"containerd:{name}", db=store, env=env).report) == ORIGINS
    for more in (dict(env={**env, "CONTAINERD_NAMESPACE": "default"}), dict(env=env, args=["--containerd-namespace", "default"])):
        result = ask(machine, f"containerd:{name}", *more.pop("args", ()), db=store, **more)
        assert result.code == 3 and "namespace default" in result.complaints(), result


# -- the cache, over all of these ----------------------------------------------------------------------------------

CACHED = ["docker in place", "docker exported", "podman in place", "podman by its socket", "containerd, default, layers gzip",
          "containerd, k8s.io, layers zstd-frames", "registry, oci, gzip", "registry, oci, zstd", "buildah, in place", "umoci"]


@pytest.mark.parametrize("case", CACHED)
def test_second_scan(everywhere, store, tmp_path, case):
    """The same report from the cache as without, and no layer is read for it; an engine's export comes by all the same."""
    target = CASES[case][1](everywhere)
    time.sleep(2.2)  # a folder is known by its place when it was not changed for so long
    cold, first, second = (scan_case(everywhere.machine, store, more, *with_cache(*target)) for more in (
        ["--no-cache"], ["--cache-dir", tmp_path / "cache"], ["--cache-dir", tmp_path / "cache"]))
    assert cold.code == 0 and findings(cold.report) == ORIGINS, cold
    assert first.out == cold.out == second.out, (first, second)
    known = set(re.findall(r"layer (\d+): its record was in the cache", second.stderr))
    assert known == set("01234") or "export" in second.stderr, second


def with_cache(name, args=(), env=None):
    return name, args, {**(env or {}), "PLIMSOLL_NO_CACHE": ""}


def test_one_cache_for_all(everywhere, store, tmp_path):
    """What one source has taught it serves the others, where the layers are the same; each says the same."""
    for case in (*CACHED, *CACHED):
        result = scan_case(everywhere.machine, store, ["--cache-dir", tmp_path / "cache"], *with_cache(*CASES[case][1](everywhere)))
        assert (result.code, components(result.report), findings(result.report)) == (0, COMPONENTS, ORIGINS), (case, result)


# -- nobody has it -----------------------------------------------------------------------------------------------

def lines(result):
    return [line for line in result.stderr.splitlines() if line.strip()]


def refused(result, *words):
    """Exit 3, and one message that has all these words, in this order."""
    assert result.code == 3, result
    assert len(result.errors) == 1, result
    message, at = result.errors[0]["message"], 0
    for word in words:
        assert word in message[at:], f"{word!r} is not in {message[at:]!r}\n{result!r}"
        at = message.index(word, at) + len(word)
    assert [line for line in lines(result) if "cannot" in line] == [f"plimsoll: {message}"], result


def test_nobody_has_it(machine, store, shared_name):  # noqa: F811
    """Every daemon is up: one message says what each of them answered."""
    name = f"{machine.registry.host}/kit/nobody:1"
    result = ask(machine, name, "--insecure", db=store, env=machine.everything)
    refused(result, name, "docker: ", "no such image", "podman: ", "no such image", "containerd: ", "no such image", "registry: ",
            machine.registry.host, "unknown")
    message = result.errors[0]["message"]
    assert message.count("docker: ") == message.count("podman: ") == message.count("registry: ") == 1, message
    assert "namespace ;" not in message, "an empty CONTAINERD_NAMESPACE is none"


def test_nobody_is_there(machine, store):  # noqa: F811
    """No daemon is up: where each would have been is said."""
    host = f"127.0.0.1:{registrykit.closed_port()}"
    result = ask(machine, f"{host}/kit/app:1", "--insecure", db=store)
    home = machine.user["HOME"]
    refused(result, "docker: ", f"{home}/run/no-docker.sock", "podman: ", str(machine.empty_storage), f"{home}/run/no-podman.sock",
            "containerd: ", f"{home}/run/no-containerd.sock", "registry: ", host)


def test_only_those_asked_answer(machine, store):  # noqa: F811
    result = ask(machine, "kit/nobody:1", "--image-src", "containerd,docker", db=store)
    refused(result, "containerd: ", "docker: ")
    assert "podman: " not in result.stderr and "registry: " not in result.stderr, result


@pytest.mark.parametrize("order", ["rkt", "docker,rkt", "docker;podman"])
def test_no_such_place(machine, store, order):  # noqa: F811
    result = ask(machine, "kit/nobody:1", "--image-src", order, db=store)
    assert result.code == 2 and "--image-src" in result.stderr and "containerd" in result.stderr, result


@pytest.mark.parametrize("place, variable", [("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST"), ("containerd", "CONTAINERD_ADDRESS")])
def test_no_daemon(machine, store, place, variable):  # noqa: F811
    result = ask(machine, f"{place}:kit/app:1", db=store)
    refused(result, place, "no socket", machine.user[variable].removeprefix("unix://"))


@pytest.mark.parametrize("name", ["docker:kit/nobody:1", "podman:kit/nobody:1", "containerd:kit/nobody:1",
                                  "docker:0123456789ab", "podman:0123456789ab", f"docker:sha256:{'0' * 64}"])
def test_a_daemon_without_it(machine, everywhere, store, name):  # noqa: F811
    result = ask(machine, name, db=store, env=machine.everything)
    refused(result, name.partition(":")[0], "no such image")


def test_registry_without_it(machine, store, shared_name):  # noqa: F811
    for name in ("kit/nobody:1", "kit/shared:2", f"kit/shared@sha256:{'0' * 64}"):
        result = ask(machine, f"registry:{machine.registry.host}/{name}", "--insecure", db=store)
        refused(result, "registry", name.rpartition("@")[2].rpartition(":")[2])


@pytest.mark.parametrize("platform, code", [("linux/amd64", 0), ("linux/arm64", 3)])
@pytest.mark.parametrize("place", ORDER)
def test_platform(machine, store, shared_name, place, platform, code):  # noqa: F811
    """All of these are for amd64; asked for another, no place gives it for what it is not."""
    result = ask(machine, f"{place}:{shared_name}", "--insecure", "--platform", platform, db=store, env=machine.everything)
    assert result.code == code, result
    assert code == 0 or ("linux/amd64" in result.complaints() and "linux/arm64" in result.complaints()), result


# -- daemons that cannot be used --------------------------------------------------------------------------------------

@pytest.fixture
def nobody(machine, store):  # noqa: F811
    """ask() as a user to whom no socket belongs."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    program = daemonkit.binary_for_all(machine.folder)

    def asked(name, *args, env=None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PLIMSOLL", str(program))
            return ask(machine, name, *args, env=env, cwd="/", **daemonkit.as_nobody())
    return asked


@pytest.mark.parametrize("place", ["docker", "podman", "containerd"])
def test_socket_not_readable(machine, nobody, place):  # noqa: F811
    """Another's socket: which it is and why it cannot be used; not that it was not there."""
    env = machine.everything
    path = {"docker": machine.docker.socket, "podman": machine.podman.socket, "containerd": machine.containerd.address}[place]
    os.chmod(path, 0o660)
    result = nobody(f"{place}:kit/app:1", env=env)
    assert result.code == 3, result
    assert str(path) in result.complaints() and "Permission denied" in result.complaints(), result
    assert "there is no socket" not in result.complaints(), result


def test_sockets_not_readable_by_name(machine, nobody, shared_name):  # noqa: F811
    """By name alone the search goes on to the registry, which anybody may ask."""
    for path in (machine.docker.socket, machine.podman.socket, machine.containerd.address):
        os.chmod(path, 0o660)
    result = nobody(shared_name, "--insecure", env=machine.everything)
    assert result.report and result.packages("pypi") == [("crit-fixed", "1.4")], result
    result = nobody(f"{machine.registry.host}/kit/nobody:1", "--insecure", env=machine.everything)
    refused(result, "docker: ", "Permission denied", "podman: ", "containerd: ", "Permission denied", "registry: ")


@contextlib.contextmanager
def listener(path, answer):
    """A socket where something else listens, which sends `answer` to each that comes and hangs up."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, contextlib.suppress(OSError):
                        client.settimeout(2)
                        client.recv(65536)
                        client.sendall(answer)
        threading.Thread(target=serve, daemon=True).start()
        yield
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("answer", [b"", b"\0\1\2\3", b"HTTP/1.1 500 Internal\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"],
                         ids=["hangs up", "garbage", "500", "no JSON"])
@pytest.mark.parametrize("place, variable", [("docker", "DOCKER_HOST"), ("podman", "CONTAINER_HOST"), ("containerd", "CONTAINERD_ADDRESS")])
def test_something_else_listens(machine, tmp_path, store, place, variable, answer):  # noqa: F811
    path = machine.folder / f"other-{os.getpid()}.sock"
    with listener(path, answer):
        try:
            env = {variable: str(path) if place == "containerd" else f"unix://{path}", "PLIMSOLL_TEST_BACKOFF_MS": "1"}
            result = ask(machine, f"{place}:kit/app:1", "--timeout", "20s", db=store, env=env)
        finally:
            path.unlink()
    assert result.code == 3 and len(result.errors) == 1 and place in result.complaints().lower(), result


def test_tls_is_asked_for_and_checked(machine, everywhere, store, tmp_path):  # noqa: F811
    """Without a certificate, with one of another authority, or without TLS, the daemon's port gives nothing."""
    env = docker_secure(everywhere)
    other = registrykit.Authority(tmp_path / "other")
    certificate, key = other.issue()
    theirs, ours = tmp_path / "theirs", pathlib.Path(env["DOCKER_CERT_PATH"])
    theirs.mkdir()
    for name, source in (("ca.pem", other.certificate), ("cert.pem", certificate), ("key.pem", key)):
        (theirs / name).write_bytes(source.read_bytes())
    half = tmp_path / "half"
    half.mkdir()
    for name in ("cert.pem", "key.pem"):
        (half / name).write_bytes((theirs / name).read_bytes())
    (half / "ca.pem").write_bytes((ours / "ca.pem").read_bytes())
    for change in ({"DOCKER_CERT_PATH": str(theirs)}, {"DOCKER_CERT_PATH": str(half)}, {"DOCKER_TLS_VERIFY": ""},
                   {"DOCKER_CERT_PATH": str(tmp_path / "none")}):
        result = ask(machine, "docker:kit/app:1", "--timeout", "20s", db=store, env={**env, "PLIMSOLL_TEST_BACKOFF_MS": "1", **change})
        assert result.code == 3 and len(result.errors) == 1, (change, result)
        assert env["DOCKER_HOST"].removeprefix("tcp://") in result.complaints(), (change, result)


def test_no_such_context(machine, store):  # noqa: F811
    result = ask(machine, "docker:kit/app:1", db=store, env={"DOCKER_HOST": "", "DOCKER_CONTEXT": "nowhere"})
    refused(result, "docker", "nowhere")


def test_ssh_is_not_done(machine, store):  # noqa: F811
    result = ask(machine, "docker:kit/app:1", db=store, env={"DOCKER_HOST": "ssh://build.example"})
    refused(result, "docker", "ssh://build.example", "docker save")


# -- the kit itself -----------------------------------------------------------------------------------------------------

def test_nothing_is_left_behind(tmp_path):
    """Engines that were used and stopped leave no process, no mount and no file."""
    daemonkit.need("dockerd", "docker", "podman", "containerd", "ctr", "docker-registry", "skopeo", "openssl")
    image = imagekit.image_of(ev.base(), tags=("kit/app:1",))
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(image))
    oci = imagekit.write_archive(tmp_path / "oci.tar", daemonkit.files_for_containerd(image, "docker.io/kit/app:1"))
    with daemonkit.Machine() as own:
        own.docker("load", "-q", "-i", path)
        own.podman.load(path, "localhost/kit/app:1")
        own.containerd.load(oci)
        own.registry.push(f"docker-archive:{path}", "app:1")
        assert len(daemonkit.processes_of(own.folder)) >= 5, "with docker's own containerd"
        for name in ("docker:kit/app:1", "podman:kit/app:1", "containerd:kit/app:1", f"registry:{own.registry.host}/app:1"):
            assert ask(own, name, "--insecure", env=own.everything).packages("deb") == [("base-files", "12.4+deb12u9")], name
    assert not own.folder.exists() and not daemonkit.processes_of(own.folder) and not daemonkit.mounts_below(own.folder)
    assert str(own.folder) not in subprocess.run(["mount"], capture_output=True, text=True).stdout
