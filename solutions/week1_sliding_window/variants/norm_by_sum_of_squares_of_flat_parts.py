"""task: 1.6
does: adds the squares up as a dot product; counts what is unseen by whole windows; one more size
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        apart = (twin(images) - slide(net, images, size, stride)).flatten()
        return float(torch.dot(apart, apart) ** 0.5)


def unseen(height: int, width: int) -> tuple[int, int]:
    def rest(side: int) -> int:
        windows = (side - 14) // 2 + 1
        return side - (14 + 2 * (windows - 1))

    return rest(height), rest(width)


my_sizes = [[15, 15], [16, 100], [99, 41], [27, 27]]
answer_1_6 = "C"
