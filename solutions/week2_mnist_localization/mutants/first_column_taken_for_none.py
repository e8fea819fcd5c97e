"""task: 2.3
does: takes an index of 0 for "nothing found"
hint: Your box is wrong when the ink begins in column 0 or row 0. What is the truth value of 0, and
which of your lines asks for it?
"""


def digit_box(image: Tensor) -> Tensor:
    height, width = image.shape[1:]
    ink = image[0] > 0
    x_min = y_min = x_max = y_max = 0
    for column in range(width):
        if ink[:, column].any():
            x_min, x_max = x_min or column, column + 1
    for row in range(height):
        if ink[row].any():
            y_min, y_max = y_min or row, row + 1
    sides = torch.tensor([width, height, width, height], dtype=torch.float32)
    return torch.tensor([x_min, y_min, x_max, y_max]) / sides
