"""Images from a registry, as they should come: the same findings as from an archive, credentials to those
whom they are for, and no byte fetched or kept that is not needed."""

import base64
import json
import os
import pathlib
import resource
import signal
import subprocess
import time
import urllib.parse

import pytest

import advisories
import evidence as ev
import imagekit
import registrykit as kit
import scanner
import tarkit
from imagekit import COMPRESSIONS, Image, sha256
from registrykit import entry, scan_name
from tarkit import file, tar_of
from test_sources import AMD, ARM, ARM7, COMPONENTS, FINDINGS, the_image, versions

USER = "kit-user"
CANARY = "canary-3f9a/+=Öß"  # with what base64, URLs and forms have to escape


@pytest.fixture
def home(tmp_path):
    return kit.Home(tmp_path / "user")


@pytest.fixture
def serve():
    """serve(Registry or another server) closes it at the end."""
    servers = []

    def start(server):
        servers.append(server)
        return server
    yield start
    for server in servers:
        server.close()


@pytest.fixture
def registry(serve):
    return serve(kit.Registry())


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    if kit.programs("openssl"):
        pytest.skip("openssl is not installed")
    return kit.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def scan(home, store):
    """scan(name, *args) with this test's home and the standard store."""
    def run(name, *args, **more):
        return scan_name(name, *args, **{"db": store, "home": home, **more})
    return run


def assert_same(result):
    assert result.code == 0, result
    assert result.components() == COMPONENTS
    assert result.findings() == FINDINGS


def refused(result, *named):
    """Exit 3, nothing on stdout that looks like a result, each of `named` in what was said."""
    assert result.code == 3, result
    for word in named:
        assert word.lower() in result.complaints().lower(), f"{word!r} is not named\n{result!r}"


def assert_silent(result, *secrets):
    """No secret in any output, neither as it is nor dressed for a header or a URL."""
    for secret in secrets:
        for dressed in dresses(secret):
            assert dressed not in result.out and dressed not in result.err, f"{dressed!r} was printed\n{result!r}"


def dresses(secret):
    forms = {secret, urllib.parse.quote(secret), urllib.parse.quote(secret, ""), urllib.parse.quote_plus(secret),
             json.dumps(secret)[1:-1], base64.b64encode(f"{USER}:{secret}".encode()).decode()}
    return {form.encode() for form in forms}


def assert_not_kept(home, secret, *known):
    """No file that plimsoll made holds the secret; `known` are those that the test wrote."""
    for path in home.folder.rglob("*"):
        if path.is_file() and path not in known:
            assert not any(d in path.read_bytes() for d in dresses(secret)), f"{path} holds a secret"


# -- the same as from an archive ------------------------------------------------------------------------

@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("media", ["oci", "docker"])
def test_the_same_as_the_archive(tmp_path, store, scan, registry, media, compression):
    image = the_image(compression=compression)
    registry.push(image, "shop/app", "1", media=media)
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_oci(image))
    result, archive = scan(f"{registry.host}/shop/app:1"), scanner.scan(path, db=store)
    assert_same(result)
    assert_same(archive)
    for part in ("components", "findings", "vulnerabilities", "not_judged"):
        assert result.report.get(part) == archive.report.get(part), part
    assert result.report["image"]["layers"] == archive.report["image"]["layers"]
    assert result.report["image"]["config_digest"] == archive.report["image"]["config_digest"]


def test_layers_each_in_its_way(scan, registry):
    registry.push(the_image(compression=["zstd", "none", "gzip-members"]), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))


def test_a_layer_that_is_there_twice(scan, registry):
    tars = [tar_of(layer) for layer in ([*ev.base(), *ev.dist_info("gone", "1.0")], [tarkit.whiteout(f"{ev.SITE}/gone-1.0.dist-info")])]
    registry.push(Image([tars[0], tars[1], tars[0]], compression="gzip"), "app", "1")
    result = scan(f"{registry.host}/app:1", "--no-cache")
    assert result.code == 0, result
    assert ("pypi", "gone", "1.0", 2) in result.components(), "put back by the last layer"
    assert len(registry.requests("layer", "GET")) == 2, "the same blob is fetched once"


def test_media_type_lies_about_the_compression(scan, registry):
    for told in ("none", "gzip", "zstd"):
        registry.push(the_image(compression="zstd", media_type=imagekit.MEDIA[told]), "app", told)
        assert_same(scan(f"{registry.host}/app:{told}", "--no-cache"))


def test_content_type_with_parameters(scan, registry):
    registry.push(the_image(), "app", "1")
    registry.misbehave("manifest", kit.head_changed(Content_Type=imagekit.MANIFEST + "; charset=utf-8"))
    assert_same(scan(f"{registry.host}/app:1"))


def test_manifest_without_media_type(scan, registry):
    """Optional in OCI 1.0: then Content-Type tells."""
    registry.push(the_image(), "app", "1", change=lambda m: {k: v for k, v in m.items() if k != "mediaType"})
    assert_same(scan(f"{registry.host}/app:1"))


def test_many_layers_in_parallel(scan, registry):
    """One layer's answer waits until another is asked for."""
    registry.push(the_image(compression="gzip"), "app", "1")

    def wait(connection, request, answer):
        end = time.monotonic() + 10
        while len({r.reference for r in registry.requests("layer")}) < 2 and time.monotonic() < end:
            connection.wait(0.02)
        return kit.plain(connection, request, answer)
    if os.cpu_count() < 2:
        pytest.skip("one core")
    registry.misbehave("layer", wait, times=1)
    result = scan(f"{registry.host}/app:1")
    assert_same(result)
    assert result.seconds < 8, "the second layer was asked for only when the first had ended"


# -- names ------------------------------------------------------------------------------------------------

def test_tag_digest_and_both(scan, registry):
    digest = registry.push(the_image(compression="gzip"), "shop/deep/er/app", "1.2", "latest")["digest"]
    base = f"{registry.host}/shop/deep/er/app"
    for name in (f"{base}:1.2", f"{base}@{digest}", f"{base}:1.2@{digest}", base):
        result = scan(name)
        assert_same(result)
        assert result.report["image"]["digest"] == digest
        assert result.report["image"]["name"] in (name, "registry:" + name), "as asked"


@pytest.mark.parametrize("prefix", ["", "registry:", "docker://", "registry://"])
def test_prefixes(scan, registry, prefix):
    if prefix == "docker://":
        pytest.skip("what docker:// means is tested with the daemons")
    registry.push(the_image(), "app", "1")
    assert_same(scan(f"{registry.host}/app:1", prefix=prefix))


def test_localhost_is_loopback(scan, registry):
    registry.push(the_image(), "app", "1")
    assert_same(scan(f"localhost:{registry.port}/app:1"))


def test_the_digest_decides_not_the_tag(scan, registry):
    """tag@digest: the tag may have moved on; what is pinned is read."""
    pinned = registry.push(the_image(), "app", "1")["digest"]
    registry.push(AMD, "app", "1")
    assert_same(scan(f"{registry.host}/app:1@{pinned}"))


def test_not_there(scan, registry):
    registry.push(the_image(), "app", "1")
    refused(scan(f"{registry.host}/app:2"), registry.host, "app", "2", "manifest unknown")
    refused(scan(f"{registry.host}/other:1"), registry.host, "other")
    refused(scan(f"{registry.host}/app@sha256:{'0' * 64}"), registry.host, "0" * 64)


def test_nowhere_at_all(scan, registry):
    """One message says what each place answered."""
    result = scan(f"{registry.host}/app:1", prefix="")
    refused(result, "docker", "podman", "containerd", "registry", "manifest unknown")
    assert len([line for line in result.stderr.splitlines() if "podman" in line]) == 1, result


@pytest.mark.parametrize("name", ["HOST/App:1", "HOST/app:", "HOST/app:1:2", "HOST/app@sha256:12", "HOST/../app:1", "HOST/app:1?x=1",
                                  "HOST//app:1", "HOST/app:1#f", "HOST/app/:1", "HOST/app@md5:00", "HOST/a%2fb:1", "u:p@HOST/app:1"])
def test_names_that_are_none(scan, registry, name):
    registry.push(the_image(), "app", "1")
    result = scan(name.replace("HOST", registry.host))
    assert result.code in (2, 3), result
    assert not registry.log, "nothing was asked for"


# -- platforms ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("asked,expected", [
    ((), ("1.1", "linux/amd64")), (("--platform", "linux/amd64"), ("1.1", "linux/amd64")),
    (("--platform", "linux/arm64"), ("1.2", "linux/arm64")), (("--platform", "linux/arm/v7"), ("1.3", "linux/arm/v7"))])
@pytest.mark.parametrize("media", ["oci", "docker"])
@pytest.mark.parametrize("nested", [False, True])
def test_platforms(scan, registry, asked, expected, media, nested):
    """With several the host's is taken (these tests run on amd64); nothing of the others is fetched."""
    images = {i.platform: i for i in (ARM, AMD, ARM7)}
    descriptors = [registry.push(i, media=media) for i in images.values()]
    inner = registry.push_index([*descriptors, registry.push_attestation(AMD)], "app", "1", media=media)
    if nested:
        registry.push_index([inner], "app", "1", media=media)
    assert versions(scan(f"{registry.host}/app:1", *asked)) == ([expected[0]], expected[1])
    chosen = images[expected[1]]
    assert registry.layers_fetched() == sorted(sha256(blob) for blob in chosen.blobs())
    assert [r.reference for r in registry.requests("config")] == [sha256(chosen.config_bytes())]


def test_platform_by_digest_of_the_index(scan, registry):
    index = registry.push_index([registry.push(i) for i in (ARM, AMD)], "app", "1")
    assert versions(scan(f"{registry.host}/app@{index['digest']}", "--platform", "linux/arm64")) == (["1.2"], "linux/arm64")


def test_platform_that_is_not_there(scan, registry):
    registry.push_index([registry.push(i) for i in (ARM, ARM7)], "app", "1")
    for asked in ((), ("--platform", "linux/s390x")):
        refused(scan(f"{registry.host}/app:1", *asked), "linux/arm64", "linux/arm/v7")
    assert not registry.layers_fetched()


def test_one_platform_is_not_taken_for_another(scan, registry):
    """B47: a single manifest, and an index of one."""
    registry.push_index([registry.push(ARM, "app", "single")], "app", "index")
    for tag in ("single", "index"):
        refused(scan(f"{registry.host}/app:{tag}", "--platform", "linux/amd64"), "linux/arm64", "linux/amd64")
    assert not registry.layers_fetched()


@pytest.mark.parametrize("first", [False, True])
def test_attestations_are_passed_over(scan, registry, first):
    """B46: one foreign platform and an attestation: that image is scanned, and this is said."""
    descriptors = [registry.push(ARM), registry.push_attestation(ARM)]
    registry.push_index(descriptors[::-1] if first else descriptors, "app", "1")
    result = scan(f"{registry.host}/app:1")
    assert versions(result) == (["1.2"], "linux/arm64")
    assert "linux/arm64" in result.stderr, result
    assert registry.layers_fetched() == sorted(sha256(blob) for blob in ARM.blobs()), "the statement is no layer"


def test_a_foreign_platform_alone_is_said(scan, registry):
    registry.push(ARM, "app", "1")
    result = scan(f"{registry.host}/app:1")
    assert versions(result) == (["1.2"], "linux/arm64")
    assert "linux/arm64" in result.stderr, result


def test_only_attestations_are_no_image(scan, registry):
    registry.push_index([registry.push_attestation(AMD)], "app", "1")
    refused(scan(f"{registry.host}/app:1"), "attestation")


def test_an_attestation_by_its_digest_is_no_image(scan, registry):
    digest = registry.push_attestation(AMD)["digest"]
    refused(scan(f"{registry.host}/app@{digest}"))


def test_descriptors_without_platform(scan, registry):
    descriptors = [{k: v for k, v in registry.push(i).items() if k != "platform"} for i in (ARM, AMD)]
    registry.push_index(descriptors, "app", "1")
    assert versions(scan(f"{registry.host}/app:1")) == (["1.1"], "linux/amd64")


# -- what is no image, or not all of one -------------------------------------------------------------------

@pytest.mark.parametrize("media_type", [kit.OCI_FOREIGN, kit.DOCKER_FOREIGN])
def test_foreign_layers_are_said(scan, registry, media_type):
    def foreign(manifest):
        manifest["layers"][0].update(mediaType=media_type, urls=["http://127.0.0.1:9/layer"])
    registry.push(the_image(compression="gzip"), "app", "1", change=foreign)
    result = scan(f"{registry.host}/app:1")
    refused(result, "layer 0", "foreign")
    assert ("CVE-2024-0012", "high-unfixed", "3.1", 1) in result.findings(), "the other layers count"


def test_schema_1_is_refused(scan, registry):
    old = imagekit.dumps({"schemaVersion": 1, "name": "app", "tag": "1", "architecture": "amd64",
                          "fsLayers": [{"blobSum": sha256(b)} for b in the_image().blobs()],
                          "history": [{"v1Compatibility": "{}"}] * 3, "signatures": []})
    registry.put_manifest("app", old, kit.SCHEMA_1, "1")
    refused(scan(f"{registry.host}/app:1"), "schema 1")


@pytest.mark.parametrize("config,layer", [
    ("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
    ("application/vnd.oci.empty.v1+json", "application/spdx+json"),
    (imagekit.CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json")])
def test_artifacts_are_no_images(scan, registry, config, layer):
    body, settings = registry.put_blob(b"{}"), registry.put_blob(b"{ }", "config")
    manifest = {"schemaVersion": 2, "mediaType": imagekit.MANIFEST, "config": {"mediaType": config, "digest": settings, "size": 3},
                "layers": [{"mediaType": layer, "digest": body, "size": 2}]}
    registry.put_manifest("app", imagekit.dumps(manifest), imagekit.MANIFEST, "1")
    refused(scan(f"{registry.host}/app:1"))


# -- who may read --------------------------------------------------------------------------------------------

def by_flags(home, host):
    return ("--username", USER, "--password", CANARY), {}


def by_environment(home, host):
    return (), {"PLIMSOLL_USERNAME": USER, "PLIMSOLL_PASSWORD": CANARY}


def by_home(home, host):
    home.docker_config({"auths": {"elsewhere.example": entry("x", "y"), host: entry(USER, CANARY)}})
    return (), {}


def by_old_key(home, host):
    home.docker_config({"auths": {f"https://{host}/v1/": entry(USER, CANARY)}})
    return (), {}


def by_plain_fields(home, host):
    home.docker_config({"auths": {host: {"username": USER, "password": CANARY}}})
    return (), {}


def by_repository(home, host):
    """As podman files them: the closest key counts."""
    home.docker_config({"auths": {host: entry("x", "y"), f"{host}/shop": entry(USER, CANARY), f"{host}/shop/app2": entry("x", "z")}})
    return (), {}


def by_docker_config(home, host):
    path = home.docker_config({"auths": {host: entry(USER, CANARY)}}, folder="elsewhere")
    return (), {"DOCKER_CONFIG": str(path.parent)}


def by_auth_file(home, host):
    path = home.docker_config({"auths": {host: entry(USER, CANARY)}}, folder="elsewhere", name="auth.json")
    return (), {"REGISTRY_AUTH_FILE": str(path)}


def by_podman(home, host):
    path = home.docker_config({"auths": {host: entry(USER, CANARY)}}, folder="../run/containers", name="auth.json")
    assert path.exists()
    return (), {}


def by_helper(home, host):
    home.helper("kit", USER, CANARY)
    home.docker_config({"auths": {host: {}}, "credHelpers": {host: "kit", "elsewhere.example": "none"}})
    return (), {}


def by_store(home, host):
    home.helper("kit", USER, CANARY)
    home.docker_config({"auths": {host: {}}, "credsStore": "kit"})
    return (), {}


WAYS = {name[3:]: make for name, make in list(globals().items()) if name.startswith("by_")}


@pytest.mark.parametrize("kind", ["basic", "bearer"])
@pytest.mark.parametrize("way", WAYS)
def test_credentials(scan, serve, home, way, kind):
    users = {USER: CANARY}
    registry = serve(kit.Registry(auth=kit.Basic(users) if kind == "basic" else kit.TokenServer(users)))
    registry.push(the_image(compression="gzip"), "shop/app", "1")
    args, env = WAYS[way](home, registry.host)
    written = [p for p in home.folder.rglob("*") if p.is_file()]
    result = scan(f"{registry.host}/shop/app:1", "--verbose", *args, env=env)
    assert_same(result)
    assert_silent(result, CANARY)
    assert_not_kept(home, CANARY, *written)
    if kind == "bearer":
        assert not registry.saw(CANARY), "the password is for the token server"
        assert [r.query.get("scope") for r in registry.auth.requests()] == ["repository:shop/app:pull"] * len(registry.auth.log)
        assert [r.query.get("service") for r in registry.auth.requests()] == ["kit"] * len(registry.auth.log)
    for request in (*registry.log, *getattr(registry.auth, "log", [])):
        assert CANARY not in request.target and CANARY not in request.body.decode("latin-1")


def test_helpers_are_asked_as_docker_asks(scan, serve, home):
    registry = serve(kit.Registry(auth=kit.Basic({USER: CANARY})))
    registry.push(the_image(), "app", "1")
    log = home.helper("kit", USER, CANARY)
    home.docker_config({"credHelpers": {registry.host: "kit"}})
    assert_same(scan(f"{registry.host}/app:1"))
    assert log.read_text().splitlines() == [f"{home.bin}/docker-credential-kit get {registry.host}"], "once, with the host on stdin"


def test_anonymous_bearer(scan, serve):
    registry = serve(kit.Registry(auth=kit.TokenServer()))
    registry.push(the_image(), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))
    assert not registry.auth.requests()[0].authorization


@pytest.mark.parametrize("field", ["token", "access_token"])
def test_tokens_that_run_out(scan, serve, field):
    """A new one is fetched in the middle, by whoever meets the refusal."""
    registry = serve(kit.Registry(auth=kit.TokenServer(uses=2, field=field)))
    registry.push(the_image(compression="gzip"), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))
    assert len(registry.auth.given) > 1


@pytest.mark.parametrize("way", ["config", "helper"])
def test_identity_token(scan, serve, home, way):
    """POST with refresh_token, and never as a password."""
    registry = serve(kit.Registry(auth=kit.TokenServer(users={}, identities={CANARY: USER})))
    registry.push(the_image(), "app", "1")
    if way == "config":
        home.docker_config({"auths": {registry.host: entry("00000000-0000-0000-0000-000000000000", "", identitytoken=CANARY)}})
    else:
        home.helper("kit", "<token>", CANARY)
        home.docker_config({"credsStore": "kit"})
    result = scan(f"{registry.host}/app:1", "--verbose")
    assert_same(result)
    assert_silent(result, CANARY)
    asked = registry.auth.requests()[0]
    assert asked.method == "POST" and asked.form["grant_type"] == "refresh_token", asked
    assert asked.form["scope"] == "repository:app:pull" and asked.form["service"] == "kit"
    assert CANARY not in asked.target and not registry.saw(CANARY)


@pytest.mark.parametrize("way", ["flag", "environment", "config"])
def test_registry_token(scan, serve, home, way):
    token = "canary-token-0123456789"
    registry = serve(kit.Registry(auth=kit.FixedToken(token)))
    registry.push(the_image(), "app", "1")
    if way == "config":
        home.docker_config({"auths": {registry.host: {"registrytoken": token}}})
    args, env = {"flag": (("--registry-token", token), {}), "environment": ((), {"PLIMSOLL_REGISTRY_TOKEN": token}),
                 "config": ((), {})}[way]
    result = scan(f"{registry.host}/app:1", "--verbose", *args, env=env)
    assert_same(result)
    assert_silent(result, token)


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_wrong_password(scan, serve, kind):
    users = {USER: "right"}
    registry = serve(kit.Registry(auth=kit.Basic(users) if kind == "basic" else kit.TokenServer(users)))
    registry.push(the_image(), "app", "1")
    result = scan(f"{registry.host}/app:1", "--verbose", "--username", USER, "--password", CANARY)
    refused(result, registry.host)
    assert_silent(result, CANARY)
    asked = registry.auth.requests() if kind == "bearer" else [r for r in registry.log if r.authorization]
    assert 1 <= len(asked) <= 2, "a password that is refused is not tried again and again: accounts get locked"


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_no_credentials(scan, serve, kind):
    users = {USER: CANARY}
    registry = serve(kit.Registry(auth=kit.Basic(users) if kind == "basic" else kit.TokenServer(users)))
    registry.push(the_image(), "app", "1")
    refused(scan(f"{registry.host}/app:1"), registry.host)


def test_credentials_are_sent_only_where_asked_for(scan, registry, home):
    by_home(home, registry.host)
    registry.push(the_image(), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))
    assert not registry.saw(CANARY)


@pytest.mark.parametrize("broken", ["not json", "a list", "no such helper", "helper fails", "helper says garbage", "helper is a path"])
def test_broken_credentials_are_said(scan, registry, home, broken):
    """Where nobody asks for any, a broken config is no reason to fail; where they are needed, it is named."""
    registry.auth = kit.Basic({USER: CANARY})
    registry.push(the_image(), "app", "1")
    log = home.helper("kit", USER, CANARY)
    helper = home.bin / "docker-credential-kit"
    config = home.docker_config({"credHelpers": {registry.host: "missing" if broken == "no such helper" else
                                                 "../../kit" if broken == "helper is a path" else "kit"}})
    if broken == "not json":
        config.write_text(json.dumps({"auths": {registry.host: entry(USER, CANARY)}})[:-1])
    elif broken == "a list":
        config.write_text("[]")
    elif broken == "helper fails":
        helper.write_text(f"#!/bin/sh\necho '{CANARY}' >&2\necho '{CANARY}'\nexit 1\n")
    elif broken == "helper says garbage":
        helper.write_text(f"#!/bin/sh\necho '{CANARY}'\n")
    result = scan(f"{registry.host}/app:1", "--verbose")
    refused(result, registry.host)
    assert_silent(result, CANARY)
    if "helper" in broken:
        assert "helper" in result.stderr, result
    if broken == "helper is a path":
        assert not log.exists()
    registry.auth = None
    assert_same(scan(f"{registry.host}/app:1"))


# -- B45: to each its own ----------------------------------------------------------------------------------------

def test_credentials_of_another_registry(scan, serve, home):
    """Anonymous here, whatever is kept for others: other hosts, ports, beginnings of names, other repositories."""
    registry = serve(kit.Registry(auth=kit.TokenServer(users={USER: CANARY})))
    registry.push(the_image(), "app", "1")
    host, port = registry.address, registry.port
    others = ["someregistry.io", host, f"{host}:{port + 1}", f"{host}:{port}0", f"{host}:{str(port)[:-1]}", f"{registry.host}/other",
              f"{registry.host}/ap", f"{registry.host}/app/deeper", f"localhost:{port}", f"https://{registry.host}.example/v1/",
              f"x{registry.host}", "https://index.docker.io/v1/", f"elsewhere.example/{registry.host}", ""]
    home.docker_config({"auths": {other: entry(USER, CANARY) for other in others}})
    result = scan(f"{registry.host}/app:1")
    refused(result, registry.host)
    assert not registry.saw(CANARY) and not registry.auth.saw(CANARY)
    assert registry.auth.log and not any(r.authorization for r in registry.auth.log), "it was tried without"


@pytest.mark.parametrize("phase", ["manifest", "config", "layer"])
@pytest.mark.parametrize("where", ["other port", "other address", "other name"])
@pytest.mark.parametrize("kind", ["basic", "bearer", "token"])
def test_no_credentials_after_a_redirect(scan, serve, kind, phase, where):
    """Registries send their readers to a storage host: it needs nothing, and gets nothing."""
    auth = {"basic": kit.Basic({USER: CANARY}), "bearer": kit.TokenServer({USER: CANARY}), "token": kit.FixedToken("canary-token")}[kind]
    registry = serve(kit.Registry(auth=auth))
    registry.push(the_image(compression="gzip"), "app", "1")
    storage = serve(kit.Server(address="127.0.0.2" if where == "other address" else "127.0.0.1"))
    answers = {}
    storage.answer = lambda request: answers[request.path]
    origin = f"http://localhost:{storage.port}" if where == "other name" else storage.origin

    def send_away(connection, request, answer):
        if answer.status == 401:
            return kit.plain(connection, request, answer)
        answers[request.path] = answer
        return kit.plain(connection, request, kit.Answer(307, {"Location": f"{origin}{request.path}?signed=kit-signature"}))
    registry.misbehave(phase, send_away)
    args = ("--registry-token", "canary-token") if kind == "token" else ("--username", USER, "--password", CANARY)
    result = scan(f"{registry.host}/app:1", "--verbose", *args)
    assert_same(result)
    assert storage.log, "it was not redirected"
    for request in storage.log:
        assert not request.authorization, f"{request.authorization!r} went to another host"
        assert "canary" not in request.text()
    assert "kit-signature" not in result.stderr, "a signed address is as good as a password"


def test_a_redirect_within_the_registry_keeps_them(scan, serve):
    registry = serve(kit.Registry(auth=kit.Basic({USER: CANARY})))
    registry.push(the_image(), "app", "1")
    registry.misbehave("layer", kit.redirect(lambda r: f"/v2/elsewhere/blobs/{r.reference}"), only=lambda r: "/app/" in r.path)
    assert_same(scan(f"{registry.host}/app:1", "--username", USER, "--password", CANARY))


def test_there_and_back_again_loses_them(scan, serve):
    """A redirect that leads away and back is not trusted with the credential: the storage host could steer it."""
    registry = serve(kit.Registry(auth=kit.Basic({USER: CANARY})))
    registry.push(the_image(), "app", "1")
    away = serve(kit.Server(lambda r: kit.Answer(307, {"Location": registry.origin + "/v2/steered" + r.path})))
    registry.misbehave("layer", kit.redirect(lambda r: f"{away.origin}/{r.reference}"), only=lambda r: "/app/" in r.path)
    scan(f"{registry.host}/app:1", "--username", USER, "--password", CANARY)
    assert not any(r.authorization for r in [*away.log, *(r for r in registry.log if "steered" in r.path)])


@pytest.mark.parametrize("identity", [False, True])
def test_a_token_server_that_redirects(scan, serve, home, identity):
    """The password may not go where the token server sends it."""
    registry = serve(kit.Registry(auth=kit.TokenServer(users={USER: CANARY}, identities={CANARY: USER})))
    registry.push(the_image(), "app", "1")
    thief = serve(kit.Server(lambda r: kit.Answer(200, {}, b'{"token":"x"}')))
    registry.misbehave("token", kit.redirect(lambda r: thief.origin + "/token?" + r.target.partition("?")[2]))
    home.docker_config({"auths": {registry.host: entry("x", "", identitytoken=CANARY) if identity else entry(USER, CANARY)}})
    result = scan(f"{registry.host}/app:1", "--verbose")
    refused(result)
    assert_silent(result, CANARY)
    assert not thief.saw(CANARY)


def test_two_registries_two_passwords(scan, serve, home):
    """Each sees its own, and only its own."""
    one, two = (serve(kit.Registry(auth=kit.Basic({USER: f"canary-{n}"}))) for n in (1, 2))
    home.docker_config({"auths": {r.host: entry(USER, f"canary-{n}") for n, r in ((1, one), (2, two))}})
    for registry in (one, two):
        registry.push(the_image(), "app", "1")
        assert_same(scan(f"{registry.host}/app:1", "--no-cache"))
    assert one.saw("canary-1") and not one.saw("canary-2")
    assert two.saw("canary-2") and not two.saw("canary-1")


def test_secrets_are_not_in_argv(serve, store, home):
    """Of no process, while layers are being fetched; nor in what is sent to a helper."""
    registry = serve(kit.Registry(auth=kit.TokenServer({USER: CANARY})))
    registry.push(the_image(), "app", "1")
    log = home.helper("kit", USER, CANARY)
    home.docker_config({"credsStore": "kit"})
    registry.misbehave("layer", kit.stall(10))
    command = [scanner.binary(), "image", f"registry:{registry.host}/app:1", "--db", str(store), "--timeout", "20s"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=scanner.environment(home.environment()))
    try:
        end = time.monotonic() + 10
        while not registry.requests("layer") and time.monotonic() < end:
            time.sleep(0.02)
        assert registry.requests("layer")
        tokens = [token.encode() for token in registry.auth.given]
        lines = [path.read_bytes() for path in processes_of(home)]
        assert len(lines) >= 2, "the program and those that read for it"
        for line in lines:
            assert CANARY.encode() not in line and not any(token in line for token in tokens), line
        assert CANARY not in log.read_text()
    finally:
        process.kill()
        process.communicate()


def processes_of(home):
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if home.mark.encode() in (process / "environ").read_bytes():
                found.append(process / "cmdline")
        except OSError:
            pass
    return found


# -- TLS -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def tls_registry(serve, authority):
    registry = serve(kit.Registry(tls=authority.server_context()))
    registry.push(the_image(compression="gzip"), "app", "1")
    return registry


def test_tls_by_own_authority(scan, tls_registry, authority):
    ways = {"flag": (("--ca-cert", authority.certificate), {}), "old flag": (("--cacert", authority.certificate), {}),
            "variable": ((), {"PLIMSOLL_CA_CERT": str(authority.certificate)}),
            "openssl's variable": ((), {"SSL_CERT_FILE": str(authority.certificate)}), "insecure": (("--insecure",), {})}
    for way, (args, env) in ways.items():
        result = scan(f"{tls_registry.host}/app:1", "--no-cache", *args, env=env)
        assert result.code == 0, f"{way}: {result!r}"
        assert_same(result)


def test_tls_that_is_not_trusted(scan, serve, authority, tmp_path):
    """No request gets through, none is sent in clear, and the message says what to do."""
    other = kit.Authority(tmp_path / "other")
    for context in (authority.server_context(), authority.server_context(days=-1), authority.server_context(self_signed=True),
                    authority.server_context("DNS:elsewhere.example"), other.server_context()):
        registry = serve(kit.Registry(tls=context))
        registry.push(the_image(), "app", "1")
        result = scan(f"{registry.host}/app:1", "--username", USER, "--password", CANARY)
        refused(result, registry.host, "certificate")
        assert not registry.requests("manifest") and not registry.saw(CANARY)
        assert_silent(result, CANARY)


@pytest.mark.parametrize("how", [{"days": -1}, {"self_signed": True}, {"names": "DNS:elsewhere.example"}, {"names": "IP:127.0.0.9"}])
def test_tls_own_authority_does_not_excuse_all(scan, serve, authority, how):
    registry = serve(kit.Registry(tls=authority.server_context(**how)))
    registry.push(the_image(), "app", "1")
    refused(scan(f"{registry.host}/app:1", "--ca-cert", authority.certificate), registry.host, "certificate")
    assert not registry.requests("manifest")
    assert_same(scan(f"{registry.host}/app:1", "--insecure"))


def test_client_certificate(scan, serve, authority, tmp_path):
    registry = serve(kit.Registry(tls=authority.server_context(client_ca=authority)))
    registry.push(the_image(), "app", "1")
    certificate, key = authority.issue("DNS:client")
    trust = ("--ca-cert", authority.certificate)
    assert_same(scan(f"{registry.host}/app:1", *trust, "--client-cert", certificate, "--client-key", key))
    assert_same(scan(f"{registry.host}/app:1", "--no-cache", *trust, env={"PLIMSOLL_CLIENT_CERT": str(certificate), "PLIMSOLL_CLIENT_KEY": str(key)}))
    seen = len(registry.log)
    refused(scan(f"{registry.host}/app:1", *trust), registry.host)
    foreign, foreign_key = kit.Authority(tmp_path / "other").issue("DNS:client")
    refused(scan(f"{registry.host}/app:1", *trust, "--client-cert", foreign, "--client-key", foreign_key), registry.host)
    assert len(registry.log) == seen


@pytest.mark.parametrize("option", ["--ca-cert", "--client-cert", "--client-key"])
@pytest.mark.parametrize("content", [None, "garbage"])
def test_certificate_files_that_are_none(scan, tls_registry, authority, tmp_path, option, content):
    path = tmp_path / "file.pem"
    if content:
        path.write_text(content)
    trust = () if option == "--ca-cert" else ("--ca-cert", authority.certificate)
    certificate, key = authority.issue("DNS:client")
    pair = {"--client-cert": ("--client-key", key), "--client-key": ("--client-cert", certificate)}.get(option, ())
    result = scan(f"{tls_registry.host}/app:1", *trust, *pair, option, path)
    assert result.code in (2, 3), result
    assert "file.pem" in result.stderr, result


# -- proxies ----------------------------------------------------------------------------------------------------------

@pytest.fixture
def proxy(serve):
    """Knows registry.test and other.test, which nobody else does."""
    return serve(kit.Proxy({"registry.test": "127.0.0.1", "other.test": "127.0.0.1"}))


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_https_through_a_proxy(scan, serve, proxy, authority, variable):
    registry = serve(kit.Registry(auth=kit.Basic({USER: CANARY}), tls=authority.server_context()))
    registry.push(the_image(), "app", "1")
    result = scan(f"registry.test:{registry.port}/app:1", "--ca-cert", authority.certificate, "--username", USER, "--password", CANARY,
                  env={variable: proxy.origin})
    assert_same(result)
    assert {(r.method, r.target) for r in proxy.log} == {("CONNECT", f"registry.test:{registry.port}")}
    assert not proxy.saw(CANARY)
    assert {r.host for r in registry.log} == {f"registry.test:{registry.port}"}


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy"])
def test_http_through_a_proxy(scan, registry, proxy, variable):
    """http beyond this machine is read with --insecure only."""
    registry.push(the_image(), "app", "1")
    name = f"registry.test:{registry.port}/app:1"
    env = {variable: proxy.origin, "HTTPS_PROXY": proxy.origin}
    refused(scan(name, env=env), "registry.test")
    assert not registry.log, "nothing goes out in clear unasked"
    assert_same(scan(name, "--insecure", env=env))
    assert any(r.method == "GET" and r.target.startswith(f"http://registry.test:{registry.port}/v2/") for r in proxy.log)


@pytest.mark.parametrize("listed", ["127.0.0.1", "*", "elsewhere.example,127.0.0.1"])
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_no_proxy(scan, registry, proxy, variable, listed):
    registry.push(the_image(), "app", "1")
    env = {name: proxy.origin for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    assert_same(scan(f"{registry.host}/app:1", env={**env, variable: listed}))
    assert not proxy.log


def test_proxy_with_a_password(scan, tls_registry, proxy, authority):
    """It is for the proxy, and for no eyes."""
    proxy.users = {"px": "canary-proxy"}
    name = f"registry.test:{tls_registry.port}/app:1"
    trust = ("--ca-cert", authority.certificate, "--verbose")
    result = scan(name, *trust, env={"HTTPS_PROXY": f"http://px:canary-proxy@{proxy.host}"})
    assert_same(result)
    assert_silent(result, "canary-proxy")
    assert not tls_registry.saw("canary-proxy")
    result = scan(name, *trust, env={"HTTPS_PROXY": f"http://px:canary-wrong@{proxy.host}"})
    refused(result, "proxy")
    assert_silent(result, "canary-wrong")


@pytest.mark.parametrize("broken", ["refuses", "not there", "bad gateway", "no name"])
def test_proxy_that_does_not_work(scan, tls_registry, proxy, authority, broken):
    address = {"not there": f"http://127.0.0.1:{kit.closed_port()}", "no name": "http://proxy.invalid:3128"}.get(broken, proxy.origin)
    if broken == "refuses":
        proxy.users = {"px": "canary-proxy"}
    if broken == "bad gateway":
        proxy.hosts = {"registry.test": "127.0.0.2"}
    result = scan(f"registry.test:{tls_registry.port}/app:1", "--ca-cert", authority.certificate, "--timeout", "5s",
                  env={"HTTPS_PROXY": address})
    refused(result, "registry.test")
    assert result.seconds < 6
    assert not tls_registry.log


# -- mirrors --------------------------------------------------------------------------------------------------------------

def test_a_mirror_is_asked_first(scan, serve, registry):
    """The registry itself has no address here; the name in the report is the one that was asked for."""
    mirror = registry
    mirror.push(the_image(), "shop/app", "1")
    result = scan("registry.test/shop/app:1", "--registry-mirror", f"registry.test={mirror.origin}")
    assert_same(result)
    assert result.report["image"]["name"] in ("registry.test/shop/app:1", "registry:registry.test/shop/app:1")


def test_mirrors_of_docker_hub(scan, registry):
    """Short names as Docker reads them."""
    registry.push(the_image(), "library/python", "3.11")
    option = ("--registry-mirror", f"docker.io={registry.origin}/")
    for name in ("python:3.11", "library/python:3.11", "docker.io/python:3.11", "docker.io/library/python:3.11", "index.docker.io/library/python:3.11"):
        assert_same(scan(name, *option))


def test_a_mirror_by_variable(scan, registry):
    registry.push(the_image(), "app", "1")
    assert_same(scan("registry.test/app:1", env={"PLIMSOLL_REGISTRY_MIRROR": f"registry.test={registry.origin}"}))


@pytest.mark.parametrize("trouble", ["not there", "no image", "503", "login", "garbage", "wrong digest"])
def test_mirrors_that_do_not_help_are_passed_over(scan, serve, registry, trouble):
    registry.push(the_image(), "app", "1")
    digest = registry.push(the_image(), "app", "1")["digest"]
    mirror = serve(kit.Registry(auth=kit.Basic({}) if trouble == "login" else None))
    if trouble != "no image":
        mirror.push(the_image(), "app", "1")
    if trouble in ("503", "garbage", "wrong digest"):
        mirror.misbehave("", {"503": kit.instead(503), "garbage": kit.garbage(b"\0\1\2\r\n\r\n"), "wrong digest": kit.body_changed(kit.flip)}[trouble])
    origin = f"http://127.0.0.1:{kit.closed_port()}" if trouble == "not there" else mirror.origin
    result = scan(f"{registry.host}/app@{digest}", "--registry-mirror", f"{registry.host}={origin}")
    assert_same(result)
    assert origin.partition("//")[2] in result.stderr, "it is said that it was passed over"


def test_several_mirrors_in_order(scan, serve):
    first, second, other = (serve(kit.Registry()) for _ in range(3))
    second.push(the_image(), "app", "1")
    mirrors = f"registry.test={first.origin},elsewhere.test={other.origin},registry.test={second.origin}"
    assert_same(scan("registry.test/app:1", "--registry-mirror", mirrors))
    assert first.log and second.log and not other.log


def test_all_mirrors_and_the_registry_fail(scan, serve, registry):
    mirror = serve(kit.Registry())
    result = scan(f"{registry.host}/app:1", "--registry-mirror", f"{registry.host}={mirror.origin}")
    refused(result, mirror.host, registry.host)


@pytest.mark.parametrize("option", ["nonsense", "=http://127.0.0.1:1", "registry.test=", "registry.test=ftp://127.0.0.1:1", "registry.test=127.0.0.1"])
def test_mirror_options_that_are_none(scan, option):
    result = scan("registry.test/app:1", "--registry-mirror", option, "--timeout", "5s")
    assert result.code in (2, 3), result
    assert "mirror" in result.stderr, "the option is named"


@pytest.mark.parametrize("way", ["flags", "environment", "token", "home"])
def test_mirrors_get_no_credentials_of_the_registry(scan, serve, home, way):
    """B45: a mirror that asks for a password does not get the registry's."""
    secret = "canary-token-0123456789" if way == "token" else CANARY
    mirror, registry = (serve(kit.Registry(auth=kit.FixedToken(secret) if way == "token" else kit.Basic({USER: secret}))) for _ in range(2))
    for place in (mirror, registry):
        place.push(the_image(), "app", "1")
    args, env = (("--registry-token", secret), {}) if way == "token" else WAYS[way](home, registry.host)
    result = scan(f"{registry.host}/app:1", "--registry-mirror", f"{registry.host}={mirror.origin}", *args, env=env)
    assert_same(result)
    assert not mirror.saw(secret), "the mirror was told the registry's secret"
    assert registry.saw(secret)


def test_mirrors_have_their_own_credentials(scan, serve, home):
    mirror = serve(kit.Registry(auth=kit.Basic({USER: CANARY})))
    mirror.push(the_image(), "app", "1")
    home.docker_config({"auths": {mirror.host: entry(USER, CANARY), "registry.test": entry("x", "canary-other")}})
    assert_same(scan("registry.test/app:1", "--registry-mirror", f"registry.test={mirror.origin}"))
    assert not mirror.saw("canary-other")


# -- broken transfers -----------------------------------------------------------------------------------------------------------

BIG = os.urandom(300_000)


def big_image(compression="gzip"):
    """Layer 1 is large, and cannot be packed."""
    layers = [[*ev.base(), *ev.dist_info("crit-fixed", "1.0")], [file("srv/big", BIG), *ev.dist_info("high-unfixed", "3.1")],
              ev.dist_info("medium-fixed", "1.0")]
    return imagekit.image_of(*layers, compression=compression)


def is_big(request):
    return request.reference in {sha256(big_image(c).blobs()[1]) for c in ("none", "gzip", "zstd")}


def assert_big(result):
    assert result.code == 0, result
    assert result.findings() == {("CVE-2024-0001", "crit-fixed", "1.0", 0), ("CVE-2024-0012", "high-unfixed", "3.1", 1),
                                 ("CVE-2024-0003", "medium-fixed", "1.0", 2)}


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("place", [0, 1, 100, 0.25, 0.5, -1])
def test_goes_on_where_it_broke(scan, registry, compression, place, reset):
    registry.push(big_image(compression), "app", "1")
    length = len(big_image(compression).blobs()[1])
    registry.misbehave("layer", kit.cut(place, reset), times=1, only=is_big)
    assert_big(scan(f"{registry.host}/app:1"))
    asked = [r.headers.get("range") for r in registry.requests("layer") if is_big(r)]
    assert len(asked) == 2 and asked[0] in (None, f"bytes=0-{length - 1}"), asked
    at = int(length * place) if isinstance(place, float) else place if place >= 0 else length + place
    if not reset:  # after a reset what was on its way may be lost
        assert (asked[1] or "bytes=0-").startswith(f"bytes={at}-"), f"{at} bytes were there already: {asked}"


def test_goes_on_many_times(scan, registry):
    """A transfer that gets on does not run out of retries."""
    layers = [[*ev.base(), file("srv/big", os.urandom(12 << 20)), *ev.dist_info("crit-fixed", "1.0")]]
    registry.push(imagekit.image_of(*layers, compression="none"), "app", "1")
    registry.misbehave("layer", kit.cut(1_200_000), times=9)
    result = scan(f"{registry.host}/app:1")
    assert result.code == 0 and result.ids() == {"CVE-2024-0001"}, result
    starts = [int((r.headers.get("range") or "bytes=0-")[6:].partition("-")[0]) for r in registry.requests("layer")]
    assert starts == sorted(set(starts)), "no byte is fetched twice"


def test_goes_on_after_the_token_ran_out(scan, serve):
    registry = serve(kit.Registry(auth=kit.TokenServer(uses=3)))
    registry.push(big_image(), "app", "1")
    registry.misbehave("layer", kit.cut(0.5), times=1, only=lambda r: is_big(r) and r.number == 0)
    assert_big(scan(f"{registry.host}/app:1"))


def test_a_redirect_is_asked_again_when_a_transfer_breaks(scan, serve, registry):
    """Signed addresses last for minutes: the registry is asked for a new one."""
    registry.push(big_image(), "app", "1")
    storage = serve(kit.BlobHost(registry))
    registry.misbehave("layer", storage.send_here)
    storage.misbehave("layer", kit.cut(0.5), times=1, only=is_big)
    assert_big(scan(f"{registry.host}/app:1"))
    assert len([r for r in registry.requests("layer") if is_big(r)]) == 2
    assert [bool(r.headers.get("range")) for r in storage.log if is_big(r)] == [False, True]


@pytest.mark.parametrize("told", ["2", "date"])
def test_retry_after_is_heeded(scan, registry, told):
    registry.push(the_image(), "app", "1")
    value = told if told != "date" else None
    begin = time.monotonic()

    def busy(connection, request, answer):
        return kit.plain(connection, request, kit.Answer(429, {"Retry-After": value or kit.retry_after(3)}))
    registry.misbehave("manifest", busy, times=1)
    assert_same(scan(f"{registry.host}/app:1"))
    assert 1.5 <= time.monotonic() - begin < 6


@pytest.mark.parametrize("phase", ["token", "manifest", "config", "layer"])
def test_timeout(scan, serve, home, phase):
    registry = serve(kit.Registry(auth=kit.TokenServer()))
    registry.push(the_image(), "app", "1")
    registry.misbehave(phase, kit.stall(5))
    result = scan(f"{registry.host}/app:1", "--timeout", "2s")
    refused(result, "time")
    assert 1.5 < result.seconds < 3, result
    assert not home.left_behind()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("phase", ["token", "manifest", "layer"])
def test_stopped_from_outside(serve, store, home, phase, how):
    """At once, and nothing stays: no process, no file, no half record in the cache."""
    registry = serve(kit.Registry(auth=kit.TokenServer()))
    registry.push(the_image(compression="gzip"), "app", "1")
    registry.misbehave(phase, kit.stall(5))
    asked = registry.auth if phase == "token" else registry
    command = [scanner.binary(), "image", f"registry:{registry.host}/app:1", "--db", str(store), "-f", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=scanner.environment(home.environment()))
    end = time.monotonic() + 10
    while not asked.requests(phase) and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(how)
    begin = time.monotonic()
    output, _ = process.communicate(timeout=10)
    assert time.monotonic() - begin < 1, "it took its time"
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}.get(how, -how) or process.returncode == -how != -signal.SIGINT
    assert not output, "half a report"
    while home.left_behind() and time.monotonic() < begin + 2:
        time.sleep(0.02)
    assert not home.left_behind()
    registry.faults.clear()
    registry.auth.faults.clear()
    assert_same(scan_name(f"{registry.host}/app:1", db=store, home=home))


# -- nothing on disk ------------------------------------------------------------------------------------------------------------------

def test_nothing_is_written(scan, serve, home):
    """No file may grow by a byte (the report goes to a pipe), and there is no place for temporary ones."""
    registry = serve(kit.Registry())
    registry.push(big_image(), "app", "1")
    result = scan(f"{registry.host}/app:1", "--no-cache", env={"TMPDIR": "/proc/none"},
                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert_big(result)
    assert not home.left_behind() and not list(home.cache.rglob("*")) and not list(home.home.rglob("*"))


def test_only_the_cache_is_written(scan, registry, home):
    registry.push(big_image(), "app", "1")
    assert_big(scan(f"{registry.host}/app:1"))
    assert not home.left_behind() and not list(home.home.rglob("*"))
    assert sum(p.stat().st_size for p in home.cache.rglob("*") if p.is_file()) < len(BIG) / 4, "records, not layers"


# -- the cache ------------------------------------------------------------------------------------------------------------------------

def test_a_second_scan_fetches_no_layer(scan, registry):
    registry.push(the_image(compression="gzip"), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))
    assert len(registry.layers_fetched()) == 3
    registry.log.clear()
    assert_same(scan(f"{registry.host}/app:1"))
    assert not registry.requests("layer"), "all of it is known"
    assert registry.requests("manifest"), "what the tag means is asked each time"
    assert_same(scan(f"{registry.host}/app:1", "--no-cache"))
    assert len(registry.layers_fetched()) == 3


def test_shared_layers_are_not_fetched(scan, registry):
    base = [tar_of([*ev.base(), *ev.dist_info("crit-fixed", "1.0")])]
    one, two = (Image([*base, tar_of(ev.dist_info(name, "1.0"))], compression="gzip") for name in ("high-fixed", "low-fixed"))
    registry.push(one, "app", "1")
    registry.push(two, "app", "2")
    assert scan(f"{registry.host}/app:1").ids() == {"CVE-2024-0001", "CVE-2024-0002"}
    registry.log.clear()
    assert scan(f"{registry.host}/app:2").ids() == {"CVE-2024-0001", "CVE-2024-0004"}
    assert registry.layers_fetched() == [sha256(two.blobs()[1])]


def test_what_an_archive_had_is_not_fetched(tmp_path, store, scan, registry, home):
    """By diff ID: another compression of the same layer is the same layer."""
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_oci(the_image(compression="gzip")))
    assert_same(scanner.scan(path, db=store, env=home.environment()))
    registry.push(the_image(compression="zstd"), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))
    assert len(registry.layers_fetched()) <= 1, "at most what the archive scan had not hashed"


def test_a_registry_that_needs_login_still_asks(scan, serve):
    """A full cache opens nothing: who may not read the manifest gets no report."""
    registry = serve(kit.Registry(auth=kit.Basic({USER: CANARY})))
    registry.push(the_image(), "app", "1")
    assert_same(scan(f"{registry.host}/app:1", "--username", USER, "--password", CANARY))
    refused(scan(f"{registry.host}/app:1"), registry.host)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("lie", ["diff id", "blob", "blob of the same size"])
def test_a_wrong_layer_is_never_cached(scan, serve, lie, verify):
    """An image that gives its empty layer the diff ID (or the digest) of a good one may not hide what that one has,
    neither now nor in a later scan of the good image, with or without verifying."""
    bad, good = serve(kit.Registry()), serve(kit.Registry())
    same_size = lie == "blob of the same size"
    image = the_image(compression="none" if same_size else "gzip")
    good.push(image, "app", "1")
    empty = [tar.replace(b"crit-fixed", b"x-harmless").replace(b"high-unfixed", b"nothing-here") if same_size
             else tar_of([file("srv/nothing", "")]) for tar in image.layers[:2]]
    wrong = Image([*empty, *image.layers[2:]], compression=image.compression, diff_ids=[sha256(tar) for tar in image.layers])
    if lie == "diff id":
        bad.push(wrong, "app", "1")
    else:
        bad.push(image, "app", "1")
        for blob, other in zip(image.blobs()[:2], wrong.blobs()):
            bad.put_blob(other, digest=sha256(blob))
    result = scan(f"{bad.host}/app:1", *([] if verify else ["--no-verify"]))
    if verify:
        refused(result, "layer 0", "layer 1")
    assert_same(scan(f"{good.host}/app:1"))
    assert len(good.layers_fetched()) >= 2, "the two that were lied about"
    assert_same(scan(f"{good.host}/app:1"))


def test_a_cut_layer_is_never_cached(scan, registry):
    registry.push(big_image("none"), "app", "1")
    registry.misbehave("layer", kit.cut(0.5), only=is_big)
    refused(scan(f"{registry.host}/app:1", "--timeout", "5s"), "layer 1")
    registry.faults.clear()
    assert_big(scan(f"{registry.host}/app:1"))


def test_the_same_bytes_every_time(scan, registry):
    """The report is the same bytes with a cold and a warm cache, whatever order layers come in."""
    registry.push(the_image(compression="gzip"), "app", "1")
    outputs = {scan(f"{registry.host}/app:1", *args).stdout for args in [()] * 4 + [("--no-cache",)] * 4}
    assert len(outputs) == 1


def test_advisories_are_those_of_today(scan, registry, make_store):
    """What is cached is what a layer holds, not what was known of it."""
    registry.push(the_image(), "app", "1")
    assert_same(scan(f"{registry.host}/app:1"))
    other = make_store([advisories.pypi("CVE-2025-0001", "crit-fixed", "3.0", "HIGH")])
    assert scan(f"{registry.host}/app:1", db=other).ids() == {"CVE-2025-0001"}
