"""Week 2's pictures: that they draw, say what they show, and show numbers that are right."""

from collections.abc import Callable

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from detcourse.week2.scenes import targets_of
from detgrader.course import Course
from detlab import localization_plots
from detlab.localizer import (
    LOCALIZER,
    LOCALIZER_SHA256,
    SIDE,
    Answers,
    load_answers,
    window_of,
)
from detlab.metrics import mean_iou
from detlab.plotting import Picture, draw_images
from detlab.weeks.week2.assertions import ink_box

DRAWINGS: list[Callable[[], Picture]] = [
    localization_plots.draw_placing,
    localization_plots.draw_canvases,
    localization_plots.draw_small_network,
    localization_plots.draw_small_windows,
    localization_plots.draw_rulers,
    localization_plots.draw_window_targets,
    localization_plots.draw_counting,
    localization_plots.draw_training,
    localization_plots.draw_choice,
    localization_plots.draw_overlaps,
]


@pytest.mark.parametrize("draw", DRAWINGS, ids=lambda draw: draw.__name__)
def test_each_picture_draws_and_says_what_it_shows(draw: Callable[[], Picture]) -> None:
    figure = draw()
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert len(figure.alt) > 80
    assert "nan" not in figure.alt


def test_small_images_go_into_a_cell_with_their_words() -> None:
    figure = draw_images(torch.zeros(2, 1, 4, 4), ["one", '"two"'])
    data, metadata = figure._repr_mimebundle_()
    assert metadata == {"image/png": {"alt": figure.alt}}
    assert "named one, &quot;two&quot;." in data["text/html"]


def test_boxes_and_targets_are_those_of_the_canvases() -> None:
    answers = load_answers()
    found = torch.tensor([ink_box(image) for image in answers.images])
    assert torch.equal(found.float(), answers.boxes)
    expected = targets_of(answers.boxes / SIDE, answers.labels, answers.grid)
    torch.testing.assert_close(answers.targets, expected)
    assert tuple(answers.placed_box.tolist()) == ink_box(answers.stages[3])


def test_answers_agree_with_each_other() -> None:
    answers = load_answers()
    assert torch.equal(answers.found, (answers.p > 0.5) & (answers.targets[:, 0] == 1))
    assert float(answers.scores.max()) <= 0
    size, stride, (_, columns) = answers.grid
    for moment in range(2):
        best = answers.scores[moment].flatten(1).argmax(1)
        images = torch.arange(len(best))
        assert torch.equal(
            answers.digits[moment].flatten(1)[images, best], answers.predicted[moment]
        )
        boxes = answers.window_boxes[moment].flatten(2)[images, :, best]
        corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * stride
        whole = (corners + size * boxes) / SIDE
        # The windows' boxes are kept in half precision.
        torch.testing.assert_close(whole, answers.predicted_boxes[moment], atol=2e-3, rtol=0)


def test_the_text_beside_the_pictures_is_true() -> None:
    """Numbers that week 2's notebook takes from the file."""
    answers = load_answers()
    history = answers.history
    text = (Course.find().source("week2_mnist_localization")).read_text("utf-8")
    text = " ".join(text.replace("\n# ", " ").split())
    accuracy, iou = answers.measures.tolist()
    assert f"reads {accuracy:.3f} of 500 unseen digits" in text
    assert f"mean IoU of its boxes is {iou:.3f}" in text
    assert f"rises** from {history[0, 1]:.0f} to about 65" in text
    assert f"rises to {64.6}" in localization_plots.draw_training().alt
    assert "At first two thirds of the windows that hold the centre are found" in text
    assert float(history[0, 3] / answers.positives) == pytest.approx(2 / 3, abs=0.04)
    assert float(history[100:, 3].mean() / answers.positives) > 0.9
    assert "six windows of ten hold the centre" in text
    assert float(answers.positives) / answers.grid.count[0] ** 2 == pytest.approx(0.6, abs=0.03)
    assert "share some area" in text
    assert share_of_windows_that_meet(answers) == pytest.approx(0.9, abs=0.03)
    left, _, right, _ = answers.placed_box.tolist()
    assert f"of columns {left} to {right - 1} goes from {left}/64 to **{right}**/64" in text
    assert f"it is {right - left} pixels wide" in text
    shifted = mean_iou(torch.tensor([[1.0, 0, 9, 8]]), torch.tensor([[0.0, 0, 8, 8]]))
    assert 1 - shifted == pytest.approx(0.2, abs=0.03)


def share_of_windows_that_meet(answers: Answers) -> float:
    """Return which share of all windows has some area in common with the digit's box."""
    size, stride, (rows, _) = answers.grid
    starts = stride * torch.arange(rows)
    low, high = answers.boxes[:, :2, None], answers.boxes[:, 2:, None]
    x, y = ((low < starts + size) & (high > starts)).float().unbind(1)
    return float((y[:, :, None] * x[:, None]).mean())


def test_three_windows_show_what_the_text_says_of_them() -> None:
    answers = load_answers()
    n, cells = localization_plots._cases(answers)
    shares = []
    for cell in cells:
        window, box = torch.tensor(window_of(answers.grid, cell)), answers.boxes[n]
        low, high = torch.maximum(window[:2], box[:2]), torch.minimum(window[2:], box[2:])
        shares.append(float((high - low).prod() / (box[2:] - box[:2]).prod()))
    a, b, c = shares
    assert a == 1  # "A has the digit inside"
    assert b == pytest.approx(0.4, abs=0.03)  # "two fifths of the box"
    assert b - 0.05 < c < b  # "almost as much, but not the centre"
    assert [float(answers.targets[n, 0, i, j]) for i, j in cells] == [1, 1, 0]
    i, j = cells[1]
    assert int((answers.targets[n, 2:, i, j] < 0).sum()) == 2  # "two of its numbers are negative"


def test_the_small_network_is_followed_as_its_layers_are() -> None:
    layers: list[nn.Module] = [
        *(nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 120, 4), nn.Conv2d(120, 15, 1)),
    ]
    maps = localization_plots.small_maps()
    for depth in range(1, 7):
        image = torch.rand(1, 1, SIDE, SIDE, requires_grad=True)
        output = nn.Sequential(*layers[:depth])(image)
        channels, cells, sees, hop = maps[depth]
        assert output.shape == (1, channels, cells, cells)
        # A pooling passes the gradient to its largest input only: so no cell sees more than this.
        for cell in (0, 1):
            (gradient,) = torch.autograd.grad(
                output[..., cell, cell].abs().sum(), image, retain_graph=True
            )
            pixels = gradient[0, 0].nonzero()
            assert int(pixels.min()) >= cell * hop
            assert int(pixels.max()) < cell * hop + sees
    assert maps[-1][1:] == (10, 28, 4)


def test_the_page_on_data_names_the_file_and_its_checksum() -> None:
    course = Course.find()
    page = (course.root / "data" / "README.md").read_text("utf-8")
    assert f"| `{course.display(LOCALIZER)}` |" in page
    assert f"`{LOCALIZER_SHA256}`" in page
