"""Pictures of week 2, none of which needs code of a student's.

In every picture the truth is dashed and what a network says is solid, so that neither is told by
its colour alone.
"""

from collections.abc import Sequence
from itertools import pairwise
from string import ascii_uppercase

import numpy as np
import torch
from matplotlib.patches import Rectangle

from detlab.localizer import (
    SAID,
    SIDE,
    TRUTH,
    Answers,
    draw_frame,
    draw_map,
    load_answers,
    outline,
    show_canvas,
    window_of,
)
from detlab.metrics import mean_iou
from detlab.plotting import COLOURS, INK, LINE, Box, Picture, Step, draw_windows_and_cells

STYLES = ("-", "--", ":")
# A reader of single digits, in the manner of LeNet-5 (LeCun et al. 1998), without padding.
SMALL = (
    (Step("conv 5×5", 5), 6),
    (Step("max-pool 2", 2, 2), 6),
    (Step("conv 5×5", 5), 16),
    (Step("max-pool 2", 2, 2), 16),
    (Step("conv 4×4", 4), 120),
    (Step("conv 1×1", 1), 15),
)


def draw_placing() -> Picture:
    """Draw how a digit gets onto its canvas: as it is, turned, scaled, placed."""
    answers = load_answers()
    angle, factor = answers.turn.tolist()
    figure = Picture(figsize=(11.5, 3.3), layout="constrained")
    titles = ("28×28, as in MNIST", f"turned by {angle:g}°", f"scaled by {factor:g}", "placed")
    row = figure.subplots(1, 4)
    for axes, image, title in zip(row, answers.stages, titles, strict=True):
        show_canvas(axes, image)
        axes.set_title(title, size=10)
    outline(row[0], (18, 18, 46, 46), "white", ":")
    left, top, right, bottom = answers.placed_box.tolist()
    outline(row[3], (left, top, right, bottom), TRUTH, "--")
    room = SIDE - (right - left), SIDE - (bottom - top)
    places = {"fc": COLOURS[5], "alpha": 0.25, "ec": COLOURS[5], "hatch": "..", "lw": 0.8}
    row[3].add_patch(Rectangle((0, 0), *room, **places))
    row[3].plot(left, top, "o", color=COLOURS[4], markersize=6, clip_on=False)
    row[3].set_xlabel("dotted: where the box's corner\nmay come to lie, as likely everywhere")
    figure.alt = (
        f"Four canvases of 64×64 pixels. A digit as MNIST has it, turned by {angle:g} degrees, "
        f"then scaled by {factor:g}, then placed: its tight box is {right - left} pixels wide and "
        f"{bottom - top} high, and its top-left corner may lie anywhere in a region of "
        f"{room[0]}×{room[1]} pixels at the canvas's top left."
    )
    return figure


def draw_canvases(columns: int = 6, rows: int = 2) -> Picture:
    """Draw some canvases with the digits' boxes."""
    answers = load_answers()
    figure = Picture(figsize=(1.75 * columns, 2.0 * rows), layout="constrained")
    for n, axes in enumerate(figure.subplots(rows, columns).flat):
        show_canvas(axes, answers.images[n])
        outline(axes, answers.boxes[n].tolist(), TRUTH, "--")
        axes.set(title=f"digit {answers.labels[n]}", xticks=[], yticks=[])
    labels = ", ".join(map(str, answers.labels[: rows * columns].tolist()))
    figure.alt = (
        f"{rows * columns} canvases, each with one handwritten digit of another size, at another "
        f"angle and place, and a dashed box around its ink. The digits are {labels}."
    )
    return figure


def _reach(steps: Sequence[Step], cell: int) -> tuple[int, int]:
    """Return the first and the last cell of the lowest map that a cell of the highest looks at."""
    first = last = cell
    for step in reversed(steps):
        first, last = step.taps(first)[0], step.taps(last)[-1]
    return first, last


def small_maps() -> list[tuple[int, int, int, int]]:
    """Follow a canvas through the small network.

    Returns:
        For the canvas and each layer's map: channels, cells along a side, and, in pixels, the side
        of the window that a cell looks at and how far its neighbour's window lies.
    """
    maps, steps = [(1, SIDE, 1, 1)], []
    for step, channels in SMALL:
        steps.append(step)
        cells = 1
        while _reach(steps, cells)[1] < SIDE:
            cells += 1
        (first, last), (second, _) = _reach(steps, 0), _reach(steps, 1)
        maps.append((channels, cells, last - first + 1, second - first))
    return maps


def draw_small_network() -> Picture:
    """Draw the maps of a small network, and how much of the canvas a cell of each looks at."""
    figure = Picture(figsize=(12.0, 2.9), layout="constrained")
    axes, gap, x = figure.add_subplot(), 32.0, 0.0
    axes.text(-3, -17, "a cell sees", ha="right", size=9, color=INK)
    axes.text(-3, -25, "its neighbour", ha="right", size=9, color=INK)
    maps = small_maps()
    window = maps[-1][2]
    for n, (channels, cells, sees, hop) in enumerate(maps):
        side = SIDE * (cells / SIDE) ** 0.4  # or cells of the last maps would be too small to see
        unit = side / cells
        if n:
            ends = {"xy": (x + gap - 2, SIDE / 2), "xytext": (x + 2, SIDE / 2)}
            axes.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": INK})
            label = SMALL[n - 1][0].label.replace(" ", "\n")
            axes.text(x + gap / 2, SIDE / 2 + 3, label, ha="center", va="bottom", size=9)
            x += gap
        y = (SIDE - side) / 2
        axes.add_patch(Rectangle((x, y), side, side, fc="#E4F0F8", ec=INK, lw=0.8))
        if cells <= 30:
            lines = [unit * i for i in range(1, cells)]
            axes.hlines([y + line for line in lines], x, x + side, color=LINE, lw=0.4)
            axes.vlines([x + line for line in lines], y, y + side, color=LINE, lw=0.4)
        mine = unit * ((window - sees) // hop + 1)
        corners = ((x, y + side - mine, 1, "///"), (x + side - mine, y, 0, "\\\\\\"))
        for left, bottom, colour, hatch in corners:
            look = {"ec": COLOURS[colour], "fc": COLOURS[colour] + "55", "hatch": hatch, "lw": 1.2}
            axes.add_patch(Rectangle((left, bottom), mine, mine, **look))
        middle = x + side / 2
        axes.text(middle, y - 2, f"{channels} × {cells} × {cells}", ha="center", va="top", size=9)
        pixels = f"{sees}×{sees} px" if sees > 1 else "one pixel"
        axes.text(middle, -17, pixels, ha="center", size=9)
        axes.text(middle, -25, f"{hop} px further" if n else "", ha="center", size=9)
        x += side
    axes.set(xlim=(-38, x + 10), ylim=(-27, SIDE + 1), aspect="equal")
    axes.axis("off")
    figure.alt = (
        "A canvas of 64×64 pixels goes through six layers. "
        + " ".join(
            f"{step.label}: {channels} maps of {cells}×{cells}; a cell sees {sees}×{sees} pixels, "
            f"its neighbour lies {hop} further."
            for (step, _), (channels, cells, sees, hop) in zip(SMALL, maps[1:], strict=True)
        )
        + " Maps of fewer cells are drawn with larger ones. Hatched in every map: what the first "
        f"and the last window, {window}×{window} pixels, come to."
    )
    return figure


def draw_small_windows(image: int = 0) -> Picture:
    """Draw four windows of the small network on a canvas, and the cells that answer for them."""
    _, count, size, stride = small_maps()[-1]
    cells = [(0, 0), (0, count - 1), (count // 2, count // 3), (count - 1, count // 2)]
    boxes: list[Box] = []
    for i, j in cells:
        boxes.append((j * stride, i * stride, j * stride + size, i * stride + size))
    figure = draw_windows_and_cells(load_answers().images[image], boxes, cells, (count, count))
    where = "; ".join(
        f"{letter}: window from x {box[0]:g} and y {box[1]:g}, cell {cell}"
        for letter, box, cell in zip(ascii_uppercase, boxes, cells, strict=False)
    )
    figure.alt = (
        f"A canvas with four windows of {size}×{size} pixels, and beside it the {count}×{count} "
        f"output cells, of which four bear the same letters. {where}."
    )
    return figure


def _cases(answers: Answers) -> tuple[int, list[tuple[int, int]]]:
    """Choose a digit whose centre few windows hold, and three windows.

    The first shows most of the digit, the second holds the centre though it shows least of it, the
    third shows as much as it can without the centre.
    """
    n = int(answers.targets[:, 0].sum((1, 2)).argmin())
    seen, (rows, columns) = answers.targets[n, 0] == 1, answers.grid.count
    cells = [(i, j) for i in range(rows) for j in range(columns)]
    windows = torch.tensor([window_of(answers.grid, cell) for cell in cells])
    low = torch.maximum(windows[:, :2], answers.boxes[n, :2])
    high = torch.minimum(windows[:, 2:], answers.boxes[n, 2:])
    area = (high - low).clamp(min=0).prod(1).view(rows, columns)
    some, no = area.masked_fill(~seen, torch.inf), area.masked_fill(seen, -1)
    return n, [cells[int(k)] for k in (area.argmax(), some.argmin(), no.argmax())]


def draw_rulers() -> Picture:
    """Draw one side of a box on two rulers: the image's and a window's."""
    answers = load_answers()
    n, cells = _cases(answers)
    i, j = cells[1]
    window, box = window_of(answers.grid, (i, j)), answers.boxes[n].tolist()
    ends = answers.targets[n, 2:, i, j].tolist()
    figure = Picture(figsize=(10.5, 2.5), layout="constrained")
    axes = figure.add_subplot()
    axes.hlines(1, 0, SIDE, color=INK, lw=1.2)
    axes.hlines(0, 0, SIDE, color=LINE, lw=0.8)
    axes.hlines(0, window[0], window[2], color=COLOURS[0], lw=2.2)
    for x in range(0, SIDE + 1, 8):
        axes.text(x, 1.22, str(x), ha="center", size=9)
        axes.vlines(x, 1, 1.12, color=INK, lw=1)
    for fraction in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = window[0] + fraction * answers.grid.size
        axes.text(x, -0.22, f"{fraction:g}", ha="center", va="top", size=9, color=COLOURS[0])
        axes.vlines(x, -0.12, 0, color=COLOURS[0], lw=1.5)
    for x, fraction in ((box[0], ends[0]), (box[2], ends[2])):
        axes.vlines(x, 0, 1, color=TRUTH, ls="--", lw=1.8)
        axes.text(x + 0.4, 0.76, f"{x:g} px", size=9)
        axes.text(x + 0.4, 0.12, f"{fraction:g} of the window", size=9)
    axes.axvspan(box[0], box[2], 0.3, 0.72, color=TRUTH, alpha=0.15)
    axes.text(-1, 1, "image, pixels", ha="right", va="center", size=10)
    axes.text(-1, 0, f"window in column {j}", ha="right", va="center", size=10, color=COLOURS[0])
    axes.set(xlim=(-14, SIDE + 8), ylim=(-0.65, 1.55))
    axes.axis("off")
    figure.alt = (
        f"Two rulers, one above the other: the image's from 0 to 64 pixels; and that of a window, "
        f"0 at pixel {window[0]:g} and 1 at pixel {window[2]:g}. A digit's box from pixel "
        f"{box[0]:g} to {box[2]:g} reaches from {ends[0]:g} to {ends[2]:g} on the window's ruler."
    )
    return figure


def draw_window_targets() -> Picture:
    """Draw a digit, which windows hold its box's centre, and the targets of three windows."""
    answers = load_answers()
    n, cells = _cases(answers)
    seen = answers.targets[n, 0]
    figure = Picture(figsize=(11.0, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, 6, height_ratios=(1.15, 1))
    left, right = figure.add_subplot(grid[0, :3]), figure.add_subplot(grid[0, 3:])
    show_canvas(left, answers.images[n])
    outline(left, answers.boxes[n].tolist(), TRUTH, "--")
    middle = answers.boxes[n].view(2, 2).mean(0)
    dot = {"marker": "o", "color": TRUTH, "mec": "white", "ms": 7, "zorder": 4}
    left.plot(*middle.tolist(), **dot)
    left.set(title=f"a {answers.labels[n]}, its box, three windows", xlabel="x, pixels")
    draw_map(right, [["1" if one else "0" for one in row] for row in seen.tolist()], seen == 1)
    right.set_title(f"hold the centre: {int(seen.sum())} of {seen.numel()} windows")
    described = []
    for k, (i, j) in enumerate(cells):
        colour, letter, window = COLOURS[(0, 4, 3)[k]], "ABC"[k], window_of(answers.grid, (i, j))
        inset = 0.25 * k
        box = window[0] + inset, window[1] + inset, window[2] - inset, window[3] - inset
        outline(left, box, colour, "-", 2.2)
        place = (box[0] + 1.2, box[3] - 1.2) if k != 1 else (box[2] - 4.2, box[1] + 5.2)
        left.text(*place, letter, color=colour, weight="bold", size=12)
        right.add_patch(Rectangle((j, i), 1, 1, fill=False, ec=colour, lw=3))
        right.text(j + 0.08, i + 0.36, letter, size=8, weight="bold")
        axes = figure.add_subplot(grid[1, 2 * k : 2 * k + 2])
        y = answers.targets[n, :, i, j].tolist()
        draw_frame(axes, answers.images[n], window, colour)
        corner = torch.tensor(window[:2])
        inside = (answers.boxes[n].view(2, 2) - corner) / answers.grid.size
        outline(axes, inside.flatten().tolist(), TRUTH, "--")
        axes.plot(*inside.mean(0).tolist(), **dot)
        numbers = "(" + ", ".join(f"{one:g}" for one in y) + ")"
        axes.set_title(f"{letter} = window ({i}, {j}); its target:\n{numbers}", size=10)
        described.append(f"{letter}, in row {i} and column {j}, has the target {numbers}")
    figure.alt = (
        f"A canvas with a digit {answers.labels[n]}, its dashed box and a dot at the box's centre, "
        f"({middle[0]:g}, {middle[1]:g}) pixels; a map of 7×7 windows, "
        f"{int(seen.sum())} with a 1, the others with a 0; and the contents of three windows, each "
        f"in its own frame from 0 to 1. {'; '.join(described)}."
    )
    return figure


def draw_counting() -> Picture:
    """Draw which windows enter which term of the loss, early in a training."""
    answers = load_answers()
    seen, found = answers.targets[:, 0] == 1, answers.found[0]
    half = (found.sum((1, 2)) / seen.sum((1, 2)) - 0.5).abs()
    n = int((half + (seen.sum((1, 2)) > 40)).argmin())
    figure = Picture(figsize=(12.0, 4.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.15))
    step, here = int(answers.steps[0]), seen[n]
    draw_map(left, [[f"{p:.2f}" for p in row] for row in answers.p[0, n].tolist()], here)
    left.set_title(f"after {step} steps: σ(o₀) in each window\n(blue: y₀ = 1, hatched: y₀ = 0)")
    words = [["d c b" if one else "d" for one in row] for row in found[n].tolist()]
    draw_map(middle, words, found[n])
    count = int(found[n].sum())
    middle.set_title(f"detection counts in all {here.numel()},\nclass and box in {count} (blue)")
    z = torch.linspace(-4, 4, 161)
    for k, (sign, name) in enumerate(((1, "y₀ = 1"), (-1, "y₀ = 0"))):
        curve = torch.nn.functional.softplus(-sign * z)
        right.plot(z, curve, STYLES[k], color=COLOURS[k], lw=2, label=name)
    right.plot(0, np.log(2), "o", color=INK)
    right.annotate("ln 2 = 0.693", (0, np.log(2)), (-0.95, 2.3), arrowprops={"arrowstyle": "-"})
    right.set(title="what one window's detection costs", xlabel="o₀", ylabel="cross-entropy")
    right.legend(frameon=False)
    right.spines[["top", "right"]].set_visible(False)
    terms = answers.terms[0, n].tolist()
    figure.alt = (
        f"Three panels. A map of 7×7 windows with the probability of a digit in each after {step} "
        f"steps; {int(here.sum())} windows have the target 1. The same map: detection (d) counts "
        f"in all 49 windows, class and box (c, b) in the {count} of them that were found; the "
        f"terms of this image are {terms[0]:.1f}, {terms[1]:.1f} and {terms[2]:.2f}. The "
        "cross-entropy of one window against its logit: for target 1 it falls, for target 0 it "
        "rises, and both are ln 2 at 0."
    )
    return figure


def draw_training() -> Picture:
    """Draw the terms of the loss, and the windows that were found, over a whole training."""
    answers = load_answers()
    history, positives = answers.history, float(answers.positives)
    edges = sorted({round(x) for x in np.geomspace(1, len(history) + 1, 60)})
    bins = [history[a - 1 : b - 1].mean(0) for a, b in pairwise(edges)]
    middles = [(a + b - 1) / 2 for a, b in pairwise(edges)]
    means = torch.stack(bins)
    figure = Picture(figsize=(11.0, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    for k, name in enumerate(("detection", "classification", "regression")):
        left.plot(middles, means[:, k], STYLES[k], color=COLOURS[k], lw=2, label=name)
    left.set(ylabel="loss per image", yscale="log", title="three terms")
    right.plot(middles, means[:, 3], color=COLOURS[4], lw=2, label="found: class and box count")
    right.axhline(positives, color=INK, ls="--", lw=1.2, label="hold the centre (mean)")
    right.set(ylabel="windows of 49", title="true positives", ylim=(0, 49))
    for axes in (left, right):
        axes.set(xlabel="step", xscale="log")
        axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    first, last = history[0].tolist(), history[-100:].mean(0).tolist()
    peak = means[:, 1].max()
    figure.alt = (
        f"Two panels, steps 1 to {len(history)} on a logarithmic axis. Left, per image: detection "
        f"falls from {first[0]:.1f} to {last[0]:.2f}; classification begins at {first[1]:.1f}, "
        f"rises to {peak:.1f} and falls to {last[1]:.1f}; regression falls from {first[2]:.1f} to "
        f"{last[2]:.2f}. Right: of 49 windows {first[3]:.1f} are found at first, {last[3]:.1f} in "
        f"the end; {positives:.1f} hold the centre."
    )
    return figure


def draw_choice() -> Picture:
    """Draw for two canvases which window is surest, and its box in both frames."""
    answers = load_answers()
    seen, labels = answers.targets[:, 0].sum((1, 2)), answers.labels.tolist()
    order = seen.masked_fill(answers.predicted[1] != answers.labels, 99).argsort().tolist()
    few = [order[0], next(n for n in order if labels[n] != labels[order[0]])]
    figure = Picture(figsize=(11.0, 7.2), layout="constrained")
    described = []
    for n, (left, middle, right) in zip(few, figure.subplots(2, 3), strict=True):
        scores, digits = answers.scores[1, n], answers.digits[1, n]
        i, j = divmod(int(scores.argmax()), scores.shape[1])
        words = [
            [f"{digit}\n{score:z.3f}" for digit, score in zip(*rows, strict=True)]
            for rows in zip(digits.tolist(), scores.tolist(), strict=True)
        ]
        draw_map(left, words, torch.zeros_like(scores) > 0, size=7, hatched=False)
        left.add_patch(Rectangle((j, i), 1, 1, fill=False, ec=COLOURS[0], lw=3))
        left.set_title(f"each window's digit and score;\nthe surest is ({i}, {j})", size=10)
        window, box = window_of(answers.grid, (i, j)), answers.window_boxes[1, n, :, i, j].tolist()
        draw_frame(middle, answers.images[n], window, COLOURS[0])
        outline(middle, box, SAID, "-")
        numbers = ", ".join(f"{one:.2f}" for one in box)
        middle.set_title(f"its box in the window's frame:\n{numbers}", size=10)
        whole = answers.predicted_boxes[1, n].tolist()
        show_canvas(right, answers.images[n])
        outline(right, window, COLOURS[0], ":")
        outline(right, answers.boxes[n].tolist(), TRUTH, "--", 2.2)
        outline(right, [SIDE * one for one in whole], SAID, "-")
        for axis in (right.xaxis, right.yaxis):  # as the title has it
            axis.set_ticks([SIDE * k / 4 for k in range(5)], ["0", "0.25", "0.5", "0.75", "1"])
        numbers = ", ".join(f"{one:.2f}" for one in whole)
        right.set_title(f"in fractions of the image:\n{numbers}", size=10)
        described.append(
            f"A {answers.labels[n]}: window ({i}, {j}) is surest, with the score "
            f"{scores[i, j].item():z.3f} for {digits[i, j]}; its box, in the image, is {numbers}."
        )
    figure.alt = (
        "For two canvases a map of windows, each with its digit and its score, the surest window's "
        f"content with its box, and the canvas with the window, that box and the true one. "
        f"{' '.join(described)}"
    )
    return figure


def draw_overlaps() -> Picture:
    """Draw real predictions of several IoUs, and what an error of some pixels costs."""
    answers = load_answers()
    pairs = [
        (mean_iou(said[None], true[None] / SIDE), n, said * SIDE)
        for boxes in answers.predicted_boxes
        for n, (said, true) in enumerate(zip(boxes, answers.boxes, strict=True))
    ]
    figure = Picture(figsize=(12.0, 3.4), layout="constrained")
    *row, last = figure.subplots(1, 5, width_ratios=(1, 1, 1, 1, 1.5))
    shown = []
    for axes, wanted in zip(row, (0.3, 0.65, 0.8, 0.93), strict=True):
        iou, n, said = min(pairs, key=lambda pair: abs(pair[0] - wanted))
        true = answers.boxes[n]
        show_canvas(axes, answers.images[n])
        low, high = torch.maximum(said[:2], true[:2]), torch.minimum(said[2:], true[2:])
        middle = (torch.minimum(said[:2], true[:2]) + torch.maximum(said[2:], true[2:])) / 2
        common = {"fc": "none", "ec": COLOURS[5], "hatch": "////", "lw": 0}
        axes.add_patch(Rectangle(tuple(low.tolist()), *(high - low).tolist(), **common))
        outline(axes, true.tolist(), TRUTH, "--", 2.2)
        outline(axes, said.tolist(), SAID, "-")
        x, y = middle.tolist()
        axes.set(title=f"IoU {iou:.2f}", xticks=[], yticks=[])
        axes.set(xlim=(x - 18, x + 18), ylim=(y + 18, y - 18), facecolor="#555555")
        shown.append(f"{iou:.2f}")
    shifts = torch.arange(9.0)
    for k, width in enumerate((8, 16, 32)):
        curve = [
            mean_iou(
                torch.tensor([[shift, 0, shift + width, width]]),
                torch.tensor([[0.0, 0, width, width]]),
            )
            for shift in shifts.tolist()
        ]
        last.plot(shifts, curve, STYLES[k], marker=".", color=COLOURS[k], label=f"{width} px wide")
    last.axhline(0.5, color=LINE, lw=0.8)
    last.set(
        title="a square box off by …", xlabel="pixels to the side", ylabel="IoU", ylim=(0, 1.02)
    )
    last.set_xticks(range(0, 9, 2))
    last.legend(frameon=False, fontsize=8)
    last.spines[["top", "right"]].set_visible(False)
    figure.alt = (
        "Four digits, each with the true box dashed, a predicted box solid and their intersection "
        f"hatched; the IoUs are {', '.join(shown)}. Beside them the IoU of two equal squares "
        "against the pixels between them: the smaller the square, the faster it falls."
    )
    return figure
