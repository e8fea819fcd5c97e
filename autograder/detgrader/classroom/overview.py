"""A class at a glance: how points are spread, which tasks hurt, and who needs a person."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from detgrader.assignment import Assignment, Task
from detgrader.grading.results import BatchResult, Status, SubmissionResult

# What a person should look at, by task.
NEEDS_A_PERSON = {
    Status.GRADER_ERROR: "could not be graded",
    Status.VIOLATION: "violation",
}
BINS = 10
# Of fewer students a correlation says nothing.
FEWEST = 5


@dataclass(frozen=True)
class TaskOverview:
    """How a class fared in a task.

    Attributes:
        share: mean of the points that its checks gave, from 0 to 1; None if nobody has any result.
        known: how many have a result.
        statuses: how many students have which.
    """

    label: str
    title: str
    share: float | None
    known: int
    statuses: Counter[Status]

    @property
    def passed(self) -> int:
        """How many earned everything."""
        return self.statuses[Status.PASSED]


@dataclass(frozen=True)
class Overview:
    """A class at a glance.

    Attributes:
        students: how many there are.
        scores: of those whose points are known, sorted.
        best: what the checks can give.
        tasks: those with checks.
        needs: student and why a person should look, in the class's order.
        unknown: how many have no sum, though what could be graded was.
        by_hand: how many have written answers that wait.
    """

    students: int
    scores: list[float]
    best: float
    tasks: list[TaskOverview]
    needs: list[tuple[str, str]]
    unknown: int
    by_hand: int

    @property
    def histogram(self) -> list[tuple[str, int]]:
        """Tenths of the points, and how many are in each; the best is in the last one."""
        step = self.best / BINS
        counts = Counter(min(int(score / step), BINS - 1) for score in self.scores)
        edges = [f"{step * number:.3g}–{step * (number + 1):.3g}" for number in range(BINS)]
        return [(edge, counts[number]) for number, edge in enumerate(edges)]

    @property
    def known(self) -> str:
        """Whose points are known, in words: "the class", if all are."""
        known = len(self.scores)
        return "the class" if known == self.students else f"the {known} with a sum"

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """A quarter, half and three quarters of those with a sum have no more than this."""
        if len(self.scores) < 2:
            return (self.scores[0],) * 3
        low, middle, high = statistics.quantiles(self.scores, n=4, method="inclusive")
        return low, middle, high

    def hardest(self, most: int) -> list[TaskOverview]:
        """Return the tasks in which the class lost the largest parts, worst first.

        A task that was left out for most says nothing of the class.
        """
        known = [
            (task.share, task)
            for task in self.tasks
            if task.share is not None and 2 * task.known >= self.students
        ]
        ordered = sorted(known, key=lambda pair: pair[0])
        return [task for share, task in ordered[:most] if share < 1]


def overview_of(batch: BatchResult, assignment: Assignment) -> Overview:
    """Sum up a class."""
    results = batch.submissions
    return Overview(
        students=len(results),
        scores=sorted(one.score for one in results if one.score is not None),
        best=sum(task.points for task in assignment.tasks),
        tasks=[task_overview(results, task) for task in assignment.tasks if task.points],
        needs=[(one.student, why) for one in results if (why := why_a_person(one))],
        unknown=sum(one.score is None and one.graded for one in results),
        by_hand=sum(one.pending_manual > 0 for one in results),
    )


def task_overview(results: Sequence[SubmissionResult], task: Task) -> TaskOverview:
    """Sum up how a class fared in a task."""
    own = [one for result in results for one in result.tasks if one.task == task.label]
    shares = [one.score / task.points for one in own if one.score is not None]
    share = statistics.fmean(shares) if shares else None
    statuses = Counter(one.status for one in own)
    return TaskOverview(task.label, task.title, share, len(shares), statuses)


def discrimination_of(results: Sequence[SubmissionResult], label: str) -> float | None:
    """Say how well a task tells students apart: its correlation with the sum of all others.

    From -1 to 1; None where too few are known, or all fared alike.
    """
    pairs = [
        (task.earned, one.earned - task.earned)
        for one in results
        if one.score is not None
        for task in one.tasks
        if task.task == label
    ]
    if len(pairs) < FEWEST or any(len(set(values)) == 1 for values in zip(*pairs, strict=True)):
        return None
    return statistics.correlation(*map(list, zip(*pairs, strict=True)))


def why_a_person(result: SubmissionResult) -> str:
    """Say why a person should look at a submission, or nothing."""
    if result.error:
        return result.error
    found = []
    for status, words in NEEDS_A_PERSON.items():
        labels = [task.task for task in result.tasks if task.status is status]
        if labels:
            found.append(f"{words} in {', '.join(labels)}")
    return "; ".join(found)
