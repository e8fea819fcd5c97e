"""Week 2's graded training, for real and in the sandbox, but shorter than a student's."""

from collections.abc import Iterator

import pytest
import torch

from detgrader.assignment import load_assignment
from detgrader.classroom.batch import staff_folders
from detgrader.course import Course
from detgrader.overlays import reference_submission
from detgrader.sandbox.client import DispatcherClient, WorkerClient
from detgrader.sandbox.host import isolation_of, start_sandbox
from detgrader.sandbox.limits import Limits
from detlab.checking.expect import CheckFailure
from detlab.checking.student import Student
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


WORKERS: list[WorkerClient] = []


@pytest.fixture(autouse=True)
def close_workers() -> Iterator[None]:
    yield
    while WORKERS:
        WORKERS.pop().close()


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    assignment, staff = load_assignment(COURSE, WEEK), staff_folders(COURSE)
    program = isolation_of(staff)
    assert program, "the sandbox must work here: see detgrader doctor"
    with start_sandbox(1, program, staff, assignment.modules) as sandbox:
        sandbox.wait_until_ready()
        yield DispatcherClient(sandbox.controls[0])


@pytest.fixture
def training(import_checks, monkeypatch: pytest.MonkeyPatch):
    """The checks' module, with fewer images."""
    training = import_checks(WEEK, "training")
    monkeypatch.setattr(training, "COPIES", 1)
    return training


def student_with(dispatcher: DispatcherClient, code: str = "") -> Student:
    """Start a worker on the reference with some code laid over it."""
    assignment = load_assignment(COURSE, WEEK)
    worker = WorkerClient(dispatcher, Limits(cpu_s=120, memory_mb=3072, wall_s=600))
    WORKERS.append(worker)
    sources = [("setup", assignment.setup)]
    sources += [(c.name, c.source) for c in reference_submission(COURSE, assignment).cells]
    sources.append(("overlay", code))
    cells = [{"cell": n, "source": s, "definitions_only": False} for n, s in sources]
    assert not any(worker.run(cells))
    return Student(worker.perform)


def test_the_reference_learns_in_the_sandbox(dispatcher: DispatcherClient, training) -> None:
    student = student_with(dispatcher)
    student.seed(0)
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
def test_what_goes_wrong_is_told(
    dispatcher: DispatcherClient, training, code: str, says: str
) -> None:
    student = student_with(dispatcher, code)
    try:
        text = training.score_of(student, torch.Generator().manual_seed(0), epochs=1).remark
    except CheckFailure as failure:
        text = failure.message
    assert says in text


def test_a_training_that_raises_is_not_run_again(dispatcher: DispatcherClient, training) -> None:
    student = student_with(dispatcher, RAISING)
    for _ in range(2):
        with pytest.raises(StudentError, match="broken off"):
            training.score_of(student, torch.Generator().manual_seed(0), epochs=1)
    assert student.fetch("CALLS") == [1]


def test_a_spent_budget_ends_the_training_not_the_task(
    dispatcher: DispatcherClient, training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "CPU_S", 0.5)
    student = student_with(dispatcher, SLOW)
    score = training.score_of(student, torch.Generator().manual_seed(0), epochs=3)
    assert score.progress.out_of_time
    assert 0 < score.progress.steps < score.progress.max_steps
    assert "stopped after" in score.remark


def test_hidden_labels_never_enter_the_worker(dispatcher: DispatcherClient, training) -> None:
    sent = []
    student = student_with(dispatcher)
    perform = student.perform

    def listening(*request):
        sent.append(request)
        return perform(*request)

    student.perform = listening
    training.score_of(student, torch.Generator().manual_seed(0), epochs=1)
    images, _, labels = training.scenes_of(
        "hidden", training.HIDDEN_COPIES, seed_of_hidden(training)
    )
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


def seed_of_hidden(training) -> int:
    """Return the third seed that the training draws, after the digits' names."""
    rng = torch.Generator().manual_seed(0)
    torch.randperm(10, generator=rng)
    return [training.seed_from(rng) for _ in range(3)][-1]
