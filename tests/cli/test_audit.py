"""obhut audit, as those use it who are to be convinced; and a verifier that knows nothing of Obhut."""
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

import obhut

WRITER = pathlib.Path(obhut.BINARY).parent / "tests/audit-writer"
VERIFIER = obhut.ROOT / "tests/audit/verify.py"
NEXT = json.dumps({"account": "9f2c", "days": 30, "reason": "Grüße \u001b[31m"})


class Audit(obhut.Case):
    def setUp(self):
        super().setUp()
        self.data.mkdir()

    def append(self, *lines):
        """Appends entries ("seal", "leave" as the writer has it) and returns their numbers."""
        done = subprocess.run([WRITER, self.data], input="".join(f"{line}\n" for line in lines),
                              capture_output=True, text=True, timeout=obhut.LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [int(line) for line in done.stdout.split()]

    def make(self, entries=20):
        """A log of so many entries with checkpoints after every fifth."""
        lines = []
        for number in range(entries):
            word = "cause.begun" if number % 3 else "list.changed"
            lines.append(f'{word} {{"value":{number},"list":"hotline"}}')
            if number % 5 == 4:
                lines.append("seal")
        self.assertEqual(self.append(*lines), list(range(entries)))
        return self.data / "audit"

    def elsewhere(self):
        """A copy, in a directory of any name."""
        copy = self.dir / "copy of it"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.data / "audit", copy)
        return copy

    def verify(self, *arguments, code=0):
        line, = self.json_lines("audit", "verify", "--json", *arguments, code=code)
        return line

    def independent(self, directory):
        return subprocess.run(["/usr/bin/python3", VERIFIER, directory], capture_output=True,
                              text=True, timeout=obhut.LIMIT_S)

    def checkpoints(self):
        text = (self.data / "audit/checkpoints").read_text()
        return re.findall(r".*?\n\n— [^\n]*\n", text, re.S)

    # -- verify ---------------------------------------------------------------------------------

    def test_a_copy_elsewhere_verifies_by_two_programs_that_share_nothing(self):
        self.make(23)
        copy = self.elsewhere()
        report = self.verify(copy)
        self.assertEqual((report["fine"], report["entries"], report["sealed"],
                          report["checkpoints"], report["strangers"]), (True, 23, 23, 6, 0))
        out, _ = self.run_obhut("audit", "verify", copy)
        self.assertIn("right: 23 entries", out)
        self.assertIn("trusted because it lies beside the log", out)
        self.assertIn((copy / "key").read_text().strip(), out)
        done = self.independent(copy)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("23 entries are what was signed, 0 are not yet sealed", done.stdout)

    def test_both_programs_find_every_byte_that_is_changed(self):
        self.make(6)
        copy = self.elsewhere()
        numbers = random.Random(5)
        for name in ("log", "checkpoints", "key"):
            good = (copy / name).read_bytes()
            for _ in range(25 if not obhut.SANITIZED else 5):
                at = numbers.randrange(len(good))
                bad = bytearray(good)
                bad[at] ^= 1 << numbers.randrange(8)
                (copy / name).write_bytes(bad)
                problem = self.verify(copy, code=1)["problem"]
                self.assertEqual(problem["file"], name)
                self.assertLessEqual(problem["offset"], at)
                self.assertNotEqual(self.independent(copy).returncode, 0, f"{name}, byte {at}")
            (copy / name).write_bytes(good)
        self.verify(copy)

    def test_damage_is_named_by_file_byte_and_entry(self):
        self.make(10)
        log = self.data / "audit/log"
        lines = log.read_bytes().splitlines(keepends=True)
        lines[6] = lines[6].replace(b"hotline", b"coldline"[:7])
        log.write_bytes(b"".join(lines))
        at = len(b"".join(lines[:6])) + 65
        out, _ = self.run_obhut("audit", "verify", code=1)
        self.assertIn(f"WRONG: log, byte {at}, entry 6: ", out)
        self.assertIn("the entry was changed", out)
        self.assertIn("before that: 6 entries and 2 checkpoints", out)
        self.assertIn("audit verify", self.run_obhut("audit", "show", code=1)[1])

    def test_entries_behind_the_last_checkpoint_are_not_yet_sealed(self):
        self.make(5)
        self.append('cause.ended {"cause":1}', "leave")
        out, _ = self.run_obhut("audit", "verify")
        self.assertIn("not yet sealed: 1 entry behind", out)
        self.assertEqual(self.verify()["unsealed"], 1)
        self.assertIn("5 entries are what was signed, 1 are not yet sealed",
                      self.independent(self.data / "audit").stdout)

    def test_a_cut_to_an_older_checkpoint_is_found_by_a_later_one_that_was_kept(self):
        self.make(20)
        notes = self.checkpoints()
        kept = self.write("kept.note", self.run_obhut("audit", "checkpoint")[0])
        self.assertEqual(kept.read_text(), notes[-1])
        copy = self.elsewhere()
        self.assertEqual(self.run_obhut("audit", "checkpoint", copy)[0], notes[-1])
        self.assertTrue(self.verify("--since", kept, copy)["fine"])
        length = int(re.search(r"^bytes (\d+)$", notes[2], re.M)[1])
        os.truncate(copy / "log", length)
        (copy / "checkpoints").write_text("".join(notes[:3]))
        self.assertTrue(self.verify(copy)["fine"])
        self.assertEqual(self.verify("--since", kept, copy, code=1)["problem"]["file"], "since")

    def test_a_log_that_was_written_anew_is_found_by_the_key_that_was_kept(self):
        self.make(5)
        kept_key = self.write("kept.key", (self.data / "audit/key").read_bytes())
        kept = self.write("kept.note", self.checkpoints()[-1])
        shutil.rmtree(self.data)
        self.data.mkdir()
        self.make(5)
        self.verify()
        self.assertEqual(self.verify("--key", kept_key, code=1)["problem"]["file"], "key")
        self.assertEqual(self.verify("--since", kept, code=1)["problem"]["file"], "since")

    def test_a_file_that_does_not_belong_there_is_named(self):
        self.make(2)
        (self.data / "audit/notes.txt").write_text("x")
        out, _ = self.run_obhut("audit", "verify")
        self.assertIn("besides: notes.txt", out)

    def test_where_no_log_is_the_exit_code_is_that_of_a_failure(self):
        _, err = self.run_obhut("audit", "verify", self.dir / "nothing", code=3)
        self.assertIn("no audit log", err)
        self.run_obhut("audit", "verify", self.dir, code=3)
        self.make(1)
        bad = self.write("bad.key", "no key\n")
        self.run_obhut("audit", "verify", "--key", bad, code=3)
        (self.data / "audit/log").unlink()
        self.assertEqual(self.verify(code=1)["problem"]["file"], "log")

    # -- show, search ---------------------------------------------------------------------------

    def test_show_prints_lines_that_a_person_reads(self):
        self.make(6)
        self.append(f"cause.told {NEXT}")
        out, _ = self.run_obhut("audit", "show")
        lines = out.splitlines()
        self.assertEqual(len(lines), 7)
        self.assertRegex(lines[1], r"^1 +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  cause.begun  "
                                   r"value: 1, list: hotline$")
        self.assertIn("account: 9f2c, days: 30, reason: Grüße  [31m", lines[6])
        self.assertNotIn("\x1b", out)

    def test_show_takes_a_range_and_the_beginning_of_a_word(self):
        self.make(20)
        numbers = [e["n"] for e in self.json_lines("audit", "show", "--from", "4", "--to", "8",
                                                   "--json")]
        self.assertEqual(numbers, [4, 5, 6, 7, 8])
        for entry in self.json_lines("audit", "show", "--what", "cause", "--json"):
            self.assertEqual(entry["what"], "cause.begun")
        self.assertEqual(self.run_obhut("audit", "show", "--from", "99")[0], "")
        raw = (self.data / "audit/log").read_text().splitlines()
        self.assertEqual(self.run_obhut("audit", "show", "--json")[0].splitlines(),
                         [line[65:] for line in raw])

    def test_search_finds_what_has_all_words_and_lies_between_the_times(self):
        self.make(20)
        self.append(f"cause.told {NEXT}")
        find = lambda *a: [e["n"] for e in self.json_lines("audit", "search", "--json", *a)]
        self.assertEqual(find("--word", "HOTLINE", "--word", "value: 7"), [7])
        self.assertEqual(find("--word", "cause.told"), [20])
        self.assertEqual(find("--word", "nowhere"), [])
        self.assertEqual(find("--what", "list"), [0, 3, 6, 9, 12, 15, 18])
        self.assertEqual(find("--before", "2020"), [])
        self.assertEqual(len(find("--after", "2020-01-01T00:00")), 21)
        self.assertEqual(find("--after", "2999-12"), [])

    def test_search_finds_a_person_by_name_though_the_log_has_none(self):
        self.run_obhut("person", "add", "hedwig", "--role", "lead")
        self.run_obhut("person", "add", "wilma", "--role", "reviewer")
        self.assertNotIn("hedwig", (self.data / "audit/log").read_text())
        out, _ = self.run_obhut("audit", "search", "--person", "hedwig")
        self.assertRegex(out, r"^0 .* person\.add .*role: lead.*\n(2 .* looked .*\n)?$")
        self.run_obhut("audit", "search", "--person", "eve", code=3)

    # -- faults ---------------------------------------------------------------------------------

    def test_whatever_allocation_or_call_of_a_file_fails_what_was_acknowledged_is_there(self):
        tests = pathlib.Path(obhut.BINARY).parent / "tests"
        done = subprocess.run([tests / "audit-faults"], capture_output=True, text=True, timeout=obhut.LIMIT_S,
                              env=dict(os.environ, **obhut.allocations_may_fail()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        counts = [int(n) for n in re.findall(r"(\d+) faults", done.stdout)]
        self.assertEqual(len(counts), 4 if obhut.SANITIZED else 6, done.stdout)
        self.assertGreater(min(counts), 10, done.stdout)

    # -- prove ----------------------------------------------------------------------------------

    def test_a_proof_holds_with_nothing_but_the_key(self):
        audit = self.make(20)
        key = self.write("kept.key", (audit / "key").read_bytes())
        proof = self.write("seven.tlog-proof", self.run_obhut("audit", "prove", "7")[0])
        kept = self.write("kept.note", self.checkpoints()[2])
        growth = self.write("growth.proof", self.run_obhut("audit", "prove", "--since", kept)[0])
        shutil.rmtree(self.data)
        out, _ = self.run_obhut("audit", "verify", "--proof", proof, "--key", key)
        self.assertIn("right: entry 7 is one of the 20", out)
        self.assertIn("cause.begun  value: 7, list: hotline", out)
        out, _ = self.run_obhut("audit", "verify", "--proof", growth, "--key", key)
        self.assertIn("right: the 10 entries", out)
        line, = self.json_lines("audit", "verify", "--proof", proof, "--key", key, "--json")
        self.assertEqual((line["entry"], line["text"]["value"]), (7, 7))
        text = pathlib.Path(proof).read_text()
        self.assertTrue(text.startswith("c2sp.org/tlog-proof@v1\nextra "))
        self.write("seven.tlog-proof", text.replace("index 7", "index 8"))
        self.run_obhut("audit", "verify", "--proof", proof, "--key", key, code=1)
        self.run_obhut("audit", "verify", "--proof", growth, code=3)  # no key there

    def test_what_is_not_sealed_is_not_proven(self):
        self.make(5)
        self.append("word", "leave")
        self.assertIn("last checkpoint", self.run_obhut("audit", "prove", "5", code=3)[1])
        self.run_obhut("audit", "prove", "4")

    # -- usage ----------------------------------------------------------------------------------

    def test_wrong_usage_is_said(self):
        self.make(1)
        for arguments in ([], ["burn"], ["prove"], ["prove", "x"], ["show", "--from", "x"],
                          ["show", "--since", "x"], ["verify", "a", "b"], ["search", "--after", "now"],
                          ["verify", "--nothing"], ["verify", "--proof", "a", "--since", "b"]):
            self.assertTrue(self.run_obhut("audit", *arguments, code=2)[1])
        self.assertIn("obhut audit verify", self.run_obhut("audit", "--help")[0])
        self.assertIn("obhut audit verify", self.run_obhut("audit", "show", "--help")[0])

    def test_the_verifier_that_the_page_prints_is_the_one_that_is_run(self):
        page = (obhut.ROOT / "docs/AUDIT.md").read_text()
        self.assertIn("```python\n" + VERIFIER.read_text().rstrip() + "\n```", page)
        self.assertLessEqual(len([line for line in VERIFIER.read_text().split("def sha")[1].splitlines()
                                  if line.strip()]), 50)


if __name__ == "__main__":
    unittest.main()
