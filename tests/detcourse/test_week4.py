"""Week 4: weights that were handed in, and short real trainings, in the sandbox and outside."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from harness import ReferenceWorkers, running_sandbox
from rich.console import Console
from safetensors.torch import load_file, save_file

from detcourse.reference import training as reference_training
from detcourse.reference.data import gentle, initial_weights
from detcourse.reference.recipes import RECIPES, Recipe
from detcourse.reference.training import train_reference
from detcourse.week4 import heart, trained
from detgrader.course import Course, CourseError
from detgrader.grading.handed_in import HandedIn, read_weights
from detgrader.reference import load_reference
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import Limits
from detlab.checking.expect import CheckFailure
from detlab.checking.student import Student
from detlab.handing_in import PRIORS, save_detector
from detlab.sets import voc
from detlab.weeks.week4.tools.vgg import vgg_features

COURSE = Course.find()
WEEK = "week4_ssd300"


@pytest.fixture(scope="module")
def reference():
    return load_reference(COURSE, WEEK)


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    with running_sandbox(COURSE, WEEK) as dispatcher:
        yield dispatcher


@pytest.fixture
def student_with(dispatcher: DispatcherClient) -> Iterator[ReferenceWorkers]:
    workers = ReferenceWorkers(
        dispatcher, COURSE, WEEK, Limits(cpu_s=200, memory_mb=6144, wall_s=900)
    )
    yield workers
    workers.close()


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put two scenes of digits in the place of the blood."""
    images = voc.read_set([(voc.DIGITS, "test")], voc.DIGIT_CLASSES)
    pictures = [torch.rand(3, 40, 50) for _ in range(2)]
    targets = [one | {"labels": one["labels"] % 3 + 1} for one in images.objects[:2]]
    monkeypatch.setattr(trained, "read_images", lambda split: (pictures, targets))


# Files of weights


def refused(path: Path) -> str:
    with pytest.raises(CheckFailure) as failure:
        trained.read_weights(read_weights(path, trained.MAX_MB))
    return str(failure.value)


def test_missing_weights_are_missed_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x")
    message = refused(tmp_path / "week4_ssd300.safetensors")
    assert "no week4_ssd300.safetensors beside the notebook" in message
    assert "model.safetensors: rename it" in message


def test_weights_of_another_format_are_named_so(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    torch.save({"weight": torch.zeros(3)}, path)
    assert "cannot be read as weights" in refused(path)
    for data in (b"", b"\xff" * 200, (10**12).to_bytes(8, "little") + b"{}"):
        path.write_bytes(data)
        assert "cannot be read as weights" in refused(path)


def test_a_header_that_lies_is_no_traceback(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    header = {"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 64)
    assert "cannot be read as weights" in refused(path)


def test_oversized_weights_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with open(path, "wb") as file:
        file.truncate(200 * 10**6)
    assert "200 MB, more than 160" in refused(path)


def test_links_and_pipes_are_no_weights(tmp_path: Path) -> None:
    save_file({"w": torch.zeros(1)}, tmp_path / "real.safetensors")
    link, pipe = tmp_path / "link.safetensors", tmp_path / "pipe.safetensors"
    link.symlink_to(tmp_path / "real.safetensors")
    os.mkfifo(pipe)
    assert "ordinary file" in refused(link)
    assert "ordinary file" in refused(pipe)


@pytest.fixture(scope="module")
def good(reference, tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """What `save_detector` writes of a network with fresh weights."""
    path = tmp_path_factory.mktemp("good") / "w.safetensors"
    save_detector(reference.SSD300(4), reference.make_priors(), path)
    return load_file(path)


def told(weights: dict[str, torch.Tensor]) -> str:
    with pytest.raises(CheckFailure, match=r".") as failure:
        trained.check_fits(trained.check_numbers(weights, "w"), "w")
    return str(failure.value)


def test_weights_must_be_finite_and_fit(good: dict[str, torch.Tensor]) -> None:
    trained.check_fits(trained.check_numbers(good, "w"), "w")
    halves = {key: value.half() for key, value in good.items() if key != PRIORS}
    trained.check_fits(trained.check_numbers(halves | {PRIORS: good[PRIORS]}, "w"), "w")
    bias = good["conv6.bias"]
    own_names = {key.replace("conv", "features"): value for key, value in good.items()}
    wrong_numbers = {"offsets_1.bias": bias[:16].clone().fill_(float("inf"))}
    transposed = good[PRIORS][:, [1, 0, 3, 2]]
    for wrong, words in (
        ({k: v for k, v in good.items() if k != PRIORS}, "1 of its entries are missing (priors)"),
        (good | {"b\n\nScore: 10": bias}, "1 are not of it (b Score: 10)"),
        (own_names, "Write the file with `save_detector(net, priors, path)`"),
        (good | {"conv6.bias": bias[:3]}, "conv6.bias has shape (3,), but SSD300 for 3 classes"),
        (good | {"conv6.bias": bias.long()}, "conv6.bias is torch.int64: save float32"),
        (good | {"conv6.bias": bias.to(torch.uint16)}, "torch.uint16: save float32"),
        (good | wrong_numbers, "offsets_1.bias holds NaN or infinity"),
        (good | {PRIORS: transposed}, "w: the priors are transposed"),
    ):
        assert words in told(wrong)


def test_priors_may_have_any_form_that_their_task_allows(good: dict[str, torch.Tensor]) -> None:
    priors = good[PRIORS]
    last = priors.clone()
    last[-1, 2:] = 1.0
    swapped = priors.clone()
    swapped[:4] = priors[[3, 0, 1, 2]]
    for form in (priors.clamp(0, 1), last, swapped):
        trained.check_fits(good | {PRIORS: form}, "w")


@pytest.fixture
def handed_in(reference, tmp_path: Path) -> HandedIn:
    path = tmp_path / "w.safetensors"
    save_detector(reference.SSD300(4), reference.make_priors(), path)
    return read_weights(path, trained.MAX_MB)


def nobody(*_: object) -> None:
    raise AssertionError("no code of the student's is to run")


def test_weights_are_measured_without_any_code_of_their_owners(
    few_images, handed_in: HandedIn
) -> None:
    handed_in.path.write_bytes(b"replaced meanwhile")
    score = trained.measured(Student(nobody), handed_in)
    assert 0 <= score.mean < 0.1  # nothing was learned
    assert "WBC" in score.per_class


def test_each_image_is_measured_as_it_is_and_mirrored(
    few_images, handed_in: HandedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    average = trained.mean_average_precision
    monkeypatch.setattr(
        trained,
        "mean_average_precision",
        lambda found, truths: compared.append((found, truths)) or average(found, truths),
    )
    trained.measured(Student(nobody), handed_in)
    (found, truths), (_, known) = compared
    assert len(known) == 2  # training images, as they are
    for lists in (found, truths):
        assert len(lists) == 4
    for plain, turned in zip(truths[:2], truths[2:], strict=True):
        sides = 1 - plain["boxes"][:, [2, 1, 0, 3]]
        torch.testing.assert_close(turned["boxes"][:, [0, 2]], sides[:, [0, 2]])
        assert torch.equal(turned["boxes"][:, [1, 3]], plain["boxes"][:, [1, 3]])
        assert torch.equal(turned["labels"], plain["labels"])
    assert not torch.equal(found[0]["boxes"], found[2]["boxes"])


def test_staff_are_told_of_test_images_that_come_out_too_well() -> None:
    assert trained.remark_on(0.90, 0.95) == ""
    assert trained.remark_on(0.878, 0.856) == ""  # honest, measured
    assert "was it trained on the test images?" in trained.remark_on(0.97, 0.85)


def test_the_ready_made_network_is_not_in_sight(student_with) -> None:
    looks = """
import importlib.util
def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False
def in_sight():
    return [found(name) for name in ("torchvision.models.detection", "detlab.sets.voc",
                                     "detlab.fast.loss", "torchvision.ops")]
"""
    assert student_with(looks).in_sight() == [False, False, False, True]


# Trainings


def test_two_scenes_are_learned_for_a_few_steps(
    student_with, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heart, "TIMES", 2)
    score = heart.learned_by_heart(student_with(), torch.Generator().manual_seed(2))
    assert 0 < score.loss < 100
    assert score.remark == ""
    lazy = student_with(
        "def learn_by_heart(loader, num_classes):\n    return SSD300(num_classes)\n"
    )
    score = heart.learned_by_heart(lazy, torch.Generator().manual_seed(2))
    assert "0 of 2 steps" in score.remark


@pytest.fixture
def small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two images to train on, two to measure on, and steps of two images."""
    whole = voc.read_set([(voc.DIGITS, "train")], voc.DIGIT_CLASSES)
    two = voc.ImageSet(whole.paths[:2], whole.objects[:2], whole.label_map)
    monkeypatch.setattr(reference_training, "read_sets", lambda _: (two, two, voc.DIGIT_CLASSES))
    recipe = Recipe(epochs=2, batch_size=2, rate=1e-4, frozen=4)
    monkeypatch.setitem(RECIPES, "digits", recipe)


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    save_file(vgg_features(1), path)
    return path


def train(out: Path, weights: Path) -> None:
    train_reference(COURSE, "digits", weights, out, Console(quiet=True))


def test_a_training_that_was_stopped_goes_on_exactly(
    small_set, vgg_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "whole", vgg_file)
    once = reference_training.one_epoch

    def stopped(reference, run, *others):
        if run.epoch == 1:  # as if by Ctrl+C
            raise KeyboardInterrupt
        return once(reference, run, *others)

    monkeypatch.setattr(reference_training, "one_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", vgg_file)
    monkeypatch.setattr(reference_training, "one_epoch", once)
    train(tmp_path / "parts", vgg_file)
    one, other = (load_file(tmp_path / name / f"{WEEK}.safetensors") for name in ("whole", "parts"))
    assert all(torch.equal(one[key], other[key]) for key in one)
    for name in ("whole", "parts"):
        rows = (tmp_path / name / "log.csv").read_text().splitlines()
        assert len(rows) == 3
        assert {"curves.png", "detections.png"} <= {p.name for p in (tmp_path / name).iterdir()}
    results = json.loads((tmp_path / "parts" / "results.json").read_text())
    assert results["iterations"] == 2
    monkeypatch.setitem(RECIPES, "digits", Recipe(epochs=3, batch_size=2, rate=1e-4))
    with pytest.raises(CourseError, match="of another training"):
        train(tmp_path / "parts", vgg_file)


def test_weights_that_are_not_there_are_missed_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no such file"):
        train(tmp_path / "out", tmp_path / "vgg16.safetensors")
    assert not (tmp_path / "out").exists()


def test_weights_that_are_no_vgg_are_named(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(CourseError, match=r"no features\.0\.weight"):
        initial_weights(path)
    with pytest.raises(CourseError, match="cannot be loaded"):
        initial_weights(tmp_path / "missing.pth")


def test_images_of_one_scale_keep_their_objects(reference) -> None:
    transform, image = gentle(reference), torch.zeros(3, 60, 80)
    image[0, 10:30, 20:60] = 1.0
    target = {
        "boxes": torch.tensor([[20.0, 10.0, 60.0, 30.0]]),
        "labels": torch.tensor([1]),
        "difficult": torch.tensor([False]),
    }
    for seed in range(40):
        made, kept = transform(image, target, torch.Generator().manual_seed(seed))
        red = (made[0] - made[2]) * 0.229
        x_min, y_min, x_max, y_max = (300 * kept["boxes"][0]).round().int().tolist()
        inside = red[y_min + 4 : y_max - 4, x_min + 4 : x_max - 4]
        outside = red.clone()
        outside[max(y_min - 4, 0) : y_max + 4, max(x_min - 4, 0) : x_max + 4] = float("nan")
        rest = outside[~outside.isnan()]
        assert len(rest) == 0 or float(inside.mean()) > float(rest.max()) - 1e-3
