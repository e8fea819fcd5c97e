"""Week 3's graded trainings, for real and in the sandbox, but shorter than a student's."""

from collections.abc import Iterator

import pytest
import torch
from harness import ReferenceWorkers, running_sandbox

from detcourse.week3 import training
from detgrader.course import Course
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import Limits
from detlab.checking.expect import CheckFailure

COURSE = Course.find()
WEEK = "week3_mnist_ssd"
UNTRAINED = "def train_ssd(loader, epochs):\n    return SSD(num_classes=NUM_CLASSES)\n"
# What a course once published: x from the row, y from the column.
TRANSPOSED = """
make_priors_as_they_are = make_priors
def make_priors(feature_sizes, scales, ratios):
    return make_priors_as_they_are(feature_sizes, scales, ratios)[:, [1, 0, 2, 3]]
"""
NOT_A_NUMBER = """
def train_ssd(loader, epochs):
    ssd = SSD(num_classes=NUM_CLASSES)
    with torch.no_grad():
        next(ssd.parameters()).fill_(float("nan"))
    return ssd
"""


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    with running_sandbox(COURSE, WEEK) as dispatcher:
        yield dispatcher


@pytest.fixture
def student_with(dispatcher: DispatcherClient) -> Iterator[ReferenceWorkers]:
    workers = ReferenceWorkers(
        dispatcher, COURSE, WEEK, Limits(cpu_s=120, memory_mb=3072, wall_s=600)
    )
    yield workers
    workers.close()


@pytest.fixture(autouse=True)
def few_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TRAIN_SCENES", 1600)
    monkeypatch.setattr(training, "EPOCHS", 2)
    monkeypatch.setattr(training, "HIDDEN_SCENES", 200)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_reference_learns_a_batch_by_heart(student_with) -> None:
    score = training.learned_by_heart(student_with(), rng())
    assert score.loss < 0.5
    assert score.mean > 0.95


def test_the_reference_finds_unseen_digits(student_with) -> None:
    student = student_with()
    score = training.trained(student, rng())
    # An eighth of the grader's training.
    assert score.mean > 0.8
    assert score.remark == ""
    # Once for all checks: the second asks nothing of the student.
    assert training.trained(student, torch.Generator()) is score


def test_transposed_priors_earn_nothing(student_with) -> None:
    """A network can learn around them, to an mAP of 0.84; so the priors are looked at."""
    with pytest.raises(CheckFailure, match="transposed"):
        training.trained(student_with(TRANSPOSED), rng())


def test_an_untrained_network_is_told_so(student_with) -> None:
    score = training.trained(student_with(UNTRAINED), rng())
    assert score.mean < 0.05
    assert "took 0 of 100 steps" in score.remark
    assert "learned nothing" in score.remark


def test_nan_is_told(student_with) -> None:
    with pytest.raises(CheckFailure, match="NaN or infinity"):
        training.trained(student_with(NOT_A_NUMBER), rng())


def test_hidden_labels_never_enter_the_worker(student_with) -> None:
    sent = []
    student = student_with(UNTRAINED)
    perform = student.perform

    def listening(*request):
        sent.append(request)
        return perform(*request)

    student.perform = listening
    training.trained(student, rng())
    # After the training there is nothing but images: no boxes, no labels.
    last = max(n for n, request in enumerate(sent) if request[:2] == ("call", "train_ssd"))
    tensors = [part for r in sent[last + 1 :] for part in flat(r) if isinstance(part, torch.Tensor)]
    assert all(tensor.dim() == 4 for tensor in tensors)
    assert sum(map(len, tensors)) == 200


def flat(value: object) -> Iterator[object]:
    """Yield what containers hold."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from flat(item)
    else:
        yield value
