"""task: 4.11
does: goes through all detections of a class at once, in numpy, and measures IoU itself
"""

import numpy as np


def own_iou(box, boxes):
    w = np.minimum(box[2], boxes[:, 2]) - np.maximum(box[0], boxes[:, 0])
    h = np.minimum(box[3], boxes[:, 3]) - np.maximum(box[1], boxes[:, 1])
    shared = np.clip(w, 0, None) * np.clip(h, 0, None)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return shared / ((box[2] - box[0]) * (box[3] - box[1]) + areas - shared)


def average_precisions(detections, truths, interpolation="all-point", iou_threshold=0.5):
    found = [{k: v.double().numpy() for k, v in one.items()} for one in detections]
    true = [{k: v.double().numpy() for k, v in one.items()} for one in truths]
    result = {}
    for label in sorted({int(c) for one in true for c in one["labels"]}):
        total = sum(int(((t["labels"] == label) & (t["difficult"] == 0)).sum()) for t in true)
        if total == 0:
            continue
        places = [(n, k) for n, f in enumerate(found) for k in np.flatnonzero(f["labels"] == label)]
        places.sort(key=lambda place: -found[place[0]]["scores"][place[1]])
        used, marks = set(), []
        for n, k in places:
            mine = np.flatnonzero(true[n]["labels"] == label)
            overlaps = own_iou(found[n]["boxes"][k], true[n]["boxes"][mine])
            if not len(mine) or overlaps.max() <= iou_threshold:
                marks.append(0)
                continue
            hit = n, mine[overlaps.argmax()]
            if true[n]["difficult"][hit[1]] == 0:
                marks.append(int(hit not in used))
                used.add(hit)
        hits = np.cumsum(marks) if marks else np.zeros(0)
        precision = [h / (i + 1) for i, h in enumerate(hits)]
        points = [(int(h), max(precision[i:])) for i, h in enumerate(hits)]
        if interpolation == "11-point":
            values = [next((p for h, p in points if 10 * h >= k * total), 0.0) for k in range(11)]
            result[label] = float(np.mean(values))
        else:
            levels = [next((p for h, p in points if h >= k), 0.0) for k in range(1, total + 1)]
            result[label] = float(sum(levels) / total)
    return result


def precision_table(precisions, names):
    lines = []
    for label, name in enumerate(names, start=1):
        value = f"{precisions[label]:.3f}" if label in precisions else "-"
        lines.append(name.ljust(30) + value.rjust(8))
    values = list(precisions.values())
    mean = f"{np.mean(values):.3f}" if values else "-"
    return "\n".join([*lines, "mean".ljust(30) + mean.rjust(8)]) + "\n"
