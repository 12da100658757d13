"""A slow disk, and records that are copied or overwritten, keep nobody waiting who needs none of it."""
import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import threading
import time
import unittest

import faults
import obhutd
import waiting

ROCKET = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
PUBLIC = "/v1/scan?surface=public"
PRIVATE = "/v1/scan?surface=direct&account=acct-1&encryption=transport&conversation=talk-1"
REPORT = {"conversation": "t", "reporter": "r", "account": "a", "items": ["i"]}
SYNCS = ("audit/log", "obhut.db", "obhut.db-wal")
DELAY_MS = 3000
HANDFUL = 5
WINDOW_S = obhutd.obhut.samples("OBHUT_SLOW_SECONDS", 3)
ROWS = obhutd.obhut.samples("OBHUT_ROWS", 100000)
DAY = 86400


class Asking:
    """Asks the same again and again; of every answer: its status or reason, how many seconds it took, and
    when it was asked for."""

    def __init__(self, service, make, token, pause_s=0.0):
        self.service, self.make, self.token, self.pause_s = service, make, token, pause_s
        self.answers, self.problems = [], []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        number = 0
        with contextlib.closing(self.service.connect()) as peer:
            while not self.stopping.wait(self.pause_s):
                number += 1
                begun = time.monotonic()
                try:
                    method, path, body = self.make(number)
                    status, _, content = self.service.request(method, path, body, token=self.token,
                                                              connection=peer)
                    if status == 503:
                        status = json.loads(content)["reason"]
                except (OSError, http.client.HTTPException) as problem:
                    self.problems.append(problem)
                    return
                self.answers.append((status, time.monotonic() - begun, begun))

    def stop(self):
        self.stopping.set()
        self.thread.join(waiting.LIMIT_S)
        assert not self.thread.is_alive(), "somebody was never answered"
        if self.problems:
            raise self.problems[0]
        return self.answers


def health(_):
    return "GET", "/healthz", None


def public(_):
    return "POST", PUBLIC, ROCKET


def told(tag):
    """Members and reports in turn, no two the same."""
    def make(number):
        if number % 2:
            members = [{"account": f"{tag}-{n}", "consents": True} for n in range(3)]
            return "PUT", f"/v1/conversations/{tag}-{number}/members", json.dumps({"members": members})
        return "POST", "/v1/reports", json.dumps(REPORT | {"reason": f"{tag} {number}"})
    return make


def times(answers):
    """"median … p99 … max … of … answers", in milliseconds"""
    took = sorted(1000 * seconds for _, seconds, _ in answers) or [0.0]
    p99 = took[min(len(took) - 1, len(took) * 99 // 100)]
    return f"median {statistics.median(took):.1f}, p99 {p99:.1f}, max {took[-1]:.1f} ms of {len(took)}"


def rate(scans):
    """A second, from the first that was asked until one could not be looked at."""
    begun = min(when for _, _, when in scans)
    stopped = min((when for status, _, when in scans if status != 200), default=None)
    end = max(when + seconds for _, seconds, when in scans) if stopped is None else stopped
    looked = sum(status == 200 and when < end for status, _, when in scans)
    return f"{looked / max(end - begun, 0.001):.0f} scans/s in {end - begun:.1f} s"


def statuses(answers):
    found = [status for status, *_ in answers]
    return {status: found.count(status) for status in sorted(set(found), key=str)}


class Consenting(obhutd.Case):
    """With conversations in which one may look once all have consented, and a token that says so."""

    def start_consenting(self, **options):
        service = self.start(**options)
        for key, value in (("service", "example"), ("country", "DE"), ("register", "yes"),
                           ("kinds", "hosting,interpersonal"), ("surfaces", "direct,public"),
                           ("bases", "public,report,consent")):
            self.run_obhut("policy", "set", key, value)
        self.told = self.run_obhut("token", "add", "told", "--surface", "direct", "--scope", "reports",
                                   "--scope", "consents")[0].strip()
        return service


class Slow(Consenting):
    def begin(self):
        self.posts = 0
        self.faults = faults.Faults(self.dir)
        self.service = self.start_consenting(**self.faults.options)
        members = {"members": [{"account": f"acct-{n}", "consents": True} for n in (1, 2)], "free": True}
        self.service.json("PUT", "/v1/conversations/talk-1/members", members, token=self.told)
        self.assertEqual([self.action(PRIVATE), self.action(PUBLIC)], ["allow"] * 2)
        waiting.until(lambda: self.entries("second"), "what was looked at is written down")
        return self.service

    def entries(self, what):
        found = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()]
        return [entry for entry in found if entry["what"] == what]

    def ask(self, path, body=ROCKET, token=True):
        return self.service.request("POST", path, body, token=token)[0]

    def action(self, path):
        return json.loads(self.service.request("POST", path, ROCKET)[2])["action"]

    def told_of(self, reason, kind="could_not"):
        return self.service.metrics()[f'{kind}_total{{reason="{reason}"}}']

    def post(self, number):
        """Another one every time: what was told already would be answered without a disk."""
        self.posts += 1
        method, path, body = told(f"post{self.posts}")(number)
        return self.service.request(method, path, body, token=self.told)[0]

    @contextlib.contextmanager
    def posting(self, clients):
        """Answers of so many clients, of which none is there yet: they wait for a disk."""
        answers = []
        threads = [threading.Thread(target=lambda n=n: answers.append(self.post(n)))
                   for n in range(clients)]
        for thread in threads:
            thread.start()
        yield answers
        self.faults.set()
        for thread in threads:
            thread.join(waiting.LIMIT_S)

    def seen_while_held(self, rule):
        """Who needs no disk is answered while the disk answers nobody. False where the machine was so
        busy that what was looked at first has waited too long for the disk meanwhile."""
        self.faults.set(rule)
        with self.posting(4) as answers:
            self.faults.until_waiting()
            looked = [self.action(path) for path in (PRIVATE, *[PUBLIC] * HANDFUL)]
            for _ in range(40):
                self.service.json("GET", "/healthz", token=False)
            self.assertGreaterEqual(self.faults.seen()[1][1], 1, "it is still held")
            self.assertEqual(answers, [])
        self.assertLessEqual(set(answers), {200, 201, 503})
        return looked == ["allow"] * (1 + HANDFUL)

    def test_who_needs_no_disk_is_answered_while_the_disk_answers_nobody(self):
        self.begin()
        for file in ("audit/log", "obhut.db-wal"):
            with self.subTest(file):
                waiting.until(lambda: self.seen_while_held(f"sync:{file}:hold"), "looked while held")
                waiting.until(lambda: self.ask(PUBLIC) == 200, "looking again")
        self.service.stop()
        self.run_obhut("audit", "verify")

    def window(self, delayed):
        """What is answered within some seconds, with syncs that take three or as they are."""
        self.faults.set(*(f"sync:{file}:delay={DELAY_MS}" for file in SYNCS[:2] if delayed))
        writers = [Asking(self.service, told(f"w{n}{time.monotonic_ns()}"), self.told)
                   for n in range(4)]
        try:
            if delayed:
                self.faults.until_waiting(0)
            readers = [Asking(self.service, public, True) for _ in range(2)]
            healths = Asking(self.service, health, False, 0.01)
            time.sleep(WINDOW_S)
            scans = [answer for reader in readers for answer in reader.stop()]
            return healths.stop(), scans, [a for w in writers for a in self.let_go(w)]
        finally:
            self.faults.set()
            for writer in writers:
                writer.stop()

    def let_go(self, writer):
        self.faults.set()
        return writer.stop()

    def test_health_and_scans_go_on_while_every_sync_takes_three_seconds(self):
        self.begin()
        for _ in range(2):
            for delayed in (False, True):
                healths, scans, acts = self.window(delayed)
                self.assertEqual(set(statuses(healths)), {200})
                self.assertTrue(acts)
                looked = sum(status == 200 for status, *_ in scans)
                self.assertGreaterEqual(looked, 1)
                self.assertLessEqual(set(statuses(scans)), {200, "LOG", "RECORDS"})
                self.assertLessEqual(set(statuses(acts)), {200, 201, "RECORDS", "LOG"})
                print(f"# syncs of {DELAY_MS if delayed else 0} ms: healthz {times(healths)}; "
                      f"{rate(scans)} {statuses(scans)} ({times(scans)}); "
                      f"acts {statuses(acts)} ({times(acts)})", flush=True)
                waiting.until(lambda: self.ask(PUBLIC) == 200, "looking again")
        self.service.stop()
        self.run_obhut("audit", "verify")

    # ---- longer than anybody waits

    def test_records_that_wait_too_long_for_their_disk_stop_looking_and_no_act_is_half_done(self):
        self.begin()
        gateways = {fail: self.run_obhut("gateway", "add", "pict-rs", "--surface", "public", "--name",
                                         fail, "--fail", fail)[0].strip() for fail in ("closed", "open")}
        for path in gateways.values():
            self.assertEqual(self.ask(path, token=False), 200)
        let_through = 0
        for file, reason in (("audit/log", "LOG"), ("obhut.db-wal", "RECORDS")):
            with self.subTest(file):
                before = self.told_of(reason, "let_through")
                self.faults.set(f"sync:{file}:hold")
                with self.posting(4) as answers:
                    self.faults.until_waiting()
                    waiting.until(lambda: self.ask(PUBLIC) == 503, "records that are late")
                    status, _, content = self.service.request("POST", PRIVATE, ROCKET)
                    self.assertEqual((status, json.loads(content)["reason"]), (503, reason))
                    self.assertEqual(self.ask(gateways["closed"], token=False), 503)
                    self.assertEqual(self.told_of(reason, "let_through"), before)
                    self.assertEqual(self.ask(gateways["open"], token=False), 200)
                    waiting.until(lambda: self.told_of(reason, "let_through") == before + 1,
                                  "it is counted")
                    let_through += 1
                    self.service.json("GET", "/healthz", token=False)
                    ready = json.loads(self.service.request("GET", "/readyz")[2])
                    self.assertEqual((ready["ready"], ready["reasons"]), (False, [reason]))
                    self.assertNotIn(200, answers)
                self.assertLessEqual(set(answers), {200, 201, 503})
                waiting.until(lambda: self.ask(gateways["closed"], token=False) == 200, "looking again")
                waiting.until(lambda: self.post(1000 + let_through) in (200, 201), "a record again")
        self.service.stop()
        self.run_obhut("audit", "verify")
        self.as_logged()

    def as_logged(self):
        """The records hold what the log says, no more and no less."""
        with contextlib.closing(sqlite3.connect(self.data / "obhut.db")) as database:
            reports = [row[0] for row in database.execute("SELECT id FROM incoming WHERE kind = 0")]
            consenting, = database.execute("SELECT coalesce(sum(consents), 0) FROM member").fetchone()
        undone = {entry["entry"] for entry in self.entries("not_done")}
        self.assertEqual(sorted(reports), sorted(entry["report"] for entry in self.entries("report.add")
                                                 if entry["n"] not in undone))
        self.assertEqual(consenting, sum(len(entry["given"]) - len(entry["withdrawn"])
                                         for entry in self.entries("consent") if entry["n"] not in undone))

    # ---- death

    def die_and_start_again(self):
        """All at once, and then with a disk that does what it should; ends as it is told to."""
        who = self.service.processes()
        for pid in (who["main"], who["core"], who["front"], *who["workers"]):
            os.kill(pid, signal.SIGKILL)
        self.service.process.wait()
        self.service.reader.join(waiting.LIMIT_S)
        self.service.process.stderr.close()
        self.faults.set(wait=False)
        self.service = self.start()
        self.service.stop()

    def test_what_is_acknowledged_on_a_slow_disk_is_there_after_death_right_after(self):
        self.begin()
        self.faults.set(*(f"sync:{file}:delay=200" for file in SYNCS[:2]))
        self.assertIn(self.post(1), (200, 201))
        self.assertIn(self.post(2), (200, 201))
        self.die_and_start_again()
        with contextlib.closing(sqlite3.connect(self.data / "obhut.db")) as database:
            self.assertEqual(database.execute("SELECT reason FROM incoming").fetchall(), [("post2 2",)])
            self.assertEqual(database.execute("SELECT count(*) FROM member").fetchone(), (2 + 3,))
        self.run_obhut("audit", "verify")
        self.as_logged()

    def test_what_the_log_says_was_not_done_is_not_there_after_death_either(self):
        """A commit whose sync failed lies in the journal, and would count at the next opening."""
        self.begin()

        def fails():
            """The service may write by itself, and have the sync that fails: without an entry of the log."""
            self.faults.set("sync:obhut.db-wal:errno=5,nth=1")
            return self.post(2) == 503 and self.entries("not_done")
        waiting.until(fails, "an act whose commit fails")
        self.die_and_start_again()
        self.as_logged()


class Many(Consenting):
    """Records in such numbers that to copy and to overwrite them takes a while."""

    def fill(self, word):
        """Half of them conversations that are due, half their members; and it is so long since any
        were deleted that the service waits for a person to say that they may be."""
        database = sqlite3.connect(self.data / "obhut.db")
        key = lambda kind, n: (f"{word}-{kind}".encode() + b"%010d" % n).ljust(32, b".")[:32]  # noqa: E731
        with database:
            database.execute("INSERT OR REPLACE INTO mark (name, value) VALUES ('reaped', ?)",
                             (int(time.time()) - 9 * DAY,))
            database.executemany("INSERT INTO conversation VALUES (?, 1, 1, 1, 0, 0, 1)",
                                 ((key("c", n),) for n in range(ROWS // 2)))
            database.executemany("INSERT INTO member VALUES (?, ?, 1)",
                                 ((key("c", n), key("m", n)) for n in range(ROWS // 2)))
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()

    def begin(self):
        self.word = "%012d" % random.randrange(10**12)
        self.faults = faults.Faults(self.dir)
        self.start_consenting().stop()
        self.fill(self.word)
        self.service = self.start(**self.faults.options)
        self.key = self.run_obhut("backup", "key", "--out", self.dir / "secret")[0].strip()
        self.posts = 0
        return self.service

    def files_with_it(self):
        return [path.name for path in self.data.rglob("*")
                if path.is_file() and self.word.encode() in path.read_bytes()]

    def post(self):
        self.posts += 1
        method, path, body = told("post")(self.posts)
        return self.service.request(method, path, body, token=self.told)[0]

    def command(self, *words, **options):
        run = subprocess.Popen([obhutd.obhut.BINARY, "--data", self.data, *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        self.addCleanup(self.end_command, run)
        return run

    @staticmethod
    def end_command(run):
        run.kill()
        run.communicate()

    def looks_and_lives(self):
        for _ in range(HANDFUL):
            self.assertEqual(self.service.scan(ROCKET)["action"], "allow")
            self.service.json("GET", "/healthz", token=False)

    def measured(self, what, run):
        """Whoever asks meanwhile is answered; prints how long they waited at most."""
        askers = {"healthz": Asking(self.service, health, False, 0.01),
                  "scan": Asking(self.service, public, True),
                  "act": Asking(self.service, told(what), self.told)}
        begun = time.monotonic()
        try:
            run()
        finally:
            took = time.monotonic() - begun
            answers = {name: asker.stop() for name, asker in askers.items()}
        for name, got in answers.items():
            inside = [a for a in got if a[2] + a[1] <= begun + took]
            print(f"# {what} of {ROWS} rows, {took:.2f} s: {name} {times(inside)} {statuses(inside)}",
                  flush=True)
        self.assertEqual(set(statuses(answers["healthz"])), {200})
        self.assertEqual(set(statuses(answers["scan"])), {200})
        self.assertLessEqual(set(statuses(answers["act"])), {200, 201, "RECORDS"})

    def test_all_goes_on_while_many_records_are_copied(self):
        self.begin()
        copy = self.command("backup", "make", "--to", "-", "--key", self.key)
        self.assertTrue(copy.stdout.read(1))  # nobody takes more of it, so that it goes no further
        self.looks_and_lives()
        self.assertEqual([self.post() for _ in range(4)], [200, 201, 200, 201])
        self.assertIsNone(copy.poll(), "it is still under way")
        copy.communicate(timeout=waiting.LIMIT_S)
        self.assertEqual(copy.returncode, 0)
        self.measured("backup", lambda: self.run_obhut("backup", "make", "--to", self.dir / "b.obb",
                                                       "--key", self.key))
        self.service.stop()

    def test_looking_goes_on_while_what_was_deleted_is_overwritten(self):
        self.begin()
        self.assertEqual(self.files_with_it(), ["obhut.db"])
        self.faults.set("truncate:obhut.db-wal:hold")  # the last step
        acts = []
        reap = self.command("record", "reap", "--json")
        self.faults.until_waiting()
        act = threading.Thread(target=lambda: acts.append(self.post()))
        act.start()
        self.looks_and_lives()
        self.assertIsNone(reap.poll(), "it is still under way")
        self.assertEqual(acts, [])
        self.faults.set()
        act.join(waiting.LIMIT_S)
        self.assertLessEqual(set(acts), {200, 503})
        out, err = reap.communicate(timeout=waiting.LIMIT_S)
        self.assertEqual(reap.returncode, 0, err)
        gone, = [r for r in json.loads(out)["reaped"] if r["kind"] == "conversation"]
        self.assertEqual((gone["deleted"], gone["left"]), (ROWS // 2, 0))
        self.assertEqual(self.files_with_it(), [])
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_all_goes_on_while_many_records_are_deleted_and_overwritten(self):
        self.begin()
        self.measured("reap", lambda: self.run_obhut("record", "reap"))
        self.assertEqual(self.files_with_it(), [])
        self.service.stop()
        self.run_obhut("audit", "verify")


if __name__ == "__main__":
    unittest.main()
