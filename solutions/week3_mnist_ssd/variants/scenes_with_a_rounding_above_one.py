"""task: 3.1
does: leaves the interpolation's roundings above 1 as they are
"""


def make_scene(digits, labels, generator):
    image, boxes, names = torch.zeros(1, SIDE, SIDE), [], []
    for k in range(4):
        if float(torch.rand(1, generator=generator)) < 0.2:
            continue
        n = int(torch.randint(0, len(digits), (1,), generator=generator))
        s = int(torch.randint(15, 28, (1,), generator=generator))
        patch = F.interpolate(digits[n][None], size=(s, s), mode="bilinear", align_corners=False)[0]
        ys, xs = patch[0].nonzero(as_tuple=True)
        ink = patch[:, ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        dy, dx = (torch.randint(7, (2,), generator=generator) - 3).tolist()
        h, w = ink.shape[1], ink.shape[2]
        top = min(max(8 + 16 * (k // 2) - (h + 1) // 2 + dy, 0), 32 - h)
        left = min(max(8 + 16 * (k % 2) - (w + 1) // 2 + dx, 0), 32 - w)
        window = (slice(None), slice(top, top + h), slice(left, left + w))
        image[window] = torch.where(ink > image[window], ink, image[window])
        boxes.append((left / 32, top / 32, (left + w) / 32, (top + h) / 32))
        names.append(labels[n].item() + 1)
    boxes = torch.tensor(boxes) if boxes else torch.empty(0, 4)
    return image, boxes, torch.tensor(names, dtype=torch.long)
