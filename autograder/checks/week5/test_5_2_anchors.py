"""Task 5.2: the anchors of all maps, and the sides of their cells."""

import pytest
import torch

from detcourse.cases import randint, uniform
from detcourse.week5 import truth
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.week5.assertions import (
    FORBIDDEN,
    GRIDS,
    PER_CELL,
    RATIOS,
    ZOOMS,
    check_anchors,
    check_sides,
    expect_own_work,
)

pytestmark = [pytest.mark.task("5.2", points=8), pytest.mark.forbid(*FORBIDDEN)]

Ratios = list[tuple[float, float]]


def compare(student: Student, grids: list[int], zooms: list[float], ratios: Ratios) -> None:
    """Compare the anchors of some maps."""
    answer = student.make_anchors(grids=grids, zooms=zooms, ratios=ratios)
    check_anchors(answer, truth.anchor_cells(grids, zooms, ratios))


def some_ratios(rng: torch.Generator, count: int) -> Ratios:
    """Return ratios of widths and heights."""
    return [(a, b) for a, b in uniform(rng, 0.3, 1.2, count, 2).tolist()]


@pytest.mark.weight(2)
def test_those_of_the_week(student: Student) -> None:
    """The 189 anchors of this week are right, asked for or left to the defaults."""
    cells = truth.anchor_cells(GRIDS, ZOOMS, RATIOS)
    check_anchors(student.make_anchors(), cells)
    check_anchors(student.make_anchors(grids=GRIDS, zooms=ZOOMS, ratios=RATIOS), cells)


@pytest.mark.weight(1)
def test_one_map(student: Student, rng: torch.Generator) -> None:
    """The cells of one map come row by row, with centres in their middle."""
    for size in (1, 3, 8):
        compare(student, [size], [float(uniform(rng, 0.5, 1.5))], some_ratios(rng, 1))


@pytest.mark.weight(2)
def test_several_maps(student: Student, rng: torch.Generator) -> None:
    """Several maps follow each other, whatever their sizes, with anchors of their own cells."""
    for _ in range(3):
        grids = torch.randint(1, 9, (randint(rng, 2, 4),), generator=rng).tolist()
        compare(student, grids, [0.8, 1.1], [(1.0, 1.0), (0.6, 1.0)])


@pytest.mark.weight(2)
def test_sides_of_cells(student: Student, rng: torch.Generator) -> None:
    """Beside each anchor stands the side of its cell; both are float32."""
    check_sides(student.make_anchors(), truth.sides_of_cells(GRIDS, PER_CELL))
    for _ in range(2):
        grids = torch.randint(1, 9, (randint(rng, 2, 4),), generator=rng).tolist()
        zooms, ratios = uniform(rng, 0.6, 1.4, 2).tolist(), some_ratios(rng, 3)
        answer = student.make_anchors(grids=grids, zooms=zooms, ratios=ratios)
        check_sides(answer, truth.sides_of_cells(grids, len(zooms) * len(ratios)))


@pytest.mark.weight(1)
def test_zooms_and_ratios(student: Student, rng: torch.Generator) -> None:
    """Width and height are zoom times ratio, for any number of both."""
    for zooms, ratios in ((1, 4), (3, 1), (2, 3), (4, 2)):
        compare(student, [3, 2], uniform(rng, 0.4, 1.6, zooms).tolist(), some_ratios(rng, ratios))
    given = {"grids": [3, 2], "zooms": [0.7, 1.2], "ratios": [(1.0, 0.5)]}
    expect_untouched(student, "make_anchors", *given.values())
    expect_own_work(student, "make_anchors", **given)
