"""task: 2.6
does: averages ten steps at a time before it draws
hint: Your curves have fewer points than the history has rows. Against what should they be drawn?
"""


def plot_history(history: list[dict[str, float]]) -> Figure:
    fig, axes = plt.subplots()
    for name in history[0]:
        values = [terms[name] for terms in history]
        means = [sum(part) / len(part) for part in zip(*[iter(values)] * 10, strict=False)]
        axes.plot(means, label=name)
    axes.set(xlabel="step", ylabel="loss per image")
    axes.legend()
    return fig
