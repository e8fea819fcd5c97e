"""task: 3.1
does: draws all chance of a scene first, then pastes with slices; the centre rounded upwards
"""


def ink_of(patch):
    seen = patch > 0
    ys, xs = torch.where(seen)
    return patch[int(ys.min()) : int(ys.max()) + 1, int(xs.min()) : int(xs.max()) + 1]


def make_scene(digits, labels, generator):
    filled = torch.rand(4, generator=generator) < 0.8
    which = torch.randint(0, digits.size(0), (4,), generator=generator)
    sizes = torch.randint(15, 28, (4,), generator=generator)
    shifts = torch.randint(0, 7, (4, 2), generator=generator) - 3
    canvas = torch.zeros(32, 32)
    boxes, classes = [], []
    for region in filled.nonzero().flatten().tolist():
        digit = digits[which[region]][None]
        small = F.interpolate(digit, size=[int(sizes[region])] * 2, mode="bicubic")
        ink = ink_of(small[0, 0].clamp(0.0, 1.0))
        h, w = ink.shape
        y = 8 + 16 * (region // 2) + int(shifts[region, 0]) - (h + 1) // 2
        x = 8 + 16 * (region % 2) + int(shifts[region, 1]) - (w + 1) // 2
        y, x = max(0, min(y, 32 - h)), max(0, min(x, 32 - w))
        canvas[y : y + h, x : x + w] = canvas[y : y + h, x : x + w].max(ink)
        boxes.append(torch.tensor([x, y, x + w, y + h]) / 32)
        classes.append(labels[which[region]] + 1)
    if not boxes:
        return canvas[None], torch.zeros((0, 4)), torch.zeros(0, dtype=torch.long)
    return canvas[None], torch.stack(boxes), torch.stack(classes)
