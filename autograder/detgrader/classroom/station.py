"""A grader of its own, in a process of its own, for who is not fit to fork: a worker of a cluster.

`Station` starts it and hands it orders, one at a time. It has its own sandbox, and ends with who
started it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from detgrader.assignment import load_assignment
from detgrader.classroom.basis import WORDS, basis_of
from detgrader.classroom.batch import NoIsolation, grading_pool
from detgrader.course import Course, CourseError
from detgrader.grading.orders import Order
from detgrader.grading.results import SubmissionResult
from detgrader.sandbox.host import SandboxError

# What may differ from machine to machine: where data lie, and when they were copied there.
OF_A_MACHINE = "data"


@dataclass(frozen=True)
class Errand:
    """What is graded, and how.

    Attributes:
        basis: hashes of what results hang on, where the results are kept.
    """

    week: str
    secret: str
    basis: dict[str, str]
    allow_no_isolation: bool


class StationLost(Exception):
    """A station ended that nobody told to end; what it graded is not graded."""


class Station:
    """A grading process that was started from here.

    Args:
        errand: what it is for.
    """

    def __init__(self, errand: Errand):
        self.errand = errand
        self.connection, theirs = multiprocessing.Pipe()
        command = [sys.executable, "-m", "detgrader.classroom.station", str(theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.connection.send(errand)

    def grade(self, order: Order) -> SubmissionResult:
        """Have a submission graded.

        Raises:
            StationLost: the process ended.
            CourseError, NoIsolation, SandboxError: it cannot grade.
        """
        try:
            self.connection.send(order)
            answer: Any = self.connection.recv()
        except (EOFError, OSError):
            self.close()
            raise StationLost(f"the grading process on {socket.gethostname()} ended") from None
        if isinstance(answer, BaseException):
            self.close()
            raise answer
        return answer

    def close(self) -> None:
        """End it."""
        self.connection.close()
        self.process.wait()


def refuse_others(errand: Errand, own: dict[str, str]) -> None:
    """Refuse to grade with other checks, packages or another grader than where results are kept."""
    keys = [key for key in errand.basis if key != OF_A_MACHINE]
    if others := [WORDS[key] for key in keys if own.get(key) != errand.basis[key]]:
        raise CourseError(
            f"{socket.gethostname()} has others: {', '.join(others)}. Check the same commit out "
            "there, run `uv sync --extra cluster`, and start its workers again"
        )


def serve(connection: Connection[Any, Any]) -> None:
    """Grade what comes, until whoever sends it is gone."""
    errand: Errand = connection.recv()

    def leave_if_alone(_: Sequence[str]) -> None:
        if connection.poll():  # nothing is sent meanwhile: it is closed
            raise EOFError

    course = Course.find()
    refuse_others(errand, basis_of(course, errand.week, errand.secret))
    assignment = load_assignment(course, errand.week)
    secret, allow = errand.secret, errand.allow_no_isolation
    with grading_pool(course, assignment, 1, secret, allow) as pool:
        while True:
            order = connection.recv()
            (result,) = pool.grade([order], lambda result: None, leave_if_alone)
            connection.send(result)


def main() -> None:
    """Live as a station."""
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
        try:
            serve(connection)
        except (CourseError, NoIsolation, SandboxError) as error:
            connection.send(error)


if __name__ == "__main__":
    main()
