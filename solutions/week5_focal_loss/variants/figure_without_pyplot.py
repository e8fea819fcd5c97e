"""task: 5.6
does: draws into a figure of its own, larger and without axes
"""


def show_detections(image, detections, names):
    figure = Figure(figsize=(8, 5))
    axes = figure.add_axes([0, 0, 1, 1])
    _, height, width = image.shape
    axes.imshow(image.movedim(0, -1).numpy(), extent=[0, width, height, 0], interpolation="nearest")
    axes.set_axis_off()
    for k in range(len(detections["scores"])):
        score = float(detections["scores"][k])
        left, top, right, bottom = (
            detections["boxes"][k] * torch.tensor([width, height] * 2)
        ).tolist()
        box = plt.Rectangle((left, top), right - left, bottom - top)
        box.set(fill=False, edgecolor=plt.cm.plasma(score), linewidth=2.5)
        axes.add_patch(box)
        axes.annotate(f"{names[int(detections['labels'][k]) - 1]} {score:.2f}", (left, top))
    return figure
