"""task: 3.11
does: trains in a loop of its own, by Adam with a falling rate
"""


def train_ssd(loader, epochs):
    model = SSD(11)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(loader))
    model.train()
    for _ in range(epochs):
        for images, boxes, labels in loader:
            offsets, logits, _ = model(images)
            loss = multibox_loss(offsets, logits, boxes, labels, model.priors)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    return model
