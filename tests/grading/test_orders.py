"""What staff ask for of their own submissions: less is run, and the same comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from attacks.grading import build_course
from attacks.toys import LABELS, WEEK

from detgrader.assignment import load_assignment
from detgrader.classroom.batch import grade_batch
from detgrader.course import Course
from detgrader.grading.orders import Order
from detgrader.grading.results import CheckResult, Status, SubmissionResult, TaskResult
from detgrader.intake import Submission
from detgrader.reference import reference_submission

USES_ADD = """
def rank(scores):
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    return {"best": add(order[0], 0), "order": order}
"""
ANSWERS = {
    "right": {},
    "subtracts": {"task_1_1": "\ndef add(first, second):\n    return first - second\n"},
    "half": {"task_1_1": "\ndef add(first, second):\n    return abs(first) + abs(second)\n"},
    # Ends its worker, and so is left out for later tasks, one of which uses it.
    "loops": {
        "task_1_1": "\ndef add(first, second):\n    while first: pass\n    return second\n",
        "task_1_4": USES_ADD,
    },
    "leans": {
        "task_1_1": "\ndef add(first, second):\n    return 99\n",
        "task_1_4": USES_ADD,
    },
}


def laid_over(reference: Submission, name: str, answers: dict[str, str]) -> Submission:
    """Return the reference with code at the end of some cells."""
    cells = [
        replace(cell, source=cell.source + answers.get(cell.name, "")) for cell in reference.cells
    ]
    return replace(reference, student=name, cells=cells)


class Bench:
    """Grades the submissions of this file as it is told."""

    def __init__(self, course: Course):
        self.course = course
        reference = reference_submission(course, load_assignment(course, WEEK))
        self.submissions = {
            name: laid_over(reference, name, answers) for name, answers in ANSWERS.items()
        }

    def grade(self, orders: dict[str, Order]) -> dict[str, SubmissionResult]:
        """Grade orders by name."""
        named = [
            replace(order, submission=replace(order.submission, student=name))
            for name, order in orders.items()
        ]
        batch = grade_batch(self.course, WEEK, lambda assignment: named, 2, secret="one")
        return dict(zip(orders, batch.submissions, strict=True))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    course = build_course(tmp_path_factory.mktemp("orders") / "course")
    checks = course.checks(WEEK) / "test_1_1.py"
    text = checks.read_text("utf-8")
    costly = text.replace("def test_negative", "@pytest.mark.costly\ndef test_negative")
    checks.write_text(f"{costly}\n\n{LAST}", "utf-8")
    return Bench(course)


# The third check of 1.1: it has 8 of 40 points, like the second one, and the first has 24.
LAST = '''\
@pytest.mark.costly
def test_last(student):
    """`add` adds at last."""
    expect_equal(student.add(first=1, second=0), 1, "The sum")
'''


@pytest.fixture(scope="module")
def whole(bench: Bench) -> dict[str, SubmissionResult]:
    orders = {name: Order(one, frozenset(LABELS)) for name, one in bench.submissions.items()}
    return bench.grade(orders)


def outcome(result: SubmissionResult, label: str) -> tuple[TaskResult, list[CheckResult]]:
    """Return all of a task's result but the time that it took."""
    task = next(task for task in result.tasks if task.task == label)
    return replace(task, seconds=0.0, memory_mb=0), result.checks[label]


def test_a_task_by_itself_comes_out_as_in_a_whole_run(bench: Bench, whole: dict) -> None:
    orders = {}
    for name, submission in bench.submissions.items():
        ended = frozenset({"task_1_1"} if name == "loops" else ())
        for label in LABELS:
            orders[f"{name} {label}"] = Order(
                submission, frozenset({label}), ended=ended if label != "1.1" else frozenset()
            )
    for key, result in bench.grade(orders).items():
        name, label = key.split()
        assert outcome(result, label) == outcome(whole[name], label), key
    assert outcome(whole["loops"], "1.1")[0].status is Status.LIMIT
    assert outcome(whole["loops"], "1.4")[0].status is Status.PASSED
    assert [check.again for check in whole["loops"].checks["1.4"]] == [True]


def test_checks_that_are_known_to_pass_count_so_and_are_not_run(bench: Bench, whole: dict) -> None:
    known = frozenset({"test_1_1.py::test_sum"})
    orders = {
        name: Order(bench.submissions[name], frozenset({"1.1"}), passing=known)
        for name in ("half", "subtracts")
    }
    results = bench.grade(orders)
    assert outcome(results["half"], "1.1")[0] == outcome(whole["half"], "1.1")[0]
    assert [one.asked for one in results["half"].checks["1.1"]] == [False, True, True]
    # Who says so is taken at their word.
    assert outcome(results["subtracts"], "1.1")[0].score == 24 + 8


def test_costly_checks_are_spared_once_a_cheap_one_has_failed(bench: Bench) -> None:
    orders = {
        name: Order(bench.submissions[name], frozenset({"1.1"}), sparing=True)
        for name in ("subtracts", "half", "right")
    }
    results = bench.grade(orders)
    spared = results["subtracts"].checks["1.1"]
    assert [(one.status, one.asked) for one in spared] == [
        (Status.FAILED, True),
        (Status.PASSED, False),
        (Status.PASSED, False),
    ]
    assert outcome(results["subtracts"], "1.1")[0].score == 16  # it lost at least as much as that
    for name, score in (("half", 32), ("right", 40)):
        assert outcome(results[name], "1.1")[0].score == score
        assert all(one.asked for one in results[name].checks["1.1"])


def test_what_is_to_run_once_gets_no_second_chance(bench: Bench, whole: dict) -> None:
    assert outcome(whole["leans"], "1.4")[0].status is Status.PASSED
    order = Order(bench.submissions["leans"], frozenset({"1.4"}), once=frozenset({"1.4"}))
    (result,) = bench.grade({"leans": order}).values()
    assert outcome(result, "1.4")[0].status is Status.FAILED


def test_no_output_holds_what_only_staff_may_see(whole: dict, tmp_path: Path) -> None:
    from detgrader.classroom.reports import write_reports
    from detgrader.grading.results import BatchResult

    details = {
        check.detail
        for result in whole.values()
        for checks in result.checks.values()
        for check in checks
        if check.detail
    }
    assert details
    batch = BatchResult(WEEK, "bubblewrap", list(whole.values()))
    written = write_reports(batch, tmp_path, "one")
    for path in [written.results, written.junit, *written.gradescope.glob("*.json")]:
        text = path.read_text("utf-8")
        assert not [detail for detail in details if detail in text]
        assert "test_1_1.py::" not in text
    assert all(detail in written.log.read_text("utf-8") for detail in details)
