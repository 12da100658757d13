"""docs/THREATS.md says which system calls are left to a process that was taken over: the kernel says the same."""
import errno
import fcntl
import os
import pathlib
import platform
import re
import socket
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CALLS = str(pathlib.Path(os.environ["OBHUT_BIN"]).parent / "tests/confined-calls")
PROFILES = {"front": 1, "worker": 2, "threads": 3}  # the table's columns
X32 = 0x40000000
I386 = 0x80000000  # by int 0x80, as programs of 32 bits call
NUMBERS = 600  # beyond the newest
PROBES = {335, 336}  # uretprobe and uprobe, which newer kernels show to no filter: they end who calls without a probe
CONSTANTS = {
    "NULL": 0, "PROT_EXEC": 4, "MAP_HUGETLB": 0x40000, "MSG_FASTOPEN": 0x20000000, "IPPROTO_TCP": socket.IPPROTO_TCP,
    "TCP_NODELAY": socket.TCP_NODELAY, "TCP_CORK": socket.TCP_CORK, "SOL_SOCKET": socket.SOL_SOCKET,
    "SO_ERROR": socket.SO_ERROR, "O_NONBLOCK": os.O_NONBLOCK, "O_ACCMODE": os.O_ACCMODE, "MFD_CLOEXEC": 1,
    "MFD_ALLOW_SEALING": 2, "PR_SET_NAME": 15, "F_GETFD": fcntl.F_GETFD, "F_SETFD": fcntl.F_SETFD,
    "F_GETFL": fcntl.F_GETFL, "F_SETFL": fcntl.F_SETFL, "F_ADD_SEALS": 1033, "F_GET_SEALS": 1034,
    "CLONE_VM": 0x100, "CLONE_FS": 0x200, "CLONE_FILES": 0x400, "CLONE_SIGHAND": 0x800, "CLONE_THREAD": 0x10000,
    "CLONE_SYSVSEM": 0x40000, "CLONE_SETTLS": 0x80000, "CLONE_PARENT_SETTID": 0x100000,
    "CLONE_CHILD_CLEARTID": 0x200000, "CLONE_DETACHED": 0x400000, "CLONE_CHILD_SETTID": 0x1000000}
LOW = 0xFFFFFFFF
OWN, PARENT = "own", "parent"  # numbers of processes that only the program knows
PROCESSES = 1 << 22  # no process has a higher number
# What flags, descriptors, processes and sizes are: every bit alone, small numbers, all, and high bits beside them.
INTERESTING = sorted({0, 3, 5, 6, 9, 10, 11, 15, 1033, 1034, LOW, LOW - 1, 0x7FFFFFFF, 1 << 32, 1 << 33 | 3, 1 << 63,
                      (1 << 64) - 1, *(1 << bit for bit in range(33))})


class Condition:
    """One of a cell, such as `arg2 & ~(A\\|B) = 0`."""
    FORM = re.compile(r"arg(\d)(?: & (~?)(\(.*\)|\w+))? (!?=) ([\w|\\]+)")

    def __init__(self, text):
        found = self.FORM.fullmatch(text)
        if not found:
            raise AssertionError(f"no condition: {text}")
        self.argument, invert, mask, self.relation = int(found[1]), found[2], found[3], found[4]
        wide = (1 << 64) - 1 if found[5] == "NULL" else LOW
        self.mask = wide if mask is None else self.number(mask) ^ (LOW if invert else 0)
        self.value = OWN if found[5] == OWN else self.number(found[5])

    @staticmethod
    def number(text):
        total = 0
        for word in re.split(r"\\?\|", text.strip("()")):
            total |= int(word) if word.isdigit() else CONSTANTS[word]
        return total

    def holds(self, arguments):
        value = arguments[self.argument]
        if self.value == OWN:
            return value == OWN
        return (value & self.mask == self.value) == (self.relation == "=")

    def values(self):
        """What comes near it."""
        if self.value == OWN:
            return [OWN, PARENT]
        bits = [1 << bit for bit in range(64)]
        return sorted({0, self.value, self.value | 1 << 32, self.value | LOW << 32, self.value + 1,
                       *(self.value ^ bit for bit in bits if self.mask & bit or bit < 1 << 34)})


def rules():
    """{profile: {call: [a list of conditions that must all hold, …] or an error's number}}"""
    found = {name: {} for name in PROFILES}
    for line in (ROOT / "docs/THREATS.md").read_text().partition("### What is left to")[2].splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 5 or not cells[0].startswith("`"):
            continue
        for call in re.findall(r"`(\w+)`", cells[0]):
            for profile, column in PROFILES.items():
                cell = cells[column] if cells[column] != "the same" else cells[1]
                if cell == "yes":
                    found[profile].setdefault(call, []).append([])
                elif cell in ("`ENOSYS`",):
                    found[profile][call] = errno.ENOSYS
                elif cell != "–":
                    conditions = [Condition(each) for each in re.findall(r"`([^`]+)`", cell)]
                    assert conditions, cell
                    found[profile].setdefault(call, []).append(conditions)
    return found


def is_clear(rule, arguments):
    """Whether it is known beforehand that no number is that of the process that tries."""
    conditions = [c for each in rule for c in each] if isinstance(rule, list) else []
    own = {c.argument for c in conditions if c.value == OWN}
    return all(not isinstance(arguments[i], int) or not 0 < arguments[i] & LOW < PROCESSES for i in own)


def vectors(rule, whole):
    """Arguments to try: those that conditions speak of near their values and all together, others alone."""
    nothing = [0] * 5
    yield nothing
    yield [(1 << 64) - 1] * 5
    for argument in range(5):
        for value in INTERESTING if whole else (3, 4):
            yield [value if i == argument else 0 for i in range(5)]
    for conditions in rule if isinstance(rule, list) else []:
        base = list(nothing)
        for c in conditions:
            base[c.argument] = c.value if c.relation == "=" else c.value + 1
        yield base
        for c in conditions:
            for value in [*c.values(), *INTERESTING]:
                yield [value if i == c.argument else base[i] for i in range(5)]
        for argument in range(5):
            for value in INTERESTING if whole else ():
                yield [value if i == argument else base[i] for i in range(5)]


def expected(profile, number, rule, arguments):
    if number >= X32:
        return "killed"
    if isinstance(rule, list) and any(all(c.holds(arguments) for c in conditions) for conditions in rule):
        return "allowed"
    if isinstance(rule, int):
        return str(rule)
    return str(errno.EPERM) if profile == "front" else "killed"


@unittest.skipUnless(platform.machine() == "x86_64", "the numbers are this machine's")
class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        said = subprocess.run([CALLS, "names"], check=True, stdout=subprocess.PIPE).stdout.decode()
        cls.names = dict((int(number), name) for number, name in map(str.split, said.splitlines()))
        cls.rules = rules()

    def verdicts(self, profile, tries):
        lines = "".join(f"{number} {' '.join(map(str, arguments))}\n" for number, arguments in tries)
        done = subprocess.run([CALLS, profile], input=lines.encode(), check=True, stdout=subprocess.PIPE)
        return done.stdout.decode().split()

    def check(self, profile, whole):
        mine, tries, wanted = self.rules[profile], [], []
        for number in [n | kind for kind in (0, X32) for n in range(NUMBERS) if n not in PROBES]:
            rule = mine.get(self.names.get(number))
            for arguments in vectors(rule, whole) if number < X32 else [[0] * 5]:
                if not is_clear(rule, arguments):
                    continue
                tries.append((number, arguments))
                wanted.append(expected(profile, number, rule, arguments))
        wrong = [(self.names.get(number, number), arguments, said, right)
                 for (number, arguments), said, right in zip(tries, self.verdicts(profile, tries), wanted, strict=True)
                 if said != right]
        self.assertEqual(wrong[:20], [], f"{len(wrong)} of {len(tries)}: call, arguments, the kernel, the table")
        return len(tries)

    def test_every_name_of_the_table_is_a_call_and_every_profile_has_some(self):
        for profile, mine in self.rules.items():
            self.assertLessEqual(set(mine), set(self.names.values()))
            self.assertGreater(len(mine), 20, profile)

    def test_no_call_by_another_entry_of_the_kernel_comes_through(self):
        for profile in PROFILES:
            tries = [(number | I386, arguments) for number in range(NUMBERS) for arguments in ([0] * 5, [LOW] * 5)]
            tries += [(number | X32, [LOW] * 5) for number in range(NUMBERS) if number not in PROBES]
            said = self.verdicts(profile, tries)
            if "none" in said:
                self.skipTest("this kernel has no entry for programs of 32 bits")
            self.assertEqual(len(said), len(tries))
            wrong = [(hex(number), arguments, verdict)
                     for (number, arguments), verdict in zip(tries, said, strict=True)
                     if verdict != "killed"]
            self.assertEqual(wrong[:20], [], profile)

    def test_the_front_may_call_what_the_table_says(self):
        self.assertGreater(self.check("front", True), 100000)

    def test_a_worker_may_call_what_the_table_says(self):
        self.assertGreater(self.check("worker", False), 5000)

    def test_a_worker_with_threads_may_call_what_the_table_says(self):
        self.assertGreater(self.check("threads", False), 5000)


if __name__ == "__main__":
    unittest.main()
