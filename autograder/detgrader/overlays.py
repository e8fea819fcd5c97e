"""Mutants and variants: what the reference of one task becomes when some of it is otherwise.

An overlay says so in one of two forms. `NAME.toml` changes lines of the reference and holds no
more than these. `NAME.py` is another solution: its code runs at the end of the task's last answer
cell, so that it replaces what it defines again, and its docstring holds `task:`, `does:` and, for
a mutant, `hint:`.
"""

from __future__ import annotations

import ast
import copy
import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detgrader.assignment import Assignment
from detgrader.changes import Change, apply_changes, read_tables, the_match
from detgrader.course import CourseError
from detgrader.intake import Submission
from detlab.checking.notebook import CodeCell

FIELD = re.compile(r"^(task|does|hint):\s*", re.M)


@dataclass(frozen=True)
class Overlay:
    """One wrong (mutant) or unusual (variant) implementation of a task.

    Attributes:
        name: its file's stem.
        task: label of the task.
        does: what it does wrong or differently, in a line.
        hint: what a student who makes this mistake should read; empty for a variant.
        code: Python that runs after the reference's.
        changes: to the reference's lines, in the place of `code`.
    """

    name: str
    task: str
    does: str
    hint: str
    code: str = ""
    changes: tuple[Change, ...] = ()


def load_overlays(folder: Path, assignment: Assignment, with_hints: bool) -> list[Overlay]:
    """Read a folder of overlays.

    Raises:
        CourseError: naming the file, and where it can the line, that is not as it must be.
    """
    labels = {task.label for task in assignment.tasks if task.code_cells}
    return [read_overlay(path, labels, with_hints) for path in overlay_paths(folder)]


def overlay_paths(folder: Path) -> list[Path]:
    """Return the files of a folder's overlays, in the order of their names.

    Raises:
        CourseError: two have the same name, by which reports would take one for the other.
    """
    paths = sorted([*folder.glob("*.py"), *folder.glob("*.toml")])
    for stem, count in Counter(path.stem for path in paths).items():
        if count > 1:
            raise CourseError(f"{folder / stem}.toml: there is {stem}.py, too: keep one of them")
    return paths


def read_overlay(path: Path, labels: set[str], with_hints: bool) -> Overlay:
    """Read one overlay of a task among `labels`."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise CourseError(f"{path}:{line}: this is not UTF-8: save the file as UTF-8") from error
    read = read_changes if path.suffix == ".toml" else read_code
    overlay = read(path, text, ["task", "does", *(["hint"] if with_hints else [])])
    if overlay.task not in labels:
        raise CourseError(f"{path}:1: there is no task {overlay.task} with code")
    return overlay


def read_code(path: Path, text: str, keys: list[str]) -> Overlay:
    """Read an overlay that is another solution."""
    try:
        tree = ast.parse(text, str(path))
    except SyntaxError as error:
        raise CourseError(f"{path}:{error.lineno}: {error.msg}") from error
    doc = ast.get_docstring(tree) or ""
    code = "\n".join(text.splitlines()[tree.body[0].end_lineno :]) if doc else text
    parts = FIELD.split(doc)[1:]
    values = dict(zip(parts[::2], map(one_line, parts[1::2]), strict=True))
    for key in keys:
        if not values.get(key):
            raise CourseError(f"{path}:1: the docstring lacks a line `{key}: …`")
    hint = values.get("hint", "")
    return Overlay(path.stem, values["task"], values["does"], hint, code=code.strip("\n"))


def read_changes(path: Path, text: str, keys: list[str]) -> Overlay:
    """Read an overlay that changes lines."""
    table, changes = read_tables(path, text)
    values = dict(zip(keys, map(one_line, table.texts(*keys)), strict=True))
    for key in keys:
        if not values[key]:
            raise CourseError(f"{table.where(key)}: `{key}` is empty")
    hint = values.get("hint", "")
    return Overlay(path.stem, values["task"], values["does"], hint, changes=tuple(changes))


def one_line(text: str) -> str:
    """Return a text with all its blanks, line breaks among them, as single spaces."""
    return " ".join(text.split())


def lay_over(reference: Submission, overlay: Overlay, assignment: Assignment) -> Submission:
    """Return the reference with an overlay's changes, or its code at the end of its task's cells.

    Raises:
        CourseError: the changes do not fit the reference.
    """
    return lay_all(reference, [overlay], assignment)


def lay_both(
    reference: Submission, mutant: Overlay, variant: Overlay, assignment: Assignment
) -> Submission | None:
    """Return the reference with a mistake and a variant of one task, or None.

    They go together when both change other lines, or other functions where one is code: code takes
    the place of a whole function, and with it of what the other changes there.
    """
    own = cells_of(reference, mutant, assignment)
    touched, other = (functions_of(one, own, reference.path) for one in (mutant, variant))
    both_change = mutant.changes and variant.changes
    if not both_change and (touched & other or not touched or not other):
        return None
    try:
        return lay_all(reference, [variant, mutant], assignment)
    except CourseError:
        return None  # both change the same lines


def lay_all(
    reference: Submission, overlays: Sequence[Overlay], assignment: Assignment
) -> Submission:
    """Return the reference with the changes of some overlays of one task, then their code.

    Raises:
        CourseError: the changes do not fit the reference, or each other.
    """
    own = cells_of(reference, overlays[0], assignment)
    changes = [change for overlay in overlays for change in overlay.changes]
    sources = apply_changes(own, changes, reference.path) if changes else {}
    code = [overlay.code for overlay in overlays if not overlay.changes]
    if code:
        last = own[-1].name
        sources[last] = "\n\n".join([sources.get(last, own[-1].source), *code])
    submission = copy.copy(reference)
    submission.student = overlays[-1].name
    submission.cells = [
        replace(cell, source=sources.get(cell.name, cell.source)) for cell in reference.cells
    ]
    return submission


def cells_of(reference: Submission, overlay: Overlay, assignment: Assignment) -> list[CodeCell]:
    """Return the reference's code cells of an overlay's task."""
    task = next(task for task in assignment.tasks if task.label == overlay.task)
    return [cell for cell in reference.cells if cell.name in task.code_cells]


def functions_of(overlay: Overlay, cells: Sequence[CodeCell], source: Path) -> set[str]:
    """Return the names at a module's top level that an overlay defines, or changes lines of."""
    if not overlay.changes:
        return {name for _, _, names in bindings(overlay.code) for name in names}
    found = set()
    for change in overlay.changes:
        match = the_match(cells, change, source)
        for first, end, names in bindings(match.cell.source):
            if first < match.end and match.first < end:
                found |= names
    return found


@functools.cache
def bindings(source: str) -> list[tuple[int, int, set[str]]]:
    """Read a source once: its statements' first lines, from 0, their ends, and what they bind."""
    statements = ast.parse(source).body
    return [(s.lineno - 1, s.end_lineno or 0, names_bound(s)) for s in statements]


def names_bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds: a function, a class, or what it assigns to."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
