"""The tools that run beside a student's code, the budget of a training, and the measures."""

import math

import numpy as np
import pytest
import torch

from detlab.checking import tools
from detlab.checking.loader import BudgetedLoader
from detlab.metrics import label_accuracy, mean_iou


def vectorised(x: torch.Tensor) -> torch.Tensor:
    return (x[:, None] - x).abs().sum(1)


def nested_loops(x):
    total = []
    for a in x:
        for b in x:
            total.append(a - b)
    return total


def comprehension(x):
    return torch.stack([row * 2 for row in x])


def mapped(x):
    return list(map(torch.abs, x.unbind()))


def numpy_vectorize(x):
    return np.vectorize(lambda number: number + 1)(x.numpy())


def while_on_one_line(x):
    n = len(x)
    while n:
        n -= 1
    return x


def recursion(x):
    return 0 if len(x) == 0 else 1 + recursion(x[1:])


@pytest.mark.parametrize(
    "loops", [nested_loops, comprehension, mapped, numpy_vectorize, while_on_one_line, recursion]
)
def test_steps_grow_with_a_loop_of_any_kind(loops) -> None:
    few, many = (tools.count_steps(loops, [torch.rand(n)]) for n in (4, 400))
    assert many > 4 * few


def test_steps_of_a_vectorised_function_do_not_grow() -> None:
    few, many = (tools.count_steps(vectorised, [torch.rand(n)]) for n in (4, 400))
    assert 0 < few == many


def test_a_function_that_stops_the_count_is_noticed() -> None:
    def stops(x):
        import sys

        sys.settrace(None)

    assert tools.count_steps(stops, [1]) == -1


def test_gradient_tells_what_is_cut_off() -> None:
    x = torch.tensor([1.0, 2.0])
    assert torch.equal(tools.gradient(lambda y: (y * y).sum(), x), 2 * x)
    assert tools.gradient(lambda y: torch.tensor(y.sum().item()), x) is None
    assert not x.requires_grad


def loader_of(count: int, **options) -> BudgetedLoader:
    settings = {"batch_size": 4, "max_steps": 100, "cpu_s": 1000.0, "seed": 0} | options
    loader = BudgetedLoader(**settings)
    for n in range(count):  # in parts, as they cross the pipe
        image = torch.full((1, 1, 2, 2), n, dtype=torch.uint8)
        loader.add(image, torch.tensor([[float(n)]]))
    return loader


def test_loader_gives_every_image_once_a_pass_in_new_orders() -> None:
    loader = loader_of(10)
    passes = [list(loader) for _ in range(2)]
    orders = []
    for batches in passes:
        assert [len(images) for images, _ in batches] == [4, 4, 2]
        numbers = torch.cat([targets for _, targets in batches])[:, 0]
        pixels = torch.cat([images for images, _ in batches])[:, 0, 0, 0]
        assert torch.allclose(pixels * 255, numbers)
        orders.append(numbers.tolist())
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    assert orders[0] != orders[1]
    assert len(loader) == 3


def test_loader_ends_with_its_steps_and_with_its_time() -> None:
    loader = loader_of(10, max_steps=4)
    assert [len(list(loader)) for _ in range(3)] == [3, 1, 0]
    assert tools.progress_of(loader) == (4, 4, False)
    late = loader_of(10, cpu_s=0.0)
    assert list(late) == []
    assert tools.progress_of(late) == (0, 100, True)


def test_perfect_predictions_score_one_and_wrong_ones_nothing() -> None:
    boxes = torch.tensor([[0.1, 0.2, 0.4, 0.9], [0.0, 0.0, 1.0, 0.5]])
    labels = torch.tensor([3, 7])
    assert label_accuracy(labels, labels) == 1
    assert mean_iou(boxes, boxes) == 1
    assert label_accuracy(labels.flip(0), labels) == 0
    assert mean_iou(boxes + 2, boxes) == 0
    assert mean_iou(boxes[:, [2, 3, 0, 1]], boxes) == 0
    assert mean_iou(boxes * math.nan, boxes) == 0


def test_iou_is_area_shared_by_area_covered() -> None:
    a, b = torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 1.0, 3.0, 3.0]])
    assert mean_iou(a, b) == pytest.approx(1 / 7)


def test_measures_refuse_what_does_not_pair() -> None:
    with pytest.raises(ValueError, match="do not pair"):
        label_accuracy(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="do not pair"):
        mean_iou(torch.zeros(0, 4), torch.zeros(0, 4))
