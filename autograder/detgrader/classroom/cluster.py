"""Grade on a Dask cluster: each of its workers drives a grader of its own (see `station`).

A submission is one task of the cluster's. If its worker is lost, the cluster gives it to another
one, and whatever comes of it comes once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import threading
import traceback
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from detgrader.assignment import Assignment
from detgrader.classroom.batch import NoIsolation
from detgrader.classroom.pool import TELL_S, OnResult, OnStart
from detgrader.classroom.station import Errand, Station
from detgrader.course import CourseError
from detgrader.grading.handed_in import read_weights
from detgrader.grading.orders import Order
from detgrader.grading.results import SubmissionResult, lost
from detgrader.sandbox.host import SandboxError

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
CONNECT_S = 10
WORKERS_S = 30  # those that start now
# Weights travel with an order; so large they may be until the checks say how large.
MAX_WEIGHTS_MB = 1000
# So many orders for each thread of the cluster are on their way: one is graded, one waits.
AHEAD = 2
here = threading.local()


def grade_here(order: Order, errand: Errand) -> SubmissionResult:
    """Grade a submission on a worker, by the station of the thread in which this runs."""
    station: Station | None = getattr(here, "station", None)
    if station and (station.errand != errand or station.process.poll() is not None):
        station.close()
        station = None
    if station is None:
        station = here.station = Station(errand)
    return station.grade(order)


def grade_on_cluster(
    scheduler: str,
    jobs: int,
    assignment: Assignment,
    orders: list[Order],
    errand: Errand,
    on_result: OnResult,
    on_start: OnStart,
) -> None:
    """Grade submissions on a cluster.

    Args:
        scheduler: its address, or "local" for one that is started here.
        jobs: workers of one that is started here.
        on_result: called with each result as it is finished.
        on_start: called now and then with the students who are being graded.

    Raises:
        CourseError: there is no such cluster, it has no workers, or one has other checks.
        NoIsolation, SandboxError: a worker cannot confine students' code.
    """
    if importlib.util.find_spec("distributed") is None:
        raise CourseError(
            "--scheduler needs Dask's `distributed`: install it with `uv sync --extra cluster`"
        )
    with connected(scheduler, jobs) as client:
        Cluster(client, assignment, errand).grade(orders, on_result, on_start)


@contextlib.contextmanager
def connected(scheduler: str, jobs: int) -> Iterator[Client]:
    """Connect to a cluster that has workers."""
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as stack:
        address = scheduler
        if scheduler == LOCAL:
            cluster = LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,  # a worker that is lost is told in the results
            )
            address = stack.enter_context(cluster).scheduler_address
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_S))
        except (OSError, ValueError, TypeError) as error:
            raise CourseError(f"--scheduler {scheduler}: no cluster answers ({error})") from None
        try:
            client.wait_for_workers(1, timeout=WORKERS_S)
        except TimeoutError:
            raise CourseError(
                f"--scheduler {scheduler}: it has no workers; start some, in a checkout of the "
                f"course: uv run --extra cluster dask worker {scheduler} --nthreads 1"
            ) from None
        yield client


class Cluster:
    """A cluster that grades a week."""

    def __init__(self, client: Client, assignment: Assignment, errand: Errand):
        self.client = client
        self.assignment = assignment
        self.errand = errand
        self.running: dict[Future[Any], Order] = {}

    def grade(self, orders: list[Order], on_result: OnResult, on_start: OnStart) -> None:
        """Hand out orders and take what comes of them, until all are done."""
        from distributed import wait

        waiting = orders[::-1]
        while waiting or self.running:
            while waiting and len(self.running) < AHEAD * max(
                1, sum(self.client.nthreads().values())
            ):
                self.hand_out(waiting.pop())
            with contextlib.suppress(TimeoutError):
                wait(self.running, timeout=TELL_S, return_when="FIRST_COMPLETED")
            on_start([order.submission.student for order in self.running.values()])
            for future in [future for future in self.running if future.done()]:
                on_result(self.result_of(future, self.running.pop(future)))

    def hand_out(self, order: Order) -> None:
        """Send an order, with the weights that were handed in."""
        order = replace(order, weights=read_weights(order.submission.weights, MAX_WEIGHTS_MB))
        # A key of its own: else the cluster would give an old result of an equal order.
        key = f"{self.assignment.name}-{uuid.uuid4().hex}"
        self.running[self.client.submit(grade_here, order, self.errand, key=key)] = order

    def result_of(self, future: Future[Any], order: Order) -> SubmissionResult:
        """Return a result; who cannot be graded because workers are lost again and again is told.

        Raises:
            CourseError, NoIsolation, SandboxError: a worker cannot grade at all.
        """
        if future.cancelled():
            raise SandboxError("the cluster's scheduler is gone")
        error = future.exception()
        if error is None:
            result: SubmissionResult = future.result()
            return result
        if isinstance(error, CourseError | NoIsolation | SandboxError):
            raise error
        words = "".join(traceback.format_exception_only(error))
        return lost(order.submission, self.assignment, f"on the cluster: {words.strip()}")
