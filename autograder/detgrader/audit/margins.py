"""Margins: how far the limits of a task are from what accepted solutions take.

A student's machine is not asked, but the grader's may be slow or busy, and a right answer may take
twice what the reference takes. So the slowest and the largest of all accepted solutions must stay
well below the limits: by the kernel's account of their workers' processor time and memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from detgrader.grading.results import TaskResult
from detgrader.grading.tasks import TaskChecks

FACTOR = 3.0
# What trains or measures takes long, and so its own time says more of how fast the machine is.
FACTOR_OF_TRAININGS = 2.0


def problems(
    measured: Iterable[tuple[str, TaskResult]], tasks: Mapping[str, TaskChecks]
) -> list[str]:
    """Say of which tasks a limit is too near, and to which solution: the one that takes most.

    Args:
        measured: names of accepted solutions, each with its result in a task that was run whole.
        tasks: the collected checks, by label.
    """
    most: dict[tuple[str, str], tuple[float, str]] = {}
    for solution, result in measured:
        for unit, taken in (("seconds", result.seconds), ("MiB", result.memory_mb)):
            key = result.task, unit
            most[key] = max(most.get(key, (0.0, "")), (float(taken), solution))
    found = []
    for (label, unit), (taken, solution) in most.items():
        limits = tasks[label].limits
        limit, mark = {"seconds": (limits.cpu_s, "cpu_s"), "MiB": (limits.memory_mb, "memory_mb")}[
            unit
        ]
        factor = FACTOR_OF_TRAININGS if tasks[label].runs_once else FACTOR
        if taken * factor > limit:
            what = "processor seconds" if unit == "seconds" else "MiB of memory"
            found.append(
                f"{label}: {solution} takes {taken:.4g} of {limit} {what}, more than one part in "
                f"{factor:g}: make its checks lighter, or raise the mark limits({mark}=…)"
            )
    return found
