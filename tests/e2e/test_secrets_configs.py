"""Files in which tools keep what they sign in with, written as the tools write them: those that an ML engineer's
home directory holds, and that images are made with. What gives a value away there is the file's path alone."""

import base64
import io
import json
import re
import zipfile

import pytest

import scanner
import secretkit as sk
from test_secrets import found, image, scan
from tarkit import file

# <kind:count> stands for a secret, and its line must be found; <id:kind:count> for what is none.
KINDS = {"alnum": sk.BASE62, "hex": "0123456789abcdef", "upper": sk.BASE62[:36], "lower": sk.BASE62[:10] + sk.BASE62[36:],
         "alpha": sk.LETTERS, "b64": sk.BASE62 + "+/", "b64url": sk.BASE62 + "-_"}
MARK = re.compile(r"<(id:)?(?:(word|jwt|uuid)|(\w+):(\d+))>")

FILES = {
    # {path: (rule, text)}; a rule of None: any, there are surer ones than the file's path
    "root/.comet.config": ("comet-config", "[comet]\napi_key=<alnum:25>\nworkspace=vision\nproject_name=mnist\n"),
    "root/.opik.config": ("comet-config", "[opik]\nurl_override = https://www.comet.com/opik/api/\nworkspace = default\napi_key = <alnum:25>\n"),
    "root/.modal.toml": ("modal-token-secret", '[vision]\ntoken_id = "ak-<id:alnum:22>"\ntoken_secret = "as-<alnum:22>"\nactive = true\n'),
    "root/.pgpass": ("pgpass-password", "# hostname:port:database:username:password\ndb.corp.io:5432:app:trainer:<word>\n"
                     "10.0.0.7:12691:app\\:two:trainer:<word>\n*:*:*:postgres:<alnum:16>\n#old.corp.io:5432:app:trainer:<id:word>\n"),
    "root/.my.cnf": ("mysql-option-password", "[client]\nuser=trainer\npassword=<word>\nhost=db.corp.io\n[mysqldump]\n# password=<id:word>\n"),
    "etc/mysql/debian.cnf": ("mysql-option-password", "[client]\nhost     = localhost\nuser     = debian-sys-maint\npassword = <alnum:16>\n"),
    "etc/mysql/conf.d/backup.cnf": ("mysql-option-password", '[mysqldump]\nuser = backup\npassword = "<word>"\n'),
    "root/.kaggle/kaggle.json": ("kaggle-json", '{"username":"dataminer","key":"<hex:32>"}'),
    "root/.kaggle/access_token": ("kaggle-token", "KGAT_<hex:32>\n"),
    "root/.config/wandb/settings": ("wandb-settings", "[default]\nbase_url = https://api.wandb.ai\napi_key = <hex:40>\n"),
    "srv/train/wandb/settings": ("wandb-settings", "[default]\nentity = vision\nproject = mnist\napi_key = local-<hex:40>\n"),
    "root/.config/wandb/credentials.json": ("wandb-access-token", '{"credentials": {"https://api.wandb.ai": {"access_token": "<alnum:64>"}}}'),
    "root/.netrc": ("netrc-file-password", "machine api.wandb.ai\n  login user\n  password <hex:40>\nmachine git.corp.io\n  login bob\n"
                    "  account models\n  password <word>\n"),
    "home/bob/_netrc": ("netrc-file-password", "default login bob password <word>\n"),
    "root/clearml.conf": (None, 'api {\n    api_server: https://api.clear.ml\n    credentials {"access_key" = "<id:upper:20>", "secret_key" = "<alnum:50>"}\n}\n'),
    "home/bob/clearml.conf": ("clearml-config", 'api {\n    credentials {\n        access_key: ""\n        secret_key: "<alnum:50>"\n    }\n}\n'
                              'agent {\n    git_user: "bob"\n    git_pass: "<word>"\n}\nsdk { aws { s3 {\n    key: "trainer"\n    secret: "<word>"\n} } }\n'),
    "srv/data/.dvc/config.local": ("dvc-remote-credential", "['remote \"storage\"']\n    user = ci\n    password = <word>\n"),
    "root/.databrickscfg": (None, "[DEFAULT]\nhost = https://adb-12.3.azuredatabricks.net\ntoken = dapi<hex:32>-2\n"
                            "[m2m]\nclient_id = <id:uuid>\nclient_secret = dose<hex:32>\n"),
    "home/bob/.databrickscfg": ("databricks-config", "[DEFAULT]\nhost = https://adb-12.3.azuredatabricks.net\nusername = bob@corp.io\npassword = <word>\n"),
    "root/.databricks/token-cache.json": ("databricks-token-cache", '{"tokens": {"https://adb-12.3.azuredatabricks.net": {\n'
                                          '"access_token": "<jwt>",\n"refresh_token": "doau<hex:64>"}}}'),
    "root/.snowflake/config.toml": ("snowflake-config", 'default_connection_name = "dev"\n[connections.dev]\naccount = "org-acc"\nuser = "bob"\npassword = "<word>"\n'),
    "root/.config/snowflake/connections.toml": ("snowflake-config", '[default]\naccount = "org-acc"\nauthenticator = "PROGRAMMATIC_ACCESS_TOKEN"\n'
                                                'token = "<jwt>"\n[keys]\nprivate_key_file = "/k.p8"\nprivate_key_passphrase = "<word>"\n'),
    "root/.snowsql/config": ("snowflake-config", "[connections]\naccountname = org-acc\nusername = bob\npassword = <word>\n"),
    "root/.aws/credentials": (None, "[default]\naws_access_key_id = <id:upper:20>\naws_secret_access_key = <b64:40>\n"
                              "[minio]\naws_access_key_id = trainer\naws_secret_access_key = <word>\n"),
    "root/.cloudflare/r2.credentials": ("aws-profile-secret", "[r2]\naws_access_key_id = <id:hex:32>\naws_secret_access_key = <hex:64>\n"),
    "root/.aws/sso/cache/0a1b.json": ("aws-sso-token", '{"startUrl": "https://corp.awsapps.com/start",\n"accessToken": "aoaAAAAA<alnum:300>",\n'
                                      '"clientId": "<id:alnum:22>",\n"refreshToken": "aorAAAAA<alnum:300>"}'),
    "root/.s3cfg": ("s3cmd-config", "[default]\naccess_key = trainer\ngpg_passphrase = <word>\nhost_base = minio.corp.io\nsecret_key = <word>\n"),
    "root/.boto": (None, "[Credentials]\ngs_access_key_id = GOOG<id:upper:20>\ngs_secret_access_key = <b64:40>\n"),
    "root/.passwd-s3fs": ("s3fs-password", "<id:upper:20>:<b64:40>\n"),
    "etc/passwd-s3fs": ("s3fs-password", "models:trainer:<alnum:16>\n"),
    "root/.config/rclone/rclone.conf": ("rclone-config", "[minio]\ntype = s3\naccess_key_id = trainer\nsecret_access_key = <word>\n\n"
                                        "[nas]\ntype = sftp\nuser = bob\npass = <b64url:30>\n\n[az]\ntype = azureblob\naccount = models\nkey = <b64:86>==\n\n"
                                        '[box]\ntype = box\ntoken = {"access_token":"<alnum:32>","token_type":"bearer","expiry":"2026-01-01T00:00:00Z"}\n'),
    "root/.huggingface/token": ("huggingface-token", "hf_<alpha:34>"),
    "root/.cache/huggingface/token": ("huggingface-token", "hf_<alpha:34>"),
    "root/.cache/huggingface/stored_tokens": ("huggingface-token", "[work]\nhf_token = hf_<alpha:34>\n\n[other]\nhf_token = hf_<alpha:34>\n"),
    "root/.lightning/credentials.json": ("lightning-credentials", '{"username": "bob",\n"user_id": "<id:uuid>",\n"api_key": "<uuid>"}'),
    "root/.config/gcloud/application_default_credentials.json": (None, '{\n  "account": "",\n  "client_id": "764086051850-<id:lower:32>.apps.googleusercontent.com",\n'
                                                                 '  "refresh_token": "1//0<b64url:90>",\n  "type": "authorized_user"\n}'),
    "root/.azure/accessTokens.json": ("azure-cli-token", '[{"tokenType": "Bearer",\n"accessToken": "<jwt>",\n"refreshToken": "0.A<b64url:700>",\n"userId": "bob@corp.io"}]'),
    "root/.azure/msal_token_cache.json": ("azure-cli-token", '{"AccessToken": {"a": {"credential_type": "AccessToken",\n"secret": "<jwt>"}},\n'
                                          '"RefreshToken": {"a": {"credential_type": "RefreshToken",\n"secret": "1.AXkA<b64url:900>"}}}'),
    "root/.azure/service_principal_entries.json": ("azure-cli-token", '[{"client_id": "<id:uuid>",\n"client_secret": "<word>-<alnum:12>"}]'),
    "root/.docker/config.json": ("docker-identity-token", '{"auths": {"corp.azurecr.io": {\n"auth": "MDAwMDAwMDAtMDAwMC0wMDAwOg==",\n"identitytoken": "<alnum:300>"}}}'),
    "root/.npmrc": (None, "//npm.corp.io/:_authToken=<uuid>\n"),
    "root/.yarnrc.yml": ("yarn-auth", 'npmAuthToken: "<uuid>"\nnpmScopes:\n  corp:\n    npmAuthIdent: "bob:<word>"\n'),
    "root/.pypirc": ("pypirc-password", "[distutils]\nindex-servers =\n  corp\n\n[corp]\nrepository: https://pypi.corp.io\nusername: bob\npassword: <word>\n"),
    "root/.config/pip/pip.conf": ("config-url-password", "[global]\nindex-url = https://bob:<word>@pypi.corp.io/simple\n"),
    "root/.condarc": (None, "channels:\n  - https://conda.anaconda.org/t/bo-<uuid>/corp\n  - defaults\n"
                      "proxy_servers:\n  http: http://bob:<word>@proxy.corp.io:3128\n"),
    "root/.continuum/anaconda-client/tokens/https%3A%2F%2Fapi.anaconda.org.token": ("anaconda-token-file", "bo-<uuid>"),
    "root/.config/gh/hosts.yml": ("github-cli-token", "github.com:\n    user: bob\n    oauth_token: <hex:40>\n    git_protocol: https\n"),
    "srv/app/.streamlit/secrets.toml": ("streamlit-secret", 'db_username = "bob"\ndb_password = "<word>"\n[connections.sql]\ndialect = "postgresql"\npassword = "<word>"\n'),
    "root/.mlflow/credentials": (None, "[mlflow]\nmlflow_tracking_username = bob\nmlflow_tracking_password = <word>\n"),
    "home/bob/.mlflow/credentials": ("mlflow-credentials", "[mlflow]\nmlflow_tracking_username = bob\nmlflow_tracking_password = <word>\n"),
    "root/.polyaxon/.auth": ("polyaxon-credentials", '{"username": "bob", "token": "<hex:40>"}'),
    "root/.config/replicate/hosts": ("replicate-api-token", '{"https://api.replicate.com": {"token": "r8_<alnum:37>"}}'),
    "root/.ngc/config": ("ngc-config", ";WARNING - This is a machine generated file.  Do not edit manually.\n\n[CURRENT]\napikey = <alnum:84>\nformat_type = ascii\norg = corp\n"),
    "root/.runpod/config.toml": ("runpod-config", '[default]\napi_key = "<upper:40>"\n'),
    "root/.vast_api_key": ("vast-api-key-file", "<hex:64>"),
    "root/.config/vastai/vast_api_key": ("vast-api-key-file", "<hex:64>\n"),
    "root/.jupyter/jupyter_server_config.json": ("jupyter-password-hash", '{\n  "IdentityProvider": {\n'
                                                 '    "hashed_password": "argon2:$argon2id$v=19$m=10240,t=10,p=8$<alnum:22>$<alnum:32>"\n  }\n}'),
    "root/.jupyter/jupyter_notebook_config.json": ("jupyter-password-hash", '{\n  "NotebookApp": {\n    "password": "sha1:<hex:12>:<hex:40>"\n  }\n}'),
    "root/.jupyter/jupyter_server_config.py": ("jupyter-token", "c.ServerApp.ip = '0.0.0.0'\n# c.ServerApp.token = '<id:word>'\nc.ServerApp.token = '<word>'\n"),
    "root/.local/share/jupyter/runtime/jpserver-7.json": ("jupyter-token", '{\n  "pid": 7,\n  "token": "<hex:48>",\n  "url": "http://localhost:8888/"\n}'),
    "root/.local/share/jupyter/runtime/jupyter_cookie_secret": ("jupyter-cookie-secret", "<b64:43>=\n"),
    "root/.cache/dagshub/tokens": ("dagshub-credentials", "https://dagshub.com:\n- access_token: <hex:40>\n  token_type: bearer\n"),
    "root/.trussrc": ("baseten-config", "[baseten]\nremote_provider = baseten\napi_key = <alnum:8>.<alnum:32>\nremote_url = https://app.baseten.co\n"),
    "root/.lambda_cloud/lambda_keys": ("lambda-cloud-api-key", "api_key = secret_ci_<hex:32>.<alnum:32>\n"),
    "root/.paperspace/config.json": ("paperspace-config", '{"apiKey":"<hex:30>","name":"ci"}'),
    "root/.determined/auth.json": ("determined-ai-credentials", '{"version": 2, "masters": {"https://det.corp.io": {\n"tokens": {"bob": "v2.public.<b64url:150>"}}}}'),
    "root/.config/roboflow/config.json": ("roboflow-config", '{"workspaces": {"a1": {"name": "vision",\n"apiKey": "<alnum:20>"}}}'),
    "root/.nomic/credentials": ("nomic-credentials", '{"refresh_token": "<alnum:43>",\n"token": "<jwt>"}'),
    "root/.anyscale/credentials.json": ("anyscale-api-key", '{"cli_token": "aph0_<alnum:80>"}'),
    "root/.config/valohai-cli/config.json": ("valohai-config", '{"host": "https://app.valohai.com/",\n"token": "<alnum:40>"}'),
    "root/bentoml/.yatai.yaml": ("bentoml-config", "contexts:\n- api_token: <lower:20>\n  email: bob@corp.io\n  endpoint: https://corp.cloud.bentoml.com\n"),
    "root/.beam/config.ini": ("beam-config", "[default]\ntoken = <b64:86>==\ngateway_host = gateway.beam.cloud\n"),
    "root/.config/zenml/credentials.yaml": ("zenml-api-key", "https://zenml.corp.io:\n  api_key: ZENKEY_<b64:120>\n"),
    "root/.prefect/profiles.toml": ("prefect-api-key", 'active = "cloud"\n[profiles.cloud]\nPREFECT_API_KEY = "pnu_<alnum:36>"\n'),
    "root/.dagster_cloud_cli/config": ("dagster-cloud-config", "cli:\n  default_deployment: prod\n  user_token: <hex:32>\n"),
    "root/.dbt/profiles.yml": ("dbt-profile-password", "app:\n  target: dev\n  outputs:\n    dev:\n      type: postgres\n      user: bob\n      password: <word>\n"
                               "    prod:\n      type: snowflake\n      private_key_passphrase: '<word>'\n"),
    "root/airflow/airflow.cfg": ("airflow-config-key", "[core]\nfernet_key = <b64url:43>=\n[webserver]\nsecret_key = <alnum:24>\n"),
    "root/.codex/auth.json": ("codex-credentials", '{"OPENAI_API_KEY": null,\n"tokens": {"access_token": "<jwt>",\n"refresh_token": "rt_<alnum:80>"}}'),
    "root/.claude/.credentials.json": ("anthropic-oauth-token", '{"claudeAiOauth": {"accessToken": "sk-ant-oat01-<b64url:93>AA"}}'),
    "root/.gemini/oauth_creds.json": (None, '{"access_token": "ya29.a0<b64url:200>",\n"refresh_token": "1//0<b64url:90>"}'),
    "root/.config/io.datasette.llm/keys.json": ("llm-keys", '{\n  "// Note": "This file stores secret API credentials. Do not share!",\n  "mistral": "<alnum:32>",\n  "reka": "<hex:64>"\n}'),
    "root/.cargo/credentials.toml": ("cargo-credentials", '[registries.corp]\ntoken = "Bearer <alnum:32>"\n'),
    "root/.config/composer/auth.json": ("composer-auth", '{"http-basic": {"repo.corp.io": {"username": "bob",\n"password": "<word>"}}}'),
    "root/.bundle/config": ("bundler-credentials", '---\nBUNDLE_GEMS__CORP__IO: "bob:<word>"\nBUNDLE_PATH: "vendor/bundle"\nBUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/: "https://gems.corp.io"\n'),
    "root/.config/pypoetry/auth.toml": ("python-index-credentials", '[http-basic.corp]\nusername = "bob"\npassword = "<word>"\n'),
    "root/.local/share/uv/credentials/credentials.toml": ("python-index-credentials", '[[credential]]\nservice = "https://pypi.corp.io"\nusername = "bob"\nscheme = "basic"\npassword = "<word>"\n'),
    "root/.nuget/NuGet/NuGet.Config": ("nuget-password", '<corp>\n  <add key="Username" value="bob" />\n  <add key="ClearTextPassword" value="<word>" />\n</corp>\n'),
    "root/.terraform.d/credentials.tfrc.json": ("terraform-cloud-token", '{"credentials": {"app.terraform.io": {"token": "<alnum:14>.atlasv1.<alnum:67>"}}}'),
    "root/.vault-token": ("vault-token-file", "s.<alnum:24>"),
    "root/.kube/config": ("kubeconfig-password", "apiVersion: v1\nkind: Config\nusers:\n- name: bob\n  user:\n    token: <alnum:40>\n- name: eve\n  user:\n    username: eve\n    password: <word>\n"),
    "root/.mc/config.json": ("minio-client-config", '{"version": "10", "aliases": {"prod": {"url": "https://minio.corp.io",\n"accessKey": "trainer",\n"secretKey": "<word>"}}}'),
    "root/.cos.conf": ("cos-client-config", "[common]\nsecret_id = <id:alnum:36>\nsecret_key = <alnum:32>\nbucket = models-1\n"),
    "root/.sentryclirc": ("sentry-cli-config", "[auth]\ntoken=<hex:64>\n"),
    "root/.local/share/com.vercel.cli/auth.json": ("vercel-cli-token", '{"token": "<alnum:24>"}'),
    "root/.config/configstore/snyk.json": ("snyk-config", '{"api": "<uuid>"}'),
    "root/.influxdbv2/configs": ("influxdb-cli-config", '[default]\n  url = "http://localhost:8086"\n  token = "<b64url:86>=="\n  org = "corp"\n'),
    "root/.vt.toml": ("virustotal-config", 'apikey="<hex:64>"\n'),
    "root/.wakatime.cfg": ("wakatime-config", "[settings]\ndebug = false\napi_key = <uuid>\n"),
    "root/.odbc.ini": ("client-config-password", "[warehouse]\nDriver = PostgreSQL\nServername = db.corp.io\nUID = bob\nPWD = <word>\n"),
    "root/.smbcredentials": ("client-config-password", "username=bob\npassword=<word>\ndomain=CORP\n"),
    "root/.config/openstack/clouds.yaml": ("client-config-password", "clouds:\n  corp:\n    auth:\n      username: bob\n      password: <word>\n"),
    "root/.hgrc": ("client-config-password", "[auth]\ncorp.prefix = hg.corp.io\ncorp.username = bob\ncorp.password = <word>\n"),
    "root/.msmtprc": ("client-config-password", "account corp\nhost smtp.corp.io\nuser bob\npassword <word>\n"),
    "root/.curlrc": ("curlrc-password", 'user-agent = "curl/<id:word>"\nuser = "bob:<word>"\n'),
}


def value(mark, seed):
    """One that no rule but the file's own knows by its looks: of words, as people choose passwords, or random."""
    if mark[2] == "word":
        return "white-" + sk.letters(6, "aeioubdglmnrst", seed)
    if mark[2] == "jwt":
        return sk.jwt(seed)
    if mark[2] == "uuid":
        parts = sk.letters(30, KINDS["hex"], seed)
        return f"{parts[:8]}-{parts[8:12]}-4{parts[12:15]}-a{parts[15:18]}-{parts[18:30]}"
    return sk.letters(int(mark[4]), KINDS[mark[3]], seed)


def fill(path, text):
    """The file, and the lines in which its secrets stand."""
    seeds = iter(range(1000))
    made = MARK.sub(lambda mark: value(mark, f"{path} {next(seeds)}"), text)
    lines = {number for number, line in enumerate(text.split("\n"), 1) if any(not mark[1] for mark in MARK.finditer(line))}
    return made, lines


def hits(result, path):
    assert result.code == 0, result
    return [secret for secret in result.report["secrets"] if secret["path"] == path]


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    return scan(image(tmp_path_factory.mktemp("homes"), [file(path, fill(path, text)[0]) for path, (_, text) in FILES.items()]))


@pytest.mark.parametrize("path", FILES)
def test_found(homes, path):
    """Each secret, under the rule that says best whose it is, and nothing else of the file."""
    rule, text = FILES[path]
    secrets = hits(homes, path)
    assert {secret["line"] for secret in secrets} == fill(path, text)[1], secrets
    if rule:
        assert {secret["rule"] for secret in secrets} <= {rule, "jwt", "huggingface-token", "wandb-api-key", "kaggle-json"}, secrets
        assert rule in {secret["rule"] for secret in secrets}, secrets


def test_every_rule_for_files_is_tried():
    assert {rule["id"] for rule in sk.rules().values() if rule["path"]} <= {rule for rule, _ in FILES.values()}


@pytest.mark.parametrize("instead", ["", "${SECRET_VALUE}", "<your-secret>", "changeme"])
def test_nothing_where_no_secret_is(tmp_path, instead):
    entries = [file(path, MARK.sub(lambda mark: "trainer" if mark[1] else instead, text)) for path, (_, text) in FILES.items()]
    assert found(scan(image(tmp_path, entries))) == set()


def test_rules_for_files_are_for_these_only(tmp_path):
    """The same lines in files of other names, some of which look alike."""
    bound = {rule["id"] for rule in sk.rules().values() if rule["path"]}
    entries = []
    for number, (path, (_, text)) in enumerate(FILES.items()):
        made = fill(path, text)[0]
        entries += [file(f"srv/{number}.txt", made), file(f"{path}.txt", made), file(f"srv/{number}/my{path.rsplit('/', 1)[1]}", made)]
    result = scan(image(tmp_path, entries))
    assert result.code == 0, result
    assert {(rule, path) for rule, path in found(result) if rule in bound} == set()


def test_member_of_an_archive(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("home/bob/.pgpass", "db.corp.io:5432:app:bob:white-rabbit\n")
        archive.writestr(".my.cnf", "[client]\npassword=grey-dormouse\n")
        archive.writestr("notes.txt", "db.corp.io:5432:app:bob:white-rabbit\n")
    result = scan(image(tmp_path, [file("srv/backup.zip", out.getvalue())]))
    assert found(result) == {("pgpass-password", "srv/backup.zip!home/bob/.pgpass"), ("mysql-option-password", "srv/backup.zip!.my.cnf")}


def test_base64_in_such_a_file(tmp_path):
    """What is decoded is of the same file."""
    text = base64.b64encode(b"[client]\nuser=trainer\npassword=white-rabbit\nhost=db.corp.io\n").decode()
    result = scan(image(tmp_path, [file("root/.my.cnf", text + "\n"), file("root/other.txt", text + "\n")]))
    assert found(result) == {("mysql-option-password", "root/.my.cnf")}


def test_list_says_for_which_files(tmp_path):
    rule = sk.rules()["pgpass-password"]
    assert re.search(rule["path"], "root/.pgpass") and not re.search(rule["path"], "root/my.pgpass")
    assert re.search(rule["path"], rule["example_file"])
    assert sk.rules()["huggingface-token"]["path"] is None
    assert json.loads(scanner.run("rules", "list", "-f", "json").stdout)["rules"]
