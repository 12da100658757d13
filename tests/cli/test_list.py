"""obhut list, match and scan, as a user runs them."""
import ctypes
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import obhut

A, B, C = obhut.hashes(3, seed=1)


class Lists(obhut.Case):
    def test_a_list_lives_from_import_to_removal(self):
        path = self.write("Known 2024.txt", [A, B])
        out, _ = self.run_obhut("list", "import", path, "--source", "Hotline")
        self.assertIn('list "known-2024": 2 entries', out)
        line, = self.json_lines("list", "ls", "--json")[0]["lists"]
        self.assertEqual((line["list"], line["entries"], line["enabled"], line["source"]),
                         ("known-2024", 2, True, "Hotline"))
        self.assertIn("all checksums right", self.run_obhut("list", "info", "known-2024")[0])
        self.run_obhut("match", A, code=1)
        self.run_obhut("list", "disable", "known-2024")
        _, err = self.run_obhut("match", A)
        self.assertIn("no list is enabled", err)
        self.run_obhut("list", "enable", "known-2024")
        self.run_obhut("match", A, code=1)
        out, _ = self.run_obhut("list", "export", "known-2024")
        self.assertEqual(out.splitlines()[1], f"{A},,,,1,Hotline,")
        self.run_obhut("list", "remove", "known-2024")
        self.run_obhut("match", A)
        _, err = self.run_obhut("list", "info", "known-2024", code=3)
        self.assertIn('no list "known-2024"', err)

    def test_bad_lines_are_named_and_nothing_is_imported(self):
        self.run_obhut("list", "import", self.write("x.txt", [A]))
        bad = self.write("x.csv", ["pdq,id", f"{B},1", "zz,2", f"{C},3"])
        _, err = self.run_obhut("list", "import", bad, code=3)
        self.assertIn(f'list "{bad}", line 3: 2 characters where a hash has 64', err)
        self.run_obhut("match", A, code=1)
        self.run_obhut("match", B)
        line, = self.json_lines("list", "import", bad, "--keep-going", "--json")
        self.assertEqual((line["entries"], line["bad"], line["lines"]), (2, 1, 3))
        self.run_obhut("match", A)
        self.run_obhut("match", B, code=1)

    def test_pictures_with_nothing_in_them_are_refused(self):
        flat, = self.json_lines("hash", "--json", obhut.IMAGES / "flat-grey.png")
        path = self.write("flat.txt", [A, obhut.flip(flat["pdq"], 20)])
        _, err = self.run_obhut("list", "import", path, code=3)
        self.assertIn("line 2: refused: within 31 of a picture with nothing in it", err)
        self.run_obhut("match", A)
        line, = self.json_lines("list", "import", path, "--keep-going", "--json")
        self.assertEqual((line["entries"], line["refused"]), (1, 1))

    def test_photographs_are_not_refused(self):
        objects = self.json_lines("hash", "--json", obhut.IMAGES)
        good = [o["pdq"] for o in objects
                if o["quality"] >= 50 and not o["file"].endswith("checkerboard.png")]
        self.assertGreater(len(good), 15)
        self.run_obhut("list", "import", self.write("photos.txt", good))

    def test_only_one_purpose_exists(self):
        path = self.write("x.txt", [A])
        _, err = self.run_obhut("list", "import", path, "--purpose", "terrorism", code=3)
        self.assertIn("child sexual abuse", err)
        self.run_obhut("list", "import", path, "--purpose", "csam")

    def test_matches_are_told_by_distance(self):
        near, far = obhut.flip(A, 5), obhut.flip(A, 31)
        self.run_obhut("list", "import",
                       self.write("x.csv", ["id,pdq", f"far,{far}", f"near,{near}",
                                            f"beyond,{obhut.flip(A, 32)}"]))
        line, = self.json_lines("match", "--json", A, code=1)
        self.assertEqual(line["query"], A)
        self.assertEqual([(m["list"], m["entry"], m["pdq"], m["distance"])
                          for m in line["matches"]],
                         [("x", "near", near, 5), ("x", "far", far, 31)])
        line, = self.json_lines("match", "--json", "--distance", "4", A)
        self.assertEqual(line["matches"], [])
        out, _ = self.run_obhut("match", A, B, code=1)
        self.assertEqual(out.splitlines(), [f"{A}\tx\tnear\t{near}\t5", f"{A}\tx\tfar\t{far}\t31",
                                            f"{B}\t-"])

    def test_hashes_are_read_from_standard_input(self):
        many = obhut.hashes(20000, seed=2)
        self.run_obhut("list", "import", self.write("x.txt", many[::100]))
        text = "\n".join(many[:5000]) + "\nzz\n\n" + "x" * 100000 + "\n" + "\n".join(many[5000:])
        lines = self.json_lines("match", "--json", "-", stdin=text.encode(), code=1)
        good = [l for l in lines if "matches" in l]
        self.assertEqual([l["query"] for l in good], many)
        self.assertEqual([bool(l["matches"]) for l in good], [i % 100 == 0 for i in range(20000)])
        self.assertEqual([i for i, l in enumerate(lines) if "error" in l], [5000, 5001])

    def test_an_answer_does_not_wait_for_more_questions(self):
        self.run_obhut("list", "import", self.write("x.txt", [A]))
        with subprocess.Popen([obhut.BINARY, "--data", str(self.data), "match", "--json", "-"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(A.encode() + b"\n")
            process.stdin.flush()
            self.assertEqual(len(json.loads(process.stdout.readline())["matches"]), 1)
            process.stdin.close()
            self.assertEqual(process.wait(), 1)

    def test_scan_finds_altered_copies_and_says_how(self):
        from PIL import Image
        import PIL.ImageEnhance
        source = Image.open(obhut.IMAGES / "rocket-640x427.jpg").convert("RGB")
        listed, = self.json_lines("hash", "--json", obhut.IMAGES / "rocket-640x427.jpg")
        self.run_obhut("list", "import",
                       self.write("x.csv", ["pdq,id,source,classification",
                                            f"{listed['pdq']},entry-7,Hotline,A1"]))
        copies = {
            "small.jpg": source.resize((400, 267)),
            "bright.jpg": PIL.ImageEnhance.Brightness(source).enhance(1.2),
            "mirrored.png": source.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            "turned.png": source.transpose(Image.Transpose.ROTATE_90),
        }
        for name, picture in copies.items():
            picture.save(self.dir / name)
        lines = self.json_lines("scan", "--surface", "public", "--json", *(self.dir / n for n in copies), code=1)
        for line in lines:
            match, = line["matches"]
            self.assertEqual((match["list"], match["entry"], match["sources"],
                              match["classification"]), ("x", "entry-7", ["Hotline"], "A1"))
            self.assertEqual(match["threshold"], 31)
            self.assertEqual(match["version"],
                             "stored" if match["orientation"] == "original" else "turned")
            self.assertLessEqual(match["distance"], 31)
        self.assertEqual([l["matches"][0]["orientation"] for l in lines],
                         ["original", "original", "flipy", "rotate270"])
        out, _ = self.run_obhut("scan", "--surface", "public", obhut.IMAGES / "coffee-grey.jpg")
        self.assertIn("nothing found", out)
        out, _ = self.run_obhut("scan", "--surface", "public", obhut.IMAGES / "flat-grey.png")
        self.assertIn("not matched by hash: quality 0 is below 50", out)
        line, = self.json_lines("scan", "--surface", "public", "--json", obhut.IMAGES / "flat-grey.png")
        self.assertEqual((line["matches"], line["not_matched"]), ([], "LOW_QUALITY"))
        cut = self.write("cut.jpg", (obhut.IMAGES / "coffee-grey.jpg").read_bytes()[:9000])
        self.run_obhut("scan", "--surface", "public", cut, code=3)
        self.run_obhut("scan", "--surface", "public", cut, self.dir / "small.jpg", code=1)

    def test_entries_come_and_go(self):
        self.run_obhut("list", "import", self.write("x.txt", [A]))
        out, _ = self.run_obhut("list", "add", "x", B, "md5:" + "ab" * 16, "--source", "Own")
        self.assertEqual(out, 'list "x": 2 added\n')
        out, _ = self.run_obhut("list", "add", "x", B, C, "--id", "second")
        self.assertEqual(out, 'list "x": 2 added\n')
        out, _ = self.run_obhut("list", "add", "x", C, "--id", "second")
        self.assertIn("0 added, the others were there", out)
        line, = self.json_lines("match", "--json", B, code=1)
        self.assertEqual([(m["entry"], m["sources"]) for m in line["matches"]],
                         [(B[:16], ["Own", ""]), ("second", ["", "Own"])])  # as /v1/scan tells
        line, = self.json_lines("match", "--json", "md5:" + "AB" * 16, code=1)
        self.assertEqual(line["matches"][0]["digest"], "md5")
        self.run_obhut("list", "withdraw", "x", B, "--id", "second")
        line, = self.json_lines("match", "--json", B, code=1)
        self.assertEqual(len(line["matches"]), 1)
        self.run_obhut("list", "withdraw", "x", A, B)
        self.run_obhut("match", A, B)
        _, err = self.run_obhut("list", "withdraw", "x", "--id", "nobody", code=3)
        self.assertIn('list "x" has no such entry', err)
        info, = self.json_lines("list", "info", "x", "--json")
        self.assertEqual((info["entries"], info["unmerged"], info["withdrawn"]), (2, 2, 3))
        before = self.run_obhut("list", "export", "x")[0]
        self.run_obhut("list", "merge", "x")
        self.assertEqual(self.run_obhut("list", "export", "x")[0], before)
        info, = self.json_lines("list", "info", "x", "--json")
        self.assertEqual((info["entries"], info["unmerged"], info["withdrawn"]), (2, 0, 0))
        self.run_obhut("list", "add", "x", code=2)
        flat, = self.json_lines("hash", "--json", obhut.IMAGES / "flat-grey.png")
        _, err = self.run_obhut("list", "add", "x", flat["pdq"], code=3)
        self.assertIn("a picture with nothing in it", err)
        self.run_obhut("list", "withdraw", "x", code=2)
        self.run_obhut("list", "add", "x", A, "--name", "y", code=2)

    def test_an_update_of_what_was_imported_adds_nothing_also_without_ids(self):
        plain = self.write("x.txt", [A, B])
        self.run_obhut("list", "import", plain)
        line, = self.json_lines("list", "update", "x", plain, "--json")
        self.assertEqual((line["entries"], line["duplicates"]), (0, 2))
        more = self.write("more.txt", [B, C])
        for added in (1, 0):
            line, = self.json_lines("list", "update", "x", more, "--json")
            self.assertEqual((line["entries"], line["duplicates"]), (added, 2 - added))
        for queried in (A, B, C):
            line, = self.json_lines("match", "--json", queried, code=1)
            self.assertEqual(len(line["matches"]), 1)
        # with an id it is an entry of its own, as it is at an import
        line, = self.json_lines("list", "update", "x", self.write("y.csv", ["pdq,id", f"{A},77"]), "--json")
        self.assertEqual(line["entries"], 1)

    def test_an_update_adds_and_withdraws(self):
        self.run_obhut("list", "import", self.write("x.csv", ["pdq,id", f"{A},1", f"{B},2"]))
        delta = self.write("delta.jsonl", [
            json.dumps({"pdq": C, "id": "3", "source": "Feed", "md5": "cd" * 16}),
            json.dumps({"pdq": A, "id": "1", "state": "withdrawn"}),
            json.dumps({"pdq": B, "id": "7", "state": "withdrawn"})])  # another id: stays
        line, = self.json_lines("list", "update", "x", delta, "--json")
        self.assertEqual((line["lines"], line["entries"], line["withdrawn"]), (3, 1, 1))
        self.run_obhut("match", A)
        self.run_obhut("match", B, code=1)
        line, = self.json_lines("match", "--json", "md5:" + "cd" * 16, code=1)
        self.assertEqual(line["matches"][0]["sources"], ["Feed"])
        bad = self.write("bad.txt", [A, "zz"])
        _, err = self.run_obhut("list", "update", "x", bad, code=3)
        self.assertIn("line 2: 2 characters", err)
        self.run_obhut("match", A)
        _, err = self.run_obhut("list", "update", "nobody", delta, code=3)
        self.assertIn('no list "nobody"', err)

    def test_files_are_found_by_their_bytes_too(self):
        import hashlib
        video = self.write("some.mp4", os.urandom(100000))
        cut = self.write("cut.jpg", (obhut.IMAGES / "coffee-grey.jpg").read_bytes()[:9000])
        flat = obhut.IMAGES / "flat-grey.png"
        (self.dir / "tree").mkdir()
        for path in (video, cut, flat):
            (self.dir / "tree" / path.name).write_bytes(path.read_bytes())
        (self.dir / "tree/notes.txt").write_text("nothing\n")
        digests = [hashlib.md5(video.read_bytes()).hexdigest() + ",,",
                   "," + hashlib.sha1(cut.read_bytes()).hexdigest() + ",",
                   ",," + hashlib.sha256(flat.read_bytes()).hexdigest()]
        self.run_obhut("list", "import", self.write("d.csv", ["md5,sha1,sha256", *digests]))
        lines = self.json_lines("scan", "--surface", "public", "--json", self.dir / "tree", code=1)
        self.assertEqual({os.path.basename(l["file"]): [m["digest"] for m in l["matches"]]
                          for l in lines},
                         {"some.mp4": ["md5"], "cut.jpg": ["sha1"], "flat-grey.png": ["sha256"]})
        out, _ = self.run_obhut("scan", "--surface", "public", video, code=1)
        self.assertIn("some.mp4: list d, entry 2, the same bytes (md5)", out)
        self.run_obhut("scan", "--surface", "public", self.dir / "tree/notes.txt", code=3)

    def test_a_damaged_list_stops_matching(self):
        self.run_obhut("list", "import", self.write("x.txt", [A]))
        path = self.data / "lists/x.obx"
        content = bytearray(path.read_bytes())
        content[20] ^= 1
        path.write_bytes(content)
        _, err = self.run_obhut("match", A, code=3)
        self.assertIn("x.obx: damaged list file", err)

    def test_files_are_for_their_owner_only(self):
        self.run_obhut("list", "import", self.write("x.txt", [A]))
        self.assertEqual(os.stat(self.data / "lists").st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(self.data / "lists/x.obx").st_mode & 0o777, 0o600)


class Interrupted(obhut.Case):
    """The old list answers whatever happens to the new one."""

    def setUp(self):
        super().setUp()
        self.run_obhut("list", "import", self.write("old.txt", [A]), "--name", "x")

    def old_list_answers(self):
        self.run_obhut("match", A, code=1)
        self.run_obhut("list", "info", "x")

    def test_a_killed_import_leaves_the_old_list(self):
        count = 20000 if obhut.SANITIZED else 2000000 if obhut.SOAK else 300000
        new = self.write("new.txt", obhut.hashes(count, seed=3))
        command = [obhut.BINARY, "--data", str(self.data), "list", "import", str(new), "--name",
                   "x"]
        started = time.monotonic()
        subprocess.run([*command[:-1], "whole"], check=True, capture_output=True)
        whole = time.monotonic() - started

        def after(finished):
            info, = self.json_lines("list", "info", "x", "--json")
            if finished or info["entries"] != 1:  # killed between the swap and its end
                self.assertEqual(info["entries"], count)
                self.run_obhut("match", A)
                self.run_obhut("list", "import", self.dir / "old.txt", "--name", "x", "--accept", "shrinking")
            self.old_list_answers()
        self.kill_at_random(command, whole, random.Random(4), after)
        self.run_obhut("list", "import", new, "--name", "x")
        self.run_obhut("match", A)
        self.assertEqual(sorted(os.listdir(self.data / "lists")), ["whole.obx", "x.obx"])

    def changes(self, count):
        """A delta, and the hashes that it adds."""
        new = obhut.hashes(count, seed=6)
        return self.write("delta.jsonl", [json.dumps({"pdq": h, "id": f"n{i}"})
                                          for i, h in enumerate(new)]), new

    def kill_at_random(self, command, whole, moments, after):
        """Starts it again and again until it was killed often enough; `after` looks at what is
        left, and hears whether it had finished."""
        wanted, killed = obhut.samples("OBHUT_KILLS", 10), 0
        for _ in range(20 * wanted):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(moments.uniform(0, whole))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            killed += process.returncode == -signal.SIGKILL
            after(process.returncode == 0)
            if killed == wanted:
                break
        self.assertEqual(killed, wanted)

    def export(self, name):
        return set(self.run_obhut("list", "export", name)[0].splitlines()[1:])

    def test_a_killed_merge_loses_nothing_and_brings_nothing_back(self):
        base = obhut.hashes(20000 if obhut.SANITIZED else 200000, seed=8)
        self.run_obhut("list", "import", self.write("base.txt", base), "--name", "x")
        delta, _ = self.changes(3000)
        self.run_obhut("list", "update", "x", delta)
        gone = [{"pdq": h, "state": "withdrawn"} for h in base[::50]]
        self.run_obhut("list", "update", "x",
                       self.write("gone.jsonl", [json.dumps(g) for g in gone]))
        expected = self.export("x")
        self.assertEqual(len(expected), len(base) - len(gone) + 3000)
        command = [obhut.BINARY, "--data", str(self.data), "list", "merge", "x"]
        started = time.monotonic()
        subprocess.run(command, check=True)
        whole = time.monotonic() - started
        extra = iter(obhut.hashes(1000, seed=9))

        def after(finished):
            self.assertEqual(self.export("x"), expected)
            new = next(extra)  # and changes go on
            self.run_obhut("list", "add", "x", new)
            expected.add(f"{new},,,,{new[:16]},,")
        self.kill_at_random(command, whole, random.Random(10), after)
        self.assertEqual(self.export("x"), expected)
        self.run_obhut("list", "merge", "x")
        self.assertEqual(self.export("x"), expected)
        left = [n for n in os.listdir(self.data / "lists") if n != "x.obx"]
        self.assertEqual(len(left), 1, left)  # the journal that is open

    def test_a_killed_update_leaves_all_of_it_or_nothing(self):
        delta, new = self.changes(3000 if obhut.SANITIZED else 60000 if obhut.SOAK else 20000)
        command = [obhut.BINARY, "--data", str(self.data), "list", "update", "x", str(delta)]
        copy = [*command]
        self.run_obhut("list", "import", self.dir / "old.txt", "--name", "y")
        copy[5] = "y"
        started = time.monotonic()
        subprocess.run(copy, check=True, capture_output=True)
        whole = time.monotonic() - started
        after_it = {A} | set(new)

        def after(finished):
            there = {line.split(",")[0] for line in self.export("x")}
            self.assertIn(there, ([after_it] if finished else [{A}, after_it]))
            self.run_obhut("list", "import", self.dir / "old.txt", "--name", "x", "--accept", "shrinking")
        self.kill_at_random(command, whole, random.Random(11), after)

    def audit_entries(self):
        lines = (self.data / "audit/log").read_text().splitlines()
        return [json.loads(line[65:]) for line in lines]

    @unittest.skipIf(obhut.SANITIZED, "sanitizers have an allocator of their own")
    def test_an_update_whose_disk_fails_is_not_done_and_the_log_says_so(self):
        preload = pathlib.Path(obhut.BINARY).parent / "tests/fault-preload.so"
        base = obhut.hashes(200, seed=21)
        self.run_obhut("list", "import", self.write("base.txt", base), "--name", "x")
        self.run_obhut("list", "add", "x", B)
        before = self.export("x")
        delta = self.write("delta.jsonl", [
            json.dumps({"pdq": h, "id": f"n{i}", "md5": h[:32]})
            for i, h in enumerate(obhut.hashes(9000, seed=22))
        ] + [json.dumps({"pdq": h, "state": "withdrawn"}) for h in base[:50]])
        failed = 0
        while True:
            environment = dict(os.environ, LD_PRELOAD=str(preload), FAULT_PATH="/lists/x.",
                               FAULT_NUMBER=str(failed + 1))
            out, err = self.run_obhut("list", "update", "x", delta, "--json", code=None,
                                      env=environment)
            entries = self.audit_entries()
            if not err:
                break
            failed += 1
            self.assertEqual(out, "")
            self.assertRegex(err, r'list "x" was not updated: .*x\.1\.log cannot be (written|made '
                                  r"durable): No space")
            self.assertEqual(self.export("x"), before)
            self.run_obhut("match", B, base[0], code=1)
            self.assertEqual([e["what"] for e in entries[-2:]], ["list.update", "not_done"])
            self.assertEqual(entries[-1]["entry"], entries[-2]["n"])
        self.assertGreater(failed, 5)  # several pieces, and the sync
        done = {"entries": 9000, "withdrawn": 50, "lines": 9050, "duplicates": 0, "bad": 0}
        self.assertEqual({k: json.loads(out)[k] for k in done}, done)
        self.assertEqual([e["what"] for e in entries[-2:]], ["list.update", "done"])
        self.assertEqual({k: entries[-1][k] for k in done}, done)
        self.assertEqual(len(self.export("x")), len(before) + 9000 - 50)

    @unittest.skipIf(obhut.SANITIZED, "sanitizers have an allocator of their own")
    def test_whatever_fails_an_update_is_whole_or_nothing_and_takes_two_syncs(self):
        tests = pathlib.Path(obhut.BINARY).parent / "tests"
        memory = pathlib.Path("/dev/shm")  # a disk that needs no waiting
        folder = tempfile.mkdtemp(prefix="obhut-", dir=memory if memory.is_dir() else None)
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        done = subprocess.run(
            [tests / "lists-faults", str(obhut.samples("OBHUT_LIST_FAULTS", 4)), "1"], cwd=folder,
            env={"LD_PRELOAD": str(tests / "fault-preload.so")}, capture_output=True, text=True,
            timeout=3600)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertGreater(int(done.stdout.split()[0]), 50)

    def full_disk(self):
        """A data directory on a disk of one megabyte: a file system of its own where this process
        may mount one, else a limit on the size of files."""
        mount = ctypes.CDLL(None, use_errno=True).mount
        self.data = self.dir / "small"
        self.data.mkdir()
        if mount(b"none", os.fsencode(self.data), b"tmpfs", 0, b"size=1m,mode=700") == 0:
            self.addCleanup(ctypes.CDLL(None).umount2, os.fsencode(self.data), 2)
            return {}

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        return {"preexec_fn": limit}

    def test_a_full_disk_is_said_and_nothing_is_lost(self):
        options = self.full_disk()
        self.run_obhut("list", "import", self.dir / "old.txt", "--name", "x")
        new = self.write("new.txt", obhut.hashes(60000, seed=5))
        _, err = self.run_obhut("list", "import", new, "--name", "x", code=3, **options)
        self.assertRegex(err, "cannot be written: (No space left|File too large)")
        self.old_list_answers()
        self.assertEqual(os.listdir(self.data / "lists"), ["x.obx"])

    def test_a_full_disk_stops_changes_and_merges_and_loses_nothing(self):
        options = self.full_disk()
        self.run_obhut("list", "import", self.write("base.txt", obhut.hashes(5000, seed=12)),
                       "--name", "x")  # a good third of the disk
        delta, _ = self.changes(4000)
        expected = self.export("x")
        failed = False
        for start in range(0, 40000, 500):
            part = self.write("part.txt", obhut.hashes(500, seed=start))
            out, err = self.run_obhut("list", "update", "x", part, code=None, **options)
            if err:
                self.assertRegex(err, "cannot be (written|made durable): (No space|File too)")
                failed = True
                break
            expected |= {f"{h},,,,{h[:16]},," for h in obhut.hashes(500, seed=start)}
        self.assertTrue(failed)
        self.assertEqual(self.export("x"), expected)
        _, err = self.run_obhut("list", "merge", "x", code=3, **options)
        self.assertRegex(err, "cannot be (written|made|opened)")
        self.assertEqual(self.export("x"), expected)
        self.assertFalse([n for n in os.listdir(self.data / "lists") if n.startswith(".")])

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_what_root_makes_belongs_to_whoever_owns_the_directory(self):
        self.data = self.dir / "of-a-service"
        self.data.mkdir()
        os.chown(self.data, 65534, 65534)
        self.run_obhut("list", "import", self.write("known.txt", [A]), "--name", "known")
        self.run_obhut("list", "add", "known", B)
        self.run_obhut("list", "disable", "known")
        for path in [*(self.data / "lists").rglob("*"), *self.data.glob("l*")]:
            self.assertEqual((path.stat().st_uid, path.stat().st_gid), (65534, 65534), path)

    def test_who_changes_nothing_writes_nothing(self):
        state = self.data / "lists.state"
        before = state.stat()
        self.run_obhut("list", "withdraw", "x", C, code=None)
        self.assertEqual((before.st_ino, before.st_mtime_ns),
                         (state.stat().st_ino, state.stat().st_mtime_ns))

    def test_two_imports_at_once_do_not_mix(self):
        held = os.open(self.data / "lock", os.O_RDWR)
        import fcntl
        fcntl.flock(held, fcntl.LOCK_EX)
        _, err = self.run_obhut("list", "import", self.dir / "old.txt", "--name", "y", code=3)
        self.assertIn("another process is changing lists", err)
        self.old_list_answers()
        os.close(held)
        self.run_obhut("list", "import", self.dir / "old.txt", "--name", "y")


if __name__ == "__main__":
    unittest.main()
