"""task: 1.7
does: the left plot has no legend
hint: Nobody can tell which of your two lines is which. Labels alone do not show: what draws them?
"""


def plot_times(rows: list[dict[str, float]]) -> Figure:
    sides = [row["side"] for row in rows]
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(sides, [row["sequential_s"] for row in rows], label="sequential")
    left.plot(sides, [row["convolutional_s"] for row in rows], label="convolutional")
    left.set(xlabel="side, pixels", ylabel="time, s")
    right.plot(sides, [row["ratio"] for row in rows])
    right.set(xlabel="side, pixels", ylabel="ratio")
    return fig
