"""Grading processes: forked side by side, fed with orders, replaced where one dies."""

from __future__ import annotations

import ctypes
import gc
import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detgrader.assignment import Assignment
from detgrader.course import Course
from detgrader.grading.orders import Order
from detgrader.grading.results import SubmissionResult, lost
from detgrader.intake import Submission
from detgrader.sandbox.host import Sandbox

if TYPE_CHECKING:
    from detgrader.classroom.job import Material

PR_SET_PDEATHSIG = 1
# What a grading process may need beyond what it begins with: answers, and what is asked of
# stand-ins, are the students' choice (see `detgrader.sandbox.allowance`).
MAX_JOB_BYTES = 4 << 30
OnResult = Callable[[SubmissionResult], None]
OnStart = Callable[[list[str]], None]
Tasks = frozenset[str] | None  # that an order is for, see `Order`
# So often, in seconds, it is told who is being graded.
TELL_S = 1.0


@dataclass
class Job:
    """A grading process, as the parent sees it.

    Attributes:
        number: of its dispatcher.
        index: of the submission that it is grading, or None.
        only: the tasks of its last order, see `Order`.
        reserved: place and order of what it is given next, if no other process is free sooner; it
            has the order, and begins with it as the one before ends.
    """

    number: int
    process: BaseProcess
    connection: Connection[Any, Any]
    index: int | None = None
    only: Tasks = None
    reserved: tuple[int, Order] | None = None


class Pool:
    """Grading processes of a week, one for each of a sandbox's control sockets.

    Args:
        isolation: what confines students' code, for the results: "bubblewrap" or "none".
    """

    def __init__(
        self, course: Course, assignment: Assignment, secret: str, sandbox: Sandbox, isolation: str
    ):
        self.course = course
        self.assignment = assignment
        self.secret = secret
        self.sandbox = sandbox
        self.isolation = isolation
        self.jobs: list[Job] = []
        self.material: Material | None = None

    def start(self) -> None:
        """Load what grading needs, while the sandbox starts, and fork the processes.

        Raises:
            CourseError: the course itself is at fault.
            SandboxError: the sandbox does not start.
        """
        gc.disable()  # imports make much that stays and little garbage
        try:
            from detgrader.classroom.job import prepare

            self.material = prepare(self.course, self.assignment, self.secret)
        finally:
            gc.enable()
        gc.freeze()  # the processes that are forked now share all this memory
        numbers = range(len(self.sandbox.controls))
        self.jobs = [start_job(self.material, self.sandbox, n) for n in numbers]
        self.sandbox.wait_until_ready()  # they collect their checks meanwhile

    def end(self) -> None:
        """End all processes."""
        for job in self.jobs:
            job.connection.close()
            job.process.terminate()
        for job in self.jobs:
            job.process.join()
        gc.unfreeze()  # some libraries complain of what is still there in the end

    def grade(
        self, orders: list[Order], on_result: OnResult, on_start: OnStart
    ) -> list[SubmissionResult]:
        """Hand orders to the processes as they become free; return the results in order."""
        if self.material is None:
            self.start()
        waiting = list(enumerate(orders))[::-1]
        results: dict[int, SubmissionResult] = {}
        for job in self.jobs:
            self.feed(job, waiting)
        while len(results) < len(orders):
            busy = [job for job in self.jobs if job.index is not None]
            on_start(
                [orders[job.index].submission.student for job in busy if job.index is not None]
            )
            ready = wait([job.connection for job in busy], TELL_S)
            for job in busy:
                if job.index is not None and job.connection in ready:
                    submission = orders[job.index].submission
                    results[job.index] = result = receive(job, submission, self.assignment)
                    self.sandbox.refuse_if_ended(waiting=not (result.graded or submission.refusal))
                    result.isolation = self.isolation
                    on_result(result)
                    self.feed(job, waiting)
        return [results[n] for n in range(len(orders))]

    def feed(self, job: Job, waiting: list[tuple[int, Order]]) -> None:
        """Give a process its next order, if there is one; one that died is replaced first."""
        job.index = None
        kept, job.reserved = job.reserved, None
        taken = kept or self.take(job.only, waiting)
        if taken is None:
            return
        index, order = taken
        idle = sum(other.index is None for other in self.jobs if other is not job)
        job.reserved = self.take(order.only, waiting) if len(waiting) > idle else None
        following = job.reserved[1] if job.reserved else None
        try:
            job.connection.send((None if kept else order, following))
        except OSError:
            assert self.material
            self.sandbox.end_workers(job.number)  # what it may have left behind
            fresh = start_job(self.material, self.sandbox, job.number)
            job.process, job.connection = fresh.process, fresh.connection
            job.connection.send((order, following))
        job.index, job.only = index, order.only

    def take(self, own: Tasks, waiting: list[tuple[int, Order]]) -> tuple[int, Order] | None:
        """Take the order that fits best out of the line, or else what is another process's next.

        Args:
            own: the tasks of the order before, see `place_for`.
        """
        if waiting:
            others = [other.only for other in self.jobs if other.index is not None]
            return waiting.pop(place_for(own, others, waiting))
        for other in self.jobs:
            if other.reserved:
                taken, other.reserved = other.reserved, None
                return taken
        return None


def place_for(own: Tasks, others: Collection[Tasks], waiting: Sequence[tuple[int, Order]]) -> int:
    """Return the place of the order that a process takes next; the last is the next in line.

    One of its own tasks comes first: it knows already what known mistakes answer there. Then one
    that no other process is busy with.

    Args:
        own: the tasks of its last order.
        others: those of the orders that others have.
    """
    in_line = range(len(waiting) - 1, -1, -1)
    same = (n for n in in_line if waiting[n][1].only == own)
    free = (n for n in in_line if waiting[n][1].only not in others)
    return next(itertools.chain(same, free), len(waiting) - 1)


def start_job(material: Material, sandbox: Sandbox, number: int) -> Job:
    """Fork a grading process; it inherits everything that was imported and collected."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    arguments = (material, sandbox.controls, number, theirs, ours)
    process = context.Process(target=run_job, args=arguments, daemon=True)
    process.start()
    theirs.close()
    return Job(number, process, ours)


def run_job(
    material: Material,
    controls: list[Any],
    number: int,
    connection: Connection[Any, Any],
    parents: Connection[Any, Any],
) -> None:
    """Live as a grading process."""
    from detgrader.classroom.job import work

    # What a terminal tells all of them is the parent's to hear, and what the parent has come to
    # do about its own end is not theirs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(os.getppid())
    cap_memory()
    parents.close()
    for other, control in enumerate(controls):
        if other != number:
            control.close()
    work(material, controls[number], connection)


def end_with(parent: int) -> None:
    """Have the kernel end this process as soon as its parent ends, in whatever way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # which was too soon to be noticed
        os._exit(1)


def cap_memory() -> None:
    """Bound the memory of a process that is told what it may not foresee."""
    import resource  # is there on Unix only

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most == resource.RLIM_INFINITY:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[5])
        resource.setrlimit(
            resource.RLIMIT_DATA, (pages * resource.getpagesize() + MAX_JOB_BYTES, most)
        )


def receive(job: Job, submission: Submission, assignment: Assignment) -> SubmissionResult:
    """Take a job's result; a job that died leaves its submission ungraded, not the batch."""
    try:
        result = job.connection.recv()
    except (EOFError, OSError):
        job.process.join()
        return lost(submission, assignment, "the grading process ended unexpectedly")
    if isinstance(result, BaseException):
        raise result
    return result
