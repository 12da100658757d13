"""What clients do by mistake, or on purpose: never a quiet 200 for bytes that nobody has looked at,
and never a head that somebody else may read differently."""
import gzip
import json
import socket
import unittest

import obhutd
import waiting

COFFEE = obhutd.DEMO / "coffee-2400x1600.jpg"
ROCKET = obhutd.DEMO / "rocket-640x427.jpg"
QUERY = b'{"query":"md5:b05e90f43b1dd5c5b0e8ba4ab5bd1b3c"}'
LENGTH = b"Content-Length: %d\r\n" % len(QUERY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"30\r\n" + QUERY + b"\r\n0\r\n\r\n"
PATH = b"/v1/match?surface=public"
TOKEN = b"@TOKEN@"


def post(fields=LENGTH, body=QUERY, target=PATH, version=b"HTTP/1.1", host=b"Host: x\r\n", token=TOKEN):
    return b"POST " + target + b" " + version + b"\r\n" + host + token + fields + b"\r\n" + body


def item(text):
    return post(target=PATH + b"&item=" + text)


# What is sent, the status that must come, whether the connection must end.
HEADS = {
    "as it should be": (post(), 200, False),
    "in chunks": (post(CHUNKED, CHUNKS), 200, False),
    "in chunks, with an extension": (post(CHUNKED, b"30;a=b\r\n" + CHUNKS[4:]), 200, False),
    "in chunks, with a trailer": (post(CHUNKED, CHUNKS[:-2] + b"X: y\r\n\r\n"), 200, False),
    "Chunked": (post(b"Transfer-Encoding: Chunked\r\n", CHUNKS), 200, False),
    "identity": (post(LENGTH + b"Content-Encoding: identity\r\n"), 200, False),
    "an empty line first": (b"\r\n" + post(), 200, False),
    "HTTP/1.0": (post(version=b"HTTP/1.0", host=b""), 200, True),
    "absolute form": (post(target=b"http://example.org:80" + PATH), 200, False),
    "absolute form, in capitals": (post(target=b"HTTP://x" + PATH), 200, False),
    "absolute form without a path": (b"GET http://x HTTP/1.1\r\nHost: x\r\n\r\n", 404, False),
    "absolute form, an escape in the host": (post(target=b"http://x%2f" + PATH), 400, True),
    "a long value": (post(LENGTH + b"X: " + b"y" * 20000 + b"\r\n"), 200, False),
    "one that fills the buffer": (post(LENGTH + b"X: " + b"y" * 50000 + b"\r\n"), 200, False),
    "one that is larger": (post(LENGTH + b"X: " + b"y" * 65536 + b"\r\n"), 431, True),
    "five hundred fields": (post(LENGTH + b"".join(b"X%d: y\r\n" % i for i in range(500))), 200, False),
    # Framing.
    "two lengths": (post(LENGTH + b"Content-Length: 88\r\n"), 400, True),
    "the same length twice": (post(LENGTH + LENGTH), 400, True),
    "two lengths in one field": (post(b"Content-Length: 48, 48\r\n"), 400, True),
    "a length with a sign": (post(b"Content-Length: +48\r\n"), 400, True),
    "a negative length": (post(b"Content-Length: -1\r\n"), 400, True),
    "a hexadecimal length": (post(b"Content-Length: 0x30\r\n"), 400, True),
    "an empty length": (post(b"Content-Length: \r\n"), 400, True),
    "an endless length": (post(b"Content-Length: 99999999999999999999\r\n"), 413, True),
    "length and chunks": (post(LENGTH + CHUNKED, CHUNKS), 400, True),
    "length and identity": (post(LENGTH + b"Transfer-Encoding: identity\r\n"), 400, True),
    "an unknown coding": (post(b"Transfer-Encoding: gzip\r\n"), 501, True),
    "a coding before chunks": (post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), 501, True),
    "chunks twice": (post(CHUNKED + CHUNKED, CHUNKS), 501, True),
    "chunks with a parameter": (post(b"Transfer-Encoding: chunked;x\r\n", CHUNKS), 501, True),
    "chunks in HTTP/1.0": (post(CHUNKED, CHUNKS, version=b"HTTP/1.0"), 400, True),
    "a blank before the colon": (post(b"Content-Length : 48\r\n"), 400, True),
    "chunks behind a blank": (post(b"Transfer-Encoding : chunked\r\n", CHUNKS), 400, True),
    "a negative chunk": (post(CHUNKED, b"-30\r\n" + CHUNKS[4:]), 400, True),
    "a chunk of 0x": (post(CHUNKED, b"0x30\r\n" + CHUNKS[4:]), 400, True),
    "a chunk too short": (post(CHUNKED, b"29\r\n" + CHUNKS[4:]), 400, True),
    "a chunk without its end": (post(CHUNKED, CHUNKS.replace(b"}\r\n", b"}")), 400, True),
    "neither length nor chunks": (post(b"", b""), 411, False),
    "no file, and no length": (post(b"", b"", target=b"/v1/scan?surface=public"), 411, False),
    # Lines.
    "no Host": (post(host=b""), 400, True),
    "two Hosts": (post(host=b"Host: x\r\nHost: y\r\n"), 400, True),
    "two tokens": (post(LENGTH + b"Authorization: Bearer y\r\n"), 400, True),
    "two types": (post(LENGTH + b"Content-Type: a/b\r\nContent-Type: text/plain\r\n"), 400, True),
    "two keys": (post(LENGTH + b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n"), 400, True),
    "a line that goes on": (post(b"X: a\r\n b\r\n" + LENGTH), 400, True),
    "a length that goes on": (post(b"X: a\r\n Content-Length: 3\r\n" + LENGTH), 400, True),
    "lines without CR": (post().replace(b"\r\n", b"\n"), 400, True),
    "one line without CR": (post(b"X: a\n" + LENGTH), 400, True),
    "a CR inside a line": (post(b"X: a\rb\r\n" + LENGTH), 400, True),
    "a line without a colon": (post(b"foo\r\n" + LENGTH), 400, True),
    "a field without a name": (post(b": foo\r\n" + LENGTH), 400, True),
    "a name that is none": (post(b"X(y): foo\r\n" + LENGTH), 400, True),
    "a control character": (post(b"X: a\x01b\r\n" + LENGTH), 400, True),
    "NUL in a field": (post(b"X: a\0b\r\n" + LENGTH), 400, True),
    "NUL in the length": (post(b"Content-Length: 48\0 9\r\n"), 400, True),
    "NUL behind the token": (post(b"\0\r\n" + LENGTH, token=TOKEN[:-2] + b"@"), 400, True),
    "a key that is no UTF-8": (post(LENGTH + b"Idempotency-Key: a\xff\r\n"), 400, True),
    # The target.
    "NUL in the target": (post(target=PATH + b"\0"), 400, True),
    "NUL behind a path": (b"GET /healthz\0x HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "NUL behind a path, escaped": (b"GET /healthz%00x HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "no path": (b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "no path at all": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "a tunnel": (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 400, True),
    "a blank in the target": (post(target=PATH + b" &item=a"), 400, True),
    "a tab before the version": (post(target=PATH + b"\t"), 400, True),
    "an escape that is none": (item(b"%zz"), 400, True),
    "half an escape": (item(b"%4"), 400, True),
    "less than that": (item(b"%"), 400, True),
    "an escape that is none, in the path": (post(target=b"/%zz"), 400, True),
    "NUL in an id": (item(b"photo-17%00y"), 400, True),
    "a line end in an id": (item(b"a%0ab"), 400, True),
    "DEL in an id": (item(b"a%7f"), 400, True),
    "no UTF-8": (item(b"%ff"), 400, True),
    "no UTF-8, not escaped": (item(b"\xff"), 400, True),
    "half a character": (item(b"%c3"), 400, True),
    "half a character before another": (item(b"%c3%28"), 400, True),
    "a character that is too long": (item(b"%c0%af"), 400, True),
    "half a surrogate": (item(b"%ed%a0%80"), 400, True),
    "beyond the last character": (item(b"%f4%90%80%80"), 400, True),
    "the last character": (item(b"%f4%8f%bf%bf"), 200, False),
    "UTF-8": (item(b"%c3%bc%e2%82%ac%f0%9f%99%82"), 200, False),
    "UTF-8, not escaped": (item("ü".encode()), 200, False),
    "another version": (post(version=b"HTTP/2.0"), 505, True),
    "no version": (b"GET /healthz\r\n\r\n", 400, True),
    # Bodies that are not what they seem.
    "a coded body": (post(LENGTH + b"Content-Encoding: gzip\r\n"), 415, False),
    "coded twice": (post(LENGTH + b"Content-Encoding: identity, br\r\n"), 415, False),
    "a letter with parts": (post(LENGTH + b"Content-Type: multipart/mixed; boundary=x\r\n"), 415, False),
}


def read_answer(peer):
    """What came, until the connection ended or an answer was there; and whether it ended."""
    came = b""
    while True:
        try:
            piece = peer.recv(65536)
        except ConnectionResetError:
            return came, True
        came += piece
        head, found, body = came.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if not piece:
            return came, True
        if found and b"\r\nconnection: close" not in head.lower() and lengths and \
                len(body) >= int(lengths[0].split(b":")[1]):
            return came, False


class Heads(obhutd.Case):
    def answer(self, service, raw):
        token = b"Authorization: Bearer " + service.token.encode()
        with socket.create_connection((service.host, service.port), waiting.LIMIT_S) as peer:
            peer.sendall(raw.replace(TOKEN, token + b"\r\n").replace(TOKEN[:-2] + b"@", token))
            came, ended = read_answer(peer)
            return (int(came.split()[1]) if came else 0), came, ended

    def test_hostile_heads_are_refused_and_honest_ones_answered(self):
        service = self.start()
        for name, (raw, status, ends) in HEADS.items():
            with self.subTest(name):
                got, came, ended = self.answer(service, raw)
                self.assertEqual((got, ended), (status, ends), came)
                self.assertEqual(came.count(b"HTTP/1.1 200"), int(status == 200))  # nothing hidden was served
        self.assertNotEqual(service.processes()["front"], None)
        service.json("GET", "/healthz")

    def test_requests_one_behind_the_other_are_all_served(self):
        service = self.start()
        raw = (post() + post(CHUNKED, CHUNKS) + item(b"a%20b")) * 20 + post(LENGTH + b"Connection: close\r\n")
        token = b"Authorization: Bearer " + service.token.encode() + b"\r\n"
        with socket.create_connection((service.host, service.port), waiting.LIMIT_S) as peer:
            peer.sendall(raw.replace(TOKEN, token))
            came = b""
            while piece := peer.recv(65536):
                came += piece
        self.assertEqual((came.count(b"HTTP/1.1 200 OK"), came.count(b"HTTP/1.1 ")), (61, 61))

    def test_nothing_behind_a_head_that_is_refused_is_served(self):
        service = self.start()
        hidden = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
        for raw in (post(LENGTH + CHUNKED, b"0\r\n\r\n" + hidden), post(LENGTH + LENGTH, hidden),
                    post(b"Transfer-Encoding: xchunked\r\n", hidden)):
            got, came, ended = self.answer(service, raw)
            self.assertNotIn(b"ready", came)
            self.assertTrue(ended and got >= 400)

    def test_coded_bodies_are_415_at_every_route_and_say_what_is_taken(self):
        self.run_obhut("list", "import", self.write("k.jsonl", [self.list_of(COFFEE, source="A")]))
        service = self.start()
        gateway = self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0].strip()
        packed = gzip.compress(COFFEE.read_bytes(), 1)
        for path in ("/v1/scan?surface=public", "/v1/hash?surface=public", "/v1/match?surface=public",
                     "/v1/reports", gateway):
            for coding in ("gzip", "deflate", "br", "identity, gzip"):
                got, headers, content = service.request("POST", path, packed,
                                                        {"Content-Encoding": coding})
                self.assertEqual((got, headers["Accept-Encoding"]), (415, "identity"), path)
                self.assertEqual(json.loads(content)["code"], "CODED")


def form(*parts, boundary="xYz"):
    """(headers, body) of parts: (fields of its Content-Disposition, further lines, bytes)."""
    body = b"".join(f"--{boundary}\r\nContent-Disposition: form-data; {of}\r\n{more}\r\n".encode() + content +
                    b"\r\n" for of, more, content in parts) + f"--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


FILE = 'name="file"; filename="a.jpg"'
JPEG = "Content-Type: image/jpeg\r\n"


class Forms(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.run_obhut("list", "import", self.write("k.jsonl", [self.list_of(COFFEE, source="A")]))
        self.service = self.start()

    def scan(self, headers, body, query="", status=200):
        return self.service.json("POST", "/v1/scan?surface=public" + query, body, headers=headers, status=status)

    def test_the_file_is_the_part_with_a_filename_wherever_it_stands(self):
        coffee = COFFEE.read_bytes()
        text = ('name="csrf"', "", b"abc")
        typed = ('name="note"', "Content-Type: text/plain; charset=utf-8\r\n", b"hello")
        nobody = ('name="second"; filename=""', "Content-Type: application/octet-stream\r\n", b"")
        for parts in ([(FILE, JPEG, coffee)], [text, (FILE, JPEG, coffee)], [(FILE, "", coffee), text],
                      [text, typed, nobody, (FILE, JPEG, coffee), text, nobody],
                      [text, ('name="file"', JPEG, coffee)],
                      [('name="file"; filename="ü.txt"', "Content-Type: text/plain\r\n", coffee)]):
            got = self.scan(*form(*parts))
            self.assertEqual((got["action"], got["total"]), ("review", 1), [p[:2] for p in parts])

    def test_json_in_the_place_of_a_file_is_415_and_says_what_a_file_is(self):
        """What other services take: a picture as text in JSON. Here it would be bytes that match nothing."""
        import base64
        body = json.dumps({"DataRepresentation": "inline", "Value": base64.b64encode(COFFEE.read_bytes()).decode()})
        for kind in ("application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json",
                     "application/problem+json ;x=y"):
            for path in ("/v1/scan", "/v1/hash"):
                for content in (body, "{}", ""):
                    got = self.service.json("POST", path + "?surface=public", content, status=415,
                                            headers={"Content-Type": kind})
                    self.assertEqual(got["code"], "JSON", (kind, path))
                    self.assertIn("the file itself is the body", got["detail"])
        # a file that is JSON is one: as a part, or as what it is to whoever only stores it
        part = (FILE, "Content-Type: application/json\r\n", b'{"a": 1}')
        self.assertEqual(self.scan(*form(part))["reason"], "UNKNOWN_FORMAT")
        for kind in ("application/octet-stream", "application/jsonx", "application/x-json+zip"):
            self.assertEqual(self.scan({"Content-Type": kind}, b'{"a": 1}')["action"], "undecodable", kind)

    def test_a_second_file_is_refused(self):
        rocket, coffee = ROCKET.read_bytes(), COFFEE.read_bytes()
        for parts in ([(FILE, JPEG, rocket), (FILE, JPEG, coffee)],
                      [(FILE, JPEG, rocket), ('name="g"; filename="b"', "", coffee)],
                      [(FILE, JPEG, rocket), ('name="csrf"', "", b"x"), ('name="g"', JPEG, coffee)]):
            got = self.scan(*form(*parts), status=400)
            self.assertEqual(got["code"], "MULTIPART")
            self.assertIn("one file", got["detail"])

    def test_a_form_without_a_file_is_refused(self):
        for parts in ([('name="csrf"', "", b"abc")], [('name="file"; filename=""', "", b"")], []):
            self.assertEqual(self.scan(*form(*parts), status=400)["code"], "MULTIPART")

    def test_a_field_of_the_item_that_the_query_lacks_is_refused(self):
        coffee = COFFEE.read_bytes()
        parts = (('name="account"', "", b"anna"), (FILE, JPEG, coffee))
        got = self.scan(*form(*parts), status=400)
        self.assertIn("query", got["detail"])
        self.assertEqual(self.scan(*form(*parts), query="&account=anna")["total"], 1)

    def test_a_coded_part_is_refused(self):
        import base64
        coded = base64.encodebytes(COFFEE.read_bytes())
        got = self.scan(*form((FILE, JPEG + "Content-Transfer-Encoding: base64\r\n", coded)), status=400)
        self.assertEqual(got["code"], "MULTIPART")
        binary = JPEG + "Content-Transfer-Encoding: binary\r\n"
        self.assertEqual(self.scan(*form((FILE, binary, COFFEE.read_bytes())))["total"], 1)

    def test_a_file_is_whole_however_its_bytes_come(self):
        """Also one that begins as a boundary does, a byte at a time."""
        content = b"\r\n--xY" + bytes(range(256)) + b"\r\n--"
        headers, body = form(('name="csrf"', "", b"\r\n--xYabc"), (FILE, JPEG, content))
        plain = self.service.json("POST", "/v1/hash?surface=public", content)
        for size in (1, 2, 3, 7, 100000):
            pieces = [body[at:at + size] for at in range(0, len(body), size)]
            got = self.service.json("POST", "/v1/hash?surface=public", iter(pieces), headers=headers)
            self.assertEqual(got["sha256"], plain["sha256"], size)


if __name__ == "__main__":
    unittest.main()
