"""task: 2.6
does: divides the history of all batches by the size of the first
hint: The last batch of a pass is often smaller. By which number do you divide its terms in the
history?
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
            size = len(images) if not history else size
            history.append({name: term.item() / size for name, term in terms.items()})
    return history
