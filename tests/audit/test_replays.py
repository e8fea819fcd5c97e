"""A check is told junk in the place of each answer: what breaks it is found, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attacks.grading import build_course
from attacks.toys import LABELS, WEEK

from detgrader.audit import replays
from detgrader.course import Course

SECOND_COURSE = Path(__file__).parents[1] / "second_course"


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("replays") / "course")


@pytest.fixture
def toy_with(toy: Course, request: pytest.FixtureRequest) -> Iterator[Course]:
    """The toy course with one more check in task 1.4."""
    path = toy.root / "autograder/checks/week1/test_1_4.py"
    text = path.read_text("utf-8")
    path.write_text(text + request.param, "utf-8")
    yield toy
    path.write_text(text, "utf-8")


def test_sound_checks_have_no_problem(toy: Course) -> None:
    assert replays.problems(toy, WEEK, LABELS, "secret") == []


def test_visible_checks_are_told_junk_too() -> None:
    course = Course(SECOND_COURSE)
    assert replays.problems(course, "week1_runs", ("1.1", "1.2"), "secret") == []


DEEP = '''

def test_later_answers(student):
    """`rank` sorts again and again."""
    for _ in range(3):
        answer = expect_keys(student.rank(scores=[1.0, 2.0]), ["best"], "The result")
    if not 0 <= answer["best"] < 2:
        fail("`best` is no index.")
'''
TOOL = '''

def test_reply(student):
    """A tool tells the parameters of a network."""
    net = mirror(student, nn.Linear(2, 3))
    if len(student.tool("parameters", net)) != 2:
        fail("It has two.")
'''
IDLE = '''

def test_idle(student):
    """`rank` runs."""
    student.rank(scores=[1.0, 2.0])
'''
ENDLESS = '''

def test_waits(student):
    """`rank` sorts in the end."""
    answer = student.rank(scores=[1.0, 2.0])
    while answer != {"best": 1, "order": [1, 0]}:
        pass
'''
WRONG = '''

def test_wrong(student):
    """`rank` sorts the other way round."""
    answer = expect_keys(student.rank(scores=[1.0, 2.0]), ["best"], "The result")
    expect_equal(answer["best"], 0, "The best")
'''


@pytest.mark.parametrize(
    ("toy_with", "says"),
    [
        pytest.param(DEEP, ("test_later_answers: ", 'not 0 <= answer["best"] < 2'), id="part"),
        pytest.param(TOOL, ("(to tool parameters)", "breaks it", "TypeError"), id="reply"),
        pytest.param(IDLE, ("test_idle: ", "and all after it passes"), id="idle"),
        pytest.param(ENDLESS, ("does not end within 1 processor seconds",), id="endless"),
        pytest.param(WRONG, ("test_wrong: the reference does not pass",), id="reference"),
    ],
    indirect=["toy_with"],
)
def test_a_fault_is_told_once(
    toy_with: Course, says: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "MOST_S", 1)
    found = replays.problems(toy_with, WEEK, ["1.4"], "secret")
    assert len(set(found)) == len(found)
    assert found
    assert all(word in found[0] for word in says), found[0]
    assert all(one.startswith("1.4 test_1_4.py::test_") for one in found)
