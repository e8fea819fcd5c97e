"""Task 2.3: the tight box around the ink."""

import pytest
import torch
from torch import Tensor

from detcourse.hidden_digits import load_hidden_digits
from detcourse.week2 import wrong_ways
from detcourse.week2.scenes import place, randint, uniform
from detlab.checking.causes import explained_by
from detlab.checking.expect import expect_close, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.week2.assertions import SIDE

pytestmark = pytest.mark.task("2.3", points=8)


def inked(
    rng: torch.Generator, size: tuple[int, int], box: tuple[int, int, int, int]
) -> tuple[Tensor, Tensor]:
    """Return an image with ink that touches all sides of a box, and the box in fractions.

    The ink at the sides is faint: who overlooks it has another box.
    """
    height, width = size
    left, top, right, bottom = box
    image = torch.zeros(1, height, width)
    ink = uniform(rng, 0.01, 0.4, bottom - top, right - left)
    ink[1:-1, 1:-1] = uniform(rng, 0.01, 1, *ink[1:-1, 1:-1].shape)
    keep = torch.rand(ink.shape, generator=rng) < 0.3
    for line in (keep[0], keep[-1], keep[:, 0], keep[:, -1]):
        line[randint(rng, 0, len(line) - 1)] = True
    image[0, top:bottom, left:right] = ink * keep
    return image, torch.tensor([left / width, top / height, right / width, bottom / height])


def compare(student: Student, image: Tensor, expected: Tensor, where: str) -> None:
    """Compare a box; a ten-thousandth of a side is under a hundredth of a pixel."""
    box = student.digit_box(image=image)
    if isinstance(box, Tensor) and box.dtype not in (torch.float32, torch.float64):
        fail(f"`digit_box`'s result must be float32, but is {box.dtype}.")

    def cause(found: Tensor) -> str:
        ways = wrong_ways.boxes_of_ink(expected, *image.shape[1:])
        return explained_by(found, ways) or wrong_ways.side_of(found, expected)

    expect_close(box, expected, f"`digit_box`'s result for {where}", 1e-4, cause)


@pytest.mark.weight(3)
def test_inside(student: Student, rng: torch.Generator) -> None:
    """The box of ink inside a square image."""
    for _ in range(6):
        left, top = randint(rng, 1, 30), randint(rng, 1, 30)
        box = left, top, left + randint(rng, 2, 30), top + randint(rng, 2, 30)
        image, expected = inked(rng, (SIDE, SIDE), box)
        compare(student, image, expected, "ink inside a 64×64 image")
    expect_untouched(student, "digit_box", image)


@pytest.mark.weight(2)
def test_digits(student: Student, rng: torch.Generator) -> None:
    """The box of real digits."""
    digits, _ = load_hidden_digits()
    images, boxes = place(digits[:12], rng, free=1)  # borders have a check of their own
    for image, box in zip(images, boxes, strict=True):
        compare(student, image.float() / 255, box, "a digit")


@pytest.mark.weight(3)
def test_borders(student: Student, rng: torch.Generator) -> None:
    """The box of ink that touches a border of the image, each in turn and all."""
    borders = {
        "the left border": (0, 9, 14, 31),
        "the top border": (9, 0, 31, 14),
        "the right border": (40, 9, SIDE, 31),
        "the bottom border": (9, 40, 31, SIDE),
        "all borders": (0, 0, SIDE, SIDE),
    }
    for where, box in borders.items():
        image, expected = inked(rng, (SIDE, SIDE), box)
        compare(student, image, expected, f"ink at {where}")


@pytest.mark.weight(2)
def test_single_pixels(student: Student, rng: torch.Generator) -> None:
    """The box of a single pixel that is faint."""
    # First an inner one: at (0, 0) who sees nothing answers like who leaves out the far edges.
    for column, row in ((randint(rng, 20, 60), 17), (0, 0), (SIDE - 1, 0), (0, SIDE - 1)):
        image, expected = inked(rng, (SIDE, SIDE), (column, row, column + 1, row + 1))
        # Less than a byte can tell from 0.
        compare(student, 1e-3 * image, expected, "a single faint pixel")


@pytest.mark.weight(1)
def test_faintest_ink(student: Student, rng: torch.Generator) -> None:
    """The box of a single pixel that is hardly greater than 0."""
    # Never on the diagonal: there who exchanges rows and columns is right.
    column, row = randint(rng, 2, 29), randint(rng, 31, 60)
    image, expected = inked(rng, (SIDE, SIDE), (column, row, column + 1, row + 1))
    # No more than a ten-millionth, and still a number that float32 has.
    compare(student, 1e-7 * image, expected, "a pixel of 0.0000001 or less")


@pytest.mark.weight(2)
def test_other_sizes(student: Student, rng: torch.Generator) -> None:
    """The box in images that are not square."""
    for size in ((40, 72), (90, 30)):
        height, width = size
        left, top = randint(rng, 1, width // 3), randint(rng, 1, height // 3)
        box = left, top, width - randint(rng, 1, width // 3), height - randint(rng, 1, height // 3)
        image, expected = inked(rng, size, box)
        compare(student, image, expected, f"ink in an image of {height}×{width}")
    for size, box in (((1, 40), (7, 0, 19, 1)), ((30, 1), (0, 4, 1, 22))):
        image, expected = inked(rng, size, box)
        compare(student, image, expected, "ink in an image of one row or one column")


@pytest.mark.weight(1)
def test_no_ink(student: Student) -> None:
    """The box of an image without ink."""
    compare(student, torch.zeros(1, SIDE, SIDE), torch.zeros(4), "an empty image")
