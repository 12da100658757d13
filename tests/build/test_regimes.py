"""The files of laws follow their JSON Schema, and every rule in them has its article."""
import json
import pathlib
import unittest

import jsonschema

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "data/regimes"
FICTIONAL = pathlib.Path(__file__).resolve().parent.parent / "regimes"


class Regimes(unittest.TestCase):
    def test_every_file_follows_the_schema(self):
        schema = json.loads((DATA / "schema.json").read_text())
        jsonschema.validators.validator_for(schema).check_schema(schema)
        files = sorted(DATA.glob("[a-z]*-*.json")) + sorted(FICTIONAL.glob("*.json"))
        self.assertGreaterEqual(len(files), 9)
        for file in files:
            law = json.loads(file.read_text())
            jsonschema.validate(law, schema)
            self.assertEqual(law["id"], file.stem)

    def test_a_rule_without_an_article_is_refused(self):
        schema = json.loads((DATA / "schema.json").read_text())
        law = json.loads((DATA / "eu-2026-1881.json").read_text())
        del law["safeguards"]["impact_assessment"]["article"]
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(law, schema)


if __name__ == "__main__":
    unittest.main()
