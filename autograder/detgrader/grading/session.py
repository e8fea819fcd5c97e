"""Hidden checks: pytest files, collected and run by pytest, judged by the grader.

A check is an ordinary test with a `student` fixture (and `rng`, a generator whose
seed comes from the staff's secret). Markers:

    task(label, points=…)      the task that it belongs to, and the task's points
    weight(number)             its share of them, against the task's other checks (default 1)
    limits(cpu_s=…, …)         what the task may use, see `detgrader.sandbox.client.Limits`
    forbid(name, …)            names that the task's cells must not mention
    needs(label, …)            earlier tasks on whose answers this one rests, such as a training:
                               it is skipped when one of them earned nothing, and runs once
    weights(data)              the task measures a file of weights that was handed in beside the
                               notebook, on this set of images; it runs once. The check gets the
                               file's path by a third fixture, `weights_file`
    costly                     the check trains or measures for long: known mistakes are not asked
                               what it asks, so no hint comes from it
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

from detgrader.course import CourseError
from detgrader.text import clean_text
from detgrader.sandbox.client import Crashed, LimitReached, Limits, Violation
from detlab.checking.expect import CheckFailure
from detlab.checking.student import Student
from detlab.checking.workbench import StudentError

MAX_TEXT = 1000
MARKERS = (
    "task(label, points): the task that a check belongs to",
    "weight(number): the check's share of the task's points",
    "limits(cpu_s, memory_mb, wall_s): what the task may use",
    "forbid(*names): names that the task's cells must not mention",
    "needs(*labels): earlier tasks on whose answers this one rests",
    "weights(data): the task measures weights that were handed in, on a set of images",
    "costly: known mistakes are not asked what this check asks",
)
FIXTURES = {"student", "rng", "weights_file", "request"}


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
        """Register the markers."""
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)

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
            CourseError: one of them is not marked as a check must be.
        """
        for item in self.items:
            check = read_check(item)
            self.checks.setdefault(check.task, []).append(check)

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


def read_check(item: pytest.Item) -> Check:
    """Read a check's markers.

    Raises:
        CourseError: it has none, or uses a fixture that a check cannot have.
    """
    where = f"{item.path.name}::{item.name}"
    marks = list(item.iter_markers("task"))
    if not marks or not marks[0].args or "points" not in marks[0].kwargs:
        raise CourseError(f'{where}: mark it with pytest.mark.task("1.5", points=15)')
    others = set(getattr(item, "fixturenames", ())) - FIXTURES - set(parameters_of(item))
    if others:
        raise CourseError(
            f"{where}: a check has only `student`, `rng` and `weights_file`, not {sorted(others)}"
        )
    weight = item.get_closest_marker("weight")
    share = float(weight.args[0]) if weight else 1.0
    costly = item.get_closest_marker("costly") is not None
    return Check(item, marks[0].args[0], float(marks[0].kwargs["points"]), share, costly)


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
