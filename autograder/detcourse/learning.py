"""Whether gradients reach a network's parameters, tried out instead of believed.

The student's side tells how steep a weighted sum of the answers is by each parameter. Then
parameters are moved uphill, and the answers must follow: a slope that is made up, or missing
because something is cut off, does not fit to what the answers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from detlab.checking.expect import expect_list, expect_tensor, fail
from detlab.checking.replies import anything, expect_form
from detlab.checking.student import Handle, Student

# Small enough for a straight line, large enough for float32: of a parameter's own length, and of
# what the weighted sum could rise by, were its parts to add up by chance.
STEP, RISE = 3e-3, 2e-2
# Bends of ReLUs and roundings change what a step does by a few hundredths (of 630 steps on networks
# of three kinds the least was 0.93, the largest 1.04 of what it should be); a slope that belongs to
# another network has nothing to do with it.
TOLERANCE = 0.3
# Of the sum's size float32 rounds away less than this (measured: a tenth of it).
ROUNDING = 2e-6
# So many of the parameters must learn enough to be seen in the answers.
PLAIN = 0.8
Call = Callable[[list[Any]], Sequence[Tensor]]


def expect_learning(
    student: Student,
    net: Handle,
    call: Call,
    arguments: list[Any],
    rng: torch.Generator,
    what: str,
    *,
    only: Callable[[int, Tensor], Tensor] = lambda _, weights: weights,
    idle: frozenset[int] = frozenset(),
    least: int | None = None,
    tried: int = 6,
    inputs: bool = False,
    frozen: bool = True,
) -> set[int]:
    """Check that the parameters of a network learn; return the numbers of those that do.

    Args:
        call: calls it, and returns those of its answers that are to learn, as checked.
        arguments: what it is called with: tensors, or lists of tensors.
        what: the network, for messages.
        only: changes the weights of an answer, by its number: those that are 0 do not count.
        idle: numbers of parameters that are not meant to learn.
        least: so many learn of the answers that count; None if all must.
        tried: so many are moved each by itself, chosen by chance, and the rest together.
        inputs: whether what it is given must get gradients, too.
        frozen: whether up to half of the parameters may be meant not to learn.
    """
    before = [one.double() for one in call(arguments)]
    weights = [
        only(n, torch.randn(one.shape, generator=rng) / one.numel() ** 0.5)
        for n, one in enumerate(before)
    ]
    told = student.tool("slopes", net, arguments, weights)
    form = {"slopes": [float], "lengths": [float], "frozen": [bool]}
    form |= {"directions": anything, "inputs": anything}
    told = expect_form(told, form, f"What {what} learns")
    slopes, lengths, directions = told["slopes"], told["lengths"], told["directions"]
    not_meant = {n for n, one in enumerate(told["frozen"]) if one}
    if not_meant and not frozen:
        fail(f"{len(not_meant)} parameters of {what} are not meant to learn (`requires_grad`).")
    if least is None and 2 * len(not_meant) > len(slopes):
        fail(f"Most parameters of {what} are not meant to learn (`requires_grad`).")
    idle |= not_meant

    def rise(after: Sequence[Tensor]) -> float:
        return sum(
            float((w.double() * (new.double() - old)).sum())
            for w, new, old in zip(weights, after, before, strict=True)
        )

    # What the sum would be, were its parts to add up by chance; float32 rounds away a millionth.
    scale = sum(float((w * x).square().sum()) for w, x in zip(weights, before, strict=True)) ** 0.5
    most, rounding = RISE * scale, ROUNDING * scale
    if not scale > 0:
        fail(f"{what} answers nothing but zeros.")

    def expect_rise(found: float, expected: float, detail: str) -> None:
        if not abs(found - expected) <= TOLERANCE * abs(expected) + rounding:
            fail(
                f"The gradients of {what} are not those of its answers: is a part cut off, or "
                "detached?",
                f"{detail}: expected {expected:.3g}, got {found:.3g}.",
            )

    alive = alive_of(slopes, lengths, what, idle, least)

    def step_of(n: int, others: int) -> float:
        return min(STEP * max(abs(lengths[n]), 0.1), most / slopes[n] / others)

    plain = [n for n in alive if step_of(n, 1) * slopes[n] > 3 * rounding]
    if len(plain) < PLAIN * len(alive):
        fail(f"The gradients of most parameters of {what} are too small to learn anything.")
    order = [alive[n] for n in torch.randperm(len(alive), generator=rng)]
    groups = [[n] for n in order[:tried]]
    if order[tried:]:
        groups.append(order[tried:])
    for group in groups:
        steps = [0.0] * len(slopes)
        for n in group:
            steps[n] = step_of(n, len(group))
        expected = sum(steps[n] * slopes[n] for n in group)
        student.tell("move_parameters", net, directions, steps)
        found = rise(call(arguments))
        student.tell("move_parameters", net, directions, [-step for step in steps])
        expect_rise(found, expected, f"Parameters {group[:5]}")
    if inputs:
        steep = uphill(told["inputs"], arguments, what, most)
        expected = sum(float((step * g).sum()) for step, g in steep)
        moved = shifted(arguments, iter([step for step, _ in steep]))
        expect_rise(rise(call(moved)), expected, "What it is given")
    return set(alive)


def alive_of(
    slopes: list[float], lengths: list[float], what: str, idle: frozenset[int], least: int | None
) -> list[int]:
    """Return the numbers of the parameters that get a gradient; fail where too few do."""
    able = [n for n in range(len(slopes)) if n not in idle]
    if len(slopes) != len(lengths) or not able:
        fail(f"{what} has no parameters that could learn.")
    alive = [n for n in able if slopes[n] > 0 and math.isfinite(slopes[n] + lengths[n])]
    wanted = len(able) if least is None else least
    if len(alive) < wanted:
        fail(
            f"{len(alive)} parameters of {what} get a gradient where {wanted} should: is a part "
            "cut off, or never used?"
        )
    return alive


def uphill(told: Any, arguments: list[Any], what: str, most: float) -> list[tuple[Tensor, Tensor]]:
    """Return for each input a small step along its gradient, and the gradient.

    Args:
        most: that the weighted sum may rise by.
    """
    given = tensors_in(arguments)
    found = expect_list(told, f"The gradients of what {what} is given", len(given))
    steps = []
    for one, gradient in zip(given, found, strict=True):
        if gradient is None:
            fail(f"{what} is cut off from what it was given: no gradient gets there.")
        gradient = expect_tensor(gradient, f"A gradient of what {what} is given", one.shape)
        gradient, length = gradient.double(), float(gradient.double().norm())
        if not length > 0:
            fail(f"{what} is cut off from what it was given: its gradient is zero there.")
        step = min(STEP * max(float(one.norm()), 0.1), most / length / len(given))
        steps.append((gradient * (step / length), gradient))
    return steps


def tensors_in(arguments: list[Any]) -> list[Tensor]:
    """Return the tensors among arguments, those in lists too, in order."""
    return [
        tensor
        for one in arguments
        for tensor in (tensors_in(list(one)) if isinstance(one, list | tuple) else [one])
    ]


def shifted(arguments: list[Any], steps: Any) -> list[Any]:
    """Add steps to the tensors among arguments."""
    return [
        shifted(one, steps) if isinstance(one, list) else (one + next(steps).to(one.dtype))
        for one in arguments
    ]
