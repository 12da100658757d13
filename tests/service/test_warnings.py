"""A service that protects nobody says so, everywhere; and one that is tried out does not go on answering."""
import unittest

import faults
import obhutd
import waiting

COFFEE = obhutd.DEMO / "coffee-2400x1600.jpg"
ROCKET = obhutd.DEMO / "rocket-640x427.jpg"
DAY = 86400
CODES = ("NO_LIST", "LISTS_OFF", "LIST_STALE", "LIST_UNKNOWN", "NO_REGISTER", "NO_REVIEWER")


class Warnings(obhutd.Case):
    def told(self, service):
        """The codes, and what is said of them; None while places do not agree: some are a second old."""
        metrics = service.metrics()  # first: it asks the records
        ready = service.json("GET", "/readyz", token=False)
        codes = {one["code"] for one in ready["warnings"]}
        self.assertTrue(ready["ready"])
        if {code for code in CODES if metrics[f'warning{{code="{code}"}}']} != codes:
            return None, None
        pages = [service.request("GET", f"/transparency?lang={lang}", token=False, listener="public")[2].decode() for lang in ("en", "de")]
        for page in pages:
            said = page.partition('<ul class="warn">')[2].partition("</ul>")[0]
            if said.count("<li>") != len(codes):
                return None, None
        self.assertNotEqual(pages[0], pages[1])
        return codes, ready["warnings"]

    def started(self, service):
        return [line for line in service.log if any(word in line for word in (
            "nothing can be found", "renew-days", "has a section", "no register", "no person is"))]

    def test_a_service_without_any_list_says_so_and_then_does_not(self):
        service = self.start()
        self.assertEqual(self.told(service)[0], {"NO_LIST", "NO_REVIEWER"})
        self.assertEqual(len(self.started(service)), 2, service.log)
        self.assertEqual(service.metrics()["lists"], 0)
        page = service.request("GET", "/transparency", token=False, listener="public")[2].decode()
        self.assertIn("nothing can be found", page)
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE)]))
        self.run_obhut("person", "add", "ada", "--role", "reviewer")
        waiting.until(lambda: self.told(service)[0] == set(), "nothing is left to be told")
        self.run_obhut("list", "disable", "known")
        waiting.until(lambda: self.told(service)[0] == {"LISTS_OFF"}, "all are off")

    def test_sections_old_lists_and_registers_are_told(self):
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE)]))
        self.run_obhut("policy", "set", "surfaces", "public,direct")
        sections = 'list "hotlin" {\n  action = "block"\n}\nlist "known" {\n  renew-days = 7\n}\n'
        service = self.start(*self.configure('action-one-source = "block"\n' + sections))
        codes, warnings = self.told(service)
        self.assertEqual(codes, {"LIST_UNKNOWN", "NO_REGISTER", "NO_REVIEWER"})
        self.assertIn('"hotlin"', str(warnings))
        self.assertEqual(len(self.started(service)), 3, service.log)
        service.stop()
        self.run_obhut("policy", "set", "register", "yes")
        self.run_obhut("person", "add", "ada", "--role", "lead")
        service = self.start(*self.configure('action-one-source = "block"\nlist "known" {\n  renew-days = 7\n}\n'))
        self.assertEqual(self.told(service)[0], set())
        self.assertEqual(self.started(service), [])

    def renewed_weekly(self):
        """Options of a service whose clock can be moved and whose list has a publisher's period, and the clock."""
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE)]))
        self.run_obhut("person", "add", "ada", "--role", "reviewer")
        clock = faults.Faults(self.dir)
        return self.configure('list "known" {\n  renew-days = 7\n}\n'), clock

    def test_a_list_that_grows_older_than_its_publishers_period_is_told_until_it_is_renewed(self):
        config, clock = self.renewed_weekly()
        service = self.start(*config, **clock.options)
        self.assertEqual(self.told(service)[0], set())
        clock.set(f"clock:+{7 * DAY}")  # seven days are not more than seven
        waiting.until(lambda: self.told(service)[0] == set(), "seven days are told of")
        clock.set(f"clock:+{9 * DAY}")
        waiting.until(lambda: self.told(service)[0] == {"LIST_STALE"}, "the list is told to be old")
        _, warnings = self.told(service)
        self.assertIn('the list "known" was imported or updated 9 days ago; renew-days says 7', str(warnings))
        page = service.request("GET", "/transparency", token=False, listener="public")[2].decode()
        self.assertIn("A list of known material is older than it should be.", page)
        self.assertEqual(service.scan(COFFEE.read_bytes())["action"], "review")  # it is searched all the same
        self.run_obhut("list", "update", "known", self.write("known.jsonl", [self.list_of(COFFEE)]))
        waiting.until(lambda: self.told(service)[0] == set(), "the renewed list is told to be old no more")
        self.assertIn("last updated (0 days ago)", self.run_obhut("status")[0])
        service.stop()
        service = self.start(*config, **clock.options)  # what was known then is known after a start
        self.assertEqual(self.told(service)[0], set())
        clock.set(f"clock:+{20 * DAY}")
        waiting.until(lambda: self.told(service)[0] == {"LIST_STALE"}, "it grows old again")

    def test_a_list_that_is_too_old_is_told_at_the_start(self):
        config, clock = self.renewed_weekly()
        clock.set(f"clock:+{30 * DAY}", wait=False)
        service = self.start(*config, **clock.options)
        self.assertEqual(len(self.started(service)), 1, service.log)
        self.assertIn('the list "known" was imported or updated 30 days ago; renew-days says 7', self.started(service)[0])
        self.assertEqual(self.told(service)[0], {"LIST_STALE"})

    def test_where_no_match_waits_for_a_person_nobody_need_review(self):
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE)]))
        service = self.start(*self.configure('action-one-source = "block"\n'))
        self.assertEqual(self.told(service)[0], set())

    def test_days_are_checked(self):
        for days, code in (("0", 0), ("3650", 0), ("-1", 3), ("3651", 3), ("x", 3)):
            done = obhutd.subprocess.run([obhutd.DAEMON, "--check-config", "--config", self.write(
                "c.conf", f'list "a" {{\n  renew-days = {days}\n}}\n')], capture_output=True, check=False)
            self.assertEqual(done.returncode, code, done.stderr)


class Tries(obhutd.Case):
    def test_an_account_is_told_of_so_many_matches_in_a_day(self):
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE)]))
        service = self.start(*self.configure("tries-day = 3\n"))
        listed, other = COFFEE.read_bytes(), ROCKET.read_bytes()
        anna = {"account": "anna"}
        for _ in range(5):  # what does not match is no try, and whoever has no account has no limit
            self.assertEqual(service.scan(other, item=anna)["action"], "allow")
            self.assertEqual(service.scan(listed)["action"], "review")
        for _ in range(3):
            self.assertEqual(service.scan(listed, item=anna)["action"], "review")
        for content in (listed, other):
            got = service.scan(content, item=anna, status=429)
            self.assertEqual(got["code"], "TRIES")
        status, headers, _ = service.request("POST", "/v1/scan?surface=public&account=anna", other)
        self.assertEqual(status, 429)
        self.assertTrue(0 < int(headers["Retry-After"]) <= 86400)
        self.assertEqual(service.scan(listed, item={"account": "bea"})["action"], "review")
        self.assertEqual(service.metrics()["tries_refused_total"], 3)
        service.json("POST", "/v1/hash?surface=public&account=anna", other)

    def test_no_limit_is_none(self):
        self.run_obhut("list", "import", self.write("known.jsonl", [self.list_of(COFFEE)]))
        service = self.start(*self.configure("tries-day = 0\n"))
        for _ in range(60):
            self.assertEqual(service.scan(COFFEE.read_bytes(), item={"account": "anna"})["action"], "review")


if __name__ == "__main__":
    unittest.main()
