"""Grade many submissions side by side: one zygote, a job a core, results in order."""

import gc
import importlib.util
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
from pathlib import Path
from typing import Any

import detlab
from detgrader.assignment import Assignment, load_assignment
from detgrader.course import Course, CourseError
from detgrader.grading.results import BatchResult, SubmissionResult
from detgrader.sandbox.host import Sandbox, isolation_of, start_sandbox
from detgrader.intake import Submission

SECRET_VARIABLE = "DETGRADER_SECRET"
# What a grading process itself may need; a stand-in's arguments are the students' choice.
MAX_JOB_BYTES = 8 << 30
Progress = Callable[[SubmissionResult], None]


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
    process: multiprocessing.Process
    connection: Connection
    index: int | None = None


def staff_folders(course: Course, week: str | None = None) -> list[Path]:
    """List what students' code must not see, even if the course lies in a visible folder.

    Args:
        week: whose answers are to run; packages that do its tasks ready-made are hidden as well.
    """
    names = ("solutions", "assignments", "autograder/checks", "tests", "data", ".git")
    # What some tasks ask for, ready-made.
    ready_made = [Path(detlab.__file__).parent / name for name in ("fast", "sets")]
    packages = [package_folder(name) for name in course.absent_packages(week)] if week else []
    hidden_digits = Path(__file__).parent / "data"
    return [*(course.root / name for name in names), hidden_digits, *ready_made, *packages]


def package_folder(name: str) -> Path:
    """Return where a package lies, or a part of one, without importing it.

    Raises:
        CourseError: it is not installed.
    """
    whole, *parts = name.split(".")
    spec = importlib.util.find_spec(whole)
    if spec is not None and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]).joinpath(*parts)
        if folder.is_dir():
            return folder
    raise CourseError(f"there is no package {name!r} to hide: see absent.txt of the checks")


def default_secret() -> str:
    """Return the staff's secret from the environment, or a fresh one for this batch."""
    return os.environ.get(SECRET_VARIABLE) or secrets.token_hex(16)


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
    submissions: Callable[[Assignment], list[Submission]],
    jobs: int,
    *,
    secret: str,
    allow_no_isolation: bool = False,
    progress: Progress = lambda result: None,
) -> BatchResult:
    """Grade submissions of one week.

    Args:
        submissions: builds the submissions from the assignment, while the sandbox starts.
        jobs: how many are graded side by side, at least 1.
        secret: the checks' random inputs are drawn from it.
        allow_no_isolation: grade even where students' code cannot be confined.
        progress: called with each result as it is finished.

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
    staff = staff_folders(course, week)
    program = isolation_of(staff)
    if program is None and not allow_no_isolation:
        raise NoIsolation(
            "No sandbox works on this machine (see `detgrader doctor`). To grade without one, "
            "code that you have read yourself, add --allow-no-isolation."
        )
    with start_sandbox(jobs, program, staff, assignment.modules) as sandbox:
        gc.disable()  # imports make much that stays and little garbage
        try:
            from detgrader.classroom.job import Material, prepare

            handed_in = submissions(assignment)
            distinct_names(handed_in)
            material: Material = prepare(course, assignment, secret)
        finally:
            gc.enable()
        gc.freeze()  # the jobs that are forked now share all this memory
        try:
            results = run_jobs(sandbox, material, handed_in, progress)
        finally:
            gc.unfreeze()  # some libraries complain of what is still there in the end
    return BatchResult(week, "bubblewrap" if program else "none", results)


def run_jobs(
    sandbox: Sandbox, material: Any, submissions: list[Submission], progress: Progress
) -> list[SubmissionResult]:
    """Hand submissions to the jobs as they become free, and gather the results in order."""
    jobs = [start_job(material, sandbox, n) for n in range(len(sandbox.controls))]
    waiting = list(enumerate(submissions))[::-1]
    results: dict[int, SubmissionResult] = {}

    def feed(job: Job) -> None:
        """Give a job its next submission, if there is one; a job that died is replaced first."""
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
        while len(results) < len(submissions):
            busy = {job.connection: job for job in jobs if job.index is not None}
            for connection in wait(list(busy)):
                job = busy[connection]
                result = receive(job, submissions[job.index], material.assignment)
                results[job.index] = result
                progress(result)
                feed(job)
    finally:
        for job in jobs:
            job.connection.close()
            job.process.terminate()
        for job in jobs:
            job.process.join()
    return [results[n] for n in range(len(submissions))]


def start_job(material: Any, sandbox: Sandbox, number: int) -> Job:
    """Fork a grading process; it inherits everything that was imported and collected."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    arguments = (material, sandbox.controls, number, theirs, ours)
    process = context.Process(target=run_job, args=arguments, daemon=True)
    process.start()
    theirs.close()
    return Job(number, process, ours)


def run_job(
    material: Any, controls: list, number: int, connection: Connection, parents: Connection
) -> None:
    """Live as a grading process."""
    import resource  # is there on Unix only

    from detgrader.classroom.job import work

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_JOB_BYTES, most))
    parents.close()
    for other, control in enumerate(controls):
        if other != number:
            control.close()
    work(material, controls[number], connection)


def receive(job: Job, submission: Submission, assignment: Assignment) -> SubmissionResult:
    """Take a job's result; a job that died leaves its submission ungraded, not the batch."""
    try:
        result = job.connection.recv()
    except (EOFError, OSError):
        job.process.join()
        return lost(submission, assignment)
    if isinstance(result, BaseException):
        raise result
    return result


def lost(submission: Submission, assignment: Assignment) -> SubmissionResult:
    """Return the result of a submission that the grader failed to grade."""
    from detgrader.grading import skipped

    reason = "This could not be graded; the fault is not yours. Staff have been told."
    tasks = [skipped(task, reason) for task in assignment.tasks]
    for task in tasks:
        task.status = "grader_error"
    log = ["the grading process ended unexpectedly"]
    path = str(submission.path)
    return SubmissionResult(submission.student, path, submission.sha256, tasks, log=log)


def take_in_all(paths: Iterable[Path]) -> Callable[[Assignment], list[Submission]]:
    """Return a function that reads the notebooks at these paths."""
    from detgrader.intake import take_in

    return lambda assignment: [take_in(path, assignment) for path in paths]
