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

from rich.console import Console

from detgrader.assignment import load_assignment
from detgrader.classroom import terminal
from detgrader.classroom.batch import default_secret, grade_batch, take_in_all
from detgrader.classroom.outputs import Around, write_outputs
from detgrader.classroom.progress import Meter
from detgrader.course import SETTINGS, Course, CourseError, DemoSettings, load
from detgrader.files import write_json
from detgrader.intake import WEIGHTS
from detgrader.overlays import lay_over, load_overlays
from detgrader.reference import reference_notebook, reference_submission, reference_weights


def grade_demo(course: Course, out: Path, jobs: int, console: Console) -> None:
    """Make the class, grade it as any other, and tell of it; where nothing confines it, too.

    Args:
        out: folder for the submissions and results.
        jobs: how many are graded side by side.
    """
    folder, secret = out / "submissions", default_secret()
    paths = build_class(course, folder)
    for line in explanation(course, folder):
        console.print(line, markup=False, soft_wrap=True)
    with Meter(console, len(paths)) as meter:
        batch = grade_batch(
            course,
            demo_settings(course).week,
            take_in_all(paths),
            jobs,
            secret=secret,
            allow_no_isolation=True,
            on_result=meter.done,
            on_start=meter.started,
        )
    for result in batch.submissions:
        terminal.print_submission(console, result, batch.isolation)
    terminal.print_class(console, batch)
    if batch.isolation == "none":
        console.print("No sandbox works here, so this ran without one: see `detgrader doctor`.")
    assignment = load_assignment(course, batch.assignment)
    terminal.print_files(console, write_outputs(batch, out, secret, assignment, Around()))


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
