"""The module rule holds: what a module does not declare it cannot include."""
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/release"


def modules():
    table = (ROOT / "src/meson.build").read_text()
    return {name: re.findall(r"'(\w+)'", uses) for name, uses in
            re.findall(r"\{'name': '(\w+)',\s*'layer': \d+,\s*'uses': \[([^\]]*)\]", table)}


def flags(module):
    """With which a source of this module is compiled."""
    for unit in json.loads((BUILD / "compile_commands.json").read_text()):
        if f"/src/{module}/" in (BUILD / unit["file"]).as_posix().replace("../", "/"):
            words = shlex.split(unit["command"])
            skip = {words.index(option) + 1 for option in ("-o", "-c", "-MF", "-MQ")
                    if option in words}
            return [word for number, word in enumerate(words)
                    if number not in skip and word not in ("-o", "-c", "-MF", "-MQ", "-MD")]
    raise AssertionError(f"no source of module {module}")


def compiles(module, include):
    source = f"#include <obhut/{include}.h>\nextern int nothing;\n"
    done = subprocess.run([*flags(module), "-fsyntax-only", "-x", "c", "-"], input=source,
                          cwd=BUILD, capture_output=True, text=True)
    if done.returncode and "No such file" not in done.stderr:
        raise AssertionError(done.stderr)
    return done.returncode == 0


class Modules(unittest.TestCase):
    def test_a_forbidden_include_does_not_compile(self):
        table = modules()
        self.assertGreater(len(table), 5)
        for module, uses in table.items():
            for other in table:
                allowed = other == module or other in uses
                self.assertEqual(compiles(module, other), allowed,
                                 f"<obhut/{other}.h> from module {module}")

    def test_a_module_cannot_use_a_higher_one(self):
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory) / "tree"
            shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("build", ".git"))
            table = copy / "src/meson.build"
            text = table.read_text()
            table.write_text(text.replace("{'name': 'index',  'layer': 1, 'uses': ['base']}",
                                          "{'name': 'index',  'layer': 1, 'uses': ['hash']}"))
            self.assertNotEqual(text, table.read_text())
            done = subprocess.run(["meson", "setup", str(copy / "b"), str(copy)],
                                  capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("may use modules of a lower layer only", done.stdout)


class Sources(unittest.TestCase):
    def test_sources_are_formatted(self):
        files = [str(p) for folder in ("src", "tools", "tests")
                 for p in sorted((ROOT / folder).rglob("*.[ch]"))]
        done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])

    def test_nobody_but_store_knows_sql(self):
        words = re.compile(r'sqlite3|libpq|\bPQ[a-z]+\(|"(SELECT|INSERT|UPDATE|DELETE|CREATE) ')
        for path in sorted((ROOT / "src").rglob("*.[ch]")):
            if "store" not in path.relative_to(ROOT).parts:
                self.assertIsNone(words.search(path.read_text()), path)

    def test_everybody_asks_the_same_clock_what_time_it_is(self):
        words = re.compile(r"\btime\(NULL\)|CLOCK_REALTIME|CLOCK_BOOTTIME|gettimeofday\(")
        for path in sorted((ROOT / "src").rglob("*.[ch]")):
            if path.name != "clock.c":
                self.assertIsNone(words.search(path.read_text()), path)

    def test_whoever_writes_to_a_data_directory_asks_base_for_it(self):
        words = re.compile(r"(?<!->)\b(open|openat|pread|pwrite|fsync|fdatasync|ftruncate|rename|"
                           r"unlink|unlinkat|rmdir|mkdir|mkdirat|fstat|fstatat|lstat|dprintf)\((?!2\))")
        for room in ("audit", "backup", "crypto", "lists", "staff", "store"):
            for path in sorted((ROOT / "src" / room).rglob("*.[ch]")):
                self.assertIsNone(words.search(path.read_text()), path)

    def test_the_table_of_low_information_pictures_is_what_its_tool_draws(self):
        drawn = subprocess.run([BUILD / "tools/low-information"], capture_output=True, check=True)
        self.assertEqual(drawn.stdout, (ROOT / "src/lists/low_information.inc").read_bytes())


if __name__ == "__main__":
    unittest.main()
