"""Row 9: a hostile or broken registry, in many manners, at every phase of a read: token, index, manifest,
config, layer, and the first contact. It ends in success with all findings, or in exit 3 with one clear line that names what
failed; within --timeout and a second; it leaves nothing behind and tells nobody the password.

A manner is a line of MANNERS: what answers instead, how often, and how that has to end. `PASSES` means that all is well
after retries, `REFUSED` that exit 3 is the only right end, `EITHER` that both are right (it depends on how much a client
forgives), but never a report with less in it."""

import json
import os
import random
import re
from dataclasses import dataclass

import pytest

import evidence as ev
import imagekit
import registrykit as kit
import scanner
from imagekit import dumps, sha256
from registrykit import Answer, cut, instead, stall
from tarkit import file
from test_registry import CANARY, USER, assert_silent, authority, home, serve  # noqa: F401

PASSES, REFUSED, EITHER = "passes", "refused", "either"
TIMEOUT, SHORT = 3, 0.7   # seconds; SHORT for those that can only end by it
SLACK = 4 if scanner.sanitized() else 1
PHASES = ("token", "index", "manifest", "config", "layer")
SIGNED = PHASES[1:]     # what has a digest
FINDINGS = {("CVE-2024-0001", "crit-fixed", "1.0", 0), ("CVE-2024-0012", "high-unfixed", "3.1", 1),
            ("CVE-2024-0003", "medium-fixed", "1.0", 2)}
COMPONENTS = {("deb", "base-files", "12.4+deb12u9", 0)} | {("pypi", *finding[1:]) for finding in FINDINGS}
IMAGE = imagekit.image_of(
    [*ev.base(), *ev.dist_info("crit-fixed", "1.0")],
    [*ev.dist_info("high-unfixed", "3.1"), file("srv/big", random.Random(9).randbytes(200_000))],
    ev.dist_info("medium-fixed", "1.0"), compression="gzip")
FAULTY = sha256(IMAGE.blobs()[1])
ESCAPES = "kit says no\x1b[2J\x1b]0;title\x07\r\nplimsoll: all is well\u202e\x9b31m"


@dataclass(frozen=True)
class World:
    """A registry with the image behind an index, and who reads it."""
    registry: kit.Registry
    home: kit.Home
    store: object
    args: tuple = ()

    def scan(self, *args, timeout=TIMEOUT, name=None):
        return kit.scan_name(name or f"{self.registry.host}/shop/app:1", "--verbose", "--timeout", f"{int(timeout * 1000)}ms", *self.args, *args,
                             db=self.store, home=self.home, timeout=timeout + 30)

    @property
    def token_server(self):
        return self.registry.auth


def credentials_of(kind, home, host):
    """The four kinds of row 9, as the command line or the config has them."""
    if kind == "basic" or kind == "bearer":
        home.docker_config({"auths": {host: kit.entry(USER, CANARY)}})
    elif kind == "identity":
        home.docker_config({"auths": {host: kit.entry("x", "", identitytoken=CANARY)}})


def auth_of(kind):
    return {"none": lambda: None, "basic": lambda: kit.Basic({USER: CANARY}), "bearer": lambda: kit.TokenServer({USER: CANARY}),
            "identity": lambda: kit.TokenServer({}, {CANARY: USER})}[kind]()


def fill(registry, image=IMAGE):
    registry.push_index([registry.push(image, "shop/app"), registry.push_attestation(image, "shop/app")], "shop/app", "1")
    return registry


@pytest.fixture
def make_world(serve, home, store):  # noqa: F811
    def make(kind="bearer", tls=None, args=()):
        registry = fill(serve(kit.Registry(auth=auth_of(kind), tls=tls)))
        credentials_of(kind, home, registry.host)
        return World(registry, home, store, ("--no-cache", *args))
    return make


def assert_clear(result, *named):
    """Each line on stderr is one of plimsoll's own and printable, each error one line; each of `named` is told."""
    for line in result.stderr.splitlines():
        assert line.startswith("plimsoll: ") and line.isprintable(), f"not a clear line: {line!r}\n{result!r}"
        assert len(line) < 1500, f"a line of {len(line)} characters"
    assert result.stderr.count("\n") <= 12, result
    for line in result.stdout.splitlines():
        assert line.isprintable(), f"not printable in the report: {line!r}"
    for word in named:
        assert word.lower() in result.complaints().lower(), f"{word!r} is not named\n{result!r}"


def judge(world, result, ends, *named, timeout=TIMEOUT):
    """What holds for whatever a registry does."""
    assert result.seconds < timeout + SLACK, f"it took {result.seconds:.1f} s\n{result!r}"
    assert result.code in (0, 3), result
    assert_silent(result, CANARY)
    assert not world.home.left_behind()
    if result.code == 0:
        assert result.findings() == FINDINGS and result.components() == COMPONENTS, f"exit 0 with less in it\n{result!r}"
        assert result.verdict["complete"] and not result.errors
    else:
        assert_clear(result, *named)
        assert not result.report or not result.verdict["complete"], result
    assert ends != PASSES or result.code == 0, f"this passes by itself, and has to be tried again\n{result!r}"
    assert ends != REFUSED or result.code == 3, f"this is no image to be trusted\n{result!r}"


def culprit(world, phase):
    """What a message has to name."""
    return "layer 1" if phase == "layer" else world.registry.host


# -- the manners ---------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Manner:
    fault: object
    times: int | None = None
    ends: str | dict = REFUSED
    phases: tuple = PHASES
    words: tuple = ()
    slow: bool = False

    def end_at(self, phase):
        return self.ends if isinstance(self.ends, str) else self.ends.get(phase, REFUSED)


def busy_until(seconds, status=429):
    return lambda connection, request, answer: kit.plain(connection, request, Answer(status, {"Retry-After": kit.retry_after(seconds)}))


def refusal(status, message="kit says no"):
    return kit.says(kit.error_answer(status, "DENIED", message))


def unauthorized(challenge):
    return kit.says(kit.error_answer(401, "UNAUTHORIZED", "kit says no", **({"WWW-Authenticate": challenge} if challenge else {})))


def elsewhere(connection, request, answer):
    """To the same thing under another name, which asks for no login: 127.0.0.1 and localhost are two hosts."""
    if request.host.startswith("localhost"):
        return kit.plain(connection, request, request.server.serve(request))
    if answer.status == 401:
        return kit.plain(connection, request, answer)
    return kit.redirect(f"http://localhost:{request.server.port}{request.target}")(connection, request, answer)


def slow_chunks(connection, request, answer):
    connection.write(answer.head(Content_Length=None, Transfer_Encoding="chunked"))
    while True:
        connection.write(b"1\r\n \r\n")
        connection.wait(0.2)


MANNERS = {
    # What passes by itself.
    "hangs up once": Manner(kit.hang_up, 1, PASSES),
    "hangs up three times": Manner(kit.hang_up, 3, PASSES),
    "RST once": Manner(kit.reset, 1, PASSES),
    "cut in the head once": Manner(kit.cut_head, 1, PASSES),
    "cut before the body once": Manner(cut(0), 1, PASSES),
    "cut in the body once": Manner(cut(0.5), 1, PASSES),
    "cut before the last byte once": Manner(cut(-1), 1, PASSES),
    "cut with RST once": Manner(cut(0.5, reset=True), 1, PASSES),
    "500 twice": Manner(instead(500), 2, PASSES),
    "502 twice": Manner(instead(502, b"<html>bad gateway</html>"), 2, PASSES),
    "503 twice": Manner(instead(503), 2, PASSES),
    "504 twice": Manner(instead(504), 2, PASSES),
    "408 once": Manner(instead(408), 1, PASSES),
    "429 twice": Manner(instead(429), 2, PASSES),
    "429 with Retry-After": Manner(instead(429, Retry_After="1"), 1, PASSES),
    "429 with Retry-After as a date": Manner(busy_until(1), 1, PASSES),
    "503 with Retry-After in the past": Manner(busy_until(-100, 503), 1, PASSES),
    "429 with Retry-After that is none": Manner(instead(429, Retry_After="soon"), 1, PASSES),
    "a body in chunks": Manner(kit.chunked, None, PASSES),
    "a body without length": Manner(kit.until_close, None, PASSES),
    "early hints": Manner(kit.interim(), None, PASSES),
    "100 Continue, which nobody waits for": Manner(kit.interim(3, b"HTTP/1.1 100 Continue\r\n\r\n"), None, PASSES),
    "no digest in the head": Manner(kit.head_changed(Docker_Content_Digest=None, ETag=None), None, PASSES, SIGNED),
    "redirect to another host": Manner(elsewhere, None, PASSES, ("index", "manifest", "config", "layer")),
    "no Range after a cut": Manner(kit.after_cut(0.5, kit.no_range), None, PASSES, ("layer",)),
    "503 after a cut": Manner(kit.after_cut(0.5, lambda c, r, a: (instead(503) if r.number < 3 else kit.plain)(c, r, a)), None, PASSES, ("layer",)),
    # What depends on how much is forgiven.
    "Content-Length too long": Manner(kit.length_told(lambda n: n + 100), None, EITHER),
    "two Content-Lengths": Manner(kit.lengths_told_twice, None, EITHER),
    "chunks without end mark": Manner(kit.chunks_without_end, None, EITHER),
    "more behind the answer": Manner(kit.trailing(), None, EITHER),
    "gzip said, and not done": Manner(kit.encoded(pack=False), None, EITHER),
    "other Content-Type": Manner(kit.head_changed(Content_Type="text/html"), None, EITHER),
    "Range elsewhere after a cut": Manner(kit.after_cut(0.5, kit.range_elsewhere()), None, EITHER, ("layer",)),
    "416 after a cut": Manner(kit.after_cut(0.5, instead(416)), None, EITHER, ("layer",)),
    "206 without Content-Range after a cut": Manner(kit.after_cut(0.5, kit.head_changed(Content_Range=None)), None, EITHER, ("layer",)),
    "other ETag after a cut": Manner(kit.after_cut(0.5, kit.head_changed(ETag='"other"')), None, EITHER, ("layer",)),
    "304 unasked": Manner(instead(304), None, REFUSED),
    "Retry-After beyond all numbers": Manner(instead(429, Retry_After="9" * 40), 1, EITHER),
    # What stays.
    "hangs up always": Manner(kit.hang_up),
    "RST always": Manner(kit.reset),
    "cut at the same place always": Manner(lambda c, r, a: cut(int(len(a.body) / 2) if a.status == 200 else 0)(c, r, a)),
    "500 always": Manner(instead(500), words=("500",)),
    "501": Manner(instead(501), words=("501",)),
    "503 always": Manner(instead(503, b"\x1b[2Jdown for good"), words=("503",)),
    "429 always": Manner(instead(429), words=("429",)),
    "429 for an hour": Manner(instead(429, Retry_After="3600"), words=("429",)),
    "401 always": Manner(unauthorized(f'Basic realm="{ESCAPES[:11]}"'), phases=PHASES, words=()),
    "401 without a challenge": Manner(unauthorized(None)),
    "401 with an unknown scheme": Manner(unauthorized("Negotiate")),
    "403": Manner(refusal(403), words=("kit says no",), phases=SIGNED),
    "404": Manner(refusal(404), words=("kit says no",), phases=SIGNED),
    "404 without words": Manner(instead(404)),
    "404 with terminal escapes": Manner(refusal(404, ESCAPES), words=("kit says no",), phases=SIGNED),
    "404 with a novel": Manner(refusal(404, "kit says no " * 100_000), phases=SIGNED),
    "403 with garbage": Manner(instead(403, b'{"errors":[{"message":{"a":[1,2]}},\xff\x00')),
    "403 without end": Manner(lambda c, r, a: kit.endless()(c, r, Answer(403, {}, b"no")), ends=REFUSED),
    "451": Manner(instead(451), words=("451",)),
    "999": Manner(instead(999)),
    "a login page": Manner(instead(200, b"<!DOCTYPE html><html>please log in</html>", Content_Type="text/html")),
    "empty body": Manner(instead(200)),
    "204": Manner(instead(204)),
    "206 unasked": Manner(lambda c, r, a: kit.plain(c, r, Answer(206, {"Content-Range": "bytes 5-9/10"}, a.body[5:10]))),
    "one byte changed": Manner(kit.body_changed(kit.flip)),
    "one byte less": Manner(kit.body_changed(lambda body: body[:-1])),
    "one byte more": Manner(kit.body_changed(lambda body: body + b"x")),
    "all other bytes": Manner(kit.body_changed(lambda body: bytes(255 - b for b in body))),
    "Content-Length too short": Manner(kit.length_told(lambda n: n // 2), ends={"layer": EITHER}),
    "Content-Length beyond all numbers": Manner(kit.head_changed(Content_Length="9" * 30), ends=EITHER, slow=True),
    "Content-Length below 0": Manner(kit.head_changed(Content_Length="-1"), ends=EITHER),
    "endless body in chunks": Manner(kit.endless()),
    "endless body without length": Manner(kit.endless(chunked=False)),
    "a body of 1 GiB": Manner(kit.huge()),
    "chunks that are none": Manner(kit.bad_chunks),
    "packed with gzip": Manner(kit.encoded()),
    "said to be brotli": Manner(kit.encoded("br")),
    "wrong bytes for a range": Manner(kit.after_cut(0.5, kit.range_elsewhere(told=False)), phases=("layer",)),
    "other bytes after a cut": Manner(kit.after_cut(0.5, kit.body_changed(kit.flip)), phases=("layer",)),
    "a head of 10 MB": Manner(kit.headers_many(1, 10 << 20)),
    "10,000 headers": Manner(kit.headers_many(10_000, 100)),
    "headers without end": Manner(kit.headers_many(10 ** 9, 1000)),
    "100 Continue without end": Manner(kit.interim(None, b"HTTP/1.1 100 Continue\r\n\r\n")),
    "early hints without end": Manner(kit.interim(None)),
    "garbage": Manner(kit.garbage(random.Random(1).randbytes(5000))),
    "HTTP/0.9": Manner(kit.garbage(b"{}")),
    "another protocol": Manner(kit.garbage(b"220 ready\r\n\x1b[31mSMTP\r\n\r\n")),
    "a status that is none": Manner(kit.garbage(b"HTTP/1.1 abc\r\n\r\n")),
    "a redirect in a circle": Manner(kit.redirect_loop),
    "a redirect to itself": Manner(kit.redirect(lambda r: r.target)),
    "a redirect to nowhere": Manner(kit.redirect(None)),
    "a redirect to an empty address": Manner(kit.redirect("")),
    "a redirect to a file": Manner(kit.redirect("file:///etc/passwd")),
    "a redirect to another protocol": Manner(kit.redirect("gopher://127.0.0.1:70/1")),
    "a redirect to a closed port": Manner(kit.redirect(f"http://127.0.0.1:{kit.closed_port()}/")),
    "a redirect to no address": Manner(kit.redirect("http://[::bad/\x7f")),
    "a redirect to a name that is none": Manner(kit.redirect("http://registry.invalid/x?signed=kit-signature")),
    # What never ends by itself.
    "never answers": Manner(stall(), slow=True),
    "stops in the body": Manner(stall(0.5), slow=True),
    "stops before the body": Manner(stall(0), slow=True),
    "one byte a second": Manner(kit.drip, slow=True),
    "a head without end, slowly": Manner(kit.slow_head, slow=True),
    "chunks without end, slowly": Manner(slow_chunks, slow=True),
    "early hints without end, slowly": Manner(lambda c, r, a: [None for _ in iter(lambda: (c.write(b"HTTP/1.1 103 Early Hints\r\n\r\n"), c.wait(0.2)), 0)],
                                              slow=True),
}
CASES = [(name, phase) for name, manner in MANNERS.items() for phase in manner.phases]


@pytest.mark.parametrize("name,phase", CASES, ids=[f"{name}-{phase}" for name, phase in CASES])
def test_fault(make_world, name, phase):
    manner, world = MANNERS[name], make_world()
    world.registry.misbehave(phase, manner.fault, manner.times, (lambda r: r.reference == FAULTY) if phase == "layer" else None)
    timeout = SHORT if manner.slow else TIMEOUT
    result = world.scan(timeout=timeout)
    judge(world, result, manner.end_at(phase), culprit(world, phase), *manner.words, timeout=timeout)
    assert name == "401 always" or not world.registry.saw(CANARY), "the password is for the token server"
    assert "kit-signature" not in result.stderr and "root:" not in result.stderr
    if result.code == 3 and phase == "layer" and result.report:
        assert {e["layer"] for e in result.errors} == {1}, result.errors
        assert result.findings() >= FINDINGS - {("CVE-2024-0012", "high-unfixed", "3.1", 1)}, "the other layers count"
    if "hour" in name or "without end" in name and not manner.slow:
        assert result.seconds < 1.5 * SLACK, "there is no sense in waiting for the time limit"


KIND_MANNERS = [name for name, manner in MANNERS.items() if not manner.slow and "Retry-After" not in name]


@pytest.mark.parametrize("kind", ["none", "basic", "identity"])
@pytest.mark.parametrize("phase", ["manifest", "layer"])
def test_fault_with_other_credentials(make_world, kind, phase):
    """The same through the other kinds of credentials: a sixth of the manners each, all with PLIMSOLL_TEST_SCALE above 1."""
    world = make_world(kind)
    share = KIND_MANNERS if float(os.environ.get("PLIMSOLL_TEST_SCALE", "1")) > 1 else KIND_MANNERS[len(kind) + len(phase)::6]
    for name in share:
        manner = MANNERS[name]
        if phase not in manner.phases:
            continue
        world.registry.faults.clear()
        world.registry.log.clear()
        world.registry.misbehave(phase, manner.fault, manner.times, (lambda r: r.reference == FAULTY) if phase == "layer" else None)
        judge(world, world.scan(), manner.end_at(phase), culprit(world, phase), *manner.words)


# -- the first contact ----------------------------------------------------------------------------------------------

GREETINGS = {
    "never answers": kit.never_answers,
    "hangs up": lambda connection: None,
    "RST": lambda connection: connection.reset(),
    "garbage": kit.speaks(b"\0\1\2\3\xff" * 100),
    "garbage without end": kit.floods(b"\xa5" * 65536),
    "text without end": kit.floods(b"welcome to the kit "),
    "SSH": kit.speaks(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    "an HTTP answer before the question": kit.speaks(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "TLS alert": kit.speaks(b"\x15\x03\x03\x00\x02\x02\x28"),
    "TLS record too long": kit.speaks(b"\x16\x03\x03\xff\xff" + b"\0" * 100),
    "TLS hello of zeros": kit.speaks(b"\x16\x03\x03\x00\x30\x02\x00\x00\x2c\x03\x03" + b"\0" * 42),
    "TLS hello and silence": kit.speaks(b"\x16\x03\x03\x10\x00\x02"),
    "TLS heartbeats": kit.floods(b"\x18\x03\x03\x00\x03\x01\x40\x00"),
}


@pytest.mark.parametrize("name", GREETINGS)
def test_first_contact(serve, home, store, name):  # noqa: F811
    server = serve(kit.Server(greet=GREETINGS[name]))
    home.docker_config({"auths": {server.host: kit.entry(USER, CANARY)}})
    timeout = SHORT if name == "never answers" else TIMEOUT
    world = World(server, home, store)
    result = world.scan(timeout=timeout, name=f"{server.host}/app:1")
    judge(world, result, REFUSED, server.host, timeout=timeout)


def test_connection_refused(home, store):  # noqa: F811
    host = f"127.0.0.1:{kit.closed_port()}"
    world = World(None, home, store)
    result = world.scan(name=f"{host}/app:1")
    judge(world, result, REFUSED, host)
    assert result.seconds < 2, "nobody will come"


def test_no_such_host(home, store):  # noqa: F811
    world = World(None, home, store)
    judge(world, world.scan(name="registry.invalid/app:1"), REFUSED, "registry.invalid", "resolve")


TLS_MANNERS = {name: MANNERS[name] for name in (
    "hangs up once", "RST once", "cut in the body once", "503 twice", "hangs up always", "garbage", "never answers",
    "endless body in chunks", "a head of 10 MB", "stops in the body", "one byte changed", "a redirect in a circle", "500 always")}


@pytest.mark.parametrize("phase", ["ping", "manifest", "layer"])
@pytest.mark.parametrize("name", TLS_MANNERS)
def test_fault_over_tls(make_world, authority, name, phase):  # noqa: F811
    """A ping decides between https and http at most: it may be left out, and its faults then pass."""
    manner = TLS_MANNERS[name]
    world = make_world("basic", tls=authority.server_context(), args=("--ca-cert", authority.certificate))
    world.registry.misbehave(phase, manner.fault, manner.times, (lambda r: r.reference == FAULTY) if phase == "layer" else None)
    timeout = SHORT if manner.slow else TIMEOUT
    ends = EITHER if phase == "ping" else manner.end_at(phase)
    result = world.scan(timeout=timeout)
    judge(world, result, ends, "layer 1" if phase == "layer" else world.registry.host, *manner.words, timeout=timeout)


@pytest.mark.parametrize("phase", ["index", "manifest", "config", "layer"])
def test_redirect_from_https_to_http(make_world, serve, authority, phase):  # noqa: F811
    """The bytes would be checked, but what is read would be seen: nothing goes out in clear."""
    world = make_world("basic", tls=authority.server_context(), args=("--ca-cert", authority.certificate))
    clear = serve(kit.Server(lambda r: Answer(404)))
    world.registry.misbehave(phase, kit.redirect(lambda r: f"{clear.origin}/x?signed=kit-signature"))
    result = world.scan()
    judge(world, result, REFUSED, "http")
    assert not clear.log and not clear.accepted and "kit-signature" not in result.stderr


# -- tokens -------------------------------------------------------------------------------------------------------------

TOKEN_ANSWERS = {
    "empty object": b"{}", "a list": b"[]", "a text": b'"kit"', "null": b"null", "no JSON": b"token=kit", "half": b'{"token":"kit',
    "number": b'{"token":1}', "empty token": b'{"token":""}', "object": b'{"token":{"token":"kit"}}',
    "line break": dumps({"token": "kit\r\nX-Injected: yes"}), "space": dumps({"token": "kit kit"}),
    "escape": dumps({"token": "kit\x1b[2J"}), "NUL": b'{"token":"kit\\u0000kit"}', "not ASCII": dumps({"token": "kit-ü"}),
    "not UTF-8": b'{"token":"kit\xff"}', "both empty": b'{"token":"","access_token":""}', "wrong": b'{"token":"kit-unknown"}',
    "twice": b'{"token":"kit-one","token":"kit-two"}', "deep": b'{"token":' + b"[" * 100_000, "2 MiB": dumps({"token": "k" * (2 << 20)}),
    "600 KB": dumps({"token": "k" * 600_000}), "spaces": b" " * (5 << 20),
}


@pytest.mark.parametrize("name", TOKEN_ANSWERS)
def test_token_that_is_none(make_world, name):
    world = make_world()
    world.registry.misbehave("token", instead(200, TOKEN_ANSWERS[name], Content_Type="application/json"))
    result = world.scan()
    judge(world, result, REFUSED, world.registry.host)
    assert not any("x-injected" in r.headers for r in world.registry.log)
    assert len(world.token_server.log) <= 4, "it asks again and again"
    assert "kit-unknown" not in result.stderr and "kit-one" not in result.stderr, "an answer with a token is not shown"


REALMS = {
    "no scheme": 'Bearer realm="SERVER/token",service="kit"', "file": 'Bearer realm="file:///etc/passwd",service="kit"',
    "gopher": 'Bearer realm="gopher://127.0.0.1:70/",service="kit"', "empty": 'Bearer realm="",service="kit"',
    "none": 'Bearer service="kit"', "nothing": "Bearer", "equals": "Bearer =,=,=", "open quote": 'Bearer realm="http://',
    "spaces": 'Bearer realm="http://HOST/to ken",service="kit"', "no host": 'Bearer realm="http:///token",service="kit"',
    "no port": 'Bearer realm="http://127.0.0.1:99999/token",service="kit"', "commas": "Bearer " + "," * 10_000,
    "long": f'Bearer realm="http://127.0.0.1:{kit.closed_port()}/' + "a" * 100_000 + '"', "many": "Bearer " + ",".join(f'k{n}="v"' for n in range(5000)),
    "backslashes": 'Bearer realm="' + "\\" * 9999 + '"', "closed port": f'Bearer realm="http://127.0.0.1:{kit.closed_port()}/t",service="kit"',
}


@pytest.mark.parametrize("name", REALMS)
def test_challenge_that_is_none(make_world, name):
    world = make_world()
    world.token_server.challenge = REALMS[name].replace("HOST", world.token_server.host).replace("SERVER", world.token_server.host)
    result = world.scan()
    judge(world, result, REFUSED, world.registry.host)
    assert "root:" not in result.stderr
    assert not world.registry.saw(CANARY)


@pytest.mark.parametrize("challenge", [
    'Bearer realm="SERVER/token",service="kit",scope="repository:shop/app:pull,push"',
    'Bearer realm="SERVER/token",service="kit",scope="repository:shop/app:*"',
    'Bearer realm="SERVER/token",service="kit",scope="repository:shop/app:pull repository:secret/other:pull"',
    'Bearer realm="SERVER/token",service="kit",scope="registry:catalog:*"',
    'bearer  REALM="SERVER/token" , service=kit', 'Bearer scope="repository:shop/app:pull",error="insufficient_scope",realm="SERVER/token"',
    'Bearer realm="SERVER/token",service="kit",scope="repository:shop/app:pull", Basic realm="other"'])
def test_no_more_than_reading_is_asked_for(make_world, challenge):
    """Whatever a challenge offers: leave to pull this one repository, or nothing."""
    world = make_world()
    world.token_server.challenge = challenge.replace("SERVER", world.token_server.origin)
    judge(world, world.scan(), EITHER, world.registry.host)
    for request in world.token_server.log:
        assert request.query.get("scope") == "repository:shop/app:pull", request.target


def test_realm_at_another_host(make_world, serve, home):  # noqa: F811
    """As Docker Hub does it. It gets the credentials of the registry that names it, and no others."""
    world = make_world()
    home.docker_config({"auths": {world.registry.host: kit.entry(USER, CANARY), world.token_server.host: kit.entry(USER, "canary-other"),
                                  "localhost": kit.entry(USER, "canary-other")}})
    world.token_server.realm = f"http://localhost:{world.token_server.port}/token?account=kit"
    result = world.scan()
    judge(world, result, PASSES)
    assert not world.token_server.saw("canary-other") and not world.registry.saw("canary-other")
    assert world.token_server.log[0].query["account"] == "kit", "what the realm has already is kept"


def test_realm_over_http_of_a_registry_over_https(make_world, authority):  # noqa: F811
    world = make_world(tls=authority.server_context(), args=("--ca-cert", authority.certificate))
    assert world.token_server.origin.startswith("http:")
    judge(world, world.scan(), REFUSED, world.registry.host, "http")
    assert not world.token_server.log and not world.token_server.accepted, "the password was sent in clear"


def test_realm_with_a_password_in_it(make_world):
    world = make_world()
    world.token_server.realm = f"http://{USER}:canary-realm@{world.token_server.host}/token"
    result = world.scan()
    judge(world, result, EITHER, world.registry.host)
    assert_silent(result, "canary-realm")


@pytest.mark.parametrize("kind", ["basic", "bearer", "identity"])
@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
@pytest.mark.parametrize("phase", SIGNED)
def test_a_redirect_target_that_asks_for_a_password(make_world, serve, phase, scheme, kind):  # noqa: F811
    """It is no registry of ours: its challenge is not answered, neither to it nor to a token server that it names."""
    world = make_world(kind)
    thief = serve(kit.Server())
    challenge = 'Basic realm="kit"' if scheme == "Basic" else f'Bearer realm="{thief.origin}/token",service="kit",scope="repository:shop/app:pull"'
    thief.answer = lambda r: Answer(200, {}, b'{"token":"kit"}') if r.path == "/token" else Answer(401, {"WWW-Authenticate": challenge})

    def send_away(connection, request, answer):
        return (kit.plain if answer.status == 401 else kit.redirect(thief.origin + request.path))(connection, request, answer)
    world.registry.misbehave(phase, send_away)
    result = world.scan()
    judge(world, result, REFUSED)
    assert thief.log and not thief.saw(CANARY) and not thief.saw("kit-"), "the password, or the token, went to another host"


# -- what is wrong with what is told ---------------------------------------------------------------------------------------

def manifest_of(world):
    return json.loads(imagekit.manifest_bytes(IMAGE))


def put(world, manifest, media_type=imagekit.MANIFEST):
    """A manifest, as a value or as bytes, under the tag "2"; its digest is right."""
    data = manifest if isinstance(manifest, bytes) else dumps(manifest)
    return world.registry.put_manifest("shop/app", data, media_type, "2")


def edited(change):
    def make(world):
        manifest = manifest_of(world)
        put(world, change(manifest) or manifest)
    return make


def set_in(*path, value):
    def change(manifest):
        place = manifest
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    return edited(change)


def replaced(old, new):
    """In the manifest's bytes."""
    def make(world):
        data = imagekit.manifest_bytes(IMAGE)
        assert old in data
        put(world, data.replace(old, new, 1))
    return make


def with_config(change):
    def make(world):
        config = change(json.loads(IMAGE.config_bytes()))
        data = config if isinstance(config, bytes) else dumps(config)
        manifest = manifest_of(world)
        manifest["config"].update(digest=world.registry.put_blob(data, "config"), size=len(data))
        put(world, manifest)
    return make


def without(*path):
    def change(value):
        place = value
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        return value
    return change


def nested(depth):
    def make(world):
        descriptor = world.registry.push(IMAGE, "shop/app")
        for _ in range(depth):
            descriptor = world.registry.push_index([descriptor], "shop/app", "2")
    return make


def own_index(world):
    """Only a lie can make an index that holds itself: its digest cannot stand in it."""
    digest = "sha256:" + "5e1f" * 16
    index = imagekit.index_bytes([{"mediaType": imagekit.INDEX, "digest": digest, "size": 10}])
    world.registry.put_manifest("shop/app", index, imagekit.INDEX, "2", digest=digest)


def many_manifests(count, attestation=False, same=False):
    def make(world):
        one = world.registry.push(IMAGE, "shop/app")
        more = {"annotations": {"vnd.docker.reference.type": "attestation-manifest"}} if attestation else {}
        others = [{"mediaType": imagekit.MANIFEST, "digest": one["digest"] if same else "sha256:%064x" % n, "size": 500,
                   "platform": {"os": "unknown" if attestation else "linux", "architecture": "unknown" if attestation else "s390x"}, **more}
                  for n in range(count)]
        world.registry.push_index([one, *others], "shop/app", "2")
    return make


def other_case(world):
    """Go reads keys in whatever case, and the last counts: a runtime runs three layers, where one stands in small letters."""
    config = json.loads(IMAGE.config_bytes())
    whole = config["rootfs"]
    config["rootfs"], config["history"] = {**whole, "diff_ids": whole["diff_ids"][:1]}, config["history"][:1]
    data = dumps({**config, "Rootfs": whole})
    manifest = manifest_of(world)
    manifest["config"].update(digest=world.registry.put_blob(data, "config"), size=len(data))
    put(world, {**manifest, "layers": manifest["layers"][:1], "Layers": manifest["layers"]})


DUPLICATE = {
    "manifest": replaced(b'"layers":[', b'"layers":[],"layers":['),
    "manifest, the other way": lambda world: put(world, imagekit.manifest_bytes(IMAGE)[:-1] + b',"layers":[]}'),
    "descriptor": replaced(b'"digest":', b'"digest":"sha256:' + b"0" * 64 + b'","digest":'),
    "config": with_config(lambda c: dumps(c).replace(b'"rootfs":', b'"rootfs":{"type":"layers","diff_ids":[]},"rootfs":')),
}
CONTENTS = {
    **{f"duplicate keys in the {name}": (make, REFUSED) for name, make in DUPLICATE.items()},
    "keys in another case": (other_case, REFUSED),
    "index 8 deep": (nested(8), EITHER), "index 10 deep": (nested(10), REFUSED), "index that holds itself": (own_index, REFUSED),
    "index of 10,000 manifests": (many_manifests(10_000), REFUSED), "index of 10,000 attestations": (many_manifests(10_000, True), EITHER),
    "index of one, 300 times": (many_manifests(300, same=True), EITHER),
    "schema 1": (lambda w: put(w, {"schemaVersion": 1, "fsLayers": [], "history": []}, kit.SCHEMA_1), REFUSED),
    "an unknown media type": (lambda w: put(w, {"schemaVersion": 2, "mediaType": "application/x-kit", "kit": []}, "application/x-kit"), REFUSED),
    "an index as a manifest": (lambda w: put(w, imagekit.index_bytes([])), REFUSED),
    "empty": (lambda w: put(w, b""), REFUSED), "no JSON": (lambda w: put(w, b"kit\x1b[2J"), REFUSED), "a list": (lambda w: put(w, []), REFUSED),
    "100,000 deep": (lambda w: put(w, b"[" * 100_000), REFUSED), "not UTF-8": (replaced(b'"schemaVersion":2', b'"kit":"\xff\xfe","schemaVersion":2'), EITHER),
    "NUL bytes": (lambda w: put(w, b"\0" * 100), REFUSED), "UTF-8 mark": (lambda w: put(w, b"\xef\xbb\xbf" + imagekit.manifest_bytes(IMAGE)), EITHER),
    "5 MiB": (lambda w: put(w, imagekit.manifest_bytes(IMAGE) + b" " * (5 << 20)), REFUSED),
    "no layers": (edited(without("layers")), REFUSED), "layers no list": (set_in("layers", value={}), REFUSED),
    "layers of numbers": (set_in("layers", value=[1, 2, 3]), REFUSED), "no config": (edited(without("config")), REFUSED),
    "empty list of layers": (set_in("layers", value=[]), REFUSED),
    "one layer less": (edited(without("layers", 1)), REFUSED),
    "one layer more": (edited(lambda m: m["layers"].append(m["layers"][0])), REFUSED),
    "two layers swapped": (edited(lambda m: m["layers"].reverse()), REFUSED),
    "one layer for another": (lambda w: edited(lambda m: m["layers"].__setitem__(1, m["layers"][0]))(w), REFUSED),
    "10,000 layers": (edited(lambda m: m.update(layers=m["layers"] * 3400)), REFUSED),
    "no digest": (edited(without("layers", 1, "digest")), REFUSED), "no digest of the config": (edited(without("config", "digest")), REFUSED),
    "digest with a path": (set_in("layers", 1, "digest", value="sha256:../../../../v2/secret/blobs/" + "0" * 32), REFUSED),
    "digest of another kind": (set_in("layers", 1, "digest", value="md5:" + "0" * 32), REFUSED),
    "digest in capitals": (set_in("layers", 1, "digest", value=FAULTY.upper()), REFUSED),
    "digest with a line break": (set_in("layers", 1, "digest", value=FAULTY + "\r\nX-Injected: yes"), REFUSED),
    "digest with a query": (set_in("config", "digest", value=sha256(IMAGE.config_bytes()) + "?x=1"), REFUSED),
    "digest with NUL": (replaced(FAULTY.encode(), FAULTY.encode()[:-1] + b"\\u0000"), REFUSED),
    "digest of a blob that is not there": (set_in("layers", 1, "digest", value="sha256:" + "0" * 64), REFUSED),
    "size smaller": (edited(lambda m: m["layers"][1].update(size=m["layers"][1]["size"] - 1)), REFUSED),
    "size larger": (edited(lambda m: m["layers"][1].update(size=m["layers"][1]["size"] + 1)), REFUSED),
    "size 1": (set_in("layers", 1, "size", value=1), REFUSED), "size 0": (set_in("layers", 1, "size", value=0), EITHER),
    "size below 0": (set_in("layers", 1, "size", value=-1), REFUSED), "size as a text": (set_in("layers", 1, "size", value="200000"), EITHER),
    "size as a fraction": (set_in("layers", 1, "size", value=0.5), EITHER), "no size": (edited(without("layers", 1, "size")), EITHER),
    "size of 8 EiB": (set_in("layers", 1, "size", value=2 ** 63 - 1), REFUSED), "size beyond numbers": (replaced(b'"size":', b'"size":' + b"9" * 30), EITHER),
    "size of the config wrong": (set_in("config", "size", value=7), EITHER),
    "layer of another type": (set_in("layers", 1, "mediaType", value="application/x-kit"), REFUSED),
    "layer of an encrypted type": (set_in("layers", 1, "mediaType", value=imagekit.LAYER + "+gzip+encrypted"), EITHER),
    "config of 9 MiB": (with_config(lambda c: {**c, "kit": "x" * (9 << 20)}), REFUSED), "config empty": (with_config(lambda c: b""), REFUSED),
    "config no JSON": (with_config(lambda c: b"\x1b[2J"), REFUSED), "config without rootfs": (with_config(without("rootfs")), REFUSED),
    "config without diff IDs": (with_config(without("rootfs", "diff_ids")), REFUSED), "config 100,000 deep": (with_config(lambda c: b'{"a":' * 100_000), REFUSED),
    "diff ID wrong": (with_config(lambda c: {**c, "rootfs": {**c["rootfs"], "diff_ids": [*c["rootfs"]["diff_ids"][:1], "sha256:" + "0" * 64,
                                                                                       c["rootfs"]["diff_ids"][2]]}}), REFUSED),
    "diff ID none": (with_config(lambda c: {**c, "rootfs": {**c["rootfs"], "diff_ids": ["kit\x1b[2J"] * 3}}), REFUSED),
    "the config is a layer": (edited(lambda m: m["config"].update(digest=FAULTY)), REFUSED),
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", CONTENTS)
def test_contents(make_world, name, verify):
    """All of it has the digest that it should have. Without verifying it need not be refused, but may still not harm."""
    world = make_world("none")
    make, ends = CONTENTS[name]
    make(world)
    result = world.scan(*([] if verify else ["--no-verify"]), name=f"{world.registry.host}/shop/app:2")
    if verify:
        judge(world, result, ends)
    else:
        assert result.code in (0, 3) and result.seconds < TIMEOUT + SLACK, result
        assert_clear(result)
        assert not world.home.left_behind()
    for request in world.registry.log:
        assert "x-injected" not in request.headers and "secret" not in request.target, request
        assert re.fullmatch(r"/v2/shop/app/(manifests|blobs)/[\w:.]+", request.target), request.target
    assert len(world.registry.log) < 500, "it asks without end"


@pytest.mark.parametrize("name", ["index", "manifest"])
def test_docker_content_digest_is_wrong(make_world, name):
    """The head says one thing, the body another: which one the registry means nobody knows."""
    world = make_world()
    world.registry.misbehave(name, kit.head_changed(Docker_Content_Digest="sha256:" + "0" * 64))
    judge(world, world.scan(), REFUSED if name == "index" else EITHER, "digest")


@pytest.mark.parametrize("head", ["kit\x1b[2J", "", "md5:00", "sha512:" + "0" * 128, "sha256:0"])
def test_docker_content_digest_is_none(make_world, head):
    world = make_world()
    world.registry.misbehave("index", kit.head_changed(Docker_Content_Digest=head))
    judge(world, world.scan(), EITHER, world.registry.host)


def test_pinned_digest_of_something_else(make_world):
    """The name says which bytes are meant; a registry that has others under it is not believed, whatever it says."""
    world = make_world()
    other = imagekit.image_of([*ev.base()])
    pinned = world.registry.push(IMAGE, "shop/app")["digest"]
    wrong = world.registry.push(other, "shop/app")["digest"]
    world.registry.manifests["shop/app", pinned] = world.registry.manifests["shop/app", wrong]
    world.registry.misbehave("manifest", kit.head_changed(Docker_Content_Digest=pinned))
    result = world.scan(name=f"{world.registry.host}/shop/app@{pinned}")
    judge(world, result, REFUSED, "digest")
    assert not result.report or not result.report["components"]


def test_a_tag_that_moves(make_world):
    """Each answer is another image: what is reported is one of them, whole, with its digest."""
    world = make_world("none")
    images = [imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", f"1.{n}")]) for n in range(20)]
    for image in images:
        world.registry.push(image, "shop/app", "moves")
    turn = iter(images * 10)

    def another(request, media_type, data):
        return (imagekit.MANIFEST, imagekit.manifest_bytes(next(turn))) if request.reference == "moves" else (media_type, data)
    world.registry.on_manifest = another
    for _ in range(3):
        result = world.scan(name=f"{world.registry.host}/shop/app:moves")
        assert result.code == 0, result
        version = int(result.component("crit-fixed")["version"].partition(".")[2])
        assert result.report["image"]["digest"] == sha256(imagekit.manifest_bytes(images[version]))
        assert len([r for r in world.registry.log if r.reference == "moves"]) == 1, "the tag is asked once"
        world.registry.log.clear()


def test_half_of_the_time(make_world):
    """Half of all answers fail, in all manners that pass: it takes longer, and comes to the same."""
    world, chance = make_world(), random.Random(7)
    passing = [m.fault for m in MANNERS.values() if m.ends == PASSES and m.times and "Retry-After" not in str(m)]
    for phase in PHASES:
        for fault in chance.sample(passing, 2):
            world.registry.misbehave(phase, fault, 1)
    judge(world, world.scan(timeout=10), PASSES, timeout=10)


def test_so_many_manners():
    assert len(MANNERS) + len(GREETINGS) >= 40
