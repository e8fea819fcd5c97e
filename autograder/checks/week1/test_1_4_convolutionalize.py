"""Task 1.4: the fully convolutional twin that shares its parameters with the net."""

import pytest
import torch
from torch import nn

from detcourse.week1.nets import random, slide_plainly
from detlab.checking.expect import expect_close, expect_handle, expect_tensor
from detlab.checking.mirror import mirror
from detlab.checking.student import Handle, Student

pytestmark = pytest.mark.task("1.4", points=10)


def lecture_net() -> nn.Sequential:
    """The network of task 1.2: window 14, stride 2."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 4)),
    )


def other_nets() -> list[tuple[nn.Sequential, int, int]]:
    """Other networks with the windows' size and stride."""
    no_bias = nn.Sequential(
        *(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(8 * 2 * 2, 10, bias=False), nn.ReLU(), nn.Linear(10, 3)),
    )
    one_cell = nn.Sequential(nn.Conv2d(2, 5, 6, stride=3), nn.Flatten(), nn.Linear(5, 2))
    strided = nn.Sequential(
        *(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(4 * 3 * 3, 7), nn.ReLU(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 7)),
        *(nn.ReLU(), nn.Linear(7, 5, bias=False)),
    )
    other_pool = nn.Sequential(
        *(nn.Conv2d(2, 3, 3), nn.MaxPool2d(3, stride=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3 * 2 * 2, 4)),
    )
    return [(no_bias, 8, 2), (one_cell, 6, 3), (strided, 7, 2), (other_pool, 11, 4)]


def fill(net: nn.Module, rng: torch.Generator) -> None:
    """Draw weights, and biases large enough to be missed."""
    with torch.no_grad():
        for weights in net.parameters():
            fan_in = weights[0].numel() if weights.dim() > 1 else 1
            weights.copy_(random(rng, *weights.shape) / fan_in**0.5)


def twin_of(student: Student, net: Handle) -> Handle:
    """Ask for a twin."""
    twin = student.convolutionalize(net=net)
    return expect_handle(twin, "`convolutionalize`'s result", "an nn.Module")


def compare(student: Student, rng: torch.Generator, net: nn.Sequential, size: int, stride: int):
    """Compare a twin with its net, window by window, on images of several sizes."""
    fill(net, rng)
    twin = twin_of(student, mirror(student, net))
    channels = net[0].in_channels
    for height, width in ((size, size), (size + 3 * stride, size + stride + 1)):
        images = random(rng, 2, channels, height, width)
        expected = slide_plainly(net, images, size, stride)
        expect_close(twin(images), expected, "The twin's output", tolerance=1e-4)


@pytest.mark.weight(4)
def test_lecture_net(student: Student, rng: torch.Generator) -> None:
    """The twin of the lecture's network, window by window."""
    compare(student, rng, lecture_net(), 14, 2)


@pytest.mark.weight(4)
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_other_nets(student: Student, rng: torch.Generator, number: int) -> None:
    """The twins of other networks, window by window."""
    compare(student, rng, *other_nets()[number])


@pytest.mark.weight(8)
def test_shared_parameters(student: Student, rng: torch.Generator) -> None:
    """The twin after an optimizer's step has changed the net's weights in place."""
    for net, size in (other_nets()[0][:2], other_nets()[2][:2]):
        fill(net, rng)
        theirs = mirror(student, net)
        twin = twin_of(student, theirs)
        twin(random(rng, 1, net[0].in_channels, size, size))
        steps = [0.1 * random(rng, *weights.shape) for weights in net.parameters()]
        student.tell("add_to_parameters", theirs, steps)
        with torch.no_grad():
            for weights, step in zip(net.parameters(), steps, strict=True):
                weights.add_(step)
        window = random(rng, 2, net[0].in_channels, size, size)
        expect_close(
            twin(window),
            net(window)[:, :, None, None],
            "The twin's output after a change of the net's weights",
            tolerance=1e-4,
            cause="All weights and biases must share memory with the net's, not hold copies.",
        )


@pytest.mark.weight(4)
def test_net_is_left_alone(student: Student, rng: torch.Generator) -> None:
    """`net` itself, after its twin was made."""
    net, size, _ = other_nets()[0]
    fill(net, rng)
    theirs = mirror(student, net)
    twin = twin_of(student, theirs)
    window = random(rng, 3, 1, size, size)
    expect_tensor(twin(window), "The twin's output on windows", (3, 3, 1, 1))
    expect_close(
        theirs(window),
        net(window),
        "The output of `net` after `convolutionalize`",
        tolerance=1e-4,
        cause="`convolutionalize` must build new layers and leave those of `net` alone.",
    )
