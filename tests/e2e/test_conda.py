"""conda environments: records, whose Python packages are whose, records whose files are gone."""

import pytest

import evidence as ev
import scanner
from tarkit import file, whiteout

LIB = "lib/python3.11/site-packages"


def owned_python(name, version, prefix="opt/conda"):
    """A conda package that brings a Python package, with its record."""
    inner = [f"{LIB}/{name.replace('-', '_')}-{version}.dist-info/{part}" for part in ("METADATA", "INSTALLER", "RECORD")]
    return [ev.conda(name, version, prefix, files=[*inner, f"{LIB}/{name}/__init__.py"]),
            *ev.dist_info(name, version, f"{prefix}/{LIB}", installer="conda")]


def test_record(scan_layers):
    result = scan_layers([*ev.base(), *ev.conda_with_files("openssl", "3.1.2")])
    component = result.component("openssl")
    assert (component["type"], component["version"]) == ("conda", "3.1.2")
    assert scanner.paths_of(component) == {"opt/conda/conda-meta/openssl-3.1.2-py311_0.json"}
    assert component["purl"].startswith("pkg:conda/openssl@3.1.2")


@pytest.mark.parametrize("prefix", ["opt/conda", "opt/conda/envs/ml", "root/miniconda3", "home/jo/.conda/envs/x", "usr"])
def test_prefixes(scan_layers, prefix):
    result = scan_layers([*ev.base(), *ev.conda_with_files("numpy", "1.26.0", prefix)])
    assert result.packages("conda") == [("numpy", "1.26.0")]


def test_one_package_owned_by_conda_is_one_thing(scan_layers):
    result = scan_layers([*ev.base(), *owned_python("crit-fixed", "1.0")])
    assert result.packages("conda", "pypi") == [("crit-fixed", "1.0")]
    assert result.component("crit-fixed")["type"] == "conda"


@pytest.mark.parametrize("package", ["crit-fixed", "nobody-knows"])
def test_conda_is_never_clean_by_ignorance(scan_layers, package):
    """What conda brought is judged (through PyPI, where it is a Python package) or said not to be."""
    result = scan_layers([*ev.base(), *owned_python(package, "1.0")], args=["--exit-code", "1"])
    assert result.code in ((1, 3) if package == "crit-fixed" else (0, 3)), result
    assert result.code != 3 or "conda" in result.complaints(), result


def test_pip_in_a_conda_environment(scan_layers):
    result = scan_layers([*ev.base(), *owned_python("crit-fixed", "2.0"), *ev.dist_info("high-fixed", "1.0", f"opt/conda/{LIB}")])
    assert {(c["type"], c["name"]) for c in result.report["components"] if c["type"] != "deb"} == \
        {("conda", "crit-fixed"), ("pypi", "high-fixed")}
    assert result.ids() == {"CVE-2024-0002"}


def test_pip_upgraded_what_conda_owned(scan_layers):
    """pip takes conda's dist-info away and puts its own; the record still stands, but not for that."""
    site = f"opt/conda/{LIB}"
    result = scan_layers([*ev.base(), *owned_python("crit-fixed", "1.0")],
                         [whiteout(f"{site}/crit_fixed-1.0.dist-info"), *ev.dist_info("crit-fixed", "2.0", site)])
    assert ("pypi", "crit-fixed", "2.0", 1) in result.components()
    assert result.findings() == set()


def test_record_whose_files_are_gone(scan_layers):
    """Files removed with rm, record left behind: not believed."""
    result = scan_layers([*ev.base(), *ev.conda_with_files("openssl", "3.1.2", files=("bin/openssl", "lib/libssl.so")),
                          *ev.conda_with_files("zlib", "1.2.13", files=("lib/libz.so",))],
                         [whiteout("opt/conda/bin"), whiteout("opt/conda/lib/libssl.so")])
    assert result.packages("conda") == [("zlib", "1.2.13")]


def test_record_whose_files_are_partly_gone(scan_layers):
    result = scan_layers([*ev.base(), *ev.conda_with_files("openssl", "3.1.2", files=("bin/openssl", "lib/libssl.so"))],
                         [whiteout("opt/conda/bin/openssl")])
    assert result.packages("conda") == [("openssl", "3.1.2")]


def test_record_whose_files_came_back(scan_layers):
    result = scan_layers([*ev.base(), *ev.conda_with_files("openssl", "3.1.2")], [whiteout("opt/conda/bin")],
                         [file("opt/conda/bin/x", "x")])
    assert result.packages("conda") == [("openssl", "3.1.2")]


def test_record_without_files(scan_layers):
    """A metapackage never had any."""
    result = scan_layers([*ev.base(), ev.conda("python_abi", "3.11", files=[])])
    assert result.packages("conda") == [("python_abi", "3.11")]


def test_removed_and_upgraded(scan_layers):
    result = scan_layers([*ev.base(), *ev.conda_with_files("a", "1", files=("a",)), *ev.conda_with_files("b", "1", files=("b",))],
                         [whiteout("opt/conda/conda-meta/a-1-py311_0.json"), *ev.conda_with_files("a", "2", files=("a",)),
                          whiteout("opt/conda/conda-meta/b-1-py311_0.json")])
    assert result.components("conda") == {("conda", "a", "2", 1)}


def test_what_is_no_record(scan_layers):
    """The history file, and JSON that lies elsewhere."""
    result = scan_layers([*ev.base(), *ev.conda_with_files("zlib", "1.2.13"), file("opt/conda/conda-meta/history", "==> x <==\n"),
                          file("opt/conda/pkgs/a/info/index.json", '{"name": "a", "version": "1"}'),
                          file("opt/conda/conda-meta/sub/a.json", '{"name": "a", "version": "1"}')])
    assert result.packages("conda") == [("zlib", "1.2.13")]
    assert result.code == 0, result


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "a"}', '{"version": "1"}', '{"name": 7, "version": "1"}',
                                  "[" * 100000, '{"name": "a", "version": "1"', "null"])
def test_broken_record(scan_layers, text):
    result = scan_layers([*ev.base(), *ev.conda_with_files("zlib", "1.2.13")],
                         [file("opt/conda/conda-meta/a-1-0.json", text)])
    assert result.code == 3, result
    assert any(error["layer"] == 1 and "a-1-0.json" in error["path"] for error in result.errors), result.errors
    assert result.packages("conda") == [("zlib", "1.2.13")]


def test_record_with_a_hundred_thousand_files(scan_layers):
    """The list of files is long in real records; it is read, and does not fill the memory."""
    files = [f"lib/python3.11/site-packages/torch/include/x/y/z/header-{n}.h" for n in range(100000)]
    result = scan_layers([*ev.base(), ev.conda("pytorch", "2.0.1", files=files), file(f"opt/conda/{files[0]}", "x")])
    assert result.packages("conda") == [("pytorch", "2.0.1")]


def test_record_of_a_slimmed_package(scan_layers):
    """Headers, which come first in the list, are often removed to save space; the library is there."""
    headers = [f"include/openssl/header{n}.h" for n in range(100)]
    result = scan_layers([*ev.base(), *ev.conda_with_files("openssl", "3.1.2", files=[*headers, "lib/libssl.so.3"])],
                         [whiteout("opt/conda/include")])
    assert result.packages("conda") == [("openssl", "3.1.2")]
