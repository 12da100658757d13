"""What an operator sees at a glance, and that it is so."""
import json
import subprocess
import unittest

import obhutd

PICTURE = obhutd.DEMO / "rocket-640x427.jpg"


class Status(obhutd.Case):
    def status(self):
        answer, = self.json_lines("status", "--json")
        return answer

    def words(self):
        return self.run_obhut("status")[0]

    def test_it_says_that_there_is_nothing_before_there_is_something(self):
        words = self.words()
        for part in ("NO SERVICE RUNS HERE", "NO LIST IS ENABLED: nothing can be found", "nobody yet",
                     "no reviewer is known", "Last backup             NEVER",
                     "Last checkpoint given   NEVER", "public: uploads that everybody may see"):
            self.assertIn(part, words)
        self.assertEqual(self.status()["lists"], [])

    def test_it_says_what_there_is_with_and_without_a_service(self):
        service = self.start(*self.configure('action-one-source = "hold"\n'
                                             'list "own" {\n  action = "warn"\n}\n'))
        self.run_obhut("list", "import", self.write("a.jsonl", [self.list_of(PICTURE)]), "--name",
                       "hotline", "--source", "Hotline, 2026-11")
        self.run_obhut("list", "import", self.write("b.jsonl", [self.list_of(PICTURE)]), "--name", "own")
        self.run_obhut("list", "disable", "own")
        self.run_obhut("token", "add", "forum", "--surface", "public", "--scope", "scan")
        self.run_obhut("gateway", "add", "pict-rs", "--surface", "public", "--fail", "open")
        self.run_obhut("gateway", "add", "pict-rs", "--surface", "direct", "--name", "private")
        self.run_obhut("person", "add", "ada", "--role", "lead")
        words = self.words()
        for part in ("the service runs", '1 entry, from "Hotline, 2026-11", imported 20',
                     "(0 days ago)", "OFF, 1 entry, no source given",
                     "listed by one source: hold; by two or more: block",
                     'in list "own" at least: warn', "damaged or unknown files: refused; where Obhut cannot look now: LET THROUGH",
                     "on direct nobody may look without a basis: LETS such files THROUGH",
                     "by one source: refused; by two: refused", "ada (lead)",
                     "token forum: scan on public"):
            self.assertIn(part, words)
        self.assertNotIn("NO LIST", words)
        service.stop()
        status = self.status()
        self.assertEqual((status["running"], [x["list"] for x in status["lists"]],
                          status["gateways"][0]["fail"]), (False, ["hotline", "own"], "open"))

    def test_backups_and_checkpoints_that_were_given_away_are_remembered(self):
        self.start()
        key = self.run_obhut("backup", "key", "--out", self.dir / "secret")[0].strip()
        self.assertIsNone(self.status()["last_backup"])
        self.run_obhut("backup", "make", "--to", self.dir / "no/such", "--key", key, code=3)
        self.assertIsNone(self.status()["last_backup"])
        self.run_obhut("backup", "make", "--to", self.dir / "one.obb", "--key", key)
        note = self.run_obhut("audit", "checkpoint")[0]
        status = self.status()
        for member in ("last_backup", "last_checkpoint_given"):
            self.assertRegex(status[member], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        entry = self.json_lines("audit", "show", "--what", "checkpoint.given", "--json")[0]
        self.assertEqual(entry["entries"], int(note.splitlines()[1]))
        # of a copy, only reading is asked
        self.run_obhut("audit", "checkpoint", self.data / "audit")
        self.assertEqual(len(self.json_lines("audit", "show", "--what", "checkpoint.given", "--json")), 1)


class Policy(obhutd.Case):
    def setUp(self):
        super().setUp()
        self.service = self.start()
        self.token = self.run_obhut(
            "token", "add", "all", *(w for s in ("public", "direct", "group", "storage") for w in ("--surface", s)),
            *(w for s in ("scan", "reports", "consents") for w in ("--scope", s)))[0].strip()

    def rows(self):
        policy, = self.json_lines("policy", "show", "--json")
        return {(row["surface"], row["basis"]): row for row in policy["open"]}

    def ask(self, surface, item, more):
        fields = "" if surface == "public" else "&account=mallory&encryption=transport"
        if surface in ("direct", "group"):
            fields += "&conversation=7"
        return self.service.json("POST", f"/v1/scan?surface={surface}&item={item}{fields}{more}",
                                 PICTURE.read_bytes(), token=self.token)["action"]

    def test_what_it_says_would_open_something_opens_it_and_nothing_less_does(self):
        report = self.service.json("POST", "/v1/reports", {
            "conversation": "7", "reporter": "anna", "account": "mallory", "items": ["m"],
            "reason": "x"}, status=(200, 201), token=self.token)["report"]
        notice = self.service.json("POST", "/v1/notices", {"items": ["s"], "reason": "x"},
                                   status=(200, 201), token=self.token)["notice"]
        asked = {("public", "public"): ("p", ""),
                 ("direct", "report"): ("m", f"&locus=disclosed&report={report}"),
                 ("group", "report"): ("m", f"&locus=disclosed&report={report}"),
                 ("direct", "consent"): ("c", ""), ("group", "consent"): ("c", ""),
                 ("storage", "notice"): ("s", f"&notice={notice}"),
                 ("public", "notice"): ("s", f"&notice={notice}")}
        for (surface, basis), (item, more) in asked.items():
            for before in reversed(self.rows()[surface, basis]["set"]):
                if basis != "notice" or surface != "public":  # which is open to all as it is
                    self.assertEqual(self.ask(surface, item, more), "not_scanned", (surface, basis, before))
                self.run_obhut("policy", "set", *before.split(" ", 1))
            if basis == "consent":
                self.service.request("PUT", "/v1/conversations/7/members", json.dumps({
                    "free": True, "members": [{"account": "mallory", "consents": True}]}).encode(),
                    token=self.token)
            self.assertTrue(self.rows()[surface, basis]["open"], (surface, basis))
            self.assertEqual(self.ask(surface, item, more), "allow", (surface, basis))

    def test_it_is_said_in_words(self):
        out, _ = self.run_obhut("policy", "show")
        self.assertIn("public: uploads that everybody may see: open\n", out)
        self.assertIn("direct: a message that a participant disclosed: closed; needs the participant's report\n"
                      "      to open it, set country DE; kinds interpersonal,hosting; register yes; "
                      "surfaces direct,public\n", out)
        self.assertNotIn("{", out)

    def test_a_country_whose_law_is_not_built_in_opens_no_messages(self):
        self.run_obhut("policy", "set", "country", "BR")
        self.assertIn("country DE", self.rows()["direct", "report"]["set"])
        self.run_obhut("policy", "set", "country", "FR")
        self.assertNotIn("country DE", self.rows()["direct", "report"]["set"])


if __name__ == "__main__":
    unittest.main()
