"""What a student's installation knows of a release: its setup cell, answer cells and tasks.

A release writes it into the students' package of a week.
"""

import importlib.util
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detlab.checking.notebook import ReleasedCell

OUTLINE = "released.json"
KNOWN = "mistakes.json"  # beside it (see `detlab.checking.known`)


@dataclass(frozen=True)
class ReleasedTask:
    """A task of a release.

    Attributes:
        label: for example "1.5".
        title: its heading's words.
        points: given by checks.
        written_points: given by a person.
    """

    label: str
    title: str
    points: float
    written_points: float


def write_outline(cells: Iterable[ReleasedCell], tasks: Iterable[ReleasedTask]) -> str:
    """Write down the setup cell, the answer cells and the tasks of a release, as JSON."""
    kept = [cell for cell in cells if cell.task or cell.grade_id == "setup"]
    listed = [
        {"grade_id": cell.grade_id, "cell_type": cell.cell_type, "source": cell.source}
        for cell in kept
    ]
    outline = {"tasks": [asdict(task) for task in tasks], "cells": listed}
    return json.dumps(outline, indent=1, ensure_ascii=False) + "\n"


def read_outline(package: str, week: int) -> dict[str, ReleasedCell]:
    """Return a week's setup cell and answer cells by grade id.

    Args:
        package: name of the course's package of weeks.

    Raises:
        LookupError: no such package is installed, or it does not know of the week.
    """
    return {
        one["grade_id"]: ReleasedCell(**one, settings={"solution": one["grade_id"] != "setup"})
        for one in read_released(package, week)["cells"]
    }


def read_tasks(package: str, week: int) -> list[ReleasedTask]:
    """Return a week's tasks in order.

    Args:
        package: name of the course's package of weeks.

    Raises:
        LookupError: no such package is installed, or it does not know of the week.
    """
    return [ReleasedTask(**one) for one in read_released(package, week)["tasks"]]


def read_released(package: str, week: int) -> dict[str, Any]:
    """Return what the students' package of a week holds of its release.

    Raises:
        LookupError: no such package is installed, or it does not know of the week.
    """
    try:
        spec = importlib.util.find_spec(f"{package}.week{week}")
        folders = list(spec.submodule_search_locations or ()) if spec else []
        text = (Path(folders[0]) / OUTLINE).read_text("utf-8")
    except (ImportError, ValueError, OSError, IndexError):
        raise LookupError(f"{package} knows of no week {week}") from None
    return json.loads(text)
