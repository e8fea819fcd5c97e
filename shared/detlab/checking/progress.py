"""How the tasks of a week stand, as text and as a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from detlab.checking import panel
from detlab.checking.outline import ReleasedTask
from detlab.checking.report import State
from detlab.checking.wording import number


@dataclass(frozen=True)
class Row:
    """A task's line.

    Attributes:
        task: label.
        title: its heading's words.
        state: see `State`.
        points: in words: "10", or "10 + 5 by a person".
    """

    task: str
    title: str
    state: State
    points: str


@dataclass(frozen=True)
class Progress:
    """How the tasks of a week stand.

    Attributes:
        week: its number.
        tasks: of the week, in order.
        states: of each, by label.
    """

    week: int
    tasks: Sequence[ReleasedTask]
    states: Mapping[str, State]

    @property
    def heading(self) -> str:
        """The first line."""
        states = [state for state in self.states.values() if state is not State.IN_WORDS]
        passing = states.count(State.PASSES)
        return f"Week {self.week}: {passing} of {len(states)} tasks pass their visible checks."

    @property
    def rows(self) -> list[Row]:
        """A line for each task."""
        return [
            Row(task.label, task.title, self.states[task.label], points_of(task))
            for task in self.tasks
        ]

    @property
    def sums(self) -> list[str]:
        """What the points come to."""
        passing = [task for task in self.tasks if self.states[task.label] is State.PASSES]
        reach, points = (sum(task.points for task in some) for some in (passing, self.tasks))
        lines = [f"In reach by what passes: {number(reach)} of {number(points)} points."]
        if by_hand := sum(task.written_points for task in self.tasks):
            lines.append(f"{number(by_hand)} more are for answers in words: a person gives them.")
        return [*lines, "The grader will use other inputs, and looks at more."]

    @property
    def text(self) -> str:
        """All of it, for people."""
        rows = self.rows
        wide = max((len(row.title) for row in rows), default=0)
        lines = [
            f"  {row.task:<5} {row.title:<{wide}}  {row.state:<22} {row.points}" for row in rows
        ]
        return "\n".join([self.heading, *lines, *(f"  {line}" for line in self.sums)])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show it in a notebook."""
        return {"text/plain": self.text, "text/html": panel.of_progress(self)}


def points_of(task: ReleasedTask) -> str:
    """Return a task's points, in words."""
    by_person = f"{number(task.written_points)} by a person" if task.written_points else ""
    return " + ".join(filter(None, [number(task.points) if task.points else "", by_person]))
