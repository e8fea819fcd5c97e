"""A secret turn of a whole data set: images and boxes together, and no way back but its own."""

import itertools

import pytest
import torch

from detcourse.trainings import Turn, turned

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
