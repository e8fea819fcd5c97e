"""Build what students get from what staff edit, with nbgrader's own steps and no gradebook.

Nothing flows back: `assignments/` is written from `solutions/` and never read into it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from detgrader.assignment import load_assignment, read_assignment
from detgrader.authoring import leaks, rules
from detgrader.authoring.source import Source, read, refuse
from detgrader.course import Course, CourseError
from detgrader.fingerprints import digest, tree_digest
from detgrader.reference import read_answers
from detlab.checking.labels import label_of_answer
from detlab.checking.outline import ReleasedTask, write_outline


class ClearLabelledSolutions(ClearSolutions):  # type: ignore[misc]  # nbgrader has no annotations
    """nbgrader's step, with a stub that names the task it stands for."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Cut the regions of one cell; `grade_id` gives the label, `task_1_5_area` is 1.5."""
        if cell.metadata.get("nbgrader", {}).get("solution"):
            label = label_of_answer(cell.metadata.nbgrader.grade_id)
            self.code_stub = {
                "python": f"# Your code for task {label}\n"
                f'raise NotImplementedError("task {label}: replace this line with your answer")'
            }
            self.text_stub = f"*Your answer to task {label}: replace this line.*"
        return super().preprocess_cell(cell, resources, index)


# The order of nbgrader's generate_assignment, less its header, test templates and gradebook.
STEPS = (
    LockCells,  # reads metadata alone, so it may come first
    ClearLabelledSolutions,  # before the checksums: an untouched stub must be recognised
    ClearOutput,  # an output may show what a solution computed
    # A source with hidden tests or a mark scheme is refused before it comes here; should one slip
    # through our eyes, nbgrader's still cut it.
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,  # of the text as students get it, hence after every cut
    CheckCellMetadata,  # last: judges the result
)


def build(course: Course, week: str) -> bytes:
    """Return the text of a week's release, the same bytes each time.

    Raises:
        CourseError: the source breaks a rule or a solution would leak; each by file and line.
    """
    notebook = _released(course, week)[1]
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode()  # nbformat sorts the keys


def write(course: Course, week: str) -> Path:
    """Build a week into `assignments/` and return the notebook's path.

    The students' package gets the outline of it that `check` and `detlab check` read, and the known
    mistakes, if what these rest on has changed.
    """
    content = build(course, week)  # first, so that a refused build leaves the old release alone
    path = course.release(week)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if outline := course.outline(week):
        outline.write_text(outline_of(week, content), "utf-8")
    known, basis = course.known(week), known_basis(course, week)
    if known and basis_of(known) != basis:
        from detgrader.grading.visible import known_text  # imports torch

        known.write_text(known_text(course, week, basis), "utf-8")
    return path


def known_basis(course: Course, week: str) -> str:
    """Hash what the known mistakes of a week, as students' package holds them, are made from."""
    visible = course.module_of_week(week, "visible")
    package = visible.parent if visible else course.source(week).parent
    code = sorted([*package.rglob("*.py"), *package.parent.glob("*.py")])
    answers = [(one.grade_id, one.source) for one in read_answers(course.source(week))]
    setup = load_assignment(course, week).setup
    return digest(tree_digest([course.mutants(week), *code]), answers, setup)


def basis_of(known: Path) -> str:
    """Return the hash of what known mistakes were made from, or the empty string."""
    try:
        return str(json.loads(known.read_bytes())["basis"])
    except (OSError, ValueError, KeyError):
        return ""


def outline_of(week: str, content: bytes) -> str:
    """Return what students' package holds of a release: its setup, answer cells and tasks."""
    assignment = read_assignment(week, json.loads(content)["cells"])
    tasks = [
        ReleasedTask(task.label, task.title, task.points, task.manual_points)
        for task in assignment.tasks
    ]
    return write_outline(assignment.cells.values(), tasks)


def check(course: Course, week: str) -> None:
    """Compare the release in `assignments/` with what its source gives now.

    Raises:
        CourseError: they differ; lists the differences by cell.
    """
    fresh = build(course, week)
    path = course.release(week)
    if not path.is_file():
        differences = ["has not been built"]
    elif (old := path.read_bytes()) != fresh:
        differences = _differences(old, fresh)
    elif (outline := course.outline(week)) and not _holds(outline, outline_of(week, fresh)):
        differences = [f"{course.display(outline)} does not say the same"]
    elif (known := course.known(week)) and basis_of(known) != known_basis(course, week):
        differences = [f"{course.display(known)} is older than what it is made from"]
    else:
        return
    where = course.display(path)
    lines = [f"{where}: {difference}" for difference in differences]
    raise CourseError("\n".join([*lines, f"run `detgrader release {week}` and commit the result"]))


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text


def _released(course: Course, week: str) -> tuple[Source, NotebookNode]:
    source = read(course, week)
    refuse(rules.problems(course, source))
    notebook = source.notebook()
    for step in STEPS:
        notebook, _ = step().preprocess(notebook, {})
    found = list(leaks.problems(source, notebook))
    for cell, node in zip(source.cells, notebook.cells, strict=True):
        if cell.kind == "answer" and (fault := rules.syntax_error(node.source)):
            text = f"{cell.name} does not parse with the stub in place of the solution"
            found.append(source.problem(cell.line, f"{text} ({fault.msg}); indent the markers"))
    refuse(found)
    return source, notebook


def _differences(old: bytes, fresh: bytes) -> list[str]:
    """Return what differs between two notebooks' texts, cell by cell."""
    new = json.loads(fresh)
    try:
        before = json.loads(old)
        old_cells = {cell["id"]: cell for cell in before["cells"]}
    except (ValueError, KeyError, TypeError):
        return ["is not a notebook of ours"]
    new_cells = {cell["id"]: cell for cell in new["cells"]}
    found = [
        f"cell {name} is no longer in the source" for name in old_cells if name not in new_cells
    ]
    for name, cell in new_cells.items():
        if name not in old_cells:
            found.append(f"cell {name} is missing")
        elif cell != old_cells[name]:
            keys = sorted(
                k for k in cell.keys() | old_cells[name] if cell.get(k) != old_cells[name].get(k)
            )
            found.append(f"cell {name} differs in {', '.join(keys)}")
    if not found and list(new_cells) != list(old_cells):
        found.append("the cells stand in another order")
    if before.get("metadata") != new["metadata"]:
        found.append("the notebook's metadata differs")
    return found or ["the same notebook in other bytes"]
