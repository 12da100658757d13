"""A service whose files fail, or are slow, and whose clock is wrong, when a test says so: rules in the
words of tests/fault/rules.h."""
import os
import pathlib
import time

import obhutd
import waiting

PROGRAM = str(pathlib.Path(obhutd.DAEMON).parent / "tests/fault/obhutd")


class Faults:
    """For one service, given as `**faults.options` to Case.start; `folder` is not its data directory."""

    def __init__(self, folder):
        self.control = pathlib.Path(folder) / "faults"
        self.options = {"program": PROGRAM, "environment": dict(
            os.environ, OBHUT_TEST_FILES_FROM=str(self.control))}

    def set(self, *rules, wait=True):
        """These rules and no others, from now on; before a service is there: wait=False."""
        text = ";".join(rules)
        new = self.control.with_name("faults.new")
        new.write_text(text)
        os.replace(new, self.control)
        if wait:
            self.until(lambda: self.seen()[0] == text, f"the rules {text}")

    def seen(self):
        """[rules in force, (calls, waiting) of each…]"""
        try:
            first, *counts = self.control.with_name("faults.seen").read_text().splitlines()
        except OSError:
            return [None]
        return [first, *(tuple(map(int, line.split())) for line in counts)]

    def until(self, check, what):
        """What `check` returns as soon as it is true."""
        end = time.monotonic() + waiting.LIMIT_S
        while time.monotonic() < end:
            found = check()
            if found:
                return found
            time.sleep(0.01)
        raise AssertionError(f"never: {what}")

    def until_waiting(self, rule=0, calls=1):
        """Until so many calls are kept waiting by a rule."""
        self.until(lambda: len(self.seen()) > rule + 1 and self.seen()[rule + 1][1] >= calls,
                   f"{calls} calls that wait for rule {rule}")
