"""task: 1.7
does: divides the convolutional time by the sequential one
hint: Your ratio is the inverse of what is asked. It should say how many times as long the
sequential procedure takes.
"""


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    def fastest(procedure):
        seconds = []
        for _ in range(3):
            start = perf_counter()
            procedure()
            seconds.append(perf_counter() - start)
        return min(seconds)

    rows = []
    for side in sides:
        image = torch.rand(1, 3, side, side)
        with torch.no_grad():
            a = fastest(lambda image=image: slide(net, image, WINDOW, STRIDE))
            b = fastest(lambda image=image: twin(image))
        rows.append({"side": side, "sequential_s": a, "convolutional_s": b, "ratio": b / a})
    return rows
