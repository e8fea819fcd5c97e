"""How the tasks of a week stand, and hints step by step; in a real IPython."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from detgrader.course import Course
from detgrader.reference import load_reference
from detlab.checking.moment import week_at_hand
from detlab.checking.report import State
from detlab.weeks import check, hint

SETUP = """\
from itertools import groupby

import torch
from torch import Tensor

from runlab.lights import ROWS
from runlab.runs import Runs
from runlab.weeks import check
"""
STUB = "def encode(bits: str) -> Runs:\n    raise NotImplementedError('task 1.1')\n"
RIGHT = """\
def encode(bits):
    print("looking at", bits)
    return Runs(bits[:1], tuple(len(list(run)) for _, run in groupby(bits)))
"""
WRONG = "def encode(bits):\n    return Runs(bits[:1], (1,))\n"
DECODE = "def decode(runs):\n    return ''\ndef pays(bits):\n    return 1 / 0\n"
Notebook = Callable[[str], str]


@pytest.fixture
def notebook(capsys: pytest.CaptureFixture[str]) -> Iterator[Notebook]:
    """Runs a cell, as Jupyter does, and returns what is printed below it."""
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.colors = "nocolor"

    def run(source: str) -> str:
        shell.run_cell(source, store_history=True)
        said = capsys.readouterr()
        return (said.out + said.err).strip()

    run(SETUP)
    run("check.hints.given.clear()")
    yield run
    atexit.unregister(shell.atexit_operations)


def states(said: str) -> dict[str, str]:
    """Return the states that a progress tells, by label."""
    found = {}
    for line in said.splitlines():
        words = line.split()
        if words and words[0][:2] == "1.":
            found[words[0]] = next(state for state in State if f"  {state} " in line)
    return found


def test_progress_tells_each_tasks_state_title_and_points(notebook: Notebook) -> None:
    said = notebook("check()")
    assert said.startswith("Week 1: 0 of 3 tasks pass their visible checks.")
    assert states(said) == dict.fromkeys(("1.1", "1.2", "1.3"), "has not run")
    notebook(STUB)
    assert states(notebook("check()"))["1.1"] == "still to do"
    notebook(RIGHT)
    notebook(DECODE)
    said = notebook("check()")
    assert states(said) == {"1.1": "passes", "1.2": "not right yet", "1.3": "has not run"}
    assert said.startswith("Week 1: 1 of 3 tasks pass their visible checks.")
    (line,) = (line for line in said.splitlines() if line.split()[0] == "1.2")
    assert "Decode, and does it pay?" in line
    assert line.endswith(" 6")
    assert "In reach by what passes: 8 of 20 points." in said
    assert "looking at" not in said  # what their code prints belongs to the task's own check
    assert "looking at" in notebook('check("1.1")')


def test_progress_waits_for_a_cell_of_a_week(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="run the setup cell"):
        check.progress({})


def names_of(week: str) -> dict[str, Any]:
    """Return what a notebook's answers define, as when its cells have run."""
    return dict(vars(load_reference(Course.find(), week)))


def test_answers_in_words_are_a_persons_and_their_points_told_apart() -> None:
    found = check.progress(names_of("week1_sliding_window"))
    assert found.week == 1
    assert set(found.states.values()) == {State.PASSES, State.IN_WORDS}
    assert found.states["1.1"] is State.IN_WORDS
    assert {row.task: row.points for row in found.rows}["1.7"] == "4 + 4 by a person"
    assert "In reach by what passes: 91 of 91 points." in found.text
    assert "9 more are for answers in words: a person gives them." in found.text


@pytest.mark.parametrize("week", Course.find().weeks())
def test_the_week_is_the_one_of_which_most_has_run(week: str) -> None:
    assert week_at_hand(check.outlines(), names_of(week)) == Course.find().number(week)


def test_a_setup_cell_with_a_line_more_is_known(notebook: Notebook) -> None:
    notebook(f"%time\n{SETUP}import math\n")
    assert notebook("check()").startswith("Week 1:")


def test_hints_go_from_general_to_specific_one_at_a_time(notebook: Notebook) -> None:
    notebook(WRONG)
    told = [notebook('check.hint("1.1")').splitlines() for _ in range(5)]
    assert told[0][0] == "Task 1.1: where to look"
    assert told[0][1].startswith("  1. Look at: `encode` counts the runs of a short string; ")
    assert told[0][2:] == ["  Ask again for 3 more."]
    assert told[1][:2] == told[0][:2]
    assert told[1][2].startswith("  2. ")
    assert told[2][-1] == "  Ask again for one more."
    assert told[3][4] == "  4. Read the statement again, below “Task 1.1 · Encode” in the notebook."
    assert told[3][5:] == ["  That was the last hint."]
    assert told[4] == told[3]


def test_a_new_mistake_begins_anew(notebook: Notebook) -> None:
    notebook(WRONG)
    for _ in range(3):
        notebook('check.hint("1.1")')
    notebook("def encode(bits):\n    return 1 / 0\n")
    said = notebook("check.hint(1.1)")
    assert "2." not in said
    said = notebook('check.hint("1.1")')
    assert "  2. ZeroDivisionError: division by zero" in said
    assert "line 2" not in said  # in short


def test_what_is_open_or_right_or_has_not_run_has_its_own_hint(notebook: Notebook) -> None:
    assert "run the cell above, which defines `encode`" in notebook('check.hint("1.1")')
    notebook(STUB)
    said = notebook('check.hint("1.1")')
    assert "The check will look at: `encode` counts the runs of a short string; " in said
    assert "Read the statement again" in notebook('check.hint("1.1")')
    notebook(RIGHT)
    assert "passes. There is nothing to hint at." in notebook('check.hint("1.1")')
    assert "there is no task '1.9'" in notebook('check.hint("1.9")')


def test_hint_stands_beside_check() -> None:
    assert hint == check.hint
    with pytest.raises(ValueError, match=r"there is no task '9\.9'"):
        hint("9.9")
