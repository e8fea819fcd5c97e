"""What a student reads of a name that a cell of their own sets without effect."""

from __future__ import annotations

import json
from pathlib import Path

from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK
from harness import run

OWN = "import math\nHALF = print() or 0\nONE = 2 // 2\n"
WRONG = "def add(first, second):\n    return HALF + first + second\n"
RIGHT = "def add(first, second):\n    return ONE * (first + second)\n"


def test_a_name_that_is_set_in_vain_is_told_with_its_line(tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    solved, out = solved_notebook(course), tmp_path / "out"
    paths = [
        hand_in(notebook_with(solved, {"task_1_1": answer}, OWN), tmp_path / f"{name}.ipynb")
        for name, answer in (("ada", WRONG), ("bob", RIGHT))
    ]
    done = run("grade", WEEK, *paths, "--out", out, cwd=course.root)
    assert done.returncode == 0, done.stderr
    ada, bob = (
        one["tasks"][0] for one in json.loads((out / "results.json").read_text())["submissions"]
    )
    assert "line 2, which is left out: of cells that you add only definitions" in ada["message"]
    assert ada["score"] == 0
    assert bob["status"] == "passed"
