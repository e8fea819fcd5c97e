"""A limit that is too near to what an accepted solution takes is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detgrader.audit import margins
from detgrader.audit.cases import Case, Kind
from detgrader.audit.reuse import Record
from detgrader.audit.verdicts import Problem, Verdict
from detgrader.grading.results import Status, TaskResult
from detgrader.grading.tasks import TaskChecks
from detgrader.intake import Submission
from detgrader.sandbox.limits import Limits

LIMITS = Limits(cpu_s=12, memory_mb=600)
TASKS = {"1.1": TaskChecks(limits=LIMITS), "1.2": TaskChecks(limits=LIMITS, needs=["1.1"])}


def verdict(
    name: str, label: str, kind: Kind = Kind.VARIANT, task: str = "", **taken: Any
) -> Verdict:
    """Return how a submission fared that took so much in a task."""
    case = Case(kind, name, Submission(name, Path(name)), {}, task or label)
    result = TaskResult(label, "", 1.0, 1.0, Status.PASSED, **taken)
    return Verdict(case, {label: Record("", "", {}, result, [])}, [])


@pytest.mark.parametrize("label", ["1.1", "1.2"])
def test_room_enough_is_no_problem(label: str) -> None:
    factor = 3 if label == "1.1" else 2
    taken = verdict("right", label, seconds=12 / factor, memory_mb=600 // factor)
    assert margins.problems([taken], TASKS) == []


def test_the_slowest_solution_is_named_with_figure_and_limit() -> None:
    measured = [
        verdict("quick", "1.1", seconds=0.1),
        verdict("slow", "1.1", seconds=4.125),
        verdict("slower", "1.1", seconds=4.25),
    ]
    (problem,) = margins.problems(measured, TASKS)
    assert (problem.kind, problem.overlay, problem.task) == ("variant", "slower", "1.1")
    assert problem.what == (
        "takes 4.25 of 12 processor seconds, more than one part in 3: make its checks lighter, or "
        "raise the mark limits(cpu_s=…)"
    )


def test_memory_and_trainings_have_their_own_margins() -> None:
    measured = [
        verdict("large", "1.1", memory_mb=201),
        verdict("right", "1.2", seconds=5.9, memory_mb=299),
        verdict("long", "1.2", seconds=6.1),
    ]
    found = margins.problems(measured, TASKS)
    assert [(one.overlay, one.task, one.what.partition(",")[0]) for one in found] == [
        ("large", "1.1", "takes 201 of 600 MiB of memory"),
        ("long", "1.2", "takes 6.1 of 12 processor seconds"),
    ]


def test_only_what_was_accepted_and_graded_whole_is_measured() -> None:
    """A mistake may take its time; a variant of another task is asked but some checks here."""
    refused = verdict("refused", "1.1", seconds=11)
    refused.problems.append(Problem(Kind.VARIANT, "refused", "1.1", "loses 1 of 1 points"))
    others = [
        verdict("mistake", "1.1", Kind.MUTANT, seconds=11),
        verdict("earlier", "1.2", task="1.1", seconds=11),
    ]
    assert margins.problems([refused, *others], TASKS) == []
