"""obhut hash, as a user runs it."""
import hashlib
import json
import os
import random
import shutil
import subprocess
import unittest

import obhut


class Hash(obhut.Case):
    def test_the_published_values_come_out(self):
        """--exact, both variants, all orientations, over the conformance pictures."""
        expected = json.loads((obhut.IMAGES.parent / "expected.json").read_text())
        got = {}
        for variant in ("full", "reference"):
            for line in self.json_lines("hash", "--json", "--dihedral", "--exact", "--variant",
                                        variant, obhut.IMAGES):
                got[variant, os.path.basename(line["file"])] = line
        for line in expected:
            name = line["file"]
            full, reference = got["full", name], got["reference", name]
            self.assertEqual((full["width"], full["height"]), (line["width"], line["height"]))
            self.assertEqual(full["quality"], line["quality_full"], name)
            if not line["degenerate"]:
                self.assertEqual(full["pdq"], line["pdq_full"], name)
                self.assertEqual(reference["pdq"], line["pdq_reference"], name)
                self.assertEqual(reference["quality"], line["quality_reference"], name)
                self.assertEqual(list(reference["dihedral"].values()), line["dihedral_reference"])

    def test_digests_are_those_of_the_file(self):
        for line in self.json_lines("hash", "--json", obhut.IMAGES):
            content = open(line["file"], "rb").read()
            for name in ("md5", "sha1", "sha256"):
                self.assertEqual(line[name], hashlib.new(name, content).hexdigest())

    def test_text_and_json_agree_and_keep_the_order_of_names(self):
        out, _ = self.run_obhut("hash", obhut.IMAGES)
        lines = [line.split(None, 2) for line in out.splitlines()]
        objects = self.json_lines("hash", "--json", "--threads", "1", obhut.IMAGES)
        self.assertEqual(lines, [[o["pdq"], str(o["quality"]), o["file"]] for o in objects])
        self.assertEqual([l[2] for l in lines], sorted(l[2] for l in lines))
        self.assertEqual(len(lines), len(os.listdir(obhut.IMAGES)))

    def test_a_file_that_cannot_be_read_has_an_error_and_no_hash(self):
        good = obhut.IMAGES / "coffee-grey.jpg"
        cut = self.write("cut.jpg", good.read_bytes()[:20000])
        other = self.write("notes.jpg", "no picture")
        empty = self.write("empty.png", "")
        missing = self.dir / "missing.jpg"
        out, err = self.run_obhut("hash", cut, good, other, empty, missing, code=3)
        self.assertEqual(len(out.splitlines()), 1)
        for path, reason in ((cut, "cut short, at row"), (other, "no picture of a format that is known"),
                             (empty, "an empty file"), (missing, "No such file")):
            self.assertRegex(err, f"obhut: {path}: .*{reason}")
        objects = self.json_lines("hash", "--json", cut, good, code=3)
        self.assertIn("cut short", objects[0]["error"])
        self.assertNotIn("pdq", objects[0])
        self.assertIn("pdq", objects[1])

    def test_directories_are_walked_and_other_files_left_out(self):
        tree = self.dir / "tree"
        (tree / "a/b").mkdir(parents=True)
        shutil.copy(obhut.IMAGES / "noise-5x5.png", tree / "a/b/one.dat")
        shutil.copy(obhut.IMAGES / "noise-5x5.png", tree / "two.png")
        (tree / "readme.txt").write_text("hello")
        (tree / "a/broken.jpg").write_text("hello")
        os.symlink(tree, tree / "a/loop")
        os.symlink(tree / "two.png", tree / "link.png")
        os.mkfifo(tree / "pipe.jpg")
        out, err = self.run_obhut("hash", tree, code=3)
        self.assertEqual([l.split()[-1] for l in out.splitlines()],
                         [str(tree / "a/b/one.dat"), str(tree / "two.png")])
        self.assertIn("broken.jpg: no picture of a format that is known", err)
        self.assertIn("4 other files", err)
        self.run_obhut("hash", tree / "pipe.jpg", code=3)  # does not wait for a writer

    def test_names_that_are_not_utf8_are_told_of(self):
        name = os.fsencode(self.dir) + b"/\xff\xfe.png"
        shutil.copy(obhut.IMAGES / "noise-5x5.png", name)
        line, = self.json_lines("hash", "--json", name)
        self.assertTrue(line["file"].endswith("/\ufffd\ufffd.png"))

    def test_a_name_with_a_line_end_begins_no_line(self):
        """What is printed is read again, a hash a line: a file's name must not be one."""
        fake = "f" * 64
        self.run_obhut("list", "import", self.write("known.txt", [self.json_lines("hash", "--json", obhut.IMAGES / "coffee-grey.jpg")[0]["pdq"]]))
        for name in (f"a\n{fake} 100 b.jpg", "a\x1b[2Jb.jpg", "a\x7f.jpg"):
            file = self.dir / name
            shutil.copy(obhut.IMAGES / "coffee-grey.jpg", file)
            shown = "".join("?" if ord(c) < 32 or ord(c) == 127 else c for c in str(file))
            line, = self.run_obhut("hash", file)[0].splitlines()
            self.assertTrue(line.endswith(" " + shown), line)
            line, = self.run_obhut("scan", "--surface", "public", file, code=1)[0].splitlines()
            self.assertTrue(line.startswith(shown + ": list known"), line)
            self.assertEqual(self.json_lines("hash", "--json", file)[0]["file"], str(file))
            _, err = self.run_obhut("hash", str(file) + "x", code=3)
            self.assertEqual(len(err.splitlines()), 2, err)

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([obhut.BINARY, "hash", obhut.IMAGES], stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"could not be written", done.stderr)

    def test_wrong_usage_is_said_with_a_hint(self):
        for arguments in (["hash"], ["hash", "--no-such"], ["hash", "--variant", "x", "y"],
                          ["hash", "--threads", "0", "y"], ["hash", "--dihedral", "y"],
                          ["nothing"], [], ["--data"]):
            done = subprocess.run([obhut.BINARY, *arguments], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("--help", done.stderr)
        for arguments in (["--help"], ["hash", "--help"], ["scan", "--help"],
                          ["match", "--help"], ["list", "--help"]):
            out, _ = self.run_obhut(*arguments)
            self.assertIn("Usage: obhut", out)

    def test_mutated_files_have_a_hash_or_an_error(self):
        numbers = random.Random(3)
        seeds = [(obhut.IMAGES / name).read_bytes() for name in (
            "chelsea-63x65.png", "chelsea-palette-interlaced.png", "rocket-q30.jpg",
            "coffee-513x342.jpg", "text-1200x300.png", "astronaut-512-444-progressive.jpg")]
        total = obhut.samples("OBHUT_CLI_MUTATIONS", 1000)
        tree = self.dir / "mutated"
        tree.mkdir()
        for number in range(total):
            content = bytearray(numbers.choice(seeds))
            for _ in range(numbers.randint(1, 6)):
                at = numbers.randrange(len(content))
                kind = numbers.randrange(5)
                if kind == 0:
                    content[at] ^= 1 << numbers.randrange(8)
                elif kind == 1:
                    content[at:at + 4] = numbers.randbytes(4)
                elif kind == 2:
                    content[min(at, 200)] = numbers.randrange(256)
                elif kind == 3:
                    content[at:at] = content[numbers.randrange(len(content)):][:100]
                elif len(content) > 100:
                    del content[at:]
                    content = content or bytearray(b"\xff")
            ending = 'png' if content[:1] == b'\x89' else 'jpg'
            (tree / f"{number:06}.{ending}"
             ).write_bytes(content)
        objects = self.json_lines("hash", "--json", tree, code=3)
        self.assertEqual(len(objects), total)
        hashed = sum("pdq" in o for o in objects)
        self.assertEqual(hashed + sum(bool(o.get("error")) for o in objects), total)
        self.assertGreater(hashed, 0)


if __name__ == "__main__":
    unittest.main()
