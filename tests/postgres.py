"""A PostgreSQL of a suite's own: a cluster in a directory of its own, on a socket in there and on no
network, run as the user postgres where the suite is run by root."""
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


class Postgres:
    """`with Postgres() as server: server.url("name")`: a fresh database; stop() and start() again."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="obhut-pg-"))
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.process = None
        self.databases = 0
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
        try:
            self.run("initdb", "--pgdata", self.data, "--encoding=UTF8", "--locale=C.UTF-8",
                     "--auth=trust", "--username=obhut", "--no-sync")
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def data(self):
        return self.dir / "data"

    def command(self, program, *arguments):
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                   "--pdeathsig=QUIT"] if os.geteuid() == 0 else []
        return [*as_user, str(PROGRAMS / program), *map(str, arguments)]

    def run(self, program, *arguments):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run(self.command(program, *arguments), cwd=self.dir, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"{program}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command("postgres", "-D", self.data, "-k", self.dir, "-c", "listen_addresses=",
                             "-c", "shared_buffers=16MB", "-c", "max_connections=20",
                             "-c", "wal_recycle=off", "-c", "min_wal_size=32MB"),
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        for _ in range(600):
            ready = subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", self.dir],
                                   stdin=subprocess.DEVNULL)
            if ready.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("postgres does not start: " + (self.dir / "log").read_text())

    def stop(self, how=signal.SIGINT):
        """SIGINT: connections are cut. SIGQUIT: as after a crash. SIGTERM waits for clients."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def pause(self, paused):
        """All of the server's processes stand still, or go on: it does not answer."""
        signal_ = signal.SIGSTOP if paused else signal.SIGCONT
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in [*map(int, children.read_text().split()), self.process.pid]:
            try:
                os.kill(pid, signal_)
            except ProcessLookupError:
                pass

    def url(self, name=None):
        """The URL of a fresh database."""
        if name is None:
            self.databases += 1
            name = f"obhut_{self.databases}"
            self.sql(f"CREATE DATABASE {name}", "postgres")
        return f"postgresql://obhut@/{name}?host={self.dir}"

    def sql(self, text, database):
        """What psql prints, unaligned."""
        return self.run("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U",
                        "obhut", "-d", database, "-c", text)

    def close(self):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
