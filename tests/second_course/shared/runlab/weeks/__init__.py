"""The weeks of this course as students' installations know them."""

from detlab.checking.visible import VisibleChecks
from runlab.runs import Runs

check = VisibleChecks(__name__, records=(Runs,))

__all__ = ["check"]
