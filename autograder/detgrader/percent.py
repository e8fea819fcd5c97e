"""The code answers of a percent source, read in a moment.

Grading needs nothing else of the reference, and jupytext takes a second to import. A
test holds this reading against `source.read`, which builds the releases.
"""

import json
import re
from pathlib import Path

CELL = re.compile(r"^# %%(?P<header>.*)$", re.M)
SETTINGS = re.compile(r"nbgrader=(\{.*\})")


def read_answers(path: Path) -> list[tuple[str, str]]:
    """Return (grade id, source) of each code answer, in order.

    Args:
        path: a source that `detgrader release` accepts.
    """
    _, *parts = CELL.split(path.read_text("utf-8"))
    answers = []
    for header, body in zip(parts[::2], parts[1::2], strict=True):
        found = SETTINGS.search(header)
        settings = json.loads(found[1]) if found else {}
        if settings.get("solution") and "[markdown]" not in header:
            answers.append((settings["grade_id"], body.strip("\n")))
    return answers
