"""Junk in the place of each answer that a check gets, tools' replies included.

The reference is asked once, by a check that runs in this process. Then its answers are told again
with one of them replaced, as they would come from a worker: a check takes no part of the student's
process for sound, a tool's reply neither. Nothing of a student's runs, so thousands of cases take
seconds, for visible checks too, whose faults would stand in students' notebooks.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import os
import signal
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from detgrader.assignment import Assignment, load_assignment
from detgrader.audit.kinds import HELPERS, PLAIN, TWISTED, Kind, some
from detgrader.course import Course
from detgrader.grading.mistakes import bench_on
from detgrader.grading.outcomes import Outcome, outcome_of
from detgrader.grading.results import Status
from detgrader.grading.session import CheckSession, run_session
from detgrader.grading.tasks import Check
from detgrader.intake import CodeCell
from detgrader.reference import reference_submission
from detgrader.sandbox.inside.wire import LENGTHS, pack, unpack
from detlab.checking.labels import week_of
from detlab.checking.student import Student
from detlab.checking.tools import tools_of
from detlab.checking.values import HandleRef, export, replace_handles
from detlab.checking.visible import SEED, VisibleChecks
from detlab.checking.workbench import StudentError, Workbench

Ask = Callable[[Student], Outcome]
Change = Callable[[Any], Any]
Place = tuple[str, ...]
# Processor seconds after which a check has no end, whatever it was told. None takes more than two.
MOST_S = 60
# By how many kinds of junk all answers are replaced; which of the answers to one kind of question
# are replaced by themselves, and by how many.
FOR_ALL = 12
PLACES = (0, 1, -1)
PLAIN_EACH, TWISTED_EACH = 4, 4


@dataclass(frozen=True)
class Told:
    """What a check asked the reference, and what it was told.

    Attributes:
        question: the request and the name that it is about.
        answer: data, or the error that the reference raised.
    """

    question: str
    answer: Any


@dataclass(frozen=True)
class Case:
    """A way to tell a check junk.

    Attributes:
        place: which of the answers is replaced, counted from 0.
        on: whether all after it are, too.
    """

    place: int
    on: bool
    kind: Kind
    change: Change


class Endless(Exception):
    """A check does not come to an end."""


def problems(course: Course, week: str, labels: Collection[str], secret: str) -> list[str]:
    """Tell some tasks' checks junk; return what is wrong with them, each fault once.

    Args:
        labels: of the tasks.
        secret: from which the checks' inputs are drawn.
    """
    assignment = load_assignment(course, week)
    bench = reference_bench(course, assignment)
    found: dict[Place, str] = {}

    def work(session: CheckSession) -> None:
        for label, about in session.tasks.items():
            # Measuring weights takes minutes, and asks a network what others of its week are asked.
            if label in labels and not about.weights_of:
                for check in about.checks:
                    if not check.costly:
                        ask = of_hidden(session, check)
                        found.update(faults(f"{label} {check.key}", ask, bench))

    with quiet():
        run_session(course.checks(week), secret, work)
        for name, ask in visible_checks(course, assignment, labels):
            found.update(faults(name, ask, bench))
    return list(found.values())


def reference_bench(course: Course, assignment: Assignment) -> Callable[[], Workbench]:
    """Return a function that runs the reference in this process, afresh each time."""
    os.environ["MPLBACKEND"] = "Agg"
    torch.set_num_threads(1)
    if course.settings.weeks:
        importlib.import_module(course.settings.weeks)  # allows the course's records
    tools = tools_of(map(importlib.import_module, course.tool_modules(assignment.name)))
    cells = [CodeCell("setup", assignment.setup), *reference_submission(course, assignment).cells]
    return lambda: bench_on(cells, tools)


def of_hidden(session: CheckSession, check: Check) -> Ask:
    """Return a hidden check, to be run on a student."""
    return lambda student: session.run(check, student)


def visible_checks(
    course: Course, assignment: Assignment, labels: Collection[str]
) -> Iterator[tuple[str, Ask]]:
    """Yield the visible checks of tasks, by name, if the course has any."""
    package = importlib.import_module(course.settings.weeks) if course.settings.weeks else None
    checks = getattr(package, "check", None)
    if not isinstance(checks, VisibleChecks):
        return
    for label, functions in checks.tasks_of_week(week_of(assignment.tasks[0].label)).items():
        for function in functions if label in labels else ():
            yield f"{label}, visible: {function.__name__}", of_visible(function)


def of_visible(function: Callable[[Student], None]) -> Ask:
    """Return a visible check, to be run on a student."""

    def ask(student: Student) -> Outcome:
        student.seed(SEED)
        try:
            function(student)
        except Exception as error:
            return outcome_of(error)
        return outcome_of(None)

    return ask


def faults(name: str, ask: Ask, bench: Callable[[], Workbench]) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with a check that is told junk: where it shows, and in words."""
    told: list[Told] = []
    first = run(ask, recorder(bench(), told))
    if not first.passed:
        yield (name,), f"{name}: the reference does not pass\n{first.message}{first.detail}"
        return
    for case in cases(name, told) if told else ():
        outcome = run(ask, teller(told, case))
        words = f"{name}: {case.kind.name} for answer {case.place + 1}"
        words += f" (to {told[case.place].question})" + " and all after it" * case.on
        if outcome.status is Status.GRADER_ERROR:
            yield where(outcome.detail), f"{words} breaks it\n{outcome.detail}"
            if Endless.__name__ in outcome.detail:  # the next would hardly end sooner
                return
        elif outcome.passed and case.place == 0 and case.on and case.kind in PLAIN:
            yield (name, "passes"), f"{words} passes"


def where(trace: str) -> Place:
    """Return the last line of code that a traceback names, and the kind of error."""
    lines = [line.strip() for line in trace.splitlines()]
    places = [line for line in lines if line.startswith("File ")]
    return (*places[-1:], lines[-1].partition(":")[0])


def run(ask: Ask, perform: Callable[..., Any]) -> Outcome:
    """Run a check, within reason."""

    def stop(number: int, frame: Any) -> None:
        raise Endless(f"it does not end within {MOST_S} processor seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    try:
        return ask(Student(perform))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def recorder(bench: Workbench, told: list[Told]) -> Callable[..., Any]:
    """Return what asks the reference, and keeps what it says."""

    def perform(request: str, *arguments: Any) -> Any:
        if request == "seed":
            return bench.perform_here(request, *arguments)
        about = arguments[0] if arguments and isinstance(arguments[0], str) else "an object"
        try:
            answer = bench.perform_here(request, *arguments)
        except StudentError as error:
            answer = error
        told.append(Told(f"{request} {about}", answer))
        return said(answer)

    return perform


def teller(told: list[Told], case: Case) -> Callable[..., Any]:
    """Return what tells answers again, whatever is asked, but for what a case replaces."""
    asked = 0

    def perform(request: str, *arguments: Any) -> Any:
        nonlocal asked
        if request == "seed":
            return None
        place, asked = asked, asked + 1
        if place >= len(told):
            raise StudentError("RuntimeError", "nothing was asked here before")
        answer = told[place].answer
        replaced = place == case.place or (case.on and place > case.place)
        return said(case.change(answer) if replaced else answer)

    return perform


def said(answer: Any) -> Any:
    """Return an answer, or raise it."""
    if isinstance(answer, StudentError):
        raise answer
    return answer


def cases(name: str, told: list[Told]) -> Iterator[Case]:
    """Yield which answers are replaced, and by what: first all of them, then one or some."""
    answers = plain_answers()
    for kind in some(answers, FOR_ALL, name):
        yield Case(0, True, kind, always(answers[kind]))
    by_question: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(told):
        by_question[one.question].append(place)
    for question, places in by_question.items():
        for nth in PLACES:
            if nth < len(places):
                place, salt = places[nth], (name, question, nth)
                for kind in some(answers, PLAIN_EACH, *salt):
                    yield Case(place, False, kind, always(answers[kind]))
                for kind in some(TWISTED, TWISTED_EACH, *salt):
                    yield Case(place, nth == 1, kind, twisting(kind))


def always(value: Any) -> Change:
    """Return a change of any answer to this one."""
    return lambda answer: value


class Kept:
    """A handle, while what is around it is twisted."""

    def __init__(self, ref: HandleRef):
        self.ref = ref


def twisting(kind: Kind) -> Change:
    """Return a change of an answer's parts; handles stay, and so do errors."""
    change = eval(kind.text, helpers())

    def changed(answer: Any) -> Any:
        if isinstance(answer, StudentError):
            return answer
        try:
            value = helpers()["_twisted"](
                replace_handles(answer, Kept, HandleRef),
                lambda part: part if isinstance(part, Kept) else change(part),
            )
            return crossed(replace_handles(value, lambda kept: kept.ref, Kept))
        except Exception as error:  # such as of booleans that cannot be flipped
            return StudentError(type(error).__name__, str(error))

    return changed


def crossed(value: Any) -> Any:
    """Return data as they arrive from a worker."""
    frame = pack({"value": value})
    length, _ = LENGTHS.unpack_from(frame)
    body = LENGTHS.size + length
    return unpack(frame[LENGTHS.size : body], bytearray(frame[body:]))["value"]


@cache
def helpers() -> dict[str, Any]:
    """Return the names that kinds use."""
    names: dict[str, Any] = {}
    exec(HELPERS, names)
    return names


@cache
def plain_answers() -> dict[Kind, Any]:
    """Return the plain kinds that can arrive from a worker at all, each with what arrives."""
    numbers = itertools.count()
    found = {}
    for kind in PLAIN:
        with contextlib.suppress(Exception):  # most say why they cannot, in a worker
            value = eval(kind.text, helpers() | {"given": [torch.ones(2), "junk"]})
            keep = lambda part: HandleRef(next(numbers), type(part).__name__)  # noqa: E731
            found[kind] = crossed(export(value, keep))
    return found


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be heard of what checks and known answers print."""
    silence = contextlib.redirect_stderr(io.StringIO())  # progress bars
    with warnings.catch_warnings(), contextlib.redirect_stdout(None), silence:
        warnings.simplefilter("ignore")
        yield
