"""pict-rs asks as it asks, and gets what it needs."""
import socket
import unittest

import obhutd

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
        self.assertEqual(post_as_pict_rs(service, path, ROCKET.read_bytes()), 200)  # review
        self.assertEqual(post_as_pict_rs(service, path, OTHER.read_bytes()), 200)
        film = b"\0\0\0\x18ftypmp42"
        self.assertEqual(post_as_pict_rs(service, path, film, "video/mp4"), 422)
        line, = self.json_lines("gateway", "ls", "--json")[0]["gateways"]
        self.assertEqual((line["name"], line["kind"], line["surface"], line["fail"]),
                         ("pict-rs", "pict-rs", "public", "closed"))
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
        opened = self.run_obhut(*add, "--name", "lenient", "--fail", "open")[0].strip()
        broken = COFFEE.read_bytes()[:20000]
        self.assertEqual(post_as_pict_rs(service, opened, broken), 200)
        self.assertEqual(post_as_pict_rs(service, closed, broken), 422)
        self.assertEqual(post_as_pict_rs(service, closed, OTHER.read_bytes()), 200)
        large = bytes(51000000)
        self.assertEqual(post_as_pict_rs(service, opened, large), 200)
        self.assertEqual(post_as_pict_rs(service, closed, large), 422)
        self.assertEqual(service.metrics()['let_through_total{reason="UNDECODABLE"}'], 2)
        self.run_obhut(*add, code=3)  # the name is taken
        self.run_obhut("gateway", "add", "other", "--surface", "public", code=3)
        self.run_obhut("gateway", "add", "pict-rs", code=2)
        self.run_obhut("gateway", "add", "pict-rs", "--surface", "public", "--fail", "x", code=3)


if __name__ == "__main__":
    unittest.main()
