"""Where the result of a check is shown: a panel below a notebook's cell, text everywhere else."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Protocol


class Shown(Protocol):
    """What can be shown."""

    @property
    def text(self) -> str:
        """All of it, for people."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show it in a notebook."""


def kernel_shell() -> Any:
    """Return the IPython shell of a notebook's kernel; None in a terminal and elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    # A terminal's publisher, and one that only captures, are IPython's own: they print text.
    publisher = type(getattr(shell, "display_pub", None)).__module__
    return None if shell is None or publisher.startswith("IPython.") else shell


def show(result: Shown) -> None:
    """Show a result below the cell that runs, or print it."""
    if shell := kernel_shell():
        shell.display_pub.publish(result._repr_mimebundle_())
    else:
        print(result.text)


def end_quietly(kind: type[Exception]) -> None:
    """Let the next error of a kind end its cell without a traceback: a panel has said it all.

    The cell fails all the same, and what was to run after it does not. Only where a person sits
    at the notebook, whose front end takes input: a program that runs it, such as nbgrader, gets
    the error as text.
    """
    shell = kernel_shell()
    try:
        attended = bool(shell.get_parent()["content"]["allow_stdin"])
    except (AttributeError, KeyError, TypeError):  # another kernel
        return
    # A handler of the student's own goes first.
    if attended and not shell.custom_exceptions:
        shell.set_custom_exc((kind,), say_nothing)


def say_nothing(
    shell: Any,
    kind: type[Exception],
    error: Exception,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> list[str]:
    """Handle an error, once, by showing nothing."""
    shell.set_custom_exc((), None)
    # A kernel's reply holds what was shown last, and programs may read it.
    shell._last_traceback = [str(error)]
    return []
