"""What `meson install` puts where: everything that the pages name, and units that systemd accepts."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/release"
sys.path.insert(0, str(ROOT / "tests/cli"))
import obhut  # noqa: E402


def systemd_analyze(*words, **options):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True,
                          **options)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix="obhut-"))
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.top / "d"],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.root = cls.top / "d/usr/local"

    def test_programs_pages_units_examples_and_completions_are_there(self):
        for name in ("bin/obhut", "bin/obhutd", "libexec/obhut/obhut-worker",
                     "share/man/man1/obhut.1", "share/man/man8/obhutd.8",
                     "share/man/man5/obhutd.conf.5", "lib/systemd/system/obhutd.service",
                     "lib/systemd/system/obhutd.socket", "lib/systemd/system/obhutd-public.socket",
                     "lib/systemd/system/obhutd-staff.socket", "share/doc/obhut/README.md",
                     "share/doc/obhut/LICENSE", "share/doc/obhut/CHANGELOG.md",
                     "share/doc/obhut/docs/INSTALL.md", "share/doc/obhut/docs/openapi.yaml",
                     "share/doc/obhut/examples/all-direct-messages.json",
                     "share/bash-completion/completions/obhut", "share/zsh/site-functions/_obhut"):
            self.assertTrue((self.root / name).is_file(), name)
        for page in (ROOT / "docs").iterdir():
            self.assertTrue((self.root / "share/doc/obhut/docs" / page.name).exists(), page.name)
        for example in (ROOT / "examples").rglob("*"):
            there = self.root / "share/doc/obhut/examples" / example.relative_to(ROOT / "examples")
            self.assertTrue(there.exists(), example.name)

    def test_man_pages_name_the_version_that_they_are_of(self):
        version = (ROOT / "VERSION").read_text().strip()
        for page in ("man1/obhut.1", "man8/obhutd.8", "man5/obhutd.conf.5"):
            title = (self.root / "share/man" / page).read_text().splitlines()[0]
            self.assertIn(f'"Obhut {version}"', title)

    def test_the_programs_run_where_they_were_put(self):
        for name in ("obhut", "obhutd"):
            done = subprocess.run([self.root / "bin" / name, "--version"], capture_output=True, text=True)
            self.assertRegex(done.stdout, rf"^{name} \d")

    def units(self, folder):
        """Copies that name the programs where they are now, and the examples' drop-ins beside them."""
        folder.mkdir()
        for unit in (self.root / "lib/systemd/system").iterdir():
            text = unit.read_text()
            self.assertNotIn("@", re.sub(r"@[\w-]+", "", text.split("SystemCallFilter")[0]))
            (folder / unit.name).write_text(self.moved(text))
        return folder

    def moved(self, text):
        return re.sub(r"/usr/(local/)?bin/", f"{self.root}/bin/", text)

    def test_systemd_accepts_the_units_with_their_man_pages(self):
        units = self.units(self.top / "units")
        done = systemd_analyze("verify", *sorted(units.iterdir()),
                               env=dict(os.environ, MANPATH=f"{self.root}/share/man"))
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        done = systemd_analyze("security", "--offline=yes", "--threshold=25", "--no-pager",
                               units / "obhutd.service")
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr)

    def test_systemd_accepts_every_drop_in_of_the_examples(self):
        drop_ins = sorted((ROOT / "examples/systemd/obhutd.service.d").iterdir())
        self.assertGreaterEqual(len(drop_ins), 3)
        for number, drop_in in enumerate([*drop_ins, None]):
            units = self.units(self.top / f"dropped-{number}")
            beside = units / "obhutd.service.d"
            beside.mkdir()
            for one in drop_ins if drop_in is None else [drop_in]:
                (beside / one.name).write_text(self.moved(one.read_text()))
            done = systemd_analyze("verify", "--man=no", units / "obhutd.service")
            said = done.stdout + done.stderr
            self.assertEqual((done.returncode, said), (0, ""), drop_in)
            done = systemd_analyze("security", "--offline=yes", "--threshold=25", "--no-pager",
                                   units / "obhutd.service")
            self.assertEqual(done.returncode, 0, said)

    # ---- Completion -----------------------------------------------------------------------------

    def completed(self, *words):
        script = self.root / "share/bash-completion/completions/obhut"
        code = (f'. {script}; COMP_WORDS=(obhut "$@"); COMP_CWORD=$#; _obhut; printf "%s\\n" "${{COMPREPLY[@]}}"')
        done = subprocess.run(["bash", "-c", code, "bash", *words], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def help_of(self, *words):
        return subprocess.run([obhut.BINARY, "help", *words], capture_output=True, text=True).stdout

    def test_completion_knows_every_command_and_action_and_no_other(self):
        lines = [line.split() for line in self.help_of().split("\n\n")[1].splitlines() if line[2] != " "]
        commands = {word.strip(",") for words in lines
                    for word in (words if words[0].endswith(",") else words[:1])}
        self.assertEqual(set(self.completed("")), commands | {"help", "version"})
        self.assertEqual(self.completed("--data", "x", "li"), ["list"])
        zsh = (self.root / "share/zsh/site-functions/_obhut").read_text()
        for command in sorted(commands):
            actions = self.completed(command, "")
            self.assertIn(f"    {command} '{' '.join(actions)}'\n", zsh)
            page = self.help_of(command)
            for action in actions:
                self.assertRegex(page, rf"\b{action}\b", f"{command} {action}")
                # a known action is never answered with "no command"
                done = subprocess.run([obhut.BINARY, "--data", self.top / "none", command, action, "--no-such"],
                                      capture_output=True, text=True)
                self.assertNotIn("no command", done.stderr)


if __name__ == "__main__":
    unittest.main()
