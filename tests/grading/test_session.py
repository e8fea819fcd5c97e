"""Sessions of hidden checks in one process: each has its own."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from detgrader.grading.session import CheckSession, Subject, run_session
from detlab.checking.student import Student

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


DRAWS = """
import random
import numpy as np
import pytest
import torch

pytestmark = pytest.mark.task("1.1", points=1)

def test_layer(student):
    "A new layer has weights."
    student.seen(value=[torch.nn.Linear(1, 1).weight.item(), np.random.rand(), random.random()])
"""


def drawn(folder: Path, secret: str) -> list[float]:
    """Return what a check draws without a generator, whatever was drawn before in its process."""
    seen: list[list[float]] = []

    def perform(request: str, *arguments: object) -> None:
        if request == "call":
            seen.append(arguments[1]["value"])

    def run(session: CheckSession) -> None:
        (check,) = session.tasks["1.1"].checks
        assert session.run(check, Subject(Student(perform))).passed

    run_session(folder, secret, run)
    return seen[0]


def test_new_layers_have_the_same_weights_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "test_1_1.py").write_text(DRAWS, "utf-8")
    first = drawn(tmp_path, "one")
    torch.rand(1), np.random.rand(), random.random()
    assert drawn(tmp_path, "one") == first
    assert all(a != b for a, b in zip(first, drawn(tmp_path, "other"), strict=True))
