#!/usr/bin/env python3
"""Compares what each module's library is linked with with the table in src/meson.build: a module may
need functions of the modules that it uses, and of those that these use; none other, and on the floors in
`CLOSED` none of the libraries that belong to doors.

    links.py OUTPUT NAME=FLOOR:USE,USE... -- LIBRARY...

Libraries are in the order of the table. OUTPUT gets a line for each module: the modules it takes
functions from. A wrong link ends with status 1 and a sentence."""
import re
import subprocess
import sys

CLOSED = dict.fromkeys(["pure", "domain"], r"(json_|MHD_|sqlite3_|PQ)\w+")
DEFINED = set("BbCcDdRrSsTtVvWw") - {"w", "v"}


def symbols(library):
    """(defined, needed) names of a static library."""
    defined, needed = set(), set()
    for line in subprocess.run(["nm", "-P", library], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        words = line.split()
        if len(words) < 2 or len(words[1]) != 1:
            continue
        (defined if words[1] in DEFINED else needed).add(words[0])
    return defined, needed - defined


def below(name, uses):
    """The modules that `name` may take functions from."""
    seen, left = set(), list(uses[name])
    while left:
        other = left.pop()
        if other not in seen:
            seen.add(other)
            left += uses[other]
    return seen


def main(output, *words):
    rows, files = words[:words.index("--")], words[words.index("--") + 1:]
    floors, uses, owner, needs = {}, {}, {}, {}
    for row, library in zip(rows, files, strict=True):
        name, floor, used = re.fullmatch(r"(\w+)=(\w+):([\w,]*)", row).groups()
        floors[name], uses[name] = floor, used.split(",") if used else []
        defined, needs[name] = symbols(library)
        owner |= dict.fromkeys(defined, name)
    wrong, lines = [], []
    for name, needed in needs.items():
        allowed = below(name, uses)
        taken = {}
        for symbol in sorted(needed):
            if symbol in owner:
                taken.setdefault(owner[symbol], symbol)
            if re.fullmatch(CLOSED.get(floors[name], "$"), symbol):
                wrong.append(f"{name} calls {symbol}, and the floor {floors[name]} does without that library")
        wrong += [f"{name} takes {symbol} from {other}, which it does not use"
                  for other, symbol in taken.items() if other not in allowed]
        lines.append(" ".join([name, *sorted(taken)]) + "\n")
    if wrong:
        sys.exit("\n".join(wrong))
    with open(output, "w") as out:
        out.writelines(lines)


main(*sys.argv[1:])
