"""Recognise a wrong answer: the known mistake that answers alike says its hint.

A mutant is asked what a student was asked, on the same inputs, and only what some
student got wrong; it is dropped at the first answer that differs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status
from detgrader.grading.tasks import Check
from detgrader.intake import Submission
from detgrader.overlays import Overlay
from detgrader.sandbox.inside.uses import Uses, aliases_of
from detlab.checking.fingerprint import fingerprint, same_answer
from detlab.checking.student import Request, Student
from detlab.checking.workbench import StudentError

UNWRITTEN = ("NameError", "NotImplementedError")


@dataclass(frozen=True)
class KnownMistake:
    """A mutant, ready to be asked.

    Attributes:
        submission: the reference with the mutant laid over it.
        cells: of its task.
    """

    overlay: Overlay
    submission: Submission
    cells: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names that its task's cells mention."""
        return names_in(self.submission, self.cells)


def names_in(submission: Submission, cells: Collection[str]) -> frozenset[str]:
    """Return the names that some cells of the staff's mention."""
    sources = [cell.source for cell in submission.cells if cell.name in cells]
    trees = [ast.parse(source) for source in sources]
    return frozenset().union(*(Uses(tree, aliases_of(tree)).names for tree in trees))


class Differs(Exception):
    """A known mistake answered otherwise than the student."""


class Suspect(Student):
    """A known mistake that a check asks what it asked a student.

    Args:
        perform: carries out a request on the mistake.
        expected: what the student answered, as fingerprints; the first answer that is not
            alike ends the check.
    """

    def __init__(self, perform: Request, expected: list[Any]):
        super().__init__(perform)
        # Other names would hide functions of the students'.
        self._expected = expected
        self._answers: list[Any] = []
        self._differs = False

    def _note(self, answer: Any) -> None:
        place = len(self._answers)
        self._answers.append(fingerprint(answer))
        if not same_answer(self._answers[place:], self._expected[place : place + 1]):
            self._differs = True
            raise Differs


@dataclass(frozen=True)
class Answers:
    """What is known of a mistake's answers in a check.

    Attributes:
        first: its answers from the first on.
        whole: whether these are all.
        failed: whether the check failed in the end.
    """

    first: list[Any]
    whole: bool
    failed: bool


class Diagnosis:
    """The known mistakes' answers, as far as they were needed.

    Args:
        mistakes: by task label.
        ask: runs one check on a mutant, up to the first answer unlike the expected ones.
    """

    def __init__(
        self,
        mistakes: Mapping[str, list[KnownMistake]],
        ask: Callable[[KnownMistake, Check, list[Any]], Answers],
    ):
        self.mistakes = mistakes
        self.ask = ask
        self.known: dict[tuple[str, str, int], Answers] = {}

    def hint(self, task: str, failures: list[tuple[Check, Outcome]], bucket: int) -> str:
        """Return the hint of the mistake that fails the same checks alike, or the empty string.

        Args:
            bucket: which of the secret's sets of inputs was asked.
        """
        failures = [(check, outcome) for check, outcome in failures if not check.costly]
        if not failures or any(nothing_answered(outcome) for _, outcome in failures):
            return ""
        given = [(check, answers_of(outcome)) for check, outcome in failures]
        for mistake in self.mistakes.get(task, []):
            if all(self.is_alike(mistake, check, answers, bucket) for check, answers in given):
                return mistake.overlay.hint
        return ""

    def is_alike(
        self, mistake: KnownMistake, check: Check, answers: list[Any], bucket: int
    ) -> bool:
        """Say whether a mistake fails a check with these answers."""
        key = mistake.overlay.name, check.name, bucket
        known = self.known.get(key)
        if known is None or (
            not known.whole and same_answer(known.first, answers[: len(known.first)])
        ):
            known = self.known[key] = self.ask(mistake, check, answers)
        return known.whole and known.failed and same_answer(known.first, answers)


def answers_of(outcome: Outcome) -> list[Any]:
    """Describe all answers of a check."""
    return [fingerprint(answer) for answer in outcome.transcript]


def nothing_answered(outcome: Outcome) -> bool:
    """Say whether a check found nothing to compare."""
    last = outcome.transcript[-1] if outcome.transcript else None
    unwritten = isinstance(last, StudentError) and last.type_name in UNWRITTEN
    return (
        outcome.status is not Status.FAILED or outcome.ended or not outcome.transcript or unwritten
    )
