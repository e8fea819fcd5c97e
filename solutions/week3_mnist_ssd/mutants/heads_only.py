"""task: 3.10
does: gives the optimizer the heads only, with a small rate
hint: Which parameters does the optimizer know of?
"""


def train(
    net: nn.Module,
    loader: Iterable[tuple[Tensor, list[Tensor], list[Tensor]]],
    epochs: int,
) -> list[dict[str, float]]:
    steps = epochs * len(loader)
    optimizer = torch.optim.SGD(list(net.parameters())[-2:], 1e-4)
    history = []
    net.train()
    with tqdm(total=steps) as bar:
        for _ in range(epochs):
            for images, boxes, labels in loader:
                offsets, logits, _ = net(images)
                terms = multibox_terms(offsets, logits, boxes, labels, net.priors)
                loss = sum(terms.values())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                history.append({name: term.item() for name, term in terms.items()})
                bar.set_postfix(loss=f"{loss.item():.2f}", refresh=False)
                bar.update()
    return history
