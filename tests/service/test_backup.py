"""Backups of a service that works, and what comes of them: the drill."""
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import unittest

import obhutd

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402
import waiting  # noqa: E402


class Load:
    """Reports that come in from several sides, and hashes that are added to a list. `tag`: so that
    nobody reports the same again, which would be one report."""

    def __init__(self, case, service, tag="", sides=4, most=180):
        self.case, self.service, self.tag, self.most = case, service, tag, most
        self.numbers, self.hashes, self.problems = [], [], []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.report, args=(n,)) for n in range(sides)]
        self.threads.append(threading.Thread(target=self.add))
        for thread in self.threads:
            thread.start()

    def report(self, side):
        try:
            for n in range(self.most):
                if self.stopping.is_set():
                    return
                body = {"conversation": f"talk-{side}", "reporter": f"r-{side}",
                        "account": f"a-{side}-{n}", "items": [f"m-{self.tag}{side}-{n}"],
                        "reason": f"side {side}, number {n}{self.tag}"}
                got = self.service.json("POST", "/v1/reports", body, status=201,
                                        token=self.case.told)
                self.numbers.append(got["report"])
        except Exception as problem:  # told of by stop()
            self.problems.append(problem)

    def add(self):
        try:
            for one in obhutd.obhut.hashes(200, seed=77):
                if self.stopping.is_set():
                    return
                self.case.run_obhut("list", "add", "known", one)
                self.hashes.append(one)
        except Exception as problem:
            self.problems.append(problem)

    def wait(self, reports):
        while len(self.numbers) < reports and not self.problems:
            time.sleep(0.01)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.problems:
            raise self.problems[0]


class Drill(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.secret = self.dir / "operator.secret"
        self.key = self.run_obhut("backup", "key", "--out", self.secret)[0].strip()
        self.file = self.dir / "b.obb"
        self.new = self.dir / "new"

    def set_up_service(self):
        """A service with a list and a token for reports."""
        service = self.start()
        self.write("known.jsonl", [self.list_of(obhutd.DEMO / "coffee-2400x1600.jpg", id="1")])
        self.run_obhut("list", "import", self.dir / "known.jsonl")
        self.run_obhut("policy", "set", "country", "DE")
        self.told = self.run_obhut("token", "add", "told", "--surface", "direct", "--scope",
                                   "reports")[0].strip()
        return service

    def found(self, service):
        """Whether the picture of the list is found."""
        return service.scan((obhutd.DEMO / "coffee-2400x1600.jpg").read_bytes())["total"] == 1

    def make(self, **options):
        return self.run_obhut("backup", "make", "--to", self.file, "--key", self.key, "--json",
                              **options)

    def restore(self, into, *more, **options):
        return self.run_obhut("restore", self.file, "--secret", self.secret, "--into", into, *more,
                              **options)

    def look(self, data, *command):
        """The answer of a command about another directory."""
        old, self.data = self.data, data
        try:
            return self.json_lines(*command, "--json")
        finally:
            self.data = old

    def reports(self, data):
        """{number: account's pseudonym}"""
        return {r["report"]: r["account"] for r in self.look(data, "report", "ls")[0]["reports"]}

    def verified(self, data):
        old, self.data = self.data, data
        try:
            self.run_obhut("audit", "verify", data / "audit")
        finally:
            self.data = old

    def entries(self, data):
        return [json.loads(line.split(" ", 1)[1])
                for line in (data / "audit/log").read_text().splitlines()]

    def test_what_was_acknowledged_before_a_backup_began_is_restored(self):
        service = self.set_up_service()
        load = Load(self, service)
        load.wait(60)
        before, listed = set(load.numbers), list(load.hashes)
        made = json.loads(self.make()[0])
        load.wait(len(load.numbers) + 20)  # the service goes on
        load.stop()
        everything = self.reports(self.data)
        out, _ = self.restore(self.new)
        self.assertIn("restored into", out)
        there = self.reports(self.new)
        self.assertLessEqual(before, set(there))
        self.assertEqual(there, {n: everything[n] for n in there})

        # Every report that is there has its entry in the log that came along, and the other way
        # round: they are of one moment.
        entries = self.entries(self.new)
        self.assertEqual([e["n"] for e in entries], list(range(len(entries))))
        told = {e["report"] for e in entries if "report" in e and e["what"].startswith("report")}
        self.assertEqual(told, set(there))
        self.assertEqual(entries[made["audit_entries"]]["what"], "backup.restored")
        self.assertEqual([e["key"] for e in entries if e["what"] == "backup.make"], [self.key])
        self.verified(self.new)

        # Lists, tokens, and a service that goes on where the backup was.
        old, self.data = self.data, self.new
        exported = self.run_obhut("list", "export", "known")[0]
        self.data = old
        for one in listed:
            self.assertIn(one, exported)
        service.stop()
        restored = obhutd.Service(self.new)
        self.addCleanup(self.end, restored)
        self.assertEqual(restored.token, service.token)
        self.assertTrue(self.found(restored))
        body = {"conversation": "t", "reporter": "r", "account": "a", "items": ["m"],
                "reason": "after the restore"}
        new = restored.json("POST", "/v1/reports", body, status=201, token=self.told)["report"]
        self.assertNotIn(new, there)
        restored.stop()
        self.verified(self.new)

    @unittest.skipIf(obhutd.SANITIZED, "the server's part is the same in every build")
    def test_records_move_from_one_kind_of_database_to_the_other_and_back(self):
        service = self.set_up_service()
        load = Load(self, service)
        load.wait(40)
        load.stop()
        reports, tokens = self.reports(self.data), self.look(self.data, "policy", "show")
        self.make()
        service.stop()
        with postgres.shared() as server:
            url = server.url()
            moved = self.dir / "moved"
            self.restore(moved, "--records", url)
            self.assertFalse((moved / "obhut.db").exists())
            self.assertEqual((moved / "records").stat().st_mode & 0o777, 0o600)
            self.assertEqual(self.reports(moved), reports)
            self.assertEqual(self.look(moved, "policy", "show"), tokens)
            _, err = self.restore(self.new, "--records", url, code=3)  # there are records in it
            self.assertNotIn(url, err)
            self.assertFalse(self.new.exists())
            self.data = moved
            service = self.start()
            self.assertTrue(self.found(service))
            load = Load(self, service, "again")
            load.wait(20)
            self.make()
            load.stop()
            more = self.reports(moved)
            self.assertGreater(len(more), len(reports))
            service.stop()
            damaged = self.file.read_bytes()
            self.file.write_bytes(damaged[:-1])  # whatever is wrong with it comes last
            fresh = server.url()
            self.restore(self.new, "--records", fresh, code=3)
            self.assertFalse(self.new.exists())
            self.file.write_bytes(damaged)
            self.restore(self.dir / "again", "--records", fresh)  # it is still empty
        self.restore(self.new)
        self.assertTrue((self.new / "obhut.db").exists())
        self.assertFalse((self.new / "records").exists())
        back = self.reports(self.new)
        self.assertLessEqual(set(reports), set(back))
        self.assertEqual(back, {n: more[n] for n in back})
        self.data = self.new
        service = self.start()
        self.assertTrue(self.found(service))
        service.stop()
        self.verified(self.new)

    def test_a_service_that_is_killed_leaves_no_half_backup(self):
        service = self.set_up_service()
        self.run_obhut("list", "import", self.write("big.txt", obhutd.obhut.hashes(60000)))
        started = time.monotonic()
        self.make()
        whole = time.monotonic() - started
        old = self.file.read_bytes()
        moments = random.Random(3)
        for _ in range(obhutd.obhut.samples("OBHUT_SERVICE_KILLS", 3)):
            command = subprocess.Popen(
                [obhutd.obhut.BINARY, "--data", str(self.data), "backup", "make", "--to",
                 str(self.file), "--key", self.key], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            time.sleep(moments.uniform(0, whole))
            core = service.processes().get("core")
            if core:
                os.kill(core, signal.SIGKILL)
            code = command.wait(waiting.LIMIT_S)
            self.assertIn(code, (0, 3))
            self.assertFalse(pathlib.Path(f"{self.file}.part").exists())
            if code:
                self.assertEqual(self.file.read_bytes(), old)
            self.run_obhut("backup", "show", self.file, "--secret", self.secret)
            old = self.file.read_bytes()
            waiting.until(lambda: self.is_ready(service), "the service is back")
        self.make()
        self.assertEqual([p.name for p in self.data.iterdir() if p.name.startswith(".")], [])
        service.stop()

    def is_ready(self, service):
        try:
            return service.request("GET", "/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def test_a_service_waits_for_nobody_who_does_not_read(self):
        service = self.set_up_service()
        self.run_obhut("list", "import", self.write("big.txt", obhutd.obhut.hashes(30000)))
        command = self.never_read()
        body = {"conversation": "t", "reporter": "r", "account": "a", "items": ["m"],
                "reason": "meanwhile"}
        number = service.json("POST", "/v1/reports", body, status=201, token=self.told)["report"]
        self.run_obhut("list", "add", "known", obhutd.obhut.hashes(1, seed=5)[0])
        self.make()  # another one passes by
        self.assertIn(number, self.reports(self.data))
        command.stdout.close()  # and a reader that goes away ends that one, not the service
        self.assertEqual(command.wait(waiting.LIMIT_S), 3)
        service.json("GET", "/healthz")
        command = self.never_read()
        service.stop()  # all the same
        self.assertEqual(command.wait(waiting.LIMIT_S), 3)
        command.stdout.close()

    def never_read(self):
        """A backup into a pipe of which only the first bytes are read."""
        command = subprocess.Popen(
            [obhutd.obhut.BINARY, "--data", str(self.data), "backup", "make", "--to", "-", "--key",
             self.key], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.assertEqual(os.read(command.stdout.fileno(), 100)[:4], b"\x89OBB")
        return command

    def test_nobody_restores_over_a_service(self):
        service = self.set_up_service()
        self.make()
        _, err = self.restore(self.data, code=3)
        self.assertIn("a service or a command is using", err)
        service.json("GET", "/healthz")
        service.stop()


if __name__ == "__main__":
    unittest.main()
