"""task: 4.10
does: clears gradients after the step, adds the terms by hand, and trains in channels_last
"""


def train_one_epoch(net, loader, optimizer, schedule=None):
    priors = make_priors()
    history = []
    net.train()
    optimizer.zero_grad(set_to_none=False)
    progress = tqdm(total=len(loader) if hasattr(loader, "__len__") else None)
    for batch in loader:
        images, boxes, labels = batch
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16, enabled=HALF):
            offsets, logits = net(images.to(memory_format=torch.channels_last))
        terms = multibox_terms(offsets.float(), logits.float(), boxes, labels, priors)
        (terms["localization"] + terms["confidence"]).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        if schedule:
            schedule.step()
        history.append({name: float(value.detach()) for name, value in terms.items()})
        progress.update()
    progress.close()
    return history


def learn_by_heart(loader, num_classes):
    detector = SSD300(num_classes=num_classes).to(memory_format=torch.channels_last)
    adam = torch.optim.AdamW(detector.parameters(), lr=1e-4, weight_decay=1e-3)
    train_one_epoch(detector, loader, adam, None)
    return detector.eval()
