"""Cases of the MultiBox loss in which only one term is right, and wrong ways to mine show."""

import torch
from torch import Tensor

from detcourse import minings, truth
from detcourse.cases import plain_boxes, random_labels, random_outputs, some_priors
from detcourse.draws import draws

# How far off a term may be, as a share of 1 and the term together.
TOLERANCE = 2e-4
Case = dict[str, object]
# With right priors one draw in two will do, at worst; with a student's own there may be none.
MOST_TRIES = 50


def case(
    rng: torch.Generator,
    counts: list[int],
    num_classes: int,
    priors: Tensor | None = None,
    sure_of_the_wrong: bool = False,
) -> Case:
    """Return arguments of `multibox_terms` for images with so many objects.

    In each image the network takes a positive for background for sure. Who mines in a wrong way,
    see `detcourse.minings`, gets another term. No prior that an object claims overlaps another
    object more. All this as far as priors allow: a student's own may not.

    Raises:
        Undrawable: with these priors hardly any boxes have one right matching.

    Args:
        sure_of_the_wrong: whether the network takes all positives for background.
    """
    priors = some_priors(rng) if priors is None else priors
    boxes = [own_boxes(rng, count, priors) for count in counts]
    labels = [random_labels(rng, count, num_classes) for count in counts]
    classes = [truth.match_priors(*one, priors)[0] for one in zip(boxes, labels, strict=True)]
    several = {minings.WHOLE_BATCH} if len(counts) > 1 else set()
    shown = minings.OF_AN_IMAGE | several if any(counts) else frozenset()
    for _ in range(MOST_TRIES):
        offsets, logits = random_outputs(rng, len(counts), len(priors), num_classes)
        for n, of_image in enumerate(classes):
            rows = of_image.nonzero().flatten()
            one = rows[torch.randperm(len(rows), generator=rng)[:1]]
            logits[n, rows if sure_of_the_wrong else one, 0] += 12
        some: Case = {
            "offsets": offsets,
            "logits": logits,
            "boxes": boxes,
            "labels": labels,
            "priors": priors,
        }
        doubles, stacked = logits.double(), torch.stack(classes)
        if (
            minings.is_settled(doubles, stacked)
            and minings.that_show(doubles, stacked, TOLERANCE) == shown
        ):
            break
    return some


def extreme_case(rng: torch.Generator) -> Case:
    """Return a case with logits as large as ±60, in which all wrong ways to mine show."""
    for _ in draws():
        some = with_extreme_logits(rng)
        if minings_that_show(some) == minings.MININGS:
            return some


def with_extreme_logits(rng: torch.Generator) -> Case:
    """Return a case with logits as large as ±60, and with rows that all lie near one of these."""
    some = case(rng, [2, 3], 11)
    some["logits"] = 60 * some["logits"] / some["logits"].abs().amax()
    some["logits"][:, ::2] = 60 * some["logits"][:, ::2].sign()
    for start, level in ((1, -60), (3, 60)):  # the largest of a row is what keeps it finite
        some["logits"][:, start::4] = some["logits"][:, start::4] / 60 + level
    return some


def minings_that_show(some: Case) -> frozenset[str] | None:
    """Say which wrong ways to mine show in a case, see `minings.that_show`."""
    _, logits, boxes, labels, priors = in_double(some)
    images = zip(boxes, labels, strict=True)
    classes = torch.stack([truth.match_priors(*image, priors)[0] for image in images])
    return minings.that_show(logits, classes, TOLERANCE)


def own_boxes(rng: torch.Generator, count: int, priors: Tensor) -> Tensor:
    """Return boxes with one right matching, in which each claimed prior is its object's anyway."""
    for _ in range(MOST_TRIES):
        boxes = plain_boxes(rng, count, priors)
        ious = truth.box_iou(boxes, truth.cxcywh_to_xyxy(priors))
        if not count or torch.equal(ious[:, ious.argmax(1)].argmax(0), torch.arange(count)):
            break
    return boxes


def in_double(some: Case) -> list:
    """Return a case's arguments in order, outputs in float64."""
    return [some["offsets"].double(), some["logits"].double(), *list(some.values())[2:]]
