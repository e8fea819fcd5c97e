"""task: 2.3
does: divides x and y by the width
hint: On square images all is well, on others y is not. By which side is y a fraction?
"""


def digit_box(image: Tensor) -> Tensor:
    width = image.shape[2]
    rows, columns = torch.nonzero(image[0] > 0, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    return torch.stack(box) / width
