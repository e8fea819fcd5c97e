"""Visible checks of task 3.1 that look at many scenes: what is drawn, and what comes of it.

Chances are judged at four standard deviations and more; the seed is fixed, so a right answer that
passes once passes always.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.weeks.week3.assertions import SIDE, Scene, expect_scene, pixels_of

COUNT = 100  # scenes, with some 320 digits
SIDES = range(15, 28)  # of a resized patch
SHIFT = 3  # the largest, pixels


def make_scenes(student: Student, digits: Tensor, labels: Tensor, count: int) -> list[Scene]:
    """Have scenes made, all with one generator."""
    generator = student.tool("generator", 5)
    given = {"digits": digits, "labels": labels, "generator": generator}
    return [expect_scene(student.make_scene(**given)) for _ in range(count)]


def expect_each_its_own(scenes: Sequence[Sequence[object]], what: str) -> None:
    """Check that the digits of a scene do not share a draw."""
    several = [some for some in scenes if len(some) > 1]
    if several and sum(len(set(some)) == 1 for some in several) > len(several) / 2:
        fail(f"All digits of a scene have the same {what}: draw anew for each region.")


@visible("3.1")
def sizes(student: Student) -> None:
    """The sizes of patches full of ink, some of it faint."""
    full = torch.full((1, 1, 28, 28), 0.06)
    full[..., 6:22, 6:22] = 1
    made = make_scenes(student, full, torch.tensor([4]), COUNT)
    scenes = [[(b - t, r - x) for x, t, r, b in pixels_of(boxes)] for _, boxes, _ in made]
    expect_each_its_own(scenes, "size")
    seen = {size for some in scenes for size in some}
    if any(height != width for height, width in seen):
        fail(
            "A patch that is all ink must stay square: it is resized by one size, moved back into "
            "the image where it sticks out, and never cut."
        )
    found = {height for height, _ in seen}
    if found - set(SIDES):
        fail(
            "A patch full of ink, some of it faint, has as many pixels to a side as it was resized "
            f"to, from 15 to 27. Some are {sorted(found - set(SIDES))[0]} wide."
        )
    if missing := set(SIDES) - found:
        fail(f"In {COUNT} scenes no patch is {sorted(missing)[0]} pixels wide.")


@visible("3.1")
def shifts(student: Student) -> None:
    """How far small digits lie from the centres of their regions."""
    small = torch.zeros(1, 1, 28, 28)
    small[..., 4:12, 5:11] = 1
    count = 2 * COUNT
    scenes = []
    for _, boxes, _ in make_scenes(student, small, torch.tensor([4]), count):
        middles = [(left + right, top + bottom) for left, top, right, bottom in pixels_of(boxes)]
        # The middle of an odd side may be rounded to either side: those of even sides are exact.
        exact = [middle for middle in middles if not (middle[0] % 2 or middle[1] % 2)]
        scenes.append([(x // 2 % 16 - 8, y // 2 % 16 - 8) for x, y in exact])
    expect_each_its_own(scenes, "shift")
    pairs = [pair for some in scenes for pair in some]
    if pairs and all(x == y for x, y in pairs):
        fail("Every digit is shifted by as much in x as in y: draw one number for each.")
    drawn_shifts = [shift for pair in pairs for shift in pair]
    if drawn_shifts and (min(drawn_shifts), max(drawn_shifts)) != (-SHIFT, SHIFT):
        fail(
            f"The digits of {count} scenes are shifted by {min(drawn_shifts)} to "
            f"{max(drawn_shifts)} pixels: the shift goes from -3 to 3."
        )
    ends = sum(abs(shift) == SHIFT for shift in drawn_shifts)
    # Two of seven shifts; one of six where a fraction is rounded.
    if ends < 0.22 * len(drawn_shifts):
        fail("A shift of 3 pixels comes half as often as others: draw whole numbers.")


@visible("3.1")
def greys_and_labels(student: Student) -> None:
    """Which digits are drawn, and what is seen where they overlap."""
    greys, labels = torch.tensor([0.25, 0.5, 0.75, 1.0]), torch.tensor([3, 8, 8, 8])
    digits = greys[:, None, None, None] * torch.ones(1, 28, 28)
    scenes = []
    for image, boxes, classes in make_scenes(student, digits, labels, COUNT):
        shown = [round(4 * value) for value in brightest(image, boxes)]
        scenes.append(shown)
        if any((grey == 1) != (label == 4) for grey, label in zip(shown, classes, strict=True)):
            fail("A label is not that of the digit in its box, plus 1.")
        expected = drawn(boxes, lambda n, size, shown=shown: torch.full(size, shown[n] / 4))
        if float((image[0] - expected).abs().max()) > 0.01:  # of a rounding to bytes
            fail("Where digits overlap each pixel shows the brighter one; each keeps its greys.")
    expect_each_its_own(scenes, "digit")
    if all(len(set(some)) == len(some) for some in scenes):
        fail("No digit ever comes twice in a scene: draw each whatever was drawn before.")
    seen = [grey for some in scenes for grey in some]
    share = seen.count(1) / max(len(seen), 1)
    if abs(share - 1 / 4) > 0.1:
        fail(
            f"Of four digits given, three of one label, the fourth comes in {100 * share:.0f} % of "
            "the places, not in 25 %: draw one of the digits, not first a label."
        )


def brightest(image: Tensor, boxes: Tensor) -> list[float]:
    """Return the grey of each constant digit: the least in its box, as others may be brighter."""
    return [
        float(image[0, top:bottom, left:right].min())
        for left, top, right, bottom in pixels_of(boxes)
    ]


def drawn(boxes: Tensor, patch: Callable[[int, tuple[int, int]], Tensor]) -> Tensor:
    """Draw a scene: in each box its patch, and where they overlap the brighter one.

    Args:
        patch: takes the number of a box and its (height, width), and returns what is there.
    """
    image = torch.zeros(SIDE, SIDE)
    for n, (left, top, right, bottom) in enumerate(pixels_of(boxes)):
        place = image[top:bottom, left:right]
        place.copy_(torch.maximum(place, patch(n, (bottom - top, right - left))))
    return image


@visible("3.1")
def upright(student: Student) -> None:
    """The digits as they come out, upright and resized."""
    # Darker to the right, and half as much downwards.
    slopes = torch.linspace(0, 0.6, 28), torch.linspace(0, 0.3, 28)
    digit = (1 - slopes[0] - slopes[1][:, None]).view(1, 1, 28, 28)
    for image, boxes, _ in make_scenes(student, digit, torch.tensor([1]), 20):
        expected = drawn(boxes, lambda n, size: resized(digit, size))
        # The nearest pixel is off by the slope over half a pixel, a transposed digit by 0.1.
        if float((image[0] - expected).abs().mean()) > 0.03:
            fail("The digits come out mirrored, turned or in other greys.")


def resized(digit: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a digit at another size."""
    return F.interpolate(digit, size, mode="bilinear", antialias=True)[0, 0]
