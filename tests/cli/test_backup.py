"""obhut backup and restore, as an operator runs them, without a service."""
import ctypes
import fcntl
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import stat
import subprocess
import time
import unittest

import obb
import obhut

A, B, C = obhut.hashes(3, seed=21)


class Backup(obhut.Case):
    def setUp(self):
        super().setUp()
        self.secret = self.dir / "operator.secret"
        self.key = self.run_obhut("backup", "key", "--out", self.secret)[0].strip()
        self.file = self.dir / "b.obb"
        self.new = self.dir / "new"

    def fill(self, entries=0):
        self.token = self.run_obhut("token", "add", "forum", "--surface", "public", "--scope",
                                    "scan")[0].strip()
        self.run_obhut("list", "import", self.write("k.txt", [A, B, *obhut.hashes(entries)]))
        self.run_obhut("list", "add", "k", C)
        self.run_obhut("list", "withdraw", "k", B)
        self.run_obhut("list", "import", self.write("off.txt", [A]))
        self.run_obhut("list", "disable", "off")

    def make(self, *more, code=0, **options):
        return self.run_obhut("backup", "make", "--to", self.file, "--key", self.key, *more,
                              code=code, **options)

    def show(self, file=None, code=0, secret=None, **options):
        return self.run_obhut("backup", "show", file or self.file, "--secret",
                              secret or self.secret, *(["--json"] if not code else []), code=code,
                              **options)

    def restore(self, file=None, code=0, into=None, secret=None, more=(), **options):
        return self.run_obhut("restore", file or self.file, "--secret", secret or self.secret,
                              "--into", into or self.new, *more, code=code, **options)

    def nothing_new(self):
        self.assertFalse(self.new.exists())
        self.assertEqual([p.name for p in self.dir.iterdir() if "restoring" in p.name], [])

    def state(self, data):
        """What can be seen of a data directory."""
        old, self.data = self.data, data
        try:
            return (self.run_obhut("token", "ls")[0], self.run_obhut("list", "ls")[0],
                    self.run_obhut("list", "export", "k")[0],
                    self.run_obhut("policy", "show")[0])
        finally:
            self.data = old

    # ---- keys

    def test_a_secret_key_is_its_owners_and_never_written_over(self):
        self.assertRegex(self.key, "^obhut-public-[A-Za-z0-9_-]{48}$")
        self.assertEqual(self.secret.stat().st_mode & 0o777, 0o600)
        text = self.secret.read_text()
        self.assertEqual(obb.public_of(obb.key(text, "obhut-secret-")),
                         obb.key(self.key, "obhut-public-"))
        _, err = self.run_obhut("backup", "key", "--out", self.secret, code=3)
        self.assertIn("never written over", err)
        self.assertEqual(self.secret.read_text(), text)

    def test_a_key_that_is_none_makes_no_backup(self):
        self.fill()
        wrong = self.key[:30] + ("A" if self.key[30] != "A" else "B") + self.key[31:]
        for key, said in ((wrong, "mistake in it"), (self.key[:-1], "not a key"),
                          (self.secret, "this is the secret key"), ("/no/such", "cannot be read"),
                          (self.write("empty", ""), "not a key")):
            _, err = self.run_obhut("backup", "make", "--to", self.file, "--key", key, code=3)
            self.assertIn(said, err)
            self.assertNotIn(self.secret.read_text().splitlines()[-1], err)
        self.assertEqual(list(self.dir.glob("b.obb*")), [])
        self.make()
        public = self.write("operator.public", f"# ours\n\n{self.key}\n")
        public.chmod(0o600)
        self.run_obhut("backup", "make", "--to", self.file, "--key", public)
        self.show()
        _, err = self.show(secret=public, code=3)
        self.assertIn("this is the public key", err)
        self.secret.chmod(0o644)
        _, err = self.show(code=3)
        self.assertIn("others than its owner may read it", err)

    # ---- there and back

    def test_what_was_backed_up_is_restored(self):
        self.fill()
        before = self.state(self.data)
        out, _ = self.make()
        self.assertRegex(out, r"b\.obb: made 20\d\d-.*Z by Obhut .*: \d+ files, \d+ bytes")
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertFalse(pathlib.Path(f"{self.file}.part").exists())
        out, _ = self.restore()
        self.assertIn(f"restored into {self.new}", out)
        for path in [self.new, *self.new.rglob("*")]:
            mode = path.stat().st_mode
            self.assertEqual(mode & 0o777, 0o700 if stat.S_ISDIR(mode) else 0o600, path)
        self.assertEqual({p.name for p in self.new.iterdir()} - {"obhut.db"},
                         {"keys", "lists", "lists.state", "audit"})
        for folder in ("keys", "lists"):
            for path in (self.data / folder).iterdir():
                self.assertEqual((self.new / folder / path.name).read_bytes(), path.read_bytes())
        for name in ("log", "checkpoints", "key"):  # the old ones, and what the restore said
            kept = dict((n, c) for n, _, c in self.opened())[f"audit/{name}"]
            for data in (self.data, self.new):
                self.assertEqual((data / "audit" / name).read_bytes()[:len(kept)], kept)
        self.assertIn(b'"what":"backup.restored"', (self.new / "audit/log").read_bytes())
        self.assertEqual(self.state(self.new), before)

    def opened(self):
        secret = obb.key(self.secret.read_text(), "obhut-secret-")
        return obb.files(obb.unseal(self.file.read_bytes(), secret))

    def test_others_can_read_it_from_its_description(self):
        self.fill(entries=6000)  # more than one piece
        self.make()
        shown = json.loads(self.show()[0])
        these = self.opened()
        self.assertEqual([f["name"] for f in shown["files"]], [n for n, _, _ in these[1:]])
        self.assertEqual([f["bytes"] for f in shown["files"]], [len(c) for _, _, c in these[1:]])
        about = json.loads(these[0][2])
        self.assertEqual(these[0][0], "about")
        self.assertEqual(about["audit_entries"], shown["audit_entries"])
        contents = {name: content for name, _, content in these}
        self.assertEqual(contents["lists/k.obx"], (self.data / "lists/k.obx").read_bytes())
        self.assertEqual(contents["keys/pseudonym"], (self.data / "keys/pseudonym").read_bytes())
        self.assertIn(b"forum", contents["records"])
        self.assertEqual(set(m for _, m, _ in these), {0o600})
        self.assertNotIn(contents["keys/pseudonym"], self.file.read_bytes())
        self.assertNotIn(b"forum", self.file.read_bytes())

    def test_it_goes_through_pipes(self):
        self.fill()
        options = [self.binary, "--data", str(self.data)]
        made = subprocess.run([*options, "backup", "make", "--to", "-", "--key", self.key],
                              capture_output=True, timeout=obhut.LIMIT_S)
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn(b"made 20", made.stderr)
        out, _ = self.run_obhut("backup", "show", "-", "--secret", self.secret, stdin=made.stdout)
        self.assertIn("lists/k.obx", out)
        self.run_obhut("restore", "-", "--secret", self.secret, "--into", self.new,
                       stdin=made.stdout)
        self.assertEqual(self.state(self.new), self.state(self.data))
        gone = subprocess.Popen([*options, "backup", "make", "--to", "-", "--key", self.key],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        gone.stdout.close()
        said = gone.stderr.read()
        self.assertEqual(gone.wait(obhut.LIMIT_S), 3, said)
        self.assertIn(b"Broken pipe", said)
        gone.stderr.close()

    def test_lists_can_be_left_out(self):
        self.fill()
        self.make("--without-lists")
        shown = json.loads(self.show()[0])
        self.assertFalse(shown["lists"])
        self.assertFalse([f for f in shown["files"] if f["name"].startswith("lists/")])
        out, _ = self.restore()
        self.assertIn("lists were left out", out)
        old, self.data = self.data, self.new
        self.assertIn("forum", self.run_obhut("token", "ls")[0])
        self.assertIn("no lists", self.run_obhut("list", "ls")[1])
        self.data = old

    # ---- where it goes

    def test_only_a_backup_is_written_over(self):
        self.fill()
        self.make()
        first = self.file.read_bytes()
        self.make()
        self.assertNotEqual(self.file.read_bytes(), first)
        link, folder = self.dir / "link", self.dir / "folder"
        link.symlink_to(self.file)
        folder.mkdir()
        for path in (self.secret, self.dir / "k.txt", folder, link, "/dev/null"):
            _, err = self.run_obhut("backup", "make", "--to", path, "--key", self.key, code=3)
            self.assertIn("is no backup: it is not written over", err)
        self.assertIn("obhut-secret-", self.secret.read_text())
        _, err = self.run_obhut("backup", "make", "--to", "/no/such/b", "--key", self.key, code=3)
        self.assertIn("cannot be written", err)

    def test_two_at_once_do_not_mix(self):
        self.fill()
        with open(f"{self.file}.part", "wb") as part:
            fcntl.flock(part, fcntl.LOCK_EX)
            _, err = self.make(code=3)
            self.assertIn("another process is writing", err)
        self.make()  # what a killed one left is no obstacle
        self.show()
        self.assertFalse(pathlib.Path(f"{self.file}.part").exists())

    def test_a_directory_that_is_not_there_or_not_ours_is_said(self):
        _, err = self.make(code=3)
        self.assertIn("there is no data directory", err)
        self.assertFalse(self.data.exists())
        self.fill()
        (self.data / "keys/api-token~").write_text("x")
        _, err = self.make(code=3)
        self.assertIn("keys/api-token~ is no file that Obhut has made", err)
        (self.data / "keys/api-token~").unlink()
        (self.data / "keys/half.new").write_text("x")  # a key that is being made
        self.make()
        self.assertNotIn("half", self.show()[0])
        (self.data / "keys/link").symlink_to("/etc/passwd")
        _, err = self.make(code=3)
        self.assertIn("keys/link cannot be read", err)

    def test_a_place_that_is_taken_stays_as_it_is(self):
        self.fill()
        self.make()
        _, err = self.restore(into=self.data, code=3)
        self.assertIn("is not empty", err)
        lock = os.open(self.data / "lock", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        _, err = self.restore(into=self.data, code=3)
        self.assertIn("a service or a command is using", err)
        os.close(lock)
        for there in (self.file, self.secret):
            _, err = self.restore(into=there, code=3)
            self.assertIn("cannot become a directory", err)
        self.new.mkdir(mode=0o755)
        (self.new / "x").write_text("mine")
        self.restore(code=3)
        self.assertEqual((self.new / "x").read_text(), "mine")
        (self.new / "x").unlink()
        link = self.dir / "link"
        link.symlink_to(self.new)
        self.restore(into=f"{link}/")  # an empty one, by another name
        self.assertEqual(self.new.stat().st_mode & 0o777, 0o700)
        self.assertTrue(link.is_symlink())
        self.assertEqual(self.state(self.new), self.state(self.data))

    def test_what_an_earlier_attempt_left_is_removed(self):
        self.fill()
        self.make()
        left = self.dir / "new.restoring"
        (left / "keys").mkdir(parents=True)
        left.chmod(0o700)
        (left / "keys/old").write_text("old")
        held = os.open(left, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        _, err = self.restore(code=3)
        self.assertIn("another restore is working on", err)
        self.assertTrue((left / "keys/old").exists())
        os.close(held)
        self.restore()
        self.assertFalse((self.new / "keys/old").exists())
        self.assertFalse(left.exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_files_belong_to_whoever_owned_the_directory(self):
        self.fill()
        self.make()
        self.new.mkdir()
        os.chown(self.new, 65534, 65534)
        self.restore()
        for path in [self.new, *self.new.rglob("*")]:
            self.assertEqual((path.stat().st_uid, path.stat().st_gid), (65534, 65534), path)

    # ---- damage

    def refused(self, content, said=None):
        bad = self.write("bad.obb", content)
        for _, err in (self.show(bad, code=3), self.restore(bad, code=3)):
            self.assertRegex(err, said or "is damaged|is cut off|damaged or cut off|not a backup|"
                                          "newer version|another key")
        self.nothing_new()

    def test_any_damage_is_found_and_leaves_nothing(self):
        self.fill(entries=6000)
        self.make()
        whole = self.file.read_bytes()
        self.assertGreater(len(whole), 3 * (65536 + 17))
        r = random.Random(5)
        border = 128 + 65536 + 17
        samples = 6 if obhut.SANITIZED else 30
        for at in [0, 8, 12, 16, 24, 104, 128, border - 1, border, len(whole) - 1,
                   *(r.randrange(len(whole)) for _ in range(samples))]:
            self.refused(whole[:at] + bytes([whole[at] ^ 1 << r.randrange(8)]) + whole[at + 1:])
        for size in [0, 5, 50, 127, 128, border - 1, border, border + 1, 2 * border - 128,
                     len(whole) - 1, *(r.randrange(len(whole)) for _ in range(samples))]:
            self.refused(whole[:size])
        self.refused(whole + b"x", "something follows|damaged")
        self.refused(whole[:8] + b"\2" + whole[9:], "made by a newer version")
        self.refused(b"-----BEGIN PGP MESSAGE-----\n" * 100, "this is not a backup")

    def test_another_key_is_said(self):
        self.fill()
        self.make()
        other = self.dir / "other.secret"
        self.run_obhut("backup", "key", "--out", other)
        for _, err in (self.show(secret=other, code=3), self.restore(secret=other, code=3)):
            self.assertIn("made for another key", err)
        self.nothing_new()

    def test_a_forged_backup_reaches_no_other_place(self):
        self.fill()
        self.make()
        public, good = obb.key(self.key, "obhut-public-"), self.opened()
        by_name = dict((n, i) for i, (n, _, _) in enumerate(good))

        def forged(**changes):
            return [(changes.get(n, (n, m, c))) for n, m, c in good]
        log, records = by_name["audit/log"], by_name["records"]
        evil = [
            good[:1] + [("keys/../../evil", 0o600, b"x")] + good[1:],
            good[:1] + [("/tmp/evil", 0o600, b"x")] + good[1:],
            good[:1] + [(b"keys/a\0b", 0o600, b"x")] + good[1:],
            good[:1] + [("keys/evil", 0o4755, b"x")] + good[1:],
            good[1:], good[:records], good[:log] + good[log + 1:], list(reversed(good)),
            good + good[-1:], good + [("zzz", 0o600, b"")],
            good[:records] + [("records", 0o600, b"no records")],
            good[:records] + [("records", 0o600, good[records][2][:-10])],
            good[:records] + [("records", 0o600, b"")],
            good[:log] + [("audit/log", 0o600, good[log][2] + b"more\n")] + good[log + 1:],
        ]
        for these in evil:
            bad = self.write("bad.obb", obb.seal(obb.sequence(these), public))
            _, err = self.restore(bad, code=3)
            self.assertNotEqual(err, "")
            self.nothing_new()
        self.assertFalse((self.dir / "evil").exists())
        self.restore(self.write("good.obb", obb.seal(obb.sequence(good), public)))

    # ---- disks and kills

    def small_disk(self, size):
        """A directory on a disk of so many bytes, and what a command must be run with."""
        folder = self.dir / "small"
        folder.mkdir()
        mount = ctypes.CDLL(None, use_errno=True).mount
        if mount(b"none", os.fsencode(folder), b"tmpfs", 0, f"size={size},mode=700".encode()) == 0:
            self.addCleanup(ctypes.CDLL(None).umount2, os.fsencode(folder), 2)
            return folder, {}

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return folder, {"preexec_fn": limit}

    def test_a_full_disk_leaves_no_half_backup(self):
        self.fill(entries=60000)
        folder, options = self.small_disk(1 << 20)
        self.file = folder / "b.obb"
        self.make("--without-lists", **options)
        old = self.file.read_bytes()
        _, err = self.make(code=3, **options)
        self.assertRegex(err, "cannot be written: (No space left|File too large)")
        self.assertEqual(os.listdir(folder), ["b.obb"])
        self.assertEqual(self.file.read_bytes(), old)
        _, err = self.run_obhut("backup", "make", "--to", "-", "--key", self.key, code=3,
                                stdout=open("/dev/full", "wb"), capture=False)
        self.assertIn("No space left", err)

    def run_obhut(self, *arguments, capture=True, **options):
        """`capture` False: standard output is `stdout`."""
        if capture:
            return super().run_obhut(*arguments, **options)
        done = subprocess.run([self.binary, "--data", str(self.data), *map(os.fspath, arguments)],
                              stdout=options["stdout"], stderr=subprocess.PIPE, timeout=obhut.LIMIT_S)
        options["stdout"].close()
        self.assertEqual(done.returncode, options["code"], done.stderr)
        return "", done.stderr.decode()

    def test_a_full_disk_leaves_no_half_directory(self):
        self.fill(entries=60000)
        self.make()
        folder, options = self.small_disk(1 << 20)
        (folder / "data").mkdir()
        _, err = self.restore(into=folder / "data", code=3, **options)
        self.assertRegex(err, "cannot be (written|changed|made).*: (No space|File too|database|disk)")
        self.assertEqual(os.listdir(folder), ["data"])
        self.assertEqual(os.listdir(folder / "data"), [])
        if not options:  # a file system of its own is no place that can be taken
            (folder / "data").rmdir()
            _, err = self.restore(into=folder, code=3)
            self.assertIn("a file system of its own", err)

    def kill_at_random(self, command, after):
        """Runs it again and again until it was killed 20 times; `after` looks at what is left."""
        wanted = 4 if obhut.SANITIZED else 20
        killed, r = 0, random.Random(9)
        started = time.monotonic()
        subprocess.run([self.binary, "--data", str(self.data), *map(os.fspath, command)],
                       check=True, capture_output=True)
        whole = time.monotonic() - started
        after(True)
        for _ in range(20 * wanted):
            process = subprocess.Popen([self.binary, "--data", str(self.data),
                                        *map(os.fspath, command)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(r.uniform(0, whole))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            after(process.returncode == 0)
            if killed == wanted:
                break
        self.assertEqual(killed, wanted)

    def test_a_killed_backup_is_not_there(self):
        self.fill(entries=60000)

        def after(finished):
            self.assertTrue(self.file.exists() or not finished)
            if self.file.exists():
                self.show()
                self.file.unlink()
        self.kill_at_random(["backup", "make", "--to", self.file, "--key", self.key], after)
        self.make()
        left = [p.name for p in self.data.iterdir() if p.name.startswith(".")]
        self.assertEqual(left, [])

    def test_a_killed_restore_leaves_the_place_untouched(self):
        self.fill(entries=60000)
        self.make()
        before = self.state(self.data)
        empty = self.dir / "empty"
        empty.mkdir()

        def after(finished):
            if not os.listdir(empty):
                self.assertFalse(finished)
                return
            self.assertEqual(self.state(empty), before)
            shutil.rmtree(empty)
            empty.mkdir()
        self.kill_at_random(["restore", self.file, "--secret", self.secret, "--into", empty], after)
        self.restore(into=empty)
        self.assertFalse((self.dir / "empty.restoring").exists())

    def test_every_allocation_and_call_of_a_file_may_fail(self):
        tests = pathlib.Path(self.binary).parent / "tests"
        folder = self.dir
        (folder / "list.txt").write_text(f"{A}\n{B}\n")
        done = subprocess.run(
            [tests / "backup-faults", str(obhut.samples("OBHUT_BACKUP_FAULTS", 40)), "1"],
            cwd=folder, env=dict(os.environ, **obhut.allocations_may_fail()), capture_output=True,
            text=True, timeout=3600)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertGreater(int(done.stdout.split()[0]), 100 if obhut.SANITIZED else 500)

    # ---- the command line

    def test_wrong_use_is_said(self):
        for arguments, said in (
                ([], "which action"), (["all"], "no command backup all"), (["key"], "needs --out"),
                (["key", "--out", "x", "y"], 'too much: "y"'), (["make", "--to", "x"], "--key"),
                (["make", "--to", "x", "--key", "y", "--secret", "z"], "does not take --secret"),
                (["show", "--secret", "x"], "needs one backup"), (["show", "x"], "needs --secret"),
                (["make", "--bogus"], "bogus")):
            _, err = self.run_obhut("backup", *arguments, code=2)
            self.assertIn(said, err)
        self.run_obhut("restore", "x", code=2)
        self.run_obhut("restore", "x", "--secret", "y", "--to", "z", code=2)
        for command in ("backup", "restore"):
            self.assertIn(f"  obhut {command} ", self.run_obhut(command, "--help")[0])


if __name__ == "__main__":
    unittest.main()
