"""Visible checks of task 4.2: how often crops and images for training come out in which way."""

import torch
from torch import Tensor

from detlab.checking.expect import expect_close, expect_list, fail
from detlab.checking.student import Handle, Student
from detlab.checking.visible import visible
from detlab.weeks.week4.assertions import (
    SIDE,
    expect_any_image,
    expect_image,
    expect_target,
)
from detlab.weeks.week4.visible_transforms import HIGH, MEAN, STD, WIDE, public_image


def target_of(boxes: Tensor) -> dict[str, Tensor]:
    """Return a target with these boxes, all of class 1."""
    count = len(boxes)
    return {
        "boxes": boxes,
        "labels": torch.ones(count, dtype=torch.int64),
        "difficult": torch.zeros(count, dtype=torch.bool),
    }


def cropped(
    student: Student, generator: Handle, image: Tensor, target: dict[str, Tensor]
) -> Tensor:
    """Crop an image once; return the piece."""
    answer = student.random_crop(image=image, target=target, generator=generator)
    piece, _ = expect_list(answer, "`random_crop`'s result (image, target)", 2)
    return expect_any_image(piece, "`random_crop`'s image")


@visible("4.2")
def sizes_of_crops(student: Student) -> None:
    """The sides of crops about a small object, and how often the image stays whole."""
    generator, image = student.tool("generator", 9), public_image()
    target = target_of(torch.tensor([[14.3, 10.3, 24.3, 19.3]]))
    shapes = []
    for _ in range(80):
        tall, wide = cropped(student, generator, image, target).shape[1:]
        if tall < 9 or wide < 12:
            fail("A side of a crop must be at least 0.3 of the image's.", f"{tall}×{wide}")
        # Whoever looks at the ratio before sides are rounded down may be off by a pixel.
        if tall >= 2 * (wide + 1) or wide >= 2 * (tall + 1):
            fail("Height / width of a crop must lie between ½ and 2.", f"{tall}×{wide}")
        shapes.append((tall, wide))
    cut = [tall / wide for tall, wide in shapes if (tall, wide) != (HIGH, WIDE)]
    # The list's overlaps of 0.7 and 0.9 cannot be had here, and that of 0.5 seldom: a quarter of
    # the images stays whole, and more than half of them once in millions of times.
    if len(cut) < 39:
        fail(
            f"Of eighty images {80 - len(cut)} stay whole, which twenty should. After 50 tries in "
            "vain another least overlap is drawn."
        )
    if max(cut) - min(cut) < 0.4:
        fail("All crops have one shape: height and width are drawn, each by itself.")


def crowd() -> Tensor:
    """Return a box for each piece of an image of 4×4 pixels, a little smaller than the piece.

    Their IoU is 0.81. One box alone, on the right in the upper three rows, fits its piece exactly.
    """
    boxes = []
    for tall in (1, 2, 3):
        for wide in (1, 2, 3):
            for top in range(5 - tall):
                for left in range(5 - wide):
                    away = 0.0 if (tall, wide, top, left) == (3, 3, 0, 1) else 0.05
                    x, y = away * wide, away * tall
                    boxes.append([left + x, top + y, left + wide - x, top + tall - y])
    return torch.tensor(boxes)


@visible("4.2")
def overlaps_of_crops(student: Student) -> None:
    """How often an image of 4×4 pixels is cut to the one piece that a box fits."""
    generator, target = student.tool("generator", 10), target_of(crowd())
    image = torch.arange(48.0).reshape(3, 4, 4) / 48
    whole = fitting = 0
    for count in range(1, 251):
        piece = cropped(student, generator, image, target)
        whole += piece.shape[1:] == image.shape[1:]
        if piece.shape[1:] == (3, 3):
            fitting += bool((piece - image[:, :3, 1:]).abs().max() < 1e-3)
        # One of seven on average: three times as many never come by chance.
        if count == 60 and whole > 25:
            fail(f"Of sixty images {whole} stay whole: one box must overlap enough, not all.")
    if not 9 < whole < 70:
        fail(f'Of 250 images {whole} stay whole: "no crop" is one of seven, all equally likely.')
    # All other pieces overlap with a box by 0.81; so a least overlap of 0.9 leaves this one alone.
    if fitting < 17:
        fail(
            f"Of 250 crops {fitting} fit the box that can be fitted; thirty to forty should. Look "
            "at the list of least overlaps, and at what an IoU is divided by."
        )


@visible("4.2")
def training(student: Student) -> None:
    """Images for training of one object that fills its image: canvas, mirror image, box."""
    generator, wide = student.tool("generator", 6), 72
    image = torch.linspace(0.25, 0.75, wide).expand(3, 54, wide)
    target = target_of(torch.tensor([[0.0, 0.0, wide, 54.0]]))
    zoomed = mirrored = cut = 0
    for _ in range(60):
        given = {"image": image.clone(), "target": target, "generator": generator}
        made, kept = expect_list(student.transform(**given), "`transform`'s result", 2)
        made = expect_image(made, "`transform`'s image for training", (3, SIDE, SIDE))
        kept = expect_target(kept, "`transform`'s target for training")
        if len(kept["labels"]) != 1:
            fail("The only object of an image must stay in it.")
        # The mean's colour is no grey: normalised it is 0, and nothing of the image comes near.
        empty = made.abs().amax(0) < 0.06
        filled = (~empty).nonzero()
        if not len(filled):
            fail("`transform` for training shows nothing of the image, but a canvas alone.")
        (top, left), (bottom, right) = filled.amin(0).tolist(), filled.amax(0).tolist()
        box = torch.tensor([[left, top, right + 1, bottom + 1]]) / SIDE
        # A pixel of the image becomes several; between it and the canvas colours are mixed.
        cause = "The box no longer holds what is seen of the object: all that is no canvas."
        expect_close(kept["boxes"], box, "`transform`'s box for training", 0.04, cause)
        colours = (made * STD + MEAN).mean(0)[(top + bottom) // 2]
        mirrored += bool(colours[max(right - 5, 0)] < colours[min(left + 5, SIDE - 1)])
        zoomed += bool(empty.double().mean() > 0.02)
        cut += bool(empty.double().mean() > 0.02) and min(left, top, 299 - right, 299 - bottom) < 1
    # A half each, less the canvases of which a crop leaves nothing; by chance none is so far off.
    if not 7 < zoomed < 47:
        fail(
            f"Of sixty images {zoomed} show a canvas of the mean's colour, normalised to 0. The "
            "order is distort, zoom out (probability ½), crop, flip, normalise."
        )
    if not 10 < mirrored < 50:
        fail(f"Of sixty images {mirrored} are mirrored: the probability is ½.")
    if cut < 4:
        fail("No crop cuts an image that was zoomed out: zooming out comes before cropping.")
