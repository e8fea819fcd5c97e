"""task: 1.6
does: subtracts the norms of the two outputs
hint: Two outputs can be as long as each other and still differ in every element. What do you
subtract, the outputs or their norms?
"""


def difference_norm(
    net: nn.Module, twin: nn.Module, images: Tensor, size: int, stride: int
) -> float:
    with torch.no_grad():
        sequential = slide(net, images, size, stride)
        convolutional = twin(images)
    return abs(sequential.norm() - convolutional.norm()).item()
