"""
Tokens in the shapes that services and other tools publish, and keys that nothing but the service's name gives away.
The tables hold shapes, as the rules' examples do (rules/README.md): the values are made when the test runs.
"""

import json
import re

import pytest

import scanner
import secretkit

CLASSES = {
    "lower": secretkit.LETTERS[26:], "upper": secretkit.LETTERS[:26], "digit": "0123456789",
    "hex": "0123456789abcdef", "HEX": "0123456789ABCDEF", "anyhex": "0123456789abcdefABCDEF",
    "alnum": secretkit.BASE62, "lowernum": "0123456789" + secretkit.LETTERS[26:], "uppernum": secretkit.BASE62[:36],
    "b64": secretkit.BASE62 + "+/", "b64url": secretkit.BASE62 + "-_",
}


def expanded(shape, seed):
    """The shape with its random parts made."""
    counter = iter(range(100))

    def part(match):
        letters = CLASSES[match[1]]
        return secretkit.letters(int(match[2]), letters, f"{seed} {next(counter)}")
    return re.sub(r"\{(\w+):([0-9]+)\}", part, shape)


# Every one has a beginning that tells whose it is.
TOKENS = """
AIK_CI_{alnum:20}7
AIK_CI_{alnum:43}7
$aact_prod_{alnum:20}-{alnum:20}7
$aact_hmlg_{alnum:20}_{alnum:20}7
apify_api_{alnum:37}7
BBDC-{alnum:31}7
BBDC-{b64:60}7
bkua_{lowernum:39}7
bkua_{lowernum:52}7
CCIPAT_{alnum:22}_{lowernum:40}
CLOJARS_{lowernum:59}7
cfat_{alnum:40}{hex:8}
cfut_{alnum:40}{hex:8}
cfk_{alnum:40}{hex:8}
csa_{hex:30}{alnum:5}7
AstraCS:{alnum:24}7
AstraCS:{alnum:24}7:{hex:64}
sk-{hex:31}7
sk-{anyhex:31}7
sk-{alnum:47}7
dnkey-{lowernum:26}-{lowernum:52}
dvc_client_{alnum:19}7
dvc_mobile_{alnum:23}7
dvc_server_{alnum:31}7
SWMTKN-1-{lowernum:60}-{lowernum:24}
SWMTKN-1-{lowernum:50}-{lowernum:30}
SWMKEY-1-{b64:45}7
duffel_live_{alnum:42}7
duffel_test_{alnum:42}7
dt0c01.{lowernum:24}.{lowernum:64}
endr+{alnum:15}7
essu_{b64url:69}7
fio-u-{b64url:63}7
FLWSECK_TEST-{hex:11}7
AQ.Ab8RN6{alnum:43}7
incoming+acme-app-1234567-{lowernum:24}7-issue@incoming.gitlab.com
_gitlab_session={hex:31}7
glc_{alnum:49}7
eyJrIjoi{alnum:41}7
HRKU-{b64url:59}7
s-s4t2af-{hex:64}
s-s4t2ud-{HEX:64}
lsv2_pt_{anyhex:32}_{anyhex:10}
lsv2_sk_{HEX:32}_{hex:10}
lip_{alnum:15}7
lip_{alnum:49}7
llx-{alnum:43}7
llx-{alnum:51}7
mlsn.{alnum:39}7
mercury_production_{lower:6}_{alnum:44}7_yrucrem
eyJtaXJv{alnum:30}_{alnum:39}7
napi_{alnum:63}7
nyk_{alnum:66}7
API-{uppernum:25}7
api_live.{alnum:39}7
api_live_ca.{alnum:24}_{alnum:20}7
api_live_us.{alnum:59}7
persona_production_{lowernum:20}-{lowernum:20}7
persona_sandbox_{lowernum:35}7
polar_at_u_{alnum:39}7
polar_oat_{alnum:49}7
phx_{alnum:22}-{alnum:22}7
access-sandbox-{hex:8}-{hex:4}-4{hex:3}-a{hex:3}-{hex:12}
PMAK-{HEX:24}-{HEX:34}
PMAT-{alnum:25}7
rpa_{alnum:29}7
samsara_api_{alnum:25}7
samsara_api_{alnum:31}7
xkeysib-{anyhex:64}-{alnum:16}
shippo_live_{anyhex:40}
shippo_test_{anyhex:40}
xapp-3-{uppernum:25}-{digit:13}-{lowernum:64}
xapp-12-{alnum:11}-{digit:13}-{anyhex:64}
xoxb-{digit:12}-{digit:12}-{alnum:39}a
xoxc-{digit:15}-{digit:15}-{digit:15}-{hex:64}
xoxd-{alnum:60}_{alnum:60}7
sgp_{HEX:40}
sgp_{anyhex:16}_{anyhex:40}
sgp_local_{anyhex:40}
sq0atp-{alnum:40}7
sk_live_{alnum:17}7
rk_prod_{alnum:40}7
sk_prod_{alnum:27}7
rk_test_{alnum:60}7
sbp_{lowernum:39}7
tskey-api-{alnum:15}_{alnum:15}7
{alnum:14}.atlasv1.{b64url:61}7
ucat_{alnum:23}7
ucat_{alnum:31}7
unkey_{alnum:31}7
vck_{alnum:30}_{alnum:24}7
vcp_{alnum:30}-{alnum:24}7
vca_{alnum:30}_{alnum:24}7
vcr_{alnum:30}-{alnum:24}7
vci_{alnum:30}_{alnum:24}7
vtwn_{alnum:20}-{alnum:20}7
waka_{lowernum:39}7
xai-{alnum:40}_{alnum:40}7
sk-or-v1-{alnum:39}7
sk-or-v2-{alnum:59}7
Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey={b64:56}7
Endpoint=https://acme.azconfig.io;Id=abcd;Secret={b64:60}7
thunderstore: tss_{alnum:39}7
proof: prf_cli_{alnum:39}7
facebook: {digit:16}|{alnum:33}7
""".split("\n")[1:-1]

# Nothing but the name tells whose the value is: as people write it in settings, in YAML and in JSON.
NAMES = """
abuseipdb hex:79
adafruit lowernum:31
airtable alnum:31
asana lowernum:31
assemblyai lowernum:31
auth0_client alnum:63
bitbucket lowernum:63
bitrise alnum:59
bittrex lowernum:31
box lowernum:31
browserstack alnum:19
circleci hex:39
civo lowernum:49
cloudflare alnum:39
codecov hex:35
coinbase lowernum:63
contentful lowernum:42
coveralls alnum:36
datadog lowernum:31
discord lowernum:31
droneci lowernum:31
exoscale alnum:42
facebook hex:31
fastly alnum:31
finnhub lowernum:19
flickr lowernum:31
freshbooks lowernum:63
gitter alnum:39
greptile b64:47
heroku alnum:39
honeycomb hex:31
hubspot alnum:35
hunter hex:39
ibm alnum:42
intercom alnum:59
jumpcloud lowernum:39
klaviyo lowernum:33
kraken b64:79
kucoin hex:23
launchdarkly alnum:39
lighton alnum:49
looker lowernum:23
mattermost lowernum:25
miro lowernum:31
mistral alnum:31
netlify alnum:42
nytimes alnum:31
okta alnum:41
openweather lowernum:31
paypal alnum:79
pinecone alnum:31
plivo alnum:39
polymarket alnum:63
razorpay alnum:23
scaleway alnum:35
sendbird hex:39
sentry hex:63
squarespace alnum:35
sumologic lowernum:63
telnyx alnum:54
travis lowernum:21
twitter alnum:44
upstage alnum:39
vercel alnum:23
virustotal hex:63
vultr uppernum:35
wandb hex:39
weatherstack lowernum:31
wiz alnum:63
yandex alnum:39
zendesk lowernum:39
zoho hex:41
""".split("\n")[1:-1]


def camel(name):
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)


def forms(name, value):
    yield f"{name.upper()}_API_KEY={value}"
    yield f'{name}_token: "{value}"'
    yield f'"{camel(name)}Secret": "{value}"'


def missed(folder, texts):
    """Those of the texts in which nothing is found, each in a file of its own."""
    for number, (_, text) in enumerate(texts):
        (folder / f"{number}.txt").write_text(f"first line\n{text}\nlast line\n")
    result = scanner.run("secret", "-f", "json", str(folder))
    assert result.code in (0, 1), result
    paths = {place["path"].rpartition("/")[2] for secret in json.loads(result.stdout)["secrets"] for place in secret["places"]}
    return [name for number, (name, _) in enumerate(texts) if f"{number}.txt" not in paths]


@pytest.mark.parametrize("seed", (1, 2))
def test_tokens_in_published_shapes(tmp_path, seed):
    assert len(TOKENS) >= 100
    assert missed(tmp_path, [(shape, expanded(shape, f"{shape} {seed}")) for shape in TOKENS]) == []


def test_keys_beside_the_name_of_their_service(tmp_path):
    texts = []
    for line in NAMES:
        name, shape = line.split()
        value = expanded(f"{{{shape}}}7", name)
        texts += [(f"{name}: {number}", text) for number, text in enumerate(forms(name, value))]
    assert len(texts) >= 200
    assert missed(tmp_path, texts) == []


@pytest.mark.parametrize("text", [
    "MUX_TOKEN_ID={alnum:31}7", "UPSTASH_TOKEN_NAME={alnum:31}7", "RAZORPAY_KEY_ID={alnum:23}7",
    'mailgun_public_key = "{alnum:31}7"', "ALGOLIA_SEARCH_KEY={lowernum:31}7", 'bounding_box_token = "{alnum:31}7"',
    "DATADOG_API_KEY_FILE=/run/secrets/datadog_api_key", 'plaid_token = "the-token-of-the-account-2024"',
    'sk_live_yourkeygoeshere1', "api_live.method_of_the_object_that_has_20_letters", "glc_set_the_state_of_buffer_2",
])
def test_identifiers_and_words_are_not_found(tmp_path, text):
    assert missed(tmp_path, [(text, expanded(text, text))]) == [text]
