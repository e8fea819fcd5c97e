"""Networks that are handed in: named by their places, whatever their modules are called."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from detcourse.week4 import detector
from detgrader.assignment import load_assignment
from detgrader.course import Course
from detgrader.overlays import lay_over, load_overlays
from detgrader.reference import load_reference, reference_submission
from detlab.handing_in import PRIORS, named_by_place, save_detector

COURSE = Course.find()
WEEK = "week4_ssd300"
# Accepted networks that differ from the reference's in their modules' names and order.
UNUSUAL = ("auxiliary_in_another_order", "base_by_layer_numbers", "heads_in_a_dictionary")


def namespace_of(variant: str) -> dict:
    """Run the reference's cells with a variant laid over them."""
    assignment = load_assignment(COURSE, WEEK)
    overlays = load_overlays(COURSE.variants(WEEK), assignment, with_hints=False)
    (overlay,) = [one for one in overlays if one.name == variant]
    submission = lay_over(reference_submission(COURSE, assignment), overlay, assignment)
    found: dict = {}
    for source in (assignment.setup, *(cell.source for cell in submission.cells)):
        exec(source, found)
    return found


@pytest.fixture(scope="module")
def reference():
    return load_reference(COURSE, WEEK)


def same_answers(net: nn.Module, images: Tensor) -> None:
    """Check that the grader's network answers as this one does, from its weights alone."""
    weights = {name: value.detach() for name, value in named_by_place(net).items()}
    with torch.no_grad():
        own = net(images)
    for one, other in zip(own, detector.answers(weights, images, 4), strict=True):
        # Both add the same numbers up, at most in another order.
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_graders_network_answers_as_the_references(reference) -> None:
    net = reference.SSD300(4)
    with torch.no_grad():
        net.rescale.factors.uniform_(5, 30)
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.rand_like(parameter))
    same_answers(net, torch.rand(1, 3, 300, 300))
    shapes = {name: tuple(value.shape) for name, value in named_by_place(net).items()}
    assert shapes | {PRIORS: (8732, 4)} == detector.shapes(4)


@pytest.mark.parametrize("variant", UNUSUAL)
def test_names_of_modules_are_free(variant: str) -> None:
    torch.manual_seed(1)
    same_answers(namespace_of(variant)["SSD300"](4), torch.rand(1, 3, 300, 300))


def test_frozen_parts_and_the_mode_stay_as_they_are(reference) -> None:
    net = reference.SSD300(4).eval()
    frozen = next(net.parameters()).requires_grad_(False)
    assert len(named_by_place(net)) == len(detector.shapes(4)) - 1
    assert not frozen.requires_grad
    assert not net.training
    assert not any(module._forward_hooks for module in net.modules())


def test_a_file_is_written_from_any_layout(reference, tmp_path: Path) -> None:
    net = reference.SSD300(4).to(memory_format=torch.channels_last)
    save_detector(net, reference.make_priors(), tmp_path / "w.safetensors")
    assert (tmp_path / "w.safetensors").stat().st_size < 160 * 10**6


def without_factors(net: nn.Module) -> None:
    net.rescale = nn.Identity()


def with_more_factors(net: nn.Module) -> None:
    net.more = nn.Parameter(torch.zeros(3))


def with_one_head_for_two_maps(net: nn.Module) -> None:
    net.prediction.offsets[4] = net.prediction.offsets[5]


def with_heads_exchanged(net: nn.Module) -> None:
    net.prediction.offsets[0] = net.prediction.logits[0]


def without_biases(net: nn.Module) -> None:
    net.base = nn.ModuleList(net.base.children()) and net.base
    first = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
    first.bias = None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_factors, "Here there are: none."),
        (with_more_factors, r"\(512, 1, 1\), \(3,\)|\(3,\), \(512, 1, 1\)"),
        (with_one_head_for_two_maps, "runs twice"),
        (with_heads_exchanged, "runs twice"),
        (without_biases, "has no bias"),
    ],
)
def test_another_network_is_refused_in_words(reference, change, words: str) -> None:
    net = reference.SSD300(4)
    change(net)
    with pytest.raises(ValueError, match=words):
        named_by_place(net)
