"""task: 2.4
does: hides a loop over the images in a generator within `torch.stack`
hint: One call of `torch.stack`, but what stands in its brackets makes one tensor for each image.
Could the first axis of `boxes` stay where it is?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    corners = torch.stack([j, i, j, i]) * grid.stride

    def of_one(box: Tensor, label: Tensor) -> Tensor:
        inside = (SIDE * box[:, None, None] - corners) / grid.size
        centre = (inside[:2] + inside[2:]) / 2
        seen = ((centre >= 0) & (centre < 1)).all(0)
        two = torch.stack([torch.ones(rows, columns), label.expand(rows, columns)])
        return torch.cat([two, inside]) * seen

    return torch.stack(tuple(map(of_one, boxes, labels)))
