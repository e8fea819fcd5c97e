"""Tools that run beside a student's objects and tell a check about them in plain data."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, equal, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader

from detlab.weeks.loaders import BudgetedLoader

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def build(description: dict[str, Any]) -> nn.Module:
    """Build a module of torch.nn from its description (see `detlab.checking.mirror`)."""
    kind = getattr(nn, description["class"])
    if "layers" in description:
        return kind(*(build(layer) for layer in description["layers"]))
    state, options = description["state"], description["options"]
    if not state:
        return kind(**options)
    floats = [value.dtype for value in state.values() if value.is_floating_point()]
    module = kind(**options, dtype=floats[0])
    module.load_state_dict(state)
    return module


def parameters(module: nn.Module) -> list[Tensor]:
    """Return a module's registered parameters, in the order of registration."""
    return list(module.parameters())


def add_to_parameters(module: nn.Module, steps: list[Tensor]) -> None:
    """Change a module's parameters in place, as an optimizer's step does."""
    with torch.no_grad():
        for parameter, step in zip(module.parameters(), steps, strict=True):
            parameter.add_(step)


def set_parameters(module: nn.Module, values: list[Tensor]) -> None:
    """Give a module's parameters other values in place."""
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(value)


def share_parameter(module: nn.Module, name: str, source: Tensor, shape: list[int]) -> None:
    """Let a module's parameter be a view of another's memory.

    Args:
        module: owner of the parameter.
        name: the parameter's name, for example "weight".
        source: a parameter with as many elements.
        shape: the view's shape.
    """
    setattr(module, name, nn.Parameter(source.detach().view(shape)))


def share_weights(module: nn.Module, source: nn.Module) -> None:
    """Let a module's weight (and bias) be views of another module's, in its own shape."""
    share_parameter(module, "weight", source.weight, list(module.weight.shape))
    if source.bias is not None:
        share_parameter(module, "bias", source.bias, list(module.bias.shape))


def layers(module: nn.Module) -> list[dict[str, Any]]:
    """Describe the direct children of a module: the class and the settings of each."""
    settings = ("in_channels", "out_channels", "in_features", "out_features", "kernel_size")
    settings += ("stride", "padding", "dilation")
    return [
        {"class": type(child).__name__, "module": child}
        | {name: getattr(child, name) for name in settings if hasattr(child, name)}
        | {"bias": getattr(child, "bias", None) is not None}
        for child in module.children()
    ]


def learning_of(module: nn.Module, images: Tensor) -> dict[str, Any]:
    """Pass images forward and backward in training mode, through all but the last result.

    Args:
        module: returns several results, the first ones tensors with gradients.

    Returns:
        "dtypes": of the results but the last; "dead": how many parameters that are to learn get no
        gradient from them.
    """
    module.train()
    module.zero_grad()
    with torch.enable_grad():
        *results, _ = module(images)
        sum((result * torch.rand_like(result)).sum() for result in results).backward()
    dead = sum(p.requires_grad and p.grad is None for p in module.parameters())
    module.eval()
    return {"dtypes": [str(result.dtype) for result in results], "dead": int(dead)}


class RecordedCalls(list):
    """What a module was called with: for each call the input's shape and whether with gradients.

    A check gets a handle to it, since it is not exactly a list, and reads it later.
    """


def record_calls(module: nn.Module) -> RecordedCalls:
    """Return a record that grows whenever the module is called."""
    calls = RecordedCalls()

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        calls.append((tuple(inputs[0].shape), torch.is_grad_enabled()))

    module.register_forward_pre_hook(note)
    return calls


def recorded(record: RecordedCalls) -> list:
    """Return what was recorded so far."""
    return list(record)


def state(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and buffers by name."""
    return dict(module.state_dict())


def set_training(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def generator(seed: int) -> torch.Generator:
    """Return a fresh generator of random numbers."""
    return torch.Generator().manual_seed(seed)


def gradient(function: Callable[..., Tensor], first: Tensor, *others: Any) -> Tensor | None:
    """Differentiate a function's scalar result by its first argument; None if they are cut off."""
    return gradients(function, [first, *others], 1)[0]


def gradients(function: Callable[..., Tensor], arguments: list, count: int) -> list[Tensor | None]:
    """Differentiate a function's scalar result by its first arguments.

    Returns:
        For each of the `count` first arguments the gradient, None where it is cut off.
    """
    leaves = [argument.clone().requires_grad_() for argument in arguments[:count]]
    with torch.enable_grad():
        value = function(*leaves, *arguments[count:])
        if value.requires_grad:
            value.backward()
    return [leaf.grad for leaf in leaves]


LARGE = 1 << 26  # bytes; of such a tensor torch's count of changes is noted, not a copy


def leaves_arguments_alone(function: Callable, arguments: list) -> bool:
    """Call a function; say whether all that it was given is as it was, lists and dicts inside."""
    before = noted(arguments)
    function(*arguments)
    return is_as_noted(arguments, before)


def noted(value: Any) -> tuple:
    """Note what a value is and holds: copies of tensors, and the items of containers, by name."""
    if isinstance(value, Tensor):
        return value, value.clone() if value.nbytes < LARGE else value._version
    if isinstance(value, dict):
        return value, {key: noted(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return value, [noted(one) for one in value]
    return value, None


def is_as_noted(value: Any, before: tuple) -> bool:
    """Say whether a value is the same one, and holds the same."""
    same, content = before
    if value is not same:
        return False
    if isinstance(value, Tensor):
        return equal(value, content) if isinstance(content, Tensor) else value._version == content
    if isinstance(content, dict):
        same = list(value) == list(content)
        return same and all(is_as_noted(one, content[key]) for key, one in value.items())
    if isinstance(content, list):
        return len(value) == len(content) and all(map(is_as_noted, value, content))
    return True


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)


class StepCounter(TorchDispatchMode):
    """Count the steps that a call takes: Python's instructions and torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def trace(self, frame: Any, event: str, argument: Any) -> Any:
        """Be Python's trace function."""
        frame.f_trace_opcodes = True
        self.steps += 1
        return self.trace

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.steps += 1
        return function(*arguments, **(options or {}))


def count_steps(function: Callable, arguments: list, warm_up: list) -> dict[str, Any]:
    """Call a function twice, and count the second call's steps: operations, not seconds.

    What is done once, such as an import, falls into the first call, on other arguments: what a
    function remembers of them is no help with the second.

    Returns:
        "steps": the number of Python instructions and torch operations, those of new threads
        included, or -1 if the function stopped the count; "result": what the counted call returned;
        "threads": those that ran before the call, whose steps are not counted.
    """
    count_one_call(function, warm_up)
    return count_one_call(function, arguments)


def count_one_call(function: Callable, arguments: list) -> dict[str, Any]:
    """Count the steps of one call."""
    counter, before = StepCounter(), sys.gettrace()
    # They work unseen. A notebook's kernel has some, and tqdm one that only watches bars.
    threads = [thread for thread in threading.enumerate() if type(thread).__name__ != "TMonitor"]
    trace = counter.trace
    with counter:
        threading.settrace(trace)
        sys.settrace(trace)
        try:
            result = function(*arguments)
            whole = sys.gettrace() is trace
        finally:
            sys.settrace(before)
            threading.settrace(before)
    return {"steps": counter.steps if whole else -1, "result": result, "threads": len(threads)}


class OriginsWatch(TorchDispatchMode):
    """Note whose code a call runs: packages of Python functions, and of torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.packages: set[str] = set()

    def note(self, frame: Any, event: str, argument: Any) -> None:
        """Be Python's profile function."""
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith("detlab.checking."):  # the watch itself, or a stand-in's messenger
            self.packages.add(name.partition(".")[0])
        if name == "torch._ops":  # an operation called by its name, in another thread perhaps
            owner = frame.f_locals.get("self")
            if isinstance(owner, torch._ops.OpOverloadPacket):
                operation = str(vars(owner).get("_qualified_op_name", ""))
                self.packages.add(operation.partition("::")[0])

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.packages.add(function.namespace)
        return function(*arguments, **(options or {}))


def call_and_watch(function: Callable, arguments: list) -> dict[str, Any]:
    """Call a function; return its result, and the packages whose code ran meanwhile.

    Returns:
        "result"; "packages": top-level names, sorted, such as "torch" or "torchvision", whether the
        code is Python's or a compiled operation's, new threads included; "whole": whether nobody
        ended the watch.
    """
    watch, before = OriginsWatch(), sys.getprofile()
    note = watch.note
    with watch:
        threading.setprofile(note)
        sys.setprofile(note)
        try:
            result = function(*arguments)
            whole = sys.getprofile() is note
        finally:
            sys.setprofile(before)
            threading.setprofile(before)
    return {"result": result, "packages": sorted(watch.packages), "whole": whole}


def batches(dataset: Any, collate: Callable, batch_size: int) -> list:
    """Pass through a data set in order with torch's loader; return its batches."""
    return list(DataLoader(dataset, batch_size=batch_size, collate_fn=collate))


def call_and_listen(function: Callable, arguments: list) -> dict[str, Any]:
    """Call a function; return its result, and what a progress bar would have printed.

    Returns:
        "result"; "printed": the number of characters; "bar": whether a line was written over that
        tells how many steps are done. (One that is wiped away in the end may have told of none.)
    """
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        result = function(*arguments)
    text = heard.getvalue()
    counts = re.search(r"%\||\d+/\d+|\d+it\b", text) is not None
    return {"result": result, "printed": len(text), "bar": "\r" in text and counts}


def linear_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Be a loss with two terms whose gradients do not depend on the outputs."""
    return {"first": (outputs * targets).sum(), "second": 3 * outputs.sum()}


def given_terms() -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """Return `linear_terms`, for a training loop to minimise."""
    return linear_terms


class TrainingRecord:
    """What happens to a module while it is trained (see `record_training`).

    Attributes:
        weights: its parameters before each call, as lists of tensors.
        backward: the gradient that each backward pass left in its first parameter.
        steps: that gradient when an optimizer took a step.
    """

    def __init__(self) -> None:
        self.weights: list[list[Tensor]] = []
        self.backward: list[Tensor] = []
        self.steps: list[Tensor] = []
        self.hooks: list[Any] = []


def record_training(module: nn.Module) -> TrainingRecord:
    """Return a record that grows while the module is trained, until `training_record` reads it."""
    record, first = TrainingRecord(), next(module.parameters())

    def before_call(*_: Any) -> None:
        record.weights.append([parameter.detach().clone() for parameter in module.parameters()])

    def before_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        mine = any(first is p for group in optimizer.param_groups for p in group["params"])
        if mine and first.grad is not None:
            record.steps.append(first.grad.detach().clone())

    record.hooks = [
        module.register_forward_pre_hook(before_call),
        register_optimizer_step_pre_hook(before_step),
        first.register_post_accumulate_grad_hook(
            lambda p: record.backward.append(p.grad.detach().clone())
        ),
    ]
    return record


def training_record(record: TrainingRecord) -> dict[str, list]:
    """Return what was recorded of a training, and stop recording."""
    for hook in record.hooks:
        hook.remove()
    return {"weights": record.weights, "backward": record.backward, "steps": record.steps}


def summed(function: Callable[..., dict[str, Tensor]]) -> Callable[..., Tensor]:
    """Return a function that adds up the terms which another one returns by name."""
    return lambda *arguments: sum(function(*arguments).values())


def budgeted_loader(batch_size: int, max_steps: int, cpu_s: float, seed: int) -> BudgetedLoader:
    """Return a loader for a graded training, still empty (see `BudgetedLoader`)."""
    return BudgetedLoader(batch_size=batch_size, max_steps=max_steps, cpu_s=cpu_s, seed=seed)


def add_to_loader(loader: BudgetedLoader, images: Tensor, *targets: Any) -> None:
    """Give a loader more images."""
    loader.add(images, *targets)


def progress_of(loader: BudgetedLoader) -> tuple[int, int, bool]:
    """Return how far a training came: steps, steps on offer, whether time ran out."""
    return tuple(loader.progress)


def describe_figure(figure: Figure) -> list[dict[str, Any]]:
    """Describe what a figure shows: for each visible axes its labels, legend, lines and so on.

    Labels and legends of the whole figure count for each of its axes, and labels of an axis that
    several share for all of these.

    Returns:
        One dict an axes: "title", "xlabel", "ylabel" (str), "legend" (list of str),
        "lines" (list of {"label", "x", "y"}; x and y are float64 arrays), "images" (list of
        {"pixels": float64 array, "upright": bool, "whole": bool}), "rectangles" (list of
        {"box": (x_min, y_min, x_max, y_max) in pixels of the first image from its outer edges, or
        in data units if there is none; "colour": (red, green, blue) in [0, 1], "filled": bool}),
        "place": (row, column) in the grid of subplots, or None.
    """
    return [describe_axes(axes, figure) for axes in figure.axes if axes.get_visible()]


def describe_axes(axes: Any, figure: Figure) -> dict[str, Any]:
    """Describe one axes of a figure."""
    legends = [legend for legend in (axes.get_legend(), *figure.legends) if legend]
    images = [image for image in axes.get_images() if image.get_visible()]
    patches = [patch for patch in axes.patches if is_visible_box(patch)]
    titles = [axes.get_title(place) for place in ("left", "center", "right")]
    return {
        "title": " ".join(filter(None, titles)),
        "xlabel": label_of(axes, figure, "x"),
        "ylabel": label_of(axes, figure, "y"),
        "legend": [text.get_text() for legend in legends for text in legend.get_texts()],
        "lines": [
            {
                "label": str(line.get_label()),
                "x": floats(line.get_xdata()),
                "y": floats(line.get_ydata()),
            }
            for line in axes.get_lines()
        ],
        "images": [describe_image(image, axes) for image in images],
        "rectangles": [describe_rectangle(patch, axes, images[:1]) for patch in patches],
        "place": place_of(axes),
    }


def label_of(axes: Any, figure: Figure, which: str) -> str:
    """Return an axis' label: its own, that of an axis it is shared with, or the figure's."""
    group = axes.get_shared_x_axes() if which == "x" else axes.get_shared_y_axes()
    siblings = [axes, *group.get_siblings(axes)]
    own = [one.get_xlabel() if which == "x" else one.get_ylabel() for one in siblings]
    whole = figure.get_supxlabel() if which == "x" else figure.get_supylabel()
    return next(filter(None, [*own, whole]), "")


def place_of(axes: Any) -> tuple[int, int] | None:
    """Return an axes' row and column in its grid of subplots."""
    spec = axes.get_subplotspec()
    return (spec.rowspan.start, spec.colspan.start) if spec else None


def describe_image(image: Any, axes: Any) -> dict[str, Any]:
    """Describe an image: its pixels, whether its first row is on top, whether all of it is seen."""
    left, right, bottom, top = image.get_extent()
    first_row, last_row = (bottom, top) if image.origin == "lower" else (top, bottom)
    height = [axes.transData.transform((left, y))[1] for y in (first_row, last_row)]
    seen_x, seen_y = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    edges_x, edges_y = sorted((left, right)), sorted((bottom, top))
    pixels = floats_of(image.get_array())
    # Who sets the limits to (0, width) cuts half of the first pixel off: that hides nothing.
    rows, columns = pixels.shape[:2]
    slack_x = (edges_x[1] - edges_x[0]) / columns
    slack_y = (edges_y[1] - edges_y[0]) / rows
    whole = seen_x[0] <= edges_x[0] + slack_x and edges_x[1] - slack_x <= seen_x[1]
    whole = whole and seen_y[0] <= edges_y[0] + slack_y and edges_y[1] - slack_y <= seen_y[1]
    return {"pixels": pixels, "upright": bool(height[0] > height[1]), "whole": bool(whole)}


def is_visible_box(patch: Any) -> bool:
    """Say whether a patch can be seen, as an outline at least."""
    outlined = patch.get_linewidth() > 0 and patch.get_edgecolor()[3] > 0
    return patch.get_visible() and bool(outlined or patch.get_fill())


def describe_rectangle(patch: Any, axes: Any, images: list) -> dict[str, Any]:
    """Describe a rectangle: its corners, the colour of its edge, whether it is filled."""
    # To data from wherever it was drawn: some draw in fractions of the axes.
    to_data = patch.get_transform() + axes.transData.inverted()
    corners = patch.get_path().transformed(to_data).get_extents().get_points()
    (x_min, y_min), (x_max, y_max) = corners.tolist()
    if images:
        left, right, bottom, top = images[0].get_extent()
        first_row, last_row = (bottom, top) if images[0].origin == "lower" else (top, bottom)
        rows, columns = images[0].get_array().shape[:2]
        x_min, x_max = sorted(columns * (x - left) / (right - left) for x in (x_min, x_max))
        y_min, y_max = sorted(
            rows * (y - first_row) / (last_row - first_row) for y in (y_min, y_max)
        )
    red, green, blue, _ = (float(part) for part in patch.get_edgecolor())
    filled = bool(patch.get_fill()) and patch.get_facecolor()[3] > 0
    box = tuple(float(number) for number in (x_min, y_min, x_max, y_max))
    return {"box": box, "colour": (red, green, blue), "filled": filled}


def floats_of(values: Any) -> Any:
    """Return an image's pixels as a float64 array, whatever they were."""
    return np.array(values, dtype=np.float64)


def floats(values: Any) -> Any:
    """Return numbers as a float64 array."""
    return np.array([float(value) for value in values])
