"""Visible checks of task 4.2: what each transform returns."""

import colorsys

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from detlab.checking.expect import expect_close, expect_list, fail
from detlab.checking.own_work import Seeded, expect_untouched, is_same
from detlab.checking.student import Handle, Student
from detlab.checking.visible import visible
from detlab.imagenet import IMAGENET_MEAN, IMAGENET_STD
from detlab.weeks.detection import expect_floats
from detlab.weeks.week4.assertions import (
    SIDE,
    Target,
    check_target,
    expect_any_image,
    expect_image,
    expect_target,
)

HIGH, WIDE = 30, 40  # of the public image, pixels
MEAN, STD = (torch.tensor(one)[:, None, None] for one in (IMAGENET_MEAN, IMAGENET_STD))
LARGEST_TURN = 18 / 255  # of the hue, as a part of the colour circle


def public_image(height: int = HIGH, width: int = WIDE) -> Tensor:
    """Return an image whose red grows to the right and whose green grows downwards."""
    rows = torch.linspace(0.1, 0.9, height)[:, None].expand(height, width)
    columns = torch.linspace(0.1, 0.9, width).expand(height, width)
    return torch.stack([columns, rows, torch.full((height, width), 0.5)])


def public_target() -> dict[str, Tensor]:
    """Return two objects of an image of 30×40 pixels."""
    return {
        "boxes": torch.tensor([[4.0, 6.0, 14.0, 26.0], [20.0, 3.0, 38.0, 13.0]]),
        "labels": torch.tensor([2, 1]),
        "difficult": torch.tensor([False, True]),
    }


def no_target() -> dict[str, Tensor]:
    """Return the target of an image without objects."""
    return {name: values[:0] for name, values in public_target().items()}


def distorted(student: Student, generator: Handle, image: Tensor) -> Tensor:
    """Distort an image once."""
    answer = student.distort(image=image, generator=generator)
    return expect_image(answer, "The image", image.shape)


@visible("4.2")
def distortion(student: Student) -> None:
    """Distorted images: their form and range, whether they differ, and whether black stays."""
    generator = student.tool("generator", 3)
    images = [distorted(student, generator, public_image()) for _ in range(40)]
    if min(float(x.min()) for x in images) < 0 or max(float(x.max()) for x in images) > 1:
        fail("`distort`'s images must stay between 0 and 1.")
    untouched = sum(torch.equal(image, public_image()) for image in images)
    # One of sixteen on average.
    if untouched > 15:
        fail(f"Of forty images {untouched} are as before: each distortion has a probability of ½.")
    black = torch.zeros(3, 6, 6)
    for _ in range(30):
        if float(distorted(student, generator, black).max()) > 0.01:
            fail("A black image must stay black: all that `adjust_…` multiply is 0.")


def chart() -> Tensor:
    """Return an image of two greys and a colour: 3×4×6."""
    image = torch.full((3, 4, 6), 0.1)
    image[:, :, 2:4] = 0.4
    image[:, :, 4:] = torch.tensor([0.5, 0.3, 0.1])[:, None, None]
    return image


def hue(colour: Tensor) -> float:
    """Return a colour's hue as HSV has it, 0 to 1."""
    return colorsys.rgb_to_hsv(*colour.double().clamp(0, 1).tolist())[0]


def grey(colour: Tensor) -> float:
    """Return the grey of a colour, as torchvision weighs it."""
    return float((colour * torch.tensor([0.2989, 0.587, 0.114])).sum())


def read_chart(image: Tensor) -> tuple[float, float, bool | None] | None:
    """Return the saturation's factor and the hue's shift, and whether the hue came before.

    Brightness and contrast change all colours by one linear function, which the greys tell; it is
    undone here. Then the brightest of the three numbers tells which came first: saturation moves it
    away from the colour's grey, and a turned colour has another grey.

    Returns:
        None where a colour was cut to [0, 1]; None for the order where it does not show.
    """
    if float(image.max()) > 0.995 or float(image.min()) < 0.005:
        return None
    before, (low, high) = chart()[:, 0, 4], (float(image[:, 0, n].mean()) for n in (0, 2))
    factor = (high - low) / 0.3
    if factor < 0.6:  # where a step of 1/255 would count for much
        return None
    colour = (image[:, 0, 4] - low) / factor + 0.1
    chroma = float((colour.max() - colour.min()) / (before.max() - before.min()))
    turn = (hue(image[:, 0, 4]) - hue(before) + 0.5) % 1 - 0.5
    turned = colorsys.hsv_to_rgb((hue(before) + turn) % 1, 0.8, 0.5)  # from 0.1 to 0.5, as before
    greys = grey(before), grey(torch.tensor(turned))
    brightest = [g + chroma * (0.5 - g) for g in greys]
    misses = [abs(float(colour.max()) - one) for one in brightest]
    gap = abs(brightest[0] - brightest[1])
    shows = gap > 0.006 and min(misses) < 0.3 * gap
    return chroma, turn, misses[1] < misses[0] if shows else None


@visible("4.2")
def colours(student: Student) -> None:
    """Saturation and hue of distorted colours: how often, how far, and which comes first."""
    generator = student.tool("generator", 8)
    read = [read_chart(distorted(student, generator, chart())) for _ in range(300)]
    found = [one for one in read if one]
    if len(found) < 100:
        fail("Colours that are far from 0 and 1 are cut: are the factors from 0.5 to 1.5?")
    turns = [turn for _, turn, _ in found if abs(turn) > 0.006]
    factors = [factor for factor, _, _ in found if abs(factor - 1) > 0.04]
    # A half each; 200 and more of them leave a twentieth of room five times over.
    for what, changed in (("saturation", factors), ("hue", turns)):
        share = len(changed) / len(found)
        if not 0.28 < share < 0.67:
            fail(f"The {what} changes in {share:.0%} of images: each has a probability of ½.")
    if min(factors) > 0.7 or max(factors) < 1.3 or min(factors) < 0.45 or max(factors) > 1.55:
        fail("The saturation's factor must come from all of [0.5, 1.5].", f"{sorted(factors)}")
    most = max(map(abs, turns))
    if not 0.055 < most < LARGEST_TURN + 0.007:  # bytes in between hide 0.006
        fail("The hue's shift must come from all of [−18/255, 18/255].", f"at most {most:.4f}")
    orders = [first for _, _, first in found if first is not None]
    if len(orders) >= 18 and len(set(orders)) == 1:
        first, second = ("hue", "saturation") if orders[0] else ("saturation", "hue")
        fail(f"The {first} always comes before the {second}: the order must be random.")


@visible("4.2")
def canvas(student: Student) -> None:
    """A zoomed-out image: its place, its boxes, the colour and size of its canvas."""
    generator, image, boxes = student.tool("generator", 4), public_image(), public_target()["boxes"]
    scales, places = [], []
    for _ in range(40):
        answer = student.zoom_out(image=image, boxes=boxes, generator=generator)
        wider, moved = expect_list(answer, "`zoom_out`'s result (image, boxes)", 2)
        wider = expect_any_image(wider, "`zoom_out`'s image")
        moved = expect_floats(moved, "`zoom_out`'s boxes", (2, 4))
        left, top, *_ = (moved[0] - boxes[0]).round().int().tolist()
        tall, wide = wider.shape[1:]
        if not (0 <= left <= wide - 40 and 0 <= top <= tall - 30 and tall < 121 and wide < 161):
            fail("The canvas must hold the whole image, and be at most four times as large.")
        expect_close(moved, boxes + torch.tensor([left, top, left, top]), "The boxes", 1e-4)
        expected = MEAN.repeat(1, tall, wide)
        expected[:, top : top + 30, left : left + 40] = image
        expect_close(wider, expected, "The canvas", 1e-4)
        if max(tall / HIGH, wide / WIDE) >= min((tall + 1) / HIGH, (wide + 1) / WIDE):
            fail("Height and width must be enlarged by one scale, and then rounded down.")
        scales.append(tall / HIGH)
        places.append((top, left))
    # That forty scales or places miss so much happens once in millions of times.
    if min(scales) > 2.2 or max(scales) < 2.8:
        fail("The scales must come from all of [1, 4].", f"{min(scales):.2f} to {max(scales):.2f}")
    if any(max(rooms) == 0 for rooms in zip(*places, strict=True)):
        fail("The place of the image on its canvas must be drawn, too, in both directions.")


def in_crop(target: Target, left: int, top: int, wide: int, tall: int) -> dict[str, Tensor]:
    """Return the objects of a crop, counted from its corner."""
    corner, sides = torch.tensor([left, top]), torch.tensor([wide, tall])
    first, last = (part - corner for part in target["boxes"].split(2, 1))
    centres = (first + last) / 2
    inside = ((centres > 0) & (centres < sides)).all(1)
    boxes = torch.cat([one.clamp(min=0).minimum(sides) for one in (first, last)], 1)
    return {name: one[inside] for name, one in (target | {"boxes": boxes}).items()}


@visible("4.2")
def crop(student: Student) -> None:
    """The pieces that are cut out, and their objects."""
    generator, image, target = student.tool("generator", 2), public_image(), public_target()
    target["boxes"] += 0.3  # no centre lies between two pixels, where it may be in or out
    corners = []
    for _ in range(30):
        answer = student.random_crop(image=image, target=target, generator=generator)
        piece, kept = expect_list(answer, "`random_crop`'s result (image, target)", 2)
        piece = expect_any_image(piece, "`random_crop`'s image")
        kept = expect_target(kept, "`random_crop`'s target")
        if not len(kept["labels"]):
            fail("A crop must keep at least one object.")
        tall, wide = piece.shape[1:]
        # The image tells by its colours where the piece comes from.
        left, top = (
            round((float(piece[n, 0, 0]) - 0.1) / 0.8 * (WIDE - 1, HIGH - 1)[n]) for n in (0, 1)
        )
        if not (0 <= left <= WIDE - wide and 0 <= top <= HIGH - tall):
            fail("`random_crop` must return a piece of its image.")
        cut = image[:, top : top + tall, left : left + wide]
        expect_close(piece, cut, "`random_crop`'s image, a piece of the given one,", 1e-4)
        right = in_crop(target, left, top, wide, tall)
        if kept["labels"].tolist() != right["labels"].tolist():
            fail("The objects of a crop are not those whose centres lie inside.")
        limits = torch.tensor([wide, tall, wide, tall])
        if bool((kept["boxes"] < 0).any() | (kept["boxes"] > limits).any()):
            fail("A crop's boxes must be clipped to it, and count from its corner.")
        check_target(kept, right, "`random_crop`'s target", 1e-4)
        corners += [(left, top)] if (tall, wide) != (HIGH, WIDE) else []
    # A third of right ones begin at the left edge at most, or at the top.
    if len(corners) > 9 and any(max(rooms) == 0 for rooms in zip(*corners, strict=True)):
        fail("All crops begin at one edge: their place must be drawn, too, in both directions.")
    answer = student.random_crop(image=image, target=no_target(), generator=generator)
    piece, _ = expect_list(answer, "`random_crop`'s result (image, target)", 2)
    expect_close(piece, image, "`random_crop`'s image without objects", 1e-6)


@visible("4.2")
def mirror_image(student: Student) -> None:
    """A flipped image and its boxes."""
    image, target = public_image(), public_target()
    flipped, boxes = expect_list(student.flip(image=image, boxes=target["boxes"]), "`flip`", 2)
    expect_close(flipped, image.flip(2), "`flip`'s image", 1e-6)
    right = torch.tensor([[26.0, 6.0, 36.0, 26.0], [2.0, 3.0, 20.0, 13.0]])
    expect_close(boxes, right, "`flip`'s boxes", 1e-4)


@visible("4.2")
def ready(student: Student) -> None:
    """An image and its boxes, made ready for evaluation."""
    student.seed(1)
    right = public_target()
    right["boxes"] = torch.tensor([[0.1, 0.2, 0.35, 26 / 30], [0.5, 0.1, 0.95, 13 / 30]])
    striped = torch.where(torch.arange(WIDE) % 4 < 2, 0.2, 0.8).expand(3, HIGH, WIDE)
    for image in (torch.zeros(3, HIGH, WIDE), torch.full((3, HIGH, WIDE), 0.7), striped):
        answer = student.transform(image=image.clone(), target=public_target())
        made, kept = expect_list(answer, "`transform`'s result (image, target)", 2)
        made = expect_image(made, "`transform`'s image", (3, SIDE, SIDE))
        # An image that grows is the same with antialiasing and without.
        larger = interpolate(image[None], (SIDE, SIDE), mode="bilinear", align_corners=False)[0]
        values = (larger - MEAN) / STD
        means = made.mean((1, 2)), values.mean((1, 2))
        expect_close(*means, "The mean of `transform`'s channels", 0.02)
        # A step of 1/255 in between is 0.018 here.
        expect_close(made, values, "`transform`'s image of 30×40 pixels", 0.045)
        check_target(kept, right, "`transform`'s target")
    expect_untouched(student, "transform", public_image(), public_target())


@visible("4.2")
def of_one_seed(student: Student) -> None:
    """Whether images for training hang on the generator and on nothing else."""
    for seed in range(6):
        answers = []
        for state in (1, 2):
            student.seed(state)
            generator = student.tool("generator", seed)
            given = {"image": public_image(), "target": public_target(), "generator": generator}
            made, kept = expect_list(student.transform(**given), "`transform`'s result", 2)
            expect_image(made, "`transform`'s image for training", (3, SIDE, SIDE))
            boxes = expect_target(kept, "`transform`'s target for training")["boxes"]
            if bool((boxes < -1e-4).any() | (boxes > 1.0001).any()):
                fail("`transform`'s boxes must be fractions of the image's sides.")
            answers.append([made, kept])
        if not is_same(*answers):
            fail("Equal generators must give equal images: all chance comes from the generator.")
    expect_untouched(student, "transform", public_image(), public_target(), Seeded(3))
