#!/usr/bin/env python3
"""Verifies a copy of an audit log of Obhut with nothing of Obhut: verify.py DIR"""
import base64
import hashlib
import json
import pathlib
import sys

from nacl.signing import VerifyKey  # Debian: python3-nacl


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def decode(text):  # of the ways to write base64, only the usual one
    out = base64.b64decode(text, validate=True)
    assert base64.b64encode(out).decode() == text
    return out


def push(roots, size, leaf):  # roots: of the complete subtrees, left to right
    while size & 1:
        leaf, size = sha(b"\1", roots.pop(), leaf), size >> 1
    roots.append(leaf)


def fold(roots):
    out = roots[-1] if roots else sha()
    for left in reversed(roots[:-1]):
        out = sha(b"\1", left, out)
    return out


def verify(directory):
    name, number, coded = (directory / "key").read_text().removesuffix("\n").split("+", 2)
    coded = decode(coded)
    assert coded[0] == 1 and name == "obhut-log-" + sha(coded[1:]).hex()[:16]
    assert number == sha(name.encode(), b"\n", coded).hex()[:8]
    lines = (directory / "log").read_bytes().split(b"\n")
    assert lines.pop() == b"", "the last line has no end"
    rest, last, roots, size, length = (directory / "checkpoints").read_bytes(), 0, [], 0, 0
    while rest:
        body, rest = rest.split(b"\n\n", 1)
        signature, rest = rest.split(b"\n", 1)
        dash, signer, blob = signature.decode().split(" ")
        blob = decode(blob)
        assert (dash, signer, blob[:4].hex()) == ("—", name, number)
        VerifyKey(coded[1:]).verify(body + b"\n", blob[4:])
        origin, covers, root, at, before, count, frontier = body.decode().split("\n")[:7]
        assert origin == name and at.startswith("at ") and before == f"before {last}"
        while size < int(covers):
            prefix, text = lines[size][:64].decode(), lines[size][65:]
            assert prefix == sha(b"\0", text).hex(), f"entry {size}"
            assert lines[size][64:65] == b" " and json.loads(text)["n"] == size, f"entry {size}"
            push(roots, size, sha(b"\0", text))
            size, length = size + 1, length + len(lines[size]) + 1
        assert fold(roots) == decode(root) and count == f"bytes {length}", covers
        assert frontier.split(" ")[1:] == [base64.b64encode(r).decode() for r in roots]
        last = size
    return name, size, len(lines) - size


if __name__ == "__main__":
    print("%s: %d entries are what was signed, %d are not yet sealed"
          % verify(pathlib.Path(sys.argv[1])))
