"""The explorer of week 3's priors: its recall is torchvision's, and its figure follows sliders."""

import itertools
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torchvision.ops import box_convert, box_iou

from detlab import priors_explorer
from detlab.priors_explorer import (
    MAPS,
    RATIOS,
    SCALES,
    STILLS,
    PriorsExplorer,
    best_overlaps,
    draw_stills,
    explore_priors,
    recall_of,
    shapes_of,
)
from detlab.scenes import load_scenes


@pytest.fixture(scope="module")
def truths() -> Tensor:
    return torch.cat(load_scenes("validation")[1]).double()


def priors_of(cells: int, shapes: Sequence[tuple[float, float]]) -> Tensor:
    """All priors of a map, one by one, (P, 4) `xyxy`."""
    rows = [
        ((column + 0.5) / cells, (row + 0.5) / cells, *shape)
        for row, column, shape in itertools.product(range(cells), range(cells), shapes)
    ]
    return box_convert(torch.tensor(rows, dtype=torch.float64), "cxcywh", "xyxy")


def test_shapes_by_hand() -> None:
    (first, extra), (_, last) = shapes_of((0.16, 0.25), (0.25,))
    assert first == pytest.approx((0.08, 0.32))
    assert extra == pytest.approx((0.2, 0.2))
    assert last == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(("scales", "ratios"), [*STILLS.values(), ((0.3, 0.9, 0.06), (4.0, 0.2))])
def test_the_referee_agrees(
    truths: Tensor, scales: Sequence[float], ratios: Sequence[float]
) -> None:
    best = torch.stack(
        [
            box_iou(truths, priors_of(cells, shapes)).amax(1)
            for cells, shapes in zip(MAPS, shapes_of(scales, ratios), strict=True)
        ]
    )
    assert torch.allclose(best_overlaps(truths, scales, ratios), best, atol=1e-12)
    recall = recall_of(truths, scales, ratios)
    met = best >= 0.5
    assert recall.total == pytest.approx(float(met.any(0).double().mean()))
    assert recall.of_maps == pytest.approx(met.double().mean(1).tolist())


def test_boxes_far_from_all_priors_are_not_met() -> None:
    tiny = torch.tensor([[0.0, 0.0, 0.01, 0.01], [0.25, 0.25, 0.75, 0.75]])
    recall = recall_of(tiny, SCALES, RATIOS)
    assert recall.total == 0.5
    assert all(share <= 0.5 for share in recall.of_maps)


def test_the_weeks_own_priors_meet_all_digits(truths: Tensor) -> None:
    assert recall_of(truths, SCALES, RATIOS).total > 0.999


def test_the_still_picture_says_each_recall(truths: Tensor) -> None:
    figure = draw_stills()
    titles = [axes.get_title() for axes in figure.axes]
    for title, (name, setting) in zip(titles, STILLS.items(), strict=True):
        assert title == f"{name}\nrecall {recall_of(truths, *setting).total:.1%}"
        assert title.replace("\nrecall", "") in figure.alt


def test_sliders_move_figure_and_recall(truths: Tensor) -> None:
    explorer = explore_priors()
    sliders = explorer.sliders
    assert [*sliders] == [
        *("scale 16×16", "scale 8×8", "scale 4×4"),
        *("ratio 1", "ratio 2", "ratio 3", "scene"),
    ]
    assert explorer.recall == recall_of(truths, SCALES, RATIOS)
    before, words = explorer.drawing.value, explorer.sentence.value
    for name, value in zip(sliders, (0.1, 0.2, 0.375), strict=False):
        sliders[name].value = value
    assert explorer.recall == recall_of(truths, (0.1, 0.2, 0.375), RATIOS)
    assert f"{explorer.recall.total:.1%}" in explorer.sentence.value
    assert explorer.sentence.value != words
    assert explorer.drawing.value != before
    bars = explorer.picture.axes[1].patches
    expected = [*explorer.recall.of_maps, explorer.recall.total]
    assert [bar.get_width() / 100 for bar in bars] == pytest.approx(expected)

    for name, value in (("ratio 1", 1.0), ("ratio 2", 1.0), ("ratio 3", 1.0)):
        sliders[name].value = value
    assert explorer.recall == recall_of(truths, (0.1, 0.2, 0.375), (1.0, 1.0, 1.0))

    recall = explorer.recall
    sliders["scene"].value = 7
    assert explorer.recall == recall
    assert explorer.picture.axes[0].get_title() == "scene 7"
    assert "Scene 7 " in explorer.drawing.value


def test_widgets_are_shown_to_people_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = explore_priors()
    still, words = explorer._repr_mimebundle_()
    assert [*still] == ["image/png", "text/html", "text/plain"]
    assert "95.3%" in words["image/png"]["alt"]
    monkeypatch.setattr(priors_explorer, "somebody_is_there", lambda: True)
    shown, _ = explorer._repr_mimebundle_()
    assert shown["image/png"] == still["image/png"]
    view = shown["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == explorer.panel.model_id


def test_without_ipywidgets_there_is_the_still_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priors_explorer.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(priors_explorer, "somebody_is_there", lambda: True)
    explorer = PriorsExplorer()
    assert explorer.sliders == {}
    assert [*explorer._repr_mimebundle_()[0]] == ["image/png", "text/html", "text/plain"]
