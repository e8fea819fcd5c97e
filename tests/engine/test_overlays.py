"""Mutants and variants: what they may say, where it applies, and what is told when it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detgrader.assignment import Assignment, Task, load_assignment
from detgrader.course import Course, CourseError
from detgrader.intake import Submission
from detgrader.overlays import Overlay, lay_over, load_overlays
from detgrader.reference import read_answers, reference_submission
from detlab.checking.notebook import CodeCell

WEEK = "week1_toy"
COURSE = Course.find()
NOTEBOOK = '''\
# %% nbgrader={"grade_id": "task_1_1", "solution": true}
def total(rows):
    """Add up all numbers that are not negative."""
    ### BEGIN SOLUTION
    sums = []
    for row in rows:
        kept = [x for x in row if x >= 0]

        sums.append(sum(kept))
    return sum(sums)
    ### END SOLUTION


# %% nbgrader={"grade_id": "task_1_1_more", "solution": true}
def largest(rows):
    """Find the largest number."""
    ### BEGIN SOLUTION
    best = 0
    for row in rows:
        best = max(best, *row)
    return best
    ### END SOLUTION


# %% [markdown] nbgrader={"grade_id": "task_1_2", "solution": true, "manual": true, "points": 5}
# Zero is not negative.

# %% nbgrader={"grade_id": "task_1_3", "solution": true}
def total_of_one(row):
    """Add up a row."""
    ### BEGIN SOLUTION
    sums = []
    sums += row
    return sum(sums)
    ### END SOLUTION
'''
TASKS = (
    Task("1.1", "Rows", 10.0, 0.0, ("task_1_1", "task_1_1_more"), ()),
    Task("1.2", "Why", 0.0, 5.0, (), ("task_1_2",)),
    Task("1.3", "A row", 10.0, 0.0, ("task_1_3",), ()),
)
ASSIGNMENT = Assignment(WEEK, {}, TASKS)
HEAD = """\
task = "1.1"
does = "adds too much"
hint = "How much is that?"
"""
ONE = "[[change]]\nfrom = 'sums = []'\nto = 'sums = [1]'\n"
ONE_IN_CODE = '"""task: 1.1\ndoes: adds too much\nhint: How much?\n"""\n'


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course of one source and no overlays."""
    folder = tmp_path / "solutions" / WEEK
    (folder / "mutants").mkdir(parents=True)
    (folder / "variants").mkdir()
    (folder / "notebook.py").write_text(NOTEBOOK, "utf-8")
    return Course(tmp_path)


def reference(course: Course) -> Submission:
    """Return the reference of a course that has no release."""
    path = course.source(WEEK)
    answers = [answer for answer in read_answers(path) if answer.is_code]
    return Submission("reference", path, cells=[CodeCell(a.grade_id, a.source) for a in answers])


@pytest.fixture
def load(course: Course) -> Callable[..., list[Overlay]]:
    """Write an overlay and load its folder."""

    def write_and_load(text: str, name: str = "mutants/one.toml") -> list[Overlay]:
        path = course.mutants(WEEK).parent / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return load_overlays(path.parent, ASSIGNMENT, with_hints=path.parent.name == "mutants")

    return write_and_load


@pytest.fixture
def lay(course: Course, load: Callable[..., list[Overlay]]) -> Callable[..., dict[str, str]]:
    """Lay changes, pairs of texts, over the reference; return all cells' sources."""

    def write_and_lay(*changes: tuple[str, str]) -> dict[str, str]:
        text = HEAD
        for before, after in changes:
            text += f"\n[[change]]\nfrom = '''\n{before}'''\nto = '''\n{after}'''\n"
        (overlay,) = load(text)
        laid_over = lay_over(reference(course), overlay, ASSIGNMENT)
        return {cell.name: cell.source for cell in laid_over.cells}

    return write_and_lay


def sources(course: Course) -> dict[str, str]:
    """Return the sources of the reference's cells."""
    return {cell.name: cell.source for cell in reference(course).cells}


def line_of(text: str, start: int = 0) -> int:
    """Return the number of the reference's first line that holds a text, from a line on."""
    lines = NOTEBOOK.split("\n")
    return next(n for n, line in enumerate(lines, 1) if n > start and text in line)


# Where a change applies


def test_a_change_replaces_its_lines_and_leaves_the_rest(course: Course, lay: Callable) -> None:
    before = sources(course)
    after = lay(("kept = [x for x in row if x >= 0]", "kept = row"))
    expected = before["task_1_1"].replace("kept = [x for x in row if x >= 0]", "kept = row")
    assert after == before | {"task_1_1": expected}
    assert list(after) == list(before)


def test_an_overlay_says_whose_it_is(load: Callable) -> None:
    """A text may be wrapped, and is one line all the same."""
    (overlay,) = load(HEAD.replace('"How much is that?"', '"""How\n  much is that?"""') + ONE)
    assert (overlay.name, overlay.task, overlay.does) == ("one", "1.1", "adds too much")
    assert overlay.hint == "How much is that?"


def test_lines_are_found_however_far_they_are_indented(course: Course, lay: Callable) -> None:
    loop = "for row in rows:\n    kept = [x for x in row if x >= 0]\n\n    sums.append(sum(kept))\n"
    deeper = "for row in rows:\n    for x in row:\n\n        sums.append(x)\n"
    after = lay((loop, deeper))["task_1_1"]
    assert "\n    for row in rows:\n        for x in row:\n\n            sums.append(x)\n" in after


def test_what_is_written_with_its_indentation_means_the_same(lay: Callable) -> None:
    dedented = lay(("kept = [x for x in row if x >= 0]\n", "kept = []\nkept += row\n"))
    assert dedented == lay(
        ("        kept = [x for x in row if x >= 0]\n", "        kept = []\n        kept += row\n")
    )


def test_lines_move_out_of_a_block_and_into_one(lay: Callable) -> None:
    moved = lay(
        ("    sums.append(sum(kept))\nreturn sum(sums)", "sums.append(sum(kept))\nreturn 0")
    )
    assert "\n\n    sums.append(sum(kept))\n    return 0" in moved["task_1_1"]
    moved = lay(("return sum(sums)", "    return sum(sums)"))
    assert "\n        return sum(sums)" in moved["task_1_1"]


def test_relative_indentation_counts(lay: Callable) -> None:
    with pytest.raises(CourseError, match="do not follow each other"):
        lay(("sums.append(sum(kept))\nreturn sum(sums)", "return 0"))


def test_changes_add_and_delete_lines(lay: Callable) -> None:
    after = lay(("sums = []", "sums = []\nrows = rows[1:]"), ("best = max(best, *row)\n", "pass"))
    assert "\n    sums = []\n    rows = rows[1:]\n    for row in rows:\n" in after["task_1_1"]
    after = lay(("kept = [x for x in row if x >= 0]\n\nsums.append(sum(kept))", "sums += row"))
    assert "\n    for row in rows:\n        sums += row\n    return" in after["task_1_1"]
    after = lay(("sums = []", ""))
    assert 'negative."""\n    for row in rows:\n' in after["task_1_1"]


def test_changes_are_looked_for_in_the_reference_whatever_others_write(
    course: Course, lay: Callable
) -> None:
    """In any order, in any of the task's cells, and although two lines read alike afterwards."""
    expected = sources(course)
    expected["task_1_1"] = expected["task_1_1"].replace("return sum(sums)", "return 1")
    expected["task_1_1"] = expected["task_1_1"].replace(
        "sums = []", "sums = 0\n    return sum(sums)"
    )
    expected["task_1_1_more"] = expected["task_1_1_more"].replace("best = 0", "best = 9")
    changes = [("sums = []", "sums = 0\nreturn sum(sums)"), ("return sum(sums)", "return 1")]
    assert lay(*changes, ("best = 0", "best = 9")) == expected
    assert lay(("best = 0", "best = 9"), *reversed(changes)) == expected


def test_neighbouring_lines_are_two_changes(lay: Callable) -> None:
    after = lay(("sums.append(sum(kept))", "sums += kept"), ("return sum(sums)", "return sums"))
    assert "\n        sums += kept\n    return sums" in after["task_1_1"]


def test_blanks_at_the_end_of_a_line_are_none(course: Course, lay: Callable) -> None:
    course.source(WEEK).write_text(NOTEBOOK.replace("sums = []\n", "sums = [] \n"), "utf-8")
    after = lay(("sums = []   \nfor row in rows:", "for row in rows:"))
    assert "sums = []" not in after["task_1_1"]


def test_code_runs_at_the_end_of_the_tasks_last_cell(course: Course, load: Callable) -> None:
    (overlay,) = load(ONE_IN_CODE + "\n\ndef total(rows):\n    return 1\n", "mutants/one.py")
    laid_over = lay_over(reference(course), overlay, ASSIGNMENT)
    after = {cell.name: cell.source for cell in laid_over.cells}
    before = sources(course)
    code = f"{before['task_1_1_more']}\n\ndef total(rows):\n    return 1"
    assert after == before | {"task_1_1_more": code}


# A change that does not fit the reference


def test_lines_that_stand_nowhere_are_told_by_both_files(course: Course, lay: Callable) -> None:
    with pytest.raises(CourseError) as error:
        lay(("sums = []", "sums = [1]"), ("for row in rows:\n    kept = row", "pass"))
    source, first = course.source(WEEK), line_of("def total(")
    assert str(error.value) == (
        f"{course.mutants(WEEK) / 'one.toml'}:11: change 2: `from` stands nowhere in task_1_1 "
        f"({source}:{first}), task_1_1_more ({source}:{line_of('def largest(')}): "
        "no line reads `kept = row`; has the reference changed?"
    )


@pytest.mark.parametrize("drift", ["    sums = list()\n", "    sums = []\n    pass\n"])
def test_drift_fails_by_file_and_line(course: Course, lay: Callable, drift: str) -> None:
    """Somebody changes the reference under an overlay."""
    change = ("sums = []\nfor row in rows:", "for row in rows:")
    lay(change)
    source = course.source(WEEK)
    source.write_text(NOTEBOOK.replace("    sums = []\n", drift, 1), "utf-8")
    with pytest.raises(CourseError, match=rf"one\.toml:5: change 1: .*{source}:2\)"):
        lay(change)


def test_lines_that_stand_twice_are_told_by_their_places(course: Course, lay: Callable) -> None:
    """And these are the answers', though another cell above them reads the same."""
    source = course.source(WEEK)
    above = "# %%\n" + sources(course)["task_1_1"] + "\n\n"
    source.write_text(above + NOTEBOOK, "utf-8")
    with pytest.raises(CourseError) as error:
        lay(("for row in rows:", "for row in rows[1:]:"))
    first = line_of("for row in rows:") + above.count("\n")
    second = line_of("for row in rows:", line_of("for row in rows:")) + above.count("\n")
    assert str(error.value) == (
        f"{course.mutants(WEEK) / 'one.toml'}:5: change 1: `from` stands in 2 places: "
        f"{source}:{first}, {source}:{second}; take in more lines around it"
    )


@pytest.mark.parametrize("part", ["sums", "= []", "sums = [", "x >= 0]"])
def test_lines_are_whole(lay: Callable, part: str) -> None:
    with pytest.raises(CourseError, match="stands nowhere"):
        lay((part, "pass"))


def test_other_tasks_are_left_alone(course: Course, load: Callable) -> None:
    """Task 1.3 holds `sums = []` as well; that is no second place, and no place of its own."""
    (overlay,) = load(HEAD + ONE)
    lay_over(reference(course), overlay, ASSIGNMENT)
    (overlay,) = load(HEAD + ONE.replace("sums = []", "sums += row"))
    with pytest.raises(CourseError, match="stands nowhere in task_1_1 "):
        lay_over(reference(course), overlay, ASSIGNMENT)


def test_changes_that_overlap_are_refused(course: Course, lay: Callable) -> None:
    with pytest.raises(CourseError) as error:
        lay(("kept = [x for x in row if x >= 0]\n\nsums.append(sum(kept))", "pass"),
            ("sums.append(sum(kept))", "sums += kept"))  # fmt: skip
    place = f"{course.source(WEEK)}:{line_of('sums.append')}"
    assert str(error.value) == (
        f"{course.mutants(WEEK) / 'one.toml'}:13: change 2: another change takes the same line, "
        f"{place}: make them one"
    )


def test_a_cell_that_is_not_python_any_more_is_refused(course: Course, lay: Callable) -> None:
    with pytest.raises(CourseError) as error:
        lay(("return sum(sums)", "return sum(sums"))
    assert str(error.value).startswith(
        f"{course.mutants(WEEK) / 'one.toml'}:5: change 1: changed so, task_1_1 is not Python: "
    )
    assert "`return sum(sums`" in str(error.value)


# What an overlay may say


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD + "[[change]\n", 4, "not TOML"),
        (HEAD + "does = ''\n" + ONE, 4, "not TOML"),
        (HEAD + "[[change]]\nfrom = '''\nx", 6, "not TOML"),
        (HEAD, 1, "it changes nothing"),
        (HEAD + "change = []\n", 1, "it changes nothing"),
        (HEAD + "[change]\nfrom = 'a'\nto = 'b'\n", 1, "it changes nothing"),
        (HEAD + "change = ['sums']\n", 1, "it changes nothing"),
        (HEAD.replace('"1.1"', '"1.4"') + ONE, 1, "there is no task 1.4 with code"),
        (HEAD.replace('"1.1"', '"1.2"') + ONE, 1, "there is no task 1.2 with code"),
        (HEAD.replace('"1.1"', "1.1") + ONE, 1, "`task` must be a text"),
        (HEAD.replace("hint", "tip") + ONE, 3, "unknown key `tip`"),
        (HEAD.replace("does =", "# does =") + ONE, 1, "lacks the key `does`"),
        (HEAD.replace("adds too much", " ") + ONE, 2, "`does` is empty"),
        (HEAD + ONE + "with = ''\n", 7, "change 1: unknown key `with`"),
        (HEAD + ONE + "\n[[change]]\nto = ''\n", 8, "change 2: it lacks the key `from`"),
        (HEAD + ONE + "[[change]]\nfrom = 'a'\n", 7, "change 2: it lacks the key `to`"),
        (HEAD + ONE + "[[change]]\nto = ''\nfrom = 3\n", 9, "change 2: `from` must be a text"),
        (HEAD + "[[change]]\nfrom = '''\n \n'''\nto = ''\n", 5, "change 1: `from` is empty"),
        (HEAD + "[[change]]\nfrom = ' a'\nto = ' a\t'\n", 6, "change 1: `to` is the same as"),
    ],
)
def test_what_is_not_understood_is_told_by_file_and_line(
    course: Course, load: Callable, text: str, line: int, says: str
) -> None:
    with pytest.raises(CourseError) as error:
        load(text)
    assert str(error.value).startswith(f"{course.mutants(WEEK) / 'one.toml'}:{line}: ")
    assert says in str(error.value)


def test_a_text_may_quote_a_header(course: Course, load: Callable) -> None:
    """Then nobody knows the lines of changes, but their numbers are still right."""
    text = HEAD.replace('"adds too much"', "'''\n[[change]]\n'''")
    (overlay,) = load(text + ONE)
    assert overlay.does == "[[change]]"
    with pytest.raises(CourseError, match=r"one\.toml:1: change 1: it lacks the key `to`"):
        load(text + "[[change]]\nfrom = 'a'\n")


def test_variants_have_no_hint(load: Callable) -> None:
    (overlay,) = load(HEAD.replace("hint", "# hint") + ONE, "variants/one.toml")
    assert overlay.hint == ""
    with pytest.raises(CourseError, match=r"one\.toml:3: unknown key `hint`"):
        load(HEAD + ONE, "variants/one.toml")


@pytest.mark.parametrize("name", ["one.toml", "one.py"])
def test_an_overlay_that_is_not_utf8_is_told(load: Callable, name: str) -> None:
    with pytest.raises(CourseError, match=rf"{name}:2: this is not UTF-8"):
        load("#\n# \udcff\n", f"mutants/{name}")


def test_one_name_is_one_overlay(course: Course, load: Callable) -> None:
    load(HEAD + ONE)
    with pytest.raises(CourseError, match=r"mutants/one\.toml: there is one\.py, too"):
        load(ONE_IN_CODE, "mutants/one.py")


def test_overlays_come_by_name_in_both_forms(load: Callable) -> None:
    load(HEAD + ONE, "mutants/b.toml")
    load(ONE_IN_CODE, "mutants/c.py")
    assert [one.name for one in load(ONE_IN_CODE, "mutants/a.py")] == ["a", "b", "c"]


def test_overlays_import_nothing_slow() -> None:
    script = (
        "import detgrader.overlays, sys; "
        "print({'torch', 'jupytext', 'nbformat', 'pytest', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


# The course's own


@pytest.mark.parametrize("week", COURSE.weeks())
def test_all_overlays_of_the_course_fit_its_references(week: str) -> None:
    assignment = load_assignment(COURSE, week)
    reference = reference_submission(COURSE, assignment)
    before = {cell.name: cell.source for cell in reference.cells}
    overlays = load_overlays(COURSE.mutants(week), assignment, with_hints=True)
    overlays += load_overlays(COURSE.variants(week), assignment, with_hints=False)
    assert overlays
    tasks = {task.label: task for task in assignment.tasks}
    for overlay in overlays:
        after = {cell.name: cell.source for cell in lay_over(reference, overlay, assignment).cells}
        changed = {name for name in before if before[name] != after[name]}
        assert changed, overlay.name
        assert changed <= set(tasks[overlay.task].code_cells), overlay.name
