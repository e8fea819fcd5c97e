"""Reading a submission's cells, not running them: do they parse, and which names do they use?

Parsing hostile text can exhaust a process, so a worker does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from detgrader.grading.messages import syntax_message
from detgrader.intake import CodeCell
from detgrader.sandbox.client import DispatcherClient, WorkerClient
from detgrader.sandbox.limits import Crashed, LimitReached, Limits, Violation
from detlab.checking.workbench import StudentError

READING = Limits(cpu_s=4, memory_mb=1024, wall_s=30)
MAX_UNREADABLE = 3


@dataclass
class Reading:
    """What is known of cells before they run.

    Attributes:
        names: by cell, the identifiers that it mentions.
        problems: by cell, why it cannot run.
    """

    names: dict[str, set[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def read_code(dispatcher: DispatcherClient, cells: list[CodeCell]) -> Reading:
    """Have cells read in a worker.

    Should that end the worker, each cell is read by itself, to find out which one it was.
    """
    reading = Reading()
    if read_together(dispatcher, cells, reading):
        return reading
    unreadable = 0
    for cell in cells:
        reason = "was not read, since other cells could not be" * (unreadable == MAX_UNREADABLE)
        if not reason and not read_together(dispatcher, [cell], reading):
            unreadable += 1
            reason = "is too deep or too large for Python to read"
        if reason:
            reading.problems[cell.name] = f"The cell {cell.name} {reason}."
    return reading


def read_together(dispatcher: DispatcherClient, cells: list[CodeCell], reading: Reading) -> bool:
    """Have some cells read in a worker of their own; say whether it lived."""
    worker = WorkerClient(dispatcher, READING)
    try:
        reports = worker.inspect([{"cell": c.name, "source": c.source} for c in cells])
    except (StudentError, LimitReached, Violation, Crashed):
        return False
    finally:
        worker.close()
    for cell, report in zip(cells, reports, strict=True):
        reading.names[cell.name] = set(report["names"])
        if report["error"] is not None:
            error = worker.student_error(report["error"])
            reading.problems[cell.name] = syntax_message(cell, error)
    return True
