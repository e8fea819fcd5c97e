"""A small class, made from the course itself and graded for real.

Four submissions: the reference, the untouched stub, one with mistakes that learners
make, and one that tries to cheat.
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

from detgrader.assignment import load_assignment
from detgrader.course import SETTINGS, Course, CourseError, DemoSettings, load
from detgrader.files import write_json
from detgrader.intake import WEIGHTS
from detgrader.overlays import lay_over, load_overlays
from detgrader.reference import reference_notebook, reference_submission, reference_weights


def demo_settings(course: Course) -> DemoSettings:
    """Return what the course's demo shows.

    Raises:
        CourseError: the course has none.
    """
    if course.settings.demo is None:
        raise CourseError(f"{SETTINGS} has no [demo]: name its week, mistakes and tricks there")
    return course.settings.demo


def build_class(course: Course, folder: Path) -> list[Path]:
    """Write the four submissions into a folder and return their paths."""
    demo = demo_settings(course)
    released = json.loads(course.release(demo.week).read_text("utf-8"))
    solved = reference_notebook(course, demo.week)
    notebooks = {
        "reference": solved,
        "untouched": released,
        "mistaken": with_answers(solved, mistaken_answers(course, demo)),
        "hostile": with_answers(released, load(demo.tricks) if demo.tricks else {}),
    }
    paths = {name: folder / f"{name}.ipynb" for name in notebooks}
    for name, notebook in notebooks.items():
        write_json(paths[name], notebook)
    weights = reference_weights(course, demo.week)
    if weights.is_file():
        for name in ("reference", "mistaken"):
            shutil.copyfile(weights, paths[name].with_suffix(WEIGHTS))
    return list(paths.values())


def mistaken_answers(course: Course, demo: DemoSettings) -> dict[str, str]:
    """Return the answer cells of one who makes all of the demo's mistakes.

    Raises:
        CourseError: there is no such mistake.
    """
    assignment = load_assignment(course, demo.week)
    mutants = load_overlays(course.mutants(demo.week), assignment, with_hints=True)
    submission = reference_submission(course, assignment)
    for name in demo.mistakes:
        mutant = next((one for one in mutants if one.name == name), None)
        if mutant is None:
            raise CourseError(f"{SETTINGS}, [demo]: {demo.week} has no mutant {name!r}")
        submission = lay_over(submission, mutant, assignment)
    return {cell.name: cell.source for cell in submission.cells}


def with_answers(notebook: dict[str, Any], answers: dict[str, str]) -> dict[str, Any]:
    """Return a copy of a notebook with other answers in some of its cells."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return notebook


def explanation(course: Course, folder: Path) -> list[str]:
    """Say what the four are."""
    demo = demo_settings(course)
    return [
        f"Four submissions of {demo.week}, written to {folder}:",
        "  reference   the course's own solution",
        "  untouched   the notebook as students get it",
        f"  mistaken    mistakes that learners make: {', '.join(demo.mistakes)}",
        "  hostile     a trick in the place of each answer",
        "",
    ]
