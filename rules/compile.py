#!/usr/bin/env python3
"""Turns the rules of this folder into a C table, and says what is wrong with them.

    rules/compile.py FILE.rules… > table.c
    rules/compile.py --check FILE.rules…
    rules/compile.py --public public.list > table.c

README.md in this folder describes the form. Uses nothing but Python's own library.
"""

import random
import re
import sys

import backtracking

try:
    from re import _parser as sre_parse
except ImportError:
    import sre_parse

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
CHECKS = ("entropy", "mixed", "github-crc", "jwt", "private-key", "aws-key", "base64-bytes",
          "base64-json", "password", "plain-password", "url-password", "chosen-password", "basic", "random",
          "digits-apart")
SINGLE = {"title", "severity", "token", "names", "assigned", "regex", "near", "bytes", "check", "revoke", "advice", "find", "weak",
          "edges", "path", "file"}
REPEATED = {"good", "bad"}
REACH_MOST = 8192
OPEN_REACH = 2048  # of a pattern that has no longest match of its own

# What stands between a name and its value: NAME="…", name: '…', environ["NAME"] = …, ENV NAME …, <name>…,
# name: str = "…", name = b"…"; and what a terminal's colours put there (ECMA-48). Each part takes all that it can and
# never gives back: whatever follows, it is read once. What it may begin with stands in secret/matcher.c too.
COLOUR = r"(?:\x1b\[[0-9;]{0,12}+m){0,2}+"
BETWEEN = (r"[\w.-]{0,20}+" + COLOUR + r"""["'`\])}\\]{0,4}+""" + COLOUR +
           r"[ \t]{0,8}+(?:(?:=>|:=|==|=|:|,|\(|>)" + COLOUR + r"[ \t]{0,8}+|(?<=[ \t]))" + COLOUR +
           r"""(?:\w{1,20}+[ \t]{0,2}+=[ \t]{0,2}+(?=["'`\\]|[bruBRU]["']))?+(?:\w{1,20}+\((?=["']))?+(?:[bBrRuUfF]{1,2}(?=["']))?+["'`\\]{0,4}+""")
# The same for Python, which knows no possessive quantifiers before 3.11.
BETWEEN_PLAIN = BETWEEN.replace("}+", "}").replace("?+", "?")
# A letter before a token is part of another word, unless it is what an escape is written with.
BEFORE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u00[0-9a-f]{2}))"
AFTER = r"(?![A-Za-z0-9])"

CLASSES = {
    "lower": "abcdefghijklmnopqrstuvwxyz", "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "digit": "0123456789",
    "hex": "0123456789abcdef", "HEX": "0123456789ABCDEF",
}
CLASSES["alpha"] = CLASSES["lower"] + CLASSES["upper"]
CLASSES["alnum"] = CLASSES["alpha"] + CLASSES["digit"]
CLASSES["lowernum"] = CLASSES["lower"] + CLASSES["digit"]
CLASSES["uppernum"] = CLASSES["upper"] + CLASSES["digit"]
CLASSES["b64"] = CLASSES["alnum"] + "+/"
CLASSES["b64url"] = CLASSES["alnum"] + "-_"
CLASSES["word"] = CLASSES["alnum"] + "_"
CLASSES["base32"] = CLASSES["upper"] + "234567"
CLASSES["base58"] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
COMPUTED = ("github", "jwt", "pem", "pem-escaped", "base64", "service-account", "aws-key")


class Wrong(Exception):
    pass


def read(path):
    """The rules of a file: dictionaries, with where they stand."""
    rules, rule = [], None
    for number, line in enumerate(open(path, encoding="ascii"), 1):
        words = line.strip().split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        key, value = words[0], words[1] if len(words) > 1 else ""
        where = f"{path}:{number}"
        if key == "rule":
            rule = {"id": value, "where": where, "good": [], "bad": []}
            rules.append(rule)
        elif rule is None:
            raise Wrong(f"{where}: \"{key}\" stands before the first rule")
        elif key in REPEATED:
            rule[key].append(value)
        elif key not in SINGLE:
            raise Wrong(f"{where}: there is no field \"{key}\"")
        elif key in rule:
            raise Wrong(f"{where}: \"{key}\" stands twice in {rule['id']}")
        else:
            rule[key] = value
    return rules


def items(pattern):
    """The pattern in pieces that follow each other, each with its quantifier; None where it is a choice."""
    found = []
    for match in re.finditer(r"""(?P<atom>\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|[(]|[^\\])(?P<times>[*+?]\??|\{[0-9,]+\}\??)?""", pattern):
        found.append((match.start(), match.end(), match.group("atom")))
    pieces, depth, start = [], 0, 0
    for begin, end, atom in found:
        if depth == 0 and atom == "|":
            return None
        if depth == 0:
            start = begin
        if atom == "(":
            depth += 1
        elif atom == ")":
            depth -= 1
        if depth == 0:
            pieces.append(pattern[start:end])
    return pieces


FIND_BYTES = 24
FIND_LITERALS = 4  # without so many, the beginning matches anything


def literals(parsed):
    """How many characters every match has in the same place, whatever choices it makes."""
    count = 0
    for operation, value in parsed:
        name = str(operation)
        if name == "LITERAL":
            count += 1
        elif name == "SUBPATTERN":
            count += literals(value[-1])
        elif name == "BRANCH":
            count += min(literals(branch) for branch in value[1])
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            count += value[0] * literals(value[2]) if value[0] < 100 else 0
    return count


def beginning(pattern):
    """What every match begins with, long enough to be telling: all that need be looked for first."""
    pieces, out, least = items(pattern), "", 0
    for piece in pieces or [pattern]:
        if pieces is None:
            return pattern
        width = sre_parse.parse(out + piece).getwidth()[0] - least
        repeat = re.fullmatch(r"(.*?[^\\])\{([0-9]+)(?:,[0-9]*)?\}\??", piece, re.S)
        if repeat and least + width >= FIND_BYTES and literals(sre_parse.parse(out)) >= FIND_LITERALS:
            one = width // int(repeat.group(2)) if int(repeat.group(2)) else 0
            times = -(-(FIND_BYTES - least) // one) if one else 0
            return out + (f"{repeat.group(1)}{{{min(times, int(repeat.group(2)))}}}" if one else piece)
        out, least = out + piece, least + width
        if least >= FIND_BYTES and literals(sre_parse.parse(out)) >= FIND_LITERALS:
            return out
    return out


def is_weak(rule):
    """A token without telling characters of its own: what stands near it is looked for first."""
    return "token" in rule and "near" in rule and literals(sre_parse.parse(rule["token"])) < 3


def names(rule):
    return f"(?i:{rule['names']})"


def value(rule):
    return f"(?P<secret>{rule['assigned']})(?![A-Za-z0-9+/_=-])"


def follows_names(rule):
    """Whether a match is looked for where a name ends."""
    return "assigned" in rule and rule["find"] == names(rule)


def second_look(rule):
    """The expression of the second look, for PCRE."""
    if follows_names(rule):
        return BETWEEN + value(rule)
    if "assigned" in rule:
        return names(rule) + BETWEEN + value(rule)
    return f"(?P<secret>{rule['token']})" if "token" in rule else rule["regex"]


def keep_all(expression):
    """What a secret ends with takes all that it can: a shorter one would only be a piece of it."""
    return re.sub(r"(\]\{[0-9]+,[0-9]+\})(={0,1}\{0,[0-9]\}|=\?)?(\)(?:\(\?!|$))",
                  lambda match: match.group(1) + "+" + (match.group(2) + "+" if match.group(2) else "") + match.group(3), expression)


def count_ways(rule):
    """Of the second look; BETWEEN has one."""
    if "assigned" in rule:
        return backtracking.count(value(rule) if follows_names(rule) else names(rule) + "=" + value(rule))
    edge = AFTER if rule.get("edges", "both") in ("both", "after") else ""
    return backtracking.count(f"(?P<secret>{rule['token']}){edge}" if "token" in rule else rule["regex"])


def start(rule):
    """Where a match may begin, seen from where the first look ended: struct secret_rule tells of each."""
    if is_weak(rule):
        return "SECRET_STARTS_BEHIND"
    if follows_names(rule):
        return "SECRET_STARTS_AT"
    explicit = "find" in rule
    return "SECRET_STARTS_WITHIN" if explicit else "SECRET_STARTS_BEFORE"


def expressions(rule):
    """For PCRE, with the group `secret`; and for Hyperscan, which knows no groups and no look-around."""
    if is_weak(rule):
        return f"{BEFORE}(?P<secret>{rule['token']}){AFTER}", f"(?i:{rule['near']})"
    if "token" in rule:
        edges = rule.get("edges", "both")
        exact = (BEFORE if edges in ("both", "before") else "") + f"(?P<secret>{rule['token']})" + \
            (AFTER if edges in ("both", "after") else "")
        return exact, rule.get("find", rule["token"])
    if "assigned" in rule:
        # The names alone are what is looked for first: what may follow them would make for slow machines.
        rule.setdefault("find", names(rule))
        exact = f"{names(rule)}{BETWEEN_PLAIN}{value(rule)}"
    else:
        exact = rule["regex"]
    if "find" in rule:
        return exact, rule["find"]
    # Hyperscan takes a named group; look-around is left out of what it looks for.
    loose = re.sub(r"\(\?<?[=!](?:[^()\\\[]|\\.|\[(?:\\.|[^\]\\])*\])*\)", "", exact.replace(r"|(?<=>))", "|>)"))
    return exact, loose.replace("(?P<secret>", "(")


def width(pattern, where):
    """The longest match, in bytes."""
    try:
        least, most = sre_parse.parse(pattern).getwidth()
    except re.error as error:
        raise Wrong(f"{where}: {error}: {pattern}")
    if least == 0:
        raise Wrong(f"{where}: it matches nothing at all: {pattern}")
    return min(int(most), REACH_MOST) if most < 100000 else OPEN_REACH


def prefix(pattern):
    """The literal text that a token begins with: it may be shown."""
    found = ""
    for operation, value in sre_parse.parse(pattern):
        if str(operation) != "LITERAL":
            break
        found += chr(value)
    return found


def expand(shape, numbers):
    """One text of that shape; what needs computing (checksums, keys) has only the right form here."""
    def replace(match):
        kind, _, more = match.group(1).partition(":")
        if kind in CLASSES:
            if not more.isdigit():
                raise Wrong(f"{{{match.group(1)}}} needs a count")
            return "".join(numbers.choice(CLASSES[kind]) for _ in range(int(more)))
        if kind not in COMPUTED:
            raise Wrong(f"there is no shape {{{match.group(1)}}}")
        return ""
    text, pattern = shape.replace(r"\\n", "\0").replace(r"\n", "\n").replace("\0", r"\n"), r"\{((?:[a-z][a-z0-9-]*|HEX)(?::[^{}]*)?)\}"
    while re.search(pattern, text):  # the innermost first
        text = re.sub(pattern, replace, text)
    return text


def in_bytes(rule):
    """Symbols in programs look like tokens with a short prefix: those are not looked for there."""
    telling = "token" in rule and (len(prefix(rule["token"])) >= 4 or "github-crc" in rule.get("check", ""))
    return rule.get("bytes") == "sure" or (rule.get("bytes") == "yes" and telling)


def whole_path(rule):
    """For PCRE: the path of a file, or of a member of an archive, that ends in what the rule says."""
    return f"(?:^|[/!])(?:{rule['path']})$" if "path" in rule else None


def is_computed(shape):
    return any("{" + name in shape for name in COMPUTED)


def check(rule):
    where = f"{rule['where']} ({rule['id']})"
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule["id"]):
        raise Wrong(f"{where}: an id has small letters, digits and single hyphens")
    for field in ("title", "severity", "revoke"):
        if field not in rule and not (field == "revoke" and "advice" in rule):
            raise Wrong(f"{where}: it has no {field}")
    if rule["severity"] not in SEVERITIES:
        raise Wrong(f"{where}: \"{rule['severity']}\" is no severity")
    if sum(field in rule for field in ("token", "assigned", "regex")) != 1 or ("assigned" in rule) != ("names" in rule):
        raise Wrong(f"{where}: it needs a token, or names and assigned, or a regex")
    for word in rule.get("check", "").split():
        if word.split(":")[0] not in CHECKS:
            raise Wrong(f"{where}: there is no check \"{word}\"")
    if not rule["good"] or not rule["bad"]:
        raise Wrong(f"{where}: it has no good or no bad example")
    if ("path" in rule) != ("file" in rule):
        raise Wrong(f"{where}: a path and a file, for the examples, go together")
    if "path" in rule and not re.search(whole_path(rule), rule["file"]):
        raise Wrong(f"{where}: its file is not of its path: {rule['file']}")
    exact, loose = expressions(rule)
    compiled = re.compile(exact)
    if "secret" not in compiled.groupindex:
        raise Wrong(f"{where}: its regex has no group (?P<secret>…)")
    width(loose, where)
    rule["reach"] = width(exact, where)
    rule["loose"] = loose if "find" in rule else beginning(loose)
    width(rule["loose"], where)
    loose = rule["loose"]
    rule["find_least"], rule["find_most"] = (min(int(most), REACH_MOST) for most in sre_parse.parse(loose).getwidth())
    found = count_ways(rule)
    if found > backtracking.MOST:
        raise Wrong(f"{where}: its expression can go back: it has {'more than ' if found == backtracking.CAP else ''}{found} ways to match one "
                    f"text, more than {backtracking.MOST}; of two quantified classes side by side none may hold what the other does")
    numbers = random.Random(rule["id"])
    for shape in rule["good"] + rule["bad"]:
        try:
            text = expand(shape, numbers)
        except Wrong as error:
            raise Wrong(f"{where}: {shape}: {error}")
        if shape in rule["good"] and not is_computed(shape):
            for form in (exact, loose) + ((f"(?i:{rule['near']})[\\s\\S]{{0,160}}{exact}",) if is_weak(rule) else ()):
                if not re.search(form, text):
                    raise Wrong(f"{where}: its pattern does not match its own good example: {text}")


def literal(text):
    """As a C string."""
    out = ""
    for byte in text.encode():
        out += chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
    return f'"{out}"'


def table(rules):
    lines = ["/* Made by rules/compile.py from the files beside it. */", '#include "secret/rule.h"', ""]
    for at, rule in enumerate(rules):
        for kind in ("good", "bad"):
            texts = ", ".join(literal(text) for text in rule[kind])
            lines.append(f"static const char *const {kind}_{at}[] = {{{texts}, NULL}};")
    lines.append("\nconst struct secret_rule secret_rules[] = {")
    for at, rule in enumerate(rules):
        edges = rule.get("edges", "both" if "token" in rule else "none")
        fields = {
            "id": rule["id"], "title": rule["title"], "pattern": keep_all(second_look(rule)), "find": rule["loose"], "checks": rule.get("check", ""),
            "near": "" if is_weak(rule) else rule.get("near", ""), "prefix": prefix(rule["token"]) if "token" in rule else "",
            "revoke": rule.get("revoke", ""), "advice": rule.get("advice", "")}
        if "path" in rule:
            fields |= {"path": whole_path(rule), "file": rule["file"]}
        lines.append("    {" + ", ".join(f".{name} = {literal(value)}" for name, value in fields.items())
                     + f", .severity = SEVERITY_{rule['severity']}, .bytes = {str(in_bytes(rule)).lower()}, .weak = {str(rule.get('weak') == 'yes').lower()}"
                     f", .edge_before = {str(edges in ('both', 'before')).lower()}, .edge_after = {str(edges in ('both', 'after')).lower()}"
                     f", .start = {start(rule)}, .find_least = {rule['find_least']}, .find_most = {rule['find_most']}, .reach = {rule['reach']}, .good = good_{at}, .bad = bad_{at}}},")
    lines += ["};", f"const size_t secret_rule_count = {len(rules)};", ""]
    return "\n".join(lines)


def public(path):
    """Fingerprints of values that published packages carry, as a sorted table (secret/public.h)."""
    entries = {}
    for number, line in enumerate(open(path, encoding="ascii"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, 2)
        if len(words) != 3 or not re.fullmatch(r"[0-9a-f]{32}", words[0]) or words[0] in entries:
            raise Wrong(f"{path}:{number}: a line has a fingerprint of its own, a rule and a package")
        entries[words[0]] = words[2].strip()
    lines = ["/* Made by rules/compile.py from rules/public.list. */", '#include "secret/public.h"', "",
             "const struct secret_public secret_publics[] = {"]
    lines += [f"    {{{literal(known)}, {literal(package)}}}," for known, package in sorted(entries.items())]
    return "\n".join(lines + ["};", f"const size_t secret_public_count = {len(entries)};", ""])


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--public"]:
        sys.stdout.write(public(arguments[1]))
        return 0
    only_check = arguments[:1] == ["--check"]
    rules, seen, bad = [], set(), 0
    for path in arguments[only_check:]:
        rules += read(path)
    for rule in rules:
        try:
            check(rule)
            if rule["id"] in seen:
                raise Wrong(f"{rule['where']}: there is a rule {rule['id']} already")
            seen.add(rule["id"])
        except Wrong as error:
            print(error, file=sys.stderr)
            bad += 1
    if bad:
        return 1
    if only_check:
        print(f"{len(rules)} rules")
    else:
        sys.stdout.write(table(rules))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as error:
        sys.exit(str(error))
