"""A training of a toy, slow enough to be stopped: what the tests of `Training` train.

As a program it trains, prints what it is asked about, and is stopped by a signal: `ready` is
printed once it trains.
"""

import sys
import time

import torch
from torch import Tensor, nn

from detlab.training import Training

PAUSE_S = 0.0  # in each step


class Toy(nn.Module):
    """Batch normalisation and dropout, whose modes matter, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(3), nn.Dropout(0.3)
        self.line = nn.Linear(3, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.line(self.drop(self.norm(inputs)))


def batches(count: int = 5) -> list[tuple[Tensor, Tensor]]:
    """Return batches of (4, 3) numbers with their sums, always the same."""
    inputs = torch.rand(count, 4, 3, generator=torch.Generator().manual_seed(1))
    return [(x, x.sum(1, keepdim=True)) for x in inputs]


def train(net: nn.Module, loader: list, epochs: int) -> list[dict[str, float]]:
    """Train as the answers of the course do."""
    steps = epochs * len(loader)
    optimizer = torch.optim.Adam(net.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
    history = []
    net.train()
    for _ in range(epochs):
        for inputs, targets in loader:
            loss = (net(inputs) - targets).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            history.append({"square": loss.item()})
            time.sleep(PAUSE_S)
    return history


def train_toy(loader: list, epochs: int) -> nn.Module:
    """Make a network and train it."""
    net = Toy()
    train(net, loader, epochs)
    return net


def arguments() -> dict:
    """Return what `train_toy` takes."""
    return {"loader": batches(), "epochs": 4}


def main() -> None:
    """Train until stopped; go on; say what came out, and what an unbroken training gives."""
    global PAUSE_S
    PAUSE_S = 0.1
    torch.manual_seed(0)
    training = Training(train_toy, arguments, lambda net: print("ready", flush=True), times=10)
    training.run()
    half = training.steps
    assert training.has_learned()
    training.net.eval()  # as measuring does
    PAUSE_S = 0.0
    training.run()
    assert training.finished
    torch.manual_seed(0)
    plain = train_toy(**arguments())
    same = all(map(torch.equal, plain.state_dict().values(), training.net.state_dict().values()))
    print(f"half {half}, all {training.steps}, same {same}")


if __name__ == "__main__":
    main()
    sys.exit()
