"""Run a notebook's visible checks without opening it, as a grader takes the notebook.

The released setup cell runs, not the student's; then, for each task in a namespace of its own, the
answers up to it, and the definitions in cells that were added.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from detlab.checking.cells import UNDEFINED, with_left_out
from detlab.checking.labels import label_of_answer, week_of
from detlab.checking.moment import misspelt
from detlab.checking.notebook import (
    MAX_BYTES,
    CodeCell,
    Refused,
    ReleasedCell,
    Taken,
    defined_by,
    grade_id_of,
    read_notebook,
    source_of,
    take_cells,
)
from detlab.checking.outline import read_outline
from detlab.checking.report import Finding, Report
from detlab.checking.running import interrupted_after, left_out_of, run_cell, told
from detlab.checking.visible import VisibleChecks

IMPORT = re.compile(r"^from\s+([\w.]+)\s+import\s[^#\n]*\bcheck\b", re.MULTILINE)
Say = Callable[[str], None]
# A task's cells and checks, before they are interrupted: most need less than a second.
LIMIT_S = 120
TOO_LONG = (
    f"It was ended, since the task took longer than {LIMIT_S} seconds: does a loop never end?"
)


class Practice:
    """The tasks of one notebook, and what is taken of their answers.

    Args:
        path: of the notebook.

    Attributes:
        data: its bytes.
        setup: the released setup cell.

    Raises:
        Refused: a grader would refuse it, or it is no notebook of an installed course.
    """

    def __init__(self, path: Path):
        self.path = path
        self.data = read_file(path)
        notebook = read_notebook(self.data)
        self.cells = notebook["cells"]
        released, week = find_release(notebook)
        self.released, self.week = released, week
        self.setup = released["setup"].source
        self.taken = Taken()
        take_cells(self.taken, self.cells, released, f"week {week}")
        self.checks = checks_of(self.setup)
        checked = self.checks.tasks_of_week(week)
        tasks = dict.fromkeys(cell.task for cell in released.values())
        self.tasks = [task for task in tasks if task in checked]
        self.told: set[str] = set()
        self.ended: set[str] = set()
        self.owners = {
            name: cell.task
            for cell in released.values()
            if cell.task and cell.cell_type == "code"
            for name in defined_by(cell.source)
        }
        added = [cell for cell in self.taken.cells if cell.definitions_only]
        self.left_out = {cell.name: names for cell in added if (names := left_out_of(cell))}

    def warnings(self) -> Iterator[str]:
        """Yield what a grader would leave aside, though it looks as if it counted."""
        own = next((cell for cell in self.cells if grade_id_of(cell) == "setup"), None)
        released = {line.strip() for line in self.setup.splitlines()}
        for number, line in enumerate(source_of(own).splitlines() if own else [], 1):
            if line.strip() and not line.strip().startswith("#") and line.strip() not in released:
                yield (
                    f"setup, line {number}: `{line.strip()}` does not count: graders run the setup "
                    "cell as it was handed out. Write it into an answer, or into a cell of your "
                    "own."
                )

    def reports(self, say: Say) -> Iterator[Report]:
        """Yield what the visible checks of each task find.

        Args:
            say: is told each error of a cell, once.
        """
        untouched = set(self.untouched())
        for task in self.tasks:
            if problem := self.problem_of(task):
                yield Report(task, [Finding(problem, "")])
            elif set(self.code_cells(task)) <= untouched:
                yield Report(task)
            else:
                overdue = threading.Event()
                try:
                    with interrupted_after(LIMIT_S, overdue):
                        namespace = self.namespace_for(task, say, overdue)
                        report = self.checks.report(task, namespace)
                except KeyboardInterrupt:
                    if not overdue.is_set():
                        raise
                    report = Report(task, [Finding(TOO_LONG, "")])
                explain = functools.partial(self.explained, task, overdue)
                report.findings = [*map(explain, report.findings)]
                if overdue.is_set() and report.passed:
                    report.findings.append(Finding("The time that its cells take", TOO_LONG))
                report.wait_for_others()
                yield report

    def explained(self, task: str, overdue: threading.Event, finding: Finding) -> Finding:
        """Say where a name that is not defined was set in vain, and why something was ended."""
        if finding.problem is None or finding.needs:
            return finding
        problem = with_left_out(finding.problem, self.left_out)
        for name in dict.fromkeys(UNDEFINED.findall(problem)):
            owner = self.owners.get(name, task)
            if owner != task:
                needs = f"it needs `{name}` of task {owner}, which is not there: see that task."
                return Finding(finding.title, f"This cannot be checked yet: {needs}", needs=needs)
            if name in self.owners:
                sources = [cell.source for cell in self.taken.cells]
                problem += misspelt(name, self.released.values(), sources)
        if overdue.is_set() and problem.startswith("KeyboardInterrupt"):
            problem = TOO_LONG + problem.removeprefix("KeyboardInterrupt")
        return replace(finding, problem=problem)

    def problems(self) -> list[str]:
        """Say which answer cells cannot be used, and why."""
        found = dict.fromkeys(self.taken.problems.values())
        for cell in self.taken.cells:
            if not cell.definitions_only:
                try:
                    ast.parse(cell.source, cell.name)
                except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                    found[told(error, cell.name, cell.source)] = None
        return list(found)

    def untouched(self) -> list[str]:
        """Return the ids of answer cells that are empty, or as they were handed out."""
        found = {cell.name: cell.source for cell in self.taken.cells} | self.taken.texts
        return [
            cell.grade_id
            for cell in self.released.values()
            if cell.task and cell.grade_id not in self.taken.problems
            if found.get(cell.grade_id, "").strip() in ("", cell.source.strip())
        ]

    def code_cells(self, task: str) -> list[str]:
        """Return the ids of a task's code cells."""
        answers = self.released.values()
        return [c.grade_id for c in answers if c.task == task and c.cell_type == "code"]

    def problem_of(self, task: str) -> str:
        """Say why a task's cells cannot be used, or the empty string."""
        problems = [self.taken.problems.get(cell, "") for cell in self.code_cells(task)]
        return next(filter(None, problems), "")

    def namespace_for(self, task: str, say: Say, overdue: threading.Event) -> dict[str, Any]:
        """Run what a grader runs for a task: the setup, what stands before, then its own cells.

        Args:
            overdue: is set where a cell was interrupted for taking too long.
        """
        cells, own = self.taken.cells, self.code_cells(task)
        last = max(place for place, cell in enumerate(cells) if cell.name in own)
        later = [cell for cell in cells[last + 1 :] if cell.definitions_only]
        namespace: dict[str, Any] = {"__name__": "__main__"}
        for cell in [CodeCell("setup", self.setup), *cells[: last + 1], *later]:
            if cell.name in self.ended:
                continue
            try:
                error = run_cell(cell, namespace)
            except KeyboardInterrupt:
                if not overdue.is_set():
                    raise
                error = f"{cell.name}: {TOO_LONG}"
                self.ended.add(cell.name)  # once is enough
            if error and cell.name not in self.told:
                self.told.add(cell.name)
                say(error)
        return namespace


def read_file(path: Path) -> bytes:
    """Read a notebook's file.

    Raises:
        Refused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(f"It cannot be read: {error.strerror}.") from None


def find_release(notebook: dict[str, Any]) -> tuple[dict[str, ReleasedCell], int]:
    """Find what was released of a notebook, and its week's number.

    Raises:
        Refused: no answer cell of a course is there, or the course is not installed.
    """
    cells = notebook["cells"]
    labels = [label for cell in cells if (label := label_of_answer(grade_id_of(cell)))]
    if not labels:
        raise Refused("It has no answer cells of the course.")
    week = week_of(labels[0])
    packages = list(packages_of(notebook))
    for package in packages:
        with contextlib.suppress(LookupError):
            return read_outline(package, week), week
    if packages:
        raise Refused(f"There are no checks for week {week}: is {packages[0]} older than this?")
    raise Refused(
        "The setup cell does not import the course's `check`: copy the cell from a fresh notebook, "
        "and see that what it imports is installed."
    )


def packages_of(notebook: dict[str, Any]) -> Iterator[str]:
    """Yield the course's package of weeks, as the notebook's metadata or its imports name it."""
    metadata = notebook.get("metadata")
    about = metadata.get("detlab") if isinstance(metadata, dict) else None
    package = about.get("weeks") if isinstance(about, dict) else None
    if isinstance(package, str) and re.fullmatch(r"\w+(\.\w+)*", package):
        yield package
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            yield from (found[1] for found in IMPORT.finditer(source_of(cell)))


def checks_of(setup: str) -> VisibleChecks:
    """Return the checks that a released setup cell imports.

    Raises:
        Refused: it cannot run here.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    error = run_cell(CodeCell("setup", setup), namespace)
    checks = namespace.get("check")
    if not isinstance(checks, VisibleChecks):
        raise Refused(f"The setup cell does not run here: {error}.")
    return checks
