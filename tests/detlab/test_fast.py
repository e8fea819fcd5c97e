"""The fast loss and detection say what the plain ones say: those of the hidden checks."""

import pytest
import torch

from detcourse import cases as cases
from detcourse import truth
from detlab.fast import detect, multibox_terms


@pytest.mark.parametrize("counts", [[2], [1, 4, 3], [0, 3], [3, 0, 0, 1]])
def test_loss_and_gradients(counts: list[int]) -> None:
    rng = torch.Generator().manual_seed(sum(counts))
    priors = cases.some_priors(rng)
    offsets, logits = cases.random_outputs(rng, len(counts), len(priors), 6)
    boxes = [cases.plain_boxes(rng, count, priors) for count in counts]
    labels = [cases.random_labels(rng, count, 6) for count in counts]
    results = []
    for function in (multibox_terms, truth.multibox_terms):
        leaves = offsets.clone().requires_grad_(), logits.clone().requires_grad_()
        terms = function(*leaves, boxes, labels, priors)
        sum(terms.values()).backward()
        results.append([*terms.values(), *(leaf.grad for leaf in leaves)])
    for fast, slow in zip(*results, strict=True):
        assert torch.allclose(fast, slow, atol=1e-5)


def test_loss_without_any_object() -> None:
    rng = torch.Generator().manual_seed(1)
    priors = cases.some_priors(rng)
    leaves = [x.requires_grad_() for x in cases.random_outputs(rng, 2, len(priors), 4)]
    nothing = [torch.zeros(0, 4)] * 2, [torch.zeros(0, dtype=torch.int64)] * 2
    terms = multibox_terms(*leaves, *nothing, priors)
    assert {name: term.item() for name, term in terms.items()} == {
        "localization": 0.0,
        "confidence": 0.0,
    }
    sum(terms.values()).backward()
    assert not any(leaf.grad.any() for leaf in leaves)


def test_more_hard_negatives_wanted_than_there_are() -> None:
    rng = torch.Generator().manual_seed(2)
    box = torch.tensor([[0.2, 0.2, 0.7, 0.6]])
    priors = truth.xyxy_to_cxcywh(box).repeat(5, 1) * torch.linspace(0.97, 1.03, 5)[:, None]
    priors = torch.cat([priors, torch.tensor([[0.9, 0.9, 0.1, 0.1]])])
    offsets, logits = cases.random_outputs(rng, 1, 6, 3)
    given = offsets, logits, [box], [torch.tensor([2])], priors
    fast, slow = multibox_terms(*given), truth.multibox_terms(*given)
    assert all(torch.allclose(fast[name], slow[name]) for name in slow)


@pytest.mark.parametrize(
    ("sure", "settings"),
    [
        (3.0, (0.05, 0.45, 200)),
        (3.0, (0.05, 0.45, 6)),
        (0.1, (0.01, 0.45, 2)),  # unsure of everything: several rounds of suppression
        (0.1, (0.01, 0.3, 200)),
        (3.0, (0.999, 0.45, 200)),
    ],
)
def test_detections(sure: float, settings: tuple[float, float, int]) -> None:
    rng = torch.Generator().manual_seed(3)
    priors = cases.some_priors(rng)
    offsets, logits = (sure * x for x in cases.random_outputs(rng, 3, len(priors), 5))
    logits[1, :, 0] += 50  # an image without detections
    fast, slow = (
        detect(offsets, logits, priors, *settings),
        truth.detect(offsets, logits, priors, *settings),
    )
    for one, other in zip(fast, slow, strict=True):
        assert torch.equal(one["labels"], other["labels"])
        assert torch.allclose(one["scores"], other["scores"])
        assert torch.allclose(one["boxes"], other["boxes"], atol=1e-5)
        assert (one["boxes"].dtype, one["labels"].dtype) == (torch.float32, torch.int64)


def test_huge_boxes_do_not_undo_the_suppression_of_others() -> None:
    """The shift that keeps classes apart must not swallow the differences between boxes."""
    priors = torch.tensor([[0.3, 0.3, 0.2, 0.2]] * 3)
    offsets = torch.zeros(1, 3, 4)
    offsets[0, 2] = 400.0  # a box of e^80 sides
    logits = torch.tensor([[[0.0, 3.0, 1.0], [0.0, 2.5, 0.5], [0.0, 2.0, 0.2]]])
    fast = detect(offsets, logits, priors, 0.3)[0]
    slow = truth.detect(offsets, logits, priors, 0.3, 0.45, 200)[0]
    assert torch.equal(fast["labels"], slow["labels"])
    assert torch.allclose(fast["scores"], slow["scores"])
