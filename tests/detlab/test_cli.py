"""The students' command line: help at once, and what it says before a notebook is handed in."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT, run

from detgrader.course import Course
from detgrader.reference import reference_notebook

SECOND = Course(ROOT / "tests/second_course")
WEEK = "week1_runs"


def test_help_does_not_wait_for_torch() -> None:
    look = "import sys, detlab.cli; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert "--submission" in run("check", "--help", program="detlab").stdout


def write(path: Path, notebook: object) -> Path:
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def test_a_submission_is_checked_from_the_top_and_recorded(tmp_path: Path) -> None:
    notebook = reference_notebook(SECOND, WEEK)
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "task_1_1")
    cell["source"] += "\nimport sys\nsys.exit()\n"
    stub = json.loads(SECOND.release(WEEK).read_text("utf-8"))
    released = {cell["id"]: cell for cell in stub["cells"]}
    notebook["cells"] = [
        released["task_1_3"] if cell["id"] == "task_1_3" else cell for cell in notebook["cells"]
    ]
    path = write(tmp_path / f"{WEEK}.ipynb", notebook)
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(b"weights")
    done = run("check", "--submission", path, program="detlab")
    assert done.returncode == 1, done.stderr
    said = done.stdout
    assert said.startswith(f"{path} is accepted.")
    assert "task_1_1, line 5: SystemExit" in said
    assert "Task 1.1 passes." in said
    assert "Task 1.3 is still to do." in said
    assert "2 of 3 tasks pass their visible checks." in said
    assert "Still as handed out: task_1_3." in said
    for file in (path, weights):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert f"SHA-256 of {file.name}: {digest}" in said


@pytest.mark.parametrize("words", [(), ("--submission",)])
def test_a_file_that_is_refused_is_refused_here(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = write(tmp_path / "a.ipynb", {"nbformat": 3})
    done = run("check", *words, path, program="detlab")
    assert done.returncode == 2
    assert "of format 3, not 4" in done.stderr
    assert "SHA-256" not in done.stdout


def test_what_was_added_to_the_setup_cell_is_told(tmp_path: Path) -> None:
    notebook = reference_notebook(SECOND, WEEK)
    setup = next(cell for cell in notebook["cells"] if cell["id"] == "setup")
    setup["source"] = "!pip install torch\n" + "".join(setup["source"]) + "\nimport math\n"
    done = run("check", write(tmp_path / "a.ipynb", notebook), program="detlab")
    assert done.returncode == 0, done.stdout
    assert "setup, line 1: `!pip install torch` does not count" in done.stdout
    assert "`import math` does not count: graders run the setup cell as it was" in done.stdout
    assert done.stdout.count("does not count") == 2
