"""The right answers of week 5, written plainly."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.truth import Detections, nms


def anchor_cells(
    grids: Sequence[int], zooms: Sequence[float], ratios: Sequence[tuple[float, float]]
) -> Tensor:
    """Return the anchors of maps, cell by cell: (cells, anchors of a cell, 4) float64, `cxcywh`."""
    return torch.tensor(
        [
            [
                [(j + 0.5) / grid, (i + 0.5) / grid, zoom * a / grid, zoom * b / grid]
                for zoom in zooms
                for a, b in ratios
            ]
            for grid in grids
            for i in range(grid)
            for j in range(grid)
        ],
        dtype=torch.float64,
    )


def sides_of_cells(grids: Sequence[int], per_cell: int) -> Tensor:
    """Return the side of each anchor's cell: (P,) float64."""
    return torch.tensor(
        [1 / grid for grid in grids for _ in range(grid * grid * per_cell)], dtype=torch.float64
    )


def boxes_from(activations: Tensor, anchors: Tensor, cells: Tensor) -> Tensor:
    """Turn (…, P, 4) activations into `xyxy` boxes that stay with their `cxcywh` anchors.

    Centres move by half a cell at most, sides change by half of themselves at most.
    """
    t_x, t_y, t_w, t_h = activations.tanh().unbind(-1)
    c_x, c_y, w, h = anchors.unbind(-1)
    c_x, c_y = c_x + t_x * cells / 2, c_y + t_y * cells / 2
    w, h = w * (1 + t_w / 2), h * (1 + t_h / 2)
    return torch.stack([c_x - w / 2, c_y - h / 2, c_x + w / 2, c_y + h / 2], -1)


def focal_sum(logits: Tensor, classes: Tensor, alpha: float, gamma: float) -> Tensor:
    """Sum the focal loss over images, anchors and all classes but the background.

    The weights are constants. In the dtype of the logits.

    Source: Lin et al. 2017, arXiv:1708.02002, eq. 5, with weights that have no gradient.
    """
    total = logits.sum() * 0
    for label in range(1, logits.shape[-1]):
        values, hits = logits[..., label], classes == label
        for chosen, sign, share in ((hits, 1, alpha), (~hits, -1, 1 - alpha)):
            of_class = sign * values[chosen]
            weights = share * of_class.detach().neg().sigmoid() ** gamma
            total = total - (weights * F.logsigmoid(of_class)).sum()
    return total


def detect(
    activations: Tensor,
    logits: Tensor,
    anchors: Tensor,
    cells: Tensor,
    min_score: float,
    iou_threshold: float,
    top_k: int,
) -> Detections:
    """Detect, image by image and class by class; each class has a score of its own, a sigmoid.

    Returns:
        For each image "boxes" (k, 4), `xyxy`, not cut to the image; "labels" (k,) int64; "scores"
        (k,), falling.
    """
    detections = []
    for boxes, scores in zip(
        boxes_from(activations, anchors, cells), logits.sigmoid(), strict=True
    ):
        found, labels, values = [], [], []
        for label in range(1, logits.shape[-1]):
            chosen = scores[:, label] > min_score
            kept = nms(boxes[chosen], scores[chosen, label], iou_threshold)
            found.append(boxes[chosen][kept])
            values.append(scores[chosen, label][kept])
            labels.append(torch.full((len(kept),), label, dtype=torch.int64))
        every = torch.cat(values)
        best = every.argsort(descending=True, stable=True)[:top_k]
        parts = {"boxes": torch.cat(found), "labels": torch.cat(labels), "scores": every}
        detections.append({name: part[best] for name, part in parts.items()})
    return detections
