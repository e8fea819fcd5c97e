"""The trainings of task 5.7: hand scenes over, let the student train with either loss, measure.

Hidden scenes' boxes and labels never leave the grader, and the measures are computed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from detcourse.scene_sets import BATCH_SIZE, HIDDEN_SCENES, renamed, scenes_of, secret_names
from detcourse.trainings import once, seed_from, turn_of, words_on
from detcourse.truth import match_priors
from detcourse.week5 import truth
from detlab.checking.expect import expect_floats, expect_handle, expect_list, fail
from detlab.checking.student import Handle, Student
from detlab.metrics import mean_average_precision
from detlab.weeks.detection import IOU_THRESHOLD, MIN_SCORE, TOP_K
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.week5.assertions import (
    NUM_ANCHORS,
    NUM_CLASSES,
    expect_answers,
)

TRAIN_SCENES = 3200
EPOCHS = 3
CPU_S = 60.0  # for each of the two trainings; the loader then runs dry
LOSSES = ("focal", "hard negatives")


@dataclass(frozen=True)
class Score:
    """What a trained network reached.

    Attributes:
        mean: average precision, all-point at IoU 0.5, mean over the classes.
        background: how well the background's logit alone tells anchors with an object from those
            without: the share of pairs that it orders rightly, 0.5 by chance.
        remark: what to say of the training, whatever it reached.
    """

    mean: float
    background: float
    remark: str


@once
def trained(student: Student, rng: torch.Generator) -> dict[str, Score]:
    """Train with both losses at equal budgets, on scenes of the training digits.

    Measured on scenes of hidden ones. Both see the same scenes in the same order.
    """
    own = own_anchors(student)
    names, turn = secret_names(rng, NUM_CLASSES), turn_of(rng)
    images, boxes, classes = scenes_of("train", TRAIN_SCENES, seed_from(rng), turn)
    seed, hidden = seed_from(rng), scenes_of("hidden", HIDDEN_SCENES, seed_from(rng), turn)
    scores = {}
    for loss in LOSSES:
        loader = BudgetedLoader(
            batch_size=BATCH_SIZE,
            max_steps=EPOCHS * (len(images) // BATCH_SIZE),
            cpu_s=CPU_S,
            seed=seed,
            clock=student.clock,
        )
        loader.add(images, boxes, renamed(classes, names))
        student.seed(seed)
        net = student.train_detector(loader=offer(student, loader), epochs=EPOCHS, loss=loss)
        net = expect_handle(net, "`train_detector`'s result", "the trained network")
        activations, logits = answers(student, net, hidden[0])
        true = hidden[1], renamed(hidden[2], names)
        mean = precision(activations, logits, *true, loss, own)
        background = order_of_background(logits, *true, own[0])
        scores[loss] = Score(mean, background, words_on(loader.progress, CPU_S))
    return scores


def own_anchors(student: Student) -> tuple[Tensor, Tensor]:
    """Return the student's anchors (P, 4) and the sides of their cells (P,), both float32.

    A network learns with them, in any order that task 5.2 accepts. They are looked at there; here
    they need only be boxes.
    """
    parts = expect_list(student.make_anchors(), "`make_anchors`'s result (anchors, cells)", 2)
    anchors = expect_floats(parts[0], "The anchors", (NUM_ANCHORS, 4)).float()
    if float(anchors[:, 2:].min()) <= 0:
        fail("Each anchor must have a width and a height.")
    return anchors, expect_floats(parts[1], "The sides of the cells", (NUM_ANCHORS,)).float()


def answers(student: Student, net: Handle, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return a network's activations (N, P, 4) and logits (N, P, C) for some scenes."""
    student.tool("set_training", net, False)
    parts = [answer(net, chunk) for chunk in images.split(50)]
    activations, logits = (torch.cat(part) for part in zip(*parts, strict=True))
    return activations, logits


def order_of_background(
    logits: Tensor, boxes: list[Tensor], classes: list[Tensor], anchors: Tensor
) -> float:
    """Return the share of pairs of anchors, one with an object, that the background orders rightly.

    The focal loss drops the background's column, which stays what chance made it; softmax's
    cross-entropy teaches it more than any other.
    """
    pairs = zip(boxes, classes, strict=True)
    holds = torch.cat([match_priors(b, c, anchors)[0] > 0 for b, c in pairs])
    background = logits[..., 0].flatten()
    others = background[~holds].sort().values
    above = [
        len(others) - torch.searchsorted(others, background[holds], side=side).double()
        for side in ("left", "right")
    ]
    return float((above[0] + above[1]).mean() / (2 * len(others)))  # equal ones are half right


def precision(
    activations: Tensor,
    logits: Tensor,
    boxes: list[Tensor],
    classes: list[Tensor],
    loss: str,
    own: tuple[Tensor, Tensor],
) -> float:
    """Return the mean average precision of a network's answers for some scenes.

    Args:
        loss: what it was trained with, one of LOSSES, which says what its logits mean.
        own: the anchors that it learned with, and the sides of their cells.
    """
    if loss != "focal":  # scores that softmax makes, as logits of sigmoids
        logits = logits.double().softmax(-1).logit(eps=1e-9)
    found = detections(activations, logits, *own)
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, classes, strict=True)]
    return mean_average_precision(found, truths).mean


def detections(
    activations: Tensor, logits: Tensor, anchors: Tensor, cells: Tensor
) -> list[dict[str, Tensor]]:
    """Detect as task 5.6 does, in the way that all measures of the course are taken; quickly."""
    from torchvision.ops import batched_nms

    found = []
    every, scores = truth.boxes_from(activations, anchors, cells), logits.sigmoid()[..., 1:]
    for boxes, values in zip(every, scores, strict=True):
        rows, labels = (values > MIN_SCORE).nonzero(as_tuple=True)
        of_class, confident = boxes[rows], values[rows, labels].float()
        kept = batched_nms(of_class, confident, labels, IOU_THRESHOLD)[:TOP_K]
        parts = {"boxes": of_class, "labels": labels + 1, "scores": confident}
        found.append({name: part[kept] for name, part in parts.items()})
    return found


def answer(net: Handle, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return a network's activations and logits for some images."""
    outputs = net(images)
    for part in outputs[:2] if isinstance(outputs, list | tuple) else ():
        if isinstance(part, Tensor) and not bool(torch.isfinite(part).all()):
            fail(
                "The trained network answers NaN or infinity: at some step the loss was no longer "
                "finite. Lower the learning rate."
            )
    return expect_answers(outputs, "The network's result", len(images), NUM_ANCHORS, NUM_CLASSES)
