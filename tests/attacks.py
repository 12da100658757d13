"""All attacks at once against a release service, for so long. Usage: attacks.py BUILD DIR SECONDS

After a tenth of the time, after half and at the end attacks pause, and what each process has is
measured: it must not have grown. A neighbour goes on scanning; who has done nothing is answered.
"""
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "service"))

MEMORY = 32 << 20  # that a process may have more in the end: allocators keep some
DISK = 50e6        # of records that are made, up to what a token may, and of the log
DISK_A_SECOND = 4000
CONFIG = "records-day-mb = 10\ndecode-time-ms = 5000\ndecode-cpu-ms = 3000\nhead-time-ms = 5000\nbody-time-ms = 5000\n"
GREEDY = ("127.0.0.2", 0)
# A worker that is killed costs the file that it has, and one that is killed as it starts is told of.
FINE = ("allow", "undecodable", "503 no worker can be started at the moment: try again")


# ---- Attacks; each runs until `stop` is set --------------------------------------------------------

def connect(service):
    return socket.create_connection((service.host, service.port), timeout=10, source_address=GREEDY)


def again(attack):
    """An attack that is one try: again and again, whatever comes of it."""
    def run(service, token, stop):
        numbers = random.Random(os.getpid())
        while not stop.is_set():
            with contextlib.suppress(OSError):
                attack(service, token, numbers)
    return run


def head(token, length, path="/v1/scan?surface=public", method="POST"):
    return (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def hostile_bytes(service, token, numbers):
    """Heads and bodies with bytes changed, cut, doubled; or anything at all."""
    whole = bytearray(numbers.choice((
        head(token, 200) + bytes(200), b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        head(token, 40, "/v1/match?surface=public") + json.dumps({"query": "0" * 64}).encode(),
        head(token, 0)[:-2] + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nFFFFFFFFFFFFFFFF\r\n",
        head(token, 99)[:-2] + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n\r\n\r\n--x--",
        numbers.randbytes(numbers.randrange(1, 3000)))))
    for _ in range(numbers.randrange(8)):
        at = numbers.randrange(len(whole))
        whole[at:at + numbers.randrange(3)] = numbers.randbytes(numbers.randrange(4))
        whole = whole or bytearray(b"x")
    with connect(service) as one:
        one.sendall(whole)
        one.settimeout(0.05)
        with contextlib.suppress(OSError):
            one.recv(4096)


def gone_clients(service, token, numbers):
    """A whole request, and nobody who waits for its answer; often by a reset."""
    with connect(service) as one:
        one.sendall(head(token, len(PICTURE)) + PICTURE[:numbers.choice((len(PICTURE), 100, len(PICTURE) // 2))])
        if numbers.random() < 0.5:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def deaf_clients(service, token, numbers):
    """The longest answers, which nobody reads."""
    import greedy
    body = greedy.worst_match()
    with contextlib.ExitStack() as all_of_them:
        for _ in range(4):
            one = all_of_them.enter_context(connect(service))
            one.sendall(head(token, len(body), "/v1/match?surface=public") + body)
        time.sleep(numbers.random() * 3)


def slow_bodies(service, token, numbers):
    with contextlib.ExitStack() as all_of_them:
        slow = [all_of_them.enter_context(connect(service)) for _ in range(100)]
        for one in slow:
            one.sendall(head(token, 40000000) + bytes(60000))
        for _ in range(20):
            time.sleep(0.1)
            for one in slow:
                with contextlib.suppress(OSError):
                    one.sendall(b"x")


def damaged_files(service, token, numbers):
    content = bytearray(numbers.choice(PICTURES))
    for _ in range(numbers.randrange(1, 20)):
        content[numbers.randrange(len(content))] = numbers.randrange(256)
    service.request("POST", "/v1/scan?surface=public", bytes(content), token=token)


def many_reports(service, token, numbers):
    """More than a token may write in a day."""
    body = {"conversation": "c", "reporter": "r", "account": f"a{numbers.randrange(99)}", "reason": "x" * 1000,
            "items": [str(numbers.random()) for _ in range(100)]}
    status, _, _ = service.request("POST", "/v1/reports", json.dumps(body), token=token)
    time.sleep(0.1 if status == 429 else 0)


def killed_workers(service, token, stop):
    numbers = random.Random(1)
    while not stop.is_set():
        stop.wait(numbers.random() * 2)
        workers = service.processes()["workers"]
        with contextlib.suppress(OSError, IndexError):
            os.kill(numbers.choice(workers), signal.SIGKILL)


def half_heads(service, token, stop):
    import greedy
    greedy.half_heads(service, stop, 600)


def attacks(service, token):
    import greedy
    each = [again(one) for one in (hostile_bytes, gone_clients, deaf_clients, slow_bodies, damaged_files,
                                   many_reports)]
    each += [killed_workers, half_heads]
    bound = [lambda stop, one=one: one(service, token, stop) for one in each]
    return bound + [work for name, work in greedy.kinds(service, token).items() if name != "half heads"]


# ---- What is measured ------------------------------------------------------------------------------

def status(pid, word):
    return int(re.search(rf"^{word}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


def is_calm(service):
    """Nothing waits. While clients of the attacks still leave, the one that asks may be who gives way."""
    try:
        return service.metrics()["waiting"] == 0
    except OSError:
        return False


def measure(service, label):
    """{process: (descriptors, threads, bytes)}, and what lies on the disk. A worker's channel is not the core's
    growth."""
    import obhutd
    import waiting
    waiting.until(lambda: is_calm(service), "nothing waits any more")
    waiting.until(lambda: obhutd.descriptors(service.processes()["front"]) < 60, "all clients have gone")
    who = service.processes()
    found = {}
    for name in ("main", "core", "front"):
        pid = who[name]
        own = len(who["workers"]) if name == "core" else 0
        found[name] = obhutd.descriptors(pid) - own, status(pid, "Threads"), status(pid, "VmRSS") * 1024
    disk = sum(path.stat().st_size for path in service.data.rglob("*") if path.is_file())
    text = ", ".join(f"{name} {d} descriptors {t} threads {b / 1e6:.1f} MB" for name, (d, t, b) in found.items())
    most = max((status(pid, "VmRSS") / 1e3 for pid in who["workers"]), default=0)
    print(f"{label}: {text}, {len(who['workers'])} workers of {most:.0f} MB at most, disk {disk / 1e6:.1f} MB", flush=True)
    return found, disk


def what_grew(begin, end, seconds):
    wrong = [f"{name}: {word} grew from {old:,} to {new:,}"
             for name in begin[0]
             for word, old, new, more in zip(("descriptors", "threads", "memory"), begin[0][name], end[0][name],
                                             (4, 0, MEMORY)) if new > old + more]
    if end[1] > begin[1] + DISK + DISK_A_SECOND * seconds:
        wrong.append(f"the disk grew from {begin[1]:,} to {end[1]:,}")
    return wrong


# ---- The neighbour ---------------------------------------------------------------------------------

def scan_for(service, seconds):
    """How often it was answered as it should be; otherwise: what it was told, and how often."""
    told, until = {}, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            code, _, body = service.request("POST", "/v1/scan?surface=public", PICTURE)
            answer = json.loads(body)
            word = answer["action"] if code == 200 else f"{code} {answer['detail']}"
        except OSError as problem:
            word = repr(problem)
        told[word] = told.get(word, 0) + 1
        time.sleep(0.02)
    return told


def attack(service, works, seconds, label):
    import greedy
    with greedy.at_work(works, 0.2):
        told = scan_for(service, seconds)
    print(f"{label}: the neighbour was told {told}", flush=True)
    return told


def main(build, folder, seconds):
    import greedy
    import obhutd
    global PICTURE, PICTURES
    PICTURE = (obhutd.DEMO / "rocket-640x427.jpg").read_bytes()
    PICTURES = [path.read_bytes() for path in sorted(obhutd.IMAGES.rglob("*")) if path.is_file()][:40]
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    obhut, data = str(pathlib.Path(build) / "obhut"), folder / "data"
    (folder / "near.txt").write_text("\n".join(greedy.near(greedy.BASE, 4000, 6)))
    (folder / "obhutd.conf").write_text(CONFIG)

    def ask(*words):
        return subprocess.run([obhut, "--data", data, *words], check=True, capture_output=True, text=True).stdout
    ask("list", "import", folder / "near.txt")
    token = ask("token", "add", "greedy", *(word for surface in ("public", "direct") for word in ("--surface", surface)),
                *(word for scope in ("scan", "match", "reports") for word in ("--scope", scope))).split()[-1]
    service = obhutd.Service(data, "--config", folder / "obhutd.conf",
                             program=str(pathlib.Path(build).resolve() / "obhutd"))
    who = service.processes()
    try:
        works = attacks(service, token)
        told = attack(service, works, max(10, seconds / 10), "warming up")
        begin = measure(service, "begin")
        for label in ("middle", "end"):
            for word, times in attack(service, works, seconds / 2, label).items():
                told[word] = told.get(word, 0) + times
            last = measure(service, label)
        wrong = what_grew(begin, last, seconds)
        now = service.processes()
        wrong += [f"{name} was started again" for name in ("core", "front") if now.get(name) != who[name]]
        # A worker that is killed takes the file with it that it had.
        wrong += [f"the neighbour was told {word}, {times} times" for word, times in told.items()
                  if word not in FINE]
    finally:
        service.stop()
    if ask("audit", "verify").find("right") < 0:
        wrong.append("the log is not right any more")
    print("\n".join(wrong) or "nothing grew")
    shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
