"""Permits are made in one file, and the maker for files of one's own is no service's."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.[ch]"))


def users(pattern):
    return sorted(str(f.relative_to(ROOT / "src")) for f in SOURCES if re.search(pattern, f.read_text()))


class Permits(unittest.TestCase):
    def test_only_one_file_makes_them(self):
        self.assertEqual(users(r"mac->compute"), ["pure/gate/permit.c"])
        self.assertEqual(users(r"\bob_permit_make\("),
                         ["path/permits/permits.c", "pure/gate/include/obhut/permit.h", "pure/gate/permit.c"])

    def test_no_service_permits_its_own_files(self):
        self.assertEqual(users(r"\bob_own_files_permit\b"),
                         ["programs/cli/pictures.c", "system/sandbox/holder.c",
                          "system/sandbox/include/obhut/sandbox.h"])
        self.assertEqual(users(r"\bob_permit_own_files\("),
                         ["pure/gate/include/obhut/permit.h", "pure/gate/permit.c", "system/sandbox/holder.c"])

    def test_no_law_is_an_if(self):
        """No regime, country or article is named in code: they are data."""
        for file in SOURCES:
            code = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
            if file.name in ("floor.c", "profile.c") or file.name.startswith("cmd_"):
                continue  # the floor cites its sources; the default profile names its house rule
            self.assertNotRegex(code, r'"(eu|us|uk)-[a-z0-9]', str(file))
            self.assertNotRegex(code, r'"(DE|FR|US|GB)"', str(file))


if __name__ == "__main__":
    unittest.main()
