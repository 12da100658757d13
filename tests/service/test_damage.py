"""What a wrong bit, a cut, an absence, an older copy, a pipe or a giant does to the log, the keys and the
records' file: refused with a sentence that names the file, or named by `obhut check` and harmless."""
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import unittest

import obhutd

import waiting

FILES = ("audit/log", "audit/checkpoints", "audit/key", "keys/audit", "keys/pseudonym", "keys/api-token",
         "lock", "obhut.db")
GIANT = 1 << 40


def flip(at):
    def damage(path, old):
        data = bytearray(path.read_bytes())
        if not data:
            return False
        place = min(len(data) - 1, int(len(data) * at))
        data[place] ^= 1
        path.write_bytes(bytes(data))
        return True
    return damage


def rewrite(make):
    def damage(path, old):
        data = path.read_bytes()
        new = make(data)
        path.write_bytes(new)
        return new != data
    return damage


def replace(make):
    def damage(path, old):
        away = path.with_name(path.name + ".away")
        path.rename(away)
        make(path, away)
        return True
    return damage


def older(path, old):
    data = old.read_bytes()
    differs = data != path.read_bytes()
    path.write_bytes(data)
    return differs


def giant(path, old):
    os.truncate(path, GIANT)
    return True


def open_to_all(path, old):
    path.chmod(0o666)
    return True


JUNK = random.Random(14).randbytes(700)
DAMAGES = {
    "a bit at the beginning": flip(0), "a bit in the first third": flip(0.3), "a bit in the middle": flip(0.5),
    "the last bit": flip(1), "empty": rewrite(lambda d: b""), "half": rewrite(lambda d: d[:len(d) // 2]),
    "without its last byte": rewrite(lambda d: d[:-1]), "without its last 100 bytes": rewrite(lambda d: d[:-100]),
    "zeros": rewrite(lambda d: bytes(len(d))), "zeros from the middle": rewrite(lambda d: d[:len(d) // 2] + bytes(
        len(d) - len(d) // 2)),
    "junk": rewrite(lambda d: JUNK), "junk behind it": rewrite(lambda d: d + JUNK),
    "zeros behind it": rewrite(lambda d: d + bytes(512)), "doubled": rewrite(lambda d: d + d),
    "missing": replace(lambda path, away: None), "older": older,
    "a pipe": replace(lambda path, away: os.mkfifo(path, 0o600)),
    "a directory": replace(lambda path, away: path.mkdir(0o700)),
    "a link": replace(lambda path, away: path.symlink_to(away)),
    "a link to nothing": replace(lambda path, away: path.symlink_to("/nonexistent/disk")),
    "a giant": giant, "open to all": open_to_all,
}

# What changes nothing that anybody relies on: a lock has no contents, a database of its own checksums is told of
# by whoever reads it, and a token can be made anew.
HARMLESS = {"lock", "keys/api-token", "obhut.db"}


class Damage(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.service = self.start()
        self.run_obhut("token", "add", "one", "--surface", "public", "--scope", "scan")
        self.service.stop()
        self.old = self.dir / "old"
        shutil.copytree(self.data, self.old, ignore=shutil.ignore_patterns("run"))
        self.service = self.start()
        self.consents = self.run_obhut("token", "add", "two", "--surface", "direct", "--scope", "consents")[0].split()[-1]
        self.service.json("PUT", "/v1/conversations/c1/members",
                          {"members": [{"account": a, "consents": True} for a in ("anna", "bert")], "free": True},
                          token=self.consents)
        self.run_obhut("token", "remove", "one")
        self.service.stop()
        self.whole = self.data

    def copy(self, name):
        self.data = self.dir / name
        shutil.copytree(self.whole, self.data, ignore=shutil.ignore_patterns("run"))
        return self.data

    def refusal(self):
        """What a start says that is refused."""
        with self.assertRaises(AssertionError) as refused:
            self.start()
        return str(refused.exception)

    def open(self):
        """As a start opens everything: (whether it did, what it said)."""
        done = subprocess.run([self.binary, "--data", str(self.data), "token", "ls"], capture_output=True,
                              text=True, errors="replace", timeout=waiting.LIMIT_S)
        return done.returncode == 0, done.stderr

    def check(self, code):
        return self.run_obhut("check", code=code)[0]

    def test_all_that_is_right_is_told_to_be_right_with_a_service_and_without(self):
        said = self.check(0)
        for name in ("keys/audit", "keys/pseudonym", "keys/api-token", "lock", "obhut.db", "records", "audit"):
            self.assertRegex(said, f"(?m)^right  {name}")
        self.start()
        self.assertIn(" 0 wrong", self.check(0))

    def one(self, file, what, damage):
        shutil.rmtree(self.dir / "one", ignore_errors=True)
        data = self.copy("one")
        kept = {name: (data / name).read_bytes() for name in FILES}
        if not damage(data / file, self.old / file):
            return
        started, said = self.open()
        if not started:
            name = "obhut.db" if file == "obhut.db" else pathlib.Path(file).name
            self.assertRegex(said, f"{name}|records|lists", f"{file}, {what}")
            return
        if file == "audit/log":  # no entry that was signed is another one, unless it is told
            same = (data / file).read_bytes().startswith(kept[file])
            if not same:
                self.assertRegex(self.check(1), "(?m)^WRONG  audit/", f"{file}, {what}")
        elif file == "audit/checkpoints":
            if not (data / file).read_bytes().startswith(kept[file]):
                self.assertRegex(self.check(1), "(?m)^WRONG  audit/", f"{file}, {what}")
        elif file not in HARMLESS:
            self.assertEqual((data / file).read_bytes(), kept[file], f"{file}, {what}: taken")

    def test_every_damage_to_every_file_is_refused_or_named_and_harmless(self):
        for file in FILES:
            for what, damage in DAMAGES.items():
                with self.subTest(file=file, what=what):
                    self.one(file, what, damage)

    def one_while_it_runs(self, file, what, damage):
        """The service lives, an act is done or refused, and what is wrong with the log is named."""
        shutil.rmtree(self.dir / "one", ignore_errors=True)
        data = self.copy("one")
        service = self.start()
        if not damage(data / file, self.old / file):
            self.end(service)
            return
        done = subprocess.run([self.binary, "--data", str(data), "token", "add", "x", "--surface", "public", "--scope",
                               "scan"], capture_output=True, text=True, errors="replace", timeout=waiting.LIMIT_S)
        self.assertIn(done.returncode, (0, 3))
        if done.returncode == 3:
            self.assertRegex(done.stderr, pathlib.Path(file).name)
        self.assertEqual(service.request("GET", "/healthz", token=False)[0], 200)
        if file.startswith("audit/"):
            self.check(1)
        self.end(service)
        if file.startswith("audit/"):
            started, said = self.open()
            if started:  # what had no end was cut off, and the log says so; or it is still wrong
                self.assertTrue("WRONG" in self.run_obhut("check", code=None)[0] or
                                b'"log.repaired"' in (data / "audit/log").read_bytes(), what)
            else:
                self.assertRegex(said, "audit|" + pathlib.Path(file).name)

    def test_every_damage_to_the_log_under_a_running_service_is_refused_or_named(self):
        for file in ("audit/log", "audit/checkpoints"):
            for what, damage in DAMAGES.items():
                with self.subTest(file=file, what=what):
                    self.one_while_it_runs(file, what, damage)

    def test_keys_that_are_damaged_under_a_running_service_change_nothing(self):
        for file in ("keys/audit", "keys/pseudonym", "keys/api-token"):
            for what in ("a bit in the middle", "empty", "missing", "a pipe"):
                with self.subTest(file=file, what=what):
                    self.one_while_it_runs(file, what, DAMAGES[what])

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
        service = self.start()
        self.run_obhut("token", "add", "three", "--surface", "public", "--scope", "scan")
        core = service.processes()["core"]
        service.process.kill()
        waiting.until(lambda: not obhutd.is_ours(core), "the core ends")
        again = self.start()
        self.assertTrue(any("log.unsealed" in line for line in again.log), again.log)
        again.stop()
        told, = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()
                 if '"log.unsealed"' in line]
        self.assertGreaterEqual(told["entries"], 2)
        self.assertIn("right", self.run_obhut("audit", "verify")[0])

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
        service = self.start()
        self.assertEqual(service.json("DELETE", "/v1/accounts/anna/consents", token=self.consents)["conversations"], 1)

    def test_pipes_are_refused_at_once(self):
        for name in ("keys/audit", "keys/pseudonym", "audit/log", "audit/checkpoints", "obhut.db"):
            path = self.data / name
            path.rename(self.dir / "away")
            os.mkfifo(path, 0o600)
            self.assertIn(path.name, self.refusal())
            path.unlink()
            (self.dir / "away").rename(path)

    def test_what_others_may_write_is_refused_with_how_to_mend_it(self):
        for name in ("", "keys", "audit"):
            path = self.data / name
            path.chmod(0o777)
            self.assertIn("chmod go-w", self.refusal())
            path.chmod(0o700)
        self.start()

    def test_acts_are_refused_while_the_log_is_not_in_its_place(self):
        service = self.start()
        audit, away = self.data / "audit", self.dir / "away"

        def act(code):
            return self.run_obhut("token", "add", f"t{random.getrandbits(40)}", "--surface", "public", "--scope",
                                  "scan", code=code)[1]
        act(0)
        audit.rename(away)
        self.assertIn("gone from its place", act(3))
        shutil.copytree(away, audit)
        self.assertIn("exchanged", act(3))
        shutil.rmtree(audit)
        away.rename(audit)
        act(0)
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
