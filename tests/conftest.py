"""Fixtures that more than one test file uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detgrader.course import Course, CourseError
from detlab.sets import voc

# A course of its own, whose hidden checks pytest would take for tests.
collect_ignore = ["second_course"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let lies (`attacks/test_fuzz.py`) and kills be as many as there is time for."""
    parser.addoption("--fuzz", type=int, help="tell each check so many lies, not a few to some")
    parser.addoption("--seed", type=int, default=0, help="of the lies and kills")
    parser.addoption("--kills", type=int, default=2, help="kill a grading so many times")


TOY_NOTEBOOK = '''\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # A toy week

# %% nbgrader={"grade_id": "setup"}
def check(label):
    """Stand in for the course's own check, so that any kernel can run this notebook."""
    if label == "1.1":
        assert add(2, 3) == 5
    else:
        assert area([0, 0, 2, 4]) == 8


# %% [markdown]
# ## Task 1.1 · Add two numbers (60 points)

# %% nbgrader={"grade_id": "task_1_1", "solution": true}
def add(first, second):
    """Return the sum."""
    ### BEGIN SOLUTION
    total = first + second
    return total
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_1", "points": 60}
check("1.1")

# %% [markdown]
# ## Task 1.2 · Say why (10 points)

# %% [markdown] nbgrader={"grade_id": "task_1_2", "solution": true, "manual": true, "points": 10}
# Addition commutes, so the order does not matter.

# %% [markdown]
# ## Task 1.3 · Area of a box (30 points)

# %%
box = [0, 0, 2, 4]

# %% nbgrader={"grade_id": "task_1_3_area", "solution": true}
def area(box_xyxy):
    """Return the area."""
    ### BEGIN SOLUTION
    width = box_xyxy[2] - box_xyxy[0]
    return width * (box_xyxy[3] - box_xyxy[1])
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_3", "points": 30}
check("1.3")
'''

TOY_CHECKS = {
    "test_add.py": '''\
import pytest

pytestmark = [pytest.mark.task("1.1", points=60)]


def test_sum(student):
    """The sum of two numbers."""
    assert student.add(first=2, second=3) == 5
''',
    "test_area.py": '''\
import pytest


@pytest.mark.task("1.3", points=30)
def test_area(student):
    """The area of a box."""
    assert student.area(box_xyxy=[0, 0, 2, 4]) == 8
''',
}


TOY_VISIBLE = '''\
from detlab.checking.student import Student
from detlab.checking.visible import visible


@visible("1.1")
def small_numbers(student: Student) -> None:
    """The sum of 2 and 3."""
    assert student.add(first=2, second=3) == 5


@visible("1.3")
def small_box(student: Student) -> None:
    """The area of a box of 2 by 4."""
    assert student.area(box_xyxy=[0, 0, 2, 4]) == 8
'''


TOY_WEEKS = "shared/toylab/weeks"  # the students' package, which a toy course has as well


@pytest.fixture
def toy_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course of one small week, `week1_toy`, complete and without a fault."""
    root = tmp_path / "course"
    files = {"course.toml": 'name = "A toy"\nweeks = "toylab.weeks"\n'}
    files |= {"solutions/week1_toy/notebook.py": TOY_NOTEBOOK}
    files |= {f"autograder/checks/week1/{name}": text for name, text in TOY_CHECKS.items()}
    files |= {"shared/toylab/__init__.py": "", f"{TOY_WEEKS}/week1/visible.py": TOY_VISIBLE}
    monkeypatch.syspath_prepend(str(root / "shared"))
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Course(root)


@pytest.fixture
def edit(toy_course: Course) -> Callable[[str, str, str], str]:
    """Replace a text that a file of the toy course holds once; return the file's new text."""

    def replace(file: str, old: str, new: str) -> str:
        path = toy_course.root / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
        text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        return text

    return replace


@pytest.fixture
def refusal(toy_course: Course) -> Callable[[], list[str]]:
    """Build the toy course's release, which must be refused; return the problems."""
    from detgrader.authoring import release  # slow to import, and most test files do without

    def build() -> list[str]:
        with pytest.raises(CourseError) as error:
            release.build(toy_course, "week1_toy")
        return str(error.value).splitlines()

    return build


@pytest.fixture
def bccd(tmp_path: Path) -> Path:
    try:
        return voc.locate("bccd", tmp_path)[0]
    except FileNotFoundError:
        pytest.skip("BCCD is not here: DETLAB_DATA does not name a folder that holds it")
