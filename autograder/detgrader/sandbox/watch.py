"""Workers under the eyes of the kernel's accounts: what no limit of its own bounds.

Page tables and threads cost the kernel memory that is not counted as the process's. The grader
looks at what there is of them some times a second, and ends a worker that has too much.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
import time

INTERVAL_S = 0.1
# What is mapped in one piece needs 2 KiB of tables for each MiB, so 8 MiB where a task may use
# 4 GiB; one page in each of 2 ** 16 places needs half a gigabyte.
MOST_TABLES_KB = 64 << 10
# Threads of Python's, with stacks of 8 MiB each, are refused before; each costs the kernel some
# 30 KiB.
MOST_THREADS = 500
ACCOUNTS = re.compile(rb"^(?:VmPTE|Threads):\s*(\d+)", re.MULTILINE)


class WatchThread(threading.Thread):
    """Known by its class to whoever counts threads: known mistakes are asked in this process."""


class Watch:
    """Looks at running workers.

    Attributes:
        processes: descriptors (pidfds) of those that run, by number.
        ended: which limit those reached that were ended here.
    """

    def __init__(self) -> None:
        self.processes: dict[str, int] = {}
        self.ended: dict[str, str] = {}
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def add(self, number: str, process: int) -> None:
        """Look at a worker from now on."""
        with self.lock:
            self.processes[number] = process
            if self.thread is None:  # it ends when there is nothing to look at
                self.thread = WatchThread(target=self.look, name="watch", daemon=True)
                self.thread.start()

    def remove(self, number: str) -> None:
        """Look away from a worker that has ended."""
        with self.lock:
            if (process := self.processes.pop(number, None)) is not None:
                os.close(process)

    def clock(self, number: str) -> float | None:
        """Return a worker's processor time in seconds; None if it has ended."""
        with self.lock:
            process = self.processes.get(number)
            return None if process is None else processor_time(process)

    def look(self) -> None:
        """Look at all workers until there is none."""
        while True:
            with self.lock:
                if not self.processes:
                    self.thread = None
                    return
                for number, process in [*self.processes.items()]:
                    if (pid := pid_of(process)) < 0:
                        os.close(self.processes.pop(number))
                    elif number not in self.ended and (limit := limit_reached(pid)):
                        self.ended[number] = limit
                        with contextlib.suppress(ProcessLookupError):
                            signal.pidfd_send_signal(process, signal.SIGKILL)
            time.sleep(INTERVAL_S)


def limit_reached(pid: int) -> str:
    """Return the limit that a process has reached, or the empty string."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            tables_kb, threads = map(int, ACCOUNTS.findall(status.read()))
    except (OSError, ValueError):  # it ends now, and has neither any more
        return ""
    if tables_kb > MOST_TABLES_KB:
        return "tables"
    return "threads" if threads > MOST_THREADS else ""


def pid_of(process: int) -> int:
    """Return the id by which this process knows another; -1 if that has ended.

    Args:
        process: a pidfd.
    """
    with open(f"/proc/self/fdinfo/{process}", encoding="ascii") as about:
        return next(int(line.split()[1]) for line in about if line.startswith("Pid:"))


def processor_time(process: int) -> float | None:
    """Return a process's processor time in seconds, all its threads'; None if it has ended.

    Args:
        process: a pidfd.
    """
    try:
        # The clock of a process by its number, as clock_getcpuclockid(3) makes it. A process that
        # has ended has none: -1 would be our own clock.
        pid = pid_of(process)
        return time.clock_gettime((~pid << 3) | 2) if pid > 0 else None
    except OSError:
        return None
