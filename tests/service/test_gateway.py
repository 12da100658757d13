"""pict-rs asks as it asks, and gets what it needs."""
import collections
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import socket
import unittest

import obhutd
import waiting

COFFEE = obhutd.DEMO / "coffee-2400x1600.jpg"
ROCKET = obhutd.DEMO / "rocket-640x427.jpg"
OTHER = obhutd.DEMO / "hubble-1000x872.jpg"


def post_as_pict_rs(service, path, content, media_type="image/jpeg"):
    """The bytes that its HTTP client (hyper) sends for a streamed body; the status."""
    head = (f"POST {path} HTTP/1.1\r\ncontent-type: {media_type}\r\naccept: */*\r\n"
            f"user-agent: pict-rs v0.5.19\r\nhost: {service.host}:{service.port}\r\n"
            "transfer-encoding: chunked\r\n\r\n").encode()
    with socket.create_connection((service.host, service.port), 30) as peer:
        peer.sendall(head)
        for at in range(0, len(content), 65536):
            piece = content[at:at + 65536]
            peer.sendall(b"%X\r\n" % len(piece) + piece + b"\r\n")
        peer.sendall(b"0\r\n\r\n")
        answer = b""
        while b"\r\n" not in answer:
            more = peer.recv(65536)
            if not more:
                raise AssertionError(f"no answer: {answer!r}")
            answer += more
    return int(answer.split()[1])


class PictRs(obhutd.Case):
    def test_known_pictures_are_stopped_before_they_are_stored(self):
        lines = [self.list_of(COFFEE, id="c", source="A"), self.list_of(COFFEE, source="B", id="d"),
                 self.list_of(ROCKET, id="r", source="A")]
        self.run_obhut("list", "import", self.write("known.jsonl", lines))
        service = self.start()
        path = self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0].strip()
        self.assertRegex(path, r"^/gw/pictrs/[A-Za-z0-9_-]{43}$")
        self.assertEqual(post_as_pict_rs(service, path, COFFEE.read_bytes()), 422)
        self.assertEqual(post_as_pict_rs(service, path, ROCKET.read_bytes()), 422)  # review
        self.assertEqual(post_as_pict_rs(service, path, OTHER.read_bytes()), 200)
        film = b"\0\0\0\x18ftypmp42"
        self.assertEqual(post_as_pict_rs(service, path, film, "video/mp4"), 422)
        line, = self.json_lines("gateway", "ls", "--json")[0]["gateways"]
        self.assertEqual((line["name"], line["kind"], line["surface"], line["fail"], line["review"],
                          line["damaged"]), ("pict-rs", "pict-rs", "public", "closed", "refuse", "refuse"))
        secret = path.rpartition("/")[2]
        self.assertNotIn(secret, self.run_obhut("gateway", "ls")[0] + "\n".join(service.log))
        self.assertNotIn(secret.encode(), service.request("GET", "/metrics")[2])
        for file in self.data.rglob("*"):
            if file.is_file():
                self.assertNotIn(secret.encode(), file.read_bytes(), file)
        self.run_obhut("gateway", "remove", "pict-rs")
        self.assertEqual(post_as_pict_rs(service, path, OTHER.read_bytes()), 404)

    def test_unknown_paths_are_not_found_and_not_repeated(self):
        service = self.start()
        for path in ("/gw/pictrs/", "/gw/pictrs/" + "A" * 43, "/gw/other/x", "/gw/", "/gw"):
            got = service.json("POST", path, b"x", token=False, status=404)
            self.assertNotIn("AAAA", str(got))

    def test_private_surfaces_pass_unseen(self):
        lines = [self.list_of(COFFEE, id="c", source="A"), self.list_of(COFFEE, source="B", id="d")]
        self.run_obhut("list", "import", self.write("known.jsonl", lines))
        service = self.start()
        path = self.run_obhut("gateway", "add", "pict-rs", "--surface", "direct")[0].strip()
        self.assertEqual(post_as_pict_rs(service, path, COFFEE.read_bytes()), 200)
        self.assertEqual(service.metrics()['not_scanned_total{surface="direct"}'], 1)

    def test_what_cannot_be_looked_at_goes_as_the_operator_wants(self):
        service = self.start()
        add = ("gateway", "add", "pict-rs", "--surface", "public")
        closed = self.run_obhut(*add)[0].strip()
        opened = self.run_obhut(*add, "--name", "lenient", "--damaged", "pass")[0].strip()
        failing = self.run_obhut(*add, "--name", "failing", "--fail", "open")[0].strip()
        broken = COFFEE.read_bytes()[:20000]
        self.assertEqual(post_as_pict_rs(service, opened, broken), 200)
        for path in (closed, failing):
            self.assertEqual(post_as_pict_rs(service, path, broken), 422)
        self.assertEqual(post_as_pict_rs(service, closed, OTHER.read_bytes()), 200)
        large = bytes(51000000)
        self.assertEqual(post_as_pict_rs(service, opened, large), 200)
        self.assertEqual(post_as_pict_rs(service, closed, large), 422)
        self.assertEqual(post_as_pict_rs(service, opened, b"\0\0\0\x18ftypmp42", "video/mp4"), 200)
        metrics = service.metrics()
        for reason in ("DAMAGED", "TOO_LARGE", "UNKNOWN_FORMAT"):
            self.assertEqual(metrics[f'let_through_total{{reason="{reason}"}}'], 1, reason)
        service.stop()
        told = [line for line in service.log if "nobody has looked at" in line]
        self.assertTrue(told and all("gateway lenient" in line for line in told), told)
        for reason in ("DAMAGED 1", "TOO_LARGE 1", "UNKNOWN_FORMAT 1"):
            self.assertIn(reason, " ".join(told))
        service = self.start()
        self.assertTrue([line for line in service.log if "gateway lenient lets through unseen" in line])
        self.run_obhut(*add, code=3)  # the name is taken
        self.run_obhut("gateway", "add", "other", "--surface", "public", code=3)
        self.run_obhut("gateway", "add", "pict-rs", code=2)
        for option in ("--fail", "--review", "--damaged"):
            self.run_obhut("gateway", "add", "pict-rs", "--surface", "public", option, "x", code=3)

    def test_of_a_cut_picture_nine_tenths_are_looked_at_and_less_is_refused(self):
        import io

        from PIL import Image
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE, id="c", source="A")]))
        service = self.start()
        path = self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0].strip()
        with Image.open(COFFEE) as coffee, Image.open(ROCKET) as rocket:
            shows = {422: coffee.resize((600, 400)), 200: rocket.resize((640, 400))}
        for kind, options in (("JPEG", {"quality": 90}), ("PNG", {}), ("GIF", {}), ("BMP", {}), ("WEBP", {"quality": 90})):
            for status, picture in shows.items():  # one is listed
                made = io.BytesIO()
                picture.save(made, kind, **options)
                content = made.getvalue()
                most, half = content[:len(content) * 98 // 100], content[:len(content) // 2]
                got = service.scan(most)
                self.assertEqual((got["action"], got.get("incomplete")),
                                 ("review" if status == 422 else "allow", True), (kind, got))
                self.assertEqual(post_as_pict_rs(service, path, most), status, kind)
                got = service.scan(half)
                self.assertEqual((got["action"], got["reason"]), ("undecodable", "DAMAGED"), (kind, got))
                self.assertEqual(post_as_pict_rs(service, path, half), 422, kind)

    def test_what_asks_for_a_person_is_refused_unless_the_operator_lets_it_pass(self):
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE, id="c", source="Hotline")]))
        for action in ("review", "warn", "blur"):
            service = self.start(*self.configure(f'action-one-source = "{action}"\n'))
            add = ("gateway", "add", "pict-rs", "--surface", "public")
            strict = self.run_obhut(*add, "--name", "strict-" + action)[0].strip()
            lenient = self.run_obhut(*add, "--name", "lenient-" + action, "--review", "pass")[0].strip()
            self.assertEqual(post_as_pict_rs(service, strict, COFFEE.read_bytes()), 422, action)
            self.assertEqual(post_as_pict_rs(service, lenient, COFFEE.read_bytes()), 200, action)
            self.assertEqual(post_as_pict_rs(service, strict, OTHER.read_bytes()), 200, action)
            metrics = service.metrics()
            for name in ("strict", "lenient"):
                self.assertEqual(metrics[f'matches_total{{list="known",action="{action}",via="gateway {name}-{action}"}}'], 1)
            service.stop()
            told = [line for line in service.log if "a match in list" in line]
            self.assertEqual(sorted(line.partition("a match")[2] for line in told),
                             [f' in list "known" (source "Hotline") by gateway lenient-{action}: {action}, let through',
                              f' in list "known" (source "Hotline") by gateway strict-{action}: {action}, refused'])

    def test_gateways_of_before_let_no_match_pass(self):
        """What failed open let undecodable bytes pass, and goes on doing so."""
        import sqlite3
        self.start().stop()
        with sqlite3.connect(self.data / "obhut.db") as records:
            for column in ("review_passes", "damaged_passes"):
                records.execute(f"ALTER TABLE gateway DROP COLUMN {column}")
            for name, closed in (("shut", 1), ("open", 0)):
                records.execute("INSERT INTO gateway VALUES (?, 'pict-rs', ?, 2, ?, 7)",
                                (name, name.encode().ljust(32, b"x"), closed))
            records.execute("PRAGMA user_version = 6")
        self.start()
        lines = {line["name"]: line for line in self.json_lines("gateway", "ls", "--json")[0]["gateways"]}
        self.assertEqual({name: (line["fail"], line["review"], line["damaged"]) for name, line in lines.items()},
                         {"shut": ("closed", "refuse", "refuse"), "open": ("open", "refuse", "pass")})


class Told(obhutd.Case):
    """No match vanishes: on standard error, in the counters and in the log, but never of what."""

    def setUp(self):
        super().setUp()
        digests = [self.list_of(COFFEE, id="c", source="Hotline"),
                   json.dumps({"md5": hashlib.md5(ROCKET.read_bytes()).hexdigest(), "id": "r"})]
        self.run_obhut("list", "import", self.write("known.jsonl", digests))
        self.run_obhut("list", "import", self.write("other.jsonl", [self.list_of(COFFEE, id="c", source="Police")]))

    def told(self, service):
        return [line for line in service.log if " in list " in line]

    def test_every_way_in_tells_of_a_match(self):
        service = self.start()
        path = self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0].strip()
        pdq = json.loads(self.list_of(COFFEE))["pdq"]
        service.scan(COFFEE.read_bytes(), item={"item": "photo-17", "account": "anna"})
        service.json("POST", "/v1/match?surface=public",
                     {"queries": [pdq, "md5:" + hashlib.md5(ROCKET.read_bytes()).hexdigest(), "md5:" + "ab" * 16]})
        post_as_pict_rs(service, path, COFFEE.read_bytes())
        self.run_obhut("scan", "--surface", "public", COFFEE, code=1)
        service.scan(OTHER.read_bytes())
        metrics = service.metrics()
        got = {name: number for name, number in metrics.items() if name.startswith("matches_total")}
        expected = {}
        for way in ("/v1/scan", "/v1/match", "gateway pict-rs", "a command"):
            for name in ("known", "other"):
                expected[f'matches_total{{list="{name}",action="block",via="{way}"}}'] = 1
        expected['matches_total{list="known",action="review",via="/v1/match"}'] = 1
        self.assertEqual(got, expected)
        service.stop()
        said = self.told(service)
        self.assertEqual(len(said), len(expected), said)
        for way in ("by /v1/scan: block", "by /v1/match: block", "by /v1/match: review",
                    "by gateway pict-rs: block, refused", "by a command: block"):
            self.assertTrue([line for line in said if line.endswith(way)], (way, said))
        self.assertTrue([line for line in said if 'list "other" (source "Police")' in line])
        entries = [match for entry in self.json_lines("audit", "show", "--json")
                   for match in entry.get("matches", [])]
        self.assertEqual(len(entries), len(expected), entries)
        self.assertIn({"list": "other", "source": "Police", "via": "gateway pict-rs", "action": "block",
                       "answer": "refused", "count": 1}, entries)
        everything = " ".join(service.log) + json.dumps(entries)
        for secret in ("photo-17", "anna", pdq, hashlib.md5(ROCKET.read_bytes()).hexdigest()):
            self.assertNotIn(secret, everything)

    def test_many_matches_of_a_second_are_one_line(self):
        service = self.start()
        pdq = json.loads(self.list_of(COFFEE))["pdq"]
        service.json("POST", "/v1/match?surface=public", {"queries": [pdq] * 3000, "limit": 1})
        name = 'matches_total{list="known",action="review",via="/v1/match"}'
        other = 'matches_total{list="other",action="review",via="/v1/match"}'
        metrics = service.metrics()
        self.assertEqual(metrics.get(name, 0) + metrics.get(other, 0), 3000)
        service.stop()
        said = self.told(service)
        self.assertLess(len(said), 100)
        self.assertEqual(sum(int(line.split("core: ")[1].split()[0].replace("a", "1")) for line in said), 3000)

    def test_a_publishers_words_begin_no_line(self):
        name = 'Hot"line\u2028x'
        self.run_obhut("list", "import", self.write("odd.jsonl", [self.list_of(OTHER, id="o", source=name)]))
        service = self.start()
        service.scan(OTHER.read_bytes())
        service.stop()
        said, = [line for line in self.told(service) if '"odd"' in line]
        self.assertIn('source "Hot?line', said)


class WithoutHeif(obhutd.Case):
    """The second worker is there by choice: without it an answer comes at once, and no retry helps."""

    def test_heic_and_avif_without_their_worker_are_unsupported_at_once(self):
        place = pathlib.Path(self.write("x", b"")).parent / "bin"
        place.mkdir()
        for name in ("obhut", "obhutd", "obhut-worker"):
            shutil.copy(pathlib.Path(obhutd.DAEMON).with_name(name), place)
        heic, avif = (b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + brand + bytes(100) for brand in (b"heic", b"avif"))
        lists = ([self.list_of(COFFEE, source="A")], ["md5", hashlib.md5(heic).hexdigest()])
        for number, lines in enumerate(lists):  # no digest is listed; one is
            self.run_obhut("list", "import", self.write(f"list{number}.{'csv' if number else 'jsonl'}", lines))
            service = self.start(program=str(place / "obhutd"))
            add = ("gateway", "add", "pict-rs", "--surface", "public", "--name")
            closed = self.run_obhut(*add, f"closed{number}")[0].strip()
            lenient = self.run_obhut(*add, f"lenient{number}", "--damaged", "pass")[0].strip()
            for content in (heic, avif):
                got = service.scan(content)
                if number and content is heic:  # the same file is found all the same
                    self.assertEqual((got["action"], got["total"]), ("review", 1))
                    continue
                self.assertEqual((got["action"], got["reason"]), ("undecodable", "UNSUPPORTED"))
                self.assertIn("obhut-worker-heif", got["detail"])
                self.assertEqual(post_as_pict_rs(service, closed, content), 422)
                self.assertEqual(post_as_pict_rs(service, lenient, content), 200)
                got = service.json("POST", "/v1/hash?surface=public", content)
                self.assertEqual(got["reason"], "UNSUPPORTED")
            metrics = service.metrics()
            self.assertEqual(metrics["failures_total"], 0)
            self.assertEqual(metrics['let_through_total{reason="UNSUPPORTED"}'], 2 - number)
            self.assertFalse(service.json("GET", "/readyz", token=False)["heif"])
            service.stop()


class Burst(obhutd.Case):
    """Image servers are attacked with floods: whoever has no place waits, and no listed picture
    slips through meanwhile."""
    COUNT = 1000 if not obhutd.SANITIZED else 200

    def flood(self, service, path, headers=()):
        """{status: how many}; every request has an answer."""
        picture = COFFEE.read_bytes()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n" + "".join(f"{h}\r\n" for h in headers) + \
            f"Content-Length: {len(picture)}\r\nConnection: close\r\n\r\n"
        request = head.encode() + picture
        answers = collections.Counter()

        def one(_):
            with socket.create_connection((service.host, service.port), waiting.LIMIT_S) as peer:
                peer.sendall(request)
                came = b""
                while piece := peer.recv(65536):
                    came += piece
            return int(came.split()[1]), came

        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            for status, came in pool.map(one, range(self.COUNT)):
                self.assertNotIn(b'"allow"', came)
                answers[status] += 1
        return answers

    def test_a_burst_of_a_blocked_picture_is_stored_nowhere_and_lost_nowhere(self):
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE, source="A")]))
        service = self.start(*self.configure('action-one-source = "block"\nqueue-most = 4\n'))
        add = ("gateway", "add", "pict-rs", "--surface", "public")
        bearer = f"Authorization: Bearer {service.token}"
        ways = {"gateway strict": (self.run_obhut(*add, "--name", "strict")[0].strip(), ()),
                "gateway lenient": (self.run_obhut(*add, "--name", "lenient", "--review", "pass", "--damaged",
                                                   "pass")[0].strip(), ()),
                "/v1/scan": ("/v1/scan?surface=public", (bearer,))}
        for way, (path, headers) in ways.items():
            with self.subTest(way):
                answers = self.flood(service, path, headers)
                looked = answers[200 if way == "/v1/scan" else 422]
                self.assertEqual(looked + answers[503], self.COUNT, answers)  # else it is told to come again
                name = f'matches_total{{list="known",action="block",via="{way}"}}'
                self.assertEqual(service.metrics()[name], looked)
        self.assertEqual(sum(number for name, number in service.metrics().items()
                             if name.startswith("let_through_total")), 0)
        matched = sum(number for name, number in service.metrics().items() if name.startswith("matches_total"))
        service.stop()
        said = [line.split("core: ")[1].split()[0].replace("a", "1") for line in service.log if " in list " in line]
        self.assertEqual(sum(map(int, said)), matched)


if __name__ == "__main__":
    unittest.main()
