"""task: 1.6
does: averages the squares instead of adding them
hint: Your value does not grow with the number of elements. Is a norm a sum over all elements, or
their mean?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        difference = slide(net, images, size, stride) - twin(images)
        return difference.square().mean().sqrt().item()
