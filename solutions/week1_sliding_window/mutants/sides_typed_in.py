"""task: 1.7
does: measures sides of its own choice instead of those it is given
hint: The sides in your rows are not those that were asked for. Which list does your loop run over?
"""


def time_both(net: nn.Module, twin: nn.Module, sides: Sequence[int]) -> list[dict[str, float]]:
    rows = []
    for side in (14, 20, 28, 42, 56):
        image = torch.rand(1, 3, side, side)
        row = {"side": side}
        with torch.no_grad():
            for key in ("sequential_s", "convolutional_s"):
                seconds = []
                for _ in range(3):
                    start = perf_counter()
                    if key == "sequential_s":
                        slide(net, image, WINDOW, STRIDE)
                    else:
                        twin(image)
                    seconds.append(perf_counter() - start)
                row[key] = min(seconds)
        row["ratio"] = row["sequential_s"] / row["convolutional_s"]
        rows.append(row)
    return rows
