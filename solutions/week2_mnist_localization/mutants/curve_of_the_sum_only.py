"""task: 2.6
does: draws one curve, of the sum of the terms
hint: Your figure has one curve. Which of the three terms falls first? One should be able to see
it.
"""


def plot_history(history: list[dict[str, float]]) -> Figure:
    fig, axes = plt.subplots()
    axes.plot([sum(terms.values()) for terms in history], label="loss")
    axes.set(xlabel="step", ylabel="loss per image")
    axes.legend()
    return fig
