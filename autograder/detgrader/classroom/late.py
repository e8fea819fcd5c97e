"""A course's rule about late submissions: what it costs to hand in after the deadline.

It is applied when results are written, never to what is kept: a rule that changes, or an extension
that is given later, needs nothing graded again.
"""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from detgrader.classroom.times import read_times
from detgrader.course import CourseError
from detgrader.grading.results import BatchResult, Lateness

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Policy:
    """The rule.

    Attributes:
        deadline: until when everybody may hand in.
        grace_minutes: for which after it nothing is taken off.
        percent_a_day: of the points that are taken off for each day that has begun.
        hard_end: after which nothing earns points, if there is such a time.
        extensions: later deadlines, by student.
        times: when it was handed in, by student, where staff know better than the records.
    """

    deadline: datetime.datetime
    grace_minutes: float = 0.0
    percent_a_day: float = 100.0
    hard_end: datetime.datetime | None = None
    extensions: dict[str, datetime.datetime] = field(default_factory=dict)
    times: dict[str, datetime.datetime] = field(default_factory=dict)

    def lateness(self, student: str, handed_in: datetime.datetime | None) -> Lateness:
        """Say how late a student's submission is, and what that costs."""
        deadline = max(self.extensions.get(student, self.deadline), self.deadline)
        over = handed_in - deadline if handed_in else datetime.timedelta(0)
        if over <= datetime.timedelta(minutes=self.grace_minutes):
            return Lateness(handed_in, deadline)
        days = math.ceil(over / DAY)
        if self.hard_end and handed_in and handed_in > max(self.hard_end, deadline):
            return Lateness(handed_in, deadline, days, 100.0, ended=True)
        return Lateness(handed_in, deadline, days, min(days * self.percent_a_day, 100.0))


def with_lateness(
    batch: BatchResult, policy: Policy, times: Mapping[str, datetime.datetime]
) -> BatchResult:
    """Return a class's results with what was handed in late; those that are kept stay as they are.

    Args:
        times: by student, when it was handed in, as far as that is known.
    """
    known = {**times, **policy.times}
    results = [
        replace(one, late=policy.lateness(one.student, known.get(one.student)))
        for one in batch.submissions
    ]
    return replace(batch, submissions=results)


def remarks_on(policy: Policy, batch: BatchResult) -> Iterator[str]:
    """Say which names of the rule nobody bears, and of whom the time is not known.

    Args:
        batch: a class's results, with lateness.
    """
    students = {one.student for one in batch.submissions}
    for what, named in (("extensions", policy.extensions), ("times", policy.times)):
        if unknown := sorted(named.keys() - students):
            yield f"the late rule's {what}: there is no submission of {', '.join(unknown)}"
    count = sum(not one.late or one.late.handed_in is None for one in batch.submissions)
    if count:
        yield (
            f"when {count} of {len(students)} were handed in is not known, so nothing is "
            "taken off; list them in the late rule's `times`"
        )


def read_policy(path: Path) -> Policy:
    """Read the rule from a TOML file.

    Raises:
        CourseError: it cannot be read, lacks a deadline, or holds something that is not understood.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path}: {error}") from None
    known = Policy.__dataclass_fields__
    for key in table:
        if key not in known:
            raise CourseError(f"{path}: unknown key `{key}`; the keys are {', '.join(known)}")
    if "deadline" not in table:
        raise CourseError(f"{path}: it lacks `deadline = 2026-12-01T23:59:00+01:00`")
    extensions = table.get("extensions", {})
    if not isinstance(extensions, dict):
        raise CourseError(f"{path}: `extensions` is a table, a line a student")
    times = {key: table[key] for key in ("deadline", "hard_end") if key in table}
    for name, value in (times | extensions).items():
        if not isinstance(value, datetime.datetime) or value.tzinfo is None:
            raise CourseError(
                f"{path}: {name} must be a time with its zone, 2026-12-01T23:59:00+01:00"
            )
    for key in ("grace_minutes", "percent_a_day"):
        number = table.get(key, 0)
        if isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0:
            raise CourseError(f"{path}: `{key}` must be a number, not below 0")
    listed = table.pop("times", None)
    if not isinstance(listed, str | None):
        raise CourseError(f"{path}: `times` names a CSV file")
    return Policy(**table, times=read_times(path.parent / listed) if listed else {})
