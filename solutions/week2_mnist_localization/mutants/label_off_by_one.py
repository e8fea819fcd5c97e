"""task: 2.7
does: returns the channel of the best digit as its label
hint: Your labels run from 1 to 10. Which channel of the outputs stands for the digit 0?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs[:, 1:11], dim=1).max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[1]
    corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * grid.stride
    return 1 + digits.flatten(1)[images, best], (corners + grid.size * boxes) / SIDE
