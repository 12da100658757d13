"""Starting, configuring and commanding the service."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import unittest

import obhutd
import waiting

ROOT = obhutd.ROOT


class Configuration(obhutd.Case):
    def check(self, text):
        done = subprocess.run([obhutd.DAEMON, "--check-config", "--config",
                               self.write("c.conf", text)], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_mistakes_are_named_with_line_and_nearest_key(self):
        good = 'listen = "127.0.0.1:9"\ndecoders = 2\nlist "x" {\n  action = "block"\n}\n'
        self.assertEqual(self.check(good)[0], 0)
        for text, *words in (
                ("\n\ndecoder = 2\n", "c.conf, line 3", '"decoder"', '"decoders" was probably meant'),
                ("decoders = two\n", "line 1", "decoders"),
                ("distance = 99\n", "line 1", "distance is a number from 0 to 31, not 99"),
                ('action-one-source = "report"\n', "action-one-source is allow, review", "report"),
                ('list "x" {\n  acton = "hold"\n}\n', "line 2", '"action" was probably meant'),
                ("= = =\n", "line 1"), ("\0\0", "c.conf"),
                ('records = "mysql://x"\n', "line 1", "begins with postgresql://"),
                ('listen = ""\n', "listen"),
                ('\nlisten = "x"\n', "line 2", '"x" is no ADDRESS:PORT'),
                ('listen = "unix:/x"\n', "line 1", "no ADDRESS:PORT"),
                ('listen = "example.org:80"\n', "line 1", "no numeric ADDRESS:PORT"),
                ('listen = "0.0.0.0:99999"\n', "line 1", "no ADDRESS:PORT"), ("zzzzzzzz = 1\n", 'no key "zzzzzzzz"')):
            code, said = self.check(text)
            self.assertEqual(code, 3, text)
            for word in words:
                self.assertIn(word, said)
        code, said = self.check("x" * 1000000)
        self.assertEqual(code, 3)
        self.assertEqual(self.check('records = ""\n')[0], 0)
        self.assertEqual(self.check('records = "postgresql://obhut@/obhut"\n')[0], 0)
        self.assertNotIn("secret", self.check('records = "postgres:/a:secret@h/d"\n')[1])
        done = subprocess.run([obhutd.DAEMON, "--check-config", "--config", "/no/such"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("/no/such cannot be read", done.stderr)

    def test_a_file_that_was_cut_short_is_refused_with_the_line_where_what_is_open_begins(self):
        whole = ('distance = 31 # {\n/* { */ // {\n\nlist "a{" {\n  action = "block"\n  # }\n}\n'
                 "list 'b}' {\n  action = \"hold\" /* } */\n}\n")
        self.assertEqual(self.check(whole)[0], 0)
        for cut, line in ((whole.rindex("}"), 8), (whole.index("list 'b"), 0),
                          (whole.index("}\nlist"), 4), (whole.index("# }") + 1, 4)):
            code, said = self.check(whole[:cut])
            self.assertEqual(code, 3 if line else 0, whole[:cut])
            if line:
                self.assertIn(f"c.conf, line {line}: the section that begins here has no end", said)
        code, said = self.check("\n/* a comment")
        self.assertEqual((code, "line 2: this comment has no end" in said), (3, True), said)
        self.assertEqual(self.check('listen = "127.0.0.1:8')[0], 3)

    def test_an_address_on_the_command_line_is_checked_too(self):
        done = subprocess.run([obhutd.DAEMON, "--check-config", "--listen", "nowhere"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn('--listen: "nowhere" is no ADDRESS:PORT', done.stderr)

    def test_a_file_with_a_minus_before_its_name_may_be_missing(self):
        def check(name):
            done = subprocess.run([obhutd.DAEMON, "--check-config", "--config", name],
                                  capture_output=True, text=True)
            return done.returncode
        bad = self.write("bad.conf", "distance = 99\n")
        self.assertEqual([check(f"-{self.dir}/none"), check(f"{self.dir}/none"), check(f"-{bad}"),
                          check("-")], [0, 3, 3, 3])

    def test_options_that_are_unknown_are_named(self):
        for words, said in ((["--dta", "x"], "no option --dta"), (["--data"], "needed: --data"),
                            (["-x"], "-x"), (["--check-config=1"], "--check-config=1")):
            done = subprocess.run([obhutd.DAEMON, *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"obhutd: ", done.stderr)
            self.assertIn(said, done.stderr)
            self.assertNotIn(obhutd.DAEMON, done.stderr)

    def test_every_key_is_in_the_man_page(self):
        page = (ROOT / "man/obhutd.conf.5").read_text().replace("\\-", "-")
        import re
        source = (ROOT / "src/programs/daemon/config.c").read_text()
        table = source.split("numbers[] = {")[1].split("};")[0]
        keys = re.findall(r'\{"([a-z-]+)"', table) + re.findall(
            r'"([a-z-]+)"', source.split("texts[] = {")[1].split("};")[0])
        self.assertGreater(len(keys), 10)
        for key in keys:
            self.assertRegex(page, rf"(?m)^\.B {key}\b", key)

    def test_wrong_use_is_said(self):
        for arguments in (["--listen", "nowhere"], ["--listen", "127.0.0.1:99999"], ["--bogus"],
                          ["more"], ["--data", ""]):
            done = subprocess.run([obhutd.DAEMON, "--data", str(self.data), *arguments],
                                  capture_output=True, text=True, timeout=waiting.LIMIT_S)
            self.assertEqual(done.returncode, 2, (arguments, done.stderr))
        taken = socket.create_server(("127.0.0.1", 0))
        port = "127.0.0.1:%d" % taken.getsockname()[1]
        for listener, option in (("services", "--listen"), ("staff", "--listen-staff"),
                                 ("public", "--listen-public")):
            done = subprocess.run([obhutd.DAEMON, "--data", str(self.data), *obhutd.listening(**{listener: port})],
                                  capture_output=True, text=True, timeout=waiting.LIMIT_S)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"{option}: {port} cannot be listened on: Address already in use", done.stderr)
        taken.close()

    def test_a_damaged_directory_is_named_and_not_served(self):
        self.data.mkdir()
        (self.data / "obhut.db").write_bytes(b"no database" * 1000)
        done = subprocess.run([obhutd.DAEMON, "--data", str(self.data), *obhutd.listening()],
                              capture_output=True, text=True, timeout=waiting.LIMIT_S)
        self.assertEqual(done.returncode, 3)
        self.assertIn("the records (obhut.db) cannot be", done.stderr)


class Commands(obhutd.Case):
    """The same commands with and without a service."""

    def test_the_data_directory_may_be_a_link_to_one(self):
        there = self.dir / "private"
        there.mkdir(0o700)
        self.data.symlink_to(there)
        service = self.start()
        self.run_obhut("token", "add", "app", "--surface", "public", "--scope", "scan")
        self.assertTrue((there / "obhut.db").exists())
        service.stop()
        self.run_obhut("check")
        self.start()

    def test_lists_change_while_the_service_answers(self):
        a, b, c = obhutd.obhut.hashes(3, seed=40)
        service = None
        for running in (False, True):
            service = self.start() if running else None
            name = "running" if running else "alone"
            self.run_obhut("list", "import", self.write("x.txt", [a]), "--name", name)
            out, _ = self.run_obhut("list", "import", "-", "--name", name,
                                    stdin=f"{a}\n{b}\n".encode())
            self.assertIn("2 entries (2 lines", out)
            _, err = self.run_obhut("list", "import", self.write("bad.txt", [a, "zz"]), "--name",
                                    name, code=3)
            self.assertIn("line 2: 2 characters", err)
            out, _ = self.run_obhut("list", "add", name, c, c, "--id", "third")
            self.assertIn("1 added, the others were there", out)
            self.run_obhut("list", "withdraw", name, a)
            self.run_obhut("list", "merge", name)
            _, err = self.run_obhut("list", "add", "nobody", c, code=3)
            self.assertIn('no list "nobody"', err)
            _, err = self.run_obhut("list", "import", "/no/such/file", code=3)
            self.assertIn("cannot be opened", err)
            out, _ = self.run_obhut("list", "export", name)
            self.assertEqual(sorted(line[:64] for line in out.splitlines()[1:]), sorted([b, c]))
            if running:
                got = service.json("POST", "/v1/match?surface=public", {"queries": [a, b, c]})
                totals = [sum(m["list"] == name for m in r["matches"]) for r in got["results"]]
                self.assertEqual(totals, [0, 1, 1])
            self.run_obhut("list", "disable", name)
            self.run_obhut("list", "enable", name)
            self.run_obhut("list", "remove", name)
            self.assertNotIn(name, self.run_obhut("list", "ls")[0])

    def test_a_change_is_known_to_the_next_request(self):
        hashes = obhutd.obhut.hashes(40, seed=41)
        self.run_obhut("list", "import", self.write("x.txt", hashes[:1]))
        service = self.start()
        connection = service.connect()
        def total(pdq):
            return service.json("POST", "/v1/match?surface=public", {"query": pdq},
                                connection=connection)["total"]
        for pdq in hashes[1:]:
            self.assertEqual(total(pdq), 0)
            self.run_obhut("list", "add", "x", pdq)
            self.assertEqual(total(pdq), 1)
            self.run_obhut("list", "withdraw", "x", pdq)
            self.assertEqual(total(pdq), 0)
        connection.close()

    def test_the_socket_takes_nonsense(self):
        service = self.start()
        path = str(self.data / "run/admin.sock")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for raw in (b"", b"\n", b"nonsense\n", b"[]\n", b'{"do": 5}\n', b'{"do":"x"}\n',
                    b'{"do":"list.add"}\n', b'{"do":"list.import"}\n', b"\0" * 100000 + b"\n",
                    '{"do":"a'.encode() + "ä".encode() * 40 + b'"}\n',  # the sentence cuts it in a character
                    b'{"do":"list.add","name":"x","hashes":[1]}\n', b"{" * 100000 + b"\n",
                    b'{"do":"token.add","name":"x","surface":"public","scope":["scan"]}\n'):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(waiting.LIMIT_S)
                peer.connect(path)
                try:
                    peer.sendall(raw)
                    peer.shutdown(socket.SHUT_WR)
                    answer = peer.makefile().readline()
                except OSError:
                    answer = ""
            if raw.strip():
                self.assertIn("error", json.loads(answer), raw[:50])
        service.json("GET", "/healthz")

    def test_a_distance_is_no_other_number_that_ends_alike(self):
        self.start()
        for distance in (-1, 32, 1 << 32, (1 << 32) + 5):
            with socket.socket(socket.AF_UNIX) as peer, open(__file__, "rb") as file:
                peer.settimeout(waiting.LIMIT_S)
                peer.connect(str(self.data / "run/admin.sock"))
                request = {"do": "scan", "item": {"surface": "public"}, "distance": distance}
                socket.send_fds(peer, [json.dumps(request).encode() + b"\n"], [file.fileno()])
                self.assertIn("distance", json.loads(peer.makefile().readline())["error"]["text"], distance)

    @unittest.skipUnless(os.geteuid() == 0 and not obhutd.SANITIZED, "needs to become somebody else")
    @unittest.skipUnless(os.geteuid() == 0, "only root takes /proc away")
    def test_without_proc_everything_says_so(self):
        def run(*words):
            return subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh", *words],
                                  capture_output=True, text=True, timeout=waiting.LIMIT_S)
        if run("true").returncode:
            self.skipTest("no namespace of mounts here")
        done = run(obhutd.DAEMON, "--data", self.data, "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("obhutd: main: /proc is not there", done.stderr)
        done = run(obhutd.obhut.BINARY, "hash", obhutd.DEMO / "rocket-640x427.jpg")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("/proc is not there", done.stderr)

    def test_other_users_cannot_command(self):
        self.start()
        path = str(self.data / "run/admin.sock")
        for directory in (self.dir, self.data, self.data / "run"):
            directory.chmod(0o777)
        os.chmod(path, 0o777)
        code = ("import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
                f"s.connect({path!r})\ns.settimeout({waiting.LIMIT_S})\n"
                "s.sendall(b'{\"do\":\"token.ls\"}\\n')\nsys.stdout.write(repr(s.recv(9999)))\n")
        done = subprocess.run([sys.executable, "-c", code], user=65534, capture_output=True,
                              text=True)
        self.assertTrue(done.stdout in ("b''", "") and "own" not in done.stdout, done)


    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_what_a_service_of_root_makes_belongs_to_whoever_owns_the_directory(self):
        self.data = self.dir / "of-a-service"
        self.data.mkdir()
        os.chown(self.data, 65534, 65534)
        service = self.start()
        self.run_obhut("list", "import", self.write("known.txt", ["0123456789abcdef" * 4]), "--name", "known")
        self.run_obhut("token", "add", "new", "--surface", "public", "--scope", "scan")
        running = list(self.data.rglob("*"))
        others = {p for p in running if (p.stat().st_uid, p.stat().st_gid) != (65534, 65534)}
        self.assertEqual(others, {self.data / "run/admin.sock"})  # commands are for who runs it
        service.stop()
        for path in self.data.rglob("*"):
            self.assertTrue(path in others or path.stat().st_uid == 65534, path)
        self.assertLessEqual({"keys/api-token", "keys/audit", "keys/pseudonym", "audit/log", "audit/key", "obhut.db",
                              "obhut.db-wal", "audit/checkpoints", "lists.state", "lock"},
                             {str(p.relative_to(self.data)) for p in running})


class Installed(obhutd.Case):
    def test_an_inherited_socket_is_used(self):
        listening = socket.create_server(("127.0.0.1", 0))
        code = ("import os,sys\nos.dup2(int(sys.argv[1]),3,inheritable=True)\n"
                "os.environ['LISTEN_PID']=str(os.getpid())\nos.environ['LISTEN_FDS']='1'\n"
                "os.execv(sys.argv[2],sys.argv[2:])\n")
        log = self.write("log", "")
        with open(log, "w") as to:
            process = subprocess.Popen(
                [sys.executable, "-c", code, str(listening.fileno()), obhutd.DAEMON, "--data",
                 str(self.data), *obhutd.listening()], pass_fds=[listening.fileno()], stderr=to)
        port = listening.getsockname()[1]
        try:
            waiting.until(lambda: "ready:" in log.read_text() or process.poll() is not None, "ready")
            self.assertIn(f"ready: services http://127.0.0.1:{port}, staff", log.read_text())
            import http.client
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=waiting.LIMIT_S)
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
        finally:
            process.terminate()
            self.assertEqual(process.wait(waiting.LIMIT_S), 0, log.read_text())
            listening.close()

    def test_no_decoder_is_linked_where_keys_are(self):
        for program in (obhutd.DAEMON, obhutd.obhut.BINARY):
            linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
            for library in ("libjpeg", "libpng", "libwebp", "libgif", "libtiff", "libheif",
                            "libexif", "libx265"):
                self.assertNotIn(library, linked)


if __name__ == "__main__":
    unittest.main()
