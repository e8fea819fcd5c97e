"""Task 5.5: the focal loss, its values and its gradients.

Both are held against float64; a float32 sum over some thousand terms is off by less than 1e-4.
"""

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from detcourse.cases import randint, uniform
from detcourse.week5 import truth
from detlab.checking.expect import expect_close, expect_list, expect_number, expect_tensor, fail
from detlab.checking.own_work import expect_untouched, expect_work_without
from detlab.checking.student import Student
from detlab.weeks.week5.assertions import FORBIDDEN

pytestmark = [pytest.mark.task("5.5", points=10), pytest.mark.forbid(*FORBIDDEN)]

WHAT = "`focal_loss`'s result"
TOLERANCE = 1e-4
Case = dict[str, object]

# A submission divides in one of these ways, throughout.
DIVISORS: dict[str, Callable[[Tensor, Tensor], int]] = {
    "C − 1": lambda logits, _: logits.shape[-1] - 1,
    "the number of positives": lambda _, classes: max(int((classes > 0).sum()), 1),
}


def case(
    rng: torch.Generator,
    count: int,
    anchors: int,
    num_classes: int,
    share: float = 0.1,
    size: float = 2.0,
    **options: float,
) -> Case:
    """Return arguments of `focal_loss`.

    Args:
        share: of the anchors that are positive, one at least; 0 leaves all to the background.
        size: of the logits.
        options: alpha and gamma; left out, the defaults must hold.
    """
    logits = size * torch.randn(count, anchors, num_classes, generator=rng) - 1
    labels = torch.randint(1, num_classes, (count, anchors), generator=rng)
    positive = torch.rand(count, anchors, generator=rng) < share
    if share:
        positive[0, randint(rng, 0, anchors - 1)] = True
    return {"logits": logits, "classes": labels * positive, **options}


def right_sum(some: Case, logits: Tensor) -> Tensor:
    """Return the undivided loss of a case."""
    alpha, gamma = (float(some.get(k, v)) for k, v in (("alpha", 0.25), ("gamma", 1.0)))
    return truth.focal_sum(logits, some["classes"], alpha, gamma)


def check_values(student: Student, cases: list[Case], ways: set[str] | None = None) -> set[str]:
    """Compare the values in some cases; return the divisors that fit all of them."""
    ways = set(DIVISORS) if ways is None else ways
    for some in cases:
        value = expect_number(student.focal_loss(**some), WHAT)
        total = float(right_sum(some, some["logits"].double()))
        fitting = ways & fitting_divisors(value, total, some)
        if not fitting:
            fail(cause_of(value, total, some), f"Expected {total:.6g} undivided, got {value:.6g}.")
        ways = fitting
    return ways


def fitting_divisors(value: float, total: float, some: Case) -> set[str]:
    """Return the divisors that make of an undivided loss this value."""
    return {
        way
        for way, divisor in DIVISORS.items()
        if abs(value - total / divisor(some["logits"], some["classes"]))
        <= TOLERANCE * (abs(value) + 1e-3)
    }


def cause_of(value: float, total: float, some: Case) -> str:
    """Say what is wrong with a value."""
    words = "The focal loss is wrong"
    logits, classes = some["logits"], some["classes"]
    ways = {
        "It is not divided at all": 1,
        "It is divided by C, the background included": logits.shape[-1],
        "It is divided by the number of images": len(logits),
        "It is divided by the number of anchors": classes.numel(),
        "It is a mean over anchors and classes": classes.numel() * (logits.shape[-1] - 1),
    }
    for cause, divisor in ways.items():
        # Where it equals the right one, the value is wrong for another reason.
        telling = divisor not in {way(logits, classes) for way in DIVISORS.values()}
        if telling and abs(value * divisor - total) <= 1e-3 * abs(total):
            return f"{words}. {cause}: C − 1 is right."
    return (
        f"{words}: over images, anchors and classes but the background, the sum of weight times "
        "−ln p_t, divided by C − 1."
    )


@pytest.mark.weight(3)
def test_values(student: Student, rng: torch.Generator) -> None:
    """The loss of a batch is right, for any number of images, anchors and classes."""
    sizes = ((1, 30, 11), (3, 20, 5), (4, 189, 21), (2, 15, 2))
    cases = [case(rng, *size) for size in sizes]
    check_values(student, cases)
    arguments = list(cases[1].values())
    expect_untouched(student, "focal_loss", *arguments)
    expect_work_without(student, ("detlab", "torchvision"), "focal_loss", **cases[1])


@pytest.mark.weight(2)
def test_alpha_and_gamma(student: Student, rng: torch.Generator) -> None:
    """α weighs the targets 1 and 1 − α the others; γ holds back what is easy."""
    cases = [
        case(rng, 2, 40, 5, alpha=float(uniform(rng, 0.1, 0.4)), gamma=2.0),
        case(rng, 2, 40, 5, alpha=float(uniform(rng, 0.6, 0.9)), gamma=float(uniform(rng, 3, 4))),
        case(rng, 3, 30, 6, alpha=0.25, gamma=float(uniform(rng, 0.3, 0.8))),
        # All positive, then none.
        case(rng, 2, 10, 4, share=1.1, alpha=0.3, gamma=1.5),
        case(rng, 2, 30, 4, share=0.0, alpha=0.3, gamma=1.5),
    ]
    check_values(student, cases)


@pytest.mark.weight(2)
def test_gamma_of_zero(student: Student, rng: torch.Generator) -> None:
    """With γ = 0 it is the weighted cross-entropy, and with α = ½ half of the plain one."""
    cases = [case(rng, 3, 25, 5, alpha=alpha, gamma=0.0) for alpha in (0.25, 0.8, 0.5)]
    check_values(student, cases)


@pytest.mark.weight(3)
def test_gradients(student: Student, rng: torch.Generator) -> None:
    """Gradients are those of constant weights; none reaches the background's column."""
    ways = set(DIVISORS)
    for some in (
        case(rng, 2, 30, 6),
        case(rng, 3, 20, 4, alpha=0.4, gamma=2.0),
        case(rng, 1, 40, 3, alpha=0.25, gamma=0.5),
    ):
        leaf = some["logits"].double().requires_grad_()
        right_sum(some, leaf).backward()
        found = gradient_of(student, some)
        fitting = {
            way
            for way in ways
            if torch.allclose(
                found * DIVISORS[way](some["logits"], some["classes"]),
                leaf.grad,
                rtol=1e-3,
                atol=1e-5,
            )
        }
        if not fitting:
            if bool(found[..., 0].any()):
                fail("The background's column gets a gradient: it must be dropped.")
            expected = leaf.grad / DIVISORS["C − 1"](some["logits"], some["classes"])
            cause = functools.partial(cause_of_gradient, student, some)
            expect_close(found, expected, "The gradient by the logits", 1e-6, cause)
        ways = fitting or ways


def cause_of_gradient(student: Student, some: Case, _: Tensor) -> str:
    """Ask about constants where the value is right, and only its gradient is not."""
    value = expect_number(student.focal_loss(**some), WHAT)
    total = float(right_sum(some, some["logits"].double()))
    if not fitting_divisors(value, total, some):
        return ""
    return "The value is right: are the weights constants (`detach`, `no_grad`)?"


def gradient_of(student: Student, some: Case) -> Tensor:
    """Return the gradient by the logits, in float64."""
    if not isinstance(student.focal_loss(**some), Tensor):
        fail("The loss must be a tensor, or nothing can be learned from it.")
    answer = student.tool("gradients", student.fetch("focal_loss"), list(some.values()), 1)
    found = expect_list(answer, "The gradients", 1)[0]
    if found is None:
        fail("The loss is cut off from the logits, so nothing can be learned.")
    return expect_tensor(found, "The gradient by the logits", some["logits"].shape).double()


@pytest.mark.weight(1)
def test_background(student: Student, rng: torch.Generator) -> None:
    """The background's logits do not matter, and a batch without objects is fine."""
    some = case(rng, 2, 30, 5)
    other = some | {"logits": some["logits"].clone()}
    other["logits"][..., 0] += uniform(rng, -20, 20, 2, 30)
    values = [expect_number(student.focal_loss(**one), WHAT) for one in (some, other)]
    if abs(values[0] - values[1]) > 1e-6 * (1 + abs(values[0])):
        fail("The background's logits change the loss: their column must be dropped.")
    # Divided in the same way, whether there are objects or not.
    check_values(student, [some, case(rng, 2, 30, 5, share=0.0), case(rng, 2, 30, 5)])


@pytest.mark.weight(2)
def test_extreme_logits(student: Student, rng: torch.Generator) -> None:
    """Values and gradients are exact for logits of ±100, right ones and wrong ones."""
    ways = set(DIVISORS)
    for gamma in (1.0, 2.0, 0.0):
        some = case(rng, 2, 40, 5, share=0.3, alpha=0.25, gamma=gamma)
        some["logits"] = 100 * some["logits"].sign()
        ways = check_values(student, [some], ways)
        # Single ones: one that is wrong outweighs all errors of those that are right.
        calm = some | {"logits": right_logits(some)}
        check_values(student, [calm], ways)
        for one in (some, calm):
            leaf = one["logits"].double().requires_grad_()
            right_sum(one, leaf).backward()
            found = gradient_of(student, one)
            if not any(
                torch.allclose(
                    found * DIVISORS[way](one["logits"], one["classes"]), leaf.grad, atol=1e-5
                )
                for way in ways
            ):
                fail("The gradient is wrong for logits of ±100: use `…_with_logits`.")


def right_logits(some: Case) -> Tensor:
    """Return logits of ±100 that are all right but one, which is a positive anchor's."""
    classes = some["classes"]
    logits = torch.full_like(some["logits"], -100.0)
    logits.scatter_(-1, classes[..., None], 100.0)
    image, anchor = classes.nonzero()[0].tolist()
    logits[image, anchor, classes[image, anchor]] = -100.0
    return logits
