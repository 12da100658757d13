"""Runs suites side by side, the longest first, and counts: the last line is "N passed, N failed".

Arguments choose the suites whose names contain one of them; --tree chooses one build; --sources only
prints which files they are. OBHUT_SOAK=1 runs all samples instead of some, OBHUT_SEED takes those of a
run before; OBHUT_JOBS says how many suites run at once. A program that crashes, prints no result or exits with an error counts as failed,
whatever it printed before.
"""
import argparse
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import postgres
import suites

TIMES = suites.BUILD / "times.json"  # how long each suite took last
SLOWEST = 15
# A suite that hangs ends some time. Nothing else depends on this number.
LIMIT_S = 36000 if suites.SOAK else 3600
MEMORY_NEEDED = 3 << 30
# Half of what suites do is wait: for a server that starts, for a limit of time that ends.
JOBS = int(os.environ.get("OBHUT_JOBS", 0)) or (os.cpu_count() or 1) + 4


@dataclasses.dataclass
class Outcome:
    suite: suites.Suite
    passed: int
    failed: int
    code: int
    seconds: float
    cpu_s: float
    output: str


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


def execute(command, folder, variables):
    """(exit code, seconds of processor, output); whatever it started and left goes with it."""
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, env=dict(variables, TMPDIR=str(folder)), cwd=suites.ROOT,
                                   stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, process_group=0)
    late = threading.Timer(LIMIT_S, os.killpg, (process.pid, signal.SIGKILL))
    late.daemon = True
    late.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        late.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    text = (folder / "output").read_bytes().decode("utf-8", "replace")
    return process.returncode, used.ru_utime + used.ru_stime, text


def run(suite, folder, more):
    """Runs it in a folder of its own, which is gone afterwards: its temporary files are in there."""
    folder.mkdir()
    folder.chmod(0o711)  # the user postgres passes through
    started = time.monotonic()
    try:
        code, cpu_s, output = execute(suite.command, folder,
                                      suites.environment(suite.build) | more)
    except OSError as problem:
        code, cpu_s, output = -1, 0, str(problem)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    passed, failed = count(suite.kind, code, output)
    return Outcome(suite, passed, failed, code, time.monotonic() - started, cpu_s, output)


def known_times():
    try:
        return json.loads(TIMES.read_text())
    except (OSError, ValueError):
        return {}


def longest_first(chosen):
    """By what each took last; on a first run by the table of suites."""
    known = known_times()
    return sorted(chosen, key=lambda s: -known.get(s.name, suites.guess(s)))


def remember(outcomes):
    known = known_times() | {o.suite.name: round(o.seconds, 1) for o in outcomes}
    TIMES.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n")


def show(outcome):
    """One line, and all that a failed suite said."""
    print(f"{'FAILED' if outcome.failed else 'ok':6} {outcome.suite.name:32} "
          f"{outcome.passed:5} passed {outcome.failed:3} failed {outcome.seconds:7.1f} s", flush=True)
    if outcome.failed:
        print(f"\n==== {outcome.suite.name}, exit code {outcome.code}\n{outcome.output[-20000:]}\n"
              f"==== end of {outcome.suite.name}\n", flush=True)


def show_slowest(outcomes, seconds):
    if len(outcomes) < 2:
        return
    print(f"\n{'The slowest suites':32} {'seconds':>9} {'processor':>9}")
    for o in sorted(outcomes, key=lambda o: -o.seconds)[:SLOWEST]:
        print(f"{o.suite.name:32} {o.seconds:9.1f} {o.cpu_s:9.1f}")
    print(f"{'all, ' + str(JOBS) + ' at a time':32} {seconds:9.1f} "
          f"{sum(o.cpu_s for o in outcomes):9.1f}")


def run_all(chosen, folder):
    """What came of each, shown as each ends."""
    outcomes = []
    with contextlib.ExitStack() as held:
        more = {}
        if any(s.uses_postgres() for s in chosen):
            more = held.enter_context(postgres.for_a_run(folder))
        pool = held.enter_context(concurrent.futures.ThreadPoolExecutor(JOBS))
        waiting = [pool.submit(run, suite, folder / str(number), more)
                   for number, suite in enumerate(longest_first(chosen))]
        for done in concurrent.futures.as_completed(waiting):
            outcomes.append(done.result())
            show(outcomes[-1])
    return outcomes


def memory():
    """A directory in memory where there is room and programs may be started: few tests are about a disk,
    and whoever waits for one depends on what else the machine does. None otherwise."""
    place = pathlib.Path("/dev/shm")
    if not os.access(place, os.W_OK):
        return None
    state = os.statvfs(place)
    roomy = state.f_bavail * state.f_frsize >= MEMORY_NEEDED
    return place if roomy and not state.f_flag & os.ST_NOEXEC else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", help="only the suites of this build")
    parser.add_argument("--sources", action="store_true", help="print the files, run nothing")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    chosen = [s for s in suites.chosen(options.names) if options.tree in (None, s.build)]
    if options.sources:
        print(*sorted({str(s.source) for s in chosen if s.source}), sep="\n")
        return 0
    started = time.monotonic()
    if not suites.SOAK:
        print(f"samples of today: OBHUT_SEED={suites.SEED} takes them again", flush=True)
    with tempfile.TemporaryDirectory(prefix="obhut-", dir=memory(),
                                     ignore_cleanup_errors=True) as raw:
        os.chmod(raw, 0o711)
        outcomes = run_all(chosen, pathlib.Path(raw))
    show_slowest(outcomes, time.monotonic() - started)
    remember(outcomes)
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    if failed:
        print("\nfailed: " + " ".join(sorted(o.suite.name for o in outcomes if o.failed)))
    elif not outcomes:
        print("no suite has such a name")
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
