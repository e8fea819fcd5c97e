"""A training loop, seen from outside: the loss it minimises is asked here, its weights are read.

What is wrong with a loop shows in experiments on it, whatever its optimizer: in which direction the
weights go after batches whose gradients are known, and whether they go elsewhere when they must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from detlab.checking.expect import expect_floats, fail
from detlab.checking.mirror import mirror
from detlab.checking.replies import parameters_of
from detlab.checking.student import Handle, Student
from detlab.weeks.week2.assertions import check_history

Batches = Sequence[tuple[Tensor, Tensor]]
NAMES = ("first", "second")
KERNEL = 3
# Who runs the network in bfloat16 keeps 8 bits, a relative error of up to 2⁻⁹ = 0.002.
TOLERANCE = 2e-2


class GivenTerms:
    """A loss with two terms whose gradients do not depend on the outputs.

    Args:
        second: how much the second term counts.

    Attributes:
        calls: what each call was given: outputs and targets.
        handle: of the function, for the student's loop.
    """

    def __init__(self, student: Student, second: float = 3.0):
        self.second = second
        self.calls: list[tuple[Tensor, Tensor]] = []
        self.handle = student.make("function", "asking_terms", student.give(self.answer))

    def answer(self, outputs: Tensor, targets: Tensor) -> dict[str, list[Tensor]]:
        """Return each term's value and its gradient by the outputs."""
        outputs, targets = outputs.float(), targets.float()
        expect_floats(outputs, "The outputs that your loop hands to the loss", targets.shape)
        # Who asks twice about the same outputs, for the loss and for the history, asks once.
        if not self.calls or not all(map(torch.equal, self.calls[-1], (outputs, targets))):
            self.calls.append((outputs, targets))
        return {
            "first": [(outputs * targets).sum(), targets],
            "second": [self.second * outputs.sum(), torch.full_like(outputs, self.second)],
        }

    def per_image(self, step: int) -> dict[str, float]:
        """Return both terms of a call, divided by the number of images."""
        outputs, targets = self.calls[step]
        terms = {"first": (outputs * targets).sum(), "second": self.second * outputs.sum()}
        return {name: float(term) / len(outputs) for name, term in terms.items()}


@dataclass
class Trained:
    """What a loop did.

    Attributes:
        history: what it returned.
        terms: the loss that it asked.
        net: a handle to what it trained.
        parameters: of that, afterwards.
    """

    history: list[dict[str, float]]
    terms: GivenTerms
    net: Handle
    parameters: list[Tensor]


def train(
    student: Student,
    net: nn.Module,
    loader: Batches | Handle,
    epochs: int = 1,
    second: float = 3.0,
    per_epoch: int | None = None,
) -> Trained:
    """Have a copy of a network trained; a loop that moves nothing has trained nothing.

    Args:
        per_epoch: batches in an epoch, if the loader does not tell.
    """
    student.seed(1)  # the same for all loops that are compared
    theirs, terms = mirror(student, net), GivenTerms(student, second)
    steps = epochs * (len(loader) if per_epoch is None else per_epoch)  # type: ignore[arg-type]
    history = student.train(net=theirs, loader=loader, loss_terms=terms.handle, epochs=epochs)
    rows = check_history(history, NAMES, steps)
    before = list(net.parameters())
    after = [one.float() for one in parameters_of(student, theirs, "the network", len(before))]
    if any(one.shape != other.shape for one, other in zip(after, before, strict=True)):
        fail("The network has other parameters than before.")
    if all(map(torch.equal, after, before)):
        fail(
            "`train` moves no weight: after `backward` and before anything clears the gradients, "
            "the optimizer must take a step."
        )
    if len(terms.calls) != steps:
        fail(
            "`train` must pass each batch through the network once an epoch.",
            f"The loss was asked {len(terms.calls)} times in {steps} steps.",
        )
    return Trained(rows, terms, theirs, after)


def still_net(channels: int = 3) -> nn.Conv2d:
    """Return a convolution whose weights are zero, so that any step can be read from them."""
    net = nn.Conv2d(1, channels, KERNEL)
    for weights in net.parameters():
        nn.init.zeros_(weights)
    return net


def expect_outputs(outputs: Tensor, images: Tensor, what: str) -> None:
    """Check that outputs are those of some weights of a convolution on these images."""
    patches = F.unfold(images, KERNEL).movedim(1, 2).flatten(0, 1).double()
    known = torch.cat([patches, torch.ones(len(patches), 1).double()], 1)
    found = outputs.flatten(2).movedim(1, 2).flatten(0, 1).double()
    rest = found - known @ torch.linalg.lstsq(known, found).solution
    if not float(rest.norm()) <= TOLERANCE * float(found.norm()) + 1e-6:
        fail(f"{what} are not the network's for the images of its batch.")
