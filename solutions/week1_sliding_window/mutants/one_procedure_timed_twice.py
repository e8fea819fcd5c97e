"""task: 1.7
does: times the sequential procedure twice and never runs the twin
hint: One of the two procedures was never run. Check what each of your two measurements calls.
"""


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    rows = []
    for side in sides:
        image = torch.rand(1, 3, side, side)
        best = {}
        for name in ("sequential_s", "convolutional_s"):
            seconds = []
            for _ in range(3):
                start = perf_counter()
                with torch.no_grad():
                    slide(net, image, WINDOW, STRIDE)
                seconds.append(perf_counter() - start)
            best[name] = min(seconds)
        ratio = best["sequential_s"] / best["convolutional_s"]
        rows.append({"side": side, **best, "ratio": ratio})
    return rows
