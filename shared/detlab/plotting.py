"""Pictures of the course, drawn by code."""

from collections.abc import Iterable, Sequence
from math import log2
from string import ascii_uppercase
from typing import NamedTuple

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from detlab.grid import WindowGrid
from detlab.picture import Picture

Box = tuple[float, float, float, float]
Cell = tuple[int, int]

# Okabe and Ito 2008, told apart with every common kind of colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
# One beside each colour, so that nothing is told by colour alone.
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), (0, (2, 2.5)), (0, (9, 3)))
HALO = [withStroke(linewidth=3.6, foreground="white")]  # so that a line stands out from its image
INK, PAPER, LINE = "#222222", "#F4F4F1", "#9A9A9A"


class Block(NamedTuple):
    """One map of a network, and the step that leads to it.

    Attributes:
        step: what is written on the arrow to this block; empty for the first.
        shape: (channels, height, width) of a map, or (features,) of a vector.
        marked: side of the square to colour, in cells from the top-left corner; 0 for none.
    """

    step: str
    shape: tuple[int, ...]
    marked: int = 0


class Step(NamedTuple):
    """One layer as seen along one axis: `kernel` taps, `dilation` cells apart, every `stride`."""

    label: str
    kernel: int
    stride: int = 1
    dilation: int = 1

    def taps(self, cell: int) -> range:
        """Cells of the map below that output cell `cell` reads."""
        first = cell * self.stride
        return range(first, first + self.kernel * self.dilation, self.dilation)


def outline(box: Sequence[float], **style: object) -> Rectangle:
    """Make the outline of a box, `xyxy` in the units of its axes, in a style of matplotlib's."""
    left, top, right, bottom = box
    return Rectangle((left, top), right - left, bottom - top, fill=False, **style)


def example_image(height: int, width: int) -> Tensor:
    """A small landscape with a sun, the same at every call.

    Args:
        height: pixels, at least 1.
        width: pixels, at least 1.

    Returns:
        (3, height, width) float32 in [0, 1], red, green, blue.
    """
    y = torch.linspace(0, 1, height)[:, None].expand(height, width)
    x = torch.linspace(0, 1, width).expand(height, width)
    sky = torch.stack((0.55 + 0.35 * y, 0.75 + 0.1 * y, 0.95 - 0.15 * y))
    hill = torch.stack((0.35 - 0.15 * y, 0.6 - 0.2 * y, 0.4 - 0.2 * y))
    image = torch.where(y > 0.72 - 0.16 * torch.sin(5 * x), hill, sky)
    radius = 0.15 * min(height, width)
    sun = ((x - 0.66) * width).square() + ((y - 0.3) * height).square() < radius**2
    return torch.where(sun, torch.tensor([1.0, 0.85, 0.3])[:, None, None], image)


def draw_network(blocks: Sequence[Block]) -> Picture:
    """Draw a network as a row of blocks, each with its size, and an arrow for each step.

    Args:
        blocks: the maps in order; one map cell is as large in every block.

    Returns:
        The Picture.
    """
    figure = Picture(figsize=(11.5, 2.9), layout="constrained")
    axes = figure.add_subplot()
    middle = max(block.shape[1] for block in blocks if len(block.shape) == 3) / 2
    gap, x = 10.0, 0.0
    for block in blocks:
        if block.step:
            ends = {"xy": (x + gap - 1.2, middle), "xytext": (x + 1.2, middle)}
            axes.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": INK})
            axes.text(x + gap / 2, middle + 0.6, block.step, ha="center", va="bottom", size=9)
            x += gap
        x += _draw_block(axes, block, x, middle)
    axes.set(xlim=(-2, x + 2), ylim=(-5, 2 * middle + 4), aspect="equal")
    axes.axis("off")
    return figure.described("A network, from left to right: " + "; ".join(map(_say_block, blocks)))


def draw_windows(image: Tensor, boxes: Sequence[Box], labels: Sequence[str]) -> Picture:
    """Draw the outlines of some windows on an image.

    Args:
        image: (3, H, W) or (1, H, W) float in [0, 1].
        boxes: (x_min, y_min, x_max, y_max) of each window, pixels, the maxima exclusive.
        labels: a name for each box, for the legend.

    Returns:
        The Picture.
    """
    figure = Picture(figsize=(7.0, 4.4), layout="constrained")
    axes = figure.add_subplot()
    _draw_image(axes, image, boxes)
    outlines = axes.patches[: len(boxes)]
    style = {"bbox_to_anchor": (1.02, 0.5), "frameon": False, "handlelength": 3.2}
    axes.legend(outlines, labels, loc="center left", **style)
    return figure.described(f"{_say_size(image)} with outlines of windows: {_say(labels, boxes)}")


def draw_windows_and_cells(
    image: Tensor, boxes: Sequence[Box], cells: Sequence[Cell], count: Cell
) -> Picture:
    """Draw windows on an image beside the output cells that answer for them.

    A window and its cell have the same colour and the same letter.

    Args:
        image: (3, H, W) or (1, H, W) float in [0, 1].
        boxes: (x_min, y_min, x_max, y_max) of each window, pixels, the maxima exclusive.
        cells: (row, column) of the output cell of each box.
        count: (rows, columns) of the output grid.

    Returns:
        The Picture: the image on the left, the grid on the right.
    """
    figure = Picture(figsize=(10.0, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_image(left, image, boxes)
    rows, columns = count
    _draw_cells(right, 0, 0, rows, columns, PAPER)
    for k, ((row, column), box) in enumerate(zip(cells, boxes, strict=True)):
        colour, letter = COLOURS[k % len(COLOURS)], ascii_uppercase[k % 26]
        style = {"color": "white", "weight": "bold", "ha": "center", "va": "center"}
        badge = {"boxstyle": "round,pad=0.25", "facecolor": colour, "edgecolor": "none"}
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        left.text(*middle, letter, size=10, bbox=badge, **style)
        right.add_patch(Rectangle((column, row), 1, 1, facecolor=colour, edgecolor=INK))
        right.text(column + 0.5, row + 0.5, letter, size=10, **style)
    right.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1), aspect="equal")
    right.set_xticks([j + 0.5 for j in range(columns)], range(columns))
    right.set_yticks([i + 0.5 for i in range(rows)], range(rows))
    right.tick_params(length=0)
    right.spines[:].set_visible(False)
    right.set(title="output", xlabel="column j", ylabel="row i")
    left.set_title("image")
    names = [f"{ascii_uppercase[k % 26]}, output cell {cell}," for k, cell in enumerate(cells)]
    return figure.described(
        f"Left, {_say_size(image).lower()} with windows: {_say(names, boxes)} Right, the output's "
        f"grid of {rows} rows and {columns} columns, with the cells of these letters coloured."
    )


def draw_images(
    images: Tensor, titles: Sequence[str] = (), boxes: Tensor | None = None, columns: int = 6
) -> Picture:
    """Draw small images in rows.

    Args:
        images: (N, 1, H, W) float in [0, 1].
        titles: one for each image, or none.
        boxes: (N, 4) float, one to outline in each image, `xyxy` in fractions of its sides.
        columns: images in a row.

    Returns:
        The Picture.
    """
    rows = -(-len(images) // columns)
    figure = Picture(figsize=(1.6 * columns, (1.85 if titles else 1.65) * rows), layout="tight")
    for n, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.axis("off")
        if n < len(images):
            height, width = images.shape[-2:]
            extent = (0, width, height, 0)
            axes.imshow(images[n, 0].numpy(), cmap="gray", vmin=0, vmax=1, extent=extent)
            axes.set_title(titles[n] if titles else "", size=10)
            if boxes is not None:
                x_min, y_min, x_max, y_max = boxes[n].tolist()
                sides = (x_max - x_min) * width, (y_max - y_min) * height
                corner = x_min * width, y_min * height
                style = {"ec": COLOURS[2], "ls": DASHES[1], "lw": 1.5, "clip_on": False}
                axes.add_patch(Rectangle(corner, *sides, fill=False, **style))
    figure.alt = f"{len(images)} small images of {images.shape[-1]}×{images.shape[-2]} pixels"
    figure.alt += f", {columns} in a row"
    figure.alt += ", each with the dashed outline of a box" if boxes is not None else ""
    figure.alt += f", named {', '.join(titles)}." if titles else "."
    return figure


def draw_targets(image: Tensor, targets: Tensor, grid: WindowGrid) -> Picture:
    """Draw an image, the grid of windows that hold the centre of its box, and two of these.

    Args:
        image: (1, H, W) float in [0, 1].
        targets: (6, rows, columns) float: detected, label, and the box, `xyxy` in fractions of
            the window.
        grid: the windows.

    Returns:
        The Picture: two windows on the image; the detected channel with both cells marked; both
        windows with their boxes, each in its own frame, and dimmed what lies around it.
    """
    seen = [(int(i), int(j)) for i, j in targets[0].nonzero()]
    cells = [seen[len(seen) // 2], seen[0]] if seen else []
    figure = Picture(figsize=(12.5, 3.4), layout="constrained")
    left, middle, *frames = figure.subplots(1, 4)
    corners = [(j * grid.stride, i * grid.stride) for i, j in cells]
    _draw_image(left, image, [(x, y, x + grid.size, y + grid.size) for x, y in corners])
    _draw_seen(middle, targets[0])
    left.set_title("two windows")
    for k, (cell, (x, y)) in enumerate(zip(cells, corners, strict=True)):
        i, j = cell
        middle.add_patch(Rectangle((j, i), 1, 1, fill=False, ec=COLOURS[k], lw=2.5))
        _draw_in_its_frame(frames[k], image, (x, y, x + grid.size, y + grid.size))
        box, around = targets[2:, i, j].tolist(), {"color": COLOURS[k], "ls": DASHES[k], "lw": 2.5}
        frames[k].add_patch(Rectangle((0, 0), 1, 1, fill=False, clip_on=False, **around))
        frames[k].add_patch(outline(box, ec=COLOURS[2], ls=DASHES[1], lw=2, clip_on=False))
        low, high = min(-0.05, *box[:2]) - 0.03, max(1.05, *box[2:]) + 0.03
        frames[k].set(xlim=(low, high), ylim=(high, low))
        frames[k].set(title=f"window {cell}: label {int(targets[1, i, j])}")
    for axes in frames[len(cells) :]:
        axes.axis("off")
    figure.alt = f"A canvas; a map of {len(targets[0])}×{targets.shape[2]} windows, of which "
    figure.alt += f"{len(seen)} hold the centre; and two of these, each in its own frame from 0 to "
    figure.alt += "1, with the digit's box, dashed, also where it sticks out."
    return figure


def draw_window_table(windows: Tensor) -> Picture:
    """Draw cut-out windows in the rows and columns in which they are indexed.

    Args:
        windows: (rows, columns, 3, size, size) float in [0, 1].

    Returns:
        The Picture.
    """
    rows, columns = windows.shape[:2]
    figure = Picture(figsize=(1.05 * columns + 0.6, 1.2 * rows + 0.3), layout="constrained")
    for i, line in enumerate(figure.subplots(rows, columns, squeeze=False)):
        for j, axes in enumerate(line):
            axes.imshow(windows[i, j].permute(1, 2, 0).numpy())
            axes.set_title(f"({i}, {j})", size=9, pad=3)
            axes.set(xticks=[], yticks=[])
    return figure.described(
        f"{rows} rows and {columns} columns of small images, the windows of one image, each under "
        "its index (row, column)."
    )


def draw_receptive_field(steps: Sequence[Step], cells: Iterable[int], width: int) -> Picture:
    """Draw, along one axis, which cells of each map the given output cells look at.

    Args:
        steps: the layers in order, without padding.
        cells: at most two output cells, each with its own colour.
        width: cells of the input.

    Returns:
        The Picture: the image is the lowest row, the output the highest.
    """
    figure = Picture(figsize=(9.0, 1.1 + 1.05 * len(steps)), layout="constrained")
    axes, cells = figure.add_subplot(), [*cells]
    centres = _centres(steps, width)
    for level in range(len(centres)):
        label = f"after {steps[level - 1].label}" if level else "image"
        axes.text(-1, level, label, ha="right", va="center", size=10)
    cones = [_cone(steps, cell) for cell in cells]
    for level, line in enumerate(centres):
        for index, x in enumerate(line):
            owners = [k for k, cone in enumerate(cones) if index in cone[level]]
            _draw_square(axes, x, level, owners)
            for k in owners if level else ():
                for tap in steps[level - 1].taps(index):
                    ends = [x, centres[level - 1][tap]]
                    style = {"color": COLOURS[k], "ls": DASHES[k], "lw": 1.2 - 0.2 * k}
                    axes.plot(ends, [level - 0.2, level - 0.8], **style)
    axes.set(xlim=(-6.5, width), ylim=(-0.5, len(steps) + 0.5))
    axes.axis("off")
    sees = [
        f"Output cell {cell} sees cells {min(cone[0])} to {max(cone[0])} of the image"
        for cell, cone in zip(cells, cones, strict=True)
    ]
    names = ", ".join(["image", *(step.label for step in steps)])
    return figure.described(
        f"Rows of cells along one axis, from the bottom to the top: {names}. Lines join each cell "
        f"with those that it reads. {'; '.join(sees)}."
    )


def _draw_block(axes: Axes, block: Block, x: float, middle: float) -> float:
    """Draw one block from x on, at mid-height `middle`; return its width."""
    channels, *sides = block.shape
    rows, columns = sides or (1.6 * log2(channels), 1.2)  # a vector is drawn as a bar
    bottom = middle - rows / 2
    depth = int(log2(channels)) if sides else 0
    for layer in range(depth, 0, -1):
        shift = 0.22 * layer
        corner = x + shift, bottom + shift
        axes.add_patch(Rectangle(corner, columns, rows, fc="#CFE3F1", ec=LINE, lw=0.5))
    if sides:
        _draw_cells(axes, x, bottom, rows, columns, "#E4F0F8")
    else:
        axes.add_patch(Rectangle((x, bottom), columns, rows, fc="#FBE3B9", ec=INK, lw=0.8))
    if block.marked:
        corner, side = (x, bottom + rows - block.marked), block.marked
        style = {"fc": COLOURS[1], "ec": COLOURS[1], "alpha": 0.45}
        axes.add_patch(Rectangle(corner, side, side, **style))
        axes.add_patch(Rectangle(corner, side, side, fill=False, ec=INK, lw=1.2))
    label = " × ".join(map(str, block.shape))
    axes.text(x + columns / 2, bottom - 0.8, label, ha="center", va="top", size=9, color=INK)
    return columns + 0.22 * depth


def _draw_cells(axes: Axes, x: float, y: float, rows: int, columns: int, colour: str) -> None:
    """Draw a rectangle of unit cells whose lowest corner is (x, y)."""
    axes.add_patch(Rectangle((x, y), columns, rows, facecolor=colour, edgecolor=INK, lw=0.8))
    axes.hlines([y + i for i in range(1, rows)], x, x + columns, color=LINE, lw=0.5)
    axes.vlines([x + j for j in range(1, columns)], y, y + rows, color=LINE, lw=0.5)


def _draw_seen(axes: Axes, seen: Tensor) -> None:
    """Draw a map of windows, (rows, columns) of 0 and 1, with as many numbers as there is room."""
    rows, columns = seen.shape
    _draw_cells(axes, 0, 0, rows, columns, PAPER)
    for i, row in enumerate(seen.tolist()):
        for j, value in enumerate(row):
            if value:
                axes.add_patch(Rectangle((j, i), 1, 1, fc="#B9DDF3", ec=INK, lw=0.6))
            if max(rows, columns) <= 12:
                axes.text(j + 0.5, i + 0.5, f"{value:g}", ha="center", va="center", size=9)
    axes.set(title="channel 0: holds the centre", xlabel="column j", ylabel="row i", aspect="equal")
    axes.set(xlim=(-0.1, columns + 0.1), ylim=(rows + 0.1, -0.1))
    step = 1 + max(rows, columns) // 10
    axes.set_xticks([j + 0.5 for j in range(0, columns, step)], range(0, columns, step))
    axes.set_yticks([i + 0.5 for i in range(0, rows, step)], range(0, rows, step))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_image(axes: Axes, image: Tensor, boxes: Sequence[Box]) -> None:
    """Show an image with pixel edges at whole numbers, and outline the boxes."""
    height, width = image.shape[-2:]
    pixels = image.detach().permute(1, 2, 0).squeeze(-1).numpy()
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0))
    for k, (x_min, y_min, x_max, y_max) in enumerate(boxes):
        # So that edges which coincide can all be seen.
        inset = 0.2 * sum(_share_an_edge(boxes[k], other) for other in boxes[:k])
        sides = x_max - x_min - 2 * inset, y_max - y_min - 2 * inset
        outline = Rectangle((x_min + inset, y_min + inset), *sides, fill=False, lw=2.2)
        outline.set(edgecolor=COLOURS[k % len(COLOURS)], linestyle=DASHES[k % len(DASHES)])
        outline.set(clip_on=False, path_effects=HALO)
        axes.add_patch(outline)
    axes.set(xlabel="x, pixels", ylabel="y, pixels")


def _draw_in_its_frame(axes: Axes, image: Tensor, window: Box) -> None:
    """Show an image so that a window, `xyxy` in pixels, reaches from 0 to 1; dim all around it."""
    (left, top, right, bottom), (height, width) = window, image.shape[-2:]
    side = right - left
    extent = (-left / side, (width - left) / side, (height - top) / side, -top / side)
    grey = {"cmap": "gray", "vmin": 0, "vmax": 1}
    axes.imshow(image[0].numpy(), extent=extent, alpha=0.35, **grey)
    inside = image[0, int(top) : int(bottom), int(left) : int(right)]
    axes.imshow(inside.numpy(), extent=(0, 1, 1, 0), **grey)


def _share_an_edge(one: Box, other: Box) -> bool:
    """Say whether two boxes have a left, right, upper or lower edge in common, if only in part."""
    for along in (0, 1):  # the edge lies across this axis, and runs along the other
        low, high = (max(one[1 - along], other[1 - along]), min(one[3 - along], other[3 - along]))
        if low < high and (one[along] == other[along] or one[along + 2] == other[along + 2]):
            return True
    return False


def _centres(steps: Sequence[Step], width: int) -> list[list[float]]:
    """Where to draw each cell: above the middle of the cells that it reads."""
    centres = [[float(x) for x in range(width)]]
    for step in steps:
        below, above = centres[-1], []
        while (taps := step.taps(len(above)))[-1] < len(below):
            above.append((below[taps[0]] + below[taps[-1]]) / 2)
        centres.append(above)
    return centres


def _cone(steps: Sequence[Step], cell: int) -> list[set[int]]:
    """The cells of each map, image first, that one output cell looks at."""
    cone = [{cell}]
    for step in reversed(steps):
        cone.append({tap for index in cone[-1] for tap in step.taps(index)})
    return cone[::-1]


def _draw_square(axes: Axes, x: float, y: float, owners: Sequence[int]) -> None:
    """Draw one cell of a row, in a stripe for each of its owners, the second's hatched."""
    height = 0.4 / max(1, len(owners))
    for n, owner in enumerate(owners):
        style = {"fc": COLOURS[owner], "ec": "white", "lw": 0, "hatch": "////" if owner else ""}
        axes.add_patch(Rectangle((x - 0.4, y - 0.2 + n * height), 0.8, height, **style))
    paper = {"fc": "none" if owners else PAPER}
    axes.add_patch(Rectangle((x - 0.4, y - 0.2), 0.8, 0.4, ec=INK, lw=0.6, **paper))


def _say_block(block: Block) -> str:
    """Say what a block is in words."""
    step = " ".join(block.step.split())
    marked = f", of which the upper left {block.marked}×{block.marked} are marked"
    shape = "×".join(map(str, block.shape)) + (marked if block.marked else "")
    return f"{step} gives {shape}" if step else f"input {shape}"


def _say_size(image: Tensor) -> str:
    """Say how large an image is."""
    height, width = image.shape[-2:]
    return f"An image, {height} pixels high and {width} wide,"


def _say(names: Sequence[str], boxes: Sequence[Box]) -> str:
    """Say where boxes are."""
    places = (
        f"{name} x {box[0]:g} to {box[2]:g}, y {box[1]:g} to {box[3]:g}"
        for name, box in zip(names, boxes, strict=True)
    )
    return "; ".join(places) + "."
