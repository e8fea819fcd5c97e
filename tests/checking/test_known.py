"""Known mistakes as students' package holds them: what is kept, what is told, what is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from detgrader.course import Course
from detlab.checking.expect import CheckFailure
from detlab.checking.known import (
    LAST,
    Failure,
    KnownMistake,
    failure_of,
    hint_for,
    known_mistakes,
    read_known,
    shortened,
    write_known,
)
from detlab.checking.workbench import StudentError
from detlab.weeks import check

COURSE = Course.find()
WEEKS = COURSE.weeks()


def failing(*answers: object, told: str = "It is 3, not 4.") -> Failure:
    return failure_of(answers, CheckFailure(told))


def test_equal_answers_fail_alike_but_for_roundings() -> None:
    first, second = torch.rand(4, 3), torch.rand(4, 3)
    assert failing(first).is_like(failing(first * (1 + 1e-6)))
    assert not failing(first).is_like(failing(second))
    assert not failing(first).is_like(failing(first, first))
    assert not failing(first).is_like(failing(first.double()[:3]))


def test_what_a_check_says_tells_mistakes_apart_and_its_numbers_do_not() -> None:
    assert failing(1.0).is_like(failing(1.0, told="It is 5, not 6."))
    assert not failing(1.0).is_like(failing(1.0, told="It is no number."))


def test_of_many_answers_the_last_are_kept() -> None:
    answers = [float(n) for n in range(100)]
    kept = failing(*answers)
    assert kept.asked == 100
    assert kept.answers == answers[-LAST:]


def test_a_long_answer_is_described_shortly_and_still_known() -> None:
    def rows(change: float = 0.0, word: str = "red") -> list[dict[str, object]]:
        return [{"box": [n / 7, n + change], "colour": word} for n in range(500)]

    kept = failing(rows())
    assert len(json.dumps(kept.answers)) < 300
    assert kept.is_like(failing(rows(1e-6)))
    assert not kept.is_like(failing(rows(0.1)))
    assert not kept.is_like(failing(rows(word="green")))
    assert not kept.is_like(failing(rows()[:-1]))


def test_what_is_written_is_read_again() -> None:
    error = StudentError("ValueError", "no such side", "")
    mistake = KnownMistake(
        "Turn it round: “x” is the column.",
        {"a": failing(torch.rand(3)), "b": failure_of([error], error)},
    )
    text = write_known("basis", {"1.2": [mistake, mistake], "1.10": []})
    assert json.loads(text)["basis"] == "basis"
    found = read_known(text)
    assert list(found) == ["1.2", "1.10"]
    again = found["1.2"][0]
    assert again.hint == mistake.hint
    assert all(again.failures[name].is_like(how) for name, how in mistake.failures.items())


def test_a_hint_needs_a_mistake_that_passes_what_passed() -> None:
    known = [KnownMistake("the hint", {"a": failing(1.0), "b": failing(2.0)})]
    assert hint_for(known, {"a": failing(1.0), "b": failing(2.0)}, ["c"]) == "the hint"
    assert hint_for(known, {"a": failing(1.0)}, ["b"]) == ""
    assert hint_for(known, {"a": failing(1.5), "b": failing(2.5)}, []) == ""


def test_a_package_without_known_mistakes_has_none() -> None:
    assert known_mistakes("detlab.weeks", 99) == {}


@pytest.fixture(params=WEEKS)
def stored(request: pytest.FixtureRequest) -> tuple[str, Path]:
    path = COURSE.known(request.param)
    assert path is not None
    return request.param, path


def test_what_students_get_is_answers_and_hints_and_no_code(stored: tuple[str, Path]) -> None:
    """No line of a mutant or of the reference, and no name of a mutant, stands there."""
    week, path = stored
    text = path.read_text("utf-8")
    names = [one.stem for one in COURSE.mutants(week).iterdir()]
    assert [name for name in names if f'"{name}"' in text] == []
    assert "def " not in text


def test_what_students_get_is_described_shortly(stored: tuple[str, Path]) -> None:
    known = known_mistakes("detlab.weeks", COURSE.number(stored[0]))
    failures = [how for some in known.values() for one in some for how in one.failures.values()]
    assert all(shortened(answer) == answer for how in failures for answer in how.answers)


def test_hints_are_those_of_the_weeks_mistakes(stored: tuple[str, Path]) -> None:
    week, _ = stored
    sources = "\n".join(one.read_text("utf-8") for one in COURSE.mutants(week).iterdir())
    words = " ".join(sources.split())
    known = known_mistakes("detlab.weeks", COURSE.number(week))
    hints = [one.hint for some in known.values() for one in some]
    assert hints
    assert set(known) <= set(check.tasks_of_week(COURSE.number(week)))
    assert [hint for hint in hints if " ".join(hint.split())[:40] not in words] == []
