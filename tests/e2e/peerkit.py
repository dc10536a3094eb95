"""Real Trivy and Grype, where they are on this machine, on the facts of ../shared."""

import contextlib
import functools
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

import advisories
import realimage
import scanner

SHARED = scanner.REPO.parent / "shared"


# Findings that Trivy has twice, under two ids of one vulnerability; here they are one.
JOINED = {"PYSEC-2023-175": "its alias GHSA-j7hp-h8jx-5ppr is CVE-2023-4863, which is found"}


@functools.cache
def program(name):
    """Its path: on the PATH, or where `go install` puts it."""
    places = os.pathsep.join([os.environ.get("PATH", ""), str(pathlib.Path("~/go/bin").expanduser())])
    return shutil.which(name, path=places)


def why_not(name):
    """Why the tool cannot be compared with, or None."""
    if not program(name):
        return f"{name} is not on the PATH (../shared/peers/README.md says how to get it)"
    if not (SHARED / "peers/trivy.db.zst").is_file():
        return f"{SHARED}/peers/trivy.db.zst is not there"
    if not shutil.which("zstd"):
        return "zstd is not on the PATH"
    return None if realimage.feeds().is_dir() else f"{realimage.feeds()} is not there"


def run(*command, timeout=60, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, timeout=timeout,
                          stdin=more.pop("stdin", subprocess.DEVNULL), **more)


class Trivy:
    """Trivy with a database of the same facts, without a network."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "db").mkdir()
        subprocess.run(["zstd", "-dqf", SHARED / "peers/trivy.db.zst", "-o", folder / "db/trivy.db"], check=True)
        (folder / "db/metadata.json").write_text(json.dumps({
            "Version": 2, "NextUpdate": "2099-01-01T00:00:00Z", "UpdatedAt": "2026-11-24T00:00:00Z",
            "DownloadedAt": "2026-11-24T00:00:00Z"}))

    def image(self, path, *args):
        """Exit code and report of `trivy image --input PATH ARGS`."""
        out = self.folder / "report.json"
        out.unlink(missing_ok=True)
        done = run(program("trivy"), "image", "--input", path, "--cache-dir", self.folder, "--cache-backend", "memory",
                   "--skip-db-update", "--skip-java-db-update", "--skip-version-check", "--offline-scan", "--quiet",
                   "-f", "json", "-o", out, *args)
        return done, json.loads(out.read_text()) if out.is_file() else None

    def convert(self, path, form):
        done = run(program("trivy"), "convert", "--format", form, "--scanners", "vuln,secret", path)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


def trivy_findings(report):
    """{(id, package, version, layer's diff ID)}, names in PyPI's normal form."""
    return {(v["VulnerabilityID"], v["PkgName"].lower().replace("_", "-"), v["InstalledVersion"], v["Layer"]["DiffID"])
            for result in report.get("Results", []) for v in result.get("Vulnerabilities", [])}


def grype_findings(report, key="matches"):
    return {(m["vulnerability"]["id"], m["artifact"]["name"], m["artifact"]["version"]) for m in report[key]}


# -- Grype, on a database of hand-written advisories ------------------------------------------------

GRYPE_TABLES = {
    "blobs": "id integer primary key, value text",
    "db_metadata": "build_timestamp datetime, model integer, revision integer, addition integer",
    "providers": "id text primary key, version text, processor text, date_captured datetime, input_digest text",
    "vulnerability_handles": "id integer primary key, name text, status text, published_date datetime, modified_date datetime, "
                             "withdrawn_date datetime, provider_id text, blob_id integer",
    "vulnerability_aliases": "name text, alias text",
    "operating_systems": "id integer primary key, name text, release_id text, major_version text, minor_version text, label_version text, "
                         "codename text, channel text, eol_date datetime, eoas_date datetime",
    "packages": "id integer primary key, ecosystem text, name text",
    **{f"{kind}_package_handles": "id integer primary key, vulnerability_id integer, operating_system_id integer, package_id integer, "
                                  "blob_id integer" for kind in ("affected", "unaffected")},
    **{f"{kind}_cpe_handles": "id integer primary key, vulnerability_id integer, cpe_id integer, blob_id integer"
       for kind in ("affected", "unaffected")},
    "operating_system_specifier_overrides": "alias text, version text, version_pattern text, codename text, channel text, replacement text, "
                                            "replacement_major_version text, replacement_minor_version text, replacement_label_version text, "
                                            "replacement_channel text, rolling numeric, applicable_client_db_schemas text",
    "cpes": "id integer primary key, part text, vendor text, product text, edition text, language text, software_edition text, "
            "target_hardware text, target_software text, other text",
    "package_cpes": "cpe_id integer, package_id integer",
    "package_specifier_overrides": "ecosystem text, replacement_ecosystem text",
    "architecture_aliases": "alias text, canonical text",
    "known_exploited_vulnerability_handles": "id integer primary key, cve text, blob_id integer",
    "epss_handles": "id integer primary key, cve text, epss real, percentile real",
    "epss_metadata": "date datetime",
    "cwe_handles": "id integer primary key, cve text, cwe text, source text, type text",
    "ssvc_handles": "id integer primary key, cve text, source text, role text, version text, timestamp datetime, exploitation text, "
                    "automatable text, technical_impact text",
}
WORDS = {vector: word.lower() for word, vector in advisories.VECTORS.items()}


def _insert(database, table, *values):
    marks = ", ".join("?" * len(values))
    return database.execute(f"insert into {table} values (null, {marks})", values).lastrowid


def _add_advisory(database, record):
    """One record as advisories.advisory makes it."""
    package = record["affected"][0]["package"]
    ecosystem, _, release = package["ecosystem"].partition(":")
    fixed = next((event["fixed"] for event in record["affected"][0]["ranges"][0]["events"] if "fixed" in event), None)
    name = next((ident for ident in record.get("upstream", []) + record.get("aliases", [])), record["id"])
    severity = WORDS.get(record.get("severity", [{}])[0].get("score"), "negligible" if "ecosystem_specific" in record["affected"][0] else "unknown")
    cves = [ident for ident in (name, record["id"]) if ident.startswith("CVE")]
    blob = {"id": name, "aliases": cves, "severities": [{"scheme": "CHMLN", "value": severity, "rank": 1}]}
    vulnerability = _insert(database, "vulnerability_handles", name, "active", None, None, None, "debian" if release else "github" if name.startswith("GHSA") else "osv",
                            _insert(database, "blobs", json.dumps(blob)))
    for cve in cves:
        database.execute("insert into vulnerability_aliases values (?, ?)", (name, cve))
    kind = "dpkg" if release else "python"
    affected = {"cves": cves, "ranges": [{"version": {"type": kind, "constraint": f"< {fixed}" if fixed else ""},
                                          "fix": {"version": fixed or "", "state": "fixed" if fixed else "not-fixed"}}]}
    system = database.execute("select id from operating_systems where major_version = ?", (release,)).fetchone() if release else (None,)
    system = system or (_insert(database, "operating_systems", ecosystem.lower(), ecosystem.lower(), release, "", "", "bookworm", "", None, None),)
    _insert(database, "affected_package_handles", vulnerability, system[0],
            _insert(database, "packages", "deb" if release else "python", package["name"]), _insert(database, "blobs", json.dumps(affected)))


class Grype:
    """Grype with a database of these advisories, without a network."""

    def __init__(self, folder, records):
        self.folder = folder
        self.env = {**scanner.environment(), "GRYPE_DB_CACHE_DIR": str(folder / "db"), "GRYPE_CHECK_FOR_APP_UPDATE": "false", "GRYPE_DB_AUTO_UPDATE": "false",
                    "GRYPE_DB_VALIDATE_AGE": "false", "HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
        with contextlib.closing(sqlite3.connect(folder / "vulnerability.db")) as database:
            for table, columns in GRYPE_TABLES.items():
                database.execute(f"create table {table} ({columns})")
            database.execute("insert into db_metadata values ('2026-11-28 00:00:00+00:00', 6, 1, 10)")
            for provider in ("github", "debian", "osv"):
                database.execute("insert into providers values (?, '1', 'test', '2026-11-28 00:00:00+00:00', '')", (provider,))
            for record in records:
                _add_advisory(database, record)
            database.commit()
        done = run(program("grype"), "db", "import", folder / "vulnerability.db", env=self.env)
        assert done.returncode == 0, done.stderr.decode()

    def image(self, *args):
        """Exit code and report of `grype ARGS -o json`."""
        out = self.folder / "report.json"
        out.unlink(missing_ok=True)
        done = run(program("grype"), *args, "-o", f"json={out}", env=self.env)
        return done, json.loads(out.read_text()) if out.is_file() else None
