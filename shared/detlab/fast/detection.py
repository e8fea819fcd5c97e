"""Detection for a whole batch, with no more suppression than the result needs.

An untrained network is sure of nothing: nearly all of its boxes pass a low threshold, some 170,000
in an SSD300. Only the `top_k` best survivors are asked for, so candidates are taken by falling
score, a few thousand at a time, until there are that many. Boxes are decoded for candidates only.
"""

import torch
from torch import Tensor
from torchvision.ops import nms

from detlab.fast.loss import CENTRE_VARIANCE, SIZE_VARIANCE

PORTION = 10  # candidates looked at in a round, as a multiple of `top_k`
HUGE = 1e6  # sides of an image
ROUNDING = 1e-5  # of probabilities that add up to 1


@torch.no_grad()
def detect(
    offsets: Tensor,
    logits: Tensor,
    priors: Tensor,
    min_score: float = 0.01,
    iou_threshold: float = 0.45,
    top_k: int = 200,
) -> list[dict[str, Tensor]]:
    """Turn a network's outputs into detections.

    Args:
        offsets: (N, P, 4) float32.
        logits: (N, P, C) float32; class 0 is the background.
        priors: (P, 4) float32, `cxcywh`.
        min_score: least score, to be exceeded.
        iou_threshold: boxes of a class that overlap a better one more than this are dropped.
        top_k: most detections of an image, of all classes together.

    Returns:
        For each image a dict: "boxes" (k, 4) float32 `xyxy`, "labels" (k,) int64, "scores" (k,)
        float32, by falling score.
    """
    scores = logits.softmax(-1)
    # Where the background takes nearly all, no class can exceed `min_score`: most priors.
    images, places = (scores[..., 0] < 1 - min_score + ROUNDING).nonzero(as_tuple=True)
    scores = scores[images, places, 1:]
    rows, labels = (scores > min_score).nonzero(as_tuple=True)
    images, places, values = images[rows], places[rows], scores[rows, labels]
    labels = labels + 1
    counts = torch.bincount(images, minlength=len(logits)).tolist()
    found = []
    for n, (own_values, own_places, own_labels) in enumerate(
        zip(values.split(counts), places.split(counts), labels.split(counts), strict=True)
    ):
        found.append(
            best_of(own_values, own_places, own_labels, offsets[n], priors, iou_threshold, top_k)
        )
    return found


def best_of(
    scores: Tensor,
    places: Tensor,
    labels: Tensor,
    offsets: Tensor,
    priors: Tensor,
    iou_threshold: float,
    top_k: int,
) -> dict[str, Tensor]:
    """Suppress an image's candidates until `top_k` remain, or none is left."""
    portion = PORTION * top_k
    while True:
        order = best_first(scores, portion)
        rows, names = places[order], labels[order]
        boxes = decode(offsets[rows], priors[rows])
        kept = suppress(boxes, scores[order], names, iou_threshold)[:top_k]
        if len(kept) == top_k or len(order) == len(scores):
            return {"boxes": boxes[kept], "labels": names[kept], "scores": scores[order][kept]}
        portion *= 4


def best_first(scores: Tensor, count: int) -> Tensor:
    """Return the indices of the highest scores, in no particular order."""
    if len(scores) <= count:
        return torch.arange(len(scores))
    return scores.topk(count, sorted=False).indices


def decode(offsets: Tensor, priors: Tensor) -> Tensor:
    """Return the (n, 4) `xyxy` boxes that lie so from their `cxcywh` priors."""
    centres = priors[:, :2] + CENTRE_VARIANCE * offsets[:, :2] * priors[:, 2:]
    half = priors[:, 2:] * torch.exp(SIZE_VARIANCE * offsets[:, 2:]) / 2
    return torch.cat([centres - half, centres + half], 1)


def suppress(boxes: Tensor, scores: Tensor, labels: Tensor, iou_threshold: float) -> Tensor:
    """Suppress each class by itself; return the indices of what remains, by falling score."""
    if not len(boxes):
        return torch.zeros(0, dtype=torch.int64)
    # All classes in one go: each is moved to a place where no other class's boxes can overlap. In
    # float64 no overlap changes by the shift, unless boxes are huge.
    room = float(boxes.max() - boxes.min()) + 1
    if not room < HUGE:
        groups = [(labels == label).nonzero()[:, 0] for label in labels.unique()]
        kept = torch.cat([rows[nms(boxes[rows], scores[rows], iou_threshold)] for rows in groups])
        return kept[scores[kept].argsort(descending=True)]
    return nms(boxes.double() + (labels * room)[:, None], scores.double(), iou_threshold)
