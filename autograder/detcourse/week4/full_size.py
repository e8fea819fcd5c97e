"""The priors of SSD300, and cases of the loss with all of them."""

import functools

import torch
from torch import Tensor

from detcourse import truth
from detcourse.comparisons import Case, case
from detlab.weeks.week4.assertions import FEATURE_SIZES, RATIOS, SCALES


@functools.lru_cache(maxsize=1)
def cells_of_maps() -> list[Tensor]:
    """Return the right priors: for each map (cells, priors of a cell, 4) float64."""
    following = (*SCALES[1:], 1.0)
    return [
        truth.map_cells(size, scale, after, ratios)
        for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True)
    ]


@functools.lru_cache(maxsize=1)
def priors() -> Tensor:
    """Return the priors of SSD300."""
    return torch.cat([cells.flatten(0, 1) for cells in cells_of_maps()]).float()


def full_case(rng: torch.Generator, counts: list[int], num_classes: int) -> Case:
    """Return arguments of the loss for images with so many objects."""
    return case(rng, counts, num_classes, priors())
