"""The service under attack, under load, and killed."""
import concurrent.futures
import http.client
import io
import json
import os
import random
import signal
import socket
import threading
import time
import unittest

import obhutd
import waiting
from PIL import Image

ROCKET = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
COFFEE = obhutd.DEMO / "coffee-2400x1600.jpg"


def seeds():
    picture = Image.open(obhutd.DEMO / "rocket-640x427.jpg").convert("RGB").resize((96, 64))
    moving = [picture.rotate(20 * i) for i in range(4)]
    def encode(form, image=picture, **options):
        out = io.BytesIO()
        image.save(out, form, **options)
        return out.getvalue()
    return [encode("JPEG"), encode("JPEG", progressive=True), encode("PNG"), encode("WEBP"),
            encode("WEBP", lossless=True), encode("GIF", picture.quantize(64)),
            encode("GIF", moving[0], save_all=True, append_images=moving[1:]), encode("TIFF"),
            encode("TIFF", compression="tiff_lzw"),
            encode("WEBP", moving[0], save_all=True, append_images=moving[1:])] + \
        [path.read_bytes() for path in sorted((obhutd.ROOT / "tests/fuzz/corpus/heif").glob("*"))]


def mutate(numbers, content):
    content = bytearray(content)
    for _ in range(numbers.randint(1, 8)):
        where = numbers.choice((numbers.randrange(len(content)),
                                numbers.randrange(min(200, len(content)))))
        content[where] = numbers.choice((0, 0xFF, numbers.randrange(256)))
    if numbers.randrange(4) == 0:
        del content[1 + numbers.randrange(len(content) - 1):]
    return bytes(content)


class Robust(obhutd.Case):
    def sizes(self, service):
        """What each has open; the core's channels to workers are as many as those, which come when they are needed."""
        who = service.processes()
        return {name: obhutd.descriptors(who[name]) - (len(who["workers"]) if name == "core" else 0)
                for name in ("main", "core", "front")} | {"workers": sorted(obhutd.descriptors(pid) for pid in who["workers"])[:1]}

    def test_mutated_pictures_leave_no_trace(self):
        self.run_obhut("list", "import", self.write("l.txt", obhutd.obhut.hashes(1000)))
        # a worker may need as long as it takes beside others; how much of the processor it may have stays
        service = self.start(*self.configure("decode-time-ms = 600000\n"))
        all_seeds = seeds()
        count = obhutd.obhut.samples("OBHUT_SERVICE_MUTATIONS", 500)
        for seed in all_seeds:
            service.scan(seed)
        before = self.sizes(service)
        actions = {}
        lock = threading.Lock()

        def some(number):
            connection = service.connect()
            mine = random.Random(4 * obhutd.obhut.SEED + number)
            for i in range(count // 4):
                got = service.scan(mutate(mine, all_seeds[(i + number) % len(all_seeds)]),
                                   connection=connection)
                with lock:
                    key = got.get("reason", got["action"])
                    actions[key] = actions.get(key, 0) + 1
            connection.close()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(some, range(4)))
        self.assertGreater(actions.get("DAMAGED", 0), count // 10)
        self.assertGreater(actions.get("allow", 0), count // 50)
        self.assertEqual(actions.get("CRASHED", 0) + actions.get("TOO_SLOW", 0), 0, actions)
        waiting.until(lambda: self.sizes(service) == before,
                      lambda: f"descriptors as before: {before}, {self.sizes(service)}")
        self.assertEqual(service.metrics()["workers_lost_total"], 0, service.log)
        service.stop()  # leaks in any process would have been an exit code
        self.assertFalse([line for line in service.log if "ERROR" in line or "ended" in line])

    def test_bombs_cost_nothing(self):
        import struct
        import zlib
        def chunk(kind, content):
            return struct.pack(">I", len(content)) + kind + content + \
                struct.pack(">I", zlib.crc32(kind + content))
        png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 50000, 50000, 8, 2, 0,
                                                               0, 0)) + \
            chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        gif = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0xF0, 0, 0) + bytes(6) + \
            b",\0\0\0\0\1\0\1\0\0\2\2D\1\0" * 10000 + b";"
        service = self.start(*self.configure("decoders = 1\n"))
        service.scan(ROCKET)
        workers = service.processes()["workers"]
        before = max(obhutd.resident(pid) for pid in workers)
        worked_s = sum(obhutd.worked(pid) for pid in workers)
        for bomb in (png, gif) * 10:
            got = service.scan(bomb)
            self.assertEqual(got["reason"], "TOO_LARGE")
        before_them, workers = workers, service.processes()["workers"]
        if not obhutd.SANITIZED: # which has memory of its own, and makes long what is brief
            self.assertLessEqual(set(before_them), set(workers))  # what is long has one of its own
            # a tenth of a second of the processor for each
            self.assertLess(sum(obhutd.worked(pid) for pid in workers) - worked_s, 20 * 0.1)
            self.assertLess(max(obhutd.resident(pid) for pid in workers), before + 50e6)

    def test_slow_clients_are_cut(self):
        service = self.start(*self.configure("head-time-ms = 2000\nbody-time-ms = 2000\n"))
        connections = [socket.create_connection((service.host, service.port)) for _ in range(20)]
        for c in connections:
            c.sendall(b"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\n")
        body = socket.create_connection((service.host, service.port))
        body.sendall(f"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                     f"{service.token}\r\nContent-Length: 100000\r\n\r\n".encode())
        connections.append(body)
        small = socket.create_connection((service.host, service.port))  # which goes with its head
        small.sendall(f"POST /v1/match?surface=public HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                      f"{service.token}\r\nContent-Type: application/json\r\n"
                      "Content-Length: 30000\r\n\r\n{".encode())
        connections.append(small)

        def are_cut():  # a byte now and then keeps no connection alive
            for c in connections:
                try:
                    c.sendall(b"X")
                except OSError:
                    pass
            service.json("GET", "/healthz")
            return service.metrics()["slow_requests_total"] >= 22
        waiting.until(are_cut, "all are cut", 0.5)
        for c in connections:
            c.close()

    def under_load(self, service, seconds, during):
        """Scans on four connections; every request is answered or cleanly fails."""
        answers, stop = {}, threading.Event()
        lock = threading.Lock()
        expected = service.scan(ROCKET)["pdq"]

        def load():
            while not stop.is_set():
                try:
                    status, _, body = service.request("POST", "/v1/scan?surface=public", ROCKET)
                    if status == 200:
                        got = json.loads(body)
                        right = got.get("pdq") == expected or got.get("reason") in (
                            "CRASHED", "TOO_SLOW")
                        key = "right" if got.get("pdq") == expected else \
                            "lost worker" if right else "WRONG"
                    else:
                        key = f"status {status}" if status in (503, 500) else f"WRONG {status}"
                except (OSError, http.client.HTTPException) as problem:
                    key = "failed" if not isinstance(problem, TimeoutError) else "WRONG timeout"
                with lock:
                    answers[key] = answers.get(key, 0) + 1
                if key == "failed":
                    time.sleep(0.01)
        threads = [threading.Thread(target=load) for _ in range(4)]
        for t in threads:
            t.start()
        try:
            during()
            time.sleep(seconds)
        finally:
            stop.set()
            for t in threads:
                t.join(waiting.LIMIT_S)
        self.assertFalse([t for t in threads if t.is_alive()])
        self.assertFalse([key for key in answers if key.startswith("WRONG")], answers)
        self.assertGreater(answers.get("right", 0), 0, answers)
        return answers

    def wait_until_back(self, service):
        def answers():
            try:
                return service.request("POST", "/v1/scan?surface=public", ROCKET)[0] == 200
            except (OSError, http.client.HTTPException):
                return False
        waiting.until(answers, lambda: "the service comes back: " + "\n".join(service.log[-20:]), 0.01)

    def test_a_killed_process_costs_at_most_its_requests(self):
        service = self.start()
        rounds = obhutd.obhut.samples("OBHUT_SERVICE_KILLS", 3)
        numbers = random.Random(3)

        def kill_everybody():
            for i in range(rounds):
                for who in ("front", "core", "workers"):
                    time.sleep(numbers.uniform(0.05, 0.3))
                    processes = service.processes()
                    victim = processes.get(who)
                    if who == "workers":
                        victim = numbers.choice(victim) if victim else None
                    if victim:
                        os.kill(victim, signal.SIGKILL)
                    self.wait_until_back(service)
        self.under_load(service, 0.5, kill_everybody)
        text = "\n".join(service.log)
        self.assertIn("the front was ended by signal 9 and starts again", text)
        self.assertIn("the core was ended by signal 9 and starts again", text)
        self.assertEqual(service.scan(ROCKET)["action"], "allow")

    def test_with_main_everybody_goes_and_a_new_one_starts_at_once(self):
        service = self.start(listen=f"127.0.0.1:{obhutd.quiet_port()}")
        everybody = service.processes()
        os.kill(everybody["main"], signal.SIGKILL)
        service.process.wait()

        def are_gone():
            return not [pid for pid in [everybody["core"], everybody["front"], *everybody["workers"]]
                        if obhutd.is_ours(pid)]
        waiting.until(are_gone, "they go too", 0.01)
        again = self.start(listen=f"{service.host}:{service.port}")
        self.assertEqual(again.scan(ROCKET)["action"], "allow")

    def test_stopping_finishes_what_has_begun(self):
        service = self.start()
        big = io.BytesIO()
        Image.open(COFFEE).resize((6000, 4000)).save(big, "PNG", compress_level=1)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            service.request("POST", "/v1/scan?surface=public", big.getvalue())[0]))
            for _ in range(3)]
        for t in threads:
            t.start()
        time.sleep(0.4)
        service.stop()
        for t in threads:
            t.join()
        self.assertTrue(set(answers) <= {200, 503}, answers)

    def test_one_service_owns_a_directory(self):
        service = self.start()
        with self.assertRaises(AssertionError) as caught:
            obhutd.Service(self.data)
        self.assertRegex(str(caught.exception),
                         r"another obhutd owns \S+ \(process \d+\): one service a directory")
        self.assertEqual(service.scan(ROCKET)["action"], "allow")

    def test_a_list_is_swapped_under_load_without_a_wrong_answer(self):
        count = 20000 if obhutd.SANITIZED else 1000000 if obhutd.obhut.SOAK else 200000
        listed, = self.json_lines("hash", "--json", obhutd.DEMO / "rocket-640x427.jpg")
        other = obhutd.obhut.hashes(count, seed=21)
        with_it = self.write("with.txt", other[1:] + [listed["pdq"]])
        without = self.write("without.txt", other)
        self.run_obhut("list", "import", without, "--name", "x")
        service = self.start()
        state = {"acknowledged": False, "before": 0}
        wrong, stop, looked = [], threading.Event(), [0]

        def load():
            connection = service.connect()
            while not stop.is_set():
                looked[0] += 1
                known, number = state["acknowledged"], state["before"]
                got = service.scan(ROCKET, connection=connection)
                if state["before"] != number or state["acknowledged"] != known:
                    continue  # it changed meanwhile
                found = got["action"] == "review"
                if number == 0 and found != known:
                    wrong.append((known, got["action"]))
            connection.close()
        threads = [threading.Thread(target=load) for _ in range(3)]
        for t in threads:
            t.start()
        for content, known in ((with_it, True), (without, False), (with_it, True)):
            state["before"] = 1  # from here to the acknowledgement either answer is right
            self.run_obhut("list", "import", content, "--name", "x")
            state["acknowledged"] = known
            state["before"] = 0
            enough = looked[0] + 20
            waiting.until(lambda: looked[0] >= enough or wrong, "it goes on")
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        metrics = service.metrics()
        self.assertEqual(metrics["failures_total"], 0)
        self.assertGreater(metrics['scans_total{action="review"}'], 0)

    def test_many_scans_leave_memory_and_descriptors_flat(self):
        self.run_obhut("list", "import", self.write("l.txt", obhutd.obhut.hashes(1000)))
        service = self.start()
        count = obhutd.obhut.samples("OBHUT_SCANS", 400)
        pictures = [path.read_bytes() for path in sorted(obhutd.IMAGES.glob("*"))
                    if path.stat().st_size < 60000]

        def some(number, scans):
            connection = service.connect()
            for i in range(scans):
                service.scan(pictures[(i + number) % len(pictures)], connection=connection)
            connection.close()

        def run(scans):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                list(pool.map(some, range(4), [scans // 4] * 4))
            who = service.processes()
            return ({n: obhutd.resident(who[n]) for n in ("core", "front")} |
                    {"worker": max(obhutd.resident(p) for p in who["workers"])})

        def files():
            who = service.processes()
            return {n: obhutd.descriptors(who[n]) for n in ("core", "front")}
        service.scan(pictures[0])
        files_before = files()
        run(count // 4)
        memory_before = run(count // 4)
        memory = run(count // 2)
        waiting.until(lambda: all(number <= files_before[n] for n, number in files().items()),
                      lambda: f"no more descriptors than before: {files_before}, {files()}")
        for name, size in memory.items():
            allowed = 200e6 if obhutd.SANITIZED else 16e6
            self.assertLess(size, memory_before[name] + allowed, (memory_before, memory))

    def test_back_pressure_says_when_to_try_again(self):
        service = self.start(*self.configure("queue-most = 2\ndecoders = 1\nqueue-wait-ms = 1\n"))
        big = io.BytesIO()
        Image.open(COFFEE).resize((5000, 3300)).save(big, "PNG", compress_level=1)
        statuses = []

        def one(_):
            status, headers, body = service.request("POST", "/v1/scan?surface=public",
                                                    big.getvalue())
            statuses.append(status)
            if status == 503:
                self.assertEqual((json.loads(body)["code"], headers["Retry-After"]), ("BUSY", "1"), body)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            list(pool.map(one, range(24)))
        self.assertEqual(set(statuses), {200, 503})
        self.assertEqual(service.scan(ROCKET)["action"], "allow")


if __name__ == "__main__":
    unittest.main()
