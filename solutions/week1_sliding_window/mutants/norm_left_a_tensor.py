"""task: 1.6
does: returns a tensor with one element instead of a Python float
hint: The value is right, but it is still a tensor. How do you get a Python number out of it?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        return torch.linalg.vector_norm(slide(net, images, size, stride) - twin(images))
