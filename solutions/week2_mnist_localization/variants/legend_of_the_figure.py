"""task: 2.6
does: the legend belongs to the figure, not to the axes
"""


def plot_history(history: list[dict[str, float]]) -> Figure:
    fig, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for name in history[0]:
        axes.plot([terms[name] for terms in history], label=name)
    axes.set(xlabel="step", ylabel="loss per image", yscale="log")
    fig.legend(loc="outside right upper")
    return fig
