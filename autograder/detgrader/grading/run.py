"""Grade one submission: task by task, each in a fresh worker."""

import contextlib
import functools
import io
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from detgrader.assignment import Assignment, Task
from detgrader.grading.session import Check, CheckSession, Outcome
from detgrader.grading.diagnosis import Answers, Diagnosis, KnownMistake, Suspect
from detgrader.grading.results import SubmissionResult, TaskResult
from detgrader.intake import Cell, Submission
from detgrader.text import clean_text, lines_of
from detgrader.sandbox.client import Crashed, Dispatcher, LimitReached, Limits, Violation, Worker
from detlab.checking.student import Handle, Student
from detlab.checking.values import HandleRef, replace_handles
from detlab.checking.workbench import StudentError, Workbench
from detlab.sets import voc

MAX_MESSAGES = 5
GRADER_FAULT = "This task could not be graded; the fault is not yours. Staff have been told."
FATAL = {"limit", "violation", "crashed"}
TELLING = {"passed", "violation", "grader_error"}
READING = Limits(cpu_s=4, memory_mb=1024, wall_s=30)
MAX_UNREADABLE = 3
StandIns = dict[str, dict[str, Callable[..., Any]]]


@dataclass
class Prepared:
    """A worker that runs a task's cells, or has run them, while nobody waits for it.

    Attributes:
        left_out: the cells before the task's that it is not given.
        steps: the requests that were posted to it, each with the cells that it runs.
        end: how it ended before all were posted.
    """

    task: Task
    worker: Worker
    left_out: set[str]
    steps: list[tuple[str, list[Cell]]] = field(default_factory=list)
    end: Exception | None = None

    def run(self, cells: list[Cell]) -> None:
        """Have cells run."""
        messages = [
            {"cell": cell.name, "source": cell.source, "definitions_only": cell.definitions_only}
            for cell in cells
        ]
        self.steps.append((self.worker.post_run(messages), cells))

    def stand_in(self, functions: dict[str, Callable[..., Any]]) -> None:
        """Have functions of earlier tasks answered by right ones."""
        student = Student(self.worker.perform)
        bound = {
            name: functools.partial(stand_in, function, student)
            for name, function in functions.items()
        }
        self.steps.append((self.worker.post_stand_ins(bound), []))

    def finish(self) -> dict[str, StudentError]:
        """Wait until all is done; return the errors of the cells that failed."""
        if self.end:
            raise self.end
        self.worker.begin()
        errors = {}
        for nonce, cells in self.steps:
            if cells:
                outcomes = self.worker.outcomes_of(nonce, cells)
                errors |= {c.name: e for c, e in zip(cells, outcomes, strict=True) if e}
            else:
                self.worker.result_of(nonce)
        self.worker.charge_cells()
        return errors


@dataclass
class Attempt:
    """One run of a task's checks in one worker."""

    worker: Worker
    checks: list[tuple[Check, Outcome]] = field(default_factory=list)
    cell_errors: dict[str, StudentError] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of the task's points earned, from 0 to 1. A violation earns nothing."""
        if any(outcome.kind == "violation" for _, outcome in self.checks):
            return 0.0
        total = sum(check.weight for check, _ in self.checks)
        earned = sum(check.weight for check, outcome in self.checks if outcome.kind == "passed")
        return earned / total

    def add(self, second: "Attempt") -> None:
        """Take over a second run of the checks that failed, if it has anything new to say.

        Then all of it: what still fails there fails without the earlier tasks' faults.
        """
        if not {outcome.kind for _, outcome in second.checks} & TELLING:
            return
        again = {check.item.nodeid: outcome for check, outcome in second.checks}
        self.checks = [(check, again.get(check.item.nodeid, first)) for check, first in self.checks]
        self.cell_errors, self.worker = second.cell_errors, second.worker

    def failures(self) -> list[tuple[Check, Outcome]]:
        """Return the checks that did not pass."""
        return [(check, outcome) for check, outcome in self.checks if outcome.kind != "passed"]


class Grader:
    """Grades submissions of one assignment through one dispatcher.

    Args:
        assignment: what was released.
        session: the collected checks.
        dispatcher: starts workers.
        stand_ins: right answers to earlier tasks' functions.
        mistakes: by task, the known mistakes that a wrong answer may turn out to be.
        data: folder of downloaded sets.
    """

    def __init__(
        self,
        assignment: Assignment,
        session: CheckSession,
        dispatcher: Dispatcher,
        stand_ins: StandIns,
        mistakes: dict[str, list[KnownMistake]],
        data: Path,
    ):
        self.data = data
        self.assignment = assignment
        self.session = session
        self.dispatcher = dispatcher
        self.stand_ins = stand_ins
        self.diagnosis = Diagnosis(mistakes, self.ask_mistake)

    def ask_mistake(self, mistake: KnownMistake, check: Check, expected: list[Any]) -> Answers:
        """Run one check on a known mistake; being the staff's own code, it runs right here."""
        silence = contextlib.redirect_stderr(io.StringIO())  # progress bars
        with warnings.catch_warnings(), contextlib.redirect_stdout(None), silence:
            warnings.simplefilter("ignore")
            suspect = Suspect(self.bench_of(mistake).perform_here, expected)
            outcome = self.session.run(check, suspect)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        return Answers(suspect._answers, not suspect._differs, outcome.kind == "failed")

    def bench_of(self, mistake: KnownMistake) -> Workbench:
        """Run a known mistake's cells."""
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(self.compiled("setup", self.assignment.setup), namespace)
        for cell in mistake.submission.cells:
            exec(self.compiled(cell.name, cell.source), namespace)
            if cell.name == mistake.cell:
                break
        return Workbench(namespace, lambda frame: frame.f_code.co_filename)

    @functools.cache  # noqa: B019  a grader lives as long as its process
    def compiled(self, name: str, source: str) -> CodeType:
        """Compile a cell of the staff's, once."""
        return compile(source, name, "exec", dont_inherit=True)

    def grade(self, submission: Submission) -> SubmissionResult:
        """Grade a submission."""
        run = SubmissionRun(self, submission)
        if submission.refusal:
            results = [skipped(task, submission.refusal) for task in self.assignment.tasks]
        else:
            results = run.grade()
        for result in results:
            # Asked for last: a worker takes some milliseconds to end.
            if result.task in run.workers:
                result.seconds = run.workers[result.task].cpu_s
        return SubmissionResult(
            student=submission.student,
            path=str(submission.path),
            notebook_sha256=submission.sha256,
            tasks=results,
            error=submission.refusal,
            log=submission.notes + run.log,
        )


class SubmissionRun:
    """The state of grading one submission."""

    def __init__(self, grader: Grader, submission: Submission):
        self.grader = grader
        self.assignment = grader.assignment
        self.session = grader.session
        self.submission = submission
        self.problems = dict(submission.problems)
        self.names: dict[str, set[str]] = {}
        self.left_out: set[str] = set()
        self.log: list[str] = []
        self.workers: dict[str, Worker] = {}
        self.earned: dict[str, float] = {}
        self.to_run: list[Task] = []
        self.ahead: Prepared | None = None

    def grade(self) -> list[TaskResult]:
        """Grade all tasks."""
        self.inspect()
        self.to_run = [task for task in self.assignment.tasks if self.is_to_run(task)]
        try:
            return [self.grade_task_safely(task) for task in self.assignment.tasks]
        finally:
            if self.ahead:
                self.ahead.worker.close()

    def start_worker(self, limits: Limits) -> Worker:
        """Start a worker for this submission."""
        return Worker(self.grader.dispatcher, limits)

    def inspect(self) -> None:
        """Have the cells read in a worker: syntax errors become problems of their tasks.

        Should that end the worker, each cell is read by itself, to find out which one it was.
        """
        cells = self.submission.cells
        if self.read_cells(cells):
            return
        unreadable = 0
        for cell in cells:
            reason = "was not read, since other cells could not be" * (unreadable == MAX_UNREADABLE)
            if not reason and not self.read_cells([cell]):
                unreadable += 1
                reason = "is too deep or too large for Python to read"
            if reason:
                self.problems[cell.name] = f"The cell {cell.name} {reason}."

    def read_cells(self, cells: list[Cell]) -> bool:
        """Read some cells in a worker of their own; say whether it lived."""
        worker = self.start_worker(READING)
        try:
            reports = worker.inspect([{"cell": c.name, "source": c.source} for c in cells])
        except (StudentError, LimitReached, Violation, Crashed):
            return False
        finally:
            worker.close()
        for cell, report in zip(cells, reports, strict=True):
            self.names[cell.name] = set(report["names"])
            if report["error"] is not None:
                error = worker.student_error(report["error"])
                self.problems[cell.name] = syntax_message(cell, error)
        return True

    def grade_task_safely(self, task: Task) -> TaskResult:
        """Grade one task; a fault of ours leaves this task ungraded and all others as they are."""
        try:
            return self.grade_task(task)
        except Exception:
            self.log.append(f"{task.label}: {traceback.format_exc()}")
            fault = TaskResult(task.label, task.title, 0.0, task.max_score, "grader_error")
            fault.message = GRADER_FAULT
            return fault

    def grade_task(self, task: Task) -> TaskResult:
        """Grade one task; its written answers are left to a person."""
        result = TaskResult(task.label, task.title, 0.0, task.max_score, "not_attempted")
        if self.answered(task.text_cells, self.submission.texts):
            result.status, result.pending_manual = "manual", task.manual_points
        if task.points:
            problem = self.problem_of(task)
            if problem:
                result.status, result.message = "failed", problem
            elif task in self.to_run and (reason := self.reason_to_skip(task)):
                result.status, result.message = "skipped", reason
            elif task in self.to_run:
                self.grade_code(task, result)
            elif not result.pending_manual:
                result.message = "This task was not attempted."
        elif not result.pending_manual:
            result.message = "This task was not attempted."
        lost = [self.problems[cell] for cell in task.text_cells if cell in self.problems]
        result.message = "\n".join(filter(None, [*lost, result.message]))
        self.earned[task.label] = result.score
        return result

    def reason_to_skip(self, task: Task) -> str:
        """Say why a task that rests on earlier answers is not worth its time, or nothing."""
        needs, data = self.session.needs(task.label), self.session.data_of_weights(task.label)
        overlaid = self.submission.overlaid
        if overlaid and overlaid != task.label and (needs or data or self.precedes(task, overlaid)):
            return f"Not run: the overlay is of task {overlaid}."
        if data and self.submission.staff and (reason := self.lacking(data)):
            return f"Not run: {reason}"
        lacking = [label for label in needs if not self.earned.get(label)]
        # What an overlay's own task rests on is the reference's, and was left out.
        if not lacking or overlaid:
            return ""
        return (
            f"Not run: this task rests on task {', '.join(lacking)}, which earned no points. "
            "Mend that first."
        )

    def precedes(self, task: Task, label: str) -> bool:
        """Say whether a task comes before another: what is laid over that one cannot touch it."""
        labels = [one.label for one in self.assignment.tasks]
        return labels.index(task.label) < labels.index(label)

    def lacking(self, data: str) -> str:
        """Say what staff lack to measure the reference's weights here, or nothing."""
        weights = self.submission.weights
        if weights is None or not weights.is_file():
            return f"the reference has no {weights and weights.name}; see `train-reference`."
        try:
            voc.locate(data, self.grader.data)
        except FileNotFoundError as error:
            return str(error)
        return ""

    def is_to_run(self, task: Task) -> bool:
        """Say whether a task has code of the student's, and nothing keeps it from running."""
        sources = {cell.name: cell.source for cell in self.submission.cells}
        answered = self.answered(task.code_cells, sources)
        return bool(task.points) and answered and not self.problem_of(task)

    def answered(self, grade_ids: tuple[str, ...], sources: dict[str, str]) -> bool:
        """Say whether any of these cells differs from what was released."""
        return any(
            grade_id in sources
            and sources[grade_id].strip() != self.assignment.cells[grade_id].source.strip()
            for grade_id in grade_ids
        )

    def problem_of(self, task: Task) -> str:
        """Say why a task's cells cannot run, or the empty string."""
        for grade_id in task.code_cells:
            if grade_id in self.problems:
                return self.problems[grade_id]
        used = set().union(*(self.names.get(grade_id, set()) for grade_id in task.code_cells))
        forbidden = sorted(used & self.session.forbidden(task.label))
        if forbidden:
            return f"The statement forbids `{'`, `'.join(forbidden)}` here."
        return ""

    def grade_code(self, task: Task, result: TaskResult) -> None:
        """Run a task's checks; those that fail, once more without the earlier tasks' cells.

        So nobody loses a later task's points for an earlier task's fault: in the second run
        stand-ins take the place of what the earlier cells did.
        """
        checks = self.session.checks.get(task.label, [])
        attempt = self.attempt(task, checks)
        violated = any(outcome.kind == "violation" for _, outcome in attempt.checks)
        tasks = [other for other in self.assignment.tasks if other.code_cells]
        earlier = tasks[: tasks.index(task)]
        alone = not (self.session.needs(task.label) or self.session.data_of_weights(task.label))
        if attempt.share < 1 and earlier and alone and not violated:
            failed = [check for check, _ in attempt.failures()]
            attempt.add(self.attempt(task, failed, without=earlier))
        result.score = round(attempt.share * task.points, 2)
        self.workers[task.label] = attempt.worker
        result.status = status_of(attempt, task)
        result.message = message_of(attempt, task)
        if result.status in ("partial", "failed"):
            result.message += self.hint(task, attempt)
        self.log += log_lines(task, attempt)
        if FATAL & {outcome.kind for _, outcome in attempt.checks}:
            self.left_out |= set(task.code_cells)

    def hint(self, task: Task, attempt: Attempt) -> str:
        """Return a known mistake's hint; a hint that cannot be found costs nobody a grade."""
        try:
            hint = self.grader.diagnosis.hint(task.label, attempt.failures())
        except Exception as error:
            self.log.append(f"{task.label}: no hint: {type(error).__name__}: {error}")
            return ""
        return f"\nHint: {hint}" if hint else ""

    def attempt(
        self,
        task: Task,
        checks: list[Check],
        without: Sequence[Task] = (),
    ) -> Attempt:
        """Run checks of a task in a fresh worker; what did not run is not passed.

        Args:
            without: earlier tasks whose cells are left out, and replaced by stand-ins.
        """
        prepared = self.take_prepared(task, without)
        if not without:
            self.prepare_next(task)
        attempt = Attempt(prepared.worker)
        try:
            attempt.checks = self.run_checks(prepared, attempt, checks)
        finally:
            prepared.worker.close()
        return attempt

    def run_checks(
        self, prepared: Prepared, attempt: Attempt, checks: list[Check]
    ) -> list[tuple[Check, Outcome]]:
        """Run checks in a prepared worker; those after its end share the end."""
        end: Outcome | None = None
        try:
            attempt.cell_errors = prepared.finish()
        except (StudentError, LimitReached, Violation, Crashed) as error:
            end = ended(error)
        student = Student(prepared.worker.perform)
        self.session.weights = self.submission.weights
        outcomes = []
        for check in checks:
            outcome = end or self.session.run(check, student)
            if outcome.kind in FATAL:
                end = outcome
            outcomes.append((check, outcome))
        return outcomes

    def take_prepared(self, task: Task, without: Sequence[Task]) -> Prepared:
        """Return a worker that has the task's cells: the one prepared ahead, if it still fits."""
        left_out = self.left_out.union(*(other.code_cells for other in without))
        if self.ahead and self.ahead.task is task:
            ahead, self.ahead = self.ahead, None
            if ahead.left_out == left_out:
                return ahead
            ahead.worker.close()
        return self.prepare(task, left_out, without)

    def prepare_next(self, task: Task) -> None:
        """Start the worker of the task after this one: it runs its cells meanwhile."""
        following = self.to_run[self.to_run.index(task) + 1 :]
        try:
            self.ahead = self.prepare(following[0], set(self.left_out)) if following else None
        except Exception as error:  # it will be told when that task's turn comes
            self.log.append(f"{following[0].label}: not ahead: {type(error).__name__}: {error}")

    def prepare(self, task: Task, left_out: set[str], without: Sequence[Task] = ()) -> Prepared:
        """Start a worker on the released setup cell, the cells before the task's, then its own."""
        cells = [cell for cell in self.submission.cells if cell.name not in self.problems]
        places = [n for n, cell in enumerate(cells) if cell.name in task.code_cells]
        before = [cell for cell in cells[: places[0]] if cell.name not in left_out]
        own = cells[places[0] : places[-1] + 1]
        own += [cell for cell in cells[places[-1] + 1 :] if cell.definitions_only]
        setup = Cell("setup", self.assignment.setup)
        stand_ins = {
            name: function
            for other in without
            for name, function in self.grader.stand_ins.get(other.label, {}).items()
        }
        prepared = Prepared(task, self.start_worker(self.session.limits(task.label)), left_out)
        try:
            prepared.run([setup, *before])
            if stand_ins:
                prepared.stand_in(stand_ins)
            prepared.run(own)
        except (LimitReached, Violation, Crashed) as error:
            prepared.end = error
        except BaseException:
            prepared.worker.close()
            raise
        return prepared


def stand_in(function: Callable[..., Any], student: Student, *arguments: Any, **named: Any) -> Any:
    """Answer a worker's question with a right implementation that works through handles."""
    given, named = replace_handles([arguments, named], lambda ref: Handle(student, ref), HandleRef)
    return replace_handles(function(student, *given, **named), lambda handle: handle.ref, Handle)


def ended(error: Exception) -> Outcome:
    """Describe how a worker ended, or failed, before any check."""
    if isinstance(error, StudentError):
        return Outcome("failed", str(error))
    if isinstance(error, LimitReached):
        return Outcome("limit", str(error))
    if isinstance(error, Violation):
        return Outcome("violation", str(error), error.detail)
    return Outcome("crashed", str(error))


def log_lines(task: Task, attempt: Attempt) -> list[str]:
    """Tell staff what a student must not see, and how workers ended, once each."""
    lines = {}
    for check, outcome in attempt.failures():
        if outcome.kind != "failed" or outcome.detail:
            line = f"{outcome.kind}: {outcome.detail or outcome.message}"
            lines.setdefault(line, f"{task.label} {check.name}: {line}")
    return list(lines.values())


def skipped(task: Task, reason: str) -> TaskResult:
    """Return the result of a task of a submission that cannot be graded."""
    return TaskResult(task.label, task.title, 0.0, task.max_score, "skipped", reason)


def status_of(attempt: Attempt, task: Task) -> str:
    """Sum up an attempt in one word."""
    kinds = {outcome.kind for _, outcome in attempt.checks}
    own = [attempt.cell_errors[cell] for cell in task.code_cells if cell in attempt.cell_errors]
    if attempt.share < 1 and any(error.limit for error in own):
        kinds.add("limit")
    for kind in ("grader_error", "violation", "limit"):
        if kind in kinds:
            return kind
    if kinds == {"passed"}:
        return "passed"
    return "partial" if attempt.share > 0 else "failed"


def message_of(attempt: Attempt, task: Task) -> str:
    """Tell the student what each failed check looked at and what was wrong, once each."""
    failures = attempt.failures()
    if any(outcome.kind == "grader_error" for _, outcome in failures):
        return GRADER_FAULT
    told = [str(attempt.cell_errors[c]) for c in task.code_cells if c in attempt.cell_errors]
    told = [f"The cell stopped with an error. {error}" for error in told if failures]
    by_message: dict[str, list[str]] = {}
    for check, outcome in failures:
        by_message.setdefault(outcome.message, []).append(check.title)
    ends = {outcome.message for _, outcome in failures if outcome.kind in FATAL}
    for message, titles in by_message.items():
        more = f" (and {len(titles) - 1} more)" if len(titles) > 1 else ""
        told.append(message if message in ends else f"{titles[0]}{more}: {message}")
    if len(told) > MAX_MESSAGES:
        told[MAX_MESSAGES:] = [f"… and {len(told) - MAX_MESSAGES} more."]
    return "\n".join(told)


def syntax_message(cell: Cell, error: StudentError) -> str:
    """Tell where a cell is not Python, and whether it is Jupyter's own language instead."""
    line = error.frames[-1].line if error.frames else 1
    lines = lines_of(cell.source)
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    where = f"{cell.name}, line {line}"
    if text.startswith(("%", "!", "?")) or "= !" in text or "= %" in text or text.endswith("?"):
        reason = "a Jupyter command is not Python and is not run here; remove the line"
    elif "await" in error.message or "async" in error.message:
        reason = "`await` works in Jupyter's cells only, not in Python; remove the line"
    else:
        reason = error.message
    return f"{where}: {clean_text(text, 120)}\n{error.type_name}: {reason}"
