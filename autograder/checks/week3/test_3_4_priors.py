"""Task 3.4: priors for feature maps."""

import pytest
import torch

from detcourse import truth
from detcourse.cases import randint, uniform
from detlab.checking.expect import expect_equal
from detlab.checking.student import Student
from detlab.weeks.detection import expect_priors, is_fit, with_last_square
from detlab.weeks.week3.assertions import (
    FEATURE_SIZES,
    FORBIDDEN,
    RATIOS,
    SCALES,
    expect_own_work,
    expect_tensor,
)

pytestmark = [pytest.mark.task("3.4", points=8), pytest.mark.forbid(*FORBIDDEN)]


def compare(
    student: Student,
    sizes: list[int],
    scales: list[float],
    ratios: list[float],
    exact: bool = False,
) -> None:
    """Compare the priors of some maps, cell by cell.

    Args:
        exact: whether the last map's extra square matters: it has a check of its own, for in many
            programs its side is 1.
    """
    answer = student.make_priors(feature_sizes=sizes, scales=scales, ratios=ratios)
    cells = truth.prior_cells(sizes, scales, ratios)
    what = f"The priors of maps of {', '.join(f'{size}×{size}' for size in sizes)} cells"
    other = with_last_square(cells, sizes[-1], 1.0)
    fits = not exact and is_fit(answer, other, what)
    answer = expect_priors(answer, other if fits else cells, what)
    expect_equal(answer.dtype, torch.float32, "The priors' dtype", "It must be float32.")


def some_scales(rng: torch.Generator, count: int) -> list[float]:
    """Return scales that rise, from 0.1 to 0.9."""
    return sorted(uniform(rng, 0.1, 0.9, count).tolist())


@pytest.mark.weight(1)
def test_last_extra_square(student: Student, rng: torch.Generator) -> None:
    """The extra square of the last map."""
    compare(student, [2], [float(uniform(rng, 0.2, 0.7, 1))], [2.0], exact=True)
    compare(student, list(FEATURE_SIZES), list(SCALES), list(RATIOS), exact=True)


@pytest.mark.weight(2)
def test_those_of_the_network(student: Student) -> None:
    """The priors of this week's network."""
    compare(student, list(FEATURE_SIZES), list(SCALES), list(RATIOS))
    answer = student.make_priors(feature_sizes=FEATURE_SIZES, scales=SCALES, ratios=RATIOS)
    expect_tensor(answer, "The priors, asked for with tuples,", (1344, 4))


@pytest.mark.weight(2)
def test_one_map(student: Student, rng: torch.Generator) -> None:
    """The priors of one map, in the order of its cells."""
    for size in (1, 3, 10):
        compare(student, [size], some_scales(rng, 1), [1.0])


@pytest.mark.weight(2)
def test_several_maps(student: Student, rng: torch.Generator) -> None:
    """The priors of several maps, each with its own scale."""
    for _ in range(3):
        count = randint(rng, 2, 5)
        sizes = torch.randint(1, 9, (count,), generator=rng).tolist()
        compare(student, sizes, some_scales(rng, count), [1.0, 2.0, 0.5])
    # The next scale is the next one's, even if it is smaller.
    compare(student, [3, 2], some_scales(rng, 2)[::-1], [1.0])


@pytest.mark.weight(2)
def test_ratios(student: Student, rng: torch.Generator) -> None:
    """The priors of other ratios, and of any number of them."""
    # Two digits: who rounds ratios to a few digits, 1.333 for 4/3, is right here with any secret.
    several = [round(ratio, 2) for ratio in uniform(rng, 0.2, 4, 5).tolist()]
    for ratios in ([3.0], several, [0.5, 1.0]):
        compare(student, [4, 2], some_scales(rng, 2), ratios)
    given = {"feature_sizes": [4, 2], "scales": [0.2, 0.4], "ratios": [1.0, 2.0]}
    expect_own_work(student, "make_priors", **given)
