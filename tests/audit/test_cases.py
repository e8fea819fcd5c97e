"""Which submissions an audit grades, in which tasks, by which checks."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit.toys import CHECKS, MUTANTS, VARIANTS, build, cases_of, edit, mutant, overlay

from detgrader.audit.cases import Kind, Selection
from detgrader.course import Course, CourseError

ALL = ["1.1", "1.2", "1.3", "1.4"]
SUM = {"test_1_1.py::test_sum", "test_1_1.py::test_negative"}
SCALE = {"test_1_2.py::test_scale"}
FILES = {
    f"{MUTANTS}/doubles.py": mutant("1.1", "def doubled(number):\n    return 3 * number"),
    f"{MUTANTS}/patches.py": mutant("1.1", "torch.Tensor.flip = None"),
    f"{MUTANTS}/scales.py": mutant("1.2", "def scale(boxes, factor):\n    return boxes"),
    f"{VARIANTS}/backwards.py": overlay(
        "1.1", "def add(first, second):\n    return second + first"
    ),
    f"{VARIANTS}/uses_add.py": overlay(
        "1.2", "def scale(boxes, factor):\n    return boxes * add(factor, 0)"
    ),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build(tmp_path_factory.mktemp("cases") / "course", FILES)


def test_a_whole_audit_has_all_of_a_week(course: Course) -> None:
    cases = cases_of(course)
    kinds = {name: case.kind for name, case in cases.items()}
    assert kinds == {
        "reference": Kind.REFERENCE,
        "stub": Kind.STUB,
        **dict.fromkeys(("doubles", "patches", "scales", "subtracts"), Kind.MUTANT),
        **dict.fromkeys(("backwards", "uses_add"), Kind.VARIANT),
    }
    for name in ("reference", "stub"):
        assert list(cases[name].asked) == ALL
        assert cases[name].asked["1.1"] == SUM


def test_an_overlay_is_graded_on_its_task_and_on_what_it_can_touch(course: Course) -> None:
    cases = cases_of(course)
    assert cases["subtracts"].asked == {"1.1": SUM}
    assert cases["scales"].asked == {"1.2": SCALE}
    # No check of its own task looks at `doubled`: all of them are asked.
    assert cases["doubles"].asked == {"1.1": SUM, "1.2": SCALE}
    assert list(cases["patches"].asked) == ALL


def test_a_check_of_its_own_task_that_it_cannot_touch_is_not_asked(tmp_path: Path) -> None:
    course = build(tmp_path / "course", FILES)
    edit(course, f"{CHECKS}/test_1_1.py", "def test_negative", SEPARATE)
    doubles = cases_of(course)["doubles"]
    assert doubles.asked["1.1"] == {"test_1_1.py::test_doubled"}
    assert cases_of(course)["subtracts"].asked["1.1"] == SUM


SEPARATE = '''\
def test_doubled(student):
    """It doubles."""
    expect_equal(student.doubled(number=2), 4, "It")


def test_negative'''


def test_what_trains_or_measures_is_left_to_its_own_overlays(tmp_path: Path) -> None:
    course = build(tmp_path / "course", FILES)
    task = 'pytest.mark.task("1.2", points=30.0),\n'
    edit(course, f"{CHECKS}/test_1_2.py", task, f'{task}    pytest.mark.needs("1.1"),\n')
    cases = cases_of(course)
    assert cases["doubles"].asked == {"1.1": SUM}
    assert cases["scales"].asked == {"1.2": SCALE}
    assert list(cases["reference"].asked) == ALL


def test_what_lacks_weights_is_left_out(tmp_path: Path) -> None:
    course = build(tmp_path / "course", FILES)
    task = 'pytest.mark.task("1.2", points=30.0),\n'
    edit(
        course,
        f"{CHECKS}/test_1_2.py",
        task,
        f'{task}    pytest.mark.weights("apples", max_mb=1),\n',
    )
    cases = cases_of(course)
    assert "scales" not in cases
    assert "1.2" not in cases["reference"].asked


def test_a_second_run_is_of_use_only_where_stand_ins_are_called(course: Course) -> None:
    cases = cases_of(course)
    assert cases["scales"].alone
    assert not cases["uses_add"].alone


def test_one_task_takes_its_overlays_and_what_they_touch(course: Course) -> None:
    cases = cases_of(course, Selection(task="1.1"))
    assert set(cases) == {*("reference", "stub", "doubles", "patches", "subtracts", "backwards")}
    cases = cases_of(course, Selection(task="1.2"))
    assert set(cases) == {"reference", "stub", "scales", "uses_add"}
    assert set(cases["reference"].asked) == set(cases["stub"].asked) == {"1.2"}
    cases = cases_of(course, Selection(task="1.3"))  # has none
    assert {name: list(case.asked) for name, case in cases.items()} == {
        "reference": ["1.3"],
        "stub": ["1.3"],
    }


def test_one_overlay_takes_what_it_touches(course: Course) -> None:
    cases = cases_of(course, Selection(only=("doubles",)))
    assert set(cases) == {"reference", "stub", "doubles"}
    assert set(cases["reference"].asked) == {"1.1", "1.2"}
    cases = cases_of(course, Selection(only=("scales", "subtracts")))
    assert set(cases) == {"reference", "stub", "scales", "subtracts"}


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(task="1.7"), "no task 1.7 with checks, only 1.1, 1.2, 1.3, 1.4"),
        (Selection(only=("subtract",)), "no overlay subtract: did you mean subtracts?"),
        (Selection(only=("zebra",)), "no overlay zebra: see mutants/ and variants/"),
        (Selection("1.2", ("subtracts",)), "no overlay subtracts of task 1.2: see mutants/"),
    ],
)
def test_what_is_not_there_is_refused(course: Course, selection: Selection, words: str) -> None:
    with pytest.raises(CourseError) as error:
        cases_of(course, selection)
    assert str(error.value).startswith(words)
