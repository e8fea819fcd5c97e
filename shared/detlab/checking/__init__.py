"""Checks of a student's answers: `check("1.5")` in a notebook, and what graders build on."""

from detlab.checking.visible import check

__all__ = ["check"]
