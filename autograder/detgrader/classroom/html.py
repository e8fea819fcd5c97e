"""Pages to read: one for each student, one for staff; each is one file that needs no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from detgrader.assignment import Assignment
from detgrader.classroom.groups import HINT, frequent_messages, groups_of
from detgrader.classroom.kept import file_name
from detgrader.classroom.overview import Overview, discrimination_of
from detgrader.grading.results import BatchResult, SubmissionResult, points_of

TEMPLATES = Path(__file__).parent / "pages"
STUDENTS = "students"
CODE = re.compile(r"`([^`\n]+)`")
SLOWEST = 10
# What a status is called for a student, where its own name would not say it.
WORDS = {"manual": "to be read", "grader_error": "not graded", "skipped": "not graded"}


@dataclass(frozen=True)
class Part:
    """A paragraph of a message: its kind is "text", "code" or "hint"."""

    kind: str
    html: Markup


def prose(message: str) -> Iterator[Part]:
    """Split a message into paragraphs, lines of code and hints; nothing in it is taken for HTML."""
    text, *hints = message.split(HINT)
    code: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("  "):
            code.append(line.strip())
            continue
        if code:
            yield Part("code", escape("\n".join(code)))
            code = []
        if line.strip():
            yield Part("text", with_code(line))
    for hint in hints:
        yield Part("hint", with_code(hint))


def with_code(text: str) -> Markup:
    """Return a line as HTML, with what stands in backticks as code."""
    pieces = CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def breakable(name: str) -> Markup:
    """Return a name that a narrow screen breaks between its words."""
    return Markup("_<wbr>").join(name.split("_"))


def number(points: float) -> str:
    """Return points as people write them."""
    return f"{points:.4g}"


def percent(share: float | None) -> str:
    """Return a share as people write it."""
    return "–" if share is None else f"{share:.0%}"


def link(student: str) -> Markup:
    """Return a link to a student's page from staff's."""
    target = quote(f"{STUDENTS}/{file_name(student)}.html")
    return Markup('<a href="{}">{}</a>').format(target, student)


def templates() -> jinja2.Environment:
    """Return the pages' templates, which escape all that they are given."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    found.globals |= {
        "points": points_of,
        "number": number,
        "percent": percent,
        "prose": prose,
        "link": link,
        "breakable": breakable,
        "words": lambda status: WORDS.get(status, status.replace("_", " ")),
    }
    return found


def student_page(
    pages: jinja2.Environment, result: SubmissionResult, assignment: str, stamp: str
) -> str:
    """Return a student's page: no value of a hidden check is on it, only what messages say.

    Args:
        stamp: says that there was no sandbox, or nothing.
    """
    return pages.get_template("student.html").render(
        title=f"{result.student}: {assignment}",
        result=result,
        name=Path(result.path).name,  # where it lies here is nobody else's business
        assignment=assignment,
        stamp=stamp,
    )


def staff_page(
    pages: jinja2.Environment,
    batch: BatchResult,
    assignment: Assignment,
    view: Overview,
    stamp: str,
    found: Sequence[str],
) -> str:
    """Return the page for staff.

    Args:
        found: lines about who is missing and the like.
    """
    results = batch.submissions
    tasks: list[dict[str, Any]] = [
        {
            "label": task.label,
            "title": task.title,
            "share": task.share,
            "known": task.known,
            "passed": task.passed,
            "discrimination": discrimination_of(results, task.label),
            "frequent": frequent_messages(results, task.label),
        }
        for task in view.tasks
    ]
    seconds = [(one.student, sum(task.seconds for task in one.tasks)) for one in results]
    return pages.get_template("staff.html").render(
        title=f"{batch.assignment}: the class",
        assignment=assignment.name,
        count=len(results),
        results=results,
        view=view,
        most=max((how_many for _, how_many in view.histogram), default=0) or 1,
        tasks=tasks,
        groups=groups_of(batch.assignment, results),
        slowest=sorted(seconds, key=lambda pair: -pair[1])[:SLOWEST],
        stamp=stamp,
        found=found,
        late=any(one.late for one in results),
    )
