"""./dev run: finds altered copies of a few listed pictures among a million hashes.

Usage: demo.py OBHUT DIR. Everything is made in DIR and kept for the next time.
"""
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time

from PIL import Image, ImageEnhance

ROOT = pathlib.Path(__file__).resolve().parent.parent
LISTED = ["astronaut-1600.jpg", "coffee-2400x1600.jpg", "hubble-1000x872.jpg"]
NOT_LISTED = ["rocket-640x427.jpg"]
GENERATED = 1_000_000

ALTERATIONS = {
    "recompressed": lambda p: (p, {"quality": 35}),
    "half-size": lambda p: (p.resize((p.width // 2, p.height // 2)), {}),
    "brighter": lambda p: (ImageEnhance.Brightness(p).enhance(1.25), {}),
    "grey": lambda p: (p.convert("L"), {}),
    "mirrored": lambda p: (p.transpose(Image.Transpose.FLIP_LEFT_RIGHT), {}),
    "turned": lambda p: (p.transpose(Image.Transpose.ROTATE_90), {}),
}


def obhut(binary, work, *arguments, codes=(0,)):
    command = [str(binary), "--data", str(work / "data"), *map(str, arguments)]
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode not in codes:
        sys.exit(f"failed with exit code {done.returncode}: {' '.join(command)}")
    return done.stdout, time.monotonic() - started


def make_list(binary, work):
    """A million generated hashes, and those of the listed pictures."""
    lines, _ = obhut(binary, work, "hash", "--json", *(ROOT / "data/demo" / n for n in LISTED))
    numbers = random.Random(20261124)
    with open(work / "demo.csv", "w") as out:
        out.write("pdq,id,source\n")
        for number in range(GENERATED):
            out.write(f"{numbers.getrandbits(256):064x},generated-{number},generated\n")
        for line in map(json.loads, lines.splitlines()):
            out.write(f"{line['pdq']},{pathlib.Path(line['file']).stem},demonstration\n")
    _, seconds = obhut(binary, work, "list", "import", work / "demo.csv", "--name", "demo",
                       "--source", "demonstration")
    print(f"imported {GENERATED + len(LISTED):,} hashes in {seconds:.1f} s")


def make_copies(work):
    copies = work / "copies"
    copies.mkdir(parents=True)
    for name in LISTED:
        with Image.open(ROOT / "data/demo" / name) as opened:
            picture = opened.convert("RGB")
        for how, alter in ALTERATIONS.items():
            altered, options = alter(picture)
            altered.save(copies / f"{pathlib.Path(name).stem}-{how}.jpg", **options)
    for name in NOT_LISTED:
        shutil.copy(ROOT / "data/demo" / name, copies / name)


def fingerprint():
    """Of all that the prepared files depend on."""
    digest = hashlib.sha256()
    for path in [pathlib.Path(__file__), *sorted((ROOT / "data/demo").iterdir()),
                 *sorted((ROOT / "src/hash").glob("*.[ch]")),
                 *sorted((ROOT / "src/lists").glob("*.[ch]")),
                 *sorted((ROOT / "src/index").glob("*.[ch]"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def main(binary, work):
    stamp = work / "made-from"
    made_from = fingerprint()
    if not stamp.exists() or stamp.read_text() != made_from:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        print(f"making a list of {GENERATED:,} generated hashes and three real pictures …",
              flush=True)
        make_list(binary, work)
        make_copies(work)
        stamp.write_text(made_from)

    copies = sorted((work / "copies").iterdir())
    out, seconds = obhut(binary, work, "scan", "--json", *copies, codes=(0, 1))
    print(f"\n{'PICTURE':36} {'LISTED AS':24} {'DISTANCE':>8}  ORIENTATION")
    found = 0
    for line in map(json.loads, out.splitlines()):
        name = pathlib.Path(line["file"]).name
        if not line["matches"]:
            print(f"{name:36} {'nothing found':24}")
        for match in line["matches"]:
            found += 1
            print(f"{name:36} {match['entry']:24} {match['distance']:8}  {match['orientation']}")
    print(f"\n{len(copies)} pictures read, hashed in eight orientations and compared with "
          f"{GENERATED + len(LISTED):,} hashes: {found} found, {seconds * 1000:.0f} ms in all "
          f"({seconds * 1000 / len(copies):.1f} ms each)")
    shown = [pathlib.Path(p).resolve() for p in (binary, work)]
    relative = [p.relative_to(ROOT) if p.is_relative_to(ROOT) else p for p in shown]
    print(f"""
Try next:
  {relative[0]} --data {relative[1]}/data scan YOUR-PICTURE.jpg
  {relative[0]} hash --json data/demo
  {relative[0]} --data {relative[1]}/data list ls
  {relative[0]} --help
""")
    expected = {p.stem for p in copies} - {pathlib.Path(n).stem for n in NOT_LISTED}
    print(f"ready: {found} of {len(expected)} altered copies found")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
