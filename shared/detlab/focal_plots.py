"""Pictures of week 5, none of which needs code of a student's.

What a real network answers comes from a file: that of task 5.7, trained with the focal loss on
3,200 scenes (see `data/README.md`).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from detlab.detection_plots import draw_detections, draw_matches
from detlab.digits import read_arrays
from detlab.picture import Picture
from detlab.plotting import COLOURS, DASHES, INK, LINE, PAPER, Block, draw_network, outline
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
    parts = read_arrays(FOCAL, FOCAL_SHA256)
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
    figure = Picture(figsize=(10.0, 5.8), layout="constrained")
    said = []
    for line, grid in zip(figure.subplots(2, 2, height_ratios=(1.7, 1)), (4, 2), strict=True):
        rows = torch.arange(grid * grid * PER_CELL)
        own = rows // PER_CELL
        orders = {"permute, then reshape": own, "as in the post": rows % (grid * grid)}
        for axes, (title, cells) in zip(line, orders.items(), strict=True):
            right = cells == own
            styles = (
                (right, ".", COLOURS[2], "its own cell"),
                (~right, "x", COLOURS[1], "another's"),
            )
            for chosen, marker, colour, label in styles:
                style = {"color": colour, "markersize": 7 if marker == "." else 4, "label": label}
                axes.plot(rows[chosen], cells[chosen], marker, **style)
            count = f"{int(right.sum())} of {len(rows)} rows on their own cell"
            said.append(f"{grid}×{grid} cells, {title}: {count}")
            axes.set_title(f"{title}: {count}", size=11)
            axes.set(xlabel="row of the result (nine for each cell)", ylabel="cell that answers")
            axes.set_xticks([*range(0, len(rows) + 1, PER_CELL * (grid if grid > 2 else 1))])
            axes.set_yticks(range(0, grid * grid, 3 if grid > 2 else 1))
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(color=LINE, lw=0.3, axis="x")
    handles, labels = line[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    return figure.described(
        "Four plots of the cell that answers against the row of the result. "
        f"{'; '.join(said)}. In the right order the dots climb a staircase of nine rows a step; in "
        "the post's order they run through all cells again and again."
    )


def draw_anchors(anchors: Tensor | None = None, scene: int = 5) -> Picture:
    """Draw the anchors of one cell of each map on a scene, in the centres' company.

    Those of the finest map are small: they have a panel of their own, enlarged.

    Args:
        anchors: (189, 4) float, `cxcywh`; those of this week if not given.
        scene: number of the scene of validation.

    Returns:
        The Picture; an anchor's colour tells its shape, its dashes its size.
    """
    images, boxes, _ = load_scenes("validation")
    anchors = _anchors() if anchors is None else anchors.detach()
    figure = Picture(figsize=(13.0, 4.2), layout="constrained")
    first, *others = figure.subplots(1, 1 + len(GRIDS))
    start = 0
    for axes, grid, enlarged in zip(
        (first, *others), (GRIDS[0], *GRIDS), (False, True, False, False), strict=True
    ):
        start = 0 if enlarged else start
        end = start + grid**2 * PER_CELL
        axes.imshow(images[scene, 0].numpy(), cmap="gray", extent=(0, 1, 1, 0))
        for box in boxes[scene].tolist():
            axes.add_patch(outline(box, ec="white", ls=":", lw=2, label="digits"))
        axes.plot(
            *anchors[start:end:PER_CELL, :2].T.tolist(),
            "+",
            color=COLOURS[5],
            label="centres of cells",
        )
        cell = start + PER_CELL * (grid // 2 * grid + grid // 2)
        nine = anchors[cell : cell + PER_CELL]
        c_x, c_y = nine[0, :2].tolist()
        near = (c_x - 0.23, c_y - 0.23, c_x + 0.23, c_y + 0.23)
        if axes is first:
            axes.add_patch(outline(near, ec=COLOURS[1], lw=1.5, label="enlarged beside it"))
        else:
            _draw_cell(axes, nine)
        axes.set(xlim=(-0.2, 1.2), ylim=(1.2, -0.2))
        title = f"{grid}×{grid} cells, {PER_CELL} anchors each"
        if enlarged:
            axes.set(xlim=(near[0], near[2]), ylim=(near[3], near[1]))
            title = f"the {PER_CELL} of one cell, enlarged"
            for artist in (*axes.lines, *axes.patches):
                artist.set_clip_on(True)
        axes.set_title(title, size=10)
        axes.axis("off")
        start = end
    named = {}
    for handles, labels in (one.get_legend_handles_labels() for one in (axes, first)):
        named |= dict(zip(labels, handles, strict=True))
    named = {name: named.pop(name) for name in [n for n in named if ", " in n]} | named
    style = {"frameon": True, "facecolor": "#333333", "labelcolor": "white", "handlelength": 3.2}
    legend = figure.legend(
        named.values(), named, ncols=4, loc="outside lower center", fontsize=9, **style
    )
    legend.get_frame().set_edgecolor("none")
    return figure.described(
        f"A scene with {len(boxes[scene])} digits, with the nine anchors of one cell of a map of "
        "4×4 (enlarged beside it), of 2×2 and of 1×1 cells: squares, flat and upright ones in "
        "three sizes around the cell's centre. Their sides are about a quarter of the scene's "
        "on the first map, half of it on the second, like the digits', and all of it on the third."
    )


def _draw_cell(axes: Axes, anchors: Tensor) -> None:
    """Draw a cell's anchors, (9, 4) `cxcywh`; shapes have colours, sizes have dashes."""
    w, h = anchors[:, 2:].T
    shapes = {"square": (w / h - 1).abs() < 0.1, "flat": w > 1.1 * h, "upright": h > 1.1 * w}
    for colour, (name, chosen) in zip((4, 5, 3), shapes.items(), strict=True):
        mine = anchors[chosen]
        for rank, n in enumerate(mine[:, 2:].prod(-1).argsort().tolist()):
            c_x, c_y, width, height = mine[n].tolist()
            style = {"ec": COLOURS[colour], "ls": (":", "-", "--")[min(rank, 2)], "lw": 1.7}
            style["label"] = f"{name}, {('small', 'middle', 'large')[min(rank, 2)]}"
            corner = c_x - width / 2, c_y - height / 2
            axes.add_patch(Rectangle(corner, width, height, fill=False, clip_on=False, **style))


def draw_head() -> Picture:
    """Draw the maps of the head, from the backbone's features on, and how many rows each gives."""
    figure = draw_network(
        [
            Block("", (512, 7, 7)),
            Block("ConvBlock\nstride 1", (256, 7, 7)),
            Block("ConvBlock\nstride 2", (256, 4, 4)),
            Block("ConvBlock\nstride 2", (256, 2, 2)),
            Block("ConvBlock\nstride 2", (256, 1, 1)),
        ]
    )
    axes = figure.axes[0]
    figure.set_size_inches(11.5, 4.3)
    sizes = [text for text in axes.texts if " × " in text.get_text()][-len(GRIDS) :]
    said = []
    for text, grid in zip(sizes, GRIDS, strict=True):
        x, top = text.get_position()
        rows = f"{grid**2}·{PER_CELL} = {grid**2 * PER_CELL} rows"
        ends = {"xy": (x, -6.0), "xytext": (x, top - 1.4)}
        axes.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": INK})
        axes.text(x, -6.3, f"OutputBlock\n{rows}", ha="center", va="top", size=9)
        said.append(rows)
    total = sum(grid**2 for grid in GRIDS) * PER_CELL
    words = f"the same OutputBlock each time: {total} rows in all, 4 and C numbers in each"
    axes.text(sizes[0].get_position()[0] - 5, -9.6, words, va="top", size=9, color=INK)
    axes.set(ylim=(-11.5, axes.get_ylim()[1]))
    return figure.described(
        f"{figure.alt} From the last three maps arrows lead down to one OutputBlock, with "
        f"{', '.join(said)}; {total} in all."
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
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, handlelength=3)
    return figure.described(
        "Two anchors in the middle of nine cells, a square as large as the cell and a flat one. "
        "Around each a smallest box, with half of its sides, and a largest, with one and a half "
        "times its sides; the middle cell is coloured, since the box's centre stays there."
    )


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
        style = {"color": COLOURS[k], "ls": DASHES[k], "lw": 1.8}
        axes.plot(p, curve, label=f"γ = {gamma:g}", **style)
    axes.axvspan(EASY, 1, color=PAPER, zorder=0)
    axes.text((1 + EASY) / 2, 4.1, "easy:\nalready right", ha="center", va="center", color=INK)
    axes.set(xlabel="p_t, the probability of the right answer", ylabel="loss", ylim=(0, 4.6))
    axes.legend(frameon=False, loc="upper center", handlelength=3.4)
    axes.spines[["top", "right"]].set_visible(False)
    halves = ", ".join(f"{0.5**gamma * 0.693:.2f} for γ = {gamma:g}" for gamma in GAMMAS)
    return figure.described(
        "The loss of one question against the probability of the right answer, a falling curve for "
        f"each γ, the lower the larger γ is. At p_t = 0.5 it is {halves}. Where p_t exceeds {EASY} "
        "the question counts as easy; there the curves of large γ are all but zero."
    )


def draw_shares() -> Picture:
    """Draw which share of the loss positives, hard and easy negatives carry, for three γ.

    Returns:
        The Picture: of the fresh network on the left, of the trained one on the right, with α = ½.
    """
    answers = load_answers()
    figure = Picture(figsize=(10.0, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    said = []
    for axes, logits, title in (
        (left, answers.fresh_logits, "a fresh network"),
        (right, answers.logits, "after 300 steps"),
    ):
        parts = parts_of(logits, answers.classes)
        for n, gamma in enumerate(SHARED_GAMMAS):
            losses = [float((-((1 - p) ** gamma) * p.log()).sum()) for p in parts.values()]
            shares = [loss / sum(losses) for loss in losses]
            _draw_bar(axes, n, dict(zip(parts, shares, strict=True)))
            words = ", ".join(f"{x:.0%} {name}" for name, x in zip(parts, shares, strict=True))
            said.append(f"{title}, γ = {gamma:g}: {words}")
        names = [f"{name}\n({len(p):,})" for name, p in parts.items()]
        axes.set(title=title, xlabel="share of the loss, %", xlim=(0, 108), ylim=(2.6, -0.6))
        axes.set_xticks(range(0, 101, 20))
        axes.set_yticks(range(3), [f"γ = {gamma:g}" for gamma in SHARED_GAMMAS])
        handles = axes.patches[: len(parts)]
        style = {"bbox_to_anchor": (0.5, -0.2), "fontsize": 9, "columnspacing": 1.2}
        axes.legend(handles, names, frameon=False, loc="upper center", ncols=3, **style)
        axes.spines[["top", "right"]].set_visible(False)
    return figure.described(f"Bars of how the loss is shared out. {'; '.join(said)}.")


def _draw_bar(axes: Axes, place: float, shares: dict[str, float]) -> None:
    """Draw one bar in parts, each with a colour and a hatch of its own."""
    start = 0.0
    styles = ((COLOURS[2], ""), (COLOURS[1], "////"), (COLOURS[5], "...."))
    for share, (colour, hatch) in zip(shares.values(), styles, strict=True):
        width = 100 * share
        axes.barh(place, width, left=start, color=colour, hatch=hatch, ec="white", lw=0.4)
        words = {"va": "center", "color": INK, "weight": "bold"}
        if share > 0.05:
            badge = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.8}
            axes.text(start + width / 2, place, f"{share:.0%}", bbox=badge, ha="center", **words)
        elif share > 0.005:  # of the last part only, so that it has the room beside the bar
            axes.text(101, place, f"{share:.0%}", **words)
        start += width


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
    # Two classes that answer from one anchor have one box, and hide each other's score.
    clear = [len(x["boxes"].unique(dim=0)) == len(x["boxes"]) for x in answers.detections]
    n = int(np.argmax(np.multiply(off, clear)))
    found = answers.detections[n]
    wrong = found | {"scores": found["unfiltered"]}
    truth = {"boxes": boxes[n], "labels": labels[n]}
    figure = draw_detections([images[n]] * 2, [truth] * 2, [wrong, found], columns=2)
    titles = ("scores from before the suppression", "scores of the boxes that remain")
    said = []
    for axes, title, one in zip(figure.axes, titles, (wrong, found), strict=True):
        axes.set_title(title, size=11, pad=14)
        scores = zip(one["labels"].tolist(), one["scores"].tolist(), strict=True)
        said.append(f"{title}: {', '.join(f'{c - 1} at {x:.2f}' for c, x in scores)}")
    return figure.described(
        f"One scene with the same {len(found['boxes'])} detections twice. {'; '.join(said)}."
    )


def draw_some_matches(scene: int = 5) -> Picture:
    """Draw the anchors that answer for the digits of a scene."""
    answers = load_answers()
    images, boxes, labels = load_scenes("validation")
    own = answers.classes[scene], answers.objects[scene]
    figure = draw_matches(images[scene], boxes[scene], labels[scene], answers.anchors, *own)
    for axes in figure.axes:
        axes.set_title(axes.get_title().replace("prior", "anchor"), size=10)  # this week's word
    titles = "; ".join(axes.get_title() for axes in figure.axes)
    return figure.described(f"A scene, once for each digit, with the anchors matched: {titles}.")


def draw_some_detections(count: int = 6) -> Picture:
    """Draw what the trained network finds in some scenes."""
    images, boxes, labels = (part[:count] for part in load_scenes("validation"))
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, labels, strict=True)]
    detections = load_answers().detections[:count]
    figure = draw_detections(images, truths, detections, columns=3)
    many = sum(len(found["boxes"]) for found in detections)
    return figure.described(
        f"{count} scenes with {sum(map(len, boxes))} digits, outlined in white, and {many} "
        "detections of the trained network, each with its digit and its score."
    )
