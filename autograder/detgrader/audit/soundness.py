"""Whether a week's checks can stand junk in every answer, the visible ones too.

Each is told junk by `detgrader.audit.replays`, in processes that share the work. A check that stood
it is not told again until something that it depends on has changed.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

import torch

from detgrader.audit.inputs import Inputs
from detgrader.audit.junk import is_heavy
from detgrader.audit.reach import Reach
from detgrader.audit.replays import Ask, Endless, Fault, Place, faults
from detgrader.audit.verdicts import Problem
from detgrader.classroom.pool import cap_memory
from detgrader.fingerprints import digest
from detgrader.grading.diagnosis import names_in
from detgrader.grading.mistakes import bench_on
from detgrader.grading.outcomes import Outcome, outcome_of, traceback_of
from detgrader.grading.session import CheckSession, Subject, run_session, seed_libraries
from detgrader.intake import Submission
from detlab.checking.labels import week_of
from detlab.checking.notebook import CodeCell
from detlab.checking.student import Student
from detlab.checking.visible import SEED, VisibleChecks

KIND = "check"


@dataclass(frozen=True)
class Question:
    """A check to be told junk.

    Attributes:
        task: its label.
        name: its key, or for a visible one what it is called.
        digest: of all that its answers and its code depend on.
    """

    task: str
    name: str
    digest: str
    visible: bool = False


def questions(
    inputs: Inputs, reference: Submission, labels: Collection[str], secret: str
) -> Iterator[Question]:
    """Yield a week's checks that can be asked here.

    Those that train or measure take minutes, and ask a network what the others do.
    """
    junk = Reach(inputs.sources)
    junk.follow(__name__)
    for label in labels:
        about = inputs.checks[label]
        same = digest(secret, junk.digest, inputs.of_result(reference, label, ()))
        for check in about.checks if not about.weights_of else ():
            if not check.costly:
                yield Question(label, check.key, digest(same, inputs.of_checks[label][check.key]))
        for name, function in visible_checks(inputs, label).items():
            reach = Reach(inputs.sources)
            reach.follow(function.__module__, function.__name__)
            inputs.with_tools(reach)
            yield Question(label, name, digest(same, reach.digest), visible=True)


def visible_checks(inputs: Inputs, label: str) -> dict[str, Callable[[Student], None]]:
    """Return the visible checks of a task, if the course has any, by what they are called."""
    weeks = inputs.course.settings.weeks
    checks = getattr(importlib.import_module(weeks), "check", None) if weeks else None
    if not isinstance(checks, VisibleChecks):
        return {}
    functions = checks.tasks_of_week(week_of(label)).get(label, ())
    return {f"visible {function.__name__}": function for function in functions}


def tell_junk(
    inputs: Inputs,
    reference: Submission,
    asked: Sequence[Question],
    secret: str,
    jobs: int,
) -> Generator[tuple[Question, list[Fault]], None, None]:
    """Tell checks junk, in some processes; yield each with its faults, when it is done."""
    context = multiprocessing.get_context("fork")
    shares = {}
    for number in range(min(jobs, len(asked))):
        ours, theirs = context.Pipe(duplex=False)
        arguments = (inputs, reference, asked[number::jobs], secret, theirs)
        process = context.Process(target=work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        shares[ours] = process
    left, begun = set(asked), set[Question]()
    try:
        while shares:
            for connection in wait(list(shares)):
                assert isinstance(connection, Connection)
                try:
                    question, found = connection.recv()
                except EOFError:
                    shares.pop(connection).join()
                    continue
                begun.add(question)
                if found is not None:
                    left.discard(question)
                    yield question, found
    finally:
        for process in shares.values():
            process.terminate()
            process.join()
    for question in sorted(left, key=lambda one: one.name):
        words = "ended the process that told it junk" if question in begun else "was not told junk"
        yield question, [Fault((question.name,), words)]


def work(
    inputs: Inputs,
    reference: Submission,
    asked: Sequence[Question],
    secret: str,
    connection: Connection[tuple[Question, list[Fault] | None], None],
) -> None:
    """Tell one share of the checks junk; send which one is begun, then what is wrong with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's business
    cap_memory()
    os.environ["MPLBACKEND"] = "Agg"
    torch.set_num_threads(1)

    def tell(session: CheckSession) -> None:
        for question in asked:
            connection.send((question, None))
            try:
                found = faults_of(question, inputs, reference, session)
            except Exception as error:
                words = "could not be told junk"
                found = [Fault((question.name,), words, traceback_of(error))]
            connection.send((question, found))

    with quiet():
        run_session(inputs.course.checks(inputs.assignment.name), secret, tell)


def faults_of(
    question: Question, inputs: Inputs, reference: Submission, session: CheckSession
) -> list[Fault]:
    """Tell one check junk."""
    cells = reference.up_to(inputs.cells[question.task][-1])
    cells = [CodeCell("setup", inputs.assignment.setup), *cells]
    if question.visible:
        ask = visible_ask(inputs, question)
    else:
        names = names_in(reference, inputs.cells[question.task])
        ask = hidden_ask(session, question, names)
    heavy = is_heavy(inputs.checks[question.task])
    return list(faults(question.name, ask, lambda: bench_on(cells, inputs.tools), heavy))


def hidden_ask(session: CheckSession, question: Question, names: frozenset[str]) -> Ask:
    """Return a hidden check, to be run on a student.

    Args:
        names: that its task's source mentions.
    """
    (check,) = (one for one in session.tasks[question.task].checks if one.key == question.name)
    return lambda student: session.run(check, Subject(student, lambda: names))


def visible_ask(inputs: Inputs, question: Question) -> Ask:
    """Return a visible check, to be run on a student."""
    function = visible_checks(inputs, question.task)[question.name]

    def ask(student: Student) -> Outcome:
        seed_libraries(SEED)
        student.seed(SEED)
        try:
            function(student)
        except (Exception, Endless) as error:
            return outcome_of(error)
        return outcome_of(None)

    return ask


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be heard of what checks and the reference print."""
    silence = contextlib.redirect_stderr(io.StringIO())  # progress bars
    with warnings.catch_warnings(), contextlib.redirect_stdout(None), silence:
        warnings.simplefilter("ignore")
        yield


def problems(question: Question, found: Sequence[Fault]) -> list[Problem]:
    """Put what is wrong with a check in an audit's words, each place once."""
    by_place: dict[Place, Fault] = {}
    for fault in found:
        by_place.setdefault(fault.place, fault)
    return [
        Problem(KIND, question.name, question.task, fault.what, detail=fault.detail)
        for fault in by_place.values()
    ]
