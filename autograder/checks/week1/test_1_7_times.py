"""Task 1.7: both procedures measured and plotted. The seconds themselves are never judged."""

import pytest
import torch
from torch import nn

from detcourse.week1.nets import randint
from detlab.checking.given import expect_without_gradients, given_module
from detlab.checking.replies import axes_of
from detlab.checking.student import Student
from detlab.weeks.week1.assertions import check_rows, check_times_figure

pytestmark = pytest.mark.task("1.7", points=4)


@pytest.mark.weight(1)
def test_time_both(student: Student, rng: torch.Generator, names: frozenset[str]) -> None:
    """The rows of `time_both`, and what it runs for each side."""
    sides = [14, randint(rng, 15, 17), randint(rng, 18, 19)]  # each window is a question
    net, net_calls = given_module(student, nn.Sequential(nn.Flatten(), nn.Linear(588, 4)))
    twin, twin_calls = given_module(student, nn.Conv2d(3, 4, 14, stride=2))
    rows = student.time_both(net=net, twin=twin, sides=sides)
    check_rows(rows, sides, net_calls, twin_calls)
    expect_without_gradients(names, "`time_both`")


@pytest.mark.weight(1)
def test_plot_times(student: Student, rng: torch.Generator) -> None:
    """The figure of `plot_times`."""
    rows, side = [], 14
    for _ in range(randint(rng, 3, 6)):
        times = torch.rand(2, generator=rng).double().add(0.1).mul(1e-3).tolist()
        keys = {"sequential_s": times[0], "convolutional_s": times[1]}
        rows.append({"side": side, **keys, "ratio": times[0] / times[1]})
        side += randint(rng, 1, 20)
    figure = student.plot_times(rows=rows)
    check_times_figure(axes_of(student, figure, "`plot_times`' result"), rows)
