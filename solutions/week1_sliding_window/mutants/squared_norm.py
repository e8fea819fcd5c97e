"""task: 1.6
does: forgets the square root
hint: Twice the difference should give twice the norm, and yours grows fourfold. Which last step of
the Euclidean norm is missing?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        difference = slide(net, images, size, stride) - twin(images)
    return difference.pow(2).sum().item()
