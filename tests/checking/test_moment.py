"""What `check` says of cells that have not run, or not in their last version; in a real IPython."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from detlab.checking.moment import is_untouched
from detlab.checking.notebook import ReleasedCell
from detlab.checking.outline import read_outline

STUB = "def encode(bits: str) -> Runs:\n    raise NotImplementedError('task 1.1')\n"
RIGHT = """\
def encode(bits):
    return Runs(bits[:1], tuple(len(list(run)) for _, run in groupby(bits)))
"""
SETUP = """\
from itertools import groupby
from runlab.runs import Runs
from runlab.weeks import check
"""
Notebook = Callable[[str], str]


def released(name: str) -> ReleasedCell:
    return read_outline("runlab.weeks", 1)[name]


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
    yield run
    atexit.unregister(shell.atexit_operations)


def test_a_cell_that_has_not_run(notebook: Notebook) -> None:
    said = "Task 1.1 cannot be checked yet: run the cell above, which defines `encode`."
    assert notebook('check("1.1")') == said


def test_a_cell_that_is_as_it_was(notebook: Notebook) -> None:
    notebook(STUB)
    assert notebook('check("1.1")') == "Task 1.1 is still to do."


def test_a_right_answer_passes_as_often_as_it_is_asked(notebook: Notebook) -> None:
    notebook(RIGHT)
    for _ in range(2):
        assert notebook('check("1.1")').startswith("Task 1.1 passes.")


def test_an_older_version_is_not_taken_for_one_that_is_no_python(notebook: Notebook) -> None:
    notebook(RIGHT)
    notebook("x = 1\ndef encode(bits)\n    return bits")
    said = notebook('check("1.1")')
    assert said.startswith("Task 1.1 cannot be checked: the last version of `encode` is no Python")
    assert "line 2" in said
    notebook(RIGHT)
    assert "passes" in notebook('check("1.1")')


def test_an_older_version_is_not_taken_for_one_whose_cell_stopped(notebook: Notebook) -> None:
    notebook(RIGHT)
    notebook("1 / 0\n" + RIGHT)
    assert "stopped before it came to it" in notebook('check("1.1")')


def test_a_number_is_understood_where_it_is_clear(notebook: Notebook) -> None:
    notebook(RIGHT)
    assert notebook("check(1.1)").startswith("Task 1.1 passes.")


def test_a_label_is_understood_as_people_write_it(notebook: Notebook) -> None:
    notebook(RIGHT)
    for label in ("1.1 ", "task 1.1", "Task 1.1"):
        assert notebook(f"check({label!r})").startswith("Task 1.1 passes.")
    for label in ("1.10", "x", 1, "9.1"):
        said = notebook(f"check({label!r})")
        assert said.startswith(f"there is no task {label!r}; write it as in check('1.5')")
    assert notebook('check("1.10")').endswith("; its week has 1.1, 1.2, 1.3")


def test_a_wrapped_function_is_checked_as_it_is(notebook: Notebook) -> None:
    notebook(RIGHT)
    notebook("import functools\nencode = functools.lru_cache(encode)")
    assert "passes" in notebook('check("1.1")')


def test_a_magic_keeps_nobody_from_a_check(notebook: Notebook) -> None:
    notebook("%time 1\n" + RIGHT)
    assert "passes" in notebook('check("1.1")')


def test_a_misspelt_name_is_found(notebook: Notebook) -> None:
    notebook("def encod(bits):\n    return bits")
    said = notebook('check("1.1")')
    assert said.endswith(
        "which defines `encode`. You have defined `encod`: is that meant to be it?"
    )
    notebook(released("task_1_1").source)
    said = notebook('check("1.1")')
    assert said.startswith("Task 1.1 is still to do.")
    assert "You have defined `encod`" in said
    # A name that the week asks for is not another one misspelt.
    notebook("def encod(bits):\n    raise NameError")
    notebook("del encod\ndef decode(runs):\n    return ''")
    assert "You have defined" not in notebook('check("1.1")')


def test_what_an_earlier_task_leaves_open_is_not_held_against_this_one(notebook: Notebook) -> None:
    notebook(STUB.replace("task 1.1", "task 1.1: replace this line with your answer"))
    notebook(
        "def decode(runs):\n    return encode('1')\n\ndef pays(bits):\n    return encode(bits)"
    )
    said = notebook('check("1.2")')
    assert said.startswith(
        "Task 1.2 cannot be checked yet: it needs `encode` of task 1.1, which is"
    )


@pytest.mark.parametrize("stop", ["before", "after"])
def test_a_stub_that_stops_outside_of_its_functions_is_untouched(stop: str) -> None:
    end = "raise NotImplementedError('task 1.1')\n"
    stub = end + STUB if stop == "before" else STUB + end
    cell = ReleasedCell("task_1_1", "code", stub, {"solution": True})
    assert not is_untouched([cell], {})
    assert is_untouched([cell], {"In": ["", stub.strip()]})
    assert not is_untouched([cell], {"In": ["", stub, stub.replace("bits", "text")]})
