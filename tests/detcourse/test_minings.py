"""Which wrong ways to mine would show: found by hand for a few priors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from detcourse import truth
from detcourse.loss_cases import TOLERANCE, case, minings_that_show
from detcourse.minings import (
    BY_CHANCE,
    BY_OBJECT,
    MININGS,
    OF_AN_IMAGE,
    POSITIVES_AMONG,
    POSITIVES_TWICE,
    WHOLE_BATCH,
    is_settled,
    that_show,
)


def outputs(*images: list[tuple[float, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits and classes of priors, by what each costs and its class, 0 or 1."""
    costs = torch.tensor([[cost for cost, _ in image] for image in images]).double()
    classes = torch.tensor([[label for _, label in image] for image in images])
    wrong = costs.expm1().log()  # the other class's logit, if this class's is 0
    logits = torch.stack([classes * wrong, (1 - classes) * wrong], -1)
    return logits, classes


# So many that a random choice is hardly ever right.
EASY = [(0.1, 0)] * 200


@pytest.mark.parametrize(
    ("images", "shown"),
    [
        # Of these three negatives are mined; the positive costs less than they.
        ([[(0.2, 1), (2.0, 0), (1.9, 0), (1.8, 0), *EASY]], {BY_CHANCE}),
        # Here it would take the place of the third.
        (
            [[(1.95, 1), (2.0, 0), (1.9, 0), (1.8, 0), *EASY]],
            {POSITIVES_AMONG, POSITIVES_TWICE, BY_CHANCE},
        ),
        # Here too, but it costs no more: added again, it makes up for the third.
        (
            [[(1.8001, 1), (2.0, 0), (1.9, 0), (1.8, 0), *EASY]],
            {POSITIVES_AMONG, BY_CHANCE},
        ),
        # The first image's fourth negative costs more than the second's third.
        (
            [
                [(0.2, 1), (2.0, 0), (1.9, 0), (1.8, 0), (1.7, 0), *EASY],
                [(0.2, 1), (2.0, 0), (1.9, 0), (0.5, 0), (0.3, 0), *EASY],
            ],
            {WHOLE_BATCH, BY_CHANCE},
        ),
        # What is not mined then costs as much as a tolerance.
        ([[(0.01, 1), (2.0, 0), (1.9, 0), (0.001, 0), *[(1e-4, 0)] * 200]], None),
        # One random choice in four is right.
        ([[(0.2, 1), (2.0, 0), (1.9, 0), (1.8, 0), (0.1, 0)]], None),
        # All negatives are mined, whoever ranks with them; the positive is added again.
        ([[(1.95, 1), (2.0, 0), (1.9, 0)]], {POSITIVES_TWICE}),
    ],
)
def test_what_shows(images: list, shown: set[str] | None) -> None:
    logits, classes = outputs(*images)
    found = that_show(logits, classes, TOLERANCE)
    assert found == (None if shown is None else frozenset(shown))


def test_a_large_logit_of_an_object_is_not_a_large_cost() -> None:
    logits, classes = outputs([(0.2, 1), (2.0, 0), (1.9, 0), (1.8, 0), *EASY])
    logits[0, -1] = 9
    assert that_show(logits, classes, TOLERANCE) == {BY_OBJECT, BY_CHANCE}


def test_a_negative_at_the_limit_is_not_settled() -> None:
    near = [(0.2, 1), (2.0, 0), (1.9, 0), (1.8, 0), (1.79999, 0)]
    assert not is_settled(*outputs(near))
    assert is_settled(*outputs([*near[:4], (1.7, 0)]))
    assert is_settled(*outputs(near[:4]))


@pytest.mark.parametrize("sure_of_the_wrong", [False, True])
@pytest.mark.parametrize(
    ("counts", "shown"),
    [([2, 1], MININGS), ([4], OF_AN_IMAGE), ([0, 2], MININGS), ([0], set()), ([0, 0], set())],
)
def test_cases_show_what_they_can(
    counts: list[int], shown: set[str], sure_of_the_wrong: bool
) -> None:
    for seed in range(20):
        rng = torch.Generator().manual_seed(seed)
        made: Any = case(rng, counts, 5, sure_of_the_wrong=sure_of_the_wrong)
        assert minings_that_show(made) == shown
        images = zip(made["boxes"], made["labels"], made["logits"], strict=True)
        classes = []
        for boxes, labels, logits in images:
            classes.append(truth.match_priors(boxes, labels, made["priors"])[0])
            sure = logits[classes[-1] > 0].argmax(-1) == 0
            assert bool(sure.all() if sure_of_the_wrong else not len(boxes) or sure.any())
            ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(made["priors"]))
            for n, claimed in enumerate(ious.argmax(1)):
                assert int(ious[:, claimed].argmax()) == n
        assert is_settled(made["logits"].double(), torch.stack(classes))
