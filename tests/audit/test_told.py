"""Mutants in a notebook: those that visible checks do not tell by their own hint are counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from detgrader.assignment import Assignment, load_assignment
from detgrader.audit.cases import Case, Kind
from detgrader.audit.told import find_refused, find_untold, problems
from detgrader.course import Course
from detgrader.intake import Submission
from detgrader.overlays import load_overlays
from detlab.checking import visible

COURSE = Course(Path(__file__).parents[1] / "second_course")
WEEK = "week1_runs"


@contextmanager
def progress(count: int, words: str) -> Iterator[object]:
    yield lambda result: None


def cases_of(kind: Kind, *names: str) -> tuple[Assignment, list[Case]]:
    """Return the second course's mutants or variants of these names, or all."""
    assignment = load_assignment(COURSE, WEEK)
    folder = COURSE.mutants(WEEK) if kind is Kind.MUTANT else COURSE.variants(WEEK)
    return assignment, [
        Case(kind, one.name, Submission(one.name, Path()), {}, one.task, one)
        for one in load_overlays(folder, assignment, with_hints=kind is Kind.MUTANT)
        if not names or one.name in names
    ]


def untold(*names: str) -> dict[str, str]:
    """Ask the second course's mutants of these names, or all."""
    return find_untold(COURSE, *cases_of(Kind.MUTANT, *names), progress)  # type: ignore[arg-type]


def test_a_mutant_is_told_by_what_students_package_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(untold().values()) == {""}
    monkeypatch.setattr(visible, "known_mistakes", lambda package, week: {})
    assert set(untold("first_bit_for_free", "starts_dark").values()) == {"no hint is told"}


def test_a_mutant_that_the_visible_checks_pass_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visible, "run_visible", lambda f, *_: visible.Finding("A", check="a"))
    assert set(untold("starts_dark").values()) == {"passes the visible checks"}


def test_a_right_answer_that_a_notebooks_check_refuses_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert find_refused(COURSE, *cases_of(Kind.VARIANT), progress) == []
    failing = visible.Finding("A", "It is not right.", check="a")
    monkeypatch.setattr(visible, "run_visible", lambda f, *_: failing)
    found = find_refused(COURSE, *cases_of(Kind.VARIANT), progress)
    assert found
    assert {(one.kind, one.what) for one in found} == {
        ("variant", "is wrong by a notebook's check")
    }


def test_nine_of_ten_must_be_told() -> None:
    told = {f"m{n}": "" for n in range(9)}
    assert problems(told | {"odd": "no hint is told"}) == []
    (problem,) = problems(told | {"odd": "no hint is told", "other": "no hint is told"})
    assert problem.what == "tell 9 of 11 mutants by their own hint, fewer than 90%"
    assert problem.detail == "odd: no hint is told\nother: no hint is told"
    assert problems({}) == []
