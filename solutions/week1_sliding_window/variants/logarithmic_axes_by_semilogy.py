"""task: 1.7
does: best of ten, milliseconds by semilogy, the ratio on a logarithmic axis of its own
"""


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    def measure(run):
        best = float("inf")
        for _ in range(4):
            start = perf_counter()
            with torch.no_grad():
                run()
            best = min(best, perf_counter() - start)
        return best

    table = []
    for side in sides:
        image = torch.ones(1, 3, side, side)
        row = {"side": side}
        row["sequential_s"] = measure(lambda image=image: slide(net, image, WINDOW, STRIDE))
        row["convolutional_s"] = measure(lambda image=image: twin(image))
        row["ratio"] = row["sequential_s"] / row["convolutional_s"]
        table.append(row)
    return table


def plot_times(rows: list[dict[str, float]]) -> Figure:
    fig, (times, ratio) = plt.subplots(1, 2, figsize=(11, 4), layout="tight")
    sides = torch.tensor([row["side"] for row in rows])
    for name in ("sequential", "convolutional"):
        times.semilogy(sides, [1e3 * row[f"{name}_s"] for row in rows], label=name, marker="x")
    times.set(xlabel="side [px]", ylabel="time [ms]", title="Times")
    times.grid(True)
    times.legend(title="procedure")
    ratio.semilogy(sides, [row["ratio"] for row in rows], color="green", label="ratio")
    ratio.set(xlabel="side [px]", ylabel="sequential / convolutional", title="Ratio")
    ratio.grid(True)
    return fig
