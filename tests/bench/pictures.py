"""Photographs of 0.3, 1.0, 1.6 and 12 megapixels for the benchmark, cut and scaled from Debian's
packages mate-backgrounds and plasma-workspace-wallpapers. Usage: pictures.py DIR"""
import pathlib
import sys

from PIL import Image

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


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
