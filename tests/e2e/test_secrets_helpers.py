"""Several workers look for secrets in one layer: together they find what one finds, each thing once, and
where one of them fails the layer was not looked through."""

import gzip
import itertools
import json
import random
import threading
import time

import pytest

import imagekit
import scanner
import secretkit as sk
from tarkit import file, symlink, tar_of, whiteout

pytestmark = pytest.mark.skipif(not scanner.has_hooks(), reason="the program was built without test hooks (meson -Dtest_hooks=true)")


def helpers(count, **more):
    return {"PLIMSOLL_TEST_HELPERS": str(count), "PLIMSOLL_NO_CACHE": "", **more}


def entries():
    """Files with secrets and without, of many sizes and kinds, some of them twice."""
    dice, made = random.Random(7), []
    for number in range(300):
        text = "".join(f"line {line} of some text\n" for line in range(dice.randrange(400)))
        if number % 3 == 0:
            text += f"T={sk.github(seed=number % 40)}\nH={sk.token('huggingface-token', number)}\n"
        if number % 7 == 0:
            text = "\0" + text
        made.append(file(f"srv/{number % 20}/{number}.txt", text))
    made += [file("srv/big.bin", dice.randbytes(3 << 20) + b"\0" + sk.github(seed=99).encode() + b"\0"),
             file("srv/twice.env", f"T={sk.github(seed=50)}\n"), file("srv/empty", ""), symlink("srv/link", "big.bin"),
             file("srv/twice.env", f"T={sk.github(seed=51)}\n"), whiteout("srv/gone.txt")]
    return made


def write(tmp_path, *layers, **more):
    return imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(imagekit.image_of(*layers, **more)))


def look(path, count, *args, **more):
    cache = [] if "--cache-dir" in args else ["--no-cache"]
    return scanner.scan(path, "--scanners", "secret", *cache, *args, env=helpers(count), **more)


def said(result):
    assert result.report is not None, result
    return result.code, result.report["secrets"], [{**error} for error in result.errors]


@pytest.mark.parametrize("count", [1, 2, 7, 15])
def test_they_find_the_same(tmp_path, count):
    image = write(tmp_path, entries(), [file("srv/0/0.txt", "now without\n")], entries()[:50])
    alone, together = look(image, 0), look(image, count)
    assert len(sk.places(alone.report)) > 200 and alone.code == 0
    assert said(together) == said(alone)


@pytest.mark.parametrize("command", ["rootfs", "secret"])
def test_in_a_folder(tmp_path, command):
    root = tmp_path / "root"
    for entry in entries():
        if entry.type == "0" and "gone" not in entry.path:
            path = root / entry.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.data if isinstance(entry.data, bytes) else entry.data.encode())
    args = [] if command == "secret" else ["--scanners", "secret"]
    alone, together = (scanner.scan(root, *args, command=command, env=helpers(count, PLIMSOLL_NO_CACHE="1")) for count in (0, 5))
    assert len(sk.places(alone.report)) > 200
    assert said(together) == said(alone)


def test_compressed_layers_have_one_worker(tmp_path):
    image = write(tmp_path, entries(), compression="gzip")
    assert said(look(image, 3)) == said(look(image, 0))


def test_what_is_cached_is_all(tmp_path):
    image = write(tmp_path, entries())
    time.sleep(2.1)  # a file that was just written may still change unseen
    cache = ["--cache-dir", tmp_path / "cache"]
    first, second = look(image, 5, *cache), look(image, 0, *cache, "--stats")
    assert second.report["stats"]["bytes_read"] < 100_000, "it came from the cache"
    assert said(second) == said(first) == said(look(image, 0))


def test_a_layer_has_no_more_than_one_worker_would_list(tmp_path):
    """The limit of a layer holds for all of its workers together."""
    texts = ["".join(f"T={sk.github(seed=number * 100 + line)}\n" for line in range(100)) for number in range(205)]
    image = write(tmp_path, [file(f"srv/{204 - number:03}.txt", text) for number, text in enumerate(texts)])
    for count in (0, 3):
        secrets = look(image, count).report["secrets"]
        assert len(secrets) == 20_000
        assert len(secrets) + sum(secret["more_in_file"] for secret in secrets) == 20_500
        assert {secret["path"] for secret in secrets} == {f"srv/{number:03}.txt" for number in range(5, 205)}, "the first"


def test_problems_are_told_once(tmp_path):
    climbing = [file("../up.txt", "x"), file("srv/lots.bin", b"\0" + b"".join(sk.github(seed=n).encode() + b"\0" for n in range(2000)))]
    image = write(tmp_path, entries() + climbing)
    alone, together = look(image, 0), look(image, 5)
    assert alone.code == 3
    assert said(together) == said(alone)


LAST = {"a.bin": random.Random(1).randbytes(1 << 20), "a.tar": tar_of([file(f"x{n}", "y" * 3000) for n in range(300)]),
        "a.tar.gz": gzip.compress(random.Random(2).randbytes(1 << 20)), ".": b"x" * 200_000}


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("cut", [700, 1001, 100_000, 150_000])
def test_an_archive_that_is_cut(tmp_path, last, cut):
    """Who reads the last file says the same as who passes over it."""
    tar = tar_of(entries() + [file(last, LAST[last])])
    image = imagekit.image_of(tar[:-1024 - cut])
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(image))
    alone = look(path, 0)
    assert alone.code == 3
    for _ in range(3):
        assert said(look(path, 3)) == said(alone)


def test_layers_that_are_not_the_image_s(tmp_path):
    """Where the names of a layer contradict each other nobody looks at it."""
    image = imagekit.image_of(entries(), diff_ids=["sha256:" + "0" * 64])
    path = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_oci(image))
    alone, together = look(path, 0), look(path, 3)
    assert alone.code == 3 and alone.report["secrets"] == []
    assert said(together) == said(alone)


def test_a_folder_that_changes(tmp_path):
    """While files come and go each of the others is looked at, once."""
    root, stop = tmp_path / "root", threading.Event()
    root.mkdir()
    for number in range(600):
        (root / f"{number}.env").write_text(f"T={sk.github(seed=number)}\n" + "x y\n" * 2000)

    def disturb():
        for number in itertools.count():
            if stop.is_set():
                return
            (root / f"tmp{number}").write_text("x")
            (root / f"tmp{number - 3}").unlink(missing_ok=True)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        results = [scanner.scan(root, command="secret", env=helpers(3, PLIMSOLL_NO_CACHE="1")) for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    for result in results:
        found = [secret["path"] for secret in result.report["secrets"]]
        assert sorted(found) == sorted(f"{number}.env" for number in range(600))


def test_many_links_to_one_file(tmp_path):
    """Whether too many lead to it does not depend on who looks for secrets in it."""
    links = [symlink(f"var/lib/dpkg/status.d/{number}", "../../../../srv/stat") for number in range(32)]
    image = write(tmp_path, [file("srv/stat", "Package: a\nVersion: 1\nStatus: install ok installed\n"), *links])
    alone = scanner.scan(image, "--scanners", "vuln,secret", "--no-cache", env=helpers(0))
    for _ in range(6):
        result = scanner.scan(image, "--scanners", "vuln,secret", "--no-cache", env=helpers(1))
        assert said(result) == said(alone)


def test_long_paths(tmp_path):
    """What was looked through and held nothing takes no memory, however many look."""
    long = "/".join("x" * 200 for _ in range(19))
    image = write(tmp_path, tar_of([file(f"{long}/{number}", "text") for number in range(18_500)] + [file("last.env", f"T={sk.github(seed=1)}\n")], "gnu"))
    alone = look(image, 0)
    assert alone.code == 0 and len(alone.report["secrets"]) == 1, alone
    assert said(look(image, 3)) == said(alone)


def test_many_members(tmp_path):
    """Likewise of what is packed in files."""
    packed = tar_of([file("/".join("y" * 200 for _ in range(19)) + f"/{number}", "text") for number in range(18_500)] +
                    [file("last.env", f"T={sk.github(seed=1)}\n")], "gnu")
    result = look(write(tmp_path, [file("a.tar", packed)]), 0)
    assert result.code == 0 and [secret["path"] for secret in result.report["secrets"]] == ["a.tar!last.env"]


def test_what_is_counted(tmp_path):
    """Each file is read for its secrets by one."""
    image = write(tmp_path, entries(), entries()[:50])
    counts = [look(image, count, "--stats").report["stats"] for count in (0, 1, 5)]
    for key in ("entries", "entries_read", "bytes_unpacked"):
        assert len({count[key] for count in counts}) == 1, counts


def test_many_entries(tmp_path):
    """Helpers hand back what they found, not all that they went over."""
    links = [symlink(f"srv/links/{number // 1000}/{'x' * 60}{number}", "y") for number in range(60_000)]
    image = write(tmp_path, links + [file("srv/a.env", f"T={sk.github(seed=1)}\n")])
    assert said(look(image, 15)) == said(look(image, 0))


@pytest.mark.parametrize("action", ["segv", "kill", "open", "garbage", "half", "alloc"])
def test_one_fails(tmp_path, action):
    """What it had taken was not looked through: the first one then looks through all."""
    if action == "alloc" and scanner.sanitized():
        pytest.skip("sanitizers have no limit of memory")
    image = write(tmp_path, entries(), [file("srv/other.env", f"T={sk.github(seed=77)}\n")])
    result = scanner.scan(image, "--scanners", "secret", env=helpers(3, PLIMSOLL_NO_CACHE="1", PLIMSOLL_TEST_WORKER=f"1000000:{action}"))
    assert result.code == 0 and said(result) == said(look(image, 0))


@pytest.mark.parametrize("action", ["segv", "kill"])
def test_the_first_one_fails(tmp_path, action):
    result = scanner.scan(write(tmp_path, entries()), "--scanners", "secret", env=helpers(3, PLIMSOLL_NO_CACHE="1", PLIMSOLL_TEST_WORKER=f"0:{action}"))
    assert result.code == 3 and result.report["secrets"] == [], result


def test_one_hangs(tmp_path):
    """Likewise, as long as there is time."""
    image = write(tmp_path, entries())
    env = helpers(2, PLIMSOLL_NO_CACHE="1", PLIMSOLL_TEST_WORKER="1000000:hang", PLIMSOLL_TEST_WORKER_SECONDS="2")
    assert said(scanner.scan(image, "--scanners", "secret", env=env)) == said(look(image, 0))
    env.pop("PLIMSOLL_TEST_WORKER_SECONDS")
    result = scanner.scan(image, "--scanners", "secret", "--timeout", "2s", env=env)
    assert result.code == 3 and "time" in json.dumps(result.errors), result


def test_packages_are_read_by_one(tmp_path, store):
    """The others look for secrets only."""
    import evidence as ev
    image = write(tmp_path, ev.base() + ev.dist_info("crit-fixed", "1.0") + entries())
    alone, together = (scanner.scan(image, db=store, env=helpers(count, PLIMSOLL_NO_CACHE="1")) for count in (0, 4))
    assert alone.report["vulnerabilities"] if "vulnerabilities" in alone.report else alone.report["findings"]
    for result in (alone, together):
        for key in ("created", "duration", "scanned_at", "started_at"):
            result.report.pop(key, None)
    assert together.report == alone.report
