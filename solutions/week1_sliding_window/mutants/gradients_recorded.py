"""task: 1.6
does: runs both procedures with gradients on
hint: The value is right, but PyTorch records every step for a backward pass that never comes. How
do you tell it not to?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    difference = slide(net, images, size, stride) - twin(images)
    return float(torch.linalg.vector_norm(difference))
