"""The tripwire: source text that honest answers never need, and tricks do.

What stands in a course's list makes a task a violation before any of it runs. It is no wall: who
knows the list walks around it, and meets checks that rest on nothing which could be replaced. But
who tries is seen, by cell and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from detgrader.course import TripwireSettings

Lines = Mapping[str, int]


@dataclass(frozen=True)
class Find:
    """Something in a cell that no answer needs.

    Attributes:
        line: of the cell, counted from 1.
        what: it, as code.
    """

    line: int
    what: str


def find(uses: Mapping[str, Lines], settings: TripwireSettings) -> Find | None:
    """Return the first thing in a cell's source that the list names, or nothing.

    Args:
        uses: see `detgrader.sandbox.inside.uses`.
    """
    return min(finds(uses, settings), key=lambda one: one.line, default=None)


def finds(uses: Mapping[str, Lines], settings: TripwireSettings) -> Iterator[Find]:
    """Yield all that the list names."""
    for name, line in uses["names"].items():
        if name in settings.names:
            yield Find(line, name)
    for name, line in uses["calls"].items():
        if name in settings.calls:
            yield Find(line, f"{name}(…)")
    for path, line in uses["paths"].items():
        if is_within(path, settings.paths):
            yield Find(line, path)
    for text, line in uses["texts"].items():
        if text in settings.names or ("." in text and is_within(text, settings.paths)):
            yield Find(line, f'"{text}"')
    for path, line in uses["changed"].items():
        if not is_within(path, settings.changeable):
            yield Find(line, f"{path} = …")
    for path, line in uses["computed"].items():
        yield Find(line, f"getattr({path}, …)")


def is_within(path: str, places: Sequence[str]) -> bool:
    """Say whether a dotted path is one of these, or a part of one."""
    return any(path == place or path.startswith(f"{place}.") for place in places)


def words(cell: str, found: Find) -> str:
    """Tell a student what was found, and what to do."""
    return (
        f"{cell}, line {found.line}: `{found.what}` is nothing that an answer needs, but what "
        "tricks are made of, so nothing of the cell was run. Write it without, or ask the staff."
    )
