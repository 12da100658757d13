"""The service under wrk, beside the command line. Usage: service.py BUILD PICTURES DIR"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "service"))

SCRIPT = """
local file = io.open("%s", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Authorization"] = "Bearer %s"
wrk.headers["Content-Type"] = "%s"
"""


def wrk(url, script, connections, seconds=6):
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script,
                           url], capture_output=True, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1))
    part = {p: re.search(rf"^\s*{p}%\s+(\S+)", done, re.M).group(1) for p in (50, 99)}
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    broken = re.search(r"Socket errors: (.*)", done)
    return rate, part, (f"; {bad.group(1)} not 200" if bad else "") + (
        f"; {broken.group(1)}" if broken else "")


def command_line(obhut, data, picture, work):
    """Pictures a second of `obhut scan`, by the difference of many and few."""
    folder = work / "copies"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    seconds = []
    for count in (20, 220):
        for number in range(count):
            path = folder / f"{number}.jpg"
            if not path.exists():
                os.link(picture, path)
        started = time.monotonic()
        subprocess.run([obhut, "--data", data, "scan", "--surface", "public", folder], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.monotonic() - started)
    return 200 / (seconds[1] - seconds[0])


def main(build, pictures, work):
    import obhutd
    work = pathlib.Path(work)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    obhut, data = str(pathlib.Path(build) / "obhut"), work / "data"
    hashes = obhutd.obhut.hashes(1_000_000)
    (work / "million.txt").write_text("\n".join(hashes))
    subprocess.run([obhut, "--data", data, "list", "import", work / "million.txt", "--type", "pdq"], check=True,
                   stdout=subprocess.DEVNULL)
    service = obhutd.Service(data, program=str(pathlib.Path(build) / "obhutd"))
    print("\nservice, a list of a million hashes, wrk on the same machine (reference: `obhut scan` of "
          "the same file)")
    try:
        for name, label in (("1.0-1.jpg", "200 KB"), ("12-0.jpg", "4 MB")):
            picture = pathlib.Path(pictures) / name
            alone = command_line(obhut, data, picture, work)
            size = picture.stat().st_size
            print(f"  pictures of {size / 1e6:.1f} MB ({label}): `obhut scan` {alone:.0f}/s")
            script = work / "scan.lua"
            script.write_text(SCRIPT % (picture.resolve(), service.token, "image/jpeg"))
            for connections in (1, 2, 4, 16):
                rate, part, more = wrk(f"{service.url}/v1/scan?surface=public", script, connections)
                print(f"  {rate / alone:10.2f} x, {connections:3} connections: {rate:.0f} scans/s, half "
                      f"within {part[50]}, 99 of 100 within {part[99]}{more}", flush=True)
        for many, label in ((1, "one hash a request"), (256, "256 hashes a request")):
            body = work / "body.json"
            body.write_text(json.dumps({"query": hashes[5]} if many == 1 else
                                       {"queries": obhutd.obhut.hashes(many, seed=9)}))
            script = work / "match.lua"
            script.write_text(SCRIPT % (body.resolve(), service.token, "application/json"))
            for connections in (1, 8, 32):
                rate, part, more = wrk(f"{service.url}/v1/match?surface=public", script, connections)
                print(f"  {rate * many:10.0f} look-ups/s, {label}, {connections:3} connections: half "
                      f"within {part[50]}, 99 of 100 within {part[99]}{more}", flush=True)
    finally:
        service.stop()
    shutil.rmtree(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
