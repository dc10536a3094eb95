"""The images that are measured, made once, and a registry to fetch them from."""

import gzip
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse
import urllib.request
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("PLIMSOLL_SHARED", ROOT.parent / "shared"))
FOLDER = pathlib.Path(os.environ.get("PLIMSOLL_BENCH", pathlib.Path.home() / ".cache/plimsoll-bench"))

sys.path.insert(0, str(ROOT / "scripts"))
import imageparts  # noqa: E402


def _made(names, *options):
    """Archives of scripts/make-bench-image, which is run with these options where one is not there."""
    paths = [FOLDER / name for name in names]
    if not all(path.is_file() for path in paths):
        print("making the image (minutes, once)", file=sys.stderr)
        subprocess.run([ROOT / "scripts/make-bench-image", *options, FOLDER], check=True)
    return paths


def large():
    """The image of more than 4 GB: with layers uncompressed, gzip, zstd."""
    return _made(("bench.tar", "bench-gzip.tar", "bench-zstd.tar"), "--gzip", "--zstd")


def virtual_environment():
    """The same with its packages in /opt/venv: layers uncompressed, gzip. Trivy looks for no secrets below
    /usr/local/lib/python3.*, where the other image has them."""
    return _made(("bench-venv.tar", "bench-venv-gzip.tar"), "--venv")


def demo():
    path = FOLDER / "demo.tar"
    if not path.is_file():
        subprocess.run([ROOT / "scripts/make-demo-image", path], check=True)
    return path


def layer_files(archive):
    """The archive's layers as files of their own, bottom first."""
    folder = FOLDER / f"{archive.stem}-layers"
    if not folder.is_dir():
        partial = FOLDER / f"{archive.stem}-layers.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        with tarfile.open(archive) as tar:
            for number, name in enumerate(json.load(tar.extractfile("manifest.json"))[0]["Layers"]):
                with open(partial / f"{number}", "wb") as out:
                    shutil.copyfileobj(tar.extractfile(name), out, 1 << 20)
        partial.rename(folder)
    return sorted(folder.iterdir())


def unpack(archive, command):
    """A shell line that runs the decompressor over the archive's layers, one after the other."""
    return f"for layer in {' '.join(map(str, layer_files(archive)))}; do {command} <$layer; done >/dev/null"


# -- the curve: more of the same real layers -------------------------------------------------------

def _hash_unpacked(path):
    digest, unpacker = hashlib.sha256(), zlib.decompressobj(31)
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(unpacker.decompress(piece))
    return digest


def curve_image(gigabytes):
    """An image of so many GB unpacked, gzip layers. The largest holds the large layer four times, each
    time with other zeros behind the tar's end, so that no two are the same layer."""
    base = large()[1]
    if gigabytes == 4:
        return base
    path = FOLDER / f"curve-{gigabytes}.tar"
    if path.is_file():
        return path
    layers = layer_files(base)
    chosen = [layers[0], layers[2], layers[2], layers[3]] if gigabytes < 4 else [*layers, layers[1], layers[1], layers[1]]
    with tempfile.TemporaryDirectory(prefix="plimsoll-curve-", dir=FOLDER) as folder:
        files, diff_ids, hashed = [], [], {}
        for number, layer in enumerate(chosen):
            files.append(pathlib.Path(folder) / f"{number}.tar.gz")
            digest = hashed.setdefault(layer, _hash_unpacked(layer) if layer not in hashed else None).copy()
            zeros = bytes(512 * number)
            shutil.copyfile(layer, files[-1])
            if number:
                digest.update(zeros)
                with open(files[-1], "ab") as file:
                    file.write(gzip.compress(zeros))
            diff_ids.append(digest.hexdigest())
        history = [imageparts.run_line(f"layer {number}") for number in range(len(chosen))]
        imageparts.docker_archive(path, files, history, f"plimsoll-curve:{gigabytes}", diff_ids)
    return path


# -- a registry ------------------------------------------------------------------------------------

def registry_is_possible():
    return bool(shutil.which("docker-registry") and shutil.which("skopeo"))


class Registry:
    """Debian's docker-registry on a free port of this machine; what was pushed stays for the next run."""

    def __init__(self, folder="registry"):
        self.data = FOLDER / folder

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = self.data.with_suffix(".yml")
        config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {self.data}}}}}\n"
                          f"http: {{addr: 127.0.0.1:{self.port}}}\nlog: {{accesslog: {{disabled: true}}, level: error}}\n")
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def _has(self, name, tag):
        return (self.data / f"docker/registry/v2/repositories/{name}/_manifests/tags/{tag}/current/link").is_file()

    def _put(self, path, data, length, **headers):
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method="PUT",
                                       headers={"Content-Length": str(length), **headers})
        urllib.request.urlopen(asked).close()

    def _blob(self, name, data, length, digest):
        start = urllib.request.Request(f"http://127.0.0.1:{self.port}/v2/{name}/blobs/uploads/", data=b"", method="POST")
        with urllib.request.urlopen(start) as answer:
            where = urllib.parse.urlsplit(answer.headers["Location"])
        self._put(f"{where.path}?{where.query}&digest={digest}", data, length, **{"Content-Type": "application/octet-stream"})
        return {"size": length, "digest": digest}

    def push(self, archive, tag):
        """The archive's layers as they are, byte for byte; `tag` is how they are compressed."""
        name, media = "plimsoll-bench", "application/vnd.oci.image."
        if not self._has(name, tag):
            with tarfile.open(archive) as tar:
                config = tar.extractfile(json.load(tar.extractfile("manifest.json"))[0]["Config"]).read()
            digest = "sha256:" + hashlib.sha256(config).hexdigest()
            manifest = {"schemaVersion": 2, "mediaType": media + "manifest.v1+json", "layers": [],
                        "config": {"mediaType": media + "config.v1+json", **self._blob(name, config, len(config), digest)}}
            for path in layer_files(archive):
                with open(path, "rb") as file:
                    digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
                    file.seek(0)
                    manifest["layers"].append({"mediaType": f"{media}layer.v1.tar+{tag}",
                                               **self._blob(name, file, path.stat().st_size, digest)})
            data = json.dumps(manifest).encode()
            self._put(f"/v2/{name}/manifests/{tag}", data, len(data), **{"Content-Type": media + "manifest.v1+json"})
        return f"127.0.0.1:{self.port}/{name}:{tag}"

    def push_chunked(self, archive):
        """The same image as zstd:chunked, by skopeo; None where it cannot make that."""
        name = "plimsoll-bench-chunked"
        if not self._has(name, "latest"):
            done = subprocess.run(["skopeo", "copy", "-q", "--dest-tls-verify=false", "--format", "oci",
                                   "--dest-compress-format", "zstd:chunked", f"docker-archive:{archive}",
                                   f"docker://127.0.0.1:{self.port}/{name}:latest"])
            if done.returncode:
                return None
        return f"127.0.0.1:{self.port}/{name}:latest"
