"""The tools that run beside a student's code, the budget of a training, and the measures."""

import functools
import math
import sys
import threading

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torchvision
from tqdm import tqdm

from detgrader.sandbox.watch import WatchThread
from detlab.checking.student import Student
from detlab.checking.tools import calls, figures, networks, tools_of
from detlab.checking.workbench import Workbench
from detlab.metrics import label_accuracy, mean_iou
from detlab.weeks import training_tools
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.week2 import tools as week2


def steps_of(function, count: int) -> int:
    return calls.count_steps(function, [torch.rand(count)], [torch.rand(3)])["steps"]


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
    few, many = (steps_of(loops, n) for n in (4, 400))
    assert many > 4 * few


def test_steps_of_a_vectorised_function_do_not_grow() -> None:
    few, many = (steps_of(vectorised, n) for n in (4, 400))
    assert 0 < few == many


def test_a_function_that_stops_the_count_is_noticed() -> None:
    def stops(x):
        import sys

        sys.settrace(None)

    assert calls.count_steps(stops, [1], [1])["steps"] == -1


def test_what_was_remembered_is_no_help_and_the_counted_answer_is_returned() -> None:
    @functools.cache
    def listed(count: int) -> list[int]:
        return [n for n in range(count)]

    def remembering(x):
        return torch.tensor(listed(len(x)))

    few, many = (steps_of(remembering, n) for n in (4, 400))
    assert many > few + 300
    result = calls.count_steps(remembering, [torch.rand(5)], [torch.rand(2)])["result"]
    assert result.tolist() == [0, 1, 2, 3, 4]


def test_a_loop_in_a_thread_is_counted_and_a_thread_from_before_is_noticed() -> None:
    def in_a_thread(x):
        thread = threading.Thread(target=nested_loops, args=(x,))
        thread.start()
        thread.join()

    assert steps_of(in_a_thread, 40) > 4 * steps_of(in_a_thread, 4)
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        told = calls.count_steps(vectorised, [torch.rand(4)], [torch.rand(3)])
        assert told["threads"] > 1
        # As in a notebook, whose kernel has threads of its own: steps are counted all the same.
        assert steps_of(nested_loops, 40) > 4 * steps_of(nested_loops, 4) > 0
    finally:
        end.set()
        thread.join()


def test_a_graders_watch_is_no_thread_of_a_known_mistakes() -> None:
    """While a mistake is asked the next submission's worker runs, and is watched."""
    end = threading.Event()
    thread = WatchThread(target=end.wait)
    thread.start()
    try:
        assert calls.count_steps(vectorised, [torch.rand(4)], [torch.rand(3)])["threads"] == 1
    finally:
        end.set()
        thread.join()


def test_a_training_is_recorded_by_calls_backward_passes_and_steps() -> None:
    net = torch.nn.Linear(2, 1, bias=False)
    record = training_tools.record_training(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    before = net.weight.detach().clone()
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    told = training_tools.training_record(record)
    net(torch.ones(1, 2)).sum().backward()  # after the record was read: not noted
    optimizer.step()
    assert [len(told[name]) for name in ("weights", "backward", "steps")] == [2, 2, 2]
    assert torch.equal(told["weights"][0][0], before)
    assert torch.equal(told["steps"][0], torch.ones(1, 2))


def test_of_several_backward_passes_before_a_step_the_last_one_counts() -> None:
    net = torch.nn.Linear(2, 1, bias=False)
    record = training_tools.record_training(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for passes in (2, 1, 3):
        optimizer.zero_grad()
        for _ in range(passes):
            net(torch.ones(1, 2)).sum().backward()
        net.weight.grad.fill_(9)  # what is done to it afterwards
        optimizer.step()
    told = training_tools.training_record(record)
    assert [float(gradient[0, 0]) for gradient in told["backward"]] == [2, 1, 3]
    assert [float(gradient[0, 0]) for gradient in told["steps"]] == [9, 9, 9]


def test_a_bar_is_told_from_printing() -> None:
    def bar(total: int) -> None:
        for _ in tqdm(range(total)):
            pass

    def wiped_away(total: int) -> None:
        for _ in tqdm(range(total), leave=False):
            pass

    def printing(total: int) -> None:
        for n in range(total):
            print(n, "of", total)

    assert calls.call_and_listen(bar, [3])["bar"] is True
    assert calls.call_and_listen(wiped_away, [3])["bar"] is True
    assert calls.call_and_listen(printing, [3])["bar"] is False


def picture(extent=None, origin: str = "upper"):
    figure, axes = plt.subplots()
    axes.imshow(np.zeros((4, 8)), extent=extent, origin=origin)
    return figure, axes


@pytest.mark.parametrize(
    ("extent", "corner", "sides"),
    [
        (None, (1.5, 0.5), (4, 2)),  # pixels, as imshow has them
        ((0, 8, 4, 0), (2, 1), (4, 2)),
        ((0, 1, 1, 0), (0.25, 0.25), (0.5, 0.5)),
        ((0, 8, 4, 0), (2, 3), (4, -2)),  # from the lower left corner up
    ],
)
def test_rectangles_are_told_in_pixels_of_the_image(extent, corner, sides) -> None:
    figure, axes = picture(extent)
    axes.add_patch(plt.Rectangle(corner, *sides, fill=False, ec="red"))
    axes.add_patch(plt.Rectangle(corner, *sides, fill=False, ec="red", lw=0))  # not to be seen
    (told,) = figures.describe_figure(figure)["axes"]
    (rectangle,) = told["rectangles"]
    assert rectangle["box"] == pytest.approx((2, 1, 6, 3))
    assert (told["images"][0]["upright"], told["images"][0]["whole"]) == (True, True)
    plt.close(figure)


@pytest.mark.parametrize("turned", [False, True])
def test_rectangles_count_from_the_edge_that_is_seen_on_top(turned) -> None:
    """An image that is turned over twice, by its rows and by its origin, is the same image."""
    figure, axes = picture((0, 8, 4, 0), "lower" if turned else "upper")
    axes.add_patch(plt.Rectangle((2, 1), 4, 2, fill=False, ec="red"))
    axes.text(2, 1, "here")
    (told,) = figures.describe_figure(figure)["axes"]
    assert told["images"][0]["upright"] is not turned
    assert told["rectangles"][0]["box"] == pytest.approx((2, 1, 6, 3))
    assert told["texts"][0]["at"] == pytest.approx((2, 1))
    plt.close(figure)


def test_images_upside_down_or_cut_are_told() -> None:
    figure, axes = picture(origin="lower")
    axes.set_xlim(0, 3)
    axes.set_title("left", loc="left")
    figure.supxlabel("step")
    (told,) = figures.describe_figure(figure)["axes"]
    assert (told["images"][0]["upright"], told["images"][0]["whole"]) == (False, False)
    assert (told["title"], told["xlabel"], told["ylabel"]) == ("left", "step", "")
    axes.set_visible(False)
    assert figures.describe_figure(figure)["axes"] == []
    plt.close(figure)


def test_gradient_tells_what_is_cut_off() -> None:
    x = torch.tensor([1.0, 2.0])
    assert torch.equal(networks.gradient(lambda y: (y * y).sum(), x), 2 * x)
    assert networks.gradient(lambda y: torch.tensor(y.sum().item()), x) is None
    assert not x.requires_grad


def test_gradients_of_several_arguments() -> None:
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    gradients = networks.gradients(
        lambda a, b, c: (a * c).sum() + 0 * b.detach().sum(), [x, y, y], 2
    )
    assert torch.equal(gradients[0], y)
    assert gradients[1] is None


def test_it_is_seen_whose_code_a_call_runs() -> None:
    """Wrapped, renamed or called as a compiled operation: torchvision's work is torchvision's."""
    boxes, scores = torch.rand(4, 4), torch.rand(4)
    own = calls.call_and_watch(lambda b: b.clamp(min=0.5).sum(), [boxes])
    assert not {"torchvision", "detlab"} & set(own["packages"])
    assert torch.equal(own["result"], boxes.clamp(min=0.5).sum())
    compiled = torch.ops.torchvision.nms
    for function, arguments in (
        (torchvision.ops.nms, [boxes, scores, 0.5]),
        (lambda *given: compiled(*given), [boxes, scores, 0.5]),
        (lambda b: getattr(torchvision.ops, "box_" + "iou")(b, b), [boxes]),
    ):
        assert "torchvision" in calls.call_and_watch(function, arguments)["packages"]
    measured = calls.call_and_watch(mean_iou, [boxes.sort(1).values, boxes.sort(1).values])
    assert "detlab" in measured["packages"]


def test_a_call_that_raises_ends_the_watch() -> None:
    with pytest.raises(ZeroDivisionError):
        calls.call_and_watch(lambda: 1 / 0, [])
    assert sys.getprofile() is None


def test_loader_keeps_lists_beside_their_images() -> None:
    loader = BudgetedLoader(batch_size=4, max_steps=100, cpu_s=1000.0, seed=0)
    for n in range(6):
        image = torch.full((1, 1, 2, 2), float(n))
        loader.add(image, [torch.full((n, 4), float(n))], [torch.full((n,), n)])
    seen = []
    for images, boxes, labels in loader:
        assert images.dtype == torch.float32
        for image, some, names in zip(images, boxes, labels, strict=True):
            n = int(image[0, 0, 0])
            assert some.shape == (n, 4)
            assert names.tolist() == [n] * n
            seen.append(n)
    assert sorted(seen) == list(range(6))


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
        assert torch.equal(pixels.float(), numbers)
        orders.append(numbers.tolist())
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    assert orders[0] != orders[1]
    assert len(loader) == 3


def test_loader_ends_with_its_steps_and_with_its_time() -> None:
    loader = loader_of(10, max_steps=4)
    assert [len(list(loader)) for _ in range(3)] == [3, 1, 0]
    assert loader.progress == (4, 4, False)
    late = loader_of(10, cpu_s=0.0)
    assert list(late) == []
    assert late.progress == (0, 100, True)


def test_what_a_loader_offers_is_counted_where_it_lies() -> None:
    bench = Workbench({"passed": lambda loader: [x[0].shape[0] for x in loader]}, tools_of([week2]))
    student, loader = Student(bench.perform_here), loader_of(10, max_steps=4)
    theirs = offer(student, loader)
    assert student.passed(loader=theirs) == [4, 4, 2]
    # Whatever is done to what is there, no more than four steps are given.
    for taken in ([4], []):
        for there in bench.objects.values():
            vars(there).update({"steps": 0, "progress": (0, 100, False), "max_steps": 100})
        assert student.passed(loader=theirs) == taken
    assert loader.progress == (4, 4, False)


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
