"""Guess from the numbers alone how a wrong tensor came about.

Both tensors are float64, finite and of one shape. The guesses are ordered from the
most to the least telling; each says what to look at, never the answer.
"""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

TOLERANCE = 1e-4


def near(a: Tensor, b: Tensor) -> bool:
    """Say whether two tensors of one shape agree for the purpose of a guess."""
    return bool(torch.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE))


def same_numbers_elsewhere(actual: Tensor, expected: Tensor) -> bool:
    """Say whether both hold the same numbers in different places."""
    return near(actual.flatten().sort().values, expected.flatten().sort().values)


def swapped_axes(actual: Tensor, expected: Tensor) -> tuple[int, int] | None:
    """Find two axes whose exchange mends the answer."""
    for first, second in itertools.combinations(range(actual.dim()), 2):
        alike = actual.shape[first] == actual.shape[second] > 1
        if alike and near(actual.transpose(first, second), expected):
            return first, second
    return None


def cause_constant(actual: Tensor, expected: Tensor) -> str:
    """Every element is the same number."""
    if actual.numel() > 1 and near(actual, actual.flatten()[0].expand_as(actual)):
        return "Every element of the answer is the same number."
    return ""


def cause_swapped_axes(actual: Tensor, expected: Tensor) -> str:
    """Two axes are exchanged."""
    axes = swapped_axes(actual, expected)
    if axes is None:
        return ""
    last_two = axes == (actual.dim() - 2, actual.dim() - 1)
    also = " (rows and columns?)" if last_two else ""
    return f"Axes {axes[0]} and {axes[1]} are exchanged{also}."


def cause_order(actual: Tensor, expected: Tensor) -> str:
    """The same numbers in other places."""
    if actual.dim() < 2 or not same_numbers_elsewhere(actual, expected):
        return ""
    return (
        "The numbers are right (so is their norm) but they sit in the wrong places: did you "
        "`reshape` where a `permute` is needed, or loop over columns before rows?"
    )


def cause_first_item(actual: Tensor, expected: Tensor) -> str:
    """Only the first item of the batch is right."""
    if actual.dim() > 2 and actual.shape[0] > 1 and near(actual[0], expected[0]):
        return "The first item of the batch is right, later ones are not."
    return ""


def cause_factor(actual: Tensor, expected: Tensor) -> str:
    """All elements are off by one factor."""
    if int((expected != 0).sum()) < 2:
        return ""  # any number is a multiple of one other, and the factor would betray it
    scale = float((expected * expected).sum())
    factor = float((actual * expected).sum()) / scale
    if factor == 0 or not near(actual, factor * expected):
        return ""
    return (
        "The sign is the wrong way round."
        if factor == -1
        else (f"Every element is {factor:.4g} times what it should be.")
    )


def cause_offset(actual: Tensor, expected: Tensor) -> str:
    """All elements, or all of a channel, are off by one number: a bias."""
    if actual.numel() < 2:
        return ""  # a single number is always off by one number
    difference = actual - expected
    if near(difference, difference.mean().expand_as(difference)):
        return "Every element is off by the same number: is a bias missing or added twice?"
    if difference.dim() < 3:
        return ""
    rest = [axis for axis in range(difference.dim()) if axis != 1]
    if near(difference, difference.mean(rest, keepdim=True).expand_as(difference)):
        return "Each channel is off by a number of its own: is a bias missing or added twice?"
    return ""


CAUSES: tuple[Callable[[Tensor, Tensor], str], ...] = (
    cause_constant,
    cause_swapped_axes,
    cause_order,
    cause_first_item,
    cause_factor,
    cause_offset,
)


def likely_cause(actual: Tensor, expected: Tensor) -> str:
    """Return the first guess that fits, or the empty string.

    Args:
        actual: (any shape) float64, finite.
        expected: the same shape, float64, finite.
    """
    return next((text for cause in CAUSES if (text := cause(actual, expected))), "")
