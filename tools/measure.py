"""How large the code is and how well its headers are commented: ./dev measure [COMMIT…], with earlier commits beside today.

A function's length is the number of its lines, from universal-ctags: from the line of its name to its last one."""
import io
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile

import headers

MANY = 6  # parameters: more than these should be a struct


def files_of(root, folder, *endings):
    return sorted(path for path in (root / folder).rglob("*") if path.suffix in endings)


def lines_of(path):
    return path.read_text(errors="replace").count("\n")


def code_lines(path):
    """Lines that are neither empty nor only a comment."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), path.read_text(errors="replace"), flags=re.S)
    return sum(1 for line in text.splitlines() if line.strip())


def tags_of(sources):
    """Every function that is defined in these sources."""
    done = subprocess.run(["ctags", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=+neS", "--output-format=json",
                           "-o", "-", "-L", "-"], input="\n".join(map(str, sources)), capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if tag["_type"] == "tag" and "end" in tag:
            yield tag


def share(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"


def nine_of_ten(numbers):
    """The smallest number that nine of ten do not exceed."""
    ordered = sorted(numbers)
    return ordered[max(0, -(-9 * len(ordered) // 10) - 1)]


def figures(root):
    """(name, value) of one tree, in the order in which they are shown."""
    sources, both = files_of(root, "src", ".c"), files_of(root, "src", ".c", ".h")
    sizes = {path: lines_of(path) for path in sources}
    largest = max(sizes, key=sizes.get)
    tags = list(tags_of(sources))
    lengths = {(tag["path"], tag["name"], tag["line"]): tag["end"] - tag["line"] + 1 for tag in tags}
    longest = max(lengths, key=lengths.get)
    counts = [len(headers.split_parameters(tag.get("signature", "()"))) for tag in tags]
    public = [function for path in headers.public_headers(root) for function in headers.functions(path)]
    commented = sum(1 for function in public if function.comment)
    code = sum(map(code_lines, both))
    c_tests, python = (sum(map(code_lines, files_of(root, "tests", *ends))) for ends in ((".c", ".h"), (".py", ".mjs")))
    yield "files (.c), with headers", f"{len(sources)}, {len(both)}"
    yield "lines, of code", f"{sum(map(lines_of, both))}, {code}"
    yield "median file / nine of ten under", f"{statistics.median(sizes.values()):.0f} / {nine_of_ten(sizes.values())}"
    yield "largest file", f"{sizes[largest]} ({largest.relative_to(root / 'src')})"
    yield "functions; median lines", f"{len(lengths)}; {statistics.median(lengths.values()):.0f}"
    yield "under 60 / under 100 lines", " / ".join(share(sum(1 for n in lengths.values() if n < most), len(lengths)) for most in (60, 100))
    yield "longest function", f"{lengths[longest]} ({pathlib.Path(longest[0]).name} {longest[1]})"
    yield f"{MANY} or more parameters (most)", f"{share(sum(1 for n in counts if n >= MANY), len(counts))} ({max(counts)})"
    yield f"more than {MANY} parameters", f"{sum(1 for n in counts if n > MANY)}"
    yield "lines of tests for a line of code", f"{(c_tests + python) / code:.2f} (C {c_tests / code:.2f}, scripts {python / code:.2f})"
    yield "public functions with a comment of their own", f"{share(commented, len(public))} of {len(public)}"


def tree_of(commit, folder):
    """The files of a commit, in a folder of their own."""
    packed = subprocess.run(["git", "-C", headers.ROOT, "archive", commit, "src", "tests"], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder)
    return pathlib.Path(folder)


def main():
    with tempfile.TemporaryDirectory() as place:
        columns = [("now", dict(figures(headers.ROOT)))]
        for number, commit in enumerate(sys.argv[1:]):
            columns.insert(-1, (commit[:12], dict(figures(tree_of(commit, f"{place}/{number}")))))
    widths = [max(len(name), *map(len, column.values())) for name, column in columns]
    print(f"{'':46}" + "  ".join(f"{name:{width}}" for (name, _), width in zip(columns, widths)).rstrip())
    for row in columns[0][1]:
        print(f"{row:46}" + "  ".join(f"{column[row]:{width}}" for (_, column), width in zip(columns, widths)).rstrip())


if __name__ == "__main__":
    main()
