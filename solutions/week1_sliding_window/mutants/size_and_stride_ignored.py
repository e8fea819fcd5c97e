"""task: 1.6
does: always uses windows of 14 with stride 2
hint: It works for windows of 14 with stride 2 and for no others. Does the sequential procedure get
the size and the stride that were passed to your function?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        difference = slide(net, images, WINDOW, STRIDE) - twin(images)
        return difference.norm().item()
