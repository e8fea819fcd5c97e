"""Task 5.4: boxes that stay with their anchors."""

import pytest
import torch
from torch import Tensor

from detcourse.cases import uniform
from detcourse.week5 import truth
from detlab.checking.expect import expect_close, expect_list, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import expect_floats
from detlab.weeks.week5.assertions import FORBIDDEN, expect_own_work, expect_single

pytestmark = [pytest.mark.task("5.4", points=6), pytest.mark.forbid(*FORBIDDEN)]

WHAT = "`boxes_from`'s result"


def some_anchors(rng: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Return anchors, some of which stick out, and sides of cells that have nothing to do with
    them."""
    anchors = torch.cat([uniform(rng, 0, 1, count, 2), uniform(rng, 0.05, 0.9, count, 2)], 1)
    return anchors, uniform(rng, 0.1, 1, count)


def compare(student: Student, activations: Tensor, anchors: Tensor, cells: Tensor) -> None:
    """Compare boxes."""
    given = {"activations": activations, "anchors": anchors, "cells": cells}
    answer = expect_floats(student.boxes_from(**given), WHAT, activations.shape)
    right = truth.boxes_from(activations.double(), anchors.double(), cells.double())
    expect_close(answer, right, WHAT, 1e-5)


@pytest.mark.weight(2)
def test_one_image(student: Student, rng: torch.Generator) -> None:
    """The boxes of one image have the values of the formulas, `xyxy`."""
    for count in (40, 1, 3):
        compare(student, torch.randn(count, 4, generator=rng), *some_anchors(rng, count))


@pytest.mark.weight(2)
def test_batches(student: Student, rng: torch.Generator) -> None:
    """The boxes of a batch are right, image by image; so are those of equal many anchors."""
    for images, count in ((3, 20), (4, 4), (2, 2), (1, 7)):
        compare(student, torch.randn(images, count, 4, generator=rng), *some_anchors(rng, count))
    activations, (anchors, cells) = torch.randn(2, 5, 4, generator=rng), some_anchors(rng, 5)
    answer = student.boxes_from(activations=activations, anchors=anchors, cells=cells)
    expect_single(answer, WHAT, (2, 5, 4))
    expect_untouched(student, "boxes_from", activations, anchors, cells)
    given = {"activations": activations, "anchors": anchors, "cells": cells}
    expect_own_work(student, "boxes_from", **given)


@pytest.mark.weight(1)
def test_bounds(student: Student, rng: torch.Generator) -> None:
    """However large activations are, boxes stay with their anchors, and are not clipped."""
    for size in (20.0, 1000.0):
        activations = size * torch.randn(2, 12, 4, generator=rng).sign()
        compare(student, activations, *some_anchors(rng, 12))


@pytest.mark.weight(1)
def test_gradients(student: Student, rng: torch.Generator) -> None:
    """Gradients are those of the formulas."""
    activations, (anchors, cells) = torch.randn(2, 6, 4, generator=rng), some_anchors(rng, 6)
    weights = torch.randn(2, 6, 4, generator=rng)
    function = student.make("function", "weighted", student.fetch("boxes_from"), weights)
    answer = student.tool("gradients", function, [activations, anchors, cells], 1)
    leaf = activations.double().requires_grad_()
    (truth.boxes_from(leaf, anchors.double(), cells.double()) * weights).sum().backward()
    found = expect_list(answer, "The gradients", 1)[0]
    if found is None:
        fail("The boxes are cut off from the activations, so nothing can be learned.")
    expect_close(found, leaf.grad, "The gradient by the activations", 1e-4)
