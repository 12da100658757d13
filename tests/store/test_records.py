"""The records on PostgreSQL: the unit tests of store, a server that goes and comes back, and faults on
purpose on both databases."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import postgres  # noqa: E402
import waiting  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = os.environ.get("OBHUT_BUILD", "release")
PROGRAMS = ROOT / "build" / BUILD / "tests"
OB_EIO, OB_EBUSY, OB_EREFUSED = -5, -7, -8


class Worker:
    """tests/store/worker.c: `said` has its lines, as lists of words."""

    def __init__(self, directory, url, *arguments):
        self.process = subprocess.Popen([PROGRAMS / "store-worker", directory, url, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.said.append(line.split(" ", 3))
                self.news.notify_all()
        with self.news:
            self.said.append(["over"])
            self.news.notify_all()

    def wait_for(self, kind, since=0):
        """The first line of this kind behind `since`."""
        with self.news:
            if not self.news.wait_for(lambda: any(s[0].strip() == kind for s in self.said[since:]),
                                      waiting.LIMIT_S):
                raise AssertionError(f"no {kind}: {self.said[-5:]}")
            return next(s for s in self.said[since:] if s[0].strip() == kind)

    def end(self):
        self.process.stdin.close()
        self.process.wait(waiting.LIMIT_S)
        self.reader.join()
        self.process.stdout.close()

    def numbers(self, kind):
        return {int(s[1]) for s in self.said if s[0] == kind}


class Records(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Postgres()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="obhut-store-")
        self.addCleanup(held.cleanup)
        self.dir = held.name

    def run_program(self, name, **more):
        done = subprocess.run([PROGRAMS / name], env=dict(os.environ, **more), cwd=ROOT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=5 * waiting.LIMIT_S)
        self.assertEqual(done.returncode, 0, done.stdout[-5000:])
        self.assertRegex(done.stdout, r"(?m)^\s*ok |PASSED")
        self.assertNotRegex(done.stdout, r"(?m)^\s*not ok |SKIP")
        return done.stdout

    # ---- The same promises

    @unittest.skipIf(BUILD == "tsan", "one thread")
    def test_every_record_is_kept_as_in_sqlite(self):
        self.run_program("store_records", OBHUT_TEST_URL=self.server.url())

    def test_what_is_written_together_is_kept_together(self):
        self.run_program("store_writing", OBHUT_TEST_URL=self.server.url())

    def test_threads_that_read_beside_one_that_writes(self):
        self.run_program("store_readers", OBHUT_TEST_URL=self.server.url())

    @unittest.skipIf(BUILD == "tsan", "one thread")
    def test_views_and_parts_of_writings(self):
        some = int(os.environ.get("OBHUT_INTERLEAVINGS", 3000)) // 10  # it is slower
        self.run_program("store_views", OBHUT_TEST_URL=self.server.url(), OBHUT_INTERLEAVINGS=str(some))
        self.run_program("store_parts", OBHUT_TEST_URL=self.server.url())

    @unittest.skipIf(BUILD == "tsan", "one thread")
    def test_periods_and_what_the_log_needs(self):
        self.run_program("store_keep", OBHUT_TEST_URL=self.server.url())

    @unittest.skipIf(BUILD == "tsan", "one thread")
    def test_versions_and_opening(self):
        self.run_program("store_schema", OBHUT_TEST_URL=self.server.url())

    @unittest.skipIf(BUILD == "tsan", "one thread")
    def test_dumps(self):
        self.run_program("store_dump", OBHUT_TEST_URL=self.server.url())

    # ---- A server that goes

    def work_through(self, take_away, give_back):
        url = self.server.url()
        database = re.search(r"@/(\w+)", url).group(1)
        directory = pathlib.Path(self.dir, database)
        directory.mkdir()
        worker = Worker(directory, url)
        self.addCleanup(worker.process.kill)
        worker.wait_for("kept")
        since = len(worker.said)
        take_away()
        try:
            worker.wait_for("failed", since)
        finally:
            give_back()
        since = len(worker.said)
        worker.wait_for("kept", since)
        worker.end()
        self.assertEqual(worker.process.returncode, 0)
        lost = [s for s in worker.said if s[0] in ("failed", "unknown")]
        for line in lost:
            self.assertEqual(int(line[2]), OB_EIO, line)
            self.assertGreater(len(line[3]), 20)
        kinds = [{int(n) for n in self.server.sql(f"SELECT substr(name, 5) FROM {t}", database).split()}
                 for t in ("token", "gateway")]
        self.assertEqual(*kinds)  # nothing half done
        self.assertLessEqual(worker.numbers("kept"), kinds[0])
        self.assertFalse(worker.numbers("failed") & kinds[0])
        return lost

    def test_a_server_that_was_stopped_and_started_is_used_again(self):
        self.work_through(self.server.stop, self.server.start)

    def test_a_server_that_crashed_loses_nothing_that_was_acknowledged(self):
        for _ in range(2):
            self.work_through(lambda: self.server.stop(signal.SIGQUIT), self.server.start)

    def test_a_connection_that_is_cut_again_and_again(self):
        def cut():
            for _ in range(20):
                self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                " WHERE application_name = 'obhut'", "postgres")
                time.sleep(0.03)
        self.work_through(cut, lambda: None)

    @unittest.skipIf(BUILD != "release", "it takes long")
    def test_a_server_that_stands_still_is_given_up(self):
        lost = self.work_through(lambda: self.server.pause(True), lambda: self.server.pause(False))
        self.assertIn("does not answer", lost[0][3])

    def test_tables_of_another_version_are_left_alone_after_a_new_connection(self):
        url = self.server.url()
        database = re.search(r"@/(\w+)", url).group(1)
        worker = Worker(self.dir, url)
        self.addCleanup(worker.process.kill)
        worker.wait_for("kept")
        since = len(worker.said)
        self.server.sql("UPDATE obhut_version SET version = 1000; SELECT pg_terminate_backend(pid)"
                        " FROM pg_stat_activity WHERE application_name = 'obhut'", database)
        worker.wait_for("failed", since)
        before = self.server.sql("SELECT count(*) FROM token", database)
        since = len(worker.said)
        for _ in range(3):
            said = worker.wait_for("failed", since)
            self.assertEqual(int(said[2]), OB_EREFUSED, said)
            self.assertIn("newer version", said[3])
            since = len(worker.said)
        self.assertEqual(self.server.sql("SELECT count(*) FROM token", database), before)
        worker.end()

    # ---- One Obhut a database

    def test_another_process_is_refused_until_the_first_has_gone(self):
        url = self.server.url()
        first = Worker(self.dir, url)
        self.addCleanup(first.process.kill)
        first.wait_for("kept")
        with tempfile.TemporaryDirectory() as other:
            second = Worker(other, url, "open")
            said = second.wait_for("failed")
            self.assertEqual(int(said[2]), OB_EBUSY)
            self.assertIn("in use by another Obhut", said[3])
            self.assertEqual(os.listdir(other), [])
            second.end()
            first.process.kill()  # a lock that nobody gives back
            first.process.wait()
            first.end()
            third = Worker(other, url, "open")
            third.wait_for("ready")
            third.end()

    # ---- Faults

    def walk(self, **more):
        if BUILD == "release":  # sanitizers have an allocator of their own
            more["LD_PRELOAD"] = str(PROGRAMS / "fault-preload.so")
        return self.run_program("store-faults", **more)

    def test_every_allocation_and_call_of_a_file_may_fail_in_sqlite(self):
        self.walk()

    @unittest.skipIf(BUILD != "release", "sanitizers have an allocator of their own")
    def test_allocations_and_packets_may_fail_in_postgresql(self):
        faults = int(os.environ.get("OBHUT_FAULTS", 1000)) // 20  # it is slower
        self.walk(OBHUT_TEST_URL=self.server.url(), OBHUT_FAULTS=str(faults))


if __name__ == "__main__":
    unittest.main()
