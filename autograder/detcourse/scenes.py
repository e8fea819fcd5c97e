"""Scenes of several digits in a small image: the staff's own generator.

The students' sets (`detlab.scenes`) were made with it, hidden scenes are made with it while
grading. It is not in `detlab`, since writing it is what task 3.1 asks for.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 32  # of a scene, pixels
REGIONS = ((8, 8), (8, 24), (24, 8), (24, 24))  # centres (y, x), pixels, row by row
FILLED = 0.8
MIN_PATCH, MAX_PATCH = 15, 27  # sides that a 28×28 patch is resized to, pixels
SHIFT = 3  # farthest from a region's centre, pixels, in either direction

Scene = tuple[Tensor, Tensor, Tensor]


def make_scene(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Scene:
    """Make one scene: each region is filled with probability 0.8.

    Args:
        digits: (N, 1, 28, 28) float32 in [0, 1].
        labels: (N,) int64, 0 to 9.
        rng: the only source of chance.

    Returns:
        (1, 32, 32) uint8 image; (n, 4) float32 boxes, `xyxy` in fractions; (n,) int64 classes,
        the digit plus 1.
    """
    image = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    boxes, classes = [], []
    filled = torch.rand(4, generator=rng) < FILLED
    which = torch.randint(len(digits), (4,), generator=rng).tolist()
    sides = torch.randint(MIN_PATCH, MAX_PATCH + 1, (4,), generator=rng).tolist()
    shifts = torch.randint(-SHIFT, SHIFT + 1, (4, 2), generator=rng).tolist()
    for region in filled.nonzero().flatten().tolist():
        ink = crop(resize(digits[which[region]], sides[region]))
        corner = [
            min(max(round(centre - size / 2) + shift, 0), SIDE - size)
            for centre, size, shift in zip(REGIONS[region], ink.shape, shifts[region], strict=True)
        ]
        (top, left), (height, width) = corner, ink.shape
        place = image[top : top + height, left : left + width]
        place.copy_(torch.maximum(place, ink))
        boxes.append([left, top, left + width, top + height])
        classes.append(int(labels[which[region]]) + 1)
    return (
        image[None],
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4) / SIDE,
        torch.tensor(classes, dtype=torch.int64),
    )


def resize(digit: Tensor, side: int) -> Tensor:
    """Resize a (1, 28, 28) float32 patch to (side, side) uint8."""
    patch = F.interpolate(digit[None], (side, side), mode="bilinear", antialias=True)
    return (255 * patch[0, 0]).round().to(torch.uint8)


def crop(patch: Tensor) -> Tensor:
    """Cut an (H, W) patch to its ink, every pixel greater than 0."""
    rows, columns = (patch.any(axis).nonzero().flatten() for axis in (1, 0))
    return patch[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def make_scenes(
    digits: Tensor, labels: Tensor, count: int, seed: int
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Make scenes from a seed.

    Returns:
        (count, 1, 32, 32) uint8 images, and for each its boxes and its classes.
    """
    rng = torch.Generator().manual_seed(seed)
    images, boxes, classes = zip(
        *(make_scene(digits, labels, rng) for _ in range(count)), strict=True
    )
    return torch.stack(images), list(boxes), list(classes)
