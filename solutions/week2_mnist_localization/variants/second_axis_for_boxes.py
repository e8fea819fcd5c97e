"""task: 2.6
does: the regression term against an axis of its own on the right
"""


def plot_history(history: list[dict[str, float]]) -> Figure:
    fig, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    other = axes.twinx()
    other.set_ylabel("regression")
    lines = []
    for name in history[0]:
        which = other if name == "regression" else axes
        lines += which.plot([terms[name] for terms in history], label=name)
    axes.set(xlabel="step", ylabel="loss per image", yscale="log")
    axes.legend(handles=lines)
    return fig
