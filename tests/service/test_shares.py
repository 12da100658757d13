"""Where there is no room, who has most gives way to who has less: connections and memory, by address."""
import contextlib
import json
import os
import select
import signal
import socket
import time
import unittest

import obhutd
import waiting

SMALL = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
GREEDY = "127.0.0.2"
HALF = b"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\nContent-Le"


def head(service, length):
    return (f"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token}\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def is_over(connection):
    """Whether the service has ended it, without an answer."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        connection.setblocking(True)


class Shares(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.connections = contextlib.ExitStack()
        self.addCleanup(self.connections.close)

    def connect(self, service, say, address=GREEDY):
        one = socket.create_connection((service.host, service.port), timeout=waiting.LIMIT_S,
                                       source_address=(address, 0))
        one.sendall(say)
        return self.connections.enter_context(one)

    def gave_way(self, service):
        return service.metrics()["gave_way_total"]

    def test_half_heads_push_each_other_out(self):
        """Also where all come from one address, as behind a proxy: whoever says something is answered."""
        service = self.start(*self.configure("connections-most = 20\n"))
        for address in (GREEDY, service.host):
            before = self.gave_way(service)
            greedy = [self.connect(service, HALF, address) for _ in range(60)]
            self.assertEqual(service.scan(SMALL)["action"], "allow")
            waiting.until(lambda: sum(map(is_over, greedy)) >= 40, "most of them have ended")
            waiting.until(lambda: self.gave_way(service) >= before + 40, "they were counted")
            self.connections.close()

    def test_who_sends_slowly_on_every_connection_gives_one_up(self):
        service = self.start(*self.configure("connections-most = 20\n"))
        greedy = [self.connect(service, head(service, 100) + b"some") for _ in range(20)]
        waiting.until(lambda: service.processes() and service.request("GET", "/healthz")[0] == 200, "all came")
        kept = service.connect()
        for _ in range(5):
            self.assertEqual(service.scan(SMALL, connection=kept)["action"], "allow")
        kept.close()
        waiting.until(lambda: any(map(is_over, greedy)), "one has ended")

    def test_who_came_before_there_was_no_room_is_answered(self):
        """Not whoever says something next is beyond what there is room for, but who came last."""
        service = self.start(*self.configure("connections-most = 20\n"))
        for _ in range(20):
            self.connect(service, head(service, 100) + b"some")
        kept = service.connect()
        self.addCleanup(kept.close)
        self.assertEqual(service.scan(SMALL, connection=kept)["action"], "allow")
        late = [self.connect(service, b"") for _ in range(3)]
        for _ in range(20):
            self.assertEqual(service.scan(SMALL, connection=kept)["action"], "allow")
        late[-1].sendall(head(service, 0))
        self.assertIn(b" 503 ", late[-1].recv(1000).splitlines()[0])

    def test_who_waits_on_every_connection_is_told_on_one(self):
        service = self.start(*self.configure("connections-most = 20\ndecoders = 1\n"))
        kept = service.connect()
        self.addCleanup(kept.close)
        worker, = service.processes()["workers"]
        os.kill(worker, signal.SIGSTOP)
        try:
            greedy = [self.connect(service, head(service, len(SMALL)) + SMALL) for _ in range(19)]
            waiting.until(lambda: b"\nobhut_waiting 18\n" in service.request("GET", "/metrics", connection=kept)[2],
                          "they wait")
            waiting.until(lambda: self.gave_way(service) >= 1, "one has given way")
        finally:
            with contextlib.suppress(ProcessLookupError):  # its time may have been over
                os.kill(worker, signal.SIGCONT)
        answers = []
        for one in greedy:
            with one.makefile("rb") as answer:
                answers.append(answer.read(4096) if b"503" in (first := answer.readline()) else first)
        told = [answer for answer in answers if b"200" not in answer]
        self.assertTrue(told and all(b"Retry-After" in one and b'"BUSY"' in one for one in told), told)
        self.assertLess(len(told), 10)

    def test_the_largest_body_on_its_way_makes_room(self):
        service = self.start(*self.configure("memory-most-mb = 1\nbody-most-mb = 1\n"))
        body = SMALL + bytes(250000)
        large = []

        def gives_way():
            """The large one is refused at once, and holds nothing, where the other came first."""
            large.append(self.connect(service, head(service, 900000) + bytes(850000)))
            return (service.scan(body, status=(200, 503)).get("action") == "allow"
                    and self.gave_way(service) >= 1)
        waiting.until(gives_way, "the large one gave way")
        told = []
        for one in large:
            with contextlib.suppress(OSError):  # told already
                one.sendall(bytes(50000))
            told.append(one.makefile("rb").readline())
        self.assertTrue(any(b" 503 " in line for line in told), told)

    def test_bodies_that_came_with_their_heads_give_way(self):
        """They are small, and there are many: the core has all of them, and answers none yet."""
        service = self.start(*self.configure("memory-most-mb = 1\n"))
        core = service.processes()["core"]
        body = json.dumps({"query": "0" * 64}).ljust(16000).encode()
        ask = (f"POST /v1/match?surface=public HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token}\r\n"
               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
        os.kill(core, signal.SIGSTOP)
        try:
            greedy = [self.connect(service, ask) for _ in range(80)]  # there is room for 62
            waiting.until(lambda: select.select(greedy, [], [], 0)[0], "one of them is told that there is no room")
            one = self.connect(service, ask, service.host)
            self.assertEqual(service.request("GET", "/healthz")[0], 200)  # the front has read what came before
            self.assertEqual(select.select([one], [], [], 0)[0], [])
        finally:
            os.kill(core, signal.SIGCONT)
        self.assertTrue(one.recv(100).startswith(b"HTTP/1.1 200"))
        for other in greedy:  # who gave way is answered all the same: the core had everything
            self.assertIn(other.recv(100).split()[1], (b"200", b"503"))
        self.assertGreaterEqual(self.gave_way(service), 1)

    def test_who_has_gone_in_the_middle_takes_no_place(self):
        """Before the library is tired of waiting for the rest, which ends whoever only says nothing."""
        service = self.start(*self.configure("connections-most = 20\n"))
        silent = self.connect(service, HALF, "127.0.0.3")
        json = head(service, 100).replace(b"/v1/scan", b"/v1/match").replace(
            b"Content-L", b"Content-Type: application/json\r\nContent-L")
        front = service.processes()["front"]
        for begun in (json + b"{", HALF):
            os.kill(front, signal.SIGSTOP)  # their end comes together with what they say
            for _ in range(19):
                self.connect(service, begun, service.host).close()
            os.kill(front, signal.SIGCONT)
            waiting.until(lambda: service.request("POST", "/v1/scan?surface=public", SMALL)[0] == 200,
                          "there is room again")
        self.assertFalse(is_over(silent))

    def test_of_addresses_that_have_as_many_the_idle_one_gives_way(self):
        service = self.start(*self.configure("connections-most = 20\n"))
        self.connect(service, head(service, 100) + b"some", "127.0.1.1")
        for last in range(2, 21):
            self.connect(service, HALF, f"127.0.1.{last}")
        self.assertEqual(service.scan(SMALL)["action"], "allow")

    def test_nobody_gives_way_to_who_has_more(self):
        """An address that has most takes nothing from one that has less."""
        service = self.start(*self.configure("connections-most = 20\n"))
        mine = self.connect(service, head(service, 100) + b"some", "127.0.0.3")
        for _ in range(60):
            self.connect(service, head(service, 100) + b"some")
        waiting.until(lambda: service.request("GET", "/healthz")[0] == 200, "all came")
        self.assertFalse(is_over(mine))


class Written(obhutd.Case):
    """What a token may write in a day is counted in the records: neither a start nor a kill begins anew."""

    def report(self, service, number, status):
        body = {"conversation": "c", "reporter": "r", "account": "a", "reason": f"number {number}",
                "items": [f"{number}-{n}" for n in range(1000)]}  # some 201,000 bytes
        return service.json("POST", "/v1/reports", body, status, token=self.client)

    def counted(self, end):
        config = self.configure("records-day-mb = 1\n")
        service = self.start(*config)
        self.client = self.run_obhut("token", "add", "t", "--surface", "direct", "--scope", "reports")[0].strip().splitlines()[-1]
        for number in range(4):
            self.report(service, number, 201)
        used = service.metrics()["quota_used_percent"]
        end(service)
        service = self.start(*config)
        self.assertEqual(service.metrics()["quota_used_percent"], used)
        self.assertEqual(self.report(service, 5, 429)["code"], "QUOTA")

    def test_what_leaves_nothing_on_the_disk_takes_nothing(self):
        """The same report again, and consents of who never gave any taken back."""
        service = self.start(*self.configure("records-day-mb = 1\n"))
        self.client = self.run_obhut("token", "add", "t", "--surface", "direct", "--scope", "reports",
                                     "--scope", "consents")[0].strip().splitlines()[-1]
        body = {"conversation": "c", "reporter": "r", "account": "a", "reason": "again",
                "items": [str(n) for n in range(1000)]}

        def entries():
            log = (self.data / "audit/log").read_text()
            return log.count('"what":"report.add"') + log.count('"what":"consent')
        for _ in range(2):
            service.json("POST", "/v1/reports", body, 201, token=self.client, headers={"Idempotency-Key": "k"})
        used, before = service.metrics()["quota_used_percent"], entries()
        for number in range(20):
            service.json("POST", "/v1/reports", body, 201, token=self.client, headers={"Idempotency-Key": "k"})
            service.json("DELETE", f"/v1/accounts/nobody-{number}/consents", token=self.client)
        self.assertEqual((service.metrics()["quota_used_percent"], entries()), (used, before))
        self.assertEqual(before, 1)

    def within_a_day(self, test):
        """It may begin shortly before midnight."""
        day = time.time() // 86400
        try:
            test()
        except AssertionError:
            if day == time.time() // 86400:
                raise

    def test_a_start_goes_on_counting(self):
        self.within_a_day(lambda: self.counted(lambda service: service.stop()))

    def test_a_kill_does_not_begin_anew(self):
        self.within_a_day(lambda: self.counted(obhutd.Service.kill))


if __name__ == "__main__":
    unittest.main()
