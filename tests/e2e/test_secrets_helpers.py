"""Several workers look for secrets in one layer: together they find what one finds, each thing once, and
where one of them fails the layer was not looked through."""

import json
import random
import time

import pytest

import imagekit
import scanner
import secretkit as sk
from tarkit import file, symlink, whiteout

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
    assert len(alone.report["secrets"]) > 200 and alone.code == 0
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
    assert len(alone.report["secrets"]) > 200
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
    image = write(tmp_path, [file(f"srv/{number:03}.txt", text) for number, text in enumerate(texts)])
    for count in (0, 3):
        secrets = look(image, count).report["secrets"]
        assert len(secrets) == 20_000
        assert len(secrets) + sum(secret["more_in_file"] for secret in secrets) == 20_500


def test_problems_are_told_once(tmp_path):
    climbing = [file("../up.txt", "x"), file("srv/lots.bin", b"\0" + b"".join(sk.github(seed=n).encode() + b"\0" for n in range(2000)))]
    image = write(tmp_path, entries() + climbing)
    alone, together = look(image, 0), look(image, 5)
    assert alone.code == 3
    assert said(together) == said(alone)


@pytest.mark.parametrize("action", ["segv", "kill", "open", "garbage", "half", "alloc"])
def test_one_fails(tmp_path, action):
    """What it had taken was not looked through: that is said, and nothing passes."""
    image = write(tmp_path, entries(), [file("srv/other.env", f"T={sk.github(seed=77)}\n")])
    result = scanner.scan(image, "--scanners", "secret", env=helpers(3, PLIMSOLL_NO_CACHE="1", PLIMSOLL_TEST_WORKER=f"1000000:{action}"))
    assert result.code == 3 and any(error.get("layer") == 0 for error in result.errors), result
    assert [secret["path"] for secret in result.report["secrets"]] == ["srv/other.env"]


@pytest.mark.parametrize("action", ["segv", "kill"])
def test_the_first_one_fails(tmp_path, action):
    result = scanner.scan(write(tmp_path, entries()), "--scanners", "secret", env=helpers(3, PLIMSOLL_NO_CACHE="1", PLIMSOLL_TEST_WORKER=f"0:{action}"))
    assert result.code == 3 and result.report["secrets"] == [], result


def test_one_hangs(tmp_path):
    env = helpers(2, PLIMSOLL_NO_CACHE="1", PLIMSOLL_TEST_WORKER="1000000:hang", PLIMSOLL_TEST_WORKER_SECONDS="2")
    result = scanner.scan(write(tmp_path, entries()), "--scanners", "secret", env=env)
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
