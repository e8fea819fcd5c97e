"""What of a notebook counts: the sources of the cells whose ids the release knows, and what the
student added.

`detlab check` and a grader take a notebook apart by these same functions. The notebook is data:
no code of it runs or is parsed here, and nothing of it is believed but its sources.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from detlab.checking.cells import without_jupyter
from detlab.checking.labels import label_of_answer, week_of

MAX_BYTES = 20 << 20
MAX_CELLS = 2_000
MAX_SOURCE = 50_000
MAX_CODE = 120_000
TRUSTED_SETTINGS = ("points", "grade", "solution", "locked")


class Refused(Exception):
    """A file that cannot be graded; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class ReleasedCell:
    """A cell of the release that has a grade id.

    Attributes:
        grade_id: unique in the notebook.
        cell_type: "code" or "markdown".
        source: as released; for an answer cell, the stub.
        settings: nbgrader's metadata of the cell.
    """

    grade_id: str
    cell_type: str
    source: str
    settings: dict[str, Any]

    @property
    def task(self) -> str | None:
        """The label of the task that this cell answers, or None."""
        return label_of_answer(self.grade_id) if self.settings.get("solution") else None


@dataclass(frozen=True)
class CodeCell:
    """A cell of a submission that will run.

    Attributes:
        name: its grade id, or "cell 7" (counted from 1) for a cell that the student added.
        source: Python, not yet parsed.
        definitions_only: True for a cell that the student added.
    """

    name: str
    source: str
    definitions_only: bool = False


@dataclass(kw_only=True)
class Taken:
    """What is taken of a notebook.

    Attributes:
        cells: code cells to run, in the notebook's order.
        texts: sources of the written answers by grade id.
        problems: by grade id, why an answer cell cannot be used.
        notes: for staff: edits that have no effect.
    """

    cells: list[CodeCell] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """Where a cell of the release stands in a notebook: its number from 1, and the cell."""

    number: int
    cell: dict[str, Any]

    @property
    def source(self) -> str:
        """The cell's text."""
        return source_of(self.cell)


def read_notebook(data: bytes) -> dict[str, Any]:
    """Parse a notebook's bytes; its "cells" have a type and a source each.

    Raises:
        Refused: it is no notebook, or damaged.
    """
    if not data.strip():
        raise Refused("The file is empty.")
    if len(data) > MAX_BYTES:
        raise Refused(
            f"The file is larger than {MAX_BYTES >> 20} MiB. Clear the outputs and save it again."
        )
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise Refused("This is an archive: hand in the notebook itself (.ipynb).")
    try:
        notebook = json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique_keys)
    except UnicodeDecodeError as error:
        raise Refused(f"The file is not UTF-8 text (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise Refused(f"The file is not JSON: line {error.lineno}: {error.msg}.") from None
    except (RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Refused(f"The file is not a sound notebook: {reason}.") from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise Refused("The file is JSON but not a notebook.")
    if notebook["nbformat"] != 4:
        raise Refused(
            f"The notebook is of format {str(notebook['nbformat'])[:20]}, not 4: "
            "open it in a current Jupyter and save it."
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list) or len(cells) > MAX_CELLS:
        raise Refused(f"The notebook has no list of at most {MAX_CELLS} cells.")
    for number, cell in enumerate(cells, 1):
        if not is_cell(cell):
            raise Refused(f"Cell {number} of the notebook is damaged: it has no text.")
    return notebook


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; a key that stands twice could mean two things."""
    keys = Counter(key for key, _ in pairs)
    twice = next((key for key, count in keys.items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"the key {twice[:40]!r} stands twice in one object")
    return dict(pairs)


def is_cell(cell: Any) -> bool:
    """Say whether a JSON value has what is read of a cell: a type and a source."""
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return all(isinstance(line, str) for line in lines)


def source_of(cell: Mapping[str, Any]) -> str:
    """Return a cell's source as one string."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def settings_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return nbgrader's settings of a cell; none if they are lost or no settings at all."""
    metadata = cell.get("metadata")
    settings = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return settings if isinstance(settings, dict) else {}


def grade_id_of(cell: Mapping[str, Any]) -> str:
    """Return the grade id that a cell claims, or the empty string.

    A cell whose metadata were lost on the way still has the id that the release gave it.
    """
    claims = settings_of(cell).get("grade_id"), cell.get("id")
    return next((claim for claim in claims if isinstance(claim, str) and claim), "")


def take_cells(
    into: Taken, cells: list[dict[str, Any]], released: Mapping[str, ReleasedCell], name: str
) -> None:
    """Sort a notebook's cells into answers, additions and what is left alone.

    Args:
        released: the release's cells by grade id.
        name: of the assignment.

    Raises:
        Refused: there is no answer cell, or more code than anybody needs.
    """
    places: dict[str, list[Place]] = {}
    for number, cell in enumerate(cells, 1):
        grade_id = grade_id_of(cell)
        known = released.get(grade_id)
        if known is None:
            if cell["cell_type"] == "code":
                source = without_jupyter(source_of(cell))
                into.cells.append(CodeCell(f"cell {number}", source, True))
            continue
        places.setdefault(grade_id, []).append(Place(number, cell))
        note_edits(into, cell, known, number)
        if known.task is None:
            continue
        if known.cell_type == "markdown":
            into.texts[grade_id] = source_of(cell)
        elif grade_id not in {one.name for one in into.cells}:
            # Whatever its type is now: pressing M makes Markdown of a cell, and is soon done.
            into.cells.append(CodeCell(grade_id, source_of(cell)))
    answers = [one for one in released.values() if one.task]
    if not any(answer.grade_id in places for answer in answers):
        refuse_foreign(cells, released, name)
    for answer in answers:
        settle_places(into, answer, places.get(answer.grade_id, []))
    sources = {cell.name: cell.source.strip() for cell in into.cells}
    for answer in answers:
        if sources.get(answer.grade_id) == answer.source.strip():
            elsewhere = found_elsewhere(into, answer)
            if elsewhere and answer.grade_id not in into.problems:
                into.problems[answer.grade_id] = (
                    f"The answer cell {answer.grade_id} is as it was handed out, but {elsewhere}: "
                    "move the answer into its own cell."
                )
    for code in into.cells:
        if len(code.source) > MAX_SOURCE:
            into.problems[code.name] = (
                f"The cell {code.name} is longer than {MAX_SOURCE} characters."
            )
    into.cells = [cell for cell in into.cells if cell.name not in into.problems]
    if sum(len(cell.source) for cell in into.cells) > MAX_CODE:
        raise Refused(
            f"The notebook's code cells hold more than {MAX_CODE} characters: keep the answers and "
            "what they need."
        )


def refuse_foreign(
    cells: list[dict[str, Any]], released: Mapping[str, ReleasedCell], name: str
) -> None:
    """Refuse a notebook without any answer cell of this assignment."""
    labels = {label for cell in cells if (label := label_of_answer(grade_id_of(cell)))}
    own = {week_of(cell.task) for cell in released.values() if cell.task}
    if others := {week_of(label) for label in labels} - own:
        weeks = ", ".join(map(str, sorted(others)))
        raise Refused(f"This notebook answers week {weeks}, not {name}.")
    raise Refused(
        f"The notebook has no answer cells of {name}: they lost their metadata. "
        "Copy the answers into a fresh copy of the assignment."
    )


def settle_places(into: Taken, released: ReleasedCell, places: list[Place]) -> None:
    """Settle which of several copies of an answer cell counts, or note why none does.

    Copies that are all the same, or but for one as released, leave no doubt.
    """
    grade_id = released.grade_id
    written = {place.source.strip(): place for place in places}
    if len(written) > 1:
        written.pop(released.source.strip(), None)
    if not places:
        into.problems[grade_id] = missing(into, released)
    elif len(written) > 1:
        where = " and ".join(str(place.number) for place in places)
        into.problems[grade_id] = (
            f"The answer cell {grade_id} stands {len(places)} times (cells {where}), each with "
            "something else: put what belongs to the answer into one of them, delete the other."
        )
    elif len(places) > 1:
        (source,) = (place.source for place in written.values())
        if released.cell_type == "markdown":
            into.texts[grade_id] = source
        into.cells = [
            CodeCell(grade_id, source) if cell.name == grade_id else cell for cell in into.cells
        ]


def missing(into: Taken, released: ReleasedCell) -> str:
    """Say that an answer cell is missing, and where what it should define stands, if anywhere."""
    text = f"The answer cell {released.grade_id} is missing from the notebook"
    if elsewhere := found_elsewhere(into, released):
        return (
            f"{text}; {elsewhere}. Copy the answer into its own cell in a fresh copy of the "
            "assignment."
        )
    return f"{text}: copy the answer into a fresh copy of the assignment."


def found_elsewhere(into: Taken, released: ReleasedCell) -> str:
    """Say which cell holds what an answer cell should define, or return the empty string."""
    names = defined_by(released.source) if released.cell_type == "code" else []
    for cell in into.cells:
        for name in names if cell.name != released.grade_id else ():
            if re.search(rf"^(?:def|class)\s+{re.escape(name)}\b", cell.source, re.MULTILINE):
                where = cell.name if cell.definitions_only else f"the cell {cell.name}"
                return f"`{name}` stands in {where}"
    return ""


def defined_by(stub: str) -> Iterable[str]:
    """Return the functions and classes that a released cell begins."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [node.name for node in ast.parse(stub).body if isinstance(node, kinds)]


def note_edits(into: Taken, cell: Mapping[str, Any], released: ReleasedCell, number: int) -> None:
    """Tell staff of edits to what students should leave alone; they have no effect."""
    settings = settings_of(cell)
    for key in TRUSTED_SETTINGS:
        if settings and settings.get(key) != released.settings.get(key):
            into.notes.append(f"cell {number} ({released.grade_id}): `{key}` was edited")
    if not settings:
        into.notes.append(f"cell {number} ({released.grade_id}): known by its id alone")
    if cell["cell_type"] != released.cell_type:
        into.notes.append(f"cell {number} ({released.grade_id}): its type was changed")
    if released.task is None and source_of(cell).strip() != released.source.strip():
        into.notes.append(f"cell {number} ({released.grade_id}): a locked cell was edited")
