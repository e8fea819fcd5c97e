"""Grade many submissions side by side: one zygote, a job a core, results in order."""

from __future__ import annotations

import ctypes
import gc
import itertools
import multiprocessing
import os
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detgrader.assignment import Assignment, load_assignment
from detgrader.course import Course, CourseError, place_of_module
from detgrader.grading.orders import Order
from detgrader.grading.results import BatchResult, SubmissionResult, lost
from detgrader.intake import Submission
from detgrader.sandbox.host import Inside, Sandbox, isolation_of, start_sandbox

if TYPE_CHECKING:
    from detgrader.classroom.job import Material

SECRET_VARIABLE = "DETGRADER_SECRET"
PR_SET_PDEATHSIG = 1
# What a grading process may need beyond what it begins with: answers, and what is asked of
# stand-ins, are the students' choice (see `detgrader.sandbox.allowance`).
MAX_JOB_BYTES = 4 << 30
OnResult = Callable[[SubmissionResult], None]
OnStart = Callable[[list[str]], None]
# So often, in seconds, it is told who is being graded.
TELL_S = 1.0


class NoIsolation(Exception):
    """Grading was asked for where students' code cannot be confined."""


@dataclass
class Job:
    """A grading process, as the parent sees it.

    Attributes:
        number: of its dispatcher.
        index: of the submission that it is grading, or None.
    """

    number: int
    process: BaseProcess
    connection: Connection[Any, Any]
    index: int | None = None


def hidden_folders(course: Course, week: str | None = None) -> list[Path]:
    """List what students' code must not see, even if the course lies in a visible folder.

    Args:
        week: whose answers are to run; packages and modules that do its tasks ready-made are
            hidden as well.
    """
    settings = course.settings
    folders = [course.root / name for name in settings.sandbox.hidden_folders]
    packages = settings.sandbox.hidden_packages
    if week:
        packages += tuple(settings.weeks_without.get(week, ()))
    for name in packages:
        place = place_of_module(name)
        if place is None:
            raise CourseError(f"there is no package or module {name!r} to hide: see course.toml")
        folders.append(place)
    return folders


def inside_of(course: Course, week: str, assignment: Assignment) -> Inside:
    """Say what a week's sandbox shows and imports."""
    modules = [course.settings.weeks] * bool(course.settings.weeks)
    return Inside(
        packages=course.settings.sandbox.visible,
        hidden=tuple(hidden_folders(course, week)),
        modules=(*modules, *assignment.modules),
        tools=tuple(course.tool_modules(week)),
        warm_up=tuple(course.settings.warm_up.get(week, ())),
    )


def default_secret(kept: str = "") -> str:
    """Return the staff's secret from the environment, or the one that was kept, or a fresh one."""
    return os.environ.get(SECRET_VARIABLE) or kept or secrets.token_hex(16)


def distinct_names(submissions: list[Submission]) -> None:
    """Give submissions whose students' names are equal a number each."""
    counts = Counter(submission.student for submission in submissions)
    taken = set(counts)
    for submission in submissions:
        name = submission.student
        if counts[name] > 1:
            numbered = (f"{name} ({number})" for number in itertools.count(1))
            submission.student = next(other for other in numbered if other not in taken)
            taken.add(submission.student)


def grade_batch(
    course: Course,
    week: str,
    orders_for: Callable[[Assignment], list[Order]],
    jobs: int,
    *,
    secret: str,
    allow_no_isolation: bool = False,
    on_result: OnResult = lambda result: None,
    on_start: OnStart = lambda students: None,
) -> BatchResult:
    """Grade submissions of one week.

    Args:
        orders_for: says what is to be graded, while the sandbox starts.
        jobs: how many are graded side by side, at least 1.
        secret: the checks' random inputs are drawn from it.
        allow_no_isolation: grade even where students' code cannot be confined.
        on_result: called with each result as it is finished.
        on_start: called now and then with the students who are being graded.

    Returns:
        Results in the order of the submissions.

    Raises:
        NoIsolation: there is no sandbox here, and to do without was not asked for; or this is
            not Linux.
        CourseError: the course itself is at fault.
        SandboxError: the sandbox does not start.
    """
    if sys.platform != "linux":
        raise NoIsolation(
            "Grading runs on Linux: use a container, a virtual machine or WSL 2. What students "
            "run themselves, `detlab check`, works here."
        )
    assignment = load_assignment(course, week)
    isolation = ""

    def told(result: SubmissionResult) -> None:
        result.isolation = isolation
        on_result(result)

    inside = inside_of(course, week, assignment)
    program = isolation_of(inside)
    if program is None and not allow_no_isolation:
        raise NoIsolation(
            "No sandbox works on this machine (see `detgrader doctor`). To grade without one, "
            "code that you have read yourself, add --allow-no-isolation."
        )
    isolation = "bubblewrap" if program else "none"
    with start_sandbox(jobs, program, inside) as sandbox:
        gc.disable()  # imports make much that stays and little garbage
        try:
            from detgrader.classroom.job import prepare

            orders = orders_for(assignment)
            distinct_names([order.submission for order in orders])
            material = prepare(course, assignment, secret)
        finally:
            gc.enable()
        gc.freeze()  # the jobs that are forked now share all this memory
        try:
            results = run_jobs(sandbox, material, orders, told, on_start)
        finally:
            gc.unfreeze()  # some libraries complain of what is still there in the end
    return BatchResult(week, isolation, results)


def run_jobs(
    sandbox: Sandbox,
    material: Material,
    orders: list[Order],
    on_result: OnResult,
    on_start: OnStart,
) -> list[SubmissionResult]:
    """Hand orders to the jobs as they become free, and gather the results in order."""
    jobs = [start_job(material, sandbox, n) for n in range(len(sandbox.controls))]
    waiting = list(enumerate(orders))[::-1]
    results: dict[int, SubmissionResult] = {}

    def feed(job: Job) -> None:
        """Give a job its next order, if there is one; a job that died is replaced first."""
        job.index = None
        if not waiting:
            return
        try:
            job.connection.send(waiting[-1][1])
        except OSError:
            sandbox.end_workers(job.number)  # what it may have left behind
            fresh = start_job(material, sandbox, job.number)
            job.process, job.connection = fresh.process, fresh.connection
            job.connection.send(waiting[-1][1])
        job.index, _ = waiting.pop()

    try:
        sandbox.wait_until_ready()  # the jobs collect their checks meanwhile
        for job in jobs:
            feed(job)
        while len(results) < len(orders):
            busy = [job for job in jobs if job.index is not None]
            on_start(
                [orders[job.index].submission.student for job in busy if job.index is not None]
            )
            ready = wait([job.connection for job in busy], TELL_S)
            for job in busy:
                if job.index is not None and job.connection in ready:
                    submission = orders[job.index].submission
                    results[job.index] = receive(job, submission, material.assignment)
                    sandbox.refuse_if_ended(waiting=not results[job.index].graded)
                    on_result(results[job.index])
                    feed(job)
    finally:
        for job in jobs:
            job.connection.close()
            job.process.terminate()
        for job in jobs:
            job.process.join()
    return [results[n] for n in range(len(orders))]


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


def take_in_all(paths: Iterable[Path]) -> Callable[[Assignment], list[Order]]:
    """Return a function that reads the notebooks at these paths."""
    from detgrader.intake import take_in

    return lambda assignment: [Order(take_in(path, assignment)) for path in paths]
