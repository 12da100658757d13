"""Pictures of every kind that a browser shows otherwise than one would think: made here, from
photographs, by number. What each is, docs/HASHING.md says in its table."""
import base64
import functools
import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

from PIL import Image, ImageDraw, ImageOps

IMAGES = pathlib.Path(__file__).resolve().parent.parent / "conformance/pdq/images"
NAMES = ("rocket-640x427.jpg", "coffee-513x342.jpg", "astronaut-512-444-progressive.jpg",
         "hubble-1000x872.jpg", "coffee-2400x1600.jpg", "astronaut-1600.jpg")
SIZE = (384, 288)


@functools.cache
def photograph(n):
    """One of many: another cut of one of a few photographs."""
    image = Image.open(IMAGES / NAMES[n % len(NAMES)]).convert("RGB")
    left, top = (n * 37 % 4) / 12, (n * 23 % 4) / 12
    width, height = image.size
    box = (int(left * width), int(top * height), int((left + .7) * width), int((top + .7) * height))
    image = image.crop(box).resize(SIZE, Image.Resampling.LANCZOS)
    image.info.clear()  # a profile would go on into every copy
    return ImageOps.mirror(image) if n // len(NAMES) % 2 else image


def other(n):
    return photograph(n + 1)


def encode(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def tool(arguments, images, ending):
    """What an encoder makes of pictures in files."""
    with tempfile.TemporaryDirectory(prefix="obhut-") as raw:
        folder = pathlib.Path(raw)
        for i, image in enumerate(images):
            image.save(folder / f"{i}.png")
        names = [folder / f"{i}.png" for i in range(len(images))]
        subprocess.run([*arguments, *names, folder / f"out.{ending}"], check=True, capture_output=True)
        return (folder / f"out.{ending}").read_bytes()


def avif(*images, options=()):
    return tool(["avifenc", "-s", "9", "--min", "6", "--max", "10", *options], images, "avif")


# ---- JPEG ---------------------------------------------------------------------------------------

def segments(jpeg):
    """(marker, from, to) of every segment and scan."""
    found, at = [], 2
    while at < len(jpeg) and jpeg[at + 1] != 0xD9:
        end = at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
        if jpeg[at + 1] == 0xDA:
            while not (jpeg[end] == 0xFF and jpeg[end + 1] not in (0, *range(0xD0, 0xD8))):
                end += 1
        found.append((jpeg[at + 1], at, end))
        at = end
    return found


def scans(jpeg):
    return [(at, end) for marker, at, end in segments(jpeg) if marker == 0xDA]


def progressive(n):
    return encode(photograph(n), "JPEG", quality=90, progressive=True, subsampling=n % 3)


def scan_header(n):
    jpeg = bytearray(encode(photograph(n), "JPEG", quality=80 + n % 15, subsampling=n % 3))
    at, _ = scans(jpeg)[0]
    end = at + 2 + struct.unpack(">H", jpeg[at + 2:at + 4])[0]
    jpeg[end - 3:end] = bytes((n % 2, (0, 5, 62)[n % 3], 0))
    return "jpeg", bytes(jpeg)


def no_end_mark(n):
    return "jpeg", progressive(n)[:-2] + bytes(n % 4 * 20)


def scan_twice(n):
    jpeg = progressive(n)
    of = scans(jpeg)
    if n % 2:
        at, end = of[0]
        return "jpeg", jpeg[:end] + jpeg[at:end] + jpeg[end:]
    at, end = of[-1]
    return "jpeg", jpeg[:end] + jpeg[at:end] + jpeg[end:]


def ink(n):
    jpeg = encode(photograph(n).convert("CMYK"), "JPEG", quality=85 + n % 10)
    (_, at, end), = [s for s in segments(jpeg) if s[0] == 0xEE]
    return "jpeg", jpeg if n % 4 == 3 else jpeg[:at] + jpeg[end:]


def saturated(n):
    """Smooth colours that are nearly all one brightness."""
    colours = Image.merge("HSV", [Image.linear_gradient("L").resize(SIZE).point(
        lambda v: (v * (1 + n % 4) + 40 * n) % 256), Image.new("L", SIZE, 250),
        Image.radial_gradient("L").resize(SIZE).point(lambda v: 255 - v // 3)])
    return "jpeg", encode(colours.convert("RGB"), "JPEG", quality=39 + n * 3, subsampling=2)


def turned(n):
    exif = Image.Exif()
    exif[0x0112] = 1 + n % 8
    jpeg = encode(photograph(n), "JPEG", quality=90, exif=exif)
    return "jpeg", jpeg.replace(b"Exif\0\0", b"Exif\0\xFF") if n % 2 else jpeg


# ---- GIF ----------------------------------------------------------------------------------------

def few_colours(image, count):
    return image.quantize(count, method=Image.Quantize.FASTOCTREE)


def gif(image, **options):
    return encode(few_colours(image, 200), "GIF", **options)


def show(images, **options):
    """A slide show."""
    first, *more = [few_colours(image, 128) for image in images]
    return encode(first, "GIF", save_all=True, append_images=more, duration=2000, **options)


def no_trailer(n):
    content = gif(photograph(n), interlace=n % 2) if n % 3 else show([photograph(n), other(n)])
    return "gif", content[:-1]


def zeros(n):
    content = gif(photograph(n), interlace=n % 2)
    return "gif", content[:-1] + bytes(1 + n % 5) + (b";" if n % 2 else b"")


def slides(n):
    images = [photograph(n + i).rotate(11 * i) for i in range(9 + n)]
    if n % 3 == 2:
        return "webp", encode(images[0], "WEBP", save_all=True, append_images=images[1:],
                              duration=2000, quality=85)
    return "gif", show(images)


def small_screen(n):
    content = gif(photograph(n))
    size = ((0, 0), (160, 120), (300, 1), (1, 200))[n % 4]
    return "gif", content[:6] + struct.pack("<HH", *size) + content[10:]


def sticker(n):
    mask = Image.new("L", SIZE, 255)
    ImageDraw.Draw(mask).ellipse((30 + n, 20, 340, 270 - n), fill=0)
    image = few_colours(photograph(n), 200)
    image.paste(201, mask=mask)
    image.putpalette(image.getpalette()[:600] + [0, 0, 0, 0, 0, 255])
    if n % 2:
        return "gif", encode(image, "GIF", transparency=201)
    mirrored = ImageOps.mirror(image)
    return "gif", encode(image, "GIF", save_all=True, append_images=[mirrored], transparency=201,
                         disposal=2 + n // 2 % 2, duration=500)


def many_frames(n):
    """Small frames that repeat, with another picture in the middle; of one file more than 4,096."""
    image = photograph(n).resize((64, 48)).quantize(64)
    frames = [image, ImageOps.flip(image)] * (2060 if n == 13 else 40 + 20 * n)
    frames[len(frames) // 3] = other(n).resize((64, 48)).quantize(64)
    return "gif", encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=40)


# ---- Transparency -------------------------------------------------------------------------------

def alpha_file(image, n):
    form = ("png", "webp", "avif", "png")[n % 4]
    if form == "avif":
        return form, avif(image, options=["--minalpha", "0", "--maxalpha", "2"])
    if n % 4 == 3:
        return form, encode(few_colours(image, 250), "PNG")
    options = {"lossless": True, "exact": True} if form == "webp" else {}
    return form, encode(image, form, **options)


def alpha_only(n):
    grey = photograph(n).convert("L")
    value, alpha = (255, grey) if n // 4 % 2 else (0, ImageOps.invert(grey))
    return alpha_file(Image.merge("RGBA", [Image.new("L", SIZE, value)] * 3 + [alpha]), n)


def hidden_colours(n):
    mask = Image.new("L", SIZE, 0 if n % 3 else 110)
    ImageDraw.Draw(mask).ellipse((10 + 3 * n, 10, 370, 270), fill=255)
    stored = other(n).copy()
    stored.paste(photograph(n), mask=mask.point(lambda v: 255 * (v > 200)))
    stored.putalpha(mask)
    return alpha_file(stored, n % 4 if n % 4 != 3 else 0)


# ---- PNG ----------------------------------------------------------------------------------------

def chunk(kind, content):
    return (struct.pack(">I", len(content)) + kind + content +
            struct.pack(">I", zlib.crc32(kind + content)))


def with_chunk(png, kind, content):
    return png[:33] + chunk(kind, content) + png[33:]


def moving_png(n):
    images = [photograph(n), other(n), photograph(n + 2)]
    if n % 4 == 3:  # a part, blended onto what is there
        part = other(n).resize((150, 150)).convert("RGBA")
        part.putalpha(Image.linear_gradient("L").resize(part.size))
        whole = Image.new("RGBA", SIZE)
        whole.paste(part, (90, 60))
        images = [photograph(n).convert("RGBA"), whole]
    return "png", encode(images[0], "PNG", save_all=True, append_images=images[1:],
                         default_image=not n % 2, disposal=n % 3, blend=n % 4 == 3)


def check_sums(n):
    png = bytearray(encode(photograph(n), "PNG"))
    png[-17 if n % 3 else -13] ^= 1 + n  # the last byte of Adler-32; the first of the chunk's
    return "png", bytes(png)


def gamma(n):
    stored = photograph(n).point(lambda v: round(255 * (v / 255) ** ((1.5 + n) / 2.2)))
    value = round(100000 * (1.5 + n) / 2.2 / 2.2) if n % 2 else (2000, 9000, 100000, 45455)[n // 2 % 4]
    return "png", with_chunk(encode(stored, "PNG"), b"gAMA", struct.pack(">I", value))


# ---- Colours ------------------------------------------------------------------------------------

def profile(curve, swapped):
    """An ICC profile with the primaries of sRGB, swapped or not, and one curve for all three."""
    def xyz(*values):
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)
    trc = b"curv\0\0\0\0" + struct.pack(">I", len(curve)) + b"".join(
        struct.pack(">H", v) for v in curve)
    text = b"desc\0\0\0\0\0\0\0\2x\0" + bytes(78)
    primaries = [xyz(.4361, .2225, .0139), xyz(.3851, .7169, .0971), xyz(.1431, .0606, .7141)]
    if swapped:
        primaries = primaries[1:] + primaries[:1]
    tags = [*zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries), (b"wtpt", xyz(.9642, 1, .8249)),
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


def ink_profile():
    """An ICC profile for ink that takes each of its four colours for the absence of it: a table of 16
    corners. As a table counts from bright to dark, what is seen is the negative."""
    def text(name):
        return b"desc\0\0\0\0\0\0\0\2" + name + b"\0" + bytes(78)
    corners = b"".join(bytes((255 if k else 85 * (c + m + y), 128, 128))
                       for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1))
    line = bytes(range(256))
    one, none = struct.pack(">i", 65536), bytes(4)
    lut = (b"mft1\0\0\0\0\4\3\2\0" + one + none * 3 + one + none * 3 + one + line * 4 + corners +
           line * 3)
    tags = [(b"A2B0", lut), (b"desc", text(b"x")), (b"cprt", text(b"x")),
            (b"wtpt", b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061))]
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags:
        content += bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), bytes(4), 0x02100000, b"prtr",
                       b"CMYK", b"Lab ") + bytes(12) + b"acsp" + bytes(28) + struct.pack(
                           ">iii", 63190, 65536, 54061) + bytes(48)
    return head[:128] + table + body


def icc(n):
    if n % 7 == 6:
        return "jpeg", encode(photograph(n).convert("CMYK"), "JPEG", quality=90,
                              icc_profile=ink_profile())
    form = ("jpeg", "png", "webp", "avif")[n % 4]
    power = (2.2, 1.0, 1.8, 2.6, 0.6)[n % 5]
    down = n % 3 == 0
    curve = [round(65535 * ((1 - v / 255 if down else v / 255) ** power)) for v in range(256)]
    image = ImageOps.invert(photograph(n)) if down else photograph(n)
    content = profile(curve, swapped=n % 3 == 1)
    if form == "avif":
        image = image.copy()
        image.info["icc_profile"] = content
        return form, avif(image)
    return form, encode(image, form, icc_profile=content, quality=92)


# ---- AVIF ---------------------------------------------------------------------------------------

def brands(n):
    content = avif(photograph(n))
    return "avif", content[:8] + (b"miaf", b"MA1B", b"avio", b"mif2", b"isom", b"mif1", b"abcd")[
        n % 7] + content[12:]


def moving_avif(n):
    return "avif", avif(*[photograph(n + i) for i in range(2 + n % 4)], options=["--fps", "2"])


def cropped(n):
    crop = ("40,30,64,48", "0,0,192,144", "96,72,192,144", "0,100,384,100", "200,0,184,288")[n % 5]
    more = ["--irot", str(n % 4)] if n % 3 == 2 else []
    return "avif", avif(photograph(n), options=["--crop", crop, *more])


def hdr(n):
    return "avif", avif(photograph(n), options=["-d", "10", "--cicp", f"9/{(16, 18)[n % 2]}/9"])


# ---- Others -------------------------------------------------------------------------------------

def runs(image):
    """A BMP of 8 bits in runs."""
    image = few_colours(image, 64)
    width, height = image.size
    palette = image.getpalette()[:192]
    table = b"".join(bytes((*palette[3 * i:3 * i + 3][::-1], 0)) for i in range(64))
    rows, out = image.tobytes(), bytearray()
    for y in reversed(range(height)):
        row, x = rows[y * width:(y + 1) * width], 0
        while x < width:
            count = 1
            while x + count < width and count < 255 and row[x + count] == row[x]:
                count += 1
            out += bytes((count, row[x]))
            x += count
        out += b"\0\0"
    out += b"\0\1"
    at = 54 + len(table)
    return (b"BM" + struct.pack("<IHHI", at + len(out), 0, 0, at) +
            struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(out), 0, 0, 64, 0) +
            table + bytes(out))


def bmp(n):
    image = photograph(n)
    if n % 6 == 5:
        return "bmp", runs(image)
    mode = ("RGB", "L", "1", "P", "RGBA")[n % 6]
    return "bmp", encode(few_colours(image, 200) if mode == "P" else image.convert(mode), "BMP")


def jxl(n):
    return "jxl", tool(["cjxl", "-e", "3", "-q", str(70 + 2 * n)], [photograph(n)], "jxl")


def tiff_chain(n):
    tiff = bytearray(encode(photograph(n), "TIFF"))
    at, = struct.unpack("<I", tiff[4:8])
    count, = struct.unpack("<H", tiff[at:at + 2])
    tiff[at + 2 + 12 * count:at + 6 + 12 * count] = struct.pack("<I", len(tiff) + 1000 * n)
    return "tiff", bytes(tiff)


def tiff_samples(n):
    image = photograph(n).convert(("F", "I", "CMYK", "LAB")[n % 4])
    return "tiff", encode(image, "TIFF")


def rare(n):
    if n % 3 == 0:
        return "ico", encode(photograph(n).resize((256, 256)), "ICO", sizes=[(32, 32), (256, 256)],
                             bitmap_format=("png", "bmp")[n // 3 % 2])
    if n % 3 == 1:
        data = base64.b64encode(encode(photograph(n), "JPEG", quality=90)).decode()
        return "svg", (f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE[0]}" height="{SIZE[1]}">'
                       f'<image width="{SIZE[0]}" height="{SIZE[1]}" '
                       f'href="data:image/jpeg;base64,{data}"/></svg>').encode()
    return "ico", encode(photograph(n).resize((256, 256)).convert("RGBA"), "ICO",
                         sizes=[(48, 48), (128, 128)], bitmap_format="bmp")


def cut(n):
    """The end is missing, or damaged: a little, or so much that nobody could call it the picture."""
    large = photograph(n).resize((1280, 960), Image.Resampling.LANCZOS)
    form = ("jpeg", "jpeg", "png", "gif", "jpeg")[n % 5]
    content = (encode(large, "JPEG", quality=90, progressive=n % 5 == 1)
               if form == "jpeg" else encode(large, "PNG") if form == "png"
               else show([photograph(n), other(n)]))
    left = (.995, .97, .93, .5, .8)[n // 3 % 5]
    if n % 5 == 4:
        at = int(len(content) * max(left, .93))
        return form, content[:at] + b"\xFF\xD9"
    return form, content[:int(len(content) * left)]


def ordinary(n):
    image = photograph(n)
    form = ("jpeg", "png", "webp", "gif", "avif", "jpeg", "webp")[n % 7]
    if form == "gif":
        return form, gif(image)
    if form == "avif":
        return form, avif(image)
    if n % 7 == 5:
        return form, encode(image.convert("L"), form, quality=75)
    if n % 7 == 6:
        return form, encode(image, form, lossless=True)
    return form, encode(image, form, **({} if form == "png" else {"quality": 60 + n * 2}))


# Each makes (format, bytes) of a number.
KINDS = {
    "ordinary": ordinary, "jpeg-scan-header": scan_header, "jpeg-no-end-mark": no_end_mark,
    "gif-no-trailer": no_trailer, "gif-zeros": zeros, "alpha-only": alpha_only,
    "alpha-hidden": hidden_colours, "apng": moving_png, "avif-sequence": moving_avif,
    "slide-show": slides, "bmp": bmp, "jxl": jxl, "gif-screen": small_screen, "jpeg-cmyk": ink,
    "cut": cut, "png-check-sum": check_sums, "png-gamma": gamma, "icc": icc, "avif-brand": brands,
    "avif-crop": cropped, "jpeg-scan-order": scan_twice, "gif-transparent": sticker,
    "tiff-chain": tiff_chain, "tiff-samples": tiff_samples, "many-frames": many_frames, "hdr": hdr,
    "ico-svg": rare, "saturated": saturated, "exif": turned,
}
EACH = 14


def every():
    """(kind, number) of all: 14 of each."""
    return [(kind, n) for kind in KINDS for n in range(EACH)]
