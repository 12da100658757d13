"""Adding a command is one row and one function: everything else is made of them."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from test_modules import ROOT, flags

FOLDER = "src/doors/commands"
BUILD = ROOT / "build/release"
LAST_ROW = '    {"restore", '
ROW = """    {"toy.say", "say a text, once or several times", OB_EFFECT_SHOWS, ANYWHERE, HTTP("GET", "/v1/toy"), RUN(commands_toy_say),
     .takes = FIELDS(
        TEXT("text", MUST, 20, OB_LOGGED_NEVER, "TEXT", "what is said"),
        NUMBER("times", MAY, 1, 3, OB_LOGGED_PLAIN, "how often, 1 to 3; otherwise once")),
     .gives = FIELDS(GIVES("said", OB_FIELD_TEXT, OB_LOGGED_NEVER, "all of it"))},
"""
FUNCTION = """
ob_status commands_toy_say(json_t **out, const commands_call *call, ob_error *err)
{
    char said[100] = "";
    const char *text = commands_optional(call, "text");
    const json_t *times = json_object_get(call->request, "times");
    (void)err;
    for (json_int_t i = times ? json_integer_value(times) : 1; i > 0; i--)
        snprintf(said + strlen(said), sizeof said - strlen(said), "%s", text);
    *out = json_pack("{s:s}", "said", said);
    return OB_OK;
}
"""
PROTOTYPE = "ob_status commands_toy_say(json_t **out, const commands_call *call, ob_error *err);\n"
GROUP = '    {"toy", "a toy", NULL, {"obhut toy say --text hello"}},\n'
FIRST_GROUP = '    {"hash",\n'


def insert(path, before, text):
    old = path.read_text()
    assert old.count(before) == 1, (path, before)
    path.write_text(old.replace(before, text + before))


class Toy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        top = tempfile.TemporaryDirectory()
        cls.addClassCleanup(top.cleanup)
        cls.top = pathlib.Path(top.name)
        cls.tree = cls.top / "tree"
        shutil.copytree(ROOT, cls.tree, ignore=shutil.ignore_patterns("build", ".git", "conformance", "__pycache__"))
        insert(cls.tree / FOLDER / "rows.c", LAST_ROW, ROW)
        insert(cls.tree / FOLDER / "commands_priv.h", "ob_status commands_status(", PROTOTYPE)
        insert(cls.tree / FOLDER / "groups.c", FIRST_GROUP, GROUP)
        with (cls.tree / FOLDER / "status.c").open("a") as to:
            to.write("#include <stdio.h>\n#include <string.h>\n" + FUNCTION)
        # As the release, so that a cache of the compiler has all but what changed; where there is none, quickly.
        speed = "3" if shutil.which("ccache") else "0"
        cls.run_in_tree("meson", "setup", "build/toy", "--buildtype=release", f"-Doptimization={speed}")
        cls.run_in_tree("ninja", "-C", "build/toy", "obhut")
        cls.obhut = cls.tree / "build/toy/obhut"
        cls.run_in_tree("/usr/bin/python3", "tools/commands.py", cls.obhut)

    @classmethod
    def run_in_tree(cls, *words):
        done = subprocess.run(words, cwd=cls.tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise AssertionError(f"{words}:\n{done.stdout[-3000:]}")

    def ask(self, *words):
        done = subprocess.run([self.obhut, "--data", self.top / "data", *words], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_it_is_done_and_its_bounds_are_held(self):
        self.assertEqual(self.ask("toy", "say", "--text", "ho", "--times", "3"), (0, "said: hohoho\n", ""))
        code, out, _ = self.ask("toy", "say", "--text", "ho", "--json")
        self.assertEqual((code, json.loads(out)), (0, {"said": "ho"}))
        for words, sentence in ((("--text", "ho", "--times", "4"), '"times" must be a number from 1 to 3'),
                                (("--text", "x" * 21), '"text" must be a text of 1 to 20 bytes'),
                                ((), "--text is needed"), (("--txt", "x"), "no option --txt")):
            code, _, said = self.ask("toy", "say", *words)
            self.assertNotEqual(code, 0)
            self.assertIn(sentence, said)

    def test_help_has_it(self):
        self.assertIn("  toy        a toy\n", self.ask("--help")[1])
        said = self.ask("toy", "--help")[1]
        self.assertIn("  say --text TEXT [--times N]\n    say a text, once or several times\n", said)
        self.assertIn("  obhut toy say --text hello\n", said)

    def test_page_completion_and_api_have_it(self):
        page = (self.tree / "man/obhut.1").read_text()
        self.assertIn(".SS toy\nA toy.\n.TP\n\\fBtoy say\\fR \\fB\\-\\-text\\fR \\fITEXT\\fR", page)
        self.assertIn("\nobhut toy say \\-\\-text hello\n", page)
        for name, words in (("obhut.bash", "['toy say']='--text --times --json --help'"), ("obhut.bash", "['toy']='say'"),
                            ("_obhut", "'toy say' '--text --times --json --help'"), ("_obhut", "    toy 'say'")):
            self.assertIn(words, (self.tree / "data/completions" / name).read_text())
        api = (self.tree / "docs/openapi.yaml").read_text()
        self.assertIn("\n  /v1/toy:\n    get:\n      tags: [staff]\n      operationId: toy.say\n", api)
        self.assertIn("{name: times, in: query, required: false, ", api)

    def test_nothing_else_of_the_pages_changes(self):
        for name in ("man/obhut.1", "docs/openapi.yaml"):
            here, there = ((top / name).read_text().splitlines() for top in (ROOT, self.tree))
            self.assertEqual([line for line in here if line not in set(there)], [], name)


class Rules(unittest.TestCase):
    def compiles(self, field):
        """Whether the table does with this field in the place of one of its own."""
        rows = (ROOT / FOLDER / "rows.c").read_text()
        own = 'TRUTH("without_lists", OB_LOGGED_NEVER, "leave the lists out")'
        self.assertEqual(rows.count(own), 1)
        with tempfile.TemporaryDirectory() as place:
            planted = pathlib.Path(place) / "rows.c"
            planted.write_text(rows.replace(own, field))
            done = subprocess.run([*flags("commands"), "-fsyntax-only", f"-I{ROOT / FOLDER}", planted],
                                  cwd=BUILD, capture_output=True, text=True)
        return done.returncode == 0

    def test_a_field_without_a_rule_for_the_log_does_not_compile(self):
        self.assertTrue(self.compiles('TRUTH("without_lists", OB_LOGGED_PLAIN, "leave the lists out")'))
        for field in ('TRUTH("without_lists", "leave the lists out")',
                      'TRUTH("without_lists", 0, "leave the lists out")',
                      '{.name = "without_lists", .kind = OB_FIELD_TRUTH, .about = "leave the lists out"}',
                      '{"without_lists", OB_FIELD_TRUTH}'):
            self.assertFalse(self.compiles(field), field)


if __name__ == "__main__":
    unittest.main()
