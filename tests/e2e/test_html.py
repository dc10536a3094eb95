"""The HTML report: valid, the same twice, harmless whatever an image holds, and of use in a browser."""

import base64
import hashlib
import json
import re
import time
import zipfile

import html5lib
import pytest

import advisories
import browserkit
import evidence as ev
import imagekit
import scanner
import secretkit
from tarkit import file

EVIL = ["<script>window.broken=1</script>", "</script><script>window.broken=1</script>", "</title><img src=x onerror=window.broken=1>",
        "\"><svg onload=window.broken=1>", "'quoted' & \"twice\"", "{{constructor.constructor('window.broken=1')()}}", "${window.broken=1}",
        "<!--<script>", "]]>", "\u2028\u2029", "\u202egnp.exe", "\x1b[31mred", "\ufffe\ufdd0", "javascript:window.broken=1"]
MANY = 50_000
NAME = "{http://www.w3.org/1999/xhtml}"


def archive(path, *layers, **more):
    return imagekit.write_archive(path, imagekit.files_docker_old(imagekit.image_of(*layers, **more)))


def report(image, store, *args, code=0):
    result = scanner.run("image", "--input", image, "--db", store, "-f", "html", *args)
    assert result.code == code, result
    result.out.decode()  # UTF-8, whatever came in
    return result


def parse(result):
    """The document as a tree; a parse error is a failure."""
    return html5lib.HTMLParser(strict=True).parse(result.stdout)


def words(node):
    return " ".join("".join(node.itertext()).split())


def by_id(document, ident):
    return next((node for node in document.iter() if node.get("id") == ident), None)


def rows(document, ident):
    """[[text of a cell]] of the body of that table."""
    table = by_id(document, ident)
    return [[words(cell) for cell in row] for row in table.find(NAME + "tbody")]


def data_of(document):
    return json.loads("".join(by_id(document, "data").itertext()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("html")


@pytest.fixture(scope="module")
def facts_store(make_store, folder):
    """The store of all tests with EPSS and KEV."""
    (folder / "epss.csv").write_text("#model_version:v2025.03.14,score_date:2026-11-25T00:00:00+0000\ncve,epss,percentile\n"
                                     "CVE-2024-0001,0.97562,0.99981\nCVE-2024-0002,0.00043,0.10000\n")
    (folder / "kev.json").write_text(json.dumps({
        "title": "CISA Catalog of Known Exploited Vulnerabilities", "catalogVersion": "2026.11.25",
        "dateReleased": "2026-11-25T00:00:00.0000Z", "count": 1,
        "vulnerabilities": [{"cveID": "CVE-2024-0002", "vendorProject": "v", "product": "p", "vulnerabilityName": "n",
                             "dateAdded": "2026-01-02", "shortDescription": "s", "requiredAction": "a", "dueDate": "2026-02-02",
                             "knownRansomwareCampaignUse": "Unknown", "notes": "", "cwes": []}]}))
    return make_store(advisories.STANDARD, folder / "epss.csv", folder / "kev.json")


@pytest.fixture(scope="module")
def small(folder):
    """Findings in the base and in own layers, and a secret."""
    base = [*ev.base(), *ev.dist_info("crit-fixed", "1.0"), *ev.dist_info("medium-unfixed", "1.0")]
    own = [*ev.dist_info("high-fixed", "1.0"), *ev.dist_info("low-fixed", "1.0"),
           file("app/.env", f"TOKEN={secretkit.token('github-personal-token')}\n")]
    archive(folder / "base.tar", base, history=[imagekit.nop("ADD file:abc in /", empty=False)])
    return archive(folder / "small.tar", base, own, history=[imagekit.nop("ADD file:abc in /", empty=False),
                                                             imagekit.run("pip install high-fixed low-fixed")])


@pytest.fixture(scope="module")
def small_args(folder):
    return ["--base-image", folder / "base.tar"]


def evil_layers():
    """Names, versions, instructions and paths that each try to be more than text."""
    packages = [(f"Evil {n} {text}", f"1.{n}+{text}") for n, text in enumerate(EVIL)]
    deb = [ev.deb("x" + "".join(text.split()), "1.0", more=f"Origin: {text}\n".replace("\x1b", "")) for text in EVIL]
    raw = ev.metadata("bytes", "1").encode().replace(b"bytes", b"inva\xff\xfelid\xc3")
    layers = [[ev.os_release(ev.DEBIAN.replace("Debian GNU/Linux 12", "<b>Debian</b> &amp;")), ev.dpkg(*deb)]]
    layers += [[file(f"{ev.SITE}/p{n}.dist-info/METADATA", ev.metadata(name, version)),
                file(f"srv/{n}-{text.replace('/', '_')}/.env", f"KEY={secretkit.token('github-personal-token', n)}\n")]
               for n, ((name, version), text) in enumerate(zip(packages, EVIL))]
    layers.append([file(f"{ev.SITE}/raw.dist-info/METADATA", raw)])
    return layers, [imagekit.line(f"RUN echo {text}\n{text}", empty=False) for text in [*EVIL, *EVIL][:len(layers)]]


@pytest.fixture(scope="module")
def evil(folder, make_store):
    """A report of an image full of markup, with a finding for most of it."""
    layers, history = evil_layers()
    image = archive(folder / "evil.tar", *layers, history=history, tags=("<script>:1",))
    names = {c["name"] for c in scanner.scan(image).report["components"]}
    records = [advisories.advisory(f"X-{n}-{text[:40]}".replace("/", "|"), "PyPI" if n % 2 else "Debian:12", name, text, "HIGH")
               for n, (name, text) in enumerate((name, text) for name in sorted(names) for text in EVIL[:3])]
    feed = folder / "evil.zip"
    with zipfile.ZipFile(feed, "w") as packed:
        for n, record in enumerate(records):
            packed.writestr(f"{n}.json", json.dumps(record))
    store = make_store(None, feed)
    result = report(image, store, "--severity", "high,critical")
    (folder / "evil.html").write_bytes(result.out)
    return result


@pytest.fixture(scope="module")
def many(folder, make_store):
    """(store, image) of 50,000 findings in 100 packages; every 11th is CRITICAL."""
    feed = folder / "many.zip"
    with zipfile.ZipFile(feed, "w") as packed:
        for n in range(MANY):
            record = advisories.pypi(f"CVE-2024-{n:06}", f"pkg-{n % 100}", f"2.{n % 40}" if n % 3 else None,
                                     "LOW" if n % 11 else "CRITICAL")
            packed.writestr(f"{n}.json", json.dumps(record))
    image = archive(folder / "many.tar", ev.base(), [entry for n in range(100) for entry in ev.dist_info(f"pkg-{n}", "1.0")])
    return make_store(None, feed), image


# -- without a browser ---------------------------------------------------------------------------


def test_what_it_says(small, small_args, facts_store):
    """Verdict, image, findings, secrets and layers, as the JSON report has them."""
    gate = ["--fail-on", "high", "--severity", "critical,high,medium"]
    plain = scanner.scan(small, *small_args, *gate, db=facts_store).report
    document = parse(report(small, facts_store, *small_args, *gate, code=1))
    assert words(by_id(document, "verdict")) == "May not leave port"
    text = words(document)
    for reason in plain["verdict"]["reasons"]:
        assert reason in text
    for key in ("name", "digest", "platform"):
        assert plain["image"][key] in text, key
    assert "Debian GNU/Linux 12 (bookworm)" in text
    order = ["CRITICAL", "HIGH", "MEDIUM"]
    shown = rows(document, "findings-table")
    assert [row[0].split()[0] for row in shown] == sorted((f["severity"] for f in plain["findings"]), key=order.index)
    for finding in plain["findings"]:
        row = next(row for row in shown if row[1].startswith(finding["id"]))
        assert row[2] == f"{finding['name']} pypi" and row[3] == finding["installed"] and row[5] == finding["status"]
        assert row[4] == (", ".join(finding["fixed"]) or "no fix")
        assert row[6] == ("–" if finding["epss"] is None else f"{finding['epss'] * 100:.2f} %")
        assert row[7] == ("yes (KEV)" if finding["kev"] else "–")
        assert row[8].startswith(f"{finding['layer']} ") and finding["instruction"][:40] in row[8]
        assert row[9] == {True: "base image", False: "own layers", None: "not known"}[finding["base"]]
    assert {row[9] for row in shown} == {"base image", "own layers"} and any(row[7] != "–" for row in shown)
    [secret], [found] = rows(document, "secrets-table"), plain["secrets"]
    assert found["match"] in secret and f"{found['path']}:{found['line']}:{found['column']}" in secret
    assert secretkit.token("github-personal-token") not in text
    assert [row[4].split()[0] for row in rows(document, "layers-table")] == ["2", "1"]
    [suppressed] = rows(document, "suppressed-table")
    assert suppressed[1] == "CVE-2024-0004" and suppressed[4] == plain["suppressed"][0]["reason"]


def test_links_lead_out_safely(small, facts_store):
    document = parse(report(small, facts_store))
    out = [node for node in document.iter(NAME + "a") if not node.get("href").startswith("#")]
    assert len(out) == 4
    for link in out:
        assert link.get("href").startswith("https://") and set(link.get("rel").split()) == {"noopener", "noreferrer"}


def test_accessible_tables(small, facts_store):
    """Each table has a caption; each head and each row's name say what they head."""
    document = parse(report(small, facts_store))
    tables = list(document.iter(NAME + "table"))
    assert len(tables) == 5
    for table in tables:
        assert words(table.find(NAME + "caption"))
        for head in table.iter(NAME + "th"):
            assert head.get("scope") in ("row", "col")
    idents = [node.get("id") for node in document.iter() if node.get("id")]
    assert len(idents) == len(set(idents))
    for label in document.iter(NAME + "label"):
        assert label.get("for") in idents or label.find(NAME + "input") is not None


def test_policy_names_what_is_there(small, facts_store):
    """The page may do nothing but what its own style and script do, by their hashes."""
    result = report(small, facts_store)
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', result.stdout)[1]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    assert "unsafe" not in policy and "http:" not in policy and "https:" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", result.stdout, re.S)
        assert allowed[directive] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert not re.search(r"<[^>]* (?:style|on\w+)=", result.stdout.split("<script>")[0])


def test_the_same_twice(small, facts_store):
    env = {"SOURCE_DATE_EPOCH": "1700000000"}
    args = ("image", "--input", small, "--db", facts_store, "-f", "html")
    first, second = scanner.run(*args, env=env), scanner.run(*args, env=env)
    assert first.out == second.out and b"2023-11-14" in first.out


def test_empty(folder, facts_store):
    document = parse(report(archive(folder / "empty.tar", ev.base()), facts_store))
    assert words(by_id(document, "verdict")) == "May leave port"
    assert by_id(document, "findings-table") is None and by_id(document, "data") is None
    assert "No findings." in words(document) and "No secrets." in words(document)


def test_not_complete(folder, facts_store):
    """What cannot be read is said at the top, and does not pass."""
    files = imagekit.files_docker_old(imagekit.image_of(ev.base(), ev.dist_info("high-fixed", "1.0"), compression="gzip"))
    last = [name for name in files if name.endswith("layer.tar")][-1]
    files[last] = files[last][:100]
    document = parse(report(imagekit.write_archive(folder / "broken.tar", files), facts_store, code=3))
    assert words(by_id(document, "verdict")) == "May not leave port"
    assert by_id(document, "errors") is not None and "not complete" in words(document)


def test_not_judged(folder, facts_store):
    layer = [ev.os_release(ev.UBUNTU), ev.dpkg(ev.deb("curl", "1"), ev.deb("bash", "2"))]
    document = parse(report(archive(folder / "ubuntu.tar", layer), facts_store))
    assert by_id(document, "unjudged") is not None and "2 components" in words(document)
    assert any(link.get("href") == "#unjudged" for link in document.iter(NAME + "a")), "said at the top"
    assert "No findings." not in words(document)


@pytest.mark.parametrize("date, past", [("2016-01-01", True), ("2999-01-01", False)])
def test_end_of_life(tmp_path, make_store, date, past):
    (tmp_path / "eol.json").write_text(json.dumps({"debian": {"category": "os", "identifiers": [], "releases": [
        {"releaseCycle": "12", "eol": date, "codename": "x"}]}}))
    store = make_store(advisories.STANDARD, tmp_path / "eol.json")
    text = words(parse(report(archive(tmp_path / "image.tar", ev.base()), store)))
    assert f"End of life {date}" in text.replace("life2", "life 2")
    assert ("which has passed" in text) == ("reached its end of life" in text) == past


def test_only_secrets(small, facts_store):
    document = parse(report(small, facts_store, "--scanners", "secret"))
    assert "Vulnerabilities were not looked for" in words(document) and len(rows(document, "secrets-table")) == 1


def test_rootfs(tmp_path, facts_store):
    """A folder has no layers to speak of."""
    place = tmp_path / "root" / ev.SITE / "high_fixed-1.0.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(ev.metadata("high-fixed", "1.0"))
    result = scanner.run("rootfs", tmp_path / "root", "--db", facts_store, "-f", "html")
    assert result.code == 0, result
    document = parse(result)
    assert len(rows(document, "findings-table")[0]) == 8 and by_id(document, "layers-table") is None


def test_markup_stays_text(evil):
    """No element, attribute or comment comes from the image, and nothing that is invisible."""
    document = parse(evil)
    assert len(rows(document, "findings-table")) > 30 and len(rows(document, "secrets-table")) > 10
    names = {node.tag for node in document.iter() if isinstance(node.tag, str)}
    assert NAME + "img" not in names and NAME + "b" not in names
    assert len(list(document.iter(NAME + "script"))) == 2
    assert not re.search("[\u2028\u2029\u202e\x1b\x00\ufffe\ufdd0]", evil.stdout)
    text = words(document)
    for part in ("<script>window.broken=1</script>", "{{constructor", "\\u202e", "\\x1b", "'quoted' & \"twice\""):
        assert part in text, part


def test_data_is_harmless(evil):
    """In the block of data nothing can end it, and it says the same as the rows."""
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', evil.stdout, re.S)[1]
    assert not re.search("[<>&\u2028\u2029]", block)
    document = parse(evil)
    data = data_of(document)
    for finding, row in zip(data["findings"], rows(document, "findings-table"), strict=True):
        assert row[1].startswith(" ".join(finding[2].split())) and row[2].startswith(" ".join(data["packages"][finding[5]][0].split()))


def test_fifty_thousand(many):
    """Written in time (as long as the JSON report takes, and a second), all in the data, 1,000 as HTML."""
    store, image = many
    start = time.monotonic()
    result = report(image, store)
    assert time.monotonic() - start < (60 if scanner.sanitized() else 15)
    assert len(result.out) < 10_000_000
    shown = re.findall(r"<tr><td data-label=\"Severity\">", result.stdout)
    data = json.loads(re.search(r'id="data">(.*?)</script>', result.stdout, re.S)[1])
    assert len(shown) == 1000 and len(data["findings"]) == MANY
    assert "The 1,000 most severe are listed here" in result.stdout


# -- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    if not browserkit.binary():
        pytest.skip("no chromium on the PATH: the HTML report was not opened in a browser")
    started = browserkit.Browser()
    yield started
    started.close()


@pytest.fixture
def opened(browser, folder):
    """opened(result or path, …) is the page; when the test is over it must have been quiet."""
    pages = []

    def open_it(result, **how):
        path = folder / f"page{len(pages)}.html"
        path.write_bytes(result.out)
        pages.append(browser.open(path, **how))
        return pages[-1]
    yield open_it
    for page in pages:
        noise = page.happened("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Audits.issueAdded",
                              "Page.javascriptDialogOpening")
        assert not noise, noise
        assert page.run("typeof window.broken") == "undefined"
        asked = [event["request"]["url"] for event in page.happened("Network.requestWillBeSent")]
        assert len(asked) == 1 and asked[0].startswith("file:"), f"it asked for more than itself: {asked}"
        page.close()


SHOWN = "document.getElementById('shown').textContent"
IDS = "[...document.querySelectorAll('#findings-table tbody th a')].map(a => a.textContent)"
DONE = "new Promise(resolve => setTimeout(resolve, 200))"  # longer than the search waits for the next key


def change(page, ident, value):
    kind = "checked" if isinstance(value, bool) else "value"
    page.run(f"(() => {{ const it = document.getElementById('{ident}'); it.{kind} = {json.dumps(value)};"
             f" it.dispatchEvent(new Event('input', {{bubbles: true}})); it.dispatchEvent(new Event('change', {{bubbles: true}})); }})()")
    page.run(DONE)


def test_rows_of_script_and_of_program(opened, small, small_args, facts_store, evil):
    """The script makes the same rows as the program wrote."""
    body = "document.querySelector('#findings-table tbody').innerHTML.replace(/\\n/g, '')"
    for result in (report(small, facts_store, *small_args), evil):
        plain, made = opened(result, script=False), opened(result)
        assert plain.run("document.getElementById('controls').hidden") is True
        assert made.run("document.getElementById('controls').hidden") is False
        theirs, ours = (re.findall(r"<tr>.*?</tr>", page.run(body)) for page in (plain, made))
        assert ours == theirs[:250] and ours


def test_hostile_names_do_nothing(opened, evil):
    page = opened(evil)
    for word in EVIL[:4]:
        change(page, "search", word)
        assert "finding" in page.run(SHOWN)
    assert page.run("document.scripts.length") == 1 and page.run("document.images.length") == 0


def test_filters(opened, small, small_args, facts_store):
    page = opened(report(small, facts_store, *small_args))
    assert page.run(SHOWN) == "4 findings"
    for ident, value, back, ids in (
            ("search", "HIGH-fixed 0002", "", ["CVE-2024-0002"]), ("search", "ghsa-aaaa", "", ["CVE-2024-0001"]),
            ("search", "nothing such", "", []), ("fixable", True, False, ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0004"]),
            ("exploited", True, False, ["CVE-2024-0002"]), ("origin", "base image", "", ["CVE-2024-0001", "CVE-2024-0013"]),
            ("type", "pypi", "", ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0013", "CVE-2024-0004"])):
        change(page, ident, value)
        assert page.run(IDS) == ids, (ident, value)
        assert page.run(SHOWN) == {0: "No finding matches. There are 4.", 4: "4 findings"}.get(len(ids), f"{len(ids)} of 4 findings")
        change(page, ident, back)
    page.run("document.querySelector('#severities input').click()")
    page.run(DONE)
    assert page.run(IDS) == ["CVE-2024-0002", "CVE-2024-0013", "CVE-2024-0004"]
    page.run("document.querySelector('#controls button').click()")
    page.run(DONE)
    assert page.run(SHOWN) == "4 findings"


def test_by_keyboard(opened, small, facts_store):
    """The skip link is first; search and a column's head are reached and used with keys alone."""
    page = opened(report(small, facts_store))
    focus = "document.activeElement.id || document.activeElement.textContent"
    page.press("Tab")
    assert page.run(focus) == "Skip to the findings"
    page.press("Enter")
    page.press("Tab")
    assert page.run(focus) == "search"
    page.type("-fixed")
    page.run(DONE)
    assert page.run(SHOWN) == "3 of 4 findings" and page.run("document.getElementById('shown').getAttribute('role')") == "status"
    for _ in range(20):
        page.press("Tab")
        if page.run(focus) == "Vulnerability":
            break
    sort = "document.activeElement.parentElement.getAttribute('aria-sort')"
    for direction, first in (("ascending", "CVE-2024-0001"), ("descending", "CVE-2024-0004")):
        page.press("Enter")
        assert page.run(sort) == direction and page.run(IDS)[0] == first
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.run("document.querySelectorAll('[aria-sort]').length") == 1


def test_many_are_usable(opened, many):
    store, image = many
    page = opened(report(image, store))
    assert page.run(SHOWN) == "50,000 findings, page 1 of 200" and page.run("document.getElementById('cut')") is None
    change(page, "search", "pkg-7 ")
    wanted = sum("pkg-7" in f"pkg-{n % 100}" for n in range(MANY))
    assert page.run(SHOWN) == f"{wanted:,} of 50,000 findings, page 1 of {wanted // 250}"
    change(page, "search", "pypi cve-2024-01234")
    assert page.run(SHOWN) == "10 of 50,000 findings"
    change(page, "search", "")
    change(page, "fixable", True)
    assert page.run(SHOWN).startswith(f"{sum(n % 3 != 0 for n in range(MANY)):,} of")
    change(page, "fixable", False)
    page.run("document.querySelectorAll('#findings-table thead button')[1].click()")
    assert page.run(IDS)[0] == "CVE-2024-000000" and len(page.run(IDS)) == 250
    page.run("document.querySelectorAll('#pager button')[3].click()")
    assert page.run(IDS)[-1] == "CVE-2024-049999" and page.run(SHOWN) == "50,000 findings, page 200 of 200"


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_fits_and_has_colours(opened, small, facts_store, width, dark):
    page = opened(report(small, facts_store), width=width, dark=dark)
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    light = sum(map(int, re.findall(r"\d+", page.run("getComputedStyle(document.body).backgroundColor"))[:3])) > 400
    assert light != dark


def test_print(opened, small, facts_store):
    """On paper: no controls, light, what is folded is open; afterwards all as before."""
    page = opened(report(small, facts_store, "--severity", "critical,high"), dark=True)
    folded = "document.querySelector('details').open"
    assert page.run(folded) is False
    page.media("print", dark=True)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert page.run(folded) is True
    assert page.run("getComputedStyle(document.getElementById('controls')).display") == "none"
    assert page.run("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()") == "#17222d"
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(folded) is False
