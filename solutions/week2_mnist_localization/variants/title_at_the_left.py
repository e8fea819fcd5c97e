"""task: 2.8
does: sets titles at the left
"""


def show_predictions(
    images: Tensor, true_boxes: Tensor, true_labels: Tensor, boxes: Tensor, labels: Tensor
) -> Figure:
    fig, axes = plt.subplots(6, 5, figsize=(10, 12.5), layout="constrained")
    height, width = images.shape[2:]
    scale = torch.tensor([width, height, width, height])
    for n, ax in enumerate(axes.flat):
        ax.imshow(images[n, 0], cmap="gray", vmin=0, vmax=1)
        for box, colour in ((true_boxes[n], "lime"), (boxes[n], "red")):
            x_min, y_min, x_max, y_max = (box * scale - 0.5).tolist()
            sides = x_max - x_min, y_max - y_min
            ax.add_patch(Rectangle((x_min, y_min), *sides, fill=False, edgecolor=colour, lw=1.5))
        title = f"true {true_labels[n]}, predicted {labels[n]}"
        ax.set_title(title, size=9, loc="left")
        ax.axis("off")
    return fig
