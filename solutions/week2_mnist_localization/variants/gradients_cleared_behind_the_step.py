"""task: 2.6
does: AdamW, clears gradients behind each step, a bar over the batches; the sum is drawn as well
"""


def train(net, loader, loss_terms, epochs):
    optimizer = torch.optim.AdamW([w for w in net.parameters() if w.requires_grad], lr=3e-3)
    optimizer.zero_grad(set_to_none=True)
    history = []
    net.train()
    for epoch in range(epochs):
        for images, targets in tqdm(loader, desc=f"epoch {epoch}", leave=False):
            with torch.enable_grad():
                terms = loss_terms(net(images), targets)
                loss = torch.zeros(())
                for term in terms.values():
                    loss = loss + term / images.shape[0]
            loss.backward()
            optimizer.step()
            net.zero_grad(set_to_none=True)
            count = len(images)
            history.append({name: t.detach().item() / count for name, t in terms.items()})
    return history


def plot_history(history):
    plt.figure()
    steps = list(range(len(history)))
    for name in sorted(history[0]):
        plt.plot(steps, [h[name] for h in history], label=name, alpha=0.7)
    plt.plot(steps, [sum(h.values()) for h in history], "--", label="sum")
    plt.xlabel("Step")
    plt.ylabel("Loss")
    plt.grid(True)
    plt.legend(loc="upper right")
    return plt.gcf()
