"""Recognise a wrong answer: the known mistake that answers alike says its hint.

Each mutant of a task is graded once a batch, on the very inputs that students get.
"""

from dataclasses import dataclass
from typing import Any

from detgrader.checks import Check, Outcome
from detgrader.overlays import Overlay
from detgrader.submission import Submission
from detlab.checking.fingerprint import fingerprint, same_answer

Answers = dict[str, Any]


@dataclass(frozen=True)
class KnownMistake:
    """A mutant, ready to be graded."""

    overlay: Overlay
    submission: Submission


def answers_of(checks: list[tuple[Check, Outcome]]) -> Answers:
    """Describe what a submission answered in each check that it failed."""
    return {
        check.name: [fingerprint(answer) for answer in outcome.transcript]
        for check, outcome in checks
        if outcome.kind == "failed"
    }


def recognise(answers: Answers, known: list[tuple[Overlay, Answers]]) -> Overlay | None:
    """Find the mistake that fails the same checks with the same answers."""
    if not any(answers.values()):
        return None
    for overlay, mistaken in known:
        if answers.keys() == mistaken.keys() and all(
            same_answer(answers[name], mistaken[name]) for name in answers
        ):
            return overlay
    return None
