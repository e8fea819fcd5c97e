"""What a released assignment asks for: the staff's own list of tasks and answer cells.

It is read from `assignments/`, never from a submission.
"""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detgrader.course import Course, CourseError
from detlab.checking.labels import check_id
from detlab.checking.notebook import ReleasedCell, source_of

HEADING = re.compile(r"^#+ Task (?P<label>\d+\.\d+) · (?P<title>.+?)(?: \([^()]*\))?\s*$", re.M)
# What is added to the name of a second download or copy: " (1)", "-Copy1", "-2", "_v2".
COPY = re.compile(r"(?:\s*\(\d+\)|[-_ ]+(?:copy|v)?[-_ ]?\d+|[-_ ]+copy)+$", re.IGNORECASE)


@dataclass(frozen=True)
class Task:
    """A task and its points.

    Attributes:
        label: for example "1.5".
        title: its heading's words.
        points: given by checks.
        manual_points: given by a person.
        code_cells: grade ids of its code answers.
        text_cells: grade ids of its written answers.
    """

    label: str
    title: str
    points: float
    manual_points: float
    code_cells: tuple[str, ...]
    text_cells: tuple[str, ...]

    @property
    def max_score(self) -> float:
        """All points of the task."""
        return self.points + self.manual_points


@dataclass(frozen=True)
class Assignment:
    """A released assignment: its name, cells by grade id, and tasks in order."""

    name: str
    cells: dict[str, ReleasedCell]
    tasks: tuple[Task, ...]

    @property
    def setup(self) -> str:
        """Source of the setup cell, which every worker runs first."""
        return self.cells["setup"].source

    def before(self, label: str) -> list[Task]:
        """Return the tasks with code that stand before a task."""
        labels = [task.label for task in self.tasks]
        return [task for task in self.tasks[: labels.index(label)] if task.code_cells]

    @property
    def modules(self) -> list[str]:
        """The modules that the setup cell imports."""
        statements = ast.parse(self.setup).body
        plain = [alias.name for s in statements if isinstance(s, ast.Import) for alias in s.names]
        return plain + [s.module for s in statements if isinstance(s, ast.ImportFrom) and s.module]


def load_assignment(course: Course, week: str) -> Assignment:
    """Read a week's release.

    Raises:
        CourseError: the week is unknown, or its release is missing or damaged.
    """
    path = course.release(week)
    try:
        notebook = json.loads(path.read_text("utf-8"))
        return read_assignment(week, notebook["cells"])
    except FileNotFoundError:
        problem = "is missing"
    except (ValueError, KeyError, TypeError) as error:
        problem = f"is damaged ({error})"
    raise CourseError(f"{course.display(path)} {problem}: run `detgrader release {week}`")


def read_assignment(name: str, cells: list[dict[str, Any]]) -> Assignment:
    """Build the list of tasks from a release's cells."""
    known: dict[str, ReleasedCell] = {}
    titles: dict[str, str] = {}
    for cell in cells:
        source = source_of(cell)
        if cell["cell_type"] == "markdown":
            titles |= {found["label"]: found["title"] for found in HEADING.finditer(source)}
        settings = cell["metadata"].get("nbgrader")
        if settings is not None:
            grade_id = settings["grade_id"]
            known[grade_id] = ReleasedCell(grade_id, cell["cell_type"], source, settings)
    labels = dict.fromkeys(cell.task for cell in known.values() if cell.task)
    tasks = tuple(build_task(label, titles.get(label, ""), known) for label in labels)
    return Assignment(name, known, tasks)


def build_task(label: str, title: str, cells: dict[str, ReleasedCell]) -> Task:
    """Gather one task's cells and points."""
    answers = [cell for cell in cells.values() if cell.task == label]
    check = cells.get(check_id(label))
    return Task(
        label=label,
        title=title,
        points=float(check.settings["points"]) if check else 0.0,
        manual_points=float(sum(c.settings["points"] for c in answers if c.settings["grade"])),
        code_cells=tuple(c.grade_id for c in answers if c.cell_type == "code"),
        text_cells=tuple(c.grade_id for c in answers if c.cell_type == "markdown"),
    )


def find_student(path: Path, assignment: str) -> str:
    """Name the student of a notebook by where it lies.

    `ada.ipynb` and `ada/WEEK.ipynb` are ada's, and so are nbgrader's `ada/WEEK/WEEK.ipynb` and
    what a browser or Jupyter made of a name: `ada/WEEK (1).ipynb`, `ada/WEEK-Copy1.ipynb`.
    """
    path = path.absolute()
    names = [path.stem, path.parent.name, path.parent.parent.name]
    return next((name for name in names if name and not names_week(name, assignment)), assignment)


def names_week(name: str, week: str) -> bool:
    """Say whether a file or folder is called as a week is, maybe with the mark of a copy."""
    return plain(week) in (plain(name), plain(COPY.sub("", name)))


def plain(name: str) -> str:
    """Return a name without capitals and without what stands between its words."""
    return re.sub(r"[\W_]+", "", name).casefold()
