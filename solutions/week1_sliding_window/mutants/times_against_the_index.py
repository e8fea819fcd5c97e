"""task: 1.7
does: plots the times without their sides, so that the x-axis counts 0, 1, 2
hint: In one of your plots the x-axis counts 0, 1, 2, and so on. What does `plot` take for x when
you pass only one list?
"""


def plot_times(rows: list[dict[str, float]]) -> Figure:
    fig, axes = plt.subplots(1, 2, figsize=(10, 4))
    axes[0].plot([row["sequential_s"] for row in rows], label="sequential")
    axes[0].plot([row["convolutional_s"] for row in rows], label="convolutional")
    axes[0].set(xlabel="side, pixels", ylabel="time, s")
    axes[0].legend()
    axes[1].plot([row["side"] for row in rows], [row["ratio"] for row in rows])
    axes[1].set(xlabel="side, pixels", ylabel="ratio")
    return fig
