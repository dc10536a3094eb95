"""SBOMs that are attached to an image: found where builders and signers put them, used when asked for."""

import json

import pytest

import evidence as ev
import imagekit
import registrykit as kit
import scanner
from imagekit import descriptor, dumps, sha256
from registrykit import scan_name
from tarkit import tar_of

# What the image holds, and what its SBOM says it holds: the findings tell which was read.
IMAGE = imagekit.image_of(ev.base(), ev.dist_info("low-fixed", "1.0"))
SPDX = dumps({
    "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "app", "documentNamespace": "https://x.test/1",
    "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: buildkit"]},
    "packages": [{"SPDXID": "SPDXRef-1", "name": "crit-fixed", "versionInfo": "1.0", "downloadLocation": "NOASSERTION",
                  "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                                    "referenceLocator": "pkg:pypi/crit-fixed@1.0"}]}]})
STATEMENT = dumps({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
                   "subject": [], "predicate": json.loads(SPDX)})
EMPTY = b"{}"


def manifest_of(layer, media, artifact=None, notes=None):
    return dumps({"schemaVersion": 2, "mediaType": imagekit.MANIFEST, **({"artifactType": artifact} if artifact else {}),
                  "config": descriptor("application/vnd.oci.empty.v1+json", EMPTY),
                  "layers": [descriptor(media, layer, **({"annotations": notes} if notes else {}))]})


@pytest.fixture
def registry():
    with kit.Registry() as registry:
        yield registry


def in_index(registry):
    """BuildKit: an attestation manifest in the image's index, provenance before the SBOM."""
    image = registry.push(IMAGE)
    provenance = dumps({"_type": "https://in-toto.io/Statement/v0.1", "predicate": {}})
    data = dumps({"schemaVersion": 2, "mediaType": imagekit.MANIFEST, "config": descriptor(imagekit.CONFIG, EMPTY), "layers": [
        descriptor("application/vnd.in-toto+json", provenance, annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}),
        descriptor("application/vnd.in-toto+json", STATEMENT, annotations={"in-toto.io/predicate-type": "https://spdx.dev/Document"})]})
    for blob in (provenance, STATEMENT):
        registry.put_blob(blob)
    registry.put_manifest("app", data, imagekit.MANIFEST)
    registry.push_index([image, descriptor(
        imagekit.MANIFEST, data, platform={"architecture": "unknown", "os": "unknown"},
        annotations={"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]})], "app", "1")


def attach(registry, artifact="application/spdx+json"):
    """(image's digest, descriptor of what refers to it)"""
    image = registry.push(IMAGE, "app", "1")
    data = manifest_of(SPDX, artifact, artifact)
    registry.put_blob(SPDX)
    registry.put_manifest("app", data, imagekit.MANIFEST)
    return image["digest"], descriptor(imagekit.MANIFEST, data, artifactType=artifact)


def by_api(registry):
    digest, found = attach(registry)
    signature = dict(found, artifactType="application/vnd.dev.cosign.artifact.sig.v1+json", digest="sha256:" + "0" * 64)
    registry.referrers = {digest: [signature, found]}


def by_tag(registry):
    digest, found = attach(registry)
    registry.push_index([found], "app", digest.replace(":", "-"))


def by_cosign(registry):
    image = registry.push(IMAGE, "app", "1")
    registry.put_blob(SPDX)
    registry.put_manifest("app", manifest_of(SPDX, "text/spdx+json"), imagekit.MANIFEST, image["digest"].replace(":", "-") + ".sbom")


def by_envelope(registry):
    import base64
    image = registry.push(IMAGE, "app", "1")
    envelope = dumps({"payloadType": "application/vnd.in-toto+json", "payload": base64.b64encode(STATEMENT).decode(), "signatures": []})
    registry.put_blob(envelope)
    registry.put_manifest("app", manifest_of(envelope, "application/vnd.dsse.envelope.v1+json",
                                             notes={"predicateType": "https://spdx.dev/Document"}),
                          imagekit.MANIFEST, image["digest"].replace(":", "-") + ".att")


@pytest.mark.parametrize("place", [in_index, by_api, by_tag, by_cosign, by_envelope])
def test_found(registry, store, tmp_path, place):
    place(registry)
    name, home = f"{registry.host}/app:1", kit.Home(tmp_path / "u")
    plain = scan_name(name, db=store, home=home)
    assert plain.ids() == {"CVE-2024-0004"}
    asked = scan_name(name, "--sbom-sources", "oci", db=store, home=home)
    assert asked.code == 0 and asked.ids() == {"CVE-2024-0001"}, asked
    assert "buildkit" in asked.stderr and asked.report["image"]["digest"] == plain.report["image"]["digest"]


def test_none_there(registry, store, tmp_path):
    registry.push(IMAGE, "app", "1")
    done = scan_name(f"{registry.host}/app:1", "--sbom-sources", "oci", db=store, home=kit.Home(tmp_path / "u"))
    assert done.ids() == {"CVE-2024-0004"} and "no SBOM is attached" in done.stderr


@pytest.mark.parametrize("change", ["digest", "json", "gone"])
def test_broken(registry, store, tmp_path, change):
    """One that is there and cannot be used is an error: its packages are nobody's guess."""
    by_api(registry)
    if change == "gone":
        del registry.blobs[sha256(SPDX)]
    else:
        registry.blobs[sha256(SPDX)] = SPDX.replace(b"1.0", b"9.9") if change == "digest" else SPDX
    if change == "json":
        bad = b'{"spdxVersion":'
        manifest = manifest_of(bad, "application/spdx+json", "application/spdx+json")
        registry.put_blob(bad)
        registry.put_manifest("app", manifest, imagekit.MANIFEST)
        digest = next(iter(registry.referrers))
        registry.referrers[digest] = [descriptor(imagekit.MANIFEST, manifest, artifactType="application/spdx+json")]
    done = scan_name(f"{registry.host}/app:1", "--sbom-sources", "oci", db=store, home=kit.Home(tmp_path / "u"))
    assert done.code == 3 and "SBOM" in done.stderr, done


def test_in_a_layout(store, tmp_path):
    blobs, found = imagekit.attestation(IMAGE)
    data = manifest_of(STATEMENT, "application/vnd.in-toto+json", notes={"in-toto.io/predicate-type": "https://spdx.dev/Document"})
    found |= {"digest": sha256(data), "size": len(data)}
    index = imagekit.index_bytes([imagekit.manifest_descriptor(IMAGE), found])
    path = imagekit.write_folder(tmp_path / "layout", imagekit.files_oci(IMAGE, index=index, more_blobs=[STATEMENT, data, *blobs]))
    assert scanner.scan(path, db=store).ids() == {"CVE-2024-0004"}
    assert scanner.scan(path, "--sbom-sources", "oci", db=store).ids() == {"CVE-2024-0001"}


def test_secrets_are_looked_for_all_the_same(registry, store, tmp_path):
    import secretkit
    from tarkit import file
    token = secretkit.github(seed="attached")
    image = imagekit.image_of(ev.base(), [file("srv/.env", f"T={token}\n")])
    found = registry.push(image, "app", "1")
    registry.put_blob(SPDX)
    registry.put_manifest("app", manifest_of(SPDX, "text/spdx+json"), imagekit.MANIFEST, found["digest"].replace(":", "-") + ".sbom")
    done = scan_name(f"{registry.host}/app:1", "--sbom-sources", "oci", "--exit-code", "1", db=store, home=kit.Home(tmp_path / "u"))
    assert done.code == 1 and [s["path"] for s in done.report["secrets"]] == ["srv/.env"] and done.ids() == {"CVE-2024-0001"}


def test_a_statement_about_another_image(registry, store, tmp_path):
    image = registry.push(IMAGE, "app", "1")
    other = dumps({**json.loads(STATEMENT), "subject": [{"name": "app", "digest": {"sha256": "0" * 64}}]})
    registry.put_blob(other)
    registry.put_manifest("app", manifest_of(other, "application/vnd.in-toto+json", notes={"predicateType": "https://spdx.dev/Document"}),
                          imagekit.MANIFEST, image["digest"].replace(":", "-") + ".att")
    done = scan_name(f"{registry.host}/app:1", "--sbom-sources", "oci", db=store, home=kit.Home(tmp_path / "u"))
    assert done.code == 3 and "another image" in done.stderr
