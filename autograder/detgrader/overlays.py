"""Mutants and variants: small pieces of code laid over the reference.

An overlay is a Python file whose docstring holds `task:`, `does:` and, for a mutant,
`hint:`; its code runs at the end of that task's answer cell, so that it replaces
what it defines again.
"""

import ast
import copy
import re
from dataclasses import dataclass, replace
from pathlib import Path

from detgrader.assignment import Assignment
from detgrader.course import CourseError
from detgrader.intake import Submission

FIELD = re.compile(r"^(task|does|hint):\s*", re.M)


@dataclass(frozen=True)
class Overlay:
    """One wrong (mutant) or unusual (variant) implementation of a task.

    Attributes:
        name: its file's stem.
        task: label of the task.
        does: what it does wrong or differently, in a line.
        hint: what a student who makes this mistake should read; empty for a variant.
        code: Python.
    """

    name: str
    task: str
    does: str
    hint: str
    code: str


def load_overlays(folder: Path, assignment: Assignment, with_hints: bool) -> list[Overlay]:
    """Read a folder of overlays.

    Raises:
        CourseError: naming the file that lacks a field or names an unknown task.
    """
    labels = {task.label for task in assignment.tasks}
    return [read_overlay(path, labels, with_hints) for path in sorted(folder.glob("*.py"))]


def read_overlay(path: Path, labels: set[str], with_hints: bool) -> Overlay:
    """Read one overlay."""
    text = path.read_text("utf-8")
    try:
        tree = ast.parse(text, str(path))
    except SyntaxError as error:
        raise CourseError(f"{path}:{error.lineno}: {error.msg}") from error
    doc = ast.get_docstring(tree) or ""
    code = "\n".join(text.splitlines()[tree.body[0].end_lineno :]) if doc else text
    parts = FIELD.split(doc)[1:]
    values = {
        key: " ".join(value.split()) for key, value in zip(parts[::2], parts[1::2], strict=True)
    }
    for key in ("task", "does", *(["hint"] if with_hints else [])):
        if not values.get(key):
            raise CourseError(f"{path}:1: the docstring lacks a line `{key}: …`")
    if values["task"] not in labels:
        raise CourseError(f"{path}:1: there is no task {values['task']}")
    hint = values.get("hint", "")
    return Overlay(path.stem, values["task"], values["does"], hint, code.strip("\n"))


def lay_over(reference: Submission, overlay: Overlay, assignment: Assignment) -> Submission:
    """Return the reference with an overlay at the end of its task's last code cell."""
    task = next(task for task in assignment.tasks if task.label == overlay.task)
    submission = copy.copy(reference)
    submission.student = overlay.name
    submission.cells = [
        replace(cell, source=f"{cell.source}\n\n{overlay.code}")
        if cell.name == task.code_cells[-1]
        else cell
        for cell in reference.cells
    ]
    return submission
