"""Runs every suite, two at a time, and counts: the last line is "N passed, N failed".

Arguments choose the suites whose names contain one of them. OBHUT_SOAK=1 runs all samples instead
of some. A program that crashes, prints no result or exits with an error counts as failed, whatever
it printed before.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SOAK = os.environ.get("OBHUT_SOAK") == "1"

# How much of each sampled test: (./dev test, ./dev soak). The sanitizer builds do a part of it.
SAMPLES = {
    "OBHUT_MUTATIONS": (10000, 100000),        # mutated pictures and list files
    "OBHUT_KERNEL_INPUTS": (200000, 1000000),  # inputs on which SIMD must equal the definition
    "OBHUT_INDEX_QUERIES": (4000, 100000),     # index against the linear scan
    "OBHUT_GATE_CASES": (100000, 2000000), # generated laws, records and situations
    "OBHUT_CHANGES": (4000, 20000),        # of lists that eight threads read
    "OBHUT_FAULTS": (1000, 1000000),           # allocations and writes that fail, of each kind
    "OBHUT_KILLS": (10, 100),                  # imports and writers of the audit log killed
    "OBHUT_AUDIT_FLIPS": (60, 1000),           # bits of a large audit log
    "OBHUT_BACKUP_FAULTS": (100, 2000),    # how densely a backup's allocations and writes fail
    "OBHUT_LIST_FAULTS": (4, 60),          # how densely those of an update of a list fail
    "OBHUT_CLI_MUTATIONS": (10000, 50000),     # mutated files through the binary
    "OBHUT_SERVICE_MUTATIONS": (10000, 50000), # mutated pictures through the service
    "OBHUT_SERVICE_KILLS": (3, 30),            # of each of its processes, under load
    "OBHUT_RECORD_KILLS": (20, 200),           # of any process, while records are made
    "OBHUT_SCANS": (2000, 100000),             # while memory must stay flat
}
SANITIZED_PART = 10
NEVER_PARTED = ("OBHUT_CLI_MUTATIONS", "OBHUT_SERVICE_MUTATIONS")

# Unit programs with threads run under ThreadSanitizer too.
THREADED = ("lists_live", "lists_update", "engine_gate", "engine_stops", "store_records", "audit_log", "audit_disk")

SANITIZER_ENVIRONMENT = {
    # 99 is no exit code of obhut
    "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1:exitcode=99",
    "LSAN_OPTIONS": f"suppressions={ROOT / 'tests/lsan.supp'}:print_suppressions=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=99",
}


def environment(build):
    variables = dict(os.environ, **SANITIZER_ENVIRONMENT)
    for name, (some, everything) in SAMPLES.items():
        if SOAK and name in os.environ: # somebody chose
            continue
        number = everything if SOAK else some
        whole = build == "release" or (build == "asan" and name in NEVER_PARTED)
        variables[name] = str(number if whole else max(1, number // SANITIZED_PART))
    variables["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
    variables["OBHUT_BIN"] = str(BUILD / build / "obhut")
    variables["OBHUT_BUILD"] = build
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    variables["PYTHONUNBUFFERED"] = "1"
    variables.pop("OBHUT_DATA", None)
    return variables


def unit_names():
    table = (ROOT / "tests/meson.build").read_text()
    return re.findall(r"\{'name': '(\w+)'", table.split("fuzz_targets")[0])


def fuzz_names():
    table = (ROOT / "tests/meson.build").read_text()
    return re.findall(r"\{'name': '(\w+)'", table.split("fuzz_targets")[1])


def wasm_suites():
    """The unit tests of the modules without I/O, portable and with SIMD, and the library."""
    node = ["node", "--no-warnings", "--experimental-wasi-unstable-preview1"]
    samples = [f"{name}={value}" for name, value in environment("wasm").items() if name in SAMPLES]
    for path in sorted((BUILD / "wasm/wasm").glob("*.wasm")):
        if not path.stem.startswith("core"):
            yield (f"wasm/{path.stem}", "wasm",
                   [*node, str(ROOT / "tests/wasm/run.mjs"), str(path), *samples], "tap")
    yield "wasm/core", "wasm", [sys.executable, str(ROOT / "tests/wasm/test_core.py")], "unittest"


def suites():
    """(name, build, command, kind) of everything there is."""
    python = sys.executable
    for name in unit_names():
        for build in ["release", "asan"] + (["tsan"] if name in THREADED else []):
            yield f"{build}/{name}", build, [str(BUILD / build / "tests" / name)], "tap"
    for path in sorted((ROOT / "tests/cli").glob("test_*.py")):
        for build in ("release", "asan", "tsan"):
            yield f"{build}/{path.stem}", build, [python, str(path)], "unittest"
    for path in sorted((ROOT / "tests/service").glob("test_*.py")):
        for build in ("release", "asan", "tsan"):
            yield f"{build}/service-{path.stem.removeprefix('test_')}", build, [
                python, str(path)], "unittest"
    for path in sorted((ROOT / "tests/store").glob("test_*.py")):
        for build in ("release", "asan", "tsan"):
            yield f"{build}/store-{path.stem.removeprefix('test_')}", build, [
                python, str(path)], "unittest"
    for path in sorted((ROOT / "tests/docs").glob("test_*.py")):
        yield f"docs/{path.stem}", "release", [python, str(path)], "unittest"
    for path in sorted((ROOT / "tests/build").glob("test_*.py")):
        yield f"source/{path.stem}", "release", [python, str(path)], "unittest"
    yield from wasm_suites()
    for name in fuzz_names():
        runs = 500000 if SOAK else 20000
        new = BUILD / "fuzz/corpus" / name
        new.mkdir(parents=True, exist_ok=True)
        yield (f"fuzz/{name}", "fuzz",
               [str(BUILD / "fuzz/tests" / f"fuzz_{name}"), f"-runs={runs}", "-seed=1",
                "-timeout=30", "-rss_limit_mb=3000", f"-artifact_prefix={new}-",
                str(new), str(ROOT / "tests/fuzz/corpus" / name)], "fuzz")


def count(kind, code, output):
    """(passed, failed) of one program."""
    if kind == "fuzz":
        return (1, 0) if code == 0 and "Done " in output else (0, 1)
    if kind == "tap":
        passed = len(re.findall(r"^\s*ok ", output, re.M))
        failed = len(re.findall(r"^\s*not ok ", output, re.M))
    else:
        ran = re.search(r"^Ran (\d+) tests?", output, re.M)
        bad = sum(int(n) for n in re.findall(r"(?:failures|errors|unexpected successes)=(\d+)",
                                             output))
        passed, failed = (int(ran.group(1)) - bad if ran else 0), bad
    if failed == 0 and (code != 0 or passed == 0):
        failed = 1
    return passed, failed


def run(suite):
    name, build, command, kind = suite
    started = time.monotonic()
    try:
        done = subprocess.run(command, env=environment(build), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
                              timeout=36000 if SOAK else 900)
        code, output = done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        code, output = -1, (late.stdout or b"").decode("utf-8", "replace") + "\ntoo slow\n"
    passed, failed = count(kind, code, output)
    return name, passed, failed, code, time.monotonic() - started, output


def main():
    chosen = [s for s in suites()
              if not sys.argv[1:] or any(part in s[0] for part in sys.argv[1:])]
    total_passed = total_failed = 0
    bad = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, passed, failed, code, seconds, output in pool.map(run, chosen):
            total_passed += passed
            total_failed += failed
            print(f"{'FAILED' if failed else 'ok':6} {name:32} {passed:5} passed "
                  f"{failed:3} failed {seconds:7.1f} s", flush=True)
            if failed:
                bad.append((name, code, output))
    for name, code, output in bad:
        print(f"\n==== {name}, exit code {code}\n{output[-20000:]}")
    print(f"\n{total_passed} passed, {total_failed} failed")
    return 1 if total_failed or not total_passed else 0


if __name__ == "__main__":
    sys.exit(main())
