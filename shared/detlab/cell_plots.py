"""Pictures of what week 4 trains on and of the loss that it trains with.

None of them needs code of a student's. Blood cells are drawn afresh where their set lies on the
machine; elsewhere a picture is shown that `data/make_bccd.py` has drawn of it.
"""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image
from torch import Tensor

from detlab.digits import read_checked
from detlab.fast.loss import multibox_terms
from detlab.picture import Described
from detlab.plotting import COLOURS, INK, LINE, Picture
from detlab.sets import voc

KINDS = ("red cells", "white cells", "platelets")
STYLES = ((COLOURS[1], "-"), (COLOURS[0], "--"), (COLOURS[4], ":"))
SIDE = 300
KEPT = Path(__file__).with_name("data") / "bccd.jpg"
KEPT_SHA256 = "d277010f2602d9bbcd77236e834855dff9f42642313edd30bf876eb4b3204ce6"


def draw_cells(scales: Sequence[float]) -> Described:
    """Draw blood cells: images with their boxes, one cell of each kind, and how large all are.

    Args:
        scales: of the priors of all maps, fractions of the image.

    Returns:
        Where the set is not on this machine, the picture that is kept of it, and a line on how to
        get the set.
    """
    try:
        folder, names = voc.locate("bccd")
    except FileNotFoundError:
        return _kept()
    boxes, sides = _boxes_of(folder, tuple(names))
    figure = Picture(figsize=(11.0, 6.8), layout="constrained")
    grid = figure.add_gridspec(2, 12, height_ratios=(1, 0.95))
    every = [stem for stem, of in boxes.items() if all(map(len, of))]
    for n, stem in enumerate(every[:: len(every) // 3][:3]):
        axes = figure.add_subplot(grid[0, 4 * n : 4 * n + 4])
        _show(axes, folder, stem)
        for kind, of_image in enumerate(boxes[stem]):
            for box in of_image:
                _frame(axes, box, *STYLES[kind])
        counts = ", ".join(
            f"{len(of)} {words if len(of) > 1 else words[:-1]}"
            for of, words in zip(boxes[stem], KINDS, strict=True)
            if len(of)
        )
        axes.set_title(f"{stem}:\n{counts}", size=9)
    for kind, words in enumerate(KINDS):
        axes = figure.add_subplot(grid[1, 2 * kind : 2 * kind + 2])
        stem, box = _median_of(boxes, kind)
        _show(axes, folder, stem)
        _frame(axes, box, *STYLES[kind])
        x, y = ((box[:2] + box[2:]) / 2).tolist()
        axes.set(xlim=(x - 110, x + 110), ylim=(y + 110, y - 110))
        axes.set_title(words, size=10)
    axes = figure.add_subplot(grid[1, 7:])
    said = _draw_sizes(axes, boxes, sides, scales)
    return Described(
        figure,
        f"""Three images of blood with their boxes: red cells solid, white cells dashed, platelets
        dotted. Below one cell of each kind, and how large all of them are at 300×300 pixels:
        {said}. Vertical lines mark the scales of the priors.""",
    )


def _draw_sizes(
    axes: Axes, boxes: dict[str, list[Tensor]], sides: tuple[int, int], scales: Sequence[float]
) -> str:
    """Draw a histogram of the objects' sizes; say how many there are, and their medians."""
    said = []
    unit = SIDE / (sides[0] * sides[1]) ** 0.5
    for kind, (words, (colour, style)) in enumerate(zip(KINDS, STYLES, strict=True)):
        mine = torch.cat([of[kind] for of in boxes.values()])
        size = unit * ((mine[:, 2] - mine[:, 0]) * (mine[:, 3] - mine[:, 1])).sqrt()
        median = float(size.median())
        label = f"{len(mine):,} {words}, median {median:.0f} px"
        axes.hist(
            size.numpy(), range(0, 200, 5), density=True, histtype="step", color=colour,
            ls=style, lw=2, label=label,
        )  # fmt: skip
        said.append(label)
    for n, scale in enumerate(scales):
        if scale * SIDE < 200:
            label = "scales of the priors" if n == 0 else None
            axes.axvline(scale * SIDE, color=LINE, lw=1.2, label=label, zorder=0)
    axes.set(xlabel="root of the box's area, pixels at 300×300", yticks=[], xlim=(0, 200))
    axes.set_ylabel("share of its kind")
    axes.legend(facecolor="white", edgecolor="none", framealpha=1, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return "; ".join(said)


@cache
def _boxes_of(
    folder: object, names: tuple[str, ...]
) -> tuple[dict[str, list[Tensor]], tuple[int, int]]:
    """Return for each image of `trainval` the boxes of each kind, pixels, and an image's size."""
    import warnings

    place = Path(str(folder))
    label_map = voc.make_label_map(names)
    stems = voc.read_split(place, "trainval")
    sides = voc.size_of(place / "JPEGImages" / f"{stems[0]}.jpg")
    boxes = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two boxes of a single pixel
        for stem in stems:
            one = voc.read_annotation(place / "Annotations" / f"{stem}.xml", sides, label_map)
            boxes[stem] = [one["boxes"][one["labels"] == k] for k in range(1, len(names) + 1)]
    return boxes, sides


def _median_of(boxes: dict[str, list[Tensor]], kind: int) -> tuple[str, Tensor]:
    """Return the cell of a kind, well inside its image, whose size is the median."""
    inner = [
        (float((b[2] - b[0]) * (b[3] - b[1])), stem, b)
        for stem, of in boxes.items()
        for b in of[kind]
        if b[:2].min() > 90 and b[2] < 550 and b[3] < 390 and _is_square(b)
    ]
    inner.sort(key=lambda row: row[0])
    _, stem, box = inner[len(inner) // 2]
    return stem, box


def _is_square(box: Tensor) -> bool:
    """Say whether a box is about as wide as high."""
    return 0.9 < float((box[2] - box[0]) / (box[3] - box[1])) < 1.1


def _show(axes: Axes, folder: object, stem: str) -> None:
    """Show an image of the set."""
    with Image.open(f"{folder}/JPEGImages/{stem}.jpg") as picture:
        axes.imshow(picture.convert("RGB"))
    axes.axis("off")


def _frame(axes: Axes, box: Tensor, colour: str, style: str) -> None:
    """Outline a box, `xyxy` in pixels, on a white line that sets it off."""
    x, y, right, bottom = box.tolist()
    for line, wide, ink in (("-", 3.2, "white"), (style, 1.8, colour)):
        outline = {"fill": False, "ls": line, "lw": wide, "ec": ink}
        axes.add_patch(Rectangle((x, y), right - x, bottom - y, **outline))


def _kept() -> Described:
    """Show the picture that is kept, and say how to get the set."""
    picture = Image.open(io.BytesIO(read_checked(KEPT, KEPT_SHA256)))
    print(
        "BCCD is not on this machine (`detlab data bccd` fetches it): a picture that comes along."
    )
    return Described(picture, picture.info["comment"].decode("utf-8"))


def fresh_terms(classes: int) -> dict[str, float]:
    """Compute the loss of a network that has learned nothing, on some of the course's scenes.

    Its offsets and logits are all 0: each box is its prior, and all classes are equally likely.

    Args:
        classes: how many, the background among them.

    Returns:
        "localization", the mean over positives and their four numbers, and "confidence".
    """
    label_map = voc.make_label_map(voc.DIGIT_CLASSES)
    boxes, labels = [], []
    for stem in voc.read_split(voc.DIGITS, "train"):
        annotation = voc.DIGITS / "Annotations" / f"{stem}.xml"
        one = voc.read_annotation(annotation, (SIDE, SIDE), label_map)
        boxes.append(one["boxes"] / SIDE)
        labels.append(one["labels"].clamp(max=classes - 1))
    priors = _priors()
    shape = len(boxes), len(priors)
    terms = multibox_terms(
        torch.zeros(*shape, 4), torch.zeros(*shape, classes), boxes, labels, priors
    )
    return {name: float(term) for name, term in terms.items()}


@cache
def _priors() -> Tensor:
    """Return torchvision's priors at this week's scales: (8732, 4) float32, `cxcywh`."""
    from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
    from torchvision.models.detection.image_list import ImageList
    from torchvision.ops import box_convert

    maker = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=[0.1, 0.2, 0.375, 0.55, 0.725, 0.9, 1.0]
    )
    maps = [torch.zeros(1, 1, f, f) for f in (38, 19, 10, 5, 3, 1)]
    (boxes,) = maker(ImageList(torch.zeros(1, 3, SIDE, SIDE), [(SIDE, SIDE)]), maps)
    return box_convert(boxes / SIDE, "xyxy", "cxcywh")


def draw_alpha(classes: int = 11) -> Described:
    """Draw what each term contributes if all answers are 0, as a mean and as a sum."""
    terms = fresh_terms(classes)
    rows = {
        "mean, α = 1": 1.0,
        "sum, α = 1 (the paper)\n= mean, α = 4": 4.0,
    }
    figure = Picture(figsize=(8.6, 2.7), layout="constrained")
    axes = figure.add_subplot()
    said = []
    for n, (name, factor) in enumerate(rows.items()):
        local, whole = factor * terms["localization"], 0.0
        whole = local + terms["confidence"]
        axes.barh(n, terms["confidence"], 0.55, color=COLOURS[5], ec=INK, lw=0.6)
        axes.barh(
            n, local, 0.55, terms["confidence"], color=COLOURS[4], hatch="///", ec=INK, lw=0.6
        )
        axes.text(
            terms["confidence"] / 2, n, f"{terms['confidence']:.2f}", ha="center", va="center"
        )
        text = f"{local:.2f}, {local / whole:.0%} of the loss"
        axes.text(whole + 0.15, n, text, va="center")
        said.append(f"{name}: localization {text}")
    axes.set_yticks(range(2), rows)
    axes.set(
        xlabel=f"loss, if all logits and offsets were 0 ({classes} classes)",
        xlim=(0, 1.45 * whole),
        ylim=(1.5, -0.5),
    )
    handles = [
        Rectangle((0, 0), 1, 1, fc=c, hatch=h, ec=INK, lw=0.6)
        for c, h in ((COLOURS[5], ""), (COLOURS[4], "///"))
    ]
    axes.legend(
        handles, ["confidence", "localization"], frameon=False, ncols=2,
        loc="lower center", bbox_to_anchor=(0.4, 1.0),
    )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    words = "; ".join(said).replace("\n", " ")
    return Described(
        figure, f"Two stacked bars of the loss's two terms, for answers of 0. {words}."
    )
