"""From what a class handed in to all files of its results: what `detgrader grade` does."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from detgrader.assignment import Assignment, load_assignment
from detgrader.classroom import terminal
from detgrader.classroom.batch import default_secret
from detgrader.classroom.handed_in import find_submissions, listed
from detgrader.classroom.held_back import held_back, is_held_back
from detgrader.classroom.kept import Kept, kept_in, told_if_it_fails
from detgrader.classroom.late import Policy, read_policy, remarks_on, with_lateness
from detgrader.classroom.layouts import Weeks
from detgrader.classroom.outputs import Around, write_outputs
from detgrader.classroom.progress import Meter
from detgrader.classroom.roster import Roster, read_roster
from detgrader.classroom.rounds import Request, grade_round, make_plan
from detgrader.classroom.tables import platforms_of
from detgrader.classroom.written import Marks
from detgrader.course import Course
from detgrader.files import write_text

if TYPE_CHECKING:
    from detgrader.classroom.gradebook import Gradebook
    from detgrader.grading.results import BatchResult

# So many names stand in a line on the screen; `staff.log` has all.
MOST = 12


@dataclass(frozen=True)
class ClassFiles:
    """Where a class's files lie.

    Attributes:
        submissions: notebooks, folders and zips.
        out: folder for the week's results.
        roster: the class's list, if there is one.
        late: the rule about late submissions, if there is one.
        marks: a table of written answers that somebody marked, if there is one.
        gradebook: folder of an nbgrader course, if points go there and marks come from there.
        held_until: when students are told what the checks say; None leaves it as it was.
    """

    submissions: Sequence[Path]
    out: Path
    roster: Path | None = None
    late: Path | None = None
    marks: Path | None = None
    gradebook: Path | None = None
    held_until: datetime.datetime | None = None


def grade_class(
    course: Course, week: str, files: ClassFiles, request: Request, console: Console
) -> bool:
    """Grade a class, tell of it, and write its files.

    Returns:
        Whether all that was asked for could be graded, whatever it scored.

    Raises:
        CourseError, CannotKeep, NoIsolation, SandboxError: see where they are made.
    """
    assignment = load_assignment(course, week)
    weeks = Weeks(week, tuple(other for other in course.weeks() if other != week))
    with kept_in(files.out, week) as kept:
        names = kept.list_named("roster", files.roster)
        roster = read_roster(names) if names else None
        rule = kept.list_named("late", files.late)
        policy = read_policy(rule) if rule else None
        gradebook = open_gradebook(course, assignment, files.gradebook)
        found = find_submissions(
            files.submissions, assignment, weeks, kept.unpacked, roster, bool(policy)
        )
        renamed = kept.rename(found.names)
        found.missing = [student for student in found.missing if student not in kept.history]
        secret = default_secret(kept.secret)
        plan = make_plan(course, week, found.submissions, kept, request, secret)
        for line in [
            *as_before(kept, files),
            *renamed,
            *found.said,
            *found.lines(MOST),
            *plan.lines(),
        ]:
            console.print(line, markup=False, soft_wrap=True)
        kept.begin(secret, found.times, files.held_until)
        with Meter(console, len(plan.to_grade)) as meter:
            grade_round(course, assignment, plan, kept, request, meter.done, meter.started)
        marks = Marks(kept, assignment)
        for line in marks_taken(marks, gradebook, files):
            console.print(line, markup=False, soft_wrap=True)
        plain = kept.batch(first=plan.students)
        batch = marks.applied(plain)
        batch = with_lateness(batch, policy, kept.times) if policy else batch
        earlier = [one.student for one in batch.submissions[len(plan.students) :]]
        for line in remarks_of(kept, earlier, policy, batch, roster):
            console.print(line, markup=False, soft_wrap=True)
        around = Around(roster, found.nothing, found.lines(), found.said, kept.held_until)
        with told_if_it_fails(kept.out):
            written = write_outputs(batch, kept.out, kept.secret, assignment, around)
            if marks.tasks:
                written["written"] = files.out / "written.csv"
                write_text(written["written"], marks.table(), mode=0o600)
        if gradebook:
            told = held_back(batch, kept.held_until)
            pairs = zip(plain.submissions, told.submissions, strict=True)
            gradebook.write(list(pairs), marks, kept.times)
            written["gradebook"] = gradebook.folder
    named = batch.submissions[: len(plan.students)]
    terminal.print_results(console, batch, named, assignment, found.lines(MOST))
    terminal.print_files(console, written)
    return all(result.graded for result in named)


def as_before(kept: Kept, files: ClassFiles) -> Iterator[str]:
    """Say which files of an earlier call count on."""
    for name, place in kept.lists.items():
        if getattr(files, name) is None:
            yield f"--{name} {place}: as before"


def remarks_of(
    kept: Kept,
    earlier: list[str],
    policy: Policy | None,
    batch: BatchResult,
    roster: Roster | None,
) -> Iterator[str]:
    """Say what the next look at a class should not miss.

    Args:
        earlier: students whom this call did not name.
    """
    if earlier:
        yield (
            f"{len(earlier)} of earlier calls are still in the class: {listed(earlier, MOST)}; to "
            f"drop one, delete their folder in {kept.out / 'kept' / 'students'}"
        )
    if policy:
        yield from remarks_on(policy, batch)
    lists = platforms_of(roster) if roster else []
    waiting = sum(one.pending_manual > 0 for one in batch.submissions)
    if lists and waiting:
        yield (
            f"{' and '.join(lists)}: the cells of {waiting} are left as they were, since their "
            "written answers are not marked"
        )
    if kept.held_until and is_held_back(kept.held_until):
        until = f"{kept.held_until:%Y-%m-%d %H:%M %Z}"
        yield f"students are told what the checks say from {until} on: then run this again"


def open_gradebook(course: Course, assignment: Assignment, folder: Path | None) -> Gradebook | None:
    """Open nbgrader's gradebook, if there is to be one, before anything is graded."""
    if folder is None:
        return None
    from detgrader.classroom.gradebook import Gradebook  # nbgrader is slow to import

    return Gradebook(folder, course, assignment)


def marks_taken(marks: Marks, gradebook: Gradebook | None, files: ClassFiles) -> Iterator[str]:
    """Take what persons marked, in formgrader and in a table; say how much it was."""
    if gradebook:
        taken = marks.take(gradebook.marks(marks.kept.history))
        yield f"{taken} marks taken from {files.gradebook}"
    if files.marks:
        yield f"{marks.take_in(files.marks)} marks taken from {files.marks}"
