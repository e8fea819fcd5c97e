"""What several checks of week 1 need: the lecture's network by hand, and plain windows."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from detcourse.draws import draws
from detlab.checking.expect import expect_close, expect_handle, expect_tensor, fail
from detlab.checking.mirror import mirror
from detlab.checking.replies import parameters_of, shapes_of
from detlab.checking.student import Handle, Student
from detlab.checking.wording import listed

Activation = Callable[[Tensor], Tensor]
FC_SHAPES = [(400, 400), (400,), (400, 400), (400,), (4, 400), (4,)]
CONV_SHAPES = [(16, 3, 5, 5), (16,)]
EXTRA_CONV_SHAPES = [(16, 16, 3, 3), (16,)]


def random(rng: torch.Generator, *shape: int) -> Tensor:
    """Return normal random numbers."""
    return torch.randn(shape, generator=rng)


def randint(rng: torch.Generator, low: int, high: int) -> int:
    """Return a random int from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def windows_of(images: Tensor, size: int, stride: int) -> Iterator[tuple[int, int, Tensor]]:
    """Yield each window's row, column and pixels (N, C, size, size), row by row."""
    height, width = images.shape[2:]
    for row in range((height - size) // stride + 1):
        for column in range((width - size) // stride + 1):
            top, left = row * stride, column * stride
            yield row, column, images[:, :, top : top + size, left : left + size]


def slide_plainly(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    """Apply a net to each window, cut out on its own: (N, K, rows, columns).

    Args:
        net: answers for each image of a batch by itself.
    """
    height, width = images.shape[2:]
    rows, columns = (height - size) // stride + 1, (width - size) // stride + 1
    windows = [window for _, _, window in windows_of(images, size, stride)]
    with torch.no_grad():
        scores = net(torch.cat(windows)).unflatten(0, (rows, columns, len(images)))
    return scores.permute(2, 3, 0, 1)


def expect_lecture_net(
    student: Student, net: Handle, what: str, rng: torch.Generator, size: int, extra: str = ""
) -> None:
    """Compare a student's network with the lecture's, computed here, both with new weights.

    The weights are drawn here: with weights of their own choice, such as zeros in the last
    layer, wrong layers before it would not show.

    Args:
        net: the student's network.
        what: its name in messages.
        size: of the images, pixels.
        extra: "conv" or "pool" for the networks of task 1.8.
    """
    expect_handle(net, what, "an nn.Module")
    shapes = sorted(own := shapes_of(student, net, what))
    convolutions = CONV_SHAPES + (EXTRA_CONV_SHAPES if extra == "conv" else [])
    expected = sorted(convolutions + FC_SHAPES)
    if not shapes:
        fail(f"{what} has no parameters: layers in a plain list are not registered.")
    if shapes != expected:
        fail(
            f"{what} does not have the parameters of the layers in the statement. "
            f"{difference_of(shapes, expected)}",
            f"Expected the shapes {expected}, got {shapes}.",
        )
    images = 4 * random(rng, 3, 3, size, size)
    places = ["at_conv", "at_first", "at_second", *["at_extra"] * (extra == "conv")]
    for _ in draws():
        parameters = [random(rng, *shape) for shape in own]
        parameters = [weights / fan_in(weights) ** 0.5 for weights in parameters]
        candidates = [*arrangements(images, parameters, extra)]
        # Scores of both signs, or a ReLU on them would not always show; nor would one that ends at
        # 6, unless there is more before each of them.
        of_both_signs = all(bool(scores.min() < 0 < scores.max()) for scores in candidates)
        capped = (arrangements(images, parameters, extra, **{one: F.relu6}) for one in places)
        if of_both_signs and not any(any(map(answer_like, one, candidates)) for one in capped):
            break
    student.tell("set_parameters", net, parameters)
    answer = net(images)
    near = [c for c in candidates if answer_like(answer, c)]
    expect_close(
        answer,
        near[0] if near else candidates[0],
        f"{what}'s output, with random weights,",
        tolerance=1e-4,
        cause="" if near else cause_in_net(answer, images, parameters, extra),
    )


def difference_of(shapes: list[tuple[int, ...]], expected: list[tuple[int, ...]]) -> str:
    """Say which parameters a network lacks, and which it has too many."""
    missing, strange = (
        listed(sorted((Counter(a) - Counter(b)).elements()) or ["none"])
        for a, b in ((expected, shapes), (shapes, expected))
    )
    return f"Of the right shapes it lacks {missing}; of others it has {strange}."


def cause_in_net(answer: object, images: Tensor, parameters: list[Tensor], extra: str) -> str:
    """Say which wrong network answers so, or what it could be.

    Args:
        answer: the student's network's.
        images, parameters: that it was given.
        extra: see `expect_lecture_net`.
    """
    if isinstance(answer, Tensor):
        for words, changes in WRONG_NETS.items():
            scores = arrangements(images, parameters, extra, **changes)
            if any(answer_like(answer, candidate) for candidate in scores):
                return words
    return "It is none of the networks that lack a ReLU, or have one more, or pool otherwise."


def identity(values: Tensor) -> Tensor:
    """Return what is given."""
    return values


# Networks that learners build, by what is wrong with them: arguments of `arrangements`.
WRONG_NETS: dict[str, dict[str, Any]] = {
    "It answers as if the ReLU after the first convolution were missing.": {"at_conv": identity},
    "It answers as if the ReLU after the second convolution were missing.": {"at_extra": identity},
    "It answers as if the ReLU after the first linear layer were missing.": {"at_first": identity},
    "It answers as if the ReLU after the second linear layer were missing.": {
        "at_second": identity
    },
    "It answers as if all ReLUs were missing.": dict.fromkeys(
        ("at_conv", "at_extra", "at_first", "at_second"), identity
    ),
    "It answers as if there were a ReLU on the scores, which must be raw.": {"at_end": F.relu},
    "It answers as if there were a softmax on the scores, which must be raw.": {
        "at_end": lambda scores: scores.softmax(1)
    },
    "It answers as if there were a log-softmax on the scores, which must be raw.": {
        "at_end": lambda scores: scores.log_softmax(1)
    },
    "It answers as if there were a sigmoid on the scores, which must be raw.": {
        "at_end": torch.sigmoid
    },
    "It pools by the average; the picture takes the maximum.": {"pool": F.avg_pool2d},
    **{
        f"It answers as if the ReLU after the {layer} ended at 6.": {place: F.relu6}
        for place, layer in (
            ("at_conv", "first convolution"),
            ("at_extra", "second convolution"),
            ("at_first", "first linear layer"),
            ("at_second", "second linear layer"),
        )
    },
    "It has tanh where ReLUs belong, in the linear part.": dict.fromkeys(
        ("at_first", "at_second"), torch.tanh
    ),
    "It has tanh where ReLUs belong.": dict.fromkeys(
        ("at_conv", "at_extra", "at_first", "at_second"), torch.tanh
    ),
    "It has sigmoids where ReLUs belong, in the linear part.": dict.fromkeys(
        ("at_first", "at_second"), torch.sigmoid
    ),
    "It has sigmoids where ReLUs belong.": dict.fromkeys(
        ("at_conv", "at_extra", "at_first", "at_second"), torch.sigmoid
    ),
    "It has leaky ReLUs, which let a hundredth of negative numbers through.": dict.fromkeys(
        ("at_conv", "at_extra", "at_first", "at_second"), F.leaky_relu
    ),
}


def expect_fresh_weights(student: Student, build: Callable[[], Any], what: str) -> None:
    """Compare the weights of two networks that were built one after the other.

    A hundred numbers of each layer's are enough, and quickly told.
    """
    nets = [expect_handle(build(), f"{what}'s result", "an nn.Module") for _ in range(2)]
    first, second = (parameters_of(student, net, what, first=100) for net in nets)
    if not first or len(first) != len(second):
        fail(f"{what} must return a network with its parameters at each call.")
    if any(a.shape == b.shape and torch.equal(a, b) for a, b in zip(first, second, strict=True)):
        fail(f"Two calls of {what} must give two networks with random weights of their own.")
    if any(bool((weights == weights.flatten()[0]).all()) for weights in first):
        fail("Some layer's weights are all the same number.")


def expect_mode_kept(
    student: Student, what: str, net: nn.Module, use: Callable[[Handle], Any]
) -> None:
    """Check that what uses a network leaves it in its mode, training or evaluation.

    Args:
        net: for two channels and 5×5 pixels; ends with a dropout that sets all to zero in training.
        use: has it used.
    """
    for training in (True, False):
        theirs = mirror(student, net)
        student.tell("set_training", theirs, training)
        use(theirs)
        answer = expect_tensor(theirs(torch.ones(4, 2, 5, 5)), "The network's output")
        if bool(answer.any()) is training:
            now, before = ("evaluation", "training")[:: 1 if training else -1]
            fail(f"{what} leaves a network in {now} mode that was in {before} mode before.")


def fan_in(weights: Tensor) -> int:
    """Return how many products are summed in an output; 1 for a bias."""
    return weights[0].numel() if weights.dim() > 1 else 1


def answer_like(answer: object, candidate: Tensor) -> bool:
    """Say whether an answer is this candidate's: numbers of some units, summed from hundreds."""
    same = isinstance(answer, Tensor) and answer.shape == candidate.shape
    return same and torch.allclose(answer.to(candidate.dtype), candidate, rtol=1e-4, atol=1e-4)


def arrangements(
    images: Tensor,
    parameters: list[Tensor],
    extra: str,
    *,
    pool: Callable[..., Tensor] = F.max_pool2d,
    at_conv: Activation = F.relu,
    at_extra: Activation = F.relu,
    at_first: Activation = F.relu,
    at_second: Activation = F.relu,
    at_end: Activation = identity,
) -> Iterator[Tensor]:
    """Compute the lecture's network from its weights, in each way to tell equal shapes apart.

    In which order a network registers its layers is the student's choice.

    Args:
        extra: see `expect_lecture_net`.
        pool, at_conv, at_extra, at_first, at_second, at_end: what a wrong network has in the place
            of the pooling and behind its layers.

    Yields:
        Scores (N, 4).
    """
    by_shape: dict[tuple[int, ...], list[Tensor]] = {}
    for weights in parameters:
        by_shape.setdefault(tuple(weights.shape), []).append(weights)
    for biases in both_orders(by_shape[16,]):
        maps = pool(at_conv(F.conv2d(images, by_shape[16, 3, 5, 5][0], biases[0])), 2)
        if extra == "pool":
            maps = pool(maps, 2)
        if extra == "conv":
            maps = at_extra(F.conv2d(maps, by_shape[16, 16, 3, 3][0], biases[1]))
        for (first, second), (first_bias, second_bias) in itertools.product(
            both_orders(by_shape[400, 400]), both_orders(by_shape[400,])
        ):
            hidden = at_first(F.linear(maps.flatten(1), first, first_bias))
            hidden = at_second(F.linear(hidden, second, second_bias))
            yield at_end(F.linear(hidden, by_shape[4, 400][0], by_shape[4,][0]))


def both_orders(weights: list[Tensor]) -> list[list[Tensor]]:
    """Return one or two parameters in each order that they can have."""
    return [weights, weights[::-1]] if len(weights) > 1 else [weights]
