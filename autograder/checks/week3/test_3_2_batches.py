"""Task 3.2: a data set, batches, and standardised images."""

import pytest
import torch

from detcourse.cases import random_boxes, random_labels, uniform
from detlab.checking.expect import expect_close, expect_handle, expect_list, expect_tensor, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Handle, Student
from detlab.weeks.detection import expect_indices
from detlab.weeks.week3.assertions import FORBIDDEN, Scene, check_dataset, check_standardised

pytestmark = [pytest.mark.task("3.2", points=5), pytest.mark.forbid(*FORBIDDEN)]


def random_scenes(rng: torch.Generator, counts: list[int], size: tuple[int, int]) -> list[Scene]:
    """Return scenes with so many objects, of this (height, width)."""
    return [
        (
            uniform(rng, 0.1 * n, 0.2 * n + 0.3, 1, *size),
            random_boxes(rng, count),
            random_labels(rng, count, 11),
        )
        for n, count in enumerate(counts)
    ]


def dataset_of(student: Student, scenes: list[Scene]) -> Handle:
    """Have a data set made of scenes."""
    images, boxes, labels = zip(*scenes, strict=True)
    made = student.SceneDataset(images=torch.stack(images), boxes=list(boxes), labels=list(labels))
    return expect_handle(made, "`SceneDataset(…)`", "a data set")


@pytest.mark.weight(2)
def test_standardize(student: Student, rng: torch.Generator) -> None:
    """The mean and the standard deviation of an image."""
    # A small one, too: a bound for the deviation that hangs on the number of pixels shows there.
    for size, low, high in (
        ((32, 32), 0, 1),
        ((20, 44), 0.2, 0.6),
        ((40, 30), -30, 50),
        ((5, 6), 0.2, 0.7),
    ):
        image = uniform(rng, low, high, 1, *size)
        check_standardised(student.standardize(image=image), image, "`standardize`'s result")
    expect_untouched(student, "standardize", image)


@pytest.mark.weight(1)
def test_equal_pixels(student: Student) -> None:
    """An image whose pixels are all equal."""
    for value in (0.0, 0.5, 1.0):  # which floats hold exactly, and so their mean
        image = torch.full((1, 32, 32), value)
        check_standardised(student.standardize(image=image), image, "An image of equal pixels")


@pytest.mark.weight(3)
def test_dataset(student: Student, rng: torch.Generator) -> None:
    """The items of the data set, against the scenes that it was given."""
    scenes = random_scenes(rng, [2, 0, 4, 1], (32, 32))
    check_dataset(student, scenes, dataset_of(student, scenes))
    images, boxes, labels = zip(*scenes, strict=True)
    expect_untouched(student, "SceneDataset", torch.stack(images), list(boxes), list(labels))


@pytest.mark.weight(3)
def test_collate(student: Student, rng: torch.Generator) -> None:
    """What `collate` makes of scenes with different numbers of objects."""
    for counts in ([3, 0, 1], [2], [2, 2]):
        scenes = random_scenes(rng, counts, (32, 32))
        parts = expect_list(student.collate(scenes=scenes), "`collate`'s result", 3)
        check_batch(parts, scenes)


def check_batch(parts: list, scenes: list[Scene]) -> None:
    """Compare a batch with the scenes that it is made of."""
    images = torch.stack([image for image, _, _ in scenes])
    expect_close(parts[0], images, "The images of a batch")
    for values, n, what in ((parts[1], 1, "boxes"), (parts[2], 2, "labels")):
        if not isinstance(values, list):
            fail(f"The {what} of a batch must be a list of tensors, one for each image.")
        for value, scene in zip(
            expect_list(values, f"The {what}", len(scenes)), scenes, strict=True
        ):
            expect_close(value, scene[n], f"The {what} of an image of a batch")
    for value, (_, _, labels) in zip(parts[2], scenes, strict=True):
        expect_indices(value, "The labels of an image of a batch", labels.shape)


@pytest.mark.weight(1)
def test_with_torchs_loader(student: Student, rng: torch.Generator) -> None:
    """Data set and `collate` in torch's `DataLoader`."""
    scenes = random_scenes(rng, [1, 0, 4, 2, 3], (32, 32))
    dataset, collate = dataset_of(student, scenes), student.fetch("collate")
    batches = expect_list(student.tool("batches", dataset, collate, 3), "The batches", 2)
    for batch, some in zip(batches, (scenes[:3], scenes[3:]), strict=True):
        parts = expect_list(batch, "A batch", 3)
        images = expect_tensor(parts[0], "The images of a batch", (len(some), 1, 32, 32))
        for n, (image, _, _) in enumerate(some):
            check_standardised(images[n], image, "An image of a batch")
        check_batch([torch.stack([image for image, _, _ in some]), *parts[1:]], some)
