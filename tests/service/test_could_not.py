"""What cannot be done now is told as that, with its reason; it never looks like what nobody may."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
import unittest

import jsonschema
import obhutd
import waiting
import yaml

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402

COFFEE = (obhutd.DEMO / "coffee-2400x1600.jpg").read_bytes()
ROCKET = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
PRELOAD = pathlib.Path(obhutd.DAEMON).parent / "tests/fault-preload.so"
SCAN = "/v1/scan?surface=public"
DESCRIBED = yaml.safe_load((obhutd.ROOT / "docs/openapi.yaml").read_text())
COULD_NOT = {"$ref": "#/components/schemas/CouldNot", "components": DESCRIBED["components"]}
READY = {"$ref": "#/components/schemas/Ready", "components": DESCRIBED["components"]}
REPORT = {"conversation": "t", "reporter": "r", "account": "a", "items": ["i"], "reason": "why"}
PATIENCE = 60  # seconds until a test gives up waiting for something that must happen


class CouldNot(obhutd.Case):
    def begin(self, *arguments, **options):
        lines = [self.list_of(obhutd.DEMO / "coffee-2400x1600.jpg", id="c", source="A")]
        config = self.configure('action-one-source = "block"\n' + options.pop("config", ""))
        self.service = self.start(*config, *arguments, **options)
        self.run_obhut("list", "import", self.write("known.jsonl", lines))
        return self.service

    def gateway(self, fail, *more):
        words = ("--fail", fail) if fail else ()
        return self.run_obhut("gateway", "add", "pict-rs", "--surface", "public", *words,
                              *more)[0].strip()

    @staticmethod
    def eventually(ask, what):
        return waiting.until(ask, what)

    def could_not(self, method, path, body=None, **options):
        """The problem's reason, where it is one as described; else None."""
        status, headers, content = self.service.request(
            method, path, json.dumps(body) if isinstance(body, dict) else body, **options)
        if status != 503:
            return None
        self.assertEqual(headers["Content-Type"], "application/problem+json")
        self.assertGreater(int(headers["Retry-After"]), 0)
        problem = json.loads(content)
        jsonschema.validate(problem, COULD_NOT)
        self.assertEqual((problem["code"], problem["status"]), (problem["reason"], 503))
        self.assertNotRegex(problem["detail"], r"/|SELECT|INSERT|sqlite|host|port|\d\d")
        return problem["reason"]

    def told(self, reason, kind="could_not"):
        return self.service.metrics()[f'{kind}_total{{reason="{reason}"}}']

    def status_of(self, path, content):
        return self.service.request("POST", path, content, token=False)[0]

    # ---- the log

    @unittest.skipIf(obhutd.SANITIZED, "sanitizers have an allocator of their own")
    def test_a_slow_log_stops_looking_and_lets_nothing_through_that_is_closed(self):
        slow = self.dir / "slow"
        self.begin(environment=dict(
            os.environ, LD_PRELOAD=str(PRELOAD), OBHUT_FAULT_CALL="fdatasync",
            OBHUT_FAULT_PATH="/audit/log", OBHUT_FAULT_DELAY_MS="120000", OBHUT_FAULT_WHILE=str(slow)))
        closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
        self.assertEqual(self.status_of(closed, COFFEE), 422)
        slow.touch()
        self.addCleanup(slow.unlink, missing_ok=True)
        # what is looked at is written down within a second, or too late after fifteen
        self.eventually(lambda: self.could_not("POST", SCAN, ROCKET) == "LOG", "a log that is late")
        self.assertEqual(self.status_of(closed, COFFEE), 503)
        self.assertEqual(self.told("LOG", "let_through"), 0)
        self.assertEqual(self.status_of(opened, COFFEE), 200)
        self.eventually(lambda: self.told("LOG", "let_through") == 1, "it is counted")
        self.eventually(lambda: self.told("LOG") >= 3, "it is counted")
        status, _, content = self.service.request("GET", "/readyz")
        ready = json.loads(content)
        jsonschema.validate(ready, READY)
        self.assertEqual((status, ready["ready"], ready["log"], ready["records"], ready["reasons"]),
                         (503, False, "slow", "ok", ["LOG"]))
        self.assertEqual(self.service.metrics()['not_scanned_total{surface="public"}'], 0)
        slow.unlink()
        self.eventually(lambda: self.status_of(closed, COFFEE) == 422, "looking again")
        self.assertEqual(self.service.scan(COFFEE)["action"], "block")
        self.assertEqual(self.service.json("GET", "/readyz")["reasons"], [])
        self.service.stop()
        self.run_obhut("audit", "verify")

    # ---- the records

    def test_a_database_that_hangs_or_is_gone_is_no_refusal(self):
        with postgres.Postgres() as server:
            self.data.mkdir(exist_ok=True)
            self.begin(config=f'records = "{server.url()}"\n')
            closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
            token = self.run_obhut("token", "add", "app", "--surface", "public", "--scope", "scan",
                                   "--scope", "reports", "--scope", "consents",
                                   "--scope", "match")[0].strip()
            self.assertEqual(self.status_of(closed, COFFEE), 422)
            server.pause(True)
            try:
                self.eventually(lambda: self.could_not("POST", SCAN, ROCKET) == "RECORDS",
                                "records that are late")
                for method, path, body in (
                        ("POST", "/v1/hash?surface=public", ROCKET),
                        ("POST", "/v1/match?surface=public", {"query": "md5:" + "0" * 32}),
                        ("POST", "/v1/reports", REPORT),
                        ("POST", "/v1/notices", {"items": ["i"], "reason": "why"}),
                        ("PUT", "/v1/conversations/t/members", {"members": []}),
                        ("DELETE", "/v1/conversations/t/members", None),
                        ("DELETE", "/v1/accounts/a/consents", None)):
                    got = self.could_not(method, path, body, token=token)
                    self.assertEqual(got, "RECORDS", path)
                self.assertEqual(self.status_of(closed, COFFEE), 503)
                self.assertEqual(self.status_of(opened, COFFEE), 200)
                unknown = "/gw/pictrs/" + "A" * 43
                self.assertIn(self.status_of(unknown, COFFEE), (404, 503))
            finally:
                server.pause(False)
            self.eventually(lambda: self.status_of(closed, COFFEE) == 422, "looking again")
            self.eventually(lambda: self.told("RECORDS") >= 8, "it is counted")
            self.eventually(lambda: self.told("RECORDS", "let_through") == 1, "it is counted")
            self.assertEqual(self.service.json("POST", "/v1/reports", REPORT, 201,
                                               token=token)["report"], 1)
            self.service.stop()

    def late_commits(self, server, name, late):
        """A server that is slow goes on with a commit after the connection was given up."""
        server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'", name)
        server.sql("SELECT pg_reload_conf()", name)
        self.eventually(lambda: server.sql("SHOW synchronous_standby_names", name).strip(), "set")
        late()
        server.sql("ALTER SYSTEM RESET synchronous_standby_names", name)
        server.sql("SELECT pg_reload_conf()", name)

    def test_what_was_looked_at_counts_once_where_its_commit_comes_late(self):
        with postgres.Postgres() as server:
            self.data.mkdir(exist_ok=True)
            url = server.url()
            name = url.split("@/")[1].split("?")[0]
            self.begin(config=f'records = "{url}"\n')

            def counted():
                return int(server.sql("SELECT coalesce(sum(count), 0) FROM tally WHERE reason = 0",
                                      name).strip())

            looked = []

            def look():
                status = self.service.request("POST", SCAN, ROCKET)[0]
                looked.append(status)
                return status
            self.assertEqual(look(), 200)
            self.eventually(lambda: counted() == 1, "it is counted")
            self.late_commits(server, name,
                              lambda: self.eventually(lambda: look() == 503, "records that are late"))
            self.eventually(lambda: look() == 200, "looking again")
            self.service.stop()
            allowed = counted()
        entries = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()]
        undone = {entry["entry"] for entry in entries if entry["what"] == "not_done"}
        logged = sum(permit["count"] for entry in entries if entry["what"] == "second"
                     and entry["n"] not in undone for permit in entry.get("permits", ()))
        self.assertEqual([allowed, logged], [looked.count(200)] * 2)

    def test_a_commit_that_comes_late_is_not_told_as_not_done(self):
        with postgres.Postgres() as server:
            self.data.mkdir(exist_ok=True)
            url = server.url()
            name = url.split("@/")[1].split("?")[0]
            self.begin(config=f'records = "{url}"\n')
            token = self.run_obhut("token", "add", "app", "--surface", "direct", "--scope",
                                   "reports")[0].strip()
            self.eventually(lambda: server.sql("SELECT count(*) FROM mark WHERE name = 'reaped'",
                                               name).strip() == "1", "nobody writes by himself")
            reports = []

            def is_late():
                """Each another one: what is known already needs no commit."""
                reports.append({**REPORT, "reason": f"late {len(reports)}"})
                return self.could_not("POST", "/v1/reports", reports[-1], token=token) == "RECORDS"
            # the server's own processes hear of the setting one after the other
            self.late_commits(server, name, lambda: self.eventually(is_late, "records that are late"))
            answer = self.eventually(lambda: self.service.request(
                "POST", "/v1/reports", json.dumps(reports[-1]), token=token)[0] == 201, "it is kept")
            self.assertTrue(answer)
            self.service.stop()
            kept = {int(n) for n in server.sql("SELECT id FROM incoming", name).split()}
        log = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()]
        undone = {entry["entry"] for entry in log if entry["what"] == "not_done"}
        self.assertEqual(kept, {entry["report"] for entry in log if entry["what"] == "report.add"
                                and entry["n"] not in undone})

    # ---- the clock

    def test_a_clock_that_is_behind_is_no_refusal(self):
        self.begin()
        closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
        self.assertEqual(self.service.scan(COFFEE)["action"], "block")
        self.service.stop()
        records = sqlite3.connect(self.data / "obhut.db")
        with records:
            records.execute("UPDATE mark SET value = value + 7200 WHERE name = 'clock'")
        records.close()
        self.service = self.start()
        self.assertEqual(self.could_not("POST", SCAN, ROCKET), "CLOCK")
        self.assertEqual(self.could_not("POST", "/v1/hash?surface=public", ROCKET), "CLOCK")
        self.assertEqual(self.could_not("POST", "/v1/match?surface=public",
                                        {"query": "md5:" + "0" * 32}), "CLOCK")
        self.assertEqual(self.status_of(closed, COFFEE), 503)
        self.assertEqual(self.status_of(opened, COFFEE), 200)
        self.assertEqual((self.told("CLOCK"), self.told("CLOCK", "let_through")), (5, 1))
        status, _, content = self.service.request("GET", "/readyz")
        self.assertEqual((status, json.loads(content)["reasons"]), (503, ["CLOCK"]))

    # ---- workers

    @unittest.skipIf(obhutd.SANITIZED, "a worker's death is one of many there")
    def test_a_worker_that_cannot_be_started_is_no_judgement_of_the_file(self):
        folder = self.dir / "bin"
        folder.mkdir()
        for name in ("obhutd", "obhut-worker"):
            (folder / name).write_bytes(pathlib.Path(obhutd.DAEMON).with_name(name).read_bytes())
            (folder / name).chmod(0o755)
        self.begin(program=str(folder / "obhutd"), config="decoders = 1\n")
        closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
        self.assertEqual(self.service.scan(COFFEE)["action"], "block")
        (folder / "obhut-worker").rename(folder / "away")
        worker, = self.service.processes()["workers"]
        os.kill(worker, signal.SIGKILL)
        self.eventually(lambda: self.could_not("POST", SCAN, ROCKET) == "WORKERS", "no worker")
        self.assertEqual(self.status_of(closed, COFFEE), 503)
        self.assertEqual(self.status_of(opened, COFFEE), 200)
        self.eventually(lambda: self.told("WORKERS", "let_through") == 1, "it is counted")
        (folder / "away").rename(folder / "obhut-worker")
        self.eventually(lambda: self.status_of(closed, COFFEE) == 422, "looking again")

    # ---- too much at once

    def fill(self, wait_ms):
        """A queue of one place, which a picture has whose worker stands still. Returns the worker."""
        self.begin(config=f"queue-most = 1\ndecoders = 1\nqueue-wait-ms = {wait_ms}\n"
                          "decode-time-ms = 300000\n")  # it stands as long as the test wants
        worker, = self.service.processes()["workers"]
        os.kill(worker, signal.SIGSTOP)
        self.addCleanup(self.go_on_if_there, worker)
        self.answers = []
        self.ask_beside(SCAN, ROCKET)
        self.eventually(lambda: json.loads(self.service.request("GET", "/readyz")[2])["queue"]
                        == "full", "a full queue")
        return worker

    def go_on_if_there(self, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def ask_beside(self, path, content, name="first"):
        """Its answer is added to `answers` when it comes, with its name."""
        def ask():
            status, _, body = self.service.request("POST", path, content)
            self.answers.append((name, status, json.loads(body).get("action")))
        threading.Thread(target=ask, daemon=True).start()

    def test_a_full_queue_is_no_refusal(self):
        worker = self.fill(wait_ms=1)
        closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
        self.assertEqual(self.could_not("POST", SCAN, ROCKET), "BUSY")
        self.assertEqual(self.status_of(closed, COFFEE), 503)
        self.assertEqual(self.status_of(opened, COFFEE), 200)
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: self.answers, "the first is answered")
        self.assertEqual((self.told("BUSY"), self.told("BUSY", "let_through")), (3, 1))
        self.assertEqual(self.status_of(closed, COFFEE), 422)

    def test_a_request_waits_for_a_place_in_the_queue(self):
        worker = self.fill(wait_ms=60000)
        closed = self.gateway("closed")
        for number, (path, content) in enumerate(((SCAN, COFFEE), (closed, COFFEE), (SCAN, ROCKET)), 1):
            self.ask_beside(path, content, number)
            self.eventually(lambda n=number: self.service.metrics()["waiting"] == n, "it waits")
        self.assertEqual(self.answers, [])
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: len(self.answers) == 4, "all are answered")
        self.assertEqual(sorted(map(str, self.answers)), sorted(map(str, (
            ("first", 200, "allow"), (1, 200, "block"), (2, 422, None), (3, 200, "allow")))))
        self.assertEqual(self.told("BUSY"), 0)

    def test_who_goes_away_while_it_waits_is_forgotten(self):
        worker = self.fill(wait_ms=60000)
        peer = self.head(len(COFFEE))
        peer.sendall(COFFEE)
        self.eventually(lambda: self.service.metrics()["waiting"] == 1, "it waits")
        peer.close()
        self.eventually(lambda: self.service.metrics()["waiting"] == 0, "it is forgotten")
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: self.answers, "the first is answered")
        self.assertEqual(self.service.scan(ROCKET)["action"], "allow")
        self.eventually(lambda: self.service.metrics()['scans_total{action="allow"}'] == 2, "two scans")
        told = self.service.metrics()
        self.assertEqual((told['scans_total{action="block"}'], self.told("BUSY")), (0, 0))

    # ---- who asks and does not wait for ever

    def in_time(self, path):
        """The status, and that it came in the time that the configuration gives (with patience for a busy machine)."""
        began = time.monotonic()
        status = self.status_of(path, COFFEE)
        self.assertLess(time.monotonic() - began, PATIENCE)
        return status

    def test_a_gateway_answers_in_its_time_whatever_waits(self):
        """Decoding and the queue would take minutes here; who asks ends after half of one."""
        self.begin(config="decoders = 1\ndecode-time-ms = 300000\nqueue-wait-ms = 60000\ngateway-time-ms = 1500\n")
        closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
        worker, = self.service.processes()["workers"]
        self.assertEqual(self.status_of(closed, COFFEE), 422)
        worker, = self.service.processes()["workers"]
        os.kill(worker, signal.SIGSTOP)
        self.addCleanup(self.go_on_if_there, worker)
        self.assertEqual(self.in_time(closed), 503)  # it is with the worker
        self.assertEqual(self.in_time(closed), 503)  # these wait behind it
        self.assertEqual(self.in_time(opened), 200)
        self.assertEqual((self.told("BUSY"), self.told("BUSY", "let_through")), (3, 1))
        self.answers = []
        self.ask_beside(SCAN, COFFEE)  # what is no gateway's waits
        os.kill(worker, signal.SIGCONT)
        self.eventually(lambda: self.answers, "the scan is answered")
        self.assertEqual(self.answers, [("first", 200, "block")])
        self.assertEqual(self.status_of(closed, COFFEE), 422)
        self.assertEqual((self.told("BUSY"), self.told("BUSY", "let_through")), (3, 1))

    def test_a_match_that_comes_too_late_is_told_as_what_became_of_it(self):
        self.begin(config="decoders = 1\ndecode-time-ms = 300000\ngateway-time-ms = 1500\n")
        opened = self.gateway("open")
        self.assertEqual(self.status_of(opened, COFFEE), 422)
        worker, = self.service.processes()["workers"]
        os.kill(worker, signal.SIGSTOP)
        self.addCleanup(self.go_on_if_there, worker)
        self.assertEqual(self.in_time(opened), 200)
        os.kill(worker, signal.SIGCONT)
        said = lambda: [line for line in self.service.log if line.endswith("block, let through")]  # noqa: E731
        self.eventually(said, "the match is told")

    def test_a_gateway_answers_in_its_time_without_a_core(self):
        self.begin(config="gateway-time-ms = 1500\n")
        opened = self.gateway("open")
        main = self.without_core()
        self.assertEqual(self.in_time(opened), 503)  # whether it is open is not known without a core
        os.kill(main, signal.SIGCONT)
        self.eventually(lambda: self.status_of(opened, COFFEE) == 422, "it looks again")

    # ---- a core that is not there

    def without_core(self):
        """The core is gone, and main does not start another before the test lets it."""
        who = self.service.processes()
        os.kill(who["main"], signal.SIGSTOP)
        self.addCleanup(self.go_on, who["main"])
        os.kill(who["core"], signal.SIGKILL)
        self.eventually(lambda: self.service.request("GET", "/readyz")[0] == 503, "no core")
        return who["main"]

    @staticmethod
    def go_on(main):
        try:
            os.kill(main, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def test_a_request_waits_for_a_core_that_starts_again(self):
        self.begin()
        main = self.without_core()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.service.scan(COFFEE)["action"]))
                   for _ in range(8)]
        for t in threads:
            t.start()
        time.sleep(0.5)
        self.assertEqual(answers, [])
        self.go_on(main)
        for t in threads:
            t.join(PATIENCE)
        self.assertEqual(answers, ["block"] * 8)
        self.assertEqual(self.told("RESTARTING"), 0)

    def test_nobody_waits_for_ever_for_a_core(self):
        self.begin()
        closed = self.gateway("closed")
        main = self.without_core()
        started = time.monotonic()
        got = []
        gateway = threading.Thread(target=lambda: got.append(self.status_of(closed, COFFEE)))
        gateway.start()
        self.assertEqual(self.could_not("POST", SCAN, ROCKET), "RESTARTING")
        gateway.join(PATIENCE)
        self.assertEqual(got, [503])
        self.assertGreater(time.monotonic() - started, 8)
        self.assertEqual(self.could_not("GET", "/transparency", listener="public",
                                        headers={"Accept": "application/json"}), "RESTARTING")
        self.go_on(main)
        self.eventually(lambda: self.could_not("POST", SCAN, COFFEE) is None, "a core")
        self.assertEqual(self.service.scan(COFFEE)["action"], "block")
        self.assertEqual(self.told("RESTARTING"), 2)  # and not who only asked how it is

    def head(self, length):
        """A connection on which a head was sent, and the core wants the body."""
        peer = socket.create_connection((self.service.host, self.service.port), PATIENCE)
        self.addCleanup(peer.close)
        peer.sendall((f"POST {SCAN} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.service.token}"
                      f"\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n").encode())
        self.assertIn(b"100 Continue", peer.recv(4096))
        return peer

    @staticmethod
    def answer(peer):
        got = b""
        while b"\r\n\r\n" not in got or not got.endswith(b"}\n"):
            more = peer.recv(65536)
            if not more:
                break
            got += more
        return int(got.split()[1]), json.loads(got.partition(b"\r\n\r\n")[2])

    def test_a_core_that_dies_before_the_body_costs_nothing(self):
        self.begin()
        peers = [self.head(len(COFFEE)) for _ in range(3)]
        peers[1].sendall(COFFEE[:100000])
        main = self.without_core()
        peers[1].sendall(COFFEE[100000:])  # the end of a body comes while there is no core
        peers[2].sendall(COFFEE)
        time.sleep(0.3)
        self.go_on(main)
        self.eventually(lambda: self.service.request("GET", "/readyz")[0] == 200, "a core")
        peers[0].sendall(COFFEE)
        for peer in peers:
            status, got = self.answer(peer)
            self.assertEqual((status, got["action"]), (200, "block"), got)

    def test_only_of_what_changes_something_it_is_not_known_whether_it_was_done(self):
        self.begin()
        body = json.dumps({"query": "0" * 64}).encode()
        peers = {}
        core = self.service.processes()["core"]
        os.kill(core, signal.SIGSTOP)
        for path in ("/v1/match?surface=public", "/v1/reports"):
            peers[path] = socket.create_connection((self.service.host, self.service.port), PATIENCE)
            self.addCleanup(peers[path].close)
            peers[path].sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.service.token}\r\n"
                                 f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body)
        self.assertEqual(self.service.request("GET", "/healthz")[0], 200)  # the front has read both
        os.kill(core, signal.SIGKILL)
        told = {path: self.answer(peer)[1]["detail"] for path, peer in peers.items()}
        self.assertIn("ask again", told["/v1/match?surface=public"])
        self.assertIn("not known", told["/v1/reports"])

    def test_what_was_handed_over_and_not_answered_is_asked_again(self):
        self.begin()
        peer = self.head(len(COFFEE))
        who = self.service.processes()
        os.kill(who["core"], signal.SIGSTOP)
        peer.sendall(COFFEE)
        files = pathlib.Path(f"/proc/{who['front']}/fd")

        def holds_a_body():
            for file in list(files.iterdir()):
                try:
                    if "memfd:obhut" in os.readlink(file):
                        return True
                except OSError:
                    pass
            return False
        self.eventually(lambda: not holds_a_body(), "a body that was handed over")
        os.kill(who["core"], signal.SIGKILL)
        status, got = self.answer(peer)
        self.assertEqual((status, got["reason"], got["action"]), (503, "RESTARTING", "could_not"))
        self.assertIn("ask again", got["detail"])

    def test_a_service_that_stops_says_so(self):
        self.begin()
        peer = self.head(len(COFFEE))
        started = [self.head(len(COFFEE))]
        main = self.without_core()
        peer.sendall(COFFEE)
        os.kill(main, signal.SIGTERM)
        self.go_on(main)
        status, got = self.answer(peer)
        if status == 503:  # or main had started a core before it saw that it is to stop
            self.assertEqual((got["reason"], got["action"]), ("STOPPING", "could_not"))
        else:
            self.assertEqual((status, got["action"]), (200, "block"))
        started[0].close()
        self.service.process.wait(PATIENCE)

    # ---- whether it lives

    def test_health_needs_nothing_but_the_front(self):
        self.begin()
        who = self.service.processes()
        os.kill(who["core"], signal.SIGSTOP)
        try:
            for _ in range(20):
                self.assertEqual(self.service.request("GET", "/healthz", token=False)[::2],
                                 (200, b'{"status":"ok"}\n'))
            self.assertEqual(self.service.request("HEAD", "/healthz", token=False)[::2], (200, b""))
            for method in ("POST", "PUT", "DELETE"):
                status, headers, content = self.service.request(method, "/healthz", b"x", token=False)
                self.assertEqual((status, headers["Allow"], json.loads(content)["code"]),
                                 (405, "GET, HEAD", "METHOD"))
        finally:
            os.kill(who["core"], signal.SIGCONT)
        main = self.without_core()
        self.service.json("GET", "/healthz", token=False)
        self.go_on(main)

    def test_health_is_told_while_all_connections_are_taken(self):
        self.begin(config="connections-most = 3\n")
        taken = [self.head(len(COFFEE)) for _ in range(3)]
        for _ in range(40):
            self.assertEqual(self.could_not("POST", SCAN, ROCKET), "BUSY")
            self.service.json("GET", "/healthz", token=False)
            self.service.json("GET", "/readyz", token=False)
        _, headers, _ = self.service.request("POST", SCAN, ROCKET)
        self.assertEqual(headers["Connection"], "close")
        for peer in taken:
            peer.sendall(COFFEE)
        for peer in taken:
            self.assertEqual(self.answer(peer)[1]["action"], "block")
            peer.close()
        self.eventually(lambda: self.could_not("POST", SCAN, ROCKET) is None, "room again")
        self.eventually(lambda: self.told("BUSY") >= 41, "it is counted")

    def test_gateways_answer_by_their_own_word_where_the_front_has_no_room(self):
        self.begin(config="connections-most = 3\nmemory-most-mb = 1\n")
        closed, opened = self.gateway("closed"), self.gateway("open", "--name", "o")
        large = bytes(3000000)
        self.assertEqual(self.status_of(closed, large), 503)
        self.assertEqual(self.status_of(opened, large), 200)
        self.eventually(lambda: self.told("BUSY", "let_through") == 1, "it is counted")
        self.assertEqual(self.could_not("POST", SCAN, large), "BUSY")
        taken = [self.head(len(ROCKET)) for _ in range(3)]
        self.assertEqual(self.status_of(closed, ROCKET), 503)
        self.assertEqual(self.status_of(opened, ROCKET), 200)
        self.assertEqual(self.status_of("/gw/pictrs/" + "A" * 43, ROCKET), 404)
        self.assertEqual(self.could_not("POST", SCAN, ROCKET), "BUSY")
        for peer in taken:
            peer.close()
        self.eventually(lambda: self.status_of(closed, ROCKET) == 200, "room again")
        self.eventually(lambda: self.told("BUSY", "let_through") == 2, "it is counted")
        self.eventually(lambda: self.told("BUSY") == 6, "it is counted")

    # ---- the words

    def test_the_reasons_are_the_same_everywhere(self):
        source = (obhutd.ROOT / "src/pure/base/hindrance.c").read_text()
        words = [w for w in re.findall(r'\[OB_HINDRANCE_\w+\] =\s*\{"(\w+)"', source) if w != "NONE"]
        told, = [part["properties"]["reason"]["enum"]
                 for part in DESCRIBED["components"]["schemas"]["CouldNot"]["allOf"] if "properties" in part]
        page = (obhutd.ROOT / "docs/INTEGRATIONS.md").read_text()
        glossary, = re.findall(r"\| hindrance .*: ([A-Z, ]+) \|", (obhutd.ROOT / "docs/GLOSSARY.md").read_text())
        self.assertEqual(len(words), 9)
        self.assertEqual(words, told)
        self.assertEqual(words, [w for w in re.findall(r"(?m)^\| `([A-Z]+)` \|", page)])
        self.assertEqual(words, glossary.split(", "))

    # ---- what a gateway does is said

    def test_open_gateways_are_named_at_every_start(self):
        self.begin()
        self.gateway(None)
        self.gateway("open", "--name", "lenient")
        got = {g["name"]: g["fail"] for g in self.json_lines("gateway", "ls", "--json")[0]["gateways"]}
        self.assertEqual(got, {"pict-rs": "closed", "lenient": "open"})
        self.service.stop()
        self.service = self.start()
        said = self.eventually(lambda: [line for line in self.service.log if "fails open" in line],
                               "a sentence")
        self.assertEqual(len(said), 1)
        self.assertTrue(re.search(r"gateway lenient fails open: .* let through unseen", said[0]), said)


if __name__ == "__main__":
    unittest.main()
