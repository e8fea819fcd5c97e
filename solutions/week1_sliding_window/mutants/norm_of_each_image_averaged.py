"""task: 1.6
does: averages one norm per image; right for a batch of one only
hint: One image gives the right value, several do not. Over which axes should the squares be added
up?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        difference = slide(net, images, size, stride) - twin(images)
        return torch.linalg.vector_norm(difference.flatten(1), dim=1).mean().item()
