"""What the command line says of itself, and of what it does not know."""
import os
import re
import subprocess
import unittest

import obhut

MAN = obhut.ROOT / "man/obhut.1"


def commands():
    """The first words, from the help."""
    text = subprocess.run([obhut.BINARY, "--help"], capture_output=True, text=True).stdout
    lines = [line.split() for line in text.split("\n\n")[1].splitlines() if line[2] != " "]
    return [word.strip(",") for words in lines
            for word in (words if words[0].endswith(",") else words[:1])]


class Words(obhut.Case):
    def test_an_option_that_is_unknown_is_named_with_the_command(self):
        for words, said in ((["list", "ls", "--foo"], "list ls: no option --foo"),
                            (["list", "import", "--nam", "x"], None),
                            (["report", "confirm", "1", "--reason", "x"],
                             "report confirm: no option --reason"),
                            (["scan", "--surface"], "scan: --surface needs a value"),
                            (["scan", "--json=3", "x"], "scan: --json takes no value"),
                            (["hash", "-x"], "hash: no option -x"),
                            (["match", "--distnace", "3"],
                             "match: no option --distnace; --distance was probably meant"),
                            (["audit", "verify", "--frm"], "audit verify: no option --frm"),
                            (["gate", "explain", "--wat"], "gate explain: no option --wat"),
                            (["gate", "regimes", "--wat"], "gate regimes: no option --wat"),
                            (["backup", "make", "--tu=x"], "backup make: no option --tu"),
                            (["restore", "--foo"], "restore: no option --foo"),
                            (["token", "add", "--scop"], "token add: --scope needs a value"),
                            (["gateway", "ls", "--foo"], "gateway ls: no option --foo"),
                            (["check", "--foo"], "check: no option --foo"),
                            (["--foo"], "no option --foo")):
            out, err = self.run_obhut(*words, code=2 if said else None)
            if said:
                self.assertIn(f"obhut: {said}", err)
            self.assertNotIn("obhut: \n", err)
            self.assertNotIn("unrecognized", err)

    def test_what_was_probably_meant_is_said(self):
        for words, meant in ((["lst"], "list"), (["list", "lst"], "ls"), (["haash"], "hash"),
                             (["backup", "maek"], "make"), (["cause", "ad"], "add"),
                             (["vredict"], "verdict"), (["gate", "explan"], "explain")):
            _, err = self.run_obhut(*words, code=2)
            self.assertIn(f'"{meant}" was probably meant', err)
        self.assertNotIn("probably", self.run_obhut("zzzzzz", code=2)[1])

    @unittest.skipUnless(os.geteuid() == 0 and not obhut.SANITIZED, "needs a /var/lib of its own")
    def test_whoever_has_another_directory_than_the_service_is_told_so(self):
        def said(made, *words):
            command = " ".join(("obhut", *words))
            script = (f"mount -t tmpfs none /var/lib && {made} export PATH={os.path.dirname(obhut.BINARY)}:$PATH "
                      f"HOME={self.dir} && unset OBHUT_DATA && setpriv --reuid=65534 --regid=65534 "
                      f"--clear-groups {command}")
            done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
            if "unshare" in done.stderr or "mount:" in done.stderr:
                self.skipTest(done.stderr)
            return done.stderr
        self.dir.chmod(0o777)
        there = "mkdir /var/lib/obhut &&"
        sentence = "of the service in /var/lib/obhut, ask as root or as its user"
        self.assertIn(f"this is about {self.dir}/.local/share/obhut; {sentence}", said(there, "list", "ls"))
        for made, words in (("", ("list", "ls")), (there, ("--data", str(self.data), "list", "ls")),
                            (there, ("gate", "regimes")),
                            ("mkdir -m 777 /var/lib/obhut && chown 65534 /var/lib/obhut &&", ("list", "ls"))):
            self.assertNotIn(sentence, said(made, *words))

    def test_help_and_version_are_commands_too(self):
        self.assertEqual(self.run_obhut("help"), self.run_obhut("--help"))
        self.assertEqual(self.run_obhut("version"), self.run_obhut("--version"))
        found = commands()
        self.assertGreater(len(found), 20)
        for command in found:
            out, _ = self.run_obhut("help", command)
            self.assertEqual(out, self.run_obhut(command, "--help")[0])
        self.assertIn("no command nix", self.run_obhut("help", "nix", code=2)[1])

    def test_the_json_of_nothing_is_an_empty_array(self):
        for group, name in (("list", "lists"), ("token", "tokens"), ("gateway", "gateways"),
                            ("person", "persons"), ("cause", "causes"), ("hold", "holds"),
                            ("proposal", "proposals"), ("verdict", "verdicts"),
                            ("report", "reports"), ("order", "orders")):
            answer, = self.json_lines(group, "ls", "--json")
            self.assertEqual([*answer], [name])
            self.assertIsInstance(answer[name], list)
            if name != "tokens":
                self.assertEqual(answer[name], [])

    def test_the_man_page_has_every_command_and_one_end(self):
        page = MAN.read_text()
        self.assertEqual(re.findall(r"^\.SH (.*)$", page, re.M),
                         ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS", "EXIT STATUS",
                          "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"])
        for command in commands():
            self.assertRegex(page, rf"(?m)^\.SS {command}$", command)
        self.assertIn(".TP\n.I FILE.part", page)
        self.assertNotRegex(page, r"of JPEG and PNG")


if __name__ == "__main__":
    unittest.main()
