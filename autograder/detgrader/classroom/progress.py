"""How far a grading is: on a terminal a line that changes, elsewhere a line for each student."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column

from detgrader.classroom.terminal import summary
from detgrader.grading.results import Status, SubmissionResult


def outcome_of(result: SubmissionResult) -> str:
    """Return in a word what came of a submission."""
    if result.error:
        return "refused"
    if not result.graded:
        return "not graded"
    tried = any(task.status is Status.VIOLATION for task in result.tasks)
    return "with a violation" if tried else "graded"


def duration(seconds: float) -> str:
    """Say how long something takes, as exactly as anyone asks."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


class Meter:
    """Shows how a number of submissions are being graded.

    Args:
        total: how many there are.
    """

    def __init__(self, console: Console, total: int):
        self.console = console
        self.total = total
        self.counts: Counter[str] = Counter()
        self.begun, self.timed = time.monotonic(), False
        columns = (
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            TextColumn(
                "{task.fields[now]}",
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
                markup=False,
            ),
        )
        # Without a refreshing thread: grading processes are forked while the bar is shown.
        self.bar = Progress(
            *columns, console=console, transient=True, auto_refresh=False, expand=True
        )
        self.line = self.bar.add_task("starting …", total=total, now="")

    def __enter__(self) -> Meter:
        if self.console.is_terminal:
            self.bar.start()
            self.bar.refresh()
        elif self.total:
            self.say(f"{self.total} to grade …")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self.bar.stop()

    @property
    def finished(self) -> int:
        """How many are done."""
        return self.counts.total()

    def left(self) -> str:
        """Say how long the rest will take, if it goes on as it went; nothing before the first."""
        if not 0 < self.finished < self.total:
            return ""
        each = (time.monotonic() - self.begun) / self.finished
        return f"about {duration(each * (self.total - self.finished))} left"

    def started(self, students: Sequence[str]) -> None:
        """Show who is being graded."""
        if not self.timed:  # what starts once for all says nothing of the rest
            self.timed, self.begun = True, time.monotonic()
        if self.console.is_terminal:
            told = [f"{count} {word}" for word, count in self.counts.most_common()]
            words = ", ".join([*told, *filter(None, [self.left()])]) or "first results soon"
            self.bar.update(self.line, description=words, now=f"now: {', '.join(students)}")
            self.bar.refresh()

    def done(self, result: SubmissionResult) -> None:
        """Count a result; elsewhere than on a terminal, print it."""
        self.counts[outcome_of(result)] += 1
        if self.console.is_terminal:
            self.bar.update(self.line, completed=self.finished, refresh=True)
            return
        left = f" ({words})" if (words := self.left()) else ""
        self.say(f"[{self.finished}/{self.total}] {summary(result)}{left}")

    def say(self, text: str) -> None:
        """Print a line as it is, at once: whoever reads a log while it grows sees it."""
        self.console.print(text, markup=False, soft_wrap=True)
        self.console.file.flush()
