"""Task 4.2: all transforms together, for training and for evaluation."""

import functools
import math

import pytest
import torch
from torch import Tensor

from detcourse.cases import randint, uniform
from detcourse.trainings import seed_from
from detcourse.week4 import pipeline
from detcourse.week4.chance import check_share, ks_distance, ks_limit, many
from detcourse.week4.pipeline import MEAN, STD, boxes_inside, chart, target_with
from detlab.checking.expect import expect_close, expect_list, expect_tensor, fail
from detlab.checking.own_work import Seeded, expect_untouched, is_same
from detlab.checking.student import Student
from detlab.weeks.week4.assertions import FORBIDDEN, SIDE, check_target, expect_image, expect_target

pytestmark = [
    pytest.mark.task("4.2", points=14),
    pytest.mark.limits(cpu_s=60, memory_mb=3072, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

EVERY = 5  # rows and columns of an image that are looked at where it is one of hundreds


def expect_parts(name: str, answer: object, shape: torch.Size) -> None:
    """Check that an answer has the parts that it must: what is nothing hangs on no chance."""
    what = f"`{name}`'s result"
    if name == "distort":
        expect_image(answer, what, shape)
        return
    parts = expect_list(answer, f"{what}, two things,", 2)
    expect_tensor(parts[0], f"{what}, the image,")
    if name == "zoom_out":
        expect_tensor(parts[1], f"{what}, the boxes,", (4, 4))
    else:
        expect_target(parts[1], f"{what}, the target,")


@pytest.mark.weight(1)
def test_chance_of_the_generator(student: Student, rng: torch.Generator) -> None:
    """Whether all chance is the generator's, and arguments are left alone."""
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
        for _ in range(40 if name == "distort" else 3):  # many distortions change nothing
            seed = seed_from(rng)
            one, other = (
                in_state(student, state, name, arguments, seed) for state in (seed + 1, seed + 2)
            )
            expect_parts(name, one, image.shape)
            if not is_same(one, other):
                fail(f"`{name}` must take all chance from its generator, and from nothing else.")
            expect_untouched(student, name, *arguments, Seeded(seed))
    expect_untouched(student, "flip", image, target["boxes"])
    expect_untouched(student, "transform", image, target)


def in_state(student: Student, state: int, name: str, arguments: list, seed: int) -> object:
    """Call a function of chance with a generator, while torch's own is in some state."""
    student.seed(state)
    generator = student.make("Generator", "generator", seed)
    return student.tool("called", student.fetch(name), [*arguments, generator])


@pytest.mark.weight(2)
def test_flip(student: Student, rng: torch.Generator) -> None:
    """A flipped image and its boxes."""
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
    """What becomes of an image without a generator."""
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


COLOURS = ((0.9, 0.0, 0.0), (0.0, 0.8, 0.0))


def scene(rng: torch.Generator) -> tuple[Tensor, dict]:
    """Return an image of a red and a green object, on blue ground that grows greener to the right.

    One of them is difficult.
    """
    height, width = 64, 96
    image = torch.zeros(3, height, width)
    image[2] = 0.8
    image[1] = torch.linspace(0, 0.35, width)
    boxes = torch.tensor([[8.0, 10.0, 40.0, 34.0], [56.0, 30.0, 90.0, 60.0]])
    for (left, top, right, bottom), colour in zip(boxes.int().tolist(), COLOURS, strict=True):
        image[:, top:bottom, left:right] = torch.tensor(colour)[:, None, None]
    first = bool(randint(rng, 0, 1))
    return image, target_with(boxes, rng) | {"difficult": torch.tensor([first, not first])}


@pytest.mark.weight(3)
def test_training(student: Student, rng: torch.Generator) -> None:
    """What becomes of images for training, and of their boxes."""
    image, target = scene(rng)
    check_held(made(student, rng, [image, target], 75, 1), target)
    found = made(student, rng, [image, target], 400, EVERY)
    right = many_scenes(1000)
    readings = torch.tensor([read_scene(*one) for one in found], dtype=torch.float64)
    names = (
        "the size of objects",
        "their number",
        "how much of an image has the mean colour of ImageNet",
        "the colour of objects",
        "how much of the rim of those zoomed out has that mean colour",
    )
    for n, what in enumerate(names, 1):
        own, others = (x[~x.isnan()] for x in (readings[:, n], right[:, n]))
        if ks_distance(own, others) > ks_limit(len(own), len(others)):
            fail(
                f"`transform` for training: {what} is distributed otherwise than it should be. "
                "That hangs on each of the four steps, their order and probabilities, and on the "
                "normalisation."
            )
    seen = ~readings[:, 0].isnan()
    for rows in (seen, seen & (readings[:, 3] > 0.1)):  # all of them, and those zoomed out
        words = "`transform` for training mirrors every other image, whatever else happens to it."
        check_share(float(readings[rows, 0].mean()), 0.5, int(rows.sum()), words)


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
        if bool((kept["boxes"] < -1e-4).any() | (kept["boxes"] > 1 + 1e-4).any()):
            fail("`transform` for training: boxes must be fractions of the image's sides.")
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


def read_scene(image: Tensor, target: dict) -> tuple[float, float, float, float, float, float]:
    """Read what was done to the scene.

    Returns:
        Whether it is mirrored, NaN where that cannot be seen; the largest object's area; the number
        of objects; the share of pixels of the mean colour; how far the first object's colour is
        from blue; the share of the mean colour on the rim, NaN where none is anywhere. A crop takes
        the rim away: without one it would be all around whatever was zoomed out.
    """
    boxes = target["boxes"]
    area = float(((boxes[:, 2:] - boxes[:, :2]).prod(1)).max())
    is_mean = ((image - MEAN).abs().amax(0) < 0.01).double()
    canvas = float(is_mean.mean())
    sides = torch.cat([is_mean[0], is_mean[-1], is_mean[:, 0], is_mean[:, -1]])
    rim = float(sides.mean()) if canvas > 0.01 else math.nan
    c_x, c_y = (int((a + b) / 2 * image.shape[1]) for a, b in (boxes[0, ::2], boxes[0, 1::2]))
    colour = image[:, max(min(c_y, image.shape[1] - 1), 0), max(min(c_x, image.shape[2] - 1), 0)]
    warmth = float(colour[:2].max() - colour[2])
    blue = (image[2] - image[:2].amax(0)) > 0.15
    columns = torch.arange(image.shape[2], dtype=torch.float32).expand(image.shape[1:])[blue]
    greens = image[1][blue]
    if len(columns) < 50:
        return math.nan, area, float(len(boxes)), canvas, warmth, rim
    slope = ((columns - columns.mean()) * (greens - greens.mean())).mean()
    return float(slope < 0), area, float(len(boxes)), canvas, warmth, rim


def check_held(found: list, given: dict) -> None:
    """Check that boxes hold their objects: what is red or green between the edges of each.

    The colour also tells which object it is, and so its label.
    """
    compared = 0
    for image, target in found:
        redness = image[:2].amax(0) - image[2]
        for k, box in enumerate(target["boxes"]):
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
            one = int(image[1, c_y, c_x] > image[0, c_y, c_x])
            if any(target[name][k] != given[name][one] for name in ("labels", "difficult")):
                fail("`transform` for training: a box has another object's label or difficulty.")
            compared += 1
    if compared < len(found) // 3:
        fail("`transform` for training leaves too few objects that can be seen.")


def test_some_size(student: Student, rng: torch.Generator) -> None:
    """Images of odd sizes, through all transforms."""
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


@pytest.mark.weight(1)
def test_training_without_objects(student: Student, rng: torch.Generator) -> None:
    """An image without objects, transformed for training."""
    image = scene(rng)[0]
    nothing = target_with(torch.zeros(0, 4), rng)
    images = []
    for answer in many(student, rng, "transform", [image, nothing], 8):
        ready, kept = expect_list(answer, "`transform`'s result (image, target)", 2)
        images.append(expect_image(ready, "`transform`'s image", (3, SIDE, SIDE)))
        check_target(kept, nothing, "`transform`'s target without objects")
    if all(torch.allclose(images[0], one) for one in images[1:]):
        fail("`transform` for training leaves images without objects as they are.")
