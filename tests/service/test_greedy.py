"""Clients that want more than their share. What a neighbour waits is printed, never asserted: the order of
turns is shown by events in tests/unit/engine_turns.c, bounds of memory here."""
import io
import json
import pathlib
import random
import socket
import struct
import threading
import time
import unittest
import zlib

import obhutd
import waiting
from PIL import Image

SMALL = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
GROWTH = 64 << 20  # that one request may cost the core, and what lies around it

# 16,383 x 16,383 pixels of one colour, lossless, in 40 bytes.
WEBP = bytes.fromhex("5249464620000000574542505650384c140000002ffebfff0f075081540820000a9afec78888fe07")


def encode(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def slow_png(side):
    """All black, without an image of that size being made here."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    packer, row = zlib.compressobj(1), bytes(1 + side * 3)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def slow_gif(side, frames):
    pictures = [Image.new("P", (side, side), i) for i in range(frames)]
    for i, picture in enumerate(pictures):
        picture.putpalette([(7 * i + k) % 256 for k in range(768)])
    return encode(pictures[0], "GIF", save_all=True, append_images=pictures[1:])


def slow_files():
    """One of each format that costs far more than its bytes lead one to expect."""
    plain = Image.new("RGB", (7000, 7000))
    return {"webp": WEBP, "png": slow_png(7000), "gif": slow_gif(2000, 20),
            "tiff": encode(plain, "TIFF", compression="tiff_adobe_deflate"),
            "jpeg": encode(plain, "JPEG", progressive=True, quality=50)}


def near(base, count, bits, seed=8):
    numbers = random.Random(seed)
    for _ in range(count):
        entry = base
        for bit in numbers.sample(range(256), bits):
            entry ^= 1 << bit
        yield f"{entry:064x}"


BASE = random.Random(8).getrandbits(256)


def queries(count):
    return [f"{BASE ^ 1 << i % 256:064x}" for i in range(count)]


def p99(times):
    return sorted(times)[max(0, len(times) * 99 // 100 - 1)]


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
        worst = {
            "keys": b"[" + b",".join([b"{" + b",".join(b'"k%d":1' % i for i in range(250)) + b"}"] * 250) + b"]",
            "objects": b"[" + b",".join([b"[{}]"] * 30000) + b"]",
            "situations": b"[" + b",".join([b'{"surface":"public"}'] * 1000) + b"]",
            "text": b'["' + b"\\u00e4" * 170000 + b'"]'}
        for name, body in worst.items():
            grown, _ = self.grown(core, lambda: service.json(
                "POST", "/v1/gate/explain?what_if=true", body, status=(200, 400)))
            print(f"{name}: {len(body) >> 10} KB of JSON, the core grew by {grown >> 20} MB")
            self.assertLess(grown, GROWTH)

    def test_a_slow_file_is_known_by_its_head(self):
        service = self.start(*self.configure("decoders = 2\ndecode-time-ms = 100\ndecode-cpu-ms = 100\n"))
        for name, content in slow_files().items():
            before = service.metrics()["slow_files_total"]
            got = service.scan(content)
            self.assertIn((got["action"], got.get("reason")),  # a quick machine may be in time
                          (("undecodable", "TOO_SLOW"), ("allow", None)), name)
            waiting.until(lambda: service.metrics()["slow_files_total"] == before + 1, f"{name} is counted")
        self.assertEqual(service.scan(SMALL, status=200)["action"] in ("allow", "undecodable"), True)

    def test_a_neighbour_beside_eight_greedy_clients(self):
        """Printed: how long a neighbour's picture takes alone, and beside the worst of everything at once."""
        self.run_obhut("list", "import", self.write("near.txt", "\n".join(near(BASE, 2000, 6)) + "\n"),
                       "--name", "near")
        service = self.start(*self.configure("decoders = 2\nsearchers = 2\n"))
        token, _ = self.run_obhut("token", "add", "greedy", "--surface", "public", "--scope", "scan",
                                  "--scope", "match")
        token, stop = token.strip().splitlines()[-1], threading.Event()
        alone = [self.took(service) for _ in range(20)]

        def keep(method, path, body):
            while not stop.is_set():
                try:
                    service.request(method, path, body, token=token)
                except OSError:
                    pass

        def half_heads():
            while not stop.is_set():
                with socket.create_connection((service.host, service.port)) as one:
                    one.sendall(b"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\nContent-Le")
                    stop.wait(0.2)
        greedy = [("POST", "/v1/scan?surface=public", content) for content in slow_files().values()]
        greedy.append(("POST", "/v1/match?surface=public",
                       json.dumps({"queries": queries(1024), "limit": 10000}).encode()))
        greedy.append(("POST", "/v1/gate/explain", b"[" + b",".join([b"{}"] * 1000) + b"]"))
        threads = [threading.Thread(target=keep, args=one) for one in greedy] + \
            [threading.Thread(target=half_heads)]
        for one in threads:
            one.start()
        try:
            waiting.until(lambda: service.metrics()["slow_files_total"] >= 3, "slow files came")
            beside = [self.took(service) for _ in range(20)]
        finally:
            stop.set()
            for one in threads:
                one.join()
        print(f"a neighbour's picture: 99 of 100 within {p99(alone):.3f} s alone, {p99(beside):.3f} s beside")
        self.assertEqual(service.scan(SMALL)["action"], "allow")

    def took(self, service):
        began = time.monotonic()
        self.assertEqual(service.scan(SMALL)["action"], "allow")
        return time.monotonic() - began


if __name__ == "__main__":
    unittest.main()
