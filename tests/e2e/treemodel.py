"""Random stacks of layers, and a simple model of the tree that they come to.

The tree is a dict of path → Node for everything that exists. A layer first takes away what its
whiteouts and opaque folders name in the tree below it, wherever they stand in the tar, and then adds
its entries in order (OCI image specification, layer, whiteouts).
"""

from dataclasses import dataclass

import evidence
import tarkit

FOLDERS = ("srv", "opt/app", "opt/app/lib", "usr/local/lib/site-packages", "usr/share")


@dataclass(frozen=True)
class Node:
    kind: str            # "dir", "file", "link"
    package: tuple = ()  # (type, name, version)
    layer: int = -1      # where this package came at this version
    data: str = ""


def parents(path):
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def below(tree, path):
    return [other for other in tree if other.startswith(path + "/")]


def remove(tree, path):
    for other in [path, *below(tree, path)]:
        tree.pop(other, None)


def add(tree, path, node):
    """Put a node in its place; what stood there gives way, unless both are folders."""
    for parent in parents(path):
        if parent not in tree or tree[parent].kind != "dir":
            remove(tree, parent)
            tree[parent] = Node("dir")
    old = tree.get(path)
    if node.kind != "dir":
        remove(tree, path)
        if old and old.package == node.package:
            node = Node(node.kind, node.package, old.layer, node.data)
        tree[path] = node
    elif not old or old.kind != "dir":
        remove(tree, path)
        tree[path] = node


class Stack:
    """A random stack: `layers` (lists of entries) and `tree`, what they come to."""

    def __init__(self, random, layers=5):
        self.random, self.tree, self.layers, self.count = random, {}, [], 0
        for index in range(layers):
            self.layers.append(self._layer(index))

    def packages(self):
        """{(type, name, version): {path: layer}} of what is there in the end."""
        found = {}
        for path, node in self.tree.items():
            if node.package:
                found.setdefault(node.package, {})[path] = node.layer
        return found

    # A layer is gathered as removals and additions that do not depend on their order.

    def _layer(self, index):
        self.removals, self.additions, self.taken = [], [], set()
        for _ in range(self.random.randint(0, 4) if index else 0):
            self._remove()
        self.solid = set(self.tree)
        for _ in range(self.random.randint(1, 8)):
            self.random.choice([self._package] * 5 + [self._rewrite, self._folder, self._flatten, self._hardlink])(index)
        mixed = list(self.additions)
        for entry in self.removals:
            mixed.insert(self.random.randint(0, len(mixed)), entry)
        return mixed

    def _remove(self):
        if self.random.random() < 0.35:
            path = self.random.choice(FOLDERS)
            for other in below(self.tree, path):
                self.tree.pop(other, None)
            self.removals.append(tarkit.opaque(path))
        elif self.tree:
            path = self.random.choice(sorted(self.tree))
            remove(self.tree, path)
            self.removals.append(tarkit.whiteout(path))

    def _free(self, path):
        """Whether this layer has not yet said anything that this path would contradict."""
        around = {path, *parents(path)}
        return not (around & self.taken) and not any(one.startswith(path + "/") for one in self.taken)

    def _put(self, path, node, entry):
        """Add an entry, with folder entries where a parent is no folder (else now and then)."""
        for parent in parents(path):
            missing = parent in self.tree and self.tree[parent].kind != "dir"
            if missing or self.random.random() < 0.3:
                self.additions.append(tarkit.folder(parent))
        add(self.tree, path, node)
        self.additions.append(entry)
        if node.kind != "dir":
            self.taken.add(path)

    def _package(self, index):
        self.count += 1
        name, version = f"p{self.random.randint(0, 9)}", f"{self.count}.0"
        where = self.random.choice(FOLDERS)
        kind, path = self.random.choice([
            ("pypi", f"{where}/{name}.dist-info/METADATA"), ("pypi", f"{where}/{name}.egg-info/PKG-INFO"),
            ("pypi", f"{where}/{name}.egg-info"), ("deb", f"var/lib/dpkg/status.d/{name}")])
        text = evidence.metadata(name, version) if kind == "pypi" else evidence.deb(name, version)
        if self._free(path):
            self._put(path, Node("file", (kind, name, version), index, text), tarkit.file(path, text))

    def _rewrite(self, index):
        """The same package at the same version once more: it stays where it came from."""
        known = [p for p, n in sorted(self.tree.items()) if n.package and self._free(p) and p in self.solid]
        if known:
            path = self.random.choice(known)
            node = self.tree[path]
            self._put(path, Node("file", node.package, index, node.data), tarkit.file(path, node.data))

    def _folder(self, _index):
        path = self.random.choice([*sorted(self.tree), *FOLDERS])
        if not ({path, *parents(path)} & self.taken):
            self._put(path, Node("dir"), tarkit.folder(path))

    def _flatten(self, _index):
        """A file or a symlink where something else may have been."""
        path = self.random.choice(sorted(self.tree) or ["srv"])
        if self._free(path) and path not in parents("var/lib/dpkg/status.d/x"):
            # A file of other text at a path that is read would be a damaged package, not a lost one.
            read = path.endswith(("METADATA", "PKG-INFO", ".egg-info")) or "status.d" in path
            flat, link = tarkit.file(path, "flat"), tarkit.symlink(path, "nowhere/at/all")
            entry = link if read else self.random.choice([flat, link])
            self._put(path, Node("file" if entry.data else "link"), entry)

    def _hardlink(self, index):
        sources = [p for p, n in sorted(self.tree.items()) if n.package and n.package[0] == "pypi"]
        if not sources:
            return
        source = self.random.choice(sources)
        self.count += 1
        path = f"{self.random.choice(FOLDERS)}/linked{self.count}.dist-info/METADATA"
        if self._free(path):
            node = self.tree[source]
            self._put(path, Node("file", node.package, index, node.data), tarkit.hardlink(path, source))
            self.taken.add(source)  # what it names must stay as it is in this layer
