"""Why a worker ended that nobody told to end, by the kernel's word."""

from __future__ import annotations

import os
import signal
from typing import Any

from detgrader.sandbox.inside.worker import STARVED
from detgrader.sandbox.limits import VIOLATION_MESSAGE, Crashed, LimitReached, Limits, Violation


def ending_of(report: dict[str, Any] | None, limits: Limits, reached: str) -> Exception:
    """Return a worker's end as an error.

    Args:
        report: what the dispatcher says of it ("status", "cpu_s"); None if it runs on.
        reached: the limit for which it was killed, if it was killed.
    """
    if report is None:
        message = "The code cut the connection to the grader."
        return Violation(message, "the socket was closed while the process ran on")
    status, cpu_s = report["status"], report["cpu_s"]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == STARVED:
        return LimitReached("memory", limits)
    if os.WIFEXITED(status):
        message = "The code ended the whole process (os._exit or the like)."
        return Violation(message, f"exit status {os.WEXITSTATUS(status)}")
    number = os.WTERMSIG(status)
    if number == signal.SIGSYS:
        return Violation(VIOLATION_MESSAGE, "a forbidden system call")
    if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_s >= limits.cpu_s):
        return LimitReached("cpu", limits)
    if number == signal.SIGKILL:
        return LimitReached(reached, limits)
    return Crashed(f"The code crashed the Python interpreter ({signal.Signals(number).name}).")
