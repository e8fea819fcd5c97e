"""Promises about points: what a violation costs, what runs once, whose chance is whose."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import POINTS, WEEK

from detgrader.classroom.batch import grade_batch, take_in_all
from detgrader.course import Course
from detgrader.grading.diagnosis import Answers, Diagnosis, Known, KnownMistake
from detgrader.grading.mistakes import MistakesBench
from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status, TaskResult
from detgrader.grading.session import BUCKETS, CheckSession
from detgrader.grading.tasks import Check
from detgrader.intake import Submission
from detgrader.overlays import Overlay
from detlab.checking.notebook import CodeCell
from detlab.checking.workbench import StudentError

# Right where the first check asks, then something that only an attack does.
RIGHT_THEN_HOSTILE = """
import os
def add(first, second):
    return first + second if first > 0 else os.kill(1, 9)
"""
# Right if its first draws are the check's own: then both have the same seed.
FORESEES = """
def add(first, second):
    drawn = torch.randint(10**6, 10**7, (2,)).tolist()
    return first + second if drawn == [first, second] else 0
"""
# Two seconds in the cell and two in the function, of three for the task. The cell runs while the
# task before it is checked, so that nobody waits for it.
IDLE_BEFORE = "import time\ndef add(first, second):\n    time.sleep(1)\n    return first + second\n"
IDLE_TWICE = (
    "import time\ntime.sleep(2)\n"
    "def scale(boxes, factor):\n    time.sleep(2)\n    return boxes * factor\n"
)
BROKEN_ADD = "def add(first, second):\n    raise KeyError('mine')\n"
RANKS_BY_ADD = """
def rank(scores):
    add(1, 1)
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    return {"best": order[0], "order": order}
"""
SUBMISSIONS = {
    "hostile": {"task_1_1": RIGHT_THEN_HOSTILE},
    "foresees": {"task_1_1": FORESEES},
    "idle": {"task_1_1": IDLE_BEFORE, "task_1_2": IDLE_TWICE},
    "leans": {"task_1_1": BROKEN_ADD, "task_1_4": RANKS_BY_ADD},
}


def graded(course: Course, folder: Path, names: list[str]) -> dict[str, dict[str, TaskResult]]:
    """Grade some of the submissions; return their tasks by label."""
    solved = solved_notebook(course)
    paths = [
        hand_in(notebook_with(solved, SUBMISSIONS[name]), folder / f"{name}.ipynb")
        for name in names
    ]
    batch = grade_batch(course, WEEK, take_in_all(paths), 2, secret="one")
    return {one.student: {task.task: task for task in one.tasks} for one in batch.submissions}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, TaskResult]]:
    folder = tmp_path_factory.mktemp("fairness")
    return graded(build_course(folder / "course"), folder, list(SUBMISSIONS))


def test_a_violation_takes_all_points_of_its_task_and_no_others(results) -> None:
    tasks = results["hostile"]
    assert (tasks["1.1"].status, tasks["1.1"].score) == (Status.VIOLATION, 0)
    assert {label: task.score for label, task in tasks.items()} == POINTS | {"1.1": 0}


def test_a_students_chance_is_not_the_inputs(results) -> None:
    assert results["foresees"]["1.1"].score == 0


def test_the_time_of_cells_is_the_tasks_own_even_if_nobody_waited_for_them(results) -> None:
    assert results["idle"]["1.1"].status is Status.PASSED
    assert results["idle"]["1.2"].status is Status.LIMIT


MARK = f'    pytest.mark.task("1.4", points={POINTS["1.4"]}),\n'


def test_what_leans_on_a_broken_answer_is_checked_again_with_a_right_one(results) -> None:
    assert results["leans"]["1.4"].status is Status.PASSED


@pytest.mark.parametrize("mark", ['needs("1.2")', 'weights("apples", max_mb=1)'])
def test_trainings_and_measurements_run_once(tmp_path: Path, mark: str) -> None:
    """They take minutes: a second run, with right answers in place of earlier ones, is not made."""
    course = build_course(tmp_path / "course")
    checks = course.checks(WEEK) / "test_1_4.py"
    text = checks.read_text("utf-8")
    assert MARK in text
    checks.write_text(text.replace(MARK, f"{MARK}    pytest.mark.{mark},\n"), "utf-8")
    task = graded(course, tmp_path, ["leans"])["leans"]["1.4"]
    assert (task.status, task.score) == (Status.FAILED, 0)


@pytest.mark.parametrize("error", ["NameError", "NotImplementedError"])
def test_no_hint_is_given_for_what_was_not_written(error: str) -> None:
    """A known mistake that forgets a name fails just as a task that was not begun does."""
    mistake = KnownMistake(Overlay("forgets", "1.1", "forgets", "Which name?"), None, ())
    check = Check(SimpleNamespace(path=Path("a.py"), name="sum"), "1.1", 1, False)
    for raised, hint in ((error, ""), ("KeyError", "Which name?")):
        alike = Answers([["error", raised, ""]], whole=True, failed=True)
        diagnosis = Diagnosis({"1.1": Known([mistake])}, lambda *_, alike=alike: alike)
        outcome = Outcome(Status.FAILED, transcript=[StudentError(raised, "")])
        assert diagnosis.hint("1.1", [(check, outcome)], 0) == hint


def test_figures_of_known_mistakes_are_closed() -> None:
    def run(check, subject) -> Outcome:
        subject.student.draw()
        assert plt.get_fignums()
        return Outcome(Status.FAILED)

    cell = CodeCell("task_1_1", "def draw():\n    return plt.figure()")
    submission = Submission("x", Path("x"), cells=[cell])
    mistake = KnownMistake(None, submission, ("task_1_1",))
    assignment = SimpleNamespace(setup="import matplotlib.pyplot as plt")
    bench = MistakesBench(SimpleNamespace(run=run), assignment, {}, {})
    bench.ask(mistake, None, [["object"]], again=False)
    assert plt.get_fignums() == []


def test_another_notebook_is_asked_other_inputs_and_the_same_one_the_same(tmp_path: Path) -> None:
    """Who has learned from one grading what was asked gains nothing by it in the next."""
    course = build_course(tmp_path / "course")
    wrong = notebook_with(
        solved_notebook(course), {"task_1_1": "def add(first, second):\n    return 0\n"}
    )
    paths = []
    for number in range(12):
        wrong["metadata"]["saved"] = number
        paths.append(hand_in(wrong, tmp_path / f"{number}.ipynb"))
    # What staff read of the failed sum names both numbers.
    first, again = (
        [
            [check.detail for check in one.checks["1.1"]]
            for one in grade_batch(course, WEEK, take_in_all(paths), 2, secret="one").submissions
        ]
        for _ in range(2)
    )
    assert first == again
    asked = {str(details) for details in first}
    assert 1 < len(asked) <= BUCKETS


def test_which_inputs_a_notebook_is_asked_only_the_secret_tells() -> None:
    sessions = [CheckSession(lambda session: None, secret) for secret in ("one", "two")]
    one, two = ([session.bucket_of(f"{n}") for n in range(200)] for session in sessions)
    assert set(one) == set(two) == set(range(BUCKETS))
    assert one != two
