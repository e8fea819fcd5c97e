"""Task 4.8: the MultiBox loss and detection at full size."""

import functools
from collections.abc import Set

import pytest
import torch
from torch import Tensor

from detcourse import suppressions, truth, wrong_ways
from detcourse.cases import (
    chosen,
    is_plain,
    plain_boxes,
    random_boxes,
    random_labels,
    random_outputs,
    some_priors,
    uniform,
)
from detcourse.comparisons import (
    Settings,
    check_gradients,
    check_terms,
    compare_detections,
    gradients_of,
    is_clear,
    outputs,
)
from detcourse.draws import draws
from detcourse.loss_cases import Case, case, extreme_case
from detcourse.suppressions import SUPPRESSIONS
from detcourse.week4.full_size import full_case, priors
from detlab.checking.causes import explained_by
from detlab.checking.expect import expect_close, expect_list, expect_tensor, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.replies import counted_call, timed_call
from detlab.checking.student import Student
from detlab.fast import detect as fast_detect
from detlab.weeks.detection import expect_detections, expect_indices, expect_terms
from detlab.weeks.week4.assertions import FORBIDDEN, NUM_PRIORS, expect_own_work

pytestmark = [
    pytest.mark.task("4.8", points=10),
    pytest.mark.limits(cpu_s=60, memory_mb=3072, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

# Measured: the reference takes 60,000 steps for the loss of four images. A Python loop over their
# priors takes 350,000, if it does next to nothing. What hides its steps takes time: for the loss of
# twelve images right answers take 0.03 s, a light loop over their priors 0.27 s. A suppression may
# loop over what it keeps, and takes a second at most for the detection below; a Python loop over
# all pairs of its candidates takes a minute.
MOST_LOSS_STEPS = 250_000
MOST_LOSS_S, MOST_DETECTION_S = 0.12, 6.0
LOOP = "Let torch work on all priors at once, without a Python loop over them."


@pytest.mark.weight(2)
def test_offsets(student: Student, rng: torch.Generator) -> None:
    """Offsets in both directions, for corners and centres."""
    rows = torch.randperm(NUM_PRIORS, generator=rng)[:200]
    some, boxes = priors()[rows], random_boxes(rng, 200, 0.02, 0.8)
    right = truth.encode_offsets(truth.xyxy_to_cxcywh(boxes), some)
    found = student.encode_offsets(boxes=boxes, priors=some)
    cause = functools.partial(cause_in_offsets, boxes, some)
    expect_close(found, right, "`encode_offsets`'s result", 1e-3, cause)
    offsets = uniform(rng, -2, 2, 200, 4)
    right = truth.cxcywh_to_xyxy(truth.decode_offsets(offsets, some))
    found = student.decode_offsets(offsets=offsets, priors=some)
    cause = functools.partial(cause_in_boxes, offsets, some)
    expect_close(found, right, "`decode_offsets`'s result", 1e-4, cause)
    expect_untouched(student, "encode_offsets", boxes, some)
    expect_untouched(student, "decode_offsets", offsets, some)


def cause_in_offsets(boxes: Tensor, some: Tensor, answer: Tensor) -> str:
    """Say what wrong offsets of boxes, `xyxy`, are, if it is plain."""
    ways = wrong_ways.encoded(truth.xyxy_to_cxcywh(boxes), some)
    ways["The boxes, corners, are taken for centre and size."] = truth.encode_offsets(boxes, some)
    return explained_by(answer, ways)


def cause_in_boxes(offsets: Tensor, some: Tensor, answer: Tensor) -> str:
    """Say what wrong boxes of offsets are, if it is plain."""
    ways = wrong_ways.decoded(offsets, some)
    corners = {words: truth.cxcywh_to_xyxy(way) for words, way in ways.items()}
    asked = {words: way for words, way in ways.items() if "corners are asked" in words}
    return explained_by(answer, asked | corners)


def bar(rng: torch.Generator) -> Tensor:
    """Return a long flat box (1, 4), of which no prior covers half."""
    for _ in draws():
        width, height = float(uniform(rng, 0.4, 0.7, 1)), float(uniform(rng, 0.06, 0.1, 1))
        left, top = (1 - width) * float(uniform(rng, 0, 1, 1)), float(uniform(rng, 0, 0.9, 1))
        box = torch.tensor([[left, top, left + width, top + height]])
        if float(truth.box_iou(box, truth.cxcywh_to_xyxy(priors())).max()) < 0.49:
            return box


def rivals(rng: torch.Generator) -> Tensor:
    """Return two boxes: of the first one's best prior, the second has the larger IoU."""
    corners = truth.cxcywh_to_xyxy(priors())
    for _ in draws():
        flat = bar(rng)
        best = int(truth.box_iou(flat, corners)[0].argmax())
        shift = uniform(rng, -0.2, 0.2, 4) * priors()[best, 2:].repeat(2)
        boxes = torch.cat([flat, corners[best : best + 1] + shift])
        if float(boxes.min()) < 0 or float(boxes.max()) > 1:
            continue
        ious = truth.box_iou(boxes, corners)
        if float(ious[1, best]) > float(ious[0, best]) + 1e-3 and is_plain(boxes, priors()):
            return boxes


def outbid(rng: torch.Generator) -> Tensor:
    """Return two boxes: the first one's best prior is positive for it, but nearer to the second."""
    corners = truth.cxcywh_to_xyxy(priors())
    for _ in draws():
        first = random_boxes(rng, 1, 0.15, 0.5)
        ious = truth.box_iou(first, corners)[0]
        best = int(ious.argmax())
        if not 0.52 < float(ious[best]) < 0.8:
            continue
        shifts = uniform(rng, -0.3, 0.3, 200, 4) * priors()[best, 2:].repeat(2)
        others = corners[best] + shifts
        of_others = truth.box_iou(others, corners)
        nearer = of_others[:, best] > ious[best] + 1e-3
        inside = (others.amin(1) >= 0) & (others.amax(1) <= 1)
        for n in (nearer & inside & (of_others.argmax(1) != best)).nonzero().flatten().tolist():
            boxes = torch.cat([first, others[n : n + 1]])
            if is_plain(boxes, priors()):
                return boxes


def twins(rng: torch.Generator) -> Tensor:
    """Return two boxes that claim the same prior: either may have it."""
    corners = truth.cxcywh_to_xyxy(priors())
    for _ in draws():
        first = random_boxes(rng, 1, 0.2, 0.5)
        boxes = torch.cat([first, first + 0.01])
        if len(truth.box_iou(boxes, corners).argmax(1).unique()) == 1:
            return boxes


@pytest.mark.weight(1)
def test_twins(student: Student, rng: torch.Generator) -> None:
    """The class and the object of a prior that two objects claim."""
    for _ in range(3):
        boxes, labels = twins(rng), 1 + torch.randperm(20, generator=rng)[:2]
        answer = student.match_priors(boxes=boxes, labels=labels, priors=priors())
        classes, objects = expect_list(answer, "`match_priors`'s result (classes, objects)", 2)
        classes = expect_indices(classes, "The classes", (NUM_PRIORS,))
        objects = expect_indices(objects, "The objects", (NUM_PRIORS,))
        positive = classes > 0
        mine = objects[positive]
        if not len(mine) or bool((mine < 0).any() | (mine > 1).any()):
            fail("The objects of positive priors must be indices of boxes.")
        if not torch.equal(classes[positive], labels[mine]):
            fail("The class of a prior must be the label of its object.")


@pytest.mark.weight(3)
def test_matching(student: Student, rng: torch.Generator) -> None:
    """The matching of priors with objects, small ones too."""
    given = [plain_boxes(rng, count, priors(), 0.15, 0.6) for count in (1, 4, 0)]
    flat = [chosen(lambda: bar(rng), count, priors()) for count in (2, 3)]
    for boxes in [*given, *flat, rivals(rng), outbid(rng)]:
        count = len(boxes)
        labels = random_labels(rng, count, 21)
        answer = student.match_priors(boxes=boxes, labels=labels, priors=priors())
        classes, objects = expect_list(answer, "`match_priors`'s result (classes, objects)", 2)
        classes = expect_indices(classes, "The classes", (NUM_PRIORS,))
        objects = expect_indices(objects, "The objects", (NUM_PRIORS,))
        right, right_objects = truth.match_priors(boxes, labels, priors())
        positive = right > 0
        missed, extra = (
            int(one.sum()) for one in (positive & (classes <= 0), ~positive & (classes != 0))
        )
        if missed + extra:
            fail(
                f"{missed} priors that should be positive are background, and {extra} the other "
                "way round: positive are those with an IoU of at least 0.5, and each object's own "
                f"best prior. {cause_in_positives(classes, boxes)}".rstrip()
            )
        expect_close(classes, right, "The classes of the priors", 0.0)
        found = objects[positive]
        expect_close(found, right_objects[positive], "The objects of positive priors", 0.0)
        expect_untouched(student, "match_priors", boxes, labels, priors())


def cause_in_positives(classes: Tensor, boxes: Tensor) -> str:
    """Say which priors are positive instead of the right ones, if it is plain."""
    if not len(boxes):
        return ""
    ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors().double()))
    best, claimed = ious.amax(0), torch.zeros(NUM_PRIORS, dtype=torch.bool)
    claimed[ious.argmax(1)] = True
    ways = {
        f"They are what a threshold of {threshold:g} gives.": (best >= threshold) | claimed
        for threshold in (0.3, 0.35, 0.4, 0.45, 0.55, 0.6, 0.65, 0.7)
    } | {
        "No object claims its best prior.": best >= 0.5,
        "Only the claimed priors are positive.": claimed,
        "All priors are positive.": torch.ones_like(claimed),
        "It is the wrong way round: below the threshold.": best < 0.5,
    }
    return next((words for words, way in ways.items() if torch.equal(classes != 0, way)), "")


@pytest.mark.weight(4)
def test_loss(student: Student, rng: torch.Generator) -> None:
    """Both terms for batches of images."""
    cases = [full_case(rng, *one) for one in (([2], 21), ([1, 4], 4), ([3, 0, 2], 2))]
    check_terms(student, cases)
    expect_own_work(student, "multibox_terms", **cases[0])
    expect_untouched(student, "multibox_terms", *cases[1].values())


@pytest.mark.weight(2)
def test_few_priors(student: Student, rng: torch.Generator) -> None:
    """Both terms for other priors, where negatives are few, or scores tie."""
    undecided = full_case(rng, [2, 1], 4)
    undecided["logits"] = torch.zeros_like(undecided["logits"])
    check_terms(student, [case(rng, [2, 1], 5), crowded(rng), undecided])


def crowded(rng: torch.Generator) -> Case:
    """Return a case with fewer background priors than three times the positives."""
    for _ in draws():
        every, boxes = some_priors(rng), random_boxes(rng, 1, 0.3, 0.6)
        positive = truth.match_priors(boxes, torch.tensor([1]), every)[0] > 0
        count = int(positive.sum())
        others = (~positive).nonzero().flatten()[torch.randperm(80 - count, generator=rng)]
        few = every[torch.cat([positive.nonzero().flatten(), others[: 2 * count]]).sort().values]
        if count > 1 and is_plain(boxes, few):
            offsets, logits = random_outputs(rng, 1, len(few), 3)
            labels = random_labels(rng, 1, 3)
            values = offsets, logits, [boxes], [labels], few
            return dict(
                zip(("offsets", "logits", "boxes", "labels", "priors"), values, strict=True)
            )


@pytest.mark.weight(2)
def test_sure_of_the_wrong(student: Student, rng: torch.Generator) -> None:
    """Both terms where the network takes positives for background."""
    check_terms(student, [full_case(rng, counts, 11, True) for counts in ([3, 2], [4])])


@pytest.mark.weight(1)
def test_extreme_logits(student: Student, rng: torch.Generator) -> None:
    """Both terms and gradients for logits as large as ±60."""
    some = extreme_case(rng)
    check_terms(student, [some])
    loss = student.tool("summed", student.fetch("multibox_terms"))
    for gradient in gradients_of(student, some, loss):
        expect_tensor(gradient, "The gradient for logits of ±60")


@pytest.mark.weight(2)
def test_gradients(student: Student, rng: torch.Generator) -> None:
    """The gradients by offsets and by logits."""
    loss = student.tool("summed", student.fetch("multibox_terms"))
    for counts in ([2, 3], [0, 2]):
        check_gradients(student, full_case(rng, counts, 5), loss)


@pytest.mark.weight(1)
def test_no_object(student: Student, rng: torch.Generator) -> None:
    """Both terms and gradients of a batch without any object."""
    some = full_case(rng, [0, 0], 4)
    terms = expect_terms(student.multibox_terms(**some))
    everything = -some["logits"].log_softmax(-1)[..., 0].sum()
    if abs(terms["localization"]) > 1e-6:
        fail("Without objects there is nothing to localize: that term is 0.")
    if not 0 <= terms["confidence"] <= float(everything) * 1.001:
        fail("Without objects the confidence is 0, or at most what the background costs.")
    loss = student.tool("summed", student.fetch("multibox_terms"))
    for gradient in gradients_of(student, some, loss):
        if gradient is not None:
            expect_tensor(gradient, "A gradient without any object")


@pytest.mark.weight(1)
def test_steps_of_loss(student: Student, rng: torch.Generator) -> None:
    """The time that the loss of several images takes."""
    cases = [list(full_case(rng, [3, 1, 2, 4], 21).values()) for _ in range(2)]
    steps, result, _ = counted_call(student, "multibox_terms", *cases)
    expect_terms(result)
    if steps > MOST_LOSS_STEPS:
        fail(f"`multibox_terms` takes {steps:,} steps where {MOST_LOSS_STEPS:,} are plenty. {LOOP}")
    cases = [list(full_case(rng, [3, 1, 2, 4] * 3, 21).values()), cases[0]]
    expect_terms(in_time(student, "multibox_terms", cases, MOST_LOSS_S))


def in_time(student: Student, name: str, cases: list[list], most: float) -> object:
    """Check that a call takes little processor time, by the system's account; return its result."""
    result, seconds = timed_call(student, name, *cases)
    if seconds > most:
        fail(f"`{name}` takes {seconds:.2f} s where {most:g} s are plenty. {LOOP}")
    return result


def trained_like(
    rng: torch.Generator, count: int, num_classes: int, settings: Settings, shown: Set[str]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return outputs as a trained network has them: sure of the background nearly everywhere.

    Some hundred priors about a few objects answer for them, surer or less so, some of them for a
    second class. Objects stick out of the image.

    Args:
        shown: wrong ways to detect that must find something else, see `suppressions.that_show`.
    """
    for _ in draws():
        offsets = 0.5 * torch.randn(count, NUM_PRIORS, 4, generator=rng)
        logits = 0.3 * torch.randn(count, NUM_PRIORS, num_classes, generator=rng)
        logits[..., 0] += 14
        for n in range(count):
            boxes = random_boxes(rng, 5, 0.15, 0.6)
            boxes += uniform(rng, -0.15, 0.15, 5, 2).repeat(1, 2)
            ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors()))
            best, objects = ious.max(0)
            near = (best > 0.4).nonzero().flatten()
            labels = random_labels(rng, len(boxes), num_classes)[objects[near]]
            matched = truth.xyxy_to_cxcywh(boxes[objects[near]])
            noise = 0.6 * torch.randn(len(near), 4, generator=rng)
            offsets[n, near] = truth.encode_offsets(matched, priors()[near]) + noise
            logits[n, near, labels] += uniform(rng, 8, 17, len(near))
            if num_classes > 2:
                second = torch.rand(len(near), generator=rng) < 0.4
                others = labels[second] % (num_classes - 1) + 1
                logits[n, near[second], others] += uniform(rng, 8, 17, len(others))
        made = offsets, logits, priors()
        clear = all(map(leaves_no_doubt, offsets, logits, [settings] * count))
        if clear and shown <= suppressions.that_show(made, *settings):
            return made


def leaves_no_doubt(offsets: Tensor, logits: Tensor, settings: Settings) -> bool:
    """Say whether no score and no overlap of an image lies at a threshold or equals another.

    Priors that are far from being candidates are left out: there are thousands of them.
    """
    scores = logits.softmax(-1)[:, 1:]
    rows = (scores > 0.9 * settings.min_score).any(1)
    return is_clear(offsets[rows], logits[rows], priors()[rows], settings)


@pytest.mark.weight(3)
def test_detection(student: Student, rng: torch.Generator) -> None:
    """The detections: how many, scores, labels, boxes."""
    best_class, all_first = {"the best class alone"}, {"`top_k` of all first"}
    too_many = {"`top_k` of each class first", "`top_k` is forgotten"}
    several = {"boxes are cut first", "classes suppress each other"}
    for count, num_classes, settings, shown in (
        (2, 21, Settings(0.01, 0.45, 30), SUPPRESSIONS | best_class),
        (1, 4, Settings(0.2, 0.5, 25), several | best_class),
        (1, 6, Settings(0.05, 0.3, 9), all_first | best_class),
        (2, 2, Settings(0.05, 0.45, 4), all_first | too_many),
    ):
        made = trained_like(rng, count, num_classes, settings, shown)
        compare_detections(student, made, settings, **settings._asdict())
    compare_detections(student, made, Settings())
    expect_untouched(student, "detect", *made, *settings)
    given = dict(zip(("offsets", "logits", "priors"), made, strict=True))
    expect_own_work(student, "detect", **given)


@pytest.mark.weight(2)
def test_few_candidates(student: Student, rng: torch.Generator) -> None:
    """Detections of few candidates, and with other priors than SSD300's."""
    settings = Settings(0.01, 0.45, 10)
    for count in (1, 2):  # one candidate, and one of each of two classes
        offsets, logits = random_outputs(rng, 1, NUM_PRIORS, 4)
        logits[..., 0] += 40
        rows = torch.randperm(NUM_PRIORS, generator=rng)[:count]
        for label, row in enumerate(rows.tolist(), 1):
            logits[0, row] = torch.tensor([0.0, 0.0, 0.0, 0.0])
            logits[0, row, label] = 6.0 + label
        logits = logits.where(torch.arange(4) <= count, -40.0)
        compare_detections(student, (offsets, logits, priors()), settings, **settings._asdict())
    settings = Settings(0.01, 0.45, 240)
    made = outputs(rng, 2, 4, settings)
    compare_detections(student, made, settings, **settings._asdict())


@pytest.mark.weight(1)
def test_all_candidates_take_part(student: Student, rng: torch.Generator) -> None:
    """Detections among many better ones, and of small boxes."""
    crowd, few = 700, 40  # of one class: a crowd in one place, and others far from it
    rows = torch.randperm(NUM_PRIORS, generator=rng)[: crowd + few]
    place = torch.tensor([[0.1, 0.1, 0.6, 0.6]]) + 0.002 * torch.rand(crowd, 4, generator=rng)
    corners = torch.cartesian_prod(torch.arange(8), torch.arange(5)) * 0.04 + 0.65
    small = torch.cat([corners, corners + 0.006], 1)
    boxes = truth.xyxy_to_cxcywh(torch.cat([place, small]))
    offsets, logits = torch.zeros(1, NUM_PRIORS, 4), torch.zeros(1, NUM_PRIORS, 3)
    logits[..., 0] = 30.0
    offsets[0, rows] = truth.encode_offsets(boxes, priors()[rows])
    logits[0, rows, 0] = 0.0
    logits[0, rows, 1] = torch.linspace(6, 1, crowd + few)
    logits[0, rows, 2] = -30.0
    compare_detections(student, (offsets, logits, priors()), Settings())


@pytest.mark.weight(1)
def test_order(student: Student, rng: torch.Generator) -> None:
    """The order of an image's detections."""
    settings = Settings(0.01, 0.45, 240)
    made = outputs(rng, 2, 4, settings)
    compare_detections(student, made, settings, ordered=True, **settings._asdict())


@pytest.mark.weight(1)
def test_classes_apart(student: Student, rng: torch.Generator) -> None:
    """Detections of different classes that overlap."""
    rows = torch.randperm(NUM_PRIORS, generator=rng)[:2]
    for step in (1.0, 2.0):  # a class that is moved by so little would fall onto another
        boxes = torch.tensor([[0.1, 0.1, 0.4, 0.4]]).repeat(2, 1) - torch.tensor([[0.0], [step]])
        boxes = boxes + float(uniform(rng, 0, 0.5, 1))
        offsets, logits = torch.zeros(1, NUM_PRIORS, 4), torch.zeros(1, NUM_PRIORS, 3)
        logits[..., 0] = 30.0
        offsets[0, rows] = truth.encode_offsets(truth.xyxy_to_cxcywh(boxes), priors()[rows])
        logits[0, rows[0]], logits[0, rows[1]] = torch.tensor([[0.0, 5, -30], [0.0, -30, 4]])
        compare_detections(student, (offsets, logits, priors()), Settings())


@pytest.mark.weight(1)
def test_nothing_found(student: Student, rng: torch.Generator) -> None:
    """The detections of an image of background only, and of scores that do not exceed the least."""
    offsets, logits = random_outputs(rng, 2, NUM_PRIORS, 4)
    logits[..., 0] += 60
    compare_detections(student, (offsets, logits, priors()), Settings())
    # However it is computed and rounded, this score is 1, and no score exceeds that.
    logits[:, :5] = torch.tensor([0.0, 40.0, 0.0, 0.0])
    given = {"offsets": offsets, "logits": logits, "priors": priors(), "min_score": 1.0}
    if any(len(one["scores"]) for one in expect_detections(student.detect(**given), 2)):
        fail("What has just the score `min_score` is found: a score must exceed it.")


@pytest.mark.weight(2)
def test_untrained(student: Student, rng: torch.Generator) -> None:
    """The memory and time that an untrained network's detections take."""
    made = []
    for _ in range(2):
        offsets = 0.2 * torch.randn(1, NUM_PRIORS, 4, generator=rng)
        logits = 0.5 * torch.randn(1, NUM_PRIORS, 4, generator=rng)
        made.append([offsets, logits, priors(), 0.01, 0.45, 200])
    answer = expect_detections(student.detect(**named(made[0])), 1)
    (right,) = fast_detect(*made[0])
    found = answer[0]["scores"]
    if len(found) != 200:
        fail(f"`detect` finds {len(found)} objects where `top_k` is 200 and thousands qualify.")
    # Among thousands of boxes some overlaps lie at the threshold: scores may differ a little.
    near = (found - right["scores"]).abs().max()
    if float(near) > 0.02:
        fail("`detect`'s scores are wrong where thousands of priors qualify for every class.")
    expect_detections(in_time(student, "detect", made, MOST_DETECTION_S), len(made[0][0]))


def named(arguments: list) -> dict:
    """Name the arguments of `detect`."""
    names = ("offsets", "logits", "priors", "min_score", "iou_threshold", "top_k")
    return dict(zip(names, arguments, strict=True))
