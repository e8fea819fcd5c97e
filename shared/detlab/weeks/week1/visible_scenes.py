"""Public inputs of week 1's visible checks, and what networks must make of them."""

import itertools

import torch
from torch import Tensor, nn

from detlab.checking.expect import expect_close, expect_floats, fail
from detlab.checking.replies import parameters_of, shapes_of
from detlab.checking.student import Handle, Student


def public_images(*shape: int) -> Tensor:
    """Return the same random images each time, in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def fill(net: nn.Module) -> None:
    """Give a network the same weights each time, in [-0.5, 0.5)."""
    generator = torch.Generator().manual_seed(0)
    for weights in net.parameters():
        weights.data.copy_(torch.rand(weights.shape, generator=generator) - 0.5)


def numbered_images(*shape: int) -> Tensor:
    """Return images whose every pixel holds its own number."""
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


def averaging(shape: tuple[int, ...]) -> Tensor:
    """Return weights that average a layer's inputs: a kernel's middle ones, and all of a row.

    Biases are 0.
    """
    weights = torch.zeros(shape)
    if len(shape) == 4:
        weights[:, :, shape[2] // 2, shape[3] // 2] = 1 / shape[1]
    elif len(shape) == 2:
        weights[:] = 1 / shape[1]
    return weights


def check_pooling(student: Student, net: Handle, what: str, size: int) -> None:
    """Check that a network pools by the maximum of blocks of 2×2, with weights that average.

    Args:
        what: the network, for messages.
        size: of its images, pixels.
    """
    values = [averaging(shape) for shape in shapes_of(student, net, what)]
    student.tool("set_parameters", net, values)
    images = torch.zeros(3, 3, size, size)
    # One bright pixel; two in one block of the map behind the first layer; two in two blocks.
    images[:, :, 4, 4] = images[1, :, 5, 5] = images[2, :, 8, 8] = 1e6
    scores = expect_floats(net(images), f"The scores of {what}", (3, 4))
    if not float(scores[0].abs().min()) > 0:
        fail(f"With positive weights everywhere {what} does not see a bright pixel.")
    expect_close(
        scores,
        scores[:1] * torch.tensor([[1.0], [1.0], [2.0]]),
        f"The scores of {what} for one bright pixel, two in one block of 2×2 and two in two blocks",
        cause="With raw scores, behind the picture's first layer, a maximum makes it 1 to 1 to 2.",
    )


def check_activations(student: Student, net: Handle, what: str, size: int) -> None:
    """Check that a ReLU follows each layer but the last: none lets negative numbers through."""
    shapes = shapes_of(student, net, what)
    hidden = [n for n, shape in enumerate(shapes) if len(shape) > 1 and shape[0] != 4]
    images = torch.full((1, 3, size, size), 1000.0)
    for signs in itertools.product((1, -1), repeat=min(len(hidden), 4)):
        if min(signs, default=1) == 1:
            continue
        values = [averaging(shape) for shape in shapes]
        for n, sign in zip(hidden, signs, strict=False):
            values[n] *= sign
        student.tool("set_parameters", net, values)
        scores = expect_floats(net(images), f"The scores of {what}", (1, 4))
        if bool(scores.any()):
            fail(
                f"A negative number passes through {what}: with a layer whose weights are all "
                "negative, the ReLU behind it leaves only zeros. Count the ReLUs."
            )


def check_own_weights(student: Student, nets: list[Handle], what: str) -> None:
    """Check that three networks of one function have weights of their own.

    Those of the first are all set to one number before the others are looked at.
    """
    values = [torch.full(shape, 0.5) for shape in shapes_of(student, nets[0], "a network")]
    student.tool("set_parameters", nets[0], values)
    second, third = (parameters_of(student, net, "a network") for net in nets[1:])
    if any(bool((weights == 0.5).all()) for weights in second):
        fail(
            f"What happens to one network of {what} happens to another: each needs its own layers."
        )
    if any(torch.equal(a, b) for a, b in zip(second, third, strict=False)):
        fail(f"Two calls of {what} must give two networks with random weights of their own.")


def fronts() -> dict[str, nn.Sequential]:
    """Return what decides on the windows of task 1.8's networks; the last layer is a whole map's.

    One channel is enough, and no ReLU changes a map's size.
    """
    first, pooling, last = nn.Conv2d(3, 1, 5), nn.MaxPool2d(2), nn.Conv2d(1, 1, 5)
    return {
        "conv": nn.Sequential(first, pooling, nn.Conv2d(1, 1, 3), last),
        "pool": nn.Sequential(first, pooling, pooling, last),
    }


def check_windows(name: str, size: int, stride: int) -> None:
    """Check that windows are as many as the answers of a twin, on images of many sizes.

    Args:
        name: "conv" or "pool".
        size, stride: of the windows, pixels.
    """
    front = fronts()[name]
    for side in range(30, 61):
        with torch.no_grad():
            answers = front(torch.zeros(1, 3, side, side)).shape[2]
        windows = max((side - size) // stride + 1, 0)
        if windows != answers:
            fail(
                f"With `coincide[{name!r}]` the two procedures do not coincide on images of every "
                "size.",
                f"In {side}×{side} there are {windows}×{windows} windows of {size} pixels at "
                f"stride {stride}, and the twin of the network that the task describes gives "
                f"{answers}×{answers} answers.",
            )
