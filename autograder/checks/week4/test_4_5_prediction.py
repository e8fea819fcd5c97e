"""Task 4.5: the prediction convolutions, and that every answer sits on its own prior."""

import pytest
import torch
from torch import Tensor

from detcourse.trainings import seed_from
from detcourse.week4.networks import Layer, check_learning, predictions, random_maps, seeded
from detlab.checking.expect import expect_close, fail
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import (
    FEATURE_SIZES,
    FORBIDDEN,
    PER_CELL,
    all_weights_called,
    check_xavier,
    expect_answers,
    expect_convolutions,
    make_module,
)

pytestmark = [
    pytest.mark.task("4.5", points=8),
    pytest.mark.limits(cpu_s=40, memory_mb=2048, wall_s=120),
    pytest.mark.forbid(*FORBIDDEN),
]

CONVOLUTIONS = 12
WHAT = "`PredictionConvolutions`"


@pytest.mark.weight(1)
def test_shapes(student: Student, rng: torch.Generator) -> None:
    """The shapes of the answers, for any number of classes and images."""
    for num_classes, count in ((21, 1), (2, 3), (4, 2)):
        net = make_module(student, "PredictionConvolutions", num_classes=num_classes)
        expect_answers(net(random_maps(rng, count)), f"{WHAT}'s result", count, num_classes)


@pytest.mark.weight(4)
def test_values(student: Student, rng: torch.Generator) -> None:
    """The answers with given weights, each in its place."""
    for num_classes, count in ((3, 2), (11, 1)):
        net = make_module(student, "PredictionConvolutions", num_classes=num_classes)
        maps, seed = random_maps(rng, count), seed_from(rng)
        told = student.tool("convolutions_of", net, [maps], seed)
        _, layers = expect_convolutions(told, CONVOLUTIONS, WHAT)
        compare(net, seeded(layers, seed), maps, num_classes)


def compare(net: Handle, layers: list[Layer], maps: list[Tensor], num_classes: int) -> None:
    """Compare the answers with those of heads with known weights."""
    answers = expect_answers(net(maps), f"{WHAT}'s result", len(maps[0]), num_classes)
    right = predictions(layers, maps, num_classes)
    for found, expected, name in zip(answers, right, ("offsets", "logits"), strict=True):
        expect_close(found, expected, f"The {name}", 1e-3, cause_of(found, expected))


def cause_of(found: torch.Tensor, expected: torch.Tensor) -> str:
    """Say of wrong answers that they sit in other places, if they do."""
    sums = [one.double().sum((1, 2)) for one in (found, expected)]
    if torch.allclose(*sums, rtol=1e-3):
        return (
            "Their sum is right, so they sit in other places: row p belongs to prior p, map by "
            "map, in a map row by row, in a cell prior by prior."
        )
    return ""


@pytest.mark.weight(2)
def test_one_place(student: Student, rng: torch.Generator) -> None:
    """Which answers move when one cell of one map changes."""
    net = make_module(student, "PredictionConvolutions", num_classes=5)
    maps = random_maps(rng, 1)
    before = expect_answers(net(maps), f"{WHAT}'s result", 1, 5)
    start = 0
    for k, (size, per_cell) in enumerate(zip(FEATURE_SIZES, PER_CELL, strict=True)):
        i, j = torch.randint(size, (2,), generator=rng).tolist()
        changed = [one.clone() for one in maps]
        changed[k][0, :, i, j] += 1
        after = expect_answers(net(changed), f"{WHAT}'s result", 1, 5)
        allowed = torch.zeros(before[0].shape[1], dtype=torch.bool)
        for row in range(max(i - 1, 0), min(i + 2, size)):
            for column in range(max(j - 1, 0), min(j + 2, size)):
                first = start + (row * size + column) * per_cell
                allowed[first : first + per_cell] = True
        for one, other in zip(before, after, strict=True):
            moved = ((one - other).abs() > 1e-6)[0].any(1)
            if bool((moved & ~allowed).any()) or not bool((moved & allowed).any()):
                fail(f"Answers of the map of {size}×{size} cells sit on priors of other cells.")
        start += size * size * per_cell


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """The gradients of the heads and of all six maps."""
    net = make_module(student, "PredictionConvolutions", num_classes=3)

    def call(given: list) -> tuple[Tensor, Tensor]:
        return expect_answers(net(*given), f"{WHAT}'s result", 1, 3)

    check_learning(student, net, call, [random_maps(rng, 1)], rng, WHAT, inputs=True)


@pytest.mark.weight(1)
def test_fresh_weights(student: Student, rng: torch.Generator) -> None:
    """The fresh weights and biases of the heads."""
    net, maps = make_module(student, "PredictionConvolutions", num_classes=21), random_maps(rng, 1)
    told = student.tool("convolutions_of", net, [maps])
    _, layers = expect_convolutions(told, CONVOLUTIONS, WHAT)
    pairs = all_weights_called(student, net, [maps], range(CONVOLUTIONS), WHAT)
    check_xavier(pairs, WHAT)
    # These, and no others, are what it works with.
    compare(net, list(zip(layers, pairs, strict=True)), maps, 21)
