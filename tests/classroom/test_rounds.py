"""Rounds of grading: what has not changed is reused, what was interrupted goes on."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import POINTS, WEEK
from harness import run

from detgrader.course import Course

WRONG = "def add(first, second):\n    return 0\n"
SLOW = "import time\ndef scale(boxes, factor):\n    time.sleep(1)\n    return boxes * factor\n"
COMMAND = [sys.executable, "-c", "from detgrader.cli import main; main()", "grade", WEEK]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("rounds") / "course")


@pytest.fixture(scope="module")
def solved(released: Course) -> dict:
    return solved_notebook(released)


def start(course: Course, *words: object) -> subprocess.Popen[str]:
    """Start a grading as from a shell."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        cwd=course.root,
        env=os.environ | {"DETGRADER_SECRET": "one"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # As in a terminal: a shell's background job, and what it starts, ignores the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def grade(course: Course, *words: object, status: int = 0) -> str:
    """Grade to the end and return what was printed."""
    done = run("grade", WEEK, *words, cwd=course.root, DETGRADER_SECRET="one")
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def results_in(out: Path) -> dict:
    return json.loads((out / "results.json").read_text("utf-8"))


def scores_in(out: Path) -> dict[str, float | None]:
    return {one["student"]: one["score"] for one in results_in(out)["submissions"]}


def timeless(out: Path) -> str:
    """Return the results' text less what the clock says."""
    return re.sub(r'"seconds": [\d.e-]+', "", (out / "results.json").read_text("utf-8"))


def test_only_what_is_new_or_changed_is_graded(
    released: Course, solved: dict, tmp_path: Path
) -> None:
    course = build_course(tmp_path / "course")  # its checks will change
    handed_in, out = tmp_path / "class", tmp_path / "out"
    for student in ("ada", "bob"):
        hand_in(solved, handed_in / student / "answer.ipynb")
    text = grade(course, handed_in, "--out", out)
    assert "2 to grade" in text
    first = (out / "results.json").read_bytes()

    text = grade(course, handed_in, "--out", out)
    assert "2 unchanged, results reused\n" in text
    assert "[1/" not in text
    assert (out / "results.json").read_bytes() == first

    hand_in(notebook_with(solved, {"task_1_1": WRONG}), handed_in / "bob" / "answer.ipynb")
    hand_in(solved, handed_in / "cy" / "answer.ipynb")
    text = grade(course, handed_in, "--out", out)
    assert "1 unchanged, results reused; 2 to grade (1 for its notebook, 1 new)" in text
    assert scores_in(out) == {"ada": 100, "bob": 60, "cy": 100}
    assert len(list((out / "kept/students/bob").iterdir())) == 2

    checks = course.checks(WEEK) / "test_1_4.py"
    checks.write_text(checks.read_text("utf-8") + "\n# Another version.\n", "utf-8")
    text = grade(course, handed_in, "--only", "ada", "--out", out)
    assert "0 unchanged, results reused; 1 to grade (1 for the checks)" in text
    assert scores_in(out) == {"ada": 100, "bob": 60, "cy": 100}
    text = grade(course, handed_in, "--only", "ada", "--regrade", "--out", out)
    assert "1 to grade (1 asked for)" in text


def test_one_file_more_is_added_to_the_class(
    released: Course, solved: dict, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for student in ("ada", "bob"):
        text = grade(released, hand_in(solved, tmp_path / f"{student}.ipynb"), "--out", out)
    assert "1 of earlier calls are still in the class: ada; to drop one, delete" in text
    assert scores_in(out) == {"bob": 100, "ada": 100}
    assert {path.name for path in (out / "gradescope").iterdir()} == {"ada.json", "bob.json"}


def test_a_roster_that_comes_later_names_those_who_were_graded_before(
    released: Course, solved: dict, tmp_path: Path
) -> None:
    """Nobody stands in the class twice, nothing is graded twice, and marks stay theirs."""
    out, roster = tmp_path / "out", tmp_path / "class.csv"
    ada = hand_in(solved, tmp_path / "al23.ipynb")
    grade(released, ada, "--out", out)
    grade(released, hand_in(solved, tmp_path / "bob.ipynb"), "--out", out)
    roster.write_text("student,login\nAda Lovelace,al23\nBob,b1\n", "utf-8")
    text = grade(released, ada, "--roster", roster, "--out", out)
    assert "al23 of an earlier call is Ada Lovelace\n" in text
    assert "1 unchanged, results reused\n" in text
    assert scores_in(out) == {"Ada Lovelace": 100, "bob": 100}

    hand_in(notebook_with(solved, {"task_1_1": WRONG}), ada)
    text = grade(released, ada, "--out", out)
    assert "of an earlier call is" not in text
    assert scores_in(out) == {"Ada Lovelace": 60, "bob": 100}


def test_roster_and_late_rule_are_not_forgotten(
    released: Course, solved: dict, tmp_path: Path
) -> None:
    out, rule, roster = tmp_path / "out", tmp_path / "late.toml", tmp_path / "class.csv"
    roster.write_text("student\nada\nbob\ncy\n", "utf-8")
    (tmp_path / "times.csv").write_text("student,time\nada,2026-12-02T12:00:00Z\n", "utf-8")
    rule.write_text(
        'deadline = 2026-12-01T23:59:00Z\npercent_a_day = 10\ntimes = "times.csv"\n', "utf-8"
    )
    ada, bob = (hand_in(solved, tmp_path / f"{name}.ipynb") for name in ("ada", "bob"))
    grade(released, ada, "--late", rule, "--roster", roster, "--out", out)
    text = grade(released, bob, "--out", out)
    assert f"--late {rule}: as before\n" in text
    # Of `ada` there is something, of an earlier call.
    assert "missing, by the roster: cy\n" in text
    points = {one["student"]: one["final_score"] for one in results_in(out)["submissions"]}
    assert points == {"ada": 90, "bob": 100}
    rule.write_text(rule.read_text("utf-8").replace("10", "50"), "utf-8")
    grade(released, bob, "--out", out)
    points = {one["student"]: one["final_score"] for one in results_in(out)["submissions"]}
    assert points == {"ada": 50, "bob": 100}
    rule.unlink()
    assert "named as --late, is not there: name it again" in grade(
        released, bob, "--out", out, status=2
    )


def test_what_is_costly_can_wait(solved: dict, tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    checks = course.checks(WEEK) / "test_1_3.py"
    text = checks.read_text("utf-8")
    assert text.count("pytestmark = [") == 1
    marked = text.replace("pytestmark = [", "pytestmark = [pytest.mark.costly, ")
    checks.write_text(marked, "utf-8")
    path, out = hand_in(solved, tmp_path / "ada.ipynb"), tmp_path / "out"
    grade(course, path, "--without", "costly", "--out", out)
    (ada,) = results_in(out)["submissions"]
    tasks = {task["task"]: task for task in ada["tasks"]}
    assert ada["score"] is None
    assert (tasks["1.3"]["score"], tasks["1.3"]["status"]) == (None, "skipped")
    assert tasks["1.1"]["score"] == POINTS["1.1"]
    assert "1 unchanged" in grade(course, path, "--without", "costly", "--out", out)
    assert "1 for what was left out" in grade(course, path, "--out", out)
    assert scores_in(out) == {"ada": 100}
    assert "1 unchanged" in grade(course, path, "--without", "costly", "--out", out)


def test_a_student_who_is_not_there_is_no_empty_round(
    released: Course, solved: dict, tmp_path: Path
) -> None:
    path = hand_in(solved, tmp_path / "ada.ipynb")
    text = grade(released, path, "--only", "adda", "--out", tmp_path / "out", status=2)
    assert "nothing was handed in by 'adda'; is it ada?" in text


@pytest.fixture(scope="module")
def slow_class(solved: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slow") / "class"
    for number in range(6):
        answers = {"task_1_2": SLOW, "task_1_1": WRONG} if number % 2 else {"task_1_2": SLOW}
        hand_in(notebook_with(solved, answers), folder / f"s{number}.ipynb")
    return folder


@pytest.fixture(scope="module")
def undisturbed(released: Course, slow_class: Path, tmp_path_factory) -> str:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    grade(released, slow_class, "--out", out)
    return timeless(out)


def until(process: subprocess.Popen[str], start: str) -> None:
    """Read what a grading prints until a line begins so."""
    for line in process.stdout:
        if line.startswith(start):
            return
    pytest.fail(f"no line {start}: {process.communicate()}")


def kept_in(out: Path) -> list[Path]:
    """Return the files of gradings."""
    return [path for path in (out / "kept/students").rglob("*") if path.is_file()]


def gone(process: subprocess.Popen[str]) -> bool:
    """Say whether nothing that a grading started is left after a moment."""
    for _ in range(100):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_a_run_that_was_ended_goes_on_where_it_was(
    released: Course, slow_class: Path, undisturbed: str, tmp_path: Path, name: str
) -> None:
    out, number = tmp_path / "out", signal.Signals[name]
    process = start(released, slow_class, "--jobs", "2", "--out", out)
    until(process, "[2/6]")
    # A terminal tells all processes at once, a person one.
    (os.killpg if name in ("SIGINT", "SIGHUP") else os.kill)(process.pid, number)
    _, errors = process.communicate(timeout=120)
    if name == "SIGKILL":
        assert process.returncode == -number
        assert errors == ""
    else:
        assert process.returncode == 128 + number
        assert " ".join(errors.split()) == (
            "Interrupted: what was graded is kept; run the same command again and it goes on from "
            "there."
        )
    assert gone(process)
    kept = len(kept_in(out))
    assert 2 <= kept < 6
    if name in ("SIGHUP", "SIGKILL"):
        text = grade(released, slow_class, "--out", out)
        assert f"{kept} unchanged, results reused; {6 - kept} to grade" in text
        assert timeless(out) == undisturbed
        assert len(kept_in(out)) == 6  # none was graded twice


def test_a_run_that_is_killed_at_any_moment_leaves_nothing_wrong(
    released: Course,
    slow_class: Path,
    undisturbed: str,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    """At its start, while it grades, while it writes: the next one ends as if it had not been."""
    moments, out = random.Random(pytestconfig.getoption("seed")), tmp_path / "out"
    whole = 0
    for _ in range(pytestconfig.getoption("kills")):
        process = start(released, slow_class, "--jobs", "2", "--out", out)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=moments.uniform(0, 6))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert gone(process)
        if process.returncode == 0:
            assert timeless(out) == undisturbed
            out, whole = tmp_path / f"out {whole}", whole + 1
    grade(released, slow_class, "--out", out)
    assert timeless(out) == undisturbed
    assert len(kept_in(out)) == 6


def zygote_of(process: subprocess.Popen[str]) -> psutil.Process:
    """Return the process that a grading's workers are forked from: the first of its kind."""
    found = []
    for one in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # a worker that has just ended
            words = one.cmdline()
            if words[:1] == [sys.executable] and "detgrader.sandbox.inside" in words:
                found.append((one.create_time(), one.pid, one))
    return min(found)[-1]


def test_without_its_sandbox_a_run_ends_and_the_next_goes_on(
    released: Course, slow_class: Path, undisturbed: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(released, slow_class, "--jobs", "2", "--out", out)
    until(process, "[2/6]")
    zygote_of(process).kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the sandbox ended while it was needed" in " ".join(errors.split())
    assert "Traceback" not in errors
    kept = len(kept_in(out))
    grade(released, slow_class, "--out", out)
    assert timeless(out) == undisturbed
    assert 2 <= kept < 6 == len(kept_in(out))


def a_job_of(process: subprocess.Popen[str]) -> psutil.Process:
    """Return one of the processes that grade, which are copies of the command's own."""
    own = psutil.Process(process.pid)
    for child in own.children():
        with contextlib.suppress(psutil.Error):  # of a child that ends meanwhile
            if child.cmdline() == own.cmdline():
                return child
    raise AssertionError("no process grades")


def test_a_grading_process_that_is_killed_leaves_no_zero(
    released: Course, slow_class: Path, undisturbed: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = start(released, slow_class, "--jobs", "2", "--out", out)
    until(process, "[1/6]")
    a_job_of(process).kill()
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "? of 100 points, 1.1, 1.2, 1.3, 1.4 not graded" in text
    assert "who needs a person:" in text
    (lost,) = (one for one in results_in(out)["submissions"] if one["score"] is None)
    assert {task["status"] for task in lost["tasks"]} == {"grader_error"}
    scope = json.loads((out / "gradescope" / f"{lost['student']}.json").read_text("utf-8"))
    assert scope["score"] is None
    text = grade(released, slow_class, "--out", out)
    assert "5 unchanged, results reused; 1 to grade (1 not graded before)" in text
    assert timeless(out) == undisturbed
