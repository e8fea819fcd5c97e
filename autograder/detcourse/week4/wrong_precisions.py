"""What learners take for average precisions, by words that name it: for messages alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detlab.metrics import mean_average_precision

WAYS = ("all-point", "11-point")
MANY_IMAGES = 5
Images = Sequence[dict[str, Tensor]]


def cause_in_precisions(
    answer: dict[int, float], found: Images, truths: Images, way: str, threshold: float
) -> str:
    """Say what the precisions of all classes are instead, if it is plain.

    Of right hits the wrong area may be taken; of other hits the right one. Nothing is told of few
    images, in which many mistakes come to the same, nor where two ways explain the answer.
    """
    if len(found) < MANY_IMAGES:
        return ""
    other_way = WAYS[way == WAYS[0]]
    plain = [one | {"difficult": torch.zeros_like(one["difficult"])} for one in truths]
    upside_down = [one | {"scores": 1 - one["scores"]} for one in found]
    kept = []
    for one in truths:
        easy = ~one["difficult"]
        kept.append({name: values[easy] for name, values in one.items()})
    ways = {
        f"They are the {other_way} ones.": (found, truths, threshold, other_way),
        "Difficult objects count like others.": (found, plain, threshold, way),
        "Difficult objects are as if they were not there.": (found, kept, threshold, way),
        "Detections are taken by rising score, not by falling.": (
            upside_down,
            truths,
            threshold,
            way,
        ),
    } | {
        f"They are those for a threshold of {other:g}.": (found, truths, other, way)
        for other in (0.5, 0.75, 0.3)
    }
    others = curves_of(found, truths, way, threshold)
    for words, (detected, objects, least, how) in ways.items():
        right = mean_average_precision(detected, objects, least, how).per_class
        others[words] = {k: one.average_precision for k, one in right.items()}
    fitting = [words for words, one in others.items() if same_precisions(answer, one)]
    return fitting[0] if len(fitting) == 1 else ""


def curves_of(
    found: Images, truths: Images, way: str, threshold: float
) -> dict[str, dict[int, float]]:
    """Return what wrong readings make of the right hits and misses, by their words."""
    right = mean_average_precision(found, truths, threshold, way).per_class
    curves: dict[str, dict[int, float]] = {}
    for label, one in right.items():
        recall, precision = (
            torch.as_tensor(part, dtype=torch.float64) for part in (one.recall, one.precision)
        )
        for words, value in areas(recall, precision, way).items():
            curves.setdefault(words, {})[label] = value
    return curves


def areas(recall: Tensor, precision: Tensor, way: str) -> dict[str, float]:
    """Return wrong readings of a curve of recall and precision, by their words."""
    if not len(recall):
        return {}
    steps = recall.diff(prepend=torch.zeros(1, dtype=torch.float64))
    forward = precision.cummax(0).values
    hits = (steps > 0).double()
    relative = recall / recall[-1].clamp(min=1e-12)
    best = precision.flip(0).cummax(0).values.flip(0)
    readings = {
        "They are not interpolated: of all recalls from here on, the best precision counts.": (
            float((precision * steps).sum())
        ),
        "They are interpolated the wrong way: the best precision must come from higher recalls, "
        "not from lower ones.": float((forward * steps).sum()),
        "They are the last precision.": float(precision[-1]),
        "They are the last recall.": float(recall[-1]),
        "They are the mean of all precisions.": float(precision.mean()),
        "They are the mean precision at the hits, missed objects left out.": float(
            (precision * hits).sum() / hits.sum().clamp(min=1)
        ),
        "Recall is a share of the objects that are found, not of all.": float(
            (best * relative.diff(prepend=torch.zeros(1, dtype=torch.float64))).sum()
        ),
    }
    if way == WAYS[1]:
        readings = {}
        for words, reached, values in (
            (
                "They are not interpolated: the best precision from a recall on counts.",
                recall,
                precision,
            ),
            (
                "They are interpolated the wrong way: the best precision must come from higher "
                "recalls, not from lower ones.",
                recall,
                forward,
            ),
            ("Recall is a share of the objects that are found, not of all.", relative, best),
        ):
            at = [values[reached >= k / 10 - 1e-12] for k in range(11)]
            readings[words] = sum(float(one[0]) if len(one) else 0.0 for one in at) / 11
    return readings


def same_precisions(answer: dict[int, float], other: dict[int, float]) -> bool:
    """Say whether the precisions of all classes agree."""
    return answer.keys() == other.keys() and all(
        abs(answer[label] - one) < 1e-6 for label, one in other.items()
    )
