"""A registry in this process, that speaks OCI distribution 1.1 and misbehaves on demand.

A `Server` is HTTP/1.1 over threads; it writes down every request. `Registry` serves images of imagekit,
`TokenServer` gives the tokens of Docker's token authentication, `Proxy` is a forward proxy with CONNECT.
`server.misbehave(phase, fault, times)` has a fault answer instead; The faults are at the end: a
fault is a function (connection, request, answer) that writes what it likes and returns whether the
connection stays open. `scan_name` runs plimsoll on a name, with a home, a cache and a TMPDIR of its own.
"""

import base64
import functools
import json
import os
import pathlib
import secrets
import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse
from dataclasses import dataclass, field, replace

import imagekit
import scanner
from imagekit import dumps, sha256

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
OCI_FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
AS_DOCKER = {imagekit.CONFIG: DOCKER_CONFIG, imagekit.MANIFEST: DOCKER_MANIFEST, imagekit.INDEX: DOCKER_LIST,
             imagekit.LAYER: DOCKER_LAYER, imagekit.LAYER + "+gzip": DOCKER_LAYER + ".gzip",
             imagekit.LAYER + "+zstd": DOCKER_LAYER + ".zstd"}
REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 307: "Temporary Redirect", 400: "Bad Request",
           401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 416: "Range Not Satisfiable", 429: "Too Many Requests",
           500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
PIECE = 64 * 1024
# What would lead requests or look-ups of credentials elsewhere; some tell empty from unset, so it is taken out.
STEERING = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
            "SSL_CERT_FILE", "SSL_CERT_DIR", "DOCKER_CONFIG", "DOCKER_CONTEXT", "REGISTRY_AUTH_FILE")


# -- TLS --------------------------------------------------------------------------------------------

class Authority:
    """A certificate authority of one's own, by the openssl program."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key, self.certificate, self.issued = self.folder / "ca.key", self.folder / "ca.pem", 0
        self._openssl("req", "-x509", *self._new_key(self.key), "-days", "30", "-subj", "/CN=kit CA", "-out", self.certificate,
                      "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    @staticmethod
    def _openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)

    @staticmethod
    def _new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path

    @functools.cache
    def issue(self, names="IP:127.0.0.1,IP:127.0.0.2,DNS:localhost,DNS:registry.test,DNS:other.test", days=30, self_signed=False):
        """(certificate, key) for these names; days below 0 make one that has ended."""
        self.issued += 1
        key, wish, made = (self.folder / f"{self.issued}.{ending}" for ending in ("key", "csr", "pem"))
        self._openssl("req", *self._new_key(key), "-subj", "/CN=kit", "-addext", f"subjectAltName={names}", "-out", wish)
        signer = ("-key", key) if self_signed else ("-CA", self.certificate, "-CAkey", self.key)
        self._openssl("x509", "-req", "-in", wish, *signer, "-days", days, "-copy_extensions", "copyall", "-out", made)
        return made, key

    def server_context(self, names=None, client_ca=None, **more):
        """For Server(tls=…); with `client_ca` a client has to show a certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(self.issue(names, **more) if names else self.issue(**more)))
        if client_ca:
            context.load_verify_locations(client_ca.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


# -- HTTP -------------------------------------------------------------------------------------------

@dataclass
class Request:
    method: str
    target: str
    headers: dict          # names in lower case
    body: bytes = b""
    server: object = None
    phase: str = ""        # ping, token, index, manifest, config, layer; empty: something else
    reference: str = ""    # tag or digest
    number: int = 0        # how many of this method and target came before on this server

    @property
    def path(self):
        return urllib.parse.urlsplit(self.target).path

    @property
    def query(self):
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.target).query))

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode("latin-1")))

    @property
    def host(self):
        return self.headers.get("host", "")

    @property
    def authorization(self):
        return self.headers.get("authorization", "")

    def basic(self):
        """(user, password) of Basic authentication, or None."""
        kind, _, rest = self.authorization.partition(" ")
        if kind.lower() != "basic":
            return None
        user, _, password = base64.b64decode(rest).decode().partition(":")
        return user, password

    def text(self):
        """All of it, with Basic's base64 opened, to look for secrets in."""
        pair = ":".join(self.basic() or ())
        return "\n".join([self.method, self.target, urllib.parse.unquote_plus(self.target), *map(str, self.headers.items()), pair,
                          self.body.decode("latin-1"), urllib.parse.unquote_plus(self.body.decode("latin-1"))])


@dataclass
class Answer:
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    def head(self, **changes):
        """The head as bytes; a change of None leaves a header out, `_` in a name stands for `-`."""
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        if self.status == 204:
            del headers["Content-Length"]
        for name, value in changes.items():
            headers = {k: v for k, v in headers.items() if k.lower() != name.replace("_", "-").lower()}
            if value is not None:
                headers[name.replace("_", "-")] = str(value)
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def error_answer(status, code, message, **headers):
    """A refusal in the form of the distribution specification."""
    return Answer(status, {"Content-Type": "application/json", **headers},
                  dumps({"errors": [{"code": code, "message": message, "detail": None}]}))


class Gone(Exception):
    """The client has left."""


class Connection:
    """One connection: reads requests, writes bytes, waits."""

    def __init__(self, server, sock):
        self.server, self.sock, self.buffer = server, sock, b""

    def _fill(self):
        try:
            more = self.sock.recv(PIECE)
        except (OSError, ValueError) as error:
            raise Gone from error
        if not more:
            raise Gone
        self.buffer += more

    def read_request(self):
        while b"\r\n\r\n" not in self.buffer:
            if self.buffer[:1] == b"\x16":  # a TLS hello where there is no TLS; answered as Go's server does
                self.server.hellos += 1
                self.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nthis is no TLS")
                raise Gone
            self._fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for name, _, value in (line.partition(":") for line in lines):
            name = name.strip().lower()  # one that is there twice is a list
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self._fill()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Request(method, target, headers, body, self.server)

    def write(self, data):
        try:
            self.sock.sendall(data)
        except (OSError, ValueError) as error:
            raise Gone from error

    def wait(self, seconds):
        """Does nothing for so long, but notices when the client leaves or the server ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.server.closing.is_set():
                raise Gone
            if select.select([self.sock], [], [], min(0.05, max(0, end - time.monotonic())))[0]:
                self._fill()

    def reset(self):
        """RST instead of an orderly end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone


def plain(connection, request, answer):
    """What a good server does."""
    connection.write(answer.head() + (b"" if request.method == "HEAD" else answer.body))
    return True


class Server:
    """HTTP/1.1 on one address; a subclass or `handler` says what is answered."""

    def __init__(self, handler=None, tls=None, address="127.0.0.1", greet=None):
        self.tls, self.address, self.greet = tls, address, greet
        self.answer = handler or self.answer
        self.log, self.hellos, self.accepted, self.handshakes_failed, self.faults = [], 0, 0, [], []
        self.closing, self._lock, self._open = threading.Event(), threading.Lock(), set()
        self._listener = socket.create_server((address, 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.host = f"{address}:{self.port}"
        self.origin = f"{'https' if tls else 'http'}://{self.host}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.closing.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        with self._lock:
            left = list(self._open)
        for sock in left:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def answer(self, request):
        return error_answer(404, "NOT_FOUND", "nothing is here")

    def misbehave(self, phase, fault, times=None, only=None):
        """Requests of that phase ("" is any) are answered by `fault`: the first `times`, those for which
        only(request) holds."""
        self.faults.append([phase, fault, times, only])
        return self

    def requests(self, phase=None, method=None, reference=None):
        with self._lock:
            return [r for r in self.log if (phase is None or r.phase == phase) and (method is None or r.method == method)
                    and (reference is None or r.reference == reference)]

    def saw(self, secret):
        """The requests that hold a secret, in whatever place or dress."""
        return [r for r in self.requests() if secret in r.text()]

    # what requests are about; a subclass knows
    def classify(self, request):
        pass

    def _accept(self):
        while not self.closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self._lock:
            self._open.add(sock)
        raw = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.greet:
                self.greet(Connection(self, sock))
                return
            sock.settimeout(20)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._open = {sock if s is raw else s for s in self._open}
            connection = Connection(self, sock)
            while self._one(connection):
                pass
        except Gone:
            pass
        except OSError as error:  # a handshake that failed
            self.handshakes_failed.append(str(error))
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _one(self, connection):
        request = connection.read_request()
        self.classify(request)
        with self._lock:
            request.number = sum(r.method == request.method and r.target == request.target for r in self.log)
            self.log.append(request)
            act = self._fault_for(request)
        answer = self.answer(request)
        return (act or plain)(connection, request, answer) and request.headers.get("connection", "").lower() != "close"

    def _fault_for(self, request):
        for entry in self.faults:
            phase, fault, times, only = entry
            if (phase and phase != request.phase) or times == 0 or (only and not only(request)):
                continue
            if times is not None:
                entry[2] -= 1
            return fault
        return None


# -- authentication -----------------------------------------------------------------------------------

class Basic:
    """User names and passwords, as htpasswd has them."""

    def __init__(self, users):
        self.users = users

    def refuse(self, request):
        """The answer to a request that may not pass, or None."""
        pair = request.basic()
        if pair and self.users.get(pair[0]) == pair[1]:
            return None
        return error_answer(401, "UNAUTHORIZED", "authentication required", **{"WWW-Authenticate": 'Basic realm="kit, the registry"'})


class TokenServer(Server):
    """Docker's token authentication: GET with Basic or without, POST with an identity token."""

    def __init__(self, users=None, identities=None, uses=None, field="token", **more):
        self.users, self.identities = users, identities or {}
        self.uses, self.field = uses, field
        self.given, self.realm, self.challenge = {}, None, None  # token → [scope, uses left]
        super().__init__(**more)

    def classify(self, request):
        request.phase = "token"

    def answer(self, request):
        asked, user = request.query, None
        if request.method == "POST":
            asked = request.form
            user = self.identities.get(asked.get("refresh_token")) if asked.get("grant_type") == "refresh_token" else None
            allowed = user is not None
        else:
            user = request.basic()
            allowed = self.users is None and user is None or user is not None and (self.users or {}).get(user[0]) == user[1]
        if not allowed:
            return error_answer(401, "UNAUTHORIZED", "incorrect username or password")
        token = "kit-" + secrets.token_hex(16)
        self.given[token] = [asked.get("scope", ""), self.uses]
        return Answer(200, {"Content-Type": "application/json"}, dumps({self.field: token, "expires_in": 300}))

    # -- on the registry's side

    def refuse(self, request):
        kind, _, token = request.authorization.partition(" ")
        scope = f"repository:{request.server.repository_of(request)}:pull"
        known = self.given.get(token) if kind.lower() == "bearer" else None
        if known and known[0] == scope and known[1] != 0:
            known[1] = None if known[1] is None else known[1] - 1
            return None
        challenge = self.challenge or f'Bearer realm="{self.realm or self.origin + "/token"}",service="kit",scope="{scope}"'
        return error_answer(401, "UNAUTHORIZED", "authentication required", **{"WWW-Authenticate": challenge})


class FixedToken:
    """One bearer token that was handed out beforehand."""

    def __init__(self, token):
        self.token = token

    def refuse(self, request):
        if request.authorization == f"Bearer {self.token}":
            return None
        return error_answer(401, "UNAUTHORIZED", "authentication required",
                            **{"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:9/token",service="kit"'})


# -- the registry -------------------------------------------------------------------------------------

def with_media(manifest, media):
    """A manifest or index (as parsed) with OCI's or Docker's media types."""
    if isinstance(manifest, dict):
        return {key: with_media(value, media) for key, value in manifest.items()}
    if isinstance(manifest, list):
        return [with_media(value, media) for value in manifest]
    return AS_DOCKER.get(manifest, manifest) if media == "docker" and isinstance(manifest, str) else manifest


class Registry(Server):
    """Serves /v2/. Blobs are shared by all repositories."""

    def __init__(self, auth=None, **more):
        self.auth = auth
        self.blobs, self.blob_phase, self.manifests = {}, {}, {}
        self.referrers = None  # digest → descriptors; None: this registry has no such API
        self.on_manifest = None  # (request, media type, bytes) → (media type, bytes): to tell each reader something else
        super().__init__(**more)

    def close(self):
        super().close()
        if isinstance(self.auth, Server):
            self.auth.close()

    def misbehave(self, phase, fault, times=None, only=None):
        """As Server's; the phase "token" is passed on to the token server."""
        if phase == "token" and isinstance(self.auth, Server):
            self.auth.misbehave(phase, fault, times, only)
            return self
        return super().misbehave(phase, fault, times, only)

    # -- what is put in

    def put_blob(self, data, phase="layer", digest=None):
        digest = digest or sha256(data)
        self.blobs[digest] = data
        self.blob_phase[digest] = phase
        return digest

    def put_manifest(self, name, data, media_type, *tags, digest=None):
        digest = digest or sha256(data)
        for reference in (digest, *tags):
            self.manifests[name, reference] = (media_type, data)
        return digest

    def push(self, image, name="app", *tags, media="oci", change=None):
        """An image as one manifest; change(manifest as parsed) may alter it. Its descriptor."""
        for blob in image.blobs():
            self.put_blob(blob)
        self.put_blob(image.config_bytes(), "config")
        manifest = with_media(json.loads(imagekit.manifest_bytes(image)), media)
        if change:
            manifest = change(manifest) or manifest
        data = dumps(manifest)
        self.put_manifest(name, data, manifest.get("mediaType", imagekit.MANIFEST), *tags)
        return imagekit.descriptor(manifest.get("mediaType", imagekit.MANIFEST), data, platform=imagekit.platform_of(image))

    def push_attestation(self, image, name="app"):
        """An attestation manifest about an image; its descriptor."""
        (statement, config, manifest), descriptor = imagekit.attestation(image)
        self.put_blob(statement)
        self.put_blob(config, "config")
        self.put_manifest(name, manifest, imagekit.MANIFEST)
        return descriptor

    def push_index(self, descriptors, name="app", *tags, media="oci"):
        """An index of these descriptors; its own descriptor."""
        index = with_media(json.loads(imagekit.index_bytes(descriptors)), media)
        data = dumps(index)
        self.put_manifest(name, data, index["mediaType"], *tags)
        return imagekit.descriptor(index["mediaType"], data)

    # -- what is answered

    @staticmethod
    def repository_of(request):
        for word in ("/manifests/", "/blobs/"):
            if word in request.path:
                return request.path.removeprefix("/v2/").rpartition(word)[0]
        return ""

    def classify(self, request):
        path = request.path
        request.reference = urllib.parse.unquote(path.rpartition("/")[2])
        if path in ("/v2/", "/v2"):
            request.phase = "ping"
        elif "/manifests/" in path:
            kept = self.manifests.get((self.repository_of(request), request.reference), ("", b""))
            request.phase = "index" if "index" in kept[0] or "manifest.list" in kept[0] else "manifest"
        elif "/blobs/" in path:
            request.phase = self.blob_phase.get(request.reference, "layer")

    def answer(self, request):
        if self.auth and (refused := self.auth.refuse(request)):
            return refused
        return self.serve(request)

    def serve(self, request):
        """The answer to whoever may read."""
        if request.method not in ("GET", "HEAD"):
            return error_answer(405, "UNSUPPORTED", "this registry is only read")
        if request.phase == "ping":
            return Answer(200, {"Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0"}, b"{}")
        if request.phase in ("index", "manifest"):
            return self._manifest(request)
        if "/referrers/" in request.path and self.referrers is not None:
            found = dumps({"schemaVersion": 2, "mediaType": imagekit.INDEX,
                           "manifests": self.referrers.get(request.reference, [])})
            return Answer(200, {"Content-Type": imagekit.INDEX}, found)
        if request.reference in self.blobs and "/blobs/" in request.path:
            return blob_answer(request, self.blobs[request.reference])
        return error_answer(404, "BLOB_UNKNOWN", "blob unknown to registry")

    def _manifest(self, request):
        kept = self.manifests.get((self.repository_of(request), request.reference))
        if not kept:
            return error_answer(404, "MANIFEST_UNKNOWN", "manifest unknown")
        media_type, data = self.on_manifest(request, *kept) if self.on_manifest else kept
        accepted = [part.partition(";")[0].strip() for part in request.headers.get("accept", "*/*").split(",")]
        if media_type not in accepted and "*/*" not in accepted and media_type in (*AS_DOCKER, *AS_DOCKER.values()):
            return error_answer(404, "MANIFEST_UNKNOWN", "OCI manifest found, but Accept header does not support it")
        return Answer(200, {"Content-Type": media_type, "Docker-Content-Digest": sha256(data), "ETag": f'"{sha256(data)}"'}, data)

    # -- what was asked

    def layers_fetched(self):
        """The digests of the layer blobs of which any byte was asked for, sorted."""
        return sorted({r.reference for r in self.requests("layer", "GET")})


def blob_answer(request, data):
    """A blob, or the range of it that was asked for (RFC 9110, 14)."""
    digest = sha256(data)
    headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest, "ETag": f'"{digest}"',
               "Accept-Ranges": "bytes"}
    asked = request.headers.get("range", "")
    if not asked.startswith("bytes=") or "," in asked or request.headers.get("if-range", f'"{digest}"') != f'"{digest}"':
        return Answer(200, headers, data)
    first, _, last = asked[6:].partition("-")
    start = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start > end:
        return Answer(416, {"Content-Range": f"bytes */{len(data)}"})
    return Answer(206, {**headers, "Content-Range": f"bytes {start}-{end}/{len(data)}"}, data[start:end + 1])


class BlobHost(Server):
    """Another host to which a registry redirects for its blobs: /DIGEST, without authentication."""

    def __init__(self, registry, **more):
        self.registry = registry
        super().__init__(**more)

    def classify(self, request):
        request.phase, request.reference = "layer", request.path[1:]

    def answer(self, request):
        data = self.registry.blobs.get(request.reference)
        return blob_answer(request, data) if data is not None else Answer(404)

    def send_here(self, connection, request, answer):
        """The fault for the registry."""
        return plain(connection, request, Answer(307, {"Location": f"{self.origin}/{request.reference}?signature=kit"}))


# -- a forward proxy ------------------------------------------------------------------------------------

class Proxy(Server):
    """CONNECT for https, whole URLs for http. `hosts` gives made-up names an address: {"registry.test": "127.0.0.1"}."""

    def __init__(self, hosts=None, users=None, **more):
        self.hosts, self.users = hosts or {}, users
        super().__init__(**more)

    def _one(self, connection):
        request = connection.read_request()
        with self._lock:
            self.log.append(request)
        if self.users is not None:
            kind, _, rest = request.headers.get("proxy-authorization", "").partition(" ")
            user, _, password = base64.b64decode(rest).decode().partition(":") if kind == "Basic" else ("", "", "")
            if self.users.get(user, "") != password or not user:
                return plain(connection, request, Answer(407, {"Proxy-Authenticate": 'Basic realm="kit"'}))
        url = urllib.parse.urlsplit(f"//{request.target}" if request.method == "CONNECT" else request.target)
        try:
            other = socket.create_connection((self.hosts.get(url.hostname, url.hostname), url.port or 80), timeout=10)
        except OSError:
            return plain(connection, request, Answer(502))
        with other:
            if request.method == "CONNECT":
                connection.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = request.target.partition(url.netloc)[2] or "/"
                lines = [f"{k}: {v}" for k, v in request.headers.items() if not k.startswith("proxy-") and k != "connection"]
                head = "\r\n".join([f"{request.method} {path} HTTP/1.1", *lines, "connection: close", "", ""])
                other.sendall(head.encode("latin-1") + request.body)
            self._pump(connection.sock, other)
        raise Gone

    def _pump(self, one, two):
        while not self.closing.is_set():
            for sock in select.select([one, two], [], [], 0.1)[0]:
                data = sock.recv(PIECE)
                if not data:
                    return
                (two if sock is one else one).sendall(data)


# -- faults: of one answer --------------------------------------------------------------------------------

def _changed(change):
    """A fault that sends another answer, in good order."""
    return lambda connection, request, answer: plain(connection, request, change(answer))


def instead(status, body=b"", **headers):
    """Another status and body; `_` in a header's name stands for `-`."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return _changed(lambda answer: Answer(status, told, body))


def says(answer):
    return _changed(lambda _: answer)


def head_changed(**headers):
    return _changed(lambda answer: replace(answer, headers={
        **{k: v for k, v in answer.headers.items() if k.lower() not in {n.replace("_", "-").lower() for n in headers}},
        **{n.replace("_", "-"): v for n, v in headers.items() if v is not None}}))


def body_changed(change):
    """change(bytes) → bytes, with the right length."""
    return _changed(lambda answer: replace(answer, body=change(answer.body)))


def flip(data):
    """The same length, one byte other."""
    return data[:len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1:] if data else data


def cut(after, reset=False):
    """Breaks off after so many bytes of the body; a share of it below 1, from the end below 0."""
    def fault(connection, request, answer):
        length = len(answer.body)
        at = int(length * after) if isinstance(after, float) else after if after >= 0 else length + after
        connection.write(answer.head() + answer.body[:max(0, at)])
        if reset:
            time.sleep(0.05)  # what was written shall arrive
            connection.reset()
        return False
    return fault


def cut_head(connection, request, answer):
    connection.write(answer.head()[:-10])
    return False


def hang_up(connection, request, answer):
    return False


def reset(connection, request, answer):
    connection.reset()


def stall(after=None):
    """Sends so many bytes of the body (None: nothing, not even a head), then nothing more."""
    def fault(connection, request, answer):
        if after is not None:
            at = int(len(answer.body) * after) if isinstance(after, float) else after
            connection.write(answer.head() + answer.body[:at])
        connection.wait(60)
        return False
    return fault


def drip(connection, request, answer):
    """One byte of the body a second."""
    connection.write(answer.head())
    for at in range(len(answer.body)):
        connection.write(answer.body[at:at + 1])
        connection.wait(1)
    return True


def slow_head(connection, request, answer):
    """Slowloris from the other side: a byte of the head every tenth of a second, and there is no end to it."""
    connection.write(answer.head()[:-2])
    for byte in b"X-Slow: " + b"a" * 1000:
        connection.write(bytes([byte]))
        connection.wait(0.1)
    return False


def length_told(change):
    """Content-Length of change(real length); the body is whole, and the connection then ends."""
    def fault(connection, request, answer):
        connection.write(answer.head(Content_Length=change(len(answer.body))) + answer.body)
        return False
    return fault


def lengths_told_twice(connection, request, answer):
    head = answer.head()
    connection.write(head[:-2] + b"Content-Length: 7\r\n\r\n" + answer.body)
    return False


def endless(chunked=True, filler=b" "):
    """The body, and then more for as long as someone reads."""
    def fault(connection, request, answer):
        connection.write(answer.head(Content_Length=None, **({"Transfer_Encoding": "chunked"} if chunked else {})))
        piece = answer.body or filler
        while True:
            connection.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            piece = filler * PIECE
            if connection.server.closing.is_set():
                raise Gone
    return fault


def huge(size=1 << 30):
    """A body of 1 GiB, as announced: the real one, then spaces."""
    def fault(connection, request, answer):
        connection.write(answer.head(Content_Length=size) + answer.body)
        for _ in range(size // PIECE):
            connection.write(b" " * PIECE)
            if connection.server.closing.is_set():
                raise Gone
        return False
    return fault


def chunked(connection, request, answer):
    """A good answer in chunks, with an extension and a trailer."""
    connection.write(answer.head(Content_Length=None, Transfer_Encoding="chunked"))
    for at in range(0, len(answer.body), 1000):
        piece = answer.body[at:at + 1000]
        connection.write(b"%x;kit=1\r\n%s\r\n" % (len(piece), piece))
    connection.write(b"0\r\nX-Trailer: kit\r\n\r\n")
    return True


def bad_chunks(connection, request, answer):
    connection.write(answer.head(Content_Length=None, Transfer_Encoding="chunked") + b"zz\r\n" + answer.body)
    return False


def chunks_without_end(connection, request, answer):
    connection.write(answer.head(Content_Length=None, Transfer_Encoding="chunked")
                     + b"%x\r\n%s\r\n" % (len(answer.body), answer.body))
    return False


def until_close(connection, request, answer):
    """A good answer without a length: its end is the connection's."""
    connection.write(answer.head(Content_Length=None, Connection="close") + answer.body)
    return False


def trailing(data=b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"):
    """More behind the end of the answer, as if it were the next one."""
    def fault(connection, request, answer):
        connection.write(answer.head() + answer.body + data)
        return True
    return fault


def interim(count=1, line=b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"):
    """Answers of 1xx before the real one; without a count there is no end to them."""
    def fault(connection, request, answer):
        sent = 0
        while sent != count:
            connection.write(line * (100 if count is None else 1))
            sent += 1
            if connection.server.closing.is_set():
                raise Gone
        return plain(connection, request, answer)
    return fault


def headers_many(count, size):
    """So many headers more, of that size."""
    def fault(connection, request, answer):
        connection.write(answer.head()[:-2])
        for n in range(count):
            connection.write(b"X-Kit-%d: %s\r\n" % (n, b"a" * size))
        connection.write(b"\r\n" + answer.body)
        return True
    return fault


def garbage(data):
    """Bytes that are no HTTP."""
    def fault(connection, request, answer):
        connection.write(data)
        return False
    return fault


def encoded(coding="gzip", pack=True):
    """Content-Encoding: gzip, though nobody asked for it."""
    def fault(connection, request, answer):
        body = imagekit.gzip_member(answer.body) if pack else answer.body
        return plain(connection, request, replace(answer, body=body, headers={**answer.headers, "Content-Encoding": coding}))
    return fault


def no_range(connection, request, answer):
    """The whole thing, also where a part is asked for."""
    blob = request.server.blobs.get(request.reference)
    return plain(connection, request, Answer(200, {}, blob) if answer.status in (206, 416) and blob is not None else answer)


def range_elsewhere(shift=1, told=True):
    """Asked for a range, another one; told as it is, or as if it were the right one."""
    def fault(connection, request, answer):
        if answer.status != 206:
            return plain(connection, request, answer)
        blob = request.server.blobs[request.reference]
        span, _, total = answer.headers["Content-Range"].removeprefix("bytes ").partition("/")
        start, end = (int(n) for n in span.split("-"))
        at = max(0, start - shift)
        headers = {**answer.headers, **({"Content-Range": f"bytes {at}-{end - (start - at)}/{total}"} if told else {})}
        return plain(connection, request, replace(answer, headers=headers, body=blob[at:at + len(answer.body)]))
    return fault


def after_cut(share, then):
    """The first answer is cut; the attempts to go on are answered by `then`."""
    def fault(connection, request, answer):
        return (then if request.number else cut(share))(connection, request, answer)
    return fault


def redirect(location, status=307):
    """`location` is an address, or request → address."""
    def fault(connection, request, answer):
        where = location(request) if callable(location) else location
        return plain(connection, request, Answer(status, {"Location": where} if where is not None else {}))
    return fault


def redirect_loop(connection, request, answer):
    """Always a little further on the same server."""
    path, _, query = request.target.partition("?")
    return plain(connection, request, Answer(302, {"Location": f"{path}?{query}x"}))


def retry_after(seconds):
    """As an HTTP date."""
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


# -- faults: of a whole connection (Server(greet=…)) -------------------------------------------------------

def never_answers(connection):
    connection.wait(60)


def speaks(data):
    """Says this as soon as someone connects."""
    def greet(connection):
        connection.write(data)
        try:
            connection.wait(0.2)
        except Gone:
            pass
    return greet


def floods(data):
    """The same, without end."""
    def greet(connection):
        while not connection.server.closing.is_set():
            connection.write(data)
    return greet


def closed_port(address="127.0.0.1"):
    """A port where nobody listens."""
    with socket.create_server((address, 0)) as taken:
        return taken.getsockname()[1]


# -- running plimsoll ---------------------------------------------------------------------------------------

class Home:
    """What a user has around: home, cache, temporary folder, a PATH; all empty at first."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.home, self.cache, self.tmp, self.bin, self.runtime = (
            self.folder / name for name in ("home", "cache", "tmp", "bin", "run"))
        for path in (self.home, self.cache, self.tmp, self.bin, self.runtime):
            path.mkdir(parents=True, exist_ok=True)
        self.mark = secrets.token_hex(8)
        for name in STEERING:
            os.environ.pop(name, None)

    def environment(self, extra=None):
        return {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.cache), "TMPDIR": str(self.tmp),
                "XDG_RUNTIME_DIR": str(self.runtime), "PATH": f"{self.bin}:{os.environ['PATH']}",
                "PLIMSOLL_TEST_BACKOFF_MS": "1", "PLIMSOLL_NO_CACHE": "", "REGISTRY_KIT_MARK": self.mark,
                "DOCKER_HOST": f"unix://{self.runtime}/none.sock", "CONTAINERD_ADDRESS": f"{self.runtime}/none.sock",
                **(extra or {})}

    def docker_config(self, config, folder=".docker", name="config.json"):
        """config.json, in HOME unless another folder is named; its path."""
        path = self.home / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(config))
        return path

    def helper(self, name, user, secret, log=None):
        """docker-credential-NAME on the PATH, which knows one pair for whatever host; it writes down argv and input."""
        path = self.bin / f"docker-credential-{name}"
        log = log or self.folder / "helper.log"
        path.write_text(f"#!/bin/sh\nread server\necho \"$0 $* $server\" >> '{log}'\n"
                        f"printf '%s' '{json.dumps({'ServerURL': 'kit', 'Username': user, 'Secret': secret})}'\n")
        path.chmod(0o755)
        return log

    def left_behind(self):
        """Files in TMPDIR, and processes that still run."""
        alive = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (process / "environ").read_bytes():
                    alive.append(process.name)
            except OSError:
                pass
        return [str(p) for p in self.tmp.rglob("*")] + alive


def entry(user, password, **more):
    """An entry of "auths" in Docker's config.json."""
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode(), **more}


def scan_name(name, *args, db=None, home, env=None, prefix="registry:", timeout=60, **more):
    """`plimsoll image registry:NAME` in that home; the result also has .seconds."""
    store = ["--db", db] if db else []
    begin = time.monotonic()
    result = scanner.run("image", prefix + name, "-f", "json", *store, *args, env=home.environment(env), timeout=timeout, **more)
    result.seconds = time.monotonic() - begin
    if result.out.strip():
        result.report = scanner._report_in(result.stdout)
        assert result.verdict["exit_code"] == result.code, result
        assert result.code != 3 or result.errors, f"exit 3 without errors[]\n{result!r}"
    assert result.code != 3 or result.stderr.strip(), f"exit 3 without a word on stderr\n{result!r}"
    return result


def programs(*names):
    """Those of these programs that are not there."""
    return [name for name in names if not shutil.which(name)]
