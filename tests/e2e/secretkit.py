"""Secrets for tests: made anew from the rules' own shapes, so that none stands in the repository."""

import base64
import functools
import hashlib
import json
import random
import re
import zlib

import scanner

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LETTERS = BASE62[10:]


@functools.cache
def rules():
    """{id: rule} as `plimsoll rules list` has them, with examples."""
    result = scanner.run("rules", "list", "-f", "json")
    assert result.code == 0, result
    return {rule["id"]: rule for rule in json.loads(result.stdout)["rules"]}


def place(rule, name, text):
    """Where an example is planted, and as what: in a file such as its rule is for, alone; or in any text."""
    if rule["example_file"]:
        return f"{name}/{rule['example_file']}", text
    return f"{name}.txt", f"before\n{text}\nafter\n"


def dice(seed):
    return random.Random(str(seed))


def letters(count, alphabet=BASE62, seed=0):
    numbers = dice(f"{count} {alphabet} {seed}")
    return "".join(numbers.choice(alphabet) for _ in range(count))


def github(prefix="ghp_", seed=0):
    """With the checksum that GitHub puts at the end (its blog of 2021-04-05)."""
    body = letters(30, seed=f"{prefix}{seed}")
    crc, end = zlib.crc32(body.encode()), ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        end = BASE62[digit] + end
    return prefix + body + end


def aws(seed=0):
    """An access key id and its secret."""
    return "AKIA" + letters(13, BASE62[10:36], seed) + letters(3, "234567", seed), letters(38, BASE62 + "+/", seed) + "7a"


def pem(label="RSA PRIVATE KEY", seed=0, line="\n"):
    key = b"\x30\x82\x04\xa2\x02\x01\x00\x02\x82" + hashlib.shake_128(str(seed).encode()).digest(1180)
    text = base64.b64encode(key).decode()
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return line.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"]) + line


def jwt(seed=0):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return ".".join([part({"alg": "HS256", "typ": "JWT"}), part({"sub": str(seed), "iat": 1700000000}),
                     letters(43, BASE62 + "-_", seed)])


SIMPLE = {
    "huggingface-token": lambda seed: "hf_" + letters(34, LETTERS, seed),
    "github-personal-token": lambda seed: github(seed=seed),
    "aws-access-key-id": lambda seed: aws(seed)[0],
    "openai-project-key": lambda seed: "sk-proj-" + letters(74, BASE62 + "-_", seed) + "T3BlbkFJ" + letters(74, BASE62, seed),
    "jwt": jwt,
    "wandb-api-key": lambda seed: letters(40, "0123456789abcdef", seed),
}


def token(rule, seed=0):
    return SIMPLE[rule](seed)


def places(report):
    """[(secret, place)] of what counts: a secret has as many places as it was planted in."""
    return [(secret, place) for secret in report["secrets"] for place in secret["places"]]


def core(text):
    """The part of an example that is random enough to be looked for in outputs."""
    parts = re.findall(r"[A-Za-z0-9+/_-]{16,}", text)
    return max(parts, key=len) if parts else None
