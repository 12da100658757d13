"""What clients send that want more than their share: the worst files, look-ups, JSON and heads that are known."""
import contextlib
import io
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import zlib

from PIL import Image


def _work(work, stop):
    os.nice(19)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(stop)


@contextlib.contextmanager
def at_work(works, patience_s=60):
    """Each of `works` in a process of its own, called with an event that says when to end. Those that
    wait for an answer even so are killed."""
    stop = multiprocessing.Event()
    everybody = [multiprocessing.Process(target=_work, args=(work, stop)) for work in works]
    for one in everybody:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in everybody:
            one.join(patience_s)
            one.kill()
            one.join()


# 16,383 x 16,383 pixels of one colour, lossless, in 40 bytes.
WEBP = bytes.fromhex("5249464620000000574542505650384c140000002ffebfff0f075081540820000a9afec78888fe07")


def encode(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png(side, bits, colour, packed):
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", side, side, bits, colour, 0, 0, 0))
            + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def slow_png(side):
    """All black, without an image of that size being made here."""
    packer, row = zlib.compressobj(1), bytes(1 + side * 3)
    return png(side, 8, 2, b"".join(packer.compress(row) for _ in range(side)) + packer.flush())


def lying_png(side):
    """Dear for its pixels: of 16 bits, hardly compressed, each row filtered."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    noise = random.Random(1).randbytes(side * 8).translate(bytes(i % 48 for i in range(256)))
    rows = (b"\4" + noise[at:] + noise[:at] for at in (7 * row % len(noise) for row in range(side)))
    return png(side, 16, 6, b"".join(map(packer.compress, rows)) + packer.flush())


def slow_gif(side, frames):
    pictures = [Image.new("P", (side, side), i) for i in range(frames)]
    for i, picture in enumerate(pictures):
        picture.putpalette([(7 * i + k) % 256 for k in range(768)])
    return encode(pictures[0], "GIF", save_all=True, append_images=pictures[1:])


def slow_heif(side):
    """Nothing where there is no encoder."""
    if not shutil.which("heif-enc"):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        plain, out = pathlib.Path(folder, "plain.png"), pathlib.Path(folder, "plain.heic")
        plain.write_bytes(slow_png(side))
        subprocess.run(["heif-enc", "-o", out, plain], capture_output=True, check=True)
        return {"heic": out.read_bytes()}


def slow_files():
    """One of each format that costs far more than its bytes lead one to expect."""
    plain = Image.new("RGB", (7000, 7000))
    return {"webp": WEBP, "png": slow_png(7000), "gif": slow_gif(2000, 20),
            "tiff": encode(plain, "TIFF", compression="tiff_adobe_deflate"),
            "jpeg": encode(plain, "JPEG", progressive=True, quality=50)}


def near(base, count, bits, seed=8):
    numbers = random.Random(seed)
    for _ in range(count):
        entry = base
        for bit in numbers.sample(range(256), bits):
            entry ^= 1 << bit
        yield f"{entry:064x}"


# So few bits that no hash near it has more than a PDQ hash may.
BASE = sum(1 << bit for bit in random.Random(8).sample(range(256), 120))


def queries(count):
    return [f"{BASE ^ 1 << i % 256:064x}" for i in range(count)]


def worst_json():
    return {"keys": b"[" + b",".join([b"{" + b",".join(b'"k%d":1' % i for i in range(250)) + b"}"] * 250) + b"]",
            "objects": b"[" + b",".join([b"[{}]"] * 30000) + b"]",
            "situations": b"[" + b",".join([b'{"surface":"public"}'] * 1000) + b"]",
            "text": b'["' + b"\\u00e4" * 170000 + b'"]'}


def worst_match():
    return json.dumps({"queries": queries(1024), "limit": 10000}).encode()


# ---- Clients that send it, again and again, until `stop` is set ----------------------------------

def send(service, stop, token, method, path, body):
    while not stop.is_set():
        with contextlib.suppress(OSError):
            service.request(method, path, body, token=token)


def half_heads(service, stop, count=64):
    """Connections that say half of a head, and no more."""
    while not stop.is_set():
        with contextlib.ExitStack() as open_ones, contextlib.suppress(OSError):
            for _ in range(count):
                one = open_ones.enter_context(socket.create_connection((service.host, service.port)))
                one.sendall(b"POST /v1/scan?surface=public HTTP/1.1\r\nHost: x\r\nContent-Le")
            stop.wait(0.5)


def kinds(service, token):
    """{name: what eight clients run until `stop`, all of one kind or one of each}."""
    sends = {name: ("/v1/scan?surface=public", content) for name, content in
             (slow_files() | slow_heif(2000) | {"liars": lying_png(1500)}).items()}
    sends["match"] = ("/v1/match?surface=public", worst_match())
    sends |= {f"json {name}": ("/v1/gate/explain?what_if=true", body) for name, body in worst_json().items()}

    def sender(path, body):
        return lambda stop: send(service, stop, token, "POST", path, body)
    made = {name: sender(path, body) for name, (path, body) in sends.items()}
    return made | {"half heads": lambda stop: half_heads(service, stop)}
