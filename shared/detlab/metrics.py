"""How good predictions are, each measure a number from 0 to 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from detlab.box_table import BoxTable, table_of_detections, table_of_truths


def label_accuracy(labels: Tensor, true_labels: Tensor) -> float:
    """Return the share of labels that are right.

    Args:
        labels: (N,) int64, predicted; N at least 1.
        true_labels: (N,) int64.

    Raises:
        ValueError: the shapes differ, or there is nothing to measure.
    """
    require_pairs(labels, true_labels)
    return (labels == true_labels).double().mean().item()


def mean_iou(boxes: Tensor, true_boxes: Tensor) -> float:
    """Return the mean over images of the IoU of the predicted box and the true one.

    Args:
        boxes: (N, 4) float, predicted, `xyxy` in any unit; N at least 1. A box whose sides are
            exchanged, or which is not finite, has IoU 0.
        true_boxes: (N, 4) float, `xyxy` in the same unit, x_min < x_max and y_min < y_max.

    Raises:
        ValueError: the shapes differ or are not (N, 4).
    """
    require_pairs(boxes, true_boxes)
    if boxes.dim() != 2 or boxes.shape[1] != 4:
        raise ValueError(f"the boxes have shape {tuple(boxes.shape)}, not (N, 4)")
    pairs = (part.detach().cpu().double().numpy() for part in (boxes, true_boxes))
    return float(_pairwise_iou(*pairs).mean())


def require_pairs(predicted: Tensor, true: Tensor) -> None:
    """Object to predictions that do not pair with the truth, or to none at all.

    Raises:
        ValueError: the shapes differ, or there is nothing to measure.
    """
    if predicted.shape != true.shape or true.dim() == 0 or len(true) == 0:
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
        detections: for each image "boxes" (n, 4), `xyxy` in the unit of the truths; "labels" (n,);
            "scores" (n,), finite. A box that is not finite overlaps nothing.
        truths: for each image "boxes" (m, 4), finite, sides not negative; "labels" (m,); and, where
            some are, "difficult" (m,) bool. Without boxes "boxes" may also have shape (0,).
            All of any type but bool and complex; half precisions are measured as they are. Labels
            are whole numbers, negative ones among them, of less than 2³¹ either way.
        iou_threshold: from 0 to 1, to be exceeded.
        interpolation: "all-point" is the area under the curve of the best precision at this
            recall or a higher one (VOC 2010 and later); "11-point" is the mean of that precision at
            recalls 0, 0.1, …, 1 (VOC 2007), at most 10/11 unless all objects are found.

    Returns:
        The mean over classes that have objects, and each class by itself.

    Raises:
        ValueError: lists of different lengths, or something other than the above: the message names
            the image and says what it is.

    Source: Everingham et al. 2010, IJCV 88(2), section 4.2, and the VOC 2012 development kit.
    """
    if len(detections) != len(truths):
        raise ValueError(f"{len(detections)} images of detections, but {len(truths)} of truths")
    tables = table_of_detections(detections), table_of_truths(truths)
    return measure_tables(*tables, iou_threshold, interpolation)


def measure_tables(
    found: BoxTable,
    true: BoxTable,
    iou_threshold: float = 0.5,
    interpolation: Literal["all-point", "11-point"] = "all-point",
) -> DetectionResult:
    """Measure what is in tables already, as `mean_average_precision` does.

    Args:
        found: of `table_of_detections`.
        true: of `table_of_truths`, the same images in the same order.
        iou_threshold: see `mean_average_precision`.
        interpolation: see there.
    """
    if interpolation not in ("all-point", "11-point"):
        raise ValueError(f"there is no interpolation {interpolation!r}: all-point or 11-point")
    best, overlap = _best_objects(found, true)
    order = _by_class_and_score(found)
    hits, counted = _judge(best[order], overlap[order] > iou_threshold, true.difficult)
    hits, labels = hits[counted], found.labels[order[counted]]
    classes, objects = np.unique(true.labels[~true.difficult], return_counts=True)
    per_class = {}
    for label, count in zip(classes.tolist(), objects.tolist(), strict=True):
        start, end = np.searchsorted(labels, [label, label + 1])
        per_class[label] = _measure(hits[start:end], count, interpolation)
    means = [one.average_precision for one in per_class.values()]
    return DetectionResult(float(np.mean(means)) if means else float("nan"), per_class)


def _by_class_and_score(found: BoxTable) -> np.ndarray:
    """Return the rows of detections, (n,) int64, by label, and for each label by falling scores."""
    if not len(found.labels):
        return np.zeros(0, np.int64)
    # Numbers of up to 16 bits are sorted by their digits, in half of the time.
    narrow = np.result_type(*map(np.min_scalar_type, (found.labels.min(), found.labels.max())))
    return np.lexsort((-found.scores, found.labels.astype(narrow)))


def _judge(
    best: np.ndarray, goes: np.ndarray, difficult: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Say of each detection whether it is a hit, and whether it counts at all.

    Args:
        best: (n,) int64, the object of each, in the order of scores within a class.
        goes: (n,) bool, whether it overlaps that object enough.
        difficult: (m,) bool, of the objects.
    """
    counted = np.ones(len(best), bool)
    counted[goes] = ~difficult[best[goes]]
    rows = np.flatnonzero(goes & counted)
    # Backwards: of several that go to one object, the last to be written is the first by score.
    claimed_by = np.full(len(difficult), -1)
    claimed_by[best[rows[::-1]]] = rows[::-1]
    hits = np.zeros(len(best), bool)
    hits[claimed_by[claimed_by >= 0]] = True
    return hits, counted


def _best_objects(found: BoxTable, true: BoxTable) -> tuple[np.ndarray, np.ndarray]:
    """Find for each detection the object of its image and class that it overlaps most.

    Only pairs of one image and one class are ever looked at.

    Returns:
        (n,) int64, the object; (n,) float64, their IoU, 0 where there is no object.
    """
    best, overlap = np.zeros(len(found.boxes), np.int64), np.zeros(len(found.boxes))
    if not len(found.boxes) or not len(true.boxes):
        return best, overlap
    lowest = min(found.labels.min(), true.labels.min())
    span = 1 + max(found.labels.max(), true.labels.max()) - lowest
    keys, wanted = (part.images * span + (part.labels - lowest) for part in (true, found))
    places = np.argsort(keys, kind="stable")
    keys = keys[places]
    first = np.searchsorted(keys, wanted)
    counts = np.searchsorted(keys, wanted, side="right") - first
    some = np.flatnonzero(counts)
    if not len(some):
        return best, overlap
    counts, first = counts[some], first[some]
    starts = np.cumsum(counts) - counts
    objects = places[np.arange(counts.sum()) - np.repeat(starts - first, counts)]
    rows = np.repeat(some, counts)
    ious = _pairwise_iou(found.boxes.take(rows, 0), true.boxes.take(objects, 0))
    overlap[some] = np.maximum.reduceat(ious, starts)
    largest = np.where(ious == overlap[rows], objects, len(true.boxes))
    best[some] = np.minimum.reduceat(largest, starts)
    return best, overlap


def _pairwise_iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the IoU of each box with the other of the same row; 0 where none is defined."""
    boxes, others = boxes.T.copy(), others.T.copy()  # numpy is fast along rows
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        shared = _areas(np.minimum(boxes[2:], others[2:]) - np.maximum(boxes[:2], others[:2]))
        union = _areas(boxes[2:] - boxes[:2]) + _areas(others[2:] - others[:2]) - shared
        return np.where(np.isfinite(union) & (union > 0), shared / union, 0.0)


def _areas(sides: np.ndarray) -> np.ndarray:
    """Return width times height of each column of (2, n); 0 where one is negative."""
    widths, heights = np.maximum(sides, 0)
    return widths * heights


def _measure(hits: np.ndarray, objects: int, interpolation: str) -> ClassResult:
    """Measure one class whose detections are in the order of their scores."""
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    if interpolation != "11-point":
        # Recall grows by 1/objects at each hit, and nowhere else.
        average = highest[hits].sum() / objects
    else:
        # Whole numbers: recall >= k/10 in floats would lose 0.3 and its like.
        places = np.searchsorted(10 * found, objects * np.arange(11))
        average = np.append(highest, 0.0)[places].sum() / 11
    return ClassResult(float(average), objects, len(hits), found / objects, precision)
