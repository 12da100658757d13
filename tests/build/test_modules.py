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
            re.findall(r"\{'name': '(\w+)',\s*'floor': '\w+',\s*'uses': \[([^\]]*)\]", table)}


def flags(module):
    """With which a source of this module is compiled."""
    for unit in json.loads((BUILD / "compile_commands.json").read_text()):
        if re.search(rf"/src/\w+/{module}/", (BUILD / unit["file"]).as_posix().replace("../", "/")):
            words = shlex.split(unit["command"])
            skip = {words.index(option) + 1 for option in ("-o", "-c", "-MF", "-MQ")
                    if option in words}
            return [word for number, word in enumerate(words)
                    if number not in skip and word not in ("-o", "-c", "-MF", "-MQ", "-MD")]
    raise AssertionError(f"no source of module {module}")


def gcc(module, source, *options):
    """What a source of this module becomes, or what is wrong with it."""
    done = subprocess.run([*flags(module), *options, "-x", "c", "-"], input=source, cwd=BUILD,
                          capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"module {module}: {done.stderr}")
    return done.stdout


def seen(module, includes):
    """Those headers of others that a source of this module finds; all others end its compilation."""
    asked = "".join(f"#if __has_include(<obhut/{name}.h>)\n{name}\n#endif\n" for name in includes)
    return set(gcc(module, asked, "-E", "-P").split())


class Modules(unittest.TestCase):
    def test_a_forbidden_include_does_not_compile(self):
        table = modules()
        self.assertGreater(len(table), 5)
        for module, uses in table.items():
            self.assertEqual(seen(module, table), {module, *uses}, f"from module {module}")

    def test_a_module_cannot_use_one_above_its_floor(self):
        for wrong, sentence in (
                ("{'name': 'hash', 'floor': 'pure', 'uses': ['base', 'index']}",
                 "module hash may use modules that stand above it in the table only, not index"),
                ("{'name': 'hash', 'floor': 'pure', 'uses': ['base', 'staff']}",
                 "module hash may use modules that stand above it in the table only, not staff"),
                ("{'name': 'hash', 'floor': 'doors', 'uses': ['base']}",
                 "module hash stands between modules of another floor")):
            with self.subTest(sentence), tempfile.TemporaryDirectory() as directory:
                copy = pathlib.Path(directory) / "tree"
                shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("build", ".git"))
                table = copy / "src/meson.build"
                text = table.read_text()
                table.write_text(text.replace("{'name': 'hash', 'floor': 'pure', 'uses': ['base']}", wrong))
                self.assertNotEqual(text, table.read_text())
                done = subprocess.run(["meson", "setup", str(copy / "b"), str(copy)],
                                      capture_output=True, text=True)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(sentence, done.stdout)

    def test_a_forbidden_link_does_not_build(self):
        links = re.findall(r"COMMAND = .*tools/links.py .*", (BUILD / "build.ninja").read_text())
        self.assertEqual(len(links), 1)
        command = shlex.split(links[0].split("=", 1)[1].replace("$", ""))
        self.assertIn("engine acts", re.sub(r"(engine).*?( acts).*", r"\1\2",
                                             (BUILD / "src/links.txt").read_text()))
        with tempfile.TemporaryDirectory() as directory:
            command[command.index("src/links.txt")] = f"{directory}/links.txt"
            taken = subprocess.run(command, cwd=BUILD, capture_output=True, text=True)
            self.assertEqual((taken.returncode, taken.stderr), (0, ""))
            for module, calls, sentence in (
                    ("hash", "ob_store_open", "hash takes ob_store_open from store, which it does not use"),
                    ("gate", "json_object", "gate calls json_object, and the floor pure does without that library"),
                    ("acts", "json_object", "acts calls json_object, and the floor domain does without that library"),
                    ("lists", "json_loads", "lists calls json_loads, and the floor domain does without that library"),
                    ("grounds", "json_object", "grounds calls json_object, and the floor domain does without that library"),
                    ("policy", "MHD_start_daemon", "policy calls MHD_start_daemon, and the floor domain does without that library")):
                planted = pathlib.Path(directory) / f"{module}.a"
                subprocess.run(["cc", "-xc", "-c", "-", "-o", planted], check=True, text=True,
                               input=f"void {calls}(void);\nvoid planted(void);\nvoid planted(void) {{ {calls}(); }}\n")
                wrong = [str(planted) if word.endswith(f"libobhut-{module}.a") else word for word in command]
                refused = subprocess.run(wrong, cwd=BUILD, capture_output=True, text=True)
                self.assertEqual(refused.returncode, 1)
                self.assertIn(sentence, refused.stderr)


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

    def roles_named(self, root):
        """Where a role is named in code: what a command needs is a column of its row."""
        words = re.compile(r"\bOB_ROLE_[A-Z]+\b|\b(REVIEWERS|LEADS|GUARDS)\b")
        allowed = {"domain/staff/include/obhut/staff.h", "doors/commands/commands_priv.h", "doors/commands/rows.c",
                   "path/permits/settings.c"}  # the last counts who may review, for /readyz
        return [str(path.relative_to(root)) for path in sorted(root.rglob("*.[ch]"))
                if words.search(path.read_text()) and str(path.relative_to(root)) not in allowed]

    def test_roles_stand_in_the_table_and_nowhere_else(self):
        self.assertEqual(self.roles_named(ROOT / "src"), [])
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "doors").mkdir()
            (root / "doors/planted.c").write_text("if (ob_actor_has(who, 1 << OB_ROLE_LEAD)) return;\n")
            self.assertEqual(self.roles_named(root), ["doors/planted.c"])

    def test_everybody_asks_the_same_clock_what_time_it_is(self):
        words = re.compile(r"\btime\(NULL\)|CLOCK_REALTIME|CLOCK_BOOTTIME|gettimeofday\(")
        for path in sorted((ROOT / "src").rglob("*.[ch]")):
            if path.name != "clock.c":
                self.assertIsNone(words.search(path.read_text()), path)

    def test_whoever_writes_to_a_data_directory_asks_base_for_it(self):
        words = re.compile(r"(?<!->)\b(open|openat|pread|pwrite|fsync|fdatasync|ftruncate|rename|"
                           r"unlink|unlinkat|rmdir|mkdir|mkdirat|fstat|fstatat|lstat|dprintf)\((?!2\))")
        for room in ("acts", "audit", "backup", "crypto", "listfile", "lists", "staff", "store"):
            for path in sorted((ROOT / "src").glob(f"*/{room}/**/*.[ch]")):
                self.assertIsNone(words.search(path.read_text()), path)

    def test_the_table_of_low_information_pictures_is_what_its_tool_draws(self):
        drawn = subprocess.run([BUILD / "tools/low-information"], capture_output=True, check=True)
        self.assertEqual(drawn.stdout, (ROOT / "src/domain/lists/low_information.inc").read_bytes())


if __name__ == "__main__":
    unittest.main()
