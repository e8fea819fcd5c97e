"""What an audit finds: how each submission fared, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from detgrader.audit.cases import Case, Kind
from detgrader.audit.reuse import Record
from detgrader.grading.results import CheckResult, Status

# Their processor time and memory are held against the limits, and so their tasks run whole.
MEASURED = (Kind.REFERENCE, Kind.VARIANT)


@dataclass(frozen=True)
class Problem:
    """Something that an author must mend, in one task of one submission, or in one check.

    Attributes:
        kind: of submission, or "check": one that was told junk.
        overlay: the submission's name, or the check's.
        task: label of the task in which it shows.
        what: it, in a few words.
        message: what a student would read.
        checks: those that lost, or earned, what they must not.
        detail: for staff, where no check says more.
        secret: with which it shows, if not with the first.
    """

    kind: str
    overlay: str
    task: str
    what: str
    message: str = ""
    checks: tuple[CheckResult, ...] = ()
    detail: str = ""
    secret: str = ""

    def as_json(self) -> Iterator[dict[str, str]]:
        """Yield an entry for each check."""
        about = {
            "overlay": self.overlay,
            "kind": str(self.kind),
            "task": self.task,
            "what": self.what,
        }
        for check in self.checks:
            message = check.message or self.message
            yield about | {"check": check.key, "message": message, "detail": check.detail}
        if not self.checks:
            yield about | {"check": "", "message": self.message, "detail": self.detail}


def problem_in(case: Case, label: str, record: Record, points: float) -> Problem | None:
    """Say what is wrong with a submission's result in a task, or nothing.

    Args:
        points: that the task's checks give.
    """
    task = record.result
    lost = round(points - task.earned, 4)
    is_own_mutant = case.kind is Kind.MUTANT and label == case.task
    what, checks = "", record.failures
    if task.status is Status.GRADER_ERROR:
        what = "a check broke" if checks else "could not be graded"
        # What the others found is no fault of theirs.
        checks = [check for check in checks if check.status is task.status] or checks
    elif task.status is Status.SKIPPED:
        what = "was not graded"
    elif case.kind is Kind.JUNK:
        what, checks = problem_with_junk(case, record)
    elif case.kind is Kind.STUB:
        if task.earned > 0:
            what = f"earns {task.earned:g} points with nothing done"
            checks = [check for check in record.checks if check.passed]
    elif is_own_mutant and lost <= 0:
        what = f"survives: {case.overlay.does}" if case.overlay else "survives"
    elif not is_own_mutant and lost > 0:
        what = f"loses {lost:g} of {points:g} points"
    if not what:
        return None
    return Problem(case.kind, case.name, label, what, task.message, tuple(checks), record.detail)


def problem_with_junk(case: Case, record: Record) -> tuple[str, list[CheckResult]]:
    """Say what is wrong with how junk fared, or nothing; and which checks it is about."""
    task = record.result
    if task.status is Status.VIOLATION:
        return "is taken for an attack", record.failures
    if case.whole and task.earned > 0:
        passed = [check for check in record.checks if check.passed]
        return f"earns {task.earned:g} of {task.max_score:g} points", passed
    if odd := sorted({c for c in task.message if not c.isprintable() and c != "\n"}):
        return f"the message holds {', '.join(map(ascii, odd))}", []
    return "", []


@dataclass(frozen=True)
class Verdict:
    """How one submission fared.

    Attributes:
        records: its results by task label.
        problems: what is wrong with them.
    """

    case: Case
    records: dict[str, Record]
    problems: list[Problem]

    @property
    def hinted(self) -> bool:
        """For a mutant, whether its own hint was shown."""
        hint = self.case.overlay.hint if self.case.overlay else ""
        message = self.records[self.case.task].result.message if self.case.task else ""
        return bool(hint) and f"Hint: {hint}" in message

    @property
    def scores(self) -> dict[str, float]:
        """Points by task."""
        return {label: record.result.earned for label, record in self.records.items()}


@dataclass(frozen=True)
class Difference:
    """A submission that earns otherwise with another secret.

    Attributes:
        scores: its points in the task with the first secret, and with this one.
    """

    case: Case
    task: str
    secret: str
    scores: tuple[float, float]


@dataclass
class Audit:
    """The outcome of an audit.

    Attributes:
        points: by task label, of the tasks that were graded.
        verdicts: with the first secret.
        problems: all that must be mended, with any secret.
        left_out: why tasks could not be graded here, by label: those, and their overlays, count
            for nothing.
        differences: what fares otherwise with other secrets.
        graded: how many results of a submission in a task were made.
        reused: how many are earlier audits'.
        secrets: how many were tried.
        untold: by the name of each mutant that visible checks were asked about, why a notebook does
            not tell it by its own hint; the empty string if it does.
        quick: whether nothing but points was asked for.
    """

    week: str
    points: dict[str, float]
    verdicts: list[Verdict]
    problems: list[Problem]
    left_out: dict[str, str] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    graded: int = 0
    reused: int = 0
    secrets: int = 1
    untold: dict[str, str] = field(default_factory=dict)
    quick: bool = False

    @property
    def clean(self) -> bool:
        """Whether the checks are as good as they must be."""
        return not self.problems

    def of_kind(self, kind: Kind) -> list[Verdict]:
        """Return the verdicts on one kind of submission."""
        return [verdict for verdict in self.verdicts if verdict.case.kind is kind]

    def share(self, kind: Kind) -> float:
        """Return what the reference or the stub earns, in per cent of the automatic points."""
        total = sum(self.points.values())
        earned = sum(sum(verdict.scores.values()) for verdict in self.of_kind(kind))
        return round(100 * earned / total, 4) if total else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what `detgrader audit --json` writes."""
        mutants, variants = self.of_kind(Kind.MUTANT), self.of_kind(Kind.VARIANT)
        junk = self.of_kind(Kind.JUNK)
        survivors = [one.case.name for one in mutants if one.problems]
        rejected = [one.case.name for one in variants if one.problems]
        rest = {
            "junk": {"total": len(junk), "stood": sum(not one.problems for one in junk)},
            "untold": {name: why for name, why in self.untold.items() if why},
        }
        return {
            "reference": self.share(Kind.REFERENCE),
            "stub": self.share(Kind.STUB),
            "mutants": {
                "total": len(mutants),
                "caught": len(mutants) - len(survivors),
                "survivors": survivors,
            },
            "variants": {
                "total": len(variants),
                "accepted": len(variants) - len(rejected),
                "rejected": rejected,
            },
            **({} if self.quick else rest),
            "failures": [entry for problem in self.problems for entry in problem.as_json()],
        }
