"""What a source may not be: each fault is refused, by file and line, with what to do."""

from __future__ import annotations

import pytest

from detgrader.authoring import release

WEEK = "week1_toy"
SOURCE = f"solutions/{WEEK}/notebook.py"
CHECKS = "autograder/checks/week1"


def line_of(text: str, anchor: str) -> int:
    """Return the number of the line that holds `anchor`, which must be there once."""
    assert text.count(anchor) == 1, f"{anchor!r} occurs {text.count(anchor)} times"
    return text[: text.index(anchor)].count("\n") + 1


ANSWER = '# %% nbgrader={"grade_id": "task_1_1", "solution": true}'
MARKED = '"grade_id": "task_1_2", "solution": true, "manual": true, "points": 10}'
CHECK = '# %% nbgrader={"grade_id": "check_1_1", "points": 60}\ncheck("1.1")\n'
SUM = "    total = first + second\n"
BOX = "box = [0, 0, 2, 4]"

# (what is wrong, old text, new text, the line blamed holds this, words of the message)
REFUSED = [
    # labels and headings
    (
        "heading without answer",
        "# # A toy week",
        "# # A toy week\n# ## Task 1.0 · More (0 points)",
        "Task 1.0 ·",
        "Task 1.0 has no answer cell; add one with grade_id task_1_0",
    ),
    (
        "gap",
        "Task 1.3 ·",
        "Task 1.4 ·",
        "Task 1.4 ·",
        "Task 1.4 where Task 1.3 is due; number without gap or repeat",
    ),
    (
        "repeat",
        "Task 1.3 ·",
        "Task 1.2 ·",
        "Task 1.2 · Area",
        "Task 1.2 where Task 1.3 is due; number without gap or repeat",
    ),
    (
        "heading of another week",
        "Task 1.3 ·",
        "Task 2.3 ·",
        "Task 2.3 ·",
        "Task 2.3 is a label of week 2; write Task 1.3",
    ),
    (
        "heading spelled another way",
        "Task 1.3 · Area of a box (30 points)",
        "Task 1.3: Area of a box (30 points)",
        "Task 1.3:",
        "write a task heading as `## Task 1.5 · Title (15 points)`",
    ),
    (
        "heading in an answer",
        "# Addition commutes",
        "# ## Task 1.9 · Why (1 point)\n# Addition commutes",
        "Task 1.9",
        "a task heading in an answer, which is cleared; give it a cell of its own",
    ),
    (
        "answer without heading",
        '"task_1_3_area"',
        '"task_1_4_area"',
        '"task_1_4_area"',
        "task_1_4_area has no heading; write `## Task 1.4 · Title (… points)`",
    ),
    (
        "answer under another heading",
        BOX,
        f"{BOX}\n\n{ANSWER.replace('1_1', '1_1_b')}\n### BEGIN SOLUTION\n### END SOLUTION",
        "task_1_1_b",
        "task_1_1_b stands under Task 1.3; move it to its own heading",
    ),
    (
        "answer of another week",
        '"task_1_3_area"',
        '"task_2_3_area"',
        '"task_2_3_area"',
        "task_2_3_area is a label of another week; this is week 1",
    ),
    (
        "answer without label",
        '"task_1_3_area"',
        '"area"',
        '"area"',
        "grade_id 'area' carries no task label: write task_1_5 or task_1_5_name",
    ),
    (
        "check without label",
        '"check_1_3"',
        '"check_1_3_b"',
        '"check_1_3_b"',
        "grade_id 'check_1_3_b' carries no task label: write check_1_5",
    ),
    # ids and keys
    (
        "duplicate grade_id",
        '"setup"',
        '"cell_1_3_1"',
        "# %%\n" + BOX,
        "duplicate grade_id cell_1_3_1, first in line 12; rename one",
    ),
    (
        "broken JSON",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": 30',
        '"points": 30\ncheck',
        "the header is not valid JSON",
    ),
    (
        "unknown key",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": 30, "point": 3}',
        '"point":',
        "point = 3 is not understood",
    ),
    (
        "points in words",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": "30"}',
        '"30"',
        "points = '30' is not understood",
    ),
    (
        "points as a truth",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": true}',
        "true}\ncheck(",
        "points = True is not understood",
    ),
    (
        "negative points",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": -30}',
        "-30",
        "points = -30 is not understood",
    ),
    (
        "grade_id that is no id",
        '"task_1_3_area"',
        '"task 1.3"',
        '"task 1.3"',
        "grade_id = 'task 1.3' is not understood",
    ),
    (
        "Python's True",
        '"task_1_1", "solution": true',
        '"task_1_1", "solution": True',
        '"solution": True',
        "the header is not valid JSON: {",
    ),
    (
        "a comma too many",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": 30,}',
        "30,}",
        "mend quotes, commas and brackets, and write true in small letters",
    ),
    (
        "a key twice",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": 20, "points": 30}',
        '"points": 20',
        "(points stands twice)",
    ),
    (
        "endless points",
        '"check_1_3", "points": 30}',
        '"check_1_3", "points": 1e999}',
        "1e999",
        "points = inf is not understood",
    ),
    (
        "kind of cell misspelt",
        "# %% [markdown]\n# # A toy",
        "# %% [mardown]\n# # A toy",
        "[mardown]",
        "'# %% [mardown]' is no header; write `# %%`, `# %% [markdown]` or `# %% nbgrader={…}`",
    ),
    ("header without a space", "# %%\nbox", "#%%\nbox", "#%%\nbox", "'#%%' is no header"),
    # the setup cell
    (
        "no setup cell",
        '{"grade_id": "setup"}',
        '{"grade_id": "start"}',
        "# ---\n# jupyter:",
        "no setup cell; begin with a code cell of grade_id setup that imports `check`",
    ),
    (
        "setup cell without check",
        "def check(label):",
        "def chekc(label):",
        '"setup"',
        "the setup cell lacks `check`; add `from toylab.weeks import check`",
    ),
    (
        "setup cell below an answer",
        '{"grade_id": "setup"}',
        '{"grade_id": "task_1_1_z", "solution": true}\n### BEGIN SOLUTION\n### END SOLUTION\n\n'
        '# %% nbgrader={"grade_id": "setup"}',
        '"setup"',
        "the setup cell comes after task_1_1_z; move it to the top",
    ),
    ("no grade_id", '"grade_id": "check_1_3", ', "", '{"points": 30}', "no grade_id: give the"),
    ("not a mapping", '{"grade_id": "setup"}', '"setup"', '="setup"', "nbgrader= needs braces"),
    ("tags", "# %%\nbox", '# %% tags=["x"]\nbox', "tags=", "unknown metadata 'tags'"),
    (
        "answer with points",
        '"task_1_3_area", "solution": true',
        '"task_1_3_area", "points": 1, "solution": true',
        '"points": 1,',
        "these keys do not go together in a code cell",
    ),
    (
        "written answer without points",
        MARKED,
        MARKED.replace(', "points": 10', ""),
        '"manual"',
        "these keys do not go together in a markdown cell",
    ),
    (
        "forgotten solution key",
        ANSWER,
        ANSWER.replace(', "solution": true', ""),
        '"task_1_1"',
        "task_1_1 is named as an answer or a check but the header does not make it one",
    ),
    # points
    (
        "total",
        MARKED,
        MARKED.replace("10", "5"),
        "# ---\n# jupyter:",
        "the points add up to 95, not 100; share them out anew",
    ),
    (
        "heading's points",
        "(30 points)",
        "(35 points)",
        "(35 points)",
        "the heading of Task 1.3 says 35 points and its cells add up to 30; make them agree",
    ),
    # checks
    (
        "no check cell",
        CHECK,
        "",
        ANSWER,
        "Task 1.1 has no check cell; add check_1_1 with its points",
    ),
    (
        "check of a hand-marked task",
        "# Addition commutes, so the order does not matter.\n",
        '# Addition commutes.\n\n# %% nbgrader={"grade_id": "check_1_2", "points": 1}\n'
        'check("1.2")\n',
        '"check_1_2"',
        "check_1_2 has no answer cell to check; add task_1_2",
    ),
    (
        "check of another label",
        'check("1.3")',
        'check("1.1") ',
        '"check_1_3"',
        'check_1_3 must hold check("1.3") and nothing else',
    ),
    (
        "check that does more",
        'check("1.3")',
        'check("1.3")\nprint("done")',
        '"check_1_3"',
        'check_1_3 must hold check("1.3") and nothing else',
    ),
    # markers
    (
        "region never closed",
        "    return total\n    ### END SOLUTION\n",
        "    return total\n",
        "### BEGIN SOLUTION\n" + SUM,
        "`### BEGIN SOLUTION` without an `### END SOLUTION` in its cell; add that",
    ),
    (
        "region never closed, in quoted text",
        "# Addition commutes, so the order does not matter.",
        '"""\n### BEGIN SOLUTION\nAddition commutes.\n"""',
        "### BEGIN SOLUTION\nAddition",
        "`### BEGIN SOLUTION` without an `### END SOLUTION` in its cell; add that",
    ),
    (
        "region never opened",
        "    ### BEGIN SOLUTION\n" + SUM,
        SUM,
        "### END SOLUTION\n\n\n# %% nbgrader={" + '"grade_id": "check_1_1"',
        "`### END SOLUTION` without a `### BEGIN SOLUTION` before it; add that",
    ),
    (
        "nested",
        SUM,
        SUM + "    ### BEGIN SOLUTION\n",
        "### BEGIN SOLUTION\n    return total",
        "`### BEGIN SOLUTION` inside the region of line",
    ),
    (
        "marker in a given cell",
        BOX,
        f"### BEGIN SOLUTION\n{BOX}\n### END SOLUTION",
        "### BEGIN SOLUTION\nbox",
        "`### BEGIN SOLUTION` outside an answer cell; move it",
    ),
    (
        "no region",
        f"    ### BEGIN SOLUTION\n{SUM}    return total\n    ### END SOLUTION\n",
        f"{SUM}    return total\n",
        ANSWER,
        "task_1_1 has no solution region; put `### BEGIN SOLUTION` and `### END SOLUTION`",
    ),
    # code
    (
        "code that does not parse",
        SUM,
        "    total = first +\n",
        "total = first +",
        "does not parse: invalid syntax",
    ),
    (
        "given code that does not parse",
        BOX,
        "box = [0, 0",
        "box = [0, 0",
        "does not parse: '[' was never closed",
    ),
    (
        "stub at the wrong depth",
        "    ### BEGIN SOLUTION\n" + SUM,
        "        ### BEGIN SOLUTION\n" + SUM,
        ANSWER,
        "task_1_1 does not parse with the stub in place of the solution",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "anchor", "words"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused_by_file_and_line(old, new, anchor, words, edit, refusal):
    text = edit(SOURCE, old, new)
    place = f"{SOURCE}:{line_of(text, anchor)}: "
    problems = refusal()
    assert any(p.startswith(place) and words in p for p in problems), problems


@pytest.mark.parametrize(
    "marker",
    [
        "### BEGIN YOUR SOLUTION",
        "### begin solution",
        "### Begin Solution",
        "# BEGIN_SOLUTION",
        "#BEGINSOLUTION",
        "### BEGIN SOLUTION (vectorised)",
        "## BEGIN SOLUTION",
        "### BEGIN SOLUTON",
        "### begin soluton",
        "# BEGIN THE SOLUTON",
        "pass  # BEGIN HIDDEN TESTS",
        "### START SOLUTION",
        "### end of the solution",
        "### SOLUTION BEGIN",
        "### BEGIN ANSWER",
        "### BEGIN HIDDEN TESTS",
        "### END MARK SCHEME",
        "pass  ### END SOLUTION",
    ],
)
@pytest.mark.parametrize("cell", ["answer", "given"])
def test_what_only_looks_like_a_marker_is_refused(marker, cell, edit, refusal):
    old, indent = (SUM, "    ") if cell == "answer" else (BOX + "\n", "")
    line = line_of(edit(SOURCE, old, f"{indent}{marker}\n{old}"), f"{marker}\n{old}")
    [problem] = refusal()
    assert problem.startswith(f"{SOURCE}:{line}: {marker!r} looks like a marker")
    assert "write exactly `### BEGIN SOLUTION` or `### END SOLUTION`" in problem


@pytest.mark.parametrize(
    "comment",
    [
        "### End-to-end training",
        "# begin with zeros",
        "# the beginning of the solution is a loop",
        "# in the end, your solution should match",
        "# solution: see the paper",
        "# Ending, or a solution",
    ],
)
def test_ordinary_words_are_no_markers(toy_course, comment, edit):
    edit(SOURCE, BOX, f"{comment}\n{BOX}")
    edit(SOURCE, "# # A toy week", f"# # A toy week\n# {comment.lstrip('# ')}")
    release.build(toy_course, WEEK)


def test_every_problem_of_a_week_is_told_at_once(edit, refusal):
    edit(SOURCE, BOX, "box = [0, 0")
    edit(SOURCE, "(30 points)", "(35 points)")
    edit(SOURCE, '"check_1_3"', '"check_1_4"')
    edit(f"{CHECKS}/test_add.py", '"1.1"', '"1.2"')
    problems = refusal()
    kinds = ["hidden check for 1.2", "35 points", "never closed", "no heading", "no hidden check"]
    assert all(any(kind in problem for problem in problems) for kind in kinds)
    places = [(p.split(":")[0], int(p.split(":")[1])) for p in problems]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "words"),
    [
        (
            "test_add.py",
            '"1.1", points=60',
            '"1.1", points=50',
            f"{CHECKS}/test_add.py:3",
            f"50 points for 1.1, 60 in {SOURCE}:33; make them agree",
        ),
        (
            "test_area.py",
            '"1.3"',
            '"1.4"',
            f"{CHECKS}/test_area.py:4",
            "hidden check for 1.4, which has no check cell check_1_4",
        ),
        (
            "test_area.py",
            '"1.3"',
            '"1.4"',
            f"{SOURCE}:57",
            '1.3 has no hidden check: add pytest.mark.task("1.3", points=30)',
        ),
        (
            "test_add.py",
            "points=60",
            "points=30 * 2",
            f"{CHECKS}/test_add.py:3",
            "write the mark with plain values",
        ),
        (
            "test_add.py",
            'pytestmark = [pytest.mark.task("1.1", points=60)]\n',
            "",
            f"{CHECKS}/test_add.py:5",
            "test_sum has no task mark; add pytestmark",
        ),
        (
            "test_area.py",
            "def test_area(student):",
            "def test_area(student:",
            f"{CHECKS}/test_area.py:5",
            "does not parse",
        ),
    ],
)
def test_hidden_checks_and_check_cells_must_agree(file, old, new, place, words, edit, refusal):
    edit(f"{CHECKS}/{file}", old, new)
    problems = refusal()
    assert any(problem.startswith(f"{place}: {words}") for problem in problems), problems


def test_hidden_checks_are_never_imported(toy_course):
    path = toy_course.checks(WEEK) / "test_add.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nraise SystemExit\n", encoding="utf-8")
    release.build(toy_course, WEEK)


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (lambda text: text.encode("latin-1"), 22, "byte 0xb7 is no UTF-8"),
        (lambda text: text.encode("utf-16"), 1, "byte 0xff is no UTF-8"),
        (lambda text: text.encode("utf-8-sig"), 1, "the file begins with a BOM"),
        (lambda text: text.replace("toy", "\u2028").encode(), 10, "U+2028 ends a line to some"),
    ],
    ids=["latin-1", "utf-16", "BOM", "line separator"],
)
def test_a_source_is_plain_text(toy_course, refusal, content, place, words):
    path = toy_course.source(WEEK)
    path.write_bytes(content(path.read_text(encoding="utf-8")))
    [problem] = refusal()
    assert problem.startswith(f"{SOURCE}:{place}: {words}")


def test_line_ends_of_other_systems_make_the_same_release(toy_course):
    built = release.build(toy_course, WEEK)
    for path in (toy_course.source(WEEK), *toy_course.checks(WEEK).glob("*.py")):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert release.build(toy_course, WEEK) == built


def test_text_that_jupytext_cannot_count_is_refused(edit, refusal):
    edit(SOURCE, BOX, 'text = """\n# %% no cell\n"""')
    assert refusal()[0].startswith(f"{SOURCE}:1: 12 lines look like `# %%` headers")


def test_a_header_that_jupytext_cannot_read_is_refused(edit, refusal):
    edit(SOURCE, "# jupyter:\n", "# jupyter:\n#   kernelspec:\n#     name: x\n")
    assert refusal()[0].startswith(f"{SOURCE}:1: jupytext cannot read it (")
