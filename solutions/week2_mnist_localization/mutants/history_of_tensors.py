"""task: 2.6
does: keeps tensors in the history
hint: Print the first row of your history: these are not floats. What turns a tensor of one number
into a Python number?
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
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append({name: term / len(images) for name, term in terms.items()})
    return history
