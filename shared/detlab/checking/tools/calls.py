"""Tools that watch a call: what it changes, prints, runs and passes on."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode


def itself(value: Any) -> Any:
    """Return a value: a check's that is to stay here, or what an object has become."""
    return value


def called(function: Callable[..., Any], arguments: list[Any]) -> Any:
    """Call a function, with gradients if it wants some."""
    return function(*arguments)


class RecordedCalls(list[Any]):
    """What a module was called with: for each call the input's shape and whether with gradients.

    A check gets a handle to it, since it is not exactly a list, and reads it later.
    """


def record_calls(module: nn.Module) -> RecordedCalls:
    """Return a record that grows whenever the module is called."""
    calls = RecordedCalls()

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        calls.append((tuple(inputs[0].shape), torch.is_grad_enabled()))

    module.register_forward_pre_hook(note)
    return calls


def recorded(record: RecordedCalls) -> list[Any]:
    """Return what was recorded so far."""
    return list(record)


class Mode(TorchDispatchMode):
    """A mode that needs no compiler: else torch imports its own when the first one is used.

    That takes seconds, and `torch.compile` is none of a check's business.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


# Threads that do nothing for a call: tqdm's looks at bars, the grader's at workers.
WATCHING = {"TMonitor", "WatchThread"}


class StepCounter(Mode):
    """Count the steps that a call takes: Python's instructions and torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def trace(self, frame: Any, event: str, argument: Any) -> Any:
        """Be Python's trace function."""
        frame.f_trace_opcodes = True
        self.steps += 1
        return self.trace

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), options: Any = None
    ) -> Any:
        self.steps += 1
        return function(*arguments, **(options or {}))


def count_steps(
    function: Callable[..., Any], arguments: list[Any], warm_up: list[Any]
) -> dict[str, Any]:
    """Call a function twice, and count the second call's steps: operations, not seconds.

    What is done once, such as an import, falls into the first call, on other arguments: what a
    function remembers of them is no help with the second.

    Returns:
        "steps": the number of Python instructions and torch operations, those of new threads
        included, or -1 if the function stopped the count; "result": what the counted call returned;
        "threads": those that ran before the call, whose steps are not counted.
    """
    count_one_call(function, warm_up)
    return count_one_call(function, arguments)


def count_one_call(function: Callable[..., Any], arguments: list[Any]) -> dict[str, Any]:
    """Count the steps of one call."""
    counter, before = StepCounter(), sys.gettrace()
    # They work unseen. A notebook's kernel has some.
    threads = [one for one in threading.enumerate() if type(one).__name__ not in WATCHING]
    trace = counter.trace
    with counter:
        threading.settrace(trace)
        sys.settrace(trace)
        try:
            result = function(*arguments)
            whole = sys.gettrace() is trace
        finally:
            sys.settrace(before)
            threading.settrace(before)
    return {"steps": counter.steps if whole else -1, "result": result, "threads": len(threads)}


class OriginsWatch(Mode):
    """Note whose code a call runs: packages of Python functions, and of torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.packages: set[str] = set()

    def note(self, frame: Any, event: str, argument: Any) -> None:
        """Be Python's profile function."""
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith("detlab.checking."):  # the watch itself, or a stand-in's messenger
            self.packages.add(name.partition(".")[0])
        if name == "torch._ops":  # an operation called by its name, in another thread perhaps
            owner = frame.f_locals.get("self")
            if isinstance(owner, torch._ops.OpOverloadPacket):
                operation = str(vars(owner).get("_qualified_op_name", ""))
                self.packages.add(operation.partition("::")[0])

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), options: Any = None
    ) -> Any:
        self.packages.add(function.namespace)
        return function(*arguments, **(options or {}))


def call_and_watch(function: Callable[..., Any], arguments: list[Any]) -> dict[str, Any]:
    """Call a function; return its result, and the packages whose code ran meanwhile.

    Returns:
        "result"; "packages": top-level names, sorted, such as "torch" or "torchvision", whether the
        code is Python's or a compiled operation's, new threads included; "whole": whether nobody
        ended the watch.
    """
    watch, before = OriginsWatch(), sys.getprofile()
    note = watch.note
    with watch:
        threading.setprofile(note)
        sys.setprofile(note)
        try:
            result = function(*arguments)
            whole = sys.getprofile() is note
        finally:
            sys.setprofile(before)
            threading.setprofile(before)
    return {"result": result, "packages": sorted(watch.packages), "whole": whole}


def call_and_listen(function: Callable[..., Any], arguments: list[Any]) -> dict[str, Any]:
    """Call a function; return its result, and what a progress bar would have printed.

    Returns:
        "result"; "printed": the number of characters; "bar": whether a line was written over that
        tells how many steps are done. (One that is wiped away in the end may have told of none.)
    """
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        result = function(*arguments)
    text = heard.getvalue()
    counts = re.search(r"%\||\d+/\d+|\d+it\b", text) is not None
    return {"result": result, "printed": len(text), "bar": "\r" in text and counts}


def raises(function: Callable[..., Any], arguments: list[Any], kind: str) -> bool:
    """Say whether a call raises an exception of a class of this name, or of one made from it."""
    try:
        function(*arguments)
    except Exception as error:
        return any(one.__name__ == kind for one in type(error).__mro__)
    return False
