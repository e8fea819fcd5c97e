"""task: 1.6
does: the norm as root of a sum in float64, pixels marked one by one, many sizes
"""

from math import sqrt


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.inference_mode():
        first = slide(net, images, size, stride).to(torch.float64).flatten()
        second = twin(images).to(torch.float64).flatten()
        return sqrt(sum((a - b) ** 2 for a, b in zip(first.tolist(), second.tolist(), strict=True)))


def unseen(height: int, width: int) -> tuple[int, int]:
    def left_over(side):
        covered = [False] * side
        for start in range(0, side - 13, 2):
            covered[start : start + 14] = [True] * 14
        return covered.count(False)

    return left_over(height), left_over(width)


my_sizes = [(height, width) for height in (14, 27, 100) for width in (100, 33, 15, 14)]
