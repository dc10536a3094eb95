"""What a stack of layers comes to: whiteouts, type changes, links, and where each package is from."""

import os
import random

import pytest

import evidence as ev
import imagekit
import scanner
from tarkit import at, file, folder, hardlink, opaque, symlink, tar_of, whiteout
from treemodel import Stack

SITE = ev.SITE
STACKS = 200


def info(name, version, path=None, site=SITE):
    """One METADATA file; by default its folder is named without the version, so paths can collide."""
    return file(path or f"{site}/{name}.dist-info/METADATA", ev.metadata(name, version))


OLD, NEW = info("app", "1.0"), info("app", "2.0")
KEPT = info("kept", "1.0", site="srv")
APP = f"{SITE}/app.dist-info"

# name: (layers, what is there in the end as (name, version, layer))
CASES = {
    "whiteout of the file": ([[OLD, KEPT], [whiteout(f"{APP}/METADATA")]], {("kept", "1.0", 0)}),
    "whiteout of its folder": ([[OLD, KEPT], [whiteout(APP)]], {("kept", "1.0", 0)}),
    "whiteout of a folder far above": ([[OLD, KEPT], [whiteout("usr")]], {("kept", "1.0", 0)}),
    "whiteout with a leading ./": ([[OLD, KEPT], at("./", [whiteout(APP)])], {("kept", "1.0", 0)}),
    "whiteout with a leading /": ([[OLD, KEPT], at("/", [whiteout(APP)])], {("kept", "1.0", 0)}),
    "whiteout of a longer name's beginning": ([[OLD], [whiteout(f"{SITE}/app.dist")]], {("app", "1.0", 0)}),
    "whiteout of what another layer adds again": (
        [[OLD], [whiteout(APP)], [OLD]], {("app", "1.0", 2)}),
    "whiteout of a layer between only": (
        [[KEPT], [OLD], [whiteout(APP)]], {("kept", "1.0", 0)}),
    "opaque folder": ([[OLD, KEPT], [opaque(SITE)]], {("kept", "1.0", 0)}),
    "opaque folder, new file first (B4)": (
        [[OLD, KEPT], [info("pillow", "10.3.0"), opaque(SITE)]], {("kept", "1.0", 0), ("pillow", "10.3.0", 1)}),
    "opaque folder, new file last": (
        [[OLD, KEPT], [opaque(SITE), info("pillow", "10.3.0")]], {("kept", "1.0", 0), ("pillow", "10.3.0", 1)}),
    "opaque folder of the very package (B4)": (
        [[OLD], [NEW, opaque(APP)]], {("app", "2.0", 1)}),
    "opaque root": ([[OLD, KEPT], [opaque(""), NEW]], {("app", "2.0", 1)}),
    "opaque hides lower layers only": ([[KEPT], [opaque("srv")], [KEPT]], {("kept", "1.0", 2)}),
    "whiteout behind a new file of that name (B4)": ([[OLD], [NEW, whiteout(APP)]], {("app", "2.0", 1)}),
    "whiteout before a new file of that name": ([[OLD], [whiteout(APP), NEW]], {("app", "2.0", 1)}),
    "whiteout of a file beside the new one (B4)": (
        [[OLD], [NEW, whiteout(f"{APP}/METADATA")]], {("app", "2.0", 1)}),
    "overwritten in place (B7)": (
        [[file(f"{ev.DIST}/app.egg-info/PKG-INFO", ev.metadata("app", "1.0"))],
         [file(f"{ev.DIST}/app.egg-info/PKG-INFO", ev.metadata("app", "2.0"))]], {("app", "2.0", 1)}),
    "overwritten twice": ([[OLD], [NEW], [info("app", "3.0")]], {("app", "3.0", 2)}),
    "overwritten with the same version": ([[OLD], [OLD]], {("app", "1.0", 0)}),
    "overwritten and put back": ([[OLD], [NEW], [OLD]], {("app", "1.0", 2)}),
    "folder becomes a file": ([[OLD, KEPT], [file(SITE, "now a file")]], {("kept", "1.0", 0)}),
    "folder becomes a symlink": ([[OLD, KEPT], [symlink(SITE, "elsewhere")]], {("kept", "1.0", 0)}),
    "file becomes a folder": (
        [[file(f"{SITE}/app-1.0.egg-info", ev.metadata("app", "1.0"))],
         [folder(f"{SITE}/app-1.0.egg-info"), file(f"{SITE}/app-1.0.egg-info/PKG-INFO", ev.metadata("app", "2.0"))]],
        {("app", "2.0", 1)}),
    "file becomes an empty folder": (
        [[file(f"{SITE}/app-1.0.egg-info", ev.metadata("app", "1.0")), KEPT], [folder(f"{SITE}/app-1.0.egg-info")]],
        {("kept", "1.0", 0)}),
    "file becomes a symlink to nothing": (
        [[OLD, KEPT], [symlink(f"{APP}/METADATA", "gone")]], {("kept", "1.0", 0)}),
    "folder entry again changes nothing": ([[OLD], [folder(SITE), folder(APP)]], {("app", "1.0", 0)}),
    "folder, file, folder": (
        [[OLD], [file(SITE, "x")], [folder(SITE), KEPT]], {("kept", "1.0", 2)}),
    "hardlink in the same layer": (
        [[file("blob", ev.metadata("app", "1.0")), hardlink(f"{APP}/METADATA", "blob")]], {("app", "1.0", 0)}),
    "hardlink to an earlier layer": (
        [[file("blob", ev.metadata("app", "1.0"))], [hardlink(f"{APP}/METADATA", "blob")]], {("app", "1.0", 1)}),
    "hardlink with ./ and /": (
        [[file("./blob", ev.metadata("app", "1.0"))], [hardlink(f"./{APP}/METADATA", "/blob")]], {("app", "1.0", 1)}),
    "hardlink outlives what it was made from": (
        [[info("app", "1.0", "srv/app.dist-info/METADATA")],
         [hardlink(f"{APP}/METADATA", "srv/app.dist-info/METADATA")],
         [whiteout("srv/app.dist-info")]], {("app", "1.0", None)}),
    "hardlink to a hardlink to an earlier layer": (
        [[file("blob", ev.metadata("app", "1.0"))], [hardlink("second", "blob")],
         [whiteout("blob"), hardlink(f"{APP}/METADATA", "second")]], {("app", "1.0", 2)}),
    "hardlink takes the place of a package": (
        [[OLD, file("blob", ev.metadata("app", "2.0"))], [hardlink(f"{APP}/METADATA", "blob")]], {("app", "2.0", 1)}),
    "same path twice in one layer": ([[OLD, NEW]], {("app", "2.0", 0)}),
    "no folder entries (B10)": ([[KEPT]], {("kept", "1.0", 0)}),
    "entry . and ./ first (B10)": (
        [[folder("."), *at("./", [KEPT])], [folder("./"), *at("./", [OLD])]], {("kept", "1.0", 0), ("app", "1.0", 1)}),
    "leading /": ([at("/", [folder("srv"), KEPT])], {("kept", "1.0", 0)}),
    "mixed ways to write one path": (
        [[OLD], at("./", [NEW]), at("/", [info("app", "3.0")])], {("app", "3.0", 2)}),
    "doubled slashes": ([[file("srv//kept.dist-info//METADATA", ev.metadata("kept", "1.0"))]], {("kept", "1.0", 0)}),
    "empty layers between": ([[OLD], [], [NEW], []], {("app", "2.0", 2)}),
    # /lib → usr/lib: an entry below lib is one below usr/lib.
    "usr-merge: added through the link": (
        [[folder("usr/lib"), symlink("lib", "usr/lib")], [info("app", "1.0", site="lib/python3")]],
        {("app", "1.0", 1)}),
    "usr-merge: overwritten through the link": (
        [[info("app", "1.0", site="usr/lib/python3"), symlink("lib", "usr/lib")],
         [info("app", "2.0", site="lib/python3")]], {("app", "2.0", 1)}),
    "usr-merge: whited out through the link": (
        [[info("app", "1.0", site="usr/lib/python3"), KEPT, symlink("lib", "usr/lib")],
         [whiteout("lib/python3/app.dist-info")]], {("kept", "1.0", 0)}),
    "usr-merge: absolute link": (
        [[info("app", "1.0", site="usr/lib/python3"), symlink("lib", "/usr/lib")],
         [info("app", "2.0", site="lib/python3")]], {("app", "2.0", 1)}),
    "usr-merge: link and entry in one layer": (
        [[symlink("lib", "usr/lib"), info("app", "1.0", site="usr/lib/python3"), info("app", "2.0", site="lib/python3")]],
        {("app", "2.0", 0)}),
    "usr-merge: whiteout of the link": (
        [[info("app", "1.0", site="usr/lib/python3"), symlink("lib", "usr/lib")], [whiteout("lib")]],
        {("app", "1.0", 0)}),
    "link in a folder, target is relative to it": (
        [[info("app", "1.0", site="opt/v2/lib"), symlink("opt/current", "v2")],
         [info("app", "2.0", site="opt/current/lib")]], {("app", "2.0", 1)}),
}


@pytest.mark.parametrize("name", CASES)
def test_stack(scan_layers, name):
    layers, expected = CASES[name]
    result = scan_layers(ev.base(), *layers)
    got = result.components("pypi")
    # Layer 0 is the base, so the case's layers begin at 1.
    wanted = {("pypi", n, v, None if layer is None else layer + 1) for n, v, layer in expected}
    if any(layer is None for *_, layer in wanted):
        got, wanted = {c[:3] for c in got}, {c[:3] for c in wanted}
    assert got == wanted
    assert result.code == 0, result


def test_overwritten_by_an_empty_file(scan_layers):
    """Whatever is made of the empty file, the old version is gone."""
    result = scan_layers([*ev.base(), OLD, KEPT], [file(f"{APP}/METADATA")])
    assert ("kept", "1.0") in result.packages("pypi") and ("app", "1.0") not in result.packages("pypi")


def test_a_link_is_not_a_second_package(scan_layers):
    result = scan_layers([*ev.base(), info("app", "1.0", site="usr/lib/python3"), symlink("lib", "usr/lib")])
    assert scanner.paths_of(result.component("app")) == {"usr/lib/python3/app.dist-info/METADATA"}


def test_a_folder_entry_ends_a_link(scan_layers):
    """A folder entry over a symlink is a type change: lib is a folder of its own from then on."""
    result = scan_layers([*ev.base(), info("app", "1.0", site="usr/lib/python3"), symlink("lib", "usr/lib")],
                         [folder("lib"), info("app", "2.0", site="lib/python3")])
    assert result.components("pypi") == {("pypi", "app", "1.0", 0), ("pypi", "app", "2.0", 1)}


def test_package_database_through_a_link(scan_layers):
    """A database whose folder is a symlink is read once, by its real name."""
    status = ev.dpkg(ev.deb("curl", "7.88.1-10"), path="data/dpkg/status")
    result = scan_layers([ev.os_release(), status, symlink("var/lib/dpkg", "../../data/dpkg")])
    assert result.packages("deb") == [("curl", "7.88.1-10")]


# -- whose layer: dpkg ----------------------------------------------------------------------------

CURL, OPENSSL, ZLIB = ("curl", "7.88.1-10"), ("openssl", "3.0.11-1"), ("zlib1g", "1:1.2.13.dfsg-1")
NEWER = ("curl", "7.88.1-11")

# name: (packages of each layer's status file or None, {package: layer})
ORIGINS = {
    "rewritten with one more (B9)": ([[OPENSSL, ZLIB], [OPENSSL, ZLIB, CURL]], {OPENSSL: 0, ZLIB: 0, CURL: 1}),
    "rewritten unchanged": ([[CURL], [CURL], [CURL]], {CURL: 0}),
    "rewritten in another order": ([[CURL, ZLIB], [ZLIB, CURL]], {CURL: 0, ZLIB: 0}),
    "removed": ([[CURL, ZLIB], [ZLIB]], {ZLIB: 0}),
    "removed and put back": ([[CURL, ZLIB], [ZLIB], [ZLIB, CURL]], {ZLIB: 0, CURL: 2}),
    "upgraded": ([[CURL, ZLIB], [NEWER, ZLIB]], {NEWER: 1, ZLIB: 0}),
    "upgraded and back": ([[CURL], [NEWER], [CURL]], {CURL: 2}),
    "untouched by a layer between": ([[CURL], None, [CURL, ZLIB]], {CURL: 0, ZLIB: 2}),
}


@pytest.mark.parametrize("name", ORIGINS)
def test_origin_of_debs(scan_layers, name):
    states, expected = ORIGINS[name]
    layers = [[ev.os_release(path=f"etc/os-release.{n}")] if state is None else
              [ev.dpkg(*(ev.deb(*package) for package in state))] for n, state in enumerate(states)]
    layers[0].insert(0, ev.os_release())
    result = scan_layers(*layers)
    assert result.components() == {("deb", *package, layer) for package, layer in expected.items()}


def test_a_whited_out_database_is_gone(scan_layers):
    result = scan_layers([ev.os_release(), ev.dpkg(ev.deb(*CURL))], [whiteout("var/lib/dpkg")],
                         [ev.dpkg(ev.deb(*CURL))])
    assert result.components() == {("deb", *CURL, 2)}, "removed and put back counts from where it was put back"


# -- whose instruction -------------------------------------------------------------------------------

def steps(result):
    return [layer["instruction"] for layer in result.report["image"]["layers"]]


def three_layers():
    return [[*ev.base(), info("one", "1")], [info("two", "2")], [info("three", "3")]]


def test_history_maps_by_empty_layer_alone(scan_layers):
    """B8: RUN lines that made nothing are as empty as ENV lines; nothing is guessed from their text."""
    history = [imagekit.nop("ADD file:abc in /", empty=False), imagekit.run("true", empty=True),
               imagekit.run("install two"), imagekit.run("ls", empty=True), imagekit.run("date", empty=True),
               imagekit.run("install three")]
    result = scan_layers(*three_layers(), history=history)
    assert steps(result) == ["ADD file:abc in /", "RUN install two", "RUN install three"]


@pytest.mark.parametrize("change", ["one too many", "one too few", "none"])
def test_history_that_does_not_add_up(scan_layers, change):
    """B8: where the counts disagree no instruction is named, least of all a neighbour's."""
    lines = [imagekit.run(f"command-{n}") for n in range(3)]
    history = {"one too many": [imagekit.run("command-x"), *lines], "one too few": lines[1:], "none": []}[change]
    result = scan_layers(*three_layers(), history=history)
    assert result.components("pypi") == {("pypi", "one", "1", 0), ("pypi", "two", "2", 1), ("pypi", "three", "3", 2)}
    assert all("command-" not in (step or "") for step in steps(result))


INSTRUCTIONS = [
    (imagekit.nop("ADD file:1a2b in / ", empty=False), "ADD file:1a2b in /"),
    (imagekit.nop("COPY dir:1a2b in /app ", empty=False), "COPY dir:1a2b in /app"),
    (imagekit.legacy_run("apt-get update && apt-get install -y curl"), "RUN apt-get update && apt-get install -y curl"),
    (imagekit.legacy_run("pip install app").copy() | {"created_by": "|2 A=1 B=x y /bin/sh -c pip install app"},
     "RUN pip install app"),
    (imagekit.run("pip install app"), "RUN pip install app"),
    (imagekit.line("COPY . /app # buildkit", empty=False), "COPY . /app"),
    (imagekit.line("ADD rootfs.tar.xz / # buildkit", empty=False), "ADD rootfs.tar.xz /"),
    (imagekit.line("RUN |1 A=1 /bin/sh -c pip install app # buildkit", empty=False), "RUN pip install app"),
    (imagekit.line("bazel build ...", empty=False), "bazel build ..."),
]


@pytest.mark.parametrize("entry,expected", INSTRUCTIONS)
def test_instruction(scan_layers, entry, expected):
    layer = [*ev.base(), *ev.dist_info("crit-fixed", "1.0")]
    result = scan_layers(layer, history=[imagekit.nop("ENV A=b"), entry, imagekit.nop('CMD ["x"]')])
    assert steps(result) == [expected]
    assert result.finding("CVE-2024-0001")["instruction"] == expected


# -- base or own -----------------------------------------------------------------------------------------

@pytest.fixture
def two_images(tmp_path):
    """A base image, an image on top of it, and one that has nothing to do with them."""
    base = [tar_of([*ev.base(), *ev.dist_info("crit-fixed", "1.0")]), tar_of([file("b", "b")])]
    own = tar_of(ev.dist_info("high-fixed", "1.0"))
    images = {"base": imagekit.Image(base), "app": imagekit.Image([*base, own]), "other": imagekit.Image([own])}
    return {name: imagekit.write_archive(tmp_path / f"{name}.tar", imagekit.files_docker_old(image))
            for name, image in images.items()}


def bases(result):
    return ([layer["base"] for layer in result.report["image"]["layers"]],
            {f["id"]: f["base"] for f in result.report["findings"]})


def test_base_image_given(two_images, store):
    result = scanner.scan(two_images["app"], "--base-image", two_images["base"], db=store)
    assert bases(result) == ([True, True, False], {"CVE-2024-0001": True, "CVE-2024-0002": False})


def test_base_image_compressed_otherwise(two_images, store, tmp_path):
    """Layers are the same by what is in them, not by how they were packed."""
    layers = [tar_of([*ev.base(), *ev.dist_info("crit-fixed", "1.0")]), tar_of([file("b", "b")])]
    packed = imagekit.Image(layers, compression="gzip")
    base = imagekit.write_archive(tmp_path / "packed.tar", imagekit.files_oci(packed))
    result = scanner.scan(two_images["app"], "--base-image", base, db=store)
    assert bases(result)[0] == [True, True, False]


def test_base_unknown_is_null(two_images, store):
    result = scanner.scan(two_images["app"], db=store)
    assert bases(result) == ([None] * 3, {"CVE-2024-0001": None, "CVE-2024-0002": None})


def test_base_image_that_is_not_the_base(two_images, store):
    result = scanner.scan(two_images["app"], "--base-image", two_images["other"], db=store)
    assert True not in bases(result)[0]
    assert "base" in result.complaints().lower(), "a base image that does not fit has to be said"


# -- random stacks -----------------------------------------------------------------------------------------

def compare(stack, result):
    expected = stack.packages()
    got = {}
    for component in result.report["components"]:
        key = component["type"], component["name"], component["version"]
        got.setdefault(key, []).append(component)
    assert set(got) == set(expected)
    for package, places in expected.items():
        found = set().union(*(scanner.paths_of(c) for c in got[package]))
        assert found == set(places), package
        if len(places) == 1:
            assert [c["layer"] for c in got[package]] == list(places.values()), package


@pytest.mark.parametrize("part", range(10))
def test_random_stacks(tmp_path, store, part):
    """Row 15 of reliability.md. To run one again: PLIMSOLL_TEST_SEED=…"""
    first = int(os.environ.get("PLIMSOLL_TEST_SEED", random.SystemRandom().randrange(10 ** 9)))
    for number in range(STACKS // 10):
        seed = first + part * STACKS + number
        stack = Stack(random.Random(seed), layers=1 + seed % 7)
        image = imagekit.image_of(*stack.layers, compression=["none", "gzip", "zstd"][seed % 3])
        path = imagekit.write_archive(tmp_path / "stack.tar", imagekit.files_docker_25(image))
        result = scanner.scan(path, "--allow-unjudged", db=store)
        assert result.code == 0, f"seed {seed}: {result!r}"
        try:
            compare(stack, result)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
