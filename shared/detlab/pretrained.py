"""Weights of classifiers that were trained on ImageNet, for detectors to begin with."""

from pathlib import Path

from torch import Tensor

# Of each network torchvision's name of its weights, and parameters that its state must hold.
NETWORKS = {
    "vgg16": ("VGG16_Weights", "a VGG-16", ("features.0.weight", "features.28.weight")),
    "resnet34": ("ResNet34_Weights", "a ResNet-34", ("conv1.weight", "layer4.2.conv2.weight")),
}


class WeightsError(Exception):
    """Weights cannot be had; the message says which, and why."""


def pretrained_state(network: str, file: Path | None = None) -> dict[str, Tensor]:
    """Return a classifier's state, by torchvision's names.

    Args:
        network: a key of NETWORKS.
        file: safetensors, or what `torch.save` wrote of a state dict. Without one it is
            torchvision's own, fetched the first time and kept where torch keeps such files.

    Raises:
        WeightsError: there is no such file, or no connection, or something else is in it.
    """
    enumeration, name, needed = NETWORKS[network]
    try:
        if file is None:
            from torchvision import models

            return getattr(models, enumeration).IMAGENET1K_V1.get_state_dict(
                progress=True, check_hash=True
            )
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(file)
        else:
            import torch

            state = torch.load(file, map_location="cpu", weights_only=True)
        missing = [key for key in needed if key not in state]
    except Exception as error:  # a file or a download fails in many ways
        place = file or f"torchvision's weights of {name}"
        words = f"{place}: cannot be loaded ({type(error).__name__}: {error})."
        raise WeightsError(words) from None
    if missing:
        raise WeightsError(f"{file}: it has no {missing[0]}; is it {name} of torchvision?")
    return state
