"""Task 1.4: the fully convolutional twin that shares its parameters with the net."""

import copy
import functools
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from detcourse.week1.nets import random, slide_plainly
from detlab.checking.causes import explained_by
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


def no_bias() -> nn.Sequential:
    """A network with two convolutions, whose first linear layer has no bias."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 2), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(8 * 2 * 2, 10, bias=False), nn.ReLU(), nn.Linear(10, 3)),
    )


def one_cell() -> nn.Sequential:
    """A network whose map has a single cell."""
    return nn.Sequential(nn.Conv2d(2, 5, 6, stride=3), nn.Flatten(), nn.Linear(5, 2))


def strided() -> nn.Sequential:
    """A network with a stride and four linear layers, the last without a bias."""
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(4 * 3 * 3, 7), nn.ReLU(), nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 7)),
        *(nn.ReLU(), nn.Linear(7, 5, bias=False)),
    )


def other_pool() -> nn.Sequential:
    """A network that pools twice, once with windows that overlap."""
    return nn.Sequential(
        *(nn.Conv2d(2, 3, 3), nn.MaxPool2d(3, stride=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3 * 2 * 2, 4)),
    )


# Other networks, with the windows' size and stride.
OTHER_NETS = ((no_bias, 8, 2), (one_cell, 6, 3), (strided, 7, 2), (other_pool, 11, 4))


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
        cause = functools.partial(cause_in_twin, net, images, size, stride)
        expect_close(twin(images), expected, "The twin's output", tolerance=1e-4, cause=cause)


def cause_in_twin(
    net: nn.Sequential, images: Tensor, size: int, stride: int, answer: Tensor
) -> str:
    """Say which wrong twin answers so, if it is plain."""
    wrong = {
        words: functools.partial(slide_plainly, other, images, size, stride)
        for words, other in wrong_twins(net)
    }
    return explained_by(answer, wrong)


def wrong_twins(net: nn.Sequential) -> Iterator[tuple[str, nn.Sequential]]:
    """Yield networks like this one, but for what learners forget or add in a twin."""
    layers = list(net)
    flat = next(n for n, layer in enumerate(layers) if isinstance(layer, nn.Flatten))
    places = [n for n, layer in enumerate(layers) if isinstance(layer, nn.ReLU)]
    for which, some in (("Flatten", [n for n in places if n < flat]), ("", places)):
        if some:
            words = f"the ReLUs before `{which}`" if which else "all ReLUs"
            yield f"It is what comes out without {words}.", without(layers, some)
    after = [n for n in places if n > flat]
    if after:
        yield "It is what comes out without the ReLUs after `Flatten`.", without(layers, after)
    for n in places:
        yield f"It is what comes out without layer {n} of `net`, a ReLU.", without(layers, [n])
    for name, layer in (("ReLU", nn.ReLU()), ("softmax", nn.Softmax(1))):
        yield (
            f"It is what comes out with a {name} behind the last layer.",
            nn.Sequential(*layers, layer),
        )
    biases = nn.Sequential(*copy.deepcopy(layers))
    for layer in biases[flat:]:
        if isinstance(layer, nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
    yield "It is what comes out without the biases of the linear layers.", biases


def without(layers: list[nn.Module], places: list[int]) -> nn.Sequential:
    """Return layers in a row, some left out."""
    return nn.Sequential(*(layer for n, layer in enumerate(layers) if n not in places))


@pytest.mark.weight(4)
def test_lecture_net(student: Student, rng: torch.Generator) -> None:
    """The twin of the lecture's network, window by window."""
    compare(student, rng, lecture_net(), 14, 2)


@pytest.mark.weight(4)
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_other_nets(student: Student, rng: torch.Generator, number: int) -> None:
    """The twins of other networks, window by window."""
    build, size, stride = OTHER_NETS[number]
    compare(student, rng, build(), size, stride)


@pytest.mark.weight(8)
def test_shared_parameters(student: Student, rng: torch.Generator) -> None:
    """The twin after an optimizer's step has changed the net's weights in place."""
    for build, size in ((no_bias, 8), (strided, 7)):
        net = build()
        fill(net, rng)
        theirs = mirror(student, net)
        twin = twin_of(student, theirs)
        twin(random(rng, 1, net[0].in_channels, size, size))
        before = copy.deepcopy(net)
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
            cause=functools.partial(cause_in_copies, net, before, window),
        )


def cause_in_copies(
    net: nn.Sequential, before: nn.Sequential, window: Tensor, answer: Tensor
) -> str:
    """Say which parameters of a twin did not follow those of its net, if it is plain."""
    copies = {
        f"It is as if {what} of the twin were still what they were: share the memory of the net's, "
        "hold no copies.": mixed(net, before, kept)(window)[:, :, None, None]
        for what, kept in COPIES.items()
    }
    return explained_by(answer, copies)


# What a twin may hold copies of, by what is kept from before a change.
COPIES: dict[str, Callable[[nn.Module, str], bool]] = {
    "all weights and biases": lambda layer, name: True,
    "all biases": lambda layer, name: name == "bias",
    "the biases of the linear layers": lambda layer, name: (
        name == "bias" and isinstance(layer, nn.Linear)
    ),
    "all weights": lambda layer, name: name == "weight",
    "the weights of the linear layers": lambda layer, name: (
        name == "weight" and isinstance(layer, nn.Linear)
    ),
    "the linear layers": lambda layer, name: isinstance(layer, nn.Linear),
    "the convolutions": lambda layer, name: isinstance(layer, nn.Conv2d),
}


def mixed(
    net: nn.Sequential, before: nn.Sequential, kept: Callable[[nn.Module, str], bool]
) -> nn.Sequential:
    """Return a net some of whose parameters are those of before."""
    made = copy.deepcopy(net)
    for layer, old in zip(made, before, strict=True):
        for name, weights in layer.named_parameters():
            if kept(layer, name):
                weights.data.copy_(getattr(old, name))
    return made.requires_grad_(False)


@pytest.mark.weight(4)
def test_net_is_left_alone(student: Student, rng: torch.Generator) -> None:
    """`net` itself, after its twin was made."""
    net, size = no_bias(), 8
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
        cause="It was right before: leave the layers of `net` as they are.",
    )
