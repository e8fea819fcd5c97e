"""The pictures of week 3: they draw, say what they show, and their numbers are right."""

from collections.abc import Callable
from math import log

import pytest
import torch
from torchvision.ops import box_convert, box_iou

from detcourse import truth
from detlab import box_plots, precision_plots, ssd_plots, suppression_steps
from detlab.detection_plots import draw_detections
from detlab.metrics import mean_average_precision
from detlab.panels import Label, grid_of, place_labels, size_of
from detlab.plotting import Picture
from detlab.scenes import load_scenes
from detlab.ssd_answers import load_ssd_answers
from detlab.weeks.week3.assertions import FEATURE_SIZES, RATIOS, SCALES

PICTURES = [
    box_plots.draw_forms,
    box_plots.draw_overlaps,
    box_plots.draw_offsets,
    box_plots.draw_spread,
    ssd_plots.draw_some_scenes,
    ssd_plots.draw_some_detections,
    ssd_plots.draw_some_priors,
    ssd_plots.draw_detector,
    ssd_plots.draw_rows,
    ssd_plots.draw_matching,
    ssd_plots.draw_all_matches,
    ssd_plots.draw_shares,
    suppression_steps.draw_suppression,
    precision_plots.draw_ranked_scenes,
    precision_plots.draw_ranked_list,
]


@pytest.mark.parametrize("draw", PICTURES, ids=lambda draw: draw.__name__)
def test_a_picture_comes_with_words(draw: Callable[[], Picture]) -> None:
    data, metadata = draw()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert len(str(data["text/plain"])) > 40


def test_the_answers_belong_to_the_courses_priors_and_scenes() -> None:
    answers = load_ssd_answers()
    assert torch.allclose(answers.priors, truth.make_priors(FEATURE_SIZES, SCALES, RATIOS))
    _, boxes, labels = load_scenes("validation")
    for n, (classes, objects) in enumerate(zip(answers.classes, answers.objects, strict=True)):
        expected, owners = truth.match_priors(boxes[n], labels[n], answers.priors)
        assert torch.equal(classes, expected)
        assert torch.equal(objects[classes > 0], owners[classes > 0])


def test_the_texts_numbers_of_the_loss() -> None:
    answers = load_ssd_answers()
    fresh = ssd_plots.parts_of(answers.fresh_entropies, answers.classes)
    counts = [len(part) for part in fresh.values()]
    assert counts == [1170, 3510, 38328]
    negatives = torch.cat([fresh["hard negatives"], fresh["other negatives"]])
    means = [fresh["positives"].mean(), negatives.mean(), fresh["hard negatives"].mean()]
    assert [round(float(mean), 2) for mean in means] == [2.50, 2.49, 3.20]
    assert round(float(means[0] + 3 * means[2]), 1) == 12.1
    assert round(4 * log(11), 2) == 9.59
    shares = ssd_plots.draw_shares().alt
    for words in ("positives 3%", "other negatives 87%", "hard negatives 79%", "negatives 5%"):
        assert words in shares


def test_hard_negatives_lie_near_digits() -> None:
    answers = load_ssd_answers()
    boxes = load_scenes("validation")[1]
    corners = box_convert(answers.priors, "cxcywh", "xyxy")
    hard, others = [], []
    for n, (costs, classes) in enumerate(zip(answers.entropies, answers.classes, strict=True)):
        near = box_iou(corners, boxes[n]).max(1).values[classes == 0] > 0.3
        order = costs[classes == 0].argsort(descending=True)
        count = 3 * int((classes > 0).sum())
        hard.append(near[order[:count]])
        others.append(near[order[count:]])
    shares = [float(torch.cat(part).float().mean()) for part in (hard, others)]
    assert shares == pytest.approx([4 / 5, 1 / 9], abs=0.01)


def test_the_texts_numbers_of_offsets() -> None:
    plain, scaled = box_plots.offsets_of_positives()
    spreads = [float(x[:, c].std()) for x in (plain, scaled) for c in (slice(2), slice(2, 4))]
    assert [round(x, 2) for x in spreads] == [0.14, 0.23, 1.38, 1.17]


def test_the_matching_by_hand_is_the_courses() -> None:
    chosen, ious = ssd_plots.chosen_priors()
    _, boxes, labels = (part[ssd_plots.MATCHED] for part in load_scenes("train"))
    priors = load_ssd_answers().priors
    assert torch.allclose(box_iou(box_convert(priors[chosen], "cxcywh", "xyxy"), boxes), ious)
    classes, _ = truth.match_priors(boxes, labels, priors)
    assert classes[chosen].tolist() == [0, 5, 2, 6, 6, 0, 5]
    # Only its claim makes the best prior of the 1 positive.
    assert float(ious[:, 1].max()) < 0.5
    assert [int((classes == label).sum()) for label in (5, 2, 6)] == [5, 1, 10]


def test_suppression_shows_a_box_that_only_dropped_ones_would_drop() -> None:
    boxes, scores = suppression_steps.candidates()
    stay, settled = suppression_steps.steps_of(boxes, scores)
    kept = truth.nms(boxes, scores, suppression_steps.THRESHOLD)
    assert stay == kept.tolist()
    assert [settled.count(step) for step in range(len(stay))] == [5, 5, 1]
    near = box_iou(boxes[stay[-1:]], boxes)[0] > suppression_steps.THRESHOLD
    better = [n for n in range(stay[-1]) if bool(near[n])]
    assert better
    assert not set(better) & set(stay)


def test_the_ranked_list_is_measured_as_the_text_says() -> None:
    ranked = precision_plots.ranked_list()
    hits = [n + 1 for n, right in enumerate(ranked.right.tolist()) if right]
    assert hits == [1, 4, 6, 7]
    assert ranked.result.objects == 5
    by_hand = 1 / 5 + 3 / 5 * 4 / 7
    assert ranked.result.average_precision == pytest.approx(by_hand)
    assert round(by_hand, 3) == 0.543
    assert round(float(ranked.ious[1]), 2) == 0.47


def test_a_truth_a_hit_and_a_false_positive_differ_in_their_dashes() -> None:
    box, other = [0.1, 0.1, 0.5, 0.5], [0.6, 0.6, 0.9, 0.9]
    target = {"boxes": torch.tensor([box]), "labels": torch.tensor([1])}
    found = {
        "boxes": torch.tensor([box, other]),
        "labels": torch.tensor([1, 1]),
        "scores": torch.tensor([0.9, 0.8]),
    }
    axes = draw_detections([torch.zeros(1, 32, 32)], [target], [found]).axes[0]
    assert len({str(patch.get_linestyle()) for patch in axes.patches}) == 3
    assert len({patch.get_edgecolor() for patch in axes.patches}) == 3


def test_labels_of_one_place_do_not_cover_each_other() -> None:
    _, (axes,) = grid_of(1, 1)
    axes.set(xlim=(0, 1), ylim=(1, 0))
    box = torch.tensor([0.3, 0.3, 0.6, 0.6])
    place_labels(axes, [Label(box, f"{n}: 0.99", "white") for n in range(6)], unit=2.0)
    places = [text.get_position() for text in axes.texts]
    width, height = size_of("0: 0.99", 2.0)
    for n, (x, y) in enumerate(places):
        for a, b in places[:n]:
            assert abs(x - a) >= width - 1e-6 or abs(y - b) >= height - 1e-6


def test_labels_of_boxes_that_lie_nowhere_leave_the_others_their_places() -> None:
    """A network that has diverged answers with them."""
    places = []
    for nowhere in ((), (float("inf"), float("nan"))):
        _, (axes,) = grid_of(1, 1)
        axes.set(xlim=(0, 1), ylim=(1, 0))
        boxes = [torch.full((4,), number) for number in nowhere]
        boxes += [torch.tensor([0.3, 0.3, 0.6, 0.6])] * 3
        place_labels(axes, [Label(box, "0.99", "white") for box in boxes], unit=2.0)
        places.append([text.get_position() for text in axes.texts])
    assert places[0] == places[1]


def test_the_texts_numbers_of_detection() -> None:
    assert "18 objects, dashed; 18 hits" in ssd_plots.draw_some_detections().alt
    answers = load_ssd_answers()
    _, boxes, labels = (part[: len(answers.trained)] for part in load_scenes("validation"))
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, labels, strict=True)]
    measured = [
        mean_average_precision(ssd_plots.survivors(answers.trained, least), truths).mean
        for least in (0.05, 0.5, 0.8)
    ]
    assert [round(one, 3) for one in measured] == [0.974, 0.940, 0.880]
