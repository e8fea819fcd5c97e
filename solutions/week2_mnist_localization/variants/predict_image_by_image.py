"""task: 2.7
does: a loop over images and windows, in Python numbers
"""


def predict(outputs: Tensor, grid: WindowGrid) -> tuple[Tensor, Tensor]:
    labels, boxes = [], []
    for output in outputs:
        best = None
        for i in range(grid.count[0]):
            for j in range(grid.count[1]):
                scores = torch.log_softmax(output[1:11, i, j], 0)
                if best is None or scores.max() > best[0]:
                    best = scores.max(), i, j, int(scores.argmax())
        _, i, j, label = best
        x0, y0, x1, y1 = (grid.size * output[11:, i, j]).tolist()
        left, top = j * grid.stride, i * grid.stride
        labels.append(label)
        boxes.append([(left + x0) / SIDE, (top + y0) / SIDE, (left + x1) / SIDE, (top + y1) / SIDE])
    return torch.tensor(labels), torch.tensor(boxes, dtype=torch.float64)
