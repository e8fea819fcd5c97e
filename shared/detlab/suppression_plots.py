"""Pictures of candidates, suppression and thresholds, none of which needs code of a student's.

What a real network answers comes from a file: an SSD300 that has learned three scenes for 45 steps,
long enough to find their digits and too short to be sure of them (see `data/README.md`).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image
from torch import Tensor

from detlab.detection_plots import STYLES
from detlab.digits import read_arrays
from detlab.imagenet import IMAGENET_MEAN, IMAGENET_STD
from detlab.panels import (
    FALSE_POSITIVE,
    FALSE_POSITIVE_STYLE,
    HIT,
    HIT_STYLE,
    TRUTH,
    TRUTH_STYLE,
    Style,
    add_key,
)
from detlab.picture import Described
from detlab.plotting import COLOURS, INK, Picture
from detlab.sets import voc

ANSWERS = Path(__file__).with_name("data") / "ssd300.npz"
ANSWERS_SHA256 = "d250f833fd7bb451e3493a6118eec32836758223d31a8201b197cbe8303f54ee"
SCENES = ("000001", "000002", "000003")
LEAST = 0.05  # the score that the candidates of the file exceed
Found = dict[str, Tensor]
KEPT: tuple[str, Style] = COLOURS[0], "-"
DROPPED: tuple[str, Style] = COLOURS[4], FALSE_POSITIVE_STYLE


def load_candidates() -> list[Found]:
    """Load what the network answers for SCENES, before any suppression.

    Returns:
        For each scene "boxes" (n, 4) float32 `xyxy` in fractions, "labels" (n,) int64, "scores"
        (n,) float32, by falling score.

    Raises:
        DataError: the file is missing or damaged.
    """
    parts = read_arrays(ANSWERS, ANSWERS_SHA256)
    counts = parts["counts"].tolist()
    columns = (
        parts["boxes"].float().split(counts),
        parts["labels"].long().split(counts),
        parts["scores"].float().split(counts),
    )
    return [{"boxes": b, "labels": c, "scores": s} for b, c, s in zip(*columns, strict=True)]


@cache
def load_scenes() -> list[tuple[Tensor, Found]]:
    """Return the scenes: (3, 300, 300) float32, with "boxes" in fractions and "labels"."""
    from torchvision.transforms.functional import to_tensor

    scenes = []
    label_map = voc.make_label_map(voc.DIGIT_CLASSES)
    for stem in SCENES:
        with Image.open(voc.DIGITS / "JPEGImages" / f"{stem}.jpg") as picture:
            image = to_tensor(picture.convert("RGB"))
        sides = image.shape[2], image.shape[1]
        truth = voc.read_annotation(voc.DIGITS / "Annotations" / f"{stem}.xml", sides, label_map)
        scenes.append((image, truth | {"boxes": truth["boxes"] / torch.tensor([*sides, *sides])}))
    return scenes


def thin_out(candidates: Found, min_score: float, iou_threshold: float) -> Found:
    """Keep the candidates whose score exceeds one threshold, and suppress them by the other."""
    from torchvision.ops import batched_nms

    sure = {name: values[candidates["scores"] > min_score] for name, values in candidates.items()}
    kept = batched_nms(sure["boxes"], sure["scores"], sure["labels"], iou_threshold)
    return {name: values[kept] for name, values in sure.items()}


def draw_chain(
    scene: int = 0, label: int = 6, shown: int = 12, iou_threshold: float = 0.45
) -> Described:
    """Draw the best candidates of one class, and how they are suppressed one after the other.

    Args:
        scene: which of the scenes.
        label: which class.
        shown: candidates.
        iou_threshold: a candidate that overlaps a kept one more than this goes.
    """
    from torchvision.ops import box_iou

    image, truth = load_scenes()[scene]
    found = load_candidates()[scene]
    mine = {name: values[found["labels"] == label][:shown] for name, values in found.items()}
    overlaps = box_iou(mine["boxes"], mine["boxes"])
    keepers: list[int] = []
    fates = []
    for n in range(len(mine["scores"])):
        over = [k for k in keepers if float(overlaps[n, k]) > iou_threshold]
        fates.append(over[0] if over else None)
        keepers += [] if over else [n]
    figure = Picture(figsize=(10.5, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.5))
    _show(left, image)
    for n in reversed(range(len(fates))):
        colour, style = KEPT if fates[n] is None else DROPPED
        _frame(left, mine["boxes"][n], colour, style, 2)
    for box in truth["boxes"]:
        _frame(left, box, TRUTH, TRUTH_STYLE, 1.6)
    left.set_title(f"the {shown} best candidates for the digit {label - 1}", size=10)
    lines = []
    for n, (score, fate) in enumerate(zip(mine["scores"].tolist(), fates, strict=True)):
        colour, hatch = (KEPT[0], "") if fate is None else (DROPPED[0], "///")
        right.barh(n, score, color=colour, hatch=hatch, ec=INK, lw=0.6)
        text = (
            "kept" if fate is None else f"IoU with #{fate + 1} is {overlaps[n, fate]:.2f}: dropped"
        )
        right.text(score + 0.01, n, text, va="center", size=9)
        lines.append(f"#{n + 1}, score {score:.2f}, {text}")
    right.set_yticks(range(len(fates)), [f"#{n + 1}" for n in range(len(fates))])
    right.invert_yaxis()
    right.set(xlabel="score", ylabel="candidate, by falling score", xlim=(0, 1))
    right.spines[["top", "right"]].set_visible(False)
    add_key(figure, {"truth": STYLES["truth"], "kept": KEPT, "dropped": DROPPED})
    return Described(
        figure,
        f"""On the left the {shown} best boxes for one class on a scene; on the right their scores
        and what becomes of each: {"; ".join(lines)}.""",
    )


def draw_choices(
    scene: int = 0,
    scores: Sequence[float] = (0.1, 0.2, 0.5),
    thresholds: Sequence[float] = (1.0, 0.45, 0.1),
) -> Described:
    """Draw what is left of a scene's candidates under several thresholds.

    Args:
        scene: which of the scenes.
        scores: least scores, a row for each.
        thresholds: of the suppression, a column for each; 1 suppresses nothing.
    """
    image, truth = load_scenes()[scene]
    candidates = load_candidates()[scene]
    figure = Picture(figsize=(10.2, 3.55 * len(scores)), layout="constrained")
    words = []
    grid = figure.subplots(len(scores), len(thresholds), squeeze=False)
    for line, least in zip(grid, scores, strict=True):
        for axes, most in zip(line, thresholds, strict=True):
            found = thin_out(candidates, least, most)
            hits = draw_found(axes, image, truth, found, voc.DIGIT_CLASSES)
            said = f"{hits} of {len(truth['labels'])} found, {len(found['labels']) - hits} false"
            rule = f"suppressed over {most:g}" if most < 1 else "no suppression"
            axes.set_title(f"score > {least:g}, {rule}\n{said}", size=10)
            words.append(f"score over {least:g}, {rule}: {said}")
    add_key(figure, STYLES)
    return Described(figure, f"A scene under several thresholds. {'; '.join(words)}.")


def draw_choice(min_score: float, iou_threshold: float) -> Described:
    """Draw what is left on all scenes under two thresholds of the reader's.

    Args:
        min_score: from 0.05, below which nothing is in the file, to 1.
        iou_threshold: of the suppression, 0 to 1.
    """
    figure = Picture(figsize=(10.2, 3.9), layout="constrained")
    hits, false, objects = 0, 0, 0
    for axes, (image, truth), candidates in zip(
        figure.subplots(1, len(SCENES)), load_scenes(), load_candidates(), strict=True
    ):
        found = thin_out(candidates, min_score, iou_threshold)
        right = draw_found(axes, image, truth, found, voc.DIGIT_CLASSES)
        wrong = len(found["labels"]) - right
        axes.set_title(f"{right} of {len(truth['labels'])} found, {wrong} false", size=10)
        hits, false, objects = hits + right, false + wrong, objects + len(truth["labels"])
    share = hits / max(hits + false, 1)
    said = f"precision {share:.2f}, recall {hits / objects:.2f}"
    figure.suptitle(f"score > {min_score:g}, suppressed over {iou_threshold:g}: {said}", size=11)
    add_key(figure, STYLES)
    return Described(
        figure,
        f"""Three scenes with what is left of the candidates: of {objects} objects {hits} are found,
        {false} boxes are false; {said}.""",
    )


def draw_before_and_after(
    image: Tensor, truth: Mapping[str, Tensor], before: Found, after: Found, names: Sequence[str]
) -> Described:
    """Draw an image's detections before the suppression and after it.

    Args:
        image: (3, H, W) float.
        truth: "boxes" (m, 4) `xyxy` in fractions, and "labels" (m,).
        before, after: "boxes", "labels" and "scores".
        names: of the classes, from label 1.
    """
    figure = Picture(figsize=(9.4, 5.0), layout="constrained")
    words = []
    for axes, found, title in zip(
        figure.subplots(1, 2), (before, after), ("before", "after"), strict=True
    ):
        hits = draw_found(axes, image, truth, found, names)
        said = f"{len(found['labels'])} boxes, {hits} hits"
        axes.set_title(f"{title}: {said}", size=10)
        words.append(f"{title} the suppression {said}")
    add_key(figure, STYLES)
    return Described(figure, f"An image with its detections; {'; '.join(words)}.")


def draw_found(
    axes: Axes, image: Tensor, truth: Mapping[str, Tensor], found: Found, names: Sequence[str]
) -> int:
    """Draw detections so that they can be told apart: at most one label at a place.

    The truth is white and dashed, hits are green and solid, false positives vermilion and dotted.
    A box that lies much where a surer one of any class does gets no label, and is drawn thinner.

    Returns:
        How many of them are hits.
    """
    _show(axes, image)
    right = find_hits(truth, found)
    labelled: list[tuple[float, float]] = []
    for n in found["scores"].argsort(descending=True).tolist():
        colour, style = (HIT, HIT_STYLE) if right[n] else (FALSE_POSITIVE, FALSE_POSITIVE_STYLE)
        x, y = found["boxes"][n, 0].clamp(0, 0.8).item(), found["boxes"][n, 1].clamp(0.07, 1).item()
        free = (
            all(abs(x - a) > 0.26 or abs(y - b) > 0.075 for a, b in labelled) and len(labelled) < 12
        )
        if right[n]:
            _frame(axes, found["boxes"][n], INK, "-", 3.4)
        _frame(axes, found["boxes"][n], colour, style, 2.0 if free or right[n] else 0.9)
        if free:
            labelled.append((x, y))
            name = f"{names[int(found['labels'][n]) - 1]}: {float(found['scores'][n]):.2f}"
            badge = {"boxstyle": "square,pad=0.12", "fc": colour, "ec": "none"}
            axes.text(x, y, name, size=7, color="white", va="bottom", bbox=badge, zorder=5)
    for box in truth["boxes"]:
        _frame(axes, box, TRUTH, TRUTH_STYLE, 1.6)
    return sum(right)


def find_hits(truth: Mapping[str, Tensor], found: Found) -> list[bool]:
    """Say which detections, by falling score, meet an object of their class that is still free."""
    from torchvision.ops import box_iou

    right, taken = [False] * len(found["labels"]), set()
    for n in found["scores"].argsort(descending=True).tolist():
        own = (truth["labels"] == found["labels"][n]).nonzero()[:, 0].tolist()
        if own:
            overlaps = box_iou(found["boxes"][n][None], truth["boxes"][own])[0]
            best = own[int(overlaps.argmax())]
            right[n] = float(overlaps.max()) > 0.5 and best not in taken
            taken |= {best} if right[n] else set()
    return right


def _show(axes: Axes, image: Tensor) -> None:
    """Show an image, from 0 to 1 or normalised as for ImageNet, over the unit square, y down."""
    if float(image.min()) < 0 or float(image.max()) > 1:
        mean, deviation = (torch.tensor(x)[:, None, None] for x in (IMAGENET_MEAN, IMAGENET_STD))
        image = image * deviation + mean
    pixels = image.detach().clamp(0, 1).permute(1, 2, 0).numpy()
    axes.imshow(pixels, extent=(0, 1, 1, 0))
    axes.set(xlim=(0, 1), ylim=(1, 0))
    axes.axis("off")


def _frame(axes: Axes, box: Tensor, colour: str, style: Style, width: float) -> None:
    """Outline a box, `xyxy`, white on a dark line; what sticks out of the image is cut off."""
    x, y, right, bottom = box.tolist()
    outline = Rectangle((x, y), right - x, bottom - y, fill=False, ec=colour, ls=style, lw=width)
    if colour == TRUTH:
        outline.set_path_effects([withStroke(linewidth=width + 1.2, foreground=INK)])
    axes.add_patch(outline)
