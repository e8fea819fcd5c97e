"""Task 4.2: zooming out, and crops of which the objects' centres stay."""

import functools

import pytest
import torch
from torch import Tensor

from detcourse.trainings import seed_from
from detcourse.week4 import pipeline
from detcourse.week4.chance import FIRST, check_share, check_uniform, ks_distance, ks_limit, many
from detcourse.week4.pipeline import MEAN, boxes_inside, chart, target_with
from detlab.checking.expect import expect_close, expect_list, fail
from detlab.checking.student import Student
from detlab.weeks.detection import expect_floats
from detlab.weeks.week4.assertions import FORBIDDEN, check_target, expect_any_image, expect_target

pytestmark = [
    pytest.mark.task("4.2", points=14),
    pytest.mark.limits(cpu_s=60, memory_mb=3072, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]


@pytest.mark.weight(2)
def test_zoom_out(student: Student, rng: torch.Generator) -> None:
    """The canvas of a zoomed-out image, and its boxes."""
    height, width, count = 23, 31, 250
    image = 0.2 + 0.7 * torch.rand(3, height, width, generator=rng)
    boxes = boxes_inside(rng, 3, height, width)
    scales, tops, lefts, apart = [], [], [], []
    for answer in many(student, rng, "zoom_out", [image, boxes], count):
        canvas, moved = expect_list(answer, "`zoom_out`'s result (image, boxes)", 2)
        canvas = expect_any_image(canvas, "`zoom_out`'s image")
        tall, wide = canvas.shape[1:]
        shift = (expect_close(moved, boxes, "`zoom_out`'s boxes", 1e9) - boxes).double()
        left, top = shift[0, 0].round().item(), shift[0, 1].round().item()
        right = boxes + torch.tensor([left, top, left, top])
        expect_close(moved, right, "`zoom_out`'s boxes, which move by whole pixels,", 1e-4)
        left, top = int(left), int(top)
        if not (0 <= left <= wide - width and 0 <= top <= tall - height):
            fail("`zoom_out`'s canvas must hold the whole image.")
        expected = MEAN.repeat(1, tall, wide)
        expected[:, top : top + height, left : left + width] = image
        there = canvas[:, top : top + height, left : left + width]
        is_there = torch.allclose(there, image, rtol=1e-4, atol=1e-4)
        cause = (
            "The image lies where its boxes lie, but the rest has not the mean colour of ImageNet."
            if is_there
            else "The image does not lie where its boxes lie."
        )
        expect_close(canvas, expected, "`zoom_out`'s image", 1e-4, cause)
        # Both sides are the same scale, rounded down.
        low, high = max(tall / height, wide / width), min((tall + 1) / height, (wide + 1) / width)
        if low >= high:
            fail("`zoom_out` must enlarge height and width by one scale, rounded down to pixels.")
        scales.append((low + high) / 2)
        tops += [(top + 0.5) / (tall - height + 1)] if tall > 2 * height else []
        lefts += [(left + 0.5) / (wide - width + 1)] if wide > 2 * width else []
        if tall > 2 * height and wide > 2 * width:
            apart.append((lefts[-1] - tops[-1]) % 1)
    check_uniform(scales, 1, 4, "The scale of `zoom_out`")
    check_uniform(tops, 0, 1, "The place of the image from top to bottom, as a share of the room,")
    check_uniform(lefts, 0, 1, "The place of the image from left to right, as a share of the room,")
    check_uniform(apart, 0, 1, "The distance of both places, which are drawn by themselves,")
    empty = many(student, rng, "zoom_out", [image, torch.zeros(0, 4)], 2)
    for answer in empty:
        _, moved = expect_list(answer, "`zoom_out`'s result (image, boxes)", 2)
        expect_close(moved, torch.zeros(0, 4), "`zoom_out`'s boxes of no object")


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
    """The objects of each crop, against the piece that it shows."""
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
    """How often which crops come: whole images, sizes, places, overlaps."""
    function = student.fetch("random_crop")
    # A known mistake that is not the student's shows by few crops already.
    crops(student, rng, CROPPED[-1][1], torch.tensor(CROPPED[-1][2]), FIRST)
    for n, (count, size, boxes) in enumerate(CROPPED):
        boxes = torch.tensor(boxes)
        arguments = chart(*size), target_with(boxes, rng), seed_from(rng), count
        found = student.tool("windows_drawn", function, *arguments)
        found = expect_floats(found, "The windows of `random_crop`", (count, 4))
        right = right_windows(n)
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


# How many crops of an image of which size, with which boxes. The first is so small that hardly a
# crop overlaps with it by 0.1, the second so that hardly one does by 0.3, and so on: each shows one
# of the list's least overlaps, if it is missing. Of the number of draws comes the certainty.
SQUARE = (80, 80)
CROPPED = (
    (200, SQUARE, [[36.3, 35.2, 44.3, 43.2]]),
    (300, SQUARE, [[33.3, 32.2, 47.3, 46.2]]),
    (600, SQUARE, [[28.3, 27.2, 51.3, 50.2]]),
    (600, SQUARE, [[22.3, 23.2, 57.3, 58.2]]),
    (900, SQUARE, [[13.3, 12.2, 66.3, 65.2]]),
    (1300, SQUARE, [[0.1, 0.2, 79.8, 79.9]]),
    (500, (56, 84), [[5.3, 6.1, 22.4, 30.2], [40.2, 25.3, 71.4, 54.6]]),
)
FILLED = 5  # the image that its box fills
RIGHT_CROPS = 30_000


@functools.cache
def right_windows(n: int) -> Tensor:
    """Draw right crops of the n-th image, always the same ones."""
    rng = torch.Generator().manual_seed(11)
    _, size, boxes = CROPPED[n]
    return pipeline.windows(*size, torch.tensor(boxes), rng, RIGHT_CROPS)


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
    "the distance of both places": lambda w, boxes, size: (
        w[:, 0] / (size[0] - w[:, 2]).clamp(min=1) - w[:, 1] / (size[1] - w[:, 3]).clamp(min=1)
    ),
    "the largest IoU of a box with the crop": largest_overlap,
}


@pytest.mark.weight(1)
def test_crop_without_objects(student: Student, rng: torch.Generator) -> None:
    """The crop of an image without objects."""
    nothing = target_with(torch.zeros(0, 4), rng)
    for answer in many(student, rng, "random_crop", [chart(40, 50), nothing], 20):
        image, target = expect_list(answer, "`random_crop`'s result (image, target)", 2)
        what = "`random_crop`'s image without objects"
        expect_close(image, chart(40, 50), what, 0.0, "It stays as it is.")
        check_target(target, nothing, "`random_crop`'s target without objects")
