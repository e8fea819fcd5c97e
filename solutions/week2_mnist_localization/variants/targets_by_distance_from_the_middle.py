"""task: 2.4
does: how far the box's centre is from the window's, in float64, and `torch.where`
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    pixels, half = boxes.double().mul(SIDE)[:, :, None, None], grid.size / 2
    tops = torch.arange(0, grid.count[0] * grid.stride, grid.stride).view(1, -1, 1)
    lefts = torch.arange(0, grid.count[1] * grid.stride, grid.stride).view(1, 1, -1)
    right_of = pixels[:, [0, 2]].mean(1) - (lefts + half)
    below = pixels[:, [1, 3]].mean(1) - (tops + half)
    near = (right_of >= -half) & (right_of < half) & (below >= -half) & (below < half)
    zero = torch.zeros_like(near, dtype=torch.float64)
    channels = [
        zero + 1,
        zero + labels.view(-1, 1, 1),
        zero + (pixels[:, 0] - lefts) / grid.size,
        zero + (pixels[:, 1] - tops) / grid.size,
        zero + (pixels[:, 2] - lefts) / grid.size,
        zero + (pixels[:, 3] - tops) / grid.size,
    ]
    return torch.where(near.unsqueeze(1), torch.stack(channels, dim=1), 0.0).float()
