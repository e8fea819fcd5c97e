"""Pictures about boxes: their two forms, how they overlap, and offsets from priors (week 3).

None of them needs code of a student's; what they show of a scene is computed from it.
"""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from detlab.detection_plots import ROOM
from detlab.panels import grid_of, outline, show
from detlab.plotting import COLOURS, INK, Picture
from detlab.scenes import load_scenes
from detlab.ssd_answers import load_ssd_answers

BLUE, VERMILION, GREEN, PINK, AMBER, SKY = COLOURS
DASHED = (0, (5, 2))
BADGE = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
MOVE = (2.5, -2.5, 1.0, 2.0)  # offsets, to be applied
# Two boxes each, `xyxy`: from the same box twice to boxes that are apart in x and in y.
PAIRS = {
    "the same box": ((0.2, 0.2, 0.7, 0.8), (0.2, 0.2, 0.7, 0.8)),
    "moved by a fifth": ((0.15, 0.2, 0.65, 0.8), (0.25, 0.2, 0.75, 0.8)),
    "one in the other": ((0.1, 0.1, 0.9, 0.9), (0.3, 0.2, 0.8, 0.8)),
    "a corner": ((0.1, 0.1, 0.6, 0.6), (0.35, 0.35, 0.9, 0.9)),
    "only touching": ((0.1, 0.2, 0.5, 0.8), (0.5, 0.2, 0.9, 0.8)),
    "apart in x and in y": ((0.05, 0.05, 0.4, 0.45), (0.6, 0.6, 0.95, 0.9)),
}


def draw_forms(scene: int = 155, place: int = 1) -> Picture:
    """Draw one box of a scene in both forms, with its numbers.

    Args:
        scene: of validation.
        place: of the box in it.
    """
    from torchvision.ops import box_convert

    images, boxes, _ = load_scenes("validation")
    box = boxes[scene][place]
    x_min, y_min, x_max, y_max = box.tolist()
    c_x, c_y, w, h = box_convert(box, "xyxy", "cxcywh").tolist()
    figure, (left, right) = grid_of(2, 2, size=4.2)
    for axes, colour in ((left, AMBER), (right, SKY)):
        show(axes, images[scene])
        outline(axes, box, colour, width=2.5)
        axes.set(xticks=[0, 0.25, 0.5, 0.75, 1], yticks=[0, 0.25, 0.5, 0.75, 1])
        axes.axis("on")
        axes.set(xlabel="x, to the right", ylabel="y, downwards")
    for x, y, words, va in (
        (x_min, y_min, f"({x_min:.3f}, {y_min:.3f})", "bottom"),
        (x_max, y_max, f"({x_max:.3f}, {y_max:.3f})", "top"),
    ):
        left.plot(x, y, "o", color=AMBER, markersize=8)
        down = 0.04 if va == "top" else -0.04
        left.text(x, y + down, words, ha="right", va=va, size=9, bbox=BADGE, color=INK)
    left.set_title("xyxy: two corners, to intersect", size=11)
    right.plot(c_x, c_y, "+", color=SKY, markersize=14, mew=2.5)
    where = f"({c_x:.3f}, {c_y:.3f})"
    right.text(c_x, c_y + 0.04, where, ha="center", va="top", size=9, bbox=BADGE, color=INK)
    _measure(right, (x_min, y_max + 0.06), (x_max, y_max + 0.06), f"w = {w:.3f}")
    _measure(right, (x_min - 0.06, y_min), (x_min - 0.06, y_max), f"h = {h:.3f}")
    right.set_title("cxcywh: centre and size, to shift and scale", size=11)
    figure.alt = (
        f"One box about a digit, twice. As xyxy its corners are ({x_min:.3f}, {y_min:.3f}) and "
        f"({x_max:.3f}, {y_max:.3f}); as cxcywh its centre is {where}, w {w:.3f}, h {h:.3f}."
    )
    return figure


def draw_overlaps() -> Picture:
    """Draw pairs of boxes with what they share hatched, and their IoU as areas."""
    from torchvision.ops import box_area, box_iou

    figure, grid = grid_of(len(PAIRS), 6, size=2.15)
    told = []
    for axes, (title, pair) in zip(grid, PAIRS.items(), strict=True):
        first, second = torch.tensor(pair)
        iou = float(box_iou(first[None], second[None]))
        both = float(box_area(torch.stack([first, second])).sum())
        shared = iou * both / (1 + iou)
        for box in (first, second):
            corner, sides = box[:2].tolist(), (box[2:] - box[:2]).tolist()
            axes.add_patch(Rectangle(corner, *sides, fc="#DCE9F2", ec="none"))
        _hatch_common(axes, first, second, shared)
        outline(axes, first, BLUE, width=2)
        outline(axes, second, VERMILION, width=2, style=DASHED)
        axes.set(xlim=(0, 1), ylim=(1, 0), aspect="equal")
        words = f"{title}\n{shared:.2f} / {both - shared:.2f} = {iou:.2f}"
        axes.set_title(words, size=9)
        told.append(f"{title}: {shared:.2f} / {both - shared:.2f} = {iou:.2f}")
    figure.alt = "Shared area over covered area of two boxes, the IoU. " + "; ".join(told) + "."
    return figure


def _hatch_common(axes: Axes, first: Tensor, second: Tensor, shared: float) -> None:
    """Hatch what two boxes share: the one, cut to the other's outline."""
    if not shared:
        return
    inside, hatched = (
        Rectangle(box[:2].tolist(), *(box[2:] - box[:2]).tolist()) for box in (first, second)
    )
    inside.set_transform(axes.transData)
    hatched.set(facecolor=AMBER, edgecolor=INK, hatch="///", linewidth=0)
    axes.add_patch(hatched)
    hatched.set_clip_path(inside)


def draw_offsets(scene: int = 8, place: int = 0) -> Picture:
    """Draw a box as two of its priors see it, and one set of offsets applied to two priors.

    Args:
        scene: of validation.
        place: of the box in it.
    """
    from torchvision.ops import box_convert, box_iou

    from detlab.fast.detection import decode
    from detlab.fast.loss import encode

    images, boxes, _ = load_scenes("validation")
    box, priors = boxes[scene][place], load_ssd_answers().priors
    ious = box_iou(box[None], box_convert(priors, "cxcywh", "xyxy"))[0]
    far = int((ious >= 0.5).nonzero()[ious[ious >= 0.5].argmin()])
    figure, grid = grid_of(4, 4, size=2.9)
    told = []
    for axes, n in zip(grid, (int(ious.argmax()), far), strict=False):
        g = encode(box[None], priors[n : n + 1])[0]
        _draw_move(axes, images[scene], priors[n], box)
        words = f"IoU {float(ious[n]):.2f}, needs offsets\n{_listed(g)}"
        axes.set_title(words, size=9)
        told.append(words.replace("\n", " "))
    for axes, prior in zip(grid[2:], (priors[-64 - 4 * 22], priors[-28]), strict=True):
        moved = decode(torch.tensor([MOVE]), prior[None])[0]
        _draw_move(axes, torch.zeros(1, 32, 32), prior, moved)
        shift = ((moved[:2] + moved[2:]) / 2 - prior[:2]) * 32
        pixels = ", ".join(f"{x:+.1f}" for x in shift.tolist())
        axes.set_title(f"prior of side {float(prior[2]):.2f}, moved by\n({pixels}) pixels", size=9)
        told.append(
            f"offsets {_listed(MOVE)} move a prior of side {float(prior[2]):.2f} by "
            f"({pixels}) pixels"
        )
    units = (
        "offsets (cx, cy, w, h): the first two in tenths of the prior's width and height, the last "
        "two in fifths of a natural logarithm"
    )
    figure.supxlabel(units, size=9)
    figure.alt = "Priors, dashed, and the boxes that offsets lead to, solid. " + "; ".join(told)
    figure.alt += f". {units.capitalize()}."
    return figure


def _listed(offsets: Sequence[float] | Tensor) -> str:
    """Write four offsets with their signs."""
    return "(" + ", ".join(f"{float(x):+.2f}" for x in offsets) + ")"


def _draw_move(axes: Axes, image: Tensor, prior: Tensor, box: Tensor) -> None:
    """Draw a prior, `cxcywh`, a box, `xyxy`, and an arrow from centre to centre."""
    from torchvision.ops import box_convert

    show(axes, image)
    axes.set(xlim=ROOM, ylim=ROOM[::-1])
    outline(axes, box_convert(prior, "cxcywh", "xyxy"), AMBER, width=2.2, style=DASHED)
    outline(axes, box, SKY, width=2.2)
    centre = ((box[:2] + box[2:]) / 2).tolist()
    axes.plot(*prior[:2].tolist(), "s", color=AMBER, markersize=5)
    arrow = {"arrowstyle": "-|>", "color": "white", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=centre, xytext=prior[:2].tolist(), arrowprops=arrow)


def draw_spread() -> Picture:
    """Draw how offsets are spread over the positive priors, without and with the variances."""
    plain, scaled = offsets_of_positives()
    figure = Picture(figsize=(9.0, 3.2), layout="constrained")
    told = []
    for axes, values, title in zip(
        figure.subplots(1, 2, sharey=True),
        (plain, scaled),
        ("in units of the prior, and plain logarithms", "divided by 0.1 and 0.2"),
        strict=True,
    ):
        for k, (columns, name, style) in enumerate(
            (([0, 1], "centres", "-"), ([2, 3], "sizes", "--"))
        ):
            part = values[:, columns].flatten()
            words = f"{name}: deviation {float(part.std()):.2f}"
            options = {"histtype": "step", "lw": 1.8, "color": (BLUE, VERMILION)[k], "ls": style}
            axes.hist(part.tolist(), bins=41, range=(-5, 5), label=words, **options)
            told.append(f"{title}, {words}")
        axes.set(title=title, xlabel="offset", xlim=(-5, 5))
        axes.title.set_size(10)
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("offsets of positive priors")
    figure.alt = "Histograms of offsets: " + "; ".join(told) + "."
    return figure


def offsets_of_positives() -> tuple[Tensor, Tensor]:
    """Return the (n, 4) offsets of the positive priors of 32 scenes, without and with variances."""
    from detlab.fast.loss import CENTRE_VARIANCE, SIZE_VARIANCE, encode

    answers = load_ssd_answers()
    boxes = load_scenes("validation")[1]
    rows: Sequence[Tensor] = [
        encode(of_image[objects[classes > 0]], answers.priors[classes > 0])
        for of_image, classes, objects in zip(boxes, answers.classes, answers.objects, strict=False)
        if len(of_image)
    ]
    scaled = torch.cat(list(rows))
    return scaled * torch.tensor([CENTRE_VARIANCE] * 2 + [SIZE_VARIANCE] * 2), scaled


def _measure(axes: Axes, start: tuple[float, float], end: tuple[float, float], words: str) -> None:
    """Draw a line with two heads, and its length in words."""
    arrow = {"arrowstyle": "<|-|>", "color": SKY, "lw": 1.5, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops=arrow)
    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
    upright = start[0] == end[0]
    place = {"ha": "right", "va": "center"} if upright else {"ha": "center", "va": "top"}
    shift = (-0.02, 0) if upright else (0, 0.02)
    axes.text(middle[0] + shift[0], middle[1] + shift[1], words, size=9, bbox=BADGE, **place)
