"""./dev run: starts the service on a list of a million hashes and asks it about four pictures.

Usage: demo.py BUILD DIR. Everything is made in DIR and kept for the next time. Runs until Ctrl-C.
"""
import hashlib
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

from PIL import Image, ImageEnhance

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "data/demo"
# who lists what: one entry has two sources, the others one
LISTED = {"coffee-2400x1600.jpg": ("Demo hotline A", "Demo hotline B"),
          "astronaut-1600.jpg": ("Demo hotline A",),
          "hubble-1000x872.jpg": ("Demo hotline B",)}
GENERATED = 1_000_000
LISTEN = "127.0.0.1:8480"
PAGE = "127.0.0.1:8482"


def run(binary, work, *arguments):
    command = [str(binary), "--data", str(work / "data"), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"failed with exit code {done.returncode}: {' '.join(command)}")
    return done.stdout


def make_lists(obhut, work):
    """A million generated hashes, and those of the listed pictures."""
    lines = run(obhut, work, "hash", "--json", *(PICTURES / name for name in LISTED))
    numbers = random.Random(20261124)
    with open(work / "demo.csv", "w") as out:
        out.write("pdq,id,source\n")
        for number in range(GENERATED):
            out.write(f"{numbers.getrandbits(256):064x},generated-{number},generated\n")
        for line in map(json.loads, lines.splitlines()):
            path = pathlib.Path(line["file"])
            for source in LISTED[path.name]:
                out.write(f"{line['pdq']},{path.stem}-{source[-1].lower()},{source}\n")
    run(obhut, work, "list", "import", work / "demo.csv", "--name", "demo", "--type", "pdq")


def make_copies(work):
    """An altered copy of a listed picture: smaller, brighter, mirrored, another format."""
    with Image.open(PICTURES / "astronaut-1600.jpg") as opened:
        picture = opened.convert("RGB").resize((500, 500)).transpose(
            Image.Transpose.FLIP_LEFT_RIGHT)
    ImageEnhance.Brightness(picture).enhance(1.2).save(work / "altered.webp", quality=50)


def fingerprint():
    """Of all that the prepared files depend on."""
    digest = hashlib.sha256()
    for path in [pathlib.Path(__file__), *sorted(PICTURES.iterdir()),
                 *(p for module in ("hash", "index", "listfile", "lists", "store")
                   for p in sorted((ROOT / "src").glob(f"*/{module}/*.[ch]")))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare(obhut, work):
    stamp = work / "made-from"
    made_from = fingerprint()
    if stamp.exists() and stamp.read_text() == made_from:
        return
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    print(f"making a list of {GENERATED:,} generated hashes and three real pictures …", flush=True)
    make_lists(obhut, work)
    make_copies(work)
    stamp.write_text(made_from)


def start(obhutd, work):
    """The service and its addresses, for services and for the public, once it is ready; its messages are passed on."""
    process = subprocess.Popen([str(obhutd), "--data", str(work / "data"), "--listen", LISTEN, "--listen-staff", "none",
                                "--listen-public", PAGE], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "ready: " in line:
            where = dict(word.split() for word in line.split("ready: ")[1].split(", "))
            return process, where["services"], where["public"]
        print(line, end="", file=sys.stderr, flush=True)
    sys.exit(f"the service did not start (exit code {process.wait()}); is something else on {LISTEN} or {PAGE}?")


def ask(url, work, path, query):
    token = (work / "data/keys/api-token").read_text().strip()
    request = urllib.request.Request(f"{url}/v1/scan?{query}", data=path.read_bytes(), headers={
        "Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def tell(what, answer):
    print(f"\n{what}\n  action   {answer['action']}", end="")
    if "reason" in answer:
        print(f" ({answer['reason']})", end="")
    print(f", in {answer['took_us'] / 1000:.1f} ms" if "took_us" in answer else "")
    for match in answer.get("matches", []):
        print(f"  because  list {match['list']}, entry {match['entry']}, distance "
              f"{match['distance']} of {match['threshold']}, {match['version']}; listed by "
              f"{' and '.join(match['sources'])}")


def main(build, work):
    build, work = pathlib.Path(build), pathlib.Path(work)
    prepare(build / "obhut", work)
    process, url, page = start(build / "obhutd", work)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        tell("a listed picture (two hotlines list it)",
             ask(url, work, PICTURES / "coffee-2400x1600.jpg", "surface=public"))
        tell("an altered copy: smaller, brighter, mirrored, WebP (one hotline lists the original)",
             ask(url, work, work / "altered.webp", "surface=public"))
        tell("a picture that nobody lists",
             ask(url, work, PICTURES / "rocket-640x427.jpg", "surface=public"))
        tell("the first one again, from a private conversation: nobody looks",
             ask(url, work, PICTURES / "coffee-2400x1600.jpg",
                 "surface=direct&account=anna&conversation=7&encryption=transport"))
        shown = [p.resolve().relative_to(ROOT) if p.resolve().is_relative_to(ROOT) else p
                 for p in (build, work)]
        print(f"""
Try next:
  curl --data-binary @YOUR-PICTURE.jpg -H "Authorization: Bearer $(cat {shown[1]}/data/keys/api-token)" \\
       '{url}/v1/scan?surface=public'
  {shown[0]}/obhut --data {shown[1]}/data gateway add pict-rs --surface public
  {shown[0]}/obhut --data {shown[1]}/data list ls
  {shown[0]}/obhut --data {shown[1]}/data audit show
  {shown[0]}/obhut hash --json data/demo
  {page}/transparency   # in a browser: what is looked at, and what is not
""")
        print(f"ready: {url}", flush=True)
        for line in process.stderr:
            print(line, end="", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        process.send_signal(signal.SIGTERM)
        process.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
