"""task: 2.3
does: returns pixels
hint: Your numbers go up to 64. In which unit are boxes given throughout this notebook?
"""


def digit_box(image: Tensor) -> Tensor:
    rows, columns = torch.nonzero(image[0] > 0, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return torch.stack(box).float()
