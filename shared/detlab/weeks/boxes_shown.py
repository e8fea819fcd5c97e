"""Which numbers of a visible check are boxes, and in which form: for the pictures of its panel."""

import re

from torch import Tensor

from detlab.weeks.wrong_priors import corners_of

BOXES = re.compile(r"box(?!_iou)|corners", re.IGNORECASE)
CENTRED = re.compile(r"priors?\b|centres and sizes", re.IGNORECASE)
# Whose boxes are centres and sizes, by their statements: a task, or a function's arguments.
CENTRED_IN = ("3.6", "cxcywh_to_xyxy")


def corners(task: str, function: str, name: str, values: Tensor) -> Tensor | None:
    """Return boxes as corners.

    Args:
        task: label.
        function: that was called, "" where that is not known.
        name: of an argument, or what an answer is, for people: "The boxes".
        values: (N, 4) float.

    Returns:
        (N, 4) float, x_min, y_min, x_max, y_max in the unit of the values; None where they are
        no boxes.
    """
    is_answer = " " in name
    if CENTRED.search(name):
        return corners_of(values)
    if not BOXES.search(name):
        return None
    centred = task in CENTRED_IN or (function in CENTRED_IN and not is_answer)
    return corners_of(values) if centred else values
