"""task: 2.6
does: leaves the network in the mode it came in
hint: Hand in a network after `net.eval()`: its batch normalisation learns nothing. Which mode
does training need, and who asks for it?
"""


def train(
    net: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_terms: Callable[[Tensor, Tensor], dict[str, Tensor]],
    epochs: int,
) -> list[dict[str, float]]:
    optimizer = torch.optim.Adam(net.parameters())
    history = []
    for _ in range(epochs):
        for images, targets in tqdm(loader):
            terms = loss_terms(net(images), targets)
            loss = sum(terms.values()) / len(images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
