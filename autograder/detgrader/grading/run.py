"""Grade one submission: read its cells, then task by task, each in a fresh worker."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from detgrader.assignment import Task
from detgrader.grading.attempt import Attempt, Prepared, Workers, make_attempt
from detgrader.grading.handed_in import HandedIn
from detgrader.grading.messages import GRADER_FAULT, log_lines, message_of
from detgrader.grading.orders import Order
from detgrader.grading.outcomes import traceback_of
from detgrader.grading.reading import Reader, Reading
from detgrader.grading.results import (
    CheckResult,
    Status,
    TaskResult,
    earned_nothing,
    ungraded,
)
from detgrader.grading.tasks import Check, TaskChecks
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.inside.wire import SMALL, length_of
from detgrader.sandbox.limits import Crashed, LimitReached, Violation
from detgrader.text import clean_text, lines_of
from detlab.checking.notebook import CodeCell

if TYPE_CHECKING:
    from detgrader.grading.grader import Grader

NOT_ATTEMPTED = "This task was not attempted."
LATER = "Not graded yet: what takes long is graded in a later round."


class SubmissionRun:
    """The state of grading one submission, whose cells are read from now on."""

    def __init__(self, grader: Grader, order: Order):
        self.grader = grader
        self.weights: HandedIn | None = None
        self.assignment = grader.assignment
        self.order = order
        self.submission = order.submission
        self.sources = {cell.name: cell.source for cell in order.submission.cells}
        self.helpers = [cell.name for cell in order.submission.cells if cell.definitions_only]
        self.reader = self.begin_reading()
        self.is_begun = False
        self.reading = Reading()
        self.left_out = set(order.ended)
        self.checks: dict[str, list[CheckResult]] = {}
        self.log: list[str] = []
        self.workers: dict[str, Workers] = {}
        self.earned: dict[str, float] = {}
        self.to_run: list[Task] = []
        self.ahead: Prepared | None = None

    def begin_reading(self) -> Reader | None:
        """Have the cells read, if any task is answered."""
        tasks, grader = self.assignment.tasks, self.grader
        if not any(self.is_answered(task.code_cells, self.sources) for task in tasks):
            return None
        setup = CodeCell("setup", self.assignment.setup)
        return Reader(grader.dispatcher, setup, self.submission.cells, grader.tripwire)

    def begin(self, weights: HandedIn | None) -> None:
        """Wait for the reading, and start the first task's worker.

        Args:
            weights: that were handed in, if the assignment asks for any.
        """
        self.is_begun = True
        self.weights = weights
        if self.reader:
            reader, self.reader = self.reader, None
            self.reading = reader.finish()
            self.log += map(self.told_of_trick, self.reading.tripped)
        self.reading.problems |= self.submission.problems
        self.to_run = [task for task in self.assignment.tasks if self.is_to_run(task)]
        self.prepare_next(None)

    def grade(self) -> list[TaskResult]:
        """Grade all tasks."""
        return [self.grade_task_safely(task) for task in self.assignment.tasks]

    def is_sent_at_once(self) -> bool:
        """Say whether a worker can be sent all cells before it reads any."""
        return sum(length_of(source) for source in self.sources.values()) <= SMALL

    def close(self) -> None:
        """End the workers that wait."""
        if self.reader:
            self.reader.close()
        if self.ahead:
            self.ahead.worker.close()
        self.reader = self.ahead = None

    def grade_task_safely(self, task: Task) -> TaskResult:
        """Grade one task; a fault of ours leaves this task ungraded and all others as they are."""
        try:
            return self.grade_task(task)
        except Exception as error:
            trace = traceback_of(error)
            self.checks[task.label] = [CheckResult("", "", Status.GRADER_ERROR, detail=trace)]
            self.log.append(f"{task.label}: {trace}")
            return ungraded(task, Status.GRADER_ERROR, GRADER_FAULT)

    def grade_task(self, task: Task) -> TaskResult:
        """Grade one task; its written answers are left to a person."""
        result = earned_nothing(task, Status.NOT_ATTEMPTED)
        if self.is_answered(task.text_cells, self.submission.texts):
            result.status, result.pending_manual = Status.MANUAL, task.manual_points
        if task.points and (problem := self.problem_of(task)):
            result.status, result.message = Status.FAILED, problem
            if self.reading.trick_in(task.code_cells):
                result.status = Status.VIOLATION
        elif task.points and task in self.to_run:
            if self.is_left_for_later(task):
                result.score, result.status, result.message = None, Status.SKIPPED, LATER
            elif reason := self.reason_to_skip(task):
                result.status, result.message = Status.SKIPPED, reason
            else:
                self.grade_code(task, result)
        elif not result.pending_manual:
            result.message = NOT_ATTEMPTED
        problems = self.reading.problems
        lost = [problems[cell] for cell in task.text_cells if cell in problems]
        result.message = "\n".join(filter(None, [*lost, result.message]))
        self.earned[task.label] = result.earned
        return result

    def told_of_trick(self, cell: str) -> str:
        """Tell staff what in a cell is made for tricks, with its line."""
        found = self.reading.tripped[cell]
        text = clean_text(lines_of(self.sources[cell])[found.line - 1].strip(), 120)
        return f"{cell}, line {found.line}: {found.what}: {text}"

    def checks_of(self, task: Task) -> TaskChecks:
        """Return a task's checks and their marks."""
        return self.grader.session.tasks.get(task.label, TaskChecks())

    def is_left_for_later(self, task: Task) -> bool:
        """Say whether a task is not asked for in this round."""
        return self.order.without_costly and self.checks_of(task).costly

    def reason_to_skip(self, task: Task) -> str:
        """Say why a task is not run, or nothing: it rests on tasks that earned nothing."""
        if self.order.only is not None:
            return "" if task.label in self.order.only else "Not run: it was not asked for."
        lacking = [label for label in self.checks_of(task).needs if not self.earned.get(label)]
        if not lacking:
            return ""
        return (
            f"Not run: this task rests on task {', '.join(lacking)}, which earned no points. "
            "Mend that first."
        )

    def is_to_run(self, task: Task) -> bool:
        """Say whether a task has code or weights of the student's, and may run."""
        answered = self.is_answered(task.code_cells, self.sources)
        if self.checks_of(task).weights_of and self.weights:
            answered = answered or self.weights.is_there
        return bool(task.points) and answered and not self.problem_of(task)

    def is_answered(self, grade_ids: tuple[str, ...], sources: Mapping[str, str]) -> bool:
        """Say whether any of these cells differs from what was released."""
        return any(
            grade_id in sources
            and sources[grade_id].strip() != self.assignment.cells[grade_id].source.strip()
            for grade_id in grade_ids
        )

    def problem_of(self, task: Task) -> str:
        """Say why a task's cells cannot run, or the empty string."""
        if trick := self.reading.trick_in(task.code_cells):
            return self.reading.problems[trick]
        for grade_id in task.code_cells:
            if grade_id in self.reading.problems:
                return self.reading.problems[grade_id]
        names = self.reading.names
        used = {name for grade_id in task.code_cells for name in names.get(grade_id, ())}
        forbidden = sorted(used & self.checks_of(task).forbidden)
        if forbidden:
            return f"The statement forbids `{'`, `'.join(forbidden)}` here."
        return ""

    def grade_code(self, task: Task, result: TaskResult) -> None:
        """Run a task's checks; those that fail, once more without the earlier tasks' cells.

        So nobody loses a later task's points for an earlier task's fault: in the second run
        stand-ins take the place of what the earlier cells did. What trains or measures runs once.
        """
        about = self.checks_of(task)
        attempt = self.attempt(task, about.checks)
        earlier = self.assignment.before(task.label)
        once = about.runs_once or attempt.violated or task.label in self.order.once
        if attempt.share < 1 and earlier and not once:
            failed = [check for check, _ in attempt.failures()]
            ran = [one for one in earlier if one.label in self.workers]
            at_fault = any(self.earned[one.label] < one.points for one in ran)
            attempt.add(self.attempt(task, failed, without=earlier), earlier, at_fault)
        result.score = round(attempt.share * task.points, 2)
        result.status = attempt.status(task)
        result.message = message_of(attempt, task, self.reading.left_out)
        if result.status is Status.GRADER_ERROR:
            result.score = None  # what the other checks gave is not all that there is
        self.workers[task.label] = attempt.workers
        if self.order.hints and result.status in (Status.PARTIAL, Status.FAILED):
            result.message += self.hint(task, attempt)
        self.checks[task.label] = attempt.results()
        self.log += log_lines(attempt, task)
        if attempt.ended:
            self.left_out |= set(task.code_cells)

    def hint(self, task: Task, attempt: Attempt) -> str:
        """Return a known mistake's hint; a hint that cannot be found costs nobody a grade."""
        try:
            bucket = self.grader.session.bucket
            hint = self.grader.diagnosis.hint(task.label, attempt.checks, bucket)
        except Exception as error:
            self.log.append(f"{task.label}: no hint: {type(error).__name__}: {error}")
            return ""
        return f"\nHint: {hint}" if hint else ""

    def attempt(
        self, task: Task, checks: list[Check], without: list[Task] | None = None
    ) -> Attempt:
        """Run checks of a task in a fresh worker; what did not run is not passed.

        Args:
            without: earlier tasks whose cells are left out, and replaced by stand-ins.
        """
        prepared = self.take_prepared(task, without or [])
        anew = functools.partial(self.prepare, task, prepared.left_out, without or [])
        workers = Workers(prepared, anew)
        try:
            if not without:
                self.prepare_next(task)
            names = self.reading.names_in(task.code_cells, self.helpers)
            session = self.grader.session
            return make_attempt(workers, session, self.order, checks, names, self.weights)
        finally:
            workers.close()

    def take_prepared(self, task: Task, without: list[Task]) -> Prepared:
        """Return a worker that has the task's cells: the one prepared ahead, if it still fits."""
        left_out = self.left_out.union(*(other.code_cells for other in without))
        if self.ahead and self.ahead.task is task:
            ahead, self.ahead = self.ahead, None
            if ahead.left_out == left_out:
                return ahead
            ahead.worker.close()
        return self.prepare(task, left_out, without)

    def prepare_next(self, task: Task | None) -> None:
        """Start the worker of the task after this one, or of the first: it runs its cells."""
        if self.ahead:  # of a task that was skipped in the end
            self.ahead.worker.close()
            self.ahead = None
        later = self.to_run[self.to_run.index(task) + 1 :] if task else self.to_run
        later = [other for other in later if not self.is_left_for_later(other)]
        only = self.order.only
        following = next((t for t in later if only is None or t.label in only), None)
        if following is None:
            self.grader.read_ahead()
            return
        try:
            self.ahead = self.prepare(following, set(self.left_out), [])
        except Exception as error:  # it will be told when that task's turn comes
            self.log.append(f"{following.label}: not ahead: {type(error).__name__}: {error}")

    def prepare(self, task: Task, left_out: set[str], without: list[Task]) -> Prepared:
        """Start a worker on the released setup cell, the cells before the task's, then its own."""
        cells = [cell for cell in self.submission.cells if cell.name not in self.reading.problems]
        places = [n for n, cell in enumerate(cells) if cell.name in task.code_cells]
        before = [cell for cell in cells[: places[0]] if cell.name not in left_out]
        own = cells[places[0] : places[-1] + 1]
        own += [cell for cell in cells[places[-1] + 1 :] if cell.definitions_only]
        worker = WorkerClient(self.grader.dispatcher, self.checks_of(task).limits)
        prepared = Prepared(task, worker, left_out)
        try:
            prepared.run([CodeCell("setup", self.assignment.setup), *before])
            prepared.stand_in(self.grader.stand_ins, without)
            prepared.run(own)
        except (LimitReached, Violation, Crashed) as error:
            prepared.end = error
        except BaseException:
            worker.close()
            raise
        return prepared
