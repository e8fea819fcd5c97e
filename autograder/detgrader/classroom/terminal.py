"""What staff read on the screen: how far it is, a student's table, the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from detgrader.assignment import Assignment
from detgrader.classroom.overview import Overview, overview_of
from detgrader.classroom.reports import stamp
from detgrader.grading.results import BatchResult, SubmissionResult, TaskResult, points_of

# So many students have their own tables printed, and so many one line each.
FEW, TABLE = 4, 40
# An overview's longest bar, how many tasks it tells as hard, and how many students by name.
BAR = 40
HARDEST = 5
NAMED = 20
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
        points = points_of(task).replace("of", "/")
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
    unknown = [task.task for task in result.tasks if task.score is None]
    waits = f", {', '.join(unknown)} not graded" if unknown else ""
    return f"{result.student}: {points_of(result)} points{waits}{pending}"


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
        cells = [f"[{COLOURS[task.status]}]{short(task.score, 3)}[/]" for task in result.tasks]
        if result.error:
            table.add_row(Text(result.student), "[red]refused[/]")
            continue
        waits = [f"{result.pending_manual:g}"] if by_hand else []
        table.add_row(Text(result.student), short(result.score), *waits, *cells)
    least = console.measure(table, options=console.options.update(max_width=10**4)).minimum
    table.width = least if least > console.width else None
    console.print(table, crop=False)


def print_results(
    console: Console,
    batch: BatchResult,
    named: Sequence[SubmissionResult],
    assignment: Assignment,
    found: Sequence[str],
) -> None:
    """Print what came of a call: of a few students all, of many what is worth knowing.

    Args:
        named: of the whole class those that the call was about.
        found: lines about who is missing and the like.
    """
    if len(named) <= FEW:
        for result in named:
            print_submission(console, result, batch.isolation)
    if 1 < len(batch.submissions) <= TABLE:
        print_class(console, batch)
    if len(batch.submissions) > FEW:
        print_overview(console, batch, overview_of(batch, assignment), found)
    else:
        for line in found:
            console.print(line, markup=False, soft_wrap=True)


def print_overview(
    console: Console, batch: BatchResult, view: Overview, found: Sequence[str]
) -> None:
    """Print what is worth knowing of a class, however large: it fits on a screen.

    Args:
        found: lines about who is missing and the like.
    """
    lines = [f"\n{batch.assignment}: {len(batch.submissions)} students"]
    if view.scores:
        low, middle, high = view.quartiles
        lines.append(
            f"points by checks, of {view.best:g}: median {middle:.3g}, half of {view.known} from "
            f"{low:.3g} to {high:.3g}"
        )
        most = max(count for _, count in view.histogram)
        for edge, count in view.histogram:
            bar = "█" * round(BAR * count / most) or "▏" * bool(count)
            lines.append(f"  {edge:>10} {bar} {count or ''}")
    if hardest := view.hardest(HARDEST):
        lines.append("where most was lost:")
        for task in hardest:
            lines.append(
                f"  {task.label:5} {task.share:4.0%} of the points earned, {task.passed} passed "
                f"all: {task.title}"
            )
    if view.unknown:
        lines.append(f"without a sum, for what was left out: {view.unknown}")
    if view.by_hand:
        lines.append(f"with written answers to mark: {view.by_hand}")
    if view.needs:
        lines.append("who needs a person:")
        lines += [f"  {student}: {why}" for student, why in view.needs[:NAMED]]
        if len(view.needs) > NAMED:
            lines.append(f"  and {len(view.needs) - NAMED} more: see staff.log")
    # Names and messages may look like the console's own marks.
    console.print("\n".join([*lines, *found]), markup=False, soft_wrap=True, highlight=False)


def short(score: float | None, length: int = 6) -> str:
    """Return points in a table's cell; what is not known is no zero."""
    return "?" if score is None else f"{score:.{length}g}"


def print_files(console: Console, places: Mapping[str, Path]) -> None:
    """Say where the files are."""
    for name, path in places.items():
        console.print(f"{name:11} {path}", markup=False, soft_wrap=True)
