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

from detlab.checking.expect import fail
from detlab.checking.replies import anything, expect_form
from detlab.checking.student import Handle, Student

# Of a parameter's own length: small enough for a straight line, large enough for float32.
STEP = 3e-3
# Bends of ReLUs and roundings change what a step does by a few hundredths; a slope that belongs to
# another network has nothing to do with it.
TOLERANCE = 0.3
Answers = Callable[[], Sequence[Tensor]]


def expect_learning(
    student: Student,
    net: Handle,
    arguments: list[Any],
    answers: Answers,
    rng: torch.Generator,
    what: str,
    *,
    idle: frozenset[int] = frozenset(),
    tried: int | None = None,
) -> None:
    """Check that all parameters of a network learn, in evaluation mode.

    Args:
        arguments: what it is called with.
        answers: calls it with these, and returns those answers that are to learn, as checked.
        what: the network, for messages.
        idle: numbers of parameters that are not meant to learn.
        tried: so many are moved each by itself, chosen by chance, and the rest together; None
            moves each by itself.
    """
    before = [one.double() for one in answers()]
    weights = [torch.randn(one.shape, generator=rng) / one.numel() ** 0.5 for one in before]
    told = student.tool("slopes", net, arguments, weights)
    form = {"slopes": [float], "lengths": [float], "directions": anything}
    told = expect_form(told, form, f"What {what} learns")
    slopes, lengths, directions = (told[name] for name in form)
    if len(slopes) != len(lengths):
        fail(f"{what} does not say of each parameter what it learns.")
    alive = [n for n in range(len(slopes)) if n not in idle]
    if not alive:
        fail(f"{what} has no parameters that could learn.")
    dead = [n for n in alive if not slopes[n] > 0 or not math.isfinite(slopes[n] + lengths[n])]
    if dead:
        fail(
            f"{len(dead)} of {len(alive)} parameters of {what} get no gradient: is a part cut off, "
            "or never used?"
        )
    order = [alive[n] for n in torch.randperm(len(alive), generator=rng)]
    groups = [[n] for n in order[:tried]] + ([order[tried:]] if tried is not None else [])
    for group in filter(None, groups):
        steps = [0.0] * len(slopes)
        for n in group:
            steps[n] = STEP * max(abs(lengths[n]), 0.1)
        expected = sum(steps[n] * slopes[n] for n in group)
        student.tell("move_parameters", net, directions, steps)
        after = answers()
        student.tell("move_parameters", net, directions, [-step for step in steps])
        found = sum(
            float((w.double() * (new.double() - old)).sum())
            for w, new, old in zip(weights, after, before, strict=True)
        )
        # What float32 rounds in the answers themselves, all summed up.
        rounding = 1e-6 * sum(float(one.abs().max()) for one in before)
        if abs(found - expected) > TOLERANCE * abs(expected) + rounding:
            fail(
                f"The gradients of {what} are not those of its answers: is a part cut off, or "
                "detached?",
                f"Parameters {group[:5]}: expected {expected:.3g}, got {found:.3g}.",
            )
