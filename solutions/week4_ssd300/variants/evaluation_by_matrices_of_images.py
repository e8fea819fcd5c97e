"""task: 4.11
does: greedy matching image by image on tensors, ranks at the end; padded lines in the table
"""


def judged(found, truth, iou_threshold):
    verdicts = []
    free = torch.ones(len(truth["boxes"]), dtype=torch.bool)
    overlaps = ops.box_iou(found["boxes"], truth["boxes"])
    overlaps = overlaps * (found["labels"][:, None] == truth["labels"][None])
    for row in found["scores"].argsort(descending=True):
        if len(free) == 0 or overlaps[row].max() <= iou_threshold:
            verdicts.append((row, 0))
            continue
        best = overlaps[row].argmax()
        if truth["difficult"][best]:
            continue
        verdicts.append((row, int(free[best])))
        free[best] = False
    return verdicts


def average_precisions(detections, truths, interpolation="all-point", iou_threshold=0.5):
    scores, labels, hits = [], [], []
    for found, truth in zip(detections, truths, strict=True):
        for row, hit in judged(found, truth, iou_threshold):
            scores.append(float(found["scores"][row]))
            labels.append(int(found["labels"][row]))
            hits.append(hit)
    order = torch.tensor(scores).argsort(descending=True)
    labels = torch.tensor(labels, dtype=torch.long)[order]
    hits = torch.tensor(hits, dtype=torch.float64)[order]
    easy = torch.cat([truth["labels"][~truth["difficult"]] for truth in truths])
    result = {}
    for label, count in zip(*(x.tolist() for x in easy.unique(return_counts=True)), strict=True):
        right = hits[labels == label].cumsum(0)
        precision = right / (torch.arange(len(right)) + 1)
        envelope = [float(precision[n:].max()) for n in range(len(right))]
        if interpolation == "all-point":
            gained = torch.cat([torch.zeros(1, dtype=torch.float64), right]).diff()
            pairs = zip(gained.tolist(), envelope, strict=True)
            result[label] = sum(new * best for new, best in pairs) / count
            continue
        heights = []
        for k in range(11):
            reached = (10 * right >= k * count).nonzero()
            heights.append(envelope[int(reached[0])] if len(reached) else 0.0)
        result[label] = sum(heights) / 11
    return result


def precision_table(precisions, names):
    def line(name, value):
        return name.ljust(20) + ("-" if value is None else format(value, ".3f")).rjust(8)

    lines = [line(name, precisions.get(n + 1)) for n, name in enumerate(names)]
    mean = torch.tensor(list(precisions.values())).mean().item() if precisions else None
    return "\n".join([*lines, line("mean", mean)])
