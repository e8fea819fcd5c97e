"""task: 2.6
does: draws curves that stay at a value until the next step
"""


def plot_history(history: list[dict[str, float]]) -> Figure:
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for name in history[0]:
        axes.step(range(len(history)), [terms[name] for terms in history], label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss per image")
    axes.legend()
    return figure
