"""A job's dispatcher in the zygote as the grader sees it: it starts and ends workers."""

import json
import os
import select
import socket
import time
from typing import Any

from detgrader.sandbox.limits import Limits

MESSAGE_BYTES = 4096


class DispatcherClient:
    """This job's dispatcher in the zygote: starts workers, ends them, says how they ended."""

    def __init__(self, control: socket.socket):
        self.control = control
        self.reports: dict[str, dict[str, Any]] = {}

    def start(self, number: str, limits: Limits) -> socket.socket:
        """Start a worker and return our end of its socket."""
        while self.hear(0.0):
            pass  # reports that nobody reads would fill the socket
        ours, theirs = socket.socketpair()
        order = {"number": number, "cpu_s": limits.cpu_s, "memory_mb": limits.memory_mb}
        with theirs:
            socket.send_fds(self.control, [json.dumps(order).encode()], [theirs.fileno()])
        return ours

    def kill(self, number: str | None) -> None:
        """End a worker, if it still runs; None ends all of this job's."""
        self.control.send(json.dumps({"kill": number}).encode())

    def clock(self, number: str) -> float:
        """Return the processor seconds that a worker has taken so far, as the kernel counts them.

        One that has ended took what its report says.
        """
        self.control.send(json.dumps({"clock": number}).encode())
        seconds = None
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, 1)
            message = json.loads(data)
            if "clock" in message:
                seconds = processor_time(descriptors[0]) if descriptors else None
                break
            self.reports[message["number"]] = message
        if seconds is None:  # it has ended, or ends now
            report = self.report(number)
            assert report
            seconds = float(report["cpu_s"])
        return seconds

    def report(self, number: str, patience_s: float | None = None) -> dict[str, Any] | None:
        """Return how a worker ended, or None if it does not end within our patience."""
        while number not in self.reports:
            if not self.hear(patience_s):
                return None
        return self.reports[number]

    def hear(self, patience_s: float | None) -> bool:
        """Take one report in, if one comes within our patience."""
        if not select.select([self.control], [], [], patience_s)[0]:
            return False
        report = json.loads(self.control.recv(MESSAGE_BYTES))
        self.reports[report["number"]] = report
        return True


def processor_time(process: int) -> float | None:
    """Return a process's processor time in seconds, all its threads'; None if it has ended.

    Args:
        process: a pidfd, which is closed.
    """
    try:
        with open(f"/proc/self/fdinfo/{process}", encoding="ascii") as about:
            pid = next(int(line.split()[1]) for line in about if line.startswith("Pid:"))
        # The clock of a process by its number, as clock_getcpuclockid(3) makes it. A process that
        # has ended has none: -1 would be our own clock.
        return time.clock_gettime((~pid << 3) | 2) if pid > 0 else None
    except OSError:
        return None
    finally:
        os.close(process)
