"""The running service on a disk that is slow or full, and with a clock that is wrong."""
import concurrent.futures
import http.client
import json
import pathlib
import subprocess
import unittest

import faults
import obhutd

PICTURE = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
REPORT = {"conversation": "talk-1", "reporter": "child-7", "account": "acct-9", "items": ["i-1"],
          "reason": "unwanted"}
DAY = 86400


class Faults(obhutd.Case):
    def begin(self):
        self.faults = faults.Faults(self.dir)
        self.service = self.start(**self.faults.options)
        self.client = self.run_obhut("token", "add", "client", "--surface", "direct",
                                     "--scope", "reports")[0].split()[-1]
        return self.service

    def entries(self, what):
        found = [json.loads(line[65:]) for line in (self.data / "audit/log").read_text().splitlines()]
        return [entry for entry in found if entry["what"] == what]

    def looks(self):
        """Whether a public upload is looked at within eight seconds."""
        peer = http.client.HTTPConnection(self.service.host, self.service.port, timeout=8)
        try:
            status, _, body = self.service.request("POST", "/v1/scan?surface=public", PICTURE,
                                                   connection=peer)
        except TimeoutError:
            return False
        finally:
            peer.close()
        return status == 200 and json.loads(body)["action"] == "allow"

    reports = 0

    def report(self):
        self.reports += 1  # the same one twice would be one
        body = json.dumps(REPORT | {"reason": f"unwanted {self.reports}"})
        return self.service.request("POST", "/v1/reports", body, token=self.client)[0]

    def wait(self, check, what):
        return self.faults.until(check, what)

    # -- the disk -----------------------------------------------------------------------------------

    def test_nothing_is_looked_at_while_the_log_waits_for_its_disk(self):
        self.begin()
        self.assertTrue(self.looks())
        self.faults.set("sync:audit/log:hold")
        self.wait(lambda: not self.looks(), "no look")
        self.faults.set()
        self.wait(self.looks, "looking again")
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_a_report_is_acknowledged_when_its_entry_is_durable_and_not_before(self):
        self.begin()
        self.faults.set("sync:audit/log:hold")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.report)
            self.faults.until_waiting()
            self.assertFalse(answer.done())
            self.faults.set()
            self.assertEqual(answer.result(obhutd.obhut.LIMIT_S), 201)
        self.assertEqual(len(self.entries("report.add")), 1)

    def test_a_report_that_does_not_fit_on_the_disk_is_refused_and_taken_when_there_is_room(self):
        self.begin()
        for full in ("write:obhut.db-wal:errno=28", "write:audit/log:errno=28",
                     "sync:obhut.db-wal:errno=5", "sync:audit/log:errno=5"):
            with self.subTest(full):
                self.faults.set(full)
                self.assertEqual(self.report(), 503)
                self.faults.set()
                self.assertEqual(self.wait(lambda: self.report() == 201, "a report"), True)
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_a_service_does_not_start_on_a_disk_that_cannot_be_written(self):
        disk = faults.Faults(self.dir)
        for broken, named in (("sync:audit/:errno=5", "audit"),
                              ("write:obhut.db:errno=28", "obhut.db"),
                              ("open:keys/audit:errno=13", "keys/audit")):
            with self.subTest(broken):
                disk.set(broken, wait=False)
                done = subprocess.run([faults.PROGRAM, "--data", self.data, *obhutd.listening()],
                                      env=disk.options["environment"], capture_output=True, text=True,
                                      timeout=obhutd.obhut.LIMIT_S)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertRegex(done.stderr, f"obhutd: core: .*{named}")
        disk.set(wait=False)
        self.start(**disk.options).stop()

    # -- the clock ----------------------------------------------------------------------------------

    def test_a_day_is_over_when_the_clock_says_so(self):
        self.begin()
        self.assertTrue(self.looks())
        self.wait(lambda: self.entries("second"), "an entry of the second")
        self.assertEqual(self.entries("counts"), [])
        self.faults.set(f"clock:+{DAY + 3600}")
        self.assertTrue(self.looks())  # workers have the same clock
        day, *_ = self.wait(lambda: self.entries("counts"), "the counts of a day")
        self.assertEqual([c["count"] for c in day["counts"] if c["surface"] == "public"], [1])
        self.service.stop()
        self.run_obhut("audit", "verify")

    def test_a_clock_that_is_set_back_stops_looking(self):
        self.begin()
        self.faults.set("clock:+7200")
        self.assertTrue(self.looks())
        self.faults.set()
        status, _, body = self.service.request("GET", "/readyz", token=False)
        self.assertEqual((status, json.loads(body)["clock"]), (503, "backwards"))
        self.assertFalse(self.looks())
        self.faults.set("clock:+7260")
        self.assertTrue(self.looks())

    # -- none of it is installed --------------------------------------------------------------------

    def test_no_program_that_is_installed_knows_of_faults(self):
        for program in ("obhut", "obhutd", "obhut-worker"):
            content = pathlib.Path(obhutd.DAEMON).with_name(program).read_bytes()
            self.assertNotIn(b"OBHUT_TEST", content, program)
        self.assertIn(b"OBHUT_TEST_FILES_FROM", pathlib.Path(faults.PROGRAM).read_bytes())


if __name__ == "__main__":
    unittest.main()
