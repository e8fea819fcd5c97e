"""Hashes that tell whether something has changed since it was graded."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from detgrader.course import Course, load

LIBRARIES = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib")
)


def digest(*parts: object) -> str:
    """Hash values that are written the same where they are the same."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def file_digest(path: Path) -> str:
    """Hash a file; one that is not there is nothing."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_digest(paths: Iterable[Path]) -> str:
    """Hash files and folders, with all that lies in them but what Python compiled."""
    found = []
    for top in paths:
        inside = sorted(top.rglob("*")) if top.is_dir() else [top]
        found += [
            (path.relative_to(top.parent).as_posix(), file_digest(path))
            for path in inside
            if path.is_file() and path.suffix != ".pyc"
        ]
    return digest(found)


def is_own(path: Path) -> bool:
    """Say whether a file is source that somebody may be working on, and no library's."""
    path = path.resolve()
    return path.suffix == ".py" and not any(path.is_relative_to(one) for one in LIBRARIES)


def set_of_data(course: Course, name: str) -> list[Any]:
    """Describe a set of data that is at hand: where its files lie, how large and how old."""
    if course.locate(name):
        return []
    found = load(course.settings.locate)(name, course.data)
    places = found if isinstance(found, tuple) else (found,)
    folders = [place for place in places if isinstance(place, Path)]
    files = [path for folder in folders for path in sorted(folder.rglob("*"))]
    stats = [(str(path), path.stat()) for path in [*folders, *files] if path.is_file()]
    return [str(found), *((name, one.st_size, one.st_mtime_ns) for name, one in stats)]


@cache
def environment() -> list[str]:
    """Return Python's version, and the name and version of all that is installed.

    Not of all that can be imported here: a library may bring others along, in a place of its own.
    """
    places = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    # Their folders' names say as much as what is in these, which takes half a second to read.
    installed = [path.name for place in places for path in place.glob("*.*-info")]
    return [sys.version, *sorted(installed)]
