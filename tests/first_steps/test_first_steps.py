"""From a fresh bundle in an empty folder to a grade, by the commands that students are told."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from browser_pages import chromium
from first_steps.browser import LabPage, read_json, running_lab
from harness import run

from detgrader.authoring import bundle
from detgrader.course import Course
from detgrader.reference import reference_notebook

COURSE = Course.find()
WEEK = "week1_sliding_window"
TASK, CHECK = "task_1_2", "check_1_2"
WRONG = """\
def build_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 16, 5), nn.Flatten(), nn.Linear(1600, 4))
"""


def uv(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run uv in a student's folder, as in a shell of their own."""
    program = shutil.which("uv")
    assert program, "uv is what the project is run with"
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["UV_PYTHON"] = sys.executable
    return subprocess.run(
        [program, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's folder: the bundle of week 1, and its environment from the lock file."""
    folder = tmp_path_factory.mktemp("student") / "repository"
    bundle.write(bundle.files_of(COURSE, [WEEK]), folder)
    done = uv(folder, "sync", "--locked")
    assert done.returncode == 0, done.stderr
    return folder


def test_first_steps(folder: Path, tmp_path: Path) -> None:
    name = f"{WEEK}.ipynb"
    right = next(c for c in reference_notebook(COURSE, WEEK)["cells"] if c["id"] == TASK)["source"]
    lab = [str(folder / ".venv/bin/jupyter"), "lab"]
    with chromium() as window, running_lab(lab, folder) as address:
        page = LabPage(window, address, name)
        assert page.run("install") == "detlab is here: go on."
        assert page.run("setup") == ""
        page.run(TASK)
        assert page.run(CHECK).startswith("Task 1.2 is still to do.\n")
        page.write(TASK, WRONG)
        assert page.run(TASK) == ""
        said = page.run(CHECK)
        assert said.startswith("Task 1.2 is not right yet.\n")
        assert "✗ not yet The layers of build_network, by their weights, and the shape" in said
        assert "of others there are (4, 1600)" in said
        assert "Traceback" not in said
        page.write(TASK, right)
        page.run(TASK)
        assert page.run(CHECK).startswith("Task 1.2 passes.\n")
        page.save()

    done = uv(folder, "run", "--locked", "detlab", "check", "--submission", name)
    assert done.returncode == 1, done.stderr  # eight tasks are still to do
    assert f"{name} is accepted." in done.stdout
    assert "Task 1.2 passes." in done.stdout
    assert "1 of 8 tasks pass their visible checks." in done.stdout
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    assert f"SHA-256 of {name}: {digest}" in done.stdout

    handed_in = tmp_path / "submitted" / "ada" / name
    handed_in.parent.mkdir(parents=True)
    shutil.copy(folder / name, handed_in)
    graded = run("grade", WEEK, handed_in, "--out", tmp_path / "out", cwd=COURSE.root)
    assert graded.returncode == 0, graded.stderr
    (result,) = read_json(tmp_path / "out/results.json")["submissions"]
    assert (result["student"], result["notebook_sha256"]) == ("ada", digest)
    states = {task["task"]: (task["status"], task["score"]) for task in result["tasks"]}
    assert states.pop("1.2") == ("passed", 8)
    assert set(states.values()) == {("not_attempted", 0)}
