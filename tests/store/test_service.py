"""The service with its records on PostgreSQL."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))
import obhutd  # noqa: E402
import postgres  # noqa: E402
import waiting  # noqa: E402


class Service(obhutd.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Postgres()
        cls.addClassCleanup(cls.server.close)

    def configure_records(self, url):
        return self.configure(f'records = "{url.replace("obhut@", "obhut:geheim@")}"\n')

    def add_token(self, name, code=0):
        """What it says on standard output, on standard error."""
        return self.run_obhut("token", "add", name, "--surface", "public", "--scope", "scan",
                              code=code)

    def wait_until_looked_at(self, service, picture):
        """While nothing could be recorded nothing is looked at; that ends by itself."""
        waiting.until(lambda: service.scan(picture, status=(200, 503))["action"] == "allow",
                      lambda: f"it is looked at again: {service.log[-5:]}")

    def tokens(self, database):
        return self.server.sql("SELECT name FROM token ORDER BY name", database).split()

    def test_records_outlive_the_database_being_away(self):
        url = self.server.url()
        database = url.split("@/")[1].split("?")[0]
        service = self.start(*self.configure_records(url))
        picture = (obhutd.IMAGES / "astronaut-1600.jpg").read_bytes()
        self.assertEqual(service.scan(picture)["action"], "allow")
        self.add_token("before")
        self.server.stop()
        _, said = self.add_token("meanwhile", code=3)
        self.assertIn("the records (PostgreSQL) cannot be", said)
        self.server.start()
        self.add_token("after")
        self.wait_until_looked_at(service, picture)
        self.assertLessEqual({"after", "before"}, set(self.tokens(database)))
        self.assertNotIn("meanwhile", self.tokens(database))
        service.stop()
        self.assertNotIn("geheim", "\n".join(service.log))
        self.assertFalse((self.data / "obhut.db").exists())
        # a command without a service finds the same records
        self.add_token("alone")
        self.assertIn("alone", self.tokens(database))

    def test_a_directory_with_records_is_not_given_others(self):
        service = self.start()
        service.stop()
        with self.assertRaisesRegex(AssertionError, "keeps its records in obhut.db"):
            self.start(*self.configure_records(self.server.url()))


if __name__ == "__main__":
    unittest.main()
