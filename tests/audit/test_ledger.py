"""What is known of submissions, and what an audit asks for again: no more than it must."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from audit.toys import CHECKS, MUTANTS, VARIANTS, build, builder_of, edit, mutant, overlay

from detgrader.audit.audit import SECRET
from detgrader.audit.cases import Case, Selection
from detgrader.audit.ledger import Errand, Ledger
from detgrader.audit.reuse import Store
from detgrader.course import Course
from detgrader.grading.results import CheckResult, Status, SubmissionResult, TaskResult

SUM, NEGATIVE = "test_1_1.py::test_sum", "test_1_1.py::test_negative"
DOUBLED = "def doubled(number):\n    return 3 * number\n\n\ndef add(first, second):\n    return 0"
SUMS = "def add(first, second):\n    return sum([first, second])"
FILES = {
    f"{MUTANTS}/doubles.py": mutant("1.1", DOUBLED),
    f"{VARIANTS}/sums.py": overlay("1.1", SUMS),
}


# A check that looks at nothing, and one that looks at the sum.
IDLE = '''\
def test_third(student):
    """It adds."""


'''
THIRD = IDLE.replace('."""', '."""\n    student.add(first=1, second=1)')


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return build(tmp_path / "course", FILES)


class Bench:
    """The ledger of a course as it is now, and its submissions by name."""

    def __init__(self, course: Course, hints: bool = True):
        builder = builder_of(course)
        self.cases = {case.name: case for case in builder.build(Selection())}
        store = Store(course.root / "results.json")
        self.ledger = Ledger(store, builder.inputs, SECRET, hints=hints)

    def errand(self, name: str) -> Errand:
        """Return the one errand for a submission."""
        (errand,) = self.ledger.errands_of(self.cases[name])
        return errand

    def take(
        self, name: str, checks: dict[str, dict[str, CheckResult]], seconds: float = 0
    ) -> None:
        """Take a result in, in which all checks pass but those that are given."""
        errand = self.errand(name)
        found, tasks = {}, []
        for label in errand.labels:
            keys = self.ledger.inputs.of_checks[label]
            told = checks.get(label, {})
            found[label] = [told.get(key) or result(key, Status.PASSED) for key in keys]
            score = sum(one.passed for one in found[label]) / len(keys) * self.ledger.points[label]
            points = self.ledger.points[label]
            tasks.append(TaskResult(label, "", score, points, Status.PARTIAL, seconds=seconds))
        self.ledger.take(errand, SubmissionResult(name, "", None, tasks, checks=found))
        self.ledger.store.write()


def result(key: str, status: Status = Status.FAILED, **more: bool) -> CheckResult:
    return replace(CheckResult(key, "", status), **more)


def test_only_a_check_that_changed_is_asked_of_a_mutant_and_what_failed(course: Course) -> None:
    bench = Bench(course)
    assert bench.errand("subtracts").order.passing == set()
    bench.take("subtracts", {"1.1": {NEGATIVE: result(NEGATIVE)}})
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{THIRD}def test_negative")
    order = Bench(course).errand("subtracts").order
    assert (order.only, order.passing) == ({"1.1"}, {SUM})
    # Its hint, if there is one, comes from all that failed.
    edit(course, f"{CHECKS}/test_1_1.py", THIRD, "")
    edit(course, f"{MUTANTS}/doubles.py", "3 * number", "4 * number")
    assert Bench(course).errand("subtracts").order.passing == {SUM}


def test_without_hints_nothing_is_compared_with_known_mistakes(course: Course) -> None:
    bench = Bench(course, hints=False)
    order = bench.errand("subtracts").order
    assert (order.hints, bench.errand("sums").order.hints) == (False, False)
    bench.take("subtracts", {"1.1": {NEGATIVE: result(NEGATIVE)}})
    edit(course, f"{MUTANTS}/doubles.py", "3 * number", "4 * number")
    assert list(Bench(course, hints=False).ledger.errands_of(bench.cases["subtracts"])) == []
    assert Bench(course).errand("subtracts").order.hints


def test_what_passed_only_in_a_second_run_is_asked_again(course: Course) -> None:
    bench = Bench(course)
    told = {SUM: result(SUM, Status.PASSED, again=True), NEGATIVE: result(NEGATIVE)}
    bench.take("subtracts", {"1.1": told})
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{THIRD}def test_negative")
    assert Bench(course).errand("subtracts").order.passing == set()


def test_what_was_seen_to_pass_stays_so_when_it_is_not_asked_again(course: Course) -> None:
    bench = Bench(course)
    bench.take("subtracts", {"1.1": {NEGATIVE: result(NEGATIVE)}})
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{THIRD}def test_negative")
    bench = Bench(course)
    told = {SUM: result(SUM, Status.PASSED, asked=False), NEGATIVE: result(NEGATIVE)}
    bench.take("subtracts", {"1.1": told})
    record = bench.ledger.record(bench.cases["subtracts"], "1.1")
    assert record
    assert all(check.asked for check in record.checks)
    edit(course, f"{CHECKS}/test_1_1.py", "It adds.", "It adds up.")
    assert SUM in Bench(course).errand("subtracts").order.passing


def test_accepted_solutions_are_run_whole(course: Course) -> None:
    """Their time and memory are held against the limits."""
    bench = Bench(course)
    bench.take("sums", {})
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{THIRD}def test_negative")
    assert Bench(course).errand("sums").order.passing == set()


def test_what_took_long_is_tried_again(course: Course) -> None:
    """It may have been the machine; of a mistake nobody asks how long it takes."""
    bench = Bench(course)
    bench.take("sums", {}, seconds=1000)
    bench.take("subtracts", {"1.1": {SUM: result(SUM)}}, seconds=1000)
    assert Bench(course).errand("sums").labels == ("1.1",)
    assert list(Bench(course).ledger.errands_of(bench.cases["subtracts"])) == []


def test_a_check_is_sound_until_it_is_seen_otherwise(tmp_path: Path) -> None:
    store = Store(tmp_path / "results.json")
    for digest in ("one", "two", "three"):
        store.keep_sound("secret", digest, sound=True)
    store.keep_sound("secret", "two", sound=False)
    store.forget_sound("other", [])
    store.forget_sound("secret", ["one", "two"])
    store.write()
    again = Store(store.path)
    found = [again.is_sound("secret", digest) for digest in ("one", "two", "three")]
    assert found == [True, False, False]
    assert not again.is_sound("other", "one")


def test_what_a_check_could_not_see_before_is_asked_once_it_can(course: Course) -> None:
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{IDLE}def test_negative")
    bench = Bench(course)
    third = "test_1_1.py::test_third"
    assert bench.errand("subtracts").order.passing == {third}
    told = {key: result(key) for key in (SUM, NEGATIVE)}
    bench.take("subtracts", {"1.1": told | {third: result(third, Status.PASSED, asked=False)}})
    assert list(bench.ledger.errands_of(bench.cases["subtracts"])) == []
    edit(course, f"{CHECKS}/test_1_1.py", IDLE, THIRD)
    assert Bench(course).errand("subtracts").order.passing == set()


def test_cells_that_ended_their_worker_are_left_out_of_later_tasks(course: Course) -> None:
    bench = Bench(course)
    assert bench.errand("doubles").order.ended == set()
    ended = {key: result(key, Status.LIMIT, ended=True) for key in (SUM, NEGATIVE)}
    bench.take("doubles", {"1.1": ended})
    assert list(bench.ledger.errands_of(bench.cases["doubles"])) == []
    edit(course, f"{CHECKS}/test_1_2.py", "torch.rand(3, 4", "torch.rand(5, 4")
    errand = Bench(course).errand("doubles")
    assert (errand.labels, errand.order.ended) == (("1.2",), {"task_1_1"})
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{THIRD}def test_negative")
    errand = Bench(course).errand("doubles")
    assert (errand.labels, errand.order.ended) == (("1.1", "1.2"), set())


def test_a_later_task_is_asked_again_when_its_own_one_ends_otherwise(course: Course) -> None:
    bench = Bench(course)
    bench.take("doubles", {"1.1": {key: result(key) for key in (SUM, NEGATIVE)}})
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", f"{THIRD}def test_negative")
    bench = Bench(course)
    assert bench.errand("doubles").labels == ("1.1",)
    bench.take("doubles", {"1.1": {SUM: result(SUM, Status.LIMIT, ended=True)}})
    errand = bench.errand("doubles")
    assert (errand.labels, errand.order.ended) == (("1.2",), {"task_1_1"})


def test_the_reference_is_graded_task_by_task_and_the_longest_is_the_first(course: Course) -> None:
    def names(errands: Iterable[Errand]) -> list[tuple[str, tuple[str, ...]]]:
        return [(errand.case.name, errand.labels) for errand in errands]

    edit(course, f"{CHECKS}/test_1_3.py", "cpu_s=1,", "cpu_s=100,")
    bench = Bench(course)
    found = names(bench.ledger.errands(bench.cases.values()))
    assert found[0][0] == "stub"  # all tasks in one
    assert found[1] == ("reference", ("1.3",))
    assert ("reference", ("1.1",)) in found


def test_mutants_are_spared_and_run_once_where_that_is_enough(course: Course) -> None:
    bench = Bench(course)
    order = bench.errand("doubles").order
    assert (order.sparing, order.once) == (True, {"1.1"})
    order = bench.errand("sums").order
    assert not order.sparing


def test_what_no_longer_exists_is_forgotten(course: Course) -> None:
    bench = Bench(course)
    bench.take("doubles", {})
    store = Store(bench.ledger.store.path)
    key = Case.key.fget(bench.cases["doubles"])  # type: ignore[attr-defined]
    assert store.get(SECRET, key, "1.1")
    store.forget_all_but(["reference reference"])
    assert store.get(SECRET, key, "1.1") is None
