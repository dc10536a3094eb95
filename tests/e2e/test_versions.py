"""
Version orders and CVSS scores against the programs that define them: `packaging` for PEP 440,
`dpkg --compare-versions` itself for Debian, the `cvss` package; for SemVer a second reading of its
section 11 below.

Pairs are made from grammars, so that most are nearly equal, odd, or both. Each run prints its seed;
PLIMSOLL_SEED=N repeats one, PLIMSOLL_PAIRS=N changes how many pairs a scheme gets.
"""

import concurrent.futures
import functools
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

SEED = int(os.environ.get("PLIMSOLL_SEED", "20261125"))
PAIRS = int(os.environ.get("PLIMSOLL_PAIRS", "100000"))
REPO = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("PLIMSOLL_SHARED", REPO.parent / "shared"))
PROGRAM = os.environ.get("PLIMSOLL_VERSION_COMPARE", "")

pytestmark = [
    pytest.mark.skipif(not PROGRAM, reason="PLIMSOLL_VERSION_COMPARE does not name the version_compare program"),
    pytest.mark.timeout(900),
]


def ask(lines):
    """The answers of version_compare to these questions."""
    done = subprocess.run([PROGRAM], input="".join(line + "\n" for line in lines).encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    answers = done.stdout.decode().splitlines()
    assert len(answers) == len(lines)
    return answers


def compare(scheme, pairs):
    return [int(answer) for answer in ask([f"{scheme}\t{a}\t{b}" for a, b in pairs])]


def is_valid(scheme, texts):
    return [answer == "1" for answer in ask([f"VALID\t{scheme}\t{text}" for text in texts])]


def sign(a, b):
    return (a > b) - (a < b)


def check(questions, answers, expected):
    """Says the first few disagreements, and how many there are."""
    wrong = [(question, answer, want) for question, answer, want in zip(questions, answers, expected, strict=True)
             if answer != want]
    assert not wrong, f"{len(wrong)} of {len(questions)} differ; (question, got, expected): {wrong[:10]}"


def chance(name):
    """Random numbers of one test; the seed comes with its output."""
    print(f"PLIMSOLL_SEED={SEED}")
    return random.Random(f"{SEED} {name}")


# -- what versions are made of ------------------------------------------------------------------------

def number(rng):
    kind = rng.random()
    if kind < 0.6:
        return str(rng.choice([0, 1, 2, 3, 9, 10, 11]))
    if kind < 0.75:
        return "0" * rng.randint(1, 3) + str(rng.randint(0, 12))
    if kind < 0.85:
        return str(rng.choice([2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 2**64 + 1, 10**40]))
    if kind < 0.95:
        return str(rng.randint(2000, 2026)) + rng.choice(["", "01", "0630"])
    return str(rng.randint(0, 10**6))


def dotted(rng, longest=5):
    return ".".join(number(rng) for _ in range(rng.choice([1, 2, 2, 3, 3, 3, 4, longest])))


def change(rng, text, alphabet):
    """A small change: a byte taken out, put in or put in another's place; zeros; a tail."""
    at = rng.randint(0, len(text))
    kind = rng.randint(0, 5)
    if kind == 0:
        return text[:at] + text[at + 1:]
    if kind == 1:
        return text[:at] + rng.choice(alphabet) + text[at:]
    if kind == 2:
        return text[:at] + rng.choice(alphabet) + text[at + 1:]
    if kind == 3:
        return re.sub(r"\d+", lambda found: rng.choice([found.group(), "0" + found.group(), number(rng)]), text)
    if kind == 4:
        return text + rng.choice([".0", ".00", "0", "a", "-0", "~", "+", ".1", "-1", ".dev0", "+1"])
    return text.swapcase()


def pairs_of(rng, make, alphabet, real, usable, count=None):
    """Pairs of usable versions: near ones, unlike ones, and real ones with each other."""
    found = []
    count = PAIRS if count is None else count
    while len(found) < count:
        first = rng.choice(real) if rng.random() < 0.25 else make(rng)
        kind = rng.random()
        if kind < 0.7:
            second = first
            for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
                second = change(rng, second, alphabet)
        elif kind < 0.85:
            second = make(rng)
        else:
            second = rng.choice(real)
        if usable(first) and usable(second):
            found.append((first, second) if rng.random() < 0.5 else (second, first))
    return found


@functools.cache
def published(ecosystem):
    """Versions that stand in the advisories of an ecosystem, when they are at hand."""
    path = SHARED / "feeds" / "osv" / ecosystem / "all.zip"
    if not path.is_file():
        return []
    versions = set()
    with zipfile.ZipFile(path) as feed:
        for name in feed.namelist():
            for affected in json.loads(feed.read(name)).get("affected", []):
                versions.update(affected.get("versions", []))
                for event in itertools.chain(*(one["events"] for one in affected.get("ranges", [])
                                               if one["type"] != "GIT")):
                    versions.update(event.values())
    return sorted(version for version in versions if "\t" not in version and "\n" not in version)


def table(name):
    """The cases of one of the unit tests' tables, to see that the tables themselves are right."""
    lines = (REPO / "tests" / "data" / name).read_text().splitlines()
    return [line.split(" ") for line in lines if line and not line.startswith("#")]


# -- PEP 440 --------------------------------------------------------------------------------------------

PEP440_REAL = ["2022.12.7", "2022.12.07", "22.10.0rc1", "22.10.0", "2.0.1+cu118", "2.0.1", "6.4+x", "6.4.0",
               "2.0.0+cgr.1", "1.0.dev0", "1!0", "2004d", "1.0-1", "1.0.post1", "v1.0", "0.0.0.dev0", "1.0rc1.post2.dev3"]
PEP440_ALPHABET = "0123456789.-_+!abcdeprtvVRC ~"


def pep440_suffix(rng, spellings):
    separator = rng.choice(["", "", "", ".", "-", "_"])
    word = rng.choice(spellings)
    word = rng.choice([word, word, word.upper(), word.capitalize()])
    return separator + word + rng.choice(["", "", ".", "-", "_"]) + rng.choice(["", number(rng), number(rng)])


def pep440_version(rng):
    text = rng.choice(["", "", "", "", "v", "V"])
    if rng.random() < 0.15:
        text += number(rng) + "!"
    text += dotted(rng)
    if rng.random() < 0.4:
        text += pep440_suffix(rng, ["a", "b", "c", "rc", "alpha", "beta", "pre", "preview"])
    if rng.random() < 0.3:
        text += "-" + number(rng) if rng.random() < 0.3 else pep440_suffix(rng, ["post", "rev", "r"])
    if rng.random() < 0.3:
        text += pep440_suffix(rng, ["dev"])
    if rng.random() < 0.3:
        part = ["cu118", "CU118", "ubuntu", "1", "01", "10", "0", "a", "1a", "g1234abc", "z"]
        text += "+" + rng.choice(part)
        for _ in range(rng.choice([0, 0, 1, 2])):
            text += rng.choice("._-") + rng.choice(part)
    space = ["", "", "", "", "", "", " ", "  ", "\x0b", "\x0c", "\r", "\x1c", "\x1f"]
    return rng.choice(space) + text + rng.choice(space)


@pytest.fixture(scope="module")
def packaging_version():
    module = pytest.importorskip("packaging.version", reason="packaging is not installed (pip install packaging)")
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)

    @functools.lru_cache(maxsize=None)
    def version(text):
        try:
            return module.Version(text)
        except module.InvalidVersion:
            return None
    return version


def test_pep440_order(packaging_version):
    rng = chance("pep440")
    real = PEP440_REAL + [text for text in published("PyPI") if packaging_version(text)]
    pairs = pairs_of(rng, pep440_version, PEP440_ALPHABET, real, packaging_version)
    expected = [sign(packaging_version(a), packaging_version(b)) for a, b in pairs]
    assert min(expected.count(order) for order in (-1, 0, 1)) > PAIRS // 20, "the pairs are one-sided"
    check(pairs, compare("pep440", pairs), expected)


def test_pep440_valid(packaging_version):
    rng = chance("pep440 valid")
    texts = list(PEP440_REAL) + published("PyPI")
    for _ in range(PAIRS // 2):
        text = pep440_version(rng)
        for _ in range(rng.choice([0, 1, 1, 2])):
            text = change(rng, text, PEP440_ALPHABET)
        texts.append(text)
    expected = [packaging_version(text) is not None for text in texts]
    assert min(expected.count(True), expected.count(False)) > PAIRS // 20
    check(texts, is_valid("pep440", texts), expected)


def test_pep440_bound(packaging_version):
    """A bound without a local part does not see that of the installed version."""
    rng = chance("pep440 bound")
    pairs = pairs_of(rng, pep440_version, PEP440_ALPHABET, PEP440_REAL, packaging_version, PAIRS // 10)

    def order(installed, bound):
        installed, bound = packaging_version(installed), packaging_version(bound)
        if bound.local is None:
            installed = packaging_version(installed.public)
        return sign(installed, bound)

    answers = [int(answer) for answer in ask([f"BOUND\tpep440\t{a}\t{b}" for a, b in pairs])]
    check(pairs, answers, [order(a, b) for a, b in pairs])


def test_pep440_table(packaging_version):
    rows = [row for row in table("versions-pep440.txt") if packaging_version(row[0]) and packaging_version(row[2])]
    assert len(rows) > 230
    check(rows, [row[1] for row in rows],
          ["<=>"[sign(packaging_version(a), packaging_version(b)) + 1] for a, _, b in rows])


def test_pep440_long(packaging_version):
    long = "9" * 5000
    pairs = [(f"1.{long}", f"1.0{long}"), (f"1.{long}8", f"1.{long}9"), (f"{long}!1", f"1{long}!0"),
             ("1" + ".0" * 20000, "1"), ("1" + ".0" * 20000 + ".1", "1"), (f"1+{long}", f"1+a{long}")]
    check(pairs, compare("pep440", pairs),
          [sign(packaging_version(a), packaging_version(b)) for a, b in pairs])


# -- dpkg -----------------------------------------------------------------------------------------------

DPKG_REAL = ["1:3.5.0-1", "3.2.2-7", "2.36-9+deb12u10", "2.36-9+deb12u9", "1.0~rc1-1", "1.0-1~bpo12+1", "0:1.0", "1.0",
             "1.0-0", "1.0-00", "1.0-0ubuntu1", "2:1.0.9-2", "2.28.51.20170703-1", "1.0+dfsg-1", "1.0+really0.9-1",
             "1.0~~", "1.0~~a", "1.0~", "1.0a", "1.2-3-4", "1:2:3", "7.4.052-1+b2", "0", "00", "0-0", "0~", "0a"]
DPKG_ALPHABET = "0123456789abzAZ.+~-:"


def dpkg_part(rng, marks):
    text = ""
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        text += rng.choice(["", rng.choice(marks), rng.choice(marks), "~~", "~", "+", "a", "Z", "rc", "deb", "ubuntu"])
        text += rng.choice(["", number(rng)])
    return text


def dpkg_version(rng):
    text = rng.choice(["", "", "", "", "0:", "00:", "1:", "01:", "2:", "10:", "2147483647:", "+1:"])
    upstream = number(rng) + rng.choice(["", "." + dotted(rng)]) + dpkg_part(rng, ".+~" + ":" * (":" in text))
    if rng.random() < 0.6:
        return text + upstream + rng.choice(["", "", "", "-1"]) + "-" + (dpkg_part(rng, ".+~") or "0")
    return rng.choice(["", "", "", "", "", " "]) + text + upstream + rng.choice(["", "", "", "", "", " "])


def dpkg_takes(text):
    """A second reading of what dpkg takes without a warning, to choose pairs of versions by."""
    text = text.strip(" \t")
    epoch, colon, rest = text.partition(":")
    if not colon:
        epoch, rest = "0", text
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, "0"
    return bool(re.fullmatch(r"\+?[0-9]+", epoch) and int(epoch) < 2**31 and
                re.fullmatch(r"[0-9][0-9A-Za-z.+~:-]*", upstream) and re.fullmatch(r"[0-9A-Za-z.+~]+", revision))


needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg"), reason="dpkg is not installed")


def shell_answers(script, lines):
    """Both cores run `script` over half of the lines; a loop of the shell costs least per dpkg."""
    halves = [lines[0::2], lines[1::2]]
    runs = [subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env={**os.environ, "LC_ALL": "C"}) for _ in halves]
    inputs = ["".join(line + "\n" for line in half).encode() for half in halves]
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
        outputs = [output for output, _ in pool.map(subprocess.Popen.communicate, runs, inputs)]
    assert all(run.returncode == 0 for run in runs)
    return [line for output in outputs for line in output.decode().splitlines()]


@needs_dpkg
def test_dpkg_order():
    """Each order that version_compare says is put to dpkg --compare-versions."""
    rng = chance("dpkg")
    installed = subprocess.run(["dpkg-query", "-W", "-f", "${Version}\n"], stdout=subprocess.PIPE).stdout.decode()
    real = DPKG_REAL + published("Debian") + sorted(set(installed.split()))
    pairs = pairs_of(rng, dpkg_version, DPKG_ALPHABET, real, dpkg_takes)
    assert all(is_valid("dpkg", sorted(set(itertools.chain(*pairs)))))
    orders = compare("dpkg", pairs)
    assert min(orders.count(order) for order in (-1, 0, 1)) > PAIRS // 20, "the pairs are one-sided"

    words = {-1: "lt", 0: "eq", 1: "gt"}
    script = """while IFS='|' read -r a order b; do
                    dpkg --compare-versions "$a" "$order" "$b" || echo "$a|$order|$b"
                done"""
    wrong = shell_answers(script, [f"{a}|{words[order]}|{b}" for (a, b), order in zip(pairs, orders)])
    assert not wrong, f"dpkg does not agree with {len(wrong)} of {len(pairs)}: {wrong[:10]}"


@needs_dpkg
def test_dpkg_table():
    words = {"<": "lt", "=": "eq", ">": "gt"}
    rows = [row for row in table("versions-dpkg.txt")
            if all(dpkg_takes(version) and not version.startswith("-") for version in row[::2])]
    assert len(rows) > 160
    wrong = [row for row in rows
             if subprocess.run(["dpkg", "--compare-versions", row[0], words[row[1]], row[2]]).returncode != 0]
    assert not wrong


@needs_dpkg
def test_dpkg_valid():
    """Valid is what dpkg --validate-version neither refuses nor warns of."""
    rng = chance("dpkg valid")
    texts = list(DPKG_REAL) + ["+1:1", "2147483648:1", "1:", ":1", "1.0-", "a1", "1_0", "1.0-a_b", "1 2", "0x1:1", "1:-1",
                               "1:a", "1.0-a:b", "\x0b1:1", "\x0b 1:1", "1.0:", "1:2:", "~1", "1\x0b", "1-", "1--1", "é1"]
    while len(texts) < max(4000, PAIRS // 25):
        text = dpkg_version(rng)
        for _ in range(rng.choice([0, 1, 1, 2])):
            text = change(rng, text, DPKG_ALPHABET + "_ %")
        if text and not text.startswith("-"):
            texts.append(text)
    script = """while IFS='|' read -r number version; do
                    [ -n "$(dpkg --validate-version "$version" 2>&1)" ] || echo "$number"
                done"""
    accepted = {int(at) for at in shell_answers(script, [f"{at}|{text}" for at, text in enumerate(texts)])}
    expected = [at in accepted for at in range(len(texts))]
    assert min(expected.count(True), expected.count(False)) > len(texts) // 20
    check(texts, is_valid("dpkg", texts), expected)


# -- SemVer ---------------------------------------------------------------------------------------------

SEMVER_REAL = ["1.45.1-lts.1", "1.4.4-lts.1", "2.0.0", "v0.0.0-20220412211240-33da011f77ad", "0.47.0", "0.0.0-0", "1.18.0-0",
               "v2.0.0+incompatible", "1.2", "1", "1.2.3.4", "2022.01.0", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1",
               "1.3.1-0.20190929122143-5215b1806f52", "v1.2.3+dirty", "1.0.0--", "1.0.0-0a"]
SEMVER_ALPHABET = "0123456789abvzA.-+"
SEMVER = re.compile(r"[vV]?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
                    re.ASCII)


def semver_key(text):
    found = SEMVER.fullmatch(text)
    if not found:
        return None
    numbers = [int(part) for part in found.group(1).split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    if found.group(2) is None:
        return numbers, 1, []
    return numbers, 0, [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in found.group(2).split(".")]


def semver_version(rng):
    text = rng.choice(["", "", "", "v"]) + dotted(rng, 6)
    words = ["alpha", "beta", "rc", "0", "1", "01", "10", "a", "A", "-", "0a", "x-y", "20220412211240-33da011f77ad", "lts"]
    if rng.random() < 0.6:
        text += "-" + ".".join(rng.choice(words) for _ in range(rng.choice([1, 1, 2, 3])))
    if rng.random() < 0.3:
        text += "+" + rng.choice(["incompatible", "dirty", "1", "a.b", "-"])
    return text


def test_semver_order():
    rng = chance("semver")
    published_versions = published("Go") + published("crates.io") + published("Bitnami")
    real = SEMVER_REAL + [text for text in published_versions if semver_key(text)]
    pairs = pairs_of(rng, semver_version, SEMVER_ALPHABET, real, semver_key)
    expected = [sign(semver_key(a), semver_key(b)) for a, b in pairs]
    assert min(expected.count(order) for order in (-1, 0, 1)) > PAIRS // 20, "the pairs are one-sided"
    check(pairs, compare("semver", pairs), expected)


def test_semver_table():
    rows = [row for row in table("versions-semver.txt") if semver_key(row[0]) and semver_key(row[2])]
    assert len(rows) > 140
    check(rows, [row[1] for row in rows], ["<=>"[sign(semver_key(a), semver_key(b)) + 1] for a, _, b in rows])


def test_semver_valid():
    rng = chance("semver valid")
    texts = SEMVER_REAL + published("Go") + published("crates.io") + published("Bitnami")
    for _ in range(PAIRS // 2):
        text = semver_version(rng)
        for _ in range(rng.choice([0, 1, 2])):
            text = change(rng, text, SEMVER_ALPHABET + "_~ ")
        texts.append(text)
    check(texts, is_valid("semver", texts), [semver_key(text) is not None for text in texts])


# -- CVSS -----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def cvss_score():
    cvss = pytest.importorskip("cvss", reason="cvss is not installed (pip install cvss)")
    constants = pytest.importorskip("cvss.constants4")
    kinds = {"CVSS:4.0/": cvss.CVSS4, "CVSS:3.1/": cvss.CVSS3, "CVSS:3.0/": cvss.CVSS3}

    def score(vector):
        kind = kinds.get(vector[:9], cvss.CVSS2)
        if kind is cvss.CVSS2 and vector.startswith("(") and vector.endswith(")"):
            vector = vector[1:-1]  # as NVD writes them; the package does not know parentheses
        try:
            read = kind(vector)
            if kind is cvss.CVSS4 and len(read.original_metrics) > len(constants.METRICS_MANDATORY):
                # The package counts threat and environmental metrics in where they stand (CVSS-BTE).
                base = [f"{metric}:{read.original_metrics[metric]}" for metric in constants.METRICS_MANDATORY]
                read = kind("CVSS:4.0/" + "/".join(base))
        except cvss.exceptions.CVSSError:
            return "invalid"
        return f"{float(read.base_score):.1f}"
    return score


def check_scores(vectors, score):
    check(vectors, ask([f"CVSS\t{vector}" for vector in vectors]), [score(vector) for vector in vectors])


def test_cvss_table(cvss_score):
    rows = table("cvss.txt")
    check(rows, [score for _, score in rows], [cvss_score(vector) for vector, _ in rows])


CVSS_BASE = {
    "": {"AV": "LAN", "AC": "HML", "Au": "MSN", "C": "NPC", "I": "NPC", "A": "NPC"},
    "CVSS:3.0/": {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "HLN", "I": "HLN", "A": "HLN"},
    "CVSS:3.1/": {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "S": "UC", "C": "HLN", "I": "HLN", "A": "HLN"},
    "CVSS:4.0/": {"AV": "NALP", "AC": "LH", "AT": "NP", "PR": "NLH", "UI": "NPA", "VC": "HLN", "VI": "HLN", "VA": "HLN",
                  "SC": "HLN", "SI": "HLN", "SA": "HLN"},
}


def every_base_vector(prefix):
    metrics = CVSS_BASE[prefix]
    for values in itertools.product(*metrics.values()):
        yield prefix + "/".join(f"{metric}:{value}" for metric, value in zip(metrics, values))


@pytest.mark.parametrize("prefix", CVSS_BASE, ids=["2.0", "3.0", "3.1", "4.0"])
def test_cvss_every_base_vector(prefix, cvss_score):
    check_scores(list(every_base_vector(prefix)), cvss_score)


def optional_metrics(prefix):
    """The metrics beside the base ones, with their values, as the cvss package has them."""
    generation = {"": "2", "CVSS:4.0/": "4"}.get(prefix, "3")
    names = pytest.importorskip(f"cvss.constants{generation}").METRICS_VALUE_NAMES
    return {metric: list(values) for metric, values in names.items() if metric not in CVSS_BASE[prefix]}


def made_vector(rng, optional):
    prefix = rng.choice(list(CVSS_BASE))
    fields = [f"{metric}:{rng.choice(values)}" for metric, values in CVSS_BASE[prefix].items()]
    more = optional[prefix]
    for metric in rng.sample(list(more), rng.choice([0, 0, 1, 3, len(more)])):
        fields.append(f"{metric}:{rng.choice(more[metric])}")
    if rng.random() < 0.2:
        rng.shuffle(fields)
    if rng.random() < 0.3:  # break it
        at = rng.randrange(len(fields))
        kind = rng.randint(0, 6)
        if kind == 0:
            del fields[at]
        elif kind == 1:
            fields.append(fields[at])
        elif kind == 2:
            fields[at] = fields[at].split(":")[0] + ":" + rng.choice(["", "X", "ND", "Q", "n", "N:N", "HH", "N L"])
        elif kind == 3:
            fields[at] = rng.choice(["XX", "av", "Au", "", "MAV", "S"]) + ":" + fields[at].split(":")[1]
        elif kind == 4:
            fields[at] = change(rng, fields[at], "/:NLHX ")
        elif kind == 5:
            prefix = rng.choice(["CVSS:3.2/", "CVSS:4.1/", "CVSS:2.0/", "cvss:3.1/", "CVSS:3.1", "/", "CVSS:3.0/CVSS:3.1/"])
        else:
            fields.append("")
    vector = prefix + "/".join(fields)
    return f"({vector})" if not prefix and rng.random() < 0.3 else vector


def test_cvss_made(cvss_score):
    rng = chance("cvss")
    optional = {prefix: optional_metrics(prefix) for prefix in CVSS_BASE}
    vectors = [made_vector(rng, optional) for _ in range(max(20000, PAIRS // 5))]
    invalid = sum(cvss_score(vector) == "invalid" for vector in vectors)
    assert len(vectors) // 10 < invalid < len(vectors) // 2
    check_scores(vectors, cvss_score)


def vectors_in(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from vectors_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from vectors_in(one)
    elif isinstance(value, str) and re.match(r"CVSS:|\(?AV:[LAN]/AC:[HML]/Au:", value) and len(value) < 300:
        yield value


def test_cvss_published(cvss_score):
    feeds = sorted((SHARED / "feeds").rglob("*.zip"))
    if not feeds:
        pytest.skip(f"no feeds in {SHARED}; name the folder that has them with PLIMSOLL_SHARED")
    vectors = set()
    for path in feeds:
        with zipfile.ZipFile(path) as feed:
            for name in feed.namelist():
                if name.endswith(".json"):
                    vectors.update(vectors_in(json.loads(feed.read(name))))
    vectors = sorted(vector for vector in vectors if "\n" not in vector)
    assert len(vectors) > 500
    print(f"{len(vectors)} vectors")
    check_scores(vectors, cvss_score)
