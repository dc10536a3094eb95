"""`db update` against servers laid out like the publishers' buckets: what changed, what is refused, what is left behind;
mirrors, kills at any moment, and the age of the store. test_db_update.py has the plain ways."""

import gzip
import hashlib
import io
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import time
import urllib.parse
import zipfile

import pytest

import advisories
import evidence as ev
import imagekit
import registrykit as kit
import scanner
from registrykit import Answer, cut, instead, stall

EPSS, KEV = "epss_scores-current.csv.gz", "known_exploited_vulnerabilities.json"
PUBLISHERS = {"storage.googleapis.com": "/osv-vulnerabilities/", "epss.empiricalsecurity.com": "/",
              "www.cisa.gov": "/sites/default/files/feeds/"}
OLD = "Wed, 01 Jan 2025 00:00:00 GMT"
# What a feed of one line each holds, by the ecosystem's name.
DEFAULT = ("Debian", "Ubuntu", "PyPI")


# -- feeds ------------------------------------------------------------------------------------------

def zip_of(records, padding=0):
    """all.zip; with so many bytes that do not compress in the first entry."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, record in enumerate(records):
            details = random.Random(number).randbytes(padding // 2).hex() if padding and number == 0 else "more"
            archive.writestr(f"{record['id']}.json", json.dumps({**record, "details": details}))
    return out.getvalue()


def osv(ecosystem, *idents, padding=0):
    release = {"Debian": ":12", "Ubuntu": ":22.04:LTS"}.get(ecosystem, "")
    return zip_of([advisories.advisory(ident, ecosystem + release, "thing", "2.0", "HIGH") for ident in idents], padding)


def epss(score=0.5, date="2026-01-01"):
    return gzip.compress(f"#model_version:v2025.03.14,score_date:{date}T00:00:00+0000\ncve,epss,percentile\n"
                         f"CVE-2024-0001,{score},0.9\n".encode(), mtime=0)


def kev(*cves):
    return json.dumps({"title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.01.01",
                       "dateReleased": "2026-01-01T00:00:00.0Z", "count": len(cves), "vulnerabilities": [
                           {"cveID": cve, "dateAdded": "2024-06-01"} for cve in cves]}).encode()


def standard():
    """The paths of a whole mirror, with what lies there."""
    return {**{f"{name}/all.zip": osv(name, f"{name}-1") for name in DEFAULT},
            EPSS: epss(), KEV: kev("CVE-2024-0001")}


# -- servers ----------------------------------------------------------------------------------------

class Bucket(kit.Server):
    """Files at paths, as object stores hand them out: ETag, Last-Modified, 304, ranges."""

    def __init__(self, files, prefix="/", **more):
        self.files, self.prefix, self.etags = dict(files), prefix, True
        super().__init__(**more)

    def classify(self, request):
        request.reference = urllib.parse.unquote(request.path).removeprefix(self.prefix)
        request.phase = "feed"

    def answer(self, request):
        data = self.files.get(request.reference)
        if data is None:
            return Answer(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        headers = {"Last-Modified": OLD, "Accept-Ranges": "bytes", **({"ETag": etag} if self.etags else {})}
        none_match = request.headers.get("if-none-match")
        if none_match == etag or (not none_match and request.headers.get("if-modified-since") == OLD):
            return Answer(304, headers)
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if asked and request.headers.get("if-range", etag) == etag:
            start = int(asked[1])
            return Answer(206, {**headers, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}, data[start:])
        return Answer(200, headers, data)

    def asked(self):
        return [r.reference for r in self.requests("feed")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return kit.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def home(tmp_path):
    return kit.Home(tmp_path / "home")


@pytest.fixture
def serve(authority):
    """serve(files) gives an HTTPS server of them."""
    running = []

    def make(files=None, **more):
        running.append(Bucket(standard() if files is None else files, tls=more.pop("tls", authority.server_context()), **more))
        return running[-1]
    yield make
    for server in running:
        server.close()


class Place:
    """A store in a folder of its own, and how it is updated."""

    def __init__(self, folder, authority, home):
        self.folder, self.store, self.authority, self.home = folder, folder / "store.db", authority, home
        folder.mkdir(parents=True, exist_ok=True)

    def command(self, *words, sources=()):
        named = [word for source in sources for word in ("--db-source", getattr(source, "origin", str(source)))]
        return ["db", "update", "--db", str(self.store), "--ca-cert", str(self.authority.certificate), *named, *words]

    def update(self, *words, sources=(), code=0, env=None, **more):
        done = scanner.run(*self.command(*words, sources=sources), env=self.home.environment(env), **more)
        assert done.code == code, done
        assert code != 3 or done.stderr.strip(), "exit 3 without a word"
        assert self.leftovers() == [], "files are left beside the store"
        return done

    def start(self, *words, sources=()):
        return subprocess.Popen([scanner.binary(), *self.command(*words, sources=sources)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=scanner.environment(self.home.environment()))

    def leftovers(self):
        return sorted(path.name for path in self.folder.iterdir() if path != self.store)

    def status(self):
        done = scanner.run("db", "status", "--db", self.store, "-f", "json")
        assert done.code == 0, done
        return {feed["ecosystem"]: feed for feed in json.loads(done.stdout)["feeds"]}

    def ids(self):
        with sqlite3.connect(f"file:{self.store}?immutable=1", uri=True) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return {name for (name,) in connection.execute("SELECT name FROM advisory")}

    def run_sql(self, sql):
        with sqlite3.connect(self.store) as connection:
            connection.execute(sql)


@pytest.fixture
def place(tmp_path, authority, home):
    return Place(tmp_path / "place", authority, home)


def failed(done):
    """The feeds that are said to have failed."""
    return re.findall(r"(?m)^plimsoll: ([\w :.]+) is not updated: ", done.stderr)


def became(done):
    """{feed: what became of it}, of those that have not failed."""
    return dict(re.findall(r"(?m)^([\w :.]+): ([\w ]+?)(?: \(.*\))?$", done.stdout))


NOTHING_NEW = dict.fromkeys(("Debian", "Ubuntu", "PyPI", "epss", "kev"), "nothing new")
EACH = list(NOTHING_NEW)
ALL = {"Debian-1", "Ubuntu-1", "PyPI-1"}


# -- what changed -----------------------------------------------------------------------------------

def test_first_fetch(place, serve):
    server = serve()
    done = place.update(sources=[server])
    assert place.ids() == ALL
    assert set(place.status()) == {"Debian:12", "Ubuntu:22.04:LTS", "PyPI", "epss", "kev"}
    assert sorted(server.asked()) == sorted(standard())
    assert became(done) == dict.fromkeys(EACH, "updated") and done.stderr == ""
    assert place.status()["Debian:12"]["source"] == "Debian/all.zip"
    assert all(feed["checked"] == feed["imported"] for feed in place.status().values())


def test_nothing_new(place, serve):
    server = serve()
    place.update(sources=[server])
    place.run_sql("UPDATE fetched SET checked = '2020-01-01T00:00:00Z'")
    place.run_sql("UPDATE meta SET value = '2020-01-01T00:00:00Z' WHERE name = 'built'")
    before = place.status()
    server.log.clear()
    done = place.update(sources=[server])
    assert became(done) == NOTHING_NEW
    assert all(r.headers["if-none-match"] and r.headers["if-modified-since"] == OLD for r in server.requests())
    after = place.status()
    for name, feed in after.items():
        assert feed["imported"] == before[name]["imported"]
        assert feed["checked"] > before[name]["checked"], "that it was looked at is not written down"
    assert json.loads(scanner.run("db", "status", "--db", place.store, "-f", "json").stdout)["built"] > "2020-01-02"


def test_only_what_changed(place, serve):
    server = serve()
    place.update(sources=[server])
    server.files["PyPI/all.zip"] = osv("PyPI", "PyPI-2")
    done = place.update(sources=[server])
    assert became(done) == {**NOTHING_NEW, "PyPI": "updated"}
    assert place.ids() == (ALL - {"PyPI-1"}) | {"PyPI-2"}
    assert became(place.update(sources=[server])) == NOTHING_NEW


def test_without_etag(place, serve):
    """Last-Modified alone does as well."""
    server = serve()
    server.etags = False
    place.update(sources=[server])
    assert "nothing new" in place.update("PyPI", sources=[server]).stdout
    assert "if-none-match" not in server.requests()[-1].headers


def test_an_import_by_hand_is_no_longer_what_was_fetched(place, serve, tmp_path):
    server = serve()
    place.update(sources=[server])
    (tmp_path / "PyPI").mkdir()
    (tmp_path / "PyPI" / "all.zip").write_bytes(osv("PyPI", "PyPI-0"))
    assert scanner.run("db", "import", "--db", place.store, tmp_path / "PyPI").code == 0
    assert "PyPI-0" in place.ids() and place.status()["PyPI"]["checked"] is None
    done = place.update(sources=[server])
    assert place.ids() == ALL and became(done) == {**NOTHING_NEW, "PyPI": "updated"}


def test_store_gone(place, serve):
    """What was fetched is written down in the store alone: without it all comes anew."""
    server = serve()
    place.update(sources=[server])
    place.store.unlink()
    place.update(sources=[server])
    assert place.ids() == ALL
    place.store.write_bytes(b"")
    place.update(sources=[server])
    assert place.ids() == ALL


def test_store_of_an_earlier_version(place, serve):
    """Without the table that says where feeds are from."""
    server = serve()
    place.update(sources=[server])
    place.run_sql("DROP TABLE fetched")
    assert place.status()["PyPI"]["checked"] is None
    place.update(sources=[server])
    assert place.status()["PyPI"]["checked"]


def test_another_mirror_is_another_feed(place, serve):
    """An ETag means something to the server that gave it only."""
    first, second = serve(), serve({**standard(), "PyPI/all.zip": osv("PyPI", "PyPI-9")})
    place.update(sources=[first])
    place.update(sources=[second])
    assert all("if-none-match" not in r.headers for r in second.requests())
    assert "PyPI-9" in place.ids()


# -- which feeds ------------------------------------------------------------------------------------

def test_named_feeds(place, serve):
    server = serve({**standard(), "Rocky Linux/all.zip": zip_of([advisories.advisory("RLSA-1", "Rocky Linux:9", "a", "1")]),
                    "crates.io/all.zip": osv("crates.io", "RUSTSEC-1"), "Debian:12/all.zip": osv("Debian", "D-12")})
    place.update("pypi", "rocky linux", "CRATES.IO", "kev", "PyPI", "debian:12", sources=[server])
    assert [r.target for r in server.requests()] == ["/PyPI/all.zip", "/Rocky%20Linux/all.zip", "/crates.io/all.zip", "/" + KEV,
                                                     "/Debian%3A12/all.zip"]
    assert set(place.status()) == {"PyPI", "Rocky Linux:9", "crates.io", "kev", "Debian:12"}


@pytest.mark.parametrize("word", ["PyPy", "", "Debian:../../x", "epss:1", "Debian:"])
def test_unknown_feed(place, word):
    done = place.update(word, code=2)
    assert "Debian, Ubuntu, PyPI, epss, kev" in done.stderr and "Rocky Linux" in done.stderr


def test_a_mirror_need_not_have_all(place, serve):
    """What nobody named, and the store has nothing of, may be missing; nothing grows old by it."""
    server = serve({"PyPI/all.zip": osv("PyPI", "PyPI-1")})
    done = place.update(sources=[server])
    assert became(done) == {name: "updated" if name == "PyPI" else "neither in the mirror nor in the store" for name in EACH}
    assert "status 404" in place.update("Debian", sources=[server], code=3).stderr
    server.files = {"Debian/all.zip": osv("Debian", "D-1")}
    assert failed(place.update(sources=[server], code=3)) == ["PyPI"], "the store has it, and it would grow old"
    server.files = {}
    assert failed(place.update(sources=[server], code=3)) == EACH


def test_the_list_is_what_the_documents_say(place):
    """The default feeds of the table, of --help and of docs/store.md."""
    asked = failed(place.update(sources=[place.folder / "none"], code=3))
    assert ", ".join(asked) in " ".join(scanner.run("db", "update", "--help").stdout.split())
    document = (scanner.REPO / "docs" / "store.md").read_text()
    rows = re.findall(r"(?m)^\| ([^|]+) \| (https://[^|]+) \| `([^|]+)` \| (yes|when named) \|$", document)
    assert {name.strip() for names, _, _, when in rows if when == "yes" for name in names.split(",")} == set(asked)
    assert {urllib.parse.urlsplit(address.split()[0]).hostname for _, address, _, _ in rows} == set(PUBLISHERS)


class Everywhere(kit.Proxy):
    """A proxy that leads every CONNECT to one server, and writes down where it was to go."""

    def __init__(self, server):
        self.server_port, self.targets = server.port, []
        super().__init__()

    def _one(self, connection):
        request = connection.read_request()
        self.targets.append(request.target)
        with kit.socket.create_connection(("127.0.0.1", self.server_port)) as other:
            connection.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._pump(connection.sock, other)
        raise kit.Gone


def test_the_publishers_themselves(place, serve, authority):
    """Without --db-source, by a proxy from the environment that leads all of them here."""
    files = standard()
    places = {f"osv-vulnerabilities/{name}": data for name, data in files.items() if "/" in name}
    places |= {EPSS: files[EPSS], f"sites/default/files/feeds/{KEV}": files[KEV]}
    names = ",".join(f"DNS:{host}" for host in PUBLISHERS)
    server = serve(places, tls=authority.server_context(names))
    with Everywhere(server) as proxy:
        place.update(env={"HTTPS_PROXY": proxy.origin})
        assert set(proxy.targets) == {f"{host}:443" for host in PUBLISHERS}
    assert {(r.host, r.path.removesuffix(r.reference.rpartition("/")[2])) for r in server.requests()} >= {
        ("www.cisa.gov", "/sites/default/files/feeds/"), ("epss.empiricalsecurity.com", "/")}
    assert place.ids() == ALL


# -- servers that are busy, gone, broken --------------------------------------------------------------

def test_retry_after(place, serve):
    """429 with Retry-After: so long is waited, then it goes on."""
    server = serve().misbehave("feed", instead(429, Retry_After="2"), times=1)
    begin = time.monotonic()
    place.update("PyPI", sources=[server])
    assert time.monotonic() - begin >= 2
    assert server.asked() == ["PyPI/all.zip"] * 2 and "PyPI-1" in place.ids()


def test_retry_after_too_long(place, serve):
    """An hour is not waited for, and nothing is asked for twice."""
    server = serve()
    place.update(sources=[server])
    server.log.clear()
    server.misbehave("feed", instead(429, Retry_After="3600"))
    done = place.update(sources=[server], code=3)
    assert "429" in done.stderr and failed(done) == EACH
    assert len(server.requests()) == 5
    assert place.ids() == ALL


def test_busy_for_ever(place, serve):
    server = serve().misbehave("feed", instead(503))
    done = place.update(sources=[server], code=3)
    assert "503" in done.stderr and len(server.requests()) == 6 + 4, "the others are asked for once"
    assert not place.store.exists()


def test_one_feed_fails(place, serve):
    """The others go in; the store has the old one of that."""
    server = serve()
    place.update(sources=[server])
    server.files |= {"PyPI/all.zip": osv("PyPI", "PyPI-2"), "Debian/all.zip": osv("Debian", "Debian-2")}
    server.misbehave("feed", instead(403, b"no"), only=lambda r: r.reference == "Debian/all.zip")
    done = place.update(sources=[server], code=3)
    assert failed(done) == ["Debian"] and "Debian/all.zip" in done.stderr and "403" in done.stderr
    assert place.ids() == {"Debian-1", "Ubuntu-1", "PyPI-2"}
    assert became(place.update(sources=[server], code=3)) == {k: v for k, v in NOTHING_NEW.items() if k != "Debian"}


@pytest.mark.parametrize("reset", [False, True])
def test_cut_transfer_goes_on(place, serve, reset):
    server = serve({"PyPI/all.zip": osv("PyPI", "PyPI-1", padding=1 << 20)})
    server.misbehave("feed", cut(0.4, reset), times=3)
    place.update("PyPI", sources=[server])
    assert place.ids() == {"PyPI-1"}
    assert sum("range" in r.headers for r in server.requests()) == 3


def test_cut_transfer_of_the_first_of_two_mirrors(place, serve):
    """The first goes on as long as it gets on; the second is not asked."""
    first, second = serve({"PyPI/all.zip": osv("PyPI", "PyPI-1", padding=1 << 20)}), serve()
    first.misbehave("feed", cut(0.4), times=2)
    place.update("PyPI", sources=[first, second])
    assert [r.headers.get("range", "")[:6] for r in first.requests()] == ["", "bytes=", "bytes="]
    assert not second.requests()


@pytest.mark.parametrize("mirrors", [1, 2])
@pytest.mark.parametrize("etags", [True, False])
def test_changed_while_it_was_fetched(place, serve, mirrors, etags):
    """The two halves are not of one feed: it is begun anew."""
    server = serve({"PyPI/all.zip": osv("PyPI", "PyPI-1", padding=1 << 20)})
    server.etags = etags

    def fault(connection, request, answer):
        server.files["PyPI/all.zip"] = osv("PyPI", "PyPI-2", padding=(1 << 20) + 2000)
        return cut(0.5)(connection, request, answer)
    server.misbehave("feed", fault, times=1)
    # Without ETags a server cannot tell: the whole is then refused, or had from the next mirror.
    done = scanner.run(*place.command("PyPI", sources=[server] * mirrors), env=place.home.environment())
    if etags:
        assert done.code == 0, done
    if done.code == 0:
        assert place.ids() == {"PyPI-2"}
    else:
        assert done.code == 3 and not place.store.exists()


WRONG = {
    "page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is no zip file: it begins"),
    "empty": (b"", "is no zip file"),
    "cut zip": (osv("PyPI", *(f"PyPI-{n}" for n in range(50)))[:-100], "not a whole zip file"),
    "damaged zip": (kit.flip(osv("PyPI", "PyPI-7", padding=4000)), "PyPI-7.json"),
    "one damaged entry": (kit.flip(osv("PyPI", "PyPI-8", "PyPI-7", padding=4000)), "PyPI-8.json"),
    "another ecosystem": (osv("npm", "npm-1"), "holds nothing of PyPI"),
    "one advisory": (json.dumps(advisories.pypi("PyPI-9", "a")).encode(), "is no zip file"),
    "scores": (epss(), "is no zip file"),
    "zip of nothing": (zip_of([]), "PyPI/all.zip"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_content(place, serve, what):
    """A 200 that is not the feed: the store keeps the old one, the others go in."""
    body, why = WRONG[what]
    server = serve()
    place.update(sources=[server])
    server.files |= {"PyPI/all.zip": body, "Ubuntu/all.zip": osv("Ubuntu", "Ubuntu-2")}
    done = place.update(sources=[server], code=3)
    assert failed(done) == ["PyPI"] and why in done.stderr and server.host in done.stderr
    assert place.ids() == {"Debian-1", "Ubuntu-2", "PyPI-1"}
    server.files["PyPI/all.zip"] = osv("PyPI", "PyPI-2")
    assert became(place.update(sources=[server]))["PyPI"] == "updated"


@pytest.mark.parametrize("path, body", [(EPSS, epss()[:-9]), (EPSS, kev("CVE-2024-1")), (EPSS, b"{}"), (KEV, epss()),
                                        (KEV, kev("CVE-2024-0002")[:-20]), (KEV, b"{}"), (KEV, kev())])
def test_wrong_scores_and_catalogues(place, serve, path, body):
    server = serve()
    place.update(sources=[server])
    server.files[path] = body
    done = place.update(sources=[server], code=3)
    assert failed(done) == ["epss" if path == EPSS else "kev"] and path in done.stderr
    assert place.status()["kev"]["entries"] == place.status()["epss"]["entries"] == 1


def test_less_than_announced(place, serve):
    def fault(connection, request, answer):
        connection.write(kit.replace(answer, status=200).head(Content_Length=100000) + answer.body)
        return False
    server = serve().misbehave("feed", fault)
    done = place.update("PyPI", sources=[server], code=3)
    assert "broke after" in done.stderr


def test_time_limit(place, serve):
    """--timeout ends it, whatever the server does: the old store, nothing left behind."""
    server = serve()
    place.update("PyPI", sources=[server])
    server.misbehave("feed", stall(30))
    begin = time.monotonic()
    done = place.update("--timeout", "1s", sources=[server], code=3)
    assert "--timeout" in done.stderr and time.monotonic() - begin < 10
    assert place.ids() == {"PyPI-1"}


def test_certificate_not_trusted(place, tmp_path, serve):
    server = serve(tls=kit.Authority(tmp_path / "other").server_context())
    done = place.update(sources=[server], code=3)
    assert "certificate is not trusted" in done.stderr and not server.requests()
    place.update("--insecure", sources=[server])
    assert place.ids() == ALL


def test_name_does_not_resolve(place, serve):
    """B51: non-zero and the reason; a scan goes on with the store at hand."""
    place.update(sources=[serve()])
    done = place.update(sources=["https://mirror.invalid/osv"], code=3)
    assert "does not resolve" in done.stderr and "nothing new" not in done.stdout and "mirror.invalid" in done.stderr
    assert place.ids() == ALL


def test_redirects(place, serve):
    """To another host over https: followed. To http: not."""
    server, other = serve(), serve()
    server.misbehave("feed", kit.redirect(lambda r: other.origin + r.target))
    place.update(sources=[server])
    assert place.ids() == ALL
    place.store.unlink()
    server.faults.clear()
    server.misbehave("feed", kit.redirect(lambda r: f"http://{other.host}{r.target}"))
    assert "not secure" in place.update("PyPI", sources=[server], code=3).stderr


def test_credentials_are_not_told(place, serve):
    """A mirror with user and password in its address: neither shown nor kept."""
    server = serve()
    source = server.origin.replace("https://", "https://user:hidden-word@")
    place.update("PyPI", sources=[source])
    assert server.requests()[0].basic() == ("user", "hidden-word")
    assert b"hidden-word" not in place.store.read_bytes()
    assert "nothing new" in place.update("PyPI", sources=[source]).stdout
    server.misbehave("feed", instead(403))
    done = place.update("PyPI", "--verbose", sources=[source], code=3)
    assert "hidden-word" not in done.stderr + done.stdout


# -- several places ---------------------------------------------------------------------------------

@pytest.mark.parametrize("fault", [instead(429, Retry_After="60"), instead(503), instead(404), kit.hang_up,
                                   instead(200, b"<html>")], ids=["429", "503", "404", "hangs up", "page"])
def test_next_mirror(place, serve, fault):
    """B49: the next one is asked, at once."""
    busy, good = serve().misbehave("feed", fault), serve()
    begin = time.monotonic()
    place.update(sources=[f"{busy.origin},{good.origin}"])
    assert time.monotonic() - begin < 10
    assert place.ids() == ALL
    assert set(good.asked()) == set(standard())


def test_all_mirrors_fail(place, serve):
    place.update(sources=[serve()])
    first, second = (serve().misbehave("feed", instead(429, Retry_After="600")) for _ in range(2))
    done = place.update(sources=[first, second], code=3)
    assert first.host in done.stderr and second.host in done.stderr
    assert len(first.requests()) == len(second.requests()) == 5
    assert place.ids() == ALL


def test_source_from_the_environment(place, serve):
    first, second = serve(), serve()
    place.update("PyPI", env={"PLIMSOLL_DB_SOURCE": first.origin})
    place.update("PyPI", env={"PLIMSOLL_DB_SOURCE": first.origin}, sources=[second])
    assert len(first.requests()) == len(second.requests()) == 1


# -- folders ----------------------------------------------------------------------------------------

def write_mirror(folder, files):
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.mark.parametrize("form", [str, "{}/".format, "file://{}".format, lambda path: path.as_uri()],
                         ids=["path", "with a slash", "URL", "URL with escapes"])
def test_folder(place, tmp_path, form):
    mirror = write_mirror(tmp_path / "a mirror", standard())
    source = form(mirror)
    place.update(sources=[source])
    assert place.ids() == ALL
    assert became(place.update(sources=[source])) == NOTHING_NEW
    (mirror / "PyPI" / "all.zip").write_bytes(osv("PyPI", "PyPI-2", "PyPI-3"))
    assert became(place.update(sources=[source]))["PyPI"] == "updated" and place.status()["PyPI"]["entries"] == 2


def test_folder_then_server(place, serve, tmp_path):
    mirror = write_mirror(tmp_path / "mirror", {"PyPI/all.zip": osv("PyPI", "PyPI-5")})
    place.update(sources=[mirror, serve()])
    assert place.ids() == {"Debian-1", "Ubuntu-1", "PyPI-5"}


@pytest.mark.parametrize("source", ["ftp://a/b", "s3://bucket", "http://mirror.example", "http://127.0.0.1.example", "file://host/x",
                                    "http://example.com?@127.0.0.1", "https://127.0.0.1:1/feeds?key=word", ""])
def test_no_such_place(place, source):
    assert "--db-source" in place.update("--db-source=" + source, code=2).stderr


def test_plain_http(place, serve):
    """From this machine, or with --insecure."""
    server = serve(tls=None)
    place.update(sources=[server])
    assert place.ids() == ALL


# -- at the same time, killed, elsewhere ----------------------------------------------------------------

def test_two_at_once(place, serve):
    """The second waits, says so, and finds nothing new."""
    server = serve()
    server.misbehave("feed", lambda connection, request, answer: connection.wait(1.5) or kit.plain(connection, request, answer), times=1)
    first = place.start(sources=[server])
    while not server.requests():
        time.sleep(0.01)
    second = place.update(sources=[server])
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert "another update of this store is under way" in second.stderr and "nothing new" in second.stdout
    assert place.ids() == ALL


def test_one_is_killed_while_another_waits(place, serve):
    server = serve().misbehave("feed", stall(10), times=1)
    first = place.start("PyPI", sources=[server])
    while not server.requests():
        time.sleep(0.01)
    second = place.start("PyPI", sources=[server])
    time.sleep(0.3)
    assert second.poll() is None
    first.kill()
    first.communicate()
    second.communicate(timeout=60)
    assert second.returncode == 0 and place.ids() == {"PyPI-1"}
    assert place.leftovers() == []


def start_and_hold(place, server):
    """An update that has heard that PyPI has not changed, and waits for its second feed."""
    place.update("PyPI", "kev", sources=[server])
    server.log.clear()
    server.misbehave("feed", lambda connection, request, answer: connection.wait(1.5) or kit.plain(connection, request, answer),
                     times=1, only=lambda request: request.reference == KEV)
    process = place.start("PyPI", "kev", sources=[server])
    while len(server.requests()) < 2:
        time.sleep(0.01)
    return process


def test_an_import_by_hand_in_between(place, serve, tmp_path):
    """What was unchanged is no longer in the store: it is fetched, not taken for what the publisher has."""
    server = serve()
    process = start_and_hold(place, server)
    write_mirror(tmp_path, {"PyPI/all.zip": osv("PyPI", "PyPI-0")})
    assert scanner.run("db", "import", "--db", place.store, tmp_path / "PyPI").code == 0
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert b"PyPI: updated" in out and b"kev: nothing new" in out and place.ids() == {"PyPI-1"}
    assert "nothing new" in place.update("PyPI", sources=[server]).stdout


@pytest.mark.parametrize("fails", [False, True])
def test_a_store_that_is_removed_in_between(place, serve, fails):
    """B50: never a store of nothing that counts as being new."""
    server = serve()
    process = start_and_hold(place, server)
    place.store.unlink()
    if fails:
        server.misbehave("feed", instead(403))
    out, err = process.communicate(timeout=60)
    assert process.returncode == (3 if fails else 0), err
    assert place.leftovers() == [] and place.store.exists() != fails
    server.faults.clear()
    place.update("PyPI", "kev", sources=[server])
    assert place.ids() == {"PyPI-1"} and set(place.status()) == {"PyPI", "kev"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_while_fetching(place, serve, number):
    """Old store, whole; what is left goes with the next one."""
    server = serve({**standard(), "PyPI/all.zip": osv("PyPI", "PyPI-1", padding=1 << 18)})
    place.update("Debian", sources=[server])
    server.misbehave("feed", stall(0.5), times=1)
    process = place.start(sources=[server])
    while len(server.requests()) < 2:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert place.ids() == {"Debian-1"} and set(place.status()) == {"Debian:12"}
    assert sum(path.stat().st_size for path in place.folder.iterdir() if path != place.store) == 0
    assert number == signal.SIGKILL or place.leftovers() == []
    place.update(sources=[server])
    assert place.ids() == ALL


def test_killed_at_any_moment(place, serve):
    """Killed at 30 moments: the old or the new store, and the next update ends well."""
    idents = [f"PyPI-{n}" for n in range(300)]
    server = serve({**standard(), "PyPI/all.zip": osv("PyPI", *idents)})
    begin = time.monotonic()
    place.update(sources=[server])
    lasts = time.monotonic() - begin
    choose, seen = random.Random(2), {"PyPI-0"}
    for round_ in range(1, 31):
        marks = [f"R{round_}-{n}" for n in range(300)]
        server.files["PyPI/all.zip"] = osv("PyPI", *marks)
        before = place.ids()
        process = place.start(sources=[server])
        time.sleep(choose.random() * lasts)
        process.kill()
        process.communicate()
        now = place.ids()
        assert now == before or now == (ALL - {"PyPI-1"}) | set(marks)
        seen.add(min(now))
        assert scanner.run("db", "status", "--db", place.store).code == 0
    place.update(sources=[server])
    assert len(place.ids()) == 302


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no second volume")
def test_store_on_another_volume(place, serve, tmp_path):
    """B52: the store on a tmpfs, TMPDIR elsewhere."""
    import tempfile
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        place.folder = kit.pathlib.Path(folder)
        place.store = place.folder / "store.db"
        place.update(sources=[serve()], env={"TMPDIR": str(tmp_path / "none")})
        assert place.ids() == ALL


def test_folder_that_cannot_be_written(place, serve):
    server = serve()
    place.store = place.folder / "missing" / "store.db"
    done = scanner.run(*place.command(sources=[server]), env=place.home.environment())
    assert done.code == 3 and "missing" in done.stderr and not server.requests()


def test_store_behind_a_link(place, serve, tmp_path):
    real = tmp_path / "elsewhere"
    real.mkdir()
    server = serve()
    place.update("PyPI", sources=[server])
    place.store.rename(real / "store.db")
    place.store.symlink_to(real / "store.db")
    place.update(sources=[server])
    assert place.store.is_symlink() and [p.name for p in real.iterdir()] == ["store.db"]
    assert place.ids() == ALL


def test_damaged_store(place, serve):
    place.store.write_bytes(b"no store")
    done = place.update(sources=[serve()], code=3)
    assert "is not an advisory store" in done.stderr and place.store.read_bytes() == b"no store"


def test_the_users_own_store_begins_with_the_starter(place, serve, home):
    """Without --db: one feed anew, the others as the starter has them."""
    server = serve()
    data = home.folder / "data"
    environment = home.environment({"XDG_DATA_HOME": str(data)})
    args = ["db", "update", "--ca-cert", place.authority.certificate, "--db-source", server.origin, "kev"]
    done = scanner.run(*args, env=environment)
    assert done.code == 0, done
    place.folder, place.store = data / "plimsoll", data / "plimsoll" / "store.db"
    assert place.leftovers() == []
    feeds = place.status()
    assert feeds["kev"]["entries"] == 1 and ("PyPI" in feeds) == os.path.exists(
        os.path.join(os.path.dirname(scanner.binary()), "starter.db"))
    place.store.unlink()
    server.misbehave("feed", instead(403))
    assert scanner.run(*args, env=environment).code == 3
    assert not place.store.exists(), "a store that is no newer than the starter hides the next starter"


# -- the age of the store -----------------------------------------------------------------------------

@pytest.fixture
def old_image(tmp_path):
    image = imagekit.image_of([*ev.base(), *ev.dist_info("thing", "1.0")])
    return imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(image))


def age(place, days, where="imported"):
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))
    sql = {"built": f"UPDATE meta SET value = '{then}' WHERE name = 'built'",
           "imported": f"UPDATE feed SET imported = '{then}' WHERE ecosystem = 'PyPI'",
           "checked": f"UPDATE fetched SET checked = '{then}' WHERE feed = 'PyPI'"}
    place.run_sql(sql[where])


def too_old(result):
    return [e for e in result.errors if "--db-max-age" in e["message"]]


@pytest.mark.parametrize("gate, fresh", [([], 0), (["--exit-code", "1"], 1), (["--fail-on", "CRITICAL"], 0)])
def test_max_age(place, serve, old_image, gate, fresh):
    """Exit 3 with a limit that the store passes, gate or no gate; without one the age is told."""
    place.update(sources=[serve()])
    gate = [*gate, "--allow-unjudged"]
    assert scanner.scan(old_image, "--db-max-age", "5d", *gate, db=place.store).code == fresh
    age(place, 9, "built")
    result = scanner.scan(old_image, *gate, db=place.store)
    assert result.code == fresh and result.report["store"]["age_days"] == 9
    result = scanner.scan(old_image, "--db-max-age", "5d", *gate, db=place.store)
    assert result.code == 3 and too_old(result)[0]["where"] == "store"
    message = too_old(result)[0]["message"]
    assert "9 days old" in message and "5 days" in message and "plimsoll db update" in message
    assert message in result.stderr and result.ids(), "the findings are there all the same"
    assert scanner.scan(old_image, "--db-max-age", "2w", *gate, db=place.store).code == fresh


def test_max_age_of_what_judges_the_image(place, serve, old_image):
    """A store that was made today, of which PyPI is old: not enough for an image with Python in it."""
    place.update(sources=[serve()])
    age(place, 9, "imported")
    assert not too_old(scanner.scan(old_image, "--db-max-age", "5d", db=place.store)), "it was checked today"
    age(place, 8, "checked")
    message = too_old(scanner.scan(old_image, "--db-max-age", "5d", db=place.store))[0]["message"]
    assert "PyPI" in message and "8 days" in message


def test_max_age_after_nothing_new(place, serve, old_image):
    """What has not changed for long is not old once it was looked at."""
    server = serve()
    place.update(sources=[server])
    for where in ("built", "imported", "checked"):
        age(place, 9, where)
    assert too_old(scanner.scan(old_image, "--db-max-age", "5d", db=place.store))
    assert "nothing new" in place.update(sources=[server]).stdout
    assert not too_old(scanner.scan(old_image, "--db-max-age", "5d", db=place.store))


def test_max_age_of_a_failed_update(place, serve, old_image):
    """B49: the store at hand goes on being used; only who asks for a fresher one is refused."""
    server = serve()
    place.update(sources=[server])
    for where in ("built", "imported", "checked"):
        age(place, 2, where)
    server.misbehave("feed", instead(429, Retry_After="999"))
    place.update(sources=[server], code=3)
    assert scanner.scan(old_image, db=place.store).report["store"]["age_days"] == 2
    assert not too_old(scanner.scan(old_image, "--db-max-age", "3d", db=place.store))
    assert too_old(scanner.scan(old_image, "--db-max-age", "36h", db=place.store))


@pytest.mark.parametrize("word", ["", "5", "d", "0d", "5 days", "-1d", "5y", "1d-2h", "99999999d"])
def test_max_age_that_is_none(place, old_image, word):
    result = scanner.run("image", "--input", old_image, "--db-max-age=" + word)
    assert result.code == 2 and "--db-max-age" in result.stderr


def test_names_in_a_feed_do_not_play_with_the_terminal(place, serve):
    """A damaged entry is named in the reason; its name is the server's choice."""
    data = zip_of([{**advisories.pypi("PyPI-1\x1b]0;owned\x07", "a"), "padding": "x" * 4000}], padding=4000)
    done = place.update("PyPI", sources=[serve({"PyPI/all.zip": kit.flip(data)})], code=3)
    assert "PyPI-1" in done.stderr and "\x1b" not in done.stderr
