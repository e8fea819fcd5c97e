"""What a week's source must keep to before it may become a release.

Each rule returns its problems instead of raising: an author mends a whole file at once.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

from detgrader.authoring.source import ANSWERS, Problem, Source, SourceCell
from detgrader.course import Course
from detlab.checking.labels import answer_id, check_id, numbers_of, week_of

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

# nbgrader cuts only between the literal words, and says nothing about a line that nearly has
# them: all of these would hand out the answer. The last two are nbgrader's own, for other uses.
_ALMOST_MARKER = re.compile(
    r"""\b(BEGIN|END)(_|\W)*(\w+(_|\W)+){0,3}?(SOLUTION|ANSWER)
    | ^\W*(?i:begin|start|end|stop)(_|\W)*(\w+(_|\W)+){0,2}?(?i:solution|answer)s?\W*$
    | ^\W*(?i:solution|answer)s?(_|\W)+(?i:begin|start|end|stop)s?\W*$
    | ^\s*\#{3,}\s*(?i:begin|end)\s+\w+\W*$
    | ^\s*\#+\s*(BEGIN|END)\b
    | \b(BEGIN|END)\ (HIDDEN\ TESTS|MARK\ SCHEME)""",
    re.VERBOSE,
)


class Mark(NamedTuple):
    """A task mark in a file of hidden checks."""

    label: str
    points: float
    line: int


def problems(course: Course, source: Source) -> list[Problem]:
    """Return everything about a source that must be mended before it is released."""
    found = [*source.problems, *_headings(source), *_names(source), *_tasks(source)]
    found += [*_points(course, source), *_hidden_checks(course, source)]
    for cell in source.cells:
        found += [*_markers(source, cell), *_syntax(source, cell)]
    return found


def marker(text: str) -> str | None:
    """Return BEGIN or END when a line is that marker; prose may hide it in an HTML comment."""
    words = text.strip().removeprefix("<!-- ").removesuffix(" -->")
    return words if words in (BEGIN, END) else None


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
            text = (
                f"Task {cell.label} has no check cell; add {check_id(cell.label)} with its points"
            )
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
    """A heading promises what its cells are worth, and all weeks are worth the same."""
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
    due = course.settings.points
    if abs(total - due) > 1e-9:
        yield source.problem(1, f"the points add up to {total:g}, not {due:g}; share them out anew")


def _markers(source: Source, cell: SourceCell) -> Iterator[Problem]:
    """Solution regions open and close, in answers only, with nbgrader's exact words."""
    opened = None
    regions = 0
    for line, text in cell.lines():
        found = marker(text)
        if found is None:
            if _ALMOST_MARKER.search(text):
                yield source.problem(
                    line,
                    f"{text.strip()!r} looks like a marker, but nbgrader would not cut there as "
                    f"meant; write exactly `{BEGIN}` or `{END}`, or reword it",
                )
        elif cell.kind not in ANSWERS:
            yield source.problem(
                line, f'`{found}` outside an answer cell; move it, or add "solution": true'
            )
        elif found == BEGIN:
            if opened is not None:
                yield source.problem(line, f"`{BEGIN}` inside the region of line {opened}; end it")
            opened, regions = line, regions + 1
        elif opened is None:
            yield source.problem(line, f"`{END}` without a `{BEGIN}` before it; add that")
        else:
            opened = None
    if opened is not None:
        yield source.problem(opened, f"`{BEGIN}` without an `{END}` in its cell; add that")
    if cell.kind == "answer" and not regions:
        text = f"{cell.name} has no solution region; put `{BEGIN}` and `{END}` around the answer"
        yield source.problem(cell.line, text)


def _syntax(source: Source, cell: SourceCell) -> Iterator[Problem]:
    """Code parses; an answer as plain Python, since it is graded outside a notebook."""
    if cell.node.cell_type == "code":
        code = cell.node.source
        if fault := syntax_error(code if cell.kind == "answer" else _without_magics(code)):
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


def _without_magics(code: str) -> str:
    """Return given code as IPython runs it: `%pip install …` becomes a call, line for line."""
    try:
        return TransformerManager().transform_cell(code)
    except SyntaxError:
        return code


def _hidden_checks(course: Course, source: Source) -> Iterator[Problem]:
    """Each check cell has hidden checks of the same points, and no hidden check is an orphan."""
    folder = course.checks(source.week)
    checks = {cell.label: cell for cell in source.cells if cell.kind == "check"}
    seen = set()
    for path in sorted(folder.glob("test_*.py")):
        file = course.display(path)
        marks, faults = hidden_marks(path, file)
        yield from faults
        for mark in marks:
            seen.add(mark.label)
            if mark.label not in checks:
                name = check_id(mark.label)
                text = f"hidden check for {mark.label}, which has no check cell {name}"
                yield Problem(file, mark.line, f"{text}; add the cell or correct the label")
            elif mark.points != checks[mark.label].points:
                cell = checks[mark.label]
                text = f"{mark.points:g} points for {mark.label}, {cell.points:g} in {source.file}"
                yield Problem(file, mark.line, f"{text}:{cell.line}; make them agree")
    for label, cell in checks.items():
        if label not in seen:
            text = f'{label} has no hidden check: add pytest.mark.task("{label}", '
            where = course.display(folder)
            yield source.problem(cell.line, f"{text}points={cell.points:g}) to {where}/test_*.py")


def hidden_marks(path: Path, file: str) -> tuple[list[Mark], list[Problem]]:
    """Return the `pytest.mark.task("1.5", points=15)` in a file of hidden checks, and its faults.

    A mark may stand in `pytestmark`, alone or in a list, or decorate a test; each names all the
    points of its task. The file is read and never imported: a release runs no checks.
    """
    marks, faults = [], []
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as fault:
        return [], [Problem(file, fault.lineno or 1, f"does not parse: {fault.msg}; mend it")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.task":
            match node:
                case ast.Call(
                    args=[ast.Constant(value=str(label))],
                    keywords=[
                        ast.keyword(
                            arg="points", value=ast.Constant(value=int() | float() as points)
                        )
                    ],
                ):
                    marks.append(Mark(label, points, node.lineno))
                case _:
                    text = 'write the mark with plain values: pytest.mark.task("1.5", points=15)'
                    faults.append(Problem(file, node.lineno, text))
    if not marks and not faults:
        text = 'no task mark; add pytestmark = pytest.mark.task("1.5", points=15)'
        faults.append(Problem(file, 1, text))
    return marks, faults
