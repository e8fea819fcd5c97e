"""Task 1.2: the classifier of the lecture."""

import pytest
import torch

from detcourse.week1.nets import expect_fresh_weights, expect_lecture_net, random
from detlab.checking.expect import expect_handle, expect_tensor
from detlab.checking.student import Student

pytestmark = pytest.mark.task("1.2", points=8)


@pytest.mark.weight(1)
def test_output_shape(student: Student, rng: torch.Generator) -> None:
    """The shape of the scores that `build_network` gives."""
    net = expect_handle(student.build_network(), "`build_network`'s result", "an nn.Module")
    for batch in (1, 6):
        expect_tensor(net(random(rng, batch, 3, 14, 14)), "The network's output", (batch, 4))


@pytest.mark.weight(5)
def test_layers(student: Student, rng: torch.Generator) -> None:
    """The layers and non-linearities of `build_network`."""
    expect_lecture_net(student, student.build_network(), "The network", rng, 14)


@pytest.mark.weight(2)
def test_fresh_weights(student: Student) -> None:
    """The weights of two networks that `build_network` makes."""
    expect_fresh_weights(student, student.build_network, "`build_network`")
