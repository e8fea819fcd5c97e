"""Running one cell of a notebook in this process, as a grader does in a worker of its own."""

from __future__ import annotations

import _thread
import ast
import contextlib
import io
import linecache
import signal
import threading
from collections.abc import Iterator
from typing import Any

from detlab.checking.cells import left_out, run_definitions
from detlab.checking.notebook import CodeCell

# After an interruption each further part may take so long, in seconds.
AGAIN_S = 10


@contextlib.contextmanager
def interrupted_after(seconds: float, overdue: threading.Event) -> Iterator[None]:
    """Interrupt what takes longer than this, as Ctrl-C does, and every few seconds from then on.

    Args:
        overdue: is set before that happens.
    """
    over = threading.Event()

    def watch() -> None:
        patience = seconds
        while not over.wait(patience):
            overdue.set()
            _thread.interrupt_main()
            patience = AGAIN_S

    # A process that was started in the background may ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.signal(signal.SIGINT, before)


def left_out_of(cell: CodeCell) -> dict[str, int]:
    """Return what an added cell sets without effect; nothing if it is no Python."""
    try:
        return left_out(ast.parse(cell.source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def run_cell(cell: CodeCell, namespace: dict[str, Any]) -> str:
    """Run one cell, of an added one its definitions; return its error, in a line, or "".

    Whatever ends it, `sys.exit()` among it, ends this cell alone, as it does in a grader.
    """
    # A half of a character, which JSON can hold, reaches a grader's Python as a question mark.
    name, source = cell.name, cell.source.encode("utf-8", "replace").decode("utf-8")
    failed: BaseException | None = None
    try:
        tree = ast.parse(source, name)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        with contextlib.redirect_stdout(io.StringIO()):
            if cell.definitions_only:
                failed = run_definitions(tree, name, namespace)
            else:
                exec(compile(tree, name, "exec", dont_inherit=True), namespace)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        failed = error
    if failed is None or isinstance(failed, NotImplementedError):
        return ""  # the check of this task says so
    return told(failed, cell.name, source)


def told(error: BaseException, name: str, source: str) -> str:
    """Say in a line where a cell stopped, and why."""
    line = getattr(error, "lineno", None) or last_line(error, name)
    where = f"{name}, line {line}" if line else name
    text = source.splitlines()[line - 1].strip() if line and line <= source.count("\n") + 1 else ""
    if isinstance(error, SyntaxError) and text.startswith(("%", "!")):
        return f"{where}: `{text}` is for Jupyter and no Python: take it out of your answer"
    return f"{where}: {type(error).__name__}: {error}"


def last_line(error: BaseException, name: str) -> int | None:
    """Return the line of the cell at which it stopped."""
    line, trace = None, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == name else line
        trace = trace.tb_next
    return line
