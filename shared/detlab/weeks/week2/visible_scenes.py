"""Small public inputs of week 2's visible checks, and what one computes by hand about them."""

import torch
from torch import Tensor, nn

from detlab.checking.expect import expect_close, fail
from detlab.checking.replies import shapes_of
from detlab.checking.student import Handle, Student
from detlab.grid import WindowGrid
from detlab.weeks.week2.assertions import OUTPUTS

GRID = WindowGrid(32, 16, (3, 3))
# A network run in half precision is off by a thousandth of its summands.
TOLERANCE = 2e-2


def public_images(*shape: int) -> Tensor:
    """Return the same random images each time, in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def draw_weights(student: Student, net: Handle, seed: int, factor: float = 1.0) -> None:
    """Give a network fixed random weights, so that no cell's answer is trivial.

    Args:
        factor: how much larger those of each layer are than usual.
    """
    rng = torch.Generator().manual_seed(seed)
    values = []
    for shape in shapes_of(student, net, "the network"):
        noise = torch.randn(shape, generator=rng)
        if len(shape) > 1:
            values.append(factor * (2 / noise[0].numel()) ** 0.5 * noise)
        else:  # a bias, or what a normalised map is multiplied by
            values.append(1 + 0.2 * noise)
    if not values:
        fail("The network has no parameters: layers in a plain list are not registered.")
    student.tool("set_parameters", net, values)


def targets_by_hand() -> Tensor:
    """Return the targets of two boxes in `GRID`.

    These are (0, 6, 32, 25) px, label 7, and (34, 14, 62, 50) px, label 3. Their centres,
    (16, 15.5) and (48, 32), lie on a left, a right, an upper and a lower edge of a window; who
    rounds 15.5 puts it on one more.
    """
    targets = torch.zeros(2, 6, 3, 3)
    targets[0, :, 0, 0] = torch.tensor([1, 7, 0.0, 0.1875, 1.0, 0.78125])
    targets[0, :, 0, 1] = torch.tensor([1, 7, -0.5, 0.1875, 0.5, 0.78125])
    targets[1, :, 1, 2] = torch.tensor([1, 3, 0.0625, -0.0625, 0.9375, 1.0625])
    targets[1, :, 2, 2] = torch.tensor([1, 3, 0.0625, -0.5625, 0.9375, 0.5625])
    return targets


def five_windows() -> tuple[Tensor, Tensor]:
    """Return outputs and targets of five windows.

    In the first a digit is missed, in the second one is found, in the third one is imagined. In the
    fourth sigmoid(0) is not more than 0.5, so one is missed; in the fifth one is just found. They
    are 4s, but for the fifth, which is a 0.
    """
    outputs, truth = torch.zeros(1, OUTPUTS, 1, 5), torch.zeros(1, 6, 1, 5)
    outputs[0, 0, 0] = torch.tensor([-1.0, 2.0, 3.0, 0.0, 0.3])
    outputs[0, 1 + 4, 0] = torch.tensor([1.0, 1.0, 1.0, 2.0, 0.0])  # the logit of the digit 4
    outputs[0, 1, 0, 4] = 3  # that of the digit 0
    outputs[0, 11] = torch.tensor([0.5, 0.5, 0.5, 0.7, 0.9])
    seen = [0, 1, 3, 4]
    truth[0, :2, 0, seen] = torch.tensor([[1.0], [4.0]])
    truth[0, 1, 0, 4] = 0
    truth[0, 2:, 0, seen] = torch.tensor([0.1, 0.2, 0.3, 0.4])[:, None]
    return outputs, truth


def known_terms(outputs: Tensor, targets: Tensor) -> dict[str, list[Tensor]]:
    """Return values and gradients of two terms that do not depend on the outputs."""
    total = targets.float().sum()
    return {"first": [total, targets], "second": [2 * total, torch.zeros_like(targets)]}


def check_gradients(found: list[Tensor], loader: list[tuple[Tensor, Tensor]]) -> None:
    """Compare the gradients of a convolution's kernel, step by step, with those of `known_terms`.

    They are the same whatever the weights are.
    """
    expected = []
    for images, targets in loader:
        patches = nn.functional.unfold(images, 3)
        by_kernel = torch.einsum("npk,nck->cp", patches, targets.flatten(2)).reshape(2, 1, 3, 3)
        expected.append(by_kernel / len(images))
    for step, gradient in enumerate(found[:4]):
        images, right = loader[step % 2][0], expected[step % 2]
        cause = ""
        if torch.allclose(gradient, len(images) * right, rtol=TOLERANCE):
            cause = "Divide the loss by the number of images before the backward pass."
        elif step and torch.allclose(gradient - found[step - 1], right, rtol=TOLERANCE):
            cause = "It holds that of the step before, too: who sets the gradients to zero?"
        expect_close(gradient, right, f"The gradient of step {step + 1}", TOLERANCE, cause)
