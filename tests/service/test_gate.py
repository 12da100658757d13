"""The gate over HTTP: situations and their answers, laws."""
import json
import sys
import unittest

import obhutd

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


if __name__ == "__main__":
    unittest.main()
