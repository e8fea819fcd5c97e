"""Pictures of week 5, none of which needs code of a student's.

What a real network answers comes from a file: that of task 5.7, trained with the focal loss on
3,200 scenes (see `data/README.md`).
"""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from detlab.detection_plots import draw_detections, draw_matches, draw_priors
from detlab.digits import read_checked
from detlab.plotting import COLOURS, INK, LINE, PAPER, Block, Picture, draw_network
from detlab.scenes import load_scenes

FOCAL = Path(__file__).with_name("data") / "focal.npz"
FOCAL_SHA256 = "891f7150875b900b33429a0ef1573c596a8ec0aaacaa2fe86954ea7ee305ac5e"
GRIDS, ZOOMS = (4, 2, 1), (0.7, 1.0, 1.3)
RATIOS = ((1.0, 1.0), (1.0, 0.5), (0.5, 1.0))
PER_CELL = len(ZOOMS) * len(RATIOS)
GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
SHARED_GAMMAS = (0.0, 1.0, 2.0)
EASY = 0.8  # a negative with at least this p_t counts as easy


class Answers(NamedTuple):
    """What the small detector answers for the first 48 scenes of validation.

    Attributes:
        anchors: (189, 4) float32, `cxcywh`.
        classes, objects: (48, 189) int64, as anchors are matched.
        fresh_logits, logits: (48, 189, 11) float32, before and after the training.
        detections: for each scene "boxes", "labels" and "scores", and "unfiltered": the scores
            that the blog post's display shows with these boxes.
    """

    anchors: Tensor
    classes: Tensor
    objects: Tensor
    fresh_logits: Tensor
    logits: Tensor
    detections: list[dict[str, Tensor]]


def _anchors() -> Tensor:
    """Return the anchors of this week: (189, 4) float32, `cxcywh`."""
    return torch.tensor(
        [
            ((column + 0.5) / grid, (row + 0.5) / grid, zoom * a / grid, zoom * b / grid)
            for grid in GRIDS
            for row in range(grid)
            for column in range(grid)
            for zoom in ZOOMS
            for a, b in RATIOS
        ]
    )


def load_answers() -> Answers:
    """Load what the small detector answers.

    Raises:
        DataError: the file is missing or damaged.
    """
    content = read_checked(FOCAL, FOCAL_SHA256)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        parts = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    counts = parts["counts"].tolist()
    names = ("boxes", "labels", "scores", "unfiltered")
    columns = [parts[name].split(counts) for name in names]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return Answers(
        _anchors(),
        parts["classes"].long(),
        parts["objects"].long(),
        parts["fresh_logits"].float(),
        parts["logits"].float(),
        [row | {"labels": row["labels"].long()} for row in rows],
    )


def draw_flattening() -> Picture:
    """Draw for each row of a flattened map whose cell's answers it holds, in two orders.

    Returns:
        The Picture: `permute` before `reshape` on the left, the blog post's order on the right, for
        maps of 4×4 and of 2×2 cells.
    """
    figure = Picture(figsize=(10.0, 5.6), layout="constrained")
    for line, grid in zip(figure.subplots(2, 2, height_ratios=(1.7, 1)), (4, 2), strict=True):
        rows = torch.arange(grid * grid * PER_CELL)
        own = rows // PER_CELL
        orders = {"permute, then reshape": own, "as in the post": rows % (grid * grid)}
        for axes, (title, cells) in zip(line, orders.items(), strict=True):
            right = cells == own
            for chosen, colour in ((right, COLOURS[2]), (~right, COLOURS[1])):
                axes.plot(rows[chosen], cells[chosen], ".", color=colour, markersize=5)
            axes.set_title(f"{title}: {int(right.sum())} of {len(rows)} rows on their own cell")
            axes.set(xlabel="row of the result (nine for each cell)", ylabel="cell that answers")
            axes.set_xticks([*range(0, len(rows) + 1, PER_CELL * (grid if grid > 2 else 1))])
            axes.set_yticks(range(0, grid * grid, 3 if grid > 2 else 1))
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(color=LINE, lw=0.3, axis="x")
    return figure


def draw_anchors(scene: int = 5) -> Picture:
    """Draw the anchors of one cell of each map on a scene, in the centres' company."""
    images, boxes, _ = load_scenes("validation")
    anchors = load_answers().anchors
    return _of_anchors(draw_priors(images[scene], boxes[scene], anchors, (4, 2, 1)))


def _of_anchors(figure: Picture) -> Picture:
    """Let titles speak of anchors, as this week does."""
    for axes in figure.axes:
        axes.set_title(axes.get_title().replace("prior", "anchor"), size=10)
    return figure


def draw_head() -> Picture:
    """Draw the maps of the head, from the backbone's features on."""
    return draw_network(
        [
            Block("", (512, 7, 7)),
            Block("ConvBlock\nstride 1", (256, 7, 7)),
            Block("ConvBlock\nstride 2", (256, 4, 4)),
            Block("ConvBlock\nstride 2", (256, 2, 2)),
            Block("ConvBlock\nstride 2", (256, 1, 1)),
        ]
    )


def draw_reach() -> Picture:
    """Draw how far activations can carry a box from its anchor, and how large and small it gets."""
    figure = Picture(figsize=(7.4, 3.9), layout="constrained")
    for axes, (w, h), words in zip(
        figure.subplots(1, 2), ((1.0, 1.0), (1.3, 0.65)), ("zoom 1", "zoom 1.3, ratio (1, ½)"),
        strict=True,
    ):  # fmt: skip
        _draw_grid(axes)
        cell = Rectangle(
            (1, 1), 1, 1, fc=COLOURS[5], alpha=0.45, ec="none", label="where its centre lies"
        )
        axes.add_patch(cell)
        for factor, style in ((0.5, ":"), (1.0, "-"), (1.5, "--")):
            width, height = factor * w, factor * h
            corner = (1.5 - width / 2, 1.5 - height / 2)
            name = {0.5: "smallest", 1.0: "the anchor", 1.5: "largest"}[factor]
            outline = {"fill": False, "ls": style, "lw": 2, "ec": COLOURS[1], "label": name}
            axes.add_patch(Rectangle(corner, width, height, **outline))
        axes.plot(1.5, 1.5, ".", color=INK)
        axes.set_title(words, size=10)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def _draw_grid(axes: Axes) -> None:
    """Draw a neighbourhood of 3×3 cells, without ticks."""
    axes.add_patch(Rectangle((0, 0), 3, 3, fc=PAPER, ec="none"))
    for place in range(4):
        axes.plot([0, 3], [place, place], color=LINE, lw=0.6)
        axes.plot([place, place], [0, 3], color=LINE, lw=0.6)
    axes.set(xlim=(-0.05, 3.05), ylim=(3.05, -0.05), aspect="equal")
    axes.axis("off")


def draw_focal_curves() -> Picture:
    """Draw the loss of one question against p_t, for several γ."""
    figure = Picture(figsize=(7.0, 3.8), layout="constrained")
    axes = figure.add_subplot()
    p = torch.linspace(0.01, 1, 200)
    for k, gamma in enumerate(GAMMAS):
        curve = -((1 - p) ** gamma) * p.log()
        axes.plot(p, curve, color=COLOURS[k], lw=1.8, label=f"γ = {gamma:g}")
    axes.axvspan(0.6, 1, color=PAPER, zorder=0)
    axes.text(0.8, 4.2, "easy: already right", ha="center", color=INK)
    axes.set(xlabel="p_t, the probability of the right answer", ylabel="loss", ylim=(0, 4.6))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_shares() -> Picture:
    """Draw which share of the loss positives, hard and easy negatives carry, for three γ.

    Returns:
        The Picture: of the fresh network on the left, of the trained one on the right, with α = ½.
    """
    answers = load_answers()
    figure = Picture(figsize=(9.0, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, logits, title in (
        (left, answers.fresh_logits, "a fresh network"),
        (right, answers.logits, "after 300 steps"),
    ):
        parts = parts_of(logits, answers.classes)
        for n, gamma in enumerate(SHARED_GAMMAS):
            losses = [float((-((1 - p) ** gamma) * p.log()).sum()) for p in parts.values()]
            start = 0.0
            for (name, p), loss, colour in zip(
                parts.items(), losses, (COLOURS[2], COLOURS[1], COLOURS[5]), strict=True
            ):
                share = loss / sum(losses)
                label = f"{name} ({len(p):,})" if n == 0 else None
                axes.barh(n, share, left=start, color=colour, label=label)
                if share > 0.08:
                    middle = start + share / 2
                    axes.text(middle, n, f"{share:.0%}", ha="center", va="center", color=INK)
                start += share
        axes.set(title=title, xlabel="share of the loss", xlim=(0, 1), ylim=(2.6, -1.4))
        axes.set_yticks(range(3), [f"γ = {gamma:g}" for gamma in SHARED_GAMMAS])
        axes.legend(frameon=False, loc="upper center", ncols=3, fontsize=7, columnspacing=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def parts_of(logits: Tensor, classes: Tensor) -> dict[str, Tensor]:
    """Sort the questions about all anchors; return p_t of each sort.

    Args:
        logits: (N, P, C) float.
        classes: (N, P) int64.
    """
    targets = torch.nn.functional.one_hot(classes, logits.shape[-1])[..., 1:].bool()
    p = torch.where(targets, logits[..., 1:], -logits[..., 1:]).sigmoid().clamp(min=1e-12)
    easy = ~targets & (p >= EASY)
    return {
        "targets 1": p[targets],
        "hard targets 0": p[~targets & ~easy],
        "easy targets 0": p[easy],
    }


def draw_mispaired_scores() -> Picture:
    """Draw one scene's detections twice: with scores that are not theirs, and with their own."""
    answers = load_answers()
    images, boxes, labels = load_scenes("validation")
    off = [float((x["scores"] - x["unfiltered"]).abs().sum()) for x in answers.detections]
    n = int(np.argmax(off))
    found = answers.detections[n]
    wrong = found | {"scores": found["unfiltered"]}
    truth = {"boxes": boxes[n], "labels": labels[n]}
    figure = draw_detections([images[n]] * 2, [truth] * 2, [wrong, found], columns=2)
    titles = ("scores of before the suppression", "scores of the boxes that remain")
    for axes, title in zip(figure.axes, titles, strict=True):
        axes.set_title(title, size=10)
    return figure


def draw_some_matches(scene: int = 5) -> Picture:
    """Draw the anchors that answer for the digits of a scene."""
    answers = load_answers()
    images, boxes, labels = load_scenes("validation")
    own = answers.classes[scene], answers.objects[scene]
    figure = draw_matches(images[scene], boxes[scene], labels[scene], answers.anchors, *own)
    return _of_anchors(figure)


def draw_some_detections(count: int = 6) -> Picture:
    """Draw what the trained network finds in some scenes."""
    images, boxes, labels = (part[:count] for part in load_scenes("validation"))
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, labels, strict=True)]
    return draw_detections(images, truths, load_answers().detections[:count])
