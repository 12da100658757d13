"""Somebody has locked a table of the records: who needs it waits, and nobody else does.

Who is kept waiting by others can only be answered when one of those is done. So while requests that need the
table are asked again and again, it is counted how many public scans are answered without any of those being
done meanwhile."""
import contextlib
import socket
import subprocess
import sys
import threading
import unittest

import obhutd

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402
import waiting  # noqa: E402

ROCKET = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
PRIVATE = "/v1/scan?surface=direct&account=a&encryption=transport&conversation=t"
ASKING = 12  # requests at the same time: more than there are desks, or threads that decode
SCANS = 20
PROFILE = {"service": "example", "country": "DE", "register": "yes", "kinds": "hosting,interpersonal",
           "surfaces": "direct,public", "bases": "public,report,consent"}


class Locked(obhutd.Case):
    @contextlib.contextmanager
    def serving(self):
        with postgres.Postgres() as server:
            self.server, url = server, server.url()
            self.database = url.split("@/")[1].split("?")[0]
            self.service = self.start(*self.configure(f'records = "{url}"\n'))
            for key, value in PROFILE.items():
                self.run_obhut("policy", "set", key, value)
            self.assertEqual(self.service.request("POST", "/v1/scan?surface=public", ROCKET)[0], 200)
            yield
            self.service.stop()

    @contextlib.contextmanager
    def locked(self, table):
        """Locked from when it is said until the end."""
        with subprocess.Popen([*postgres.as_postgres(), postgres.PROGRAMS / "psql", "-X", "-q", "-A", "-t", "-h",
                               self.server.dir, "-U", "obhut", "-d", self.database], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as session:
            session.stdin.write(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
            session.stdin.flush()
            self.assertEqual(session.stdout.readline().strip(), "locked")
            try:
                yield
            finally:
                session.stdin.close()

    def waiting(self):
        """Those whom the server keeps waiting for a lock."""
        return int(self.server.sql("SELECT count(*) FROM pg_locks WHERE NOT granted", self.database))

    def public_scans_pass(self, ask, wait_for):
        """While `ask` is asked by many again and again."""
        done, ends = [], threading.Event()

        def again_and_again():
            while not ends.is_set():
                done.append(ask())
        threads = [threading.Thread(target=again_and_again) for _ in range(ASKING)]
        for thread in threads:
            thread.start()
        try:
            waiting.until(lambda: self.waiting() >= wait_for, "they wait for the table")
            free = 0
            for _ in range(SCANS):
                before = len(done)
                self.assertEqual(self.service.request("POST", "/v1/scan?surface=public", ROCKET)[0], 200)
                self.assertEqual(self.service.request("GET", "/readyz", token=False)[0], 200)
                free += len(done) == before
            self.assertGreaterEqual(free, SCANS / 2)
        finally:
            ends.set()
            self.unlock.close()
            for thread in threads:
                thread.join()
        return done

    def keep(self, table):
        self.unlock = contextlib.ExitStack()
        self.unlock.enter_context(self.locked(table))

    def test_private_scans_that_wait_for_a_table_keep_no_public_one_waiting(self):
        with self.serving():
            self.keep("conversation")
            done = self.public_scans_pass(lambda: self.service.request("POST", PRIVATE, ROCKET)[0], 4)
            self.assertLessEqual(set(done), {200, 503})

    def test_pages_that_wait_for_a_table_keep_no_public_scan_waiting(self):
        with self.serving():
            self.keep("tally")
            done = self.public_scans_pass(
                lambda: self.service.request("GET", "/transparency", token=False, listener="public")[0], 1)
            self.assertLessEqual(set(done), {200, 503})

    def announced(self):
        """A private scan whose head was looked at, and whose body is wanted."""
        host, port = self.service.url.removeprefix("http://").rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=waiting.LIMIT_S)
        connection.sendall((f"POST {PRIVATE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.service.token}"
                            f"\r\nExpect: 100-continue\r\nContent-Length: {len(ROCKET)}\r\n\r\n").encode())
        self.assertIn(b" 100 ", connection.recv(100))
        return connection

    def test_private_files_that_wait_for_a_table_take_no_decoder_from_public_ones(self):
        with self.serving():
            token = self.run_obhut("token", "add", "app", "--surface", "direct", "--scope", "consents")[0].strip()
            self.service.json("PUT", "/v1/conversations/t/members", {"free": True, "members": [
                {"account": "a", "consents": True}, {"account": "b", "consents": True}]}, token=token)
            announced = [self.announced() for _ in range(ASKING)]
            self.keep("conversation")
            answers = []

            def hand_over():
                if not announced:
                    return None
                with announced.pop() as connection:
                    connection.sendall(ROCKET)
                    answers.append(connection.recv(12))
                return answers[-1]
            self.public_scans_pass(hand_over, 4)
            self.assertTrue(answers)


if __name__ == "__main__":
    unittest.main()
