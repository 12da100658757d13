"""What people see is what is hashed: files that browsers show although something is odd about them, and
pictures that look otherwise than their stored colours. Each is made here, and compared with the plain
picture that a browser draws of it."""
import io
import shutil
import struct
import subprocess
import sys
import unittest
import zlib

import obhut
from PIL import Image, ImageDraw

sys.path.insert(0, str(obhut.ROOT / "tests/pictures"))
import kinds  # noqa: E402

ROCKET = obhut.IMAGES / "rocket-640x427.jpg"
PICTURES = obhut.ROOT / "tests/cli/pictures"
HEIF = shutil.which("heif-enc")


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


def picture(name="rocket-640x427.jpg", size=(320, 240)):
    image = Image.open(obhut.IMAGES / name).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    image.info.clear()  # a profile would go on into every copy, and count before gamma
    return image


def another():
    return picture("coffee-513x342.jpg")


def encode(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def segments(jpeg):
    """(marker, from, to) of every segment up to the first scan, and of every scan."""
    at, found = 2, []
    while at + 4 <= len(jpeg) and jpeg[at + 1] != 0xD9:
        end = at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if jpeg[at + 1] == 0xDA:
            while not (jpeg[end] == 0xFF and jpeg[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        found.append((jpeg[at + 1], at, end))
        at = end
    return found


def png_chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content +
            struct.pack(">I", zlib.crc32(kind + content)))


def with_chunk(png, kind, content):
    return png[:33] + png_chunk(kind, content) + png[33:]


def profile(curve):
    """An ICC profile with the primaries of sRGB and one curve for all three."""
    def xyz(*values):
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)
    trc = b"curv\0\0\0\0" + struct.pack(">I", len(curve)) + b"".join(
        struct.pack(">H", v) for v in curve)
    text = b"desc\0\0\0\0\0\0\0\2x\0" + bytes(78)
    tags = [(b"rXYZ", xyz(.4361, .2225, .0139)), (b"gXYZ", xyz(.3851, .7169, .0971)),
            (b"bXYZ", xyz(.1431, .0606, .7141)), (b"wtpt", xyz(.9642, 1, .8249)),
            (b"rTRC", trc), (b"gTRC", trc), (b"bTRC", trc), (b"desc", text), (b"cprt", text)]
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), bytes(4), 0x02100000, b"mntr",
                       b"RGB ", b"XYZ ") + bytes(12) + b"acsp" + bytes(28) + struct.pack(
                           ">iii", 63190, 65536, 54061) + bytes(48)
    return head[:128] + table + body


def of_twelve_bits(values):
    """Two numbers in three bytes."""
    return b"".join((a << 12 | b).to_bytes(3, "big") for a, b in zip(values[::2], values[1::2]))


def tiff(size, bits, photometric, content):
    """One strip without compression; a width whose rows are whole bytes."""
    tags = [(256, 4, 1, size[0]), (257, 4, 1, size[1]),
            (258, 3, len(bits), 8 if len(bits) > 2 else bits[0]), (259, 3, 1, 1),
            (262, 3, 1, photometric), (273, 4, 1, 16), (277, 3, 1, len(bits)),
            (278, 4, 1, size[1]), (279, 4, 1, len(content))]
    content += bytes(len(content) % 2)
    return (b"II*\0" + struct.pack("<I", 16 + len(content)) + struct.pack("<4H", *(bits * 4)[:4]) +
            content + struct.pack("<H", len(tags)) +
            b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4))


class Seen(obhut.Case):
    def hashes(self, content, **options):
        line, = self.json_lines("hash", "--json", self.write("x", content), **options)
        return line

    def drawn(self, image):
        return self.hashes(encode(image.convert("RGB"), "PNG"))["pdq"]

    def all_of(self, line):
        return [line["pdq"]] + [m["pdq"] for m in line.get("more_frames", [])]

    def expect(self, content, image, most=10, incomplete=False):
        line = self.hashes(content)
        self.assertEqual(line.get("incomplete", False), incomplete)
        self.assertLessEqual(min(distance(h, self.drawn(image)) for h in self.all_of(line)), most)
        return line

    def looks(self, line):
        return {m["look"] for m in line.get("more_frames", [])}

    def scan(self, content, **options):
        line, = self.json_lines("scan", "--surface", "public", "--json",
                                self.write("x", content), code=None, **options)
        return line

    # ---- JPEG

    def test_a_scan_header_with_wrong_coefficients_is_no_damage(self):
        jpeg = bytearray(encode(picture(), "JPEG", quality=90))
        _, at, _ = [s for s in segments(jpeg) if s[0] == 0xDA][0]
        jpeg[at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0] - 2] = 0
        self.expect(bytes(jpeg), picture())

    def test_a_progressive_picture_without_its_end_mark_is_whole(self):
        jpeg = encode(picture(), "JPEG", quality=90, progressive=True)
        self.expect(jpeg[:-2], picture())
        self.expect(jpeg[:-2] + bytes(40), picture())

    def test_a_scan_that_comes_twice_is_no_damage(self):
        jpeg = encode(picture(), "JPEG", quality=90, progressive=True)
        _, at, end = [s for s in segments(jpeg) if s[0] == 0xDA][0]
        self.expect(jpeg[:end] + jpeg[at:end] + jpeg[end:], picture())

    def test_ink_is_inverted_without_a_marker_too(self):
        jpeg = encode(picture().convert("CMYK"), "JPEG", quality=90)
        (_, at, end), = [s for s in segments(jpeg) if s[0] == 0xEE]
        self.expect(jpeg, picture())
        self.expect(jpeg[:at] + jpeg[end:], picture())

    def test_of_a_cut_jpeg_what_is_there_is_hashed_and_marked(self):
        large = picture(size=(1280, 960))  # so that the last row of blocks is a small part
        for progressive in (False, True):
            jpeg = encode(large, "JPEG", quality=90, progressive=progressive)
            self.expect(jpeg[:-60], large, most=31, incomplete=True)
        self.run_obhut("hash", self.write("half", encode(picture(), "JPEG")[:5000]), code=3)

    def test_a_jpeg_that_goes_on_behind_its_damage_is_hashed_as_everybody_shows_it(self):
        large = picture(size=(1280, 960))
        jpeg = encode(large, "JPEG", quality=90)
        closed = jpeg[:len(jpeg) * 93 // 100] + b"\xFF\xD9"
        shown = Image.open(io.BytesIO(closed)).convert("RGB")  # libjpeg, as in browsers
        self.expect(closed, shown, most=4, incomplete=True)

    def test_a_damaged_jpeg_has_no_hash_of_grey(self):
        jpeg = bytearray(encode(picture(), "JPEG", quality=90))
        _, at, end = [s for s in segments(jpeg) if s[0] == 0xDA][0]
        jpeg[at + 400:] = b"\xFF\xD9"
        self.run_obhut("hash", self.write("grey", bytes(jpeg)), code=3)

    def test_orientation_is_read_behind_a_mark_that_is_not_quite_one(self):
        exif = Image.Exif()
        exif[0x0112] = 6
        jpeg = encode(picture(), "JPEG", quality=90, exif=exif)
        self.assertEqual(self.hashes(jpeg.replace(b"Exif\0\0", b"Exif\0\xFF"))["exif_orientation"], 6)

    # ---- GIF

    def gif(self, image=None, **options):
        return encode((image or picture()).quantize(200), "GIF", **options)

    def test_a_gif_without_its_trailer_is_whole(self):
        gif = self.gif()
        self.expect(gif[:-1], picture())

    def test_zeros_end_a_gif(self):
        gif = self.gif()
        self.expect(gif[:-1] + b"\0\0;", picture())
        self.expect(gif[:-1] + bytes(9), picture())

    def test_a_screen_is_as_large_as_the_first_frame(self):
        gif = self.gif()
        for size in ((160, 120), (0, 0)):
            line = self.expect(gif[:6] + struct.pack("<HH", *size) + gif[10:], picture())
            self.assertEqual((line["width"], line["height"]), (320, 240))

    def test_what_is_transparent_in_a_first_frame_is_the_page(self):
        mask = Image.new("L", (320, 240), 255)
        ImageDraw.Draw(mask).ellipse((40, 30, 280, 210), fill=0)
        image = picture().quantize(200)
        image.paste(201, mask=mask)
        image.putpalette(image.getpalette()[:600] + [0] * 3 + [0, 0, 255])
        gif = encode(image, "GIF", transparency=201)
        line = self.hashes(gif)
        for page in ("white", "black"):
            seen = picture().quantize(200).convert("RGB")
            seen.paste(page, mask=mask)
            self.assertLessEqual(min(distance(h, self.drawn(seen)) for h in self.all_of(line)), 10)

    def test_every_picture_of_a_slide_show_is_hashed(self):
        shows = [picture().rotate(30 * i) for i in range(12)]
        gif = encode(shows[0].quantize(128), "GIF", save_all=True, duration=3000,
                     append_images=[s.quantize(128) for s in shows[1:]])
        for show in shows:
            self.expect(gif, show, most=12)

    def test_frames_before_a_damaged_one_are_hashed(self):
        shows = [picture(), another()]
        gif = encode(shows[0].quantize(128), "GIF", save_all=True, duration=900,
                     append_images=[shows[1].quantize(128)])
        self.expect(gif[:len(gif) * 2 // 3], shows[0], incomplete=True)

    # ---- PNG

    def test_frames_of_a_moving_png_are_hashed_and_so_is_a_picture_that_it_hides(self):
        for hidden in (False, True):
            content = encode(another(), "PNG", save_all=True, default_image=hidden,
                             append_images=[picture()])
            self.expect(content, picture())
            self.expect(content, another())

    def test_frames_of_a_moving_png_lie_where_they_say(self):
        below, above = picture(), another().resize((100, 80))
        whole = below.copy()
        whole.paste(above, (120, 60))
        content = encode(below, "PNG", save_all=True, append_images=[whole], disposal=0, blend=0)
        self.expect(content, whole)

    def test_a_picture_that_is_its_transparency_is_found_over_a_page(self):
        grey = picture().convert("L")
        for form in ("PNG", "WEBP", "TIFF"):
            options = {"lossless": True, "exact": True} if form == "WEBP" else {}
            black = Image.merge("RGBA", [Image.new("L", grey.size)] * 3 + [
                grey.point(lambda v: 255 - v)])
            self.assertIn("on_white", self.looks(self.expect(encode(black, form, **options), grey)))
            white = Image.merge("RGBA", [Image.new("L", grey.size, 255)] * 3 + [grey])
            self.assertIn("on_black", self.looks(self.expect(encode(white, form, **options), grey)))

    def test_colours_that_nobody_sees_hide_no_picture(self):
        mask = Image.new("L", (320, 240))
        ImageDraw.Draw(mask).ellipse((20, 20, 300, 220), fill=255)
        stored = another()
        stored.paste(picture(), mask=mask)
        stored.putalpha(mask)
        line = self.hashes(encode(stored, "PNG"))
        for page in ("white", "black"):
            seen = Image.new("RGB", (320, 240), page)
            seen.paste(picture(), mask=mask)
            self.assertLessEqual(min(distance(h, self.drawn(seen)) for h in self.all_of(line)), 10)
        self.assertLessEqual(distance(line["pdq"], self.drawn(stored.convert("RGB"))), 2)

    def test_an_opaque_picture_has_one_hash(self):
        self.assertNotIn("more_frames", self.hashes(encode(picture().convert("RGBA"), "PNG")))

    def test_gamma_is_applied_as_browsers_do(self):
        stored = picture().point(lambda v: round(255 * (v / 255) ** .25))
        png = with_chunk(encode(stored, "PNG"), b"gAMA", struct.pack(">I", round(100000 / 8.8)))
        def srgb(v):
            return 12.92 * v if v <= .0031308 else 1.055 * v ** (1 / 2.4) - .055
        drawn = stored.point(lambda v: round(255 * srgb((v / 255) ** 8.8)))
        self.assertEqual(self.looks(self.expect(png, drawn)), {"coloured"})
        usual = with_chunk(encode(picture(), "PNG"), b"gAMA", struct.pack(">I", 45455))
        self.assertNotIn("more_frames", self.hashes(usual))

    def test_a_profile_is_applied_as_browsers_do(self):
        icc = profile([round(65535 * (1 - v / 255) ** 2.2) for v in range(256)])
        negative = picture().point(lambda v: 255 - v)
        for form in ("JPEG", "PNG", "WEBP"):
            options = {"quality": 92} if form != "PNG" else {}
            line = self.expect(encode(negative, form, icc_profile=icc, **options), picture())
            self.assertEqual(self.looks(line), {"coloured"})

    def test_a_profile_for_ink_is_applied_as_browsers_do(self):
        negative = picture().point(lambda v: 255 - v)
        def grey(v):  # of CIE's lightness
            level = 100 * v / 255
            light = ((level + 16) / 116) ** 3 if level > 8 else level / 903.3
            return 255 * (12.92 * light if light <= .0031308 else 1.055 * light ** (1 / 2.4) - .055)
        seen = picture().convert("RGB", (1 / 3, 1 / 3, 1 / 3, 0) * 3).point(grey)
        jpeg = encode(negative.convert("CMYK"), "JPEG", quality=92, icc_profile=kinds.ink_profile())
        line = self.expect(jpeg, seen)
        self.assertEqual(self.looks(line), {"coloured"})
        self.expect(jpeg, negative)
        usual = profile([round(65535 * (v / 255) ** 2.2) for v in range(256)])
        self.assertNotIn("more_frames", self.hashes(  # no profile for ink
            encode(negative.convert("CMYK"), "JPEG", quality=92, icc_profile=usual)))

    def test_a_wrong_check_sum_takes_no_pixel_away(self):
        png = bytearray(encode(picture(), "PNG"))
        png[-17] ^= 1  # the last byte of Adler-32
        self.expect(bytes(png), picture())
        png[-13] ^= 1  # CRC of the pixels
        self.expect(bytes(png), picture())

    def test_of_a_cut_png_what_is_there_is_hashed_and_marked(self):
        png = encode(picture(), "PNG")
        self.expect(png[:len(png) * 97 // 100], picture(), most=31, incomplete=True)
        self.run_obhut("hash", self.write("half", png[:len(png) // 2]), code=3)

    # ---- AVIF, BMP, ICO, TIFF

    @unittest.skipUnless(HEIF, "no encoder of AVIF on this machine")
    def test_an_avif_is_known_by_a_compatible_brand(self):
        subprocess.run([HEIF, "-A", "-q", "90", self.write("x.png", encode(picture(), "PNG")), "-o",
                        self.dir / "x.avif"], check=True, capture_output=True)
        avif = (self.dir / "x.avif").read_bytes()
        for brand in (b"miaf", b"MA1B", b"avio", b"mif2", b"isom", b"mif1"):
            self.assertEqual(self.expect(avif[:8] + brand + avif[12:], picture())["format"], "avif")

    @unittest.skipUnless(HEIF, "no worker for AVIF on this machine")
    def test_a_crop_of_an_avif_hides_nothing(self):
        line = self.hashes((PICTURES / "crop-off-corner.avif").read_bytes())
        self.assertIn("whole", self.looks(line))
        self.assertEqual((line["width"], line["height"]), (64, 48))

    @unittest.skipUnless(HEIF, "no worker for AVIF on this machine")
    def test_frames_of_a_moving_avif_are_hashed(self):
        line = self.hashes((PICTURES / "moving.avif").read_bytes())
        self.assertEqual(line["frames"], 3)
        self.assertEqual({m["frame"] for m in line["more_frames"]} - {0}, {1, 2})

    def test_every_kind_of_bmp_is_hashed(self):
        for mode in ("1", "L", "P", "RGB"):
            image = picture().quantize(200) if mode == "P" else picture().convert(mode)
            self.assertEqual(self.expect(encode(image, "BMP"), image)["format"], "bmp")
        self.expect(encode(picture().convert("RGBA"), "BMP"), picture())
        upside_down = bytearray(encode(picture().transpose(Image.Transpose.FLIP_TOP_BOTTOM), "BMP"))
        upside_down[22:26] = struct.pack("<i", -240)
        self.expect(bytes(upside_down), picture())

    def test_the_largest_icon_is_hashed(self):
        image = picture(size=(256, 256))
        for kind in ("png", "bmp"):
            content = encode(image, "ICO", sizes=[(32, 32), (128, 128)], bitmap_format=kind)
            self.assertEqual(self.expect(content, image.resize((128, 128), Image.Resampling.LANCZOS),
                                         most=16)["format"], "ico")

    def test_a_tiff_whose_chain_of_pages_leads_nowhere_has_its_first_page(self):
        tiff = bytearray(encode(picture(), "TIFF"))
        at, = struct.unpack("<I", tiff[4:8])
        count, = struct.unpack("<H", tiff[at:at + 2])
        tiff[at + 2 + 12 * count:at + 6 + 12 * count] = struct.pack("<I", len(tiff) + 1000)
        self.expect(bytes(tiff), picture(), incomplete=True)

    def test_samples_of_other_kinds_than_bytes_are_hashed(self):
        grey = picture().convert("L")
        self.expect(encode(grey.convert("F").point(lambda v: v / 255 + 0), "TIFF"), grey)
        self.expect(encode(grey.convert("F"), "TIFF"), grey)
        self.expect(encode(grey.convert("I"), "TIFF"), grey)
        self.expect(tiff(grey.size, [12], 1, of_twelve_bits([v << 4 for v in grey.getdata()])), grey)
        self.expect(tiff(grey.size, [24], 0, b"".join(
            (65793 * (255 - v)).to_bytes(3, "little") for v in grey.getdata())), grey)
        ink = b"".join(struct.pack("<4H", *(257 * (255 - v) for v in rgb), 0)
                       for rgb in picture().getdata())
        self.expect(tiff(grey.size, [16] * 4, 5, ink), picture())

    # ---- Answers

    def test_what_browsers_show_and_nobody_looks_at_is_never_allowed(self):
        hdr = with_chunk(encode(picture(), "PNG"), b"cICP", bytes((9, 16, 0, 1)))
        for content in (b"<svg xmlns='http://www.w3.org/2000/svg'/>",
                        b"\0\0\0\x1cftypmif3\0\0\0\0avifmif3" + bytes(90),
                        b"\xFF\x0A" + bytes(90), hdr):
            line = self.scan(content)
            self.assertEqual((line["action"], line["reason"]), ("undecodable", "UNSUPPORTED"))

    def test_an_answer_says_which_look_matched(self):
        grey = picture().convert("L")
        black = Image.merge("RGBA", [Image.new("L", grey.size)] * 3 + [grey.point(lambda v: 255 - v)])
        self.run_obhut("list", "import", self.write("l.txt", [self.drawn(grey)]))
        match, = self.scan(encode(black, "PNG"))["matches"]
        self.assertEqual((match["look"], match["version"]), ("on_white", "stored"))
        match, = self.scan(encode(grey, "PNG"))["matches"]
        self.assertEqual(match["look"], "stored")


if __name__ == "__main__":
    unittest.main()
