"""The priors of SSD300, and cases of the loss with all of them."""

import functools

import torch
from torch import Tensor

from detcourse import truth
from detcourse.loss_cases import Case, case
from detlab.weeks.detection import expect_priors, is_fit, with_last_square
from detlab.weeks.week4.assertions import FEATURE_SIZES, PER_CELL, RATIOS, SCALES


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


def expect_priors_of_map(priors: Tensor, k: int, what: str) -> None:
    """Check the priors of one map cell by cell, in every form that the statement of 4.7 allows.

    Args:
        priors: (8732, 4) float.
        k: number of the map.
    """
    counts = [n * size * size for n, size in zip(PER_CELL, FEATURE_SIZES, strict=True)]
    mine = priors[sum(counts[:k]) : sum(counts[: k + 1])]
    cells = cells_of_maps()[k]
    # Many programs, and a well-known course, give the last square side 1.
    other = with_last_square(cells, FEATURE_SIZES[k], 1.0)
    last = k == len(FEATURE_SIZES) - 1 and is_fit(mine, other, what)
    expect_priors(mine, other if last else cells, what)


def full_case(
    rng: torch.Generator, counts: list[int], num_classes: int, sure_of_the_wrong: bool = False
) -> Case:
    """Return arguments of the loss with all priors, see `detcourse.loss_cases.case`."""
    return case(rng, counts, num_classes, priors(), sure_of_the_wrong)
