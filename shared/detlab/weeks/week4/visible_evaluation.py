"""Visible checks of task 4.11: evaluation as Pascal VOC does it."""

from typing import Any

import torch
from torch import Tensor

from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.weeks.week4.assertions import expect_precisions


def public_detections() -> tuple[list, list]:
    """Return two images: in class 1 a hit, a double, a miss and a hit that is difficult."""
    boxes = torch.tensor([[0.0, 0.0, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9], [0.0, 0.6, 0.3, 0.9]])
    found = [
        {
            "boxes": torch.cat([boxes[:1], boxes[:1] + 0.01, boxes[2:]]),
            "labels": torch.tensor([1, 1, 1]),
            "scores": torch.tensor([0.7, 0.8, 0.9]),
        },
        {"boxes": boxes[1:2], "labels": torch.tensor([2]), "scores": torch.tensor([0.5])},
    ]
    truths = [
        {
            "boxes": boxes,
            "labels": torch.tensor([1, 1, 1]),
            "difficult": torch.tensor([False, False, True]),
        },
        {"boxes": boxes[:2], "labels": torch.tensor([2, 2]), "difficult": torch.tensor([True] * 2)},
    ]
    return found, truths


@visible("4.11")
def evaluation(student: Student) -> None:
    """The precision with a hit, a double, a miss, and a difficult object."""
    found, truths = public_detections()
    # The difficult one, surest of all, counts for nothing; then a hit, then a false positive.
    for way, expected in (("all-point", 0.5), ("11-point", 6 / 11)):
        given = {"detections": found, "truths": truths, "interpolation": way}
        answer = expect_precisions(student.average_precisions(**given), [1])
        if abs(answer[1] - expected) > 1e-6:
            fail(f"The {way} AP must be {expected:.4f}, but is {answer[1]:.4f}.")
    perfect = [
        {"boxes": t["boxes"], "labels": t["labels"], "scores": torch.ones(len(t["labels"]))}
        for t in truths
    ]
    plain = [t | {"difficult": torch.zeros(len(t["labels"]), dtype=torch.bool)} for t in truths]
    answer = student.average_precisions(detections=perfect, truths=plain)
    if expect_precisions(answer, [1, 2]) != {1: 1.0, 2: 1.0}:
        fail("Perfect detections have AP 1 in every class.", f"{answer}")


@visible("4.11")
def table(student: Student) -> None:
    """The table: a line for each class, and the mean."""
    given = {"precisions": {1: 0.25, 3: 0.75}, "names": ["dog", "cat", "hen"]}
    text = student.precision_table(**given)
    if type(text) is not str:
        fail("`precision_table` must return a string.")
    rows = [line.split() for line in text.splitlines()]
    if rows != [["dog", "0.250"], ["cat", "-"], ["hen", "0.750"], ["mean", "0.500"]]:
        fail("The table is not dog 0.250, cat -, hen 0.750, mean 0.500, line by line.", text)


def one_image(**values: list) -> dict[str, Tensor]:
    """Return the detections, or the objects, of an image."""
    kinds = {"boxes": torch.float32, "labels": torch.int64, "scores": torch.float32}
    image = {name: torch.tensor(one, dtype=kinds[name]) for name, one in values.items()}
    image["boxes"] = image["boxes"].reshape(-1, 4)
    image.setdefault("labels", torch.ones(len(image["boxes"]), dtype=torch.int64))
    if "scores" not in image:
        image["difficult"] = torch.zeros(len(image["boxes"]), dtype=torch.bool)
    return image


def compare(
    student: Student, found: list, truths: list, expected: dict[int, float], words: str, **how: Any
) -> None:
    """Compare the average precisions of a scene."""
    answer = student.average_precisions(detections=found, truths=truths, **how)
    answer = expect_precisions(answer, list(expected))
    for label, right in expected.items():
        if abs(answer[label] - right) > 1e-5:
            fail(f"{words} The AP of class {label} is {right:.4f}, not {answer[label]:.4f}.")


A, B, C, D = [0.0, 0.0, 0.3, 0.3], [0.5, 0.5, 0.9, 0.9], [0.0, 0.6, 0.3, 0.9], [0.6, 0.0, 0.9, 0.3]


@visible("4.11")
def across_images(student: Student) -> None:
    """The precisions of three classes in two images."""
    found = [
        one_image(boxes=[B, A, C, A], labels=[1, 1, 1, 2], scores=[0.95, 0.9, 0.1, 0.8]),
        one_image(boxes=[B, A], labels=[1, 3], scores=[0.85, 0.7]),
    ]
    truths = [one_image(boxes=[A, D], labels=[1, 2]), one_image(boxes=[B, C], labels=[1, 3])]
    # Class 1: a false positive, two hits, a false positive. B lies in the second image alone.
    words = "Two images and three classes."
    compare(student, found, truths, {1: 2 / 3, 2: 0.0, 3: 0.0}, words)
    found = [one_image(boxes=[B], scores=[0.9]), one_image(boxes=[A], scores=[0.8])]
    words = "What is found in an image without objects is a false positive."
    compare(student, found, [one_image(boxes=[]), one_image(boxes=[A])], {1: 0.5}, words)


@visible("4.11")
def rivals(student: Student) -> None:
    """The precision where detections overlap with two objects, or objects are found twice."""
    beside = [0.0, 0.06, 0.3, 0.36]  # IoU 0.67 with A
    both = [one_image(boxes=[beside, A])]
    near = [one_image(boxes=[A, beside], scores=[0.9, 0.8])]
    compare(student, near, both, {1: 1.0}, "Each detection has an object of its own.")
    twice = [one_image(boxes=[A, [0.0, 0.005, 0.3, 0.305]], scores=[0.9, 0.8])]
    words = "Both detections are nearest to the same object, though the other would do."
    compare(student, twice, both, {1: 0.5}, words)
    doubled = [one_image(boxes=[A, A, B], scores=[0.9, 0.8, 0.7])]
    words = "A second detection of an object is a false positive."
    compare(student, doubled, [one_image(boxes=[A, B])], {1: 5 / 6}, words)
    truths = [one_image(boxes=[A, B])]
    truths[0]["difficult"][0] = True
    words = "Of a difficult object no detection counts, however many there are."
    compare(student, doubled, truths, {1: 1.0}, words)


@visible("4.11")
def overlaps(student: Student) -> None:
    """The precision at an IoU of exactly ½, at other thresholds, and beyond the image's edge."""
    truths = [one_image(boxes=[[0.0, 0.0, 0.5, 0.5]])]
    half = [one_image(boxes=[[0.0, 0.0, 0.5, 0.25]], scores=[0.9])]
    compare(student, half, truths, {1: 0.0}, "The IoU is exactly ½, which it must exceed.")
    for threshold, iou, right in ((0.3, 0.4, 1.0), (0.7, 0.6, 0.0)):
        some = [one_image(boxes=[[0.0, 0.0, 0.5, 0.5 * iou]], scores=[0.9])]
        words = f"The IoU is {iou}, the threshold {threshold}."
        compare(student, some, truths, {1: right}, words, iou_threshold=threshold)
    # Cut to the image, it would overlap as a whole.
    beyond = [one_image(boxes=[[-0.3, -0.2, 0.5, 0.5]], scores=[0.9])]
    compare(student, beyond, truths, {1: 0.0}, "The detection sticks out of the image: IoU 0.45.")


@visible("4.11")
def many_objects(student: Student) -> None:
    """The 11-point precision where recalls are exact tenths, and 120 detections in one image."""
    grid = torch.cartesian_prod(torch.arange(12.0), torch.arange(10.0)) / 12
    places = torch.cat([grid, grid + 0.05], 1).tolist()
    truths = [one_image(boxes=places[:10])]
    # Three hits, a false positive, three hits: precision 1 up to recall 0.3, 6/7 up to 0.6.
    shown = [*places[:3], places[50], *places[3:6]]
    found = [one_image(boxes=shown, scores=[0.9 - n / 100 for n in range(7)])]
    right = (4 + 3 * 6 / 7) / 11
    words = "Six of ten objects are found: recalls are exact tenths."
    compare(student, found, truths, {1: right}, words, interpolation="11-point")
    found = [one_image(boxes=places, scores=[0.9 - n / 1000 for n in range(120)])]
    words = "All of 120 objects of an image are found."
    compare(student, found, [one_image(boxes=places)], {1: 1.0}, words)
