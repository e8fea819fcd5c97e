"""Trainings in a notebook: how long they will take, how they go, and how to stop them and go on.

A `Training` calls a function that trains, such as an answer of the notebook, with a loader that
counts. The function runs in a thread of its own, and waits inside the loader when the stop button
is pressed; so running the cell again goes on exactly where it was, with the same optimizer,
schedule and random numbers. No graded answer needs any of this, nor may it be used in one.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import nn

from detlab.training.curve import duration
from detlab.training.missing import open_task
from detlab.training.sources import code_of, is_history
from detlab.training.worker import Worker, same_chance

Figures = Mapping[str, float]
TRIAL_S = 1.0  # how long a trial lasts, after its first step
TICK_S = 0.2


class Training:
    """One training: `announce()` tells its time, `run()` trains, stops and goes on.

    Args:
        function: trains. It is called by name with what `arguments` returns.
        arguments: makes the arguments of `function`, for each beginning (and for the trial) anew;
            "loader" is one of them: it has a length and yields batches. "epochs", if it is there,
            says how often it is passed through.
        measure: is called from time to time, in evaluation mode and without gradients, with the
            network as it is then; returns figures by name, or nothing.
        times: how often, evenly spread; the last time is the end.

    Attributes:
        net: the network, trained so far; None before the training.
        steps: batches that were learned.
        total: batches in all.
        losses: of each step, as its `backward()` got it.
        figures: by the number of steps, what `measure` returned.
        finished: whether the function has returned.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Callable[[], dict[str, Any]],
        measure: Callable[[nn.Module], Figures | None] | None = None,
        times: int = 5,
    ):
        self._function, self._arguments = function, arguments
        self._measure, self._times = measure, times
        self._worker: Worker | None = None
        self._forget()

    def _forget(self) -> None:
        """Return to the state before the training; a thread that waits is let go."""
        if self._worker is not None:
            self._worker.abandon()
        self._worker = None
        self.net: nn.Module | None = None
        self.losses: list[float] = []
        self.figures: dict[int, Figures] = {}
        self.steps, self.total, self.seconds = 0, 0, 0.0
        self.finished = False
        self._kept: list[dict[str, float]] = []
        self._code: dict[str, Any] = {}

    @property
    def history(self) -> list[dict[str, float]]:
        """One dict a step: what the notebook's own loop returned, or else the losses seen."""
        if self.finished and len(self._kept) >= len(self.losses):
            return self._kept
        return [{"loss": loss} for loss in self.losses]

    def announce(self) -> None:
        """Train for a second or so, on the side, and say how long all of it will take.

        Nothing is left of the trial: what it trains is made for it alone, and random numbers go on
        as if it had not been.
        """
        with same_chance():
            ready = _made(self._function, self._arguments)
            if ready is None:
                return
            trial = Training(self._function, lambda: ready)
            worker = Worker(trial, self._now(), ready, trial_s=TRIAL_S)
            try:
                with worker.attended():
                    worker.settled.wait()
            except KeyboardInterrupt:
                worker.interrupt()
                print("Stopped: no time was taken, nothing is lost.")
                return
        if isinstance(worker.error, NotImplementedError):
            print(_to_do(worker.error))
        elif worker.error is not None:
            raise worker.error
        elif worker.a_step() is not None:
            seconds = worker.a_step() * trial.total
            print(f"{trial.total:,} steps: about {duration(seconds)} on this machine.")

    def run(self, restart: bool = False) -> nn.Module | None:
        """Train, or go on with a training that was stopped; the stop button stops it.

        Args:
            restart: begin anew, and forget what was learned.

        Returns:
            The network, as far as it is trained; None if a task that this needs is still to do.
        """
        code = code_of(self._now(), self._arguments)
        waiting = self._worker is not None and not self.finished
        changed = [name for name in code if code[name] != self._code.get(name, code[name])]
        if waiting and changed and not restart:
            print(f"`{changed[0]}` has changed since: this begins anew.")
        if not waiting or changed or restart:
            self._forget()
            if (ready := _made(self._function, self._arguments)) is None:
                return None
            self._code = code
            self._worker = Worker(self, self._now(), ready)
        else:
            print(f"Going on after {self._so_far()}.")
        worker = self._worker
        assert worker is not None
        with worker.attended() as curve, _stop_button(worker.stop):
            try:
                while not worker.settled.wait(TICK_S):
                    worker.pass_on()
                    curve.update(worker.bar)
            except BaseException:  # the stop button once more: this step need not end
                worker.interrupt()
                self._forget()
                raise
            worker.pass_on()
            curve.update(worker.bar, at_last=True)
        return self._settle(worker)

    def _settle(self, worker: Worker) -> nn.Module | None:
        """Say how a training ended, or that it waits."""
        if worker.error is not None:
            error = worker.error
            self._forget()
            if not isinstance(error, NotImplementedError):
                raise error
            print(_to_do(error))
        elif worker.waits:
            print(
                f"Stopped after {self._so_far()}; what was learned is kept. Run this cell again to "
                "go on, or once with `run(restart=True)` to begin anew."
            )
        else:
            self.finished = True
            if isinstance(worker.result, nn.Module):
                self.net = worker.result
            elif is_history(worker.result):
                self._kept = worker.result
            print(f"Trained: {self._so_far()}, in {duration(self.seconds)}.")
        return self.net

    def has_learned(self) -> bool:
        """Say in a line what measuring the network now would speak of; False if of nothing."""
        if self.net is None or not (self.steps or self.finished):
            print("Not trained yet: first run the cell with the training.")
            return False
        changed = code_of(self._now(), self._arguments) != self._code
        print(
            f"Measured after {self._so_far()}"
            + ("." if self.finished else ": the training was stopped.")
            + (" (Your code has changed since.)" if changed else "")
        )
        return True

    def _so_far(self) -> str:
        """Return how far it is, in words."""
        if not self.total:
            return "an earlier training: no step was left"
        if self.steps >= self.total:
            return f"all {self.total:,} steps"
        return f"{self.steps:,} of {self.total:,} steps"

    def _now(self) -> Callable[..., Any]:
        """Return the function as the notebook defines it now."""
        names = getattr(self._function, "__globals__", {})
        return names.get(getattr(self._function, "__name__", ""), self._function)


@contextlib.contextmanager
def _stop_button(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first press of the stop button call a function; the next is an interrupt as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def once(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    before = signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _made(
    function: Callable[..., Any], arguments: Callable[[], dict[str, Any]]
) -> dict[str, Any] | None:
    """Make a training's arguments, or say what is missing, and return None."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_names == (NotImplementedError.__name__,):
        # Nothing else is in it: whatever its arguments take to make would be for nothing.
        task = next((one for one in code.co_consts if str(one).startswith("task ")), "")
        print(_say_to_do(code.co_qualname, task))
        return None
    try:
        return arguments()
    except NotImplementedError as error:
        print(_to_do(error))
    except NameError as error:
        label = open_task(error.name, getattr(arguments, "__globals__", {}))
        why = (
            f", since task {label} still has a line to replace."
            if label
            else ". Run the cells above first."
        )
        print(f"Not yet: `{error.name}` is not there{why}")
    return None


def _to_do(error: BaseException) -> str:
    """Say which function is still to do."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    name = code.co_qualname.removesuffix(".__init__") if code is not None else "a task"
    return _say_to_do(name, str(error))


def _say_to_do(name: str, words: str) -> str:
    """Say that a function is still to do; `words` are its error's."""
    task = words.split(":")[0]
    where = f" ({task})" if task.startswith("task ") else ""
    return f"Not yet: `{name}` is still to do{where}."
