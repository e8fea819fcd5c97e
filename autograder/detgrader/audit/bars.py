"""How far an audit is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich import progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

# Called with a number of things to do, and what is done with them; what it yields, with each.
Progress = Callable[[int, str], AbstractContextManager[Callable[[object], None]]]


@contextmanager
def bar_for(console: Console, count: int, words: str) -> Iterator[Callable[[object], None]]:
    """Show a bar on a terminal, and elsewhere one line."""
    if not console.is_terminal:
        console.print(f"{count} {words} …", markup=False, soft_wrap=True)
        yield lambda result: None
        return
    # Without a refreshing thread: grading processes are forked while the bar is shown.
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with progress.Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(words, total=count)
        bar.refresh()
        yield lambda result: bar.update(task, advance=1, refresh=True)
