"""task: 4.11
does: one list of all detections, ranked once; overlaps by plain arithmetic; bisection for 11 points
"""

from bisect import bisect_left


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def average_precisions(detections, truths, interpolation="all-point", iou_threshold=0.5):
    objects, counts = {}, {}
    for n, truth in enumerate(truths):
        rows = zip(*(truth[k].tolist() for k in ("boxes", "labels", "difficult")), strict=True)
        for box, label, difficult in rows:
            objects.setdefault((n, label), []).append([box, difficult, False])
            if not difficult:
                counts[label] = counts.get(label, 0) + 1
    ranked = []
    for n, found in enumerate(detections):
        rows = zip(*(found[k].tolist() for k in ("scores", "labels", "boxes")), strict=True)
        ranked += [(score, label, n, box) for score, label, box in rows]
    ranked.sort(key=lambda row: row[0], reverse=True)
    results = {}
    for label, count in counts.items():
        recalls, precisions, hits, seen = [], [], 0, 0
        for _, own, n, box in ranked:
            if own != label:
                continue
            near = max(objects.get((n, label), []), key=lambda o: overlap(box, o[0]), default=None)
            if near is not None and overlap(box, near[0]) > iou_threshold:
                if near[1]:
                    continue
                hits += not near[2]
                near[2] = True
            seen += 1
            recalls.append(hits)
            precisions.append(hits / seen)
        for k in range(len(precisions) - 2, -1, -1):
            precisions[k] = max(precisions[k], precisions[k + 1])
        if interpolation == "11-point":
            total = 0.0
            for tenth in range(11):
                k = bisect_left(recalls, -(-tenth * count // 10))
                total += precisions[k] if k < len(precisions) else 0.0
            results[label] = total / 11
        else:
            before = [0, *recalls][: len(recalls)]
            steps = zip(recalls, before, precisions, strict=True)
            results[label] = sum((new - old) * p for new, old, p in steps) / count
    return results


def precision_table(precisions, names):
    lines = []
    for label, name in enumerate(names, start=1):
        lines.append(f"{name} {precisions[label]:.3f}" if label in precisions else f"{name} -")
    values = list(precisions.values())
    lines.append(f"mean {sum(values) / len(values):.3f}" if values else "mean -")
    return "\n".join(lines)
