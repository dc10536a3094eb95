"""Where a token begins and ends: escapes, opcodes and lengths are no letters of it, words around it are."""

import base64
import io
import json
import pickle
import pickletools
import struct

import pytest

import scanner
import secretkit as sk
from tarkit import file

HF, GH = sk.token("huggingface-token", "edges"), sk.github(seed="edges")
ESC = "\x1b"


def found(tmp_path, name, content, *more):
    """(rule, line, column) of each secret of one file."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = scanner.run("rootfs", str(tmp_path), "--scanners", "secret", "-f", "json", *more)
    assert result.code == 0, result
    return [(s["rule"], s["line"], s["column"]) for s in json.loads(result.stdout)["secrets"]]


COLOURS = {
    "red": f"{ESC}[31m{HF}{ESC}[0m", "bold": f"{ESC}[1;38;5;208m{HF}{ESC}[m", "true": f"{ESC}[38;2;10;20;30m{HF}{ESC}[39m",
    "charset": f"{ESC}(B{HF}", "erase": f"{ESC}[2K{HF}", "private": f"{ESC}[?25l{HF}{ESC}[?25h",
    "escaped": f"\\u001b[31m{HF}\\u001b[0m", "python": f"\\x1b[31m{HF}\\x1b[0m", "octal": f"\\033[0;32m{HF}\\033[0m",
    "shell": f"\\e[32m{HF}\\e[0m", "caret": f"^[[31m{HF}^[[0m",
}


@pytest.mark.parametrize("kind", COLOURS)
def test_colours_are_no_letters(tmp_path, kind):
    """ECMA-48: what colours a token in a log or in a notebook's traceback."""
    assert [rule for rule, *_ in found(tmp_path, "app.log", f"INFO token {COLOURS[kind]} used\n")] == ["huggingface-token"]


def test_coloured_values(tmp_path):
    text = f"wandb_api_key: {ESC}[32m'{sk.token('wandb-api-key', 1)}'{ESC}[0m\n"
    assert [rule for rule, *_ in found(tmp_path, "app.log", text)] == ["wandb-api-key"]


ESCAPES = ["\\n{}\\n", "a%3D{}%26", "\\u003d{}", "key\\t{}", "\\x3d{}", "b'{}'", "rb\"{}\"", "f'{}'", "=\\\"{}\\\"", "_{}_"]


@pytest.mark.parametrize("form", ESCAPES)
def test_escapes_are_no_letters(tmp_path, form):
    assert found(tmp_path, "a.txt", "x = " + form.format(HF) + "\n") == [("huggingface-token", 1, 5 + form.index("{"))]


PREFIXES = ["b'{}'", "r'{}'", "rb'{}'", "f\"{}\"", "u'{}'", "Rb'{}'", "'{}'", "str(\"{}\")", ": str = \"{}\""]


@pytest.mark.parametrize("form", PREFIXES)
def test_prefixes_of_strings(tmp_path, form):
    """Python's prefixes stand before a value, not in it."""
    between = "" if form.startswith(":") else " = "
    text = "WANDB_API_KEY" + between + form.format(sk.token("wandb-api-key", 2)) + "\n"
    assert [rule for rule, *_ in found(tmp_path, "a.py", text)] == ["wandb-api-key"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", ["text", "dict", "list", "nested", "bytes", "optimized"])
def test_pickles(tmp_path, protocol, value):
    """Opcodes and lengths before a string are no letters of it, in any protocol."""
    values = {"text": HF, "dict": {"user": "bob", "hub_token": HF}, "list": [1, "a", HF, "b"], "nested": ({"a": [HF]}, "x"),
              "bytes": {"token": HF.encode()}, "optimized": {"a": 1, "t": HF}}
    data = pickle.dumps(values[value], protocol)
    if value == "optimized":
        data = pickletools.optimize(data)
    assert HF.encode() in data
    assert [rule for rule, *_ in found(tmp_path, "state.pkl", data)] == ["huggingface-token"]


@pytest.mark.parametrize("length", range(20, 123))
def test_lengths_before_strings(tmp_path, length):
    """A length of one byte may be a letter or digit: marshal, MessagePack, protocol buffers."""
    token = GH + " " * max(0, length - len(GH)) if length >= len(GH) else None
    if token is None:
        pytest.skip("shorter than the token")
    for before in (b"\xda", b"\xd9", b"\x0a", b"z"):
        data = b"\0\1\2" + before + bytes([length]) + token.encode() + b"r\x07\0\0\0"
        assert [rule for rule, *_ in found(tmp_path, "data.bin", data)] == ["github-personal-token"], before


def test_tokens_stand_alone(tmp_path):
    """34 letters behind "hf_" in a name are no token: not in text, not in a compiled file."""
    name = "_call_hf_LanguageModelWithRetriesAndChecksLang"
    assert len(name.split("hf_")[1]) > 34
    assert not found(tmp_path, "a.py", f"def {name}(self):\n    self.{name}()\n")
    code = io.BytesIO()
    code.write(b"\xa7\x0d\x0d\x0a" + bytes(12) + b"\xe3\0\0\0\0")
    for text in (name, "call_hf_" + "Lang" * 9, "my_hf_" + "transformersPipelineForTokenTextGeneration"[:34]):
        code.write(b"\xda" + bytes([len(text)]) + text.encode() + b"r\1\0\0\0")
    assert not found(tmp_path, "a.pyc", code.getvalue())


def test_tokens_among_strings(tmp_path):
    """Go and Rust write their texts side by side, with nothing between them."""
    data = b"\x7f" + bytes(40) + b"invalid argumentinternal errorvalue out of range" + HF.encode() + b"unexpected newlinewrite error" + bytes(9)
    assert [rule for rule, *_ in found(tmp_path, "prog.bin", data)] == ["huggingface-token"]


def test_blobs(tmp_path):
    """In base64 of an image any token may stand by chance; beside it, it counts."""
    blob = sk.letters(3000, sk.BASE62 + "+/", 5)
    at = 1500
    inside = blob[:at] + "+EAA" + sk.letters(150, seed=6) + "/" + blob[at:]
    assert not found(tmp_path, "a.js", f'x="data:image/png;base64,{inside}"\n')
    assert [rule for rule, *_ in found(tmp_path, "a.js", f'x="data:image/png;base64,{inside}";t="{HF}"\n')] == ["huggingface-token"]


CODE = [
    "snowflake_password: Optional[SecretStr] = Field(default=None, alias=\"password\")",
    "values[\"snowflake_password\"] = convert_to_secret_str(",
    "    get_from_dict_or_env(values, \"snowflake_password\", \"SNOWFLAKE_PASSWORD\")",
    "snowflake_password = click.prompt(\"Snowflake Password:\", hide_input=True)",
    "{\"name\": \"SNOWFLAKE_PASSWORD\", \"description\": \"Snowflake password\", \"secret\": true}",
    "DSN = r\"/^(DSN=)(.*)(;UID=)(.*)(;PWD=)(.*)(;)$/\"",
    "url = \"http://john:S3nsit1ve@my.example.com\"", "url = \"http://user:pa%2Fssword@dummy.faketld/\"",
    "https://oauth2:my-token@github.com/org/repo.git", "export http_proxy=http://proxyuser:proxypass@proxyhost:80",
    "machine id password [path/]filename", "machine HOSTNAME login USERID password \"PASSWORD\"",
    "<server><id>x</id><username>u</username><password>repopwd</password></server>",
    "langchain_community/llms/aleph_alpha.py,sha256=1QdqmrfZpkpkvHSwEBv1UI6p-AFW4ea85fMHJCzlAFM,11335",
    "class V1ServiceAccountTokenProjection(object):", "SIGN_IN_WITH_PASSWORD = '/v1/accounts:signInWithPassword'",
    "#   uri.password = \"V3ry_S3nsit1ve\"", "password = get_password(user)", "db_password: settings.DATABASE_PASSWORD",
]


@pytest.mark.parametrize("line", CODE)
def test_code_is_no_value(tmp_path, line):
    """What follows an assignment in code: a call, a type, a constant's name."""
    assert not found(tmp_path, "app/a.py", line + "\n")


VALUES = ["snowflake_password = \"{}\"", "SNOWFLAKE_PASSWORD={}", "password: \"{}\"", "https://bob:{}@git.corp.io/x.git",
          "postgresql://app:{}@db:5432/x", "machine git.corp.io login bob password {}"]


@pytest.mark.parametrize("form", VALUES)
def test_values_are_found(tmp_path, form):
    for number in range(40):
        value = sk.letters(8, seed=number) + "7" + sk.letters(8, seed=number + 1000)
        assert len(found(tmp_path, "app/a.env", form.format(value) + "\n")) == 1, value


def test_a_packages_own_files(tmp_path, scan_layers):
    """A file that a distribution's package brought and nobody changed: listed, not counted."""
    status = "Package: vim-common\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x <x@debian.org>\n\n"
    listed = "/.\n/usr\n/usr/share\n/usr/share/vim\n/usr/share/vim/a.vim\n/usr/share/vim/b.vim\n/etc/vim/vimrc\n/lib/x.conf\n"
    base = [file("etc/os-release", "ID=debian\nVERSION_ID=12\n"), file("var/lib/dpkg/status", status),
            file("var/lib/dpkg/info/vim-common.list", listed, mtime=1000)]
    own = [file("usr/share/vim/a.vim", f"t={HF}\n", mtime=500), file("etc/vim/vimrc", f"t={GH}\n", mtime=500),
           file("usr/lib/x.conf", f"t={sk.github(seed='x')}\n", mtime=500),
           file("usr/share/vim/b.vim", f"t={sk.github(seed='b')}\n", mtime=2000)]
    report = scan_layers(base + own, args=("--scanners", "secret")).report
    assert sorted(s["path"] for s in report["secrets"]) == ["etc/vim/vimrc", "usr/share/vim/b.vim"]
    assert sorted(s["path"] for s in report["suppressed"]) == ["usr/lib/x.conf", "usr/share/vim/a.vim"]
    assert {s["reason"] for s in report["suppressed"]} == {
        "in a file of the distribution's package vim-common, unchanged since it was installed"}
    # Another layer's file in the same place is somebody's own.
    report = scan_layers(base + own[:1], [file("usr/share/vim/a.vim", f"t={GH}\n", mtime=500)],
                         args=("--scanners", "secret")).report
    assert [(s["path"], s["layer"]) for s in report["secrets"]] == [("usr/share/vim/a.vim", 1)]


def test_a_rule_that_goes_back(tmp_path):
    """A user's own expression may take more steps than it may: that names rule and file, and passes nothing."""
    (tmp_path / "rules.yaml").write_text("rules:\n  - id: slow-one\n    title: x\n    severity: HIGH\n    category: x\n    regex: '(x+x+)+y'\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("x" * 5000 + "z" + "x" * 5000 + "\n" + f"t={HF}\n")
    result = scanner.run("secret", str(tmp_path / "in"), "--secret-config", str(tmp_path / "rules.yaml"), "-f", "json")
    if result.code == 0:  # the first look knew that no match is there
        assert [s["rule"] for s in json.loads(result.stdout)["secrets"]] == ["huggingface-token"]
    else:
        assert result.code == 3 and "slow-one" in result.stderr and "a.txt" in result.stderr
    (tmp_path / "in" / "a.txt").write_text(("x" * 40 + "z") * 2000 + "xxy\n" + f"t={HF}\n")
    result = scanner.run("secret", str(tmp_path / "in"), "--secret-config", str(tmp_path / "rules.yaml"), "-f", "json")
    assert result.code == 3 and "slow-one" in result.stderr and "a.txt" in result.stderr


def test_many_beginnings(tmp_path):
    """However often a key seems to begin, what stands behind it is found."""
    (tmp_path / "x.txt").write_text("-----BEGIN PRIVATE KEY-----" * 250000 + f"\nt={HF}\n")
    result = scanner.run("secret", str(tmp_path), "-f", "json")
    assert result.code == 0 and [s["rule"] for s in json.loads(result.stdout)["secrets"]] == ["huggingface-token"]


def test_messagepack(tmp_path):
    """str 8, str 16 and fixstr, as MessagePack writes them."""
    key = b"\xa5token"
    for value in (b"\xd9" + bytes([len(HF)]) + HF.encode(), b"\xda" + struct.pack(">H", len(HF)) + HF.encode()):
        assert [rule for rule, *_ in found(tmp_path, "a.msgpack", b"\x82" + key + value + b"\xa1n\x01")] == ["huggingface-token"]


@pytest.mark.parametrize("encode", [base64.b64encode, base64.encodebytes], ids=["one line", "lines"])
def test_two_secrets_in_one_stretch_of_base64(tmp_path, encode):
    text = encode(f"HF_TOKEN={HF}\nGITHUB_TOKEN={GH}\nmode=train\n".encode()).decode()
    assert sorted(rule for rule, *_ in found(tmp_path, "env.txt", text)) == ["github-personal-token", "huggingface-token"]


def test_copies_do_not_crowd_out_another(tmp_path):
    """A log with one token on each line, and one other between them: both are told, and all are counted."""
    path = tmp_path / "app.log"
    path.write_text("".join(f"{line} token {HF}\n" + (f"key {GH}\n" if line == 1500 else "") for line in range(3000)))
    result = scanner.run("rootfs", str(tmp_path), "--scanners", "secret", "-f", "json")
    report = json.loads(result.stdout)
    told = {secret["rule"]: secret for secret in report["secrets"]}
    assert sorted(told) == ["github-personal-token", "huggingface-token"], result
    assert told["huggingface-token"]["places"][0]["line"] == 1
    assert told["github-personal-token"]["places"][0]["line"] == 1502
