"""task: 2.4
does: lists the corners of all windows in a loop, and remembers them for the next call
hint: How many steps does your very first call take for a grid of 25×25 windows? Remembering an
answer does not make it cheap to find.
"""

from functools import cache


@cache
def _corners(grid: WindowGrid) -> Tensor:
    places = [
        (j * grid.stride, i * grid.stride)
        for i in range(grid.count[0])
        for j in range(grid.count[1])
    ]
    return torch.tensor(places).view(*grid.count, 2)


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    corners = _corners(grid).repeat(1, 1, 2)
    inside = (SIDE * boxes[:, None, None] - corners) / grid.size
    centres = (inside[..., :2] + inside[..., 2:]) / 2
    seen = ((centres >= 0) & (centres < 1)).all(-1)
    digits = labels[:, None, None].expand_as(seen)
    targets = torch.cat([torch.stack([torch.ones_like(digits), digits], -1), inside], -1)
    return (targets * seen[..., None]).permute(0, 3, 1, 2)
