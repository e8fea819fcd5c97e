"""task: 3.1
does: takes ink to be pixels above 0.1
hint: From which value on is a pixel ink?
"""


def make_scene(
    digits: Tensor, labels: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    image, boxes, classes = torch.zeros(1, SIDE, SIDE), [], []
    for region in range(4):
        if torch.rand((), generator=generator) >= 0.8:
            continue
        n = int(torch.randint(len(digits), (), generator=generator))
        side = int(torch.randint(15, 28, (), generator=generator))
        patch = F.interpolate(digits[n : n + 1], (side, side), mode="bilinear", antialias=True)[0]
        rows, columns = (patch[0] > 0.1).any(1).nonzero(), (patch[0] > 0.1).any(0).nonzero()
        ink = patch[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].clamp(0, 1)
        shift_y, shift_x = torch.randint(-3, 4, (2,), generator=generator).tolist()
        height, width = ink.shape[1:]
        row, column = divmod(region, 2)
        top = min(max(8 + 16 * row + shift_y - height // 2, 0), SIDE - height)
        left = min(max(8 + 16 * column + shift_x - width // 2, 0), SIDE - width)
        place = image[:, top : top + height, left : left + width]
        place.copy_(torch.maximum(place, ink))
        boxes.append([left, top, left + width, top + height])
        classes.append(int(labels[n]) + 1)
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4) / SIDE
    return image, boxes, torch.tensor(classes, dtype=torch.int64)
