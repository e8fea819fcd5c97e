"""task: 2.6
does: never sets the gradients to zero
hint: The gradients of the second step hold those of the first as well. Who clears them?
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
        for images, targets in tqdm(loader):
            terms = loss_terms(net(images), targets)
            loss = sum(terms.values()) / len(images)
            loss.backward()
            optimizer.step()
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
