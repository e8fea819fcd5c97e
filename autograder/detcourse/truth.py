"""The right answers of weeks 3 and 4, written plainly, one box after another where that helps."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Detections = list[dict[str, Tensor]]


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Turn (…, 4) float boxes, fractions of the image, from `cxcywh` into `xyxy`; same dtype."""
    c_x, c_y, w, h = boxes.unbind(-1)
    return torch.stack([c_x - w / 2, c_y - h / 2, c_x + w / 2, c_y + h / 2], -1)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """Turn (…, 4) float boxes, fractions of the image, from `xyxy` into `cxcywh`; same dtype."""
    x_min, y_min, x_max, y_max = boxes.unbind(-1)
    return torch.stack([(x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min], -1)


# Many add a number up to this to the union of two boxes, so as not to divide by 0: that is right.
SMOOTHING = 1e-5


def box_iou(boxes_a: Tensor, boxes_b: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the IoU of each box with each other: 0 where either has no area, never NaN.

    Args:
        boxes_a: (A, 4) float, `xyxy`.
        boxes_b: (B, 4) float, `xyxy`, in the same units.
        smoothing: is added to the union.

    Returns:
        (A, B) float64 in [0, 1].
    """
    a, b = boxes_a.double()[:, None], boxes_b.double()[None]
    width = torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])
    height = torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])
    shared = width.clamp(min=0) * height.clamp(min=0)
    areas = [(x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1]) for x in (a, b)]
    union = areas[0] + areas[1] - shared + smoothing
    return torch.where(union > 0, shared / torch.where(union > 0, union, 1.0), 0.0)


def iou_in_doubt(boxes_a: Tensor, boxes_b: Tensor, threshold: float, margin: float) -> Tensor:
    """Say for each box with each other whether right ways to compute their IoU may disagree.

    Args:
        threshold: that the IoU is held against.
        margin: for rounding.

    Returns:
        (A, B) bool.
    """
    least, most = box_iou(boxes_a, boxes_b, SMOOTHING), box_iou(boxes_a, boxes_b)
    return (least - margin < threshold) & (threshold < most + margin)


def map_cells(size: int, scale: float, after: float, ratios: Sequence[float]) -> Tensor:
    """Return a map's priors, cell by cell.

    Args:
        size: of the map, cells a side.
        scale: of its priors, a fraction of the image's side.
        after: the scale of the next map, for the extra prior.
        ratios: width by height.

    Returns:
        (size², len(ratios) + 1, 4) float64, `cxcywh` in fractions, row by row, the extra prior
        last.
    """
    cells = []
    for i in range(size):
        for j in range(size):
            centre = [(j + 0.5) / size, (i + 0.5) / size]
            cell = [[*centre, scale * ratio**0.5, scale / ratio**0.5] for ratio in ratios]
            cells.append([*cell, [*centre, (scale * after) ** 0.5, (scale * after) ** 0.5]])
    return torch.tensor(cells, dtype=torch.float64)


def prior_cells(
    feature_sizes: Sequence[int], scales: Sequence[float], ratios: Sequence[float]
) -> Tensor:
    """Return the priors of maps, cell by cell: (cells, len(ratios) + 1, 4) float64, `cxcywh`.

    After the last map the scale is 1. Source: Liu et al. 2016, arXiv:1512.02325, section 2.2.
    """
    sizes = zip(feature_sizes, scales, [*scales[1:], 1.0], strict=True)
    return torch.cat([map_cells(*one, ratios) for one in sizes])


def make_priors(
    feature_sizes: Sequence[int], scales: Sequence[float], ratios: Sequence[float]
) -> Tensor:
    """Return the priors: (P, 4) float32, `cxcywh`."""
    return prior_cells(feature_sizes, scales, ratios).flatten(0, 1).float()


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    """Return the offsets of boxes from their priors, centres by 0.1 and logs of sizes by 0.2.

    Args:
        boxes: (n, 4) float, `cxcywh`, sides above 0.
        priors: (n, 4) float, `cxcywh`; row i belongs to box i.

    Returns:
        (n, 4) float, dimensionless.

    Source: Liu et al. 2016, arXiv:1512.02325, eq. 2; 0.1 and 0.2 as in the authors' Caffe code.
    """
    shift = (boxes[:, :2] - priors[:, :2]) / priors[:, 2:] / 0.1
    return torch.cat([shift, (boxes[:, 2:].log() - priors[:, 2:].log()) / 0.2], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    """Return the (n, 4) float `cxcywh` boxes that lie so from their (n, 4) `cxcywh` priors."""
    centre = offsets[:, :2] * priors[:, 2:] * 0.1 + priors[:, :2]
    return torch.cat([centre, (offsets[:, 2:] * 0.2).exp() * priors[:, 2:]], 1)


def match_priors(
    boxes: Tensor, labels: Tensor, priors: Tensor, iou_threshold: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Match priors with objects; of two objects that claim one prior, the later has it.

    Args:
        boxes: (n, 4) float, `xyxy`, of the objects.
        labels: (n,) int64, from 1.
        priors: (P, 4) float, `cxcywh`.
        iou_threshold: from which on a prior is positive.

    Returns:
        (P,) int64 classes, 0 for the background; (P,) int64 indices of the objects, which mean
        something where the class is not 0.
    """
    classes = torch.zeros(len(priors), dtype=torch.int64)
    objects = torch.zeros(len(priors), dtype=torch.int64)
    if len(boxes) == 0:
        return classes, objects
    ious = box_iou(boxes, cxcywh_to_xyxy(priors.double()))
    best, objects = ious.max(0)
    classes[best >= iou_threshold] = labels[objects[best >= iou_threshold]]
    for n, own in enumerate(ious.argmax(1).tolist()):
        classes[own], objects[own] = labels[n], n
    return classes, objects


def multibox_terms(
    offsets: Tensor,
    logits: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    priors: Tensor,
) -> dict[str, Tensor]:
    """Compute the terms of the MultiBox loss image by image, in the dtype of the outputs.

    Args:
        offsets: (N, P, 4) float.
        logits: (N, P, C) float; class 0 is the background.
        boxes: of each image (n, 4) float, `xyxy`.
        labels: of each image (n,) int64, from 1.
        priors: (P, 4) float, `cxcywh`.

    Returns:
        "localization": the mean smooth L1 over positives and their four numbers; "confidence": the
        cross-entropy of positives and, in each image, the three hardest negatives for each of its
        positives, summed and divided by the positives of the batch. Scalars with gradients.

    Source: Liu et al. 2016, arXiv:1512.02325, eq. 1 to 3.
    """
    distance, entropy, positives = offsets.sum() * 0, logits.sum() * 0, 0
    for n, (of_image, names) in enumerate(zip(boxes, labels, strict=True)):
        classes, objects = match_priors(of_image, names, priors)
        chosen = classes > 0
        count = int(chosen.sum())
        positives += count
        if count:
            matched = xyxy_to_cxcywh(of_image[objects[chosen]].to(offsets.dtype))
            targets = encode_offsets(matched, priors[chosen].to(offsets.dtype))
            distance = distance + F.smooth_l1_loss(offsets[n, chosen], targets, reduction="sum")
        costs = -logits[n].log_softmax(-1).gather(1, classes[:, None])[:, 0]
        hard = costs[~chosen].sort(descending=True).values[: 3 * count]
        entropy = entropy + costs[chosen].sum() + hard.sum()
    return {
        "localization": distance / (4 * max(positives, 1)),
        "confidence": entropy / max(positives, 1),
    }


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Suppress what overlaps a better box of one class.

    Args:
        boxes: (n, 4) float, `xyxy`.
        scores: (n,) float.
        iou_threshold: above which the box of the lower score goes.

    Returns:
        (k,) int64 indices of the boxes that are kept, by falling score.
    """
    kept: list[int] = []
    overlaps = box_iou(boxes, boxes) > iou_threshold
    gone = torch.zeros(len(boxes), dtype=torch.bool)
    for n in scores.argsort(descending=True, stable=True).tolist():
        if not gone[n]:
            kept.append(n)
            gone |= overlaps[n]
    return torch.tensor(kept, dtype=torch.int64)


def detect(
    offsets: Tensor,
    logits: Tensor,
    priors: Tensor,
    min_score: float,
    iou_threshold: float,
    top_k: int,
) -> Detections:
    """Detect, image by image and class by class.

    Args:
        offsets: (N, P, 4) float.
        logits: (N, P, C) float; class 0 is the background.
        priors: (P, 4) float, `cxcywh`.
        min_score: a class of a prior is a candidate above it.
        iou_threshold: of the suppression within a class.
        top_k: most detections of an image, over all classes.

    Returns:
        For each image "boxes" (k, 4), `xyxy`, not cut to the image; "labels" (k,) int64; "scores"
        (k,), falling.
    """
    detections = []
    for image_offsets, image_logits in zip(offsets, logits, strict=True):
        decoded = cxcywh_to_xyxy(decode_offsets(image_offsets, priors))
        scores = image_logits.softmax(-1)
        boxes, labels, kept_scores = [], [], []
        for label in range(1, logits.shape[-1]):
            chosen = scores[:, label] > min_score
            kept = nms(decoded[chosen], scores[chosen, label], iou_threshold)
            boxes.append(decoded[chosen][kept])
            kept_scores.append(scores[chosen, label][kept])
            labels.append(torch.full((len(kept),), label, dtype=torch.int64))
        every = torch.cat(kept_scores)
        best = every.argsort(descending=True, stable=True)[:top_k]
        detections.append(
            {
                "boxes": torch.cat(boxes)[best],
                "labels": torch.cat(labels)[best],
                "scores": every[best],
            }
        )
    return detections
