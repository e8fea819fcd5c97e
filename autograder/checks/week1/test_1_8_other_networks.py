"""Task 1.8: one more layer, and the windows at which both procedures coincide again."""

import pytest
import torch

from detcourse.week1.nets import expect_fresh_weights, expect_lecture_net
from detlab.checking.expect import expect_equal, expect_ints, expect_keys
from detlab.checking.student import Student

pytestmark = pytest.mark.task("1.8", points=12)

# By hand: a cell of the 5×5 map sees 18 pixels with the extra convolution, in steps of 2;
# with the extra pooling, 24 in steps of 4.
WINDOWS = {"conv": (18, 2), "pool": (24, 4)}


@pytest.mark.weight(3)
@pytest.mark.parametrize("extra", ["conv", "pool"])
def test_network(student: Student, rng: torch.Generator, extra: str) -> None:
    """The network with one more layer."""
    net = student.build_with_conv() if extra == "conv" else student.build_with_pool()
    size = WINDOWS[extra][0]
    what = f"The network of `build_with_{extra}`"
    expect_lecture_net(student, net, what, rng, size, extra)


@pytest.mark.weight(1)
@pytest.mark.parametrize("extra", ["conv", "pool"])
def test_fresh_weights(student: Student, extra: str) -> None:
    """The weights of two networks with one more layer."""
    build = student.build_with_conv if extra == "conv" else student.build_with_pool
    expect_fresh_weights(student, build, f"`build_with_{extra}`")


@pytest.mark.weight(6)
@pytest.mark.parametrize("extra", ["conv", "pool"])
def test_windows(student: Student, extra: str) -> None:
    """The window and the stride in `coincide`."""
    answers = expect_keys(student.fetch("coincide"), [extra], "`coincide`")
    size, stride = expect_ints(answers[extra], f"`coincide[{extra!r}]`", 2)
    expect_equal(size, WINDOWS[extra][0], f"The size in `coincide[{extra!r}]`")
    expect_equal(stride, WINDOWS[extra][1], f"The stride in `coincide[{extra!r}]`")
