"""What the README prints happens when it is typed."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))
import obhutd  # noqa: E402

ROOT = obhutd.ROOT


def steps(text):
    """[(command, [lines of output])] of the lines that begin with a prompt."""
    found = []
    for line in text.splitlines():
        if line.startswith("    $ "):
            found.append((line[6:], []))
        elif line.startswith("    ") and found and found[-1][1] is not None:
            found[-1][1].append(line[4:])
        elif found and found[-1][1] is not None and line.strip():
            found.append((None, None))  # the block has ended
    return [s for s in found if s[0]]


def pattern(line):
    return ".*?".join(re.escape(part) for part in line.split("…"))


class Readme(obhutd.Case):
    def run_page(self, text):
        """Types every command into one shell, in a copy of what the page names. The service listens on
        a port that is free."""
        home = self.dir / "clone"
        (home / "build").mkdir(parents=True)
        for name in ("data", "examples", "man", "docs"):
            if (ROOT / name).exists():
                (home / name).symlink_to(ROOT / name)
        (home / "build/release").symlink_to(pathlib.Path(obhutd.DAEMON).parent)
        script, marks = ["set -m"], []
        for number, (command, _) in enumerate(steps(text)):
            marks.append(f"==== {number} ====")
            script += [f"echo '{marks[-1]}'", command.replace(" &", " >service.log 2>&1 &")]
            if command.endswith("&"):
                script.append("while ! grep -q ready: service.log && jobs %1 >/dev/null; do sleep 0.05; "
                              "done; cat service.log")
        script.append("echo '==== end ===='")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("OBHUT_")}
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=home, text=True, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=obhutd.obhut.LIMIT_S)
        return re.split(r"==== (?:\d+|end) ====\n", done.stdout)[1:-1], done.stdout

    def test_every_command_does_what_is_printed(self):
        text = (ROOT / "README.md").read_text().replace(":8099", f":{obhutd.quiet_port()}")
        outputs, everything = self.run_page(text)
        expected = steps(text)
        self.assertGreater(len(expected), 10)
        self.assertEqual(len(outputs), len(expected), everything)
        for (command, lines), output in zip(expected, outputs):
            for line in lines:
                if line.strip():
                    self.assertRegex(output, pattern(line), command)
            self.assertNotIn("command not found", output)

    def test_every_file_that_docs_name_exists(self):
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
                self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")
            for target in re.findall(r"`((?:src|tests|tools|docs|man|data|wasm)/[\w./-]+)`",
                                     page.read_text()):
                if "NAME" not in target:
                    self.assertTrue((ROOT / target).exists(), f"{page.name}: {target}")


if __name__ == "__main__":
    unittest.main()
