"""The store from real feeds: counts against Python's own reading of them, and imports that are killed."""

import collections
import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import time
import zipfile

import pytest
import zstandard

import scanner

FEEDS = pathlib.Path(os.environ.get("PLIMSOLL_FEEDS", scanner.REPO.parent / "shared" / "feeds"))
STARTER = scanner.REPO / "data" / "starter.facts.zst"

STARTER_FEEDS = ["AlmaLinux", "Bitnami", "Debian", "Go", "PSF", "PyPI", "crates.io"]
real = pytest.mark.skipif(not (FEEDS / "osv").is_dir(),
                          reason=f"no real feeds at {FEEDS}: name their folder with PLIMSOLL_FEEDS")


def db(command, store, *args, code=0, **more):
    done = scanner.run("db", command, "--db", store, *args, timeout=120, **more)
    assert done.code == code, done
    return done


def status(store):
    return json.loads(db("status", store, "-f", "json").stdout)


def entries(store):
    return {feed["ecosystem"]: feed["entries"] for feed in status(store)["feeds"]}


def lines_of(facts):
    with open(facts, "rb") as packed:
        return zstandard.ZstdDecompressor().stream_reader(packed).read().splitlines()


def advisories_in(folder):
    """All advisories of an ecosystem's zip."""
    with zipfile.ZipFile(FEEDS / "osv" / folder / "all.zip") as archive:
        for name in archive.namelist():
            yield json.loads(archive.read(name))


def counted(folder):
    """Advisories by ecosystem, withdrawn ones too; those without a package go by the folder."""
    counts = collections.Counter()
    for advisory in advisories_in(folder):
        named = {affected["package"]["ecosystem"] for affected in advisory.get("affected", ())
                 if "package" in affected}
        counts.update(named or {folder})
    return dict(counts)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    store = tmp_path_factory.mktemp("full") / "store.db"
    # Feeds that came to the folder later are for other tests: the starter store is made of these.
    osv = [FEEDS / "osv" / name for name in STARTER_FEEDS]
    db("import", store, *osv, *(FEEDS / name for name in ("cve", "eol", "epss", "kev", "nvidia")))
    return store


@real
@pytest.mark.parametrize("folder", STARTER_FEEDS)
def test_counts_are_those_of_the_feed(full, folder):
    have = entries(full)
    for ecosystem, count in counted(folder).items():
        assert have[ecosystem] == count, ecosystem


@real
def test_other_feeds_are_whole(full):
    have = entries(full)
    kev = json.loads((FEEDS / "kev" / "known_exploited_vulnerabilities.json").read_text())
    assert have["kev"] == len(kev["vulnerabilities"])
    with gzip.open(next((FEEDS / "epss").glob("*.csv.gz")), "rt") as scores:
        assert have["epss"] == sum(line.startswith("CVE-") for line in scores)
    assert have["eol"] == len(json.loads((FEEDS / "eol" / "eol.json").read_text()))
    records = set()
    for archive in (FEEDS / "cve" / "cves.zip", FEEDS / "nvidia" / "cves.zip"):
        records |= {name.rsplit("/", 1)[-1] for name in zipfile.ZipFile(archive).namelist()
                    if name.endswith(".json")}
    assert have["cve"] == len(records)


@real
@pytest.mark.parametrize("folder", ["AlmaLinux", "Debian", "Go", "PyPI", "crates.io"])
def test_every_package_that_counts_has_its_row(full, folder):
    """(ecosystem, package, advisory) of the feed, without withdrawn ones and harmless errata."""
    wanted = set()
    for advisory in advisories_in(folder):
        harmless = advisory["id"].startswith(("ALBA-", "ALEA-")) and not advisory["related"]
        if advisory.get("withdrawn") or harmless:
            continue
        for affected in advisory["affected"]:
            name = affected["package"]["name"]
            if folder == "PyPI":
                name = "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)
            wanted.add((affected["package"]["ecosystem"], name, advisory["id"]))
    with sqlite3.connect(f"file:{full}?mode=ro", uri=True) as connection:
        rows = set(connection.execute(
            "SELECT e.name, f.package, a.name FROM affected f JOIN ecosystem e ON e.id = f.ecosystem"
            " JOIN advisory a ON a.id = f.advisory JOIN ecosystem b ON b.id = a.base WHERE b.name = ?",
            (folder,)))
    assert rows == wanted


@real
def test_layouts_and_order_make_the_same_store(tmp_path):
    """The bucket's layout, one zip by itself, loose files; forwards and backwards."""
    bucket = FEEDS / "osv"
    loose = tmp_path / "loose"
    with zipfile.ZipFile(bucket / "crates.io" / "all.zip") as archive:
        archive.extractall(loose / "crates.io")
    ways = [[bucket / "crates.io", bucket / "PSF"],
            [bucket / "PSF" / "all.zip", bucket / "crates.io" / "all.zip"],
            [loose, bucket / "PSF"]]
    facts = []
    for number, way in enumerate(ways):
        store = tmp_path / f"{number}.db"
        db("import", store, *way)
        db("export-facts", store, tmp_path / "facts.zst")
        facts.append([line for line in lines_of(tmp_path / "facts.zst") if not line.startswith((b"built", b"feed"))])
    assert facts[0] == facts[1] == facts[2]


@real
def test_an_import_keeps_what_it_does_not_replace(tmp_path):
    store = tmp_path / "store.db"
    db("import", store, FEEDS / "osv" / "PSF", FEEDS / "kev")
    before = entries(store)
    db("import", store, FEEDS / "osv" / "crates.io")
    after = entries(store)
    assert after.pop("crates.io") == 1205
    assert after == before


@pytest.mark.skipif(not STARTER.is_file(), reason=f"{STARTER} is not there")
def test_starter_facts_come_back_byte_for_byte(tmp_path):
    store = tmp_path / "store.db"
    db("import", store, STARTER)
    db("export-facts", store, tmp_path / "again.zst")
    assert (tmp_path / "again.zst").read_bytes() == STARTER.read_bytes()
    assert STARTER.stat().st_size < 5_000_000
    assert store.stat().st_size < 25_000_000


@real
@pytest.mark.slow
def test_starter_facts_are_those_of_the_feeds(full, tmp_path):
    """But for the date on which they were made."""
    db("export-facts", full, tmp_path / "facts.zst")
    shipped, made = ([line for line in lines_of(path) if not line.startswith(b"built")]
                     for path in (STARTER, tmp_path / "facts.zst"))
    assert shipped == made


# --- killed, cut, damaged -----------------------------------------------------------------------

def small_feed(folder, number):
    folder.mkdir()
    for index in range(200):
        record = {"id": f"T-{number}-{index}", "modified": "2024-01-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "PyPI", "name": f"p{index}"},
             "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}
        (folder / f"{index}.json").write_text(json.dumps(record))
    return folder


def ids_in(store):
    with sqlite3.connect(f"file:{store}?immutable=1", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {name for (name,) in connection.execute("SELECT name FROM advisory")}


def test_killed_import_leaves_the_old_store_whole(tmp_path):
    """Killed at 40 moments of an import: the old or the new store, and the next import clears up."""
    folder = tmp_path / "stores"
    folder.mkdir()
    store = folder / "store.db"
    old, new = small_feed(tmp_path / "old", 1), small_feed(tmp_path / "new", 2)
    db("import", store, old)
    old_ids = ids_in(store)
    began = time.monotonic()
    db("import", folder / "other.db", new)
    lasts = time.monotonic() - began
    (folder / "other.db").unlink()
    choose = random.Random(1)
    killed = 0
    for _ in range(40):
        shutil.copy(store, tmp_path / "before.db")
        process = subprocess.Popen([scanner.binary(), "db", "import", "--db", store, new],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=scanner.environment())
        time.sleep(choose.uniform(0, lasts))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() != 0
        have = ids_in(store)
        assert have == old_ids or (len(have) == 200 and not have & old_ids)
        shutil.copy(tmp_path / "before.db", store)
    assert killed, "no import was killed in time"
    db("import", store, new)
    assert sorted(path.name for path in folder.iterdir()) == ["store.db"]


def test_two_imports_at_once_lose_nothing(tmp_path):
    """cases.md B52."""
    store = tmp_path / "store.db"
    feeds = []
    for number in range(4):
        feed = tmp_path / f"feed{number}"
        feed.mkdir()
        (feed / "a.json").write_text(json.dumps({
            "id": f"D-{number}", "modified": "2024-01-01T00:00:00Z",
            "affected": [{"package": {"ecosystem": f"Debian:{number}", "name": "p"}, "ranges": []}]}))
        feeds.append(feed)
    running = [subprocess.Popen([scanner.binary(), "db", "import", "--db", store, feed],
                                stdout=subprocess.DEVNULL, env=scanner.environment()) for feed in feeds]
    assert [process.wait(60) for process in running] == [0] * 4
    assert ids_in(store) == {f"D-{number}" for number in range(4)}


def test_cut_feed_changes_nothing(tmp_path):
    store = tmp_path / "store.db"
    db("import", store, small_feed(tmp_path / "old", 1))
    before = store.read_bytes()
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for index in range(50):
            out.writestr(f"{index}.json", json.dumps({"id": f"X-{index}", "modified": "2024-01-01T00:00:00Z"}))
    archive.write_bytes(archive.read_bytes()[:-30])
    done = db("import", store, archive, code=3)
    assert "all.zip" in done.stderr and "fetch it again" in done.stderr, done
    assert store.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zip", "old", "store.db"]


@pytest.mark.parametrize("text", [b"", b"not a store, and long enough to have a header of one hundred bytes of SQLite" * 3])
def test_what_is_no_store_says_what_to_do(tmp_path, text):
    store = tmp_path / "store.db"
    store.write_bytes(text)
    assert "db import" in db("status", store, code=3).stderr


def test_missing_store_says_what_to_do(tmp_path):
    """cases.md B50."""
    assert "db import" in db("status", tmp_path / "none.db", code=3).stderr
