"""task: 1.7
does: runs the twin with gradients on
hint: Both procedures should run without gradients, and one of yours records them. Which of your
calls stand inside `torch.no_grad()`?
"""


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    rows = []
    for side in sides:
        image = torch.rand(1, 3, side, side)
        sequential, convolutional = [], []
        for _ in range(3):
            start = perf_counter()
            with torch.no_grad():
                slide(net, image, WINDOW, STRIDE)
            sequential.append(perf_counter() - start)
            start = perf_counter()
            twin(image)
            convolutional.append(perf_counter() - start)
        a, b = min(sequential), min(convolutional)
        rows.append({"side": side, "sequential_s": a, "convolutional_s": b, "ratio": a / b})
    return rows
