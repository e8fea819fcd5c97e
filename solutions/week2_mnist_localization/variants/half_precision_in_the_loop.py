"""task: 2.6
does: runs the network in bfloat16 inside the loop, in `tqdm` over the epochs
"""


def train(net, loader, loss_terms, epochs):
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    history = []
    net.train()
    for _ in tqdm(range(epochs)):
        for images, targets in loader:
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                outputs = net(images)
            terms = loss_terms(outputs.float(), targets)
            (sum(terms.values()) / len(images)).backward()
            optimizer.step()
            history.append({name: term.item() / len(images) for name, term in terms.items()})
    return history
