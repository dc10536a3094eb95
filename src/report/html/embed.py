#!/usr/bin/env python3
"""Makes html_assets.c: style, script and controls of the HTML report as constants, with the hashes
that the report's Content-Security-Policy names (CSP level 3, 2.3.1). Arguments: the three files."""

import base64
import hashlib
import sys


def literal(text):
    out = ""
    for byte in text.encode():
        out += chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
    return f'"{out}"'


def constant(name, text):
    return f"const char {name}[] =\n" + "\n".join("    " + literal(line) for line in text.splitlines(True)) + ";\n"


def main(style, script, controls):
    lines = ["/* Made by src/report/html/embed.py from the files beside it. */", '#include "report/html_parts.h"', ""]
    for name, path, end in (("style", style, "</style"), ("script", script, "</script"), ("controls", controls, None)):
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        if "\r" in text or (end and (end in text.lower() or "<!--" in text)):
            sys.exit(f"{path}: it cannot stand in an HTML document as it is (a carriage return, {end}, or <!--)")
        lines.append(constant(f"html_{name}", text))
        if end:
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            lines.append(f'const char html_{name}_hash[] = "sha256-{digest}";\n')
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
