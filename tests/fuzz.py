"""./dev fuzz [SECONDS] [TARGET…]: fuzzes one target after the other; new inputs stay in build/."""
import os
import subprocess
import sys

import suites


def main(arguments):
    seconds = 60
    if arguments and arguments[0].isdigit():
        seconds = int(arguments.pop(0))
    names = arguments or suites.fuzz_names()
    failed = []
    for name in names:
        if name not in suites.fuzz_names():
            print(f"no target {name}; there are: {' '.join(suites.fuzz_names())}")
            return 2
        new = suites.BUILD / "fuzz/corpus" / name
        new.mkdir(parents=True, exist_ok=True)
        print(f"== {name}, {seconds} s", flush=True)
        code = subprocess.run(
            [str(suites.BUILD / "fuzz/tests" / f"fuzz_{name}"), f"-max_total_time={seconds}",
             "-timeout=30", "-rss_limit_mb=3000", "-print_final_stats=1",
             f"-artifact_prefix={new}-", str(new), str(suites.ROOT / "tests/fuzz/corpus" / name)],
            env=suites.environment("fuzz"), cwd=os.fspath(suites.ROOT)).returncode
        if code:
            failed.append(name)
    print("failed: " + " ".join(failed) if failed else "no target failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
