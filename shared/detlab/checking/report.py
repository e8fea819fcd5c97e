"""What the visible checks of a task found: as text, and as a panel below a notebook's cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from torch import Tensor

from detlab.checking import panel
from detlab.checking.case import Call, Case
from detlab.checking.known import Failure
from detlab.checking.pictures import Corners

TO_DO = "This part is still to do."
# A grader's limit for a task whose statement names none.
SLOW_S = 10


def no_boxes(function: str, name: str, values: Tensor) -> None:
    """Say that no numbers are boxes (see `pictures.Corners`)."""


class State(StrEnum):
    """How a task stands, in words."""

    PASSES = "passes"
    NOT_YET = "not right yet"
    TO_DO = "still to do"
    NOT_RUN = "has not run"
    IN_WORDS = "in words, by a person"


@dataclass(frozen=True)
class Finding:
    """What one visible check found.

    Attributes:
        title: what it looks at.
        problem: what is wrong, maybe in several lines; None if it passes.
        case: what was expected and what came, where the check has it.
        call: the last call of the student's code, where that was what failed.
        check: its name.
        failure: how it failed, to be compared with known mistakes.
        needs: what of an earlier task it needs that is still to do, as the rest of a sentence.
    """

    title: str
    problem: str | None = None
    case: Case | None = None
    call: Call | None = None
    check: str = ""
    failure: Failure | None = None
    needs: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None

    @property
    def to_do(self) -> bool:
        """Whether nothing is there to be looked at yet."""
        return self.problem == TO_DO


@dataclass
class Report:
    """What the visible checks of one task found.

    Attributes:
        task: label.
        findings: one for each check; none where the task is still to do.
        reason: why nothing was checked: the rest of a sentence that begins with the task.
        seconds: what the checks took.
        hint: of the known mistake that the answer most likely has, or the empty string.
        in_words: whether a person reads the answer, and no check does.
        corners: says which numbers are boxes, for the panel's pictures.
    """

    task: str
    findings: Sequence[Finding] = ()
    reason: str = ""
    seconds: float = 0.0
    hint: str = ""
    in_words: bool = False
    corners: Corners = no_boxes

    def wait_for_others(self) -> None:
        """Say that it cannot be checked, if all that fails needs what other tasks leave open."""
        needs = next((one.needs for one in self.findings if one.needs), "")
        if needs and all(one.passed or one.to_do or one.needs for one in self.findings):
            self.reason = f"cannot be checked yet: {needs} The grader puts a right one there."

    @property
    def state(self) -> State:
        """How the task stands."""
        if self.in_words:
            return State.IN_WORDS
        if self.reason:
            return State.NOT_RUN
        if all(finding.to_do for finding in self.findings):
            return State.TO_DO
        return State.PASSES if all(one.passed for one in self.findings) else State.NOT_YET

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return self.state is State.PASSES

    @property
    def failed(self) -> list[Finding]:
        """What is not right yet."""
        return [finding for finding in self.findings if not finding.passed]

    @property
    def verdict(self) -> str:
        """All of it in a sentence."""
        match self.state:
            case State.IN_WORDS:
                rest = "is answered in words: a person reads it, and no check does."
            case State.NOT_RUN:
                rest = self.reason
            case State.PASSES:
                rest = "passes."
            case state:
                rest = f"is {state}."
        return f"Task {self.task} {rest}"

    @property
    def slowness(self) -> list[str]:
        """A line about an answer that a grader may not wait for."""
        if self.seconds <= SLOW_S:
            return []
        return [
            f"This took {self.seconds:.0f} seconds: graders allow {SLOW_S} of processor time, "
            "where the statement says nothing else."
        ]

    @property
    def text(self) -> str:
        """All of it, for people."""
        lines = [self.verdict]
        if self.state in (State.PASSES, State.NOT_YET):
            for finding in self.findings:
                lines.append(f"  {'✓' if finding.passed else '✗'} {finding.title}")
                lines += [f"      {line}" for line in (finding.problem or "").splitlines()]
        if self.hint:
            lines.append(f"  Hint: {self.hint}")
        if self.passed:
            lines += [f"  {line}" for line in (*self.slowness, "The grader will use other inputs.")]
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show it in a notebook: as a panel, and as text where there are none."""
        return {"text/plain": self.text, "text/html": panel.of_report(self)}
