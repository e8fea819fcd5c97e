"""What a start costs: no module too many, and none compiled twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest
from harness import ReferenceWorkers, running_sandbox

from detgrader.assignment import load_assignment
from detgrader.course import Course
from detgrader.sandbox import compiling
from detgrader.sandbox.inside import __file__ as inside
from detgrader.sandbox.limits import Limits

COURSE = Course.find()
ONLY_INSIDE = Path(inside).with_name("confine.py")  # the grader itself never imports it
LOOK = """
import os, random, stat, sys
import numpy as np
MODULES = sorted(sys.modules)
CHANCE = random.random(), np.random.rand(), torch.rand(1).item()


def is_open_folder(descriptor):
    try:
        return stat.S_ISDIR(os.fstat(descriptor).st_mode)
    except OSError:
        return False


FOLDERS = [number for number in range(1024) if is_open_folder(number)]
"""


@contextmanager
def workers_of(week: str) -> Iterator[ReferenceWorkers]:
    """Start a week's sandbox."""
    with running_sandbox(COURSE, week) as dispatcher:
        workers = ReferenceWorkers(dispatcher, COURSE, week, Limits())
        yield workers
        workers.close()


def look_around(workers: ReferenceWorkers) -> dict[str, Any]:
    """Return what a new worker sees when it has run the setup cell."""
    setup = load_assignment(COURSE, workers.week).setup
    student = workers.start([("setup", setup), ("look", LOOK)])
    return {name: student.fetch(name) for name in ("MODULES", "CHANCE", "FOLDERS")}


@pytest.fixture(scope="module")
def looks() -> list[dict[str, Any]]:
    """What two workers of week 1 see, started while bytecode of one module is missing."""
    Path(cache_from_source(ONLY_INSIDE)).unlink(missing_ok=True)
    with workers_of("week1_sliding_window") as workers:
        return [look_around(workers) for _ in range(2)]


def test_week_1_starts_without_torchs_compiler(looks: list[dict[str, Any]]) -> None:
    """Half of torch would come with it, and sympy: a second at every start."""
    modules = set(looks[0]["MODULES"])
    assert "torch" in modules
    assert not {"torch._dynamo", "sympy", "torchvision"} & modules


def test_a_students_first_figure_needs_no_import(looks: list[dict[str, Any]]) -> None:
    figures = {"matplotlib.pyplot", "matplotlib.backends.backend_agg"}
    assert figures <= set(looks[0]["MODULES"])


def test_chance_is_the_same_in_every_worker(looks: list[dict[str, Any]]) -> None:
    assert looks[0]["CHANCE"] == looks[1]["CHANCE"]


def test_no_folder_is_open_in_a_worker(looks: list[dict[str, Any]]) -> None:
    """The zygote is started with /proc, to see its own memory, and closes it."""
    assert looks[0]["FOLDERS"] == []


def test_a_week_starts_with_the_modules_that_its_tasks_will_need() -> None:
    with workers_of("week3_mnist_ssd") as workers:
        modules = set(look_around(workers)["MODULES"])
    assert {"torch._dynamo", "multiprocessing.synchronize"} <= modules


def test_what_the_sandbox_compiled_is_there_for_the_next_start(looks: list[dict[str, Any]]) -> None:
    assert Path(cache_from_source(ONLY_INSIDE)).is_file()


def test_nothing_but_modules_is_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what a link in a package's folder leads to."""
    package, source = tmp_path / "package", tmp_path / "source.py"
    package.mkdir()
    source.write_text("")
    (package / "link.py").symlink_to(source)
    monkeypatch.setattr(compiling, "module_folders", lambda: [package])
    assert compiling.start_compiling([str(source), str(package / "link.py"), "a warning"]) is None
    (package / "module.py").write_text("")
    process = compiling.start_compiling([str(package / "module.py")])
    assert process
    process.wait()
    compiled = Path(cache_from_source("module.py")).name
    assert [path.name for path in tmp_path.rglob("*.pyc")] == [compiled]


def test_the_sandbox_starts_while_the_grader_still_imports_torch() -> None:
    """What the grader asks of the course before it starts the sandbox must come at once."""
    code = """
import sys
from detgrader.assignment import load_assignment
from detgrader.classroom.batch import inside_of
from detgrader.course import Course
course, week = Course.find(), "week4_ssd300"
print(inside_of(course, week, load_assignment(course, week)).tools, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "('detlab.weeks.week4.tools',) False\n"
