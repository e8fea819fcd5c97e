"""task: 1.7
does: only the left plot has axis labels
hint: Every axis needs a label, four in all. Which of your plots lacks them?
"""


def plot_times(rows: list[dict[str, float]]) -> Figure:
    sides = [row["side"] for row in rows]
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    left.plot(sides, [row["sequential_s"] for row in rows], label="sequential")
    left.plot(sides, [row["convolutional_s"] for row in rows], label="convolutional")
    left.set(xlabel="side, pixels", ylabel="time, s")
    left.legend()
    right.plot(sides, [row["ratio"] for row in rows])
    right.set_title("sequential / convolutional")
    return fig
