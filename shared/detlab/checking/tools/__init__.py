"""Tools that run beside a student's objects and tell a check about them in plain data.

A check has them run by name: `student.tool("parameters", net)`. A course adds modules of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from detlab.checking.tools import calls, figures, networks

ALWAYS = (calls, figures, networks)


def tools_of(modules: Iterable[ModuleType]) -> dict[str, Callable[..., Any]]:
    """Return all tools by name: those that every course has, and those of some modules.

    Args:
        modules: each offers what its `__all__` lists, or without one the functions it defines.
    """
    return {
        name: tool for module in (*ALWAYS, *modules) for name, tool in offered_by(module).items()
    }


def offered_by(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """Return the tools of one module."""
    if names := getattr(module, "__all__", None):
        return {name: getattr(module, name) for name in names}
    return {
        name: tool
        for name, tool in vars(module).items()
        if inspect.isfunction(tool) and tool.__module__ == module.__name__
    }
