"""task: 2.7
does: moves all boxes into the image first, then one argmax over windows and digits; probabilities
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    rows, columns = grid.count
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    corners = torch.stack([x, y, x, y]) * grid.stride
    in_image = (outputs[:, 11:15] * grid.size + corners).div(SIDE).permute(0, 2, 3, 1).flatten(1, 2)
    scores = outputs[:, 1:11].permute(0, 2, 3, 1).log_softmax(-1).reshape(len(outputs), -1)
    winner = scores.max(dim=1).indices
    window = torch.div(winner, CLASSES, rounding_mode="floor")
    boxes = torch.gather(in_image, 1, window.view(-1, 1, 1).expand(-1, 1, 4)).squeeze(1)
    return winner.remainder(CLASSES), boxes
