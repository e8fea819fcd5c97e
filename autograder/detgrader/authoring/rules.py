"""What a week's source must keep to before it may become a release.

Each rule returns its problems instead of raising: an author mends a whole file at once.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from detgrader.authoring import check_rules, names
from detgrader.authoring.check_rules import Checks
from detgrader.authoring.regions import marker_problems, outside_problems
from detgrader.authoring.source import ANSWERS, Problem, Source, SourceCell
from detgrader.course import Course
from detlab.checking.labels import answer_id, check_id, numbers_of, week_of


def problems(course: Course, source: Source) -> list[Problem]:
    """Return everything about a source that must be mended before it is released."""
    checks = Checks.read(course, source.week)
    asked = checks.asked()
    found = [*source.problems, *_headings(source), *_names(source), *_setup(course, source)]
    found += [
        *_tasks(source),
        *_points(course, source),
        *check_rules.problems(course, source, checks),
    ]
    for cell in source.cells:
        found += [*marker_problems(source, cell), *_syntax(source, cell)]
        found += outside_problems(source, cell, asked)
    return found


def _headings(source: Source) -> Iterator[Problem]:
    """Labels count 1.1, 1.2, … without gap, with the week's number in front."""
    due = 1
    for heading in source.headings:
        week, task = numbers_of(heading.label)
        wanted = f"{source.number}.{due}"
        if week != source.number:
            text = f"Task {heading.label} is a label of week {week}; write Task {wanted}"
            yield source.problem(heading.line, text)
        elif task != due:
            text = f"Task {heading.label} where Task {wanted} is due; number without gap or repeat"
            yield source.problem(heading.line, text)
        due = task + 1 if week == source.number else due + 1


def _names(source: Source) -> Iterator[Problem]:
    """No two cells share a grade_id, generated ones included."""
    first: dict[str, int] = {}
    for cell in source.cells:
        if cell.name in first:
            text = f"duplicate grade_id {cell.name}, first in line {first[cell.name]}; rename one"
            yield source.problem(cell.line, text)
        first.setdefault(cell.name, cell.line)


def _setup(course: Course, source: Source) -> Iterator[Problem]:
    """The setup cell is there, comes before the tasks, and brings `check`.

    It is the one given cell that graders run.
    """
    graded = [cell for cell in source.cells if cell.kind in ("answer", "check")]
    setup = next((cell for cell in source.cells if cell.name == "setup"), None)
    if setup is None or setup.node.cell_type != "code":
        text = "no setup cell; begin with a code cell of grade_id setup that imports `check`"
        yield source.problem(1, text)
        return
    if graded and graded[0].line < setup.line:
        text = f"the setup cell comes after {graded[0].name}; move it to the top"
        yield source.problem(setup.line, text)
    tree = setup.tree
    if tree is not None and "check" not in names.defined(tree):
        package = course.settings.weeks or "detlab.weeks"
        text = f"the setup cell lacks `check`; add `from {package} import check`"
        yield source.problem(setup.line, text)


def _tasks(source: Source) -> Iterator[Problem]:
    """Heading, answers and check of a task belong together."""
    headed = {heading.label for heading in source.headings}
    kinds = {(cell.label, cell.kind) for cell in source.cells}
    for heading in source.headings:
        if not any((heading.label, kind) in kinds for kind in ANSWERS):
            name = answer_id(heading.label)
            text = f"Task {heading.label} has no answer cell; add one with grade_id {name}"
            yield source.problem(heading.line, text)
    for cell in source.cells:
        if cell.label is None:
            continue
        if week_of(cell.label) != source.number:
            text = f"{cell.name} is a label of another week; this is week {source.number}"
            yield source.problem(cell.line, text)
        elif cell.label not in headed:
            text = f"{cell.name} has no heading; write `## Task {cell.label} · Title (… points)`"
            yield source.problem(cell.line, text)
        elif cell.label != cell.section:
            text = f"{cell.name} stands under Task {cell.section}; move it to its own heading"
            yield source.problem(cell.line, text)
        if cell.kind == "answer" and (cell.label, "check") not in kinds:
            name = check_id(cell.label)
            text = f"Task {cell.label} has no check cell; add {name} with its points"
            yield source.problem(cell.line, text)
        if cell.kind == "check":
            if (cell.label, "answer") not in kinds:
                text = f"{cell.name} has no answer cell to check; add {answer_id(cell.label)}"
                yield source.problem(cell.line, text)
            if not _only_calls_check(cell):
                text = f'{cell.name} must hold check("{cell.label}") and nothing else'
                yield source.problem(cell.line, text)


def _only_calls_check(cell: SourceCell) -> bool:
    try:
        return ast.dump(ast.parse(cell.node.source)) == ast.dump(
            ast.parse(f'check("{cell.label}")')
        )
    except SyntaxError:
        return False


def _points(course: Course, source: Source) -> Iterator[Problem]:
    """A heading promises what its cells are worth, and the course what a week is worth."""
    worth: dict[str | None, float] = {}
    for cell in source.cells:
        if cell.points is not None:
            worth[cell.label] = worth.get(cell.label, 0) + cell.points
    for heading in source.headings:
        cells = worth.get(heading.label, 0)
        if abs(cells - heading.points) > 1e-9:
            text = (
                f"the heading of Task {heading.label} says {heading.points:g} points and its "
                f"cells add up to {cells:g}; make them agree"
            )
            yield source.problem(heading.line, text)
    total = sum(worth.values())
    due = course.points(source.week)
    if abs(total - due) > 1e-9:
        yield source.problem(1, f"the points add up to {total:g}, not {due:g}; share them out anew")


def _syntax(source: Source, cell: SourceCell) -> Iterator[Problem]:
    """Code parses; an answer as plain Python, since it is graded outside a notebook."""
    if cell.node.cell_type == "code" and (fault := syntax_error(cell.code)):
        line = cell.body + (fault.lineno or 1) - 1
        yield source.problem(line, f"does not parse: {fault.msg}; mend the code")


def syntax_error(code: str) -> SyntaxError | None:
    """Return why Python cannot compile `code`, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in a string is a matter of style
        try:
            compile(code, "<cell>", "exec", dont_inherit=True)
        except SyntaxError as fault:
            return fault
        except ValueError as fault:  # Python before 3.12, about a null character
            return SyntaxError(str(fault))
    return None
