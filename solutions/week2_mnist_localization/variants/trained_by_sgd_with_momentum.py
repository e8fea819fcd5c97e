"""task: 2.9
does: a loop of its own, SGD with Nesterov's momentum, one cycle, clipped gradients
"""


def train_localizer(loader, epochs):
    net = LocalizationNet()
    optimizer = torch.optim.SGD(
        net.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    steps = epochs * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=steps)
    net.train()
    for _ in range(epochs):
        for images, targets in loader:
            loss = localization_loss(net(images), targets) / len(images)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 20.0)
            optimizer.step()
            schedule.step()
    return net
