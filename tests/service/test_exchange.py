"""What a request carries to a handler and what an answer carries back: header fields, cookies, the client's address,
paths with several parts, files and parts of them, bodies in pieces, requests that wait; and what the front serves while
there is no core. Handlers of a trial (tests/trial) show what no route of a release needs yet."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import threading
import time
import unittest
import urllib.parse

import obhutd
import waiting

TRIAL = str(pathlib.Path(obhutd.DAEMON).with_name("tests") / "obhutd-trial")
if not pathlib.Path(TRIAL).exists():
    TRIAL = str(pathlib.Path(obhutd.DAEMON).with_name("obhutd-trial"))
FILES = obhutd.ROOT / "tests/trial/files"
HASHES = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(40)]


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


@contextlib.contextmanager
def stopped(*pids):
    """Processes that do nothing meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


class Exchange(obhutd.Case):
    def start_trial(self, *arguments, **options):
        return self.start(*arguments, program=TRIAL, **options)

    def ask(self, service, path, listener="services", method="GET", headers=None, token=False, body=None):
        return service.request(method, path, headers=headers, listener=listener, token=token, body=body)

    def raw(self, service, lines, listener="services"):
        """A connection on which a head was sent."""
        peer = socket.create_connection(service.place(listener), timeout=waiting.LIMIT_S)
        self.addCleanup(peer.close)
        peer.sendall("\r\n".join([*lines, "Host: x", "", ""]).encode("latin-1"))
        return peer

    def whole(self, peer):
        """All that comes until the end."""
        found = b""
        while piece := peer.recv(1 << 16):
            found += piece
        return found


class Requests(Exchange):
    def echo(self, service, query="", **options):
        status, _, body = self.ask(service, "/v1/trial/echo" + query, **options)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def test_header_fields_that_are_wanted_reach_the_handler_and_no_others(self):
        service = self.start_trial()
        sent = {"Authorization": "Bearer x", "Idempotency-Key": "k", "Accept-Language": "de;q=0.5", "Origin": "https://example.org",
                "If-None-Match": '"a", W/"b"', "User-Agent": "nobody wants to know", "X-Other": "nor this", "Referer": "https://x/"}
        found = self.echo(service, headers=sent)["headers"]
        self.assertEqual(dict(found), {name: sent[name] for name in ("Authorization", "Idempotency-Key", "Accept-Language",
                                                                     "Origin", "If-None-Match")})
        self.assertEqual(len(found), 5)
        self.assertEqual(self.echo(service)["headers"], [])

    def test_what_handlers_ask_for_is_in_the_table(self):
        source = (obhutd.ROOT / "src/doors/http/http.c").read_text().split("ob_request_headers[] = {")[1].split("NULL")[0]
        table = set(re.findall(r'"([\w-]+)"', source))
        asked = {name for path in (obhutd.ROOT / "src").rglob("*.c")
                 for name in re.findall(r'ob_request_header\(\w+, "([\w-]+)"\)', path.read_text())}
        self.assertGreater(len(asked), 3)
        self.assertLessEqual(asked, table)

    def test_cookies_reach_the_handler(self):
        service = self.start_trial()
        for sent, found in (("a=1", [["a", "1"]]), ("a=1; b=2; a=3", [["a", "1"], ["b", "2"], ["a", "3"]]), ("", []),
                            ("session=x.y-z%20; k=", [["session", "x.y-z%20"], ["k", ""]])):
            self.assertEqual(self.echo(service, headers={"Cookie": sent})["cookies"], found, sent)
        status, _, body = self.ask(service, "/v1/trial/echo", headers={"Cookie": "; ".join(f"c{n}={n}" for n in range(65))})
        self.assertEqual(status, 400, body)  # more than any handler wants
        peer = self.raw(service, ["GET /v1/trial/echo HTTP/1.1", "Cookie: a=1", "Cookie: b=2", "Connection: close"])
        self.assertIn(b" 400 ", self.whole(peer)[:20])

    def test_the_address_of_the_client_is_known_and_written_down_nowhere(self):
        path = self.dir / "s.sock"
        service = self.start_trial()
        self.assertEqual(self.echo(service)["peer"], "127.0.0.1")
        service.stop()
        service = self.start_trial(listen="[::1]:0")
        self.assertEqual(self.echo(service)["peer"], "::1")
        service.stop()
        service = self.start_trial(listen=str(path))
        self.assertEqual(self.echo(service)["peer"], "")
        service.stop()
        service = self.start_trial()
        host = "127.77.66.55"  # an address that nothing else has
        with socket.socket() as peer:
            peer.bind((host, 0))
            peer.connect(service.place("services"))
            peer.sendall(b"GET /v1/trial/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.assertIn(host.encode(), self.whole(peer))
        service.stop()
        for file in [f for f in self.data.rglob("*") if f.is_file()]:
            self.assertNotIn(host.encode(), file.read_bytes(), file)
        self.assertNotIn(host, "\n".join(service.log))

    def test_a_path_has_any_number_of_parts_each_decoded_once(self):
        service = self.start_trial()
        def parts(path, status=200):
            got, _, body = self.ask(service, path)
            self.assertEqual(got, status, (path, body))
            return json.loads(body) if status == 200 else None
        self.assertEqual(parts("/v1/trial/x/of/y/and/z"), {"a": "x", "b": "y", "c": "z"})
        for sent, part in (("https%3A%2F%2Fx%2fy", "https://x/y"), ("100%25", "100%"), ("%252F", "%2F"), ("%25%32%46", "%2F"),
                           ("%252525", "%2525"), ("a+b", "a+b"), ("%c3%bc", "ü"), (urllib.parse.quote("of/b/and/c", safe=""), "of/b/and/c")):
            self.assertEqual(parts(f"/v1/trial/{sent}/of/{sent}/and/{sent}"), {"a": part, "b": part, "c": part}, sent)
            self.assertEqual(parts(f"/v1/trial/one/{sent}")["a"], part)
        self.assertEqual(parts("/v1/tri%61l/x/%6ff/y/and/z"), {"a": "x", "b": "y", "c": "z"})
        for none in ("/v1/trial//of/y/and/z", "/v1/trial/x/of/y/and/", "/v1/trial/x/of/y/and", "/v1/trial/x/of/y/z/and/c",
                     "/v1/trial/x/of/y/and/z/", "/v1/trial/x%2Fof%2Fy%2Fand%2Fz", "/v1%2Ftrial/x/of/y/and/z"):
            parts(none, status=404)
        # Proxies unescape: where there is one part only, nothing else can be meant.
        self.assertEqual(parts("/v1/trial/one/https://x/y")["a"], "https://x/y")
        self.assertEqual(parts("/v1/trial/one/" + "y" * 299)["a"], "y" * 299)
        self.assertIsNone(parts("/v1/trial/one/" + "y" * 300)["a"])

    def test_query_values_are_decoded_once_and_hostile_ones_refused(self):
        service = self.start_trial()
        for sent, found in (("a=1&a=2&b", [["a", "1"], ["a", "2"], ["b", ""]]), ("a=%2525&b=+%2B", [["a", "%25"], ["b", " +"]]),
                            ("a=b%3Dc%26d", [["a", "b=c&d"]]), ("%61=%c3%bc", [["a", "ü"]]), ("a=%2F%25", [["a", "/%"]]), ("a=b=c", [["a", "b=c"]])):
            self.assertEqual(self.echo(service, "?" + sent)["query"], found, sent)
        for bad in ("a=%00", "a=%ff", "%c3=1", "a=%c0%af", "a=%0d%0ab", "a=%zz", "a=%", "a=%ed%a0%80", "a%00=1"):
            self.assertEqual(self.ask(service, "/v1/trial/echo?" + bad)[0], 400, bad)
        many = "&".join(f"f{n}={n}" for n in range(64))
        self.assertEqual(len(self.echo(service, "?" + many)["query"]), 64)
        self.assertEqual(self.ask(service, "/v1/trial/echo?" + many + "&x=y")[0], 400)


class Answers(Exchange):
    def test_an_answer_has_the_fields_that_its_handler_sets(self):
        service = self.start_trial()
        status, headers, body = self.ask(service, "/v1/trial/fields?Link=%3C%2Fx%3E&Link=%3C%2Fy%3E&Cache-Control=max-age%3D5"
                                                  "&cookie:session=abc.def&cookie:other=1")
        self.assertEqual((status, body), (200, b"fine\n"))
        self.assertEqual(headers.get_all("Link"), ["</x>", "</y>"])
        self.assertEqual(headers.get_all("Cache-Control"), ["max-age=5"])  # instead of no-store
        self.assertEqual(headers.get_all("Set-Cookie"),
                         [f"{cookie}; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Strict" for cookie in ("session=abc.def", "other=1")])
        self.assertEqual(self.ask(service, "/v1/trial/fields")[1].get_all("Cache-Control"), ["no-store"])

    def test_a_field_that_could_be_two_is_none(self):
        service = self.start_trial()
        for name, value in (("X", "a|r|nSet-Cookie: b=c"), ("X", "a|nb"), ("X", "a|rb"), ("X|r|nY", "a"), ("X: Y", "a"), ("", "a"),
                            ("X Y", "a"), ("Content-Length", "3"), ("transfer-encoding", "chunked"), ("Connection", "close"),
                            ("cookie:a", "b; Domain=x"), ("cookie:a", "b|nc"), ("cookie:a b", "c"), ("cookie:", "c"), ("cookie:a", '"b"')):
            status, headers, body = self.ask(service, f"/v1/trial/fields?{urllib.parse.quote(name)}={urllib.parse.quote(value)}")
            self.assertEqual(status, 500, (name, value))
            self.assertIsNone(headers["Set-Cookie"], (name, value))
            self.assertIsNone(headers["X"])
            self.assertIn(b'"code":"FAILED"', body)

    def test_a_head_is_there_wherever_the_rest_is(self):
        service = self.start_trial()
        rows = json.loads(self.run_obhut("help", "--json")[0])["commands"]
        places = [(row["path"], listener) for row in rows for listener in row["places"]
                  if listener in ("services", "staff", "public") and row["method"] == "GET"]
        self.assertGreater(len(places), 10)
        places += [("/healthz", "services"), ("/trial/page.html", "public"), ("/v1/trial/file?size=100", "services"), ("/none", "public")]
        for path, listener in places:
            path = re.sub(r"\{\w+\}", "1", path)
            got = self.ask(service, path, listener, token=True)
            head = self.ask(service, path, listener, method="HEAD", token=True)
            with self.subTest(path=path, listener=listener):
                self.assertEqual(head[2], b"")
                self.assertEqual(head[0], got[0])
                for name in ("Content-Type", "ETag", "Cache-Control", "Accept-Ranges"):
                    self.assertEqual(head[1][name], got[1][name], name)
                if path not in ("/metrics", "/readyz"):
                    self.assertEqual(head[1]["Content-Length"], got[1]["Content-Length"])


PART = {  # of 100 bytes: what is asked for, and what comes
    "bytes=0-9": (0, 9), "bytes=10-": (10, 99), "bytes=-5": (95, 99), "bytes=-500": (0, 99), "bytes=0-0": (0, 0), "bytes=99-": (99, 99),
    "bytes=50-1000": (50, 99), "Bytes=1-2": (1, 2), "bytes=100-": None, "bytes=-0": None, "bytes=5000-6000": None,
    # What is not understood is not there, and several parts are all of it.
    "bytes=9-5": "all", "bytes=a-b": "all", "bytes=1-2,5-6": "all", "lines=1-2": "all", "bytes=": "all", "bytes=-": "all",
    "bytes=--5": "all", "bytes=1": "all", "bytes=99999999999999999999999-": "all", "bytes= 1-2": "all"}


class Files(Exchange):
    def check_parts(self, service, path, listener, content):
        for field, part in PART.items():
            status, headers, body = self.ask(service, path, listener, headers={"Range": field})
            with self.subTest(field=field, path=path):
                if part is None:
                    self.assertEqual((status, headers["Content-Range"], body), (416, f"bytes */{len(content)}", b""))
                    self.assertEqual(headers["Cache-Control"], "no-store")
                elif part == "all":
                    self.assertEqual((status, headers["Content-Range"], body), (200, None, content))
                else:
                    first, last = part
                    self.assertEqual((status, headers["Content-Range"]), (206, f"bytes {first}-{last}/{len(content)}"))
                    self.assertEqual(body, content[first:last + 1])
                    self.assertEqual(headers["Content-Length"], str(last + 1 - first))
                self.assertEqual(headers["Accept-Ranges"], "bytes")

    def test_parts_of_a_memory_file_and_of_a_regular_one(self):
        service = self.start_trial()
        content = bytes(ord("0") + n % 10 for n in range(100))
        path = self.dir / "some file"
        path.write_bytes(content)
        self.check_parts(service, "/v1/trial/file?size=100", "services", content)
        self.check_parts(service, "/v1/trial/file?path=" + urllib.parse.quote(str(path)), "services", content)
        status, headers, body = self.ask(service, "/v1/trial/file?size=0")
        self.assertEqual((status, body), (200, b""))
        self.assertEqual(self.ask(service, "/v1/trial/file?size=0", headers={"Range": "bytes=0-"})[0], 416)

    def test_a_large_file_is_sent_and_takes_no_memory_of_the_front(self):
        service = self.start_trial()
        path = self.dir / "large"
        content = os.urandom(1 << 20) * 48
        path.write_bytes(content)
        front = service.processes()["front"]
        where = "/v1/trial/file?path=" + urllib.parse.quote(str(path))
        self.assertEqual(self.ask(service, where)[2], content)
        before = obhutd.resident(front)
        got = self.ask(service, where, headers={"Range": "bytes=1000000-40000000"})
        self.assertEqual((got[0], got[2] == content[1000000:40000001]), (206, True))
        self.assertLess(obhutd.resident(front) - before, 8 << 20)

    def test_a_version_that_is_known_is_not_sent_again(self):
        service = self.start_trial()
        path = "/v1/trial/file?size=100&version=v1"
        whole = self.ask(service, path)
        self.assertEqual((whole[0], whole[1]["ETag"]), (200, '"v1"'))
        for known, status in (('"v1"', 304), ('W/"v1"', 304), ("*", 304), ('"a", "v1"', 304), ('"a","b" ,"v1"', 304), ('"v2"', 200), ("v1", 200),
                              ('"v1', 200), ('"', 200), ("", 200), ('"v1"x, ', 304)):
            got = self.ask(service, path, headers={"If-None-Match": known})
            self.assertEqual((got[0], got[2]), (status, b"" if status == 304 else whole[2]), known)
            self.assertEqual(got[1]["ETag"], '"v1"')
        # A part of this version, and all of another.
        for only, status in (('"v1"', 206), ('"v2"', 200), ('W/"v1"', 200), ("Sat, 29 Oct 1994 19:43:31 GMT", 200)):
            got = self.ask(service, path, headers={"Range": "bytes=0-9", "If-Range": only})
            self.assertEqual((got[0], len(got[2])), (status, 10 if status == 206 else 100), only)
        got = self.ask(service, path, headers={"Range": "bytes=0-9", "If-None-Match": '"v1"'})
        self.assertEqual(got[0], 304)
        head = self.ask(service, path, method="HEAD", headers={"Range": "bytes=0-9"})
        self.assertEqual((head[0], head[1]["Content-Length"]), (200, "100"))


class Pages(Exchange):
    def test_pages_and_files_are_served_while_the_core_is_stopped_or_gone(self):
        service = self.start_trial()
        who = service.processes()
        def answers():
            page = self.ask(service, "/trial/page.html", "public")
            self.assertEqual((page[0], page[1]["Content-Type"], page[1]["Cache-Control"]), (200, "text/html; charset=utf-8", "no-cache"))
            self.assertEqual(page[2], (FILES / "public/trial/page.html").read_bytes())
            self.assertIn("default-src 'none'", page[1]["Content-Security-Policy"])
            self.assertEqual(self.ask(service, "/trial/page.html", "public", headers={"If-None-Match": page[1]["ETag"]})[0], 304)
            for listener in ("services", "staff"):
                self.assertEqual(self.ask(service, "/healthz", listener)[0], 200)
                self.assertEqual(self.ask(service, "/healthz", listener, method="HEAD")[0], 200)
            content = (FILES / "public/trial/numbers.txt").read_bytes()
            path = f"/trial/numbers.{hashlib.sha256(content).hexdigest()[:16]}.txt"
            got = self.ask(service, path, "public")
            self.assertEqual((got[0], got[2]), (200, content))
            self.assertEqual(got[1]["Cache-Control"], "public, max-age=31536000, immutable")
            self.assertEqual(self.ask(service, path, "public", headers={"Range": "bytes=2-3"})[2], content[2:4])
            staff = (FILES / "staff/trial/staff.txt").read_bytes()
            self.assertEqual(self.ask(service, f"/trial/staff.{hashlib.sha256(staff).hexdigest()[:16]}.txt", "staff")[2], staff)
        with stopped(who["core"]):
            answers()
        with stopped(who["main"]):
            os.kill(who["core"], signal.SIGKILL)
            waiting.until(lambda: not obhutd.is_ours(who["core"]) or obhutd.stat_of(who["core"])[0] == "Z", "the core has ended")
            answers()
        waiting.until(lambda: self.ask(service, "/readyz")[0] == 200, "there is another core")
        answers()

    def test_a_file_of_one_listener_is_at_no_other_and_is_only_read(self):
        service = self.start_trial()
        content = (FILES / "public/trial/numbers.txt").read_bytes()
        path = f"/trial/numbers.{hashlib.sha256(content).hexdigest()[:16]}.txt"
        self.assertEqual([self.ask(service, path, listener)[0] for listener in ("services", "staff", "public")], [404, 404, 200])
        for method in ("POST", "DELETE", "OPTIONS"):
            status, headers, _ = self.ask(service, path, "public", method=method, headers={"Content-Length": "0"})
            self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        for other in (path.replace(".txt", ".css"), "/trial/numbers.txt", path.upper(), path + "/", "/trial/", "/trial"):
            self.assertEqual(self.ask(service, other, "public")[0], 404, other)
        self.check_parts_of(service, path, content)
        empty = f"/trial/empty.{hashlib.sha256(b'').hexdigest()[:16]}.css"
        self.assertEqual(self.ask(service, empty, "public")[2], b"")

    def check_parts_of(self, service, path, content):
        for field, (first, last) in {"bytes=0-9": (0, 9), "bytes=-7": (len(content) - 7, len(content) - 1)}.items():
            got = self.ask(service, path, "public", headers={"Range": field})
            self.assertEqual((got[0], got[2]), (206, content[first:last + 1]))

    def test_the_public_page_and_its_errors_have_a_style_that_browsers_keep(self):
        service = self.start()
        for path in ("/transparency", "/none"):
            status, headers, body = self.ask(service, path, "public")
            links = dict(re.findall(r'<link rel="(\w+)" href="([^"]+)">', body.decode()))
            self.assertEqual(set(links), {"stylesheet", "icon"})
            self.assertNotIn(b"<style", body)
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])
            for what, kind in (("stylesheet", "text/css; charset=utf-8"), ("icon", "image/svg+xml")):
                where = urllib.parse.urljoin(path, links[what])
                self.assertRegex(where, r"^/transparency/\w+\.[0-9a-f]{16}\.\w+$")
                got = self.ask(service, where, "public")
                self.assertEqual((got[0], got[1]["Content-Type"]), (200, kind))
                self.assertIn("immutable", got[1]["Cache-Control"])


class Pieces(Exchange):
    def told(self, service):
        return json.loads(self.ask(service, "/v1/trial/told")[2])

    def test_a_body_in_pieces_comes_whole(self):
        service = self.start_trial()
        for count, size in ((0, 0), (1, 1), (5, 10), (40, 100000), (3, 1)):
            status, headers, body = self.ask(service, f"/v1/trial/pieces?count={count}&size={size}")
            self.assertEqual((status, headers["Transfer-Encoding"]), (200, "chunked"))
            self.assertEqual(body, b"".join(b"%c" % (97 + n % 26) * size for n in range(count)))
        waiting.until(lambda: self.told(service)["running"] == 0, "all are done")
        head = self.ask(service, "/v1/trial/pieces?count=5&size=10", method="HEAD")
        self.assertEqual((head[0], head[2]), (200, b""))
        waiting.until(lambda: self.told(service)["running"] == 0, "the one that only had a head is done, too")
        peer = self.raw(service, ["GET /v1/trial/pieces?count=3&size=9 HTTP/1.0"])
        self.assertTrue(self.whole(peer).endswith(b"\r\n\r\n" + b"a" * 9 + b"b" * 9 + b"c" * 9))

    def test_pieces_come_as_they_are_made(self):
        service = self.start_trial()
        peer = self.raw(service, ["GET /v1/trial/pieces?count=1000&size=10&pause_ms=300 HTTP/1.1"])
        found = b""
        while b"cccc" not in found:
            piece = peer.recv(1000)
            self.assertTrue(piece)
            found += piece
        self.assertNotIn(b"zzzz", found)
        self.assertEqual(self.told(service)["running"], 1)
        peer.close()
        waiting.until(lambda: self.told(service)["running"] == 0, "it ends with its client")
        self.assertEqual(self.told(service)["refused"], 1)

    def test_a_client_that_takes_nothing_holds_up_its_own_answer_alone(self):
        service = self.start_trial()
        who = service.processes()
        count, size = 1000, 100000
        resident = {name: obhutd.resident(who[name]) for name in ("front", "core")}
        peer = self.raw(service, [f"GET /v1/trial/pieces?count={count}&size={size} HTTP/1.1"])
        sent = []
        def stands():
            sent.append(self.told(service)["sent"])
            return len(sent) > 20 and sent[-1] == sent[-20] > 0
        waiting.until(stands, "what is sent stands still", pause_s=0.05)
        self.assertLess(sent[-1], 16 << 20)  # the sockets keep some
        for name in ("front", "core"):
            if not obhutd.SANITIZED:
                self.assertLess(obhutd.resident(who[name]) - resident[name], 8 << 20, name)
        self.assertEqual(self.ask(service, "/v1/trial/echo")[0], 200)
        rest = self.whole_of_chunks(peer)
        self.assertEqual(len(rest), count * size)
        self.assertEqual(rest, b"".join(b"%c" % (97 + n % 26) * size for n in range(count)))
        waiting.until(lambda: self.told(service)["running"] == 0, "it is done")
        self.assertEqual(self.told(service)["refused"], 0)

    def whole_of_chunks(self, peer):
        stream = peer.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        found = []
        while size := int(stream.readline(), 16):
            found.append(stream.read(size))
            self.assertEqual(stream.readline(), b"\r\n")
        return b"".join(found)

    def test_a_client_that_goes_ends_what_is_made_for_it(self):
        service = self.start_trial()
        for seen in (0, 1000):
            peer = self.raw(service, ["GET /v1/trial/pieces?count=100000&size=50000 HTTP/1.1"])
            if seen:
                peer.recv(seen)
            waiting.until(lambda: self.told(service)["sent"] > 100000, "it is under way")
            peer.close()
            waiting.until(lambda: self.told(service)["running"] == 0, "it ends with its client")
            self.assertEqual(self.told(service)["refused"], 1)

    def test_a_core_that_ends_is_seen_by_the_client(self):
        service = self.start_trial()
        peer = self.raw(service, ["GET /v1/trial/pieces?count=100000&size=1000&pause_ms=5 HTTP/1.1"])
        self.assertIn(b" 200 ", peer.recv(1000))
        os.kill(service.processes()["core"], signal.SIGKILL)
        self.assertNotIn(b"\r\n0\r\n", self.whole(peer)[-10:])  # the end of a body that is whole
        waiting.until(lambda: self.ask(service, "/v1/trial/echo")[0] == 200, "there is another core")

    def test_a_service_that_stops_waits_for_no_slow_client(self):
        service = self.start_trial()
        self.raw(service, ["GET /v1/trial/pieces?count=100000&size=50000 HTTP/1.1"])
        waiting.until(lambda: self.told(service)["sent"] > 100000, "it is under way")
        service.stop()


class Waiting(Exchange):
    def lists(self, service, known=None, wait=None):
        headers = {"If-None-Match": known} if known else {}
        return self.ask(service, "/v1/lists" + (f"?wait={wait}" if wait is not None else ""), headers=headers, token=True)

    def add(self, name, hashes=HASHES[:3]):
        self.run_obhut("list", "import", self.write(f"{name}.csv", "".join(f"{h}\n" for h in hashes)), "--name", name, "--type", "sha256")

    def in_background(self, count, what):
        """[thread], {number: result}"""
        found = {}
        def run(number):
            found[number] = what()
        every = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(count)]
        for one in every:
            one.start()
        return every, found

    def test_lists_have_a_version(self):
        service = self.start()
        status, headers, body = self.lists(service)
        self.assertEqual((status, headers["Cache-Control"]), (200, "private, no-cache"))
        self.assertEqual(self.lists(service)[1]["ETag"], headers["ETag"])
        self.assertEqual((self.lists(service, headers["ETag"])[0], self.lists(service, '"other"')[0]), (304, 200))
        self.add("one")
        changed = self.lists(service, headers["ETag"])
        self.assertEqual(changed[0], 200)
        self.assertNotEqual(changed[1]["ETag"], headers["ETag"])
        service.stop()
        service = self.start()  # what they are is what counts, not who tells it
        self.assertEqual(self.lists(service, changed[1]["ETag"])[0], 304)
        for bad in ("-1", "0", "51", "x", "", "1.5", "+1", " 1"):
            self.assertEqual(self.lists(service, wait=urllib.parse.quote(bad))[0], 400, bad)

    def test_a_request_that_waits_hears_of_a_change_and_costs_no_thread(self):
        service = self.start()
        core = service.processes()["core"]
        known = self.lists(service)[1]["ETag"]
        self.lists(service, known)
        before = threads(core)
        every, found = self.in_background(40, lambda: self.lists(service, known, 50))
        waiting.until(lambda: self.connections(service) >= 40, "all of them wait")
        time.sleep(0.5)
        self.assertEqual(found, {})
        self.assertEqual(threads(core), before)
        self.assertEqual(self.lists(service)[0], 200)  # others are answered meanwhile
        self.add("one")
        for one in every:
            one.join(waiting.LIMIT_S)
        self.assertEqual(len(found), 40)
        for status, headers, body in found.values():
            self.assertEqual((status, [one["list"] for one in json.loads(body)["lists"]]), (200, ["one"]))
            self.assertNotEqual(headers["ETag"], known)
        known = headers["ETag"]
        every, found = self.in_background(1, lambda: self.lists(service, known, 50))
        time.sleep(0.3)
        self.run_obhut("list", "disable", "one")
        every[0].join(waiting.LIMIT_S)
        self.assertFalse(json.loads(found[0][2])["lists"][0]["enabled"])

    def connections(self, service):
        return service.metrics()["connections_total"]

    def test_the_time_is_over_and_nothing_has_happened(self):
        service = self.start()
        known = self.lists(service)[1]["ETag"]
        began = time.monotonic()
        status, headers, body = self.lists(service, known, 1)
        self.assertEqual((status, headers["ETag"], body), (304, known, b""))
        self.assertGreaterEqual(time.monotonic() - began, 0.9)
        self.assertEqual(self.lists(service, wait=50)[0], 200)  # who knows nothing has nothing to wait for
        self.assertEqual(self.lists(service, '"other"', 50)[0], 200)

    def test_a_service_that_stops_answers_those_who_wait(self):
        service = self.start()
        known = self.lists(service)[1]["ETag"]
        every, found = self.in_background(3, lambda: self.lists(service, known, 50))
        time.sleep(0.5)
        began = time.monotonic()
        service.stop()
        for one in every:
            one.join(waiting.LIMIT_S)
        self.assertEqual({n: answer[0] for n, answer in found.items()}, {n: 304 for n in range(3)})
        self.assertLess(time.monotonic() - began, 30)

    def test_a_request_that_waits_is_asked_anew_where_the_core_ends(self):
        service = self.start()
        known = self.lists(service)[1]["ETag"]
        every, found = self.in_background(1, lambda: self.lists(service, known, 50))
        time.sleep(0.3)
        os.kill(service.processes()["core"], signal.SIGKILL)
        waiting.until(lambda: self.ask(service, "/readyz")[0] == 200, "there is another core")
        self.add("one")
        every[0].join(waiting.LIMIT_S)
        self.assertEqual(found[0][0], 200)
        self.assertIn(b'"one"', found[0][2])

    def test_a_client_has_a_share_of_the_places_and_gives_back_what_it_leaves(self):
        service = self.start()
        known = self.lists(service)[1]["ETag"]
        def begin():
            return self.raw(service, ["GET /v1/lists?wait=50 HTTP/1.1", f"If-None-Match: {known}", f"Authorization: Bearer {service.token}"])
        peers = [begin() for _ in range(64)]

        def is_full():
            full = self.is_full(service, known)
            if not full:  # the question had the place of one that was turned away
                peers.append(begin())
            return full
        waiting.until(is_full, "all places are taken")
        status, headers, body = self.lists(service, known, 1)
        self.assertEqual((status, json.loads(body)["reason"]), (503, "BUSY"))
        self.assertGreater(int(headers["Retry-After"]), 0)
        self.assertEqual(self.lists(service)[0], 200)
        for peer in peers:
            peer.close()
        waiting.until(lambda: self.lists(service, known, 1)[0] == 304, "the places are free again")

    def is_full(self, service, known):
        return self.lists(service, known, 1)[0] == 503


if __name__ == "__main__":
    unittest.main()
