"""Task 3.8: the MultiBox loss.

Scenes are such that only one matching is right, so that values can be exact. Values and gradients
are held against float64; a float32 sum over some hundred priors is off by less than 1e-4.
"""

import pytest
import torch

from detcourse import truth
from detcourse.cases import is_plain, random_outputs
from detcourse.comparisons import check_gradients, check_terms, gradients_of
from detcourse.loss_cases import TOLERANCE, Case, case, extreme_case, minings_that_show
from detcourse.minings import MININGS, POSITIVES_TWICE
from detlab.checking.expect import expect_list, expect_number, expect_tensor, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import TERMS, expect_terms
from detlab.weeks.week3.assertions import FORBIDDEN, expect_own_work

pytestmark = [pytest.mark.task("3.8", points=15), pytest.mark.forbid(*FORBIDDEN)]


@pytest.mark.weight(3)
def test_one_image(student: Student, rng: torch.Generator) -> None:
    """Both terms for one image, with any number of classes."""
    check_terms(
        student, [case(rng, [count], classes) for count, classes in ((2, 21), (4, 5), (1, 2))]
    )


@pytest.mark.weight(4)
def test_batches(student: Student, rng: torch.Generator) -> None:
    """Both terms for batches, and their sum."""
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
    """Both terms where the network takes positives for background."""
    cases = [case(rng, counts, 11, sure_of_the_wrong=True) for counts in ([3, 2], [4])]
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
    """Both terms where an image has few background priors."""
    cases = []
    for counts, shown in (([3, 1, 1, 1], MININGS), ([2], {POSITIVES_TWICE})):
        some = with_few_priors(rng, counts)
        while (
            not all(is_plain(boxes, some["priors"]) for boxes in some["boxes"])
            or minings_that_show(some) != shown
        ):
            some = with_few_priors(rng, counts)
        cases.append(some)
    check_terms(student, cases)


@pytest.mark.weight(2)
def test_empty_image(student: Student, rng: torch.Generator) -> None:
    """Both terms and gradients of a batch with an image without objects."""
    cases = [case(rng, counts, 11) for counts in ([0, 3], [2, 0, 1], [4, 0])]
    check_terms(student, cases)
    for some in cases:
        check_gradients(student, some)


@pytest.mark.weight(1)
def test_no_object_at_all(student: Student, rng: torch.Generator) -> None:
    """Both terms and gradients of a batch without any object."""
    for counts in ([0], [0, 0, 0]):
        some = case(rng, counts, 11)
        terms = expect_terms(student.multibox_terms(**some))
        everything = -some["logits"].log_softmax(-1)[..., 0].sum()
        if abs(terms["localization"]) > 1e-6:
            fail("Without objects there is nothing to localize: that term is 0.")
        if not 0 <= terms["confidence"] <= float(everything) * (1 + TOLERANCE):
            fail("Without objects the confidence is 0, or at most what the background costs.")
        gradients = gradients_of(student, some)
        if all(one is None for one in gradients):
            fail(
                "Without any object the loss is a constant, and `backward()` would end a training "
                "there with an error: let the terms come out of the outputs all the same."
            )
        for gradient, name in zip(gradients, ("offsets", "logits"), strict=True):
            if gradient is not None:
                expect_tensor(gradient, f"The gradient by the {name} without any object")


@pytest.mark.weight(3)
def test_gradients(student: Student, rng: torch.Generator) -> None:
    """The gradients by offsets and by logits."""
    for counts in ([2], [1, 4, 2]):
        check_gradients(student, case(rng, counts, 11))


@pytest.mark.weight(1)
def test_terms_by_themselves(student: Student, rng: torch.Generator) -> None:
    """The gradient of each term alone."""
    some = case(rng, [2, 1], 5)
    function = student.tool("summed", student.fetch("multibox_terms"))
    answer = student.tool("gradients", function, list(some.values()), 2)
    found = expect_list(answer, "The gradients", 2)
    for gradient, name in zip(found, TERMS, strict=True):
        if gradient is None or not bool(expect_tensor(gradient, "A gradient").any()):
            fail(f'The term "{name}" is cut off from the outputs: leave `.item()` to the history.')


@pytest.mark.weight(1)
def test_extreme_logits(student: Student, rng: torch.Generator) -> None:
    """Both terms and gradients for logits as large as ±60."""
    some = extreme_case(rng)
    check_terms(student, [some])
    for gradient in gradients_of(student, some):
        expect_tensor(gradient, "The gradient for logits of ±60")
