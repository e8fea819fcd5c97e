"""Task 4.2: the colours, each distorted with its probability and in any order."""

import colorsys
import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional as TF

from detcourse.week4 import pipeline
from detcourse.week4.chance import check_share, check_uniform, ks_distance, ks_limit, many
from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.weeks.week4.assertions import FORBIDDEN, expect_image

pytestmark = [
    pytest.mark.task("4.2", points=14),
    pytest.mark.limits(cpu_s=60, memory_mb=3072, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

GREYS = (102 / 255, 143 / 255)
COLOUR = (107 / 255, 66 / 255, 51 / 255)
# Many programs distort pictures of eight bits. Then a colour's saturation can be read to 4 %, and
# its hue to 0.006 of the colour circle.
STEP, TURN = 0.04, 0.006
# So of what is changed, the least changes look like none.
STILL, UNTURNED = (1 + STEP / 0.5) / 2, (1 + TURN / (18 / 255)) / 2
# Where brightness and contrast leave little of a colour, it is read less exactly, and by no more
# than this many of its levels: in 100,000 draws 3.8 for its saturation, 0.7 for its hue.
LEVELS_OF_CHROMA, LEVELS_OF_HUE = 5.0, 1.0
ORDER_DRAWS = 2000
GREY = 0.2989 + 0.587 + 0.114  # torchvision's shares of the colours in a grey


def colour_chart() -> Tensor:
    """Return an image of two greys in equal shares and one weak colour, all in whole bytes."""
    image = torch.full((3, 12, 12), GREYS[0])
    image[:, 6:] = GREYS[1]
    image[:, :, :2] = torch.tensor(COLOUR)[:, None, None]
    return image


@functools.lru_cache(maxsize=1)
def hue_of_chart() -> float:
    """Return the hue of the chart's colour, 0 to 1."""
    return hue(colour_chart()[:, 0, 0])


def hue(colour: Tensor) -> float:
    """Return a colour's hue as HSV has it, 0 to 1."""
    return colorsys.rgb_to_hsv(*colour.double().clamp(0, 1).tolist())[0]


def read_chart(image: Tensor) -> tuple[float, float, float]:
    """Return what was done to the chart: the greys' spread, saturation, and hue.

    Brightness and contrast multiply the difference of the greys; saturation multiplies, besides,
    what a colour has over grey; and hue alone turns it.
    """
    spread = float((image[:, 8, 8] - image[:, 2, 8]).mean()) / (GREYS[1] - GREYS[0])
    colour, before = image[:, 2, 0], colour_chart()[:, 2, 0]
    chroma = float((colour.max() - colour.min()) / (before.max() - before.min()))
    turn = (hue(colour) - hue_of_chart() + 0.5) % 1 - 0.5
    return spread, chroma / max(spread, 1e-6), turn


def is_of_bytes(image: Tensor) -> bool:
    """Say whether an image has been one of eight bits."""
    levels = 255 * image.double()
    return float((levels - levels.round()).abs().max()) < 1e-3


def within(values: Tensor, low: float, high: float, errors: Tensor) -> Tensor:
    """Move values that are out of an interval towards it, by no more than they may be misread."""
    return values + (values.clamp(low, high) - values).clamp(-errors, errors)


@functools.lru_cache(maxsize=1)
def many_charts(count: int) -> list[tuple[float, float, float]]:
    """Distort the chart rightly, often, and read it."""
    rng = torch.Generator().manual_seed(3)
    return [read_chart(pipeline.distort(colour_chart(), rng)) for _ in range(count)]


@pytest.mark.weight(2)
def test_distort_by_kind(student: Student, rng: torch.Generator) -> None:
    """How often each distortion comes, and its factors."""
    count = 500
    answers = many(student, rng, "distort", [colour_chart()], count)
    images = [expect_image(one, "`distort`'s result", (3, 12, 12)) for one in answers]
    if any(float(one.min()) < -1e-5 or float(one.max()) > 1 + 1e-5 for one in images):
        fail("`distort`'s result must stay in [0, 1].")
    readings = torch.tensor([read_chart(image) for image in images], dtype=torch.float64)
    untouched = (readings[:, 0] - 1).abs() < 1e-4
    words = "Brightness and contrast: each with probability ½."
    check_share(float(untouched.double().mean()), 0.25, count, words)
    still = (readings[:, 1] - 1).abs() < STEP
    check_share(float(still.double().mean()), STILL, count, "The saturation: with probability ½.")
    factors, shifts = readings[:, 1], readings[:, 2]
    if all(map(is_of_bytes, images)):
        # A half by brightness and a half by contrast leave a quarter, and saturation a half of it.
        levels = 255 * (max(COLOUR) - min(COLOUR)) * readings[:, 0].clamp(min=0.2)
        errors = LEVELS_OF_HUE / (6 * levels * factors.clamp(min=0.4))
        shifts = within(shifts, -18 / 255, 18 / 255, errors)
        factors = within(factors, 0.5, 1.5, LEVELS_OF_CHROMA / levels)
    check_uniform(factors[~still].tolist(), 0.5, 1.5, "The factor of the saturation")
    unturned = readings[:, 2].abs() < TURN
    check_share(float(unturned.double().mean()), UNTURNED, count, "The hue: with probability ½.")
    check_uniform(shifts[~unturned].tolist(), -18 / 255, 18 / 255, "The shift of the hue")
    pairs = (
        (untouched, still, STILL / 4),
        (untouched, unturned, UNTURNED / 4),
        (still, unturned, STILL * UNTURNED),
    )
    for one, other, share in pairs:
        both = float((one & other).double().mean())
        check_share(both, share, count, "Each of the four distortions has a chance of its own.")
    truth = torch.tensor(many_charts(2000), dtype=torch.float64)[:, 0]
    if ks_distance(readings[:, 0], truth) > ks_limit(count, 2000):
        fail("Brightness and contrast: each factor must be uniform between 0.5 and 1.5.")


@pytest.mark.weight(1)
def test_brightness_and_contrast(student: Student, rng: torch.Generator) -> None:
    """Brightness and contrast, told apart on grey images."""
    count, image = 400, torch.full((3, 8, 8), 102 / 255)
    plain = many(student, rng, "distort", [image], count)
    levels = [float(expect_image(one, "`distort`'s result", image.shape).mean()) for one in plain]
    factors = torch.tensor(levels) / 0.4
    still = (factors - 1).abs() < 1e-4
    check_share(float(still.double().mean()), 0.5, count, "The brightness: with probability ½.")
    check_uniform(factors[~still].tolist(), 0.5, 1.5, "The factor of the brightness")
    image[:, 4:] = 0.6
    answers = many(student, rng, "distort", [image], count)
    contrasts = []
    for one in answers:
        one = expect_image(one, "`distort`'s result", image.shape)
        low, high = float(one[:, 0].mean()), float(one[:, 7].mean())
        contrasts.append((high - low) / (high + low) / 0.2)
    contrasts = torch.tensor(contrasts)
    still = (contrasts - 1).abs() < STEP
    check_share(float(still.double().mean()), STILL, count, "The contrast: with probability ½.")
    check_uniform(contrasts[~still].tolist(), 0.5, 1.5, "The factor of the contrast")


@pytest.mark.weight(1)
def test_order(student: Student, rng: torch.Generator) -> None:
    """The order of the distortions."""
    greys, colour = clipping_chart(), strong_colour()
    check_order(student, rng, greys, TF.adjust_brightness, TF.adjust_contrast, factors_of_greys)
    check_order(student, rng, colour, TF.adjust_hue, TF.adjust_saturation, factors_of_colour)


def clipping_chart() -> Tensor:
    """Return greys of which the brightest is clipped, earlier or later."""
    image = torch.full((3, 10, 10), 0.5)
    image[:, ::2] = 0.4
    image[:, 0, 0] = 0.97
    return image


def strong_colour() -> Tensor:
    """Return one strong colour: its grey, to which saturation blends, depends on its hue."""
    return torch.tensor([0.75, 0.25, 0.35])[:, None, None].repeat(1, 6, 6)


def check_order(
    student: Student,
    rng: torch.Generator,
    image: Tensor,
    one: Callable[[Tensor, float], Tensor],
    other: Callable[[Tensor, float], Tensor],
    read: Callable[[Tensor, Tensor], tuple[float, float] | None],
) -> None:
    """Check that of two distortions either comes first, about as often.

    Each answer is compared with the right ones in both orders; where both come equally near it says
    nothing.

    Args:
        image: on which the order shows.
        read: reads the factors of both off an answer and the image; None where that cannot be done.
    """
    votes = []
    for answer in many(student, rng, "distort", [image], ORDER_DRAWS):
        answer = expect_image(answer, "`distort`'s result", image.shape).double()
        factors = read(answer, image)
        if factors is None:
            continue
        a, b = factors
        orders = other(one(image, a), b).double(), one(other(image, b), a).double()
        gap = float((orders[0] - orders[1]).abs().max())
        near = [float((answer - right).abs().max()) for right in orders]
        if gap > 0.003 and min(near) < 0.3 * gap:  # a hundred times what factors are read off with
            votes.append(near[0] < near[1])
    # Right answers give a hundred or more; of 30 an order that is always the same is told surely.
    if len(votes) < 30:
        fail(
            f"Of {ORDER_DRAWS} images hardly one shows two distortions in an order that can be "
            "read: each has probability ½, and a factor of its own."
        )
    share = sum(votes) / len(votes)
    check_share(share, 0.5, len(votes), "The four distortions must come in a random order.")


def factors_of_greys(answer: Tensor, image: Tensor) -> tuple[float, float] | None:
    """Read brightness and contrast off greys that are not clipped."""
    low, high = float(answer[0, 2, 2]), float(answer[0, 1, 1])
    spread = (high - low) / 0.1
    if spread < 1e-3 or high >= 1:
        return None
    contrasts = torch.linspace(0.5, 1.5, 51, dtype=torch.float64)
    brights = spread / contrasts
    bright = (image[0].double() * brights[:, None, None]).clamp(0, 1)
    # A contrast blends with the mean grey.
    lows = contrasts * bright[:, 2, 2] + (1 - contrasts) * GREY * bright.mean((1, 2))
    miss = (lows - low).abs() + 9 * ((brights < 0.5) | (brights > 1.5))
    best = int(miss.argmin())
    a, b = float(brights[best]), float(contrasts[best])
    unclear = float(miss[best]) > 1 or abs(a - 1) < 0.05 or abs(b - 1) < 0.05
    return None if unclear else (a, b)


def factors_of_colour(answer: Tensor, image: Tensor) -> tuple[float, float] | None:
    """Read the shift of the hue and the factor of the saturation off one colour."""
    colour, before = answer[:, 0, 0], image[:, 0, 0]
    chroma = float((colour.max() - colour.min()) / (before.max() - before.min()))
    turn = (hue(colour) - hue(before) + 0.5) % 1 - 0.5
    clipped = float(answer.max()) >= 1 or float(answer.min()) <= 0
    unclear = abs(turn) < 0.01 or abs(chroma - 1) < 0.05 or not 0.5 <= chroma <= 1.5
    return None if unclear or clipped else (turn, chroma)
