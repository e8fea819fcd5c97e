"""task: 2.6
does: lets the optimizer step once an epoch
hint: Count the calls of `step`: there are as many as epochs, not as batches. How far should its
line be indented?
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
            history.append({name: term.item() / len(images) for name, term in terms.items()})
        optimizer.step()
        optimizer.zero_grad()
    return history
