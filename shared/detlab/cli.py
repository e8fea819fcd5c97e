"""The students' command line."""

import ast
import json
import linecache
import socket
import sys
import tempfile
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from detlab.checking.cells import keep_definitions
from detlab.checking.visible import check_namespace, tasks_of_week

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Practise for the grader of the object-detection course.",
)
console = Console()
# A server silent for this long is taken for lost; torchvision itself waits without end.
SILENCE_S = 60.0


@app.callback()
def main() -> None:
    """Practise for the grader of the object-detection course."""


def stop(message: str, status: int = 2) -> NoReturn:
    """Print an error for people and leave."""
    Console(stderr=True).print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
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
            if name == "setup" or name.startswith(("task_", "cell "))
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
    labels = dict.fromkeys(label_of(name) for name, _ in cells if name.startswith("task_"))
    if not labels:
        stop(f"{notebook} has no answer cells of the course")
    namespace: dict = {"__name__": "__main__"}
    for name, source in cells:
        run_cell(name, source, namespace)
    checked = tasks_of_week(next(iter(labels)).split(".")[0])
    reports = [check_namespace(label, namespace) for label in labels if label in checked]
    for report in reports:
        console.print(escape(report.text), style="green" if report.passed else "")
    if not reports:
        stop(f"there are no checks for {', '.join(labels)}: is detlab older than the notebook?")
    passed = sum(report.passed for report in reports)
    console.print(f"{passed} of {len(reports)} tasks pass their visible checks.")
    sys.exit(0 if passed == len(reports) else 1)


def label_of(grade_id: str) -> str:
    """Turn `task_1_5` or `task_1_5_explain` into the task's label, `1.5`."""
    return ".".join(grade_id.split("_")[1:3])


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


def fetch_mnist(root: Path) -> str:
    """Fetch the full MNIST through torchvision, unless it is there, and say what is there.

    torchvision compares each download with its MD5, but takes any file of the right name for a
    whole one. So the set is made aside, and gets its own name once it is whole.
    """
    from torchvision.datasets import MNIST  # here, since it takes a second

    home = root / "MNIST"
    if not home.exists():
        waits = socket.getdefaulttimeout()
        socket.setdefaulttimeout(SILENCE_S)
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".mnist-", dir=root) as aside:
                MNIST(aside, download=True)
                (Path(aside) / "MNIST").rename(home)
        except (OSError, RuntimeError, HTTPException) as error:
            reason = " ".join(str(error).split())
            stop(
                f"MNIST could not be fetched into {root}: {reason}\nNothing was kept. Is this "
                "machine online, and may you write there? Then try again later.",
                status=1,
            )
        finally:
            socket.setdefaulttimeout(waits)
    try:
        train, test = (len(MNIST(root, train=train)) for train in (True, False))
    except Exception:  # a damaged file fails in many ways
        stop(f"{home} is not a whole MNIST. Remove it and run this again.", status=1)
    return f"MNIST lies in {home}: {train} images to train with, {test} to test with."


DOWNLOADS: dict[str, Callable[[Path], str]] = {"mnist": fetch_mnist}


@app.command()
def data(
    name: Annotated[
        str, typer.Argument(help=f"One of: {', '.join(DOWNLOADS)}.", show_default=False)
    ],
    root: Annotated[Path, typer.Option(help="The folder to put it in.")] = Path("data"),
) -> None:
    """Fetch a set of images that is too large to come with the course.

    Exit status: 0 when it is there, 1 when it cannot be fetched, 2 when no set has this name.
    """
    if name not in DOWNLOADS:
        stop(f"there is no set {name!r}; known: {', '.join(DOWNLOADS)}")
    console.print(escape(DOWNLOADS[name](root.expanduser())), soft_wrap=True)
