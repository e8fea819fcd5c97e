"""Stand-ins: right answers to the functions of a task, for the tasks after it.

They run in the grader, so that no solution comes near a student's code, and work on the
student's objects through handles.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from detgrader.assignment import Task
from detgrader.course import CourseError
from detlab.checking.student import Request, Student

# By task label, by function name, a function of (student, *arguments).
StandIns = dict[str, dict[str, Callable[..., Any]]]


def load_stand_ins(folder: Path) -> StandIns:
    """Load `stand_ins.py` of a folder of checks; without one there are none.

    Raises:
        CourseError: the file defines no STAND_INS.
    """
    path = folder / "stand_ins.py"
    spec = importlib.util.spec_from_file_location(f"stand_ins_of_{folder.name}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        return {}
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stand_ins: StandIns | None = getattr(module, "STAND_INS", None)
    if stand_ins is None:
        raise CourseError(f"{path}: define STAND_INS, functions by name by task")
    return stand_ins


class Forgetful(Student):
    """A student whose answers nobody compares, and so nobody keeps."""

    def _note(self, answer: Any) -> None:
        pass


def bound_to(
    perform: Request, stand_ins: StandIns, tasks: Iterable[Task]
) -> dict[str, Callable[..., Any]]:
    """Return right answers to some tasks' functions, by name, that work on one bench's objects.

    Args:
        perform: carries out a request there.
    """
    student = Forgetful(perform)
    return {
        name: student.answering(functools.partial(function, student))
        for task in tasks
        for name, function in stand_ins.get(task.label, {}).items()
    }
