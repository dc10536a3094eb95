"""Debian packages as dpkg leaves them: their files, and a database that says whose they are.

No maintainer script is run: what those make (the host keys of an ssh server, for one) is each machine's
own and nobody's package, while all of the world is to be public.
"""

import hashlib
import subprocess
import tarfile

MERGED = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")


def download(names, folder):
    """Fetches packages, given as name=version. Where a version has been replaced since, the one that
    took its place. Gives the paths, and the names that came with another version."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = dict(line.split("=", 1) for line in names)
    there = _by_name(folder)
    missing = [name for name, version in wanted.items() if there.get(name, ("",))[0] != version]
    if missing:
        known = _versions(missing) or _versions_after_update(missing)
        other = [name for name in missing if wanted[name] not in known.get(name, ())]
        asked = [name if name in other else f"{name}={wanted[name]}" for name in missing]
        subprocess.run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", *asked], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        there = _by_name(folder)
    return [there[name][1] for name in wanted], [name for name in wanted if there[name][0] != wanted[name]]


def _by_name(folder):
    found = {}
    for path in sorted(folder.glob("*.deb")):
        name, version, _ = path.stem.split("_")
        found[name] = (version.replace("%3a", ":"), path)
    return found


def _versions(names):
    """Which versions the archives that apt is set up with offer: {name: {version}}."""
    told = subprocess.run(["apt-cache", "madison", *names], capture_output=True, text=True, check=True).stdout
    known = {}
    for line in told.splitlines():
        name, version, *_ = (word.strip() for word in line.split("|"))
        known.setdefault(name, set()).add(version)
    return known


def _versions_after_update(names):
    """As above, where apt has no lists yet (a fresh container)."""
    subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
    return _versions(names)


def install(paths, root):
    """Unpacks packages below a new root, with /usr merged as Debian 12 has it."""
    info = root / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    with open(root / "var/lib/dpkg/status", "w") as status:
        for path in paths:
            status.write(_install_one(path, root, info) + "\n")
    (info / "format").write_text("1\n")
    (root / "var/lib/dpkg/arch").write_text("amd64\n")
    (root / "etc/os-release").exists() or (root / "etc/os-release").symlink_to("../usr/lib/os-release")


def _install_one(path, root, info):
    """Gives the package's stanza for dpkg's status file."""
    control = {name.removeprefix("./"): data for name, data in _members(path, "--ctrl-tarfile") if data is not None}
    _unpack(path, root)
    stanza = control.pop("control").decode().rstrip("\n") + "\n"
    fields = dict(line.split(": ", 1) for line in stanza.splitlines() if line[0] not in " \t" and ": " in line)
    name = fields["Package"]
    if fields.get("Multi-Arch") == "same":
        name += ":" + fields["Architecture"]
    for part, data in control.items():
        (info / f"{name}.{part}").write_bytes(data)
    names = [name.removeprefix(".").rstrip("/") or "/." for name, _ in _members(path, "--fsys-tarfile", False)]
    (info / f"{name}.list").write_text("".join(line + "\n" for line in names))
    first, rest = stanza.split("\n", 1)
    conffiles = control.get("conffiles", b"").decode().split("\n")
    sums = [f" {line} {_md5(root, line)}\n" for line in conffiles if line.startswith("/")]
    return f"{first}\nStatus: install ok installed\n{rest}" + ("Conffiles:\n" + "".join(sums) if sums else "")


def _md5(root, name):
    path = root / name.lstrip("/")
    return hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else "newconffile"


def _unpack(path, root):
    packer = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-C", root], stdin=packer.stdout,
                   check=True)
    packer.stdout.close()
    if packer.wait():
        raise RuntimeError(f"{path}: dpkg-deb failed")


def _members(path, which, contents=True):
    packer = subprocess.Popen(["dpkg-deb", which, path], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=packer.stdout, mode="r|") as tar:
        for member in tar:
            yield member.name if not member.isdir() else member.name + "/", \
                tar.extractfile(member).read() if contents and member.isfile() else None
    packer.stdout.read()
    packer.wait()
