"""Grade submissions one after another, the next one's cells read while one is graded."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from detgrader.assignment import Assignment
from detgrader.course import TripwireSettings
from detgrader.grading.diagnosis import Diagnosis, Known
from detgrader.grading.handed_in import HandedIn, read_weights
from detgrader.grading.mistakes import MistakesBench
from detgrader.grading.orders import Order
from detgrader.grading.results import SubmissionResult, refused
from detgrader.grading.run import SubmissionRun
from detgrader.grading.session import CheckSession
from detgrader.grading.stand_ins import StandIns
from detgrader.sandbox.dispatcher import DispatcherClient
from detlab.checking.workbench import Tool


class Grader:
    """Grades submissions of one assignment through one dispatcher.

    Args:
        assignment: what was released.
        session: the collected checks.
        dispatcher: starts workers.
        stand_ins: right answers to earlier tasks' functions.
        known: by task, the known mistakes that a wrong answer may turn out to be.
        tools: what checks may have run beside a known mistake's objects.
        tripwire: what no cell may hold, if anything.
    """

    def __init__(
        self,
        assignment: Assignment,
        session: CheckSession,
        dispatcher: DispatcherClient,
        stand_ins: StandIns,
        known: Mapping[str, Known],
        tools: Mapping[str, Tool],
        tripwire: TripwireSettings | None = None,
    ):
        self.assignment = assignment
        self.session = session
        self.dispatcher = dispatcher
        self.stand_ins = stand_ins
        self.tripwire = tripwire
        bench = MistakesBench(session, assignment, stand_ins, tools)
        self.diagnosis = Diagnosis(known, bench.ask)
        self.following: Order | None = None
        self.next_run: SubmissionRun | None = None

    def grade(self, order: Order, following: Order | None = None) -> SubmissionResult:
        """Grade a submission.

        Args:
            following: what is most likely to be graded next: it is begun while this one ends.
        """
        submission, session = order.submission, self.session
        self.following = following
        own = session.bucket_of(submission.sha256)
        session.bucket = own if order.bucket is None else order.bucket
        if submission.refusal:
            return refused(submission, self.assignment)
        run = self.begun(order)
        try:
            results = run.grade()
            self.begin_ahead()
            for result in results:
                # Asked for last: a worker takes some milliseconds to end.
                if result.task in run.workers:
                    result.seconds = run.workers[result.task].account("cpu_s")
                    result.memory_mb = int(run.workers[result.task].account("memory_mb"))
        finally:
            run.close()
        return SubmissionResult(
            student=submission.student,
            path=str(submission.path),
            notebook_sha256=submission.sha256,
            weights_sha256=run.weights.sha256 if run.weights else None,
            tasks=results,
            checks=run.checks,
            log=[*submission.notes, *run.log],
        )

    def begun(self, order: Order) -> SubmissionRun:
        """Return a run that has begun: the one that was begun ahead, if it is this order's."""
        run, self.next_run = self.next_run, None
        if run and run.order is not order:
            run.close()
            run = None
        run = run or SubmissionRun(self, order)
        try:
            if not run.is_begun:
                run.begin(self.weights_of(order))
        except BaseException:
            run.close()
            raise
        return run

    def read_ahead(self) -> None:
        """Have the following submission's cells read, since nothing else is to be started."""
        if self.following and not self.following.submission.refusal and not self.next_run:
            with contextlib.suppress(Exception):  # it will be told when its turn comes
                self.next_run = SubmissionRun(self, self.following)

    def begin_ahead(self) -> None:
        """Begin with the following submission, if nothing of it has to be waited for."""
        self.read_ahead()
        run = self.next_run
        try:
            if run and run.reader and run.reader.is_done() and run.is_sent_at_once():
                run.begin(self.weights_of(run.order))
                self.dispatcher.keep_watch()
        except Exception:  # it will be told when its turn comes
            self.drop_ahead()

    def drop_ahead(self) -> None:
        """Let go of what was begun ahead: another may be free for it sooner."""
        if self.next_run:
            self.next_run.close()
        self.next_run = None

    def weights_of(self, order: Order) -> HandedIn | None:
        """Return the weights that lie beside a notebook, if the assignment asks for any."""
        sizes = [about.weights_mb for about in self.session.tasks.values() if about.weights_of]
        if not sizes:
            return None
        read = order.weights or read_weights(order.submission.weights, max(sizes))
        return read.at_most(max(sizes))
