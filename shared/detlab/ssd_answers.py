"""What a small SSD answers for 32 scenes: the stuff of week 3's pictures (see `data/README.md`)."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from detlab.digits import read_arrays

SSD_ANSWERS = Path(__file__).with_name("data") / "ssd.npz"
SSD_ANSWERS_SHA256 = "ec895b75e270ce30f2d17deb78d7ebd59f251f682e8c3edb984d75b3f24edc8a"

Candidates = list[dict[str, Tensor]]


class Answers(NamedTuple):
    """What the network of week 3 answers for the first 32 scenes of validation.

    Attributes:
        priors: (1344, 4) float32, `cxcywh` in fractions.
        classes, objects: (32, 1344) int64, as priors are matched; classes 0 is the background.
        fresh_entropies, entropies: (32, 1344) float32, what each prior's class costs in training
            mode, before and after the training.
        early, trained: for each scene the boxes before any suppression, "boxes" (n, 4) float32
            `xyxy`, "labels" (n,) int64 and "scores" (n,) float32, by falling score: after 60 of
            375 steps, of more than 0.3, and at the end, of more than 0.05.
    """

    priors: Tensor
    classes: Tensor
    objects: Tensor
    fresh_entropies: Tensor
    entropies: Tensor
    early: Candidates
    trained: Candidates


def load_ssd_answers() -> Answers:
    """Load what the small SSD answers.

    Raises:
        DataError: the file is missing or damaged.
    """
    parts = read_arrays(SSD_ANSWERS, SSD_ANSWERS_SHA256)
    return Answers(
        parts["priors"],
        parts["classes"].long(),
        parts["objects"].long(),
        parts["fresh_entropies"].float(),
        parts["trained_entropies"].float(),
        _by_scene(parts, "early"),
        _by_scene(parts, "trained"),
    )


def _by_scene(parts: dict[str, Tensor], when: str) -> Candidates:
    """Give each scene its own rows."""
    counts = parts[f"{when}_counts"].long().tolist()
    names = ("boxes", "labels", "scores")
    columns = [parts[f"{when}_{name}"].split(counts) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return [row | {"labels": row["labels"].long()} for row in rows]
