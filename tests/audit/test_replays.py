"""A check is told junk in the place of each answer: what breaks it is found, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from attacks.grading import build_course
from attacks.toys import LABELS, WEEK
from audit.toys import inputs_of

from detgrader.audit import replays, soundness
from detgrader.audit.reach import Reach
from detgrader.audit.verdicts import Problem
from detgrader.course import Course
from detgrader.reference import reference_submission

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


def problems(course: Course, labels: Sequence[str], week: str = WEEK) -> list[Problem]:
    """Tell a week's checks junk."""
    inputs = inputs_of(course, week)
    reference = reference_submission(course, inputs.assignment)
    asked = list(soundness.questions(inputs, reference, labels, "secret"))
    told = soundness.tell_junk(inputs, reference, asked, "secret", 2)
    return [one for question, faults in told for one in soundness.problems(question, faults)]


def test_sound_checks_have_no_problem(toy: Course) -> None:
    assert problems(toy, LABELS) == []


def test_visible_checks_are_told_junk_too() -> None:
    assert problems(Course(SECOND_COURSE), ("1.1", "1.2"), "week1_runs") == []


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
        pytest.param(
            TOOL,
            ("test_reply: ", "breaks it", 'len(student.tool("parameters"', "TypeError"),
            id="reply",
        ),
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
    found = problems(toy_with, ["1.4"])
    assert len(set(found)) == len(found)
    first, *others = found
    text = f"{first.overlay}: {first.what}\n{first.detail}"
    assert all(word in text for word in says), text
    assert first.kind == "check"
    assert all(one.overlay == first.overlay for one in others)


def test_a_tool_belongs_to_the_visible_checks_that_name_it() -> None:
    """They find it by its name alone, and what it replies changes with its code."""
    inputs = inputs_of(Course(SECOND_COURSE), "week1_runs")
    function = soundness.visible_checks(inputs, "1.1")["visible runs_of_short_strings"]
    reach = Reach(inputs.sources)
    reach.follow(function.__module__, function.__name__)
    tools = inputs.tools["each"].__module__
    assert tools not in {module.name for module in reach.taken}
    assert tools in {module.name for module in inputs.with_tools(reach).taken}
