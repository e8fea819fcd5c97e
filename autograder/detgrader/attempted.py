"""The untouched notebook as if somebody had worked on it: it must earn nothing.

A stub as released earns nothing whatever it holds, since it was not attempted. So what was left
finished in it would show in no audit but by this submission. (Tasks that rest on others are
skipped here as for anybody; for them there is the release's rule of what may stand outside of
solution regions.)
"""

from dataclasses import replace

from detgrader.assignment import Assignment
from detgrader.course import Course
from detgrader.results import SubmissionResult
from detgrader.submission import Submission, take_in


def attempted_stub(course: Course, assignment: Assignment) -> Submission:
    """Return the release with a comment more in each answer cell, so that all of it is graded."""
    stub = take_in(course.release(assignment.name), assignment)
    cells = [replace(cell, source=f"{cell.source}\n# Attempted.") for cell in stub.cells]
    return replace(stub, student="attempted stub", cells=cells)


def given_away(result: SubmissionResult) -> dict[str, float]:
    """Return the points, by task, that the attempted stub earned and must not earn."""
    return {task.task: task.score for task in result.tasks if task.score > 0}
