"""Week 2's graded training, for real and in the sandbox, but shorter than a student's."""

from collections.abc import Iterator

import pytest
import torch
from harness import ReferenceWorkers, running_sandbox

from detcourse.week2 import training
from detgrader.course import Course
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import Limits
from detlab.checking.expect import CheckFailure
from detlab.checking.workbench import StudentError

COURSE = Course.find()
WEEK = "week2_mnist_localization"
# Learns nothing, and says NaN.
BROKEN = """
def train_localizer(loader, epochs):
    net = LocalizationNet()
    for images, targets in loader:
        with torch.no_grad():
            for weights in net.parameters():
                weights *= float("nan")
        break
    return net
"""
LAZY = "def train_localizer(loader, epochs):\n    return LocalizationNet()\n"
RAISING = """
CALLS = []
def train_localizer(loader, epochs):
    CALLS.append(1)
    raise ValueError("broken off")
"""
SLOW = """
def train_localizer(loader, epochs):
    for _ in range(epochs):
        for _ in loader:
            sum(range(300_000))
    return LocalizationNet()
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
def few_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "COPIES", 1)


def test_the_reference_learns_in_the_sandbox(student_with) -> None:
    student = student_with()
    score = training.score_of(student, torch.Generator().manual_seed(0), epochs=2)
    assert score.progress == (126, 126, False)
    # A sixteenth of the grader's training; guessing gives 0.10 and about 0.15.
    assert score.accuracy > 0.5
    assert score.iou > 0.3
    assert score.remark == ""
    # Once for all checks: the second asks nothing of the student.
    assert training.score_of(student, torch.Generator(), epochs=2) is score


@pytest.mark.parametrize(
    ("code", "says"),
    [(BROKEN, "NaN or infinity"), (LAZY, "took 0 of 63 steps"), (LAZY, "learned nothing")],
)
def test_what_goes_wrong_is_told(student_with, code: str, says: str) -> None:
    student = student_with(code)
    try:
        text = training.score_of(student, torch.Generator().manual_seed(0), epochs=1).remark
    except CheckFailure as failure:
        text = failure.message
    assert says in text


def test_a_training_that_raises_is_not_run_again(student_with) -> None:
    student = student_with(RAISING)
    for _ in range(2):
        with pytest.raises(StudentError, match="broken off"):
            training.score_of(student, torch.Generator().manual_seed(0), epochs=1)
    assert student.fetch("CALLS") == [1]


def test_a_spent_budget_ends_the_training_not_the_task(
    student_with, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CPU_S", 0.5)
    student = student_with(SLOW)
    score = training.score_of(student, torch.Generator().manual_seed(0), epochs=3)
    assert score.progress.out_of_time
    assert 0 < score.progress.steps < score.progress.max_steps
    assert "stopped after" in score.remark


def test_hidden_labels_never_enter_the_worker(student_with) -> None:
    sent = []
    student = student_with()
    perform = student.perform

    def listening(*request):
        sent.append(request)
        return perform(*request)

    student.perform = listening
    training.score_of(student, torch.Generator().manual_seed(0), epochs=1)
    turn, seed = drawn_for_hidden()
    images, _, labels = training.scenes_of("hidden", training.HIDDEN_COPIES, seed, turn)
    pictures = [arguments[1][0] for request, *arguments in sent if request == "invoke"]
    # After them come a few with other pixels around a window.
    assert torch.equal(torch.cat(pictures)[: len(images)], images.float() / 255)
    tensors = [part for r in sent for part in flat(r) if isinstance(part, torch.Tensor)]
    assert not any(t.shape == labels.shape and torch.equal(t.long(), labels) for t in tensors)


def flat(value: object) -> Iterator[object]:
    """Yield what containers hold."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from flat(item)
    elif isinstance(value, dict):
        yield from flat(list(value.values()))
    else:
        yield value


def drawn_for_hidden() -> tuple[training.Turn, int]:
    """Return the turn and the third seed that the training draws, after the digits' names."""
    rng = torch.Generator().manual_seed(0)
    torch.randperm(10, generator=rng)
    turn = training.turn_of(rng)
    return turn, [training.seed_from(rng) for _ in range(3)][-1]
