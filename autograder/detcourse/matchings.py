"""Wrong matchings, and whether they would show: no check is to miss them by luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from detcourse import truth
from detcourse.cases import is_plain, random_boxes, some_priors

# Which mistakes show among objects that do not get in each other's way.
OF_ONE = frozenset({"no claims", "claims alone", "claims over the threshold", "the first object"})
MATCHINGS = OF_ONE | {
    "claims without their object",
    "claims of what is free",
    "claims of who has nothing",
    "the first object over the threshold",
}

Case = tuple[Tensor, Tensor]


def that_show(boxes: Tensor, priors: Tensor, threshold: float = 0.5) -> set[str]:
    """Say which wrong ways to match would find other positives, or other objects for them.

    Args:
        boxes: (n, 4) float, `xyxy`, of one object or more.
        priors: (P, 4) float, `cxcywh`, that have a single right matching with them.
    """
    ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors.double()))
    best, nearest = ious.max(0)
    right = claimed(best >= threshold, nearest, ious, range(len(boxes)))
    return {
        name
        for name, (positive, objects) in wrong(ious, threshold)
        if not torch.equal(positive, right[0])
        or not torch.equal(objects[positive], right[1][positive])
    }


def claimed(
    positive: Tensor, objects: Tensor, ious: Tensor, claimants: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return positives and objects (P,) after some objects have claimed their best priors."""
    positive, objects, own = positive.clone(), objects.clone(), ious.argmax(1)[claimants]
    positive[own], objects[own] = True, torch.tensor(claimants, dtype=torch.int64)
    return positive, objects


def wrong(ious: Tensor, threshold: float) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Yield wrong positives and objects (P,), given the IoUs (n, P), and the mistakes' names."""
    best, nearest = ious.max(0)
    over, own, every = best >= threshold, ious.argmax(1), range(len(ious))
    right = claimed(over, nearest, ious, every)
    yield "no claims", (over, nearest)
    yield "claims alone", claimed(torch.zeros_like(over), nearest, ious, every)
    yield "claims over the threshold", (over, right[1])
    yield "the first object", claimed(over, torch.zeros_like(nearest), ious, every)
    yield "claims without their object", (right[0], nearest)
    free = [n for n in every if not over[own[n]]]
    yield "claims of what is free", claimed(over, nearest, ious, free)
    poor = [n for n in every if not bool((over & (nearest == n)).any())]
    yield "claims of who has nothing", claimed(over, nearest, ious, poor)
    first = (ious >= threshold).int().argmax(0)
    yield "the first object over the threshold", claimed(over, first, ious, every)


def telling(
    rng: torch.Generator,
    counts: Sequence[int],
    sides: tuple[float, float],
    expected: frozenset[str],
    priors: Tensor | None = None,
    threshold: float = 0.5,
) -> list[Case]:
    """Draw objects and priors, in which just the expected mistakes show.

    Args:
        counts: numbers of objects.
        sides: how long theirs are, at least and at most.
        priors: (P, 4), `cxcywh`; random ones for each number if there are none.
    """
    while True:
        made = [fitting(rng, count, sides, expected, priors, threshold) for count in counts]
        if set().union(*(that_show(*case, threshold) for case in made)) == expected:
            return made


def fitting(
    rng: torch.Generator,
    count: int,
    sides: tuple[float, float],
    expected: frozenset[str],
    priors: Tensor | None,
    threshold: float,
) -> Case:
    """Draw until there is one right matching, and no other mistake shows."""
    while True:
        case = random_boxes(rng, count, *sides), some_priors(rng) if priors is None else priors
        if is_plain(*case, threshold) and that_show(*case, threshold) <= expected:
            return case
