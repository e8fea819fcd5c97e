"""task: 3.1
does: takes nearest pixels, and draws all numbers before anything else
"""


def make_scene(digits, labels, generator):
    fill = torch.rand(4, generator=generator) < 0.8
    which = torch.randint(0, len(digits), (4,), generator=generator)
    sizes = 15 + (torch.rand(4, generator=generator) * 13).long()
    shifts = torch.randint(-3, 4, (4, 2), generator=generator)
    image = torch.zeros(SIDE, SIDE)
    boxes, names = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    for k, (cx, cy) in enumerate([(8, 8), (24, 8), (8, 24), (24, 24)]):
        if not fill[k]:
            continue
        s = int(sizes[k])
        patch = F.interpolate(digits[which[k]][None], size=s, mode="nearest")[0, 0]
        ys, xs = torch.where(patch > 0)
        ink = patch[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        h, w = ink.shape
        x = min(max((cx - w // 2) + int(shifts[k, 0]), 0), 32 - w)
        y = min(max((cy - h // 2) + int(shifts[k, 1]), 0), 32 - h)
        layer = torch.zeros_like(image)
        layer[y : y + h, x : x + w] = ink
        image = torch.max(image, layer)
        boxes = torch.cat([boxes, torch.tensor([[x, y, x + w, y + h]]) / 32.0])
        names = torch.cat([names, labels[which[k]][None] + 1])
    return image[None], boxes, names
