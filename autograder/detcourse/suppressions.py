"""Wrong suppressions, and whether they would show: no check is to miss them by luck."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from torch import Tensor

from detcourse import truth

Flags = np.ndarray[Any, np.dtype[np.bool_]]
# What a detection of several classes shows, if boxes overlap, and stick out of the image.
SUPPRESSIONS = frozenset(
    {
        "nothing is suppressed",
        "classes suppress each other",
        "boxes are cut first",
        "dropped boxes drop others",
        "the last kept box drops alone",
        "one half is the threshold",
    }
)


def greedy(over: Flags) -> list[int]:
    """Return what is kept of boxes by falling score, given which overlap too much (n, n)."""
    dropped, kept = np.zeros(len(over), bool), []
    for n in range(len(over)):
        if not dropped[n]:
            kept.append(n)
            dropped |= over[n]
    return kept


def last_alone(over: Flags) -> list[int]:
    """Return what is kept if each box is compared with the last kept one alone."""
    kept: list[int] = []
    for n in range(len(over)):
        if not kept or not over[kept[-1], n]:
            kept.append(n)
    return kept


def in_each(labels: np.ndarray, keep: Callable[[np.ndarray], Iterable[int]]) -> list[int]:
    """Return what is kept of all, if something is kept of each class by itself, given as places."""
    places = (np.flatnonzero(labels == label) for label in np.unique(labels))
    return sorted(int(own[n]) for own in places for n in keep(own))


def that_show(
    made: tuple[Tensor, Tensor, Tensor], min_score: float, threshold: float, top_k: int
) -> set[str]:
    """Say which wrong ways to detect would find something else in some image.

    Args:
        made: offsets (N, P, 4), logits (N, P, C), class 0 the background, and priors (P, 4),
            `cxcywh`.
        min_score, threshold, top_k: see `truth.detect`.

    Returns:
        Some of `SUPPRESSIONS`, and of "the best class alone", "`top_k` of each class first",
        "`top_k` of all first", "`top_k` is forgotten".
    """
    found = set()
    priors = made[2].double()
    for offsets, logits in zip(made[0].double(), made[1].double(), strict=True):
        boxes = truth.cxcywh_to_xyxy(truth.decode_offsets(offsets, priors))
        probabilities = logits.softmax(-1)
        rows, columns = (probabilities[:, 1:] > min_score).nonzero(as_tuple=True)
        order = probabilities[rows, columns + 1].argsort(descending=True)
        rows, columns = rows[order], columns[order]
        boxes, labels = boxes[rows], columns.numpy()
        cut = boxes.clamp(0, 1)
        same = labels[:, None] == labels[None]
        overlaps = truth.box_iou(boxes, boxes).numpy()
        over = same & (overlaps > threshold)
        right = greedy(over)
        best = (probabilities[rows].argmax(-1) == columns + 1).numpy()
        first = np.asarray(in_each(labels, lambda own: range(min(top_k, len(own)))), int)
        ways = {
            "nothing is suppressed": [*range(len(rows))],
            "classes suppress each other": greedy(overlaps > threshold),
            "boxes are cut first": greedy(same & (truth.box_iou(cut, cut).numpy() > threshold)),
            "dropped boxes drop others": [*np.flatnonzero(~np.triu(over, 1).any(0))],
            "the last kept box drops alone": in_each(
                labels, lambda own, over=over: last_alone(over[np.ix_(own, own)])
            ),
            "one half is the threshold": greedy(same & (overlaps > 0.5)),
            "the best class alone": part_of(over, np.flatnonzero(best)),
            "`top_k` of each class first": part_of(over, first),
            "`top_k` of all first": part_of(over, np.arange(len(rows))[:top_k]),
        }
        found |= {words for words, way in ways.items() if way[:top_k] != right[:top_k]}
        if len(right) > top_k:
            found.add("`top_k` is forgotten")
    return found


def part_of(over: Flags, places: np.ndarray) -> list[int]:
    """Return what is kept of some boxes alone."""
    return [int(places[n]) for n in greedy(over[np.ix_(places, places)])]
