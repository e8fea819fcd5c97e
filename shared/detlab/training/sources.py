"""What functions of a notebook say: whether they have changed, and which loops they call."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

LOOPS = ("train", "train_one_epoch")  # functions of answers that return a history


def is_history(result: Any) -> bool:
    """Say whether a result is a dict for each step."""
    return isinstance(result, list) and bool(result) and isinstance(result[0], dict)


def keeping_histories(function: Any, kept: list[dict[str, float]]) -> Any:
    """Return a copy of a function that keeps the histories which the loops it calls return."""
    code = getattr(function, "__code__", None)
    names = [name for name in LOOPS if code is not None and name in code.co_names]
    if not isinstance(function, FunctionType) or not names:
        return function

    def keeping(loop: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = loop(*args, **kwargs)
            if is_history(result):
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


def code_of(*functions: Any) -> dict[str, Any]:
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
