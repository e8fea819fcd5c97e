"""Task 4.4: the auxiliary convolutions."""

import pytest
import torch

from detcourse.trainings import seed_from
from detcourse.week4.networks import auxiliary, check_auxiliary, check_learning
from detlab.checking.expect import expect_close
from detlab.checking.student import Student
from detlab.weeks.week4.assertions import (
    CHANNELS,
    FEATURE_SIZES,
    FORBIDDEN,
    check_fresh,
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
    """Four maps come out, of 10×10, 5×5, 3×3 and 1×1 cells."""
    net = make_module(student, "AuxiliaryConvolutions")
    for count in (2, 1):
        shapes = [
            (count, channels, size, size)
            for channels, size in zip(CHANNELS[2:], FEATURE_SIZES[2:], strict=True)
        ]
        expect_maps(net(conv7(rng, count)), f"{WHAT}'s result", shapes)


@pytest.mark.weight(2)
def test_settings(student: Student, rng: torch.Generator) -> None:
    """Kernels, strides, paddings and channels are those of the table."""
    net = make_module(student, "AuxiliaryConvolutions")
    told = student.tool("convolutions_of", net, [conv7(rng, 1)])
    _, layers = expect_convolutions(told, CONVOLUTIONS, WHAT)
    check_auxiliary(layers)


@pytest.mark.weight(2)
def test_values(student: Student, rng: torch.Generator) -> None:
    """With given weights all four maps are right, a ReLU after each convolution."""
    net, seed, inputs = make_module(student, "AuxiliaryConvolutions"), seed_from(rng), conv7(rng, 2)
    told = student.tool("convolutions_of", net, [inputs], seed)
    result, layers = expect_convolutions(told, CONVOLUTIONS, WHAT)
    check_auxiliary(layers)
    expected = auxiliary([(layer, seed + n) for n, layer in enumerate(layers)], inputs)
    maps = expect_maps(result, f"{WHAT}'s result", [one.shape for one in expected])
    for n, (found, right) in enumerate(zip(maps, expected, strict=True), 8):
        expect_close(found, right, f"conv{n}_2", 1e-4)


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """In training all of the blocks get gradients, and so does conv7."""
    net = make_module(student, "AuxiliaryConvolutions")
    check_learning(student, net, [conv7(rng, 2)], rng, WHAT)


@pytest.mark.weight(1)
def test_fresh_weights(student: Student, rng: torch.Generator) -> None:
    """Fresh weights are Xavier uniform, fresh biases zero."""
    net = make_module(student, "AuxiliaryConvolutions")
    told = student.tool("convolutions_of", net, [conv7(rng, 1)])
    check_fresh(expect_convolutions(told, CONVOLUTIONS, WHAT)[1], WHAT)
