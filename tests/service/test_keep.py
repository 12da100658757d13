"""Records are kept as long as they may be, and then they are gone: from the files of both databases."""
import contextlib
import json
import os
import pathlib
import random
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

SCOPES = ("--surface", "direct", "--scope", "reports", "--scope", "consents")
DAY = 86400


class Sqlite:
    def __init__(self, case):
        self.case = case
        self.files = [case.data]

    def prepare(self):
        pass

    def write_out(self):
        """It is in the file, or whole in its log."""

    def sql(self, text):
        database = sqlite3.connect(self.case.data / "obhut.db")
        database.execute("PRAGMA secure_delete = ON")
        rows = database.execute(text).fetchall()
        database.commit()
        database.close()
        return rows


class PostgreSql:
    def __init__(self, case, server):
        self.case, self.server = case, server
        self.url = server.url()
        self.name = self.url.split("@/")[1].split("?")[0]
        self.files = [case.data, server.data]

    def prepare(self):
        path = self.case.data / "records"
        path.write_text(self.url + "\n")
        path.chmod(0o600)

    def write_out(self):
        """Rows are in the tables' files then: in the log of the database a page may end within a word."""
        self.server.sql("CHECKPOINT", self.name)

    def sql(self, text):
        return [tuple(line.split("|")) for line in
                self.server.sql(text, self.name).splitlines()]


def contains(directories, words):
    """The words that are somewhere in any file."""
    found = set()
    for directory in directories:
        for path in pathlib.Path(directory).rglob("*"):
            if path.is_file() and path.stat().st_size:
                content = path.read_bytes()
                found |= {word for word in words if word.encode() in content}
    return found


class Keep(obhutd.Case):
    def begin(self, database):
        self.data.mkdir(exist_ok=True)
        database.prepare()
        self.database = database
        service = self.start()
        self.client = self.run_obhut("token", "add", "client", *SCOPES)[0].split()[-1]
        self.officer = self.run_obhut("person", "add", "olga", "--role", "officer")[0].strip()
        return service

    def report(self, service, reason, number=0):
        return service.json("POST", "/v1/reports", {
            "conversation": f"talk-{number}", "reporter": f"child-{number}",
            "account": f"acct-{number}", "items": [f"i-{number}"], "reason": reason}, 201,
            token=self.client)["report"]

    def age(self, days, where="kind = 0"):
        self.database.sql(f"UPDATE incoming SET at = at - {days * DAY} WHERE {where}")

    def reap(self):
        """{kind: (due, deleted, held, left)}"""
        reaped = json.loads(self.run_obhut("record", "reap", "--json")[0])["reaped"]
        return {r["kind"]: (r["due"], r["deleted"], r["held"], r["left"]) for r in reaped}

    def try_to_reap(self):
        """[as above]; nothing while PostgreSQL has not yet noticed that the last one died."""
        try:
            return [self.reap()]
        except AssertionError:
            return []

    def hold(self, *arguments, code=0):
        out, err = self.run_obhut("hold", *arguments, "--json", person=self.officer, code=code)
        return json.loads(out) if code == 0 else err

    # ---- what every database must do

    def gone_from_the_files(self, database):
        service = self.begin(database)
        words = [f"planted-{random.randrange(10**12)}-reason-{n}" for n in range(20)]
        for n, word in enumerate(words):
            self.report(service, word, n)
        database.write_out()
        self.assertEqual(contains(database.files, words), set(words), "they are there before")
        self.age(370, "kind = 0 AND id <= 15")
        self.assertEqual(self.reap()["report"], (15, 15, 0, 0))
        self.assertEqual(contains(database.files, words), set(words[15:]))
        self.assertEqual(self.reap().get("report"), None, "nothing is due any more")
        items = database.sql("SELECT count(*) FROM incoming_item")
        self.assertEqual(int(items[0][0]), 5)
        self.assertEqual(self.report(service, "the next one", 99), 21, "numbers go on")
        service.stop()
        self.run_obhut("audit", "verify")
        log = (self.data / "audit/log").read_text()
        self.assertIn('"what":"reaped","by":"operator","reaped":[{"kind":"report","due":15,"deleted":15', log)

    def held_until_somebody_decides(self, database):
        service = self.begin(database)
        for n in range(3):
            self.report(service, f"report {n}", n)
        self.run_obhut("policy", "set", "country", "DE")
        year = time.gmtime().tm_year
        self.assertIn("Art. 3(1)(h), (i)", self.hold(
            "add", "--report", "1", "--reason", "appeal", "--until", f"{year + 3}-01-01", code=3))
        self.hold("add", "--report", "9", "--reason", "x", "--until", f"{year + 1}-01-01", code=3)
        self.run_obhut("hold", "add", "--report", "1", "--reason", "x", "--until",
                       f"{year + 1}-01-01", code=3)
        soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 20 * DAY))
        got = self.hold("add", "--report", "1", "--reason", "appeal", "--until", soon)
        self.assertEqual(got["must_be_decided"], False)
        self.age(100)
        got = self.hold("add", "--report", "2", "--reason", "reported", "--law", "us-2258a")
        self.assertEqual(got["must_be_decided"], True)
        self.age(300)
        self.assertEqual(self.reap()["report"], (3, 2, 1, 1), "a person cannot hold it longer")
        holds = self.hold("ls")["holds"]
        self.assertEqual([h.get("must_be_decided") for h in holds], [True, None])
        _, err = self.run_obhut("report", "remove", "2", code=3)
        self.assertIn("keeps it", err)
        self.hold("keep", "2", "--reason", "the police asked for it in writing")
        self.assertEqual(self.hold("ls")["holds"][0]["decided_by"], "olga")
        self.assertEqual(self.reap()["report"], (1, 0, 1, 1))
        self.hold("add", "--report", "2", "--reason", "x", "--law", "us-2258a", "--from",
                  f"{year + 2}-01-01", code=3)
        self.hold("end", "2")
        self.hold("end", "1")
        self.assertEqual(self.reap()["report"], (1, 1, 0, 0))

    def survives_kills(self, database):
        service = self.begin(database)
        self.report(service, "one")
        database.sql(
            "INSERT INTO incoming SELECT kind, id + n.n, conversation, reporter, account, reason,"
            " at, confirmed_by, confirmed_at FROM incoming, (WITH RECURSIVE n(n) AS (SELECT 1 UNION"
            " ALL SELECT n + 1 FROM n WHERE n < 4000) SELECT n FROM n) n WHERE kind = 0")
        database.sql("INSERT INTO incoming_item SELECT kind, id, conversation FROM incoming"
                     " WHERE id > 1")
        self.age(400)
        service.stop()
        deleted = 0
        for n in range(4):
            process = subprocess.Popen([self.binary, "--data", self.data, "record", "reap"],
                                       stdout=subprocess.PIPE)
            time.sleep(0.02 * (n + 1))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            left = int(database.sql("SELECT count(*) FROM incoming")[0][0])
            items = int(database.sql("SELECT count(*) FROM incoming_item")[0][0])
            self.assertEqual(left, items, "a report goes with its items")
            deleted = 4001 - left
        last, = waiting.until(self.try_to_reap, "the dead one's records are free")
        log = (self.data / "audit/log").read_text()
        self.assertIn('"what":"reaping","by":"operator","due":[{"kind":"report","due":4001', log,
                      "told before anything goes")
        if deleted < 4001:
            self.assertEqual(last["report"], (4001 - deleted, 4001 - deleted, 0, 0))
        self.assertEqual(int(database.sql("SELECT count(*) FROM incoming_item")[0][0]), 0)

    def test_a_clock_that_has_jumped_ahead_deletes_nothing(self):
        service = self.begin(Sqlite(self))
        self.report(service, "young")
        self.reap()
        service.stop()
        self.database.sql("UPDATE incoming SET at = at - 400 * 86400")
        self.database.sql("UPDATE mark SET value = value - 9 * 86400 WHERE name = 'reaped'")
        service = self.start()
        waiting.until(lambda: any("obhut record reap" in line for line in service.log),
                      "the service says so")
        self.assertEqual(int(self.database.sql("SELECT count(*) FROM incoming")[0][0]), 1)
        self.assertEqual(self.reap()["report"], (1, 1, 0, 0))
        service.stop()

    def test_somebody_who_reads_only_delays_the_overwriting(self):
        service = self.begin(Sqlite(self))
        word = f"planted-{random.randrange(10**12)}"
        self.report(service, word)
        self.age(400)
        reader = sqlite3.connect(self.data / "obhut.db")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM incoming").fetchall()
        long_ago = int(time.time()) - 7 * DAY
        with contextlib.closing(sqlite3.connect(self.data / "obhut.db")) as database, database:
            database.execute(f"UPDATE mark SET value = {long_ago} WHERE name = 'reaped'")
        _, err = self.run_obhut("record", "reap", code=3)
        self.assertIn("overwritten when it has ended", err)
        (ran,), = self.database.sql("SELECT value FROM mark WHERE name = 'reaped'")
        self.assertGreater(ran, long_ago, "it ran: what is due goes on being deleted")
        self.assertEqual(self.database.sql("SELECT count(*) FROM incoming"), [(0,)])
        reader.close()
        self.reap()
        self.assertEqual(contains([self.data], [word]), set())
        service.stop()

    def test_what_is_due_is_in_no_file_of_sqlite(self):
        self.gone_from_the_files(Sqlite(self))

    def test_holds_and_laws_in_sqlite(self):
        self.held_until_somebody_decides(Sqlite(self))

    def test_a_killed_reaper_leaves_nothing_half_in_sqlite(self):
        self.survives_kills(Sqlite(self))

    def test_on_postgresql_too(self):
        with postgres.Postgres() as server:
            for check in (self.gone_from_the_files, self.held_until_somebody_decides,
                          self.survives_kills):
                with self.subTest(check.__name__):
                    check(PostgreSql(self, server))
                self.doCleanups()
                self.setUp()

    def test_an_overturned_verdict_goes_at_once_and_an_old_one_after_a_year(self):
        service = self.begin(Sqlite(self))
        ben = self.run_obhut("person", "add", "ben", "--role", "lead")[0].strip()
        ada = self.run_obhut("person", "add", "ada", "--role", "lead")[0].strip()
        for n in (1, 2):
            self.run_obhut("verdict", "add", "--account", f"a{n}", "--reason", "x", person=ada)
            self.run_obhut("proposal", "approve", str(n), "--reason", "x", person=ben)
        self.assertEqual(self.reap().get("verdict"), None)
        self.run_obhut("verdict", "overturn", "1", person=ben)
        self.assertEqual(self.reap()["verdict"], (1, 1, 0, 0))
        self.database.sql(f"UPDATE verdict SET at = at - {364 * DAY}")
        self.assertEqual(self.reap().get("verdict"), None)
        self.database.sql(f"UPDATE verdict SET at = at - {4 * DAY}")
        self.assertEqual(self.reap()["verdict"], (1, 1, 0, 0))
        service.stop()


if __name__ == "__main__":
    unittest.main()
