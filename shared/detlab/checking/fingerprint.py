"""Short descriptions of answers, by which two answers can be known as the same.

A wrong answer that equals a known mistake's answer to the same question is most
likely that mistake. A tensor is described by its shape, its norm and a few weighted
sums, of every so many numbers where there are very many.
"""

import functools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detlab.checking.values import HandleRef
from detlab.checking.workbench import StudentError

# Two right answers in float32 differ by roundings of about 1e-6 of their norm; two
# different answers agree in three sums to 1e-4 by a chance too small to matter.
TOLERANCE = 1e-4
FREQUENCIES = (0.9, 1.7, 2.9)
MAX_NUMBERS = 1 << 14
PART = 1 << 20


def fingerprint(value: Any) -> Any:
    """Describe an answer (or an error) in lists, strings and numbers, ready for JSON."""
    if isinstance(value, StudentError):
        return ["error", value.type_name, value.said or value.message]
    if isinstance(value, Tensor):
        return ["tensor", list(value.shape), *weighted_sums(value.flatten())]
    if isinstance(value, np.ndarray):
        return fingerprint(torch.from_numpy(value))
    if isinstance(value, HandleRef):
        return ["object"]
    if isinstance(value, list | tuple):
        return ["list", *(fingerprint(item) for item in value)]
    if isinstance(value, dict):
        return ["dict", *(["item", repr(key), fingerprint(item)] for key, item in value.items())]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def weighted_sums(numbers: Tensor) -> list[float | str]:
    """Describe a vector by its norm and three sums weighted by cosines, in float64."""
    if not bool(torch.isfinite(numbers).all()):
        finite = torch.nan_to_num(numbers, nan=0.5, posinf=1.5, neginf=-1.5)
        return ["not finite", *weighted_sums(finite)]
    some = numbers[:: 1 + numbers.numel() // MAX_NUMBERS].to(torch.float64)
    sums = [float((some * wave[: some.numel()]).sum()) for wave in waves()]
    # Part by part: all of it in float64 could be eight times as large as it is.
    norms = [float(part.to(torch.float64).norm()) for part in numbers.split(PART)]
    return [math.hypot(*norms), *sums]


@functools.cache
def waves() -> Tensor:
    """Return the cosines that numbers are weighted by: (3, MAX_NUMBERS), float64."""
    places = torch.arange(1, MAX_NUMBERS + 1, dtype=torch.float64)
    return torch.cos(torch.tensor(FREQUENCIES, dtype=torch.float64)[:, None] * places)


def same_answer(a: Any, b: Any) -> bool:
    """Say whether two fingerprints describe the same answer."""
    if isinstance(a, list) and isinstance(b, list):
        if a[:1] == b[:1] == ["tensor"] and a[1] == b[1]:
            return close_sums(a[2:], b[2:])
        return len(a) == len(b) and all(map(same_answer, a, b))
    numbers = (int, float)
    if type(a) in numbers and type(b) in numbers:
        return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return type(a) is type(b) and a == b


def close_sums(a: list[Any], b: list[Any]) -> bool:
    """Compare the sums of two tensors, relative to their norms."""
    if len(a) != len(b):
        return False
    scale = max([1.0, *(abs(number) for number in a + b if not isinstance(number, str))])
    return all(
        x == y if isinstance(x, str) or isinstance(y, str) else abs(x - y) <= TOLERANCE * scale
        for x, y in zip(a, b, strict=True)
    )
