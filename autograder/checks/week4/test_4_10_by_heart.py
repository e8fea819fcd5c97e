"""Task 4.10: the training loop, and two images learned by heart."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from detcourse import truth
from detcourse.cases import uniform
from detcourse.comparisons import DISTANCES, localization
from detcourse.draws import Undrawable
from detcourse.loss_cases import Case, case
from detcourse.trainings import expect_following, seed_from
from detcourse.week4.heart import learned_by_heart, priors_of
from detlab.checking.expect import (
    expect_close,
    expect_int,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.own_work import is_exactly, is_same
from detlab.checking.replies import parameters_of
from detlab.checking.student import Handle, Student
from detlab.weeks.detection import TERMS
from detlab.weeks.week4.assertions import FORBIDDEN, NUM_PRIORS

pytestmark = [
    pytest.mark.task("4.10", points=8),
    pytest.mark.needs("4.3", "4.4", "4.5", "4.6", "4.7", "4.8"),
    # The loader's budget and what the measuring takes: it is the loader that ends a training.
    pytest.mark.limits(cpu_s=420, memory_mb=6144, wall_s=1800),
    pytest.mark.forbid(*FORBIDDEN),
]

LOSSES = ((6.0, 1), (3.0, 2))
PRECISIONS = ((0.50, 1), (0.90, 2))
RATE = 0.5
CLASSES = 5


def expected_history(
    batches: list, start: list[Tensor], distance: Callable[[Tensor], Tensor]
) -> tuple[list[dict[str, float]], list[Tensor]]:
    """Train the stand-in of a network rightly; return the terms and the parameters.

    Args:
        distance: how a sound loss may measure the distance of offsets.
    """
    history, rate = [], RATE
    parts = [part.double().requires_grad_() for part in start]
    for images, boxes, labels, priors in batches:
        level = 1 + 0.1 * images.double().mean((1, 2, 3))[:, None, None]
        arguments = [parts[0] * level, parts[1] * level, boxes, labels, priors]
        terms = {
            "localization": localization(arguments, distance),
            "confidence": truth.multibox_terms(*arguments)["confidence"],
        }
        gradients = torch.autograd.grad(sum(terms.values()), parts)
        with torch.no_grad():
            for part, gradient in zip(parts, gradients, strict=True):
                part -= rate * gradient
        rate *= 0.7
        history.append({name: term.item() for name, term in terms.items()})
    return history, [part.detach() for part in parts]


def fits(history: list[dict[str, float]], right: list[dict[str, float]]) -> bool:
    """Say whether a history is the right one; half precision may be used on the way."""
    return all(
        abs(row[name] - expected[name]) <= 0.02 * expected[name]
        for row, expected in zip(history, right, strict=True)
        for name in TERMS
    )


def cases_of(student: Student, rng: torch.Generator, counts: list[list[int]]) -> list[Case]:
    """Return cases of the loss for images with so many objects, with the student's own priors."""
    own = priors_of(student)
    try:
        return [case(rng, one, CLASSES, own) for one in counts]
    except Undrawable:
        fail("Your priors leave open which of them an object belongs to: mend task 4.7 first.")


def parts_of(student: Student, net: Handle) -> list[Tensor]:
    """Return the offsets and the logits that the stand-in of a network has for its priors."""
    parts = parameters_of(student, net, "the network", 2)
    for part, columns in zip(parts, (4, CLASSES), strict=True):
        expect_tensor(part, "Each parameter of the network", (NUM_PRIORS, columns))
    return parts


@pytest.mark.weight(1.5)
def test_epoch(student: Student, rng: torch.Generator) -> None:
    """The steps and the history of an epoch."""
    batches = []
    for some in cases_of(student, rng, [[2, 1], [3, 0], [1, 1], [2]]):
        images = uniform(rng, -1, 1, len(some["boxes"]), 3, 300, 300)
        batches.append((images, some["boxes"], some["labels"], some["priors"]))
    net = student.tool("tiny_detector", NUM_PRIORS, CLASSES, seed_from(rng))
    optimizer = student.tool("sgd_for", net, RATE)
    schedule = student.tool("short_schedule", optimizer, 1)
    start = parts_of(student, net)
    loader = student.tool("counted_loader", [batch[:3] for batch in batches])
    given = {"net": net, "loader": loader, "optimizer": optimizer, "schedule": schedule}
    history = student.train_one_epoch(**given)
    history = expect_list(history, "`train_one_epoch`'s history", len(batches))
    if expect_int(student.tool("passes_of", loader), "The number of passes") != 1:
        fail("`train_one_epoch` must pass through its loader once.")
    for row in history:
        row = expect_keys(row, TERMS, "each step of the history")
        if any(type(row[name]) is not float for name in TERMS):
            fail("The history must hold Python floats: `.item()` lets go of the graph.")
    rights = [expected_history(batches, start, distance) for distance in DISTANCES.values()]
    rights = [one for one in rights if fits(history, one[0])]
    if not rights:
        fail("The history must hold the two terms of the loss of each step, in order.")
    found = parts_of(student, net)
    for one, other, before in zip(found, rights[0][1], start, strict=True):
        scale = float((other - before).abs().max())
        cause = "One step a batch, gradients set to zero before each, then the schedule's step."
        expect_close(one / scale, other / scale, "A parameter after the epoch", 0.05, cause)
    rate = expect_number(student.tool("rate_of", optimizer), "The rate")
    if abs(rate - RATE * 0.7 ** len(batches)) > 1e-6:
        fail("The schedule takes one step after each batch.")


@pytest.mark.weight(0.5)
def test_epoch_without_schedule(student: Student, rng: torch.Generator) -> None:
    """An epoch without a schedule, and with a batch of no objects."""
    images = uniform(rng, -1, 1, 2, 3, 300, 300)
    some, none = cases_of(student, rng, [[2, 1], [0, 0]])
    loader = [(images, one["boxes"], one["labels"]) for one in (none, some)]
    net = student.tool("tiny_detector", NUM_PRIORS, CLASSES, seed_from(rng))
    start = parts_of(student, net)
    optimizer = student.tool("sgd_for", net, RATE)
    history = student.train_one_epoch(net=net, loader=loader, optimizer=optimizer)
    expect_list(history, "`train_one_epoch`'s history without a schedule", len(loader))
    if any(map(torch.equal, start, parts_of(student, net))):
        fail("Without a schedule `train_one_epoch` must train as well.")
    held, seed, histories = student.make("list", "itself", loader), seed_from(rng), []
    for _ in range(2):
        net = student.tool("tiny_detector", NUM_PRIORS, CLASSES, seed)
        optimizer = student.tool("sgd_for", net, RATE)
        histories.append(student.train_one_epoch(net=net, loader=held, optimizer=optimizer))
    if not is_same(*histories) or not is_exactly(student.tool("itself", held), loader):
        fail("`train_one_epoch` changed its batches: another epoch on them is another one.")


@pytest.mark.costly
@pytest.mark.parametrize(
    ("most", "weight"), [pytest.param(*band, marks=pytest.mark.weight(band[1])) for band in LOSSES]
)
def test_loss(student: Student, task_rng: torch.Generator, most: float, weight: int) -> None:
    """The loss on the two images after the training."""
    score = learned_by_heart(student, task_rng)
    if not score.loss <= most:
        bounds = " and ".join(f"{bound:g}" for bound, _ in LOSSES)
        fail(f"The loss on the two images is {score.loss:.2f}; points at {bounds}.{score.remark}")
    expect_following(score.followed)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("least", "weight"),
    [pytest.param(*band, marks=pytest.mark.weight(band[1])) for band in PRECISIONS],
)
def test_precision(student: Student, task_rng: torch.Generator, least: float, weight: int) -> None:
    """The mAP on the two images after the training."""
    score = learned_by_heart(student, task_rng)
    if score.mean < least:
        bands = " and ".join(f"{band:.2f}" for band, _ in PRECISIONS)
        fail(f"The mAP on the two images is {score.mean:.3f}; points at {bands}.{score.remark}")
    expect_following(score.followed)
