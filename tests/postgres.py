"""PostgreSQL for tests: a cluster in a directory of its own, on a socket in there and on no network, run as
the user postgres where the suite is run by root.

A suite that needs a database and no more takes `shared()`, the one server of the whole run. One that stops
the server, or looks into its files, takes `Postgres()`, a server of its own."""
import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import waiting

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
PRISTINE = "OBHUT_POSTGRES_PRISTINE"  # a cluster that never ran, to be copied: that is quick
SHARED = "OBHUT_POSTGRES_SHARED"  # the directory of the run's server


def as_postgres():
    """What a command must begin with where it is run by root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
            "--pdeathsig=QUIT"] if os.geteuid() == 0 else []


def run_program(directory, program, *arguments):
    """What it prints."""
    command = [*as_postgres(), str(program), *map(str, arguments)]
    done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True,
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}, text=True)
    if done.returncode:
        raise AssertionError(f"{program}: {done.stdout}{done.stderr}")
    return done.stdout


def home(parent=None):
    """A new directory of whoever runs the server."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="pg-", dir=parent))
    if os.geteuid() == 0:
        shutil.chown(made, "postgres", "postgres")
    return made


def make_cluster(data, pristine=None):
    if pristine:
        run_program(data.parent, "cp", "-a", pristine, data)
    else:
        run_program(data.parent, PROGRAMS / "initdb", "--pgdata", data, "--encoding=UTF8",
                    "--locale=C.UTF-8", "--auth=trust", "--username=obhut", "--no-sync")


class Databases:
    """Databases on the server whose socket is in `dir`."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.databases = 0

    def run(self, program, *arguments):
        return run_program(self.dir, PROGRAMS / program, *arguments)

    def url(self, name=None, copy_of="template1"):
        """The URL of a fresh database, or of a copy of one that nobody uses."""
        if name is None:
            self.databases += 1
            name = f"obhut_{os.getpid()}_{self.databases}"
            self.sql(f"CREATE DATABASE {name} TEMPLATE {copy_of}", "postgres")
        return f"postgresql://obhut@/{name}?host={self.dir}"

    def sql(self, text, database):
        """What psql prints, unaligned."""
        return self.run("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U",
                        "obhut", "-d", database, "-c", text)


class Postgres(Databases):
    """`with Postgres() as server: server.url()`: a fresh database; stop() and start() again."""

    def __init__(self, parent=None, pristine=os.environ.get(PRISTINE)):
        super().__init__(home(parent))
        self.process = None
        try:
            make_cluster(self.data, pristine)
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def data(self):
        return self.dir / "data"

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(
                [*as_postgres(), PROGRAMS / "postgres", "-D", self.data, "-k", self.dir, "-c",
                 "listen_addresses=", "-c", "shared_buffers=16MB", "-c", "max_connections=40",
                 "-c", "wal_recycle=off", "-c", "min_wal_size=32MB"],
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
        waiting.until(self.answers_or_ended, lambda: "postgres starts: " + self.log())
        if self.process.poll() is not None:
            raise AssertionError("postgres does not start: " + self.log())

    def answers_or_ended(self):
        asked = subprocess.run([PROGRAMS / "pg_isready", "-q", "-h", self.dir],
                               stdin=subprocess.DEVNULL)
        return asked.returncode == 0 or self.process.poll() is not None

    def log(self):
        return (self.dir / "log").read_text()

    def stop(self, how=signal.SIGINT):
        """SIGINT: connections are cut. SIGQUIT: as after a crash. SIGTERM waits for clients."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(waiting.LIMIT_S)

    def pause(self, paused):
        """All of the server's processes stand still, or go on: it does not answer."""
        signal_ = signal.SIGSTOP if paused else signal.SIGCONT
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in [*map(int, children.read_text().split()), self.process.pid]:
            try:
                os.kill(pid, signal_)
            except ProcessLookupError:
                pass

    def close(self):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def shared():
    """The run's server, or one of its own where a suite is run by hand: for databases only."""
    if SHARED in os.environ:
        yield Databases(os.environ[SHARED])
    else:
        with Postgres() as own:
            yield own


@contextlib.contextmanager
def for_a_run(folder):
    """Environment of suites that then share a server and copy a cluster rather than make one."""
    pristine = home(folder) / "data"
    make_cluster(pristine)
    with Postgres(folder, pristine) as server:
        yield {PRISTINE: str(pristine), SHARED: str(server.dir)}
