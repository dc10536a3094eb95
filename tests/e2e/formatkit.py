"""Images for the tests of report formats: a small one with something of everything, an empty one, a hostile one."""

import json

import advisories
import evidence as ev
import imagekit
import secretkit as sk
from tarkit import file, folder, whiteout

EVIL_NAME = 'we"ird|<script>alert(1)</script>&amp;@octocat #1 [x](http://evil.example) `tick` ${{ x }}'
EVIL_VERSION = "=cmd|'/c calc'!A1"
EVIL_PATH = b"srv/\xff\xfe a\n::error::b/,;\"'<img src=x onerror=alert(1)>&|`*_[x](javascript:alert(1)) @octocat www.evil.example %41\x1b[31m"
EVIL_LINE = "RUN echo '::error::x' | tee \\| \"<script>\" ]]> {{{7*7}}} {0} [a](http://evil.example) @octocat\r\n::warning::y\x07\u202e"


def standard(tmp_path, name="app.tar"):
    """Every severity, with and without a fix, in base and own layers; secrets, one of them deleted."""
    own = [entry for package in ("high-fixed", "medium-fixed", "low-unfixed", "unknown-fixed")
           for entry in ev.dist_info(package, "1.0")]
    packages = ev.dpkg(ev.deb("base-files", "12.4+deb12u9"), ev.deb("openssl", "3.0.11-1~deb12u2"),
                       ev.deb("login", "1:4.13", source="shadow (1:4.13)"))
    layers = [[ev.os_release(), packages, *ev.dist_info("crit-fixed", "1.0")],
              [*own, folder("app"), file("app/.env", f"A=1\nTOKEN={sk.github()}\n"),
               file("app/gone.txt", sk.token("huggingface-token") + "\n")],
              [whiteout("app/gone.txt"), *ev.dist_info("crit-unfixed", "1.0")]]
    history = [imagekit.nop("ADD file:abc in /", empty=False), imagekit.run("pip install -r requirements.txt"),
               imagekit.run("rm app/gone.txt")]
    return _write(tmp_path / name, layers, history=history)


def empty(tmp_path):
    """Nothing to find."""
    return _write(tmp_path / "empty.tar", [ev.base()])


def hostile(tmp_path):
    """What an image holds is no markup, no command, no formula, no address."""
    conda = [ev.conda("placeholder", "1", files=[])]
    names = [EVIL_NAME, "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "a\r\n::error::b", "x\tb", "ünïcode", "\u202egnp.exe"]
    records = []
    for number, name in enumerate(names):
        record = {"build": "0", "build_number": 0, "channel": "https://c.example/x", "depends": [], "files": [],
                  "fn": f"{number}.conda", "name": name, "subdir": "linux-64", "version": EVIL_VERSION}
        records.append(file(f"opt/conda/conda-meta/evil-{number}.json", json.dumps(record)))
    site = b"srv/\xff<b>/"
    dists = []
    for name, version in (("high-fixed", "1.0"), ("evil-title", "1.0+x.y")):
        base = EVIL_PATH + f"/{name.replace('-', '_')}-{version}.dist-info".encode()
        dists.append(file(base + b"/METADATA", ev.metadata(name, version)))
    debs = [ev.deb(EVIL_NAME, "1.0-1"), ev.deb("=cmd|'/c calc'!A1", "1.0-1"), ev.deb("@octocat", "=1+1")]
    layers = [[ev.os_release(), ev.dpkg(ev.deb("base-files", "12.4+deb12u9"), *debs)], [*conda, *records, *dists, file(site + b"@x|y.env", f"TOKEN={sk.github(seed=7)}\n")]]
    history = [imagekit.nop("ADD file:abc in /", empty=False), imagekit.line(EVIL_LINE, empty=False)]
    return _write(tmp_path / "hostile.tar", layers, history=history)


def broken(tmp_path):
    """A layer that ends in the middle, of an image that has findings."""
    image = imagekit.image_of([*ev.base(), *ev.dist_info("high-fixed", "1.0")], [file("srv/data", b"\x01\x7f" * 9000)],
                              compression="gzip")
    files = imagekit.files_docker_old(image)
    last = [name for name in files if name.endswith("layer.tar")][-1]
    files[last] = files[last][:30]
    return imagekit.write_archive(tmp_path / "broken.tar", files)


# What a feed says is no markup either.
EVIL_TITLE = "<script>alert(1)</script> | [x](javascript:alert(1)) @octocat `a` **b**\n\n# head\n{0}"
RECORDS = [*advisories.STANDARD,
           *(advisories.debian(f"DEBIAN-CVE-2024-01{number:02}", name, None, "HIGH", upstream=[f"CVE-2024-01{number:02}"])
             for number, name in enumerate([EVIL_NAME, "=cmd|'/c calc'!A1", "@octocat"])),
           {**advisories.pypi("CVE-2024-0099", "evil-title", "2.0", "HIGH"), "summary": EVIL_TITLE, "details": EVIL_TITLE}]


def _write(path, layers, **more):
    return imagekit.write_archive(path, imagekit.files_docker_old(imagekit.image_of(*layers, **more)))
