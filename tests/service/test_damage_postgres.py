"""The same where the records are on PostgreSQL: log, keys and the address of the records are damaged. The log is
judged as tests/audit/verify.py does."""
import shutil
import sys
import unittest

import damage
import obhutd

sys.path.insert(0, str(obhutd.ROOT / "tests"))
import postgres  # noqa: E402


class Damage(damage.Case):
    """Each copy of a directory has a copy of its database."""

    file_of_records = "records"

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(postgres.shared())

    def begin(self):
        return self.start("--config", self.write("first.conf", f'records = "{self.server.url()}"\ndecoders = 1\n'))

    def copy_of(self, data, name):
        to = super().copy_of(data, name)
        there = (data / "records").read_text().split("@/")[1].split("?")[0]
        url = self.server.url(copy_of=there)
        (to / "records").write_text(url + "\n")
        return to

    def test_all_that_is_right_is_told_to_be_right_with_a_service_and_without(self):
        said = self.check(0)
        for name in ("keys/audit", "keys/pseudonym", "keys/api-token", "lock", "records", "records and", "audit"):
            self.assertRegex(said, f"(?m)^right  {name}")
        self.start(*self.arguments())
        self.assertIn(" 0 wrong", self.check(0))

    def test_an_older_copy_of_all_lists_is_told_and_not_believed_until_somebody_says_so(self):
        self.lists_put_back()

    def test_every_damage_to_every_file_is_refused_or_named_and_harmless(self):
        self.every(self.at_start, self.files(), 4)

    def test_every_damage_to_every_file_under_a_running_service_is_refused_or_named_and_harmless(self):
        self.every(self.while_it_runs, self.files(), 6)

    def test_records_that_were_moved_to_an_older_database_are_refused(self):
        shutil.copy(self.old / "records", self.data / "records")
        self.assertRegex(self.refusal(), "restore|one piece|one backup")


if __name__ == "__main__":
    unittest.main()
