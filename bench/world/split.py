"""The world's text and its binary files, each in a tree of its own: what a core gets through of either."""

import os
import shutil

import world as content

HEAD = 8000  # as git tells the two apart: a zero byte among the first 8,000


def kind_of(path):
    with open(path, "rb") as file:
        return "binary" if b"\0" in file.read(HEAD) else "text"


def divide(root, folder):
    """Two trees of hard links: {"text": …, "binary": …}."""
    trees = {kind: folder / f"only-{kind}" for kind in ("text", "binary")}
    for tree in trees.values():
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
    waiting = [os.fspath(root)]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                target = trees[kind_of(entry.path)] / os.path.relpath(entry.path, root)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(entry.path, target)
    return trees


def measure(root, folder, them, work):
    """Bytes and the processor's seconds, for each kind and scanner."""
    told = {}
    for kind, tree in divide(root, folder).items():
        files, size = content.count(tree)
        content.read_through(tree)
        told[kind] = {"files": files, "bytes": size, "cpu": {}, "seconds": {}}
        for scanner in them:
            content.say(f"{scanner.name}, {kind} alone")
            row = scanner.scan(tree, work)
            told[kind]["cpu"][scanner.name] = row.taken.cpu
            told[kind]["seconds"][scanner.name] = row.taken.seconds
        shutil.rmtree(tree)
    return told
