"""task: 2.6
does: steps twice with each gradient
hint: How many steps does the optimizer take for a batch, and how many are asked for?
"""


def train(
    net: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_terms: Callable[[Tensor, Tensor], dict[str, Tensor]],
    epochs: int,
) -> list[dict[str, float]]:
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    history = []
    net.train()
    for _ in range(epochs):
        for images, targets in tqdm(loader):
            terms = loss_terms(net(images), targets)
            loss = sum(terms.values()) / len(images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            optimizer.step()
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
