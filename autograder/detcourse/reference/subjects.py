"""What is trained as a reference: the network of week 4, and that of week 5.

Images are made ready and checkpoints written by the answers to week 4, whichever it is.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from detcourse.reference.data import initial_weights
from detcourse.reference.recipes import FOCAL_RECIPES, FOCAL_WEEK, RECIPES, WEEK, Recipe
from detgrader.course import Course, CourseError
from detgrader.reference import load_reference
from detlab import fast
from detlab.fast.loss import match_batch
from detlab.handing_in import save_detector
from detlab.weeks.detection import IOU_THRESHOLD, MIN_SCORE, TOP_K

Outputs = tuple[Tensor, Tensor]


class Subject(Protocol):
    """A network that can be trained.

    Attributes:
        week: its name.
        recipes: how each set is learned.
        pipeline: the reference of week 4, for images of this network's size.
    """

    week: str
    recipes: dict[str, Recipe]
    pipeline: ModuleType

    def network(self, weights: Path | None, num_classes: int, recipe: Recipe) -> nn.Module:
        """Make the network on the weights of a classifier; what is frozen does not learn."""

    def terms(
        self, outputs: Outputs, boxes: list[Tensor], labels: list[Tensor]
    ) -> dict[str, Tensor]:
        """Return the terms "localization" and "confidence" of the loss."""

    def detect(self, outputs: Outputs) -> list[dict[str, Tensor]]:
        """Detect as all measures of the course are taken."""

    def save(self, net: nn.Module, names: tuple[str, ...], path: Path) -> None:
        """Write the trained weights."""


class SSD300:
    """The network of week 4, on a VGG-16."""

    week, recipes = WEEK, RECIPES

    def __init__(self, course: Course):
        self.pipeline = load_reference(course, WEEK)
        self.priors: Tensor = self.pipeline.make_priors()

    def network(self, weights: Path | None, num_classes: int, recipe: Recipe) -> nn.Module:
        """Make an SSD300; the first convolutions are frozen."""
        net: nn.Module = self.pipeline.SSD300(num_classes)
        self.pipeline.load_vgg16(net.base, initial_weights(weights, "vgg16"))
        convolutions = [m for m in net.get_submodule("base").modules() if isinstance(m, nn.Conv2d)]
        for layer in convolutions[: recipe.frozen]:
            layer.requires_grad_(False)
        return net

    def terms(
        self, outputs: Outputs, boxes: list[Tensor], labels: list[Tensor]
    ) -> dict[str, Tensor]:
        """Return the terms of the MultiBox loss."""
        priors = self.priors.to(outputs[0].device)
        return fast.multibox_terms(*outputs, boxes, labels, priors)

    def detect(self, outputs: Outputs) -> list[dict[str, Tensor]]:
        """Detect by softmax."""
        return fast.detect(*outputs, self.priors, MIN_SCORE, IOU_THRESHOLD, TOP_K)

    def save(self, net: nn.Module, names: tuple[str, ...], path: Path) -> None:
        """Write them as they are handed in."""
        save_detector(net, self.priors, path)


class FocalSSD:
    """The network of week 5, on a ResNet-34."""

    week, recipes = FOCAL_WEEK, FOCAL_RECIPES
    SIDE = 224  # of the images that it sees, pixels

    def __init__(self, course: Course):
        self.reference = load_reference(course, FOCAL_WEEK)
        self.pipeline = load_reference(course, WEEK)
        self.pipeline.__dict__["SIDE"] = self.SIDE
        self.anchors, self.cells = self.reference.make_anchors()

    def network(self, weights: Path | None, num_classes: int, recipe: Recipe) -> nn.Module:
        """Make backbone and head; the first stages are frozen."""
        backbone = self.reference.Backbone(initial_weights(weights, "resnet34"))
        backbone.freeze(recipe.frozen)
        return nn.Sequential(backbone, self.reference.SSDHead(512, num_classes))

    def terms(
        self, outputs: Outputs, boxes: list[Tensor], labels: list[Tensor]
    ) -> dict[str, Tensor]:
        """Return L1 of the boxes that positive anchors answer with, and the focal loss."""
        activations, logits = outputs
        anchors, cells = (part.to(logits.device) for part in (self.anchors, self.cells))
        if not any(map(len, boxes)):
            classes = torch.zeros(logits.shape[:2], dtype=torch.int64, device=logits.device)
            nothing = activations.sum() * 0
            return {
                "localization": nothing,
                "confidence": self.reference.focal_loss(logits, classes),
            }
        padded = pad_sequence(list(boxes), batch_first=True)
        classes, objects = match_batch(padded, boxes, labels, anchors, 0.5)
        images, rows = classes.nonzero(as_tuple=True)
        found = self.reference.boxes_from(activations, anchors, cells)[images, rows]
        true = padded[images, objects[images, rows]]
        # The mean over the positives, as the localization is: the paper's division.
        share = (logits.shape[-1] - 1) / len(images)
        return {
            "localization": F.l1_loss(found, true),
            "confidence": self.reference.focal_loss(logits, classes) * share,
        }

    def detect(self, outputs: Outputs) -> list[dict[str, Tensor]]:
        """Detect by sigmoids."""
        settings = MIN_SCORE, IOU_THRESHOLD, TOP_K
        found: list[dict[str, Tensor]] = self.reference.detect(
            *outputs, self.anchors, self.cells, *settings
        )
        return found

    def save(self, net: nn.Module, names: tuple[str, ...], path: Path) -> None:
        """Write them with the names of the classes."""
        state = {name: value.contiguous().cpu() for name, value in net.state_dict().items()}
        save_file(state, path, metadata={"classes": ",".join(names)})


def subject_of(course: Course, week: str) -> Subject:
    """Return what a week's reference trains.

    Raises:
        CourseError: it trains nothing.
    """
    kinds: dict[str, type[SSD300] | type[FocalSSD]] = {WEEK: SSD300, FOCAL_WEEK: FocalSSD}
    if week not in kinds:
        raise CourseError(f"{' and '.join(kinds)} have a reference to be trained so, {week!r} none")
    return kinds[week](course)
