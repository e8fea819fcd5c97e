"""What a class costs: a first run, one that was killed halfway, and one in which nothing changed.

uv run python benchmarks/classroom.py --students 25 --students 200 --jobs 1 --jobs 2
"""

import copy
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated

import ledger
import nbformat
import psutil
import typer
from grading import WEEK, Cost, ProcessorTime, console, environment, make_class, write_notebooks
from rich.table import Table

from detgrader.assignment import load_assignment
from detgrader.course import Course

SAMPLING_S = 0.2


class PeakMemory:
    """The most memory that a process and its descendants had at once, in bytes.

    What forked processes share counts once: it is the sum of proportional parts (PSS).
    """

    def __init__(self, process: int):
        self.root = psutil.Process(process)
        self.most = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self) -> "PeakMemory":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def watch(self) -> None:
        """Sample until the end."""
        while not self.ended.wait(SAMPLING_S):
            total = 0
            try:
                family = [self.root, *self.root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for process in family:
                try:
                    total += process.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            self.most = max(self.most, total)


def write_class(course: Course, folder: Path, students: int) -> None:
    """Write a class: sixteen submissions again and again, no two of them the same file."""
    kinds = list(make_class(course, load_assignment(course, WEEK)).values())
    submissions = {}
    for number in range(students):
        notebook = copy.deepcopy(kinds[number % len(kinds)])
        notebook.cells.append(nbformat.v4.new_markdown_cell(f"Student {number}", id="own"))
        submissions[f"s{number:03}"] = notebook
    write_notebooks(folder, submissions)


def grade(folder: Path, jobs: int, kill_after: int = 0) -> tuple[Cost, int]:
    """Grade a class into the folder beside it; return what it cost, and the peak of memory.

    Args:
        kill_after: so many results, if it is to be killed.
    """
    command = [sys.executable, "-c", "from detgrader.cli import main; main()", "grade", WEEK]
    command += [str(folder / "class"), "--out", str(folder / "out"), "--jobs", str(jobs)]
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=Course.find(Path(__file__).parent).root,
        env=environment(folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with ProcessorTime(process.pid) as processor, PeakMemory(process.pid) as memory:
        for line in process.stdout:
            if kill_after and line.startswith(f"[{kill_after}/"):
                process.send_signal(signal.SIGKILL)
        status = process.wait()
    if status != (-signal.SIGKILL if kill_after else 0):
        raise RuntimeError(f"grading ended with {status}")
    return Cost(time.perf_counter() - start, processor.seconds), memory.most


def scores(out: Path) -> dict[str, float]:
    """Return the points by student; all must be known."""
    results = json.loads((out / "results.json").read_text("utf-8"))["submissions"]
    found = {result["student"]: result["score"] for result in results}
    if None in found.values():
        raise RuntimeError("not all could be graded")
    return found


def main(
    students: Annotated[list[int], typer.Option(help="Size of the class.")] = [25, 200],  # noqa: B006
    jobs: Annotated[list[int], typer.Option(help="Graded side by side.")] = [1, 2],  # noqa: B006
) -> None:
    """Measure classes of week 1."""
    course = Course.find(Path(__file__).parent)
    table = Table("students", "jobs", "run", "wall s", "each", "processor s", "each", "peak MiB")
    figures: dict[str, float] = {}
    for size in students:
        for side_by_side in jobs:
            folder = Path(tempfile.mkdtemp(prefix="classroom-"))
            try:
                write_class(course, folder / "class", size)
                first = grade(folder, side_by_side)
                whole = scores(folder / "out")
                again = grade(folder, side_by_side)
                shutil.rmtree(folder / "out")
                grade(folder, side_by_side, kill_after=size // 2)
                resumed = grade(folder, side_by_side)
                if scores(folder / "out").keys() != whole.keys():
                    raise RuntimeError("a killed run lost somebody")
            finally:
                shutil.rmtree(folder)
            runs = {"first": first, "unchanged": again, "second half": resumed}
            for name, (cost, peak) in runs.items():
                wall, processor = f"{cost.wall:.1f}", f"{cost.processor:.1f}"
                each = [f"{cost.wall / size:.2f}", f"{cost.processor / size:.2f}"]
                row = [str(size), str(side_by_side), name, wall, each[0], processor, each[1]]
                table.add_row(*row, f"{peak >> 20}")
                figures[f"wall: {name}, {size} students, jobs {side_by_side}"] = cost.wall
                figures[f"processor: {name}, {size} students, jobs {side_by_side}"] = cost.processor
    console.print(table)
    ledger.append("classroom", 1, {}, figures)


if __name__ == "__main__":
    typer.run(main)
