"""task: 4.9
does: returns the iteration after the one that was saved
hint: Which iteration did you save, and which do you return?
"""


def load_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
) -> int:
    states = torch.load(file, weights_only=True)
    net.load_state_dict(states["net"])
    optimizer.load_state_dict(states["optimizer"])
    schedule.load_state_dict(states["schedule"])
    torch.set_rng_state(states["random"])
    return states["iteration"] + 1
