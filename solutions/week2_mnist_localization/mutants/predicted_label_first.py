"""task: 2.8
does: writes the predicted label before the true one
hint: Both labels are there. Which of them comes first?
"""


def show_predictions(
    images: Tensor, true_boxes: Tensor, true_labels: Tensor, boxes: Tensor, labels: Tensor
) -> Figure:
    fig, axes = plt.subplots(6, 5, figsize=(10, 12.5))
    for n, ax in enumerate(axes.flat):
        ax.imshow(images[n, 0], cmap="gray")
        for box, colour in ((true_boxes[n], "lime"), (boxes[n], "red")):
            x_min, y_min, x_max, y_max = (SIDE * box - 0.5).tolist()
            sides = x_max - x_min, y_max - y_min
            ax.add_patch(Rectangle((x_min, y_min), *sides, fill=False, edgecolor=colour))
        ax.set_title(f"predicted {labels[n]}, true {true_labels[n]}", size=9)
    return fig
