"""One image in every form that it can come in: always the same components and findings."""

import json
import shutil
import subprocess

import pytest

import advisories
import evidence as ev
import imagekit
import scanner
import tarkit
from imagekit import COMPRESSIONS, Image
from tarkit import file, opaque, symlink, tar_of, whiteout

LAYERS = [
    [*ev.base(), symlink("lib", "usr/lib"), *ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("gone", "1.0")],
    [file("srv/big", bytes(range(256)) * 2000), *ev.dist_info("high-unfixed", "3.1", site="opt/venv/lib/python3.11/site-packages")],
    [whiteout(f"{ev.SITE}/gone-1.0.dist-info"), opaque("tmp"),
     ev.dpkg(ev.deb("base-files", "12.4+deb12u9"), ev.deb("libssl3", "3.0.11-1~deb12u2", source="openssl"))],
]
COMPONENTS = {("deb", "base-files", "12.4+deb12u9", 0), ("deb", "libssl3", "3.0.11-1~deb12u2", 2),
              ("pypi", "crit-fixed", "1.0", 0), ("pypi", "high-unfixed", "3.1", 1)}
FINDINGS = {("CVE-2024-0001", "crit-fixed", "1.0", 0), ("CVE-2024-0012", "high-unfixed", "3.1", 1),
            ("CVE-2024-0021", "libssl3", "3.0.11-1~deb12u2", 2)}
WHOLE = ["none", "gzip", "gzip-members", "zstd", "zstd-frames", "zstd-skippable"]


def the_image(**more):
    return imagekit.image_of(*LAYERS, **more)


def assert_same(result):
    assert result.code == 0, result
    assert result.components() == COMPONENTS
    assert result.findings() == FINDINGS


def scan_files(tmp_path, store, files, *args, folder=False, **options):
    path = imagekit.write_folder(tmp_path / "layout", files) if folder \
        else imagekit.write_archive(tmp_path / "image.tar", files, **options)
    return scanner.scan(path, *args, db=store)


KINDS = {
    "docker-old": (imagekit.files_docker_old, False),
    "docker-25": (imagekit.files_docker_25, False),
    "oci-tar": (imagekit.files_oci, False),
    "oci-folder": (imagekit.files_oci, True),
    "docker-25-folder": (imagekit.files_docker_25, True),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_layer_compressions(tmp_path, store, kind, compression):
    make, folder = KINDS[kind]
    assert_same(scan_files(tmp_path, store, make(the_image(compression=compression)), folder=folder))


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("inner", ["none", "gzip"])
@pytest.mark.parametrize("kind", ["docker-old", "docker-25", "oci-tar"])
def test_whole_archive_compressed(tmp_path, store, kind, inner, whole):
    files = KINDS[kind][0](the_image(compression=inner))
    assert_same(scan_files(tmp_path, store, files, whole=whole))


@pytest.mark.parametrize("form", tarkit.FORMS)
@pytest.mark.parametrize("prefix", ["", "./"])
@pytest.mark.parametrize("kind", ["docker-old", "docker-25", "oci-tar"])
def test_archive_tar_forms(tmp_path, store, kind, prefix, form):
    assert_same(scan_files(tmp_path, store, KINDS[kind][0](the_image()), form=form, prefix=prefix))


def test_archive_begins_with_a_dot_entry(tmp_path, store):
    """B10: the entry ./ is the root, not a path traversal."""
    files = {".": tarkit.folder("./"), **imagekit.files_oci(the_image())}
    assert_same(scan_files(tmp_path, store, files))


@pytest.mark.parametrize("order", ["manifest first", "manifest last", "backwards"])
@pytest.mark.parametrize("kind", ["docker-old", "docker-25", "oci-tar"])
def test_order_in_the_archive(tmp_path, store, kind, order):
    names = list(files := KINDS[kind][0](the_image()))
    heads = [n for n in names if n in ("manifest.json", "index.json", "oci-layout")]
    rest = [n for n in names if n not in heads]
    names = {"manifest first": heads + rest, "manifest last": rest + heads, "backwards": names[::-1]}[order]
    assert_same(scan_files(tmp_path, store, {name: files[name] for name in names}))


def test_layers_compressed_each_in_its_way(tmp_path, store):
    image = the_image(compression=["zstd", "none", "gzip-members"])
    assert_same(scan_files(tmp_path, store, imagekit.files_oci(image)))


@pytest.mark.parametrize("told", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("real", ["none", "gzip", "zstd"])
def test_bytes_tell_the_compression(tmp_path, store, told, real):
    """A media type that is wrong about the compression changes nothing."""
    image = the_image(compression=real, media_type=imagekit.MEDIA[told])
    assert_same(scan_files(tmp_path, store, imagekit.files_oci(image)))


def test_docker_media_types(tmp_path, store):
    image = the_image(compression="gzip", media_type="application/vnd.docker.image.rootfs.diff.tar.gzip")
    assert_same(scan_files(tmp_path, store, imagekit.files_oci(image)))


@pytest.mark.parametrize("form", ["v7", "ustar", "gnu", "pax"])
def test_layer_tar_forms(tmp_path, store, form):
    layers = [tar_of([e for e in layer if form != "v7" or len(e.path) < 100], form) for layer in LAYERS]
    assert_same(scan_files(tmp_path, store, imagekit.files_docker_old(Image(layers))))


def test_duplicate_layers_are_symlinks(tmp_path, store):
    """`docker save` writes a layer that is there twice as a symlink to the first."""
    tars = [tar_of(layer) for layer in LAYERS]
    image = Image([*tars, tar_of([file("x", "x")]), tars[0]])
    files = imagekit.files_docker_old(image)
    assert any(getattr(item, "type", "") == tarkit.SYMLINK for item in files.values())
    result = scan_files(tmp_path, store, files)
    assert result.components("deb") == {("deb", "base-files", "12.4+deb12u9", 0)}
    assert ("pypi", "gone", "1.0", 4) in result.components(), "put back by the last layer"


def test_rootfs_folder(tmp_path, store):
    root = tmp_path / "root"
    for entry in [e for layer in LAYERS for e in layer]:
        if "gone" not in entry.path and ".wh." not in entry.path and entry.type == tarkit.FILE:
            (root / entry.path).parent.mkdir(parents=True, exist_ok=True)
            (root / entry.path).write_bytes(entry.data)
    (root / "lib").symlink_to("usr/lib")
    result = scanner.scan(root, command="rootfs", db=store)
    assert result.code == 0, result
    assert {c[:3] for c in result.components()} == {c[:3] for c in COMPONENTS}
    assert {f[:3] for f in result.findings()} == {f[:3] for f in FINDINGS}


def test_positional_path(tmp_path, store):
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(the_image()))
    done = scanner.run("image", path, "-f", "json", "--db", store)
    assert done.code == 0, done
    assert {c["name"] for c in json.loads(done.stdout)["components"]} == {c[1] for c in COMPONENTS}


def test_relative_path(tmp_path, store):
    imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(the_image()))
    done = scanner.run("image", "--input", "image.tar", "-f", "json", "--db", store, cwd=tmp_path)
    assert done.code == 0, done


def test_long_names_and_sparse_evidence(tmp_path, store):
    """Evidence behind each tar extension there is: read as if it were a plain entry."""
    deep = "srv/" + "/".join("d" * 30 for _ in range(8))
    text = ev.metadata("app", "{}") + "x" * 3000

    def body(number):
        return text.format(f"{number}.0").encode().ljust(4 * 512, b"\n")

    def holes(make, number):
        whole = body(number)
        path = f"srv/n{number}.dist-info/METADATA"
        return make(path, [(0, whole[:1024]), (512 * 40, whole[1024:])], 512 * 40 + len(whole) - 1024)

    entries = [
        tarkit.raw(tarkit.entry_bytes(file(f"{deep}/1.dist-info/METADATA", body(1)), "gnu")),
        tarkit.raw(tarkit.entry_bytes(file(f"{deep}/2.dist-info/METADATA", body(2)), "pax")),
        holes(tarkit.sparse_gnu, 3),
        *(holes(lambda *a, v=v: tarkit.sparse_pax(*a, v), n) for n, v in ((4, "0.0"), (5, "0.1"), (6, "1.0"))),
        tarkit.raw(tarkit.pax_header([("comment", "global"), ("mtime", "1")], "g")), file("srv/7.dist-info/METADATA", body(7)),
        tarkit.raw(tarkit.header("srv/8.dist-info/METADATA", size_field=b"\x80" + (len(body(8))).to_bytes(11, "big"))
                   + tarkit.pad(body(8))),
        tarkit.raw(tarkit.header("srv/9.dist-info/METADATA", len(body(9)), kind="7") + tarkit.pad(body(9))),
    ]
    result = scan_files(tmp_path, store, imagekit.files_docker_old(imagekit.image_of([*ev.base(), *entries])))
    assert result.packages("pypi") == [("app", f"{n}.0") for n in range(1, 10)]


def test_sparse_status_with_many_chunks(tmp_path, store):
    """More chunks than a header holds, for both forms that need a second block."""
    status = ev.dpkg(*(ev.deb(f"p{n:03}", f"{n}.0") for n in range(200))).data.ljust(512 * 100, b"\n")
    chunks = [(at, status[at:at + 512]) for at in range(0, len(status), 512)]
    chunks = [(at, data) for at, data in chunks if data.strip(b"\n")]
    for make in (tarkit.sparse_gnu, lambda *a: tarkit.sparse_pax(*a, "1.0"), lambda *a: tarkit.sparse_pax(*a, "0.1")):
        layer = [ev.os_release(), make(ev.STATUS, chunks, len(status))]
        result = scan_files(tmp_path, store, imagekit.files_docker_old(imagekit.image_of(layer)))
        assert result.packages("deb") == [(f"p{n:03}", f"{n}.0") for n in range(200)]


def test_pax_says_more_than_ustar(tmp_path, store):
    """Path, link and size come from the extended header, and only for the entry that follows it."""
    data = ev.metadata("app", "1.0").encode()
    records = [("path", "srv/app.dist-info/METADATA"), ("size", str(len(data)))]
    lied = tarkit.pax_header(records) + tarkit.header("elsewhere", 0) + tarkit.pad(data)
    link = tarkit.pax_header([("path", "srv/two.dist-info/METADATA"), ("linkpath", "blob")]) \
        + tarkit.header("elsewhere", 0, tarkit.HARDLINK, "nowhere")
    layer = [*ev.base(), tarkit.raw(lied), file("blob", ev.metadata("two", "2.0")), tarkit.raw(link),
             file("srv/last.dist-info/METADATA", ev.metadata("last", "3.0"))]
    result = scan_files(tmp_path, store, imagekit.files_docker_old(imagekit.image_of(layer)))
    assert result.packages("pypi") == [("app", "1.0"), ("last", "3.0"), ("two", "2.0")]


# -- which image ---------------------------------------------------------------------------------------

def of_platform(platform, version):
    return imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", version)], platform=platform)


AMD, ARM, ARM7 = of_platform("linux/amd64", "1.1"), of_platform("linux/arm64", "1.2"), of_platform("linux/arm/v7", "1.3")


def versions(result):
    assert result.code == 0, result
    return [version for _, version in result.packages("pypi")], result.report["image"]["platform"]


@pytest.mark.parametrize("asked,expected", [
    ((), ("1.1", "linux/amd64")), (("--platform", "linux/amd64"), ("1.1", "linux/amd64")),
    (("--platform", "linux/arm64"), ("1.2", "linux/arm64")), (("--platform", "linux/arm/v7"), ("1.3", "linux/arm/v7"))])
@pytest.mark.parametrize("nested", [False, True])
def test_platforms(tmp_path, store, asked, expected, nested):
    """With several the host's is taken (these tests run on amd64), and any can be asked for."""
    descriptors = [imagekit.manifest_descriptor(i) for i in (ARM, AMD, ARM7)]
    blobs, index = [], imagekit.index_bytes(descriptors)
    if nested:
        blobs, index = [index], imagekit.index_bytes([imagekit.descriptor(imagekit.INDEX, index)])
    files = imagekit.files_oci(ARM, AMD, ARM7, index=index, more_blobs=blobs)
    assert versions(scan_files(tmp_path, store, files, *asked)) == ([expected[0]], expected[1])


def test_platform_that_is_not_there(tmp_path, store):
    descriptors = [imagekit.manifest_descriptor(i) for i in (ARM, ARM7)]
    files = imagekit.files_oci(ARM, ARM7, index=imagekit.index_bytes(descriptors))
    for asked in ((), ("--platform", "linux/s390x")):
        result = scan_files(tmp_path, store, files, *asked)
        assert result.code == 3
        assert "linux/arm64" in result.complaints() and "linux/arm/v7" in result.complaints(), result


def test_one_platform_is_not_taken_for_another(tmp_path, store):
    """B47, in both archive forms: what is there is named."""
    for files in (imagekit.files_docker_old(ARM), imagekit.files_oci(ARM), imagekit.files_oci(ARM, platform=False)):
        result = scan_files(tmp_path, store, files, "--platform", "linux/amd64")
        assert result.code == 3
        assert "linux/arm64" in result.complaints(), result


def test_attestations_are_passed_over(tmp_path, store):
    """B46: one foreign platform and an attestation: that image is scanned, and this is said."""
    blobs, statement = imagekit.attestation(ARM)
    index = imagekit.index_bytes([imagekit.manifest_descriptor(ARM), statement])
    result = scan_files(tmp_path, store, imagekit.files_oci(ARM, index=index, more_blobs=blobs))
    assert versions(result) == (["1.2"], "linux/arm64")
    assert "linux/arm64" in result.stderr, result


def test_attestation_first(tmp_path, store):
    blobs, statement = imagekit.attestation(AMD)
    index = imagekit.index_bytes([statement, imagekit.manifest_descriptor(AMD)])
    result = scan_files(tmp_path, store, imagekit.files_oci(AMD, index=index, more_blobs=blobs))
    assert versions(result) == (["1.1"], "linux/amd64")


def test_only_attestations_are_no_image(tmp_path, store):
    blobs, statement = imagekit.attestation(AMD)
    result = scan_files(tmp_path, store, imagekit.files_oci(index=imagekit.index_bytes([statement]), more_blobs=blobs))
    assert result.code == 3


def test_platforms_never_pulled(tmp_path, store):
    """B48: blobs of a platform that nobody asked for may be missing; those asked for may not."""
    index = imagekit.index_bytes([imagekit.manifest_descriptor(ARM), imagekit.manifest_descriptor(AMD)])
    for present, asked, expected in ((AMD, (), "1.1"), (ARM, (), "1.2"), (AMD, ("--platform", "linux/amd64"), "1.1"),
                                     (ARM, ("--platform", "linux/amd64"), None)):
        result = scan_files(tmp_path, store, imagekit.files_oci(present, index=index), *asked)
        if expected:
            assert versions(result)[0] == [expected]
        else:
            assert result.code == 3, result


@pytest.mark.parametrize("kind", ["docker-old", "docker-25", "oci-tar", "oci-folder"])
def test_several_images(tmp_path, store, kind):
    """One of several has to be chosen; the message of a run that did not lists them."""
    one, two = (imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", v)], tags=(tag,))
                for v, tag in (("1.1", "shop/one:1"), ("1.2", "shop/two:2")))
    make, folder = KINDS[kind]
    files = make(one, two)
    for name, expected in (("shop/one:1", "1.1"), ("shop/two:2", "1.2")):
        result = scan_files(tmp_path, store, files, "--image", name, folder=folder)
        assert versions(result)[0] == [expected]
    for args in ((), ("--image", "shop/three:3")):
        result = scan_files(tmp_path, store, files, *args, folder=folder)
        assert result.code in (2, 3), result
        assert "shop/one:1" in result.stderr and "shop/two:2" in result.stderr, result


def test_name_and_digest(tmp_path, store):
    image = the_image(tags=("registry.example/shop/app:1.2",))
    for make in (imagekit.files_docker_old, imagekit.files_docker_25, imagekit.files_oci):
        told = scan_files(tmp_path, store, make(image)).report["image"]
        assert told["name"] == str(tmp_path / "image.tar"), "as asked"
        assert told["digest"] in (imagekit.sha256(image.config_bytes()), imagekit.sha256(imagekit.manifest_bytes(image)))
        assert [layer["diff_id"] for layer in told["layers"]] == [imagekit.sha256(tar) for tar in image.layers]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_layer_digests_are_told(tmp_path, store, compression):
    image = the_image(compression=compression)
    told = scan_files(tmp_path, store, imagekit.files_oci(image)).report["image"]["layers"]
    assert [layer["digest"] for layer in told] == [imagekit.sha256(blob) for blob in image.blobs()]
    assert [layer["index"] for layer in told] == [0, 1, 2]


# -- the same through skopeo -----------------------------------------------------------------------------

@pytest.mark.skipif(not shutil.which("skopeo"), reason="skopeo is not installed")
@pytest.mark.parametrize("kind", ["oci-archive", "oci", "docker-archive"])
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_through_skopeo(tmp_path, store, kind, compression):
    source = imagekit.write_archive(tmp_path / "in.tar", imagekit.files_docker_old(the_image()))
    target = tmp_path / "out"
    subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-compress-format", compression,
                    f"docker-archive:{source}", f"{kind}:{target}:app:1"], check=True, capture_output=True)
    assert_same(scanner.scan(target, db=store))


# -- the same every time -------------------------------------------------------------------------------------

def test_the_same_bytes_every_time(tmp_path, make_store):
    """Row 25: the report is the same whatever order the workers finish in."""
    records = [advisories.pypi(f"CVE-2024-{n:04}", f"pkg{n % 40}", "9.0", "HIGH") for n in range(200)]
    layers = [[*ev.base()]] + [[e for n in range(first, 40, 8) for e in ev.dist_info(f"pkg{n}", "1.0")] for first in range(8)]
    image = imagekit.image_of(*layers, compression=["none", "gzip", "zstd"] * 3)
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_oci(image))
    db = make_store(records)
    outputs = {scanner.scan(path, db=db).stdout for _ in range(20)}
    assert len(outputs) == 1
    assert len(json.loads(outputs.pop())["findings"]) == 200
