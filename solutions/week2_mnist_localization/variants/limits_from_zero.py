"""task: 2.8
does: sets the axes' limits from 0 to the image's sides, one pixel to the left of the edges' place
"""


def show_predictions(images, true_boxes, true_labels, boxes, labels):
    fig, axes = plt.subplots(6, 5, figsize=(10, 13))
    height, width = images.shape[-2:]
    for n in range(30):
        ax = axes[n // 5, n % 5]
        ax.imshow(images[n].squeeze().numpy(), cmap="gray")
        for box, colour in [(true_boxes[n], "green"), (boxes[n], "red")]:
            x, y = float(box[0]) * width - 1, float(box[1]) * height - 1
            w, h = float(box[2] - box[0]) * width, float(box[3] - box[1]) * height
            ax.add_patch(Rectangle((x, y), w, h, linewidth=2, edgecolor=colour, fill=False))
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_title(f"{int(true_labels[n])} / {int(labels[n])}")
    plt.tight_layout()
    return fig
