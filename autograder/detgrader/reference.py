"""A week's reference solution: read from the source in one way, for grading, training and tests.

It is the release with the source's answers in the place of the stubs, solution markers left
out: what a perfect student would hand in. jupytext, which builds releases, takes a second to
import, and so the source is read here directly; a test holds both readings against each other.
"""

from __future__ import annotations

import json
import linecache
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from detgrader.assignment import Assignment, load_assignment
from detgrader.course import Course
from detgrader.intake import WEIGHTS, Submission, take_cells

CELL = re.compile(r"^# %%(?P<header>.*)$", re.M)
SETTINGS = re.compile(r"nbgrader=(\{.*\})")
MARKER = re.compile(r"\s*(<!-- )?### (BEGIN|END) SOLUTION( -->)?\s*")


@dataclass(frozen=True)
class Answer:
    """One answer cell of a source.

    Attributes:
        is_code: whether it is code, not text.
        lines: (line number in the source's file, text) of each line but the solution markers.
    """

    grade_id: str
    is_code: bool
    lines: tuple[tuple[int, str], ...]

    @property
    def source(self) -> str:
        """The cell's text."""
        return "\n".join(text for _, text in self.lines)


def read_answers(path: Path) -> list[Answer]:
    """Read the answer cells of a percent source, in order.

    Args:
        path: a source that `detgrader release` accepts.
    """
    text = path.read_text("utf-8")
    headers = list(CELL.finditer(text))
    ends = [header.start() for header in headers[1:]] + [len(text)]
    answers = []
    for header, end in zip(headers, ends, strict=True):
        found = SETTINGS.search(header["header"])
        settings = json.loads(found[1]) if found else {}
        if settings.get("solution"):
            first = text.count("\n", 0, header.end()) + 2
            body = text[header.end() + 1 : end].rstrip("\n").split("\n")
            is_code = "[markdown]" not in header["header"]
            if not is_code:
                body = [re.sub(r"^# ?", "", line) for line in body]
            lines = [(n, one) for n, one in enumerate(body, first) if not MARKER.fullmatch(one)]
            answers.append(Answer(settings["grade_id"], is_code, trimmed(lines)))
    return answers


def trimmed(lines: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Drop empty lines at both ends."""
    filled = [n for n, (_, text) in enumerate(lines) if text.strip()]
    return tuple(lines[filled[0] : filled[-1] + 1]) if filled else ()


def reference_notebook(course: Course, week: str) -> dict[str, Any]:
    """Return the release with the reference's answers in it, as JSON."""
    notebook: dict[str, Any] = json.loads(course.release(week).read_text("utf-8"))
    answers = {answer.grade_id: answer.source for answer in read_answers(course.source(week))}
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return notebook


def reference_weights(course: Course, week: str) -> Path:
    """Return where the weights lie that the reference hands in, whether or not they are there."""
    return course.source(week).with_name(f"{week}{WEIGHTS}")


def reference_submission(course: Course, assignment: Assignment) -> Submission:
    """Return the reference as if it had been handed in."""
    submission = Submission("reference", course.source(assignment.name))
    submission.weights = reference_weights(course, assignment.name)
    take_cells(submission, reference_notebook(course, assignment.name)["cells"], assignment)
    return submission


def load_reference(course: Course, week: str) -> ModuleType:
    """Run the setup cell and the answers of a week; return them as a module.

    It is the staff's own code, so that it runs right here.
    """
    module = ModuleType(f"reference_of_{week}")
    assignment = load_assignment(course, week)
    cells = [("setup", assignment.setup)]
    cells += [
        (one.grade_id, one.source) for one in read_answers(course.source(week)) if one.is_code
    ]
    for grade_id, source in cells:
        name = f"<{week}: {grade_id}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
    return module
