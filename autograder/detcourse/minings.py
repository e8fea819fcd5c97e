"""Wrong ways to mine hard negatives, and whether they show: no check is to miss them by luck."""

import torch
from torch import Tensor

POSITIVES_AMONG = "positives rank among the hard"
WHOLE_BATCH = "the batch is ranked as one"
MININGS = frozenset({POSITIVES_AMONG, WHOLE_BATCH})
# Of a term's tolerance, see `detcourse.loss_cases`: what is less than a third off passes by any
# right rounding, what is three times off fails by any.
CLEARLY = 3.0
# Between the last prior that is mined and the next: float32 is off by a hundredth of it.
LEAST_LEAD = 1e-4


def that_show(logits: Tensor, classes: Tensor, tolerance: float) -> frozenset[str] | None:
    """Say which wrong ways to mine would give another confidence term.

    Args:
        logits: (N, P, C) float64, class 0 the background.
        classes: of the priors, (N, P) int64, 0 for background.
        tolerance: how far off a term may be, as a share of 1 and the term together.

    Returns:
        Some of `POSITIVES_AMONG` and `WHOLE_BATCH`; None if one of them lies so near the right
        term that it would be luck.
    """
    positive, entropy, costs, most = parts_of(logits, classes)
    chosen = {
        "": hardest_of_each(costs, most),
        POSITIVES_AMONG: hardest_of_each(entropy, most),
        WHOLE_BATCH: hardest(costs.flatten(), sum(most)).view_as(positive),
    }
    count = max(int(positive.sum()), 1)
    terms = {words: float(entropy[positive | one].sum()) / count for words, one in chosen.items()}
    right = terms.pop("")
    off = {words: abs(t - right) / (tolerance * (1 + right)) for words, t in terms.items()}
    if any(1 / CLEARLY < one < CLEARLY for one in off.values()):
        return None
    return frozenset(words for words, one in off.items() if one > CLEARLY)


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

    Positives are -1 among the costs of the background.
    """
    positive = classes > 0
    entropy = -logits.log_softmax(-1).gather(-1, classes[..., None])[..., 0]
    return positive, entropy, entropy.masked_fill(positive, -1.0), (3 * positive.sum(1)).tolist()


def hardest_of_each(costs: Tensor, most: list[int]) -> Tensor:
    """Mark the largest numbers in each row of (N, P), so many at most: bool (N, P)."""
    return torch.stack([hardest(row, count) for row, count in zip(costs, most, strict=True)])


def hardest(costs: Tensor, count: int) -> Tensor:
    """Mark the largest numbers of (P,), so many at most, and none below 0: bool (P,)."""
    marked = torch.zeros(len(costs), dtype=torch.bool)
    marked[costs.argsort(descending=True)[:count]] = True
    return marked & (costs >= 0)
