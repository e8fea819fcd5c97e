"""Images of `place_digit` that visible checks of task 2.1 ask for, and what is read off them.

What is a matter of chance is looked at over a few hundred images. A right answer fails such a look
less than once in a million times, whatever it draws first.
"""

import itertools
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from detlab.checking.expect import expect_list, fail
from detlab.checking.student import Student
from detlab.weeks.week2.assertions import SIDE, expect_canvas, ink_box

MANY = 240  # images, where chance is looked at


class Ink(NamedTuple):
    """What is read off the ink of some images, one number for each.

    Attributes:
        mass: sum of the greys.
        size: square root of the ink's spread in both directions, pixels: it grows as the scale.
        length: how much longer than broad the ink is.
        turn: of its long side against the vertical, degrees from -90 to 90.
        across, down: place of its tight box, 0 at the left or upper border, 1 at the other.
    """

    mass: Tensor
    size: Tensor
    length: Tensor
    turn: Tensor
    across: Tensor
    down: Tensor


def ink_of(images: Tensor) -> Ink:
    """Measure the ink of some images, (N, 64, 64)."""
    weights = images.double()
    mass = weights.sum((1, 2))
    steps = torch.arange(SIDE).double()
    y, x = (
        line - ((weights * line).sum((1, 2)) / mass)[:, None, None]
        for line in (steps[:, None], steps)
    )
    yy, xx, xy = ((weights * part).sum((1, 2)) / mass for part in (y * y, x * x, x * y))
    apart = torch.hypot(yy - xx, 2 * xy)
    length = ((yy + xx + apart) / (yy + xx - apart).clamp(min=1e-9)).sqrt()
    boxes = torch.tensor([ink_box(image[None]) for image in images]).double()
    across, down = (boxes[:, k] / (SIDE - boxes[:, k + 2] + boxes[:, k]) for k in (0, 1))
    turn = torch.rad2deg(torch.atan2(2 * xy, yy - xx)) / 2
    return Ink(mass, (yy + xx).sqrt(), length, turn, across, down)


def placed(student: Student, digit: Tensor, seed: int, count: int) -> Tensor:
    """Return so many images that `place_digit` makes of a digit with one generator, (N, 64, 64)."""
    call = {"digit": digit, "generator": student.tool("generator", seed)}
    answers = expect_list(student.each("place_digit", [call] * count), "The answers", count)
    return torch.cat([expect_canvas(answer) for answer in answers])


def upright(digit: Tensor) -> Tensor:
    """Put a patch into the middle of a canvas, neither turned nor scaled: (1, 64, 64)."""
    return F.pad(digit, [(SIDE - 28) // 2] * 4)


def cross() -> Tensor:
    """Return a patch with a thick cross that reaches its border."""
    patch = torch.zeros(1, 28, 28)
    patch[:, 11:17], patch[:, :, 11:17] = 1, 1
    return patch


def corners() -> Tensor:
    """Return a patch with a block of ink in each corner."""
    patch = torch.zeros(1, 28, 28)
    for rows, columns in itertools.product((slice(0, 6), slice(22, 28)), repeat=2):
        patch[:, rows, columns] = 1
    return patch


def stroke() -> Tensor:
    """Return a patch with a soft upright stroke: how it is interpolated changes it little."""
    steps = torch.arange(28) - 13.5
    ink = torch.exp(-((steps[:, None] / 4.5) ** 2) / 2 - (steps / 2) ** 2 / 2)
    return torch.where(ink > 0.02, ink, 0)[None]


def check_angles(turns: Tensor) -> None:
    """Check that angles, degrees, are as those drawn uniformly from -30 to 30.

    They are read off the ink, to a degree or so.
    """
    low, high = float(turns.min()), float(turns.max())
    detail = f"In {MANY} images they go from {low:.0f} to {high:.0f} degrees, either sense."
    if max(-low, high) > 33:
        fail("The angles leave the range from -30 to 30 degrees.", detail)
    if max(-low, high) < 26.5:
        fail("The angles never come near -30 or 30 degrees (degrees, not radians).", detail)
    if min(-low, high) < 20:
        fail("The digit hardly ever turns in one of the two senses.", detail)
    # A third is expected; 0.165 is five standard deviations less.
    steep = float((turns.abs() > 20).double().mean())
    if steep < 0.165:
        fail(
            "Large angles are too rare: each from -30 to 30 degrees must be as likely as another.",
            f"Beyond 20 degrees lie {steep:.0%} of {MANY}, a third is expected.",
        )


def check_borders(ink: Ink) -> None:
    """Check that the stroke comes near each border, and lies at none too often.

    Of some 40 places one is at a border.
    """
    if float(torch.max(ink.across.min(), ink.down.min())) > 0.15 or (
        float(torch.min(ink.across.max(), ink.down.max())) < 0.85
    ):
        fail(
            f"In {MANY} images the stroke never comes near one of the borders: place the ink's "
            "tight box, not the patch, on any whole pixel where it fits."
        )
    borders = {
        "left": ink.across == 0,
        "right": ink.across == 1,
        "upper": ink.down == 0,
        "lower": ink.down == 1,
    }
    for name, touched in borders.items():
        share = float(touched.double().mean())
        if share > 0.12:
            fail(
                f"The digit touches the {name} border in {math.floor(100 * share)} % of the "
                "images: is each place at which it fits as likely as another?"
            )
