"""The table: what a person sees on a terminal and in a log."""

import os
import pty
import re
import struct
import subprocess
import fcntl
import termios

import pytest

import evidence as ev
import imagekit
import scanner


@pytest.fixture
def image(tmp_path):
    own = [*ev.dist_info("high-fixed", "1.0"), *ev.dist_info("crit-unfixed", "1.0.0.post1+a.very.long.local.version.segment")]
    made = imagekit.image_of([*ev.base(), *ev.dist_info("crit-fixed", "1.0")], own, ev.dist_info("unknown-fixed", "1.0"),
                             history=[imagekit.nop("ADD file:abc in /", empty=False), imagekit.run("pip install high-fixed"),
                                      imagekit.run("pip install unknown-fixed " + "x" * 300)])
    return imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_old(made))


def table(image, store, *args, **more):
    return scanner.run("image", "--input", image, "--db", store, *args, **more)


def on_terminal(columns, *args, cwd=None, **env):
    """Run on a terminal of that many columns and give all that it wrote there."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen([scanner.binary(), *map(str, args)], stdout=child, stderr=subprocess.DEVNULL, stdin=child, cwd=cwd,
                          env=scanner.environment({"TERM": "xterm-256color", **env})) as process:
        os.close(child)
        out = b""
        while True:
            try:
                block = os.read(parent, 65536)
            except OSError:  # the other end is closed
                break
            if not block:
                break
            out += block
        process.wait(60)
    os.close(parent)
    return out.decode()


def test_what_it_says(image, store):
    text = table(image, store).stdout
    for word in ("crit-fixed", "1.0", "2.0", "CRITICAL", "CVE-2024-0001", "HIGH", "CVE-2024-0002", "CVE-2024-0011", "UNKNOWN"):
        assert word in text, word


def test_grouped_by_origin(image, store):
    """Each finding stands below the instruction that brought it, bottom layer first."""
    text = table(image, store).stdout
    places = [text.index(word) for word in ("ADD file:abc", "CVE-2024-0001", "pip install high-fixed", "CVE-2024-0002",
                                            "pip install unknown-fixed", "CVE-2024-0005")]
    assert places == sorted(places), text


def test_counts_and_advice(image, store):
    """The summary counts by severity, and says which upgrade removes most."""
    text = table(image, store).stdout
    for pattern in (r"\b4\b", r"2 critical|critical:? *2", r"1 high|high:? *1", r"1 unknown|unknown:? *1"):
        assert re.search(pattern, text, re.I), (pattern, text)
    assert re.search(r"upgrad\w* .*(crit-fixed|high-fixed|unknown-fixed)", text, re.I), text


def test_nothing_found(tmp_path, store):
    image = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(ev.base())))
    done = table(image, store)
    assert done.code == 0 and re.search(r"\bno\b|\b0\b", done.stdout, re.I), done


def test_table_is_the_default(image, store):
    assert table(image, store).out == table(image, store, "-f", "table").out


def test_no_colours_in_a_file(image, store):
    done = table(image, store)
    assert b"\x1b" not in done.out + done.err


def test_colours_on_a_terminal(image, store):
    args = ("image", "--input", image, "--db", store)
    assert "\x1b[" in on_terminal(100, *args)
    assert "\x1b" not in on_terminal(100, *args, NO_COLOR="1")
    assert "\x1b" not in on_terminal(100, *args, TERM="dumb")
    assert "\x1b[" in on_terminal(100, *args, NO_COLOR=""), "an empty NO_COLOR is none"


@pytest.mark.parametrize("columns", [70, 80, 120, 200])
def test_fits_the_terminal(image, store, columns):
    text = on_terminal(columns, "image", "--input", image.name, "--db", store, cwd=image.parent, NO_COLOR="1")
    assert "CVE-2024-0001" in text and "CVE-2024-0011" in text, "ids are never cut"
    longest = max(text.splitlines(), key=len)
    assert len(longest) <= columns, longest


def test_not_judged_is_said(tmp_path, store):
    layer = [ev.os_release(ev.UBUNTU), ev.dpkg(ev.deb("curl", "1"), ev.deb("bash", "2"), ev.deb("zlib1g", "3"))]
    image = imagekit.write_archive(tmp_path / "i.tar", imagekit.files_docker_old(imagekit.image_of(layer)))
    done = table(image, store)
    assert re.search(r"\b3\b.*not judged|not judged.*\b3\b", done.stdout + done.stderr, re.I | re.S), done
