"""docs/DATA.md says what the program says, and the program says what the database has."""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OBHUT = os.environ["OBHUT_BIN"]


class Data(unittest.TestCase):
    def test_the_page_is_what_the_program_says(self):
        made = subprocess.run([sys.executable, str(ROOT / "tools/data.py"), OBHUT], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        self.assertEqual((ROOT / "docs/DATA.md").read_text(), made,
                         "python3 tools/data.py build/release/obhut > docs/DATA.md")

    def test_every_column_has_a_purpose_and_nothing_is_said_of_others(self):
        with tempfile.TemporaryDirectory() as place:
            done = subprocess.run([OBHUT, "--data", place, "record", "kinds", "--json"],
                                  check=True, stdout=subprocess.PIPE)
            said = {k["table"]: set(k["fields"]) for k in json.loads(done.stdout)["kinds"]}
            for kind in json.loads(done.stdout)["kinds"]:
                self.assertTrue(kind["purpose"] and kind["period"] and kind["persons"], kind)
                self.assertTrue(all(kind["fields"].values()), kind)
            database = sqlite3.connect(f"{place}/obhut.db")
            tables = [row[0] for row in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'")]
            has = {table: {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
                   for table in tables}
            database.close()
        self.assertEqual(said, has)


if __name__ == "__main__":
    unittest.main()
