"""task: 1.7
does: shows the figure and returns nothing
hint: The plot appears, but your function returns None. What should it hand back?
"""


def plot_times(rows: list[dict[str, float]]) -> Figure:
    sides = [row["side"] for row in rows]
    _, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(sides, [row["sequential_s"] for row in rows], label="sequential")
    left.plot(sides, [row["convolutional_s"] for row in rows], label="convolutional")
    left.set(xlabel="side, pixels", ylabel="time, s")
    left.legend()
    right.plot(sides, [row["ratio"] for row in rows])
    right.set(xlabel="side, pixels", ylabel="ratio")
    plt.show()
