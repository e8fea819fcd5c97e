"""task: 4.9
does: writes the optimizer's settings without its state
hint: Your resumed training takes its first step without momentum. Where does an optimizer keep it?
"""


def save_checkpoint(
    file: BinaryIO,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    iteration: int,
) -> None:
    parts: dict[str, Any] = {"net": net, "optimizer": optimizer, "schedule": schedule}
    states = {name: part.state_dict() for name, part in parts.items()}
    states["optimizer"] = {**states["optimizer"], "state": {}}
    torch.save(states | {"iteration": iteration, "random": torch.get_rng_state()}, file)
