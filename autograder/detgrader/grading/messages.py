"""What a student is told of a task, and what staff are told besides."""

from __future__ import annotations

from collections.abc import Mapping

from detgrader.assignment import Task
from detgrader.grading.attempt import Attempt
from detgrader.grading.results import Status
from detgrader.text import clean_text, lines_of
from detlab.checking.cells import with_left_out
from detlab.checking.notebook import CodeCell
from detlab.checking.workbench import StudentError

MAX_MESSAGES = 5
GRADER_FAULT = "This task could not be graded; the fault is not yours. Staff have been told."


def message_of(
    attempt: Attempt, task: Task, left_out: Mapping[str, Mapping[str, int]] | None = None
) -> str:
    """Tell the student what each failed check looked at and what was wrong, once each.

    Args:
        left_out: by cell that the student added, what it sets without effect, with the lines.
    """
    failures = attempt.failures()
    if any(outcome.status is Status.GRADER_ERROR for _, outcome in failures):
        return GRADER_FAULT
    errors = attempt.cell_errors
    told = [str(errors[cell]) for cell in task.code_cells if cell in errors and failures]
    told = [f"The cell stopped with an error. {error}" for error in told]
    by_message: dict[str, list[str]] = {}
    for check, outcome in failures:
        by_message.setdefault(outcome.message, []).append(check.title)
    ends = {outcome.message for _, outcome in failures if outcome.ended}
    for message, titles in by_message.items():
        more = f" (and {len(titles) - 1} more)" if len(titles) > 1 else ""
        told.append(message if message in ends else f"{titles[0]}{more}: {message}")
    if len(told) > MAX_MESSAGES:
        told[MAX_MESSAGES:] = [f"… and {len(told) - MAX_MESSAGES} more."]
    return with_left_out("\n".join(told), left_out or {})


def log_lines(attempt: Attempt, task: Task) -> list[str]:
    """Tell staff what a student must not see, and how workers ended, once each."""
    lines: dict[str, str] = {}
    for check, outcome in attempt.failures():
        if outcome.status is not Status.FAILED or outcome.detail:
            line = f"{outcome.status}: {outcome.detail or outcome.message}"
            lines.setdefault(line, f"{task.label} {check.name}: {line}")
    remarks = dict.fromkeys(outcome.remark for _, outcome in attempt.checks if outcome.remark)
    return [*lines.values(), *(f"{task.label}: {remark}" for remark in remarks)]


def syntax_message(cell: CodeCell, error: StudentError) -> str:
    """Tell where a cell is not Python, and whether it is Jupyter's own language instead."""
    line = error.frames[-1].line if error.frames else 1
    lines = lines_of(cell.source)
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    where = f"{cell.name}, line {line}"
    if text.startswith(("%", "!", "?")) or "= !" in text or "= %" in text or text.endswith("?"):
        reason = "a Jupyter command is not Python and is not run here; remove the line"
    elif "await" in error.message or "async" in error.message:
        reason = "`await` works in Jupyter's cells only, not in Python; remove the line"
    else:
        reason = error.message
    return f"{where}: {clean_text(text, 120)}\n{error.type_name}: {reason}"
