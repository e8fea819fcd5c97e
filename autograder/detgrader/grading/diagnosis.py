"""Recognise a wrong answer: the known mistake that answers alike says its hint.

A mistake is asked what a student was asked, on the same inputs. It explains a failed check in full
if all answers are alike, and the check says the same of them; which one is told, says
`detlab.checking.likeliest`. What a statement leaves open a student may have done otherwise than the
reference: where no mistake explains a check, each is asked once more under every accepted variant
that it can be combined with.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status
from detgrader.grading.tasks import Check
from detgrader.intake import Submission
from detgrader.overlays import Overlay
from detgrader.sandbox.inside.uses import Uses, aliases_of
from detlab.checking.fingerprint import fingerprint, same_answer
from detlab.checking.likeliest import likeliest
from detlab.checking.student import Request, Student
from detlab.checking.wording import without_numbers
from detlab.checking.workbench import StudentError

UNWRITTEN = ("NameError", "NotImplementedError")


@dataclass(frozen=True)
class KnownMistake:
    """A mutant, ready to be asked; or a right answer, to learn where it answers otherwise.

    Attributes:
        submission: the reference with the mutant laid over it.
        cells: of its task.
        under: name of the variant that is laid over it, too, or the empty string.
    """

    overlay: Overlay
    submission: Submission
    cells: tuple[str, ...]
    under: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by in its week."""
        return self.overlay.name, self.under

    @functools.cached_property
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
            alike ends the check. None lets it go on to its end.
    """

    def __init__(self, perform: Request, expected: list[Any] | None):
        super().__init__(perform)
        # Other names would hide functions of the students'.
        self._expected = expected
        self._answers: list[Any] = []
        self._differs = False

    def _note(self, answer: Any) -> None:
        place = len(self._answers)
        self._answers.append(fingerprint(answer))
        if self._expected is None:
            return
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
        told: what it then said.
    """

    first: list[Any]
    whole: bool
    failed: bool
    told: str = ""


@dataclass(frozen=True)
class Known:
    """What is known of a task's answers.

    Attributes:
        mistakes: its mutants.
        under: mutants under variants, by the variants' names.
        right: the reference first, then its variants.
    """

    mistakes: list[KnownMistake]
    under: dict[str, list[KnownMistake]] = field(default_factory=dict)
    right: list[KnownMistake] = field(default_factory=list)

    @property
    def all(self) -> list[KnownMistake]:
        """All of them."""
        return [*self.mistakes, *self.right, *(one for some in self.under.values() for one in some)]


Outcomes = list[tuple[Check, Outcome]]
# So many failed checks are looked at once more under variants, of which there may be many.
FEW = 3


class Diagnosis:
    """The known mistakes' answers, as far as they were needed.

    Args:
        known: by task label.
        ask: runs one check on a mutant, up to the first answer unlike the expected ones; as in a
            second run, where stand-ins answer for earlier tasks, if the last argument says so.
    """

    def __init__(
        self,
        known: Mapping[str, Known],
        ask: Callable[[KnownMistake, Check, list[Any] | None, bool], Answers],
    ):
        self.known = known
        self.ask = ask
        self.answers: dict[tuple[tuple[str, str], str, int, bool], Answers] = {}

    def hint(self, task: str, outcomes: Outcomes, bucket: int) -> str:
        """Return the hint of the mistake that explains most, or the empty string.

        Args:
            outcomes: how each check of the task went.
            bucket: which of the secret's sets of inputs was asked.
        """
        cheap = [(check, outcome) for check, outcome in outcomes if not check.costly]
        failed = [(check, one) for check, one in cheap if not nothing_answered(one)]
        passed = [(check, one) for check, one in cheap if one.passed and one.asked]
        known = self.known.get(task)
        if known is None or not failed:
            return ""
        if hint := self.best_of(known.mistakes, failed, passed, bucket):
            return hint
        for variant in known.right[1:]:
            if mistakes := known.under.get(variant.overlay.name):
                telling = [
                    (check, outcome)
                    for check, outcome in failed[:FEW]
                    if self.is_otherwise(variant, known.right[0], check, outcome, bucket)
                ]
                if hint := self.best_of(mistakes, telling, passed, bucket):
                    return hint
        return ""

    def best_of(
        self, mistakes: list[KnownMistake], failed: Outcomes, passed: Outcomes, bucket: int
    ) -> str:
        """Return the hint of the one that explains most of the failed checks and fits the rest."""
        # Quick checks first: most mistakes differ in the first one that they are asked.
        failed, passed = (sorted(some, key=lambda one: one[1].seconds) for some in (failed, passed))
        outcomes = {check.key: (check, outcome) for check, outcome in [*failed, *passed]}
        best = likeliest(
            mistakes,
            {check.key: check.weight for check, _ in failed},
            [check.key for check, _ in passed],
            lambda mistake, key: self.explains(mistake, *outcomes[key], bucket),
            lambda mistake, key: self.fails(mistake, *outcomes[key], bucket),
        )
        return best.overlay.hint if best else ""

    def explains(self, mistake: KnownMistake, check: Check, outcome: Outcome, bucket: int) -> bool:
        """Say whether a mistake fails a check with the very answers that a student gave."""
        answers = outcome.answers
        key = mistake.key, check.key, bucket, outcome.again
        known = self.answers.get(key)
        if known is None or (
            not known.whole and same_answer(known.first, answers[: len(known.first)])
        ):
            known = self.answers[key] = self.ask(mistake, check, answers, outcome.again)
        alike = known.whole and known.failed and same_answer(known.first, answers)
        return alike and (outcome.is_error or told_alike(known, outcome))

    def fails(self, mistake: KnownMistake, check: Check, outcome: Outcome, bucket: int) -> bool:
        """Say whether a mistake fails a check."""
        return self.whole(mistake, check, outcome, bucket).failed

    def is_otherwise(
        self,
        variant: KnownMistake,
        reference: KnownMistake,
        check: Check,
        outcome: Outcome,
        bucket: int,
    ) -> bool:
        """Say whether a variant answers a check otherwise than the reference."""
        first, second = (
            self.whole(one, check, outcome, bucket).first for one in (variant, reference)
        )
        return not same_answer(first, second)

    def whole(self, mistake: KnownMistake, check: Check, outcome: Outcome, bucket: int) -> Answers:
        """Return all that a mistake answers in a check, asked as a student was."""
        key = mistake.key, check.key, bucket, outcome.again
        known = self.answers.get(key)
        if known is None or not known.whole:
            known = self.answers[key] = self.ask(mistake, check, None, outcome.again)
        return known


def told_alike(known: Answers, outcome: Outcome) -> bool:
    """Say whether a check said the same of a mistake and of a student's answers."""
    return without_numbers(known.told) == without_numbers(outcome.message)


def nothing_answered(outcome: Outcome) -> bool:
    """Say whether a check found nothing to compare."""
    last = outcome.transcript[-1] if outcome.transcript else None
    unwritten = isinstance(last, StudentError) and last.type_name in UNWRITTEN
    return (
        outcome.status is not Status.FAILED or outcome.ended or not outcome.transcript or unwritten
    )
