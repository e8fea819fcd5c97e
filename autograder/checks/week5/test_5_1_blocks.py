"""Task 5.1: blocks, and that every answer sits on its own anchor."""

import pytest
import torch
from torch import Tensor

from detcourse.cases import uniform
from detcourse.learning import expect_learning
from detcourse.trainings import seed_from
from detcourse.week5.networks import (
    block,
    expect_settings,
    give_weights,
    output_layers,
    outputs,
)
from detlab.checking.expect import expect_close, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Handle, Student
from detlab.weeks.week5.assertions import (
    FORBIDDEN,
    expect_answers,
    expect_single,
    layers_of,
    make_module,
)

pytestmark = [pytest.mark.task("5.1", points=5), pytest.mark.forbid(*FORBIDDEN)]

ORDER = "Convolution, ReLU, batch normalisation, dropout, in this order."
# Larger than 6 in places, and far from 0: what cuts activations anywhere shows.
SIZE = 6.0


def make_block(
    student: Student, rng: torch.Generator, sizes: tuple[int, int], stride: int, drop: float = 0.0
) -> tuple[Handle, list]:
    """Make a `ConvBlock` with known weights; return it, and these."""
    options = {"channels_in": sizes[0], "channels_out": sizes[1], "stride": stride, "drop": drop}
    net = make_module(student, "ConvBlock", **options)
    zeros = torch.zeros(1, sizes[0], 6, 6)
    layers = layers_of(student, net, [zeros], "`ConvBlock`", "cn")
    expect_settings(layers[0], "`ConvBlock`'s convolution", stride, [sizes[1], sizes[0], 3, 3])
    return net, give_weights(student, net, layers, rng)


@pytest.mark.weight(2)
def test_block(student: Student, rng: torch.Generator) -> None:
    """A block's values are those of convolution, ReLU and normalisation, in this order."""
    for sizes, stride, shape in (((5, 4), 2, (7, 7)), ((3, 6), 1, (8, 5)), ((4, 4), 2, (6, 9))):
        net, weights = make_block(student, rng, sizes, stride, 0.3)
        features = SIZE * torch.randn(3, sizes[0], *shape, generator=rng)
        right = block(features, *weights, stride, False)
        answer = expect_single(net(features), "`ConvBlock`'s result", right.shape)
        cause = cause_of_block(answer, features, weights, stride)
        expect_close(answer, right, "`ConvBlock`'s result", 1e-4, cause)
    expect_untouched(student, net, features)
    net = make_module(student, "ConvBlock", channels_in=3, channels_out=2)
    expect_single(net(torch.zeros(1, 3, 6, 6)), "With the default stride of 2 the", (1, 2, 3, 3))


def cause_of_block(answer: Tensor, features: Tensor, weights: list, stride: int) -> str:
    """Say what a block does instead, if that is plain."""
    conv, norm = weights
    normal = block(features, conv, norm, stride, False, with_relu=False)
    if torch.allclose(answer.double(), normal.relu(), atol=1e-3):
        return f"ReLU comes after the normalisation. {ORDER}"
    if torch.allclose(answer.double(), normal, atol=1e-3):
        return f"There is no ReLU. {ORDER}"
    if torch.allclose(answer.double(), block(features, conv, norm, stride, True), atol=1e-3):
        return "In evaluation a normalisation goes by its running statistics, not by the batch."
    return ""


@pytest.mark.weight(1)
def test_block_in_training(student: Student, rng: torch.Generator) -> None:
    """In training a block normalises by its batch, and drops single numbers after that."""
    net, weights = make_block(student, rng, (4, 12), 1)
    features = SIZE * torch.randn(4, 4, 12, 12, generator=rng)
    right = block(features, *weights, 1, True)
    student.tool("set_training", net, True)
    answer = expect_single(net(features), "`ConvBlock`'s result in training", right.shape)
    if not bool(answer.any()):
        fail("In training a block with `drop` 0 answers nothing but zeros: it drops everything.")
    expect_close(answer, right, "`ConvBlock`'s result in training, nothing dropped", 1e-3)
    student.tool("set_training", net, False)
    later = expect_single(net(features), "`ConvBlock`'s result in evaluation", right.shape)
    if torch.allclose(later.double(), block(features, *weights, 1, False), atol=1e-3):
        fail("A batch in training must move the normalisation's running statistics.")
    drop = float(uniform(rng, 0.3, 0.6))
    net, weights = make_block(student, rng, (4, 12), 1, drop)
    right = block(features, *weights, 1, True)
    student.seed(seed_from(rng))
    student.tool("set_training", net, True)
    answer = expect_single(net(features), "`ConvBlock`'s result in training", right.shape)
    gone = answer == 0
    share = float(gone.double().mean())
    # Of 6,912 numbers; five standard deviations are 0.03.
    if abs(share - drop) > 0.03:
        fail(f"In training {share:.2f} of a block's numbers are zero where `drop` is {drop:.2f}.")
    kept = torch.where(gone, 0.0, right / (1 - drop))
    expect_close(answer, kept, "`ConvBlock`'s result in training, what is not dropped,", 1e-3)
    by_channel = gone.double().mean((2, 3))
    if float(by_channel.max() - by_channel.min()) > 0.5:
        fail("Dropout drops each number by itself, not whole channels.")


def make_outputs(
    student: Student, rng: torch.Generator, channels: int, per_cell: int, num_classes: int
) -> tuple[Handle, list]:
    """Make an `OutputBlock` with known weights; return it, and those for boxes and classes."""
    sizes = {"channels_in": channels, "per_cell": per_cell, "num_classes": num_classes}
    net, what = make_module(student, "OutputBlock", **sizes), "`OutputBlock`"
    layers = layers_of(student, net, [torch.zeros(1, channels, 3, 3)], what, "cc")
    order = output_layers(layers, what, channels, per_cell, num_classes)
    return net, give_weights(student, net, [layers[n] for n in order], rng)


@pytest.mark.weight(3)
def test_answers_sit_on_their_anchors(student: Student, rng: torch.Generator) -> None:
    """With given weights every answer is right, and in its place."""
    for (channels, per_cell, classes), (count, *size) in (
        ((6, 9, 3), (2, 4, 4)),
        ((4, 2, 11), (1, 2, 5)),
        ((3, 3, 2), (3, 6, 3)),
        ((5, 1, 5), (2, 1, 1)),
    ):
        net, weights = make_outputs(student, rng, channels, per_cell, classes)
        features = torch.randn(count, channels, *size, generator=rng)
        rows = size[0] * size[1] * per_cell
        right = outputs(features, *weights, classes)
        for training in (False, True):
            student.tool("set_training", net, training)
            found = expect_answers(net(features), "`OutputBlock`'s result", count, rows, classes)
            mode = " in training" if training else ""
            for one, expected, name in zip(found, right, ("activations", "logits"), strict=True):
                expect_close(one, expected, f"The {name}{mode}", 1e-4, cause_of(one, expected))
    expect_untouched(student, net, features)


def cause_of(found: Tensor, expected: Tensor) -> str:
    """Guess why answers are wrong."""
    flat = [one.double().flatten().sort().values for one in (found, expected)]
    if torch.allclose(*flat, rtol=1e-3, atol=1e-4):
        return (
            "The numbers are right, but they sit on other anchors: the channels of a cell must "
            "stay together. Does `reshape` alone do that?"
        )
    return ""


@pytest.mark.weight(1)
def test_fresh_biases(student: Student, rng: torch.Generator) -> None:
    """The logits of a fresh network begin at `bias`, and two networks differ."""
    answers = []
    for bias in (-4.0, float(uniform(rng, -3, 1)), float(uniform(rng, -6, -5))):
        options = {"channels_in": 3, "per_cell": 2, "num_classes": 5}
        if answers:
            options["bias"] = bias
        net = make_module(student, "OutputBlock", **options)
        _, logits = expect_answers(net(torch.zeros(1, 3, 2, 2)), "The result", 1, 8, 5)
        expect_close(logits, torch.full((1, 8, 5), bias), "The logits where all features are 0")
        features = torch.ones(1, 3, 2, 2)
        found = expect_answers(net(features), "The result", 1, 8, 5)
        answers.append([found[0], found[1] - bias])
    for one, other in zip(answers[0], answers[1], strict=True):
        if torch.allclose(one, other):
            fail("Two fresh output blocks have the same weights.")
        if float((one[0, 0] - one[0, 1]).abs().max()) < 1e-6:
            fail("Both anchors of a cell get the same answer: each has channels of its own.")


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """Gradients reach every parameter of both blocks, and what they are given."""
    net, _ = make_block(student, rng, (3, 5), 2)
    features = torch.randn(4, 3, 8, 8, generator=rng)
    expect_learning(
        student,
        net,
        lambda given: [expect_single(net(*given), "`ConvBlock`'s result", (4, 5, 4, 4))],
        [features],
        rng,
        "`ConvBlock`",
        inputs=True,
        frozen=False,
    )
    other, _ = make_outputs(student, rng, 3, 2, 5)
    expect_learning(
        student,
        other,
        lambda given: expect_answers(other(*given), "`OutputBlock`'s result", 4, 128, 5),
        [features],
        rng,
        "`OutputBlock`",
        inputs=True,
        frozen=False,
    )
