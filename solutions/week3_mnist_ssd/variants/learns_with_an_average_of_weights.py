"""task: 3.10
does: keeps a running average of the weights beside the training, and does not use it in the end
"""


def train(net, loader, epochs):
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
    average = [p.detach().clone() for p in net.parameters()]
    history = []
    net.train()
    progress = tqdm(total=epochs * len(loader), unit="step")
    for _ in range(epochs):
        for batch in loader:
            offsets, logits, _ = net(batch[0])
            terms = multibox_terms(offsets, logits, *batch[1:], net.priors)
            loss = terms["localization"] + terms["confidence"]
            for parameter in net.parameters():
                parameter.grad = None
            loss.backward()
            optimizer.step()
            torch._foreach_lerp_(average, [p.detach() for p in net.parameters()], 0.1)
            history.append({k: float(v.detach()) for k, v in terms.items()})
            progress.update(1)
    progress.close()
    return history
