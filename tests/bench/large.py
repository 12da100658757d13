"""Imports, asks, changes and merges a list of 62.9 million hashes with the real program.

Usage: large.py OBHUT DIR
"""
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import time

COUNT = 62_900_000
LINES_AT_ONCE = 100_000


def write_list(path):
    """One hash a line; returns the first and the last."""
    numbers = random.Random(1)
    first = last = None
    with open(path, "wb") as file:
        for at in range(0, COUNT, LINES_AT_ONCE):
            lines = numbers.randbytes(32 * min(LINES_AT_ONCE, COUNT - at)).hex("\n", 32)
            file.write(lines.encode() + b"\n")
            first, last = first or lines[:64], lines[-64:]
    return first, last


class Timed:
    """Runs a command; its seconds and the most memory that any command so far has had."""

    def __init__(self, *command, code=0, **options):
        started = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
        self.seconds = time.monotonic() - started
        self.output = done.stdout
        if done.returncode != code:
            sys.exit(f"{command}: exit code {done.returncode}")
        self.memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6


def forget_files():
    """So that the next reader reads from the disk; only root may."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        return "from the disk"
    except OSError:
        return "from the page cache"


def main(obhut, where):
    where = pathlib.Path(where)
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)
    text, data = where / "list.txt", where / "data"
    print(f"\na list of {COUNT / 1e6} million lines, with `obhut`", flush=True)
    first, last = write_list(text)
    size = text.stat().st_size / 1e9
    run = [obhut, "--data", data]
    done = Timed(*run, "list", "import", text, "--type", "pdq")
    text.unlink()
    print(f"  {done.seconds:10.1f} s to import {size:.1f} GB of text ({COUNT / done.seconds / 1e6:.2f} "
          f"million lines/s), with at most {done.memory:.1f} GB of memory", flush=True)
    file = (data / "lists/list.obx").stat().st_size
    print(f"  {file / COUNT:10.1f} bytes an entry on the disk: {file / 1e9:.2f} GB")
    origin = forget_files()
    done = Timed(*run, "match", first, code=1)
    print(f"  {done.seconds * 1e3:10.1f} ms from the start of `obhut match` to its first answer, {origin}")
    done = Timed(*run, "match", first, last, code=1)
    print(f"  {done.seconds * 1e3:10.1f} ms for two more", flush=True)
    done = Timed(*run, "list", "add", "list", "md5:" + "ab" * 16)
    print(f"  {done.seconds * 1e3:10.1f} ms to add an entry")
    done = Timed(*run, "list", "withdraw", "list", first)
    Timed(*run, "match", first, code=0)
    print(f"  {done.seconds * 1e3:10.1f} ms to withdraw one")
    done = Timed(*run, "list", "info", "list")
    print(f"  {done.seconds:10.1f} s to compare all checksums ({file / 1e9 / done.seconds:.2f} GB/s)",
          flush=True)
    done = Timed(*run, "list", "merge", "list")
    print(f"  {done.seconds:10.1f} s to merge, with at most {done.memory:.1f} GB of memory")
    Timed(*run, "match", first, code=0)
    Timed(*run, "match", last, "md5:" + "ab" * 16, code=1)
    shutil.rmtree(where)


if __name__ == "__main__":
    main(*sys.argv[1:])
