"""What is said of a figure counts where its pixels show it, and nowhere else."""

from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from detlab.checking.seen import what_is_seen
from detlab.checking.tools.figures import describe_figure

Y = [3.0, 1.0, 2.5, 4.0, 0.5]
IMAGE = np.random.default_rng(0).random((20, 30)).round()


@pytest.fixture(autouse=True)
def no_figure_stays() -> Iterator[None]:
    yield
    plt.close("all")


def seen(figure: Figure, pixels: np.ndarray | None = None) -> tuple[int, int, int]:
    told = describe_figure(figure)
    shown = told["pixels"] if pixels is None else pixels
    kept = what_is_seen(told["axes"], shown)
    return tuple(sum(len(axes[k]) for axes in kept) for k in ("lines", "images", "rectangles"))


def line(*style: str, **options: object) -> Callable[[], Figure]:
    def draw() -> Figure:
        figure, axes = plt.subplots()
        axes.plot(range(5), Y, *style, **options)
        return figure

    return draw


def logarithmic() -> Figure:
    figure, axes = plt.subplots(1, 2, sharex=True)[0], plt.gcf().axes[0]
    axes.loglog([10, 100, 1000], [0.1, 5, 3], "s-")
    return figure


def beside_an_area() -> Figure:
    figure, axes = plt.subplots()
    axes.fill_between(range(5), 0, Y, color="lightgrey")
    axes.plot(range(5), Y, lw=1)
    return figure


def picture(**options: object) -> Callable[[], Figure]:
    def draw() -> Figure:
        figure, axes = plt.subplots()
        axes.imshow(IMAGE, **options)
        axes.add_patch(plt.Rectangle((3, 4), 15, 9, fill=False, ec="lime"))
        return figure

    return draw


@pytest.mark.parametrize(
    "draw",
    [
        *(line(), line("k--"), line("r:"), line("o-"), line(lw=4, alpha=0.5), line(color="0.4")),
        *(line(drawstyle=f"steps{way}") for way in ("", "-pre", "-mid", "-post")),
        *(logarithmic, beside_an_area),
    ],
)
def test_a_line_is_seen_however_it_is_drawn(draw: Callable[[], Figure]) -> None:
    figure = draw()
    assert seen(figure)[0] == 1
    blank = np.full_like(describe_figure(figure)["pixels"], 255)
    assert seen(figure, blank)[0] == 0


@pytest.mark.parametrize(
    "draw",
    [picture(), picture(cmap="gray"), picture(cmap="gray_r"), picture(extent=(0, 1, 1, 0))],
)
def test_an_image_and_a_box_are_seen_however_they_are_drawn(draw: Callable[[], Figure]) -> None:
    figure = draw()
    expected = 1 if figure.axes[0].images[0].get_extent()[1] > 1 else 0  # else far outside of it
    assert seen(figure)[1:] == (1, expected)
    pixels = describe_figure(figure)["pixels"]
    assert seen(figure, np.full_like(pixels, 255))[1] == 0
    assert seen(figure, pixels[::-1, ::-1].copy())[1] == 0


@pytest.mark.parametrize("hide", ["line.set_visible(False)", "line.set_alpha(0)", "line.set_lw(0)"])
def test_what_is_hidden_is_not_seen(hide: str) -> None:
    figure = line()()
    exec(hide, {"line": figure.axes[0].lines[0]})
    assert seen(figure)[0] == 0


def test_a_box_that_is_not_there_is_not_seen() -> None:
    figure = picture(cmap="gray")()
    without = picture(cmap="gray")()
    without.axes[0].patches[0].remove()
    pixels = describe_figure(without)["pixels"]
    assert seen(figure, pixels) == (0, 1, 0)


def test_points_must_lie_as_their_numbers_do() -> None:
    figure = line()()
    told = describe_figure(figure)
    told["axes"][0]["lines"][0]["y"] = told["axes"][0]["lines"][0]["y"][::-1].copy()
    assert what_is_seen(told["axes"], told["pixels"])[0]["lines"] == []
