"""task: 2.6
does: shows no progress
hint: Nothing appears while it trains. What could you wrap the loader in?
"""


def train(
    net: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_terms: Callable[[Tensor, Tensor], dict[str, Tensor]],
    epochs: int,
) -> list[dict[str, float]]:
    optimizer = torch.optim.Adam(net.parameters())
    history = []
    net.train()
    for _ in range(epochs):
        for images, targets in loader:
            terms = loss_terms(net(images), targets)
            loss = sum(terms.values()) / len(images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
