"""How average precision comes about, from a handful of a real network's detections (week 3).

The network is that of `detlab.ssd_answers`, early in its training, when it still makes mistakes of
all kinds. The numbers are those of `detlab.metrics`.
"""

from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from detlab.detection_plots import STYLES, hits
from detlab.metrics import ClassResult, mean_average_precision
from detlab.panels import Label, add_key, grid_of, outline, place_labels, show, write_table
from detlab.plotting import COLOURS, INK, LINE, PAPER, Picture
from detlab.scenes import load_scenes
from detlab.ssd_answers import load_ssd_answers
from detlab.ssd_plots import survivors

DIGIT, SCENES = 7, range(25, 31)
HIT_GROUND, MISS_GROUND = "#BFE5D9", "#F6D3BC"


class Ranked(NamedTuple):
    """Detections of one class in several scenes, by falling score.

    Attributes:
        boxes: (n, 4) float32, `xyxy` in fractions.
        scores: (n,) float32.
        scenes: (n,) int64, which of the scenes.
        ious: (n,) float32, the largest IoU with an object of the class in the same scene.
        right: (n,) bool, whether it is a hit.
        result: precision and recall after each, and the average precision.
    """

    boxes: Tensor
    scores: Tensor
    scenes: Tensor
    ious: Tensor
    right: Tensor
    result: ClassResult


def ranked_list() -> Ranked:
    """Return the detections of one digit in six scenes, by falling score."""
    from torchvision.ops import box_iou

    _, boxes, labels = load_scenes("validation")
    label, rows = DIGIT + 1, []
    truths, found = [], survivors([load_ssd_answers().early[n] for n in SCENES], 0.0)
    for k, n in enumerate(SCENES):
        own = labels[n] == label
        truths.append({"boxes": boxes[n][own], "labels": labels[n][own]})
        chosen = found[k]["labels"] == label
        found[k] = {name: values[chosen] for name, values in found[k].items()}
        ious = box_iou(found[k]["boxes"], truths[k]["boxes"])
        most = ious.max(1).values if ious.shape[1] else torch.zeros(len(ious))
        places = torch.full((len(ious),), k)
        right = hits(truths[k], found[k])
        rows.append((found[k]["boxes"], found[k]["scores"], places, most, right))
    columns = [torch.cat(column) for column in zip(*rows, strict=True)]
    order = columns[1].argsort(descending=True, stable=True)
    result = mean_average_precision(found, truths).per_class[label]
    return Ranked(*(column[order] for column in columns), result)


def draw_ranked_scenes() -> Picture:
    """Draw the six scenes: the objects of the class dashed, each detection with its rank."""
    images, boxes, labels = load_scenes("validation")
    ranked = ranked_list()
    figure, grid = grid_of(len(SCENES), len(SCENES))
    for k, (n, axes) in enumerate(zip(SCENES, grid, strict=True)):
        show(axes, images[n])
        axes.set_title(f"scene {k + 1}", size=9, pad=13)
        drawn = []
        for rank in (ranked.scenes == k).nonzero()[:, 0].tolist():
            colour, style = STYLES["hit" if ranked.right[rank] else "false positive"]
            outline(axes, ranked.boxes[rank], colour, width=2, style=style)
            drawn.append(Label(ranked.boxes[rank], f"#{rank + 1}", colour))
        for box in boxes[n][labels[n] == DIGIT + 1]:
            outline(axes, box, STYLES["truth"][0], width=1.2, style=STYLES["truth"][1])
        place_labels(axes, drawn, unit=2.0)
    add_key(figure, {f"a {DIGIT}": STYLES["truth"], "hit": STYLES["hit"]}
            | {"false positive": STYLES["false positive"]})  # fmt: skip
    figure.alt = (
        f"Six scenes with {ranked.result.objects} digits {DIGIT} and {len(ranked.scores)} "
        f"detections of them, numbered by falling score: {int(ranked.right.sum())} hits."
    )
    return figure


def draw_ranked_list() -> Picture:
    """Draw the list with running precision and recall, and the curve with the area below it."""
    ranked = ranked_list()
    result = ranked.result
    rows = [["rank", "score", "scene", "IoU", "is a", "precision", "recall"]]
    colours = [[PAPER] * len(rows[0])]
    for n, right in enumerate(ranked.right.tolist()):
        found = round(result.recall[n] * result.objects)
        ground = HIT_GROUND if right else MISS_GROUND
        rows.append([
            f"#{n + 1}", f"{ranked.scores[n]:.2f}", f"{int(ranked.scenes[n]) + 1}",
            f"{ranked.ious[n]:.2f}", "hit" if right else "false pos.",
            f"{found}/{n + 1} = {result.precision[n]:.2f}",
            f"{found}/{result.objects} = {result.recall[n]:.1f}",
        ])  # fmt: skip
        colours.append(["white"] * 4 + [ground] + ["white"] * 2)
    figure = Picture(figsize=(11.0, 4.2), layout="constrained")
    left, right_axes = figure.subplots(1, 2, width_ratios=(1.35, 1))
    write_table(left, rows, colours)
    _draw_area(right_axes, result, ranked.right.numpy())
    told = [f"{row[0]} {row[4]}, precision {row[5]}, recall {row[6]}" for row in rows[1:]]
    figure.alt = (
        "A table of ranked detections: " + "; ".join(told) + ". Beside it precision over recall, "
        f"with the area below the steps, {result.average_precision:.3f}."
    )
    return figure


def _draw_area(axes: Axes, result: ClassResult, right: np.ndarray) -> None:
    """Draw precision over recall as measured, its upper steps, and the area below them."""
    highest = np.maximum.accumulate(result.precision[::-1])[::-1]
    edges = [0.0, *result.recall[right]]
    for k, height in enumerate(highest[right]):
        axes.bar(
            edges[k], height, edges[k + 1] - edges[k], align="edge", color=COLOURS[5], alpha=0.35,
            hatch="//", edgecolor="white",
        )  # fmt: skip
        place = (edges[k] + edges[k + 1]) / 2, height / 2
        share = f"{edges[k + 1] - edges[k]:.1f}\n× {height:.2f}"
        axes.text(*place, share, ha="center", va="center", size=8, color=INK)
    axes.step(
        [0, *result.recall[right]], [highest[0], *highest[right]], where="pre", lw=2.2,
        color=COLOURS[0], label="best precision at this recall or more",
    )  # fmt: skip
    axes.plot(
        result.recall, result.precision, "o:", color=COLOURS[1], lw=1.4, markersize=4,
        label="as measured, detection by detection",
    )  # fmt: skip
    for n, (x, y) in enumerate(zip(result.recall, result.precision, strict=True)):
        axes.annotate(f"#{n + 1}", (x, y), (5, 1), textcoords="offset points", size=7.5, color=INK)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.1))
    axes.set_title(f"average precision {result.average_precision:.3f}", size=11)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=LINE, lw=0.3)
