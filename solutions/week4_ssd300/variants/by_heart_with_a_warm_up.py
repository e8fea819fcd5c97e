"""task: 4.10
does: AdamW with a warm-up by hand, half precision, a plain loop with a description
"""


def train_one_epoch(net, loader, optimizer, schedule=None):
    net.train()
    priors = make_priors()
    history = []
    for images, boxes, labels in tqdm(loader, desc="epoch"):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=HALF):
            offsets, logits = net(images)
        terms = multibox_terms(offsets.float(), logits.float(), boxes, labels, priors)
        (terms["localization"] + terms["confidence"]).backward()
        optimizer.step()
        if schedule:
            schedule.step()
        history.append({key: value.item() for key, value in terms.items()})
    return history


def learn_by_heart(loader, num_classes):
    net = SSD300(num_classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1.2e-4, weight_decay=1e-3)
    warmer = torch.optim.lr_scheduler.LinearLR(optimizer, 0.2, 1.0, total_iters=5)
    train_one_epoch(net, loader, optimizer, warmer)
    return net.eval()
