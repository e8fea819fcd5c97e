"""task: 2.7
does: normalises each digit over the windows instead of each window over the digits
hint: Add up the exponentials of your scores in one window: they should give 1. Over which axis
does your softmax run?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = (
        F.log_softmax(outputs[:, 1:11].flatten(2), dim=2).view_as(outputs[:, 1:11]).max(dim=1)
    )
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[1]
    corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, best], (corners + grid.size * boxes) / SIDE
