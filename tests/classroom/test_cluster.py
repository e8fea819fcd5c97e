"""A Dask cluster grades: what a grader alone would say, whatever becomes of its workers."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK
from harness import run

from detgrader.assignment import load_assignment
from detgrader.classroom import cluster
from detgrader.classroom.station import Errand
from detgrader.course import Course, CourseError
from detgrader.files import TooLarge
from detgrader.grading.handed_in import read_weights

# A cluster of two workers, until its input ends: it says where it is, and the workers' ids.
TWO_WORKERS = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        pids = [worker.pid for worker in cluster.workers.values()]
        print(cluster.scheduler_address, *pids, flush=True)
        sys.stdin.read()
"""
SLOW = "import time\ndef scale(boxes, factor):\n    time.sleep(1)\n    return boxes * factor\n"
WRONG = "def add(first, second):\n    return 0\n"
STATION = "detgrader.classroom.station"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("cluster") / "course")


@contextlib.contextmanager
def two_workers(folder: Path, place: Path) -> Iterator[tuple[str, list[int]]]:
    """Run a cluster whose workers live in a folder; say its address and their process ids."""
    script = place / "two_workers.py"
    script.write_text(TWO_WORKERS)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address, *pids = process.stdout.readline().split()
        yield address, [int(pid) for pid in pids]
    finally:
        process.communicate()


def command(course: Course, *words: object) -> list[str]:
    program = [sys.executable, "-c", "from detgrader.cli import main; main()", "grade", WEEK]
    return [*program, *map(str, words)]


def timeless(out: Path) -> str:
    """Return the results' text less what the clock and the folders say."""
    return re.sub(r'"seconds": [\d.e-]+', "", (out / "results.json").read_text("utf-8"))


def gradings(out: Path) -> dict[str, int]:
    """Count the gradings that were kept of each student."""
    return {
        folder.name: len(list(folder.glob("*.json")))
        for folder in (out / "kept" / "students").glob("*")
    }


def test_a_worker_that_is_lost_costs_no_submission_and_none_is_graded_twice(
    course: Course, tmp_path: Path
) -> None:
    solved = solved_notebook(course)
    for n in range(6):
        answers = {"task_1_2_scale": SLOW} | ({"task_1_1": WRONG} if n % 2 else {})
        hand_in(notebook_with(solved, answers), tmp_path / "class" / f"s{n}" / "answer.ipynb")
    variables = os.environ | {"DETGRADER_SECRET": "one"}
    alone, out = tmp_path / "alone", tmp_path / "out"
    done = run(
        "grade",
        WEEK,
        tmp_path / "class",
        "--out",
        alone,
        "--jobs",
        2,
        cwd=course.root,
        DETGRADER_SECRET="one",
    )
    assert done.returncode == 0, done.stderr
    with two_workers(course.root, tmp_path) as (address, pids):
        grading = subprocess.Popen(
            command(course, tmp_path / "class", "--out", out, "--scheduler", address),
            cwd=course.root,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while not gradings(out) and grading.poll() is None:
            time.sleep(0.05)
        lost = psutil.Process(pids[0])
        stations = [one for one in lost.children() if STATION in one.cmdline()]
        lost.send_signal(signal.SIGKILL)
        told, _ = grading.communicate(timeout=300)
        assert grading.returncode == 0, told
        _, alive = psutil.wait_procs(stations, timeout=60)
    assert stations
    assert not alive  # it does not go on without who asked for it
    assert gradings(out) == {f"s{n}": 1 for n in range(6)}
    assert timeless(out) == timeless(alone)


def test_a_worker_with_other_checks_is_told_of_and_grades_nothing(
    course: Course, tmp_path: Path
) -> None:
    other = build_course(tmp_path / "other")
    checks = next(iter(sorted(other.checks(WEEK).glob("test_*.py"))))
    checks.write_text(checks.read_text("utf-8") + "\n# changed\n", encoding="utf-8")
    hand_in(solved_notebook(course), tmp_path / "class" / "ada" / "answer.ipynb")
    with two_workers(other.root, tmp_path) as (address, _):
        done = run(
            "grade",
            WEEK,
            tmp_path / "class",
            "--out",
            tmp_path / "out",
            "--scheduler",
            address,
            cwd=course.root,
        )
    assert done.returncode == 2
    assert "has others: the checks. Check the same commit out there" in " ".join(
        done.stderr.split()
    )
    assert gradings(tmp_path / "out") == {}


def test_a_cluster_that_is_not_there_is_told(course: Course, tmp_path: Path) -> None:
    hand_in(solved_notebook(course), tmp_path / "class" / "ada" / "answer.ipynb")
    words = ("grade", WEEK, tmp_path / "class", "--out", tmp_path / "out", "--scheduler")
    done = run(*words, "nowhere", cwd=course.root)
    assert done.returncode == 2
    assert "--scheduler nowhere: no cluster answers" in " ".join(done.stderr.split())


def test_jobs_of_a_cluster_that_runs_already_are_not_ours_to_choose(
    course: Course, tmp_path: Path
) -> None:
    hand_in(solved_notebook(course), tmp_path / "class" / "ada" / "answer.ipynb")
    words = ("grade", WEEK, tmp_path / "class", "--out", tmp_path / "out", "--jobs", "2")
    done = run(*words, "--scheduler", "tcp://nowhere:8786", cwd=course.root)
    assert done.returncode == 2
    assert "workers say how many are graded side by side" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_without_the_extra_it_is_said_how_to_get_it(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assignment, errand = load_assignment(course, WEEK), Errand(WEEK, "one", {}, False)
    with pytest.raises(CourseError, match="uv sync --extra cluster"):
        cluster.grade_on_cluster("local", 1, assignment, [], errand, print, print)


def test_weights_that_travel_have_the_same_limit(tmp_path: Path) -> None:
    file = tmp_path / "answer.safetensors"
    file.write_bytes(bytes(3 * 10**6))
    there, travelled = read_weights(file, 2), read_weights(file, 9).at_most(2)
    assert isinstance(there.problem, TooLarge)
    assert (str(travelled.problem), travelled.data) == (str(there.problem), b"")
    assert read_weights(file, 9).at_most(3).data == file.read_bytes()
