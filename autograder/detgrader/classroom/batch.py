"""Grade many submissions side by side: one zygote, a job a core, results in order."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from detgrader.assignment import Assignment, load_assignment
from detgrader.classroom.pool import OnResult, OnStart, Pool
from detgrader.course import Course, CourseError, place_of_module
from detgrader.grading.orders import Order
from detgrader.grading.results import BatchResult
from detgrader.intake import Submission
from detgrader.sandbox.host import Inside, isolation_of, start_sandbox

SECRET_VARIABLE = "DETGRADER_SECRET"


class NoIsolation(Exception):
    """Grading was asked for where students' code cannot be confined."""


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
        on_result: called with each result as it is finished.
        on_start: called now and then with the students who are being graded.
        secret, allow_no_isolation: see `grading_pool`.

    Returns:
        Results in the order of the submissions.

    Raises:
        NoIsolation, CourseError, SandboxError: see `grading_pool` and `Pool`.
    """
    assignment = load_assignment(course, week)
    with grading_pool(course, assignment, jobs, secret, allow_no_isolation) as pool:
        orders = orders_for(assignment)
        distinct_names([order.submission for order in orders])
        results = pool.grade(orders, on_result, on_start)
    return BatchResult(week, pool.isolation, results)


@contextlib.contextmanager
def grading_pool(
    course: Course, assignment: Assignment, jobs: int, secret: str, allow_no_isolation: bool
) -> Iterator[Pool]:
    """Run a week's sandbox and grading processes for the length of a `with` block.

    Args:
        jobs: how many processes, at least 1.
        secret: the checks' random inputs are drawn from it.
        allow_no_isolation: grade even where students' code cannot be confined.

    Raises:
        NoIsolation: there is no sandbox here, and to do without was not asked for; or this is
            not Linux.
        CourseError: the course itself is at fault.
    """
    if sys.platform != "linux":
        raise NoIsolation(
            "Grading runs on Linux: use a container, a virtual machine or WSL 2. What students "
            "run themselves, `detlab check`, works here."
        )
    inside = inside_of(course, assignment.name, assignment)
    program = isolation_of(inside)
    if program is None and not allow_no_isolation:
        raise NoIsolation(
            "No sandbox works on this machine (see `detgrader doctor`). To grade without one, "
            "code that you have read yourself, add --allow-no-isolation."
        )
    with start_sandbox(jobs, program, inside) as sandbox:
        pool = Pool(course, assignment, secret, sandbox, "bubblewrap" if program else "none")
        try:
            yield pool
        finally:
            pool.end()


def take_in_all(paths: Iterable[Path]) -> Callable[[Assignment], list[Order]]:
    """Return a function that reads the notebooks at these paths."""
    from detgrader.intake import take_in

    return lambda assignment: [Order(take_in(path, assignment)) for path in paths]
