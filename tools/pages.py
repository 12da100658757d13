#!/usr/bin/env python3
"""Makes the table of built-in files (src/doors/pages) of a folder.

    pages.py OUTPUT DEPFILE FOLDER

FOLDER has a folder for each listener (services, staff, public), and these the files, in folders that are part of the
address. Of a file that is no page the name gets the first digits of its SHA-256."""
import hashlib
import os
import pathlib
import sys

LISTENERS = {name: f"1u << OB_LISTENER_{name.upper()}" for name in ("services", "staff", "public")}
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
         ".wasm": "application/wasm", ".txt": "text/plain; charset=utf-8", ".json": "application/json"}
DIGITS = 16
LINE = 24  # bytes


def named(path, digest):
    """Where the file is, below the listener's folder."""
    return path if path.suffix == ".html" else path.with_name(f"{path.stem}.{digest[:DIGITS]}{path.suffix}")


def array(number, content):
    lines = [", ".join(map(str, content[at:at + LINE])) for at in range(0, len(content), LINE)] or ["0"]
    return f"static const unsigned char bytes_{number}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def row(number, listener, path, content):
    if path.suffix not in TYPES:
        sys.exit(f"pages.py: {path}: of which type a file {path.suffix} is, is not known")
    digest = hashlib.sha256(content).hexdigest()
    fixed = "false" if path.suffix == ".html" else "true"
    return (f'    {{{LISTENERS[listener]}, "{path}", "/{named(path, digest)}", "{TYPES[path.suffix]}", '
            f'"\\"{digest[:DIGITS]}\\"", {fixed}, bytes_{number}, {len(content)}}},\n')


def main(output, depfile, folder):
    top = pathlib.Path(folder)
    found, seen = [], [top]
    for listener in sorted(os.listdir(top)):
        if listener not in LISTENERS:
            sys.exit(f"pages.py: {top / listener}: a folder of {', '.join(LISTENERS)} is wanted")
        for at in sorted((top / listener).rglob("*")):
            seen.append(at)
            if at.is_file():
                found.append((listener, at.relative_to(top / listener), at.read_bytes()))
        seen.append(top / listener)
    text = "/* Made by tools/pages.py. */\n#include <obhut/pages.h>\n\n"
    text += "".join(array(n, content) for n, (_, _, content) in enumerate(found))
    text += "\nstatic const ob_page pages[] = {\n"
    text += "".join(row(n, *one) for n, one in enumerate(found))
    text += ("    {0}};\n\nconst ob_page *ob_page_at(size_t index)\n{\n"
             f"    return index < {len(found)} ? &pages[index] : NULL;\n}}\n")
    pathlib.Path(output).write_text(text)
    pathlib.Path(depfile).write_text(f"{output}: " + " ".join(str(at).replace(" ", "\\ ") for at in seen) + "\n")


main(*sys.argv[1:])
