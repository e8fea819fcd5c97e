"""task: 1.7
does: timeit and the median after a warm-up; seconds, logarithmic sides, convolutional line first
"""

from statistics import median
from timeit import repeat


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    def measure(side):
        image = torch.randn(1, 3, side, side)
        jobs = {
            "convolutional_s": lambda: twin(image),
            "sequential_s": lambda: slide(net, image, size=WINDOW, stride=STRIDE),
        }
        found = {}
        for key, job in jobs.items():
            job()
            found[key] = median(repeat(job, number=1, repeat=3))
        ratio = found["sequential_s"] / found["convolutional_s"]
        return {"ratio": ratio, **found, "side": side}

    with torch.inference_mode():
        return [measure(side) for side in sides]


def plot_times(rows: list[dict[str, float]]) -> Figure:
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    fig, axes = plt.subplots(nrows=1, ncols=2, sharex=True)
    fig.suptitle("Two procedures, one answer")
    axes[1].semilogx(columns["side"], columns["ratio"], "k--")
    axes[1].set_ylabel("how many times faster")
    axes[0].loglog(columns["side"], columns["convolutional_s"], "s-", label="twin")
    axes[0].loglog(columns["side"], columns["sequential_s"], "o-", label="window by window")
    axes[0].set_ylabel("seconds")
    axes[0].legend(loc="upper left", title="procedure")
    for ax in axes:
        ax.set_xlabel("side")
        ax.set_title("48 runs or fewer")
        ax.grid(True)
    return fig
