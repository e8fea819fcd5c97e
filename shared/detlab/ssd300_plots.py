"""Pictures of the network of week 4, none of which needs code of a student's.

What they show of layers is read from torchvision's own SSD300 and VGG-16, made without weights (on
torch's device "meta"): sizes, strides, dilations and numbers of parameters.
"""

from collections.abc import Sequence
from functools import cache
from math import log2, sqrt
from typing import NamedTuple

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from detlab.picture import Described
from detlab.plotting import COLOURS, INK, LINE, PAPER, Picture

MAPS = ("conv4_3", "conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")
SIDE = 300  # of the images, pixels
BLUE, RED, GREEN, PINK, ORANGE, SKY = COLOURS


class Reach(NamedTuple):
    """How the prediction at one place of a map sees the image, along one axis.

    Attributes:
        name: of the map.
        size: cells along its side.
        jump: pixels between two neighbouring cells.
        field: pixels that the prediction's 3×3 kernel sees through all layers below it.
        paths: (field,) float, the share of the paths from each of these pixels to it.
    """

    name: str
    size: int
    jump: int
    field: int
    paths: Tensor

    @property
    def kernel(self) -> int:
        """Pixels between the outer edges of the three cells that the kernel itself covers."""
        return 3 * self.jump

    def middle(self, share: float) -> int:
        """Return the side, in pixels, of the middle that holds so large a share of the paths."""
        half, total = len(self.paths) // 2, self.paths.cumsum(0)
        for n in range(half + 1):
            end = min(half + n, len(total) - 1)
            start = half - n - 1
            if float(total[end] - (total[start] if start >= 0 else 0)) >= share:
                return 2 * n + 1
        return len(self.paths)


@cache
def _networks() -> tuple[nn.Module, nn.Module]:
    """Make torchvision's SSD300 for three classes and the background, and its VGG-16, empty."""
    from torchvision.models import detection, vgg16

    with torch.device("meta"):
        ssd = detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=4)
        return ssd, vgg16(weights=None)


def _stages() -> list[list[nn.Module]]:
    """Return the convolutions and poolings that lead to each of the six maps from the last."""
    body = _networks()[0].backbone
    return [
        [m for m in part.modules() if isinstance(m, nn.Conv2d | nn.MaxPool2d)]
        for part in (body.features, *body.extra)
    ]


def _one(value: int | tuple[int, int]) -> int:
    """Return a layer's number along one axis."""
    return value if isinstance(value, int) else value[0]


def _gather(x: Tensor, layer: nn.Module, padding: int | None = None) -> Tensor:
    """Add up along one axis, (1, 1, n), what a layer's kernel touches."""
    kernel, stride, dilation = (
        _one(getattr(layer, k)) for k in ("kernel_size", "stride", "dilation")
    )
    pad = _one(layer.padding) if padding is None else padding
    return F.conv1d(x, torch.ones(1, 1, kernel), None, stride, pad, dilation)


@cache
def reaches() -> tuple[Reach, ...]:
    """Measure what a prediction sees: what changes when a pixel of a row of 1,500 is changed.

    Every layer becomes one that adds up its inputs, so that a gradient counts paths.
    """
    found, chain = [], []
    for name, stage in zip(MAPS, _stages(), strict=True):
        chain += stage
        row = torch.zeros(1, 1, 1500, requires_grad=True)
        x, jump = row, 1
        for layer in chain:
            x, jump = _gather(x, layer, 0) / 2, jump * _one(layer.stride)
        x = F.conv1d(x, torch.ones(1, 1, 3))
        x[0, 0, x.shape[2] // 2].backward()
        paths = row.grad[0, 0][row.grad[0, 0] > 0]
        size = sizes()[len(found)][1]
        found.append(Reach(name, size, jump, len(paths), paths / paths.sum()))
    return tuple(found)


def table_of_growth() -> str:
    """Write a line for each block of the base: how far a cell sees, and how far cells lie apart.

    Both are measured, as in `reaches`.
    """
    names = "conv1 pool1 conv2 pool2 conv3 pool3 conv4 pool4 conv5 pool5 conv6 conv7".split()
    blocks: list[list[nn.Module]] = []
    for layer in [*_stages()[0], *_stages()[1]]:
        last = blocks[-1][-1] if blocks else None
        plain = isinstance(layer, nn.Conv2d) and isinstance(last, nn.Conv2d)
        if plain and layer.dilation == last.dilation == (1, 1) and _one(layer.kernel_size) == 3:
            blocks[-1].append(layer)
        else:
            blocks.append([layer])
    lines = ["block   layers  size    jump   size of a 3x3 prediction on it"]
    chain: list[nn.Module] = []
    for name, block in zip(names, blocks, strict=True):
        chain += block
        size, jump = _field(chain), 1
        for layer in chain:
            jump *= _one(layer.stride)
        above = f"{_field(chain, 3)} px" if name in ("conv4", "conv7") else ""
        lines.append(f"{name:7} {len(block):6} {size:4} px {jump:4} px   {above}".rstrip())
    return "\n".join(lines)


def _field(chain: Sequence[nn.Module], head: int = 1) -> int:
    """Measure how many pixels of a long row one output sees, under a last kernel of `head`."""
    row = torch.zeros(1, 1, 1500, requires_grad=True)
    x = row
    for layer in chain:
        x = _gather(x, layer, 0) / 2
    x = F.conv1d(x, torch.ones(1, 1, head))
    x[0, 0, x.shape[2] // 2].backward()
    return int((row.grad > 0).sum())


@cache
def sizes() -> tuple[tuple[int, int], ...]:
    """Return the channels and the side in cells of the six maps, as the network makes them."""
    body = _networks()[0].backbone
    maps = body(torch.zeros(1, 3, SIDE, SIDE, device="meta"))
    return tuple((one.shape[1], one.shape[2]) for one in maps.values())


def count(module: nn.Module) -> int:
    """Count a module's parameters."""
    return sum(one.numel() for one in module.parameters())


def table_of_maps(
    feature_sizes: Sequence[int], scales: Sequence[float], ratios: Sequence[Sequence[float]]
) -> str:
    """Write a line for each map: its cells, its priors, and where their rows begin.

    Args:
        feature_sizes: cells along a side of each map.
        scales: of its priors, fractions of the image.
        ratios: width / height of its priors, without the extra square.

    Returns:
        The lines; the last one is the sum.
    """
    lines = ["map       cells          a cell  scale        priors in a cell          rows"]
    start = 0
    for name, size, scale, own in zip(MAPS, feature_sizes, scales, ratios, strict=True):
        each = len(own) + 1
        rows = size**2 * each
        lines.append(
            f"{name:9} {size:2}·{size:<2} = {size**2:5,}  {SIDE / size:5.1f} px "
            f"{scale:6.3f} = {scale * SIDE:3.0f} px  {each} · {size**2:5,} = {rows:5,}  "
            f"{start:5,} to {start + rows - 1:5,}"
        )
        start += rows
    return "\n".join([*lines, f"{'all':9} {'':47} {start:5,}"])


def draw_ssd300(feature_sizes: Sequence[int], ratios: Sequence[Sequence[float]]) -> Described:
    """Draw the network from the image to the 8,732 predictions.

    Args:
        feature_sizes: cells along a side of the six maps.
        ratios: of the priors of each.
    """
    figure = Picture(figsize=(11.5, 5.2), layout="constrained")
    axes = figure.add_subplot()
    inner = [(3, 300, "image"), (64, 300, "conv1"), (128, 150, "conv2"), (256, 75, "conv3")]
    channels = [c for c, _ in sizes()]
    rows = [(c, s, name, False) for c, s, name in inner]
    rows += [(c, s, n, True) for c, s, n in zip(channels, feature_sizes, MAPS, strict=True)]
    rows.insert(5, (512, feature_sizes[1], "conv5", False))
    x, source, total = 0.0, 0, 0
    for n, (deep, size, name, marked) in enumerate(rows):
        high, wide = 0.24 * sqrt(size), 0.075 * log2(deep)
        colour = PAPER if n == 0 else "#CFE3F1" if n < 7 else "#FBE3B9"
        style = {"ec": INK, "lw": 2.2} if marked else {"ec": LINE, "lw": 0.8}
        axes.add_patch(Rectangle((x, -high / 2), wide, high, fc=colour, **style))
        middle = x + wide / 2
        axes.text(middle, high / 2 + 0.12, name, ha="center", size=9, weight="bold")
        axes.text(
            middle, -high / 2 - 0.12, f"{size}×{size}\n×{deep}", ha="center", va="top", size=8
        )
        if n:
            ends = {"xy": (x - 0.02, 0), "xytext": (x - 0.33, 0)}
            axes.annotate("", **ends, arrowprops={"arrowstyle": "-|>", "color": INK})
        if marked:
            each = len(ratios[source]) + 1
            answers = size**2 * each
            total += answers
            arrow = {"arrowstyle": "-|>", "color": RED, "ls": "--"}
            axes.annotate("", (middle, -3.75), (middle, -high / 2 - 0.85), arrowprops=arrow)
            axes.text(middle, -3.85, f"{each} · {size}²", ha="center", va="top", size=9, color=INK)
            axes.text(middle, -4.25, f"= {answers:,}", ha="center", va="top", size=9, weight="bold")
            source += 1
        x += wide + 0.52
    axes.text(-0.1, -3.85, "priors", va="top", size=9, weight="bold")
    axes.text(x - 0.3, -4.25, f"Σ {total:,}", va="top", size=11, weight="bold", color=RED)
    for start, end, words in ((1, 7, "base: VGG-16, changed"), (7, len(rows), "auxiliary")):
        left = _left(rows, start)
        right = _left(rows, end) - 0.52
        axes.plot([left, right], [2.65, 2.65], color=LINE, lw=2)
        axes.text((left + right) / 2, 2.75, words, ha="center", size=10)
    axes.set(xlim=(-0.2, x + 0.9), ylim=(-4.8, 3.2))
    axes.axis("off")
    answers = ", ".join(
        f"{name} {s}×{s} cells with {len(r) + 1} priors each"
        for name, s, r in zip(MAPS, feature_sizes, ratios, strict=True)
    )
    return Described(
        figure,
        f"""The network as a row of blocks that get smaller: the image, 300×300; five blocks of
        VGG-16; conv7; four auxiliary blocks. Six of them are outlined, and an arrow leads from
        each to its predictions: {answers}; {total:,} together.""",
    )


def _left(rows: Sequence[tuple[int, int, str, bool]], n: int) -> float:
    """Return where block n begins."""
    return sum(0.075 * log2(deep) + 0.52 for deep, *_ in rows[:n])


def draw_inheritance() -> Described:
    """Draw how many weights each part has in the classifier and in the detector."""
    ssd, classifier = _networks()
    stages = _stages()
    convolutions = sum(count(layer) for layer in [*stages[0], *stages[1][:-2]])
    conv6, conv7 = (count(layer) for layer in stages[1][-2:])
    new = sum(count(layer) for stage in stages[2:] for layer in stage)
    rows = {
        "conv1_1 … conv5_3": (convolutions, count(classifier.features)),
        "fc6 → conv6": (conv6, count(classifier.classifier[0])),
        "fc7 → conv7": (conv7, count(classifier.classifier[3])),
        "fc8, 1,000 classes": (0, count(classifier.classifier[6])),
        "auxiliary": (new, 0),
        "predictions, 4 classes": (count(ssd.head), 0),
    }
    figure = Picture(figsize=(8.6, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for n, (mine, theirs) in enumerate(rows.values()):
        kept = min(mine, theirs)
        fresh = mine - kept
        for y, value, colour, hatch in (
            (n - 0.2, theirs, LINE, ""),
            (n + 0.2, kept, SKY, ""),
            (n + 0.2, fresh, ORANGE, "///"),
        ):
            if value:
                axes.barh(y, value / 1e6, 0.36, color=colour, hatch=hatch, ec=INK, lw=0.6)
                axes.text(value / 1e6 + 1, y, f"{value / 1e6:.2f}", va="center", size=8)
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set(xlabel="millions of parameters", xlim=(0, 112))
    styles = (("VGG-16, the classifier", LINE, ""), ("SSD300, from the classifier", SKY, ""))
    styles += (("SSD300, begins at random", ORANGE, "///"),)
    handles = [Rectangle((0, 0), 1, 1, fc=c, hatch=h, ec=INK, lw=0.6) for _, c, h in styles]
    axes.legend(handles, [words for words, *_ in styles], frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    total = sum(mine for mine, _ in rows.values())
    fresh = new + count(ssd.head)
    numbers = "; ".join(f"{k}: {b / 1e6:.2f} and {a / 1e6:.2f}" for k, (a, b) in rows.items())
    return Described(
        figure,
        f"""Bars: millions of parameters in VGG-16 and in SSD300. {numbers}. Of {total / 1e6:.1f}
        million in SSD300 {(total - fresh) / 1e6:.1f} come from the classifier.""",
    )


def draw_decimation(step: int = 3, outputs: int = 4, shown: int = 16) -> Described:
    """Draw what is kept of fc6's and fc7's weights.

    Args:
        step: of the places of fc6's kernel.
        outputs: of the outputs.
        shown: of the 4,096 outputs and inputs that are drawn.
    """
    figure = Picture(figsize=(11.0, 3.7), layout="constrained")
    first, second, third = figure.subplots(1, 3, width_ratios=(1, 1, 1))
    kept = range(0, 7, step)
    _draw_table(first, 7, 7, {(i, j) for i in kept for j in kept})
    first.set_title("fc6: 7×7 places of one\ninput channel, 3×3 remain", size=10)
    few = range(0, shown, outputs)
    _draw_table(second, shown, 6, {(i, j) for i in few for j in range(6)})
    second.set_title(
        f"fc6: 4,096 outputs, {4096 // outputs:,} remain,\nall 512 input channels", size=10
    )
    second.set(ylabel=f"output (the first {shown})", xlabel="input channel (the first 6)")
    _draw_table(third, shown, shown, {(i, j) for i in few for j in few})
    third.set_title(
        f"fc7: {4096 // outputs:,} of 4,096 outputs, and\nonly the inputs that still exist", size=10
    )
    third.set(ylabel=f"output (the first {shown})", xlabel=f"input (the first {shown})")
    return Described(
        figure,
        f"""Three tables of weights; what is kept is filled and dotted. Of 7×7 places those in rows
        and columns {", ".join(map(str, kept))}. Of the outputs of fc6 those numbered
        {", ".join(map(str, few))} and so on, with all their inputs. Of fc7 the crossings of every
        fourth row with every fourth column.""",
    )


def _draw_table(axes: Axes, rows: int, columns: int, kept: set[tuple[int, int]]) -> None:
    """Draw a table of weights, those that are kept filled and dotted."""
    for i in range(rows):
        for j in range(columns):
            colour = SKY if (i, j) in kept else PAPER
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc=colour, ec=LINE, lw=0.5))
            if (i, j) in kept:
                axes.plot(j, i, ".", color=INK, markersize=5)
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6))
    axes.set_aspect("equal" if columns > 6 else "auto")
    axes.set_xticks(range(0, columns, 1 if columns < 8 else 4))
    axes.set_yticks(range(0, rows, 1 if rows < 8 else 4))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_dilation(image: Tensor) -> Described:
    """Draw which places of an image fc6 and conv6 look at, seen from its middle.

    Args:
        image: (3, H, W) float in [0, 1], shown at 300×300 pixels.
    """
    _, classifier = _networks()
    stages = _stages()
    coarse = 1
    for layer in classifier.features:
        coarse *= _one(getattr(layer, "stride", 1))
    fine = 1
    for layer in [*stages[0], *stages[1][:-2]]:
        fine *= _one(layer.stride)
    dilation = _one(stages[1][-2].dilation)
    cases = {
        f"fc6 of VGG-16\n7×7 places, {coarse} px apart": [coarse * k for k in range(-3, 4)],
        f"every third of them\n3×3 places, 3·{coarse} = {3 * coarse} px": [
            3 * coarse * k for k in (-1, 0, 1)
        ],
        f"conv6, not dilated\n3×3 places, {fine} px apart": [fine * k for k in (-1, 0, 1)],
        f"conv6, dilation {dilation}\n3×3 places, {dilation}·{fine} = {dilation * fine} px": [
            dilation * fine * k for k in (-1, 0, 1)
        ],
    }
    figure = Picture(figsize=(11.5, 3.4), layout="constrained")
    for n, (axes, (title, places)) in enumerate(
        zip(figure.subplots(1, 4), cases.items(), strict=True)
    ):
        pixels = image.permute(1, 2, 0).numpy()
        axes.imshow(pixels, extent=(0, SIDE, SIDE, 0), alpha=0.55)
        grid = [(SIDE / 2 + x, SIDE / 2 + y) for y in places for x in places]
        cell = coarse if n < 2 else fine
        for x, y in grid:
            corner = (x - cell / 2, y - cell / 2)
            style = {"fc": (ORANGE, ORANGE, RED, GREEN)[n], "ec": INK, "lw": 0.8}
            axes.add_patch(Rectangle(corner, cell, cell, **style))
        axes.set_title(title, size=10)
        axes.set(xlim=(0, SIDE), ylim=(SIDE, 0), xticks=[0, 100, 200, 300], yticks=[])
    return Described(
        figure,
        f"""Four times the same image with the places that one output looks at. fc6: a square of
        7×7 places, {coarse} pixels apart. Every third of them: 3×3, {3 * coarse} pixels apart.
        conv6 without dilation: 3×3 in the very middle, {fine} pixels apart. With dilation
        {dilation}: 3×3, {dilation * fine} pixels apart, where every third place of fc6 was.""",
    )


def draw_reaches(
    image: Tensor, scales: Sequence[float], ratios: Sequence[Sequence[float]]
) -> Described:
    """Draw for three maps a prior, the kernel that predicts for it, and what that kernel sees.

    Args:
        image: (3, H, W) float in [0, 1], shown at 300×300 pixels.
        scales, ratios: of the priors of all maps.
    """
    figure = Picture(figsize=(11.5, 4.4), layout="constrained")
    words = []
    for n, axes in enumerate(figure.subplots(1, 3)):
        reach = reaches()[n]
        pixels = image.permute(1, 2, 0).numpy()
        axes.imshow(pixels, extent=(0, SIDE, SIDE, 0), alpha=0.6)
        centre = (reach.size // 2 + 0.5) / reach.size * SIDE
        wide, high = (SIDE * scales[n] * r for r in (sqrt(ratios[n][1]), 1 / sqrt(ratios[n][1])))
        middle = reach.middle(0.9)
        for side, style, name in (
            (
                (reach.kernel,) * 2,
                {"fc": SKY, "alpha": 0.8, "ec": INK, "lw": 1},
                "kernel, 3×3 cells",
            ),
            ((wide, high), {"fill": False, "ec": RED, "lw": 2.4}, "a prior"),
            ((middle,) * 2, {"fill": False, "ec": BLUE, "lw": 2, "ls": ":"}, "90 % of the paths"),
            (
                (reach.field,) * 2,
                {"fill": False, "ec": INK, "lw": 2, "ls": "--"},
                "all that it sees",
            ),
        ):
            w, h = side
            label = f"{name}: {w:.0f} px" if w == h else f"{name}: {w:.0f}×{h:.0f} px"
            axes.add_patch(Rectangle((centre - w / 2, centre - h / 2), w, h, label=label, **style))
        axes.set_title(f"{reach.name}, {reach.size}×{reach.size} cells", size=10)
        axes.set(xlim=(-115, 440), ylim=(440, -115), xticks=[0, 100, 200, 300], yticks=[])
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.07), frameon=False, fontsize=8)
        words.append(
            f"{reach.name}: the kernel covers {reach.kernel} pixels, a prior {wide:.0f}×{high:.0f};"
            f" it sees {reach.field}, and 90 % of the paths begin in the middle {middle}"
        )
    return Described(figure, f"Nested rectangles on an image, for three maps. {'; '.join(words)}.")


def draw_answers_of_a_cell(
    feature_sizes: Sequence[int], ratios: Sequence[Sequence[float]], n: int = 3, cell: int = 7
) -> Described:
    """Draw the channels that one cell of a map of offsets holds, and the rows that they become.

    Args:
        feature_sizes: cells along a side of each map.
        ratios: of the priors of each.
        n: which map.
        cell: which cell of it, counted row by row.
    """
    size, each = feature_sizes[n], len(ratios[n]) + 1
    before = sum(s**2 * (len(r) + 1) for s, r in zip(feature_sizes[:n], ratios, strict=False))
    figure = Picture(figsize=(10.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 3.4))
    for k in range(size**2):
        i, j = divmod(k, size)
        colour = SKY if k == cell else PAPER
        left.add_patch(Rectangle((j, i), 1, 1, fc=colour, ec=INK, lw=2 if k == cell else 0.6))
        left.text(j + 0.5, i + 0.5, str(k), ha="center", va="center", size=9)
    left.set(xlim=(-0.1, size + 0.1), ylim=(size + 0.1, -0.1), aspect="equal")
    left.set_title(f"{MAPS[n]}: {size}×{size} cells, row by row", size=10)
    left.axis("off")
    for p in range(each):
        for c, name in enumerate(("cx", "cy", "w", "h")):
            hatch = "" if p % 2 else "///"
            style = {"fc": COLOURS[p % 6], "alpha": 0.35, "ec": INK, "hatch": hatch, "lw": 0.6}
            right.add_patch(Rectangle((4 * p + c, 1), 1, 1, **style))
            badge = {"fc": "white", "ec": "none", "pad": 0.5}
            right.text(4 * p + c + 0.5, 1.5, name, ha="center", va="center", size=7, bbox=badge)
        row = before + cell * each + p
        right.annotate("", (4 * p + 2, 0.35), (4 * p + 2, 0.95), arrowprops={"arrowstyle": "-|>"})
        right.text(4 * p + 2, 0.2, f"row\n{row:,}", ha="center", va="top", size=9)
        right.text(4 * p + 2, 2.12, f"prior {p}", ha="center", size=9)
    right.set(xlim=(-0.2, 4 * each + 0.2), ylim=(-0.6, 2.6))
    right.set_title(
        f"the {4 * each} channels of cell {cell}, and their rows of the result", size=10
    )
    right.axis("off")
    first = before + cell * each
    return Described(
        figure,
        f"""On the left the {size}×{size} cells of {MAPS[n]}, numbered row by row; cell {cell} is
        marked. On the right its {4 * each} channels, four numbers for each of {each} priors; they
        become the rows {first:,} to {first + each - 1:,} of the result.""",
    )
