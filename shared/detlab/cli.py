"""The students' command line. Only light imports here: help must come at once."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from detlab.checking.practice import Practice

SETS = ("mnist", "bccd", "voc")
WEIGHTS = ".safetensors"
# All cells and checks of a notebook: half a minute where nothing is wrong.
LIMIT_S = 600

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


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Your notebook.", show_default=False)],
    submission: Annotated[
        bool, typer.Option("--submission", help="Before handing in: is the file accepted?")
    ] = False,
) -> None:
    """Run all visible checks of a notebook, without opening it.

    Its answers run from the top, as a grader takes them, but with no sandbox around. With
    --submission they do so in a process of their own, which is ended after ten minutes; and you
    are told whether the file is accepted, what is still to do, and its SHA-256, by which staff can
    tell that the file they have is yours.

    Exit status: 0 when all checks pass, 1 when one does not, 2 when it is not a notebook of the
    course.
    """
    from detlab.checking.notebook import Refused
    from detlab.checking.practice import Practice

    try:
        practice = Practice(notebook)
    except Refused as error:
        stop(f"{notebook}: {error}")
    if submission:
        sys.exit(hand_in(practice, notebook))
    for warning in practice.warnings():
        console.print(escape(warning), style="yellow", soft_wrap=True)
    passed = 0
    for report in practice.reports(lambda error: console.print(escape(error), soft_wrap=True)):
        passed += report.passed
        console.print(escape(report.text), style="green" if report.passed else "", soft_wrap=True)
    console.print(f"{passed} of {len(practice.tasks)} tasks pass their visible checks.")
    sys.exit(0 if passed == len(practice.tasks) else 1)


def hand_in(practice: "Practice", notebook: Path) -> int:
    """Say what a grader would make of a file; return the exit status of its checks."""
    if notebook.is_symlink():
        stop(f"{notebook} is a link: hand in the file itself")
    problems = practice.problems()
    accepted = "would be taken, but not all of it" if problems else "is accepted"
    console.print(f"{escape(str(notebook))} {accepted}.", soft_wrap=True)
    for problem in problems:
        console.print(escape(problem), style="yellow", soft_wrap=True)
    if not re.fullmatch(rf"week{practice.week}_\w+", notebook.stem):
        console.print(
            f"It answers week {practice.week}, and has another name than that notebook was handed "
            "out with: give it that one back.",
            soft_wrap=True,
        )
    console.print("Its answers, in a fresh process:")
    command = [sys.executable, "-m", "detlab", "check", str(notebook)]
    # One thread, as graders have.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    try:
        status = subprocess.run(command, env=environment, timeout=LIMIT_S).returncode
    except subprocess.TimeoutExpired:
        console.print(f"It was ended after {LIMIT_S // 60} minutes: is there an endless loop?")
        status = 1
    if untouched := practice.untouched():
        console.print(f"Still as handed out: {', '.join(untouched)}.", soft_wrap=True)
    for path in (notebook, notebook.with_suffix(WEIGHTS)):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            console.print(f"SHA-256 of {escape(path.name)}: {digest}", soft_wrap=True)
    return status


@app.command()
def data(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(SETS)}.", show_default=False)],
    root: Annotated[Path, typer.Option(help="The folder to put it in.")] = Path("data"),
) -> None:
    """Fetch a set of images that is too large to come with the course, and say what is in it.

    mnist: 70,000 digits, 12 MB to fetch. bccd: 364 photographs of blood cells, some 10 MB.
    voc: 21,503 photographs with objects of 20 classes, 2.9 GB.

    The last two are looked for in the folder that DETLAB_DATA names as well. They are read as a
    whole, which finds what is not sound, and their images and objects are written as lists (JSON).

    Exit status: 0 when it is there, 1 when it cannot be fetched, 2 when no set has this name.
    """
    if name not in SETS:
        stop(f"there is no set {name!r}; known: {', '.join(SETS)}")
    from detlab.sets import downloads

    fetch = {"mnist": downloads.fetch_mnist, "bccd": downloads.fetch_bccd}
    fetch["voc"] = downloads.fetch_voc
    try:
        said = fetch[name](root.expanduser())
    except downloads.DownloadError as error:
        stop(str(error), status=1)
    console.print(escape(said), soft_wrap=True)
