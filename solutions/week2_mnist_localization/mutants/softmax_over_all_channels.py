"""task: 2.7
does: normalises over all 15 channels
hint: Your score of a digit changes when only the box does. Which channels belong into the
softmax?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs, dim=1)[:, 1:11].max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[1]
    corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, best], (corners + grid.size * boxes) / SIDE
