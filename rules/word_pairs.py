#!/usr/bin/env python3
"""Makes src/secret/word_pairs.h: how much likelier one letter follows another in words than by chance.

    rules/word_pairs.py > src/secret/word_pairs.h

Counted in the names and comments of Python's own standard library: the words that programs are written in.
A number is 16 × log2 of that likelihood; each word counts by the logarithm of how often it stands there.
"""

import collections
import math
import pathlib
import re


def main():
    words = collections.Counter()
    for path in sorted(pathlib.Path(re.__file__).resolve().parents[1].rglob("*.py")):
        if not {"test", "tests", "idlelib", "encodings", "site-packages"} & set(path.parts):
            words.update(word.lower() for word in re.findall(r"[A-Za-z]{3,}", path.read_text(errors="replace")))
    counts = [[1.0] * 26 for _ in range(26)]
    for word, often in words.items():
        for a, b in zip(word, word[1:]):
            counts[ord(a) - 97][ord(b) - 97] += math.log2(often + 1)
    print("/* Made by rules/word_pairs.py, which says what the numbers are. */")
    print("static const signed char word_pairs[26][26] = {")
    for row in counts:
        numbers = (16 * (math.log2(count / sum(row)) + math.log2(26)) for count in row)
        print("    {" + ", ".join(str(max(-127, min(127, round(number)))) for number in numbers) + "},")
    print("};")


if __name__ == "__main__":
    main()
