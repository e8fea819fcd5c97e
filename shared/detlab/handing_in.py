"""Saving a trained SSD300 so that it can be handed in, whatever its modules are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

SIDE = 300
# In the order in which they run.
CONVOLUTIONS = (
    *(f"conv{block}_{n}" for block in (1, 2) for n in (1, 2)),
    *(f"conv{block}_{n}" for block in (3, 4, 5) for n in (1, 2, 3)),
    *("conv6", "conv7"),
    *(f"conv{block}_{n}" for block in (8, 9, 10, 11) for n in (1, 2)),
)
FACTORS = "conv4_3_factors"
PRIORS = "priors"
MAPS = (38, 19, 10, 5, 3, 1)
# A convolution, and the size of the map that it sees.
Call = tuple[nn.Conv2d, int]


def save_detector(net: nn.Module, priors: Tensor, path: str | Path) -> None:
    """Write a network's weights and its priors into a file that can be handed in.

    The file names each convolution by its place in the network, not by its name in your class:
    `conv1_1` to `conv11_2` in the order in which they run, `offsets_38` to `offsets_1` and
    `logits_38` to `logits_1` by the map that they see.

    Args:
        net: an SSD300, on any device; its mode stays as it is.
        priors: (8732, 4) float, `cxcywh`: those with which it was trained.
        path: of the file; it is replaced if it is there.

    Raises:
        ValueError: the network is not composed as SSD300 is, with what is amiss.
    """
    state = named_by_place(net) | {PRIORS: priors}
    state = {
        name: value.detach().to("cpu", torch.float32).contiguous() for name, value in state.items()
    }
    save_file(state, str(path))


def named_by_place(net: nn.Module) -> dict[str, Tensor]:
    """Return the weights of an SSD300, named by the places of its convolutions.

    Returns:
        `NAME.weight` and `NAME.bias` of 35 convolutions, and `conv4_3_factors` (512,).

    Raises:
        ValueError: see `save_detector`.
    """
    calls, (offsets, logits) = run(net)
    if any(layer.bias is None for layer, _ in calls):
        raise ValueError("A convolution has no bias: those of SSD300 have.")
    of_offsets, of_logits = leaves_of(offsets), leaves_of(logits)
    state: dict[str, Tensor] = {}
    sides = [
        (call, id(call[0].bias) in of_offsets, id(call[0].bias) in of_logits) for call in calls
    ]
    trunk = [call for call, one, other in sides if one and other]
    require("convolutions of base and auxiliary part", trunk, len(CONVOLUTIONS))
    for name, (layer, _) in zip(CONVOLUTIONS, trunk, strict=True):
        state |= parts_of(name, layer)
    for what, heads in (
        ("offsets", [call for call, one, other in sides if one and not other]),
        ("logits", [call for call, one, other in sides if other and not one]),
    ):
        require(f"convolutions that make {what}", heads, len(MAPS))
        by_size = {size: layer for layer, size in heads}
        if by_size.keys() != set(MAPS):
            raise ValueError(f"The convolutions that make {what} see maps of {sorted(by_size)}.")
        for size in MAPS:
            state |= parts_of(f"{what}_{size}", by_size[size])
    return state | {FACTORS: factors_of(net, calls)}


def run(net: nn.Module) -> tuple[list[Call], Sequence[Tensor]]:
    """Show a network one black image, and note which convolutions run, in their order."""
    calls: list[Call] = []

    def note(layer: nn.Conv2d, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        calls.append((layer, inputs[0].shape[-1]))

    layers = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    frozen = [one for one in net.parameters() if not one.requires_grad]
    like = next(net.parameters())
    try:
        for one in frozen:  # or nothing would tell where they lead
            one.requires_grad_(True)
        with torch.enable_grad():
            answers = net(torch.zeros(1, 3, SIDE, SIDE, device=like.device, dtype=like.dtype))
    finally:
        for hook in hooks:
            hook.remove()
        for one in frozen:
            one.requires_grad_(False)
    if len({id(layer) for layer, _ in calls}) < len(calls):
        raise ValueError("A convolution runs twice for one image: those of SSD300 run once.")
    return calls, answers


def leaves_of(answer: Tensor) -> set[int]:
    """Return the ids of the parameters that an answer was computed from, by its graph."""
    found, seen, waiting = set(), set(), [answer.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found.add(id(getattr(node, "variable", None)))
        waiting += [following for following, _ in node.next_functions]
    return found


def require(what: str, found: Sequence, count: int) -> None:
    """Object to another number of convolutions than SSD300 has."""
    if len(found) != count:
        raise ValueError(f"SSD300 has {count} {what}, this network {len(found)}.")


def parts_of(name: str, layer: nn.Conv2d) -> dict[str, Tensor]:
    """Return a convolution's weight and bias by their names."""
    assert layer.bias is not None
    return {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}


def factors_of(net: nn.Module, calls: list[Call]) -> Tensor:
    """Return the factors of conv4_3's channels: the one parameter that is no convolution's."""
    known = {id(part) for layer, _ in calls for part in (layer.weight, layer.bias)}
    others = [one for one in net.parameters() if id(one) not in known]
    if len(others) != 1 or others[0].numel() != 512:
        shapes = ", ".join(str(tuple(one.shape)) for one in others) or "none"
        raise ValueError(
            "SSD300 has one parameter beside its convolutions, the 512 factors of conv4_3's "
            f"rescaling. Here there are: {shapes}."
        )
    return others[0].reshape(512)
