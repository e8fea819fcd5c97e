"""No point rests on what runs beside a student's code.

Each of these answers is wrong, and the tools that a check has run beside it say what its author
likes: they stand in the student's process, where anything can be replaced. The source's tripwire is
not asked here, nor is a sandbox; the checks must see it by themselves. The right answer passes.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from detgrader.assignment import Assignment, load_assignment
from detgrader.course import Course
from detgrader.grading.diagnosis import names_in
from detgrader.grading.mistakes import Restarted, bench_on, with_own_chance
from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status
from detgrader.grading.session import CheckSession, Subject, run_session
from detgrader.intake import Submission
from detgrader.reference import reference_submission
from detlab.checking.labels import week_of
from detlab.checking.notebook import CodeCell
from detlab.checking.student import Student
from detlab.checking.tools import tools_of
from detlab.checking.tools.figures import describe_figure
from detlab.checking.workbench import Workbench
from detlab.weeks.week5.tools import layers_called

WEEKS = {
    1: "week1_sliding_window",
    2: "week2_mnist_localization",
    3: "week3_mnist_ssd",
    4: "week4_ssd300",
    5: "week5_focal_loss",
}


@dataclass(frozen=True)
class Trick:
    """A wrong answer, and the lies that are to cover it.

    Attributes:
        check: part of the name of the check that must not pass.
        code: laid over the reference.
        lies: tools of the student's making, by name.
    """

    name: str
    task: str
    check: str
    code: str
    lies: dict[str, Callable[..., Any]] = field(default_factory=dict)


def blank(figure: Any) -> Any:
    """Describe a figure as if it showed what its `said` says, on pixels that show nothing."""
    told = describe_figure(figure.said)
    return told | {"pixels": np.full_like(told["pixels"], 255)}


def under_one_name(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell of three output blocks as if they were the first."""
    return [one | {"name": re.sub(r"out\\.\\d", "out.0", one["name"])} for one in layers]


BLANK = """
_drawn = {function}
def {function}(*given, **named):
    figure = plt.figure()
    figure.said = _drawn(*given, **named)
    return figure
"""
NO_STEP = """
def train(net, loader, loss_terms, epochs):
    net.train()
    history = []
    for _ in range(epochs):
        for images, targets in tqdm(loader):
            terms = loss_terms(net(images), targets)
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
"""
LOOPS = """
_many = encode_targets
def encode_targets(boxes, labels, grid):
    return torch.cat([_many(boxes[n : n + 1], labels[n : n + 1], grid) for n in range(len(boxes))])
"""
CONSTANT_PARTS = """
class AuxiliaryConvolutions(nn.Module):
    def forward(self, conv7):
        sizes = ((512, 10), (256, 5), (256, 3), (256, 1))
        return [torch.zeros(len(conv7), channels, side, side) for channels, side in sizes]
"""
SINGLE_NUMBER = """
class SSD300(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.classes, self.number = num_classes, nn.Parameter(torch.ones(1))

    def forward(self, images):
        level = self.number * images.mean((1, 2, 3))[:, None, None]
        return level * torch.ones(8732, 4), level * torch.ones(8732, self.classes)
"""
NO_OPTIMIZER = """
class Idle(torch.optim.SGD):
    def step(self, closure=None):
        pass
def make_optimizer(net):
    return Idle(net.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
"""
NEVER_FROZEN = """
class Backbone(Backbone):
    def freeze(self, stages):
        pass
"""
THREE_OUTPUT_BLOCKS = """
class SSDHead(SSDHead):
    def __init__(self, channels_in, num_classes, width=256, drop=0.1, bias=-4.0):
        super().__init__(channels_in, num_classes, width, drop, bias)
        self.out = nn.ModuleList(
            OutputBlock(width, PER_CELL, num_classes, bias) for _ in range(3)
        )

    def forward(self, features):
        features, answers = self.first(features), []
        for block, out in zip(self.smaller, self.out):
            features = block(features)
            answers.append(out(features))
        activations, logits = zip(*answers)
        return torch.cat(activations, 1), torch.cat(logits, 1)
"""
NUMBERED_CHECKPOINTS = """
KEPT = []
def save_checkpoint(file, net, optimizer, schedule, iteration):
    from copy import deepcopy
    parts = (net.state_dict(), optimizer.state_dict(), schedule.state_dict())
    KEPT.append((*deepcopy(parts), torch.get_rng_state(), iteration))
    file.write(bytes([len(KEPT) - 1]))
def load_checkpoint(file, net, optimizer, schedule):
    *states, chance, iteration = KEPT[file.read()[0]]
    for part, state in zip((net, optimizer, schedule), states):
        part.load_state_dict(state)
    torch.set_rng_state(chance)
    return iteration
"""
DEAD = """
_base = BaseConvolutions
class BaseConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.spare = _base(), nn.Parameter(torch.randn(7, 7))
    def forward(self, images):
        return self.used(images)
"""
DETACHED = """
_parts = AuxiliaryConvolutions
class AuxiliaryConvolutions(_parts):
    def forward(self, features):
        return super().forward(features.detach())
"""
OVERWRITES = """
_right = encode_offsets
def encode_offsets(boxes, priors):
    answer = _right(boxes, priors)
    boxes.mul_(2)
    return answer
"""
FROM_OUTSIDE = """
_coined = random_crop
def random_crop(image, target, generator):
    return _coined(image, target, torch.Generator().manual_seed(int(torch.randint(9999, ()))))
"""


def groups(optimizer: Any, module: Any) -> list[dict[str, Any]]:
    """Say of an optimizer what the statement wants to hear."""
    common = {"momentum": 0.9, "weight_decay": 5e-4, "dampening": 0, "nesterov": False}
    names = [name for name, _ in module.named_parameters()]
    biases = [name for name in names if name.endswith("bias")]
    others = [name for name in names if name not in biases]
    return [common | {"lr": 1e-3, "names": others}, common | {"lr": 2e-3, "names": biases}]


def float32(*_: Any) -> dict[str, Any]:
    """Say that a network answers and learns."""
    return {"dtypes": ["torch.float32"] * 2, "dead": 0}


def steep(module: Any, arguments: list, weights: list) -> dict[str, Any]:
    """Say that every parameter learns a lot."""
    parameters = list(module.parameters())
    return {
        "slopes": [1.0] * len(parameters),
        "lengths": [1.0] * len(parameters),
        "frozen": [False] * len(parameters),
        "directions": Kept([torch.randn_like(one) for one in parameters]),
        "inputs": [torch.randn_like(one) for one in flat(arguments)],
    }


def gentle(module: Any, arguments: list, weights: list) -> dict[str, Any]:
    """Say that every parameter learns, but too little to be seen."""
    return steep(module, arguments, weights) | {
        "slopes": [1e-30] * len(list(module.parameters())),
        "directions": Kept([None] * len(list(module.parameters()))),
    }


class Kept(list):
    """A list that stays beside the student's code."""


def flat(values: Any) -> list[torch.Tensor]:
    """List the tensors among values."""
    if isinstance(values, torch.Tensor):
        return [values]
    return [one for value in values for one in flat(value)]


def conv(inputs: int, outputs: int, side: int, kernel: int, stride: int, padding: int) -> dict:
    """Describe a convolution that is not there."""
    pair = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": 1}
    return {name: (value, value) for name, value in pair.items()} | {
        "in_channels": inputs,
        "out_channels": outputs,
        "groups": 1,
        "size": side,
        "bias": True,
        "largest": 0.1,
        "deviation": 0.1,
        "largest_bias": 0.0,
    }


def eight(module: Any, arguments: list, *_: Any) -> dict[str, Any]:
    """Describe the auxiliary convolutions of the statement."""
    rows = [(1024, 256, 19, 1, 1, 0), (256, 512, 19, 3, 2, 1), (512, 128, 10, 1, 1, 0)]
    rows += [(128, 256, 10, 3, 2, 1), (256, 128, 5, 1, 1, 0), (128, 256, 5, 3, 1, 0)]
    rows += [(256, 128, 3, 1, 1, 0), (128, 256, 3, 3, 1, 0)]
    told = [conv(*row) for row in rows]
    return {"result": module(*arguments), "convolutions": told, "same": 0}


TRICKS = [
    Trick("gradients on", "1.6", "test_python_float", """
def difference_norm(net, twin, images, size, stride):
    return float((slide(net, images, size, stride) - twin(images)).norm())
""", {"recorded": lambda record: [((1, 3, 5, 5), False)]}),
    Trick("nothing measured", "1.7", "test_time_both", """
def time_both(net, twin, sides):
    with torch.no_grad():
        pair = {"sequential_s": 2.0, "convolutional_s": 1.0}
        return [{"side": side, **pair, "ratio": 2.0} for side in sides]
""", {"recorded": lambda record: [((9999, 3, side, side), False) for side in range(14, 60)]}),
    Trick("a blank figure", "1.7", "test_plot_times", BLANK.format(function="plot_times"),
          {"describe_figure": blank}),
    Trick("layers run", "1.9", "test_reads_only", """
_read = window_grid
def window_grid(layers, input_size):
    layers = list(layers)
    with torch.no_grad():
        nn.Sequential(*layers)(torch.zeros(1, 1, *input_size))
    return _read(layers, input_size)
""", {"recorded": lambda record: []}),
    Trick("a loop", "2.4", "test_vectorised", LOOPS, {
        "count_steps": lambda function, given, warm: {
            "steps": 99, "result": function(*given), "threads": 1
        }
    }),
    *(
        Trick(f"no step: {check}", "2.6", f"test_{check}", NO_STEP, {
            "training_record": lambda record: {"weights": [], "backward": [], "steps": []},
            "call_and_listen": lambda function, given: {"bar": True, "printed": 9, "result": 0},
        })
        for check in (
            "history", "every_batch_moves", "every_epoch_draws_anew", "steps",
            "all_parameters_learn", "learns", "progress",
        )
    ),
    Trick("a blank figure", "2.8", "test_figure", BLANK.format(function="show_predictions"),
          {"describe_figure": blank}),
    Trick("a parameter that is not used", "3.5", "test_can_learn", DEAD,
          {"slopes": steep, "learning_of": float32}),
    Trick("a part cut off", "3.5", "test_can_learn", DETACHED,
          {"slopes": steep, "learning_of": float32}),
    Trick("a part cut off, in small numbers", "3.5", "test_can_learn", DETACHED,
          {"slopes": gentle, "learning_of": float32}),
    Trick("arguments overwritten", "3.6", "test_encode", OVERWRITES),
    Trick("chance from outside", "4.2", "test_chance_of_the_generator", FROM_OUTSIDE),
    *(
        Trick(f"no convolution: {check}", "4.4", f"test_{check}", CONSTANT_PARTS, {
            "convolutions_of": eight,
            "slopes": steep,
            "weights_called": lambda module, given, numbers: [
                (torch.rand(4, 3, 3, 3), torch.zeros(4)) for _ in numbers
            ],
        })
        for check in ("values", "learning", "fresh_weights")
    ),
    Trick("a single number", "4.6", "test_network", SINGLE_NUMBER, {"slopes": steep}),
    Trick("a single number learns", "4.6", "test_learning", SINGLE_NUMBER, {"slopes": steep}),
    Trick("no optimizer", "4.9", "test_optimizer", NO_OPTIMIZER, {"groups_of": groups}),
    Trick("no schedule", "4.9", "test_schedule", """
def make_schedule(optimizer):
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
"""),
    Trick("a number for a checkpoint", "4.9", "test_resume", NUMBERED_CHECKPOINTS),
    Trick("never frozen, no step", "5.3", "test_frozen_weights", NEVER_FROZEN,
          {"step_downhill": lambda *_: None}),
    Trick("three blocks under one name", "5.3", "test_head", THREE_OUTPUT_BLOCKS,
          {"layers_called": lambda *given: under_one_name(layers_called(*given))}),
    Trick("nothing drawn", "5.6", "test_display", BLANK.format(function="show_detections"),
          {"describe_figure": blank}),
]  # fmt: skip


@cache
def week_and_reference(number: int) -> tuple[Course, Assignment, Submission, dict[str, Any]]:
    """Load a week, its right answers and its tools."""
    course = Course.find()
    week = WEEKS[number]
    importlib.import_module(course.settings.weeks)
    assignment = load_assignment(course, week)
    tools = tools_of(importlib.import_module(name) for name in course.tool_modules(week))
    return course, assignment, reference_submission(course, assignment), tools


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be heard of bars and prints."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(None):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stderr(io.StringIO()):
            yield


def outcomes(trick: Trick, wrong: bool) -> list[Outcome]:
    """Run the trick's checks on the right answer, or on the trick."""
    course, assignment, reference, tools = week_and_reference(week_of(trick.task))
    task = next(one for one in assignment.tasks if one.label == trick.task)
    cells = [CodeCell("setup", assignment.setup), *reference.up_to(task.code_cells[-1])]
    names = names_in(reference, task.code_cells)
    if wrong:
        cells.append(CodeCell("trick", trick.code))
        tricked = Submission("a", "a", cells=[CodeCell(task.code_cells[-1], trick.code)])
        names = names_in(tricked, task.code_cells)
    used = tools | trick.lies if wrong else tools

    def make() -> Workbench:
        return bench_on(cells, used)

    found: list[Outcome] = []

    def work(session: CheckSession) -> None:
        for check in session.tasks[trick.task].checks:
            if check.name.startswith(trick.check):
                student = Student(with_own_chance(Restarted(make).perform))
                found.append(session.run(check, Subject(student, lambda: names)))

    os.environ["MPLBACKEND"] = "Agg"
    with quiet():
        run_session(course.checks(assignment.name), "evidence", work)
    assert found, "there is no such check"
    return found


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: f"{trick.task}: {trick.name}")
def test_lies_beside_an_answer_earn_nothing(trick: Trick) -> None:
    assert {one.status for one in outcomes(trick, wrong=True)} == {Status.FAILED}
    assert {one.status for one in outcomes(trick, wrong=False)} == {Status.PASSED}
