"""Three listeners: nothing of one answers on another, and a crowd on one takes nothing from the others."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import sys
import unittest

import yaml

import obhutd
import waiting

ROCKET = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
LISTENERS = ("services", "staff", "public")
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"  # as browsers have it
JSON = {"Accept": "application/json"}


def routes():
    """[(method, path, listeners)] as the table has them, and what the front alone answers."""
    rows = json.loads(subprocess.run([obhutd.obhut.BINARY, "help", "--json"], capture_output=True, check=True).stdout)["commands"]
    found = [(row["method"], row["path"], (place,)) for row in rows for place in row["places"] if place in LISTENERS]
    assert len(found) > 40, found
    return found + [("GET", "/healthz", ("services", "staff"))]



def asked(path):
    """A path with something in each place."""
    return re.sub(r"\{\w+\}", "1", path)


class Listening(obhutd.Case):
    def ask(self, service, listener, method="GET", path="/healthz", **options):
        return service.request(method, path, listener=listener, **options)

    def refused(self, *arguments, code=3, listening=None, **options):
        """What is said when it does not start."""
        done = subprocess.run([obhutd.DAEMON, "--data", str(self.data), *(listening or obhutd.listening(**options)),
                               *arguments], capture_output=True, text=True, timeout=waiting.LIMIT_S)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr


class Routes(Listening):
    def test_every_route_is_at_its_listener_and_nothing_at_the_others(self):
        service = self.start()
        table = routes()
        there = {(listener, asked(path)): set() for _, path, _ in table for listener in LISTENERS}
        for method, path, places in table:
            for listener in places:
                there[listener, asked(path)].add(method)
        nothing = {listener: self.ask(service, listener, "GET", "/no/such/path", headers=JSON) for listener in LISTENERS}
        for method in {method for method, _, _ in table}:
            for (listener, path), methods in there.items():
                status, headers, body = self.ask(service, listener, method, path, headers=JSON)
                with self.subTest(method=method, path=path, listener=listener):
                    if method in methods:
                        self.assertNotEqual(status, 405, body)
                        self.assertNotEqual(body, nothing[listener][2])
                    elif methods:
                        self.assertEqual(status, 405, body)
                        self.assertEqual(set(headers["Allow"].split(", ")) - {"HEAD"}, methods)
                    else:  # the same as what does not exist, word for word
                        self.assertEqual((status, body), (404, nothing[listener][2]))
                        self.assertEqual((headers["Content-Type"], headers["Allow"]),
                                         (nothing[listener][1]["Content-Type"], None))

    def test_a_gateway_is_for_services_only(self):
        service = self.start()
        path = re.search(r"/gw/\S+", self.run_obhut("gateway", "add", "pict-rs", "--surface", "public")[0])[0]
        self.assertEqual([self.ask(service, listener, "POST", path, body=ROCKET, token=False)[0]
                          for listener in LISTENERS], [200, 404, 404])

    def test_another_method_tells_what_its_own_listener_takes_only(self):
        service = self.start()
        for listener, path, allowed in (("services", "/readyz", "GET, HEAD"), ("staff", "/healthz", "GET, HEAD"),
                                        ("public", "/transparency", "GET, HEAD")):
            for method in ("POST", "DELETE", "OPTIONS"):
                status, headers, _ = self.ask(service, listener, method, path, headers={"Content-Length": "0"})
                self.assertEqual((status, headers["Allow"]), (405, allowed), (listener, method))

    def test_the_description_names_the_listener_of_every_path(self):
        described = yaml.safe_load((obhutd.ROOT / "docs/openapi.yaml").read_text())
        ports = {"services": 8480, "staff": 8481, "public": 8482}
        for method, path, places in routes():
            ways = next(v for k, v in described["paths"].items()
                        if re.sub(r"\{\w+\}", "{}", k) == re.sub(r"\{\w+\}", "{}", path))
            servers = ways.get(method.lower(), {}).get("servers", ways.get("servers", described["servers"]))
            self.assertEqual([s["url"] for s in servers], [f"http://127.0.0.1:{ports[place]}" for place in places], path)


class Pages(Listening):
    def test_browsers_are_told_in_words_and_programs_in_json(self):
        service = self.start()
        for accept, kind in ((HTML, "html"), (None, "html"), ("*/*", "html"), ("text/html, application/json", "html"),
                             ("text/html;q=0, application/json", "json"), ("application/json", "json"),
                             ("application/problem+json", "json"), ("text/html;q=0.5,application/json;q=0.9", "json"),
                             ("application/json;q=0.5,text/html;q=0.9", "html"), ("Application/JSON ; q=0.1", "json"),
                             ("application/json;q=0", "html"), (";;;,,,q=", "html"), ("application/jsonx", "html")):
            status, headers, body = self.ask(service, "public", path="/none", token=False,
                                             headers={"Accept": accept} if accept else {})
            self.assertEqual(status, 404)
            self.assertIn(kind, headers["Content-Type"], accept)
            if kind == "json":
                self.assertEqual(json.loads(body)["code"], "NOT_FOUND")
            else:
                self.assertIn(b"There is nothing here", body)
                self.assertIn("default-src 'none'", headers["Content-Security-Policy"])

    def test_a_page_speaks_german_or_english(self):
        service = self.start()
        for language, path, said in (("de-AT,en", "/x", "Hier ist nichts"), ("en-GB", "/x", "There is nothing here"),
                                     ("fr", "/x", "There is nothing here"), ("en", "/x?lang=de", "Hier ist nichts")):
            body = self.ask(service, "public", path=path, headers={"Accept-Language": language})[2].decode()
            self.assertIn(f"<h1>{said}</h1>", body)
            self.assertIn('<html lang="%s">' % ("de" if said.startswith("Hier") else "en"), body)
        status, headers, body = self.ask(service, "public", "DELETE", "/transparency",
                                         headers={"Accept-Language": "de", "Accept": HTML})
        self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))
        self.assertIn("Diese Seite kann man nur lesen", body.decode())

    def test_a_core_that_is_away_is_told_in_words_and_when_to_come_again(self):
        service = self.start()
        who = service.processes()
        os.kill(who["main"], signal.SIGSTOP)
        try:
            os.kill(who["core"], signal.SIGKILL)
            def answer():
                return self.ask(service, "public", path="/transparency", headers={"Accept": HTML})
            waiting.until(lambda: answer()[0] == 503, "the front knows")
            status, headers, body = answer()
            self.assertEqual((status, headers["Content-Type"]), (503, "text/html; charset=utf-8"))
            self.assertGreater(int(headers["Retry-After"]), 0)
            self.assertIn(b"Please try again later", body)
            self.assertEqual(self.ask(service, "staff")[0], 200)
        finally:
            os.kill(who["main"], signal.SIGCONT)
        waiting.until(lambda: self.ask(service, "public", path="/transparency")[0] == 200, "the page is there again")

    def test_services_and_staff_are_told_in_json_whatever_they_accept(self):
        service = self.start()
        for listener in ("services", "staff"):
            for path in ("/none", "/transparency"):
                service.json("GET", path, status=404, listener=listener, headers={"Accept": HTML})


class Places(Listening):
    def test_every_form_of_an_address_is_taken(self):
        path = self.dir / "public.sock"
        service = self.start(listen="localhost:0", listen_staff="[::1]:0", listen_public=str(path))
        self.assertRegex(service.where["services"], r"^http://127\.0\.0\.1:\d+$")
        self.assertRegex(service.where["staff"], r"^http://\[::1\]:\d+$")
        self.assertEqual(service.where["public"], str(path))
        self.assertEqual(service.scan(ROCKET)["action"], "allow")
        self.assertEqual(self.ask(service, "staff")[0], 200)
        self.assertEqual(self.ask(service, "public", path="/transparency", token=False)[0], 200)

    def test_a_unix_socket_says_who_may_come_and_goes_with_the_service(self):
        path = self.dir / "services.sock"
        service = self.start(listen=str(path))
        found = os.stat(path)
        self.assertEqual(stat.filemode(found.st_mode), "srw-rw----")
        said = next(line for line in service.log if "ready: " in line)
        self.assertRegex(said, re.escape(str(path)) + r" \(mode 0660, owner [^:()]+:[^:()]+\)")
        self.assertEqual(service.scan(ROCKET)["action"], "allow")
        self.assertIn("there is nothing", service.json("GET", "/x", status=404)["detail"])
        # a client whose own address is as long as may be
        with socket.socket(socket.AF_UNIX) as peer:
            peer.bind(str(self.dir / ("c" * (106 - len(str(self.dir))))))
            peer.settimeout(waiting.LIMIT_S)
            peer.connect(str(path))
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b" 200 ", peer.recv(1000))
        service.stop()
        self.assertFalse(path.exists())

    def test_what_a_killed_service_left_is_taken_over_and_what_is_somebody_elses_is_not(self):
        path = self.dir / "s.sock"
        service = self.start(listen=str(path))
        service.kill()
        self.assertTrue(path.exists())
        service = self.start(listen=str(path))
        self.assertEqual(service.scan(ROCKET)["action"], "allow")
        self.assertIn(f"--listen: {path} cannot be listened on: Address already in use", self.refused(services=str(path)))
        self.assertEqual(service.scan(ROCKET)["action"], "allow")
        service.stop()
        path.write_text("mine")
        self.assertIn(f"--listen-staff: {path} cannot be listened on: there is a file, and no socket",
                      self.refused(staff=str(path)))
        self.assertEqual(path.read_text(), "mine")
        self.assertIn("No such file or directory", self.refused(public=str(self.dir / "no/such/folder.sock")))
        for bad in ("/" + "x" * 107, "/run/"):
            self.assertIn("--listen-public: ", self.refused(public=bad, code=2))

    def test_none_switches_one_off(self):
        service = self.start(listen_staff="none", listen_public="none")
        self.assertEqual(list(service.where), ["services"])
        self.assertEqual(service.scan(ROCKET)["action"], "allow")
        front = service.processes()["front"]
        self.assertEqual(sum(os.readlink(f"/proc/{front}/fd/{n}").startswith("socket:") for n in (4, 5, 6)), 1)
        service.stop()
        service = self.start(listen="none")
        self.assertEqual(list(service.where), ["staff", "public"])
        self.assertEqual(self.ask(service, "public", path="/transparency")[0], 200)
        self.assertEqual(self.ask(service, "public", "POST", "/v1/scan?surface=public", body=ROCKET)[0], 404)
        service.stop()
        self.assertIn("nobody could ask", self.refused(services="none", staff="none", public="none", code=2))

    def test_the_configuration_has_a_key_for_each_and_the_command_line_is_stronger(self):
        service = self.start(*self.configure('listen = "none"\nlisten-staff = "none"\nlisten-public = "localhost:0"\n'),
                             listen=None, listen_staff="127.0.0.1:0", listen_public=None)
        self.assertEqual(list(service.where), ["staff", "public"])
        service.stop()
        for key in ("listen", "listen-staff", "listen-public"):
            done = subprocess.run([obhutd.DAEMON, "--check-config", *self.configure(f'distance = 1\n{key} = "nowhere"\n')],
                                  capture_output=True, text=True, timeout=waiting.LIMIT_S)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f'line 2: {key}: "nowhere" is no ADDRESS:PORT', done.stderr)
            done = subprocess.run([obhutd.DAEMON, "--check-config", f"--{key}", "host:1"], capture_output=True, text=True)
            self.assertIn(f'--{key}: "host:1" is no', done.stderr)

    def test_the_operator_sees_where_it_is_asked(self):
        service = self.start(listen_public="none")
        told, = self.json_lines("status", "--json")
        self.assertEqual(told["listeners"], {"services": service.where["services"].removeprefix("http://"),
                                             "staff": service.where["staff"].removeprefix("http://"), "public": "none"})
        self.assertIn(f"  services  {service.where['services']}\n", self.run_obhut("status")[0])
        service.stop()
        self.assertNotIn("Where it is asked", self.run_obhut("status")[0])


class Activation(Listening):
    CODE = ("import os,sys\nfor n,f in enumerate(map(int,sys.argv[1].split(','))):os.dup2(f,3+n,inheritable=True)\n"
            "os.environ['LISTEN_PID']=str(os.getpid())\nos.execv(sys.argv[2],sys.argv[2:])\n")

    def activate(self, names, sockets, *listening):
        """What it says, as systemd would start it; it is ended then."""
        log = pathlib.Path(self.write("log", ""))
        files = [os.dup(s.fileno()) for s in sockets]
        high = [os.dup2(f, 100 + n) for n, f in enumerate(files)]  # not where they are to go
        environment = os.environ | {"LISTEN_FDS": str(len(sockets))}
        if names is not None:
            environment["LISTEN_FDNAMES"] = names
        with open(log, "w") as to:
            process = subprocess.Popen([sys.executable, "-c", self.CODE, ",".join(map(str, high)), obhutd.DAEMON,
                                        "--data", str(self.data), *listening], pass_fds=high, stderr=to, env=environment)
        try:
            waiting.until(lambda: "ready:" in log.read_text() or process.poll() is not None, "it is ready, or not")
            answers = [self.status_of(s, path) for s in sockets for path in ("/readyz", "/transparency")
                       if process.poll() is None]
            return log.read_text(), answers
        finally:
            process.terminate()
            process.wait(waiting.LIMIT_S)
            for file in files + high:
                os.close(file)

    @staticmethod
    def status_of(listening, path):
        with socket.socket(listening.family) as peer:
            peer.settimeout(waiting.LIMIT_S)
            peer.connect(listening.getsockname())
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            return int(peer.recv(100).split()[1])

    def sockets(self, count):
        found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        for one in found:
            self.addCleanup(one.close)
        return found

    def test_sockets_are_taken_by_their_names(self):
        three = self.sockets(3)
        said, answers = self.activate("public:services:staff", three)
        where = {name: "http://127.0.0.1:%d" % s.getsockname()[1]
                 for name, s in zip(("public", "services", "staff"), three, strict=True)}
        self.assertIn("ready: " + ", ".join(f"{name} {where[name]}" for name in LISTENERS), said)
        self.assertEqual(answers, [404, 200, 200, 404, 404, 404])

    def test_one_without_a_name_is_the_services(self):
        for names in (None, "", "unknown", "obhutd.socket"):
            said, answers = self.activate(names, self.sockets(1), *obhutd.listening(services=None))
            self.assertIn("ready: services http://127.0.0.1:", said)
            self.assertEqual(answers, [200, 404], said)

    def test_one_that_is_named_leaves_the_others_to_the_configuration(self):
        path = self.dir / "p.sock"
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(str(path))
            unix.listen()
            said, answers = self.activate("public", [unix], *obhutd.listening(public=None))
            self.assertRegex(said, r"ready: services http://127.0.0.1:\d+, staff http://127.0.0.1:\d+, public "
                             + re.escape(str(path)))
            self.assertEqual(answers, [404, 200])
            self.assertTrue(path.exists())  # systemd's

    def test_what_makes_no_sense_is_said(self):
        for names, count, more, said in (
                ("pubilc", 1, (), 'named "pubilc": FileDescriptorName= is services, staff or public'),
                ("public:public", 2, (), "two sockets for public"),
                ("a.socket:b.socket", 2, (), "two sockets for services"),
                ("staff", 1, obhutd.listening(staff="none"), 'a socket for staff, and listen-staff is "none"')):
            log, _ = self.activate(names, self.sockets(count), *more)
            self.assertIn(said, log)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            self.assertIn("what systemd hands over for services is no listening stream socket",
                          self.activate("services", [datagrams])[0])


class Crowds(Listening):
    @contextlib.contextmanager
    def crowd(self, service, listener, count, said=b"GET / HTTP/1.1\r\nHost: x\r\n"):
        """So many who never finish what they say."""
        with contextlib.ExitStack() as stack:
            def come():
                peer = stack.enter_context(socket.create_connection(service.place(listener), timeout=waiting.LIMIT_S))
                peer.sendall(said)
                return peer
            yield [come() for _ in range(count)]

    def test_a_crowd_on_one_takes_nothing_from_the_others(self):
        service = self.start(*self.configure("connections-most = 8\nconnections-most-staff = 8\n"
                                             "connections-most-public = 8\n"))
        kept = [service.connect() for _ in range(8)]  # the services' own, all that they may have
        for connection in kept:
            self.assertEqual(service.scan(ROCKET, connection=connection)["action"], "allow")
        for listener in ("public", "staff"):
            with self.crowd(service, listener, 100):
                for connection in kept:  # and they are the same connections still
                    self.assertEqual(service.scan(ROCKET, connection=connection)["action"], "allow")
                    self.assertIsNotNone(connection.sock)
                self.assertEqual(self.ask(service, "staff")[0], 200)  # a crowd's half heads give way
        for connection in kept:
            connection.close()

    def test_a_crowd_of_services_takes_no_page_from_the_public(self):
        service = self.start(*self.configure("connections-most = 8\n"))
        with self.crowd(service, "services", 100):
            for _ in range(10):
                self.assertEqual(self.ask(service, "public", path="/transparency")[0], 200)

    def test_bodies_on_one_take_no_memory_from_another(self):
        service = self.start(*self.configure("memory-most-mb = 1\nbody-most-mb = 1\n"))
        head = (b"POST /v1/scan HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000\r\n\r\n"
                + b"[" * 15999)  # kept, as it goes with the head
        with self.crowd(service, "public", 200, head):
            for _ in range(3):
                self.assertEqual(service.scan(ROCKET)["action"], "allow")

    def test_whoever_watches_is_answered_where_there_is_no_room(self):
        service = self.start(*self.configure("connections-most = 2\nconnections-most-staff = 2\n"
                                             "connections-most-public = 2\n"))
        busy = b"POST /v1/scan HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        for listener in ("services", "staff"):
            with self.crowd(service, listener, 2, busy):
                self.assertEqual(self.ask(service, listener)[0], 200)
        with self.crowd(service, "public", 2, busy):
            status, _, body = self.ask(service, "public", path="/transparency")
            self.assertIn(status, (200, 503))  # a body that was answered may have gone
            if status == 503:
                self.assertIn(b"Please try again later", body)


if __name__ == "__main__":
    unittest.main()
