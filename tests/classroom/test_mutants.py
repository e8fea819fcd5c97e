"""An answer that was handed in becomes a mutant that an audit can read, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK

from detgrader.assignment import load_assignment
from detgrader.classroom.mutants import make_mutant
from detgrader.course import Course, CourseError
from detgrader.overlays import load_overlays

WRONG = 'def add(first, second):\n    """Add."""\n    return first * second\n'


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("mutants") / "course")


def made(course: Course, path: Path, *, task: str = "1.1", name: str = "multiplies") -> Path:
    words = (name, 'says """times"""', "Is that a \\ or\na plus?")
    return make_mutant(course, load_assignment(course, WEEK), task, path, *words)


def test_a_wrong_answer_becomes_a_mutant(course: Course, tmp_path: Path) -> None:
    helper = "OFFSET = 3"
    notebook = notebook_with(solved_notebook(course), {"task_1_1": WRONG}, helper)
    path = made(course, hand_in(notebook, tmp_path / "ada.ipynb"))
    overlays = load_overlays(course.mutants(WEEK), load_assignment(course, WEEK), with_hints=True)
    mutant = next(one for one in overlays if one.name == "multiplies")
    assert (mutant.task, mutant.does) == ("1.1", "says '''times'''")
    assert mutant.hint == "Is that a \\ or a plus?"
    assert mutant.code == f"{helper}\n\n\n{WRONG}".strip()
    with pytest.raises(CourseError, match="has a mutant multiplies already"):
        made(course, tmp_path / "ada.ipynb")
    path.unlink()


def test_what_is_no_mutant_leaves_nothing_behind(course: Course, tmp_path: Path) -> None:
    before = sorted(course.mutants(WEEK).iterdir())
    solved = solved_notebook(course)
    broken = hand_in(notebook_with(solved, {"task_1_1": "x = ("}), tmp_path / "broken.ipynb")
    right = hand_in(solved, tmp_path / "right.ipynb")
    for says, call in {
        "was never closed": lambda: made(course, broken),
        "has no task 1.9 with code; those are 1.1": lambda: made(course, right, task="1.9"),
        "does not exist": lambda: made(course, tmp_path / "none.ipynb"),
        "is no name for a mutant": lambda: made(course, right, name="../x"),
    }.items():
        with pytest.raises(CourseError, match=says):
            call()
    assert sorted(course.mutants(WEEK).iterdir()) == before
