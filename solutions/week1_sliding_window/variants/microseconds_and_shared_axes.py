"""task: 1.7
does: one class that measures, alternating runs; microseconds, a filled area and legends twice
"""


class Stopwatch:
    """Remember the best of several times."""

    def __init__(self):
        self.best = float("inf")

    def __enter__(self):
        self.start = perf_counter()
        return self

    def __exit__(self, *_):
        self.best = min(self.best, perf_counter() - self.start)


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    rows = []
    with torch.no_grad():
        for side in map(int, sides):
            image = torch.zeros(1, 3, side, side).uniform_()
            one, all_at_once = Stopwatch(), Stopwatch()
            for _ in range(4):
                with one:
                    slide(net, image, 14, 2)
                with all_at_once:
                    twin(image)
            rows.append(dict(side=side, sequential_s=one.best, convolutional_s=all_at_once.best))
            rows[-1]["ratio"] = one.best / all_at_once.best
    return rows


def plot_times(rows: list[dict[str, float]]) -> Figure:
    rows = sorted(rows, key=lambda row: row["side"])
    x = [row["side"] for row in rows]
    slow = [row["sequential_s"] * 1e6 for row in rows]
    fast = [row["convolutional_s"] * 1e6 for row in rows]
    figure, (a, b) = plt.subplots(1, 2, figsize=(9, 3), sharex=True, squeeze=True)
    a.fill_between(x, fast, slow, color="lightgrey")
    a.plot(x, slow, label="sequential (slide)")
    a.plot(x, fast, label="convolutional (twin)")
    b.plot(x, [row["ratio"] for row in rows], label="ratio")
    a.set(xlabel="image side [px]", ylabel="time [µs]", ylim=(0, None))
    b.set(xlabel="image side [px]", ylabel="speed-up", ylim=(0, None))
    a.legend()
    b.legend()
    figure.tight_layout()
    return figure
