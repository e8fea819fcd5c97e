"""Task 4.11: average precision as Pascal VOC measures it.

Overlaps keep away from the threshold and scores are distinct, so that one answer is right.
"""

import pytest
import torch
from torch import Tensor

from detcourse import truth
from detcourse.cases import randint, random_boxes, random_labels, uniform
from detcourse.draws import draws
from detcourse.week4.wrong_precisions import cause_in_precisions
from detlab.checking.expect import fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.checking.wording import apart
from detlab.metrics import mean_average_precision
from detlab.weeks.week4.assertions import FORBIDDEN, expect_own_work, expect_precisions

pytestmark = [
    pytest.mark.task("4.11", points=7),
    pytest.mark.limits(cpu_s=30, memory_mb=2048, wall_s=120),
    pytest.mark.forbid(*FORBIDDEN),
]

WAYS = ("all-point", "11-point")
Images = tuple[list[dict[str, Tensor]], list[dict[str, Tensor]]]


def scenes(
    rng: torch.Generator,
    count: int,
    num_classes: int,
    difficult: float = 0.3,
    threshold: float = 0.5,
) -> Images:
    """Return detections and truths of some images: hits, doubles, confusions, misses, noise."""
    found, truths = [], []
    for _ in range(count):
        for _ in draws():
            objects = randint(rng, 0, 5)
            boxes = random_boxes(rng, objects, 0.15, 0.5)
            labels = random_labels(rng, objects, num_classes)
            guesses, names = [random_boxes(rng, 2)], [random_labels(rng, 2, num_classes)]
            for box, label in zip(boxes, labels, strict=True):
                copies = randint(rng, 0, 3)
                side = (box[2:] - box[:2]).repeat(2)
                noise = 0.13 * torch.randn(copies, 4, generator=rng)
                guesses.append(box + noise * side)
                wrong = torch.rand(copies, generator=rng) < 0.15
                other = random_labels(rng, copies, num_classes)
                names.append(torch.where(wrong, other, label))
            guess = torch.cat(guesses)
            sound = bool((guess[:, 2:] > guess[:, :2] + 0.01).all())
            doubt = truth.iou_in_doubt(guess, boxes, threshold, 1e-4)
            if sound and not bool(doubt.any()):
                break
        found.append({"boxes": guess, "labels": torch.cat(names)})
        flags = torch.rand(objects, generator=rng) < difficult
        truths.append({"boxes": boxes, "labels": labels, "difficult": flags})
    total = sum(len(one["labels"]) for one in found)
    scores = (torch.randperm(total, generator=rng) + 1) / (total + 1)
    for one in found:
        one["scores"], scores = scores[: len(one["labels"])], scores[len(one["labels"]) :]
        order = one["scores"].argsort(descending=bool(randint(rng, 0, 1)))
        for name in list(one):
            one[name] = one[name][order]
    return found, truths


def compare(student: Student, images: Images, way: str, threshold: float | None = None) -> None:
    """Compare the average precisions of all classes."""
    given = {"detections": images[0], "truths": images[1], "interpolation": way}
    if threshold is not None:
        given["iou_threshold"] = threshold
    answer = student.average_precisions(**given)
    right = mean_average_precision(*images, threshold or 0.5, way).per_class
    answer = expect_precisions(answer, list(right))
    for label, one in right.items():
        if abs(answer[label] - one.average_precision) > 1e-6:
            expected, got = apart(one.average_precision, answer[label])
            fail(
                f"The {way} average precision of a class is wrong. "
                f"{cause_in_precisions(answer, *images, way, threshold or 0.5)}".rstrip(),
                f"Class {label}: expected {expected}, got {got}.",
            )


@pytest.mark.weight(3)
def test_all_point(student: Student, rng: torch.Generator) -> None:
    """The area under the interpolated curve, class by class."""
    for count, classes in ((12, 4), (5, 2), (20, 9)):
        images = scenes(rng, count, classes, difficult=0.0)
        compare(student, images, WAYS[0])
    given = {"detections": images[0], "truths": images[1]}
    expect_own_work(student, "average_precisions", **given)
    expect_untouched(student, "average_precisions", *images)


@pytest.mark.weight(2)
def test_eleven_points(student: Student, rng: torch.Generator) -> None:
    """The mean at eleven recalls, class by class."""
    for count in (6, 15):
        compare(student, scenes(rng, count, 3, difficult=0.0), WAYS[1])
    for _ in range(3):
        for _ in draws():
            images = ten_objects(rng)
            if shows_rounding(images):
                break
        compare(student, images, WAYS[1])


def shows_rounding(images: Images) -> bool:
    """Say whether the precision is another if 3/10 of the objects do not reach 3 × 0.1."""
    one = mean_average_precision(*images, 0.5, WAYS[1]).per_class[1]
    recall, precision = (
        torch.as_tensor(x, dtype=torch.float64) for x in (one.recall, one.precision)
    )
    sums = []
    for levels in ([k / 10 - 1e-12 for k in range(11)], [k * 0.1 for k in range(11)]):
        above = [precision[recall >= level] for level in levels]
        sums.append(sum(float(some.max()) for some in above if len(some)))
    return abs(sums[0] - sums[1]) > 0.01


def ten_objects(rng: torch.Generator) -> Images:
    """Return images with ten objects of a class, of which some number is found in the end."""
    hits = randint(rng, 3, 10)
    found, truths = [], []
    order = torch.randperm(20, generator=rng)
    for n in range(10):
        boxes = random_boxes(rng, 1, 0.2, 0.5)
        aside = torch.tensor([[0.0, 0.0, 0.02, 0.02]])
        guesses = torch.cat([boxes if n < hits else aside + 0.05, aside])
        scores = (order[2 * n : 2 * n + 2] + 1) / 21
        found.append({"boxes": guesses, "labels": torch.tensor([1, 1]), "scores": scores})
        flags = torch.zeros(1, dtype=torch.bool)
        truths.append({"boxes": boxes, "labels": torch.tensor([1]), "difficult": flags})
    return found, truths


@pytest.mark.weight(3)
def test_difficult(student: Student, rng: torch.Generator) -> None:
    """The precision where objects are difficult."""
    for way in WAYS:
        for share in (0.3, 0.7):
            compare(student, scenes(rng, 14, 3, difficult=share), way)
    found, truths = scenes(rng, 6, 3)
    for one in truths:
        one["difficult"] |= one["labels"] == 1
    compare(student, (found, truths), WAYS[0])


@pytest.mark.weight(1)
def test_other_threshold(student: Student, rng: torch.Generator) -> None:
    """The precision at other thresholds."""
    for threshold in (0.3, 0.7):
        compare(student, scenes(rng, 12, 3, 0.2, threshold), WAYS[0], threshold)


@pytest.mark.weight(2)
def test_edges(student: Student, rng: torch.Generator) -> None:
    """The precision of perfect detections, of others' classes, and of empty images."""
    _, truths = scenes(rng, 8, 4, difficult=0.0)
    perfect = [
        {"boxes": t["boxes"], "labels": t["labels"], "scores": uniform(rng, 0, 1, len(t["labels"]))}
        for t in truths
    ]
    swapped = [one | {"labels": one["labels"] % 3 + 1} for one in perfect]
    nothing = [{name: values[:0] for name, values in one.items()} for one in perfect]
    for found in (perfect, swapped, nothing):
        for way in WAYS:
            compare(student, (found, truths), way)
    # However many an image has, all of them count.
    corners = torch.cartesian_prod(torch.arange(12), torch.arange(10)) / 12
    many = {"boxes": torch.cat([corners, corners + 0.05], 1), "labels": torch.ones(120).long()}
    flags = torch.zeros(120, dtype=torch.bool)
    for way in WAYS:
        found = [many | {"scores": uniform(rng, 0, 1, 120)}]
        compare(student, (found, [many | {"difficult": flags}]), way)
    no_objects = [{name: values[:0] for name, values in one.items()} for one in truths]
    given = {"detections": perfect, "truths": no_objects}
    expect_precisions(student.average_precisions(**given), [])


@pytest.mark.weight(1)
def test_exactly(student: Student, rng: torch.Generator) -> None:
    """Overlaps of exactly the threshold, and objects that are taken already."""
    side = float(uniform(rng, 0.2, 0.4, 1).half())  # few digits, so that half of it is exact
    boxes = torch.tensor([[0.0, 0.0, side, side]])
    halved = torch.tensor([[0.0, 0.0, side, side / 2]])
    flags = torch.zeros(1, dtype=torch.bool)
    label = torch.tensor([1])
    found = [{"boxes": halved, "labels": label, "scores": torch.tensor([0.9])}]
    compare(student, (found, [{"boxes": boxes, "labels": label, "difficult": flags}]), WAYS[0])
    # Both detections are nearest to the first object, though the second would do.
    objects = torch.cat([boxes, boxes + torch.tensor([0.0, 0.2 * side, 0.0, 0.2 * side])])
    guesses = torch.cat([boxes + 0.02 * side, boxes + 0.04 * side])
    truths = [{"boxes": objects, "labels": label.repeat(2), "difficult": flags.repeat(2)}]
    found = [{"boxes": guesses, "labels": label.repeat(2), "scores": torch.tensor([0.9, 0.8])}]
    for way in WAYS:
        compare(student, (found, truths), way)


@pytest.mark.weight(1)
def test_nearest(student: Student, rng: torch.Generator) -> None:
    """Which object a detection belongs to, and whether all detections count."""
    side = float(uniform(rng, 0.2, 0.4, 1))
    boxes = torch.tensor([[0.1, 0.1, 0.1 + side, 0.1 + side]])
    objects = torch.cat([boxes, boxes + torch.tensor([0.0, 0.2 * side, 0.0, 0.2 * side])])
    truths = [
        {
            "boxes": objects,
            "labels": torch.tensor([1, 1]),
            "difficult": torch.tensor([True, False]),
        }
    ]
    found = [
        {"boxes": boxes + 0.02 * side, "labels": torch.tensor([1]), "scores": torch.tensor([0.7])}
    ]
    # A detection that sticks out: cut to the image, its IoU would exceed 0.5.
    corner = torch.tensor([[0.0, 0.0, side, side]])
    beyond = torch.tensor([[-0.6 * side, -0.4 * side, side, side]])  # IoU 0.446 as it is
    truths.append(
        {"boxes": corner, "labels": torch.tensor([2]), "difficult": torch.tensor([False])}
    )
    found.append({"boxes": beyond, "labels": torch.tensor([2]), "scores": torch.tensor([0.6])})
    for way in WAYS:
        compare(student, (found, truths), way)


@pytest.mark.weight(1)
def test_table(student: Student, rng: torch.Generator) -> None:
    """The table: a line for each class and one for the mean."""
    names = ["RBC", "white cell", "Platelets", "a dog of the longest name"]
    values = [0.0, *torch.rand(3, generator=rng).tolist()]
    for kept in ((0, 1, 2, 3), (1, 3), (2,), (0,), ()):
        precisions = {n + 1: values[n] for n in kept}
        text = student.precision_table(precisions=precisions, names=names)
        if type(text) is not str:
            fail("`precision_table` must return a string.")
        mean = sum(precisions.values()) / len(precisions) if precisions else None
        rows = [(name, precisions.get(n)) for n, name in enumerate(names, 1)] + [("mean", mean)]
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) != len(rows):
            fail(f"`precision_table` must have {len(rows)} lines, but has {len(lines)}.")
        for line, (name, value) in zip(lines, rows, strict=True):
            wanted = "-" if value is None else f"{value:.3f}"
            *start, end = line.rsplit(None, 1)
            if [one.strip() for one in start] != [name] or end != wanted:
                shown = "a dash" if value is None else "its average precision to three decimals"
                fail(f"The line of {name} in the table: its name, blanks, and {shown}.")
