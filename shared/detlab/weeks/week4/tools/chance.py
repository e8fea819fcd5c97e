"""Tools that call functions of chance, for task 4.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def draws(function: Callable, arguments: list, seed: int, count: int, every: int = 1) -> list:
    """Call a function of chance many times, each time on copies of its arguments.

    Args:
        function: takes the arguments, then a generator.
        arguments: tensors, or dicts of tensors.
        seed: of the generator, which is the same for all calls.
        count: calls.
        every: of images, the first of several results, only every so many rows and columns are
            returned.

    Returns:
        What it returned each time.
    """
    generator = torch.Generator().manual_seed(seed)
    results = [function(*map(copied, arguments), generator) for _ in range(count)]
    if every == 1:
        return results
    return [(image[:, ::every, ::every].clone(), *others) for image, *others in results]


def windows_drawn(
    function: Callable, chart: Tensor, target: dict[str, Tensor], seed: int, count: int
) -> Tensor:
    """Crop a chart many times; see where each piece was cut from.

    Args:
        function: takes an image, a target and a generator, and returns the first two.
        chart: (3, H, W) float32; red and green tell the column and the row of a pixel, in 255ths.
        target: of the chart.
        seed: of the generator.
        count: pieces.

    Returns:
        (count, 4) float32: top, left, height and width of each piece.
    """
    pieces = [piece for piece, _ in draws(function, [chart, target], seed, count)]
    rows = [[255 * piece[1, 0, 0], 255 * piece[0, 0, 0], *piece.shape[1:]] for piece in pieces]
    return torch.tensor(rows).round()


def copied(value: Any) -> Any:
    """Copy a tensor, or the tensors of a dict."""
    if isinstance(value, dict):
        return {name: one.clone() for name, one in value.items()}
    return value.clone() if isinstance(value, Tensor) else value
