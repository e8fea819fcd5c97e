"""A limit that is too near to what an accepted solution takes is told."""

from __future__ import annotations

from typing import Any

import pytest

from detgrader.audit import margins
from detgrader.grading.results import Status, TaskResult
from detgrader.grading.tasks import TaskChecks
from detgrader.sandbox.limits import Limits

LIMITS = Limits(cpu_s=12, memory_mb=600)
TASKS = {"1.1": TaskChecks(limits=LIMITS), "1.2": TaskChecks(limits=LIMITS, needs=["1.1"])}


def taken(label: str, **fields: Any) -> TaskResult:
    return TaskResult(label, "", 1.0, 1.0, Status.PASSED, **fields)


@pytest.mark.parametrize("label", ["1.1", "1.2"])
def test_room_enough_is_no_problem(label: str) -> None:
    factor = 3 if label == "1.1" else 2
    result = taken(label, seconds=12 / factor, memory_mb=600 // factor)
    assert margins.problems([("reference", result)], TASKS) == []


def test_the_slowest_solution_is_named_with_figure_and_limit() -> None:
    measured = [
        ("reference", taken("1.1", seconds=0.1)),
        ("slow", taken("1.1", seconds=4.125)),
        ("slower", taken("1.1", seconds=4.25)),
    ]
    assert margins.problems(measured, TASKS) == [
        "1.1: slower takes 4.25 of 12 processor seconds, more than one part in 3: make its checks "
        "lighter, or raise the mark limits(cpu_s=…)"
    ]


def test_memory_and_trainings_have_their_own_margins() -> None:
    measured = [
        ("large", taken("1.1", memory_mb=201)),
        ("reference", taken("1.2", seconds=5.9, memory_mb=299)),
        ("long", taken("1.2", seconds=6.1)),
    ]
    found = margins.problems(measured, TASKS)
    assert [one.partition(",")[0] for one in found] == [
        "1.1: large takes 201 of 600 MiB of memory",
        "1.2: long takes 6.1 of 12 processor seconds",
    ]
