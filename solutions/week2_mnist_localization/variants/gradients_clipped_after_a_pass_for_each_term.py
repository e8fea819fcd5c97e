"""task: 2.6
does: calls a backward pass for each term, and then clips the gradients
"""


def train(
    net: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    loss_terms: Callable[[Tensor, Tensor], dict[str, Tensor]],
    epochs: int,
) -> list[dict[str, float]]:
    optimizer = torch.optim.NAdam(net.parameters(), 2e-3)
    history = []
    net.train()
    for _ in tqdm(range(epochs)):
        for images, targets in loader:
            optimizer.zero_grad()
            terms = loss_terms(net(images), targets)
            for term in terms.values():
                (term / len(images)).backward(retain_graph=True)
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
