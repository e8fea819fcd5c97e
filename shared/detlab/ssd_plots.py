"""Pictures of a small SSD: its maps, rows and priors, and how these are matched (week 3).

None of them needs code of a student's. What a real network answers comes from a file, see
`detlab.ssd_answers`.
"""

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from detlab.detection_plots import ROOM, draw_detections, draw_matches, draw_priors, draw_scenes
from detlab.panels import HIT, TRUTH, TRUTH_STYLE, Label, outline, place_labels, show, write_table
from detlab.plotting import COLOURS, INK, LINE, PAPER, Picture
from detlab.scenes import load_scenes
from detlab.ssd_answers import load_ssd_answers

BLUE, VERMILION, GREEN, PINK, AMBER, SKY = COLOURS
SIZES = (16, 8, 4)  # cells along a side of the maps
PER_CELL, CLASSES = 4, 11
OF_PRIORS = (AMBER, SKY, GREEN, PINK)  # of the four of a cell
DASHES = ("-", (0, (5, 2)), (0, (1, 1)), (0, (5, 1, 1, 1)))
STEPS = (
    "two 3×3 conv.,\npooling,\ntwo 3×3 conv.",
    "pooling,\ntwo 3×3 conv.",
    "1×1 conv.,\n3×3 conv.\nof stride 2",
)
MATCHED = 3941  # a scene to train on; no prior has an IoU of 0.5 with its 1
SURE = 0.5


def draw_some_scenes(count: int = 6) -> Picture:
    """Draw ready-made scenes with their boxes and digits."""
    images, boxes, labels = (part[:count] for part in load_scenes("validation"))
    return draw_scenes(images, boxes, labels)


def draw_some_detections(count: int = 6) -> Picture:
    """Draw what the trained network finds in some scenes, where it is more than half sure."""
    images, boxes, labels = (part[:count] for part in load_scenes("validation"))
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, labels, strict=True)]
    return draw_detections(images, truths, survivors(load_ssd_answers().trained[:count], SURE))


def survivors(candidates: list[dict[str, Tensor]], least: float) -> list[dict[str, Tensor]]:
    """Suppress candidates, each class of each scene by itself, at an IoU of 0.45.

    Args:
        candidates: of `detlab.ssd_answers`.
        least: score, to be exceeded.
    """
    from torchvision.ops import batched_nms

    found = []
    for one in candidates:
        one = {name: values[one["scores"] > least] for name, values in one.items()}
        rows = batched_nms(one["boxes"], one["scores"], one["labels"], 0.45)
        found.append({name: values[rows] for name, values in one.items()})
    return found


def draw_some_priors(scene: int = 1) -> Picture:
    """Draw the priors of one cell of each map on a scene with an upright 1."""
    images, boxes, _ = load_scenes("validation")
    return draw_priors(images[scene], boxes[scene], load_ssd_answers().priors, SIZES)


def draw_detector(scene: int = 1) -> Picture:
    """Draw the image, the three maps, and the rows of answers that these give."""
    figure = Picture(figsize=(12.0, 4.6), layout="constrained")
    axes = figure.add_subplot()
    image = load_scenes("validation")[0][scene, 0].numpy()
    axes.imshow(image, cmap="gray", extent=(0, 32, -16, 16), aspect="auto", zorder=1)
    middle = {"ha": "center", "size": 9, "color": INK}
    axes.text(16, 16.8, "image, 1 × 32 × 32", va="bottom", **middle)
    x, rows, top = 32.0, 0, 16.0
    for k, (size, step) in enumerate(zip(SIZES, STEPS, strict=True)):
        _arrow(axes, (x + 0.6, 0), (x + 21.4, 0))
        axes.text(x + 11, 0.8, step, va="bottom", **middle)
        x += 22
        count = size * size * PER_CELL
        _cells(axes, x, size, OF_PRIORS[k])
        words = f"map {k + 1}\nC{'₁₂₃'[k]} × {size} × {size}"
        axes.text(x + size / 2, size / 2 + 0.8, words, va="bottom", **middle)
        _arrow(axes, (x + size / 2, -size / 2 - 0.5), (x + size / 2, -15))
        layers = "two 3×3 conv.:\noffsets, logits"
        axes.text(x + size / 2 + 1, -size / 4 - 7.75, layers, ha="left", va="center", size=8)
        words = f"{size}² cells · 4 priors\n= {count:,} rows"
        axes.text(x + size / 2, -15.6, words, va="top", **middle)
        bottom = top - (18, 8, 6)[k]
        for left, width, alpha in ((150, 9, 0.85), (160, 25, 0.5)):
            shape = Rectangle((left, bottom), width, top - bottom, fc=OF_PRIORS[k], ec=INK)
            shape.set_alpha(alpha)
            axes.add_patch(shape)
        names = f"rows {rows:,} to {rows + count - 1:,}"
        axes.text(172.5, (top + bottom) / 2, names, va="center", **middle)
        x, rows, top = x + size, rows + count, bottom
    axes.text(154.5, 16.8, "offsets\n4", va="bottom", **middle)
    axes.text(172.5, 16.8, "logits\n11", va="bottom", **middle)
    axes.text(167.5, top - 0.8, f"P = {rows:,} rows", va="top", weight="bold", **middle)
    axes.set(xlim=(-1, 187), ylim=(-23, 24), aspect="equal")
    axes.axis("off")
    figure.alt = (
        "An image of 32×32 becomes maps of 16×16, 8×8 and 4×4 cells. Each map goes through two 3×3 "
        "convolutions, for offsets and for logits. With four priors in a cell they give 1,024, 256 "
        f"and 64 rows, together {rows:,}, of 4 offsets and 11 logits each."
    )
    return figure


def _cells(axes: Axes, x: float, size: int, colour: str) -> None:
    """Draw a map of unit cells from x on, at mid-height 0."""
    axes.add_patch(Rectangle((x, -size / 2), size, size, fc=colour, alpha=0.45, ec="none"))
    for n in range(size + 1):
        line = {"color": INK, "lw": 0.5}
        axes.plot([x, x + size], [n - size / 2] * 2, **line)
        axes.plot([x + n] * 2, [-size / 2, size / 2], **line)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow."""
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": INK})


def draw_rows(scene: int = 1, row: int = 1, column: int = 2) -> Picture:
    """Draw one cell of the smallest map, its priors, and where its answers are in the result.

    Args:
        scene: of validation.
        row, column: of the cell.
    """
    from torchvision.ops import box_convert

    images, size = load_scenes("validation")[0], SIZES[-1]
    priors = load_ssd_answers().priors
    first = len(priors) + PER_CELL * (size * (row - size) + column)
    figure = Picture(figsize=(11.5, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 2.1))
    show(left, images[scene])
    for n in range(size + 1):
        left.plot([0, 1], [n / size] * 2, color=LINE, lw=0.6)
        left.plot([n / size] * 2, [0, 1], color=LINE, lw=0.6)
    cell = (column / size, row / size), 1 / size, 1 / size
    left.add_patch(Rectangle(*cell, fc=BLUE, ec="none", alpha=0.75))
    labels = []
    for k, box in enumerate(box_convert(priors[first : first + PER_CELL], "cxcywh", "xyxy")):
        outline(left, box, OF_PRIORS[k], width=2.2, style=DASHES[k])
        labels.append(Label(box, "abcd"[k], OF_PRIORS[k]))
    left.set(xlim=ROOM, ylim=ROOM[::-1])
    place_labels(left, labels, unit=2.2)
    left.set_title(f"cell in row {row}, column {column} of the 4×4 map", size=10)
    for k in range(PER_CELL):
        for n, (start, many) in enumerate(((7, 4), (13, CLASSES))):
            for m in range(many):
                box = Rectangle((start + m, -k - 1), 1, 0.8, fc=OF_PRIORS[k], ec=INK, lw=0.6)
                right.add_patch(box)
                word = ("cx", "cy", "w", "h")[m] if n == 0 else str(m - 1) if m else "∅"
                right.text(start + m + 0.5, -k - 0.6, word, ha="center", va="center", size=8)
        words = f"row {first + k:,}, prior {'abcd'[k]}"
        right.text(6.7, -k - 0.6, words, ha="right", va="center", size=10)
    right.text(9, 0.3, "offsets: 4 · 4 channels", ha="center", size=10)
    right.text(18.5, 0.3, "logits: 4 · 11 channels", ha="center", size=10)
    before, after = f"… rows {first - 4:,} to {first - 1:,}: the cell to the left", first + PER_CELL
    right.text(7, 1.4, before, size=9, color=INK)
    right.text(7, -4.7, f"… rows {after:,} to {after + 3:,}: the cell to the right", size=9)
    right.set(xlim=(0, 25), ylim=(-5.5, 2.2))
    right.axis("off")
    figure.alt = (
        f"The cell in row {row}, column {column} of the 4×4 map has four priors, a to d. Its 16 "
        f"channels of offsets and 44 of logits become rows {first:,} to {first + 3:,}: one row a "
        "prior, with its own 4 offsets and its own 11 logits."
    )
    return figure


def chosen_priors() -> tuple[list[int], Tensor]:
    """Choose seven priors for the matching by hand.

    Returns:
        Their indices; (7, n) float32, the IoU of each with each object of the scene.
    """
    from torchvision.ops import box_convert, box_iou

    boxes = load_scenes("train")[1][MATCHED]
    ious = box_iou(box_convert(load_ssd_answers().priors, "cxcywh", "xyxy"), boxes)
    most, owner = ious.max(1)
    chosen = [int(ious[:, n].argmax()) for n in range(len(boxes))]
    # Of the first object and of the last one, near and less near; and one that meets nothing.
    for n, wanted in ((0, 0.55), (0, 0.42), (len(boxes) - 1, 0.6), (len(boxes) - 1, 0.1)):
        gap = (most - wanted).abs().masked_fill(owner != n, 1)
        gap[chosen] = 1
        chosen.append(int(gap.argmin()))
    chosen.sort()
    return chosen, ious[chosen]


def draw_matching() -> Picture:
    """Draw seven priors on a scene of three digits, and a table that matches them in two steps."""
    from torchvision.ops import box_convert

    images, boxes, labels = (part[MATCHED] for part in load_scenes("train"))
    chosen, ious = chosen_priors()
    digits = [str(label - 1) for label in labels.tolist()]
    priors = box_convert(load_ssd_answers().priors[chosen], "cxcywh", "xyxy")
    claims = {int(ious[:, n].argmax()): n for n in range(len(digits))}
    figure = Picture(figsize=(11.5, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.55))
    show(left, images)
    for box in boxes:
        outline(left, box, TRUTH, width=2, style=TRUTH_STYLE)
    head = ["prior", *(f"IoU with\nthe {digit}" for digit in digits)]
    rows = [[*head, "step 1:\nat least 0.5?", "step 2:\nclaimed by", "it is"]]
    colours = [[PAPER] * len(rows[0])]
    for k, of_prior in enumerate(ious):
        best = int(of_prior.argmax())
        near = float(of_prior[best]) >= 0.5
        owner = claims.get(k, best if near else None)
        own = "background" if owner is None else f"a {digits[owner]}, class {labels[owner]}"
        claimed = f"the {digits[claims[k]]}" if k in claims else "nobody"
        verdict = f"the {digits[best]}" if near else f"no ({of_prior[best]:.2f})"
        rows.append(["ABCDEFG"[k], *(f"{x:.2f}" for x in of_prior.tolist()), verdict, claimed, own])
        ground = "#BFE5D9" if owner is not None else "white"
        cells = ["#FBE3B9" if n == best else "white" for n in range(len(digits))]
        step1, step2 = ("#FBE3B9" if near else "white"), ("#FBE3B9" if k in claims else "white")
        colours.append([OF_MATCHING[k], *cells, step1, step2, ground])
    drawn = [Label(box, "ABCDEFG"[k], OF_MATCHING[k]) for k, box in enumerate(priors)]
    for k, label in enumerate(drawn):
        outline(left, label.box, label.colour, width=1.8, style=DASHES[k % len(DASHES)])
    left.set(xlim=ROOM, ylim=ROOM[::-1])
    place_labels(left, drawn, unit=2.6)
    write_table(right, rows, colours)
    told = [f"{row[0]} is {row[-1]}" for row in rows[1:]]
    figure.alt = (
        f"Three digits, {', '.join(digits)}, and seven priors with a table of their IoU. "
        f"{'; '.join(told)}."
    )
    return figure


OF_MATCHING = (*COLOURS, "#F0E442")


def draw_all_matches() -> Picture:
    """Draw all priors that answer for the digits of the scene that is matched by hand."""
    from detlab.fast.loss import match_batch

    image, boxes, labels = (part[MATCHED] for part in load_scenes("train"))
    priors = load_ssd_answers().priors
    classes, objects = match_batch(boxes[None], [boxes], [labels], priors, 0.5)
    return draw_matches(image, boxes, labels, priors, classes[0], objects[0])


def draw_shares() -> Picture:
    """Draw which share of the confidence loss positives and negatives carry, and of how many.

    Returns:
        The Picture: with all negatives and with the hardest three for each positive, of a fresh
        network on the left, of a trained one on the right.
    """
    answers = load_ssd_answers()
    figure = Picture(figsize=(10.5, 3.7), layout="constrained")
    told = []
    for axes, entropies, title in zip(
        figure.subplots(1, 2, sharey=True),
        (answers.fresh_entropies, answers.entropies),
        ("a fresh network", "a trained network"),
        strict=True,
    ):
        parts = parts_of(entropies, answers.classes)
        kinds = {"positives": ("", HIT), "hard negatives": ("///", AMBER),
                 "other negatives": ("..", SKY)}  # fmt: skip
        for n, names in enumerate((list(kinds), list(kinds)[:2])):
            total, start = sum(float(parts[name].sum()) for name in names), 0.0
            for name in names:
                hatch, colour = kinds[name]
                share = float(parts[name].sum()) / total
                label = f"{name} ({len(parts[name]):,})" if n == 0 else None
                bar = {"color": colour, "hatch": hatch, "edgecolor": "white", "label": label}
                axes.barh(n, share, left=start, height=0.62, **bar)
                place = start + share / 2
                if share <= 0.06:  # too narrow for its number, which goes above
                    axes.text(max(place, 0.035), n - 0.34, f"{share:.0%}", ha="center", va="bottom")
                else:
                    ground = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
                    axes.text(place, n, f"{share:.0%}", ha="center", va="center", bbox=ground)
                told.append(f"{title}, {('all', 'mined')[n]}: {name} {share:.0%}")
                start += share
        axes.set(title=title, xlabel="share of the confidence loss", xlim=(0, 1), ylim=(1.5, -0.5))
        axes.set_yticks([0, 1], ["all negatives", "three hardest\nfor each positive"])
        axes.spines[["top", "right"]].set_visible(False)
    handles = figure.axes[0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, frameon=False, fontsize=9)
    figure.alt = "Shares of the confidence loss: " + "; ".join(told) + "."
    return figure


def parts_of(entropies: Tensor, classes: Tensor) -> dict[str, Tensor]:
    """Sort what priors cost by their part in the loss.

    Args:
        entropies: (N, P) float.
        classes: (N, P) int64, 0 for the background.
    """
    positives, hard, others = [], [], []
    for of_image, names in zip(entropies, classes, strict=True):
        rest = of_image[names == 0].sort(descending=True).values
        own = of_image[names > 0]
        positives.append(own)
        hard.append(rest[: 3 * len(own)])
        others.append(rest[3 * len(own) :])
    return {
        "positives": torch.cat(positives),
        "hard negatives": torch.cat(hard),
        "other negatives": torch.cat(others),
    }
