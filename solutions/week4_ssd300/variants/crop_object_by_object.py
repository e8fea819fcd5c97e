"""task: 4.2
does: looks at the objects one by one, without `ops`, and draws the place as a fraction
"""


def overlap_of(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def one_crop(shape, boxes, least, generator):
    for _ in range(50):
        draws = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
        h, w = (int((0.3 + 0.7 * u) * side) for u, side in zip(draws, shape, strict=False))
        if h > 2 * w or w > 2 * h:
            continue
        y, x = int(draws[2] * (shape[0] - h + 1)), int(draws[3] * (shape[1] - w + 1))
        if max(overlap_of((x, y, x + w, y + h), box) for box in boxes) < least:
            continue
        kept = []
        for n, (x1, y1, x2, y2) in enumerate(boxes):
            if x <= (x1 + x2) / 2 <= x + w and y <= (y1 + y2) / 2 <= y + h:
                moved = max(x1 - x, 0), max(y1 - y, 0), min(x2 - x, w), min(y2 - y, h)
                kept.append((n, moved))
        if kept:
            return (slice(None), slice(y, y + h), slice(x, x + w)), kept
    return None


def random_crop(image, target, generator):
    boxes = target["boxes"].tolist()
    found = None
    while boxes and found is None:
        choice = torch.randint(0, 7, (1,), generator=generator).item()
        if choice == 6:
            break
        least = [0, 0.1, 0.3, 0.5, 0.7, 0.9][choice]
        found = one_crop(image.shape[1:], boxes, least, generator)
    if found is None:
        return image.clone(), {name: values.clone() for name, values in target.items()}
    numbers = torch.tensor([n for n, _ in found[1]])
    return image[found[0]].clone(), {
        "labels": target["labels"][numbers],
        "difficult": target["difficult"][numbers],
        "boxes": torch.tensor([box for _, box in found[1]], dtype=torch.float32),
    }
