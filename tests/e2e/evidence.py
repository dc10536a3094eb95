"""What package managers leave behind in an image, as tar entries."""

import json

from tarkit import file

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n' \
         'VERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n'
UBUNTU = 'NAME="Ubuntu"\nVERSION_ID="22.04"\nVERSION="22.04.4 LTS (Jammy Jellyfish)"\n' \
         'VERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n'
DEBIAN_TEAM = "Debian Python Team <team+python@tracker.debian.org>"
SITE = "usr/local/lib/python3.11/site-packages"
DIST = "usr/lib/python3/dist-packages"
STATUS = "var/lib/dpkg/status"


def os_release(text=DEBIAN, path="etc/os-release"):
    return file(path, text)


# -- dpkg -----------------------------------------------------------------------------------------

def deb(name, version, source=None, arch="amd64", status="install ok installed",
        maintainer=DEBIAN_TEAM, more=""):
    """One paragraph of dpkg's status. `source` as it stands there: "name" or "name (version)"."""
    return (f"Package: {name}\nStatus: {status}\nPriority: optional\nSection: misc\n"
            f"Installed-Size: 100\nMaintainer: {maintainer}\nArchitecture: {arch}\n"
            + (f"Source: {source}\n" if source else "") + f"Version: {version}\n{more}"
            f"Description: what {name} is\n One more line: of it.\n .\n And a last one.\n")


def dpkg(*paragraphs, path=STATUS):
    return file(path, "\n".join(paragraphs) + "\n")


def owned(package, *paths):
    """The list of the files that a package owns, as dpkg keeps it."""
    return file(f"var/lib/dpkg/info/{package}.list", "/.\n" + "".join(f"/{path}\n" for path in paths))


def base():
    """The least that makes a Debian: an os-release and a package database with one package."""
    return [os_release(), dpkg(deb("base-files", "12.4+deb12u9"))]


# -- Python -----------------------------------------------------------------------------------------

def metadata(name, version, more=""):
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: s\n{more}\nName: body\nVersion: 9\n"


def dist_info(name, version, site=SITE, installer="pip", record=True, text=None):
    """A wheel's dist-info folder as pip leaves it."""
    base = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
    entries = [file(f"{base}/METADATA", text if text is not None else metadata(name, version))]
    if installer:
        entries.append(file(f"{base}/INSTALLER", installer + "\n"))
    if record:
        inner = base.rpartition("/")[2]
        entries.append(file(f"{base}/RECORD", f"{name}.py,,\n{inner}/METADATA,,\n{inner}/RECORD,,\n"))
    return entries


def egg_info(name, version, site=SITE, inner="PKG-INFO"):
    return file(f"{site}/{name.replace('-', '_')}-{version}-py3.11.egg-info/{inner}", metadata(name, version))


# -- conda ------------------------------------------------------------------------------------------

def conda(name, version, prefix="opt/conda", build="py311_0", files=(), **more):
    """A record of conda-meta, and an empty file for each path that it lists."""
    record = {"build": build, "build_number": 0, "channel": "https://conda.anaconda.org/conda-forge/linux-64",
              "depends": [], "files": list(files), "fn": f"{name}-{version}-{build}.conda",
              "name": name, "subdir": "linux-64", "version": version, **more}
    return file(f"{prefix}/conda-meta/{name}-{version}-{build}.json", json.dumps(record))


def conda_with_files(name, version, prefix="opt/conda", files=("bin/x",), **more):
    return [conda(name, version, prefix, files=files, **more), *(file(f"{prefix}/{path}", "x") for path in files)]
