"""Intake: from a file that a student handed in to the sources of their answer cells.

A submission is data. It is read once, and taken apart as `detlab check` does it, by
`detlab.checking.notebook`. No code of it runs or is even parsed here.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detgrader.assignment import Assignment, find_student
from detgrader.files import TooLarge, Unreadable, read_handed_in
from detgrader.text import clean_text
from detlab.checking import notebook
from detlab.checking.notebook import MAX_BYTES, CodeCell, Refused, Taken, read_notebook

MAX_PATH = 4096
WEIGHTS = ".safetensors"


@dataclass
class Submission(Taken):
    """What was handed in.

    Attributes:
        student: name, from the path.
        path: of the notebook.
        sha256: of its bytes, or None if it could not be read.
        refusal: why nothing of it can be graded, or the empty string.
        weights: where a file of weights lies that belongs to it, whether or not it is there.
    """

    student: str
    path: Path
    sha256: str | None = None
    refusal: str = ""
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
        take_cells(submission, read_notebook(data)["cells"], assignment)
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


def take_cells(submission: Submission, cells: list[dict[str, Any]], assignment: Assignment) -> None:
    """Take the cells of an assignment's notebook into a submission.

    Raises:
        Refused: there is no answer cell, or more code than anybody needs.
    """
    notebook.take_cells(submission, cells, assignment.cells, assignment.name)
