"""Which wrong suppressions would show: found by hand for a few boxes."""

from __future__ import annotations

import pytest
import torch

from detcourse import truth
from detcourse.suppressions import SUPPRESSIONS, that_show

APART = [[0.0, 0.0, 0.1, 0.1], [0.3, 0.3, 0.4, 0.4], [0.7, 0.0, 0.8, 0.1]]
# Each has an IoU of 3/5 with the next, and of 1/3 with the one after.
CHAIN = [[0.1, 0.1, 0.5, 0.2], [0.2, 0.1, 0.6, 0.2], [0.3, 0.1, 0.7, 0.2]]
FIRST = ["nothing is suppressed"]


def made(boxes: list[list[float]], classes: list[int], num_classes: int = 2):
    """Return outputs that find these boxes, the first ones surer."""
    logits = torch.full((len(boxes), num_classes), -20.0)
    logits[:, 0] = 0.0
    for n, label in enumerate(classes):
        logits[n, label] = 5.0 - n
    priors = truth.xyxy_to_cxcywh(torch.tensor(boxes))
    return torch.zeros(1, len(boxes), 4), logits[None], priors


@pytest.mark.parametrize(
    ("case", "threshold", "top_k", "shown"),
    [
        (made(APART, [1, 1, 1]), 0.4, 3, []),
        (made(APART, [1, 1, 1]), 0.4, 2, ["`top_k` is forgotten"]),
        (made(CHAIN, [1, 1, 1]), 0.4, 9, [*FIRST, "dropped boxes drop others"]),
        (made(CHAIN, [1, 1, 1]), 0.65, 9, ["one half is the threshold"]),
        (made(CHAIN, [1, 2, 1], 3), 0.4, 9, ["classes suppress each other"]),
        (
            made([CHAIN[0], APART[2], CHAIN[1]], [1, 1, 1]),
            0.4,
            9,
            [*FIRST, "the last kept box drops alone"],
        ),
        # Of these, only what lies in the image overlaps so much.
        (
            made([[-0.4, 0.0, 0.1, 0.1], [0.0, 0.0, 0.1, 0.1]], [1, 1]),
            0.4,
            9,
            ["boxes are cut first"],
        ),
        (
            made([CHAIN[0], CHAIN[1], CHAIN[2], APART[2]], [1, 1, 1, 1]),
            0.4,
            2,
            [
                *FIRST,
                "`top_k` is forgotten",
                "dropped boxes drop others",
                "`top_k` of all first",
                "`top_k` of each class first",
            ],
        ),
    ],
)
def test_what_shows_is_said(case, threshold: float, top_k: int, shown: list[str]) -> None:
    assert that_show(case, 0.05, threshold, top_k) == set(shown)


def test_the_best_class_alone_shows_where_priors_see_two() -> None:
    offsets, logits, priors = made(APART, [1, 1, 1], 3)
    logits[0, 0, 2] = 4.0
    shown = that_show((offsets, logits, priors), 0.05, 0.4, 9)
    assert shown == {"the best class alone", "classes suppress each other"}


def test_all_of_them_can_show() -> None:
    rng = torch.Generator().manual_seed(1)
    offsets = 0.7 * torch.randn(1, 80, 4, generator=rng)
    logits = 3 * torch.randn(1, 80, 6, generator=rng)
    centres = torch.rand(80, 4, generator=rng) * torch.tensor([1, 1, 0.3, 0.3]) + 0.1
    assert that_show((offsets, logits, centres), 0.05, 0.3, 400) >= SUPPRESSIONS
