"""task: 1.6
does: no_grad as a decorator, `Tensor.norm`, numpy's number turned into Python's; a lower-case list
"""


@torch.no_grad()
def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    one, other = slide(net, images, size, stride), twin(images)
    return float((one - other).norm(p=2).numpy())


def unseen(height: int, width: int) -> tuple[int, int]:
    return tuple((side - WINDOW) % STRIDE for side in (height, width))


my_sizes = [(21, 37), (14, 63), (80, 81)]
answer_1_6 = "C"
