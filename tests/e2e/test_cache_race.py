"""A file that is changed while an image in it is read: what was read is not kept as what lies there now."""

import re
import threading
import time

import pytest

import evidence as ev
import imagekit
import scanner

pytestmark = [pytest.mark.timeout(120),
              pytest.mark.skipif(not scanner.has_hooks(), reason="the program was built without its test hooks")]
SETTLED = 2.2  # seconds after which a file that was not changed is known by its place and times


def scan(image, store, *args, **env):
    return scanner.run("image", image, "-f", "json", "--verbose", "--db", store, *args, env={"PLIMSOLL_NO_CACHE": "", **env})


def test_changed_while_it_was_read(tmp_path, store):
    cache = tmp_path / "cache"
    image = imagekit.image_of([*ev.base()], [*ev.dist_info("low-fixed", "1.0")], compression="none")
    path = imagekit.write_folder(tmp_path / "image", imagekit.files_oci(image))
    blob = next(file for file in (path / "blobs/sha256").iterdir() if b"low-fixed" in file.read_bytes() and file.stat().st_size > 2000)
    whole = blob.read_bytes()
    time.sleep(SETTLED)

    def change():
        with blob.open("r+b") as file:
            file.write(whole.replace(b"Version: 1.0", b"Version: 9.9"))

    # Layer 0 holds the scan up until the change is no fresh one any more.
    timer = threading.Timer(1.5, change)
    timer.start()
    first = scan(path, store, "--cache-dir", cache, PLIMSOLL_TEST_WORKER="0:hang", PLIMSOLL_TEST_WORKER_SECONDS="6")
    timer.join()
    assert first.code == 3 and b"Version: 9.9" in blob.read_bytes(), first
    second = scan(path, store, "--cache-dir", cache)
    assert b"9.9" in second.out, second
    assert not re.search(r"layer 1: its record was in the cache", second.stderr), second
    assert second.out == scan(path, store, "--no-cache").out
