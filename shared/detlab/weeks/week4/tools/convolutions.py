"""Tools that look at the convolutions which take part in a call, and at their gradients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from detlab.handing_in import named_by_place

SETTINGS = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")


def called_convolutions(
    module: nn.Module, arguments: list, without: Any = None
) -> tuple[Any, list, list[int]]:
    """Call a module without gradients; return its result, its convolutions in order, their sizes.

    A size is the height of a convolution's input. One that is called twice is there twice; those of
    modules of the class `without` do not count.
    """
    called: list[nn.Conv2d] = []
    sizes: list[int] = []

    def note(layer: nn.Conv2d, inputs: tuple[Tensor, ...]) -> None:
        called.append(layer)
        sizes.append(int(inputs[0].shape[2]))

    kind = without if isinstance(without, type) else ()
    inner = {id(x) for one in module.modules() if isinstance(one, kind) for x in one.modules()}
    layers = [
        layer
        for layer in module.modules()
        if isinstance(layer, nn.Conv2d) and id(layer) not in inner
    ]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            result = module(*leaves_of(arguments, False))
    finally:
        for hook in hooks:
            hook.remove()
    return result, called, sizes


def convolutions_of(
    module: nn.Module,
    arguments: list,
    seed: int | None = None,
    kept: int = 0,
    without: Any = None,
) -> dict[str, Any]:
    """Call a module, and tell which convolutions took part; with a seed, on other weights.

    Args:
        seed: the n-th convolution that is called gets the weights of `seeded_weights(…, seed + n)`.
        kept: how many of the first ones keep their own.
        without: a class of modules whose convolutions do not count.

    Returns:
        "result", on its own weights; "convolutions": for each that was called, in order, its
        settings; "size" of its input; "bias", whether it has one; and of its own weights
        "largest", "deviation" and "largest_bias"; "same": how many were called more than once.
    """
    result, called, sizes = called_convolutions(module, arguments, without)
    told = [
        {name: getattr(layer, name) for name in SETTINGS}
        | {
            "size": size,
            "bias": layer.bias is not None,
            "largest": float(layer.weight.detach().abs().max()),
            "deviation": float(layer.weight.detach().std()),
            "largest_bias": 0.0 if layer.bias is None else float(layer.bias.detach().abs().max()),
        }
        for layer, size in zip(called, sizes, strict=True)
    ]
    if seed is not None:
        with torch.no_grad():
            for n, layer in enumerate(called):
                if n >= kept:
                    weight, bias = seeded_weights(list(layer.weight.shape), seed + n)
                    layer.weight.copy_(weight)
                    if layer.bias is not None:
                        layer.bias.copy_(bias)
    same = len(called) - len({id(layer) for layer in called})
    return {"result": result, "convolutions": told, "same": same}


def seeded_weights(shape: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """Return random weights of this shape, which keep activations' size, and biases."""
    rng = torch.Generator().manual_seed(seed)
    deviation = math.sqrt(2 / math.prod(shape[1:]))
    return (
        deviation * torch.randn(shape, generator=rng),
        0.2 * torch.rand(shape[0], generator=rng) - 0.1,
    )


def weights_called(
    module: nn.Module, arguments: list, numbers: list[int]
) -> list[tuple[Tensor, Tensor]]:
    """Return weights and biases of the convolutions that are called so many after the first."""
    _, called, _ = called_convolutions(module, arguments)
    return [(called[number].weight.detach(), called[number].bias.detach()) for number in numbers]


def other_parameters(module: nn.Module, arguments: list) -> list[int]:
    """Return the numbers of the parameters that belong to no convolution that is called."""
    _, called, _ = called_convolutions(module, arguments)
    taken = {id(parameter) for layer in called for parameter in layer.parameters()}
    return [n for n, one in enumerate(module.parameters()) if id(one) not in taken]


def gradients_of_map(module: nn.Module, inputs: Tensor, weights: Tensor) -> dict[str, Any]:
    """Differentiate a weighted sum of a module's result.

    Returns:
        "inputs": by the inputs; "parameters": by each parameter, in their order.
    """
    leaf = inputs.clone().requires_grad_()
    module.zero_grad()
    with torch.enable_grad():
        (module(leaf) * weights).sum().backward()
    return {"inputs": leaf.grad, "parameters": [p.grad for p in module.parameters()]}


def leaves_of(values: list, learning: bool) -> list:
    """Copy tensors, in lists too, so that gradients can be taken by them."""
    return [
        leaves_of(one, learning)
        if isinstance(one, list | tuple)
        else one.clone().requires_grad_(learning)
        for one in values
    ]


def why_not_handed_in(net: nn.Module) -> str:
    """Say why a network's weights cannot be named by their places, or return the empty string."""
    try:
        named_by_place(net)
    except ValueError as error:
        return str(error)
    return ""
