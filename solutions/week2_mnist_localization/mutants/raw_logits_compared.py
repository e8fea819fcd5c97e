"""task: 2.7
does: compares raw class logits between windows
hint: Add 100 to all ten class logits of one window: it wins, though it is no surer than before.
What makes the logits of two windows comparable?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = outputs[:, 1:11].max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    columns = grid.count[1]
    corners = torch.stack([best % columns, best // columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, best], (corners + grid.size * boxes) / SIDE
