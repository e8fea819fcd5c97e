"""Task 1.3: a linear layer on a flattened map is a convolution on the map."""

import functools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from detcourse.week1.nets import randint, random
from detlab.checking.causes import likely_cause
from detlab.checking.expect import expect_close, expect_handle, fail
from detlab.checking.mirror import mirror
from detlab.checking.replies import parameters_of
from detlab.checking.student import Handle, Student

pytestmark = pytest.mark.task("1.3", points=10)


def compare(
    student: Student,
    rng: torch.Generator,
    in_shape: tuple[int, int, int],
    *,
    bias: bool = True,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Convert a random linear layer and compare both layers on maps of its own size."""
    out = randint(rng, 3, 9)
    weight = random(rng, out, math.prod(in_shape)).to(dtype)
    offset = random(rng, out).to(dtype) if bias else None
    linear = nn.Linear(math.prod(in_shape), out, bias=bias, dtype=dtype)
    linear.load_state_dict({"weight": weight} | ({"bias": offset} if bias else {}))
    theirs = mirror(student, linear)
    conv = student.linear_to_conv(linear=theirs, in_shape=in_shape)
    expect_handle(conv, "`linear_to_conv`'s result", "an nn.Conv2d")
    maps = random(rng, 4, *in_shape).to(dtype)
    expected = F.linear(maps.flatten(1), weight, offset)[:, :, None, None]
    # Sums of some 400 products of numbers around 1: float32 rounds them to about 1e-5.
    cause = functools.partial(cause_in_weights, student, conv, weight.view(out, *in_shape))
    expect_close(conv(maps), expected, "The convolution's output", tolerance=1e-4, cause=cause)
    parameters = parameters_of(student, conv, "the convolution")
    if len(parameters) != 1 + bias:
        fail("The convolution must have a bias exactly when the linear layer has one.")
    if any(weights.dtype != dtype for weights in parameters):
        fail("The convolution's weights are not in the linear layer's dtype.")
    after = parameters_of(student, theirs, "`linear`")
    before = [weight, offset] if bias else [weight]
    if len(after) != len(before) or not all(map(torch.equal, after, before)):
        fail("`linear_to_conv` changed the linear layer that it was given.")


def cause_in_weights(student: Student, conv: Handle, right: Tensor, _: Tensor) -> str:
    """Say how a convolution's weights differ from the right ones."""
    found = parameters_of(student, conv, "the convolution")[0]
    if found.shape != right.shape:
        return f"Its weights have shape {tuple(found.shape)}, not {tuple(right.shape)}."
    if torch.allclose(found.double(), right.double(), rtol=1e-4, atol=1e-4):
        return "Its weights are right: look at the bias and the settings."
    cause = likely_cause(found.double(), right.double())
    return f"Its weights are wrong, too. {cause}".rstrip()


@pytest.mark.weight(4)
def test_square_map(student: Student, rng: torch.Generator) -> None:
    """The convolution's output on square maps."""
    compare(student, rng, (16, 5, 5))
    compare(student, rng, (randint(rng, 2, 6), 3, 3))
    compare(student, rng, (randint(rng, 20, 40), 1, 1))


@pytest.mark.weight(3)
def test_non_square_map(student: Student, rng: torch.Generator) -> None:
    """The convolution's output on maps that are not square."""
    compare(student, rng, (3, 2, 5))
    compare(student, rng, (randint(rng, 2, 4), 6, 3))


@pytest.mark.weight(2)
def test_no_bias(student: Student, rng: torch.Generator) -> None:
    """The convolution of a linear layer without a bias."""
    compare(student, rng, (4, 3, 3), bias=False)


@pytest.mark.weight(1)
def test_dtype(student: Student, rng: torch.Generator) -> None:
    """The convolution of a linear layer in float64."""
    compare(student, rng, (4, 3, 3), dtype=torch.float64)


@pytest.mark.weight(2)
def test_larger_map(student: Student, rng: torch.Generator) -> None:
    """The convolution's output on a map larger than the linear layer's."""
    linear = nn.Linear(2 * 3 * 4, 5)
    linear.load_state_dict({"weight": random(rng, 5, 24), "bias": random(rng, 5)})
    conv = student.linear_to_conv(linear=mirror(student, linear), in_shape=(2, 3, 4))
    expect_handle(conv, "`linear_to_conv`'s result", "an nn.Conv2d")
    maps = random(rng, 2, 2, 6, 9)
    expected = F.conv2d(maps, linear.weight.detach().view(5, 2, 3, 4), linear.bias.detach())
    expect_close(conv(maps), expected, "The convolution's output on a larger map", tolerance=1e-4)
