"""task: 2.7
does: cuts the box off at the borders of the image
hint: None of your boxes leaves the image. What does the statement say about that?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs[:, 1:11], dim=1).max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[1]
    corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, best], ((corners + grid.size * boxes) / SIDE).clamp(0, 1)
