"""Task 3.8: the MultiBox loss.

Scenes are such that only one matching is right, so that values can be exact. Values and gradients
are held against float64; a float32 sum over some hundred priors is off by less than 1e-4.
"""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
import truth
from cases import is_plain, plain_boxes, random_labels, random_outputs, some_priors
from torch import Tensor

from detlab.checking.expect import expect_close, expect_list, expect_number, expect_tensor, fail
from detlab.checking.student import Student
from detlab.checking.week3 import FORBIDDEN, TERMS, expect_own_work, expect_terms, expect_untouched

pytestmark = [pytest.mark.task("3.8", points=15), pytest.mark.forbid(*FORBIDDEN)]

TOLERANCE = 2e-4
Case = dict[str, object]


def smooth_mean(distance: Tensor) -> Tensor:
    """Smooth L1, the mean over the four numbers."""
    return smooth(distance).sum() / 4


def smooth(distance: Tensor) -> Tensor:
    """Smooth L1 of differences."""
    return F.smooth_l1_loss(distance, torch.zeros_like(distance), reduction="none")


# Sound implementations differ here; one of them must fit every case of a check.
DISTANCES: dict[str, Callable[[Tensor], Tensor]] = {
    "smooth L1, mean over the numbers": smooth_mean,
    "smooth L1, summed over the numbers": lambda distance: smooth(distance).sum(),
    "L1, mean over the numbers": lambda distance: distance.abs().sum() / 4,
    "L1, summed over the numbers": lambda distance: distance.abs().sum(),
}


def case(
    rng: torch.Generator, counts: list[int], num_classes: int, priors: Tensor | None = None
) -> Case:
    """Return arguments of `multibox_terms` for images with so many objects."""
    priors = some_priors(rng) if priors is None else priors
    offsets, logits = random_outputs(rng, len(counts), len(priors), num_classes)
    return {
        "offsets": offsets,
        "logits": logits,
        "boxes": [plain_boxes(rng, count, priors) for count in counts],
        "labels": [random_labels(rng, count, num_classes) for count in counts],
        "priors": priors,
    }


def in_double(some: Case) -> list:
    """Return a case's arguments in order, outputs in float64."""
    return [some["offsets"].double(), some["logits"].double(), *list(some.values())[2:]]


def fitting(value: float, some: Case) -> set[str]:
    """Return which ways to measure the distance fit a localization term."""
    arguments = in_double(some)
    return {
        name
        for name, distance in DISTANCES.items()
        if abs(value - float(localization(arguments, distance)))
        <= TOLERANCE * (1 + float(localization(arguments, distance)))
    }


def localization(arguments: list, distance: Callable[[Tensor], Tensor]) -> Tensor:
    """Compute the localization term with some measure of distance."""
    offsets, _, boxes, labels, priors = arguments
    total, positives = offsets.sum() * 0, 0
    for n, (of_image, names) in enumerate(zip(boxes, labels, strict=True)):
        classes, objects = truth.match_priors(of_image, names, priors)
        chosen = classes > 0
        if bool(chosen.any()):
            matched = truth.xyxy_to_cxcywh(of_image[objects[chosen]].double())
            targets = truth.encode_offsets(matched, priors[chosen].double())
            total = total + distance(offsets[n, chosen] - targets)
        positives += int(chosen.sum())
    return total / max(positives, 1)


def check_terms(student: Student, cases: list[Case]) -> None:
    """Compare both terms in some cases."""
    ways = set(DISTANCES)
    for some in cases:
        terms = expect_terms(student.multibox_terms(**some))
        expected = truth.multibox_terms(*in_double(some))
        check_confidence(terms["confidence"], expected["confidence"], some)
        ways &= fitting(terms["localization"], some)
        if not ways:
            fail(
                'The term "localization" is wrong: the mean over the positive priors of the batch '
                "and their four numbers of smooth L1 between offsets and encoded offsets.",
                f"Expected {float(expected['localization']):.5f}, got {terms['localization']:.5f}.",
            )


def check_confidence(value: float, expected: Tensor, some: Case) -> None:
    """Compare the confidence term."""
    if abs(value - float(expected)) <= TOLERANCE * (1 + float(expected)):
        return
    positives = sum(
        int((truth.match_priors(b, n, some["priors"])[0] > 0).sum())
        for b, n in zip(some["boxes"], some["labels"], strict=True)
    )
    cause = ""
    if positives and abs(value * positives - float(expected)) < 1e-3 * (1 + float(expected)):
        cause = " It is divided by the number of positives once too often."
    elif abs(value - float(expected) * positives) < 1e-3 * (1 + value):
        cause = " It is not divided by the number of positives."
    fail(
        'The term "confidence" is wrong: the cross-entropy of the positive priors and, in each '
        "image, of its 3·k hardest background priors, summed and divided by the number of positive "
        f"priors in the batch.{cause}",
        f"Expected {float(expected):.5f}, got {value:.5f}.",
    )


@pytest.mark.weight(3)
def test_one_image(student: Student, rng: torch.Generator) -> None:
    """Both terms are right for one image, with any number of classes."""
    check_terms(
        student, [case(rng, [count], classes) for count, classes in ((2, 11), (4, 5), (1, 2))]
    )


@pytest.mark.weight(4)
def test_batches(student: Student, rng: torch.Generator) -> None:
    """Both terms are right for batches: hard negatives image by image, one division for all."""
    cases = [case(rng, counts, 11) for counts in ([1, 4], [3, 1, 2], [2, 2, 2, 5])]
    check_terms(student, cases)
    expect_untouched(student, "multibox_terms", *cases[0].values())
    expect_own_work(student, "multibox_terms", **cases[0])
    expect_own_work(student, "multibox_loss", **cases[0])
    for some in cases:
        terms = expect_terms(student.multibox_terms(**some))
        loss = expect_number(student.multibox_loss(**some), "`multibox_loss`'s result")
        if abs(loss - sum(terms.values())) > 1e-4 * (1 + abs(loss)):
            fail("`multibox_loss` must be the sum of the two terms.")


@pytest.mark.weight(2)
def test_sure_of_the_wrong(student: Student, rng: torch.Generator) -> None:
    """Positives that the network takes for background are no hard negatives."""
    cases = []
    for counts in ([3, 2], [4]):
        some = case(rng, counts, 11)
        for n, (boxes, labels) in enumerate(zip(some["boxes"], some["labels"], strict=True)):
            positive = truth.match_priors(boxes, labels, some["priors"])[0] > 0
            some["logits"][n, positive, 0] += 12
        cases.append(some)
    check_terms(student, cases)


def with_few_priors(rng: torch.Generator, counts: list[int]) -> Case:
    """Return a case with priors about the objects themselves, and three more."""
    some = case(rng, counts, 11)
    near = truth.xyxy_to_cxcywh(torch.cat(some["boxes"])).repeat(2, 1)
    near = near * (1 + 0.1 * torch.rand(near.shape, generator=rng))
    some["priors"] = torch.cat([near, some["priors"][:3]])
    some["offsets"], some["logits"] = random_outputs(rng, len(counts), len(some["priors"]), 11)
    return some


@pytest.mark.weight(1)
def test_few_negatives(student: Student, rng: torch.Generator) -> None:
    """Where an image has fewer background priors than 3·k, all of them count."""
    cases = []
    for counts in ([3, 1], [2]):
        some = with_few_priors(rng, counts)
        while not all(is_plain(boxes, some["priors"]) for boxes in some["boxes"]):
            some = with_few_priors(rng, counts)
        cases.append(some)
    check_terms(student, cases)


@pytest.mark.weight(2)
def test_empty_image(student: Student, rng: torch.Generator) -> None:
    """An image without objects adds nothing to a batch, wherever it stands."""
    cases = [case(rng, counts, 11) for counts in ([0, 3], [2, 0, 1], [4, 0])]
    check_terms(student, cases)
    for some in cases:
        check_gradients(student, some)


@pytest.mark.weight(1)
def test_no_object_at_all(student: Student, rng: torch.Generator) -> None:
    """A batch without any object has finite terms and gradients."""
    for counts in ([0], [0, 0, 0]):
        some = case(rng, counts, 11)
        terms = expect_terms(student.multibox_terms(**some))
        everything = -some["logits"].log_softmax(-1)[..., 0].sum()
        if abs(terms["localization"]) > 1e-6:
            fail("Without objects there is nothing to localize: that term is 0.")
        if not 0 <= terms["confidence"] <= float(everything) * (1 + TOLERANCE):
            fail("Without objects the confidence is 0, or at most what the background costs.")
        gradients = gradients_of(student, some)
        for gradient, name in zip(gradients, ("offsets", "logits"), strict=True):
            if gradient is not None:
                expect_tensor(gradient, f"The gradient by the {name} without any object")


def gradients_of(student: Student, some: Case) -> list:
    """Return the gradients of the loss by offsets and by logits."""
    arguments = list(some.values())
    answer = student.tool("gradients", student.fetch("multibox_loss"), arguments, 2)
    return expect_list(answer, "The gradients", 2)


def check_gradients(student: Student, some: Case) -> None:
    """Compare the gradients by offsets and by logits."""
    arguments = in_double(some)
    offsets, logits = (part.clone().requires_grad_() for part in arguments[:2])
    truth.multibox_terms(offsets, logits, *arguments[2:])["confidence"].backward()
    found = gradients_of(student, some)
    for gradient, name in zip(found, ("offsets", "logits"), strict=True):
        if gradient is None:
            fail(f"The loss is cut off from the {name}, so nothing can be learned.")
    expect_close(found[1], logits.grad, "The gradient by the logits", TOLERANCE)
    candidates = []
    for distance in DISTANCES.values():
        offsets = arguments[0].clone().requires_grad_()
        localization([offsets, *arguments[1:]], distance).backward()
        candidates.append(offsets.grad)
    gradient = expect_tensor(found[0], "The gradient by the offsets", offsets.shape).double()
    if not any(torch.allclose(gradient, one, rtol=TOLERANCE, atol=1e-5) for one in candidates):
        expect_close(gradient, candidates[0], "The gradient by the offsets", 1e-5)


@pytest.mark.weight(3)
def test_gradients(student: Student, rng: torch.Generator) -> None:
    """Gradients reach positives and hard negatives, and nothing else."""
    for counts in ([2], [1, 4, 2]):
        check_gradients(student, case(rng, counts, 11))


@pytest.mark.weight(1)
def test_terms_by_themselves(student: Student, rng: torch.Generator) -> None:
    """Each term alone has its own gradient: none is a plain number."""
    some = case(rng, [2, 1], 5)
    function = student.tool("summed", student.fetch("multibox_terms"))
    answer = student.tool("gradients", function, list(some.values()), 2)
    found = expect_list(answer, "The gradients", 2)
    for gradient, name in zip(found, TERMS, strict=True):
        if gradient is None or not bool(expect_tensor(gradient, "A gradient").any()):
            fail(f'The term "{name}" is cut off from the outputs: leave `.item()` to the history.')


@pytest.mark.weight(1)
def test_extreme_logits(student: Student, rng: torch.Generator) -> None:
    """Logits as large as ±60 give finite terms and gradients."""
    some = case(rng, [2, 3], 11)
    some["logits"] = 60 * some["logits"] / some["logits"].abs().amax()
    some["logits"][:, ::2] = 60 * some["logits"][:, ::2].sign()
    check_terms(student, [some])
    for gradient in gradients_of(student, some):
        expect_tensor(gradient, "The gradient for logits of ±60")
