"""task: 2.7
does: finds row and column of the best window by the number of rows
hint: Only for grids that are not square your boxes are wrong. How many windows does the flat
index pass before it comes to the next row?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs[:, 1:11], dim=1).max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[0]
    corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, best], (corners + grid.size * boxes) / SIDE
