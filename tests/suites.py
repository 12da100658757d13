"""What there is to run: every suite with its tree, its command and what it needs. A file tests/FLOOR/MODULE/WHAT.c,
tests/cli, tests/service, tests/store, tests/docs, tests/build or tests/source is a suite."""
import dataclasses
import os
import pathlib
import re
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
SOAK = os.environ.get("OBHUT_SOAK") == "1"

# Samples are others every day, and the same again with the seed that a run prints: OBHUT_SEED=20786 ./dev test
SEED = int(os.environ.get("OBHUT_SEED", 0)) or int(time.time() // 86400)

# How much of each sampled test: (./dev test, ./dev soak). The sanitizer builds do a part of it.
SAMPLES = {
    "OBHUT_MUTATIONS": (5000, 100000),         # mutated pictures and list files
    "OBHUT_KERNEL_INPUTS": (50000, 1000000),   # inputs on which SIMD must equal the definition
    "OBHUT_INDEX_QUERIES": (2000, 100000),     # index against the linear scan
    "OBHUT_GATE_CASES": (100000, 2000000),     # generated laws, records and situations
    "OBHUT_INTERLEAVINGS": (10000, 100000),    # of views and writings, against states
    "OBHUT_CHANGES": (4000, 20000),            # of lists that eight threads read
    "OBHUT_FAULTS": (200, 1000000),            # allocations and writes that fail, of each kind
    "OBHUT_KILLS": (10, 100),                  # imports and writers of the audit log killed
    "OBHUT_AUDIT_FLIPS": (60, 1000),           # bits of a large audit log
    "OBHUT_AUDIT_BYTES": (300, 1000000),       # of a small one that are changed, or where it is cut
    "OBHUT_LIST_FAULTS": (4, 60),              # how densely those of an update of a list fail
    "OBHUT_BACKUP_FAULTS": (100, 2000),        # how densely a backup's allocations and writes fail
    "OBHUT_CLI_MUTATIONS": (2500, 50000),      # mutated files through the binary
    "OBHUT_SERVICE_MUTATIONS": (3000, 50000),  # mutated pictures through the service
    "OBHUT_PICTURES": (58, 406),               # of every kind, shown by a browser
    "OBHUT_SERVICE_KILLS": (3, 30),            # of each of its processes, under load
    "OBHUT_RECORD_KILLS": (20, 200),           # of any process, while records are made
    "OBHUT_FRONT_PACKETS": (2000, 100000),     # random ones of a hostile front
    "OBHUT_PACKETS": (5000, 100000),           # mutated ones that each receiver hears
    "OBHUT_WORKER_PACKETS": (500, 100000),     # and of a hostile worker, most of which cost it its life
    "OBHUT_SCANS": (2000, 100000),             # while memory must stay flat
    "OBHUT_ROWS": (100000, 1000000),           # of records that are copied and overwritten
    "OBHUT_SLOW_SECONDS": (3, 20),             # of load with a slow disk, and with a quick one
}
SANITIZED_PART = 10
NEVER_PARTED = ("OBHUT_PACKETS", "OBHUT_CLI_MUTATIONS", "OBHUT_SERVICE_MUTATIONS", "OBHUT_PICTURES")

# What has threads runs under ThreadSanitizer too: unit programs, and commands without a service.
THREADED = ("base_files", "lists_live", "lists_parts", "lists_update", "engine_gate", "engine_lane", "engine_stops", "engine_turns",
            "sandbox_permit", "sandbox_worker", "store_writing", "store_readers", "audit_log", "audit_disk",
            "audit_faults", "acts_acts", "acts_writer", "wire_wire")
THREADED_COMMANDS = ("test_audit", "test_hash", "test_list")

SANITIZER_ENVIRONMENT = {
    # 99 is no exit code of obhut
    "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1:exitcode=99",
    "LSAN_OPTIONS": f"suppressions={ROOT / 'tests/lsan.supp'}:print_suppressions=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=99",
}


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    build: str
    command: list
    kind: str  # what its output looks like: "tap", "unittest" or "fuzz"
    source: pathlib.Path | None = None

    def uses_postgres(self):
        """Whether it asks for a server: ./dev check installs one only then."""
        return self.kind == "unittest" and "import postgres" in self.source.read_text()


# Those that take longest, in any build, with the seconds that they take beside others: for the order of a first run;
# later ones go by what each took last.
LONGEST = {"service-damage": 90, "service-damage_postgres": 90, "service-could_not": 90, "service-lists": 90,
           "store-records": 90, "test_list": 80, "test_formats": 70, "service-robust": 60, "service-audit": 60,
           "service-slow": 50, "service-gate": 45, "service-greedy": 45, "service-shares": 45, "test_seen": 40,
           "test_hash": 40, "service-front": 40, "test_backup": 35, "service-gateway": 30, "service-faults": 30,
           "service-keep": 25, "lists_bounded": 25, "service-api": 20}


def guess(suite):
    """Seconds, roughly."""
    return LONGEST.get(suite.name.partition("/")[2]) or {"fuzz": 1, "tap": 8, "unittest": 15}[suite.kind]


def environment(build):
    variables = dict(os.environ, **SANITIZER_ENVIRONMENT)
    for name, (some, everything) in SAMPLES.items():
        if SOAK and name in os.environ: # somebody chose
            continue
        number = everything if SOAK else some
        whole = build == "release" or (build in ("asan", "wasm") and name in NEVER_PARTED)
        variables[name] = str(number if whole else max(1, number // SANITIZED_PART))
    variables["OBHUT_SEED"] = str(SEED)
    variables["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
    variables["OBHUT_BIN"] = str(BUILD / build / "obhut")
    variables["OBHUT_BUILD"] = build
    variables["PYTHONDONTWRITEBYTECODE"] = "1"
    variables["PYTHONUNBUFFERED"] = "1"
    variables.pop("OBHUT_DATA", None)
    return variables


def unit_names():
    """MODULE_WHAT of each tests/FLOOR/MODULE/WHAT.c."""
    floors = re.search(r"floors = \[(.*)\]", (ROOT / "src/meson.build").read_text())[1]
    return sorted(f"{path.parent.name}_{path.stem}" for floor in re.findall(r"\w+", floors)
                  for path in (ROOT / "tests" / floor).glob("*/*.c"))


def fuzz_names():
    table = (ROOT / "tests/meson.build").read_text().split("fuzz_targets")[1]
    return re.findall(r"\{'name': '(\w+)'", table)


def unit_suites():
    for name in unit_names():
        for build in ["release", "asan"] + (["tsan"] if name in THREADED else []):
            yield Suite(f"{build}/{name}", build, [str(BUILD / build / "tests" / name)], "tap")


def python_suites(folder, name, builds):
    for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
        for build in builds:
            if folder == "cli" and build == "tsan" and path.stem not in THREADED_COMMANDS:
                continue
            yield Suite(name.format(build=build, stem=path.stem, what=path.stem.removeprefix("test_")),
                        build, [sys.executable, str(path)], "unittest", path)


def wasm_suites():
    """The unit tests of the modules without I/O, portable and with SIMD, and the library; and what a
    browser shows, hashed by the library."""
    node = ["node", "--no-warnings", "--experimental-wasi-unstable-preview1"]
    samples = [f"{name}={value}" for name, value in environment("wasm").items()
               if name in SAMPLES or name == "OBHUT_SEED"]
    for path in sorted((BUILD / "wasm/wasm").glob("*.wasm")):
        if not path.stem.startswith("core"):
            yield Suite(f"wasm/{path.stem}", "wasm",
                        [*node, str(ROOT / "tests/wasm/run.mjs"), str(path), *samples], "tap")
    core = ROOT / "tests/wasm/test_core.py"
    yield Suite("wasm/core", "wasm", [sys.executable, str(core)], "unittest", core)
    shown = ROOT / "tests/pictures/test_browser.py"
    yield Suite("wasm/browser", "wasm", [sys.executable, str(shown)], "unittest", shown)


def fuzz_suites():
    """What was found before is tried again; new inputs are for ./dev fuzz and ./dev soak."""
    for name in fuzz_names():
        runs = 500000 if SOAK else 0
        new = BUILD / "fuzz/corpus" / name
        if (BUILD / "fuzz").exists():
            new.mkdir(parents=True, exist_ok=True)
        yield Suite(f"fuzz/{name}", "fuzz",
                    [str(BUILD / "fuzz/tests" / f"fuzz_{name}"), f"-runs={runs}", "-seed=1",
                     "-timeout=30", "-rss_limit_mb=3000", f"-artifact_prefix={new}-",
                     str(new), str(ROOT / "tests/fuzz/corpus" / name)], "fuzz")


def suites():
    """Everything there is."""
    every = ("release", "asan", "tsan")
    yield from unit_suites()
    yield from python_suites("cli", "{build}/{stem}", every)
    yield from python_suites("service", "{build}/service-{what}", every)
    yield from python_suites("store", "{build}/store-{what}", every)
    yield from python_suites("docs", "docs/{stem}", ["release"])
    yield from python_suites("build", "source/{stem}", ["release"])
    yield from python_suites("source", "source/{stem}", ["release"])
    yield from wasm_suites()
    yield from fuzz_suites()


def is_of_today(suite):
    """A suite of the service runs under one sanitizer today and under the other tomorrow: the release is tried every
    day, and what both sanitizers would find in one day the next finds too."""
    if "/service-" not in suite.name or suite.build == "release":
        return True
    return suite.build == ("asan", "tsan")[(zlib.crc32(suite.name.partition("/")[2].encode()) + SEED) % 2]


def chosen(parts):
    """Those whose names contain one of `parts`; where there are none all that are of today, in a soak all."""
    return [s for s in suites()
            if (any(part in s.name for part in parts) if parts else SOAK or is_of_today(s))]
