"""Pictures of what augmentation does to a scene and its boxes, at chosen places, not at random.

None of them needs code of a student's. The scene is one of those in colour that come with the
course.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from PIL import Image
from torch import Tensor

from detlab.imagenet import IMAGENET_MEAN
from detlab.picture import Described
from detlab.plotting import COLOURS, INK, LINE, Picture
from detlab.sets import voc

STEM = "000003"
BLUE, RED, GREEN, PINK, ORANGE, SKY = COLOURS
Box = tuple[float, float, float, float]


class Try(NamedTuple):
    """One try of `random_crop`.

    Attributes:
        least: the overlap that was drawn.
        crop: `xyxy`, pixels.
    """

    least: float
    crop: tuple[int, int, int, int]


TRIES = (
    Try(0.1, (20, 60, 290, 160)),
    Try(0.3, (0, 130, 150, 300)),
    Try(0.1, (105, 75, 196, 215)),
    Try(0.3, (150, 30, 300, 190)),
    Try(0.1, (30, 25, 260, 262)),
    Try(0.9, (45, 30, 150, 140)),
)


@cache
def scene() -> tuple[Tensor, list[Box], list[str]]:
    """Return the scene: (3, 300, 300) float32, its boxes, `xyxy` in pixels, and their digits."""
    from torchvision.transforms.functional import to_tensor

    with Image.open(voc.DIGITS / "JPEGImages" / f"{STEM}.jpg") as picture:
        image = to_tensor(picture.convert("RGB"))
    annotation = voc.DIGITS / "Annotations" / f"{STEM}.xml"
    label_map = voc.make_label_map(voc.DIGIT_CLASSES)
    target = voc.read_annotation(annotation, (image.shape[2], image.shape[1]), label_map)
    boxes = [tuple(row) for row in target["boxes"].tolist()]
    return image, boxes, [voc.DIGIT_CLASSES[label - 1] for label in target["labels"].tolist()]


def draw_scene() -> Described:
    """Draw the scene with its objects, and with one box's corners as its file gives them.

    The file names pixels: the first one begins at the box's left edge, the last ends at its right.
    """
    image, boxes, digits = scene()
    figure = Picture(figsize=(4.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    _show(axes, image, boxes)
    badge = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": INK}
    for (left, top, _, _), digit in zip(boxes, digits, strict=True):
        axes.text(left, top - 3, f"<name>{digit}", size=8, va="bottom", bbox=badge)
    x, y, X, Y = boxes[0]
    corners = f"xmin, ymin = {x + 1:.0f}, {y + 1:.0f}", f"xmax, ymax = {X:.0f}, {Y:.0f}"
    axes.plot([x, X], [y, Y], "o", color=RED, ms=6)
    axes.text(x - 6, y + 18, corners[0], size=8, va="center", ha="right", bbox=badge)
    axes.text(297, Y + 8, corners[1], size=8, va="top", ha="right", bbox=badge)
    return Described(
        figure,
        f"""A scene of the digits {", ".join(digits)}, each in a box under its name. The corners of
        the first box are marked with the numbers of its file: {"; ".join(corners)}.""",
    )


def draw_pixels(width: int = 9, first: int = 2, last: int = 4) -> Described:
    """Draw a row of pixels with a box on it, and its mirror image.

    Args:
        width: pixels in the row.
        first: the box's first pixel, counted from 1.
        last: its last one.
    """
    figure = Picture(figsize=(8.2, 3.6), layout="constrained")
    plain, mirrored = figure.subplots(2, 1)
    said = [
        _draw_row(plain, width, first, last, "as it is", ("-", ":")),
        _draw_row(
            mirrored, width, width + 1 - last, width + 1 - first, "in the mirror", (":", "-")
        ),
    ]
    return Described(
        figure,
        f"""A row of {width} squares, the pixels, numbered from 1 inside, with their edges, numbered
        from 0 to {width}, below; and the row in a mirror. The box {"; ".join(said)}. Each edge x
        becomes {width} − x, and the box keeps its {last - first + 1} pixels.""",
    )


def _draw_row(
    axes: Axes, width: int, first: int, last: int, place: str, styles: tuple[str, str]
) -> str:
    """Draw a row of pixels with a box on it, and say in words where the box lies.

    Args:
        place: what the row is, for people.
        styles: of the line at the box's left edge, and of that at its right.
    """
    left, right = first - 1, last
    axes.add_patch(Rectangle((left, 0), right - left, 1, fc=SKY, alpha=0.55, ec="none"))
    for pixel in range(1, width + 1):
        axes.add_patch(Rectangle((pixel - 1, 0), 1, 1, fill=False, ec=LINE))
        axes.text(pixel - 0.5, 0.58, f"{pixel}", ha="center", va="center", size=12)
    for edge in range(width + 1):
        bold = {"weight": "bold", "color": BLUE} if edge in (left, right) else {}
        axes.text(edge, -0.14, f"{edge}", ha="center", va="top", **bold)
    for edge, style, name in ((left, styles[0], "x_min"), (right, styles[1], "x_max")):
        axes.plot([edge, edge], [-0.06, 1.06], style, color=BLUE, lw=3.4)
        axes.text(edge, -0.52, name, ha="center", va="center", size=8, color=BLUE)
    for pixel, name in ((first, "xmin"), (last, "xmax")):
        axes.text(pixel - 0.5, 0.24, name, ha="center", va="center", size=8)
    axes.text(-0.25, 0.58, "pixels, from 1", ha="right", va="center", size=9)
    axes.text(-0.25, -0.14, "edges, from 0", ha="right", va="top", size=9)
    words = f"pixels {first} to {last}, edges {left} to {right}"
    title = f"{place}: {words}, {right - left} pixels wide"
    axes.text(width / 2, 1.2, title, ha="center", va="bottom", size=10)
    axes.set(xlim=(-2, width + 0.3), ylim=(-0.66, 1.5))
    axes.set_aspect("equal")
    axes.axis("off")
    return f"{place}: {words}"


def draw_distortions() -> Described:
    """Draw the scene with the least and the largest change of each of the four kinds."""
    from torchvision.transforms import functional as TF

    image, boxes, _ = scene()
    kinds = {
        "brightness": (TF.adjust_brightness, 0.5, 1.5, "×{:.1f}"),
        "contrast": (TF.adjust_contrast, 0.5, 1.5, "×{:.1f}"),
        "saturation": (TF.adjust_saturation, 0.5, 1.5, "×{:.1f}"),
        "hue": (TF.adjust_hue, -18 / 255, 18 / 255, "{:+.2f}"),
    }
    figure = Picture(figsize=(10.4, 4.4), layout="constrained")
    grid = figure.add_gridspec(2, 5)
    first = figure.add_subplot(grid[:, 0])
    _show(first, image, boxes)
    first.set_title("as it is", size=10)
    for column, (name, (adjust, low, high, form)) in enumerate(kinds.items(), 1):
        for row, value in enumerate((low, high)):
            axes = figure.add_subplot(grid[row, column])
            _show(axes, adjust(image, value), boxes)
            axes.set_title(f"{name} {form.format(value)}", size=10)
    return Described(
        figure,
        """A scene of four digits, and beside it the same scene darker and brighter, with less and
        more contrast, paler and more colourful, and with its hues shifted either way. The boxes
        stay where they are.""",
    )


def draw_zoom_out(
    cases: Sequence[tuple[float, int, int]] = ((1, 0, 0), (2, 60, 240), (4, 700, 150)),
) -> Described:
    """Draw the scene on canvases, all as large as the network sees them, and say how small it gets.

    Args:
        cases: for each canvas the scale, and where the image's left and top edge lie, pixels.
    """
    image, boxes, digits = scene()
    _, height, width = image.shape
    figure = Picture(figsize=(10.0, 3.8), layout="constrained")
    words = []
    for axes, (scale, left, top) in zip(figure.subplots(1, len(cases)), cases, strict=True):
        wide, high = scale * width, scale * height
        axes.add_patch(Rectangle((0, 0), wide, high, fc=IMAGENET_MEAN, ec="none", zorder=-1))
        moved = [(x + left, y + top, X + left, Y + top) for x, y, X, Y in boxes]
        _show(axes, image, moved, (left, top))
        axes.set(xlim=(0, wide), ylim=(high, 0))
        seen = (boxes[0][3] - boxes[0][1]) / high * 300
        title = f"scale {scale:g}: {wide:.0f}×{high:.0f} pixels"
        axes.set_title(
            f"{title}\nthe first {digits[0]} is {seen:.0f} px high for the network", size=10
        )
        words.append(f"at scale {scale:g} the first {digits[0]} is {seen:.0f} pixels high")
    return Described(
        figure,
        f"""The scene with its boxes alone, and on grey canvases twice and four times as large, as
        the network sees them after resizing to 300×300: {"; ".join(words)}.""",
    )


def draw_tries() -> Described:
    """Draw six tries of `random_crop`: the crop on the scene, and what becomes of it."""
    image, boxes, digits = scene()
    figure = Picture(figsize=(11.5, 5.6), layout="constrained")
    words = []
    for n, (axes, one) in enumerate(zip(figure.subplots(2, 3).flat, TRIES, strict=True), 1):
        _show(axes, image, boxes)
        left, top, right, bottom = one.crop
        for x, y, wide, high in (
            (0, 0, 300, top), (0, bottom, 300, 300 - bottom),
            (0, top, left, bottom - top), (right, top, 300 - right, bottom - top),
        ):  # fmt: skip
            axes.add_patch(Rectangle((x, y), wide, high, fc="white", alpha=0.55, ec="none"))
        said, kept = verdict(one)
        style = {"ls": "-" if kept else "--", "ec": GREEN if kept else RED}
        axes.add_patch(
            Rectangle((left, top), right - left, bottom - top, fill=False, lw=3, **style)
        )
        for k, (x, y, X, Y) in enumerate(boxes):
            if k in kept:
                width, height = min(X, right) - max(x, left), min(Y, bottom) - max(y, top)
                corner, inside = (max(x, left), max(y, top)), {"fc": SKY, "alpha": 0.35}
                axes.add_patch(Rectangle(corner, width, height, ec="none", **inside))
            mark = {"marker": "o" if k in kept else "x", "color": INK, "ms": 6, "mew": 2}
            axes.plot((x + X) / 2, (y + Y) / 2, **mark)
        axes.set_title(f"{n}: least overlap {one.least:g}\n{said}", size=9.5)
        names = ", ".join(digits[k] for k in kept)
        words.append(f"{n}: {said}" + (f", with the digits {names}" if kept else ""))
    figure.legend(handles=_key_of_tries(), loc="outside lower center", ncols=5, frameon=False)
    return Described(
        figure,
        f"""Six crops on the same scene. Dashed: refused. Solid: taken. A circle marks the
        centre of a box that is kept, whose part in the crop is tinted, a cross that of one that is
        not. {"; ".join(words)}.""",
    )


def _key_of_tries() -> list[Line2D | Rectangle]:
    """Say which line, mark and tint is what."""
    marks = {"color": INK, "ls": "none", "ms": 6, "mew": 2}
    return [
        Line2D([], [], color=RED, ls="--", lw=3, label="crop, refused"),
        Line2D([], [], color=GREEN, lw=3, label="crop, taken"),
        Line2D([], [], marker="o", label="centre of an object that is kept", **marks),
        Rectangle((0, 0), 1, 1, fc=SKY, alpha=0.35, ec="none", label="what the crop keeps of it"),
        Line2D([], [], marker="x", label="centre of any other", **marks),
    ]


def verdict(one: Try) -> tuple[str, list[int]]:
    """Say what becomes of a try, and which of the scene's objects it keeps."""
    left, top, right, bottom = one.crop
    shape = (bottom - top) / (right - left)
    if shape < 0.5 or shape > 2:
        return f"height / width is {shape:.2f}: refused", []
    shares = [_overlap(one.crop, box) for box in scene()[1]]
    if max(shares) < one.least:
        return f"the best IoU is {max(shares):.2f}: refused", []
    middles = [((x + X) / 2, (y + Y) / 2) for x, y, X, Y in scene()[1]]
    kept = [k for k, (x, y) in enumerate(middles) if left < x < right and top < y < bottom]
    if not kept:
        return f"best IoU {max(shares):.2f}, but no centre inside: refused", []
    many = f"{len(kept)} objects" if len(kept) > 1 else "one object"
    return f"best IoU {max(shares):.2f}, {many}: taken", kept


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the IoU of two boxes."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    common = max(wide, 0) * max(high, 0)
    both = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return common / (both - common)


def draw_flip() -> Described:
    """Draw the scene as it is and in a mirror, and follow the edges of one box."""
    image, boxes, digits = scene()
    figure = Picture(figsize=(8.6, 4.3), layout="constrained")
    for n, axes in enumerate(figure.subplots(1, 2)):
        _show(axes, image.flip(2) if n else image, [])
        for k, (x, y, X, Y) in enumerate(boxes):
            for edge, style in ((x, "-"), (X, ":")):
                at = 300 - edge if n else edge
                axes.plot([at, at], [y, Y], style, color=(BLUE, INK, INK, INK)[k], lw=3)
                if k == 0:
                    axes.text(at, Y + 8, f"{at:.0f}", ha="center", va="top", size=10, weight="bold")
            ends = [300 - X, 300 - x] if n else [x, X]
            for line in (y, Y):
                axes.plot(ends, [line, line], color=INK, lw=0.8)
        axes.set_title("in the mirror" if n else "as it is", size=10)
    return Described(
        figure,
        f"""The scene and its mirror image. Of each box the left edge is solid and the right edge
        dotted; in the mirror the dotted one is on the left. The first {digits[0]} reaches from x =
        {boxes[0][0]:.0f} to {boxes[0][2]:.0f}, in the mirror from {300 - boxes[0][2]:.0f} to
        {300 - boxes[0][0]:.0f}.""",
    )


def _show(
    axes: Axes, image: Tensor, boxes: Sequence[Box], corner: tuple[int, int] = (0, 0)
) -> None:
    """Show an image whose top-left pixel lies at `corner`, and outline boxes."""
    _, height, width = image.shape
    left, top = corner
    pixels = image.clamp(0, 1).permute(1, 2, 0).numpy()
    axes.imshow(pixels, extent=(left, left + width, top + height, top))
    for x, y, right, bottom in boxes:
        for colour, wide in ((INK, 2.6), ("white", 1.2)):
            axes.add_patch(Rectangle((x, y), right - x, bottom - y, fill=False, ec=colour, lw=wide))
    axes.set(xlim=(0, 300), ylim=(300, 0))
    axes.axis("off")
