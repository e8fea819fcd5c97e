"""task: 2.3
does: returns (y_min, x_min, y_max, x_max)
hint: Your boxes are mirrored along the diagonal. `nonzero` gives the row first: which of the two
is y?
"""


def digit_box(image: Tensor) -> Tensor:
    height, width = image.shape[1:]
    rows, columns = torch.nonzero(image[0] > 0, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    first, last = (rows.min(), columns.min()), (rows.max() + 1, columns.max() + 1)
    sides = torch.tensor([height, width, height, width], dtype=torch.float32)
    return torch.stack([*first, *last]) / sides
