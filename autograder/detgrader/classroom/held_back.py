"""What students are told later: who is graded early could pass on what the checks say."""

from __future__ import annotations

import datetime
from dataclasses import replace

from detgrader.classroom.times import moment
from detgrader.course import CourseError
from detgrader.grading.results import BatchResult, Status, TaskResult

# What these say is not about a hidden check: that something is missing, or waits for somebody.
NOT_ABOUT_CHECKS = (Status.NOT_ATTEMPTED, Status.MANUAL, Status.SKIPPED, Status.GRADER_ERROR)


def read_moment(text: str) -> datetime.datetime | None:
    """Read when messages are to be shown; the empty string is at once.

    Raises:
        CourseError: it is no time.
    """
    if text and moment(text) is None:
        raise CourseError(f"--hold-back-until {text}: write a time like 2026-12-08T23:59+01:00")
    return moment(text) if text else None


def is_held_back(until: datetime.datetime | None) -> bool:
    """Say whether students are not told yet."""
    return until is not None and datetime.datetime.now(datetime.UTC) < until


def held_back(batch: BatchResult, until: datetime.datetime | None) -> BatchResult:
    """Return a class's results as students may see them now: points, but no messages before."""
    if until is None or not is_held_back(until):
        return batch
    words = f"What the checks say is shown from {until:%Y-%m-%d %H:%M %Z} on."

    def told(task: TaskResult) -> TaskResult:
        kept = task.status in NOT_ABOUT_CHECKS or not task.message
        return task if kept else replace(task, message=words)

    results = [replace(one, tasks=[told(task) for task in one.tasks]) for one in batch.submissions]
    return replace(batch, submissions=results)
