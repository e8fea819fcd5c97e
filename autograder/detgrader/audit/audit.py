"""Test the checks: the reference must earn everything, the stub nothing, each mutant
must lose points of its own task and keep all others', and each variant keep all.
"""

from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from detgrader.assignment import Assignment
from detgrader.classroom.batch import OnResult, grade_batch
from detgrader.course import Course
from detgrader.grading.orders import Order
from detgrader.grading.results import Status, SubmissionResult, TaskResult
from detgrader.grading.session import CheckSession, run_session
from detgrader.grading.tasks import TaskChecks
from detgrader.intake import take_in
from detgrader.overlays import Overlay, lay_over, load_overlays
from detgrader.reference import reference_submission, reference_weights


@dataclass(frozen=True)
class Verdict:
    """How an overlay fared.

    Attributes:
        ran: whether its own task was graded at all.
        lost: automatic points lost in its own task.
        possible: automatic points of its own task.
        elsewhere: labels of other tasks that lost points.
        hinted: for a mutant, whether its own hint was shown.
    """

    overlay: Overlay
    ran: bool
    lost: float
    possible: float
    elsewhere: tuple[str, ...]
    hinted: bool

    @property
    def caught(self) -> bool:
        """Whether a mutant was caught as it must be."""
        return self.ran and self.lost > 0 and not self.elsewhere

    @property
    def accepted(self) -> bool:
        """Whether a variant was accepted."""
        return self.ran and self.lost == 0 and not self.elsewhere


@dataclass(frozen=True)
class Audit:
    """The outcome of an audit; scores are percentages of the automatic points.

    Attributes:
        left_out: why tasks of the reference could not be graded here, by label: those, and their
            overlays, count for nothing.
    """

    reference: float
    stub: float
    mutants: list[Verdict]
    variants: list[Verdict]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether the checks are as good as they must be."""
        caught = all(verdict.caught for verdict in self.mutants)
        accepted = all(verdict.accepted for verdict in self.variants)
        return self.reference == 100 and self.stub == 0 and caught and accepted

    def as_json(self) -> dict:
        """Return what `detgrader audit --json` writes."""
        survivors = [v.overlay.name for v in self.mutants if not v.caught]
        rejected = [v.overlay.name for v in self.variants if not v.accepted]
        mutants, variants = len(self.mutants), len(self.variants)
        return {
            "reference": self.reference,
            "stub": self.stub,
            "mutants": {
                "total": mutants,
                "caught": mutants - len(survivors),
                "survivors": survivors,
            },
            "variants": {
                "total": variants,
                "accepted": variants - len(rejected),
                "rejected": rejected,
            },
        }


def run_audit(course: Course, week: str, jobs: int, secret: str, on_result: OnResult) -> Audit:
    """Grade the reference, the stub, every mutant and every variant of a week."""
    overlays: list[Overlay] = []
    mutants = 0
    tasks = {}

    checks = collect_checks(course, week)

    def build(assignment: Assignment) -> list[Order]:
        nonlocal mutants
        tasks.update({task.label: task for task in assignment.tasks})
        reference = reference_submission(course, assignment)
        overlays.extend(load_overlays(course.mutants(week), assignment, with_hints=True))
        mutants = len(overlays)
        overlays.extend(load_overlays(course.variants(week), assignment, with_hints=False))
        stub = take_in(course.release(week), assignment)
        at_hand = {label for label in tasks if not lacking(course, week, checks.get(label))}
        orders = [Order(reference, frozenset(at_hand)), Order(stub)]
        for overlay in overlays:
            only = tasks_touched(overlay, list(tasks), checks) & at_hand
            orders.append(Order(lay_over(reference, overlay, assignment), only))
        return orders

    batch = grade_batch(course, week, build, jobs, secret=secret, on_result=on_result)
    reference, stub, *graded = batch.submissions
    points = {label: task.points for label, task in tasks.items()}
    left_out = {
        label: f"Not run: {reason}"
        for label, about in checks.items()
        if (reason := lacking(course, week, about))
    }
    pairs = list(zip(overlays, graded, strict=True))
    wrong, right = (
        [judge(overlay, result, points) for overlay, result in part if overlay.task not in left_out]
        for part in (pairs[:mutants], pairs[mutants:])
    )
    total = sum(value for label, value in points.items() if label not in left_out)
    return Audit(
        reference=round(100 * reference.score / total, 4),
        stub=round(100 * stub.score / total, 4),
        mutants=wrong,
        variants=right,
        left_out=left_out,
    )


def collect_checks(course: Course, week: str) -> dict[str, TaskChecks]:
    """Collect a week's hidden checks, by task label."""
    found: dict[str, TaskChecks] = {}

    def keep(session: CheckSession) -> None:
        found.update(session.tasks)

    run_session(course.checks(week), "", keep)
    return found


def tasks_touched(
    overlay: Overlay, labels: list[str], checks: dict[str, TaskChecks]
) -> frozenset[str]:
    """Return the tasks that an overlay is graded on: its own and the later ones.

    What is laid over a task cannot touch an earlier one. Tasks that train or measure are left
    out, but for their own overlays: they take minutes, and a mistake in a task that they rest on
    may rightly cost points there.
    """
    later = labels[labels.index(overlay.task) :]
    return frozenset(
        label
        for label in later
        if label == overlay.task or not checks.get(label, TaskChecks()).runs_once
    )


def lacking(course: Course, week: str, checks: TaskChecks | None) -> str:
    """Say what staff lack to measure the reference's weights in a task, or nothing."""
    if checks is None or not checks.weights_of:
        return ""
    weights = reference_weights(course, week)
    if not weights.is_file():
        return f"the reference has no {course.display(weights)}; train it first."
    return course.locate(checks.weights_of)


def skipped(task: TaskResult) -> bool:
    """Say whether a task was left out."""
    return task.status is Status.SKIPPED


def judge(overlay: Overlay, result: SubmissionResult, points: dict[str, float]) -> Verdict:
    """Compare an overlay's result with full marks."""
    own = next(task for task in result.tasks if task.task == overlay.task)
    elsewhere = [
        task.task
        for task in result.tasks
        if task.status is Status.GRADER_ERROR
        or (task.task != overlay.task and task.score < points[task.task] and not skipped(task))
    ]
    lost = round(points[overlay.task] - own.score, 4)
    hinted = bool(overlay.hint) and f"Hint: {overlay.hint}" in own.message
    possible = points[overlay.task]
    return Verdict(overlay, not skipped(own), lost, possible, tuple(elsewhere), hinted)


def print_audit(console: Console, audit: Audit) -> None:
    """Print a row for each overlay, and the verdict."""
    for name, verdicts in (("mutant", audit.mutants), ("variant", audit.variants)):
        table = Table(title=f"{name}s", title_justify="left", title_style="bold")
        table.add_column("task", no_wrap=True)
        table.add_column(name)
        table.add_column("lost", justify="right", no_wrap=True)
        table.add_column("verdict")
        for v in sorted(verdicts, key=lambda v: (v.overlay.task, v.overlay.name)):
            lost = f"{v.lost:g} / {v.possible:g}"
            table.add_row(v.overlay.task, escape(v.overlay.name), lost, verdict_words(name, v))
        console.print(table)
    for label, reason in audit.left_out.items():
        words = f"{label} and its overlays were left out. {reason}"
        console.print(words, markup=False, soft_wrap=True)
    console.print(f"reference {audit.reference:g} %, stub {audit.stub:g} %")
    console.print("[green]clean[/]" if audit.clean else "[bold red]not clean[/]")


def verdict_words(name: str, verdict: Verdict) -> str:
    """Say how an overlay fared."""
    if not verdict.ran:
        return "[red]was not graded[/]"
    if verdict.elsewhere:
        return f"[red]also loses points in {', '.join(verdict.elsewhere)}[/]"
    if name == "variant":
        return "accepted" if verdict.accepted else "[red]rejected[/]"
    if not verdict.caught:
        return "[red]survives[/]"
    return "caught" + (", its hint shown" if verdict.hinted else "")
