"""task: 2.3
does: asks for the smallest of no indices
hint: Hand in `torch.zeros(1, 64, 64)`. What is the smallest element of an empty tensor, and what
should the box be?
"""


def digit_box(image: Tensor) -> Tensor:
    height, width = image.shape[1:]
    rows, columns = torch.nonzero(image[0] > 0, as_tuple=True)
    first, last = (columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)
    sides = torch.tensor([width, height, width, height], dtype=torch.float32)
    return torch.stack([*first, *last]) / sides
