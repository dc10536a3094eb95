"""Secrets in texts: notebooks, Kubernetes' manifests, environment, command lines. What is found is told once, at
its place in the file; what only looks like it is not told."""

import base64
import json
import random
import subprocess

import nbformat
import pytest
from nbformat import v4

import imagekit
import scanner
import secretkit as sk
from tarkit import file


def look(path=None, piped=None):
    """The secrets of a file, or of what comes through a pipe."""
    result = subprocess.run([scanner.binary(), "secret", "-" if path is None else str(path), "-f", "json"], input=piped,
                            capture_output=True, env=scanner.environment())
    assert result.returncode == 0, result
    return [{**secret, **spot} for secret in json.loads(result.stdout)["secrets"] for spot in secret["places"]]


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


# -- Kubernetes' Secrets ----------------------------------------------------------------------------------

def encode(value):
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def random_password(seed):
    """20 letters and digits."""
    return sk.letters(19, seed=seed) + "4"


ONE, TWO = encode(random_password("one")), encode(random_password("two"))
CHOSEN = "Erdbeere7Kuchen"
SECRETS = {
    "kind before": (f"apiVersion: v1\nkind: Secret\ndata:\n  username: YXBw\n  password: {ONE}\n", [ONE]),
    "kind behind": (f"apiVersion: v1\ndata:\n  db-pwd: \"{ONE}\"  # a remark\n  x: YQ==\nmetadata:\n  name: x\nkind: Secret\n", [ONE]),
    "in clear": (f"kind: Secret\nstringData:\n  PGPASS: {CHOSEN}\n  token: '{random_password('three')}'\n", [CHOSEN, random_password("three")]),
    "escaped": ("kind: Secret\nstringData:\n  client_secret: \"a\\\"x9Ke4\\\\Zr1\"\n", ["a\\\"x9Ke4"]),
    "flow": (f"kind: Secret\ndata: {{password: {ONE}, user: YWJj, 'api-key': \"{TWO}\"}}\n", [ONE, TWO]),
    "all in flow": (f"{{kind: Secret, data: {{\n  password: {ONE},\n  user: YWJj}}}}\n", [ONE]),
    "many": (f"---\nkind: ConfigMap\ndata:\n  password: {TWO}\n---\n# one\nkind: Secret\ndata:\n  password: {ONE}\n---\nkind: Pod\n", [ONE]),
    "list": (f"kind: List\nitems:\n- data:\n    password: {ONE}\n  kind: Secret\n- kind: Secret\n  data:\n    pass: {TWO}\n- {{kind: Secret, data: {{}}}}\n", [ONE, TWO]),
    "item in flow": (f"kind: List\nitems:\n  - kind: X\n    data: {{password: {TWO}}}\n  - {{data: {{token: {ONE}}}, kind: Secret}}\n", [ONE]),
    "within another": (f"kind: ConfigMap\ndata:\n  a.yaml: |\n    kind: Secret\n    data:\n      password: {ONE}\n  password: {TWO}\n", [ONE]),
    "several lines": (f"kind: Secret\ndata:\n  a: YQ==\n  password: |\n    {ONE[:16]}\n    {ONE[16:]}\n  b: >-\n    YQ==\n  pwd:\n    {TWO}\n", [ONE[:16], TWO]),
    "CRLF": (f"apiVersion: v1\r\nkind: \"Secret\"\r\ndata:\r\n  password: {ONE}\r\n", [ONE]),
    "tagged": (f"kind: Secret\ndata: !!map\n  password: !!binary {ONE}\n", [ONE]),
    "bytes": (f"kind: Secret\ndata:\n  key: {encode(random.Random(7).randbytes(32))}\n", [encode(random.Random(7).randbytes(32))]),
    "template beside": (f"kind: Secret\ndata:\n{{{{- if .Values.a }}}}\n  password: {{{{ .Values.a | b64enc }}}}\n{{{{- else }}}}\n  password: {ONE}\n{{{{- end }}}}\n", [ONE]),
    "JSON": (json.dumps({"kind": "Secret", "data": {"password": ONE, "x": "YQ=="}}), [ONE]),
    "JSON, indented": (json.dumps({"data": {"password": ONE, "x": "YQ=="}, "stringData": {"pé": "a", "dbPassword": CHOSEN}, "kind": "Secret"}, indent=2), [ONE, CHOSEN]),
    "JSON, list": (json.dumps({"items": [{"kind": "ConfigMap", "data": {"password": TWO}}, {"data": {"password": ONE}, "kind": "Secret"}]}), [ONE]),
    "JSON lines": ("".join(json.dumps({"kind": kind, "data": {"password": value}}) + "\n" for kind, value in (("Secret", ONE), ("X", TWO))), [ONE]),
    "JSON behind YAML": (f"kind: Secret\ndata:\n  password: {ONE}\n---\n" + json.dumps({"kind": "Secret", "data": {"token": TWO}}) + "\n", [ONE, TWO]),
}


@pytest.mark.parametrize("name", SECRETS)
def test_kubernetes_secret(tmp_path, name):
    """At the value's place; by the file's name or what stands in it."""
    text, values = SECRETS[name]
    path = tmp_path / ("a.json" if text.startswith('{"') else "a.yaml")
    path.write_text(text, newline="")
    assert places(look(path)) == sorted(("kubernetes-secret", *place(text, value)) for value in values)
    piped = text if "apiVersion" in text or text.startswith("{") else "apiVersion: v1\n" + text
    assert places(look(piped=piped.encode())) == sorted(("kubernetes-secret", *place(piped, value)) for value in values)


def test_kubernetes_key_in_an_image(tmp_path):
    """The entry's key is told in each form of the report."""
    text = f"apiVersion: v1\nkind: Secret\ndata:\n  db-password: {ONE}\nstringData:\n  rootPass: {CHOSEN}\n"
    target = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_25(imagekit.image_of([file("srv/a.yaml", text)])))
    result = scanner.scan(target, "--scanners", "secret")
    assert [(secret["path"], secret["line"], secret["variable"]) for secret in result.report["secrets"]] == [
        ("srv/a.yaml", 4, "db-password"), ("srv/a.yaml", 6, "rootPass")]
    assert "(db-password)" in scanner.run("image", "--input", str(target), "--scanners", "secret").stdout


def test_kubernetes_docker_config(tmp_path):
    """What has a rule of its own is that, once."""
    config = encode(json.dumps({"auths": {"r.internal.org": {"auth": encode(f"bob:{random_password('docker')}")}}}))
    text = f"kind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: {config}\n"
    (tmp_path / "a.yaml").write_text(text)
    assert places(look(tmp_path / "a.yaml")) == [("docker-auth", *place(text, config))]
    text = json.dumps({"kind": "Secret", "data": {"HF_TOKEN": encode(HF)}})
    (tmp_path / "a.json").write_text(text)
    assert places(look(tmp_path / "a.json")) == [("huggingface-token", *place(text, encode(HF)))]


def test_kubernetes_names(tmp_path):
    """Names that say that it is a credential, and others, all with the same value."""
    credentials = ["password", "passwd", "pwd", "pass", "DB_PASS", "rootPassword", "mysql-root-password", "passphrase", "token", "secret",
                   "client_secret", "api-key", "encryption.key", "credentials", "dsn", "connection-string", "connectionString", "cookie-secret"]
    others = ["username", "host", "key-id", "api_key_name", "token_url", "ssh-publickey", "public_key", "password-file", "compass", "config", "email"]
    text = "kind: Secret\ndata:\n" + "".join(f"  {name}: {encode(random_password(name))}\n" for name in credentials + others)
    (tmp_path / "a.yaml").write_text(text)
    assert [(secret["line"], secret["variable"]) for secret in look(tmp_path / "a.yaml")] == list(enumerate(credentials, 3))


NO_SECRETS = {
    "templates": "kind: Secret\ndata:\n  password: {{ .Values.password | b64enc | quote }}\n  token: {{ randAlphaNum 20 | b64enc }}\n  {{ .Values.key }}: {{ .Values.value }}\n",
    "placeholders": "kind: Secret\ndata:\n  a-password: REPLACE_ME\n  b-password: changeme\n  c-password: cGFzc3dvcmQ=\n  d-password: ''\n  e-password: Y2hhbmdlbWU=\n"
                    "  DB_PASSWORD: cGFzc3dvcmQxMjM=\n  f-password: <base64>\n  g-password: ${PASSWORD}\n  h-password: REPLACEMEWITHKEY\n  token: UkVQTEFDRV9NRQ==\n  password:\n",
    "defaults": "kind: Secret\ndata:\n" + "".join(f"  p{number}-password: {encode(value)}\n" for number, value in enumerate(
        ["admin", "postgres", "my-secret-pw", "admin123", "P@ssw0rd!", "changeit", "password1", "mysecretpassword", "your-api-key-here", "example", "secret123",
         "test1234", "s3cr3t", "root", "db-user", "true", "12345678", "http://db.internal.org", "/run/secrets/db", "${DB_PASSWORD}"])),
    "in clear": "kind: Secret\nstringData:\n  password: ENC[AES256_GCM,data:Kuvh2+xYQ1=,iv:aaa,type:str]\n  pw: $(PW1)\n  secret: vault:secret/data/x#k3y9\n  passwd: changeme\n",
    "not of a Secret": f"kind: ConfigMap\ndata:\n  password: {ONE}\n---\nkind: SealedSecret\nspec:\n  encryptedData:\n    password: {TWO}\n"
                       "---\nkind: ExternalSecret\ndata:\n- secretKey: password\n  remoteRef: {key: aB3dE5fG7h}\n",
    "JSON": json.dumps({"kind": "Secret", "data": {"password": "cGFzc3dvcmQ=", "db-password": encode("changeme123")}}),
    "not base64": "kind: Secret\ndata:\n  password: Erdbeere7Kuchen!\n  token: ab3=cd4=\n",
}


@pytest.mark.parametrize("name", NO_SECRETS)
def test_no_kubernetes_secret(tmp_path, name):
    (tmp_path / "a.yaml").write_text(NO_SECRETS[name])
    assert look(tmp_path / "a.yaml") == []


def test_allowed_kubernetes_secret(tmp_path):
    (tmp_path / "a.yaml").write_text(f"kind: Secret\ndata:\n  password: {ONE}  # plimsoll:allow\n  token: {TWO}\n")
    assert [secret["line"] for secret in look(tmp_path / "a.yaml")] == [4]


BROKEN = ['{"kind":"Secret","data":{"password":"', "kind: Secret\ndata: {", "kind: Secret\ndata: [a, b]\n", "- - - kind: Secret\n", "{" * 5000, "[{" * 5000,
          "kind: Secret\ndata:\n" * 3000, "- kind: Secret\n" * 3000, "".join(" " * n + "data:\n" for n in range(200)) + "kind: Secret\n",
          "kind: Secret\ndata:\n  'password", "{'\n{\"\n{[}", "kind: Secret\ndata:\n  password: |", "kind: Secret\ndata"]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_broken_manifests(tmp_path, number):
    """They end, and what stands behind them is looked through."""
    (tmp_path / "a.yaml").write_text(BROKEN[number] + f"\n{HF}\n")
    assert [secret["rule"] for secret in look(tmp_path / "a.yaml")] == ["huggingface-token"]


# -- environment and command lines ------------------------------------------------------------------------

R8 = sk.letters(8, seed="command") + "3" + sk.letters(8, seed="line")
VARIABLES = ["DB_PASS=hunter2Prod99", "PGPASS=Sommer2024", "MYSQL_ROOT_PASSWORD=Erdbeere7Kuchen", "DB_PASSWORD_PROD=Erd-beere7Kuchen", "SMTP_PWD=aB$9xKq!2z",
             "KEY_PASSPHRASE=correct-H0rse-battery", "SESSION_SECRET=Kuchen7Erdbeere", "PASSWORD=Sommer!regen", "FTP_PASSWD=Tr0ub4dor&3", "DB_PASSWORD2=x9k2m4q7",
             "REDIS_PASSWORD=84719325", "ADMIN_PASS=pferd#stall", "db_password=Regen7Bogen", "spring.datasource.password=Regen8Bogen"]
NO_PASSWORDS = ["DB_PASS=", "DB_PASS=changeme", "DB_PASS=password", "DB_PASSWORD=P@ssw0rd123", "POSTGRES_PASSWORD=postgres", "MYSQL_ROOT_PASSWORD=my-secret-pw",
                "DB_PASSWORD=mysecretpassword", "DB_PASSWORD=$PASSWORD", "DB_PASSWORD=${PASSWORD}", "DB_PASSWORD=$(cat /run/x1)", "DB_PASSWORD=/run/secrets/db1",
                "DB_PASSWORD=./secrets/db1", "DB_PASSWORD_FILE=/run/secrets/db1", "DB_PASSWORD=http://vault.internal.org/db1", "DB_PASSWORD=true", "DB_PASSWORD=none",
                "DB_PASSWORD=1234", "DB_PASSWORD=12345678", "DB_PASSWORD=3600", "DB_PASSWORD=MYSQL_PASSWORD_2", "PASSWORD_ENCRYPTION=scram-sha-256", "PASSWORD_MIN_LENGTH=12",
                "PASSWORD_HASHERS=argon2id19", "TWO_PASS=true", "FIRST_PASS=profile1", "COMPASS=Erdbeere7Kuchen", "BYPASS=Erdbeere7Kuchen", "PWD=/app/v2x", "OLDPWD=/srv/app2",
                "TLS_SECRET=ingress-tls-2", "PULL_SECRET=regcred1", "JWT_SECRET=changeme123", "DB_PASSWORD=<your-password1>", "DB_PASSWORD={{ password1 }}", "DB_PASSWORD=xxxxxxxx1",
                "DB_PASSWORD=example123", "DB_PASSWORD=admin2024!", "DB_PASSWORD=op://vault/db/password1", "KEYSTORE_PASSWORD=changeit", "DB_PASSWORD=cGFzc3dvcmQxMjM=",
                "ADMIN_PASSWORD_EMAIL=a1b2c3d4@example.org", "FTP_PASSWORD=anonymous@domain.org"]


def test_variables_of_an_image(tmp_path):
    """In the config's environment and in history's ENV, passwords that are not random; no placeholders, paths, references."""
    names = [text.split("=")[0] for text in VARIABLES]
    for config, history, expected in (
            (VARIABLES, [], [("config:Env", number) for number in range(len(names))]),
            ([], [imagekit.line(f"ENV {text}") for text in VARIABLES] + [imagekit.line("CMD x", empty=False)], [(f"history:{number}", number) for number in range(len(names))]),
            ([], [imagekit.nop(f" ENV {text}") for text in VARIABLES] + [imagekit.nop("CMD x", empty=False)], [(f"history:{number}", number) for number in range(len(names))]),
            (NO_PASSWORDS, [imagekit.line(f"ENV {text}") for text in NO_PASSWORDS] + [imagekit.line("CMD x", empty=False)], [])):
        target = imagekit.write_archive(tmp_path / "image.tar", imagekit.files_docker_25(
            imagekit.image_of([file("a", "x")], history=history, config={"config": {"Env": config}})))
        report = scanner.scan(target, "--scanners", "secret").report
        assert sorted(secret["path"] for secret in report["secrets"]) == sorted(path for path, _ in expected), [
            (secret["rule"], secret["path"]) for secret in report["secrets"]]
        for text in VARIABLES:
            assert text.split("=", 1)[1] not in json.dumps(report)


FOUND = {
    "a.env": [f"{text}" for text in VARIABLES],
    "Dockerfile": ["FROM x", "ENV DB_PASS=hunter2Prod99", "ENV A=1 B_PASS=Erdbeere7Kuchen", "ENV DB_PASSWORD Regen7Bogen", "ENV A=1 \\", "    C_PASS=Kuchen7Erdbeere \\",
                   f"RUN curl -u admin:{R8} -O https://x.internal.org/a", f"RUN wget --password={R8} https://x.internal.org/a", f"RUN echo 'root:{R8}' | chpasswd",
                   f"RUN PGPASSWORD={R8} psql -h db", f"RUN htpasswd -bc /etc/h admin {R8}", f'CMD ["redis-server", "--requirepass", "{R8}"]'],
    "a.sh": [f"export DB_PASS=hunter2Prod99; x", f"mysql -u root -p{R8} app", f"mysqldump --password='{R8}' app", f"sshpass -p {R8} ssh a", f"docker login -u a -p {R8} r.internal.org",
             f"redis-cli -h cache -a {R8} ping", f"docker run -e MYSQL_ROOT_PASSWORD={R8} mysql", f"curl --user 'bot:{R8}' https://x.internal.org",
             f"openssl rsa -in a -passin pass:{R8} -out b", f"psql 'host=db user=app password={R8} dbname=x'", f"mongosh -u a -p {R8} --eval x"],
    "compose.yaml": ["services:", "  db:", "    environment:", "      - MYSQL_ROOT_PASSWORD=Erdbeere7Kuchen", "      - X=1", "  web:", "    environment:", "      SMTP_PASSWORD: Regen7Bogen"],
    "pod.yaml": ["env:", "- name: DB_PASSWORD", "  value: Erdbeere7Kuchen", "- name: X", "  value: Regen7Bogen"],
}
NOT_FOUND = {
    "a.env": NO_PASSWORDS,
    "code.py": ["password = get_password()", "PASSWORD = settings.DB_PASSWORD2", "    password=passwd2,", "password=config.password2", 'DB_PASSWORD = os.environ["X1"]',
                "'BAD_PASSPHRASE': GpgBadPassphrase,", "DEPTH_PASS = 0x0b96", 'parser.add_argument("--password", default=None)', "PASS_STMT: Final[Tag] = 180",
                'PASSWORD_HELP = "Enter 1 password"', "token = jwt.decode(password1)"],
    "a.sh": ["curl -u user:password https://x.internal.org", 'curl -u "$USER:$PASSWORD" https://x.internal.org', "curl -u admin:admin123 http://localhost", "mysql -u root -p app",
             "mysql -ppassword app", "mysql -p$PASS app", "mysql --password=secret123 app", "sshpass -p $PASS ssh a", "docker login -u a -p $TOKEN r", "docker login --password-stdin",
             "docker run -p 8080:8080 -u 1000:100000 x", "redis-cli -a $PASS", "# requirepass foobared", "echo 'root:root' | chpasswd", 'echo "root:$PASS1" | chpasswd',
             "htpasswd -c /etc/h admin", "htpasswd -nb admin admin123", "openssl rsa -passin pass:changeit", "PGPASSWORD=postgres psql", "psql 'host=db user=app password=%s'",
             "docker run -e POSTGRES_PASSWORD=mysecretpassword postgres", "wget --password=$PASSWORD https://x", "gcc -pthread2 -I/usr/include/mysql x.c"],
    "tests.log": ["PASS: gdb.base/x2y.exp", "PASS test_foo2bar (0.1s)", "--- PASS: TestFoo2Bar (0.00s)", "PASS=123 FAIL=0"],
    "pod.yaml": ["env:", "- name: DB_PASSWORD", "  valueFrom:", "    secretKeyRef: {name: a1b2c3, key: Erdbeere7}", "- name: DB_PASSWORD", '  value: "{{ .Values.password2 }}"'],
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """{(folder, file): lines in which something was found} of both tables."""
    root = tmp_path_factory.mktemp("texts")
    for folder, files in (("found", FOUND), ("not", NOT_FOUND)):
        (root / folder).mkdir()
        for name, lines in files.items():
            (root / folder / name).write_text("\n".join(lines) + "\n")
    result = {}
    for secret in look(root):
        folder, name = secret["path"].split("/")[-2:]
        result.setdefault((folder, name), []).append(secret["line"])
    return result


@pytest.mark.parametrize("name", FOUND)
def test_passwords_in_texts(texts, name):
    passwords = [value for value in ("hunter2Prod99", "Erdbeere7Kuchen", "Regen7Bogen", "Kuchen7Erdbeere", R8)]
    expected = [number for number, line in enumerate(FOUND[name], 1) if name == "a.env" or any(value in line for value in passwords)]
    if name == "pod.yaml":
        expected = [3]
    assert sorted(texts.get(("found", name), [])) == expected


@pytest.mark.parametrize("name", NOT_FOUND)
def test_no_passwords_in_texts(texts, name):
    assert [NOT_FOUND[name][line - 1] for line in texts.get(("not", name), [])] == []
