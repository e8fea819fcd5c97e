"""Images that are turned or moved, and the boxes in them."""

import itertools

import pytest
import torch

from detcourse.trainings import Turn, expect_following, share_followed, turned
from detlab.checking.expect import CheckFailure

EVERY = [Turn(*flags) for flags in itertools.product([False, True], repeat=3)]


@pytest.mark.parametrize("turn", EVERY)
def test_boxes_stay_around_what_they_held(turn: Turn) -> None:
    images, boxes = torch.zeros(3, 1, 20, 20), []
    for image, (x, y, right, bottom) in zip(
        images, ((2, 3, 9, 5), (0, 0, 4, 20), (15, 11, 20, 13)), strict=True
    ):
        image[:, y:bottom, x:right] = 1
        boxes.append([x, y, right, bottom])
    new_images, new_boxes = turned(images, torch.tensor(boxes) / 20, turn)
    for image, box in zip(new_images, new_boxes, strict=True):
        x, y, right, bottom = (20 * box).round().int().tolist()
        assert float(image[:, y:bottom, x:right].min()) == 1
        assert float(image.sum()) == (right - x) * (bottom - y)


def test_all_eight_turns_differ() -> None:
    image = torch.rand(1, 1, 8, 8)
    seen = {turned(image, torch.zeros(0, 4), one)[0].numpy().tobytes() for one in EVERY}
    assert len(seen) == 8


# Boxes that move along with their images


def blobs(count: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return images with one bright square each, and its box in fractions."""
    images, boxes = torch.zeros(count, 1, 32, 32), []
    for n in range(count):
        left, top = 3 + 6 * n, 20 - 4 * n
        images[n, :, top : top + 6, left : left + 8] = 1
        boxes.append(torch.tensor([[left, top, left + 8, top + 6]]) / 32)
    return images, boxes


PRIORS = torch.tensor([[0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]])


def offsets_to_the_light(images: torch.Tensor) -> torch.Tensor:
    """Point every prior to the middle of what is bright."""
    places = (torch.arange(32) + 0.5) / 32
    weights = images[:, 0] / images.sum((1, 2, 3))[:, None, None]
    middle = torch.stack([(weights.sum(1) * places).sum(1), (weights.sum(2) * places).sum(1)], 1)
    shift = (middle[:, None] - PRIORS[None, :, :2]) / (0.1 * PRIORS[:, 2:])
    return torch.cat([shift, torch.zeros_like(shift)], -1)


def test_boxes_that_follow_their_images_do_so_in_full() -> None:
    rng = torch.Generator().manual_seed(1)
    share = share_followed(offsets_to_the_light, *blobs(4), PRIORS, 2, rng)
    assert share == pytest.approx(1, abs=1e-4)
    expect_following(share)


def test_a_table_of_answers_stays_where_it_was() -> None:
    rng = torch.Generator().manual_seed(1)
    images, boxes = blobs(4)
    known = offsets_to_the_light(images)

    def nearest(some: torch.Tensor) -> torch.Tensor:
        return known[torch.cdist(some.flatten(1), images.flatten(1)).argmin(1)]

    share = share_followed(nearest, images, boxes, PRIORS, 1, rng)
    with pytest.raises(CheckFailure, match="boxes stay where they were"):
        expect_following(share)
