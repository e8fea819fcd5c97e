"""The students' command line."""

import ast
import json
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from detlab.checking.cells import keep_definitions
from detlab.checking.labels import label_of_answer, week_of
from detlab.checking.visible import VisibleChecks
from detlab.sets import downloads

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Practise for the grader of the object-detection course.",
)
console = Console(emoji=False)  # `:b:` in an answer stays what it is


@app.callback()
def main() -> None:
    """Practise for the grader of the object-detection course."""


def stop(message: str, status: int = 2) -> NoReturn:
    """Print an error for people and leave."""
    errors = Console(stderr=True, emoji=False)
    errors.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    raise typer.Exit(status)


def read_code(notebook: Path) -> list[tuple[str, str]]:
    """Return (name, source) of the setup cell, the answers, and the cells that were added.

    The name is the cell's grade id, or "cell 7" (counted from 1) for one that was added.
    """
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        named = [
            (cell["metadata"].get("nbgrader", {}).get("grade_id", f"cell {number}"), cell)
            for number, cell in enumerate(cells, 1)
            if cell["cell_type"] == "code"
        ]
        return [
            (name, "".join(cell["source"]))
            for name, cell in named
            if name == "setup" or name.startswith("cell ") or label_of_answer(name)
        ]
    except OSError as error:
        stop(f"{notebook} cannot be read: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError):
        stop(f"{notebook} is not a notebook")


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook.", show_default=False)],
) -> None:
    """Run all visible checks of a notebook, in this process, without opening it.

    Exit status: 0 when all pass, 1 when one does not, 2 when it is not a notebook of the course.
    """
    cells = read_code(notebook)
    labels = dict.fromkeys(label for name, _ in cells if (label := label_of_answer(name)))
    if not labels:
        stop(f"{notebook} has no answer cells of the course")
    namespace: dict = {"__name__": "__main__"}
    checks = None
    for name, source in cells:
        run_cell(name, source, namespace)
        if name == "setup":
            checks = namespace.get("check")  # later cells may call something else so
    if not isinstance(checks, VisibleChecks):
        stop(
            f"the setup cell of {notebook} does not import the course's `check`: copy the cell "
            "from a fresh notebook, and see that what it imports is installed"
        )
    checked = checks.tasks_of_week(week_of(next(iter(labels))))
    reports = [checks.report(label, namespace) for label in labels if label in checked]
    for report in reports:
        console.print(escape(report.text), style="green" if report.passed else "")
    if not reports:
        package = checks.package.partition(".")[0]
        stop(f"there are no checks for {', '.join(labels)}: is {package} older than the notebook?")
    passed = sum(report.passed for report in reports)
    console.print(f"{passed} of {len(reports)} tasks pass their visible checks.")
    sys.exit(0 if passed == len(reports) else 1)


def run_cell(name: str, source: str, namespace: dict) -> None:
    """Run one cell, of an added one its definitions; an error is told and the next goes on."""
    try:
        tree = ast.parse(source, name)
        tree = keep_definitions(tree) if name.startswith("cell ") else tree
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(tree, name, "exec"), namespace)
    except NotImplementedError:
        pass  # the check of this task says so
    except Exception as error:
        line = getattr(error, "lineno", None) or last_line(error, name)
        where = f"{name}, line {line}" if line else name
        console.print(escape(f"{where}: {type(error).__name__}: {error}"), style="red")


def last_line(error: Exception, name: str) -> int | None:
    """Return the line of the cell at which it stopped."""
    line, trace = None, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == name else line
        trace = trace.tb_next
    return line


DOWNLOADS: dict[str, Callable[[Path], str]] = {
    "mnist": downloads.fetch_mnist,
    "bccd": downloads.fetch_bccd,
    "voc": downloads.fetch_voc,
}


@app.command()
def data(
    name: Annotated[
        str, typer.Argument(help=f"One of: {', '.join(DOWNLOADS)}.", show_default=False)
    ],
    root: Annotated[Path, typer.Option(help="The folder to put it in.")] = Path("data"),
) -> None:
    """Fetch a set of images that is too large to come with the course, and say what is in it.

    mnist: 70,000 digits, 12 MB to fetch. bccd: 364 photographs of blood cells, some 10 MB.
    voc: 21,503 photographs with objects of 20 classes, 2.9 GB.

    The last two are looked for in the folder that DETLAB_DATA names as well. They are read as a
    whole, which finds what is not sound, and their images and objects are written as lists (JSON).

    Exit status: 0 when it is there, 1 when it cannot be fetched, 2 when no set has this name.
    """
    if name not in DOWNLOADS:
        stop(f"there is no set {name!r}; known: {', '.join(DOWNLOADS)}")
    try:
        said = DOWNLOADS[name](root.expanduser())
    except downloads.DownloadError as error:
        stop(str(error), status=1)
    console.print(escape(said), soft_wrap=True)
