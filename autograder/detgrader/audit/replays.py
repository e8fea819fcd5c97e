"""Junk in the place of each answer that a check gets, tools' replies included.

The reference is asked once, by a check that runs in this process. Then its answers are told again
with one of them replaced, as they would come from a worker: a check takes no part of the student's
process for sound, a tool's reply neither. Nothing of a student's runs, so a check's some fifty
cases take seconds, mostly, for visible checks too, whose faults would stand in students' notebooks.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from detgrader.audit.kinds import HELPERS, PLAIN, TWISTED, Junk, some, some_of
from detgrader.grading.mistakes import Restarted, with_own_chance
from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status
from detgrader.sandbox.inside.wire import LENGTHS, pack, unpack
from detlab.checking.student import Student
from detlab.checking.values import HandleRef, export, replace_handles
from detlab.checking.workbench import UNANSWERED, StudentError, Workbench

Ask = Callable[[Student], Outcome]
Change = Callable[[Any], Any]
Place = tuple[str, ...]
# Processor seconds after which a check has no end, whatever it was told. None takes more than two.
MOST_S = 60
# By how many kinds of junk all answers are replaced, and by how many one answer by itself.
FOR_ALL = 12
PLAIN_EACH, TWISTED_EACH = 4, 4
# Where a task takes longer than most by its limit, its checks are told so many kinds in all, and so
# many of them in the place of all answers.
OF_HEAVY, ALL_OF_HEAVY = 16, 4


@dataclass(frozen=True)
class Told:
    """What a check asked the reference, and what it was told.

    Attributes:
        question: the request and the name that it is about.
        answer: data, or the error that the reference raised.
        calls: of functions that the check gave it, before it answered: which, in the order in which
            they were given, and with what.
    """

    question: str
    answer: Any
    calls: tuple[tuple[int, tuple[Any, ...], dict[str, Any]], ...] = ()


@dataclass(frozen=True)
class Case:
    """A way to tell a check junk.

    Attributes:
        place: which of the answers is replaced, counted from 0.
        on: whether all after it are, too.
    """

    place: int
    on: bool
    kind: Junk
    change: Change


class Endless(BaseException):
    """A check does not come to an end. No `except Exception` on its way may take it."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a check that was told junk.

    Attributes:
        place: where it shows; of two faults in one place one is enough.
        what: it, in a few words.
        detail: the traceback, if the check broke.
    """

    place: Place
    what: str
    detail: str = ""


def faults(
    name: str, ask: Ask, bench: Callable[[], Workbench], heavy: bool = False
) -> Iterator[Fault]:
    """Yield what is wrong with a check that is told junk.

    Args:
        name: of the check; which kinds it is told hangs on it.
        bench: runs the reference in this process, afresh each time.
        heavy: whether its task takes longer than most.
    """
    told: list[Told] = []
    first = run(ask, recorder(with_own_chance(Restarted(bench).perform), told))
    if not first.passed:
        yield Fault((name,), "the reference does not pass", first.message + first.detail)
        return
    if not told:
        yield Fault((name,), "it asks nothing")
        return
    same = run(ask, teller(told, Case(len(told), False, PLAIN[0], always(None))))
    if not same.passed:
        yield Fault((name,), "what was right is wrong when told again", same.message + same.detail)
        return
    for case in of_heavy(name, told) if heavy else cases(name, told):
        outcome = run(ask, teller(told, case))
        words = f"{case.kind.name} for answer {case.place + 1}"
        words += f" (to {told[case.place].question})" + " and all after it" * case.on
        if outcome.status is Status.GRADER_ERROR:
            yield Fault(where(outcome.detail), f"{words} breaks it", outcome.detail)
            if Endless.__qualname__ in outcome.detail.rpartition("\n")[2]:
                # The next would hardly end sooner.
                return
        elif outcome.passed and case.place == 0 and case.on and case.kind in PLAIN:
            yield Fault((name, "passes"), f"{words} passes")


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
    signal.setitimer(signal.ITIMER_PROF, MOST_S, 1)  # again, should something swallow it
    try:
        return ask(Student(perform))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def recorder(asked: Callable[..., Any], told: list[Told]) -> Callable[..., Any]:
    """Return what asks the reference, and keeps what it says."""

    calls: list[tuple[int, tuple[Any, ...], dict[str, Any]]] = []
    given = itertools.count()

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        which = next(given)

        def noted(*arguments: Any, **named: Any) -> Any:
            calls.append((which, copy.deepcopy(arguments), copy.deepcopy(named)))
            return function(*arguments, **named)

        return noted

    def perform(request: str, *arguments: Any) -> Any:
        if request == "give":
            number, function = arguments
            return asked(request, number, noting(function))
        if request in UNANSWERED or request in (
            "again",
            "clock",
            "settle",
        ):  # no word of theirs
            return asked(request, *arguments)
        about = arguments[0] if arguments and isinstance(arguments[0], str) else "an object"
        try:
            answer = asked(request, *arguments)
        except StudentError as error:
            answer = error
        told.append(Told(f"{request} {about}", answer, tuple(calls)))
        calls.clear()
        return said(answer)

    return perform


def teller(told: list[Told], case: Case) -> Callable[..., Any]:
    """Return what tells answers again, whatever is asked, but for what a case replaces."""
    asked = 0
    given: list[Callable[..., Any]] = []

    def perform(request: str, *arguments: Any) -> Any:
        nonlocal asked
        if request == "give":
            given.append(arguments[1])
        if request in UNANSWERED or request in ("again", "settle"):
            return None
        if request == "clock":
            return 0.0
        place, asked = asked, asked + 1
        if place >= len(told):
            raise StudentError("RuntimeError", "nothing was asked here before")
        replaced = place == case.place or (case.on and place > case.place)
        change: Change = case.change if replaced else lambda value: value
        for which, called_with, named in copy.deepcopy(told[place].calls):
            with contextlib.suppress(Exception):  # a worker is told, not the check
                given[which](*map(change, called_with), **{k: change(v) for k, v in named.items()})
        return said(change(told[place].answer))

    return perform


def said(answer: Any) -> Any:
    """Return an answer of the check's own, as each that arrives is one, or raise it."""
    if isinstance(answer, StudentError):
        raise answer
    return copy.deepcopy(answer)


def cases(name: str, told: list[Told]) -> Iterator[Case]:
    """Yield which answers are replaced, and by what: first all of them, then one or some."""
    answers = plain_answers()
    for kind in some(answers, FOR_ALL, name):
        yield Case(0, True, kind, always(answers[kind]))
    by_question: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(told):
        by_question[one.question].append(place)
    for question, places in by_question.items():
        # The first, the second and the last of them.
        for nth in sorted({0, min(1, len(places) - 1), len(places) - 1}):
            place, salt = places[nth], (name, question, nth)
            for kind in some(answers, PLAIN_EACH, *salt):
                yield Case(place, False, kind, always(answers[kind]))
            for kind in some(TWISTED, TWISTED_EACH, *salt):
                yield Case(place, nth == 1, kind, twisting(kind))


def of_heavy(name: str, told: list[Told]) -> list[Case]:
    """Return some of the cases: of those in which all answers are replaced a few, and of others."""
    every = list(cases(name, told))
    numbers = [f"{number}" for number in range(FOR_ALL, len(every))]
    chosen = sorted(map(int, some_of(numbers, OF_HEAVY - ALL_OF_HEAVY, name)))
    return every[:ALL_OF_HEAVY] + [every[number] for number in chosen]


def always(value: Any) -> Change:
    """Return a change of any answer to this one."""
    return lambda answer: value


class Kept:
    """A handle, while what is around it is twisted."""

    def __init__(self, ref: HandleRef):
        self.ref = ref


def twisting(kind: Junk) -> Change:
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
    frame = b"".join(pack({"value": value}))
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
def plain_answers() -> dict[Junk, Any]:
    """Return the plain kinds that can arrive from a worker at all, each with what arrives."""
    numbers = itertools.count()
    found = {}
    for kind in PLAIN:
        with contextlib.suppress(Exception):  # most say why they cannot, in a worker
            value = eval(kind.text, helpers() | {"given": [torch.ones(2), "junk"]})
            keep = lambda part: HandleRef(next(numbers), type(part).__name__)  # noqa: E731
            found[kind] = crossed(export(value, keep))
    return found
