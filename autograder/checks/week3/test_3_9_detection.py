"""Task 3.9: non-maximum suppression and detection.

Scores are distinct and no overlap lies at a threshold, so that only one answer is right. What a
check is to see it always sees: wrong suppressions show in every check of detections (see
`outputs`), and `top_k` only in those that are about it, so that no luck is in a wrong answer's
points.
"""

import functools

import pytest
import torch
from torch import Tensor

from detcourse import suppressions, truth, wrong_ways
from detcourse.cases import random_boxes, uniform
from detcourse.comparisons import Settings, are_full, compare_detections, outputs
from detcourse.draws import draws
from detcourse.suppressions import SUPPRESSIONS
from detlab.checking.expect import fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import expect_indices
from detlab.weeks.week3.assertions import FORBIDDEN, expect_own_work

pytestmark = [pytest.mark.task("3.9", points=10), pytest.mark.forbid(*FORBIDDEN)]


def crowd(rng: torch.Generator, count: int, threshold: float) -> tuple[Tensor, Tensor]:
    """Return boxes that overlap a good deal, and scores, both without doubtful cases."""
    for _ in draws():
        boxes = random_boxes(rng, count, 0.3, 0.5)
        if not bool(truth.iou_in_doubt(boxes, boxes, threshold, 1e-4).any()):
            return boxes, torch.randperm(count, generator=rng) / count + 0.001


def compare(student: Student, boxes: Tensor, scores: Tensor, threshold: float) -> None:
    """Compare the boxes that are kept."""
    answer = student.nms(boxes=boxes, scores=scores, iou_threshold=threshold)
    expected = truth.nms(boxes, scores, threshold)
    size = answer.numel() if isinstance(answer, Tensor) else len(expected)
    answer = expect_indices(answer, "`nms`'s result", (size,))
    if torch.equal(answer, expected):
        return
    if sorted(answer.tolist()) == expected.sort().values.tolist():
        return  # their order has a check of its own
    many = f"{size} where {len(expected)} are right" if size != len(expected) else "others"
    ways = wrong_ways.kept(boxes, scores, threshold)
    cause = next((words for words, one in ways if one == sorted(answer.tolist())), "")
    cause = cause or "A box is dropped only if it overlaps one that was kept."
    fail(f"`nms` keeps the wrong boxes: {many}. {cause}")


@pytest.mark.weight(2)
def test_nms(student: Student, rng: torch.Generator) -> None:
    """What suppression keeps of a crowd of boxes."""
    for count, threshold in ((30, 0.45), (60, 0.3), (12, 0.7)):
        boxes, scores = crowd(rng, count, threshold)
        compare(student, boxes, scores, threshold)
    compare(student, 300 * boxes, scores - 5, threshold)
    expect_untouched(student, "nms", boxes, scores, threshold)
    expect_own_work(student, "nms", boxes=boxes, scores=scores, iou_threshold=threshold)


@pytest.mark.weight(2)
def test_chain(student: Student, rng: torch.Generator) -> None:
    """What suppression keeps of a chain of boxes, each overlapping the next."""
    for length in (3, 7):
        side = float(uniform(rng, 0.1, 0.2))
        shifts = side / 3 * torch.arange(length)  # IoU 1/2 with the next, 1/5 with the one after
        boxes = torch.stack([0.1 + shifts, torch.zeros(length), 0.1 + shifts + side,
                             torch.full((length,), side)], 1)  # fmt: skip
        order = torch.randperm(length, generator=rng)
        scores = torch.linspace(0.9, 0.3, length)
        compare(student, boxes[order], scores[order], 0.4)


@pytest.mark.weight(1)
def test_many_boxes(student: Student, rng: torch.Generator) -> None:
    """What is kept of hundreds of boxes that hardly overlap, three of them in a chain."""
    scores = (torch.randperm(450, generator=rng) + 1) / 451
    scores[:3] = scores[:3].sort(descending=True).values
    for _ in draws():
        boxes = random_boxes(rng, 450, 0.02, 0.08)
        side = (boxes[0, 2] - boxes[0, 0]) / 4  # IoU 3/5 with the next, 1/3 with the one after
        boxes[1:3] = boxes[0] + side * torch.tensor([[1.0, 0, 1, 0], [2, 0, 2, 0]])
        few = len(truth.nms(boxes, scores, 0.5)) < 440
        alone = boxes[:3], boxes[3:]  # or another box would drop them
        apart = float(truth.box_iou(*alone).max()) < 0.45
        if few and apart and not bool(truth.iou_in_doubt(boxes, boxes, 0.5, 1e-4).any()):
            break
    compare(student, boxes, scores, 0.5)
    # Of one class, more than `top_k` pass the threshold, all in fact, and all take part.
    priors = truth.xyxy_to_cxcywh(boxes)
    logits = torch.stack([torch.zeros(450), scores.logit(eps=1e-3) + 2], 1)[None]
    settings = Settings(0.01, 0.5, 440)
    made = (torch.zeros(1, 450, 4), logits, priors)
    compare_detections(student, made, settings, **settings._asdict())


@pytest.mark.weight(1)
def test_nms_at_the_edges(student: Student, rng: torch.Generator) -> None:
    """Suppression of no box, of one, of equal scores, of the same box twice."""
    compare(student, torch.zeros(0, 4), torch.zeros(0), 0.5)
    compare(student, random_boxes(rng, 1), torch.tensor([0.3]), 0.5)
    twice = random_boxes(rng, 1).repeat(2, 1)
    compare(student, twice, torch.tensor([0.3, 0.6]), 0.5)
    apart = torch.tensor([[0.0, 0.0, 0.2, 0.2], [0.5, 0.5, 0.7, 0.7], [0.8, 0.0, 0.9, 0.2]])
    answer = student.nms(boxes=apart, scores=torch.full((3,), 0.5), iou_threshold=0.5)
    answer = expect_indices(answer, "`nms`'s result for equal scores", (3,))
    if sorted(answer.tolist()) != [0, 1, 2]:
        fail("Boxes of equal score that lie apart must all be kept, each once.")
    answer = student.nms(boxes=twice, scores=torch.full((2,), 0.5), iou_threshold=0.5)
    expect_indices(answer, "`nms`'s result for one box twice, of equal scores,", (1,))


@pytest.mark.weight(4)
def test_detect(student: Student, rng: torch.Generator) -> None:
    """The detections of a batch: how many, scores, labels, boxes."""
    for count, num_classes, settings in (
        (3, 5, Settings(0.05, 0.45, 320)),
        (1, 11, Settings(0.02, 0.3, 800)),
        (2, 2, Settings(0.4, 0.6, 80)),
    ):
        shown = SUPPRESSIONS if count == 3 else frozenset()
        made = outputs(rng, count, num_classes, settings, shown=shown)
        compare_detections(student, made, settings, **settings._asdict())
    expect_untouched(student, "detect", *made, *settings)
    given = dict(zip(("offsets", "logits", "priors"), made, strict=True))
    expect_own_work(student, "detect", **given, **settings._asdict())


@pytest.mark.weight(1)
def test_order(student: Student, rng: torch.Generator) -> None:
    """The order of kept boxes and of detections."""
    boxes, scores = crowd(rng, 30, 0.45)
    compare(student, boxes, scores, 0.45)
    answer = student.nms(boxes=boxes, scores=scores, iou_threshold=0.45)
    expected = truth.nms(boxes, scores, 0.45)
    if not torch.equal(expect_indices(answer, "`nms`'s result", (len(expected),)), expected):
        fail("`nms` must return the indices by falling score.")
    settings = Settings(0.05, 0.45, 320)
    made = outputs(rng, 3, 5, settings)
    compare_detections(student, made, settings, ordered=True, **settings._asdict())


@pytest.mark.weight(2)
def test_every_class(student: Student, rng: torch.Generator) -> None:
    """Detections where priors show several classes, and classes overlap."""
    settings = Settings(0.1, 0.45, 240)
    # Of three scores between which logits lie 0.7 apart, most exceed a tenth.
    made = outputs(rng, 2, 4, settings, sure=0.7)
    compare_detections(student, made, settings, **settings._asdict())
    # Nor if one class lies where another would, were it moved by so much to keep them apart.
    for step in (1.0, 2.0, 4.0):
        boxes = torch.tensor([[0.1, 0.1, 0.4, 0.4]]).repeat(2, 1) - torch.tensor([[0.0], [step]])
        boxes = boxes + float(uniform(rng, 0, 0.5, 1))
        priors = truth.xyxy_to_cxcywh(boxes)
        logits = torch.tensor([[[0.0, 5, -30], [0.0, -30, 4]]])
        made = (torch.zeros(1, 2, 4), logits, priors)
        compare_detections(student, made, settings, **settings._asdict())


@pytest.mark.weight(2)
def test_top_k(student: Student, rng: torch.Generator) -> None:
    """Detections where more than `top_k` remain."""
    # With one class, more than `top_k` boxes pass the threshold, and most of them are suppressed.
    for top_k, num_classes, shown in (
        (1, 6, {"`top_k` is forgotten"}),
        (60, 6, SUPPRESSIONS | {"`top_k` is forgotten", "the best class alone"}),
        (12, 2, {"`top_k` of each class first", "`top_k` is forgotten"}),
    ):
        settings = Settings(0.05, 0.3, top_k)
        full = functools.partial(are_full, top_k=top_k)
        made = outputs(rng, 2, num_classes, settings, shown=shown, suits=full)
        compare_detections(student, made, settings, **settings._asdict())


@pytest.mark.weight(1)
def test_nothing_found(student: Student, rng: torch.Generator) -> None:
    """The detections of an image of background only."""
    settings = Settings(0.3, 0.45, 320)
    for _ in draws():
        made = outputs(rng, 3, 5, settings)
        made[1][1, :, 0] += 60
        if suppressions.that_show(made, *settings) >= SUPPRESSIONS:
            break
    compare_detections(student, made, settings, **settings._asdict())
    made[1][:, :, 0] += 60
    compare_detections(student, made, settings, **settings._asdict())


@pytest.mark.weight(1)
def test_defaults(student: Student, rng: torch.Generator) -> None:
    """Detections where the settings are left out."""
    full = functools.partial(are_full, top_k=200)
    shown = SUPPRESSIONS | {"`top_k` is forgotten"}
    made = outputs(rng, 1, 8, Settings(), sure=1.0, shown=shown, suits=full)
    compare_detections(student, made, Settings())
    # Fewer than 200 are found, and more or fewer with half or twice the least score.
    for _ in draws():
        made = outputs(rng, 1, 4, Settings(), sure=3.5, shown=frozenset())
        counts = [
            len(truth.detect(*made, least, 0.45, 1000)[0]["scores"])
            for least in (0.005, 0.01, 0.02)
        ]
        if 200 > counts[0] > counts[1] > counts[2]:
            break
    compare_detections(student, made, Settings())
