"""Clients that want more than their share. What a neighbour waits is measured by ./dev bench greedy, never
asserted: the order of turns is shown by events in tests/path/engine/turns.c, bounds of memory here."""
import os
import pathlib
import select
import socket
import threading
import unittest

import obhutd
import waiting
from greedy import BASE, kinds, lying_png, near, queries, slow_files, worst_json

SMALL = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
THOUSAND = ("[" + ",".join(["{}"] * 1000) + "]").encode()  # situations, in three kilobytes
GROWTH = 64 << 20  # that one request may cost the core, and what lies around it


def processor(process):
    """Seconds that it has had, of all its threads."""
    numbers = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


class Greedy(obhutd.Case):
    def grown(self, core, work):
        """How many bytes of memory the core needed at most while that was done."""
        def peak():
            lines = pathlib.Path(f"/proc/{core}/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
        pathlib.Path(f"/proc/{core}/clear_refs").write_text("5")  # the highest is that of now
        before = obhutd.resident(core)
        result = work()
        return max(0, peak() - before), result

    def near_service(self, count=4000):
        self.run_obhut("list", "import", self.write("near.txt", "\n".join(near(BASE, count, 6)) + "\n"),
                       "--name", "near")
        return self.start(*self.configure("decoders = 1\nsearchers = 1\n"))

    @unittest.skipIf(obhutd.SANITIZED, "a sanitizer has memory of its own")
    def test_match_memory(self):
        """What any number of queries find, and the answer to them, costs the core a bounded amount."""
        service = self.near_service()
        core = service.processes()["core"]
        for count, limit in ((1, 1), (1, 10000), (256, 10000), (1024, 1), (4096, 1)):
            grown, got = self.grown(core, lambda: service.json(
                "POST", "/v1/match?surface=public", {"queries": queries(count), "limit": limit}))
            print(f"{count} queries, limit {limit}: the core grew by {grown >> 20} MB")
            self.assertEqual(len(got["results"]), count)
            self.assertLess(grown, GROWTH)

    def test_a_long_answer_is_cut_and_says_so(self):
        service = self.near_service(2000)
        got = service.json("POST", "/v1/match?surface=public", {"queries": queries(40), "limit": 10000})
        self.assertTrue(got["truncated"])
        first, last = got["results"][0], got["results"][-1]
        self.assertEqual((len(first["matches"]), first["total"]), (2000, 2000))
        self.assertNotIn("truncated", first)
        self.assertEqual((last["matches"], last["truncated"], last["total"]), ([], True, 2000))
        self.assertEqual(last["action"], first["action"])
        few = service.json("POST", "/v1/match?surface=public", {"queries": queries(2), "limit": 10000})
        self.assertNotIn("truncated", few)

    @unittest.skipIf(obhutd.SANITIZED, "a sanitizer has memory of its own")
    def test_explain_stops_nobody(self):
        """The worst JSON is refused, or costs little; the operator and others are answered meanwhile."""
        service = self.start()
        core = service.processes()["core"]
        keys = b"{" + b",".join(b'"k%d":1' % i for i in range(95000)) + b"}"
        self.assertEqual(service.json("POST", "/v1/gate/explain", keys, status=413)["code"], "TOO_LARGE")
        for name, body in worst_json().items():
            grown, _ = self.grown(core, lambda: service.json(
                "POST", "/v1/gate/explain?what_if=true", body, status=(200, 400)))
            print(f"{name}: {len(body) >> 10} KB of JSON, the core grew by {grown >> 20} MB")
            self.assertLess(grown, GROWTH)

    def explain(self, service, token, query=""):
        """Asks for a thousand situations, and does not wait for what they come to."""
        one = socket.create_connection((service.host, service.port), timeout=waiting.LIMIT_S)
        self.addCleanup(one.close)
        one.sendall((f"POST /v1/gate/explain{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                     "Content-Type: application/json\r\n"
                     f"Content-Length: {len(THOUSAND)}\r\n\r\n").encode() + THOUSAND)
        return one

    def neighbours(self):
        return [self.run_obhut("token", "add", name, "--surface", "public", "--scope", "scan")[0].split()[-1]
                for name in ("greedy", "neighbour")]

    def test_what_is_short_and_takes_long_keeps_no_other_waiting(self):
        service = self.start()
        greedy, neighbour = self.neighbours()
        service.scan(SMALL, token=neighbour)  # there is a worker, so that none has to be started
        many = [self.explain(service, greedy) for _ in range(60)]
        service.request("POST", "/v1/gate/explain", b"{}", {"Content-Type": "application/json"}, neighbour)
        self.assertEqual(service.scan(SMALL, token=neighbour)["action"], "allow")
        answered, _, _ = select.select(many, [], [], 0)
        self.assertLess(len(answered), 50)
        for one in many:
            self.assertIn(b" 200 ", one.makefile("rb").readline())

    def test_what_nobody_waits_for_any_more_is_not_done(self):
        service = self.start()
        greedy, _ = self.neighbours()
        core = service.processes()["core"]

        def spent(work):
            before = processor(core)
            work()
            return processor(core) - before

        every_law = "?what_if=true"  # takes long enough that most still wait when it is seen that they have gone

        def answered():
            for _ in range(10):
                self.explain(service, greedy, every_law).makefile("rb").readline()

        def left():
            for one in [self.explain(service, greedy, every_law) for _ in range(600)]:
                one.close()
            answered()
        self.assertLess(spent(left), 30 * max(spent(answered), 0.05))  # ticks are coarse

    def test_a_slow_file_is_known_by_its_head(self):
        service = self.start(*self.configure("decoders = 2\ndecode-time-ms = 100\ndecode-cpu-ms = 100\n"))
        for name, content in slow_files().items():
            before = service.metrics()["slow_files_total"]
            got = service.scan(content)
            self.assertIn((got["action"], got.get("reason")),  # a quick machine may be in time
                          (("undecodable", "TOO_SLOW"), ("allow", None)), name)
            waiting.until(lambda: service.metrics()["slow_files_total"] == before + 1, f"{name} is counted")
        self.assertEqual(service.scan(SMALL, status=200)["action"] in ("allow", "undecodable"), True)

    @unittest.skipIf(obhutd.SANITIZED, "a sanitizer has memory of its own")
    def test_a_neighbour_beside_eight_greedy_clients_is_answered(self):
        """Each of its pictures, beside the worst of everything at once, and the core hardly grows."""
        self.run_obhut("list", "import", self.write("near.txt", "\n".join(near(BASE, 2000, 6)) + "\n"),
                       "--name", "near")
        service = self.start(*self.configure("decoders = 2\nsearchers = 2\n"))
        token, _ = self.run_obhut("token", "add", "greedy", "--surface", "public", "--scope", "scan",
                                  "--scope", "match")
        stop, all_kinds = threading.Event(), kinds(service, token.strip().splitlines()[-1])
        clients = [threading.Thread(target=all_kinds[name], args=(stop,))
                   for name in ("webp", "png", "gif", "tiff", "jpeg", "match", "json keys", "half heads")]
        for one in clients:
            one.start()
        try:
            waiting.until(lambda: service.metrics()["slow_files_total"] >= 3, "slow files came")
            grown, answers = self.grown(service.processes()["core"],
                                        lambda: [service.scan(SMALL)["action"] for _ in range(100)])
        finally:
            stop.set()
            for one in clients:
                one.join()
        print(f"the core grew by {grown >> 20} MB")
        self.assertEqual(set(answers), {"allow"})
        self.assertLess(grown, len(clients) * GROWTH)

    def test_a_file_that_takes_longer_than_its_head_says_is_looked_at(self):
        """It is tried again among those that are long, and nobody hears of a lost worker."""
        service = self.start(*self.configure("decoders = 1\n"))
        self.assertEqual(service.scan(lying_png(1500))["action"], "allow")
        self.assertEqual(service.metrics()["workers_lost_total"], 0)


if __name__ == "__main__":
    unittest.main()
