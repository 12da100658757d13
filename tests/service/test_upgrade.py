"""Directories that the version of 2026-11-25 made are taken over: one whose service had stopped and one whose
service was killed, with a list and its journal, records, consents, a token and entries that nobody signed.

The log is judged as tests/audit/verify.py does. older.tar.xz has both; it is never made anew."""
import json
import pathlib
import shutil
import tarfile
import unittest

import damage
import obhutd
import waiting

OLDER = pathlib.Path(__file__).with_name("older.tar.xz")
PLAIN = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()


class Upgrade(obhutd.Case):
    def setUp(self):
        super().setUp()
        with tarfile.open(OLDER) as archive:
            archive.extractall(self.dir)
        for path in self.dir.rglob("*"):  # whoever runs the test owns them
            path.chmod(0o700 if path.is_dir() else 0o600)

    def take(self, name):
        self.data = self.dir / name
        self.consents = (self.data / "consents-token").read_text().strip()
        self.before = (self.data / "audit/log").read_bytes()

    def start_blocking(self):
        return self.start(*self.configure('action-one-source = "block"\n'))

    def use(self, service):
        for picture in (damage.LISTED.read_bytes(), PLAIN):  # of the list and of its journal
            self.assertEqual(service.scan(picture)["action"], "block")
        self.run_obhut("token", "add", "new", "--surface", "public", "--scope", "scan")
        told = service.json("DELETE", "/v1/accounts/anna/consents", token=self.consents)
        self.assertEqual(told["conversations"], 1)

    def take_over(self, name):
        self.take(name)
        self.assertRegex(self.run_obhut("check")[0], "(?m)^unread records")
        service = self.start_blocking()
        self.use(service)
        self.assertIn(" 0 wrong", self.run_obhut("check")[0])
        service.stop()
        self.assertTrue((self.data / "audit/log").read_bytes().startswith(self.before))
        self.assertIn("right", self.run_obhut("audit", "verify")[0])
        self.assertIn(" 0 wrong", self.run_obhut("check")[0])
        for told in ("reports", "talks", "new"):
            self.assertIn(told, self.run_obhut("token", "ls")[0])

    def test_a_directory_whose_service_had_stopped_is_taken_over_with_all_that_it_has(self):
        self.take_over("stopped")

    def test_a_directory_whose_service_was_killed_is_taken_over_with_what_nobody_had_signed(self):
        self.take_over("killed")

    def test_from_then_on_the_records_know_log_and_key(self):
        self.take_over("stopped")
        key, log = self.data / "keys/pseudonym", self.data / "audit"
        shutil.copytree(log, self.dir / "kept")
        kept = key.read_bytes()
        key.write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
        with self.assertRaisesRegex(AssertionError, "not the key that the records were made with"):
            self.start_blocking()
        key.write_bytes(kept)
        with tarfile.open(OLDER) as archive:  # the log as it was before
            for name in ("log", "checkpoints"):
                (log / name).write_bytes(archive.extractfile(f"stopped/audit/{name}").read())
        with self.assertRaisesRegex(AssertionError, "audit/checkpoints, byte"):
            self.start_blocking()

    def test_a_kill_right_after_is_survived(self):
        self.take("killed")
        service = self.start_blocking()
        self.use(service)
        core = service.processes()["core"]
        service.process.kill()
        waiting.until(lambda: not obhutd.is_ours(core), "the core ends")
        again = self.start_blocking()
        again.stop()
        entries = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()]
        self.assertIn("log.unsealed", [entry["what"] for entry in entries])
        self.assertIn("right", self.run_obhut("audit", "verify")[0])


if __name__ == "__main__":
    unittest.main()
