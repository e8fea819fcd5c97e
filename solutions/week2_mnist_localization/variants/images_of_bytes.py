"""task: 2.8
does: shows the images as PIL images, whose greys go from 0 to 255
"""


def show_predictions(images, true_boxes, true_labels, boxes, labels):
    fig, axes = plt.subplots(6, 5, figsize=(10, 12.5))
    height, width = images.shape[2:]
    for n, ax in enumerate(axes.ravel()):
        ax.imshow(TF.to_pil_image(images[n]), cmap="gray")
        for box, colour in ((true_boxes[n], "green"), (boxes[n], "red")):
            x_min, y_min, x_max, y_max = box.tolist()
            corner = x_min * width - 0.5, y_min * height - 0.5
            sides = (x_max - x_min) * width, (y_max - y_min) * height
            ax.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=colour))
        ax.set_title(f"{int(true_labels[n])} / {int(labels[n])}")
    return fig
