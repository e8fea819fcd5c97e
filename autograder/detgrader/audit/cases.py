"""The submissions of an audit: the reference, the stub, and the reference with overlays or junk."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from detgrader.assignment import Task
from detgrader.audit.inputs import Inputs
from detgrader.audit.statements import statements_of
from detgrader.audit.touched import Touched, touched_by
from detgrader.course import Course, CourseError
from detgrader.grading.stand_ins import StandIns
from detgrader.intake import Submission, take_in
from detgrader.overlays import Overlay, lay_over, load_overlays
from detgrader.reference import reference_submission, reference_weights


class Kind(StrEnum):
    """What a submission is there for."""

    REFERENCE = "reference"
    STUB = "stub"
    MUTANT = "mutant"
    VARIANT = "variant"
    JUNK = "junk"


@dataclass(frozen=True)
class Selection:
    """What of a week is audited; by default all of it.

    Attributes:
        task: label of the task whose overlays are graded, or the empty string.
        only: names of the overlays that are graded, if any are named.
    """

    task: str = ""
    only: tuple[str, ...] = ()

    def takes(self, overlay: Overlay) -> bool:
        """Say whether an overlay is graded."""
        named = not self.only or overlay.name in self.only
        return named and self.task in ("", overlay.task)


@dataclass(frozen=True)
class Case:
    """A submission, and what of it must be graded.

    Attributes:
        task: label of the task that an overlay changes, or the empty string.
        asked: by the label of each task that must be graded, keys of the checks that may go
            otherwise than with the reference. The task's other checks pass, as with the reference.
        alone: whether a failure in its own task owes nothing to earlier tasks' cells.
        whole: for junk, whether nothing of the task's own answer is left: then it must earn
            nothing.
    """

    kind: Kind
    name: str
    submission: Submission
    asked: dict[str, frozenset[str]]
    task: str = ""
    overlay: Overlay | None = None
    alone: bool = False
    whole: bool = False

    @property
    def key(self) -> str:
        """What it is known by, with its task's label, among all of its week."""
        return f"{self.kind} {self.name}"


# A quick audit has no time for a task that is given more: it draws images by the thousand, say.
LONG_S = 50


class CaseBuilder:
    """Builds the submissions of a week's audit.

    Attributes:
        left_out: why tasks cannot be graded here, by label.
    """

    def __init__(self, course: Course, inputs: Inputs, stand_ins: StandIns, costly: bool = True):
        self.course = course
        self.costly = costly
        self.assignment = assignment = inputs.assignment
        self.inputs = inputs
        self.stand_ins = stand_ins
        self.checks = inputs.checks
        self.tasks = [task for task in assignment.tasks if task.label in self.checks]
        self.left_out = {
            task.label: f"Not run: {reason}"
            for task in self.tasks
            if (reason := self.lacking(task))
        }
        self.graded = [task.label for task in self.tasks if task.label not in self.left_out]
        self.reference = reference_submission(course, assignment)

    def lacking(self, task: Task) -> str:
        """Say what is not there, or not wanted, for a task to be graded; or nothing."""
        about = self.checks[task.label]
        long = about.limits.cpu_s > LONG_S or any(check.costly for check in about.checks)
        if not self.costly and long:
            return "it trains or measures for long."
        name = about.weights_of
        weights = reference_weights(self.course, self.assignment.name)
        if name and not weights.is_file():
            return f"the reference has no {self.course.display(weights)}; train it first."
        return self.course.locate(name) if name else ""

    def build(self, selection: Selection) -> list[Case]:
        """Build all submissions that are selected.

        Raises:
            CourseError: the selection names what is not there.
        """
        week = self.assignment.name
        mutants = load_overlays(self.course.mutants(week), self.assignment, with_hints=True)
        variants = load_overlays(self.course.variants(week), self.assignment, with_hints=False)
        self.refuse_unknown(selection, [*mutants, *variants])
        overlaid = [
            self.overlaid(kind, overlay)
            for kind, overlays in ((Kind.MUTANT, mutants), (Kind.VARIANT, variants))
            for overlay in overlays
            if selection.takes(overlay) and overlay.task not in self.left_out
        ]
        labels = self.graded
        if selection != Selection():
            touched = {label for case in overlaid for label in case.asked} | {selection.task}
            labels = [label for label in labels if label in touched]
        return [*self.whole(labels), *overlaid]

    def refuse_unknown(self, selection: Selection, overlays: Sequence[Overlay]) -> None:
        """Refuse names of tasks and overlays that are not there."""
        labels = [task.label for task in self.tasks]
        if selection.task and selection.task not in labels:
            raise CourseError(f"no task {selection.task} with checks, only {', '.join(labels)}")
        within = [one.name for one in overlays if selection.task in ("", one.task)]
        for name in selection.only:
            if name not in within:
                near = ", ".join(difflib.get_close_matches(name, within))
                advice = f"did you mean {near}?" if near else "see mutants/ and variants/"
                of_task = f" of task {selection.task}" if selection.task else ""
                raise CourseError(f"no overlay {name}{of_task}: {advice}")

    def whole(self, labels: Iterable[str]) -> list[Case]:
        """Return the reference, and the stub as if somebody had worked on it, in some tasks.

        The stub as it was released earns nothing whatever it holds, since it was not attempted.
        """
        stub = take_in(self.course.release(self.assignment.name), self.assignment)
        stub.cells = [replace(one, source=f"{one.source}\n# Attempted.") for one in stub.cells]
        asked = {label: self.keys_of(label) for label in labels}
        return [
            Case(Kind.REFERENCE, "reference", self.reference, asked),
            Case(Kind.STUB, "stub", stub, asked),
        ]

    def overlaid(self, kind: Kind, overlay: Overlay) -> Case:
        """Return the reference with an overlay, in its own task and those that it can touch."""
        submission = lay_over(self.reference, overlay, self.assignment)
        touched = touched_by(self.reference.cells, submission.cells)
        asked = self.asked_of(overlay.task, touched)
        alone = self.needs_no_stand_in(submission, overlay.task)
        return Case(kind, overlay.name, submission, asked, overlay.task, overlay, alone)

    def asked_of(self, label: str, touched: Touched) -> dict[str, frozenset[str]]:
        """Return the checks that may go otherwise, by task: the own one's and the later ones'.

        What is laid over a task cannot touch an earlier one. Tasks that train or measure are left
        out, but for their own overlays: they take minutes, and a mistake in a task that they rest
        on may rightly cost points there.
        """
        asked = {}
        for later in self.graded[self.graded.index(label) :]:
            about = self.checks[later]
            if later == label or not about.runs_once:
                asked[later] = frozenset(
                    check.key
                    for check in about.checks
                    if touched.reaches(self.inputs.reach_of(check).mentions)
                )
        # Where no check seems to look at what changed, all are asked.
        own = asked.pop(label) or self.keys_of(label)
        return {label: own} | {later: keys for later, keys in asked.items() if keys}

    def keys_of(self, label: str) -> frozenset[str]:
        """Return the keys of a task's checks."""
        return frozenset(check.key for check in self.checks[label].checks)

    def needs_no_stand_in(self, submission: Submission, label: str) -> bool:
        """Say whether a task's cells mention nothing that a stand-in could answer."""
        task = next(task for task in self.tasks if task.label == label)
        earlier = self.assignment.before(label)
        names = {name for one in earlier for name in self.stand_ins.get(one.label, ())}
        cells = [cell for cell in submission.cells if cell.name in task.code_cells]
        statements = [one for cell in cells for one in statements_of(cell.source)]
        return all(names.isdisjoint(statement.names) for statement in statements)
