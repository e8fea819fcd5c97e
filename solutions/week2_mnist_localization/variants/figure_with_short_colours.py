"""task: 2.8
does: colours "g" and "r", no half pixel, axes added one by one, ticks left, a title in words
"""


def show_predictions(
    images: Tensor, true_boxes: Tensor, true_labels: Tensor, boxes: Tensor, labels: Tensor
) -> Figure:
    height, width = images.shape[-2:]
    figure = plt.figure(figsize=(12, 14))
    for n in range(30):
        ax = figure.add_subplot(6, 5, n + 1)
        plt.imshow(images[n].squeeze().numpy())
        for (x0, y0, x1, y1), edge in zip((boxes[n], true_boxes[n]), "rg", strict=True):
            x0, x1, y0, y1 = x0 * width, x1 * width, y0 * height, y1 * height
            patch = plt.Rectangle((x0, y0), x1 - x0, y1 - y0, fc="none", ec=edge)
            plt.gca().add_patch(patch)
        ax.set_title(f"{true_labels[n].item()} → {labels[n].item()}")
    figure.suptitle("Predictions on 30 images")
    return figure
