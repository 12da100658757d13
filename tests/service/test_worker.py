"""A service one of whose decoders was taken over (tests/hostile/worker.c), and workers whose service ends."""
import os
import pathlib
import shutil
import signal
import unittest

import obhutd
import waiting

HOSTILE = pathlib.Path(obhutd.DAEMON).parent / "tests/hostile-worker"
ONE = "decoders = 1\nsearchers = 1\n"
CRASHED = ("undecodable", "CRASHED")


def what(answer):
    return answer["action"], answer.get("reason")


@unittest.skipUnless(HOSTILE.exists(), "built with tests only")
class Hostile(obhutd.Case):
    def hostile(self, text=ONE):
        folder = self.dir / "bin"
        folder.mkdir(exist_ok=True)
        shutil.copy(obhutd.DAEMON, folder / "obhutd")
        shutil.copy(HOSTILE, folder / "obhut-worker")
        return self.start(*self.configure(text), program=str(folder / "obhutd"))

    def evil(self, service, name, **options):
        return service.scan(f"EVIL {name}\n".encode(), **options)

    @unittest.skipIf(obhutd.SANITIZED, "the release filter is shown")
    def test_a_hostile_worker_is_killed_and_logged(self):
        service = self.hostile()
        told = lambda: sum("asked for what no decoder needs" in line for line in service.log)
        attempts = ("open", "socket", "fork", "exec", "thread", "ptrace", "execute", "write")
        for number, attempt in enumerate(attempts, 1):
            self.assertEqual(what(self.evil(service, "try_" + attempt)), CRASHED)
            waiting.until(lambda n=number: told() == n, lambda: f"it is told: {service.log[-1]}")
            self.assertEqual(service.scan(b"yes")["action"], "allow")
        self.assertEqual(service.metrics()["workers_lost_total"], 8)

    def test_an_answer_of_another_size_or_none_holds_up_nobody(self):
        service = self.hostile()  # one decoder: were it held up, nobody would get an answer
        for name in ("say_nothing", "say_short", "say_long", "say_less", "let_go", "let_go_and_sleep"):
            before, lines = service.processes()["workers"], len(service.log)
            self.assertEqual(what(self.evil(service, name)), CRASHED, name)
            waiting.until(lambda: len(service.log) > lines, f"{name} is told of")
            self.assertIn("a worker was lost and is replaced", service.log[-1])
            self.assertEqual(service.scan(b"an innocent file")["action"], "allow", name)
            self.assertFalse(set(before) & set(service.processes()["workers"]), name)
        self.assertGreaterEqual(service.metrics()["workers_lost_total"], 6)
        service.stop()  # at once, and nobody is left

    def test_a_worker_that_does_not_answer_costs_its_time(self):
        service = self.hostile(ONE + "decode-time-ms = 1500\n")
        for name in ("loop_untimed", "wait_for_ever", "listen_for_ever"):
            self.assertEqual(what(self.evil(service, name)), ("undecodable", "TOO_SLOW"))
        self.assertEqual(service.metrics()["workers_lost_total"], 3)

    def test_a_second_answer_costs_the_process_only(self):
        service = self.hostile()
        for name in ("once_more", "once_empty", "flood"):
            self.assertEqual(self.evil(service, name)["action"], "allow")
            self.assertEqual(service.scan(b"an innocent file")["action"], "allow", name)

    def test_a_refusal_that_is_none_costs_the_worker(self):
        service = self.hostile()
        for name in ("refuse", "refuse_and_tell"):
            self.assertEqual(what(self.evil(service, name)), CRASHED)
            self.assertEqual(service.scan(b"an innocent file")["action"], "allow", name)

    def test_nothing_of_a_file_gets_to_another_client(self):
        service = self.hostile()
        token = self.run_obhut("token", "add", "other", "--surface", "public", "--scope", "scan")[0].strip()
        secret = b"somebody's private picture, and what it shows"
        kept = "".join(f"{secret[at:at + 8][::-1].hex()}" for at in (24, 16, 8, 0))
        for _ in range(3):
            service.scan(secret)
            # what a process keeps of its own client's files, it can tell that client
            self.assertEqual(self.evil(service, "nothing")["pdq"], kept)
            answer = self.evil(service, "nothing", token=token)
            self.assertEqual(answer["pdq"], "0" * 64)
            self.assertNotIn(secret[:8].hex(), str(answer))

    def test_what_is_wrong_with_a_file_is_said_by_the_service(self):
        service = self.hostile()
        for name in ("reason_unknown", "reason_huge", "reason_of_none", "reason_beyond", "reason_far",
                     "reason_format", "fine_with_row", "all_ones"):
            answer = self.evil(service, name)
            self.assertEqual(what(answer), CRASHED)
            self.assertEqual(answer["detail"], "the decoder's answer makes no sense")


def is_confined(pid):
    """Whether it has a filter of system calls: it is past its start."""
    try:
        return "Seccomp:\t2" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def started(service):
    """Its processes, once all that are confined are; a core that answers has ended the worker that it tried first."""
    if service.request("GET", "/readyz")[0] != 200:
        return None
    who = service.processes()
    if "front" in who and "core" in who and who["workers"]:
        return who if all(map(is_confined, [who["front"], *who["workers"]])) else None
    return None


class End(obhutd.Case):
    """A stopped process stands for one that listens to nobody; one that is just being started is none yet."""

    def test_a_worker_ends_with_its_core_and_the_front_with_main(self):
        service = self.start(*self.configure(ONE))
        service.scan(b"a file")
        who = waiting.until(lambda: started(service), "they are started")
        for worker in who["workers"]:
            os.kill(worker, signal.SIGSTOP)
        os.kill(who["core"], signal.SIGKILL)
        waiting.until(lambda: not any(map(obhutd.is_ours, who["workers"])), "workers end with the core")
        who = waiting.until(lambda: started(service), "it is back")
        for process in [who["front"], *who["workers"]]:
            os.kill(process, signal.SIGSTOP)
        service.process.kill()
        service.process.wait()
        others = [who["core"], who["front"], *who["workers"]]
        waiting.until(lambda: not any(map(obhutd.is_ours, others)), "everybody ends with main")


if __name__ == "__main__":
    unittest.main()
