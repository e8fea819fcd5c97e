"""A wrong answer that was handed in becomes a mutant: a mistake that the course knows."""

from __future__ import annotations

from pathlib import Path

from detgrader.assignment import Assignment
from detgrader.course import Course, CourseError
from detgrader.files import write_text
from detgrader.intake import take_in
from detgrader.overlays import one_line, overlay_paths, read_overlay


def make_mutant(
    course: Course,
    assignment: Assignment,
    label: str,
    notebook: Path,
    name: str,
    does: str,
    hint: str,
) -> Path:
    """Write a mutant of a task from a notebook's answer, and the cells that its student added.

    Args:
        does: what it does wrong, in a line.
        hint: what a student who makes this mistake should read.

    Raises:
        CourseError: there is no such task, the notebook cannot be read or does not answer it, the
            answer is no Python, or there is a mutant of this name.
    """
    task = next((one for one in assignment.tasks if one.label == label and one.code_cells), None)
    if task is None:
        known = ", ".join(one.label for one in assignment.tasks if one.code_cells)
        raise CourseError(f"{assignment.name} has no task {label} with code; those are {known}")
    folder = course.mutants(assignment.name)
    if not name.isidentifier():
        raise CourseError(f"{name!r} is no name for a mutant: take a name as Python has them")
    if name in {path.stem for path in overlay_paths(folder)}:
        raise CourseError(f"{folder} has a mutant {name} already: take another name")
    submission = take_in(notebook, assignment)
    if submission.refusal:
        raise CourseError(submission.refusal)
    own = [cell.source for cell in submission.cells if cell.name in task.code_cells]
    if not own:
        raise CourseError(f"{notebook} has no answer to task {label}")
    helpers = [cell.source for cell in submission.cells if cell.definitions_only]
    lines = [f"task: {label}", f"does: {one_line(does)}", f"hint: {one_line(hint)}"]
    head = "\n".join(lines).replace("\\", "\\\\").replace('"""', "'''")
    text = "\n\n\n".join([f'"""{head}\n"""', *(part.strip("\n") for part in [*helpers, *own])])
    path = folder / f"{name}.py"
    write_text(path, text + "\n")
    try:
        read_overlay(path, {label}, with_hints=True)
    except CourseError:
        path.unlink()  # an answer that is no Python is no mutant
        raise
    return path
