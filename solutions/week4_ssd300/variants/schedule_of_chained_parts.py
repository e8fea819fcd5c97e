"""task: 4.9
does: multiplies two schedules, and collects biases by their module
"""


def make_optimizer(net):
    slow, fast = [], []
    for module in net.modules():
        for name, parameter in module.named_parameters(recurse=False):
            (fast if name.endswith("bias") else slow).append(parameter)
    sgd = torch.optim.SGD(slow, lr=0.001, momentum=0.9, weight_decay=5e-4)
    sgd.add_param_group({"params": fast, "lr": 0.002})
    return sgd


def make_schedule(optimizer):
    constant = torch.optim.lr_scheduler.ConstantLR
    rest = 20_000
    stages = [constant(optimizer, factor, rest * 9) for factor in (1.0, 0.1, 0.01)]
    return torch.optim.lr_scheduler.SequentialLR(optimizer, stages, [4 * rest, 5 * rest])
