"""Processes die at any moment, on both databases: whatever was acknowledged is there, the log verifies
and says exactly what the records say, and nothing is left over."""
import http.client
import json
import os
import pathlib
import random
import signal
import sqlite3
import sys
import threading
import time
import unittest

import obhutd

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402
import waiting  # noqa: E402

PICTURE = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
KILLS = max(3, obhutd.obhut.samples("OBHUT_RECORD_KILLS", 12) // 2)  # a database
SCOPES = ("--surface", "direct", "--surface", "group", "--scope", "reports", "--scope", "consents")


class Load:
    """Clients that never stop: what the service acknowledged is in `reports`, `conversations`."""

    def __init__(self, port, token, own_token):
        self.port, self.token, self.own_token = port, token, own_token
        self.stopping = threading.Event()
        self.reports, self.consents, self.cut = {}, {}, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=run, args=(n,), daemon=True)
                        for n, run in enumerate((self.report, self.report, self.consent, self.scan))]
        for thread in self.threads:
            thread.start()

    def ask(self, method, path, body, token, headers=None):
        """The answer's status and JSON, or None where the connection was cut."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=waiting.LIMIT_S)
            connection.request(method, path, body,
                               {"Authorization": "Bearer " + token} | (headers or {}))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.cut += 1
            time.sleep(0.02)
            return None
        finally:
            connection.close()

    def again(self, *request):
        """Until it is answered: the same delivery is one record."""
        while not self.stopping.is_set():
            got = self.ask(*request)
            if got and got[0] < 500:
                return got
        return None

    def report(self, who):
        number = 0
        while not self.stopping.is_set():
            number += 1
            reason = f"report {number} of client {who}"
            body = json.dumps({"conversation": f"talk {number}", "reporter": f"a {who}",
                               "account": f"b {who}", "items": [f"i {number}"], "reason": reason})
            got = self.again("POST", "/v1/reports", body, self.token,
                             {"Idempotency-Key": f"{who}-{number}"})
            if got and got[0] == 201:
                with self.lock:
                    self.reports[got[1]["report"]] = reason

    def consent(self, who):
        number = 0
        while not self.stopping.is_set():
            number += 1
            members = [{"account": f"m {m}", "consents": True} for m in range(1 + number % 3)]
            got = self.again("PUT", f"/v1/conversations/c{number}/members",
                             json.dumps({"members": members}), self.token)
            if got and got[0] == 200:
                with self.lock:
                    self.consents[number] = len(members)

    def scan(self, who):
        while not self.stopping.is_set():
            self.ask("POST", "/v1/scan?surface=public", PICTURE, self.own_token)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(waiting.LIMIT_S)
            assert not thread.is_alive(), "a client was never answered"


class Kill(obhutd.Case):
    def entries(self):
        lines = (self.data / "audit/log").read_text().splitlines()
        return [json.loads(line[65:]) for line in lines]

    def check(self, load, rows):
        """`rows`: number and reason of every report; how many consent to each conversation."""
        self.run_obhut("audit", "verify")
        reports, consenting = rows
        self.assertEqual(len(reports), len(set(reports.values())), "a report is there twice")
        for number, reason in load.reports.items():
            self.assertEqual(reports.get(number), reason, f"report {number} was acknowledged")
        self.assertGreaterEqual(sum(consenting.values()), sum(load.consents.values()))
        entries = self.entries()
        undone = {e["entry"] for e in entries if e["what"] == "not_done"}
        logged = [e["report"] for e in entries
                  if e["what"] == "report.add" and e["n"] not in undone]
        self.assertEqual(sorted(logged), sorted(reports), "the log says what the records say")
        given = sum(len(e["given"]) - len(e["withdrawn"]) for e in entries
                    if e["what"] == "consent" and e["n"] not in undone)
        self.assertEqual(given, sum(consenting.values()))
        self.assertEqual([e["n"] for e in entries], list(range(len(entries))))

    def leftovers(self, database):
        found = {str(p.relative_to(self.data)) for p in self.data.rglob("*") if p.is_file()}
        usual = {"lock", "audit/log", "audit/checkpoints", "audit/key", "keys/api-token",
                 "keys/audit", "keys/pseudonym"}
        usual |= {"records"} if database else {"obhut.db"}
        self.assertEqual(found - usual, set())
        self.assertEqual([p for p in os.listdir("/proc") if p.isdigit() and
                          str(self.data).encode() in b" ".join(obhutd.command(p))], [])

    def run_kills(self, arguments, rows, count, server=None):
        numbers = random.Random(11)
        service = self.start(*arguments)
        token = self.run_obhut("token", "add", "client", *SCOPES)[0].split()[-1]
        load = Load(service.port, token, service.token)
        kills = {}
        for _ in range(count):
            time.sleep(numbers.uniform(0.02, 0.4))
            who = numbers.choice(["main", "core", "core", "front", "workers"] +
                                 (["server"] * 3 if server else []))
            kills[who] = kills.get(who, 0) + 1
            if who == "server":
                server.stop(signal.SIGQUIT)
                time.sleep(numbers.uniform(0, 0.3))
                server.start()
                continue
            processes = service.processes()
            victim = processes.get(who)
            victim = numbers.choice(victim) if isinstance(victim, list) and victim else victim
            victim = victim or processes.get("core")
            if not victim:  # it is about to start again
                continue
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
            if who == "main":
                service.process.wait()
                service.reader.join(waiting.LIMIT_S)
                service.process.stderr.close()
                service = self.start(*arguments)
                load.port = service.port  # clients find the next one
        enough = len(load.reports) + 10
        waiting.until(lambda: len(load.reports) >= enough, "reports after the last kill")
        load.stop()
        service.stop()
        self.check(load, rows())
        self.leftovers(server)
        print(f"# {kills}, {load.cut} connections cut, {len(load.reports)} reports, "
              f"{len(load.consents)} consents", flush=True)

    def test_what_was_acknowledged_is_there_in_sqlite(self):
        def rows():
            database = sqlite3.connect(self.data / "obhut.db")
            reports = dict(database.execute("SELECT id, reason FROM incoming WHERE kind = 0"))
            consenting = dict(database.execute("SELECT id, consenting FROM conversation"))
            database.close()
            return reports, consenting
        self.run_kills((), rows, KILLS)

    def test_what_was_acknowledged_is_there_in_postgresql(self):
        with postgres.Postgres() as server:
            url = server.url()
            name = url.split("@/")[1].split("?")[0]

            def rows():
                text = server.sql("SELECT id || '|' || reason FROM incoming WHERE kind = 0", name)
                reports = {int(line.split("|")[0]): line.split("|")[1]
                           for line in text.splitlines()}
                text = server.sql("SELECT encode(id, 'hex') || '|' || consenting FROM conversation",
                                  name)
                consenting = {line.split("|")[0]: int(line.split("|")[1])
                              for line in text.splitlines()}
                return reports, consenting
            self.data.mkdir(exist_ok=True)
            self.run_kills(self.configure(f'records = "{url}"\n'), rows, KILLS, server)


if __name__ == "__main__":
    unittest.main()
