"""What is said of a wrong tensor holds of its numbers, and of no others."""

import pytest
import torch
from torch import Tensor

from detlab.checking.causes import explained_by, likely_cause


def random(*shape: int, seed: int = 0) -> Tensor:
    """Return normal random numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


MAPS = random(2, 3, 4, 4)
BATCH = random(2, 3, 4, 5)
BOXES = random(7, 4).sigmoid()
MANY = random(3, 8, 11)
SWAPPED, HALVED, APART = BOXES[:, [1, 0, 3, 2]], BOXES.clone(), BOXES.clone()
HALVED[:, 2:] *= 0.5
APART[:, :2] *= 0.1
APART[:, 2:] *= 0.2
CENTRES = BOXES.clone()
CENTRES[:, :2] += random(7, 2, seed=1)


@pytest.mark.parametrize(
    ("answer", "right", "cause"),
    [
        (torch.full_like(MAPS, 0.25), MAPS, "Every element is the same number."),
        (MAPS.transpose(2, 3), MAPS, "Axes 2 and 3 are exchanged (rows and columns?)."),
        (MAPS.flip(2), MAPS, "Axis 2 is reversed: what should come first comes last."),
        (MAPS[:1].expand_as(MAPS), MAPS, "Every item along axis 0 is what the first one should"),
        (BATCH.permute(0, 2, 3, 1).reshape(BATCH.shape), BATCH, "where a `permute` is needed"),
        (MAPS.view(3, 4, 2, 4).permute(2, 0, 1, 3).reshape(MAPS.shape), MAPS, "a `reshape` or"),
        (SWAPPED, BOXES, "exchanged along the last axis: instead of 0, 1, 2 and 3 stand 1, 0, 3"),
        (SWAPPED[0], BOXES[0], "exchanged along the last axis"),
        (BOXES[[2, 0, 1, 5, 3, 4, 6]], BOXES, "items along axis 0 are right, but come in another"),
        (MANY.sort(-1).values, MANY, "The numbers along the last axis are right but sorted"),
        (MANY.flatten()[random(264).argsort()].view_as(MANY), MANY, "but stand in other places"),
        (3 * MAPS, MAPS, "Every element is 3 times what it should be."),
        (1e-9 * MAPS, 2e-9 * MAPS, "Every element is 0.5 times what it should be."),
        (-MAPS, MAPS, "The sign is the wrong way round."),
        (MAPS + 1, MAPS, "Every element is too large by 1."),
        (MAPS - 0.3, MAPS, "Every element is too small by the same number."),
        (MAPS + random(3, 1, 1), MAPS, "Each channel (axis 1) is off by a number of its own"),
        (MAPS.relu(), MAPS, "Where a negative number is right there is 0"),
        (MAPS, MAPS.relu(), "Where 0 is right there are negative numbers"),
        (MANY.clamp(0, 1), MANY, "Every number is cut to the range from 0 to 1."),
        (MAPS.exp(), MAPS, "Every number is the exponential of the right one."),
        (MAPS, MAPS.exp(), "Every number is the logarithm of the right one."),
        (1 / BOXES, BOXES, "Every number is 1 divided by the right one."),
        (10 * MAPS.round() / 10, MAPS, "Every number is rounded."),
        (MANY.softmax(-1), MANY, "The numbers went through a softmax (axis 2)."),
        (MAPS, MAPS.softmax(1), "The softmax (axis 1) of the numbers is right: it is missing."),
        (
            HALVED,
            BOXES,
            "Along the last axis only places 2 and 3 are wrong. Every element is 0.5 times",
        ),
        (APART, BOXES, "In place 0: Every element is 0.1 times what it should be. In place 1"),
        (CENTRES, BOXES, "Along the last axis only places 0 and 1 are wrong."),
        (torch.cat([MANY[:2], MANY[:1]]), MANY, "2 of the 3 items along axis 0 are right in full."),
        (MANY + MANY.sin().square() + 0.1, MANY, "What is wrong is too large, everywhere."),
    ],
)
def test_a_relation_is_told(answer: Tensor, right: Tensor, cause: str) -> None:
    assert cause in likely_cause(answer, right)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (random(2, 3, 4, 4, seed=1), MAPS),  # nothing to do with each other
        (torch.tensor([4.0]), torch.tensor([2.0])),  # one number: twice, two more, the square, …
        (torch.full((6,), 3.0), torch.full((6,), 2.0)),  # the factor would tell what is right
        (torch.tensor([2.0, 1, 2, 1]), torch.tensor([1.0, 2, 1, 2])),  # labels: no wrong places
    ],
)
def test_nothing_is_invented(answer: Tensor, right: Tensor) -> None:
    cause = likely_cause(answer.double(), right.double())
    assert not cause or cause.startswith("What is wrong is too")


def test_the_first_of_a_batch_is_no_cause() -> None:
    """Where only some images show a mistake, their place in the batch explains nothing."""
    answer = MANY.clone()
    answer[1:] += random(2, 8, 11, seed=3)
    assert not likely_cause(answer, MANY)
    assert "first" not in likely_cause(torch.cat([MANY[:1], random(1, 8, 11)]), MANY[:2])


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_shorter_float_is_told_and_no_factor_of_one(kind: torch.dtype) -> None:
    answer = random(24, 4, seed=6)
    assert str(kind).removeprefix("torch.") in likely_cause(answer.to(kind).double(), answer)
    assert "1 times" not in likely_cause(answer * 1.00015, answer)


def test_sorted_corners_are_no_reshape() -> None:
    answer = random(9, 4, seed=5)
    assert "sorted" in likely_cause(answer.sort(1).values, answer)
    assert "reshape" not in likely_cause(answer.sort(1).values, answer)


def test_no_cause_takes_long() -> None:
    large = random(40, 8732, 4)
    assert likely_cause(2 * large, large)
    assert not likely_cause(random(40, 8732, 4, seed=1), large)


def test_a_check_may_know_wrong_ways_that_explain_an_answer() -> None:
    ways = {"squared": BOXES.square(), "halved": lambda: BOXES / 2, "cut": lambda: BOXES[:3]}
    assert explained_by(BOXES / 2, ways) == "halved"
    assert explained_by((BOXES**2).float(), ways) == "squared"
    assert explained_by(BOXES / 3, ways) == ""
    assert explained_by(torch.tensor(4.0), {"two more": torch.tensor(4.5)}) == ""
