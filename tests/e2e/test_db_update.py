"""`plimsoll db update` against an HTTPS server laid out like the publishers' buckets."""

import gzip
import io
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.parse
import zipfile

import pytest

import evidence as ev
import imagekit
import registrykit as kit
import scanner
from advisories import advisory, debian, pypi
from registrykit import Answer

EPSS = gzip.compress(b"#model_version:v2025.03.14,score_date:2026-08-21T00:00:00+0000\ncve,epss,percentile\n"
                     b"CVE-2024-0001,0.5,0.9\n")
KEV = json.dumps({"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.08.21",
                  "dateReleased": "2026-08-21T00:00:00Z", "count": 1, "vulnerabilities": [
                      {"cveID": "CVE-2024-0001", "vendorProject": "v", "product": "p", "vulnerabilityName": "n",
                       "dateAdded": "2026-08-21", "shortDescription": "d", "requiredAction": "a", "dueDate": "2026-09-01"}]}).encode()
FIRST = [pypi("CVE-2024-0001", "one", "2.0", "HIGH")]
SECOND = [*FIRST, pypi("CVE-2024-0002", "two", "2.0", "CRITICAL")]
DEBIAN = [debian("DEBIAN-CVE-2024-0003", "three", "2.0", "HIGH", upstream=["CVE-2024-0003"])]


def zip_of(records, junk=0):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for record in records:
            file.writestr(record["id"] + ".json", json.dumps(record))
        if junk:
            file.writestr("CVE-2024-9999.json", json.dumps(pypi("CVE-2024-9999", "junk", "2.0", details=os.urandom(junk).hex())))
    return out.getvalue()


class Bucket(kit.Server):
    """GET with ETag and Last-Modified, ranges, and 304."""

    def __init__(self, **more):
        self.files = {"/PyPI/all.zip": zip_of(FIRST), "/Debian/all.zip": zip_of(DEBIAN),
                      "/Ubuntu/all.zip": zip_of([advisory("UBUNTU-CVE-2024-0003", "Ubuntu:24.04:LTS", "three", "2.0")]),
                      "/epss_scores-current.csv.gz": EPSS, "/known_exploited_vulnerabilities.json": KEV}
        super().__init__(**more)

    def classify(self, request):
        request.phase = request.path

    def answer(self, request):
        data = self.files.get(urllib.parse.unquote(request.path))
        if data is None:
            return Answer(404)
        answer = kit.blob_answer(request, data)
        tag = answer.headers.get("ETag")
        if tag and request.headers.get("if-none-match") == tag:
            return Answer(304, {"ETag": tag})
        return answer


@pytest.fixture
def authority(tmp_path_factory):
    return kit.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def bucket(authority):
    with Bucket(tls=authority.server_context()) as server:
        yield server


@pytest.fixture
def update(tmp_path, authority):
    """update(server or base, *words) runs `db update` on a store in an empty folder."""
    def run(base, *words, **more):
        base = base.origin if isinstance(base, kit.Server) else base
        env = {"PLIMSOLL_TEST_BACKOFF_MS": "1", **more.pop("env", {})}
        return scanner.run("db", "update", "--db", tmp_path / "own/store.db", "--ca-cert", authority.certificate,
                           "--db-source", base, *words, env=env, **more)
    (tmp_path / "own").mkdir()
    run.store = tmp_path / "own/store.db"
    return run


def ids(store):
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        assert "advisory" in names
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    image = findings_of(store)
    return image


def findings_of(store, *args):
    """What a scan of packages one and two says with that store."""
    path = store.parent.parent / "image.tar"
    if not path.exists():
        layer = [*ev.base(), *ev.dist_info("one", "1.0"), *ev.dist_info("two", "1.0")]
        imagekit.write_archive(path, imagekit.files_docker_old(imagekit.image_of(layer)))
    return scanner.scan(path, *args, db=store)


def left_over(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != "store.db")


def test_first_then_nothing_new_then_changed(bucket, update):
    first = update(bucket, "PyPI", "Debian", "epss", "kev")
    assert first.code == 0, first
    assert ids(update.store).ids() == {"CVE-2024-0001"}
    assert left_over(update.store.parent) == []
    again = update(bucket, "PyPI", "Debian", "epss", "kev")
    assert again.code == 0 and again.stdout.count("nothing new") == 4, again
    assert all(r.headers.get("if-none-match") for r in bucket.requests()[4:])
    bucket.files["/PyPI/all.zip"] = zip_of(SECOND)
    third = update(bucket, "PyPI", "Debian")
    assert third.code == 0 and third.stdout.count("nothing new") == 1, third
    assert ids(update.store).ids() == {"CVE-2024-0001", "CVE-2024-0002"}


def test_what_is_fetched_by_default(bucket, update):
    result = update(bucket)
    assert {r.path for r in bucket.requests()} == set(bucket.files), result
    assert findings_of(update.store).finding("CVE-2024-0001")["kev"], "KEV is in the store"


def test_a_store_that_is_gone_is_fetched_anew(bucket, update):
    """B50: what is known of the last time lies in the store itself."""
    assert update(bucket, "PyPI").code == 0
    update.store.unlink()
    assert update(bucket, "PyPI").code == 0
    assert ids(update.store).ids() == {"CVE-2024-0001"}


def test_an_import_by_hand_forgets_what_was_fetched(bucket, update, tmp_path):
    assert update(bucket, "PyPI").code == 0
    (tmp_path / "all.zip").write_bytes(zip_of([pypi("CVE-2024-0007", "one", "2.0")]))
    assert scanner.run("db", "import", "--db", update.store, tmp_path / "all.zip").code == 0
    assert update(bucket, "PyPI").code == 0
    assert ids(update.store).ids() == {"CVE-2024-0001"}


PASSING = {
    "429 with Retry-After": kit.instead(429, b"slow down", Retry_After="1"), "503": kit.instead(503), "500": kit.instead(500),
    "cut": kit.cut(0.5), "reset": kit.cut(0.5, reset=True), "hangs up": kit.hang_up,
}


@pytest.mark.parametrize("fault", PASSING)
def test_faults_that_pass(bucket, update, fault):
    bucket.files["/PyPI/all.zip"] = zip_of(FIRST, junk=200_000)
    bucket.misbehave("", PASSING[fault], times=2)
    result = update(bucket, "PyPI")
    assert result.code == 0, result
    assert ids(update.store).ids() == {"CVE-2024-0001"}


def test_a_broken_transfer_goes_on_where_it_broke(bucket, update):
    bucket.files["/PyPI/all.zip"] = zip_of(FIRST, junk=200_000)
    bucket.misbehave("", kit.cut(0.5), times=1)
    assert update(bucket, "PyPI").code == 0
    assert [bool(r.headers.get("range")) for r in bucket.requests()] == [False, True]


LASTING = {
    "429 for long": (kit.instead(429, b"TOOMANYREQUESTS", Retry_After="86400"), "429"), "503": (kit.instead(503), "503"),
    "404": (kit.instead(404), "404"), "a page": (kit.instead(200, b"<html>please log in</html>", Content_Type="text/html"), "PyPI"),
    "half a zip": (kit.body_changed(lambda data: data[:len(data) // 2]), "PyPI"), "empty": (kit.instead(200), "PyPI"),
    "another feed's bytes": (kit.instead(200, b"{}"), "PyPI"), "hangs up": (kit.hang_up, "broke"),
}


@pytest.mark.parametrize("fault", LASTING)
def test_faults_that_last_leave_the_store(bucket, update, fault):
    """B49, B51: exit 3 with the reason; the store at hand is as it was; what else was fetched counts."""
    assert update(bucket, "PyPI").code == 0
    act, word = LASTING[fault]
    bucket.files["/PyPI/all.zip"] = zip_of(SECOND)
    bucket.misbehave("/PyPI/all.zip", act)
    result = update(bucket, "PyPI", "kev")
    assert result.code == 3 and word in result.stderr and "PyPI" in result.stderr, result
    assert "kev: updated" in result.stdout, result
    assert ids(update.store).ids() == {"CVE-2024-0001"}
    assert left_over(update.store.parent) == []


def test_no_store_is_made_of_nothing(bucket, update):
    bucket.misbehave("", kit.instead(503))
    result = update(bucket, "PyPI")
    assert result.code == 3 and not update.store.exists(), result


def test_certificate_that_is_not_trusted(bucket, update, tmp_path):
    other = kit.Authority(tmp_path / "other")
    result = scanner.run("db", "update", "--db", update.store, "--ca-cert", other.certificate, "--db-source", bucket.origin,
                         "PyPI", env={"SSL_CERT_DIR": str(tmp_path)})
    assert result.code == 3 and "certificate" in result.stderr, result
    result = scanner.run("db", "update", "--db", update.store, "--insecure", "--db-source", bucket.origin, "PyPI")
    assert result.code == 0, result


def test_name_that_does_not_resolve(update):
    result = update("https://no-such-host.invalid", "PyPI")
    assert result.code == 3 and "does not resolve" in result.stderr, result


def test_http_is_not_good_enough(update):
    result = update("http://mirror.example", "PyPI")
    assert result.code == 2 and "not secure" in result.stderr, result


def test_words(update):
    result = update("https://127.0.0.1:1", "Perl")
    assert result.code == 2 and "PyPI" in result.stderr and "epss" in result.stderr, result


def test_mirrors_in_their_order(bucket, update, authority):
    with Bucket(tls=authority.server_context()) as broken:
        broken.misbehave("", kit.instead(429, b"TOOMANYREQUESTS", Retry_After="86400"))
        result = update(f"{broken.origin},{bucket.origin}", "PyPI")
    assert result.code == 0 and bucket.host in result.stdout, result
    assert len(broken.requests()) >= 1


@pytest.mark.parametrize("dress", ["{}", "file://{}"])
def test_a_folder(update, tmp_path, dress):
    mirror = tmp_path / "mirror"
    for name, data in (("PyPI/all.zip", zip_of(FIRST)), ("known_exploited_vulnerabilities.json", KEV)):
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).write_bytes(data)
    base = dress.format(mirror)
    assert update(base, "PyPI", "kev").code == 0
    again = update(base, "PyPI", "kev")
    assert again.stdout.count("nothing new") == 2, again
    (mirror / "PyPI/all.zip").write_bytes(zip_of(SECOND))
    assert update(base, "PyPI").code == 0
    assert ids(update.store).ids() == {"CVE-2024-0001", "CVE-2024-0002"}
    assert update(base, "Debian").code == 3


def test_two_at_once(bucket, update):
    results = []
    runs = [threading.Thread(target=lambda word=word: results.append(update(bucket, word))) for word in ("PyPI", "Debian") * 2]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [r.code for r in results] == [0] * 4, results
    assert ids(update.store).ids() == {"CVE-2024-0001"}
    assert left_over(update.store.parent) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_midway(bucket, update, authority, number):
    """The old store or the new one; Ctrl-C leaves nothing behind, SIGKILL what the next run clears."""
    assert update(bucket, "PyPI").code == 0
    before = update.store.read_bytes()
    bucket.files["/PyPI/all.zip"] = zip_of(SECOND, junk=400_000)
    bucket.misbehave("", kit.stall(after=100_000))
    child = subprocess.Popen([scanner.binary(), "db", "update", "--db", update.store, "--ca-cert", authority.certificate,
                              "--db-source", bucket.origin, "PyPI"], env=scanner.environment(),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for _ in range(200):
        if left_over(update.store.parent) and len(bucket.requests()) > 1:
            break
        time.sleep(0.02)
    time.sleep(0.1)
    child.send_signal(number)
    code = child.wait(timeout=10)
    assert code == (-9 if number == signal.SIGKILL else 128 + number)
    assert update.store.read_bytes() == before
    assert bool(left_over(update.store.parent)) == (number == signal.SIGKILL)
    bucket.faults.clear()
    assert update(bucket, "PyPI").code == 0
    assert left_over(update.store.parent) == []
    assert ids(update.store).ids() == {"CVE-2024-0001", "CVE-2024-0002"}


def built_on(store, date):
    with sqlite3.connect(store) as database:
        database.execute("UPDATE meta SET value = ? WHERE name = 'built'", (date,))
        database.execute("UPDATE feed SET imported = ?", (date,))
        database.execute("UPDATE fetched SET checked = ?", (date,))


def test_max_age(bucket, update):
    assert update(bucket, "PyPI").code == 0
    assert findings_of(update.store, "--db-max-age", "5d").code == 0
    built_on(update.store, "2020-01-01T00:00:00Z")
    old = findings_of(update.store, "--db-max-age", "5d")
    assert old.code == 3 and "db update" in old.stderr and old.ids() == {"CVE-2024-0001"}, old
    assert findings_of(update.store, "--db-max-age", "5d", "--fail-on", "high").code == 3
    assert findings_of(update.store).code == 0
    # Nothing new: then it is as the publisher has it today.
    assert update(bucket, "PyPI").code == 0
    assert findings_of(update.store, "--db-max-age", "5d").code == 0


def test_max_age_is_that_of_the_feed_that_judges(bucket, update):
    assert update(bucket, "PyPI").code == 0
    built_on(update.store, "2020-01-01T00:00:00Z")
    assert update(bucket, "kev").code == 0
    assert findings_of(update.store, "--db-max-age", "5d").code == 3


@pytest.mark.parametrize("age", ["", "5", "d", "0d", "-1d", "5y", "5 d"])
def test_ages_that_are_none(update, age):
    result = findings_of(update.store, "--db-max-age", age)
    assert result.code == 2, result
