"""Photographs of 0.3, 1.0, 1.6 and 12 megapixels for the benchmark, cut and scaled from Debian's
packages mate-backgrounds and plasma-workspace-wallpapers, and what is made of one. Usage: pictures.py DIR"""
import pathlib
import sys

from PIL import Image, ImageCms

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "pictures"))
import kinds  # noqa: E402

SOURCES = ["/usr/share/backgrounds/mate/abstract/Elephants_5640x3172.jpg",
           "/usr/share/wallpapers/FallenLeaf/contents/images/2560x1600.jpg"]
SIZES = {"0.3": (640, 480), "1.0": (1154, 866), "1.6": (1460, 1095), "12": (4000, 3000)}


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(SOURCES):
        for name, (width, height) in SIZES.items():
            path = directory / f"{name}-{number}.jpg"
            if path.exists():
                continue
            with Image.open(source) as opened:
                picture = opened.convert("RGB")
            scale = max(width / picture.width, height / picture.height)
            picture = picture.resize((max(width, round(picture.width * scale)),
                                      max(height, round(picture.height * scale))),
                                     Image.Resampling.LANCZOS)
            left, top = (picture.width - width) // 2, (picture.height - height) // 2
            picture.crop((left, top, left + width, top + height)).save(path, quality=90)
    looks(directory)


def looks(directory):
    """The same picture plain, with a profile, with gamma, with transparency; and moving ones."""
    if (directory / "frames-64.gif").exists():
        return
    with Image.open(directory / "1.6-0.jpg") as opened:
        plain = opened.convert("RGB")
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    down = kinds.profile([round(65535 * (1 - v / 255) ** 2.2) for v in range(256)], swapped=False)
    plain.save(directory / "plain.jpg", quality=90)
    plain.save(directory / "usual.jpg", quality=90, icc_profile=usual)
    plain.save(directory / "profile.jpg", quality=90, icc_profile=down)
    plain.save(directory / "plain.png")
    (directory / "gamma.png").write_bytes(kinds.with_chunk(
        (directory / "plain.png").read_bytes(), b"gAMA", (100000).to_bytes(4, "big")))
    layer = plain.convert("RGBA")
    layer.save(directory / "opaque.png")
    layer.putalpha(Image.linear_gradient("L").resize(plain.size))
    layer.save(directory / "alpha.png")
    for count in (8, 64):
        (directory / f"frames-{count}.gif").write_bytes(kinds.show(
            [kinds.photograph(i) if i < 12 else kinds.photograph(i % 12).rotate(7 * i)
             for i in range(count)]))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
