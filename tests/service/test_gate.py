"""The gate over HTTP: situations and their answers, laws."""
import contextlib
import hashlib
import html.parser
import json
import pathlib
import sqlite3
import subprocess
import sys
import time
import unittest

import obhutd
import waiting

sys.path.insert(0, str(obhutd.ROOT / "tests/gate"))
import vectors  # noqa: E402

EXAMPLE = json.loads((obhutd.ROOT / "examples/all-direct-messages.json").read_text())


class Explain(obhutd.Case):
    def test_every_situation_gets_its_answer(self):
        service = self.start()
        pairs = vectors.situations()
        for vector, situation in pairs:
            answer = service.json("POST", "/v1/gate/explain", situation)
            self.assertEqual(vectors.differences(vector, answer), [])
        answers = service.json("POST", "/v1/gate/explain", [s for _, s in pairs])["answers"]
        for (vector, _), answer in zip(pairs, answers):
            self.assertEqual(vectors.differences(vector, answer), [])

    def test_options_and_what_is_wrong(self):
        service = self.start()
        explain = "/v1/gate/explain"
        answer = service.json("POST", explain + "?what_if=true", EXAMPLE)
        self.assertEqual(answer["what_if"]["us-2258a"]["law"], {"decision": "allow"})
        answer = service.json("POST", explain + "?at=2028-04-03T20:00:00Z", EXAMPLE)
        self.assertEqual(answer["law"]["reason"], "REGIME_EXPIRED")
        for path, body in ((explain, b"{"), (explain, b""), (explain + "?at=now", b"{}"),
                           (explain, b"7"), (explain + "?what_if=1", b"{}"), (explain + "?permit=1", b"{}"),
                           (explain, json.dumps([{}] * 1001).encode())):
            service.json("POST", path, body, status=400)
        service.json("POST", explain, b'"' + b"x" * (2 << 20) + b'"', status=413)
        answers = service.json("POST", explain, b"[7]")["answers"]
        self.assertEqual(answers[0]["reason"], "INPUT_INCOMPLETE")
        service.json("POST", explain, EXAMPLE, status=401, token=False)
        regimes = service.json("GET", "/v1/gate/regimes")
        self.assertGreaterEqual(len(regimes["regimes"]), 9)


COFFEE = (obhutd.DEMO / "coffee-2400x1600.jpg").read_bytes()
SAFEGUARDS = ["impact_assessment", "prior_consultation", "internal_procedures", "human_reviewers",
              "redress_channel", "user_information_published", "error_measurement", "retention_rule"]
FICTION = pathlib.Path(obhutd.DAEMON).parent / "tests"


class Service(obhutd.Case):
    def set_up_service(self, country="DE", **options):
        """A service with everything switched on that can be, two persons, and a token for records."""
        service = self.start(**options)
        self.write("known.jsonl", [self.list_of(obhutd.DEMO / "coffee-2400x1600.jpg", id="1")])
        self.run_obhut("list", "import", self.dir / "known.jsonl")
        for key, value in (("service", "example"), ("country", country), ("register", "yes"),
                           ("kinds", "hosting,interpersonal"),
                           ("surfaces", "direct,group,public,storage"),
                           ("bases", "public,report,notice,consent,order,voluntary")):
            self.run_obhut("policy", "set", key, value)
        self.ada = self.run_obhut("person", "add", "ada", "--role", "lead")[0].strip()
        self.bea = self.run_obhut("person", "add", "bea", "--role", "lead,reviewer")[0].strip()
        self.told = self.run_obhut("token", "add", "told", "--surface", "direct", "--scope",
                                   "reports", "--scope", "consents")[0].strip()
        return service

    def scanned(self, service, surface="direct", **item):
        """"ALLOWED", or why nobody looked, or could now."""
        got = service.scan(COFFEE, surface, item, status=(200, 503))
        if got["action"] in ("not_scanned", "could_not"):
            self.assertNotIn("matches", got)
            self.assertEqual(got["action"] == "could_not", got.get("status") == 503)
            return got["reason"]
        self.assertEqual(got["total"], 1)
        return "ALLOWED"

    def members(self, service, *consents, talk="talk-1", **more):
        body = {"members": [{"account": f"acct-{n + 1}", "consents": c}
                            for n, c in enumerate(consents)], "free": True, **more}
        service.json("PUT", f"/v1/conversations/{talk}/members", body, token=self.told)

    def agree(self, number, *persons, reason="seen"):
        for person in persons:
            self.run_obhut("proposal", "approve", number, "--reason", reason, person=person)

    def propose(self, *words, person=None):
        return str(self.json_lines(*words, "--json", person=person)[0]["proposal"])


class Records(Service):
    """What a service tells and what persons do, and what the next item is answered."""

    # ---- consents

    def test_consent_counts_while_all_have_given_it(self):
        service = self.set_up_service()
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        self.members(service, True, True)
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.assertEqual(self.scanned(service, conversation="talk-2"), "FLOOR_SUSPICIONLESS")
        self.assertEqual(self.scanned(service, account="acct-3"), "CONSENT_INCOMPLETE")  # nobody asked them
        self.assertEqual(self.scanned(service, encryption="e2ee"), "FLOOR_E2EE_SERVER")
        self.members(service, True, False)
        self.assertEqual(self.scanned(service), "CONSENT_INCOMPLETE")
        self.members(service, True, True, True)
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.members(service, True, True, free=False)
        self.assertEqual(self.scanned(service), "CONSENT_INCOMPLETE")
        self.members(service, True, True)
        got = service.json("DELETE", "/v1/accounts/acct-2/consents", token=self.told)
        self.assertEqual(got, {"conversations": 1})
        self.assertEqual(self.scanned(service), "CONSENT_INCOMPLETE")
        self.members(service, True, True, protected="yes")
        self.assertEqual(self.scanned(service), "PROFESSIONAL_SECRECY")
        self.members(service, True, True)
        self.run_obhut("consent", "withdraw", "--account", "acct-1")
        self.assertEqual(self.scanned(service), "CONSENT_INCOMPLETE")
        self.members(service, True, True)
        service.json("DELETE", "/v1/conversations/talk-1/members", token=self.told)
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        service.json("DELETE", "/v1/conversations/talk-1/members", token=self.told, status=404)

    def test_what_is_wrong_with_records_is_said(self):
        service = self.set_up_service()
        path = "/v1/conversations/talk-1/members"
        for body in (b"", b"{", b"[]", {}, {"members": "all"}, {"members": [{}]},
                     {"members": [{"account": ""}]}, {"members": [{"account": "a" * 257}]},
                     {"members": [{"account": "-", "consents": True}]},
                     {"members": [{"account": "a", "consents": "yes"}]},
                     {"members": [], "free": 1}, {"members": [], "protected": "perhaps"},
                     {"members": [], "basis": "consent"},
                     {"members": [{"account": str(n)} for n in range(10001)]}):
            service.json("PUT", path, body, status=400, token=self.told)
        for body in ({}, {"items": []}, {"items": [7], "reason": "r"}, {"items": ["a"]},
                     {"items": ["a"], "reason": ""}, {"items": ["a"], "reason": "r" * 2001},
                     {"items": ["a"], "reason": "r", "regime": "x"}):
            service.json("POST", "/v1/notices", body, status=400, token=self.told)
            service.json("POST", "/v1/reports", body, status=400, token=self.told)
        service.json("PUT", path, {"members": []}, status=403)
        service.json("PUT", path, {"members": []}, status=401, token=False)
        service.json("POST", "/v1/reports", {}, status=403)
        service.json("PUT", "/v1/conversations//members", {"members": []}, status=404,
                     token=self.told)
        service.json("PUT", "/v1/conversations/" + "a" * 300 + "/members", {"members": []},
                     status=400, token=self.told)
        service.json("PUT", "/v1/conversations/-/members", {"members": []}, token=self.told)
        service.json("GET", path, status=405, token=self.told)

    # ---- reports and notices

    def test_a_report_opens_what_was_disclosed_and_no_more(self):
        service = self.set_up_service()
        report = {"conversation": "talk-1", "reporter": "acct-2", "account": "acct-1",
                  "items": ["m-1", "m-2"], "reason": "they sent this to me"}
        number = service.json("POST", "/v1/reports", report, status=201, token=self.told)["report"]
        item = {"report": number, "locus": "disclosed", "encryption": "e2ee"}
        self.assertEqual(self.scanned(service, item="m-1", **item), "ALLOWED")
        self.assertEqual(self.scanned(service, item="m-2", **item), "ALLOWED")
        self.assertEqual(self.scanned(service, item="m-3", **item), "REPORT_SCOPE")
        self.assertEqual(self.scanned(service, item="m-1", **item | {"report": number + 1}),
                         "REPORT_SCOPE")
        self.assertEqual(self.scanned(service, item="m-1", **item | {"locus": "server"}),
                         "FLOOR_E2EE_SERVER")
        self.run_obhut("report", "remove", str(number))
        self.assertEqual(self.scanned(service, item="m-1", **item), "REPORT_SCOPE")

    def test_a_notice_opens_the_exact_item(self):
        service = self.set_up_service()
        notice = {"items": ["f-1"], "reason": "public link on a forum"}
        number = service.json("POST", "/v1/notices", notice, status=201, token=self.told)["notice"]
        self.assertEqual(self.scanned(service, "storage", item="f-1"), "NO_BASIS")
        self.assertEqual(self.scanned(service, "storage", item="f-1", notice=number), "ALLOWED")
        self.assertEqual(self.scanned(service, "storage", item="f-2", notice=number),
                         "REPORT_SCOPE")
        self.assertEqual(len(self.json_lines("report", "ls", "--notices", "--json")[0]["notices"]), 1)

    # ---- causes

    def record_safeguards(self):
        document = self.write("dpia.pdf", "an assessment")
        for name in SAFEGUARDS:
            self.run_obhut("safeguard", "record", name, "--regime", "eu-2026-1881", "--document",
                           document, person=self.ada)

    def test_a_cause_needs_a_verdict_and_two_persons(self):
        service = self.set_up_service()
        self.record_safeguards()
        number = self.propose("verdict", "add", "--account", "acct-1", "--reason", "r")
        self.run_obhut("proposal", "approve", number, code=3)  # the operator is nobody
        self.run_obhut("proposal", "approve", number, person="no such token", code=3)
        self.agree(number, self.ada)  # it becomes hers
        self.run_obhut("proposal", "approve", number, "--reason", "r", person=self.ada, code=3)
        self.run_obhut("proposal", "approve", number, person=self.bea, code=3)  # why?
        self.assertEqual(self.json_lines("verdict", "ls", "--json")[0]["verdicts"], [])
        self.agree(number, self.bea)
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        for words in (["--account", "acct-2", "--verdict", "1"], ["--account", "acct-1"],
                      ["--account", "acct-1", "--verdict", "2"],
                      ["--account", "acct-1", "--verdict", "1", "--days", "31"],
                      ["--account", "-", "--verdict", "1"]):
            self.run_obhut("cause", "add", *words, "--reason", "r", person=self.ada, code=3)
        number = self.propose("cause", "add", "--account", "acct-1", "--verdict", "1", "--reason",
                              "r", "--days", "14", person=self.ada)
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        self.agree(number, self.bea, reason="the item was what the verdict says")
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.assertEqual(self.scanned(service, "group"), "ALLOWED")
        self.assertEqual(self.scanned(service, account="acct-2"), "FLOOR_SUSPICIONLESS")
        self.assertEqual(self.scanned(service, "storage"), "NO_BASIS")
        self.assertEqual(self.scanned(service, encryption="e2ee_planned"), "FLOOR_E2EE_SERVER")
        number = self.propose("cause", "add", "--account", "acct-1", "--verdict", "1", "--reason",
                              "more", person=self.bea)
        self.run_obhut("proposal", "approve", number, "--reason", "r", person=self.ada, code=3)
        cause, = self.json_lines("cause", "ls", "--json")[0]["causes"]
        self.assertEqual((cause["confirmed_by"], cause["state"]), ("bea", "holds"))
        self.run_obhut("verdict", "overturn", "1", code=3)
        self.run_obhut("verdict", "overturn", "1", person=self.ada)
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        cause, = self.json_lines("cause", "ls", "--json")[0]["causes"]
        self.assertTrue(cause["account_must_be_told"])
        self.run_obhut("cause", "told", "1")
        self.assertNotIn(b"acct-1", (self.data / "obhut.db").read_bytes() +
                         (self.data / "obhut.db-wal").read_bytes())

    def test_a_report_alone_is_no_cause(self):
        service = self.set_up_service()
        self.record_safeguards()
        report = {"conversation": "talk-1", "reporter": "acct-2", "account": "acct-1",
                  "items": ["m-1"], "reason": "r"}
        service.json("POST", "/v1/reports", report, status=201, token=self.told)
        words = ["cause", "add", "--account", "acct-1", "--report", "1", "--reason", "r"]
        self.assertIn("alone", self.run_obhut(*words, person=self.ada, code=3)[1])
        self.run_obhut("report", "confirm", "1", code=3)
        self.run_obhut("report", "confirm", "1", person=self.bea)
        self.agree(self.propose(*words, person=self.ada), self.bea)
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.run_obhut("cause", "end", "1")
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")

    def test_safeguards_are_demanded(self):
        service = self.set_up_service()
        self.agree(self.propose("verdict", "add", "--account", "acct-1", "--reason", "r",
                                person=self.ada), self.bea)
        self.agree(self.propose("cause", "add", "--account", "acct-1", "--verdict", "1", "--reason",
                                "r", person=self.ada), self.bea)
        self.assertEqual(self.scanned(service), "EVIDENCE_OTHER_REGIME")
        self.record_safeguards()
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.run_obhut("safeguard", "remove", "redress_channel", "--regime", "eu-2026-1881")
        self.assertEqual(self.scanned(service), "SAFEGUARD_MISSING")
        self.record_safeguards()
        self.run_obhut("policy", "set", "country", "FR")  # what it is about has changed since
        second = int(time.time())  # records know seconds
        waiting.until(lambda: time.time() > second + 1, "the next second")
        self.run_obhut("policy", "set", "country", "DE")
        self.assertEqual(self.scanned(service), "SAFEGUARD_OUTDATED")
        document = self.write("x", "x")
        self.run_obhut("safeguard", "record", "impact_assessment", "--regime", "eu-2026-1881",
                       "--document", document, code=3)  # not by the operator
        self.run_obhut("safeguard", "record", "impact_assessment", "--regime", "no-law",
                       "--document", document, person=self.ada, code=3)
        self.run_obhut("safeguard", "record", "good_will", "--regime", "eu-2026-1881",
                       "--document", document, person=self.ada, code=3)

    # ---- policy

    def test_policy_opens_nothing_that_the_floor_closes(self):
        service = self.set_up_service()
        for surface in ("direct", "group", "storage"):
            for encryption in ("none", "transport", "e2ee", "e2ee_planned", "e2ee_past"):
                self.assertNotEqual(self.scanned(service, surface, encryption=encryption),
                                    "ALLOWED")
        for key, value in (("surfaces", "everything"), ("bases", "none,order"), ("country", "de"),
                           ("country", "DEU"), ("regime", "eu-csar-council2025"),
                           ("regime", "uk-osa"), ("regime", "my-law"), ("detectors", "other"),
                           ("kinds", "spy"), ("floor", "off"), ("register", "maybe")):
            self.run_obhut("policy", "set", key, value, code=3)
        self.run_obhut("policy", "set", "surfaces", "none")
        self.assertEqual(self.scanned(service, "public"), "POLICY")
        self.run_obhut("policy", "set", "surfaces", "public")
        self.assertEqual(self.scanned(service, "public"), "ALLOWED")
        self.run_obhut("policy", "set", "country", "US")
        self.assertEqual(self.scanned(service, "public"), "ALLOWED")
        self.run_obhut("detector", "suspend", "pdq", "--reason", "wrong too often")
        self.assertEqual(self.scanned(service, "public"), "DETECTOR_SUSPENDED")
        self.run_obhut("list", "add", "known", "md5:" + hashlib.md5(COFFEE).hexdigest(), "--id", "2")
        got = service.scan(COFFEE)  # the other method is still there
        self.assertNotIn("pdq", got)
        self.assertEqual([m["digest"] for m in got["matches"]], ["md5"])

    def test_a_detector_is_on_only_when_measured(self):
        self.set_up_service()
        document = self.write("measured.pdf", "x")
        words = ["detector", "set", "pdq", "--state", "on", "--data", "a public set", "--document",
                 document]
        self.run_obhut(*words, "--items", "100000", "--false-alarms", "0", code=3)
        err = self.run_obhut(*words, "--items", "100000", "--false-alarms", "0", person=self.ada,
                             code=3)[1]
        self.assertIn("30.0", err)  # three in a hundred thousand
        number = self.propose(*words, "--items", "1000000", "--false-alarms", "3", person=self.ada)
        self.agree(number, self.bea)
        states = {d["name"]: d["state"]
                  for d in self.json_lines("detector", "ls", "--json")[0]["detectors"]}
        self.assertEqual(states, {"digests": "on", "pdq": "on"})

    def test_proposals_end(self):
        self.set_up_service()
        number = self.propose("verdict", "add", "--account", "a", "--reason", "r", person=self.ada)
        self.run_obhut("proposal", "reject", number)
        self.run_obhut("proposal", "approve", number, "--reason", "r", person=self.bea, code=3)
        self.assertEqual(self.json_lines("proposal", "ls", "--json")[0]["proposals"][0]["state"],
                         "rejected")
        self.run_obhut("person", "remove", "bea")
        number = self.propose("verdict", "add", "--account", "a", "--reason", "r", person=self.ada)
        self.run_obhut("proposal", "approve", number, "--reason", "r", person=self.bea, code=3)
        self.run_obhut("person", "add", "bea", "--role", "lead", code=3)  # never given twice
        self.run_obhut("person", "add", "operator", "--role", "lead", code=3)
        self.run_obhut("person", "add", "x", "--role", "king", code=3)

    # ---- orders

    ORDER = {"regime": "zz-orders", "issuer": "Court A", "issuer_kind": "judicial",
             "authenticity": {"verified": True, "how": "called back", "by": "ada",
                              "contact": "court@example"},
             "service": "example", "detectors": ["known"], "accounts": ["acct-1"],
             "received": "2026-01-01T00:00:00Z", "start": "2026-02-01T00:00:00Z",
             "end": "2027-12-01T00:00:00Z", "halfway_report_due": "2027-06-01T00:00:00Z",
             "reasons": "r", "legal_basis": "l", "redress": "r"}

    def test_an_order_opens_whom_it_names_under_a_law_that_knows_orders(self):
        self.binary = str(FICTION / "obhut")
        service = self.set_up_service("ZZ", program=str(FICTION / "obhutd"))
        document = self.write("order.pdf", "a court's order")

        def add(change, code=0, person=self.ada):
            order = {k: v for k, v in (self.ORDER | change).items() if v is not None}
            path = self.write("order.json", json.dumps(order))
            return self.json_lines("order", "add", path, "--document", document, "--json",
                                   person=person, code=code)[0]

        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        for change, reason in (({"accounts": "all"}, "FLOOR_UNTARGETED"),
                               ({"accounts": []}, "FLOOR_UNTARGETED"),
                               ({"accounts": ["acct-1", "*"]}, "FLOOR_UNTARGETED"),
                               ({"issuer_kind": "administrative"}, "FLOOR_NOT_JUDICIAL"),
                               ({"authenticity": None}, "ORDER_UNAUTHENTICATED"),
                               ({"regime": "eu-dsa"}, "NO_BASIS"),
                               ({"regime": "eu-eprivacy"}, "NO_BASIS"),
                               ({"regime": "eu-csar-council2025"}, "REGIME_NOT_IN_FORCE"),
                               ({"regime": "no-law"}, "REGIME_UNKNOWN"),
                               ({"detectors": ["grooming"]}, "NOT_ORDERABLE"),
                               ({"end": "2036-02-01T00:00:00Z"}, "ORDER_WINDOW")):
            got = add(change, code=3)
            self.assertEqual((got["taken"], got["reason"]), (False, reason), change)
            self.assertNotIn("clarification", got)
        for missing in ("issuer", "service", "detectors", "start", "end", "reasons", "legal_basis",
                        "redress", "accounts"):
            got = add({missing: None}, code=3)
            self.assertEqual((got["reason"], got["names"]), ("ORDER_DEFECTIVE", missing))
            self.assertIn(missing, got["clarification"]["de"])
            got = add({missing: None, "authenticity": {"verified": False}}, code=3)
            self.assertNotIn("clarification", got)  # never to an unverified sender
        self.run_obhut("order", "add", self.write("bad.json", "{"), "--document", document, code=2)
        self.run_obhut("order", "add", self.write("bad.json", '{"colour": 1}'), "--document",
                       document, code=3)
        self.assertTrue(self.json_lines("order", "check", self.write(
            "order.json", json.dumps(self.ORDER)), "--json")[0]["taken"])
        number = str(add({})["proposal"])
        self.assertEqual(self.scanned(service), "FLOOR_SUSPICIONLESS")
        self.agree(number, self.bea)
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.assertEqual(self.scanned(service, account="acct-2"), "FLOOR_SUSPICIONLESS")
        self.assertEqual(self.scanned(service, encryption="e2ee"), "FLOOR_E2EE_SERVER")
        self.run_obhut("order", "suspend", "1")
        self.assertEqual(self.scanned(service), "ORDER_SUSPENDED")
        self.run_obhut("order", "resume", "1", code=3)
        self.run_obhut("order", "resume", "1", person=self.ada)
        self.assertEqual(self.scanned(service), "ALLOWED")
        self.run_obhut("order", "revoke", "1")
        self.assertEqual(self.scanned(service), "ORDER_SUSPENDED")
        self.run_obhut("order", "resume", "1", person=self.ada, code=3)
        number = str(add({"halfway_report_due": "2026-06-01T00:00:00Z"})["proposal"])
        self.agree(number, self.bea)
        self.assertEqual(self.scanned(service), "ORDER_SUSPENDED")
        self.assertTrue(self.json_lines("order", "ls", "--json")[0]["orders"][0]
                        ["halfway_report_overdue"])
        self.run_obhut("order", "halfway", "2", person=self.ada)
        self.assertEqual(self.scanned(service), "ALLOWED")

    def test_a_release_takes_no_order(self):
        self.set_up_service("DE")
        order = self.write("order.json", json.dumps(self.ORDER))
        got = self.json_lines("order", "add", order, "--document", order, "--json", code=3,
                              person=self.ada)[0]
        self.assertEqual(got["reason"], "REGIME_UNKNOWN")
        self.assertNotIn("zz-orders", self.run_obhut("gate", "regimes")[0])

    # ---- the machine

    def test_a_program_from_the_future_trusts_no_clock_of_today(self):
        self.binary = str(FICTION / "obhut-future")
        picture = obhutd.DEMO / "rocket-640x427.jpg"
        _, err = self.run_obhut("scan", "--surface", "public", picture, code=3)
        self.assertIn("nobody could look: CLOCK", err)
        got, = self.json_lines("scan", "--json", "--surface", "public", picture, code=3)
        self.assertEqual((got["action"], got["reason"]), ("could_not", "CLOCK"))
        self.assertIn("unset", self.run_obhut("clock", "show")[0])

    def test_a_clock_that_was_ahead_is_put_right_by_two(self):
        service = self.set_up_service()
        self.assertEqual(self.scanned(service, "public"), "ALLOWED")
        service.stop()
        with contextlib.closing(sqlite3.connect(self.data / "obhut.db")) as records, records:
            records.execute("UPDATE mark SET value = value + 7200 WHERE name = 'clock'")
        service = self.start()
        self.assertEqual(self.scanned(service, "public"), "CLOCK")
        status, _, ready = service.request("GET", "/readyz", token=False)
        self.assertEqual((status, json.loads(ready)["clock"]), (503, "backwards"))
        self.run_obhut("clock", "accept", code=3)
        self.agree(self.propose("clock", "accept", person=self.ada), self.bea)
        self.assertEqual(self.scanned(service, "public"), "ALLOWED")
        self.assertEqual(service.json("GET", "/readyz", token=False)["clock"], "ok")

    def test_a_second_service_on_the_directory_is_refused(self):
        service = self.set_up_service()
        done = subprocess.run([obhutd.DAEMON, "--data", str(self.data), *obhutd.listening()],
                              capture_output=True, text=True, timeout=waiting.LIMIT_S)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("another", done.stderr + done.stdout)
        self.assertEqual(self.scanned(service, "public"), "ALLOWED")

    def test_readiness_tells_digests(self):
        service = self.start()
        digests = service.json("GET", "/readyz", token=False)["digests"]
        told = json.loads(self.run_obhut("gate", "regimes", "--json")[0])
        self.assertEqual(digests["regimes"], told["digest"])
        self.assertEqual(digests["floor"], told["floor_digest"])
        build = subprocess.run(["readelf", "-n", obhutd.DAEMON], capture_output=True, text=True).stdout
        self.assertIn(digests["build"], build)
        self.assertGreaterEqual(len(digests["build"]), 40)


class Transparency(Service):
    def page(self, service, language):
        status, headers, body = service.request("GET", "/transparency", token=False, listener="public",
                                                headers={"Accept-Language": language})
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        text = body.decode()
        check = html.parser.HTMLParser()
        opened = []
        check.handle_starttag = lambda tag, _: opened.append(tag) if tag not in ("meta", "br", "link") else None
        check.handle_endtag = lambda tag: self.assertEqual(opened.pop(), tag)
        check.feed(text)
        self.assertEqual(opened, [])
        return text

    def test_the_page_says_what_is_looked_at(self):
        service = self.set_up_service()
        self.members(service, True, True)
        for n in range(12):
            self.assertEqual(self.scanned(service, "public"), "ALLOWED")
        self.scanned(service)
        self.scanned(service, "storage")
        waiting.until(lambda: '<td class="n">12</td>' in self.page(service, "en")
                      and "NO_BASIS" in self.page(service, "de"), "the page knows of them")
        english, german = self.page(service, "en-GB,en"), self.page(service, "de-DE,de;q=0.9")
        self.assertIn('<html lang="en">', english)
        self.assertIn('<html lang="de">', german)
        self.assertIn("two persons have recorded a cause", english)
        self.assertIn("zwei Menschen haben einen Anlass", german)
        self.assertIn('<td class="n">12</td>', english)
        self.assertIn("fewer than 10", english)  # never exactly
        self.assertIn("NO_BASIS", german)
        self.assertIn("Digital Services Act", english)  # laws are called what they are called there
        self.assertIn("Gesetz über digitale Dienste", german)
        self.assertNotIn("Digital Services Act", german)
        self.assertNotIn("acct-1", english)
        status, _, body = service.request("GET", "/transparency?lang=de", token=False, listener="public",
                                          headers={"Accept-Language": "en"})
        self.assertIn(b'<html lang="de">', body)
        service.json("GET", "/transparency?tracking=1", status=400, token=False, listener="public")

    def test_a_fresh_directory_tells_that_it_looks_at_public_uploads_only(self):
        page = self.page(self.start(), "en")
        self.assertEqual(page.count('class="no">nobody looks'), 3)
        self.assertIn("everybody can see it anyway", page)
        self.assertIn("chosen this law as its own rule", page)


if __name__ == "__main__":
    unittest.main()
