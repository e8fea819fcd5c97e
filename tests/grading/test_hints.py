"""Mistakes of week 1, graded for real: a worker is asked as the mistake is that answers alike."""

from __future__ import annotations

from dataclasses import replace

from detgrader.assignment import load_assignment
from detgrader.classroom.batch import grade_batch
from detgrader.course import Course
from detgrader.grading.orders import Order
from detgrader.overlays import lay_over, load_overlays
from detgrader.reference import reference_submission

COURSE = Course.find()
WEEK = "week1_sliding_window"
MISTAKES = (
    # Its error arises in the function of an earlier task, for which another stands in.
    "channels_of_the_first_convolution",
    # A tool that nobody waits for fails.
    "net_itself_converted",
)


def test_a_mistake_is_known_by_an_error_that_arises_elsewhere() -> None:
    assignment = load_assignment(COURSE, WEEK)
    reference = reference_submission(COURSE, assignment)
    overlays = load_overlays(COURSE.mutants(WEEK), assignment, with_hints=True)
    known = {one.name: one for one in overlays if one.name in MISTAKES}
    submissions = [lay_over(reference, one, assignment) for one in known.values()]
    orders = [
        Order(replace(submission, student=name), only=frozenset({"1.4"}))
        for name, submission in zip(known, submissions, strict=True)
    ]
    results = grade_batch(COURSE, WEEK, lambda _: orders, 2, secret="one").submissions
    for result in results:
        (task,) = (task for task in result.tasks if task.task == "1.4")
        assert task.message.endswith(f"Hint: {known[result.student].hint}")
    assert len(results) == len(MISTAKES)
