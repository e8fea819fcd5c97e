"""Task 4.4: the auxiliary convolutions."""

import pytest
import torch
from torch import Tensor

from detcourse.trainings import seed_from
from detcourse.week4.networks import Layer, auxiliary, check_auxiliary, check_learning, seeded
from detlab.checking.expect import expect_close
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import (
    CHANNELS,
    FEATURE_SIZES,
    FORBIDDEN,
    all_weights_called,
    check_xavier,
    expect_convolutions,
    expect_maps,
    make_module,
)

pytestmark = [
    pytest.mark.task("4.4", points=6),
    pytest.mark.limits(cpu_s=30, memory_mb=2048, wall_s=120),
    pytest.mark.forbid(*FORBIDDEN),
]

CONVOLUTIONS = 8
WHAT = "`AuxiliaryConvolutions`"


def conv7(rng: torch.Generator, count: int) -> torch.Tensor:
    """Return a random map as conv7's ReLU leaves it."""
    return torch.randn(count, CHANNELS[1], 19, 19, generator=rng).relu()


@pytest.mark.weight(1)
def test_shapes(student: Student, rng: torch.Generator) -> None:
    """The shapes of the four maps."""
    net = make_module(student, "AuxiliaryConvolutions")
    for count in (2, 1):
        expect_maps(net(conv7(rng, count)), f"{WHAT}'s result", shapes_for(count))


def shapes_for(count: int) -> list[tuple[int, int, int, int]]:
    """Return the shapes of the four maps."""
    return [
        (count, channels, size, size)
        for channels, size in zip(CHANNELS[2:], FEATURE_SIZES[2:], strict=True)
    ]


@pytest.mark.weight(4)
def test_values(student: Student, rng: torch.Generator) -> None:
    """The values of the four maps, with given weights."""
    net, seed, inputs = make_module(student, "AuxiliaryConvolutions"), seed_from(rng), conv7(rng, 2)
    told = student.tool("convolutions_of", net, [inputs], seed)
    _, layers = expect_convolutions(told, CONVOLUTIONS, WHAT)
    check_auxiliary(layers)
    # Small maps show biases; in large ones all maps exceed 60, so that what cuts them shows.
    for size in (1, 100):
        compare(net, seeded(layers, seed), size * inputs, 1e-4)


def compare(net: Handle, layers: list[Layer], inputs: Tensor, tolerance: float) -> None:
    """Compare all four maps with those of convolutions with known weights."""
    expected = auxiliary(layers, inputs)
    maps = expect_maps(net(inputs), f"{WHAT}'s result", [one.shape for one in expected])
    for n, (found, right) in enumerate(zip(maps, expected, strict=True), 8):
        scale = float(right.abs().max()) or 1.0
        expect_close(found / scale, right / scale, f"conv{n}_2", tolerance)


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """The gradients of the blocks and of conv7."""
    net, shapes = make_module(student, "AuxiliaryConvolutions"), shapes_for(1)

    def call(given: list[Tensor]) -> list[Tensor]:
        return expect_maps(net(*given), f"{WHAT}'s result", shapes)

    # The last map comes out of all of them.
    check_learning(student, net, call, [conv7(rng, 1)], rng, WHAT, only=last_alone, inputs=True)


def last_alone(number: int, weights: Tensor) -> Tensor:
    """Let the last map count alone."""
    return weights if number == len(CHANNELS[2:]) - 1 else torch.zeros_like(weights)


@pytest.mark.weight(1)
def test_fresh_weights(student: Student, rng: torch.Generator) -> None:
    """The fresh weights and biases of the blocks."""
    net, inputs = make_module(student, "AuxiliaryConvolutions"), conv7(rng, 1)
    told = student.tool("convolutions_of", net, [inputs])
    _, layers = expect_convolutions(told, CONVOLUTIONS, WHAT)
    check_auxiliary(layers)
    pairs = all_weights_called(student, net, [inputs], range(CONVOLUTIONS), WHAT)
    check_xavier(pairs, WHAT)
    # These, and no others, are what it works with.
    compare(net, list(zip(layers, pairs, strict=True)), inputs, 1e-4)
