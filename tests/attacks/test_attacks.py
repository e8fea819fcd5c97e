"""Every attack of the list, graded for real: no point is gained and nothing else is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attacks import ATTACKS
from attacks.grading import attacked_notebook, build_course, hand_in, solved_notebook
from attacks.toys import LABELS, POINTS, WEEK, Attack
from detgrader.classroom.batch import grade_batch, take_in_all
from detgrader.grading.results import SubmissionResult

HONEST = "nothing:honest"
# Hidden inputs are integers of six digits or more, and numbers with many decimals.
HIDDEN = re.compile(r"(?<!\d)\d{6,8}(?!\d)|\d\.\d{3}|\.\d{4}")


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that nobody may make."""
    return tmp_path_factory.mktemp("canary") / "canary"


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, canary: Path) -> dict[str, SubmissionResult]:
    """Grade all attacks in one batch, each before the next honest submission could suffer."""
    course = build_course(tmp_path_factory.mktemp("attacked") / "course")
    folder = tmp_path_factory.mktemp("submissions")
    solved = solved_notebook(course)
    paths = [
        hand_in(attacked_notebook(course, solved, attack, canary), folder / f"{number}.ipynb")
        for number, attack in enumerate(ATTACKS.values())
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DETGRADER_SECRET", "hidden-secret")
        patch.setenv("CI_TOKEN", "hidden-secret")
        batch = grade_batch(course, WEEK, take_in_all(paths), 2, secret="hidden-secret")
    assert batch.isolation == "bubblewrap"
    return dict(zip(ATTACKS, batch.submissions, strict=True))


def task_of(result: SubmissionResult, label: str):
    return next(task for task in result.tasks if task.task == label)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_attack_gains_nothing(attack: Attack, graded: dict, canary: Path) -> None:
    result = graded[attack.name]
    task = task_of(result, attack.task)
    assert task.status in attack.statuses, task
    assert attack.says in task.message
    if task.status == "passed":
        assert (task.score, task.message) == (POINTS[attack.task], "")
    elif task.status == "partial":
        assert 0 < task.score < POINTS[attack.task]
    else:
        assert task.score == 0
        assert task.message
    assert attack.log == "" or any(attack.log in line for line in result.log), result.log
    assert not canary.exists()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_attack_harms_no_other_task(attack: Attack, graded: dict) -> None:
    result = graded[attack.name]
    scores = {task.task: task.score for task in result.tasks}
    lost = {attack.task, *attack.harms}
    assert scores == {
        label: scores[label] if label == attack.task else POINTS[label] * (label not in lost)
        for label in LABELS
    }
    assert result.graded
    assert result.max_score == 100


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
def test_feedback_is_plain_and_holds_nothing_hidden(attack: Attack, graded: dict) -> None:
    for task in graded[attack.name].tasks:
        assert len(task.message) < 3000
        assert all(c.isprintable() or c == "\n" for c in task.message)
        shown = task.message.replace(attack.code, "")
        assert not HIDDEN.search(shown), shown
        assert "reached" not in shown
    log = "\n".join(graded[attack.name].log)
    assert len(log) < 20_000
    assert all(c.isprintable() or c == "\n" for c in log)


def test_honest_submission_earns_everything(graded: dict) -> None:
    assert graded[HONEST].score == 100
    assert graded[HONEST].log == []
