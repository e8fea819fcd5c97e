"""Task 2.1: one whole digit on a canvas, turned, scaled and placed at random.

The distributions are measured on ink whose turn, size and place can be read off an image, by the
Kolmogorov-Smirnov distance D from the uniform one. Of n exact draws, D exceeds a bound with a
chance below 2·exp(-2·n·bound²). The bounds leave room for what right answers do to the draws:
sides rounded to whole pixels, down or to the nearest, and nearest pixels taken once or twice.
"""

import itertools
import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.week2.scenes import randint, uniform
from detlab.checking.expect import expect_close, expect_list, fail
from detlab.checking.own_work import Seeded, expect_untouched
from detlab.checking.student import Handle, Student
from detlab.checking.wording import number
from detlab.weeks.week2.assertions import SIDE, expect_canvas, ink_box

# Some 4,000 images: those who rotate with a library of images take a few milliseconds for each.
pytestmark = [pytest.mark.task("2.1", points=12), pytest.mark.limits(cpu_s=60, wall_s=240)]

TURNS = 1500  # images for the angle, and for the scale
# Of fifteen right ways to turn and scale a digit (affine, resize and rotate in both orders, PIL;
# nearest to Lanczos), none went beyond 0.05 in the angle and 0.10 in the scale, where sides of
# whole pixels leave some 15 steps. A triangular angle is at 0.13.
MAX_ANGLE_DISTANCE = 0.10
MAX_SCALE_DISTANCE = 0.15
PLACES = 300  # images for the place: with these, the bound is exceeded once in 10¹²
MAX_PLACE_DISTANCE = 0.22
AT_ONCE = 50  # images of one request: asked one by one, most of the time would go into asking
SIGMAS = 6  # of the correlation of two independent series
# Bilinear or nearest, ink comes out a few per cent more or less at some scales.
MASS_ERROR = 0.08
SCALE_ERROR = 0.06  # of a scale read off the ink's spread; right answers came to 0.02


def block(height: int, width: int) -> Tensor:
    """Return a patch with a block of full ink in its middle."""
    patch = torch.zeros(1, 28, 28)
    top, left = (28 - height) // 2, (28 - width) // 2
    patch[:, top : top + height, left : left + width] = 1
    return patch


def hill(down: float, across: float) -> Tensor:
    """Return a patch with a smooth hill of ink: where its greys are sampled matters little."""
    steps = torch.arange(28) - 13.5
    ink = torch.exp(-((steps[:, None] / down) ** 2) / 2 - (steps / across) ** 2 / 2)
    return torch.where(ink > 0.02, ink, 0)[None]


def samples(student: Student, digit: Tensor, seed: int, count: int) -> Iterator[Tensor]:
    """Yield what `place_digit` makes of a digit, again and again with one generator."""
    call = {"digit": digit, "generator": student.tool("generator", seed)}
    for done in range(0, count, AT_ONCE):
        asked = min(AT_ONCE, count - done)
        answers = student.each("place_digit", [call] * asked)
        yield from map(expect_canvas, expect_list(answers, "The answers", asked))


def once(student: Student, digit: Tensor, generator: Handle) -> Tensor:
    """Place a digit once."""
    return expect_canvas(student.place_digit(digit=digit, generator=generator))


def uniform_float(rng: torch.Generator, low: float, high: float) -> float:
    """Return one uniform random number."""
    return float(uniform(rng, low, high))


def quantiles(values: list[float], *shares: float) -> list[float]:
    """Return the values below which such shares of all values lie."""
    return (
        torch.tensor(values, dtype=torch.float64).quantile(torch.tensor(shares).double()).tolist()
    )


def distance(values: list[float]) -> float:
    """Return how far values are from uniform in [0, 1]: the Kolmogorov-Smirnov distance."""
    ordered = torch.tensor(sorted(values), dtype=torch.float64)
    steps = torch.arange(len(values) + 1, dtype=torch.float64) / len(values)
    return float(torch.maximum((ordered - steps[:-1]).abs(), (ordered - steps[1:]).abs()).max())


def correlation(a: list[float], b: list[float]) -> float:
    """Return the linear correlation of two series."""
    return float(torch.corrcoef(torch.tensor([a, b], dtype=torch.float64))[0, 1])


def moments(image: Tensor) -> tuple[float, float, float, float]:
    """Return an image's mass, and of its ink the long and the short spread and their turn.

    The turn is in degrees, from -90 to 90, of the long axis against the vertical.
    """
    rows, columns = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    weights = image[0].to(torch.float64)
    mass = float(weights.sum())
    y, x = rows - (weights * rows).sum() / mass, columns - (weights * columns).sum() / mass
    yy, xx, xy = (float((weights * part).sum() / mass) for part in (y * y, x * x, x * y))
    spread = math.hypot(yy - xx, 2 * xy)
    turn = 0.5 * math.degrees(math.atan2(2 * xy, yy - xx))
    return mass, (yy + xx + spread) / 2, (yy + xx - spread) / 2, turn


@pytest.mark.weight(2)
def test_reproducible(student: Student, rng: torch.Generator) -> None:
    """Whether the generator, and nothing else, decides the image."""
    digit, seed = block(18, 6), randint(rng, 0, 10**6)
    expect_untouched(student, "place_digit", digit, Seeded(seed))
    student.seed(1)
    first = student.tool("generator", seed)
    images = [once(student, digit, first) for _ in range(4)]
    student.seed(2)
    second = student.tool("generator", seed)
    for image in images:
        cause = "All chance must come from `generator`."
        expect_close(once(student, digit, second), image, "The image of an equal seed", cause=cause)
    if any(torch.equal(images[0], image) for image in images[1:]):
        fail("Two calls with one generator gave the same image.")
    other = once(student, digit, student.tool("generator", seed + 1))
    if torch.equal(images[0], other):
        fail("Another seed gave the same image.")


@pytest.mark.weight(3)
def test_whole(student: Student, rng: torch.Generator) -> None:
    """Whether the digit is there whole and once, even with ink in its patch's corners."""
    frame = torch.zeros(1, 28, 28)
    frame[:, :3] = frame[:, -3:] = frame[:, :, :3] = frame[:, :, -3:] = 1
    expect_untouched(student, "place_digit", frame, Seeded(5))
    mass, long_before, short_before, _ = moments(F.pad(frame, [18] * 4))
    low, high = (1 - MASS_ERROR) * 0.75**2, (1 + MASS_ERROR) * 1.25**2
    quotients = []
    for image in samples(student, frame, randint(rng, 0, 10**6), 80):
        left, top, right, bottom = ink_box(image)
        share, long, short, _ = moments(image)
        # A frame's spread tells its scale: of a whole one, mass and spread tell the same.
        scale = ((long + short) / (long_before + short_before)) ** 0.5
        if not 0.75 * low < share / mass < 1.2 * high:
            much = "more" if share > mass else "less"
            fail(
                f"There is {much} ink than one whole digit has at any scale; its brightest pixel "
                f"is {number(float(image.max()))}, the patch's 1."
            )
        quotients.append(share / mass / scale**2)
        # Taking the nearest pixel loses or doubles a whole line of three now and then.
        if not 0.55 < quotients[-1] < 1.6:
            much = "more" if quotients[-1] > 1 else "less"
            fail(
                f"The digit has {much} ink than a whole one of its size: is all of it there, once?"
            )
        if min(right - left, bottom - top) < 20:
            fail("The digit is smaller than the smallest scale allows, or cut.")
    # Over many images gains and losses even out; what is cut off is missing from most.
    if not 0.9 < sorted(quotients)[40] < 1.1 or sorted(quotients)[8] < 0.75:
        much = "more" if sorted(quotients)[40] >= 1.1 else "less"
        also = "" if much == "more" else " Do the corners of the patch stay when it turns?"
        fail(f"Most digits have {much} ink than a whole one of their size.{also}")


@pytest.mark.weight(1)
def test_greys(student: Student, rng: torch.Generator) -> None:
    """The greys of the digit, down to the faintest ink."""
    for grey in (0.6, 0.3, 0.05):
        for image in samples(student, grey * block(18, 12), randint(rng, 0, 10**6), 4):
            # Interpolation blurs the rim; the middle, over half of the ink, stays as it was.
            middle = float(image[image > grey / 2].median())
            if abs(middle - grey) > 0.06 * grey:
                fail("Ink of one grey comes out as ink of another: keep the greys of the patch.")
    # The upper half full, the lower faint.
    digit = block(18, 12)
    digit[:, 14:] *= 0.05
    for image in samples(student, digit, randint(rng, 0, 10**6), 20):
        full, faint = int((image > 0.5).sum()), int(((image > 0.03) & (image < 0.07)).sum())
        if faint < 0.5 * full:
            fail("Faint ink is lost: ink is every pixel greater than 0.")


@pytest.mark.weight(1)
def test_upright(student: Student, rng: torch.Generator) -> None:
    """Whether the digit is turned and never mirrored."""
    # Brightest at its top left: a turn by 30° turns that direction by 30°, a mirror by 90°.
    digit = block(16, 16)
    digit[:, 6:22, 6:22] -= torch.linspace(0, 0.4, 16)[:, None] + torch.linspace(0, 0.4, 16)
    for image in samples(student, digit, randint(rng, 0, 10**6), 30):
        rows, columns = torch.nonzero(image[0] > 0.1, as_tuple=True)
        values = image[0, rows, columns].double()
        if len(values) < 9 or float(values.std()) < 0.05:
            fail("The digit's greys are gone, so that its top cannot be told from its bottom.")
        y, x = (part.double() - part.double().mean() for part in (rows, columns))
        down, right = float((values * y).sum()), float((values * x).sum())
        turn = math.degrees(math.atan2(down, right)) + 135
        # Ten degrees for the blurred rim.
        if abs((turn + 180) % 360 - 180) > 40:
            off = abs((turn + 180) % 360 - 180)
            fail(
                f"The digit's brightest corner lies some {off:.0f}° from where it should: a turn "
                "by up to 30° does not do that. (A mirror image is off by 60° to 120°, what is "
                "upside down by 150° and more.)"
            )


@pytest.mark.weight(2)
def test_scale(student: Student, rng: torch.Generator) -> None:
    """The scale, one factor for both directions, over many images."""
    digit = hill(uniform_float(rng, 4.2, 4.6), uniform_float(rng, 2.3, 2.7))
    scales, turns, across, down, stretches = [], [], [], [], []
    _, long_before, short_before, _ = moments(F.pad(digit, [18] * 4))
    for image in samples(student, digit, randint(rng, 0, 10**6), TURNS):
        _, long, short, turn = moments(image)
        scales.append(((long + short) / (long_before + short_before)) ** 0.5)
        stretches.append((long / max(short, 1e-9)) / (long_before / short_before))
        turns.append(turn)
        left, top, right, bottom = ink_box(image)
        across.append(left / (SIDE - (right - left)))
        down.append(top / (SIDE - (bottom - top)))
    # Nearest pixels stretch single images by up to a fifth, either way; blur makes all a little
    # rounder.
    low, middle, high = quantiles(stretches, 0.05, 0.5, 0.95)
    if low < 0.78 or not 0.92 < middle < 1.06 or high > 1.25:
        fail("The digit's proportions change: one factor must scale both directions.")
    if min(scales) < 0.75 - SCALE_ERROR or max(scales) > 1.25 + SCALE_ERROR:
        fail("The scale leaves the range from 0.75 to 1.25.")
    if min(scales) > 0.79 or max(scales) < 1.21:
        fail("The scale never comes near one of the ends of its range, 0.75 and 1.25.")
    if distance([(scale - 0.75) / 0.5 for scale in scales]) > MAX_SCALE_DISTANCE:
        fail("The scale is not uniform from 0.75 to 1.25.")
    for a, b in itertools.combinations((scales, turns, across, down), 2):
        if abs(correlation(a, b)) > SIGMAS / TURNS**0.5:
            fail("Angle, scale and place are not independent: does one random number serve twice?")


@pytest.mark.weight(2)
def test_angle(student: Student, rng: torch.Generator) -> None:
    """The angle, over many images."""
    digit = hill(uniform_float(rng, 4.2, 4.6), uniform_float(rng, 1.8, 2.4))
    images = samples(student, digit, randint(rng, 0, 10**6), TURNS)
    turns = [moments(image)[3] for image in images]
    # The turn is read off the ink's second moments, to a degree where nearest pixels are taken.
    if max(map(abs, turns)) > 31.5:
        fail("The angle leaves the range from -30 to 30 degrees.")
    # TURNS angles leave out the last degree once in 10¹⁰; nearest pixels may take half of one.
    if min(turns) > -28.5 or max(turns) < 28.5:
        fail("The angle never comes near one of the ends of its range, -30 and 30 degrees.")
    if distance([(turn + 30) / 60 for turn in turns]) > MAX_ANGLE_DISTANCE:
        fail("The angle is not uniform from -30 to 30 degrees (degrees, not radians).")


@pytest.mark.weight(3)
def test_place(student: Student, rng: torch.Generator) -> None:
    """The place, over many images."""
    digit = torch.zeros(1, 28, 28)
    # Off the middle of the patch: what counts is the ink, not the patch.
    digit[:, 2:8, 3:26] = uniform(rng, 0.5, 1, 6, 23)
    across, down, lefts = [], [], []
    for image in samples(student, digit, randint(rng, 0, 10**6), PLACES):
        left, top, right, bottom = ink_box(image)
        lefts.append(left)
        across.append(left / (SIDE - (right - left)))
        down.append(top / (SIDE - (bottom - top)))
    for places, what in ((across, "column"), (down, "row")):
        if distance(places) > MAX_PLACE_DISTANCE:
            fail(
                f"The digit's {what} is not uniform over all places where the ink fits: place the "
                "ink's tight box, not the patch, and let it reach both borders."
            )
        # PLACES places leave out the outermost twelfth at an end once in 10¹⁰.
        if min(places) > 0.08 or max(places) < 0.92:
            fail(f"The digit never comes near one of the borders (its {what} does not).")
    if len({left % 2 for left in lefts}) == 1:
        fail("Only every second column is ever reached: any whole pixel may be the place.")
    if abs(correlation(across, down)) > SIGMAS / PLACES**0.5:
        fail("Row and column are not independent: does one random number serve for both?")


@pytest.mark.weight(1)
def test_last_places(student: Student, rng: torch.Generator) -> None:
    """Whether the digit touches each border of the canvas now and then."""
    # A full patch leaves some 30 places in each direction; of 700 images a right answer leaves
    # out one of the four borders with a chance below one in 10⁸.
    touched = {"left": False, "top": False, "right": False, "bottom": False}
    for image in samples(student, torch.ones(1, 28, 28), randint(rng, 0, 10**6), 700):
        left, top, right, bottom = ink_box(image)
        touched["left"] |= left == 0
        touched["top"] |= top == 0
        touched["right"] |= right == SIDE
        touched["bottom"] |= bottom == SIDE
        if all(touched.values()):
            return
    missed = ", ".join(name for name, seen in touched.items() if not seen)
    fail(f"In 700 images the digit never touches this border: {missed}.")
