"""Equal wrong answers: what several students got wrong in the same way, and nobody explained."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from detgrader.grading.results import CheckResult, Status, SubmissionResult, TaskResult

HINT = "\nHint: "
WRONG = (Status.FAILED, Status.PARTIAL)
# Students are asked different inputs, so what a message counts may differ a little.
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
LEAST = 2
FREQUENT = 3


@dataclass(frozen=True)
class Group:
    """Students who fail the same checks of a task in the same way.

    Attributes:
        message: what the first of them was told.
        path: of the first one's notebook.
    """

    week: str
    label: str
    message: str
    students: tuple[str, ...]
    path: str

    @property
    def command(self) -> str:
        """What makes a mutant of the first one's answer."""
        words = ["detgrader", "mutant", self.week, self.label, self.path, "NAME"]
        return " ".join(map(shlex.quote, words)) + " --does '…' --hint '…'"


def groups_of(week: str, results: Sequence[SubmissionResult]) -> list[Group]:
    """Return the groups of two and more, the largest first."""
    found: dict[tuple[object, ...], list[tuple[SubmissionResult, TaskResult]]] = defaultdict(list)
    for result in results:
        for task in result.tasks:
            if task.status in WRONG and HINT not in task.message:
                failed = [
                    (check.key, form_of(check.message))
                    for check in result.checks.get(task.task, ())
                    if not check.passed
                ]
                if failed:
                    found[(task.task, *sorted(failed))].append((result, task))
    groups = [
        Group(
            week,
            some[0][1].task,
            some[0][1].message,
            tuple(result.student for result, _ in some),
            some[0][0].path,
        )
        for some in found.values()
        if len(some) >= LEAST
    ]
    return sorted(groups, key=lambda group: len(group.students), reverse=True)


def form_of(message: str) -> str:
    """Return a message less its numbers."""
    return NUMBER.sub("#", message)


def frequent_messages(results: Sequence[SubmissionResult], label: str) -> list[tuple[str, int]]:
    """Return what checks of a task said most often, each once a student, and how often."""
    said: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for result in results:
        failed: list[CheckResult] = [one for one in result.checks.get(label, ()) if not one.passed]
        for form, message in {form_of(one.message): one.message for one in failed}.items():
            said[form] += 1
            shown.setdefault(form, message)
    return [(shown[form], count) for form, count in said.most_common(FREQUENT) if form]
