"""Task 3.1: scenes of up to four digits.

Places and sizes are read off boxes. Chances are judged at six standard deviations: all some fifty
comparisons together fail a right answer less than once in 10⁶.
"""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.cases import randint
from detlab.checking.expect import expect_close, fail
from detlab.checking.own_work import Seeded, expect_untouched
from detlab.checking.student import Student
from detlab.digits import load_digits
from detlab.weeks.week3.assertions import (
    FORBIDDEN,
    SIDE,
    Scene,
    expect_scene,
    expect_tight_boxes,
    pixels_of,
)

pytestmark = [
    pytest.mark.task("3.1", points=8),
    pytest.mark.limits(cpu_s=60, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

COUNT = 800
SIGMAS = 6
CHANCE = 1e-8  # of Pearson's chi-square under a right answer, at which it is taken for wrong
CENTRES = [(8, 8), (8, 24), (24, 8), (24, 24)]  # of the regions, (y, x)


def digits_of(*blocks: tuple[int, int]) -> Tensor:
    """Return patches with a block of full ink (height, width) each, off the middle."""
    digits = torch.zeros(len(blocks), 1, 28, 28)
    for digit, (height, width) in zip(digits, blocks, strict=True):
        digit[:, 2 : 2 + height, 28 - width : 28] = 1
    return digits


def scenes(
    student: Student, digits: Tensor, labels: Tensor, rng: torch.Generator, count: int = COUNT
) -> list[Scene]:
    """Have scenes made, all with one generator."""
    generator = student.tool("generator", randint(rng, 0, 10**6))
    given = {"digits": digits, "labels": labels, "generator": generator}
    return [expect_scene(student.make_scene(**given)) for _ in range(count)]


def region_of(box: tuple[int, int, int, int]) -> int:
    """Return the region in which the middle of a small box lies."""
    left, top, right, bottom = box
    return 2 * (top + bottom >= SIDE) + (left + right >= SIDE)


def expect_uniform(values: list, allowed: list, what: str) -> None:
    """Check that values are the allowed ones, each about as often as any other."""
    strange = sorted(set(values) - set(allowed))
    if strange:
        fail(f"{what} must be from {allowed[0]} to {allowed[-1]}.", f"There were {strange[:5]}.")
    counts = torch.tensor([values.count(value) for value in allowed], dtype=torch.float64)
    if len(values) >= 20 * len(allowed) and 0 in counts:
        missing = allowed[counts.tolist().index(0)]
        fail(f"{what} never is {missing} in {len(values)} draws.")
    expected = len(values) / len(allowed)
    chi_square = ((counts - expected) ** 2 / expected).sum()
    freedom = torch.tensor((len(allowed) - 1) / 2, dtype=torch.float64)
    if float(torch.special.gammaincc(freedom, chi_square / 2)) < CHANCE:
        often = allowed[int((counts - expected).abs().argmax())]
        fail(f"{what} is not uniform: {often} comes too often or too seldom.")


@pytest.mark.weight(1)
def test_reproducible(student: Student, rng: torch.Generator) -> None:
    """Whether the generator, and nothing else, decides the scene."""
    digits, labels = load_digits("train")
    digits, labels, seed = digits[:50], labels[:50], randint(rng, 0, 10**6)
    expect_untouched(student, "make_scene", digits, labels, Seeded(seed))
    made = []
    for torch_seed in (1, 2):
        student.seed(torch_seed)
        generator = student.tool("generator", seed)
        given = {"digits": digits, "labels": labels, "generator": generator}
        made.append([expect_scene(student.make_scene(**given)) for _ in range(8)])
    cause = "All chance must come from `generator`."
    for first, second in zip(*made, strict=True):
        for a, b, what in zip(first, second, ("image", "boxes", "labels"), strict=True):
            expect_close(b, a, f"The {what} of a scene of equal seed", cause=cause)
    images = [image for image, _, _ in made[0]]
    if all(torch.equal(images[0], image) for image in images[1:]):
        fail("Calls with one generator gave the same scene again and again.")


@pytest.mark.weight(2)
def test_boxes_are_tight(student: Student, rng: torch.Generator) -> None:
    """The boxes of real digits, against their ink."""
    digits, labels = load_digits("train")
    first = randint(rng, 0, 3900)
    made = scenes(student, digits[first : first + 100], labels[first : first + 100], rng, 300)
    for image, boxes, _ in made:
        expect_tight_boxes(image, boxes)


@pytest.mark.weight(2)
def test_regions(student: Student, rng: torch.Generator) -> None:
    """How often each region is filled, and the order of the objects."""
    made = scenes(student, digits_of((8, 8)), torch.tensor([4]), rng)
    filled = torch.zeros(len(made), 4, dtype=torch.float64)
    for n, (_, boxes, _) in enumerate(made):
        regions = [region_of(box) for box in pixels_of(boxes)]
        if len(set(regions)) < len(regions):
            fail("Two digits lie in one region: there is at most one in each.")
        if regions != sorted(regions):
            fail("The objects must come in the order of the regions, row by row.")
        filled[n, regions] = 1
    bound = SIGMAS * math.sqrt(0.8 * 0.2 / len(made))
    if abs(float(filled.mean()) - 0.8) > bound / 2:  # four regions: half the deviation
        fail(f"{100 * float(filled.mean()):.0f} % of the regions are filled, not 80 %.")
    for region, share in enumerate(filled.mean(0).tolist()):
        if abs(share - 0.8) > bound:
            fail(f"Region {region} is filled in {100 * share:.0f} % of the scenes, not in 80 %.")
    for a, b in itertools.combinations(range(4), 2):
        if abs(float(torch.corrcoef(filled[:, [a, b]].T)[0, 1])) > SIGMAS / len(made) ** 0.5:
            fail("Whether one region is filled depends on another: draw for each on its own.")


def expect_each_its_own(values: list[list], what: str) -> None:
    """Check that the objects of a scene do not share a draw."""
    several = [some for some in values if len(some) > 1]
    if several and sum(len(set(some)) == 1 for some in several) > 0.5 * len(several):
        fail(f"All digits of a scene have the same {what}: draw anew for each.")


@pytest.mark.weight(2)
def test_sizes(student: Student, rng: torch.Generator) -> None:
    """The sizes of resized patches, over many scenes."""
    full = torch.full((1, 1, 28, 28), 0.06)  # faint ink is ink
    full[..., 6:22, 6:22] = 1
    made = scenes(student, full, torch.tensor([0]), rng)
    by_scene = [pixels_of(boxes) for _, boxes, _ in made]
    expect_each_its_own([[right - left for left, _, right, _ in some] for some in by_scene], "size")
    boxes = [box for some in by_scene for box in some]
    if not boxes:
        fail("All scenes are empty.")
    heights = [bottom - top for _, top, _, bottom in boxes]
    if heights != [right - left for left, _, right, _ in boxes]:
        fail("A patch that is all ink must stay square: one size for both sides.")
    expect_uniform(heights, list(range(15, 28)), "The side of a resized patch")
    # A block of half the patch's height stays one of half the side, within a blurred pixel each.
    half = scenes(student, digits_of((14, 28 - 4)), torch.tensor([0]), rng, 60)
    heights = [box[3] - box[1] for _, boxes, _ in half for box in pixels_of(boxes)]
    if heights and (max(heights) > 17 or min(heights) > 11):
        fail("Resize the whole patch and crop it to its ink then, not the other way round.")


@pytest.mark.weight(3)
def test_places(student: Student, rng: torch.Generator) -> None:
    """The places of the digits, over many scenes."""
    made = scenes(student, digits_of((8, 6)), torch.tensor([0]), rng)
    shifts: dict[str, list[float]] = {"x": [], "y": []}
    by_scene = []
    for _, boxes, _ in made:
        by_scene.append([])
        for box in pixels_of(boxes):
            y, x = CENTRES[region_of(box)]
            by_scene[-1].append(((box[0] + box[2]) / 2 - x, (box[1] + box[3]) / 2 - y))
    # A shift that all share differs by half a pixel where sides are odd.
    rounded = [[(math.floor(x / 2), math.floor(y / 2)) for x, y in some] for some in by_scene]
    expect_each_its_own(rounded, "shift")
    pairs = [pair for some in by_scene for pair in some]
    if not pairs:
        fail("All scenes are empty.")
    for name, values in zip(("x", "y"), zip(*pairs, strict=True), strict=True):
        if max(map(abs, values)) > 3.5:
            fail(f"The ink's centre lies more than 3 pixels from its region's in {name}.")
        shifts[name] = [int(value) for value in values if value == int(value)]
        expect_uniform(shifts[name], list(range(-3, 4)), f"The shift in {name}")
    x, y = (torch.tensor(values, dtype=torch.float64) for values in zip(*pairs, strict=True))
    if abs(float(torch.corrcoef(torch.stack([x, y]))[0, 1])) > SIGMAS / len(pairs) ** 0.5:
        fail("The shifts in x and in y are not independent: draw one for each.")


@pytest.mark.weight(2)
def test_moved_back_in(student: Student, rng: torch.Generator) -> None:
    """The places of digits that would stick out of the image."""
    digits = torch.zeros(2, 1, 28, 28)
    digits[0, ..., 4:24], digits[1, :, 4:24] = 1, 1  # tall ink, broad ink
    made = scenes(student, digits, torch.tensor([0, 1]), rng, 300)
    touched = set()
    for _, boxes, _ in made:
        for left, top, right, bottom in pixels_of(boxes):
            height, width = bottom - top, right - left
            if not any(is_place(top, y, height) and is_place(left, x, width) for y, x in CENTRES):
                fail(
                    "A digit lies where its region and a shift of at most 3 pixels cannot put it: "
                    "move it back into the image by as much as it sticks out, and no farther."
                )
            reached = {"left": left == 0, "top": top == 0}
            reached |= {"right": right == SIDE, "bottom": bottom == SIDE}
            touched |= {side for side, reaches in reached.items() if reaches}
    for side in ("left", "top", "right", "bottom"):
        if side not in touched:
            fail(f"Large digits never touch this border of the image: {side}.")


def is_place(first: int, centre: int, size: int) -> bool:
    """Say whether ink of this size may begin at this pixel, in one direction."""
    exact = centre - size / 2
    places = {math.floor(exact), math.ceil(exact)}
    moved = {min(max(place + shift, 0), SIDE - size) for place in places for shift in range(-3, 4)}
    return first in moved


@pytest.mark.weight(2)
def test_overlaps(student: Student, rng: torch.Generator) -> None:
    """The pixels where digits overlap, and the labels that are drawn."""
    greys, labels = torch.tensor([0.25, 0.5, 0.75, 1.0]), torch.randperm(10, generator=rng)[:4]
    digits = greys[:, None, None, None] * torch.ones(1, 28, 28)
    by_label = dict(zip((labels + 1).tolist(), greys.tolist(), strict=True))
    seen, by_scene = [], []
    for image, boxes, classes in scenes(student, digits, labels, rng, 300):
        by_scene.append(classes.tolist())
        expected = torch.zeros(SIDE, SIDE)
        for (left, top, right, bottom), label in zip(
            pixels_of(boxes), classes.tolist(), strict=True
        ):
            if label not in by_label:
                fail("A label is none of the given digits' plus 1.")
            seen.append(label)
            place = expected[top:bottom, left:right]
            place.copy_(place.clamp(min=by_label[label]))
        # A hundredth for rounding to bytes.
        if float((image[0] - expected).abs().max()) > 0.01:
            fail("Where digits overlap each pixel shows the brighter one; each keeps its greys.")
    expect_uniform(seen, sorted(by_label), "The label of four digits given")
    expect_each_its_own(by_scene, "label")
    if all(len(set(some)) == len(some) for some in by_scene):
        fail("No digit ever comes twice in a scene: draw each on its own, whatever was drawn.")


@pytest.mark.weight(1)
def test_patches(student: Student, rng: torch.Generator) -> None:
    """How often each of the given digits is drawn, however many bear its label."""
    many, one = torch.randperm(10, generator=rng)[:2].tolist()
    given = torch.tensor([many, many, one, many, many])
    made = scenes(student, digits_of(*[(8, 8)] * len(given)), given, rng, 300)
    seen = [label for _, _, classes in made for label in classes.tolist()]
    if not seen:
        fail("All scenes are empty.")
    share = seen.count(one + 1) / len(seen)
    if abs(share - 1 / 5) > SIGMAS * math.sqrt(1 / 5 * 4 / 5 / len(seen)):
        fail(
            f"Of five digits given, four of one label, the fifth comes in {100 * share:.0f} % of "
            "the places, not in 20 %: draw one of the digits, not first a label."
        )


@pytest.mark.weight(1)
def test_upright(student: Student, rng: torch.Generator) -> None:
    """The digits as they come out, upright and resized."""
    # Darker to the right, and half as much downwards.
    slopes = torch.linspace(0, 0.6, 28), torch.linspace(0, 0.3, 28)
    digit = 1 - slopes[0] - slopes[1][:, None]
    for image, boxes, _ in scenes(student, digit.view(1, 1, 28, 28), torch.tensor([1]), rng, 40):
        expected = torch.zeros(SIDE, SIDE)
        for left, top, right, bottom in pixels_of(boxes):
            size = (bottom - top, right - left)
            ink = F.interpolate(digit[None, None], size, mode="bilinear", antialias=True)[0, 0]
            place = expected[top:bottom, left:right]
            place.copy_(torch.maximum(place, ink))
        # The nearest pixel is off by the slope over half a pixel, a transposed digit by 0.1.
        if float((image[0] - expected).abs().mean()) > 0.03:
            fail("The digit comes out mirrored, turned or in other greys.")
