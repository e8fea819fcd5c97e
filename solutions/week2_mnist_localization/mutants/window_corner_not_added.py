"""task: 2.7
does: forgets the corner of the best window
hint: Your boxes have the right size and all lie near the upper left. Where does the best window
begin?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs[:, 1:11], dim=1).max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    return digits.flatten(1)[images, best], grid.size * boxes / SIDE
