"""What tests run for real: commands, and workers in a week's sandbox, the reference in them."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

# So that they are there for what is forked.
import matplotlib.pyplot  # noqa: F401
import torch  # noqa: F401

import detgrader.cli
import detlab.cli
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
MOST_S = 600
PROGRAMS = {"detgrader": detgrader.cli.main, "detlab": detlab.cli.app}


def run(
    *words: object, cwd: Path = ROOT, program: str = "detgrader", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of ours as from a shell, without a terminal, in a copy of this process.

    That has imported torch, which takes a new one seconds (see `run_afresh`).

    Args:
        variables: of the environment, besides those that are there.
    """
    command = [program, *map(str, words)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = os.fork()
        if process == 0:
            live_as(command, cwd, variables, out.fileno(), errors.fileno())
        _, status = os.waitpid(process, 0)
        for file in (out, errors):
            file.seek(0)
        texts = (file.read().decode() for file in (out, errors))
        return subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(status), *texts)


def live_as(
    command: list[str], cwd: Path, variables: dict[str, str], out: int, errors: int
) -> NoReturn:
    """Become a command, as far as a process can that was another before."""
    try:
        atexit._clear()
        signal.alarm(MOST_S)  # its end is waited for
        os.chdir(cwd)
        os.environ.update(variables)
        for number, descriptor in enumerate((os.open(os.devnull, os.O_RDONLY), out, errors)):
            os.dup2(descriptor, number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, "w" if n else "r") for n in range(3))
        warnings.resetwarnings()
        for unwanted in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
            warnings.simplefilter("ignore", unwanted)
        sys.argv = command
        PROGRAMS[command[0]]()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:
        traceback.print_exc()
        status = 1
    else:
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def run_afresh(
    *words: object, cwd: Path = ROOT, program: str = "detgrader"
) -> subprocess.CompletedProcess[str]:
    """Run a command of this environment in a process of its own, with its own imports."""
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
