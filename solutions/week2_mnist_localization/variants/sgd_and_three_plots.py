"""task: 2.6
does: SGD with momentum, a bar over the epochs, one plot for each term
"""


def train(
    net: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_terms: Callable[[Tensor, Tensor], dict[str, Tensor]],
    epochs: int,
) -> list[dict[str, float]]:
    net = net.train()
    history: list[dict[str, float]] = []
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for epoch in tqdm(range(epochs), desc="epochs"):
        for batch in loader:
            optimizer.zero_grad()
            size = batch[0].size(0)
            terms = {k: v / size for k, v in loss_terms(net(batch[0]), batch[1]).items()}
            torch.stack(list(terms.values())).sum().backward()
            optimizer.step()
            history.append({k: float(v) for k, v in terms.items()})
        last = ", ".join(f"{k} {v:.3f}" for k, v in history[-1].items())
        tqdm.write(f"epoch {epoch + 1}: {last}")
    return history


def plot_history(history: list[dict[str, float]]) -> Figure:
    names = list(history[0])
    figure, axes = plt.subplots(len(names), 1, sharex=True, squeeze=False)
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.plot(range(1, len(history) + 1), [row[name] for row in history], "k.-")
        ax.set_title(name)
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
    return figure
