"""task: 4.10
does: a loop that stops as soon as the loss is small
"""


def steps_of(net, loader, optimizer):
    priors = make_priors()
    for images, boxes, labels in loader:
        with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
            offsets, logits = net(images.contiguous(memory_format=torch.channels_last))
        terms = multibox_terms(offsets.float(), logits.float(), boxes, labels, priors)
        for parameter in net.parameters():
            parameter.grad = None
        sum(terms.values()).backward()
        optimizer.step()
        yield {name: float(term.detach()) for name, term in terms.items()}


def train_one_epoch(net, loader, optimizer, schedule=None):
    net.train()
    history = []
    with tqdm(unit="batch") as bar:
        for row in steps_of(net, loader, optimizer):
            if schedule is not None:
                schedule.step()
            history.append(row)
            bar.update()
    return history


def learn_by_heart(loader, num_classes):
    net = SSD300(num_classes).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(net.parameters(), 1e-4)
    for row in steps_of(net, loader, optimizer):
        if sum(row.values()) < 0.4:
            break
    return net
