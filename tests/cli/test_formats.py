"""Every format and kind of picture: its hash, or a sentence that says why not."""
import fcntl
import functools
import io
import os
import random
import resource
import select
import shutil
import struct
import subprocess
import unittest
import zlib

import obhut
import waiting
from PIL import Image, ImageDraw, ImageOps

ROCKET = obhut.IMAGES / "rocket-640x427.jpg"
HEIF = shutil.which("heif-enc")


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


@functools.cache
def picture():
    return Image.open(ROCKET).convert("RGB").resize((320, 214), Image.Resampling.LANCZOS)


def encode(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


class Formats(obhut.Case):
    def hash_of(self, content, name="x", **options):
        line, = self.json_lines("hash", "--json", "--exact", "--dihedral", self.write(name, content),
                                **options)
        return line

    def refused(self, content, reason, code=3):
        path = self.write("refused", content)
        _, err = self.run_obhut("hash", path, code=code)
        self.assertIn(reason, err)
        self.assertNotIn("a worker was lost", err)

    def test_lossless_copies_in_every_format_have_the_same_hash(self):
        image = picture()
        modes = {
            "RGB": image, "L": image.convert("L"), "1": image.convert("1"),
            "P": image.quantize(200), "RGBA": image.convert("RGBA"), "LA": image.convert("LA"),
            "CMYK": image.convert("CMYK"), "I;16": image.convert("L").point(lambda v: v * 257, "I")
                                                                    .convert("I;16"),
        }
        modes["RGBA"].putalpha(Image.linear_gradient("L").resize(image.size))
        kinds = [("PNG", "1 L LA P RGB RGBA I;16", {}), ("WEBP", "L P RGB RGBA", {"lossless": True,
                                                                                  "exact": True}),
                 ("GIF", "1 L P", {}), ("TIFF", "1 L LA P RGB RGBA CMYK", {}),
                 ("TIFF", "L P RGB", {"compression": "tiff_lzw"}),
                 ("TIFF", "L RGB", {"compression": "tiff_adobe_deflate"}),
                 ("TIFF", "RGB", {"compression": "packbits"}),
                 ("TIFF", "1", {"compression": "group4"})]
        for form, names, options in kinds:
            for mode in names.split():
                with self.subTest(form=form, mode=mode, **options):
                    got = self.hash_of(encode(modes[mode], form, **options))
                    plain = modes[mode].point(lambda v: v / 257).convert("L") if mode == "I;16" \
                        else modes[mode]
                    expected = self.hash_of(encode(plain.convert("RGB"), "PNG"))
                    self.assertEqual(got["format"], form.lower())
                    self.assertEqual((got["width"], got["height"]), image.size)
                    self.assertLessEqual(distance(got["pdq"], expected["pdq"]), 2)
                    self.assertLessEqual(abs(got["quality"] - expected["quality"]), 1)

    def test_lossy_copies_are_near(self):
        image = picture()
        expected = self.hash_of(encode(image, "PNG"))["pdq"]
        for form, options in (("JPEG", {"quality": 80}), ("WEBP", {"quality": 80}),
                              ("TIFF", {"compression": "jpeg"})):
            got = self.hash_of(encode(image, form, **options))
            self.assertLessEqual(distance(got["pdq"], expected), 14, form)

    @unittest.skipUnless(HEIF, "no encoder of HEIF on this machine")
    def test_heif_is_decoded_by_its_own_worker(self):
        path = self.write("x.png", encode(picture(), "PNG"))
        expected = self.hash_of(path.read_bytes())["pdq"]
        for name, form, options in (("x.heic", "heic", []), ("x.avif", "avif", ["-A"])):
            subprocess.run([HEIF, *options, "-q", "80", path, "-o", self.dir / name], check=True,
                           capture_output=True)
            content = (self.dir / name).read_bytes()
            got = self.hash_of(content)
            self.assertEqual(got["format"], form)
            self.assertEqual((got["width"], got["height"]), picture().size)
            self.assertLessEqual(distance(got["pdq"], expected), 14)
            self.refused(content[:len(content) // 2], "damaged " + form.upper())

    def test_what_exif_turns_is_known_both_ways(self):
        image = picture()
        shown = self.hash_of(encode(image, "PNG"))
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            for form in ("JPEG", "PNG", "WEBP", "TIFF"):
                with self.subTest(orientation=orientation, form=form):
                    options = {"quality": 95} if form == "JPEG" else {}
                    if form == "WEBP":
                        options = {"lossless": True}
                    options |= {"tiffinfo": {274: orientation}} if form == "TIFF" else {"exif": exif}
                    # stored so that it looks upright when turned as EXIF says
                    inverse = {6: 8, 8: 6}.get(orientation, orientation)
                    back = Image.Exif()
                    back[0x0112] = inverse
                    stored = image.copy()
                    stored.info["exif"] = back.tobytes()
                    stored.getexif()[0x0112] = inverse
                    turned = ImageOps.exif_transpose(stored)
                    for key in ("exif", "Raw profile type exif"):
                        turned.info.pop(key, None)
                    content = encode(turned, form, **options)
                    got = self.hash_of(content)
                    self.assertEqual(got.get("exif_orientation", 1), orientation)
                    self.assertEqual((got["width"], got["height"]), turned.size)
                    self.assertLessEqual(
                        distance(got.get("pdq_shown", got["pdq"]), shown["pdq"]),
                        10 if form == "JPEG" else 2)
                    if orientation == 6 and form == "JPEG":
                        self.run_obhut("list", "import", self.write("l.txt", [shown["pdq"]]))
                        line, = self.json_lines("scan", "--surface", "public", "--json", self.write("t.jpg", content),
                                                code=1)
                        self.assertEqual(line["matches"][0]["version"], "shown")

    def frames(self, count, size=(96, 64)):
        made = []
        for i in range(count):
            frame = picture().resize(size).rotate(3 * i)
            ImageDraw.Draw(frame).rectangle((i % 80, 5, i % 80 + 15, 30), fill=(i * 5 % 256, 0, 90))
            made.append(frame)
        return made

    def frames_alone(self, content):
        """Hashes of all frames, each as a picture of its own."""
        folder, moving = self.dir / "alone", Image.open(io.BytesIO(content))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number in range(moving.n_frames):
            moving.seek(number)
            (folder / f"{number:04}.png").write_bytes(encode(moving.convert("RGB"), "PNG"))
        return [line["pdq"] for line in self.json_lines("hash", "--json", "--exact", folder)]

    def test_every_frame_of_a_moving_picture_is_near_a_hash_that_is_kept(self):
        for form, count in (("GIF", 2), ("GIF", 8), ("GIF", 100), ("WEBP", 30), ("TIFF", 12),
                            ("PNG", 20)):
            with self.subTest(form=form, count=count):
                frames = self.frames(count)
                if form == "GIF":
                    frames = [f.quantize(128) for f in frames]
                options = {"lossless": True} if form == "WEBP" else {}
                content = encode(frames[0], form, save_all=True, append_images=frames[1:],
                                 **options)
                got = self.hash_of(content)
                self.assertEqual(got["frames"], count)
                self.assertNotIn("unseen", got)
                kept = [got["pdq"]] + [f["pdq"] for f in got.get("more_frames", [])]
                for number, expected in enumerate(self.frames_alone(content)):
                    self.assertLessEqual(min(distance(pdq, expected) for pdq in kept), 16, number)

    def test_one_picture_is_hashed_by_one_worker_however_many_threads_there_are(self):
        frames = [f.quantize(128) for f in self.frames(100)]
        path = self.write("x.gif", encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
        out, into = os.pipe()
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, 4096)  # less than is said of so many frames: it waits while we look
        command = subprocess.Popen([self.binary, "hash", "--json", "--threads", "8", path], stdout=into)
        os.close(into)
        with open(out, "rb") as out:
            try:
                waiting.until(lambda: select.select([out], [], [], 0)[0], "it tells of the picture")
                workers = [pid for pid in obhut.children(command.pid) if b"obhut-worker" in obhut.command(pid)[0]]
                self.assertEqual(len(workers), 1)
                self.assertIn(b'"frames":100', out.read())
            finally:
                command.kill()
                command.wait()

    def test_a_later_frame_is_found(self):
        frames = self.frames(20)
        for form in ("WEBP", "PNG", "GIF"):
            options = {"lossless": True} if form == "WEBP" else {}
            content = encode(frames[0], form, save_all=True, append_images=frames[1:], **options)
            got = self.hash_of(content)["more_frames"][-1]
            self.run_obhut("list", "import", "--name", form.lower(),
                           self.write("l.txt", [got["pdq"]]))
            line, = self.json_lines("scan", "--surface", "public", "--json",
                                    self.write("x", content), code=1)
            self.assertIn(got["frame"], [m["frame"] for m in line["matches"]])

    def test_what_was_cut_is_marked_or_has_no_hash(self):
        image = picture()
        moving = self.frames(5)
        kinds = {
            "webp": encode(image, "WEBP"),
            "webp-lossless": encode(image, "WEBP", lossless=True),
            "gif": encode(image.quantize(64), "GIF"),
            "tiff": encode(image, "TIFF"),
            "tiff-lzw": encode(image, "TIFF", compression="tiff_lzw"),
            "bmp": encode(image, "BMP"),
        }
        movies = {
            "webp-moving": encode(moving[0], "WEBP", save_all=True, append_images=moving[1:]),
            "gif-moving": encode(moving[0], "GIF", save_all=True, append_images=moving[1:]),
        }
        for name, content in (kinds | movies).items():
            for part in range(1, 12):
                cut = content[:max(16, len(content) * part // 12 - 7)]
                with self.subTest(kind=name, part=part):
                    still = name in kinds and part < 10
                    out, err = self.run_obhut("hash", "--json", self.write("cut", cut),
                                              code=3 if still else None)
                    self.assertTrue('"error"' in out or '"incomplete":true' in out)
                    self.assertNotIn("a worker was lost", err)

    def test_bombs_are_refused_at_once(self):
        def png_chunk(kind, content):
            return (struct.pack(">I", len(content)) + kind + content +
                    struct.pack(">I", zlib.crc32(kind + content)))
        header = struct.pack(">IIBBBBB", 50000, 50000, 8, 2, 0, 0, 0)
        bombs = {
            "PNG of 50,000 x 50,000": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) +
                png_chunk(b"IDAT", zlib.compress(bytes(1 << 20))),
            "GIF of 50,000 x 50,000": b"GIF89a" + struct.pack("<HHBBB", 50000, 50000, 0xF0, 0, 0) +
                bytes(6) + b"," + struct.pack("<HHHHB", 0, 0, 50000, 50000, 0) + b"\x08\x00;",
            "TIFF of 50,000 x 50,000": b"II*\0\x08\0\0\0" + struct.pack("<H", 5) + b"".join(
                struct.pack("<HHII", tag, 4, 1, value) for tag, value in
                ((256, 50000), (257, 50000), (258, 8), (262, 1), (273, 8))) + bytes(4),
        }
        for name, content in bombs.items():
            with self.subTest(bomb=name):
                self.refused(content, "50000 x 50000")

    def test_of_endless_frames_those_within_the_limit_are_hashed_and_the_rest_is_told_of(self):
        gif = (b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0xF0, 0, 0) + bytes(6) +
               b",\0\0\0\0\1\0\1\0\0\2\2D\1\0" * 10000 + b";")
        frame = Image.new("RGB", (16, 16))
        frames = [Image.new("RGB", (16, 16), (i % 256, i // 256 * 9, 0)) for i in range(4200)]
        webp = encode(frame, "WEBP", save_all=True, append_images=frames, lossless=True)
        for content in (gif, webp):
            got = self.hash_of(content)
            self.assertEqual((got["frames"], got["unseen"]), (4096, "TOO_LARGE"))
            line, = self.json_lines("scan", "--surface", "public", "--json",
                                    self.write("x", content), code=None)
            self.assertEqual(line["action"], "undecodable")
            # so many frames are too slow for who has a sanitizer and little of the processor
            self.assertIn(line["reason"], ("TOO_LARGE", "TOO_SLOW") if obhut.SANITIZED else ("TOO_LARGE",))

    def test_large_pictures_take_no_more_memory_than_is_given(self):
        big = Image.new("L", (15000, 15000), 90)
        ImageDraw.Draw(big).ellipse((1000, 2000, 12000, 14000), fill=200)
        got = self.hash_of(encode(big, "PNG", compress_level=1))
        self.assertEqual(got["width"], 15000)

    def test_mutated_files_of_every_format_have_a_hash_or_a_reason(self):
        image, moving = picture().resize((64, 48)), self.frames(4, (48, 32))
        seeds = [encode(image, "WEBP"), encode(image, "WEBP", lossless=True),
                 encode(moving[0], "WEBP", save_all=True, append_images=moving[1:]),
                 encode(image.quantize(64), "GIF"),
                 encode(moving[0], "GIF", save_all=True, append_images=moving[1:]),
                 encode(image, "TIFF"), encode(image, "TIFF", compression="tiff_lzw"),
                 encode(image, "TIFF", compression="jpeg"),
                 encode(moving[0], "TIFF", save_all=True, append_images=moving[1:])]
        if HEIF:
            path = self.write("seed.png", encode(image, "PNG"))
            for options, name in (([], "seed.heic"), (["-A"], "seed.avif")):
                subprocess.run([HEIF, *options, path, "-o", self.dir / name], check=True,
                               capture_output=True)
                seeds.append((self.dir / name).read_bytes())
        numbers = random.Random(12 + obhut.SEED)
        count = obhut.samples("OBHUT_CLI_MUTATIONS", 2000)
        folder = self.dir / "mutated"
        folder.mkdir()
        for i in range(count):
            content = bytearray(seeds[i % len(seeds)])
            for _ in range(numbers.randint(1, 8)):
                where = numbers.choice((numbers.randrange(len(content)),
                                        numbers.randrange(min(200, len(content)))))
                content[where] = numbers.choice((0, 0xFF, numbers.randrange(256)))
            if i % 5 == 0:
                del content[numbers.randrange(len(content)):]
            (folder / f"{i:06}.{'tif' if i % 2 else 'webp'}").write_bytes(content)
        lines = self.json_lines("hash", "--json", folder, code=None)
        self.assertEqual(len(lines), count)
        reasons = [line["error"] for line in lines if "error" in line]
        self.assertGreater(len(reasons), count // 20)
        self.assertFalse([r for r in reasons if "asked for" in r or "crashed" in r or
                          "ended (exit" in r or "makes no sense" in r][:5])

    def test_a_file_that_shrinks_meanwhile_costs_only_itself(self):
        path = self.write("x.png", encode(picture(), "PNG"))
        with open(path, "r+b") as file:
            file.truncate(0)
        _, err = self.run_obhut("hash", path, code=3)
        self.assertIn("an empty file", err)


if __name__ == "__main__":
    unittest.main()
