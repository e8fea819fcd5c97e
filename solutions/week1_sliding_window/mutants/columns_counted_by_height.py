"""task: 1.5
does: takes the number of rows for the number of columns too; right for square images only
hint: Square images work, others do not. From which side of the image do you compute the number of
rows, and from which that of columns?
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    side = images.shape[2]
    count = (side - size) // stride + 1
    rows = []
    for i in range(count):
        y = i * stride
        row = []
        for j in range(count):
            x = j * stride
            row.append(images[:, :, y : y + size, x : x + size])
        rows.append(torch.stack(row, dim=1))
    return torch.stack(rows, dim=1)
