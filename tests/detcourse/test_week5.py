"""Week 5: right answers held against torchvision, the pictures' facts, short real trainings."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from harness import ReferenceWorkers, running_sandbox
from rich.console import Console
from safetensors.torch import load_file
from torchvision.models import resnet34
from torchvision.ops import sigmoid_focal_loss

from detcourse.reference import training as reference_training
from detcourse.reference.data import initial_weights
from detcourse.reference.recipes import FOCAL_RECIPES, Recipe
from detcourse.reference.subjects import subject_of
from detcourse.truth import match_priors
from detcourse.week5 import training, truth
from detgrader.course import Course, CourseError
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import Limits
from detlab import focal_plots
from detlab.sets import voc
from detlab.weeks.week5.assertions import GRIDS, RATIOS, ZOOMS

COURSE = Course.find()
WEEK = "week5_focal_loss"
UNTRAINED = """
def train_detector(loader, epochs, loss):
    next(iter(loader))
    return nn.Sequential(small_backbone(), SSDHead(64, NUM_CLASSES, width=64))
"""


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 1.0), (0.25, 2.0), (0.7, 0.5), (0.5, 0.0)])
def test_the_sum_is_torchvisions(alpha: float, gamma: float) -> None:
    rng = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(2, 30, 5, generator=rng, dtype=torch.float64)
    classes = torch.randint(0, 5, (2, 30), generator=rng)
    targets = torch.nn.functional.one_hot(classes, 5)[..., 1:].double()
    expected = sigmoid_focal_loss(logits[..., 1:], targets, alpha, gamma, "sum")
    assert torch.allclose(truth.focal_sum(logits, classes, alpha, gamma), expected)


def test_weights_are_constants() -> None:
    logits = torch.tensor([[[0.0, 1.5]]], dtype=torch.float64, requires_grad=True)
    truth.focal_sum(logits, torch.tensor([[1]]), 0.25, 2.0).backward()
    wrong = torch.sigmoid(torch.tensor(-1.5, dtype=torch.float64))
    assert torch.allclose(logits.grad[0, 0], torch.stack([0 * wrong, -0.25 * wrong**3]))


def test_the_posts_order_leaves_few_rows_on_their_own_cell() -> None:
    titles = [axes.get_title() for axes in focal_plots.draw_flattening().axes]
    assert [title.split(": ")[1].split(" rows")[0] for title in titles] == [
        *("144 of 144", "16 of 144"),
        *("36 of 36", "12 of 36"),
    ]


def test_the_pictures_answers_belong_together() -> None:
    answers = focal_plots.load_answers()
    cells = truth.anchor_cells((4, 2, 1), (0.7, 1.0, 1.3), ((1, 1), (1, 0.5), (0.5, 1)))
    assert torch.allclose(answers.anchors, cells.flatten(0, 1).float())
    parts = focal_plots.parts_of(answers.logits, answers.classes)
    assert sum(map(len, parts.values())) == 48 * 189 * 10
    assert len(parts["targets 1"]) == int((answers.classes > 0).sum())
    for found in answers.detections:
        assert not bool((found["scores"].diff() > 0).any())
    assert any(
        not torch.equal(found["scores"], found["unfiltered"]) for found in answers.detections
    )


def test_the_notebook_says_what_the_bars_show() -> None:
    """Its numbers about questions, and about whose the loss is, are the picture's."""
    words = " ".join(focal_plots.draw_shares().alt.split())
    assert "after 300 steps, γ = 0: 40% targets 1, 10% hard targets 0, 50% easy targets 0" in words
    assert "after 300 steps, γ = 1: 83% targets 1, 11% hard targets 0, 7% easy targets 0" in words
    assert "after 300 steps, γ = 2: 93% targets 1, 6% hard targets 0, 1% easy targets 0" in words
    answers = focal_plots.load_answers()
    assert answers.logits[..., 1:].numel() == 90_720
    assert int((answers.classes > 0).sum()) == 480


@pytest.mark.parametrize("name", [name for name in dir(focal_plots) if name.startswith("draw_")])
def test_every_picture_has_words(name: str) -> None:
    if getattr(getattr(focal_plots, name), "__module__", "") == focal_plots.__name__:
        assert len(getattr(focal_plots, name)().alt) > 60


def test_anchors_of_a_students_own_are_drawn_by_their_shapes() -> None:
    """In a cell any order is accepted; nine of each map's cell are drawn."""
    own = focal_plots.load_answers().anchors.view(-1, 9, 4).flip(1).reshape(-1, 4)
    first, second = focal_plots.draw_anchors(), focal_plots.draw_anchors(own)
    for one, other in zip(first.axes, second.axes, strict=True):
        drawn = [
            sorted((p.get_label(), p.get_width(), p.get_height()) for p in axes.patches)
            for axes in (one, other)
        ]
        anchors = 0 if one is first.axes[0] else 9  # the first panel is the overview
        assert len(drawn[0]) == anchors + 2 + (anchors == 0)
        assert drawn[0] == drawn[1]


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    with running_sandbox(COURSE, WEEK) as dispatcher:
        yield dispatcher


def test_a_network_that_did_not_train_finds_nothing(
    dispatcher: DispatcherClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "TRAIN_SCENES", 64)
    monkeypatch.setattr(training, "HIDDEN_SCENES", 20)
    workers = ReferenceWorkers(
        dispatcher, COURSE, WEEK, Limits(cpu_s=120, memory_mb=3072, wall_s=600)
    )
    scores = training.trained(workers(UNTRAINED), torch.Generator().manual_seed(2))
    workers.close()
    assert set(scores) == set(training.LOSSES)
    for score in scores.values():
        assert score.mean < 0.1
        assert "1 of 6 steps" in score.remark


def test_a_background_that_learned_is_told_from_one_that_did_not() -> None:
    boxes, classes = [torch.tensor([[0.1, 0.1, 0.4, 0.4]])], [torch.tensor([3])]
    anchors = truth.anchor_cells(GRIDS, ZOOMS, RATIOS).flatten(0, 1).float()
    holds = match_priors(boxes[0], classes[0], anchors)[0] > 0
    logits = torch.zeros(1, 189, 11)
    assert training.order_of_background(logits, boxes, classes, anchors) == 0.5
    logits[0, :, 0] = -holds.float()
    assert training.order_of_background(logits, boxes, classes, anchors) == 1
    logits[0, :, 0] = torch.randn(189, generator=torch.Generator().manual_seed(0))
    share = training.order_of_background(logits, boxes, classes, anchors)
    pairs = (logits[0, ~holds, 0, None] > logits[0, holds, 0]).double()
    assert share == pytest.approx(float(pairs.mean()))


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("resnet") / "resnet34.pt"
    torch.save(resnet34().state_dict(), path)
    return path


def test_a_training_that_was_stopped_goes_on_exactly(
    resnet_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = voc.read_set([(voc.DIGITS, "train")], voc.DIGIT_CLASSES)
    two = voc.ImageSet(whole.paths[:2], whole.objects[:2], whole.label_map)
    monkeypatch.setattr(reference_training, "read_sets", lambda _: (two, two, voc.DIGIT_CLASSES))
    recipe = Recipe(epochs=2, batch_size=2, rate=1e-4, frozen=2)
    monkeypatch.setitem(FOCAL_RECIPES, "digits", recipe)
    once = reference_training.one_epoch

    def stopped(subject, run, *others):
        if run.epoch == 1:  # as if by Ctrl+C
            raise KeyboardInterrupt
        return once(subject, run, *others)

    def train(out: Path) -> None:
        reference_training.train_reference(
            COURSE, "digits", resnet_file, out, Console(quiet=True), week=WEEK
        )

    train(tmp_path / "whole")
    monkeypatch.setattr(reference_training, "one_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts")
    monkeypatch.setattr(reference_training, "one_epoch", once)
    train(tmp_path / "parts")
    one, other = (load_file(tmp_path / name / f"{WEEK}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    before = torch.load(resnet_file, weights_only=True)
    assert torch.equal(one["0.stages.1.0.conv1.weight"], before["layer1.0.conv1.weight"])
    assert not torch.equal(one["0.stages.4.0.conv1.weight"], before["layer4.0.conv1.weight"])


def test_processes_train_one_network_together(resnet_file: Path, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
        *("-m", "detgrader", "train-reference", WEEK, "--data", "digits", "--epochs", "1"),
        *("--weights", str(resnet_file), "--out", str(tmp_path)),
    ]
    threads = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=COURSE.root, env=threads, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mAP") == 1  # only one of them talks
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2
    assert json.loads((tmp_path / "last.json").read_text())["processes"] == 2
    assert json.loads((tmp_path / "results.json").read_text())["iterations"] == 5
    with pytest.raises(CourseError, match="of another training"):
        reference_training.train_reference(
            COURSE, "digits", resnet_file, tmp_path, Console(quiet=True), epochs=1, week=WEEK
        )


def test_what_is_no_resnet_is_named(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(CourseError, match=r"it has no layer4.*is it a ResNet-34 of torchvision"):
        initial_weights(tmp_path / "other.pt", "resnet34")
    with pytest.raises(CourseError, match="week3_mnist_ssd"):
        subject_of(COURSE, "week3_mnist_ssd")
