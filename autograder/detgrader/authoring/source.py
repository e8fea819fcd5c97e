"""Read `solutions/<week>/notebook.py`: what the author wrote, cell by cell, with line numbers.

A cell header carries only what an author decides. Here the rest of nbgrader's keys is filled in,
and every cell gets an id that stays the same when another cell is inserted elsewhere.
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from detgrader.authoring import headers
from detgrader.course import Course, CourseError
from detlab.checking.labels import id_part, is_meant_as_id, label_of_answer, label_of_check

# Cell kinds by (cell type, solution, manual, has points), the keys that an author may give.
KINDS = {
    ("code", True, False, False): "answer",
    ("code", False, False, True): "check",
    ("code", False, False, False): "read-only",
    ("markdown", False, False, False): "read-only",
    ("markdown", True, True, True): "hand-marked",
}
ANSWERS = ("answer", "hand-marked")  # the kinds whose text is a solution

_CELL_HEADER = re.compile(r"\s*#\s*%%+(\s|$)")
_LABEL_OF = {
    "answer": label_of_answer,
    "hand-marked": label_of_answer,
    "check": label_of_check,
}
_HEADING = re.compile(r"## Task (\d+\.\d+) · (.+) \((\d+(?:\.\d+)?) points?\)\s*")
_ALMOST_HEADING = re.compile(r"\s*#+\s*task\s*\d", re.IGNORECASE)


class Problem(NamedTuple):
    """One thing for the author to mend."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def refuse(problems: Iterable[Problem]) -> None:
    """Raise one CourseError that lists all problems in the order of the file; none, no error."""
    if lines := [str(problem) for problem in sorted(set(problems))]:
        raise CourseError("\n".join(lines))


@dataclass(frozen=True)
class Heading:
    """A task's heading, `## Task 1.5 · Title (15 points)`."""

    label: str
    title: str
    points: float
    line: int


@dataclass(frozen=True)
class SourceCell:
    """One cell: `node` is complete for nbgrader, the rest says where it comes from."""

    kind: str  # a value of KINDS, or "story"
    label: str | None  # the task that its grade_id names
    section: str | None  # the task whose heading stands above it
    line: int  # of its `# %%` header
    body: int  # line of node.source's first line
    node: NotebookNode

    @property
    def name(self) -> str:
        """The grade_id, or the cell id of a story."""
        return self.node.id

    @property
    def points(self) -> float | None:
        """What the cell is worth; None when it is not graded."""
        return self.node.metadata.get("nbgrader", {}).get("points")

    @cached_property
    def code(self) -> str:
        """A code cell's Python. IPython's magics are allowed but in answers: they become calls."""
        if self.kind == "answer":
            return self.node.source
        from IPython.core.inputtransformer2 import TransformerManager  # takes half a second

        try:
            return TransformerManager().transform_cell(self.node.source)
        except SyntaxError:
            return self.node.source

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax of a code cell; None for prose, and for what does not parse."""
        if self.node.cell_type != "code":
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is a matter of style
            try:
                return ast.parse(self.code)
            except (SyntaxError, ValueError):
                return None

    def lines(self) -> list[tuple[int, str]]:
        """Return (line number in the source file, text) of each line."""
        return list(enumerate(self.node.source.split("\n"), start=self.body))


@dataclass
class Source:
    """A week as its author wrote it; `problems` is what could not be read as meant."""

    week: str
    number: int
    file: str
    package: str = ""  # of the course's weeks, see `Settings.weeks`
    cells: list[SourceCell] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def notebook(self) -> NotebookNode:
        """Return the solved notebook, markers included: what nbgrader calls the source version."""
        return new_notebook(
            cells=[copy.deepcopy(cell.node) for cell in self.cells],
            metadata={
                "kernelspec": {
                    "display_name": "Python 3",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": {"name": "python"},
                "detlab": {"assignment": self.week, "weeks": self.package},
            },
        )

    def problem(self, line: int, text: str) -> Problem:
        """Return a problem at a line of this file."""
        return Problem(self.file, line, text)


def read(course: Course, week: str) -> Source:
    """Read a week's source.

    Raises:
        CourseError: no such week, or the file is not a percent notebook at all. Faults within
            cells are left in `problems`, so that the author sees them all at once.
    """
    path = course.source(week)
    source = Source(week, course.number(week), course.display(path), course.settings.weeks)
    text = _text(source, path)
    nodes = _jupytext_cells(source.file, text)
    starts = [n for n, line in enumerate(text.splitlines(), 1) if _CELL_HEADER.match(line)]
    if len(nodes) != len(starts):
        # Line numbers rest on this, and a header inside a string would shift every one of them.
        raise CourseError(
            f"{source.file}:1: {len(starts)} lines look like `# %%` headers but jupytext finds "
            f"{len(nodes)} cells; begin every cell with a header, put none inside a string"
        )
    section: str | None = None
    counters: Counter[str] = Counter()
    lines = text.split("\n")
    for line, node in zip(starts, nodes, strict=True):
        body = line + 1 + ("cell_marker" in node.metadata)  # the marker is an opening """
        keys = _author_keys(source, line, lines[line - 1], node)
        kind = _kind(source, line, node.cell_type, keys)
        if node.cell_type == "markdown":
            section = _read_headings(source, kind, body, node) or section
        label = _label(source, line, kind, keys.get("grade_id"))
        _complete(node, kind, keys, section, counters)
        source.cells.append(SourceCell(kind, label, section, line, body, node))
    return source


def _text(source: Source, path: Path) -> str:
    """Return a source's text, with line ends as Python reads them.

    Raises:
        CourseError: the file is no plain UTF-8, or its lines are not those that an editor shows.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        words = f"byte {fault.object[fault.start]:#x} is no UTF-8; save the file in that encoding"
        refuse([source.problem(line, words)])
    if text.startswith("\ufeff"):
        refuse([source.problem(1, "the file begins with a BOM; save it as UTF-8 without one")])
    for number, one in enumerate(text.split("\n"), 1):
        if len(one.splitlines()) > 1:
            odd = next(c for c in one if len(f"a{c}a".splitlines()) > 1)
            words = f"U+{ord(odd):04X} ends a line to some programs and not to others; remove it"
            refuse([source.problem(number, words)])
    return text


def _jupytext_cells(file: str, text: str) -> list[NotebookNode]:
    try:
        return jupytext.reads(text, fmt="py:percent").cells
    except Exception as fault:  # jupytext passes on whatever its YAML and JSON readers raise
        first = str(fault).strip().split("\n")[0]
        raise CourseError(
            f"{file}:1: jupytext cannot read it ({first}); mend the header"
        ) from fault


def _author_keys(source: Source, line: int, header: str, node: NotebookNode) -> dict[str, Any]:
    """Return the cell's nbgrader keys that are well formed; report the others."""
    for text in headers.faults(header, node.metadata):
        source.problems.append(source.problem(line, text))
    keys = node.metadata.get("nbgrader", {})
    return headers.sound(keys) if isinstance(keys, dict) else {}


def _kind(source: Source, line: int, cell_type: str, keys: dict[str, Any]) -> str:
    """Return what the cell is for; keys that do not go together are reported."""
    if cell_type != "code" and not keys:
        return "story"
    flags = keys.get("solution", False), keys.get("manual", False), "points" in keys
    kind = KINDS.get((cell_type, *flags))
    if kind is None:
        text = (
            f"these keys do not go together in a {cell_type} cell: an answer is code with "
            "solution, a check is code with points, a hand-marked answer is markdown with "
            "solution, manual and points"
        )
        source.problems.append(source.problem(line, text))
    return kind or "story"


def _read_headings(source: Source, kind: str, body: int, node: NotebookNode) -> str | None:
    """Note the task headings of a markdown cell; return the last one's label."""
    label = None
    for line, text in enumerate(node.source.split("\n"), start=body):
        match = _HEADING.fullmatch(text)
        if match and kind not in ANSWERS:
            label = match[1]
            source.headings.append(Heading(label, match[2], float(match[3]), line))
        elif match:
            text = "a task heading in an answer, which is cleared; give it a cell of its own"
            source.problems.append(source.problem(line, text))
        elif _ALMOST_HEADING.match(text):
            text = f"{text.strip()!r}: write a task heading as `## Task 1.5 · Title (15 points)`"
            source.problems.append(source.problem(line, text))
    return label


def _label(source: Source, line: int, kind: str, grade_id: str | None) -> str | None:
    """Return the task that a grade_id names, `task_1_5_area` -> `1.5`."""
    if grade_id is None:
        return None
    if kind in _LABEL_OF:
        if label := _LABEL_OF[kind](grade_id):
            return label
        form = "check_1_5" if kind == "check" else "task_1_5 or task_1_5_name"
        text = f"grade_id {grade_id!r} carries no task label: write {form}"
        source.problems.append(source.problem(line, text))
    elif is_meant_as_id(grade_id):
        # Most likely a forgotten key, and a forgotten `solution` would hand out the answer.
        text = (
            f"{grade_id} is named as an answer or a check but the header does not make it one: "
            'add "solution": true or "points", or choose another grade_id'
        )
        source.problems.append(source.problem(line, text))
    return None


def _complete(
    node: NotebookNode, kind: str, keys: dict[str, Any], section: str | None, counters: Counter[str]
) -> None:
    """Replace the author's keys by nbgrader's full set, and the random cell id by a stable one.

    A cell without grade_id is named after its task and counted there, code apart from text:
    inserting a cell renames at most the later ones of that kind in the same task.
    """
    name = keys.get("grade_id")
    if name is None:
        prefix = "cell" if node.cell_type == "code" else "text"
        stem = f"{prefix}_{id_part(section or 'intro')}"
        counters[stem] += 1
        name = f"{stem}_{counters[stem]}"
    node.id = name
    node.metadata = NotebookNode()
    if kind == "story":
        return
    node.metadata.nbgrader = NotebookNode(
        grade=kind in ("check", "hand-marked"),
        grade_id=name,
        locked=kind in ("check", "read-only"),
        schema_version=3,
        solution=kind in ANSWERS,
        task=False,
    )
    if "points" in keys:
        node.metadata.nbgrader.points = keys["points"]
