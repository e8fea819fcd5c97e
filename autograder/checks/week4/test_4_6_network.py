"""Task 4.6: conv4_3 rescaled, and the whole network."""

import functools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.cases import smooth_images
from detcourse.learning import expect_learning
from detcourse.trainings import seed_from
from detcourse.week4.networks import (
    Layer,
    auxiliary,
    check_auxiliary,
    check_learning,
    predictions,
    rescaled,
    seeded,
    vgg_base,
)
from detlab.checking.expect import expect_close, expect_keys, expect_list, expect_tensor, fail
from detlab.checking.replies import expect_form, parameters_of, shapes_of
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import (
    FORBIDDEN,
    SIDE,
    apply,
    expect_answers,
    expect_convolutions,
    make_module,
    make_ssd,
)
from detlab.weeks.week4.tools.stubs import StubPrediction
from detlab.weeks.week4.tools.vgg import VGG_CONVOLUTIONS

pytestmark = [
    pytest.mark.task("4.6", points=5),
    pytest.mark.limits(cpu_s=60, memory_mb=4096, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

CONVOLUTIONS = 15 + 8 + 12
OF_STUBS = 6
BASE = [(o, i, 3, 3) for _, i, o in VGG_CONVOLUTIONS] + [(1024, 512, 3, 3), (1024, 1024, 1, 1)]
# Priors of conv4_3 come first; those of conv9_2 and all smaller maps begin here.
OF_CONV4_3, OF_CONV9_2 = 38 * 38 * 4, 38 * 38 * 4 + 19 * 19 * 6 + 10 * 10 * 6
CAUSE = (
    "conv4_3 is rescaled, for the prediction alone; conv7 goes to both as it is; the maps come "
    "from the largest to the smallest."
)


@pytest.mark.weight(2)
def test_rescale(student: Student, rng: torch.Generator) -> None:
    """The length and the direction of rescaled vectors."""
    net = make_module(student, "Rescale")
    for shape in ((2, 512, 5, 7), (1, 512, 38, 38)):
        features = 30 * torch.rand(shape, generator=rng) ** 3
        expect_close(net(features), rescaled(features), "`Rescale`'s result", 1e-4)
    small = make_module(student, "Rescale", channels=6, factor=3.0)
    features = torch.randn(3, 6, 4, 2, generator=rng)
    expect_close(small(features), rescaled(features, 3.0), "`Rescale`'s result", 1e-4)


@pytest.mark.weight(1)
def test_factors_are_learned(student: Student, rng: torch.Generator) -> None:
    """The factors of the channels, and their gradients."""
    net = make_module(student, "Rescale", channels=6, factor=3.0)
    parameters = parameters_of(student, net, "`Rescale`", 1)
    if parameters[0].numel() != 6:
        fail(f"`Rescale` must learn a factor for each channel, not {parameters[0].numel()}.")
    factors = torch.rand(6, generator=rng) + 0.5
    student.tool("set_parameters", net, [factors.reshape(parameters[0].shape)])
    features = torch.randn(2, 6, 3, 3, generator=rng)
    right = rescaled(features, factors[:, None, None])
    expect_close(net(features), right, "`Rescale`'s result with other factors", 1e-4)
    weights = torch.randn(2, 6, 3, 3, generator=rng)
    told = student.tool("gradients_of_map", net, features, weights)
    told = expect_keys(told, ("inputs", "parameters"), "The gradients")
    leaf = features.double().requires_grad_()
    own = factors.double()[:, None, None].requires_grad_()
    (rescaled(leaf, own) * weights).sum().backward()
    expect_close(told["inputs"], leaf.grad, "The gradient by the features", 1e-4)
    found = expect_list(told["parameters"], "The gradients by the factors", 1)[0]
    found = expect_tensor(found, "The gradient by the factors")
    expect_close(found.flatten(), own.grad.flatten(), "The gradient by the factors", 1e-3)


@pytest.mark.weight(1)
def test_zeros(student: Student, rng: torch.Generator) -> None:
    """A vector of zeros, rescaled, and its gradients."""
    net = make_module(student, "Rescale")
    features = torch.rand(1, 512, 3, 3, generator=rng)
    features[:, :, 1, 1] = 0
    answer = expect_tensor(net(features), "`Rescale`'s result where all is zero", features.shape)
    if bool(answer[:, :, 1, 1].any()):
        fail("A vector of zeros must stay zeros.")
    weights = torch.ones_like(features)
    told = student.tool("gradients_of_map", net, features, weights)
    told = expect_keys(told, ("inputs", "parameters"), "The gradients")
    expect_tensor(told["inputs"], "The gradient where all is zero", features.shape)


@pytest.mark.weight(4)
def test_network(student: Student, rng: torch.Generator) -> None:
    """The whole network's answers, against those of its parts put together."""
    num_classes, seed = 6, seed_from(rng)
    images = smooth_images(rng, 1, SIDE)
    net = make_ssd(student, num_classes)
    told = student.tool("convolutions_of", net, [images], seed)
    _, layers = expect_convolutions(told, how_many(told), "`SSD300`")
    factor = factors_of(student, net, images)
    convolutions = seeded(layers, seed)
    compare(net, convolutions, images, num_classes, 20.0, "(A fresh network's factors are 20.)")
    factors = 20 * torch.rand(512, generator=rng) + 10
    shape = shapes_of(student, net, "the network")[factor]
    student.tell("set_parameter", net, factor, factors.reshape(shape))
    compare(net, convolutions, images, num_classes, factors[:, None, None], CAUSE)


def how_many(told: object) -> int:
    """Return how many convolutions there must be: fewer where stand-ins are the parts."""
    told = expect_keys(told, ("convolutions",), "`SSD300`")
    found = len(expect_list(told["convolutions"], "`SSD300`"))
    return OF_STUBS if found == OF_STUBS else CONVOLUTIONS


def factors_of(student: Student, net: Handle, images: Tensor) -> int:
    """Return the number of the parameter that holds the factors of conv4_3."""
    told = student.tool("other_parameters", net, [images])
    others = expect_form(told, [int], "The parameters beside those of the convolutions")
    shapes = shapes_of(student, net, "the network")
    found = [n for n in others if 0 <= n < len(shapes) and math.prod(shapes[n]) == 512]
    if len(found) != 1:
        fail(
            "`SSD300` must hold one parameter of 512 numbers beside those of its convolutions: the "
            "factors of its `Rescale`, made once in `__init__`."
        )
    return found[0]


def compare(
    net: Handle,
    convolutions: list[Layer],
    images: Tensor,
    num_classes: int,
    factor: float | Tensor,
    cause: str,
) -> None:
    """Compare the answers with those of parts with known weights, put together."""
    answers = expect_answers(net(images), "`SSD300`'s result", 1, num_classes)
    compute = answers_of_stubs if len(convolutions) == OF_STUBS else right_answers
    right = compute(convolutions, images, num_classes, factor)
    for found, expected, name in zip(answers, right, ("offsets", "logits"), strict=True):
        scale = float(expected.abs().mean())
        expect_close(found / scale, expected / scale, f"The {name} of the network", 2e-3, cause)


def right_answers(
    convolutions: list[Layer], images: Tensor, num_classes: int, factor: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Compute what the network must answer: the base first, then others in whatever order."""
    base, rest = convolutions[:15], convolutions[15:]
    state = {}
    for (index, *_), (_, (weight, bias)) in zip(VGG_CONVOLUTIONS, base[:13], strict=True):
        state |= {f"features.{index}.weight": weight, f"features.{index}.bias": bias}
    if [weights[0].shape for _, weights in base] != BASE:
        fail("The first fifteen convolutions of `SSD300` must be those of its base.")
    conv4_3, pool5 = vgg_base(images, state)
    conv6 = F.relu(F.conv2d(pool5, *base[13][1], 1, 6, 6))
    conv7 = F.relu(F.conv2d(conv6, *base[14][1]))
    heads = [one for one in rest if is_head(one[0], num_classes)]
    others = [one for one in rest if not is_head(one[0], num_classes)]
    if len(heads) != 12:
        fail("`SSD300` must use the prediction convolutions of all six maps, once each.")
    check_auxiliary([layer for layer, _ in others])
    maps = [rescaled(conv4_3, factor), conv7, *auxiliary(others, conv7)]
    return predictions(heads, maps, num_classes)


def answers_of_stubs(
    convolutions: list[Layer], images: Tensor, num_classes: int, factor: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Compute what the network must answer if its parts are those of `stand_ins.py`."""
    others = convolutions[2:]
    pooled = [F.adaptive_avg_pool2d(images, side) for side in (38, 19)]
    conv4_3, conv7 = (
        F.relu(apply(layer, weights, one))
        for (layer, weights), one in zip(convolutions[:2], pooled, strict=True)
    )
    maps = [
        apply(layer, weights, F.adaptive_avg_pool2d(conv7, side))
        for (layer, weights), side in zip(others, (10, 5, 3, 1), strict=True)
    ]
    return StubPrediction(num_classes)([rescaled(conv4_3, factor), conv7, *maps])


def is_head(layer: dict, num_classes: int) -> bool:
    """Say whether a convolution's channels are those of a prediction."""
    return layer["out_channels"] in {n * k for n in (4, num_classes) for k in (4, 6)}


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """The gradients of all parts of the network."""
    net = make_ssd(student, 3)

    def call(given: list[Tensor]) -> tuple[Tensor, Tensor]:
        return expect_answers(net(*given), "`SSD300`'s result", 1, 3)

    told = student.tool("convolutions_of", net, [smooth_images(rng, 1, SIDE)])
    stubs = how_many(told) == OF_STUBS
    # The answers of one map at a time: what is cut off from one may learn from another.
    for some, alive in (
        (slice(0, OF_CONV4_3), 2 + 1 if stubs else 20 + 1 + 4),
        (slice(OF_CONV9_2, None), 2 + 6 if stubs else 30 + 16 + 12),
    ):
        about = {"only": functools.partial(rows_alone, some), "least": alive, "tried": 1}
        learning = check_learning if some.start == 0 else expect_learning
        learning(student, net, call, [smooth_images(rng, 1, SIDE)], rng, "`SSD300`", **about)


def rows_alone(some: slice, number: int, weights: Tensor) -> Tensor:
    """Let the answers of some priors count alone."""
    kept = torch.zeros_like(weights)
    kept[:, some] = weights[:, some]
    return kept


@pytest.mark.weight(1)
def test_classes_and_images(student: Student, rng: torch.Generator) -> None:
    """The answers for other numbers of classes, and for equal images."""
    net = make_ssd(student, 21)
    images = smooth_images(rng, 1, SIDE)
    offsets, logits = expect_answers(net(images), "`SSD300`'s result", 1, 21)
    both = net(torch.cat([images, smooth_images(rng, 1, SIDE)]))
    both = expect_answers(both, "`SSD300`'s result", 2, 21)
    for one, two, name in zip((offsets, logits), both, ("offsets", "logits"), strict=True):
        expect_close(two[:1], one, f"The {name} of an image in a batch", 1e-3)
        if torch.allclose(two[0], two[1]):
            fail(f"Two images of different content have the same {name}.")
