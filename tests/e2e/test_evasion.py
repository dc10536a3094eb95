"""Ways in which a vulnerable package could leave the report, or bytes that are not the image's pass for
it. Each was found by a second reader; each must end in a finding or in exit 3, never in a pass."""

import json

import pytest

import advisories
import evidence as ev
import imagekit
import scanner
from tarkit import file, symlink

SITE = "opt/venv/lib/python3.11/site-packages"
DEB_REQUESTS = ev.deb("python3-requests", "2.28.1+dfsg-1", source="requests")


@pytest.fixture(scope="module")
def db(make_store):
    return make_store([advisories.pypi("CVE-2023-32681", "requests", "2.31.0", "MEDIUM"),
                       advisories.pypi("PYSEC-2024-3", "opencv-python", "4.8.1", "HIGH", aliases=["CVE-2024-3"]),
                       advisories.pypi("PYSEC-2024-4", "opencv-python-headless", "4.8.1", "HIGH", aliases=["CVE-2024-3"]),
                       advisories.debian("DEBIAN-CVE-2020-1", "nothing", "1")])


def distribution_with_deb():
    """Debian's own requests, as python3-requests leaves it."""
    path = f"{ev.DIST}/requests-2.28.1.dist-info/METADATA"
    return [ev.os_release(), ev.dpkg(DEB_REQUESTS), ev.owned("python3-requests", path),
            file(path, ev.metadata("requests", "2.28.1"))]


DECOY = f"{SITE}/requests-2.28.1.dist-info"
STORED = [file("cas/aa/METADATA", ev.metadata("fine", "9")), file("cas/bb/METADATA", ev.metadata("requests", "2.28.1"))]
HIDDEN = {
    "beside the same version of a deb, in one layer": [*distribution_with_deb(), *ev.dist_info("requests", "2.28.1", SITE)],
    "behind a decoy PKG-INFO": [*ev.base(), file(f"{DECOY}/PKG-INFO", ev.metadata("zzz", "1")),
                                file(f"{DECOY}/METADATA", ev.metadata("requests", "2.28.1"))],
    "as one of several links into a store": [
        *ev.base(), *STORED, symlink(f"{SITE}/fine-9.dist-info/METADATA", "/cas/aa/METADATA"),
        symlink(f"{SITE}/requests-2.28.1.dist-info/METADATA", "/cas/bb/METADATA")],
    "as a metadata folder that is a link": [
        *ev.base(), *STORED, symlink(f"{SITE}/requests-2.28.1.dist-info", "/cas/bb")],
    "claimed by a deb's list where no deb puts things": [
        ev.os_release(), ev.dpkg(ev.deb("bash", "5.2-1")), ev.owned("bash", f"{SITE}/requests-2.28.1.dist-info/METADATA"),
        *ev.dist_info("requests", "2.28.1", SITE)],
    "below a folder called _vendor": [
        *ev.base(), *ev.dist_info("myapp", "1.0", SITE), *ev.dist_info("requests", "2.28.1", f"{SITE}/myapp/_vendor")],
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_package_that_hides_is_found(scan_layers, db, name):
    result = scan_layers(HIDDEN[name], args=["--exit-code", "1"], db=db)
    assert result.code == 1 and "CVE-2023-32681" in result.ids(), result


def test_a_file_that_a_later_layer_wrote_over_is_not_the_debs(scan_layers, db):
    path = f"{ev.DIST}/requests-2.28.1.dist-info/METADATA"
    result = scan_layers(distribution_with_deb(), [file(path, ev.metadata("requests", "2.20.0"))],
                         args=["--exit-code", "1"], db=db)
    assert result.code == 1 and ("requests", "2.20.0") in result.packages("pypi"), result


def test_what_a_wheel_carries_is_what_it_contains(scan_layers, db):
    inner = f"{SITE}/holder/_vendor/requests-2.28.1.dist-info/METADATA"
    record = file(f"{SITE}/holder-1.0.dist-info/RECORD", "holder/_vendor/requests-2.28.1.dist-info/METADATA,,\n")
    result = scan_layers([*ev.base(), *ev.dist_info("holder", "1.0", SITE, record=False), record,
                          file(inner, ev.metadata("requests", "2.28.1"))], db=db)
    assert result.packages("pypi") == [("holder", "1.0")]
    assert result.component("holder")["contains"] == ["pkg:pypi/requests@2.28.1"]


DATABASES = ["lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db"]


@pytest.mark.parametrize("path", DATABASES)
@pytest.mark.parametrize("release", [[], [ev.os_release("")], [ev.os_release()]])
def test_a_database_that_is_not_read_is_not_judged(scan_layers, db, path, release):
    """B27, B31: also without os-release, and beside a Python package that can be judged."""
    layer = [*release, file(path, "P:musl\nV:1.2.4-r2\n"), *ev.dist_info("fine", "1.0")]
    result = scan_layers(layer, args=["--exit-code", "1"], db=db)
    assert result.code == 3 and "not judged" in result.complaints(), result
    assert scan_layers(layer, args=["--exit-code", "1", "--allow-unjudged"], db=db).code == 0


def test_an_os_release_that_names_nothing_is_not_judged(scan_layers, db):
    assert scan_layers([ev.os_release("FOO=bar\n"), *ev.dist_info("fine", "1.0")], args=["--exit-code", "1"], db=db).code == 3


# -- conda ----------------------------------------------------------------------------------------------

def environment(prefix, build, name="requests", version="2.28.1", dists=("requests",)):
    paths = [f"lib/python3/site-packages/{dist.replace('-', '_')}-{version}.dist-info/METADATA" for dist in dists]
    return [ev.conda(name, version, prefix, build, files=paths),
            *(file(f"{prefix}/{path}", ev.metadata(dist, version)) for path, dist in zip(paths, dists))]


def test_two_builds_of_a_conda_package_in_one_layer(scan_layers, db):
    result = scan_layers([*ev.base(), *environment("opt/a", "py38_0"), *environment("opt/b", "py39_0")], db=db)
    assert len([f for f in result.report["findings"] if f["id"] == "CVE-2023-32681"]) == 2, result


def test_a_conda_package_with_two_affected_distributions_is_one_finding(scan_layers, db):
    result = scan_layers([*ev.base(), *environment("opt/a", "py38_0", "py-opencv", "4.7.0",
                                                   ("opencv-python", "opencv-python-headless"))], db=db)
    assert [f["id"] for f in result.report["findings"]] == ["CVE-2024-3"], result


# -- bytes that are not the image's ------------------------------------------------------------------------

def two_layers():
    return imagekit.image_of([*ev.base(), *ev.dist_info("requests", "2.28.1")], ev.dist_info("fine", "1.0"))


@pytest.mark.parametrize("order", [(1, 0), (1, 1)])
def test_layers_in_another_order_are_not_the_image(tmp_path, db, order):
    """Docker 25's archive names uncompressed layers by digest: nothing has to be hashed to see it."""
    files = dict(imagekit.files_docker_25(two_layers()))
    manifest = json.loads(files["manifest.json"])
    layers = manifest[0]["Layers"]
    manifest[0]["Layers"] = [layers[number] for number in order]
    files["manifest.json"] = json.dumps(manifest).encode()
    path = imagekit.write_archive(tmp_path / "image.tar", files)
    result = scanner.scan(path, "--exit-code", "1", db=db)
    assert result.code == 3 and "digest" in result.complaints(), result


def test_severities_add_up(scan_layers, db):
    layer = [*ev.base(), *ev.dist_info("opencv-python", "4.7.0")]
    assert scan_layers(layer, args=["--exit-code", "1", "--severity", "HIGH", "--severity", "CRITICAL"], db=db).code == 1


def test_a_switch_on_the_line_undoes_the_environment(tmp_path, make_store):
    store = make_store([advisories.pypi("CVE-2024-8", "app", None, "CRITICAL"), advisories.debian("DEBIAN-CVE-1-1", "x", "1")])
    image = imagekit.image_of([*ev.base(), *ev.dist_info("app", "1.0")])
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(image))
    env = {"PLIMSOLL_IGNORE_UNFIXED": "1"}
    assert scanner.scan(path, "--exit-code", "1", db=store, env=env).code == 0
    assert scanner.scan(path, "--exit-code", "1", "--ignore-unfixed=false", db=store, env=env).code == 1
