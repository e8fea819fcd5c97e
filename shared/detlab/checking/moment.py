"""What is true of an open notebook at this moment, as its history tells.

A cell may not have run, or its last version may not: then a check would speak of something else
than what is on the page.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import re
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

from detlab.checking.notebook import ReleasedCell, defined_by

# So much two names are alike of which one may be the other misspelt (see `difflib`).
ALIKE = 0.7


def before_checks(
    cells: Sequence[ReleasedCell], week: Sequence[ReleasedCell], namespace: Mapping[str, Any]
) -> str:
    """Say why checks of a task would not speak of what its cells hold now, or the empty string.

    Args:
        cells: the task's code cells as they were released.
        week: all cells of its week's release.
        namespace: the notebook's; IPython keeps in `In` there what has run, the oldest first.
    """
    ran = history_of(namespace)
    for cell in cells:
        for name in defined_by(cell.source):
            last = last_definition(name, ran)
            if name not in namespace and last is None:
                like = misspelt(name, week, ran, namespace)
                return f"cannot be checked yet: run the cell above, which defines `{name}`.{like}"
            if last is not None and (reason := why_stale(name, last, namespace)):
                return f"cannot be checked: {reason}"
    return ""


def history_of(namespace: Mapping[str, Any]) -> list[str]:
    """Return what has run in a notebook, the oldest first."""
    history = namespace.get("In")
    return [one for one in history if isinstance(one, str)] if isinstance(history, list) else []


def misspelt(
    name: str,
    week: Iterable[ReleasedCell],
    ran: Iterable[str],
    namespace: Mapping[str, Any] | None = None,
) -> str:
    """Ask whether what somebody defined under a like name is meant, or return the empty string.

    Args:
        week: all cells of a week's release; what these define has its own task.
        ran: sources of the cells that ran.
        namespace: what is defined now, if that may be less.
    """
    code = [cell.source for cell in week if cell.cell_type == "code"]
    asked_for = {other for source in code for other in defined_by(source)}
    own = {other for source in ran for other in defined_by_text(source)} - asked_for
    own &= own if namespace is None else namespace.keys()
    close = difflib.get_close_matches(name, sorted(own), 1, ALIKE)
    return f" You have defined `{close[0]}`: is that meant to be it?" if close else ""


def is_untouched(cells: Sequence[ReleasedCell], namespace: Mapping[str, Any]) -> bool:
    """Say whether a task's cells last ran as they were released."""
    ran = history_of(namespace)

    def is_stub(cell: ReleasedCell) -> bool:
        stub = cell.source.strip()
        last = [last_definition(name, ran) for name in defined_by(stub)]
        return all(one and one.strip() == stub for one in last or [stub if stub in whole else None])

    whole = {one.strip() for one in ran}
    return bool(cells) and all(map(is_stub, cells))


def week_at_hand(
    outlines: Mapping[int, Mapping[str, ReleasedCell]], namespace: Mapping[str, Any]
) -> int:
    """Return the week that a notebook is of: the one of which most has run.

    Args:
        outlines: by week, what was released: its setup cell and its answer cells, by grade id.
        namespace: the notebook's.

    Raises:
        ValueError: nothing of any week has run.
    """
    ran = history_of(namespace)
    lines = {line for one in ran for line in one.splitlines() if line.strip()}

    def share(cells: Mapping[str, ReleasedCell]) -> float:
        setup = {line for line in cells["setup"].source.splitlines() if line.strip()}
        code = [cell for cell in cells.values() if cell.task and cell.cell_type == "code"]
        names = [name for cell in code for name in defined_by(cell.source)]
        return len(setup & lines) / len(setup) + sum(name in namespace for name in names)

    shares = {week: share(cells) for week, cells in outlines.items()}
    if not any(shares.values()):
        raise ValueError("nothing of a week has run here yet: run the setup cell, then check()")
    return max(shares, key=shares.__getitem__)


def last_definition(name: str, ran: Sequence[str]) -> str | None:
    """Return the last cell that defined a function or a class, or tried to."""
    begins = re.compile(rf"^(?:async\s+def|def|class)\s+{re.escape(name)}\b", re.MULTILINE)
    return next((source for source in reversed(ran) if begins.search(source)), None)


def why_stale(name: str, source: str, namespace: Mapping[str, Any]) -> str:
    """Say why what a name means now is not what the last cell that defined it says."""
    try:
        ast.parse(source)
    except SyntaxError as error:
        return (
            f"the last version of `{name}` is no Python (line {error.lineno}: {error.msg}). Mend "
            "it and run its cell again."
        )
    function = namespace.get(name)
    if type(function) is FunctionType:
        made_of = "".join(linecache.getlines(function.__code__.co_filename))
        if made_of and made_of.strip() != source.strip() and name in defined_by_text(made_of):
            return (
                f"the cell with the last version of `{name}` stopped before it came to it. Mend "
                "that and run the cell again."
            )
    return ""


def defined_by_text(source: str) -> list[str]:
    """Return the functions and classes that a cell defines; none if it is no Python."""
    try:
        return list(defined_by(source))
    except SyntaxError:
        return []
