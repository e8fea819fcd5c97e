"""Hidden checks: pytest files, collected and run by pytest, judged by the grader.

A check is an ordinary test with a `student` fixture (and `rng`, a generator whose
seed comes from the staff's secret). Its marks are those of `detgrader.marks`: `task`
names the task and its points, `weight` the check's share of them. What `limits`,
`forbid`, `needs` and `weights` say holds for the whole task; tasks with the last two run
once. A check marked `weights` gets the path of the file that was handed in by a third
fixture, `weights_file`.
"""

import hashlib
import hmac
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from _pytest.runner import runtestprotocol

from detgrader import marks
from detgrader.course import CourseError
from detgrader.text import clean_text
from detgrader.workers import Crashed, LimitReached, Limits, Violation
from detlab.checking.expect import CheckFailure
from detlab.checking.student import Student
from detlab.checking.workbench import StudentError

MAX_TEXT = 1000
Fault = tuple[str, int, str]  # file, line, what is wrong and what to do


@dataclass
class Outcome:
    """How one check went for one submission.

    Attributes:
        kind: "passed"; "failed" (a wrong answer or an error of the student's);
            "limit", "violation" or "crashed" (the worker is gone); "grader_error".
        message: for the student.
        detail: for staff.
        transcript: the student's answers during the check.
    """

    kind: str
    message: str = ""
    detail: str = ""
    transcript: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Check:
    """One collected check."""

    item: pytest.Item
    task: str
    points: float
    weight: float
    costly: bool

    @property
    def title(self) -> str:
        """First line of its docstring: what a student is told that it looks at."""
        doc = inspect.getdoc(self.item.function) or self.item.name
        return doc.splitlines()[0].rstrip(".")

    @property
    def name(self) -> str:
        """Its test's name."""
        return self.item.name


class CheckSession:
    """A pytest plugin that runs a grading job's checks as often as it is asked to.

    Args:
        work: called once with this session when the checks are collected.
        secret: from which each check's random inputs are drawn.
    """

    def __init__(self, work: Callable[["CheckSession"], None], secret: str):
        self.work = work
        self.secret = secret
        self.items: list[pytest.Item] = []
        self.checks: dict[str, list[Check]] = {}
        self.current: Student | None = None
        self.weights: Path | None = None
        self.errors: list[BaseException] = []
        self.called = False

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the marks."""
        for line in marks.registrations():
            config.addinivalue_line("markers", line)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop, which would run each check once."""
        if session.testsfailed:
            raise session.Failed("the checks could not be collected")
        self.items = session.items
        self.work(self)
        return True

    def read_checks(self) -> None:
        """Sort the collected checks by task.

        Raises:
            CourseError: some are not marked as checks must be; all of them, by file and line.
        """
        faults = {fault for item in self.items for fault in faults_of(item)}
        for item in self.items if not faults else ():
            check = read_check(item)
            self.checks.setdefault(check.task, []).append(check)
        faults |= {fault for task in self.checks for fault in self.faults_of_task(task)}
        if faults:
            lines = [f"{file}:{line}: {text}" for file, line, text in sorted(faults)]
            raise CourseError("\n".join(lines))

    def faults_of_task(self, task: str) -> Iterator[Fault]:
        """Yield where the checks of a task contradict each other, or what it needs is not there."""
        first = self.checks[task][0]
        limits = next(self.setting(task, "limits"), None)
        for check in self.checks[task]:
            place = where(check.item)
            if check.points != first.points:
                other = "{}:{}".format(*where(first.item))
                text = f"{check.points:g} points for {task}, {first.points:g} in {other}"
                yield *place, f"{text}; make them agree"
            for mark in check.item.iter_markers("limits"):
                if mark.kwargs != limits.kwargs:
                    text = f"other limits for {task} than elsewhere, and they hold for all of it"
                    yield *place, f"{text}; make them agree"
            for mark in check.item.iter_markers("needs"):
                faults = (marks.fault_of_need(task, one, list(self.checks)) for one in mark.args)
                yield from ((*place, text) for text in faults if text)

    @pytest.fixture
    def student(self) -> Student:
        """The submission that is being graded."""
        return self.current

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> torch.Generator:
        """A generator for the check's inputs: the same for every submission of a batch."""
        return torch.Generator().manual_seed(self.seed_of(request.node, "inputs"))

    @pytest.fixture
    def weights_file(self) -> Path | None:
        """Where the weights lie that belong to the submission, if it has any."""
        return self.weights

    def seed_of(self, item: pytest.Item, purpose: str) -> int:
        """Derive a seed of a check's from the secret.

        The student's side gets a seed of its own: from that of the inputs it could draw them.
        """
        key = f"{purpose} {item.path.name}::{item.name}".encode()
        return int.from_bytes(hmac.digest(self.secret.encode(), key, hashlib.sha256)[:6], "big")

    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo
    ) -> pytest.TestReport:
        """Keep what a check raised, and note that its body ran at all.

        The report says no more: pytest's own would draw the failing check's source, which is
        slow and which nobody will read.
        """
        self.called = self.called or call.when == "call"
        if call.excinfo is not None:
            self.errors.append(call.excinfo.value)
        outcome = "passed" if call.excinfo is None else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

    def run(self, check: Check, student: Student) -> Outcome:
        """Run one check on one submission."""
        self.current, self.errors, self.called = student, [], False
        student.transcript.clear()
        try:
            student.seed(self.seed_of(check.item, "student"))
            runtestprotocol(check.item, log=False, nextitem=None)
        except (StudentError, LimitReached, Violation, Crashed) as error:
            self.errors.append(error)
        finally:
            self.current = None
        outcome = judge(self.errors[0] if self.errors else None, self.called)
        if outcome.kind == "failed":  # to be compared with known mistakes
            outcome.transcript = list(student.transcript)
        return outcome

    def setting(self, task: str, marker: str) -> Iterator[pytest.Mark]:
        """Yield a task's markers of one name."""
        for check in self.checks.get(task, []):
            yield from check.item.iter_markers(marker)

    def limits(self, task: str) -> Limits:
        """Return what a task may use."""
        options = [mark.kwargs for mark in self.setting(task, "limits")]
        return Limits(**options[0]) if options else Limits()

    def forbidden(self, task: str) -> set[str]:
        """Return the names that a task's cells must not mention."""
        return {name for mark in self.setting(task, "forbid") for name in mark.args}

    def needs(self, task: str) -> list[str]:
        """Return the labels of the earlier tasks on whose answers a task rests."""
        marks = self.setting(task, "needs")
        return list(dict.fromkeys(label for mark in marks for label in mark.args))

    def data_of_weights(self, task: str) -> str:
        """Return the set on which a task measures handed-in weights, or the empty string."""
        return next((mark.args[0] for mark in self.setting(task, "weights")), "")


def where(item: pytest.Item) -> tuple[str, int]:
    """Return the file, as seen from the working directory, and the line of a check."""
    here = Path.cwd()
    path = item.path.relative_to(here) if item.path.is_relative_to(here) else item.path
    return path.as_posix(), item.location[1] + 1


def faults_of(item: pytest.Item) -> Iterator[Fault]:
    """Yield what is wrong with a collected check: its marks, its docstring, its fixtures.

    A release tells most of this too, but sees no argument that is not a literal.
    """
    for mark in item.iter_markers():
        if text := marks.fault_of(mark.name, mark.args, mark.kwargs):
            yield *where(item), text
    strangers = set(getattr(item, "fixturenames", ())) - {*marks.FIXTURES, "request"}
    strangers -= set(parameters_of(item))
    labels = [mark.args[0] for mark in item.iter_markers("task") if mark.args]
    documented = bool(inspect.getdoc(item.function))
    name = item.originalname
    for text in marks.faults_of_check(name, documented, sorted(strangers), labels):
        yield *where(item), text


def read_check(item: pytest.Item) -> Check:
    """Read a check's marks, which are sound."""
    task, weight = item.get_closest_marker("task"), item.get_closest_marker("weight")
    share = float(weight.args[0]) if weight else 1.0
    costly = item.get_closest_marker("costly") is not None
    return Check(item, task.args[0], float(task.kwargs["points"]), share, costly)


def parameters_of(item: pytest.Item) -> list[str]:
    """Return the names that a parametrized check gets from its parametrization."""
    callspec = getattr(item, "callspec", None)
    return list(callspec.params) if callspec else []


def judge(error: BaseException | None, called: bool) -> Outcome:
    """Turn what a check raised into an outcome. Only a check that ran and raised nothing passes."""
    if error is None:
        return Outcome("passed") if called else Outcome("grader_error", detail="did not run")
    if isinstance(error, CheckFailure):
        message, detail = (clean_text(text, MAX_TEXT) for text in (error.message, error.detail))
        return Outcome("failed", message, detail)
    if isinstance(error, AssertionError):
        return Outcome("failed", "The answer is not right.", clean_text(error, MAX_TEXT))
    if isinstance(error, StudentError):
        unfinished = error.type_name == "NotImplementedError"
        return Outcome("failed", "This part is still to do." if unfinished else str(error))
    if isinstance(error, LimitReached):
        places = [f"{frame.cell}, line {frame.line}: {frame.text}" for frame in error.frames]
        return Outcome("limit", "\n  ".join([str(error), *places]))
    if isinstance(error, Violation):
        return Outcome("violation", str(error), error.detail)
    if isinstance(error, Crashed):
        return Outcome("crashed", str(error))
    return Outcome("grader_error", detail=f"{type(error).__name__}: {error}")


def run_session(folder: Path, secret: str, work: Callable[[CheckSession], None]) -> None:
    """Collect the checks of a folder and do some work with them, inside one pytest session.

    Raises:
        CourseError: the checks cannot be collected.
        BaseException: whatever `work` raised.
    """
    raised: list[BaseException] = []

    def guarded(session: CheckSession) -> None:
        try:
            session.read_checks()
            work(session)
        except BaseException as error:
            raised.append(error)

    plugin = CheckSession(guarded, secret)
    reports = CollectionReports()
    options = [*("--import-mode=importlib", "--rootdir", str(folder), "-c", "/dev/null")]
    options += ["-o", f"pythonpath={folder}"]
    options += ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging"]
    options += ["-p", "no:capture", "-p", "no:faulthandler", "-p", "no:junitxml"]
    options += ["-p", "no:unraisableexception", "-p", "no:threadexception"]
    # Nothing in the environment may choose which checks run.
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    status = pytest.main([str(folder), *options], plugins=[plugin, reports])
    if raised:
        raise raised[0]
    if not plugin.checks:
        problems = "\n".join(reports.problems) or "no checks found"
        raise CourseError(f"{folder}: {problems} (pytest's exit status {int(status)})")


class CollectionReports:
    """A pytest plugin that keeps what went wrong while collecting."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a failed collection's words."""
        if report.failed:
            self.problems.append(report.longreprtext)


def load_stand_ins(folder: Path) -> dict[str, dict[str, Callable[..., Any]]]:
    """Load `stand_ins.py`: right answers to the functions of a task, for the tasks after it.

    Returns:
        By task label, by function name, a function of (student, *arguments).
    """
    path = folder / "stand_ins.py"
    if not path.is_file():
        return {}
    spec = importlib.util.spec_from_file_location(f"stand_ins_of_{folder.name}", path)
    module = importlib.util.module_from_spec(spec)
    # Another week may have helpers of the same names.
    for helper in folder.glob("*.py"):
        sys.modules.pop(helper.stem, None)
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
        for helper in folder.glob("*.py"):
            sys.modules.pop(helper.stem, None)
    if not hasattr(module, "STAND_INS"):
        raise CourseError(f"{path}: define STAND_INS, functions by name by task")
    return module.STAND_INS
