"""Task 4.3: VGG-16 as the base, and its fully connected layers decimated."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.cases import randint, smooth_images
from detcourse.learning import expect_learning
from detcourse.trainings import seed_from
from detcourse.week4.networks import (
    check_learning,
    expect_two,
    features_of,
    first_alone,
    vgg_base,
)
from detlab.checking.causes import likely_cause
from detlab.checking.expect import expect_close, expect_floats, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import (
    FORBIDDEN,
    SIDE,
    all_weights_called,
    check_settings,
    check_xavier,
    expect_convolutions,
    expect_own_work,
    make_module,
    weights_called,
    weights_of,
)
from detlab.weeks.week4.tools.vgg import vgg_factors

pytestmark = [
    pytest.mark.task("4.3", points=12),
    pytest.mark.limits(cpu_s=60, memory_mb=6144, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

CONVOLUTIONS, BEFORE_POOL4 = 15, 10
SOME = (0, 1, 2, 4, 6, 14)  # of the convolutions: one of each width, and conv7
Weights = tuple[Tensor, Tensor]
# Sides whose halves are whole but at pool3, so that it alone decides how to round.
SIZES = ((108, 92), (76, 124))


def loaded(student: Student, seed: int) -> Handle:
    """Make a base with known weights in its thirteen convolutions."""
    base = make_module(student, "VGGBase")
    state = student.tool("vgg_weights", seed, False)
    student.load_vgg16(base=base, state=state)
    return base


@pytest.mark.weight(2)
def test_decimate(student: Student, rng: torch.Generator) -> None:
    """Which values `decimate` keeps."""
    for shape, steps in (
        ((8, 3, 7, 7), (4, None, 3, 3)),
        ((9, 10), (2, 5)),
        ((12,), (4,)),
        ((5, 6, 4), (None, None, None)),
        ((7, 4, 2, 3, 6), (3, 1, None, 2, 4)),
    ):
        values = torch.randn(*shape, generator=rng)
        expected = values
        for axis, step in enumerate(steps):
            if step is not None:
                kept = torch.arange(0, shape[axis], step)
                expected = expected.index_select(axis, kept)
        answer = student.decimate(values=values.clone(), steps=list(steps))
        expect_close(answer, expected, "`decimate`'s result", 0.0, "Of 7 values 0, 3 and 6 remain.")
        expect_untouched(student, "decimate", values, list(steps))
    expect_own_work(student, "decimate", values=values, steps=list(steps))


@pytest.mark.weight(2)
def test_shapes(student: Student, rng: torch.Generator) -> None:
    """The shapes of both maps, and their ReLUs."""
    base = make_module(student, "VGGBase")
    maps = expect_two(base(smooth_images(rng, 1, SIDE)), "`VGGBase`'s result (conv4_3, conv7)")
    for value, (channels, size), name in zip(
        maps, ((512, 38), (1024, 19)), ("conv4_3", "conv7"), strict=True
    ):
        if bool((expect_floats(value, name, (1, channels, size, size)) < 0).any()):
            fail(f"{name} must be the map after its ReLU: it has negative values.")


@pytest.mark.weight(5)
def test_values(student: Student, rng: torch.Generator) -> None:
    """The values of both maps, with given weights."""
    seed = seed_from(rng)
    base = loaded(student, seed)
    for height, width in SIZES:
        images = smooth_images(rng, 2, height, width)
        told = student.tool("convolutions_of", base, [images], seed, 13)
        _, layers = expect_convolutions(told, CONVOLUTIONS, "`VGGBase`")
        for layer, name, settings in zip(
            layers[13:], ("conv6", "conv7"), last_settings(), strict=True
        ):
            check_settings(layer, name, **settings)
        six, seven = (weights_of(layer, seed + n) for n, layer in enumerate(layers[13:], 13))
        # Small maps show biases; of large images all maps exceed 60: what cuts activations shows.
        for scale in (1, 100):
            compare(base, images, scale, features_of(seed), six, seven)


def compare(
    base: Handle,
    images: Tensor,
    scale: float,
    features: dict[str, Tensor],
    six: Weights,
    seven: Weights,
) -> None:
    """Compare both maps of so many times the images with those of known weights.

    Roundings grow with the images: maps are compared in units of `scale`.
    """
    right_4_3, pool5 = vgg_base(scale * images, features)
    conv6 = F.relu(F.conv2d(pool5, *six, 1, 6, 6))
    rights = right_4_3, F.relu(F.conv2d(conv6, *seven))
    maps = expect_two(base(scale * images), "`VGGBase`'s result (conv4_3, conv7)")
    for found, right, name in zip(maps, rights, ("conv4_3", "conv7"), strict=True):
        found = expect_floats(found, name, right.shape)
        expect_close(found / scale, right / scale, name, 1e-3)


def last_settings() -> tuple[dict[str, int], dict[str, int]]:
    """Return the settings of conv6 and conv7."""
    common = {"out_channels": 1024, "stride": 1}
    return (
        {**common, "in_channels": 512, "kernel_size": 3, "padding": 6, "dilation": 6},
        {**common, "in_channels": 1024, "kernel_size": 1, "padding": 0},
    )


@pytest.mark.weight(2)
def test_classifier(student: Student, rng: torch.Generator) -> None:
    """conv6 and conv7, made of the fully connected layers."""
    seed, images = seed_from(rng), smooth_images(rng, 1, 64)
    base = make_module(student, "VGGBase")
    expect_untouched(student, "load_vgg16", base, student.tool("vgg_weights", seed, True))
    a, b, c, d, e, bias_6, bias_7 = vgg_factors(seed)
    six = (a[::4, None, None, None] * (b[:, None, None] * c[::3, ::3]), bias_6[::4])
    seven = ((d[::4, None] * e[::4])[..., None, None], bias_7[::4])
    for number, (weight, bias) in ((13, six), (14, seven)):
        name = f"conv{number - 7}"
        found_weight, found_bias = weights_called(student, base, images, number, name)
        cause = ""
        if found_weight.shape == weight.shape:
            some = [one[:64, :64].double() for one in (found_weight, weight)]
            cause = likely_cause(*some)
        cause = cause or (
            "Every fourth output (and input), every third place, each from the first, are asked "
            "for, and nothing else about them changes."
        )
        expect_close(found_weight, weight, f"The weights of {name}", 1e-6, cause)
        expect_close(found_bias, bias, f"The biases of {name}", 1e-6)


@pytest.mark.weight(1)
def test_without_classifier(student: Student, rng: torch.Generator) -> None:
    """conv6 and conv7 where the file holds no classifier."""
    images, seed = smooth_images(rng, 1, 64), seed_from(rng)
    base = make_module(student, "VGGBase")
    before = [
        weights_called(student, base, images, number, f"conv{number - 7}") for number in (13, 14)
    ]
    student.load_vgg16(base=base, state=student.tool("vgg_weights", seed, False))
    check_xavier(before, "conv6 and conv7")
    for number, (weight, bias) in zip((13, 14), before, strict=True):
        name = f"conv{number - 7}"
        found = weights_called(student, base, images, number, name)
        expect_close(found[0], weight, f"The weights of {name} without a classifier", 0.0)
        expect_close(found[1], bias, f"The biases of {name} without a classifier", 0.0)


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """The gradients of the base and of its images."""
    net = loaded(student, seed_from(rng))

    def call(given: list[Tensor]) -> list[Tensor]:
        parts = expect_two(net(*given), "`VGGBase`'s result (conv4_3, conv7)")
        return [expect_floats(one, "A map of `VGGBase`") for one in parts]

    # All of it learns from conv7, and ten convolutions from conv4_3 alone.
    about = {"only": last_alone, "inputs": True}
    check_learning(student, net, call, [smooth_images(rng, 1, 72)], rng, "`VGGBase`", **about)
    about = {"only": first_alone, "least": 2 * BEFORE_POOL4}
    expect_learning(student, net, call, [smooth_images(rng, 1, 72)], rng, "`VGGBase`", **about)


def last_alone(number: int, weights: Tensor) -> Tensor:
    """Let conv7 count alone."""
    return weights if number == 1 else torch.zeros_like(weights)


@pytest.mark.weight(1)
def test_fresh_weights(student: Student, rng: torch.Generator) -> None:
    """The fresh weights and biases of two bases."""
    images = smooth_images(rng, 1, 64 + 4 * randint(rng, 0, 3))
    bases = [make_module(student, "VGGBase") for _ in range(2)]
    told = student.tool("convolutions_of", bases[0], [images])
    expect_convolutions(told, CONVOLUTIONS, "`VGGBase`")
    # All weights would be too many to hand over.
    pairs = all_weights_called(student, bases[0], [images], SOME, "`VGGBase`")
    check_xavier(pairs, "`VGGBase`")
    first = [pairs[0][0], weights_called(student, bases[1], images, 0, "conv1_1")[0]]
    if torch.equal(*first):
        fail("Two fresh bases have the same weights: leave the seed to the notebook.")
    if tuple(first[0].shape) != (64, 3, 3, 3):
        fail("The first convolution must be 3×3, from 3 channels to 64.")
