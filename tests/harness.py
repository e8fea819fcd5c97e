"""What tests run for real: commands, and workers in a week's sandbox, the reference in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from detgrader.assignment import load_assignment
from detgrader.classroom.batch import inside_of
from detgrader.course import SETTINGS, Course
from detgrader.reference import reference_submission
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.host import isolation_of, start_sandbox
from detgrader.sandbox.limits import Limits
from detlab.checking.student import Student

ROOT = Course.find().root


def run(
    *words: object, cwd: Path = ROOT, program: str = "detgrader"
) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment as from a shell, without a terminal."""
    command = [str(Path(sys.executable).with_name(program)), *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@contextmanager
def running_sandbox(course: Course, week: str) -> Iterator[DispatcherClient]:
    """Run a week's sandbox, confined, for the length of a `with` block."""
    inside = inside_of(course, week, load_assignment(course, week))
    program = isolation_of(inside)
    assert program, "the sandbox must work here: see detgrader doctor"
    with start_sandbox(1, program, inside) as sandbox:
        sandbox.wait_until_ready()
        yield DispatcherClient(sandbox.controls[0])


class ReferenceWorkers:
    """Starts workers on a week's reference, and closes them in the end."""

    def __init__(self, dispatcher: DispatcherClient, course: Course, week: str, limits: Limits):
        self.dispatcher = dispatcher
        self.course = course
        self.week = week
        self.limits = limits
        self.workers: list[WorkerClient] = []

    def __call__(self, code: str = "") -> Student:
        """Start a worker with some code laid over the reference."""
        assignment = load_assignment(self.course, self.week)
        cells = [("setup", assignment.setup)]
        cells += [
            (cell.name, cell.source)
            for cell in reference_submission(self.course, assignment).cells
            if not cell.definitions_only
        ]
        return self.start([*cells, ("overlay", code)])

    def start(self, cells: list[tuple[str, str]]) -> Student:
        """Start a worker on some cells, given by name and source; none may fail."""
        worker = WorkerClient(self.dispatcher, self.limits)
        self.workers.append(worker)
        messages = [{"cell": n, "source": s, "definitions_only": False} for n, s in cells]
        assert not any(worker.run(messages))
        student = Student(worker.perform)
        student.seed(0)
        return student

    def close(self) -> None:
        """End them all."""
        while self.workers:
            self.workers.pop().close()


def copy_course(root: Path, week: str, overlays: bool = True) -> Course:
    """Copy what makes one week of this course, with or without its mutants and variants."""
    course = Course.find()
    parts = [course.source(week).parent, course.release(week).parent, course.checks(week)]
    ignored = () if overlays else ("mutants", "variants")
    for part in parts:
        copy = root / part.relative_to(course.root)
        shutil.copytree(part, copy, ignore=shutil.ignore_patterns(*ignored))
    shutil.copy(course.root / SETTINGS, root / SETTINGS)
    return Course(root)
