"""task: 2.9
does: takes one step with a huge learning rate
hint: One step of yours throws the weights far away from anything sensible. How large is your
learning rate, and for how many batches do you train?
"""


def train_localizer(loader: Iterable[tuple[Tensor, Tensor]], epochs: int) -> nn.Module:
    net = LocalizationNet()
    images, targets = next(iter(loader))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e20)
    net.train()
    localization_loss(net(images), targets).backward()
    optimizer.step()
    return net
