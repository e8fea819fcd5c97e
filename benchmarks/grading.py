"""Grade one class of week 1 with detgrader and with nbgrader, by turns, and compare.

    python benchmarks/grading.py [--rounds N] [--json FILE]

What is compared, and how to read the table, stands in README.md beside this file.
"""

import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import ledger
import nbformat
import psutil
import typer
from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table

from detgrader.assignment import Assignment, load_assignment
from detgrader.authoring import release
from detgrader.authoring.source import read
from detgrader.course import Course
from detgrader.overlays import Overlay, lay_over, load_overlays
from detgrader.reference import reference_notebook, reference_submission

WEEK = "week1_sliding_window"
RIGHT = 8  # the reference and seven others that are right
MISTAKES = ["1.3", "1.5", "1.9", "1.2 1.6", "1.4 1.7", "1.5 1.8"]  # tasks of the six wrong ones
SYNTAX_ERROR = "1.4"
SAMPLING_S = 0.1
CORES = len(os.sched_getaffinity(0))
console = Console(width=max(110, Console().width))  # the table needs it


# The class


def handed_in(course: Course, assignment: Assignment, *overlays: Overlay) -> NotebookNode:
    """Return the reference as a student hands it in, with overlays in it."""
    reference = answers = reference_submission(course, assignment)
    for overlay in overlays:
        answers = lay_over(answers, overlay, assignment)
    changed = {cell.name: cell.source for cell in answers.cells if cell not in reference.cells}
    notebook = reference_notebook(course, WEEK)
    for cell in notebook["cells"]:
        cell["source"] = changed.get(cell["id"], cell["source"])
    return nbformat.from_dict(notebook)


def make_class(course: Course, assignment: Assignment) -> dict[str, NotebookNode]:
    """Make 16 submissions: 8 right, 6 with one or two mistakes, a stub, a syntax error.

    The right ones are the reference and the week's variants, the mistakes the week's mutants.
    """
    variants = load_overlays(course.variants(WEEK), assignment, with_hints=False)
    mutants = load_overlays(course.mutants(WEEK), assignment, with_hints=True)
    chosen = {"reference": []}
    for number in range(1, RIGHT):
        chosen[f"right_{number}"] = [variants[number * len(variants) // RIGHT]]
    for number, labels in enumerate(MISTAKES, 1):
        chosen[f"wrong_{number}"] = mistakes = []
        for label in labels.split():
            known = [mutant for mutant in mutants if mutant.task == label]
            mistakes.append(known[number * len(known) // (len(MISTAKES) + 1)])
    typo = Overlay("typo", SYNTAX_ERROR, "", "", "def twin(net:\n    return net\n")
    chosen["syntax_error"] = [typo]
    submissions = {name: handed_in(course, assignment, *own) for name, own in chosen.items()}
    submissions["stub"] = nbformat.reads(release.build(course, WEEK), as_version=4)
    return submissions


def reduced(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook's setup, answer and check cells only."""
    kept = [
        cell
        for cell in notebook.cells
        if cell.id == "setup" or cell.id.startswith(("task_", "check_"))
    ]
    return NotebookNode(notebook | {"cells": kept})


def write_notebooks(folder: Path, submissions: dict[str, NotebookNode]) -> list[Path]:
    """Write a class in nbgrader's layout, which detgrader reads too."""
    paths = []
    for student, notebook in submissions.items():
        paths.append(folder / student / WEEK / f"{WEEK}.ipynb")
        paths[-1].parent.mkdir(parents=True)
        nbformat.write(notebook, paths[-1])
    return paths


# Processes


def environment(home: Path) -> dict[str, str]:
    """Return the environment of both graders: one thread, nothing of the user's settings."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["DETGRADER_SECRET"] = "benchmark"
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        env[name] = "1"
    homes = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    for name in (*homes, "IPYTHONDIR", "MPLCONFIGDIR"):
        env[name] = str(home / name.lower())
        Path(env[name]).mkdir(exist_ok=True)
    return env


class ProcessorTime:
    """Processor time of a process and all its descendants, sampled while they run.

    A sandbox's processes are killed with their namespace and nobody waits for them, so the
    system's own sum for children would leave out most of detgrader's work. At any moment
    the times of the living, each with those of the children it has waited for, add up to all
    the time spent; the sum grows until processes are killed, and its growth is what counts.
    """

    def __init__(self, process: int):
        self.root = psutil.Process(process)
        self.seconds = 0.0
        self.last = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self) -> "ProcessorTime":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def watch(self) -> None:
        """Sample until the end."""
        while not self.ended.wait(SAMPLING_S):
            total = sum(map(self.time_of, self.family()))
            self.seconds += max(0.0, total - self.last)
            self.last = total

    def family(self) -> list[psutil.Process]:
        """List the living."""
        try:
            return [self.root, *self.root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @staticmethod
    def time_of(process: psutil.Process) -> float:
        """Return the time of a process and of the children that it has waited for."""
        try:
            return sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            return 0.0


@dataclass
class Cost:
    """What one command used, in seconds."""

    wall: float
    processor: float


def run(command: list[str], folder: Path, env: dict[str, str]) -> Cost:
    """Run a command to its end and measure it.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output)
        with ProcessorTime(process.pid) as processor:
            status = process.wait()
            wall = time.perf_counter() - start
        if status:
            output.seek(0)
            words = output.read().decode("utf-8", "replace")
            raise RuntimeError(f"{' '.join(command[:5])} … ended with {status}:\n{words[-3000:]}")
    return Cost(wall, processor.seconds)


# The two graders: each grades a class in a fresh folder and returns its cost and the points.

Graded = tuple[Cost, dict[str, float]]


@dataclass(frozen=True)
class Bench:
    """What all runs share: the submissions, the source for nbgrader, where to work."""

    course: Course
    assignment: Assignment
    submissions: dict[str, NotebookNode]
    folder: Path
    env: dict[str, str]

    @property
    def best(self) -> float:
        """Points that a check can give."""
        return sum(task.points for task in self.assignment.tasks)

    def fresh_folder(self) -> Path:
        """Make an empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def detgrader(self, *options: str) -> Graded:
        """Grade with `detgrader grade`."""
        folder = self.fresh_folder()
        paths = write_notebooks(folder / "submitted", self.submissions)
        command = [sys.executable, "-m", "detgrader", "grade", WEEK]
        command += [*map(str, paths), "--out", str(folder / "out"), *options]
        cost = run(command, self.course.root, self.env)
        results = json.loads((folder / "out" / "results.json").read_text("utf-8"))
        if results["isolation"] != "bubblewrap":
            raise RuntimeError("detgrader graded without its sandbox: nothing to compare")
        faults = [
            f"{result['student']} {task['task']}"
            for result in results["submissions"]
            for task in result["tasks"]
            if task["status"] in ("grader_error", "skipped")
        ]
        if faults:
            raise RuntimeError(f"detgrader did not grade {', '.join(faults)}")
        points = {result["student"]: result["score"] for result in results["submissions"]}
        for student, score in points.items():
            kind = student.partition("_")[0]
            if (kind == "right" and score < self.best) or (kind == "wrong" and score >= self.best):
                raise RuntimeError(f"{student} has {score:g} points: is its overlay in it?")
        return cost, self.verified(points)

    def nbgrader(self, form: Callable[[NotebookNode], NotebookNode]) -> Graded:
        """Grade with `nbgrader autograde`, in a course of its own."""
        folder = self.fresh_folder()
        (folder / "nbgrader_config.py").write_text("c = get_config()\n")
        source = folder / "source" / WEEK / f"{WEEK}.ipynb"
        source.parent.mkdir(parents=True)
        nbformat.write(form(read(self.course, WEEK).notebook()), source)
        handed_in = {student: form(notebook) for student, notebook in self.submissions.items()}
        write_notebooks(folder / "submitted", handed_in)
        nbgrader = [sys.executable, "-m", "nbgrader"]
        run([*nbgrader, "generate_assignment", WEEK], folder, self.env)
        cost = run([*nbgrader, "autograde", WEEK], folder, self.env)
        run([*nbgrader, "export"], folder, self.env)
        with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["raw_score"]]
        graded = {path.parents[1].name for path in folder.glob("autograded/*/*/*.ipynb")}
        points = {r["student_id"]: float(r["raw_score"]) for r in rows if r["student_id"] in graded}
        return cost, self.verified(points)

    def verified(self, points: dict[str, float]) -> dict[str, float]:
        """Return the points once they show that the class was really graded."""
        faults = []
        if points.keys() != self.submissions.keys():
            faults.append(f"{len(points)} of {len(self.submissions)} submissions were graded")
        for student, expected in (("reference", self.best), ("stub", 0.0)):
            if points.get(student) != expected:
                faults.append(f"{student}: {points.get(student)} points, not {expected:g}")
        if len(set(points.values())) < 3:
            faults.append("right and wrong submissions have the same points")
        if faults:
            raise RuntimeError("; ".join(faults))
        return points


# The comparison


@dataclass
class Row:
    """A grader, and what each round measured of it."""

    name: str
    grade: Callable[[], Graded]
    costs: list[Cost] = field(default_factory=list)
    points: dict[str, float] = field(default_factory=dict)

    def median(self, what: str) -> float:
        """Return the median over the rounds of "wall" or "processor" seconds a submission."""
        return statistics.median(getattr(cost, what) for cost in self.costs) / len(self.points)


def rows_of(bench: Bench) -> list[Row]:
    """List the runs of a round, in their order."""
    return [
        Row("detgrader, 1 job", lambda: bench.detgrader("--jobs", "1")),
        Row("nbgrader, whole notebook", lambda: bench.nbgrader(lambda notebook: notebook)),
        Row(f"detgrader, default ({CORES} jobs)", bench.detgrader),
        Row("nbgrader, setup, answers and checks", lambda: bench.nbgrader(reduced)),
    ]


def measure(rows: Iterable[Row], rounds: int) -> None:
    """Run every row once a round."""
    for number in range(1, rounds + 1):
        for row in rows:
            cost, row.points = row.grade()
            row.costs.append(cost)
            load = os.getloadavg()[0]
            console.print(
                f"round {number}  {row.name:38} {cost.wall:6.1f} s  "
                f"processor {cost.processor:6.1f} s  load {load:.1f}",
                highlight=False,
                soft_wrap=True,
            )


def table_of(rows: list[Row]) -> Table:
    """Show the medians, and how many times each detgrader row's seconds nbgrader needs."""
    ours = [row for row in rows if row.name.startswith("detgrader")]
    table = Table(title=f"Seconds a submission, class of {len(ours[0].points)}", show_lines=True)
    table.add_column("grader", no_wrap=True)
    for heading in ("wall", "processor", "mean\npoints"):
        table.add_column(heading, justify="right")
    for row in ours:
        name = row.name.removeprefix("detgrader, ")
        table.add_column(f"÷ {name}\nwall · processor", justify="right", no_wrap=True)
    for row in rows:
        ratios = [
            " · ".join(f"{row.median(w) / our.median(w):.1f}" for w in ("wall", "processor"))
            for our in ours
            if row not in ours
        ]
        mean = statistics.mean(row.points.values())
        wall, processor = row.median("wall"), row.median("processor")
        table.add_row(row.name, f"{wall:.2f}", f"{processor:.2f}", f"{mean:.1f}", *ratios)
    return table


def add_to_ledger(rows: list[Row], rounds: int) -> None:
    """Note how many times each detgrader row's seconds nbgrader needs, and all seconds.

    Seconds are those of a submission, as in the table.
    """
    ours = [row for row in rows if row.name.startswith("detgrader")]
    ratios = {
        f"{what}, {our.name.removeprefix('detgrader, ')}: {row.name}": row.median(what)
        / our.median(what)
        for our in ours
        for row in rows
        if row not in ours
        for what in ("wall", "processor")
    }
    figures = {
        f"{what}: {row.name}": row.median(what) for row in rows for what in ("wall", "processor")
    }
    ledger.append("grading", rounds, ratios, figures)


def as_json(rows: list[Row]) -> dict:
    """Return everything that was measured."""
    return {
        row.name: {"costs": [vars(cost) for cost in row.costs], "points": row.points}
        for row in rows
    }


def main(
    rounds: Annotated[int, typer.Option(help="How often each grader runs.", min=1)] = 2,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all numbers.")] = None,
) -> None:
    """Compare detgrader with nbgrader on the same class of 16."""
    course = Course.find(Path(__file__).parent)
    assignment = load_assignment(course, WEEK)
    folder = Path(tempfile.mkdtemp(prefix="grading-"))
    try:
        env = environment(folder)
        # Both find matplotlib's list of fonts and compiled modules ready, as on any used machine.
        warm = [sys.executable, "-c", "import matplotlib.pyplot, torchsummary, detlab.checking"]
        run(warm, folder, env)
        bench = Bench(course, assignment, make_class(course, assignment), folder, env)
        names = ("detgrader", "nbgrader", "torch")
        versions = ", ".join(f"{name} {version(name)}" for name in names)
        console.print(
            f"{CORES} cores, Python {platform.python_version()}, {versions}, "
            f"load {os.getloadavg()[0]:.1f}",
            highlight=False,
        )
        rows = rows_of(bench)
        measure(rows, rounds)
        console.print(table_of(rows))
        add_to_ledger(rows, rounds)
    finally:
        shutil.rmtree(folder)
    if json_file:
        json_file.write_text(json.dumps(as_json(rows), indent=1), "utf-8")


if __name__ == "__main__":
    typer.run(main)
