"""task: 3.10
does: NAdam, no decay for biases and norms, a cosine over all steps
"""


def train(net, loader, epochs):
    matrices = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": 1e-3}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.NAdam(groups, lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, epochs * len(loader)))
    history = []
    net.train()
    for _ in tqdm(range(epochs), desc="passes"):
        for images, boxes, labels in loader:
            optimizer.zero_grad(set_to_none=True)
            offsets, logits, _ = net(images)
            terms = multibox_terms(offsets, logits, boxes, labels, net.priors)
            sum(terms.values()).backward()
            optimizer.step()
            schedule.step()
            history.append({"localization": terms["localization"].item()})
            history[-1]["confidence"] = terms["confidence"].item()
    return history
