"""Tables of docs/ are those of the code, and formats and detectors have all that belongs to them."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / os.environ["OBHUT_BUILD"]
sys.path.insert(0, str(ROOT / "tools"))
import tables  # noqa: E402


def rows(what):
    """Cells of each row of a table."""
    said = subprocess.run([BUILD / "tools/tables", what], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in said.splitlines()[2:]]


class Tables(unittest.TestCase):
    maxDiff = 2000

    def test_every_page_has_what_the_code_says(self):
        for name, made in tables.made(BUILD).items():
            self.assertMultiLineEqual((ROOT / name).read_text(), made, f"{name}: python3 tools/tables.py build/release")

    def test_every_decoded_format_has_a_fuzzer_with_seeds_and_tests(self):
        targets = re.findall(r"{'name': '(\w+)', 'of': 'media'", (ROOT / "tests/meson.build").read_text())
        tried = "".join((ROOT / f"tests/cli/{name}.py").read_text() for name in ("test_formats", "test_seen"))
        for _, name, program, _ in rows("formats"):
            name, program = name.strip("`"), program.strip("`")
            if program == "nobody":
                continue
            self.assertIn(f'"{name}', tried.lower(), "tests/cli/test_formats.py or test_seen.py")
            fuzzer = name if program == "obhut-worker" else program.removeprefix("obhut-worker-")
            self.assertIn(fuzzer, targets, "tests/meson.build")
            self.assertTrue((ROOT / f"tests/fuzz/{fuzzer}.c").exists(), fuzzer)
            self.assertTrue(any((ROOT / "tests/fuzz/corpus" / fuzzer).iterdir()), fuzzer)

    def test_every_detector_has_a_file_of_data_and_a_class(self):
        said = {row[0].strip("`"): row for row in rows("detectors")}
        files = {path.stem: json.loads(path.read_text()) for path in (ROOT / "data/detectors").glob("*.json")}
        self.assertEqual(set(said), set(files))
        for name, row in said.items():
            self.assertEqual((row[1], row[4], int(row[5]), row[6]),
                             tuple(files[name][key] for key in ("kind", "state", "bound_per_million", "about")))
            classes = [path for path in (ROOT / "src/path/detect").glob("*.c")
                       if f'.name = "{name}"' in path.read_text()]
            self.assertEqual(len(classes), 1, name)


if __name__ == "__main__":
    unittest.main()
