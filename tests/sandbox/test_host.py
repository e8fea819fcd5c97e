"""Promises about the wall: what is hidden behind it, and that nobody looks into a worker."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from detgrader.classroom.batch import hidden_folders
from detgrader.course import SETTINGS, Course
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.host import Inside, bwrap_command, isolation_of, start_sandbox
from detgrader.sandbox.limits import Limits

STAFFS = ("solutions", "assignments", "autograder/checks", "tests", "data", ".git")


@pytest.fixture
def course_in_sight() -> Iterator[Course]:
    """A course that lies in a folder which the sandbox shows: in the environment itself."""
    root = Path(tempfile.mkdtemp(prefix="course-", dir=sys.prefix))
    shutil.copy(Course.find().root / SETTINGS, root)
    for name in STAFFS:
        (root / name).mkdir(parents=True)
        (root / name / "secret.txt").write_text("hidden", "utf-8")
    yield Course(root)
    shutil.rmtree(root)


def test_the_staffs_folders_are_hidden_wherever_the_course_lies(course_in_sight: Course) -> None:
    root = course_in_sight.root
    inside = Inside(packages=("detlab",), hidden=tuple(hidden_folders(course_in_sight)))
    program = isolation_of(inside)
    assert program, "the sandbox must work here: see detgrader doctor"
    look = "import os, sys; print([p for p in sys.argv[1:] if os.path.exists(p)])"
    paths = [str(root / name / "secret.txt") for name in STAFFS] + [str(root / SETTINGS)]
    command = [*bwrap_command(program, inside), sys.executable, "-I", "-c", look, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"{[str(root / SETTINGS)]}\n"


READS = """
import glob, os, sys
import detlab
folder = os.path.dirname(detlab.__file__)
files = [f"{folder}/metrics.py", *glob.glob(f"{folder}/__pycache__/metrics.*")]
print(any(b"recall" in open(file, "rb").read() for file in files), len(files) > 1)
from detlab.metrics import mean_average_precision
try:
    mean_average_precision([], [])
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("week", ["week3_mnist_ssd", "week2_mnist_localization"])
def test_what_a_week_asks_for_is_not_ready_made_in_its_workers(week: str) -> None:
    """Neither as source nor as bytecode; its name is there, for the setup cell."""
    course = Course.find()
    inside = Inside(packages=("detlab",), hidden=tuple(hidden_folders(course, week)))
    program = isolation_of(inside)
    command = [*bwrap_command(program, inside), sys.executable, "-I", "-c", READS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if week == "week2_mnist_localization":  # gives it to its students
        assert done.stdout == "True True\n"
    else:
        assert done.stdout == (
            "False True\nmean_average_precision is not there while this week is graded: its tasks "
            "ask for what it does\n"
        )


# Root may look into everything: one without capabilities only into what its user may.
WITHOUT_CAPABILITIES = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
PREFIX = WITHOUT_CAPABILITIES if os.geteuid() == 0 else []
LIVES = "import sys; {}; print(flush=True); sys.stdin.read()"
LOOKS = "import sys; open(f'/proc/{sys.argv[1]}/maps').read()"


@pytest.mark.skipif(bool(PREFIX) and shutil.which("setpriv") is None, reason="root without setpriv")
@pytest.mark.parametrize(
    ("call", "seen"),
    [
        ("pass", True),
        ("import detgrader.sandbox.inside.confine as c; c.die_with_parent()", False),
    ],
)
def test_nobody_looks_into_a_process_that_has_hidden_itself(call: str, seen: bool) -> None:
    command = [*PREFIX, sys.executable, "-c", LIVES.format(call)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        look = [*PREFIX, sys.executable, "-c", LOOKS, str(process.pid)]
        done = subprocess.run(look, capture_output=True, check=False)
        process.stdin.close()
    assert (done.returncode == 0) == seen, done.stderr


def test_a_worker_ends_with_its_dispatcher() -> None:
    """So it has called what hides it, too. Its socket alone would keep it alive."""
    with start_sandbox(1, None, Inside(packages=("detlab",))) as sandbox:
        sandbox.wait_until_ready()
        worker = WorkerClient(DispatcherClient(sandbox.controls[0]), Limits())
        worker.run([{"cell": "a", "source": "import time", "definitions_only": False}])
        worker.post_run([{"cell": "b", "source": "time.sleep(60)", "definitions_only": False}])
        (dispatcher,) = psutil.Process(sandbox.process.pid).children()
        workers = dispatcher.children()
        dispatcher.kill()
        _, alive = psutil.wait_procs(workers, timeout=20)
        worker.channel.close()
        assert workers
        assert not alive
