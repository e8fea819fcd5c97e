"""Slips in checks are told by file and line: by a release, which runs none, or at collection."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from detgrader.authoring import names, release
from detgrader.grading import marks
from detgrader.sandbox.limits import Limits
from detlab.checking.student import Student
from detlab.checking.tools import tools_of

WEEK = "week1_toy"
SOURCE = f"solutions/{WEEK}/notebook.py"
CHECKS = "autograder/checks/week1"
VISIBLE = "shared/toylab/weeks/week1/visible.py"
ADD, AREA = f"{CHECKS}/test_add.py", f"{CHECKS}/test_area.py"
TASK = '@pytest.mark.task("1.3", points=30)\n'


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("wieght(2)", "a check has no mark `wieght`; write pytest.mark.weight"),
        ("skip", "a check has no mark `skip`; there are task, weight, limits, forbid, needs"),
        ("weight", "missing a required argument: 'number'; write pytest.mark.weight(number)"),
        ("weight()", "missing a required argument: 'number'"),
        ("weight(1, 2)", "too many positional arguments"),
        ('weight("2")', "number must be a number above 0, not '2'"),
        ("weight(-1)", "number must be a number above 0, not -1"),
        ("weight(0)", "number must be a number above 0, not 0"),
        ("weight(True)", "number must be a number above 0, not True"),
        ("limits(cpu=3)", "unexpected keyword argument 'cpu'; write pytest.mark.limits(*, cpu_s, "),
        ('limits(cpu_s="4")', "cpu_s must be a whole number above 0, not '4'"),
        ("limits(wall_s=1.5)", "wall_s must be a whole number above 0, not 1.5"),
        ("limits()", "no limit is given"),
        ("forbid()", "no name is given"),
        ("forbid(3)", "3 is no name that code could mention"),
        ("needs()", "no label is given"),
        ("needs(1.1)", '1.1 is no label of a task, such as "1.5"'),
        ('needs("9.9")', "1.3 needs 9.9, which is no task with hidden checks"),
        ('needs("1.2")', "1.3 needs 1.2, which is no task with hidden checks"),
        ('needs("1.3")', "1.3 needs 1.3, which does not come before it"),
        ("costly(1)", "too many positional arguments; write pytest.mark.costly"),
        ("weights()", "missing a required argument: 'data'"),
        (
            'task("1.3", 30)',
            "too many positional arguments; write pytest.mark.task(label, *, points)",
        ),
        ('task("1.3", points="30")', "points must be a number above 0, not '30'"),
        ('task("1.3", points=3)', "3 points for 1.3, 30 in solutions/week1_toy/notebook.py:57"),
    ],
)
def test_a_mark_that_is_not_understood_is_refused(mark, words, edit, refusal):
    edit(AREA, TASK, f"{TASK}@pytest.mark.{mark}\n")
    [problem] = refusal()
    assert problem.startswith(f"{AREA}:5: ")
    assert words in problem


@pytest.mark.parametrize(
    "mark",
    [
        *("weight(0.5)", "costly", "costly()", 'needs("1.1")', 'weights("bccd", max_mb=160)'),
        *("limits(cpu_s=3, memory_mb=900, wall_s=9)", "limits(wall_s=9)", 'forbid("a", "b")'),
        *("forbid(*NAMES)", "weight(2 * 3)"),  # pytest will know
    ],
)
def test_marks_that_a_check_may_have(toy_course, mark, edit):
    edit(AREA, TASK, f"{TASK}@pytest.mark.{mark}\n")
    release.build(toy_course, WEEK)


@pytest.mark.parametrize(
    ("old", "new", "mark"),
    [
        ("import pytest", "import pytest as p", "p.mark.wieght(2)"),
        ("import pytest", "import pytest\nfrom pytest import mark as m", "m.wieght(2)"),
    ],
)
def test_marks_are_known_by_whatever_name_pytest_has(old, new, mark, edit, refusal):
    edit(AREA, TASK, f"@{mark}\n{TASK}")
    edit(AREA, old, new)
    assert any("no mark `wieght`" in problem for problem in refusal())


# (the file, old text, new text, where the problem is, words of the message)
SLIPS = {
    "mark of the file": (
        ADD,
        "points=60)",
        'points=60), pytest.mark.needs("1.3")',
        f"{ADD}:3",
        "1.1 needs 1.3, wh",
    ),
    "mark in a parametrization": (
        ADD,
        "def test_sum(student):",
        '@pytest.mark.parametrize("a", [pytest.param(1, marks=pytest.mark.wieght(2))])\n'
        "def test_sum(student, a):",
        f"{ADD}:6",
        "a check has no mark `wieght`",
    ),
    "mark without @": (
        ADD,
        "\n\n\ndef",
        "\npytest.mark.weight(2)\n\ndef",
        f"{ADD}:4",
        "this mark marks nothing; put",
    ),
    "no mark": (
        ADD,
        "points=60)]",
        "points=60)][0].args",
        f"{ADD}:3",
        "pytestmark is a mark, pytest.mark.…, or",
    ),
    "two tasks": (
        AREA,
        TASK,
        f'{TASK}@pytest.mark.task("1.1", points=60)\n',
        f"{AREA}:6",
        "test_area is marked for 1.3 and 1.1",
    ),
    "not named as a check": (
        AREA,
        "def test_area",
        "def tset_area",
        f"{AREA}:5",
        "tset_area has marks but is no check",
    ),
    "no check at all": (
        AREA,
        "def test_area",
        "def tset_area",
        f"{AREA}:1",
        "no check in this file",
    ),
    "class": (
        ADD,
        "\n\n\ndef",
        "\n\n\nclass TestAll:\n    pass\n\n\ndef",
        f"{ADD}:6",
        "TestAll is a class",
    ),
    "no docstring": (
        ADD,
        '    """The sum of two numbers."""\n',
        "",
        f"{ADD}:6",
        "test_sum has no docstring; say in its first line",
    ),
    "unknown fixture": (
        ADD,
        "(student)",
        "(student, rnd)",
        f"{ADD}:6",
        "not `rnd`; correct its arguments",
    ),
    "second check of a name": (
        ADD,
        "\n\n\ndef",
        '\n\n\ndef test_sum(student):\n    """More."""\n\n\ndef',
        f"{ADD}:10",
        "a second test_sum, which takes the place of that in line 6; rename one",
    ),
    "unknown function": (
        ADD,
        "student.add(",
        "student.ad(",
        f"{ADD}:8",
        "no answer defines student.ad; did you mean add?",
    ),
    "unknown variable": (
        ADD,
        "student.add(first=2, second=3)",
        'student.fetch("sum")',
        f"{ADD}:8",
        "no answer defines student.sum",
    ),
    "unknown by getattr": (
        ADD,
        "student.add(",
        'getattr(student, "ad")(',
        f"{ADD}:8",
        "no answer defines student.ad",
    ),
    "unknown tool": (
        ADD,
        "student.add(first=2, second=3)",
        'student.tool("paramters")',
        f"{ADD}:8",
        'no tool student.tool("paramters"); did you mean parameters?',
    ),
    "name of a given cell": (
        ADD,
        "student.add(first=2, second=3)",
        'student.fetch("box")',
        f"{ADD}:8",
        f"student.box is defined in the given cell of {SOURCE}:45, which the grader",
    ),
    "unknown function, visible": (
        VISIBLE,
        "student.add(",
        "student.ad(",
        f"{VISIBLE}:8",
        "no answer defines student.ad",
    ),
    "no docstring, visible": (
        VISIBLE,
        '    """The sum of 2 and 3."""\n',
        "",
        f"{VISIBLE}:6",
        "small_numbers has no docstring",
    ),
    "no visible check": (
        VISIBLE,
        '@visible("1.3")\n',
        "",
        f"{SOURCE}:57",
        '1.3 has no visible check: add a function marked @visible("1.3") to',
    ),
    "visible check of no task": (
        VISIBLE,
        '@visible("1.3")',
        '@visible("1.4")',
        f"{VISIBLE}:11",
        "visible check for 1.4, which has no check cell",
    ),
    "visible label that is no literal": (
        VISIBLE,
        '@visible("1.3")',
        "@visible(LABEL)",
        f"{VISIBLE}:11",
        "write the plain label",
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "place", "words"), SLIPS.values(), ids=SLIPS)
def test_a_slip_in_a_check_is_refused(file, old, new, place, words, edit, refusal):
    edit(file, old, new)
    problems = refusal()
    assert any(p.startswith(f"{place}: ") and words in p for p in problems), problems


def test_a_week_without_visible_checks_is_refused(toy_course, refusal):
    (toy_course.root / VISIBLE).unlink()
    assert [problem.split(" has no visible")[0] for problem in refusal()] == [
        f"{SOURCE}:33: 1.1",
        f"{SOURCE}:57: 1.3",
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def ask(student):\n    return student.ad(1)\n", ":2: no answer defines student.ad"),
        ("def test_more(student):\n    pass\n", ":1: test_more is never run here"),
    ],
)
def test_helpers_of_checks_are_read_too(toy_course, code, words, refusal):
    (toy_course.checks(WEEK) / "helpers.py").write_text(code, encoding="utf-8")
    [problem] = refusal()
    assert problem.startswith(f"{CHECKS}/helpers.py{words}")


def test_a_check_that_is_no_utf8_is_refused(toy_course, refusal):
    path = toy_course.root / ADD
    path.write_bytes(path.read_text("utf-8").replace("sum of", "süm of").encode("latin-1"))
    assert any(p.startswith(f"{ADD}:") and "does not parse" in p for p in refusal())


def test_arguments_of_a_parametrization_are_no_fixtures(toy_course, edit):
    edit(
        ADD,
        "def test_sum(student)",
        """CASES = [(2, 3)]


@pytest.mark.parametrize("a, b", CASES)
@pytest.mark.parametrize(("c", "d"), CASES)
@pytest.mark.parametrize(argnames=["e"], argvalues=[[2]])
def test_sum(student, rng, weights_file, a, b, c, d, e, f=1)""",
    )
    release.build(toy_course, WEEK)


def test_the_table_of_marks_agrees_with_what_it_stands_for():
    limits = set(inspect.signature(marks.limits).parameters)
    assert limits == {field.name for field in dataclasses.fields(Limits)}
    student = Student(lambda *request: None)
    assert {name for name in dir(student) if name[0] != "_"} <= names.of_student()
    for name in (f"detlab.weeks.week{n}.tools" for n in (2, 3, 4)):
        module = importlib.import_module(name)
        assert names.of_tools(Path(module.__file__)) == set(tools_of([module]))


# What a release cannot see: arguments that are no literals, marks that come from elsewhere.
COLLECTED = {
    "test_a.py": """
import pytest

ONE, WEIGHT = "1.1", 0
task = pytest.mark.task(ONE, points=6)
pytestmark = [task]


@pytest.mark.wieght(2)
def test_unknown_mark(student):
    "One."


@pytest.mark.weight(WEIGHT)
def test_weight(student):
    "Two."


def test_undocumented(student):
    pass


def test_stranger(student, rnd):
    "Three."


@pytest.mark.skip
def test_skipped(student):
    "Four."
""",
    "test_b.py": """
def test_unmarked(student):
    "Five."
""",
}
CONTRADICTING = {
    "test_a.py": """
import pytest

pytestmark = [pytest.mark.task("1.1", points=6), pytest.mark.limits(cpu_s=3)]


@pytest.mark.needs(*["1.2"])
def test_one(student):
    "One."
""",
    "test_b.py": """
import pytest

pytestmark = pytest.mark.task("1.1", points=7)


@pytest.mark.limits(cpu_s=4)
def test_two(student):
    "Two."


@pytest.mark.task("1.1", points=6)
@pytest.mark.weight(2)
def test_three(student):
    "Three."
""",
    "test_c.py": """
import pytest

pytestmark = [pytest.mark.task("1.2", points=7), pytest.mark.needs("1.1", "1.4")]


def test_four(student):
    "Four."
""",
}


def collected(folder: Path, files: dict[str, str]) -> list[str]:
    """Collect checks as a grading job does; return what is wrong with them."""
    for name, text in files.items():
        (folder / name).write_text(text.lstrip(), encoding="utf-8")
    script = (
        "import sys, pathlib\n"
        "from detgrader.grading.session import run_session\n"
        "from detgrader.course import CourseError\n"
        "try:\n"
        "    run_session(pathlib.Path(sys.argv[1]), 'secret', lambda session: print('collected'))\n"
        "except CourseError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=folder, capture_output=True, text=True
    )
    assert not done.stderr.strip() or done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_collection_tells_every_check_that_is_not_marked_as_it_must_be(tmp_path):
    assert [line.split(";")[0] for line in collected(tmp_path, COLLECTED)] == [
        "test_a.py:8: a check has no mark `wieght`",
        "test_a.py:13: the mark `weight` is not understood: number must be a number above 0, not 0",
        "test_a.py:18: test_undocumented has no docstring",
        "test_a.py:22: test_stranger: a check has only `student`, `rng`, `task_rng`, `names`, "
        "`weights_file` and `tell_staff`, not `rnd`",
        "test_a.py:26: a check has no mark `skip`",
        "test_b.py:1: test_unmarked has no task mark",
    ]


def test_collection_tells_where_checks_of_a_task_contradict_each_other(tmp_path):
    assert [line.split(";")[0] for line in collected(tmp_path, CONTRADICTING)] == [
        "test_a.py:6: 1.1 needs 1.2, which does not come before it",
        "test_b.py:6: other limits for 1.1 than in test_a.py:6, and they hold for all of it",
        "test_b.py:6: other points for 1.1 than in test_a.py:6, and they hold for all of it",
        "test_b.py:11: other points for 1.1 than in test_a.py:6, and they hold for all of it",
        "test_c.py:6: 1.2 needs 1.4, which is no task with hidden checks",
    ]
