"""task: 2.8
does: dark green and crimson at half strength, images as (H, W, 3), `plt.subplots` with a grid
"""


def show_predictions(
    images: Tensor, true_boxes: Tensor, true_labels: Tensor, boxes: Tensor, labels: Tensor
) -> Figure:
    fig, grid = plt.subplots(nrows=6, ncols=5, sharex=True, sharey=True, constrained_layout=True)
    sides = torch.tensor(images.shape[-1:-3:-1]).repeat(2)
    for n in range(30):
        ax = grid[divmod(n, 5)]
        ax.imshow(images[n].expand(3, -1, -1).permute(1, 2, 0))
        for colour, box in (("darkgreen", true_boxes[n]), ("crimson", boxes[n])):
            x, y, right, bottom = (box * sides - 0.5).numpy()
            style = {"facecolor": "None", "edgecolor": colour, "linewidth": 2, "alpha": 0.5}
            ax.add_artist(Rectangle(xy=(x, y), width=right - x, height=bottom - y, **style))
        ax.set(title=f"truth: {true_labels[n]:d}\nguess: {labels[n]:d}", xticks=[], yticks=[])
    return fig
