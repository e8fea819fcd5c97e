"""Changes: these lines of the reference become those.

The lines must stand in the reference, and once only. So a change that outlives the text which it
was written for is an error that names both places, and never tests old code in silence.
"""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from detgrader.course import CourseError
from detgrader.reference import read_answers
from detlab.checking.notebook import CodeCell

HEADER = re.compile(r"^[ \t]*\[\[[ \t]*change[ \t]*\]\]", re.M)
TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)$")


@dataclass(frozen=True)
class Change:
    """Some whole lines, and those that take their place.

    Attributes:
        where: its file, line and number, for errors.
        before: consecutive lines of the reference, less the indentation that all of them share.
        after: lines for their place, less the same indentation; none to delete.
    """

    where: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of a TOML file, and where it stands.

    Attributes:
        path: of the file.
        text: the whole file.
        values: what the table holds.
        start: offset of its header, 0 where that is not known.
        name: what errors call it; empty for the file itself.
    """

    path: Path
    text: str
    values: dict[str, Any]
    start: int = 0
    name: str = ""

    def where(self, key: str = "") -> str:
        """Return file, line and name for errors; the line of a key where that is found."""
        written = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*=", re.M)
        found = written.search(self.text, self.start) if key else None
        line = self.text.count("\n", 0, found.start() if found else self.start) + 1
        return f"{self.path}:{line}" + (f": {self.name}" if self.name else "")

    def texts(self, *keys: str) -> list[str]:
        """Return the values of `keys`, which must be there, be texts, and be all that there is."""
        known = ", ".join(f"`{key}`" for key in keys)
        for key in self.values:
            if key not in keys:
                raise CourseError(f"{self.where(key)}: unknown key `{key}`; the keys are {known}")
        for key in keys:
            if key not in self.values:
                raise CourseError(f"{self.where()}: it lacks the key `{key}`; the keys are {known}")
            if not isinstance(self.values[key], str):
                raise CourseError(f"{self.where(key)}: `{key}` must be a text: put it in quotes")
        return [self.values[key] for key in keys]


def read_tables(path: Path, text: str) -> tuple[Table, list[Change]]:
    """Read a TOML file; return its own table and, in order, its changes.

    Raises:
        CourseError: naming file and line of what is not understood.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = TOML_LINE.search(str(error))
        line = found[1] if found else len(text.splitlines())
        raise CourseError(f"{path}:{line}: not TOML: {error}") from error
    tables = values.pop("change", None)
    if not (tables and isinstance(tables, list) and all(isinstance(one, dict) for one in tables)):
        raise CourseError(f"{path}:1: it changes nothing: give it a table `[[change]]`")
    starts = [found.start() for found in HEADER.finditer(text)]
    if len(starts) != len(tables):  # a header is quoted in a text, or tables are written otherwise
        starts = [0] * len(tables)
    changes = [
        read_change(Table(path, text, table, start, f"change {number}"))
        for number, (start, table) in enumerate(zip(starts, tables, strict=True), 1)
    ]
    return Table(path, text, values), changes


def read_change(table: Table) -> Change:
    """Read one change."""
    parts = [lines_of(text) for text in table.texts("from", "to")]
    if not parts[0]:
        raise CourseError(f"{table.where('from')}: `from` is empty: name the lines to change")
    margin = min((indent_of(line) for line in parts[0] if line), key=len)
    before, after = (tuple(line.removeprefix(margin) for line in part) for part in parts)
    if before == after:
        raise CourseError(f"{table.where('to')}: `to` is the same as `from`")
    return Change(table.where(), before, after)


def indent_of(line: str) -> str:
    """Return the blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def lines_of(text: str) -> list[str]:
    """Split a text into lines without blanks at their ends, nor blank lines around them."""
    lines = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    return lines.split("\n") if lines else []


class Match(NamedTuple):
    """Where a change applies: lines `first` to `end` (exclusive) of a cell, counted from 0."""

    cell: CodeCell
    first: int
    end: int
    indent: str
    change: Change

    def place(self, source: Path) -> str:
        """Return where it starts, for errors."""
        return place_of(source, self.cell, self.first)


def apply_changes(
    cells: Sequence[CodeCell], changes: Sequence[Change], source: Path
) -> dict[str, str]:
    """Return the sources of cells with all changes made, by the cells' names.

    Each is looked for in the cells as they are given, whatever the others change.

    Args:
        source: the file that the cells come from, for errors.

    Raises:
        CourseError: a change stands in none of the cells, or more than once; two overlap; or a
            changed cell is not Python any more.
    """
    matches = [the_match(cells, change, source) for change in changes]
    changed = {cell.name: cell.source for cell in cells}
    for cell in cells:
        own = sorted((m for m in matches if m.cell is cell), key=lambda match: match.first)
        for one, other in itertools.pairwise(own):
            if other.first < one.end:
                raise CourseError(
                    f"{other.change.where}: another change takes the same line, "
                    f"{other.place(source)}: make them one"
                )
        if own:
            changed[cell.name] = changed_source(cell, own)
    return changed


def the_match(cells: Sequence[CodeCell], change: Change, source: Path) -> Match:
    """Find where a change applies: one place, no more and no less."""
    matches = [match for cell in cells for match in matches_in(cell, change)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise CourseError(
            f"{change.where}: `from` stands in {len(matches)} places: "
            f"{', '.join(match.place(source) for match in matches)}; take in more lines around it"
        )
    there = {line.strip() for cell in cells for line in cell.source.split("\n")}
    strange = [line.strip() for line in change.before if line.strip() not in there | {""}]
    reason = f"no line reads `{strange[0]}`" if strange else "its lines do not follow each other"
    raise CourseError(
        f"{change.where}: `from` stands nowhere in "
        f"{', '.join(f'{cell.name} ({place_of(source, cell, 0)})' for cell in cells)}: {reason}; "
        "has the reference changed?"
    )


def matches_in(cell: CodeCell, change: Change) -> list[Match]:
    """Find a change's lines in a cell, however far they are indented as a whole."""
    lines = [line.rstrip() for line in cell.source.split("\n")]
    size = len(change.before)
    matches = []
    for first in range(len(lines) - size + 1):
        indent = lines[first].removesuffix(change.before[0])
        wanted = [indent + line if line else "" for line in change.before]
        if not indent.strip() and lines[first : first + size] == wanted:
            matches.append(Match(cell, first, first + size, indent, change))
    return matches


def changed_source(cell: CodeCell, matches: Sequence[Match]) -> str:
    """Return a cell's source with changes made at places that do not overlap."""
    lines = cell.source.split("\n")
    for match in reversed(matches):
        after = [match.indent + line if line else "" for line in match.change.after]
        lines[match.first : match.end] = after
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise CourseError(
            f"{matches[0].change.where}: changed so, {cell.name} is not Python: {error.msg}: "
            f"`{(error.text or '').strip()}`"
        ) from error
    return text


def place_of(source: Path, cell: CodeCell, line: int) -> str:
    """Return file and line of a cell's line, counted from 0; of a changed cell, what is known."""
    for answer in read_answers(source):
        if answer.grade_id == cell.name and answer.source == cell.source:
            return f"{source}:{answer.lines[line][0]}"
    return f"{source}, line {line + 1} of {cell.name}"
