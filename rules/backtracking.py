"""How many ways a regular expression has to match one text: what a matcher that goes back may have to try.

Two quantified classes side by side that overlap have the product of their ranges, a quantified group of them
far more. One way means that the expression is read once, whatever the text; a few hundred, that the last run
of letters is given back letter by letter. `compile.py` refuses what has more than MOST.
"""

try:
    from re import _constants as constants, _parser as sre_parse
except ImportError:
    import sre_constants as constants
    import sre_parse

MOST = 600  # two runs of 24 letters and more, side by side, have more
CAP = 10 ** 9

EVERYTHING = frozenset(range(256))
DIGITS = frozenset(b"0123456789")
WORDS = DIGITS | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
SPACES = frozenset(b" \t\n\r\f\v")
CATEGORIES = {"CATEGORY_DIGIT": DIGITS, "CATEGORY_WORD": WORDS, "CATEGORY_SPACE": SPACES,
              "CATEGORY_NOT_DIGIT": EVERYTHING - DIGITS, "CATEGORY_NOT_WORD": EVERYTHING - WORDS,
              "CATEGORY_NOT_SPACE": EVERYTHING - SPACES}
REPEATS = ("MAX_REPEAT", "MIN_REPEAT")


def any_case(letters, caseless):
    return letters | frozenset(x ^ 32 for x in letters if 65 <= (x & ~32) <= 90) if caseless else letters


def letters_of(operation, value, caseless):
    """The bytes that an item of one byte matches; None for any other item."""
    name = str(operation)
    if name == "LITERAL":
        return any_case(frozenset([value]), caseless)
    if name == "NOT_LITERAL":
        return EVERYTHING - any_case(frozenset([value]), caseless)
    if name == "ANY":
        return EVERYTHING
    if name != "IN":
        return None
    found = set()
    for kind, more in value:
        if str(kind) == "LITERAL":
            found.add(more)
        elif str(kind) == "RANGE":
            found |= set(range(more[0], min(more[1], 255) + 1))
        elif str(kind) == "CATEGORY":
            found |= CATEGORIES[str(more)]
    found = any_case(frozenset(found), caseless)
    return EVERYTHING - found if str(value[0][0]) == "NEGATE" else found


def inside(value, caseless):
    """A group's content, and whether it is read in any case."""
    return list(value[-1]), caseless or bool(value[1] & constants.SRE_FLAG_IGNORECASE)


def beginnings(items, caseless):
    """The bytes that a match of the items may begin with, and whether they may match nothing."""
    found = frozenset()
    for operation, value in items:
        letters, name = letters_of(operation, value, caseless), str(operation)
        empty = letters is None
        if name == "SUBPATTERN":
            letters, empty = beginnings(*inside(value, caseless))
        elif name == "BRANCH":
            parts = [beginnings(list(branch), caseless) for branch in value[1]]
            letters, empty = frozenset().union(*(part[0] for part in parts)), any(part[1] for part in parts)
        elif name in REPEATS:
            letters, empty = beginnings(list(value[2]), caseless)
            empty = empty or value[0] == 0
        found |= letters or frozenset()
        if not empty:
            return found, False
    return found, True


def gives_back(letters, after, caseless, follow):
    """Whether what follows a run of letters may ask it to give some back."""
    for at, (operation, value) in enumerate(after):
        if str(operation) == "ASSERT_NOT" and value[0] > 0:
            return False  # compile.keep_all makes it keep all
        found, empty = beginnings([(operation, value)], caseless)
        if letters & found:
            return True
        if not empty:
            return False
    return bool(letters & follow)


def ways(items, caseless=False, follow=frozenset()):
    total, items = 1, list(items)
    for at, (operation, value) in enumerate(items):
        name, after, count = str(operation), items[at + 1:], 1
        found, empty = beginnings(after, caseless)
        rest = found | (follow if empty else frozenset())
        if name == "SUBPATTERN":
            count = ways(*inside(value, caseless), rest)
        elif name == "BRANCH":
            firsts = [beginnings(list(branch), caseless) for branch in value[1]]
            firsts = [letters | (rest if empty else frozenset()) for letters, empty in firsts]
            counts = [ways(branch, caseless, rest) for branch in value[1]]
            count = max(sum(counts[j] for j in range(len(counts)) if firsts[j] & firsts[i] or i == j)
                        for i in range(len(counts)))
        elif name in REPEATS:
            least, most, item = int(value[0]), min(int(value[1]), 2000), list(value[2])
            letters, _ = beginnings(item, caseless)
            each = ways(item, caseless, letters | rest)
            single = len(item) == 1 and letters_of(*item[0], caseless) is not None
            if single:
                count = most - least + 1 if gives_back(letters, after, caseless, follow) else 1
            else:
                several = most - least + 1 if letters & rest else 1
                count = several * each ** min(most, 30)
        total = min(CAP, total * max(count, 1))
    return total


def count(expression):
    return ways(sre_parse.parse(expression))
