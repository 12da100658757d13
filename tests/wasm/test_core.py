"""The WebAssembly library, in Node.js: published hashes from pixels, and search."""
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/gate"))
import vectors  # noqa: E402

PDQ = ROOT / "tests/conformance/pdq"


def ask(library, requests):
    done = subprocess.run(
        ["node", str(ROOT / "tests/wasm/core.mjs"), str(ROOT / "build/wasm/wasm" / library)],
        input="".join(json.dumps(r) + "\n" for r in requests), capture_output=True, text=True,
        timeout=600)
    if done.returncode:
        raise AssertionError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


class Library:
    library = None

    def test_pixels_give_the_published_hashes(self):
        expected = json.loads((PDQ / "expected.json").read_text())
        requests, lines = [], []
        with tempfile.TemporaryDirectory() as raw:
            for line in expected:
                picture = Image.open(PDQ / "images" / line["file"])
                if picture.mode.startswith("I") or line["degenerate"]:
                    continue
                grey = picture.mode in ("1", "L", "LA")
                picture = picture.convert("L" if grey else "RGB")
                file = pathlib.Path(raw) / line["file"]
                file.write_bytes(picture.tobytes())
                for variant in ("full", "reference"):
                    requests.append({"file": str(file), "width": picture.width,
                                     "height": picture.height, "samples": 1 if grey else 3,
                                     "variant": variant})
                    lines.append(line)
            self.assertGreater(len(requests), 30)
            for request, line, got in zip(requests, lines, ask(self.library, requests)):
                variant = request["variant"]
                self.assertLessEqual(distance(got["hashes"][0], line[f"pdq_{variant}"]), 2, line)
                self.assertEqual(got["quality"], line[f"quality_{variant}"], line["file"])
                if variant == "reference":
                    for one, published in zip(got["hashes"], line["dihedral_reference"]):
                        self.assertLessEqual(distance(one, published), 2, line)

    def test_search_finds_what_comparing_finds(self):
        numbers = random.Random(5)
        requests, expected = [], []
        for count in (0, 1, 100, 20000):  # the last has an index of words
            entries = ["%064x" % numbers.getrandbits(256) for _ in range(count)]
            queries = ["%064x" % numbers.getrandbits(256) for _ in range(3)]
            for bits in range(0, 34) if count else ():
                value = int(numbers.choice(entries), 16)
                for bit in numbers.sample(range(256), bits):
                    value ^= 1 << bit
                queries.append("%064x" % value)
            for most in (0, 17, 31):
                requests.append({"entries": entries, "queries": queries, "distance": most})
                expected.append([
                    {"query": q, "entry": e, "distance": d}
                    for q, query in enumerate(queries)
                    for d, e in sorted((distance(query, entry), e)
                                       for e, entry in enumerate(entries)
                                       if distance(query, entry) <= most)])
        self.assertEqual(ask(self.library, requests), expected)

    def test_every_situation_gets_its_answer_as_by_command(self):
        pairs = vectors.situations()
        odd = [{}, [], None, "x", {"item": {"id": "a\0b"}}, {"at": 3.5}, {"é": "ü" * 300}]
        lines = [situation for _, situation in pairs] + odd
        command = subprocess.run([str(ROOT / "build/release/obhut"), "gate", "explain", "--json", "-"],
                                 input="".join(json.dumps(line) + "\n" for line in lines),
                                 capture_output=True, text=True, timeout=600)
        by_command = [json.loads(line) for line in command.stdout.splitlines()]
        here = ask(self.library, [{"situation": line} for line in lines])
        for (vector, _), answer in zip(pairs, here):
            self.assertEqual(vectors.differences(vector, answer), [])
        for one, other in zip(by_command[:len(pairs)], here):
            self.assertEqual(one, other)
        for one, other in zip(by_command[len(pairs):], here[len(pairs):]):
            self.assertEqual(one["decision"], other["decision"])
            self.assertEqual(one["reason"], other["reason"])

    def test_what_is_impossible_is_said_and_the_next_works(self):
        good = {"entries": ["0" * 64], "queries": ["0" * 63 + "1"], "distance": 31}
        answers = ask(self.library, [{**good, "distance": 32}, {**good, "queries": ["xy"]},
                                     {"file": "/dev/null", "width": 9, "height": 9}, good])
        self.assertIn("at most 31", answers[0]["error"])
        self.assertIn("not a hash", answers[1]["error"])
        self.assertIn("need more", answers[2]["error"])
        self.assertEqual(answers[3], [{"query": 0, "entry": 0, "distance": 1}])


class Portable(Library, unittest.TestCase):
    library = "core.wasm"


class Simd(Library, unittest.TestCase):
    library = "core-simd.wasm"


if __name__ == "__main__":
    unittest.main()
