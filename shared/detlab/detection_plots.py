"""Pictures of detection with several boxes: scenes, priors, matches, detections, curves.

Images are grey, (1, H, W), or in colour, (3, H, W) from 0 to 1 or normalised as for ImageNet. Where
no names of classes are given, labels stand for digits: label n for the digit n - 1.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from detlab.metrics import DetectionResult
from detlab.panels import (
    FALSE_POSITIVE,
    FALSE_POSITIVE_STYLE,
    HIT,
    HIT_STYLE,
    TRUTH,
    TRUTH_STYLE,
    Label,
    add_key,
    grid_of,
    outline,
    place_labels,
    show,
    tag,
)
from detlab.plotting import COLOURS, INK, LINE, Picture

ROOM = (-0.2, 1.2)  # for priors that stick out of the image
Names = Sequence[str] | None
STYLES = {
    "truth": (TRUTH, TRUTH_STYLE),
    "hit": (HIT, HIT_STYLE),
    "false positive": (FALSE_POSITIVE, FALSE_POSITIVE_STYLE),
}


def draw_scenes(
    images: Sequence[Tensor], boxes: Sequence[Tensor], labels: Sequence[Tensor], columns: int = 6
) -> Picture:
    """Draw scenes with their boxes; each digit stands at the top left of its box.

    Args:
        images: (1, H, W) float each.
        boxes: (n, 4) float each, `xyxy` in fractions.
        labels: (n,) int each, the digit plus 1.
        columns: scenes in a row.

    Returns:
        The Picture.
    """
    figure, grid = grid_of(len(images), columns)
    for axes, image, of_image, classes in zip(grid, images, boxes, labels, strict=False):
        show(axes, image)
        for n, (box, label) in enumerate(zip(of_image, classes.tolist(), strict=True)):
            colour = COLOURS[(n + 1) % len(COLOURS)]
            outline(axes, box, colour)
            tag(axes, box, str(label - 1), colour)
    figure.alt = f"{len(images)} scenes with {sum(map(len, boxes))} boxes, each with its digit."
    return figure


def draw_cases(
    cases: Mapping[str, tuple[Tensor, Mapping[str, Tensor]]],
    names: Names = None,
    columns: int = 3,
) -> Picture:
    """Draw images in colour with their objects, each under its title.

    Args:
        cases: by title an image and its target: "boxes" (n, 4) float, `xyxy`, in pixels, or in
            fractions where all are at most 1; "labels" (n,) int.
        names: of the classes, from label 1.
        columns: images in a row.

    Returns:
        The Picture.
    """
    figure, grid = grid_of(len(cases), columns, size=3.2)
    for axes, (title, (image, target)) in zip(grid, cases.items(), strict=False):
        height, width = image.shape[-2:]
        show(axes, image)
        axes.set_aspect(height / width)
        axes.set_title(f"{title}, {width}×{height}", size=9)
        in_pixels = bool((target["boxes"] > 1.5).any())
        unit = torch.tensor([width, height, width, height] if in_pixels else [1, 1, 1, 1])
        for box, label in zip(target["boxes"] / unit, target["labels"].tolist(), strict=True):
            colour = COLOURS[label % len(COLOURS)]
            outline(axes, box, colour)
            tag(axes, box, _name(label, names), colour)
    figure.alt = f"Images with the boxes and names of their objects: {'; '.join(cases)}."
    return figure


def draw_priors(
    image: Tensor,
    boxes: Tensor,
    priors: Tensor,
    feature_sizes: Sequence[int],
    priors_per_cell: Sequence[int] | None = None,
) -> Picture:
    """Draw, for each feature map, its cells' centres and the priors of one cell in the middle.

    Args:
        image: (1 or 3, H, W) float.
        boxes: (n, 4) float, `xyxy` in fractions: the objects, in white.
        priors: (P, 4) float, `cxcywh`, map by map.
        feature_sizes: cells along a side of each map.
        priors_per_cell: of each map; as many in every cell if not given.

    Returns:
        The Picture, one panel for each map.
    """

    from torchvision.ops import box_convert

    if priors_per_cell is None:
        cells = sum(size**2 for size in feature_sizes)
        priors_per_cell = [len(priors) // cells] * len(feature_sizes)
    figure, grid = grid_of(len(feature_sizes), 3, size=3.6)
    start = 0
    for axes, size, per_cell in zip(grid, feature_sizes, priors_per_cell, strict=True):
        end = start + size**2 * per_cell
        show(axes, image)
        for box in boxes:
            outline(axes, box, TRUTH, width=1.0)
        centres = priors[start:end:per_cell, :2]
        axes.plot(*centres.T.tolist(), ".", color=COLOURS[5], markersize=24 / size)
        cell = start + per_cell * (size // 2 * size + size // 2)
        for k, box in enumerate(box_convert(priors[cell : cell + per_cell], "cxcywh", "xyxy")):
            outline(axes, box, COLOURS[k % len(COLOURS)], width=2.0)
        axes.set(xlim=ROOM, ylim=ROOM[::-1])
        axes.set_title(f"{size}×{size} cells, {per_cell} priors each", size=10)
        start = end
    figure.alt = "The centres of all cells, and the priors of one cell: " + "; ".join(
        axes.get_title() for axes in grid
    )
    return figure


def draw_matches(
    image: Tensor,
    boxes: Tensor,
    labels: Tensor,
    priors: Tensor,
    classes: Tensor,
    objects: Tensor,
    names: Names = None,
) -> Picture:
    """Draw an image's objects, each in a panel with its positive priors.

    Args:
        image: (1, H, W) float.
        boxes: (n, 4) float, `xyxy` in fractions.
        labels: (n,) int, the digit plus 1.
        priors: (P, 4) float, `cxcywh`.
        classes: (P,) int, 0 for background.
        objects: (P,) int, the object of each prior that is not background.
        names: of the classes, from label 1.

    Returns:
        The Picture.
    """

    from torchvision.ops import box_convert

    figure, grid = grid_of(max(len(boxes), 1), max(len(boxes), 1), size=2.9)
    corners = box_convert(priors, "cxcywh", "xyxy")
    for n, (axes, box) in enumerate(zip(grid, boxes, strict=False)):
        show(axes, image)
        mine = corners[(classes > 0) & (objects == n)]
        for prior in mine:
            outline(axes, prior, COLOURS[(n + 1) % len(COLOURS)], width=1.0)
        outline(axes, box, TRUTH, width=2.0)
        axes.set(xlim=ROOM, ylim=ROOM[::-1])
        many = "prior" if len(mine) == 1 else "priors"
        axes.set_title(f"{_name(int(labels[n]), names, 'digit ')}: {len(mine)} {many}", size=10)
    figure.alt = "Objects with the priors that answer for them: " + ", ".join(
        axes.get_title() for axes in grid
    )
    return figure


def draw_history(history: Sequence[dict[str, float]]) -> Picture:
    """Draw each term of a loss against the step, on a logarithmic axis.

    Args:
        history: one dict a step, the terms by name.

    Returns:
        The Picture.
    """
    figure = Picture(figsize=(8.0, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for k, name in enumerate(history[0]):
        axes.plot([terms[name] for terms in history], color=COLOURS[k], lw=1.2, label=name)
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    last = ", ".join(f"{name} {value:.2f}" for name, value in history[-1].items())
    figure.alt = f"The terms of the loss over {len(history)} steps; at the end {last}."
    return figure


def draw_detections(
    images: Sequence[Tensor],
    truths: Sequence[dict[str, Tensor]],
    detections: Sequence[dict[str, Tensor]],
    columns: int = 6,
    names: Names = None,
) -> Picture:
    """Draw the truth dashed, hits with their scores in solid lines, false positives in dotted ones.

    The colours differ, too: white, green and vermilion. Labels make room for one another.

    Args:
        images: (1 or 3, H, W) float each.
        truths: "boxes" (m, 4) `xyxy` in fractions and "labels" (m,).
        detections: "boxes", "labels" and "scores".
        columns: images in a row.
        names: of the classes, from label 1.

    Returns:
        The Picture.
    """
    size = 2.0 if columns > 4 else 3.6
    figure, grid = grid_of(len(images), columns, size=size)
    counts = [0, 0, 0]
    for axes, image, truth, found in zip(grid, images, truths, detections, strict=False):
        show(axes, image)
        right = hits(truth, found)
        labels = []
        for n in range(len(found["boxes"]) - 1, -1, -1):
            colour, style = STYLES["hit"] if right[n] else STYLES["false positive"]
            outline(axes, found["boxes"][n], colour, style=style, width=1.6 if right[n] else 2.0)
            name = _name(int(found["labels"][n]), names)
            words = f"{name}: {float(found['scores'][n]):.2f}"
            labels.append(Label(found["boxes"][n], words, colour))
        for box in truth["boxes"]:
            outline(axes, box, TRUTH, width=1.1, style=TRUTH_STYLE)
        place_labels(axes, labels[::-1], unit=size)
        for k, more in enumerate((len(truth["boxes"]), int(right.sum()), int((~right).sum()))):
            counts[k] += more
    add_key(figure, STYLES)
    figure.alt = (
        f"{len(images)} images with {counts[0]} objects, dashed; {counts[1]} hits, solid; "
        f"{counts[2]} false positives, dotted; each detection with its class and score."
    )
    return figure


def draw_curves(result: DetectionResult, names: Names = None) -> Picture:
    """Draw precision against recall, a curve for each class.

    Args:
        result: of `detlab.metrics.mean_average_precision`.
        names: of the classes, from label 1.

    Returns:
        The Picture.
    """
    figure = Picture(figsize=(7.2, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for n, (label, one) in enumerate(sorted(result.per_class.items())):
        style = ("-", "--", ":", "-.")[n % 4]
        name = f"{_name(label, names)}: {one.average_precision:.3f}"
        colour = COLOURS[n % len(COLOURS)]
        # From the axis on: one hit may be a large share of the objects, or all of them.
        first = one.precision[:1]
        recall, precision = np.r_[0 * first, one.recall], np.r_[first, one.precision]
        axes.plot(recall, precision, style, color=colour, lw=1.5, label=name)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.02))
    title = "class: AP" if names else "digit: AP"
    axes.legend(title=title, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=LINE, lw=0.4)
    figure.alt = f"Precision over recall for each {title}: " + ", ".join(
        f"{_name(label, names)} {one.average_precision:.3f}"
        for label, one in sorted(result.per_class.items())
    )
    return figure


def draw_training(log: Path) -> Picture:
    """Draw the losses of a training against the iterations.

    Args:
        log: CSV with the columns iteration, localization and confidence, a row an epoch.

    Returns:
        The Picture.
    """
    with open(log, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    figure = Picture(figsize=(7.2, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for k, name in enumerate(("localization", "confidence")):
        points = ([float(row[column]) for row in rows] for column in ("iteration", name))
        axes.plot(*points, ".-", color=COLOURS[k], lw=1.5, label=name)
    axes.set(xlabel="iteration", ylabel="loss, mean of an epoch", yscale="log")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.alt = f"Both terms of the loss over {len(rows)} epochs of a training."
    return figure


def annotate(image: Image.Image, detections: Mapping[str, Tensor], names: Names) -> Image.Image:
    """Draw detections on a picture of any size.

    Args:
        image: RGB.
        detections: "boxes" (k, 4) `xyxy` in fractions, "labels" (k,), "scores" (k,), by
            falling score.
        names: of the classes, from label 1.

    Returns:
        A copy with boxes, names and scores. Where these would pile up, the surest has its own.
    """
    drawn = image.convert("RGB")
    pen, unit = ImageDraw.Draw(drawn), max(image.size)
    font = ImageFont.load_default(max(9, unit // 30))
    labels, scores = detections["labels"].tolist(), detections["scores"].tolist()
    sides = torch.tensor([image.width, image.height] * 2)
    boxes = (detections["boxes"].detach() * sides).clamp(min=0).minimum(sides - 1).tolist()
    for n in reversed(range(len(boxes))):
        colour = COLOURS[labels[n] % len(COLOURS)]
        pen.rectangle(boxes[n], outline=colour, width=max(2, unit // 200))
    taken: list[tuple[float, ...]] = []
    for box, label, score in zip(boxes, labels, scores, strict=True):
        badge = pen.textbbox(tuple(box[:2]), f"{_name(label, names)} {score:.2f}", font)
        badge = badge[0] - 2, badge[1] - 1, badge[2] + 2, badge[3] + 1
        if all(
            badge[0] > other[2] or other[0] > badge[2] or badge[1] > other[3] or other[1] > badge[3]
            for other in taken
        ):
            taken.append(badge)
            pen.rectangle(badge, fill=INK)
            pen.text(tuple(box[:2]), f"{_name(label, names)} {score:.2f}", "white", font)
    return drawn


def _name(label: int, names: Names, before: str = "") -> str:
    """Say what a label stands for."""
    return names[label - 1] if names else f"{before}{label - 1}"


def hits(truth: dict[str, Tensor], found: dict[str, Tensor]) -> Tensor:
    """Say which detections have IoU over 0.5 with an object of their class that is still free."""

    from torchvision.ops import box_iou

    right = torch.zeros(len(found["boxes"]), dtype=torch.bool)
    free = torch.ones(len(truth["boxes"]), dtype=torch.bool)
    if len(free) == 0:
        return right
    same = found["labels"][:, None] == truth["labels"]
    overlaps = box_iou(found["boxes"], truth["boxes"]) * same
    for n in found["scores"].argsort(descending=True).tolist():
        best = int(overlaps[n].argmax())
        right[n] = bool(overlaps[n, best] > 0.5) and bool(free[best])
        free[best] &= not right[n]
    return right
