#!/usr/bin/env python3
"""Writes the tables of docs/ that stand in the code: tables.py BUILD.

Each is between a comment that names the command that prints it, and an end."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ("docs/HASHING.md", "docs/DETECTORS.md")
TABLE = re.compile(r"(<!-- build/release/(tools/tables) (\w+) -->\n).*?(<!-- end -->)", re.S)


def made(build):
    """The pages as they should be, by name."""
    def table(found):
        rows = subprocess.run([pathlib.Path(build) / found[2], found[3]], check=True, stdout=subprocess.PIPE, text=True)
        return found[1] + rows.stdout + found[4]
    return {name: TABLE.sub(table, (ROOT / name).read_text()) for name in PAGES}


if __name__ == "__main__":
    for page, text in made(sys.argv[1]).items():
        (ROOT / page).write_text(text)
