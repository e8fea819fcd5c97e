"""Which wrong matchings show in which scenes."""

from __future__ import annotations

import pytest
import torch

from detcourse import truth
from detcourse.cases import is_plain
from detcourse.matchings import OF_ONE, telling, that_show

NEVER_CLAIMED = {"no claims", "claims over the threshold"}


@pytest.mark.parametrize(
    ("boxes", "priors", "shown"),
    [
        # The object's own place, and nothing else.
        ([[0.5, 0.5, 0.4, 0.4]], [[0.5, 0.5, 0.4, 0.4], [0.1, 0.1, 0.1, 0.1]], set()),
        # A second prior that overlaps it by more than half.
        ([[0.5, 0.5, 0.4, 0.4]], [[0.5, 0.5, 0.4, 0.4], [0.55, 0.5, 0.4, 0.4]], {"claims alone"}),
        # Too small for both.
        (
            [[0.5, 0.5, 0.1, 0.1]],
            [[0.5, 0.5, 0.4, 0.4], [0.55, 0.5, 0.5, 0.4]],
            NEVER_CLAIMED,
        ),
        # Two apart, the second with two priors.
        (
            [[0.2, 0.2, 0.2, 0.2], [0.7, 0.7, 0.4, 0.4]],
            [[0.2, 0.2, 0.2, 0.2], [0.7, 0.7, 0.4, 0.4], [0.75, 0.7, 0.4, 0.4]],
            {"claims alone", "the first object"},
        ),
        # The middle prior overlaps both by more than half, and the second object more.
        (
            [[0.4, 0.5, 0.4, 0.4], [0.5, 0.5, 0.4, 0.4]],
            [[0.4, 0.5, 0.4, 0.4], [0.46, 0.5, 0.4, 0.4], [0.5, 0.5, 0.4, 0.4]],
            {"claims alone", "the first object", "the first object over the threshold"},
        ),
        # The small object's best prior overlaps the large one more, but not by half.
        (
            [[0.52, 0.5, 0.33, 0.3], [0.4, 0.5, 0.15, 0.15]],
            [[0.4, 0.5, 0.3, 0.3], [0.55, 0.5, 0.34, 0.3]],
            {*NEVER_CLAIMED, "claims without their object"},
        ),
        # By half, and it is positive for the large one already.
        (
            [[0.43, 0.5, 0.33, 0.3], [0.4, 0.5, 0.2, 0.2]],
            [[0.4, 0.5, 0.3, 0.3], [0.42, 0.5, 0.34, 0.3]],
            {"no claims", "claims without their object", "claims of what is free"},
        ),
    ],
)
def test_what_shows(boxes: list, priors: list, shown: set[str]) -> None:
    corners = truth.cxcywh_to_xyxy(torch.tensor(boxes))
    assert is_plain(corners, torch.tensor(priors))
    assert that_show(corners, torch.tensor(priors)) == shown


def test_who_has_a_positive_claims_as_well() -> None:
    # The first object has the third prior for itself; its best, the first, is nearer the second's.
    boxes = torch.tensor([[0.4, 0.5, 0.3, 0.3], [0.47, 0.5, 0.3, 0.3]])
    priors = torch.tensor([[0.44, 0.5, 0.3, 0.3], [0.46, 0.5, 0.3, 0.3], [0.35, 0.5, 0.3, 0.3]])
    boxes = truth.cxcywh_to_xyxy(boxes)
    assert is_plain(boxes, priors)
    assert "claims of who has nothing" in that_show(boxes, priors)


def test_nothing_but_what_is_asked_for_shows() -> None:
    for seed in range(5):
        rng = torch.Generator().manual_seed(seed)
        made = telling(rng, (1, 2, 4), (0.2, 0.6), OF_ONE)
        assert [len(boxes) for boxes, _ in made] == [1, 2, 4]
        assert all(is_plain(*case) for case in made)
        assert set().union(*(that_show(*case) for case in made)) == OF_ONE
