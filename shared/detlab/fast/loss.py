"""The MultiBox loss for a whole batch at once.

Two things make it fast. Images are matched together, their objects padded to one number. And the
cross-entropy is differentiated for positives and hard negatives only, some hundred of thousands of
priors; to rank the others the logarithm of the background's probability is enough.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2


def multibox_terms(
    offsets: Tensor,
    logits: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    priors: Tensor,
    *,
    iou_threshold: float = 0.5,
    negatives_per_positive: int = 3,
) -> dict[str, Tensor]:
    """Compute the two terms of the MultiBox loss (W. Liu et al., SSD, 2016).

    Args:
        offsets: (N, P, 4) float32, predicted.
        logits: (N, P, C) float32, predicted; class 0 is the background.
        boxes: for each image (n, 4) float32, `xyxy` in fractions, sides greater than 0; n may
            be 0.
        labels: for each image (n,) int64, 1 to C - 1.
        priors: (P, 4) float32, `cxcywh` in fractions.
        iou_threshold: least IoU of a positive prior that no object claims.
        negatives_per_positive: hard negatives of an image, as a multiple of its positives.

    Returns:
        "localization", smooth L1, the mean over positives and their four numbers; "confidence",
        the cross-entropy summed over positives and hard negatives, divided by the number of
        positives. Scalars, differentiable; 0 for a batch without objects.

    Raises:
        ValueError: a box has no area; the message names its image.
    """
    if not any(map(len, boxes)):
        nothing = (offsets.sum() + logits.sum()) * 0
        return {"localization": nothing, "confidence": nothing}
    for n, one in enumerate(boxes):
        if not bool((one[:, 2:] > one[:, :2]).all()):
            raise ValueError(f"image {n} has a box without area: leave it out of the data")
    padded = pad_sequence(list(boxes), batch_first=True)
    classes, objects = match_batch(padded, boxes, labels, priors, iou_threshold)
    images, places = classes.nonzero(as_tuple=True)
    count = len(images)
    targets = encode(padded[images, objects[images, places]], priors[places])
    hard_images, hard_places = hard_negatives(logits, classes, negatives_per_positive)
    chosen = torch.cat([images, hard_images]), torch.cat([places, hard_places])
    return {
        "localization": F.smooth_l1_loss(offsets[images, places], targets),
        "confidence": F.cross_entropy(logits[chosen], classes[chosen], reduction="sum") / count,
    }


def match_batch(
    padded: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    priors: Tensor,
    iou_threshold: float,
) -> tuple[Tensor, Tensor]:
    """Match the priors with the objects of each image.

    Args:
        padded: (N, M, 4), the boxes of all images, M the largest number of objects.

    Returns:
        (N, P) int64 classes, 0 for background; (N, P) int64 indices of objects.
    """
    device = padded.device
    counts = torch.tensor([len(one) for one in boxes], device=device)
    real = torch.arange(padded.shape[1], device=device) < counts[:, None]
    ious = iou_with(padded, priors)
    ious[~real] = -1
    best, objects = ious.max(1)
    images, rows = real.nonzero(as_tuple=True)
    claimed = ious[images, rows].argmax(1)
    best[images, claimed] = 2
    objects[images, claimed] = rows
    names = pad_sequence(list(labels), batch_first=True)
    return names.gather(1, objects).masked_fill(best < iou_threshold, 0), objects


def iou_with(padded: Tensor, priors: Tensor) -> Tensor:
    """Return the IoU of (N, M, 4) `xyxy` boxes with (P, 4) `cxcywh` priors: (N, M, P)."""
    half = priors[:, 2:] / 2
    left, top = (priors[:, :2] - half).T
    right, bottom = (priors[:, :2] + half).T
    x_min, y_min, x_max, y_max = (side.unsqueeze(-1) for side in padded.unbind(-1))
    width = (torch.minimum(x_max, right) - torch.maximum(x_min, left)).clamp_(min=0)
    height = (torch.minimum(y_max, bottom) - torch.maximum(y_min, top)).clamp_(min=0)
    shared = width.mul_(height)
    union = (x_max - x_min) * (y_max - y_min) + (right - left) * (bottom - top) - shared
    return shared.div_(union)


def encode(boxes: Tensor, priors: Tensor) -> Tensor:
    """Return the offsets of (n, 4) `xyxy` boxes from their `cxcywh` priors."""
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    shifts = (centres - priors[:, :2]) / (CENTRE_VARIANCE * priors[:, 2:])
    return torch.cat([shifts, torch.log(sides / priors[:, 2:]) / SIZE_VARIANCE], 1)


@torch.no_grad()
def hard_negatives(
    logits: Tensor, classes: Tensor, negatives_per_positive: int
) -> tuple[Tensor, Tensor]:
    """Choose the background priors with the largest cross-entropy, image by image.

    Returns:
        Their images and their places, int64.
    """
    positive = classes.gt(0)
    wanted = negatives_per_positive * positive.sum(1)
    costs = logits.logsumexp(-1) - logits[..., 0]
    costs.masked_fill_(positive, -torch.inf)
    most = min(int(wanted.max()), costs.shape[1])
    values, places = costs.topk(most, 1)
    taken = (torch.arange(most, device=wanted.device) < wanted[:, None]) & (values > -torch.inf)
    images, ranks = taken.nonzero(as_tuple=True)
    return images, places[images, ranks]
