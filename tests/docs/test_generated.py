"""Help, manual page, completion and the API's description say what the table of commands says."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OBHUT = os.environ["OBHUT_BIN"]
sys.path.insert(0, str(ROOT / "tools"))
import commands  # noqa: E402


class Generated(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.rows = commands.table(OBHUT)
        cls.typed = [c for c in cls.rows["commands"] if not c["inner"]]

    def test_every_file_is_what_the_table_says(self):
        for name, made in commands.made(OBHUT).items():
            self.assertMultiLineEqual((ROOT / name).read_text(), made,
                                      f"{name}: python3 tools/commands.py build/release/obhut")

    def test_every_command_and_option_is_in_help_page_and_completion(self):
        page = (ROOT / "man/obhut.1").read_text()
        completions = [(ROOT / "data/completions" / name).read_text() for name in ("obhut.bash", "_obhut")]
        for command in self.typed:
            group, _, action = command["name"].partition(".")
            words = f"{group} {action}".strip()
            said = subprocess.run([OBHUT, group, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
            self.assertRegex(said, rf"(?m)^  {action or group}\b")
            self.assertIn(f"\\fB{words}\\fR", page)
            for field in commands.typed(command):
                if not field["place"]:
                    self.assertRegex(said, rf"(?m)^ +{commands.option(field)} ", words)
                    self.assertIn("\\fB" + commands.option(field).replace("-", "\\-") + "\\fR", page)
                    for completion in completions:
                        line, = re.findall(rf"(?m)^.*'{words}'\]?[ =]'(--.*)'$|^    {words} '(--.*)'$", completion)
                        self.assertIn(commands.option(field), "".join(line).split())

    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_the_page_is_right_to_its_formatter(self):
        done = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z", ROOT / "man/obhut.1"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_completion_is_right_to_its_shell(self):
        subprocess.run(["bash", "-n", ROOT / "data/completions/obhut.bash"], check=True)

    def completed(self, *words):
        code = (f'. {ROOT}/data/completions/obhut.bash; COMP_WORDS=(obhut "$@"); COMP_CWORD=$#; _obhut; '
                'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", code, "bash", *words], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_completion_offers_actions_options_and_words(self):
        for words, offered in ((("cause", ""), ["add", "ls", "end", "told"]),
                               (("--data", "x", "cause", "to"), ["told"]),
                               (("cause", "add", "--d"), ["--days"]),
                               (("hash", "--va"), ["--variant"]),
                               (("hash", "--variant", ""), ["full", "reference"]),
                               (("gateway", "add", "pict-rs", "--fail", "o"), ["open"]),
                               (("hash", ""), []),                          # files
                               (("cause", "add", "--account", ""), [])):    # the person's own words
            self.assertEqual(self.completed(*words), offered, words)

    def test_the_api_has_every_row_with_a_path_and_every_field_of_it(self):
        described = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
        said = {(method.upper(), path): of for path, methods in described["paths"].items()
                for method, of in methods.items() if method != "servers" and "operationId" in of}
        rows = {(c["method"], c["path"]): c for c in self.rows["commands"] if c.get("path")}
        self.assertEqual(set(said), set(rows))
        for key, of in said.items():
            row = rows[key]
            self.assertEqual(of["operationId"], row["name"])
            self.assertEqual(of.get("security"), [{"person": []}] if "staff" in row["places"] else
                             [] if row["token"] == "none" else None, key)
            stand = {(f["name"], f["where"]) for f in row["takes"] if not f["local"]}
            found = {(p["name"], p["in"]) for p in of.get("parameters", ())}
            for content in of.get("requestBody", {}).get("content", {}).values():
                properties = content["schema"].get("properties")
                found |= {(name, "body") for name in properties or ()}
                if "additionalProperties" not in content["schema"]:
                    found |= {(f["name"], "whole") for f in row["takes"] if f["where"] == "whole"}
                else:
                    self.assertIs(content["schema"]["additionalProperties"], False)
            self.assertEqual(found, stand, key)


if __name__ == "__main__":
    unittest.main()
