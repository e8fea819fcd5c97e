"""task: 3.11
does: a loop of its own in single precision, SGD with one cycle
"""


def train_ssd(loader, epochs):
    model = SSD(NUM_CLASSES)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    steps = epochs * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.08, total_steps=steps)
    model.train()
    for _ in range(epochs):
        for images, boxes, labels in loader:
            offsets, logits, _ = model(images)
            terms = multibox_terms(offsets, logits, boxes, labels, model.priors)
            loss = 2 * terms["localization"] + terms["confidence"]
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    return model
