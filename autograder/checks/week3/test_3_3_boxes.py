"""Task 3.3: the two forms of boxes, and their IoU."""

import pytest
import torch
from torch import Tensor

from detcourse import truth, wrong_ways
from detcourse.cases import random_boxes, uniform
from detlab.checking.causes import explained_by
from detlab.checking.expect import expect_close
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import expect_floats
from detlab.weeks.week3.assertions import FORBIDDEN, expect_own_work

pytestmark = [pytest.mark.task("3.3", points=8), pytest.mark.forbid(*FORBIDDEN)]

# For rounding; what a small number changes that is added to the union is allowed besides.
TOLERANCE = 1e-4


def compare(student: Student, boxes_a: Tensor, boxes_b: Tensor, what: str) -> None:
    """Compare a matrix of IoUs."""
    answer = student.box_iou(boxes_a=boxes_a, boxes_b=boxes_b)
    what = f"The IoU of {what}"
    answer = expect_floats(answer, what, (len(boxes_a), len(boxes_b)))
    least, most = truth.box_iou(boxes_a, boxes_b, truth.SMOOTHING), truth.box_iou(boxes_a, boxes_b)
    right = answer.double().clamp(least, most) if len(boxes_a) and len(boxes_b) else most

    def cause(found: Tensor) -> str:
        return explained_by(found, wrong_ways.ious(boxes_a, boxes_b))

    expect_close(answer, right, what, TOLERANCE, cause)


@pytest.mark.weight(2)
def test_forms(student: Student, rng: torch.Generator) -> None:
    """Corners as centre and size, and the other way round."""
    for count in (7, 1, 0):
        corners = random_boxes(rng, count)
        centred = truth.xyxy_to_cxcywh(corners)
        answer = student.xyxy_to_cxcywh(boxes=corners)
        expect_close(answer, centred, "`xyxy_to_cxcywh`'s result", 1e-5)
        answer = student.cxcywh_to_xyxy(boxes=centred)
        expect_close(answer, corners, "`cxcywh_to_xyxy`'s result", 1e-5)
    boxes = 2 * random_boxes(rng, 3) - 0.5  # some of it outside of the image
    centred = truth.xyxy_to_cxcywh(boxes)
    expect_close(student.cxcywh_to_xyxy(boxes=centred), boxes, "`cxcywh_to_xyxy`'s result", 1e-5)
    boxes = 100 * random_boxes(rng, 3) - 20
    answer = student.xyxy_to_cxcywh(boxes=boxes)
    what = "`xyxy_to_cxcywh`'s result in pixels"
    expect_close(answer, truth.xyxy_to_cxcywh(boxes), what, 1e-5)
    for name in ("xyxy_to_cxcywh", "cxcywh_to_xyxy"):
        expect_untouched(student, name, boxes)


@pytest.mark.weight(3)
def test_overlapping(student: Student, rng: torch.Generator) -> None:
    """The IoU of boxes that overlap in part, hold one another, or are equal."""
    # Sides of more than half: all hold the image's middle, and so all overlap.
    boxes = random_boxes(rng, 30, 0.62, 0.9)
    compare(student, boxes[:18], boxes[18:], "boxes that overlap")
    middle = (boxes[:, :2] + boxes[:, 2:]).repeat(1, 2) / 2
    inner = middle + (boxes - middle) * uniform(rng, 0.65, 0.9, 30, 1)
    compare(student, boxes, inner, "boxes and others inside of them")
    compare(student, boxes, boxes, "boxes with themselves")
    compare(student, 300 * boxes[:5], 300 * boxes[4:20], "boxes in pixels")
    compare(student, boxes[:5] - 3, boxes[4:20] - 3, "boxes left of and above 0")
    expect_untouched(student, "box_iou", boxes, inner)
    expect_own_work(student, "box_iou", boxes_a=boxes, boxes_b=inner)


@pytest.mark.weight(2)
def test_apart(student: Student, rng: torch.Generator) -> None:
    """The IoU of boxes that lie apart or only touch, and of small ones."""
    box = torch.tensor([[0.4, 0.4, 0.6, 0.6]])
    steps = torch.tensor([-1.0, 0.0, 1.0])
    around = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).view(9, 2).repeat(1, 2)
    touching = box + 0.2 * around
    apart = box + 0.3 * around
    for others, what in ((touching, "boxes that touch"), (apart, "boxes that lie apart")):
        compare(student, box, others, what)
        compare(student, others, box, what)
    compare(
        student, random_boxes(rng, 20, 0.1, 0.2), random_boxes(rng, 20, 0.1, 0.2), "small boxes"
    )
    # Unions of a few thousandths: a least union of a hundredth shows.
    small = random_boxes(rng, 20, 0.03, 0.05)
    compare(student, small, small + 0.01, "very small boxes that overlap")


@pytest.mark.weight(2)
def test_without_area(student: Student, rng: torch.Generator) -> None:
    """The IoU of boxes without area, with any box and with themselves."""
    boxes = random_boxes(rng, 4)
    lines = boxes.clone()
    lines[:2, 2] = lines[:2, 0]
    lines[2:, 3] = lines[2:, 1]
    points = boxes[:, :2].repeat(1, 2)
    for flat, what in ((lines, "lines"), (points, "points"), (torch.zeros(2, 4), "zeros")):
        compare(student, flat, boxes, f"{what} and boxes")
        compare(student, boxes, flat, f"boxes and {what}")
        compare(student, flat, flat, what)


@pytest.mark.weight(1)
def test_none(student: Student, rng: torch.Generator) -> None:
    """The IoU without boxes on one side, or on both."""
    boxes, none = random_boxes(rng, 3), torch.zeros(0, 4)
    for a, b in ((boxes, none), (none, boxes), (none, none)):
        compare(student, a, b, f"{len(a)} and {len(b)} boxes")
