"""The toy week that is attacked, and how an attack is written down."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

WEEK = "week1_toy"
LABELS = ("1.1", "1.2", "1.3", "1.4")
POINTS = {"1.1": 40.0, "1.2": 30.0, "1.3": 20.0, "1.4": 10.0}

NOTEBOOK = '''\
# %% [markdown]
# # A toy week

# %% nbgrader={"grade_id": "setup"}
import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn


def check(label):
    """Stand in for the visible checks."""


# %% [markdown]
# ## Task 1.1 · Add (40 points)

# %% nbgrader={"grade_id": "task_1_1", "solution": true}
def add(first: int, second: int) -> int:
    """Return the sum."""
    ### BEGIN SOLUTION
    return first + second
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_1", "points": 40}
check("1.1")

# %% [markdown]
# ## Task 1.2 · Scale boxes (30 points)

# %% nbgrader={"grade_id": "task_1_2", "solution": true}
def scale(boxes: Tensor, factor: float) -> Tensor:
    """Return (N, 4) boxes, each number times the factor."""
    ### BEGIN SOLUTION
    return boxes * factor
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_2", "points": 30}
check("1.2")

# %% [markdown]
# ## Task 1.3 · Fit a net (20 points)

# %% nbgrader={"grade_id": "task_1_3", "solution": true}
def fit(net: nn.Module, inputs: Tensor, targets: Tensor) -> None:
    """Train the net in place until it predicts the targets."""
    ### BEGIN SOLUTION
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(60):
        optimizer.zero_grad()
        (net(inputs) - targets).square().mean().backward()
        optimizer.step()
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_3", "points": 20}
check("1.3")

# %% [markdown]
# ## Task 1.4 · Rank scores (10 points)

# %% nbgrader={"grade_id": "task_1_4", "solution": true}
def rank(scores: list[float]) -> dict:
    """Return {"best": index, "order": indices by falling score}."""
    ### BEGIN SOLUTION
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    return {"best": order[0], "order": order}
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_4", "points": 10}
check("1.4")
'''

HEAD = """\
import pytest
import torch
from torch import nn

from detlab.checking.expect import expect_close, expect_equal, expect_int, expect_keys
from detlab.checking.expect import expect_list, expect_number, fail
from detlab.checking.mirror import mirror

pytestmark = [
    pytest.mark.task("{label}", points={points}),
    pytest.mark.limits(cpu_s={cpu_s}, wall_s={wall_s}, memory_mb=1024),
]


"""

# Hidden numbers have at least six digits: no message may hold such a number.
CHECKS = {
    "1.1": '''\
@pytest.mark.weight(3)
def test_sum(student, rng):
    """`add` adds."""
    for _ in range(2):
        first, second = torch.randint(10**6, 10**7, (2,), generator=rng).tolist()
        answer = expect_number(student.add(first=first, second=second), "`add`'s result")
        if answer != first + second:
            fail("`add` does not add.", f"{first} + {second}")


def test_negative(student, rng):
    """`add` adds negative numbers."""
    first, second = torch.randint(-(10**7), -(10**6), (2,), generator=rng).tolist()
    answer = expect_number(student.add(first=first, second=second), "`add`'s result")
    if answer != first + second:
        fail("`add` does not add.", f"{first} + {second}")
''',
    "1.2": '''\
def test_scale(student, rng):
    """`scale` multiplies."""
    boxes = torch.rand(3, 4, generator=rng) + 0.1
    factor = 2 + float(torch.rand((), generator=rng))
    answer = student.scale(boxes=boxes.clone(), factor=factor)
    expect_close(answer, boxes * factor, "`scale`'s result")
''',
    "1.3": '''\
def test_fit(student, rng):
    """The net predicts after training."""
    weight = torch.rand(1, 2, generator=rng) + 1
    net = mirror(student, nn.Linear(2, 1))
    inputs, unseen = torch.randn(2, 64, 2, generator=rng)
    student.fit(net=net, inputs=inputs, targets=inputs @ weight.T)
    expect_close(net(unseen), unseen @ weight.T, "The prediction", tolerance=0.05)
''',
    "1.4": '''\
def test_rank(student, rng):
    """`rank` sorts."""
    scores = torch.rand(6, generator=rng).tolist()
    right = sorted(range(6), key=lambda n: -scores[n])
    answer = expect_keys(student.rank(scores=scores), ["best", "order"], "`rank`'s result")
    expect_equal(expect_int(answer["best"], '"best"'), right[0], '"best"')
    order = expect_list(answer["order"], '"order"', 6)
    expect_equal([expect_int(n, "each index") for n in order], right, '"order"')
''',
}
# 1.2 is where attacks sleep: it has little time. The others have so much that only a loop is late.
LIMITS = {"1.1": (1, 30), "1.2": (1, 3), "1.3": (1, 60), "1.4": (1, 60)}
STAND_INS = """\
def add(student, first, second):
    return first + second


STAND_INS = {"1.1": {"add": add}}
"""
MUTANT = '''\
"""
task: 1.1
does: subtracts
hint: Is that a minus?
"""


def add(first, second):
    return first - second
'''


SETTINGS = """\
name = "A toy"

[sandbox]
hidden_folders = ["solutions", "assignments", "autograder/checks", "tests", "data", ".git"]
hidden_packages = ["detcourse", "detlab.fast", "detlab.sets"]
visible = ["detlab"]

# Task 1.3 trains, in a second of processor time.
[warm_up]
week1_toy = ["torch._dynamo"]
"""


def course_files() -> dict[str, str]:
    """Return the files of the toy course by path."""
    files = {"course.toml": SETTINGS, f"solutions/{WEEK}/notebook.py": NOTEBOOK}
    files[f"solutions/{WEEK}/mutants/subtracts.py"] = MUTANT
    checks = "autograder/checks/week1"
    files[f"{checks}/stand_ins.py"] = STAND_INS
    for label, text in CHECKS.items():
        cpu_s, wall_s = LIMITS[label]
        head = HEAD.format(label=label, points=POINTS[label], cpu_s=cpu_s, wall_s=wall_s)
        files[f"{checks}/test_{label.replace('.', '_')}.py"] = head + text
    return files


@dataclass(frozen=True)
class Attack:
    """One form of an attack.

    Attributes:
        name: its slug in the list of attacks, a colon, its form.
        code: what is handed in as the attacked task's answer. CANARY stands for the path of
            a file that must never be made, COURSE for the folder of the course.
        task: label of the attacked task.
        status: what the task's status must be, one or several.
        says: what the message must hold.
        log: what the staff's log must hold.
        honest: the right answer stands before the code.
        helper: source of a cell that the student added at the top.
        edit: changes the notebook (its JSON) before it is handed in.
        harms: labels of other tasks that lose their points, too.
    """

    name: str
    code: str = ""
    task: str = "1.1"
    status: str | tuple[str, ...] = "failed"
    says: str = ""
    log: str = ""
    honest: bool = False
    helper: str = ""
    edit: Callable[[dict], None] | None = None
    harms: tuple[str, ...] = ()

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that the task may have."""
        return (self.status,) if isinstance(self.status, str) else self.status


def toy(name: str, code: str = "", **settings) -> Attack:
    """Write an attack down; its code may be indented."""
    return Attack(name, textwrap.dedent(code).strip("\n"), **settings)


def harmless(name: str, code: str, **settings) -> Attack:
    """Write down an attack that must have no effect: the honest answer earns everything."""
    return toy(name, code, status="passed", honest=True, **settings)


def violation(name: str, code: str, **settings) -> Attack:
    """Write down an attack that must end the worker and be told to staff."""
    return toy(name, code, status="violation", log="violation", **settings)


def returning(expression: str, setup: str = "") -> str:
    """Return an `add` that returns an expression."""
    return f"{textwrap.dedent(setup)}\n\ndef add(first, second):\n    return {expression}\n"


def calling(statement: str, then: str = "return first + second") -> str:
    """Return an `add` that does something and then answers honestly."""
    body = textwrap.indent(textwrap.dedent(statement).strip("\n"), "    ")
    return f"def add(first, second):\n{body}\n    {then}\n"
