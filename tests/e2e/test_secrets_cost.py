"""
Instructions for each byte that looking for secrets takes, on texts that are hard for it: made from each rule itself
(hostiletexts.py), so that a new rule is held against the bound without a line here.

Counted by the processor where it lets itself be asked, else under callgrind: either way the number is the same
whatever else the machine does.
"""

import json
import os
import pathlib
import re
import shutil
import string
import subprocess
import sys

import pytest

import hostiletexts
import scanner
import secretkit

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(scanner.binary()).resolve().parent
PROGRAM, DATABASE = BUILD / "tests/secret_cost", BUILD / "secrets.hs"
VALGRIND = shutil.which("valgrind")

# The dearest text today takes 5,600 where it is long, the middle one 120.
MOST = 6000
# Of plain text of the worst kind over the best kind.
RATIO = 4
SIZE, LONG, PLAIN = 1024, 32768, 65536
DEAREST = 8

pytestmark = [
    pytest.mark.skipif(bool(os.environ.get("PLIMSOLL_SANITIZED")), reason="instructions are counted in the plain build"),
    pytest.mark.skipif(not PROGRAM.is_file(), reason="secret_cost is not built: valgrind's headers are not there"),
    pytest.mark.timeout(1200),
]


def counted(command):
    """What the processor counts; None where it cannot be asked."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 77:
        return None
    assert done.returncode == 0, done.stderr
    return {name: int(number) for name, _, number in (line.split() for line in done.stdout.splitlines())}


def simulated(command, out):
    """The same by callgrind: one dump for each text, under its name."""
    done = subprocess.run([VALGRIND, "--tool=callgrind", "--combine-dumps=yes", "--dump-line=no", f"--callgrind-out-file={out}",
                           *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    found, name = {}, None
    for line in open(out, errors="replace"):
        if line.startswith("desc: Trigger: Client Request: "):
            name = line[len("desc: Trigger: Client Request: "):].strip()
        elif line.startswith("totals: ") and name:
            found[name], name = int(line.split()[1]), None
    return found


def cost(folder, texts, *config):
    """Instructions for each byte, by name of the text."""
    texts = list(texts)
    hostiletexts.write(folder / "texts", texts)
    command = [PROGRAM, folder / "texts", DATABASE, *config]
    numbers = counted(command)
    if numbers is None and not VALGRIND:
        pytest.skip("this machine counts no instructions, and has no valgrind")
    numbers = numbers or simulated(command, folder / "callgrind.out")
    assert len(numbers) == len(texts)
    return {name: numbers[name] / len(text) for name, _, text in texts}


def texts_of(rules, size):
    for rule in rules:
        for name, text in hostiletexts.of_rule(rule, size):
            yield f"{rule['id']}/{name}", rule.get("file", "text.txt"), text


def dearest(costs, count):
    return sorted(costs, key=costs.get, reverse=True)[:count]


def test_every_rule_on_every_text(tmp_path):
    """And the dearest ones again, sixteen times as long: what grew with the text's length would show."""
    rules = hostiletexts.read_rules()
    costs = cost(tmp_path, texts_of(rules, SIZE))
    assert len(costs) >= 10 * len(rules)
    first = dearest(costs, DEAREST)
    assert costs[first[0]] <= MOST, [(name, round(costs[name])) for name in first]
    again = {name.split("/")[0] for name in first}
    long = cost(tmp_path, [text for text in texts_of([rule for rule in rules if rule["id"] in again], LONG) if text[0] in first])
    assert max(long.values()) <= MOST, {name: round(number) for name, number in long.items()}


def test_plain_text_of_any_kind(tmp_path):
    costs = cost(tmp_path, [(name, "text.txt", text) for name, text in hostiletexts.plain(PLAIN)])
    assert max(costs.values()) <= RATIO * min(costs.values()), costs


def test_images_as_base64(tmp_path):
    """As bokeh's JavaScript has them: one line, half of it runs of A. Cheap, and nothing is found."""
    text = hostiletexts.images(LONG)
    assert cost(tmp_path, [("images", "app.js", text)])["images"] <= MOST / 5
    (tmp_path / "app.js").write_text(hostiletexts.images(1 << 20))
    done = scanner.run("secret", "-f", "json", tmp_path / "app.js")
    assert done.code == 0 and json.loads(done.stdout)["secrets"] == [], done


# Runs of the same letters side by side, and a run of runs.
BACKTRACKING = [r"key-[a-z0-9]{1,40}[a-z0-9_]{1,40}[a-z0-9]{1,40}", r"key-(?:[a-z0-9]{1,4}_?){1,40}"]


@pytest.mark.parametrize("expression", BACKTRACKING)
def test_a_rule_that_goes_back_passes_the_bound(tmp_path, expression):
    """The first look takes it, the second finds a letter behind each end that it tries."""
    text = "key-" + "a" * 60 + "!a "
    def measured(expression):
        (tmp_path / "rules.yaml").write_text(json.dumps(
            {"enable-builtin-rules": ["huggingface-token"],
             "rules": [{"id": "own", "title": "own", "severity": "HIGH", "regex": expression + "!(?![a-z])"}]}))
        return cost(tmp_path, [("text", "text.txt", text)], tmp_path / "rules.yaml")["text"]
    assert measured(expression) > MOST
    assert measured("key-[a-z0-9]{1,80}") <= MOST / 10


@pytest.mark.parametrize("expression", BACKTRACKING)
def test_a_rule_that_goes_back_does_not_compile(tmp_path, expression):
    (tmp_path / "goes-back.rules").write_text(
        "rule      goes-back\ntitle     Goes back\nseverity  HIGH\n"
        f"token     {expression}\nadvice    None.\ngood      key-{{lower:40}}!\nbad       key-\n")
    done = subprocess.run([sys.executable, ROOT / "rules/compile.py", tmp_path / "goes-back.rules"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0
    assert re.search(r"goes-back\): its expression can go back: it has .* ways", done.stderr), done.stderr


def test_a_line_of_100_megabytes(tmp_path):
    """Minified JavaScript without an end; the key at its end is found, and told at its column."""
    piece, key = dict(hostiletexts.plain(PLAIN))["minified"].replace("\n", ";"), "hf_" + secretkit.letters(34, string.ascii_letters)
    most = 100 << 20
    with open(tmp_path / "app.js", "w") as out:
        for _ in range(most // len(piece)):
            out.write(piece)
        length = out.tell()
        out.write(f';"{key}"')
    done = scanner.run("secret", "-f", "json", tmp_path / "app.js")
    assert done.code == 0, done
    found = json.loads(done.stdout)["secrets"]
    assert [(one["rule"], one["line"], one["column"]) for one in found] == [("huggingface-token", 1, length + 3)]
