"""task: 2.7
does: returns the box in fractions of the window
hint: Your box says where the digit lies in the best window. In whose fractions should it be?
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    scores, digits = F.log_softmax(outputs[:, 1:11], dim=1).max(dim=1)
    best = scores.flatten(1).argmax(1)
    images = torch.arange(len(outputs))
    boxes = outputs[:, 11:].flatten(2)[images, :, best]
    return digits.flatten(1)[images, best], boxes
