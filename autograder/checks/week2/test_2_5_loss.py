"""Task 2.5: the three terms of the loss, their sum, and its gradient."""

import functools

import pytest
import torch
from torch import Tensor

from detcourse.draws import draws
from detcourse.week2 import wrong_ways
from detcourse.week2.scenes import random_boxes, random_grid, targets_of, terms_of, uniform
from detlab.checking.expect import expect_close, expect_tensor, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.grid import WindowGrid
from detlab.weeks.week2.assertions import OUTPUTS, TERMS, check_terms

pytestmark = pytest.mark.task("2.5", points=18)

# Sums of some hundred numbers around 1, in float32.
TOLERANCE = 1e-4
SURELY_WRONG = (
    "A logit of 60 on the wrong side costs 60, and its gradient is 1: is something clamped, or "
    "rounded to a probability of 1?"
)
GROUPS = {
    "the detection logits": slice(0, 1),
    "the class logits": slice(1, 11),
    "the boxes": slice(11, 15),
}


def scene(
    rng: torch.Generator, images: int, grid: WindowGrid | None = None
) -> tuple[Tensor, Tensor]:
    """Return random outputs, each sign of the detection in half of the windows, and targets.

    The logits' sizes are at least 0.05, far enough from the threshold. The last two images show a 0
    and a 9, and each image has windows of all four kinds: with its digit or without, found or not;
    one with its digit is found by a logit under 0.5.
    """
    for _ in draws():
        labels = torch.randint(0, 10, (images,), generator=rng)
        labels[-2:] = torch.tensor([0, 9])[-images:]
        targets = targets_of(random_boxes(rng, images), labels, grid or random_grid(rng))
        outputs = 1.5 * torch.randn(images, OUTPUTS, *targets.shape[2:], generator=rng)
        outputs[:, 0] += 0.05 * outputs[:, 0].sign()
        seen, found = targets[:, 0] == 1, outputs[:, 0] > 0
        kinds = (seen & found, seen & ~found, ~seen & found, ~seen & ~found)
        if all(bool(kind.flatten(1).any(1).all()) for kind in kinds):
            barely = (seen & found).flatten(1).int().argmax(1)
            logits = outputs[:, 0].flatten(1).clone()
            # Over 0 and under one half: who takes logits for probabilities finds no digit there.
            logits[torch.arange(images), barely] = uniform(rng, 0.05, 0.45, images)
            outputs[:, 0] = logits.view_as(seen)
            return outputs, targets


def check_gradient(student: Student, outputs: Tensor, targets: Tensor, cause: str = "") -> None:
    """Compare the gradient of the loss group by group."""
    leaf = outputs.double().requires_grad_()
    sum(terms_of(leaf, targets.double()).values()).backward()
    terms = student.tool("summed", student.fetch("localization_terms"))
    for function, value in (
        (student.fetch("localization_loss"), "the loss"),
        (terms, "the sum of the terms"),
    ):
        gradient = student.tool("gradient", function, outputs, targets)
        if gradient is None:
            fail(
                f"{value.capitalize()} is cut off from the outputs, so nothing can be learned: "
                "`torch.tensor([…])`, `.item()` and `.detach()` let go of the graph."
            )
        gradient = expect_tensor(gradient, f"The gradient of {value}", outputs.shape)
        for name, channels in GROUPS.items():
            what = f"The gradient of {value} by {name}"
            expect_close(gradient[:, channels], leaf.grad[:, channels], what, TOLERANCE, cause)


@pytest.mark.weight(2)
@pytest.mark.parametrize("name", TERMS)
def test_term(student: Student, rng: torch.Generator, name: str) -> None:
    """Each term by itself, window by window and over a batch."""
    outputs, targets = scene(rng, 4)
    # One window of each kind by itself: found or not, and whether there is a digit.
    for found in (-1.0, 1.0):
        for seen in (0.0, 1.0):
            one = outputs[:1, :, :1, :1].clone(), targets[:1, :, :1, :1].clone()
            one[0][:, 0] = found * one[0][:, 0].abs()
            one[1][:] = torch.tensor([1, 3, -0.2, 0.1, 0.5, 0.8]).view(1, 6, 1, 1) * seen
            kind = f"a window {'with' if seen else 'without'} a digit, "
            kind += "found" if found > 0 else "not found"
            compare_term(student, *one, name, f" in {kind}")
    compare_term(student, outputs, targets, name, " over a batch")
    # Just at the threshold: sigmoid(0) is 0.5, which is not more than 0.5.
    for logit in (-0.02, 0.0, 0.02):
        outputs[:, 0] = logit
        compare_term(student, outputs, targets, name, " for detection logits near 0")
    # More columns than rows.
    outputs, targets = scene(rng, 4, WindowGrid(32, 6, (3, 5)))
    compare_term(student, outputs, targets, name, " over a map that is not square")
    # Sure of itself, right or wrong.
    outputs[:, 0] = 8 * outputs[:, 0].sign()
    outputs[:, 1:11] *= 12
    outputs[:, 11:] *= 8
    compare_term(student, outputs, targets, name, " for large outputs")


def compare_term(student: Student, outputs: Tensor, targets: Tensor, name: str, where: str) -> None:
    """Compare one term."""
    value = student.localization_terms(outputs=outputs, targets=targets)
    if type(value) is not dict or name not in value:
        fail(f'`localization_terms`\'s result must be a dict with the key "{name}".')
    term = expect_tensor(value[name], f'The term "{name}"')
    if term.numel() != 1:
        fail(f'The term "{name}" must be one number, but has shape {tuple(term.shape)}.')
    expected = terms_of(outputs.double(), targets.double())[name]
    cause = functools.partial(cause_in_term, outputs, targets, name)
    expect_close(term.reshape(()), expected, f'The term "{name}"{where}', TOLERANCE, cause)


def cause_in_term(outputs: Tensor, targets: Tensor, name: str, found: Tensor) -> str:
    """Say what a wrong term is, if it is something plain."""
    if targets[:, 0].numel() == 1:
        return ""  # whichever windows are meant, there is only this one
    ways = wrong_ways.terms(outputs.double(), targets.double(), name)
    return next(
        (words for words, way in ways if torch.allclose(found, way, rtol=TOLERANCE, atol=1e-6)), ""
    )


@pytest.mark.weight(3)
def test_sum(student: Student, rng: torch.Generator) -> None:
    """The sum of the terms over all windows and images."""
    outputs, targets = scene(rng, 5)
    expected = terms_of(outputs.double(), targets.double())
    terms = student.localization_terms(outputs=outputs, targets=targets)
    check_terms(
        terms,
        expected,
        TOLERANCE,
        lambda name, term: cause_in_term(outputs, targets, name, term),
    )
    loss = student.localization_loss(outputs=outputs, targets=targets)
    loss = expect_tensor(loss, "`localization_loss`'s result").reshape(-1)
    expect_close(loss, sum(expected.values()).reshape(1), "The loss", TOLERANCE)
    expect_untouched(student, "localization_loss", outputs, targets)


@pytest.mark.weight(5)
def test_gradient(student: Student, rng: torch.Generator) -> None:
    """The gradient of the loss: what learns, and what does not."""
    for images in (1, 3):
        check_gradient(student, *scene(rng, images))


@pytest.mark.weight(2)
def test_nothing_found(student: Student, rng: torch.Generator) -> None:
    """The loss and its gradient without a digit, or without any true positive."""
    outputs, targets = scene(rng, 3)
    empty = torch.zeros_like(targets)
    blind = outputs.clone()
    blind[:, 0] = -blind[:, 0].abs()
    # No digit anywhere; digits, none of them found; no digit in the first image.
    half = torch.cat([empty[:1], targets[1:]])
    for some, truth in ((outputs, empty), (blind, targets), (outputs, half)):
        expected = sum(terms_of(some.double(), truth.double()).values()).reshape(1)
        loss = student.localization_loss(outputs=some, targets=truth)
        what = "The loss of a batch in which an image has no true positive"
        expect_close(expect_tensor(loss, what).reshape(-1), expected, what, TOLERANCE)
        check_gradient(student, some, truth)


@pytest.mark.weight(2)
def test_extreme_logits(student: Student, rng: torch.Generator) -> None:
    """The loss and its gradient for logits as large as ±60."""
    outputs, targets = scene(rng, 2)
    # Of all sizes from 20 to 60, and of 60 in every other column.
    sizes = uniform(rng, 20, 60, *outputs[:, 0].shape)
    sizes[..., ::2] = 60
    outputs = 60 * outputs / outputs.abs().amax()
    outputs[:, 0] = sizes * outputs[:, 0].sign()
    outputs[:, 11:] = outputs[:, 11:].clamp(-2, 2)
    # Windows whose class logits all lie near -60 beside others near 60: the largest of a window is
    # what keeps it finite.
    levels = outputs.clone()
    levels[:, 1:11] = outputs[:, 1:11] / 60
    levels[:, 1:11] += torch.tensor([-60.0, 60.0]).repeat(outputs.shape[3])[: outputs.shape[3]]
    what = "The loss for logits of up to ±60"
    for some in (outputs, -outputs, levels):
        loss = student.localization_loss(outputs=some, targets=targets)
        loss = expect_tensor(loss, what).reshape(-1)
        # Of logits these are exact but for roundings; of probabilities, float32 has none so near
        # to 1.
        expected = sum(terms_of(some.double(), targets.double()).values()).reshape(1)
        expect_close(loss, expected, what, TOLERANCE, SURELY_WRONG)
        check_gradient(student, some, targets, SURELY_WRONG)
