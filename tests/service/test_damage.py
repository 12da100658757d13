"""What a wrong bit, a cut, an absence, an older copy, a pipe or a giant does to the log, the keys and the
records' file: refused with a sentence that names the file, or named by `obhut check` and harmless. The log is
judged as tests/audit/verify.py does."""
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

import damage
import faults
import obhutd
import waiting

LISTS = ("lists/known.obx", "lists.state")
PLAIN = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()


def group_of(number):
    """Processes of a group that run."""
    every = [obhutd.stat_of(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [fields for fields in every if fields and int(fields[2]) == number and fields[0] != "Z"]


class Damage(damage.Case):
    def test_all_that_is_right_is_told_to_be_right_with_a_service_and_without(self):
        said = self.check(0)
        for name in ("keys/audit", "keys/pseudonym", "keys/api-token", "lock", "obhut.db", "records", "audit",
                     "lists/known.obx", "lists"):
            self.assertRegex(said, f"(?m)^right  {name}")
        self.begin()
        self.assertIn(" 0 wrong", self.check(0))

    def test_every_damage_to_a_list_and_to_what_lists_must_have_lets_nothing_through(self):
        self.every(self.at_start, LISTS, 2)
        self.every(self.while_it_runs, LISTS, 2)

    def test_json_says_file_by_file_what_is_right_and_what_is_not(self):
        found = json.loads(self.run_obhut("check", "--json")[0])
        self.assertEqual(set(found), {"files", "right", "wrong", "unread"})
        self.assertEqual((found["right"], found["wrong"], found["unread"]), (len(found["files"]), 0, 0))
        self.assertTrue(all(file == {"file": file["file"], "right": True} for file in found["files"]))
        (self.data / "keys/audit").write_bytes(b"")
        found = json.loads(self.run_obhut("check", "--json", code=1)[0])
        wrong, = [file for file in found["files"] if file["right"] is not True]
        self.assertEqual((wrong["file"], wrong["right"], found["wrong"]), ("keys/audit", False, 1))
        self.assertIn("not a key of 32 bytes", wrong["problem"])

    def test_a_list_and_a_configuration_are_read_too(self):
        good, bad = self.write("good.conf", "decoders = 2\n"), self.write("bad.conf", "decoder = 2\n")
        self.assertIn("right  " + str(good), self.run_obhut("check", "--config", good)[0])
        self.assertRegex(self.run_obhut("check", "--config", bad, code=1)[0], r"WRONG  .*line 1.*\"decoders\"")
        good.chmod(0o666)
        self.assertIn("open to others", self.run_obhut("check", "--config", good, code=1)[0])
        os.mkfifo(self.dir / "pipe")
        self.assertIn("a pipe", self.run_obhut("check", "--config", self.dir / "pipe", code=1)[0])
        known = self.data / "lists/known.obx"
        content = bytearray(known.read_bytes())
        content[len(content) // 2] ^= 1
        known.write_bytes(bytes(content))
        self.assertRegex(self.check(1), "(?m)^WRONG  lists/known.obx: .*known")

    def test_records_that_do_not_fit_their_index_are_told_to_be_damaged(self):
        records = self.data / "obhut.db"
        with contextlib.closing(sqlite3.connect(records)) as db:
            root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'member'").fetchone()
            size, = db.execute("PRAGMA page_size").fetchone()
        content = bytearray(records.read_bytes())
        at = root * size - 1  # the end of the page: the first entry's last column
        content[at - 8] ^= 1
        records.write_bytes(bytes(content))
        self.assertRegex(self.check(1), "(?m)^WRONG  records.*damaged")

    def test_a_check_changes_nothing_and_leaves_records_of_an_older_version_as_they_are(self):
        records = self.data / "obhut.db"
        with contextlib.closing(sqlite3.connect(records)) as db:
            version, = db.execute("PRAGMA user_version").fetchone()
            db.executescript("ALTER TABLE gateway DROP COLUMN review_passes;"
                             "ALTER TABLE gateway DROP COLUMN damaged_passes;"
                             f"PRAGMA user_version = {version - 1}")
        files = {path: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        self.assertRegex(self.check(0), "(?m)^unread records.*older version")
        self.assertIn("right", self.run_obhut("audit", "verify")[0])
        self.assertEqual({path: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}, files)
        self.begin().stop()
        self.assertNotIn("unread ", self.check(0))

    def test_an_older_copy_of_all_lists_is_told_and_not_believed_until_somebody_says_so(self):
        self.lists_put_back()

    def test_every_damage_to_every_file_is_refused_or_named_and_harmless(self):
        self.every(self.at_start, self.files(), 3)

    def test_every_damage_to_every_file_under_a_running_service_is_refused_or_named_and_harmless(self):
        self.every(self.while_it_runs, self.files(), 3)

    def test_a_log_that_was_cut_back_and_written_anew_is_never_signed(self):
        notes = self.data / "audit/checkpoints"
        parts = re.split(r"(?<=\n)(?=obhut-log-[0-9a-f]{16}\n)", notes.read_text())
        notes.write_text("".join(parts[:2]))
        log = self.data / "audit/log"
        lines = log.read_text().split("\n")
        for i, line in enumerate(lines):
            if '"token.remove"' in line:
                entry = line[65:].replace("token.remove", "token.kept")
                lines[i] = hashlib.sha256(b"\0" + entry.encode()).hexdigest() + " " + entry
        log.write_text("\n".join(lines))
        before = notes.read_bytes()
        self.assertIn("audit/checkpoints, byte", self.refusal())
        self.assertEqual(notes.read_bytes(), before)
        self.assertIn("WRONG", self.run_obhut("audit", "verify", code=1)[0])
        self.assertIn("WRONG  audit/checkpoints", self.check(1))

    def test_an_entry_behind_a_log_that_was_closed_is_refused(self):
        log = self.data / "audit/log"
        last = json.loads(log.read_text().splitlines()[-1][65:])
        last["n"] += 1
        entry = json.dumps(last, separators=(",", ":"))
        with log.open("a") as out:
            out.write(hashlib.sha256(b"\0" + entry.encode()).hexdigest() + " " + entry + "\n")
        before = log.read_bytes()
        self.assertIn("not appended by this service", self.refusal())
        self.assertEqual(log.read_bytes(), before)
        self.assertIn("WRONG", self.run_obhut("audit", "verify", code=1)[0])

    def test_entries_that_were_not_signed_when_the_service_was_killed_are_told_and_counted(self):
        service = self.begin()
        self.run_obhut("token", "add", "three", "--surface", "public", "--scope", "scan")
        core = service.processes()["core"]
        service.process.kill()
        waiting.until(lambda: not obhutd.is_ours(core), "the core ends")
        again = self.begin()
        self.assertTrue(any("log.unsealed" in line for line in again.log), again.log)
        again.stop()
        told, = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()
                 if '"log.unsealed"' in line]
        self.assertGreaterEqual(told["entries"], 2)
        self.assertIn("right", self.run_obhut("audit", "verify")[0])

    # ---- ends and starts that are healthy

    def test_a_service_that_ends_while_its_log_comes_back_starts_again(self):
        """The log says that it goes on; at the end the records say that nothing goes on."""
        for pause in (0.6, 0.75, 0.9):
            slow = faults.Faults(self.dir)
            slow.set("clock:+0", wait=False)
            service = self.start(**slow.options)
            slow.set("write:audit/log:errno=28")
            self.run_obhut("token", "add", "more", "--surface", "public", "--scope", "scan", code=3)
            time.sleep(pause)
            slow.set("sync:obhut.db:delay=400")
            service.stop()
            self.run_obhut("audit", "verify")
            self.begin().stop()

    def test_a_start_that_is_killed_at_any_sync_of_the_records_is_followed_by_one_that_is_not(self):
        slow = faults.Faults(self.dir)
        slow.set("clock:+0", wait=False)
        service = self.start(**slow.options)
        slow.set("rename:more.obx:hold")
        more = self.write("more.jsonl", self.list_of(obhutd.DEMO / "rocket-640x427.jpg", id="m") + "\n")
        importing = threading.Thread(target=self.run_obhut, kwargs={"code": None},
                                     args=("list", "import", more, "--name", "more"))
        importing.start()
        slow.until_waiting(0)
        slow.set("write:audit/log:errno=28")  # how it ended cannot be said
        importing.join()
        slow.set("clock:+0")
        service.stop()
        kept = self.dir / "kept"
        shutil.copytree(self.data, kept, ignore=shutil.ignore_patterns("run"))
        for nth in range(1, 5):
            shutil.rmtree(self.data)
            shutil.copytree(kept, self.data)
            slow.set(f"sync:obhut.db-wal:hold,nth={nth}", wait=False)
            started = subprocess.Popen([slow.options["program"], "--data", self.data, *obhutd.listening()],
                                       env=slow.options["environment"], stdin=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
            slow.until(lambda: slow.seen()[0] == f"sync:obhut.db-wal:hold,nth={nth}" and slow.seen()[1][1],
                       f"the sync {nth}")
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()
            waiting.until(lambda: not group_of(started.pid), "nobody has the directory")
            self.begin().stop()

    def test_another_key_of_pseudonyms_or_none_is_refused_and_none_is_made(self):
        key = self.data / "keys/pseudonym"
        kept = key.read_bytes()
        for changed in (bytes([kept[0] ^ 1]) + kept[1:], bytes(32), b"", kept + b"x", None):
            key.unlink(missing_ok=True)
            if changed is not None:
                key.write_bytes(changed)
                key.chmod(0o600)
            self.assertIn("keys/pseudonym", self.refusal())
            self.assertEqual(key.read_bytes() if key.exists() else None, changed)
        key.write_bytes(kept)
        key.chmod(0o600)
        service = self.begin()
        self.assertEqual(service.json("DELETE", "/v1/accounts/anna/consents", token=self.consents)["conversations"], 1)

    def test_parts_of_another_directory_or_of_an_older_backup_are_refused_by_name(self):
        self.whole, other = self.data, self.dir / "other"
        self.data = other
        self.begin().stop()
        self.run_obhut("token", "add", "one", "--surface", "public", "--scope", "scan")
        for source in (other, self.old):
            for parts in (("audit/checkpoints",), ("audit/log",), ("audit/log", "audit/checkpoints"), ("audit",),
                          ("keys/audit",), ("keys/pseudonym",), ("keys",), ("audit", "keys"), ("obhut.db",),
                          ("obhut.db", "keys"), ("obhut.db", "keys/audit"), ("obhut.db", "audit/checkpoints")):
                with self.subTest(source=source.name, parts=parts):
                    self.mix(source, parts)

    def mix(self, source, parts):
        data = self.copy("one")
        differs = False
        for part in parts:
            to, path = data / part, source / part
            if path.is_dir():
                differs |= any(f.read_bytes() != (to / f.name).read_bytes() for f in path.iterdir())
                shutil.rmtree(to)
                shutil.copytree(path, to)
            else:
                differs |= path.read_bytes() != to.read_bytes()
                shutil.copy(path, to)
        if not differs:  # an older backup has the same keys
            return
        before = self.state(data)
        said = self.refusal()
        self.assertRegex(said, "backup|audit verify|keys/audit|keys/pseudonym")
        self.assertEqual(self.state(data), before)
        self.assertRegex(self.run_obhut("check", code=1)[0], "(?m)^WRONG  (records|audit|keys)")

    def test_pipes_are_refused_at_once(self):
        for name in ("keys/audit", "keys/pseudonym", "audit/log", "audit/checkpoints", "obhut.db"):
            path = self.data / name
            path.rename(self.dir / "away")
            os.mkfifo(path, 0o600)
            self.assertIn(path.name, self.refusal())
            path.unlink()
            (self.dir / "away").rename(path)

    def test_a_directory_that_is_something_else_or_not_there_is_refused_and_not_made_anew(self):
        away = self.dir / "away"
        for name in ("keys", "audit"):
            path = self.data / name
            path.rename(away)
            for make in (lambda: None, lambda: os.mkfifo(path), lambda: path.write_bytes(b""),
                         lambda: path.symlink_to(away), lambda: path.symlink_to("/nonexistent/disk"),
                         lambda: path.mkdir(0o700)):
                make()
                self.assertIn(name, self.refusal())
                self.assertIn("WRONG  ", self.check(1))
                if path.is_dir() and not path.is_symlink():
                    self.assertEqual(list(path.iterdir()), [])
                    path.rmdir()
                elif os.path.lexists(path):
                    path.unlink()
            away.rename(path)
        self.begin()

    def test_records_that_are_gone_beside_their_log_are_refused_and_not_made_anew(self):
        for file in self.data.glob("obhut.db*"):
            file.rename(self.dir / file.name)
        self.assertIn("obhut.db is missing, and the log beside it shows that there were records", self.refusal())
        self.assertRegex(self.check(1), "(?m)^WRONG  records.*obhut.db is missing")
        self.assertEqual([*self.data.glob("obhut.db*")], [])
        for file in self.dir.glob("obhut.db*"):
            file.rename(self.data / file.name)
        self.begin()

    def test_the_services_own_token_must_be_what_the_records_know_and_for_its_owner(self):
        own = self.data / "keys/api-token"
        kept = own.read_bytes()
        for changed in (b"", b"x" * 43, kept + b"x", kept + kept):
            own.write_bytes(changed)
            self.assertRegex(self.refusal(), "keys/api-token is not the token .* makes a new token")
        own.write_bytes(kept)
        own.chmod(0o640)
        self.assertIn("keys/api-token has mode 0640, open to others", self.refusal())
        own.unlink()
        own.symlink_to("/nonexistent/disk")
        self.assertIn("keys/api-token is a link", self.refusal())
        own.unlink()
        service = self.begin()
        self.assertNotEqual(own.read_bytes(), kept)
        self.assertEqual(service.scan(damage.LISTED.read_bytes())["action"], "block")

    def test_what_others_may_write_is_refused_with_how_to_mend_it(self):
        for name in ("", "keys", "audit", "lists"):
            path = self.data / name
            path.chmod(0o777)
            self.assertIn("chmod go-w", self.refusal())
            self.assertRegex(self.check(1), rf"(?m)^WRONG  {name or '.'}.*chmod go-w")
            path.chmod(0o700)
        self.begin()

    def test_acts_are_refused_while_the_log_is_not_in_its_place(self):
        service = self.begin()
        audit, away = self.data / "audit", self.dir / "away"

        def act(code):
            return self.run_obhut("token", "add", f"t{random.getrandbits(40)}", "--surface", "public", "--scope",
                                  "scan", code=code)[1]
        act(0)
        audit.rename(away)
        self.assertIn("gone from its place", act(3))
        told = service.json("DELETE", "/v1/accounts/anna/consents", status=503, token=self.consents)
        self.assertEqual((told["action"], told["reason"]), ("could_not", "LOG"))
        told = waiting.until(lambda: service.scan(PLAIN, status=(200, 503)).get("reason"),
                             "nothing is looked at that cannot be logged")
        self.assertEqual(told, "LOG")
        shutil.copytree(away, audit)
        self.assertIn("exchanged", act(3))
        shutil.rmtree(audit)
        away.rename(audit)
        act(0)
        waiting.until(lambda: service.scan(PLAIN, status=(200, 503))["action"] == "allow", "it is looked at again")
        size = (audit / "log").stat().st_size
        with (audit / "log").open("ab") as out:
            out.write(b"x")
        self.assertIn("somebody else changes it", act(3))
        os.truncate(audit / "log", size)
        act(0)
        service.stop()
        self.assertIn("right", self.run_obhut("audit", "verify")[0])



if __name__ == "__main__":
    unittest.main()
