"""Task 1.5: all windows of a batch, and a net applied to each."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from detcourse.week1.nets import expect_mode_kept, randint, random, slide_plainly, windows_of
from detlab.checking.causes import likely_cause
from detlab.checking.expect import expect_close, expect_tensor, fail
from detlab.checking.mirror import mirror
from detlab.checking.student import Student

pytestmark = pytest.mark.task("1.5", points=15)


def tagged(rng: torch.Generator, *shape: int) -> Tensor:
    """Images whose every pixel holds a number of its own, in random order."""
    count = torch.Size(shape).numel()
    return torch.randperm(count, generator=rng).to(torch.float32).reshape(shape)


def compare_windows(student: Student, images: Tensor, size: int, stride: int) -> None:
    """Compare `extract_windows` with windows cut out one by one; values must be exact."""
    rows, columns = ((side - size) // stride + 1 for side in images.shape[2:])
    batch, channels = images.shape[:2]
    answer = student.extract_windows(images=images.clone(), size=size, stride=stride)
    shape = (batch, rows, columns, channels, size, size)
    if isinstance(answer, Tensor) and answer.dim() == 6 and answer.shape != shape:
        there = tuple(answer.shape[1:3])
        if there != (rows, columns) and {*answer.shape[4:]} == {size}:
            fail(
                f"`extract_windows` finds {there[0]}×{there[1]} windows of {size} pixels at stride "
                f"{stride} in an image of {images.shape[2]}×{images.shape[3]}, where "
                f"{rows}×{columns} fit."
            )
    answer = expect_tensor(answer, "`extract_windows`' result", shape)
    if answer.dtype != images.dtype:
        fail("`extract_windows` must keep the dtype of the images.")
    expected = torch.stack([window for _, _, window in windows_of(images, size, stride)], 1)
    expected = expected.unflatten(1, (rows, columns))
    expected = expected.double()

    def cause(found: Tensor) -> str:
        return likely_cause(found, expected) or begin_of(found, images, stride)

    expect_close(answer, expected, "`extract_windows`' result", tolerance=0.0, cause=cause)


def begin_of(answer: Tensor, images: Tensor, stride: int) -> str:
    """Say where a window begins that begins in the wrong place; each pixel has a number of its own.

    Args:
        answer: (N, rows, columns, C, size, size).
    """
    for i, j in itertools.product(*map(range, answer.shape[1:3])):
        row, column = i * stride, j * stride
        at = (images[0, 0] == answer[0, i, j, 0, 0, 0]).nonzero().tolist()
        if at and at != [[row, column]]:
            return (
                f"Window ({i}, {j}) begins at row {at[0][0]}, column {at[0][1]} of the image, not "
                f"at row {row}, column {column}."
            )
    return ""


@pytest.mark.weight(2)
def test_square_image(student: Student, rng: torch.Generator) -> None:
    """`extract_windows` on one square image."""
    compare_windows(student, tagged(rng, 1, 3, 16, 16), 14, 2)
    compare_windows(student, tagged(rng, 1, 2, 9, 9), 4, 3)


@pytest.mark.weight(2)
def test_batch(student: Student, rng: torch.Generator) -> None:
    """`extract_windows` on batches, with any number of channels."""
    compare_windows(student, tagged(rng, 3, 1, 8, 8), 4, 2)
    compare_windows(student, tagged(rng, 2, 5, 7, 7), 3, 1)


@pytest.mark.weight(3)
def test_non_square_images(student: Student, rng: torch.Generator) -> None:
    """`extract_windows` on images that are not square, wider or taller."""
    first = randint(rng, 3, 4)  # not the notebook's; two rows and columns at least
    for (height, width), stride in (((9, 16), first), ((17, 10), 7 - first)):
        compare_windows(student, tagged(rng, 2, 3, height, width), 5, stride)


@pytest.mark.weight(1)
def test_remainder(student: Student, rng: torch.Generator) -> None:
    """`extract_windows` where pixels are left over, or one window is all there is."""
    compare_windows(student, tagged(rng, 2, 1, 10, 11), 4, 3)
    compare_windows(student, tagged(rng, 2, 1, 5, 5), 5, 7)


@pytest.mark.weight(1)
def test_other_dtypes(student: Student, rng: torch.Generator) -> None:
    """The dtype of what `extract_windows` returns."""
    compare_windows(student, tagged(rng, 1, 2, 7, 6).to(torch.int64), 3, 2)
    compare_windows(student, tagged(rng, 1, 2, 7, 6).to(torch.float64), 3, 2)


def compare_scores(
    student: Student,
    rng: torch.Generator,
    shape: tuple[int, ...],
    size: int,
    stride: int,
    classes: int = 3,
) -> None:
    """Compare `slide` with a net applied window by window."""
    inputs = shape[1] * size * size
    net = nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))
    net[1].load_state_dict(
        {"weight": random(rng, classes, inputs) / inputs**0.5, "bias": random(rng, classes)}
    )
    images = random(rng, *shape)
    answer = student.slide(net=mirror(student, net), images=images, size=size, stride=stride)
    expected = slide_plainly(net, images, size, stride)
    expect_close(answer, expected, "`slide`'s result", tolerance=1e-4)


@pytest.mark.weight(1)
def test_net_keeps_its_mode(student: Student, rng: torch.Generator) -> None:
    """The net's mode after `slide`."""
    compare_scores(student, rng, (1, 2, 7, 7), 5, 2)
    net = nn.Sequential(nn.Flatten(), nn.Linear(50, 3), nn.Dropout(1.0))
    expect_mode_kept(
        student,
        "`slide`",
        net,
        lambda net: student.slide(net=net, images=random(rng, 1, 2, 7, 7), size=5, stride=2),
    )


@pytest.mark.weight(3)
def test_slide_on_one_image(student: Student, rng: torch.Generator) -> None:
    """The scores that `slide` gives for one image."""
    compare_scores(student, rng, (1, 3, 16, 16), 14, 2, classes=4)
    compare_scores(student, rng, (1, 2, 9, 14), 4, 3)


@pytest.mark.weight(3)
def test_slide_on_batches(student: Student, rng: torch.Generator) -> None:
    """The scores that `slide` gives for batches, square or not."""
    compare_scores(student, rng, (2, 3, 9, 9), 5, 2, classes=2)
    compare_scores(student, rng, (4, 1, 7, 12), 3, 3, classes=5)
