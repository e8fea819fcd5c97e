"""task: 4.9
does: puts the states into a dict of its own, not into the objects it is given
hint: Print a weight before and after. Does putting something else under a name change the object
that was there?
"""


def load_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
) -> int:
    states = torch.load(file, weights_only=True)
    parts = {"net": net, "optimizer": optimizer, "schedule": schedule}
    parts |= {name: states[name] for name in parts}
    torch.set_rng_state(states["random"])
    return states["iteration"]
