"""task: 4.9
does: puts the states into names of its own, not into the objects it is given
hint: Print a weight before and after. Does assigning to a parameter's name change the caller's
network?
"""


def load_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
) -> int:
    states = torch.load(file, weights_only=True)
    net, optimizer, schedule = (states[name] for name in ("net", "optimizer", "schedule"))
    torch.set_rng_state(states["random"])
    return states["iteration"]
