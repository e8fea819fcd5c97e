"""A notebook as a person who marks it sees it: the student's cells, with what was said of them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode, v4

from detgrader.classroom.written import Mark
from detgrader.files import Unreadable, read_handed_in
from detgrader.grading.results import SubmissionResult, TaskResult, points_of
from detgrader.text import clean_text
from detlab.checking.labels import check_id
from detlab.checking.notebook import (
    MAX_BYTES,
    MAX_SOURCE,
    Refused,
    grade_id_of,
    read_notebook,
    source_of,
)

OURS = "detgrader"  # in a notebook's metadata: of which notebook it is, and the marks that stood
MAX_OUTPUT = 4 << 20  # characters of a cell's outputs: some ten pictures


def shown(
    result: SubmissionResult,
    release: str,
    texts: Mapping[str, str],
    standing: Mapping[str, Mark],
    before: Mapping[str, Any],
) -> str:
    """Build the notebook that formgrader shows of a submission.

    Args:
        result: says where it lies, and what it came to.
        release: the week's notebook as it was handed out, JSON.
        texts: written answers by grade id.
        standing: marks as they stand, to be kept in the notebook.
        before: what was shown before, JSON; it serves where the same is no longer at hand.

    Returns:
        JSON of a notebook that has each cell of the release with a grade id once, with its own
        settings and the student's answer.
    """
    released = nbformat.reads(release, as_version=4)
    known = {cell.metadata.nbgrader.grade_id: cell for cell in released.cells if is_known(cell)}
    marks = {key: asdict(mark) for key, mark in standing.items()}
    own = {"notebook": result.notebook_sha256, "marks": marks}
    notebook = v4.new_notebook(metadata={**released.metadata, OURS: own})
    handed_in = cells_handed_in(result)
    if not handed_in and about(before).get("notebook") == result.notebook_sha256:
        handed_in = before.get("cells", [])
    if not handed_in:
        words = result.error or "The notebook is no longer where it was graded."
        notebook.cells = [v4.new_markdown_cell(clean_text(words))]
    missing = dict(known)
    for cell in handed_in:
        mine = missing.pop(grade_id_of(cell), None)
        notebook.cells.append(answer_to(mine, cell, texts) if mine else harmless(cell))
    notebook.cells += [answer_to(cell, cell, texts) for cell in missing.values()]
    said = {check_id(task.task): words_on(task) for task in result.tasks}
    for cell in notebook.cells:
        name = grade_id_of(cell)
        if name in said:
            cell.outputs = [v4.new_output("stream", name="stdout", text=said[name])]
    text: str = nbformat.writes(notebook)
    return text


def about(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `shown` noted in a notebook, JSON; nothing, if that is none of ours."""
    metadata = notebook.get("metadata")
    own = metadata.get(OURS) if isinstance(metadata, dict) else None
    return own if isinstance(own, dict) else {}


def marks_in(notebook: Mapping[str, Any]) -> dict[str, Mark]:
    """Return the marks that stood when a notebook was written."""
    return {key: Mark(**told) for key, told in about(notebook).get("marks", {}).items()}


def is_known(cell: NotebookNode) -> bool:
    """Say whether a cell of the release has a grade id."""
    return "nbgrader" in cell.metadata


def words_on(task: TaskResult) -> str:
    """Say what a task came to."""
    return f"{points_of(task)} points, {task.status}\n{task.message}".strip() + "\n"


def cells_handed_in(result: SubmissionResult) -> list[dict[str, Any]]:
    """Return the cells of the very notebook that was graded; none if it is not there any more."""
    try:
        data = read_handed_in(Path(result.path), MAX_BYTES)
        if hashlib.sha256(data).hexdigest() == result.notebook_sha256:
            return list(read_notebook(data)["cells"])
    except (OSError, Unreadable, Refused):
        pass
    return []


def answer_to(known: NotebookNode, cell: Mapping[str, Any], texts: Mapping[str, str]) -> Any:
    """Build a cell that the release has, with what the student wrote where that is theirs."""
    settings = known.metadata.nbgrader
    if not settings.solution:
        fresh = harmless({**known, "source": ""})
        fresh.source = known.source  # ours: it may hold what looks like markup
    else:
        source = texts.get(settings.grade_id, source_of(cell))
        fresh = harmless({**cell, "cell_type": known.cell_type, "source": source})
    fresh.metadata = known.metadata.copy()
    return fresh


def harmless(cell: Mapping[str, Any]) -> NotebookNode:
    """Build a cell from another's type, text, and the pictures and words that it put out."""
    source = clean_text(source_of(cell), MAX_SOURCE)
    if cell["cell_type"] == "code":
        return v4.new_code_cell(source, outputs=list(harmless_outputs(cell.get("outputs"))))
    fresh = v4.new_markdown_cell(source)
    fresh, _ = SanitizeHTML().preprocess_cell(fresh, {}, 0)
    return fresh


def harmless_outputs(outputs: Any) -> Iterator[NotebookNode]:
    """Yield the outputs that are plain text or a PNG, of those that are of the right form."""
    left = MAX_OUTPUT
    for output in outputs if isinstance(outputs, list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        picture = png_in(data) if isinstance(data, dict) else ""
        text = text_of(output) if isinstance(output, dict) else ""
        left -= len(picture) + len(text)
        if left < 0:
            yield v4.new_output("stream", name="stdout", text="(and more that is too long)\n")
            return
        if picture:
            yield v4.new_output("display_data", {"image/png": picture, "text/plain": ""})
        elif text:
            yield v4.new_output("stream", name="stdout", text=text)


def png_in(data: dict[str, Any]) -> str:
    """Return a PNG as base64 text and nothing else, or the empty string."""
    told = data.get("image/png")
    try:
        content = base64.b64decode("".join(told) if isinstance(told, list) else str(told))
    except (TypeError, ValueError):
        return ""
    return base64.b64encode(content).decode() if content.startswith(b"\x89PNG") else ""


def text_of(output: dict[str, Any]) -> str:
    """Return the plain text of an output, or the empty string."""
    data = output.get("data")
    told = data.get("text/plain") if isinstance(data, dict) else output.get("text")
    lines = told if isinstance(told, list) else [told]
    text = "".join(line for line in lines if isinstance(line, str))
    return clean_text(text, MAX_OUTPUT) if text else ""
