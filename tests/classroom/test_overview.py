"""A class of hundreds on one screen, and how far its grading is."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from detgrader.assignment import Assignment, Task
from detgrader.classroom import progress
from detgrader.classroom.overview import overview_of
from detgrader.classroom.progress import Meter, duration
from detgrader.classroom.terminal import print_results
from detgrader.grading.results import BatchResult, Status, SubmissionResult, TaskResult

EASY, HARD, WRITTEN = (
    Task("1.1", "Easy", 4.0, 0.0, (), ()),
    Task("1.2", "Hard", 6.0, 0.0, (), ()),
    Task("1.3", "Written", 0.0, 5.0, (), ()),
)
ASSIGNMENT = Assignment("week1", {}, (EASY, HARD, WRITTEN))


def result(student: str, easy: float | None, hard: float | None, **settings) -> SubmissionResult:
    tasks = [
        TaskResult(task.label, task.title, score, task.max_score, status_of(score, task.points))
        for task, score in ((EASY, easy), (HARD, hard))
    ]
    tasks.append(TaskResult("1.3", "Written", 0.0, 5.0, Status.MANUAL, pending_manual=5))
    return SubmissionResult(student, "x", "ab", tasks, **settings)


def status_of(score: float | None, points: float) -> Status:
    if score is None:
        return Status.GRADER_ERROR
    return Status.PASSED if score == points else Status.FAILED


def class_of(count: int) -> BatchResult:
    results = [result(f"s{number:03}", 4.0, 6.0 * (number % 2)) for number in range(count)]
    return BatchResult("week1", "bubblewrap", results)


def shown(batch: BatchResult, *found: str) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_results(console, batch, batch.submissions, ASSIGNMENT, found)
    return console.file.getvalue()


def test_what_is_known_of_a_few_is_not_told_of_the_class() -> None:
    """As after a first round, in which most have a task that was left out."""
    left_out = [result(f"s{number}", 3.0, None) for number in range(11)]
    batch = BatchResult("week1", "bubblewrap", [*left_out, result("stub", 0.0, 0.0)])
    assert [task.label for task in overview_of(batch, ASSIGNMENT).hardest(5)] == ["1.1"]
    text = shown(batch)
    assert "median 0, half of the 1 with a sum from 0 to 0" in text
    assert "passed all: Hard" not in text
    assert "half of the class from" in shown(class_of(12))


def test_points_are_spread_over_tenths_and_what_is_unknown_is_in_none() -> None:
    batch = class_of(5)
    batch.submissions.append(result("zoe", 4.0, None))
    view = overview_of(batch, ASSIGNMENT)
    assert (view.scores, view.best) == ([4, 4, 4, 10, 10], 10)
    assert dict(view.histogram) == dict.fromkeys(dict(view.histogram), 0) | {"4–5": 3, "9–10": 2}
    assert view.quartiles == (4, 4, 10)
    assert view.needs == [("zoe", "could not be graded in 1.2")]
    assert [(task.label, task.share) for task in view.hardest(5)] == [("1.2", 0.4)]
    assert [task.label for task in view.tasks] == ["1.1", "1.2"]  # a person's points are no checks'
    assert view.by_hand == 6


def test_three_hundred_fit_on_a_screen() -> None:
    batch = class_of(300)
    batch.submissions[7].error = "The file is not JSON."
    batch.submissions[8].tasks[0].status = Status.VIOLATION
    text = shown(batch, "missing, by the roster: eve")
    assert len(text.splitlines()) < 40
    for words in (
        "300 students",
        "9–10 ████████████████████████████████████████ 150",
        "1.2    50% of the points earned, 150 passed all: Hard",
        "s007: The file is not JSON.",
        "s008: violation in 1.1",
        "missing, by the roster: eve",
    ):
        assert words in text, words


def test_a_few_are_told_in_full() -> None:
    text = shown(class_of(2))
    assert text.count("┏") == 2
    assert "median" not in text


def test_a_class_of_no_points_has_an_overview() -> None:
    results = [result(str(number), None, None, error="It is empty.") for number in range(6)]
    text = shown(BatchResult("week1", "bubblewrap", results))
    assert text.count("It is empty.") == 6


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (80, "80 s"), (100, "2 min"), (5000, "83 min"), (58_000, "16 h 07 min")],
)
def test_a_duration_is_told_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_log_gets_a_line_for_each_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 100.0, 160.0, 220.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    console = Console(file=io.StringIO(), width=200)
    with Meter(console, 3) as meter:
        meter.started(["ada"])  # the sandbox took 100 s to start, which happens once
        meter.done(result("ada", 4.0, 6.0))
        meter.done(result("bob", 4.0, None))
        meter.done(result("cy", 0.0, 0.0, error="It is empty."))
    assert console.file.getvalue().splitlines() == [
        "3 to grade …",
        "[1/3] ada: 10 of 15 points, 5 to be given by hand (about 2 min left)",
        "[2/3] bob: ? of 15 points, 1.2 not graded, 5 to be given by hand (about 60 s left)",
        "[3/3] cy: not graded. It is empty.",
    ]


def test_a_terminal_says_who_how_many_and_how_long() -> None:
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=True)
    with Meter(console, 4) as meter:
        meter.started(["ada", "[b]ob[/]"])
        meter.done(result("ada", 4.0, 6.0))
        meter.done(result("cy", 0.0, 0.0, error="It is empty."))
        meter.started(["[b]ob[/]", "dan"])
        last = file.getvalue().rpartition("\r")[2]
    assert "now: ada, [b]ob[/]" in file.getvalue()
    for words in ("2/4", "1 graded, 1 refused, about 1 s left", "now: [b]ob[/], dan"):
        assert words in last, (words, last)


def test_results_are_printed_with_no_class_at_all(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    print_results(console, BatchResult("week1", "bubblewrap", []), [], ASSIGNMENT, [])
    assert console.file.getvalue() == ""
