"""`detlab check` and the grader agree on what of a notebook counts, whatever was done to it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from engine.damaged import damaged
from harness import ROOT, run

from detgrader.course import Course
from detgrader.intake import WEIGHTS
from detgrader.reference import reference_notebook, reference_weights
from detlab.checking.labels import answer_id
from detlab.checking.notebook import Refused, grade_id_of, read_notebook
from detlab.checking.practice import Practice

HERE = ROOT / "tests/second_course"
WEEK = "week1_runs"
# Where an earlier answer is lost or stands below, the grader hands in a right one; a check in a
# notebook cannot.
RESTS_ON = {"1.2": {"1.1"}}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("agreement") / "course"
    for part in ("solutions", "assignments", "autograder/checks", "data"):
        shutil.copytree(HERE / part, root / part)
    shutil.copy(HERE / "course.toml", root)
    assert run("fit-lights", cwd=root).returncode == 0
    return Course(root)


@pytest.fixture(scope="module")
def files(course: Course) -> dict[str, Path]:
    """A few hundred notebooks by name, each with weights beside it."""
    weights = reference_weights(course, WEEK)
    paths = {}
    for number, (name, data) in enumerate(damaged(reference_notebook(course, WEEK)).items()):
        paths[name] = course.root.parent / "handed_in" / f"n{number}" / f"{WEEK}.ipynb"
        paths[name].parent.mkdir(parents=True)
        paths[name].write_bytes(data)
        shutil.copy(weights, paths[name].with_suffix(WEIGHTS))
    return paths


@pytest.fixture(scope="module")
def graded(course: Course, files: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """What the grader says of each, by one call of the command."""
    out = course.root.parent / "out"
    done = run("grade", WEEK, *files.values(), "--out", out, cwd=course.root)
    assert done.returncode == 1, done.stderr  # some are refused
    results = json.loads((out / "results.json").read_text("utf-8"))["submissions"]
    return dict(zip(files, results, strict=True))


def practised(path: Path) -> dict[str, bool] | str:
    """Return which tasks pass the visible checks, or why the file is refused."""
    try:
        practice = Practice(path)
        return {report.task: report.passed for report in practice.reports(lambda error: None)}
    except Refused as error:
        return str(error)


def stands_below(path: Path, one: str, other: str) -> bool:
    """Say whether a task's answer stands below another's in a notebook that has both."""
    names = [grade_id_of(cell) for cell in read_notebook(path.read_bytes())["cells"]]
    ids = answer_id(one), answer_id(other)
    return set(ids) <= set(names) and names.index(ids[0]) > names.index(ids[1])


@pytest.mark.filterwarnings("ignore")  # what damaged code makes Python warn of
def test_check_and_grader_agree(files: dict[str, Path], graded: dict[str, Any]) -> None:
    assert len(files) > 300
    wrong = []
    for name, path in files.items():
        said, result = practised(path), graded[name]
        assert not [t for t in result["tasks"] if t["status"] == "grader_error"], name
        if isinstance(said, str) or result["error"]:
            if not (isinstance(said, str) and result["error"]):
                wrong.append(f"{name}: {said} / {result['error'] or result['score']}")
            continue
        passed = {task["task"]: task["status"] == "passed" for task in result["tasks"]}
        for label, right in passed.items():
            earlier = RESTS_ON.get(label, set())
            lost = {e for e in earlier if not passed[e] or stands_below(path, e, label)}
            if said[label] != right and not (right and lost):
                message = next(t["message"] for t in result["tasks"] if t["task"] == label)
                wrong.append(f"{name}: {label} {said[label]} / {right} {message[:150]}")
    assert not wrong, f"{len(wrong)} of {len(files)} differ\n" + "\n".join(wrong)
