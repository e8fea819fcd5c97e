"""Task 3.7: which prior answers for which object."""

import math

import pytest
import torch
from torch import Tensor

from detcourse import truth
from detcourse.cases import (
    is_plain,
    randint,
    random_boxes,
    random_labels,
    some_priors,
    uniform,
)
from detcourse.draws import draws
from detcourse.matchings import OF_ONE, telling
from detlab.checking.expect import expect_list, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import expect_indices
from detlab.weeks.week3.assertions import FORBIDDEN, expect_own_work

pytestmark = [pytest.mark.task("3.7", points=12), pytest.mark.forbid(*FORBIDDEN)]

# IoUs that differ by less count as equal: either answer is right.
MARGIN = 2e-4
# With a high threshold an object's own prior alone is left, with a low one many answer for it: what
# can show there, and hardly ever fails to.
SHOWN_BY_THRESHOLD = {
    0.7: frozenset({"no claims", "claims over the threshold"}),
    0.3: frozenset({"claims alone", "the first object"}),
}


def match(
    student: Student, boxes: Tensor, labels: Tensor, priors: Tensor, threshold: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Match, and check the form of the answer."""
    given = {"boxes": boxes, "labels": labels, "priors": priors, "iou_threshold": threshold}
    parts = expect_list(student.match_priors(**given), "`match_priors`'s result", 2)
    shape = (len(priors),)
    return expect_indices(parts[0], "The classes", shape), expect_indices(
        parts[1], "The objects", shape
    )


def compare(
    student: Student, boxes: Tensor, labels: Tensor, priors: Tensor, threshold: float = 0.5
) -> None:
    """Check a matching against the statement's two rules; what is open there is free."""
    classes, objects = match(student, boxes, labels, priors, threshold)
    positive = classes != 0
    if bool((classes < 0).any()):
        fail(f"{int((classes < 0).sum())} priors have a negative class: background is class 0.")
    if len(boxes) == 0:
        if bool(positive.any()):
            fail("Without objects all priors are background.")
        return
    if bool(((objects < 0) | (objects >= len(boxes)))[positive].any()):
        fail("The object of a positive prior must be the index of one of the boxes.")
    ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors.double()))
    if bool((classes != labels[objects.clamp(0, len(boxes) - 1)])[positive].any()):
        shift = (classes - labels[objects.clamp(0, len(boxes) - 1)])[positive]
        off = " They are all one too large." if bool((shift == 1).all()) else ""
        off = " They are all one too small." if bool((shift == -1).all()) else off
        fail(f"The class of a positive prior must be the label of its object.{off}")
    reached = ious.amax(0) > threshold
    claimed = reached.clone()
    claimed[ious.argmax(1)] = True
    if any(torch.equal(positive, ~one) for one in (reached, claimed)):
        fail(
            "It is the wrong way round: positive are the priors whose IoU with every object is "
            "below the threshold."
        )
    check_claims(ious, positive, objects)
    check_others(ious, positive, objects, threshold)


def claims(ious: Tensor) -> Tensor:
    """Return which objects may claim which priors: (objects, priors) bool, equal bests all."""
    return ious >= ious.amax(1, keepdim=True) - MARGIN


def check_claims(ious: Tensor, positive: Tensor, objects: Tensor) -> None:
    """Check that each object has a prior that it may claim, or has lost it to another claimant."""
    may_claim = claims(ious)
    for n, own in enumerate(may_claim):
        mine = own & positive & (objects == n)
        # Lost to an object that claims the same prior.
        lost = own & positive & may_claim[objects.clamp(0, len(ious) - 1), torch.arange(len(own))]
        if not bool((mine | lost).any()):
            fail(
                "An object does not own the prior that overlaps it most: each must claim one, "
                "however small their IoU, and whatever other object that prior overlaps more."
            )


def check_others(ious: Tensor, positive: Tensor, objects: Tensor, threshold: float) -> None:
    """Check the priors that nobody must claim."""
    best, may_claim = ious.amax(0), claims(ious)
    for n in range(len(ious)):  # who lost its best prior to another may take its next best
        lost = positive & (objects != n)
        rest = ious[n].masked_fill(lost, -1.0)
        may_claim[n] |= ~lost & (rest >= rest.amax() - MARGIN)
    free = may_claim.any(0)
    wrong = positive & ~free & (best < threshold - MARGIN)
    if bool(wrong.any()):
        fail(
            f"{int(wrong.sum())} priors are positive whose IoU with every object is below "
            f"{threshold:g}, and which no object claims."
        )
    missed = ~positive & (best > threshold + MARGIN)
    if bool(missed.any()):
        fail(f"{int(missed.sum())} priors with an IoU above {threshold:g} are background.")
    owner, every = objects.clamp(0, len(ious) - 1), torch.arange(len(best))
    other = positive & (ious[owner, every] < best - MARGIN) & ~may_claim[owner, every]
    if bool(other.any()):
        fail(
            f"{int(other.sum())} priors answer for an object that neither claims them nor overlaps "
            "them most."
        )


@pytest.mark.weight(3)
def test_plain(student: Student, rng: torch.Generator) -> None:
    """The matching of priors with objects of ordinary size."""
    for boxes, priors in telling(rng, (1, 2, 4, 3, 6), (0.2, 0.6), OF_ONE):
        count = len(boxes)
        compare(student, boxes, random_labels(rng, count, 11), priors)
    given = {"boxes": boxes, "labels": random_labels(rng, count, 11), "priors": priors}
    expect_untouched(student, "match_priors", *given.values())
    expect_own_work(student, "match_priors", **given)


@pytest.mark.weight(2)
def test_of_the_network(student: Student, rng: torch.Generator) -> None:
    """The matching of the network's own priors with up to four digits."""
    priors = truth.make_priors([16, 8, 4], [0.25, 0.4, 0.55], [1.0, 2 / 3, 1 / 3])
    # Of objects that a prior overlaps by half; others are asked about in the checks below.
    shown = frozenset({"claims alone", "the first object", "the first object over the threshold"})
    for boxes, _ in telling(rng, (4, 1, 3), (0.12, 0.8), shown, priors):
        compare(student, boxes, random_labels(rng, len(boxes), 11), priors)


@pytest.mark.weight(3)
def test_small_objects(student: Student, rng: torch.Generator) -> None:
    """The matching of objects below the threshold with every prior."""
    for count in (1, 3):
        for _ in draws():
            boxes, priors = random_boxes(rng, count, 0.03, 0.1), some_priors(rng)
            ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors.double()))
            # No other object overlaps what one may claim as much.
            if bool((~claims(ious) | (ious == ious.amax(0))).all()):
                break
        compare(student, boxes, random_labels(rng, count, 11), priors)


@pytest.mark.weight(2)
def test_claims_come_first(student: Student, rng: torch.Generator) -> None:
    """The matching where a claimed prior overlaps another object more."""
    labels = torch.tensor([3, 8])
    # Both objects overlap the first prior, the larger one by less or by more than half. It has a
    # better prior of its own.
    for shift, better, side in ((0.12, 0.15, 0.15), (0.03, 0.02, 0.2)):
        for turn in (slice(None), [1, 0]):
            x, y = uniform(rng, 0.3, 0.6, 2).tolist()
            priors = [[x, y, 0.3, 0.3], [x + better, y, 0.34, 0.3], [0.1, 0.1, 0.1, 0.1]]
            boxes = torch.tensor([[x + shift, y, 0.33, 0.3], [x, y, side, side]])
            boxes = truth.cxcywh_to_xyxy(boxes)
            compare(student, boxes[turn], labels[turn], torch.tensor(priors))


@pytest.mark.weight(2)
def test_between_two_objects(student: Student, rng: torch.Generator) -> None:
    """The matching of priors that overlap two objects by more than the threshold."""
    for claimed in (False, True):
        boxes, priors = between_two(rng, claimed)
        for turn in (slice(None), [1, 0]):
            compare(student, boxes[turn], torch.tensor([3, 8])[turn], priors)


def between_two(rng: torch.Generator, claimed: bool) -> tuple[Tensor, Tensor]:
    """Return two boxes, and priors of which the first overlaps both, but the second box more.

    Args:
        claimed: whether the first box claims it, though it would not go without a prior.
    """
    # Where the boxes lie, then the priors, on a line through the first prior.
    steps = [0.05, -0.02, 0.0, 0.12, -0.03] if claimed else [0.08, -0.06, 0.0, 0.08, -0.06]
    for _ in draws():
        angle = float(uniform(rng, 0, 6.28, 1))
        line = torch.tensor([[math.cos(angle), math.sin(angle)]])
        middle = 0.5 + torch.tensor(steps)[:, None] * line + uniform(rng, -0.02, 0.02, 5, 2)
        centred = torch.cat([middle, uniform(rng, 0.27, 0.33, 5, 2)], 1)
        boxes, priors = truth.cxcywh_to_xyxy(centred[:2]), centred[2:]
        ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors))
        theirs = ious.argmax(1).tolist()
        others = bool(((ious[0] > ious[1] + 0.02) & (ious[0] > 0.52)).any())
        suits = (theirs[0] == 0 and others) if claimed else 0 not in theirs
        wins = 0.52 < float(ious[0, 0]) < float(ious[1, 0]) - 0.02
        if suits and wins and is_plain(boxes, priors):
            return boxes, priors


@pytest.mark.weight(1)
def test_shared_best(student: Student, rng: torch.Generator) -> None:
    """The matching of two objects that claim one prior."""
    for _ in range(3):
        boxes, priors = rivals(rng)
        compare(student, boxes, torch.tensor([2, 9]), priors)
        compare(student, boxes[:1].repeat(2, 1), torch.tensor([2, 9]), priors)


def rivals(rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return two boxes that claim one prior, and overlap another by half, the second box more.

    By more than `MARGIN`, or either answer would be right.
    """
    for _ in draws():
        priors = some_priors(rng)
        boxes = random_boxes(rng, 1, 0.3, 0.5).repeat(2, 1)
        boxes[1] += uniform(rng, -0.01, 0.01, 4)
        ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors.double()))
        (best, next_best), (own, _) = (some.unbind(1) for some in ious.topk(2, 1))
        rest = ious.masked_fill(claims(ious).any(0), 0.0)
        others = (rest[0] > 0.51) & (rest[1] > rest[0] + 0.001)
        if own[0] == own[1] and bool((best > next_best + 0.01).all()) and bool(others.any()):
            return boxes, priors


@pytest.mark.weight(1)
def test_no_object(student: Student, rng: torch.Generator) -> None:
    """The matching without objects."""
    compare(student, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), some_priors(rng))


@pytest.mark.weight(1)
def test_thresholds_and_labels(student: Student, rng: torch.Generator) -> None:
    """The matching with other thresholds and labels, and by default."""
    for threshold, shown in SHOWN_BY_THRESHOLD.items():
        labels = torch.tensor([1, 1, randint(rng, 20, 90)])
        for boxes, priors in telling(rng, [3], (0.3, 0.6), shown, threshold=threshold):
            compare(student, boxes, labels, priors, threshold)
    # The object's own place, and inside of it priors of IoU 0.52 and 0.48.
    sides = torch.tensor([[1.0], [0.52**0.5], [0.48**0.5]])
    priors = torch.cat([torch.full((3, 2), 0.5), 0.4 * sides.expand(3, 2)], 1)
    given = {"boxes": truth.cxcywh_to_xyxy(priors[:1]), "labels": labels[:1], "priors": priors}
    parts = expect_list(student.match_priors(**given), "`match_priors`'s result", 2)
    if expect_indices(parts[0], "The classes", (3,)).tolist() != [1, 1, 0]:
        fail("The default of `iou_threshold` is 0.5.")
