"""task: 1.6
does: runs float64 copies of both networks, and uses the parity of the sides
"""

from copy import deepcopy


@torch.no_grad()
def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    precise = images.double()
    sequential = slide(deepcopy(net).double(), precise, size, stride)
    convolutional = deepcopy(twin).double()(precise)
    return float(torch.dist(sequential, convolutional, p=2))


def unseen(height: int, width: int) -> tuple[int, int]:
    return height % 2, width % 2


my_sizes = [(100, 99), (14, 15), (15, 14)]
