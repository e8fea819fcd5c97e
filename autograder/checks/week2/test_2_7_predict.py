"""Task 2.7: one label and one box for each image."""

import functools

import pytest
import torch
from torch import Tensor

from detcourse.draws import draws
from detcourse.week2 import wrong_ways
from detcourse.week2.scenes import prediction_of, randint, random_grid, uniform
from detlab.checking.expect import expect_close, expect_list, expect_tensor, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.grid import WindowGrid
from detlab.weeks.week2.assertions import OUTPUTS

pytestmark = pytest.mark.task("2.7", points=12)


# Of so many images no two ways of reading choose the same windows by chance.
MANY = 24
# A wrong way that can show does so in a fifth of all images, or more: in some of these, surely.
ENOUGH = 240
# Of the surest answer before the next: float32's logarithms of logits of 200 are off by 3e-5.
LEAST_LEAD = 1e-4


def random_outputs(rng: torch.Generator, images: int, grid: WindowGrid) -> Tensor:
    """Return random outputs, of which rounding cannot make another window the surest."""
    for _ in draws():
        outputs = 2 * torch.randn(images, OUTPUTS, *grid.count, generator=rng)
        sureness = outputs[:, 1:11].double().softmax(1).flatten(1)
        first, second = sureness.topk(2).values.unbind(1)
        if bool((first - second > LEAST_LEAD).all()):
            return outputs


def predict(student: Student, outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    """Have outputs read, and check the form of the answer."""
    answer = student.predict(outputs=outputs, grid=grid)
    labels, boxes = expect_list(answer, "`predict`'s result (labels, boxes)", 2)
    labels = expect_tensor(labels, "The labels", (len(outputs),))
    boxes = expect_tensor(boxes, "The boxes", (len(outputs), 4))
    if labels.dtype != torch.int64:
        fail(f"The labels must be int64, but are {labels.dtype}.")
    return labels, boxes


def compare_labels(student: Student, outputs: Tensor, grid: WindowGrid) -> None:
    """Compare the labels."""
    labels, boxes = predict(student, outputs, grid)
    cause = functools.partial(cause_in, labels, boxes, outputs, grid, True)
    expect_close(labels, prediction_of(outputs, grid)[0], "The labels", cause=cause)


def compare_boxes(student: Student, outputs: Tensor, grid: WindowGrid) -> None:
    """Compare the boxes; they are differences of a few pixels in 64, far above 1e-4."""
    labels, boxes = predict(student, outputs, grid)
    cause = functools.partial(cause_in, labels, boxes, outputs, grid, False)
    expect_close(boxes, prediction_of(outputs, grid)[1], "The boxes", 1e-4, cause)


def cause_in(
    labels: Tensor, boxes: Tensor, outputs: Tensor, grid: WindowGrid, of_labels: bool, _: Tensor
) -> str:
    """Say what wrong predictions are, if it is something plain.

    Of a label there are only ten: both labels and boxes must fit, where the labels are in question.
    """
    for words, other_labels, other_boxes in wrong_ways.predictions(outputs, grid):
        same = torch.allclose(boxes.double(), other_boxes.double(), rtol=1e-4, atol=1e-5)
        if same and (not of_labels or torch.equal(labels, other_labels)):
            return words
    return ""


def telling_image(rng: torch.Generator, grid: WindowGrid) -> Tensor:
    """Return the outputs for one image, in which all wrong ways of reading show that can."""
    for _ in draws():
        outputs = random_outputs(rng, ENOUGH, grid)
        labels, boxes = prediction_of(outputs, grid)
        ways = wrong_ways.predictions(outputs, grid)
        shown = torch.stack(
            [(other != labels) | ((off - boxes).abs() > 1e-4).any(1) for _, other, off in ways]
        )
        # In a square grid, say, rows taken for columns show in no image.
        telling = (shown | ~shown.any(1, keepdim=True)).all(0)
        if bool(telling.any()):
            return outputs[telling][:1]


@pytest.mark.weight(3)
def test_labels(student: Student, rng: torch.Generator) -> None:
    """The labels, those of the window that is surest of one."""
    for _ in range(3):
        grid = random_grid(rng)
        outputs = random_outputs(rng, MANY, grid)
        compare_labels(student, outputs, grid)
    expect_untouched(student, "predict", outputs, grid)


@pytest.mark.weight(2)
def test_surest_is_relative(student: Student, rng: torch.Generator) -> None:
    """The labels where windows have large logits for every digit."""
    grid = random_grid(rng)
    outputs = random_outputs(rng, MANY, grid)
    # From 100 to 200, whose exponential is no float32.
    outputs[:, 1:11] += uniform(rng, 100, 200, MANY, 1, *grid.count)
    compare_labels(student, outputs, grid)


@pytest.mark.weight(1)
def test_detection_does_not_decide(student: Student, rng: torch.Generator) -> None:
    """The labels where detection logits are large."""
    grid = random_grid(rng)
    outputs = random_outputs(rng, MANY, grid)
    outputs[:, 0] *= 10
    compare_labels(student, outputs, grid)


@pytest.mark.weight(4)
def test_boxes(student: Student, rng: torch.Generator) -> None:
    """The boxes, in fractions of the image."""
    for _ in range(3):
        grid = random_grid(rng)
        compare_boxes(student, random_outputs(rng, MANY, grid), grid)


@pytest.mark.weight(2)
def test_rows_and_columns(student: Student, rng: torch.Generator) -> None:
    """Labels and boxes in grids that are not square."""
    for count in ((3, 7), (6, 2), (1, 5), (4, 1), (1, 1)):
        grid = WindowGrid(randint(rng, 24, 40), randint(rng, 3, 5), count)
        outputs = random_outputs(rng, MANY, grid)
        compare_labels(student, outputs, grid)
        compare_boxes(student, outputs, grid)


@pytest.mark.weight(1)
def test_single_image(student: Student, rng: torch.Generator) -> None:
    """The label and the box of one image by itself."""
    grid = random_grid(rng)
    outputs = telling_image(rng, grid)
    compare_labels(student, outputs, grid)
    compare_boxes(student, outputs, grid)
