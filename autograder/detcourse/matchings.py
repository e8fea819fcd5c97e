"""Wrong matchings, and whether they would show: no check is to miss them by luck."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detcourse import truth
from detcourse.cases import is_plain, random_boxes, some_priors
from detcourse.draws import draws

# Which mistakes show among objects that do not get in each other's way.
OF_ONE = frozenset({"no claims", "claims alone", "claims over the threshold", "the first object"})

Case = tuple[Tensor, Tensor]
# Which priors (P,) are positive, and whose: their objects (P,).
Matching = tuple[Tensor, Tensor]


def that_show(boxes: Tensor, priors: Tensor, threshold: float = 0.5) -> set[str]:
    """Say which wrong ways to match would find other positives, or other objects for them.

    Args:
        boxes: (n, 4) float, `xyxy`, of one object or more.
        priors: (P, 4) float, `cxcywh`, that have a single right matching with them.
    """
    ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors.double()))
    (positive, objects), others = right_and_wrong(ious, threshold)
    return {
        name
        for name, (other, of_others) in others.items()
        if not torch.equal(other, positive) or not torch.equal(of_others[other], objects[positive])
    }


def claimed(positive: Tensor, objects: Tensor, ious: Tensor, claimants: Sequence[int]) -> Matching:
    """Return positives and objects (P,) after some objects have claimed their best priors."""
    positive, objects, own = positive.clone(), objects.clone(), ious.argmax(1)[claimants]
    positive[own], objects[own] = True, torch.tensor(claimants, dtype=torch.int64)
    return positive, objects


def right_and_wrong(ious: Tensor, threshold: float) -> tuple[Matching, dict[str, Matching]]:
    """Return the right matching and wrong ones, by the mistakes' names, given the IoUs (n, P)."""
    best, nearest = ious.max(0)
    over, own, every = best >= threshold, ious.argmax(1), range(len(ious))
    right = claimed(over, nearest, ious, every)
    free = [n for n in every if not over[own[n]]]
    poor = [n for n in every if not bool((over & (nearest == n)).any())]
    first = (ious >= threshold).int().argmax(0)
    return right, {
        "no claims": (over, nearest),
        "claims alone": claimed(torch.zeros_like(over), nearest, ious, every),
        "claims over the threshold": (over, right[1]),
        "the first object": claimed(over, torch.zeros_like(nearest), ious, every),
        "claims without their object": (right[0], nearest),
        "claims of what is free": claimed(over, nearest, ious, free),
        "claims of who has nothing": claimed(over, nearest, ious, poor),
        "the first object over the threshold": claimed(over, first, ious, every),
    }


def telling(
    rng: torch.Generator,
    counts: Sequence[int],
    sides: tuple[float, float],
    expected: frozenset[str],
    priors: Tensor | None = None,
    threshold: float = 0.5,
) -> list[Case]:
    """Draw objects and priors, in which just the expected mistakes show.

    What shows in some cases of a check and not in others would cost the same mistake more points
    with one secret than with another.

    Args:
        counts: numbers of objects.
        sides: how long theirs are, at least and at most.
        priors: (P, 4), `cxcywh`; random ones for each number if there are none.
    """
    for _ in draws():
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
    for _ in draws():
        case = random_boxes(rng, count, *sides), some_priors(rng) if priors is None else priors
        if is_plain(*case, threshold) and that_show(*case, threshold) <= expected:
            return case
