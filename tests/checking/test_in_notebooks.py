"""Panels in a real kernel: what a front end shows, what a program is told, what a browser sees."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from pathlib import Path

import IPython
import pytest
from browser_pages import AXE, Page, chromium
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbclient.util import run_sync
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from detlab.checking.shown import kernel_shell

# The kernel's own packages warn about a plain local connection.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

SETUP = "import torch\nfrom detlab.grid import WindowGrid\nfrom detlab.weeks import check, hint\n"
TO_DO = "def window_grid(layers, input_size):\n    raise NotImplementedError\n"
TO_DO += "def window_box(grid, i, j):\n    raise NotImplementedError\n"
# The box of a window's row and column, exchanged.
WRONG = """\
def window_box(grid, i, j):
    y, x = j * grid.stride, i * grid.stride
    return (x, y, x + grid.size, y + grid.size)
"""
WINDOWS = """\
def extract_windows(images, size, stride):
    return images.unfold(2, size, stride).unfold(3, size, stride).permute(0, 2, 3, 1, 5, 4)
def slide(net, images, size, stride):
    raise NotImplementedError
"""
CELLS = {
    "setup": SETUP,
    "open": f'{TO_DO}check("1.9")',
    "wrong": f'{WRONG}check("1.9")',
    "windows": f'{WINDOWS}check("1.5")',
    "words": 'check("1.1")',
    "hint": 'hint("1.9")',
    "progress": "check()",
    "captured": '%%capture said\ncheck("1.1")',
    "crash": "1 / 0",
    "handlers": "print(get_ipython().custom_exceptions)",
    "own": 'get_ipython().set_custom_exc((KeyError,), print)\ncheck("1.9")',
}


class Attended(NotebookClient):
    """Runs a notebook as a person's front end does, which takes input."""

    async def async_start_new_kernel_client(self) -> object:
        client = await super().async_start_new_kernel_client()
        client.allow_stdin = True
        return client

    start_new_kernel_client = run_sync(async_start_new_kernel_client)


def executed(kind: type[NotebookClient], *names: str) -> NotebookNode:
    """Return a notebook of these cells, which has run."""
    notebook = new_notebook(cells=[new_code_cell(CELLS[name]) for name in names])
    notebook.metadata.title = "Panels"
    kind(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return notebook


@pytest.fixture(scope="module")
def attended() -> NotebookNode:
    return executed(Attended, *CELLS)


@pytest.fixture(scope="module")
def outputs(attended: NotebookNode) -> dict[str, list[NotebookNode]]:
    cells = zip(CELLS, attended.cells, strict=True)
    return {name: cell.outputs for name, cell in cells}


def kinds(outputs: list[NotebookNode]) -> list[str]:
    return [output.output_type for output in outputs]


@pytest.mark.parametrize("name", ["open", "wrong", "windows", "words", "hint", "progress"])
def test_a_person_sees_a_panel_and_nothing_else(outputs: dict, name: str) -> None:
    assert kinds(outputs[name]) == ["display_data"]
    assert set(outputs[name][0].data) == {"text/plain", "text/html"}


def test_panels_show_what_failed(outputs: dict) -> None:
    panels = ("open", "wrong", "windows", "hint", "progress")
    html = {name: outputs[name][0].data["text/html"] for name in panels}
    assert "Task 1.9 is still to do." in html["open"]
    for words in ("x goes with the column", "window_box(grid=WindowGrid(size=14", "dashed: got"):
        assert words in html["wrong"]
    assert "The map at [0, 0]: 12 of 16 numbers differ" in html["windows"]
    assert '<li style="margin:.4em 0">Look at: <code>window_grid</code>' in html["hint"]
    assert "not right yet" in html["progress"]
    plain = outputs["open"][0].data["text/plain"]
    assert plain == "Task 1.9 is still to do."


def test_other_errors_show_as_ever(outputs: dict) -> None:
    assert kinds(outputs["crash"]) == ["error"]
    assert "ZeroDivisionError" in "".join(outputs["crash"][0].traceback)
    assert outputs["handlers"][0].text == "()\n"


def test_a_students_own_handler_stays_and_text_is_shown(outputs: dict) -> None:
    assert kinds(outputs["own"]) == ["display_data", "error"]
    assert outputs["own"][1].traceback == [outputs["own"][0].data["text/plain"]]


def test_a_captured_check_is_captured(outputs: dict) -> None:
    assert outputs["captured"] == []


def test_a_terminal_gets_text(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    atexit.unregister(shell.atexit_operations)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    assert kernel_shell() is None
    monkeypatch.setattr(type(shell.display_pub), "__module__", "ipykernel.zmqshell")
    assert kernel_shell() is shell


@pytest.mark.parametrize("kind", [Attended, NotebookClient])
def test_a_task_that_is_open_ends_a_run(kind: type[NotebookClient]) -> None:
    cells = [new_code_cell(CELLS[name]) for name in ("setup", "open", "words")]
    notebook = new_notebook(cells=cells)
    with pytest.raises(CellExecutionError, match=r"Task 1\.9 is still to do"):
        kind(notebook, timeout=120, kernel_name="python3").execute()
    assert notebook.cells[1].outputs
    assert not notebook.cells[2].outputs


def test_a_program_is_told_the_error_as_text() -> None:
    """By it nbgrader knows that a cell failed."""
    notebook = executed(NotebookClient, "setup", "open", "wrong")
    panel, error = notebook.cells[2].outputs
    assert error.output_type == "error"
    assert error.ename == "CheckFailed"
    assert error.traceback == [panel.data["text/plain"]]
    assert "x goes with the column" in error.traceback[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with chromium() as page:
        yield page


# The frame of the page, prompts and code are nbconvert's.
WIDER = """[...document.querySelectorAll('.jp-OutputArea-output section')]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"""
RUN_AXE = "axe.run('.jp-OutputArea-output').then(found => JSON.stringify(found.violations))"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_panels_fit_and_hinder_nobody(
    attended: NotebookNode, browser: Page, tmp_path: Path, theme: str, width: int
) -> None:
    panels = [
        cell
        for name, cell in zip(CELLS, attended.cells, strict=True)
        if name not in ("crash", "handlers", "own")
    ]
    shown = NotebookNode(attended | {"cells": panels})
    page = tmp_path / "page.html"
    page.write_text(HTMLExporter(theme=theme).from_notebook_node(shown)[0], "utf-8")
    browser.complaints.clear()
    browser.open(page, width)
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert browser.value("document.querySelectorAll('.jp-OutputArea-output section').length") == 6
    assert browser.value("document.querySelectorAll('.jp-OutputArea-output svg').length") >= 3
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(WIDER) == []
    browser.value(AXE.read_text("utf-8"))
    assert browser.value(RUN_AXE) == "[]"
