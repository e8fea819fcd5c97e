"""Another course by the same commands: the engine rests on nothing of object detection.

`tests/second_course` is about runs of bits. It has a named tuple, tools, visible checks, weights, a
set, a demo and a command of its own.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from harness import run

from detgrader.course import Course
from detgrader.demo import with_answers
from detgrader.files import write_json
from detgrader.intake import WEIGHTS
from detgrader.reference import reference_notebook, reference_weights

HERE = Path(__file__).parents[1] / "second_course"
WEEK = "week1_runs"
PARTS = ("solutions", "assignments", "autograder/checks", "data")
PLAIN_TUPLE = """
def encode(bits):
    return bits[:1], tuple(len(list(run)) for _, run in groupby(bits))
"""
# Earns what it should, and has a helper that is called as the course's own function.
HELPER = "def check(bits):\n    return bits\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A copy of the course, and in it the weights that its own command makes."""
    root = tmp_path_factory.mktemp("second") / "course"
    for part in PARTS:
        shutil.copytree(HERE / part, root / part, ignore=shutil.ignore_patterns(f"*{WEIGHTS}"))
    shutil.copy(HERE / "course.toml", root)
    done = run("fit-lights", cwd=root)
    assert done.returncode == 0, done.stderr
    return Course(root)


@pytest.fixture(scope="module")
def notebooks(course: Course) -> dict[str, Path]:
    """Submissions by name, in a folder beside the course; all but two hand weights in."""
    folder = course.root.parent / "submitted"
    solved = reference_notebook(course, WEEK)
    mutant = (course.mutants(WEEK) / "last_run_forgotten.py").read_text("utf-8")
    contents = {
        "right": solved,
        "forgetful": with_answers(solved, {"task_1_1": mutant}),
        "tuple": with_answers(solved, {"task_1_1": PLAIN_TUPLE}),
        "unarmed": solved,
        "stub": json.loads(course.release(WEEK).read_text("utf-8")),
        "armed": json.loads(course.release(WEEK).read_text("utf-8")),
    }
    cell = {"cell_type": "code", "id": "own", "metadata": {}, "source": HELPER}
    contents["right"] = solved | {"cells": [*solved["cells"], cell]}
    for name, content in contents.items():
        write_json(folder / f"{name}.ipynb", content)
        if name not in ("unarmed", "stub"):
            shutil.copy(reference_weights(course, WEEK), folder / f"{name}{WEIGHTS}")
    return {name: folder / f"{name}.ipynb" for name in contents}


@pytest.fixture(scope="module")
def results(course: Course, notebooks: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """Their results by student, from one call of the command."""
    out = course.root.parent / "out"
    done = run("grade", WEEK, *notebooks.values(), "--out", out, cwd=course.root)
    assert done.returncode == 0, done.stderr
    results = json.loads((out / "results.json").read_text("utf-8"))
    assert results["isolation"] == "bubblewrap"
    return {one["student"]: one for one in results["submissions"]}


@pytest.fixture(scope="module")
def graded(results: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """How they were graded: by student, the tasks by label."""
    return {
        student: {task["task"]: task for task in one["tasks"]} for student, one in results.items()
    }


def scores(tasks: dict[str, Any]) -> list[float]:
    return [task["score"] for task in tasks.values()]


def test_what_is_committed_is_what_a_release_builds(course: Course) -> None:
    assert run("release", "--check", cwd=HERE).returncode == 0
    committed = course.release(WEEK).read_bytes()
    course.release(WEEK).write_bytes(b"")
    done = run("release", cwd=course.root)
    assert (done.returncode, done.stderr) == (0, "")
    assert course.release(WEEK).read_bytes() == committed


def test_right_answers_earn_everything_a_named_tuple_among_them(graded: dict[str, Any]) -> None:
    assert scores(graded["right"]) == [8, 6, 6]
    assert {task["status"] for task in graded["right"].values()} == {"passed"}


def test_an_untouched_notebook_earns_nothing(graded: dict[str, Any]) -> None:
    assert scores(graded["stub"]) == [0, 0, 0]


def test_a_known_mistake_is_told_and_costs_its_own_task_alone(graded: dict[str, Any]) -> None:
    tasks = graded["forgetful"]
    assert scores(tasks) == [1, 6, 6]
    assert tasks["1.1"]["status"] == "partial"
    assert "Hint: These are all runs but one." in tasks["1.1"]["message"]


def test_another_tuple_is_told_from_the_courses_own(graded: dict[str, Any]) -> None:
    assert scores(graded["tuple"]) == [0, 6, 6]
    assert "must be the `Runs` of the setup cell, but is tuple" in graded["tuple"]["1.1"]["message"]


def test_weights_are_measured_where_they_are_handed_in(graded: dict[str, Any]) -> None:
    assert scores(graded["unarmed"]) == [8, 6, 3]
    assert f"no unarmed{WEIGHTS} beside the notebook" in graded["unarmed"]["1.3"]["message"]


def test_weights_alone_are_an_attempt(graded: dict[str, Any]) -> None:
    assert scores(graded["armed"]) == [0, 0, 3]


def test_results_say_which_weights_were_measured(
    results: dict[str, Any], notebooks: dict[str, Path]
) -> None:
    data = notebooks["right"].with_suffix(WEIGHTS).read_bytes()
    assert results["right"]["weights_sha256"] == hashlib.sha256(data).hexdigest()
    assert results["unarmed"]["weights_sha256"] is None


def test_an_audit_is_clean_and_measures_the_references_weights(
    course: Course, tmp_path: Path
) -> None:
    done = run("audit", WEEK, "--json", tmp_path / "audit.json", cwd=course.root)
    assert done.returncode == 0, done.stdout
    assert "left out" not in done.stdout
    outcome = json.loads((tmp_path / "audit.json").read_text("utf-8"))
    assert (outcome["reference"], outcome["stub"]) == (100, 0)
    assert outcome["mutants"] == {"total": 5, "caught": 5, "survivors": []}
    assert outcome["untold"] == {}
    assert outcome["variants"] == {"total": 3, "accepted": 3, "rejected": []}
    assert "5 of 5 mutants caught (5 with their hint)" in done.stdout
    assert "5 of 5 mutants told by their hint in a notebook" in done.stdout


def test_the_demo_shows_this_course(course: Course, tmp_path: Path) -> None:
    done = run("demo", "--out", tmp_path, cwd=course.root)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))["submissions"]
    points = {result["student"]: [task["score"] for task in result["tasks"]] for result in results}
    assert points == {
        "reference": [8, 6, 6],
        "untouched": [0, 0, 0],
        "mistaken": [1, 3.75, 6],
        "hostile": [0, 0, 0],
    }
    hostile = [task["status"] for task in results[-1]["tasks"]]
    assert hostile == ["failed", "violation", "failed"]


def test_doctor_looks_at_this_course(course: Course) -> None:
    done = run("doctor", cwd=course.root)
    assert done.returncode == 0, done.stdout
    assert "1 up to date" in done.stdout
    assert done.stdout.count("held") == 6


def test_commands_are_the_engines_and_this_courses() -> None:
    done = run("--help", cwd=HERE)
    assert "fit-lights" in done.stdout
    assert "train-reference" not in done.stdout


def test_students_are_told_by_the_checks_of_their_own_course(notebooks: dict[str, Path]) -> None:
    right = run("check", notebooks["right"], program="detlab")
    assert (right.returncode, right.stderr) == (0, "")
    assert "`encode` counts the runs of a short string" in right.stdout
    assert "3 of 3 tasks pass their visible checks." in right.stdout
    wrong = run("check", notebooks["tuple"], program="detlab")
    assert wrong.returncode == 1
    assert "must be the `Runs` of the setup cell, but is tuple" in wrong.stdout


def test_without_a_setup_cell_the_released_one_runs(notebooks: dict[str, Path]) -> None:
    notebook = json.loads(notebooks["right"].read_text("utf-8"))
    path = notebooks["right"].with_name("headless.ipynb")
    cells = [cell for cell in notebook["cells"] if cell["id"] != "setup"]
    write_json(path, notebook | {"cells": cells})
    assert run("check", path, program="detlab").returncode == 0


def test_where_nothing_names_a_course_none_is_guessed(notebooks: dict[str, Path]) -> None:
    notebook = json.loads(notebooks["right"].read_text("utf-8"))
    path = notebooks["right"].with_name("nameless.ipynb")
    cells = [cell for cell in notebook["cells"] if cell["id"] != "setup"]
    write_json(path, notebook | {"cells": cells, "metadata": {}})
    done = run("check", path, program="detlab")
    assert done.returncode == 2
    assert "The setup cell does not import the course's `check`" in done.stderr
