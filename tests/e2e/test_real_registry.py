"""Debian's docker-registry with TLS and htpasswd, and with its token flow by the kit's token server; images are
pushed by skopeo. The same findings as from the archive."""

import base64
import http.client
import json
import os
import secrets
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import imagekit
import registrykit as kit
import scanner
from test_registry import CANARY, USER, assert_same, assert_silent, authority, home  # noqa: F401
from test_sources import the_image

MISSING = kit.programs("docker-registry", "skopeo", "htpasswd", "openssl")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120),
              pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")]
WRITER = "kit-writer"


class SignedTokens(kit.TokenServer):
    """Tokens as docker-registry checks them: a JWT (RS256) with the signer's certificate in its head."""

    def __init__(self, folder, **more):
        self.key, self.certificate = folder / "token.key", folder / "token.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate,
                        "-days", "30", "-subj", "/CN=kit tokens"], check=True, capture_output=True)
        super().__init__(**more)

    def answer(self, request):
        answer = super().answer(request)
        if answer.status == 200:
            user = (request.basic() or ("",))[0]
            asked = request.query.get("scope") or request.form.get("scope", "")
            answer.body = imagekit.dumps({"token": self.signed(user, asked)})
        return answer

    def signed(self, user, scope):
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        allowed = [a for a in actions.split(",") if a == "pull" or user == WRITER]
        now = int(time.time())
        claims = {"iss": "kit", "sub": user, "aud": "kit", "exp": now + 300, "nbf": now - 10, "iat": now, "jti": secrets.token_hex(8),
                  "access": [{"type": kind, "name": name, "actions": allowed}] if name else []}
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).decode()
        text = ".".join(map(unpadded, (imagekit.dumps({"typ": "JWT", "alg": "RS256", "x5c": [der]}), imagekit.dumps(claims))))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), check=True,
                                   capture_output=True).stdout
        return f"{text}.{unpadded(signature)}"


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class RealRegistry:
    """docker-registry on a free port, with a store of its own."""

    def __init__(self, folder, authority, auth):  # noqa: F811
        self.folder, self.authority = folder, authority
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = authority.issue()
        self.host = f"127.0.0.1:{kit.closed_port()}"
        config = {"version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
                  "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
                  "http": {"addr": self.host, "secret": "kit", "tls": {"certificate": str(certificate), "key": str(key)}},
                  "auth": auth}
        (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=self.log, stderr=self.log,
                                        env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
        self._wait()

    def _wait(self):
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                opener.open(f"https://{self.host}/v2/", timeout=5)
                return
            except urllib.error.HTTPError:
                return  # it wants a login
            except OSError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.1)
        raise AssertionError("docker-registry does not answer")

    def push(self, source, name, *args, user=USER):
        folder = self.folder / "trust"
        folder.mkdir(exist_ok=True)
        (folder / "ca.crt").write_bytes(self.authority.certificate.read_bytes())
        done = subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-cert-dir", folder, "--dest-creds", f"{user}:{CANARY}",
                               *args, source, f"docker://{self.host}/{name}"], capture_output=True, text=True,
                              env={**os.environ, "SSL_CERT_FILE": str(self.authority.certificate)})  # for the token server
        assert done.returncode == 0, done.stderr + (self.folder / "log").read_text()[-2000:]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return imagekit.write_archive(tmp_path_factory.mktemp("image") / "image.tar", imagekit.files_docker_old(the_image()))


@pytest.fixture(scope="module", params=["htpasswd", "token"])
def real(request, tmp_path_factory, authority, archive):  # noqa: F811
    """(registry, its kind, its token server), with the image in several forms."""
    folder, tokens = tmp_path_factory.mktemp(request.param), None
    if request.param == "htpasswd":
        users = folder / "users"
        subprocess.run(["htpasswd", "-Bbc", users, USER, CANARY], check=True, capture_output=True)
        auth = {"htpasswd": {"realm": "kit", "path": str(users)}}
    else:
        tokens = SignedTokens(folder, users={USER: CANARY, WRITER: CANARY}, tls=authority.server_context())
        auth = {"token": {"realm": tokens.origin + "/token", "service": "kit", "issuer": "kit", "rootcertbundle": str(tokens.certificate)}}
    registry = RealRegistry(folder / "registry", authority, auth)
    try:
        user = WRITER if tokens else USER
        for name, args in FORMS.items():
            # Made first and pushed as it is: skopeo would else take a blob that it knows in another compression.
            subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", "--dest-compress", *args, f"docker-archive:{archive}", f"dir:{folder / name}"],
                           check=True, capture_output=True)
            registry.push(f"dir:{folder / name}", f"shop/app:{name}", "--preserve-digests", user=user)
        yield registry, request.param, tokens
    finally:
        registry.close()
        if tokens:
            tokens.close()


FORMS = {"docker-gzip": ("--format", "v2s2", "--dest-compress-format", "gzip"), "oci-gzip": ("--format", "oci", "--dest-compress-format", "gzip"),
         "oci-zstd": ("--format", "oci", "--dest-compress-format", "zstd")}


def scan(real, name, home, store, *args, trust=True, **more):  # noqa: F811
    registry, _, _ = real
    trusted = ("--ca-cert", registry.authority.certificate) if trust else ()
    return kit.scan_name(f"{registry.host}/{name}", *trusted, *args, db=store, home=home, **more)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_as_the_archive(real, archive, home, store, form):  # noqa: F811
    registry, kind, tokens = real
    home.docker_config({"auths": {registry.host: kit.entry(USER, CANARY)}})
    result = scan(real, f"shop/app:{form}", home, store, "--verbose")
    assert_same(result)
    assert_silent(result, CANARY)
    known = scanner.scan(archive, db=store)
    assert result.report["components"] == known.report["components"]
    assert result.report["findings"] == known.report["findings"]
    assert [layer["diff_id"] for layer in result.report["image"]["layers"]] == [layer["diff_id"] for layer in known.report["image"]["layers"]]
    again = scan(real, f"shop/app@{result.report['image']['digest']}", home, store)
    assert_same(again)
    assert not home.left_behind()


def test_the_layers_are_what_was_pushed(real, home, store):  # noqa: F811
    """That zstd was really pushed, and that records are shared by diff ID over compressions."""
    digests = {}
    for form in FORMS:
        result = scan(real, f"shop/app:{form}", home, store, "--username", USER, "--password", CANARY)
        assert_same(result)
        digests[form] = [layer["digest"] for layer in result.report["image"]["layers"]]
    assert digests["oci-zstd"] != digests["oci-gzip"]
    assert digests["oci-gzip"] != [layer["diff_id"] for layer in result.report["image"]["layers"]]


@pytest.mark.parametrize("who", ["nobody", "wrong password", "unknown user"])
def test_refused(real, home, store, who):  # noqa: F811
    args = {"nobody": (), "wrong password": ("--username", USER, "--password", "canary-wrong"),
            "unknown user": ("--username", "kit-none", "--password", CANARY)}[who]
    result = scan(real, "shop/app:oci-gzip", home, store, *args)
    assert result.code == 3 and real[0].host in result.stderr, result
    assert_silent(result, CANARY, "canary-wrong")


def test_not_there(real, home, store):  # noqa: F811
    login = ("--username", USER, "--password", CANARY)
    for name in ("shop/app:none", "shop/none:1"):
        result = scan(real, name, home, store, *login)
        assert result.code == 3 and "404" in result.stderr, result


def test_not_trusted(real, home, store):  # noqa: F811
    result = scan(real, "shop/app:oci-gzip", home, store, "--username", USER, "--password", CANARY, trust=False)
    assert result.code == 3 and "certificate" in result.stderr, result
    assert_same(scan(real, "shop/app:oci-gzip", home, store, "--username", USER, "--password", CANARY, "--insecure", trust=False))


def test_the_kits_registry_is_like_the_real_one(real, archive, home, store):  # noqa: F811
    """What the other tests rest on: the kit answers as this one does, in what a client reads."""
    registry, kind, tokens = real
    if kind != "htpasswd":
        pytest.skip("one kind is enough")
    context = ssl.create_default_context(cafile=str(registry.authority.certificate))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    login = "Basic " + base64.b64encode(f"{USER}:{CANARY}".encode()).decode()

    def ask(origin, path, method="GET", **headers):
        request = urllib.request.Request(origin + path, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with opener.open(request) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as answer:
            try:
                return answer.status, dict(answer.headers), answer.read()
            except http.client.IncompleteRead as short:  # docker-registry's 416 tells the length of the blob
                return answer.status, dict(answer.headers), short.partial
    real_origin = f"https://{registry.host}"
    _, _, manifest = ask(real_origin, "/v2/shop/app/manifests/oci-gzip", Authorization=login, Accept=imagekit.MANIFEST)
    layer = json.loads(manifest)["layers"][1]
    _, _, blob = ask(real_origin, f"/v2/shop/app/blobs/{layer['digest']}", Authorization=login)
    with kit.Registry(auth=kit.Basic({USER: CANARY})) as made:
        made.put_manifest("shop/app", manifest, imagekit.MANIFEST, "oci-gzip")
        made.put_blob(blob)
        path = f"/v2/shop/app/blobs/{layer['digest']}"
        questions = [("/v2/", {}), ("/v2/", {"Authorization": login}),
                     ("/v2/shop/app/manifests/oci-gzip", {"Authorization": login, "Accept": imagekit.MANIFEST}),
                     ("/v2/shop/app/manifests/none", {"Authorization": login}), (path, {"Authorization": login}),
                     (path, {"Authorization": login, "Range": "bytes=10-19"}), (path, {"Authorization": login, "Range": "bytes=10-"}),
                     (path, {"Authorization": login, "Range": "bytes=999999999-"}), (path, {"Authorization": login, "method": "HEAD"}),
                     ("/v2/shop/app/blobs/sha256:" + "0" * 64, {"Authorization": login})]
        for where, headers in questions:
            theirs, ours = ask(real_origin, where, **headers), ask(made.origin, where, **headers)
            assert theirs[0] == ours[0], f"{where} {headers}: {theirs[0]} there, {ours[0]} here"
            if theirs[0] in (200, 206):
                assert theirs[2] == ours[2], where
                for name in ("Docker-Content-Digest", "Content-Range", "Content-Length"):
                    assert theirs[1].get(name) == ours[1].get(name), (where, headers, name)
            elif theirs[2] and theirs[1].get("Content-Type", "").startswith("application/json"):
                assert json.loads(theirs[2])["errors"][0]["code"] == json.loads(ours[2])["errors"][0]["code"], where
