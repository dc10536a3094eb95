"""Hand-written advisories in OSV's form, for stores that need nothing from outside the repository."""

import json

VECTORS = {
    "CRITICAL": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",  # 9.8
    "HIGH": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",      # 7.5
    "MEDIUM": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",    # 6.1
    "LOW": "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N",       # 2.2
}


def advisory(ident, ecosystem, name, fixed=None, severity=None, introduced="0", last_affected=None,
             versions=(), aliases=(), urgency=None, **more):
    """One advisory on one package. Without `fixed` and `last_affected` it is unfixed."""
    events = [{"introduced": introduced}]
    events += [{"fixed": fixed}] if fixed else []
    events += [{"last_affected": last_affected}] if last_affected else []
    affected = {"package": {"ecosystem": ecosystem, "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    if versions:
        affected["versions"] = list(versions)
    if urgency:
        affected["ecosystem_specific"] = {"urgency": urgency}
    record = {"schema_version": "1.7.0", "id": ident, "modified": "2024-05-06T07:08:09Z",
              "published": "2024-05-06T07:08:09Z", "summary": f"about {name}", "details": f"more about {name}",
              "affected": [affected], **more}
    if severity:
        record["severity"] = [{"type": "CVSS_V3", "score": VECTORS[severity]}]
    if aliases:
        record["aliases"] = list(aliases)
    return record


def pypi(ident, name, fixed=None, severity=None, **more):
    return advisory(ident, "PyPI", name, fixed, severity, **more)


def debian(ident, name, fixed=None, severity=None, release="12", **more):
    return advisory(ident, f"Debian:{release}", name, fixed, severity, **more)


def write(folder, records):
    """One JSON file an advisory, as a folder that `plimsoll db import` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        (folder / (record["id"].replace("/", "_") + ".json")).write_text(json.dumps(record))
    return folder


# What most tests use: for each severity a Python package with a fix and one without, and Debian's.
STANDARD = [
    pypi("CVE-2024-0001", "crit-fixed", "2.0", "CRITICAL", aliases=["GHSA-aaaa-bbbb-0001"]),
    pypi("CVE-2024-0002", "high-fixed", "2.0", "HIGH"),
    pypi("CVE-2024-0003", "medium-fixed", "2.0", "MEDIUM"),
    pypi("CVE-2024-0004", "low-fixed", "2.0", "LOW"),
    pypi("CVE-2024-0005", "unknown-fixed", "2.0"),
    pypi("CVE-2024-0011", "crit-unfixed", None, "CRITICAL"),
    pypi("CVE-2024-0012", "high-unfixed", None, "HIGH"),
    pypi("CVE-2024-0013", "medium-unfixed", None, "MEDIUM"),
    pypi("CVE-2024-0014", "low-unfixed", None, "LOW"),
    pypi("CVE-2024-0015", "unknown-unfixed", None),
    debian("DEBIAN-CVE-2024-0021", "openssl", "3.0.15-1~deb12u1", "HIGH", upstream=["CVE-2024-0021"]),
    debian("DEBIAN-CVE-2024-0022", "shadow", None, urgency="unimportant", upstream=["CVE-2024-0022"]),
    debian("DEBIAN-CVE-2024-0023", "linux", "6.1.200-1", "HIGH", upstream=["CVE-2024-0023"]),
    debian("DEBIAN-CVE-2024-0024", "curl", "7.88.1-10+deb12u9", "CRITICAL", upstream=["CVE-2024-0024"]),
]
