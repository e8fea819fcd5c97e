"""Stands in the sandbox where a module lies that does a week's tasks ready-made.

The week's setup cell may import names from it; whoever calls one is told why it is not there.
"""

from collections.abc import Callable
from typing import Any, NoReturn


def __getattr__(name: str) -> Callable[..., NoReturn]:
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise ImportError(
            f"{name} is not there while this week is graded: its tasks ask for what it does"
        )

    return refuse
