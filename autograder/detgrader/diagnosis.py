"""Recognise a wrong answer: the known mistake that answers alike says its hint.

A mutant is asked what a student was asked, on the same inputs, and only what some
student got wrong; it is dropped at the first answer that differs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from detgrader.checks import Check, Outcome
from detgrader.overlays import Overlay
from detgrader.submission import Submission
from detlab.checking.fingerprint import fingerprint, same_answer
from detlab.checking.workbench import StudentError

UNWRITTEN = ("NameError", "NotImplementedError")


@dataclass(frozen=True)
class KnownMistake:
    """A mutant, ready to be asked.

    Attributes:
        submission: the reference with the mutant laid over it.
        cell: the last cell that its task needs.
    """

    overlay: Overlay
    submission: Submission
    cell: str


class Diagnosis:
    """The known mistakes' answers, as far as they were needed.

    Args:
        mistakes: by task label.
        ask: runs one check on a mutant.
    """

    def __init__(
        self,
        mistakes: dict[str, list[KnownMistake]],
        ask: Callable[[KnownMistake, Check], Outcome],
    ):
        self.mistakes = mistakes
        self.ask = ask
        self.answers: dict[tuple[str, str], Any] = {}

    def hint(self, task: str, failures: list[tuple[Check, Outcome]]) -> str:
        """Return the hint of the mistake that fails the same checks alike, or the empty string."""
        if not failures or any(nothing_answered(outcome) for _, outcome in failures):
            return ""
        given = [(check, answers_of(outcome)) for check, outcome in failures]
        for mistake in self.mistakes.get(task, []):
            if all(same_answer(answers, self.known(mistake, check)) for check, answers in given):
                return mistake.overlay.hint
        return ""

    def known(self, mistake: KnownMistake, check: Check) -> Any:
        """Return what a mistake answers in a check, or None if it passes."""
        key = mistake.overlay.name, check.name
        if key not in self.answers:
            outcome = self.ask(mistake, check)
            self.answers[key] = answers_of(outcome) if outcome.kind == "failed" else None
        return self.answers[key]


def answers_of(outcome: Outcome) -> list[Any]:
    """Describe all answers of a check."""
    return [fingerprint(answer) for answer in outcome.transcript]


def nothing_answered(outcome: Outcome) -> bool:
    """Say whether a check found nothing to compare."""
    last = outcome.transcript[-1] if outcome.transcript else None
    unwritten = isinstance(last, StudentError) and last.type_name in UNWRITTEN
    return outcome.kind != "failed" or not outcome.transcript or unwritten
