"""The thread in which a training runs, and the loader in which it waits."""

from __future__ import annotations

import contextlib
import ctypes
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from detlab.training.curve import LiveCurve
from detlab.training.sources import keeping_histories

if TYPE_CHECKING:
    from detlab.training import Training

LONG_STEP_S = 4.0  # of a step so long a trial makes no second one
MOST_IN_VAIN = 10_000  # passes through a loader that has run dry


class Abandoned(BaseException):
    """Ends the thread of a training that nobody goes on with."""


class Worker(threading.Thread):
    """The thread in which a training runs, and waits.

    Args:
        training: keeps what comes of it.
        function: trains.
        arguments: its arguments.
        trial_s: after so many seconds the loader runs dry; never, if None.

    Attributes:
        settled: set when the function has ended, and while it waits.
        waits: whether it waits.
        result, error: of the function.
        bar: the last line that the function wrote over itself, as progress bars do.
    """

    def __init__(
        self,
        training: Training,
        function: Callable[..., Any],
        arguments: dict[str, Any],
        trial_s: float | None = None,
    ):
        super().__init__(daemon=True)
        self.training, self.trial_s = training, trial_s
        loader = arguments["loader"]
        training.total = len(loader) * int(arguments.get("epochs", 1))
        self.arguments = arguments | {"loader": _Batches(loader, self)}
        self.function = keeping_histories(function, training._kept)
        self.settled, self.go_on = threading.Event(), threading.Event()
        self.wanted_to_stop = self.abandoned = self.waits = self.dry = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.loss, self.times, self.begun_at = 0.0, [], 0.0
        self.said, self.bar, self.passes_in_vain = [], "", 0
        share = training.total / max(training._times, 1)
        self.due = {round(share * (k + 1)) for k in range(training._times)}

    @property
    def is_trial(self) -> bool:
        """Whether only its time is of interest."""
        return self.trial_s is not None

    def run(self) -> None:
        try:
            self.result = self.function(**self.arguments)
        except Abandoned:
            pass
        except BaseException as error:
            self.error = error
        self.settled.set()

    def stop(self) -> None:
        """Let it wait after the step that it makes now."""
        self.wanted_to_stop = True
        self.said.append("Stopping after this step. (Once more: at once, and nothing is kept.)\n")

    def abandon(self) -> None:
        """End the thread if it waits."""
        self.abandoned = True
        self.go_on.set()

    def interrupt(self) -> None:
        """End the thread as the stop button would end a cell."""
        self.abandoned = True
        if self.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident), ctypes.py_object(Abandoned)
            )

    @contextlib.contextmanager
    def attended(self) -> Iterator[LiveCurve]:
        """Let it run, or run on; what it writes and what its losses are arrives here."""
        training, begun = self.training, time.monotonic()
        curve = LiveCurve(training, quiet=self.is_trial)
        self.out, said = sys.stdout, _Said(self)
        hook = None
        if training.net is None:
            hook = nn.modules.module.register_module_forward_pre_hook(self._look_at)
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            _listening(self),
        ):
            self.settled.clear()
            self.wanted_to_stop = self.waits = False
            if self.ident is None:
                self.start()
            else:
                self.go_on.set()
            try:
                yield curve
            finally:
                training.seconds += time.monotonic() - begun
                if hook is not None:
                    hook.remove()

    def pass_on(self) -> None:
        """Print what the training wrote meanwhile; of a trial nothing."""
        while self.said:
            self.out.write(self.said.pop(0))

    def _look_at(self, module: nn.Module, inputs: Any) -> None:
        """Find the network: of the modules called in the first step the one with most weights."""
        if threading.current_thread() is not self or self.training.steps:
            return
        known = self.training.net
        if known is None or _size(module) > _size(known):
            self.training.net = module

    def after_step(self) -> None:
        """Note a step; measure, wait or end, where it is time."""
        training = self.training
        training.steps += 1
        training.losses.append(self.loss)
        self.loss = 0.0
        self.times.append(time.monotonic())
        if self.is_trial:
            enough = self.times[-1] - self.times[0] >= self.trial_s and len(self.times) > 1
            self.dry = self.abandoned or enough or self.times[-1] - self.begun_at > LONG_STEP_S
            return
        if training.steps in self.due and training._measure and training.net is not None:
            self._look(training, training.net)
        if self.wanted_to_stop:
            self._wait()

    def a_step(self) -> float | None:
        """Return how long a step took, seconds; if there is another, the first does not count.

        The first one warms up.
        """
        if len(self.times) < 2:
            return self.times[0] - self.begun_at if self.times else None
        return (self.times[-1] - self.times[0]) / (len(self.times) - 1)

    def _look(self, training: Training, net: nn.Module) -> None:
        """Measure, and leave the network's modes as they were."""
        with same_chance(), _modes_kept(net), torch.no_grad():
            net.eval()
            try:
                found = training._measure(net) if training._measure else None
            except Exception as error:
                training._measure = None
                if not isinstance(error, NotImplementedError):
                    print(f"(Not measured on the way: {type(error).__name__}: {error})")
                return
        if found:
            training.figures[training.steps] = found

    def _wait(self) -> None:
        """Wait until somebody goes on with the training."""
        net = self.training.net
        with _modes_kept(net) if net is not None else contextlib.nullcontext():
            self.waits = True
            self.settled.set()
            self.go_on.wait()
            self.go_on.clear()
        if self.abandoned:
            raise Abandoned


class _Batches:
    """The loader that a training sees: another one's batches, counted."""

    def __init__(self, loader: Any, worker: Worker):
        self._loader, self._worker = loader, worker

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __iter__(self) -> Iterator[Any]:
        if self._worker.dry:
            self._worker.passes_in_vain += 1
            if self._worker.passes_in_vain > MOST_IN_VAIN:  # it would never end
                raise Abandoned
            return
        for batch in self._loader:
            self._worker.begun_at = self._worker.begun_at or time.monotonic()
            yield batch
            self._worker.after_step()
            if self._worker.dry:
                return


class _Said:
    """Takes what a training writes: its bar is kept for the display, all else is printed."""

    encoding = "utf-8"

    def __init__(self, worker: Worker):
        self.worker, self.after_bar = worker, False

    def write(self, text: str) -> int:
        """Take a piece of text."""
        if "\r" in text:
            self.worker.bar = text.rsplit("\r", 1)[-1].strip() or self.worker.bar
            self.after_bar = True
        elif not (text == "\n" and self.after_bar):  # the end of a bar
            self.worker.said.append(text)
            self.after_bar = False
        return len(text)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def isatty(self) -> bool:
        """Say no: no cursor can be moved here."""
        return False


@contextlib.contextmanager
def _listening(worker: Worker) -> Iterator[None]:
    """Add up what the worker's thread calls `backward()` on."""
    plain = torch.autograd.backward

    def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
        if threading.current_thread() is worker:
            for one in [tensors] if isinstance(tensors, torch.Tensor) else tensors:
                worker.loss += float(one.detach().sum())
        plain(tensors, *args, **kwargs)

    torch.autograd.backward = backward
    try:
        yield
    finally:
        torch.autograd.backward = plain


@contextlib.contextmanager
def _modes_kept(net: nn.Module) -> Iterator[None]:
    """Put the modes of all modules back as they were."""
    modes = {module: module.training for module in net.modules()}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _size(net: nn.Module) -> int:
    """Return how many weights a network has."""
    return sum(parameter.numel() for parameter in net.parameters())


@contextlib.contextmanager
def same_chance() -> Iterator[None]:
    """Put the generators of random numbers back as they were."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])
