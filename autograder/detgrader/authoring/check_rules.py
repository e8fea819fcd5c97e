"""What hidden and visible checks must keep to, and whether they fit the notebook."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from detgrader.authoring import check_files, names
from detgrader.authoring.check_files import Check, CheckFile
from detgrader.authoring.source import Problem, Source, SourceCell
from detgrader.course import Course, package_folder
from detgrader.grading import marks
from detlab.checking.labels import check_id


@dataclass(frozen=True)
class Checks:
    """A week's checks as they are written.

    Attributes:
        hidden: files of hidden checks.
        helpers: modules beside them, and those of the staff's packages that they import.
        visible: files of visible checks, `visible.py` and `visible_….py`, from which it imports;
            none where the week has none.
    """

    hidden: list[CheckFile]
    helpers: list[CheckFile]
    visible: list[CheckFile]

    @classmethod
    def read(cls, course: Course, week: str) -> Checks:
        """Read the files of a week's checks; none is imported."""
        paths = sorted(course.checks(week).glob("*.py"))
        tests = [path for path in paths if path.name.startswith("test_")]
        hidden = [check_files.read_hidden(course, path) for path in tests]
        beside = [check_files.read_helper(course, path) for path in paths if path not in tests]
        visible = course.module_of_week(week, "visible")
        return cls(
            hidden,
            [*beside, *imported_helpers(course, [*hidden, *beside])],
            [check_files.read_visible(course, path) for path in files_of_visible(visible)],
        )

    @property
    def files(self) -> list[CheckFile]:
        """All of them."""
        return [*self.hidden, *self.helpers, *self.visible]

    def asked(self) -> set[str]:
        """Return the names that checks ask a student for."""
        found = {name for file in self.files for name, _ in check_files.asked(file.tree)}
        return found - names.of_student()


def files_of_visible(module: Path | None) -> list[Path]:
    """Return the files of a week's visible checks, of which this is the first, if there is one."""
    return [module, *sorted(module.parent.glob("visible_*.py"))] if module else []


def imported_helpers(course: Course, files: list[CheckFile]) -> list[CheckFile]:
    """Read the modules of the staff's packages that files import, and what these import."""
    # Whole packages that stay hidden are the staff's; hidden parts of others are not asked for.
    staffs = {name for name in course.settings.sandbox.hidden_packages if "." not in name}
    found: dict[Path, CheckFile] = {}
    waiting = list(files)
    while waiting:
        for module in names.imported(waiting.pop().tree):
            package, _, name = module.rpartition(".")
            folder = package_folder(package) if package and module.split(".")[0] in staffs else None
            path = folder / f"{name}.py" if folder else None
            if path and path.is_file() and path not in found:
                found[path] = check_files.read_helper(course, path)
                waiting.append(found[path])
    return list(found.values())


def problems(course: Course, source: Source, checks: Checks) -> Iterator[Problem]:
    """Yield what is wrong with checks by themselves, and beside the notebook."""
    for file in checks.files:
        yield from file.problems
    cells = {cell.label: cell for cell in source.cells if cell.kind == "check" and cell.label}
    yield from _hidden(course, source, checks, cells)
    yield from _visible(course, source, checks, cells)
    yield from _unknown_names(course, source, checks)


def _hidden(
    course: Course, source: Source, checks: Checks, cells: dict[str, SourceCell]
) -> Iterator[Problem]:
    """Each check cell has hidden checks of the same points, and no hidden check is an orphan."""
    seen = set()
    for file in checks.hidden:
        for check in file.checks:
            for mark in check_files.task_marks(check):
                label, points = mark.arguments[0], mark.options["points"]
                seen.add(label)
                if label not in cells:
                    name = check_id(label)
                    text = f"hidden check for {label}, which has no check cell {name}"
                    yield Problem(
                        file.file, mark.line, f"{text}; add the cell or correct the label"
                    )
                elif points != cells[label].points:
                    where = f"{cells[label].points:g} in {source.file}:{cells[label].line}"
                    text = f"{points:g} points for {label}, {where}; make them agree"
                    yield Problem(file.file, mark.line, text)
            yield from _needs(file, check, list(cells))
    for label, cell in cells.items():
        if label not in seen:
            text = f'{label} has no hidden check: add pytest.mark.task("{label}", '
            where = course.display(course.checks(source.week))
            yield source.problem(cell.line, f"{text}points={cell.points:g}) to {where}/test_*.py")


def _needs(file: CheckFile, check: Check, known: list[str]) -> Iterator[Problem]:
    """A task rests on earlier ones only."""
    for own in check_files.task_marks(check):
        for mark in check.marks_named("needs"):
            if mark.plain and not mark.fault:
                for needed in mark.arguments:
                    if text := marks.fault_of_need(own.arguments[0], needed, known):
                        yield Problem(file.file, mark.line, text)


def _visible(
    course: Course, source: Source, checks: Checks, cells: dict[str, SourceCell]
) -> Iterator[Problem]:
    """Each check cell has something to show, and no visible check is an orphan."""
    seen = set()
    for file, mark in (
        (one.file, m) for one in checks.visible for check in one.checks for m in check.marks
    ):
        seen.add(mark.arguments[0])
        if mark.arguments[0] not in cells:
            text = f"visible check for {mark.arguments[0]}, which has no check cell"
            yield Problem(file, mark.line, f"{text}; add the cell or correct the label")
    if not course.settings.weeks:
        return  # a course without visible checks
    where = f"{course.settings.weeks}.week{source.number}.visible"
    for label, cell in cells.items():
        if label not in seen:
            text = f'{label} has no visible check: add a function marked @visible("{label}") to'
            yield source.problem(cell.line, f"{text} {where}")


def _unknown_names(course: Course, source: Source, checks: Checks) -> Iterator[Problem]:
    """Checks ask for what the setup cell and the answers define: no more runs in the grader."""
    trees = {cell.name: tree for cell in source.cells if (tree := cell.tree)}
    graded = [cell for cell in source.cells if cell.kind == "answer" or cell.name == "setup"]
    if not all(cell.name in trees for cell in graded):
        return  # told by another rule; until then any name may be missing
    known = {name for cell in graded for name in names.defined(trees[cell.name])}
    elsewhere = {
        name: cell.line
        for cell in source.cells
        if cell.name in trees
        for name in names.defined(trees[cell.name])
    }
    own, tools = names.of_student(), names.of_tools(course.module_of_week(source.week, "tools"))
    week = f"week{source.number}"
    for file in checks.files:
        if file in checks.helpers and week not in Path(file.file).parts:
            continue  # it helps several weeks, each of which defines other names
        for name, line in check_files.asked(file.tree):
            if name not in known | own:
                if name in elsewhere:
                    text = (
                        f"student.{name} is defined in the given cell of {source.file}:"
                        f"{elsewhere[name]}, which the grader does not run; move it to an answer "
                        "or the setup cell"
                    )
                else:
                    text = f"no answer defines student.{name}; {_advice(name, known)}"
                yield Problem(file.file, line, text)
        for name, line in check_files.asked_tools(file.tree):
            if name not in tools:
                text = f'there is no tool student.tool("{name}"); {_advice(name, tools)}'
                yield Problem(file.file, line, text)


def _advice(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "correct the name"
