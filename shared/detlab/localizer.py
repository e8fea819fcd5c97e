"""What a small localizer answers, and how week 2's pictures show canvases, windows and maps.

The answers come from a file: of a network with windows of 40 pixels, 4 pixels apart, trained as
task 2.9 trains (see `data/README.md`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from detlab.digits import read_arrays
from detlab.grid import WindowGrid
from detlab.plotting import COLOURS, INK, LINE, PAPER, Box

LOCALIZER = Path(__file__).with_name("data") / "localizer.npz"
LOCALIZER_SHA256 = "f6ce31411dd13140b4a064e3a45b5092425a876bd65d986a5b5e6e7084c31f46"
SIDE = 64  # of a canvas, pixels
TRUTH, SAID = COLOURS[2], COLOURS[1]
FRAME = (-0.5, 1.3)  # what is shown of a window and around it, in its own fractions


class Answers(NamedTuple):
    """What a small localizer answers for 24 canvases with digits of validation.

    Where a first axis S is named, it stands for two moments of the training, `steps`.

    Attributes:
        images: (24, 1, 64, 64) float32 in [0, 1].
        boxes: (24, 4) float32, pixels.
        labels: (24,) int64.
        targets: (24, 6, 7, 7) float32, of each window.
        p: (S, 24, 7, 7) float32, the probability that the digit is here.
        found: (S, 24, 7, 7) bool, windows with a true positive.
        scores, digits: (S, 24, 7, 7), each window's score and its digit.
        window_boxes: (S, 24, 4, 7, 7) float32, fractions of the window.
        predicted: (S, 24) int64.
        predicted_boxes: (S, 24, 4) float32, fractions of the image.
        terms: (S, 24, 3) float32, of the loss.
        history: (2000, 4) float32: three terms and the true positives, per image, at each step.
        positives: () float32, windows that hold the centre, mean of the images trained on.
        steps: (S,) int64.
        measures: (2,) float32: label accuracy and mean IoU after the training, of 500 digits.
        stages: (4, 1, 64, 64) float32: a digit as it is, turned, scaled, placed.
        turn: (2,) float32: by which angle, degrees, and by which factor.
        placed_box: (4,) int64, pixels.
        grid: the windows.
    """

    images: Tensor
    boxes: Tensor
    labels: Tensor
    targets: Tensor
    p: Tensor
    found: Tensor
    scores: Tensor
    digits: Tensor
    window_boxes: Tensor
    predicted: Tensor
    predicted_boxes: Tensor
    terms: Tensor
    history: Tensor
    positives: Tensor
    steps: Tensor
    measures: Tensor
    stages: Tensor
    turn: Tensor
    placed_box: Tensor
    grid: WindowGrid


def load_answers() -> Answers:
    """Load what the small localizer answers.

    Raises:
        DataError: the file is missing or damaged.
    """
    parts = read_arrays(LOCALIZER, LOCALIZER_SHA256)
    size, stride, *count = parts.pop("grid").tolist()
    return Answers(
        **{name: part.float() / 255 for name, part in parts.items() if name in ("images", "stages")}
        | {name: parts[name].float() for name in ("boxes", "window_boxes")}
        | {name: parts[name].long() for name in ("labels", "digits", "predicted", "placed_box")}
        | {
            name: parts[name]
            for name in ("targets", "p", "found", "scores", "predicted_boxes", "terms", "history")
        }
        | {name: parts[name] for name in ("steps", "positives", "measures", "turn")},
        grid=WindowGrid(size, stride, (count[0], count[1])),
    )


def window_of(grid: WindowGrid, cell: tuple[int, int]) -> Box:
    """Return a window, `xyxy` in pixels."""
    left, top = cell[1] * grid.stride, cell[0] * grid.stride
    return left, top, left + grid.size, top + grid.size


def show_canvas(axes: Axes, image: Tensor) -> None:
    """Show a canvas with pixel edges at whole numbers."""
    axes.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1, extent=(0, SIDE, SIDE, 0))
    axes.set(xlim=(0, SIDE), ylim=(SIDE, 0))
    axes.set_xticks(range(0, SIDE + 1, 16))
    axes.set_yticks(range(0, SIDE + 1, 16))


def outline(axes: Axes, box: Sequence[float], colour: str, style: str, width: float = 1.8) -> None:
    """Outline a box, `xyxy`; what sticks out of the axes is shown, too."""
    x_min, y_min, x_max, y_max = box
    look = {"fill": False, "ec": colour, "ls": style, "lw": width, "clip_on": False}
    axes.add_patch(Rectangle((x_min, y_min), x_max - x_min, y_max - y_min, **look))


def draw_map(
    axes: Axes, words: list[list[str]], marked: Tensor, size: float = 9, hatched: bool = True
) -> None:
    """Draw a map of windows with words in its cells; marked cells are blue, others hatched."""
    rows, columns = marked.shape
    for i in range(rows):
        for j in range(columns):
            plain = {"fc": PAPER, "ec": LINE, "hatch": "....." if hatched else None, "lw": 0.6}
            look = {"fc": "#B9DDF3", "ec": INK, "lw": 0.6} if marked[i, j] else plain
            axes.add_patch(Rectangle((j, i), 1, 1, **look))
            badge = {"facecolor": look["fc"], "edgecolor": "none", "pad": 0.6}
            place = {"ha": "center", "va": "center", "size": size, "color": INK, "bbox": badge}
            axes.text(j + 0.5, i + 0.5, words[i][j], **place)
    axes.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal")
    axes.set_xticks([j + 0.5 for j in range(columns)], range(columns))
    axes.set_yticks([i + 0.5 for i in range(rows)], range(rows))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="column j", ylabel="row i")


def draw_frame(axes: Axes, image: Tensor, window: Box, colour: str) -> None:
    """Show a window in its own frame, from 0 to 1, with dimmed surroundings."""
    left, top, right, _ = window
    size = right - left
    extent = (-left / size, (SIDE - left) / size, (SIDE - top) / size, -top / size)
    axes.set_facecolor("white")
    axes.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1, extent=extent, alpha=0.35)
    x, y = round(left), round(top)
    inside = image[0, y : y + round(size), x : x + round(size)].numpy()
    axes.imshow(inside, cmap="gray", vmin=0, vmax=1, extent=(0, 1, 1, 0))
    outline(axes, (0, 0, 1, 1), colour, "-", 2.5)
    axes.set(xlim=FRAME, ylim=FRAME[::-1])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
