"""The HTTP interface: what is answered, to whom, and why."""
import http.client
import io
import json
import socket
import subprocess
import time
import unittest

import obhutd
import waiting
from PIL import Image

COFFEE = obhutd.DEMO / "coffee-2400x1600.jpg"
ROCKET = obhutd.DEMO / "rocket-640x427.jpg"


class Api(obhutd.Case):
    def listed(self):
        """Coffee is listed by two sources, the rocket by one."""
        lines = [self.list_of(COFFEE, id="coffee", source="A", classification="A1"),
                 self.list_of(COFFEE, id="again", source="B"),
                 self.list_of(ROCKET, id="rocket", source="A")]
        self.run_obhut("list", "import", self.write("known.jsonl", lines))

    def test_the_answer_says_what_and_why(self):
        self.listed()
        service = self.start()
        content = COFFEE.read_bytes()
        got = service.scan(content)
        self.assertEqual((got["action"], got["format"], got["width"], got["height"], got["total"]),
                         ("block", "jpeg", 2400, 1600, 2))
        first = got["matches"][0]
        self.assertEqual((first["list"], first["distance"], first["threshold"], first["version"]),
                         ("known", 0, 31, "stored"))
        self.assertEqual(sorted(first["sources"]), ["A", "B"])
        self.assertGreaterEqual(first["quality"], 50)
        self.assertGreater(got["took_us"], 0)
        self.assertEqual(service.scan(ROCKET.read_bytes())["action"], "review")
        altered = io.BytesIO()
        Image.open(COFFEE).resize((600, 400)).transpose(
            Image.Transpose.FLIP_LEFT_RIGHT).save(altered, "WEBP", quality=60)
        got = service.scan(altered.getvalue())
        self.assertEqual((got["action"], got["format"], got["matches"][0]["version"]),
                         ("block", "webp", "turned"))
        other = service.scan((obhutd.IMAGES / "astronaut-crop-300x420.png").read_bytes())
        self.assertEqual((other["action"], other["matches"]), ("allow", []))
        flat = service.scan((obhutd.IMAGES / "flat-grey.png").read_bytes())
        self.assertEqual((flat["action"], flat["not_matched"]), ("allow", "LOW_QUALITY"))

    def test_a_picture_is_one_whatever_its_sender_calls_it(self):
        self.listed()
        self.run_obhut("list", "add", "known", "md5:" + "ab" * 16)
        service = self.start()
        for kind in ("video/mp4", "text/plain", "image/png", "application/octet-stream"):
            with self.subTest(kind=kind):
                got = service.scan(COFFEE.read_bytes(), headers={"Content-Type": kind})
                self.assertEqual((got["action"], got["format"]), ("block", "jpeg"))

    def test_bytes_of_any_kind_are_found_by_digest(self):
        import hashlib
        film = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 400
        self.run_obhut("list", "import", self.write("d.csv", ["md5,source",
                                                              hashlib.md5(film).hexdigest() + ",A"]))
        service = self.start()
        got = service.scan(film)
        self.assertEqual((got["action"], got["matches"][0]["digest"]), ("review", "md5"))
        got = service.scan(film + b"x")
        self.assertEqual((got["action"], got["reason"]), ("undecodable", "UNKNOWN_FORMAT"))
        got = service.scan(COFFEE.read_bytes()[:5000])
        self.assertEqual((got["action"], got["reason"]), ("undecodable", "DAMAGED"))
        self.assertIn("cut short", got["detail"])

    def test_one_multipart_part_is_a_file_too(self):
        service = self.start()
        content = ROCKET.read_bytes()
        plain = service.json("POST", "/v1/hash?surface=public", content)
        boundary = "xYz"
        body = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
                "Content-Type: image/jpeg\r\n\r\n").encode() + content + \
            f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        got = service.json("POST", "/v1/hash?surface=public", body, headers=headers)
        self.assertEqual({**got, "took_us": 0}, {**plain, "took_us": 0})
        cut = service.json("POST", "/v1/hash?surface=public", body[:len(body) // 2],
                           headers=headers, status=400)
        self.assertEqual(cut["code"], "MULTIPART")
        for kind in ("multipart/form-data", "multipart/form-data; boundary=other"):
            got = service.json("POST", "/v1/hash?surface=public", body,
                               headers={"Content-Type": kind}, status=400)
            self.assertEqual(got["code"], "MULTIPART")

    def test_a_small_body_is_the_same_however_it_comes(self):
        """With its head, behind it, in chunks, when it is asked for; and said to be JSON where it
        is a file, or without a token."""
        self.listed()
        service = self.start()
        body = json.dumps({"query": json.loads(self.list_of(COFFEE))["pdq"]}).encode()
        kind = {"Content-Type": "application/json; charset=utf-8"}
        path = "/v1/match?surface=public"
        def untimed(answer):
            return answer | {"took_us": 0}
        whole = untimed(service.json("POST", path, body, headers=kind))
        self.assertTrue(whole["total"])
        for content, headers in ((body, {}), (iter([body[:9], body[9:]]), kind),
                                 (body, kind | {"Expect": "100-continue"}),
                                 (body, {"Content-Type": "APPLICATION/JSON"})):
            self.assertEqual(untimed(service.json("POST", path, content, headers=headers)), whole)
        for token, headers in ((False, kind), ("wrong", kind), (False, {})):
            got = service.json("POST", path, body, headers=headers, token=token, status=401)
            self.assertEqual(got["code"], "TOKEN")
        got = service.json("POST", "/v1/hash?surface=public", body, headers=kind, status=415)
        self.assertEqual(got["code"], "JSON")
        for headers in (kind, {}):
            service.json("POST", "/v1/nothing", body, headers=headers, status=404)
        with socket.create_connection((service.host, service.port)) as slow:  # a byte at a time
            head = (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
            for byte in head + body:
                slow.sendall(bytes([byte]))
            answer = http.client.HTTPResponse(slow)
            answer.begin()
            self.assertEqual(untimed(json.loads(answer.read())), whole)

    def test_hashes_are_matched_singly_and_many_at_once(self):
        self.listed()
        service = self.start()
        pdq = json.loads(self.list_of(COFFEE))["pdq"]
        got = service.json("POST", "/v1/match?surface=public", {"query": pdq})
        self.assertEqual((got["action"], got["total"], len(got["matches"])), ("block", 2, 2))
        signal = "photodna:" + bytes(range(144)).hex()
        self.run_obhut("list", "add", "known", signal, "--id", "signal")
        got_signal = service.json("POST", "/v1/match?surface=public", {"query": signal})
        self.assertEqual([match["entry"] for match in got_signal["matches"]], ["signal"])
        got = service.json("POST", "/v1/match?surface=public", {"query": pdq, "limit": 1})
        self.assertEqual((got["total"], len(got["matches"])), (2, 1))
        many = obhutd.obhut.hashes(4000, seed=3) + [pdq, "md5:" + "ab" * 16]
        got = service.json("POST", "/v1/match?surface=public", {"queries": many})["results"]
        self.assertEqual([r["query"] for r in got], many)
        self.assertEqual([r["total"] for r in got], [0] * 4000 + [2, 0])
        for body, detail in (({"query": "zz"}, "query 0: 2 characters"),
                             ({"queries": [pdq, 7]}, '"queries", 1: a text'),
                             ({"queries": []}, '"queries" must be'), ({}, "is needed"),
                             ({"query": pdq, "queries": [pdq]}, "is needed"),
                             ({"query": pdq, "limit": 0}, "limit"),
                             ({"query": pdq, "colour": 1}, "colour"), ([1], "no JSON object")):
            problem = service.json("POST", "/v1/match?surface=public", body, status=400)
            self.assertIn(detail, problem["detail"])
        for raw in (b"{", b"\xff\xfe", b'{"query":"a","query":"b"}', b"[" * 16):
            service.json("POST", "/v1/match?surface=public", raw, status=400)
        for raw in (b"[" * 5000, b'{"queries":[' + b"1," * 70000 + b"1]}", b"{" + b'"a":1,' * 300 + b'"a":1}'):
            got = service.json("POST", "/v1/match?surface=public", raw, status=413)
            self.assertEqual(got["code"], "TOO_LARGE")
        service.json("POST", "/v1/match?surface=public", b" " * 2000000, status=413)

    def test_what_is_missing_is_told_only_where_something_is_switched_on(self):
        service = self.start()
        answer = lambda: service.scan(b"x", "direct")
        self.assertEqual(answer()["reason"], "NO_BASIS")
        self.run_obhut("policy", "set", "bases", "public,consent")
        self.assertEqual(answer()["reason"], "NO_BASIS")
        self.run_obhut("policy", "set", "surfaces", "public,direct")
        self.assertEqual(answer()["names"], "conversation.protected")
        self.run_obhut("policy", "set", "bases", "public")
        self.assertEqual(answer()["reason"], "NO_BASIS")

    def test_two_sources_are_two_publishers_not_two_names_of_files(self):
        service = self.start()
        content = COFFEE.read_bytes()
        for number, (sources, action) in enumerate((
                (("", ""), "review"), (("Hotline", " hotline  "), "review"), (("A", "B"), "block"),
                (("A", ""), "block"))):
            for name, source in zip("ab", sources):
                more = ("--source", source) if source else ()
                self.run_obhut("list", "import", self.write(name, [self.list_of(COFFEE)]), "--name", name, *more)
            answer = service.scan(content)
            self.assertEqual(answer["action"], action, sources)
            self.assertEqual([len(m["sources"]) for m in answer["matches"]], [1 + (action == "block")] * 2)
            pdq = json.loads(self.list_of(COFFEE))["pdq"]
            looked_up = service.json("POST", "/v1/match?surface=public", {"query": pdq})
            self.assertEqual(looked_up["action"], action)
            told = [{m["list"]: sorted(m["sources"]) for m in one["matches"]} for one in (answer, looked_up)]
            self.assertEqual(told[0], told[1])
            self.assertTrue(set(told[0]["a"]) <= set(sources), told)  # a list's name is no publisher

    def test_only_public_is_looked_at(self):
        self.listed()
        service = self.start()
        pdq = json.loads(self.list_of(COFFEE))["pdq"]
        denied = {"action": "not_scanned", "reason": "NO_BASIS"}
        for surface in ("direct", "group", "storage"):
            fields = f"?surface={surface}&account=a&conversation=c&encryption=transport"
            self.assertEqual(service.scan(COFFEE.read_bytes(), surface), denied)
            self.assertEqual(service.json("POST", "/v1/hash" + fields, b"x"), denied)
            self.assertEqual(service.json("POST", "/v1/match" + fields, {"query": pdq}), denied)
        metrics = service.metrics()
        self.assertEqual(metrics['not_scanned_total{surface="direct"}'], 3)
        self.assertEqual(sum(v for k, v in metrics.items() if k.startswith("scans_total")), 0)
        for query in ("", "?surface=", "?surface=everything", "?surface=Public"):
            self.assertEqual(service.json("POST", "/v1/scan" + query, b"x", status=400)["code"],
                             "SURFACE")
        for query, code in (("&basis=consent", "UNKNOWN_FIELD"), ("&surface=public", "FIELD_TWICE"),
                            ("&regime=eu-dsa", "UNKNOWN_FIELD")):
            got = service.json("POST", "/v1/scan?surface=public" + query, b"x", status=400)
            self.assertEqual(got["code"], code)

    def test_tokens_speak_for_their_surfaces_and_scopes(self):
        service = self.start()
        def add(name, *surfaces, scopes=("scan",)):
            arguments = [a for s in surfaces for a in ("--surface", s)]
            arguments += [a for s in scopes for a in ("--scope", s)]
            return self.run_obhut("token", "add", name, *arguments)[0].strip()
        public = add("public", "public")
        private = add("private", "direct", "group", scopes=("scan", "match"))
        path = "/v1/scan?surface="
        self.assertEqual(service.json("POST", path + "public", b"x", token=public)["action"],
                         "undecodable")
        got = service.json("POST", path + "public", b"x", token=private, status=403)
        self.assertEqual(got["code"], "TOKEN_SURFACE")
        got = service.json("POST", path + "direct", b"x", token=public, status=403)
        self.assertEqual(got["code"], "TOKEN_SURFACE")
        got = service.json("POST", "/v1/match?surface=public", b"{}", token=public, status=403)
        self.assertEqual(got["code"], "TOKEN_SCOPE")
        self.assertEqual(service.json("GET", "/v1/lists", token=public, status=403)["code"],
                         "TOKEN_SCOPE")
        for token in (False, "wrong", public[:-1], public + "x", "\xe9"):
            got = service.json("POST", path + "public", b"x", token=token, status=401)
            self.assertEqual(got["code"], "TOKEN")
            service.json("GET", "/metrics", token=token, status=401)
            service.json("GET", "/healthz", token=token)
            service.json("GET", "/readyz", token=token)
        names = [t["name"] for t in self.json_lines("token", "ls", "--json")[0]["tokens"]]
        self.assertEqual(names, ["own", "private", "public"])
        self.assertNotIn(public, self.run_obhut("token", "ls")[0])
        self.run_obhut("token", "remove", "public")
        service.json("POST", path + "public", b"x", token=public, status=401)
        self.run_obhut("token", "add", "x", code=2)
        self.run_obhut("token", "add", "private", "--surface", "public", "--scope", "scan", code=3)
        self.run_obhut("token", "add", "../x", "--surface", "public", "--scope", "scan", code=3)
        self.run_obhut("token", "add", "x", "--surface", "moon", "--scope", "scan", code=3)
        self.assertNotIn(public.encode(), (self.data / "obhut.db").read_bytes())

    def test_the_own_token_is_made_once(self):
        service = self.start()
        path = self.data / "keys/api-token"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        token = service.token
        service.stop()
        service = self.start()
        self.assertEqual(service.token, token)
        service.stop()
        self.run_obhut("token", "remove", "own")
        service = self.start()
        service.json("GET", "/v1/lists", token=token, status=401)

    def test_a_denied_upload_is_answered_to_every_client(self):
        service = self.start()
        body = bytes(3000000)
        file = self.write("3mb", body)
        fields = "account=a&conversation=c&encryption=transport"
        url = f"{service.url}/v1/scan?surface=storage&{fields}"
        token = f"Authorization: Bearer {service.token}"
        for options in ([], ["-H", "Expect:"], ["-H", "Expect: 100-continue"],
                        ["-H", "Transfer-Encoding: chunked"], ["--http1.0"],
                        ["-F", f"file=@{file}"]):
            command = ["curl", "-s", "-H", token, *options]
            if "-F" not in options:
                command += ["--data-binary", f"@{file}"]
            for _ in range(3):
                done = subprocess.run([*command, url], capture_output=True,
                                      timeout=waiting.LIMIT_S)
                self.assertEqual((done.returncode, done.stdout.strip()),
                                 (0, b'{"action":"not_scanned","reason":"NO_BASIS"}'), options)
        connection = service.connect()
        for _ in range(5):  # one connection after another file on it
            got = service.request("POST", f"/v1/scan?surface=group&{fields}", body, connection=connection)
            self.assertEqual(got[0], 200)
        connection.close()
        self.assertGreater(service.metrics()["dropped_bytes_total"], 3 * 3 * 3000000)
        # who waits for "continue" is told at once instead, and never sends
        with socket.create_connection((service.host, service.port)) as raw:
            raw.sendall(f"POST /v1/scan?surface=storage&account=a&encryption=none HTTP/1.1\r\nHost: x\r\n{token}\r\n"
                        "Content-Length: 3000000\r\nExpect: 100-continue\r\n\r\n".encode())
            raw.settimeout(waiting.LIMIT_S)
            answer = raw.recv(65536)
            self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)

    def test_too_much_is_refused(self):
        service = self.start(*self.configure("body-most-mb = 1\n"))
        got = service.scan(bytes(1500000), status=413)
        self.assertEqual(got["code"], "TOO_LARGE")
        chunks = (bytes(100000) for _ in range(30))
        got = service.json("POST", "/v1/scan?surface=public", chunks, status=413)
        self.assertEqual(got["code"], "TOO_LARGE")
        with socket.create_connection((service.host, service.port)) as raw:  # without end
            raw.sendall(f"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\nAuthorization: "
                        f"Bearer {service.token}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            sent = 0
            try:
                while sent < 400e6:
                    raw.sendall(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                    sent += 1 << 20
            except OSError:
                pass
            self.assertLess(sent, 300e6)
        self.assertLess(obhutd.resident(service.processes()["front"]),
                        2e9 if obhutd.SANITIZED else 100e6)
        service.json("GET", "/healthz")

    def test_nonsense_is_answered(self):
        service = self.start(*self.configure("head-time-ms = 2000\nbody-time-ms = 2000\n"))
        for raw in (b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n", b"A" * 200000,
                    b"POST /v1/scan HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                    b"POST /v1/scan HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
                    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
                    b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200000 + b"\r\n\r\n",
                    b"GET /healthz?" + b"a=b&" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nHost: x\r\n\r\n"):
            with socket.create_connection((service.host, service.port)) as peer:
                peer.settimeout(waiting.LIMIT_S)
                try:
                    peer.sendall(raw)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass
                except OSError:
                    pass
        got = service.json("GET", "/nothing", status=404)
        self.assertEqual((got["code"], got["status"]), ("NOT_FOUND", 404))
        got = service.request("PUT", "/v1/scan?surface=public", b"x")
        self.assertEqual((got[0], got[1]["Allow"]), (405, "POST"))
        for path, allow in (("/healthz", "GET, HEAD"), ("/v1/accounts/a/consents", "DELETE"),
                            ("/v1/conversations/a/members", "PUT, DELETE")):
            status, headers, content = service.request("POST", path, b"x")
            self.assertEqual((status, headers["Allow"]), (405, allow))
            self.assertIn(allow, json.loads(content)["detail"])
            for method in allow.split(", "):
                self.assertNotEqual(service.request(method, path)[0], 405)
        got = service.request("HEAD", "/healthz")
        self.assertEqual((got[0], got[2]), (200, b""))
        service.json("POST", "/v1/scan?surface=public", b"", status=400)

    def test_lists_are_shown(self):
        self.listed()
        service = self.start()
        got, = service.json("GET", "/v1/lists")["lists"]
        self.assertEqual((got["list"], got["entries"], got["enabled"]), ("known", 3, True))
        self.run_obhut("list", "disable", "known")
        got, = service.json("GET", "/v1/lists")["lists"]
        self.assertFalse(got["enabled"])
        self.assertEqual(service.scan(COFFEE.read_bytes())["action"], "allow")

    def test_policy_comes_from_the_configuration(self):
        self.listed()
        service = self.start(*self.configure(
            'action-one-source = "warn"\naction-two-sources = "blur"\ndistance = 0\n'
            'list "known" {\n  action = "hold"\n}\nlist "other" {\n}\n'))
        got = service.scan(ROCKET.read_bytes())
        self.assertEqual((got["action"], got["matches"][0]["threshold"]), ("hold", 0))
        small = io.BytesIO()
        Image.open(ROCKET).resize((300, 200)).save(small, "JPEG", quality=20)
        self.assertEqual(service.scan(small.getvalue())["action"], "allow")

    def test_ready_tells_what_holds_workers(self):
        service = self.start()
        got = service.json("GET", "/readyz")
        self.assertTrue(got["ready"])
        self.assertIn("seccomp", got["sandbox"])


if __name__ == "__main__":
    unittest.main()
