"""A front that was taken over: what it tries costs itself, and nobody else."""
import concurrent.futures
import contextlib
import os
import pathlib
import socket
import unittest

import obhutd
import waiting

TESTS = pathlib.Path(obhutd.DAEMON).parent / "tests"
HOSTILE = str(TESTS / "obhutd-hostile-front")
OLD_KERNEL = str(TESTS / "old-kernel")
RANDOM_PACKETS = int(os.environ.get("OBHUT_FRONT_PACKETS", "2000"))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def sees(pid):
    """Whether we, and so main, can see what a process has open: root, or where it has a namespace of users."""
    return os.access(f"/proc/{pid}/fd", os.R_OK | os.X_OK)


def opened(pid, workers):
    """How much a process has open, but for readers of the records and channels to workers, which come when they are
    needed. None where nobody may see."""
    count = -workers
    for file in os.listdir(f"/proc/{pid}/fd") if sees(pid) else ():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            count += "obhut.db" not in os.readlink(f"/proc/{pid}/fd/{file}")
    return count if sees(pid) else None


def as_on_an_old_kernel(folder, program):
    """A program that runs another without Landlock and namespaces."""
    path = folder / "as-on-an-old-kernel"
    path.write_text(f'#!/bin/sh\nexec {OLD_KERNEL} {program} "$@"\n')
    path.chmod(0o755)
    return str(path)


class HostileFront(obhutd.Case):
    def start_hostile(self, *arguments, program=HOSTILE, data=None):
        service = obhutd.Service(data or self.data, *arguments, program=program)
        self.addCleanup(self.end, service)
        waiting.until(lambda: self.serves(service), lambda: "the core answers the hostile front")
        return service

    def tell(self, service, line):
        """Lines that it says, or None where it ended meanwhile."""
        said = b""
        try:
            with socket.create_connection((service.host, service.port), waiting.LIMIT_S) as connection:
                connection.sendall(line.encode() + b"\n")
                while got := connection.recv(65536):
                    said += got
        except ConnectionError:
            return None
        return said.decode().splitlines()

    def serves(self, service):
        return self.tell(service, f"ask {service.token}") in (["status 200"], ["status 503"])

    def settled(self, service):
        """What main and core have, once the core serves again."""
        waiting.until(lambda: self.serves(service), lambda: "\n".join(service.log[-20:]))
        who = service.processes()
        return [(opened(who["main"], 0), threads(who["main"])),
                (opened(who["core"], len(who["workers"])), threads(who["core"]))]

    def names(self, service):
        return [line.split() for line in self.tell(service, "list")]

    def test_every_lie_costs_the_front_alone(self):
        """Several services share the lies: between two that end a front, main waits a while."""
        configuration = self.configure("memory-most-mb = 16\n")
        services = [self.start_hostile(*configuration, data=self.dir / f"data-{n}") for n in range(4)]
        names = self.names(services[0])
        self.assertGreaterEqual(len(names), 60)
        with concurrent.futures.ThreadPoolExecutor(len(services)) as pool:
            done = [pool.submit(self.expect_lies, service, names[n::len(services)])
                    for n, service in enumerate(services)]
            for each in done:
                each.result()
        self.run_obhut("list", "ls")

    def expect_lies(self, service, names):
        before, who = self.settled(service), service.processes()
        memory = obhutd.resident(who["core"])
        for name, ends in names:
            if name == "fill-memory" and not sees(service.processes()["front"]):
                continue
            self.expect_lie(service, name, ends == "1", before)
        self.assertEqual(service.processes()["core"], who["core"])
        if not obhutd.SANITIZED:
            self.assertLess(obhutd.resident(who["core"]), memory + 64_000_000)

    def expect_lie(self, service, name, ends, before):
        front, logged = service.processes()["front"], len(service.log)
        self.tell(service, f"{name} {service.token}")
        if ends:
            waiting.until(lambda: not obhutd.is_ours(front), lambda: f"{name} ends the front")
            waiting.until(lambda: any("the front" in line for line in service.log[logged:]),
                          lambda: f"{name} is told of")
        waiting.until(lambda: self.settled(service) == before,
                      lambda: f"{name}: {before} but {self.settled(service)}")
        if not ends:
            self.assertEqual(service.processes()["front"], front, name)

    def test_no_call_reaches_anybody(self):
        self.expect_no_call(self.start_hostile())

    def test_the_filter_alone_suffices(self):
        self.expect_no_call(self.start_hostile(program=as_on_an_old_kernel(self.dir, HOSTILE)))

    def expect_no_call(self, service):
        core = service.processes()["core"]
        said = self.tell(service, f"calls {core}")
        self.assertGreaterEqual(len(said), 30)
        if not obhutd.SANITIZED: # whose own bookkeeping needs some of them
            self.assertEqual([line for line in said if not line.endswith(" fails")], [])
        self.assertEqual(service.processes()["core"], core)
        waiting.until(lambda: self.serves(service), lambda: "the front listens as before")

    def test_random_packets_do_no_harm(self):
        service = self.start_hostile()
        before, who, sent, turn = self.settled(service), service.processes(), 0, 0
        while sent < RANDOM_PACKETS:
            turn += 1
            said = self.tell(service, f"random {service.token} {turn}")
            sent += int(said[-1].split()[1]) if said else 1
            self.settled(service)
        self.assertEqual(service.processes()["core"], who["core"])
        waiting.until(lambda: self.settled(service) == before, lambda: f"{before} but {self.settled(service)}")

    def test_main_stops_while_a_front_floods_it(self):
        service = self.start_hostile()
        with socket.create_connection((service.host, service.port), waiting.LIMIT_S) as connection:
            connection.sendall(f"ready-flood {service.token}\n".encode())
            service.stop()

    def test_a_killed_core_comes_back_beside_a_front_that_floods(self):
        service = self.start_hostile()
        core = service.processes()["core"]
        with socket.create_connection((service.host, service.port), waiting.LIMIT_S) as connection:
            connection.sendall(f"ready-flood {service.token}\n".encode())
            os.kill(core, 9)
            waiting.until(lambda: service.processes().get("core") not in (None, core),
                          lambda: "another core runs")
        waiting.until(lambda: self.serves(service), lambda: "\n".join(service.log[-20:]))


class Secrets(obhutd.Case):
    def memory_of(self, pid):
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for line in maps:
                begin, end = (int(part, 16) for part in line.split()[0].split("-"))
                try:
                    memory.seek(begin)
                    yield memory.read(end - begin)
                except (OSError, ValueError, OverflowError):
                    continue

    @unittest.skipIf(os.geteuid() != 0, "only root reads another process's memory")
    @unittest.skipIf(obhutd.SANITIZED, "the shadow is too large to be read")
    def test_front_and_workers_have_nothing_of_environment_and_configuration(self):
        secret = "s3cret" + os.urandom(8).hex()
        service = self.start(*self.configure(f"# {secret}-in-a-comment\nconnections-most = 64\n"),
                             environment=dict(os.environ, PGPASSWORD=secret, SOMETHING=secret))
        who = service.processes()
        for pid in (who["front"], *who["workers"]):
            self.assertEqual(pathlib.Path(f"/proc/{pid}/environ").read_bytes(), b"")
            self.assertNotIn(secret.encode(), b" ".join(obhutd.command(pid)))
            self.assertFalse(any(secret.encode() in piece for piece in self.memory_of(pid)))
        self.assertTrue(any(secret.encode() in piece for piece in self.memory_of(who["core"])))

    def test_readyz_names_the_layers(self):
        service = self.start()
        waiting.until(lambda: service.json("GET", "/readyz")["front"], "the front has told")
        got = service.json("GET", "/readyz")
        self.assertIn("seccomp", got["front"])
        self.assertEqual(sorted(got["missing"]), ["front", "workers"])
        for name, held in (("front", got["front"]), ("workers", got["sandbox"])):
            self.assertFalse(set(held) & set(got["missing"][name]))


    @unittest.skipIf(obhutd.SANITIZED, "few layers are compatible with sanitizers")
    def test_readyz_names_what_a_kernel_does_not_give(self):
        service = self.start(program=as_on_an_old_kernel(self.dir, obhutd.DAEMON))
        waiting.until(lambda: service.json("GET", "/readyz")["front"], "the front has told")
        got = service.json("GET", "/readyz")
        self.assertTrue(got["ready"])
        self.assertEqual(got["missing"], {"workers": ["landlock", "namespaces", "scopes"],
                                          "front": ["landlock", "namespaces", "scopes", "processes"]})
        self.assertEqual(service.scan((obhutd.DEMO / "rocket-640x427.jpg").read_bytes())["action"], "allow")


if __name__ == "__main__":
    unittest.main()
