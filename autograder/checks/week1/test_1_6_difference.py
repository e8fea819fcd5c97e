"""Task 1.6: the norm of the difference, and where the two could differ."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from detcourse.week1.nets import expect_mode_kept, randint, random, slide_plainly
from detlab.checking.causes import explained_by
from detlab.checking.expect import (
    expect_equal,
    expect_ints,
    expect_list,
    expect_number,
    fail,
)
from detlab.checking.given import expect_without_gradients
from detlab.checking.mirror import mirror
from detlab.checking.replies import calls_of
from detlab.checking.student import Student
from detlab.weeks.week1.assertions import check_sizes

pytestmark = pytest.mark.task("1.6", points=8)


def net_and_twin(rng: torch.Generator, size: int, stride: int) -> tuple[nn.Sequential, nn.Conv2d]:
    """A linear classifier of 3-channel windows, and its true twin."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, 4))
    twin = nn.Conv2d(3, 4, size, stride=stride)
    weight, bias = random(rng, 4, 3 * size * size) / size, random(rng, 4)
    net[1].load_state_dict({"weight": weight, "bias": bias})
    twin.load_state_dict({"weight": weight.view(4, 3, size, size), "bias": bias})
    return net, twin


def measure(
    student: Student,
    rng: torch.Generator,
    change: Callable[[nn.Conv2d], Any],
    shape: tuple[int, ...],
) -> tuple[object, bool]:
    """Compare `difference_norm` with the norm computed here, for a twin that was changed.

    Returns:
        The student's answer, and whether the networks ran with gradients: by the word of the
        student's side, so for a message only.
    """
    size, stride = 5, randint(rng, 2, 3)
    net, twin = net_and_twin(rng, size, stride)
    with torch.no_grad():
        change(twin)
    images = random(rng, *shape)
    theirs = {"net": mirror(student, net), "twin": mirror(student, twin)}
    calls = [student.tool("record_calls", module) for module in theirs.values()]
    answer = student.difference_norm(**theirs, images=images, size=size, stride=stride)
    with torch.no_grad():
        scores, others = slide_plainly(net, images, size, stride), twin(images)
    expected = float((scores - others).double().norm())
    number = expect_number(answer, "`difference_norm`'s result")
    # Rounding alone makes a norm of about 1e-5 out of a few hundred equal elements.
    if abs(number - expected) > 1e-3 * expected + 1e-3:
        fail(
            "`difference_norm` is not the Euclidean norm of the difference of all elements. "
            + explained_by(torch.tensor(number), wrong_norms(scores.double(), others.double())),
            f"Expected {expected:.6g}, got {number:.6g}.",
        )
    recorded = [call for record in calls for call in calls_of(student, record, "a network")]
    return answer, any(gradients for _, gradients in recorded)


def wrong_norms(scores: Tensor, others: Tensor) -> dict[str, Tensor]:
    """Return by their words what is taken for the norm of the difference (N, K, rows, columns)."""
    difference = scores - others
    return {
        "It is the sum of the squares: the root is missing.": difference.square().sum(),
        "It is the mean of the squares.": difference.square().mean(),
        "It is the root of the mean of the squares: add them up.": difference.square()
        .mean()
        .sqrt(),
        "It is the sum of the absolute differences: square them.": difference.abs().sum(),
        "It is the mean of the absolute differences.": difference.abs().mean(),
        "It is the largest absolute difference.": difference.abs().max(),
        "It is the sum of the differences, in which signs cancel.": difference.sum(),
        "It is the difference of two norms: of equal norms it sees nothing.": (
            (scores.norm() - others.norm()).abs()
        ),
        "It is the mean of one norm for each image.": difference.flatten(1).norm(dim=1).mean(),
        "It is the sum of one norm for each image.": difference.flatten(1).norm(dim=1).sum(),
        "It is the norm for the first image alone.": difference[0].norm(),
        "It is the sum of one norm for each window.": difference.norm(dim=1).sum(),
        "It is the mean of one norm for each window.": difference.norm(dim=1).mean(),
        "It is the norm of the network's own scores.": scores.norm(),
        "It is the norm of the twin's scores.": others.norm(),
    }


def shuffle(twin: nn.Conv2d) -> None:
    """Exchange output channels: the norm of the twin's output stays the same."""
    for weights in twin.parameters():
        weights.copy_(weights.roll(1, 0))


@pytest.mark.weight(3)
def test_shuffled_twin(student: Student, rng: torch.Generator) -> None:
    """`difference_norm` for a twin with its scores shuffled."""
    measure(student, rng, shuffle, (1, 3, 9, 9))


@pytest.mark.weight(3)
def test_other_twins(student: Student, rng: torch.Generator) -> None:
    """`difference_norm` for true and for wrong twins, on batches and any sides."""
    measure(student, rng, lambda twin: None, (2, 3, 9, 12))
    # Not by 1: its square, and many another number, would be the same.
    measure(student, rng, lambda twin: twin.bias.add_(0.7), (3, 3, 11, 8))
    measure(student, rng, lambda twin: twin.weight.mul_(-2.0), (2, 3, 7, 10))


@pytest.mark.weight(1)
def test_python_float(student: Student, rng: torch.Generator, names: frozenset[str]) -> None:
    """The type of `difference_norm`'s result, and whether gradients are off."""
    answer, gradients = measure(student, rng, shuffle, (1, 3, 7, 7))
    if type(answer) is not float:
        fail("`difference_norm` must return a Python float: `.item()` makes one of a tensor.")
    if gradients:
        fail("`difference_norm` must run both networks without gradients (`torch.no_grad()`).")
    expect_without_gradients(names, "`difference_norm`")


@pytest.mark.weight(1)
def test_nets_keep_their_mode(student: Student, rng: torch.Generator) -> None:
    """The modes of both networks after `difference_norm`."""
    measure(student, rng, shuffle, (1, 3, 7, 7))
    given = {"images": random(rng, 1, 2, 7, 7), "size": 5, "stride": 2}
    net = nn.Sequential(nn.Flatten(), nn.Linear(50, 3), nn.Dropout(1.0))
    twin = nn.Sequential(nn.Conv2d(2, 3, 5, stride=2), nn.Dropout(1.0))
    what, other = "`difference_norm`", mirror(student, twin)
    expect_mode_kept(
        student, what, net, lambda net: student.difference_norm(net=net, twin=other, **given)
    )
    other_net = mirror(student, net)
    expect_mode_kept(
        student, what, twin, lambda twin: student.difference_norm(net=other_net, twin=twin, **given)
    )


@pytest.mark.weight(2)
def test_my_sizes(student: Student) -> None:
    """The sizes in `my_sizes`."""
    check_sizes(student.fetch("my_sizes"))


@pytest.mark.weight(4)
def test_unseen(student: Student, rng: torch.Generator) -> None:
    """`unseen`, the number of rows and columns that no window covers."""
    sizes = [(randint(rng, 14, 90), randint(rng, 14, 90)) for _ in range(8)]
    sizes = [(14, 14), (15, 14), (14, 15), (33, 64), *sizes]
    asked = [{"height": height, "width": width} for height, width in sizes]
    answers = expect_list(student.each("unseen", asked), "The answers", len(asked))
    for (height, width), answer in zip(sizes, answers, strict=True):
        answer = expect_ints(answer, "`unseen`'s result", 2)
        # The last window starts at the largest multiple of 2 that leaves room for 14 pixels.
        last = [max(range(0, side - 13, 2)) + 14 for side in (height, width)]
        right = height - last[0], width - last[1]
        expect_equal(answer, right, "`unseen`'s result", cause_in_unseen(answer, (height, width)))


def cause_in_unseen(answer: tuple[int, ...], size: tuple[int, int]) -> str:
    """Say what `unseen` counts instead of pixels that no window covers, if it is plain."""
    ways: dict[str, Callable[[int], int]] = {
        "It counts the steps that windows take, not the pixels left over.": (
            lambda side: (side - 14) // 2
        ),
        "It counts the windows, not the pixels left over.": lambda side: (side - 14) // 2 + 1,
        "It counts what is left when windows lie side by side; these move by 2 pixels.": (
            lambda side: side % 14
        ),
        "It counts the pixels outside of the first window.": lambda side: side - 14,
        "It never leaves anything over.": lambda side: 0,
    }
    for words, way in ways.items():
        if answer == tuple(map(way, size)):
            return words
    right = tuple((side - 14) % 2 for side in size)
    return "Rows come first, then columns." if answer == right[::-1] else ""


@pytest.mark.weight(3)
def test_answer(student: Student) -> None:
    """`answer_1_6`, for which images the outputs could differ."""
    answer = student.fetch("answer_1_6")
    if type(answer) is not str or answer.strip().upper() != "C":
        fail("`answer_1_6` is not right: look at what both procedures do with the last lines.")
