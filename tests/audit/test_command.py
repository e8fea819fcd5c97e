"""`detgrader audit`, as an author runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attacks.toys import WEEK
from audit.toys import MUTANTS, build, mutant, write
from harness import run

from detgrader.audit.audit import results_file
from detgrader.course import Course

SURVIVOR = mutant("1.2", "LIMIT = 3", does="nothing wrong")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build(
        tmp_path_factory.mktemp("command") / "course", {f"{MUTANTS}/survivor.py": SURVIVOR}
    )


def test_the_fast_loop_of_an_author(course: Course) -> None:
    """One mutant, which survives; then it is mended; then its task; and nothing twice."""
    outcome = course.root / "out" / "audit.json"
    done = run("audit", WEEK, "--only", "survivor", "--json", outcome, cwd=course.root)
    assert (done.returncode, done.stderr) == (1, "")
    assert "1.2 mutant survivor: survives: nothing wrong" in done.stdout
    found = json.loads(outcome.read_text("utf-8"))
    assert found["mutants"] == {"total": 1, "caught": 0, "survivors": ["survivor"]}
    assert [one["overlay"] for one in found["failures"]] == ["survivor"]
    for file in (results_file(course, WEEK), results_file(course, WEEK).with_suffix(".log")):
        assert file.stat().st_mode & 0o777 == 0o600
        assert "survivor" in file.read_text("utf-8")
    mended = mutant("1.2", "def scale(boxes, factor):\n    return boxes + factor")
    write(course.root / MUTANTS / "survivor.py", mended)
    done = run("audit", WEEK, "--only", "survivor", cwd=course.root)
    assert done.returncode == 0, done.stdout
    assert "1 to grade" in done.stdout
    done = run("audit", WEEK, "--task", "1.2", cwd=course.root)
    assert done.returncode == 0, done.stdout
    assert "58 to grade" in done.stdout  # what the task's junk is
    assert "1 checks to be told junk" in done.stdout
    done = run("audit", WEEK, "--task", "1.2", cwd=course.root)
    assert done.returncode == 0, done.stdout
    assert "to grade" not in done.stdout
    assert "told junk" not in done.stdout
    assert "0 results graded, 61 reused" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["week9"], "no week 'week9'"),
        ([WEEK, "--task", "1.9"], "no task 1.9 with checks, only 1.1"),
        ([WEEK, "--only", "subtrakts"], "did you mean subtracts?"),
        ([WEEK, "--secrets", "0"], "should be greater than or equal to 1"),
    ],
)
def test_wrong_usage_is_told_and_has_status_two(course: Course, words: list, says: str) -> None:
    done = run("audit", *words, cwd=course.root)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_an_overlay_without_its_fields_is_named(tmp_path: Path) -> None:
    course = build(tmp_path / "course", {f"{MUTANTS}/nameless.py": "x = 1\n"})
    done = run("audit", WEEK, cwd=course.root)
    assert done.returncode == 2
    assert "nameless.py:1: the docstring lacks a line `task: …`" in " ".join(done.stderr.split())
