"""What the image of realimage.py becomes when somebody takes care: a second stage with only what the
program needs at run time, of versions that are repaired. Real packages; made once and kept beside it."""

import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import tarfile
import tempfile

import realimage
from realimage import imageparts

DEBS = ["python3-pip", "python3-venv", "python3-requests", "curl", "openssl", "ca-certificates"]  # not needed to run
BEYOND = ["usrmerge", "perl", "libperl5.36", "perl-modules-5.36", "libfile-find-rule-perl", "libnumber-compare-perl",
          "libtext-glob-perl", "e2fsprogs", "logsave", "libss2", "libext2fs2"]  # nor these, whatever depends on them
WEB = ["flask==3.1.3", "jinja2==3.1.6", "werkzeug==3.1.9", "requests==2.34.2", "urllib3==2.8.0"]


def slim_root(work):
    """The base of the fat image, without the packages that nothing in it needs to run."""
    with tarfile.open(realimage.made() / "image.tar") as image:
        manifest = json.load(image.extractfile("manifest.json"))
        with open(work / "fat.tar", "wb") as out:
            shutil.copyfileobj(image.extractfile(manifest[0]["Layers"][0]), out, 1 << 20)
    root = work / "root"
    root.mkdir()
    realimage.run("tar", "-C", root, "-xf", work / "fat.tar", "--exclude=./dev/*")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    realimage.run("chroot", root, "apt-get", "-qq", "-y", "purge", "--auto-remove", *DEBS, env=environment)
    realimage.run("chroot", root, "dpkg", "--purge", "--force-depends", "--force-remove-protected", "--force-remove-essential", *BEYOND, env=environment)
    realimage.run("tar", "-C", root, "--sort=name", "--exclude=./srv/*", "--exclude=./var/cache/apt/*", "-cf", work / "root.tar", ".")


def layers_of(work):
    """The layers and their history: FROM a slim base, COPY --from=build."""
    slim_root(work)
    imageparts.pip_tree(work / "tree", WEB)
    imageparts.tree_layer(work / "app.tar", work / "tree", imageparts.SITE)
    return [work / "root.tar", work / "app.tar"], [
        *imageparts.base_lines(), {"created_by": f"COPY /opt/app /{imageparts.SITE} # buildkit", "comment": "buildkit.dockerfile.v0"}]


def made():
    """The image's path; makes it if it is not there yet."""
    recipe = hashlib.sha256((pathlib.Path(__file__).read_text() + pathlib.Path(imageparts.__file__).read_text()).encode())
    folder = realimage.cache_folder().parent
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"slim-{recipe.hexdigest()[:16]}.tar"
    with open(folder / "lock-slim", "w") as lock:  # another pytest worker may be at it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_file():
            for old in folder.glob("slim-*"):
                os.remove(old)
            with tempfile.TemporaryDirectory(prefix="plimsoll-slim-", dir=folder) as work:
                files, history = layers_of(pathlib.Path(work))
                imageparts.docker_archive(target, files, history, "shop/app:2.0")
    return target
