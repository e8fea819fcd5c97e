"""Task 4.2: random transforms, and boxes that still hold their objects.

Distributions are compared at levels that right answers miss less than once in a million times.
"""

import colorsys
import functools
import math

import pipeline
import pytest
import torch
from pipeline import MEAN, STD, boxes_inside, chart, ks_distance, ks_limit, target_with
from torch import Tensor
from torchvision.transforms import functional as TF

from detgrader.detection_cases import randint, uniform
from detgrader.trainings import seed_from
from detlab.checking.expect import expect_close, expect_list, expect_tensor, fail
from detlab.checking.own_work import expect_untouched, is_same
from detlab.checking.student import Student
from detlab.checking.week3 import expect_floats
from detlab.checking.week4 import (
    FORBIDDEN,
    SIDE,
    check_target,
    expect_any_image,
    expect_image,
    expect_target,
)

pytestmark = [
    pytest.mark.task("4.2", points=14),
    pytest.mark.limits(cpu_s=60, memory_mb=2048, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]


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
    function, answers = student.fetch(name), []
    while len(answers) < count:
        some = min(at_once, count - len(answers))
        more = student.tool("draws", function, arguments, seed_from(rng), some, every)
        answers += expect_list(more, f"`{name}`'s results", some)
    return answers


def check_share(share: float, expected: float, count: int, message: str) -> None:
    """Check how often something happened: within five standard deviations."""
    if abs(share - expected) > 5 * math.sqrt(expected * (1 - expected) / count):
        fail(message, f"{share:.3f} of {count}")


def check_uniform(values: list[float], low: float, high: float, what: str) -> None:
    """Check that numbers look uniformly drawn from an interval."""
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


EVERY = 5  # rows and columns of an image that are looked at where it is one of hundreds

# -- distort ------------------------------------------------------------------------------------

GREYS = (0.42, 0.58)
ORDER_DRAWS = 2000
GREY = 0.2989 + 0.587 + 0.114  # torchvision's shares of the colours in a grey


def colour_chart() -> Tensor:
    """Return an image of two greys in equal shares and one weak colour."""
    image = torch.full((3, 12, 12), GREYS[0])
    image[:, 6:] = GREYS[1]
    image[:, :, :2] = torch.tensor([0.58, 0.46, 0.43])[:, None, None]
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


@functools.lru_cache(maxsize=1)
def many_charts(count: int) -> list[tuple[float, float, float]]:
    """Distort the chart rightly, often, and read it."""
    rng = torch.Generator().manual_seed(3)
    return [read_chart(pipeline.distort(colour_chart(), rng)) for _ in range(count)]


@pytest.mark.weight(2)
def test_distort_by_kind(student: Student, rng: torch.Generator) -> None:
    """Each distortion comes with probability ½, its factor from the right range."""
    count = 500
    answers = many(student, rng, "distort", [colour_chart()], count)
    images = [expect_image(one, "`distort`'s result", (3, 12, 12)) for one in answers]
    readings = torch.tensor([read_chart(image) for image in images], dtype=torch.float64)
    untouched = float(((readings[:, 0] - 1).abs() < 1e-4).double().mean())
    check_share(untouched, 0.25, count, "Brightness and contrast: each with probability ½.")
    still = (readings[:, 1] - 1).abs() < 2e-3
    check_share(float(still.double().mean()), 0.5, count, "The saturation: with probability ½.")
    check_uniform(readings[~still, 1].tolist(), 0.5, 1.5, "The factor of the saturation")
    unturned = readings[:, 2].abs() < 1e-3
    check_share(float(unturned.double().mean()), 0.5, count, "The hue: with probability ½.")
    check_uniform(readings[~unturned, 2].tolist(), -18 / 255, 18 / 255, "The shift of the hue")
    truth = torch.tensor(many_charts(2000), dtype=torch.float64)[:, 0]
    if ks_distance(readings[:, 0], truth) > ks_limit(count, 2000):
        fail("Brightness and contrast: each factor must be uniform between 0.5 and 1.5.")


@pytest.mark.weight(1)
def test_brightness_and_contrast(student: Student, rng: torch.Generator) -> None:
    """On grey images brightness and contrast come apart: both are there, in their ranges."""
    count, image = 400, torch.full((3, 8, 8), 0.4)
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
    still = (contrasts - 1).abs() < 1e-3
    check_share(float(still.double().mean()), 0.5, count, "The contrast: with probability ½.")
    check_uniform(contrasts[~still].tolist(), 0.5, 1.5, "The factor of the contrast")


@pytest.mark.weight(1)
def test_order(student: Student, rng: torch.Generator) -> None:
    """The distortions come in a random order."""
    check_order(student, rng, "contrast", clipping_chart(), (TF.adjust_brightness, 0))
    check_order(student, rng, "saturation", strong_colour(), (TF.adjust_hue, 1))


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
    student: Student, rng: torch.Generator, name: str, image: Tensor, other: tuple
) -> None:
    """Check that of two distortions either comes first, about as often.

    Each answer is compared with the right ones in both orders, over a grid of factors; where both
    come equally near it says nothing.
    """
    adjust, kind = other
    answers = many(student, rng, "distort", [image], ORDER_DRAWS)
    seconds = TF.adjust_contrast if name == "contrast" else TF.adjust_saturation
    votes = []
    for answer in answers:
        answer = expect_image(answer, "`distort`'s result", image.shape).double()
        a, b = factors_of(answer, image, kind)
        if a is None:
            continue
        first = seconds(adjust(image, a), b).double()
        last = adjust(seconds(image, b), a).double()
        gap = float((first - last).abs().max())
        if gap > 0.003:  # a hundred times what the factors are read off with
            near = [float((answer - one).abs().max()) for one in (first, last)]
            if min(near) < 0.3 * gap:
                votes.append(near[0] < near[1])
    # Right answers give a hundred or more; of 30 an order that is always the same is told surely.
    if len(votes) < 30:
        fail(f"Of {ORDER_DRAWS} images hardly one shows two distortions: each has probability ½.")
    share = sum(votes) / len(votes)
    check_share(share, 0.5, len(votes), "The four distortions must come in a random order.")


def factors_of(answer: Tensor, image: Tensor, kind: int) -> tuple:
    """Read both factors off an answer; (None, None) where that cannot be done."""
    if kind == 0:  # brightness and contrast, of greys that are not clipped
        low, high = float(answer[0, 2, 2]), float(answer[0, 1, 1])
        spread = (high - low) / 0.1
        if spread < 1e-3 or high >= 1:
            return None, None
        contrasts = torch.linspace(0.5, 1.5, 51, dtype=torch.float64)
        brights = spread / contrasts
        bright = (image[0].double() * brights[:, None, None]).clamp(0, 1)
        # A contrast blends with the mean grey.
        lows = contrasts * bright[:, 2, 2] + (1 - contrasts) * GREY * bright.mean((1, 2))
        miss = (lows - low).abs() + 9 * ((brights < 0.5) | (brights > 1.5))
        best = int(miss.argmin())
        a, b = float(brights[best]), float(contrasts[best])
        unclear = float(miss[best]) > 1 or abs(a - 1) < 0.05 or abs(b - 1) < 0.05
        return (None, None) if unclear else (a, b)
    chroma = float(answer[:, 0, 0].max() - answer[:, 0, 0].min()) / 0.5
    turn = (hue(answer[:, 0, 0]) - hue(image[:, 0, 0]) + 0.5) % 1 - 0.5
    clipped = float(answer.max()) >= 1 or float(answer.min()) <= 0
    if abs(turn) < 0.01 or abs(chroma - 1) < 0.05 or clipped or not 0.5 <= chroma <= 1.5:
        return None, None
    return turn, chroma


@pytest.mark.weight(1)
def test_chance_of_the_generator(student: Student, rng: torch.Generator) -> None:
    """All chance comes from the generator, and arguments are left alone."""
    height, width = 40, 56
    target = target_with(boxes_inside(rng, 4, height, width), rng)
    image = chart(height, width)
    given = {
        "distort": [image],
        "zoom_out": [image, target["boxes"]],
        "random_crop": [image, target],
        "transform": [image, target],
    }
    for name, arguments in given.items():
        for _ in range(3):
            seed = seed_from(rng)
            answers = student.tool("global_chance", student.fetch(name), arguments, seed)
            one, other = expect_list(answers, f"`{name}`'s results", 2)
            if not is_same(one, other):
                fail(f"`{name}` must take all chance from its generator, and from nothing else.")
            generator = student.tool("generator", seed)
            expect_untouched(student, name, *arguments, generator)
    expect_untouched(student, "flip", image, target["boxes"])
    expect_untouched(student, "transform", image, target)


# -- zoom out -----------------------------------------------------------------------------------


@pytest.mark.weight(2)
def test_zoom_out(student: Student, rng: torch.Generator) -> None:
    """The image lies somewhere on a larger canvas of the mean colour, and boxes move with it."""
    height, width, count = 23, 31, 250
    image = 0.2 + 0.7 * torch.rand(3, height, width, generator=rng)
    boxes = boxes_inside(rng, 3, height, width)
    scales, tops, lefts = [], [], []
    for answer in many(student, rng, "zoom_out", [image, boxes], count):
        canvas, moved = expect_list(answer, "`zoom_out`'s result (image, boxes)", 2)
        canvas = expect_any_image(canvas, "`zoom_out`'s image")
        tall, wide = canvas.shape[1:]
        shift = (expect_close(moved, boxes, "`zoom_out`'s boxes", 1e9) - boxes).double()
        left, top = shift[0, 0].round().item(), shift[0, 1].round().item()
        right = boxes + torch.tensor([left, top, left, top])
        cause = "All boxes move by the place of the image, in pixels."
        expect_close(moved, right, "`zoom_out`'s boxes", 1e-4, cause)
        left, top = int(left), int(top)
        if not (0 <= left <= wide - width and 0 <= top <= tall - height):
            fail("`zoom_out`'s canvas must hold the whole image.")
        expected = MEAN.repeat(1, tall, wide)
        expected[:, top : top + height, left : left + width] = image
        cause = "The image lies where its boxes lie, and the rest has the mean colour of ImageNet."
        expect_close(canvas, expected, "`zoom_out`'s image", 1e-4, cause)
        # Both sides are the same scale, rounded down.
        low, high = max(tall / height, wide / width), min((tall + 1) / height, (wide + 1) / width)
        if low >= high:
            fail("`zoom_out` must enlarge height and width by one scale, rounded down to pixels.")
        scales.append((low + high) / 2)
        tops += [(top + 0.5) / (tall - height + 1)] if tall > 2 * height else []
        lefts += [(left + 0.5) / (wide - width + 1)] if wide > 2 * width else []
    check_uniform(scales, 1, 4, "The scale of `zoom_out`")
    check_uniform(tops, 0, 1, "The place of the image from top to bottom, as a share of the room,")
    check_uniform(lefts, 0, 1, "The place of the image from left to right, as a share of the room,")
    empty = many(student, rng, "zoom_out", [image, torch.zeros(0, 4)], 2)
    for answer in empty:
        _, moved = expect_list(answer, "`zoom_out`'s result (image, boxes)", 2)
        expect_close(moved, torch.zeros(0, 4), "`zoom_out`'s boxes of no object")


# -- crop ---------------------------------------------------------------------------------------


def read_crop(image: Tensor, height: int, width: int) -> tuple[int, int, int, int]:
    """Return what a piece of the chart was cut from: top, left, height, width."""
    tall, wide = image.shape[1:]
    left, top = (round(255 * float(image[n, 0, 0])) for n in (0, 1))
    if not (0 <= top <= height - tall and 0 <= left <= width - wide):
        fail("`random_crop` must return a piece of its image.")
    right = chart(height, width)[:, top : top + tall, left : left + wide]
    expect_close(image, right, "`random_crop`'s image", 1e-5, "It must be a piece of its image.")
    return top, left, tall, wide


def crops(student: Student, rng: torch.Generator, size: tuple, boxes: Tensor, count: int) -> list:
    """Crop often; check each piece's objects, and return the windows."""
    target = target_with(boxes, rng)
    windows = []
    for answer in many(student, rng, "random_crop", [chart(*size), target], count):
        image, kept = expect_list(answer, "`random_crop`'s result (image, target)", 2)
        window = read_crop(expect_any_image(image, "`random_crop`'s image"), *size)
        right = pipeline.cropped_target(target, *window)
        kept = expect_target(kept, "`random_crop`'s target")
        if len(kept["labels"]) == 0:
            fail("`random_crop` must leave at least one object.")
        if len(kept["labels"]) != len(right["labels"]):
            fail(
                "`random_crop` keeps the wrong objects: those whose centre lies inside, no others."
            )
        check_target(kept, right, "`random_crop`'s target", 1e-4)
        windows.append(window)
    return windows


@pytest.mark.weight(3)
def test_crop(student: Student, rng: torch.Generator) -> None:
    """Of each piece the objects remain whose centres lie in it, clipped and moved with it."""
    for size, number in (((60, 80), 6), ((75, 50), 3)):
        boxes = boxes_inside(rng, number, *size)
        for _, _, tall, wide in crops(student, rng, size, boxes, 150):
            whole = (tall, wide) == size
            if not whole and not 0.48 < tall / wide < 2.1:  # pixels are rounded down
                fail("The ratio of a crop's sides must be between ½ and 2.")
            if not whole and (tall < int(0.3 * size[0]) or wide < int(0.3 * size[1])):
                fail("A crop's sides are at least 0.3 of the image's.")


@pytest.mark.weight(3)
def test_distribution_of_crops(student: Student, rng: torch.Generator) -> None:
    """Crops come as often as they should: whole images, sizes, places, overlaps."""
    size, function = (80, 80), student.fetch("random_crop")
    for n, (count, boxes) in enumerate(CROPPED):
        boxes = torch.tensor(boxes)
        arguments = chart(*size), target_with(boxes, rng), seed_from(rng), count
        found = student.tool("windows_drawn", function, *arguments)
        found = expect_floats(found, "The windows of `random_crop`", (count, 4))
        right = right_windows(*size, n)
        limit = ks_limit(len(found), len(right))
        for what, read in MEASURES.items():
            if ks_distance(read(found, boxes, size), read(right, boxes, size)) > limit:
                fail(f"`random_crop`: {what} is distributed otherwise than the statement says.")
        if n == FILLED:
            shares = [float(wide_crops(w, boxes, size).mean()) for w in (found, right)]
            words = (
                "`random_crop`: crops that overlap with a box by 0.9 come too often or too rarely."
            )
            check_share(*shares, count, words)


# How many crops of an image with which boxes. The first is so small that hardly a crop overlaps
# with it by 0.1, the second so that hardly one does by 0.3, and so on: each shows one of the list's
# least overlaps, if it is missing. Of the number of draws comes the certainty.
CROPPED = (
    (200, [[36.3, 35.2, 44.3, 43.2]]),
    (300, [[33.3, 32.2, 47.3, 46.2]]),
    (600, [[28.3, 27.2, 51.3, 50.2]]),
    (600, [[22.3, 23.2, 57.3, 58.2]]),
    (900, [[13.3, 12.2, 66.3, 65.2]]),
    (1300, [[0.1, 0.2, 79.8, 79.9]]),
    (500, [[5.3, 6.1, 22.4, 30.2], [40.2, 35.3, 71.4, 74.6]]),
)
FILLED = 5  # the image that its box fills
RIGHT_CROPS = 30_000


@functools.cache
def right_windows(height: int, width: int, n: int) -> Tensor:
    """Draw right crops of the n-th image, always the same ones."""
    rng = torch.Generator().manual_seed(11)
    return pipeline.windows(height, width, torch.tensor(CROPPED[n][1]), rng, RIGHT_CROPS)


def largest_overlap(windows: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the largest IoU of a box with each crop."""
    top, left, tall, wide = windows.T
    return pipeline.box_iou(torch.stack([left, top, left + wide, top + tall], 1), boxes).amax(1)


def wide_crops(windows: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Say which crops are some, but overlap with a box by at least 0.9: 1.0 or 0.0 of each."""
    cut = (windows[:, 2:] != torch.tensor(size)).any(1)
    return (cut & (largest_overlap(windows, boxes, size) >= 0.9)).double()


# What is read off crops (n, 4), of an image with these boxes and of this size.
MEASURES = {
    "how often the image stays whole": lambda w, boxes, size: (
        (w[:, 2:] == torch.tensor(size)).all(1).double()
    ),
    "the height of crops": lambda w, boxes, size: w[:, 2],
    "the width of crops": lambda w, boxes, size: w[:, 3],
    "their ratio": lambda w, boxes, size: w[:, 2] / w[:, 3].clamp(min=1),
    "their place": lambda w, boxes, size: w[:, 0] / (size[0] - w[:, 2]).clamp(min=1),
    "their place from left to right": lambda w, boxes, size: (
        w[:, 1] / (size[1] - w[:, 3]).clamp(min=1)
    ),
    "the largest IoU of a box with the crop": largest_overlap,
}


@pytest.mark.weight(1)
def test_crop_without_objects(student: Student, rng: torch.Generator) -> None:
    """An image without objects is not cropped."""
    nothing = target_with(torch.zeros(0, 4), rng)
    for answer in many(student, rng, "random_crop", [chart(40, 50), nothing], 20):
        image, target = expect_list(answer, "`random_crop`'s result (image, target)", 2)
        what = "`random_crop`'s image without objects"
        expect_close(image, chart(40, 50), what, 0.0, "It stays as it is.")
        check_target(target, nothing, "`random_crop`'s target without objects")


# -- flip and transform -------------------------------------------------------------------------


@pytest.mark.weight(2)
def test_flip(student: Student, rng: torch.Generator) -> None:
    """Left and right are exchanged, and boxes stay `xyxy`."""
    for height, width, count in ((20, 33, 5), (41, 12, 1), (9, 9, 0)):
        image = torch.rand(3, height, width, generator=rng)
        boxes = boxes_inside(rng, count, height, width)
        answer = student.flip(image=image, boxes=boxes)
        flipped, moved = expect_list(answer, "`flip`'s result (image, boxes)", 2)
        moved = expect_tensor(moved, "`flip`'s boxes", boxes.shape)
        right, right_boxes = pipeline.flip(image, boxes)
        expect_close(flipped, right, "`flip`'s image", 1e-6)
        if count and bool((moved[:, 2] < moved[:, 0]).any()):
            fail("A flipped box is reversed: which of its sides is now the left one?")
        expect_close(moved, right_boxes, "`flip`'s boxes", 1e-4)


@pytest.mark.weight(3)
def test_evaluation(student: Student, rng: torch.Generator) -> None:
    """Without a generator an image is resized and normalised, boxes become fractions."""
    for height, width, count in ((60, 80, 3), (400, 333, 2), (300, 300, 0), (90, 45, 1)):
        coarse = torch.rand(1, 3, 7, 9, generator=rng)
        options = {"mode": "bilinear", "align_corners": False}
        image = torch.nn.functional.interpolate(coarse, (height, width), **options)[0]
        target = target_with(boxes_inside(rng, count, height, width), rng)
        for _ in range(2):
            answer = student.transform(image=image, target=target)
            ready, kept = expect_list(answer, "`transform`'s result (image, target)", 2)
            ready = expect_image(ready, "`transform`'s image", (3, SIDE, SIDE))
            check_ready(ready, image)
            right = pipeline.fractions(target, height, width)
            check_target(kept, right, "`transform`'s target")


def check_ready(ready: Tensor, image: Tensor) -> None:
    """Compare an image that is ready with the right ones: with or without antialiasing.

    Bytes in between, as with Pillow, which may be cut and not rounded, change a normalised pixel by
    up to 0.04.
    """
    candidates = [(pipeline.resized(image, way) - MEAN) / STD for way in (True, False)]
    if any(float((ready - one).abs().max()) < 0.045 for one in candidates):
        return
    if float((ready * STD + MEAN - candidates[0]).abs().max()) < 0.02:
        fail("`transform`'s image was normalised twice.")
    if float((ready - candidates[0] * STD - MEAN).abs().max()) < 0.02:
        fail("`transform`'s image is not normalised.")
    expect_close(ready, candidates[0], "`transform`'s image for evaluation", 0.02)


def scene(rng: torch.Generator) -> tuple[Tensor, dict]:
    """Return an image with red objects on blue ground that grows greener to the right."""
    height, width = 64, 96
    image = torch.zeros(3, height, width)
    image[2] = 0.8
    image[1] = torch.linspace(0, 0.35, width)
    boxes = torch.tensor([[8.0, 10.0, 40.0, 34.0], [56.0, 30.0, 90.0, 60.0]])
    for left, top, right, bottom in boxes.int().tolist():
        image[:, top:bottom, left:right] = torch.tensor([0.9, 0.0, 0.0])[:, None, None]
    return image, target_with(boxes, rng)


@pytest.mark.weight(3)
def test_training(student: Student, rng: torch.Generator) -> None:
    """For training all transforms take part, and boxes hold their objects in the end."""
    image, target = scene(rng)
    check_held(made(student, rng, [image, target], 75, 1))
    found = made(student, rng, [image, target], 400, EVERY)
    right = many_scenes(1000)
    readings = torch.tensor([read_scene(*one) for one in found], dtype=torch.float64)
    seen = readings[:, 0][~readings[:, 0].isnan()]
    words = "`transform` for training mirrors every other image."
    check_share(float(seen.mean()), 0.5, len(seen), words)
    names = (
        "the size of objects",
        "their number",
        "how much of an image has the mean colour of ImageNet",
    )
    for n, what in enumerate(names, 1):
        if ks_distance(readings[:, n], right[:, n]) > ks_limit(len(readings), len(right)):
            fail(
                f"`transform` for training: {what} is distributed otherwise than it should be. Are "
                "all four steps there, in their order, each with its probability?"
            )


def made(
    student: Student, rng: torch.Generator, arguments: list, count: int, every: int
) -> list[tuple[Tensor, dict]]:
    """Transform a scene often; return images, not normalised, and targets."""
    options = {"at_once": 25 * every**2, "every": every}
    answers = many(student, rng, "transform", arguments, count, **options)
    found = []
    for answer in answers:
        ready, kept = expect_list(answer, "`transform`'s result (image, target)", 2)
        ready = expect_image(ready, "`transform`'s image", (3, SIDE // every, SIDE // every))
        kept = expect_target(kept, "`transform`'s target")
        if len(kept["labels"]) == 0:
            fail("`transform` for training must leave at least one object.")
        found.append((ready * STD + MEAN, kept))
    return found


@functools.lru_cache(maxsize=1)
def many_scenes(count: int) -> Tensor:
    """Transform the scene rightly, often, and read it."""
    rng = torch.Generator().manual_seed(5)
    image, target = scene(rng)
    readings = []
    for _ in range(count):
        ready, kept = pipeline.transform(image, target, rng)
        readings.append(read_scene((ready * STD + MEAN)[:, ::EVERY, ::EVERY], kept))
    return torch.tensor(readings, dtype=torch.float64)


def read_scene(image: Tensor, target: dict) -> tuple[float, float, float, float]:
    """Read what was done to the scene.

    Returns:
        Whether it is mirrored, NaN where that cannot be seen; the largest object's area; the number
        of objects; the share of pixels of the mean colour.
    """
    boxes = target["boxes"]
    area = float(((boxes[:, 2:] - boxes[:, :2]).prod(1)).max())
    canvas = float(((image - MEAN).abs().amax(0) < 0.01).double().mean())
    blue = (image[2] - image[0]) > 0.15
    columns = torch.arange(image.shape[2], dtype=torch.float32).expand(image.shape[1:])[blue]
    greens = image[1][blue]
    if len(columns) < 50:
        return math.nan, area, float(len(boxes)), canvas
    slope = ((columns - columns.mean()) * (greens - greens.mean())).mean()
    return float(slope < 0), area, float(len(boxes)), canvas


def check_held(found: list) -> None:
    """Check that boxes hold their objects: what is red between the edges of each."""
    compared = 0
    for image, target in found:
        if bool((target["boxes"] < -1e-4).any() | (target["boxes"] > 1 + 1e-4).any()):
            fail("`transform` for training: boxes must be fractions of the image's sides.")
        redness = image[0] - image[2]
        for box in target["boxes"]:
            left, top, right, bottom = (SIDE * box).tolist()
            c_x, c_y = (min(int((a + b) / 2), SIDE - 1) for a, b in ((left, right), (top, bottom)))
            strength = float(redness[c_y, c_x])
            if strength < 0.25 or min(right - left, bottom - top) < 20:
                continue  # too pale or too small to be read
            red = redness > strength / 2
            inner = red[round(top) + 3 : round(bottom) - 3, round(left) + 3 : round(right) - 3]
            edge = torch.zeros_like(red)
            low, high = max(round(top) - 6, 0), round(bottom) + 6
            edge[low:high, max(round(left) - 6, 0) : round(right) + 6] = True
            edge[round(top) - 3 if top > 3 else 0 : round(bottom) + 3,
                 round(left) - 3 if left > 3 else 0 : round(right) + 3] = False  # fmt: skip
            around = float(red[edge].double().mean()) if bool(edge.any()) else 0.0
            if float(inner.double().mean()) < 0.9 or around > 0.3:
                fail("`transform` for training: a box no longer holds its object.")
            compared += 1
    if compared < len(found) // 3:
        fail("`transform` for training leaves too few objects that can be seen.")


def test_some_size(student: Student, rng: torch.Generator) -> None:
    """Any size of image goes through all of it."""
    for _ in range(4):
        height, width = randint(rng, 30, 400), randint(rng, 30, 400)
        image = uniform(rng, 0, 1, 3, height, width)
        target = target_with(boxes_inside(rng, 2, height, width), rng)
        for answer in many(student, rng, "transform", [image, target], 2):
            ready, kept = expect_list(answer, "`transform`'s result (image, target)", 2)
            expect_image(ready, "`transform`'s image", (3, SIDE, SIDE))
            boxes = expect_target(kept, "`transform`'s target")["boxes"]
            if bool((boxes < -1e-5).any() | (boxes > 1 + 1e-5).any()):
                fail("`transform`'s boxes leave the range from 0 to 1: they must be fractions.")
            if bool((boxes[:, 2:] <= boxes[:, :2]).any()):
                fail("`transform`'s boxes must have x_min < x_max and y_min < y_max.")
