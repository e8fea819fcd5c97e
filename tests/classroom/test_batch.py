"""Promises about the processes of a batch: capped, and gone when they should be."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK

from detgrader.classroom import pool
from detgrader.classroom.batch import grade_batch, take_in_all
from detgrader.classroom.pool import MAX_JOB_BYTES
from detgrader.grading.orders import Order
from detgrader.grading.results import Status

SLEEPS = "import time\ndef add(first, second):\n    time.sleep(25)\n"
# What a process has can shrink between the cap and the check (freed memory goes back to the
# system), so half the cap more is still the cap; a process without one has the limit -1.
CAPPED = """
    import resource
    has = int(open("/proc/self/statm").read().split()[5]) * resource.getpagesize()
    assert 0 < resource.getrlimit(resource.RLIMIT_DATA)[0] <= has + {most} * 3 // 2
"""


def test_a_grading_job_has_its_memory_cap(tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    checks = course.checks(WEEK) / "test_1_4.py"
    head = '    """`rank` sorts."""\n'
    text = checks.read_text("utf-8")
    assert head in text
    checks.write_text(text.replace(head, head + CAPPED.format(most=MAX_JOB_BYTES)), "utf-8")
    path = hand_in(solved_notebook(course), tmp_path / "ada.ipynb")
    (result,) = grade_batch(course, WEEK, take_in_all([path]), 1, secret="one").submissions
    assert {task.task: task.status for task in result.tasks}["1.4"] is Status.PASSED


def test_a_job_stays_with_its_tasks_and_leaves_others_theirs() -> None:
    """What it knows of a task's known mistakes need not be found twice."""
    waiting = [(n, Order(None, only=frozenset({label}))) for n, label in enumerate("1213")]  # type: ignore[arg-type]
    a, b, c = (frozenset({label}) for label in "123")
    assert pool.place_for(None, [], waiting) == 3
    assert pool.place_for(a, [b], waiting) == 2
    assert pool.place_for(None, [c], waiting) == 2
    assert pool.place_for(None, [a, c], waiting) == 1
    assert pool.place_for(None, [a, b, c], waiting) == 3
    whole = [(n, Order(None)) for n in range(3)]  # type: ignore[arg-type]
    assert pool.place_for(None, [None], whole) == 2


def confined() -> set[int]:
    """Return the processes below this one that run behind a filter of system calls: workers."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            status = Path(f"/proc/{child.pid}/status").read_text("utf-8")
        except OSError:  # it has just ended
            continue
        if "Seccomp:\t2" in status and "State:\tZ" not in status:
            found.add(child.pid)
    return found


def test_workers_of_a_dead_job_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job is killed while its worker sleeps; the worker does not go on sleeping."""
    course = build_course(tmp_path / "course")
    solved = solved_notebook(course)
    sleeps = hand_in(notebook_with(solved, {"task_1_1": SLEEPS}), tmp_path / "sleeps.ipynb")
    right = hand_in(solved, tmp_path / "right.ipynb")
    jobs, left_behind, still_there = [], set(), []
    start, end = pool.start_job, pool.Sandbox.end_workers

    def kill_when_it_waits() -> None:
        while not left_behind:
            time.sleep(1)
            waiting = confined()
            time.sleep(1)
            left_behind.update(waiting & confined())
        os.kill(jobs[0].process.pid, signal.SIGKILL)

    def starting(*arguments):
        jobs.append(start(*arguments))
        if len(jobs) == 1:
            threading.Thread(target=kill_when_it_waits, daemon=True).start()
        return jobs[-1]

    def ending(sandbox, job: int) -> None:
        end(sandbox, job)
        for _ in range(200):
            if not left_behind & confined():
                break
            time.sleep(0.05)
        still_there.append(left_behind & confined())

    monkeypatch.setattr(pool, "start_job", starting)
    monkeypatch.setattr(pool.Sandbox, "end_workers", ending)
    graded = grade_batch(course, WEEK, take_in_all([sleeps, right]), 1, secret="one")
    assert [result.graded for result in graded.submissions] == [False, True]
    assert graded.submissions[1].score == 100
    assert still_there == [set()]
