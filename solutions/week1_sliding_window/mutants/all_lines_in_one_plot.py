"""task: 1.7
does: draws times and ratio into the left plot and leaves the right one empty
hint: One of your two plots is empty. `plt.plot` draws into the current Axes: which is that after
`plt.subplots`?
"""


def plot_times(rows: list[dict[str, float]]) -> Figure:
    sides = [row["side"] for row in rows]
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.set(xlabel="side, pixels", ylabel="time, s")
    right.set(xlabel="side, pixels", ylabel="ratio")
    plt.sca(left)
    plt.plot(sides, [row["sequential_s"] for row in rows], label="sequential")
    plt.plot(sides, [row["convolutional_s"] for row in rows], label="convolutional")
    plt.plot(sides, [row["ratio"] for row in rows], label="ratio")
    plt.legend()
    return fig
