"""The weeks of this course as students' installations know them.

`weekN` holds a week's visible checks, the assertions that visible and hidden checks share, and
the tools that checks have run beside the student's objects.
"""

from detlab.checking.visible import VisibleChecks
from detlab.grid import WindowGrid
from detlab.weeks.boxes_shown import corners

check = VisibleChecks(__name__, records=(WindowGrid,), corners=corners)
hint = check.hint

__all__ = ["check", "hint"]
