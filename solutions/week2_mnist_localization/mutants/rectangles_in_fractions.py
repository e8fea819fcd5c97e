"""task: 2.8
does: draws the boxes in fractions
hint: Your rectangles are specks in the upper left corner. In which unit does `imshow` lay out its
axes?
"""


def show_predictions(
    images: Tensor, true_boxes: Tensor, true_labels: Tensor, boxes: Tensor, labels: Tensor
) -> Figure:
    fig, axes = plt.subplots(6, 5, figsize=(10, 12.5))
    for n, ax in enumerate(axes.flat):
        ax.imshow(images[n, 0], cmap="gray")
        for box, colour in ((true_boxes[n], "lime"), (boxes[n], "red")):
            x_min, y_min, x_max, y_max = box.tolist()
            sides = x_max - x_min, y_max - y_min
            ax.add_patch(Rectangle((x_min, y_min), *sides, fill=False, edgecolor=colour))
        ax.set_title(f"true {true_labels[n]}, predicted {labels[n]}", size=9)
    return fig
