"""Secrets in texts that hold texts: notebooks. What is found is told once, at its place in the file."""

import base64
import json
import random
import subprocess

import nbformat
import pytest
from nbformat import v4

import scanner
import secretkit as sk


def look(path=None, piped=None):
    """The secrets of a file, or of what comes through a pipe."""
    result = subprocess.run([scanner.binary(), "secret", "-" if path is None else str(path), "-f", "json"], input=piped,
                            capture_output=True, env=scanner.environment())
    assert result.returncode == 0, result
    return json.loads(result.stdout)["secrets"]


def place(data, token):
    """Line and column of where it begins, both from 1, columns in bytes; it stands there once."""
    data, token = (text.encode() if isinstance(text, str) else text for text in (data, token))
    at = data.index(token)
    assert data.count(token) == 1
    return data.count(b"\n", 0, at) + 1, at - data.rfind(b"\n", 0, at)


def places(secrets):
    return sorted((secret["rule"], secret["line"], secret["column"]) for secret in secrets)


# -- notebooks --------------------------------------------------------------------------------------------

OPENAI, HF = sk.token("openai-project-key", 1), sk.token("huggingface-token", 1)
PLAIN = sk.letters(24, seed="plain") + "7a9Z3"  # of no one service: the name before it tells
NOISE = ["é", '"', "\\", "\n", "\t", "x", " ", "abc", "\x1b[31m", "\x1b[0m ", "\u2028", "😀", "日本", "/", "# c\n", "\r\n"]


def notebook(*cells, **metadata):
    return v4.new_notebook(cells=list(cells), metadata=metadata)


def printed(*lines):
    return v4.new_code_cell("print(x)", outputs=[v4.new_output("stream", name="stdout", text=list(lines))])


def test_line_of_an_output():
    """The line of the file, not of the cell; with an escape before it in the same list."""
    text = nbformat.writes(notebook(v4.new_markdown_cell("# a"), printed("x\n", f"MY_SERVICE_API_KEY={PLAIN}\n")))
    [secret] = look(piped=text.encode())
    assert (secret["rule"], secret["cell"]) == ("generic-api-key-env", 2)
    assert (secret["line"], secret["column"]) == place(text, PLAIN) and secret["line"] > 20


def test_one_key_is_told_once(tmp_path):
    """A key with a rule of its own behind a name that another rule asks for."""
    text = nbformat.writes(notebook(printed("x\n", f"OPENAI_API_KEY={OPENAI}\n")))
    (tmp_path / "x.ipynb").write_text(text)
    for secrets in look(tmp_path / "x.ipynb"), look(piped=text.encode()):
        assert places(secrets) == [("openai-project-key", *place(text, OPENAI))]


def test_one_key_in_two_cells_is_told_twice():
    text = nbformat.writes(notebook(v4.new_code_cell(f"k = '{HF}'"), printed(f"{HF}\n")))
    assert [(secret["rule"], secret["cell"]) for secret in look(piped=text.encode())] == [("huggingface-token", 1), ("huggingface-token", 2)]


def test_split_over_strings():
    """Two strings of one list are one text: the place is where it begins."""
    document = notebook(v4.new_code_cell("a"))
    document.cells[0].source = ["# é\n", f'k = "{HF[:12]}', f'{HF[12:]}"\n']
    text = json.dumps(document, indent=1)
    [secret] = look(piped=text.encode())
    assert (secret["rule"], secret["cell"], secret["line"], secret["column"]) == ("huggingface-token", 1, *place(text, HF[:12]))


def test_key_of_many_lines():
    """Told where it says that it begins; the same secret as in a file of its own."""
    key = sk.pem(seed=21)
    document = notebook(v4.new_code_cell("b = 1\nKEY = '''" + key + "'''"))
    for text in nbformat.writes(document), json.dumps(document), json.dumps(document, indent=4):
        [secret] = look(piped=text.encode())
        assert (secret["rule"], secret["line"], secret["column"]) == ("private-key", *place(text, "-----BEGIN"))
        assert secret["fingerprint"] == look(piped=key.encode())[0]["fingerprint"]


@pytest.mark.parametrize("text", ['{"cells": [], "a": 1, "nbformat": 4, "k": "%s"}', '\ufeff{"nbformat": 3, "worksheets": [{"cells": []}], "k": "%s"}',
                                  '{"cells": {}, "cell_type": 1, "k": "%s"}', '{"cells": [{"cell_type": 1}], "k": "%s', '[{"nbformat": 4}, "%s"]'])
def test_odd_notebooks(tmp_path, text):
    text %= HF
    (tmp_path / "x.ipynb").write_text(text)
    for secrets in look(tmp_path / "x.ipynb"), look(piped=text.encode()):
        assert places(secrets) == [("huggingface-token", *place(text, HF))]


class Writer:
    """Makes notebooks of random content, and notes which secrets it put into them."""

    def __init__(self, seed):
        self.dice, self.seed, self.planted = random.Random(seed), seed, []

    def noise(self, most):
        return "".join(self.dice.choice(NOISE) for _ in range(self.dice.randrange(most)))

    def text(self):
        """Often with a secret in it."""
        before, after, number = self.noise(120), self.noise(80), f"{self.seed}-{len(self.planted)}"
        kind = self.dice.randrange(5)
        if kind > 2:
            return before + after
        rule = ["huggingface-token", "openai-project-key", "generic-api-key-env"][kind]
        token = sk.letters(24, seed=number) + "7a9Z3" if kind == 2 else sk.token(rule, number)
        self.planted.append((rule, token))
        form = "MY_SERVICE_API_KEY=%s" if kind == 2 else self.dice.choice(['x = "%s"', "OPENAI_API_KEY=%s", "%s", "k='%s'\t"])
        return before + "\n" + form % token + "\n" + after

    def output(self):
        kind = self.dice.randrange(4)
        if kind == 0:
            return v4.new_output("stream", name="stdout", text=self.text())
        if kind == 1:
            return v4.new_output("error", ename="E", evalue="x", traceback=["\x1b[0;31m---\x1b[0m", self.text(), self.text()])
        return v4.new_output("execute_result", data={"text/plain": self.text(), "text/html": self.text()}, execution_count=1)

    def cell(self):
        if self.dice.randrange(3) == 0:
            picture = base64.b64encode(self.dice.randbytes(150)).decode()
            return v4.new_markdown_cell(self.text(), attachments={"a.png": {"image/png": picture, "text/plain": self.text()}})
        metadata = {"note": self.text()} if self.dice.randrange(2) else {}
        return v4.new_code_cell(self.text(), outputs=[self.output() for _ in range(self.dice.randrange(3))], metadata=metadata)

    def notebook(self):
        return notebook(*(self.cell() for _ in range(self.dice.randrange(1, 5))), more={"text": self.text()})


FORMS = {
    "nbformat": nbformat.writes,
    "compact": lambda document: json.dumps(document, separators=(",", ":")),
    "utf-8": lambda document: json.dumps(document, ensure_ascii=False, indent=1),
    "nbformat 3": lambda document: nbformat.writes(nbformat.convert(document, 3), version=3),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore")
def test_notebooks_of_any_content(tmp_path, form):
    """In sources, outputs, tracebacks, metadata and attachments: each secret once, at its line and column."""
    told = 0
    for seed in range(15):
        writer = Writer(seed)
        text = FORMS[form](writer.notebook())
        expected = sorted((rule, *place(text, token)) for rule, token in writer.planted if token in text)
        (tmp_path / "x.ipynb").write_text(text, newline="")
        assert places(look(tmp_path / "x.ipynb")) == expected, seed
        assert places(look(piped=text.encode())) == expected, seed
        told += len(expected)
    assert told > 60


def test_larger_than_the_limit(tmp_path):
    """A notebook that is too large is looked through as text, and that is said; other JSON is no notebook."""
    text = '{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["' + "x" * (33 << 20) + f'", "{HF}"]}}]}}'
    (tmp_path / "x.ipynb").write_text(text)
    result = scanner.run("secret", str(tmp_path / "x.ipynb"), "-f", "json")
    assert result.code == 3 and "this notebook has more than" in result.stderr
    assert places(json.loads(result.stdout)["secrets"]) == [("huggingface-token", *place(text, HF))]
    assert places(look(piped=text.encode())) == [("huggingface-token", *place(text, HF))]
