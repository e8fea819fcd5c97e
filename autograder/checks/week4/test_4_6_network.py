"""Task 4.6: conv4_3 rescaled, and the whole network."""

import functools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.trainings import seed_from
from detcourse.week4.networks import (
    auxiliary,
    check_auxiliary,
    check_learning,
    predictions,
    random_images,
    rescaled,
    vgg_base,
)
from detlab.checking.expect import expect_close, expect_keys, expect_list, expect_tensor, fail
from detlab.checking.replies import parameters_of
from detlab.checking.student import Student
from detlab.weeks.week4.assertions import (
    FORBIDDEN,
    expect_answers,
    expect_convolutions,
    make_module,
    make_ssd,
)
from detlab.weeks.week4.tools.convolutions import seeded_weights
from detlab.weeks.week4.tools.vgg import VGG_CONVOLUTIONS

pytestmark = [
    pytest.mark.task("4.6", points=5),
    pytest.mark.limits(cpu_s=60, memory_mb=4096, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

CONVOLUTIONS = 15 + 8 + 12
PARTS = ("VGGBase", "AuxiliaryConvolutions", "PredictionConvolutions")


@pytest.mark.weight(2)
def test_rescale(student: Student, rng: torch.Generator) -> None:
    """Each place's vector has length 20 at first, whatever it was; its direction stays."""
    net = make_module(student, "Rescale")
    for shape in ((2, 512, 5, 7), (1, 512, 38, 38)):
        features = 30 * torch.rand(shape, generator=rng) ** 3
        expect_close(net(features), rescaled(features), "`Rescale`'s result", 1e-4)
    small = make_module(student, "Rescale", channels=6, factor=3.0)
    features = torch.randn(3, 6, 4, 2, generator=rng)
    expect_close(small(features), rescaled(features, 3.0), "`Rescale`'s result", 1e-4)


@pytest.mark.weight(1)
def test_factors_are_learned(student: Student, rng: torch.Generator) -> None:
    """Each channel has a factor of its own, and learns it."""
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
    """A vector of zeros stays zeros, and gradients are finite."""
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
    """The whole network's answers are those of its parts, put together."""
    num_classes, seed = 6, seed_from(rng)
    images = random_images(rng, 1)
    net = make_ssd(student, num_classes)
    parts = [student.fetch(name) for name in PARTS]
    made = student.tool("composition_of", net, parts, student.fetch("Rescale"), images)
    if made is not None:
        made = expect_keys(made, ("whole", "parts", "lengths"), "The network's answers")
        compare_parts(made["whole"], made["parts"], num_classes)
        lengths = expect_tensor(made["lengths"], "The lengths of rescaled vectors", (1, 38, 38))
        seen = lengths.double()[lengths > 1e-3]  # conv4_3 may be all zeros somewhere
        if len(seen) == 0 or float((seen - 20).abs().max()) > 0.02:
            fail("In a fresh `SSD300` the factors of conv4_3 start at 20.")
        return
    # Other classes than those of the tasks: then only the values can tell.
    rescale = student.fetch("Rescale")
    told = student.tool("convolutions_of", net, [images], seed, 0, rescale)
    result, layers = expect_convolutions(told, CONVOLUTIONS, "`SSD300`")
    answers = expect_answers(result, "`SSD300`'s result", 1, num_classes)
    seeded = [(layer, seed + n) for n, layer in enumerate(layers)]
    right = right_answers(seeded, images, num_classes)
    for found, expected, name in zip(answers, right, ("offsets", "logits"), strict=True):
        scale = float(expected.abs().mean())
        expect_close(found / scale, expected / scale, f"The {name} of the network", 2e-3)


def compare_parts(whole: object, parts: object, num_classes: int) -> None:
    """Compare what a network answers with what its parts answer."""
    whole, parts = (
        expect_answers(one, f"{what}'s result", 1, num_classes)
        for one, what in ((whole, "`SSD300`"), (parts, "The prediction convolutions"))
    )
    for found, expected, name in zip(whole, parts, ("offsets", "logits"), strict=True):
        scale = float(expected.abs().mean()) or 1.0
        cause = (
            "conv4_3 is rescaled, for the prediction alone; conv7 goes to both as it is; the maps "
            "come from the largest to the smallest."
        )
        expect_close(found / scale, expected / scale, f"The {name} of the network", 1e-4, cause)


def right_answers(
    seeded: list[tuple[dict, int]], images: Tensor, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Compute what the network must answer: the base first, then others in whatever order."""
    state = base_weights(seeded[0][1])
    conv4_3, pool5 = vgg_base(images, state)
    first = seeded[0][1]
    conv6 = F.relu(F.conv2d(pool5, *seeded_weights([1024, 512, 3, 3], first + 13), 1, 6, 6))
    conv7 = F.relu(F.conv2d(conv6, *seeded_weights([1024, 1024, 1, 1], first + 14)))
    heads = [one for one in seeded[15:] if is_head(one[0], num_classes)]
    others = [one for one in seeded[15:] if one not in heads]
    if len(heads) != 12:
        fail("`SSD300` must use the prediction convolutions of all six maps, once each.")
    check_auxiliary([layer for layer, _ in others])
    maps = [rescaled(conv4_3), conv7, *auxiliary(others, conv7)]
    return predictions(heads, maps, num_classes)


def is_head(layer: dict, num_classes: int) -> bool:
    """Say whether a convolution's channels are those of a prediction."""
    return layer["out_channels"] in {n * k for n in (4, num_classes) for k in (4, 6)}


@functools.lru_cache(maxsize=2)
def base_weights(seed: int) -> dict[str, Tensor]:
    """Return the weights that the first thirteen convolutions get of a seed."""
    state = {}
    for n, (index, channels_in, channels_out) in enumerate(VGG_CONVOLUTIONS):
        weight, bias = seeded_weights([channels_out, channels_in, 3, 3], seed + n)
        state |= {f"features.{index}.weight": weight, f"features.{index}.bias": bias}
    return state


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """In training all parts of the network get gradients."""
    check_learning(student, make_ssd(student, 3), [random_images(rng, 1)], rng, "`SSD300`")


@pytest.mark.weight(1)
def test_classes_and_images(student: Student, rng: torch.Generator) -> None:
    """Any number of classes goes; equal images in a batch get equal answers."""
    net = make_ssd(student, 21)
    images = random_images(rng, 1)
    offsets, logits = expect_answers(net(images), "`SSD300`'s result", 1, 21)
    both = net(torch.cat([images, random_images(rng, 1)]))
    both = expect_answers(both, "`SSD300`'s result", 2, 21)
    for one, two, name in zip((offsets, logits), both, ("offsets", "logits"), strict=True):
        expect_close(two[:1], one, f"The {name} of an image in a batch", 1e-3)
        if torch.allclose(two[0], two[1]):
            fail(f"Two images of different content have the same {name}.")
