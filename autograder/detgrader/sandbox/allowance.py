"""What one task may cost the grader itself: its processor time, and the answers that it keeps.

What a student's code answers, and what it asks of stand-ins, is worked on in the grader: how long
that takes, and how much memory, is in part the student's choice. So the task pays for it.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from types import FrameType

from detgrader.sandbox import dispatcher
from detgrader.sandbox.limits import MOST_ANSWERS_MB, LimitReached, Limits
from detlab.checking.workbench import limit_of

# A header's bytes become Python's objects: of so many bytes for each, at most (empty tensors).
HEADER_GROWS = 16
AGAIN_S = 0.5  # should something have swallowed the error


class Allowance:
    """What is left of what a task may cost the grader.

    The grader's work for a task may take as long as the task's own code may.

    Args:
        limits: the task's.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self.left_s = float(limits.cpu_s)
        self.left_bytes = MOST_ANSWERS_MB << 20
        self.spending = False

    def take(self, header: int, body: int) -> None:
        """Take an answer in, of so many bytes.

        Raises:
            LimitReached: they are too many.
        """
        self.left_bytes -= HEADER_GROWS * header + body
        if self.left_bytes < 0:
            raise LimitReached("answers", self.limits)

    @contextlib.contextmanager
    def spend(self) -> Iterator[None]:
        """Charge what is done in a `with` block; one inside another is charged once.

        Raises:
            LimitReached: it takes too long, or more memory than the grader has.
        """
        if self.spending:
            yield
            return
        start = time.process_time()
        before = signal.signal(signal.SIGPROF, self.stop)
        self.spending = True
        signal.setitimer(signal.ITIMER_PROF, max(self.left_s, 1e-3), AGAIN_S)
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if limit_of(error, str(error)) != "memory":
                raise
            raise LimitReached("grader_memory", self.limits) from error
        finally:
            self.spending = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            self.left_s -= time.process_time() - start

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Raise, wherever the grader is, but where it would lose what it is told only once."""
        if not self.spending:
            return
        while frame:
            if frame.f_globals is vars(dispatcher):
                return
            frame = frame.f_back
        raise LimitReached("grader", self.limits)
