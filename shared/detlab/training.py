"""Trainings in a notebook: how long they will take, how they go, and how to stop them and go on.

A `Training` calls a function that trains, such as an answer of the notebook, with a loader that
counts. The function runs in a thread of its own, and waits inside the loader when the stop button
is pressed; so running the cell again goes on exactly where it was, with the same optimizer,
schedule and random numbers. No graded answer needs any of this, nor may it be used in one.
"""

from __future__ import annotations

import contextlib
import ctypes
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import torch
from torch import nn

from detlab.live_curve import LiveCurve, duration

Figures = Mapping[str, float]
LOOPS = ("train", "train_one_epoch")  # functions of answers that return a history
TRIAL_S = 1.0  # how long a trial lasts, after its first step
LONG_STEP_S = 4.0  # of a step so long a trial makes no second one
TICK_S = 0.2
MOST_IN_VAIN = 10_000  # passes through a loader that has run dry


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
        steps, total: batches that were learned, and batches in all.
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
        self._worker: _Worker | None = None
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
        with _same_chance():
            ready = _made(self._arguments)
            if ready is None:
                return
            trial = Training(self._function, lambda: ready)
            worker = _Worker(trial, self._now(), ready, trial_s=TRIAL_S)
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
        code = _code_of(self._now(), self._arguments)
        waiting = self._worker is not None and not self.finished
        changed = [name for name in code if code[name] != self._code.get(name, code[name])]
        if waiting and changed and not restart:
            print(f"`{changed[0]}` has changed since: this begins anew.")
        if not waiting or changed or restart:
            self._forget()
            if (ready := _made(self._arguments)) is None:
                return None
            self._code = code
            self._worker = _Worker(self, self._now(), ready)
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

    def _settle(self, worker: _Worker) -> nn.Module | None:
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
            elif _is_history(worker.result):
                self._kept = worker.result
            print(f"Trained: {self._so_far()}, in {duration(self.seconds)}.")
        return self.net

    def has_learned(self) -> bool:
        """Say in a line what measuring the network now would speak of; False if of nothing."""
        if self.net is None or not (self.steps or self.finished):
            print("Not trained yet: run the cell above.")
            return False
        changed = _code_of(self._now(), self._arguments) != self._code
        print(
            f"Measured after {self._so_far()}"
            + ("." if self.finished else ": the training was stopped.")
            + (" (Your code has changed since.)" if changed else "")
        )
        return True

    def _so_far(self) -> str:
        """Return how far it is, in words."""
        if self.steps >= self.total:
            return f"all {self.total:,} steps"
        return f"{self.steps:,} of {self.total:,} steps"

    def _now(self) -> Callable[..., Any]:
        """Return the function as the notebook defines it now."""
        names = getattr(self._function, "__globals__", {})
        return names.get(getattr(self._function, "__name__", ""), self._function)


class _Abandoned(BaseException):
    """Ends the thread of a training that nobody goes on with."""


class _Worker(threading.Thread):
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
        self.function = _keeping_histories(function, training._kept)
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
        except _Abandoned:
            pass
        except BaseException as error:
            self.error = error
        self.settled.set()

    def stop(self) -> None:
        """Let it wait after the step that it makes now."""
        self.wanted_to_stop = True

    def abandon(self) -> None:
        """End the thread if it waits."""
        self.abandoned = True
        self.go_on.set()

    def interrupt(self) -> None:
        """End the thread as the stop button would end a cell."""
        self.abandoned = True
        if self.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident), ctypes.py_object(_Abandoned)
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
        with _modes_kept(net), torch.no_grad():
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
            raise _Abandoned


class _Batches:
    """The loader that a training sees: another one's batches, counted."""

    def __init__(self, loader: Any, worker: _Worker):
        self._loader, self._worker = loader, worker

    def __len__(self) -> int:
        return len(self._loader)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __iter__(self) -> Iterator[Any]:
        if self._worker.dry:
            self._worker.passes_in_vain += 1
            if self._worker.passes_in_vain > MOST_IN_VAIN:  # it would never end
                raise _Abandoned
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

    def __init__(self, worker: _Worker):
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
def _listening(worker: _Worker) -> Iterator[None]:
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


@contextlib.contextmanager
def _same_chance() -> Iterator[None]:
    """Put the generators of random numbers back as they were."""
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        random.setstate(states[1])
        np.random.set_state(states[2])


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


def _is_history(result: Any) -> bool:
    """Say whether a result is a dict for each step."""
    return isinstance(result, list) and bool(result) and isinstance(result[0], dict)


def _keeping_histories(function: Any, kept: list[dict[str, float]]) -> Any:
    """Return a copy of a function that keeps the histories which the loops it calls return."""
    code = getattr(function, "__code__", None)
    names = [name for name in LOOPS if code is not None and name in code.co_names]
    if not isinstance(function, FunctionType) or not names:
        return function

    def keeping(loop: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = loop(*args, **kwargs)
            if _is_history(result):
                kept.extend(result)
            return result

        return call

    known = function.__globals__
    loops = {name: keeping(known[name]) for name in names if callable(known.get(name))}
    copied = FunctionType(
        function.__code__, known | loops, function.__name__, function.__defaults__,
        function.__closure__,
    )  # fmt: skip
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def _made(arguments: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Make a training's arguments, or say what is missing, and return None."""
    try:
        return arguments()
    except NotImplementedError as error:
        print(_to_do(error))
    except NameError as error:
        print(f"Not yet: `{error.name}` is not there. Run the cells above, from the top.")
    return None


def _to_do(error: BaseException) -> str:
    """Say which function is still to do."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code if trace is not None else None
    name = code.co_qualname.removesuffix(".__init__") if code is not None else "a task"
    return f"Not yet: `{name}` is still to do."


def _code_of(*functions: Any) -> dict[str, Any]:
    """Return, by name, what functions do, and all of the same module that they mention."""
    found: dict[str, Any] = {}
    todo = [(getattr(function, "__name__", "?"), function) for function in functions]
    while todo:
        name, thing = todo.pop()
        if name in found:
            continue
        parts = [v for v in vars(thing).values() if isinstance(v, FunctionType)] if isinstance(
            thing, type
        ) else [thing]  # fmt: skip
        parts = [part for part in parts if isinstance(part, FunctionType)]
        found[name] = [_digest(part.__code__) for part in parts]
        for part in parts:
            for mentioned in _names_in(part.__code__):
                other = part.__globals__.get(mentioned)
                if getattr(other, "__module__", None) == part.__module__ and callable(other):
                    todo.append((mentioned, other))
    return found


def _digest(code: CodeType) -> Any:
    """Return what code does, without where it stands."""
    consts = [_digest(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_code, code.co_names, consts


def _names_in(code: CodeType) -> set[str]:
    """Return the names that code looks up, in inner functions, too."""
    inner = (_names_in(c) for c in code.co_consts if isinstance(c, CodeType))
    return set(code.co_names).union(*inner)
