"""task: 4.9
does: makes a group for each parameter, and a schedule of a function
"""


def make_optimizer(net):
    groups = []
    for name, parameter in net.named_parameters():
        twice = name.rpartition(".")[2].endswith("bias")
        groups.append({"params": [parameter], "lr": 0.002 if twice else 0.001})
    return torch.optim.SGD(groups, lr=1e-3, momentum=0.9, weight_decay=0.0005)


def make_schedule(optimizer):
    def share(done):
        return 0.1 ** sum(done >= limit for limit in (80_000, 100_000))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)
