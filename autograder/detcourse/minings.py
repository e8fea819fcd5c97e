"""Wrong ways to mine hard negatives, and whether they show: no check is to miss them by luck."""

import math

import torch
from torch import Tensor

POSITIVES_AMONG = "positives rank among the hard"
POSITIVES_TWICE = "positives rank among the hard, and are added again"
BY_OBJECT = "the largest logit of an object ranks"
BY_CHANCE = "chance chooses"
WHOLE_BATCH = "the batch is ranked as one"
OF_AN_IMAGE = frozenset({POSITIVES_AMONG, POSITIVES_TWICE, BY_OBJECT, BY_CHANCE})
MININGS = OF_AN_IMAGE | {WHOLE_BATCH}
# Of a term's tolerance, see `detcourse.loss_cases`: what is less than a third off passes by any
# right rounding, what is three times off fails by any.
CLEARLY = 3.0
# Between the last prior that is mined and the next: float32 is off by a hundredth of it.
LEAST_LEAD = 1e-4
# So many ways to choose negatives that chance is hardly ever right.
MANY_CHOICES = 10**6


def that_show(logits: Tensor, classes: Tensor, tolerance: float) -> frozenset[str] | None:
    """Say which wrong ways to mine would give another confidence term.

    Args:
        logits: (N, P, C) float64, class 0 the background.
        classes: of the priors, (N, P) int64, 0 for background.
        tolerance: how far off a term may be, as a share of 1 and the term together.

    Returns:
        Some of `MININGS`; None if one of them lies so near the right term that it would be luck.
    """
    positive, entropy, costs, most = parts_of(logits, classes)
    of_objects = logits[..., 1:].amax(-1).masked_fill(positive, -math.inf)
    right = positive | hardest_of_each(costs, most)
    among = hardest_of_each(entropy, most)
    terms = {
        POSITIVES_AMONG: entropy[positive | among].sum(),
        POSITIVES_TWICE: entropy[positive].sum() + entropy[among].sum(),
        BY_OBJECT: entropy[positive | hardest_of_each(of_objects, most)].sum(),
        WHOLE_BATCH: entropy[
            positive | hardest(costs.flatten(), sum(most)).view_as(positive)
        ].sum(),
    }
    count, term = max(int(positive.sum()), 1), float(entropy[right].sum())
    one_off = tolerance * (count + term)
    off = {words: abs(float(other) - term) / one_off for words, other in terms.items()}
    choices = math.prod(
        math.comb(int(image.sum()), min(some, int(image.sum())))
        for image, some in zip(~positive, most, strict=True)
    )
    if any(1 / CLEARLY < one < CLEARLY for one in off.values()) or 1 < choices < MANY_CHOICES:
        return None
    by_chance = {BY_CHANCE} if choices > 1 else set()
    return frozenset(words for words, one in off.items() if one > CLEARLY) | by_chance


def is_settled(logits: Tensor, classes: Tensor) -> bool:
    """Say whether rounding cannot exchange a prior that is mined for another: gradients are equal.

    Args:
        logits, classes: see `that_show`.
    """
    _, _, costs, most = parts_of(logits, classes)
    for image, count in zip(costs, most, strict=True):
        ranked = image.sort(descending=True).values
        if 0 < count < len(ranked) and float(ranked[count - 1] - ranked[count]) < LEAST_LEAD:
            return False
    return True


def parts_of(logits: Tensor, classes: Tensor) -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """Return what is positive, all costs, those of the background, how many to mine in each image.

    Positives are -inf among the costs of the background.
    """
    positive = classes > 0
    entropy = -logits.log_softmax(-1).gather(-1, classes[..., None])[..., 0]
    return (
        positive,
        entropy,
        entropy.masked_fill(positive, -math.inf),
        (3 * positive.sum(1)).tolist(),
    )


def hardest_of_each(costs: Tensor, most: list[int]) -> Tensor:
    """Mark the largest numbers in each row of (N, P), so many at most: bool (N, P)."""
    return torch.stack([hardest(row, count) for row, count in zip(costs, most, strict=True)])


def hardest(costs: Tensor, count: int) -> Tensor:
    """Mark the largest numbers of (P,), so many at most, and no -inf: bool (P,)."""
    marked = torch.zeros(len(costs), dtype=torch.bool)
    marked[costs.argsort(descending=True)[:count]] = True
    return marked & (costs > -math.inf)
