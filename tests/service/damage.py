"""What lies in a data directory, 22 ways to damage a file of it, and a second party that knows what the
service wrote and finds whether it gave a wrong answer or signed what was not its own."""
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys

import obhutd
import waiting
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

sys.path.insert(0, str(obhutd.ROOT / "tests/audit"))
import verify  # noqa: E402

KEPT = ("audit/log", "audit/checkpoints", "audit/key", "keys/audit", "keys/pseudonym", "keys/api-token", "lock")
LISTED = (obhutd.DEMO / "coffee-2400x1600.jpg")
READABLE = 1 << 26  # bytes of a file that anybody reads whole

GIANT = 1 << 40


def flip(at):
    def damage(path, old):
        data = bytearray(path.read_bytes())
        if not data:
            return False
        place = min(len(data) - 1, int(len(data) * at))
        data[place] ^= 1
        path.write_bytes(bytes(data))
        return True
    return damage


def rewrite(make):
    def damage(path, old):
        data = path.read_bytes()
        new = make(data)
        path.write_bytes(new)
        return new != data
    return damage


def replace(make):
    def damage(path, old):
        away = path.with_name(path.name + ".away")
        path.rename(away)
        make(path, away)
        return True
    return damage


def older(path, old):
    data = old.read_bytes()
    differs = data != path.read_bytes()
    path.write_bytes(data)
    return differs


def giant(path, old):
    os.truncate(path, GIANT)
    return True


def open_to_all(path, old):
    path.chmod(0o666)
    return True


JUNK = random.Random(14).randbytes(700)
DAMAGES = {
    "a bit at the beginning": flip(0), "a bit in the first third": flip(0.3), "a bit in the middle": flip(0.5),
    "the last bit": flip(1), "empty": rewrite(lambda d: b""), "half": rewrite(lambda d: d[:len(d) // 2]),
    "without its last byte": rewrite(lambda d: d[:-1]), "without its last 100 bytes": rewrite(lambda d: d[:-100]),
    "zeros": rewrite(lambda d: bytes(len(d))), "zeros from the middle": rewrite(lambda d: d[:len(d) // 2] + bytes(
        len(d) - len(d) // 2)),
    "junk": rewrite(lambda d: JUNK), "junk behind it": rewrite(lambda d: d + JUNK),
    "zeros behind it": rewrite(lambda d: d + bytes(512)), "doubled": rewrite(lambda d: d + d),
    "missing": replace(lambda path, away: None), "older": older,
    "a pipe": replace(lambda path, away: os.mkfifo(path, 0o600)),
    "a directory": replace(lambda path, away: path.mkdir(0o700)),
    "a link": replace(lambda path, away: path.symlink_to(away)),
    "a link to nothing": replace(lambda path, away: path.symlink_to("/nonexistent/disk")),
    "a giant": giant, "open to all": open_to_all,
}


def plain_bytes(path):
    """Of a file that is one, and no giant; None else."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > READABLE:
        return None
    return path.read_bytes()


def code(key, what, content):
    return hashlib.blake2b(what + b"\0" + content, key=key, digest_size=32).digest()


class Ledger:
    """What a service had written before something happened to its files."""

    def __init__(self, data):
        seed = (data / "keys/audit").read_bytes()
        self.signer = SigningKey(seed).verify_key
        self.key = code(seed, b"obhut audit entries", b"")
        self.lines = (data / "audit/log").read_bytes().split(b"\n")[:-1]
        self.notes = (data / "audit/checkpoints").read_bytes()

    def is_own(self, before, line):
        text, found, mac = line[65:].rpartition(b',"mac":"')
        wanted = code(self.key, b"obhut audit entry", before + hashlib.sha256(b"\0" + text).digest())[:16]
        return found != b"" and mac == wanted.hex().encode() + b'"}'

    def own_lines(self, data):
        """Those of before, and what the service appended since."""
        lines, log = list(self.lines), plain_bytes(data / "audit/log") or b""
        while True:  # wherever it stands: what is before it may be anything
            found = re.search(rb'[0-9a-f]{64} \{"n":%d,[^\n]*' % len(lines), log)
            before = hashlib.sha256(b"\0" + lines[-1][65:]).digest()
            if not found or not self.is_own(before, found.group()):
                return lines
            lines.append(found.group())

    def learn(self, data):
        """As long as nothing has happened to it."""
        self.lines = self.own_lines(data)

    def signed_since(self, data):
        """(entries, root) of each checkpoint that the service signed since."""
        for found in re.finditer(rb"(obhut-log-[0-9a-f]{16}\n(\d+)\n(\S+)\n(?:[^\n]+\n)*)\n\xe2\x80\x94 \S+ (\S+)\n",
                                 plain_bytes(data / "audit/checkpoints") or b""):
            if found.group() not in self.notes:
                try:
                    self.signer.verify(found[1], verify.decode(found[4].decode())[4:])
                except (BadSignatureError, ValueError, AssertionError):
                    continue  # nobody signed it
                yield int(found[2]), verify.decode(found[3].decode())

    def judge(self, data):
        """An AssertionError where the service signed what is not its own."""
        lines = self.own_lines(data)
        for size, root in self.signed_since(data):
            roots = []
            assert size <= len(lines), f"{size} entries are signed, and {len(lines)} are the service's"
            for n, line in enumerate(lines[:size]):
                verify.push(roots, n, hashlib.sha256(b"\0" + line[65:]).digest())
            assert verify.fold(roots) == root, f"other entries than the service's are signed, of {size}"


class Case(obhutd.Case):
    """`self.whole`: a directory that was used twice; `self.old`: a copy from in between."""

    file_of_records = "obhut.db"

    def setUp(self):
        super().setUp()
        lines = [self.list_of(LISTED, id="listed", source="hotline")]
        service = self.begin()
        self.run_obhut("list", "import", self.write("known.jsonl", lines))
        self.run_obhut("token", "add", "one", "--surface", "public", "--scope", "scan")
        service.stop()
        self.whole = self.data
        self.old = self.copy_of(self.data, "old")
        service = self.start(*self.arguments())
        self.consents = self.run_obhut("token", "add", "two", "--surface", "direct", "--scope", "consents")[0].split()[-1]
        service.json("PUT", "/v1/conversations/c1/members",
                     {"members": [{"account": a, "consents": True} for a in ("anna", "bert")], "free": True},
                     token=self.consents)
        self.run_obhut("token", "remove", "one")
        service.stop()

    def arguments(self):
        return self.configure('action-one-source = "block"\ndecoders = 1\n')

    def begin(self):
        return self.start(*self.arguments())

    # ---- copies, with their records

    def copy_of(self, data, name):
        to = self.dir / name
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(data, to, ignore=shutil.ignore_patterns("run"), symlinks=True)
        return to

    def copy(self, name):
        self.data = self.copy_of(self.whole, name)
        return self.data

    def files(self):
        return (*KEPT, self.file_of_records)

    # ---- what is said

    def refusal(self):
        """What a start says that is refused."""
        with self.assertRaises(AssertionError) as refused:
            self.start(*self.arguments())
        return str(refused.exception)

    def check(self, code):
        return self.run_obhut("check", code=code)[0]

    def act(self):
        """(whether it was done, what was said)"""
        done = subprocess.run([self.binary, "--data", str(self.data), "token", "add", f"t{random.getrandbits(40)}",
                               "--surface", "public", "--scope", "scan"],
                              capture_output=True, text=True, errors="replace", timeout=waiting.LIMIT_S)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return done.returncode == 0, done.stderr

    def assert_no_wrong_answer(self, service):
        """A listed picture is never let through, and who consented is known, or nobody can tell now."""
        self.assertEqual(service.request("GET", "/healthz", token=False)[0], 200)
        status, _, body = service.request("POST", "/v1/scan?surface=public", LISTED.read_bytes())
        if status == 200:
            self.assertIn(b'"block"', body)
        else:
            self.assertEqual(status, 503, body)
        self.assertNotIn(b'"allow"', body)
        status, _, body = service.request("DELETE", "/v1/accounts/anna/consents", token=self.consents)
        if status == 200:
            self.assertIn(b'"conversations":1', body.replace(b" ", b""))
        else:
            self.assertIn(status, (401, 503), body)  # an older database does not know the token

    # ---- one damage

    def state(self, data):
        return {name: (os.lstat(data / name).st_mode, plain_bytes(data / name))
                for name in KEPT if os.path.lexists(data / name)}

    def is_named(self, file, said):
        word = "records|obhut.db" if file == self.file_of_records else pathlib.Path(file).name
        self.assertRegex(said, word)

    def at_start(self, file, what):
        """Refused by name, and nothing is changed; or harmless, and what is not right is told by `check`."""
        data = self.copy("one")
        if not DAMAGES[what](data / file, self.old / file):
            return
        before = self.state(data)
        try:
            service = self.start(*self.arguments())
        except AssertionError as refused:
            self.is_named(file, str(refused))
            self.assertEqual(self.state(data), before, "a start that is refused changes nothing")
            return
        self.assert_no_wrong_answer(service)
        service.stop()
        Ledger(self.whole).judge(data)
        if file in ("audit/log", "audit/checkpoints"):
            kept = (self.whole / file).read_bytes()
            if not (plain_bytes(data / file) or b"").startswith(kept):
                self.assertRegex(self.check(1), "(?m)^WRONG  audit/")
        elif file.startswith("keys/"):
            self.assertEqual((data / file).is_symlink(), False)
            if what != "missing" or file != "keys/api-token":  # that one can be made anew
                kept, end = (self.whole / file).read_bytes(), b"\n" if file == "keys/api-token" else b""
                self.assertIn(plain_bytes(data / file), (kept, kept.removesuffix(end)), "taken")

    def while_it_runs(self, file, what):
        """It lives, answers nothing wrong and signs nothing of others; what is wrong with the log is named."""
        data = self.copy("one")
        service = self.start(*self.arguments())
        ledger = Ledger(self.whole)
        ledger.learn(data)
        if DAMAGES[what](data / file, self.old / file):
            done, said = self.act()
            if not done:
                self.is_named(file, said)
            self.assert_no_wrong_answer(service)
            if file in ("audit/log", "audit/checkpoints"):
                self.assertRegex(self.check(1), "(?m)^WRONG  audit")
        self.end(service)
        ledger.judge(data)

    def lists_put_back(self):
        """Lists and what they must have, as they were before the last change: nothing that the lists have, or
        have not, is believed until somebody says so."""
        data = self.copy("one")
        service = self.start(*self.arguments())
        self.run_obhut("list", "withdraw", "known", "--id", "listed")
        self.assertIn(b'"allow"', self.scan(service))
        service.stop()
        self.check(0)
        shutil.rmtree(data / "lists")
        shutil.copytree(self.old / "lists", data / "lists")
        shutil.copy2(self.old / "lists.state", data / "lists.state")
        self.assertRegex(self.check(1), "(?m)^WRONG  lists: lists are older than the records say")
        service = self.start(*self.arguments())
        said = service.request("GET", "/readyz", token=False)
        self.assertEqual((said[0], b'"LISTS"' in said[2]), (503, True))
        self.assertIn(b'"could_not"', self.scan(service, 503))
        waiting.until(lambda: any("older than the records say" in line for line in service.log), "it is told")
        self.assertIn("lists are older", self.check(1))
        self.run_obhut("list", "accept")
        self.assertIn(b'"block"', self.scan(service))
        service.stop()
        self.assertIn('"what":"list.accept"', (data / "audit/log").read_text())
        self.check(0)
        self.assertIn(b'"block"', self.scan(self.start(*self.arguments())))

    def scan(self, service, wanted=200):
        status, _, body = service.request("POST", "/v1/scan?surface=public", LISTED.read_bytes())
        self.assertEqual(status, wanted, body)
        return body

    def every(self, one, files, most):
        """One of `most` kinds of damage, and of more where a sanitizer makes all of it slow; another file begins with
        another kind."""
        kinds = list(DAMAGES)
        for file in files:
            for what in obhutd.obhut.one_of(most * (3 if obhutd.SANITIZED else 1), kinds):
                with self.subTest(file=file, what=what):
                    one(file, what)
            kinds.append(kinds.pop(0))
