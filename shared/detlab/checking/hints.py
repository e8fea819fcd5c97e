"""Hints, from general to specific, one more each time that somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from detlab.checking import panel
from detlab.checking.report import Report, State

MOST = 300  # characters of a hint: where to look, not the whole story


@dataclass(frozen=True)
class Hints:
    """The hints given so far about a task.

    Attributes:
        task: label.
        steps: so far, from general to specific.
        left: how many there are yet.
        verdict: how the task stands, where there is nothing to hint at.
    """

    task: str
    steps: Sequence[str]
    left: int
    verdict: str = ""

    @property
    def heading(self) -> str:
        """The first line."""
        return self.verdict or f"Task {self.task}: where to look"

    @property
    def rest(self) -> list[str]:
        """What comes after the steps."""
        if not self.steps:
            return []
        if not self.left:
            return ["That was the last hint."]
        more = "one more" if self.left == 1 else f"{self.left} more"
        return [f"Ask again for {more}."]

    @property
    def text(self) -> str:
        """All of it, for people."""
        steps = [f"  {number}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([self.heading, *steps, *(f"  {line}" for line in self.rest)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show it in a notebook."""
        return {"text/plain": self.text, "text/html": panel.of_hints(self)}


def steps_of(report: Report, titles: Sequence[str], heading: str) -> list[str]:
    """Return all hints for a task: what is looked at, what is wrong there, where to read again.

    Args:
        titles: of all visible checks of the task.
        heading: of the task in the notebook, "" where it is not known.
    """
    steps = []
    if report.state is State.NOT_YET:
        steps.append(f"Look at: {'; '.join(finding.title for finding in report.failed)}.")
        steps += [in_short(finding.problem or "") for finding in report.failed]
        steps.append(report.hint)
    elif report.state is State.TO_DO:
        steps.append(f"The check will look at: {'; '.join(titles)}.")
    read = f"Read the statement again, below “{heading}” in the notebook." if heading else ""
    return list(dict.fromkeys(filter(None, [*steps, read])))


def in_short(problem: str) -> str:
    """Return the first line of what is wrong, without an end that is too long."""
    line = problem.partition("\n")[0]
    if line.endswith("("):  # it names a network, layer by layer
        line = " ".join(problem.split())
    return line if len(line) <= MOST else f"{line[:MOST].rsplit(' ', 1)[0]} …"


class HintsGiven:
    """Counts how many hints were given about each task; a new mistake begins anew."""

    def __init__(self) -> None:
        self.given: dict[str, tuple[list[str], int]] = {}

    def one_more(self, task: str, steps: list[str]) -> Hints:
        """Give one hint more than last time, if there is one."""
        before, count = self.given.get(task, ([], 0))
        count = min(count + 1, len(steps)) if before == steps else min(1, len(steps))
        self.given[task] = steps, count
        return Hints(task, steps[:count], len(steps) - count)
