"""What the checks of weeks 3 and 4 share: the MultiBox loss and detections, compared.

Scenes are such that only one matching is right, so that values can be exact; scores are distinct,
and no overlap lies at a threshold. Values and gradients are held against float64.
"""

import functools
import math
from collections.abc import Callable, Iterable, Set
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse import suppressions, truth, wrong_ways
from detcourse.cases import some_priors
from detcourse.draws import draws
from detcourse.loss_cases import TOLERANCE, Case, in_double
from detcourse.suppressions import SUPPRESSIONS
from detlab.checking.expect import expect_close, expect_list, expect_tensor, fail
from detlab.checking.student import Handle, Student
from detlab.checking.wording import number
from detlab.weeks.detection import IOU_THRESHOLD, MIN_SCORE, TOP_K, expect_detections, expect_terms


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
            ways = wrong_ways.localizations(in_double(some), DISTANCES)
            cause = way_of(terms["localization"], ways)
            fail(
                'The term "localization" is wrong: the mean over the positive priors of the batch '
                "and their four numbers of smooth L1 between offsets and encoded offsets is asked "
                f"for. {cause}".rstrip(),
                f"Expected {number(float(expected['localization']), 6)}, "
                f"got {number(terms['localization'], 6)}.",
            )


def check_confidence(value: float, expected: Tensor, some: Case) -> None:
    """Compare the confidence term."""
    if abs(value - float(expected)) <= TOLERANCE * (1 + float(expected)):
        return
    cause = way_of(value, wrong_ways.confidences(in_double(some)))
    fail(
        'The term "confidence" is wrong: the cross-entropy of the positive priors and, in each '
        "image, of its 3·k hardest background priors, summed and divided by the number of positive "
        f"priors in the batch, is asked for. {cause}".rstrip(),
        f"Expected {number(float(expected), 6)}, got {number(value, 6)}.",
    )


def way_of(value: float, ways: Iterable[tuple[str, float]]) -> str:
    """Return the words of the wrong way that gives this number, or the empty string."""
    return next(
        (words for words, other in ways if math.isclose(value, other, rel_tol=TOLERANCE)), ""
    )


def gradients_of(student: Student, some: Case, loss: Handle | None = None) -> list:
    """Return the gradients of the loss by offsets and by logits."""
    arguments = list(some.values())
    function = student.fetch("multibox_loss") if loss is None else loss
    answer = student.tool("gradients", function, arguments, 2)
    return expect_list(answer, "The gradients", 2)


def check_gradients(student: Student, some: Case, loss: Handle | None = None) -> None:
    """Compare the gradients by offsets and by logits."""
    arguments = in_double(some)
    offsets, logits = (part.clone().requires_grad_() for part in arguments[:2])
    truth.multibox_terms(offsets, logits, *arguments[2:])["confidence"].backward()
    found = gradients_of(student, some, loss)
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


class Settings(NamedTuple):
    """Arguments of `detect` beside outputs and priors."""

    min_score: float = MIN_SCORE
    iou_threshold: float = IOU_THRESHOLD
    top_k: int = TOP_K


def outputs(
    rng: torch.Generator,
    count: int,
    num_classes: int,
    settings: Settings,
    sure: float = 3.0,
    shown: Set[str] = SUPPRESSIONS,
    suits: Callable[[list[dict[str, Tensor]]], bool] = bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return offsets, logits and priors whose detections leave no doubt.

    Args:
        sure: how far logits lie apart.
        shown: wrong ways to detect that must find something else, see `suppressions.that_show`.
        suits: says whether the right detections are such that the check sees what it is for.
    """
    priors = some_priors(rng)
    for _ in draws():
        offsets = 0.7 * torch.randn(count, len(priors), 4, generator=rng)
        logits = sure * torch.randn(count, len(priors), num_classes, generator=rng)
        made = offsets, logits, priors
        clear = all(is_clear(o, x, priors, settings) for o, x in zip(offsets, logits, strict=True))
        if (
            clear
            and suits(truth.detect(*made, *settings))
            and shown <= suppressions.that_show(made, *settings)
        ):
            return made


def are_full(detections: list[dict[str, Tensor]], top_k: int) -> bool:
    """Say whether all images have as many detections as they may."""
    return all(len(one["scores"]) == top_k for one in detections)


def is_clear(offsets: Tensor, logits: Tensor, priors: Tensor, settings: Settings) -> bool:
    """Say whether no score and no overlap of an image lies at a threshold or equals another."""
    scores = logits.double().softmax(-1)[:, 1:]
    boxes = truth.cxcywh_to_xyxy(truth.decode_offsets(offsets.double(), priors.double()))
    return is_settled(scores, boxes, settings)


def is_settled(scores: Tensor, boxes: Tensor, settings: Settings) -> bool:
    """Say whether no score and no overlap of an image lies at a threshold or equals another.

    Overlaps count between boxes of which at least one class sees both.

    Args:
        scores: (P, C - 1) float64, of all classes but the background.
        boxes: (P, 4) float64, `xyxy`.
    """
    above = scores > settings.min_score
    listed = scores[above].sort().values
    if float((scores - settings.min_score).abs().min()) < 1e-6:
        return False
    if len(listed) > 1 and float(listed.diff().min()) < 1e-7:
        return False
    # Boxes cut to the image overlap otherwise: that suppression comes first is pinned.
    together = (above.double() @ above.double().T) > 0
    doubt = truth.iou_in_doubt(boxes, boxes, settings.iou_threshold, 1e-5)
    return not bool((doubt & together).any())


def compare_detections(
    student: Student,
    made: tuple[Tensor, Tensor, Tensor],
    settings: Settings,
    *,
    ordered: bool = False,
    **given: object,
) -> None:
    """Compare detections; boxes may be cut to the image after the suppression.

    Args:
        ordered: whether they must come by falling score; that has a check of its own.
    """
    offsets, logits, priors = made
    arguments = {"offsets": offsets, "logits": logits, "priors": priors, **given}
    answer = expect_detections(student.detect(**arguments), len(offsets))
    expected = truth.detect(offsets, logits, priors, *settings)
    cause = functools.partial(way_of_detections, answer, made, settings)
    compare_found(answer, expected, ordered, cause)


def compare_found(
    answer: truth.Detections,
    expected: truth.Detections,
    ordered: bool = False,
    cause: Callable[[], str] = str,
) -> None:
    """Compare what was found in some images; boxes may be cut to the image.

    Args:
        ordered: whether they must come by falling score.
        cause: asked for words on a wrong answer.
    """
    for found, right in zip(answer, expected, strict=True):
        counts = len(found["scores"]), len(right["scores"])
        if counts[0] != counts[1]:
            fail(
                f"`detect` finds {counts[0]} objects in an image where {counts[1]} are right: "
                "every class above `min_score`, suppression in each class by itself, then `top_k`. "
                f"{cause()}".rstrip()
            )
        if not ordered:
            order = found["scores"].argsort(descending=True, stable=True)
            found = {name: values[order] for name, values in found.items()}
        elif bool((found["scores"].diff() > 0).any()):
            fail("The detections of an image must come by falling score.")
        if not torch.allclose(found["scores"].float(), right["scores"].float(), atol=1e-5):
            expect_close(found["scores"], right["scores"], "The scores", 1e-5, cause())
        if not torch.equal(found["labels"], right["labels"]):
            fail(
                "The labels are wrong: each is the class whose score it stands beside, and the "
                "background is 0. "
                f"{cause()}".rstrip()
            )
        boxes = right["boxes"]
        cut = boxes.clamp(0, 1)
        if len(boxes) and bool(torch.allclose(found["boxes"].float(), cut, atol=1e-5)):
            continue
        if not torch.allclose(found["boxes"].float(), boxes.float(), atol=1e-5):
            expect_close(found["boxes"], boxes, "The boxes, `xyxy`,", 1e-4, cause())


def way_of_detections(
    answer: list[dict[str, Tensor]], made: tuple[Tensor, Tensor, Tensor], settings: Settings
) -> str:
    """Return the words of the wrong way that finds what was found, or the empty string."""
    ordered = []
    for one in answer:
        order = one["scores"].argsort(descending=True, stable=True)
        ordered.append({name: values[order] for name, values in one.items()})
    count = max(len(one["scores"]) for one in ordered)
    if not count:  # by too many ways
        return ""
    ways = wrong_ways.detections(made, settings, count)
    return next((words for words, other in ways if wrong_ways.same_detections(ordered, other)), "")
