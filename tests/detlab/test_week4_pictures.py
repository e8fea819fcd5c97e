"""The pictures of week 4 draw, say in words what they show, and their numbers are right."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import log, prod
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import ops

from detgrader.course import Course
from detgrader.reference import load_reference
from detlab import augmentation_plots, cell_plots, ssd300_plots, suppression_plots
from detlab.detection_plots import annotate
from detlab.picture import Described
from detlab.plotting import Picture
from detlab.sets import voc

WEEK = load_reference(Course.find(), "week4_ssd300")
SIZES, SCALES, RATIOS = WEEK.FEATURE_SIZES, WEEK.SCALES, WEEK.RATIOS
PICTURES: dict[str, Callable[[], Described]] = {
    "network": lambda: ssd300_plots.draw_ssd300(SIZES, RATIOS),
    "inheritance": ssd300_plots.draw_inheritance,
    "decimation": ssd300_plots.draw_decimation,
    "dilation": lambda: ssd300_plots.draw_dilation(augmentation_plots.scene()[0]),
    "answers": lambda: ssd300_plots.draw_answers_of_a_cell(SIZES, RATIOS),
    "reaches": lambda: ssd300_plots.draw_reaches(augmentation_plots.scene()[0], SCALES, RATIOS),
    "scene": augmentation_plots.draw_scene,
    "pixels": augmentation_plots.draw_pixels,
    "distortions": augmentation_plots.draw_distortions,
    "zoom_out": augmentation_plots.draw_zoom_out,
    "tries": augmentation_plots.draw_tries,
    "flip": augmentation_plots.draw_flip,
    "cells": lambda: cell_plots.draw_cells(SCALES),
    "alpha": cell_plots.draw_alpha,
    "chain": suppression_plots.draw_chain,
    "choices": lambda: suppression_plots.draw_choices(scores=(0.2,), thresholds=(1.0, 0.45)),
    "choice": lambda: suppression_plots.draw_choice(0.2, 0.45),
}


@pytest.mark.parametrize("name", PICTURES)
def test_each_picture_draws_and_has_words(name: str) -> None:
    bundle, _ = PICTURES[name]()._repr_mimebundle_()
    png = bundle["image/png"]
    assert png.startswith(b"\x89PNG")
    assert bundle["text/plain"] in bundle["text/html"].replace("&#x27;", "'").replace("&gt;", ">")
    assert "\n" not in bundle["text/plain"]
    assert len(bundle["text/plain"]) > 60


def test_words_are_escaped() -> None:
    html = Described(Picture(), 'a "box" < 1')._repr_mimebundle_()[0]["text/html"]
    assert 'alt="a &quot;box&quot; &lt; 1"' in html


def test_the_table_counts_the_priors() -> None:
    table = ssd300_plots.table_of_maps(SIZES, SCALES, RATIOS)
    assert table.splitlines()[-1].split()[-1] == f"{len(WEEK.make_priors()):,}"
    ends = [int(end.replace(",", "")) for end in re.findall(r"to +([\d,]+)$", table, re.MULTILINE)]
    sums = torch.tensor([s**2 * (len(r) + 1) for s, r in zip(SIZES, RATIOS, strict=True)]).cumsum(0)
    assert [end + 1 for end in ends] == sums.tolist()


def test_torchvisions_network_has_the_maps_and_weights_of_this_weeks() -> None:
    assert tuple(size for _, size in ssd300_plots.sizes()) == SIZES
    assert tuple(channels for channels, _ in ssd300_plots.sizes()) == WEEK.CHANNELS
    with torch.device("meta"):
        net = WEEK.SSD300(num_classes=4)
    words = ssd300_plots.draw_inheritance().alt
    assert f"Of {ssd300_plots.count(net) / 1e6:.1f} million" in words
    assert f"in SSD300 {ssd300_plots.count(net.base) / 1e6:.1f} come" in words


def test_what_is_measured_is_what_week_1s_formula_says() -> None:
    window_grid = load_reference(Course.find(), "week1_sliding_window").window_grid
    layers: list[nn.Module] = []
    found = []
    for width, count in ((64, 2), (128, 2), (256, 3), (512, 3)):
        layers += [nn.Conv2d(width, width, 3) for _ in range(count)]
        found.append(window_grid(layers, (2000, 2000)))
        layers.append(nn.MaxPool2d(2))
    table = ssd300_plots.table_of_growth()
    for n, grid in enumerate(found, 1):
        assert re.search(rf"conv{n} +\d +{grid.size} px +{grid.stride} px", table), (n, grid)
    first = ssd300_plots.reaches()[0]
    layers[-1] = nn.Conv2d(512, 512, 3)
    grid = window_grid(layers, (2000, 2000))
    assert (first.field, first.jump) == (grid.size, grid.stride) == (108, 8)


def test_paths_are_shares_and_crowd_in_the_middle() -> None:
    for reach in ssd300_plots.reaches():
        assert float(reach.paths.sum()) == pytest.approx(1)
        assert reach.middle(0.5) < reach.middle(0.9) < reach.field
    narrow = ssd300_plots.Reach("", 1, 1, 5, torch.tensor([0.1, 0.2, 0.4, 0.2, 0.1]))
    assert [narrow.middle(share) for share in (0.3, 0.7, 0.9)] == [1, 3, 5]


def test_rows_of_a_cell_are_those_of_its_priors() -> None:
    words = ssd300_plots.draw_answers_of_a_cell(SIZES, RATIOS, n=3, cell=7).alt
    (rows,) = re.findall(r"rows ([\d,]+) to ([\d,]+) ", words)
    first, last = (int(row.replace(",", "")) for row in rows)
    centres = WEEK.make_priors()[first : last + 1, :2]
    expected = torch.tensor([2.5 / 5, 1.5 / 5]).expand(6, 2)  # cell 7 is in row 1, column 2
    torch.testing.assert_close(centres, expected)


def test_pixels_and_their_mirror_image_are_those_of_the_tasks() -> None:
    """The box that is drawn is read as in task 4.1, and mirrored as in 4.2."""
    words = augmentation_plots.draw_pixels(9, 2, 4).alt
    rows = re.findall(r"pixels (\d) to (\d), edges (\d) to (\d)", words)
    plain, mirrored = ([int(number) for number in row] for row in rows)
    boxes = []
    for first, last, *_ in (plain, mirrored):
        corners = f"<xmin>{first}</xmin><ymin>1</ymin><xmax>{last}</xmax><ymax>1</ymax>"
        xml = f"<a><object><name>a</name><bndbox>{corners}</bndbox></object></a>"
        boxes.append(WEEK.parse_annotation(xml, {"a": 1})["boxes"])
    assert boxes[0].tolist() == [[plain[2], 0, plain[3], 1]]
    assert boxes[1].tolist() == [[mirrored[2], 0, mirrored[3], 1]]
    assert torch.equal(WEEK.flip(torch.zeros(3, 1, 9), boxes[0])[1], boxes[1])


def test_tries_are_judged_as_the_task_says() -> None:
    boxes = torch.tensor(augmentation_plots.scene()[1])
    seen = []
    for one in augmentation_plots.TRIES:
        left, top, right, bottom = one.crop
        assert min(right - left, bottom - top) >= 0.3 * 300
        words, kept = augmentation_plots.verdict(one)
        best = float(ops.box_iou(torch.tensor([one.crop]).float(), boxes).max())
        centres = (boxes[:, :2] + boxes[:, 2:]) / 2
        inside = (centres > torch.tensor([left, top])) & (centres < torch.tensor([right, bottom]))
        fits = 0.5 <= (bottom - top) / (right - left) <= 2 and best >= one.least
        assert kept == (inside.all(1).nonzero()[:, 0].tolist() if fits else [])
        assert "IoU" not in words or f"{best:.2f}" in words
        seen.append(words.split(" is ")[0].split(",")[-1])
    assert len(set(seen)) >= 4  # of each reason one


def test_a_fresh_networks_loss_is_that_of_task_4_8() -> None:
    label_map = WEEK.make_label_map(voc.DIGIT_CLASSES)
    boxes, labels = [], []
    for stem in voc.read_split(voc.DIGITS, "train"):
        xml = (voc.DIGITS / "Annotations" / f"{stem}.xml").read_text()
        target = WEEK.parse_annotation(xml, label_map)
        boxes.append(target["boxes"] / 300)
        labels.append(target["labels"])
    priors = WEEK.make_priors()
    shape = len(boxes), len(priors)
    nothing = torch.zeros(*shape, 4), torch.zeros(*shape, 11)
    expected = WEEK.multibox_terms(*nothing, boxes, labels, priors)
    found = cell_plots.fresh_terms(11)
    assert found["confidence"] == pytest.approx(4 * log(11), abs=1e-3)
    for name, term in expected.items():
        # torchvision clips the sides of its priors to the image
        assert found[name] == pytest.approx(float(term), abs=0.01), name


def test_without_the_set_the_cells_say_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DETLAB_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    kept = cell_plots.draw_cells(SCALES)
    assert "`detlab data bccd`" in capsys.readouterr().out
    assert "Three images of blood with their boxes" in kept.alt
    assert min(kept.figure.size) > 500
    page = (Course.find().root / "data/README.md").read_text("utf-8")
    assert f"`{cell_plots.KEPT_SHA256}`" in page


def test_candidates_are_sorted_and_suppressed_as_by_task_4_8() -> None:
    for found in suppression_plots.load_candidates():
        assert bool((found["scores"].diff() <= 0).all())
        assert float(found["scores"].min()) >= suppression_plots.LEAST - 1e-3
        kept = suppression_plots.thin_out(found, 0.2, 0.45)
        for label in kept["labels"].unique():
            boxes = kept["boxes"][kept["labels"] == label]
            overlaps = ops.box_iou(boxes, boxes).fill_diagonal_(0)
            assert float(overlaps.max()) <= 0.45
    everything = suppression_plots.thin_out(found, 0.2, 1.0)
    assert len(everything["scores"]) == int((found["scores"] > 0.2).sum())


def test_the_text_on_thresholds_is_true() -> None:
    """All eight digits without a false box can be had, and 0.5 loses two of the first three."""
    scenes = list(
        zip(suppression_plots.load_scenes(), suppression_plots.load_candidates(), strict=True)
    )
    counts = []
    for (_, truth), candidates in scenes:
        found = suppression_plots.thin_out(candidates, 0.41, 0.2)
        counts.append((sum(suppression_plots.find_hits(truth, found)), len(found["labels"])))
    assert tuple(map(sum, zip(*counts, strict=True))) == (8, 8)
    words = suppression_plots.draw_choices().alt
    assert "score over 0.5, suppressed over 0.45: 1 of 3 found, 0 false" in words
    assert "score over 0.1, suppressed over 0.45: 3 of 3 found, 22 false" in words


def test_a_picture_of_pillows_is_described_too() -> None:
    bundle, _ = Described(Image.new("RGB", (4, 4)), "nothing")._repr_mimebundle_()
    assert 'alt="nothing"' in bundle["text/html"]


def test_annotating_changes_a_copy_and_without_detections_nothing() -> None:
    picture = Image.new("RGB", (300, 300))
    found = suppression_plots.thin_out(suppression_plots.load_candidates()[0], 0.2, 0.45)
    drawn = annotate(picture, found, voc.DIGIT_CLASSES)
    assert drawn.tobytes() != picture.tobytes() == bytes(3 * 300 * 300)
    none = {name: values[:0] for name, values in found.items()}
    assert annotate(picture, none, voc.DIGIT_CLASSES).tobytes() == picture.tobytes()


def test_labels_do_not_pile_up() -> None:
    axes = Picture().add_subplot()
    (image, truth), found = (
        suppression_plots.load_scenes()[0],
        suppression_plots.load_candidates()[0],
    )
    found = suppression_plots.thin_out(found, 0.1, 1.0)
    hits = suppression_plots.draw_found(axes, image, truth, found, voc.DIGIT_CLASSES)
    places = [text.get_position() for text in axes.texts]
    assert hits == 3
    assert prod((len(places) > 2, len(places) <= 12))
    for n, (x, y) in enumerate(places):
        assert all(abs(x - a) > 0.26 or abs(y - b) > 0.075 for a, b in places[:n])
