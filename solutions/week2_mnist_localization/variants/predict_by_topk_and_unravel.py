"""task: 2.7
does: topk of one over all windows, row and column by unravelling, boxes corner by corner
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    count = outputs.shape[0]
    likelihood = outputs[:, 1:11] - outputs[:, 1:11].logsumexp(1, keepdim=True)
    surest, digit = likelihood.max(1)
    _, place = surest.view(count, -1).topk(1, dim=1)
    row, column = torch.unravel_index(place[:, 0], grid.count)
    rows = torch.arange(count)
    x_min, y_min, x_max, y_max = outputs[rows, 11:, row, column].unbind(1)
    left, top = column * grid.stride, row * grid.stride
    box = torch.stack(
        [
            (left + grid.size * x_min) / 64,
            (top + grid.size * y_min) / 64,
            (left + grid.size * x_max) / 64,
            (top + grid.size * y_max) / 64,
        ],
        dim=-1,
    )
    return digit[rows, row, column], box
