"""Sessions of hidden checks in one process: each has its own."""

from __future__ import annotations

from pathlib import Path

from detgrader.grading.session import CheckSession, run_session

CHECK = """
import pytest

@pytest.mark.task("1.1", points=1)
def test_{name}(student):
    "It is there."
"""


def names_in(folder: Path) -> list[str]:
    """Return the names of the checks that a session finds in a folder."""
    found: list[str] = []

    def note(session: CheckSession) -> None:
        found.extend(check.name for check in session.tasks["1.1"].checks)

    run_session(folder, "one", note)
    return found


def test_files_of_one_name_in_two_courses_are_not_mixed_up(tmp_path: Path) -> None:
    for course in ("one", "other"):
        (tmp_path / course).mkdir()
        (tmp_path / course / "test_1_1.py").write_text(CHECK.format(name=course), "utf-8")
    assert names_in(tmp_path / "one") == ["test_one"]
    assert names_in(tmp_path / "other") == ["test_other"]
