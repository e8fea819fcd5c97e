"""What a student's installation knows of a release: its setup cell and its answer cells.

A release writes it into the students' package of a week.
"""

import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path

from detlab.checking.notebook import ReleasedCell

OUTLINE = "released.json"


def write_outline(cells: Iterable[ReleasedCell]) -> str:
    """Write down the setup cell and the answer cells of a release, as JSON."""
    kept = [cell for cell in cells if cell.task or cell.grade_id == "setup"]
    listed = [
        {"grade_id": cell.grade_id, "cell_type": cell.cell_type, "source": cell.source}
        for cell in kept
    ]
    return json.dumps(listed, indent=1, ensure_ascii=False) + "\n"


def read_outline(package: str, week: int) -> dict[str, ReleasedCell]:
    """Return a week's setup cell and answer cells by grade id.

    Args:
        package: name of the course's package of weeks.

    Raises:
        LookupError: no such package is installed, or it does not know of the week.
    """
    try:
        spec = importlib.util.find_spec(f"{package}.week{week}")
        folders = list(spec.submodule_search_locations or ()) if spec else []
        text = (Path(folders[0]) / OUTLINE).read_text("utf-8")
    except (ImportError, ValueError, OSError, IndexError):
        raise LookupError(f"{package} knows of no week {week}") from None
    return {
        one["grade_id"]: ReleasedCell(**one, settings={"solution": one["grade_id"] != "setup"})
        for one in json.loads(text)
    }
