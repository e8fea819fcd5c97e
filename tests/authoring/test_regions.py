"""Nothing goes out finished: what stands outside of solution regions is given on purpose."""

from __future__ import annotations

import textwrap

import pytest

from detgrader.authoring import release

WEEK = "week1_toy"
SOURCE = f"solutions/{WEEK}/notebook.py"
CHECKS = "autograder/checks/week1"

BODY = """\
    ### BEGIN SOLUTION
    total = first + second
    return total
    ### END SOLUTION
"""


def with_more(code: str) -> str:
    """Return the body of `add`, and code after it in the same cell."""
    return f"{BODY}\n\n{textwrap.dedent(code)}"


def with_body(code: str) -> str:
    """Return another body of `add`; BEGIN and END stand for the markers."""
    code = textwrap.indent(textwrap.dedent(code), "    ")
    return code.replace("BEGIN", "### BEGIN SOLUTION").replace("END", "### END SOLUTION")


NET = """
    class Net:
        \'\'\'A net.\'\'\'

        def __init__(self):
            super().__init__()
            ### BEGIN SOLUTION
            self.scale = 2
            ### END SOLUTION

"""
# (what went wrong, the answer, the line that is blamed, words of the message)
FINISHED = [
    (
        "second function",
        with_more("def twice(x):\n    return add(x, x)\n"),
        "def twice(x):",
        "twice stands outside of the solution regions and is released finished",
    ),
    (
        "decorated function",
        with_more("@staticmethod\ndef twice(x):\n    return add(x, x)\n"),
        "def twice(x):",
        "twice stands outside of the solution regions and is released finished",
    ),
    (
        "function inside of another",
        with_body("def twice(x):\n    return x + x\nBEGIN\nreturn twice(first)\nEND\n"),
        "def twice(x):",
        "twice stands outside of the solution regions and is released finished",
    ),
    (
        "class",
        with_more("class Net:\n    def scale(self):\n        return 2\n"),
        "class Net:",
        "Net stands outside of the solution regions and is released finished",
    ),
    (
        "method",
        with_more(f"{NET}        def forward(self, x):\n            return self.scale * x\n"),
        "def forward",
        "forward stands outside of the solution regions and is released finished",
    ),
    (
        "constant of a class",
        with_more(NET.replace("        def", "        sides = (3, 4)\n\n        def", 1)),
        "sides = ",
        "'sides = (3, 4)' stands outside of the solution regions and is released as it is",
    ),
    (
        "constant",
        with_more("sides = {'small': 3, 'large': 4}\n"),
        "sides = ",
        "is released as it is; move the markers, or, if students are to have it, end its first",
    ),
    (
        "function without a def",
        with_more("twice = lambda x: x + x\n"),
        "twice = ",
        "'twice = lambda x: x + x' stands outside",
    ),
    (
        "later change",
        with_more("add.sides = 3\n"),
        "add.sides",
        "'add.sides = 3' stands outside",
    ),
    (
        "region around the last line only",
        with_body("total = first + second\nBEGIN\nreturn total\nEND\n"),
        "total = first",
        "'total = first + second' stands outside",
    ),
    (
        "region around another function",
        "    return first + second\n\n\n"
        "def same(total):\n    ### BEGIN SOLUTION\n    return total\n    ### END SOLUTION\n",
        "def add",
        "add stands outside of the solution regions and is released finished",
    ),
    (
        "head of a branch",
        with_body("if first:\n    BEGIN\n    return second\n    END\nraise NotImplementedError\n"),
        "if first:",
        "'if first:' stands outside",
    ),
    (
        "other branch",
        with_body(
            "if first:  # given\n    BEGIN\n    return second\n    END\nelse:\n    return first\n"
        ),
        "return first\n",
        "'return first' stands outside",
    ),
    (
        "handler",
        with_body(
            "try:  # given\n    BEGIN\n    return first + second\n    END\n"
            "except TypeError:\n    return second\n"
        ),
        "return second\n\n",
        "'return second' stands outside",
    ),
    (
        "region within a string",
        with_body("'''\nBEGIN\nx\nEND\n'''\nreturn first + second\n"),
        "return first",
        "'return first + second' stands outside",
    ),
    (
        "ready-made by import",
        with_more("from operator import add\n"),
        "from operator",
        "checks ask for add, which is ready-made here; leave it to an answer cell",
    ),
]


@pytest.mark.parametrize(
    ("answer", "anchor", "words"), [case[1:] for case in FINISHED], ids=[c[0] for c in FINISHED]
)
def test_what_is_finished_outside_of_a_region_is_refused(answer, anchor, words, edit, refusal):
    text = edit(SOURCE, BODY, answer)
    assert text.count(anchor) == 1
    line = text[: text.index(anchor)].count("\n") + 1
    problems = refusal()
    assert any(p.startswith(f"{SOURCE}:{line}: ") and words in p for p in problems), problems


GIVEN = [
    ("function", with_more("def twice(x):  # given\n    return add(x, x)\n")),
    (
        "function with a long head",
        with_more("def twice(\n    x,\n):  # given: to try it\n    return x\n"),
    ),
    ("class", with_more("class Net:  # given\n    def scale(self):\n        return 2\n")),
    ("method", with_more(f"{NET}        def __len__(self):  # given\n            return 2\n")),
    ("constant", with_more("sides = [  # given\n    3,\n    4,\n]\n")),
    ("statement", with_body("BEGIN\ntotal = first + second\nEND\nreturn total  # given\n")),
    (
        "nothing but heads",
        with_more("class Net:\n    side: int\n\n    def f(self):\n        ...\n"),
    ),
    ("import", with_more("from operator import mul\n")),
    ("still to do", with_more("def twice(x):\n    raise NotImplementedError('next week')\n")),
    (
        "definition in a region",
        "    pass\n\n\n### BEGIN SOLUTION\ndef f(x):\n    return x\n### END SOLUTION\n",
    ),
]


@pytest.mark.parametrize("answer", [case[1] for case in GIVEN], ids=[case[0] for case in GIVEN])
def test_what_is_given_on_purpose_may_stand_outside(toy_course, answer, edit):
    edit(SOURCE, BODY, answer)
    release.build(toy_course, WEEK)


def test_a_type_that_heads_are_written_with_needs_no_note(toy_course, edit):
    edit(
        SOURCE,
        "def add(first, second):",
        "Number = int | float\n\n\ndef add(first: Number, second):",
    )
    release.build(toy_course, WEEK)


def test_a_note_on_a_head_does_not_cover_a_body_with_a_region(edit, refusal):
    edit(SOURCE, "def add(first, second):", "def add(first, second):  # given")
    edit(SOURCE, BODY, with_body("total = first + second\nBEGIN\nreturn total\nEND\n"))
    [problem] = refusal()
    assert "'total = first + second' stands outside" in problem


def test_what_a_check_asks_for_is_not_ready_made_in_the_setup_cell(toy_course, edit, refusal):
    edit(
        SOURCE,
        "def check(label):",
        "def add_all(numbers):\n    return sum(numbers)\n\n\ndef check(label):",
    )
    release.build(toy_course, WEEK)  # a tool for students
    edit(f"{CHECKS}/test_add.py", "student.add(first=2, second=3)", "student.add_all(numbers=[5])")
    [problem] = refusal()
    assert problem.startswith(f"{SOURCE}:13: checks ask for add_all, which is ready-made here")
    edit(SOURCE, "def add_all(numbers):", "def add_all(numbers):  # given")
    release.build(toy_course, WEEK)
