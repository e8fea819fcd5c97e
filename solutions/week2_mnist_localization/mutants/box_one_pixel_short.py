"""task: 2.3
does: leaves out the + 1 behind the last column and the last row
hint: A single pixel gets a box without any width. Where does the pixel in column c end?
"""


def digit_box(image: Tensor) -> Tensor:
    height, width = image.shape[1:]
    rows, columns = torch.nonzero(image[0] > 0, as_tuple=True)
    if len(rows) == 0:
        return torch.zeros(4)
    box = [columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height]
    return torch.stack(box)
