"""At the staff's door: a full disk, a process that dies, a database that is away. What was answered is there, what was
not done is told as such, and log and records say the same."""
import concurrent.futures
import http.client
import json
import os
import signal
import socket
import sys
import unittest

import faults
import obhutd
import waiting

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402

COULD_NOT = ("LOG", "RECORDS", "RESTARTING", "BUSY")


class Staff(obhutd.Case):
    def begin(self, *arguments):
        self.faults = faults.Faults(self.dir)
        self.service = self.start(*arguments, **self.faults.options)
        self.ada = self.run_obhut("person", "add", "ada", "--role", "lead")[0].strip()
        self.bea = self.run_obhut("person", "add", "bea", "--role", "lead")[0].strip()
        self.done = []

    def ask(self, method, path, body=None, token=None):
        """(status, what is said)"""
        headers = {"Content-Type": "application/json"} if body else {}
        status, headers, answer = self.service.request(method, path, json.dumps(body).encode() if body else None, headers,
                                                       token=token or self.ada, listener="staff")
        said = json.loads(answer)
        if status == 503:
            self.assertEqual((said["action"], said["code"] in COULD_NOT), ("could_not", True), said)
            self.assertGreater(int(headers["Retry-After"]), 0)
        return status, said

    def propose(self):
        status, said = self.ask("POST", "/v1/verdicts", {"account": f"account {len(self.done)}", "reason": "looked at"})
        if status == 200:
            self.done.append(said["proposal"])
        return status

    def entries(self):
        return [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()]

    def agree(self):
        """Everything that was answered is in the records, and the log has it and nothing more."""
        proposals = json.loads(self.run_obhut("proposal", "ls", "--json")[0])["proposals"]
        kept = {p["proposal"]: p["state"] for p in proposals}
        entries = self.entries()
        undone = {e["entry"] for e in entries if e["what"] == "not_done"}
        logged = [e for e in entries if e["n"] not in undone]
        self.assertEqual({e["proposal"] for e in logged if e["what"] == "verdict.add"}, set(kept))
        self.assertLessEqual(set(self.done), set(kept))
        self.assertEqual({e["proposal"] for e in logged if e["what"] == "proposal.approve"},
                         {number for number, state in kept.items() if state == "approved"})
        verdicts = json.loads(self.run_obhut("verdict", "ls", "--json")[0])["verdicts"]
        self.assertEqual({e["verdict"] for e in logged if e["what"] == "proposal.approve"},
                         {v["verdict"] for v in verdicts})
        return kept

    def until_done(self):
        waiting.until(lambda: self.propose() == 200, lambda: "it is done again")

    def is_done_again(self):
        """Also while the front starts anew."""
        try:
            return self.propose() == 200
        except (OSError, http.client.HTTPException):
            return False

    def test_what_does_not_fit_on_the_disk_is_not_done_and_may_be_asked_again(self):
        self.begin()
        self.until_done()
        for full in ("write:obhut.db-wal:errno=28", "write:audit/log:errno=28", "sync:obhut.db-wal:errno=5",
                     "sync:audit/log:errno=5"):
            with self.subTest(full):
                self.faults.set(full)
                self.assertEqual(self.propose(), 503)
                approve = f"/v1/proposals/{self.done[0]}/approve"
                self.assertEqual(self.ask("POST", approve, {"reason": "me, too"}, self.bea)[0], 503)
                if "audit/log" in full: # who looks stands in the log, too
                    self.assertEqual(self.ask("GET", "/v1/verdicts")[0], 503)
                self.faults.set()
                self.until_done()
                self.assertEqual(self.agree()[self.done[0]], "open")
        self.assertEqual(self.ask("POST", f"/v1/proposals/{self.done[0]}/approve", {"reason": "me, too"}, self.bea)[0], 200)
        self.agree()
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_who_asks_while_the_core_is_killed_hears_that_it_is_not_known(self):
        self.begin()
        self.until_done()
        for held in ("sync:audit/log:hold", "sync:obhut.db-wal:hold", "write:obhut.db-wal:hold"):
            with self.subTest(held), concurrent.futures.ThreadPoolExecutor(1) as pool:
                self.faults.set(held)
                answer = pool.submit(self.propose)
                self.faults.until_waiting()
                self.assertFalse(answer.done())
                os.kill(self.service.processes()["core"], signal.SIGKILL)
                self.assertEqual(answer.result(obhutd.obhut.LIMIT_S), 503)
                self.faults.set(wait=False)
                self.until_done()
                self.agree()
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_what_was_asked_when_everything_was_killed_is_done_or_not_and_the_log_says_which(self):
        self.begin()
        self.until_done()
        for held in ("sync:audit/log:hold", "sync:obhut.db-wal:hold"):
            for who in ("front", "all"):
                with self.subTest(held, who=who), concurrent.futures.ThreadPoolExecutor(1) as pool:
                    self.faults.set(held)
                    answer = pool.submit(self.propose)
                    self.faults.until_waiting()
                    if who == "front":
                        os.kill(self.service.processes()["front"], signal.SIGKILL)
                    else:
                        self.service.kill()
                    with self.assertRaises((OSError, http.client.HTTPException)):
                        answer.result(obhutd.obhut.LIMIT_S)
                    self.faults.set(wait=False)
                    if who == "all":
                        self.service = self.start(**self.faults.options)
                    waiting.until(lambda: self.is_done_again(), lambda: "it is done again")
                    self.agree()
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_a_database_that_is_away_is_no_refusal(self):
        with postgres.Postgres() as server:
            self.data.mkdir(exist_ok=True)
            self.begin(*self.configure(f'records = "{server.url()}"\n'))
            self.until_done()
            server.pause(True)
            try:
                self.assertEqual(self.propose(), 503)
                self.assertEqual(self.ask("GET", "/v1/verdicts")[0], 503)
            finally:
                server.pause(False)
            self.until_done()
            self.agree()
            server.stop(signal.SIGQUIT)
            try:
                self.assertEqual(self.propose(), 503)
            finally:
                server.start()
            self.until_done()
            self.agree()
            self.service.stop()
            self.run_obhut("audit", "verify")

    def test_who_comes_when_all_connections_are_taken_is_told_so(self):
        self.begin()
        most = 64
        head = (f"POST /v1/verdicts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.ada}\r\n"
                "Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n").encode()
        peers = []
        for _ in range(most):  # each has begun a request: none is idle
            peers.append(socket.create_connection(self.service.place("staff"), waiting.LIMIT_S))
            self.addCleanup(peers[-1].close)
            peers[-1].sendall(head)
            self.assertIn(b"100 Continue", peers[-1].recv(1000))
        for _ in range(40):
            status, said = self.ask("GET", "/v1/policy")
            self.assertEqual((status, said["code"]), (503, "BUSY"))
        with concurrent.futures.ThreadPoolExecutor(40) as pool: # and all of them at once
            answers = list(pool.map(lambda _: self.ask("GET", "/v1/policy")[0], range(40)))
        self.assertEqual(set(answers), {503})
        for peer in peers:
            peer.close()
        waiting.until(lambda: self.ask("GET", "/v1/policy")[0] == 200, lambda: "there is room again")


if __name__ == "__main__":
    unittest.main()
