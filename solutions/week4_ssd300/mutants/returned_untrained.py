"""task: 4.10
does: returns a network that saw no image
hint: Is the network that you return the one that you trained?
"""


def learn_by_heart(loader: Iterable[Batch], num_classes: int) -> nn.Module:
    net = SSD300(num_classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(net.parameters(), 1e-4)
    train_one_epoch(net, [], optimizer)
    return net
