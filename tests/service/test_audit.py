"""What the running service writes into its log: every act, and nobody's diary."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

import obhutd

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402
import waiting  # noqa: E402

PICTURE = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
SCOPES = ("--surface", "direct", "--scope", "reports", "--scope", "consents")


def report(reason="unwanted", **members):
    return {"conversation": "talk-1", "reporter": "child-7", "account": "acct-9", "items": ["i-1"],
            "reason": reason} | members


class Audit(obhutd.Case):
    def begin(self, **options):
        self.service = self.start(**options)
        self.client = self.run_obhut("token", "add", "client", *SCOPES)[0].split()[-1]
        return self.service

    def person(self, name, role="lead"):
        return self.run_obhut("person", "add", name, "--role", role)[0].strip()

    def eventually(self, check, what):
        """What `check` returns as soon as it is true."""
        return waiting.until(check, what)

    def look(self):
        return self.service.scan(PICTURE, status=(200, 503))

    def entries(self, what=None):
        text = (self.data / "audit/log").read_text()
        whole = text[:text.rfind("\n") + 1]  # the last line may be about to be written
        found = [json.loads(line[65:]) for line in whole.splitlines()]
        return [e for e in found if what is None or e["what"] == what]

    def put_members(self, conversation, members):
        self.service.json("PUT", f"/v1/conversations/{conversation}/members", {
            "members": [{"account": a, "consents": c} for a, c in members]}, token=self.client)

    def test_a_report_is_an_entry_and_the_same_delivery_is_not_another(self):
        self.begin()
        for _ in range(2):
            got = self.service.json("POST", "/v1/reports", report(), 201, token=self.client)
            self.assertEqual(got["report"], 1)
        key = {"Idempotency-Key": "one"}
        got = self.service.json("POST", "/v1/reports", report("other"), 201, token=self.client,
                                headers=key)
        self.assertEqual(got["report"], 2)
        got = self.service.json("POST", "/v1/reports", report("other"), 201, token=self.client,
                                headers=key)
        self.assertEqual(got["report"], 2)
        self.service.json("POST", "/v1/reports", report("another"), 403, token=self.client,
                          headers=key)
        self.assertEqual([e["report"] for e in self.entries("report.add")], [1, 2])
        entry = self.entries("report.add")[0]
        self.assertEqual(entry["token"], "client")
        self.assertTrue(entry["about"].startswith("account:"))
        self.assertEqual(self.run_obhut("audit", "code", "--account", "acct-9")[0].strip(),
                         "code: " + entry["about"])

    def test_a_consent_is_no_delivery(self):
        self.begin()
        for consents in (True, False):
            body = json.dumps({"members": [{"account": "a", "consents": consents}]}).encode()
            self.service.json("PUT", "/v1/conversations/one/members", body, token=self.client,
                              headers={"Idempotency-Key": "one"})
        self.assertEqual([(len(e["given"]), len(e["withdrawn"])) for e in self.entries("consent")],
                         [(1, 0), (0, 1)])

    def test_no_word_of_anybody_is_in_the_log(self):
        self.begin()
        ada, ben = self.person("hedwig"), self.person("konrad")
        self.service.json("POST", "/v1/reports", report("secret words"), 201, token=self.client)
        self.put_members("talk-1", [("child-7", True), ("acct-9", True)])
        self.run_obhut("verdict", "add", "--account", "acct-9", "--reason", "secret words",
                       person=ada)
        self.run_obhut("proposal", "approve", "1", "--reason", "secret words", person=ben)
        self.service.scan(PICTURE, item={"account": "acct-9", "item": "picture-1"})
        self.service.stop()
        for path in (self.data / "audit").iterdir():
            text = path.read_text()
            for word in ("secret", "child-7", "acct-9", "talk-1", "i-1", "picture-1", "hedwig", "konrad",
                         self.client, self.service.token):
                self.assertNotIn(word, text, path)

    def test_acts_of_persons_refusals_and_log_ins_are_entries(self):
        self.begin()
        ada, ben = self.person("ada"), self.person("ben")
        self.run_obhut("verdict", "add", "--account", "acct-9", "--reason", "seen", person=ada)
        self.run_obhut("proposal", "approve", "1", "--reason", "seen", person=ada, code=3)
        self.run_obhut("proposal", "approve", "1", "--reason", "seen", person=ben)
        self.run_obhut("verdict", "ls", person=ada)
        self.run_obhut("verdict", "ls", person="x" * 43, code=3)
        self.run_obhut("policy", "set", "country", "DE")
        whats = [e["what"] for e in self.entries()]
        self.assertEqual(whats, [
            "token.add", "service.start", "token.add", "person.add", "person.add", "verdict.add",
            "refused", "proposal.approve", "login", "refused", "policy.set"])
        codes = [e["name"] for e in self.entries("person.add")]
        added, approved = self.entries("verdict.add")[0], self.entries("proposal.approve")[0]
        self.assertEqual((added["by"], approved["by"]), (codes[0], codes[1]))
        self.assertEqual(added["about"], approved["about"])
        self.assertEqual((added["proposal"], approved["proposal"], approved["verdict"]), (1, 1, 1))
        self.assertEqual(self.entries("refused")[0], {
            "n": 6, "at": self.entries("refused")[0]["at"], "what": "refused",
            "wanted": "proposal.approve", "by": codes[0], "act": True,
            "mac": self.entries("refused")[0]["mac"]})
        self.assertEqual(self.entries("refused")[1]["by"], "unknown")
        self.assertEqual(self.entries("policy.set")[0]["value"], "DE")

    def test_consents_are_told_without_telling_who_talks_to_whom(self):
        self.begin()
        self.put_members("one", [("a", True), ("b", True), ("c", False)])
        self.put_members("one", [("a", True), ("b", True), ("c", False)])
        self.put_members("two", [("a", True), ("b", True)])
        self.put_members("one", [("a", True), ("b", False), ("c", True)])
        self.service.json("DELETE", "/v1/conversations/two/members", token=self.client)
        entries = self.entries("consent")
        self.assertEqual([(len(e["given"]), len(e["withdrawn"])) for e in entries],
                         [(2, 0), (2, 0), (1, 1), (0, 2)])
        codes = [code for e in entries for code in e["given"] + e["withdrawn"]]
        self.assertEqual(len(set(codes)), len(codes), "a code is used once")
        self.service.json("DELETE", "/v1/accounts/a/consents", token=self.client)
        self.assertEqual(self.entries("consent.withdraw")[0]["conversations"], 1)
        found = json.loads(self.run_obhut("audit", "consents", "--account", "b", "--json")[0])
        numbers = [e["n"] for e in entries]
        self.assertEqual([(f["entry"], f["consent"]) for f in found["consents"]],
                         [(numbers[0], "given"), (numbers[1], "given"), (numbers[2], "withdrawn"),
                          (numbers[3], "withdrawn")])

    def permits(self):
        return sum(c["count"] for e in self.entries("second") for c in e["permits"])

    def test_public_permits_are_one_entry_a_second_that_nobody_can_open(self):
        self.begin()
        began = time.time()
        for n in range(5):
            self.service.scan(PICTURE, item={"item": f"picture-{n}"})
        took_s = time.time() - began
        self.service.scan(PICTURE, surface="direct", item={"item": "private-1"})
        self.eventually(lambda: self.permits() >= 5, "five permits")
        seconds = self.entries("second")
        self.assertEqual(self.permits(), 5)
        self.assertLessEqual(len(seconds), took_s + 2)
        self.assertEqual(set(seconds[0]), {"n", "at", "what", "permits", "items", "act", "mac"})
        self.assertEqual(set(seconds[0]["permits"][0]), {"basis", "regime", "service", "count"})
        self.run_obhut("audit", "open", "--item", "picture-3", "--at", "2026-01-01", code=2)

    def test_the_same_item_has_another_digest_in_another_second(self):
        self.begin()
        for n in range(2):
            self.service.scan(PICTURE, item={"item": "picture-1"})
            self.eventually(lambda: self.permits() > n, "an entry")
        digests = [e["items"] for e in self.entries("second")]
        self.assertEqual((len(digests), len(set(digests))), (2, 2))
        self.assertEqual({len(bytes.fromhex(d)) for d in digests}, {32})

    def taken_over_from_version_3(self, sql, set_version):
        """The tables of what was released before are made again around records and a log."""
        self.begin()
        self.service.json("POST", "/v1/reports", report(), 201, token=self.client)
        self.service.stop()
        for statement in (
                "DROP TABLE binding", "DROP TABLE written", "ALTER TABLE gateway DROP COLUMN review_passes",
                "ALTER TABLE gateway DROP COLUMN damaged_passes",
                "CREATE TABLE log_second (entry BIGINT PRIMARY KEY, second BIGINT NOT NULL,"
                " salt BYTEA NOT NULL, codes BYTEA NOT NULL)",
                "INSERT INTO log_second VALUES (1, 1, '1', '2')", set_version):
            sql(statement)
        self.start().json("POST", "/v1/reports", report("another"), 201, token=self.client)
        with self.assertRaisesRegex(Exception, "log_second"):
            sql("SELECT count(*) FROM log_second")
        self.run_obhut("audit", "verify")
        self.assertEqual(len(self.entries("report.add")), 2)
        self.assertEqual(self.entries("log.repaired"), [])

    def test_a_directory_of_version_3_is_taken_over_with_its_log(self):
        def sql(text):
            database = sqlite3.connect(self.data / "obhut.db")
            database.execute(text)
            database.commit()
            database.close()
        self.taken_over_from_version_3(sql, "PRAGMA user_version = 3")

    def test_a_directory_of_version_3_on_postgresql_is_taken_over_with_its_log(self):
        with postgres.Postgres() as server:
            url = server.url()
            self.data.mkdir(exist_ok=True)
            (self.data / "records").write_text(url + "\n")
            (self.data / "records").chmod(0o600)
            name = url.split("@/")[1].split("?")[0]
            self.taken_over_from_version_3(lambda text: server.sql(text, name),
                                           "UPDATE obhut_version SET version = 3")
            self.doCleanups() # the service ends before the server

    def test_a_destroyed_key_leaves_a_log_that_verifies_and_is_about_nobody(self):
        self.begin()
        officer = self.person("olga", "officer")
        self.service.json("POST", "/v1/reports", report(), 201, token=self.client)
        records = sqlite3.connect(self.data / "obhut.db")
        before = {bytes(row[0]) for row in records.execute("SELECT key FROM log_key")}
        self.run_obhut("audit", "forget", "--account", "acct-9", code=3)
        self.run_obhut("audit", "forget", "--person", "olga", person=officer, code=3)
        records.close()
        self.run_obhut("audit", "forget", "--account", "acct-9", person=officer)
        self.run_obhut("audit", "code", "--account", "acct-9", code=3)
        self.service.stop()
        self.run_obhut("audit", "verify")
        records = sqlite3.connect(self.data / "obhut.db")
        after = {bytes(row[0]) for row in records.execute("SELECT key FROM log_key")}
        records.close()
        gone, = before - after
        for path in self.data.rglob("*"):
            if path.is_file():
                self.assertNotIn(gone, path.read_bytes(), path)

    def test_a_list_that_was_being_imported_when_the_core_died_is_told_of(self):
        service = self.begin()
        entries = 30000 if obhutd.SANITIZED else 300000
        path = self.write("big.txt", obhutd.obhut.hashes(entries))
        command = subprocess.Popen([self.binary, "--data", self.data, "list", "import", path,
                                    "--source", "words of somebody"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waiting.until(lambda: self.entries("list.import"), "the import begins", 0.001)
        os.kill(service.processes()["core"], signal.SIGKILL)
        command.wait(waiting.LIMIT_S)
        number = self.entries("list.import")[0]["n"]
        ends = self.eventually(lambda: [e["what"] for e in self.entries()
                                        if e.get("entry") == number], "how it ended")
        self.assertIn(ends, (["unfinished"], ["done"]))
        self.assertNotIn("words of somebody", (self.data / "audit/log").read_text())
        self.run_obhut("list", "import", path, "--name", "small", code=0)
        done = self.entries("done")[-1]
        self.assertEqual((done["entries"], done["sha256"]),
                         (entries, hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()))

    def test_whoever_reads_about_persons_is_told_of(self):
        self.begin()
        for words in (("report", "ls"), ("verdict", "ls"), ("cause", "ls"),
                      ("audit", "consents", "--account", "a")):
            before = len(self.entries())
            self.run_obhut(*words)
            last = self.entries()[-1]
            self.assertEqual((len(self.entries()) - before, last["what"], last["by"]),
                             (1, "looked", "operator"), words)

    def test_what_cannot_be_logged_is_not_done_and_nothing_is_looked_at(self):
        self.begin()
        place = self.data / "audit"
        service = self.service
        core = service.processes()["core"]
        limit = os.path.getsize(place / "log")
        resource.prlimit(core, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        self.service.json("POST", "/v1/reports", report(), 503, token=self.client)
        self.run_obhut("policy", "set", "country", "DE", code=3)
        self.assertEqual(json.loads(self.run_obhut("policy", "show", "--json")[0])["country"], "")
        got = service.scan(PICTURE, status=503)
        self.assertEqual((got["action"], got["reason"]), ("could_not", "LOG"))
        self.assertEqual(service.processes()["core"], core, "it lives")
        resource.prlimit(core, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.eventually(lambda: self.look()["action"] == "allow", "looking again")
        got = self.service.json("POST", "/v1/reports", report(), 201, token=self.client)
        self.assertEqual(got["report"], 1)
        self.assertEqual(len(self.entries("report.add")), 1)
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_nothing_is_looked_at_while_a_database_hangs(self):
        with postgres.Postgres() as server:
            self.data.mkdir(exist_ok=True)
            self.service = service = self.start(*self.configure(f'records = "{server.url()}"\n'))
            self.assertEqual(service.scan(PICTURE)["action"], "allow")
            server.pause(True)
            try:
                self.eventually(lambda: self.look().get("reason") == "RECORDS",
                                "nothing is looked at")
            finally:
                server.pause(False)
            self.eventually(lambda: self.look()["action"] == "allow", "looking again")
            service.stop()

    def test_older_records_are_not_taken_for_a_crash(self):
        self.begin()
        self.service.stop()
        stopped = (self.data / "obhut.db").read_bytes()
        service = self.start()
        running = self.dir / "running.db"
        with contextlib.closing(sqlite3.connect(self.data / "obhut.db")) as db, \
                contextlib.closing(sqlite3.connect(running)) as copy:
            db.backup(copy)
        for country in ("DE", "FR", "none"):
            self.run_obhut("policy", "set", "country", country)
        service.stop()
        for old, said in ((stopped, "of different times"),
                          (running.read_bytes(), "acts that the records do not know")):
            (self.data / "obhut.db").write_bytes(old)
            _, err = self.run_obhut("policy", "show", code=3)
            self.assertIn(said, err)

    def test_log_and_records_that_are_not_of_one_piece_are_refused(self):
        self.begin()
        self.service.stop()
        copy = self.data.with_name("copy")
        shutil.copytree(self.data / "audit", copy)
        self.addCleanup(shutil.rmtree, copy)
        service = self.start()
        self.run_obhut("policy", "set", "country", "DE")
        service.stop()
        shutil.rmtree(self.data / "audit")
        shutil.copytree(copy, self.data / "audit")
        _, err = self.run_obhut("policy", "show", code=3)
        self.assertIn("restore log and records from one backup", err)

    def is_counted(self):
        records = sqlite3.connect(self.data / "obhut.db")
        counted = records.execute("SELECT count(*) FROM tally").fetchone()[0]
        day = records.execute("SELECT count(*) FROM mark WHERE name = 'log.day'").fetchone()[0]
        records.close()
        return counted and day

    def test_a_day_that_is_over_is_counted_in_the_log(self):
        self.begin()
        self.service.scan(PICTURE)
        self.eventually(self.is_counted, "the look is counted")
        self.service.stop()
        records = sqlite3.connect(self.data / "obhut.db")
        records.execute("UPDATE tally SET day = day - 2")
        records.execute("UPDATE mark SET value = value - 2 WHERE name = 'log.day'")
        records.commit()
        records.close()
        service = self.start()
        service.scan(PICTURE)
        day, = self.eventually(lambda: self.entries("counts"), "the counts of a day")
        self.assertEqual(day["counts"], [{"surface": "public", "basis": "public",
                                          "regime": "eu-dsa", "reason": "allowed", "count": 1}])
        service.stop()
        self.run_obhut("audit", "verify")


if __name__ == "__main__":
    unittest.main()
