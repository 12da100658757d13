"""compare.py OBHUT [EACH]: makes pictures of every kind, asks a browser what it shows of them and Obhut
what it hashes, and prints a table. Fails where something that is shown is not hashed within 10 bits and
is no exception of docs/HASHING.md. EACH: so many of a kind."""
import collections
import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import browser  # noqa: E402
import kinds  # noqa: E402

MOST_BITS, LEAST_QUALITY = 10, 50
# What is shown and not looked at, by kind (docs/HASHING.md, "Exceptions").
EXCEPTIONS = {"jxl": "UNSUPPORTED", "ico-svg": "UNSUPPORTED", "hdr": "UNSUPPORTED",
              "many-frames": "TOO_LARGE", "slide-show": "TOO_LARGE", "cut": "DAMAGED"}


@dataclasses.dataclass
class Result:
    kind: str
    number: int
    views: int = 0      # what the browser shows with enough in it: frames, each over white and black
    bits: int = 0       # the most that one of them is away from the nearest hash
    fault: str = ""
    exception: str = ""


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


def scan(binary, contents):
    """What `obhut scan --json` says of each."""
    with tempfile.TemporaryDirectory(prefix="obhut-") as raw:
        folder = pathlib.Path(raw)
        paths = [folder / f"{i:03}" for i in range(len(contents))]
        for path, content in zip(paths, contents):
            path.write_bytes(content)
        done = subprocess.run([binary, "--data", folder / "data", "scan", "--surface", "public",
                               "--json", *paths], capture_output=True, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if len(lines) != len(contents):
            sys.exit(f"{len(lines)} answers to {len(contents)} pictures: {done.stderr[-2000:]}")
        by_name = {pathlib.Path(line["file"]).name: line for line in lines}
        return [by_name[path.name] for path in paths]


def judge(result, shown, line):
    picture = line.get("picture", line)
    hashes = [picture[k] for k in ("pdq", "pdq_shown") if k in picture]
    for more in picture.get("more_frames", []):
        hashes += [more[k] for k in ("pdq", "pdq_shown") if k in more]
    for view in shown:
        if view["quality"] < LEAST_QUALITY:
            continue
        result.views += 1
        bits = min((distance(h, view["pdq"]) for h in hashes), default=256)
        result.bits = max(result.bits, bits)
    if result.bits <= MOST_BITS:
        return
    reason = line.get("reason")
    if line["action"] == "undecodable" and reason == EXCEPTIONS.get(result.kind):
        result.exception, result.bits = reason, 0
    else:
        result.fault = f"{line['action']} {reason or ''} {line.get('detail', '')}".strip()


def compare(binary, chosen):
    """A Result for each (kind, number)."""
    pictures = [kinds.KINDS[kind](number) for kind, number in chosen]
    lines = scan(binary, [content for _, content in pictures])
    results = [Result(kind, number) for kind, number in chosen]
    for result, shown, line in zip(results, browser.shown(pictures), lines):
        judge(result, shown, line)
    return results


def table(results):
    by_kind = collections.defaultdict(list)
    for result in results:
        by_kind[result.kind].append(result)
    yield "| kind | pictures | shown | looks | most bits | exceptions |"
    yield "|---|---|---|---|---|---|"
    for kind, of in [*by_kind.items(), ("all", results)]:
        exceptions = collections.Counter(r.exception for r in of if r.exception)
        said = ", ".join(f"{count} `{reason}`" for reason, count in sorted(exceptions.items()))
        yield (f"| {kind} | {len(of)} | {sum(r.views > 0 for r in of)} | {sum(r.views for r in of)} "
               f"| {max(r.bits for r in of)} | {said} |")


def main():
    each = int(sys.argv[2]) if len(sys.argv) > 2 else kinds.EACH
    results = compare(sys.argv[1], [(k, n) for k, n in kinds.every() if n < each])
    print("\n".join(table(results)))
    faults = [r for r in results if r.fault]
    for r in faults:
        print(f"{r.kind} {r.number}: {r.bits} bits away: {r.fault}")
    print(f"{len(results)} pictures, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
