"""What a neighbour waits beside eight greedy clients, and what they make the core grow.
Usage: greedy.py BUILD DIR [SECONDS]

Greedy clients are processes of the lowest priority: in earnest they are other people's machines."""
import os
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))

CLIENTS = 8
PAUSE_S = 0.005  # of the neighbour, between its pictures


def part(times, percent):
    return sorted(times)[max(0, len(times) * percent // 100 - 1)]


def neighbour(service, picture, seconds):
    """Seconds that each of its pictures took."""
    import http.client
    times, connection, bad = [], service.connect(), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until or len(times) < 100:
        began = time.monotonic()
        try:
            status, _, body = service.request("POST", "/v1/scan?surface=public", picture, connection=connection)
        except (OSError, http.client.HTTPException) as problem:
            status, body, connection = 0, str(problem).encode(), service.connect()
        if (status != 200 or b'"allow"' not in body) and not bad:
            print(f"  the neighbour was told {status}: {body[:200]!r}")
        bad += status != 200
        times.append(time.monotonic() - began)
        time.sleep(PAUSE_S)
    if bad:
        print(f"  {bad} of {len(times)} were not answered with 200")
    return times


def grown(core, work):
    """(what it gives, by how many bytes the core's memory grew at most while it ran)"""
    import obhutd
    pathlib.Path(f"/proc/{core}/clear_refs").write_text("5")
    before = obhutd.resident(core)
    result = work()
    lines = pathlib.Path(f"/proc/{core}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    return result, peak - before


def beside(service, works, picture, seconds):
    import greedy
    with greedy.at_work(works):
        time.sleep(1)
        return grown(service.processes()["core"], lambda: neighbour(service, picture, seconds))


def main(build, work, seconds):
    import greedy
    import obhutd
    work = pathlib.Path(work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    obhut, data = str(pathlib.Path(build) / "obhut"), work / "data"
    (work / "near.txt").write_text("\n".join(greedy.near(greedy.BASE, 4000, 6)))
    subprocess.run([obhut, "--data", data, "list", "import", work / "near.txt"], check=True,
                   stdout=subprocess.DEVNULL)
    token = subprocess.run([obhut, "--data", data, "token", "add", "greedy", "--surface", "public", "--scope",
                            "scan", "--scope", "match"], check=True, capture_output=True,
                           text=True).stdout.strip().splitlines()[-1]
    service = obhutd.Service(data, program=str(pathlib.Path(build) / "obhutd"))
    picture = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
    kinds = greedy.kinds(service, token)
    only = os.environ.get("OBHUT_GREEDY")
    cases = {f"{CLIENTS} of {name}": [kind] * CLIENTS for name, kind in kinds.items() if not only or only in name}
    files = [kind for name, kind in kinds.items() if name in ("webp", "png", "gif", "tiff", "jpeg")]
    others = [kinds["match"], kinds["json situations"], kinds["half heads"]]
    if not only:
        cases["all at once"] = files + others
    print(f"\na neighbour's picture of 640 x 427 beside {CLIENTS} greedy clients: half, 99 of 100 within; how often"
          " the time that it takes alone, right before; the core's growth")
    try:
        neighbour(service, picture, 1)
        for name, works in cases.items():
            alone = neighbour(service, picture, seconds)
            times, growth = beside(service, works, picture, seconds)
            print(f"  {name:22} {1e3 * part(times, 50):7.1f} ms {1e3 * part(times, 99):7.1f} ms "
                  f"{part(times, 99) / part(alone, 99):6.2f} x (alone {1e3 * part(alone, 50):.1f} and "
                  f"{1e3 * part(alone, 99):.1f} ms), {growth >> 20} MB", flush=True)
    finally:
        service.stop()
    shutil.rmtree(work)


if __name__ == "__main__":
    main(*sys.argv[1:3], float(sys.argv[3]) if len(sys.argv) > 3 else 10)
