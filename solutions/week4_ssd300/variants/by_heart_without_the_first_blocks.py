"""task: 4.10
does: Adam for all but the first four convolutions, which need no gradients
"""


def train_one_epoch(net, loader, optimizer, schedule=None):
    net.train()
    history, priors = [], make_priors()
    for batch in tqdm(loader):
        images, boxes, labels = batch
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16, enabled=HALF):
            answers = net(images.to(memory_format=torch.channels_last))
        offsets, logits = (answer.float() for answer in answers)
        terms = multibox_terms(offsets, logits, boxes, labels, priors)
        loss = torch.stack([terms[name] for name in terms]).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        history.append(dict((name, term.item()) for name, term in terms.items()))
    return history


def learn_by_heart(loader, num_classes):
    net = SSD300(num_classes).to(memory_format=torch.channels_last)
    convolutions = [m for m in net.base.modules() if isinstance(m, nn.Conv2d)]
    for layer in convolutions[:4]:
        layer.requires_grad_(False)
    learning = [p for p in net.parameters() if p.requires_grad]
    train_one_epoch(net, loader, torch.optim.Adam(learning, lr=1e-4))
    return net
