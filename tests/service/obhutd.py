"""What the suites that run the real service share."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import obhut  # noqa: E402
import waiting  # noqa: E402

ROOT = obhut.ROOT
DAEMON = str(pathlib.Path(obhut.BINARY).with_name("obhutd"))
SANITIZED = obhut.SANITIZED
stat_of, children, command = obhut.stat_of, obhut.children, obhut.command
IMAGES = obhut.IMAGES
DEMO = ROOT / "data/demo"


def worked(pid):
    """Seconds of the processor that it has taken, whatever else ran meanwhile."""
    fields = stat_of(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def quiet_port():
    """A port that the system hands out to nobody, for a service that must be started on it again."""
    low, high = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    begin = 10000 + os.getpid() % 10000
    for port in (begin + 7 * n for n in range(1000)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            if not low <= port <= high:
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError("no port is free")


def is_ours(pid):
    """Whether it is a process of Obhut that runs."""
    return b"obhut" in b" ".join(command(pid)) and (stat_of(pid) or "Z")[0] != "Z"


def resident(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=waiting.LIMIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def listening(services="127.0.0.1:0", staff="127.0.0.1:0", public="127.0.0.1:0"):
    """Options for a service that takes nobody's port; None: what the configuration says."""
    given = {"--listen": services, "--listen-staff": staff, "--listen-public": public}
    return [word for option, where in given.items() if where for word in (option, where)]


class Service:
    """A running obhutd; its log is in `self.log`, line by line, and in `self.where` what it listens on: {"services":
    "http://127.0.0.1:8480", …}. Services are asked unless something else is said."""

    def __init__(self, data, *arguments, program=DAEMON, environment=None, listen="127.0.0.1:0",
                 listen_staff="127.0.0.1:0", listen_public="127.0.0.1:0"):
        self.data = pathlib.Path(data)
        self.log = []
        self.process = subprocess.Popen(
            [program, "--data", str(data), *listening(listen, listen_staff, listen_public), *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=environment, errors="replace")
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.ready.wait(waiting.LIMIT_S) or not self.where:
            self.process.kill()
            raise AssertionError("the service is not ready: " + "\n".join(self.log))
        self.url = self.where.get("services")
        self.host, self.port = self.place("services") if ":" in (self.url or "") else (None, None)
        self.token = (self.data / "keys/api-token").read_text().strip()

    where = None

    def place(self, listener):
        """(host, port)"""
        host, _, port = self.where[listener].removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    def read(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))
            if "obhutd: main: ready: " in line and not self.where:
                self.where = dict(re.findall(r"(services|staff|public) ([^\s,]+)", line.split("ready: ")[1]))
                self.ready.set()
        self.ready.set()

    def processes(self):
        """{"main": pid, "core": pid, "front": pid, "workers": [pid, …]} of those that run."""
        found = {"main": self.process.pid, "workers": []}
        for pid in children(self.process.pid):
            words = command(pid)
            if len(words) > 1:
                found[words[1].decode()] = pid
        for pid in children(found.get("core", -1)):
            if b"obhut-worker" in (command(pid) or [b""])[0]:
                found["workers"].append(pid)
        return found

    def connect(self, listener="services"):
        if self.where[listener].startswith("/"):
            return UnixConnection(self.where[listener])
        return http.client.HTTPConnection(*self.place(listener), timeout=waiting.LIMIT_S)

    def request(self, method, path, body=None, headers=None, token=True, connection=None, listener="services"):
        """(status, headers, body as bytes)"""
        own = connection or self.connect(listener)
        headers = dict(headers or {})
        if token is True:
            headers["Authorization"] = "Bearer " + self.token
        elif token:
            headers["Authorization"] = "Bearer " + token
        try:
            own.request(method, path, body, headers)
            answer = own.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            if not connection:
                own.close()

    def json(self, method, path, body=None, status=200, **options):
        """`status`: the one that must come, or all that may."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            options["headers"] = {"Content-Type": "application/json", **(options.get("headers") or {})}
        got, headers, content = self.request(method, path, body, **options)
        if got not in (status if isinstance(status, tuple) else (status,)):
            raise AssertionError(f"{method} {path}: {got} {content[:2000]}")
        kind = "application/problem+json" if got >= 400 else "application/json"
        assert headers["Content-Type"] == kind, headers["Content-Type"]
        return json.loads(content)

    def scan(self, content, surface="public", item=None, **options):
        """`item`: further fields; those that a surface demands are there without."""
        fields = {"surface": surface}
        if surface != "public":
            fields |= {"account": "acct-1", "encryption": "transport", "conversation": "talk-1"}
        fields |= item or {}
        return self.json("POST", "/v1/scan?" + urllib.parse.urlencode(fields), content, **options)

    def metrics(self):
        """{"scans_total{action="allow"}": 3.0, …}"""
        _, _, text = self.request("GET", "/metrics")
        return {line.rpartition(" ")[0].removeprefix("obhut_"): float(line.rpartition(" ")[2])
                for line in text.decode().splitlines() if not line.startswith("#")}

    def stop(self, code=0):
        """Ends it as systemd does; it must end well, by itself, and leave nobody behind."""
        if self.process.poll() is not None:
            return
        everybody = self.processes()
        self.process.send_signal(signal.SIGTERM)
        got = self.process.wait(waiting.LIMIT_S)
        self.reader.join(waiting.LIMIT_S)
        assert got == code, f"exit code {got}: " + "\n".join(self.log[-50:])
        others = [everybody.get("core"), everybody.get("front"), *everybody["workers"]]
        waiting.until(lambda: not [pid for pid in others if pid and is_ours(pid)],
                      lambda: f"all of {others} have gone")
        self.process.stderr.close()

    def kill(self):
        """As where the machine stops: nobody has time for anything."""
        core = self.processes()["core"]
        self.process.kill()
        self.process.wait()
        waiting.until(lambda: not is_ours(core), "the core ends")
        self.reader.join()
        self.process.stderr.close()


class Case(obhut.Case):
    """A test with a data directory and, once started, a service on it."""

    def start(self, *arguments, **options):
        service = Service(self.data, *arguments, **options)
        self.addCleanup(self.end, service)
        return service

    def end(self, service):
        try:
            service.stop()
        finally:
            if service.process.poll() is None:
                service.process.kill()
                service.process.wait()

    def configure(self, text):
        return "--config", self.write("obhutd.conf", text)

    def list_of(self, path, **fields):
        """A line of a list with the hash of a picture."""
        line, = self.json_lines("hash", "--json", path)
        return json.dumps({"pdq": line["pdq"], **fields})
