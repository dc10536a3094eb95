#!/usr/bin/env python3
"""Makes lines of rules/public.list: values that published packages carry, so that everyone has them.

    plimsoll rootfs ROOT --scanners secret -f json -o report.json
    rules/public.py report.json >> rules/public.list

What counts in the report is taken, so look at each first: a private package's secrets are none of these. A line
is a fingerprint (keyed: it tells nothing of the value), the rule, and the package as its registry calls it.
"""

import json
import re
import sys

PLACES = (
    (r"(?:site|dist)-packages/([^/]+)/", "PyPI {}"),
    (r".*node_modules/(@[^/]+/[^/]+|[^/@]+)/", "npm {}"),
    (r"usr/(?:local/go|share/go-[0-9.]+|lib/go-[0-9.]+)/", "Go's standard library"),
    (r"etc/apache2/", "Debian apache2"),
)


def package_of(path):
    for pattern, name in PLACES:
        match = re.search(pattern, path)
        if match:
            return name.format(*match.groups())
    raise SystemExit(f"{path}: of which package? Add its place to rules/public.py")


def main():
    known = set()
    for name in sys.argv[1:]:
        for secret in json.load(open(name))["secrets"]:
            line = f"{secret['fingerprint']} {secret['rule']} {package_of(secret['path'])}"
            if line not in known:
                known.add(line)
                print(line)


if __name__ == "__main__":
    main()
