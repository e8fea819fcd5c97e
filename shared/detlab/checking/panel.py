"""Small panels below a notebook's cells, as HTML that needs no stylesheet and no script.

Text has the notebook's own colour, light or dark; badges bring their ground along. What a colour
says stands there in words as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from detlab.checking import pictures, tables
from detlab.checking.tables import marked_up

if TYPE_CHECKING:
    from detlab.checking.hints import Hints
    from detlab.checking.progress import Progress
    from detlab.checking.report import Finding, Report

# Grounds of badges, on which white is read with 6.5:1 and more, and edges of panels, about 4:1 on
# white and on near-black. None is red: nothing has crashed.
COLOURS = {"passes": ("#1a6b35", "#2a8a4a"), "not right yet": ("#7a4a00", "#b36b00")}
OTHERS = ("#4a5568", "#7c8796")
LONG = 120  # characters of a call: a longer one is folded away
ROOM = "margin:.35em 0"


def of_report(report: Report) -> str:
    """Show what the visible checks of a task found."""
    body: list[str] = []
    if report.state in COLOURS:
        body += items(finding_item(one, report) for one in report.findings)
        last = "The grader will use other inputs."
        if not report.passed:
            last = f"`check.hint({report.task!r})` says where to look."
        if report.hint:
            body.append(paragraph(f"Hint: {report.hint}"))
        body += [paragraph(line) for line in report.slowness if report.passed]
        body += [paragraph(last), paragraph(f"Checked in {seconds(report.seconds)}.")]
    elif report.state == "still to do":
        body.append(paragraph("Write your answer into the cell above, run it, and check again."))
        if report.hint:
            body.append(paragraph(report.hint))
    return section(report.verdict, report.state, body)


def finding_item(finding: Finding, report: Report) -> str:
    """Show what one check found: with all that helps, if something is wrong."""
    if finding.passed:
        return f"{badge('✓ passes', 'passes')} {marked_up(finding.title)}"
    if finding.to_do:
        return f"{badge('still to do', '')} {marked_up(finding.title)}"
    parts = [f"{badge('✗ not yet', 'not right yet')} {marked_up(finding.title)}"]
    if finding.problem:
        parts.append(f'<div style="{ROOM};white-space:pre-wrap">{marked_up(finding.problem)}</div>')
    if finding.call:
        parts.append(called(tables.of_call(finding.call)))
    picture = pictures.of_case(finding.case, finding.call, report.corners)
    parts.append(picture)
    if finding.case and finding.case.expected.dim():
        table = tables.of_case(finding.case)
        folded = picture and len(finding.case.expected.shape) > 2
        parts.append(fold("The numbers", table) if folded else table)
    return "".join(parts)


def called(words: str) -> str:
    """Show the call that was made."""
    code = f'<code style="white-space:pre-wrap;overflow-wrap:anywhere">{escape(words)}</code>'
    if len(words) > LONG:
        return fold("What was called", code)
    return f'<div style="{ROOM}">Called: {code}</div>'


def fold(name: str, inside: str) -> str:
    """Fold HTML away under a name that opens it."""
    return f'<details style="{ROOM}"><summary>{name}</summary>{inside}</details>'


def of_progress(progress: Progress) -> str:
    """Show how the tasks of a week stand."""
    lines = [
        [f"<b>{row.task}</b>", escape(row.title), badge(row.state, row.state), row.points]
        for row in progress.rows
    ]
    table = tables.table("The tasks", ("task", "title", "state", "points"), lines)
    return section(progress.heading, "", [table, *map(paragraph, progress.sums)])


def of_hints(hints: Hints) -> str:
    """Show the hints that were given so far, the last one last."""
    body = items((marked_up(step) for step in hints.steps), ordered=True)
    return section(hints.heading, "", [*body, *map(paragraph, hints.rest)])


def section(heading: str, state: str, body: Iterable[str]) -> str:
    """Put a panel together.

    Args:
        heading: plain text.
        state: decides the colour of the edge; the heading says it, too.
    """
    edge = COLOURS.get(state, OTHERS)[1]
    return (
        f'<section role="group" aria-label="{escape(heading)}" style="border:1px solid;border-left:'
        f".4em solid {edge};border-radius:.25em;padding:.5em .9em;margin:.3em 0;max-width:52em;"
        'overflow-wrap:anywhere;line-height:1.45">'
        f'<div style="font-weight:600">{marked_up(heading)}</div>{"".join(body)}</section>'
    )


def items(entries: Iterable[str], ordered: bool = False) -> Sequence[str]:
    """Return a list of pieces of HTML; nothing for none."""
    lines = [f'<li style="margin:.4em 0">{entry}</li>' for entry in entries]
    if not lines:
        return []
    kind, style = ("ol", "padding-left:1.6em") if ordered else ("ul", "list-style:none;padding:0")
    return [f'<{kind} style="margin:.4em 0;{style}">{"".join(lines)}</{kind}>']


def badge(words: str, state: str) -> str:
    """Return words on a ground of their own."""
    return (
        f'<span style="background:{COLOURS.get(state, OTHERS)[0]};color:#fff;border-radius:.25em;'
        f'padding:.05em .45em;font-weight:600;white-space:nowrap">{escape(words)}</span>'
    )


def paragraph(text: str) -> str:
    """Return a line of text."""
    return f'<div style="{ROOM}">{marked_up(text)}</div>'


def seconds(taken: float) -> str:
    """Return a time as people say it."""
    if taken < 0.005:
        return "less than 0.01 s"
    return f"{taken:.2f} s" if taken < 10 else f"{taken:.0f} s"
