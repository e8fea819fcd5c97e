"""task: 2.7
does: takes the row of the best window for its column
hint: Your boxes are mirrored along the diagonal. A flat index runs through a row first: what are
its quotient and its remainder by the number of columns?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs[:, 1:11], dim=1).max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[1]
    corners = torch.stack([best // columns, best % columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, best], (corners + grid.size * boxes) / SIDE
