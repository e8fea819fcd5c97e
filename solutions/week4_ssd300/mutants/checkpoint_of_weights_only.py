"""task: 4.9
does: writes the weights and the iteration, and nothing else
hint: The resumed training starts where the other was, but goes elsewhere. What besides the weights
does the next step depend on?
"""


def save_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    iteration: int,
) -> None:
    parts: dict[str, Any] = {"net": net}
    states = {name: part.state_dict() for name, part in parts.items()}
    torch.save(states | {"iteration": iteration}, file)


def load_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
) -> int:
    states = torch.load(file, weights_only=True)
    net.load_state_dict(states["net"])
    return states["iteration"]
