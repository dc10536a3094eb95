"""What a run says, as Markdown."""

import collections

NAMES = {"plimsoll": "plimsoll", "kingfisher": "Kingfisher", "betterleaks": "betterleaks", "trivy": "Trivy"}
SEVERE, RULES, LISTED = ("CRITICAL", "HIGH"), 12, 40
ONE_FILE = 0.1
OTHERS_A_FILE, FASTER, AIMS = 3e-5, 4, {"text": 250, "binary": 2000}


def line_of(row):
    return (f"{row.scanner}, {row.target}: {len(row.found)} findings, {len(row.suppressed)} suppressed, "
            f"{row.taken.seconds:.1f} s, {row.taken.cpu:.1f} s of a core")


def table(head, rows):
    lines = [f"| {' | '.join(map(str, row))} |" for row in [head, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def summary(result):
    """A row for each scanner and target."""
    first = {row.target: row.taken.seconds for row in result["rows"] if row.scanner == "plimsoll"}
    rows = []
    for row in result["rows"]:
        severe = sum(found.severity in SEVERE for found in row.found)
        taken, gigabytes = row.taken, result["bytes"] / 1e9
        slower = f"{taken.seconds / first[row.target]:.1f}×" if row.target in first else "—"
        rows.append([NAMES[row.scanner], row.target, len(row.found), "—" if row.distinct is None else row.distinct,
                     severe if row.scanner in ("plimsoll", "trivy") else "—", len(row.suppressed) or "—",
                     f"{taken.seconds:.1f} s", f"{taken.seconds / gigabytes:.2f} s",
                     f"{taken.cpu:.1f} s", slower])
    return table(["scanner", "as", "findings", "distinct values", "HIGH or CRITICAL", "suppressed", "time",
                  "for each GB", "of a core", "÷ plimsoll"], rows)


def by_rule(result):
    """Findings of folders by rule, the most frequent of each scanner."""
    rows = []
    for row in result["rows"]:
        if row.target != "folder":
            continue
        counted = collections.Counter((found.rule, found.severity) for found in row.found).most_common()
        rows += [[NAMES[row.scanner], f"`{rule}`", severity, number] for (rule, severity), number in counted[:RULES]]
        if len(counted) > RULES:
            rest = sum(number for _, number in counted[RULES:])
            rows.append([NAMES[row.scanner], f"{len(counted) - RULES} more", "", rest])
    return table(["scanner", "rule", "severity (or how sure)", "findings"], rows) if rows else None


def places(result):
    """Where plimsoll's findings are, if few enough: each is to be explained."""
    found = [one for row in result["rows"] if row.scanner == "plimsoll" and row.target == "folder" for one in row.found]
    if not 0 < len(found) <= LISTED:
        return None
    where = sorted((f"`{one.path}`" + (f":{one.line}" if one.line else ""), f"`{one.rule}`", one.severity) for one in found)
    return table(["what plimsoll finds", "rule", "severity"], where)


def by_reason(result):
    counted = collections.Counter((found.reason, found.rule) for row in result["rows"] if row.target == "folder"
                                  for found in row.suppressed)
    reasons = collections.Counter()
    for (reason, _), number in counted.items():
        reasons[reason] += number
    rows = []
    for reason, number in reasons.most_common():
        rules = [f"`{rule}` {some}" for (why, rule), some in counted.most_common() if why == reason]
        rows.append([reason, number, ", ".join(rules[:6]) + (f" and {len(rules) - 6} more rules" if len(rules) > 6 else "")])
    return table(["suppressed because", "findings", "of these rules"], rows)


def by_kind(told):
    rows = []
    for kind, one in told.items():
        for scanner, cpu in one["cpu"].items():
            rows.append([kind, f"{one['files']:,}", f"{one['bytes'] / 1e6:,.0f} MB", NAMES[scanner], f"{cpu:.1f} s",
                         f"{one['bytes'] / 1e6 / cpu:,.0f} MB"])
    return table(["files", "number", "size", "scanner", "of a core", "a core-second"], rows)


def missed(result):
    """What the project promises of these figures, and this run does not keep."""
    rows = {(row.scanner, row.target): row for row in result["rows"]}
    own, peer = rows.get(("plimsoll", "folder")), rows.get(("kingfisher", "folder"))
    if own:
        severe = sum(found.severity in SEVERE for found in own.found)
        if severe:
            yield f"{severe} findings of HIGH or CRITICAL"
        if len(own.found) - severe > OTHERS_A_FILE * result["files"]:
            yield f"{len(own.found) - severe} findings of other severities, more than 3 in 100,000 files"
    if own and peer:
        if len(own.found) >= len(peer.found):
            yield f"{len(own.found)} findings, Kingfisher has {len(peer.found)}"
        if peer.taken.seconds < FASTER * own.taken.seconds:
            yield f"only {peer.taken.seconds / own.taken.seconds:.1f} times as fast as Kingfisher"
    if "one file" in result and result["one file"]["seconds"] > ONE_FILE:
        yield f"{result['one file']['path']} takes {result['one file']['seconds']:.2f} s"
    for kind, one in result.get("split", {}).items():
        speed = one["bytes"] / 1e6 / one["cpu"]["plimsoll"] if "plimsoll" in one["cpu"] else AIMS[kind]
        if speed < AIMS[kind]:
            yield f"{kind}: {speed:.0f} MB a core-second, not {AIMS[kind]}"


def report(result):
    versions = ", ".join(f"{NAMES[name]} {version}" for name, version in result["versions"].items())
    parts = [f"{result['date']}: {result['files']:,} files, {result['bytes'] / 1e9:.2f} GB; {versions}.", summary(result),
             by_rule(result), places(result)]
    if any(row.suppressed for row in result["rows"]):
        parts.append(by_reason(result))
    errors = [error for row in result["rows"] if row.target == "folder" for error in row.errors]
    if errors:
        parts.append("\n".join(["What plimsoll says it could not look through:", "", *(f"- {error}" for error in errors)]))
    if "one file" in result:
        one = result["one file"]
        parts.append(f"`{one['path']}` of bokeh alone, {one['kilobytes']:.0f} KB: {one['seconds']:.2f} s.")
    if "split" in result:
        parts.append(by_kind(result["split"]))
    return "\n\n".join(part for part in parts if part)
