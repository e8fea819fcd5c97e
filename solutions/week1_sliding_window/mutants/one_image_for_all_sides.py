"""task: 1.7
does: measures the same image, of the first side, for every side
hint: The rows name different sides, but all measurements ran on images of one size. Where do you
make the image, before the loop or in it?
"""


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    image = torch.rand(1, 3, sides[0], sides[0])
    rows = []
    for side in sides:
        sequential, convolutional = [], []
        with torch.no_grad():
            for _ in range(3):
                start = perf_counter()
                slide(net, image, WINDOW, STRIDE)
                middle = perf_counter()
                twin(image)
                end = perf_counter()
                sequential.append(middle - start)
                convolutional.append(end - middle)
        a, b = min(sequential), min(convolutional)
        rows.append({"side": side, "sequential_s": a, "convolutional_s": b, "ratio": a / b})
    return rows
