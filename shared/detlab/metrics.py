"""How good predictions are, each measure a number from 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor


def label_accuracy(labels: Tensor, true_labels: Tensor) -> float:
    """Return the share of labels that are right.

    Args:
        labels: (N,) int64, predicted; N at least 1.
        true_labels: (N,) int64.
    """
    require_pairs(labels, true_labels)
    return (labels == true_labels).double().mean().item()


def mean_iou(boxes: Tensor, true_boxes: Tensor) -> float:
    """Return the mean over images of the IoU of the predicted box and the true one.

    Args:
        boxes: (N, 4) float, predicted, `xyxy` in any unit; N at least 1. A box whose sides are
            exchanged, or which is not finite, has IoU 0.
        true_boxes: (N, 4) float, `xyxy` in the same unit, x_min < x_max and y_min < y_max.
    """
    require_pairs(boxes, true_boxes)
    pairs = (part.detach().cpu().double().numpy() for part in (boxes, true_boxes))
    return float(_pairwise_iou(*pairs).mean())


def require_pairs(predicted: Tensor, true: Tensor) -> None:
    """Object to predictions that do not pair with the truth, or to none at all.

    Raises:
        ValueError: the shapes differ, or there is nothing to measure.
    """
    if predicted.shape != true.shape or len(true) == 0:
        raise ValueError(
            f"predictions of shape {tuple(predicted.shape)} do not pair with the truth, "
            f"{tuple(true.shape)}"
        )


@dataclass(frozen=True)
class ClassResult:
    """How one class was detected.

    Attributes:
        average_precision: area under the interpolated precision–recall curve, 0 to 1.
        objects: objects of the class that count, the difficult ones not among them.
        detections: detections that count, as hits or as false positives.
        recall: (detections,) float64, after each detection in the order of scores.
        precision: (detections,) float64, as measured, not interpolated.
    """

    average_precision: float
    objects: int
    detections: int
    recall: np.ndarray
    precision: np.ndarray


@dataclass(frozen=True)
class DetectionResult:
    """Mean average precision and what it is the mean of.

    Attributes:
        mean: over the classes that have objects; NaN if none has.
        per_class: by label, for each class that has objects.
    """

    mean: float
    per_class: dict[int, ClassResult]

    def table(self, names: dict[int, str] | None = None) -> str:
        """Write a line for each class, and the mean.

        Args:
            names: by label; a label without a name stands for itself.
        """
        rows = []
        for label, one in sorted(self.per_class.items()):
            recall = float(one.recall[-1]) if one.detections else 0.0
            name = str((names or {}).get(label, label))
            rows.append((name, one.average_precision, one.objects, one.detections, recall))
        width = max([5, *(len(name) for name, *_ in rows)])
        head = f"{'class':{width}}     AP  objects  detections  recall"
        lines = [
            f"{name:{width}}  {ap:.3f}  {objects:7}  {detections:10}  {recall:6.3f}"
            for name, ap, objects, detections, recall in rows
        ]
        return "\n".join([head, *lines, f"{'mean':{width}}  {self.mean:.3f}"])


def mean_average_precision(
    detections: Sequence[dict[str, Tensor]],
    truths: Sequence[dict[str, Tensor]],
    iou_threshold: float = 0.5,
    interpolation: Literal["all-point", "11-point"] = "all-point",
) -> DetectionResult:
    """Measure detections as Pascal VOC does.

    Class by class, detections are taken in the order of their scores, over all images. Each goes to
    the object of its image and class with which it overlaps most. It is a hit if their IoU exceeds
    the threshold and no detection before it has claimed that object; else it is a false positive.
    A detection that goes to a difficult object is neither, and difficult objects are not missed.
    Of equal scores, the earlier image and the earlier row come first.

    Args:
        detections: for each image "boxes" (n, 4) float, `xyxy` in the unit of the truths; "labels"
            (n,) int; "scores" (n,) float. A box that is not finite overlaps nothing.
        truths: for each image "boxes" (m, 4) float, sides not negative; "labels" (m,) int; and, if
            there are any, "difficult" (m,) bool.
        iou_threshold: from 0 to 1, to be exceeded.
        interpolation: "all-point" is the area under the curve of the best precision at this
            recall or a higher one (VOC 2010 and later); "11-point" is the mean of that precision at
            recalls 0, 0.1, …, 1 (VOC 2007), at most 10/11 unless all objects are found.

    Returns:
        The mean over classes that have objects, and each class by itself.

    Raises:
        ValueError: lists of different lengths, shapes that do not fit, a score that is not finite,
            a true box that is reversed; the message names the image.

    Source: Everingham et al. 2010, IJCV 88(2), section 4.2, and the VOC 2012 development kit.
    """
    if interpolation not in ("all-point", "11-point"):
        raise ValueError(f"there is no interpolation {interpolation!r}: all-point or 11-point")
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} images of detections, but {len(truths)} of truths")
    found, true = _gather(detections, "detections"), _gather(truths, "truths")
    _require_sound(found, true)
    hit, counted = _judge(found, true, iou_threshold)
    # By class, and within a class by score: the order of the curves.
    order = np.lexsort((found.order, found.labels))
    order = order[counted[order]]
    labels, hits = found.labels[order], hit[order]
    objects = true.labels[~true.difficult]
    per_class = {}
    for label, count in zip(*np.unique(objects, return_counts=True), strict=True):
        start, end = np.searchsorted(labels, [label, label + 1])
        per_class[int(label)] = _measure(hits[start:end], int(count), interpolation)
    means = [one.average_precision for one in per_class.values()]
    return DetectionResult(float(np.mean(means)) if means else float("nan"), per_class)


@dataclass(frozen=True)
class _Boxes:
    """The boxes of all images in one table.

    Attributes:
        boxes: (n, 4) float64.
        labels: (n,) int64.
        images: (n,) int64, the image of each.
        order: (n,) int64, each box's place when scores fall; for truths, their own place.
        scores: (n,) float64; for truths, zeros.
        difficult: (n,) bool; for detections, all False.
    """

    boxes: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    order: np.ndarray
    scores: np.ndarray
    difficult: np.ndarray


def _gather(images: Sequence[dict[str, Tensor]], what: str) -> _Boxes:
    """Put the boxes of all images into one table."""
    counts = [len(image["boxes"]) for image in images]
    total = sum(counts)
    keys = ["labels"] + ["scores"] * (what == "detections")
    for key in ["boxes", *keys]:
        for n, (image, count) in enumerate(zip(images, counts, strict=True)):
            shape = (count, 4) if key == "boxes" else (count,)
            if tuple(image[key].shape) != shape:
                message = f"the {key} have shape {tuple(image[key].shape)}, not {shape}"
                raise ValueError(f"{what} of image {n}: {message}")
    parts = {key: _cat([image[key] for image in images]) for key in ["boxes", *keys]}
    scores = parts.get("scores", np.zeros(total)).astype(np.float64)
    order = np.empty(total, np.int64)
    order[np.argsort(-scores, kind="stable")] = np.arange(total)
    difficult = np.zeros(total, bool)
    if what == "truths" and any("difficult" in image for image in images):
        flags = [image.get("difficult", torch.zeros(len(image["boxes"]))) for image in images]
        difficult = _cat([flag.bool() for flag in flags])
    return _Boxes(
        boxes=parts["boxes"].reshape(-1, 4).astype(np.float64),
        labels=parts["labels"].astype(np.int64),
        images=np.repeat(np.arange(len(images)), counts),
        order=order,
        scores=scores,
        difficult=difficult,
    )


def _cat(parts: list[Tensor]) -> np.ndarray:
    """Join tensors of one kind."""
    return torch.cat(parts).detach().cpu().numpy() if parts else np.zeros(0)


def _require_sound(found: _Boxes, true: _Boxes) -> None:
    """Object to scores and true boxes that nothing can be measured with.

    Raises:
        ValueError: naming the image.
    """
    bad = np.flatnonzero(~np.isfinite(found.scores))
    if len(bad):
        raise ValueError(f"detections of image {found.images[bad[0]]}: a score is not finite")
    bad = np.flatnonzero(~(true.boxes[:, 2:] >= true.boxes[:, :2]).all(1))
    if len(bad):
        image, box = true.images[bad[0]], true.boxes[bad[0]].tolist()
        raise ValueError(f"truths of image {image}: the box {box} is reversed or not finite")


def _judge(found: _Boxes, true: _Boxes, iou_threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Say of each detection whether it is a hit, and whether it counts at all."""
    best, overlap = _best_objects(found, true)
    goes = np.flatnonzero(overlap > iou_threshold)
    counted = np.ones(len(found.boxes), bool)
    counted[goes] = ~true.difficult[best[goes]]
    goes = goes[counted[goes]]
    goes = goes[np.argsort(found.order[goes])]
    _, firsts = np.unique(best[goes], return_index=True)
    hit = np.zeros(len(found.boxes), bool)
    hit[goes[firsts]] = True
    return hit, counted


def _best_objects(found: _Boxes, true: _Boxes) -> tuple[np.ndarray, np.ndarray]:
    """Find for each detection the object of its image and class that it overlaps most.

    Only pairs of one image and one class are ever looked at.

    Returns:
        (n,) int64, the object; (n,) float64, their IoU, 0 where there is no object.
    """
    best = np.zeros(len(found.boxes), np.int64)
    overlap = np.zeros(len(found.boxes))
    if not len(found.boxes) or not len(true.boxes):
        return best, overlap
    classes = max(int(found.labels.max()), int(true.labels.max())) + 1
    places = np.argsort(true.images * classes + true.labels, kind="stable")
    keys = (true.images * classes + true.labels)[places]
    wanted = found.images * classes + found.labels
    first = np.searchsorted(keys, wanted)
    counts = np.searchsorted(keys, wanted, side="right") - first
    some = np.flatnonzero(counts)
    if not len(some):
        return best, overlap
    counts, first = counts[some], first[some]
    starts = np.cumsum(counts) - counts
    objects = places[np.arange(counts.sum()) - np.repeat(starts - first, counts)]
    ious = _pairwise_iou(found.boxes[np.repeat(some, counts)], true.boxes[objects])
    overlap[some] = np.maximum.reduceat(ious, starts)
    largest = np.where(ious == np.repeat(overlap[some], counts), objects, len(true.boxes))
    best[some] = np.minimum.reduceat(largest, starts)
    return best, overlap


def _pairwise_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the IoU of each box with the other of the same row; 0 where none is defined."""
    with np.errstate(invalid="ignore", over="ignore"):
        sides = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        areas = [np.prod(np.maximum(b[:, 2:] - b[:, :2], 0), axis=1) for b in (boxes, others)]
        union = areas[0] + areas[1] - shared
        sound = np.isfinite(union) & (union > 0)
        return np.where(sound, shared / np.where(sound, union, 1), 0.0)


def _measure(hits: np.ndarray, objects: int, interpolation: str) -> ClassResult:
    """Measure one class whose detections are in the order of their scores."""
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    if interpolation == "all-point":
        # Recall grows by 1/objects at each hit, and nowhere else.
        average = highest[hits].sum() / objects
    else:
        # Whole numbers: recall >= k/10 in floats would lose 0.3 and its like.
        places = np.searchsorted(10 * found, objects * np.arange(11))
        average = np.append(highest, 0.0)[places].sum() / 11
    return ClassResult(float(average), objects, len(hits), found / objects, precision)
