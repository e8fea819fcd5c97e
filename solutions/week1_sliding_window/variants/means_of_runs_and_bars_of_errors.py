"""task: 1.7
does: a warm-up and the median by numpy; lines through scatter-like markers, a legend outside
"""


def seconds(run, repeats=3):
    run()
    taken = []
    while len(taken) < repeats:
        begin = perf_counter()
        run()
        taken += [perf_counter() - begin]
    return sorted(taken)[len(taken) // 2]


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    rows = []
    with torch.inference_mode():
        for side in sides:
            image = torch.randn(1, 3, side, side)
            slow = seconds(lambda image=image: slide(net, image, 14, 2))
            fast = seconds(lambda image=image: twin(image))
            rows.append(
                dict(side=int(side), sequential_s=slow, convolutional_s=fast, ratio=slow / fast)
            )
    return rows


def plot_times(rows: list[dict[str, float]]) -> Figure:
    figure, axes = plt.subplots(ncols=2, nrows=1, figsize=(9, 4))
    x = [row["side"] for row in rows]
    axes[0].plot(x, [row["sequential_s"] for row in rows], "r--", label="one window at a time")
    axes[0].plot(x, [row["convolutional_s"] for row in rows], "b-", label="all at once")
    axes[0].set_xlabel("side / pixels")
    axes[0].set_ylabel("seconds")
    axes[0].legend(loc="upper left")
    axes[1].plot(x, [row["ratio"] for row in rows], "k.-")
    axes[1].set_xlabel("side / pixels")
    axes[1].set_ylabel("times as fast")
    figure.tight_layout()
    return figure
