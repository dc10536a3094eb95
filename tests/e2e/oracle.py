"""What the advisories say of a set of packages, worked out a second time and in another way: Python
with `packaging`, Debian with `dpkg --compare-versions`, both straight from the published OSV files."""

import functools
import json
import subprocess
import zipfile

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


def records(path):
    """The advisories of an all.zip that were not withdrawn."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            record = json.loads(archive.read(name))
            if not record.get("withdrawn"):
                yield record


def ids_of(record):
    return {record["id"], *record.get("aliases", ()), *record.get("upstream", ())}


def in_ranges(affected, newer_or_same, newer):
    """OSV's evaluation: go through a range's events in order; the last one that counts decides."""
    for part in affected.get("ranges", ()):
        if part["type"] == "GIT":
            continue
        hit = False
        for kind, bound in (item for event in part["events"] for item in event.items()):
            if kind == "introduced" and (bound == "0" or newer_or_same(bound)):
                hit = True
            elif kind == "fixed" and newer_or_same(bound) or kind == "last_affected" and newer(bound) \
                    or kind == "limit" and bound != "*" and newer_or_same(bound):
                hit = False
        if hit:
            return True
    return False


def pep440(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def without_local(version, bound):
    """A bound without a local part says nothing of local parts (PEP 440, version specifiers)."""
    return Version(version.public) if bound.local is None else version


def python_affected(affected, version):
    def compare(test):
        def by(bound):
            other = pep440(bound)
            return other is not None and test(without_local(version, other), other)
        return by
    listed = (pep440(text) for text in affected.get("versions", ()))
    return any(other is not None and without_local(version, other) == other for other in listed) \
        or in_ranges(affected, compare(lambda a, b: a >= b), compare(lambda a, b: a > b))


@functools.cache
def dpkg_says(one, relation, other):
    return subprocess.run(["dpkg", "--compare-versions", one, relation, other], stderr=subprocess.DEVNULL).returncode == 0


def debian_affected(affected, version):
    return version in affected.get("versions", ()) or in_ranges(
        affected, lambda bound: dpkg_says(version, "ge", bound), lambda bound: dpkg_says(version, "gt", bound))


def python_findings(path, packages):
    """[(name, ids)] for packages as (normalised name, version)."""
    known = {}
    for name, version in packages:
        known.setdefault(name, []).append(Version(version))
    return [(name, ids_of(record)) for record in records(path) for affected in record.get("affected", ())
            if affected.get("package", {}).get("ecosystem") == "PyPI"
            for name in [canonicalize_name(affected["package"]["name"])]
            for version in known.get(name, ()) if python_affected(affected, version)]


def debian_findings(path, packages, release):
    """[(binary name, ids)] for packages as (name, source, source version)."""
    known = {}
    for name, source, version in packages:
        known.setdefault(source, []).append((name, version))
    return [(name, ids_of(record)) for record in records(path) for affected in record.get("affected", ())
            if affected.get("package", {}).get("ecosystem") == f"Debian:{release}"
            for name, version in known.get(affected["package"]["name"], ()) if debian_affected(affected, version)]


def differences(expected, findings):
    """Lines on what one has and the other has not. A finding is the same if it shares an id."""
    told = [(f["name"], {f["id"], *f["aliases"]}) for f in findings]

    def missing(these, those):
        by_name = {}
        for name, ids in those:
            by_name.setdefault(name, []).append(ids)
        return [f"{name} {sorted(ids)}" for name, ids in these if not any(ids & other for other in by_name.get(name, ()))]
    return [f"not found: {line}" for line in missing(expected, told)] + \
        [f"not in the advisories: {line}" for line in missing(told, expected)]
