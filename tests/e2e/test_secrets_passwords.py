"""Passwords in an image's environment and in its history's commands: what real images carry there and is no secret,
what is one, and by which variable it is told."""

import base64
import json

import pytest

import imagekit
import scanner
import secretkit as sk
from tarkit import file

# What the environment of published images holds: languages, databases, servers, GPUs, notebooks, and how passwords
# are left out of it.
NO_SECRETS = """\
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LANG=C.UTF-8
GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D
PYTHON_VERSION=3.11.7
PYTHON_PIP_VERSION=23.2.1
PYTHON_SETUPTOOLS_VERSION=65.5.1
PYTHON_GET_PIP_URL=https://github.com/pypa/get-pip/raw/4cfa4081d27285bda1220a62a5ebf5b4bd749cdb/public/get-pip.py
PYTHON_GET_PIP_SHA256=9cc01665956d22b3bf057ae8287b035827bfd895da235bcea200ab3b811790b6
PYTHON_SHA256=d019758e215fe2d11a4b0b1c3d3a1a2b4e4bb5f8a2c3d4e5f60718293a4b5c6d
NODE_VERSION=20.11.0
YARN_VERSION=1.22.19
NPM_CONFIG_LOGLEVEL=info
JAVA_HOME=/opt/java/openjdk
JAVA_VERSION=jdk-17.0.9+9
LC_ALL=en_US.UTF-8
GOLANG_VERSION=1.21.5
GOTOOLCHAIN=local
RUBY_DOWNLOAD_SHA256=01fb02ae3f0a5ee5a1f0ab56a1f5a5a4e9d0c4c23d39b5c8ed9a5ab5a8a2f9e7
RUBYGEMS_VERSION=3.5.3
PHPIZE_DEPS=autoconf \t\tdpkg-dev \t\tfile \t\tg++ \t\tgcc \t\tlibc-dev \t\tmake
PHP_CFLAGS=-fstack-protector-strong -fpic -fpie -O2 -D_LARGEFILE_SOURCE -D_FILE_OFFSET_BITS=64
PHP_ASC_URL=https://www.php.net/distributions/php-8.2.14.tar.xz.asc
GPG_KEYS=39B641343D8C104B2B146DC3F9C39DC0B9698544 E60913E4DF209907D8E30D96659A97C9CF2A795A
NGINX_VERSION=1.25.3
NJS_VERSION=0.8.2
PKG_RELEASE=1~bookworm
HTTPD_SHA256=fa16d72a078210a54c47dd5bef2f8b9b8a01d94909a51453956b3ec6442ea4c5
REDIS_DOWNLOAD_URL=http://download.redis.io/releases/redis-7.2.3.tar.gz
REDIS_DOWNLOAD_SHA=3e2b196d6eb4ddb9e743088bfc2915ccbb42d40f5a8a3edd8cb69c716ec34be7
GOSU_VERSION=1.17
PG_MAJOR=15
PG_VERSION=15.5-1.pgdg120+1
PGDATA=/var/lib/postgresql/data
POSTGRES_PASSWORD=
POSTGRES_PASSWORD_FILE=/run/secrets/postgres1
POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256
PASSWORD_ENCRYPTION=scram-sha-256
MYSQL_VERSION=8.0.35-1debian12
MYSQL_ALLOW_EMPTY_PASSWORD=yes
MYSQL_RANDOM_ROOT_PASSWORD=true1
MARIADB_VERSION=1:10.11.6+maria~ubu2204
RABBITMQ_PGP_KEY_ID=0x0A9AF2115F4687BD29803A206B73A36E6026DFCA
RABBITMQ_DEFAULT_PASS=guest
MINIO_ROOT_PASSWORD_FILE=secret_key
MINIO_SECRET_KEY_FILE=secret_key2
MINIO_ROOT_PASSWORD=minioadmin
ELASTIC_CONTAINER=true
ELASTIC_PASSWORD=changeme1
KEYCLOAK_ADMIN_PASSWORD=admin123
GF_SECURITY_ADMIN_PASSWORD=grafana1
KC_HTTPS_KEY_STORE_PASSWORD=changeit
OPENSSL_SOURCE_SHA256=840af5366ab9b522bde525826be3ef0fb0af81c6a9ebd84caa600fea1731eee3
CATALINA_HOME=/usr/local/tomcat
SPARK_TGZ_ASC_URL=https://archive.apache.org/dist/spark/spark-3.5.0/spark-3.5.0-bin-hadoop3.tgz.asc
NVIDIA_VISIBLE_DEVICES=all
NVIDIA_DRIVER_CAPABILITIES=compute,utility
NVIDIA_REQUIRE_CUDA=cuda>=12.1 brand=tesla,driver>=470,driver<471 brand=unknown,driver>=470,driver<471
NV_CUDA_CUDART_VERSION=12.1.105-1
NV_LIBNCCL_PACKAGE=libnccl2=2.17.1-1+cuda12.1
NV_CUDNN_PACKAGE_NAME=libcudnn8
LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64
CONDA_DIR=/opt/conda
CONDA_PREFIX=/opt/conda/envs/py311
MAMBA_ROOT_PREFIX=/opt/conda
NB_USER=jovyan
NB_UID=1000
XDG_CACHE_HOME=/home/jovyan/.cache/
JUPYTER_PORT=8888
JUPYTER_TOKEN=
HF_TOKEN_PATH=/root/.cache/huggingface/token2
HF_HOME=/data
TOKENIZERS_PARALLELISM=false
MAX_TOKENS=4096
BOS_TOKEN=<|begin_of_text|>
GIT_ASKPASS=/usr/local/bin/git-askpass2
SSH_ASKPASS_REQUIRE=force
PASSWORD_STORE_DIR=/root/.password-store2
PWD=/srv/app2
OLDPWD=/srv/v1.2x
DOTNET_VERSION=8.0.0
ASPNETCORE_URLS=http://+:80
POWERSHELL_DISTRIBUTION_CHANNEL=PSDocker-DotnetSDK-Debian-12
S6_OVERLAY_VERSION=v3.1.6.2
S6_KEEP_ENV=1
SECRET_KEY_BASE_DUMMY=1
SECRET_KEY_BASE_FILE=/run/secrets/skb1
DJANGO_SECRET_KEY=django-insecure-key1
SECRET_KEY=dev-secret-key-change-me-2024
JWT_SECRET=your-256-bit-secret
NEXTAUTH_SECRET=supersecret123
DB_PASS=$DB_PASSWORD1
DB_PASSWORD=${MYSQL_PASSWORD1:-x}
DB_PASSWORD=SuperSecretPassword123
DB_PASSWORD=vault:secret/data/db#pass1
SMTP_PASSWORD=op://prod/smtp/password1
SMTP_PWD=arn:aws:secretsmanager:eu-west-1:123456789012:secret:smtp-a1b2c3
REDIS_PASSWORD=null
FTP_PASS=anonymous1@example.org
ORACLE_PWD=Oracle123
SA_PASSWORD=YourStrong!Passw0rd
MSSQL_SA_PASSWORD=yourStrong(!)Password
ADMIN_PASSWORD=P@ssw0rd!
ROOT_PASS=!qaz2wsx
PASSWORD_RESET_TIMEOUT=259200
PASSWORD_MIN_LENGTH=12characters
BYPASS_CACHE=v2build7
COMPASS_VERSION=v1x2y3""".split("\n")


def value(seed):
    """12 letters and digits."""
    return sk.letters(9, seed=f"password {seed}") + "7k2"


# By what somebody chose, and by what a generator made; each with the name that images use.
CHOSEN = """\
DB_PASS=hunter2Prod99
PGPASSWORD=Sommer2024!regen
POSTGRES_PASSWORD=Erdbeere7Kuchen
POSTGRESQL_PASSWORD=gr33nTurtle
POSTGRESQL_REPLICATION_PASSWORD=Kuh+im+Stall9
MYSQL_ROOT_PASSWORD=Thiru@123
MYSQL_PASSWORD=lavendel42feld
MARIADB_ROOT_PASSWORD=Tr0ub4dor&3
MONGO_INITDB_ROOT_PASSWORD=pferd#stall
RABBITMQ_DEFAULT_PASS=hasen9ruecken
REDIS_PASSWORD=84719325
KEYCLOAK_ADMIN_PASSWORD=Bahnhof-17-Nord
GF_SECURITY_ADMIN_PASSWORD=Wolke7Wolke9
ELASTIC_PASSWORD=tais1993
MINIO_ROOT_PASSWORD=fuchs&igel22
SA_PASSWORD=LabSO@2026
MSSQL_SA_PASSWORD=Winter!Igel4
ORACLE_PWD=Apfel_9_Birne
DB_PASSWORD_PROD=Erd-beere7Kuchen
DB_PASSWORD2=x9k2m4q7
SMTP_PASS=brief7marke
EMAIL_HOST_PASSWORD=Post!2Kasten
KEY_PASSPHRASE=correct-H0rse-battery
SESSION_SECRET=Kuchen7Erdbeere
JWT_SECRET=kuh7stall9heu
SECRET_KEY=Regen7Bogen9
DJANGO_SECRET_KEY=Schnee4Mann8
NEXTAUTH_SECRET=pilz3wald7
VNC_PW=Fenster8Laden
db_password=Regen7Bogen""".split("\n")
RANDOM = [f"{name}={value(name)}" for name in """\
WORDPRESS_DB_PASSWORD CLICKHOUSE_PASSWORD NEXTCLOUD_ADMIN_PASSWORD PGADMIN_DEFAULT_PASSWORD SUDO_PASSWORD LDAP_BIND_PASSWORD FTP_PASSWD
ANSIBLE_BECOME_PASS AIRFLOW_ADMIN_PASSWORD _AIRFLOW_WWW_USER_PASSWORD RESTIC_PASSWORD BORG_PASSPHRASE MQTT_PASSWORD ARTIFACTORY_PASSWORD
SSL_KEYSTORE_PASSWORD COOKIE_SECRET FLASK_SECRET_KEY WEBHOOK_SECRET PASSWORD SSHPASS""".split()]
SECRETS = CHOSEN + RANDOM


def scan_image(path, config=(), history=()):
    """[(place, variable)] of what is found, sorted by place; no value may stand in the report."""
    config, history = list(config), list(history)
    target = imagekit.write_archive(path / "image.tar", imagekit.files_docker_25(imagekit.image_of(
        [file("a", "x")], history=[imagekit.line(text) for text in history] + [imagekit.line("CMD x", empty=False)], config={"config": {"Env": config}})))
    report = scanner.scan(target, "--scanners", "secret").report
    return report, sorted(((place["path"], place["variable"]) for secret in report["secrets"] for place in secret["places"]), key=str)


def test_enough_of_them():
    assert len(NO_SECRETS) >= 60 and len(SECRETS) >= 40


def test_environment_without_secrets(tmp_path):
    """Each of them as the config's, as ENV in history, and as a line of a file."""
    for config, history in (NO_SECRETS, []), ([], [f"ENV {text}" for text in NO_SECRETS]):
        assert scan_image(tmp_path, config, history)[1] == []
    (tmp_path / "a.env").write_text("\n".join(NO_SECRETS) + "\n")
    found = json.loads(scanner.run("secret", str(tmp_path / "a.env"), "-f", "json").stdout)["secrets"]
    assert [(secret["rule"], NO_SECRETS[secret["line"] - 1]) for secret in found] == []


def test_environment_with_secrets(tmp_path):
    """All of them, by the variable's name, and their values nowhere."""
    names = [text.split("=")[0] for text in SECRETS]
    report, found = scan_image(tmp_path, SECRETS)
    assert found == sorted((("config:Env", name) for name in names), key=str)
    for text in SECRETS:
        assert text.split("=", 1)[1] not in json.dumps(report)
    found = scan_image(tmp_path, [], [f"ENV {text}" for text in SECRETS])[1]
    assert sorted(path for path, _ in found) == sorted(f"history:{number}" for number in range(len(SECRETS)))
    (tmp_path / "a.env").write_text("\n".join(SECRETS) + "\n")
    lines = [place["line"] for secret in json.loads(scanner.run("secret", str(tmp_path / "a.env"), "-f", "json").stdout)["secrets"]
             for place in secret["places"]]
    assert sorted(lines) == list(range(1, len(SECRETS) + 1))


def test_one_secret_of_config_and_history(tmp_path):
    """`ENV DB_PASS=…` stands in both: one secret, at two places."""
    report, found = scan_image(tmp_path, ["A=1", "DB_PASS=hunter2Prod99"], ["ENV A=1", "ENV DB_PASS=hunter2Prod99"])
    assert len(report["secrets"]) == 1 and report["secrets"][0]["rule"] == "generic-password-env"
    assert [path for path, _ in found] == ["config:Env", "history:1"] and report["secrets"][0]["variable"] == "DB_PASS"


# -- commands ---------------------------------------------------------------------------------------------

R, T = sk.letters(8, seed="command") + "3" + sk.letters(8, seed="line"), sk.letters(24, seed="token") + "7a9Z3"
C = "Regen7Bogen"
BASIC = base64.b64encode(f"bob:{R}".encode()).decode()
COMMANDS = f"""\
curl -u admin:{R} -O https://repo.internal.org/a.tgz
curl -sSfLu admin:x -u admin:{C} https://repo.internal.org/a.tgz
curl -uadmin:{R} https://repo.internal.org/a.tgz
curl --user "admin:{R}" https://repo.internal.org/a.tgz
curl --proxy-user=bob:{R} https://repo.internal.org/a.tgz
curl -H "Authorization: Bearer {T}" https://repo.internal.org/a.tgz
curl -H 'Authorization: token {T}' https://repo.internal.org/a.tgz
curl --header "Authorization: Basic {BASIC}" https://repo.internal.org/a.tgz
curl -H "X-Api-Key: {T}" https://repo.internal.org/a.tgz
curl --header "PRIVATE-TOKEN: {T}" https://repo.internal.org/a.tgz
wget --header="Authorization: Bearer {T}" https://repo.internal.org/a.tgz
wget --user=bob --password={C} https://repo.internal.org/a.tgz
wget --http-password='{R}' https://repo.internal.org/a.tgz
mysql -h db -uroot -p{C} app
mysql -u root -p'{R}' -e x
mysqldump --user=root --password={R} app
mariadb -p{R} app
PGPASSWORD={C} psql -h db
PGPASSWORD="{R}" pg_dump app
export PGPASSWORD={R} && psql
psql "host=db user=app password={R}"
psql postgresql://app:{R}@db.internal.org/app
docker login -u bob -p {C} registry.internal.org
docker login --username bob --password {R} registry.internal.org
echo {R} | docker login -u bob --password-stdin registry.internal.org
podman login -u bob -p={R} registry.internal.org
helm registry login -u bob -p {R} registry.internal.org
sshpass -p {C} ssh bob@a.internal.org
sshpass -p'{R}' scp a bob@a.internal.org:
SSHPASS={R} sshpass -e ssh bob@a.internal.org
redis-cli -h cache -a {C} ping
redis-cli -u redis://:{R}@cache:6379 ping
REDISCLI_AUTH={R} redis-cli ping
redis-server --requirepass {C}
az login --service-principal -u app -p {R} --tenant a
az acr login -n a -u bob -p {R}
aws configure set aws_secret_access_key {sk.letters(39, seed="aws")}7
gcloud auth login --token {T}
huggingface-cli login --token {T}
huggingface-cli login --token {sk.token("huggingface-token", 1)}
hf auth login --token {sk.token("huggingface-token", 2)}
wandb login {sk.letters(38, "0123456789abcdef", seed="wandb")}7a
oc login --token={T} https://api.internal.org
kubectl create secret generic db --from-literal=password={R}
mongosh -u root -p {R}
ldapsearch -x -D cn=admin -w {R} -b dc=org
keytool -storepass {R} -alias a
openssl rsa -in a.pem -passin pass:{C}
htpasswd -bc /etc/nginx/h admin {C}
echo 'root:{C}' | chpasswd
git clone https://bob:{R}@git.internal.org/a.git
pip install --index-url https://bob:{R}@pypi.internal.org/simple a
java -Dspring.datasource.password={R} -jar a.jar""".split("\n")
NO_COMMANDS = """\
curl -u admin: https://repo.internal.org/a.tgz
curl -u admin:PASSWORD https://repo.internal.org/a.tgz
curl -u admin:admin http://localhost:3000/api
curl -u $USER:$PASSWORD1 https://repo.internal.org/a.tgz
curl -u "${USER}:${TOKEN1}" https://repo.internal.org/a.tgz
curl -u admin:secure-admin-password-2025 http://localhost:8080
curl -H "Authorization: Bearer $TOKEN1" https://repo.internal.org/a.tgz
curl -H "Authorization: Bearer <your-token-1>" https://repo.internal.org/a.tgz
curl -H "X-Api-Key: your-api-key-goes-here-1" https://repo.internal.org/a.tgz
curl -fsSL https://deb.nodesource.com/gpgkey/nodesource-repo.gpg.key | gpg --dearmor -o /etc/apt/keyrings/nodesource.gpg
curl -LsSf -o a.tgz https://github.com/a/b/releases/download/v1.2.3/a-linux-x86_64.tgz && echo "3e2b196d6eb4ddb9e743088bfc2915ccbb42d40f  a.tgz" | sha1sum -c -
wget --password=$PASSWORD1 https://repo.internal.org/a.tgz
mysql -u root -ppassword app
mysql -u root -p$MYSQL_ROOT_PASSWORD app
mysql -uroot -proot1234 app
gcc -pthread2 -I/usr/include/mysql a.c
PGPASSWORD=postgres psql -h db
PGPASSWORD=$POSTGRES_PASSWORD2 psql
docker run -p 8080:8080 -e POSTGRES_PASSWORD=mysecretpassword postgres
docker run -p 127.0.0.1:5432:5432 postgres:15.2-alpine3
docker login -u bob -p $PASS2 registry.internal.org
docker login -u bob --password-stdin registry.internal.org
echo $DOCKER_PASSWORD2 | docker login -u bob --password-stdin
sshpass -p $PASS2 ssh bob@a.internal.org
sshpass -p toor ssh bob@a.internal.org
sshpass -p YourPaSsWoRd ssh bob@a.internal.org
redis-cli -a $REDIS_PASSWORD2 ping
az login --service-principal -u $APP -p $PASSWORD2 --tenant $T
huggingface-cli login --token $HF_TOKEN2
hf auth login --token hf_your_token_goes_here_please1
wandb login $WANDB_API_KEY2
echo 'root:root' | chpasswd
echo "root:${ROOT_PASSWORD2}" | chpasswd
useradd -m -p x -s /bin/bash -u 1000 app2user
mkdir -p /opt/app2x/data3 && cd /opt/app2x
pip install --no-cache-dir torch==2.1.2+cu121 --index-url https://download.pytorch.org/whl/cu121
apt-get install -y --no-install-recommends libpam0g=1.5.2-6+deb12u1 passwd=1:4.13+dfsg1-1+b1
kubectl create secret generic db --from-literal=password=$PASSWORD2
openssl rsa -passin pass:changeit -in a.pem
pytest -p no:cacheprovider2 --pass-through2x
set -eux; savedAptMark="$(apt-mark showmanual)"; export GNUPGHOME="$(mktemp -d)"; gpg --batch --keyserver hkps://keys.openpgp.org --recv-keys B42F6819007F00F88E364FD4036A9C25BF357DD4""".split("\n")


@pytest.mark.parametrize("form", ["RUN {} # buildkit", "RUN /bin/sh -c apt-get update && {} && rm -rf /var/lib/apt/lists/* # buildkit", "/bin/sh -c {}"])
def test_commands_in_history(tmp_path, form):
    report, found = scan_image(tmp_path, [], [form.format(text) for text in COMMANDS])
    told = {int(path.split(":")[1]) for path, _ in found}
    assert [text for number, text in enumerate(COMMANDS) if number not in told] == []
    for secret in R, T, C, BASIC:
        assert secret not in json.dumps(report)
    report, found = scan_image(tmp_path, [], [form.format(text) for text in NO_COMMANDS])
    assert [NO_COMMANDS[int(path.split(":")[1])] for path, _ in found] == []


@pytest.mark.parametrize("text", [command for command in COMMANDS if command.startswith(("curl -u admin", "mysql -h", "sshpass -p'"))])
def test_one_command_is_one_secret(tmp_path, text):
    assert len(scan_image(tmp_path, [], [f"RUN {text}"])[1]) == 1
