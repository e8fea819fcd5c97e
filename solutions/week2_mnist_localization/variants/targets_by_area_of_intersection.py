"""task: 2.4
does: computes the area of the intersection in pixels with clamp, in float64, and `torch.where`
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    pixels = boxes.double().mul(SIDE)[:, :, None, None]
    tops = torch.arange(0, grid.count[0] * grid.stride, grid.stride).view(1, -1, 1)
    lefts = torch.arange(0, grid.count[1] * grid.stride, grid.stride).view(1, 1, -1)
    width = torch.minimum(pixels[:, 2], lefts + grid.size) - torch.maximum(pixels[:, 0], lefts)
    height = torch.minimum(pixels[:, 3], tops + grid.size) - torch.maximum(pixels[:, 1], tops)
    area = width.clamp(min=0) * height.clamp(min=0)
    zero = torch.zeros_like(area)
    channels = [
        zero + 1,
        zero + labels.view(-1, 1, 1),
        zero + (pixels[:, 0] - lefts) / grid.size,
        zero + (pixels[:, 1] - tops) / grid.size,
        zero + (pixels[:, 2] - lefts) / grid.size,
        zero + (pixels[:, 3] - tops) / grid.size,
    ]
    return torch.where((area > 0).unsqueeze(1), torch.stack(channels, dim=1), 0.0).float()
