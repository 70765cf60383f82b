#!/usr/bin/python3
"""Writes debian/copyright, in the machine-readable format 1.0, to standard output.

    copyright.py TEMPLATE VENDOR

TEMPLATE has the paragraphs of the project and the texts of the licences. VENDOR is the folder of
`cargo vendor`: each crate gets a paragraph with the licence of its Cargo.toml, and with the lines
about copyright of its licence files, or else its authors. A crate without a licence, or with one
whose text the template does not have, is an error.
"""

import re
import sys
import tomllib
from pathlib import Path

# The names of Debian for those of SPDX.
NAMES = {"MIT": "Expat", "Apache-2.0 WITH LLVM-exception": "Apache-2.0-with-LLVM-exception"}


def licence(expression):
    """An SPDX expression, or the older form with slashes, as Debian writes it."""
    for name, debian in sorted(NAMES.items(), key=lambda pair: -len(pair[0])):
        expression = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", debian, expression)
    expression = expression.replace("/", " OR ")
    # Debian has no brackets; "and" binds less with a comma before it.
    alternatives = re.fullmatch(r"\((.+)\) AND (\S+)", expression)
    if alternatives:
        expression = f"{alternatives[1]}, and {alternatives[2]}"
    return expression.replace(" OR ", " or ").replace(" AND ", " and ")


def holders(crate, package):
    """Who has the copyright, one per line."""
    lines = []
    for file in sorted(crate.glob("*")):
        if file.is_file() and re.match(r"(?i)licen[cs]e|copying|copyright", file.name):
            for line in file.read_text(errors="replace").splitlines():
                line = line.strip()
                if re.match(r"(?i)copyright (\(c\)|©|[12]\d\d\d)", line) and "[yyyy]" not in line:
                    lines.append(re.sub(r"(?i)^copyright (\(c\)|©)?\s*", "", line))
    found = list(dict.fromkeys(lines)) or package.get("authors", [])
    return found or [f"the authors of {package['name']}"]


def main():
    template, vendor = Path(sys.argv[1]).read_text(), Path(sys.argv[2])
    texts = set(re.findall(r"^License: (\S+)\n ", template, re.MULTILINE))
    paragraphs = []
    for crate in sorted(vendor.iterdir()):
        package = tomllib.loads((crate / "Cargo.toml").read_text())["package"]
        name = licence(package["license"])
        unknown = set(re.split(r", and | or | and ", name)) - texts
        if unknown:
            sys.exit(f"{sys.argv[0]}: {crate.name}: no text of {', '.join(unknown)} in the template")
        copyright = "\n           ".join(holders(crate, package))
        paragraphs.append(f"Files: vendor/{crate.name}/*\nCopyright: {copyright}\nLicense: {name}\n")
    print(template.replace("@CRATES@\n", "\n".join(paragraphs)), end="")


main()
