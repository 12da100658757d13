"""Every file of lists, damaged in every way, at the start and while the service runs: it says which, tells what
other lists have, and nothing that was listed counts as not listed."""
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading
import unittest

import faults
import obhutd
import waiting

MATCH = "/v1/match?surface=public"
# Made by programs that wrote journals of versions 1 and 2: three entries imported, the second withdrawn, one added.
OLD_LISTS = obhutd.ROOT / "tests/cli/lists-of-earlier-versions.tar.gz"
OLD = ("26b563b1e794ee14e1454c40c439f34ac963cfe0afae5a3bb9096a04e7d80068",
       "53d23c0bdf43efb219fcfc64e7aa8576d96e5adfa2beee31ac8be7d742840d2b",
       "6977a41b730bed9c94a67f00f335c3577972a36d51b31a6c20050ed31a6e72b9",
       "67a9b05c7dfb27e8d775f593ce3ad2b28491cabea0afe35617bcc74d6d683cf8")


# ---- damages: what is done to a file; `older` is what it was before its last change

def change(path, at, bits):
    content = bytearray(path.read_bytes())
    content[at] ^= bits
    path.write_bytes(content)


def cut(path, size):
    os.truncate(path, size)


def size_of(path):
    return path.stat().st_size


def zeros(path):
    size = size_of(path)
    cut(path, 0)
    cut(path, size)


def lines(path, change_them):
    path.write_bytes(b"".join(change_them(path.read_bytes().splitlines(keepends=True))))


def link(path, to):
    path.unlink()
    path.symlink_to(to)


def link_to_itself(path):
    link(path, path)


def link_to_a_copy(path):
    copy = path.with_name("copy-of-" + path.name.replace(".", "-"))
    shutil.move(path, copy)
    path.symlink_to(copy)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def folder(path):
    path.unlink()
    path.mkdir()


def giant(path):
    cut(path, 1 << 40)


DAMAGES = {
    "a bit at the beginning": lambda path, older: change(path, 3, 1),
    "a bit in the middle": lambda path, older: change(path, size_of(path) // 2, 0x40),
    "a bit near the end": lambda path, older: change(path, size_of(path) - 3, 8),
    "half": lambda path, older: cut(path, size_of(path) // 2),
    "one byte less": lambda path, older: cut(path, size_of(path) - 1),
    "emptied": lambda path, older: cut(path, 0),
    "zeros": lambda path, older: zeros(path),
    "junk": lambda path, older: path.write_bytes(os.urandom(size_of(path))),
    "doubled": lambda path, older: path.write_bytes(path.read_bytes() * 2),
    "an older copy": lambda path, older: path.write_bytes(older),
    "an older copy in its place": lambda path, older: (path.unlink(), path.write_bytes(older)),
    "the first line missing": lambda path, older: lines(path, lambda all_: all_[1:]),
    "the last line missing": lambda path, older: lines(path, lambda all_: all_[:-1]),
    "the lines turned round": lambda path, older: lines(path, lambda all_: all_[::-1]),
    "missing": lambda path, older: path.unlink(),
    "a pipe": lambda path, older: pipe(path),
    "a folder": lambda path, older: folder(path),
    "a link to nowhere": lambda path, older: link(path, "/nowhere/at/all"),
    "a link to itself": lambda path, older: link_to_itself(path),
    "a link to a copy": lambda path, older: link_to_a_copy(path),
    "a device": lambda path, older: link(path, "/dev/zero"),
    "a giant": lambda path, older: giant(path),
    "open to others": lambda path, older: path.chmod(0o666),
}
FILES = {"file": "lists/{}.obx", "journal": "lists/{}.1.log"}
# One list for each damage of each file, and one that stays whole.
CASES = [(f"{kind}-{number}", kind, damage)
         for kind in FILES for number, damage in enumerate(DAMAGES)]
HASHES = obhutd.obhut.hashes(2 * len(CASES) + 2, seed=14)
WHOLE, NOWHERE = HASHES[-2:]


class Lists(obhutd.Case):
    made = older = None  # a directory, and what its files were before their last change

    @classmethod
    def tearDownClass(cls):
        if cls.made:
            shutil.rmtree(cls.made)

    def setUp(self):
        super().setUp()
        if not self.made:
            type(self).older = {}
            self.make()
            type(self).made = pathlib.Path(tempfile.mkdtemp(prefix="obhut-"))
            shutil.copytree(self.data, self.made / "data", ignore=shutil.ignore_patterns("run"))
            shutil.rmtree(self.data)
        shutil.copytree(self.made / "data", self.data)

    def make(self):
        """One list for each case: with an entry in its file, one that was taken back, and one in its journal."""
        service = self.start()
        self.run_obhut("list", "import", self.write("whole.txt", [WHOLE]))
        for number, (name, kind, _) in enumerate(CASES):
            listed, gone = HASHES[2 * number:2 * number + 2]
            self.run_obhut("list", "import", self.write(name + ".txt", [gone]))
            if kind == "file":
                self.older[name] = self.path(name, kind).read_bytes()
                self.run_obhut("list", "import", self.write(name + ".txt", [listed]))
            else:
                self.run_obhut("list", "withdraw", name, gone)
                self.older[name] = self.path(name, kind).read_bytes()
                self.run_obhut("list", "add", name, listed)
        service.stop()

    def path(self, name, kind):
        return self.data / FILES[kind].format(name)

    def damage_all(self):
        for name, kind, damage in CASES:
            DAMAGES[damage](self.path(name, kind), self.older[name])

    def mend_all(self):
        """Every file as it was, put in its place as a backup does."""
        for name, kind, _ in CASES:
            path = self.path(name, kind)
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            shutil.copy2(self.made / "data" / FILES[kind].format(name), path)

    def ask(self, pdq):
        """Whether it is listed; None: that cannot be said."""
        answer = self.service.json("POST", MATCH, {"query": pdq}, status=(200, 503))
        if "matches" in answer:
            return bool(answer["matches"])
        self.assertEqual(answer["reason"], "LISTS")
        return None

    def all_noticed(self):
        return self.service.metrics()["lists_unsearchable"] == len(CASES)

    def check_damaged(self):
        """Nothing is told that is not so, and every list is named."""
        status, _, content = self.service.request("GET", "/readyz")
        self.assertEqual((status, json.loads(content)["reasons"]), (503, ["LISTS"]))
        self.assertTrue(self.ask(WHOLE))
        self.assertIsNone(self.ask(NOWHERE))
        said = "\n".join(self.service.log)
        for number, (name, kind, damage) in enumerate(CASES):
            with self.subTest(f"{damage} of a {kind}"):
                self.assertRegex(said, rf"{name}(\.1\.log|\.obx|\")")
                self.assertIsNone(self.ask(HASHES[2 * number]))
                self.assertIsNone(self.ask(HASHES[2 * number + 1]))

    def check_whole(self):
        self.service.json("GET", "/readyz")
        self.assertTrue(self.ask(WHOLE))
        self.assertIs(self.ask(NOWHERE), False)
        for number, (name, _, _) in enumerate(CASES):
            with self.subTest(name):
                self.assertTrue(self.ask(HASHES[2 * number]))
                self.assertIs(self.ask(HASHES[2 * number + 1]), False)

    def test_what_is_damaged_while_the_service_runs_is_taken_out_and_put_back(self):
        self.service = self.start()
        self.check_whole()
        self.damage_all()
        for number in range(len(CASES)):  # before it was noticed, too: whatever is said is true
            self.assertIsNot(self.ask(HASHES[2 * number]), False)
            self.assertIsNot(self.ask(HASHES[2 * number + 1]), True)
        waiting.until(self.all_noticed, "all are noticed")
        self.check_damaged()
        self.mend_all()
        waiting.until(lambda: self.service.metrics()["lists_unsearchable"] == 0, "all are back")
        self.check_whole()
        self.service.stop()

    def test_what_is_damaged_at_the_start_is_taken_out_and_can_be_imported_again_or_removed(self):
        self.damage_all()
        self.service = self.start()
        waiting.until(self.all_noticed, "all are noticed")
        waiting.until(lambda: all(any(name in line for line in self.service.log) for name, _, _ in CASES),
                      "all are named")
        self.check_damaged()
        for number, (name, kind, damage) in enumerate(CASES):
            with self.subTest(f"{damage} of a {kind}"):
                path = self.path(name, kind)
                if path.is_dir() and not path.is_symlink():
                    path.rmdir()  # which the service does not do
                if number % 2:
                    self.run_obhut("list", "import", self.write(name + ".txt", [HASHES[2 * number]]))
                else:
                    self.run_obhut("list", "remove", name)
        waiting.until(lambda: self.service.metrics()["lists_unsearchable"] == 0, "all were decided about")
        for number in range(len(CASES)):
            self.assertIs(self.ask(HASHES[2 * number]), number % 2 == 1)
        self.service.stop()

    def must_have(self):
        try:
            return json.loads((self.data / "lists.state").read_bytes()[65:])["lists"]
        except ValueError:
            return None

    def test_what_lists_must_have_is_written_again_while_the_service_runs(self):
        self.service = self.start()
        path = self.data / "lists.state"
        good = self.must_have()
        for damage in ("a bit in the middle", "emptied", "missing", "a pipe"):
            with self.subTest(damage):
                DAMAGES[damage](path, b"")
                waiting.until(lambda: path.is_file() and self.must_have() == good, "it is written again")
        self.check_whole()
        self.service.stop()
        self.service = self.start()
        self.check_whole()

    def test_without_what_lists_must_have_nothing_is_believed(self):
        """It does not start, or says that it cannot tell."""
        path = self.data / "lists.state"
        good = path.read_bytes()
        for damage, change_it in DAMAGES.items():
            if damage == "the lines turned round":  # it has one
                continue
            with self.subTest(damage):
                change_it(path, good[:-1])
                done = subprocess.run([obhutd.DAEMON, "--data", self.data, *obhutd.listening()],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=waiting.LIMIT_S) if damage != "missing" else None
                if done:
                    self.assertNotEqual(done.returncode, 0)
                    self.assertIn("lists.state", done.stderr)
                else:
                    self.service = self.start()
                    self.assertIsNone(self.ask(HASHES[0]))
                    self.service.stop()
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
                path.write_bytes(good)
                path.chmod(0o600)

    def test_lists_of_earlier_versions_are_taken_over(self):
        """They say what they said, and from then on what they lose shows."""
        listed, gone, added, later = OLD
        for version in ("1", "2"):
            with self.subTest(version):
                shutil.rmtree(self.data)
                self.data.mkdir(0o700)
                with tarfile.open(OLD_LISTS) as archive:
                    archive.extractall(self.data, [m for m in archive.getmembers()
                                                   if m.name.startswith(version + "/")])
                shutil.move(self.data / version / "lists", self.data / "lists")
                self.check_old({listed: True, gone: False, added: True, later: False})
                self.run_obhut("list", "add", "known", "pdq:" + later)
                self.check_old({listed: True, gone: False, added: True, later: True})
                journal = self.data / "lists/known.1.log"
                good = journal.read_bytes()
                lines(journal, lambda all_: all_[:-1])
                self.check_old({listed: None, gone: None, added: None, later: None})
                journal.write_bytes(good)
                self.run_obhut("list", "merge", "known")
                self.assertFalse(journal.exists())
                self.check_old({listed: True, gone: False, added: True, later: True})

    def check_old(self, expected):
        self.service = self.start()
        self.assertEqual({pdq: self.ask(pdq) for pdq in expected}, expected)
        self.service.stop()


class Changes(obhutd.Case):
    """A change is done, or it is not: also after the next start."""

    def begin(self):
        entry = self.list_of(obhutd.DEMO / "rocket-640x427.jpg", id="r")
        self.run_obhut("list", "import", self.write("known.jsonl", entry + "\n"), "--name", "known")
        slow = faults.Faults(self.dir)
        slow.set("clock:+0", wait=False)
        return slow, self.start(**slow.options)

    def test_a_removal_that_was_killed_is_finished_by_the_next_start(self):
        slow, service = self.begin()
        slow.set("unlink:lists/known.obx:hold")
        removing = threading.Thread(target=self.run_obhut, args=("list", "remove", "known"), kwargs={"code": None})
        removing.start()
        slow.until_waiting(0)
        service.kill()
        removing.join()
        again = self.start()
        self.assertEqual(again.json("GET", "/readyz", token=False)["reasons"], [])
        self.assertEqual(again.json("GET", "/v1/lists")["lists"], [])
        self.assertNotIn("known", self.run_obhut("list", "ls")[0])

    def test_a_change_that_was_killed_before_the_records_were_told_is_no_older_copy(self):
        slow, service = self.begin()
        slow.set("rename:lists.state:hold")
        adding = threading.Thread(target=self.run_obhut, args=("list", "add", "known", WHOLE), kwargs={"code": None})
        adding.start()
        slow.until_waiting(0)
        slow.set("sync:obhut.db-wal:hold")
        slow.until_waiting(0)
        service.kill()
        adding.join()
        slow.set("clock:+0", wait=False)
        for _ in range(2):
            again = self.start()
            self.assertEqual(again.json("GET", "/readyz", token=False)["reasons"], [])
            self.assertTrue(again.json("POST", MATCH, {"query": WHOLE})["matches"])
            again.stop()
        self.run_obhut("check")

    def test_broken_lists_are_shown_with_the_others_and_imports_are_logged_by_name(self):
        _, service = self.begin()
        self.run_obhut("list", "import", self.write("other.txt", [WHOLE]))
        service.stop()
        log = (self.data / "audit/log").read_text()
        self.assertRegex(log, r'"what":"list.import","name":"other"|"what":"list.import"[^\n]*"name":"other"')
        for damage in ("half", "missing"):
            DAMAGES[damage](self.data / "lists/known.obx", b"")
            table, said = self.run_obhut("list", "ls", code=3)
            self.assertRegex(table, r"(?m)^known +BROKEN")
            self.assertRegex(table, r"(?m)^other +enabled +1 ")
            self.assertIn("known.obx", said)
            rows = self.json_lines("list", "ls", "--json", code=3)[0]["lists"]
            self.assertEqual(rows[0], {"list": "known", "enabled": True, "broken": True})

    def is_on(self, service):
        known, = service.json("GET", "/v1/lists")["lists"]
        return known["enabled"]

    def test_a_list_is_not_switched_by_what_its_file_is_called(self):
        _, service = self.begin()
        on, off = self.data / "lists/known.obx", self.data / "lists/known.obx.off"
        for is_on, name, other in ((True, on, off), (False, off, on)):
            with self.subTest(is_on):
                self.run_obhut("list", "enable" if is_on else "disable", "known")
                self.assertTrue(name.exists())
                name.rename(other)
                waiting.until(lambda: name.exists() and not other.exists(), "it is called as before")
                self.assertIs(self.is_on(service), is_on)
                waiting.until(lambda: any("whatever its file is called" in line for line in service.log), "it is said")
                service.stop()
                name.rename(other)
                self.assertIn("enabled" if is_on else "off", self.run_obhut("list", "ls")[0])
                listed = json.loads(self.run_obhut("match", "--json", str(self.hash_of_rocket()), code=None)[0])
                self.assertIs(bool(listed["matches"]), is_on)
                service = self.start()
                self.assertIs(self.is_on(service), is_on)
                waiting.until(name.exists, "it is called as before")
        self.assertFalse(other.exists())

    def hash_of_rocket(self):
        return json.loads((self.dir / "known.jsonl").read_text())["pdq"]

    def test_a_switch_counts_as_it_was_said_also_after_a_kill(self):
        """Whichever call on the disk fails."""
        for rule in ("rename:lists/:errno=5", "sync:/lists:errno=5", "rename:lists.state:errno=30", "write:lists.state:errno=28"):
            with self.subTest(rule):
                shutil.rmtree(self.data, ignore_errors=True)
                slow, service = self.begin()
                slow.set(rule)
                said = subprocess.run([self.binary, "--data", str(self.data), "list", "disable", "known"],
                                      capture_output=True, text=True, timeout=waiting.LIMIT_S)
                done = said.returncode == 0
                if not done and "only the next start" not in said.stderr:
                    self.assertTrue(self.is_on(service))
                self.assertIs(self.is_on(service), not done)
                service.kill()
                slow.set("clock:+0", wait=False)
                again = self.start()
                if "only the next start" not in said.stderr:
                    self.assertIs(self.is_on(again), not done)
                self.assertEqual(again.json("GET", "/readyz", token=False)["reasons"], [])
                again.stop()

    def test_a_removal_that_failed_leaves_the_list_where_it_is(self):
        slow, service = self.begin()
        slow.set("unlink:lists/known.obx:errno=30,nth=1")
        self.run_obhut("list", "remove", "known", code=3)
        slow.set("clock:+0")
        service.stop()
        again = self.start()
        self.assertEqual([known["list"] for known in again.json("GET", "/v1/lists")["lists"]], ["known"])

    def test_a_change_with_a_sync_that_failed_takes_no_list_out_after_a_kill(self):
        for nth in range(1, 9):
            with self.subTest(nth):
                shutil.rmtree(self.data, ignore_errors=True)
                slow, service = self.begin()
                self.run_obhut("list", "add", "known", "md5:" + "ab" * 16, "--id", "first")
                slow.set(f"sync:{self.data.name}:errno=5,nth={nth}")
                self.run_obhut("list", "add", "known", "md5:" + "cd" * 16, "--id", "second", code=None)
                service.kill()
                slow.set("clock:+0", wait=False)
                again = self.start()
                self.assertEqual(again.json("GET", "/readyz", token=False)["reasons"], [])
                first = again.json("POST", MATCH, {"query": "md5:" + "ab" * 16})
                self.assertEqual(len(first["matches"]), 1)
                again.stop()

    def test_a_journal_that_was_cut_before_anything_was_acknowledged_is_no_damage(self):
        _, service = self.begin()
        service.stop()
        state = (self.data / "lists.state").read_bytes()
        self.run_obhut("list", "add", "known", "md5:" + "ab" * 16, "--id", "first")
        journal = self.data / "lists/known.1.log"
        line = journal.read_bytes().partition(b"\n")[0]
        for size in range(len(line) + 1):
            with self.subTest(size):
                (self.data / "lists.state").write_bytes(state)
                journal.write_bytes(line[:size])
                self.run_obhut("list", "info", "known")
        self.start()


if __name__ == "__main__":
    unittest.main()
