"""Hidden checks: pytest files, collected and run by pytest, judged by the grader.

A check is an ordinary test with a `student` fixture, marked as `detgrader.grading.marks` says.
Its chance comes from the staff's secret: `rng` is the check's own generator, `task_rng` one that
is the same for all checks of a task, for a training that they share. And it comes from the notebook
that was handed in: who learns from one grading what is asked is asked something else the next time.
But there are only a few sets of inputs, so that known mistakes need not be asked anew each time.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import random
import sys
import time
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from _pytest.runner import runtestprotocol

from detgrader.course import CourseError
from detgrader.grading.handed_in import HandedIn
from detgrader.grading.marks import registrations
from detgrader.grading.outcomes import Outcome, outcome_of
from detgrader.grading.results import Status
from detgrader.grading.tasks import Check, TaskChecks, sort_checks
from detgrader.sandbox.allowance import Allowance
from detgrader.sandbox.limits import Crashed, LimitReached, Violation
from detlab.checking.student import Student
from detlab.checking.workbench import StudentError

# So many sets of inputs there are for a secret.
BUCKETS = 8


@dataclass(frozen=True)
class Subject:
    """What a check looks at.

    Attributes:
        names: returns those that the task's source mentions.
        weights: those that were handed in, if the assignment asks for any.
        allowance: what it may cost the grader; a known mistake, or the reference, is trusted.
    """

    student: Student
    names: Callable[[], frozenset[str]] = frozenset
    weights: HandedIn | None = None
    allowance: Allowance | None = None


class CheckSession:
    """A pytest plugin that runs a grading job's checks as often as it is asked to.

    Args:
        work: called once with this session when the checks are collected.
        secret: from which each check's random inputs are drawn.

    Attributes:
        tasks: the collected checks, by the label of their task.
        bucket: which of the secret's sets of inputs is asked.
    """

    def __init__(self, work: Callable[[CheckSession], None], secret: str):
        self.work = work
        self.secret = secret
        self.bucket = 0
        self.items: list[pytest.Item] = []
        self.tasks: dict[str, TaskChecks] = {}
        self.current: Subject | None = None
        self.error: BaseException | None = None
        self.called = False
        self.remarks: list[str] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the marks."""
        for marker in registrations():
            config.addinivalue_line("markers", marker)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop, which would run each check once."""
        if session.testsfailed:
            raise session.Failed("the checks could not be collected")
        self.items = session.items
        self.work(self)
        return True

    @pytest.fixture
    def student(self) -> Student:
        """The submission that is being graded."""
        assert self.current
        return self.current.student

    @pytest.fixture
    def weights_file(self) -> HandedIn | None:
        """The weights that belong to the submission."""
        assert self.current
        return self.current.weights

    @pytest.fixture
    def tell_staff(self) -> Callable[[str], None]:
        """Takes a remark for staff, whether or not the check passes."""
        return self.remarks.append

    @pytest.fixture
    def names(self) -> frozenset[str]:
        """Names that the task's cells mention, and helper cells."""
        assert self.current
        return self.current.names()

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> torch.Generator:
        """A generator for the check's inputs: the same for all submissions of a bucket."""
        node = request.node
        return torch.Generator().manual_seed(self.seed(f"inputs {node.path.name}::{node.name}"))

    @pytest.fixture
    def task_rng(self, request: pytest.FixtureRequest) -> torch.Generator:
        """A generator for what all checks of a task share, such as a training."""
        (label,) = request.node.get_closest_marker("task").args
        return torch.Generator().manual_seed(self.seed(f"task {label}"))

    def bucket_of(self, sha256: str | None) -> int:
        """Return which set of inputs a notebook is asked; only who knows the secret can tell."""
        return self.derive(f"bucket {sha256}") % BUCKETS

    def seed(self, purpose: str) -> int:
        """Derive a seed from the secret and the bucket."""
        return self.derive(f"{self.bucket} {purpose}")

    def derive(self, text: str) -> int:
        """Derive a number of 48 bits from the secret and a text."""
        digest = hmac.digest(self.secret.encode(), text.encode(), hashlib.sha256)
        return int.from_bytes(digest[:6], "big")

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Generator[None, object, object]:
        """Charge a check's work to the task that it looks at."""
        assert self.current
        with self.current.allowance.spend() if self.current.allowance else nullcontext():
            return (yield)

    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport:
        """Keep the first error that a check raised, and note that its body ran at all.

        The report says no more: pytest's own would draw the failing check's source, which is
        slow and which nobody will read.
        """
        self.called = self.called or call.when == "call"
        if call.excinfo is not None:
            self.error = self.error or call.excinfo.value
        assert call.when != "collect"
        outcome: Literal["passed", "failed"] = "passed" if call.excinfo is None else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

    def run(self, check: Check, subject: Subject) -> Outcome:
        """Run one check on one submission."""
        student = subject.student
        self.current, self.error, self.called = subject, None, False
        self.remarks.clear()
        student.transcript.clear()
        start = time.monotonic()
        try:
            seed_libraries(self.seed(f"libraries {check.key}"))
            # A seed of its own: from that of the inputs the student's side could draw them.
            student.seed(self.seed(f"student {check.key}"))
            runtestprotocol(check.item, log=False, nextitem=None)
            if self.error is None:
                student.settle()  # or the next check would be told what failed in this one
        except (StudentError, LimitReached, Violation, Crashed) as error:
            self.error = self.error or error
        finally:
            self.current = None
        if self.error is None and not self.called:
            return Outcome(Status.GRADER_ERROR, detail="did not run")
        outcome = outcome_of(self.error)
        outcome.remark = " ".join(filter(None, self.remarks))
        outcome.seconds = time.monotonic() - start
        if outcome.status is Status.FAILED:  # to be compared with known mistakes
            outcome.transcript = list(student.transcript)
        return outcome


def seed_libraries(seed: int) -> None:
    """Seed what a check draws without its generator, such as a new layer's weights.

    Else these would hang on which checks this process ran before, on which submissions.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed asks for accelerators: 2 ms


class CollectionReports:
    """A pytest plugin that keeps what went wrong while collecting."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep a failed collection's words."""
        if report.failed:
            self.problems.append(report.longreprtext)


def forget_modules(folder: Path) -> None:
    """Forget the modules of a folder of checks.

    pytest names them by their file alone, and would take them for another course's later on.
    """
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).parent == folder:
            del sys.modules[name]


def run_session(folder: Path, secret: str, work: Callable[[CheckSession], None]) -> None:
    """Collect the checks of a folder and do some work with them, inside one pytest session.

    Raises:
        CourseError: the checks cannot be collected.
        BaseException: whatever `work` raised.
    """
    raised: list[BaseException] = []

    def guarded(session: CheckSession) -> None:
        try:
            session.tasks = sort_checks(session.items)
            work(session)
        except BaseException as error:
            raised.append(error)

    plugin, reports = CheckSession(guarded, secret), CollectionReports()
    options = [*("--import-mode=importlib", "--rootdir", str(folder), "-c", "/dev/null")]
    for name in ("cacheprovider", "terminal", "logging", "capture", "faulthandler", "junitxml"):
        options += ["-p", f"no:{name}"]
    options += ["-p", "no:unraisableexception", "-p", "no:threadexception"]
    # Nothing in the environment may choose which checks run.
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        status = pytest.main([str(folder), *options], plugins=[plugin, reports])
    finally:
        forget_modules(folder)
    if raised:
        raise raised[0]
    if not plugin.tasks:
        problems = "\n".join(reports.problems) or "no checks found"
        raise CourseError(f"{folder}: {problems} (pytest's exit status {int(status)})")
