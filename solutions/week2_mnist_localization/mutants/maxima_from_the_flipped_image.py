"""task: 2.3
does: counts the empty lines from the right, and is one off
hint: Your minima are right and your maxima a pixel too large. In the flipped image the first ink is
at index k: how many columns lie behind the ink?
"""


def digit_box(image: Tensor) -> Tensor:
    ink = image[0] > 0
    if not ink.any():
        return torch.zeros(4)
    box = []
    for lines in (ink.any(0).int(), ink.any(1).int()):
        side = len(lines)
        box.append((int(lines.argmax()) / side, (side - int(lines.flip(0).argmax()) + 1) / side))
    (x_min, x_max), (y_min, y_max) = box
    return torch.tensor([x_min, y_min, x_max, y_max])
