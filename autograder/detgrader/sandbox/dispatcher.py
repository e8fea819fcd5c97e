"""A job's dispatcher in the zygote as the grader sees it: it starts and ends workers."""

import json
import select
import socket
from typing import Any

from detgrader.sandbox.limits import Limits
from detgrader.sandbox.watch import Watch

MESSAGE_BYTES = 4096


class DispatcherClient:
    """This job's dispatcher in the zygote: starts workers, ends them, says how they ended."""

    def __init__(self, control: socket.socket):
        self.control = control
        self.reports: dict[str, dict[str, Any]] = {}
        self.expected: set[str] = set()
        self.watch = Watch()

    def start(self, number: str, limits: Limits) -> socket.socket:
        """Start a worker and return our end of its socket."""
        while self.hear(0.0):
            pass  # reports that nobody reads would fill the socket
        ours, theirs = socket.socketpair()
        order = {"number": number, "cpu_s": limits.cpu_s, "memory_mb": limits.memory_mb}
        with theirs:
            socket.send_fds(self.control, [json.dumps(order).encode()], [theirs.fileno()])
        self.expected.add(number)
        return ours

    def kill(self, number: str | None) -> None:
        """End a worker, if it still runs; None ends all of this job's."""
        self.control.send(json.dumps({"kill": number}).encode())

    def keep_watch(self, number: str | None = None) -> None:
        """See to it that workers are watched from their start on, as soon as that is told.

        Args:
            number: of one that is waited for.
        """
        while self.expected and self.hear(None if number in self.expected else 0.0):
            pass

    def clock(self, number: str) -> float:
        """Return the processor seconds that a worker has taken so far, as the kernel counts them.

        One that has ended took what its report says.
        """
        self.keep_watch(number)
        seconds = self.watch.clock(number)
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
        """Take in that a worker started, or how one ended, if it is told within our patience."""
        if not select.select([self.control], [], [], patience_s)[0]:
            return False
        data, descriptors, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, 1)
        message = json.loads(data)
        number = message["number"]
        if descriptors:
            self.expected.discard(number)
            self.watch.add(number, descriptors[0])
        else:
            self.watch.remove(number)
            self.reports[number] = message
        return True
