"""`obhut gate`: situations and their answers, laws and their dates."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import obhut

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/gate"))
import vectors  # noqa: E402

EXAMPLE = ROOT / "examples/all-direct-messages.json"


def gate(*arguments, text="", code=0, env=None):
    done = subprocess.run([obhut.BINARY, "gate", *map(str, arguments)], input=text,
                          capture_output=True, text=True, timeout=obhut.LIMIT_S, env=env)
    if done.returncode != code:
        raise AssertionError(f"{arguments}: {done.returncode} {done.stdout} {done.stderr}")
    return done


def explain(*arguments, **options):
    return [json.loads(line) for line in gate("explain", "--json", *arguments, **options).stdout
            .splitlines()]


class Gate(unittest.TestCase):
    def test_every_situation_gets_its_answer(self):
        pairs = vectors.situations()
        answers = explain("-", text="".join(json.dumps(s) + "\n" for _, s in pairs))
        self.assertEqual(len(answers), len(pairs))
        for (vector, _), answer in zip(pairs, answers):
            self.assertEqual(vectors.differences(vector, answer), [])

    def test_an_answer_says_everything(self):
        for (vector, _), answer in zip(vectors.situations(), explain(
                "-", text="".join(json.dumps(s) + "\n" for _, s in vectors.situations()))):
            self.assertEqual(set(answer["text"]), {"en", "de"})
            if answer["decision"] == "allow":
                for key in ("regime", "article", "basis", "referral", "expires"):
                    self.assertTrue(answer[key], vector["id"])
                self.assertIsNone(answer["ceiling"])
            elif answer["reason"] in ("CLOCK", "NO_AUDIT", "INPUT_INCOMPLETE"):
                self.assertIsNone(answer["ceiling"])
            else:
                self.assertIn(answer["ceiling"], ("law", "floor", "policy", "consent"))
            floor = answer.get("reason", "").startswith("FLOOR_")
            self.assertEqual(floor and answer["ceiling"] != "floor", False)

    def test_nobody_reads_all_direct_messages(self):
        answer, = explain("-", text=EXAMPLE.read_text())
        self.assertEqual(answer["reason"], "FLOOR_SUSPICIONLESS")
        self.assertEqual(answer["law"], {"decision": "allow"})
        letter = gate("explain", EXAMPLE).stdout
        self.assertIn("The law alone would allow it.", letter)
        self.assertIn("FLOOR_SUSPICIONLESS", letter)
        german = gate("explain", "--lang", "de", EXAMPLE).stdout
        self.assertIn("Dies darf niemand ansehen.", german)
        self.assertNotIn("The law", german)

    def test_the_letter_speaks_the_terminals_language(self):
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            self.assertIn("Dies darf", gate("explain", EXAMPLE, env={name: "de_DE.UTF-8"}).stdout)
        self.assertIn("Nobody", gate("explain", EXAMPLE, env={"LANG": "C"}).stdout)

    def test_the_instant_moves(self):
        situation = json.loads(EXAMPLE.read_text())
        situation["cause"] = {"account": "acct-17", "ground": "confirmed_verdict",
                              "confirmed_by": "p", "from": "2028-03-20T00:00:00Z",
                              "until": "2028-04-10T00:00:00Z"}
        situation["safeguards"]["last_annual_report"] = 2027
        text = json.dumps(situation)
        before, = explain("--at", "2028-04-03T19:59:59Z", "-", text=text)
        after, = explain("--at", "2028-04-03T20:00:00Z", "-", text=text)
        self.assertEqual(before["decision"], "allow")
        self.assertEqual(before["expires"], "2028-04-03T20:00:00Z")
        self.assertEqual(after["reason"], "REGIME_EXPIRED")
        self.assertEqual(gate("explain", "--at", "tomorrow", EXAMPLE, code=2).stdout, "")

    def test_what_if_asks_every_other_law(self):
        answer, = explain("--what-if", EXAMPLE)
        known = {r["id"] for r in json.loads(gate("regimes", "--json").stdout)["regimes"]}
        self.assertEqual(set(answer["what_if"]), known - {"eu-2026-1881"})
        for other in answer["what_if"].values():
            self.assertEqual(other["reason"], "FLOOR_SUSPICIONLESS")
        self.assertIn("us-2258a", gate("explain", "--what-if", EXAMPLE).stdout)

    def test_what_is_no_json_is_answered_with_its_place(self):
        good = EXAMPLE.read_text().replace("\n", " ")
        answers = explain("-", text=f"{good}\n{{broken\n\n[1]\n7\n{good}")
        self.assertEqual([a["reason"] for a in answers],
                         ["FLOOR_SUSPICIONLESS", *["INPUT_INCOMPLETE"] * 3, "FLOOR_SUSPICIONLESS"])
        self.assertIn("line 2", answers[1]["names"])
        self.assertIn("line 4", answers[2]["names"])
        self.assertIn("line 5", answers[3]["names"])
        self.assertEqual(explain("-", text="")[0]["reason"], "INPUT_INCOMPLETE")
        doubled = good.replace('"basis"', '"regime": "eu-dsa", "basis"')
        self.assertEqual(explain("-", text=doubled)[0]["reason"], "INPUT_INCOMPLETE")

    def test_a_law_of_ones_own_can_be_explained_and_not_used(self):
        law = json.loads((ROOT / "data/regimes/eu-dsa.json").read_text())
        law["id"] = "my-own-law"
        law["scope"]["surfaces"] = ["direct", "group", "public", "storage"]
        situation = vectors.merge(json.loads(EXAMPLE.read_text()), {
            "regime": "my-own-law", "service": {"kind": "hosting"}, "basis": "public",
            "item": {"surface": "public"}})
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "law.json"
            file.write_text(json.dumps(law))
            got, = explain("--regime", file, "-", text=json.dumps(situation))
            self.assertEqual(got["decision"], "allow")
            situation["mode"] = "production"
            got, = explain("--regime", file, "-", text=json.dumps(situation))
            self.assertEqual(got["reason"], "REGIME_NOT_IN_FORCE")
            got, = explain("-", text=json.dumps(situation))
            self.assertEqual(got["reason"], "REGIME_UNKNOWN")
            law["detectors"]["thoughts"] = law["detectors"]["known"]
            for wrong in ("{", "[]", "{}", json.dumps(law)):
                file.write_text(wrong)
                self.assertIn(str(file), gate("explain", "--regime", file, EXAMPLE, code=3).stderr)

    def test_regimes_are_listed_with_dates_and_digests(self):
        text = gate("regimes").stdout
        self.assertIn("No regime in force knows orders.", text)
        told = json.loads(gate("regimes", "--json").stdout)
        by_id = {r["id"]: r for r in told["regimes"]}
        self.assertEqual(by_id["eu-2021-1232"]["state"], "expired")
        self.assertEqual(by_id["eu-2026-1881"]["until"], "2028-04-03T20:00:00Z")
        self.assertEqual(by_id["uk-osa"]["state"], "unverified")
        self.assertEqual(by_id["eu-csar-council2025"]["state"], "proposal")
        for regime in by_id.values():
            digest = subprocess.run(["sha256sum", ROOT / f"data/regimes/{regime['id']}.json"],
                                    capture_output=True, text=True).stdout.split()[0]
            self.assertEqual(regime["digest"], digest)
        floor = subprocess.run(["sha256sum", ROOT / "src/pure/gate/floor.c"], capture_output=True,
                               text=True).stdout.split()[0]
        self.assertEqual(told["floor_digest"], floor)

    def test_wrong_use_is_said(self):
        for arguments in ((), ("explain",), ("explain", "a", "b"), ("explain", "--lang", "fr", "-"),
                          ("regimes", "x"), ("permit",)):
            self.assertTrue(gate(*arguments, code=2).stderr)
        self.assertIn("/nowhere", gate("explain", "/nowhere", code=3).stderr)
        self.assertIn("Usage", gate("--help").stdout)


if __name__ == "__main__":
    unittest.main()
