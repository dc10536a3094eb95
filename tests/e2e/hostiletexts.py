"""Texts that are hard to look through for secrets, made from each rule itself; and texts of every plain kind."""

import base64
import pathlib
import random
import re
import string
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "rules"))
import backtracking  # noqa: E402
import compile as rules  # noqa: E402


def read_rules():
    found = []
    for path in sorted((ROOT / "rules").glob("*.rules")):
        found += rules.read(path)
    for rule in found:
        rules.check(rule)
    return found


def a_match(items, letter, most):
    """A text that the items match, or would: each class by one letter of it, each repeat as often as it goes."""
    out = ""
    for operation, value in items:
        name = str(operation)
        letters = backtracking.letters_of(operation, value, False)
        if letters is not None:
            printable = sorted(x for x in letters if 33 <= x < 127) or sorted(letters)
            out += chr(printable[letter % len(printable)])
        elif name == "SUBPATTERN":
            out += a_match(list(value[-1]), letter, most)
        elif name == "BRANCH":
            out += a_match(list(value[1][letter % len(value[1])]), letter, most)
        elif name in backtracking.REPEATS:
            times = int(value[1]) if most else int(value[0])
            out += a_match(list(value[2]), letter, most) * min(times, 4000)
    return out[:9000]


def beginning(rule):
    """The literal text that the first look wants, or one of the names."""
    items = list(backtracking.sre_parse.parse(rule["loose"]))
    return a_match(items, 0, False)


def repeated(piece, size):
    piece = piece or "x"
    return (piece * (size // len(piece) + 1))[:size]


def of_rule(rule, size):
    """Name and text, each about the rule's own shape."""
    exact = rules.expressions(rule)[0]
    items = list(backtracking.sre_parse.parse(exact))
    first, near = beginning(rule), a_match(list(backtracking.sre_parse.parse(rule["near"])), 0, False) if "near" in rule else ""
    whole = a_match(items, 7, True)
    yield "prefix", repeated(first, size)
    yield "prefixes-apart", repeated(first + " ", size)
    yield "almost", repeated(whole[:-1] + "\x01", size)
    yield "one-too-many", repeated(whole + "x", size)
    yield "matches", repeated(near + " " + whole + "\n", size)
    for number in range(3):
        letter = a_match(items, number * 11, True)[-1:] or "A"
        yield f"run-{number}", first + repeated(letter, size)
    yield "all-letters", repeated("".join(a_match(items, number * 3 + 1, True) for number in range(6)), size)
    yield "spaces", repeated(first + " " * 30 + "=" + " " * 30, size)
    yield "name-and-quotes", repeated(first + "\"'\"]='\"", size)


def plain(size):
    """Kinds of text that images hold, made up from a seed: none has secrets."""
    numbers = random.Random(20261130)
    words = ("the of and to in is that for it as was with be by on not he his but at are this have from or one had word all "
             "model layer tensor image train batch epoch loss value config data function return import class self").split()
    def sentence():
        return " ".join(numbers.choice(words) for _ in range(numbers.randint(6, 14)))
    def name():
        return numbers.choice(words) + "_" + numbers.choice(words)
    data = bytes(numbers.randrange(256) for _ in range(size))
    yield "prose", "\n".join(sentence().capitalize() + "." for _ in range(size // 40))[:size]
    yield "code", "\n".join(f"    {name()} = self.{name()}({name()}, {numbers.randrange(100)})  # {sentence()[:20]}" for _ in range(size // 40))[:size]
    yield "minified", ";".join(f"function {numbers.choice(string.ascii_letters)}(e,t){{return e.{name()}?t:void {numbers.randrange(9)}}}"
                               for _ in range(size // 30))[:size]
    yield "base64", base64.b64encode(data).decode()[:size]
    yield "base64-lines", base64.encodebytes(data).decode()[:size]
    yield "hex-dump", "\n".join(f"{at:08x}: " + " ".join(data[at + i:at + i + 2].hex() for i in range(0, 16, 2)) for at in range(0, size, 16))[:size]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    yield "source-map", ('{"version":3,"mappings":"' + "".join(numbers.choice("AAAACEGIKMQSU" + alphabet[26:36]) + numbers.choice(",;A") for _ in range(size)))[:size]
    yield "json", ("[" + ",".join(f'{{"{name()}": "{sentence()}", "{name()}": {numbers.random()}}}' for _ in range(size // 60)))[:size]
    yield "log", "\n".join(f"2026-11-30 09:{numbers.randrange(60):02}:{numbers.randrange(60):02} INFO {name()}: {sentence()} {numbers.randrange(10**6)}"
                           for _ in range(size // 60))[:size]
    yield "checksums", "\n".join(f"{data[at:at + 32].hex()}  usr/lib/{name()}.py" for at in range(0, size, 60))[:size]
    yield "numbers", "\n".join(",".join(f"{numbers.random():.6f}" for _ in range(8)) for _ in range(size // 72))[:size]


def images(size):
    """Images in a page, as base64: noise, and long runs of zeros, which are long runs of A."""
    numbers, out = random.Random(20261130), ""
    while len(out) < size:
        data = b"GIF89a" + b"".join(bytes(numbers.randrange(256) for _ in range(numbers.randrange(40))) + bytes(numbers.randrange(120))
                                    for _ in range(40))
        out += f"url(data:image/gif;base64,{base64.b64encode(data).decode()});"
    return out[:size]


def write(path, texts):
    """In the form that secret_cost reads; returns how many there are."""
    count = 0
    with open(path, "wb") as out:
        for name, path, text in texts:
            data = text.encode("latin-1", "replace")
            out.write(f"{name} {len(data)} {path}\n".encode() + data)
            count += 1
    return count
