"""Write results for people and for other programs, all from one model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import junitparser
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detgrader.files import write_json, write_text
from detgrader.grading.results import BatchResult, SubmissionResult, TaskResult

COLOURS: dict[str, str] = {
    "passed": "green",
    "partial": "yellow",
    "failed": "red",
    "not_attempted": "dim",
    "limit": "magenta",
    "violation": "bold red",
    "manual": "cyan",
    "skipped": "dim",
    "grader_error": "bold magenta",
}


@dataclass(frozen=True)
class Written:
    """Where the results of a batch were written."""

    results: Path
    junit: Path
    gradescope: Path
    log: Path


def write_reports(batch: BatchResult, folder: Path, secret: str) -> Written:
    """Write all files of a batch into a folder.

    `staff.log` holds what students must not see: the secret that the inputs came from
    (so that a grading can be repeated), expected values, violations and edits.
    """
    written = Written(
        folder / "results.json", folder / "junit.xml", folder / "gradescope", folder / "staff.log"
    )
    names = file_names(batch)
    for stale in written.gradescope.glob("*.json"):
        if stale.stem not in names:
            stale.unlink()  # of an earlier call with other students
    for name, result in zip(names, batch.submissions, strict=True):
        write_json(written.gradescope / f"{name}.json", gradescope(result, batch.isolation))
    write_text(written.junit, junit(batch))
    write_text(written.log, staff_log(batch, secret), mode=0o600)
    write_json(written.results, batch.as_json())
    return written


def file_names(batch: BatchResult) -> list[str]:
    """Return a file name for each student; two that come out alike get a number."""
    names: list[str] = []
    for result in batch.submissions:
        name = safe = file_name(result.student)
        # Some file systems do not tell capitals apart.
        while name.casefold() in (taken.casefold() for taken in names):
            name = f"{safe} ({len(names)})"
        names.append(name)
    return names


def file_name(student: str) -> str:
    """Make a student's name safe as a file's."""
    kept = "".join(c if c.isalnum() or c in "-_.() " else "_" for c in student)
    return kept.lstrip(".")[:100] or "student"


def gradescope(result: SubmissionResult, isolation: str) -> dict[str, Any]:
    """Return a submission's results in Gradescope's format (results.json, 2024)."""
    pending = f"{result.pending_manual:g} points are still to be given by hand."
    lines = [result.error or pending * bool(result.pending_manual), stamp(isolation)]
    return {
        "score": result.score,
        "output": "\n".join(filter(None, lines)),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [gradescope_test(task) for task in result.tasks],
        "extra_data": {"notebook_sha256": result.notebook_sha256, "isolation": isolation},
    }


def stamp(isolation: str) -> str:
    """Say of points that were given without a sandbox that they were, else nothing."""
    return (
        "" if isolation == "bubblewrap" else f"Graded without a sandbox (isolation: {isolation})."
    )


def gradescope_test(task: TaskResult) -> dict[str, Any]:
    """Return one task as Gradescope's test case."""
    test = {
        "name": f"{task.task} {task.title}",
        "number": task.task,
        "score": task.score,
        "max_score": task.max_score,
        "output": task.message or task.status.replace("_", " "),
        "output_format": "text",
        "visibility": "visible",
    }
    # A task that waits for a person, or that could not be graded, is neither passed nor failed.
    if task.status not in ("manual", "skipped", "grader_error"):
        test["status"] = "passed" if task.status == "passed" else "failed"
    return test


def junit(batch: BatchResult) -> str:
    """Return the batch as JUnit XML: a suite for each student, a case for each task."""
    xml = junitparser.JUnitXml(batch.assignment)
    for result in batch.submissions:
        suite = junitparser.TestSuite(xml_text(result.student))
        suite.add_property("isolation", batch.isolation)
        for task in result.tasks:
            case = junitparser.TestCase(f"{task.task} {task.title}", batch.assignment, task.seconds)
            case.result = junit_outcomes(task, result.error)
            suite.add_testcase(case)
        xml.add_testsuite(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml.tostring().decode("utf-8")}\n'


def junit_outcomes(task: TaskResult, refusal: str) -> list[Any]:
    """Return what JUnit calls the outcome of a task: nothing when it passed."""
    if refusal:
        return [junitparser.Error(xml_text(refusal), "refused")]
    points = f"{task.score:g} of {task.max_score:g} points"
    message = xml_text(f"{points}. {task.message}".strip())
    if task.status == "passed":
        return []
    if task.status in ("manual", "skipped"):
        return [junitparser.Skipped(message, task.status)]
    kind = junitparser.Error if task.status == "grader_error" else junitparser.Failure
    return [kind(message, task.status)]


def xml_text(text: str) -> str:
    """Drop the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n" or " " <= c < "\ufffe" or c > "\uffff")


def staff_log(batch: BatchResult, secret: str) -> str:
    """Return the staff's log as text."""
    lines = [f"assignment {batch.assignment}", f"isolation {batch.isolation}", f"secret {secret}"]
    for result in batch.submissions:
        lines.append(f"\n{result.student} ({result.path}, sha256 {result.notebook_sha256})")
        if result.error:
            lines.append(f"  refused: {result.error}")
        lines += [f"  {line}".replace("\n", "\n  ") for line in result.log]
    return "\n".join(lines) + "\n"


def print_submission(console: Console, result: SubmissionResult, isolation: str) -> None:
    """Print one student's table, and below it what they should read."""
    if result.error:
        console.print(Text(f"{summary(result)}\n", style="bold"))
        return
    table = Table(title=Text(summary(result)), title_justify="left", title_style="bold")
    table.add_column("task", no_wrap=True)
    table.add_column("title")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("by hand", justify="right")
    table.add_column("status", no_wrap=True)
    for task in result.tasks:
        points = f"{task.score:g} / {task.max_score:g}"
        waits = f"{task.pending_manual:g}" if task.pending_manual else ""
        table.add_row(task.task, Text(task.title), points, waits, coloured(task))
    console.print(table)
    for task in result.tasks:
        if task.message and task.status != "not_attempted":
            console.print(f"[bold]{task.task}[/] {coloured(task)}")
            console.print(Padding(Text(task.message), (0, 0, 0, 4)))
    if text := stamp(isolation):
        console.print(text, style="bold")
    console.print()


def coloured(task: TaskResult) -> str:
    """Return a task's status in its colour."""
    return f"[{COLOURS[task.status]}]{task.status.replace('_', ' ')}[/]"


def summary(result: SubmissionResult) -> str:
    """Return one student's results in a line."""
    if result.error:
        return f"{result.student}: not graded. {result.error}"
    pending = f", {result.pending_manual:g} to be given by hand" if result.pending_manual else ""
    return f"{result.student}: {result.score:g} of {result.max_score:g} points{pending}"


def print_class(console: Console, batch: BatchResult) -> None:
    """Print a table of the class: a row for each student, a column for each task.

    It is as wide as it must be: what a narrow terminal wraps can be read, what is cut cannot.
    """
    isolation = f" (isolation: {batch.isolation})" if stamp(batch.isolation) else ""
    first = batch.submissions[0]
    title = f"{batch.assignment}: points of {first.max_score:g}{isolation}"
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    table.collapse_padding, table.pad_edge = True, False
    table.add_column("student", overflow="fold", min_width=12)
    table.add_column("points", justify="right", no_wrap=True)
    by_hand = any(result.pending_manual for result in batch.submissions)
    if by_hand:
        table.add_column("by hand", justify="right", no_wrap=True)
    for task in first.tasks:
        table.add_column(task.task, justify="right", no_wrap=True)
    for result in batch.submissions:
        cells = [f"[{COLOURS[task.status]}]{task.score:.3g}[/]" for task in result.tasks]
        if result.error:
            table.add_row(Text(result.student), "[red]refused[/]")
            continue
        waits = [f"{result.pending_manual:g}"] if by_hand else []
        table.add_row(Text(result.student), f"{result.score:g}", *waits, *cells)
    least = console.measure(table, options=console.options.update(max_width=10**4)).minimum
    table.width = least if least > console.width else None
    console.print(table, crop=False)


def print_files(console: Console, written: Written) -> None:
    """Say where the files are."""
    for name, path in vars(written).items():
        console.print(f"{name:11} {path}", markup=False, soft_wrap=True)
