"""What wrong detections are told by: exact, and light even where everything is a candidate."""

from __future__ import annotations

import pytest
import torch
from torchvision import ops

from detcourse import truth, wrong_ways
from detcourse.comparisons import Settings

# Of an image's 8,732 priors and 20 classes all are candidates by some wrong scores.
MOST_BOXES = 20_000


def outputs(count: int, priors: int, classes: int) -> tuple[torch.Tensor, ...]:
    rng = torch.Generator().manual_seed(1)
    boxes = torch.rand(priors, 4, generator=rng) * torch.tensor([1, 1, 0.3, 0.3]) + 0.01
    return (
        torch.randn(count, priors, 4, generator=rng),
        torch.randn(count, priors, classes, generator=rng),
        boxes,
    )


@pytest.mark.parametrize("most", [1, 7, 60, 10_000])
def test_what_is_kept_first_does_not_hang_on_what_is_left_out(most: int) -> None:
    rng = torch.Generator().manual_seed(2)
    boxes = truth.cxcywh_to_xyxy(torch.rand(900, 4, generator=rng) * 0.5 + 0.01)
    scores = (torch.rand(900, generator=rng) * 50).round()  # many are equal
    for threshold in (0.2, 0.5, 1.0):
        kept = ops.nms(boxes.double(), scores.double(), threshold)[:most]
        assert torch.equal(wrong_ways.suppressed(boxes, scores, threshold, most), kept)


def test_causes_are_light_where_everything_is_a_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, nms = [], ops.nms

    def counting(boxes: torch.Tensor, *others: object) -> torch.Tensor:
        sizes.append(len(boxes))
        return nms(boxes, *others)

    monkeypatch.setattr(ops, "nms", counting)
    offsets, logits, priors = outputs(1, 8732, 21)
    logits[..., 0] += 14
    settings = Settings(0.01, 0.45, 200)
    ways = dict(wrong_ways.detections((offsets, logits, priors), settings, 200))
    assert len(ways) > 15
    assert max(sizes) < MOST_BOXES
