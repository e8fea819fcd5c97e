"""Intake: from a file that a student handed in to the sources of their answer cells.

A submission is data. It is read once, and nothing of it is believed but the sources
of the cells whose grade ids the release knows, and the definitions in cells that the
student added. No code of it runs or is even parsed here.
"""

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detgrader.assignment import Assignment, ReleasedCell, find_student, source_of
from detgrader.files import TooLarge, Unreadable, read_handed_in
from detgrader.text import clean_text
from detlab.checking.labels import label_of_answer, week_of

MAX_BYTES = 20 << 20
MAX_CELLS = 2_000
MAX_PATH = 4096
MAX_SOURCE = 50_000
MAX_CODE = 120_000
WEIGHTS = ".safetensors"
TRUSTED_SETTINGS = ("points", "grade", "solution", "locked")


class Refused(Exception):
    """A file that cannot be graded; the message says what is wrong and what to do."""


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


@dataclass
class Submission:
    """What was handed in.

    Attributes:
        student: name, from the path.
        path: of the notebook.
        sha256: of its bytes, or None if it could not be read.
        refusal: why nothing of it can be graded, or the empty string.
        cells: code cells to run, in the notebook's order.
        texts: sources of the written answers by grade id.
        problems: by grade id, why an answer cell cannot be used.
        notes: for staff: edits that have no effect.
        weights: where a file of weights lies that belongs to it, whether or not it is there.
    """

    student: str
    path: Path
    sha256: str | None = None
    refusal: str = ""
    cells: list[CodeCell] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    weights: Path | None = None

    def up_to(self, name: str) -> list[CodeCell]:
        """Return the code cells up to one of them."""
        names = [cell.name for cell in self.cells]
        return self.cells[: names.index(name) + 1]


def take_in(path: Path, assignment: Assignment, student: str = "") -> Submission:
    """Read a submission; whatever is wrong with it is written into it.

    Nothing else that lies there is looked at: grading reads no file but the notebook and weights.

    Args:
        student: whose it is, if that is known otherwise than by where it lies.
    """
    path_text = readable(path)
    student = student or find_student(Path(path_text), assignment.name)
    submission = Submission(student, Path(path_text))
    submission.weights = weights_beside(path)
    try:
        refuse_links(path, assignment.name)
        data = read_file(path)
        submission.sha256 = hashlib.sha256(data).hexdigest()
        take_cells(submission, read_cells(data), assignment)
    except Refused as error:
        submission.refusal = clean_text(error, 2 * MAX_PATH)
    except OSError as error:
        submission.refusal = f"{submission.path} cannot be read: {error.strerror}."
    return submission


def readable(name: str | Path) -> str:
    """Return a file's name as text: it may hold anything but NUL and a slash, even what is none."""
    return clean_text(os.fsencode(name).decode("utf-8", "replace"), MAX_PATH).replace("\n", " ")


def weights_beside(path: Path) -> Path | None:
    """Return where the weights of a notebook lie, if any were handed in."""
    return path.with_suffix(WEIGHTS) if path.name else None


def refuse_links(path: Path, assignment: str) -> None:
    """Refuse a symbolic link, for the file or a folder of the student's.

    It may point at staff's files, or at another student's.
    """
    folder = path.absolute().parent
    of_student = [folder.parent] if folder.name == assignment else []
    for place in (path, folder, *of_student):
        if place.is_symlink():
            raise Refused(f"{place} is a symbolic link: hand in the notebook itself.")


def read_file(path: Path) -> bytes:
    """Read the notebook's file."""
    if path.is_dir():
        raise Refused(f"{path} is a folder: name the notebook in it.")
    try:
        data = read_handed_in(path, MAX_BYTES)
    except TooLarge as error:
        raise Refused(f"{error} Clear the outputs and save it again.") from None
    except Unreadable as error:
        raise Refused(str(error)) from None
    if not data.strip():
        raise Refused(f"{path} is empty.")
    return data


def read_cells(data: bytes) -> list[dict[str, Any]]:
    """Parse a notebook's bytes and return its cells."""
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
            raise Refused(f"CodeCell {number} of the notebook is damaged: it is not a cell.")
    return cells


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; a key that stands twice could mean two things."""
    keys = Counter(key for key, _ in pairs)
    twice = next((key for key, count in keys.items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"the key {twice[:40]!r} stands twice in one object")
    return dict(pairs)


def is_cell(cell: Any) -> bool:
    """Say whether a JSON value has what is read of a cell."""
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    return isinstance(cell.get("metadata"), dict) and all(isinstance(line, str) for line in lines)


def take_cells(submission: Submission, cells: list[dict[str, Any]], assignment: Assignment) -> None:
    """Sort a notebook's cells into answers, additions and what is left alone."""
    numbers: dict[str, list[int]] = {}
    for number, cell in enumerate(cells, 1):
        grade_id = grade_id_of(cell)
        released = assignment.cells.get(grade_id)
        if released is None:
            if cell["cell_type"] == "code":
                submission.cells.append(CodeCell(f"cell {number}", source_of(cell), True))
            continue
        numbers.setdefault(grade_id, []).append(number)
        note_edits(submission, cell, released, number)
        if released.task is None:
            continue
        if released.cell_type == "markdown":
            submission.texts[grade_id] = source_of(cell)
        else:
            submission.cells.append(CodeCell(grade_id, source_of(cell)))
    answers = [cell.grade_id for cell in assignment.cells.values() if cell.task]
    if not any(grade_id in numbers for grade_id in answers):
        refuse_foreign(cells, assignment)
    for grade_id in answers:
        note_problem(submission, grade_id, numbers.get(grade_id, []))
    for code in submission.cells:
        if len(code.source) > MAX_SOURCE:
            submission.problems[code.name] = (
                f"The cell {code.name} is longer than {MAX_SOURCE} characters."
            )
    submission.cells = [cell for cell in submission.cells if cell.name not in submission.problems]
    if sum(len(cell.source) for cell in submission.cells) > MAX_CODE:
        raise Refused(
            f"The notebook's code cells hold more than {MAX_CODE} characters: keep the answers and "
            "what they need."
        )


def grade_id_of(cell: dict[str, Any]) -> str:
    """Return the grade id that a cell claims, or the empty string."""
    settings = cell["metadata"].get("nbgrader")
    grade_id = settings.get("grade_id") if isinstance(settings, dict) else None
    return grade_id if isinstance(grade_id, str) else ""


def refuse_foreign(cells: list[dict[str, Any]], assignment: Assignment) -> None:
    """Refuse a notebook without any answer cell of this assignment."""
    labels = {label for cell in cells if (label := label_of_answer(grade_id_of(cell)))}
    others = {week_of(label) for label in labels} - {week_of(assignment.tasks[0].label)}
    if others:
        weeks = ", ".join(map(str, sorted(others)))
        raise Refused(f"This notebook answers week {weeks}, not {assignment.name}.")
    raise Refused(
        f"The notebook has no answer cells of {assignment.name}: they lost their metadata. "
        "Copy the answers into a fresh copy of the assignment."
    )


def note_problem(submission: Submission, grade_id: str, numbers: list[int]) -> None:
    """Note an answer cell that is missing or stands twice."""
    if not numbers:
        submission.problems[grade_id] = (
            f"The answer cell {grade_id} is missing from the notebook: copy the answer into a "
            "fresh copy of the assignment."
        )
    elif len(numbers) > 1:
        where = " and ".join(map(str, numbers))
        submission.problems[grade_id] = (
            f"The answer cell {grade_id} stands {len(numbers)} times (cells {where}): keep one."
        )


def note_edits(
    submission: Submission, cell: dict[str, Any], released: ReleasedCell, number: int
) -> None:
    """Tell staff of edits to what students should leave alone; they have no effect."""
    settings = cell["metadata"]["nbgrader"]
    for key in TRUSTED_SETTINGS:
        if settings.get(key) != released.settings.get(key):
            submission.notes.append(f"cell {number} ({released.grade_id}): `{key}` was edited")
    if released.task is None and source_of(cell).strip() != released.source.strip():
        submission.notes.append(f"cell {number} ({released.grade_id}): a locked cell was edited")
