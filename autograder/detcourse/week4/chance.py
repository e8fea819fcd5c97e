"""Task 4.2: how functions of chance are drawn from, and their distributions compared.

All comparisons are made at levels that right answers miss less than once in a million times.
"""

import math

import torch
from torch import Tensor

from detcourse.trainings import seed_from
from detlab.checking.expect import expect_list, fail
from detlab.checking.student import Student

# Draws that are asked for first: a known mistake that is not the student's shows by these, and need
# not be asked for the hundreds after them.
FIRST = 5


def many(
    student: Student,
    rng: torch.Generator,
    name: str,
    arguments: list,
    count: int,
    at_once: int = 500,
    every: int = 1,
) -> list:
    """Call a function of chance often, as many times at once as can be handed over."""
    function, answers, some = student.fetch(name), [], FIRST
    while len(answers) < count:
        some = min(some, count - len(answers))
        more = student.tool("draws", function, arguments, seed_from(rng), some, every)
        answers += expect_list(more, f"`{name}`'s results", some)
        some = at_once
    return answers


def check_share(share: float, expected: float, count: int, message: str) -> None:
    """Check how often something happened: within five standard deviations.

    What never could be counted is wrong, too.
    """
    if count == 0 or abs(share - expected) > 5 * math.sqrt(expected * (1 - expected) / count):
        fail(message, f"{share:.3f} of {count}")


def check_uniform(values: list[float], low: float, high: float, what: str) -> None:
    """Check that numbers look uniformly drawn from an interval."""
    if not values:
        fail(f"{what} must come from all of the interval between {low:g} and {high:g}.")
    room = 16 / len(values) * (high - low)  # which that many numbers leave once in 10 million
    if min(values) > low + room or max(values) < high - room:
        fail(f"{what} must come from all of the interval between {low:g} and {high:g}.")
    if min(values) < low - 0.02 * (high - low) or max(values) > high + 0.02 * (high - low):
        fail(
            f"{what} must lie between {low:g} and {high:g}.", f"{min(values):.3f} {max(values):.3f}"
        )
    ideal = torch.linspace(low, high, 2000)
    if ks_distance(torch.tensor(values), ideal) > ks_limit(len(values), 2000) + 0.02:
        fail(f"{what} must be uniform between {low:g} and {high:g}.")


def ks_distance(a: Tensor, b: Tensor) -> float:
    """Return the largest difference of two samples' distribution functions."""
    points = torch.cat([a, b]).double().sort().values
    shares = [
        torch.searchsorted(x.double().sort().values, points, right=True) / len(x) for x in (a, b)
    ]
    return float((shares[0] - shares[1]).abs().max())


def ks_limit(n: int, m: int) -> float:
    """Return the distance that right answers exceed once in some 5 million times."""
    return 2.9 * ((n + m) / (n * m)) ** 0.5
