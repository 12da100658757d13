"""What the suites that run the real binary share."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import waiting  # noqa: E402

BINARY = os.environ.get("OBHUT_BIN", str(ROOT / "build/release/obhut"))
SANITIZED = os.environ.get("OBHUT_BUILD", "release") != "release"
SOAK = os.environ.get("OBHUT_SOAK") == "1"
IMAGES = ROOT / "tests/conformance/pdq/images"
LIMIT_S = 5 * waiting.LIMIT_S  # for a command that works all the while


SEED = int(os.environ.get("OBHUT_SEED", 0))  # another one every day: tests/suites.py


def samples(name, otherwise):
    return int(os.environ.get(name, otherwise))


def one_of(most, things):
    """One of so many, others with every seed, so that in as many days all had their turn; ./dev soak takes all."""
    return [thing for number, thing in enumerate(things) if SOAK or (number + SEED) % most == 0]


def allocations_may_fail():
    """For the environment of a program that walks through faults. Sanitizers have an allocator of
    their own."""
    return {} if SANITIZED else {
        "LD_PRELOAD": str(pathlib.Path(BINARY).parent / "tests/fault-preload.so")}


def balanced(value, numbers):
    """The number with as many bits changed as make 128 of 256, so many has a PDQ hash, and turned, so that no bit
    is changed more often than others."""
    for _ in range(value.bit_count() - 128):
        value &= value - 1
    for _ in range(128 - value.bit_count()):
        value |= value + 1
    by = numbers.getrandbits(8)
    return (value << by | value >> 256 - by) & (1 << 256) - 1


def hashes(count, seed=7):
    numbers = random.Random(seed)
    return ["%064x" % balanced(numbers.getrandbits(256), numbers) for _ in range(count)]


def flip(text, count, seed=0):
    """The hash with so many different bits, and no more bits set than before."""
    value, numbers = int(text, 16), random.Random(seed)
    ones = [bit for bit in range(256) if value >> bit & 1]
    zeros = [bit for bit in range(256) if not value >> bit & 1]
    for bit in numbers.sample(ones, (count + 1) // 2) + numbers.sample(zeros, count // 2):
        value ^= 1 << bit
    return f"{value:064x}"


def stat_of(pid):
    """Fields of /proc/PID/stat behind the name, or None."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        fields = stat_of(entry) if entry.isdigit() else None
        if fields and int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry))
    return found


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


class Case(unittest.TestCase):
    """A test with a directory of its own; `self.data` is its data directory."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="obhut-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.data = self.dir / "data"

    binary = BINARY

    def run_obhut(self, *arguments, code=0, stdin=None, person=None, **options):
        """Runs it and returns (stdout, stderr) as text; any other exit code fails the test. `person`: the
        personal token of who does it."""
        if person:
            options["env"] = dict(os.environ, OBHUT_PERSON_TOKEN=person)
        done = subprocess.run([self.binary, "--data", str(self.data), *map(os.fspath, arguments)],
                              input=stdin, capture_output=True, timeout=LIMIT_S, **options)
        out, err = (b.decode("utf-8", "surrogateescape") for b in (done.stdout, done.stderr))
        if code is not None:
            self.assertEqual(done.returncode, code, f"{arguments}: {out[-2000:]}{err[-4000:]}")
        else:
            self.assertIn(done.returncode, (0, 1, 2, 3), f"{arguments}: {err[-4000:]}")
        return out, err

    def json_lines(self, *arguments, code=0, **options):
        return [json.loads(line)
                for line in self.run_obhut(*arguments, code=code, **options)[0].splitlines()]

    def write(self, name, content):
        path = self.dir / name
        if isinstance(content, list):
            content = "".join(line + "\n" for line in content)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path
