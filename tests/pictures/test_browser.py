"""What a browser shows is what is hashed: some pictures of every kind, as ./dev pictures has them all.
Made with avifenc and cjxl, shown by chromium."""
import os
import random
import unittest

import browser
import compare
import kinds

OBHUT = browser.ROOT / "build/release/obhut"


def chosen():
    """As many as OBHUT_PICTURES says, the same of each kind."""
    each = max(1, int(os.environ.get("OBHUT_PICTURES", 0)) // len(kinds.KINDS))
    numbers = random.Random(15)
    return [(kind, n) for kind in kinds.KINDS
            for n in sorted(numbers.sample(range(kinds.EACH), min(each, kinds.EACH)))]


class Browser(unittest.TestCase):
    def test_what_a_browser_shows_is_what_is_hashed(self):
        results = compare.compare(OBHUT, chosen())
        for result in results:
            with self.subTest(kind=result.kind, number=result.number, bits=result.bits):
                self.assertEqual(result.fault, "")
        self.assertGreater(sum(r.views > 0 for r in results), len(results) * 3 // 4)


if __name__ == "__main__":
    unittest.main()
