"""Every command that the pages print is typed, in the order of the page, into one data directory with a
service on it. What stands for something else (a path, a name, a file of the reader's) has a stand-in."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))
import obhutd  # noqa: E402

HASH = "84609e779a66364cf9833866c826f26c21a679f61eb6e1f8c799a7f27c0299e0"
PROMPT = re.compile(r"^    (?:\w+=\$\w+ )?(?:obhut|curl) ")

# What the pages leave to the reader, in the order in which it is replaced.
STAND_INS = (
    (r"(?<= )#.*$", ""), (r"  +\(.*\)$", ""), (r"   .*$", ""), (r" \[[^]]*\]", ""),
    (r"84609e77…0299e0", HASH), (r"--key obhut-public-…", "--key operator.public"),
    (r"/backup/obhut-2026-11-25", "obhut-$(date +%F)"), (r"/backup/", ""),
    (r"ssh other 'cat > obhut.obb'", "cat > obhut.obb"), (r"/var/lib/obhut", "restored"),
    (r"import FILE", "import known.csv --name other"), (r"\bACCOUNT\b", "alice"),
    (r"\bDIR\b", "copy"), (r"--out operator.secret",
     "--out operator.secret | tee operator.public"), (r"prove 7311", "prove 1"),
    (r"2026-11-25T14:00:00Z", "$(date -u +%FT%TZ -d '30 seconds ago')"),
)

PAGES = ("LISTS", "OPERATION", "INTEGRATIONS", "GATE", "AUDIT")
# Made by an earlier page, and made again by a later one.
MAY_BE_THERE = ("gateway add pict-rs", "token add forum")


def commands(page):
    """Lines that are typed; one that ends with a backslash goes on in the next."""
    found, lines = [], iter((obhutd.ROOT / "docs" / f"{page}.md").read_text().splitlines())
    for line in lines:
        if PROMPT.match(line):
            while line.endswith("\\"):
                line = line[:-1] + next(lines).strip()
            found.append(line.strip())
    return found


class Commands(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.home = self.dir / "home"
        self.home.mkdir()
        (self.home / "known.csv").write_text(f"pdq,id,source\n{HASH},7311,Hotline\n")
        (self.home / "today.jsonl").write_text('{"pdq":"%s","id":"7400"}\n' % ("5a" * 32))
        shutil.copy(obhutd.DEMO / "rocket-640x427.jpg", self.home / "photo.jpg")
        self.service = self.start()
        person = lambda name: self.run_obhut("person", "add", name, "--role", "lead")[0].strip()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("OBHUT_")},
            "PATH": f"{pathlib.Path(self.binary).parent}:{os.environ['PATH']}",
            "OBHUT_DATA": str(self.data), "TOKEN": self.service.token,
            "ADA": person("ada"), "BEA": person("bea")}
        self.run_obhut("list", "import", str(self.home / "known.csv"), "--name", "hotline")

    def type(self, command):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.home, text=True,
                              env=self.environment, stdin=subprocess.DEVNULL, timeout=obhutd.waiting.LIMIT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def prepare(self, command):
        """What the page says in words before it."""
        if "photo-17" in command:
            self.service.scan((self.home / "photo.jpg").read_bytes(), item={"item": "photo-17"})
            self.eventually_second()
        if command.startswith("obhut audit verify --key"):
            shutil.copy(self.data / "audit/key", self.home / "key.txt")
        if "copy" in command and not (self.home / "copy").exists():
            shutil.copytree(self.data / "audit", self.home / "copy")
        if "alice" in command and "audit" in command:
            self.run_obhut("verdict", "add", "--account", "alice", "--reason", "seen")

    def eventually_second(self):
        log = self.data / "audit/log"
        obhutd.waiting.until(lambda: '"what":"second"' in log.read_text(), "the second is told")

    def test_every_command_of_the_pages_works_as_printed(self):
        typed = 0
        for page in PAGES:
            for printed in commands(page):
                command = printed.replace("http://127.0.0.1:8480", self.service.url)
                for what, stand_in in STAND_INS:
                    command = re.sub(what, lambda _, s=stand_in: s, command)
                if page == "GATE":  # numbers are those of a fresh directory
                    command = self.renumber(command)
                self.prepare(command)
                code, output = self.type(command)
                there = any(words in command for words in MAY_BE_THERE) and "there is" in output
                self.assertTrue(code == 0 or there, f"{page}: {printed}\n  {command}\n{output}")
                typed += 1
        self.assertGreater(typed, 35)

    def renumber(self, command):
        newest = self.type("obhut proposal ls --json | python3 -c 'import json, sys;"
                           "print(max([p[\"proposal\"] for p in json.load(sys.stdin)[\"proposals\"]],"
                           " default=0))'")[1].strip()
        return re.sub(r"approve \d+", f"approve {newest}", command)


if __name__ == "__main__":
    unittest.main()
