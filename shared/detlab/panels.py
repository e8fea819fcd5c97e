"""What pictures of detection are put together from: panels, outlines of boxes, labels beside them.

Boxes are `xyxy` in fractions of the image, over which a panel is one unit wide and high, y down.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from detlab.imagenet import IMAGENET_MEAN, IMAGENET_STD
from detlab.plotting import COLOURS, INK, LINE, Picture

TRUTH, HIT, FALSE_POSITIVE = "white", COLOURS[2], COLOURS[1]
# Told apart without colours, too.
TRUTH_STYLE, HIT_STYLE, FALSE_POSITIVE_STYLE = (0, (5, 2)), "-", (0, (1, 1))
Style = str | tuple[int, tuple[float, ...]]
SIZE_OF_LABELS = 7  # points


class Label(NamedTuple):
    """Words that belong to a box.

    Attributes:
        box: (4,) float, `xyxy` in fractions.
        words: one line.
        colour: of the ground behind them.
    """

    box: Tensor
    words: str
    colour: str


def grid_of(count: int, columns: int, size: float = 2.0) -> tuple[Picture, list[Axes]]:
    """Make a Picture with so many panels in rows, each of `size` inches, without axes."""
    rows = -(-count // columns)
    figure = Picture(figsize=(size * columns, (size + 0.35) * rows), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in grid:
        axes.axis("off")
    return figure, grid


def show(axes: Axes, image: Tensor) -> None:
    """Show an image over the unit square, y down."""
    image = image.detach()
    if len(image) == 3:
        if float(image.min()) < 0 or float(image.max()) > 1:
            mean, deviation = (
                torch.tensor(x)[:, None, None] for x in (IMAGENET_MEAN, IMAGENET_STD)
            )
            image = image * deviation + mean
        axes.imshow(image.clamp(0, 1).permute(1, 2, 0).numpy(), extent=(0, 1, 1, 0))
    else:
        axes.imshow(image[0].numpy(), cmap="gray", extent=(0, 1, 1, 0))
    axes.set(xlim=(0, 1), ylim=(1, 0))
    axes.axis("off")


def outline(
    axes: Axes, box: Tensor, colour: str, width: float = 1.5, style: Style = "-"
) -> Rectangle:
    """Outline a box; what sticks out of the image is shown, too."""
    x_min, y_min, x_max, y_max = box.tolist()
    corner, sides = (x_min, y_min), (x_max - x_min, y_max - y_min)
    drawn = Rectangle(corner, *sides, fill=False, ec=colour, lw=width, ls=style, clip_on=False)
    if colour == "white":  # to be seen on a bright image, too
        drawn.set_path_effects([withStroke(linewidth=width + 1.2, foreground=INK)])
    axes.add_patch(drawn)
    return drawn


def tag(axes: Axes, box: Tensor, words: str, colour: str) -> None:
    """Write on the upper left corner of a box."""
    x, y = box[:2].tolist()
    _write(axes, x, y, Label(box, words, colour), va="bottom")


def place_labels(axes: Axes, labels: Sequence[Label], unit: float) -> None:
    """Write labels at their boxes, each where it covers no other; the first has the first choice.

    Args:
        axes: a panel of `grid_of`.
        labels: of boxes in it.
        unit: how long the unit of the axes is, inches.
    """
    taken = np.zeros((len(labels), 4))
    (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    for number, label in enumerate(labels):
        if not bool(label.box.isfinite().all()):  # of a network that has diverged: it lies nowhere
            continue
        width, height = size_of(label.words, unit)
        x_min, y_min, x_max, y_max = label.box.tolist()
        columns = (
            (x_min, "left"),
            (x_max - width, "right"),
            ((x_min + x_max - width) / 2, "center"),
            (x_max, "left"),
            (x_min - width, "right"),
        )
        rows = (y_min - height, y_max, y_min, y_max - height)
        lanes = [low + k * height for k in range(int((high - low) / height))]
        places = [(x, y, side) for y in (*rows, *lanes) for x, side in columns]

        # Of each place its left and upper edge, in a column: others lie beside it in rows.
        first = np.array([(x, y) for x, y, _ in places])
        last, others = first + np.array([width, height]), taken[:number]
        ends = np.minimum(last[:, None], others[:, 2:])
        shared = ends - np.maximum(first[:, None], others[:, :2])
        covered = shared.clip(min=0).prod(2).sum(1) / (width * height)
        over = [left - first[:, 0], last[:, 0] - right, low - 1.5 * height - first[:, 1]]
        outside = np.clip([*over, first[:, 1] - high], 0, None).sum(0)
        best = int((1000 * covered + 100 * outside + 0.01 * np.arange(len(places))).argmin())
        x, y, side = places[best]
        taken[number] = (*first[best], *last[best])
        _lead(axes, (x + width / 2, y + height / 2), label)
        _write(
            axes, x + {"left": 0, "center": width / 2, "right": width}[side], y, label, "top", side
        )


def size_of(words: str, unit: float) -> tuple[float, float]:
    """Return how wide and high a label is at most, in units of `unit` inches.

    A layout may give a panel less room than it was promised, by a sixth or so.
    """
    width, height = 0.72 * SIZE_OF_LABELS * len(words) + 4, SIZE_OF_LABELS + 4
    return width / 72 / unit / 0.85, height / 72 / unit / 0.85


def add_key(figure: Picture, styles: dict[str, tuple[str, Style]]) -> None:
    """Say below a picture which line is what.

    Args:
        styles: by name a colour and a dash.
    """
    lines = [
        Line2D([], [], color=colour, ls=style, lw=2, label=name)
        for name, (colour, style) in styles.items()
    ]
    key = figure.legend(
        handles=lines, loc="outside lower center", ncols=len(lines), fontsize=9, facecolor=INK,
        labelcolor="white", handlelength=3.2,
    )  # fmt: skip
    key.get_frame().set_alpha(1)


def write_table(
    axes: Axes, rows: Sequence[Sequence[str]], colours: Sequence[Sequence[str]], size: float = 9
) -> None:
    """Write a table whose first row is its head, each cell on a ground of its own."""
    axes.axis("off")
    table = axes.table(
        [list(row) for row in rows],
        cellColours=[list(row) for row in colours],
        cellLoc="center",
        bbox=(0, 0, 1, 1),
    )
    table.auto_set_font_size(False)
    table.set_fontsize(size)
    for (row, _), cell in table.get_celld().items():
        cell.set(edgecolor=LINE, linewidth=0.6)
        if row == 0:
            cell.set_text_props(weight="bold")
    table.auto_set_column_width(list(range(len(rows[0]))))


def _lead(axes: Axes, middle: tuple[float, float], label: Label) -> None:
    """Draw a thin line from a label to the nearest side of its box; mostly the label covers it."""
    x_min, y_min, x_max, y_max = label.box.tolist()
    x, y = min(max(middle[0], x_min), x_max), min(max(middle[1], y_min), y_max)
    if x_min < x < x_max and y_min < y < y_max:  # it stands in its box
        y = min((y_min, y_max), key=lambda side: abs(side - y))
    axes.plot([middle[0], x], [middle[1], y], color=label.colour, lw=0.9)


def _write(axes: Axes, x: float, y: float, label: Label, va: str, ha: str = "left") -> None:
    """Write one label with this edge, or its middle, at x."""
    style = {"boxstyle": "square,pad=0.12", "facecolor": label.colour, "edgecolor": "none"}
    ink = "white" if label.colour in (COLOURS[0], INK) else INK
    axes.text(
        x, y, label.words, size=SIZE_OF_LABELS, color=ink, va=va, ha=ha, bbox=style, weight="bold"
    )
