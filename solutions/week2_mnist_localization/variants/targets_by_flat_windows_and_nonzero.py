"""task: 2.4
does: window boxes in image fractions in one list, and an index of the pairs that fit
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    cell = torch.arange(rows * columns)
    x, y = cell % columns * grid.stride, cell // columns * grid.stride
    windows = torch.stack([x, y, x + grid.size, y + grid.size], 1) / SIDE
    sizes = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + sizes / 2)[:, None]
    held = (windows[None, :, :2] <= centres) & (centres < windows[None, :, 2:])
    image, window = torch.where(held.all(-1))
    targets = torch.zeros(len(boxes), rows * columns, 6)
    corner = windows[window].repeat(1, 2)[:, [0, 1, 0, 1]]
    targets[image, window, 0] = 1.0
    targets[image, window, 1] = labels[image].float()
    targets[image, window, 2:] = (boxes[image] - corner) * SIDE / grid.size
    return targets.transpose(1, 2).reshape(-1, 6, rows, columns)
