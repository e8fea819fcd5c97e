"""Visible checks of task 4.8: the loss and the detection."""

import math
from typing import Any

import torch
from torch import Tensor

from detlab.checking.expect import expect_close, expect_list, fail
from detlab.checking.replies import counted_call
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.weeks.detection import expect_detections, expect_indices, expect_terms
from detlab.weeks.week4.assertions import NUM_PRIORS, expect_own_work


def four_priors() -> Tensor:
    """Return four priors, `cxcywh`."""
    return torch.tensor(
        [[0.3, 0.3, 0.4, 0.4], [0.32, 0.3, 0.4, 0.4], [0.8, 0.8, 0.2, 0.2], [0.5, 0.9, 0.1, 0.1]]
    )


@visible("4.8")
def offsets(student: Student) -> None:
    """The offsets of a box to the right of its prior, and twice as high."""
    boxes = torch.tensor([[0.14, -0.1, 0.54, 0.7]])
    expected = torch.tensor([[1.0, 0.0, 0.0, math.log(2) / 0.2]])
    priors = four_priors()[:1]
    expect_close(student.encode_offsets(boxes=boxes, priors=priors), expected, "The offsets", 1e-4)
    back = student.decode_offsets(offsets=expected, priors=priors)
    expect_close(back, boxes, "The boxes of these offsets", 1e-4)


@visible("4.8")
def matching(student: Student) -> None:
    """The matching of a prior with IoU 0.9, and of an object far away."""
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.0, 0.85, 0.46, 0.95]])
    labels = torch.tensor([3, 7])
    answer = student.match_priors(boxes=boxes, labels=labels, priors=four_priors())
    classes, objects = expect_list(answer, "`match_priors`'s result (classes, objects)", 2)
    classes = expect_indices(classes, "The classes", (4,))
    if classes.tolist() != [3, 3, 0, 7]:
        fail("The classes of the four priors must be 3, 3, 0 and 7.", f"{classes.tolist()}")
    objects = expect_indices(objects, "The objects", (4,))
    if [objects.tolist()[n] for n in (0, 1, 3)] != [0, 0, 1]:
        fail("The objects of the positive priors must be 0, 0 and 1.", f"{objects.tolist()}")


@visible("4.8")
def loss(student: Student) -> None:
    """The loss where two of four priors are positive, and without objects."""
    given = {
        "offsets": torch.zeros(1, 4, 4),
        "logits": torch.zeros(1, 4, 5),
        "boxes": [torch.tensor([[0.1, 0.1, 0.5, 0.5]])],
        "labels": [torch.tensor([2])],
        "priors": four_priors(),
    }
    given["offsets"][0, 0, 0] = 3.0
    terms = expect_terms(student.multibox_terms(**given))
    # The first prior is the object; the second lies to its right, by a half in these offsets.
    expected = {"localization": (2.5 + 0.125) / 8, "confidence": 2 * math.log(5)}
    sums = (2.5 + 0.125) / 2, (3 + 0.5) / 8, (3 + 0.5) / 2
    near = [abs(terms["localization"] - one) for one in (expected["localization"], *sums)]
    if min(near) > 1e-4:
        fail('The term "localization" is not the mean smooth L1.', f"{terms['localization']:.4f}")
    if abs(terms["confidence"] - expected["confidence"]) > 1e-4:
        fail(
            'The term "confidence" must count two positives and two negatives, divided by two.',
            f"Expected {expected['confidence']:.4f}, got {terms['confidence']:.4f}.",
        )
    # Every row still holds five equal logits.
    given["logits"] += torch.tensor([-60.0, 60.0, -60.0, 60.0])[:, None]
    if abs(expect_terms(student.multibox_terms(**given))["confidence"] - 2 * math.log(5)) > 1e-4:
        fail('The term "confidence" is wrong where logits are as large as ±60.')
    given["boxes"], given["labels"] = [torch.zeros(0, 4)], [torch.zeros(0, dtype=torch.int64)]
    expect_terms(student.multibox_terms(**given))
    expect_own_work(student, "multibox_terms", **given)


@visible("4.8")
def detections(student: Student) -> None:
    """The detections of three priors, of which one is suppressed."""
    logits = torch.tensor([[[0.0, 3.0, 2.0], [2.0, 2.5, -9.0], [0.0, 1.0, 0.0], [9.0, 0.0, 0.0]]])
    given = {"offsets": torch.zeros(1, 4, 4), "logits": logits, "priors": four_priors()}
    found = expect_detections(student.detect(**given, min_score=0.25, top_k=2), 1)[0]
    scores = logits[0].softmax(-1)
    expect_close(found["scores"], torch.stack([scores[0, 1], scores[2, 1]]), "The scores", 1e-4)
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.5], [0.7, 0.7, 0.9, 0.9]])
    expect_close(found["boxes"], boxes, "The boxes", 1e-4)
    if found["labels"].tolist() != [1, 1]:
        fail("Both detections must be of class 1.", f"{found['labels'].tolist()}")
    given["logits"] = torch.tensor([[[9.0, 0, 0], [0.0, 3, -9], [0.0, -9, 4], [9.0, 0, 0]]])
    found = expect_detections(student.detect(**given, min_score=0.25), 1)[0]
    if found["labels"].tolist() != [2, 1]:
        fail("The best detection is of class 2, the other of 1.", f"{found['labels'].tolist()}")
    given["logits"] = 20 * given["logits"].sign()  # of 1, however it is rounded
    if len(expect_detections(student.detect(**given, min_score=1.0), 1)[0]["labels"]):
        fail("What has just the score `min_score` is found: a score must exceed it.")
    many = torch.zeros(1, 1500, 4), torch.zeros(1, 1500, 3)
    centres = torch.rand(1500, 2, generator=torch.Generator().manual_seed(1))
    crowd = torch.cat([centres, torch.full((1500, 2), 0.01)], 1)
    given = dict(zip(("offsets", "logits"), many, strict=True))
    found = expect_detections(student.detect(**given, priors=crowd), 1)[0]
    if len(found["scores"]) != 200:
        fail(f"Of thousands of equal candidates 200 must remain, not {len(found['scores'])}.")


@visible("4.8")
def rival_objects(student: Student) -> None:
    """The matching where an object claims a prior that another object overlaps more."""
    # All of one height; by x, the second object is nearest to the second prior, the first object
    # to the first prior, which the second overlaps by 0.74 and the first by 0.54.
    boxes = torch.tensor([[0.08, 0.3, 0.48, 0.7], [0.26, 0.3, 0.66, 0.7]])
    priors = torch.tensor([[0.4, 0.5, 0.4, 0.4], [0.48, 0.5, 0.4, 0.4]])
    answer = student.match_priors(boxes=boxes, labels=torch.tensor([3, 7]), priors=priors)
    classes, objects = expect_list(answer, "`match_priors`'s result (classes, objects)", 2)
    classes = expect_indices(classes, "The classes", (2,))
    objects = expect_indices(objects, "The objects", (2,))
    if (classes.tolist(), objects.tolist()) != ([3, 7], [0, 1]):
        fail("Each of the two objects must get the prior that it claims: classes 3 and 7.")


@visible("4.8")
def mined(student: Student) -> None:
    """The confidence of two images with one and two positives of twelve priors."""
    centres = torch.cartesian_prod(torch.arange(4.0), torch.arange(3.0)) / 4 + 0.15
    priors = torch.cat([centres, torch.full((12, 2), 0.2)], 1)
    corners = torch.cat([centres - 0.1, centres + 0.1], 1)
    rows, labels = ([4], [0, 7]), ([1], [2, 3])
    logits = 2 * torch.randn(2, 12, 4, generator=torch.Generator().manual_seed(4))
    for image, some in enumerate(rows):
        logits[image, some, 0] += 3  # the network takes positives for background
    given = {
        "offsets": torch.zeros(2, 12, 4),
        "logits": logits,
        "boxes": [corners[some] for some in rows],
        "labels": [torch.tensor(some) for some in labels],
        "priors": priors,
    }
    total, losses = 0.0, -logits.double().log_softmax(-1)
    for own, some, names in zip(losses, rows, labels, strict=True):
        total += float(own[some, names].sum())
        background = [float(own[p, 0]) for p in range(12) if p not in some]
        total += sum(sorted(background)[-3 * len(some) :])
    terms = expect_terms(student.multibox_terms(**given))
    # The second of the two is another image: each has hard negatives of its own.
    if abs(terms["confidence"] - total / 3) > 1e-3:
        fail(
            'The term "confidence" is wrong for two images with three and six hard negatives: of '
            "raw logits, in each image by itself, added up, and divided by all three positives.",
            f"Expected {total / 3:.4f}, got {terms['confidence']:.4f}.",
        )


@visible("4.8")
def steps_of_loss(student: Student) -> None:
    """The steps that the loss of four images with 8,732 priors takes."""
    rng = torch.Generator().manual_seed(5)
    centres = torch.rand(NUM_PRIORS, 2, generator=rng)
    priors = torch.cat([centres, torch.full((NUM_PRIORS, 2), 0.1)], 1)
    offsets, logits = torch.zeros(4, NUM_PRIORS, 4), torch.zeros(4, NUM_PRIORS, 3)
    box, label = torch.tensor([[0.2, 0.3, 0.3, 0.4]]), torch.tensor([1])
    given = [offsets, logits, [box] * 4, [label] * 4, priors]
    steps, terms, _ = counted_call(student, "multibox_terms", given, given)
    expect_terms(terms)
    # Right ones take 60,000; a loop over the priors of four images that does little, 350,000.
    if steps > 250_000:
        fail(
            "`multibox_terms` takes far too many steps: let torch work on all priors at once, "
            "without a Python loop over them.",
            f"{steps:,}",
        )


def found_boxes(
    student: Student, boxes: list[list[float]], logits: list[list[float]], **how: Any
) -> dict[str, Tensor]:
    """Detect where the priors are these boxes, `xyxy`, and the offsets zero."""
    corners = torch.tensor(boxes)
    first, last = corners.split(2, 1)
    given = {
        "offsets": torch.zeros(1, len(boxes), 4),
        "logits": torch.tensor([logits]),
        "priors": torch.cat([(first + last) / 2, last - first], 1),
    }
    return expect_detections(student.detect(**given, **how), 1)[0]


@visible("4.8")
def neighbours(student: Student) -> None:
    """The detections of boxes of two classes, and of boxes that stick out of the image."""
    boxes = [[0.1, 0.1, 0.5, 0.5], [0.11, 0.1, 0.51, 0.5], [0.6, 0.6, 0.9, 0.9]]
    # The first and the second class in one place, and the surest, of the second, elsewhere.
    found = found_boxes(student, boxes, [[0.0, 3, -9], [0.0, -9, 4], [0.0, -9, 5]])
    if sorted(found["labels"].tolist()) != [1, 2, 2]:
        fail("Each class is suppressed by itself: here none of three detections is.")
    apart = [[x, 0.1, x + 0.1, 0.2] for x in (0.1, 0.3, 0.5, 0.7)]
    surer = [[0.0, 4, -9], [0.0, 3, -9], [0.0, 2, -9], [0.0, -9, 5]]
    found = found_boxes(student, apart, surer, top_k=2)
    if found["labels"].tolist() != [2, 1]:
        fail("Of four detections, in two classes, the two surest must remain: `top_k` is of all.")
    # As they are, their IoU is 0.375; all that lies inside the image is the same.
    outside = [[-0.6, 0.1, 0.2, 0.3], [-0.1, 0.1, 0.2, 0.3]]
    found = found_boxes(student, outside, [[0.0, 4], [0.0, 3]])
    if len(found["labels"]) != 2:
        fail("Two boxes that stick out overlap by 0.375: clip at the very end, or not at all.")


@visible("4.8")
def behind_many(student: Student) -> None:
    """The detection of an object behind 450 surer ones in another place."""
    boxes = [[0.1, 0.1, 0.5, 0.5]] * 450 + [[0.6, 0.6, 0.9, 0.9]]
    logits = [[0.0, 6 - n / 200] for n in range(451)]
    found = found_boxes(student, boxes, logits)
    if len(found["scores"]) != 2:
        fail("All candidates above `min_score` take part in the suppression: two must remain.")
