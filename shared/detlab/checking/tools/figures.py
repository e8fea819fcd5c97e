"""Tools that describe a figure in plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


# Enough to see lines and boxes; figures of unusual size are drawn smaller.
DOTS_PER_INCH, MOST_PIXELS = 80, 4_000_000


def describe_figure(figure: Figure) -> dict[str, Any]:
    """Draw a figure, and describe what it shows.

    Labels and legends of the whole figure count for each of its axes, and labels of an axis that
    several share for all of these.

    Returns:
        "pixels": uint8, (H, W, 3); "axes": one dict for each that is visible: "title", "xlabel",
        "ylabel" (str), "legend" (list of str), "lines" (list of {"label", "x", "y", "at", "style"}:
        float64 arrays, "at" (N, 2) where in the pixels each point lies, x to the right and y down,
        "style" how points are joined, "default" or "steps-pre", "steps-mid" or "steps-post"),
        "images" (list of {"pixels": float64 array, "upright": bool, "whole": bool, "corners":
        (left, top, right, bottom) in the figure's pixels}), "rectangles" (list of {"box": (x_min,
        y_min, x_max, y_max) in pixels of the first image from its left and its upper edge as they
        are seen, or in data units if there is none; "colour": (red, green, blue) in [0, 1],
        "filled": bool}), "texts" (list of {"text", "at": (x, y) as for boxes}), "place": (row,
        column) in the grid of subplots, or None.
    """
    width, height = figure.get_size_inches()
    canvas, dots = figure.canvas, figure.dpi
    try:
        figure.dpi = min(DOTS_PER_INCH, (MOST_PIXELS / (width * height)) ** 0.5)
        pixels = drawn(figure)
        visible = [axes for axes in figure.axes if axes.get_visible()]
        return {"pixels": pixels, "axes": [describe_axes(one, figure) for one in visible]}
    finally:
        figure.dpi = dots
        figure.set_canvas(canvas)


def drawn(figure: Figure) -> NDArray[np.uint8]:
    """Draw a figure's lines, images and areas, without words and axes, which take most time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # by weeks without figures not

    canvas = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    renderer.clear()
    figure.patch.draw(renderer)
    for axes in figure.axes:
        if axes.get_visible():
            axes.get_xlim(), axes.get_ylim()  # which finds limits that nobody set
            axes.apply_aspect()
            axes.patch.draw(renderer)
            parts = [*axes.images, *axes.patches, *axes.lines, *axes.collections]
            for part in sorted(parts, key=lambda one: one.get_zorder()):
                part.draw(renderer)
    return np.array(canvas.buffer_rgba())[..., :3]


def places(points: Any, figure: Figure) -> Any:
    """Turn places on a canvas, up from the bottom, into pixels, down from the top."""
    x, y = np.asarray(points, dtype=np.float64).reshape(-1, 2).T
    return np.stack([x, figure.bbox.height - y], axis=1)


def describe_axes(axes: Any, figure: Figure) -> dict[str, Any]:
    """Describe one axes of a figure."""
    legends = [legend for legend in (axes.get_legend(), *figure.legends) if legend]
    images = [image for image in axes.get_images() if image.get_visible()]
    patches = [patch for patch in axes.patches if is_visible_box(patch)]
    titles = [axes.get_title(place) for place in ("left", "center", "right")]
    return {
        "title": " ".join(filter(None, titles)),
        "xlabel": label_of(axes, figure, "x"),
        "ylabel": label_of(axes, figure, "y"),
        "legend": [text.get_text() for legend in legends for text in legend.get_texts()],
        "lines": [
            {
                "label": str(line.get_label()),
                "x": floats(line.get_xdata()),
                "y": floats(line.get_ydata()),
                "at": places(line.get_transform().transform(line.get_xydata()), figure),
                "style": str(line.get_drawstyle()),
            }
            for line in axes.get_lines()
        ],
        "images": [describe_image(image, axes, figure) for image in images],
        "rectangles": [describe_rectangle(patch, axes, images[:1]) for patch in patches],
        "texts": [
            {"text": text.get_text(), "at": place_of_text(text, axes, images[:1])}
            for text in axes.texts
            if text.get_visible()
        ],
        "place": place_of(axes),
    }


def label_of(axes: Any, figure: Figure, which: str) -> str:
    """Return an axis' label: its own, that of an axis it is shared with, or the figure's."""
    group = axes.get_shared_x_axes() if which == "x" else axes.get_shared_y_axes()
    siblings = [axes, *group.get_siblings(axes)]
    own = [one.get_xlabel() if which == "x" else one.get_ylabel() for one in siblings]
    whole = figure.get_supxlabel() if which == "x" else figure.get_supylabel()
    return next(filter(None, [*own, whole]), "")


def place_of(axes: Any) -> tuple[int, int] | None:
    """Return an axes' row and column in its grid of subplots."""
    spec = axes.get_subplotspec()
    return (spec.rowspan.start, spec.colspan.start) if spec else None


def describe_image(image: Any, axes: Any, figure: Figure) -> dict[str, Any]:
    """Describe an image: its pixels, whether its first row is on top, whether all of it is seen."""
    left, right, bottom, top = image.get_extent()
    first_row, last_row = edges_of_rows(image)
    seen_x, seen_y = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    edges_x, edges_y = sorted((left, right)), sorted((bottom, top))
    pixels = floats_of(image.get_array())
    # Who sets the limits to (0, width) cuts half of the first pixel off: that hides nothing.
    rows, columns = pixels.shape[:2]
    slack_x = (edges_x[1] - edges_x[0]) / columns
    slack_y = (edges_y[1] - edges_y[0]) / rows
    whole = seen_x[0] <= edges_x[0] + slack_x and edges_x[1] - slack_x <= seen_x[1]
    whole = whole and seen_y[0] <= edges_y[0] + slack_y and edges_y[1] - slack_y <= seen_y[1]
    edges = axes.transData.transform([(left, first_row), (right, last_row)])
    corners = tuple(float(number) for number in places(edges, figure).ravel())
    upright = is_on_top(first_row, last_row, axes)
    return {"pixels": pixels, "upright": upright, "whole": bool(whole), "corners": corners}


def edges_of_rows(image: Any) -> tuple[float, float]:
    """Return where an image's first row begins and its last one ends, in data units."""
    _, _, bottom, top = image.get_extent()
    return (bottom, top) if image.origin == "lower" else (top, bottom)


def is_on_top(one: float, other: float, axes: Any) -> bool:
    """Say whether one height, in data units, is seen above another."""
    first, second = axes.transData.transform([(0.5, one), (0.5, other)])[:, 1]
    return bool(first > second)


def is_visible_box(patch: Any) -> bool:
    """Say whether a patch can be seen, as an outline at least."""
    outlined = patch.get_linewidth() > 0 and patch.get_edgecolor()[3] > 0
    return patch.get_visible() and bool(outlined or patch.get_fill())


def describe_rectangle(patch: Any, axes: Any, images: list[Any]) -> dict[str, Any]:
    """Describe a rectangle: its corners, the colour of its edge, whether it is filled."""
    # To data from wherever it was drawn: some draw in fractions of the axes.
    to_data = patch.get_transform() + axes.transData.inverted()
    corners = patch.get_path().transformed(to_data).get_extents().get_points().tolist()
    corners = [in_pixels_of(images, axes, point) for point in corners]
    x_min, x_max = sorted(x for x, _ in corners)
    y_min, y_max = sorted(y for _, y in corners)
    red, green, blue, _ = (float(part) for part in patch.get_edgecolor())
    filled = bool(patch.get_fill()) and patch.get_facecolor()[3] > 0
    box = tuple(float(number) for number in (x_min, y_min, x_max, y_max))
    return {"box": box, "colour": (red, green, blue), "filled": filled}


def in_pixels_of(images: list[Any], axes: Any, point: Any) -> tuple[float, float]:
    """Turn a point in data units into pixels of the first image, if any.

    Rows count from the edge that is seen on top: who turns an image over twice shows the same.
    """
    x, y = (float(number) for number in point)
    if not images:
        return x, y
    left, right, _, _ = images[0].get_extent()
    edges = edges_of_rows(images[0])
    upper, lower = edges if is_on_top(*edges, axes) else edges[::-1]
    rows, columns = images[0].get_array().shape[:2]
    return columns * (x - left) / (right - left), rows * (y - upper) / (lower - upper)


def place_of_text(text: Any, axes: Any, images: list[Any]) -> tuple[float, float]:
    """Return where a text begins, or what it speaks of, as corners of rectangles are given."""
    if getattr(text, "xycoords", None) == "data":  # an annotation finds its place when it is drawn
        at = axes.transData.transform(text.xy)
    else:
        at = text.get_transform().transform(text.get_position())
    x, y = in_pixels_of(images, axes, axes.transData.inverted().transform(at))
    return float(x), float(y)


def floats_of(values: Any) -> Any:
    """Return an image's pixels as a float64 array, whatever they were."""
    return np.array(values, dtype=np.float64)


def floats(values: Any) -> Any:
    """Return numbers as a float64 array."""
    return np.array([float(value) for value in values])
