"""How a check went: the one place where an exception becomes data."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from detgrader.grading.results import Status
from detgrader.sandbox.limits import Crashed, LimitReached, Violation
from detgrader.text import clean_text
from detlab.checking.expect import CheckFailure
from detlab.checking.fingerprint import fingerprint
from detlab.checking.workbench import StudentError

MAX_TEXT = 1000
SESSION = "detgrader.grading.session"  # its hook stands between pytest and a check


@dataclass
class Outcome:
    """How one check went for one submission.

    Attributes:
        status: passed; failed (a wrong answer, an error of the student's, or a crash); limit;
            violation; or grader_error.
        message: for the student.
        detail: for staff, of what went wrong.
        remark: for staff, even of what passed.
        ended: whether the worker is gone, so that no later check can be asked.
        asked: whether the check was run; staff may know that it passes.
        again: whether this comes from a second run, without the earlier tasks' cells.
        seconds: how long it took.
        transcript: the student's answers during the check.
    """

    status: Status
    message: str = ""
    detail: str = ""
    remark: str = ""
    ended: bool = False
    asked: bool = True
    again: bool = False
    seconds: float = 0.0
    transcript: list[Any] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether it earns its points."""
        return self.status is Status.PASSED

    @property
    def is_error(self) -> bool:
        """Whether an error of the student's ended the check; its words name the student's lines."""
        return bool(self.transcript) and isinstance(self.transcript[-1], StudentError)

    def stopped_in(self, cells: Collection[str]) -> bool:
        """Say whether an error of the student's ended it, in one of these cells."""
        last = self.transcript[-1] if self.transcript else None
        return (
            isinstance(last, StudentError) and bool(last.frames) and last.frames[-1].cell in cells
        )

    @cached_property
    def answers(self) -> list[Any]:
        """The fingerprints of the transcript, which many known mistakes are compared with."""
        return [fingerprint(answer) for answer in self.transcript]


def outcome_of(error: BaseException | None) -> Outcome:
    """Turn what a check raised, if anything, into an outcome."""
    match error:
        case None:
            return Outcome(Status.PASSED)
        case CheckFailure():
            message, detail = (clean_text(text, MAX_TEXT) for text in (error.message, error.detail))
            return Outcome(Status.FAILED, message, detail)
        case AssertionError():
            return Outcome(Status.FAILED, "The answer is not right.", clean_text(error, MAX_TEXT))
        case StudentError(type_name="NotImplementedError"):
            return Outcome(Status.FAILED, "This part is still to do.")
        case StudentError():
            return Outcome(Status.FAILED, str(error))
        case LimitReached():
            places = [f"{frame.cell}, line {frame.line}: {frame.text}" for frame in error.frames]
            message = "\n  ".join([str(error), *places])
            return Outcome(Status.LIMIT, message, ended=True)
        case Violation():
            return Outcome(Status.VIOLATION, str(error), error.detail, ended=True)
        case Crashed():
            return Outcome(Status.FAILED, str(error), f"crashed: {error}", ended=True)
    return Outcome(Status.GRADER_ERROR, detail=traceback_of(error))


def traceback_of(error: BaseException) -> str:
    """Return where an error of the grader's own came from, for staff.

    What lies between pytest's runner and the check is left out: it is the same for all of them.
    """
    trace = error.__traceback__
    while trace and trace.tb_next and is_runner(trace.tb_frame.f_globals.get("__name__", "")):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).strip()


def is_runner(module: str) -> bool:
    """Say whether a module is one of those by which a check is called."""
    return module.partition(".")[0] in ("_pytest", "pluggy") or module == SESSION
