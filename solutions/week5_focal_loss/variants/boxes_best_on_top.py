"""task: 5.6
does: draws the surest box last, with no fill by colour
"""


def show_detections(image, detections, names):
    height, width = image.shape[1:]
    fig, ax = plt.subplots(figsize=(5, 5))
    ax.imshow((255 * image).round().byte().permute(1, 2, 0), extent=(0, width, height, 0))
    for k in detections["scores"].argsort().tolist():
        box, score = detections["boxes"][k].tolist(), detections["scores"][k].item()
        corner = width * box[0], height * box[1]
        sides = width * (box[2] - box[0]), height * (box[3] - box[1])
        ax.add_patch(
            Rectangle(
                corner,
                *sides,
                facecolor="none",
                edgecolor=plt.get_cmap("plasma")(score),
                linewidth=2,
            )
        )
        ax.text(
            *corner, names[detections["labels"][k] - 1] + f" {score:.2f}", backgroundcolor="white"
        )
    ax.set(xlim=(0, width), ylim=(height, 0))
    return fig
