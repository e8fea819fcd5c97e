"""task: 2.6
does: draws the curves without a legend
hint: Show your figure to a friend: which curve is which? Labels alone are not shown.
"""


def plot_history(history: list[dict[str, float]]) -> Figure:
    fig, axes = plt.subplots()
    for name in history[0]:
        axes.plot([terms[name] for terms in history], label=name)
    axes.set(xlabel="step", ylabel="loss per image")
    return fig
